"""Matrix decompositions: Cholesky, QR, eigenvalues and singular values. All of it works on stacks of matrices.

Two conventions. A function of symmetric matrices has a symmetric gradient, whichever triangle it reads, as in JAX and
PyTorch. Where values are equal, which vectors belong to them is a matter of choice, and terms with 1 / (λ_j - λ_i) are
left out: gradients are then right for functions that are symmetric in the equal values and depend on their vectors only
through the space that these span (others have none there); derivatives of higher order need not be.

Sources: M. Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*
(2008); I. Murray, *Differentiation of the Cholesky decomposition* (2016); S. Walter and L. Lehmann, *Algorithmic
differentiation of linear algebra functions* (2010), for QR.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dispatch import dispatched
from autograd.errors import NotDifferentiableError, ShapeError, SingularError
from autograd.table import composite, general, require


def symmetric(a: Any) -> Any:
    """The symmetric part."""
    return (a + a.mT) / 2


def skew(a: Any) -> Any:
    """Twice the antisymmetric part."""
    return a - a.mT


def mirrored(a: Any) -> Any:
    """The symmetric matrix with the lower triangle of a."""
    return np.tril(a) + np.tril(a, -1).mT


def cholesky(a: Any, upper: bool = False) -> Any:
    return np.linalg.cholesky(a, upper=upper)


def cholesky_a(g: Any, out: Any, upper: bool) -> Any:
    lower, g = (out.mT, g.mT) if upper else (out, g)
    inner = mirrored(lower.mT @ g) / 2
    return np.linalg.solve(lower.mT, np.linalg.solve(lower.mT, inner).mT)


general(np.linalg.cholesky, cholesky_a, forward=cholesky)


# QR


@dispatched
def tall_qr(a: Any) -> Any:
    """The reduced QR decomposition of matrices with at least as many rows as columns."""
    return np.linalg.qr(a)


def tall_qr_a(g: Any, out: Any) -> Any:
    (q, r), (gq, gr) = out, g
    require(
        np.diagonal(r, 0, -2, -1),
        SingularError(
            f"qr() of a matrix of shape {q.shape} whose columns depend on each other has no gradient; "
            "use np.linalg.svd, or fewer columns"
        ),
    )
    return np.linalg.solve(r, (gq + q @ mirrored(r @ gr.mT - gq.mT @ q)).mT).mT


general(tall_qr, tall_qr_a, many=True, name="qr")


@composite(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Of a wide matrix Q is that of its square left part, and R is Qᵀ times the matrix."""
    if a.ndim < 2:
        raise ShapeError(f"linalg.qr() takes matrices, of shape (..., m, n), not {a.shape}")
    rows, columns = a.shape[-2:]
    if mode not in ("reduced", "complete", "r") or (mode == "complete" and rows > columns):
        raise NotDifferentiableError(
            f"linalg.qr() of a Tensor of shape {a.shape} with mode={mode!r} is not differentiable; "
            "use mode='reduced' or 'r'"
        )
    result = tall_qr(a[..., :rows] if rows < columns else a)
    if rows < columns:
        result = result._replace(R=np.concatenate([result.R, result.Q.mT @ a[..., rows:]], -1))
    return result.R if mode == "r" else result


# Eigenvalues and singular values


def reciprocal_differences(x: Any) -> Any:
    """1 / (x_j - x_i), and 0 where the two are equal but for rounding."""
    differences = x[..., None, :] - x[..., :, None]
    rounding = float(np.finfo(x.dtype).eps) * np.sum(np.abs(x), -1)[..., None, None]
    return reciprocal(differences, np.abs(differences) <= rounding)


def reciprocal(x: Any, is_zero: Any) -> Any:
    """1 / x, and 0 where x counts as zero."""
    return np.where(is_zero, 0, 1 / np.where(is_zero, 1, x))


def diagonal_matrix(x: Any) -> Any:
    """The matrices with these diagonals."""
    return np.eye(x.shape[-1], dtype=x.dtype) * x[..., None]


def eigh(a: Any, UPLO: Any = "L") -> Any:  # noqa: N803 - NumPy's name
    return np.linalg.eigh(a, UPLO)


def eigh_a(g: Any, out: Any) -> Any:
    (values, vectors), (gvalues, gvectors) = out, g
    inner = symmetric(reciprocal_differences(values) * (vectors.mT @ gvectors))
    return vectors @ (inner + diagonal_matrix(gvalues)) @ vectors.mT


general(np.linalg.eigh, eigh_a, forward=eigh, many=True)


@composite(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:  # noqa: N803
    return np.linalg.eigh(a, UPLO).eigenvalues


@dispatched
def reduced_svd(a: Any, hermitian: bool = False) -> Any:
    """The singular value decomposition without the vectors of the null space."""
    return np.linalg.svd(a, False, True, hermitian)


def reduced_svd_a(g: Any, out: Any) -> Any:
    (u, s, vh), (gu, gs, gvh) = out, g
    v, gv = vh.mT, gvh.mT
    left, right = u.mT @ gu, v.mT @ gv
    same, opposite = skew(left + right), skew(left - right)  # u and v turned together, and against each other
    sums = s[..., None, :] + s[..., :, None]
    inner = diagonal_matrix(gs) + (reciprocal_differences(s) * same + reciprocal(sums, sums == 0) * opposite) / 2
    result = u @ inner @ vh
    inverse = reciprocal(s, s == 0)
    if u.shape[-2] > u.shape[-1]:
        result = result + ((gu - u @ left) * inverse[..., None, :]) @ vh
    if v.shape[-2] > v.shape[-1]:
        result = result + (u * inverse[..., None, :]) @ (gv - v @ right).mT
    return result


general(reduced_svd, reduced_svd_a, many=True, name="svd")


@dispatched
def null_space(a: Any) -> Any:
    """The singular vectors that `reduced_svd` leaves out."""
    u, s, vh = np.linalg.svd(a)
    return u[..., s.shape[-1] :] if u.shape[-1] > vh.shape[-1] else vh[..., s.shape[-1] :, :]


def null_space_a(g: Any, a: Any) -> Any:
    return null_space_forward(g, a) if np.any(g) else np.zeros_like(a)


def null_space_forward(t: Any, a: Any) -> Any:
    raise NotDifferentiableError(
        f"the singular vectors of the null space of a matrix of shape {np.shape(a)} are a matter of choice and have no "
        "derivative; use linalg.svd() with full_matrices=False"
    )


general(null_space, null_space_a, jvps=[null_space_forward])


@composite(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if not compute_uv:
        return svdvals(a)
    result = reduced_svd(a, hermitian)
    rows, columns = a.shape[-2:]
    if full_matrices and rows > columns:
        return result._replace(U=np.concatenate([result.U, null_space(a)], -1))
    if full_matrices and rows < columns:
        return result._replace(Vh=np.concatenate([result.Vh, null_space(a)], -2))
    return result


@composite(np.linalg.svdvals)
def svdvals(x: Any) -> Any:
    return reduced_svd(x).S
