"""Where a walk hands gradients over: at leaves, at nodes that somebody watches, at leaves that have changed since."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np

from autograd.chain_rule import accumulated
from autograd.errors import GraphError, ShapeError
from autograd.op import Array, Op, Recorder
from autograd.record import Node, Spec, make_node, spec_of


def leaf(value: Array) -> Array:
    """Return what was given."""
    return value


@final
class Leaf(Op):
    """Where a gradient ends: a value that was given, not computed."""

    def __init__(self) -> None:
        super().__init__(leaf, 1)
        self.collects = self.retains = True
        self.pull = lambda node, g, wanted: ()

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        """Raise, since a leaf has no inputs."""
        raise AssertionError("a leaf has no inputs")


LEAF = Leaf()


@final
class Handle:
    """What removes a hook again: call it, or its `remove`, or leave the context that it is."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Remove the hook; a second time nothing happens."""
        self._hooks.pop(self._key, None)

    __call__ = remove

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


@final
class Watched:
    """The op of a node whose gradient somebody asked for: hooks see it, and may replace it, as it arrives.

    Everything else is the business of the op that it stands in for.
    """

    def __init__(self, op: Any) -> None:
        self.op = op
        self.hooks: dict[int, Callable[[Any], Any]] = {}
        self.collects = True
        self.retains: bool = op.retains
        self.stale = False

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
                if (
                    getattr(replacement, "node", None) is None
                ):  # not a tensor that requires grad: anything like an array
                    upstream = np.array(replacement, accumulated(node.spec.dtype))[()]
        return upstream


@final
class Changed:
    """The op of a leaf whose value was changed in place after it was used: a walk that arrives there raises."""

    op = LEAF
    stale = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    def arrive(self, node: Node, upstream: Any) -> Any:
        """Raise, naming the leaf."""
        name = node.recall("name")
        raise GraphError(
            f"the leaf {f'{name!r} ' if name else ''}of shape {node.spec.shape} and dtype {node.spec.dtype} was "
            "changed in place after this graph was computed from it, so its derivatives would be wrong; "
            "call backward() before the update, or compute the graph again after it"
        )


CHANGED = Changed()
_lock = allocate_lock()


def make_leaf(value: Array, name: str | None = None) -> Node:
    """Return a node for a value that was given."""
    node = make_node(LEAF, (), (), spec_of(value))
    node.about = {"value": value, "name": name}
    return node


# Handing gradients over


def accumulate(arrived: dict[Node, Any], seed: Array) -> None:
    """Add what arrived at leaves and watched nodes to their gradients; all of them, or none. Threads take turns."""
    taken = {id(owner(seed))}
    grads = {}
    with _lock:
        for node, gradient in arrived.items():
            gradient = own(gradient, node.spec, taken)
            before = node.recall("grad")
            grads[node] = gradient if before is None else before + gradient
        for node, gradient in grads.items():
            node.remember(grad=gradient)


def own(gradient: Any, spec: Spec, taken: set[int]) -> Any:
    """A gradient in its tensor's dtype that shares memory with nothing else; `taken` are the buffers given away."""
    if gradient.dtype is not spec.dtype and gradient.dtype != spec.dtype:
        gradient = gradient.astype(spec.dtype)
    if type(gradient) is not np.ndarray:
        return gradient
    buffer = gradient if gradient.base is None else owner(gradient)
    if id(buffer) in taken or not gradient.flags.writeable:
        gradient = buffer = gradient.copy()
    taken.add(id(buffer))
    return gradient


def owner(value: Any) -> Any:
    """The array that owns the memory of this one."""
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    return value
