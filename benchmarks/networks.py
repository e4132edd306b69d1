"""Training steps of networks built with `nn`, as ratios to code written by hand: ``python benchmarks/networks.py``.

As in ``engine.py``: contestants alternate within a round, a figure is the median over the rounds of the ratio within a
round, and results are compared before anything is timed. PyTorch is left out where it is not installed.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from engine import Contestants, table, verified  # first: it gives BLAS one thread

import numpy as np

import nn
from autograd import Tensor
from nn.functional import cross_entropy

RATE = 1e-3


def data(batch: int, features: int, classes: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, features)).astype(np.float32), rng.integers(0, classes, batch)


def loss_by_hand(logits: Any, labels: Any) -> tuple[Any, Any]:
    """Cross-entropy and its gradient, written down as it is usually written."""
    rows = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    loss = -np.log(probabilities[rows, labels]).mean()
    gradient = probabilities.copy()
    gradient[rows, labels] -= 1
    gradient /= len(labels)
    return loss, gradient


def training(
    sizes: tuple[int, ...], batch: int, activation: str, by_hand: Callable[..., Any], **options: Any
) -> Contestants:
    """A step of gradient descent with `nn`, by hand from the same start, and with PyTorch."""
    x, labels = data(batch, sizes[0], sizes[-1])
    model = nn.MLP(sizes, activation=activation, rng=np.random.default_rng(0), **options)
    parameters = [p.data.copy() for p in model.parameters()]
    optimizer = nn.optim.SGD(model.parameters(), lr=RATE)

    def ours() -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    contestants: Contestants = {"by hand": lambda: by_hand(parameters, x, labels), "chainrule": ours}
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        kinds = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}
        layers: list[Any] = []
        for i, (n, m) in enumerate(pairwise(sizes)):
            hidden = i + 2 < len(sizes)
            layers.append(torch.nn.Linear(n, m, bias=not (hidden and options.get("batch_norm"))))
            if hidden:
                layers += [torch.nn.BatchNorm1d(m)] if options.get("batch_norm") else []
                layers.append(kinds[activation]())
                layers += [torch.nn.Dropout(options["dropout"])] if options.get("dropout") else []
        twin = torch.nn.Sequential(*layers)
        with torch.no_grad():
            for p, value in zip(twin.parameters(), parameters):
                p.copy_(torch.from_numpy(value))
        descent = torch.optim.SGD(twin.parameters(), lr=RATE)
        x_t, labels_t = torch.from_numpy(x), torch.from_numpy(labels)

        def torch_eager() -> Any:
            descent.zero_grad()
            loss = torch.nn.functional.cross_entropy(twin(x_t), labels_t)
            loss.backward()
            descent.step()
            return loss.item()

        contestants["torch"] = torch_eager
    return contestants


def dense_by_hand(activation: str) -> Callable[..., Any]:
    def step(parameters: list[Any], x: Any, labels: Any) -> Any:
        activations = [x]
        for i in range(0, len(parameters), 2):
            z = activations[-1] @ parameters[i].T + parameters[i + 1]
            if i + 2 < len(parameters):
                z = np.maximum(z, 0) if activation == "relu" else np.tanh(z)
            activations.append(z)
        loss, gradient = loss_by_hand(activations.pop(), labels)
        gradients: list[Any] = [None] * len(parameters)
        for i in range(len(parameters) - 2, -1, -2):
            a = activations.pop()
            gradients[i], gradients[i + 1] = gradient.T @ a, gradient.sum(axis=0)
            if i:
                gradient = gradient @ parameters[i]
                gradient = gradient * (a > 0) if activation == "relu" else gradient * (1 - a * a)
        for p, g in zip(parameters, gradients):
            p -= RATE * g
        return loss

    return step


def normalized_by_hand(rng: np.random.Generator, keep: float) -> Callable[..., Any]:
    running: dict[int, tuple[Any, Any]] = {}

    def step(parameters: list[Any], x: Any, labels: Any) -> Any:
        blocks = [parameters[i : i + 3] for i in range(0, len(parameters) - 2, 3)]
        weight, bias = parameters[-2:]
        a, memory = x, []
        for i, (w, gamma, beta) in enumerate(blocks):
            z = a @ w.T
            mean, variance = z.mean(axis=0), z.var(axis=0)
            inverse = 1 / np.sqrt(variance + 1e-5)
            normalized = (z - mean) * inverse
            out = np.maximum(gamma * normalized + beta, 0)
            mask = (rng.random(out.shape, dtype=np.float32) < keep) / np.float32(keep)
            before_mean, before_variance = running.get(i, (0, 1))
            unbiased = variance * (len(z) / (len(z) - 1))
            running[i] = 0.9 * before_mean + 0.1 * mean, 0.9 * before_variance + 0.1 * unbiased
            memory.append((a, normalized, inverse, out, mask))
            a = out * mask
        loss, gradient = loss_by_hand(a @ weight.T + bias, labels)
        gradients = [gradient.T @ a, gradient.sum(axis=0)]
        gradient = gradient @ weight
        for (w, gamma, _), (a, normalized, inverse, out, mask) in zip(blocks[::-1], memory[::-1]):
            gradient = gradient * mask * (out > 0)
            by_gamma, by_beta = (gradient * normalized).sum(axis=0), gradient.sum(axis=0)
            n = len(gradient)
            gradient = gamma * inverse / n * (n * gradient - by_beta - normalized * by_gamma)
            gradients = [gradient.T @ a, by_gamma, by_beta, *gradients]
            gradient = gradient @ w if a is not x else None
        for p, g in zip(parameters, gradients):
            p -= RATE * g
        return loss

    return step


def mlp() -> Contestants:
    """784-512-256-10, relu, batch 128, float32."""
    return verified(training((784, 512, 256, 10), 128, "relu", dense_by_hand("relu")))


def normalized() -> Contestants:
    """256-512-512-10 with batch normalization and dropout, batch 256, float32."""
    sizes, batch = (256, 512, 512, 10), 256
    everything = normalized_by_hand(np.random.default_rng(0), 1.0)  # nothing dropped: comparable
    verified(training(sizes, batch, "relu", everything, batch_norm=True))
    by_hand = normalized_by_hand(np.random.default_rng(0), 0.5)
    return training(sizes, batch, "relu", by_hand, batch_norm=True, dropout=0.5)


def small() -> Contestants:
    """10-32-32-2, tanh, batch 32, float32."""
    return verified(training((10, 32, 32, 2), 32, "tanh", dense_by_hand("tanh")))


def loss() -> Contestants:
    """Cross-entropy of logits of shape (1024, 1000) and its gradient, float32."""
    logits, labels = data(1024, 1000, 1000)
    variable = Tensor(logits, requires_grad=True)

    def ours() -> Any:
        variable.grad = None
        cross_entropy(variable, labels).backward()
        return variable.grad

    contestants: Contestants = {"by hand": lambda: loss_by_hand(logits, labels)[1], "chainrule": ours}
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)

        twin, labels_t = torch.from_numpy(logits).requires_grad_(), torch.from_numpy(labels)

        def torch_eager() -> Any:
            twin.grad = None
            torch.nn.functional.cross_entropy(twin, labels_t).backward()
            return twin.grad.numpy()

        contestants["torch"] = torch_eager
    return verified(contestants)


WORKLOADS = {"mlp": mlp, "normalized": normalized, "small": small, "loss": loss}


if __name__ == "__main__":
    table(WORKLOADS, __doc__)
