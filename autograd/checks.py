"""gradcheck: the derivatives that the rules give, against differences; and the name of the row that is wrong.

All floating arguments together are one vector x, all floating results one vector y. Random seeds v and a random
direction u make two numbers of it that must agree, in each mode:

    reverse   (v applied to f's vjp) · u   =   v · (f(x + h u) - f(x - h u)) / 2h
    forward   v · (f's jvp along u)        =   the same

For second order, f's gradient (and its tangent) is itself such a function of x, and is checked in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd.chain_rule import pullback, pushforward
from autograd.errors import DtypeError, GradcheckError
from autograd.leaves import Changed, Watched
from autograd.modes import enable_grad
from autograd.op import OUTPUT, General, Linear, Multilinear, Op
from autograd.record import Node, arguments, newest_first, replay
from autograd.recording import RECORDER, record
from autograd.run import ARGUMENT
from autograd.tensor import Tensor
from autograd.trees import flatten, unflatten
from autograd.trees import names as names_in

Vector = Any
Function = Callable[[list[Tensor]], list[Any]]
"""What is checked: tensors in, their floating results out."""

MODES = ("reverse", "forward")


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    modes: str | Sequence[str] = MODES,
    step: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    seed: int | np.random.Generator = 0,
    **kwargs: Any,
) -> bool:
    """Check the derivatives of ``f(*args, **kwargs)`` against central differences.

    Checked are the derivatives with respect to every floating argument: numbers, arrays and Tensors, also within
    tuples, lists and dicts. Integers, booleans and everything else are handed to `f` as they are, and so are floats
    given by keyword, which are taken for options. To leave an array out, let `f` close over it.

    Parameters
    ----------
    f : callable
        Takes Tensors where arrays are given. Returns an array, or nested tuples, lists and dicts of arrays.
    *args, **kwargs
        Where to check: arguments in float64.
    order : int
        How many derivatives to check.
    modes : sequence of {"reverse", "forward"}
        The modes to check. For second order each is also applied to the derivative that each one gives: reverse over
        reverse, forward over reverse, and so on.
    step : float
        Length of the differences, relative to arguments larger than 1.
    rtol, atol : float
        How far the two may differ: relative to their size, and absolutely.
    seed : int or numpy.random.Generator
        Chooses the random directions.

    Returns
    -------
    bool
        True.

    Raises
    ------
    GradcheckError
        If a derivative is wrong: the message names the row of the table that is. Also if `f` gives another result when
        it is called again, or one that is not finite.
    DtypeError
        If something is computed in another dtype than float64, or if there is nothing to check.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import gradcheck
    >>> gradcheck(lambda x, y: np.tanh(x * y).sum(), np.array([0.5, -1.0]), 2.0)
    True
    """
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    if not modes or not set(modes) <= set(MODES):
        raise ValueError(f'the modes of gradcheck are "reverse" and "forward", not {modes!r}')
    call = Call(f, args, kwargs)
    check = Check(call, modes, step, rtol, atol, np.random.default_rng(seed))
    with enable_grad(), np.errstate(all="ignore"):
        check.repeatable()
        check.derivatives(call, (), order)
    return True


class Call:
    """A call, as a function of the list of its floating arguments."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.f = f
        self.name: str = getattr(f, "__name__", type(f).__name__)
        self.leaves, self.structure = flatten((args, kwargs))
        names = [*names_in(self.structure[0], "args"), *names_in(self.structure[1], "kwargs")]
        options = {f"kwargs[{name!r}]" for name, value in kwargs.items() if isinstance(value, float)}
        self.places = [i for i, leaf in enumerate(self.leaves) if floating(leaf) and names[i] not in options]
        self.names = [names[i] for i in self.places]
        self.start = [number(self.leaves[i]) for i in self.places]
        for name, value in zip(self.names, self.start, strict=True):
            self.insist_on_float64(f"{name} has dtype", value)
        if not self.start:
            raise DtypeError(
                f"gradcheck of {self.name}: none of its arguments is a float64 number, array or Tensor, so there is no "
                "derivative to check; give floating arguments, such as 3.0 for 3"
            )

    def __call__(self, inputs: list[Tensor]) -> list[Any]:
        leaves = list(self.leaves)
        for place, tensor in zip(self.places, inputs, strict=True):
            leaves[place] = record(ARGUMENT, [tensor])  # which the function may assign into
        args, kwargs = unflatten(self.structure, leaves)
        outputs = floats(self.f(*args, **kwargs))
        for output in outputs:
            self.insist_on_float64("it returned", number(output))
        if not outputs:
            raise DtypeError(
                f"gradcheck of {self.name}: it returned no float64 number, array or Tensor, so there is no derivative "
                "to check; is there a return?"
            )
        return outputs

    def insist_on_float64(self, what: str, value: Any) -> None:
        """Raise if differences of this value would be too coarse."""
        if value.dtype != np.float64:
            raise DtypeError(
                f"gradcheck of {self.name}: {what} {value.dtype}, in which differences are too coarse to check a "
                "derivative; compute in float64"
            )


class Deviation(NamedTuple):
    """Where a derivative differs most from the differences."""

    place: int
    at: tuple[int, ...]
    shape: tuple[int, ...]
    analytic: float
    left: float
    right: float

    @property
    def numeric(self) -> float:
        """The central difference."""
        return (self.left + self.right) / 2

    @property
    def kink(self) -> bool:
        """Whether the slopes on the two sides differ so much that the derivative may be any number between them."""
        return abs(self.right - self.left) > abs(self.analytic - self.numeric)

    def __str__(self) -> str:
        where = f" at index {self.at}" if self.shape else ""
        if not np.isfinite(self.numeric):
            return f"{where}: analytic {self.analytic:.6g}, and the values around it are not finite"
        sides = f" ({self.left:.6g} on one side, {self.right:.6g} on the other)" if self.kink else ""
        return f"{where}: analytic {self.analytic:.6g}, numeric {self.numeric:.6g}{sides}"


class Culprit(NamedTuple):
    """An application of a row whose derivative is wrong in one of its inputs, or has none there."""

    op: Op
    args: list[Any]
    position: int
    deviation: Deviation
    smooth: bool


class Check(NamedTuple):
    """The comparison of derivatives with differences."""

    call: Call
    modes: tuple[str, ...]
    step: float
    rtol: float
    atol: float
    rng: np.random.Generator

    def repeatable(self) -> None:
        """Raise if the function gives another result when called again, or one that is not finite."""
        first, again = self.call(leaves(self.call.start)), self.call(leaves(self.call.start))
        for place, (one, two) in enumerate(zip(map(number, first), map(number, again), strict=True)):
            if not np.isfinite(one).all():
                index = worst(~np.isfinite(one))
                raise GradcheckError(
                    f"gradcheck of {self.call.name}: its output {place}, float64 {one.shape}, is {one[index]} at index "
                    f"{index}; check it where its value is finite"
                )
            if one.shape != two.shape or not np.allclose(one, two, rtol=1e-12, atol=0):
                raise GradcheckError(
                    f"gradcheck of {self.call.name}: called twice with the same arguments, it gave two different "
                    f"results for its output {place}, float64 {one.shape}; let it seed its random generator itself"
                )

    def derivatives(self, function: Function, taken: tuple[str, ...], order: int) -> None:
        """Check so many derivatives of a function, itself the call differentiated in the modes `taken`."""
        start = self.call.start
        for mode in self.modes:
            deviation = self.deviation(function, start, mode)
            if deviation is not None:
                raise GradcheckError(self.verdict(function, taken, mode, deviation))
        if order > 1:
            for mode in self.modes:
                self.derivatives(self.derivative(function, start, mode), (*taken, mode), order - 1)

    def derivative(self, function: Function, start: list[Any], mode: str) -> Function:
        """Return the gradient, or the tangent, of a function: again a function of the same inputs."""
        if mode == "reverse":
            seeds = [self.rng.normal(size=np.shape(output)) for output in function(leaves(start))]
            return lambda inputs: pulled(function(inputs), seeds, inputs, record=True)
        along = [self.rng.normal(size=np.shape(value)) for value in start]
        return lambda inputs: pushed(function(inputs), along, inputs, record=True)

    def deviation(self, function: Function, start: list[Any], mode: str) -> Deviation | None:
        """Return where the derivative of a function differs most from differences; None if the two agree."""

        def values(point: Vector) -> Vector:
            return pack(function(leaves(unpack(point, start))))

        inputs = leaves(start)
        outputs = function(inputs)
        x, y = pack(start), pack(outputs)
        reach = np.maximum(1.0, abs(x))
        along, seeds = self.rng.normal(size=x.size) * reach, self.rng.normal(size=y.size)
        rise, fall = values(x + self.step * along) - y, y - values(x - self.step * along)
        if mode == "reverse":
            gradient = pack(pulled(outputs, unpack(seeds, outputs), inputs))
            terms = gradient * along
        else:
            tangent = pack(pushed(outputs, unpack(along, start), inputs))
            terms = tangent * seeds
        numeric = seeds @ (rise + fall) / (2 * self.step)
        rounding = 100 * np.finfo(float).eps * np.linalg.norm(seeds * y) / self.step
        tolerance = self.atol + self.rtol * max(abs(numeric), np.linalg.norm(terms)) + rounding
        if abs(terms.sum() - numeric) <= tolerance:
            return None
        if mode == "forward":
            return largest(tangent, fall / self.step, rise / self.step, outputs)

        def slopes(direction: Vector) -> tuple[float, float]:
            h = self.step * direction
            return seeds @ (y - values(x - h)) / self.step, seeds @ (values(x + h) - y) / self.step

        def gap(block: Vector) -> float:
            part = np.zeros_like(x)
            part[block] = along[block]
            return float(np.nan_to_num(abs(sum(slopes(part)) / 2 - gradient @ part), nan=np.inf))

        block = np.arange(x.size)
        while block.size > 256:  # too many to try one by one: keep the half that differs more
            block = max(np.array_split(block, 2), key=gap)
        left, right = gradient.copy(), gradient.copy()
        for j in block:
            unit = np.zeros_like(x)
            unit[j] = reach[j]
            left[j], right[j] = np.divide(slopes(unit), reach[j])
        return largest(gradient, left, right, start)

    def wrong_row(self, function: Function, mode: str, taken: Sequence[str] = ()) -> Culprit | None:
        """Return the oldest row in a function's record that is wrong, itself differentiated in the modes `taken`."""
        roots = [output.node for output in function(leaves(self.call.start)) if recorded(output)]
        values = replay(roots)
        for node in reversed(newest_first(roots)):
            if not node.args or node.op is OUTPUT:
                continue
            op, args = own(node.op), arguments(node, values)
            for position, source in enumerate(node.args):
                if not isinstance(source, Node):
                    continue
                for value in (args[position], *floats(values[node])):
                    self.call.insist_on_float64(f"its {op.name!r} has an operand or value in", value)
                start = [args[position]]
                alone: Function = partial(applied, op, args, position)
                before = alone
                for inner in taken:
                    before, alone = alone, self.derivative(alone, start, inner)
                deviation = self.deviation(alone, start, mode)
                if deviation is not None:
                    wild = deviation.kink or not np.isfinite(deviation.numeric) or self.kinked(before, start)
                    return Culprit(op, args, position, deviation, not wild)
        return None

    def kinked(self, function: Function, start: list[Any]) -> bool:
        """Whether the slopes of a function on two sides of a point differ, and in a shorter step hardly less.

        A derivative that is the mean of the two, such as 0 of the absolute value at 0, agrees with central differences,
        and only its own derivative does not.
        """
        x = pack(start)
        along = self.rng.normal(size=x.size) * np.maximum(1.0, abs(x))

        def values(step: float) -> Vector:
            return pack(function(leaves(unpack(x + step * along, start))))

        def gap(step: float) -> float:
            return float(np.linalg.norm(values(step) + values(-step) - 2 * values(0)) / step)

        rounding = 100 * np.finfo(float).eps * np.linalg.norm(values(0)) / self.step
        return gap(self.step) > max(gap(10 * self.step) / 2, self.atol + rounding)

    def verdict(self, function: Function, taken: tuple[str, ...], mode: str, deviation: Deviation) -> str:
        """Return what is wrong, with the row's name, and what to do."""
        place, names = deviation.place, self.call.names
        title = " over ".join((mode, *reversed(taken)))
        if mode == "reverse":
            what = f"the gradient of a random sum of outputs with respect to {names[place]}"
        elif taken and taken[-1] == "reverse":
            what = f"the tangent of the gradient with respect to {names[place]}"
        else:
            what = f"the tangent of output {place}"
        message = f"gradcheck of {self.call.name}, {title}: {what}, float64 {deviation.shape}, is wrong{deviation}"
        culprit = self.wrong_row(function, mode)
        deeper = culprit is None and len(taken) > 0
        if deeper:
            culprit = self.wrong_row(self.call, mode, taken)
        if culprit is None:
            return (
                f"{message}; every row in the record is right, so {self.call.name} is not smooth here, or it computes "
                "a part of its result outside the record (detach(), .data, functions with derivative 0), or a hook "
                "changes a gradient"
            )
        return f"{message}; {blame(culprit, taken[-1] if deeper else mode, deeper)}"


def blame(culprit: Culprit, mode: str, deeper: bool) -> str:
    """Return which row is wrong, where, and the cure."""
    op, args, position, deviation, smooth = culprit
    name = op.parameters[min(position, op.starred)]
    operands = ", ".join(f"float64 {np.shape(arg)}" if floating(arg) else repr(arg) for arg in args)
    where = f"in {op.name}({operands}), input {position} ({name!r}){deviation}"
    if not smooth:
        return f"the row {op.name!r} is not smooth there: {where}; check at a point away from it"
    rule = "jvp" if mode == "forward" and isinstance(op, General) and op.jvps else "rule"
    if deeper:
        cure = f"its {rule} for {name!r} is right, but not the derivative of it: let it use only NumPy and this package"
    elif mode == "forward" and isinstance(op, Linear | Multilinear):
        cure = f"it is not linear in {name!r}, so declare it by a vjp"
    else:
        cure = f"fix its {rule} for {name!r}"
    return f"the row {op.name!r} is wrong: {where}; {cure}"


# Vectors, and the walks


def number(value: Any) -> Any:
    """Return the array, or the NumPy scalar, of a tensor, an array or a number."""
    value = value.data if isinstance(value, Tensor) else value
    return value if isinstance(value, np.ndarray | np.generic) else np.float64(value)


def floating(value: Any) -> bool:
    """Whether a value is a floating number, array or tensor."""
    return isinstance(value, float) or (isinstance(value, Tensor | np.ndarray | np.generic) and value.dtype.kind == "f")


def floats(result: Any) -> list[Any]:
    """Return the floating leaves of a result."""
    return [leaf for leaf in flatten(result)[0] if floating(leaf)]


def leaves(values: Sequence[Any]) -> list[Tensor]:
    """Return fresh leaves that require grad."""
    return [Tensor(value, requires_grad=True) for value in values]


def pack(values: Sequence[Any]) -> Vector:
    """Return one vector of all elements."""
    return np.concatenate([np.empty(0), *(np.ravel(number(value)) for value in values)])


def unpack(vector: Vector, like: Sequence[Any]) -> list[Any]:
    """Return the elements of a vector in the shapes of these values."""
    ends = np.cumsum([np.size(number(value)) for value in like])
    return [part.reshape(np.shape(value))[()] for part, value in zip(np.split(vector, ends), like)]


def worst(gaps: Any) -> tuple[int, ...]:
    """Return the index of the largest element, NaN counting as largest."""
    index = np.unravel_index(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)), np.shape(gaps))
    return tuple(map(int, index))


def largest(analytic: Vector, left: Vector, right: Vector, like: Sequence[Any]) -> Deviation:
    """Return the deviation at the element where it is largest, among values of these shapes."""
    (flat,) = worst(abs(analytic - (left + right) / 2))
    marked = np.zeros(analytic.size)
    marked[flat] = 1
    for place, part in enumerate(unpack(marked, like)):
        if np.any(part):
            index = worst(part)
            return Deviation(place, index, np.shape(part), *map(float, (analytic[flat], left[flat], right[flat])))
    raise AssertionError("an element of the vector belongs to one of the values")


def recorded(output: Any) -> bool:
    """Whether an output depends on the inputs by the record."""
    return isinstance(output, Tensor) and output.node is not None


def pulled(outputs: list[Any], seeds: list[Any], inputs: list[Tensor], record: bool = False) -> list[Any]:
    """Return the gradients of <seeds, outputs> with respect to the inputs."""
    cotangents: dict[Any, Any] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        if recorded(output):
            cotangents[output.node] = cotangents[output.node] + seed if output.node in cotangents else seed
    targets = [leaf.node for leaf in inputs if leaf.node is not None]
    arrived = pullback(cotangents, targets, recorder=RECORDER if record else None)
    return [arrived.get(leaf, np.zeros(leaf.spec.shape)) for leaf in targets]


def pushed(outputs: list[Any], along: list[Any], inputs: list[Tensor], record: bool = False) -> list[Any]:
    """Return the tangents of the outputs when the inputs move along a direction."""
    tangents = {leaf.node: tangent for leaf, tangent in zip(inputs, along, strict=True) if leaf.node is not None}
    arrived = pushforward(tangents, [output.node for output in outputs if recorded(output)], RECORDER, record)
    return [
        arrived[output.node] if recorded(output) and output.node in arrived else np.zeros(np.shape(output))
        for output in outputs
    ]


def own(op: Any) -> Op:
    """Return the row itself of a node whose gradient is watched."""
    while isinstance(op, Watched | Changed):
        op = op.op
    row: Op = op
    return row


def applied(op: Op, args: list[Any], position: int, inputs: list[Tensor]) -> list[Any]:
    """Return the floating outputs of a row applied to these arguments, one of them replaced."""
    return floats(RECORDER.apply(op, [*args[:position], *inputs, *args[position + 1 :]]))
