"""The affine map: its shapes, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor, gradcheck
from nn.functional import linear


def test_lists_are_welcome() -> None:
    assert linear([1.0, 2.0], [[3.0, 4.0]], [0.5]).tolist() == [11.5]
    assert nn.Linear(2, 3)([1.0, 2.0]).shape == (3,)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3)])
def test_one_row_of_weights(shape: tuple[int, ...]) -> None:
    """Of shape (in_features,), as in PyTorch: the result has an axis less."""
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=shape), rng.normal(size=3), np.array(0.5)
    np.testing.assert_allclose(linear(x, weight, bias), x @ weight + 0.5)
    assert gradcheck(linear, x, weight, bias)
    assert gradcheck(linear, x, weight)


@pytest.mark.parametrize("shape", [(0,), (5, 0), (2, 5, 0), (2, 0, 0), (0, 5, 0)])
def test_no_features_give_the_bias(shape: tuple[int, ...]) -> None:
    layer = nn.Linear(0, 3)
    layer.bias.data = [1.0, 2.0, 3.0]  # type: ignore[union-attr]
    x = Tensor(np.zeros(shape, np.float32), requires_grad=True)
    out = layer(x)
    np.testing.assert_array_equal(out.data, np.broadcast_to([1, 2, 3], (*shape[:-1], 3)))
    out.sum().backward()
    assert (x.grad.shape, layer.weight.grad.shape) == (shape, (3, 0))
    assert layer.bias.grad.tolist() == [out.size // 3] * 3  # type: ignore[union-attr]


def test_no_examples_of_several_axes() -> None:
    layer = nn.Linear(3, 4)
    layer(np.zeros((0, 5, 3), np.float32)).sum().backward()
    assert not layer.weight.grad.any()


FIT = "linear: an input of shape (..., in_features) goes with a weight of shape (out_features, in_features), got "
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "features": (
        lambda: linear(np.zeros((2, 3)), np.zeros((3, 4))),
        FIT + "array(float64 (2, 3)) and array(float64 (3, 4)); reshape or transpose one of them",
    ),
    "a number": (
        lambda: linear(np.zeros(3), 2.0),
        FIT + "array(float64 (3,)) and array(float64 ()); reshape or transpose one of them",
    ),
    "a bias for each example": (
        lambda: linear(np.zeros((2, 3)), np.zeros((4, 3)), np.zeros((2, 4))),
        "linear: the bias must have shape (4,), got array(float64 (2, 4)); reshape it, or give another",
    ),
    "a bias that is a number": (
        lambda: linear(np.zeros((2, 3)), np.zeros((4, 3)), 2.0),
        "linear: the bias must have shape (4,), got array(float64 ()); reshape it, or give another",
    ),
    "negative lengths": (
        lambda: nn.Linear(-1, 3),
        "Linear(in_features=-1, out_features=3): both are lengths, integers of at least 0",
    ),
    "fractions": (
        lambda: nn.Linear(3, 2.5),  # type: ignore[arg-type]
        "Linear(in_features=3, out_features=2.5): both are lengths, integers of at least 0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, message = REFUSED[case]
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        call()
