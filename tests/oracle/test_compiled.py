"""Compiled steps agree with PyTorch's loop, step for step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import compiled, value_and_grad

torch = pytest.importorskip("torch")

TOLERANCES = {"float64": 1e-12, "float32": 1e-5}
# No bias in front of a normalization: its gradient would be rounding alone, which optimizers make large
NETWORKS: dict[str, Callable[[Any, Any], Any]] = {
    "dense": lambda p, o: p.Sequential(
        p.Linear(6, 8, **o), p.Tanh(), p.Linear(8, 8, **o), p.GELU(), p.Linear(8, 3, **o)
    ),
    "normalized": lambda p, o: p.Sequential(
        p.Linear(6, 8, bias=False, **o), p.BatchNorm1d(8, **o), p.ReLU(), p.LayerNorm(8, **o), p.Linear(8, 3, **o)
    ),
    "convolutional": lambda p, o: p.Sequential(
        p.Conv2d(2, 3, 3, padding=1, bias=False, **o),
        p.BatchNorm2d(3, **o),
        p.ReLU(),
        p.MaxPool2d(2),
        p.Flatten(),
        p.Linear(12, 3, **o),
    ),
}
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adagrad", {"lr": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5}),
    ("Adam", {"lr": 0.01, "amsgrad": True}),
    ("AdamW", {"lr": 0.01}),
]


def twins(name: str, dtype: str) -> tuple[Any, Any]:
    """The same network of both."""
    own = NETWORKS[name](nn, {"dtype": np.dtype(dtype)})
    other = NETWORKS[name](torch.nn, {"dtype": getattr(torch, dtype)})
    other.load_state_dict({path: torch.tensor(np.asarray(value)) for path, value in own.state_dict().items()})
    return own, other


def batch(name: str, dtype: str, seed: int, size: int = 16) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    shape = (size, 2, 4, 4) if name == "convolutional" else (size, 6)
    return rng.normal(size=shape).astype(dtype), rng.integers(0, 3, size)


def compare(own: Any, other: Any, tolerance: float) -> None:
    for path, value in other.state_dict().items():
        value = value.numpy()
        actual = np.asarray(own.state_dict()[path])
        np.testing.assert_allclose(
            actual, value, rtol=0, atol=tolerance * np.max(np.abs(value), initial=1.0), err_msg=path
        )


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize(("optimizer", "options"), OPTIMIZERS, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_steps(name: str, optimizer: str, options: dict[str, Any], dtype: str) -> None:
    """With a last batch that is smaller, another rate after some steps, and frozen parameters at the end."""
    own, other = twins(name, dtype)
    ours, theirs = (
        getattr(package, optimizer)(model.parameters(), **options)
        for package, model in [(nn.optim, own), (torch.optim, other)]
    )
    step = nn.compiled_step(own, nn.CrossEntropyLoss(label_smoothing=0.1), ours)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    for seed in range(8):
        if seed == 4:
            ours.param_groups[0]["lr"] *= 0.5
            theirs.param_groups[0]["lr"] *= 0.5
        if seed == 6:
            own[0].requires_grad_(False)
            other[0].requires_grad_(False)
        x, y = batch(name, dtype, seed, 5 if seed % 3 == 2 else 16)
        theirs.zero_grad()
        loss = criterion(other(torch.tensor(x)), torch.tensor(y))
        loss.backward()
        theirs.step()
        np.testing.assert_allclose(step(x, y), loss.item(), rtol=TOLERANCES[dtype])
        compare(own, other, 10 * TOLERANCES[dtype])


def test_a_compiled_gradient() -> None:
    def loss(p: Any) -> Callable[..., Any]:
        return lambda w, x: p.sum(p.tanh(x @ w) ** 2 / (1 + p.exp(-x[:, :2])))

    program = compiled(value_and_grad(loss(np)))
    for seed in range(4):
        rng = np.random.default_rng(seed)
        w, x = rng.normal(size=(3, 2)), rng.normal(size=(4, 3))
        t = torch.tensor(w, requires_grad=True)
        expected = loss(torch)(t, torch.tensor(x))
        expected.backward()
        value, gradient = program(w, x)
        np.testing.assert_allclose(value, expected.item(), rtol=1e-12)
        np.testing.assert_allclose(gradient, t.grad.numpy(), rtol=1e-10)
