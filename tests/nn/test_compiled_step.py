"""A compiled step does what a step of the loop does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from nn.functional import cross_entropy
from nn.optim import SGD

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 8, 4))
Y = RNG.integers(0, 3, (20, 8))


def network(*middle: Callable[[], nn.Module]) -> nn.Sequential:
    rng = np.random.default_rng(1)
    layers = [nn.Linear(4, 5, rng=rng, dtype=float), *(make() for make in middle), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(5, 3, rng=rng, dtype=float))


class Twins:
    """Two networks that are the same: one takes steps in the loop, one compiled steps."""

    def __init__(self, make: Callable[[], Any], optimizer: Callable[[Any], Any], loss: Any = cross_entropy) -> None:
        self.models = plain, fast = make(), make()
        fast.load_state_dict(plain.state_dict())
        self.optimizers = [optimizer(model) for model in self.models]
        self.loss = loss
        self.compiled = nn.compiled_step(fast, loss, self.optimizers[1])

    def step(self, *batch: Any) -> None:
        """Take a step of both, and compare what there is."""
        expected = loop_step(self.models[0], self.loss, self.optimizers[0], *batch)
        loss = self.compiled(*batch)
        np.testing.assert_allclose(loss, expected, rtol=1e-12)
        self.compare()

    def compare(self, rtol: float = 1e-12) -> None:
        states = [model.state_dict() for model in self.models]
        for path, value in states[0].items():
            np.testing.assert_allclose(states[1][path], value, rtol=rtol, atol=rtol, err_msg=path)

    def each(self, change: Callable[[Any, Any], Any]) -> None:
        """Change both."""
        for model, optimizer in zip(self.models, self.optimizers, strict=True):
            change(model, optimizer)


def loop_step(model: Any, loss: Any, optimizer: Any, x: Any, *targets: Any) -> float:
    optimizer.zero_grad()
    value = loss(model(x), *targets)
    value.backward()
    optimizer.step()
    return float(value.data)


def sgd(model: Any) -> Any:
    return SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)


def test_other_batches() -> None:
    twins = Twins(network, sgd)
    for x, y in zip(X, Y, strict=True):
        twins.step(x, y)


def test_parameters_that_the_loss_does_not_depend_on() -> None:
    """They have no gradient, and do not move."""

    class Half(nn.Module):
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self.used, self.idle = (nn.Linear(4, 3, rng=rng, dtype=float) for _ in range(2))

        def forward(self, x: Any) -> Any:
            return self.used(x)

    twins = Twins(Half, sgd)
    for x, y in zip(X[:5], Y, strict=False):
        twins.step(x, y)


def test_training_and_evaluation_take_turns() -> None:
    """What was learned of the batches is used in evaluation each time."""
    twins = Twins(lambda: network(lambda: nn.BatchNorm1d(5, dtype=float)), sgd)
    for k, (x, y) in enumerate(zip(X[:9], Y, strict=False)):
        twins.step(x, y)
        twins.each(lambda model, _: model.train(k % 3 == 0))  # noqa: B023


def test_class_weights_and_label_smoothing() -> None:
    for options in {"weight": np.array([1.0, 2.0, 3.0])}, {"label_smoothing": 0.1}:
        twins = Twins(network, sgd, nn.CrossEntropyLoss(**options))
        for x, y in zip(X[:4], Y, strict=False):
            twins.step(x, y)


def test_layers_that_are_exchanged() -> None:
    twins = Twins(network, sgd)
    for k, (x, y) in enumerate(zip(X[:6], Y, strict=False)):
        twins.step(x, y)
        if k == 2:
            twins.each(lambda model, _: model.__setitem__(1, nn.Sigmoid()))


def test_a_loss_with_parameters_of_its_own() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            self.scale = nn.Parameter(np.ones(3), dtype=float)

        def forward(self, x: Any, y: Any) -> Any:
            return cross_entropy(x * self.scale, y)

    losses = Scaled(), Scaled()
    models = network(), network()
    models[1].load_state_dict(models[0].state_dict())
    optimizers = [SGD([*m.parameters(), *loss.parameters()], lr=0.1) for m, loss in zip(models, losses, strict=True)]
    step = nn.compiled_step(models[1], losses[1], optimizers[1])
    for x, y in zip(X[:4], Y, strict=False):
        loop_step(models[0], losses[0], optimizers[0], x, y)
        step(x, y)
        np.testing.assert_allclose(losses[1].scale.data, losses[0].scale.data, rtol=1e-12)
