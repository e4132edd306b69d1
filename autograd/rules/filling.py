"""Arrays filled from few values, framed, cut to a triangle or a diagonal, or seen through windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from autograd.dispatch import dispatched
from autograd.errors import NotDifferentiableError, ShapeError
from autograd.rules.indexing import index, index_set, scatter
from autograd.table import composite, linear, require

# Diagonals and triangles


def undiagonal(g: Any, shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    """The adjoint of `numpy.diagonal`: zeros beside the diagonal."""
    moved = np.moveaxis(np.broadcast_to(0, shape), (axis1, axis2), (-2, -1)).shape
    on_diagonal = np.eye(moved[-2], moved[-1], offset, dtype=bool)
    return np.moveaxis(scatter(g, (Ellipsis, on_diagonal), moved), (-2, -1), (axis1, axis2))


linear(np.diagonal, undiagonal)
linear(
    np.diag,
    lambda g, shape, k: (
        np.diag(g, k) if len(shape) == 1 else scatter(g, np.eye(shape[0], shape[1], k, dtype=bool), shape)
    ),
)
composite(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1))
composite(np.diagflat)(lambda v, k=0: np.diag(np.ravel(v), k))
linear(np.tril, lambda g, k: np.tril(g, k))
linear(np.triu, lambda g, k: np.triu(g, k))

# From few values


@composite(np.full)
def _full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None) -> Any:
    return index_set(np.zeros_like(fill_value, dtype=dtype, shape=shape), Ellipsis, fill_value)


@composite(np.full_like)
def _full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    return index_set(np.zeros_like(a, dtype=dtype, shape=shape), Ellipsis, fill_value)


@composite(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ShapeError(f"meshgrid(): indexing must be 'xy' or 'ij', not {indexing!r}")
    axes = list(range(len(xi)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    grids = tuple(np.reshape(x, [-1 if other == axis else 1 for other in range(len(xi))]) for x, axis in zip(xi, axes))
    return grids if sparse else np.broadcast_arrays(*grids)


@dispatched
def line(start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int) -> Any:
    """`numpy.linspace` without the step."""
    return np.linspace(start, stop, num, endpoint, dtype=dtype, axis=axis)


def _weighted(g: Any, axis: int, weights: Any) -> Any:
    return np.sum(np.moveaxis(g, axis, -1) * weights, axis=-1)


linear(
    line,
    lambda g, num, endpoint, axis: _weighted(g, axis, 1 - np.linspace(0, 1, num, endpoint)),
    lambda g, num, endpoint, axis: _weighted(g, axis, np.linspace(0, 1, num, endpoint)),
    name="linspace",
)


@composite(np.linspace)
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    values = line(start, stop, num, endpoint, dtype, axis)
    steps = num - 1 if endpoint else num
    return (values, np.subtract(stop, start) / (steps if steps > 0 else np.nan)) if retstep else values


@composite(np.logspace)
def _logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    if np.ndim(base):
        ndim = max(map(np.ndim, (start, stop, base)))
        start, stop, base = (np.reshape(a, (1,) * (ndim - np.ndim(a)) + np.shape(a)) for a in (start, stop, base))
        base = np.expand_dims(base, axis)
    values = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return values if dtype is None else values.astype(dtype)


@composite(np.geomspace)
def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    error = ShapeError("geomspace(): a geometric sequence cannot include zero; use np.linspace")
    require(start, error)
    require(stop, error)
    start, stop = (np.multiply(end, np.float64(1)) for end in (start, stop))  # float64, as NumPy's
    sign = np.sign(start)
    exponents = np.log10(np.divide(start, sign)), np.log10(np.divide(stop, sign))
    values = np.moveaxis(sign * np.logspace(*exponents, num, endpoint), 0, axis)
    return values if dtype is None else values.astype(dtype)


@composite(np.vander)
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:  # noqa: N803 - NumPy's name
    if x.ndim != 1:
        raise ShapeError(f"vander() of an array of shape {x.shape}: it takes one dimension; use np.ravel")
    powers = np.arange(len(x) if N is None else N)
    return np.power(np.expand_dims(x, 1), powers if increasing else powers[::-1])


# Frames


STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.mean,
    "median": np.median,
    "maximum": np.max,
    "minimum": np.min,
}


@composite(np.pad)
def _pad(
    array: Any,
    pad_width: Any,
    mode: Any = "constant",
    *,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
) -> Any:
    widths = pairs("pad_width", pad_width, array.ndim)
    if np.min(widths, initial=0) < 0:
        raise ShapeError(f"pad(): pad_width must not be negative, got {pad_width!r}")
    if mode in ("constant", "empty"):
        inside = tuple(slice(before, before + length) for length, (before, _) in zip(array.shape, widths))
        shape = tuple(before + length + after for length, (before, after) in zip(array.shape, widths))
        if mode == "empty" or (isinstance(constant_values, int | float) and constant_values == 0):
            return scatter(array, inside, shape)
        if np.ndim(constant_values) == 0:
            return index_set(np.broadcast_to(constant_values, shape).astype(array.dtype), inside, array)
        frame = np.pad(np.zeros(array.shape, array.dtype), widths, constant_values=constant_values)
        return index_set(frame, inside, array)
    if any(not length and max(width) for length, width in zip(array.shape, widths)):
        raise ShapeError(f"pad() of an array of shape {array.shape}: mode={mode!r} needs elements; use mode='constant'")
    if mode in ("edge", "reflect", "symmetric", "wrap") and reflect_type == "even":
        places = np.arange(array.size).reshape(array.shape)
        return index(np.ravel(array), np.pad(places, widths or 0, mode))
    if not (mode in STATISTICS or mode == "linear_ramp"):
        raise NotDifferentiableError(
            f"pad() of a Tensor takes no mode={mode!r} with reflect_type={reflect_type!r}; "
            "compose it of np.flip and np.concatenate, or pad t.detach().numpy()"
        )
    lengths = pairs("stat_length", stat_length, array.ndim)
    ends = pairs("end_values", end_values, array.ndim)
    for axis, width in enumerate(widths):
        if not any(width):
            continue
        if mode == "linear_ramp":
            before, after = ramps(array, axis, ends[axis], width)
        else:
            before, after = statistics(array, axis, STATISTICS[mode], lengths[axis], width)
        array = np.concatenate([before, array, after], axis)
    return array


def pairs(name: str, given: Any, ndim: int) -> Any:
    """(before, after) for each axis, from any of the forms in which `numpy.pad` takes them."""
    value: Any = given
    if isinstance(given, dict):
        value = np.zeros((ndim, 2), int)
        for axis, pair in given.items():
            value[axis] = pair
    try:
        return np.broadcast_to(np.asarray(value), (ndim, 2)).tolist()
    except ValueError as error:
        raise ShapeError(
            f"pad() of an array of {ndim} dimensions: {name} must be a number, (before, after), "
            f"or such a pair for each axis, not {given!r}"
        ) from error


def statistics(array: Any, axis: int, statistic: Any, lengths: Any, widths: Any) -> list[Any]:
    """What frames an axis with a statistic of the elements next to either edge."""
    n = array.shape[axis]
    first, last = (n if length is None else min(length, n) for length in lengths)
    parts = [index(array, at(axis, slice(0, first))), index(array, at(axis, slice(n - last, n)))]
    return [np.repeat(statistic(part, axis=axis, keepdims=True), width, axis) for part, width in zip(parts, widths)]


def ramps(array: Any, axis: int, ends: Any, widths: Any) -> list[Any]:
    """What frames an axis with ramps from the ends given to the edges."""
    edges = [index(array, at(axis, 0)), index(array, at(axis, -1))]
    rising = [np.linspace(*ramp, endpoint=False, axis=axis) for ramp in zip(ends, edges, widths)]
    return [rising[0], np.flip(rising[1], axis)]


def at(axis: int, part: Any) -> tuple[Any, ...]:
    """The key of a part along an axis."""
    return (*[slice(None)] * axis, part)


@composite(np.trim_zeros)
def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    trim, key = trim.lower(), [slice(None)] * filt.ndim
    if trim not in ("fb", "bf", "f", "b"):
        raise ShapeError(f"trim_zeros(): trim must be 'f', 'b' or 'fb', not {trim!r}")
    nonzero = np.asarray(np.not_equal(filt, 0))
    for one in range(filt.ndim) if axis is None else normalize_axis_tuple(axis, filt.ndim):
        others = tuple(other for other in range(filt.ndim) if other != one)
        found = np.flatnonzero(nonzero.any(axis=others)).tolist()
        key[one] = (
            slice(found[0] if "f" in trim else None, found[-1] + 1 if "b" in trim else None) if found else slice(0)
        )
    return index(filt, tuple(key))


# Windows


def overlap(g: Any, axis: int) -> Any:
    """The adjoint of windows along an axis: ``out[i + k] = the sum of g[i, …, k]``.

    A row for each k, with as many zeros behind it as the window is long: read again with rows one shorter, row k has
    moved by k, and their sum is left.
    """
    rows = np.moveaxis(g, (-1, axis), (0, 1))
    window, places, *rest = rows.shape
    length = places + window - 1
    padded = np.concatenate([rows, np.zeros((window, window, *rest), g.dtype)], 1)
    moved = index(np.reshape(padded, (window * (length + 1), *rest)), slice(0, window * length))
    return np.moveaxis(np.sum(np.reshape(moved, (window, length, *rest)), axis=0), 0, axis)


def unwindow(g: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """The adjoint of `numpy.lib.stride_tricks.sliding_window_view`, an axis at a time, the last window first."""
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis)
    for one in reversed(axes):
        g = overlap(g, one % len(shape))
    return g


linear(
    sliding_window_view,
    unwindow,
    forward=lambda x, window_shape, axis=None, subok=False, writeable=False: sliding_window_view(x, window_shape, axis),
)
