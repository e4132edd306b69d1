"""Order, with numbers computed by hand: ties, NaN, corners of a polygon."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Tensor, compiled, value_and_grad
from autograd.errors import OutOfRangeError, ShapeError


def leaf(value: Any) -> Tensor:
    return Tensor(np.asarray(value, float), requires_grad=True)


def test_the_gradient_of_sort_follows_the_permutation() -> None:
    x = leaf([3.0, 1.0, 2.0])
    np.sort(x).backward(np.array([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(x.grad, [100, 1, 10])


def test_of_equal_elements_the_first_comes_first() -> None:
    x = leaf([2.0, 1.0, 2.0, 1.0])
    np.sort(x).backward(np.array([1.0, 10.0, 100.0, 1000.0]))
    np.testing.assert_array_equal(x.grad, [100, 1, 1000, 10])


def test_sorting_nan_last() -> None:
    x = leaf([np.nan, 1.0, np.nan, 0.0])
    np.sort(x).backward(np.array([1.0, 10.0, 100.0, 1000.0]))
    np.testing.assert_array_equal(x.grad, [100, 10, 1000, 1])


def test_sort_along_no_axis_is_flat() -> None:
    x = leaf([[3.0, 1.0], [2.0, 0.0]])
    np.sort(x, axis=None).backward(np.array([1.0, 2.0, 3.0, 4.0]))
    np.testing.assert_array_equal(x.grad, [[4, 2], [3, 1]])


def test_sort_along_an_axis_out_of_range() -> None:
    with pytest.raises(OutOfRangeError, match="axis 1 is out of bounds for array of dimension 1"):
        np.sort(leaf([1.0]), 1)


def test_partition_has_the_value_and_order_of_numpy() -> None:
    values = np.random.default_rng(0).integers(0, 20, 40).astype(float)
    x, g = leaf(values), np.random.default_rng(1).normal(size=40)
    y = np.partition(x, [7, 20])
    np.testing.assert_array_equal(y.data, np.partition(values, [7, 20]))
    y.backward(g)
    np.testing.assert_allclose(np.sum(x.grad * values), np.sum(g * y.data))
    np.testing.assert_array_equal(np.sort(x.grad), np.sort(g))


def test_interp_at_a_corner_has_the_slope_to_the_right() -> None:
    x, xp, fp = leaf([1.0, 2.0, 0.5]), leaf([0.0, 1.0, 2.0]), leaf([0.0, 10.0, 30.0])
    np.interp(x, xp, fp).sum().backward()
    np.testing.assert_array_equal(x.grad, [20, 20, 10])
    np.testing.assert_array_equal(fp.grad, [0.5, 1.5, 1])
    np.testing.assert_array_equal(xp.grad, [-5, -25, -20])


def test_interp_outside_is_constant() -> None:
    x, left, fp = leaf([-1.0, 5.0]), leaf(7.0), leaf([1.0, 2.0])
    y = np.interp(x, [0.0, 1.0], fp, left=left)
    np.testing.assert_array_equal(y.data, [7, 2])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0])
    np.testing.assert_array_equal(fp.grad, [0, 1])
    assert left.grad == 1


def test_interp_refuses_what_does_not_fit() -> None:
    for points, values in (([0.0, 1.0], [1.0]), ([], [])):
        with pytest.raises(ShapeError) as caught:
            np.interp(leaf([0.5]), points, values)
        assert str(caught.value) == (
            f"interp: points of shape ({len(points)},) and values of shape ({len(values)},); "
            "give one-dimensional arrays of the same length, which is not 0"
        )
    with pytest.raises(ShapeError, match="the period is 0"):
        np.interp(leaf([0.5]), [0.0], [1.0], period=0)


def test_polyval_in_coefficients_and_argument() -> None:
    p, x = leaf([1.0, 2.0, 3.0]), leaf(2.0)
    y = np.polyval(p, x)
    assert y.item() == 11
    y.backward()
    np.testing.assert_array_equal(p.grad, [4, 2, 1])
    assert x.grad == 6
    p0 = leaf(5.0)
    np.polyval([1.0, p0], x).backward()
    assert p0.grad == 1


def test_polyval_of_a_poly1d() -> None:
    x = leaf([1.0, 2.0])
    y = np.polyval(np.poly1d([1.0, 0.0, -2.0]), x)
    np.testing.assert_array_equal(y.data, [-1, 2])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 4])
    np.testing.assert_array_equal(np.polyval(np.poly1d([5.0]), x).data, [5, 5])


def test_points_of_a_periodic_polygon_can_be_compiled() -> None:
    def at(xp: Any) -> Any:
        return np.interp(0.3, xp, np.arange(4.0), period=3.0)

    program = compiled(value_and_grad(at))
    for points in (np.array([0.0, 0.5, 1.0, 2.0]), np.array([0.0, 0.4, 1.0, 2.0])):
        value, gradient = program(points)
        expected, by_points = value_and_grad(at)(points)
        assert value == expected
        np.testing.assert_array_equal(gradient, by_points)
