"""Checkpoints: the same numbers, in less memory."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, checkpoint, grad, hessian, hvp, jacobian, jvp, linearize, no_grad
from autograd.errors import GraphError
from autograd.record import replay

Function = Callable[..., Any]


def deep(x: Any) -> Any:
    for _ in range(4):
        x = np.tanh(x) * x
    return x


def test_checkpoint_changes_no_number() -> None:
    x, u = np.array([0.4, -0.7, 1.3]), np.array([1.0, 2.0, -1.0])
    f, g = (lambda x: np.sum(deep(x) * x)), (lambda x: np.sum(checkpoint(deep)(x) * x))
    np.testing.assert_array_equal(g(x), f(x))
    for transform in (
        grad,
        jacobian,
        partial(jacobian, mode="forward"),
        hessian,
        lambda f: grad(lambda x: np.sum(grad(f)(x) * u)),
        lambda f: lambda x: jvp(f, (x,), (u,))[1],
        lambda f: lambda x: jvp(grad(f), (x,), (u,))[1],
        lambda f: lambda x: grad(lambda x: jvp(f, (x,), (u,))[1])(x),
        lambda f: lambda x: hvp(f, x, u),
        lambda f: grad(checkpoint(f)),
        lambda f: lambda x: linearize(checkpoint(lambda x: grad(f)(x)), x)[1](u),
    ):
        np.testing.assert_allclose(transform(g)(x), transform(f)(x), rtol=1e-13)


def test_checkpoint_with_tensors() -> None:
    x, w = Tensor([1.0, 2.0], requires_grad=True), Tensor(3.0, requires_grad=True)
    y = checkpoint(lambda x: np.sum(w * x * x))(x)
    assert y.node.op.name == "output"
    y.backward(retain_graph=True)
    np.testing.assert_array_equal(x.grad, [6.0, 12.0])
    assert w.grad == 5.0
    y.backward()
    np.testing.assert_array_equal(x.grad, [12.0, 24.0])
    with pytest.raises(GraphError, match="was released by the backward"):
        y.backward()


def test_checkpoint_forgets_and_calls_again() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(x)
        return np.exp(np.sin(x))

    x = Tensor(0.5, requires_grad=True)
    y = checkpoint(f)(x)
    assert len(calls) == 1
    y.backward()
    assert len(calls) == 2
    np.testing.assert_allclose(x.grad, np.exp(np.sin(0.5)) * np.cos(0.5), rtol=1e-15)
    with no_grad():
        assert not checkpoint(f)(x).requires_grad
    assert checkpoint(f)(0.5) == f(0.5)
    assert len(calls) == 5


def test_checkpoint_saves_memory() -> None:
    """Of ten layers, each with ten arrays inside, only what is between the layers is kept."""
    size, layers, depth = 100_000, 10, 10

    def layer(x: Any) -> Any:
        for _ in range(depth):
            x = np.sin(x)
        return x

    def kept(layer: Function) -> float:
        x = Tensor(np.ones(size), requires_grad=True)
        gc.collect()
        tracemalloc.start()
        y = x
        for _ in range(layers):
            y = layer(y)
        total = np.sum(y)
        current, _ = tracemalloc.get_traced_memory()
        total.backward()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * size * (layers + depth + 8) or layer is not checkpointed
        return current / (8 * size)

    checkpointed = checkpoint(layer)
    assert round(kept(layer)) == layers * depth
    assert round(kept(checkpointed)) == layers


def test_checkpoint_of_structures() -> None:
    @checkpoint
    def f(params: Any, x: Any, *, scale: float = 1.0, label: str) -> Any:
        y = scale * params["w"] * x
        return {"y": y, "both": (y, y + params["b"][0]), "label": label, "constant": 3.0, "x": x}

    def loss(params: Any) -> Any:
        out = f(params, 5.0, scale=2.0, label="a")
        assert (out["label"], out["constant"], out["x"]) == ("a", 3.0, 5.0)
        return out["y"] * 1 + out["both"][0] * 10 + out["both"][1] * 100

    assert grad(loss)({"w": 1.0, "b": [7.0]}) == {"w": 1110.0, "b": [100.0]}
    assert jvp(loss, ({"w": 1.0, "b": [7.0]},), ({"w": 1.0, "b": [1.0]},)) == (1810.0, 1210.0)


def test_checkpoint_of_one_of_several_results() -> None:
    f = checkpoint(lambda x: (x * x, x * x * x))
    assert grad(lambda x: f(x)[1])(2.0) == 12.0
    assert jvp(lambda x: f(x)[0], (2.0,), (1.0,)) == (4.0, 4.0)
    assert grad(lambda x: f(x)[0] + f(x)[0])(2.0) == 8.0


def test_checkpoint_that_returns_what_it_was_given() -> None:
    w = Tensor(3.0, requires_grad=True)
    f = checkpoint(lambda x: (x, w, 2.0))
    x = Tensor(2.0, requires_grad=True)
    a, b, c = f(x)
    (a * b * c).backward()
    assert (x.grad, w.grad) == (6.0, 4.0)
    assert grad(lambda x: f(x)[0])(2.0) == 1.0


def test_checkpoint_with_one_input_computed_from_another() -> None:
    """The walk inside ends at the boundary: what lies between x and y is the outer walk's business."""

    def f(x: Any, wrap: Function) -> Any:
        y = x * x
        return wrap(lambda z: z * y * x)(x)

    for transform in grad, jacobian, lambda f: lambda x: jvp(f, (x,), (1.0,))[1], lambda f: grad(grad(f)), hessian:
        assert transform(lambda x: f(x, checkpoint))(2.0) == transform(lambda x: f(x, lambda g: g))(2.0)
    x = Tensor(2.0, requires_grad=True)
    f(x, checkpoint).backward()
    assert x.grad == 4 * 8.0


def test_checkpoint_in_checkpoint() -> None:
    inner = checkpoint(np.sin)
    outer = checkpoint(lambda x: inner(inner(x) * x))
    plain = lambda x: np.sin(np.sin(x) * x)
    for transform in grad, lambda f: grad(grad(f)), lambda f: grad(grad(grad(f))), hessian:
        np.testing.assert_allclose(transform(outer)(0.7), transform(plain)(0.7), rtol=1e-13)


def test_checkpoint_of_an_assignment() -> None:
    def f(x: Any) -> Any:
        x[0] = x[1] * x[1]
        return np.sum(x)

    x = Tensor([1.0, 2.0], requires_grad=True) * 1
    total = checkpoint(f)(x)
    np.testing.assert_array_equal(x.data, [1.0, 2.0])
    assert total.data == 6.0
    np.testing.assert_array_equal(grad(lambda x: checkpoint(f)(x))(np.array([1.0, 2.0])), [0.0, 5.0])


def test_checkpoint_with_dtypes() -> None:
    for dtype in np.float16, np.float32:
        gradient = grad(lambda x: np.sum(checkpoint(deep)(x)))(np.ones(3, dtype))
        assert gradient.dtype == dtype


def test_checkpoint_whose_surroundings_changed() -> None:
    """A parameter was updated between forward and backward: computing again would use the new value."""
    w, x = Tensor(3.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    y = checkpoint(lambda x: w * x)(x)
    with no_grad():
        w -= 1.0
    with pytest.raises(GraphError) as caught:
        y.backward()
    assert str(caught.value) == (
        "checkpoint of <lambda>: called again, the function did not compute the same from the same tensors; "
        "change neither what it closes over nor, in place, what it is given before the backward pass"
    )
    assert x.grad is None


def test_checkpoint_replayed() -> None:
    """The record runs forward through a checkpoint, from other values too."""
    x = Tensor(2.0, requires_grad=True)
    y = checkpoint(lambda x: x * x)(x)
    assert replay([y.node])[y.node] == 4.0
    assert replay([y.node], {x.node: np.float64(3.0)})[y.node] == 9.0


def test_checkpoint_of_a_deep_chain() -> None:
    def chain(x: Any) -> Any:
        for _ in range(50_000):
            x = -x
        return x

    assert grad(checkpoint(chain))(2.0) == 1.0
    assert jvp(checkpoint(chain), (2.0,), (1.0,)) == (2.0, 1.0)


def test_chain_of_checkpoints() -> None:
    """Each closes over the same old leaf; none walks through those before it."""
    w = Tensor(1.0, requires_grad=True)
    step = checkpoint(lambda x: w * x)
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(2_000):
        y = step(y)
    y.backward()
    assert (x.grad, w.grad) == (1.0, 2_000.0)
