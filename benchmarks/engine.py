"""What recording costs, by itself and in one process: ``python -m benchmarks.engine``.

The contestants of ``python -m benchmarks`` have processes of their own; users have one, in which everybody's objects
pass through one garbage collector and one allocator. Here the code by hand keeps all values in a list, as an engine
must, and the network is built from operations on Tensors.

Each workload runs in rounds, the contestants one after the other within a round, so that a slow moment of the machine
slows all of them. A figure is the median over the rounds of the ratio within a round; gradients are compared before
anything is timed. Peers that are not installed (micrograd, torch) are left out.
"""

from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import argparse
import gc
import math
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np

import autograd
from autograd import Tensor

STEPS = 10_000
Contestants = dict[str, Callable[[], Any]]


def chain(tanh: Callable[[Any], Any], start: Any, scale: Any, shift: Any) -> Contestants:
    """Return operations tanh, multiply, add in turn, and the gradient with respect to the start."""
    seed = np.ones_like(start) if isinstance(start, np.ndarray) else 1.0

    def by_hand() -> Any:
        values = [start]
        for _ in range(STEPS // 3):
            values.append(tanh(values[-1]))
            values.append(values[-1] * scale)
            values.append(values[-1] + shift)
        gradient = seed
        for i in range(len(values) - 3, 0, -3):
            gradient = gradient * scale
            gradient = gradient * (1 - values[i] * values[i])
        return gradient

    def ours() -> Any:
        x = h = Tensor(start, requires_grad=True)
        for _ in range(STEPS // 3):
            h = h.tanh()
            h = h * scale
            h = h + shift
        h.backward(seed)
        return x.grad

    return {"by hand": by_hand, "chainrule": ours}


def vector_chain() -> Contestants:
    """10,000 operations tanh, multiply, add on vectors of 16; gradient with respect to the start."""
    start, scale, shift = np.linspace(-1, 1, 16), 1.001, 1e-6  # a gradient that does not underflow
    contestants = chain(np.tanh, start, scale, shift)
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)

        def torch_eager() -> Any:
            x = h = torch.tensor(start, requires_grad=True)
            for _ in range(STEPS // 3):
                h = h.tanh()
                h = h * scale
                h = h + shift
            h.backward(torch.ones(16, dtype=torch.float64))
            return x.grad.numpy()

        contestants["torch"] = torch_eager
    return verified(contestants)


def scalar_chain() -> Contestants:
    """The same on numbers; by hand with Python floats."""
    start, scale, shift = 0.3, 1.001, 1e-6
    contestants = chain(math.tanh, start, scale, shift)
    if find_spec("micrograd"):
        from micrograd.engine import Value

        sys.setrecursionlimit(10 * STEPS)  # its walk is recursive

        def tanh(x: Value) -> Value:  # as its users add it
            value = math.tanh(x.data)
            out = Value(value, (x,), "tanh")

            def backward() -> None:
                x.grad += (1 - value * value) * out.grad

            out._backward = backward
            return out

        def micrograd() -> Any:
            x = h = Value(start)
            for _ in range(STEPS // 3):
                h = tanh(h)
                h = h * scale
                h = h + shift
            h.backward()
            return x.grad

        contestants["micrograd"] = micrograd
    return verified(contestants)


def mlp_step(sizes: tuple[int, ...] = (784, 512, 256, 10), batch: int = 128) -> Contestants:
    """A training step of a relu network in float32: forward, backward, gradient descent."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    labels = np.eye(sizes[-1], dtype=np.float32)[rng.integers(0, sizes[-1], batch)]
    weights = [(rng.normal(size=s) / math.sqrt(s[0])).astype(np.float32) for s in pairwise(sizes)]
    biases = [np.zeros(size, np.float32) for size in sizes[1:]]
    parameters = [p.copy() for pair in zip(weights, biases) for p in pair]
    tensors = [Tensor(p, requires_grad=True) for p in parameters]
    rate = 1e-3

    def by_hand() -> Any:
        activations = [x]
        for i in range(0, len(parameters), 2):
            z = activations[-1] @ parameters[i] + parameters[i + 1]
            activations.append(np.maximum(z, 0) if i + 2 < len(parameters) else z)
        out = activations.pop()
        shifted = out - out.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        total = exponentials.sum(axis=1, keepdims=True)
        loss = -((shifted - np.log(total)) * labels).sum() / batch
        gradient = (exponentials / total - labels) / batch
        gradients: list[Any] = [None] * len(parameters)
        for i in range(len(parameters) - 2, -1, -2):
            a = activations.pop()
            gradients[i], gradients[i + 1] = a.T @ gradient, gradient.sum(axis=0)
            if i:
                gradient = (gradient @ parameters[i].T) * (a > 0)
        for p, g in zip(parameters, gradients):
            p -= rate * g
        return loss

    def ours() -> Any:
        h: Any = x
        for i in range(0, len(tensors), 2):
            h = h @ tensors[i] + tensors[i + 1]
            h = h.relu() if i + 2 < len(tensors) else h
        loss = -(h.log_softmax(axis=1) * labels).sum() / batch
        loss.backward()
        with autograd.no_grad():
            for t in tensors:
                t -= rate * t.grad
                t.grad = None
        return loss.item()

    def loss_of(*twins: Any) -> Any:
        h: Any = x
        for i in range(0, len(twins), 2):
            h = h @ twins[i] + twins[i + 1]
            h = autograd.relu(h) if i + 2 < len(twins) else h
        return -(autograd.log_softmax(h, axis=1) * labels).sum() / batch

    twins = [p.copy() for p in parameters]
    gradients = [np.empty_like(p) for p in parameters]
    everything = tuple(range(len(parameters)))
    program = autograd.compiled(autograd.value_and_grad(loss_of, everything), out=(None, tuple(gradients)))

    def ours_compiled() -> Any:
        loss, _ = program(*twins)
        for p, g in zip(twins, gradients):
            p -= rate * g
        return loss

    contestants: Contestants = {"by hand": by_hand, "chainrule": ours, "compiled": ours_compiled}
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        copies = [torch.tensor(p, requires_grad=True) for p in parameters]
        x_t, labels_t = torch.from_numpy(x), torch.from_numpy(labels)

        def torch_eager() -> Any:
            h = x_t
            for i in range(0, len(copies), 2):
                h = h @ copies[i] + copies[i + 1]
                h = h.relu() if i + 2 < len(copies) else h
            loss = -(h.log_softmax(dim=1) * labels_t).sum() / batch
            loss.backward()
            with torch.no_grad():
                for t in copies:
                    t -= rate * t.grad
                    t.grad = None
            return loss.item()

        contestants["torch"] = torch_eager
    return verified(contestants)


WORKLOADS = {"vector chain": vector_chain, "scalar chain": scalar_chain, "mlp step": mlp_step}


def verified(contestants: Contestants) -> Contestants:
    """The contestants, after comparing their results."""
    expected = contestants["by hand"]()
    for name in contestants.keys() - {"by hand"}:
        np.testing.assert_allclose(contestants[name](), expected, rtol=1e-4, atol=1e-7)
    return contestants


def seconds(run: Callable[[], Any], number: int = 1) -> float:
    """How long a run takes, on average."""
    start = time.perf_counter()
    for _ in range(number):
        run()
    return (time.perf_counter() - start) / number


def measure(contestants: Contestants, rounds: int) -> dict[str, list[float]]:
    """Seconds per contestant and round; what is short is repeated, for all alike, for some milliseconds in each."""
    number = max(1, int(0.01 / max(map(seconds, contestants.values()))))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            gc.collect()  # nobody pays for another's garbage
            times[name].append(seconds(run, number))
    return times


def peak(run: Callable[[], Any]) -> int:
    """Peak of the memory that one run allocates, in bytes."""
    run()
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def table(workloads: dict[str, Callable[[], Contestants]], description: str) -> list[str]:
    """Measure and print the workloads that the command line asks for; their names."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", choices=workloads)
    options = parser.parse_args()
    chosen = [options.only] if options.only else list(workloads)
    for workload in chosen:
        build = workloads[workload]
        times = measure(build(), options.rounds)
        print(f"{workload}: {build.__doc__}")
        for name, taken in times.items():
            ratio = statistics.median(t / hand for t, hand in zip(taken, times["by hand"]))
            print(f"  {name:10} {statistics.median(taken) * 1e3:9.3f} ms   {ratio:7.2f} times by hand")
    return chosen


def main() -> None:
    """Print the table."""
    if "mlp step" in table(WORKLOADS, __doc__):
        contestants = mlp_step()
        ratio = peak(contestants["chainrule"]) / peak(contestants["by hand"])
        print(f"peak memory of the mlp step: {ratio:.2f} times by hand")


if __name__ == "__main__":
    main()
