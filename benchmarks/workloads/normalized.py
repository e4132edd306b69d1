"""A training step with batch normalization and dropout: many small passes between a few matrix products.

256-512-512-10 with relu, batch 256: each hidden layer is an affine map without bias, normalization over the batch,
relu, and dropout of a half. Running means and variances are kept. Masks are random, so gradients are compared with
nothing dropped.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, in_parts
from benchmarks.workloads.training import Training

EPSILON, MOMENTUM = 1e-5, 0.1


class Normalized(Training):
    """A training step with batch normalization and dropout."""

    name = "normalized"
    title = "training step 256-512-512-10 with BatchNorm and dropout, batch 256"
    sizes = {"inputs": 256, "width": 512, "depth": 2, "classes": 10, "batch": 256}
    grows = {"batch": (16, 64, 256, 1024), "width": (64, 256, 1024), "depth": (1, 2, 4, 8)}
    safe = {"drop": 0.0}

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add a batch, labels, and first parameters: (weight, γ, β) of hidden layers, weight and bias of the last."""
        if not hasattr(given, "drop"):
            given.drop = 0.5
        given.layers = [given.inputs, *[given.width] * given.depth, given.classes]
        given.x = rng.normal(size=(given.batch, given.inputs)).astype(given.dtype)
        given.labels = rng.integers(0, given.classes, given.batch)
        given.start = []
        for n, m in pairwise(given.layers[:-1]):
            given.start += [
                rng.uniform(-1, 1, (m, n)) / np.sqrt(n),
                1 + rng.uniform(-0.1, 0.1, m),
                rng.uniform(-0.1, 0.1, m),
            ]
        bound = 1 / np.sqrt(given.width)
        given.start += [
            rng.uniform(-bound, bound, (given.classes, given.width)),
            rng.uniform(-bound, bound, given.classes),
        ]
        given.start = [p.astype(given.dtype) for p in given.start]

    def numpy(self, given: Given) -> Contestant:
        """Write the derivatives down; masks come from uniform floats."""
        x, labels, rate = given.x, given.labels, given.rate
        parameters = [p.copy() for p in given.start]
        blocks = [parameters[i : i + 3] for i in range(0, len(parameters) - 2, 3)]
        weight, bias = parameters[-2:]
        keep, rng, rows = 1 - given.drop, np.random.default_rng(1), np.arange(given.batch)
        scale = np.dtype(given.dtype).type(1 / keep)
        means = [np.zeros_like(gamma) for _, gamma, _ in blocks]
        variances = [np.ones_like(gamma) for _, gamma, _ in blocks]

        def forward() -> Any:
            a, kept = x, []
            for i, (w, gamma, beta) in enumerate(blocks):
                z = a @ w.T
                mean, variance = z.mean(axis=0), z.var(axis=0)
                means[i] += MOMENTUM * (mean - means[i])
                variances[i] += MOMENTUM * (variance * (len(z) / (len(z) - 1)) - variances[i])
                inverse = 1 / np.sqrt(variance + EPSILON)
                normalized = (z - mean) * inverse
                out = np.maximum(gamma * normalized + beta, 0)
                mask = (rng.random(out.shape, dtype=given.dtype) < keep) * scale
                kept.append((a, normalized, inverse, out, mask))
                a = out * mask
            logits = a @ weight.T + bias
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
            return -np.log(probabilities[rows, labels]).mean(), probabilities, a, kept

        def backward(state: Any) -> list[Array]:
            _, gradient, a, kept = state
            n = len(labels)
            gradient[rows, labels] -= 1
            gradient /= n
            gradients = [gradient.T @ a, gradient.sum(axis=0)]
            gradient = gradient @ weight
            for i in range(len(blocks) - 1, -1, -1):
                w, gamma, _ = blocks[i]
                a, normalized, inverse, out, mask = kept[i]
                gradient *= mask
                gradient *= out > 0
                by_gamma, by_beta = (gradient * normalized).sum(axis=0), gradient.sum(axis=0)
                gradient = (gamma * inverse) * (gradient - by_beta / n - normalized * (by_gamma / n))
                gradients = [gradient.T @ a, by_gamma, by_beta, *gradients]
                if i:
                    gradient = gradient @ w
            return gradients

        def update(gradients: list[Array]) -> None:
            for p, g in zip(parameters, gradients):
                g *= rate
                p -= g

        return in_parts(forward, backward, lambda: parameters, update)

    def numpy_buffers(self, given: Given) -> Contestant:
        """The same into arrays that all steps share; masks come from random bytes, and sums of squares from einsum."""
        x, labels, rate, n = given.x, given.labels, given.rate, given.batch
        parameters = [p.copy() for p in given.start]
        blocks = [parameters[i : i + 3] for i in range(0, len(parameters) - 2, 3)]
        weight, bias = parameters[-2:]
        rng, rows = np.random.default_rng(1), np.arange(n)
        least, scale = round(256 * given.drop), np.dtype(given.dtype).type(1 / (1 - given.drop))
        means = [np.zeros_like(gamma) for _, gamma, _ in blocks]
        variances = [np.ones_like(gamma) for _, gamma, _ in blocks]
        normalized = [np.empty((n, len(gamma)), given.dtype) for _, gamma, _ in blocks]
        outs = [np.empty_like(z) for z in normalized]
        inverses = [np.empty_like(gamma) for _, gamma, _ in blocks]
        logits = np.empty((n, given.classes), given.dtype)
        upstream, masks = [np.empty_like(z) for z in normalized], [np.empty_like(z) for z in normalized]
        gradients = [np.empty_like(p) for p in parameters]

        def forward() -> Any:
            a = x
            for i, (w, gamma, beta) in enumerate(blocks):
                z, out = np.matmul(a, w.T, out=normalized[i]), outs[i]
                mean = z.mean(axis=0)
                z -= mean
                variance = np.einsum("ij,ij->j", z, z) / n
                means[i] += MOMENTUM * (mean - means[i])
                variances[i] += MOMENTUM * (variance * (n / (n - 1)) - variances[i])
                np.divide(1, np.sqrt(variance + EPSILON), out=inverses[i])
                z *= inverses[i]
                np.multiply(z, gamma, out=out)
                out += beta
                np.maximum(out, 0, out=out)
                kept = np.frombuffer(rng.bytes(out.size), np.uint8).reshape(out.shape) >= least
                out *= np.multiply(kept, scale, out=masks[i])
                a = out
            np.matmul(a, weight.T, out=logits)
            np.add(logits, bias, out=logits)
            np.subtract(logits, logits.max(axis=1, keepdims=True), out=logits)
            np.exp(logits, out=logits)
            np.divide(logits, logits.sum(axis=1, keepdims=True), out=logits)
            return -np.log(logits[rows, labels]).mean()

        def backward(_: Any) -> None:
            logits[rows, labels] -= 1
            np.divide(logits, n, out=logits)
            np.matmul(logits.T, outs[-1], out=gradients[-2])
            np.sum(logits, axis=0, out=gradients[-1])
            g, w = logits, weight
            for i in range(len(blocks) - 1, -1, -1):
                g = np.matmul(g, w, out=upstream[i])
                w, gamma, _ = blocks[i]
                by_w, by_gamma, by_beta = gradients[3 * i : 3 * i + 3]
                z = normalized[i]
                g *= np.multiply(outs[i] > 0, scale, out=masks[i])  # what was dropped is not above 0 either
                np.einsum("ij,ij->j", g, z, out=by_gamma)
                np.sum(g, axis=0, out=by_beta)
                z *= by_gamma / n
                g -= z
                g -= by_beta / n
                g *= gamma * inverses[i]
                np.matmul(g.T, outs[i - 1] if i else x, out=by_w)

        def update(_: None) -> None:
            for p, g in zip(parameters, gradients):
                g *= rate
                p -= g

        return in_parts(forward, backward, lambda: parameters, update)

    def network(self, given: Given) -> Any:
        """Return the network of `nn`."""
        import nn

        options = {"batch_norm": True, "dropout": given.drop, "dtype": given.dtype}
        return nn.MLP(given.layers, activation="relu", rng=np.random.default_rng(1), **options)

    def torch_network(self, given: Given) -> Any:
        """Return the same modules of PyTorch."""
        import torch

        modules: list[Any] = []
        for n, m in pairwise(given.layers[:-1]):
            modules += [torch.nn.Linear(n, m, bias=False), torch.nn.BatchNorm1d(m), torch.nn.ReLU()]
            modules += [torch.nn.Dropout(given.drop)]
        return torch.nn.Sequential(*modules, torch.nn.Linear(given.width, given.classes))

    def jax(self, given: Given) -> Contestant:
        """Compile the whole step, running statistics included."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", given.dtype == "float64")
        keep, rate, n = 1 - given.drop, given.rate, given.batch
        x, labels = jnp.asarray(given.x), jnp.asarray(given.labels)
        hidden = len(given.layers) - 2

        def loss_of(parameters: Any, statistics: Any, x: Any, labels: Any, key: Any) -> Any:
            a, after = x, []
            keys = jax.random.split(key, hidden)
            for i in range(hidden):
                w, gamma, beta = parameters[3 * i : 3 * i + 3]
                z = a @ w.T
                mean, variance = z.mean(axis=0), z.var(axis=0)
                old_mean, old_variance = statistics[i]
                unbiased = variance * (n / (n - 1))
                after.append(
                    (old_mean + MOMENTUM * (mean - old_mean), old_variance + MOMENTUM * (unbiased - old_variance))
                )
                z = gamma * (z - mean) * jax.lax.rsqrt(variance + EPSILON) + beta
                a = jax.nn.relu(z) * jax.random.bernoulli(keys[i], keep, z.shape) / keep
            logits = a @ parameters[-2].T + parameters[-1]
            return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1).mean(), after

        def step(parameters: Any, statistics: Any, x: Any, labels: Any, key: Any) -> Any:
            key, now = jax.random.split(key)
            (loss, statistics), gradients = jax.value_and_grad(loss_of, has_aux=True)(
                parameters, statistics, x, labels, now
            )
            return loss, [p - rate * g for p, g in zip(parameters, gradients)], statistics, key

        compiled = jax.jit(step, donate_argnums=(0, 1, 4))
        statistics = [(jnp.zeros(m, given.dtype), jnp.ones(m, given.dtype)) for m in given.layers[1:-1]]
        state: list[Any] = [[jnp.asarray(p) for p in given.start], statistics, jax.random.key(1)]

        def run() -> float:
            parameters, statistics, key = state
            loss, *state[:] = compiled(parameters, statistics, x, labels, key)
            return float(loss)  # waits for the program, which updates the parameters, too

        return Contestant(run, lambda: [np.asarray(p) for p in state[0]])

    def tinygrad(self, given: Given) -> Contestant:
        """Capture the whole step with `TinyJit`."""
        from tinygrad import Tensor, TinyJit

        parameters = [Tensor(p).realize() for p in given.start]
        statistics = [
            (Tensor(np.zeros_like(p)).realize(), Tensor(np.ones_like(p)).realize()) for p in given.start[1:-2:3]
        ]
        x, labels = Tensor(given.x).realize(), Tensor(given.labels.astype(np.int32)).realize()
        keep, rate, n = 1 - given.drop, given.rate, given.batch

        @TinyJit
        def compiled() -> Any:
            a, after = x, []
            for i, (mean, variance) in enumerate(statistics):
                w, gamma, beta = parameters[3 * i : 3 * i + 3]
                z = a @ w.T
                m, v = z.mean(axis=0), z.var(axis=0, correction=0)
                after.append(mean.assign(mean + MOMENTUM * (m.detach() - mean)))
                after.append(variance.assign(variance + MOMENTUM * (v.detach() * (n / (n - 1)) - variance)))
                a = (gamma * (z - m) * (v + EPSILON).rsqrt() + beta).relu()
                if keep < 1:
                    a = a * (Tensor.rand(*a.shape) < keep) / keep
            loss = (a @ parameters[-2].T + parameters[-1]).sparse_categorical_crossentropy(labels)
            gradients = loss.gradient(*parameters)
            return loss.realize(*[p.assign(p - rate * g) for p, g in zip(parameters, gradients)], *after)

        return Contestant(lambda: compiled().item(), lambda: [p.numpy() for p in parameters])


NORMALIZED = Normalized()
