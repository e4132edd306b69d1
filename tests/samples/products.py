"""Samples for `autograd.rules.products`."""

import numpy as np

from tests.samples import Page, normal

page = Page()
f32 = np.float32

# matmul: vectors, matrices and stacks of them in all combinations
for x, y in [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((3,), (4, 3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((2, 3), (4, 3, 2)),
    ((4, 2, 3), (3,)),
    ((4, 2, 3), (3, 2)),
    ((4, 2, 3), (4, 3, 2)),
    ((4, 1, 2, 3), (3, 3, 2)),
    ((1, 2, 3), (4, 3, 2)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((5, 0, 3), (3,)),
]:
    page(np.matmul, normal(*x), normal(*y))
page(np.matmul, normal(2, 3, dtype=f32), normal(3, 2, dtype=f32))
page(np.matmul, normal(2, 3, dtype=f32), normal(3, 2), note="mixed precision")
page(np.matmul, normal(2, 3), [[1, 2], [3, 4], [5, 6]], wrt=(0,))
page(np.matmul, normal(3, 2).T, normal(4, 3).T, note="transposed views")
page(np.linalg.matmul, normal(2, 3), normal(3, 2))

# dot, and the products written in it
for a, b in [
    ((), ()),
    ((), (2, 3)),
    ((2, 3), ()),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((3,), (4, 3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((2, 3), (4, 3, 2)),
    ((4, 2, 3), (3,)),
    ((4, 2, 3), (3, 2)),
    ((4, 2, 3), (2, 3, 2)),
    ((2, 0), (0, 3)),
    ((0,), (0,)),
]:
    page(np.dot, normal(*a), normal(*b))
page(np.dot, normal(3, dtype=f32), normal(3, 2, dtype=f32))
page(np.dot, normal(2, 3), 2.5)
page(np.dot, normal(3), [1, 2, 3], wrt=(0,))
page(np.vdot, normal(3), normal(3))
page(np.vdot, normal(2, 3), normal(2, 3))
page(np.vdot, normal(), normal())
for a, b in [
    ((), (3,)),
    ((2, 3), ()),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2, 3), (4, 3)),
    ((2, 1, 3), (2, 3)),
    ((0, 3), (3,)),
]:
    page(np.inner, normal(*a), normal(*b))
page(np.inner, normal(3, dtype=f32), normal(3, dtype=f32))
for a, b in [((3,), (2,)), ((), (2,)), ((2, 2), (3,)), ((0,), (2,))]:
    page(np.outer, normal(*a), normal(*b))
page(np.linalg.outer, normal(3), normal(2))
for a, b in [((2,), (3,)), ((2, 3), (3, 2)), ((2,), (2, 3)), ((2, 1, 2), (3, 2)), ((), (2, 2)), ((), ())]:
    page(np.kron, normal(*a), normal(*b))
page(np.kron, [[1, 2]], normal(2, 2), wrt=(1,))

# tensordot
page(np.tensordot, normal(2, 3, 4), normal(3, 4, 2))
page(np.tensordot, normal(2, 3), normal(3, 2), 1)
page(np.tensordot, normal(2, 3), normal(2), axes=0)
page(np.tensordot, normal(), normal(2), axes=0)
page(np.tensordot, normal(2, 3), normal(2, 3), axes=2)
page(np.tensordot, normal(2, 3), normal(3, 4), axes=(1, 0))
page(np.tensordot, normal(2, 3), normal(4, 3), axes=(-1, -1))
page(np.tensordot, normal(2, 3, 4), normal(4, 5, 2), axes=[[0, 2], [2, 0]])
page(np.tensordot, normal(2, 3, 4), normal(3, 4, 2), axes=([2, 0, 1], [1, 2, 0]))
page(np.tensordot, normal(2, 3, 4), normal(4, 2, 3, 2), axes=((-1, 1), (0, -2)))
page(np.tensordot, normal(0, 3), normal(3, 2), axes=1)
page(np.tensordot, normal(2, 3, dtype=f32), normal(3, dtype=f32), axes=1)
page(np.linalg.tensordot, normal(2, 3), normal(3, 2), axes=1)

# einsum
for subscripts, *shapes in [
    ("i->i", (3,)),
    ("ij->ji", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("ij", (2, 3)),
    ("ba", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->ji", (2, 2, 3)),
    ("iii->i", (2, 2, 2)),
    ("i,i", (3,), (3,)),
    ("i,i->i", (3,), (3,)),
    ("i,j->ij", (3,), (2,)),
    ("i,j->j", (3,), (2,)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk->k", (2, 3), (3, 4)),
    ("ij, jk -> ki", (2, 3), (3, 4)),
    ("ii,ij->j", (3, 3), (3, 2)),
    ("ij,ij->ij", (1, 3), (4, 3)),
    ("ij,ij->", (4, 1), (4, 3)),
    (",i->i", (), (3,)),
    ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ("...ij,...jk->...ik", (2, 2, 3), (2, 3, 2)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)),
    ("...ij,jk", (2, 2, 3), (3, 2)),
    ("...,...", (2, 3), (3,)),
    ("...ii->...i", (2, 3, 3)),
    ("...i,...i->...", (3,), (4, 3)),
    ("i...->...", (3, 2, 2)),
    ("i...,i...->i...", (3, 1), (3, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    ("i,ij,j->", (2,), (2, 3), (3,)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("ij,jk->ik", (0, 3), (3, 2)),
    ("ij,jk->ik", (2, 0), (0, 3)),
]:
    page(np.einsum, subscripts, *[normal(*shape) for shape in shapes])
page(np.einsum, "ij,jk,kl->il", normal(2, 3), normal(3, 2), normal(2, 2), optimize=True)
page(np.einsum, "ij,ij,j", normal(1, 3), normal(4, 3), normal(3), optimize="greedy")
page(np.einsum, "ij,j", normal(2, 3, dtype=f32), normal(3, dtype=f32))
page(np.einsum, "ii->i", normal(3, 3, dtype=f32))
page(np.einsum, "ij,j", normal(2, 3), [1, 2, 3], wrt=(1,))
page(np.einsum, normal(2, 3), [0, 1], normal(3, 2), [1, 2], [0, 2], wrt=(0, 2))
page(np.einsum, normal(2, 3), [1, 0], normal(3, 2), [0, 2], wrt=(0, 2))
page(np.einsum, normal(4, 2, 3), [Ellipsis, 0, 1], normal(3), [1], [Ellipsis, 0], wrt=(0, 2))
page(np.einsum, normal(3, 3), [0, 0], wrt=(0,))

# Products along axes
for function in (np.vecdot, np.linalg.vecdot):
    page(function, normal(3), normal(3))
    page(function, normal(2, 3), normal(3))
    page(function, normal(2, 1, 3), normal(4, 3))
page(np.linalg.vecdot, normal(3, 2), normal(3, 2), axis=0)
page(np.vecdot, normal(3, 2), normal(3, 2), axis=0)
page(np.vecdot, normal(2, 0), normal(2, 0))
if hasattr(np, "matvec"):
    page(np.matvec, normal(2, 3), normal(3))
    page(np.matvec, normal(4, 2, 3), normal(3))
    page(np.matvec, normal(2, 3), normal(4, 3))
    page(np.vecmat, normal(3), normal(3, 2))
    page(np.vecmat, normal(4, 3), normal(3, 2))
    page(np.vecmat, normal(3), normal(4, 3, 2))
    page(np.matvec, normal(4, 1, 2, 3), normal(5, 3))
    page(np.vecmat, normal(5, 3), normal(4, 1, 3, 2))
    page(np.matvec, normal(2, 0), normal(0))
    page(np.vecmat, normal(3, dtype=np.float32), normal(3, 2, dtype=np.float32))

page(np.trace, normal(3, 3))
page(np.trace, normal(2, 3), offset=1)
page(np.trace, normal(2, 3, 3), 0, 1, 2)
page(np.trace, normal(3, 2, 3), offset=-1, axis1=0, axis2=-1)
page(np.trace, normal(3, 3, dtype=f32))
page(np.linalg.trace, normal(2, 3, 3))
page(np.linalg.trace, normal(2, 3, 4), offset=1)

page(np.cross, normal(3), normal(3))
page(np.cross, normal(4, 3), normal(3))
page(np.cross, normal(2, 1, 3), normal(4, 3))
page(np.cross, normal(3, 4), normal(3, 4), axis=0)
page(np.cross, normal(3, 4), normal(4, 3), axisa=0)
page(np.cross, normal(3, 4), normal(4, 3), 0, -1, 0)
page(np.cross, normal(3, dtype=f32), normal(3, dtype=f32))
page(np.cross, normal(3), [1, 2, 3], wrt=(0,))
page(np.linalg.cross, normal(2, 3), normal(2, 3))
page(np.linalg.cross, normal(3, 2), normal(3, 2), axis=0)

for function in (np.convolve, np.correlate):
    for mode in ("full", "same", "valid"):
        for n, m in [(5, 3), (5, 2), (2, 5), (3, 5), (4, 4), (1, 3), (6, 2)]:
            page(function, normal(n), normal(m), mode)
    page(function, normal(4), normal(3))
    page(function, normal(4, dtype=f32), normal(3, dtype=f32), mode="same")
    page(function, normal(4), [1, 2], wrt=(0,))
page(np.convolve, normal(), normal(3))
