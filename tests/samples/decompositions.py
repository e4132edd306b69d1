"""Samples for `autograd.rules.decompositions`.

Functions of symmetric matrices are sampled through one that makes its argument symmetric, and eigenvectors and singular
vectors, whose signs are a matter of choice, as NumPy chooses them.
"""

from typing import Any

import numpy as np

from autograd.rules.decompositions import null_space, reduced_svd, tall_qr
from tests.samples import Page

page = Page()
f32 = np.float32
rng = np.random.default_rng(1)  # its own, so that the matrices stay well-conditioned whatever other pages draw


def normal(*shape: int, dtype: Any = np.float64) -> Any:
    return rng.normal(size=shape).astype(dtype)


def definite(a: Any) -> Any:
    return a @ a.mT + np.eye(a.shape[-1], dtype=a.dtype)


def symmetric(a: Any) -> Any:
    return a + a.mT


for shape in [(1, 1), (3, 3), (2, 3, 3), (0, 0)]:
    page(lambda a: np.linalg.cholesky(definite(a)), normal(*shape), row=np.linalg.cholesky, note=f"cholesky {shape}")
    page(lambda a: np.linalg.eigh(symmetric(a)), normal(*shape), row=np.linalg.eigh, note=f"eigh {shape}")
    page(lambda a: np.linalg.eigvalsh(symmetric(a)), normal(*shape), row=np.linalg.eigvalsh, note=f"eigvalsh {shape}")
page(lambda a: np.linalg.cholesky(definite(a), upper=True), normal(3, 3), row=np.linalg.cholesky, note="cholesky upper")
page(
    lambda a: np.linalg.cholesky(definite(a)), normal(3, 3, dtype=f32), row=np.linalg.cholesky, note="cholesky float32"
)
page(lambda a: np.linalg.eigh(symmetric(a), "U"), normal(3, 3), row=np.linalg.eigh, note="eigh U")
page(lambda a: np.linalg.eigh(symmetric(a), UPLO="U"), normal(2, 2), row=np.linalg.eigh, note="eigh UPLO=U")
page(lambda a: np.linalg.eigvalsh(symmetric(a), "U"), normal(3, 3), row=np.linalg.eigvalsh, note="eigvalsh U")
page(lambda a: np.linalg.eigh(symmetric(a)), normal(3, 3, dtype=f32), row=np.linalg.eigh, note="eigh float32")

for shape in [(1, 1), (3, 3), (4, 2), (2, 4), (2, 4, 3), (2, 2, 3)]:
    page(np.linalg.qr, normal(*shape))
    page(np.linalg.qr, normal(*shape), mode="r")
    page(np.linalg.svd, normal(*shape), full_matrices=False)
    page(np.linalg.svd, normal(*shape), compute_uv=False)
    page(np.linalg.svdvals, normal(*shape))
page(np.linalg.qr, normal(3, 3), "complete")
page(np.linalg.qr, normal(2, 3), "complete")
page(np.linalg.qr, np.asarray([[3, 1], [0, 1], [1, 0], [2, -1]], f32))
page(tall_qr, normal(4, 3))
page(np.linalg.svd, normal(3, 3))
page(np.linalg.svd, normal(2, 3, 3), True, True)
page(np.linalg.svd, np.asarray([[3, 1], [0, 1], [1, 0], [2, -1]], f32), False)
page(lambda a: np.linalg.svd(symmetric(a), hermitian=True), normal(3, 3), row=np.linalg.svd, note="svd hermitian")
page(reduced_svd, normal(4, 3))
for shape in [(4, 2), (2, 4), (2, 4, 3)]:
    page(np.linalg.svd, normal(*shape), order=0)
    page(lambda a: np.linalg.svd(a).S, normal(*shape), row=np.linalg.svd, note=f"values of a full svd {shape}")
    page(null_space, normal(*shape), order=0)
page(lambda a: np.linalg.svd(a).Vh, normal(4, 2), row=np.linalg.svd, note="right vectors of a full svd")
