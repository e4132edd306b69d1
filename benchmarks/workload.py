"""What a workload is: inputs that are the same in every process, and one method per contestant.

A workload is an object with a method for each contestant that has it. To add a contestant to a workload, add a method
under its name; nothing else needs to know. A method that is not there is an absent contestant, which tables show as -.
Libraries, ours included, are imported inside the methods: the process of a peer has nothing but NumPy besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np

Array = Any
Given = Any
"""What a contestant starts from: a namespace of sizes, options and arrays."""

CONTESTANTS = {
    "numpy": "NumPy by hand",
    "numpy-buffers": "NumPy with buffers",
    "chainrule": "chainrule",
    "compiled": "chainrule, compiled",
    "torch": "PyTorch eager",
    "jax": "JAX jit",
    "hips": "HIPS autograd",
    "mygrad": "MyGrad",
    "micrograd": "micrograd",
    "tinygrad": "tinygrad jit",
}
"""Who may take part, in the order of tables. The first is the yardstick."""

YARDSTICK = "numpy"
OURS = ("numpy", "numpy-buffers", "chainrule", "compiled")
"""Contestants that run in the environment of this project."""


class Contestant(NamedTuple):
    """One implementation of a workload, ready to run.

    Attributes
    ----------
    step : callable
        Does all of the work once, to its very end, and returns a number that must agree, such as the loss, or None.
    found : callable
        Returns what must agree after some steps, as a list of arrays: gradients, or parameters.
    forward, backward : callable, optional
        The step's first part, and its second, which takes what the first returned; where they can be told apart.
    """

    step: Callable[[], Any]
    found: Callable[[], list[Array]]
    forward: Callable[[], Any] | None = None
    backward: Callable[[Any], Any] | None = None


class Workload:
    """One task, and how each contestant does it. A subclass has a method for each contestant.

    Attributes
    ----------
    name : str
        What the command line calls it.
    title : str
        What it is, in a line.
    sizes : dict of str to int
        Sizes that may be changed, by name.
    grows : dict of str to tuple of int
        For `scale`: the values that a size runs through.
    dtypes : tuple of str
        The dtypes it is done in; the first is the default.
    tolerance : dict of str to float
        By dtype, how far results may be apart, relative to the largest element.
    safe : dict of str to float
        Options for the verification alone, that switch off what is random.
    slow : tuple of str
        Contestants that take seconds to get ready, and are left out of the check in CI.
    """

    name: str
    title: str
    sizes: Mapping[str, int]
    grows: Mapping[str, tuple[int, ...]] = {}
    dtypes: tuple[str, ...] = ("float32", "float64")
    tolerance: ClassVar[Mapping[str, float]] = {"float32": 2e-3, "float64": 1e-7}
    safe: Mapping[str, float] = {}
    slow: tuple[str, ...] = ()

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add the arrays that every contestant starts from to `given`.

        If the step updates parameters, ``given.start`` is a list of their first values.
        """
        raise NotImplementedError

    def given(self, sizes: Mapping[str, int] | None = None, dtype: str | None = None, **options: Any) -> Given:
        """Return what contestants start from: the same in every process.

        Parameters
        ----------
        sizes : mapping of str to int, optional
            Sizes that differ from the workload's own.
        dtype : str, optional
            One of `dtypes`.
        **options
            ``rate``, the learning rate, and whatever the workload reads beside its sizes.
        """
        given = SimpleNamespace(**{**self.sizes, **(sizes or {})}, start=None, rate=1e-3)
        given.dtype = dtype or self.dtypes[0]
        vars(given).update(options)
        self.inputs(given, np.random.default_rng(0))
        return given

    def has(self, contestant: str) -> bool:
        """Whether this contestant takes part."""
        return hasattr(self, method(contestant))

    def contestants(self) -> list[str]:
        """The contestants that take part."""
        return [name for name in CONTESTANTS if self.has(name)]

    def build(self, contestant: str, given: Given) -> Contestant:
        """Return a contestant, ready to run."""
        made: Contestant = getattr(self, method(contestant))(given)
        return made

    def measures(self, contestant: str, given: Given) -> dict[str, int]:
        """Return what a contestant costs besides time: see `measures.py`."""
        from benchmarks.measures import measures

        return measures(lambda: self.build(contestant, given), contestant, given)

    def __str__(self) -> str:
        return self.name


def method(contestant: str) -> str:
    """The name of the method of a contestant."""
    return contestant.replace("-", "_")


def in_parts(
    forward: Callable[[], Any],
    backward: Callable[[Any], Any],
    found: Callable[[], list[Array]],
    update: Callable[[Any], Any] | None = None,
    value: Callable[[Any], Any] = float,
) -> Contestant:
    """Return a contestant whose step is its parts, one after the other.

    Parameters
    ----------
    forward : callable
        Returns what `backward` needs; what `value` makes a number of is the first of it, if it is a tuple.
    backward : callable
        Takes that, and returns what `update` needs.
    found, update : callable
        What must agree in the end; and what moves parameters, if there are any.
    value : callable
        Makes a number of a loss.
    """
    if update is None:

        def step() -> Any:
            state = forward()
            backward(state)
            return value(state[0] if type(state) is tuple else state)

    else:

        def step() -> Any:
            state = forward()
            update(backward(state))
            return value(state[0] if type(state) is tuple else state)

    return Contestant(step, found, forward, backward)


def difference(found: list[Array], expected: list[Array], start: list[Array] | None) -> tuple[float, int]:
    """How far results are from what is expected, relative to the largest change expected; and in which array most.

    Parameters
    ----------
    found, expected : list of array
        Aligned lists.
    start : list of array, optional
        From where both have moved; nothing stands for zeros.
    """
    if len(found) != len(expected):
        return np.inf, min(len(found), len(expected))
    worst, where = 0.0, 0
    for position, (one, other) in enumerate(zip(found, expected)):
        one, other = np.asarray(one, float), np.asarray(other, float)
        if one.shape != other.shape:
            return np.inf, position
        moved = other if start is None else other - start[position]
        scale = np.max(np.abs(moved), initial=0.0) or 1.0
        distance = np.max(np.abs(one - other), initial=0.0) / scale
        if not distance <= worst:  # so that NaN is the worst
            worst, where = float(distance), position
    return worst, where
