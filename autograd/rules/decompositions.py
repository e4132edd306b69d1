"""Matrix decompositions: Cholesky, QR, eigenvalues and singular values. All of it works on stacks of matrices.

Two conventions. A function of symmetric matrices has a symmetric gradient, whichever triangle it reads, as in JAX and
PyTorch. Where eigenvalues or singular values are equal, which vectors belong to them is a matter of choice, and terms
with 1 / (λ_j - λ_i) are left out: the gradient is then right for functions that do not depend on the choice (others
have none); derivatives of higher order are not.

Sources: M. Giles, *Collected matrix derivative results for forward and reverse mode algorithmic differentiation*
(2008); I. Murray, *Differentiation of the Cholesky decomposition* (2016); S. Walter and L. Lehmann, *Algorithmic
differentiation of linear algebra functions* (2010), for QR.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.errors import NotDifferentiableError
from autograd.table import composite, dispatched, general


def symmetric(a: Any) -> Any:
    """The symmetric part."""
    return (a + a.mT) / 2


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
    return np.linalg.solve(r, (gq + q @ mirrored(r @ gr.mT - gq.mT @ q)).mT).mT


general(tall_qr, tall_qr_a, many=True, name="qr")


@composite(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Of a wide matrix Q is that of its square left part, and R is Qᵀ times the matrix."""
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
    weights = reciprocal_differences(s * s)
    left, right = u.mT @ gu, v.mT @ gv
    inner = diagonal_matrix(gs)
    inner = inner + weights * (left - left.mT) * s[..., None, :] + s[..., :, None] * weights * (right - right.mT)
    result = u @ inner @ vh
    inverse = reciprocal(s, s == 0)
    if u.shape[-2] > u.shape[-1]:
        result = result + ((gu - u @ left) * inverse[..., None, :]) @ vh
    if v.shape[-2] > v.shape[-1]:
        result = result + (u * inverse[..., None, :]) @ (gv - v @ right).mT
    return result


general(reduced_svd, reduced_svd_a, many=True, name="svd")


@composite(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if not compute_uv:
        return svdvals(a)
    if full_matrices and a.shape[-2] != a.shape[-1]:
        raise NotDifferentiableError(
            f"linalg.svd() of a Tensor of shape {a.shape} with full_matrices=True is not differentiable: the singular "
            "vectors of the null space are not determined; use full_matrices=False, or compute_uv=False for the values"
        )
    return reduced_svd(a, hermitian)


@composite(np.linalg.svdvals)
def svdvals(x: Any) -> Any:
    return reduced_svd(x).S
