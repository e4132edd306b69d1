"""Samples for `autograd.rules.linalg`."""

import math
from typing import Any

import numpy as np

from autograd.rules.linalg import cofactors, cofactors_slope
from tests.samples import Page, distinct, positive

page = Page()
f32 = np.float32
rng = np.random.default_rng(1)  # its own, so that the matrices stay well-conditioned whatever other pages draw


def normal(*shape: int, dtype: Any = np.float64) -> Any:
    return rng.normal(size=shape).astype(dtype)


def regular(*shape: int, dtype: Any = np.float64) -> Any:
    """Square matrices far from singular ones."""
    return np.asarray(normal(*shape) + 3 * np.eye(shape[-1]), dtype=dtype)


# Inverses
for shape in [(1, 1), (3, 3), (2, 3, 3), (0, 0)]:
    page(np.linalg.inv, regular(*shape))
page(np.linalg.inv, regular(3, 3, dtype=f32))
for a, b in [
    ((3, 3), (3,)),
    ((3, 3), (3, 2)),
    ((2, 3, 3), (2, 3, 2)),
    ((2, 3, 3), (3,)),
    ((4, 3, 3), (3, 2)),
    ((3, 3), (4, 3, 2)),
    ((2, 1, 3, 3), (3, 3, 1)),
    ((0, 0), (0, 2)),
]:
    page(np.linalg.solve, regular(*a), normal(*b))
page(np.linalg.solve, regular(3, 3, dtype=f32), normal(3, dtype=f32))
page(np.linalg.solve, [[2, 1], [1, 3]], normal(2), wrt=(1,))
page(np.linalg.solve, regular(2, 2), [1, 2], wrt=(0,))
for shape in [(3, 3), (4, 2), (2, 4), (2, 4, 3)]:
    page(np.linalg.pinv, normal(*shape))
page(np.linalg.pinv, normal(4, 2), rcond=1e-10)
page(np.linalg.pinv, normal(4, 2), rtol=1e-10)
page(np.linalg.pinv, normal(4, 2), None)
page(np.linalg.pinv, normal(4, 2, dtype=f32))
page(lambda a: np.linalg.pinv(a + a.T, hermitian=True), normal(3, 3), row=np.linalg.pinv)
page(lambda a, b: np.linalg.pinv(np.matmul(a, b)), normal(4, 2), normal(2, 3), row=np.linalg.pinv, note="of lower rank")
for a, b in [((4, 2), (4,)), ((4, 2), (4, 3)), ((3, 3), (3,)), ((2, 4), (2,)), ((2, 4), (2, 3))]:
    page(np.linalg.lstsq, normal(*a), normal(*b))
page(np.linalg.lstsq, normal(4, 2), normal(4), rcond=None)
page(np.linalg.lstsq, normal(4, 2), normal(4), 1e-8, wrt=(0, 1))
page(np.linalg.lstsq, normal(4, 2, dtype=f32), normal(4, dtype=f32))
page(np.linalg.lstsq, np.vander(np.arange(4.0), 2), normal(4), wrt=(1,))
page(np.linalg.tensorinv, regular(6, 6).reshape(2, 3, 6), ind=2)
page(np.linalg.tensorinv, regular(6, 6).reshape(6, 3, 2), ind=1)
page(np.linalg.tensorsolve, regular(6, 6).reshape(2, 3, 6), normal(2, 3))
page(np.linalg.tensorsolve, regular(6, 6).reshape(2, 3, 3, 2), normal(2, 3))
page(np.linalg.tensorsolve, np.moveaxis(regular(6, 6).reshape(6, 3, 2), 0, 1), normal(6), axes=(0, 2))

# Determinants
for shape in [(1, 1), (2, 2), (3, 3), (2, 3, 3), (0, 0)]:
    page(np.linalg.det, regular(*shape))
    page(np.linalg.slogdet, regular(*shape))
page(np.linalg.det, regular(3, 3, dtype=f32))
page(np.linalg.slogdet, regular(3, 3, dtype=f32))
page(np.linalg.slogdet, -regular(3, 3), note="negative")
page(np.linalg.det, np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 5.0]]), note="singular")
page(np.linalg.det, np.ones((3, 3)), note="of rank 1")
page(np.linalg.det, np.zeros((2, 2)), note="zero")
page(np.linalg.det, np.zeros((1, 1)), note="zero")
page(np.linalg.det, np.stack([np.ones((3, 3)), regular(3, 3)]), note="one singular")

page(cofactors, regular(3, 3))
page(cofactors, np.ones((3, 3)), order=1, note="singular")
page(cofactors_slope, normal(3, 3), np.ones((3, 3)), wrt=(0,))
page(cofactors_slope, normal(2, 3, 3), regular(2, 3, 3), wrt=(0,))

# Powers and chains
for n in (-3, -1, 0, 1, 2, 3, 5):
    page(np.linalg.matrix_power, regular(3, 3) / 3, n)
page(np.linalg.matrix_power, regular(2, 2, 2), 3)
page(np.linalg.matrix_power, regular(2, 2, dtype=f32), 3)
page(np.linalg.multi_dot, [normal(2, 3), normal(3, 4)])
page(np.linalg.multi_dot, [normal(2, 3), normal(3, 4), normal(4, 2), normal(2, 3)])
page(np.linalg.multi_dot, [normal(3), normal(3, 4), normal(4)])
page(np.linalg.multi_dot, (normal(3), normal(3, 4), normal(4, 2)))
page(np.linalg.multi_dot, [normal(2, 3, dtype=f32), normal(3, 4, dtype=f32), normal(4, dtype=f32)])

# Norms
page(np.linalg.norm, positive())
for shape in [(3,), (2, 3), (2, 3, 2)]:
    page(np.linalg.norm, normal(*shape))
    page(np.linalg.norm, normal(*shape), axis=0)
    page(np.linalg.norm, normal(*shape), axis=(-1,), keepdims=True)
    page(np.linalg.norm, normal(*shape), keepdims=True)
for order in (1, 2, 3, 2.5, 0.5, -1, -2, 0, math.inf, -math.inf):
    page(np.linalg.norm, distinct(4) + 0.12, order, wrt=(0,))
    page(np.linalg.norm, distinct(2, 3) + 0.12, ord=order, axis=-1)
    page(np.linalg.vector_norm, distinct(2, 3) + 0.12, ord=order)
    page(np.linalg.vector_norm, distinct(2, 3, 2) + 0.12, axis=(0, -1), keepdims=True, ord=order)
for order in (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
    page(np.linalg.norm, distinct(3, 2) + 0.12, order, wrt=(0,))
    page(np.linalg.norm, distinct(3, 2, 2) + 0.12, order, axis=(2, 0), wrt=(0,))
    page(np.linalg.norm, distinct(3, 2, 2) + 0.12, ord=order, axis=(0, -1), keepdims=True)
for order in ("fro", "nuc", 1, 2):
    page(np.linalg.matrix_norm, distinct(2, 3, 2) + 0.12, ord=order)
page(np.linalg.matrix_norm, normal(2, 3), keepdims=True)
page(np.linalg.vector_norm, normal(2, 3))
page(np.linalg.norm, normal(3, dtype=f32))
page(np.linalg.norm, normal(3, dtype=f32), 3)
page(np.linalg.norm, distinct(4, dtype=f32), math.inf, wrt=(0,))
page(np.linalg.norm, normal(0))
page(np.linalg.norm, np.array([3.0, 0.0, 4.0]))
page(np.linalg.norm, np.array([3.0, 0.0, 4.0]), 3, order=1)
for p in (None, 2, -2, 1, math.inf, "fro"):
    page(np.linalg.cond, regular(3, 3), p, wrt=(0,))
page(np.linalg.cond, normal(2, 4, 3))
