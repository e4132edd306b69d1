"""gradcheck passes what is right, and names the row that is wrong: errors are planted in a table of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd import Tensor, differentiable, gradcheck, no_grad
from autograd.checks import Call, Check
from autograd.dispatch import dispatched
from autograd.errors import DtypeError, GradcheckError
from autograd.rules.activations import relu
from autograd.table import PAGES, TABLE, elementwise, general, linear, multilinear
from autograd.transforms import grad


@pytest.fixture(autouse=True)
def own_table() -> Iterator[None]:
    """Rows that a test plants are gone after it."""
    rows, pages = dict(TABLE), dict(PAGES)
    yield
    for table, before in ((TABLE, rows), (PAGES, pages)):
        table.clear()
        table.update(before)


def planted(kind: Callable[..., Any], forward: Callable[..., Any], *rules: Any, **options: Any) -> Any:
    """A function with a row of this kind."""
    function = dispatched(forward)
    kind(function, *rules, **options)
    return function


x = np.array([0.3, -0.7, 1.1])

GRADIENT = "the gradient of a random sum of outputs with respect to"


# What is right


def test_right_functions_pass() -> None:
    assert gradcheck(lambda a, b: np.tanh(a * b) - b, np.ones((2, 3)), np.array([0.5, 1.0, -2.0])) is True
    assert gradcheck(lambda a: np.sum(a**3), x, order=3)
    assert gradcheck(np.sin, 0.3)
    assert gradcheck(np.sin, np.float64(0.3))
    assert gradcheck(np.square, np.zeros((0, 3)))
    assert gradcheck(lambda a: a[0] * np.ones(2), [0.5, 2.0])


@pytest.mark.parametrize("modes", ["reverse", "forward", ("reverse",), ["forward", "reverse"]])
def test_modes(modes: Any) -> None:
    assert gradcheck(np.exp, x, modes=modes)


def test_unknown_mode() -> None:
    with pytest.raises(
        ValueError, match=r'^the modes of gradcheck are "reverse" and "forward", not \(\'backward\',\)$'
    ):
        gradcheck(np.exp, x, modes="backward")


class Layer(NamedTuple):
    w: Any
    b: Any


def test_nested_arguments_and_results() -> None:
    def model(params: Any, inputs: Any, power: int, scale: float = 1.0, name: str = "", extra: Any = None) -> Any:
        hidden = np.tanh(inputs * params["hidden"].w + params["hidden"].b)
        return {"value": (hidden**power * scale).sum(), "all": [hidden * extra, (params["out"][0], name, 3)]}

    params = {"hidden": Layer(np.ones(3), 0.5), "out": [2.0, None]}
    assert gradcheck(model, params, x, 2, scale=3.0, name="model", extra=np.array(2.0))


def test_integers_pass_through() -> None:
    assert gradcheck(lambda a, axis, index: a.sum(axis)[index], np.ones((2, 3)), 0, np.array([0, 2]))


def test_tensors_are_arguments_and_stay_as_they_are() -> None:
    w = Tensor(x, requires_grad=True)
    assert gradcheck(lambda a, b: (a * b).sum(), w, Tensor(2.0))
    assert w.grad is None
    np.testing.assert_array_equal(w.data, x)


def test_closed_over_tensors_are_constants() -> None:
    w = Tensor(x, requires_grad=True)
    assert gradcheck(lambda a: a * w, x)
    assert w.grad is None


def test_it_records_also_under_no_grad() -> None:
    with no_grad():
        assert gradcheck(np.exp, x)


def test_transforms_inside() -> None:
    assert gradcheck(grad(lambda a: np.sum(np.sin(a) * a)), x, order=1)


def test_an_output_twice_and_an_input_as_output() -> None:
    def twice(a: Any) -> Any:
        y = np.exp(a)
        return y, y, a, 1.0

    assert gradcheck(twice, x)


def test_large_arguments_and_values() -> None:
    assert gradcheck(lambda a: 1e3 * np.sum(a * a), 1e4 * x)
    assert gradcheck(lambda a: np.log(a).sum(), 1e6 * abs(x))


# What is wrong: the message names the row


def test_wrong_local_in_a_composed_function() -> None:
    wrong = planted(elementwise, lambda x: np.sin(x), lambda x: 1.1 * np.cos(x))
    wrong_row(wrong, "wrong_sin")

    def loss(params: Any) -> Any:
        return np.sum(np.exp(wrong(params["w"] * 2.0)))

    with pytest.raises(GradcheckError) as caught:
        gradcheck(loss, {"w": np.array([0.5, 0.0])})
    # exp(sin 2w) 2 cos 2w: at w = 0.5 that is 2.50671, at w = 0 it is 2; the seeds are random
    message = str(caught.value)
    assert message.startswith(
        f"gradcheck of loss, reverse: {GRADIENT} args[0]['w'], float64 (2,), is wrong at index (0,): analytic "
    )
    assert "; the row 'wrong_sin' is wrong: in wrong_sin(float64 (2,)), input 0 ('x') at index (" in message
    assert message.endswith("; fix its rule for 'x'")
    analytic, numeric = numbers_in(message)
    assert analytic == pytest.approx(1.1 * numeric, rel=1e-4)


def numbers_in(message: str) -> tuple[float, float]:
    """The analytic and the numeric value that a message ends with."""
    words = message.replace(",", " ").replace(";", " ").split()
    last = {word: float(words[i + 1]) for i, word in enumerate(words) if word in ("analytic", "numeric")}
    return last["analytic"], last["numeric"]


def wrong_row(function: Any, name: str) -> None:
    """Give a planted row a name."""
    TABLE[function].name = name


def test_the_whole_message() -> None:
    double = planted(linear, lambda x: 2 * x, lambda g: 3 * g)
    wrong_row(double, "double")
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda a, b: (double(b) + a).sum(), np.ones(1), np.ones(1), modes="reverse", seed=Ones())
    assert str(caught.value) == (
        f"gradcheck of <lambda>, reverse: {GRADIENT} args[1], float64 (1,), is wrong at index (0,): analytic 3, "
        "numeric 2; the row 'double' is wrong: in double(float64 (1,)), input 0 "
        "('x') at index (0,): analytic 3, numeric 2; fix its rule for 'x'"
    )


class Ones(np.random.Generator):
    """A generator of nothing but ones, for messages with known numbers."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def normal(self, *, size: Any) -> Any:
        return np.ones(size)


def test_wrong_adjoint_of_the_second_argument() -> None:
    product = planted(multilinear, lambda x, y: x @ y, lambda g, y: g @ y.T, lambda g, x: x.T @ g * 2)
    wrong_row(product, "product")
    with pytest.raises(
        GradcheckError,
        match=r"'product' is wrong: in product\(float64 \(2, 3\), float64 \(3, 2\)\), "
        r"input 1 \('y'\) at index .*; fix its rule for 'y'$",
    ):
        gradcheck(lambda a, b: np.tanh(product(a, b)), np.ones((2, 3)) / 3, np.ones((3, 2)))


def test_wrong_jvp_alone() -> None:
    square = planted(general, lambda x: x * x, lambda g, x: 2 * g * x, jvps=(lambda t, x: t * x,))
    wrong_row(square, "square")
    assert gradcheck(lambda a: np.sin(square(a)), x, modes="reverse")
    with pytest.raises(
        GradcheckError,
        match=r"^gradcheck of <lambda>, forward: the tangent of output 0, float64 \(3,\), is wrong at index",
    ) as caught:
        gradcheck(lambda a: np.sin(square(a)), x)
    assert "the row 'square' is wrong: in square(float64 (3,)), input 0 ('x') at index (" in str(caught.value)
    assert str(caught.value).endswith("; fix its jvp for 'x'")


def test_a_linear_row_that_is_not_linear() -> None:
    shifted = planted(linear, lambda x: 2 * x + 1, lambda g: 2 * g)
    wrong_row(shifted, "shifted")
    assert gradcheck(shifted, x, modes="reverse")
    with pytest.raises(
        GradcheckError, match=r"'shifted' is wrong: .*; it is not linear in 'x', so declare it by a vjp$"
    ):
        gradcheck(shifted, x)


def detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def test_right_to_first_order_only() -> None:
    sine = planted(elementwise, lambda x: np.sin(x), lambda x: np.cos(detached(x)))
    wrong_row(sine, "sine")
    assert gradcheck(lambda a: np.exp(sine(a)), x, order=1)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda a: np.exp(sine(a)), x)
    message = str(caught.value)
    assert message.startswith("gradcheck of <lambda>, reverse over reverse: the gradient of a random sum of outputs ")
    assert "; the row 'sine' is wrong: in sine(float64 (3,)), input 0 ('x') at index (" in message
    assert message.endswith(
        "; its rule for 'x' is right, but not the derivative of it: let it use only NumPy and this package"
    )


def test_forward_over_reverse() -> None:
    sine = planted(elementwise, lambda x: np.sin(x), lambda x: np.cos(detached(x)))
    wrong_row(sine, "sine")
    call = Call(lambda a: np.exp(sine(a)), (x,), {})
    check = Check(call, ("forward",), 1e-6, 1e-5, 1e-6, np.random.default_rng(0))
    gradient = check.derivative(call, call.start, "reverse")
    with pytest.raises(
        GradcheckError,
        match=r"^gradcheck of <lambda>, forward over reverse: the tangent of the gradient with respect to args\[0\], "
        r"float64 \(3,\), is wrong at index .*; the row 'sine' is wrong: ",
    ):
        check.derivatives(gradient, ("reverse",), 1)


def test_jvp_right_to_first_order_only() -> None:
    square = planted(general, lambda x: x * x, lambda g, x: 2 * g * x, jvps=(lambda t, x: 2 * t * detached(x),))
    wrong_row(square, "square")
    assert gradcheck(square, x, modes="reverse")
    with pytest.raises(
        GradcheckError,
        match=r"over .*forward: .* 'square' is wrong.*; its jvp for 'x' is right, but not the derivative",
    ):
        gradcheck(lambda a: np.exp(square(a)), x)


def test_a_row_that_is_wrong_in_a_rule_only() -> None:
    """The rule of a right row calls a wrong row: the wrong one is named."""
    wrong = planted(elementwise, lambda x: np.cos(x), lambda x: np.sin(x))
    wrong_row(wrong, "cosine")
    right = planted(elementwise, lambda x: np.sin(x), lambda x: wrong(x))
    wrong_row(right, "sine")
    with pytest.raises(GradcheckError, match=r"reverse over reverse: .* 'cosine' is wrong: .*; fix its rule for 'x'$"):
        gradcheck(lambda a: np.exp(right(a)), x)


def test_one_wrong_element_of_many() -> None:
    mask = np.ones(5000)
    mask[4321] = 1.5
    wrong = planted(elementwise, lambda x: np.sin(x), lambda x: np.cos(x) * mask)
    wrong_row(wrong, "wrong")
    with pytest.raises(GradcheckError, match=r"input 0 \('x'\) at index \(4321,\): analytic .*; fix its rule for 'x'$"):
        gradcheck(lambda a: wrong(2 * a), np.linspace(0, 1, 5000), modes="reverse")


def test_nan_in_a_rule() -> None:
    wrong = planted(elementwise, lambda x: np.sin(x), lambda x: np.cos(x) * np.nan)
    wrong_row(wrong, "wrong")
    with pytest.raises(GradcheckError, match=r"the row 'wrong' is wrong: .* analytic nan, numeric "):
        gradcheck(wrong, x)


def test_a_wrong_row_beside_a_number() -> None:
    """A constant operand may be a Python float, which has no shape of its own."""

    @differentiable((lambda y: -y, lambda x: x))
    def product(x: Any, y: Any) -> Any:
        return x * y

    with pytest.raises(
        GradcheckError, match=r"'product' is wrong: in product\(float64 \(2,\), float64 \(\)\), input 0 "
    ):
        gradcheck(lambda a: product(a, 3.0), np.array([1.0, 2.0]))


# Functions that cannot be checked


def test_a_kink() -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda a: relu(a * 2), np.array([1.0, 0.0]), modes="reverse", seed=Ones())
    assert str(caught.value) == (
        f"gradcheck of <lambda>, reverse: {GRADIENT} args[0], float64 (2,), is wrong at index (1,): analytic 0, "
        "numeric 1 (0 on one side, 2 on the other); the row 'relu' is not smooth there: in relu(float64 (2,)), input 0 "
        "('x') at index (1,): analytic 0, numeric 0.5 (0 on one side, 1 on the other); check at a point away from it"
    )


@pytest.mark.parametrize(
    ("f", "at", "row"),
    [
        (np.abs, 0.0, "'absolute' is not smooth there: in absolute(float64 ()), input 0 ('x')"),
        (np.max, np.ones(2), "'max' is not smooth there: in max(float64 (2,), None, None, False, None, True), input 0"),
    ],
)
def test_a_kink_whose_derivative_is_the_mean_of_both_sides(f: Any, at: Any, row: str) -> None:
    """Central differences agree with the derivative; that of the derivative is infinite."""
    with pytest.raises(GradcheckError) as caught:
        gradcheck(f, at)
    message = str(caught.value)
    assert message.startswith(f"gradcheck of {f.__name__}, reverse over reverse: {GRADIENT} args[0], float64 ")
    assert f"; the row {row}" in message
    assert message.endswith("; check at a point away from it")


def test_a_wrong_derivative_of_a_rule_is_blamed_where_the_function_is_curved() -> None:
    """In short steps the slopes of x² / 2 on two sides differ by their length, which is no kink."""
    half_square = differentiable(lambda x: x.detach() if isinstance(x, Tensor) else x)(lambda x: x * x / 2)
    with pytest.raises(GradcheckError, match=r"its rule for 'x' is right, but not the derivative of it"):
        gradcheck(half_square, np.array([0.0, 3.0]))


def test_a_part_outside_the_record() -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda a: a * a.detach(), np.array([3.0]), modes="reverse", seed=Ones())
    assert str(caught.value) == (
        f"gradcheck of <lambda>, reverse: {GRADIENT} args[0], float64 (1,), is wrong at index (0,): analytic 3, "
        "numeric 6; every row in the record is right, so <lambda> is not smooth here, or it computes a part of its "
        "result outside the record (detach(), .data, functions with derivative 0), or a hook changes a gradient"
    )


def test_a_function_that_is_not_repeatable() -> None:
    rng = np.random.default_rng(0)

    def noisy(a: Any) -> Any:
        return a, a * rng.normal(size=3)

    with pytest.raises(GradcheckError) as caught:
        gradcheck(noisy, x)
    assert str(caught.value) == (
        "gradcheck of noisy: called twice with the same arguments, it gave two different results for its output 1, "
        "float64 (3,); let it seed its random generator itself"
    )


def test_a_value_that_is_not_finite() -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(np.log, np.array([1.0, 0.0]))
    assert str(caught.value) == (
        "gradcheck of log: its output 0, float64 (2,), is -inf at index (1,); check it where its value is finite"
    )


def test_the_border_of_a_domain() -> None:
    with pytest.raises(GradcheckError, match=r"'sqrt' is not smooth there: .* analytic inf, and the values around it"):
        gradcheck(np.sqrt, np.array([1.0, 0.0]))


def test_float32_argument() -> None:
    with pytest.raises(DtypeError) as caught:
        gradcheck(np.tanh, np.ones(3, np.float32))
    assert str(caught.value) == (
        "gradcheck of tanh: args[0] has dtype float32, in which differences are too coarse to check a derivative; "
        "compute in float64"
    )


def test_float32_result() -> None:
    with pytest.raises(DtypeError) as caught:
        gradcheck(lambda a: np.astype(a, np.float32), x)
    assert str(caught.value) == (
        "gradcheck of <lambda>: it returned float32, in which differences are too coarse to check a derivative; "
        "compute in float64"
    )


def test_float32_inside() -> None:
    with pytest.raises(DtypeError) as caught:
        gradcheck(lambda a: np.astype(np.exp(np.astype(a, np.float32)), np.float64), x)
    assert str(caught.value) == (
        "gradcheck of <lambda>: its 'astype' has an operand or value in float32, in which differences are too coarse "
        "to check a derivative; compute in float64"
    )


def test_nothing_to_check() -> None:
    with pytest.raises(DtypeError) as caught:
        gradcheck(np.tanh, 3, scale=2.0)
    assert str(caught.value) == (
        "gradcheck of tanh: none of its arguments is a float64 number, array or Tensor, so there is no derivative to "
        "check; give floating arguments, such as 3.0 for 3"
    )


@differentiable(vjp=(lambda g, y: g * y, lambda g, x: 7 * g * x))
def wrong_in_y(x: Any, y: Any) -> Any:
    """A product with an error planted in its second rule."""
    return x * y


def test_a_number_that_is_an_option_too_is_checked() -> None:
    half = 0.5
    with pytest.raises(GradcheckError, match="wrong_in_y"):
        gradcheck(lambda x, y, alpha: wrong_in_y(x, y) * alpha, np.ones(3), half, alpha=half)
    assert gradcheck(lambda x, p: x**p, half, p=half)


@pytest.mark.parametrize("result", [None, 3, (), [None]])
def test_a_function_that_returns_nothing_to_check(result: Any) -> None:
    def f(x: Any) -> Any:
        return result

    with pytest.raises(DtypeError) as caught:
        gradcheck(f, np.ones(3))
    assert str(caught.value) == (
        "gradcheck of f: it returned no float64 number, array or Tensor, so there is no derivative to check; "
        "is there a return?"
    )


def test_a_function_may_assign_into_its_argument() -> None:
    def f(x: Any) -> Any:
        x[0] = x[1] * 2
        return x

    assert gradcheck(f, np.array([1.0, 2.0, 3.0]), order=2)
