"""Blocks: elementwise calls on large arrays, one after the other on rows that fit into the caches of a core.

What only the next calls need is not written to memory: it stays in a block, which each thread has for itself. Blocks
are the same whatever the number of threads, and so are sums, which are added up block by block.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.leaves import owner
from autograd.threads import FEWEST, blocks, get_num_threads, spread
from autograd.tracing import Call, Variable
from autograd.ufuncs import BY_KEYWORD, is_elementwise, reduction

if TYPE_CHECKING:
    from autograd.program import Writer

Array = Any
LARGE = 1_000_000
"""How many multiplications a product of matrices must have for BLAS to let several threads share them."""
LINE = 64
"""How many bytes a line of the caches has."""


class Group:
    """Consecutive calls that are made block by block.

    Attributes
    ----------
    calls : list of Call
        Elementwise calls whose values have the same shape, and sums of these values.
    shape : tuple of int
        That shape.
    threads : int
        How many work on the blocks.
    """

    def __init__(self, call: Call, values: Sequence[Array], threads: int) -> None:
        self.values, self.calls, self.shape = values, [call], values[call.outputs[0]].shape
        self.threads = threads
        self.made, self.sums = {*call.outputs}, set[Variable]()

    def takes(self, call: Call) -> bool:
        """Take a call in, if it can be made block by block with the others."""
        if not self.sums.isdisjoint(call.inputs):
            return False
        found = reduction(call)
        if is_blockwise(call, self.values) and self.values[call.outputs[0]].shape == self.shape:
            self.made.update(call.outputs)
        elif found is not None and found.adds and found.array in self.made:
            self.sums.update(call.outputs)
        else:
            return False
        self.calls.append(call)
        return True

    def unit(self) -> Call | Group:
        """The group, or its only call if there is one thread, which then has nothing to gain."""
        return self if len(self.calls) > 1 or self.threads > 1 else self.calls[0]

    def precedes(self, call: Call) -> bool:
        """Whether a call has to come later."""
        return call.row.effect or call.row.foreign or not (self.made | self.sums).isdisjoint(call.inputs)


def is_blockwise(call: Call, values: Sequence[Array]) -> bool:
    """Whether rows of a call's value need the same rows of its operands only, and are many."""
    if not is_elementwise(call):
        return False
    out = values[call.outputs[0]]
    return (
        isinstance(out, np.ndarray)
        and out.size >= FEWEST
        and len(out) > 1
        and bool(out.flags.c_contiguous)
        and owner(out) is out
    )


def is_large_product(call: Call, values: Sequence[Array]) -> bool:
    """Whether BLAS lets several threads multiply matrices."""
    if call.row.function is not np.matmul:
        return False
    out, (x, _) = values[call.outputs[0]], [values[arg] if type(arg) is Variable else arg for arg in call.args]
    return isinstance(out, np.ndarray) and out.size * np.shape(x)[-1] >= LARGE


def grouped(calls: Sequence[Call], values: Sequence[Array]) -> list[Call | Group]:
    """The calls, with groups of those that can be made block by block. What a group does not need comes before it.

    Beside large products one thread works on the blocks: those of OpenBLAS wait for the next product, and are busy
    with it, for longer than blocks take. Where they have to share processors two threads take more time than one.
    """
    threads = 1 if any(is_large_product(call, values) for call in calls) else get_num_threads()
    units: list[Call | Group] = []
    group: Group | None = None
    for call in calls:
        if group is not None and group.takes(call):
            continue
        begins = is_blockwise(call, values)
        if group is not None and (begins or group.precedes(call)):
            units.append(group.unit())
            group = None
        if begins:
            group = Group(call, values, threads)
        else:
            units.append(call)
    return units if group is None else [*units, group.unit()]


def aligned(shape: Sequence[int], dtype: np.dtype[Any], strides: Sequence[int] | None = None) -> Array:
    """An empty array that begins with a line of the caches.

    NumPy's begin at multiples of 16 bytes; where every other vector lies on two lines, passes take up to 10 % longer.
    """
    memory = np.empty(math.prod(shape) * dtype.itemsize + LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % LINE
    return np.ndarray(shape, dtype, memory, start, strides)


class Scratch:
    """What a thread writes into while it works on blocks: it takes a row of arrays, and gives it back."""

    def __init__(self, shape: tuple[int, ...], dtypes: Sequence[np.dtype[Any]]) -> None:
        self.shape, self.dtypes = shape, dtypes
        self.free: list[list[Array]] = []

    def take(self) -> list[Array]:
        """Arrays of a block's shape, one of each dtype."""
        return self.free.pop() if self.free else [aligned(self.shape, dtype) for dtype in self.dtypes]


class BlockWriter:
    """Writes a group as a function that works on some of the blocks, and a line that lets threads call it.

    Parameters
    ----------
    writer : Writer
        Writes the program.
    group : Group
        What to write.
    position : int
        Of its first call in the plan.
    """

    def __init__(self, writer: Writer, group: Group, position: int) -> None:
        self.writer, self.plan, self.group = writer, writer.plan, group
        self.end = position + len(group.calls)
        self.blocks = [*enumerate(blocks(group.shape))]
        self.names: dict[Variable, str] = {}
        self.slices: dict[str, str] = {}
        self.dtypes: list[np.dtype[Any]] = []
        self.free: dict[np.dtype[Any], list[str]] = defaultdict(list)
        self.lines: list[str] = []
        self.sums: list[tuple[Variable, Array]] = []
        self.viewed = {
            self.plan.roots[variable]
            for call in group.calls
            for variable in call.inputs
            if self.plan.roots[variable] != variable
        }
        for at, call in enumerate(group.calls, position):
            self.write(at, call)
        self.write_function()
        for at in range(position, self.end):
            writer.release(self.viewed.intersection(self.plan.dying(at)))

    def write(self, at: int, call: Call) -> None:
        """Write one call of a block."""
        (out,), found = call.outputs, reduction(call)
        if found is None:
            operands = [self.operand(arg, call) for arg in call.args]
            dying = self.plan.dying(at)
            self.release(root for root in dying if root != out)
            self.names[out] = self.target(out)
            function, out_word = call.row.function, "out=" if call.row.function in BY_KEYWORD else ""
            self.lines.append(f"{self.writer.constant(function)}({', '.join(operands)}, {out_word}{self.names[out]})")
            self.release(root for root in dying if root == out)
        else:
            model = self.group.values[out]
            parts = np.empty((len(self.blocks), *model.shape), model.dtype)
            method, axis = self.writer.constant(found.method), self.writer.text(found.axis)
            self.lines.append(f"{self.writer.constant(parts)}[number] = {method}({self.names[found.array]}, {axis})")
            self.release(self.plan.dying(at))
            self.sums.append((out, parts))

    def operand(self, value: Any, call: Call) -> str:
        """The expression for an operand, or for its rows in a block."""
        if type(value) is Variable and value in self.names:
            return self.names[value]
        text, model = self.writer.operand(value, call, self.group.shape), self.writer.model(value)
        return self.rows(text) if np.ndim(model) == len(self.group.shape) and len(model) > 1 else text

    def rows(self, text: str) -> str:
        """The name of a block's rows of an array."""
        return self.slices.setdefault(text, f"rows_{len(self.slices)}")

    def target(self, out: Variable) -> str:
        """The name of what the value of a call is written into."""
        model = self.group.values[out]
        if self.plan.deaths[self.plan.roots[out]] < self.end:
            if not self.free[model.dtype]:
                self.free[model.dtype].append(f"scratch_{len(self.dtypes)}")
                self.dtypes.append(model.dtype)
            return self.free[model.dtype].pop()
        if self.writer.has_buffer(out):
            return self.rows(self.writer.constant(self.writer.buffer(out)))
        shape, dtype = self.writer.text(model.shape), self.writer.constant(model.dtype)
        self.writer.lines.append(f"v{int(out)} = {self.writer.constant(np.empty)}({shape}, {dtype})")
        return self.rows(f"v{int(out)}")

    def release(self, roots: Iterable[Variable]) -> None:
        """Let memory be taken again: by the same rows, unless other rows of it are read in the same block."""
        for root in roots:
            if self.names.get(root, "").startswith("scratch"):
                self.free[self.group.values[root].dtype].append(self.names[root])
            elif root not in self.viewed:
                self.writer.release([root])

    def write_function(self) -> None:
        """Write the function, how it is called, and how sums over blocks are added up."""
        writer, lines = self.writer, self.writer.lines
        _, first = self.blocks[0]
        kind = (first.stop, *self.group.shape[1:]), tuple(self.dtypes)
        scratch = writer.scratches.setdefault(kind, Scratch(*kind))
        names = [f"scratch_{number}" for number in range(len(self.dtypes))]
        part, blocks = f"part_{len(writer.names)}", writer.constant(self.blocks)
        lines += [
            f"def {part}(blocks):",
            f"    scratch = {writer.constant(scratch.take)}()",
            "    for number, block in blocks:",
            *[f"        {name} = {text}[block]" for text, name in self.slices.items()],
            "        here = slice(block.stop - block.start)",
            *[f"        {name} = scratch[{number}][here]" for number, name in enumerate(names)],
            *[f"        {line}" for line in self.lines],
            f"    {writer.constant(scratch.free.append)}(scratch)",
            f"{writer.constant(spread)}({part}, {blocks})" if self.group.threads > 1 else f"{part}({blocks})",
        ]
        for out, parts in self.sums:
            add = f"{writer.constant(np.add.reduce)}({writer.constant(parts)}, 0"
            if writer.has_buffer(out):
                lines.append(f"{add}, None, {writer.constant(writer.buffer(out))})")
            else:
                lines.append(f"v{int(out)} = {add})")
