"""What a network is made of: a table of its layers, their outputs, parameters and what they keep for `backward`."""

from __future__ import annotations

import copy
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd import ShapeError, Tensor, enable_grad
from nn.module import Module

Array = Any
Shape = tuple[int, ...]


def summary(model: Module, input_shape: Shape | list[Shape], dtype: Any = np.float32) -> Summary:
    """Run a network once, on zeros, and tell of each layer what came out, what it learns and what it keeps.

    It is run as it is, in training or in evaluation, and so that a gradient could follow. That is done with a copy, so
    the network, its running statistics and its random states stay as they are. Hooks are called.

    Parameters
    ----------
    model : Module
        The network.
    input_shape : tuple of int, or list of such tuples
        Shape of its input, with the number of examples in front; a list if it takes several inputs.
    dtype : dtype, or list of dtypes
        Of the input, or of each; an integer one for `nn.Embedding`.

    Returns
    -------
    Summary
        Printed, it is a table. It has the same numbers as attributes.

    Raises
    ------
    ShapeError
        If `input_shape` is no shape, and whatever the network raises for it.

    Notes
    -----
    A layer's row has what is its own, not its sublayers': columns add up to the totals. What is met twice counts where
    it is met first, be it a module, a parameter or an array that two layers keep. Bytes kept for backward are those of
    the arrays that the record holds, whole buffers where it holds views, but for parameters, buffers and the input.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 3))
    >>> model[0].requires_grad_(False)
    Linear(in_features=20, out_features=50, bias=True)
    >>> nn.summary(model, (32, 20))
    layer         output shape  parameters  frozen  bytes kept
    Sequential    (32, 3)
    ├─ 0: Linear  (32, 50)                   1,050
    ├─ 1: Tanh    (32, 50)
    └─ 2: Linear  (32, 3)              153               6,400
    total                              153   1,050       6,400
    >>> nn.summary(model.requires_grad_(), (32, 20)).kept
    6400
    """
    inputs = inputs_of(input_shape, dtype)
    twin = copy.deepcopy(model)
    watched = Watched(twin)
    with enable_grad(), np.errstate(all="ignore"):
        output = twin(*inputs)
    apart = [*inputs, *twin.buffers(), *(parameter.numpy() for parameter in twin.parameters())]
    return Summary(rows_of(twin, watched, kept_bytes(output, apart)))


def inputs_of(shapes: Any, dtypes: Any) -> list[Array]:
    """Return zeros of these shapes and dtypes."""
    several = shapes if isinstance(shapes, list) else [shapes]
    for shape in several:
        if not isinstance(shape, tuple) or not all(isinstance(size, int | np.integer) and size >= 0 for size in shape):
            raise ShapeError(
                f"input_shape={shapes!r} is no shape; give a tuple such as (32, 784), the number of examples in front, "
                "or a list of them for a network of several inputs"
            )
    dtypes = dtypes if isinstance(dtypes, list) else [dtypes] * len(several)
    return [np.zeros(shape, dtype) for shape, dtype in zip(several, dtypes, strict=True)]


# What the record keeps


def kept_bytes(outputs: Any, apart: Iterable[Array] = ()) -> Counter[int]:
    """Bytes of the arrays that the record of some tensors holds for `backward`, by the number of the node.

    Each array counts once, at the oldest node that holds it, and as the whole buffer if it is a view. Leaves are not
    counted: they belong to whoever made them.

    Parameters
    ----------
    outputs : Tensor, or nested tuples, lists and dicts of them
        The tensors.
    apart : iterable of ndarray
        Arrays not to count, nor views of them.

    Returns
    -------
    Counter
        ``total()`` is their sum.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor
    >>> from nn.summary import kept_bytes
    >>> x = Tensor(np.zeros(1000), requires_grad=True)
    >>> kept_bytes(np.exp(x)).total(), kept_bytes(x + x).total()
    (8000, 0)
    """
    nodes = sorted(nodes_below(outputs), key=lambda node: node.number)
    leaves = (node.recall("value") for node in nodes if not node.args)
    counted = {id(buffer_of(array)) for array in arrays_in([*leaves, *apart])}
    kept: Counter[int] = Counter()
    for node in nodes:
        for array in arrays_in([node.args, node.kept]):
            buffer = buffer_of(array)
            if id(buffer) not in counted:
                counted.add(id(buffer))
                kept[node.number] += buffer.nbytes
    return kept


def nodes_below(outputs: Any) -> set[Any]:
    """The nodes of the record of some tensors."""
    waiting = [tensor.node for tensor in leaves_of(outputs) if isinstance(tensor, Tensor)]
    found: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting.extend(node.inputs)
    return found


def leaves_of(value: Any) -> Iterator[Any]:
    """What stands in nested tuples, lists and dicts; a value that is none of these itself."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        for part in value:
            yield from leaves_of(part)
    else:
        yield value


def arrays_in(value: Any) -> Iterator[Array]:
    """The arrays in nested tuples, lists and dicts, also those of tensors."""
    for leaf in leaves_of(value):
        if isinstance(leaf, Tensor):
            leaf = leaf.data
        if isinstance(leaf, np.ndarray):
            yield leaf


def buffer_of(array: Array) -> Array:
    """The array that owns the memory of this one."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


# What happens during the call


class Watched:
    """Notes, by hooks, what the modules of a network return, and which of them was at work when a node was made.

    Attributes
    ----------
    shapes : dict
        For each module that was called the shapes of what it returned, in a list for each call.
    """

    def __init__(self, model: Module) -> None:
        self.shapes: dict[Module, list[list[Shape]]] = {}
        self.at_work: list[Module] = []
        self.changes: list[int] = []  # node numbers, and who was at work from then on
        self.workers: list[Module | None] = []
        for module in model.modules():
            module.register_forward_pre_hook(self.enters)
            module.register_forward_hook(self.leaves)

    def enters(self, module: Module, args: Any) -> None:
        """Note that the module is at work."""
        self.at_work.append(module)
        self.changed()

    def leaves(self, module: Module, args: Any, output: Any) -> None:
        """Note what it returned."""
        self.shapes.setdefault(module, []).append([np.shape(leaf) for leaf in leaves_of(output)])
        self.at_work.pop()
        self.changed()

    def changed(self) -> None:
        """Note who is at work from now on: now is when a new leaf would be made."""
        now: Any = Tensor(0.0, requires_grad=True).node
        self.changes.append(now.number)
        self.workers.append(self.at_work[-1] if self.at_work else None)

    def maker(self, number: int) -> Module | None:
        """Return the innermost module that was at work when the node of this number was made."""
        return self.workers[bisect(self.changes, number) - 1]


# The table


class Row(NamedTuple):
    """A layer, and what is its own.

    Attributes
    ----------
    path : str
        As in `Module.named_modules`.
    label : str
        Its name and class, behind the branches of the tree.
    output_shapes : list of list of tuple
        For each call the shapes of what it returned.
    parameters, frozen : int
        Number of parameters, each element counted, that learn and that do not.
    kept : int
        Bytes kept for `backward`.
    """

    path: str
    label: str
    output_shapes: list[list[Shape]]
    parameters: int
    frozen: int
    kept: int

    def cells(self) -> list[str]:
        """Return what stands in the table."""
        calls = Counter(", ".join(map(str, shapes)) for shapes in self.output_shapes)
        shapes = "; ".join(f"{shape} ×{times}" if times > 1 else shape for shape, times in calls.items())
        numbers = (self.parameters, self.frozen, self.kept)
        return [self.label, shapes, *(f"{number:,}" if number else "" for number in numbers)]


class Summary:
    """What `summary` returns: a table of layers.

    Attributes
    ----------
    rows : list of Row
        The layers, each before its sublayers.
    parameters, frozen : int
        Number of parameters, each element counted, that learn and that do not.
    kept : int
        Bytes kept for `backward`.
    """

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.parameters = sum(row.parameters for row in rows)
        self.frozen = sum(row.frozen for row in rows)
        self.kept = sum(row.kept for row in rows)

    def __str__(self) -> str:
        total = ["total", "", f"{self.parameters:,}", f"{self.frozen:,}", f"{self.kept:,}"]
        lines = [HEAD, *(row.cells() for row in self.rows), total]
        widths = [max(map(len, column)) for column in zip(*lines)]
        aligned = (
            [
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths))
            ]
            for line in lines
        )
        return "\n".join("  ".join(cells).rstrip() for cells in aligned)

    __repr__ = __str__


HEAD = ["layer", "output shape", "parameters", "frozen", "bytes kept"]


def rows_of(model: Module, watched: Watched, kept: Counter[int]) -> list[Row]:
    """The rows of a network that was called."""
    learning: Counter[str] = Counter()
    frozen: Counter[str] = Counter()
    for path, parameter in model.named_parameters():
        owner, _, _ = path.rpartition(".")
        (learning if parameter.requires_grad else frozen)[owner] += parameter.size
    by_module: Counter[Module | None] = Counter()
    for number, size in kept.items():
        by_module[watched.maker(number)] += size
    first: dict[Module, str] = {}
    rows = []
    for path, label, module in tree(model, first):
        if first[module] == path:
            shapes = watched.shapes.get(module, [])
            rows.append(Row(path, label, shapes, learning[path], frozen[path], by_module[module]))
        else:
            rows.append(Row(path, f"{label} (the same as {first[module]})", [], 0, 0, 0))
    return rows


def tree(
    module: Module, first: dict[Module, str], path: str = "", label: str = "", margin: str = ""
) -> Iterator[tuple[str, str, Module]]:
    """Yield (path, label, module) for a module and all below it, and note in `first` where each is met first.

    What is met again is yielded again, but not what is below it.
    """
    again = module in first
    first.setdefault(module, path)
    yield path, f"{label}{type(module).__name__}", module
    children = [] if again else list(module._children())
    for left, (name, child) in zip(reversed(range(len(children))), children):
        branch, beside = ("├─ ", "│  ") if left else ("└─ ", "   ")
        below = f"{path}.{name}" if path else name
        yield from tree(child, first, below, f"{margin}{branch}{name}: ", margin + beside)
