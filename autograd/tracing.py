"""The trace: the calls of NumPy that a function makes, in the order in which it makes them.

While a `Trace` is the mode's tracer, tensors hand it every call that they make, and it notes those that depend on the
arguments of the traced function. Walks of the chain rule record themselves meanwhile, so that derivatives of any order
are calls like all others. A function of this package is taken apart into the calls that it makes of NumPy where it can
be: it is run on tensors. Values are told apart by the identity of their arrays, which the trace keeps alive.

What is in the trace is data: `program.py` makes a program of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any, final

import numpy as np

from autograd.errors import CompileError
from autograd.messages import unknown
from autograd.modes import Tracing
from autograd.op import Op, Row
from autograd.rules.indexing import index
from autograd.rules.shapes import reshaped
from autograd.tensor import Tensor, like, made

Array = Any
ARRAY = (np.ndarray, np.generic)
NESTED = (tuple, list, dict, slice)


class Variable(int):
    """The number of a value of the program: an argument, or what a call returned."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"v{int(self)}"


@dataclass(frozen=True)
class Call:
    """One call of the program.

    Attributes
    ----------
    row : Row
        What the table says about the function.
    function : callable
        What is called.
    args, kwargs : tuple and dict
        The arguments, also within tuples, lists and dicts: a `Variable`, or else the argument itself.
    outputs : tuple of Variable
        The value, or the values, that it returned. There are none if it is called for its effect alone.
    several : bool
        Whether it returned a tuple.
    """

    row: Row
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Variable, ...]
    several: bool

    @cached_property
    def inputs(self) -> list[Variable]:
        """The variables among the arguments."""
        return variables((self.args, self.kwargs))

    @cached_property
    def constants(self) -> list[Array]:
        """The arrays among the arguments that are no variables: the function's own, or of the outside."""
        return [part for part in within((self.args, self.kwargs)) if isinstance(part, np.ndarray)]


def variables(value: Any) -> list[Variable]:
    """The variables within tuples, lists, dicts and slices."""
    return [part for part in within(value) if type(part) is Variable]


def within(value: Any) -> Iterator[Any]:
    """What is within tuples, lists, dicts and slices."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, NESTED):
            waiting += parts_of(part)
        else:
            yield part


def parts_of(value: Any) -> Iterable[Any]:
    """What is in a tuple, list, dict or slice."""
    if isinstance(value, dict):
        return value.values()
    return (value.start, value.stop, value.step) if isinstance(value, slice) else value


def replaced(value: Any, replace: Callable[[Any], Any]) -> Any:
    """The value with what is within tuples, lists, dicts and slices replaced."""
    if not isinstance(value, NESTED):
        return replace(value)
    if isinstance(value, dict):
        return {key: replaced(part, replace) for key, part in value.items()} if value else {}
    parts = [replaced(part, replace) if isinstance(part, NESTED) else replace(part) for part in parts_of(value)]
    if type(value) is tuple:
        return tuple(parts)
    return slice(*parts) if isinstance(value, slice) else like(value, parts)


@final
class Trace:
    """What a function does with its arguments.

    Attributes
    ----------
    values : list of array
        The value of each variable in this run: first the arguments.
    arguments : list of Variable
        What the function is given.
    captured : list of (Tensor, Variable)
        Tensors of the outside, whose arrays the program reads in each run.
    calls : list of Call
        In order.
    """

    def __init__(self, arguments: Iterable[Array]) -> None:
        self.values: list[Array] = []
        self.calls: list[Call] = []
        self.captured: list[tuple[Tensor, Variable]] = []
        self._variables: dict[int, Variable] = {}
        self._constants: dict[int, Array] = {}
        self._open: set[Row] = set()
        self.arguments = [self.enter(value) for value in arguments]

    def enter(self, value: Array) -> Variable:
        """The variable of this very array, a new one if there is none."""
        variable = self._variables.get(id(value))
        if variable is None:
            variable = self._variables[id(value)] = Variable(len(self.values))
            self.values.append(value)
        return variable

    def variable(self, value: Any) -> Any:
        """The variable of an array; anything that is no value of the program, as it is."""
        return self._variables.get(id(value), value) if isinstance(value, ARRAY) else value

    def knows(self, value: Any) -> bool:
        """Whether this array is a value of the program."""
        return id(value) in self._variables

    def own(self, value: Any) -> Any:
        """Note that an array was made by the function, and from nothing that may change."""
        if isinstance(value, ARRAY):
            self._constants[id(value)] = value
        return value

    def is_outer(self, value: Array) -> bool:
        """Whether an array was there before the function was called."""
        return not self.knows(value) and id(value) not in self._constants and not isinstance(value, np.bool_)

    def capture(self, tensor: Tensor) -> None:
        """Let the program read a tensor, if it is one of the outside."""
        if self.is_outer(tensor._array):
            self.captured.append((tensor, self.enter(tensor._array)))

    def lifted(self, value: Any) -> Any:
        """What is of the program as tensors: what a rule computes of it is noted then."""
        return replaced(value, lambda part: made(part, None) if self.knows(part) else part)

    def array(self, value: Any) -> Any:
        """The array of a tensor; anything else as it is."""
        if isinstance(value, Tensor):
            self.capture(value)
        return unwrapped(value)

    def call(self, row: Row, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function with arrays; note that it was called, or what it called, if one of them is of the program."""
        args, kwargs = replaced((args, kwargs), self.array)
        named = replaced((args, kwargs), self.variable)
        if not row.effect and not variables(named):
            out = function(*args, **kwargs)
            return like(out, map(self.own, out)) if isinstance(out, tuple | list) else self.own(out)
        self.refuse_unknown_shapes(row, args)
        if isinstance(row, Op) and isinstance(function, FunctionType) and row not in self._open:
            taken_apart = self.take_apart(row, function, args)
            if taken_apart is not None:
                return taken_apart
        with Tracing(None) if row.foreign or isinstance(function, FunctionType) else nullcontext():
            out = function(*args, **kwargs)
        if row.function in STATIC:
            return out
        several = isinstance(out, tuple | list)
        parts = [self.as_value(row, part) for part in (out if several else () if out is None else (out,))]
        args, kwargs = named
        self.calls.append(Call(row, function, args, kwargs, tuple(map(self.enter, parts)), several))
        return like(out, parts) if several else parts[0] if parts else None

    def as_value(self, row: Row, part: Any) -> Array:
        """A part of what a call returned, as an array or scalar of its own."""
        if not isinstance(part, ARRAY):
            raise CompileError(unknown(f"{row.name}()"))
        return twin(part) if self.knows(part) or isinstance(part, np.bool_) else part

    def take_apart(self, row: Op, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run a function of this package on tensors, so that what it calls is noted; None if that does not go."""
        mark = len(self.calls), len(self.values)
        self._open.add(row)
        try:
            out = function(*self.lifted(args))
        except Exception:  # whatever it is, arrays will have it too, unless it is a matter of tensors
            self.forget(*mark)
            return None
        finally:
            self._open.discard(row)
        return like(out, [unwrapped(part) for part in out]) if isinstance(out, tuple) else unwrapped(out)

    def forget(self, calls: int, values: int) -> None:
        """Forget all but the first calls and values."""
        del self.calls[calls:]
        for value in self.values[values:]:
            del self._variables[id(value)]
        del self.values[values:]
        self.captured = [(tensor, variable) for tensor, variable in self.captured if variable < values]

    def refuse_unknown_shapes(self, row: Row, args: tuple[Any, ...]) -> None:
        """Raise if the shape of what a call returns depends on the values of its arguments."""
        position = SHAPED_BY.get(row.function)
        if position is not None and variables(replaced(args[position : position + 1], self.variable)):
            what = row.name
        elif row.function is index and any(self.selects(part) for part in as_tuple(args[1])):
            what = "indexing by a mask, or a slice with computed ends,"
        else:
            return
        raise CompileError(
            f"{what} gives an array whose shape depends on values, which are not known while a function is compiled; "
            "use np.where, or a weight for each element"
        )

    def selects(self, key: Any) -> bool:
        """Whether the values of a key decide how many elements it selects."""
        return (type(key) is slice and bool(variables(replaced(key, self.variable)))) or (
            self.knows(key) and key.dtype == bool
        )


def as_tuple(key: Any) -> tuple[Any, ...]:
    """The parts of an index."""
    return key if isinstance(key, tuple) else (key,)


def unwrapped(value: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    return value._array if isinstance(value, Tensor) else value


def twin(value: Array) -> Array:
    """The same value, in the same memory if it is an array, as an object of its own."""
    if isinstance(value, np.ndarray):
        return value[...]
    return np.array(value) if isinstance(value, np.bool_) else np.array(value)[()]  # there are only two of numpy.bool


STATIC = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.common_type, np.min_scalar_type}
STATIC |= {np.isrealobj, np.iscomplexobj, np.einsum_path}
"""Functions of shapes and dtypes alone."""

SHAPED_BY: dict[Any, int] = {np.compress: 0, np.extract: 0, np.bincount: 0, np.repeat: 1, np.trim_zeros: 0}
SHAPED_BY |= {reshaped: 1, np.broadcast_to: 1, np.tile: 1, np.full: 0, np.linspace: 2}
SHAPED_BY |= dict.fromkeys((np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.unique_all, np.unique_counts), 0)
SHAPED_BY |= dict.fromkeys((np.unique_inverse, np.unique_values, np.intersect1d, np.union1d, np.setdiff1d), 0)
"""By function, the argument whose values decide about the shape of what it returns."""
