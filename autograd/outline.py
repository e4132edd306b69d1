"""The record as an indented text: for each operation its value and gradient, on each edge the local derivative."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.chain_rule import Step, pullback
from autograd.leaves import CHANGED, Watched, make_leaf
from autograd.messages import NUMBERS
from autograd.record import Node, Spec, arguments, make_node, replay

LINES = 60
DEPTH = 24

STALE = "changed since"
"""What is said of a leaf that was changed in place: it and what is computed from it are shown as they would be now."""


class Line(NamedTuple):
    """A node's place in the text: its indentation, the edge (consumer, position) that leads to it, and the node.

    `above` is the number of the line where the node was shown before, 0 if it was not; there is no node where a branch
    is too deep to be shown.
    """

    indent: str
    edge: tuple[Node, int] | None
    node: Node | None
    above: int = 0


class Outline:
    """What ``print(tensor.graph())`` prints.

    Every line is a node: how it is reached (the local derivative on the edge to it), its name or operation, its value,
    and the gradient of the root with respect to it. Arrays are summed up by their shape and root mean square. A node
    that was shown before is referred to, and large graphs are abridged.

    Values come from running the record forward again and gradients from walking it back, so it can be printed before
    and after ``backward``, and changes nothing.
    """

    def __init__(self, root: Node, walk: Walk | None = None) -> None:
        self.lines = list(laid_out(root))
        self.shown = {line.node for line in self.lines if line.node is not None}
        self.walk = walk or walked(root, oldest=min(node.number for node in self.shown))

    def __str__(self) -> str:
        text = [f"{line.indent}{self.describe(line)}" for line in self.lines]
        hidden = len(self.walk.values) - len(self.shown)
        return "\n".join([*text, f"… {hidden:,} more nodes"] if hidden else text)

    __repr__ = __str__

    def describe(self, line: Line) -> str:
        """Return what stands on a line behind the indentation."""
        node = line.node
        if node is None:
            return "…"
        local = brief(self.walk.locals.get(line.edge)) if line.edge else ""
        edge = f"∂ {local} · " if local else ""
        if line.above:
            return f"{edge}{label(node)}  (line {line.above})"
        named = zip(node.op.parameters, node.args)
        factors = (brief(arg) for name, arg in named if name in node.op.differentiable.difference(node.op.defaults))
        constants = ", ".join(factor for factor in factors if factor)
        gradient = brief(self.walk.gradients.get(node))
        value = f"{brief(self.walk.values[node])}{f'  grad {gradient}' if gradient else ''}"
        note = f"  ({STALE})" if node.op is CHANGED else ""
        return f"{edge}{label(node)}{f' [{constants}]' if constants else ''}  {value}".rstrip() + note


class Walk(NamedTuple):
    """What a record says of its nodes, and of its edges: (consumer, position).

    Attributes
    ----------
    values, gradients : dict of Node to array
        The gradients are those of the root; nodes that no derivative reaches have none.
    locals, contributions : dict of (Node, int) to array
        The local derivative is None where it is no array like the value.
    """

    values: dict[Node, Any]
    gradients: dict[Node, Any]
    locals: dict[tuple[Node, int], Any]
    contributions: dict[tuple[Node, int], Any]


def walked(root: Node, oldest: int = 0) -> Walk:
    """Return what running the record again, and walking it back down to number `oldest`, shows. It changes nothing."""
    with np.errstate(all="ignore"):  # who computed it was warned then
        copies, values = remade(root, oldest)
    originals = {copy: node for node, copy in copies.items()}
    gradients: dict[Node, Any] = {root: np.ones(*root.spec)}
    walk = Walk(values, gradients, {}, {})

    def note(step: Step) -> None:
        node, source = originals[step.node], originals[step.source]
        edge = node, step.position
        walk.locals[edge], walk.contributions[edge] = step.local, step.contribution
        if isinstance(source.spec, Spec):
            before = gradients.get(source)
            gradients[source] = step.contribution if before is None else before + step.contribution

    if root.args:
        pullback({copies[root]: gradients[root]}, observer=note)
    return walk


def remade(root: Node, oldest: int) -> tuple[dict[Node, Node], dict[Node, Any]]:
    """Return copies, which keep everything again, of the nodes below `root` from number `oldest` on; and all values.

    A walk over the copies shows the gradients of a graph that `backward` has released. It releases nothing itself, and
    calls no hooks. Where it ends, leaves stand for what is older.
    """
    values = replay([root])
    copies: dict[Node, Node] = {}

    def copied(arg: Any) -> Any:
        if type(arg) is not Node:
            return arg
        if arg not in copies:
            copies[arg] = make_leaf(values[arg])
        return copies[arg]

    for node, value in values.items():  # inputs first
        if node.args and node.number >= oldest:
            op = node.op.op if isinstance(node.op, Watched) else node.op
            kept = op.keep(node.inputs, arguments(node, values), value)
            copies[node] = make_node(op, tuple(map(copied, node.args)), kept, node.spec)
    return copies, values


def laid_out(root: Node) -> Iterator[Line]:
    """Yield the lines, each node's inputs below it."""
    shown: dict[Node, int] = {}
    stack: list[tuple[str, str, tuple[Node, int] | None, Node]] = [("", "", None, root)]
    for count in range(1, LINES + 1):
        if not stack:
            break
        indent, below, edge, node = stack.pop()
        if len(below) > 3 * DEPTH:
            yield Line(indent, None, None)
            continue
        yield Line(indent, edge, node, shown.get(node, 0))
        if node in shown:
            continue
        shown[node] = count
        inputs = [(position, arg) for position, arg in enumerate(node.args) if type(arg) is Node]
        for position, source in reversed(inputs):
            last = position == inputs[-1][0]
            branches = (f"{below}{'└─ ' if last else '├─ '}", f"{below}{'   ' if last else '│  '}")
            stack.append((*branches, (node, position), source))


def label(node: Node) -> str:
    """Return the name of a node, and its operation if it has one."""
    name = one_line(node.recall("name") or "")
    operation = node.op.name if node.args else "leaf"
    return f"{name} = {operation}" if name and node.args else name or operation


def one_line(words: str) -> str:
    """Return a text on one line, without what cannot be printed: control characters, halves of surrogate pairs."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def brief(value: Any) -> str:
    """Return a number in short; of an array its shape and root mean square; nothing for other things."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.ndarray | np.generic):
        return ""
    array = np.asarray(value)
    if array.dtype.kind not in NUMBERS:
        return ""
    if array.ndim == 0:
        return f"{float(array):.6g}"
    return f"{array.shape} rms {float(np.sqrt(np.mean(np.square(array, dtype=float)))) if array.size else 0.0:.4g}"
