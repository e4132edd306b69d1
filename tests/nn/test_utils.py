"""What is done to all parameters alike: clipping of gradients, and values as one vector."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import AnomalyError, ShapeError
from nn import utils
from nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters
from tests.nn.test_optim import leaf, raises, with_gradient

# Clipping


def test_a_long_gradient_is_shortened_and_a_short_one_is_not() -> None:
    a, b, idle = with_gradient([3.0, 0.0], dtype=np.float32), with_gradient(4.0, 0.0), leaf()
    own = a.grad
    assert clip_grad_norm_([a, b, idle], 10.0) == 5.0
    assert (list(a.grad), b.grad) == ([3.0, 0.0], 4.0)
    assert clip_grad_norm_(iter([a, b, idle]), 1.0) == 5.0
    assert a.grad is own
    assert a.grad.dtype == np.float32
    np.testing.assert_allclose(a.grad, [0.6, 0.0], rtol=1e-6)
    np.testing.assert_allclose(b.grad, 0.8, rtol=1e-6)
    assert idle.grad is None
    clip_grad_norm_(b, 0.0)
    assert b.grad == 0


@pytest.mark.parametrize(
    ("p", "expected"), [(1, 7.0), (2.0, 5.0), (3, 91 ** (1 / 3)), (math.inf, 4.0), ("inf", 4.0), ("2", 5.0)]
)
def test_norms(p: float | str, expected: float) -> None:
    params = [with_gradient([3.0, 0.0]), with_gradient(-4.0, 1.0)]
    assert clip_grad_norm_(params, 1.0, norm_type=p) == pytest.approx(expected, rel=1e-15)
    assert sum(abs(q.grad).sum() for q in params) == pytest.approx(7 / expected, rel=1e-5)


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0, 2.0), (0.5, (math.sqrt(3) + math.sqrt(1) + 2) ** 2), (-1, 0.0), (-math.inf, 0.0), ("-inf", 0.0)],
)
def test_orders_that_are_no_norms(p: float | str, expected: float) -> None:
    params = [with_gradient([3.0, 1.0]), with_gradient(-4.0, 1.0)]
    if expected == 0:
        params.append(with_gradient([0.0, 5.0]))
    assert clip_grad_norm_(params, 1.0, norm_type=p) == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(params[0].grad, np.array([3.0, 1.0]) / (expected or 1), rtol=1e-5)


def test_a_parameter_that_is_given_twice_counts_once() -> None:
    w = with_gradient([3.0, 4.0])
    assert clip_grad_norm_([w, w], 1.0) == 5.0
    np.testing.assert_allclose(w.grad, [0.6, 0.8], rtol=1e-6)


def test_an_empty_list_is_fine() -> None:
    assert clip_grad_norm_([], 1.0) == 0.0
    assert clip_grad_norm_([leaf(), with_gradient(np.zeros(0), np.zeros(0))], 1.0, norm_type=math.inf) == 0.0
    clip_grad_value_([], 1.0)


def test_a_norm_that_overflows_float32_is_finite() -> None:
    w = with_gradient([3e30, 4e30], dtype=np.float32)
    assert clip_grad_norm_([w], 1.0) == pytest.approx(5e30, rel=1e-6)
    np.testing.assert_allclose(w.grad, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_norm_that_is_not_finite_is_an_error_unless_told_otherwise(wrong: float) -> None:
    good, bad, worse = with_gradient([3.0, 4.0]), with_gradient([1.0, wrong], name="bad"), with_gradient(wrong, 0.0)
    message = (
        f"clip_grad_norm_: the norm of the gradients is {abs(wrong)}, see that of Tensor(float64 (2,) 'bad') and 1 "
        "more; no gradient was changed. Skip this step, lower the learning rate, or look for the cause with "
        "autograd.detect_anomaly()"
    )
    with raises(AnomalyError, message):
        clip_grad_norm_([good, bad, worse], 1.0)
    with pytest.raises(RuntimeError, match=re.escape("'bad'); no gradient")):
        clip_grad_norm_([good, bad], 1.0)
    np.testing.assert_array_equal([good.grad, bad.grad], [[3.0, 4.0], [1.0, wrong]])
    total = clip_grad_norm_([good, bad], 1.0, error_if_nonfinite=False)
    assert not math.isfinite(total)
    expected = [math.nan, math.nan] if math.isnan(wrong) else [0.0, 0.0]
    np.testing.assert_array_equal(good.grad, expected)
    assert math.isnan(bad.grad[1])


def test_values_are_clipped() -> None:
    a, b, idle = with_gradient([3.0, -0.5], dtype=np.float32), with_gradient(-4.0, 0.0), leaf()
    own = a.grad
    clip_grad_value_([a, b, idle], 1.0)
    assert a.grad is own
    assert (list(a.grad), b.grad) == ([1.0, -0.5], -1.0)


def test_names() -> None:
    assert nn.optim.clip_grad_norm_ is nn.optim.clip_grad_norm is utils.clip_grad_norm is clip_grad_norm_
    assert nn.optim.clip_grad_value_ is nn.optim.clip_grad_value is utils.clip_grad_value is clip_grad_value_


@pytest.mark.parametrize(
    ("clip", "kind", "message"),
    [
        (
            lambda: clip_grad_norm_([leaf()], -1.0),
            ValueError,
            "clip_grad_norm_: max_norm must not be negative, got -1.0",
        ),
        (
            lambda: clip_grad_norm_([leaf()], math.nan),
            ValueError,
            "clip_grad_norm_: max_norm must not be negative, got nan",
        ),
        (
            lambda: clip_grad_norm_([leaf()], 1.0, math.nan),
            ValueError,
            "clip_grad_norm_: norm_type must be a number or infinity, got nan",
        ),
        (
            lambda: clip_grad_value_([leaf()], -1),
            ValueError,
            "clip_grad_value_: clip_value must not be negative, got -1",
        ),
        (
            lambda: clip_grad_norm_([np.zeros(2)], 1.0),  # type: ignore[list-item]
            TypeError,
            "clip_grad_norm_: a parameter is a Tensor, got array(float64 (2,))",
        ),
    ],
)
def test_clipping_that_makes_no_sense(clip: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with raises(kind, message):
        clip()


# One vector


def test_parameters_as_one_vector_and_back() -> None:
    params = [leaf([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32), leaf(5.0), leaf(np.zeros(0))]
    vector = parameters_to_vector(iter(params))
    assert vector.data.tolist() == [1, 2, 3, 4, 5]
    (vector**2).sum().backward()
    assert params[0].grad.tolist() == [[2, 4], [6, 8]]
    vector_to_parameters(-vector, iter(params))
    assert (params[0].data.tolist(), params[1].data) == ([[-1, -2], [-3, -4]], -5)
    assert params[0].dtype == np.float32


@pytest.mark.parametrize("vector", [np.zeros(3), np.zeros(5), np.zeros((2, 2))])
def test_a_vector_of_another_length_changes_nothing(vector: Any) -> None:
    params = [leaf(), leaf()]
    message = (
        f"vector_to_parameters: parameters of 4 numbers need a vector of that many, got array(float64 {vector.shape})"
    )
    with raises(ShapeError, message):
        vector_to_parameters(vector, params)
    assert params[0].data.tolist() == [1, 2]
