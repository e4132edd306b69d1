"""Functions of neural networks that NumPy lacks: one row where it is stabler or faster than a composition.

They take numbers, lists and arrays as NumPy's functions do, and tensors. None of them overflows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.dispatch import dispatched
from autograd.errors import ShapeError
from autograd.table import composite, elementwise, general

Array = Any
Axis = int | tuple[int, ...] | None


def floating(x: Array) -> Array:
    """An array of a floating dtype: integers and booleans become float64."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


# Sigmoid and its kin


@dispatched
def sigmoid(x: Array) -> Array:
    """Logistic function 1 / (1 + exp(-x)), elementwise; between 0 and 1.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import sigmoid
    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-floating(x)))


def sigmoid_of_float(x: float) -> float:
    """The sigmoid of a Python float; the exponential that it takes is at most 1."""
    if x < 0:
        e = math.exp(x)
        return e / (1 + e)
    return 1 / (1 + math.exp(-x))


@dispatched
def logsigmoid(x: Array) -> Array:
    """Logarithm of the sigmoid, -log(1 + exp(-x)), elementwise.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import logsigmoid
    >>> logsigmoid([-1000.0, 1000.0])
    array([-1000.,    -0.])
    """
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        return -np.logaddexp(np.negative(x), 0)


@dispatched
def softplus(x: Array) -> Array:
    """Smooth form of `relu`, log(1 + exp(x)), elementwise.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import softplus
    >>> softplus([-1000.0, 0.0, 1000.0])
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        return np.logaddexp(x, 0)


@dispatched
def silu(x: Array) -> Array:
    """Sigmoid linear unit x sigmoid(x), also called swish, elementwise.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import silu
    >>> silu([-1000.0, 0.0, 1000.0])
    array([  -0.,    0., 1000.])
    """
    return np.multiply(x, sigmoid(x))


def silu_slope(x: Array, out: Array) -> Array:
    """s + x s (1 - s) with s = sigmoid(x)."""
    s = sigmoid(x)
    return s + out * (1 - s)


elementwise(
    sigmoid,
    lambda out: out * (1 - out),
    scalar=sigmoid_of_float,
    product=lambda g, out: (part := g * out) - part * out,
)
elementwise(logsigmoid, lambda x: sigmoid(-x))
elementwise(softplus, lambda x: sigmoid(x), scalar=lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))
elementwise(silu, silu_slope, scalar=lambda x: x * sigmoid_of_float(x))

# Rectifiers


@dispatched
def relu(x: Array) -> Array:
    """Rectified linear unit max(x, 0), elementwise. Its derivative at 0 is 0.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import relu
    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    return np.maximum(x, 0)


@dispatched
def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """Rectifier that lets a part of negative values pass, elementwise. Its derivative at 0 is `negative_slope`.

    Parameters
    ----------
    x : array_like
        Any shape.
    negative_slope : float
        Factor of negative values.

    Examples
    --------
    >>> from autograd import leaky_relu
    >>> leaky_relu([-1.0, 2.0])
    array([-0.01,  2.  ])
    """
    return np.maximum(x, 0) + negative_slope * np.minimum(x, 0)


@dispatched
def elu(x: Array, alpha: float = 1.0) -> Array:
    """Exponential linear unit, elementwise: x where it is positive, alpha (exp(x) - 1) elsewhere.

    Parameters
    ----------
    x : array_like
        Any shape.
    alpha : float
        Minus the limit for negative values.

    Examples
    --------
    >>> from autograd import elu
    >>> elu([-1000.0, 2.0])
    array([-1.,  2.])
    """
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


@dispatched
def selu(x: Array) -> Array:
    """Scaled `elu`, which keeps mean 0 and variance 1 from layer to layer, elementwise.

    The constants are those of Klambauer et al., Self-Normalizing Neural Networks, 2017.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import selu
    >>> selu([-1000.0, 2.0])
    array([-1.75809934,  2.10140197])
    """
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


# NaN passes, and so does its upstream
elementwise(relu, lambda out: out != 0, scalar=lambda x: 0.0 if x <= 0 else x)
elementwise(leaky_relu, lambda x, negative_slope: np.where(x > 0, 1, negative_slope).astype(x.dtype))
elementwise(elu, lambda x, alpha: np.where(x > 0, 1, alpha * np.exp(np.where(x > 0, 0, x))))
composite(selu)(selu.forward)  # type: ignore[attr-defined]

# The error function


def each(function: Callable[[float], float], x: Array) -> Array:
    """A function of Python floats applied to each element."""
    x = floating(x)
    return np.fromiter(map(function, x.ravel().tolist()), x.dtype, x.size).reshape(x.shape)[()]


@dispatched
def erf(x: Array) -> Array:
    """Error function 2/√π ∫₀ˣ exp(-t²) dt, elementwise.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import erf
    >>> erf([0.0, 1.0])
    array([0.        , 0.84270079])
    """
    return each(math.erf, x)


@dispatched
def erfc(x: Array) -> Array:
    """Complementary error function 1 - erf(x), accurate also where that is small, elementwise.

    Parameters
    ----------
    x : array_like
        Any shape.

    Examples
    --------
    >>> from autograd import erfc
    >>> erfc([0.0, 10.0])
    array([1.00000000e+00, 2.08848758e-45])
    """
    return each(math.erfc, x)


@dispatched
def gelu(x: Array, approximate: str = "none") -> Array:
    """Gaussian error linear unit x Φ(x), elementwise; Φ is the normal distribution function.

    Parameters
    ----------
    x : array_like
        Any shape.
    approximate : {"none", "tanh"}
        ``"tanh"`` stands for x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, of Hendrycks and Gimpel, 2016.

    Raises
    ------
    ShapeError
        If `approximate` is something else.

    Examples
    --------
    >>> from autograd import gelu
    >>> gelu([-1.0, 1.0])
    array([-0.15865525,  0.84134475])
    """
    if approximate not in ("none", "tanh"):
        raise ShapeError(f'gelu(approximate={approximate!r}): the argument must be "none" or "tanh"')
    x = floating(x)
    return x * (normal(x) if approximate == "none" else sigmoid(2 * bent(bounded(x))))


def normal(x: Array) -> Array:
    """The normal distribution function."""
    return 0.5 * erfc(x * -math.sqrt(0.5))


def bounded(x: Array) -> Array:
    """x, up to where the sigmoid of 2 u(x) is 0 or 1 in any dtype, so that u(x) overflows in none."""
    return np.clip(x, -25, 25)


def bent(x: Array) -> Array:
    """u(x) with (1 + tanh(u)) / 2 = sigmoid(2 u) ≈ Φ(x)."""
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)


def gelu_slope(x: Array, approximate: str) -> Array:
    """Φ(x) + x Φ'(x)."""
    if approximate == "none":
        return normal(x) + x * (np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))
    x = bounded(x)
    s = sigmoid(2 * bent(x))
    return s + x * s * (1 - s) * (2 * math.sqrt(2 / math.pi)) * (1 + 3 * 0.044715 * x * x)


elementwise(erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x), scalar=math.erf)
elementwise(erfc, lambda x: -2 / math.sqrt(math.pi) * np.exp(-x * x), scalar=math.erfc)
elementwise(gelu, gelu_slope)

# Softmax and its kin: along one axis, several, or all


@dispatched
def softmax(x: Array, axis: Axis = -1) -> Array:
    """Exponentials divided by their sum along an axis.

    Parameters
    ----------
    x : array_like
        Any shape.
    axis : int, tuple of int or None
        Along which the results sum to 1; None for all axes.

    Returns
    -------
    array
        Between 0 and 1, of the shape of `x`.

    Examples
    --------
    >>> from autograd import softmax
    >>> softmax([[0.0, 0.0], [1000.0, -1000.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    e = np.exp(shifted(x, axis))
    e /= e.sum(axis=axis, keepdims=True)
    return e


@dispatched
def log_softmax(x: Array, axis: Axis = -1) -> Array:
    """Logarithm of `softmax`, x - logsumexp(x).

    Parameters
    ----------
    x : array_like
        Any shape.
    axis : int, tuple of int or None
        Along which the exponentials of the results sum to 1; None for all axes.

    Returns
    -------
    array
        At most 0, of the shape of `x`.

    Examples
    --------
    >>> from autograd import log_softmax
    >>> log_softmax([1000.0, -1000.0])
    array([    0., -2000.])
    """
    out = shifted(x, axis)
    with np.errstate(divide="ignore"):  # there may be nothing to sum
        out -= np.log(np.exp(out).sum(axis=axis, keepdims=True))
    return out


def shifted(x: Array, axis: Axis) -> Array:
    """A copy of x whose maximum along the axis is 0."""
    x = floating(x)
    return x - x.max(axis=axis, keepdims=True, initial=-math.inf)


@dispatched
def logsumexp(a: Array, axis: Axis = None, keepdims: bool = False, b: Array = None) -> Array:
    """Logarithm of the sum of exponentials along an axis, log(sum(b exp(a))).

    Parameters
    ----------
    a : array_like
        Any shape.
    axis : int, tuple of int or None
        Along which to sum; None for all axes.
    keepdims : bool
        Keep the axes that are summed, with length 1.
    b : array_like, optional
        Weights of the exponentials; they broadcast with `a`.

    Returns
    -------
    array
        Of the shape of a sum along `axis`; -inf where all of `a` is -inf, and where there is nothing to sum.

    Examples
    --------
    >>> from autograd import logsumexp
    >>> logsumexp([1000.0, 1000.0])
    np.float64(1000.6931471805599)
    """
    a = floating(a)
    if b is not None:
        a = np.where(np.equal(b, 0), -math.inf, a)
    top = a.max(axis=axis, keepdims=True, initial=-math.inf)
    top = np.where(np.isfinite(top), top, 0)
    e = np.exp(a - top)
    total = (e if b is None else e * b).sum(axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):
        out = np.log(total) + top
    return out if keepdims else np.squeeze(out, axis)[()]


def softmax_along(g: Array, out: Array, axis: Axis) -> Array:
    """The derivative of softmax along g, and its own transpose."""
    weighted = g * out
    return weighted - out * weighted.sum(axis=axis, keepdims=True)


def shares(a: Array, out: Array, axis: Axis, keepdims: bool) -> Array:
    """exp(a - logsumexp(a)), and 0 where all of a is -inf."""
    out = expanded(out, axis, keepdims)
    return np.exp(a - np.where(out == -math.inf, 0, out))


def expanded(out: Array, axis: Axis, keepdims: bool) -> Array:
    """A reduction with its summed axes as axes of length 1."""
    return out if keepdims or axis is None else np.expand_dims(out, axis)


def weight(value: Array, b: Array) -> Array:
    """The value times the weights, if there are any."""
    return value if b is None else value * b


general(softmax, softmax_along, jvps=(softmax_along,))
general(
    log_softmax,
    lambda g, out, axis: g - np.exp(out) * g.sum(axis=axis, keepdims=True),
    jvps=(lambda t, out, axis: t - (np.exp(out) * t).sum(axis=axis, keepdims=True),),
)
general(
    logsumexp,
    lambda g, a, out, axis, keepdims, b: expanded(g, axis, keepdims) * weight(shares(a, out, axis, keepdims), b),
    b=lambda g, a, out, axis, keepdims: expanded(g, axis, keepdims) * shares(a, out, axis, keepdims),
    jvps=(
        lambda t, a, out, axis, keepdims, b: (t * weight(shares(a, out, axis, keepdims), b)).sum(
            axis=axis, keepdims=keepdims
        ),
        None,
        None,
        lambda t, a, out, axis, keepdims: (t * shares(a, out, axis, keepdims)).sum(axis=axis, keepdims=keepdims),
    ),
)
