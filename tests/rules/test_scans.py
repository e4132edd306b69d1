"""Scans: numbers worked out by hand, zeros among factors, spacings, arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import DtypeError, ShapeError
from autograd.rules.scans import cumulative_prod, cumulative_sum
from tests.rules.test_reductions import gradient, hessian


@pytest.mark.parametrize(
    ("function", "x", "seed", "expected"),
    [
        (lambda t: t.cumsum(), [1, 2, 3], [1, 10, 100], [111, 110, 100]),
        (lambda t: t.cumsum(), [[1, 2], [3, 4]], [1, 10, 100, 1000], [[1111, 1110], [1100, 1000]]),
        (lambda t: t.cumsum(axis=-2), [[1, 2], [3, 4]], [[1, 10], [100, 1000]], [[101, 1010], [100, 1000]]),
        (lambda t: t.cumprod(), [2, 3, 4], [1, 10, 100], [1 + 30 + 1200, 20 + 800, 600]),
        (lambda t: t.cumprod(), [2, 0, 4], [1, 10, 100], [1, 20 + 800, 0]),
        (lambda t: t.cumprod(), [0, 0, 4], [1, 10, 100], [1, 0, 0]),
        (np.nancumsum, [1, np.nan, 3], [1, 10, 100], [111, 0, 100]),
        (np.nancumprod, [2, np.nan, 3], [1, 10, 100], [311, 0, 200]),
        (lambda t: cumulative_sum(t, include_initial=True), [1, 2], [1000, 1, 10], [11, 10]),
        (lambda t: cumulative_prod(t, include_initial=True), [2, 3], [1000, 1, 10], [31, 20]),
        (np.add.accumulate, [[1, 2], [3, 4]], [[1, 10], [100, 1000]], [[101, 1010], [100, 1000]]),
        (np.multiply.accumulate, [[2], [3]], [[1], [10]], [[31], [20]]),
        (np.maximum.accumulate, [1, 3, 2, 4], [1, 10, 100, 1000], [1, 110, 0, 1000]),
        (np.maximum.accumulate, [2, 2, 1, 2], [1, 10, 100, 600], [1 + 5 + 50 + 200, 5 + 50 + 200, 0, 200]),
        (np.minimum.accumulate, [[1, 2], [0, 3]], [[1, 10], [100, 1000]], [[1, 1010], [100, 0]]),
        (np.logaddexp.accumulate, [0, 0, 0], [1, 2, 3], [1 + 1 + 1, 1 + 1, 1]),
        (np.logaddexp.accumulate, [-1000, 0, 1000], [1, 10, 100], [1, 10, 100]),
        (np.logaddexp.accumulate, [-np.inf, -np.inf, 0], [1, 10, 100], [0, 0, 100]),
        (np.diff, [1, 4, 2], [1, 10], [-1, -9, 10]),
        (lambda t: np.diff(t, n=2), [1, 4, 2], [1], [1, -2, 1]),
        (lambda t: np.diff([5, 7], prepend=t), 1, [1, 10], -1),
        (lambda t: np.ediff1d(t, to_end=9), [[1, 4], [2, 3]], [1, 10, 100, 1000], [[-1, -9], [-90, 100]]),
        (lambda t: np.ediff1d([1.0, 4.0], t), [5, 6], [1, 10, 100], [10, 100]),
        (np.trapezoid, [1, 2, 4], None, [0.5, 1, 0.5]),
        (lambda t: np.trapezoid([1, 2, 4], t), [0, 1, 3], None, [-1.5, -1.5, 3]),
        (lambda t: np.trapezoid([1, 2, 4], dx=t), 7, None, 4.5),
        (np.gradient, [1, 2, 4], [1, 10, 100], [-6, -99, 105]),
        (lambda t: np.gradient([1, 2, 4], t), 2, [1, 10, 100], -(1 + 15 + 200) / 4),
        (lambda t: np.gradient([0, 1, 5], t), [0, 1, 3], [1, 0, 0], [1, -1, 0]),
    ],
)
def test_by_hand(function: Callable[[Any], Any], x: Any, seed: Any, expected: Any) -> None:
    np.testing.assert_allclose(gradient(function, x, seed), expected, rtol=1e-14)


def test_14_second_derivatives_of_cumprod_with_zeros() -> None:
    """The last of the running products of a, 0, b is a·x·b, whose mixed derivatives are b, a and x = 0."""
    np.testing.assert_array_equal(
        hessian(lambda t: np.cumprod(t)[-1], [2.0, 0.0, 3.0]), [[0, 3, 0], [3, 0, 2], [0, 2, 0]]
    )


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 7, 8, 9, 100])
def test_cumprod_of_every_length(length: int) -> None:
    rng = np.random.default_rng(length)
    x, seed = rng.normal(size=length), rng.normal(size=length)
    x[rng.integers(length)] = 0
    expected = [sum(seed[k] * np.prod(np.delete(x[: k + 1], j)) for k in range(j, length)) for j in range(length)]
    np.testing.assert_allclose(gradient(np.cumprod, x, seed), expected, rtol=1e-10, atol=1e-12)


def test_gradient_returns_one_tensor_for_each_axis() -> None:
    t = Tensor(np.arange(12.0).reshape(3, 4) ** 2, requires_grad=True)
    rows, columns = np.gradient(t)
    assert isinstance(rows, Tensor)
    assert isinstance(columns, Tensor)
    assert isinstance(np.gradient(t, axis=1), Tensor)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int8])
def test_gradient_of_integers_is_that_of_float64(dtype: Any) -> None:
    x = np.array([3, 1, 2], dtype)
    np.testing.assert_array_equal(np.gradient(Tensor(x)).data, [-2, -0.5, 1])
    y, places = Tensor([1.0, 2.0, 4.0], requires_grad=True), np.array([3, 2, 1], dtype)
    np.testing.assert_array_equal(np.gradient(y, places).data, [-1, -1.5, -2])


@pytest.mark.parametrize("function", [np.gradient, np.ediff1d])
def test_booleans_have_no_differences(function: Callable[[Any], Any]) -> None:
    with pytest.raises(DtypeError) as caught:
        function(Tensor([True, False, True]))
    assert str(caught.value) == (
        "subtract(array(bool (2,)), array(bool (2,))): numpy boolean subtract, the `-` operator, is not supported, "
        "use the bitwise_xor, the `^` operator, or the logical_xor function instead; check the operands' dtypes"
    )


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda t: cumulative_sum(t),
            ShapeError,
            "cumulative_sum() of an array of shape (2, 3) needs the axis along which to run; "
            "give it axis=, or use np.cumsum to run over all elements",
        ),
        (
            lambda t: cumulative_prod(t),
            ShapeError,
            "cumulative_prod() of an array of shape (2, 3) needs the axis along which to run; "
            "give it axis=, or use np.cumprod to run over all elements",
        ),
        (
            lambda t: np.diff(t, n=-1),
            ShapeError,
            "diff() takes differences of order n >= 0, not -1; np.cumsum undoes one",
        ),
        (
            lambda t: np.diff(t[0, 0]),
            ShapeError,
            "diff() of a 0-d value has nothing to take differences of; give it an axis, as in t[None]",
        ),
        (
            lambda t: np.gradient(t, 1.0, 2.0, 3.0),
            TypeError,
            "gradient() along 2 axes takes one spacing for all of them or 2, not 3",
        ),
        (
            lambda t: np.gradient(t, edge_order=3),
            ShapeError,
            "gradient() takes edge_order 1 or 2, not 3",
        ),
        (
            lambda t: np.gradient(t, edge_order=2),
            ShapeError,
            "gradient() with edge_order=2 needs at least 3 elements along axis 0, and the shape has 2",
        ),
        (
            lambda t: np.gradient(t, [0, 1, 2], axis=0),
            ShapeError,
            "gradient() takes as spacing along axis 0 a scalar or 2 coordinates, not an array of shape (3,)",
        ),
    ],
)
def test_39_errors(call: Callable[[Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        call(Tensor(np.ones((2, 3)), requires_grad=True))
    assert str(caught.value) == message


@pytest.mark.parametrize(("y", "x", "axis"), [((2, 3, 4), (3, 4), -1), ((4,), (3, 4), -1), ((2, 3, 4), (2, 3, 4), 1)])
def test_trapezoids_where_x_has_another_number_of_axes(y: Any, x: Any, axis: int) -> None:
    rng = np.random.default_rng(0)
    heights, places = rng.normal(size=y), rng.normal(size=x)
    expected = np.trapezoid(heights, places, axis=axis)
    for found in (
        np.trapezoid(Tensor(heights), places, axis=axis),
        np.trapezoid(heights, Tensor(places), axis=axis),
    ):
        np.testing.assert_allclose(found.numpy(), expected)


@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum])
def test_16_a_running_extreme_of_nan_has_gradient_nan(ufunc: Any) -> None:
    x = np.array([[1.0, np.nan, 2.0], [1.0, 3.0, 2.0]])
    found = gradient(lambda x: np.sum(ufunc.accumulate(x, axis=1)), x)
    assert np.isnan(found[0]).all()
    assert found[1].sum() == 3
