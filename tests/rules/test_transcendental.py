"""Transcendental functions at singular and distant points: numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import inf, nan, pi
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, grad, jvp


def gradients(function: Callable[..., Any], *args: Any) -> list[Any]:
    """The gradients of the sum of the results."""
    tensors = [Tensor(arg, requires_grad=True) for arg in args]
    np.sum(function(*tensors)).backward()
    return [t.grad for t in tensors]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (np.exp, 0.0, 1),
        (np.exp, -inf, 0),
        (np.exp, 1000.0, inf),
        (np.exp, nan, nan),
        (np.exp2, 3.0, 8 * math.log(2)),
        (np.expm1, 0.0, 1),
        (np.log, 0.0, inf),
        (np.log, 4.0, 0.25),
        (np.log, nan, nan),
        (np.log2, 1.0, 1 / math.log(2)),
        (np.log10, 1.0, 1 / math.log(10)),
        (np.log1p, -1.0, inf),
        (np.log1p, 1e-20, 1),
        (np.sin, 0.0, 1),
        (np.sin, inf, nan),
        (np.cos, 0.0, 0),
        (np.tan, 0.0, 1),
        (np.arcsin, 1.0, inf),
        (np.arcsin, 0.0, 1),
        (np.arccos, -1.0, -inf),
        (np.arctan, 1.0, 0.5),
        (np.arctan, inf, 0),
        (np.sinh, 0.0, 1),
        (np.cosh, 0.0, 0),
        (np.tanh, 1000.0, 0),
        (np.arcsinh, 0.0, 1),
        (np.arccosh, 1.0, inf),
        (np.arctanh, 1.0, inf),
        (np.degrees, 1.0, 180 / pi),
        (np.rad2deg, 1.0, 180 / pi),
        (np.radians, 1.0, pi / 180),
        (np.deg2rad, 1.0, pi / 180),
        (np.sinc, 0.0, 0),
        (np.sinc, 0.5, -4 / pi),
        (np.sinc, 1.0, -1),
        (np.i0, 0.0, 0),
        (np.i0, 1.0, 0.565159103992485),  # I1(1), Abramowitz and Stegun, table 9.8
        (np.i0, -1.0, -0.565159103992485),
    ],
)
def test_one_argument(function: Any, x: float, expected: float) -> None:
    for shape in ((), (2,)):
        (got,) = gradients(function, np.full(shape, x)[()])
        np.testing.assert_allclose(got, np.full(shape, expected), rtol=1e-14)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("function", "x", "y", "by_x", "by_y"),
    [
        (np.logaddexp, 0.0, 0.0, 0.5, 0.5),
        (np.logaddexp, math.log(3), 0.0, 0.75, 0.25),
        (np.logaddexp, 1000.0, -1000.0, 1, 0),
        (np.logaddexp, -1000.0, -1000.0, 0.5, 0.5),
        (np.logaddexp, -inf, 1.0, 0, 1),
        (np.logaddexp, inf, 1.0, 1, 0),
        (np.logaddexp, -inf, -inf, 0.5, 0.5),
        (np.logaddexp, inf, inf, 0.5, 0.5),
        (np.logaddexp, nan, 1.0, nan, nan),
        (np.logaddexp2, math.log2(3), 0.0, 0.75, 0.25),
        (np.logaddexp2, -inf, -inf, 0.5, 0.5),
        (np.logaddexp2, 1e4, -1e4, 1, 0),
        (np.arctan2, 0.0, 0.0, 0, 0),
        (np.arctan2, 3.0, 4.0, 0.16, -0.12),
        (np.arctan2, 0.0, -2.0, -0.5, 0),
        (np.arctan2, 1e-200, 1e-200, 5e199, -5e199),
        (np.arctan2, 1e200, 1e200, 5e-201, -5e-201),
    ],
)
def test_two_arguments(function: Any, x: float, y: float, by_x: float, by_y: float) -> None:
    for shape in ((), (2,)):
        got = gradients(function, np.full(shape, x)[()], np.full(shape, y)[()])
        np.testing.assert_allclose(got, np.stack([np.full(shape, by_x), np.full(shape, by_y)]), rtol=1e-14)


def test_logaddexp_has_its_second_derivative_at_equal_arguments() -> None:
    assert grad(grad(np.logaddexp))(2.0, 2.0) == 0.25
    assert grad(grad(np.logaddexp, 0), 1)(2.0, 2.0) == -0.25


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize(
    "function", [np.log, np.log2, np.log10, lambda x: np.log1p(x - 1), lambda x: np.arccosh(x + 1)]
)
def test_a_zero_upstream_contributes_zero_where_the_local_derivative_is_infinite(function: Any) -> None:
    x = np.array([0.0, 4.0])
    (masked,) = gradients(lambda t: np.where(t > 0, function(t), 0), x)
    (alone,) = gradients(function, x[1:])
    np.testing.assert_array_equal(masked, [0, alone[0]])


def test_derivatives_of_sinc_at_and_near_zero() -> None:
    first = grad(np.sinc)
    second = grad(first)
    third = grad(second)
    assert first(0.0) == 0
    np.testing.assert_allclose(second(0.0), -(pi**2) / 3, rtol=1e-15)
    np.testing.assert_allclose(jvp(first, (0.0,), (1.0,))[1], -(pi**2) / 3, rtol=1e-15)
    assert third(0.0) == 0
    np.testing.assert_allclose(grad(third)(0.0), pi**4 / 5, rtol=1e-15)
    for x in (1e-12, 1e-6, -1e-3):
        np.testing.assert_allclose(first(x), -(pi**2) / 3 * x + pi**4 / 30 * x**3, rtol=1e-10)
        np.testing.assert_allclose(second(x), -(pi**2) / 3 + pi**4 / 10 * x**2, rtol=1e-10)
    for f in (first, second, third):  # no step where the series ends
        np.testing.assert_allclose(f(np.nextafter(0.25, 0)), f(0.25), rtol=1e-12)


def test_i0_far_out() -> None:
    np.testing.assert_allclose(grad(np.i0)(700.0) / np.i0(700.0), 1 - 1 / 1400 - 1 / 8 / 700**2, rtol=1e-9)
    np.testing.assert_allclose(grad(grad(np.i0))(0.0), 0.5, rtol=1e-15)


def test_scalars_agree_with_arrays() -> None:
    """0-d values take Python's functions, arrays take NumPy's: the same to rounding."""
    for function in (np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sin, np.cos, np.tan, np.arcsin):
        for x in (0.3, 0.9):
            np.testing.assert_allclose(function(Tensor(x)).data, function(np.array([x]))[0], rtol=4e-16)
    for function, x in ((np.exp, 1000.0), (np.log, -1.0), (np.log, 0.0), (np.arcsin, 2.0), (np.sin, inf)):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(function(Tensor(x)).data, function(x))
        with pytest.warns(RuntimeWarning):
            function(Tensor(x))


def test_aliases_are_the_same_functions() -> None:
    for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh"):
        x = 1.5 if name == "acosh" else 0.5
        assert grad(getattr(np, name))(x) == grad(getattr(np, name.replace("a", "arc", 1)))(x)
    np.testing.assert_allclose(gradients(np.atan2, 3.0, 4.0), [0.16, -0.12], rtol=1e-15)
