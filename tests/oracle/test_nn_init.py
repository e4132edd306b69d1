"""Initializers have PyTorch's fans, gains, bounds and moments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nn import Parameter, init

torch = pytest.importorskip("torch")
theirs = torch.nn.init
SHAPE = (300, 200)
SCALED: dict[str, dict[str, Any]] = {
    "uniform_": {"a": -0.25, "b": 0.5},
    "normal_": {"mean": 0.5, "std": 2.0},
    "trunc_normal_": {"mean": 0.1, "std": 0.5, "a": -0.2, "b": 1.0},
    "xavier_uniform_": {"gain": 5 / 3},
    "xavier_normal_": {"gain": 5 / 3},
    "kaiming_uniform_": {"a": 0.2, "mode": "fan_out"},
    "kaiming_normal_": {"nonlinearity": "relu"},
    "orthogonal_": {"gain": 3.0},
    "sparse_": {"sparsity": 0.123, "std": 0.5},
}


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (6, 1, 2, 7), (2, 3, 1, 2, 3)])
def test_fans(shape: tuple[int, ...]) -> None:
    assert init.calculate_fan_in_and_fan_out(np.zeros(shape)) == theirs._calculate_fan_in_and_fan_out(
        torch.zeros(shape)
    )


def test_gains() -> None:
    for name in (*init.GAINS, "leaky_relu"):
        assert init.calculate_gain(name) == theirs.calculate_gain(name)
    for slope in (0, 0.2, 1):
        assert init.calculate_gain("leaky_relu", slope) == theirs.calculate_gain("leaky_relu", slope)


def drawn(name: str, shape: tuple[int, ...], dtype: str, **options: Any) -> tuple[Any, Any]:
    """Our values and PyTorch's, as float64."""
    ours = getattr(init, name)(Parameter(np.zeros(shape), dtype=dtype), rng=np.random.default_rng(0), **options)
    generator = torch.Generator().manual_seed(0)
    other = getattr(theirs, name)(torch.empty(shape, dtype=getattr(torch, dtype)), generator=generator, **options)
    assert ours.dtype == dtype
    return ours.data.astype(float), other.numpy().astype(float)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SCALED)
def test_moments(name: str, dtype: str) -> None:
    """60,000 values each: means differ by .6 % of the standard deviation, typically, its estimates by .4 %."""
    for options in ({"sparsity": 0.5} if name == "sparse_" else {}, SCALED[name]):
        ours, other = drawn(name, SHAPE, dtype, **options)
        assert abs(ours.mean() - other.mean()) < 0.025 * other.std()
        assert abs(ours.std() / other.std() - 1) < 0.015
        assert np.count_nonzero(ours) == np.count_nonzero(other)


@pytest.mark.parametrize("name", ["uniform_", "xavier_uniform_", "kaiming_uniform_", "trunc_normal_"])
@pytest.mark.parametrize("shape", [SHAPE, (50, 40, 5, 6)])
def test_bounds(name: str, shape: tuple[int, ...]) -> None:
    for options in ({}, SCALED[name]):
        ours, other = drawn(name, shape, "float64", **options)
        assert math.isclose(ours.max(), other.max(), rel_tol=2e-3)
        assert math.isclose(ours.min(), other.min(), rel_tol=2e-3, abs_tol=1e-3)


@pytest.mark.parametrize("name", ["zeros_", "ones_", "eye_"])
def test_constants(name: str) -> None:
    ours = getattr(init, name)(Parameter(np.full((3, 4), np.nan)))
    np.testing.assert_array_equal(ours.data, getattr(theirs, name)(torch.empty(3, 4)).numpy())


@pytest.mark.parametrize(("shape", "groups"), [((4, 3, 3), 1), ((4, 3, 2, 5), 2), ((6, 1, 1, 2, 3), 3), ((2, 5, 4), 1)])
def test_dirac(shape: tuple[int, ...], groups: int) -> None:
    ours = init.dirac_(Parameter(np.full(shape, np.nan)), groups)
    np.testing.assert_array_equal(ours.data, theirs.dirac_(torch.empty(shape), groups).numpy())
