"""Formulas of the command line: what they compute, and what is said of those that cannot be read."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from autograd import AutogradError, ExpressionError, softmax
from autograd.view.expression import ALLOWED, FUNCTIONS, LONGEST, SHOWN, parse, values_of


def refused(text: str, **values: object) -> str:
    with pytest.raises(ExpressionError) as caught:
        parse(text, values)
    return str(caught.value)


# What formulas compute


def test_the_product_of_a_sum() -> None:
    f = parse("(x + y) * z", values_of(["x=-2", "y=5", "z=-4"]))
    assert str(f.graph()) == (
        "f = multiply  -12  grad 1\n"
        "├─ ∂ -4 · add  3  grad -4\n"
        "│  ├─ ∂ 1 · x  -2  grad -4\n"
        "│  └─ ∂ 1 · y  5  grad -4\n"
        "└─ ∂ 3 · z  -4  grad 3"
    )


def test_named_parts_name_their_nodes() -> None:
    g = parse("c = a * b; d = c + a; e = d * a", {"a": 2, "b": -3})
    assert g.name == "e"
    assert g.item() == -8
    lines = [line.lstrip("│├└─ ") for line in str(g.graph()).splitlines()]
    assert lines[:3] == ["e = multiply  -8  grad 1", "∂ 2 · d = add  -4  grad 2", "∂ 1 · c = multiply  -6  grad 2"]
    assert "a  2  grad -8" in str(g.graph())


def test_lines_are_parts_too() -> None:
    assert parse("q = x + 1\r\nq * q\n", {"x": 2}).item() == 9


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x - -x", 6.0),
        ("+x / 2", 1.5),
        ("2 ** x ** 2", 512.0),
        ("-x ** 2", -9.0),
        ("1e1 * x + .5", 30.5),
        ("maximum(x, 4) + minimum(x, 4)", 7.0),
        ("relu(-x) + leaky_relu(-x, 0.5)", -1.5),
        ("clip(x, 0, 1)", 1.0),
        ("clip(2 * x, 0, 10)", 6.0),
        ("abs(-x)", 3.0),
    ],
)
def test_arithmetic(text: str, value: float) -> None:
    result = parse(text, {"x": 3.0})
    assert result.item() == value
    assert result.requires_grad


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_can_be_called(name: str) -> None:
    function = FUNCTIONS[name]
    arguments = [1.5, 2.5, 3.5][: 3 if name == "clip" else getattr(function, "nin", 1)]
    if name in ("arccos", "acos", "arcsin", "asin", "arctanh", "atanh"):
        arguments = [0.5]
    f = parse(f"x * {name}({', '.join(['x', *map(str, arguments[1:])])})", {"x": arguments[0]})
    assert f.item() == pytest.approx(arguments[0] * function(*arguments).item(), rel=1e-14)


def test_arrays() -> None:
    w, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    values = values_of(["W=[[1,2],[3,4]]", "x=[1, -1]"])
    np.testing.assert_array_equal(parse("W @ x", values).numpy(), w @ x)
    np.testing.assert_array_equal(parse("sum(W, 0) * x", values).numpy(), w.sum(0) * x)
    np.testing.assert_array_equal(parse("mean(W, -1) * x", values).numpy(), w.mean(-1) * x)
    np.testing.assert_array_equal(parse("softmax(W * x, 0)", values).numpy(), softmax(w * x, 0))


def test_division_by_zero_is_infinite_and_says_nothing() -> None:
    assert parse("x / 0", {"x": 1}).item() == np.inf
    assert parse("0 / 0 * x", {"x": 1}).item() != parse("0 / 0 * x", {"x": 1}).item()
    assert parse("9 ** 9 ** 9 ** 9 * x", {"x": 1}).item() == np.inf


def test_the_name_f_goes_to_the_root_if_it_is_free() -> None:
    assert parse("x * 2", {"x": 1}).name == "f"
    assert parse("f * 2", {"f": 1}).name is None
    assert parse("x", {"x": 1}).name == "x"
    assert parse("q = x * 2; q", {"x": 1}).name == "q"
    assert parse("q = x; r = q * 2", {"x": 1}).name == "r"


def test_names_are_compared_as_python_compares_them() -> None:
    """The micro sign of keyboards is the Greek letter to Python's parser."""
    assert parse("\u00b5 * \u03bc", values_of(["\u00b5=3"])).item() == 9


def test_a_long_sum_is_computed_without_recursion() -> None:
    terms = (sys.getrecursionlimit() + LONGEST // 2) // 2
    assert parse("+".join("x" * terms), {"x": 1}).item() == terms


# Values


def test_values() -> None:
    values = values_of(["x=-2", "y = 1e-3", "z=[1,2]", "w=[[1.5],[2]]", "u=-inf"])
    assert {name: value.tolist() for name, value in values.items()} == {
        "x": -2.0,
        "y": 0.001,
        "z": [1.0, 2.0],
        "w": [[1.5], [2.0]],
        "u": -np.inf,
    }
    assert all(value.dtype == np.float64 for value in values.values())


NUMBERS = "this is neither a number nor a list of numbers, such as -2, [1,2,3] or [[1,2],[3,4]]"


@pytest.mark.parametrize(
    "value", ["abc", "", "[1,[2]]", "True", "'1'", "1j", "{1}", "[", "f(1)", "1" + "0" * 5000 + "+1"]
)
def test_a_value_that_is_no_number(value: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        values_of([f"x={value}"])
    problem, shown, marks = str(caught.value).split("\n")
    assert problem == NUMBERS
    assert shown.startswith(f"    x={value}"[:SHOWN])
    assert marks.startswith("      ^")
    assert len(marks) == 4 + min(SHOWN, max(3, 2 + len(value)))


@pytest.mark.parametrize("argument", ["x", "2=3", "=3", "x.y=1", ""])
def test_an_argument_that_gives_no_value(argument: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        values_of([argument])
    assert str(caught.value) == (
        f"values are given as NAME=VALUE, such as x=-2 or x=[1,2,3]\n    {argument}\n    {'^' * max(1, len(argument))}"
    )


def test_a_name_given_twice() -> None:
    with pytest.raises(ExpressionError) as caught:
        values_of(["x=1", "x=2"])
    assert str(caught.value) == "x is given twice; leave one out\n    x=2\n    ^^^"


# What is refused


@pytest.mark.parametrize(
    ("text", "problem", "marks"),
    [
        ("x + q", "q has no value; add one, such as q=1.5", "    ^"),
        ("sin + x", "sin is a function; call it, such as sin(x)", "^^^"),
        ("x(x + 1)", "this is no function; a product is written *, such as x * (y + z)", "^"),
        ("2(x + 1)", "this is no function; a product is written *, such as x * (y + z)", "^"),
        ("q = 2; 1", "this depends on no name that has a value, so there is nothing to differentiate", "       ^"),
        ("x + 1; x", "only the last part may be without a name; name this one, such as q = x + y", "^^^^^"),
        ("x = 3; x", "x has a value already; choose another name", "^"),
        ("q = x; q = x; q", "q has a value already; choose another name", "       ^"),
        ("q = x; x + 1", "q is not used; leave it out, or use it in the last part", "^"),
        ("é + xx", "é has no value; add one, such as é=1.5", "^"),
        ("9" * 400 + "*x", "int too large to convert to float", "^" * SHOWN),
    ],
)
def test_what_is_wrong_is_marked(text: str, problem: str, marks: str) -> None:
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    assert refused(text, x=1) == f"{problem}\n    {shown}\n    {marks}"


@pytest.mark.parametrize(
    ("text", "cure", "marks"),
    [
        ("x + np.sin(x)", "functions are written without a prefix, such as sin(x); ", "    ^^^^^^"),
        ("x.T", "functions are written without a prefix, such as sin(x); ", "^^^"),
        ("x[0]", "each element that is needed is given a name of its own; ", "^^^^"),
        ("x ^ 2", "powers are written **; ", "^^^^^"),
        ("x == 1", "comparisons have no derivative; ", "^^^^^^"),
        ("sum(x, axis=0)", "arguments are given by their place, such as sum(x, 0) for axis 0; ", "       ^^^^^^"),
        ("x + [1, 2]", "a list is given as a value, such as x=[1,2,3]; ", "    ^^^^^^"),
        ("x, x", "a list is given as a value, such as x=[1,2,3]; ", "^^^^"),
        ("q = r = x; q", "one name stands before each =, such as q = x + y; ", "^^^^^^^^^"),
        ("q, r = x; q", "one name stands before each =, such as q = x + y; ", "^^^^^^^^"),
        ("x + (lambda: x)()", "", None),
        ("lambda: x", "", "^^^^^^^^^"),
        ("[x for x in x]", "", "^^^^^^^^^^^^^^"),
        ("x if x else x", "", "^^^^^^^^^^^^^"),
        ("x and x", "", "^^^^^^^"),
        ("not x", "", "^^^^^"),
        ("x // 2", "", "^^^^^^"),
        ("x + 'a'", "", "    ^^^"),
        ("x + True", "", "    ^^^^"),
        ("x + 1j", "", "    ^^"),
        ("x * ...", "", "    ^^^"),
        ("(q := x)", "", " ^^^^^^"),
        ("f'{x}'", "", "^^^^^^"),
        ("sin(*x)", "", "    ^^"),
        ("import os", "", "^^^^^^^^^"),
        ("import os; x", "", "^^^^^^^^^"),
        ("x += 1", "", "^^^^^^"),
        ("del x", "", "^^^^^"),
    ],
)
def test_only_what_is_on_the_list_is_allowed(text: str, cure: str, marks: str | None) -> None:
    message = refused(text, x=1)
    if marks is None:
        assert message.startswith("this is no function;")
    else:
        assert message == f"this is not allowed: {cure}{ALLOWED}\n    {text}\n    {marks}"


@pytest.mark.parametrize(
    "name", ["eval", "exec", "open", "__import__", "getattr", "compile", "copyto", "load", "matmul"]
)
def test_nothing_else_can_be_called(name: str) -> None:
    known = ", ".join(sorted({function.__name__ for function in FUNCTIONS.values()}))
    message = refused(f"x + {name}(x)", x=1)
    problem, shown, marks = message.split("\n")
    assert problem.startswith(f"{name} is no function that is known here")
    assert problem.endswith(f"These are: {known}")
    assert shown == f"    x + {name}(x)"
    assert marks == "        " + "^" * len(name)


def test_a_similar_name_is_proposed() -> None:
    assert refused("sine(x)", x=1).startswith("sine is no function that is known here; did you mean sin? These are: ")


@pytest.mark.parametrize(("text", "place"), [("(x", 0), ("x)", 1), ("x +", 3), ("2x", 0), ("x ? 1", 2), ("x = ; x", 4)])
def test_text_that_python_cannot_read(text: str, place: int) -> None:
    problem, shown, marks = refused(text, x=1).split("\n")
    assert problem.startswith("this is no formula (")
    assert problem.endswith(f"): {ALLOWED}")
    assert shown == f"    {text}"
    assert marks == f"    {' ' * place}^"


def test_an_error_in_a_long_formula_shows_its_neighbourhood() -> None:
    _, shown, marks = refused("x*" * 100 + "y+" + "x*" * 100 + "x", x=1).split("\n")
    assert len(shown) == 4 + 1 + SHOWN + 1
    assert shown[len(marks) - 1] == "y"
    assert shown[4] == shown[-1] == "…"


def test_an_error_in_a_later_line_shows_that_line() -> None:
    assert refused("q = x\nr =\tq * z", x=1).split("\n")[1:] == ["    r = q * z", "            ^"]


def test_what_a_row_complains_of_is_marked() -> None:
    problem, *place = refused("1 + W @ x", W=np.ones((2, 2)), x=np.ones(3)).split("\n")
    assert problem.startswith("matmul(Tensor(float64 (2, 2) 'W'), Tensor(float64 (3,) 'x')): ")
    assert problem.endswith("; reshape, transpose or index the operands so that they fit")
    assert place == ["    1 + W @ x", "        ^^^^^"]
    assert refused("sin(x, x, x, x)", x=1).endswith("\n    sin(x, x, x, x)\n    ^^^^^^^^^^^^^^^")
    assert refused("x + sum(2, 7)", x=1).endswith("\n    x + sum(2, 7)\n        ^^^^^^^^^")


def test_a_value_without_use() -> None:
    assert refused("x * 2", x=1, k=2) == "k has a value but is not used in the formula; leave it out"


def outcome(text: str, **values: object) -> str:
    """What a formula computes, or why it is refused."""
    try:
        return str(parse(text, values).item())
    except ExpressionError as error:
        return str(error)


def test_formulas_that_are_empty_long_deep_or_no_text() -> None:
    empty = "the formula is empty; write one such as (x + y) * z"
    assert refused("") == refused("  ") == refused("# nothing") == empty
    assert refused("x" * (LONGEST + 1)) == (
        "the formula has 5,001 characters, and 5,000 are allowed; build larger graphs in Python, with autograd.Tensor"
    )
    too_deep = "the formula is too deep for Python's parser; name parts of it, such as q = x + y; q * z"
    assert outcome("-" * (LONGEST - 2) + "x", x=3) in ("3.0", too_deep)  # Python 3.13 reads it
    assert refused("(" * 300 + "x" + ")" * 300, x=1).startswith("this is no formula (too many nested parentheses): ")
    assert refused("x + \udc80", x=1).startswith("the formula is no text: ")


def test_the_error_is_one_of_ours_and_a_value_error() -> None:
    assert issubclass(ExpressionError, AutogradError)
    assert issubclass(ExpressionError, ValueError)
