"""The kinds of op, and the words in which a row of the table is written.

A row says how one NumPy function differentiates. Its kind is the function's linearity, and the kind derives both modes:

============== ============================================== ======================== =============================
kind           the row gives, for each argument               reverse                  forward
============== ============================================== ======================== =============================
`Elementwise`  its local derivative, shaped like the output   upstream * local         tangent * local
`Linear`       its adjoint (the transpose)                    adjoint(upstream)        the function of the tangents
`Multilinear`  its adjoint, given the other arguments         adjoint(upstream)        the function, a tangent at a time
`General`      its vjp, and its jvp where that is cheaper     vjp(upstream)            jvp, or the vjp transposed
`Flat`         nothing: the derivative is 0 almost everywhere  --                       --
`Composite`    a function written in rows that exist           free                     free
`Refused`      the reason why there is no derivative            --                       --
============== ============================================== ======================== =============================

**The parameter names of a rule say what it needs**, and so what the forward pass must keep alive:

- ``g``, first: the upstream gradient (in a jvp ``t``: the tangent). A local derivative takes neither;
- a parameter of the function (``x``, ``y``, ``z`` of a ufunc; ``a``, ``axis`` …): its value. A differentiable argument
  is kept only if a rule that can run asks for it;
- ``out``: the function's value; one of several values by the name that the row gives it in ``outputs``;
- ``shape``: the shape of the argument that the rule differentiates;
- where the function takes any number of arrays: the starred parameter (all of them), ``shapes``, and ``i``, which one.

Rules call nothing but NumPy and functions of this package: on arrays they run at full speed; handed Tensors, they
record themselves, which is every higher derivative. Un-broadcasting and casting happen in the walk, never in a rule.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, Protocol, final

import numpy as np

from autograd.dispatch import PLAIN, dispatched
from autograd.errors import NotDifferentiableError
from autograd.partial import Parts
from autograd.record import Node, make_node
from autograd.signatures import names_of, signature

Array = Any
Rule = Callable[..., Any]
Edge = Callable[..., Any]


class Recorder(Protocol):
    """What a walk needs of the tensors above it in order to record itself; `recording.py` provides it."""

    def wrap(self, value: Array, node: Node) -> Any:
        """Return a tensor of this value, made by this node."""

    def constant(self, value: Any) -> Any:
        """Return an argument that was no tensor that requires grad, as rules are to have it."""

    def apply(self, op: Op, args: Sequence[Any]) -> Any:
        """Apply the op to arrays and tensors, and record it where one of them requires grad."""

    def transpose(self, function: Rule, spec: Any, tangent: Array) -> Array:
        """Apply the transpose of a linear function of an array of this spec to `tangent`."""


class Row:
    """What the table says about one public function, or about a (ufunc, method name) pair."""

    foreign = False
    """Whether a user wrote the function, which then may return an array that it was given, or that others have."""
    effect = False
    """Whether the function does more than return its value, so that a program calls it even if nothing needs that."""
    writes = False
    """Whether `out`, its last argument, is an array to write into, or a tuple of these and None for new ones."""

    def __init__(self, function: Any, name: str | None = None) -> None:
        self.function = function
        self.name: str = name or (function.__name__ if callable(function) else f"{function[0].__name__}.{function[1]}")


@final
class Flat(Row):
    """The derivative is zero almost everywhere: the value is computed and nothing is recorded.

    In the keyword arguments named `but` it is not zero: a tensor that requires grad is refused there.
    """

    flat: frozenset[str] = frozenset()

    def __init__(self, function: Any, but: Sequence[str] = (), effect: bool = False, writes: bool = False) -> None:
        super().__init__(function)
        self.but, self.effect, self.writes, self.foreign = but, effect, writes, effect and not writes


@final
class Composite(Row):
    """A function written in rows that exist: `body` is called with the tensors and its parts record themselves."""

    def __init__(self, function: Callable[..., Any], body: Callable[..., Any]) -> None:
        super().__init__(function)
        self.body = body


@final
class Refused(Row):
    """No derivative, or none yet: calling the function with a tensor raises, with the reason."""

    def __init__(self, function: Callable[..., Any], reason: str) -> None:
        super().__init__(function)
        self.reason = reason


class Op(Row, ABC):
    """A function that is recorded: a forward function, and rules that say how it differentiates.

    Attributes
    ----------
    forward : callable
        Arrays in, array (or tuple of arrays) out; takes the arguments in canonical order, by position.
    parameters : tuple of str
        Names of those arguments; `starred` is the position of a ``*parameter``, or the number of parameters.
    bind : callable
        The arguments of the public function in, those of `forward` out.
    rules : tuple
        For each argument its rule; None where the argument is not differentiable. Trailing ones are left out.
    keeps : tuple of str
        What the rules ask the forward pass to keep.
    edges : tuple of callable
        For each rule the function (upstream, node, position) -> contribution that it stands for.
    flat : frozenset of str
        Arguments in which the derivative is zero, so that a tensor that requires grad is welcome there.
    many : bool
        Whether there are several outputs: `forward` returns a tuple.
    outputs : tuple of str
        What rules call these outputs, where they ask for some of them.
    joint : bool
        Whether a rule gives the contributions to all arguments, or to all that are starred, at once.
    collects : bool
        Whether a walk shows this op the cotangents that arrive at its nodes.
    retains : bool
        Whether it hands them back, where it has no other targets.
    stale : bool
        Whether the values of its nodes were changed in place after they were used.
    """

    pull: Callable[[Node, Any, set[Node] | None], Sequence[tuple[Node, Any]]]
    """For each input that is wanted (None: for all of them) the pair (input, contribution)."""
    stale = False

    def __init__(
        self,
        function: Callable[..., Any],
        *rules: Rule | float | None,
        forward: Callable[..., Any] | None = None,
        name: str | None = None,
        bind: Callable[..., tuple[Any, ...]] | None = None,
        flat: Sequence[str] = (),
        joint: bool = False,
        many: bool = False,
        outputs: Sequence[str] = (),
        writes: bool = False,
        **named: Rule | float | None,
    ) -> None:
        super().__init__(function, name)
        self.writes = writes
        self.forward: Any = forward or getattr(function, "forward", function)
        self.parameters, self.defaults, self.starred = signature(function, self.forward)
        self.bind = bind or self.fill
        self.flat = frozenset(flat)
        self.many = many or bool(outputs)
        self.outputs = tuple(outputs)
        self.collects = self.retains = False
        by_name = dict(zip(self.parameters, rules, strict=False)) | named
        last = max(self.parameters.index(parameter) for parameter in by_name)
        self.rules = tuple(by_name.get(parameter) for parameter in self.parameters[: last + 1])
        named_rules = zip(self.parameters, self.rules)
        self.differentiable = frozenset(parameter for parameter, rule in named_rules if rule is not None)
        self.asked = tuple(self.asks(position) for position in range(len(self.rules)))
        everything = dict.fromkeys(name for names in self.asked for name in names)
        self.keeps = tuple(
            name for name in everything if name == "out" or name in self.outputs or name in self.differentiable
        )
        self.edges = tuple(no_edge if rule is None else self.edge(rule) for rule in self.rules)
        self.joint = joint
        self.pull = self.contributions

    def fill(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the arguments of a call in canonical order, defaults filled in."""
        if "out" in kwargs and kwargs["out"] is None:
            del kwargs["out"]
        rest = self.parameters[len(args) :] if self.starred == len(self.parameters) else ()
        missing = [name for name in rest if name not in kwargs and name not in self.defaults]
        if missing:
            raise TypeError(f"{self.name}() is missing its argument {missing[0]!r}")
        given = args + tuple(kwargs.pop(name) if name in kwargs else self.defaults[name] for name in rest)
        if kwargs or (len(given) > len(self.parameters) == self.starred):
            extra = " and ".join(map(repr, kwargs)) or f"{len(args)} arguments"
            raise NotDifferentiableError(
                f"{self.name}() of a Tensor takes ({', '.join(self.parameters)}), not {extra}; "
                "apply that part in a call of its own, or use plain arrays"
            )
        return given

    # What the forward pass keeps, and how a rule gets it back

    def has_rule(self, position: int) -> bool:
        """Whether the argument at this position of a call is differentiable."""
        position = min(position, self.starred)
        return position < len(self.rules) and self.rules[position] is not None

    def asks(self, position: int) -> tuple[str, ...]:
        """Return the names of all that is needed for the argument at this position, in either mode."""
        return names_of(self.rules[position])

    def keep(self, nodes: Sequence[Node | None], values: Sequence[Any], out: Any) -> tuple[Any, ...]:
        """Return what the rules that can run asked for, aligned with `keeps`; None for constants and for the rest."""
        asked = {
            name
            for position, node in enumerate(nodes)
            if node is not None
            for name in self.asked[min(position, self.starred)]
        }
        return tuple(self.kept_value(name, nodes, values, out) if name in asked else None for name in self.keeps)

    def kept_value(self, name: str, nodes: Sequence[Node | None], values: Sequence[Any], out: Any) -> Any:
        """Return the output, or the argument of this name unless it is a constant."""
        if name == "out":
            return out
        if name in self.outputs:
            return out[self.outputs.index(name)]
        position = self.parameters.index(name)
        if position == self.starred:
            return tuple(values[position:])
        return None if nodes[position] is None else values[position]

    def lift(self, node: Node, recorder: Recorder) -> Node:
        """The same application with tensors for what it kept: a rule that uses them records itself."""
        kept = tuple(self.lift_one(node, name, node.kept[index], recorder) for index, name in enumerate(self.keeps))
        args = tuple(arg if type(arg) is Node else recorder.constant(arg) for arg in node.args)
        return make_node(node.op, args, kept, node.spec)

    def lift_one(self, node: Node, name: str, value: Any, recorder: Recorder) -> Any:
        """Return one kept value as a tensor, or a tuple of them."""

        def lifted(value: Any, source: Node | None) -> Any:
            if source is None:
                return recorder.constant(value)
            return None if value is None else recorder.wrap(value, source)

        if name == "out" and isinstance(value, tuple):
            return tuple(lifted(part, pick(node, index)) for index, part in enumerate(value))
        if name == "out":
            return lifted(value, node)
        if name in self.outputs:
            return lifted(value, pick(node, self.outputs.index(name)))
        position = self.parameters.index(name)
        if position == self.starred and value is not None:
            return tuple(map(lifted, value, node.inputs[position:]))
        return lifted(value, node.inputs[position])

    def getter(self, name: str) -> Callable[[Node, int], Any]:
        """Return how to find what a rule asked for by name, given the node and the argument's position."""
        which = self.parameters.index(name) if name in self.parameters else -1
        if name in self.keeps:
            index = self.keeps.index(name)
            if name == "out" or name in self.outputs or which == self.starred:
                return lambda node, position: node.kept[index]
            return lambda node, position: node.kept[index] if type(node.args[which]) is Node else node.args[which]
        if name == "shape":
            return shape_of
        if name == "shapes":
            return lambda node, position: [shape_of(node, other) for other in range(self.starred, len(node.args))]
        if name == "i":
            return lambda node, position: position - self.starred
        return lambda node, position: node.args[which]

    def bound(self, rule: Rule) -> Edge:
        """Return the rule as a function of (upstream or tangent, node, position)."""
        getters = [self.getter(name) for name in names_of(rule)]
        return lambda g, node, position: rule(g, *[get(node, position) for get in getters])

    def arrive(self, node: Node, upstream: Any) -> Any:
        """Return the cotangent of a node that the walk hands back, as it is handed back."""
        return upstream

    # What a kind must say

    def edge(self, rule: Any) -> Edge:
        """Return the function (upstream, node, position) -> contribution that a rule stands for."""
        return self.bound(rule)

    @abstractmethod
    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        """Return the tangent of the node's value, from those of its inputs (None: zero; not all are None).

        The walk stretches it to the value's shape.
        """

    def local(self, node: Node, position: int) -> Any:
        """Return the local derivative on the edge to an argument, where it is an array like the output; else None."""
        return None

    def contributions(self, node: Node, g: Any, wanted: set[Node] | None) -> list[tuple[Node, Any]]:
        """Do what `pull` does, for a row of any kind."""
        args, last = node.args, len(self.edges) - 1
        if self.joint:
            first = self.starred if self.starred < len(self.parameters) else 0
            pairs = zip(args[first:], self.edges[first](g, node, first))
            return [(arg, contribution) for arg, contribution in pairs if needed(arg, wanted)]
        return [
            (arg, self.edges[min(position, last)](g, node, position))
            for position, arg in enumerate(args)
            if needed(arg, wanted)
        ]


def no_edge(g: Any, node: Node, position: int) -> Any:
    """Stand in for the edge to an argument that has no rule, which no walk takes."""
    raise AssertionError(f"argument {position} of {node.op.name!r} has no rule")


def needed(arg: Any, wanted: set[Node] | None) -> bool:
    """Whether a contribution to this argument is asked for."""
    return type(arg) is Node and (wanted is None or arg in wanted)


def shape_of(node: Node, position: int) -> tuple[int, ...]:
    """Return the shape of an argument of a call."""
    arg = node.args[position]
    shape: tuple[int, ...] = arg.spec.shape if type(arg) is Node else np.shape(arg)
    return shape


def total(parts: Iterable[Any]) -> Any:
    """Return the sum of the parts; of tuples of outputs, the tuple of sums."""
    parts = list(parts)
    if isinstance(parts[0], tuple):
        return tuple(map(total, zip(*parts, strict=True)))
    return reduce(operator.add, parts)


def unbroadcast(array: Any, shape: tuple[int, ...]) -> Any:
    """Return the transpose of broadcasting from this shape: what came from one place is summed there."""
    if array.shape == shape:
        return array
    surplus = array.ndim - len(shape)
    if 1 in shape:
        stretched = [surplus + axis for axis, length in enumerate(shape) if length == 1]
        return np.add.reduce(array, (*range(surplus), *stretched)).reshape(shape)
    return np.add.reduce(array, tuple(range(surplus)))


def times_where_nonzero(upstream: Any, local: Any) -> Any:
    """Return upstream * local, and 0 where the upstream is 0 even if the local derivative is infinite or NaN.

    A finite one stays where the upstream is 0: it is the derivative of the product by the upstream. If the local
    derivative has derivatives, these may be infinite where it is not.
    """
    plainly = all_finite(local) if type(local) in PLAIN else all_true(upstream)
    return upstream * local if plainly else masked_product(upstream, local)


@dispatched
def masked_product(upstream: Any, local: Any, out: Any = None) -> Any:
    """Return the same; a program, which is made when values are not known, asks in each run whether they are finite."""
    if not all_finite(local):
        local = where_nonzero(upstream, local)
    return upstream * local if out is None else np.multiply(upstream, local, out)


def where_nonzero(upstream: Any, local: Any) -> Any:
    """Return the local derivative, with 0 where it is infinite or NaN and the upstream is 0."""
    return np.where(np.isfinite(local) | (upstream != 0), local, 0)


def all_finite(x: Any) -> bool:
    """Whether no element is infinite or NaN: their sum tells it in one pass."""
    return math.isfinite(np.add.reduce(x, None) if isinstance(x, np.ndarray) else x)


def all_true(x: Any) -> Any:
    """Whether no element is 0 or False, as far as is known: rules take a shorter way then."""
    known_true = getattr(x, "known_true", None)
    if known_true is not None:
        return known_true()
    return x.all() if x.ndim else x  # of a scalar, all() takes 50 times as long as its truth


@final
class Elementwise(Op):
    """Element i of the output depends on elements i of the arguments: a rule is the local derivative.

    A rule may be a plain number. `scalar` is the same function for Python floats, used for 0-d float64 values. A
    `singular` row's local derivative can be infinite or NaN: where the upstream is exactly 0, so is its contribution.
    `product` gives the upstream ``g`` times the local derivative of the one argument, where it takes fewer steps than
    the derivative and then the product: a Python number beside an array costs more than the arithmetic on a small one.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *rules: Rule | float | None,
        scalar: Callable[[float], float] | None = None,
        singular: bool = False,
        product: Rule | None = None,
        **options: Any,
    ) -> None:
        self.scalar = scalar
        self.product = product
        self.times = times_where_nonzero if singular else operator.mul
        super().__init__(function, *rules, **options)

    def edge(self, rule: Any) -> Edge:
        if self.product is not None:
            return self.bound(self.product)
        if not callable(rule):
            if rule == 1:
                return lambda g, node, position: g
            return lambda g, node, position: g * rule
        times, getters = self.times, [self.getter(name) for name in names_of(rule)]
        return lambda g, node, position: times(g, rule(*[get(node, position) for get in getters]))

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        return total(self.edges[i](t, node, i) for i, t in enumerate(tangents) if t is not None)

    def local(self, node: Node, position: int) -> Any:
        rule = self.rules[position]
        return rule(*[self.getter(name)(node, position) for name in names_of(rule)]) if callable(rule) else rule


@final
class Linear(Op):
    """Linear in its differentiable arguments together: a rule is the adjoint of the function in that argument."""

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        def tangent(position: int, arg: Any) -> Any:
            if type(arg) is Node:
                return np.zeros(*arg.spec) if tangents[position] is None else tangents[position]
            return np.zeros_like(arg) if self.has_rule(position) else arg

        return recorder.apply(self, [tangent(position, arg) for position, arg in enumerate(node.args)])


@final
class Multilinear(Op):
    """Linear in each differentiable argument while the others stay: a rule is the adjoint, given the others."""

    def asks(self, position: int) -> tuple[str, ...]:
        others = [
            name
            for other, name in enumerate(self.parameters)
            if name in self.differentiable and (other != position or other == self.starred)
        ]
        return (*names_of(self.rules[position]), *others)

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        def with_tangent(position: int) -> Any:
            values = [self.argument(node, other) for other in range(len(node.args))]
            values[position] = tangents[position]
            return recorder.apply(self, values)

        return total(with_tangent(position) for position, t in enumerate(tangents) if t is not None)

    def argument(self, node: Node, position: int) -> Any:
        """Return the value of an argument; of one that is replaced by its tangent it may be None."""
        if type(node.args[position]) is not Node:
            return node.args[position]
        value = node.kept[self.keeps.index(self.parameters[min(position, self.starred)])]
        return value[position - self.starred] if position >= self.starred else value


@final
class General(Op):
    """Anything else: a rule is the vjp; `jvps` gives the jvps where they are cheaper than the vjps transposed.

    There is either no jvp or one for each rule. A rule of a function with several outputs gets
    the `Upstreams`: one for each, and which of them have arrived.
    """

    def __init__(
        self, function: Callable[..., Any], *rules: Rule | None, jvps: Sequence[Rule | None] = (), **options: Any
    ) -> None:
        self.jvps = tuple(jvps)
        super().__init__(function, *rules, **options)
        self.pushes = tuple(None if jvp is None else self.bound(jvp) for jvp in self.jvps)

    def asks(self, position: int) -> tuple[str, ...]:
        return names_of(self.rules[position]) + names_of(self.jvps[position] if self.jvps else None)

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        def part(position: int) -> Any:
            if self.pushes:
                push = self.pushes[min(position, self.starred)]
                assert push is not None
                return push(tangents[position], node, position)
            only = {node.args[position]}
            return recorder.transpose(lambda g: self.pull(node, g, only)[0][1], node.spec, tangents[position])

        return total(part(position) for position, t in enumerate(tangents) if t is not None)


# Ops that no function of NumPy stands for


def output(outputs: tuple[Any, ...], index: int) -> Any:
    """Return one of several outputs."""
    return outputs[index]


@final
class Output(Op):
    """One of the outputs of a node that has several."""

    def edge(self, rule: Any) -> Edge:
        return lambda g, node, position: Parts({node.args[1]: g})

    def push(self, node: Node, tangents: Sequence[Any], recorder: Recorder) -> Any:
        return tangents[0][node.args[1]]


OUTPUT = Output(output, lambda g, index: g)


def pick(node: Node, index: int) -> Node:
    """Return the node of one output of a node that has several."""
    return make_node(OUTPUT, (node, index), (), node.spec[index])
