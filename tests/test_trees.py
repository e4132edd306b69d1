"""Trees: containers are taken apart and put together again."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, grad, jvp, vjp
from autograd.errors import ShapeError
from autograd.trees import LEAF, flatten, leaves_like, map_leaves, names, unflatten

Point = namedtuple("Point", "x y")

TREES = [
    1.0,
    (),
    [],
    {},
    None,
    (1.0,),
    [1.0, 2.0],
    {"a": 1.0, "b": [2.0, (3.0, None)]},
    Point(1.0, [2.0]),
    (Point(1.0, 2.0), {"k": Point({}, 3.0)}),
    OrderedDict(b=1.0, a=2.0),
    {1: 1.0, "one": 2.0, (1, 2): 3.0},
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_unflatten_undoes_flatten(tree: Any) -> None:
    leaves, structure = flatten(tree)
    again = unflatten(structure, leaves)
    assert again == tree
    assert type(again) is type(tree)
    assert len(names(structure)) == len(leaves)


def test_leaves_come_from_left_to_right() -> None:
    leaves, structure = flatten({"b": [1, (2, 3)], "a": Point(4, None)})
    assert leaves == [1, 2, 3, 4]
    assert repr(structure) == "{'b': [*, (*, *)], 'a': Point(x=*, y=None)}"
    assert names(structure) == ["['b'][0]", "['b'][1][0]", "['b'][1][1]", "['a'].x"]
    assert names(structure, "p")[0] == "p['b'][0]"
    assert names(LEAF) == [""]


def test_arrays_and_tensors_are_leaves() -> None:
    tensor, array = Tensor([1.0, 2.0]), np.zeros((2, 2))
    leaves, structure = flatten([tensor, array])
    assert leaves[0] is tensor
    assert leaves[1] is array
    assert structure == [LEAF, LEAF]


def test_classes_of_containers_stay() -> None:
    class Params(dict):  # type: ignore[type-arg]
        pass

    counted = defaultdict(list, a=1.0)
    doubled = map_leaves(lambda leaf: 2 * leaf, [counted, Params(b=2.0), OrderedDict(c=3.0)])
    assert doubled == [{"a": 2.0}, {"b": 4.0}, {"c": 6.0}]
    assert [type(part) for part in doubled] == [defaultdict, Params, OrderedDict]
    assert doubled[0]["new"] == []
    assert counted == {"a": 1.0}


def test_leaves_in_the_order_of_another_tree() -> None:
    _, structure = flatten({"a": 1.0, "b": (2.0, None)})
    assert leaves_like(structure, {"b": ("y", None), "a": "x"}, "the tangent", "the argument") == ["x", "y"]


@pytest.mark.parametrize(
    "tree",
    [1.0, (1.0, 2.0), [1.0], [1.0, 2.0, 3.0], [1.0, (2.0,)], [1.0, None], {"a": 1.0, "b": 2.0}, None, Point(1.0, 2.0)],
    ids=str,
)
def test_another_structure_is_refused(tree: Any) -> None:
    with pytest.raises(ShapeError) as caught:
        leaves_like([LEAF, LEAF], tree, "the tangent", "the argument")
    assert str(caught.value) == (
        f"the tangent has the structure {flatten(tree)[1]}, but the argument has [*, *]; "
        "nest tuples, lists and dicts in the same way, with an array or a float for each *"
    )


def test_keys_of_dicts_must_be_equal() -> None:
    with pytest.raises(ShapeError, match=r"has the structure \{'a': \*, 'c': \*\}, but it has \{'a': \*, 'b': \*\}"):
        leaves_like({"a": LEAF, "b": LEAF}, {"a": 1.0, "c": 2.0}, "this", "it")


# As arguments and results of transforms


def test_nested_structures() -> None:
    def loss(params: Any, x: Any) -> Any:
        (w, b), scale = params["layer"], params["scale"]
        return scale * np.sum(w * x + b)

    params = {"layer": [np.array([1.0, 2.0]), 0.5], "scale": 2.0, "nothing": None}
    gradient = grad(loss)(params, np.array([3.0, 4.0]))
    assert list(gradient) == ["layer", "scale", "nothing"]
    np.testing.assert_array_equal(gradient["layer"][0], [6.0, 8.0])
    assert gradient["layer"][1:] == [4.0]
    assert gradient["scale"] == 12.0
    assert gradient["nothing"] is None
    assert params["scale"] == 2.0


def test_containers_come_back_in_their_class() -> None:
    assert grad(lambda p: p.x * p.y)(Point(2.0, 3.0)) == Point(3.0, 2.0)
    assert type(grad(lambda p: p.x * p.y)(Point(2.0, 3.0))) is Point
    gradient = grad(lambda p: p["a"] * p["b"])(OrderedDict(b=2.0, a=3.0))
    assert type(gradient) is OrderedDict
    assert list(gradient.items()) == [("b", 3.0), ("a", 2.0)]
    assert grad(lambda t: t[0] * t[1][0])((2.0, (3.0,))) == (3.0, (2.0,))
    assert grad(lambda t: sum(t))([1.0, 2.0]) == [1.0, 1.0]
    assert grad(lambda t: 1.0)([]) == []


def test_containers_are_real_ones_inside() -> None:
    def f(d: Any) -> Any:
        assert type(d) is dict
        assert sorted(d) == ["a", "b"]
        return sum(v * v for v in d.values()) + sum(len(k) for k, _ in d.items())

    assert grad(f)({"a": 1.0, "b": 2.0}) == {"a": 2.0, "b": 4.0}


def test_structures_of_results() -> None:
    f = lambda p: {"sum": p[0] + p[1], "both": [p[0] * p[1], p]}
    value, pull = vjp(f, (2.0, 3.0))
    assert value == {"sum": 5.0, "both": [6.0, (2.0, 3.0)]}
    assert pull({"sum": 1.0, "both": [10.0, (100.0, 1000.0)]}) == ((131.0, 1021.0),)
    assert pull({"both": [10, (0, 0)], "sum": 0}) == ((30.0, 20.0),)
    assert jvp(f, ((2.0, 3.0),), ((1.0, 10.0),))[1] == {"sum": 11.0, "both": [23.0, (1.0, 10.0)]}
