"""Large graphs made small: what is merged, what it is called, and that no path goes in a circle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import OutOfRangeError, Tensor, graph, named_call
from autograd.view.collapse import bundled, collapsed, fitting, folded, neighbourhood
from autograd.view.model import Graph, GraphEdge, GraphNode, summary


def leaf(value: Any, name: str = "") -> Tensor:
    return Tensor(value, requires_grad=True, name=name or None)


def titles(drawn: Graph) -> list[tuple[str, str]]:
    return [(node.title, node.note) for node in drawn.nodes]


def edges(drawn: Graph) -> list[tuple[str, str, int]]:
    names = {node.id: node.title for node in drawn.nodes}
    return [(names[edge.source], names[edge.target], edge.total) for edge in drawn.edges]


def sound(drawn: Graph, whole: Graph) -> None:
    """Inputs stand before what is computed from them, the root last; edges newest first; every id was there before."""
    place = {node.id: number for number, node in enumerate(drawn.nodes)}
    assert len(place) == len(drawn.nodes)
    assert set(place) <= {node.id for node in whole.nodes}
    assert all(place[edge.source] < place[edge.target] for edge in drawn.edges)
    targets = [place[edge.target] for edge in drawn.edges]
    assert targets == sorted(targets, reverse=True)
    assert drawn.root.id == whole.root.id
    assert {edge.source for edge in drawn.edges} == set(place) - {drawn.root.id}
    assert Graph.from_json(drawn.to_json()) == Graph(*drawn)


def network(*modules: nn.Module) -> Graph:
    rng = np.random.default_rng(0)
    model = nn.Sequential(*modules)
    return Graph(*graph(np.sum(model(rng.normal(size=(5, 4)).astype(np.float32)))))


def block() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU())


class Repeat(nn.Module):
    """Calls one module several times, with something in between."""

    def __init__(self, times: int) -> None:
        self.cell = nn.Linear(4, 4)
        self.times = times

    def forward(self, x: Any) -> Any:
        for _ in range(self.times):
            x = np.tanh(self.cell(x))
        return x


# Modules


def test_collapsed_to_depths() -> None:
    whole = network(nn.Linear(4, 4), nn.Sequential(nn.Tanh(), nn.Linear(4, 2)))
    one, two, three = (collapsed(whole, depth) for depth in (1, 2, 3))
    assert titles(one) == [("constant", ""), ("Sequential", "affine, tanh, affine, 30 parameters"), ("sum", "")]
    assert titles(two) == [
        ("constant", ""),
        ("Sequential/0", "affine, 20 parameters"),
        ("Sequential/1", "tanh, affine, 10 parameters"),
        ("sum", ""),
    ]
    assert [title for title, _ in titles(three)] == [
        "0.weight",
        "0.bias",
        "constant",
        "affine",
        "Sequential/1/0",
        "Sequential/1/1",
        "sum",
    ]
    assert titles(collapsed(whole, 4)) == titles(whole)
    for drawn in (one, two, three):
        sound(drawn, whole)


def test_a_module_shows_what_comes_out_of_it() -> None:
    whole = network(nn.Linear(4, 4), nn.Tanh())
    _, linear, tanh, _ = collapsed(whole, 2).nodes
    inside = {node.id: node for node in whole.nodes}
    for module in (linear, tanh):
        newest = inside[module.id]
        assert module.value == newest.value
        assert module.gradient == newest.gradient
        assert (module.shape, module.dtype) == (newest.shape, newest.dtype)
        assert (module.kind, module.op, module.total, module.repeats) == ("module", "", 1, 1)
    edge = next(edge for edge in collapsed(whole, 2).edges if edge.target == tanh.id)
    assert edge in [other for other in whole.edges if other.target == tanh.id]


def test_a_module_says_that_its_parameters_were_changed_since() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 4, rng=rng), nn.Tanh(), nn.Linear(4, 2, rng=rng))
    loss = np.sum(model(rng.normal(size=(5, 4)).astype(np.float32)))
    model[0].weight.data = np.ones((4, 4), np.float32)
    whole = graph(loss)
    assert titles(collapsed(whole, 1))[1] == ("Sequential", "affine, tanh, affine, 30 parameters, changed since")
    layers = collapsed(whole, 2)
    assert titles(layers)[1:3] == [("Sequential/0", "affine, 20 parameters, changed since"), ("Sequential/1", "tanh")]
    assert titles(bundled(layers, 2)) == [
        ("bundle", "Sequential/0, Sequential/1, 20 parameters, changed since"),
        ("bundle", "Sequential/2, sum, 10 parameters"),
    ]


def test_several_results_are_shown_together() -> None:
    x = leaf(2.0, "x")
    y, z = named_call("pair", lambda x: x * 3.0, x), x
    both = named_call("sum", lambda y, z: y + z, y, z)
    whole = graph(named_call("both", lambda a: a * a + np.exp(a) * both, both))
    module = next(node for node in collapsed(whole, 1).nodes if node.title == "sum")
    assert module.value == summary(8.0)

    def two(x: Any) -> Any:
        made.append(x * 3.0)
        return x * 4.0

    made: list[Tensor] = []
    later = named_call("two", two, x)
    module = next(node for node in collapsed(graph(later * made[0]), 1).nodes if node.title == "two")
    assert module.shape == (2,)
    assert module.value.cells == ((6.0, 8.0),)
    assert (module.value.least, module.value.most, module.value.rms) == (6.0, 8.0, 50**0.5)
    assert module.gradient is not None
    assert module.gradient.cells == ((8.0, 6.0),)


def test_edges_between_modules_are_one_and_counted() -> None:
    x, w = leaf(2.0, "x"), leaf(5.0, "w")
    drawn = collapsed(graph(named_call("block", lambda x: x * x + x * w, x) * 3.0), 1)
    assert edges(drawn) == [("block", "×", 1), ("constant", "×", 1), ("x", "block", 3), ("w", "block", 1)]
    contributions = {edge.source: edge.contribution for edge in drawn.edges}
    x_id = drawn.nodes[0].id
    assert contributions[x_id] == summary(27.0) == drawn.nodes[0].gradient
    sums = [edge for edge in drawn.edges if edge.source == x_id]
    assert sums[0].local is None


def test_calls_of_one_module_make_no_circle() -> None:
    whole = network(Repeat(3))
    drawn = collapsed(whole, 3)
    sound(drawn, whole)
    assert [title for title, _ in titles(drawn)] == [
        "weight",
        "bias",
        "constant",
        "Sequential/0/cell",
        "tanh",
        "Sequential/0/cell#2",
        "tanh",
        "Sequential/0/cell#3",
        "tanh",
        "sum",
    ]


def test_interleaved_calls_are_drawn_although_they_make_a_circle() -> None:
    """Threads could record such."""
    value = summary(1.0)
    chain = [GraphNode(f"n{i}", "", "sin", "op", "ab"[i % 2], (), "float64", value, value) for i in range(4)]
    links = tuple(GraphEdge(f"n{i}", f"n{i + 1}", 0, value, value) for i in reversed(range(3)))
    drawn = collapsed(Graph(tuple(chain), links, ""), 1)
    assert [node.name for node in drawn.nodes] == ["a", "b"]
    assert [(edge.source, edge.target, edge.total) for edge in drawn.edges] == [("n2", "n3", 2), ("n3", "n2", 1)]


@pytest.mark.parametrize("depth", [0, -1])
def test_no_depth(depth: int) -> None:
    with pytest.raises(OutOfRangeError) as caught:
        collapsed(graph(leaf(1.0) * 2), depth)
    assert str(caught.value) == f"a graph is collapsed to a depth of modules of 1 or more, got {depth}"


# Folding


def chain(*ops: Callable[[Any], Any], times: int) -> Graph:
    y = leaf(1.0, "x")
    for _ in range(times):
        for op in ops:
            y = op(y)
    return Graph(*graph(y))


@pytest.mark.parametrize("times", [3, 4, 50])
def test_a_chain_of_one_operation(times: int) -> None:
    drawn = folded(chain(np.sin, times=times))
    assert titles(drawn) == [("x", ""), (f"sin ×{times}", f"{times} ops")]
    assert edges(drawn) == [("x", f"sin ×{times}", 1)]


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_there_twice_is_not_folded(times: int) -> None:
    whole = chain(np.sin, np.cos, times=times)
    assert folded(whole) == whole


def test_a_chain_of_several_operations() -> None:
    drawn = folded(chain(lambda y: y * 3.0, np.sin, lambda y: y + 0.5, times=12))
    assert titles(drawn) == [("x", ""), ("×, sin, + ×12", "36 ops")]
    assert drawn.root.repeats == 12
    assert titles(folded(chain(np.sin, np.cos, np.exp, np.tanh, times=5)))[1] == ("4 operations ×5", "20 ops")


def test_repeats_within_repeats() -> None:
    def thrice(y: Any) -> Any:
        return np.sin(np.sin(np.sin(y)))

    assert titles(folded(chain(thrice, np.exp, times=4))) == [("x", ""), ("(sin ×3), exp ×4", "16 ops")]


def test_blocks_that_share_an_input_are_folded_and_the_input_stays() -> None:
    x, w = leaf(1.0, "x"), leaf(0.5, "w")
    y = x
    for _ in range(6):
        y = np.tanh(y * w)
    drawn = folded(graph(y))
    assert edges(drawn) == [("x", "×, tanh ×6", 1), ("w", "×, tanh ×6", 6)]
    assert drawn.edges[1].contribution.number == pytest.approx(drawn.nodes[1].gradient.number, rel=1e-12)


def test_leaves_of_their_own_are_part_of_the_blocks() -> None:
    y = leaf(1.0, "x")
    for number in range(5):
        y = y * leaf(2.0, f"w{number}")
    assert titles(folded(graph(y))) == [("x", ""), ("× ×5", "5 ops")]


def test_neurons_side_by_side_are_folded() -> None:
    x = [leaf(float(i), f"x{i}") for i in range(3)]
    neurons = [np.tanh(leaf(0.1) * x[0] + leaf(0.2) * x[1] + leaf(0.3) * x[2]) for _ in range(8)]
    drawn = folded(graph(sum(neurons[1:], neurons[0])))
    assert [node.repeats for node in drawn.nodes] == [1, 1, 1, 8, 1, 6]  # the first sum takes two neurons
    assert drawn.nodes[3].shape == (8,)
    assert edges(drawn)[-1] == ("x2", "6 operations ×8", 8)


def test_another_structure_is_not_folded() -> None:
    x = leaf(1.0, "x")
    a = np.sin(x)
    b = np.sin(a)
    c = np.sin(a)
    drawn = folded(graph(a * b * c))
    assert "module" not in {node.kind for node in drawn.nodes}


def test_a_chain_that_goes_over_into_a_fan_is_folded_as_two() -> None:
    y: Any = leaf(1.0, "x")
    for _ in range(4):
        y = np.sin(y)
    drawn = folded(graph(np.stack([np.sin(y) for _ in range(5)]).sum()))
    assert edges(drawn) == [
        ("stack", "sum", 1),
        ("sin ×5", "stack", 1),
        ("sin ×4", "stack", 4),
        ("sin ×5", "sin ×4", 4),
        ("x", "sin ×5", 1),
    ]


def test_layers_are_folded_by_name() -> None:
    whole = network(nn.Linear(4, 4), *[block() for _ in range(12)], nn.Linear(4, 2))
    drawn = folded(collapsed(whole, 2))
    assert titles(drawn) == [
        ("constant", ""),
        ("Sequential/0", "affine, 20 parameters"),
        ("Sequential/1 … 12 ×12", "36 ops, 336 parameters"),
        ("Sequential/13", "affine, 10 parameters"),
        ("sum", ""),
    ]
    sound(drawn, whole)


def test_the_first_layer_that_takes_a_constant_is_folded_with_the_others() -> None:
    whole = network(*[module for _ in range(10) for module in (nn.Linear(4, 4), nn.Tanh())])
    drawn = folded(whole)
    assert titles(drawn) == [("constant", ""), ("affine, tanh ×10", "20 ops, 200 parameters"), ("sum", "")]
    sound(drawn, whole)


# Neighbourhoods


def test_a_neighbourhood() -> None:
    whole = graph((leaf(1.0, "x") + leaf(2.0, "y")) * leaf(3.0, "z"))
    near = neighbourhood(whole, "n0", hops=1)
    assert [node.title for node in near.nodes] == ["x", "+"]
    assert [(edge.source, edge.target) for edge in near.edges] == [("n0", "n2")]
    assert [node.title for node in neighbourhood(whole, "n0").nodes] == ["x", "y", "+", "×"]
    assert neighbourhood(whole, "n0", hops=3) == Graph(*whole)
    assert [node.title for node in neighbourhood(whole, "n4", hops=0).nodes] == ["×"]


def test_a_node_that_is_not_there() -> None:
    with pytest.raises(OutOfRangeError) as caught:
        neighbourhood(graph(leaf(1.0) * 2), "x")
    assert str(caught.value) == "the graph has no node 'x'; its nodes are 'n0' to 'n2'"


# Fitting


def test_what_fits_stays() -> None:
    whole = chain(np.sin, times=79)
    assert fitting(whole) == (whole, "")
    drawn, sentence = fitting(chain(np.sin, times=80))
    assert (len(drawn.nodes), sentence) == (2, "81 nodes, drawn as 2: repeated blocks folded")


def test_modules_are_collapsed_as_little_as_possible() -> None:
    whole = network(*[nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(24)])
    assert len(whole.nodes) == 98
    drawn, sentence = fitting(whole)
    assert sentence == "98 nodes, drawn as 50: modules collapsed to depth 3"
    assert len(drawn.nodes) == 50
    drawn, sentence = fitting(whole, limit=30)
    assert sentence == "98 nodes, drawn as 3: modules collapsed to depth 3, repeated blocks folded"
    assert len(drawn.nodes) == 3


def test_10_000_operations() -> None:
    whole = chain(lambda y: y * 1.00001, lambda y: y + 1e-9, times=5_000)
    drawn, sentence = fitting(whole)
    assert sentence == "20,001 nodes, drawn as 2: repeated blocks folded"
    assert titles(drawn) == [("x", ""), ("×, + ×5,000", "10,000 ops")]
    assert drawn.nodes[0] == whole.nodes[0]


def tangle(size: int, leaves: int) -> Graph:
    """A graph in which nothing repeats."""
    rng = np.random.default_rng(1)
    made = [leaf(float(i), f"x{i}") for i in range(leaves)]
    for _ in range(size):
        i, j = rng.integers(len(made), size=2)
        made.append(np.sin(made[-1] * made[i]) if rng.random() < 0.5 else np.sin(made[-1]) + np.sin(made[j]))
    return Graph(*graph(made[-1]))


@pytest.mark.parametrize("leaves", [1, 30, 300])
@pytest.mark.parametrize("limit", [4, 10, 80])
def test_where_nothing_repeats_bundles_are_drawn(leaves: int, limit: int) -> None:
    whole = tangle(2000, leaves)
    drawn, sentence = fitting(whole, limit)
    assert len(drawn.nodes) <= limit
    assert sentence.endswith("the rest bundled")
    assert sentence.startswith(f"{len(whole.nodes):,} nodes, drawn as {len(drawn.nodes)}: ")
    sound(drawn, whole)


def test_inputs_are_bundled_by_kind() -> None:
    x = [leaf(float(i)) for i in range(50)]
    drawn = bundled(graph(sum((a * b for a in x for b in x), x[0])), 6)
    assert titles(drawn)[0] == ("50 leaves", "")
    assert drawn.nodes[0].shape == (50,)
    assert drawn.nodes[0].total == 50


def test_a_limit_that_is_too_small() -> None:
    with pytest.raises(OutOfRangeError) as caught:
        fitting(graph(leaf(1.0) * 2), 3)
    assert str(caught.value) == "a graph is made to fit into 4 nodes or more, got a limit of 3"


# Any graph

STEPS = st.lists(
    st.tuples(
        st.sampled_from("+*s"), st.integers(0, 30), st.integers(0, 30), st.sampled_from(["", "a", "b", "a/c", "c"])
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_any_graph_stays_sound(steps: list[tuple[str, int, int, str]]) -> None:
    made = [leaf(1.0, "x"), leaf(2.0, "y")]
    for op, i, j, module in steps:
        x, y = made[-1 - i % len(made)], made[-1 - j % len(made)]

        def compute(x: Any = x, y: Any = y, op: str = op) -> Any:
            return np.sin(x) * y if op == "s" else x + y * 0.5 if op == "+" else x * y

        made.append(named_call(module, compute) if module else compute())
    whole = Graph(*graph(made[-1]))
    for drawn in (collapsed(whole, 1), collapsed(whole, 2), folded(whole), folded(collapsed(whole, 1))):
        sound(drawn, whole)
        counted = sum(node.total for node in drawn.nodes if node.kind in ("op", "output", "module"))
        assert counted == sum(1 for node in whole.nodes if node.op)
        gradients = {node.id: node.gradient for node in whole.nodes}
        assert all(node.gradient == gradients[node.id] for node in drawn.nodes if node.kind != "module")
    small, _ = fitting(whole, 5)
    assert len(small.nodes) <= 5
    sound(small, whole)
