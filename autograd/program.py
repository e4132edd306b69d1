"""Programs: what a trace has noted, as straight-line NumPy that writes into buffers of its own.

`Plan` decides what is called and where its value goes; `Writer` says so in Python. The buffers are made once, and what
dies makes room for what comes: a run allocates next to nothing. A view of a buffer is made once too.
"""

from __future__ import annotations

import linecache
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any
from weakref import finalize

import numpy as np

from autograd import trees
from autograd.blockwise import BlockWriter, Group, Scratch, aligned, grouped
from autograd.leaves import owner
from autograd.op import Elementwise, Op
from autograd.rules.indexing import index_set
from autograd.tracing import ARRAY, Call, Trace, Variable, replaced, variables
from autograd.ufuncs import BY_KEYWORD, is_elementwise, is_ufunc, reduction

Array = Any
INFIX = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.neg: "-"}
LITERALS = (int, str, bytes, type(None), type(Ellipsis))
LONG = 64
"""How long a row of numbers must be to be better than a number, where it can be."""
SMALL = 16_384
"""How many numbers a matrix product may have for `numpy.dot` to be faster, which fills it with zeros before."""
RUN = 8192
"""How many numbers NumPy must find side by side not to halt between rows: by a third faster."""
numbers = count()


def needed(calls: Sequence[Call], outputs: Sequence[Any]) -> list[Call]:
    """The calls that outputs or effects depend on."""
    wanted = set(variables(tuple(outputs)))
    kept = []
    for call in reversed(calls):
        if call.row.effect or not wanted.isdisjoint(call.outputs):
            wanted.update(call.inputs)
            kept.append(call)
    return kept[::-1]


def without_repetition(calls: Sequence[Call], values: Sequence[Array]) -> tuple[list[Call], dict[Variable, Variable]]:
    """The calls without those that were made before with the same arguments; what takes the place of their values.

    An effect may change arrays of the outside: what was read of arrays before is read again after it.
    """
    made: dict[Any, Call] = {}
    instead: dict[Variable, Variable] = {}
    kept = []

    def current(part: Any) -> Any:
        return instead.get(part, part) if type(part) is Variable else part

    for call in calls:
        if call.row.effect:
            made = {key: before for key, before in made.items() if not before.constants}
        if not instead.keys().isdisjoint(call.inputs):
            args, kwargs = replaced((call.args, call.kwargs), current)
            call = Call(call.row, call.function, args, kwargs, call.outputs, call.several)
        key = (id(call.function), identity(call.args), identity(call.kwargs))
        before = call if call.row.effect or call.row.foreign else made.setdefault(key, call)
        same = factor_of_one(call, values)
        if same is not None:
            instead[call.outputs[0]] = same
        elif before is not call:
            instead |= zip(call.outputs, before.outputs)
        else:
            kept.append(call)
    return kept, instead


def factor_of_one(call: Call, values: Sequence[Array]) -> Variable | None:
    """What a call multiplies by 1, as the first contribution of a walk is; None if it does anything else."""
    if call.row.function is not np.multiply:
        return None
    for one, other in (call.args, call.args[::-1]):
        if type(other) is Variable and type(one) is not Variable and is_one(one):
            out, before = values[call.outputs[0]], values[other]
            if type(out) is type(before) and (out.shape, out.dtype) == (before.shape, before.dtype):
                return other
    return None


def is_one(value: Any) -> bool:
    """Whether a constant is 1, or one number that is 1 and stretched over a shape, and stays so."""
    stays = not isinstance(value, np.ndarray) or not value.flags.writeable
    value = np.asarray(value)
    return stays and value.size > 0 and not any(value.strides) and bool(value.flat[0] == 1)


def identity(value: Any) -> Any:
    """What is equal for equal arguments: numbers and words by value and type, all else by identity."""
    if isinstance(value, tuple | list):
        return (type(value), *map(identity, value))
    if isinstance(value, dict):
        return (dict, *((key, identity(part)) for key, part in value.items()))
    if isinstance(value, slice):
        return (slice, identity((value.start, value.stop, value.step)))
    if type(value) is float:
        return (float, repr(value))  # 0.0 and -0.0 differ
    return (type(value), value) if type(value) is Variable or isinstance(value, LITERALS) else id(value)


class Plan:
    """Which calls a program makes, and where the memory of each value is.

    Attributes
    ----------
    units : list of Call or Group
        In order.
    calls : list of Call
        The same, one by one.
    outputs : list
        What the program returns: variables, or constants.
    roots : dict of Variable to Variable
        The value in whose memory a value lies: its own, or that of the array of which it is a view.
    """

    def __init__(self, trace: Trace, outputs: Sequence[Any]) -> None:
        self.values = trace.values
        calls, self.instead = without_repetition(needed(trace.calls, outputs), trace.values)
        self.outputs = [self.instead.get(output, output) if type(output) is Variable else output for output in outputs]
        self.roots = self.find_roots()
        lasting = (*trace.arguments, *(variable for _, variable in trace.captured), *variables(tuple(self.outputs)))
        self.units = grouped(self.without_delay(calls, {self.roots[variable] for variable in lasting}), trace.values)
        self.calls = [call for unit in self.units for call in (unit.calls if isinstance(unit, Group) else [unit])]
        used = {variable for call in self.calls for variable in call.inputs} | set(variables(tuple(outputs)))
        self.captured = [(tensor, variable) for tensor, variable in trace.captured if variable in used]
        self.arguments = [*trace.arguments, *(variable for _, variable in self.captured)]
        self.foreign = self.find_foreign()
        self.deaths = self.find_deaths()
        self.copied = self.find_copied()
        self.in_place = {position for position, call in enumerate(self.calls) if self.may_overwrite(position, call)}
        self.ends = self.find_ends()

    def find_roots(self) -> dict[Variable, Variable]:
        """Where the memory of each value is, as the run showed that was traced."""
        roots: dict[Variable, Variable] = {}
        of_owner: dict[int, Variable] = {}
        for number, value in enumerate(map(owner, self.values)):  # in the order of creation
            variable = self.instead.get(Variable(number), Variable(number))
            roots.setdefault(variable, of_owner.setdefault(id(value), roots.get(variable, variable)))
        return roots

    def without_delay(self, calls: Sequence[Call], lasting: set[Variable]) -> list[Call]:
        """The calls, in an order that lets arrays be written over of which something smaller can be kept.

        The derivative of a ReLU asks where its value is 0. Asked before dropout multiplies the value, the product can
        lie in its place, and less memory is in use until backward comes.
        """
        uses: dict[Variable, list[int]] = defaultdict(list)
        for position, call in enumerate(calls):
            for root in {self.roots[variable] for variable in (*call.inputs, *call.outputs)}:
                uses[root].append(position)
        order = {position: float(position) for position in range(len(calls))}
        for root, positions in uses.items():
            if root in lasting or len(positions) < 3:
                continue
            *_, before, last = positions
            write, look, value = calls[before], calls[last], self.values[root]
            if root not in write.inputs or look.inputs != [root] or look.constants:
                continue
            if is_elementwise(write) and is_elementwise(look):
                (written,), (seen,) = write.outputs, look.outputs
                if like(value, self.values[written]) and self.values[seen].nbytes < value.nbytes:
                    order[last] = before - 0.5
        return [calls[position] for position in sorted(order, key=order.__getitem__)]

    def find_foreign(self) -> set[Variable]:
        """The values that may lie in memory which is not the program's: of users' functions, and parts of constants."""
        constants = {id(owner(constant)) for call in self.calls for constant in call.constants}
        return {
            output
            for call in self.calls
            for output in call.outputs
            if call.row.foreign or id(owner(self.values[output])) in constants
        }

    def find_deaths(self) -> dict[Variable, int]:
        """The position of the call that is the last to use the memory of a value; arguments and outputs stay."""
        deaths: dict[Variable, int] = {}
        for position, call in enumerate(self.calls):
            for variable in (*call.inputs, *call.outputs):
                deaths[self.roots[variable]] = position
        for variable in (*self.arguments, *variables(tuple(self.outputs))):
            deaths[self.roots[variable]] = len(self.calls)
        for call in reversed(self.calls):
            if call.row.foreign:  # what it returns may lie in what it was given
                last = max((deaths[self.roots[output]] for output in call.outputs), default=0)
                for variable in call.inputs:
                    deaths[self.roots[variable]] = max(deaths[self.roots[variable]], last)
        return deaths

    def may_overwrite(self, position: int, call: Call) -> bool:
        """Whether a copy that is written to may be spared, since nothing needs what is copied afterwards."""
        if call.row.function is not index_set or type(call.args[0]) is not Variable:
            return False
        source, (out,) = call.args[0], call.outputs
        flags = self.values[source].flags
        if self.values[source].dtype != self.values[out].dtype or not (flags.forc and flags.writeable):
            return False
        root = self.roots[source]
        if root in self.foreign:
            return False
        others = {self.roots[variable] for variable in variables(call.args[1:])}
        if self.deaths[root] != position or root in others or root in map(self.roots.get, self.arguments):
            return False
        for variable in [variable for variable, of in self.roots.items() if of == out]:
            self.roots[variable] = root
        self.deaths[root] = self.deaths[out]
        return True

    def find_ends(self) -> dict[Variable, int]:
        """The positions from which memory is free, if each elementwise call writes over what dies in it."""
        ends = dict(self.deaths)
        for position in reversed(range(len(self.calls))):
            call = self.calls[position]
            if not is_elementwise(call) or not isinstance(self.values[call.outputs[0]], np.ndarray):
                continue
            out = self.roots[call.outputs[0]]
            for root in self.dying(position):
                if ends[out] < len(self.calls) and like(self.values[root], self.values[out]):
                    ends[root] = ends[out]
        return ends

    def find_copied(self) -> set[int]:
        """The positions of outputs that would share memory with an argument or with another output."""
        taken = {self.roots[argument] for argument in self.arguments}
        copied = set()
        for position, output in enumerate(self.outputs):
            root = self.roots[output] if type(output) is Variable else None
            if root is None or root in taken or root in self.foreign:
                copied.add(position)
            else:
                taken.add(root)
        return copied

    def dying(self, position: int) -> list[Variable]:
        """The values whose memory is free after a call."""
        call = self.calls[position]
        roots = {self.roots[variable]: None for variable in (*call.inputs, *call.outputs)}
        return [root for root in roots if self.deaths[root] == position]


ALIGNED = 16
"""At multiples of how many bytes arrays begin, which is what the longest numbers ask for."""


class Room:
    """The memory of an array that a program writes into in the end: until then it has room for other values.

    Parameters
    ----------
    array : ndarray
        Whose elements lie one after the other.
    until : int
        The position of the call that writes into it.
    """

    def __init__(self, array: Array, until: int) -> None:
        address: int = array.__array_interface__["data"][0]
        self.bytes, self.until = array.reshape(-1).view(np.uint8)[-address % ALIGNED :], until

    def take(self, model: Array) -> Array | None:
        """An array like another in this memory, if there is room."""
        if model.nbytes > self.bytes.size or not model.flags.c_contiguous:
            return None
        taken, self.bytes = self.bytes[: model.nbytes], self.bytes[model.nbytes + -model.nbytes % ALIGNED :]
        return taken.view(model.dtype).reshape(model.shape)


class Buffers:
    """The arrays that a program writes into; those that are free are taken again.

    Parameters
    ----------
    rooms : list of Room
        Memory that is there already.
    """

    def __init__(self, rooms: Sequence[Room]) -> None:
        self.rooms = rooms
        self.until: dict[int, float] = {}
        self.free: dict[Any, list[Array]] = defaultdict(list)

    def take(self, model: Array, death: int) -> Array:
        """An array of the shape, dtype and layout of another, for a value that is needed until this position."""
        free = self.free[model.shape, model.dtype, model.strides]
        for number in reversed(range(len(free))):  # what was free last is in the caches
            if self.until[id(free[number])] > death:
                return free.pop(number)
        for room in self.rooms:
            if room.until > death and (found := room.take(model)) is not None:
                self.until[id(found)] = room.until
                return found
        array = aligned(model.shape, model.dtype, np.empty_like(model).strides)
        self.until[id(array)] = np.inf
        return array

    def give(self, array: Array) -> None:
        """Let an array be taken again."""
        self.free[array.shape, array.dtype, array.strides].append(array)


class Writer:
    """Says in Python what a plan is.

    Parameters
    ----------
    plan : Plan
        The plan.
    into : list of array or None
        For each output the array to write it into; None for a new one.
    state : list of array
        The first arguments, which are always these arrays; the program takes the others.
    """

    def __init__(self, plan: Plan, into: Sequence[Array | None], state: Sequence[Array]) -> None:
        self.plan, self.values, self.into = plan, plan.values, into
        self.parameters = plan.arguments[len(state) :]
        self.names: dict[str, Any] = {}
        self.of_constant: dict[Any, str] = {}
        self.fixed: dict[Variable, Array] = dict(zip(plan.arguments, state))
        self.lines: list[str] = []
        self.lasting = {plan.roots[variable] for variable in (*plan.arguments, *variables(tuple(plan.outputs)))}
        self.given = {
            plan.roots[output]: array
            for position, (output, array) in enumerate(zip(plan.outputs, into))
            if array is not None and type(output) is Variable and position not in plan.copied
            if like(self.values[plan.roots[output]], array) and like(self.values[output], array)
        }
        self.buffers = Buffers([*self.rooms()])
        self.scratches: dict[Any, Scratch] = {}
        position = 0
        for unit in plan.units:
            if isinstance(unit, Group):
                BlockWriter(self, unit, position)
                position += len(unit.calls)
            else:
                self.write(position, unit)
                position += 1

    def function(self, structure: Any) -> Callable[..., Any]:
        """The program: arrays in, a tree of this structure out."""
        results = [self.result(position, output) for position, output in enumerate(self.plan.outputs)]
        result = self.tree(structure, iter(results))
        header = f"def program({', '.join(f'v{int(parameter)}' for parameter in self.parameters)}):"
        body = [*self.lines, f"return {result}"]
        return defined("program", "\n".join([header, *("    " + line for line in body)]), self.names)

    def result(self, position: int, output: Any) -> str:
        """The expression for an output."""
        text, array = self.text(output), self.into[position]
        if array is None:
            if position in self.plan.copied:
                return f"{self.constant(copied)}({text})"
            is_view = type(output) is Variable and isinstance(self.values[output], np.ndarray)
            return f"{text}[()]" if is_view and not self.values[output].ndim else text
        if type(output) is not Variable or self.fixed.get(output) is not array:
            self.lines.append(f"{self.constant(np.copyto)}({self.constant(array)}, {text})")
        return self.constant(array)

    def rooms(self) -> Iterator[Room]:
        """The memory of arrays that results go to, before they do."""
        position = 0
        for unit in self.plan.units:
            calls = unit.calls if isinstance(unit, Group) else [unit]
            for array in (self.given[output] for call in calls for output in call.outputs if output in self.given):
                if array.flags.c_contiguous and array.size:
                    yield Room(array, position)
            position += len(calls)

    # Names

    def constant(self, value: Any) -> str:
        """The name of a thing that the program uses."""
        name = self.of_constant.get(id(value))
        if name is None:
            given = getattr(value, "__name__", "") if callable(value) else ""
            name = f"{given if given.isidentifier() else 'c'}_{len(self.names)}"
            self.of_constant[id(value)], self.names[name] = name, value
        return name

    def text(self, value: Any) -> str:
        """The expression for an argument."""
        if type(value) is Variable:
            return self.constant(self.fixed[value]) if value in self.fixed else f"v{int(value)}"
        if type(value) is tuple:
            return f"({''.join(self.text(part) + ', ' for part in value)})"
        if type(value) is list:
            return f"[{', '.join(map(self.text, value))}]"
        if type(value) is float and np.isfinite(value):
            return repr(value)
        if any(type(value) is literal for literal in (*LITERALS, bool)):
            return repr(value)
        if type(value) is slice:
            return f"slice({self.text(value.start)}, {self.text(value.stop)}, {self.text(value.step)})"
        if isinstance(value, dict) and variables(value):
            return f"{{{', '.join(f'{self.text(key)}: {self.text(part)}' for key, part in value.items())}}}"
        if isinstance(value, tuple | list) and variables(value):
            make = getattr(type(value), "_make", type(value))
            return f"{self.constant(make)}([{', '.join(map(self.text, value))}])"
        return self.constant(value)

    def tree(self, structure: Any, leaves: Iterator[str]) -> str:
        """The expression for a tree."""
        if structure is None or structure is trees.LEAF:
            return "None" if structure is None else next(leaves)
        if type(structure) is tuple:
            return f"({''.join(self.tree(part, leaves) + ', ' for part in structure)})"
        if type(structure) is list:
            return f"[{', '.join(self.tree(part, leaves) for part in structure)}]"
        if type(structure) is dict:
            return f"{{{', '.join(f'{self.text(key)}: {self.tree(part, leaves)}' for key, part in structure.items())}}}"
        count = len(trees.flatten(structure)[0])
        parts = "".join(next(leaves) + ", " for _ in range(count))
        return f"{self.constant(trees.unflatten)}({self.constant(structure)}, ({parts}))"

    # Calls

    def write(self, position: int, call: Call) -> None:
        """Write one call."""
        dying = set(self.plan.dying(position))
        if position in self.plan.in_place:
            self.overwrite(call)
        elif self.is_view(call):
            self.fixed[call.outputs[0]] = call.function(*self.actual(call.args), **self.actual(call.kwargs))
        elif not self.write_into_buffer(call, dying):
            self.lines.append(f"{self.targets(call)}{self.expression(call)}")
        self.release(dying)

    def overwrite(self, call: Call) -> None:
        """Assign into an array that nothing else needs."""
        source, key, value = call.args
        (out,) = call.outputs
        self.lines.append(f"{self.text(source)}[{self.text(key)}] = {self.text(value)}")
        if source in self.fixed:
            self.fixed[out] = self.fixed[source]
        else:
            self.lines.append(f"{self.text(out)} = {self.text(source)}")

    def is_view(self, call: Call) -> bool:
        """Whether a call returns a view of a buffer, which is the same in each run."""
        if len(call.outputs) != 1 or call.several or call.row.foreign:
            return False
        root = self.plan.roots[call.outputs[0]]
        return root != call.outputs[0] and all(variable in self.fixed for variable in call.inputs)

    def actual(self, value: Any) -> Any:
        """Arguments with buffers for variables."""
        return replaced(value, lambda part: self.fixed[part] if type(part) is Variable else part)

    def targets(self, call: Call) -> str:
        """What the value of a call is assigned to."""
        names = [f"v{int(output)}" for output in call.outputs]
        if call.several:
            return f"{', '.join(names)}, = " if names else ""
        return f"{names[0]} = " if names else ""

    def expression(self, call: Call) -> str:
        """The expression for a call."""
        args = [self.text(arg) for arg in call.args]
        infix, function = INFIX.get(call.function), call.row.function
        if infix:
            return f" {infix} ".join(args) if len(args) == 2 else f"{infix}{args[0]}"
        if function is np.transpose and call.args[1] is None:
            return f"{args[0]}.T"
        if (found := reduction(call)) is not None:
            a, axis, dtype, keepdims = map(self.text, found[1:])
            return f"{self.constant(found.method)}({a}, {axis}, {dtype}, None, {keepdims})"
        args += [f"{name}={self.text(arg)}" for name, arg in call.kwargs.items()]
        return f"{self.constant(call.function)}({', '.join(args)})"

    def write_into_buffer(self, call: Call, dying: set[Variable]) -> bool:
        """Write a call whose value goes into a buffer, if there is a way to say so."""
        if call.row.writes and "out" not in call.kwargs:
            arrays = tuple(self.buffer(output) if self.has_buffer(output) else None for output in call.outputs)
            args = call.args[:-1] if isinstance(call.row, Op) else call.args
            kwargs = {**call.kwargs, "out": arrays if call.several else arrays[0]}
            call = Call(call.row, call.function, args, kwargs, call.outputs, call.several)
            self.lines.append(f"{self.targets(call)}{self.expression(call)}")
            return True
        if len(call.outputs) != 1 or call.kwargs:
            return False
        (out,) = call.outputs
        model = self.values[out]
        if not self.has_buffer(out):
            return False
        if is_ufunc(call):
            if is_elementwise(call):
                self.release(dying - {out})
                dying &= {out}
            buffer = self.buffer(out)
            function = np.dot if call.row.function is np.matmul and self.is_for_dot(call, buffer) else call.row.function
            shape = self.shape_of_runs(call, buffer)
            operands = [self.operand(arg, call, shape) for arg in call.args]
            name, out_word = self.constant(function), "out=" if function in BY_KEYWORD else ""
            target = buffer if shape == buffer.shape else buffer.reshape(shape)
            self.lines.append(f"{name}({', '.join(operands)}, {out_word}{self.constant(target)})")
            return True
        if (found := reduction(call)) is not None:
            a, axis, dtype, keepdims = map(self.text, found[1:])
            rows, buffer = self.model(found.array), self.constant(self.buffer(out))
            if found.adds and is_matrix(rows, model.dtype):  # BLAS does it in half the time
                ones = self.filled(1, rows.shape[:1], rows.dtype)
                self.lines.append(f"{self.constant(np.dot)}({ones}, {a}, {buffer})")
            else:
                self.lines.append(f"{self.constant(found.method)}({a}, {axis}, {dtype}, {buffer}, {keepdims})")
            return True
        return False

    def shape_of_runs(self, call: Call, buffer: Array) -> tuple[int, ...]:
        """The shape in which a call is made: with longer rows, where an operand is a row that can be repeated."""
        usual: tuple[int, ...] = buffer.shape
        if not is_elementwise(call) or len(usual) != 2 or usual[1] < LONG or not buffer.flags.c_contiguous:
            return usual
        rows, columns = usual
        times, shapes = -(-RUN // columns), [np.shape(self.model(arg)) for arg in call.args]
        gains = (columns,) in shapes or (() in shapes and call.row.function in BY_KEYWORD)
        ready = all(
            shape in ((), (columns,)) or (shape == usual and self.is_in_rows(arg))
            for shape, arg in zip(shapes, call.args)
        )
        return (rows // times, columns * times) if gains and ready and rows % times == 0 else usual

    def is_in_rows(self, arg: Any) -> bool:
        """Whether an operand is a buffer whose rows lie one after the other."""
        return type(arg) is Variable and arg in self.fixed and bool(self.fixed[arg].flags.c_contiguous)

    def model(self, value: Any) -> Any:
        """What an argument was in the run that was traced."""
        return self.values[value] if type(value) is Variable else value

    def filled(self, value: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
        """The name of an array of equal numbers."""
        key = (repr(value), shape, dtype)
        if key not in self.of_constant:
            self.of_constant[key] = self.constant(np.full(shape, value, dtype))
        return self.of_constant[key]

    def is_for_dot(self, call: Call, buffer: Array) -> bool:
        """Whether `numpy.dot` gives the same matrix, in two thirds of the time if it is small."""
        operands = [self.model(arg) for arg in call.args]
        return (
            buffer.size <= SMALL
            and buffer.flags.c_contiguous
            and all(
                isinstance(operand, np.ndarray) and operand.ndim in (1, 2) and operand.dtype == buffer.dtype
                for operand in operands
            )
        )

    def has_buffer(self, out: Variable) -> bool:
        """Whether a value is an array that may lie in a buffer, and need not be one of its own in each run."""
        model = self.values[out]
        return (
            (self.plan.roots[out] not in self.lasting or out in self.given)
            and isinstance(model, np.ndarray)
            and model.ndim > 0
            and owner(model) is model
        )

    def buffer(self, out: Variable) -> Array:
        """The array that a value is written into."""
        array = self.fixed[out] = self.given[out] if out in self.given else self.take(out)
        return array

    def take(self, out: Variable) -> Array:
        """An array for a value, until neither it nor what is written over it is needed."""
        return self.buffers.take(self.values[out], self.plan.ends[self.plan.roots[out]])

    def operand(self, value: Any, call: Call, shape: tuple[int, ...]) -> str:
        """The expression for an operand of a ufunc that is called in this shape, which may have longer rows.

        NumPy takes twice as long for a Python number as for an array.
        """
        model = self.model(value)
        if type(value) in (int, float) and isinstance(call.row, Elementwise):
            dtypes = {self.values[variable].dtype for variable in call.inputs}
            if len(dtypes) == 1 and (dtype := dtypes.pop()).kind == "f":
                is_row = call.row.function in BY_KEYWORD and len(shape) > 1 and shape[-1] >= LONG
                return self.filled(value, shape[-1:] if is_row else (), dtype)
        if shape == self.values[call.outputs[0]].shape or not np.ndim(model):
            return self.text(value)
        if model.ndim == 2:
            return self.constant(self.fixed[value].reshape(shape))
        key = ("repeated", shape[1] // len(model), len(model), model.dtype)
        if key not in self.of_constant:
            self.of_constant[key] = self.constant(aligned(key[1:3], model.dtype))
        tile = self.names[self.of_constant[key]]
        self.lines.append(f"{self.constant(np.copyto)}({self.of_constant[key]}, {self.text(value)})")
        return self.constant(tile.reshape(-1))

    def release(self, roots: Iterable[Variable]) -> None:
        """Let the memory of values be taken again."""
        for root in roots:
            if root in self.fixed and root not in self.lasting:
                self.buffers.give(self.fixed[root])


def guard(models: Sequence[Array]) -> Callable[..., bool]:
    """The function that says whether a tuple holds plain arrays like these in shape, dtype and layout, and no more."""
    names: dict[str, Any] = {"ndarray": np.ndarray}
    conditions = [f"len(args) == {len(models)}"]
    for position, model in enumerate(models):
        arg = f"args[{position}]"
        if isinstance(model, np.ndarray):
            dtype = f"d{position}"
            names[dtype] = model.dtype
            conditions.append(
                f"type({arg}) is ndarray and {arg}.shape == {model.shape} and {arg}.strides == {model.strides} "
                f"and ({arg}.dtype is {dtype} or {arg}.dtype == {dtype})"  # pickled arrays have dtypes of their own
            )
        else:
            names[f"t{position}"] = type(model)
            conditions.append(f"type({arg}) is t{position}")
    return defined("fits", f"def fits(args):\n    return {' and '.join(conditions)}", names)


def is_matrix(rows: Any, dtype: Any) -> bool:
    """Whether rows lie one after the other, of floating-point numbers of this dtype."""
    return rows.ndim == 2 and rows.dtype == dtype and dtype.kind == "f" and bool(rows.flags.c_contiguous)


def like(value: Array, array: Array) -> bool:
    """Whether an array has the shape, dtype and layout of another."""
    return (value.shape, value.dtype) == (array.shape, array.dtype) and value.strides == array.strides


def defined(name: str, source: str, names: dict[str, Any]) -> Callable[..., Any]:
    """The function that a source text defines, with these names bound; tracebacks and its __doc__ show the text."""
    filename = f"<autograd {name} {next(numbers)}>"
    indented = "\n".join("    " + line for line in source.splitlines())
    whole = f"def bind({', '.join(names)}):\n{indented}\n    return {name}"
    linecache.cache[filename] = (len(whole), None, whole.splitlines(keepends=True), filename)
    made: dict[str, Any] = {}
    exec(compile(whole, filename, "exec"), {}, made)
    function: Callable[..., Any] = made["bind"](**names)
    finalize(function, linecache.cache.pop, filename, None)
    function.__doc__ = source
    return function


def copied(value: Array) -> Array:
    """A copy: an array, or a NumPy scalar if 0-d; anything else as it is."""
    return np.array(value)[()] if isinstance(value, ARRAY) else value
