"""Training steps of fully connected networks: where hand-written NumPy is a few matrix products and little else.

Softmax cross-entropy of the outputs of affine maps with an activation between them, its gradient by every weight and
bias, and a step of gradient descent. The three sizes ask three questions: what does bookkeeping cost where matrices are
tiny, what do passes over memory cost in the middle, and what is left where BLAS does the work.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, in_parts
from benchmarks.workloads.training import Training


class Dense(Training):
    """A training step of a fully connected network.

    Parameters
    ----------
    name : str
        What the command line calls it.
    layers : tuple of int
        Numbers of inputs, of units of the hidden layers, and of classes.
    batch : int
        Examples in a step.
    activation : {"relu", "tanh"}
        Of the hidden layers.
    """

    def __init__(self, name: str, layers: tuple[int, ...], batch: int, activation: str) -> None:
        first, *hidden, last = layers
        self.name, self.activation, self.hidden = name, activation, tuple(hidden)
        self.title = f"training step {'-'.join(map(str, layers))}, {activation}, batch {batch}"
        self.sizes = {"inputs": first, "width": 0, "depth": 0, "classes": last, "batch": batch}
        self.grows = {
            "batch": (16, 32, 64, 128, 256, 512),
            "width": (32, 64, 128, 256, 512, 1024),
            "depth": (1, 2, 4, 8, 16, 32),
        }

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add a batch of random numbers, labels, and first weights, laid out (out, in), and biases."""
        hidden = list(self.hidden)
        if given.depth:  # a depth or width of its own replaces the hidden layers
            hidden = [given.width or hidden[0]] * given.depth
        elif given.width:
            hidden = [given.width] * len(hidden)
        given.layers = [given.inputs, *hidden, given.classes]
        given.x = rng.normal(size=(given.batch, given.inputs)).astype(given.dtype)
        given.labels = rng.integers(0, given.classes, given.batch)
        given.start = []
        for n, m in pairwise(given.layers):
            bound = 1 / np.sqrt(n)
            given.start.append(rng.uniform(-bound, bound, (m, n)).astype(given.dtype))
            given.start.append(rng.uniform(-bound, bound, m).astype(given.dtype))

    def numpy(self, given: Given) -> Contestant:
        """Write the derivatives down, and update in place."""
        x, labels, rate = given.x, given.labels, given.rate
        parameters = [p.copy() for p in given.start]
        relu, last = self.activation == "relu", len(parameters) - 2
        rows = np.arange(len(labels))

        def forward() -> Any:
            activations = [x]
            for i in range(0, len(parameters), 2):
                z = activations[-1] @ parameters[i].T + parameters[i + 1]
                if i < last:
                    z = np.maximum(z, 0) if relu else np.tanh(z)
                activations.append(z)
            logits = activations.pop()
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
            return -np.log(probabilities[rows, labels]).mean(), probabilities, activations

        def backward(state: Any) -> list[Array]:
            _, gradient, activations = state
            gradient[rows, labels] -= 1
            gradient /= len(labels)
            gradients: list[Array] = [None] * len(parameters)
            for i in range(last, -1, -2):
                a = activations.pop()
                gradients[i], gradients[i + 1] = gradient.T @ a, gradient.sum(axis=0)
                if i:
                    gradient = gradient @ parameters[i]
                    gradient *= a > 0 if relu else 1 - a * a
            return gradients

        def update(gradients: list[Array]) -> None:
            for p, g in zip(parameters, gradients):
                g *= rate
                p -= g

        return in_parts(forward, backward, lambda: parameters, update)

    def network(self, given: Given) -> Any:
        """Return the network of `nn`."""
        import nn

        return nn.MLP(given.layers, activation=self.activation, dtype=given.dtype)

    def torch_network(self, given: Given) -> Any:
        """Return the same modules of PyTorch."""
        import torch

        modules: list[Any] = []
        for n, m in pairwise(given.layers):
            modules += [torch.nn.Linear(n, m), torch.nn.ReLU() if self.activation == "relu" else torch.nn.Tanh()]
        return torch.nn.Sequential(*modules[:-1])

    def jax(self, given: Given) -> Contestant:
        """Compile the whole step; the old parameters are donated to it."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", given.dtype == "float64")
        activation = jax.nn.relu if self.activation == "relu" else jnp.tanh
        x, labels, rate = jnp.asarray(given.x), jnp.asarray(given.labels), given.rate

        def loss_of(parameters: Any, x: Any, labels: Any) -> Any:
            h = x
            for i in range(0, len(parameters), 2):
                h = h @ parameters[i].T + parameters[i + 1]
                h = activation(h) if i < len(parameters) - 2 else h
            chosen = jnp.take_along_axis(jax.nn.log_softmax(h), labels[:, None], axis=1)
            return -chosen.mean()

        def step(parameters: Any, x: Any, labels: Any) -> Any:
            loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
            return loss, [p - rate * g for p, g in zip(parameters, gradients)]

        compiled = jax.jit(step, donate_argnums=0)
        state = [[jnp.asarray(p) for p in given.start]]

        def run() -> float:
            loss, state[0] = compiled(state[0], x, labels)
            return float(loss)  # waits for the program, which updates the parameters, too

        return Contestant(run, lambda: [np.asarray(p) for p in state[0]])

    def hips(self, given: Given) -> Contestant:
        """Write the loss with its NumPy, and take `value_and_grad`."""
        import autograd.numpy as anp

        from autograd import value_and_grad

        x, labels, rate = given.x, given.labels, given.rate
        parameters = [p.copy() for p in given.start]
        rows, relu = np.arange(len(labels)), self.activation == "relu"

        def loss_of(parameters: Any) -> Any:
            h = x
            for i in range(0, len(parameters), 2):
                h = h @ parameters[i].T + parameters[i + 1]
                if i < len(parameters) - 2:
                    h = anp.maximum(h, 0) if relu else anp.tanh(h)
            h = h - anp.max(h, axis=1, keepdims=True)
            return anp.mean(anp.log(anp.sum(anp.exp(h), axis=1)) - h[rows, labels])

        gradient_of = value_and_grad(loss_of)

        def step() -> float:
            loss, gradients = gradient_of(parameters)
            for p, g in zip(parameters, gradients):
                p -= rate * g
            return float(loss)

        return Contestant(step, lambda: parameters)

    def mygrad(self, given: Given) -> Contestant:
        """Use its tensors, and its fused loss."""
        import mygrad as mg
        from mygrad.nnet.activations import relu
        from mygrad.nnet.losses import softmax_crossentropy

        x, labels, rate = given.x, given.labels, given.rate
        parameters = [mg.tensor(p) for p in given.start]
        activation = relu if self.activation == "relu" else mg.tanh

        def forward() -> Any:
            h = x
            for i in range(0, len(parameters), 2):
                h = mg.matmul(h, parameters[i].T) + parameters[i + 1]
                h = activation(h) if i < len(parameters) - 2 else h
            return softmax_crossentropy(h, labels)

        def update(_: None) -> None:
            for p in parameters:
                p.data -= rate * p.grad

        return in_parts(
            forward,
            lambda loss: loss.backward(),
            lambda: [p.data for p in parameters],
            update,
            lambda loss: loss.item(),
        )

    def tinygrad(self, given: Given) -> Contestant:
        """Capture the whole step with `TinyJit`."""
        from tinygrad import Tensor, TinyJit

        parameters = [Tensor(p).realize() for p in given.start]
        x, labels = Tensor(given.x).realize(), Tensor(given.labels.astype(np.int32)).realize()
        relu, rate = self.activation == "relu", given.rate

        @TinyJit
        def compiled() -> Any:
            h = x
            for i in range(0, len(parameters), 2):
                h = h @ parameters[i].T + parameters[i + 1]
                if i < len(parameters) - 2:
                    h = h.relu() if relu else h.tanh()
            loss = h.sparse_categorical_crossentropy(labels)
            gradients = loss.gradient(*parameters)
            return loss.realize(*[p.assign(p - rate * g) for p, g in zip(parameters, gradients)])

        return Contestant(lambda: compiled().item(), lambda: [p.numpy() for p in parameters])


TINY = Dense("tiny", (10, 32, 32, 2), 32, "tanh")
MLP = Dense("mlp", (784, 512, 256, 10), 128, "relu")
LARGE = Dense("large", (1024, 2048, 2048, 1000), 512, "relu")
LARGE.dtypes = ("float32",)
