"""Schedulers: their curves by hand, in company, resumed. Sixty epochs of each are compared in tests/oracle."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Tensor
from nn.errors import StateError
from nn.optim import (
    SGD,
    Adagrad,
    Adam,
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    Optimizer,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

Make = Callable[[Optimizer], Any]
EVERY: dict[str, Make] = {
    "step": lambda o: StepLR(o, 3, 0.5),
    "multistep": lambda o: MultiStepLR(o, [7, 2, 2], 0.5),
    "exponential": lambda o: ExponentialLR(o, 0.9),
    "cosine": lambda o: CosineAnnealingLR(o, 4, 0.01),
    "linear": lambda o: LinearLR(o, 0.25, total_iters=6),
    "constant": lambda o: ConstantLR(o, 0.25, total_iters=6),
    "lambda": lambda o: LambdaLR(o, lambda epoch: 0.9**epoch),
    "one cycle": lambda o: OneCycleLR(o, 1.0, 12),
    "plateau": lambda o: ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=1),
    "sequential": lambda o: SequentialLR(o, [LinearLR(o, 0.25, total_iters=3), CosineAnnealingLR(o, 9)], [3]),
}


def optimizer(*rates: float, **options: Any) -> SGD:
    return SGD([{"params": Tensor([1.0], requires_grad=True), "lr": rate} for rate in rates or (0.5,)], **options)


def rates(scheduler: LRScheduler, steps: int) -> list[float]:
    """The rate of the first group, now and after each step."""
    found = [scheduler.optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        scheduler.step()
        found.append(scheduler.optimizer.param_groups[0]["lr"])
        assert scheduler.get_last_lr() == [group["lr"] for group in scheduler.optimizer.param_groups]
    return found


def advance(scheduler: Any, steps: range) -> list[Any]:
    """What all groups say after each step; a plateau sees a loss that rises and falls."""
    seen = []
    for epoch in steps:
        scheduler.step(*([math.sin(epoch)] if isinstance(scheduler, ReduceLROnPlateau) else []))
        seen.append([(group["lr"], group["momentum"]) for group in scheduler.optimizer.param_groups])
    return seen


def raises(kind: type[Exception], message: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


# Curves


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda o: StepLR(o, 2, 0.5), [0.5, 0.5, 0.25, 0.25, 0.125]),
        (lambda o: MultiStepLR(o, [3, 1], 0.5), [0.5, 0.25, 0.25, 0.125, 0.125]),
        (lambda o: MultiStepLR(o, [2, 2], 0.5), [0.5, 0.5, 0.125, 0.125, 0.125]),
        (lambda o: ExponentialLR(o, 0.5), [0.5, 0.25, 0.125, 0.0625]),
        (lambda o: CosineAnnealingLR(o, 2, 0.1), [0.5, 0.3, 0.1, 0.3, 0.5, 0.3, 0.1]),
        (lambda o: LinearLR(o, 0.5, 1.0, 2), [0.25, 0.375, 0.5, 0.5]),
        (lambda o: LinearLR(o, 1.0, 0.0, 2), [0.5, 0.25, 0.0, 0.0]),
        (lambda o: ConstantLR(o, 0.5, 2), [0.25, 0.25, 0.5, 0.5]),
        (lambda o: LambdaLR(o, lambda epoch: 1 / (1 + epoch)), [0.5, 0.25, 0.5 / 3]),
        (
            lambda o: OneCycleLR(o, 0.8, 5, pct_start=0.6, anneal_strategy="linear", div_factor=2, final_div_factor=4),
            [0.4, 0.6, 0.8, 0.45, 0.1, 0.1],
        ),
        (
            lambda o: OneCycleLR(
                o, 0.8, epochs=3, steps_per_epoch=3, pct_start=1 / 3, div_factor=2, final_div_factor=4, three_phase=True
            ),
            [0.4, 0.6, 0.8, 0.6, 0.4, 0.4 - 0.3 * (1 - math.sqrt(0.5)) / 2, 0.25],
        ),
        (
            lambda o: SequentialLR(o, [ConstantLR(o, 0.1, 9), ExponentialLR(o, 0.5), StepLR(o, 1, 0.1)], [2, 4]),
            [0.05, 0.05, 0.5, 0.25, 0.5, 0.05],
        ),
    ],
)
def test_curves(make: Make, expected: list[float]) -> None:
    assert rates(make(optimizer(momentum=0.9)), len(expected) - 1) == pytest.approx(expected, rel=1e-14, abs=1e-17)


def test_closed_forms_do_not_drift() -> None:
    scheduler = ExponentialLR(optimizer(0.3), 0.9999)
    assert rates(scheduler, 5000)[-1] == 0.3 * 0.9999**5000
    scheduler = CosineAnnealingLR(optimizer(0.3), 10)
    assert rates(scheduler, 5000)[::20] == [0.3] * 251


def test_the_rate_is_set_at_once_and_the_first_one_noted() -> None:
    opt = optimizer(0.5, 0.25)
    scheduler = LinearLR(opt, 0.5)
    assert [group["lr"] for group in opt.param_groups] == scheduler.get_last_lr() == [0.25, 0.125]
    assert [group["initial_lr"] for group in opt.param_groups] == [0.5, 0.25]


def test_lambdas_and_peaks_of_each_group() -> None:
    scheduler = LambdaLR(optimizer(0.5, 0.25), [lambda epoch: 1 + epoch, lambda epoch: 1 - epoch])
    scheduler.step()
    assert scheduler.get_last_lr() == [1.0, 0.0]
    cycle = OneCycleLR(optimizer(momentum=0.9), [0.5], 10, max_momentum=[0.75])
    assert cycle.get_last_lr() == pytest.approx([0.02])
    assert cycle.optimizer.param_groups[0]["momentum"] == 0.75


def test_momentum_cycles_the_other_way_round() -> None:
    opt = optimizer(momentum=0.9)
    seen = advance(OneCycleLR(opt, 1.0, 5, pct_start=0.6, anneal_strategy="linear"), range(4))
    assert [momentum for ((_, momentum),) in seen] == pytest.approx([0.9, 0.85, 0.9, 0.95])
    adam = Adam([Tensor([1.0], requires_grad=True)], betas=(0.5, 0.99))
    scheduler = OneCycleLR(adam, 1.0, 5, pct_start=0.6)
    assert adam.param_groups[0]["betas"] == (0.95, 0.99)
    for _ in range(2):
        scheduler.step()
    assert adam.param_groups[0]["betas"] == (0.85, 0.99)
    opt = optimizer(momentum=0.7)
    OneCycleLR(opt, 1.0, 5, cycle_momentum=False).step()
    assert opt.param_groups[0]["momentum"] == 0.7


def test_cycles_of_few_steps() -> None:
    assert OneCycleLR(optimizer(), 1.0, 1).get_last_lr() == pytest.approx([1 / 25e4])
    assert rates(OneCycleLR(optimizer(), 1.0, 2, pct_start=0.5), 1) == pytest.approx([1.0, 1 / 25e4])


def test_a_cycle_ends() -> None:
    scheduler = OneCycleLR(optimizer(), 1.0, 3)
    last = rates(scheduler, 3)
    assert last[2] == last[3] == pytest.approx(1 / 25e4)
    message = (
        "OneCycleLR: the cycle of 3 steps is over; call step() once for each batch, and make total_steps the number of "
        "batches of all epochs"
    )
    with raises(ValueError, message):
        scheduler.step()
    assert scheduler.last_epoch == 3


def plateau(metrics: list[float], **options: Any) -> list[float]:
    scheduler = ReduceLROnPlateau(optimizer(1.0), factor=0.5, **options)
    found = []
    for metric in metrics:
        scheduler.step(metric)
        found += scheduler.get_last_lr()
    return found


def test_a_plateau_lowers_the_rate() -> None:
    assert plateau([3, 2, 2, 2, 2, 2], patience=1) == [1, 1, 1, 0.5, 0.5, 0.25]
    assert plateau([1, 2, 3, 3, 3], patience=0, mode="max") == [1, 1, 1, 0.5, 0.25]
    assert plateau([1, 1, 1, 1, 1], patience=0, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25]
    assert plateau([1, 1, 1, 1], patience=0, min_lr=0.3) == [1, 0.5, 0.3, 0.3]
    assert plateau([1, 1, 1, 1], patience=0, eps=0.3) == [1, 0.5, 0.5, 0.5]
    assert plateau([1, math.nan, math.nan], patience=1) == [1, 1, 0.5]


def test_what_counts_as_an_improvement() -> None:
    assert plateau([2, 1.9, 1.7], patience=0, threshold=0.1) == [1, 0.5, 0.5]
    assert plateau([2, 1.9, 1.7], patience=0, threshold=0.2, threshold_mode="abs") == [1, 0.5, 0.5]
    assert plateau([2, 2.1, 2.3], patience=0, threshold=0.1, mode="max") == [1, 0.5, 0.5]
    assert plateau([2, 2.1, 2.3], patience=0, threshold=0.2, threshold_mode="abs", mode="max") == [1, 0.5, 0.5]


def test_a_metric_may_be_a_tensor() -> None:
    scheduler = ReduceLROnPlateau(optimizer())
    scheduler.step(Tensor(0.5))
    assert scheduler.best == 0.5


# In company


def test_two_schedulers_multiply() -> None:
    opt = optimizer()
    one, two = ExponentialLR(opt, 0.9), StepLR(opt, 2, 0.5)
    for epoch in range(1, 20):
        one.step()
        two.step()
        assert opt.param_groups[0]["lr"] == pytest.approx(0.5 * 0.9**epoch * 0.5 ** (epoch // 2), rel=1e-14)


def test_a_rate_set_by_hand_is_followed() -> None:
    opt = optimizer()
    scheduler = StepLR(opt, 2, 0.5)
    for _ in range(3):
        scheduler.step()
    opt.param_groups[0]["lr"] = 8.0
    scheduler.step()
    assert scheduler.get_last_lr() == [4.0]


def test_a_cosine_follows_a_rate_above_its_lowest() -> None:
    opt = optimizer()
    scheduler = CosineAnnealingLR(opt, 4, 0.1)
    for _ in range(2):
        scheduler.step()
    opt.param_groups[0]["lr"] = 1.1  # half way down from 2.1
    for _ in range(4):
        scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([1.1])


def test_at_its_lowest_a_cosine_cannot_tell_where_it_came_from() -> None:
    opt = optimizer()
    scheduler = CosineAnnealingLR(opt, 2)
    for _ in range(2):
        scheduler.step()
    assert scheduler.get_last_lr() == [0.0]
    opt.param_groups[0]["lr"] = 0.1
    scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([0.25])


def test_a_scheduler_goes_on_from_the_rate_that_it_finds() -> None:
    opt = optimizer()
    warmup = LinearLR(opt, 0.5, total_iters=2)
    assert ExponentialLR(opt, 0.5).get_last_lr() == warmup.get_last_lr() == [0.25]


def test_a_group_that_is_added_later_joins() -> None:
    opt = optimizer()
    scheduler = StepLR(opt, 2, 0.5)
    plateau = ReduceLROnPlateau(opt, patience=0, factor=0.5)
    for _ in range(3):
        scheduler.step()
    opt.add_param_group({"params": Tensor([1.0], requires_grad=True), "lr": 8.0})
    scheduler.step()
    assert scheduler.get_last_lr() == [0.125, 4.0]
    plateau.step(1.0)
    plateau.step(1.0)
    assert plateau.get_last_lr() == [0.0625, 2.0]


def test_a_function_of_the_epoch_alone_knows_how_many_groups_there_were() -> None:
    opt = optimizer()
    scheduler = LambdaLR(opt, lambda epoch: 1.0)
    opt.add_param_group({"params": Tensor([1.0], requires_grad=True)})
    message = (
        "LambdaLR was made for 1 parameter groups, and the optimizer has 2 now; make a new scheduler after "
        "add_param_group()"
    )
    with raises(ValueError, message):
        scheduler.step()


def test_sequences_within_sequences() -> None:
    opt = optimizer(1.0)
    inner = SequentialLR(opt, [ConstantLR(opt, 0.5, 9), StepLR(opt, 1, 0.5)], [2])
    outer = SequentialLR(opt, [ExponentialLR(opt, 0.1), inner], [1])
    assert rates(outer, 5) == [1.0, 0.5, 0.5, 1.0, 0.5, 0.25]


# State


@pytest.mark.parametrize("optimizer_first", [True, False])
@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_a_schedule_that_is_resumed_is_the_same_bit_for_bit(make: Make, optimizer_first: bool) -> None:
    whole = advance(make(optimizer(0.5, 0.1, momentum=0.9)), range(10))
    stopped = make(optimizer(0.5, 0.1, momentum=0.9))
    advance(stopped, range(5))
    saved = json.dumps([stopped.optimizer.state_dict(), stopped.state_dict()])
    advance(stopped, range(5, 7))
    resumed = make(optimizer(0.3, 0.3, momentum=0.9))
    parts = list(zip([resumed.optimizer, resumed], json.loads(saved)))
    for part, state in parts if optimizer_first else parts[::-1]:
        part.load_state_dict(state)
    assert resumed.get_last_lr() == [lr for lr, _ in whole[4]]
    assert advance(resumed, range(5, 10)) == whole[5:]


def test_a_state_is_a_copy() -> None:
    scheduler = StepLR(optimizer(), 1)
    state = scheduler.state_dict()
    state["base_lrs"][0] = 9.0
    scheduler.get_last_lr()[0] = 9.0
    scheduler.load_state_dict({**scheduler.state_dict(), "last_epoch": 4})
    assert scheduler.state_dict() == {"last_epoch": 4, "base_lrs": [0.5], "_last_lr": [0.5]}


@pytest.mark.parametrize(
    ("make", "state", "message"),
    [
        (
            EVERY["step"],
            {"epoch": 1},
            "StepLR, which was left as it is: expected a dict of last_epoch, base_lrs, _last_lr, got a dict of epoch",
        ),
        (
            EVERY["step"],
            None,
            "StepLR, which was left as it is: expected a dict of last_epoch, base_lrs, _last_lr, got None",
        ),
        (
            EVERY["step"],
            {"last_epoch": 1, "base_lrs": [1.0], "_last_lr": [1.0, 2.0]},
            "StepLR, which was left as it is: _last_lr is of 2 parameter groups, and the optimizer has 1",
        ),
        (
            EVERY["step"],
            {"last_epoch": "1", "base_lrs": [1.0], "_last_lr": [1.0]},
            "StepLR, which was left as it is: last_epoch must be a number, got '1'",
        ),
        (
            EVERY["step"],
            {"last_epoch": 1, "base_lrs": None, "_last_lr": [1.0]},
            "StepLR, which was left as it is: base_lrs must be a list of numbers, got None",
        ),
        (
            EVERY["step"],
            {"last_epoch": 1, "base_lrs": [1.0], "_last_lr": ["a"]},
            "StepLR, which was left as it is: _last_lr must be a list of numbers, got ['a']",
        ),
        (
            EVERY["sequential"],
            {"last_epoch": 1, "_schedulers": 3},
            "SequentialLR, which was left as it is: _schedulers must be a list of states, got 3",
        ),
        (
            EVERY["sequential"],
            {"last_epoch": 1, "_schedulers": []},
            "SequentialLR, which was left as it is: it is of 0 schedulers, and here are 2",
        ),
        (
            EVERY["sequential"],
            {"last_epoch": 1, "_schedulers": [{"last_epoch": 1, "base_lrs": [1.0], "_last_lr": [1.0]}, {}]},
            "SequentialLR, which was left as it is: expected a dict of last_epoch, base_lrs, _last_lr, got a dict of ",
        ),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(make: Make, state: Any, message: str) -> None:
    scheduler = make(optimizer())
    before = scheduler.state_dict()
    with raises(StateError, f"the state does not fit {message}"):
        scheduler.load_state_dict(state)
    assert scheduler.state_dict() == before


# Going on


class Harmonic(LRScheduler):
    """As it is written for PyTorch."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr / (1 + self.last_epoch) for lr in self.base_lrs]


GOING_ON: dict[str, Callable[[Optimizer, int], LRScheduler]] = {
    "step": lambda o, last: StepLR(o, 2, 0.5, last),
    "multistep": lambda o, last: MultiStepLR(o, [2, 5], 0.5, last),
    "exponential": lambda o, last: ExponentialLR(o, 0.9, last),
    "cosine": lambda o, last: CosineAnnealingLR(o, 20, 0.01, last),
    "linear": lambda o, last: LinearLR(o, 0.25, 0.75, 6, last),
    "constant": lambda o, last: ConstantLR(o, 0.25, 6, last),
    "lambda": lambda o, last: LambdaLR(o, lambda epoch: 0.9**epoch, last),
    "one cycle": lambda o, last: OneCycleLR(o, 1.0, 20, last_epoch=last),
    "of one's own": Harmonic,
}


@pytest.mark.parametrize("make", GOING_ON.values(), ids=GOING_ON)
def test_a_schedule_goes_on_after_an_epoch(make: Callable[[Optimizer, int], LRScheduler]) -> None:
    whole = rates(make(optimizer(0.5, 0.25), -1), 10)
    begun, resumed = optimizer(0.5, 0.25), optimizer(9.0, 9.0)
    rates(make(begun, -1), 4)
    resumed.load_state_dict(begun.state_dict())
    scheduler = make(resumed, 3)
    assert scheduler.last_epoch == 4
    assert rates(scheduler, 6) == whole[4:]


def test_a_schedule_goes_on_from_the_rate_that_it_finds() -> None:
    opt = optimizer(0.25)
    opt.param_groups[0]["initial_lr"] = 0.5
    assert rates(StepLR(opt, 2, 0.5, last_epoch=3), 2) == [0.25, 0.25, 0.125]


def test_no_warm_up_at_all() -> None:
    assert rates(LinearLR(optimizer(), 0.25, 0.5, total_iters=0), 2) == [0.25, 0.25, 0.25]
    assert rates(ConstantLR(optimizer(), 0.25, total_iters=0), 2) == [0.5, 0.5, 0.5]


def test_arguments_are_attributes() -> None:
    assert ConstantLR(optimizer(), 0.25).factor == 0.25
    scheduler = ReduceLROnPlateau(optimizer(), factor=0.5, patience=0, cooldown=1)
    seen = []
    for metric in (1.0, 1.0, 1.0, 1.0):
        scheduler.step(metric)
        seen.append(scheduler.in_cooldown)
    assert scheduler.factor == 0.5
    assert seen == [False, True, False, True]


# Errors


def adagrad() -> Adagrad:
    return Adagrad([Tensor([1.0], requires_grad=True)])


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda o: StepLR(None, 1), TypeError, "StepLR takes an optimizer of nn.optim, got None"),  # type: ignore[arg-type]
        (
            lambda o: LambdaLR(3, abs),  # type: ignore[arg-type]
            TypeError,
            "LambdaLR takes an optimizer of nn.optim, got 3",
        ),
        (lambda o: StepLR(o, 0), ValueError, "StepLR: step_size must be an integer from 1 on, got 0"),
        (
            lambda o: CosineAnnealingLR(o, 2.5),  # type: ignore[arg-type]
            ValueError,
            "CosineAnnealingLR: T_max must be an integer from 1 on, got 2.5",
        ),
        (
            lambda o: LinearLR(o, 0.0),
            ValueError,
            "LinearLR: start_factor must be above 0 and at most 1, and end_factor from 0 to 1, got 0.0 and 1.0",
        ),
        (lambda o: ConstantLR(o, 1.5), ValueError, "ConstantLR: factor must be from 0 to 1, got 1.5"),
        (
            lambda o: LambdaLR(o, [abs, abs]),
            ValueError,
            "LambdaLR: lr_lambda must be one value or a list of 1, one for each parameter group, got 2",
        ),
        (
            lambda o: OneCycleLR(o, 1.0, epochs=3),
            ValueError,
            "OneCycleLR needs total_steps, or both epochs and steps_per_epoch",
        ),
        (
            lambda o: OneCycleLR(o, 1.0, 5, pct_start=2),
            ValueError,
            "OneCycleLR: pct_start must be from 0 to 1, got 2",
        ),
        (
            lambda o: OneCycleLR(o, 1.0, 5, anneal_strategy="log"),
            ValueError,
            "OneCycleLR: anneal_strategy must be 'cos' or 'linear', got 'log'",
        ),
        *(
            (
                lambda o, factors=factors: OneCycleLR(o, 1.0, 5, **factors),
                ValueError,
                f"OneCycleLR: div_factor and final_div_factor must be positive, got {got}",
            )
            for factors, got in [
                ({"div_factor": 0}, "0 and 10000.0"),
                ({"div_factor": -2.0}, "-2.0 and 10000.0"),
                ({"final_div_factor": 0.0}, "25.0 and 0.0"),
            ]
        ),
        (lambda o: StepLR(o, 1, last_epoch=-2), ValueError, "StepLR: last_epoch must be an integer from -1 on, got -2"),
        (
            lambda o: OneCycleLR(adagrad(), 1.0, 5),
            ValueError,
            "OneCycleLR: Adagrad has no momentum to cycle; give cycle_momentum=False",
        ),
        (
            lambda o: ReduceLROnPlateau(o, "low"),
            ValueError,
            "ReduceLROnPlateau: mode must be 'min' or 'max', and threshold_mode 'rel' or 'abs', got 'low' and 'rel'",
        ),
        (
            lambda o: ReduceLROnPlateau(o, factor=1.0),
            ValueError,
            "ReduceLROnPlateau: factor must be at least 0 and below 1, got 1.0",
        ),
        (
            lambda o: SequentialLR(o, [StepLR(o, 1), 3], [2]),  # type: ignore[list-item]
            TypeError,
            "SequentialLR takes schedulers that need no metric, got int",
        ),
        (
            lambda o: SequentialLR(o, [StepLR(optimizer(), 1)], []),
            ValueError,
            "SequentialLR: StepLR was made for another optimizer",
        ),
        (
            lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 1)], [3, 2]),
            ValueError,
            "SequentialLR: 2 schedulers need 1 milestones in rising order, got [3, 2]",
        ),
        (
            lambda o: SequentialLR(o, [], []),
            ValueError,
            "SequentialLR: 0 schedulers need 0 milestones in rising order, got []",
        ),
        (LRScheduler, NotImplementedError, "LRScheduler has no get_lr(); define it in the class"),
    ],
)
def test_schedules_that_make_no_sense(make: Make, kind: type[Exception], message: str) -> None:
    opt = optimizer()
    with raises(kind, message):
        make(opt)
    assert opt.param_groups[0]["lr"] == 0.5


def test_a_schedule_that_goes_on_needs_the_rate_that_it_began_with() -> None:
    opt = optimizer()
    message = (
        "StepLR: to go on after last_epoch=3 it needs the 'initial_lr' of param_groups[0]; "
        "load the optimizer's state first, or begin with last_epoch=-1"
    )
    with pytest.raises(KeyError) as caught:
        StepLR(opt, 2, last_epoch=3)
    assert caught.value.args == (message,)
    assert "initial_lr" not in opt.param_groups[0]


def test_a_plateau_is_no_part_of_a_sequence() -> None:
    opt = optimizer()
    with raises(TypeError, "SequentialLR takes schedulers that need no metric, got ReduceLROnPlateau"):
        SequentialLR(opt, [ReduceLROnPlateau(opt)], [])
