"""Products, convolutions and linear algebra."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tests.oracle.pairs import Page, distinct, normal, torch

page = Page()
pair, same, alike = page.pair, page.same, page.alike
F = torch.nn.functional

# Products

for one, other in (
    *(((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 2))),
    *(((3,), (5, 3, 2)), ((5, 2, 3), (3,)), ((4, 1, 2, 3), (5, 3, 2)), ((2, 0), (0, 3))),
):
    same("matmul linalg.matmul=matmul", normal(*one), normal(*other))
    pair("x @ y", operator.matmul, operator.matmul, normal(*one), normal(*other))
same("dot vdot inner outer kron linalg.vecdot vecdot=linalg.vecdot", normal(3), normal(3))
same("dot=mm", normal(2, 3), normal(3, 2))
same("inner", normal(2, 3), normal(4, 3))
same("inner", normal(2, 3), normal())
same("outer", normal(3), normal(2))
same("kron", normal(2, 3), normal(3, 1, 2))
same("vecdot=linalg.vecdot", normal(2, 3), normal(4, 1, 3))
same("cross=linalg.cross linalg.cross", normal(4, 3), normal(4, 3))
same("cross=linalg.cross linalg.cross", normal(3, 2), normal(3, 2), axis=0)
if hasattr(np, "matvec"):  # since NumPy 2.2
    pair("matvec", np.matvec, lambda a, x: (a @ x[..., None])[..., 0], normal(2, 4, 3), normal(2, 3))
    pair("vecmat", np.vecmat, lambda x, a: (x[..., None, :] @ a)[..., 0, :], normal(2, 4), normal(2, 4, 3))
for axes in (0, 1, 2, ([1], [0]), ([1, 0], [0, 1])):
    same("tensordot", normal(3, 3), normal(3, 3), call=lambda f, x, y, axes=axes: f(x, y, axes))
same("tensordot", normal(2, 3, 4), normal(4, 2, 3), call=lambda f, x, y: f(x, y, ([2, 0], [0, 1])))
for subscripts, *shapes in (
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->j", (3, 3, 2)),
    ("i,i", (3,), (3,)),
    ("i,j->ij", (2,), (3,)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...i,...i", (4, 3), (3,)),
    ("b...,b...->...", (2, 3), (2, 3)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("i,ij,j->", (2,), (2, 3), (3,)),
    ("abc,cd,bd->da", (2, 3, 4), (4, 2), (3, 2)),
):
    same("einsum", *(normal(*shape) for shape in shapes), call=lambda f, *xs, subscripts=subscripts: f(subscripts, *xs))
same("trace linalg.trace=trace", normal(3, 3))
same("linalg.multi_dot", normal(2, 5), normal(5, 3), normal(3, 4), call=lambda f, *xs: f(xs))


def convolved(x: Any, kernel: Any, padding: int) -> Any:
    """PyTorch's cross-correlation of two vectors."""
    return F.conv1d(x[None, None], kernel[None, None], padding=padding)[0, 0]


for mode, padding in (("full", 2), ("same", 1), ("valid", 0)):
    pair(
        f"convolve {mode}",
        lambda x, k, mode=mode: np.convolve(x, k, mode),
        lambda x, k, padding=padding: convolved(x, k.flip(0), padding),
        normal(6),
        normal(3),
    )
    pair(
        f"correlate {mode}",
        lambda x, k, mode=mode: np.correlate(x, k, mode),
        lambda x, k, padding=padding: convolved(x, k, padding),
        normal(6),
        normal(3),
    )
pair(
    "convolution of images",
    lambda x, k: np.einsum("bchwij,dcij->bdhw", np.lib.stride_tricks.sliding_window_view(x, (2, 3), (2, 3)), k),
    F.conv2d,
    normal(2, 3, 4, 5),
    normal(2, 3, 2, 3),
)
pair(
    "pooling of images",
    lambda x: np.max(np.reshape(x, (2, 3, 2, 2, 3, 2)), axis=(3, 5)),
    lambda x: F.max_pool2d(x, 2),
    distinct(2, 3, 4, 6),
)

# Linear algebra: functions of decompositions that do not depend on signs

MATRIX, STACK = normal(3, 3) + 3 * np.eye(3), normal(2, 3, 3) + 3 * np.eye(3)
for matrix in (MATRIX, STACK):
    same("linalg.inv linalg.det linalg.slogdet linalg.svdvals linalg.pinv linalg.cond", matrix)
    same("linalg.matrix_norm", matrix)
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        same("linalg.matrix_norm", matrix, ord=order)
    for n in (-2, -1, 0, 1, 2, 5):
        same("linalg.matrix_power", matrix, n=n)
    same("linalg.solve", matrix, normal(*matrix.shape[:-1], 2))
    same("linalg.cholesky linalg.eigvalsh", matrix, call=lambda f, x: f(x @ x.mT))
    pair(
        "linalg.cond 1",
        lambda x: np.linalg.cond(x, 1),
        lambda x: torch.linalg.matrix_norm(x, 1) * torch.linalg.matrix_norm(torch.linalg.inv(x), 1),
        matrix,
    )
same("linalg.det", np.array([[1.0, 2.0], [2.0, 4.0]]))  # singular
same("linalg.solve", MATRIX, normal(3))
same("linalg.pinv linalg.svdvals", normal(2, 4, 3))
same("linalg.pinv linalg.svdvals", normal(3, 5))
same("linalg.norm", normal(2, 3))
same("linalg.norm", normal(2, 3, 4), axis=(0, 2), ord="nuc", keepdims=True)
same("linalg.norm", normal(2, 3, 4), axis=1, ord=3)
same("linalg.tensorsolve", normal(2, 3, 6), normal(2, 3))
same("linalg.tensorinv", normal(2, 3, 6))
same("linalg.lstsq", normal(5, 3), normal(5, 2), call=lambda f, a, b: f(a, b)[0])


def of_qr(q: Any, r: Any) -> Any:
    return abs(q), abs(r), q @ r


def of_eigh(values: Any, vectors: Any) -> Any:
    return values, abs(vectors), (vectors * values[..., None, :] ** 3) @ vectors.mT


def of_svd(u: Any, s: Any, vh: Any) -> Any:
    return s, abs(u), abs(vh), (u * s[..., None, :] ** 2) @ vh


for shape in ((3, 3), (4, 3), (2, 3, 3), (3, 4)):
    same("linalg.qr", normal(*shape), call=lambda f, x: of_qr(*f(x)))
    same("linalg.svd", normal(*shape), call=lambda f, x: of_svd(*f(x, full_matrices=False)))
for matrix in (MATRIX, STACK):
    same("linalg.eigh", matrix, call=lambda f, x: of_eigh(*f((x + x.mT) / 2)))
