"""How calls are recorded: numbers beside arrays, several outputs, calls that have a name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Tensor, batch_norm, named_call
from autograd.recording import array_of


def leaf(value: Any, **options: Any) -> Tensor:
    return Tensor(value, requires_grad=True, **options)


@pytest.mark.parametrize("number", [2.0, -0.5, 0.0, -0.0, float("inf"), float("nan"), 3, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_number_beside_an_array_computes_what_numpy_computes(number: float, dtype: Any) -> None:
    """Value, sign of zero and dtype, whichever side the number is on."""
    x = np.array([1.5, -2.0, 0.0, -0.0], dtype)
    t = leaf(x)
    with np.errstate(all="ignore"):
        for plain, recorded in (
            (x + number, t + number),
            (number + x, number + t),
            (x - number, t - number),
            (number - x, number - t),
            (x * number, t * number),
            (number * x, number * t),
            (x / number, t / number),
            (number / x, number / t),
        ):
            np.testing.assert_array_equal(recorded.data, plain)
            np.testing.assert_array_equal(np.signbit(recorded.data), np.signbit(plain))
            assert recorded.dtype == plain.dtype


def test_the_array_of_a_number_cannot_be_changed() -> None:
    t = leaf(np.ones(3)) * 2.5
    constant = t.node.args[1]
    assert constant is array_of(2.5)
    with pytest.raises(ValueError, match="read-only"):
        constant[...] = 1


def test_an_output_that_nothing_depends_on_costs_nothing() -> None:
    """By hand: the variance of 1, 3 is 1, and its derivative 2 (x - 2) / 2."""
    x = leaf([[1.0], [3.0]])
    _, _, variance = batch_norm(x)
    variance.sum().backward()
    np.testing.assert_allclose(x.grad, [[-1.0], [1.0]])


def test_a_named_call_is_noted_on_what_it_made() -> None:
    x = leaf(1.0)
    y = named_call("block", lambda: np.exp(x))
    assert [name for name, _ in y.node.recall("calls")] == ["block"]
    assert named_call("nothing", lambda: x) is x
    assert x.node.recall("calls") is None  # it was there before
    assert named_call("plain", lambda a, b=0: a + b, 1, b=2) == 3
