"""Applying rows to tensors, and recording that they were applied.

`record` does it for any row. For most rows `writer.py` writes a function of the row's own that does the same;
`Appliers` hands out these functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from numbers import Real
from typing import Any

import numpy as np

from autograd import modes
from autograd.chain_rule import conform, pullback
from autograd.dispatch import PLAIN
from autograd.errors import NotDifferentiableError
from autograd.messages import EXPECTED, NUMBERS, carries, checked, describe, explain, refusal, refuse_unlike
from autograd.op import Composite, Flat, Op, pick
from autograd.partial import Upstreams
from autograd.record import Node, Spec, closed, interned, make_node, numbers, spec_of
from autograd.table import TABLE
from autograd.tensor import Tensor, like, made, plain, variable
from autograd.writer import write, write_pull

Array = Any


def holds_tensors(value: Any) -> bool:
    """Whether a value is a tensor, or a tuple, list or dict that holds one."""
    if isinstance(value, dict):
        value = tuple(value.values())
    return isinstance(value, Tensor) or (isinstance(value, tuple | list) and any(map(holds_tensors, value)))


def operand(op: Op, value: Any) -> Any:
    """A constant operand that is not `PLAIN`, as rules must be given it: a sequence as array, a fraction as float."""
    if isinstance(value, list | tuple):
        return np.asarray(value)
    if isinstance(value, Real) and not isinstance(value, int):
        return float(value)
    refuse_unlike(value, f"{op.name}() of a Tensor")
    return value


def constant(op: Op | Flat, name: str, value: Any) -> Any:
    """The value of an argument that is not differentiable: of a tensor, or of those in a tuple, such as a key."""
    if isinstance(value, tuple | list):
        return like(value, [constant(op, name, part) for part in value])
    if not isinstance(value, Tensor):
        return value
    if value.node is not None and name not in op.flat:
        raise NotDifferentiableError(
            f"{op.name}() is not differentiable in its argument {name!r}, and {describe(value)} requires grad; "
            "use t.detach() there if its gradient is not wanted"
        )
    tracer = modes.tracer()
    if tracer is not None:
        tracer.capture(value)
    return value._array


def record(op: Op, args: Sequence[Any]) -> Any:
    """Apply a row to arguments in canonical order, and record it if one of them requires grad."""
    mode = modes.current()
    values, nodes = [], []
    for position, argument in enumerate(args):
        node = None
        if not op.has_rule(position):
            argument = constant(op, op.parameters[position], argument) if holds_tensors(argument) else argument
        elif isinstance(argument, Tensor):
            if mode.tracer is not None:
                mode.tracer.capture(argument)
            node, argument = argument.node, argument._array
        elif type(argument) not in PLAIN:
            argument = operand(op, argument)
        values.append(argument)
        nodes.append(node)
    try:
        out = op.forward(*values) if mode.tracer is None else mode.tracer.call(op, op.forward, tuple(values), {})
    except EXPECTED as error:
        raise explain(op, args, error) from error
    spec = spec_of(out) if mode.recording and any(node is not None for node in nodes) else None
    if spec is None or not carries(op, spec):
        return tensors(out, None) if isinstance(out, tuple) else made(out, None)
    made_by = tuple(value if node is None else node for node, value in zip(nodes, values, strict=True))
    node = make_node(op, made_by, op.keep(nodes, values, out), spec)
    if mode.watch is not None:
        mode.watch.recorded(node, values, out)
    return tensors(out, node) if isinstance(out, tuple) else made(out, node)


def tensors(out: tuple[Array, ...], node: Node | None) -> Any:
    """The outputs of a call as tensors, in a tuple of the same type; made by this node, if there is one."""
    if node is None:
        return like(out, [made(part, None) for part in out])
    return like(out, [made(part, pick(node, i) if part.dtype.kind == "f" else None) for i, part in enumerate(out)])


def constants_of(value: Any) -> Any:
    """Arrays, also within tuples and lists, as tensors that require no grad; other things as they are."""
    if isinstance(value, tuple | list):
        return like(value, map(constants_of, value))
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in NUMBERS:
        return made(checked(value), None)
    return value


@lru_cache(maxsize=64)
def array_of(number: float) -> Array:
    """A 0-d array of a number, not to be written to."""
    array = np.array(number)
    array.flags.writeable = False
    return array


WORDS: dict[str, Any] = {
    "EXPECTED": EXPECTED,
    "Node": Node,
    "FLOAT64": np.dtype(np.float64),
    "ONE": np.float64(1),  # times a Python float it gives a NumPy scalar, at a fifth of the cost of float64(value)
    "SCALAR": interned((), np.dtype(np.float64)),
    "Tensor": Tensor,
    "PLAIN": PLAIN,
    "array_of": array_of,
    "carries": carries,
    "constant": constant,
    "explain": explain,
    "float64": np.float64,
    "holds_tensors": holds_tensors,
    "made": made,
    "make_node": make_node,
    "modes": modes,
    "ndarray": np.ndarray,
    "new": Tensor.__new__,
    "numbers": numbers,
    "operand": operand,
    "record": record,
    "spec_of": spec_of,
    "tensors": tensors,
}
"""What the functions that `writer` writes may call."""


class Appliers(dict[Any, Callable[..., Any]]):
    """For each function of the table what calls it with tensors; made when it is first asked for."""

    def __missing__(self, function: Any) -> Callable[..., Any]:
        self[function] = apply = applier(function)
        return apply


def applier(function: Any) -> Callable[..., Any]:
    """What calls this function with tensors."""
    row = TABLE.get(function)
    if isinstance(row, Composite):
        return row.body
    if isinstance(row, Op):
        if row.starred < len(row.parameters) or row.bind != row.fill:
            return lambda *args, **kwargs: record(row, row.bind(*args, **kwargs))
        if not row.joint:
            row.pull = write_pull(row, WORDS)
        return write(row, WORDS)
    if isinstance(row, Flat):
        call = getattr(*function) if isinstance(function, tuple) else getattr(function, "forward", function)

        def flatly(*args: Any, **kwargs: Any) -> Any:
            for name in row.but:
                if isinstance(kwargs.get(name), Tensor):
                    kwargs[name] = constant(row, name, kwargs[name])
            tracer = modes.tracer()
            if tracer is None:
                return constants_of(call(*plain(args), **plain(kwargs)))
            return constants_of(tracer.call(row, call, args, kwargs))

        return flatly

    def raises(*args: Any, **kwargs: Any) -> Any:
        raise NotDifferentiableError(refusal(function, row))

    return raises


APPLY = Appliers()
Tensor.apply = APPLY


class TensorRecorder:
    """What a walk needs of tensors in order to record itself."""

    def wrap(self, value: Array, node: Node) -> Tensor:
        """A tensor of this value, made by this node."""
        return made(value, node)

    def constant(self, value: Any) -> Any:
        """The value, in which arrays that are traced are tensors."""
        tracer = modes.tracer()
        return value if tracer is None else tracer.lifted(value)

    def apply(self, op: Op, args: Sequence[Any]) -> Any:
        """The op applied to arguments in canonical order: an array if all are arrays."""
        return record(op, args) if holds_tensors(args) else op.forward(*args)

    def transpose(self, function: Callable[[Any], Any], spec: Any, tangent: Array) -> Any:
        """The transpose of a linear function of an array of this spec, applied to `tangent`."""
        specs = [spec] if isinstance(spec, Spec) else spec
        with modes.enable_grad():
            variables = [variable(np.zeros(*part)) for part in specs]
            result = function(variables[0] if isinstance(spec, Spec) else Upstreams(dict(enumerate(variables)), spec))
            if not isinstance(result, Tensor) or result.node is None:
                zeros = tuple(np.zeros(*part) for part in specs)
                return zeros[0] if isinstance(spec, Spec) else zeros
            result = conform(result, spec_of(tangent))
        targets = [v.node for v in variables if v.node is not None]
        plainly = modes.tracer() is None and closed([result.node], targets) and not isinstance(tangent, Tensor)
        arrived = pullback({result.node: tangent}, targets, recorder=None if plainly else self)
        parts = tuple(arrived.get(t, np.zeros(*part)) for t, part in zip(targets, specs, strict=True))
        return parts[0] if isinstance(spec, Spec) else parts


RECORDER = TensorRecorder()
Tensor.recorder = RECORDER
