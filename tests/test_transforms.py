"""Transforms: what they return, for which arguments."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

import gc
import inspect
import re
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from autograd import (
    Tensor,
    checkpoint,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

Function = Callable[..., Any]
Point = namedtuple("Point", "x y")

x3 = np.array([1.0, 2.0, 3.0])


def cube_sum(x: Any) -> Any:
    return np.sum(x * x * x)


def test_grad_by_hand() -> None:
    assert grad(lambda x: x * x)(3.0) == 6.0
    np.testing.assert_array_equal(grad(cube_sum)(x3), 3 * x3**2)


def test_grad_with_respect_to_each_argument() -> None:
    f = lambda x, y, z: x * y + y * z * z
    assert grad(f)(2.0, 3.0, 4.0) == 3.0
    assert grad(f, 1)(2.0, 3.0, 4.0) == 18.0
    assert grad(f, argnums=2)(2.0, 3.0, 4.0) == 24.0
    assert grad(f, -1)(2.0, 3.0, 4.0) == 24.0
    assert grad(f, np.int64(1))(2.0, 3.0, 4.0) == 18.0


def test_grad_with_respect_to_several() -> None:
    f = lambda x, y, z: x * y + y * z * z
    assert grad(f, (0, 2))(2.0, 3.0, 4.0) == (3.0, 24.0)
    assert grad(f, [2, 0])(2.0, 3.0, 4.0) == (24.0, 3.0)
    assert grad(f, (1,))(2.0, 3.0, 4.0) == (18.0,)
    assert grad(f, [-1, "y"])(2.0, 3.0, 4.0) == (24.0, 18.0)
    assert grad(f, ())(2.0, 3.0, 4.0) == ()
    assert grad(f, range(3))(2.0, 3.0, 4.0) == (3.0, 18.0, 24.0)


def test_grad_by_name() -> None:
    def f(x: Any, y: Any = 2.0, *, z: Any = 5.0) -> Any:
        return x * y * y * z

    assert grad(f, "x")(1.0) == 20.0
    assert grad(f, "x")(x=1.0) == 20.0
    assert grad(f, "y")(1.0) == 20.0
    assert grad(f, "y")(1.0, 3.0) == 30.0
    assert grad(f, "y")(1.0, y=3.0) == 30.0
    assert grad(f, "z")(1.0) == 4.0
    assert grad(f, ("z", "x"))(1.0, z=2.0) == (4.0, 8.0)
    assert grad(f, 1)(1.0, y=3.0) == 30.0
    assert grad(f, 0)(x=1.0) == 20.0
    assert grad(f, 1)(1.0) == 20.0
    assert grad(lambda **named: named["a"] * 3, "a")(a=1.0) == 3.0


def test_further_arguments_pass_through() -> None:
    seen: list[Any] = []

    def f(x: Any, label: str, *rest: Any, flag: bool = False, **more: Any) -> Any:
        seen.append((label, rest, flag, more))
        return x * x

    assert grad(f)(3.0, "a", None, [1, "b"], flag=True, other={"k": 1}) == 6.0
    assert seen == [("a", (None, [1, "b"]), True, {"other": {"k": 1}})]


def test_constant_arguments_are_passed_as_they_are() -> None:
    data = np.arange(3)

    def f(x: Any, a: Any) -> Any:
        assert a is data
        return np.sum(x * a)

    np.testing.assert_array_equal(grad(f)(x3, data), [0.0, 1.0, 2.0])


def test_the_function_is_called_once() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(x)
        return x * x

    for derivative in (
        grad(cube_sum_of(f)),
        value_and_grad(cube_sum_of(f)),
        elementwise_grad(f),
        jacobian(f, mode="reverse"),
        jacobian(f, mode="forward"),
        hessian(f),
    ):
        calls.clear()
        derivative(x3)
        assert len(calls) == 1
    value, pull = vjp(f, x3)
    for _ in range(3):
        np.testing.assert_array_equal(pull(value)[0], 2 * x3**3)
    value, linear = linearize(f, x3)
    for _ in range(3):
        np.testing.assert_array_equal(linear(value), 2 * x3**3)
    assert len(calls) == 3


def cube_sum_of(f: Function) -> Function:
    return lambda x: np.sum(f(x))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,), (2, 0), (1, 1)])
def test_gradient_has_shape_and_dtype_of_its_argument(shape: tuple[int, ...], dtype: str) -> None:
    x = np.full(shape, 2, dtype)
    f = lambda x: np.sum(x * x)
    _, pull = vjp(f, x)
    for gradient in (
        grad(f)(x),
        jacobian(f)(x),
        jacobian(f, mode="forward")(x),
        pull(np.ones((), dtype))[0],
        hvp(f, x, x),
    ):
        assert gradient.shape == shape
        assert gradient.dtype == x.dtype
    np.testing.assert_array_equal(grad(f)(x), 2 * x)
    tangent = jvp(lambda x: x * x, (x,), (x,))[1]
    assert (tangent.shape, tangent.dtype) == (shape, x.dtype)
    second = hessian(f)(x)
    assert (second.shape, second.dtype) == (shape + shape, x.dtype)


def test_dtypes_mix() -> None:
    """A float32 parameter and float64 data: each gradient in the dtype of its own argument."""
    w, x = np.float32(2), np.array([1.0, 2.0])
    f = lambda w, x: np.sum(w * x)
    dw, dx = grad(f, (0, 1))(w, x)
    assert (dw.dtype, dx.dtype) == (np.float32, np.float64)
    for mode in "reverse", "forward":
        jw, jx = jacobian(lambda w, x: w * x, (0, 1), mode=mode)(w, x)
        assert (jw.dtype, jx.dtype) == (np.float32, np.float64)
        np.testing.assert_array_equal(jw, x)
        np.testing.assert_array_equal(jx, 2 * np.eye(2))


def test_plain_numbers_come_out() -> None:
    assert type(grad(np.sin)(1.0)) is np.float64
    assert type(grad(np.sin)(np.float32(1))) is np.float32
    assert type(grad(cube_sum)(x3)) is np.ndarray
    assert type(grad(np.sin)(Tensor(1.0))) is np.float64
    value, gradient = value_and_grad(cube_sum)(x3)
    assert type(value) is np.float64
    assert type(gradient) is np.ndarray
    value, pull = vjp(np.sin, x3)
    assert type(value) is type(pull(x3)[0]) is np.ndarray
    assert [type(part) for part in jvp(np.sin, (x3,), (x3,))] == [np.ndarray, np.ndarray]
    assert [type(part) for part in jvp(np.sin, (1.0,), (1.0,))] == [np.float64, np.float64]
    assert type(jacobian(np.sin)(1.0)) is np.float64


def test_leaf_that_requires_grad_as_argument() -> None:
    """Its own gradient stays as it is; the result remembers where it comes from."""
    w = Tensor(3.0, requires_grad=True)
    slope = grad(lambda w: w * w)(w)
    assert isinstance(slope, Tensor)
    assert slope.requires_grad
    assert w.grad is None
    assert type(grad(lambda w: 2 * w)(w)) is np.float64


def test_numpy_functions_themselves() -> None:
    np.testing.assert_allclose(grad(np.exp)(1.0), np.e, rtol=1e-15)
    np.testing.assert_array_equal(grad(np.sum)(x3), np.ones(3))
    np.testing.assert_array_equal(elementwise_grad(np.negative)(x3), -np.ones(3))
    assert grad(np.multiply, (0, 1))(2.0, 3.0) == (3.0, 2.0)


def test_callables_of_all_kinds() -> None:
    class Model:
        def __init__(self, w: float) -> None:
            self.w = w

        def __call__(self, x: Any) -> Any:
            return self.w * x * x

        def method(self, x: Any) -> Any:
            return self(x)

    assert grad(Model(2.0))(3.0) == 12.0
    assert grad(Model(2.0).method)(3.0) == 12.0
    assert grad(partial(lambda a, x: a * x, 5.0))(3.0) == 5.0
    assert grad(Model(2.0), "x")(3.0) == 12.0


def test_names_and_docs_are_those_of_the_function() -> None:
    def f(x: Any, scale: float = 2.0) -> Any:
        """Square x."""
        return scale * x * x

    for transform in grad, value_and_grad, elementwise_grad, jacobian, hessian, checkpoint:
        made = transform(f)
        assert (made.__name__, made.__doc__) == ("f", "Square x.")
        assert list(inspect.signature(made).parameters) == ["x", "scale"]
    assert grad(grad(f), "scale")(1.0, scale=3.0) == 2.0


def test_scalar_results() -> None:
    """Of any shape with one element; a plain number has gradient zero."""
    assert grad(lambda x: x)(2.0) == 1.0
    np.testing.assert_array_equal(grad(lambda x: np.sum(x, keepdims=True))(x3), np.ones(3))
    np.testing.assert_array_equal(grad(lambda x: np.reshape(np.sum(x * x), (1, 1)))(x3), 2 * x3)
    for constant in 1, 2.5, True, np.float32(1), np.zeros(1), Tensor(3.0), Tensor(3):
        np.testing.assert_array_equal(grad(lambda x: constant)(x3), np.zeros(3))  # noqa: B023
    assert grad(lambda x: np.argmax(x))(x3).tolist() == [0.0, 0.0, 0.0]
    assert value_and_grad(lambda x: 7)(1.0) == (7, 0.0)


def test_argument_that_is_not_used() -> None:
    dx, dy = grad(lambda x, y: x * x, (0, 1))(2.0, np.ones((2, 2), np.float32))
    assert dx == 4.0
    np.testing.assert_array_equal(dy, np.zeros((2, 2)))
    assert dy.dtype == np.float32
    assert grad(lambda p: p["a"] * 1.0)({"a": 2.0, "b": [3.0, ()]}) == {"a": 1.0, "b": [0.0, ()]}


def test_argument_used_twice() -> None:
    assert grad(lambda x: x * x + x)(3.0) == 7.0
    assert grad(lambda xs: xs[0] * xs[0] * xs[1])([3.0, 2.0]) == [12.0, 9.0]


def test_assignment_into_an_argument() -> None:
    """What f assigns into is its own; the caller's array stays as it was."""

    def f(x: Any) -> Any:
        x[0] = x[1] * x[2]
        x *= 2
        return np.sum(x * x)

    x = x3.copy()
    np.testing.assert_array_equal(grad(f)(x), [0.0, 8 * 2 + 8 * 6 * 3, 8 * 3 + 8 * 6 * 2])
    np.testing.assert_array_equal(x, x3)
    t = Tensor(x3, requires_grad=True)
    grad(f)(t)
    np.testing.assert_array_equal(t.data, x3)
    assert t.is_leaf
    value, tangent = jvp(f, (x,), (np.ones(3),))
    assert (value, tangent) == (4 * (36 + 4 + 9), 16 + 144 + 24 + 96)
    np.testing.assert_array_equal(x, x3)


def test_results_share_no_memory() -> None:
    """Neither with arguments, nor with seeds, nor with each other, and all can be written to."""
    a, b, seed = np.ones(3), np.ones(3), np.ones(3)
    value, pull = vjp(lambda a, b: a + b, a, b)
    parts = [value, *pull(seed), *pull(seed)]
    for index, part in enumerate(parts):
        for other in [a, b, seed, *parts[:index]]:
            assert not np.shares_memory(part, other)
        part += 1
    tangent = jvp(lambda a: a, (a,), (seed,))[1]
    assert not np.shares_memory(tangent, seed)
    gradient = grad(np.sum)(a)
    gradient += 1
    np.testing.assert_array_equal(a, np.ones(3))


def test_awkward_arrays() -> None:
    """Read-only, Fortran-ordered, strided and 0-d."""
    x = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    x.flags.writeable = False
    for view in x, x[::-1, ::2], x.T, np.broadcast_to(x3, (2, 3)):
        np.testing.assert_array_equal(grad(cube_sum)(view), 3 * view**2)
    assert grad(lambda x: x * x)(np.array(3.0)).shape == ()


# value_and_grad, aux


def test_value_and_grad() -> None:
    value, gradient = value_and_grad(cube_sum)(x3)
    assert value == 36.0
    np.testing.assert_array_equal(gradient, 3 * x3**2)
    assert value_and_grad(lambda x, y: x * y, (0, 1))(2.0, 3.0) == (6.0, (3.0, 2.0))


def test_aux() -> None:
    f = lambda x: (x * x, {"x": x, "twice": [2 * x], "label": "a", "count": 3, "none": None})
    aux = {"x": 3.0, "twice": [6.0], "label": "a", "count": 3, "none": None}
    for gradient, found in (
        grad(f, has_aux=True)(3.0),
        jacobian(f, has_aux=True)(3.0),
        jacobian(f, mode="forward", has_aux=True)(3.0),
    ):
        assert gradient == 6.0
        assert found == aux
        assert type(found["x"]) is type(found["twice"][0]) is np.float64
    assert value_and_grad(f, has_aux=True)(3.0) == ((9.0, aux), 6.0)
    assert hessian(f, has_aux=True)(3.0) == (2.0, aux)
    value, pull, found = vjp(f, 3.0, has_aux=True)
    assert (value, pull(1.0), found) == (9.0, (6.0,), aux)
    assert jvp(f, (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, aux)
    value, linear, found = linearize(f, 3.0, has_aux=True)
    assert (value, linear(1.0), found) == (9.0, 6.0, aux)


def test_aux_may_be_anything() -> None:
    marker = object()
    assert grad(lambda x: (x, marker), has_aux=True)(1.0) == (1.0, marker)
    assert grad(lambda x: (x, ()), has_aux=True)(1.0) == (1.0, ())


# elementwise_grad


def test_elementwise_grad() -> None:
    np.testing.assert_allclose(elementwise_grad(np.sin)(x3), np.cos(x3), rtol=1e-15)
    np.testing.assert_allclose(elementwise_grad(elementwise_grad(np.sin))(x3), -np.sin(x3), rtol=1e-15)
    np.testing.assert_array_equal(elementwise_grad(lambda a, b: a * b, 1)(x3, 2 * x3), x3)
    assert elementwise_grad(np.square)(3.0) == 6.0
    np.testing.assert_array_equal(elementwise_grad(lambda x: 1.0)(x3), np.zeros(3))
    np.testing.assert_array_equal(elementwise_grad(lambda x: (x, [x * x]))(x3), 1 + 2 * x3)
    assert elementwise_grad(np.sin)(np.float32([1, 2])).dtype == np.float32


# vjp


def test_vjp_of_several() -> None:
    f = lambda x, y: (x * y, x + y)
    value, pull = vjp(f, 2.0, np.array([3.0, 4.0]))
    np.testing.assert_array_equal(value[0], [6.0, 8.0])
    dx, dy = pull((np.array([1.0, 1.0]), np.array([0.0, 10.0])))
    assert dx == 17.0
    np.testing.assert_array_equal(dy, [2.0, 12.0])


def test_pull_can_be_called_again() -> None:
    _, pull = vjp(lambda x: x * x * x, 2.0)
    assert [pull(c)[0] for c in (1.0, 2.0, 1.0)] == [12.0, 24.0, 12.0]


def test_one_node_as_two_results() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return y, y, x, 3.0

    value, pull = vjp(f, 3.0)
    assert value == (9.0, 9.0, 3.0, 3.0)
    assert pull((1.0, 10.0, 100.0, 1000.0)) == (166.0,)


def test_vjp_without_primals() -> None:
    value, pull = vjp(lambda: 3.0)
    assert value == 3.0
    assert pull(1.0) == ()


def test_integer_results_have_no_derivative() -> None:
    value, pull = vjp(lambda x: (np.argmax(x), x), x3)
    assert value[0] == 2
    np.testing.assert_array_equal(pull((0, x3))[0], x3)
    (index, _), (tangent, _) = jvp(lambda x: (np.argmax(x), x), (x3,), (x3,))
    assert (index, tangent) == (2, 0)


def test_functions_with_several_outputs() -> None:
    np.testing.assert_array_equal(grad(lambda x: np.sum(np.modf(x)[0] * 3))(x3 + 0.5), 3 * np.ones(3))


# jvp and linearize


def test_jvp_by_hand() -> None:
    assert jvp(lambda x, y: x * x * y, (3.0, 2.0), (1.0, 0.0)) == (18.0, 12.0)
    assert jvp(lambda x, y: x * x * y, [3.0, 2.0], [0.0, 1.0]) == (18.0, 9.0)
    value, tangent = jvp(np.multiply, (x3, 2.0), (np.ones(3), 10.0))
    np.testing.assert_array_equal(value, 2 * x3)
    np.testing.assert_array_equal(tangent, 2 + 10 * x3)


def test_jvp_of_a_constant() -> None:
    value, tangent = jvp(lambda x: np.ones((2, 2)), (1.0,), (1.0,))
    np.testing.assert_array_equal(value, np.ones((2, 2)))
    np.testing.assert_array_equal(tangent, np.zeros((2, 2)))
    assert jvp(lambda x: 5.0, (x3,), (x3,)) == (5.0, 0.0)


def test_jvp_and_vjp_agree() -> None:
    rng = np.random.default_rng(0)
    f = lambda x, y: np.tanh(x @ y) * np.sum(x)
    x, y, dx, dy, c = (rng.normal(size=shape) for shape in [(2, 3), (3, 4), (2, 3), (3, 4), (2, 4)])
    _, tangent = jvp(f, (x, y), (dx, dy))
    cx, cy = vjp(f, x, y)[1](c)
    np.testing.assert_allclose(np.sum(tangent * c), np.sum(cx * dx) + np.sum(cy * dy), rtol=1e-12)


def test_linearize() -> None:
    value, linear = linearize(lambda x, p: x * p["w"], 2.0, {"w": x3})
    np.testing.assert_array_equal(value, 2 * x3)
    np.testing.assert_array_equal(linear(1.0, {"w": np.zeros(3)}), x3)
    np.testing.assert_array_equal(linear(0, {"w": np.ones(3)}), [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(linear(1.0, {"w": np.ones(3)}), x3 + 2)


# Size


def test_23_deep_chains() -> None:
    def chain(x: Any) -> Any:
        for _ in range(200_000):
            x = -x
        return x

    assert grad(chain)(2.0) == 1.0
    assert jvp(chain, (2.0,), (1.0,)) == (2.0, 1.0)


def test_transforms_leave_no_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        for transform in (
            grad(cube_sum),
            hessian(cube_sum),
            jacobian(np.sin),
            grad(checkpoint(cube_sum)),
            lambda x: vjp(np.sin, x)[1](x),
        ):
            transform(x3)
            assert gc.collect() == 0
    finally:
        gc.enable()


def test_public_functions_have_examples() -> None:
    for function in grad, value_and_grad, elementwise_grad, jacobian, hessian, vjp, jvp, linearize, hvp, checkpoint:
        assert re.search(r"\n *Examples\n *-+\n *>>> ", str(function.__doc__)), function
