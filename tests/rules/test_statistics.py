"""Statistics: numbers worked out by hand, constants, ties, NaN, arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import NotDifferentiableError, ShapeError
from tests.rules.test_reductions import gradient

NAN = np.nan


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (lambda t: t.var(), [1, 2, 3], [-2 / 3, 0, 2 / 3]),
        (lambda t: t.var(ddof=1), [1, 2, 3], [-1, 0, 1]),
        (lambda t: np.var(t, correction=1), [1, 2, 3], [-1, 0, 1]),
        (lambda t: np.var(t, mean=0), [1, 2, 3], [2 / 3, 4 / 3, 2]),
        (lambda t: np.var(t, where=[True, False, True]), [1, NAN, 3], [-1, 0, 1]),
        (lambda t: t.std(ddof=1), [1, 2, 3], [-0.5, 0, 0.5]),
        (np.nanvar, [1, NAN, 3], [-1, 0, 1]),
        (np.nanstd, [1, NAN, 3], [-0.5, 0, 0.5]),
        (np.median, [3, 1, 2], [0, 0, 1]),
        (np.median, [4, 1, 2, 3], [0, 0, 0.5, 0.5]),
        (np.nanmedian, [4, NAN, 1, 2], [0, 0, 0, 1]),
        (lambda t: np.quantile(t, 0.25), [5, 1, 3], [0, 0.5, 0.5]),
        (lambda t: np.quantile(t, 0), [5, 1, 3], [0, 1, 0]),
        (lambda t: np.quantile(t, [0, 1]), [5, 1, 3], [1, 1, 0]),
        (lambda t: np.percentile(t, 30, method="higher"), [5, 1, 3], [0, 0, 1]),
        (lambda t: np.percentile(t, 30, method="midpoint"), [5, 1, 3], [0, 0.5, 0.5]),
        (lambda t: np.nanpercentile(t, 100), [5, NAN, 3], [1, 0, 0]),
        (lambda t: np.nanquantile(t, 0.5, axis=1).sum(), [[1, NAN, 3], [2, 4, 9]], [[0.5, 0, 0.5], [0, 1, 0]]),
        (lambda t: np.average(t, weights=[1, 3]), [1, 2], [0.25, 0.75]),
        (lambda t: np.average([1, 5], weights=t), [1, 3], [-3 / 4, 1 / 4]),
        (lambda t: np.cov(t), [1, 2, 3], [-1, 0, 1]),
        (lambda t: np.cov(t, [1, 0, 2])[0, 1], [1, 2, 3], [0, -0.5, 0.5]),
        (lambda t: np.corrcoef(t, [0, 2])[0, 1], [1, 3], [0, 0]),
    ],
)
def test_by_hand(function: Callable[[Any], Any], x: Any, expected: Any) -> None:
    np.testing.assert_allclose(gradient(function, x), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("x", [[2.0, 2.0, 2.0], [0.1, 0.1, 0.1], [0.0], [-1e300, -1e300]])
@pytest.mark.parametrize("function", [np.std, np.nanstd])
def test_12_the_deviation_of_constants_has_gradient_zero(function: Callable[[Any], Any], x: Any) -> None:
    np.testing.assert_allclose(gradient(function, x), np.zeros(len(x)), atol=1e-15)


def test_12_a_constant_among_others() -> None:
    got = gradient(lambda t: t.std(axis=1), [[2, 2], [1, 3]])
    np.testing.assert_array_equal(got, [[0, 0], [-0.5, 0.5]])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([2, 1, 2], [0.5, 0, 0.5]),
        ([2, 2, 2], [1 / 3, 1 / 3, 1 / 3]),
        ([1, 2, 2, 3], [0, 0.5, 0.5, 0]),
        ([1, 1, 2, 3], [0.25, 0.25, 0.5, 0]),
    ],
)
def test_11_ties_share_evenly(x: Any, expected: Any) -> None:
    np.testing.assert_allclose(gradient(np.median, x), expected, rtol=1e-14)


@pytest.mark.parametrize("function", [np.median, np.var, np.std, lambda t, axis: np.quantile(t, 0.3, axis)])
def test_16_nan_in_nan_out(function: Callable[..., Any]) -> None:
    got = gradient(lambda t: function(t, axis=1), [[NAN, 1.0], [3.0, 2.0]])
    assert np.isnan(got[0]).any()
    assert np.isfinite(got[1]).all()


def test_degrees_of_freedom_that_are_used_up_warn_as_numpys() -> None:
    t = Tensor([1.0], requires_grad=True)
    with pytest.warns(RuntimeWarning):
        y = t.var(ddof=1)
    assert np.isnan(y.data)


def test_average_returns_the_sum_of_the_weights() -> None:
    x, w = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), Tensor([1.0, 3.0], requires_grad=True)
    mean, whole = np.average(x, axis=1, weights=w, returned=True)
    np.testing.assert_array_equal(mean.data, [1.75, 3.75])
    np.testing.assert_array_equal(whole.data, [4, 4])
    whole.backward(np.ones(2))
    np.testing.assert_array_equal(w.grad, [2, 2])


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda t: np.average(t, weights=[1, 2, 3]),
            TypeError,
            "average() of an array of shape (2, 3) with weights of shape (3,) needs to know what they weigh; "
            "give it axis=, or weights of the array's shape",
        ),
        (
            lambda t: np.average(t, axis=0, weights=[1, 2, 3]),
            ShapeError,
            "average() of an array of shape (2, 3) over axis 0 takes weights of shape (2, 3) or (2,), not (3,)",
        ),
        (
            lambda t: np.average(t, axis=0, weights=[1, -1]),
            ZeroDivisionError,
            "average() with weights that sum to zero, so that they cannot be normalized",
        ),
        (
            lambda t: np.quantile(t, 0.5, method="inverted_cdf", weights=np.ones(6)),
            NotDifferentiableError,
            "quantile() of a Tensor takes no weights=; "
            "take the quantile of np.repeat(t, counts) for weights that are counts",
        ),
        (
            lambda t: np.cov(t[None]),
            ShapeError,
            "cov() takes m with at most 2 axes, not of shape (1, 2, 3)",
        ),
    ],
)
def test_39_errors(call: Callable[[Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call(Tensor(np.ones((2, 3)), requires_grad=True))
    assert str(caught.value) == message


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("function", [np.median, np.nanmedian])
def test_a_median_of_nothing_has_an_empty_gradient(function: Callable[[Any], Any]) -> None:
    t = Tensor(np.zeros((2, 0)), requires_grad=True)
    np.sum(function(t)).backward()
    assert t.grad.shape == (2, 0)


@pytest.mark.parametrize("function", [np.nanvar, np.nanstd])
def test_too_few_numbers_have_no_variance(function: Callable[..., Any]) -> None:
    x = np.array([[1.0, NAN, NAN], [1.0, 3.0, 5.0]])
    for options in ({"ddof": 1}, {"correction": 2, "keepdims": True}, {"ddof": 5}):
        with pytest.warns(RuntimeWarning) as caught:
            expected = function(x, axis=1, **options)
        t = Tensor(x, requires_grad=True)
        with pytest.warns(RuntimeWarning) as warned:
            out = function(t, axis=1, **options)
        assert [str(one.message) for one in warned] == [str(one.message) for one in caught]
        np.testing.assert_array_equal(out.data, expected)
        out[1].sum().backward()
        assert not np.any(t.grad[0])


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64, np.float16, np.float32])
@pytest.mark.parametrize("weights", [[1, 2, 3], np.array([1, 2, 3], np.int8), np.array([1, 2, 3], np.float32)])
def test_averages_have_the_dtypes_of_numpys(dtype: Any, weights: Any) -> None:
    x = np.array([1, 0, 1], dtype)
    expected = np.average(x, weights=weights, returned=True)
    found = np.average(Tensor(x), weights=weights, returned=True)
    assert [part.dtype for part in found] == [part.dtype for part in expected]
    np.testing.assert_allclose([float(part) for part in found], expected)


@pytest.mark.parametrize("ddof", [np.int64(1), np.array(1), 1.0])
def test_degrees_of_freedom_leave_the_dtype_as_it_is(ddof: Any) -> None:
    assert np.var(Tensor(np.ones((2, 3), np.float32)), axis=0, ddof=ddof).dtype == np.float32


@pytest.mark.parametrize("axis", [[0], np.array([0]), (0,), 0])
def test_axes_of_averages_may_be_lists(axis: Any) -> None:
    np.testing.assert_array_equal(np.average(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=axis).data, [2.0, 3.0])
