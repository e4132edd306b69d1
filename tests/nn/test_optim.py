"""Optimizers: first steps by hand, groups, state, errors. Long runs are compared in tests/oracle."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import GraphError, Tensor, no_grad
from nn.errors import StateError
from nn.optim import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Optimizer,
    RMSprop,
    clip_grad_norm_,
)

Make = Callable[[Iterable[Any]], Optimizer]
EVERY: dict[str, Make] = {
    "sgd": lambda ps: SGD(ps, lr=0.1),
    "momentum": lambda ps: SGD(ps, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.1),
    "nesterov": lambda ps: SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "adagrad": lambda ps: Adagrad(ps, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "rmsprop": lambda ps: RMSprop(ps, lr=0.1, momentum=0.9, centered=True),
    "adam": lambda ps: Adam(ps, lr=0.1, weight_decay=0.1),
    "amsgrad": lambda ps: Adam(ps, lr=0.1, amsgrad=True),
    "adamw": lambda ps: AdamW(ps, lr=0.1),
}


def leaf(value: Any = (1.0, 2.0), name: str | None = None, dtype: Any = np.float64) -> Tensor:
    return Tensor(value, requires_grad=True, name=name, dtype=dtype)


def with_gradient(gradient: Any, value: Any = (1.0, 2.0), **options: Any) -> Tensor:
    w = leaf(value, **options)
    w.grad = gradient
    return w


def raises(kind: type[Exception], message: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


def random_steps(optimizer: Optimizer, params: list[Tensor], steps: range) -> None:
    for step in steps:
        rng = np.random.default_rng(step)
        for p in params:
            p.grad = rng.normal(size=p.shape)
        optimizer.step()


# First steps, by hand


def test_gradient_descent_is_the_update_of_the_notes_to_the_last_bit() -> None:
    w = leaf(np.random.default_rng(0).normal(size=5))
    before = w.data.copy()
    (np.sin(w) * w).sum().backward()
    SGD([w], lr=0.3).step()
    np.testing.assert_array_equal(w.data, before - 0.3 * w.grad)


@pytest.mark.parametrize(
    ("optimizer", "first", "second"),
    [
        (lambda ps: SGD(ps, lr=0.5), 0.0, -1.0),
        (lambda ps: SGD(ps, lr=0.5, maximize=True), 2.0, 3.0),
        (lambda ps: SGD(ps, lr=0.5, weight_decay=0.5), -0.25, -1.1875),  # g = 2 + 1/2, then 2 - 1/8
        (lambda ps: SGD(ps, lr=0.5, weight_decay=0.5, maximize=True), 1.75, 2.3125),  # g = -2 + 1/2, then -2 + 7/8
        (lambda ps: SGD(ps, lr=0.5, momentum=0.5), 0.0, -1.5),  # v = 2, then 3
        (lambda ps: SGD(ps, lr=0.5, momentum=0.5, dampening=0.5), 0.0, -1.0),  # v = 2, then 1 + 1
        (lambda ps: SGD(ps, lr=0.5, momentum=0.5, nesterov=True), -0.5, -2.25),  # v = 2, 3; 2 + v / 2 = 3, 3.5
        (lambda ps: Adagrad(ps, lr=0.5, eps=0), 0.5, 0.5 - 0.5 / math.sqrt(2)),  # s = 4, 8
        (lambda ps: Adagrad(ps, lr=0.5, eps=1, lr_decay=1), 1 - 1 / 3, 1 - 1 / 3 - 0.5 / (math.sqrt(8) + 1)),
        (lambda ps: Adagrad(ps, lr=0.5, eps=0, initial_accumulator_value=12), 0.75, 0.75 - 1 / math.sqrt(20)),
        (lambda ps: RMSprop(ps, lr=0.5, alpha=0.75, eps=0), 0.0, -1 / math.sqrt(1.75)),  # v = 1, 3/4 + 1
        (lambda ps: RMSprop(ps, lr=0.5, alpha=0.75, eps=1), 0.5, 0.5 - 1 / (math.sqrt(1.75) + 1)),
        (lambda ps: RMSprop(ps, lr=0.5, alpha=0.75, eps=0, momentum=0.5), 0.0, -0.5 - 1 / math.sqrt(1.75)),
        # m = 1/2, then 7/8: v - m² = 3/4, then 63/64
        (
            lambda ps: RMSprop(ps, lr=0.5, alpha=0.75, eps=0, centered=True),
            1 - 1 / math.sqrt(0.75),
            1 - 1 / math.sqrt(0.75) - 1 / math.sqrt(63 / 64),
        ),
        (lambda ps: Adam(ps, lr=0.5, eps=0), 0.5, 0.0),
        (lambda ps: Adam(ps, lr=0.5, eps=2), 0.75, 0.5),
        (lambda ps: AdamW(ps, lr=0.5, eps=0, weight_decay=0.5), 0.25, -0.3125),  # 3/4 - 1/2, 3/16 - 1/2
        (lambda ps: AdamW(ps, lr=0.5, eps=0, maximize=True), 1.495, 1.495 * 0.995 + 0.5),
    ],
)
@pytest.mark.parametrize("value", [[1.0], 1.0])
def test_two_steps_along_a_constant_gradient(optimizer: Make, first: float, second: float, value: Any) -> None:
    """θ = 1 and g = 2, in one dimension and in none."""
    w = leaf(value)
    opt = optimizer([w])
    for expected in (first, second):
        w.grad = np.full(w.shape, 2.0)
        opt.step()
        np.testing.assert_allclose(w.data, np.full(w.shape, expected), rtol=1e-14, atol=1e-14)


def test_amsgrad_does_not_forget_a_large_gradient() -> None:
    """β₂ = 1/2: v = 2, then 1, where the largest stays 2; m = 2, then 0."""
    w = leaf([1.0])
    opt = Adam([w], lr=0.5, betas=(0.5, 0.5), eps=0, amsgrad=True)
    for gradient, m, v in [(2.0, 1.0, 2.0), (1.0, 1.0, 2.0)]:
        w.grad = [gradient]
        opt.step()
        assert opt.state[w]["exp_avg"] == [m]
        assert opt.state[w]["max_exp_avg_sq"] == [v]
    assert opt.state[w]["exp_avg_sq"] == [1.5]
    np.testing.assert_allclose(w.data, [0.5 - 0.5 * (1 / 0.75) / math.sqrt(2 / 0.75)], rtol=1e-15)


def test_a_constant_gradient_has_no_variance() -> None:
    """What rounding leaves below zero counts as zero, and the root is no NaN."""
    w = leaf(np.ones(100), dtype=np.float32)
    opt = RMSprop([w], lr=1e-3, alpha=0.5, centered=True, eps=1.0)
    gradient = np.linspace(0.1, 1, 100)
    for _ in range(100):
        w.grad = gradient
        opt.step()
    state = opt.state[w]
    assert np.any(state["square_avg"] < state["grad_avg"] ** 2)
    assert np.all(np.isfinite(w.data))


def test_weight_decay_is_the_regularizer_of_the_notes_at_the_update_step() -> None:
    """BLG561E: loss + α‖w‖² adds 2αw, so λ = 2α; equal for SGD, and neither Adam's nor AdamW's is the other's."""
    data, alpha = np.array([0.3, -2.0]), 0.05
    in_loss, at_update = leaf(), leaf()
    for w, penalty, decay in [(in_loss, alpha, 0.0), (at_update, 0.0, 2 * alpha)]:
        optimizer = SGD([w], lr=0.1, momentum=0.9, weight_decay=decay)
        for _ in range(10):
            optimizer.zero_grad()
            (np.cos(w * data).sum() + penalty * (w * w).sum()).backward()
            optimizer.step()
    np.testing.assert_allclose(in_loss.data, at_update.data, rtol=1e-14)
    coupled, decoupled = with_gradient([1.0, 1.0]), with_gradient([1.0, 1.0])
    Adam([coupled], lr=0.1, weight_decay=0.5).step()
    AdamW([decoupled], lr=0.1, weight_decay=0.5).step()
    np.testing.assert_allclose(coupled.data, [0.9, 1.9], rtol=1e-8)
    np.testing.assert_allclose(decoupled.data, [0.85, 1.8], rtol=1e-8)


# Parameters and memory


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_steps_are_in_place_and_keep_dtype_and_leaf(make: Make) -> None:
    w, scalar, frozen, idle = leaf(dtype=np.float32), leaf(3.0, dtype=np.float32), Tensor([1.0]), leaf([5.0])
    memory = w.data
    gradient = np.array([3.0, -1.0], np.float32)
    optimizer = make([w, scalar, frozen, idle])
    for _ in range(3):
        w.grad, scalar.grad = gradient, 1.0
        optimizer.step()
        np.testing.assert_array_equal(w.grad, gradient)
    assert w.data is memory
    assert w.is_leaf
    assert w.requires_grad
    assert w.data.dtype == scalar.data.dtype == np.float32
    assert w.data[0] < 1
    assert w.data[1] > 2
    assert scalar.data < 3
    assert (frozen.data, idle.data) == ([1.0], [5.0])
    assert idle not in optimizer.state
    kept = [value for state in optimizer.state.values() for value in state.values() if not isinstance(value, int)]
    assert all(array.dtype == np.float32 for array in kept)
    assert {array.shape for array in kept} <= {(2,), ()}


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_layout_and_company_change_nothing(make: Make) -> None:
    """Scratch memory is shared: neither larger nor later companions are felt."""
    value = np.random.default_rng(0).normal(size=(3, 4))
    alone, fortran, late = leaf(value), leaf(np.asfortranarray(value)), leaf(value)
    big, small = leaf(np.ones(50)), leaf(np.ones(3), dtype=np.float32)
    make_one, make_many = make([alone]), make([small, fortran, big])
    for step in range(4):
        gradient = np.random.default_rng(step).normal(size=(4, 3)).T
        alone.grad = fortran.grad = gradient
        small.grad = np.ones(3)
        if step:
            big.grad = np.ones(50)
        make_one.step()
        make_many.step()
    np.testing.assert_array_equal(alone.data, fortran.data)
    larger = leaf(np.ones(99))
    make_many.add_param_group({"params": [late, larger]})
    for step in range(3):
        larger.grad = np.ones(99)
        random_steps(make_many, [late], range(step, step + 1))
    twin = leaf(value)
    random_steps(make([twin]), [twin], range(3))
    np.testing.assert_array_equal(late.data, twin.data)


def test_a_graph_from_before_a_step_is_stale() -> None:
    w = leaf(name="w")
    loss = (w * w).sum()
    w.grad = [1.0, 1.0]
    SGD([w]).step()
    with pytest.raises(GraphError, match=r"the leaf 'w' .* was changed in place"):
        loss.backward()


def test_gradients_that_are_tensors() -> None:
    w, twin = leaf(), leaf()
    (w * w * w).sum().backward(create_graph=True)
    assert isinstance(w.grad, Tensor)
    twin.grad = w.grad.data
    for make in EVERY.values():
        make([w]).step()
        make([twin]).step()
    np.testing.assert_array_equal(w.data, twin.data)
    assert clip_grad_norm_([w], 1.0) == clip_grad_norm_([twin], 1.0) > 1
    np.testing.assert_array_equal(w.grad, twin.grad)


def test_a_step_records_nothing_and_computes_its_loss_with_recording() -> None:
    w = leaf()
    optimizer = SGD([w], lr=0.1)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with no_grad():
        loss = optimizer.step(closure)
    assert loss.data == 5
    np.testing.assert_array_equal(w.data, [0.8, 1.6])
    assert optimizer.step() is None


def test_zero_grad_forgets_all() -> None:
    w, frozen = with_gradient([1.0, 1.0]), Tensor([1.0])
    SGD([w, frozen]).zero_grad()
    assert w.grad is None


def test_zero_grad_may_leave_zeros() -> None:
    w, scalar, idle = with_gradient([1.0, 1.0], dtype=np.float32), with_gradient(2.0, 0.0), leaf()
    SGD([w, scalar, idle]).zero_grad(set_to_none=False)
    np.testing.assert_array_equal(w.grad, np.zeros(2))
    assert w.grad.dtype == np.float32
    assert scalar.grad == 0
    assert idle.grad is None


def test_gradients_that_are_not_finite_are_applied() -> None:
    w = with_gradient([math.nan, 1.0])
    SGD([w], lr=1.0).step()
    np.testing.assert_array_equal(w.data, [math.nan, 1.0])


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_numbers_that_are_not_finite_give_no_warnings(make: Make) -> None:
    """As in PyTorch: steps are taken, and NumPy says nothing."""
    w = leaf([1.0, 2.0, 3.0, 4.0], dtype=np.float32)
    optimizer = make([w])
    for lr in (0.1, 100.0):
        optimizer.param_groups[0] |= {"lr": lr, "eps": 0}
        w.grad = np.array([0.0, math.inf, 3e38, math.nan], np.float32)
        optimizer.step()
    assert math.isnan(w.data[3])


def test_a_closure_is_warned() -> None:
    w = with_gradient([1.0, 1.0])
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        SGD([w]).step(lambda: 1 / np.zeros(2))


# Groups


def test_groups_have_their_own_options() -> None:
    a, b = with_gradient([1.0, 1.0]), with_gradient([1.0, 1.0])
    optimizer = SGD([{"params": [a]}, {"params": b, "lr": 0.5, "name": "head"}], lr=0.25)
    optimizer.step()
    np.testing.assert_array_equal(a.data, [0.75, 1.75])
    np.testing.assert_array_equal(b.data, [0.5, 1.5])
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step()
    np.testing.assert_array_equal(a.data, [-0.25, 0.75])
    assert [group["lr"] for group in optimizer.param_groups] == [1.0, 0.5]
    assert optimizer.param_groups[1]["name"] == "head"


def test_parameters_with_names() -> None:
    model = nn.Linear(2, 1)
    optimizer = Adam(model.named_parameters())
    assert optimizer.param_groups[0]["params"] == [model.weight, model.bias]
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert "param_names" not in Adam(model.parameters()).param_groups[0]


def test_momentum_may_be_switched_on_later() -> None:
    w = leaf([1.0])
    optimizer = SGD([w], lr=0.5)
    for momentum, expected in [(0.0, 0.5), (0.5, 0.0), (0.5, -0.75)]:
        optimizer.param_groups[0]["momentum"] = momentum
        w.grad = [1.0]
        optimizer.step()
        assert w.data == [expected]


def test_repr_shows_the_options_of_each_group() -> None:
    optimizer = SGD([{"params": leaf()}, {"params": [leaf(), leaf()], "lr": 0.5}])
    assert repr(optimizer) == (
        "SGD(\n"
        "  group 0 of 1: lr=0.001, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False\n"
        "  group 1 of 2: lr=0.5, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False\n"
        ")"
    )


def test_options_may_be_arrays_of_no_dimension() -> None:
    for lr in (Tensor(0.5), np.array(0.5)):
        optimizer = SGD([{"params": leaf()}, {"params": leaf(), "momentum": np.array(0.25)}], lr=lr)  # type: ignore[arg-type]
        assert [type(group["lr"]) for group in optimizer.param_groups] == [float, float]
        assert optimizer.defaults["lr"] == 0.5
        assert optimizer.param_groups[1]["momentum"] == 0.25


W = leaf(name="w")


@pytest.mark.parametrize(
    ("params", "kind", "message"),
    [
        (
            [],
            ValueError,
            "SGD got no parameters; give it model.parameters(), and call that anew each time, since it can be read "
            "only once",
        ),
        (
            W,
            TypeError,
            "SGD takes a list of parameters, or an iterable in a definite order such as model.parameters(), "
            "got Tensor(float64 (2,) 'w')",
        ),
        (
            {"w": 1},
            TypeError,
            "SGD takes a list of parameters, or an iterable in a definite order such as model.parameters(), "
            "got {'w': 1}",
        ),
        (
            None,
            TypeError,
            "SGD takes a list of parameters, or an iterable in a definite order such as model.parameters(), got None",
        ),
        (
            [{"params": None}],
            TypeError,
            "SGD takes a list of parameters, or an iterable in a definite order such as model.parameters(), got None",
        ),
        (
            [{"params": {W}}],
            TypeError,
            "SGD takes a list of parameters, or an iterable in a definite order such as model.parameters(), "
            "got {Tensor([1., 2.], requires_grad=True, name='w')}",
        ),
        (
            [("a", W), leaf(name="b")],
            ValueError,
            "SGD: the parameters of a group are all without names, or all with names, as (name, parameter); "
            "got Tensor(float64 (2,) 'b')",
        ),
        (
            [("a", W, 1)],
            ValueError,
            "SGD: the parameters of a group are all without names, or all with names, as (name, parameter); "
            "got ('a', Tensor([1., 2.], requires_grad=True, name='w'), 1)",
        ),
        ([np.zeros(2)], TypeError, "SGD: a parameter is a Tensor, got array(float64 (2,))"),
        (
            [W * 2],
            ValueError,
            "SGD cannot learn Tensor(float64 (2,)), which was computed; give it the leaves it was computed from, or "
            "tensor.detach().requires_grad_()",
        ),
        ([W, W], ValueError, "SGD: the parameter Tensor(float64 (2,) 'w') was given twice; give each once"),
        (
            [{"params": W}, {"params": [W]}],
            ValueError,
            "SGD: the parameter Tensor(float64 (2,) 'w') was given twice; give each once",
        ),
        ([{"lr": 1.0}], TypeError, "SGD: a parameter group is a dict with 'params', got {'lr': 1.0}"),
        (
            [{"params": W, "learning_rate": 1.0}],
            TypeError,
            "SGD has no option 'learning_rate'; a group can have lr, momentum, dampening, weight_decay, nesterov, "
            "maximize",
        ),
        ([{"params": W, "lr": -1.0}], ValueError, "SGD: lr must be a number that is not negative, got -1.0"),
    ],
)
def test_parameters_that_cannot_be_learned(params: Any, kind: type[Exception], message: str) -> None:
    with raises(kind, message):
        SGD(params)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD([W], lr=-0.1), "SGD: lr must be a number that is not negative, got -0.1"),
        (lambda: SGD([W], lr=math.nan), "SGD: lr must be a number that is not negative, got nan"),
        (lambda: SGD([W], lr=math.inf), "SGD: lr must be a number that is not negative, got inf"),
        (lambda: SGD([W], lr="0.1"), "SGD: lr must be a number that is not negative, got '0.1'"),  # type: ignore[arg-type]
        (lambda: SGD([W], momentum=-1), "SGD: momentum must be a number that is not negative, got -1"),
        (
            lambda: SGD([W], nesterov=True),
            "SGD: nesterov needs a momentum and no dampening, got momentum=0, dampening=0",
        ),
        (
            lambda: SGD([W], momentum=0.9, dampening=0.1, nesterov=True),
            "SGD: nesterov needs a momentum and no dampening, got momentum=0.9, dampening=0.1",
        ),
        (lambda: SGD([W], maximize=2), "SGD: maximize must be True or False, got 2"),  # type: ignore[arg-type]
        (lambda: Adagrad([W], lr_decay=-1), "Adagrad: lr_decay must be a number that is not negative, got -1"),
        (lambda: RMSprop([W], alpha=1.5), "RMSprop: alpha must be a number from 0 to 1, got 1.5"),
        (lambda: Adam([W], betas=(0.9, 1.0)), "Adam: betas must be two numbers of [0, 1), got (0.9, 1.0)"),
        (lambda: Adam([W], betas=0.9), "Adam: betas must be two numbers of [0, 1), got 0.9"),  # type: ignore[arg-type]
        (lambda: Adam([W], betas=("a", "b")), "Adam: betas must be two numbers of [0, 1), got ('a', 'b')"),  # type: ignore[arg-type]
        (
            lambda: Adam([W], betas=(0.9, [0.1, 0.2])),  # type: ignore[arg-type]
            "Adam: betas must be two numbers of [0, 1), got (0.9, [0.1, 0.2])",
        ),
        (lambda: AdamW([W], eps=-1), "AdamW: eps must be a number that is not negative, got -1"),
        (
            lambda: AdamW([W], weight_decay=-1),
            "AdamW: weight_decay must be a number that is not negative, got -1",
        ),
    ],
)
def test_options_out_of_range(make: Callable[[], Any], message: str) -> None:
    with raises(ValueError, message):
        make()


def test_a_group_that_is_refused_changes_nothing() -> None:
    w, other = leaf(), leaf()
    optimizer = SGD([w])
    with pytest.raises(ValueError, match="given twice"):
        optimizer.add_param_group({"params": [other, w]})
    assert optimizer.param_groups == [{**optimizer.defaults, "params": [w]}]
    optimizer.add_param_group({"params": other})
    assert optimizer.param_groups[1]["params"] == [other]


def test_an_optimizer_of_ones_own_says_how_it_moves() -> None:
    with raises(NotImplementedError, "Optimizer has no update(); define it in the class"):
        Optimizer([with_gradient([1.0, 1.0])], {"lr": 1.0}).step()


class Slowing(Optimizer):
    """With an option that is no number, and a state as it is written for PyTorch."""

    def __init__(self, params: Iterable[Any], lr: float = 0.5) -> None:
        super().__init__(params, {"lr": lr, "mode": "halve", "limits": None})

    def update(self, group: dict[str, Any]) -> None:
        for p, gradient, _ in self.moving(group):
            state = self.state[p]
            if len(state) == 0:
                state["step"], state["sum"] = 0, np.zeros(p.shape)
            state["step"] += 1
            state["sum"] += gradient
            p -= state["sum"] * group["lr"] / state["step"]


def test_an_optimizer_of_ones_own_has_its_own_options_and_state() -> None:
    first, second = with_gradient([1.0, -1.0]), with_gradient([1.0, -1.0])
    optimizer, resumed = Slowing([first]), Slowing([second])
    assert optimizer.param_groups[0]["mode"] == "halve"
    assert optimizer.state[first] == {}
    optimizer.step()
    resumed.load_state_dict(json.loads(json.dumps(optimizer.state_dict(), default=np.ndarray.tolist)))
    assert resumed.state[second]["step"] == 1
    second.data = first.data.copy()
    for other in (optimizer, resumed):
        other.step()
    np.testing.assert_array_equal(first.data, [0.0, 3.0])
    np.testing.assert_array_equal(second.data, first.data)
    with raises(ValueError, "Slowing: lr must be a number that is not negative, got -1"):
        Slowing([leaf()], lr=-1)


def test_looking_at_a_state_that_is_not_there_yet_changes_nothing() -> None:
    w = with_gradient([1.0, 1.0])
    optimizer = SGD([w], lr=0.5, momentum=0.5, dampening=0.5)
    assert optimizer.state[w] == {}
    twin = SGD([leaf()], momentum=0.5)
    twin.load_state_dict(optimizer.state_dict())
    optimizer.step()
    np.testing.assert_array_equal(w.data, [0.5, 1.5])


# State


def network() -> list[Tensor]:
    rng = np.random.default_rng(9)
    return [leaf(rng.normal(size=(2, 3)), dtype=np.float32), leaf(rng.normal(size=3)), leaf(0.5)]


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_a_run_that_is_resumed_is_the_same_bit_for_bit(make: Make) -> None:
    whole, first, second = network(), network(), network()
    random_steps(make(whole), whole, range(10))
    stopped = make(first)
    stopped.param_groups[0]["notes"] = []
    random_steps(stopped, first, range(5))
    state = stopped.state_dict()
    weights = [p.data.copy() for p in first]
    random_steps(stopped, first, range(5, 7))  # what was saved are copies
    for p, weight in zip(second, weights):
        p.data = weight
    resumed = make(second)
    resumed.param_groups[0]["lr"] = 99.0
    resumed.load_state_dict(state)
    random_steps(resumed, second, range(5, 10))
    for p, q in zip(whole, second):
        np.testing.assert_array_equal(p.data, q.data)
    text = repr(state)
    third = make(second)
    third.load_state_dict(state)
    assert repr(third.state_dict()) == text
    random_steps(third, second, range(1))  # nothing of what was loaded is shared
    third.param_groups[0]["notes"].append(1)
    assert repr(state) == text


def test_a_state_dict_is_plain() -> None:
    """Only dicts with numbers, lists and arrays: with arrays as lists it passes through JSON."""
    params = network()
    optimizer = Adam([{"params": params[:2]}, {"params": params[2:], "lr": 0.5}], amsgrad=True)
    random_steps(optimizer, [params[0], params[2]], range(2))
    state = optimizer.state_dict()
    assert {number: list(entry) for number, entry in state["state"].items()} == {
        0: ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
        2: ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
    }
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2]]
    assert state["param_groups"][1]["lr"] == 0.5
    text = json.dumps(state, default=np.ndarray.tolist)
    twin = Adam([{"params": params[:2]}, {"params": params[2:]}])
    twin.load_state_dict(json.loads(text))
    again = twin.state_dict()
    assert json.dumps(again, default=np.ndarray.tolist) == text
    assert again["state"][0]["exp_avg"].dtype == np.float32


def test_options_that_an_older_state_lacks_are_off() -> None:
    w, other = with_gradient([1.0, 1.0]), with_gradient([1.0, 1.0])
    optimizer, twin = Adam([w], lr=0.25), Adam([{"params": [other], "amsgrad": True}])
    optimizer.step()
    state = optimizer.state_dict()
    for name in ("amsgrad", "maximize"):
        del state["param_groups"][0][name]
    twin.load_state_dict(state)
    assert twin.param_groups == [{**optimizer.param_groups[0], "params": [other]}]
    assert twin.state_dict()["state"][0]["step"] == 1


def broken(change: Callable[[Any], Any]) -> Any:
    w = with_gradient([1.0, 1.0], name="w")
    optimizer = Adam([w], lr=0.1)
    optimizer.step()
    state = optimizer.state_dict()
    change(state)
    return state


HEAD = "the state does not fit Adam, which was left as it is\n  "
EXPECTED = "expected a dict of 'state', dicts by number, and 'param_groups', a list of dicts, got "


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("state"), f"{EXPECTED}{{'param_groups': [{{'lr': 0.1"),
        (lambda s: s.update(state=None, param_groups=None), EXPECTED + "{'state': None, 'param_groups': None}"),
        (lambda s: s.update(param_groups=None), EXPECTED + "{'state': {0: {'step': 1,"),
        (lambda s: s.update(state={}, param_groups=[3]), EXPECTED + "{'state': {}, 'param_groups': [3]}"),
        (lambda s: s.update(state={0: 3}), EXPECTED + "{'state': {0: 3}, 'param_groups': [{'lr': 0.1"),
        (
            lambda s: s.update(state={}, param_groups=[{"params": 3}]),
            EXPECTED + "{'state': {}, 'param_groups': [{'params': 3}]}",
        ),
        (
            lambda s: s["state"][0].update(exp_avg=[[1.0], [1.0, 2.0]], exp_avg_sq=None),
            "exp_avg of Tensor(float64 (2,) 'w') holds no numbers\n"
            "  exp_avg_sq of Tensor(float64 (2,) 'w') holds no numbers",
        ),
        (lambda s: s["param_groups"].append({}), "param_groups: groups of 1, 0 parameters, which must be of 1"),
        (
            lambda s: s["param_groups"][0].update(params=[0, 1]),
            "param_groups: groups of 2 parameters, which must be of 1",
        ),
        (lambda s: s["param_groups"][0].pop("betas"), "param_groups[0]: betas missing"),
        (
            lambda s: s["param_groups"][0].update(lr=-1),
            "param_groups[0]: lr must be a number that is not negative, got -1",
        ),
        (
            lambda s: s["state"].update({0: {"step": [1], "exp_avg": np.zeros(3), "x": "?"}}),
            "exp_avg_sq of Tensor(float64 (2,) 'w') missing\n"
            "  step of Tensor(float64 (2,) 'w') has shape (1,), which must be ()\n"
            "  exp_avg of Tensor(float64 (2,) 'w') has shape (3,), which must be (2,)\n"
            "  x of Tensor(float64 (2,) 'w') holds no numbers",
        ),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: Callable[[Any], Any], message: str) -> None:
    w = with_gradient([1.0, 1.0], name="w")
    optimizer = Adam([w], lr=0.25)
    optimizer.step()
    before = repr(optimizer.state_dict())
    with pytest.raises(StateError) as caught:
        optimizer.load_state_dict(broken(change))
    assert str(caught.value).startswith(HEAD + message)
    assert message.startswith("expected") or str(caught.value) == HEAD + message
    assert repr(optimizer.state_dict()) == before
