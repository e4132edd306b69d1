"""Module: a function with parameters, made of other modules."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from autograd import DtypeError, Handle, ShapeError, Tensor, describe, differentiable, named_call
from nn.errors import StateError

Array = Any
M = TypeVar("M", bound="Module")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
KINDS = {
    "_parameters": ("parameter", "a leaf Tensor"),
    "_buffers": ("buffer", "an array"),
    "_modules": ("submodule", "a Module"),
}
"""The parts of a module: what one is called, and what it is."""


class Running(threading.local):
    """The module whose `forward` runs in this thread."""

    module: Module | None = None


RUNNING = Running()


class Leaves(type):
    """The type of `Parameter`, a class without objects of its own: parameters are plain Tensors, which are fast."""

    def __call__(cls, data: Any, requires_grad: bool = True, *, dtype: Any = None) -> Tensor:
        parameter = Tensor(data.detach() if isinstance(data, Tensor) else data, requires_grad, dtype=dtype)
        if parameter.node is not None:
            parameter.node.remember(parameter=True)
        return parameter

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and value.requires_grad and value.is_leaf


class Parameter(Tensor, metaclass=Leaves):
    """A tensor to learn: a leaf that requires grad, which a module registers when it is assigned to it.

    Parameters
    ----------
    data : array_like or Tensor
        Its first value, of a floating dtype; it is copied, without its history.
    requires_grad : bool
        False gives a tensor that stays as it is; a module then needs `Module.register_parameter` to know it.
    dtype : dtype, optional
        The dtype to convert to.

    Examples
    --------
    >>> from nn import Parameter
    >>> weight = Parameter([0.0, 1.0])
    >>> weight
    Tensor([0., 1.], requires_grad=True)
    >>> isinstance(weight, Parameter), isinstance(2 * weight, Parameter)
    (True, False)
    """

    __slots__ = ()
    node: Any  # which is there, since it requires grad


class LoadResult(NamedTuple):
    """What `Module.load_state_dict` found missing, and what it did not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A function with parameters, buffers and submodules: whatever is assigned to its attributes.

    A leaf tensor that requires grad is registered as a parameter, a `Module` as a submodule; but of what `forward`
    assigns, only a `Parameter`, since it may keep what it was given. What a subclass computes is its `forward`; calling
    the module runs that, and the hooks around it. A subclass need not call ``super().__init__()``.

    Attributes
    ----------
    training : bool
        Whether the module is in training, where dropout and batch normalization behave differently; see `train`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Module, Parameter
    >>> class Scale(Module):
    ...     def __init__(self, size):
    ...         self.factor = Parameter(np.ones(size))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> scale = Scale(2)
    >>> scale([3.0, 4.0])
    Tensor([3., 4.], op=multiply)
    >>> dict(scale.named_parameters())
    {'factor': Tensor([1., 1.], requires_grad=True, name='factor')}
    """

    _newer: ClassVar[frozenset[str]] = frozenset()  # parts that older state dicts lack: they keep their values then

    # Values live among the attributes, where Python looks first; these say which of them are what.
    _parameters: dict[str, None]
    _buffers: dict[str, bool]  # whether it is persistent: part of the state dict
    _modules: dict[str, None]
    _hooks: Hooks | None
    _known: dict[int, str]  # where modules that it called were found below it, by their id
    training: bool

    def __new__(cls: type[M], *args: Any, **kwargs: Any) -> M:
        if (args or kwargs) and cls.__init__ is object.__init__:  # as Python says where there is no __new__
            raise TypeError(f"{cls.__name__}() takes no arguments")
        module = super().__new__(cls)
        vars(module).update(training=True, _parameters={}, _buffers={}, _modules={}, _hooks=None, _known={})
        return module

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, and what they are in dicts of the copy's own."""
        return vars(self) | {kind: dict(vars(self)[kind]) for kind in KINDS}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute what the module computes; each subclass says what that is."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(); define it in the class")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        caller = RUNNING.module
        name = type(self).__name__ if caller is None else caller._path_to(self)
        RUNNING.module = self
        try:
            if self._hooks is None:
                return named_call(name, self.forward, *args, **kwargs)
            return named_call(name, self._hooks.around, self, args, kwargs)
        finally:
            RUNNING.module = caller

    def _path_to(self, module: Module) -> str:
        """Return what graphs call a module that this one calls: its path below this one, else the name of its class."""
        path = self._known.get(id(module), "")
        if self.__dict__.get(path) is module:  # as most are: a part of this one itself
            return path
        found: Any = self
        for name in path.split("."):
            found = getattr(found, name, None)
        if found is not module:  # it was never there, or is no longer
            path = next((path for path, other in self._paths() if other is module), "") or type(module).__name__
            self._known[id(module)] = path
        return path

    # Attributes that are registered

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module):
            self._register("_modules", name, None)
        elif isinstance(value, Parameter) and (RUNNING.module is not self or value.node.recall("parameter")):
            self._register("_parameters", name, None)
            value.name = value.name or name
            value.node.remember(parameter=True)
        else:
            for kind, (word, wanted) in KINDS.items():
                if name in vars(self)[kind] and not fits(kind, value):
                    raise TypeError(
                        f"cannot assign {describe(value)} to {name!r}, a {word} of {type(self).__name__}; "
                        f"assign {wanted} or None, or delete it first"
                    )
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        for kind in KINDS:
            vars(self)[kind].pop(name, None)

    def _register(self, kind: str, name: str, mark: Any) -> None:
        if name not in vars(self)[kind]:
            if not isinstance(name, str) or not name or "." in name:
                raise ValueError(
                    f"{name!r} cannot name a part of {type(self).__name__}: it must be a string without dots"
                )
            for other in KINDS:
                vars(self)[other].pop(name, None)
        vars(self)[kind][name] = mark

    def _add(self, kind: str, name: str, value: Any, mark: Any = None) -> None:
        """Make a value a part, under a name that is free or that of another part of this kind."""
        word, wanted = KINDS[kind]
        if not fits(kind, value):
            raise TypeError(
                f"cannot register {describe(value)} as {name!r}, a {word} of {type(self).__name__}; "
                f"give {wanted} or None"
            )
        if isinstance(name, str) and hasattr(self, name) and name not in vars(self)[kind]:
            raise ValueError(f"{name!r} cannot name a {word} of {type(self).__name__}, which has such an attribute")
        self._register(kind, name, mark)
        setattr(self, name, value)

    def register_parameter(self, name: str, parameter: Tensor | None) -> None:
        """Register a parameter that may be None, or require no grad."""
        self._add("_parameters", name, parameter)

    def register_buffer(self, name: str, value: Array | None, persistent: bool = True) -> None:
        """Register an array that is not learned, such as a running mean.

        Parameters
        ----------
        name : str
            The attribute it becomes.
        value : ndarray or None
            Its value.
        persistent : bool
            Whether it is part of `state_dict`.
        """
        self._add("_buffers", name, value, persistent)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register a submodule, also under a name that is no identifier."""
        self._add("_modules", name, module)

    # Walking over the parts

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, submodule) for the submodules of this module itself, each once."""
        yield from once(self._children())

    def children(self) -> Iterator[Module]:
        """Yield the submodules of this module itself, each once."""
        yield from (child for _, child in self.named_children())

    def _children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, submodule) under all names, also where two mean one module."""
        yield from ((name, child) for name in self._modules if (child := getattr(self, name)) is not None)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (path, module) for this module and all below it, each module once."""
        yield from once(self._paths(prefix))

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        yield from (module for _, module in self.named_modules())

    def _paths(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield every path, also where two lead to one module."""
        yield prefix, self
        for name, child in self._children():
            yield from child._paths(f"{prefix}.{name}" if prefix else name)

    def _parts(self, kind: str, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Module, str]]:
        """Yield (path, module, attribute) for every part of a kind that is not None."""
        for path, module in self._paths(prefix) if recurse else [(prefix, self)]:
            for name in vars(module)[kind]:
                if getattr(module, name) is not None:
                    yield f"{path}.{name}" if path else name, module, name

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, parameter).

        Parameters
        ----------
        prefix : str
            What paths begin with.
        recurse : bool
            Whether to include those of submodules.
        remove_duplicate : bool
            Whether a parameter that several paths lead to comes once, by the first of them.
        """
        named = ((path, getattr(m, name)) for path, m, name in self._parts("_parameters", prefix, recurse))
        yield from once(named) if remove_duplicate else named

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the parameters, each once."""
        yield from (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Array]]:
        """Yield (path, buffer); the arguments are those of `named_parameters`."""
        named = ((path, getattr(m, name)) for path, m, name in self._parts("_buffers", prefix, recurse))
        yield from once(named) if remove_duplicate else named

    def buffers(self, recurse: bool = True) -> Iterator[Array]:
        """Yield the buffers, each once."""
        yield from (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, path: str) -> Module:
        """Return the module at a path such as ``"features.0"``; "" is this module."""
        return self._found("_modules", path) if path else self

    def get_parameter(self, path: str) -> Tensor:
        """Return the parameter at a path such as ``"features.0.weight"``."""
        parameter: Tensor = self._found("_parameters", path)
        return parameter

    def get_buffer(self, path: str) -> Array:
        """Return the buffer at a path such as ``"features.1.running_mean"``."""
        return self._found("_buffers", path)

    def _found(self, kind: str, path: str) -> Any:
        """Return the part of a kind at a path."""
        above, _, name = path.rpartition(".")
        module = self.get_submodule(above)
        part = getattr(module, name) if name in vars(module)[kind] else None
        if part is None:
            word, _ = KINDS[kind]
            raise AttributeError(f"{type(module).__name__} has no {word} {name!r}, looked for on the path {path!r}")
        return part

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call a function with each module, submodules first, and return this one; the way to initialize a network."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    # Changing all of it

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below it into training (or evaluation), and return it."""
        if not isinstance(mode, bool | np.bool):
            raise ValueError(f"train(mode={mode!r}): the mode is True, for training, or False, for evaluation")
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self: M) -> M:
        """Put this module and all below it into evaluation, and return it."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Let all parameters learn, or freeze them, and return the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill those that are there with zeros."""
        for parameter in self.parameters():
            parameter.grad = None if set_to_none or parameter.grad is None else np.zeros_like(parameter.grad)

    def to(self: M, dtype: Any) -> M:
        """Convert parameters and floating buffers to a dtype, and return the module.

        The parameters are new tensors then: make an optimizer afterwards.
        """
        places = [(module, name, getattr(module, name)) for _, module, name in self._parts("_parameters")]
        converted = {old: Tensor(old.data, old.requires_grad, dtype=dtype, name=old.name) for old in self.parameters()}
        for module, name, old in places:
            setattr(module, name, converted[old])
        for _, module, name in list(self._parts("_buffers")):
            buffer = getattr(module, name)
            if buffer.dtype.kind == "f":
                setattr(module, name, buffer.astype(dtype))
        return self

    def float(self: M) -> M:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Convert to float64."""
        return self.to(np.float64)

    def half(self: M) -> M:
        """Convert to float16, which saves memory, not time: NumPy computes with it slowly."""
        return self.to(np.float16)

    # State

    def state_dict(self, *, prefix: str = "") -> dict[str, Array]:
        """Return copies of all parameters and persistent buffers, as arrays, by path.

        Parameters
        ----------
        prefix : str
            What paths begin with, dot included.

        Examples
        --------
        >>> import nn
        >>> {name: array.shape for name, array in nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return {prefix + path: np.array(value_of(module, name)) for path, module, name in self._state()}

    def _state(self) -> Iterator[tuple[str, Module, str]]:
        """Yield (path, module, attribute) of what is part of the state dict."""
        for path, module in self._paths():
            for kind in ("_parameters", "_buffers"):
                for full, owner, name in module._parts(kind, path, recurse=False):
                    if kind == "_parameters" or owner._buffers[name]:
                        yield full, owner, name

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Copy the values of a state dict into the parameters and buffers of these names: all of them, or none.

        Parameters
        ----------
        state : mapping of str to array_like
            As `state_dict` returns it. Values are cast to the dtypes of this module.
        strict : bool
            Whether names that are missing or unexpected are an error; shapes that differ always are.

        Returns
        -------
        LoadResult
            ``missing_keys`` and ``unexpected_keys``.

        Raises
        ------
        StateError
            Listing what is missing, unexpected, mis-shaped or of another kind of dtype; the module is then untouched.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict takes a dict of arrays by path, got {describe(state)}; see state_dict()")
        places = {path: (module, name) for path, module, name in self._state()}
        missing = [path for path, (module, name) in places.items() if path not in state and name not in module._newer]
        unexpected = [path for path in state if path not in places]
        shapes, dtypes, values = [], [], {}
        for path in (path for path in places if path in state):
            value = state[path]
            values[path] = value = value.numpy() if isinstance(value, Tensor) else np.asarray(value)
            part = value_of(*places[path])
            if not np.can_cast(value.dtype, part.dtype, "same_kind"):  # as fractions cannot be counts
                dtypes.append(f"{path} of dtype {value.dtype}, which must be {part.dtype}")
            elif value.shape != part.shape:
                shapes.append(f"{path} of shape {value.shape}, which must be {part.shape}")
        complaints = {"missing": missing, "unexpected": unexpected} if strict else {}
        complaints |= {"mis-shaped": shapes, "of another kind": dtypes}
        if any(complaints.values()):
            raise StateError(
                f"the state does not fit {type(self).__name__}, which was left as it is"
                + "".join(f"\n  {kind}: {'; '.join(found)}" for kind, found in complaints.items() if found)
            )
        for path, value in values.items():
            module, name = places[path]
            part = getattr(module, name)
            if isinstance(part, Tensor):
                part.data = value
            else:
                setattr(module, name, np.array(value, dtype=part.dtype))
        return LoadResult(missing, unexpected)

    # Hooks

    def register_forward_pre_hook(
        self, hook: Callable[[Module, tuple[Any, ...]], Any], *, prepend: bool = False
    ) -> Handle:
        """Call ``hook(module, args)`` before `forward`; it may return other arguments, or None.

        Parameters
        ----------
        hook : callable
            The hook.
        prepend : bool
            Whether it comes before the hooks of its kind that are there, not after them.

        Returns
        -------
        Handle
            Its ``remove()`` removes the hook.
        """
        return self._hook("before", hook, prepend)

    def register_forward_hook(
        self, hook: Callable[[Module, tuple[Any, ...], Any], Any], *, prepend: bool = False
    ) -> Handle:
        """Call ``hook(module, args, output)`` after `forward`; it may return another output, or None.

        The arguments are those of `register_forward_pre_hook`.

        Returns
        -------
        Handle
            Its ``remove()`` removes the hook.
        """
        return self._hook("after", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[[Module, Any, Any], Any], *, prepend: bool = False) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` when `backward` has passed through this module.

        Both are tuples of arrays: the gradients of the positional arguments and of what `forward` returned, with None
        for what requires no grad. The hook may return gradients to take the place of ``grad_input``, a tuple or the
        only one, or None. The arguments are those of `register_forward_pre_hook`.

        Returns
        -------
        Handle
            Its ``remove()`` removes the hook.
        """
        return self._hook("backward", hook, prepend)

    def _hook(self, kind: str, hook: Callable[..., Any], prepend: bool) -> Handle:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks.add(kind, hook, prepend)

    # Display

    def extra_repr(self) -> str:
        """Return what stands in the parentheses of the module's repr."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self._children()]
        extra = self.extra_repr()
        if not children:
            return f"{type(self).__name__}({extra})"
        lines = ([extra] if extra else []) + children
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


def as_array(value: Any) -> Any:
    """Numbers and lists as an array; arrays and tensors as they are."""
    if not hasattr(value, "dtype"):
        return np.asarray(value)
    if not isinstance(value.dtype, np.dtype):
        kind = type(value)
        raise DtypeError(
            f"got a {kind.__module__}.{kind.__name__} of dtype {value.dtype}, which is no array of NumPy's; "
            "give its .numpy()"
        )
    return value


def are_below(end: int, integers: Array) -> bool:
    """Whether integers, of which there are some, are from 0 to below an end."""
    return bool(np.maximum.reduce(integers.view(UNSIGNED[integers.itemsize]), None) < end)


UNSIGNED = {np.dtype(kind).itemsize: kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64)}
"""By the number of bytes. In these dtypes what is negative is large, so that one pass finds both ends of a range."""


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a tensor, array, number or nested list."""
    shape: tuple[int, ...] = value.shape if hasattr(value, "shape") else np.shape(value)
    return shape


def once(named: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Yield (name, thing) for the things that did not come before."""
    seen: set[int] = set()
    for name, thing in named:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield name, thing


def fits(kind: str, value: Any) -> bool:
    """Whether a value, or None, can be a part of this kind."""
    if kind == "_modules":
        return isinstance(value, Module | None)
    if kind == "_buffers":
        return isinstance(value, np.ndarray | np.generic | Tensor | None)
    return value is None or (isinstance(value, Tensor) and value.is_leaf)


def shaped(who: str, name: str, value: Any, shape: tuple[int, ...]) -> Any:
    """An optional argument as an array or tensor, if it has this shape."""
    if value is None:
        return None
    value = as_array(value)
    if value.shape != shape:
        raise ShapeError(
            f"{who}: the {name} must have shape {shape}, got {describe(value)}; reshape it, or give another"
        )
    return value


def in_float32(function: F) -> F:
    """Let a function of activations compute in float32 where they are float16, in which sums and squares overflow."""

    @wraps(function)
    def public(input: Any, *args: Any, **options: Any) -> Any:
        array = as_array(input)
        if array.dtype.char != "e":
            return function(input, *args, **options)
        return function(array.astype(np.float32), *args, **options).astype(np.float16)

    return public  # type: ignore[return-value]


def value_of(module: Module, name: str) -> Array:
    """The value of a parameter or buffer, as an array."""
    value = getattr(module, name)
    return value.numpy() if isinstance(value, Tensor) else np.asarray(value)


class Hooks:
    """What is called around a module's `forward`, and when `backward` has passed it."""

    def __init__(self) -> None:
        self.by_kind: dict[str, dict[int, Callable[..., Any]]] = {"before": {}, "after": {}, "backward": {}}
        self.added = 0

    def __bool__(self) -> bool:
        return any(self.by_kind.values())

    def add(self, kind: str, hook: Callable[..., Any], prepend: bool) -> Handle:
        """Add a hook, behind the others or before them; they come in the order of their numbers."""
        self.added += 1
        number = -self.added if prepend else self.added
        self.by_kind[kind][number] = hook
        return Handle(self.by_kind[kind], number)

    def of(self, kind: str) -> Sequence[Callable[..., Any]]:
        """Return the hooks of a kind, as they are now."""
        return [hook for _, hook in sorted(self.by_kind[kind].items())]

    def around(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the module's `forward` with hooks before, after and in `backward`."""
        for hook in self.of("before"):
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        passage = Passage(module, self.of("backward")) if self.by_kind["backward"] else None
        if passage is not None:
            args = passage.entering(args)
        output = module.forward(*args, **kwargs)
        if passage is not None:
            output = passage.leaving(output)
        for hook in self.of("after"):
            changed = hook(module, args, output)
            output = output if changed is None else changed
        return output


class Passage:
    """One call of a module with backward hooks: they are called when the gradients of all its arguments are there."""

    def __init__(self, module: Module, hooks: Sequence[Callable[..., Any]]) -> None:
        self.module, self.hooks = module, hooks
        self.inputs: list[bool] = []  # which of the arguments require grad
        self.outputs: tuple[Array | None, ...] = ()

    def entering(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, those that require grad as tensors whose gradients are this call's alone."""
        self.inputs = [*map(learns, args)]
        return gated(args, self.arrived)

    def leaving(self, output: Any) -> Any:
        """Return the output, likewise."""
        passed = gated(output if isinstance(output, tuple) else (output,), self.begun)
        return passed if isinstance(output, tuple) else passed[0]

    def begun(self, gradients: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
        """Note the gradients of the output, beyond which there may be none."""
        self.outputs = gradients
        if not any(self.inputs):
            self.arrived((None,) * len(self.inputs))
        return gradients

    def arrived(self, gradients: tuple[Array | None, ...]) -> tuple[Array | None, ...]:
        """Return the gradients of the arguments as the hooks leave them."""
        for hook in self.hooks:
            changed = hook(self.module, gradients, self.outputs)
            if changed is not None:
                gradients = self.replaced(gradients, changed if isinstance(changed, tuple) else (changed,))
        return gradients

    def replaced(self, gradients: tuple[Array | None, ...], changed: tuple[Any, ...]) -> tuple[Array | None, ...]:
        """Return what a hook returned where there are gradients, with zeros for None."""
        if len(changed) != len(gradients) or any(
            old is not None and new is not None and shape_of(new) != old.shape for old, new in zip(gradients, changed)
        ):
            raise ShapeError(
                f"a backward hook of {type(self.module).__name__} returned {', '.join(map(describe, changed))} in the "
                f"place of {', '.join(map(describe, gradients))}; return one gradient of the same shape for each, or "
                "None to leave all of them"
            )
        return tuple(None if old is None else in_place_of(old, new) for old, new in zip(gradients, changed))


def in_place_of(old: Array, new: Any) -> Array:
    """A gradient that takes the place of another: an array like it, unless it is differentiated in its turn."""
    new = np.zeros_like(old) if new is None else new
    return new if isinstance(old, Tensor) else np.asarray(new)[()]


def learns(value: Any) -> bool:
    """Whether a value requires grad."""
    return isinstance(value, Tensor) and value.requires_grad


def gated(values: tuple[Any, ...], exchange: Callable[[tuple[Array | None, ...]], Sequence[Any]]) -> tuple[Any, ...]:
    """Return values, those that require grad behind a gate, where a function may exchange all their gradients."""
    places = [place for place, value in enumerate(values) if learns(value)]
    if not places:
        return values
    behind = dict(zip(places, through(*[values[place] for place in places], gate=Gate(len(values), places, exchange))))
    return tuple(behind.get(place, value) for place, value in enumerate(values))


class Gate:
    """Where gradients of several values are exchanged. Graphs hold it, so it holds none of the values.

    Attributes
    ----------
    size : int
        How many gradients `exchange` takes and returns, with None for what requires no grad.
    places : list of int
        Where among these the gradients are that pass.
    """

    def __init__(
        self, size: int, places: list[int], exchange: Callable[[tuple[Array | None, ...]], Sequence[Any]]
    ) -> None:
        self.size, self.places, self.exchange = size, places, exchange
        self.latest: tuple[Any, Sequence[Any]] = None, ()

    def gradient(self, upstreams: Sequence[Array], index: int) -> Array:
        """Return one of the gradients that pass; each is asked for in turn, with the same upstreams."""
        if self.latest[0] is not upstreams:
            arrived = dict(zip(self.places, upstreams))
            self.latest = upstreams, self.exchange(tuple(map(arrived.get, range(self.size))))
        return self.latest[1][self.places[index]]


@differentiable(
    vjp={"values": lambda g, i, gate: gate.gradient(g, i), "gate": None},
    jvp={
        "values": lambda t, i, shapes: tuple(t if i == at else np.zeros(shape) for at, shape in enumerate(shapes)),
        "gate": None,
    },
)
def through(*values: Array, gate: Gate) -> tuple[Array, ...]:
    """Return the values, on the other side of a gate."""
    return tuple(map(np.positive, values))


def functional_call(
    module: Module, state: Mapping[str, Any], args: Any = (), kwargs: Mapping[str, Any] | None = None
) -> Any:
    """Call a module with other values for some of its parameters and buffers: a network as a function of its weights.

    Parameters
    ----------
    module : Module
        The network; it is left as it is.
    state : mapping of str to Tensor or array
        Values by path, as in ``dict(module.named_parameters())``; others stay as they are.
    args : tuple or anything
        The arguments of the call, or the only one.
    kwargs : mapping, optional
        Its keyword arguments.

    Returns
    -------
    Tensor
        What the module returns.

    Raises
    ------
    StateError
        If the module has no parameter or buffer of such a name.

    Examples
    --------
    The gradient of a loss with respect to all weights, the functional way:

    >>> import numpy as np
    >>> import nn
    >>> from autograd import grad
    >>> model = nn.Linear(2, 1, bias=False)
    >>> weights = {"weight": np.array([[1.0, -1.0]])}
    >>> grad(lambda w: nn.functional_call(model, w, np.array([3.0, 4.0])).sum())(weights)
    {'weight': array([[3., 4.]])}
    """
    with replaced(module, state):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


@contextmanager
def replaced(module: Module, state: Mapping[str, Any]) -> Iterator[None]:
    """Put other values in the place of parameters and buffers, for the time of a context."""
    places = {p: (m, name) for kind in ("_parameters", "_buffers") for p, m, name in module._parts(kind)}
    unknown = [path for path in state if path not in places]
    if unknown:
        raise StateError(f"{type(module).__name__} has no parameter or buffer {', '.join(unknown)}")
    replacement = {id(getattr(*places[path])): value for path, value in state.items()}
    before = [(owner, name, getattr(owner, name)) for owner, name in places.values()]
    before = [place for place in before if id(place[2]) in replacement]
    try:
        for owner, name, value in before:
            vars(owner)[name] = replacement[id(value)]
        yield
    finally:
        for owner, name, value in before:
            vars(owner)[name] = value
