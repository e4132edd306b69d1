"""A chain of 10,000 operations, tanh, times and plus in turn, and the gradient by its start.

On single numbers, by hand with Python floats, and on vectors of 16, where NumPy's own calls begin to count. Nothing can
be fused or batched: it is the engine's cost of an operation, and how it grows with the length of a graph.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, Workload, in_parts

SCALE, SHIFT = 1.001, 1e-6
"""So that the gradient neither vanishes nor overflows."""


class Chain(Workload):
    """The chain on numbers or vectors.

    Parameters
    ----------
    name : str
        What the command line calls it.
    width : int
        Elements of the vector; 0 for a number.
    """

    dtypes = ("float64",)
    slow = ("compiled",)

    def __init__(self, name: str, width: int) -> None:
        self.name = name
        self.title = f"chain of 10,000 operations on {f'vectors of {width}' if width else 'numbers'}"
        self.sizes = {"length": 10_000, "width": width}
        self.grows = {"length": (300, 1_000, 3_000, 10_000, 30_000)}
        if width:
            self.grows |= {"width": (16, 128, 1024, 8192)}

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add where the chain starts, the seed of its gradient, and how often three operations follow."""
        given.x = np.linspace(-1, 1, given.width) if given.width else 0.3
        given.seed = np.ones_like(given.x) if given.width else 1.0
        given.times = given.length // 3

    def numpy(self, given: Given) -> Contestant:
        """Keep what tanh gave, and multiply by 1 - tanh² on the way back."""
        times, seed, tanh, gradient = given.times, given.seed, np.tanh if given.width else math.tanh, [None]

        def forward() -> Any:
            h, kept = given.x, []
            for _ in range(times):
                h = tanh(h)
                kept.append(h)
                h = h * SCALE
                h = h + SHIFT
            return h, kept

        def backward(state: Any) -> None:
            g = seed
            for t in reversed(state[1]):
                g = g * SCALE
                g = g * (1 - t * t)
            gradient[0] = g

        return in_parts(forward, backward, lambda: [np.asarray(gradient[0])], value=total)

    def chainrule(self, given: Given) -> Contestant:
        """Operators and methods of a Tensor."""
        from autograd import Tensor

        x = Tensor(given.x, requires_grad=True)
        times, seed = given.times, given.seed

        def forward() -> Any:
            x.grad = None
            h = x
            for _ in range(times):
                h = h.tanh()
                h = h * SCALE
                h = h + SHIFT
            return h

        return in_parts(
            forward, lambda h: h.backward(seed), lambda: [np.asarray(x.grad)], value=lambda h: total(h.data)
        )

    def compiled(self, given: Given) -> Contestant:
        """A program for the end of the chain and the gradient."""
        from autograd import compiled, vjp

        x, seed, gradient = np.asarray(given.x), np.asarray(given.seed), [None]

        def chain(x: Any) -> Any:
            h = x
            for _ in range(given.times):
                h = np.tanh(h)
                h = h * SCALE
                h = h + SHIFT
            return h

        def end_and_gradient(x: Array, seed: Array) -> Any:
            h, pull = vjp(chain, x)
            return h, pull(seed)[0]

        program = compiled(end_and_gradient)

        def step() -> float:
            h, gradient[0] = program(x, seed)
            return total(h)

        return Contestant(step, lambda: [np.asarray(gradient[0])])

    def torch(self, given: Given) -> Contestant:
        """The same."""
        import torch

        x = torch.tensor(given.x, dtype=torch.float64, requires_grad=True)
        times, seed = given.times, torch.tensor(given.seed, dtype=torch.float64)

        def forward() -> Any:
            x.grad = None
            h = x
            for _ in range(times):
                h = h.tanh()
                h = h * SCALE
                h = h + SHIFT
            return h

        return in_parts(forward, lambda h: h.backward(seed), lambda: [x.grad.numpy()], value=lambda h: h.sum().item())

    def jax(self, given: Given) -> Contestant:
        """A compiled `scan`: the loop is part of the program."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)

        def chain(x: Any) -> Any:
            return jax.lax.scan(lambda h, _: (jnp.tanh(h) * SCALE + SHIFT, None), x, None, length=given.times)[0]

        @jax.jit
        def compiled(x: Any, seed: Any) -> Any:
            h, pull = jax.vjp(chain, x)
            return h, *pull(seed)

        x, seed, gradient = jnp.asarray(given.x), jnp.asarray(given.seed), [None]

        def step() -> float:
            h, gradient[0] = jax.block_until_ready(compiled(x, seed))
            return total(np.asarray(h))

        return Contestant(step, lambda: [np.asarray(gradient[0])])

    def hips(self, given: Given) -> Contestant:
        """The chain as a function of its start."""
        import autograd.numpy as anp

        from autograd import make_vjp

        gradient: list[Array] = [None]

        def chain(x: Any) -> Any:
            h = x
            for _ in range(given.times):
                h = anp.tanh(h)
                h = h * SCALE
                h = h + SHIFT
            return h

        def step() -> float:
            pull, h = make_vjp(chain)(given.x)
            gradient[0] = pull(given.seed)
            return total(h)

        return Contestant(step, lambda: [np.asarray(gradient[0])])

    def mygrad(self, given: Given) -> Contestant:
        """The same with its tensors."""
        import sys

        import mygrad as mg

        sys.setrecursionlimit(100_000)  # it clears a graph recursively
        x = mg.tensor(given.x)

        def forward() -> Any:
            h = x
            for _ in range(given.times):
                h = mg.tanh(h)
                h = h * SCALE
                h = h + SHIFT
            return h

        return in_parts(
            forward, lambda h: h.backward(given.seed), lambda: [np.asarray(x.grad)], value=lambda h: total(h.data)
        )


class ScalarChain(Chain):
    """The chain on numbers, which micrograd knows too."""

    def micrograd(self, given: Given) -> Contestant:
        """With tanh as its users add it."""
        import sys

        from micrograd.engine import Value

        sys.setrecursionlimit(10 * given.length + 1_000)  # its walk is recursive
        x = Value(given.x)

        def tanh(x: Any) -> Any:
            value = math.tanh(x.data)
            out = Value(value, (x,), "tanh")

            def backward() -> None:
                x.grad += (1 - value * value) * out.grad

            out._backward = backward
            return out

        def forward() -> Any:
            x.grad = 0
            h = x
            for _ in range(given.times):
                h = tanh(h)
                h = h * SCALE
                h = h + SHIFT
            return h

        return in_parts(forward, lambda h: h.backward(), lambda: [np.asarray(x.grad)], value=lambda h: h.data)


def total(h: Any) -> float:
    """The number that must agree."""
    return float(np.sum(h))


SCALAR_CHAIN = ScalarChain("scalar-chain", 0)
VECTOR_CHAIN = Chain("vector-chain", 16)
