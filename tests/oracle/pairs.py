"""Functions that this package and PyTorch both have, side by side: how the pages of this comparison say so."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd as ag

torch = pytest.importorskip("torch")
THEIR_WORDS = {"axis": "dim", "keepdims": "keepdim", "ddof": "correction"}


@dataclass(frozen=True)
class Pair:
    """A call of ours, PyTorch's, and the arrays that both are given, to be differentiated."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.name}({' '.join(str(np.shape(arg)).replace(' ', '') for arg in self.args)})"


class Page(list[Pair]):
    """The pairs of one subject."""

    def pair(self, name: str, ours: Callable[..., Any], theirs: Callable[..., Any], *args: Any) -> None:
        """Add two calls."""
        self.append(Pair(name, ours, theirs, args))

    def alike(self, name: str, function: Callable[..., Any], *args: Any) -> None:
        """Add a call that does for both."""
        self.pair(name, function, function, *args)

    def same(self, names: str, *args: Any, call: Callable[..., Any] | None = None, **options: Any) -> None:
        """For each name, or pair ``ours=theirs`` of names, add calls of the functions that are called so.

        They take `args` and `options`; or `call` takes the function and `args`.
        """
        translated = {THEIR_WORDS.get(word, word): value for word, value in options.items()}
        for name in names.split():
            own, _, other = name.partition("=")
            ours = operator.attrgetter(own)(np if hasattr(np, own.split(".")[0]) else ag)
            theirs = operator.attrgetter(other or own)(torch)
            self.pair(
                own + "".join(f" {word}={value}" for word, value in options.items()),
                partial(call, ours) if call else partial(ours, **options),
                partial(call, theirs) if call else partial(theirs, **translated),
                *args,
            )


rng = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    """Standard normal numbers."""
    return rng.normal(size=shape)


def positive(*shape: int) -> Any:
    """Numbers between 0.5 and 2."""
    return rng.uniform(0.5, 2.0, size=shape)


def unit(*shape: int) -> Any:
    """Numbers between -0.9 and 0.9."""
    return rng.uniform(-0.9, 0.9, size=shape)


def distinct(*shape: int) -> Any:
    """Numbers that differ from each other by at least 0.3, in random order."""
    count = math.prod(shape)
    return (rng.permutation(count) * 0.5 + rng.uniform(-0.1, 0.1, count) - count / 4).reshape(shape)
