"""The record as a text."""

from __future__ import annotations

import numpy as np
import pytest

from autograd import Tensor, no_grad, relu

SMALL = """\
multiply  -12  grad 1
├─ ∂ -4 · add  3  grad -4
│  ├─ ∂ 1 · x  -2  grad -4
│  └─ ∂ 1 · y  5  grad -4
└─ ∂ 3 · z  -4  grad 3"""


def small() -> Tensor:
    x, y, z = (Tensor(value, requires_grad=True, name=name) for value, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    return (x + y) * z


def test_before_and_after_backward() -> None:
    f = small()
    assert str(f.graph()) == repr(f.graph()) == SMALL
    f.backward()
    assert str(f.graph()) == SMALL


def test_printing_changes_nothing() -> None:
    f = small()
    str(f.graph())
    f.backward()  # it has not been released
    leaves = f.node.args[0].args
    assert [leaf.recall("grad") for leaf in leaves] == [-4, -4]


def test_printing_calls_no_hooks() -> None:
    x = Tensor(2.0, requires_grad=True)
    y = x * x
    calls: list[float] = []
    x.register_hook(calls.append)
    y.register_hook(calls.append)
    str((y * 3).graph())
    assert calls == []


def test_a_leaf_that_was_changed_since_is_shown_as_it_is_and_says_so() -> None:
    x = Tensor(2.0, requires_grad=True, name="x")
    y = x * 3.0
    with no_grad():
        x += 1
    assert str(y.graph()) == "multiply [3]  9  grad 1\n└─ ∂ 3 · x  3  grad 3  (changed since)"


def test_a_name_is_shown_on_one_line() -> None:
    x = Tensor(2.0, requires_grad=True, name="line\nbreak\x1b\ud800")
    assert str(x.graph()) == "line break  2  grad 1"


def test_a_shared_node_is_shown_once_and_its_gradients_add_up() -> None:
    x = Tensor(-2.0, requires_grad=True, name="x")
    q = x * x
    q.name = "q"
    assert (
        str((q + 3 * q).graph())
        == """\
add  16  grad 1
├─ ∂ 1 · q = multiply  4  grad 4
│  ├─ ∂ -2 · x  -2  grad -16
│  └─ ∂ -2 · x  (line 3)
└─ ∂ 1 · multiply [3]  12  grad 1
   └─ ∂ 3 · q = multiply  (line 2)"""
    )


def test_arrays_are_summed_up() -> None:
    w = Tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True, name="W")
    assert (
        str(relu(np.eye(2) @ w).sum().graph())
        == """\
sum  7  grad 1
└─ relu  (2, 2) rms 2.5  grad (2, 2) rms 1
   └─ ∂ (2, 2) rms 0.7071 · matmul [(2, 2) rms 0.7071]  (2, 2) rms 2.5  grad (2, 2) rms 0.7071
      └─ W  (2, 2) rms 2.5  grad (2, 2) rms 0.7071"""
    )


def test_a_tensor_without_history_is_a_leaf() -> None:
    assert str(Tensor(2.0, name="c").graph()) == "c  2  grad 1"
    with no_grad():
        assert str(small().graph()) == "leaf  -12  grad 1"


def test_several_outputs() -> None:
    x = Tensor([4.0, 9.0], requires_grad=True, name="x")
    first, second = np.split(x, 2)
    assert (
        str((first * second).sum().graph())
        == """\
sum  36  grad 1
└─ multiply  (1,) rms 36  grad (1,) rms 1
   ├─ ∂ (1,) rms 9 · output  (1,) rms 4  grad (1,) rms 9
   │  └─ split
   │     └─ x  (2,) rms 6.964  grad (2,) rms 6.964
   └─ ∂ (1,) rms 4 · output  (1,) rms 9  grad (1,) rms 4
      └─ split  (line 4)"""
    )


@pytest.mark.parametrize("length", [100, 10_000])
def test_a_deep_graph_is_abridged(length: int) -> None:
    h = Tensor(1.0, requires_grad=True)
    for _ in range(length):
        h = np.tanh(h) + 1
    lines = str(h.graph()).splitlines()
    assert len(lines) < 60
    assert lines[-2].endswith("└─ …")
    assert lines[-1] == f"… {2 * length + 1 - 25:,} more nodes"


def test_a_wide_graph_is_abridged() -> None:
    total = np.concatenate([Tensor([float(i)], requires_grad=True) for i in range(200)]).sum()
    lines = str(total.graph()).splitlines()
    assert len(lines) == 61
    assert lines[-1] == "… 142 more nodes"
