"""Embedding: rows of a table, and gradients that add up in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import DtypeError, OutOfRangeError, ShapeError, Tensor, gradcheck, one_hot
from nn.functional import embedding

TABLE = np.arange(12.0).reshape(4, 3)


def test_rows() -> None:
    assert embedding([[1, 3], [0, 0]], TABLE).tolist() == [[[3, 4, 5], [9, 10, 11]], [[0, 1, 2], [0, 1, 2]]]
    assert embedding(2, TABLE).tolist() == [6, 7, 8]
    assert embedding([], TABLE).shape == (0, 3)
    assert embedding(np.zeros((2, 0), int), Tensor(TABLE)).shape == (2, 0, 3)
    np.testing.assert_array_equal(embedding(Tensor([1, 3]), TABLE), TABLE[[1, 3]])
    np.testing.assert_array_equal(embedding(np.array([1, 3], np.uint8), TABLE), TABLE[[1, 3]])
    np.testing.assert_allclose(embedding([1, 3, 1], TABLE), one_hot([1, 3, 1], 4) @ TABLE)


def test_gradients_of_rows_that_come_again_add_up() -> None:
    weight = Tensor(TABLE, requires_grad=True)
    out = embedding([1, 3, 1, 1], weight)
    out.backward(np.array([[1.0, 2, 3], [4, 5, 6], [10, 20, 30], [100, 200, 300]]))
    assert weight.grad.tolist() == [[0, 0, 0], [111, 222, 333], [0, 0, 0], [4, 5, 6]]
    assert gradcheck(lambda table: embedding([[1, 3], [1, 0]], table) ** 2, TABLE)


@pytest.mark.parametrize("padding", [3, -1])
def test_padding_has_no_gradient(padding: int) -> None:
    weight = Tensor(TABLE, requires_grad=True)
    out = embedding([1, 3, 1], weight, padding)
    assert out.data.tolist() == TABLE[[1, 3, 1]].tolist()
    (out * out).sum().backward()
    assert weight.grad.tolist() == [[0, 0, 0], [12, 16, 20], [0, 0, 0], [0, 0, 0]]
    assert embedding([1, 3], TABLE, padding).tolist() == TABLE[[1, 3]].tolist()


def test_module() -> None:
    layer = nn.Embedding(500, 40, rng=np.random.default_rng(0))
    assert [(name, p.shape, p.dtype) for name, p in layer.named_parameters()] == [("weight", (500, 40), np.float32)]
    assert abs(layer.weight.data.mean()) < 0.02
    assert abs(layer.weight.data.std() - 1) < 0.02
    twin = nn.Embedding(500, 40, dtype=float, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(twin.weight.data.astype(np.float32), layer.weight.data)
    out = layer([[1, 2], [499, 0]])
    assert (out.shape, out.dtype) == ((2, 2, 40), np.float32)
    assert repr(layer) == "Embedding(500, 40)"


def test_module_with_padding() -> None:
    layer = nn.Embedding(5, 2, padding_idx=-5, rng=np.random.default_rng(0))
    assert layer.padding_idx == 0
    assert repr(layer) == "Embedding(5, 2, padding_idx=0)"
    assert layer.weight.data[0].tolist() == [0, 0]
    assert layer.weight.data[1:].all()
    layer([[0, 1], [4, 0]]).sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0], [1, 1]]


def test_rows_that_were_learned_elsewhere() -> None:
    table = np.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(table, padding_idx=-1)
    table[:] = 0
    assert layer([0, 2]).data.tolist() == [[0, 1], [4, 5]]
    assert (layer.weight.dtype, layer.weight.requires_grad) == (float, False)
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert repr(layer) == "Embedding(3, 2, padding_idx=2)"
    learned = nn.Embedding.from_pretrained(layer.weight, freeze=False, padding_idx=0)
    learned([0, 1]).sum().backward()
    assert learned.weight.grad.tolist() == [[0, 0], [1, 1], [0, 0]]


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "above": (
        lambda: nn.Embedding(4, 3)([[0, 1], [4, 9]]),
        OutOfRangeError,
        "embedding: index 4 at (1, 0) of indices of shape (2, 2) is not in a table of 4 rows; indices run from 0 to 3",
    ),
    "no table": (
        lambda: nn.Embedding.from_pretrained([1.0, 2.0]),
        ShapeError,
        "Embedding.from_pretrained takes a table of shape (num_embeddings, embedding_dim), got [1.0, 2.0]",
    ),
    "padding of a table": (
        lambda: nn.Embedding.from_pretrained([[1.0, 2.0]], padding_idx=1),
        OutOfRangeError,
        "padding_idx=1 is not in a table of 1 rows",
    ),
    "negative": (
        lambda: embedding([2, -1], TABLE),
        OutOfRangeError,
        "embedding: index -1 at (1,) of indices of shape (2,) is not in a table of 4 rows; indices run from 0 to 3",
    ),
    "too large for a signed integer": (
        lambda: embedding(np.array(2**64 - 1, np.uint64), TABLE),
        OutOfRangeError,
        "embedding: index 18446744073709551615 at () of indices of shape () is not in a table of 4 rows; "
        "indices run from 0 to 3",
    ),
    "floats": (
        lambda: nn.Embedding(4, 3)(Tensor([1.0], requires_grad=True)),
        DtypeError,
        "embedding: indices must be integers, got array(float64 (1,)); use indices.astype(int)",
    ),
    "booleans": (
        lambda: embedding([True], TABLE),
        DtypeError,
        "embedding: indices must be integers, got array(bool (1,)); use indices.astype(int)",
    ),
    "a vector for a table": (
        lambda: embedding([0], TABLE[0]),
        ShapeError,
        "embedding: the table must have shape (num_embeddings, embedding_dim), got array(float64 (3,))",
    ),
    "padding": (
        lambda: nn.Embedding(4, 3, padding_idx=4),
        OutOfRangeError,
        "padding_idx=4 is not in a table of 4 rows",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, kind, message = REFUSED[case]
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()
    assert issubclass(OutOfRangeError, IndexError)


def test_indices_that_change_before_backward() -> None:
    weight, indices = Tensor(np.zeros((5, 2)), requires_grad=True), np.array([1, 2])
    rows = embedding(indices, weight)
    indices[:] = 4
    np.sum(rows).backward()
    np.testing.assert_array_equal(weight.grad[:, 0], [0, 1, 1, 0, 0])
