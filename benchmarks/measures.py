"""What a step costs besides time, and the same each time: nodes recorded, bytes kept, memory at its peak."""

from __future__ import annotations

import gc
import os
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.workload import Contestant, Given

MEASURES = {
    "nodes": "nodes recorded by the forward pass",
    "blocks": "blocks of memory that Python and the record hold between forward and backward",
    "kept": "bytes of arrays kept for the backward pass, beside inputs and parameters",
    "peak": "most bytes at once in a step, as tracemalloc sees them, parameters and lasting buffers included",
    "resident": "growth of a new process by building the contestant and its first steps, compilation included",
    "installed": "bytes of the library and of what it requires, on disk",
}

UNSEEN = ("torch", "jax", "tinygrad")
"""Contestants whose arrays tracemalloc does not see."""


def measures(build: Callable[[], Contestant], name: str, given: Given) -> dict[str, int]:
    """Return those that this contestant has."""
    build()  # imports what it needs, which is not counted
    found = {"resident": grown(build)}
    if name not in UNSEEN:
        found["peak"] = peak(build)
    contestant = build()
    if contestant.forward is not None:
        contestant.step()
        found["blocks"] = blocks(contestant.forward)
        apart = [value for value in [*vars(given).values(), *(given.start or ())] if isinstance(value, np.ndarray)]
        kept = KEPT.get(name)
        if kept is not None:
            found |= kept(contestant, apart)
    return found


def peak(build: Callable[[], Contestant]) -> int:
    """Most bytes that a contestant has at once in a step, of those allocated since it was built."""
    gc.collect()
    tracemalloc.start()
    contestant = build()
    contestant.step()
    contestant.step()
    gc.collect()
    tracemalloc.reset_peak()
    contestant.step()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def grown(build: Callable[[], Contestant], steps: int = 3) -> int:
    """By how much the memory of the process exceeds in these steps what it was before; 0 where that is not told."""
    before = status("VmRSS")
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # forget the peak
    except OSError:
        return 0
    contestant = build()
    for _ in range(steps):
        contestant.step()
    return max(0, status("VmHWM") - before)


def status(field: str) -> int:
    """A line of the process's status, in bytes; 0 where there is none."""
    if not os.path.exists("/proc/self/status"):
        return 0
    with open("/proc/self/status") as file:
        found = re.search(rf"{field}:\s+(\d+) kB", file.read())
    return 1024 * int(found[1]) if found else 0


def blocks(forward: Callable[[], Any], times: int = 5) -> int:
    """How many more blocks Python's allocator has given out after a forward pass than before.

    The fewest of some times: others in the process may take and give blocks meanwhile.
    """
    state = forward()
    del state
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    held = []
    for _ in range(times):
        before = sys.getallocatedblocks()
        state = forward()
        held.append(sys.getallocatedblocks() - before)
        del state
    if was_enabled:
        gc.enable()
    return min(held)


# Bytes kept, for those that tell


def kept_by_hand(contestant: Contestant, apart: list[Any]) -> dict[str, int]:
    """Of arrays in what the forward pass returns."""
    assert contestant.forward is not None
    known = {id(owner(array)) for array in apart}
    buffers = {id(owner(array)): owner(array).nbytes for array in arrays(contestant.forward())}
    return {"kept": sum(size for key, size in buffers.items() if key not in known)}


def kept_by_us(contestant: Contestant, apart: list[Any]) -> dict[str, int]:
    """Of the record, and its nodes."""
    from autograd import Tensor
    from nn.summary import kept_bytes, nodes_below

    assert contestant.forward is not None
    out = contestant.forward()
    if not isinstance(out, Tensor):
        return {}
    return {"nodes": len(nodes_below(out)), "kept": kept_bytes(out, apart).total()}


def kept_by_torch(contestant: Contestant, apart: list[Any]) -> dict[str, int]:
    """Of tensors that are saved, by their memory, but for leaves and inputs."""
    import torch

    assert contestant.forward is not None
    known = {array.__array_interface__["data"][0] for array in apart}
    saved: dict[int, int] = {}

    def note(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if not (tensor.is_leaf and tensor.requires_grad) and storage.data_ptr() not in known:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        out = contestant.forward()
    del out
    return {"kept": sum(saved.values())}


KEPT: dict[str, Callable[[Contestant, list[Any]], dict[str, int]]] = {
    "numpy": kept_by_hand,
    "numpy-buffers": kept_by_hand,
    "chainrule": kept_by_us,
    "compiled": kept_by_us,
    "torch": kept_by_torch,
}
"""By contestant; the others do not tell."""


def arrays(state: Any) -> Iterator[Any]:
    """The arrays in nested tuples and lists."""
    if isinstance(state, tuple | list):
        for part in state:
            yield from arrays(part)
    elif isinstance(state, np.ndarray):
        yield state


def owner(array: Any) -> Any:
    """The array that owns the memory of this one."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
