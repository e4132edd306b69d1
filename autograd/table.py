"""The table: what is known of each public function, and the words with which a page of `rules` adds a row."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from autograd.dispatch import dispatched
from autograd.errors import NotDifferentiableError
from autograd.op import Composite, Elementwise, Flat, General, Linear, Multilinear, Op, Refused, Row

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

TABLE: dict[Any, Row] = {}
"""Rows by function; ufunc methods by (ufunc, method name)."""

PAGES: dict[Any, str] = {}
"""The module that declares each row, by the same keys."""


def enter(function: Any, row: Row) -> None:
    """Put a row into the table, and note where the word that called this was used."""
    TABLE[function] = row
    PAGES[function] = sys._getframe(2).f_globals.get("__name__", "__main__")


def adder(kind: type[Op]) -> Callable[..., Any]:
    """The word that adds a row of this kind: ``word(function, rule, …, name=rule, …, **options)``."""

    def add(function: Function, *rules: Any, **options: Any) -> Any:
        row = kind(function, *rules, **options)
        enter(function, row)
        return row

    return add


elementwise = adder(Elementwise)
linear = adder(Linear)
multilinear = adder(Multilinear)
general = adder(General)


def flat(*functions: Function, but: Sequence[str] = (), effect: bool = False) -> None:
    """Rows whose derivative is zero almost everywhere, but for some keyword arguments, in which it is not known."""
    for function in functions:
        enter(function, Flat(function, but, effect))


def refuse(reason: str, *functions: Function) -> None:
    """Rows that raise, with the reason."""
    for function in functions:
        enter(function, Refused(function, reason))


def composite(*functions: Any) -> Callable[[F], F]:
    """Decorate a function written in rows that exist: it stands for each of `functions`."""

    def add(body: F) -> F:
        for function in functions:
            enter(function, Composite(function, body))
        return body

    return add


def same_as(row_of: Any, *functions: Any) -> None:
    """Further names, or (ufunc, method) pairs, for a function that has a row."""
    for function in functions:
        enter(function, TABLE[row_of])


def of_this_release(*names: str) -> list[Function]:
    """Functions of NumPy by name, as far as the installed release has them."""
    return [getattr(np, name) for name in names if hasattr(np, name)]


@dispatched
def require(condition: Any, error: Exception) -> None:
    """Raise the error unless the condition, or each element of it, is true: now, and in each run of a program."""
    if not np.all(condition):
        raise error


flat(require, effect=True)


def absent(function: str, out: Any) -> Any:
    """Return the `out` argument of a function, which has to be None."""
    if out is not None:
        raise NotDifferentiableError(
            f"{function}() of a Tensor takes no out=: writing its result into an array would lose the graph; "
            "use the tensor that it returns, or give it t.detach().numpy()"
        )
    return out
