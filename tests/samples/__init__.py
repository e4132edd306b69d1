"""Sample arguments for every row of the table: a page of samples for each page of `autograd.rules`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """A call whose value and derivatives are checked.

    `wrt` names the positions (or keywords) of the arguments to differentiate; by default every float array or float
    among the positional arguments, also within a list or tuple. `order` is how many derivatives are checked
    numerically: 1 or 2 away from kinks, 0 at a kink or where only the value counts.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    wrt: tuple[Any, ...] | None = None
    order: int = 2
    note: str = ""
    row: Any = None

    def __str__(self) -> str:
        shapes = ",".join(describe(a) for a in self.args)
        options = "".join(f" {k}={describe(v)}" for k, v in self.kwargs.items())
        return f"{describe(self.function)}({shapes}{options}){' ' + self.note if self.note else ''}"


def describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype.name}{list(value.shape)}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(describe, value)) + "]"
    return getattr(value, "__name__", str(value))


class Page(list[Sample]):
    """The samples of one page."""

    def __call__(
        self, function: Any, *args: Any, wrt: Any = None, order: int = 2, note: str = "", row: Any = None, **kwargs: Any
    ) -> None:
        """Add ``function(*args, **kwargs)``; `row` is the key in the table where it is not the function itself."""
        self.append(Sample(function, args, kwargs, wrt, order, note, row if row is not None else function))


rng = np.random.default_rng(0)


def normal(*shape: int, dtype: Any = np.float64) -> Any:
    """Standard normal numbers: a float for no shape."""
    return np.asarray(rng.normal(size=shape), dtype=dtype)[()]


def positive(*shape: int, dtype: Any = np.float64) -> Any:
    """Numbers between 0.5 and 2."""
    return np.asarray(rng.uniform(0.5, 2.0, size=shape), dtype=dtype)[()]


def unit(*shape: int, dtype: Any = np.float64) -> Any:
    """Numbers between -0.9 and 0.9."""
    return np.asarray(rng.uniform(-0.9, 0.9, size=shape), dtype=dtype)[()]


def distinct(*shape: int, dtype: Any = np.float64) -> Any:
    """Numbers that differ from each other by at least 0.3, in random order."""
    count = int(np.prod(shape))
    return np.asarray(rng.permutation(count) * 0.5 + rng.uniform(-0.1, 0.1, count) - count / 4, dtype=dtype).reshape(
        shape
    )
