"""Parameters that move together: a step over many small arrays costs what a step over one array costs."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextvars import copy_context
from typing import Any

import numpy as np

from autograd import Tensor
from nn.optim.optimizers import Optimizer

Array = Any
MOST = 262_144
"""How many numbers move at a time: few pieces, and a megabyte of float32 for what is computed on the way."""


class Part:
    """Some of the numbers of a piece and their gradients: as much of a parameter as a step needs, and cheaper.

    Attributes
    ----------
    data, grad : ndarray
        Views of the piece.
    """

    def __init__(self, data: Array, grad: Array) -> None:
        self.data, self.grad = data, grad
        self.shape, self.size, self.dtype = data.shape, data.size, data.dtype

    def __isub__(self, step: Array) -> Part:
        self.data -= step
        return self

    def __imul__(self, factor: Any) -> Part:
        self.data *= factor
        return self


class Piece:
    """Parameters of one group and dtype in one piece of memory, and their gradients in another.

    Attributes
    ----------
    parts : list of Part
        All of it, some at a time.
    values, gradients : list of array
        The views that belong to each of the `parameters`.
    state : dict
        What is remembered of all of it, by name: an array of one dimension, or an int.
    """

    def __init__(self, group: int, parameters: Sequence[Tensor]) -> None:
        self.group, self.parameters = group, parameters
        value = np.concatenate([p.data.ravel() for p in parameters])
        gradient = np.zeros_like(value)
        self.values, self.gradients = self.views(value), self.views(gradient)
        self.state: dict[str, Any] = {}
        self.slices = [slice(start, start + MOST) for start in range(0, max(value.size, 1), MOST)]
        self.parts = [Part(value[some], gradient[some]) for some in self.slices]

    def views(self, whole: Array) -> list[Array]:
        """The views of an array that belong to the parameters."""
        ends = np.cumsum([p.size for p in self.parameters])
        return [whole[end - p.size : end].reshape(p.shape) for p, end in zip(self.parameters, ends)]


class Together:
    """The step of an optimizer over parameters whose gradients are given, in pieces of memory.

    Bit for bit it is the step of the optimizer, which has the same options and state before and after. Where an
    optimizer does not move each number by itself, or does not remember as much of one parameter as of another, it takes
    its own step.

    Parameters
    ----------
    optimizer : Optimizer
        Says how to move.
    learned : iterable of Tensor
        The parameters that have gradients; others do not move.

    Attributes
    ----------
    values, gradients : dict of Tensor to array
        Where the parameters lie, and where their gradients are expected.
    still : list of Tensor
        Those of which nothing depends, and which have no gradient therefore.
    others : list of Tensor
        What the optimizer moves beside the learned parameters. They have no gradient in a step of these.
    apart : list of Tensor
        Learned parameters that do not move in pieces.
    """

    def __init__(self, optimizer: Optimizer, learned: Iterable[Tensor]) -> None:
        self.optimizer = optimizer
        self.quiet = copy_context()  # where NumPy gives no warnings, as in an optimizer's step
        self.quiet.run(np.seterr, all="ignore")
        self.gradients = {p: np.zeros(p.shape, p.dtype) for p in learned}
        self.still: list[Tensor] = []
        self.others = [p for group in optimizer.param_groups for p in group["params"] if p not in self.gradients]
        self.pieces: list[Piece] = []
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        if moves_numbers_alone(type(optimizer)):
            self.twin: Any = copy.copy(optimizer)
            self.twin.state, self.twin.param_groups, self.twin._buffers, self.twin._rooms = self.state, [], {}, {}
            for number, group in enumerate(optimizer.param_groups):
                by_dtype: dict[Any, list[Tensor]] = {}
                for p in group["params"]:
                    if p in self.gradients:
                        by_dtype.setdefault(p.dtype, []).append(p)
                self.pieces += [Piece(number, parameters) for parameters in by_dtype.values()]
        self.values = {p: np.array(p.data) for p in self.gradients}
        moved = {p for piece in self.pieces for p in piece.parameters}
        self.apart = [p for p in self.gradients if p not in moved]
        for piece in self.pieces:
            self.values |= zip(piece.parameters, piece.values)
            self.gradients |= zip(piece.parameters, piece.gradients)

    def gather(self) -> None:
        """Let the parameters lie where they are expected, with the values that they have."""
        for p, value in self.values.items():
            if p.data is not value:
                value[...] = p.data
                p.set_(value)

    def step(self) -> None:
        """Move all parameters by the gradients that are there now."""
        if self.still or not self.pieces or not self.take_state():
            self.leave_gradients(self.gradients)
            self.optimizer.step()
            return
        self.leave_gradients(self.apart)
        groups = self.optimizer.param_groups
        for piece in self.pieces:
            self.quiet.run(self.twin.update, {**groups[piece.group], "params": piece.parts})
            for p, value, gradient in zip(piece.parameters, piece.values, piece.gradients):
                p.set_(value, gradient)  # graphs that were made before are stale
        self.give_state()

    def leave_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Let these parameters have the gradients that were computed, and those that were not reached none."""
        for p in parameters:
            if p.node is not None:
                p.node.remember(grad=self.gradients[p])
        for p in (*self.still, *self.others):
            p.grad = None

    def take_state(self) -> bool:
        """Take over what the optimizer remembers, if somebody has changed it; whether it is the same for all."""
        for piece in self.pieces:
            remembers = self.optimizer.first_state(self.optimizer.param_groups[piece.group])
            if not remembers and not self.optimizer.state:
                continue
            entries = [self.optimizer.state.get(p, {}) for p in piece.parameters]
            if piece.state.keys() >= remembers.keys() and all(self.shares(entry, piece.state) for entry in entries):
                continue
            first = entries[0]
            counts = {name: value for name, value in first.items() if not isinstance(value, np.ndarray)}
            if not first.keys() >= remembers.keys() or any(
                e.keys() != first.keys() or not counts.items() <= e.items() for e in entries
            ):
                return False  # the optimizer's own step adds what is missing
            arrays = {name: np.concatenate([e[name].ravel() for e in entries]) for name in first.keys() - counts}
            piece.state = counts | arrays
            for part, some in zip(piece.parts, piece.slices):
                self.state[part] = counts | {name: whole[some] for name, whole in arrays.items()}
            for number, entry in enumerate(entries):
                entry |= {name: piece.views(whole)[number] for name, whole in arrays.items()}
        return True

    @staticmethod
    def shares(entry: dict[str, Any], whole: dict[str, Any]) -> bool:
        """Whether what is remembered of a parameter lies in what is remembered of the whole."""
        return entry.keys() == whole.keys() and all(
            part.base is whole[name] if isinstance(part, np.ndarray) else part == whole[name]
            for name, part in entry.items()
        )

    def give_state(self) -> None:
        """Let the optimizer count the step; arrays are shared with it."""
        for piece in self.pieces:
            for name, value in piece.state.items():
                if isinstance(value, int):
                    piece.state[name] = count = self.state[piece.parts[0]][name]
                    for p in piece.parameters:
                        self.optimizer.state[p][name] = count


def moves_numbers_alone(kind: type[Optimizer]) -> bool:
    """Whether an optimizer moves each number by itself: it says so, and no subclass moves them in another way."""
    said = next(base for base in kind.__mro__ if "elementwise" in vars(base))
    steps = ("step", "_move", "update", "moving", "remembered")
    return kind.elementwise and all(getattr(kind, name) is getattr(said, name) for name in steps)
