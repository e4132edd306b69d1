"""The graph model: exact numbers, every edge, the same before and after backward, and back from JSON."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import (
    GraphError,
    NotDifferentiableError,
    Tensor,
    affine,
    checkpoint,
    graph,
    named_call,
    softmax_cross_entropy,
)
from autograd.view import Graph, GraphNode, Summary
from autograd.view.model import NOTHING, brief, summary


def leaf(value: Any, name: str = "") -> Tensor:
    return Tensor(value, requires_grad=True, name=name or None)


def by_title(drawn: Graph) -> dict[str, GraphNode]:
    nodes = {node.title: node for node in drawn.nodes}
    assert len(nodes) == len(drawn.nodes), "titles are not unique"
    return nodes


def edges(drawn: Graph) -> list[tuple[str, str, int, float | None, float | None]]:
    titles = {node.id: node.title for node in drawn.nodes}
    return [
        (
            titles[edge.source],
            titles[edge.target],
            edge.position,
            edge.local.number if edge.local else None,
            edge.contribution.number if edge.contribution else None,
        )
        for edge in drawn.edges
    ]


def product() -> Any:
    """f = (x + y) z, the course's example."""
    x, y, z = leaf(-2.0, "x"), leaf(5.0, "y"), leaf(-4.0, "z")
    q = x + y
    q.name = "q"
    f = q * z
    f.name = "f"
    return f


def test_the_product_of_a_sum_is_exact() -> None:
    drawn = graph(product())
    assert [node.id for node in drawn.nodes] == ["n0", "n1", "n2", "n3", "n4"]
    assert [node.title for node in drawn.nodes] == ["x", "y", "z", "q = +", "f = ×"]
    assert [node.kind for node in drawn.nodes] == ["leaf", "leaf", "leaf", "op", "output"]
    assert [node.value.number for node in drawn.nodes] == [-2, 5, -4, 3, -12]
    assert [node.gradient and node.gradient.number for node in drawn.nodes] == [-4, -4, 3, -4, 1]
    assert edges(drawn) == [
        ("q = +", "f = ×", 0, -4, -4),
        ("z", "f = ×", 1, 3, 3),
        ("x", "q = +", 0, 1, -4),
        ("y", "q = +", 1, 1, -4),
    ]
    assert {(node.shape, node.dtype) for node in drawn.nodes} == {((), "float64")}


def test_a_plus_a_has_two_edges() -> None:
    a = leaf(3.0, "a")
    drawn = graph(a + a)
    assert edges(drawn) == [("a", "+", 0, 1, 1), ("a", "+", 1, 1, 1)]
    assert drawn.nodes[0].gradient == summary(2.0)


def test_a_shared_node_collects_three_contributions() -> None:
    """e = (a b + a) a with a = 2, b = -3: ∂e/∂a = (ab + a) + a (b + 1) = -4 - 4 = -8, in three contributions."""
    a, b = leaf(2.0, "a"), leaf(-3.0, "b")
    c = a * b
    c.name = "c"
    d = c + a
    d.name = "d"
    drawn = graph(d * a)
    to_a = [contribution for source, _, _, _, contribution in edges(drawn) if source == "a"]
    assert to_a == [-4, 2, -6]  # in the order of the walk
    assert by_title(drawn)["a"].gradient == summary(-8.0)
    assert by_title(drawn)["b"].gradient == summary(4.0)


def test_constants_are_nodes_and_options_are_not() -> None:
    x = leaf([1.0, 2.0, 3.0], "x")
    drawn = graph(np.sum(x * 2.0 * np.float32(3), axis=0, keepdims=True))
    constants = [node for node in drawn.nodes if node.kind == "constant"]
    assert [(node.title, node.value.number, node.gradient) for node in constants] == [
        ("constant", 2.0, None),
        ("constant", 3.0, None),
    ]
    assert [node.title for node in drawn.nodes] == ["x", "constant", "×", "constant", "×", "sum"]
    assert {edge.position for edge in drawn.edges if edge.target == drawn.root.id} == {0}


def test_a_given_initial_value_is_a_constant() -> None:
    drawn = graph(np.sum(leaf([1.0, 2.0], "x"), initial=5.0))
    assert [(node.title, node.value.number) for node in drawn.nodes] == [("x", None), ("constant", 5), ("sum", 8)]


def test_tensors_show_shape_size_and_cells() -> None:
    x = leaf([[3.0, -4.0], [0.0, 0.0]], "x")
    node = graph(np.sum(x * x)).nodes[0]
    assert (node.shape, node.dtype) == ((2, 2), "float64")
    assert node.value == Summary(None, 2.5, -4, 3, True, ((3, -4), (0, 0)))
    assert node.value.text == "rms 2.5"
    assert node.gradient == Summary(None, 5, -8, 6, True, ((6, -8), (0, 0)))


def test_cells_are_means_over_blocks() -> None:
    shown = summary(np.arange(32.0).reshape(2, 16))
    assert shown.cells == (tuple(np.arange(8) * 2 + 0.5), tuple(np.arange(8) * 2 + 16.5))
    assert np.shape(summary(np.zeros((5, 7, 100))).cells) == (8, 8)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.5, "−0.5"),
        (np.float32(1 / 3), "0.3333"),
        (np.array(7), "7"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (np.array([3.0, -4.0]), "rms 3.536"),
        (np.zeros((0, 3)), ""),
        ((np.ones(2), np.ones(2)), ""),
        ("axis", ""),
    ],
)
def test_what_is_shown_of_a_value(value: Any, text: str) -> None:
    assert summary(value).text == text


def test_size_and_finite() -> None:
    assert summary(-2.0).size == 2
    assert summary(np.array([3.0, -3.0])).size == 3
    assert not summary(np.array([1.0, math.inf])).finite
    assert not summary(math.nan).finite
    assert summary(np.zeros(0)) == NOTHING


@pytest.mark.parametrize("make", [product, lambda: checkpoint(np.tanh)(leaf(1.0, "x")) * 2.0])
def test_before_and_after_backward_the_graph_is_the_same(make: Callable[[], Tensor]) -> None:
    root = make()
    before = graph(root)
    root.backward()
    assert graph(root) == before
    assert graph(root) == before


def test_drawing_leaves_gradients_and_hooks_alone() -> None:
    x = leaf(2.0, "x")
    y = x * 3
    seen: list[Any] = []
    y.retain_grad()
    y.register_hook(seen.append)
    drawn = graph(y * y)
    assert [node.title for node in drawn.nodes] == ["x", "constant", "×", "×"]
    assert [node.gradient and node.gradient.number for node in drawn.nodes] == [36, None, 12, 1]
    assert x.grad is None
    assert y.grad is None
    assert not seen


@pytest.mark.parametrize("watched", [False, True])
def test_a_leaf_changed_since_is_drawn_as_it_is_now_and_says_so(watched: bool) -> None:
    x = leaf(2.0, "x")
    if watched:
        x.register_hook(lambda gradient: None)
    y = x * x
    assert [node.note for node in graph(y).nodes] == ["", ""]
    x.data = np.array(5.0)
    drawn = graph(y)
    assert [(node.value.number, node.note) for node in drawn.nodes] == [(5, "changed since"), (25, "")]
    assert drawn.nodes[0].gradient == summary(10.0)
    with pytest.raises(GraphError):
        y.backward()


def test_a_checkpoint_is_one_node() -> None:
    x = leaf(0.5, "x")
    drawn = graph(checkpoint(lambda x: np.tanh(x) * 2.0)(x) * 3.0)
    assert [node.title for node in drawn.nodes] == ["x", "checkpoint", "constant", "×"]
    assert drawn.nodes[0].gradient == summary(6 * (1 - math.tanh(0.5) ** 2))
    assert [(edge.source, edge.target) for edge in drawn.edges] == [("n1", "n3"), ("n2", "n3"), ("n0", "n1")]


def test_the_only_output_that_is_used_is_drawn_as_its_operation() -> None:
    matrix = leaf([[3.0, 0.0], [0.0, 4.0]], "A")
    drawn = graph(np.linalg.svd(matrix)[1].sum())
    assert [(node.title, node.shape, node.dtype) for node in drawn.nodes] == [
        ("A", (2, 2), "float64"),
        ("svd", (2,), "float64"),
        ("sum", (), "float64"),
    ]
    assert [(edge.source, edge.target) for edge in drawn.edges] == [("n1", "n2"), ("n0", "n1")]
    contribution = drawn.edges[1].contribution
    assert contribution is not None
    assert contribution.cells == ((1, 0), (0, 1))


def test_several_outputs_are_named_by_their_fields() -> None:
    matrix: Any = leaf([[3.0, 0.0], [0.0, 4.0]], "A")
    left: Any
    sizes: Any
    left, sizes, _ = np.linalg.svd(matrix)
    sizes.retain_grad()
    drawn = graph(left.sum() + sizes.sum())
    svd, u, s = drawn.nodes[1:4]
    assert [(node.title, node.kind, node.shape, node.note) for node in (svd, u, s)] == [
        ("svd", "op", (), "3 outputs"),
        ("U", "op", (2, 2), ""),
        ("S", "op", (2,), ""),
    ]
    assert (svd.dtype, svd.value.text, svd.gradient) == ("", "", None)
    given_back = {edge.target: edge.contribution for edge in drawn.edges if edge.source == svd.id}
    assert given_back == {u.id: u.gradient, s.id: s.gradient}


def test_a_loss_is_one_node_and_the_root() -> None:
    drawn = graph(softmax_cross_entropy(leaf([[0.0, 0.0]], "z"), np.array([0])).mean())
    assert "softmax_cross_entropy" in [node.title for node in drawn.nodes]
    assert "" not in [node.dtype for node in drawn.nodes]


def test_a_leaf_alone_is_a_graph() -> None:
    drawn = graph(leaf(3.0, "x"))
    assert (len(drawn.nodes), drawn.edges) == (1, ())
    assert (drawn.root.title, drawn.root.kind, drawn.root.gradient) == ("x", "leaf", summary(1.0))


@pytest.mark.parametrize("value", [Tensor(1.0), 3.0])
def test_what_was_not_recorded_has_no_graph(value: Any) -> None:
    with pytest.raises(NotDifferentiableError, match="which does not require grad: nothing was recorded; "):
        graph(value)


# Modules


def modules(drawn: Graph) -> list[tuple[str, str]]:
    return [(node.title, node.module) for node in drawn.nodes if node.op]


def test_paths_of_modules() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 1)))
    drawn = graph(np.sum(model(np.ones((4, 2)))))
    assert modules(drawn) == [
        ("affine", "Sequential/0"),
        ("tanh", "Sequential/1/0"),
        ("affine", "Sequential/1/1"),
        ("sum", ""),
    ]
    parameters = [node for node in drawn.nodes if node.kind == "parameter"]
    assert [(node.name, node.parameters, node.module) for node in parameters] == [
        ("0.weight", 6, ""),
        ("0.bias", 3, ""),
        ("1.1.weight", 3, ""),
        ("1.1.bias", 1, ""),
    ]
    assert [node.name for node in parameters] == [name for name, _ in model.named_parameters()]


def test_a_parameter_that_several_modules_use_has_no_path() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    drawn = graph(np.sum(model(np.ones((4, 2)))))
    assert [node.name for node in drawn.nodes if node.kind == "parameter"] == ["weight"]


def paths(model: nn.Module) -> list[str]:
    return [module for _, module in modules(graph(model(np.ones((2, 2)))))]


def test_a_module_of_two_networks_has_its_name_in_each() -> None:
    """Neither making another network of the parts, nor a copy, renames them."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    tail = nn.Sequential(*list(model)[1:])
    assert paths(model) == ["Sequential/0", "Sequential/1", "Sequential/2"]
    assert paths(tail)[-1] == "Sequential/1"
    assert paths(copy.deepcopy(model)) == paths(model)
    assert paths(copy.deepcopy(model[2])) == ["Linear"]
    model[2] = nn.Tanh()
    assert paths(model) == ["Sequential/0", "Sequential/1", "Sequential/2"]
    shared = model[0]
    assert paths(nn.Sequential(shared, nn.Tanh(), shared)) == ["Sequential/0", "Sequential/1", "Sequential/0#2"]


def test_modules_in_lists_and_modules_from_elsewhere() -> None:
    elsewhere = nn.Linear(2, 2)

    class Model(nn.Module):
        def __init__(self) -> None:
            self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return elsewhere(x)

    assert paths(Model()) == ["Model/layers.0", "Model/layers.1", "Model/Linear"]


def test_after_an_error_in_a_module_paths_begin_anew() -> None:
    def fail(x: Any) -> Any:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        nn.Sequential(nn.Lambda(fail))(1.0)
    assert paths(nn.Linear(2, 2)) == ["Linear"]


def test_calls_of_one_module_are_numbered_for_each_caller() -> None:
    def outer(x: Any) -> Any:
        return named_call("inner", np.sin, named_call("inner", np.sin, x) * 2)

    x = named_call("outer", outer, named_call("outer", outer, leaf(1.0)))
    ops = [path for _, path in modules(graph(x))]
    assert ops == ["outer/inner", "outer", "outer/inner#2", "outer#2/inner", "outer#2", "outer#2/inner#2"]


def test_a_call_that_returns_its_input_is_not_drawn() -> None:
    x = leaf(1.0) * 2
    assert modules(graph(named_call("nothing", lambda x: x, x) * 3)) == [("×", ""), ("×", "")]


# JSON


def same(one: Graph, other: Graph) -> bool:
    """Equal, where NaN is equal to itself."""
    return repr(tuple(one)) == repr(tuple(other))


def test_json_gives_the_graph_back() -> None:
    drawn = graph(product())
    assert Graph.from_json(drawn.to_json()) == drawn
    content = json.loads(drawn.to_json())
    assert content["nodes"][3]["name"] == "q"
    assert content["nodes"][3]["gradient"]["number"] == -4
    assert content["edges"][0]["contribution"]["number"] == -4


def test_json_keeps_what_is_not_finite() -> None:
    x = leaf([math.nan, math.inf, -math.inf, -0.0], "inf")
    drawn = graph(np.sum(x * x))
    text = drawn.to_json()
    json.loads(text, parse_constant=pytest.fail)  # no NaN, Infinity: JSON lacks them
    again = Graph.from_json(text)
    assert same(again, drawn)
    assert repr(again.nodes[0].value.cells) == "((nan, inf, -inf, -0.0),)"
    assert again.nodes[0].name == "inf"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"nodes": [{}], "edges": [], "outline": ""}', '{"nodes": 1}', "null"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape("this text is not a graph as Graph.to_json writes it: ")):
        Graph.from_json(text)


OPS: list[Callable[[Any, Any], Any]] = [
    np.add,
    np.multiply,
    np.divide,
    lambda x, y: np.exp(x),
    lambda x, y: np.where(x > 0, x, y),
    lambda x, y: affine(np.reshape(x, (1, -1)), np.eye(x.size)).reshape(x.shape),
    lambda x, y: x * 2.5,
]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-10, 10) | st.sampled_from([0.0, math.inf, math.nan]), min_size=1, max_size=3),
    shape=st.sampled_from([(), (2,), (2, 3)]),
    steps=st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8),
)
def test_any_graph_is_sound(values: list[float], shape: tuple[int, ...], steps: list[Any]) -> None:
    with np.errstate(all="ignore"):
        made = [leaf(np.full(shape, value)) for value in values]
        for op, i, j in steps:
            made.append(op(made[i % len(made)], made[j % len(made)]))
        root = made[-1]
        drawn = graph(root)
        place = {node.id: number for number, node in enumerate(drawn.nodes)}
        assert list(place) == [f"n{number}" for number in range(len(place))]
        assert all(place[edge.source] < place[edge.target] for edge in drawn.edges)
        assert [edge.target for edge in drawn.edges] == sorted((e.target for e in drawn.edges), key=lambda e: -place[e])
        used = {edge.source for edge in drawn.edges}
        assert used == set(place) - {drawn.root.id}
        assert same(Graph.from_json(drawn.to_json()), drawn)
        root.backward(np.ones(root.shape))
    assert same(graph(root), drawn)
    gradients = [summary(x.grad) for x in made[: len(values)] if x.grad is not None]
    shown = [node.gradient for node in drawn.nodes if node.kind == "leaf" and node.gradient]
    assert repr(shown) == repr(gradients)


def test_a_chain_of_100_000_operations() -> None:
    x = y = leaf(1.0, "x")
    for _ in range(100_000):
        y = y * 1.00001
    drawn = graph(y)
    assert (len(drawn.nodes), len(drawn.edges)) == (200_001, 200_000)
    y.backward()
    assert drawn.nodes[0].gradient == summary(x.grad)
    assert str(drawn).endswith("more nodes")
    assert repr(drawn) == "<Graph of ×: 200,001 nodes, 200,000 edges>"


@pytest.mark.parametrize(("number", "text"), [(0.0, "0"), (12345.678, "1.235e+04"), (1e-9, "1e−09")])
def test_numbers_in_short(number: float, text: str) -> None:
    assert brief(number) == text
