"""Shapes, joining, padding, indexing, assignment and order."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag
from tests.oracle.pairs import Page, distinct, normal, torch

page = Page()
pair, same, alike = page.pair, page.same, page.alike
F = torch.nn.functional

# Shapes and joining

same("reshape", normal(2, 3, 2), call=lambda f, x: f(x, (3, -1)))
same("roll", normal(2, 3), call=lambda f, x: f(x, (1, -4), (0, 1)))
same("roll", normal(2, 3), call=lambda f, x: f(x, 4))
same("transpose=permute", normal(2, 3, 4), call=lambda f, x: f(x, (2, 0, -2)))
same("swapaxes", normal(2, 3, 4), call=lambda f, x: f(x, 0, -1))
same("moveaxis", normal(2, 3, 4), call=lambda f, x: f(x, (0, 1), (-1, 0)))
same("flip", normal(2, 3, 4), call=lambda f, x: f(x, (0, -1)))
same("tile", normal(2, 3), call=lambda f, x: f(x, (2, 1, 3)))
same("repeat=repeat_interleave", normal(2, 3), call=lambda f, x: f(x, 2, 1))
same("broadcast_to", normal(2, 1), call=lambda f, x: f(x, (4, 2, 3)))
same("meshgrid", normal(2), normal(3), call=lambda f, *xs: f(*xs, indexing="xy"))
same("diag triu", normal(3, 3), call=lambda f, x: f(x, 1))
same("diag tril", normal(3, 3), call=lambda f, x: f(x, -1))
same("diagonal", normal(2, 3, 4), call=lambda f, x: f(x, -1, 1, 2))
same("ravel atleast_1d atleast_2d atleast_3d squeeze flipud fliplr tril triu diag diagflat diagonal", normal(3, 3))
same("atleast_1d atleast_2d atleast_3d squeeze ravel", normal())
same("squeeze", normal(2, 1, 1), axis=1)
same("expand_dims=unsqueeze", normal(2, 3), axis=-2)
same("rot90", normal(2, 3))
same("rot90", normal(2, 3), k=3)
alike("T", lambda x: x.T, normal(2, 3))
alike("mT", lambda x: x.mT, normal(4, 2, 3))
pair(
    "repeat each",
    lambda x: np.repeat(x, [2, 0, 1], -1),
    lambda x: x.repeat_interleave(torch.tensor([2, 0, 1]), -1),
    normal(2, 3),
)
same("broadcast_arrays=broadcast_tensors", normal(2, 1), normal(3))
for axis in (0, -1):
    same("concatenate concat stack", normal(2, 3), normal(2, 3), call=lambda f, *xs, axis=axis: f(xs, axis))
for shape in ((3,), (2, 3)):
    same("vstack hstack dstack column_stack", normal(*shape), normal(*shape), call=lambda f, *xs: f(xs))
same("hsplit vsplit dsplit", normal(2, 2, 4), call=lambda f, x: f(x, 2))
same("split=tensor_split", normal(2, 5), call=lambda f, x: f(x, [1, 3], 1))
same("array_split=tensor_split", normal(5, 2), call=lambda f, x: f(x, 3))
if hasattr(np, "unstack"):  # since NumPy 2.1
    same("unstack=unbind", normal(2, 3), axis=1)
for mode, theirs in (("constant", "constant"), ("reflect", "reflect"), ("edge", "replicate"), ("wrap", "circular")):
    pair(
        f"pad {mode}",
        lambda x, mode=mode: np.pad(x, ((0, 0), (2, 1)), mode),
        lambda x, mode=theirs: F.pad(x, (2, 1), mode),
        normal(2, 4),
    )
pair(
    "vander",
    lambda x: np.vander(x, 4, True).astype(x.dtype),
    lambda x: torch.stack([x**n for n in range(4)], -1),
    normal(3),
)
pair("linspace", lambda a, b: np.linspace(a, b, 5), lambda a, b: a + (b - a) * torch.arange(5) / 4, normal(), normal())
pair("full_like", lambda x: np.full_like(x, x[1]), lambda x: x[1].expand(2), normal(2))
pair(
    "windows",
    lambda x: np.lib.stride_tricks.sliding_window_view(x, 3),
    lambda x: x.unfold(0, 3, 1),
    normal(6),
)

# Indexing

ROWS, MASK = np.array([0, -1, 0]), np.array([[True, False, True], [False, False, True]])
EVERY, EVEN = slice(None), slice(None, None, 2)


def tensors(key: Any) -> Any:
    """A key with PyTorch's tensors for its arrays."""
    if isinstance(key, tuple):
        return tuple(map(tensors, key))
    return torch.from_numpy(key) if isinstance(key, np.ndarray) else key


for key in (
    *(0, -1, slice(1, None), EVEN, None, ..., (EVERY, 1), (..., -1), (1, slice(0, 2)), (None, 0, ...)),
    *(ROWS, (ROWS, ROWS), (EVERY, ROWS), (ROWS[:, None], np.array([2, 0])), (ROWS, slice(1, 3)), (..., ROWS)),
    *(MASK, MASK[:, 0], (EVERY, MASK[0]), (ROWS, None, ROWS), (0, ROWS), [1, 0, 1], np.zeros(0, int)),
):
    pair(f"x[{key}]", operator.itemgetter(key), operator.itemgetter(tensors(key)), normal(2, 3))


def assigned(key: Any) -> Callable[..., Any]:
    """The function that returns a copy of its first argument with its second at the key."""

    def assign(x: Any, value: Any) -> Any:
        x = x * 1
        x[key] = value
        x[0] *= 2
        return x

    return assign


for key, shape in ((1, (3,)), ((EVERY, EVEN), (2, 1)), (MASK, ()), (ROWS[:2], (2, 3)), ((..., -1), (2,))):
    pair(f"x[{key}] = y", assigned(key), assigned(tensors(key)), normal(2, 3), normal(*shape))
INDICES = np.array([[0, 2], [1, 1]])
pair("take", lambda x: np.take(x, INDICES), lambda x: x.take(torch.from_numpy(INDICES)), normal(2, 3))
pair("take along", lambda x: np.take(x, ROWS, 1), lambda x: x[:, ROWS.tolist()], normal(2, 3))
pair(
    "take_along_axis",
    lambda x: np.take_along_axis(x, INDICES, -1),
    lambda x: x.take_along_dim(torch.from_numpy(INDICES), -1),
    normal(2, 3),
)
pair(
    "index_add",
    lambda x, y: ag.index_add(x, np.array([0, 2, 0]), y),
    lambda x, y: x.index_add(0, torch.tensor([0, 2, 0]), y),
    normal(3, 2),
    normal(3, 2),
)
pair("compress", lambda x: np.compress([True, False, True], x, 1), lambda x: x[:, [0, 2]], normal(2, 3))
pair("extract", lambda x: np.extract(MASK, x), lambda x: x.masked_select(torch.from_numpy(MASK)), normal(2, 3))
pair("largest two", lambda x: np.sort(x)[..., :-3:-1], lambda x: x.topk(2).values, distinct(3, 4))
pair("partition", lambda x: np.partition(x, 2)[..., 2], lambda x: x.kthvalue(3).values, distinct(3, 5))
