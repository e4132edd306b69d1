"""Choosing, with numbers computed by hand: both branches are safe, errors say what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import DtypeError, ShapeError


def leaf(value: Any) -> Tensor:
    return Tensor(np.asarray(value, float), requires_grad=True)


def test_where_sends_each_gradient_to_its_branch_without_a_product() -> None:
    x, y = leaf([1.0, np.inf, np.nan]), leaf(2.0)
    np.where([True, False, False], x, y).backward(np.array([np.inf, 3.0, 4.0]))
    np.testing.assert_array_equal(x.grad, [np.inf, 0, 0])
    assert y.grad == 7


def test_12_a_branch_not_taken_gives_no_nan() -> None:
    x = leaf([0.0, 4.0])
    np.where(x > 0, np.sqrt(x), 0).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0.25])


def test_where_of_a_condition_alone_gives_indices() -> None:
    (found,) = np.where(leaf([0.0, 5.0, 7.0]) > 1)
    np.testing.assert_array_equal(found, [1, 2])
    (found,) = np.where(leaf([0.0, 5.0, 7.0]))
    np.testing.assert_array_equal(found, [1, 2])


def test_where_takes_a_tensor_that_requires_grad_as_its_condition() -> None:
    x = leaf([0.0, 2.0])
    np.where(x, x * 3, x).sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 3])


def test_select_takes_the_first_that_holds() -> None:
    x = leaf([1.0, 2.0, 3.0])
    y = np.select([x > 2, x > 1], [x * 10, x * x], default=x)
    np.testing.assert_array_equal(y.data, [1, 4, 30])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 4, 10])


def test_select_refuses_what_does_not_fit() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(ShapeError) as caught:
        np.select([x > 1], [x, x])
    assert str(caught.value) == "select: 1 conditions and 2 choices; give one condition for each choice"
    with pytest.raises(DtypeError) as refused:
        np.select([x], [x])
    assert (
        str(refused.value) == "select: a condition must be a boolean array, not one of dtype float64; compare it first"
    )


def test_choices_may_be_lists_of_numbers() -> None:
    a = leaf([1.0, 2.0, 3.0])
    y = np.select([a > 2, [True, False, False]], [(4, 5, 6), a], [7, 8, 9]) + np.choose([0, 1, 1], [a, [0, 1, 2]])
    np.testing.assert_array_equal(y.data, [2, 9, 8])
    y.sum().backward()
    np.testing.assert_array_equal(a.grad, [2, 0, 0])


def test_choose_by_number() -> None:
    a, b = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    y = np.choose([0, 1, 1], [a, b])
    np.testing.assert_array_equal(y.data, [1, 5, 5])
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    np.testing.assert_array_equal(a.grad, [1, 0, 0])
    assert b.grad == 110


def test_choose_as_a_method_of_the_numbers() -> None:
    a = leaf([[1.0, 2.0], [3.0, 4.0]])
    Tensor([1, 0]).choose(a).sum().backward()
    np.testing.assert_array_equal(a.grad, [[0, 1], [1, 0]])


def test_choose_has_no_such_choice() -> None:
    with pytest.raises(ShapeError) as caught:
        np.choose([0, 2], [leaf(1.0), leaf(2.0)])
    assert str(caught.value) == (
        "choose: there is no choice 2; the 2 choices have the numbers 0 to 1, and mode='wrap' or 'clip' brings others "
        "into that range"
    )


def test_piecewise_functions_see_their_part_only() -> None:
    x, c = leaf([-4.0, 0.0, 4.0]), leaf(7.0)
    y = np.piecewise(x, [x > 0, x < 0], [np.sqrt, lambda part: part * part, c])
    np.testing.assert_array_equal(y.data, [16, 7, 2])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [-8, 0, 0.25])
    assert c.grad == 1


def test_piecewise_refuses_what_does_not_fit() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(ShapeError) as caught:
        np.piecewise(x, [x > 1, x < 1], [1.0])
    assert str(caught.value) == (
        "piecewise: 2 conditions and 1 functions; give one function for each condition, and possibly one more for "
        "where none holds"
    )


def test_apply_along_axis_of_a_function_of_numbers() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = np.apply_along_axis(lambda row: row[0] * row[1], 1, x)
    np.testing.assert_array_equal(y.data, [2, 12])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [[2, 1], [4, 3]])


def test_apply_along_axis_without_slices() -> None:
    with pytest.raises(ShapeError) as caught:
        np.apply_along_axis(np.sum, 0, leaf(np.zeros((2, 0))))
    assert str(caught.value) == (
        "apply_along_axis: an array of shape (2, 0) has no slices along axis 0; give one whose other axes are not empty"
    )


def test_axes_that_are_not_there() -> None:
    for t, axes in ((Tensor(np.ones((2, 3))), [5]), (Tensor(1.0), [0])):
        with pytest.raises(
            np.exceptions.AxisError, match=f"axis {axes[0]} is out of bounds for array of dimension {t.ndim}"
        ):
            np.apply_over_axes(np.sum, t, axes)
