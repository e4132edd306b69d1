"""The chain rule: the one place where derivatives are multiplied along edges and summed at nodes.

`pullback` walks the record from a result down to its inputs, carrying cotangents: *upstream* times *local* is an edge's
*contribution*, and a node's cotangent is the sum of the contributions of its consumers. `pushforward` walks the same
record the other way, carrying tangents.

Neither knows what a tensor is. Handed arrays they compute; handed tensors and a recorder they record what they compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from autograd.op import Recorder, unbroadcast
from autograd.partial import Partial
from autograd.record import Node, Released, Spec, paths


class Step(NamedTuple):
    """One edge of a reverse walk, as an observer is shown it."""

    node: Node
    position: int
    upstream: Any
    contribution: Any

    @property
    def source(self) -> Node:
        """The input that the contribution goes to."""
        source: Node = self.node.args[self.position]
        return source

    @property
    def local(self) -> Any:
        """The local derivative where it is an array like the output (elementwise rows), None elsewhere.

        To be read while the walk is at this step: afterwards the node may have been released.
        """
        return self.node.op.local(self.node, self.position)


Observer = Callable[[Step], None]
WHOLE = {np.ndarray, np.float64, np.float32}
"""What most cotangents are, and need not be asked whether they are a part."""


def pullback(
    cotangents: Mapping[Node, Any],
    targets: Iterable[Node] | None = None,
    *,
    observer: Observer | None = None,
    recorder: Recorder | None = None,
    released: Released | None = None,
) -> dict[Node, Any]:
    """Carry cotangents from results down to `targets`.

    Parameters
    ----------
    cotangents : mapping of Node to array
        The seeds: each has its node's shape.
    targets : iterable of Node, optional
        Where the walk ends; by default at every leaf, and at nodes whose gradient was asked for.
    observer : callable, optional
        Is shown each `Step`.
    recorder : Recorder, optional
        Makes the walk record itself, for derivatives of higher order.
    released : Released, optional
        What takes the place of what each node kept, once it is used.

    Returns
    -------
    dict of Node to array
        The cotangents of the targets that were reached, in their nodes' shapes and dtypes.
    """
    ends = wanted = None
    if targets is not None:
        ends = set(targets)
        wanted = set(paths(cotangents, ends))
        refuse_stale(wanted - ends)
    arrived = dict(cotangents)
    owned: set[Node] = set()  # nodes whose cotangent is a buffer made here, free to be added to in place
    results: dict[Node, Any] = {}
    reached = [(-node.number, node) for node in arrived if wanted is None or node in wanted]
    heapify(reached)
    with np.errstate(all="ignore"):
        while reached:
            node = heappop(reached)[1]  # the newest: whatever was computed from it has been here before
            upstream = arrived.pop(node)
            if type(upstream) not in WHOLE and isinstance(upstream, Partial):
                upstream = upstream.whole(node.spec)
            op = node.op
            if op.collects:
                upstream = op.arrive(node, upstream)
                if ends is None and op.retains:
                    results[node] = upstream
            if ends is not None and node in ends:
                results[node] = upstream
                continue
            pairs = op.pull(node if recorder is None else op.lift(node, recorder), upstream, wanted)
            if observer is not None:
                show(observer, node, upstream, pairs)
            for source, contribution in pairs:
                if source.spec is not node.spec:
                    contribution = conform(contribution, source.spec)
                if source not in arrived:
                    arrived[source] = contribution
                    heappush(reached, (-source.number, source))
                elif source in owned:
                    arrived[source] += contribution
                else:
                    arrived[source] = arrived[source] + contribution
                    if recorder is None:  # a sum of arrays so far may have to become a tensor
                        owned.add(source)
            if released is not None and node.args:  # leaves keep nothing, and may be roots again
                node.kept = released
    return results


def show(observer: Observer, node: Node, upstream: Any, pairs: Iterable[tuple[Node, Any]]) -> None:
    """Show each edge of a node to the observer, with its contribution in its input's shape."""
    inputs = {source for source, _ in pairs}
    positions = (position for position, arg in enumerate(node.args) if type(arg) is Node and arg in inputs)
    for position, (source, contribution) in zip(positions, pairs):
        contribution = conform(contribution, source.spec)
        if isinstance(contribution, Partial):
            contribution = contribution.whole(source.spec)
        observer(Step(node, position, upstream, contribution))


def pushforward(
    tangents: Mapping[Node, Any], roots: Iterable[Node], recorder: Recorder, record: bool
) -> dict[Node, Any]:
    """Carry tangents from nodes up to `roots`.

    Parameters
    ----------
    tangents : mapping of Node to array
        The directions: each has its node's shape and dtype.
    roots : iterable of Node
        The results whose tangents are wanted.
    recorder : Recorder
        Transposes vjps where a row has no jvp, and applies rows to tensors.
    record : bool
        Whether the walk records itself.

    Returns
    -------
    dict of Node to array
        The tangents of those roots that depend on the given nodes.
    """
    roots = list(roots)
    arrived = dict(tangents)
    passed = [node for node in reversed(paths(roots, tangents)) if node not in tangents]
    refuse_stale(passed)
    with np.errstate(all="ignore"):
        for node in passed:
            applied = node.op.lift(node, recorder) if record else node
            incoming = [arrived.get(arg) if type(arg) is Node else None for arg in node.args]
            tangent = node.op.push(applied, incoming, recorder)
            tangent = cast(tangent, node.spec)
            if isinstance(node.spec, Spec) and tangent.shape != node.spec.shape:
                tangent = np.broadcast_to(tangent, node.spec.shape)
            arrived[node] = tangent
    return {node: arrived[node] for node in roots if node in arrived}


def refuse_stale(nodes: Iterable[Node]) -> None:
    """Raise if what nodes have kept is of leaves that were changed in place since, at which a walk need not arrive."""
    for node in nodes:
        for arg in node.args:
            if type(arg) is Node and arg.op.stale:
                arg.op.arrive(arg, None)


def conform(contribution: Any, spec: Any) -> Any:
    """Undo broadcasting, by summing, and casting: a contribution in the shape and gradient dtype of its input."""
    if type(spec) is not Spec:
        return contribution
    contribution = unbroadcast(contribution, spec.shape)
    return contribution if contribution.dtype is spec.dtype else cast(contribution, spec)


def cast(gradient: Any, spec: Any) -> Any:
    """A gradient in the dtype in which gradients of this spec are summed: its own, but float32 for float16."""
    if not isinstance(spec, Spec):
        return tuple(map(cast, gradient, spec)) if isinstance(gradient, tuple) else gradient
    dtype = accumulated(spec.dtype)
    return gradient if gradient.dtype is dtype or gradient.dtype == dtype else gradient.astype(dtype)


def accumulated(dtype: Any) -> Any:
    """The dtype in which gradients of a dtype are summed."""
    return np.dtype(np.float32) if dtype.char == "e" else dtype
