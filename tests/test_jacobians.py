"""Jacobians, Hessians and products with them."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import grad, hessian, hvp, jacobian
from autograd.run import Run

x3 = np.array([1.0, 2.0, 3.0])


def cube_sum(x: Any) -> Any:
    return np.sum(x * x * x)


@pytest.mark.parametrize("mode", ["reverse", "forward", None])
@pytest.mark.parametrize("in_shape", [(), (1,), (3,), (2, 3), (0,)])
@pytest.mark.parametrize("out_shape", [(), (1,), (4,), (2, 2), (0,)])
def test_jacobian_of_a_linear_function(in_shape: tuple[int, ...], out_shape: tuple[int, ...], mode: Any) -> None:
    rng = np.random.default_rng(0)
    expected = rng.normal(size=out_shape + in_shape)
    x = rng.normal(size=in_shape)
    flat = expected.reshape(int(np.prod(out_shape)), x.size)
    f = lambda x: np.reshape(flat @ np.reshape(x, (x.size,)), out_shape)
    found = jacobian(f, mode=mode)(x)
    assert found.shape == out_shape + in_shape
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_jacobian_of_a_scalar_is_the_gradient() -> None:
    np.testing.assert_array_equal(jacobian(cube_sum)(x3), grad(cube_sum)(x3))
    assert jacobian(lambda x: x * x)(3.0) == 6.0
    np.testing.assert_array_equal(jacobian(lambda x: np.stack([x, x * x, x * x * x]))(2.0), [1.0, 4.0, 12.0])


def test_jacobian_mode_is_chosen_by_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for name in "by_rows", "by_columns":
        method = getattr(Run, name)
        monkeypatch.setattr(Run, name, lambda run, name=name, method=method: (seen.append(name), method(run))[1])
    jacobian(lambda x: np.stack([x[0], x[1], x[0] * x[1]]))(np.ones(2))
    jacobian(lambda x: x[:2])(np.ones(3))
    jacobian(lambda x: x * x)(np.ones(3))
    assert seen == ["by_columns", "by_rows", "by_rows"]


@pytest.mark.parametrize("mode", ["reverse", "forward", None])
def test_jacobian_of_structures(mode: Any) -> None:
    f = lambda x, y: {"product": x * y, "rest": [x + 0.0, 1.0]}
    x, y = np.array([1.0, 2.0]), 3.0
    found = jacobian(f, (0, 1), mode=mode)(x, y)
    assert list(found) == ["product", "rest"]
    np.testing.assert_array_equal(found["product"][0], 3 * np.eye(2))
    np.testing.assert_array_equal(found["product"][1], x)
    np.testing.assert_array_equal(found["rest"][0][0], np.eye(2))
    np.testing.assert_array_equal(found["rest"][0][1], np.zeros(2))
    np.testing.assert_array_equal(found["rest"][1][0], np.zeros(2))
    assert found["rest"][1][1] == 0.0
    of_dict = jacobian(lambda p: p["a"] * p["b"], mode=mode)({"a": x, "b": y})
    np.testing.assert_array_equal(of_dict["a"], 3 * np.eye(2))
    np.testing.assert_array_equal(of_dict["b"], x)


def test_jacobian_of_a_function_of_the_jacobian() -> None:
    a = np.arange(6.0).reshape(2, 3)
    f = lambda x: np.tanh(a @ x)
    g = lambda x: np.sum(np.sin(jacobian(f)(x)))
    x, step = np.array([0.1, -0.2, 0.05]), 1e-6
    numeric = [(g(x + step * e) - g(x - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(grad(g)(x), numeric, rtol=1e-6)


def test_hessian_by_hand() -> None:
    f = lambda x: x[0] * x[0] * x[1] + np.sin(x[2])
    np.testing.assert_allclose(hessian(f)(x3), [[4.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, -np.sin(3.0)]], rtol=1e-15)
    assert hessian(lambda x: x * x * x)(2.0) == 12.0
    np.testing.assert_array_equal(hessian(lambda x: np.sum(x))(x3), np.zeros((3, 3)))
    x = np.arange(4.0).reshape(2, 2)
    np.testing.assert_array_equal(hessian(cube_sum)(x).reshape(4, 4), np.diag([0.0, 6.0, 12.0, 18.0]))


def test_hessian_of_a_vector() -> None:
    found = hessian(lambda x: x * x * x)(np.array([1.0, 2.0]))
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 0], expected[1, 1, 1] = 6.0, 12.0
    np.testing.assert_array_equal(found, expected)


def test_hessian_of_several() -> None:
    f = lambda x, y: x * x * y
    assert hessian(f, 1)(2.0, 3.0) == 0.0
    assert hessian(f, (0, 1))(2.0, 3.0) == ((6.0, 4.0), (4.0, 0.0))
    assert hessian(lambda p: p["x"] * p["x"] * p["y"])({"x": 2.0, "y": 3.0}) == {
        "x": {"x": 6.0, "y": 4.0},
        "y": {"x": 4.0, "y": 0.0},
    }


def test_hvp() -> None:
    u = np.array([1.0, -1.0, 0.5])
    np.testing.assert_array_equal(hvp(cube_sum, x3, u), 6 * x3 * u)
    np.testing.assert_array_equal(hvp(cube_sum, (x3,), (u,))[0], 6 * x3 * u)
    assert hvp(lambda x, y: x * x * y, (2.0, 3.0), (1.0, 10.0)) == (46.0, 4.0)
    assert hvp(lambda p: p["x"] * p["x"] * p["y"], {"x": 2.0, "y": 3.0}, {"y": 0.0, "x": 1.0}) == {"x": 6.0, "y": 4.0}
    np.testing.assert_array_equal(hvp(np.sum, x3, u), np.zeros(3))
