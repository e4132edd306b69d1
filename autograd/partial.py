"""Cotangents of which only a part has arrived: adding them costs what the parts cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


class Partial:
    """A cotangent of which only parts have arrived, and the rest is zero; a walk makes it whole before it goes on."""

    __slots__ = ()

    def whole(self, spec: Any) -> Any:
        """Return all of it, for a value of this spec."""
        raise NotImplementedError


class Parts(Partial, dict[int, Any]):
    """The cotangent of a tuple of outputs: those that have arrived, by position. Adding two adds part by part."""

    def __add__(self, other: Parts) -> Parts:
        both = Parts(self)
        both += other
        return both

    def __iadd__(self, other: Parts) -> Parts:
        for index, part in other.items():
            self[index] = self[index] + part if index in self else part
        return self

    def whole(self, spec: Any) -> Upstreams:
        """Return the cotangents of all outputs."""
        return Upstreams(self, spec)


class Upstreams(Sequence[Any]):
    """The cotangents of a tuple of outputs: zeros, made when they are asked for, where nothing depends on an output."""

    def __init__(self, parts: Mapping[int, Any], spec: tuple[Any, ...]) -> None:
        self.parts, self.spec = parts, spec

    def __getitem__(self, index: Any) -> Any:
        return self.parts[index] if index in self.parts else np.zeros(*self.spec[index])

    def __len__(self) -> int:
        return len(self.spec)

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(len(self)))

    def arrived(self, index: int) -> Any:
        """Return the cotangent of one output; None where nothing depends on it."""
        return self.parts.get(index)
