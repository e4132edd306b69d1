"""The Hessian of a network's loss times a vector: a derivative of a derivative.

The network is ``tiny``: 10-32-32-2, tanh, batch 32. By hand this is the directional derivative of the gradient, each
line of the step differentiated once more along the vector. Libraries go forward over reverse where they can, and back
twice where they cannot.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, Workload


class HessianVector(Workload):
    """The product for the loss of a small network."""

    name = "hessian-vector"
    title = "Hessian-vector product of the loss of 10-32-32-2, tanh, batch 32"
    sizes = {"inputs": 10, "width": 32, "depth": 2, "classes": 2, "batch": 32}
    grows = {"batch": (16, 32, 64, 128, 256), "width": (16, 32, 64, 128, 256)}

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add a batch, labels, parameters, and the vector."""
        given.x = rng.normal(size=(given.batch, given.inputs)).astype(given.dtype)
        given.labels = rng.integers(0, given.classes, given.batch)
        given.parameters, given.vector = [], []
        for n, m in pairwise([given.inputs, *[given.width] * given.depth, given.classes]):
            for shape in ((m, n), (m,)):
                given.parameters.append((rng.uniform(-1, 1, shape) / np.sqrt(n)).astype(given.dtype))
                given.vector.append(rng.normal(size=shape).astype(given.dtype))

    def numpy(self, given: Given) -> Contestant:
        """The step's lines, and after each its derivative along the vector."""
        x, labels, parameters, vector = given.x, given.labels, given.parameters, given.vector
        rows, n, last = np.arange(given.batch), given.batch, len(given.parameters) - 2
        one_hot = np.eye(given.classes, dtype=given.dtype)[labels]
        product: list[Array] = [None] * len(parameters)

        def step() -> float:
            a, along = x, None
            kept = []
            for i in range(0, last, 2):
                w, b = parameters[i], parameters[i + 1]
                t_w, t_b = vector[i], vector[i + 1]
                t_z = a @ t_w.T + t_b if along is None else a @ t_w.T + along @ w.T + t_b
                kept.append((a, along))
                a = np.tanh(a @ w.T + b)
                along = (1 - a * a) * t_z
            logits = a @ parameters[last].T + parameters[last + 1]
            t_logits = a @ vector[last].T + vector[last + 1]
            if along is not None:
                t_logits += along @ parameters[last].T
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            p = exponentials / exponentials.sum(axis=1, keepdims=True)
            g = (p - one_hot) / n
            t_g = p * (t_logits - (p * t_logits).sum(axis=1, keepdims=True)) / n
            kept.append((a, along))
            for i in range(last, -1, -2):
                a, along = kept[i // 2]
                product[i] = t_g.T @ a if along is None else t_g.T @ a + g.T @ along
                product[i + 1] = t_g.sum(axis=0)
                if i:
                    w, slope = parameters[i], 1 - a * a
                    back = g @ w
                    t_g = (t_g @ w + g @ vector[i]) * slope - 2 * back * a * along
                    g = back * slope
            return float(-np.log(p[rows, labels]).mean())

        return Contestant(step, lambda: product)

    def chainrule(self, given: Given) -> Contestant:
        """`linearize` the gradient, which goes forward over reverse, and has the loss besides."""
        from autograd import grad, jvp
        from nn.functional import cross_entropy, linear

        labels = given.labels
        primals, tangents, last = tuple(given.parameters), tuple(given.vector), len(given.parameters) - 2

        def loss_of(*parameters: Any) -> Any:
            h = given.x
            for i in range(0, last, 2):
                h = np.tanh(linear(h, parameters[i], parameters[i + 1]))
            loss = cross_entropy(linear(h, parameters[last], parameters[last + 1]), labels)
            return loss, loss

        gradient_of = grad(loss_of, tuple(range(len(primals))), has_aux=True)
        product: list[Any] = [()]

        def step() -> float:
            _, product[0], loss = jvp(gradient_of, primals, tangents, has_aux=True)
            return float(loss)

        return Contestant(step, lambda: list(product[0]))

    def compiled(self, given: Given) -> Contestant:
        """A program of the same."""
        from autograd import compiled, grad, jvp
        from nn.functional import cross_entropy, linear

        labels, x, last = given.labels, given.x, len(given.parameters) - 2

        def loss_of(parameters: Any) -> Any:
            h = x
            for i in range(0, last, 2):
                h = np.tanh(linear(h, parameters[i], parameters[i + 1]))
            loss = cross_entropy(linear(h, parameters[last], parameters[last + 1]), labels)
            return loss, loss

        program = compiled(lambda p, v: jvp(grad(loss_of, has_aux=True), (p,), (v,), has_aux=True)[1:])
        state: list[Any] = [None, None]

        def step() -> float:
            state[:] = program(given.parameters, given.vector)
            return float(state[1])

        return Contestant(step, lambda: list(state[0]))

    def torch(self, given: Given) -> Contestant:
        """Back twice: the gradient, and the gradient of its product with the vector."""
        import torch

        labels, x = torch.from_numpy(given.labels), torch.from_numpy(given.x)
        parameters = [torch.from_numpy(p.copy()).requires_grad_() for p in given.parameters]
        vector, last = [torch.from_numpy(v) for v in given.vector], len(given.parameters) - 2
        linear, cross_entropy = torch.nn.functional.linear, torch.nn.functional.cross_entropy
        product: list[Any] = [()]

        def step() -> float:
            h = x
            for i in range(0, last, 2):
                h = torch.tanh(linear(h, parameters[i], parameters[i + 1]))
            loss = cross_entropy(linear(h, parameters[last], parameters[last + 1]), labels)
            gradients = torch.autograd.grad(loss, parameters, create_graph=True)
            product[0] = torch.autograd.grad(gradients, parameters, vector)
            return float(loss.item())

        return Contestant(step, lambda: [part.numpy() for part in product[0]])

    def jax(self, given: Given) -> Contestant:
        """Forward over reverse, compiled."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", given.dtype == "float64")
        last = len(given.parameters) - 2

        def loss_of(parameters: Any, x: Any, labels: Any) -> Any:
            h = x
            for i in range(0, last + 2, 2):
                h = h @ parameters[i].T + parameters[i + 1]
                h = jnp.tanh(h) if i < last else h
            return -jnp.take_along_axis(jax.nn.log_softmax(h), labels[:, None], axis=1).mean()

        @jax.jit
        def compiled(parameters: Any, vector: Any, x: Any, labels: Any) -> Any:
            (loss, _), (_, product) = jax.jvp(
                lambda p: jax.value_and_grad(loss_of)(p, x, labels), (parameters,), (vector,)
            )
            return loss, product

        arguments = jax.tree.map(jnp.asarray, (given.parameters, given.vector, given.x, given.labels))
        state: list[Any] = [None, None]

        def step() -> float:
            state[:] = jax.block_until_ready(compiled(*arguments))
            return float(state[0])

        return Contestant(step, lambda: [np.asarray(part) for part in state[1]])

    def hips(self, given: Given) -> Contestant:
        """The vector-Jacobian product of the gradient: back twice."""
        import autograd.numpy as anp

        from autograd import grad, make_vjp

        labels, last, rows = given.labels, len(given.parameters) - 2, np.arange(given.batch)
        product: list[Array] = [None]
        loss: list[Any] = [None]

        def loss_of(parameters: Any) -> Any:
            h = given.x
            for i in range(0, last + 2, 2):
                h = anp.dot(h, parameters[i].T) + parameters[i + 1]
                h = anp.tanh(h) if i < last else h
            h = h - anp.max(h, axis=1, keepdims=True)
            value = anp.mean(anp.log(anp.sum(anp.exp(h), axis=1)) - h[rows, labels])
            loss[0] = value
            return value

        def step() -> float:
            pull, _ = make_vjp(grad(loss_of))(given.parameters)
            product[0] = pull(given.vector)
            value = loss[0]
            while hasattr(value, "_value"):
                value = value._value
            return float(value)

        return Contestant(step, lambda: list(product[0]))


HESSIAN_VECTOR = HessianVector()
