"""How transforms complain: each message as a whole."""

# ruff: noqa: E731 - a formula reads best as a formula

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, grad, jacobian, jvp, linearize, no_grad, value_and_grad, vjp
from autograd.errors import DtypeError, OutOfRangeError, ShapeError

x3 = np.array([1.0, 2.0, 3.0])


def message(kind: type[Exception], call: Callable[[], Any]) -> str:
    """The whole message of the error that a call raises."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return str(caught.value)


def f(x: Any) -> Any:
    return x * x


def test_05_integers_are_refused() -> None:
    advice = "which has no derivative; use a floating dtype"
    assert message(DtypeError, lambda: grad(f)(3)) == (
        f"grad of f: argument 0 is 3 of type int, {advice}: a Python float, or an array of floats"
    )
    assert message(DtypeError, lambda: grad(f)(np.arange(3))) == (
        f"grad of f: argument 0 has dtype int64 and shape (3,), {advice}, such as x.astype(float)"
    )
    for wrong in True, np.array(True), Tensor([1, 2]), np.int8(1), 1j, "a", np.array(["a"]), object(), np.array(1j):
        with pytest.raises(DtypeError):
            grad(f)(wrong)
        with pytest.raises(DtypeError):
            jvp(f, (wrong,), (1.0,))
    assert message(DtypeError, lambda: grad(f, "p")(x=1.0, p={"a": [1.0, 2]})).startswith(
        "grad of f: argument 'p'['a'][1] is 2 of type int"
    )


def test_19_result_that_is_not_a_scalar() -> None:
    assert message(ShapeError, lambda: grad(f)(x3)) == (
        "grad of f: the function must return a scalar, but its result has shape (3,); "
        "use jacobian or elementwise_grad, or sum the result with .sum()"
    )
    assert message(ShapeError, lambda: value_and_grad(f)(np.zeros((2, 0)))).startswith(
        "value_and_grad of f: the function must return a scalar, but its result has shape (2, 0)"
    )
    assert message(TypeError, lambda: grad(lambda x: (x, x))(1.0)) == (
        "grad of <lambda>: the function must return a scalar, not a tuple of 2; "
        "use has_aux=True if it returns (value, aux), or jacobian or vjp for several results"
    )
    assert message(TypeError, lambda: grad(lambda x: None)(1.0)).startswith(
        "grad of <lambda>: the function must return a scalar, not None; "
    )


def test_result_that_is_not_a_number() -> None:
    assert message(DtypeError, lambda: vjp(lambda x: [x, "a"], 1.0)) == (
        "vjp of <lambda>: the function returned an object of type str; it must return numbers, arrays, or nested "
        "tuples, lists and dicts of them (has_aux=True lets it return something else besides)"
    )


def test_aux_without_a_pair() -> None:
    for wrong in (lambda x: x), (lambda x: (x, x, x)), (lambda x: [x, x]):
        with pytest.raises(TypeError, match=r"with has_aux=True the function must return a pair \(value, aux\)"):
            grad(wrong, has_aux=True)(1.0)


def test_arguments_that_are_not_there() -> None:
    g = lambda x, y: x * y
    assert message(OutOfRangeError, lambda: grad(g, 2)(1.0, 2.0)) == (
        "grad of <lambda>: there is no argument 2 in a call with 2 positional arguments; "
        "argnums must name arguments of the call"
    )
    assert message(OutOfRangeError, lambda: grad(g, ("x", "z"))(1.0, y=2.0)) == (
        "grad of <lambda>: there is no argument 'z' in a call with 1 positional arguments and y=; "
        "argnums must name arguments of the call"
    )
    with pytest.raises(OutOfRangeError):
        grad(g, -3)(1.0, 2.0)
    with pytest.raises(OutOfRangeError):
        grad(np.sin, "y")(1.0)
    assert message(TypeError, lambda: grad(g, 1.5)(1.0, 2.0)) == (  # type: ignore[arg-type]
        "grad of <lambda>: argnums must be a position, a name, or a tuple of them, not float"
    )
    assert message(ShapeError, lambda: grad(g, (1, -1))(1.0, 2.0)) == (
        "grad of <lambda>: argnums=(1, -1) names an argument twice; name each one once"
    )


def test_19_cotangents_that_do_not_fit() -> None:
    _, pull = vjp(f, x3)
    assert message(ShapeError, lambda: pull(np.ones(2))) == (
        "vjp of f: the cotangent has shape (2,), but the value has shape (3,)"
    )
    assert (
        message(ShapeError, lambda: pull(1.0)) == "vjp of f: the cotangent has shape (), but the value has shape (3,)"
    )
    assert message(DtypeError, lambda: pull(np.ones(3, np.float32))) == (
        "vjp of f: the cotangent has dtype float32, but the value has dtype float64; convert it with astype('float64')"
    )
    assert message(ShapeError, lambda: pull((x3,))) == (
        "vjp of f: the cotangent has the structure (*,), but the value has *; "
        "nest tuples, lists and dicts in the same way, with an array or a float for each *"
    )
    assert message(DtypeError, lambda: pull("a")) == "vjp of f: the cotangent is 'a'; it must be an array or a float"
    _, pull = vjp(lambda x: {"a": [x, x3]}, 1.0)
    assert message(ShapeError, lambda: pull({"a": [1.0, 1.0]})) == (
        "vjp of <lambda>: the cotangent['a'][1] has shape (), but the value['a'][1] has shape (3,)"
    )


def test_tangents_that_do_not_fit() -> None:
    assert message(ShapeError, lambda: jvp(f, (x3,), (np.ones((3, 1)),))) == (
        "jvp of f: tangents[0] has shape (3, 1), but primals[0] has shape (3,)"
    )
    assert message(DtypeError, lambda: jvp(f, (np.float32(2),), (np.float64(1),))) == (
        "jvp of f: tangents[0] has dtype float64, but primals[0] has dtype float32; convert it with astype('float32')"
    )
    assert message(ShapeError, lambda: jvp(f, (x3,), ())) == (
        "jvp of f: tangents has the structure (), but primals has (*,); "
        "nest tuples, lists and dicts in the same way, with an array or a float for each *"
    )
    with pytest.raises(ShapeError):
        jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},))
    with pytest.raises(ShapeError):
        linearize(f, 1.0)[1](1.0, 2.0)
    assert message(TypeError, lambda: jvp(f, 1.0, (1.0,))) == (  # type: ignore[arg-type]
        "jvp: the primals must be a tuple or list with one entry for each argument of the function, not float; "
        "write (primal,) for one argument"
    )
    with pytest.raises(TypeError, match="the tangents must be a tuple or list"):
        jvp(f, (x3,), x3)  # type: ignore[arg-type]


def test_unknown_mode() -> None:
    assert message(ShapeError, lambda: jacobian(f, mode="sideways")) == (
        "jacobian: mode is 'sideways'; it must be 'reverse', 'forward', or None to choose by shape"
    )


def test_an_error_in_the_function_passes_through() -> None:
    def fails(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        grad(fails)(1.0)
    with no_grad(), pytest.raises(KeyError, match="mine"):
        grad(fails)(1.0)
    assert (Tensor(1.0, requires_grad=True) * 1).requires_grad
