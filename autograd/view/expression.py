"""Formulas such as ``(x + y) * z`` as tensors, for the command line.

Python's parser reads them. What it finds is computed here, operation by operation, if it is on the list of what is
allowed: a formula is never run as a program.
"""

from __future__ import annotations

import ast
import difflib
import operator
import re
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.errors import AutogradError, ExpressionError
from autograd.messages import EXPECTED
from autograd.op import Elementwise, Op
from autograd.table import PAGES, TABLE
from autograd.tensor import Tensor

Array = Any

LONGEST = 5_000
"""How many characters a formula may have."""

SHOWN = 100
"""How many characters of a line an error shows."""

OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}

FUNCTIONS: dict[str, Any] = {
    "clip": np.clip,
    "mean": np.mean,
    "sum": np.sum,
    **{name: f for name, f in vars(np).items() if isinstance(f, np.ufunc) and isinstance(TABLE.get(f), Elementwise)},
    **{f.__name__: f for f, page in PAGES.items() if page == "autograd.rules.activations"},
}
"""What a formula may call, by name."""

ALLOWED = (
    "a formula is made of numbers, names, + - * / ** @, parentheses and functions such as sin(x); "
    "parts may be named in front, as in q = x + y; q * z"
)

CURES: dict[type[ast.AST], str] = {
    ast.Assign: "one name stands before each =, such as q = x + y",
    ast.Attribute: "functions are written without a prefix, such as sin(x)",
    ast.BitXor: "powers are written **",
    ast.Compare: "comparisons have no derivative",
    ast.keyword: "arguments are given by their place, such as sum(x, 0) for axis 0",
    ast.List: "a list is given as a value, such as x=[1,2,3]",
    ast.Subscript: "each element that is needed is given a name of its own",
    ast.Tuple: "a list is given as a value, such as x=[1,2,3]",
}
"""What to write instead of things that are not allowed."""


def parse(text: str, values: Mapping[str, Any]) -> Tensor:
    """Compute a formula, recording it.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / ** @``, parentheses, NumPy's elementwise functions, `clip`, `sum`, `mean` and the
        activations of this package. Parts may be named in front: ``"q = x + y; f = q * z"``.
    values : mapping of str to array_like
        The value of each name, a number or an array.

    Returns
    -------
    Tensor
        The value of the last part. It is called as the formula says, or else ``f``; the names are leaves.

    Raises
    ------
    ExpressionError
        If the text is anything else, or a name has no value, or a value no use.

    Examples
    --------
    >>> from autograd.view.expression import parse
    >>> f = parse("q = x + y; q * z", {"x": -2, "y": 5, "z": -4})
    >>> print(f.graph())
    f = multiply  -12  grad 1
    ├─ ∂ -4 · q = add  3  grad -4
    │  ├─ ∂ 1 · x  -2  grad -4
    │  └─ ∂ 1 · y  5  grad -4
    └─ ∂ 3 · z  -4  grad 3
    """
    formula = Formula(text, values)
    with np.errstate(all="ignore"):
        return formula.root()


def values_of(arguments: Sequence[str]) -> dict[str, Array]:
    """Return the values given as ``NAME=VALUE``, where a value is a number or a list such as ``[[1,2],[3,4]]``.

    Raises
    ------
    ExpressionError
        If an argument is anything else, or a name is given twice.

    Examples
    --------
    >>> from autograd.view.expression import values_of
    >>> values_of(["x=-2", "y=[1,2]"])
    {'x': array(-2.), 'y': array([1., 2.])}
    """
    values: dict[str, Array] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python does with names
        if not equals or not name.isidentifier():
            raise located("values are given as NAME=VALUE, such as x=-2 or x=[1,2,3]", argument, 0, len(argument))
        if name in values:
            raise located(f"{name} is given twice; leave one out", argument, 0, len(argument))
        values[name] = numbers(value, argument)
    return values


def numbers(text: str, argument: str) -> Array:
    """Return the array that a text stands for."""
    try:
        value = np.array(float(text))
    except ValueError:
        try:
            value = np.array(ast.literal_eval(text.strip()))
        except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError):
            value = np.array(text)
    if value.dtype.kind not in "fiu":
        problem = "this is neither a number nor a list of numbers, such as -2, [1,2,3] or [[1,2],[3,4]]"
        raise located(problem, argument, len(argument) - len(text), len(argument))
    return value.astype(float)


class Formula:
    """A formula while it is computed: its text, the values of its names, and which of them have been used."""

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        self.text = "\n".join(re.split("\r\n?|\n", text.strip()))
        self.given = list(values)
        self.values: dict[str, Any] = {
            name: Tensor(value, requires_grad=True, dtype=float, name=name) for name, value in values.items()
        }
        self.used: set[str] = set()
        self.places: dict[str, ast.AST] = {}

    def root(self) -> Tensor:
        """Compute all parts and return the last one."""
        *parts, last = self.parts()
        for part in parts:
            self.assign(part)
        if isinstance(last, ast.Assign):
            result = self.assign(last)
            self.used.add(self.target(last).id)
        else:
            result = self.value(self.expression(last))
            if "f" not in self.values:
                entitle(result, "f")
        if not isinstance(result, Tensor) or not result.requires_grad:
            raise self.error(last, "this depends on no name that has a value, so there is nothing to differentiate")
        self.check_that_all_is_used()
        return result

    def parts(self) -> list[ast.stmt]:
        """Return the parts between semicolons."""
        if len(self.text) > LONGEST:
            raise ExpressionError(
                f"the formula has {len(self.text):,} characters, and {LONGEST:,} are allowed; "
                "build larger graphs in Python, with autograd.Tensor"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd ways to write numbers
                parts = ast.parse(self.text).body
        except SyntaxError as error:
            raise self.syntax_error(error) from error
        except (MemoryError, RecursionError) as error:
            raise ExpressionError(
                "the formula is too deep for Python's parser; name parts of it, such as q = x + y; q * z"
            ) from error
        except ValueError as error:
            raise ExpressionError(f"the formula is no text: {error}") from error
        if not parts:
            raise ExpressionError("the formula is empty; write one such as (x + y) * z")
        return parts

    def assign(self, part: ast.stmt) -> Any:
        """Compute a part and give it its name."""
        target = self.target(part)
        assert isinstance(part, ast.Assign)
        value = self.value(part.value)
        if target.id in self.values:
            raise self.error(target, f"{target.id} has a value already; choose another name")
        self.values[target.id] = value
        self.places[target.id] = target
        entitle(value, target.id)
        return value

    def target(self, part: ast.stmt) -> ast.Name:
        """Return the name before the equals sign of a part."""
        if isinstance(part, ast.Expr):
            raise self.error(part, "only the last part may be without a name; name this one, such as q = x + y")
        if not isinstance(part, ast.Assign):
            raise self.forbidden(part)
        if len(part.targets) > 1 or not isinstance(part.targets[0], ast.Name):
            raise self.forbidden(part)
        return part.targets[0]

    def expression(self, part: ast.stmt) -> ast.expr:
        """Return what the last part consists of, if it has no name."""
        if not isinstance(part, ast.Expr):
            raise self.forbidden(part)
        return part.value

    def value(self, expression: ast.expr) -> Any:
        """Compute an expression, operands before what is made of them, from left to right."""
        done: dict[ast.AST, Any] = {}
        for node in reversed(list(downward(expression))):
            try:
                done[node] = self.computed(node, [done[part] for part in operands(node)])
            except ExpressionError:
                raise
            except (AutogradError, OverflowError, *EXPECTED) as error:
                raise self.error(node, str(error)) from error
        return done[expression]

    def computed(self, node: ast.AST, parts: list[Any]) -> Any:
        """Return the value of a node of the syntax tree from those of its operands."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return np.float64(node.value)
        if isinstance(node, ast.Name):
            return self.look_up(node)
        if isinstance(node, ast.UnaryOp | ast.BinOp):
            if type(node.op) not in OPERATORS:
                raise self.forbidden(node, node.op)
            return OPERATORS[type(node.op)](*parts)
        if isinstance(node, ast.Call):
            function = self.function(node)
            return function(*as_asked(TABLE[function], parts))
        raise self.forbidden(node)

    def look_up(self, node: ast.Name) -> Any:
        """Return the value of a name."""
        name = node.id
        if name not in self.values:
            if name in FUNCTIONS:
                raise self.error(node, f"{name} is a function; call it, such as {name}(x)")
            raise self.error(node, f"{name} has no value; add one, such as {name}=1.5")
        self.used.add(name)
        return self.values[name]

    def function(self, call: ast.Call) -> Any:
        """Return the function that is called."""
        called = call.func
        if call.keywords:
            raise self.forbidden(call.keywords[0])
        if isinstance(called, ast.Attribute):
            raise self.forbidden(called)
        if not isinstance(called, ast.Name) or (called.id not in FUNCTIONS and called.id in self.values):
            raise self.error(called, "this is no function; a product is written *, such as x * (y + z)")
        if called.id not in FUNCTIONS:
            similar = difflib.get_close_matches(called.id, FUNCTIONS, 1)
            guess = f"; did you mean {similar[0]}?" if similar else "."
            known = ", ".join(sorted({function.__name__ for function in FUNCTIONS.values()}))
            raise self.error(called, f"{called.id} is no function that is known here{guess} These are: {known}")
        return FUNCTIONS[called.id]

    def check_that_all_is_used(self) -> None:
        """Raise if there is a name that the root does not need."""
        for name in self.values:
            if name in self.used:
                continue
            if name in self.given:
                raise ExpressionError(f"{name} has a value but is not used in the formula; leave it out")
            raise self.error(self.places[name], f"{name} is not used; leave it out, or use it in the last part")

    # Errors

    def forbidden(self, node: Any, kind: ast.AST | None = None) -> ExpressionError:
        """What is said of a part of the syntax that is not allowed."""
        cure = CURES.get(type(kind or node))
        return self.error(node, f"this is not allowed: {f'{cure}; ' if cure else ''}{ALLOWED}")

    def error(self, node: Any, problem: str) -> ExpressionError:
        """An error that points at a node of the syntax tree."""
        line = self.text.split("\n")[node.lineno - 1]
        start = characters(line, node.col_offset)
        stop = characters(line, node.end_col_offset) if node.end_lineno == node.lineno else len(line)
        return located(problem, line, start, stop)

    def syntax_error(self, error: SyntaxError) -> ExpressionError:
        """What is said of a text that Python's parser does not understand."""
        lines = self.text.split("\n")
        line = lines[min(error.lineno or 1, len(lines)) - 1]
        start = min(max((error.offset or 1) - 1, 0), len(line))
        return located(f"this is no formula ({error.msg}): {ALLOWED}", line, start, start + 1)


def downward(expression: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression and all operands within it, each before its own operands, from right to left."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack += operands(node)


def operands(node: ast.AST) -> list[ast.expr]:
    """Return what a node of the syntax tree is computed from; nothing for what is not allowed."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    return node.args if isinstance(node, ast.Call) else []


def as_asked(row: Any, parts: Sequence[Any]) -> list[Any]:
    """Return arguments of a row, whole numbers as int where no derivative is asked for: those are axes and the like."""
    return [
        int(part)
        if isinstance(part, float) and part.is_integer() and isinstance(row, Op) and not row.has_rule(position)
        else part
        for position, part in enumerate(parts)
    ]


def entitle(value: Any, name: str) -> None:
    """Name a tensor that has no name yet; numbers have none."""
    if isinstance(value, Tensor) and value.name is None:
        value.name = name


def characters(line: str, count: int) -> int:
    """Return how many characters a number of bytes of a line are: Python's parser counts bytes."""
    return len(line.encode()[:count].decode())


def located(problem: str, line: str, start: int, stop: int) -> ExpressionError:
    """An error that shows a line, and marks the place in question."""
    first = 0 if len(line) <= SHOWN else max(0, start - SHOWN // 2)
    shown = line[first : first + SHOWN].replace("\t", " ")
    marks = max(1, min(stop, first + SHOWN) - start)
    cut = "…" if first else ""
    rest = "…" if first + SHOWN < len(line) else ""
    return ExpressionError(f"{problem}\n    {cut}{shown}{rest}\n    {' ' * (len(cut) + start - first)}{'^' * marks}")
