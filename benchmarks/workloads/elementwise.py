"""Σ tanh(a x + b) sigmoid(x) + exp(-x²) over a million numbers, and its gradient by x.

No matrix product, no reuse: passes over memory, and exponentials. NumPy makes each intermediate array anew, and the
operating system hands out its pages one fault at a time; a library that fuses, reuses buffers or works in blocks that
fit in a cache does much better. The version with buffers shows how much of that NumPy itself can have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, Workload, in_parts

A, B = 1.5, 0.25


class Elementwise(Workload):
    """The formula on a long vector."""

    name = "elementwise"
    title = "Σ tanh(ax + b) sigmoid(x) + exp(-x²) of 1,000,000 numbers"
    sizes = {"size": 1_000_000}
    grows = {"size": (1_000, 10_000, 100_000, 1_000_000, 4_000_000)}

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add normal numbers."""
        given.x = rng.normal(size=given.size).astype(given.dtype)

    def numpy(self, given: Given) -> Contestant:
        """The formula, and its derivative in terms of what the formula computed."""
        x, gradient = given.x, [None]

        def forward() -> Any:
            t, s, e = np.tanh(A * x + B), 1 / (1 + np.exp(-x)), np.exp(-x * x)
            return (t * s + e).sum(), t, s, e

        def backward(state: Any) -> None:
            _, t, s, e = state
            gradient[0] = A * (1 - t * t) * s + t * s * (1 - s) - 2 * x * e

        return in_parts(forward, backward, lambda: gradient)

    def numpy_buffers(self, given: Given) -> Contestant:
        """The same operations into five arrays that all steps share."""
        x = given.x
        t, s, e, u, gradient = (np.empty_like(x) for _ in range(5))

        def forward() -> Any:
            np.multiply(x, A, out=t)
            np.add(t, B, out=t)
            np.tanh(t, out=t)
            np.negative(x, out=s)
            np.exp(s, out=s)
            np.add(s, 1, out=s)
            np.divide(1, s, out=s)
            np.multiply(x, x, out=e)
            np.negative(e, out=e)
            np.exp(e, out=e)
            np.multiply(t, s, out=u)
            np.add(u, e, out=gradient)
            return gradient.sum()

        def backward(_: Any) -> None:
            np.multiply(t, t, out=t)
            np.subtract(1, t, out=t)
            np.multiply(t, A, out=t)
            np.multiply(t, s, out=t)  # the derivative of tanh, times sigmoid
            np.subtract(1, s, out=s)
            np.multiply(s, u, out=u)  # tanh times the derivative of sigmoid
            np.multiply(e, x, out=e)
            np.multiply(e, 2, out=e)
            np.add(t, u, out=gradient)
            np.subtract(gradient, e, out=gradient)

        return in_parts(forward, backward, lambda: [gradient])

    def chainrule(self, given: Given) -> Contestant:
        """NumPy's functions of a Tensor."""
        from autograd import Tensor, sigmoid

        x = Tensor(given.x, requires_grad=True)

        def forward() -> Any:
            x.grad = None
            return np.sum(np.tanh(A * x + B) * sigmoid(x) + np.exp(-x * x))

        return in_parts(forward, lambda y: y.backward(), lambda: [x.grad], value=lambda y: y.item())

    def compiled(self, given: Given) -> Contestant:
        """A program for value and gradient, which writes to one array."""
        from autograd import compiled, sigmoid, value_and_grad

        x, gradient = given.x, np.empty_like(given.x)

        def total(x: Any) -> Any:
            return np.sum(np.tanh(A * x + B) * sigmoid(x) + np.exp(-x * x))

        program = compiled(value_and_grad(total), out=(None, gradient))
        return Contestant(lambda: float(program(x)[0]), lambda: [gradient])

    def torch(self, given: Given) -> Contestant:
        """The same."""
        import torch

        x = torch.from_numpy(given.x).requires_grad_()

        def forward() -> Any:
            x.grad = None
            return (torch.tanh(A * x + B) * torch.sigmoid(x) + torch.exp(-x * x)).sum()

        return in_parts(forward, lambda y: y.backward(), lambda: [x.grad.numpy()], value=lambda y: y.item())

    def jax(self, given: Given) -> Contestant:
        """One fused loop."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", given.dtype == "float64")

        def total(x: Any) -> Any:
            return (jnp.tanh(A * x + B) * jax.nn.sigmoid(x) + jnp.exp(-x * x)).sum()

        compiled, x, gradient = jax.jit(jax.value_and_grad(total)), jnp.asarray(given.x), [None]

        def step() -> float:
            y, gradient[0] = jax.block_until_ready(compiled(x))
            return float(y)

        return Contestant(step, lambda: [np.asarray(gradient[0])])

    def hips(self, given: Given) -> Contestant:
        """The formula by hand, since its NumPy has no sigmoid."""
        import autograd.numpy as anp

        from autograd import value_and_grad

        gradient: list[Array] = [None]

        def total(x: Any) -> Any:
            return anp.sum(anp.tanh(A * x + B) / (1 + anp.exp(-x)) + anp.exp(-x * x))

        gradient_of = value_and_grad(total)

        def step() -> float:
            y, gradient[0] = gradient_of(given.x)
            return float(y)

        return Contestant(step, lambda: gradient)

    def mygrad(self, given: Given) -> Contestant:
        """With its sigmoid."""
        import mygrad as mg
        from mygrad.nnet.activations import sigmoid

        x = mg.tensor(given.x)

        def forward() -> Any:
            return (mg.tanh(A * x + B) * sigmoid(x) + mg.exp(-x * x)).sum()

        return in_parts(forward, lambda y: y.backward(), lambda: [x.grad], value=lambda y: y.item())

    def tinygrad(self, given: Given) -> Contestant:
        """Captured with `TinyJit`."""
        from tinygrad import Tensor, TinyJit

        x = Tensor(given.x).realize()
        gradient: list[Any] = [None]

        @TinyJit
        def compiled() -> Any:
            y = ((A * x + B).tanh() * x.sigmoid() + (-x * x).exp()).sum()
            (g,) = y.gradient(x)
            return y.realize(g), g

        def step() -> float:
            y, gradient[0] = compiled()
            return float(y.item())

        return Contestant(step, lambda: [gradient[0].numpy()])


ELEMENTWISE = Elementwise()
