"""`summary`: the table of a network, and the bytes that its record keeps."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor, no_grad, relu
from nn import Linear, Module, Parameter, Sequential
from nn.summary import Row, kept_bytes


class Tanh(Module):
    """Keeps its output and nothing else."""

    def forward(self, x: Any) -> Any:
        return np.tanh(x)


# The record


def leaf(size: int = 100) -> Tensor:
    return Tensor(np.zeros(size), requires_grad=True)


def test_what_rules_need_is_counted_by_node() -> None:
    x = leaf()
    first = np.tanh(x)
    second = np.exp(first)
    assert kept_bytes(second) == {first.node.number: 800, second.node.number: 800}
    assert kept_bytes([first, {"a": (second, 3)}]).total() == 1600


def test_leaves_are_not_counted() -> None:
    x, y = leaf(), leaf()
    assert kept_bytes(x * y).total() == 0
    assert kept_bytes(x[10:] * y[:90]).total() == 0  # views of leaves
    assert kept_bytes(x).total() == 0


def test_constants_are_counted_but_for_those_apart() -> None:
    x, data = leaf(), np.ones(100)
    assert kept_bytes(x * data).total() == 800
    assert kept_bytes(x * data, [data]).total() == 0
    assert kept_bytes(x * data[::-1], [data]).total() == 0


def test_an_array_counts_once_and_as_a_whole_buffer() -> None:
    x, data = leaf(10), np.ones(1000)
    assert kept_bytes(x * data[:10]).total() == 8000
    assert kept_bytes(x * data[:10] * data[10:20]).total() == 8000
    y = np.tanh(x)
    assert kept_bytes(y * y * y).total() == 160  # y, and y * y


def test_nothing_is_kept_without_a_record_or_after_backward() -> None:
    assert kept_bytes(Tensor(np.ones(3))).total() == 0
    assert kept_bytes(np.ones(3)).total() == 0
    loss = np.sum(np.tanh(leaf()))
    assert kept_bytes(loss).total() == 800
    loss.backward()
    assert kept_bytes(loss).total() == 0


# The table


def test_rows_and_totals() -> None:
    model = Sequential(Linear(20, 50), Tanh(), Linear(50, 3, bias=False))
    model[2].requires_grad_(False)
    table = nn.summary(model, (32, 20))
    assert table.rows == [
        Row("", "Sequential", [[(32, 3)]], 0, 0, 0),
        Row("0", "├─ 0: Linear", [[(32, 50)]], 1050, 0, 0),
        Row("1", "├─ 1: Tanh", [[(32, 50)]], 0, 0, 6400),
        Row("2", "└─ 2: Linear", [[(32, 3)]], 0, 150, 0),
    ]
    assert (table.parameters, table.frozen, table.kept) == (1050, 150, 6400)
    assert repr(table) == str(table)


class Net(Module):
    """Nested, with parameters of its own, a module called twice and under two names, one never called, two outputs."""

    def __init__(self) -> None:
        self.scale = Parameter(np.ones(4, np.float32))
        self.body = Sequential(Linear(4, 4), Sequential(Tanh()))
        self.again = self.body[0]
        self.unused = Linear(4, 1)
        self.list = nn.ModuleList([Tanh()])

    def forward(self, x: Any) -> Any:
        hidden = np.tanh(self.body(x) * self.scale)
        return {"hidden": hidden, "rest": (self.list[0](self.again(hidden)), hidden.sum())}


def test_every_kind_of_nesting() -> None:
    expected = """
layer                                  output shape        parameters  frozen  bytes kept
Net                                    (8, 4), (8, 4), ()           4                 128
├─ body: Sequential                    (8, 4)
│  ├─ 0: Linear                        (8, 4) ×2                   20
│  └─ 1: Sequential                    (8, 4)
│     └─ 0: Tanh                       (8, 4)                                         128
├─ again: Linear (the same as body.0)
├─ unused: Linear                                                   5
└─ list: ModuleList
   └─ 0: Tanh                          (8, 4)                                         128
total                                                              29       0         384"""
    assert f"\n{nn.summary(Net(), (8, 4))}" == expected


def test_calls_with_different_outputs() -> None:
    class Twice(Module):
        def __init__(self) -> None:
            self.tanh = Tanh()

        def forward(self, x: Any) -> Any:
            return self.tanh(x), self.tanh(x[0]), self.tanh(x)

    table = nn.summary(Twice(), (2, 3))
    assert table.rows[1].output_shapes == [[(2, 3)], [(3,)], [(2, 3)]]
    assert table.rows[1].cells() == ["└─ tanh: Tanh", "(2, 3) ×2; (3,)", "", "", ""]


def test_a_shared_parameter_counts_once() -> None:
    model = Sequential(Linear(3, 3), Linear(3, 3))
    model[1].weight = model[0].weight
    table = nn.summary(model, (1, 3))
    assert [row.parameters for row in table.rows] == [0, 12, 3]


def test_what_a_container_computes_before_its_layers_is_its_own() -> None:
    class Before(Module):
        def __init__(self) -> None:
            self.first, self.layer = Parameter(1.0), Linear(5, 5)

        def forward(self, x: Any) -> Any:
            return self.layer(np.tanh(x * self.first))

    table = nn.summary(Before(), (10, 5), dtype=np.float64)
    assert [row.kept for row in table.rows] == [400, 0]


def test_what_is_not_part_of_the_output_is_not_kept() -> None:
    class Wasteful(Module):
        def __init__(self) -> None:
            self.layer, self.tanh = Linear(5, 5), Tanh()

        def forward(self, x: Any) -> Any:
            self.tanh(self.layer(x))
            return self.layer(x)

    assert nn.summary(Wasteful(), (10, 5)).kept == 0


def test_integer_inputs_and_several() -> None:
    class Two(Module):
        def __init__(self) -> None:
            self.words, self.layer = nn.Embedding(7, 4), Linear(3, 4)

        def forward(self, words: Any, x: Any) -> Any:
            assert words.dtype == np.int64
            assert x.dtype == np.float32
            return self.words(words) + self.layer(x)

    table = nn.summary(Two(), [(5,), (5, 3)], dtype=[np.int64, np.float32])
    assert [row.output_shapes for row in table.rows] == [[[(5, 4)]]] * 3
    assert nn.summary(nn.Embedding(7, 4), (2, 3), dtype=int).rows[0].output_shapes == [[(2, 3, 4)]]


def test_the_network_is_left_as_it_is() -> None:
    rng = np.random.default_rng(0)
    model = Sequential(Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=rng), Linear(4, 2))
    model[0].requires_grad_(False)
    model[1].eval()
    model(np.ones((4, 3), np.float32)).sum().backward()
    state, parameters, random = model.state_dict(), list(model.parameters()), rng.bit_generator.state
    gradients = [parameter.grad for parameter in parameters]
    for mode in (True, False):
        model.train(mode)
        nn.summary(model, (4, 3))
        assert all(module.training is mode for module in model.modules())
    assert all(module._hooks is None for module in model.modules())
    assert all(old is new for old, new in zip(parameters, model.parameters(), strict=True))
    assert all(p.grad is g for p, g in zip(parameters, gradients, strict=True))
    assert [p.requires_grad for p in parameters] == [False, False, True, True, True, True]
    assert rng.bit_generator.state == random
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


def test_training_keeps_what_evaluation_does_not() -> None:
    model = Sequential(Linear(3, 4), nn.Dropout(0.5))
    assert nn.summary(model, (10, 3)).rows[2].kept == 160
    assert nn.summary(model.eval(), (10, 3)).rows[2].kept == 0


def test_the_record_is_made_also_under_no_grad() -> None:
    with no_grad():
        assert nn.summary(Sequential(Linear(3, 4), Tanh()), (10, 3)).kept == 160


def test_zeros_do_not_warn() -> None:
    class Normalized(Module):
        def forward(self, x: Any) -> Any:
            return x / np.sqrt(np.sum(x * x))

    assert nn.summary(Normalized(), (3,)).rows[0].output_shapes == [[(3,)]]


def test_hooks_are_called_and_stay() -> None:
    model = Linear(2, 2)
    model.register_forward_hook(lambda module, args, output: relu(output)[:1])
    assert nn.summary(model, (5, 2)).rows[0].output_shapes == [[(1, 2)]]
    assert model(np.ones((5, 2))).shape == (1, 2)


@pytest.mark.parametrize("shape", [784, [32, 784], (None, 784), (-1, 784), (2.0,), "shape"])
def test_what_is_no_shape(shape: Any) -> None:
    message = (
        f"input_shape={shape!r} is no shape; give a tuple such as (32, 784), the number of examples in front, "
        "or a list of them for a network of several inputs"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        nn.summary(Linear(784, 10), shape)


def test_a_shape_that_does_not_fit_is_the_layers_error() -> None:
    model = Sequential(Linear(3, 4))
    with pytest.raises(ShapeError, match=r"^Linear\(in_features=3.* got array\(float32 \(32, 5\)\)"):
        nn.summary(model, (32, 5))
    assert model[0]._hooks is None
