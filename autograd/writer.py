"""Writes, for each row, the function that applies and records it.

What depends on the row alone is worked out once, when the row is first used: the names and defaults of its parameters,
which arguments can have a node, what is kept for whom. The result is straight-line Python, as `dataclasses` writes
``__init__``. It does what `recording.record` does for any row, without asking what kind of row it is.

For ``np.multiply`` it reads::

    def multiply(x, y):
        if modes.special:
            return record(_op, (x, y))
        x_node = y_node = None
        if type(x) is Tensor:
            x_node = x.node
            x = x._array
        ...
        try:
            _out = _forward(x, y)
        except EXPECTED as _error:
            raise explain(_op, (x if x_node is None else made(x, x_node), …), _error) from _error
        ...
        _node.kept = (y, x) if x_node is not None and y_node is not None else (None, None)
        ...
"""

from __future__ import annotations

import linecache
import operator
from collections.abc import Callable
from itertools import combinations
from typing import Any

from autograd.op import Elementwise, Op
from autograd.signatures import names_of

INFIX = {operator.add: "x + y", operator.sub: "x - y", operator.mul: "x * y", operator.truediv: "x / y"}
"""Forward functions that an expression stands for, without a call."""


def write(op: Op, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Return the function of the op's parameters that applies it to tensors and arrays, and records it.

    Parameters
    ----------
    op : Op
        A row without a starred parameter, whose calls are bound in the standard way.
    namespace : dict
        What the function may call: `recording.WORDS`.
    """
    function = compiled(apply_text(op), f"<autograd {op.name}>", op, namespace)
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = op.function.__doc__
    return function


def write_pull(op: Op, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Return `Op.pull` for such a row.

    For ``np.multiply`` it reads::

        def pull(node, g, wanted):
            kept = node.kept
            x, y, = node.args
            if type(y) is not Node:
                return ((x, g * rule_0(y)),)
            ...
            pairs = []
            if type(x) is Node and (wanted is None or x in wanted):
                pairs.append((x, g * rule_0(kept[0] if type(y) is Node else y)))
            ...
            return pairs
    """
    return compiled(pull_text(op), f"<autograd {op.name} pull>", op, namespace)


def compiled(source: str, filename: str, op: Op, namespace: dict[str, Any]) -> Callable[..., Any]:
    """Return the function that a source text defines; tracebacks and debuggers can show the text."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope: dict[str, Any] = {f"_{name}": value for name, value in op.defaults.items()}
    scope |= {f"_rule_{position}": rule for position, rule in enumerate(op.rules)}
    scope |= {"_op": op, "_forward": op.forward}
    if isinstance(op, Elementwise):
        scope |= {"_scalar": op.scalar, "_times": op.times, "_product": op.product}
    made: dict[str, Any] = {}
    body = "\n".join("    " + line for line in source.splitlines())
    exec(compile(f"def bind({', '.join(scope)}):\n{body}\n    return function", filename, "exec"), namespace, made)
    function: Callable[..., Any] = made["bind"](**scope)
    return function


def apply_text(op: Op) -> str:
    """Return the source of the function that applies and records a row."""
    names = op.parameters
    tracked = [name for name in names if name in op.differentiable]
    nodes = [f"{name}_node" for name in tracked]
    args = [f"{name} if {name}_node is None else {name}_node" if name in tracked else name for name in names]
    if len(names) == 1:
        args = nodes
    signature = ", ".join(f"{name}=_{name}" if name in op.defaults else name for name in names)
    call = f"({', '.join(names)},)"
    lines = [f"def function({signature}):", "    if modes.special:", f"        return record(_op, {call})"]
    infix = op.forward in INFIX and len(tracked) == 2
    if infix:
        lines.append("    _beside_number = False")
    for name in names:
        if name in tracked:
            lines += [
                f"    if type({name}) is Tensor:",
                f"        {name}_node = {name}.node",
                f"        {name} = {name}._array",
                "    else:",
                f"        {name}_node = None",
            ]
            if infix:
                lines += [f"        if type({name}) is float:", "            _beside_number = True"]
            lines += [
                f"        {'elif' if infix else 'if'} type({name}) not in PLAIN:",
                f"            {name} = operand(_op, {name})",
            ]
        else:
            lines += [
                f"    if type({name}) is Tensor or type({name}) is tuple and holds_tensors({name}):",
                f"        {name} = constant(_op, {name!r}, {name})",
            ]
    shown = [f"{n} if {n}_node is None else made({n}, {n}_node)" if n in tracked else n for n in names]
    operands = f"({', '.join(shown)},)"
    lines += numbers(tracked) if infix else []
    forward = INFIX.get(op.forward, f"_forward({', '.join(names)})")
    if isinstance(op, Elementwise) and op.scalar is not None:
        lines += [
            "    try:",
            f"        _out = ONE * _scalar({names[0]}) if type({names[0]}) is float64 else {forward}",
            "    except (ValueError, OverflowError):",
            f"        _out = {forward}",
        ]
    else:
        lines += [
            "    try:",
            f"        _out = {forward}",
            "    except EXPECTED as _error:",
            f"        raise explain(_op, {operands}, _error) from _error",
        ]
    tell = recorded_several if op.many else recorded
    return "\n".join([*lines, *tell(op, tracked, nodes, f"({', '.join(args)},)")])


def recorded(op: Op, tracked: list[str], nodes: list[str], args: str) -> list[str]:
    """Return what makes a tensor of `_out`, and a node if an argument has one."""
    return [
        "    _result = new(Tensor)",
        "    _result._array = _out",
        f"    if {' is None and '.join(nodes)} is None:",
        "        _result.node = None",
        "        return _result",
        "    if type(_out) is float64:",
        "        _spec = SCALAR",
        "    else:",
        f"        _spec = ({' or '.join(nodes)}).spec",
        f"        if {may_differ(op, tracked)}:",
        "            _spec = spec_of(_out)",
        "            if not carries(_op, _spec):",
        "                _result.node = None",
        "                return _result",
        "    _node = _result.node = Node()",
        "    _node.op = _op",
        f"    _node.args = {args}",
        f"    _node.kept = {kept(op, tracked)}",
        "    _node.spec = _spec",
        "    _node.number = next(numbers)",
        "    return _result",
    ]


def recorded_several(op: Op, tracked: list[str], nodes: list[str], args: str) -> list[str]:
    """Return what makes tensors of the tuple `_out`, and nodes if an argument has one."""
    return [
        f"    if {' is None and '.join(nodes)} is None:",
        "        return tensors(_out, None)",
        "    _spec = spec_of(_out)",
        "    if not carries(_op, _spec):",
        "        return tensors(_out, None)",
        f"    return tensors(_out, make_node(_op, {args}, {kept(op, tracked)}, _spec))",
    ]


def numbers(tracked: list[str]) -> list[str]:
    """Return what makes an array of a Python number that an operator has beside an array.

    NumPy takes almost twice as long for the number, here and again in the walk. The array of a number is made once.
    """
    x, y = tracked
    return [
        "    if _beside_number:",
        f"        if type({x}) is ndarray:",
        f"            if {x}.dtype is FLOAT64 and {y}:",
        f"                {y} = array_of({y})",
        f"        elif type({y}) is ndarray and {y}.dtype is FLOAT64 and {x}:",
        f"            {x} = array_of({x})",
    ]


def may_differ(op: Op, tracked: list[str]) -> str:
    """Return the condition under which the output has another spec than the input.

    Elementwise, a tensor that is alone, or beside a Python number, hands its shape on, which is then not compared.
    """
    shape, dtype = "_out.shape != _spec[0]", "_out.dtype is not _spec[1]"
    if isinstance(op, Elementwise) and len(op.parameters) == 1:
        return dtype
    if isinstance(op, Elementwise) and len(tracked) == len(op.parameters) == 2:
        numbers = ["not _beside_number"] if op.forward in INFIX else [f"type({name}) is not float" for name in tracked]
        shape = " and ".join([*numbers, shape])
    return f"{dtype} or {shape}"


def kept(op: Op, tracked: list[str]) -> str:
    """Return the expression for `Node.kept`: what the rules of those arguments ask for that do have a node."""
    branches = []
    for count in range(len(tracked), 0, -1):
        for present in combinations(tracked, count):
            asked = {name for argument in present for name in op.asked[op.parameters.index(argument)]}
            of_out = {"out": "_out", **{name: f"_out[{index}]" for index, name in enumerate(op.outputs)}}
            values = [
                of_out.get(name, name) if name in asked and (name in present or name in of_out) else "None"
                for name in op.keeps
            ]
            branches.append((f"({''.join(value + ', ' for value in values)})", [f"{name}_node" for name in present]))
    *special, (last, _) = branches
    return " else ".join(
        [f"{values} if {' is not None and '.join(nodes)} is not None" for values, nodes in special] + [last]
    )


def pull_text(op: Op) -> str:
    """Return the source of a row's `pull`."""
    names = op.parameters
    tracked = [name for name in names if name in op.differentiable]
    lines = ["def function(node, g, wanted):", "    kept = node.kept", f"    {', '.join(names)}, = node.args"]
    if len(tracked) == 1:
        return "\n".join([*lines, f"    return (({tracked[0]}, {term(op, tracked[0], tracked)}),)"])
    for name in tracked:  # a node with one input is walked for that input's sake
        others = " and ".join(f"type({other}) is not Node" for other in tracked if other != name)
        lines += [f"    if {others}:", f"        return (({name}, {term(op, name, [name])}),)"]
    lines.append("    pairs = []")
    for name in tracked:
        lines += [
            f"    if type({name}) is Node and (wanted is None or {name} in wanted):",
            f"        pairs.append(({name}, {term(op, name, tracked)}))",
        ]
    return "\n".join([*lines, "    return pairs"])


def term(op: Op, argument: str, present: list[str]) -> str:
    """Return the expression for the contribution to one argument, where no others than `present` can have nodes."""
    position = op.parameters.index(argument)
    rule: Any = op.rules[position]
    if isinstance(op, Elementwise) and op.product is not None:
        return f"_product(g, {', '.join(answer(op, name, argument, present) for name in names_of(op.product))})"
    if not callable(rule):
        return "g" if rule == 1 else "-g" if rule == -1 else f"g * {rule!r}"
    values = ", ".join(answer(op, name, argument, present) for name in names_of(rule))
    if not isinstance(op, Elementwise):
        return f"_rule_{position}(g, {values})"
    local = values if returns_its_argument(rule) else f"_rule_{position}({values})"
    return f"g * {local}" if op.times is operator.mul else f"_times(g, {local})"


def returns_its_argument(rule: Callable[..., Any]) -> bool:
    """Whether a rule is like ``lambda y: y``: it need not be called then."""
    return rule.__code__.co_argcount == 1 and rule.__code__.co_code == (lambda y: y).__code__.co_code


def answer(op: Op, name: str, argument: str, present: list[str]) -> str:
    """Return the expression for what the rule for an argument asks for by this name."""
    if name == "shape":
        return f"{argument}.spec.shape"
    of_out = name == "out" or name in op.outputs
    if name not in op.keeps or (not of_out and name not in present):
        return name
    kept = f"kept[{op.keeps.index(name)}]"
    return kept if of_out or name == argument else f"{kept} if type({name}) is Node else {name}"
