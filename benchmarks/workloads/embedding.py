"""Gather 4,096 rows of a table of 50,000×64, some more than once, and the dense gradient of the table.

The gradient is zero but for some rows, and rows that were taken twice get two contributions. Three ways to be slow:
adding the rows one by one, touching 12.8 MB of zeros, and asking the operating system for them anew each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, Workload, in_parts


class Embedding(Workload):
    """The rows, and the gradient of the table for given gradients of the rows."""

    name = "embedding"
    title = "gather 4,096 of 50,000×64 rows with repeats, dense gradient"
    sizes = {"taken": 4096, "rows": 50_000, "width": 64}
    grows = {"taken": (64, 512, 4096, 32_768), "rows": (1_000, 10_000, 100_000)}

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add the table, the indices, and the gradients that arrive at the rows."""
        given.table = rng.normal(size=(given.rows, given.width)).astype(given.dtype)
        given.indices = rng.integers(0, given.rows, given.taken)
        given.indices[1::4] = given.indices[0]  # a frequent word
        given.seed = rng.normal(size=(given.taken, given.width)).astype(given.dtype)

    def numpy(self, given: Given) -> Contestant:
        """Fancy indexing, and `np.add.at`, which adds up what comes twice."""
        table, indices, seed, gradient = given.table, given.indices, given.seed, [None]

        def backward(_: Array) -> None:
            g = gradient[0] = np.zeros_like(table)
            np.add.at(g, indices, seed)

        return in_parts(lambda: table[indices], backward, lambda: gradient, value=first)

    def numpy_buffers(self, given: Given) -> Contestant:
        """Sort the indices, sum what belongs together, and write it to rows that alone are cleared again."""
        table, indices, seed = given.table, given.indices, given.seed
        out, gradient = np.empty_like(seed), np.zeros_like(table)
        touched = indices[:0]

        def forward() -> Array:
            return np.take(table, indices, axis=0, out=out, mode="clip")  # the default copies before it writes to out

        def backward(_: Array) -> None:
            nonlocal touched
            gradient[touched] = 0
            order = np.argsort(indices, kind="stable")
            ordered = indices[order]
            starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
            touched = ordered[starts]
            gradient[touched] = np.add.reduceat(seed[order], starts, axis=0)

        return in_parts(forward, backward, lambda: [gradient], value=first)

    def chainrule(self, given: Given) -> Contestant:
        """The function of `nn`."""
        from autograd import Tensor
        from nn.functional import embedding

        table, indices, seed = Tensor(given.table, requires_grad=True), given.indices, given.seed

        def forward() -> Any:
            table.grad = None
            return embedding(indices, table)

        return in_parts(
            forward, lambda y: y.backward(seed), lambda: [np.asarray(table.grad)], value=lambda y: first(y.data)
        )

    def compiled(self, given: Given) -> Contestant:
        """A program for the rows and the gradient, a new array each time: most of its pages stay untouched then."""
        from autograd import compiled, vjp
        from nn.functional import embedding

        table, indices, seed, gradient = given.table, given.indices, given.seed, np.empty_like(given.table)

        def rows_and_gradient(table: Array, indices: Array, seed: Array) -> Any:
            rows, pull = vjp(lambda table: embedding(indices, table), table)
            return rows, pull(seed)[0]

        program = compiled(rows_and_gradient, out=(None, gradient))
        return Contestant(lambda: first(program(table, indices, seed)[0]), lambda: [gradient])

    def torch(self, given: Given) -> Contestant:
        """The same function."""
        import torch
        from torch.nn.functional import embedding

        table, indices = torch.from_numpy(given.table).requires_grad_(), torch.from_numpy(given.indices)
        seed = torch.from_numpy(given.seed)

        def forward() -> Any:
            table.grad = None
            return embedding(indices, table)

        return in_parts(
            forward, lambda y: y.backward(seed), lambda: [table.grad.numpy()], value=lambda y: y[0, 0].item()
        )

    def jax(self, given: Given) -> Contestant:
        """Compiled, with the rows, as the others have them."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", given.dtype == "float64")

        @jax.jit
        def compiled(table: Any, indices: Any, seed: Any) -> Any:
            rows, pull = jax.vjp(lambda table: table[indices], table)
            return rows, *pull(seed)

        arguments = [jnp.asarray(a) for a in (given.table, given.indices, given.seed)]
        state: list[Any] = []

        def step() -> float:
            state[:] = jax.block_until_ready(compiled(*arguments))
            return first(np.asarray(state[0]))

        return Contestant(step, lambda: [np.asarray(state[1])])

    def hips(self, given: Given) -> Contestant:
        """Fancy indexing of its arrays."""
        from autograd import make_vjp

        gradient: list[Array] = [None]

        def step() -> float:
            pull, rows = make_vjp(lambda table: table[given.indices])(given.table)
            gradient[0] = pull(given.seed)
            return first(rows)

        return Contestant(step, lambda: gradient)

    def mygrad(self, given: Given) -> Contestant:
        """Fancy indexing of its tensors."""
        import mygrad as mg

        table = mg.tensor(given.table)
        return in_parts(
            lambda: table[given.indices],
            lambda y: y.backward(given.seed),
            lambda: [table.grad],
            value=lambda y: first(y.data),
        )


def first(rows: Array) -> float:
    """The number that must agree."""
    return float(rows[0, 0])


EMBEDDING = Embedding()
