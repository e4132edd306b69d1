"""Optimizers, schedulers and clipping agree with PyTorch's, step for step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from nn import optim

torch = pytest.importorskip("torch")

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"amsgrad": True, "maximize": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {"amsgrad": True}),
]
SHAPES = [(3, 4), (5,), ()]
TOLERANCES = {"float64": 1e-13, "float32": 1e-6}
"""Beside the largest element, or the size 1 of the first values and gradients where that is larger: a weight of float32
that has come near 0 is known no better than to the rounding of the steps that led there."""


def pairs(dtype: str, seed: int = 0) -> tuple[list[Tensor], list[Any]]:
    """Parameters, and PyTorch's of the same values."""
    rng = np.random.default_rng(seed)
    values = [np.asarray(rng.normal(size=shape)).astype(dtype) for shape in SHAPES]
    return [Tensor(v, requires_grad=True) for v in values], [torch.tensor(v, requires_grad=True) for v in values]


def give_gradients(ours: list[Tensor], theirs: list[Any], seed: int, skip: int | None = None) -> None:
    """The same gradients to both; one parameter may go without."""
    rng = np.random.default_rng(seed)
    for index, (own, other) in enumerate(zip(ours, theirs)):
        gradient = np.asarray(rng.normal(size=own.shape) * 10.0 ** rng.integers(-3, 2)).astype(own.data.dtype)
        own.grad = None if index == skip else gradient
        other.grad = None if index == skip else torch.tensor(gradient)


def assert_close(own: Any, other: Any, tolerance: float) -> None:
    own, other = np.asarray(own), other.detach().numpy()
    assert (own.shape, own.dtype) == (other.shape, other.dtype)
    np.testing.assert_allclose(own, other, rtol=0, atol=tolerance * np.max(np.abs(other), initial=1.0))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=str)
def test_fifty_steps(name: str, options: dict[str, Any], dtype: str) -> None:
    """On the same gradients of all sizes, with a parameter that goes without a gradient at times."""
    ours, theirs = pairs(dtype)
    own, other = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(50):
        give_gradients(ours, theirs, step, skip=1 if step % 7 == 0 else None)
        own.step()
        other.step()
        for p, q in zip(ours, theirs):
            assert_close(p.data, q, TOLERANCES[dtype])
    for p, q in zip(ours, theirs):
        for key, value in own.state.get(p, {}).items():
            if isinstance(value, np.ndarray):
                assert_close(value, other.state[q][key], TOLERANCES[dtype])
            else:
                assert value == other.state[q][key]


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
def test_defaults_are_the_same(name: str) -> None:
    ours, theirs = pairs("float64")
    own, other = getattr(optim, name)(ours).defaults, getattr(torch.optim, name)(theirs).defaults
    assert own == {key: other[key] for key in own}


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
def test_groups(name: str) -> None:
    ours, theirs = pairs("float64")
    optimizers = [
        getattr(package, name)([{"params": params[:2], "lr": 0.5}, {"params": params[2], "weight_decay": 0.2}], lr=0.1)
        for package, params in [(optim, ours), (torch.optim, theirs)]
    ]
    for step in range(20):
        give_gradients(ours, theirs, step)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.param_groups[1]["lr"] *= 0.9
    for p, q in zip(ours, theirs):
        assert_close(p.data, q, 1e-12)


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=str)
def test_a_run_goes_on_from_a_state_of_pytorchs(name: str, options: dict[str, Any]) -> None:
    ours, theirs = pairs("float64")
    own, other = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(10):
        if step == 5:
            for p, q in zip(ours, theirs):
                p.data = q.detach().numpy().copy()
            own.load_state_dict(other.state_dict())
        give_gradients(ours, theirs, step)
        other.step()
        if step >= 5:
            own.step()
    for p, q in zip(ours, theirs):
        assert_close(p.data, q, TOLERANCES["float64"])
    assert all(type(value) in (int, float, np.ndarray) for state in own.state.values() for value in state.values())


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=str)
def test_gradients_that_are_not_finite(name: str, options: dict[str, Any]) -> None:
    """And ε = 0 where there is none: the same numbers, and no warning."""
    values = np.array([1.0, 2.0, 3.0, 4.0], np.float32)
    ours, theirs = Tensor(values.copy(), requires_grad=True), torch.tensor(values, requires_grad=True)
    eps = {} if name == "SGD" else {"eps": 0}
    own = getattr(optim, name)([ours], **options | eps)
    other = getattr(torch.optim, name)([theirs], **options | eps)
    gradient = np.array([0.0, np.inf, -np.inf, np.nan], np.float32)
    ours.grad, theirs.grad = gradient, torch.tensor(gradient)
    own.step()
    other.step()
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-5)


def momentum_of(group: dict[str, Any]) -> float:
    return float(group["betas"][0] if "betas" in group else group["momentum"])


SCHEDULERS: dict[str, Callable[[Any, Any], Any]] = {
    "step": lambda s, o: s.StepLR(o, 7, 0.7),
    "step by default": lambda s, o: s.StepLR(o, 25),
    "multistep": lambda s, o: s.MultiStepLR(o, [5, 30, 30, 41], 0.5),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.93),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 17),
    "cosine above a minimum": lambda s, o: s.CosineAnnealingLR(o, 70, 0.01),
    "linear": lambda s, o: s.LinearLR(o),
    "linear down": lambda s, o: s.LinearLR(o, 1.0, 0.1, 40),
    "constant": lambda s, o: s.ConstantLR(o, 0.3, 20),
    "constant by default": lambda s, o: s.ConstantLR(o),
    "lambda": lambda s, o: s.LambdaLR(o, [lambda epoch: 0.95**epoch, lambda epoch: 1 / (1 + epoch)]),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.9, 61),
    "one cycle, linear": lambda s, o: s.OneCycleLR(o, [0.9, 0.1], 61, pct_start=0.4, anneal_strategy="linear"),
    "one cycle, three phases": lambda s, o: s.OneCycleLR(
        o,
        0.9,
        epochs=7,
        steps_per_epoch=9,
        three_phase=True,
        base_momentum=0.5,
        max_momentum=0.8,
        div_factor=5.0,
        final_div_factor=7.0,
    ),
    "one cycle without momentum": lambda s, o: s.OneCycleLR(o, 0.9, 61, cycle_momentum=False),
    "warm-up and cosine": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 50)], [10]
    ),
    "a sequence of many": lambda s, o: s.SequentialLR(
        o,
        [s.ConstantLR(o), s.ExponentialLR(o, 0.8), s.StepLR(o, 3), s.LambdaLR(o, lambda epoch: 1 - epoch / 100)],
        [4, 20, 40],
    ),
}


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("make", SCHEDULERS.values(), ids=SCHEDULERS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sixty_epochs(make: Callable[[Any, Any], Any], optimizer: str) -> None:
    """With two groups, to 1e-12 of their first rates: PyTorch multiplies 60 times where we evaluate a closed form."""
    ours, theirs = pairs("float64")
    options = {"momentum": 0.9} if optimizer == "SGD" else {}
    own, other = (
        getattr(package, optimizer)([{"params": ps[:1], "lr": 0.3}, {"params": ps[1:], "lr": 0.05}], **options)
        for package, ps in [(optim, ours), (torch.optim, theirs)]
    )
    scheduler, reference = make(optim, own), make(torch.optim.lr_scheduler, other)
    for _ in range(60):
        for group, expected in zip(own.param_groups, other.param_groups, strict=True):
            assert group["lr"] == pytest.approx(expected["lr"], rel=1e-12, abs=1e-15)
            assert momentum_of(group) == pytest.approx(momentum_of(expected), rel=1e-12)
        assert scheduler.get_last_lr() == pytest.approx(reference.get_last_lr(), rel=1e-12, abs=1e-15)
        scheduler.step()
        reference.step()


GOING_ON: list[tuple[str, tuple[Any, ...]]] = [
    ("StepLR", (7, 0.7)),
    ("MultiStepLR", ([5, 13], 0.5)),
    ("ExponentialLR", (0.93,)),
    ("CosineAnnealingLR", (30, 0.01)),
    ("LinearLR", (0.1, 0.8, 15)),
    ("ConstantLR", (0.3, 15)),
    ("LambdaLR", (lambda epoch: 0.95**epoch,)),
]


@pytest.mark.parametrize(("name", "args"), GOING_ON, ids=[name for name, _ in GOING_ON])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_schedule_goes_on_after_an_epoch(name: str, args: tuple[Any, ...]) -> None:
    """From rates that are, or are not, those of that epoch."""
    ours, theirs = pairs("float64")
    own, other = optim.SGD(ours, lr=0.2), torch.optim.SGD(theirs, lr=0.2)
    for group in (*own.param_groups, *other.param_groups):
        group["initial_lr"] = 0.3
    scheduler = getattr(optim, name)(own, *args, last_epoch=10)
    reference = getattr(torch.optim.lr_scheduler, name)(other, *args, last_epoch=10)
    for _ in range(15):
        assert scheduler.last_epoch == reference.last_epoch
        assert scheduler.get_last_lr() == pytest.approx(reference.get_last_lr(), rel=1e-12)
        scheduler.step()
        reference.step()


CHAINS: list[list[Callable[[Any, Any], Any]]] = [
    [lambda s, o: s.LinearLR(o, 0.1, total_iters=8), lambda s, o: s.ExponentialLR(o, 0.95)],
    [lambda s, o: s.ExponentialLR(o, 0.95), lambda s, o: s.StepLR(o, 9, 0.5), lambda s, o: s.ConstantLR(o, 0.4, 12)],
    [lambda s, o: s.LinearLR(o, 0.1, total_iters=8), lambda s, o: s.CosineAnnealingLR(o, 70, 0.01)],
    [lambda s, o: s.CosineAnnealingLR(o, 70), lambda s, o: s.MultiStepLR(o, [10, 20])],
    [lambda s, o: s.StepLR(o, 9, 0.5), lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch)],
]


@pytest.mark.parametrize("chain", CHAINS, ids=range(len(CHAINS)))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_several_schedulers_and_a_hand_on_one_optimizer(chain: list[Callable[[Any, Any], Any]]) -> None:
    ours, theirs = pairs("float64")
    own, other = optim.SGD(ours, lr=0.3), torch.optim.SGD(theirs, lr=0.3)
    schedulers, references = [m(optim, own) for m in chain], [m(torch.optim.lr_scheduler, other) for m in chain]
    for epoch in range(60):
        assert own.param_groups[0]["lr"] == pytest.approx(other.param_groups[0]["lr"], rel=1e-12)
        for scheduler in [*schedulers, *references]:
            scheduler.step()
        if epoch == 30:
            own.param_groups[0]["lr"] = other.param_groups[0]["lr"] = 0.2


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 0, "cooldown": 3, "factor": 0.5},
        {"mode": "max", "patience": 1, "threshold": 0.05, "min_lr": [0.01, 0.001]},
        {"threshold_mode": "abs", "threshold": 0.2, "patience": 1, "factor": 0.7},
        {"mode": "max", "threshold_mode": "abs", "patience": 1, "eps": 0.01},
    ],
    ids=str,
)
def test_plateaus(options: dict[str, Any]) -> None:
    ours, theirs = pairs("float64")
    own, other = (
        package.SGD([{"params": ps[:1], "lr": 0.3}, {"params": ps[1:], "lr": 0.05}])
        for package, ps in [(optim, ours), (torch.optim, theirs)]
    )
    scheduler, reference = (
        optim.ReduceLROnPlateau(own, **options),
        torch.optim.lr_scheduler.ReduceLROnPlateau(other, **options),
    )
    for epoch, noise in enumerate(np.random.default_rng(0).normal(size=60)):
        metric = math.nan if epoch == 7 else math.exp(-epoch / 20) + 0.2 * noise
        scheduler.step(metric)
        reference.step(metric)
        assert scheduler.get_last_lr() == pytest.approx(reference.get_last_lr(), rel=1e-12)
    assert own.param_groups[0]["lr"] < 0.3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0, 0.5, 1.0, 2.0, 3.5, -1.0, math.inf, -math.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.1, 1e3])
def test_clipping_norms(max_norm: float, p: float, dtype: str) -> None:
    ours, theirs = pairs(dtype)
    give_gradients(ours, theirs, 0, skip=1)
    total = optim.clip_grad_norm_(ours, max_norm, p)
    assert total == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, max_norm, p)), rel=1e-6)
    for own, other in zip(ours, theirs):
        if own.grad is not None:
            assert_close(own.grad, other.grad, 1e-6)


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_clipping_norms_that_are_not_finite(wrong: float) -> None:
    ours, theirs = pairs("float64")
    give_gradients(ours, theirs, 0)
    ours[1].grad[0] = theirs[1].grad[0] = wrong
    with np.errstate(invalid="ignore"):
        optim.clip_grad_norm_(ours, 1.0, error_if_nonfinite=False)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    for own, other in zip(ours, theirs):
        np.testing.assert_array_equal(own.grad, other.grad.numpy())


def test_clipping_values() -> None:
    ours, theirs = pairs("float32")
    give_gradients(ours, theirs, 0, skip=1)
    optim.clip_grad_value_(ours, 0.5)
    torch.nn.utils.clip_grad_value_(theirs, 0.5)
    for own, other in zip(ours, theirs):
        if own.grad is not None:
            assert_close(own.grad, other.grad, 0.0)
