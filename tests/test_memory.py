"""`Tensor.set_`: leaves whose values lie in memory of others."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from autograd import GraphError, ShapeError, Tensor, no_grad


def raises(kind: type[Exception], message: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


def test_several_leaves_lie_in_one_array() -> None:
    memory = np.arange(6.0)
    a, b = Tensor(np.zeros((2, 2)), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)
    assert a.set_(memory[:4].reshape(2, 2)) is a
    b.set_(memory[4:])
    np.sum(np.sum(a) * b).backward()
    np.testing.assert_array_equal(a.grad, np.full((2, 2), 9.0))
    memory *= 2
    np.testing.assert_array_equal(a.data, [[0.0, 2.0], [4.0, 6.0]])
    np.testing.assert_array_equal(b.data, [8.0, 10.0])
    with no_grad():
        b += 1.0
    np.testing.assert_array_equal(memory[4:], [9.0, 11.0])


def test_what_belongs_to_the_leaf_stays() -> None:
    t = Tensor([1.0, 2.0], requires_grad=True, name="w")
    np.sum(t * t).backward()
    gradient = t.grad
    t.set_(np.zeros(2))
    assert (t.name, t.requires_grad, t.is_leaf) == ("w", True, True)
    np.testing.assert_array_equal(t.grad, gradient)


def test_the_gradient_may_lie_in_memory_too() -> None:
    memory, gradient = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    t = Tensor([0.0, 0.0], requires_grad=True)
    assert t.set_(memory, gradient) is t
    assert t.data is memory
    assert t.grad is gradient
    t.set_(memory)
    assert t.grad is gradient
    t.grad = None
    t.set_(memory, gradient)
    np.sum(t * t).backward()
    np.testing.assert_array_equal(t.grad, [5.0, 8.0])
    constant = Tensor([0.0, 0.0]).set_(memory, gradient)
    assert constant.grad is None


@pytest.mark.parametrize("same", [True, False])
def test_graphs_made_before_are_stale(same: bool) -> None:
    t = Tensor([1.0, 2.0], requires_grad=True)
    loss = np.sum(t * t)
    t.set_(t.data if same else np.array([3.0, 4.0]))
    with pytest.raises(GraphError, match="changed"):
        loss.backward()


def test_other_views_of_the_old_value_stay() -> None:
    t = Tensor([1.0, 2.0])
    old = t.data
    t.set_(np.zeros(2))
    np.testing.assert_array_equal(old, [1.0, 2.0])


@pytest.mark.parametrize("memory", [np.zeros(3), np.zeros((2, 1)), np.zeros(2, np.float32), np.zeros(())], ids=repr)
def test_memory_that_does_not_fit(memory: Any) -> None:
    t = Tensor([1.0, 2.0], requires_grad=True)
    with raises(
        ShapeError,
        f"set_() of Tensor(float64 (2,)) to memory of shape {memory.shape} and dtype {memory.dtype}; they must be the "
        "tensor's",
    ):
        t.set_(memory)
    with raises(
        ShapeError,
        f"set_() of Tensor(float64 (2,)) to memory of shape {memory.shape} and dtype {memory.dtype}; they must be the "
        "tensor's",
    ):
        t.set_(np.zeros(2), memory)
    np.testing.assert_array_equal(t.data, [1.0, 2.0])
    assert t.grad is None


def test_a_computed_tensor_has_no_memory_of_its_own() -> None:
    t = Tensor([1.0, 2.0], requires_grad=True) * 2
    with raises(GraphError, "set_() of Tensor(float64 (2,)), which was computed; only a leaf has memory of its own"):
        t.set_(np.zeros(2))


def test_zero_dimensions() -> None:
    memory = np.zeros(3)
    t = Tensor(1.0, requires_grad=True)
    t.set_(memory[1:2].reshape(()))
    memory += 5.0
    assert t.item() == 5.0
    (t * t).backward()
    assert t.grad == 10.0
