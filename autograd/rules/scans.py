"""Scans: running sums and products, and the differences that undo them.

Sums are linear: the adjoint of a running sum is the running sum from the other end. Products are not, and their rule
divides by nothing, since a factor may be 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd.dispatch import dispatched
from autograd.errors import ShapeError
from autograd.rules.reductions import before, without_nan
from autograd.table import absent, composite, general, linear, of_this_release


def arrayed(value: Any) -> Any:
    """Return a tensor or an array as it is, and anything else as an array."""
    return value if hasattr(value, "ndim") else np.asarray(value)


def floating(value: Any) -> Any:
    """Return integers as float64, since differences of unsigned ones would wrap; anything else as an array."""
    value = arrayed(value)
    return value.astype(np.float64) if value.dtype.kind in "iu" else value


# Running sums and products


def cumsum_adjoint(g: Any, shape: tuple[int, ...], axis: int | None) -> Any:
    axis = 0 if axis is None else axis
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis), shape)


def discounted(g: Any, factors: Any) -> Any:
    """
    Return S with ``S[j] = g[j] + factors[j] * S[j + 1]``, along the last axis.

    The recurrence is doubled log2(n) times: after each step an element sums twice as many terms.
    """
    step = 1
    while step < g.shape[-1]:
        g = np.concatenate([g[..., :-step] + factors * g[..., step:], g[..., -step:]], -1)
        factors = factors[..., :-step] * factors[..., step:]
        step *= 2
    return g


def cumprod_vjp(g: Any, a: Any, axis: int | None) -> Any:
    if axis is None or not a.ndim:
        rows = np.reshape(a, (-1,))
        return np.reshape(before(rows) * discounted(g, rows[1:]), a.shape)
    rows, g = np.swapaxes(a, axis, -1), np.swapaxes(g, axis, -1)
    return np.swapaxes(before(rows) * discounted(g, rows[..., 1:]), axis, -1)


def _cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(a, axis, dtype, absent("cumsum", out))


def _cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumprod(a, axis, dtype, absent("cumprod", out))


linear(np.cumsum, cumsum_adjoint, forward=_cumsum)
general(np.cumprod, cumprod_vjp, forward=_cumprod)


@composite((np.add, "accumulate"))
def add_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumsum(array, axis, dtype)


@composite((np.multiply, "accumulate"))
def multiply_accumulate(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    return np.cumprod(array, axis, dtype)


@composite(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumsum(without_nan(a, 0), axis, dtype, out)


@composite(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    return np.cumprod(without_nan(a, 1), axis, dtype, out)


# Running maxima, minima and logsumexps: functions with rows, for which the ufuncs' methods stand


@dispatched
def running_maximum(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Return for each element the maximum of it and those before it."""
    return np.maximum.accumulate(array, axis, dtype)


@dispatched
def running_minimum(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Return for each element the minimum of it and those before it."""
    return np.minimum.accumulate(array, axis, dtype)


@dispatched
def running_logaddexp(array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """Return for each element the logarithm of the sum of the exponentials of it and those before it."""
    return np.logaddexp.accumulate(array, axis, dtype)


def record_vjp(g: Any, array: Any, out: Any, axis: int) -> Any:
    """Return the vjp of a running maximum or minimum: the elements that hold a record share what reaches it."""
    g, rows, top = (np.swapaxes(value, axis, -1) for value in (g, array, out))
    holds = rows == top
    stays = (top[..., 1:] == top[..., :-1]).astype(g.dtype)
    holders = np.flip(discounted(np.flip(holds.astype(g.dtype), -1), np.flip(stays, -1)), -1)  # so far
    shares = np.where(holds, discounted(g / holders, stays), 0)
    return np.swapaxes(np.where(np.isnan(top[..., -1:]), np.nan, shares), axis, -1)


def running_logaddexp_vjp(g: Any, array: Any, out: Any, axis: int) -> Any:
    g, rows, total = (np.swapaxes(value, axis, -1) for value in (g, array, out))
    nothing = total == -math.inf
    steps = np.where(nothing[..., :-1], -math.inf, total[..., :-1] - total[..., 1:])
    shares = np.exp(rows - np.where(nothing, 0, total))
    return np.swapaxes(shares * discounted(g, np.exp(steps)), axis, -1)


general(running_maximum, record_vjp)
general(running_minimum, record_vjp)
general(running_logaddexp, running_logaddexp_vjp)


composite((np.maximum, "accumulate"))(running_maximum)
composite((np.minimum, "accumulate"))(running_minimum)
composite((np.logaddexp, "accumulate"))(running_logaddexp)


# Scans with the names of the array API


def scanned_along(x: Any, axis: int | None, function: str) -> int:
    """Return the axis along which `numpy.cumulative_sum` and `numpy.cumulative_prod` run."""
    if axis is None and np.ndim(x) > 1:
        raise ShapeError(
            f"{function}() of an array of shape {np.shape(x)} needs the axis along which to run; "
            f"give it axis=, or use np.{function.replace('ulative_', '')} to run over all elements"
        )
    return axis or 0


def led_by(neutral: int, scanned: Any, axis: int) -> Any:
    """Return a scan with its neutral element in front."""
    lengths = list(scanned.shape)
    lengths[axis] = 1
    return np.concatenate([np.full(lengths, neutral, scanned.dtype), scanned], axis)


@composite(*of_this_release("cumulative_sum"))  # since NumPy 2.1
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    axis = scanned_along(x, axis, "cumulative_sum")
    scanned = np.cumsum(x, axis, dtype, out)
    return led_by(0, scanned, axis) if include_initial else scanned


@composite(*of_this_release("cumulative_prod"))  # since NumPy 2.1
def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    axis = scanned_along(x, axis, "cumulative_prod")
    scanned = np.cumprod(x, axis, dtype, out)
    return led_by(1, scanned, axis) if include_initial else scanned


# Differences, and what is made of them


def parts(a: Any, axis: int) -> tuple[Any, Any]:
    """Return an array without its last, and without its first element along an axis."""
    lead = (slice(None),) * axis
    return a[(*lead, slice(None, -1))], a[(*lead, slice(1, None))]


def one_wide(value: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Return what is joined to an array of this shape: a scalar is repeated to a slice of length 1 along the axis."""
    value = arrayed(value)
    return value if value.ndim else np.broadcast_to(value, (*shape[:axis], 1, *shape[axis + 1 :]))


@composite(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if n < 0:
        raise ShapeError(f"diff() takes differences of order n >= 0, not {n}; np.cumsum undoes one")
    if n == 0:
        return a
    a = arrayed(a)
    if not a.ndim:
        raise ShapeError("diff() of a 0-d value has nothing to take differences of; give it an axis, as in t[None]")
    axis = normalize_axis_index(axis, a.ndim)
    ends = [None if end is None else one_wide(end, a.shape, axis) for end in (prepend, append)]
    joined = [part for part in (ends[0], a, ends[1]) if part is not None]
    a = joined[0] if len(joined) == 1 else np.concatenate(joined, axis)
    for _ in range(n):
        left, right = parts(a, axis)
        a = right != left if a.dtype == bool else right - left
    return a


@composite(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    left, right = parts(np.ravel(ary), 0)
    differences = right - left  # not np.diff, which takes booleans
    ends = [None if end is None else np.ravel(end) for end in (to_begin, to_end)]
    joined = [part for part in (ends[0], differences, ends[1]) if part is not None]
    return differences if len(joined) == 1 else np.concatenate(joined).astype(arrayed(ary).dtype)


@composite(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = arrayed(y)
    place = normalize_axis_index(axis, y.ndim)
    if x is None:
        widths = dx
    else:
        x = arrayed(x)
        widths = np.diff(x, axis=axis) if x.ndim > 1 else np.reshape(np.diff(x), (-1, *(1,) * (y.ndim - 1 - place)))
    left, right = parts(y, place)
    return np.sum(widths * (left + right) / 2.0, axis)


@composite(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = floating(f)
    axes = range(f.ndim) if axis is None else normalize_axis_tuple(axis, f.ndim)
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise TypeError(
            f"gradient() along {len(axes)} axes takes one spacing for all of them or {len(axes)}, not {len(spacings)}"
        )
    if edge_order not in (1, 2):
        raise ShapeError(f"gradient() takes edge_order 1 or 2, not {edge_order}")
    slopes = tuple(slope(f, one, spacing, edge_order).astype(f.dtype) for one, spacing in zip(axes, spacings))
    return slopes[0] if len(axes) == 1 else slopes


def slope(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """
    Return the derivative along an axis: the slopes to both neighbours, weighted by the distance to the other one.

    At an edge it is the slope to the only neighbour, or that of the parabola through two of them.
    """
    f = np.swapaxes(f, axis, -1)
    length = f.shape[-1]
    if length < edge_order + 1:
        raise ShapeError(
            f"gradient() with edge_order={edge_order} needs at least {edge_order + 1} elements along axis {axis}, "
            f"and the shape has {length}"
        )
    h = np.broadcast_to(distances(spacing, length, axis), (length - 1,))
    left, right = parts(f, f.ndim - 1)
    s = (right - left) / h  # not np.diff, which takes booleans
    inner = (h[1:] * s[..., :-1] + h[:-1] * s[..., 1:]) / (h[1:] + h[:-1])
    first, last = s[..., :1], s[..., -1:]
    if edge_order == 2:
        first = first + (first - s[..., 1:2]) * (h[:1] / (h[:1] + h[1:2]))
        last = last + (last - s[..., -2:-1]) * (h[-1:] / (h[-1:] + h[-2:-1]))
    return np.swapaxes(np.concatenate([first, inner, last], -1), axis, -1)


def distances(spacing: Any, length: int, axis: int) -> Any:
    """Return the distances between neighbours: one for all, or the differences of the given coordinates."""
    if np.ndim(spacing) == 0:
        return spacing
    if np.shape(spacing) != (length,):
        raise ShapeError(
            f"gradient() takes as spacing along axis {axis} a scalar or {length} coordinates, "
            f"not an array of shape {np.shape(spacing)}"
        )
    return np.diff(floating(spacing))
