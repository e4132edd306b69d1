"""Several arrays into one, and one into several: the adjoint of joining is splitting, and the other way around."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.dispatch import dispatched
from autograd.errors import NotDifferentiableError, ShapeError
from autograd.op import unbroadcast
from autograd.rules.indexing import as_array, index, put
from autograd.table import composite, linear, of_this_release, same_as

# Several into one


def _concatenate(axis: int | None, dtype: Any, casting: Any, *arrays: Any) -> Any:
    return np.concatenate(arrays, axis, dtype=dtype, casting=casting)


def _stack(axis: int, dtype: Any, casting: Any, *arrays: Any) -> Any:
    return np.stack(arrays, axis, dtype=dtype, casting=casting)


def _arguments(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> tuple[Any, ...]:
    if out is not None:
        raise NotDifferentiableError(
            "joining Tensors with out=: writing the result into an array would lose the graph; use the returned tensor"
        )
    return axis, dtype, casting, *map(whole, arrays)


def whole(part: Any) -> Any:
    """A list that may hold tensors as one array or tensor; other things as they are."""
    if isinstance(part, list | tuple) and any(hasattr(one, "dtype") or isinstance(one, list | tuple) for one in part):
        return np.stack(list(map(whole, part)))
    return part


def pieces(g: Any, shapes: list[tuple[int, ...]], axis: int | None) -> Any:
    """The adjoint of `numpy.concatenate`."""
    if axis is None:
        starts = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
        return [np.reshape(piece, shape) for piece, shape in zip(split(g, starts, 0, False), shapes)]
    return split(g, np.cumsum([shape[axis] for shape in shapes])[:-1], axis, False)


linear(np.concatenate, arrays=pieces, forward=_concatenate, bind=_arguments, joint=True)
linear(np.stack, arrays=lambda g, axis: unstack(g, axis), forward=_stack, bind=_arguments, joint=True)


@composite(np.vstack)
def _vstack(tup: Any, **kwargs: Any) -> Any:
    return np.concatenate([np.atleast_2d(whole(a)) for a in tup], axis=0, **kwargs)


@composite(np.hstack)
def _hstack(tup: Any, **kwargs: Any) -> Any:
    arrays = [np.atleast_1d(whole(a)) for a in tup]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1, **kwargs)


@composite(np.dstack)
def _dstack(tup: Any) -> Any:
    return np.concatenate([np.atleast_3d(whole(a)) for a in tup], axis=2)


@composite(np.column_stack)
def _column_stack(tup: Any) -> Any:
    columns = [a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in map(whole, tup)]
    return np.concatenate(columns, axis=1)


@composite(np.block)
def _block(arrays: Any) -> Any:
    depth = depth_of(arrays)
    ndim = max(depth, deepest(arrays))

    def joined(part: Any, depth: int) -> Any:
        if isinstance(part, list):
            return np.concatenate([joined(one, depth - 1) for one in part], axis=-depth)
        return np.reshape(part, (1,) * (ndim - np.ndim(part)) + np.shape(part))

    return joined(arrays, depth)


def depth_of(blocks: Any) -> int:
    """How many lists each block lies in."""
    if not isinstance(blocks, list):
        return 0
    depths = set(map(depth_of, blocks))
    if len(depths) != 1:
        raise ShapeError(
            f"block(): lists that hold blocks at depths {sorted(depths)}; "
            "every block must lie in equally many lists, and no list may be empty"
        )
    return 1 + depths.pop()


def deepest(blocks: Any) -> int:
    """The largest number of dimensions among the blocks."""
    return max(map(deepest, blocks)) if isinstance(blocks, list) else np.ndim(blocks)


@composite(np.append)
def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate([arr, as_array(values)], axis)  # a number counts as an array: of float64, of int64


# One into several


@dispatched
def unstack(x: Any, axis: int = 0) -> Any:
    """`numpy.unstack`: the parts along an axis, without that axis."""
    return tuple(np.moveaxis(x, axis, 0))


linear(unstack, lambda g, axis: np.stack(g, axis), many=True)
same_as(unstack, *of_this_release("unstack"))  # since NumPy 2.1


@dispatched
def split(ary: Any, indices_or_sections: Any, axis: int, equally: bool) -> Any:
    """`numpy.split` or, unless `equally`, `numpy.array_split`, as a tuple."""
    return tuple((np.split if equally else np.array_split)(ary, indices_or_sections, axis))


def unsplit(g: Any, shape: tuple[int, ...], indices_or_sections: Any, axis: int) -> Any:
    """The adjoint of `split`."""
    whole = np.concatenate(g, axis)
    if whole.shape[axis] == shape[axis]:
        return whole
    came_from = np.array_split(np.arange(shape[axis]), indices_or_sections)  # the pieces overlap
    return put(whole, shape, np.concatenate(came_from), axis)


linear(split, unsplit, many=True)


@composite(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return list(split(ary, indices_or_sections, axis, True))


@composite(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return list(split(ary, indices_or_sections, axis, False))


@composite(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> Any:
    return list(split(with_axes(1, "hsplit", ary), indices_or_sections, 1 if ary.ndim > 1 else 0, True))


@composite(np.vsplit)
def _vsplit(ary: Any, indices_or_sections: Any) -> Any:
    return list(split(with_axes(2, "vsplit", ary), indices_or_sections, 0, True))


@composite(np.dsplit)
def _dsplit(ary: Any, indices_or_sections: Any) -> Any:
    return list(split(with_axes(3, "dsplit", ary), indices_or_sections, 2, True))


def with_axes(ndim: int, name: str, ary: Any) -> Any:
    """The array, if it has that many dimensions."""
    if ary.ndim < ndim:
        raise ShapeError(
            f"{name}() of an array of shape {ary.shape}: it needs {ndim} or more dimensions; use np.split with an axis"
        )
    return ary


# Some elements more, some fewer


def insertion(shape: tuple[int, ...], obj: Any, axis: int | None, length: int) -> tuple[Any, Any]:
    """Where `numpy.insert` puts the old elements and the new ones, along an axis that is `length` long afterwards."""
    old = math.prod(shape) if axis is None else shape[axis]
    order = np.insert(np.arange(old), obj, np.arange(old, length))
    return order < old, np.argsort(order)[old:]


def old_part(g: Any, shape: tuple[int, ...], obj: Any, axis: int | None) -> Any:
    """The adjoint of `numpy.insert` with respect to the array."""
    along = 0 if axis is None else axis % len(shape)
    old, _ = insertion(shape, obj, axis, g.shape[along])
    return np.reshape(index(g, (*[slice(None)] * along, old)), shape)


def new_part(g: Any, shape: tuple[int, ...], obj: Any, axis: int | None, within: tuple[int, ...]) -> Any:
    """The adjoint of `numpy.insert` with respect to the values."""
    along = 0 if axis is None else axis % len(within)
    _, new = insertion(within, obj, axis, g.shape[along])
    values = index(g, (*[slice(None)] * along, new))
    values = values if isinstance(obj, slice) or np.ndim(obj) else np.moveaxis(values, along, 0)
    return unbroadcast(values.reshape((1,) * (len(shape) - values.ndim) + values.shape), shape)


linear(
    np.insert,
    old_part,
    values=new_part,
    forward=lambda arr, obj, values, axis, within: np.insert(arr, obj, values, axis),
    bind=lambda arr, obj, values, axis=None: (arr, obj, values, axis, np.shape(arr)),
)


linear(
    np.delete,
    lambda g, shape, obj, axis: put(
        g, shape, np.delete(np.arange(math.prod(shape) if axis is None else shape[axis]), obj), axis
    ),
)
