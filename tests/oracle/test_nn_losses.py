"""Losses agree with PyTorch's: values and gradients, with all options, in both precisions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F  # noqa: N812 - its usual name

torch = pytest.importorskip("torch")
TOLERANCES = {"float64": 1e-12, "float32": 2e-5}
REDUCTIONS = ("mean", "sum", "none")
rng = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return rng.normal(size=shape)


def unit(*shape: int) -> Any:
    """Numbers between 0.05 and 0.95."""
    return rng.uniform(0.05, 0.95, size=shape)


def distribution(*shape: int) -> Any:
    """Positive numbers that sum to 1 along axis 1."""
    numbers = unit(*shape)
    return numbers / numbers.sum(1, keepdims=True)


def labels(*shape: int, classes: int = 4) -> Any:
    return rng.integers(0, classes, shape)


class Case(NamedTuple):
    """A loss, a pair of arguments, and options; arrays of floats are differentiated."""

    name: str
    input: Any
    target: Any
    options: dict[str, Any]

    def __str__(self) -> str:
        options = " ".join(f"{key}={'…' if np.ndim(value) else value}" for key, value in self.options.items())
        return f"{self.name} {np.shape(self.input)} {np.asarray(self.target).dtype} {options}".strip()


def product(name: str, input: Any, target: Any, **choices: list[Any]) -> Iterator[Case]:
    """A case for each combination of options and each reduction."""
    for values in itertools.product(*choices.values()):
        yield Case(name, input, target, dict(zip(choices, values, strict=True)))


def cases() -> Iterator[Case]:
    x, y = normal(5, 4), normal(5, 4)
    x[0], y[1] = y[0], x[1] + 1
    for name in ("mse_loss", "l1_loss"):
        yield from product(name, x, y)
        yield from product(name, normal(), normal())
    yield from product("huber_loss", x, y, delta=[0.3, 1.0, 2.0])
    yield from product("smooth_l1_loss", x, y, beta=[0.0, 0.3, 1.0, 2.0])

    each, by_class = unit(5, 4), unit(4)
    yield from product("binary_cross_entropy", unit(5, 4), unit(5, 4), weight=[None, each, by_class])
    yield from product(
        "binary_cross_entropy_with_logits",
        3 * normal(5, 4),
        unit(5, 4),
        weight=[None, each],
        pos_weight=[None, by_class],
    )
    yield from product("multilabel_soft_margin_loss", normal(5, 4), unit(5, 4), weight=[None, by_class])
    yield from product("kl_div", np.log(distribution(5, 4)), distribution(5, 4), log_target=[False])
    yield from product("kl_div", normal(5, 4), np.log(distribution(5, 4)), log_target=[True])

    for shape in ((4,), (5, 4), (3, 4, 2), (2, 4, 3, 2)):
        right = labels(*shape[:1], *shape[2:]) if len(shape) > 1 else np.array(2)
        some = np.where(rng.random(right.shape) < 0.3, -100, right) if right.ndim else right
        for target, ignored in ((right, [-100, 1]), (some, [-100])):
            weight = [None, by_class]
            yield from product("nll_loss", normal(*shape), target, weight=weight, ignore_index=ignored)
            yield from product(
                "cross_entropy",
                3 * normal(*shape),
                target,
                weight=weight,
                ignore_index=ignored,
                label_smoothing=[0.0, 0.3],
            )
        mixture = distribution(*shape) if len(shape) > 1 else distribution(1, 4)[0]
        yield from product(
            "cross_entropy", normal(*shape), mixture, weight=[None, by_class], label_smoothing=[0.0, 0.3]
        )
    for input, target in ((normal(5, 4), labels(5)), (normal(4), np.array(1))):
        yield from product("multi_margin_loss", input, target, p=[1, 2], margin=[1.0, 0.3], weight=[None, by_class])
    sets = np.array([[0, 2, -1, 1], [-1, 0, 0, 0], [3, 2, 1, 0], [1, 1, -1, -1], [2, -1, -1, -1]])
    yield from product("multilabel_margin_loss", normal(5, 4), sets)
    yield from product("multilabel_margin_loss", normal(4), sets[0])


def cast(value: Any, dtype: str) -> Any:
    return value.astype(dtype) if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f" else value


def ours(case: Case, dtype: str, function: Callable[..., Any], **options: Any) -> list[Any]:
    """The value, and the gradients of its sum, weighted, by input and target."""
    args = [
        Tensor(cast(arg, dtype), requires_grad=True) if np.asarray(arg).dtype.kind == "f" else arg
        for arg in (case.input, case.target)
    ]
    out = function(*args, **{key: cast(value, dtype) for key, value in options.items()})
    (out * np.cos(np.arange(out.size)).reshape(out.shape).astype(dtype)).sum().backward()
    return [out.numpy(), *(arg.grad for arg in args if isinstance(arg, Tensor))]


def theirs(case: Case, dtype: str, function: Callable[..., Any], **options: Any) -> list[Any]:
    args = [torch.tensor(cast(arg, dtype)) for arg in (case.input, case.target)]
    for arg in args:
        arg.requires_grad_(arg.dtype.is_floating_point)
    out = function(
        *args,
        **{
            key: torch.tensor(cast(value, dtype)) if isinstance(value, np.ndarray) else value
            for key, value in options.items()
        },
    )
    (out * torch.tensor(np.cos(np.arange(out.numel())).reshape(tuple(out.shape)).astype(dtype))).sum().backward()
    return [out.detach().numpy(), *(arg.grad.numpy() for arg in args if arg.requires_grad)]


def assert_close(found: list[Any], expected: list[Any], tolerance: float) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * max(1, np.abs(other).max(initial=0)))


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_agrees(case: Case, dtype: str) -> None:
    for reduction in (*REDUCTIONS, "batchmean") if case.name == "kl_div" else REDUCTIONS:
        options = {**case.options, "reduction": reduction}
        expected = theirs(case, dtype, getattr(torch.nn.functional, case.name), **options)
        assert_close(ours(case, dtype, getattr(F, case.name), **options), expected, TOLERANCES[dtype])


MODULES = {
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "huber_loss": "HuberLoss",
    "smooth_l1_loss": "SmoothL1Loss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
    "kl_div": "KLDivLoss",
    "nll_loss": "NLLLoss",
    "cross_entropy": "CrossEntropyLoss",
    "multi_margin_loss": "MultiMarginLoss",
    "multilabel_margin_loss": "MultiLabelMarginLoss",
}


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("name", MODULES)
def test_modules_have_the_same_options(name: str) -> None:
    case = [case for case in cases() if case.name == name][-1]
    own, other = (
        getattr(package, MODULES[name])(
            **{key: convert(value) if np.ndim(value) else value for key, value in case.options.items()}
        )
        for package, convert in ((nn, np.asarray), (torch.nn, torch.tensor))
    )
    assert set(own.state_dict()) == set(other.state_dict())
    assert_close(ours(case, "float64", own), theirs(case, "float64", other), 1e-12)


# Where PyTorch decides otherwise


def test_saturated_probabilities() -> None:
    """Values agree. PyTorch divides by at least 1e-12, which is neither the slope of log p nor of its clamped form."""
    p, y = np.array([0.0, 1.0, 0.0, 1.0, 1e-20]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    case = Case("binary_cross_entropy", p, y, {})
    found = ours(case, "float64", F.binary_cross_entropy, reduction="none")
    expected = theirs(case, "float64", torch.nn.functional.binary_cross_entropy, reduction="none")
    np.testing.assert_allclose(found[0], expected[0])
    weights = np.cos(np.arange(5))
    np.testing.assert_allclose(found[1] / weights, [1, -1, 0, 0, -1e20])
    np.testing.assert_allclose(expected[1] / weights, [0, 0, -1e12, 1e12, -1e12])


def test_a_probability_of_zero_in_kl_div() -> None:
    y = torch.tensor([0.0, 1.0], requires_grad=True)
    torch.nn.functional.kl_div(torch.tensor([-1.0, 0.0]), y, reduction="sum").backward()
    assert torch.isnan(y.grad).tolist() == [True, False]
    own = Tensor([0.0, 1.0], requires_grad=True)
    F.kl_div(np.array([-1.0, 0.0]), own, reduction="sum").backward()
    assert own.grad.tolist() == [0, 1]


def test_means_of_nothing() -> None:
    """PyTorch's are NaN, and shapes that do not fit broadcast with a warning; ours are errors."""
    assert torch.isnan(torch.nn.functional.cross_entropy(torch.zeros(1, 3), torch.tensor([-100])))
    with pytest.raises(nn.DataError):
        F.cross_entropy(np.zeros((1, 3)), [-100])
    with pytest.warns(UserWarning, match="broadcasting"):
        assert torch.nn.functional.mse_loss(torch.zeros(3, 1), torch.ones(3), reduction="none").shape == (3, 3)
