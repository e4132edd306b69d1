"""The record as an indented text: for each operation its value and gradient, on each edge the local derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.chain_rule import Step, pullback
from autograd.graph import Node, restored

LINES = 60
DEPTH = 24


class Outline:
    """What ``print(tensor.graph())`` prints.

    Every line is a node: how it is reached (the local derivative on the edge to it), its name or operation, its
    value, and the gradient of the root with respect to it. Arrays are summed up by their shape and root mean square.
    A node that was shown before is referred to, and large graphs are abridged.

    Values come from running the record forward again and gradients from walking it back, so it can be printed before
    and after ``backward``, and changes nothing.
    """

    def __init__(self, root: Node) -> None:
        top, originals, self.values = restored(root)
        self.root = root
        self.locals: dict[tuple[Node, int], Any] = {}
        self.gradients: dict[Node, Any] = {root: np.ones(*root.spec)}

        def note(step: Step) -> None:
            node, source = originals[step.node], originals[step.source]
            self.locals[node, step.position] = step.local
            before = self.gradients.get(source)
            self.gradients[source] = step.contribution if before is None else before + step.contribution

        pullback({top: self.gradients[root]}, observer=note)

    def __str__(self) -> str:
        lines: list[str] = []
        shown: dict[Node, int] = {}
        stack: list[tuple[str, str, str, Node]] = [("", "", "", self.root)]
        while stack and len(lines) < LINES:
            indent, below, edge, node = stack.pop()
            if node in shown:
                lines.append(f"{indent}{edge}{label(node)}  (line {shown[node]})")
                continue
            lines.append(f"{indent}{edge}{self.describe(node)}")
            shown[node] = len(lines)
            inputs = [(position, arg) for position, arg in enumerate(node.args) if type(arg) is Node]
            if inputs and len(below) >= 3 * DEPTH:
                lines.append(f"{below}└─ …")
                continue
            for position, source in reversed(inputs):
                last = position == inputs[-1][0]
                local = brief(self.locals.get((node, position)))
                edge = f"∂ {local} · " if local else ""
                stack.append((f"{below}{'└─ ' if last else '├─ '}", f"{below}{'   ' if last else '│  '}", edge, source))
        hidden = len(self.values) - len(shown)
        return "\n".join([*lines, f"… {hidden:,} more nodes"] if hidden else lines)

    __repr__ = __str__

    def describe(self, node: Node) -> str:
        """Return one node's line, without its edge."""
        factors = (arg for position, arg in enumerate(node.args) if node.op.has_rule(position))
        constants = ", ".join(brief(arg) for arg in factors if brief(arg))
        operation = f"{label(node)}{f' [{constants}]' if constants else ''}"
        gradient = brief(self.gradients.get(node))
        return f"{operation}  {brief(self.values[node])}{f'  grad {gradient}' if gradient else ''}"


def label(node: Node) -> str:
    """Return the name of a node, and its operation if it has one."""
    name = node.recall("name")
    operation = node.op.name if node.args else "leaf"
    return f"{name} = {operation}" if name and node.args else name or operation


def brief(value: Any) -> str:
    """Return a number in short; of an array its shape and root mean square; nothing for other things."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.ndarray | np.generic):
        return ""
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        return ""
    if array.ndim == 0:
        return f"{float(array):.6g}"
    return f"{array.shape} rms {float(np.sqrt(np.mean(np.square(array, dtype=float)))) if array.size else 0.0:.4g}"
