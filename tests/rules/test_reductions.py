"""Reductions: numbers worked out by hand, ties, zeros, NaN, nothing to reduce, arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import DtypeError, NotDifferentiableError, OutOfRangeError, ShapeError
from autograd.rules.reductions import spread

INF, NAN = np.inf, np.nan


def gradient(function: Callable[[Any], Any], x: Any, seed: Any = None, dtype: Any = float) -> Any:
    """The gradient of a function at x, for upstream ones unless told otherwise."""
    t = Tensor(x, requires_grad=True, dtype=dtype)
    y = function(t)
    y.backward(np.ones_like(y.data) if seed is None else np.asarray(seed, dtype=y.dtype))
    return t.grad


def hessian(function: Callable[[Any], Any], x: Any) -> Any:
    """The second derivatives of a scalar function, by differentiating the recorded gradient element by element."""
    t = Tensor(x, requires_grad=True)
    function(t).backward(create_graph=True)
    first, rows = t.grad, []
    for i in range(len(x)):
        t.grad = None
        first[i].backward(retain_graph=True)
        rows.append(t.grad)
    return np.array(rows)


@pytest.mark.parametrize(
    ("function", "x", "seed", "expected"),
    [
        (lambda t: t.sum(), [1, 2, 3], None, [1, 1, 1]),
        (lambda t: t.sum(0), [[1, 2], [3, 4]], [5, 7], [[5, 7], [5, 7]]),
        (lambda t: t.sum(axis=-1), [[1, 2], [3, 4]], [5, 7], [[5, 5], [7, 7]]),
        (lambda t: t.sum(axis=(0, 1), keepdims=True), [[1, 2], [3, 4]], [[5]], [[5, 5], [5, 5]]),
        (lambda t: t.mean(), [1, 2, 3, 4], None, [0.25, 0.25, 0.25, 0.25]),
        (lambda t: t.mean(axis=0), [[1, 2], [3, 4]], [5, 7], [[2.5, 3.5], [2.5, 3.5]]),
        (lambda t: t.prod(), [2, 3, 4], None, [12, 8, 6]),
        (lambda t: t.prod(axis=0, keepdims=True), [[2, 3], [4, 5]], [[1, 10]], [[4, 50], [2, 30]]),
        (lambda t: t.max(axis=-1), [[1, 4, 2], [5, 0, 1]], [1, 10], [[0, 1, 0], [10, 0, 0]]),
        (lambda t: t.min(), [3, 1, 2], 2, [0, 2, 0]),
        (lambda t: t.ptp(), [3, 1, 2], 2, [2, -2, 0]),
        (lambda t: np.sum(t, where=[True, False, True]), [1, NAN, 3], None, [1, 0, 1]),
        (lambda t: np.mean(t, where=np.array([True, False, True])), [1, NAN, 3], None, [0.5, 0, 0.5]),
        (lambda t: np.prod(t, where=[True, False, True], initial=10), [2, NAN, 3], None, [30, 0, 20]),
        (lambda t: np.max(t, where=[True, False, True], initial=-1), [2, 9, 1], None, [1, 0, 0]),
        (lambda t: np.add.reduce(t), [[1, 2], [3, 4]], [5, 7], [[5, 7], [5, 7]]),
        (lambda t: np.add.reduce(t, None), [[1, 2], [3, 4]], 5, [[5, 5], [5, 5]]),
        (lambda t: np.add.reduce(t, 1, None, None, True), [[1, 2], [3, 4]], [[5], [7]], [[5, 5], [7, 7]]),
        (lambda t: np.multiply.reduce(t), [[2, 3], [4, 5]], [1, 10], [[4, 50], [2, 30]]),
        (lambda t: np.logaddexp.reduce(t), [0, 0, 0, 0], None, [0.25, 0.25, 0.25, 0.25]),
        (lambda t: np.add.reduceat(t, [0, 2, 1]), [1, 2, 3, 4], [1, 10, 100], [1, 101, 110, 100]),
        (lambda t: np.multiply.outer(t, [3, 5]), [1, 2], [[1, 10], [1, 10]], [53, 53]),
    ],
)
def test_by_hand(function: Callable[[Any], Any], x: Any, seed: Any, expected: Any) -> None:
    np.testing.assert_allclose(gradient(function, x, seed), expected, rtol=1e-14)


def test_outer_differentiates_both() -> None:
    x, y = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0, 5.0], requires_grad=True)
    np.subtract.outer(x, y).backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    np.testing.assert_array_equal(x.grad, [6, 15])
    np.testing.assert_array_equal(y.grad, [-5, -7, -9])


def test_initial_of_a_sum_has_a_gradient() -> None:
    x, start = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), Tensor(10.0, requires_grad=True)
    np.sum(x, axis=0, initial=start).backward(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(x.grad, [[1, 2], [1, 2]])
    assert start.grad == 3


def test_the_gradient_of_a_sum_is_a_view() -> None:
    assert spread(np.float64(2), (1000, 1000), None, False, True).strides == (0, 0)
    assert spread(np.ones(1000), (1000, 1000), 1, False, True).strides == (8, 0)


def test_the_gradient_of_a_sum_belongs_to_its_leaf() -> None:
    t = Tensor([1.0, 2.0], requires_grad=True)
    t.sum().backward()
    t.grad[0] = 5
    np.testing.assert_array_equal(t.grad, [5, 1])


# Extremes


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (np.max, [1, 3, 3], [0, 0.5, 0.5]),
        (np.amax, [2, 2, 2, 2], [0.25, 0.25, 0.25, 0.25]),
        (np.min, [1, 3, 1], [0.5, 0, 0.5]),
        (np.amin, [[1, 1], [1, 1]], [[0.25, 0.25], [0.25, 0.25]]),
        (np.maximum.reduce, [1, 3, 3], [0, 0.5, 0.5]),
        (np.minimum.reduce, [0, 3, 0], [0.5, 0, 0.5]),
        (np.nanmax, [NAN, 3, 3], [0, 0.5, 0.5]),
        (np.nanmin, [1, NAN, 1], [0.5, 0, 0.5]),
        (np.max, [INF, 1, INF], [0.5, 0, 0.5]),
        (np.max, [-INF, -INF], [0.5, 0.5]),
        (np.ptp, [1, 3, 3, 1], [-0.5, 0.5, 0.5, -0.5]),
        (np.ptp, [2, 2], [0, 0]),
    ],
)
def test_11_ties_share_evenly(function: Callable[[Any], Any], x: Any, expected: Any) -> None:
    np.testing.assert_array_equal(gradient(function, x), expected)


def test_11_ties_along_an_axis() -> None:
    t = [[1, 2, 2], [3, 3, 3]]
    np.testing.assert_allclose(gradient(lambda t: t.max(axis=1), t, [1, 3]), [[0, 0.5, 0.5], [1, 1, 1]])
    np.testing.assert_allclose(gradient(lambda t: t.max(axis=(0, 1)), t, 3), [[0, 0, 0], [1, 1, 1]])


def test_11_ties_are_counted_in_integers() -> None:
    """A count of 3000 is no float16, and a count of 70000 overflows."""
    shares = gradient(np.max, np.ones(3000), dtype=np.float16)
    assert shares.dtype == np.float16
    np.testing.assert_array_equal(shares, np.float16(1 / 3000))
    np.testing.assert_array_equal(gradient(np.max, np.ones(70000), dtype=np.float16), np.float16(1 / 70000))


def test_initial_takes_part_in_a_tie() -> None:
    np.testing.assert_array_equal(gradient(lambda t: np.max(t, initial=5), [1, 2]), [0, 0])
    np.testing.assert_array_equal(gradient(lambda t: np.max(t, initial=2), [1, 2]), [0, 0.5])
    np.testing.assert_array_equal(gradient(lambda t: np.min(t, initial=2), [3, 2, 2]), [0, 1 / 3, 1 / 3])


# Products


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([2, 0, 3], [0, 6, 0]),
        ([0, 5, 0], [0, 0, 0]),
        ([0], [1]),
        ([1e-200, 1e-200, 1e200], [1, 1, 0]),
        ([2, NAN, 3], [NAN, 6, NAN]),
    ],
)
def test_14_the_product_of_the_others(x: Any, expected: Any) -> None:
    np.testing.assert_allclose(gradient(np.prod, x), expected, rtol=1e-14)


def test_14_second_derivatives_of_a_product_with_zeros() -> None:
    np.testing.assert_array_equal(hessian(np.prod, [2.0, 0.0, 3.0]), [[0, 3, 0], [3, 0, 2], [0, 2, 0]])
    np.testing.assert_array_equal(hessian(np.prod, [0.0, 0.0, 7.0]), [[0, 7, 0], [7, 0, 0], [0, 0, 0]])


# NaN and infinities


@pytest.mark.parametrize("function", [np.max, np.min, np.ptp, np.nanmax])
def test_16_nan_in_nan_out(function: Callable[[Any], Any]) -> None:
    x = [[NAN, NAN], [1.0, 2.0]]
    with np.errstate(invalid="ignore"):
        if function is np.nanmax:
            with pytest.warns(RuntimeWarning, match="All-NaN slice encountered"):
                got = gradient(lambda t: function(t, axis=1), x)
        else:
            got = gradient(lambda t: function(t, axis=1), x)
    assert np.isnan(got[0]).all()
    assert np.isfinite(got[1]).all()


@pytest.mark.parametrize(
    ("function", "expected"),
    [(np.nansum, [1, 0, 1]), (np.nanmean, [0.5, 0, 0.5]), (np.nanprod, [3, 0, 2]), (np.nanmax, [0, 0, 1])],
)
def test_nan_is_passed_over(function: Callable[[Any], Any], expected: Any) -> None:
    np.testing.assert_array_equal(gradient(function, [2, NAN, 3]), expected)


def test_15_logaddexp_reduce_at_infinity_and_far_away() -> None:
    t = Tensor([-INF, -INF], requires_grad=True)
    y = np.logaddexp.reduce(t)
    y.backward()
    assert y.data == -INF
    np.testing.assert_array_equal(t.grad, [0, 0])
    np.testing.assert_allclose(gradient(np.logaddexp.reduce, [1000, -1000, 1000]), [0.5, 0, 0.5], rtol=1e-12)


# Nothing to reduce, dtypes


def test_7_empty_reductions() -> None:
    t = Tensor(np.zeros((0, 3)), requires_grad=True)
    assert t.sum().data == 0
    assert t.prod().data == 1
    np.testing.assert_array_equal(t.sum(axis=0).data, [0, 0, 0])
    t.sum(axis=0).backward(np.ones(3))
    t.prod(axis=0).backward(np.ones(3))
    assert t.grad.shape == (0, 3)
    with pytest.raises(ShapeError) as caught:
        t.max()
    assert str(caught.value) == (
        "max(Tensor(float64 (0, 3))): zero-size array to reduction operation maximum "
        "which has no identity; reshape, transpose or index the operands so that they fit"
    )


def test_the_mean_of_nothing_warns_once() -> None:
    """As NumPy does: when it is computed, not when it is differentiated."""
    t = Tensor(np.zeros(0), requires_grad=True)
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"), np.errstate(invalid="ignore"):
        y = t.mean()
    y.backward()
    assert np.isnan(y.data)
    assert t.grad.shape == (0,)


@pytest.mark.parametrize("function", [np.sum, np.mean])
def test_4_float16_gradients_are_summed_in_float32(function: Callable[[Any], Any]) -> None:
    """In float16 a sum of ones stops at 2048."""
    w = Tensor(np.float16(1), requires_grad=True)
    scale = np.float16(1) if function is np.sum else np.float16(5000)
    (function(np.broadcast_to(w, (5000,))) * scale).backward()
    assert w.grad.dtype == np.float16
    assert w.grad == 5000


def test_integers_reduce_without_gradient() -> None:
    t = Tensor([[1, 2], [3, 4]])
    assert t.sum().data == 10
    assert t.mean(axis=0).data.tolist() == [2, 3]
    assert t.max().dtype == np.int64
    assert not t.prod().requires_grad


# Arguments


def test_out_is_refused() -> None:
    t = Tensor([1.0, 2.0], requires_grad=True)
    for name in ("sum", "mean", "prod", "max", "min", "ptp", "nanmax", "cumsum", "cumprod", "var", "median"):
        with pytest.raises(NotDifferentiableError) as caught:
            getattr(np, name)(t, out=np.zeros(2 if name.startswith("cum") else ()))
        assert str(caught.value) == (
            f"{name}() of a Tensor takes no out=: writing its result into an array would lose the graph; "
            "use the tensor that it returns, or give it t.detach().numpy()"
        )
        assert getattr(np, name)(t, out=None).requires_grad


def test_out_is_refused_by_methods_of_ufuncs() -> None:
    with pytest.raises(NotDifferentiableError, match=r"^np\.add with out=: "):
        np.add.reduce(Tensor([1.0], requires_grad=True), out=np.zeros(()))


def test_positional_arguments_are_numpys() -> None:
    x = np.arange(6.0).reshape(2, 3)
    t = Tensor(x, requires_grad=True)
    assert np.sum(t, 1, np.float32).dtype == np.float32
    assert np.sum(t, 1, None, None, True).shape == (2, 1)
    assert t.mean(1, None, None, True).shape == (2, 1)
    assert t.max(1, None, True).shape == (2, 1)
    np.testing.assert_array_equal(np.max(t, 1, None, False, 3).data, [3, 5])


def test_an_axis_out_of_range() -> None:
    with pytest.raises(OutOfRangeError, match=re.escape("sum(Tensor(float64 (2,)), axis=1): axis 1")):
        Tensor([1.0, 2.0], requires_grad=True).sum(1)
    with pytest.raises(DtypeError):
        Tensor([1.0, 2.0], requires_grad=True).sum([0])


def test_other_methods_of_ufuncs_are_refused() -> None:
    with pytest.raises(
        NotDifferentiableError, match=r"^numpy\.subtract\.reduce has no row in the table of derivatives"
    ):
        np.subtract.reduce(Tensor([1.0], requires_grad=True))


def test_a_product_that_begins_with_nothing() -> None:
    x = Tensor([2.0, 3.0], requires_grad=True)
    np.prod(x, initial=None).backward()  # type: ignore[call-overload]
    np.testing.assert_array_equal(x.grad, [3.0, 2.0])
