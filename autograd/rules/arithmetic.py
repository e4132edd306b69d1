"""Arithmetic. A row gives the local derivative with respect to x, then to y.

Python's own operators compute the values where they can: on arrays they are NumPy's ufuncs, on 0-d values they take a
tenth of the time.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autograd.dispatch import dispatched
from autograd.op import all_true, masked_product, times_where_nonzero, where_nonzero
from autograd.table import absent, composite, elementwise, flat, general, linear

Array = Any


def over(y: Array) -> Array:
    """1 / y, also where y is the Python number 0; of short numbers in float64, as x may be."""
    try:
        return 1 / (y.astype(np.float64) if hasattr(y, "dtype") and y.dtype.itemsize < 4 else y)
    except ZeroDivisionError:
        return np.divide(1, y)


elementwise(np.add, 1, 1, forward=operator.add)
elementwise(np.subtract, 1, -1, forward=operator.sub)
elementwise(np.multiply, lambda y: y, lambda x: x, forward=operator.mul)
elementwise(np.divide, over, lambda out, y: -out / y, forward=operator.truediv, singular=True)
elementwise(np.negative, -1, forward=operator.neg)
elementwise(np.positive, 1, forward=operator.pos)
elementwise(np.conjugate, 1)
linear(np.real, lambda g: g)
elementwise(np.reciprocal, lambda out: -out * out, singular=True)

# Upstream times local, where the local derivative may be infinite or NaN


def by_upstream(g: Array, upstream: Array, local: Array) -> Array:
    """What is multiplied with the local derivative, where that is asked for."""
    return g * where_nonzero(upstream, local)


def by_local(g: Array, upstream: Array) -> Array:
    """What is multiplied with the upstream; where the local derivative is infinite it is so, too."""
    return times_where_nonzero(upstream, g)


general(
    masked_product,
    by_upstream,
    by_local,
    jvps=(by_upstream, by_local),
    forward=lambda upstream, local: masked_product(upstream, local),
)

# Powers and roots


def power_base(x: Array, y: Array) -> Array:
    """y x**(y - 1); 0 for the exponent 0 where that is infinite or NaN, as at x = 0."""
    if isinstance(y, int | float | np.number):
        if y == 2:
            return 2 * x
        return y * x ** (y - 1) if y else 0.0
    return times_where_nonzero(y, x ** (y - 1))


def power_exponent(x: Array, out: Array) -> Array:
    """x**y log(x); 0 for the base 0, also where the power is infinite."""
    if isinstance(x, int | float):  # its logarithm must be a Python number too, which leaves float32 as it is
        return out * (math.log(x) if x > 0 else math.nan) if x else np.zeros_like(out)
    base = x + (x == 0)
    return times_where_nonzero(np.log(base if base.dtype == out.dtype else base.astype(out.dtype)), out)


elementwise(np.power, power_base, power_exponent, forward=operator.pow, singular=True)
elementwise(np.float_power, power_base, power_exponent, singular=True)
elementwise(np.square, lambda x: 2 * x, forward=lambda x: np.square(x) if x.dtype.kind == "b" else x * x)
elementwise(np.sqrt, lambda out: 0.5 / out, scalar=math.sqrt, singular=True)
elementwise(np.cbrt, lambda out: 1 / (3 * out * out), scalar=math.cbrt, singular=True)
elementwise(np.hypot, lambda x, out: x / (out + (out == 0)), lambda y, out: y / (out + (out == 0)))

# Signs

elementwise(np.absolute, lambda x: np.sign(x), forward=abs)
elementwise(np.fabs, lambda x: np.sign(x))
elementwise(np.copysign, lambda x, out: np.sign(x) * np.sign(out), flat=("y",))
elementwise(np.heaviside, y=lambda x: x == 0, flat=("x",))

# Remainders and parts: whole numbers are constant almost everywhere

elementwise(np.remainder, 1, lambda x, y: -np.floor_divide(x, y), forward=operator.mod, singular=True)
elementwise(np.fmod, 1, lambda x, y, out: -np.rint((x - out) / y), singular=True)


@composite(np.divmod)
def _divmod(x: Array, y: Array) -> tuple[Array, Array]:
    return np.floor_divide(x, y), np.remainder(x, y)


general(np.modf, lambda g: g[0], jvps=(lambda t: (t, 0 * t),), many=True)
linear(np.ldexp, lambda g, y: np.ldexp(g, y))


@dispatched
def binary_exponent(x: Array) -> Array:
    """The exponent e for which ``x / 2**e`` lies between 1/2 and 1."""
    return np.frexp(x)[1]


flat(binary_exponent)


@composite(np.frexp)
def _frexp(x: Array) -> tuple[Array, Array]:
    exponent = binary_exponent(x)
    return np.ldexp(x, -exponent), exponent


# Choices between values

HALF, NAN = np.float32(0.5), np.float32("nan")  # no upstream is narrower than float32, so these widen none


def larger(x: Array, y: Array) -> Array:
    """1 where x is larger than y, 1/2 where they are equal, NaN where one is NaN, else 0."""
    more, less = x > y, x < y
    if all_true(more != less):
        return more
    return np.where(more == less, np.where(x == y, HALF, NAN), more)


def unless_alone(x: Array, y: Array, chosen: Array) -> Array:
    """`chosen`, but a number comes before NaN: 1 where only y is NaN, 0 where only x is."""
    return np.where(np.isnan(x) == np.isnan(y), chosen, np.isnan(y))


elementwise(np.maximum, larger, lambda x, y: larger(y, x))
elementwise(np.minimum, lambda x, y: larger(y, x), larger)
elementwise(np.fmax, lambda x, y: unless_alone(x, y, larger(x, y)), lambda x, y: unless_alone(y, x, larger(y, x)))
elementwise(np.fmin, lambda x, y: unless_alone(x, y, larger(y, x)), lambda x, y: unless_alone(y, x, larger(x, y)))


def _clip(a: Array, a_min: Array = None, a_max: Array = None, out: Any = None) -> Array:
    return np.clip(a, a_min, a_max, absent("clip", out))


def beyond(a: Array, a_min: Array, a_max: Array, out: Array) -> Array:
    """Where `numpy.clip` gives its upper bound, which it prefers where the bounds are crossed."""
    return a > a_max if a_min is None else (a > a_max) | (out < a_min)


elementwise(
    np.clip,
    lambda a, out: (out == a) | np.isnan(out),  # NaN passes, and so does its upstream
    lambda a, a_min, out: (a < a_min) & (out >= a_min),
    beyond,
    forward=_clip,
    bind=lambda a, a_min=None, a_max=None, out=None, *, min=None, max=None: (
        a,
        a_min if min is None else min,
        a_max if max is None else max,
        out,
    ),
)


def _nan_to_num(
    x: Array, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    return np.nan_to_num(x, True, nan, posinf, neginf)


elementwise(np.nan_to_num, lambda x: np.isfinite(x), forward=_nan_to_num)


@composite(np.real_if_close)
def _real_if_close(a: Array, tol: float = 100) -> Array:
    return a
