"""Products of vectors, matrices and tensors.

`matmul`, `dot`, `tensordot`, `einsum` and `convolve` are multilinear rows: the adjoint of a product is a product of the
same kind. The other products are written in them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.errors import NotDifferentiableError, ShapeError
from autograd.op import unbroadcast
from autograd.table import absent, composite, multilinear, same_as

# Which operands of matmul were vectors shows in the numbers of axes of the upstream and of the other operand.


def matmul_x(g: Any, y: Any) -> Any:
    if y.ndim == 2 >= g.ndim:
        return g @ y.T
    if y.ndim == 1:
        return g[..., None] * y
    if g.ndim < y.ndim:
        return (y @ g[..., None])[..., 0]
    return g @ y.mT


def matmul_y(g: Any, x: Any) -> Any:
    if x.ndim == 2 >= g.ndim:
        return x.T @ g
    if x.ndim == 1:
        return x[:, None] * g[..., None, :] if g.ndim else x * g
    if g.ndim < x.ndim:
        return (x.mT @ g[..., None])[..., 0]
    return x.mT @ g


multilinear(np.matmul, matmul_x, matmul_y)
same_as(np.matmul, np.linalg.matmul)


def dot_a(g: Any, b: Any, shape: tuple[int, ...]) -> Any:
    if g.ndim == 2 == np.ndim(b) == len(shape):
        return g @ b.T
    if np.ndim(b) == 0 or shape == ():
        return g * b
    if b.ndim == 1:
        return g[..., None] * b
    return np.tensordot(g, b, (range(1 - b.ndim, 0), [*range(b.ndim - 2), b.ndim - 1]))


def dot_b(g: Any, a: Any, shape: tuple[int, ...]) -> Any:
    if g.ndim == 2 == np.ndim(a) == len(shape):
        return a.T @ g
    if np.ndim(a) == 0 or shape == ():
        return g * a
    rows = range(a.ndim - 1)
    summed = np.tensordot(a, g, (rows, rows))
    return summed if len(shape) == 1 else np.moveaxis(summed, 0, -2)


def dot(a: Any, b: Any, out: Any = None) -> Any:
    return np.dot(a, b, absent("dot", out))


multilinear(np.dot, dot_a, dot_b, forward=dot)


def split_axes(axes: Any, a_ndim: int, b_ndim: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Axes of a and b that `tensordot` sums over, in pairs, and the axes of a and of b that stay."""
    try:
        of_a, of_b = axes
    except TypeError:
        of_a, of_b = range(a_ndim - axes, a_ndim), range(axes)

    def listed(axes: Any, ndim: int) -> list[int]:
        return [int(axis) % ndim for axis in (axes if np.ndim(axes) else [axes])]

    summed_a, summed_b = listed(of_a, a_ndim), listed(of_b, b_ndim)
    return summed_a, summed_b, without(range(a_ndim), summed_a), without(range(b_ndim), summed_b)


def without(axes: Iterable[int], others: Sequence[int]) -> list[int]:
    return [axis for axis in axes if axis not in others]


def tensordot_a(g: Any, b: Any, axes: Any, shape: tuple[int, ...]) -> Any:
    summed_a, summed_b, free_a, free_b = split_axes(axes, len(shape), np.ndim(b))
    product = np.tensordot(g, b, (range(len(free_a), g.ndim), free_b))
    return np.moveaxis(product, range(len(shape)), free_a + [summed_a[k] for k in np.argsort(summed_b)])


def tensordot_b(g: Any, a: Any, axes: Any, shape: tuple[int, ...]) -> Any:
    summed_a, summed_b, free_a, free_b = split_axes(axes, np.ndim(a), len(shape))
    product = np.tensordot(a, g, (free_a, range(len(free_a))))
    return np.moveaxis(product, range(len(shape)), [summed_b[k] for k in np.argsort(summed_a)] + free_b)


multilinear(np.tensordot, tensordot_a, tensordot_b)
same_as(np.tensordot, np.linalg.tensordot)


# einsum: all its forms become one, explicit subscripts with a letter for each axis, also for those under an ellipsis


def einsum(*operands: Any, out: Any = None, optimize: Any = False, **others: Any) -> tuple[Any, ...]:
    """Return subscripts, optimize and operands, from either form of call."""
    absent("einsum", out)
    if others:
        raise NotDifferentiableError(
            f"einsum() of a Tensor takes no {' or '.join(others)}=; "
            "apply that part in a call of its own, such as t.astype(dtype)"
        )
    if not isinstance(operands[0], str):
        sublists = [*operands[1::2], operands[-1]] if len(operands) % 2 else list(operands[1::2])
        operands = operands[: len(operands) // 2 * 2 : 2]
        terms = ["".join("..." if label is Ellipsis else LETTERS[label] for label in labels) for labels in sublists]
        subscripts = ",".join(terms[: len(operands)]) + "".join("->" + term for term in terms[len(operands) :])
    else:
        subscripts, *operands = operands  # type: ignore[assignment]
    ndims = tuple(operand.ndim if hasattr(operand, "ndim") else np.ndim(operand) for operand in operands)
    return explicit(subscripts, ndims), optimize, *operands


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@lru_cache
def explicit(subscripts: str, ndims: tuple[int, ...]) -> str:
    """Subscripts with an output, and with letters in the place of each ellipsis."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        return subscripts  # NumPy says what is wrong with it
    labels = left.replace(",", "").replace(".", "")
    spare = [letter for letter in LETTERS if letter not in labels]
    hidden = [ndim - len(term.replace("...", "")) if "..." in term else 0 for term, ndim in zip(terms, ndims)]
    if min(hidden) < 0 or max(hidden) > len(spare):
        return subscripts
    ellipsis = "".join(spare[: max(hidden)])
    terms = [term.replace("...", ellipsis[len(ellipsis) - count :]) for term, count in zip(terms, hidden)]
    if not arrow:
        output = "..." + "".join(label for label in sorted(set(labels)) if labels.count(label) == 1)
    return ",".join(terms) + "->" + output.replace("...", ellipsis)


def explicit_einsum(subscripts: str, optimize: Any = False, *operands: Any) -> Any:
    return np.einsum(subscripts, *operands, optimize=optimize)


def einsum_adjoint(
    g: Any, i: int, shape: tuple[int, ...], subscripts: str, optimize: Any, operands: Sequence[Any]
) -> Any:
    """Return the einsum of the upstream and the other operands, in which this operand has become the output.

    What the output of an einsum cannot say is said by further operands. A label that nothing else has is spread by
    ones; a repeated label, which reads a diagonal, gets a letter of its own and an identity matrix. An axis of length 1
    that was stretched is summed over.
    """
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    own = terms.pop(i)
    factors = [g, *operands[:i], *operands[i + 1 :]]
    terms.insert(0, output)
    lengths = {label: n for term, factor in zip(terms, factors) for label, n in zip(term, np.shape(factor)) if n != 1}
    spare = iter(letter for letter in LETTERS if letter not in subscripts)
    target = ""
    for label, n in zip(own, shape):
        if label in target:
            twin = next(spare)
            terms.append(label + twin)
            factors.append(np.eye(n, dtype=g.dtype))
            target += twin
        elif n != 1:
            if label not in lengths:
                terms.append(label)
                factors.append(np.ones(n, g.dtype))
            target += label
    product = np.einsum(",".join(terms) + "->" + target, *factors, optimize=optimize is not False)
    return np.reshape(product, shape)


multilinear(np.einsum, forward=explicit_einsum, bind=einsum, operands=einsum_adjoint)


# Convolution


def upstream_of_full(g: Any, n: int, m: int, mode: str | int) -> Any:
    """The upstream of a convolution as that of the full one: zeros where `mode` cuts off."""
    cuts = {"full": 0, "same": (min(n, m) - 1) // 2, "valid": min(n, m) - 1}
    cut = cuts[mode] if isinstance(mode, str) else [*cuts.values()][2 - mode]  # NumPy's numbers count the other way
    rest = n + m - 1 - cut - g.shape[0]
    return np.concatenate([np.zeros(cut, g.dtype), g, np.zeros(rest, g.dtype)]) if cut or rest else g


def convolve_adjoint(g: Any, shape: tuple[int, ...], other: Any, mode: str) -> Any:
    other = np.ravel(other)
    return np.convolve(upstream_of_full(g, math.prod(shape), other.size, mode), other[::-1], "valid")


multilinear(
    np.convolve,
    lambda g, shape, v, mode: convolve_adjoint(g, shape, v, mode),
    lambda g, shape, a, mode: convolve_adjoint(g, shape, a, mode),
)


@composite(np.correlate)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    if np.size(a) < np.size(v):
        return np.convolve(v, np.ravel(a)[::-1], mode)[::-1]
    return np.convolve(a, np.ravel(v)[::-1], mode)


# Products written in those above


@composite(np.vdot)
def vdot(a: Any, b: Any) -> Any:
    return np.dot(np.ravel(a), np.ravel(b))


@composite(np.inner)
def inner(a: Any, b: Any) -> Any:
    return np.dot(a, b) if np.ndim(a) == 0 or np.ndim(b) < 2 else np.tensordot(a, b, (-1, -1))


@composite(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    absent("outer", out)
    return np.ravel(a)[:, None] * np.ravel(b)


@composite(np.linalg.outer)
def outer_of_vectors(x1: Any, x2: Any) -> Any:
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ShapeError(
            f"linalg.outer() takes two vectors, not shapes {np.shape(x1)} and {np.shape(x2)}; "
            "np.outer flattens its arguments"
        )
    return np.outer(x1, x2)


@composite(np.kron)
def kron(a: Any, b: Any) -> Any:
    ndim = max(np.ndim(a), np.ndim(b))
    rows = (1,) * (ndim - np.ndim(a)) + np.shape(a)
    columns = (1,) * (ndim - np.ndim(b)) + np.shape(b)
    blocks = np.reshape(a, [n for row in rows for n in (row, 1)]) * np.reshape(b, [n for c in columns for n in (1, c)])
    return np.reshape(blocks, [row * column for row, column in zip(rows, columns)])


@composite(np.vecdot)
def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    if axis != -1:
        x1, x2 = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    if np.ndim(x1) == np.ndim(x2) == 1:
        return np.dot(x1, x2)
    return np.matmul(np.expand_dims(x1, -2), np.expand_dims(x2, -1))[..., 0, 0]


same_as(np.vecdot, np.linalg.vecdot)

if hasattr(np, "matvec"):  # since NumPy 2.2
    multilinear(
        np.matvec, lambda g, shape, y: unbroadcast(g[..., None] * y[..., None, :], shape), lambda g, x: np.vecmat(g, x)
    )
    multilinear(
        np.vecmat, lambda g, y: np.matvec(y, g), lambda g, shape, x: unbroadcast(x[..., None] * g[..., None, :], shape)
    )


@composite(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    absent("trace", out)
    return np.sum(np.diagonal(a, offset, axis1, axis2), -1, dtype)


@composite(np.linalg.trace)
def trace_of_last(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, -2, -1, dtype)


@composite(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    lengths = a.shape[-1], b.shape[-1]
    if not {2, 3}.issuperset(lengths):
        raise ShapeError(
            f"cross() of vectors of lengths {lengths[0]} and {lengths[1]}, from shapes {a.shape} and {b.shape}; "
            "both must have length 3 along their axis"
        )
    if 2 in lengths:
        warnings.warn(
            "Arrays of 2-dimensional vectors are deprecated. Use arrays of 3-dimensional vectors instead. "
            "(deprecated in NumPy 2.0)",
            DeprecationWarning,
            stacklevel=3,
        )
        a, b = in_space(a), in_space(b)
    if lengths == (2, 2):
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    ahead, behind = [np.roll(v, -1, -1) for v in (a, b)], [np.roll(v, 1, -1) for v in (a, b)]
    return np.moveaxis(ahead[0] * behind[1] - behind[0] * ahead[1], -1, axisc)


def in_space(vectors: Any) -> Any:
    """Vectors of the plane as vectors of space; those of space as they are."""
    return np.concatenate([vectors, np.zeros_like(vectors[..., :1])], -1) if vectors.shape[-1] == 2 else vectors


@composite(np.linalg.cross)
def cross_of_space(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    if np.shape(x1)[axis] != 3 or np.shape(x2)[axis] != 3:
        raise ShapeError(
            f"linalg.cross() takes vectors of length 3 along axis {axis}, not shapes {np.shape(x1)} and {np.shape(x2)}"
        )
    return np.cross(x1, x2, axis=axis)
