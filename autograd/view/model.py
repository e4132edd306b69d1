"""The graph model: what pictures, the stepper and JSON know of a record, as plain numbers and texts.

It is read off the record by running it forward again from its leaves, and by the engine's own walk back, shown to an
observer. So it is the same before and after `backward`, and changes nothing.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from autograd.errors import NotDifferentiableError
from autograd.leaves import CHANGED, Watched
from autograd.messages import NUMBERS, describe
from autograd.op import OUTPUT
from autograd.outline import STALE, Outline, Walk, one_line, walked
from autograd.record import Node, Spec
from autograd.tensor import Tensor

CELLS = 8
"""How many rows and columns a summary keeps of an array, at most, to be drawn as a heat map."""

SYMBOLS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "matmul": "@", "power": "^", "negative": "−"}
"""What pictures write for an operation."""


class Summary(NamedTuple):
    """What is shown of an array.

    Attributes
    ----------
    number : float or None
        Its value, if it is a single number.
    rms : float
        Root mean square of its elements; 0 for none.
    least, most : float
        The extreme elements; 0 for none.
    finite : bool
        Whether all elements are.
    cells : tuple of tuple of float
        Means over a grid of at most 8 by 8 blocks, for a heat map: rows are the first axes together, columns the last.
    """

    number: float | None
    rms: float
    least: float
    most: float
    finite: bool
    cells: tuple[tuple[float, ...], ...]

    @property
    def size(self) -> float:
        """What a colour stands for: the absolute value of a number, the root mean square of an array."""
        return self.rms if self.number is None else abs(self.number)

    @property
    def text(self) -> str:
        """The number, or the root mean square, in four digits; nothing where there are no numbers."""
        if self.number is not None:
            return brief(self.number)
        return f"rms {brief(self.rms)}" if self.cells else ""


NOTHING = Summary(None, 0.0, 0.0, 0.0, True, ())
"""Of an array without elements, and of what is no array."""


class GraphNode(NamedTuple):
    """A node of a graph.

    Attributes
    ----------
    id : str
        ``"n0"``, ``"n1"``, … in the order of computation: the same computation gives the same ids.
    name : str
        What the user called it, on one line, or "".
    op : str
        The operation that made it, or "" for what was given.
    kind : {"leaf", "parameter", "constant", "op", "output", "module"}
        A leaf requires grad; a parameter is one that a module holds; the output is the root. A module stands for
        several nodes, which are drawn as one, and shows what comes out of them: the value and gradient of the one that
        is used outside, or of all that are, together.
    module : str
        The path of modules in whose calls it was computed, such as ``"MLP/0"``, or "". Of a module that calls another
        several times, the second call is ``"RNN/cell#2"``.
    shape : tuple of int
        Of its value.
    dtype : str
        Of its value; "" for several outputs together.
    value : Summary
        Of its value.
    gradient : Summary or None
        Of the gradient of the root with respect to it; None where there is none.
    total : int
        How many operations it stands for; of inputs, how many of these.
    repeats : int
        How many blocks of the same structure, one after the other, it stands for.
    parameters : int
        How many numbers are in the parameters among what it stands for.
    note : str
        What it stands for, in words, such as ``"3 ops, 20 parameters"``; and, of a leaf that was changed in place since
        or a module with one, that it was: it and all that is computed from it are then shown as they would be now.
    """

    id: str
    name: str
    op: str
    kind: str
    module: str
    shape: tuple[int, ...]
    dtype: str
    value: Summary
    gradient: Summary | None
    total: int = 1
    repeats: int = 1
    parameters: int = 0
    note: str = ""

    @property
    def symbol(self) -> str:
        """The operation as pictures write it."""
        return SYMBOLS.get(self.op, self.op)

    @property
    def title(self) -> str:
        """The head of its card: ``q = +``, ``+``, ``x``, for a constant without a name "constant", ``layer ×12``."""
        if not self.op:
            return f"{self.name or self.kind}{f' ×{self.repeats:,}' if self.repeats > 1 else ''}"
        return f"{self.name} = {self.symbol}" if self.name else self.symbol


class GraphEdge(NamedTuple):
    """An argument of an operation; two arguments may be the same node.

    Attributes
    ----------
    source, target : str
        Ids of the argument and of the node computed from it.
    position : int
        The place of the argument in the call.
    local : Summary or None
        The local derivative, where it is an array like the value.
    contribution : Summary or None
        The upstream gradient of `target` times the local derivative: what this edge adds to the gradient of `source`.
    total : int
        How many edges it stands for. Several have no local derivative, and as contribution the sum of theirs, where
        these are numbers that go to the same node.
    """

    source: str
    target: str
    position: int
    local: Summary | None
    contribution: Summary | None
    total: int = 1


class Graph(NamedTuple):
    """The record of a tensor, ready to be drawn.

    Attributes
    ----------
    nodes : tuple of GraphNode
        Inputs before what is computed from them; the last one is the root.
    edges : tuple of GraphEdge
        In the order in which the backward walk takes them: those of the newest node first.
    outline : str
        The same as a text tree.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    outline: str

    def __str__(self) -> str:
        return self.outline

    def __repr__(self) -> str:
        root = self.nodes[-1]
        return f"<Graph of {root.title}: {len(self.nodes):,} nodes, {len(self.edges):,} edges>"

    @property
    def root(self) -> GraphNode:
        """The node that the graph was asked for."""
        return self.nodes[-1]

    def to_json(self) -> str:
        """Return the graph as JSON text; `from_json` gives it back.

        NaN and infinities, which JSON lacks, are the texts "NaN", "inf" and "-inf".
        """
        content = {
            "nodes": [encoded(node) for node in self.nodes],
            "edges": [encoded(edge) for edge in self.edges],
            "outline": self.outline,
        }
        return json.dumps(content, ensure_ascii=False, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Graph:
        """Return the graph that `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is no such JSON.
        """
        try:
            content = json.loads(text)
            nodes = tuple(decoded(GraphNode, fields) for fields in content["nodes"])
            edges = tuple(decoded(GraphEdge, fields) for fields in content["edges"])
            return Graph(nodes, edges, content["outline"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this text is not a graph as Graph.to_json writes it: {error}") from error


def read(root: Tensor) -> Graph:
    """Return the record of a tensor as plain numbers; `autograd.graph` returns the same, ready to be drawn."""
    if not isinstance(root, Tensor) or root.node is None:
        raise NotDifferentiableError(
            f"graph() of {describe(root)}, which does not require grad: nothing was recorded; "
            "set requires_grad=True on what it is computed from"
        )
    top = root.node
    walk = walked(top)
    return Reading(top, walk).graph(str(Outline(top, walk)))


class Reading:
    """A record that has been run and walked, being written down as a `Graph`."""

    def __init__(self, root: Node, walk: Walk) -> None:
        self.root, self.walk = root, walk
        self.modules = module_paths(walk.values)
        self.parameters = parameter_paths(walk.values, self.modules)
        self.ids: dict[Node, str] = {}
        self.nodes: list[GraphNode] = []
        self.edges: list[GraphEdge] = []

    def graph(self, outline: str) -> Graph:
        """Return what was read."""
        order = sorted(self.walk.values, key=attrgetter("number"))
        several = [node for node in order if not isinstance(node.spec, Spec)]
        uses = Counter(arg for node in order for arg in node.args if type(arg) is Node) if several else Counter()
        lone = {node for node in several if uses[node] == 1}  # is drawn as the one output that is used
        for node in order:
            if node not in lone:
                self.add(node, node.args[0] if lone and is_output(node) and node.args[0] in lone else node)
        return Graph(tuple(self.nodes), tuple(reversed(self.edges)), outline)

    def add(self, node: Node, made_by: Node) -> None:
        """Write down a node, its edges and its constants, as made by its own operation or by another node's."""
        module = self.modules.get(node, "")
        sources = [
            (position, self.ids[arg] if type(arg) is Node else self.constant(arg, module))
            for position, arg in enumerate(made_by.args)
            if type(arg) is Node or shown_as_constant(made_by, position, arg)
        ]
        self.ids[node] = name = f"n{len(self.nodes)}"
        self.nodes.append(self.card(node, made_by, name, module))
        _, gradients, locals_, contributions = self.walk
        one_of_several = is_output(made_by)  # what goes back to it is what arrived at the one
        for position, source in reversed(sources):
            edge = made_by, position
            local, contribution = locals_.get(edge), gradients.get(node) if one_of_several else contributions.get(edge)
            self.edges.append(
                GraphEdge(
                    source,
                    name,
                    position,
                    None if local is None else summary(local),
                    None if contribution is None else summary(contribution),
                )
            )

    def constant(self, value: Any, module: str) -> str:
        """Write down a node for a constant, and return its id."""
        name, array = f"n{len(self.nodes)}", np.asarray(value)
        self.nodes.append(
            GraphNode(name, "", "", "constant", module, array.shape, text_of(array.dtype), summary(value), None)
        )
        return name

    def card(self, node: Node, made_by: Node, name: str, module: str) -> GraphNode:
        """Return the node as it is drawn."""
        kind = "op" if node.args else "parameter" if node.recall("parameter") else "leaf"
        one = isinstance(node.spec, Spec)
        return GraphNode(
            name,
            one_line(self.parameters.get(node) or node.recall("name") or ""),
            self.operation(made_by),
            "output" if node is self.root and node.args else kind,
            module,
            node.spec.shape if one else (),
            text_of(node.spec.dtype) if one else "",
            summary(self.walk.values[node]),
            summary(self.walk.gradients[node]) if node in self.walk.gradients else None,
            parameters=math.prod(node.spec.shape) if kind == "parameter" else 0,
            note=note_on(node),
        )

    def operation(self, node: Node) -> str:
        """Return the name of a node's operation; of one of several outputs the name of that output."""
        if not node.args:
            return ""
        if not is_output(node):
            return str(node.op.name)
        source, index = node.args
        fields = getattr(self.walk.values[source], "_fields", None) or source.op.outputs
        return fields[index] if index < len(fields) else f"output {index}"


def parameter_paths(nodes: Iterable[Node], modules: Mapping[Node, str]) -> dict[Node, str]:
    """The paths of parameters, such as ``"0.weight"``: below the outermost module, in the one that uses them.

    A parameter that several modules use has none.
    """
    paths: dict[Node, str] = {}
    for node in nodes:
        inner = modules.get(node, "").split("/")[1:]
        for arg in node.args:
            if type(arg) is Node and arg.recall("parameter"):
                path = ".".join([*inner, arg.recall("name")])
                paths[arg] = path if paths.get(arg, path) == path else arg.recall("name")
    return paths


def op_of(node: Node) -> Any:
    """Return the op of a node, whether somebody watches its gradient or not."""
    return node.op.op if isinstance(node.op, Watched) else node.op


def is_output(node: Node) -> bool:
    """Whether a node is one of the outputs of a node that has several."""
    return op_of(node) is OUTPUT


def note_on(node: Node) -> str:
    """Return what is to be known of a node besides its value."""
    if not isinstance(node.spec, Spec):
        return f"{len(node.spec)} outputs"
    return STALE if node.op is CHANGED else ""


def shown_as_constant(node: Node, position: int, arg: Any) -> bool:
    """Whether a constant argument is a number or array that the operation could differentiate, and no default."""
    if isinstance(arg, bool) or not isinstance(arg, int | float | np.ndarray | np.generic):
        return False
    parameters = node.op.parameters
    name = parameters[min(position, len(parameters) - 1)]
    if name not in node.op.differentiable or arg is node.op.defaults.get(name):
        return False
    return np.asarray(arg).dtype.kind in NUMBERS


def module_paths(nodes: Iterable[Node]) -> dict[Node, str]:
    """The path of modules in whose calls each node was computed.

    `named_call` notes on the node of an output who was called and at which number that began (``calls``); what was
    computed from then on until that node belongs to the call. A second call of the same module by the same caller is
    another path, ``#2``: together with what was computed in between they would make a circle.
    """
    calls = [(call[1], node.number, call[0]) for node in nodes for call in node.recall("calls") or ()]
    calls.sort(key=lambda call: (call[0], -call[1]))
    paths: dict[Node, str] = {}
    open_calls: list[tuple[int, str]] = []  # the last number of each, and its path
    made: Counter[str] = Counter()
    waiting = iter(calls)
    upcoming = next(waiting, None)
    for node in sorted((node for node in nodes if node.args), key=lambda node: node.number):
        while upcoming is not None and upcoming[0] <= node.number:
            open_calls = [call for call in open_calls if call[0] >= upcoming[1]]
            path = "/".join([*(path for _, path in open_calls[-1:]), one_line(upcoming[2]).replace("/", ".")])
            made[path] += 1
            open_calls.append((upcoming[1], f"{path}#{made[path]}" if made[path] > 1 else path))
            upcoming = next(waiting, None)
        open_calls = [call for call in open_calls if call[0] >= node.number]
        if open_calls:
            paths[node] = open_calls[-1][1]
    return paths


def summary(value: Any) -> Summary:
    """Return what is shown of a value."""
    if isinstance(value, float | int | np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        number = float(value)
        return Summary(number, abs(number), number, number, math.isfinite(number), ())
    if not isinstance(value, np.ndarray) or not value.size:
        return NOTHING
    array = value.astype(np.float64)
    with np.errstate(all="ignore"):
        rms = float(np.sqrt(np.mean(np.square(array))))
        least, most = float(np.min(array)), float(np.max(array))
        return Summary(None, rms, least, most, bool(np.isfinite(array).all()), cells(array))


def cells(array: np.ndarray[Any, Any]) -> tuple[tuple[float, ...], ...]:
    """Return the means over a grid of blocks."""
    table = array.reshape(-1, array.shape[-1])
    for axis in (0, 1):
        count = table.shape[axis]
        if count > CELLS:
            starts = np.arange(CELLS) * count // CELLS
            lengths = np.diff([*starts, count])
            table = np.add.reduceat(table, starts, axis) / np.expand_dims(lengths, 1 - axis)
    return tuple(tuple(map(float, row)) for row in table)


text_of = lru_cache(maxsize=256)(str)
"""The name of a dtype. NumPy makes it anew each time, which takes as long as all else of a node."""


def brief(number: float) -> str:
    """Return a number in four digits."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "∞" if number > 0 else "−∞"
    return f"{number:.4g}".replace("-", "−")


# JSON


def encoded(value: Any) -> Any:
    """Return named tuples as dicts, other tuples as lists, and numbers that JSON lacks as texts."""
    if hasattr(value, "_asdict"):
        return {name: encoded(part) for name, part in value._asdict().items()}
    if isinstance(value, tuple):
        return [encoded(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    return value


def decoded(kind: Any, fields: Mapping[str, Any]) -> Any:
    """Return a named tuple from what `encoded` made of it."""
    given = dict(fields)
    for name in ("value", "gradient", "local", "contribution"):
        if isinstance(given.get(name), dict):
            given[name] = decoded(Summary, given[name])
    if kind is Summary:
        given = {name: plain(part) for name, part in given.items()}
    if "shape" in given:
        given["shape"] = tuple(given["shape"])
    return kind(**given)


def plain(part: Any) -> Any:
    """Return what a number or a list of numbers was before it was encoded."""
    if isinstance(part, list):
        return tuple(map(plain, part))
    return float(part) if isinstance(part, str) else part
