"""The ops at which a gradient is handed over: leaves, nodes that somebody watches, and leaves that have changed since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from autograd.errors import GraphError, ShapeError
from autograd.graph import Node
from autograd.op import Array, Op, Recorder


def leaf(value: Array) -> Array:
    """Return what was given."""
    return value


@final
class Leaf(Op):
    """Where a gradient ends: a value that was given, not computed."""

    def __init__(self) -> None:
        super().__init__(leaf, 1)
        self.collects = True
        self.pull = lambda node, g, wanted: ()

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        """Raise, since a leaf has no inputs."""
        raise AssertionError("a leaf has no inputs")


LEAF = Leaf()


@final
class Watched:
    """The op of a node whose gradient somebody asked for: hooks see it, and may replace it, as it arrives.

    Everything else is the business of the op that it stands in for.
    """

    def __init__(self, op: Any) -> None:
        self.op = op
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.collects = True
        self.retains: bool = op.collects

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    def arrive(self, node: Node, upstream: Any) -> Any:
        """Return the gradient as the hooks leave it."""
        for hook in list(self.hooks.values()):
            replacement = hook(upstream)
            if replacement is not None:
                if np.shape(replacement) != node.spec.shape:
                    raise ShapeError(
                        f"a gradient hook on {self.op.name!r} returned shape {np.shape(replacement)}; the gradient has "
                        f"shape {node.spec.shape}: return an array of that shape, or None to leave it as it is"
                    )
                upstream = replacement
        return upstream


@final
class Changed:
    """The op of a leaf whose value was changed in place after it was used: a walk that arrives there raises."""

    def __init__(self, op: Any) -> None:
        self.op = op

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    def arrive(self, node: Node, upstream: Any) -> Any:
        """Raise, naming the leaf."""
        name = node.recall("name")
        raise GraphError(
            f"the leaf {f'{name!r} ' if name else ''}of shape {node.spec.shape} and dtype {node.spec.dtype} was changed in "
            "place after this graph was computed from it, so its derivatives would be wrong; "
            "call backward() before the update, or compute the graph again after it"
        )
