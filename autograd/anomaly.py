"""detect_anomaly: the first value, and the first contribution, that is not finite; and kept arrays that were changed.

It is a watch over the ordinary forward pass and the ordinary walk (`modes.Watch`): each recorded operation is looked
at, and its node notes where in the user's code it was called; each edge of `backward` is looked at before any gradient
is touched.
"""

from __future__ import annotations

import linecache
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.chain_rule import Step, pullback, pushforward
from autograd.errors import AnomalyError
from autograd.messages import describe
from autograd.modes import Mode, ModeContext, current
from autograd.op import OUTPUT
from autograd.record import Node
from autograd.tensor import Tensor

INSIDE = (os.path.dirname(__file__), os.path.dirname(np.__file__), "<autograd ", "<__array_function__")
"""How the names of files begin in which nobody's own code is."""

WALKS = (pullback.__code__, pushforward.__code__)


class detect_anomaly(ModeContext):  # noqa: N801 - named as in PyTorch, used like a function
    """Raise at the first operation whose value or contribution is not finite, naming the line that called it.

    A context manager, and a decorator. Inside,

    - each recorded operation whose value is infinite or NaN raises, and says which of its operands was so already;
    - in `backward` and in the reverse transforms, the first contribution that is infinite or NaN raises, with the
      source line of the operation's forward call; `grad` of all leaves is then as it was before;
    - an operand or value that an operation needs for `backward`, and that was changed in between by writing to its
      memory, raises when it is used.

    Operations that ran before are not looked at again. Everything runs slower: it is for finding an error.

    Raises
    ------
    AnomalyError
        At the call of the operation, or of `backward`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import Tensor, detect_anomaly
    >>> x = Tensor([1.0, 0.0], requires_grad=True, name="x")
    >>> with detect_anomaly():
    ...     np.sqrt(x).sum().backward()
    Traceback (most recent call last):
        ...
    autograd.errors.AnomalyError: sqrt(Tensor(float64 (2,) 'x')) called at ...
    """

    def mode(self) -> Mode:
        """The mode inside."""
        return current()._replace(watch=WATCH)


class Origin(NamedTuple):
    """What is noted of an operation when it is recorded: its line, and checksums of what `backward` may use."""

    filename: str
    line: int
    sums: dict[str, int]

    def __str__(self) -> str:
        code = linecache.getline(self.filename, self.line).strip()
        return f"called at {os.path.basename(self.filename)}:{self.line}{f' `{code}`' if code else ''}"


class Anomalies:
    """The watch."""

    def recorded(self, node: Node, values: list[Any], out: Any) -> None:
        """Look at the value of an operation, unless it is part of a walk: there, contributions count."""
        filename, line, walking = call_site()
        node.remember(origin=Origin(filename, line, checksums(node)))
        if walking or finite(out):
            return
        which = f"{call(node)} {whence(node)} gives {first_bad(out)}"
        for arg, value in zip(node.args, values, strict=True):
            if not finite(value):
                raise AnomalyError(f"{which}; there is {first_bad(value)} in {source(arg)}")
        raise AnomalyError(
            f"{which}, the first value that is not finite, from operands that are; "
            "keep the operands where the operation is defined and does not overflow"
        )

    def stepped(self, step: Step) -> None:
        """Look at a contribution, and at what it was computed from."""
        node = step.node.args[0] if step.node.op is OUTPUT else step.node
        origin = node.recall("origin")
        if origin is not None:
            now = checksums(node)
            for name, before in origin.sums.items():
                if now[name] != before:
                    raise AnomalyError(
                        f"{call(node)} {whence(node)} needs {name} for its derivative, but that array was changed "
                        "since; write to a copy of it, or call backward() before"
                    )
        if finite(step.contribution):
            return
        name = node.op.parameters[min(step.position, node.op.starred)]
        which = (
            f"{call(node)} {whence(node)} contributes {first_bad(step.contribution)} to the gradient of its input "
            f"{step.position} ({name!r})"
        )
        if finite(step.upstream):
            raise AnomalyError(
                f"{which}, the first contribution that is not finite, from an upstream gradient "
                f"{shape(step.upstream)} that is; the derivative is infinite or undefined there: keep the operand away "
                "from that point, with np.where before the operation"
            )
        raise AnomalyError(
            f"{which}, from an upstream gradient {shape(step.upstream)} that is {first_bad(step.upstream)} already: "
            "a seed that is not finite, or contributions whose sum overflowed"
        )


WATCH = Anomalies()


# Where an operation was called


def call_site() -> tuple[str, int, bool]:
    """Return file and line of the user's code that called, and whether a walk of the chain rule is in between."""
    frame, walking = sys._getframe(2), False
    while frame.f_back is not None and frame.f_code.co_filename.startswith(INSIDE):
        walking = walking or frame.f_code in WALKS
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno, walking


def whence(node: Node) -> str:
    """Return where an operation was called."""
    return str(node.recall("origin") or "(called outside of detect_anomaly)")


# What errors say of operations and values


def call(node: Node) -> str:
    """Return an operation and its operands."""
    return f"{node.op.name}({', '.join(map(operand, node.args))})"


def operand(arg: Any) -> str:
    """Return what an operand is: a tensor that was recorded, or a constant."""
    if not isinstance(arg, Node):
        return describe(arg)
    name = arg.recall("name")
    return f"Tensor({arg.spec.dtype} {arg.spec.shape}{f' {name!r}' if name else ''})"


def source(arg: Any) -> str:
    """Return where an operand that is not finite comes from."""
    if not isinstance(arg, Node):
        return f"its constant {operand(arg)}; check the data"
    if not arg.args:
        return f"the leaf {operand(arg)}; the value was not finite before any operation: check the data"
    return f"{operand(arg)}, computed by {arg.op.name!r} outside of detect_anomaly; enter it earlier"


def parts(value: Any) -> list[Any]:
    """Return the arrays of a value: one, or those of several outputs."""
    if isinstance(value, dict):
        return parts(list(value.values()))
    if isinstance(value, Sequence):  # also the `Upstreams` of several outputs
        return [array for part in value for array in parts(part)]
    value = value.data if isinstance(value, Tensor) else np.asarray(value)
    return [value] if value.dtype.kind == "f" else []


def finite(value: Any) -> bool:
    """Whether all numbers in a value are finite."""
    return all(np.isfinite(array).all() for array in parts(value))


def first_bad(value: Any) -> str:
    """Return the first number that is not finite, and its index."""
    array = next(array for array in parts(value) if not np.isfinite(array).all())
    index = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
    return f"{array[index]}{f' at index {index}' if index else ''}"


def shape(value: Any) -> str:
    """Return dtypes and shapes of an upstream gradient."""
    return " and ".join(f"{array.dtype} {array.shape}" for array in parts(value))


# What was kept


def checksums(node: Node) -> dict[str, int]:
    """Return a checksum of each array that the node's rules use: operands, constants and the value."""
    op = node.op
    names = [op.parameters[min(position, op.starred)] for position in range(len(node.args))]
    asked = {
        name
        for position, arg in enumerate(node.args)
        if isinstance(arg, Node)
        for name in op.asked[min(position, op.starred)]
    }
    sums: dict[str, int] = {}
    for name, value in (*zip(names, node.args, strict=True), *zip(op.keeps, node.kept, strict=True)):
        for array in arrays(value) if name in asked else ():
            sums[repr(name)] = zlib.crc32(array.tobytes(), sums.get(repr(name), 0))
    return sums


def arrays(value: Any) -> Iterator[Any]:
    """Yield the arrays in a value."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from arrays(part)
