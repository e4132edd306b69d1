"""The record: what was computed, from what, and what a derivative will need of it.

A `Node` is one application of an op. Nodes point from results to inputs and never to the tensor that carries their
value, so a graph holds no reference cycle and is freed as soon as its last tensor is. Nodes are numbered as they are
made: an input is always older than its consumer, and *newest first* is a reverse topological order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import count
from operator import attrgetter
from types import FrameType, MappingProxyType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autograd.errors import GraphError


class Spec(NamedTuple):
    """Shape and dtype of a value. The specs of a tuple of outputs are a plain tuple of `Spec`."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def spec_of(value: Any) -> Any:
    """The `Spec` of an array or NumPy scalar; a tuple of them for several outputs."""
    if isinstance(value, tuple):
        return tuple(map(spec_of, value))
    return interned(value.shape, value.dtype)


interned = lru_cache(maxsize=4096)(Spec)
"""Equal specs are one object: that they are the same is then seen without comparing them."""


class Released:
    """Stands where kept values were, and says who released them to whoever asks for one.

    Parameters
    ----------
    frame : frame
        Of the caller of ``backward()``. Only where it stands is remembered.
    """

    __slots__ = ("code", "line")

    def __init__(self, frame: FrameType) -> None:
        self.code, self.line = frame.f_code, frame.f_lineno

    def __getitem__(self, key: Any) -> NoReturn:
        by = f"the backward() call at {os.path.basename(self.code.co_filename)}:{self.line}"
        raise GraphError(
            f"this graph was released by {by}; pass retain_graph=True to that call to walk the graph again"
        )


numbers = count()
next_number = numbers.__next__


class Node:
    """One application of an op.

    Attributes
    ----------
    op : Op
        The row of the table that was applied.
    args : tuple
        For each argument of the call the node that made it, or its value where it is a constant.
    kept : tuple or Released
        What the op's rules asked for of the inputs' and the output's values; constants are in `args` anyway.
    spec : Spec
        Shape and dtype of the value. Equal specs are one object.
    number : int
        Position in the order of creation.
    about : dict
        What only leaves and watched nodes have: ``value``, ``name``, ``grad``. Unset elsewhere.
    """

    __slots__ = ("about", "args", "kept", "number", "op", "spec")

    op: Any
    args: tuple[Any, ...]
    kept: Any
    spec: Any
    number: int
    about: dict[str, Any]

    @property
    def inputs(self) -> tuple[Node | None, ...]:
        """For each argument the node that made it; None where it is a constant."""
        return tuple(arg if type(arg) is Node else None for arg in self.args)

    def remember(self, **facts: Any) -> None:
        """Note things that few nodes have."""
        if not hasattr(self, "about"):
            self.about = {}
        self.about.update(facts)

    def recall(self, fact: str) -> Any:
        """Return what was noted under this name; None if nothing was."""
        return getattr(self, "about", {}).get(fact)

    def __repr__(self) -> str:
        return f"<Node {self.number}: {self.recall('name') or self.op.name} {self.spec}>"


def named_call(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function; graphs show what it computes under a name, as they show the calls of modules.

    Parameters
    ----------
    name : str
        What graphs call it.
    function : callable
        Returns a Tensor; of anything else nothing is noted.
    *args, **kwargs
        Its arguments.

    Returns
    -------
    Tensor or anything
        What the function returns.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor, graph, named_call
    >>> x = Tensor(1.0, requires_grad=True)
    >>> y = named_call("block", lambda x: np.exp(x) * 2, x)
    >>> [(node.title, node.module) for node in graph(y).nodes]
    [('leaf', ''), ('exp', 'block'), ('constant', 'block'), ('×', 'block')]
    """
    begun = next_number()
    output = function(*args, **kwargs)
    node = getattr(output, "node", None)
    if node is not None and node.number > begun:
        node.remember(calls=(*(node.recall("calls") or ()), (name, begun)))
    return output


def make_node(op: Any, args: tuple[Any, ...], kept: Any, spec: Any) -> Node:
    """Return a new node, the newest of all."""
    node = Node()
    node.op, node.args, node.kept, node.spec = op, args, kept, spec
    node.number = next_number()
    return node


def newest_first(roots: Iterable[Node], oldest: int = 0, ends: Iterable[Node] = ()) -> list[Node]:
    """The nodes from `roots` down to `ends` that are not older than number `oldest`, each before its inputs."""
    found = set(ends)
    order = [root for root in dict.fromkeys(roots) if root not in found]
    found.update(order)
    for node in order:  # grows while it is read
        for source in node.args:
            if type(source) is Node and source not in found and source.number >= oldest:
                found.add(source)
                order.append(source)
    order.extend(ends)
    order.sort(key=attrgetter("number"), reverse=True)
    return order


def paths(roots: Iterable[Node], targets: Iterable[Node]) -> list[Node]:
    """The nodes on a path from `roots` down to `targets`, where paths end, newest first."""
    wanted = set(targets)
    order = newest_first(roots, min((node.number for node in wanted), default=0), tuple(wanted))
    for node in reversed(order):
        for arg in node.args:
            if type(arg) is Node and arg in wanted:
                wanted.add(node)
                break
    return [node for node in order if node in wanted]


def closed(roots: Iterable[Node], targets: Iterable[Node]) -> bool:
    """Whether the derivatives of `roots` by `targets` depend on nothing else that requires grad."""
    within = paths(roots, targets)
    known = {None, *within}
    return all(known.issuperset(node.inputs) for node in within)


def arguments(node: Node, values: dict[Node, Any]) -> list[Any]:
    """Return the arguments of a node's call, its inputs looked up in `values`."""
    return [values[arg] if type(arg) is Node else arg for arg in node.args]


def replay(roots: Iterable[Node], known: Mapping[Node, Any] = MappingProxyType({})) -> dict[Node, Any]:
    """Run the record forward again from its leaves: the value of every node from `roots` down.

    It needs nothing that was kept, so it works before and after `backward`. Nodes whose values are `known` take
    these, and what is below them does not run.
    """
    values = dict(known)
    for node in reversed(newest_first(roots, ends=known)):
        if node in known:
            continue
        values[node] = node.op.forward(*arguments(node, values)) if node.args else node.recall("value")
    return values
