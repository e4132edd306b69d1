"""The demonstration of micrograd: a network of single numbers, one operation at a time.

A perceptron 2-16-16-1 with relu, on 100 points of two moons; the loss is the max-margin loss of all points plus an L2
penalty, and a step of gradient descent follows. Every library does it number by number, as micrograd's notebook does:
what is measured is the price of recording and walking some 90,000 operations. By hand it is done with Python floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import mul
from typing import Any

import numpy as np

from benchmarks.workload import Contestant, Given, Workload, in_parts

ALPHA = 1e-4
"""The factor of the L2 penalty."""


class Moons(Workload):
    """micrograd's demonstration, number by number."""

    name = "moons"
    title = "scalar MLP 2-16-16-1, max-margin loss of 100 points, number by number"
    sizes = {"width": 16, "depth": 2, "points": 100}
    grows = {"points": (5, 10, 20, 50, 100), "width": (4, 8, 16, 32), "depth": (1, 2, 4, 8)}
    dtypes = ("float64",)
    slow = ("compiled",)

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add points of two interleaving half circles, their sides -1 and 1, and first weights and biases."""
        angles = rng.uniform(0, math.pi, given.points)
        side = np.where(np.arange(given.points) % 2, 1.0, -1.0)
        x = np.where(side < 0, np.cos(angles), 1 - np.cos(angles))
        y = np.where(side < 0, np.sin(angles), 0.5 - np.sin(angles))
        given.x = (np.stack([x, y], 1) + rng.normal(scale=0.1, size=(given.points, 2))).tolist()
        given.side = side.tolist()
        given.layers = [2, *[given.width] * given.depth, 1]
        given.start = []
        for n, m in zip(given.layers, given.layers[1:]):
            given.start += [rng.uniform(-1, 1, (m, n)), np.zeros(m)]

    def measures(self, contestant: str, given: Given) -> dict[str, int]:
        """All but those of the program: to count memory while it is made takes minutes."""
        return {} if contestant == "compiled" else super().measures(contestant, given)

    def numpy(self, given: Given) -> Contestant:
        """With lists of floats: a dot product is ``sum(map(mul, ...))``. Values of a unit lie side by side."""
        weights = [w.tolist() for w in given.start[::2]]
        biases = [b.tolist() for b in given.start[1::2]]
        inputs, side, rate, points = list(map(list, zip(*given.x))), given.side, given.rate, len(given.x)
        last = len(weights) - 1

        def step() -> float:
            columns, outputs = inputs, []
            for number, (w, b) in enumerate(zip(weights, biases)):
                outputs.append(columns)
                rows = list(zip(*columns))
                columns = [[sum(map(mul, unit, row), bias) for row in rows] for unit, bias in zip(w, b)]
                if number < last:
                    columns = [[z if z > 0 else 0.0 for z in column] for column in columns]
            margins = [1 - s * z for s, z in zip(side, columns[0])]
            loss = sum(m for m in margins if m > 0) / points
            loss += ALPHA * sum(p * p for w, b in zip(weights, biases) for part in (*w, b) for p in part)
            upstream = [[-s / points if m > 0 else 0.0 for s, m in zip(side, margins)]]
            for number in range(last, -1, -1):
                w, b, columns = weights[number], biases[number], outputs[number]
                below = []
                if number:
                    rows = list(zip(*upstream))
                    for into, column in zip(zip(*w), columns):
                        below.append([sum(map(mul, into, row)) if a > 0 else 0.0 for row, a in zip(rows, column)])
                for unit, (part, g) in enumerate(zip(w, upstream)):
                    w[unit] = [
                        p - rate * (sum(map(mul, g, column)) + 2 * ALPHA * p) for p, column in zip(part, columns)
                    ]
                    b[unit] -= rate * (sum(g) + 2 * ALPHA * b[unit])
                upstream = below
            return float(loss)

        def found() -> list[Any]:
            return [np.array(p) for pair in zip(weights, biases) for p in pair]

        return Contestant(step, found)

    def of_values(self, given: Given, value: Callable[[float], Any], set_free: Callable[[Any, float], Any]) -> Any:
        """Return the network of numbers that know ``+ * relu() backward()``, as micrograd's notebook writes it.

        Parameters
        ----------
        given : namespace
            What the contestants start from.
        value : callable
            Makes a number that learns.
        set_free : callable
            Takes such a number and how far it moves against its gradient, moves it, and takes the gradient away.
        """
        weights = [[[value(p) for p in unit] for unit in w.tolist()] for w in given.start[::2]]
        biases = [[value(p) for p in b.tolist()] for b in given.start[1::2]]
        parameters = [p for w, b in zip(weights, biases) for part in (*w, b) for p in part]
        last, rate = len(weights) - 1, given.rate

        def forward() -> Any:
            scores = []
            for h in given.x:
                for number, (w, b) in enumerate(zip(weights, biases)):
                    h = [sum((p * x for p, x in zip(unit, h)), bias) for unit, bias in zip(w, b)]
                    if number < last:
                        h = [z.relu() for z in h]
                scores.append(h[0])
            losses = [(1 + -side * score).relu() for side, score in zip(given.side, scores)]
            data_loss = sum(losses) * (1.0 / len(losses))
            return data_loss + ALPHA * sum(p * p for p in parameters)

        def update(_: Any) -> None:
            for p in parameters:
                set_free(p, rate)

        return forward, update, weights, biases

    def chainrule(self, given: Given) -> Contestant:
        """micrograd's notebook, with `Tensor` for `Value`."""
        from autograd import Tensor, no_grad

        def move(p: Any, rate: float) -> None:
            p -= rate * p.grad
            p.grad = None

        forward, move_all, weights, biases = self.of_values(given, lambda p: Tensor(p, requires_grad=True), move)

        def update(_: Any) -> None:
            with no_grad():
                move_all(None)

        def found() -> list[Any]:
            return collected(weights, biases, lambda p: p.item())

        return in_parts(forward, lambda loss: loss.backward(), found, update, lambda loss: loss.item())

    def compiled(self, given: Given) -> Contestant:
        """A program for the loss and its gradients; its 200,000 lines take some seconds to make."""
        from autograd import compiled, relu, value_and_grad

        weights = [[[np.float64(p) for p in unit] for unit in w] for w in given.start[::2]]
        biases = [[np.float64(p) for p in b] for b in given.start[1::2]]
        last, rate = len(weights) - 1, given.rate

        def loss_of(weights: Any, biases: Any) -> Any:
            scores = []
            for h in given.x:
                for number, (w, b) in enumerate(zip(weights, biases)):
                    h = [sum((p * x for p, x in zip(unit, h)), bias) for unit, bias in zip(w, b)]
                    if number < last:
                        h = [relu(z) for z in h]
                scores.append(h[0])
            losses = [relu(1 + -side * score) for side, score in zip(given.side, scores)]
            parameters = [p for w, b in zip(weights, biases) for part in (*w, b) for p in part]
            return sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in parameters)

        program = compiled(value_and_grad(loss_of, (0, 1)))

        def step() -> float:
            value, gradients = program(weights, biases)
            move([weights, biases], gradients)
            return float(value)

        def move(parts: list[Any], gradients: Any) -> None:
            for number, gradient in enumerate(gradients):
                if isinstance(gradient, list):
                    move(parts[number], gradient)
                else:
                    parts[number] -= rate * gradient

        return Contestant(step, lambda: collected(weights, biases, float))

    def torch(self, given: Given) -> Contestant:
        """The same with 0-d tensors of PyTorch."""
        import torch

        def value(p: float) -> Any:
            return torch.tensor(p, dtype=torch.float64, requires_grad=True)

        def move(p: Any, rate: float) -> None:
            p -= rate * p.grad
            p.grad = None

        forward, move_all, weights, biases = self.of_values(given, value, move)

        def update(_: Any) -> None:
            with torch.no_grad():
                move_all(None)

        def found() -> list[Any]:
            return collected(weights, biases, lambda p: p.item())

        return in_parts(forward, lambda loss: loss.backward(), found, update, lambda loss: loss.item())

    def micrograd(self, given: Given) -> Contestant:
        """The original."""
        import sys

        from micrograd.engine import Value

        sys.setrecursionlimit(100_000)  # its walk is recursive, and a sum of 100 losses is a deep graph

        def move(p: Any, rate: float) -> None:
            p.data -= rate * p.grad
            p.grad = 0

        forward, update, weights, biases = self.of_values(given, Value, move)

        def found() -> list[Any]:
            return collected(weights, biases, lambda p: p.data)

        return in_parts(forward, lambda loss: loss.backward(), found, update, lambda loss: loss.data)

    def hips(self, given: Given) -> Contestant:
        """The loss as a function of lists of floats."""
        from autograd import value_and_grad

        state = [(list(w.tolist()), b.tolist()) for w, b in zip(given.start[::2], given.start[1::2])]
        last, rate = len(state) - 1, given.rate

        def relu(z: Any) -> Any:
            return z if z > 0 else 0.0 * z

        def loss_of(state: Any) -> Any:
            loss, penalty = 0.0, 0.0
            layers = [([list(unit) for unit in w], list(b)) for w, b in state]
            for x, side in zip(given.x, given.side):
                h = x
                for number, (w, b) in enumerate(layers):
                    h = [sum((p * x for p, x in zip(unit, h)), bias) for unit, bias in zip(w, b)]
                    if number < last:
                        h = [relu(z) for z in h]
                loss = loss + relu(1 + -side * h[0])
            for w, b in layers:
                for part in (*w, b):
                    penalty = penalty + sum(p * p for p in part)
            return loss * (1.0 / len(given.x)) + ALPHA * penalty

        gradient_of = value_and_grad(loss_of)

        def step() -> float:
            loss, gradients = gradient_of(state)
            for (w, b), (by_w, by_b) in zip(state, gradients):
                for unit, by_unit in zip((*w, b), (*by_w, by_b)):
                    unit[:] = [p - rate * g for p, g in zip(unit, by_unit)]
            return float(loss)

        return Contestant(step, lambda: [np.array(p) for pair in state for p in pair])

    def mygrad(self, given: Given) -> Contestant:
        """The same with its 0-d tensors, and `maximum` for relu."""
        import mygrad as mg

        mg.Tensor.relu = lambda self: mg.maximum(self, 0.0)

        def move(p: Any, rate: float) -> None:
            p.data -= rate * p.grad
            p.null_grad()

        forward, update, weights, biases = self.of_values(given, mg.tensor, move)

        def found() -> list[Any]:
            return collected(weights, biases, lambda p: p.item())

        return in_parts(forward, lambda loss: loss.backward(), found, update, lambda loss: loss.item())


def collected(weights: Any, biases: Any, number: Callable[[Any], float]) -> list[Any]:
    """The numbers of all layers as arrays."""
    return [
        array
        for w, b in zip(weights, biases)
        for array in (np.array([[number(p) for p in unit] for unit in w]), np.array([number(p) for p in b]))
    ]


MOONS = Moons()
