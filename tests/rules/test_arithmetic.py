"""Arithmetic at kinks and singular points: numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log, nan
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
    ("function", "x", "y", "by_x", "by_y"),
    [
        (np.divide, 3.0, 2.0, 0.5, -0.75),
        (np.divide, 1.0, 0.0, inf, -inf),
        (np.maximum, 2.0, 1.0, 1, 0),
        (np.maximum, 2.0, 2.0, 0.5, 0.5),
        (np.maximum, -inf, -inf, 0.5, 0.5),
        (np.maximum, nan, 1.0, nan, nan),
        (np.minimum, 2.0, 1.0, 0, 1),
        (np.minimum, 2.0, 2.0, 0.5, 0.5),
        (np.minimum, 1.0, nan, nan, nan),
        (np.fmax, 2.0, 1.0, 1, 0),
        (np.fmax, 2.0, 2.0, 0.5, 0.5),
        (np.fmax, nan, 1.0, 0, 1),
        (np.fmax, nan, -inf, 0, 1),
        (np.fmax, 1.0, nan, 1, 0),
        (np.fmax, nan, nan, nan, nan),
        (np.fmin, 2.0, 1.0, 0, 1),
        (np.fmin, 2.0, 2.0, 0.5, 0.5),
        (np.fmin, nan, inf, 0, 1),
        (np.fmin, 1.0, nan, 1, 0),
        (np.hypot, 3.0, -4.0, 0.6, -0.8),
        (np.hypot, 0.0, 0.0, 0, 0),
        (np.hypot, 0.0, -2.0, 0, -1),
        (np.power, 2.0, 3.0, 12, 8 * log(2)),
        (np.power, 0.0, 0.0, 0, 0),
        (np.power, 0.0, 1.0, 1, 0),
        (np.power, 0.0, 2.0, 0, 0),
        (np.power, 0.0, 0.5, inf, 0),
        (np.power, -2.0, 3.0, 12, nan),
        (np.power, -2.0, 0.5, nan, nan),
        (np.power, nan, 1.0, 1, nan),
        (np.float_power, 0.0, 0.0, 0, 0),
        (np.float_power, -2.0, -1.0, -0.25, nan),
        (np.remainder, 7.0, 2.0, 1, -3),
        (np.remainder, -7.0, 2.0, 1, 4),
        (np.remainder, 7.0, -2.0, 1, 4),
        (np.fmod, 7.0, 2.0, 1, -3),
        (np.fmod, -7.0, 2.0, 1, 3),
        (np.fmod, 7.0, -2.0, 1, 3),
        (np.fmod, 0.3, 0.1, 1, -2),
        (np.copysign, -2.0, 3.0, -1, None),
        (np.copysign, 2.0, -0.0, -1, None),
        (np.copysign, 0.0, -3.0, 0, None),
        (np.heaviside, 0.0, 0.3, None, 1),
        (np.heaviside, -1.0, 0.3, None, 0),
        (np.heaviside, 2.0, 0.3, None, 0),
    ],
)
def test_two_arguments(function: Any, x: float, y: float, by_x: float | None, by_y: float | None) -> None:
    for shape in ((), (2,)):
        got = gradients(function, np.full(shape, x)[()], np.full(shape, y)[()])
        for value, expected in zip(got, (by_x, by_y)):
            if expected is None:
                assert value is None
            else:
                np.testing.assert_allclose(value, np.full(shape, expected), rtol=1e-15)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (np.absolute, 0.0, 0),
        (np.absolute, -0.0, 0),
        (np.absolute, -3.0, -1),
        (np.absolute, nan, nan),
        (np.fabs, 0.0, 0),
        (np.sqrt, 0.0, inf),
        (np.sqrt, 4.0, 0.25),
        (np.sqrt, -1.0, nan),
        (np.cbrt, 0.0, inf),
        (np.cbrt, -8.0, 1 / 12),
        (np.reciprocal, -2.0, -0.25),
        (np.reciprocal, 0.0, -inf),
        (np.nan_to_num, nan, 0),
        (np.nan_to_num, inf, 0),
        (np.nan_to_num, 3.0, 1),
        (lambda x: x**0, 0.0, 0),
        (lambda x: x**0, nan, 0),
        (lambda x: x**1, 0.0, 1),
        (lambda x: x**2, 0.0, 0),
        (lambda x: x**2, nan, nan),
        (lambda x: x**-1, 0.0, -inf),
        (lambda x: x**-2, -2.0, 0.25),
        (lambda x: x**3.0, -2.0, 12),
        (lambda x: 0**x, 2.0, 0),
        (lambda x: 0**x, 0.0, 0),
        (lambda x: (-2) ** x, 2.0, nan),
        (lambda x: 2**x, 3.0, 8 * log(2)),
        (lambda x: x / 0, 1.0, inf),
        (lambda x: np.modf(x)[0], -2.5, 1),
        (lambda x: np.frexp(x)[0], 12.0, 1 / 16),
        (lambda x: np.ldexp(x, -3), 5.0, 1 / 8),
        (lambda x: divmod(x, 2.0)[1], 7.5, 1),
        (lambda x: divmod(7.5, x)[1], 2.0, -3),
        (lambda x: np.real_if_close(x) * x, 3.0, 6),
    ],
)
def test_one_argument(function: Any, x: float, expected: float) -> None:
    for shape in ((), (2,)):
        (got,) = gradients(function, np.full(shape, x)[()])
        np.testing.assert_allclose(got, np.full(shape, expected), rtol=1e-15)


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize(
    "function",
    [np.sqrt, np.cbrt, np.reciprocal, lambda x: 1 / x, lambda x: x / x, lambda x: x**0.5, lambda x: x**-1.5],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_zero_upstream_contributes_zero_where_the_local_derivative_is_infinite(function: Any) -> None:
    x = np.array([0.0, 4.0])
    (masked,) = gradients(lambda t: np.where(t > 0, function(t), 0), x)
    (alone,) = gradients(function, x[1:])
    np.testing.assert_array_equal(masked, [0, alone[0]])
    np.testing.assert_array_equal(grad(lambda t: function(t) * 0.0)(0.0), 0)


@pytest.mark.parametrize("exponent", [2, 3, 2.0, 3.0])
def test_derivatives_of_powers_at_zero(exponent: float) -> None:
    def power(x: Any) -> Any:
        return x**exponent

    both = grad(grad(lambda x, y: x**y))
    assert grad(grad(power))(0.0) == (2 if exponent == 2 else 0)
    assert both(0.0, float(exponent)) == (2 if exponent == 2 else 0)
    assert grad(grad(grad(power)))(0.0) == (0 if exponent == 2 else 6)
    assert grad(grad(grad(grad(power))))(0.0) == 0
    assert jvp(grad(power), (0.0,), (1.0,))[1] == (2 if exponent == 2 else 0)


def test_the_exponents_derivative_is_computed_when_asked_for() -> None:
    base = np.array([-2.0, -1.0])
    (got,) = gradients(lambda x: x ** np.array([2.0, 3.0]), base)
    np.testing.assert_array_equal(got, [-4, 3])
    (got,) = gradients(lambda y: np.array([0, 1, 2]) ** y, np.full(3, 2.0))
    np.testing.assert_allclose(got, [0, 0, 4 * log(2)], rtol=1e-15)


@pytest.mark.parametrize("base", [Tensor(2), Tensor([2, 3])])
def test_integers_to_negative_powers_are_refused_as_by_numpy(base: Tensor) -> None:
    with pytest.raises(ValueError, match="Integers to negative integer powers are not allowed"):
        base**-1


@pytest.mark.parametrize(
    ("x", "low", "high", "by_x", "by_low", "by_high"),
    [
        (0.5, 0.0, 1.0, 1, 0, 0),
        (-1.0, 0.0, 1.0, 0, 1, 0),
        (2.0, 0.0, 1.0, 0, 0, 1),
        (0.0, 0.0, 1.0, 1, 0, 0),
        (1.0, 0.0, 1.0, 1, 0, 0),
        (0.5, 1.0, 1.0, 0, 1, 0),
        (1.5, 1.0, 1.0, 0, 0, 1),
        (0.5, 1.0, -1.0, 0, 0, 1),  # crossed bounds: the upper one is taken
        (nan, 0.0, 1.0, 1, 0, 0),
    ],
)
def test_clip(x: float, low: float, high: float, by_x: float, by_low: float, by_high: float) -> None:
    np.testing.assert_array_equal(gradients(np.clip, x, low, high), [by_x, by_low, by_high])
    np.testing.assert_array_equal(
        gradients(lambda x, low, high: np.clip(x, min=low, max=high), x, low, high), [by_x, by_low, by_high]
    )


def test_clip_with_one_bound() -> None:
    x = np.array([-2.0, -1.0, 0.5, 1.0, 3.0])
    np.testing.assert_array_equal(gradients(lambda t: np.clip(t, -1, None), x), [[0, 1, 1, 1, 1]])
    np.testing.assert_array_equal(gradients(lambda t: t.clip(max=1), x), [[1, 1, 1, 1, 0]])
    np.testing.assert_array_equal(gradients(lambda high: np.clip(x, None, high), 1.0), [1])
    np.testing.assert_array_equal(gradients(lambda low: np.clip(x, low, None), -1.0), [1])


def test_nan_to_num_leaves_its_argument_alone() -> None:
    x = Tensor([nan, 1.0], requires_grad=True)
    assert np.nan_to_num(x, copy=False).tolist() == [0, 1]
    assert np.isnan(x.data[0])


def test_parts_of_numbers() -> None:
    for value, exponent in ((12.3, 4), (-0.3, -1), (0.0, 0)):
        mantissa, got = np.frexp(Tensor(value, requires_grad=True))
        assert (mantissa.data, got.data) == np.frexp(value)
        assert got.data == exponent
        assert not got.requires_grad
    quotient, remainder = divmod(Tensor([7.5, -7.5], requires_grad=True), 2.0)
    np.testing.assert_array_equal(quotient.data, [3, -4])
    np.testing.assert_array_equal(remainder.data, [1.5, 0.5])
    fraction, whole = np.modf(Tensor([2.5, -2.5, inf]))
    np.testing.assert_array_equal(fraction.data, [0.5, -0.5, 0])
    np.testing.assert_array_equal(whole.data, [2, -2, inf])


def test_ties_keep_float32() -> None:
    for function in (np.maximum, np.minimum, np.fmax, np.fmin):
        x, y = (Tensor(np.array([1, 2], np.float32), requires_grad=True) for _ in "xy")
        (function(x, y) * np.ones(2, np.float32)).sum().backward()
        assert x.grad.dtype == y.grad.dtype == np.float32
        np.testing.assert_array_equal(x.grad, [0.5, 0.5])


def test_the_square_of_a_boolean_is_an_int8() -> None:
    for value in (np.array([True, False]), np.True_, np.array([3, 20], np.uint8)):
        square = np.square(Tensor(value))
        assert square.dtype == np.square(value).dtype
        np.testing.assert_array_equal(square.data, np.square(value))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.float16])
def test_short_numbers_beside_longer_ones_do_not_shorten_the_derivative(dtype: Any) -> None:
    x, y = np.ones(2), np.array([3, 7], dtype)
    np.testing.assert_array_equal(grad(lambda x: np.sum(x / y))(x), 1 / y.astype(float))
    gradient = grad(lambda x: np.sum(y**x))(x)
    np.testing.assert_allclose(gradient, y * np.log(y.astype(float)), rtol=1e-15)


def test_numbers_that_are_too_small_for_their_dtype_to_be_inverted() -> None:
    assert grad(lambda x: x / np.float16(1e-5))(1.0) == 1 / np.float64(np.float16(1e-5))


@pytest.mark.parametrize("zero", [0.0, np.zeros(2), np.float32(0.0)])
def test_a_power_of_zero_is_constant_in_its_exponent_where_it_is_infinite_too(zero: Any) -> None:
    with np.errstate(divide="ignore"):
        assert grad(lambda y: np.sum(zero**y))(-1.0) == 0.0
