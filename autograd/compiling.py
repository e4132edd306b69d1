"""Compiling: a function is run once, and what it did becomes a program that is run from then on.

`tracing.py` notes what the function does, `program.py` writes the program. Here is when that happens, and for which
arguments a program is good.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from functools import update_wrapper
from types import MethodType
from typing import Any, NamedTuple, final

import numpy as np

from autograd import modes, trees
from autograd.errors import CompileError, ShapeError
from autograd.messages import checked, describe
from autograd.modes import Tracing
from autograd.program import Plan, Writer, copied, guard
from autograd.run import as_scalar
from autograd.tensor import Tensor, made
from autograd.tracing import Trace, twin, unwrapped

Array = Any
Function = Callable[..., Any]
Tree = Any
MOST_PROGRAMS = 64
"""How many programs a function has before the one that was made first is dropped."""


RESULTS = (Tensor, np.ndarray, np.generic, int, float, complex, str, bytes, type, np.dtype)
"""What may be in a result, beside arguments that are handed back; anything else could hold values of one call."""


class Program(NamedTuple):
    """A program, and what it is good for.

    Attributes
    ----------
    run : callable
        The program: arrays in, the result out.
    fits : callable
        Whether a tuple holds the arrays that it takes, and nothing else.
    captured : list of Tensor
        Whose arrays it takes after those of the call.
    required : list of bool
        Which of the captured tensors may require grad where operations are recorded, since no result depends on them.
    lock : lock
        Keeps two threads out of the same buffers.
    quiet : Context
        Where NumPy gives no warnings. To run in it takes a tenth of the time of `numpy.errstate`.
    """

    run: Function
    fits: Callable[[tuple[Any, ...]], bool]
    captured: list[Tensor]
    required: list[bool]
    lock: Any
    quiet: Context

    def arrays(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arrays that it takes: those of a call, and those of the outside."""
        return (*given, *[tensor._array for tensor in self.captured]) if self.captured else given

    def loses_nothing(self, recording: bool) -> bool:
        """Whether no result would be recorded if the function itself were called."""
        return not (recording and self.captured) or self.required == [t.node is not None for t in self.captured]


def compiled(f: Function, *, out: Tree = None, state: Sequence[Array] = ()) -> Compiled:
    """Make a function run as a program of NumPy calls, without recording, and with buffers that are used again.

    The function is run on the first call; what it did with its arguments is then written down as straight-line NumPy,
    derivatives included, and every further call with arguments of the same shapes and dtypes runs that. Compile
    ``value_and_grad(loss)``, ``hvp(f)`` or a whole step.

    Parameters
    ----------
    f : callable
        A function of arrays, or of nested tuples, lists and dicts of them. Arguments that are no arrays (numbers of
        Python, strings, objects) are fixed: another one makes another program.
    out : tree of arrays, optional
        Where results go: in the structure of the result, with None for what is to be a new array. For
        ``value_and_grad`` it may be ``(None, gradients)``. Each call writes to the same arrays, and returns them. They
        must not share memory with arguments, with arrays that `f` reads, nor with one another. Until the results are
        there, other values may be.
    state : sequence of ndarray, optional
        What `f` is given before the arguments of a call: always these arrays, whose values may change.

    Returns
    -------
    callable
        Takes what `f` takes and returns what `f` returns, with arrays for tensors.

    Raises
    ------
    CompileError
        If the function looks at a value (``if x > 0``, ``float(x)``, ``x.data``), makes an array whose shape depends on
        values, or returns a function or another object.
    TypeError
        If `state` holds anything but arrays.

    See Also
    --------
    nn.compiled_step : Compiles a training step of a network.

    Notes
    -----
    Python runs when the function is traced, and not in further calls: what it prints or decides is decided then.
    Tensors of the outside are read in each call. So are arrays of the outside, where they meet a traced value; what is
    computed of such arrays alone is computed once, in derivatives too: ``1 / c`` in that of ``x / c``. Functions
    declared with `flat` are called anew each time; context variables have the values then that they had when the
    program was made.

    Floating-point warnings are not given. The function itself is called, and recorded, if an argument requires grad or
    a result depends on a tensor of the outside that does: under `no_grad` it never is, and there what uses the
    parameters of a network runs as a program. It is called under `detect_anomaly`, too, and while its program is
    running already.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import compiled, value_and_grad
    >>> def loss(w, x, y):
    ...     return np.mean((x @ w - y) ** 2)
    >>> step = compiled(value_and_grad(loss))
    >>> x, y = np.eye(2), np.array([1.0, 2.0])
    >>> step(np.zeros(2), x, y)
    (np.float64(2.5), array([-1., -2.]))
    >>> step(np.ones(2), x, y)
    (np.float64(0.5), array([ 0., -1.]))
    """
    return Compiled(f, out, state)


@final
class Compiled:
    """What `compiled` returns: a function with its programs.

    Attributes
    ----------
    f : callable
        The function itself.
    programs : dict
        The programs, by what they are good for; the ``__doc__`` of each ``run`` is its text.
    recorded : dict
        For what the function itself is called where operations are recorded, since a result requires grad.
    """

    def __init__(self, f: Function, out: Tree, state: Sequence[Array]) -> None:
        for array in state:
            if not isinstance(array, np.ndarray):
                raise TypeError(
                    f"compiled(): state holds a {type(array).__name__}; give arrays (numpy.ndarray), whose values may "
                    "change"
                )
        self.f, self.out, self.state = f, out, state
        self.programs: dict[Any, Program] = {}
        self.recorded: dict[Any, bool] = {}
        self.latest: Program | None = None
        update_wrapper(self, f, updated=())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A method of the instance, if this is the attribute of a class."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        return Compiled, (self.f, self.out, self.state)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, or the program for these arguments."""
        mode = modes.current()
        if mode.tracer is not None or mode.watch is not None:
            return self.itself(args, kwargs)
        program, recording = self.latest, mode.recording
        if (
            program is not None
            and not kwargs
            and program.loses_nothing(recording)
            and program.fits(arrays := program.arrays(args))
        ):
            return self.run(program, arrays, args, kwargs)
        leaves, structure = trees.flatten((args, kwargs))
        leaves = [np.asarray(leaf) if isinstance(leaf, np.memmap) else leaf for leaf in leaves]
        if any(isinstance(leaf, Tensor) and leaf.node is not None for leaf in leaves):
            return self.itself(args, kwargs)
        key = (identity(structure), *map(identity, leaves))
        if recording and key in self.recorded:
            return self.itself(args, kwargs)
        program = self.programs.get(key)
        if (
            program is None
            or not program.loses_nothing(recording)
            or not program.fits(arrays := program.arrays(tuple(unwrapped(leaf) for leaf in leaves if is_array(leaf))))
        ):
            return self.trace(key, leaves, structure)
        self.latest = program if not kwargs and program.fits(program.arrays(args)) else None
        return self.run(program, arrays, args, kwargs)

    def run(self, program: Program, arrays: tuple[Any, ...], args: Any, kwargs: Any) -> Any:
        """Run a program; while it is running already, call the function instead."""
        if not program.lock.acquire(blocking=False):
            return self.itself(args, kwargs)
        try:
            return program.quiet.run(program.run, *arrays)
        finally:
            program.lock.release()

    def itself(self, args: Any, kwargs: Any) -> Any:
        """Call the function with tensors for arrays, as when it is traced; but as it is, if somebody else traces it."""
        if modes.tracer() is not None:
            return self.f(*self.state, *args, **kwargs)
        args, kwargs = trees.map_leaves(
            lambda leaf: made(checked(leaf), None) if isinstance(leaf, np.ndarray | np.generic) else leaf,
            (args, kwargs),
        )
        return self.finished(self.f(*[made(array, None) for array in self.state], *args, **kwargs))

    def finished(self, result: Any) -> Any:
        """The result where it belongs, with arrays for tensors that require no grad."""
        results, structure = trees.flatten(result)
        return trees.unflatten(structure, map(written, results, arrays_for(structure, self.out)))

    def trace(self, key: Any, leaves: Sequence[Any], structure: Any) -> Any:
        """Run the function, and make the program of what it does."""
        arrays = [twin(checked(unwrapped(leaf))) if is_array(leaf) else None for leaf in leaves]
        state, given = [*map(twin, self.state)], [array for array in arrays if array is not None]
        trace = Trace([*state, *given])
        entered = [leaf if array is None else made(array, None) for leaf, array in zip(leaves, arrays)]
        args, kwargs = trees.unflatten(structure, entered)
        with Tracing(trace), np.errstate(all="ignore"):
            result = self.f(*[made(array, None) for array in state], *args, **kwargs)
        results, out_structure = trees.flatten(result)
        for part in results:
            if not isinstance(part, RESULTS) and not any(part is leaf for leaf in leaves):
                raise CompileError(
                    f"compiled(): the function returned {describe(part)}, which a program cannot make anew; let it "
                    "return arrays and numbers, in tuples, lists and dicts"
                )
        if any(isinstance(part, Tensor) and part.node is not None for part in results):
            keep(self.recorded, key, True)
            return self.finished(result)
        values = [trace.array(leaf) for leaf in results]
        into = arrays_for(out_structure, self.out)
        outer = [constant for call in trace.calls for constant in call.constants]
        taken = [*state, *given, *(tensor._array for tensor, _ in trace.captured), *outer]
        for value, array in zip(values, into):
            if array is not None:
                fit(value, array, taken)
                taken.append(array)
        plan = Plan(trace, [trace.variable(value) for value in values])
        run = Writer(plan, into, self.state).function(out_structure)
        captured = [tensor for tensor, _ in plan.captured]
        fits = guard([*given, *(tensor._array for tensor in captured)])
        recording = modes.current().recording
        required = [recording and tensor.node is not None for tensor in captured]
        keep(self.programs, key, Program(run, fits, captured, required, allocate_lock(), quiet_context()))
        results = [copied(value) if i in plan.copied else as_scalar(value) for i, value in enumerate(values)]
        return trees.unflatten(out_structure, map(written, results, into))


def keep(known: dict[Any, Any], key: Any, value: Any) -> None:
    """Keep what is known, instead of what was known first if that is much."""
    known[key] = value
    if len(known) > MOST_PROGRAMS:
        del known[next(iter(known))]


def quiet_context() -> Context:
    """A context in which NumPy gives no warnings."""
    context = copy_context()
    context.run(np.seterr, all="ignore")
    return context


def arrays_for(structure: Tree, out: Tree) -> list[Array | None]:
    """What `out` has for each leaf of the structure of a result."""
    if out is None:
        return [None] * len(trees.flatten(structure)[0])
    if structure is trees.LEAF and isinstance(out, np.ndarray):
        return [out]
    parts, arrays = (list(tree.values()) if isinstance(tree, dict) else tree for tree in (structure, out))
    fitting = isinstance(structure, tuple | list | dict) and isinstance(out, tuple | list | dict)
    if not fitting or isinstance(structure, dict) != isinstance(out, dict) or len(parts) != len(arrays):
        raise ShapeError(
            f"compiled(): out is {describe(out)}, which is not of the structure of the result, {structure!r}"
        )
    if isinstance(structure, dict):
        if structure.keys() != out.keys():
            raise ShapeError(
                f"compiled(): out has the keys {[*out]}, and the result {[*structure]}; they must be equal"
            )
        arrays = [out[key] for key in structure]
    return [array for part, of_part in zip(parts, arrays) for array in arrays_for(part, of_part)]


def fit(value: Any, array: Array, taken: Sequence[Array]) -> None:
    """Raise unless a result can be written into the array that was given for it; what is taken needs to stay."""
    if (np.shape(value), value.dtype) != (array.shape, array.dtype):
        raise ShapeError(
            f"compiled(): out has an array of shape {array.shape} and dtype {array.dtype} for a result of shape "
            f"{np.shape(value)} and dtype {value.dtype}; they must be equal"
        )
    if any(np.may_share_memory(array, other) for other in taken):
        raise ShapeError(
            f"compiled(): out has an array of shape {array.shape} that shares memory with an argument, with another "
            "array of out, or with one that the function reads, which would be overwritten while it is read; give "
            "another"
        )


def written(value: Any, array: Array | None) -> Any:
    """The value, or the array that it was to be written into; a tensor that requires grad stays one."""
    if array is not None:
        array[...] = unwrapped(value)
    if isinstance(value, Tensor) and value.node is not None:
        return value
    return unwrapped(value) if array is None else array


def is_array(leaf: Any) -> bool:
    """Whether a leaf of the arguments is a value of the program."""
    return isinstance(leaf, Tensor | np.ndarray | np.generic)


def identity(leaf: Any) -> Any:
    """What is equal for arguments that a program is good for: of arrays the kind, shape, dtype and layout."""
    value = unwrapped(leaf)
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.strides
    if isinstance(value, np.generic):
        return value.dtype
    if isinstance(value, tuple | list):
        return (type(value), *map(identity, value))
    if isinstance(value, dict):
        return (type(value), *((type(key), key, identity(part)) for key, part in value.items()))
    try:
        hash(value)
    except TypeError:
        value = Same(value)
    return type(value), repr(value) if isinstance(value, float) else value  # 0.0 and -0.0 differ


class Same:
    """Equal to itself and to nothing else, for what has no hash."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)
