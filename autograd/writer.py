"""Writes, for each row, the function that applies and records it.

What depends on the row alone is worked out once, when the row is first used: the names and defaults of its parameters,
which arguments can have a node, what is kept for whom. The result is straight-line Python, as `dataclasses` writes
``__init__``. It does what `tensor.record` does for any row, without asking what kind of row it is.

For ``np.multiply`` it reads::

    def multiply(x, y):
        if modes.special:
            return record(_op, (x, y))
        x_node = y_node = None
        if type(x) is Tensor:
            x_node = x.node
            x = x._data
        ...
        try:
            _out = _forward(x, y)
        except EXPECTED as _error:
            raise explain(_op, (made(x, x_node), made(y, y_node)), _error) from _error
        ...
        _node.kept = (y, x) if x_node is not None and y_node is not None else (None, None)
        ...
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from autograd.op import Elementwise, Op


def write(op: Op, namespace: dict[str, Any], reflected: bool = False) -> Callable[..., Any]:
    """The function of the op's parameters that applies it to tensors and arrays, and records it.

    Parameters
    ----------
    op : Op
        A row without a starred parameter and with the standard binding of arguments.
    namespace : dict
        What the function may call: the globals of `tensor.py`.
    reflected : bool
        Take the first two arguments in the opposite order, as ``__radd__`` does.
    """
    source = text(op, reflected)
    filename = f"<autograd row {op.name}{' reflected' if reflected else ''}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope = {f"_{name}": value for name, value in op.defaults.items()}
    scope |= {"_op": op, "_forward": op.forward, "_scalar": getattr(op, "scalar", None)}
    made: dict[str, Any] = {}
    exec(
        compile(f"def bind({', '.join(scope)}):\n{indent(source)}\n    return apply", filename, "exec"), namespace, made
    )
    function: Callable[..., Any] = made["bind"](**scope)
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = op.function.__doc__
    return function


def text(op: Op, reflected: bool) -> str:
    """The source of the function."""
    names = op.parameters
    tracked = [name for name in names if op.differentiates(name)]
    nodes = [f"{name}_node" for name in tracked]
    args = [f"{name} if {name}_node is None else {name}_node" if name in tracked else name for name in names]
    if len(names) == 1:
        args = nodes
    order = (names[1], names[0], *names[2:]) if reflected else names
    signature = ", ".join(f"{name}=_{name}" if name in op.defaults else name for name in order)
    call = f"({', '.join(names)},)"
    lines = [f"def apply({signature}):", "    if modes.special:", f"        return record(_op, {call})"]
    for name in names:
        if name in tracked:
            lines += [
                f"    if type({name}) is Tensor:",
                f"        {name}_node = {name}.node",
                f"        {name} = {name}._data",
                "    else:",
                f"        {name}_node = None",
            ]
        else:
            lines += [f"    if type({name}) is Tensor:", f"        {name} = constant(_op, {name!r}, {name})"]
    operands = f"({', '.join(f'made({name}, {name}_node)' if name in tracked else name for name in names)},)"
    forward = f"_forward({', '.join(names)})"
    if isinstance(op, Elementwise) and op.scalar is not None:
        forward = f"on_scalar(_scalar, _forward, {names[0]}) if type({names[0]}) is float64 else {forward}"
    lines += [
        "    try:",
        f"        _out = {forward}",
        "    except EXPECTED as _error:",
        f"        raise explain(_op, {operands}, _error) from _error",
        "    _result = new(Tensor)",
        "    _result._data = _out",
        f"    if {' is None and '.join(nodes)} is None:",
        "        _result.node = None",
        "        return _result",
        f"    _spec = ({' or '.join(nodes)}).spec",
        "    if type(_out) is float64:",
        "        _spec = SCALAR",
        "    elif _out.shape != _spec[0] or _out.dtype != _spec[1]:",
        "        _spec = spec_of(_out)",
        "        if not carries(_op, _spec):",
        "            _result.node = None",
        "            return _result",
        "    _node = _result.node = Node()",
        "    _node.op = _op",
        f"    _node.args = ({', '.join(args)},)",
        f"    _node.kept = {kept(op, tracked)}",
        "    _node.spec = _spec",
        "    _node.number = next_number()",
        "    return _result",
    ]
    return "\n".join(lines)


def indent(source: str) -> str:
    return "\n".join("    " + line for line in source.splitlines())


def kept(op: Op, tracked: list[str]) -> str:
    """Return the expression for `Node.kept`: for each set of arguments that can have a node, what their rules ask for."""
    branches = []
    for count in range(len(tracked), 0, -1):
        for present in combinations(tracked, count):
            asked = {name for argument in present for name in op.asks(op.parameters.index(argument))}
            values = ["_out" if name == "out" else name for name in op.keeps]
            values = [v if name in asked and (name in present or name == "out") else "None" for v, name in zip(values, op.keeps)]
            branches.append((f"({''.join(value + ', ' for value in values)})", [f"{name}_node" for name in present]))
    *special, (last, _) = branches
    return " else ".join([f"{values} if {' is not None and '.join(nodes)} is not None" for values, nodes in special] + [last])
