"""Reductions: the elements along one axis, several, or all of them, made into one.

`restored` gives a reduced value its axes back, with length 1, so that it meets the elements that it came from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd.rules.indexing import scatter
from autograd.table import absent, composite, general, linear, same_as

add: Any = np.add.reduce
multiply: Any = np.multiply.reduce
logaddexp: Any = np.logaddexp.reduce


def restored(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Any:
    """Return a reduced value with the axes that reducing an array of this shape took from it, of length 1."""
    if axis is None or keepdims or not shape:
        return g
    lengths = list(shape)
    for one in axis if isinstance(axis, tuple) else (axis,):
        lengths[one] = 1
    return np.reshape(g, lengths)


def reduced_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that an `axis` argument stands for, counted from the end."""
    if axis is None or not ndim:
        return tuple(range(-ndim, 0))
    return tuple(one - ndim for one in normalize_axis_tuple(axis, ndim))


def folded(a: Any, axes: tuple[int, ...]) -> Any:
    """Return an array with these axes moved to the end and made into one."""
    kept = a.ndim - len(axes)
    moved = np.moveaxis(a, axes, tuple(range(-len(axes), 0)))
    return np.reshape(moved, (*moved.shape[:kept], math.prod(moved.shape[kept:])))


def unfolded(rows: Any, axes: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Undo `folded` for an array of this shape; further axes in front stay there."""
    moved = np.reshape(rows, (*rows.shape[:-1], *(shape[one] for one in axes)))
    return np.moveaxis(moved, tuple(range(-len(axes), 0)), axes)


# Sums and means: every element gets the gradient of the sum that it went into


def spread(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool, where: Any) -> Any:
    """Return the gradient of a sum for each of its terms: a view that takes no memory, unless terms were left out."""
    g = stretched(g, shape) if isinstance(g, np.generic) else np.broadcast_to(restored(g, shape, axis, keepdims), shape)
    return g if where is True else np.where(where, g, 0)


def stretched(number: Any, shape: tuple[int, ...]) -> Any:
    """Return ``np.broadcast_to`` of a NumPy scalar, at a third of the cost: most losses end in a sum."""
    view = np.ndarray(shape, number.dtype, np.asarray(number), strides=(0,) * len(shape))
    view.flags.writeable = False
    return view


def count(shape: tuple[int, ...], axis: Any, keepdims: bool, where: Any) -> Any:
    """Return how many elements each sum has: a number, or an array where `where` chooses among them."""
    if where is True:
        return math.prod(shape[one] for one in reduced_axes(axis, len(shape)))
    return np.sum(np.broadcast_to(where, shape), axis, keepdims=keepdims)


def _sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    return add(a, axis, dtype, absent("sum", out), keepdims, initial, where)


def _mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, where: Any = True
) -> Any:
    return np.mean(a, axis, dtype, absent("mean", out), keepdims, where=where)


def mean_adjoint(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool, where: Any) -> Any:
    terms = count(shape, axis, keepdims, where)
    return spread(g / (terms if where is True else terms.astype(g.dtype)), shape, axis, keepdims, where)


linear(np.sum, spread, initial=lambda g: g, forward=_sum)
linear(np.mean, mean_adjoint, forward=_mean)


# Products: an element's derivative is the product of the others, formed without dividing by a possible 0


def before(rows: Any) -> Any:
    """Return for each element the product of those before it, along the last axis."""
    return np.concatenate([np.ones_like(rows[..., :1]), np.cumprod(rows[..., :-1], -1)], -1)


def product_of_others(a: Any, axis: Any) -> Any:
    """Return for each element the product of the others that it is reduced with."""
    axes = reduced_axes(axis, a.ndim)
    rows = folded(a, axes)
    return unfolded(before(rows) * np.flip(before(np.flip(rows, -1)), -1), axes, a.shape)


def _prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    return multiply(a, axis, dtype, absent("prod", out), keepdims, initial, where)


def prod_vjp(g: Any, a: Any, shape: tuple[int, ...], axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    others = product_of_others(a if where is True else np.where(where, a, 1), axis)
    return spread(g if initial is None else g * initial, shape, axis, keepdims, where) * others


general(np.prod, prod_vjp, forward=_prod)


# Extremes: all that are equal to the extreme share its gradient evenly


def shared(g: Any, a: Any, out: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    top = restored(out, a.shape, axis, keepdims)
    chosen = a == top if where is True else np.logical_and(where, a == top)
    ties = np.sum(chosen, axis, keepdims=True)
    if initial is not None:
        ties = ties + (top == initial)
    # a NaN equals nothing: no element is chosen, and 0 / 0 hands the NaN on
    return chosen * (restored(g, a.shape, axis, keepdims) / ties.astype(g.dtype))


def extreme(function: Callable[..., Any], ufunc: Any) -> None:
    """Add the row of `numpy.max` or `numpy.min`."""

    def forward(
        a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:
        return ufunc.reduce(a, axis, None, absent(function.__name__, out), keepdims, initial, where)

    general(function, shared, forward=forward)


def nan_extreme(function: Callable[..., Any]) -> None:
    """Add the row of `numpy.nanmax` or `numpy.nanmin`."""

    def forward(
        a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:
        absent(function.__name__, out)
        return function(a, axis, keepdims=keepdims, initial=initial, where=where)

    general(function, shared, forward=forward)


extreme(np.max, np.maximum)
extreme(np.min, np.minimum)
nan_extreme(np.nanmax)
nan_extreme(np.nanmin)
same_as(np.max, np.amax)
same_as(np.min, np.amin)


@composite(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis, absent("ptp", out), keepdims) - np.min(a, axis, keepdims=keepdims)


# Reductions that pass NaN over


def without_nan(a: Any, neutral: int) -> Any:
    """Return an array with a neutral number in place of every NaN."""
    return np.where(np.isnan(a), neutral, a)


def not_nan(a: Any, where: Any) -> Any:
    """Return which of the elements that `where` chooses are numbers."""
    return np.logical_and(where, np.logical_not(np.isnan(a)))


@composite(np.nansum)
def nansum(a: Any, *args: Any, **kwargs: Any) -> Any:
    return np.sum(without_nan(a, 0), *args, **kwargs)


@composite(np.nanprod)
def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **options: Any
) -> Any:
    return np.prod(without_nan(a, 1), axis, dtype, out, keepdims, **options)


@composite(np.nanmean)
def nanmean(a: Any, *args: Any, where: Any = True, **kwargs: Any) -> Any:
    return np.mean(a, *args, where=not_nan(a, where), **kwargs)


# The methods of ufuncs


def reducer(ufunc: Any, function: Callable[..., Any]) -> None:
    """Add the row of ``ufunc.reduce``, which is `function` along the first axis unless told otherwise."""

    @composite((ufunc, "reduce"))
    def reduce(array: Any, axis: Any = 0, **options: Any) -> Any:
        return function(array, axis, **options)


def of_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a reduction that takes the dtype to convert the elements to before."""
    return lambda array, axis, dtype=None, **options: function(
        array if dtype is None else array.astype(dtype), axis, **options
    )


reducer(np.add, np.sum)
reducer(np.multiply, np.prod)
reducer(np.maximum, of_dtype(np.max))
reducer(np.minimum, of_dtype(np.min))


def _logaddexp_reduce(
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = -math.inf,
    where: Any = True,
) -> Any:
    return logaddexp(array, axis, dtype, absent("logaddexp.reduce", out), keepdims, initial, where)


def logaddexp_reduce_vjp(g: Any, array: Any, out: Any, shape: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    total = np.where(out == -math.inf, 0, out)  # exp(-inf) is 0 for each element of a sum that is 0
    return spread(g, shape, axis, keepdims, where) * np.exp(array - restored(total, shape, axis, keepdims))


general((np.logaddexp, "reduce"), logaddexp_reduce_vjp, forward=_logaddexp_reduce)


def reduceat_adjoint(g: Any, shape: tuple[int, ...], indices: Any, axis: int) -> Any:
    starts = np.asarray(indices)
    lengths = np.maximum(
        np.append(starts[1:], shape[axis]) - starts, 1
    )  # an empty segment stands for its first element
    segment = np.repeat(np.arange(starts.size), lengths)
    element = np.arange(segment.size) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
    lead = (slice(None),) * (axis % len(shape))
    return scatter(g[(*lead, segment)], (*lead, element), shape)


linear(
    (np.add, "reduceat"),
    reduceat_adjoint,
    forward=lambda array, indices, axis=0, dtype=None: np.add.reduceat(array, indices, axis, dtype),
)


def outer(ufunc: Any) -> None:
    """Add the row of ``ufunc.outer``: the ufunc of every element of one array with every element of the other."""

    @composite((ufunc, "outer"))
    def apply(x: Any, y: Any) -> Any:
        return ufunc(np.reshape(x, (*np.shape(x), *(1,) * np.ndim(y))), y)


for ufunc in (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.logaddexp, np.hypot):
    outer(ufunc)
