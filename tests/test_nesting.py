"""Transforms of transforms: no perturbation confusion, in any order and with anything closed over."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import (
    Tensor,
    checkpoint,
    elementwise_grad,
    enable_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    no_grad,
    value_and_grad,
    vjp,
)

Function = Callable[..., Any]


def by_grad(f: Function) -> Function:
    return grad(f)


def by_value_and_grad(f: Function) -> Function:
    return lambda x: value_and_grad(f)(x)[1]


def by_elementwise_grad(f: Function) -> Function:
    return elementwise_grad(f)


def by_vjp(f: Function) -> Function:
    return lambda x: vjp(f, x)[1](1.0)[0]


def by_jvp(f: Function) -> Function:
    return lambda x: jvp(f, (x,), (1.0,))[1]


def by_linearize(f: Function) -> Function:
    return lambda x: linearize(f, x)[1](1.0)


def by_rows(f: Function) -> Function:
    return jacobian(f, mode="reverse")


def by_columns(f: Function) -> Function:
    return jacobian(f, mode="forward")


def by_checkpoint(f: Function) -> Function:
    return grad(checkpoint(f))


DERIVATIVES = [
    by_grad,
    by_value_and_grad,
    by_elementwise_grad,
    by_vjp,
    by_jvp,
    by_linearize,
    by_rows,
    by_columns,
    by_checkpoint,
]

every_derivative = pytest.mark.parametrize("d", DERIVATIVES, ids=lambda d: d.__name__)
pairs = pytest.mark.parametrize(
    ("d", "e"), list(itertools.product(DERIVATIVES, repeat=2)), ids=lambda d: d.__name__.removeprefix("by_")
)


@pairs
def test_25_no_perturbation_confusion(d: Function, e: Function) -> None:
    """The classic: d/dx [x d/dy (x + y)] is 1, not 2; and d/dx [x d/dy (x y)] is 2x."""
    assert d(lambda x: x * e(lambda y: x + y)(x))(3.0) == 1.0
    assert d(lambda x: x * e(lambda y: x + y)(2.0))(3.0) == 1.0
    assert d(lambda x: x * e(lambda y: x * y)(x))(3.0) == 6.0
    assert d(lambda x: x * e(lambda y: x * y)(2.0))(3.0) == 6.0


@pairs
def test_second_derivative(d: Function, e: Function) -> None:
    assert d(e(lambda x: x * x * x))(2.0) == 12.0
    np.testing.assert_allclose(d(e(np.tanh))(0.3), -2 * np.tanh(0.3) * (1 - np.tanh(0.3) ** 2), rtol=1e-14)


@pairs
def test_the_inner_point_depends_on_the_outer_variable(d: Function, e: Function) -> None:
    """d/dx f'(x²) = f''(x²) 2x, and with a closure over x besides."""
    assert d(lambda x: e(lambda y: y * y * y)(x * x))(2.0) == 6 * 4.0 * 4.0
    assert d(lambda x: e(lambda y: y * y * x)(x))(5.0) == 4 * 5.0


@pytest.mark.parametrize(
    "ds",
    list(itertools.product([by_grad, by_jvp, by_columns, by_checkpoint], repeat=3)),
    ids=lambda ds: "-".join(d.__name__.removeprefix("by_") for d in ds),
)
def test_third_derivative(ds: tuple[Function, ...]) -> None:
    a, b, c = ds
    assert a(b(c(lambda x: x * x * x * x)))(0.5) == 12.0


@every_derivative
def test_results_are_plain(d: Function) -> None:
    """Plain numbers in, plain numbers out, however deep the nesting."""
    assert type(d(np.sin)(1.0)) is np.float64
    assert type(d(lambda x: x * d(lambda y: x * y * y)(2.0))(3.0)) is np.float64
    assert type(d(d(np.sin))(1.0)) is np.float64


@every_derivative
def test_function_that_does_not_depend_on_the_inner_variable(d: Function) -> None:
    assert d(lambda x: 3.0)(1.0) == 0.0
    assert d(lambda x: d(lambda y: x)(x))(1.0) == 0.0
    assert d(lambda x: x + d(lambda y: x * x)(x))(1.0) == 1.0


@every_derivative
def test_closure_over_a_parameter(d: Function) -> None:
    """The derivative of w x² by x is 2 w x, and the parameter w learns of it."""
    w = Tensor(3.0, requires_grad=True)
    slope = d(lambda x: w * x * x)(2.0)
    assert isinstance(slope, Tensor)
    assert slope.data == 12.0
    slope.backward()
    assert w.grad == 4.0


@every_derivative
def test_derivative_that_does_not_depend_on_the_parameter_is_plain(d: Function) -> None:
    w = Tensor(3.0, requires_grad=True)
    assert type(d(lambda x: w + x * x)(2.0)) is np.float64


@every_derivative
def test_parameter_as_the_argument(d: Function) -> None:
    w = Tensor(3.0, requires_grad=True)
    slope = d(lambda x: x * x * x)(w)
    slope.backward()
    assert (slope.data, w.grad) == (27.0, 18.0)


def test_gradient_penalty() -> None:
    """|f'(x)|² in a loss that is differentiated by the parameters: f = tanh(w x), f' = w (1 - f²)."""
    w, x = Tensor(0.7, requires_grad=True), 0.4
    penalty = grad(lambda x: np.tanh(w * x))(x) ** 2
    penalty.backward()
    out = np.tanh(0.7 * x)
    slope = 0.7 * (1 - out**2)
    expected = 2 * slope * ((1 - out**2) - 2 * 0.7 * out * (1 - out**2) * x)
    np.testing.assert_allclose(w.grad, expected, rtol=1e-14)


def test_value_keeps_its_history() -> None:
    """The value that an inner transform hands out is part of the outer record, like the derivative."""

    def f(x: Any) -> Any:
        value, slope = value_and_grad(lambda y: y * y * x)(x)
        return value + slope

    assert grad(f)(2.0) == 3 * 4.0 + 4 * 2.0
    assert jvp(f, (2.0,), (1.0,))[1] == 20.0
    assert grad(lambda x: vjp(lambda y: y * y, x)[0])(3.0) == 6.0
    assert grad(lambda x: jvp(lambda y: y * y, (x,), (1.0,))[0])(3.0) == 6.0
    assert grad(lambda x: vjp(lambda y: x * x, 1.0)[0])(3.0) == 6.0


def test_aux_keeps_its_history() -> None:
    assert grad(lambda x: grad(lambda y: (y, x * x), has_aux=True)(1.0)[1])(3.0) == 6.0


def test_cotangent_may_depend_on_the_outer_variable() -> None:
    """pull is linear, so d/dc pull(c) = f'."""
    _, pull = vjp(np.sin, 0.5)
    np.testing.assert_allclose(grad(lambda c: pull(c)[0])(2.0), np.cos(0.5), rtol=1e-15)
    np.testing.assert_allclose(grad(lambda c: pull(c * c)[0])(2.0), 4 * np.cos(0.5), rtol=1e-15)
    assert type(grad(lambda c: pull(c)[0])(2.0)) is np.float64
    assert grad(lambda x: vjp(lambda y: y * y, x)[1](x)[0])(3.0) == 12.0


def test_tangent_may_depend_on_the_outer_variable() -> None:
    np.testing.assert_allclose(grad(lambda t: jvp(np.sin, (0.5,), (t,))[1])(2.0), np.cos(0.5), rtol=1e-15)
    assert grad(lambda x: jvp(lambda y: y * y, (x,), (x,))[1])(3.0) == 12.0
    _, linear = linearize(np.square, 3.0)
    assert grad(lambda t: linear(t) * t)(2.0) == 24.0


def test_pull_transposed_is_push() -> None:
    """The vjp of a vjp by its cotangent is the jvp."""
    x, u = np.array([0.1, 0.2, 0.3]), np.array([1.0, -1.0, 2.0])
    f = lambda x: np.sin(x) * x[0]
    _, pull = vjp(f, x)
    _, push = vjp(lambda c: pull(c)[0], np.zeros(3))
    np.testing.assert_allclose(push(u)[0], jvp(f, (x,), (u,))[1], rtol=1e-14)


def test_loop_of_nested_gradients() -> None:
    """A gradient descent that is itself differentiated: x ← x - a·2x, so dx_n/da = -2n(1 - 2a)^(n - 1)."""

    def descent(rate: Any) -> Any:
        x = 1.0
        for _ in range(5):
            x = x - rate * grad(lambda x: x * x)(x)
        return x

    np.testing.assert_allclose(descent(0.1), 0.8**5, rtol=1e-14)
    np.testing.assert_allclose(grad(descent)(0.1), -10 * 0.8**4, rtol=1e-14)
    np.testing.assert_allclose(grad(grad(descent))(0.1), 80 * 0.8**3, rtol=1e-14)


def matrix(x: Any) -> Any:
    """R² to R³."""
    return np.stack([x[0] * x[1], np.sin(x[0]), x[1] * x[1] * x[1]])


@pytest.mark.parametrize("outer", ["reverse", "forward", None])
@pytest.mark.parametrize("inner", ["reverse", "forward", None])
def test_jacobian_of_jacobian(inner: Any, outer: Any) -> None:
    second = jacobian(jacobian(matrix, mode=inner), mode=outer)(np.array([0.3, 2.0]))
    expected = np.zeros((3, 2, 2))
    expected[0] = [[0, 1], [1, 0]]
    expected[1, 0, 0] = -np.sin(0.3)
    expected[2, 1, 1] = 12.0
    np.testing.assert_allclose(second, expected, rtol=1e-14, atol=1e-15)
    assert type(second) is np.ndarray


def test_hessian_in_every_order() -> None:
    f = lambda x: np.sum(np.sin(x) * x[0])
    x = np.array([0.1, 0.2, 0.3])
    expected = hessian(f)(x)
    np.testing.assert_allclose(expected, expected.T, rtol=1e-14)
    for modes in itertools.product(["reverse", "forward"], repeat=2):
        np.testing.assert_allclose(jacobian(jacobian(f, mode=modes[0]), mode=modes[1])(x), expected, rtol=1e-13)
        np.testing.assert_allclose(jacobian(grad(f), mode=modes[0])(x), expected, rtol=1e-13)
    u = np.array([1.0, 2.0, -1.0])
    np.testing.assert_allclose(hvp(f, x, u), expected @ u, rtol=1e-13)
    np.testing.assert_allclose(grad(lambda x: np.sum(grad(f)(x) * u))(x), expected @ u, rtol=1e-13)
    np.testing.assert_allclose(grad(lambda x: jvp(f, (x,), (u,))[1])(x), expected @ u, rtol=1e-13)
    np.testing.assert_allclose(jvp(grad(f), (x,), (u,))[1], expected @ u, rtol=1e-13)


def test_gradient_of_a_function_of_the_hessian() -> None:
    """The trace of the Hessian of Σ x⁴ is Σ 12 x², whose gradient is 24 x."""
    x = np.array([1.0, 2.0])
    laplacian = lambda x: np.sum(hessian(lambda y: np.sum(y * y * y * y))(x) * np.eye(2))
    assert laplacian(x) == 60.0
    np.testing.assert_allclose(grad(laplacian)(x), 24 * x, rtol=1e-14)


def test_nested_structures_in_nested_transforms() -> None:
    def loss(params: Any) -> Any:
        return params["w"] * params["w"] * params["b"][0]

    def norm(params: Any) -> Any:
        slopes = grad(loss)(params)
        return slopes["w"] * slopes["w"] + slopes["b"][0] * slopes["b"][0]

    assert grad(norm)({"w": 2.0, "b": [3.0]}) == {"w": 8 * 9.0 * 2.0 + 4 * 8.0, "b": [8 * 4.0 * 3.0]}


def test_one_tensor_as_two_arguments() -> None:
    """Each use of it is an argument of its own."""
    f = lambda x: sum(grad(lambda a, b: a * a * b, (0, 1))(x, x))
    assert f(2.0) == 8.0 + 4.0
    assert grad(f)(2.0) == 6 * 2.0


def test_arguments_computed_from_each_other() -> None:
    """A walk to one argument does not go on through another that depends on it."""

    def f(x: Any) -> Any:
        y = x * x
        da, db = grad(lambda a, b: a * b, (0, 1))(x, y)
        return da * 10 + db

    assert f(3.0) == 93.0
    assert grad(f)(3.0) == 61.0


@every_derivative
def test_inside_no_grad(d: Function) -> None:
    """Transforms work inside no_grad; what comes out is not connected to anything outside."""
    w = Tensor(3.0, requires_grad=True)
    with no_grad():
        assert d(lambda x: x * x)(2.0) == 4.0
        assert d(d(lambda x: x * x * x))(2.0) == 12.0
        assert type(d(lambda x: x * x * w)(2.0)) is np.float64
        assert type(d(lambda x: x * x)(w)) is np.float64
        assert not (w * w).requires_grad


def test_vjp_and_no_grad() -> None:
    w = Tensor(3.0, requires_grad=True)
    with no_grad():
        value, pull = vjp(lambda x: x * x, w)
        assert type(value) is np.float64
        assert pull(1.0) == (6.0,)
    value, pull = vjp(lambda x: x * x, w)
    with no_grad():
        assert type(pull(1.0)[0]) is np.float64
    assert isinstance(value, Tensor)
    assert isinstance(pull(1.0)[0], Tensor)


def test_no_grad_inside_the_function_stops_the_gradient() -> None:
    def f(x: Any) -> Any:
        with no_grad():
            shift = x * x
        return x * x - shift

    assert grad(f)(3.0) == 6.0
    assert grad(grad(f))(3.0) == 2.0
    assert jvp(f, (3.0,), (1.0,)) == (0.0, 6.0)

    def g(x: Any) -> Any:
        with no_grad(), enable_grad():
            return x * x

    assert grad(g)(3.0) == 6.0


def test_backward_inside_a_transform() -> None:
    """The object-oriented interface inside the functional one."""

    def f(x: Any) -> Any:
        t = Tensor(2.0, requires_grad=True)
        (t * t * x).backward(create_graph=True)
        return t.grad * x

    assert grad(f)(3.0) == 2 * 4.0 * 3.0


def test_a_transform_leaves_the_gradients_of_parameters_alone() -> None:
    w = Tensor([1.0, 2.0], requires_grad=True)
    grad(lambda x: np.sum(w * x))(np.ones(2))
    jacobian(lambda x: w * x)(np.ones(2))
    assert w.grad is None


def test_sum_of_constants_becomes_a_tensor() -> None:
    """Contributions 1, 1 and 3x² meet at x: what was an array so far becomes a tensor."""
    f = lambda x: np.sum((x + x) + x * x * x)
    g = lambda x: np.sum(x * x * x + (x + x))
    x = np.array([1.0, 2.0])
    for h in f, g:
        np.testing.assert_array_equal(grad(h)(x), 2 + 3 * x * x)
        np.testing.assert_array_equal(hessian(h)(x), np.diag(6 * x))
        np.testing.assert_array_equal(grad(lambda x: np.sum(grad(h)(x)))(x), 6 * x)  # noqa: B023
