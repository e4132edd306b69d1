"""Shape and order of the elements of one array: every row is linear, and its adjoint puts the elements back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from autograd.dispatch import dispatched
from autograd.rules.indexing import as_array, put
from autograd.table import composite, elementwise, linear, same_as

# The same elements in another shape


@dispatched
def reshaped(a: Any, shape: Any, order: str) -> Any:
    """`numpy.reshape` in an order that does not depend on how memory holds the array."""
    return a.reshape(shape, order=order)


linear(reshaped, lambda g, shape, order: reshaped(g, shape, order), name="reshape")


@composite(np.reshape)
def _reshape(a: Any, /, shape: Any = None, order: Any = "C", *, newshape: Any = None, copy: bool | None = None) -> Any:
    if order in ("A", "a"):
        order = "F" if a.flags.fnc else "C"
    out = reshaped(a, newshape if shape is None else shape, order)
    return np.copy(out) if copy else out


@composite(np.ravel)
def _ravel(a: Any, order: Any = "C") -> Any:
    if order in ("K", "k"):  # as memory holds the elements: the axis of the longest steps first
        a, order = np.transpose(a, sorted(range(a.ndim), key=lambda axis: -abs(a.strides[axis]))), "C"
    return np.reshape(a, -1, order=order)


@dispatched
def flatten(a: Any, order: Any = "C") -> Any:
    """`numpy.ndarray.flatten`: a copy in one dimension."""
    return a.flatten(order)


composite(flatten)(lambda a, order="C": np.copy(np.ravel(a, order)))
linear(np.squeeze, lambda g, shape: np.reshape(g, shape), forward=lambda a, axis=None: a.squeeze(axis))
linear(np.expand_dims, lambda g, shape: np.reshape(g, shape))


def at_least(function: Callable[..., Any]) -> None:
    """Add a composite for `function`, one of the three ``atleast_Nd``."""

    @composite(function)
    def atleast(*arys: Any) -> Any:
        arys = tuple(map(as_array, arys))
        shapes = [function(np.broadcast_to(0, np.shape(a))).shape for a in arys]
        out = tuple(a if np.shape(a) == shape != () else np.reshape(a, shape) for a, shape in zip(arys, shapes))
        return out[0] if len(out) == 1 else out


at_least(np.atleast_1d)
at_least(np.atleast_2d)
at_least(np.atleast_3d)

# The axes in another order


def untranspose(g: Any, axes: Any) -> Any:
    """The adjoint of `numpy.transpose`."""
    return np.transpose(g, axes if axes is None else np.argsort([axis % g.ndim for axis in np.atleast_1d(axes)]))


linear(np.transpose, untranspose, forward=lambda a, axes=None: a.transpose(axes))
linear(np.swapaxes, lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2))
linear(np.matrix_transpose, lambda g: np.matrix_transpose(g))
linear(np.moveaxis, lambda g, source, destination: np.moveaxis(g, destination, source))
same_as(np.matrix_transpose, np.linalg.matrix_transpose)


def rolled_axes(ndim: int, axis: int, start: int) -> Sequence[int]:
    """Which axis of the argument of `numpy.rollaxis` each axis of its result is."""
    return np.rollaxis(np.empty(range(ndim)), axis, start).shape


linear(np.rollaxis, lambda g, axis, start: untranspose(g, rolled_axes(g.ndim, axis, start)))

# The elements in another order

linear(np.flip, lambda g, axis: np.flip(g, axis))
linear(np.fliplr, lambda g: np.fliplr(g))
linear(np.flipud, lambda g: np.flipud(g))
linear(np.rot90, lambda g, k, axes: np.rot90(g, -int(k), axes))
linear(np.roll, lambda g, shift, axis: np.roll(g, np.negative(np.asarray(shift, np.intp)), axis))

# The elements several times: the walk or a sum adds up what belongs to one

linear(np.broadcast_to, lambda g: g, forward=lambda array, shape, subok=False: np.broadcast_to(array, shape))


def broadcast_together(*args: Any) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(a, shape) for a in args)


linear(
    np.broadcast_arrays,
    args=lambda g: g,
    forward=broadcast_together,
    bind=lambda *args, subok=False: args,
    name="broadcast_arrays",
    joint=True,
    many=True,
)


def untile(g: Any, shape: tuple[int, ...], reps: Any) -> Any:
    """The adjoint of `numpy.tile`: the sum of the tiles."""
    counts = np.atleast_1d(reps).tolist()
    ndim = max(len(counts), len(shape))
    counts, lengths = [1] * (ndim - len(counts)) + counts, [1] * (ndim - len(shape)) + list(shape)
    return np.sum(np.reshape(g, tuple(chain(*zip(counts, lengths)))), axis=tuple(range(0, 2 * ndim, 2)))


def unrepeat(g: Any, shape: tuple[int, ...], repeats: Any, axis: int | None) -> Any:
    """The adjoint of `numpy.repeat`: the sum over the repeats of each element."""
    if axis is None or not shape:
        return np.reshape(unrepeat(g, (math.prod(shape),), repeats, 0), shape)
    if np.size(repeats) != 1:
        return put(g, shape, np.repeat(np.arange(shape[axis]), repeats), axis)
    after = axis % len(shape) + 1
    return np.sum(np.reshape(g, (*shape[:after], np.ravel(repeats).item(), *shape[after:])), axis=after)


def unresize(g: Any, shape: tuple[int, ...]) -> Any:
    """The adjoint of `numpy.resize`, which fills a shape with the elements, again and again."""
    size = math.prod(shape)
    if size == 0:
        return np.zeros(shape)
    rounds = np.concatenate([np.ravel(g), np.zeros(-g.size % size, g.dtype)])
    return np.reshape(np.sum(np.reshape(rounds, (-1, size)), axis=0), shape)


linear(np.tile, untile)
linear(np.repeat, unrepeat)
linear(np.resize, unresize)

# The same elements in other memory, or of another type


@dispatched
def astype(
    x: Any,
    dtype: Any,
    order: Any = "K",
    casting: Any = "unsafe",
    subok: bool = True,
    copy: bool = True,
    device: Any = None,
) -> Any:
    """`numpy.ndarray.astype`, and `numpy.astype`."""
    return x.astype(dtype, order, casting, subok, copy)


elementwise(astype, 1)
same_as(astype, *(getattr(np, name) for name in ("astype",) if hasattr(np, name)))  # since NumPy 2.1
elementwise(np.copy, 1, forward=lambda a, order="K", subok=False: a.copy(order))
elementwise(np.ascontiguousarray, 1, forward=lambda a, dtype=None: np.ascontiguousarray(a, dtype))
elementwise(np.asfortranarray, 1, forward=lambda a, dtype=None: np.asfortranarray(a, dtype))
