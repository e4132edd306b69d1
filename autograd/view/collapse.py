"""Large graphs made small: modules drawn as one node, repeated blocks as one, the neighbourhood of a node.

Each function takes a graph and returns another, of fewer nodes. A node that stands for several has the kind "module",
the id of the newest of them, and the value and gradient of what comes out of it. All other nodes stay as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np

from autograd.errors import OutOfRangeError
from autograd.outline import STALE
from autograd.view.model import NOTHING, Graph, GraphEdge, GraphNode, Summary, cells, summary

REPEATS = 3
"""How often a block is there, at least, to be folded."""

PERIOD = 64
"""Of how many operations a block that is folded consists, at most."""

ARGUMENTS = 8
"""An operation of more arguments is never part of a block that is folded."""

PLURAL = {"leaf": "leaves", "parameter": "parameters", "constant": "constants"}


def collapsed(graph: Graph, depth: int) -> Graph:
    """Return a graph in which what modules computed is drawn as one node for each call of a module.

    Parameters
    ----------
    graph : Graph
        The graph, which is left as it is.
    depth : int
        How many parts of the path of modules are told apart: 1 draws a network as one node, 2 its layers.

    Returns
    -------
    Graph
        Parameters that only one of these calls uses are part of it, and so are constants, but for arrays that are its
        only input. What was computed in no module of this depth stays.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor, graph, named_call
    >>> x = Tensor(1.0, requires_grad=True, name="x")
    >>> y = named_call("block", lambda x: np.exp(x) * x, x)
    >>> [(node.title, node.note) for node in collapsed(graph(-y), 1).nodes]
    [('x', ''), ('block', 'exp, ×'), ('−', '')]
    """
    if depth < 1:
        raise OutOfRangeError(f"a graph is collapsed to a depth of modules of 1 or more, got {depth!r}")
    calls: dict[str, str] = {}
    for node in graph.nodes:
        parts = node.module.split("/") if node.module else []
        if len(parts) >= depth:
            calls[node.id] = "/".join(parts[:depth])
    users = used_by(graph)
    for node in graph.nodes:
        among = {calls.get(user, "") for user in users[node.id]}
        if node.kind == "parameter" and len(among) == 1:
            calls[node.id] = among.pop()
    for array in only_inputs(graph, calls):
        del calls[array]
    groups = {path: Group(path) for path in calls.values()}
    return contracted(graph, {node: groups[path] for node, path in calls.items() if path})


def only_inputs(graph: Graph, calls: Mapping[str, str]) -> list[str]:
    """Return the constant arrays that calls begin with which use nothing else from outside but parameters."""
    parameters = {node.id for node in graph.nodes if node.kind == "parameter"}
    begun = {
        calls.get(edge.target)
        for edge in graph.edges
        if calls.get(edge.source) != calls.get(edge.target) and edge.source not in parameters
    }
    inputs: list[str] = []
    for node in graph.nodes:
        if node.id not in calls or node.kind == "parameter":
            continue
        if node.kind == "constant" and node.shape and calls[node.id] not in begun:
            inputs.append(node.id)
        else:
            begun.add(calls[node.id])
    return inputs


def folded(graph: Graph) -> Graph:
    """Return a graph in which blocks of the same structure, one after the other, are drawn as one node: ``layer ×12``.

    A block is a few operations, or nodes that stand for modules, with what they alone use. Blocks are the same if they
    do the same operations with values of the same shapes, and take what they do not compute from the same places.

    Parameters
    ----------
    graph : Graph
        The graph, which is left as it is; also one that was collapsed.

    Examples
    --------
    >>> from autograd import Tensor, graph
    >>> x = Tensor(1.0, requires_grad=True, name="x")
    >>> y = x
    >>> for factor in range(12):
    ...     y = y * factor + 1.0
    >>> [(node.title, node.note) for node in folded(graph(y)).nodes]
    [('x', ''), ('×, + ×12', '24 ops')]
    """
    while True:
        units = Units(graph)
        groups: dict[str, Group] = {}
        for block in units.blocks():
            whole = range(block.start, block.start + block.period * block.repeats)
            group = Group(block_name([units.heads[unit] for unit in whole], block.period), block.repeats)
            groups.update((node, group) for unit in whole for node in units.members[unit] if node not in block.outside)
        if not groups:
            return graph
        graph = contracted(graph, groups)


def neighbourhood(graph: Graph, id: str, hops: int = 2) -> Graph:
    """Return the part of a graph that is at most some edges away from a node, in whichever direction.

    Parameters
    ----------
    graph : Graph
        The graph, which is left as it is.
    id : str
        Of the node.
    hops : int
        How many edges.

    Examples
    --------
    >>> from autograd import Tensor, graph
    >>> x = Tensor(1.0, requires_grad=True, name="x")
    >>> near = neighbourhood(graph(x * 2 * 3 * 4), "n2", hops=1)
    >>> [node.id for node in near.nodes]
    ['n0', 'n1', 'n2', 'n4']
    """
    beside: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    if id not in beside:
        raise OutOfRangeError(f"the graph has no node {id!r}; its nodes are {graph.nodes[0].id!r} to {graph.root.id!r}")
    for edge in graph.edges:
        beside[edge.source].append(edge.target)
        beside[edge.target].append(edge.source)
    near, latest = {id}, [id]
    for _ in range(hops):
        latest = [other for node in latest for other in dict.fromkeys(beside[node]) if other not in near]
        near.update(latest)
    edges = tuple(edge for edge in graph.edges if edge.source in near and edge.target in near)
    return graph._replace(nodes=tuple(node for node in graph.nodes if node.id in near), edges=edges)


def fitting(graph: Graph, limit: int = 80) -> tuple[Graph, str]:
    """Return a graph of at most so many nodes to be drawn, and a sentence that says what was done; "" if nothing was.

    Modules are collapsed as little as possible; where it helps, repeated blocks are folded; and what is then still too
    large is cut into bundles.

    Parameters
    ----------
    graph : Graph
        The graph, which is left as it is.
    limit : int
        How many nodes, at most; 4 or more.

    Examples
    --------
    >>> from autograd import Tensor, graph
    >>> y = Tensor(1.0, requires_grad=True, name="x")
    >>> for factor in range(1000):
    ...     y = y * factor
    >>> fitting(graph(y))
    (<Graph of × ×1,000: 2 nodes, 1 edges>, '2,001 nodes, drawn as 2: repeated blocks folded')
    """
    if limit < 4:
        raise OutOfRangeError(f"a graph is made to fit into 4 nodes or more, got a limit of {limit!r}")
    if len(graph.nodes) <= limit:
        return graph, ""
    total = f"{len(graph.nodes):,} nodes"
    depths = max((node.module.count("/") + 1 for node in graph.nodes if node.module), default=0)
    small, done = graph, ""
    for depth in range(depths, 0, -1):
        small, done = collapsed(graph, depth), f"modules collapsed to depth {depth}"
        if len(small.nodes) <= limit:
            return small, f"{total}, drawn as {len(small.nodes)}: {done}"
        fold = folded(small)
        if len(fold.nodes) <= limit:
            return fold, f"{total}, drawn as {len(fold.nodes)}: {done}, repeated blocks folded"
    fold = folded(small)
    steps = [done] * bool(done) + ["repeated blocks folded"] * (len(fold.nodes) < len(small.nodes))
    if len(fold.nodes) > limit:
        fold = bundled(fold, limit)
        steps.append("the rest bundled")
    return fold, f"{total}, drawn as {len(fold.nodes)}: {', '.join(steps)}"


def bundled(graph: Graph, limit: int) -> Graph:
    """Return a graph of at most so many nodes: operations that follow each other are one, as are inputs of a kind."""
    units = Units(graph)
    inside = {node for members in units.members for node in members}
    shared = [node for node in graph.nodes if node.id not in inside]
    room = limit - len(shared)
    alike: dict[str, list[str]] = {}
    if room < limit // 2:
        for node in shared:
            alike.setdefault(node.kind, []).append(node.id)
        room = limit - len(alike)
    size = math.ceil(len(units.members) / room)
    chunks = [units.members[start : start + size] for start in range(0, len(units.members), size)]
    bundles = [(Group("bundle"), [node for members in chunk for node in members]) for chunk in chunks]
    bundles += [(Group(f"{len(nodes):,} {PLURAL[kind]}"), nodes) for kind, nodes in alike.items()]
    return contracted(graph, {node: group for group, nodes in bundles if len(nodes) > 1 for node in nodes})


# Finding blocks


class Block(NamedTuple):
    """Units that follow each other: from `start` on, `repeats` times as many as `period`.

    What the first block takes from outside, where the others take the result of the one before, is in `outside`.
    """

    start: int
    period: int
    repeats: int
    outside: frozenset[str]


class Units:
    """The operations of a graph in their order, each with what it alone uses.

    `same` says which units do the same and take their arguments from the same places: from the same node, or from the
    same distance, or from an input that is theirs alone.
    """

    def __init__(self, graph: Graph) -> None:
        arguments: dict[str, list[GraphEdge]] = {}
        for edge in graph.edges:
            arguments.setdefault(edge.target, []).append(edge)
        self.heads = [node for node in graph.nodes if node.id in arguments or node.kind == "module"]
        place = {head.id: unit for unit, head in enumerate(self.heads)}
        nodes = {node.id: node for node in graph.nodes}
        users = used_by(graph)
        count = len(self.heads)
        codes: dict[Any, int] = {}

        def code(what: Any) -> int:
            return codes.setdefault(what, len(codes))

        self.members: list[list[str]] = []
        self.does = np.empty(count, np.int64)
        self.nearness = np.full((ARGUMENTS, count), -1)  # of each argument: how far back it was computed
        self.origin = np.full((ARGUMENTS, count), -1)  # of each argument: where it was computed
        self.own: list[list[str]] = []  # of each argument: the input that is the unit's alone, or ""
        for unit, head in enumerate(self.heads):
            edges = sorted(arguments.get(head.id, ()), key=lambda edge: (edge.position, edge.source))
            own = [edge.source if edge.source not in place and len(users[edge.source]) == 1 else "" for edge in edges]
            for number, edge in enumerate(edges[:ARGUMENTS]):
                if edge.source in place:
                    self.origin[number, unit] = place[edge.source]
                    self.nearness[number, unit] = unit - place[edge.source]
                else:
                    source = nodes[edge.source]
                    key = code((source.kind, source.shape) if own[number] else source.id)
                    self.origin[number, unit] = self.nearness[number, unit] = count + 1 + key
            does = head.op, pattern(head), head.shape, tuple(edge.position for edge in edges)
            self.does[unit] = code(does if len(edges) <= ARGUMENTS else (does, unit))
            self.own.append(own[:ARGUMENTS])
            self.members.append([*filter(None, own), head.id])

    def same(self, period: int) -> Any:
        """Return for each unit but the last ones whether the unit a period later is the same."""
        alike = self.does[:-period] == self.does[period:]
        for nearness, origin in zip(self.nearness, self.origin):
            alike &= (nearness[:-period] == nearness[period:]) | (origin[:-period] == origin[period:])
        return alike

    def blocks(self) -> list[Block]:
        """Return blocks that are repeated, none of which overlap; the shortest blocks first."""
        found: list[Block] = []
        free = np.ones(len(self.heads), bool)
        for period in range(1, min(PERIOD, len(self.heads) // 2) + 1):
            same = self.same(period) & free[:-period] & free[period:]
            edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
            for start, end in edges.reshape(-1, 2).tolist():
                if end - start < period * (REPEATS - 2) or not free[start : end + period].all():
                    continue
                shifts = range(min(period, end - start + 1))
                block = max((self.block(start + n, end, period, free) for n in shifts), key=lambda block: block.repeats)
                if block.repeats >= REPEATS:
                    found.append(block)
                    free[block.start : block.start + period * block.repeats] = False
        return found

    def block(self, start: int, end: int, period: int, free: Any) -> Block:
        """Return the blocks from `start` on, and one before if it differs only in what it takes from outside."""
        repeats = (end + period - start) // period
        outside = self.outside(start, period)
        if start >= period and free[start - period : start].all() and outside is not None:
            longer = self.consistent(start - period, period, repeats + 1, 2)
            return Block(start - period, period, longer, frozenset(outside))
        return Block(start, period, self.consistent(start, period, repeats, 1), frozenset())

    def consistent(self, start: int, period: int, repeats: int, first: int) -> int:
        """Return how many of the blocks, from number `first` on, take what earlier blocks computed in the same way."""
        units = np.arange(start + first * period, start + repeats * period)
        origin = self.origin[:, units]
        from_blocks = (origin >= start) & (origin < len(self.heads))
        other = (from_blocks & (self.nearness[:, units] != self.nearness[:, units - period])).any(axis=0)
        return int(units[other.argmax()] - start) // period if other.any() else repeats

    def outside(self, start: int, period: int) -> list[str] | None:
        """Return the inputs that are not part of the block before `start`, if that is like the one there; else None."""
        inputs: list[str] = []
        for unit in range(start, start + period):
            before = unit - period
            if before < 0 or self.does[before] != self.does[unit]:
                return None
            for number, own in enumerate(self.own[before]):
                near, nearer = self.nearness[number, unit], self.nearness[number, before]
                if near == nearer or self.origin[number, unit] == self.origin[number, before]:
                    continue
                from_outside = unit - start < near <= len(self.heads)
                if not from_outside or nearer <= before - (start - period):
                    return None
                inputs += [own] if own else []
        return inputs


def pattern(node: GraphNode) -> tuple[str, str]:
    """Return what nodes of repeated blocks have in common of their name and contents."""
    return re.sub(r"#\d+", "", re.sub(r"\d+", "0", node.name)), node.note if node.kind == "module" else ""


def block_name(heads: Sequence[GraphNode], period: int) -> str:
    """Return what blocks are called together: their modules from the first to the last, or what they do."""
    first, last = heads[0], heads[-1]
    if first.kind == last.kind == "module" and first.repeats == last.repeats == 1 and first.name != last.name:
        parent, _, name = last.name.rpartition("/")
        return f"{first.name} … {name if first.name.startswith(f'{parent}/') else last.name}"
    if period > 3:
        return f"{period} operations"
    titles = [f"({head.title})" if head.repeats > 1 else head.symbol or head.title for head in heads[:period]]
    return ", ".join(titles)


# Making one node of several


class Group:
    """Nodes that become one; each is a group of its own, whatever its name."""

    def __init__(self, name: str, repeats: int = 1) -> None:
        self.name, self.repeats = name, repeats


def contracted(graph: Graph, groups: Mapping[str, Group]) -> Graph:
    """Return the graph with each group of ids as one node."""
    members: dict[Group, list[GraphNode]] = {}
    for node in graph.nodes:
        if node.id in groups:
            members.setdefault(groups[node.id], []).append(node)
    newest = {group: nodes[-1].id for group, nodes in members.items()}
    to = {node.id: newest[groups[node.id]] if node.id in groups else node.id for node in graph.nodes}
    used = {edge.source for edge in graph.edges if to[edge.source] != to[edge.target]} | {graph.root.id}
    cards = {newest[group]: card(group, nodes, used) for group, nodes in members.items()}
    merged: dict[tuple[str, str, int], list[GraphEdge]] = {}
    for edge in graph.edges:
        source, target = to[edge.source], to[edge.target]
        if source != target:
            parallel = source not in cards and target not in cards  # each argument of an operation has its own edge
            merged.setdefault((source, target, edge.position if parallel else -1), []).append(edge)
    nodes = [cards.get(node.id, node) for node in graph.nodes if to[node.id] == node.id]
    single = {node.id for node in graph.nodes if node.kind != "module"}
    edges = [joined(source, target, several, single) for (source, target, _), several in merged.items()]
    place = {id: number for number, id in enumerate(sorted_ids([node.id for node in nodes], edges))}
    nodes.sort(key=lambda node: place[node.id])
    edges.sort(key=lambda edge: (-place[edge.target], edge.position, place[edge.source]))
    return Graph(tuple(nodes), tuple(edges), graph.outline)


def card(group: Group, nodes: Sequence[GraphNode], used: set[str]) -> GraphNode:
    """Return the node that stands for several."""
    ops = [node for node in nodes if node.kind in ("op", "output", "module")]
    results = [node for node in nodes if node.id in used]
    last, count = results[-1], sum(node.total for node in ops or nodes)
    parameters = sum(node.parameters for node in nodes)
    same_shape = len({node.shape for node in results}) == 1
    few = len(ops) == count <= 3 and group.repeats == 1
    notes = [", ".join(node.symbol or node.title for node in ops)] if few else [f"{count:,} ops"] if ops else []
    notes += [f"{parameters:,} parameter{'s' if parameters > 1 else ''}"] if parameters else []
    notes += [STALE] if any(node.note.endswith(STALE) for node in nodes) else []
    return GraphNode(
        nodes[-1].id,
        group.name,
        "",
        "module",
        common_module(nodes[0].module, nodes[-1].module),
        last.shape if len(results) == 1 else (len(results), *last.shape) if same_shape else (),
        last.dtype,
        together(results, [node.value for node in results]) or NOTHING,
        together(results, [node.gradient for node in results]),
        count,
        group.repeats,
        parameters,
        ", ".join(notes),
    )


def common_module(one: str, other: str) -> str:
    """Return the path of modules that two paths begin with."""
    parts = zip(one.split("/"), other.split("/"))
    return "/".join(part for part, _ in takewhile(lambda pair: pair[0] == pair[1], parts))


def together(nodes: Sequence[GraphNode], summaries: Sequence[Summary | None]) -> Summary | None:
    """Return what is shown of several arrays together: of their elements, and as cells their sizes."""
    given = [(one, max(math.prod(node.shape), 1)) for node, one in zip(nodes, summaries) if one is not None]
    if len(given) <= 1:
        return given[0][0] if given else None
    with np.errstate(all="ignore"):
        sizes, weights = np.array([one.size for one, _ in given]), np.array([weight for _, weight in given])
        return Summary(
            None,
            float(np.sqrt(np.average(np.square(sizes), weights=weights))),
            float(np.min([one.least for one, _ in given])),
            float(np.max([one.most for one, _ in given])),
            all(one.finite for one, _ in given),
            cells(sizes),
        )


def joined(source: str, target: str, edges: Sequence[GraphEdge], single: set[str]) -> GraphEdge:
    """Return the edge that stands for several; contributions add up where they go to the same single value."""
    first = edges[0]
    if len(edges) == 1:
        return first._replace(source=source, target=target)
    numbers = [edge.contribution.number for edge in edges if edge.contribution is not None]
    known = [number for number in numbers if number is not None]
    summable = len(known) == len(edges) and first.source in single and len({edge.source for edge in edges}) == 1
    return GraphEdge(
        source,
        target,
        min(edge.position for edge in edges),
        None,
        summary(sum(known)) if summable else None,
        sum(edge.total for edge in edges),
    )


def sorted_ids(ids: Sequence[str], edges: Iterable[GraphEdge]) -> list[str]:
    """Return ids such that edges lead from earlier to later ones, and which stood first stays first where it can.

    There is no circle but where calls of modules were interleaved, by threads; it is entered where it stood first.
    """
    place = {id: number for number, id in enumerate(ids)}
    targets: dict[str, list[str]] = {id: [] for id in ids}
    waiting = dict.fromkeys(ids, 0)
    for edge in edges:
        targets[edge.source].append(edge.target)
        waiting[edge.target] += 1
    ready = [number for number, id in enumerate(ids) if not waiting[id]]
    heapify(ready)
    order: dict[str, None] = {}
    left = iter(ids)
    while len(order) < len(ids):
        id = ids[heappop(ready)] if ready else next(id for id in left if id not in order)
        if id in order:
            continue
        order[id] = None
        for target in targets[id]:
            waiting[target] -= 1
            if not waiting[target]:
                heappush(ready, place[target])
    return list(order)


def used_by(graph: Graph) -> dict[str, list[str]]:
    """Return for each node the nodes computed from it, once for each edge."""
    users: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        users[edge.source].append(edge.target)
    return users
