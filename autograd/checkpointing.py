"""Checkpointing: recompute instead of keep.

A checkpointed call is one node of the record. Its inputs are the *boundary*: the nodes, older than the call, that its
result was computed from, be they arguments or tensors that the function closes over. What happened inside is forgotten,
and found again, when a walk comes by, by making the call again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import wraps
from typing import Any, final

from autograd import modes, trees
from autograd.chain_rule import pullback, pushforward
from autograd.errors import GraphError
from autograd.op import Op, Recorder, pick
from autograd.record import Node, make_node, newest_first, next_number, replay
from autograd.run import Function, Tree, recording, requires_grad, zeros
from autograd.tensor import Tensor, made


def checkpoint(f: Function) -> Function:
    """Return `f` made to forget how it computed its result, and to compute it again when a derivative is asked for.

    Of a call only the arguments and the result are kept, whatever arrays there are in between: memory for time.
    Gradients of every order, forward mode, and tensors that `f` closes over, work as they do without it.

    Parameters
    ----------
    f : callable
        A function of tensors, arrays or anything else, also nested in tuples, lists and dicts, with results of the same
        kind. Called again it must compute the same: random numbers must come from outside, and neither arguments nor
        what it closes over may change in between.

    Returns
    -------
    callable
        Takes and returns what `f` does.

    Raises
    ------
    GraphError
        During a walk, if `f`, called again, does not compute the same from the same tensors.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import checkpoint, grad
    >>> layer = checkpoint(lambda x: np.tanh(np.tanh(np.tanh(x))))
    >>> grad(lambda x: layer(layer(x)))(0.0)
    np.float64(1.0)
    """

    @wraps(f)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not modes.current().recording or modes.tracer() is not None:  # a program keeps nothing to compute again
            return f(*args, **kwargs)
        call = Call(f, args, kwargs)
        start = next_number()
        leaves, structure = trees.flatten(call.make())
        inner = computed_since(start, leaves)
        call.boundary, call.specs = boundary(start, inner), tuple(node.spec for node in inner)
        node = make_node(CHECKPOINT, (call, *call.boundary), (call, None), call.specs)
        outer = {source: pick(node, position) for position, source in enumerate(inner)}
        return trees.unflatten(
            structure, (made(leaf.data, outer[leaf.node]) if is_in(leaf, outer) else leaf for leaf in leaves)
        )

    return checkpointed


def is_in(leaf: Any, nodes: dict[Node, Node]) -> bool:
    """Whether this is a tensor made by one of the nodes."""
    return requires_grad(leaf) and leaf.node in nodes


def computed_since(start: int, leaves: Iterable[Any]) -> list[Node]:
    """The nodes, each once, of those leaves of a result that were computed since this number."""
    return list(dict.fromkeys(leaf.node for leaf in leaves if requires_grad(leaf) and leaf.node.number > start))


def boundary(start: int, roots: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes older than this number that the roots were computed from at first hand."""
    older = (
        arg for node in newest_first(roots, start) for arg in node.args if type(arg) is Node and arg.number < start
    )
    return tuple(dict.fromkeys(older))


class Call:
    """A call that can be made again.

    Attributes
    ----------
    boundary : tuple of Node
        What its result was computed from.
    specs : tuple of Spec
        Of the nodes of its result.
    """

    def __init__(self, f: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.f = f
        self.arguments = trees.map_leaves(twin, (args, kwargs))
        self.boundary: tuple[Node, ...] = ()
        self.specs: tuple[Any, ...] = ()

    def make(self) -> Tree:
        """The result. The tensors that `f` is given are its own: if it assigns into them, nobody else sees it."""
        args, kwargs = trees.map_leaves(twin, self.arguments)
        return self.f(*args, **kwargs)

    def again(self) -> list[Node]:
        """Make the call again: the nodes of its result, recorded down to the boundary."""
        start = next_number()
        with recording():
            leaves, _ = trees.flatten(self.make())
        roots = computed_since(start, leaves)
        if tuple(node.spec for node in roots) != self.specs or not set(boundary(start, roots)) <= set(self.boundary):
            name = getattr(self.f, "__name__", type(self.f).__name__)
            raise GraphError(
                f"checkpoint of {name}: called again, the function did not compute the same from the same tensors; "
                "change neither what it closes over nor, in place, what it is given before the backward pass"
            )
        return roots


def twin(leaf: Any) -> Any:
    """Another tensor of the same value and node; anything else as it is."""
    return made(leaf.data, leaf.node) if isinstance(leaf, Tensor) else leaf


def run_again(call: Call, *boundary: Any) -> tuple[Any, ...]:
    """The values of a checkpointed call for these values of its boundary."""
    roots = call.again()
    values = replay(roots, dict(zip(call.boundary, boundary)))
    return tuple(values[root] for root in roots)


@final
class Checkpoint(Op):
    """A checkpointed call. What it keeps is the call itself and, in a walk that is recorded, the recorder."""

    def __init__(self) -> None:
        super().__init__(run_again, name="checkpoint", many=True, boundary=lambda g: g)

    def keep(self, nodes: Sequence[Node | None], values: Sequence[Any], out: Any) -> tuple[Any, ...]:
        """Return the call; there is no recorder yet."""
        return values[0], None

    def lift(self, node: Node, recorder: Recorder) -> Node:
        """The same call, for a walk that is recorded."""
        return make_node(node.op, node.args, (node.kept[0], recorder), node.spec)

    def contributions(self, node: Node, g: Any, wanted: set[Node] | None) -> list[tuple[Node, Any]]:
        """Pull back to the boundary, on a record made anew."""
        call, recorder = node.kept
        roots = call.again()
        inputs = {inner: arg for inner, arg in zip(call.boundary, node.args[1:]) if wanted is None or arg in wanted}
        watch = modes.current().watch
        arrived = pullback(
            dict(zip(roots, g)),
            inputs,
            observer=None if watch is None else watch.stepped,
            recorder=recorder,
        )
        return [(arg, arrived[inner]) for inner, arg in inputs.items() if inner in arrived]

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        """Push forward from the boundary, on a record made anew."""
        call, lifted = node.kept
        roots = call.again()
        given = {inner: tangent for inner, tangent in zip(call.boundary, tangents[1:]) if tangent is not None}
        found = pushforward(given, roots, recorder, record=lifted is not None)
        return tuple(found[root] if root in found else zeros(root.spec) for root in roots)


CHECKPOINT = Checkpoint()
