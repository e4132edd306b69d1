"""Activations at kinks and far out: numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from autograd import (
    Tensor,
    elementwise_grad,
    elu,
    erf,
    erfc,
    gelu,
    grad,
    jvp,
    leaky_relu,
    log_softmax,
    logsigmoid,
    logsumexp,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from autograd.errors import ShapeError


def gradient(function: Callable[..., Any], x: Any) -> Any:
    """The gradient of the sum of the results."""
    t = Tensor(x, requires_grad=True)
    np.sum(function(t)).backward()
    return t.grad


def gelu_tanh(x: Any) -> Any:
    return gelu(x, approximate="tanh")


@pytest.mark.parametrize(("dtype", "far"), [(np.float16, 700), (np.float32, 1e30), (np.float64, 1e200)])
def test_gelu_by_tanh_far_out(dtype: Any, far: float) -> None:
    x = np.array([-far, far, nan], dtype)
    np.testing.assert_array_equal(gelu_tanh(x), np.array([0, far, nan], dtype))
    np.testing.assert_array_equal(gradient(gelu_tanh, x), [0, 1, nan])


@pytest.mark.parametrize("function", [softplus, logsigmoid])
def test_nan_passes_in_silence(function: Callable[..., Any]) -> None:
    for dtype in (np.float16, np.float32, np.float64):
        x = np.array([nan, -inf, inf], dtype)
        assert np.isnan(function(x)).tolist() == np.isnan(gradient(function, x)).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("function", "x", "value", "slope"),
    [
        (sigmoid, 0.0, 0.5, 0.25),
        (sigmoid, math.log(3), 0.75, 0.1875),
        (sigmoid, 1000.0, 1, 0),
        (sigmoid, -1000.0, 0, 0),
        (sigmoid, -40.0, math.exp(-40), math.exp(-40)),
        (sigmoid, inf, 1, 0),
        (sigmoid, -inf, 0, 0),
        (sigmoid, nan, nan, nan),
        (logsigmoid, 0.0, -math.log(2), 0.5),
        (logsigmoid, -1000.0, -1000, 1),
        (logsigmoid, 1000.0, 0, 0),
        (softplus, 0.0, math.log(2), 0.5),
        (softplus, 1000.0, 1000, 1),
        (softplus, -1000.0, 0, 0),
        (softplus, -40.0, math.exp(-40), math.exp(-40)),
        (silu, 0.0, 0, 0.5),
        (silu, 1000.0, 1000, 1),
        (silu, -1000.0, 0, 0),
        (relu, 3.0, 3, 1),
        (relu, 0.0, 0, 0),
        (relu, -0.0, 0, 0),
        (relu, -3.0, 0, 0),
        (relu, inf, inf, 1),
        (relu, nan, nan, 1),
        (leaky_relu, 2.0, 2, 1),
        (leaky_relu, -2.0, -0.02, 0.01),
        (leaky_relu, 0.0, 0, 0.01),
        (elu, 2.0, 2, 1),
        (elu, 0.0, 0, 1),
        (elu, -1.0, math.expm1(-1), math.exp(-1)),
        (elu, 1000.0, 1000, 1),
        (elu, -1000.0, -1, 0),
        (selu, 2.0, 2 * 1.0507009873554805, 1.0507009873554805),
        (selu, -1000.0, -1.7580993408473766, 0),
        (erf, 0.0, 0, 2 / math.sqrt(math.pi)),
        (erf, 1.0, 0.8427007929497149, 2 / math.sqrt(math.pi) / math.e),
        (erf, -inf, -1, 0),
        (erf, nan, nan, nan),
        (erfc, 0.0, 1, -2 / math.sqrt(math.pi)),
        (erfc, 10.0, 2.088487583762545e-45, -2 / math.sqrt(math.pi) * math.exp(-100)),
        (erfc, inf, 0, 0),
        (gelu, 0.0, 0, 0.5),
        (gelu, 1.0, 0.8413447460685429, 0.8413447460685429 + math.exp(-0.5) / math.sqrt(2 * math.pi)),
        (gelu, -1000.0, 0, 0),
        (gelu, -8.0, -8 * 6.220960574271785e-16, 6.220960574271785e-16 - 8 * math.exp(-32) / math.sqrt(2 * math.pi)),
        (gelu_tanh, 0.0, 0, 0.5),
        (gelu_tanh, 1000.0, 1000, 1),
        (gelu_tanh, -1000.0, 0, 0),
        (gelu_tanh, 1.0, 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * 1.044715)), 1.0829640838457826),
    ],
)
def test_values_and_slopes(function: Any, x: float, value: float, slope: float) -> None:
    """Without warnings, the same for 0-d values and arrays."""
    for shape in ((), (2,)):
        at = np.full(shape, x)[()]
        np.testing.assert_allclose(function(at), np.full(shape, value), rtol=1e-14)
        np.testing.assert_allclose(function(Tensor(at)).data, np.full(shape, value), rtol=1e-14)
        np.testing.assert_allclose(gradient(function, at), np.full(shape, slope), rtol=1e-14)


def test_second_derivatives() -> None:
    assert grad(grad(sigmoid))(0.0) == 0
    assert grad(grad(softplus))(0.0) == 0.25
    assert grad(grad(silu))(0.0) == 0.5
    assert grad(grad(relu))(1.0) == grad(grad(relu))(0.0) == 0
    assert grad(grad(elu))(1.0) == 0
    np.testing.assert_allclose(grad(grad(elu))(-1.0), math.exp(-1), rtol=1e-15)
    np.testing.assert_allclose(grad(grad(gelu))(0.0), 2 / math.sqrt(2 * math.pi), rtol=1e-15)
    np.testing.assert_allclose(jvp(grad(gelu), (0.0,), (1.0,))[1], 2 / math.sqrt(2 * math.pi), rtol=1e-15)


def test_numbers_lists_and_integers_are_welcome() -> None:
    for function in (sigmoid, logsigmoid, softplus, silu, relu, leaky_relu, elu, selu, erf, erfc, gelu, gelu_tanh):
        expected = function(np.array([-1.0, 0.0, 2.0]))
        np.testing.assert_allclose(function([-1, 0, 2]), expected, rtol=1e-15)
        np.testing.assert_allclose(function(np.array([-1, 0, 2])), expected, rtol=1e-15)
        np.testing.assert_allclose(function(Tensor([-1, 0, 2])).data, expected, rtol=1e-15)
        np.testing.assert_allclose(function(2), expected[2], rtol=1e-15)
        assert function(np.array([0.5], np.float32)).dtype == np.float32
    assert relu(Tensor([-1, 2])).dtype == np.int64
    for function in (softmax, log_softmax, logsumexp):
        np.testing.assert_allclose(function([0, 1, 2]), function(np.array([0.0, 1.0, 2.0])), rtol=1e-15)


def test_tensors_have_them_as_methods() -> None:
    x = Tensor([[1.0, -2.0]], requires_grad=True)
    np.testing.assert_array_equal(x.relu().data, [[1, 0]])
    np.testing.assert_array_equal(x.sigmoid().data, sigmoid(x.data))
    np.testing.assert_array_equal(x.softmax(axis=0).data, [[1, 1]])
    np.testing.assert_array_equal(x.log_softmax(0).data, [[0, 0]])


def test_gelu_knows_two_forms() -> None:
    message = 'gelu\\(approximate=\'fast\'\\): the argument must be "none" or "tanh"'
    for x in (1.0, Tensor(1.0)):
        with pytest.raises(ShapeError, match=f"^{message}$"):
            gelu(x, "fast")


def test_erf_is_accurate_to_rounding() -> None:
    x = np.linspace(-6, 6, 101)
    np.testing.assert_array_equal(erf(x), [math.erf(v) for v in x])
    np.testing.assert_array_equal(erfc(x.reshape(101, 1)), [[math.erfc(v)] for v in x])


# Softmax and its kin


@pytest.mark.parametrize("shift", [0.0, 1000.0, -1000.0])
def test_softmax_by_hand(shift: float) -> None:
    """Weights 1/4 and 3/4, wherever the scale begins."""
    x = np.array([0.0, math.log(3)]) + shift
    np.testing.assert_allclose(softmax(x), [0.25, 0.75], rtol=1e-12)
    np.testing.assert_allclose(log_softmax(x), [-math.log(4), math.log(0.75)], rtol=1e-12)
    np.testing.assert_allclose(logsumexp(x), math.log(4) + shift, rtol=1e-12)
    np.testing.assert_allclose(gradient(lambda t: softmax(t)[0], x), [3 / 16, -3 / 16], rtol=1e-12)
    np.testing.assert_allclose(gradient(lambda t: log_softmax(t)[0], x), [0.75, -0.75], rtol=1e-12)
    np.testing.assert_allclose(gradient(logsumexp, x), [0.25, 0.75], rtol=1e-12)


def test_softmax_of_extremes() -> None:
    x = np.array([1000.0, -1000.0, -inf])
    np.testing.assert_array_equal(softmax(x), [1, 0, 0])
    np.testing.assert_array_equal(log_softmax(x), [0, -2000, -inf])
    np.testing.assert_array_equal(gradient(lambda t: softmax(t)[0], x), [0, 0, 0])
    np.testing.assert_array_equal(gradient(lambda t: log_softmax(t)[1], x), [-1, 1, 0])
    np.testing.assert_array_equal(gradient(logsumexp, x), [1, 0, 0])


def test_logsumexp_of_minus_infinity() -> None:
    x = np.array([[-inf, -inf], [-inf, 2.0]])
    assert logsumexp(x[0]) == -inf
    np.testing.assert_array_equal(gradient(logsumexp, x[0]), [0, 0])
    np.testing.assert_array_equal(logsumexp(x, axis=1), [-inf, 2])
    np.testing.assert_array_equal(gradient(lambda t: logsumexp(t, axis=-1), x), [[0, 0], [0, 1]])
    assert logsumexp([]) == -inf


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nan_propagates() -> None:
    x = np.array([nan, 1.0])
    for function in (softmax, log_softmax, logsumexp, lambda x: softplus(x[:1]), lambda x: logsigmoid(x[:1])):
        assert np.isnan(function(x)).all()
        assert np.isnan(gradient(function, x)[0])


def test_logsumexp_with_weights() -> None:
    a, b = np.array([0.0, math.log(2), 800.0]), np.array([1.0, 3.0, 0.0])
    np.testing.assert_allclose(logsumexp(a, b=b), math.log(7), rtol=1e-15)
    x, w = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    logsumexp(x, b=w).backward()
    np.testing.assert_allclose(x.grad[:2], [1 / 7, 6 / 7], rtol=1e-15)
    np.testing.assert_allclose(w.grad[:2], [1 / 7, 2 / 7], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elu_far_out_has_a_slope_of_full_precision(dtype: Any) -> None:
    x = np.array([-20.0, -15.0, -1.0], dtype)
    np.testing.assert_allclose(elementwise_grad(elu)(x), np.exp(x), rtol=1e-6)
