"""The graph model: what pictures, the stepper and JSON know of a record, as plain numbers and texts.

It is read off the record by running it forward again from its leaves, and by the engine's own walk back, shown to an
observer. So it is the same before and after `backward`, and changes nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.chain_rule import Step, pullback
from autograd.errors import NotDifferentiableError
from autograd.messages import describe
from autograd.outline import Outline, remade
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
        """The number, or the root mean square, in four digits."""
        if self.number is not None:
            return brief(self.number)
        return f"rms {brief(self.rms)}"


class GraphNode(NamedTuple):
    """A node of a graph.

    Attributes
    ----------
    id : str
        ``"n0"``, ``"n1"``, … in the order of computation: the same computation gives the same ids.
    name : str
        What the user called it, or "".
    op : str
        The operation that made it, or "" for what was given.
    kind : {"leaf", "parameter", "constant", "op", "output"}
        A leaf requires grad; a parameter is one that a module holds; the output is the root.
    module : str
        The path of modules in whose calls it was computed, such as ``"MLP/0"``, or "".
    shape : tuple of int
        Of its value.
    dtype : str
        Of its value.
    value : Summary
        Of its value.
    gradient : Summary or None
        Of the gradient of the root with respect to it; None where there is none.
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

    @property
    def symbol(self) -> str:
        """The operation as pictures write it."""
        return SYMBOLS.get(self.op, self.op)

    @property
    def title(self) -> str:
        """The head of its card: ``q = +``, ``+``, ``x``, or for a constant without a name "constant"."""
        if not self.op:
            return self.name or self.kind
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
    """

    source: str
    target: str
    position: int
    local: Summary | None
    contribution: Summary | None


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


def graph(root: Tensor) -> Graph:
    """Return the record of a tensor, to draw, step through, or write.

    Parameters
    ----------
    root : Tensor
        A tensor that requires grad, before or after `backward`.

    Returns
    -------
    Graph
        Printed, it is the text tree.

    Raises
    ------
    NotDifferentiableError
        If the tensor requires no grad: then nothing was recorded.

    Examples
    --------
    >>> from autograd import Tensor, graph
    >>> x, y = Tensor(-2.0, requires_grad=True, name="x"), Tensor(5.0, requires_grad=True, name="y")
    >>> q = x + y
    >>> q.name = "q"
    >>> f = graph(q * -4.0)
    >>> f
    <Graph of ×: 5 nodes, 4 edges>
    >>> [(node.title, node.value.number) for node in f.nodes]
    [('x', -2.0), ('y', 5.0), ('q = +', 3.0), ('constant', -4.0), ('×', -12.0)]
    >>> f.nodes[0].gradient.number
    -4.0
    """
    if not isinstance(root, Tensor) or root.node is None:
        raise NotDifferentiableError(
            f"graph() of {describe(root)}, which does not require grad: nothing was recorded; "
            "set requires_grad=True on what it is computed from"
        )
    top = root.node
    copies, values = remade(top, 0)
    originals = {copy: node for node, copy in copies.items()}
    locals_: dict[tuple[Node, int], Any] = {}
    contributions: dict[tuple[Node, int], Any] = {}
    gradients: dict[Node, Any] = {top: np.ones(*top.spec)}

    def note(step: Step) -> None:
        node, source = originals[step.node], originals[step.source]
        locals_[node, step.position] = step.local
        contributions[node, step.position] = step.contribution
        if isinstance(source.spec, Spec):
            before = gradients.get(source)
            gradients[source] = step.contribution if before is None else before + step.contribution

    if top.args:
        pullback({copies[top]: gradients[top]}, observer=note)
    return Reading(top, values, gradients, locals_, contributions).graph(str(Outline(top)))


class Reading:
    """A record that has been run and walked, being written down as a `Graph`."""

    def __init__(
        self,
        root: Node,
        values: Mapping[Node, Any],
        gradients: Mapping[Node, Any],
        locals_: Mapping[tuple[Node, int], Any],
        contributions: Mapping[tuple[Node, int], Any],
    ) -> None:
        self.root, self.values, self.gradients = root, values, gradients
        self.locals, self.contributions = locals_, contributions
        self.ids: dict[Node, str] = {}
        self.nodes: list[GraphNode] = []
        self.edges: list[GraphEdge] = []

    def graph(self, outline: str) -> Graph:
        """Return what was read."""
        modules = module_paths(self.values)
        for node in sorted(self.values, key=lambda node: node.number):
            module = modules.get(node, "")
            edges = [self.edge_from(node, position, arg, module) for position, arg in enumerate(node.args)]
            self.ids[node] = name = f"n{len(self.nodes)}"
            self.nodes.append(self.card(node, name, module))
            self.edges += [edge._replace(target=name) for edge in reversed(edges) if edge is not None]
        return Graph(tuple(self.nodes), tuple(reversed(self.edges)), outline)

    def card(self, node: Node, name: str, module: str) -> GraphNode:
        """Return the node as it is drawn."""
        kind = "op" if node.args else "parameter" if node.recall("parameter") else "leaf"
        gradient = self.gradients.get(node)
        shape, dtype = (node.spec.shape, str(node.spec.dtype)) if isinstance(node.spec, Spec) else ((), "tuple")
        return GraphNode(
            name,
            node.recall("name") or "",
            node.op.name if node.args else "",
            "output" if node is self.root and node.args else kind,
            module,
            shape,
            dtype,
            summary(self.values[node]),
            None if gradient is None else summary(gradient),
        )

    def edge_from(self, node: Node, position: int, arg: Any, module: str) -> GraphEdge | None:
        """Return the edge from an argument, after adding a node for a constant; None for an option such as an axis."""
        if type(arg) is Node:
            key = node, position
            local, contribution = self.locals.get(key), self.contributions.get(key)
            return GraphEdge(
                self.ids[arg],
                "",
                position,
                None if local is None else summary(local),
                None if contribution is None else summary(contribution),
            )
        if not shown_as_constant(node, position, arg):
            return None
        value, name = np.asarray(arg), f"n{len(self.nodes)}"
        self.nodes.append(
            GraphNode(name, "", "", "constant", module, value.shape, str(value.dtype), summary(value), None)
        )
        return GraphEdge(name, "", position, None, None)


def shown_as_constant(node: Node, position: int, arg: Any) -> bool:
    """Whether a constant argument is a number or array that the operation could differentiate."""
    if isinstance(arg, bool) or not isinstance(arg, int | float | np.ndarray | np.generic):
        return False
    parameters = node.op.parameters
    name = parameters[min(position, len(parameters) - 1)]
    return name in node.op.differentiable and np.asarray(arg).dtype.kind in "fiub"


def module_paths(nodes: Iterable[Node]) -> dict[Node, str]:
    """The path of modules in whose calls each node was computed.

    `named_call` notes on the node of an output who was called and at which number that began (``calls``); what was
    computed from then on until that node belongs to the call.
    """
    calls = [(call[1], node.number, call[0]) for node in nodes for call in node.recall("calls") or ()]
    calls.sort(key=lambda call: (call[0], -call[1]))
    paths: dict[Node, str] = {}
    open_calls: list[tuple[int, str]] = []
    waiting = iter(calls)
    upcoming = next(waiting, None)
    for node in sorted((node for node in nodes if node.args), key=lambda node: node.number):
        while upcoming is not None and upcoming[0] <= node.number:
            open_calls = [call for call in open_calls if call[0] >= upcoming[1]]
            open_calls.append((upcoming[1], upcoming[2]))
            upcoming = next(waiting, None)
        open_calls = [call for call in open_calls if call[0] >= node.number]
        if open_calls:
            paths[node] = "/".join(label for _, label in open_calls)
    return paths


def summary(value: Any) -> Summary:
    """Return what is shown of a value."""
    if isinstance(value, float):  # numbers of NumPy, too; graphs of them are large
        value = float(value)
        return Summary(value, abs(value), value, value, math.isfinite(value), ())
    if not isinstance(value, int | np.ndarray | np.generic):
        return Summary(None, 0.0, 0.0, 0.0, True, ())
    array = np.asarray(value)
    if not array.size:
        return Summary(None, 0.0, 0.0, 0.0, True, ())
    array = array.astype(np.float64)
    with np.errstate(all="ignore"):
        number = float(array.reshape(())) if array.ndim == 0 else None
        rms = float(np.sqrt(np.mean(np.square(array))))
        least, most = float(np.min(array)), float(np.max(array))
        return Summary(number, rms, least, most, bool(np.isfinite(array).all()), cells(array) if array.ndim else ())


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
