"""Cotangents of which only a part has arrived: adding them costs what the parts cost."""

from __future__ import annotations

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

    def whole(self, spec: Any) -> tuple[Any, ...]:
        """Return a tuple with zeros for the outputs that nothing depends on."""
        return tuple(self[index] if index in self else np.zeros(*part) for index, part in enumerate(spec))
