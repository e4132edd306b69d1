"""What the tests of several lectures write alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

Array = Any


def assert_close(actual: Any, expected: Any, rtol: float = 1e-12, atol: float = 1e-15) -> None:
    """Assert that two arrays have the same shape and numbers."""
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol, atol)


def parameter(value: Any, name: str | None = None) -> Tensor:
    return Tensor(value, requires_grad=True, name=name)


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def σ(z: Array) -> Array:
    """The sigmoid, by hand."""
    return 1 / (1 + np.exp(-z))
