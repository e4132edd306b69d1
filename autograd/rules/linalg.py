"""Linear algebra: inverses, determinants, norms, and what is written in them. All of it works on stacks of matrices.

Sources: M. Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*
(2008); G. Golub and V. Pereyra, *The differentiation of pseudo-inverses and nonlinear least squares problems whose
variables separate* (1973).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.dispatch import dispatched
from autograd.errors import DtypeError, NotDifferentiableError, ShapeError, SingularError
from autograd.op import all_true
from autograd.rules.activations import floating
from autograd.rules.indexing import as_array
from autograd.table import absent, composite, general, require

# Inverses

general(
    np.linalg.inv,
    lambda g, out: -(out.mT @ g @ out.mT),
    jvps=[lambda t, out: -(out @ t @ out)],
)


def solve(a: Any, b: Any) -> Any:
    """`numpy.linalg.solve`, where b may be a stack of vectors if it has one axis less than a."""
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim < a.ndim else np.linalg.solve(a, b)


def solve_a(g: Any, a: Any, out: Any) -> Any:
    g = solve(a.mT, g)
    return -(g[..., None] * out[..., None, :]) if g.ndim < a.ndim else -(g @ out.mT)


def solve_a_forward(t: Any, a: Any, out: Any) -> Any:
    return -solve(a, (t @ out[..., None])[..., 0] if out.ndim < a.ndim else t @ out)


general(
    np.linalg.solve,
    solve_a,
    lambda g, a: solve(a.mT, g),
    jvps=[solve_a_forward, lambda t, a: np.linalg.solve(a, t)],
)


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = np._NoValue) -> Any:
    return np.linalg.pinv(a, rcond, hermitian, rtol=rtol)


def pinv_a(g: Any, a: Any, out: Any) -> Any:
    """Return the vjp where the rank does not change."""
    p, q, h = out, out.mT, g.mT
    outside = h - a @ (p @ h)  # what a does not reach
    inside = h - (h @ p) @ a
    return outside @ (p @ q) + (q @ p) @ inside - q @ g @ q


general(np.linalg.pinv, pinv_a, forward=pinv)


@composite(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, Any, int, Any]:
    """The solution is the pseudo-inverse times b, so its derivative holds where the rank does not change."""
    a, b = as_array(a), as_array(b)
    if np.ndim(a) != 2:
        raise ShapeError(
            f"linalg.lstsq() takes one matrix, not an array of shape {np.shape(a)}; np.linalg.pinv takes stacks"
        )
    rows, columns = np.shape(a)
    if rcond is None:
        rcond = float(np.finfo(np.result_type(a, b, np.float32)).eps) * max(rows, columns)
    solution = np.linalg.pinv(a, rcond) @ b
    rank = int(np.linalg.matrix_rank(a, rtol=rcond))
    squares = (b - a @ solution) ** 2
    residuals = np.sum(np.reshape(squares, (rows, -1)), 0)
    return solution, residuals if rank == columns < rows else residuals[:0], rank, np.linalg.svdvals(a)


@composite(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    shape = np.shape(a)
    matrix = np.reshape(a, (math.prod(shape[:ind]), -1))
    return np.reshape(np.linalg.inv(matrix), shape[ind:] + shape[:ind])


@composite(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    if axes is not None:
        a = np.moveaxis(a, axes, range(-len(axes), 0))
    matrix = np.reshape(a, (np.size(b), -1))
    return np.reshape(np.linalg.solve(matrix, np.ravel(b)), np.shape(a)[np.ndim(b) :])


# Determinants. The gradient of det is the matrix of cofactors, which singular matrices have as well; the inverse gives
# it where there is one.


@dispatched
def cofactors(a: Any) -> Any:
    """The cofactor of each element: the gradient of the determinant."""
    det = np.linalg.det(a)
    if np.all(det):
        return det[..., None, None] * np.linalg.inv(a).mT
    u, s, vh, sign = factors(a)
    return sign * (u * products_without(s, 1)[..., None, :]) @ vh


def factors(a: Any) -> tuple[Any, Any, Any, Any]:
    """Singular value decomposition of square matrices, and the sign of the determinant of its rotations."""
    u, s, vh = np.linalg.svd(a)
    return u, s, vh, (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]


def products_without(s: Any, count: int) -> Any:
    """The products of all but one, or all but two different, of the last axis; 0 for twice the same."""
    n = s.shape[-1]
    one = np.eye(n, dtype=bool)
    if count == 1:
        return np.prod(np.where(one, 1, s[..., None, :]), -1)
    left_out = one[:, None] | one
    return np.where(one, 0, np.prod(np.where(left_out, 1, s[..., None, None, :]), -1))


@dispatched
def cofactors_slope(e: Any, a: Any) -> Any:
    """The directional derivative of `cofactors` at a along e; it is its own adjoint.

    In the basis of its singular vectors a is diagonal, and there the derivative takes no division.
    """
    u, s, vh, sign = factors(a)
    inner = u.mT @ e @ vh.mT
    rest = products_without(s, 2)
    diagonal = (rest @ np.diagonal(inner, 0, -2, -1)[..., None])[..., 0]
    return sign * (u @ (np.eye(s.shape[-1], dtype=e.dtype) * diagonal[..., None] - rest * inner.mT) @ vh)


def cofactors_a(g: Any, a: Any, out: Any) -> Any:
    if not all_true(np.linalg.det(a)):
        return cofactors_slope(g, a)
    inverse = np.linalg.inv(a).mT
    return np.sum(g * inverse, (-2, -1), keepdims=True) * out - out @ g.mT @ inverse


def cofactors_slope_a(g: Any, a: Any) -> Any:
    raise NotDifferentiableError(
        f"the third derivative of det() at a singular matrix, of shape {np.shape(a)}, is not available; "
        "its first and second are"
    )


general(np.linalg.det, lambda g, a: g[..., None, None] * cofactors(a))
general(cofactors, cofactors_a)
general(cofactors_slope, lambda g, a: cofactors_slope(g, a), cofactors_slope_a)


def slogdet_a(g: Any, a: Any, out: Any) -> Any:
    require(
        out[0],
        SingularError(
            f"slogdet() of a singular matrix, of shape {np.shape(a)}, has no gradient: the logarithm of 0 is -inf; "
            "np.linalg.det has one"
        ),
    )
    return g[1][..., None, None] * np.linalg.inv(a).mT


general(np.linalg.slogdet, slogdet_a, many=True)


# Powers and chains


@composite(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """By repeated squaring."""
    n, shape = operator.index(n), np.shape(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"linalg.matrix_power() takes square matrices, of shape (..., n, n), not {shape}")
    if n < 0:
        return matrix_power(np.linalg.inv(a), -n)
    if n == 0:
        return np.zeros_like(a) + np.eye(np.shape(a)[-1], dtype=a.dtype)
    result = None
    while True:
        if n % 2:
            result = a if result is None else result @ a
        n //= 2
        if not n:
            return result
        a = a @ a


@composite(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    """The longest inner axis is summed first: that is nearly always the cheapest order."""
    absent("multi_dot", out)
    chain = list(arrays)
    if len(chain) < 2:
        raise ShapeError(f"multi_dot() takes at least two arrays, not {len(chain)}")
    while len(chain) > 1:
        longest = max(range(len(chain) - 1), key=lambda k: np.shape(chain[k])[-1])
        chain[longest : longest + 2] = [np.dot(chain[longest], chain[longest + 1])]
    return chain[0]


# Norms


def vector_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def vector_norm_x(g: Any, x: Any, out: Any, axis: Any, keepdims: bool, ord: Any) -> Any:
    """Return the vjp; at 0 it is 0, and the elements of equal largest or smallest size share evenly."""
    ord = 2 if ord is None else ord
    if ord == 0:
        return np.zeros_like(x)
    if not keepdims:
        kept = axis if axis is not None else tuple(range(x.ndim))
        g, out = np.expand_dims(g, kept), np.expand_dims(out, kept)
    if abs(ord) == math.inf:
        extreme = np.abs(x) == out
        return g * np.sign(x) * (extreme / np.sum(extreme, axis, keepdims=True))
    if ord == 2:
        return x * (g * np.where(out == 0, 0, 1 / out))
    return g * np.sign(x) * np.where(x == 0, 1, np.abs(x) / out) ** (ord - 1)


general(np.linalg.vector_norm, vector_norm_x, forward=vector_norm)


@composite(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if isinstance(axis, list):
        raise DtypeError(f"linalg.norm() takes as axis an integer or a tuple, not the list {axis}; give it tuple(axis)")
    x = floating(x)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    named = isinstance(ord, str)
    if ord is None or (named and ord in ("f", "fro") and len(axes) == 2):
        return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims)
    if len(axes) == 1 and not named:
        return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
    if len(axes) != 2 or ord not in MATRIX_NORMS:
        raise ShapeError(
            f"linalg.norm() of shape {x.shape} with axis={axis!r} and ord={ord!r}: a vector norm takes one axis and a "
            f"number, a matrix norm two axes and 'fro' or one of {', '.join(map(repr, MATRIX_NORMS))}"
        )
    result = MATRIX_NORMS[ord](np.moveaxis(x, axes, (-2, -1)))
    return np.expand_dims(result, axes) if keepdims else result


def gains(x: Any) -> Any:
    """The singular values; as sizes, so that the derivative at 0 is 0."""
    return np.abs(np.linalg.svdvals(x))


MATRIX_NORMS = {
    "nuc": lambda x: np.sum(gains(x), -1),
    1: lambda x: np.max(np.sum(np.abs(x), -2), -1, initial=0),
    -1: lambda x: np.min(np.sum(np.abs(x), -2), -1),
    2: lambda x: np.max(gains(x), -1, initial=0),
    -2: lambda x: np.min(gains(x), -1),
    math.inf: lambda x: np.max(np.sum(np.abs(x), -1), -1, initial=0),
    -math.inf: lambda x: np.min(np.sum(np.abs(x), -1), -1),
}


@composite(np.linalg.matrix_norm)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


@composite(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    if 0 in np.shape(x)[-2:]:
        raise SingularError(
            f"linalg.cond() of an array of shape {np.shape(x)}: an empty matrix has no condition number; "
            "give it matrices with elements"
        )
    if p is None or p in (2, -2):
        s = np.linalg.svdvals(x)
        with np.errstate(all="ignore"):
            ratio = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        return np.where(np.isnan(ratio) & ~np.any(np.isnan(x), (-2, -1)), math.inf, ratio)
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))
