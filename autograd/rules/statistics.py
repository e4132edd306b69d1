"""Statistics: spread, order, weights, correlation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd.dispatch import dispatched
from autograd.errors import NotDifferentiableError, ShapeError
from autograd.rules.reductions import count, folded, not_nan, reduced_axes, restored, unfolded
from autograd.rules.scans import arrayed
from autograd.table import absent, composite, elementwise, flat, general, require

# Spread


@composite(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    a = arrayed(a)
    center = np.mean(a, axis, dtype, keepdims=True, where=where) if mean is None else mean
    deviation = a - center
    if where is not True:
        deviation = np.where(where, deviation, 0)
    squares = np.sum(np.square(deviation), axis, dtype, absent("var", out), keepdims)
    freedom = count(a.shape, axis, keepdims, where) - (ddof if correction is None else correction)
    return squares / (float(max(freedom, 0)) if where is True else np.maximum(freedom, 0).astype(squares.dtype))


@dispatched
def root(x: Any) -> Any:
    """Return the square root. Its derivative at 0 is taken to be 0: so is that of the deviation of equal elements."""
    return np.sqrt(x)


elementwise(root, lambda out: np.where(out == 0, 0, 0.5 / np.where(out == 0, 1, out)), scalar=math.sqrt, singular=True)


@composite(np.std)
def std(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *args: Any, **kwargs: Any) -> Any:
    return root(np.var(a, axis, dtype, absent("std", out), *args, **kwargs))


@dispatched
def spared(numbers: Any, ddof: float) -> Any:
    """Return the degrees of freedom that are taken from numbers of elements: NaN, with a warning, from too few."""
    few = numbers <= ddof
    if np.any(few):
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=2)
    return np.where(few, math.nan, ddof)


flat(spared)


@composite(np.nanvar)
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    a, taken = arrayed(a), ddof if correction is None else correction
    where = not_nan(a, where)
    if a.dtype.kind == "f":  # integers have the infinity of np.var, as in NumPy
        taken = spared(count(a.shape, axis, keepdims, where), taken)
    return np.var(a, axis, dtype, absent("nanvar", out), taken, keepdims, where=where, mean=mean)


@composite(np.nanstd)
def nanstd(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *args: Any, **kwargs: Any) -> Any:
    return root(np.nanvar(a, axis, dtype, absent("nanstd", out), *args, **kwargs))


# Order: a quantile is a weighted mean of two neighbours in sorted order. Elements that are equal share a weight evenly


@dispatched
def quantile_weights(a: Any, q: Any, axis: Any, method: Any) -> Any:
    """
    Return the weight of each element of an array in each of its quantiles.

    Parameters
    ----------
    a : array
        NaN are passed over.
    q : array
        Probabilities.
    axis : int, tuple of int or None
        The axes that a quantile is taken along.
    method : str
        One of those of `numpy.quantile`.

    Returns
    -------
    array
        Of the shape of `q` followed by that of `a`.
    """
    axes = reduced_axes(axis, a.ndim)
    rows = folded(a, axes)
    ordered, numbers = np.sort(rows, -1), np.sum(~np.isnan(rows), -1)
    q = np.asarray(q, float)
    place = np.zeros((q.size, *numbers.shape))  # in sorted order; between two elements, a share of each
    for n in np.unique(numbers[numbers > 0]):
        place[:, numbers == n] = np.quantile(np.arange(float(n)), q.ravel(), method=method)[:, np.newaxis]
    lower = np.floor(place).astype(int)
    upper = np.ceil(place).astype(int)
    share = place - lower
    weights = np.zeros((q.size, *rows.shape), np.promote_types(a.dtype, np.float32))
    for position, weight in ((lower, 1 - share), (upper, share)) if rows.shape[-1] else ():
        tied = rows == np.take_along_axis(ordered[np.newaxis], position[..., np.newaxis], -1)
        ties = np.maximum(np.sum(tied, -1), 1)
        weights += tied * (weight / ties)[..., np.newaxis].astype(weights.dtype)
    return unfolded(weights, axes, a.shape).reshape((*q.shape, *a.shape))


flat(quantile_weights)


def quantile_vjp(g: Any, a: Any, out: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    weights = quantile_weights(a, q, axis, method)
    g = np.where(np.isnan(out), math.nan, g)
    g = restored(g, weights.shape, reduced_axes(axis, a.ndim), keepdims)
    return np.sum(g * weights, tuple(range(np.ndim(q))))


def percentile_vjp(g: Any, a: Any, out: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    return quantile_vjp(g, a, out, np.true_divide(q, 100), axis, method, keepdims)


def median_vjp(g: Any, a: Any, out: Any, axis: Any, keepdims: bool) -> Any:
    return quantile_vjp(g, a, out, 0.5, axis, "linear", keepdims)


def quantile_row(function: Callable[..., Any], vjp: Callable[..., Any]) -> None:
    """Add the row of a function with the arguments of `numpy.quantile`."""

    def forward(
        a: Any,
        q: Any,
        axis: Any = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
        weights: Any = None,
    ) -> Any:
        absent(function.__name__, out)
        if weights is not None:
            raise NotDifferentiableError(
                f"{function.__name__}() of a Tensor takes no weights=; "
                "take the quantile of np.repeat(t, counts) for weights that are counts"
            )
        return function(a, q, axis, method=method, keepdims=keepdims)

    general(function, vjp, forward=forward)


def median_row(function: Callable[..., Any]) -> None:
    """Add the row of a function with the arguments of `numpy.median`."""

    def forward(
        a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False
    ) -> Any:
        absent(function.__name__, out)
        return function(a, axis, keepdims=keepdims)

    general(function, median_vjp, forward=forward)


quantile_row(np.quantile, quantile_vjp)
quantile_row(np.nanquantile, quantile_vjp)
quantile_row(np.percentile, percentile_vjp)
quantile_row(np.nanpercentile, percentile_vjp)
median_row(np.median)
median_row(np.nanmedian)


# Weights


@composite(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    a = arrayed(a)
    axis = axis if axis is None or isinstance(axis, int) else normalize_axis_tuple(axis, a.ndim)
    if weights is None:
        mean = np.mean(a, axis, keepdims=keepdims)
        return (mean, np.full_like(mean, a.size / max(mean.size, 1))) if returned else mean
    weights = aligned(arrayed(weights), a.shape, axis)
    dtype = np.result_type(a.dtype, weights.dtype, *[float] * (a.dtype.kind in "iub"))
    whole = np.sum(weights, axis, dtype, keepdims=keepdims)
    error = ZeroDivisionError("average() with weights that sum to zero, so that they cannot be normalized")
    require(whole != 0, error)
    mean = np.sum(a * weights, axis, dtype, keepdims=keepdims) / whole
    return (mean, np.broadcast_to(whole, mean.shape)) if returned else mean


def aligned(weights: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """Return weights, given for all elements or along the axes of an average, so that they broadcast to its array."""
    if weights.shape == shape:
        return weights
    if axis is None:
        raise TypeError(
            f"average() of an array of shape {shape} with weights of shape {weights.shape} needs to know "
            "what they weigh; give it axis=, or weights of the array's shape"
        )
    axes = normalize_axis_tuple(axis, len(shape))
    if weights.shape != tuple(shape[one] for one in axes):
        raise ShapeError(
            f"average() of an array of shape {shape} over axis {axis} takes weights of shape {shape} "
            f"or {tuple(shape[one] for one in axes)}, not {weights.shape}"
        )
    lengths = [length if one in axes else 1 for one, length in enumerate(shape)]
    return np.reshape(np.transpose(weights, [int(one) for one in np.argsort(axes)]), lengths)


# Correlation


@composite(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    samples = variables("m", m, rowvar or np.ndim(m) == 1, dtype)
    if y is not None:
        other = variables("y", y, rowvar or np.ndim(y) == 1 or np.shape(y)[0] == 1, dtype)
        samples = np.concatenate([samples, other], 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = aweights if fweights is None else fweights if aweights is None else np.multiply(fweights, aweights)
    if weights is None:
        deviation = weighted = samples - np.mean(samples, 1, keepdims=True)
        freedom = samples.shape[1] - ddof
    else:
        deviation = samples - np.average(samples, 1, weights, keepdims=True)
        weighted = deviation * weights
        whole = np.sum(weights)
        freedom = whole - ddof * (1 if aweights is None else np.sum(np.multiply(weights, aweights)) / whole)
    return np.squeeze(np.matmul(deviation, weighted.T) / np.maximum(freedom, 0).astype(samples.dtype))


def variables(name: str, values: Any, in_rows: bool, dtype: Any) -> Any:
    """Return the samples of each variable as a row."""
    if np.ndim(values) > 2:
        raise ShapeError(f"cov() takes {name} with at most 2 axes, not of shape {np.shape(values)}")
    rows = np.atleast_2d(arrayed(values)).astype(np.float64 if dtype is None else dtype)
    return rows if in_rows else rows.T


@composite(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    deviation = np.sqrt(np.diagonal(c))
    return np.clip(c / deviation[:, np.newaxis] / deviation, -1, 1)
