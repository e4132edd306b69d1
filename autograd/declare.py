"""Rows that users add: the decorator `differentiable`.

A row declared here is a row like those in `autograd.rules`, applied, recorded and walked by the same code. What is
different is that nobody has run its rules over a table of samples yet. So the rules are read when they are declared,
and what they return is looked at each time: a wrong name, number or shape raises where it can be understood.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, TypeVar

import numpy as np

from autograd import modes
from autograd.chain_rule import conform
from autograd.dispatch import dispatched
from autograd.errors import DtypeError, RowError, ShapeError
from autograd.messages import NUMBERS
from autograd.op import Edge, Elementwise, Flat, General, Linear, Multilinear, Op, Refused
from autograd.record import Node, Spec
from autograd.recording import APPLY, holds_tensors
from autograd.signatures import names_of
from autograd.table import TABLE, enter
from autograd.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])
Rules = Any
"""A rule for the first argument, a tuple of rules for the arguments in turn, or a dict of rules by argument."""

WORDS = ("g", "t", "out", "shape", "shapes", "i")
"""What a rule's parameters mean other than the function's own; see `autograd.op`."""


def differentiable(
    local: Rules = None,
    *,
    adjoint: Rules = None,
    vjp: Rules = None,
    jvp: Rules = None,
    singular: bool = False,
    flat: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Make a function that computes with NumPy arrays differentiable: a row of the table, as a decorator.

    The function itself may do anything with its arrays, such as call compiled code. Given arrays, the decorated
    function returns what it always did; given Tensors, it records one node. What it returns is a floating array or
    number, or a tuple of them.

    Give **one** of `local`, `adjoint` and `vjp`: a rule for the first argument, a tuple with a rule for each argument,
    or a dict of rules by argument. An argument that has no default needs a rule; None means that it is not
    differentiable. **The parameter names of a rule say what it needs**, and so what the record keeps alive: arguments
    of the function, by their names; ``out``, the function's value; ``shape``, the shape of the argument that the rule
    differentiates. Where the function takes ``*arrays``, the rule for them is applied to each one, and may also ask for
    ``i``, which one it is, and for the list ``shapes``.

    A rule calls NumPy, and functions that are themselves differentiable: for higher derivatives it is given Tensors.

    Parameters
    ----------
    local : callable or number
        The local derivative of a function that works element by element, in the shape of its value.
    adjoint : callable
        The adjoint (the transpose) of a function that is linear in its differentiable arguments together, or in each of
        them while the others stay, as a product is: takes the upstream gradient ``g`` first and returns the gradient of
        the argument, in the argument's shape.
    vjp : callable
        The vector-Jacobian product of any other function: takes ``g`` first, a sequence of upstream gradients if the
        function returns a tuple, and returns the gradient of the argument.
    jvp : callable, optional
        Beside `vjp`, for each argument that has one: takes the tangent ``t`` of the argument first and returns the
        tangent of the value. Forward mode transposes the vjp if it is left out.
    singular : bool
        The local derivative can be infinite or NaN: where the upstream gradient is 0, so is the argument's.
    flat : tuple of str
        Arguments in which the derivative is 0 almost everywhere, where tensors that require grad are welcome.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    RowError
        When the function is decorated: if the rules do not fit its arguments.
    ShapeError, DtypeError
        When a rule returns what cannot be the derivative of its argument.

    See Also
    --------
    gradcheck : Checks the rules.

    Examples
    --------
    One local derivative, and one for each of two arguments:

    >>> import numpy as np
    >>> from autograd import differentiable, grad, gradcheck
    >>> @differentiable(lambda out: 1 - out * out)
    ... def my_tanh(x):
    ...     return np.tanh(x)
    >>> grad(my_tanh)(0.0)
    np.float64(1.0)
    >>> @differentiable((lambda y: y, lambda x: x))
    ... def product(x, y):
    ...     return x * y

    A linear function, with an argument that is no array:

    >>> @differentiable(adjoint=lambda g, axis: np.flip(g, axis))
    ... def reverse(x, axis=0):
    ...     return np.flip(x, axis)

    Anything else:

    >>> @differentiable(vjp=lambda g, x, out: g * x / out, jvp=lambda t, x, out: np.sum(t * x) / out)
    ... def length(x):
    ...     return np.sqrt(np.sum(x * x))
    >>> gradcheck(length, np.array([3.0, 4.0]))
    True

    A function of another package gets its row in the same way. A ufunc, whose arguments are called x, y and z, is then
    called as ever, since NumPy passes its calls on to tensors; of any other function, call what comes back::

        differentiable(lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x))(scipy.special.erf)
        smooth = differentiable(adjoint=lambda g, sigma: smooth(g, sigma))(otherpackage.smooth)
    """
    given = {word: rules for word, rules in (("local", local), ("adjoint", adjoint), ("vjp", vjp)) if rules is not None}

    def declare(function: F) -> F:
        declaration = Declaration(function)
        if len(given) != 1:
            raise RowError(f"{declaration}: give one of local=, adjoint= and vjp=, not {' and '.join(given) or 'none'}")
        if jvp is not None and vjp is None:
            raise RowError(f"{declaration}: a jvp goes with a vjp; forward mode follows from the {next(iter(given))}")
        row = declaration.row(*given.items(), jvp=jvp, singular=singular, flat=flat)
        known = isinstance(function, np.ufunc) or hasattr(function, "_implementation")  # NumPy passes on their calls
        if known and not isinstance(TABLE.get(function), Refused | None):
            raise RowError(f"{declaration} has a row already; decorate a function of your own that calls it")
        public = function if known else dispatched(function)
        enter(public, row)
        APPLY.pop(public, None)
        return public

    return declare


def flat(function: F) -> F:
    """Make a function of arrays one that Tensors can be given to, and whose derivative is zero: nothing is recorded.

    It may do whatever NumPy and Python can: draw random numbers, count, check values and raise. In a function that is
    compiled it is called anew each time, with the values of that call. Arrays that it is given are overwritten later:
    copy what it keeps.

    Parameters
    ----------
    function : callable
        Takes arrays, and returns an array, a tuple of arrays, or None. The shapes must not depend on values if it is to
        be compiled. If it returns one array and has a keyword-only argument ``out=None``, a compiled function gives it
        an array there, like the one that it returned first, to write into and to return.

    Returns
    -------
    callable
        Takes Tensors too, of which it sees the values, and returns arrays then as Tensors that require no grad.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import compiled, flat, grad
    >>> seen = []
    >>> @flat
    ... def watch(x):
    ...     seen.append(x.max())
    >>> def loss(x):
    ...     watch(x)
    ...     return np.sum(x * x)
    >>> slope = compiled(grad(loss))
    >>> slope(np.array([1.0, 2.0])), slope(np.array([3.0, 4.0]))
    (array([2., 4.]), array([6., 8.]))
    >>> [float(value) for value in seen]
    [2.0, 4.0]
    """

    @wraps(function)
    def public(*args: Any, **kwargs: Any) -> Any:
        given = holds_tensors(args) or holds_tensors(kwargs) or modes.tracer() is not None
        return (APPLY[public] if given else function)(*args, **kwargs)

    public.forward = function  # type: ignore[attr-defined]
    out = inspect.signature(function).parameters.get("out")
    writes = out is not None and out.kind is out.KEYWORD_ONLY and out.default is None
    enter(public, Flat(public, effect=True, writes=writes))
    return public  # type: ignore[return-value]


class Declaration:
    """A function whose row is being declared: what its arguments are called, and how they are passed."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.name: str = getattr(function, "__name__", type(function).__name__)
        if isinstance(function, np.ufunc):
            kind = inspect.Parameter.POSITIONAL_ONLY
            self.signature = inspect.Signature([inspect.Parameter(name, kind) for name in "xyz"[: function.nin]])
        else:
            self.signature = inspect.signature(function)
        self.parameters = self.signature.parameters
        self.fixed: list[str] = []
        self.starred: list[str] = []
        for name, parameter in self.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                raise RowError(f"{self}: a row needs to know its arguments; write them out in place of **{name}")
            if name in WORDS:
                raise RowError(
                    f"{self}: its argument {name!r} is called like one of the words that rules use "
                    f"({', '.join(WORDS)}); give it another name"
                )
            (self.starred if parameter.kind is parameter.VAR_POSITIONAL else self.fixed).append(name)

        self.canonical = not any(p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY) for p in self.parameters.values())

    def __str__(self) -> str:
        return f"{self.name}({', '.join(('*' if name in self.starred else '') + name for name in self.parameters)})"

    # The canonical order of arguments: the starred ones last

    def bind(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Return the arguments of a call in canonical order."""
        if self.canonical and not kwargs and len(args) == len(self.fixed):
            return args
        try:
            call = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self}: {error}") from None
        call.apply_defaults()
        return (*(call.arguments[name] for name in self.fixed), *(v for n in self.starred for v in call.arguments[n]))

    def forward(self, *values: Any) -> Any:
        """Call the function with arguments in canonical order; its value as arrays."""
        out = self.function(*values) if self.canonical else self.call(values)
        return tuple(map(array, out)) if isinstance(out, tuple) else array(out)

    def call(self, values: tuple[Any, ...]) -> Any:
        """Call the function with arguments in canonical order."""
        fixed, rest = values[: len(self.fixed)], values[len(self.fixed) :]
        args, options = [], {}
        for name, value in zip(self.fixed, fixed, strict=True):
            if self.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY:
                options[name] = value
            else:
                args.append(value)
        return self.function(*args, *rest, **options)

    def elementwise(self, tracked: list[int], *values: Any) -> Any:
        """Call the function and insist that its value has the shape to which these arguments broadcast."""
        out = self.forward(*values)
        for position in tracked:
            shape = np.shape(values[position])
            if isinstance(out, tuple) or not stretches(shape, out.shape):
                gave = "a tuple" if isinstance(out, tuple) else f"shape {out.shape}"
                raise ShapeError(
                    f"{self} is declared by a local derivative, element by element, but gave {gave} for "
                    f"{self.fixed[position]!r} of shape {shape}; declare it by an adjoint or a vjp"
                )
        return out

    # The rules

    def row(self, kind: tuple[str, Rules], *, jvp: Rules, singular: bool, flat: tuple[str, ...]) -> Op:
        """Return the row."""
        word, rules = kind[0], self.by_argument(*kind)
        tracked = [name for name, rule in rules.items() if rule is not None]
        if not tracked:
            raise RowError(f"{self}: {word}= gives no rule; give one for an argument that is differentiable")
        if word == "local" and tracked[-1] in self.starred:
            raise RowError(f"{self}: local= does not take a rule for *{tracked[-1]}; give vjp=")
        if not set(flat) <= set(self.fixed):
            raise RowError(f"{self}: flat={flat!r} must name arguments")
        for name in tracked:
            self.read(word, name, rules[name])
        order = [*self.fixed, *self.starred]
        last = max(map(order.index, tracked))
        options: dict[str, Any] = {"forward": self.with_signature(self.forward), "bind": self.bind, "flat": flat}
        options["name"] = self.name
        args = [rules.get(name) for name in order[: last + 1]]
        row: Op
        if word == "local":
            options["forward"] = self.with_signature(partial(self.elementwise, list(map(order.index, tracked))))
            row = Elementwise(self.function, *args, singular=singular, **options)
        elif word == "adjoint":
            asked = {name for rule in rules.values() for name in names_of(rule)}
            row = (Multilinear if asked & set(tracked) else Linear)(self.function, *args, **options)
        else:
            jvps = {} if jvp is None else self.by_argument("jvp", jvp)
            for name in tracked:
                if jvps:
                    self.read("jvp", name, jvps.get(name))
            row = General(
                self.function, *args, jvps=[jvps.get(n) for n in order[: last + 1]] if jvps else (), **options
            )
            row.pushes = tuple(push and partial(pushed, row, push) for push in row.pushes)
        row.edges = tuple(partial(pulled, row, edge) for edge in row.edges)
        row.foreign = True
        return row

    def with_signature(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose signature says the canonical names."""
        named = partial(forward)
        parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in self.fixed]
        parameters += [inspect.Parameter(name, inspect.Parameter.VAR_POSITIONAL) for name in self.starred]
        named.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return named

    def by_argument(self, word: str, rules: Rules) -> dict[str, Any]:
        """Return the rules by argument name."""
        names = list(self.parameters)
        if not isinstance(rules, Mapping):
            rules = rules if isinstance(rules, tuple | list) else (rules,)
            if len(rules) > len(names):
                raise RowError(
                    f"{self}: {word}= gives {len(rules)} rules for {len(names)} arguments; give one for each"
                )
            rules = dict(zip(names, rules, strict=False))
        for name in rules:
            if name not in names:
                raise RowError(f"{self}: {word}= gives a rule for {name!r}, which is not an argument")
        for name, parameter in self.parameters.items():
            if name not in rules and parameter.default is parameter.empty:
                raise RowError(
                    f"{self}: {word}= gives no rule for {name!r}; give one for each argument that has no default, "
                    "and None where it is not differentiable"
                )
        return dict(rules)

    def read(self, word: str, argument: str, rule: Any) -> None:
        """Raise if a rule asks for what it cannot have."""
        what = f"{self}: the {word}{' derivative' if word == 'local' else ''} for {argument!r}"
        if word == "local" and isinstance(rule, int | float):
            return
        first = {"local": "", "jvp": "t"}.get(word, "g")
        code = getattr(rule, "__code__", None)
        if code is None or code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
            raise RowError(
                f"{what} is {rule!r}; write a function with named parameters, such as lambda {first or 'x'}: …"
            )
        asked = code.co_varnames[: code.co_argcount]
        if first and asked[:1] != (first,):
            raise RowError(f"{what} takes ({', '.join(asked)}); it must take {first!r} first")
        allowed = [*self.parameters, "out", "shape", *(("shapes", "i") if argument in self.starred else ())]
        for name in asked[1:] if first else asked:
            if name not in allowed:
                raise RowError(f"{what} asks for {name!r}; it may ask for {', '.join(allowed)}")
        if word == "adjoint" and ("out" in asked or (argument in asked and argument not in self.starred)):
            raise RowError(
                f"{what} depends on {'out' if 'out' in asked else argument!r}, so it is not linear; give vjp="
            )


# What the rules return


def array(value: Any) -> Any:
    """Return a value as an array or NumPy scalar."""
    if isinstance(value, np.ndarray | np.generic):
        return value
    value = np.asarray(value)
    return value[()] if value.dtype.kind in NUMBERS else value


def stretches(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether broadcasting can stretch one shape to another."""
    surplus = len(to) - len(shape)
    return surplus >= 0 and all(length in (1, other) for length, other in zip(shape, to[surplus:], strict=True))


def checked(row: Op, what: str, value: Any) -> Any:
    """Return what a rule returned, if it is real numbers."""
    value = value if isinstance(value, Tensor) else array(value)
    if value.dtype.kind not in NUMBERS:
        raise DtypeError(f"the row {row.name!r}: {what} is of dtype {value.dtype}; the rule must return real numbers")
    return value


def pulled(row: Op, edge: Edge, g: Any, node: Node, position: int) -> Any:
    """Return the contribution that an edge gives, if it fits the argument (in an elementwise row, the value)."""
    contribution = edge(g, node, position)
    spec = node.spec if isinstance(row, Elementwise) else node.args[position].spec
    if type(contribution) is np.ndarray and contribution.shape == spec.shape and contribution.dtype is spec.dtype:
        return contribution
    name = row.parameters[min(position, row.starred)]
    contribution = checked(row, f"the gradient for {name!r}", contribution)
    if isinstance(row, Elementwise):
        if not stretches(contribution.shape, node.spec.shape):
            raise ShapeError(
                f"the row {row.name!r}: the local derivative for {name!r} times the upstream gradient has shape "
                f"{contribution.shape}, but the value has shape {node.spec.shape}; the rule must return that shape"
            )
        return contribution
    if not stretches(spec.shape, contribution.shape):
        raise ShapeError(
            f"the row {row.name!r}: the gradient for {name!r} has shape {contribution.shape}, but the argument has "
            f"shape {spec.shape}; the rule must return that shape"
        )
    return conform(contribution, spec)


def pushed(row: Op, push: Edge, t: Any, node: Node, position: int) -> Any:
    """Return the tangent that a jvp gives, if it fits the value."""
    name = row.parameters[min(position, row.starred)]
    tangent, specs = push(t, node, position), node.spec
    several = not isinstance(specs, Spec)
    given = tangent if several and isinstance(tangent, tuple) else (tangent,)
    specs = specs if several else (specs,)
    parts = [checked(row, f"the tangent by {name!r}", part) for part in given]
    shapes, wanted = [part.shape for part in parts], [spec.shape for spec in specs]
    if len(shapes) != len(wanted) or not all(map(stretches, shapes, wanted)):
        raise ShapeError(
            f"the row {row.name!r}: the tangent by {name!r} has shape {' and '.join(map(str, shapes))}, but the value "
            f"has shape {' and '.join(map(str, wanted))}; the jvp must return that shape"
        )
    fitted = tuple(np.broadcast_to(part, shape) for part, shape in zip(parts, wanted, strict=True))
    return fitted if several else fitted[0]
