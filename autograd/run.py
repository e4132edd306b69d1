"""One recorded call of a function, and the walks between its result and its arguments.

Nesting needs no levels and no boxes. An argument that is already part of a record gets an *argument* node of its own:
it tells this use of the value from every other one, so that walks to it are free of perturbation confusion, while the
walks of outer transforms continue through it.

A walk records itself exactly if its result can depend on something that requires grad and is not of this run's making:
the variable of an outer transform, or a parameter that the function closes over. What does depend on such a thing is
handed back as a Tensor that remembers so; everything else as an array or NumPy scalar.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import index
from typing import Any

import numpy as np

from autograd import modes, trees
from autograd.chain_rule import cast, pullback, pushforward
from autograd.errors import DtypeError, OutOfRangeError, ShapeError
from autograd.leaves import own, owner
from autograd.messages import NUMBERS, checked
from autograd.op import Linear
from autograd.record import Node, Spec, newest_first, next_number, spec_of
from autograd.recording import RECORDER, TensorRecorder, record
from autograd.tensor import Tensor, variable

Array = Any
Tree = Any
Function = Callable[..., Any]
Argnums = int | str | Sequence[int | str]


def argument(x: Array) -> Array:
    """An argument, as a function that is being differentiated sees it."""
    return x


ARGUMENT = Linear(argument, lambda g: g)


class AlongRecorder(TensorRecorder):
    """Records a walk as the linear function of cotangents or tangents that it is, along which all else is constant."""

    def wrap(self, value: Array, node: Node) -> Any:
        """The value itself."""
        return value


ALONG = AlongRecorder()


class Run:
    """One recorded call of a function, and the walks between its result and the arguments to differentiate.

    Attributes
    ----------
    targets : list of Node
        One for each leaf of these arguments, with `in_specs`; `in_structure` is the tree they belong to.
    nodes : list of Node or None
        One for each leaf of the result, with `out_specs` and `out_structure`; None where the result is constant.
    """

    def __init__(
        self,
        caller: str,
        f: Function,
        args: Iterable[Any],
        kwargs: Mapping[str, Any],
        argnums: Any,
        has_aux: bool = False,
    ) -> None:
        self.caller = f"{caller} of {getattr(f, '__name__', type(f).__name__)}"
        self.start = next_number()
        call = Call(self.caller, f, list(args), dict(kwargs))
        several = isinstance(argnums, tuple | list | range)
        keys = [call.locate(argnum) for argnum in (argnums if several else [argnums])]
        if len(set(keys)) < len(keys):
            raise ShapeError(f"{self.caller}: argnums={tuple(argnums)} names an argument twice; name each one once")
        chosen = [call.get(key) for key in keys]
        leaves, self.in_structure = trees.flatten(tuple(chosen) if several else chosen[0])
        places = [name for key, tree in zip(keys, chosen) for name in trees.names(trees.flatten(tree)[1], repr(key))]
        values = [self.floating(leaf, f"argument {place}") for leaf, place in zip(leaves, places)]
        self.in_specs = [spec_of(value) for value in values]
        self.targets: list[Node] = []
        with recording():
            inputs = [self.enter(leaf, value) for leaf, value in zip(leaves, values)]
            entered = trees.unflatten(self.in_structure, inputs)
            for key, tree in zip(keys, entered if several else [entered]):
                call.put(key, tree)
            result = f(*call.args, **call.kwargs)
        self.end = next_number()
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(
                f"{self.caller}: with has_aux=True the function must return a pair (value, aux), not {kind(result)}"
            )
        self.result: Tree
        self.auxiliary: Tree
        self.result, self.auxiliary = result if has_aux else (result, None)
        self.leaves, self.out_structure = trees.flatten(self.result)
        self.nodes = [leaf.node if isinstance(leaf, Tensor) else None for leaf in self.leaves]
        self.out_specs = [self.spec_of_result(leaf) for leaf in self.leaves]
        self.is_open = bool(self.open_to(self.leaves))

    def floating(self, leaf: Any, place: str) -> Array:
        """The value of a leaf of an argument, if it can be differentiated."""
        value = leaf._array if isinstance(leaf, Tensor) else np.float64(leaf) if isinstance(leaf, float) else leaf
        if not isinstance(value, np.ndarray | np.generic):
            raise DtypeError(
                f"{self.caller}: {place} is {value!r} of type {type(value).__name__}, which has no derivative; "
                "use a floating dtype: a Python float, or an array of floats"
            )
        if checked(value).dtype.kind != "f":
            raise DtypeError(
                f"{self.caller}: {place} has dtype {value.dtype} and shape {value.shape}, which has no derivative; "
                "use a floating dtype, such as x.astype(float)"
            )
        return value

    def enter(self, leaf: Any, value: Array) -> Tensor:
        """The tensor that the function is given for a leaf of an argument. Being computed, it can be assigned into."""
        tracer = modes.tracer()
        if tracer is not None and isinstance(leaf, Tensor):
            tracer.capture(leaf)
        source = leaf if requires_grad(leaf) else variable(value)
        tensor: Tensor = record(ARGUMENT, [source])
        target = tensor.node if source is leaf else source.node
        assert target is not None
        self.targets.append(target)
        return tensor

    def spec_of_result(self, leaf: Any) -> Spec:
        """The spec of a leaf of the result, if it is a number or an array of numbers."""
        value = leaf._array if isinstance(leaf, Tensor) else np.asarray(leaf)
        if value.dtype.kind not in NUMBERS:
            raise DtypeError(
                f"{self.caller}: the function returned {kind(leaf)}; it must return numbers, arrays, or nested tuples, "
                "lists and dicts of them (has_aux=True lets it return something else besides)"
            )
        spec: Spec = spec_of(value)
        return spec

    # What comes out

    def value(self) -> Tree:
        """The result of the function."""
        return self.settled(self.result)

    def value_apart(self) -> Tree:
        """The result in arrays of its own: who is given it may write to it, and the record be walked again."""
        return trees.map_leaves(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, self.value())

    def aux(self) -> Tree:
        """What the function returned besides."""
        return self.settled(self.auxiliary)

    def settled(self, tree: Tree) -> Tree:
        """The tree with arrays for tensors that depend on nothing but the arguments of this run."""
        leaves, structure = trees.flatten(tree)
        still_open = self.open_to(leaves)
        return trees.unflatten(structure, (detached(leaf, still_open) for leaf in leaves))

    def open_to(self, values: Iterable[Any]) -> set[Node]:
        """The nodes below these tensors that depend on something that requires grad and is not of this run's making.

        Nothing is connected to anything outside while operations are not recorded.
        """
        found: set[Node] = set()
        roots = [value.node for value in values if requires_grad(value)]
        if roots and modes.current().recording:
            for node in reversed(newest_first(roots, self.start)):
                if not node.args and not self.start < node.number < self.end:
                    found.add(node)
                for arg in node.args:
                    if type(arg) is Node and (arg.number < self.start or arg in found):
                        found.add(node)
                        break
        return found

    def delivered(self, values: Sequence[Any], specs: Iterable[Spec], given: Iterable[Any]) -> list[Any]:
        """Derivatives in the dtypes of their specs, zeros for None. None shares memory with another or a given one."""
        taken = {id(owner(value)) for value in given}
        still_open = self.open_to(values)
        return [
            zeros(spec) if value is None else own(as_scalar(detached(value, still_open)), spec, taken)
            for value, spec in zip(values, specs)
        ]

    # Directions that go in

    def fitted(self, tree: Tree, structure: Tree, specs: Sequence[Spec], what: str, model: str) -> list[Array]:
        """The leaves of a tree of cotangents or tangents, which must fit the result or the arguments."""
        leaves = trees.leaves_like(structure, tree, f"{self.caller}: {what}", model)
        places = trees.names(structure)
        return [self.fit(leaf, spec, what + at, model + at) for leaf, spec, at in zip(leaves, specs, places)]

    def fit(self, leaf: Any, spec: Spec, what: str, model: str) -> Array:
        """The cotangent or tangent of one leaf."""
        value = np.asarray(leaf, spec.dtype)[()] if type(leaf) in (int, float) else leaf
        if not isinstance(value, np.ndarray | np.generic | Tensor):
            raise DtypeError(f"{self.caller}: {what} is {value!r}; it must be an array or a float")
        if value.shape != spec.shape:
            raise ShapeError(f"{self.caller}: {what} has shape {value.shape}, but {model} has shape {spec.shape}")
        if value.dtype != spec.dtype and spec.dtype.kind == "f":
            raise DtypeError(
                f"{self.caller}: {what} has dtype {value.dtype}, but {model} has dtype {spec.dtype}; "
                f"convert it with astype({str(spec.dtype)!r})"
            )
        return value

    def unit(self) -> list[Array]:
        """The seed of a gradient: 1, for a scalar result."""
        if self.out_structure is not trees.LEAF:
            raise TypeError(
                f"{self.caller}: the function must return a scalar, not {kind(self.result)}; "
                "use has_aux=True if it returns (value, aux), or jacobian or vjp for several results"
            )
        (spec,) = self.out_specs
        if size(spec) != 1:
            raise ShapeError(
                f"{self.caller}: the function must return a scalar, but its result has shape {spec.shape}; "
                "use jacobian or elementwise_grad, or sum the result with .sum()"
            )
        return [ones(spec)]

    # Walks

    def gradient(self, seeds: Sequence[Array | None]) -> Tree:
        """The cotangents of the arguments, in their structure, for a seed for each leaf of the result."""
        return trees.unflatten(self.in_structure, self.pull(seeds))

    def pull(self, seeds: Sequence[Array | None]) -> list[Array]:
        """The cotangent of each target, for a seed (None: zero) for each leaf of the result."""
        recorder, seeds = self.prepared(seeds)
        arrived: dict[Node, Any] = {}
        for node, seed in zip(self.nodes, seeds):
            if node is not None and seed is not None:
                seed = cast(seed, node.spec)
                arrived[node] = arrived[node] + seed if node in arrived else seed
        watch = modes.current().watch
        found = pullback(arrived, self.targets, observer=None if watch is None else watch.stepped, recorder=recorder)
        return self.delivered([found.get(node) for node in self.targets], self.in_specs, seeds)

    def push(self, tangents: Sequence[Array | None]) -> list[Array]:
        """The tangent of each leaf of the result, for a tangent (None: zero) for each target."""
        recorder, tangents = self.prepared(tangents)
        given = {node: cast(t, node.spec) for node, t in zip(self.targets, tangents) if t is not None}
        roots = [node for node in self.nodes if node is not None]
        found = pushforward(given, roots, recorder or RECORDER, record=recorder is not None)
        return self.delivered(
            [None if node is None else found.get(node) for node in self.nodes], self.out_specs, tangents
        )

    def prepared(self, given: Sequence[Any]) -> tuple[TensorRecorder | None, list[Any]]:
        """The recorder, if a walk with these cotangents or tangents must record itself, and what it is to carry."""
        mode = modes.current()
        carried = {value.node for value in given if requires_grad(value)} if mode.recording else set()
        recorder = RECORDER if mode.tracer or (mode.recording and self.is_open) else ALONG if carried else None
        return recorder, [detached(value, carried) for value in given]

    # Jacobians: a list of blocks for each leaf of the result, in it one block for each target

    def by_rows(self) -> list[list[Array]]:
        """The Jacobian by one backward walk for each element of the result."""
        blocks = []
        for position, out in enumerate(self.out_specs):
            rows = [self.pull(one_of(self.out_specs, position, k)) for k in range(size(out))]
            blocks.append([block([row[i] for row in rows], 0, out, spec) for i, spec in enumerate(self.in_specs)])
        return blocks

    def by_columns(self) -> list[list[Array]]:
        """The Jacobian by one forward walk for each element of the arguments."""
        blocks: list[list[Array]] = [[] for _ in self.out_specs]
        for position, spec in enumerate(self.in_specs):
            columns = [self.push(one_of(self.in_specs, position, k)) for k in range(size(spec))]
            for o, out in enumerate(self.out_specs):
                blocks[o].append(block([column[o] for column in columns], -1, out, spec))
        return blocks


class Call:
    """The arguments of a call, by position or name."""

    def __init__(self, caller: str, f: Function, args: list[Any], kwargs: dict[str, Any]) -> None:
        self.caller, self.f, self.args, self.kwargs = caller, f, args, kwargs

    def locate(self, argnum: Any) -> int | str:
        """Where an argument is found that is given by its position or name: its index, or its keyword."""
        if not isinstance(argnum, int | str | np.integer):
            raise TypeError(
                f"{self.caller}: argnums must be a position, a name, or a tuple of them, not {type(argnum).__name__}"
            )
        if isinstance(argnum, str) and argnum in self.kwargs:
            return argnum
        count = len(self.args)
        if not isinstance(argnum, str) and -count <= argnum < count:
            return index(argnum) % count
        positional, defaults = parameters(self.f)
        if isinstance(argnum, str):
            if argnum in positional[:count]:
                return positional.index(argnum)
            name = argnum
        else:
            name = positional[argnum] if 0 <= argnum < len(positional) else ""
        if name in self.kwargs:
            return name
        if name in defaults:
            self.kwargs[name] = defaults[name]
            return name
        raise OutOfRangeError(
            f"{self.caller}: there is no argument {argnum!r} in a call with {count} positional arguments"
            f"{''.join(f' and {name}=' for name in self.kwargs)}; argnums must name arguments of the call"
        )

    def get(self, key: int | str) -> Any:
        """The argument that is found here."""
        return self.args[key] if isinstance(key, int) else self.kwargs[key]

    def put(self, key: int | str, value: Any) -> None:
        """Another value for the argument that is found here."""
        if isinstance(key, int):
            self.args[key] = value
        else:
            self.kwargs[key] = value


def parameters(f: Function) -> tuple[list[str], dict[str, Any]]:
    """The names of the positional parameters of a function, and the defaults of all that have one."""
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # some functions written in C do not tell
        return [], {}
    positional = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return positional, {p.name: p.default for p in found if p.default is not p.empty}


def recording() -> AbstractContextManager[Any]:
    """The context in which a function is recorded. Where that is so anyway nothing is entered: it would cost time."""
    return nullcontext() if modes.current().recording else modes.enable_grad()


def requires_grad(value: Any) -> bool:
    """Whether this is a tensor that requires grad."""
    return isinstance(value, Tensor) and value.node is not None


def detached(value: Any, kept: Container[Node]) -> Any:
    """The value, as an array if it is a tensor made by none of these nodes; as a tensor while functions are traced."""
    if not isinstance(value, Tensor) or value.node in kept:
        return value
    return value._array if modes.tracer() is None else value.detach()


def kind(value: Any) -> str:
    """What an error calls a value of the wrong kind."""
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"an object of type {type(value).__name__}"


def size(spec: Spec) -> int:
    """The number of elements."""
    return math.prod(spec.shape)


def as_scalar(value: Array) -> Array:
    """A NumPy scalar for a 0-d array; anything else as it is."""
    return value[()] if isinstance(value, np.ndarray) and not value.shape else value


def zeros(spec: Spec) -> Array:
    """Zeros, as an array, or as a NumPy scalar if 0-d."""
    return np.zeros(*spec) if spec.shape else spec.dtype.type(0)


def ones(spec: Spec) -> Array:
    """Ones, as `zeros`."""
    return np.ones(*spec) if spec.shape else spec.dtype.type(1)


def one_of(specs: Sequence[Spec], position: int, element: int) -> list[Array | None]:
    """A direction: 1 in one element of one leaf, 0 elsewhere; None stands for a leaf of zeros."""
    directions: list[Array | None] = [None] * len(specs)
    unit = np.zeros(*specs[position])
    unit.reshape(-1)[element] = 1
    directions[position] = unit[()]
    return directions


def block(parts: list[Array], axis: int, out: Spec, spec: Spec) -> Array:
    """A Jacobian from its rows or columns."""
    if not parts:
        return np.zeros(out.shape + spec.shape, spec.dtype)
    stacked = as_scalar(np.reshape(np.stack(parts, axis), out.shape + spec.shape))
    return stacked if stacked.dtype == spec.dtype else stacked.astype(spec.dtype)
