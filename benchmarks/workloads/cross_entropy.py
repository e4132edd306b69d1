"""Softmax cross-entropy of 1,024 examples of 1,000 classes, and its gradient by the logits.

The loss of every classifier and language model. By hand it takes seven passes over a matrix of a million numbers; the
best do three.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, Workload, in_parts


class CrossEntropy(Workload):
    """The loss alone."""

    name = "cross-entropy"
    title = "softmax cross-entropy of logits 1024×1000"
    sizes = {"batch": 1024, "classes": 1000}
    grows = {"batch": (16, 64, 256, 1024, 4096), "classes": (10, 100, 1000, 10_000)}

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add logits and labels."""
        given.logits = rng.normal(size=(given.batch, given.classes)).astype(given.dtype)
        given.labels = rng.integers(0, given.classes, given.batch)

    def numpy(self, given: Given) -> Contestant:
        """Probabilities, their logarithm at the labels, and probabilities minus one-hot labels."""
        logits, labels, rows, gradient = given.logits, given.labels, np.arange(given.batch), [None]

        def forward() -> Any:
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
            return -np.log(probabilities[rows, labels]).mean(), probabilities

        def backward(state: Any) -> None:
            g = gradient[0] = state[1]
            g[rows, labels] -= 1
            g /= len(labels)

        return in_parts(forward, backward, lambda: gradient)

    def numpy_buffers(self, given: Given) -> Contestant:
        """One array that all steps share, and one factor for a row in place of two divisions."""
        logits, labels, rows = given.logits, given.labels, np.arange(given.batch)
        work, ones = np.empty_like(logits), np.ones(given.classes, logits.dtype)

        def forward() -> Any:
            highest = logits.max(axis=1, keepdims=True)
            np.subtract(logits, highest, out=work)
            chosen = work[rows, labels]
            np.exp(work, out=work)
            totals = work @ ones  # BLAS sums rows faster than `sum`
            return (np.log(totals) - chosen).mean(), totals

        def backward(state: Any) -> None:
            factors = 1 / (state[1] * len(labels))
            np.multiply(work, factors[:, np.newaxis], out=work)
            work[rows, labels] -= 1 / len(labels)

        return in_parts(forward, backward, lambda: [work])

    def chainrule(self, given: Given) -> Contestant:
        """The loss of `nn`."""
        from autograd import Tensor
        from nn.functional import cross_entropy

        logits, labels = Tensor(given.logits, requires_grad=True), given.labels

        def forward() -> Any:
            logits.grad = None
            return cross_entropy(logits, labels)

        return in_parts(forward, lambda y: y.backward(), lambda: [logits.grad], value=lambda y: y.item())

    def compiled(self, given: Given) -> Contestant:
        """A program for value and gradient, which writes to one array."""
        from autograd import compiled, value_and_grad
        from nn.functional import cross_entropy

        logits, labels, gradient = given.logits, given.labels, np.empty_like(given.logits)
        program = compiled(value_and_grad(cross_entropy), out=(None, gradient))
        return Contestant(lambda: float(program(logits, labels)[0]), lambda: [gradient])

    def torch(self, given: Given) -> Contestant:
        """The same function."""
        import torch
        from torch.nn.functional import cross_entropy

        logits, labels = torch.from_numpy(given.logits).requires_grad_(), torch.from_numpy(given.labels)

        def forward() -> Any:
            logits.grad = None
            return cross_entropy(logits, labels)

        return in_parts(forward, lambda y: y.backward(), lambda: [logits.grad.numpy()], value=lambda y: y.item())

    def jax(self, given: Given) -> Contestant:
        """Compiled."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", given.dtype == "float64")

        def loss_of(logits: Any, labels: Any) -> Any:
            return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1).mean()

        compiled, gradient = jax.jit(jax.value_and_grad(loss_of)), [None]
        logits, labels = jnp.asarray(given.logits), jnp.asarray(given.labels)

        def step() -> float:
            loss, gradient[0] = jax.block_until_ready(compiled(logits, labels))
            return float(loss)

        return Contestant(step, lambda: [np.asarray(gradient[0])])

    def hips(self, given: Given) -> Contestant:
        """The formula, since it has no such function."""
        import autograd.numpy as anp

        from autograd import value_and_grad

        labels, rows = given.labels, np.arange(given.batch)
        gradient: list[Array] = [None]

        def loss_of(logits: Any) -> Any:
            shifted = logits - anp.max(logits, axis=1, keepdims=True)
            return anp.mean(anp.log(anp.sum(anp.exp(shifted), axis=1)) - shifted[rows, labels])

        gradient_of = value_and_grad(loss_of)

        def step() -> float:
            loss, gradient[0] = gradient_of(given.logits)
            return float(loss)

        return Contestant(step, lambda: gradient)

    def mygrad(self, given: Given) -> Contestant:
        """Its fused loss."""
        import mygrad as mg
        from mygrad.nnet.losses import softmax_crossentropy

        logits = mg.tensor(given.logits)

        def forward() -> Any:
            return softmax_crossentropy(logits, given.labels)

        return in_parts(forward, lambda y: y.backward(), lambda: [logits.grad], value=lambda y: y.item())

    def tinygrad(self, given: Given) -> Contestant:
        """Captured with `TinyJit`."""
        from tinygrad import Tensor, TinyJit

        logits, labels = Tensor(given.logits).realize(), Tensor(given.labels.astype(np.int32)).realize()
        gradient: list[Any] = [None]

        @TinyJit
        def compiled() -> Any:
            loss = logits.sparse_categorical_crossentropy(labels)
            (g,) = loss.gradient(logits)
            return loss.realize(g), g

        def step() -> float:
            loss, gradient[0] = compiled()
            return float(loss.item())

        return Contestant(step, lambda: [gradient[0].numpy()])


CROSS_ENTROPY = CrossEntropy()
