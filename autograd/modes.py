"""Whether operations are recorded, and who watches: per thread and per async task."""

from __future__ import annotations

from _thread import allocate_lock  # the module threading would add a twentieth to the time of the import
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar, Token
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import Any, NamedTuple, ParamSpec, Protocol, Self, TypeVar, cast, overload

from autograd.chain_rule import Step
from autograd.op import Row
from autograd.record import Node

P = ParamSpec("P")
R = TypeVar("R")


class Watch(Protocol):
    """Is shown each recorded operation, and each step of `backward`."""

    def recorded(self, node: Node, values: list[Any], out: Any) -> None:
        """An operation was recorded."""

    def stepped(self, step: Step) -> None:
        """A contribution was computed."""


class Tracer(Protocol):
    """Is handed each call that tensors make of a function of the table."""

    def call(self, row: Row, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call it."""

    def capture(self, tensor: Any) -> None:
        """A tensor is used."""

    def own(self, value: Any) -> Any:
        """An array was made of nothing that is traced."""

    def is_outer(self, value: Any) -> bool:
        """Whether an array was there before."""

    def lifted(self, value: Any) -> Any:
        """Return a value with tensors for arrays that are traced."""

    def knows(self, value: Any) -> bool:
        """Whether an array depends on what is traced, so that its value is not for Python to look at."""


class Mode(NamedTuple):
    """How operations run in this context."""

    recording: bool = True
    watch: Watch | None = None
    tracer: Tracer | None = None


PLAIN = Mode()
_mode: ContextVar[Mode] = ContextVar("mode", default=PLAIN)
_lock = allocate_lock()
special = 0
"""How many mode contexts are entered anywhere: while it is 0, nobody needs to look at the context variable."""

current: Callable[[], Mode] = _mode.get


def tracer() -> Tracer | None:
    """Return who traces the calls of tensors in this context, if anybody does."""
    return current().tracer if special else None


class Context:
    """A context manager that changes the mode and restores it whatever happens."""

    def __init__(self) -> None:
        self._tokens: list[Token[Mode]] = []

    def mode(self) -> Mode:
        """Return the mode inside."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        global special
        with _lock:
            special += 1
        self._tokens.append(_mode.set(self.mode()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global special
        with _lock:
            special -= 1
            last = len(self._tokens) - 1
            while last >= 0 and not left(self._tokens[last]):  # it was entered in another thread or task, and not here
                last -= 1
            del self._tokens[last]


def left(token: Token[Mode]) -> bool:
    """Restore the mode from before this token, if it is one of this thread or task; whether it is."""
    try:
        _mode.reset(token)
    except ValueError:
        return False
    return True


class ModeContext(Context):
    """A mode without parameters: also a decorator, ``@no_grad()`` or ``@no_grad``."""

    @overload
    def __new__(cls) -> Self: ...
    @overload
    def __new__(cls, function: Callable[P, R]) -> Callable[P, R]: ...  # type: ignore[misc]  # what is decorated
    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function: it runs in this mode. While it has yielded, or waits, the mode is its caller's."""
        mode, call = type(self), cast("Callable[..., Any]", function)

        def plain(*args: Any, **kwargs: Any) -> Any:
            with mode():
                return call(*args, **kwargs)

        def generator(*args: Any, **kwargs: Any) -> Any:
            return (yield from Steps(mode, call(*args, **kwargs)))

        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return await Steps(mode, call(*args, **kwargs))

        def asynchronous(*args: Any, **kwargs: Any) -> Any:
            return AsyncSteps(mode, call(*args, **kwargs))

        kinds = (isgeneratorfunction, generator), (iscoroutinefunction, coroutine), (isasyncgenfunction, asynchronous)
        inside: Any = next((inside for is_kind, inside in kinds if is_kind(call)), plain)
        return wraps(function)(inside)


class Steps(Generator[Any, Any, Any]):
    """A generator or coroutine, each of whose steps runs in a mode."""

    def __init__(self, mode: type[ModeContext], steps: Any) -> None:
        self.mode, self.steps = mode, steps

    def send(self, value: Any) -> Any:
        with self.mode():
            return self.steps.send(value)

    def throw(self, *error: Any) -> Any:
        with self.mode():
            return self.steps.throw(*error)

    __await__ = Generator.__iter__


class AsyncSteps(AsyncGenerator[Any, Any]):
    """An asynchronous generator, each of whose steps runs in a mode."""

    def __init__(self, mode: type[ModeContext], values: Any) -> None:
        self.mode, self.values = mode, values

    async def asend(self, value: Any) -> Any:
        return await Steps(self.mode, self.values.asend(value))

    async def athrow(self, *error: Any) -> Any:
        return await Steps(self.mode, self.values.athrow(*error))


def is_compiling() -> bool:
    """Return whether a function is being compiled: values of its arguments are not to be looked at then.

    Examples
    --------
    >>> from autograd import is_compiling
    >>> is_compiling()
    False
    """
    return tracer() is not None


class Tracing(Context):
    """Hand the calls of tensors to a tracer; to nobody, if it is None."""

    def __init__(self, tracer: Tracer | None) -> None:
        super().__init__()
        self.tracer = tracer

    def mode(self) -> Mode:
        """Return the mode inside: traced."""
        return current()._replace(tracer=self.tracer)


class no_grad(ModeContext):  # noqa: N801 - named as in PyTorch, used like a function
    """Compute without recording: nothing inside requires grad.

    Examples
    --------
    >>> from autograd import Tensor, no_grad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     w -= 0.5 * w
    >>> w
    Tensor([0.5, 1. ], requires_grad=True)
    """

    def mode(self) -> Mode:
        """Return the mode inside: not recording."""
        return current()._replace(recording=False)


class enable_grad(ModeContext):  # noqa: N801
    """Record again inside a `no_grad` block.

    Examples
    --------
    >>> from autograd import Tensor, enable_grad, no_grad
    >>> x = Tensor(3.0, requires_grad=True)
    >>> with no_grad(), enable_grad():
    ...     (x * x).requires_grad
    True
    """

    def mode(self) -> Mode:
        """Return the mode inside: recording."""
        return current()._replace(recording=True)
