"""Indexing, and its transpose, scattering: what was taken from one place twice is added there twice."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.dispatch import dispatched
from autograd.errors import DtypeError, OutOfRangeError
from autograd.modes import is_compiling
from autograd.op import unbroadcast
from autograd.partial import Partial
from autograd.table import absent, composite, flat, linear
from autograd.threads import FEWEST, get_num_threads, spread

# t[key], and the three ways to write to a key of a copy


@dispatched
def index(x: Any, key: Any) -> Any:
    """``x[key]``, for every key that NumPy knows."""
    if type(key) is np.ndarray and key.dtype.kind == "i" and type(x) is np.ndarray and x.ndim and x.flags.c_contiguous:
        return x.take(key, 0)  # three times as fast
    return x[key]


@dispatched
def scatter(values: Any, key: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    """The transpose of `index`: zeros of a shape with `values` added at `key`; repeats add up."""
    if out is None:
        out = np.zeros(shape, values.dtype)
    else:
        clear(out)
    if is_basic(key):
        out[key] = values
        return out
    lead, key = leading(key, shape)
    count, width = prod(lead), prod(shape[len(lead) :])
    if width < 8 or values.size < 1000:
        np.add.at(out, key, values)
        return out
    # Rows: assign all, and add what gets lost.
    rows, matrix = places(key, lead).ravel(), out.reshape(count, width)
    values = np.ascontiguousarray(values.reshape(rows.size, width))
    as_items(matrix).put(rows, as_items(values))
    lost = np.flatnonzero(~survivors(rows, rows, (count,)))
    if lost.size:
        add_rows(matrix, rows[lost], values.take(lost, 0))
    return out


def as_items(matrix: Any) -> Any:
    """The rows of a matrix as single items, which NumPy copies in half the time of as many numbers."""
    return matrix.view(np.dtype((np.void, matrix.itemsize * matrix.shape[1]))).reshape(-1)


def clear(array: Any) -> None:
    """Fill an array with zeros, on several threads if it is large: byte by byte, in two thirds of the time of NumPy."""
    everything = array.view(np.uint8).reshape(-1)
    parts = np.array_split(everything, get_num_threads()) if array.size >= FEWEST else [everything]
    spread(lambda some: [part.fill(0) for part in some], parts)


def add_rows(matrix: Any, rows: Any, values: Any) -> None:
    """Add values to rows of a matrix, one after the other.

    `numpy.add.at` takes six times as long for rows as for single numbers, and for a complex number hardly longer than
    for a real one: two of these are one of those.
    """
    pair = PAIRS.get(matrix.dtype.char)
    if pair is not None and matrix.shape[1] % 2 == 0:
        matrix, values = matrix.view(pair), values.view(pair)
    width = matrix.shape[1]
    elements = rows[:, np.newaxis] * width + np.arange(width)
    np.add.at(matrix.reshape(-1), elements.ravel(), values.ravel())


PAIRS = {"f": np.complex64, "d": np.complex128}


@dispatched
def index_set(x: Any, key: Any, value: Any) -> Any:
    """A copy of x with ``x[key] = value``."""
    out = np.array(x)
    out[key] = value
    return out[()]


def index_add(x: Any, key: Any, value: Any) -> Any:
    """
    A copy of an array with values added at a key; where the key selects an element twice, both are added.

    Parameters
    ----------
    x : array_like or Tensor
        What is added to; it is left as it is.
    key : index
        Anything that can stand in ``x[key]``.
    value : array_like or Tensor
        What is added: of the shape of ``x[key]``, or one that broadcasts to it.

    Returns
    -------
    ndarray or Tensor
        The sum, in the shape of `x`.

    Raises
    ------
    OutOfRangeError, IndexError
        If the key selects what `x` does not have.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import index_add
    >>> index_add(np.zeros(3), [0, 2, 2], [1.0, 2.0, 3.0])
    array([1., 0., 5.])
    """
    x = as_array(x)
    return x + scatter(np.broadcast_to(value, index(x, key).shape), key, x.shape)


def as_array(value: Any) -> Any:
    """Numbers and lists as an array; arrays and tensors as they are."""
    return value if hasattr(value, "dtype") else np.asarray(value)


class Part(Partial):
    """Zeros of a shape but for the values at a basic key: added to an array, it costs what the values cost.

    So a loop over the rows of an array has a gradient in as many steps as there are elements, not rows times elements.
    """

    __slots__ = ("dtype", "key", "shape", "values")

    def __init__(self, values: Any, key: Any, shape: tuple[int, ...]) -> None:
        self.values, self.key, self.shape, self.dtype = values, key, shape, values.dtype

    def astype(self, dtype: Any) -> Part:
        """The same in another dtype."""
        return Part(self.values.astype(dtype), self.key, self.shape)

    def whole(self, spec: Any) -> Any:
        """The array."""
        out = np.zeros(self.shape, self.dtype)
        out[self.key] = self.values
        return out

    def __add__(self, other: Any) -> Any:
        return self.whole(None) + other

    def __array_ufunc__(self, add: Any, method: str, array: Any, _: Any, out: tuple[Any, ...] = ()) -> Any:
        """NumPy's ``array + self`` and ``array += self``."""
        (total,) = out or (array.copy(),)
        total[self.key] += self.values
        return total


def unindexed(g: Any, shape: tuple[int, ...], key: Any) -> Any:
    """What reaches the array that was indexed; a program knows arrays only."""
    partial = shape and isinstance(g, ARRAY) and is_basic(key) and not is_compiling()
    return Part(g, key, shape) if partial else scatter(g, key, shape)


def is_basic(key: Any) -> bool:
    """Whether a key is made of numbers, slices and masks, and so selects no element twice."""
    return all(
        part is None or part is Ellipsis or isinstance(part, BASIC) or as_array(part).dtype == bool
        for part in (key if isinstance(key, tuple) else (key,))
    )


ARRAY = (np.ndarray, np.generic)
BASIC = (int, slice, np.integer)


def leading(key: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """The leading lengths of a shape that a key selects from, and the key without what merely selects all the rest."""
    parts = key if isinstance(key, tuple) else (key,)
    if any(part is Ellipsis for part in parts):
        return shape, parts
    while isinstance(parts[-1], slice) and parts[-1] == slice(None):
        parts = parts[:-1]
    masks = [np.ndim(part) for part in parts if not isinstance(part, slice) and as_array(part).dtype == bool]
    return shape[: sum(part is not None for part in parts) - len(masks) + sum(masks)], parts


def places(key: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """The numbers of the elements that a key selects from an array of this shape, some counted from the end."""
    if len(shape) == len(key) == 1 and isinstance(key[0], np.ndarray) and key[0].dtype.kind == "i":
        return key[0].astype(np.intp, copy=False)
    return np.arange(prod(shape)).reshape(shape)[key]


@dispatched
def survivors(values: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """Which values stay if an array of this shape is assigned to at a key: of those with one place, a single one."""
    order = np.arange(values.size).reshape(values.shape)
    last = np.empty(shape, int)
    last[key] = order
    return last[key] == order


def written(g: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """What reaches an assigned value of this shape: the upstream at the key, and 0 where it was overwritten at once."""
    taken = index(g, key)
    if not is_basic(key):
        taken = np.where(survivors(taken, key, g.shape), taken, 0)
    return unbroadcast(taken.reshape((1,) * (len(shape) - taken.ndim) + taken.shape), shape)


flat(survivors)
linear(index, lambda g, shape, key: unindexed(g, shape, key))
linear(scatter, lambda g, key: index(g, key), writes=True)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    return np.bincount(x, weights, minlength)


linear(np.bincount, weights=lambda g, x: index(g, x), forward=bincount)
linear(index_set, lambda g, key: index_set(g, key, 0), value=lambda g, shape, key: written(g, key, shape))


# NumPy's functions that index


def _take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
    return np.take(a, indices, axis, absent("take", out), mode)


def _compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Any:
    return np.compress(condition, a, axis, absent("compress", out))


def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    return np.take_along_axis(arr, indices, axis)


def put(g: Any, shape: tuple[int, ...], indices: Any, axis: int | None, mode: str = "raise") -> Any:
    """The transpose of `numpy.take` from an array of this shape."""
    if axis is None or not shape:
        return put(g, (prod(shape),), indices, 0, mode).reshape(shape)
    indices, length = as_array(indices).astype(np.intp), shape[axis]
    if mode != "raise":
        indices = indices % length if mode == "wrap" else np.clip(indices, 0, length - 1)
    return scatter(g, (*[slice(None)] * (axis % len(shape)), indices), shape)


def put_along(g: Any, shape: tuple[int, ...], indices: Any, axis: int | None) -> Any:
    """The transpose of `numpy.take_along_axis` from an array of this shape."""
    if axis is None:
        return scatter(g, indices, (prod(shape),)).reshape(shape)
    key: list[Any] = list(np.ix_(*map(np.arange, shape)))
    key[axis] = indices
    return scatter(g, tuple(key), shape)


linear(
    np.take,
    lambda g, shape, indices, axis, mode: put(g, shape, indices, axis, mode),
    forward=_take,
)
linear(
    np.compress,
    a=lambda g, shape, condition, axis: put(g, shape, np.flatnonzero(condition), axis),
    forward=_compress,
    flat=("condition",),
)
linear(
    np.take_along_axis,
    lambda g, shape, indices, axis: put_along(g, shape, indices, axis),
    forward=_take_along_axis,
)


def compress(a: Any, condition: Any, axis: int | None = None, out: Any = None) -> Any:
    """`numpy.compress` with the array first, as in the method of ndarray."""
    return np.compress(condition, a, axis, out)


composite(compress)(compress)


@composite(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    """The elements of an array where a condition of the same size holds."""
    return np.compress(np.ravel(condition), np.ravel(arr))


def one_hot(labels: Any, num_classes: int = -1, dtype: Any = float) -> Any:
    """
    Vectors that are 1 at their label and 0 elsewhere.

    Parameters
    ----------
    labels : array_like or Tensor of int
        Labels from 0 to ``num_classes - 1``, in any shape.
    num_classes : int
        The length of the vectors; by default the largest label and one.
    dtype : dtype, optional
        The dtype of the result.

    Returns
    -------
    ndarray or Tensor, shape (*labels.shape, num_classes)
        The vectors.

    Raises
    ------
    DtypeError
        If the labels are not integers.
    OutOfRangeError
        If a label is not one of the classes.
    CompileError
        If a compiled function leaves `num_classes` to the labels.

    Examples
    --------
    >>> from autograd import one_hot
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    if num_classes == -1:
        num_classes = int(np.max(as_array(labels), initial=-1)) + 1
    return vectors_of(labels, num_classes, dtype)


@dispatched
def vectors_of(labels: Any, num_classes: int, dtype: Any) -> Any:
    """The vectors of labels, if these are in range."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iub" and labels.size:
        raise DtypeError(f"one_hot: labels must be integers, not {labels.dtype}; use labels.astype(int)")
    labels = labels.astype(np.intp)
    wrong = np.argwhere((labels < 0) | (labels >= num_classes))
    if len(wrong):
        place = tuple(map(int, wrong[0]))
        raise OutOfRangeError(
            f"one_hot: label {labels[place]} at index {place} of labels of shape {labels.shape} is out of range; "
            f"labels for {num_classes} classes run from 0 to {num_classes - 1}"
        )
    return (labels[..., np.newaxis] == np.arange(num_classes)).astype(dtype)


flat(vectors_of)
