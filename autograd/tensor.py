"""Tensor: a value that remembers how it was computed.

Every operation on a tensor is a row of the table. `Tensor` has NumPy's operators, methods and protocols in front of
the rows;
`recording.py` applies them.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import modes
from autograd.chain_rule import accumulated, cast, pullback
from autograd.errors import CompileError, DtypeError, GraphError, NotDifferentiableError, ShapeError
from autograd.leaves import CHANGED, Handle, Watched, accumulate, make_leaf
from autograd.messages import EXPECTED, checked, describe, explain, refuse_unlike
from autograd.methods import NumPyMethods
from autograd.outline import Outline
from autograd.record import Node, Released, make_node, next_number, spec_of
from autograd.table import TABLE

Array = Any


class Tensor(NumPyMethods):
    """An array, or a 0-d value, that records what is computed from it.

    Parameters
    ----------
    data : array_like
        The value; it is copied. Numbers and lists become arrays as in NumPy.
    requires_grad : bool
        Record what is computed from this tensor, so that `backward` can fill its `grad`. Needs a floating dtype.
    dtype : dtype, optional
        The dtype to convert to.
    name : str, optional
        What pictures, errors and the text tree call it.

    Raises
    ------
    DtypeError
        For complex numbers, objects and strings, and for integers that should require a gradient.
    NotDifferentiableError
        For a tensor that requires grad.

    Examples
    --------
    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_array", "_name", "node")

    _array: Array
    _name: str | None
    node: Node | None
    recorder: Any  # with `apply`, set by `recording.py`, which applies rows to tensors

    __array_priority__ = 1000.0

    def __init__(self, data: Any, requires_grad: bool = False, *, dtype: Any = None, name: str | None = None) -> None:
        if type(self) is not Tensor:
            raise TypeError(
                f"{type(self).__name__} is a subclass of Tensor, and operations make plain Tensors of it; "
                "let the class hold a Tensor, and derivatives of your own be rows of autograd.differentiable"
            )
        if isinstance(requires_grad, str | type | np.dtype):
            raise TypeError(
                f"Tensor(data, {requires_grad!r}): the second argument says whether a gradient is required; for a "
                f"dtype write Tensor(data, dtype={requires_grad!r})"
            )
        if isinstance(data, Tensor):
            if data.node is not None:
                raise NotDifferentiableError(
                    f"making a new Tensor of {describe(data)}, which requires grad, would lose the graph; "
                    "use it as it is, or t.detach() for its value"
                )
            data = data._value()
        refuse_unlike(data, "a Tensor holds arrays and numbers")
        value = checked(np.array(data, dtype=dtype))
        self._array = value if value.ndim or isinstance(data, np.ndarray) else value[()]
        tracer = modes.tracer()
        if tracer is not None:
            tracer.own(self._array)
        self._name = name
        self.node = None
        if requires_grad:
            self.requires_grad = True

    # Value

    @property
    def data(self) -> Array:
        """The value: an ndarray, or the NumPy scalar that NumPy itself returns for 0-d."""
        return self._value()

    @data.setter
    def data(self, value: Any) -> None:
        value = np.asarray(value._value() if isinstance(value, Tensor) else value, dtype=self._array.dtype)
        if value.shape != self._array.shape:
            raise ShapeError(
                f"cannot set the data of a tensor of shape {self._array.shape} to an array of shape {value.shape}; "
                "make a new Tensor instead"
            )
        self._replace(np.array(value) if value.ndim else value[()])

    def numpy(self) -> Array:
        """The value as an array that shares memory with the tensor. The graph stays behind."""
        return np.asarray(self._value())

    def set_(self, memory: Array, grad: Array | None = None) -> Tensor:
        """Let the value of this leaf lie in the memory of an array from now on: what is written there, it has.

        Parameters
        ----------
        memory : ndarray
            Of the tensor's shape and dtype.
        grad : ndarray, optional
            Its gradient now, in this memory, if it requires grad: of the same shape and dtype. What `backward` adds up
            from then on lies elsewhere.

        Returns
        -------
        Tensor
            The tensor itself.

        Raises
        ------
        ShapeError
            If the shape or dtype is another.
        GraphError
            If the tensor was computed.

        Examples
        --------
        >>> import numpy as np
        >>> from autograd import Tensor
        >>> t, both = Tensor([1.0, 2.0]), np.zeros(4)
        >>> _ = t.set_(both[:2])
        >>> both[0] = 5.0
        >>> t
        Tensor([5., 0.])
        """
        node = self.node
        if node is not None and node.args:
            raise GraphError(f"set_() of {describe(self)}, which was computed; only a leaf has memory of its own")
        if memory is not self._array:
            self._refuse_unlike(memory)
        if grad is not None and node is not None and node.about.get("grad") is not grad:
            self._refuse_unlike(grad)
            node.about["grad"] = grad
        self._replace(memory)
        return self

    def _refuse_unlike(self, array: Array) -> None:
        if (array.shape, array.dtype) != (self._array.shape, self._array.dtype):
            raise ShapeError(
                f"set_() of {describe(self)} to memory of shape {array.shape} and dtype {array.dtype}; "
                "they must be the tensor's"
            )

    def detach(self) -> Tensor:
        """A tensor of the same value, sharing its memory, that requires no grad."""
        tracer = modes.tracer()
        if tracer is not None:
            tracer.capture(self)
        return made(self._array, None)

    @property
    def name(self) -> str | None:
        """What pictures, errors and the text tree call this tensor."""
        return getattr(self, "_name", None) if self.node is None else self.node.recall("name")

    @name.setter
    def name(self, name: str | None) -> None:
        if self.node is None:
            self._name = name
        else:
            self.node.remember(name=name)

    # Gradient

    @property
    def requires_grad(self) -> bool:
        """Whether what is computed from this tensor is recorded. It can be switched on leaves only."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, required: bool) -> None:
        if self.node is not None and self.node.args and not required:
            raise GraphError(
                f"{describe(self)} was computed by {self.node.op.name!r}: only a leaf can stop requiring grad; "
                "use detach() for a tensor without history"
            )
        if required and self.node is None:
            if self._array.dtype.kind != "f":
                raise DtypeError(
                    f"a tensor of dtype {self._array.dtype} cannot require a gradient; use a floating dtype, "
                    "such as Tensor(data, dtype=float, requires_grad=True)"
                )
            self.node = make_leaf(self._array, self.name)
        elif not required and self.node is not None:
            self._name, self.node = self.name, None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was given rather than computed from one that requires grad."""
        return self.node is None or not self.node.args

    @property
    def grad(self) -> Any:
        """The gradient that `backward` left here: an array of this tensor's shape and dtype, or None.

        It is a Tensor after ``backward(create_graph=True)``. Gradients of computed tensors are kept only if
        `retain_grad` was called.
        """
        if self.node is None:
            return None
        if not self.node.op.collects:
            raise GraphError(
                f"the gradient of {describe(self)}, computed by {self.node.op.name!r}, is not kept; "
                "call retain_grad() on it before backward()"
            )
        return self.node.recall("grad")

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is None:
            if self.node is not None:
                self.node.remember(grad=None)
            return
        if self.node is None:
            raise GraphError(
                f"{describe(self)} does not require grad, so it has no gradient to set; set requires_grad first"
            )
        if not isinstance(value, Tensor):
            value = np.array(value, dtype=self._array.dtype)
            value = np.full(self._array.shape, value) if value.ndim == 0 else value
        if value.shape != self._array.shape:
            raise ShapeError(
                f"a gradient of shape {value.shape} does not fit {describe(self)}; it must have the tensor's shape"
            )
        if value.dtype != self._array.dtype:
            raise DtypeError(
                f"a gradient of dtype {value.dtype} does not fit {describe(self)}; "
                f"give it t.astype({self._array.dtype})"
            )
        self.node.remember(grad=value)

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = None

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Iterable[Tensor] | None = None,
    ) -> None:
        """Fill `grad` of every leaf that this tensor was computed from: the chain rule, walked once.

        Parameters
        ----------
        gradient : array_like, optional
            The seed: the gradient of whatever comes after with respect to this tensor, of its shape and dtype; 1 for a
            scalar.
        retain_graph : bool, optional
            Keep what the graph remembers, so that it can be walked again. By default it is released, unless
            `create_graph` is set.
        create_graph : bool
            Record the walk: the gradients become Tensors which can themselves be differentiated.
        inputs : Tensor or iterable of Tensor, optional
            Leaves: no others get a gradient then.

        Raises
        ------
        GraphError
            If the tensor requires no grad, if an input is no leaf that does, if the graph was released by an earlier
            call, or if a leaf was changed in place since. Every `grad` is then as it was before.
        ShapeError, DtypeError
            If there is no seed for a tensor of several elements, or one that does not fit.

        Examples
        --------
        >>> from autograd import Tensor
        >>> x = Tensor(3.0, requires_grad=True)
        >>> (x * x).backward()
        >>> x.grad
        np.float64(6.0)
        """
        if self.node is None:
            raise GraphError(
                f"backward() of {describe(self)}, which does not require grad: "
                "nothing that it was computed from has requires_grad=True, or it was computed under no_grad()"
            )
        if modes.tracer() is not None:
            raise CompileError(
                "backward() fills the grad of tensors, which a compiled function cannot do; "
                "use value_and_grad in it, and let it return the gradients"
            )
        if isinstance(self.node.kept, Released):
            self.node.kept[0]
        ends = None if inputs is None else [target(t) for t in ([inputs] if isinstance(inputs, Tensor) else inputs)]
        if ends is not None and not ends:
            raise GraphError("backward(inputs=[]) has no leaf to fill; give it leaves, or no inputs to fill all")
        watch = modes.current().watch
        retain = create_graph if retain_graph is None else retain_graph
        start = seed_for(self, gradient if create_graph else plain(gradient))
        arrived = pullback(
            {self.node: start},
            ends,
            observer=None if watch is None else watch.stepped,
            recorder=self.recorder if create_graph else None,
            released=None if retain else Released(sys._getframe(1)),
        )
        if create_graph:
            arrived = {node: g if isinstance(g, Tensor) else made(np.copy(g)[()], None) for node, g in arrived.items()}
        accumulate(arrived, start)

    def graph(self) -> Outline:
        """Return the record of this tensor, to print: operations, values, local derivatives, gradients.

        Examples
        --------
        >>> from autograd import Tensor
        >>> x, y = Tensor(-2.0, requires_grad=True, name="x"), Tensor(5.0, requires_grad=True, name="y")
        >>> z = Tensor(-4.0, requires_grad=True, name="z")
        >>> print(((x + y) * z).graph())
        multiply  -12  grad 1
        ├─ ∂ -4 · add  3  grad -4
        │  ├─ ∂ 1 · x  -2  grad -4
        │  └─ ∂ 1 · y  5  grad -4
        └─ ∂ 3 · z  -4  grad 3
        """
        return Outline(self.node or make_leaf(self._array, self.name))

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `grad` when `backward` passes."""
        self._watched("retain_grad()").retains = True

    def register_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """Call `hook` with the gradient of this tensor as it arrives in `backward`.

        Parameters
        ----------
        hook : callable
            Is given the gradient; may return another of the same shape to take its place, or None. It must not write to
            what it is given.

        Returns
        -------
        Handle
            Its ``remove()`` removes the hook.
        """
        hooks = self._watched("register_hook()").hooks
        key = next_number()
        hooks[key] = hook
        return Handle(hooks, key)

    def _watched(self, caller: str) -> Watched:
        if self.node is None:
            raise GraphError(f"{caller} on {describe(self)}, which does not require grad; set requires_grad first")
        if not isinstance(self.node.op, Watched):
            self.node.op = Watched(self.node.op)
        return self.node.op

    # Change in place

    def _replace(self, value: Array) -> None:
        """Take a new value for this tensor, whose old graph, if it is a leaf, is stale from now on."""
        old = self.node
        self._array = value
        if old is None:
            return
        if old.args:
            self.node = None
            return
        node = self.node = make_node(old.op, (), (), old.spec)
        node.about = old.about
        node.about["value"] = value
        old.op = CHANGED

    def _assign(self, function: Any, write: Callable[..., None], *args: Any) -> Tensor:
        """Make this tensor the result of ``function(self, *args)``.

        Values are never overwritten, with one exception: a leaf that requires grad is updated under `no_grad` in its
        own memory, by `write`, and stays the same leaf. That is what an optimizer does.
        """
        recording, tracer = modes.current().recording, modes.tracer()
        if tracer is not None and tracer.is_outer(self._array):
            raise CompileError(
                f"{describe(self)} was there before, and a compiled function cannot assign into it; "
                "let the function return the new value, and assign it outside"
            )
        if self.node is not None and not self.node.args:
            if recording:
                raise GraphError(
                    f"{describe(self)} is a leaf that requires grad and cannot be assigned into while operations are "
                    "recorded; do it under no_grad(), or assign into a copy"
                )
            if isinstance(self._array, np.ndarray):
                try:
                    write(self._array, *[plain(arg) for arg in args])
                except EXPECTED as error:
                    raise explain(TABLE[function], (self, *args), error) from error
                self._replace(self._array)
                return self
        result = self.apply[function](self, *args)
        if not isinstance(result, Tensor) or result._array.shape != self._array.shape:
            raise ShapeError(
                f"assigning a result of shape {np.shape(result)} in place into {describe(self)}; "
                "the shapes must be equal: write t = t + v for a new tensor"
            )
        if result._array.dtype != self._array.dtype:
            if not np.can_cast(result._array.dtype, self._array.dtype, "same_kind"):
                raise DtypeError(
                    f"assigning a result of dtype {result._array.dtype} in place into {describe(self)}; "
                    "write t = t + v for a new tensor"
                )
            result = result.astype(self._array.dtype)
        if self.node is not None and not self.node.args:
            self._replace(result._array)
        else:
            self._array, self.node = result._array, result.node
        return self

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise NotDifferentiableError(
                f"np.{ufunc.__name__} with out=: writing a Tensor's result into an array would lose the graph; "
                "write a = a + t instead of a += t, or use t.detach().numpy()"
            )
        kwargs = {name: value for name, value in kwargs.items() if value is not None or name == "axis"}
        if method == "__call__":
            if kwargs.get("where", False) is True:
                del kwargs["where"]
            if kwargs and (ufunc.signature is None or "axis" not in kwargs):  # np.vecdot has an axis
                raise NotDifferentiableError(
                    f"np.{ufunc.__name__} of a Tensor takes no {' or '.join(kwargs)}=; "
                    "use np.where(condition, …) and astype(dtype) on its result"
                )
            return self.apply[ufunc](*inputs, **kwargs)
        return self.apply[ufunc, method](*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return self.apply[function](*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.node is not None:
            raise NotDifferentiableError(
                f"converting {describe(self)}, which requires grad, to an array would lose the graph; "
                "use np.stack([…]) to join tensors, or t.detach().numpy() for the value"
            )
        return np.array(self._value(), dtype=dtype, copy=copy)

    def __reduce_ex__(self, protocol: Any) -> Any:
        leaf = self.node is not None and not self.node.args
        return restored, (self._value(), leaf, self.grad if leaf else None, self.name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        function, (data, leaf, grad, name) = self.__reduce_ex__(4)
        twin: Tensor = function(copy.deepcopy(data), leaf, copy.deepcopy(grad, memo), name)
        return twin

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self._array), separator=", ", prefix="Tensor(")
        if self._array.dtype not in (np.float64, np.int64, np.bool_):
            text += f", dtype={self._array.dtype}"
        if self.node is not None and self.node.args:
            text += f", op={self.node.op.name}"
        elif self.node is not None:
            text += ", requires_grad=True"
        return f"Tensor({text}{f', name={self.name!r}' if self.name else ''})"


def restored(data: Array, requires_grad: bool, grad: Any, name: str | None) -> Tensor:
    """A leaf with these contents; what pickling and copying a tensor come down to."""
    tensor = Tensor(data, requires_grad, name=name)
    if grad is not None:
        tensor.grad = grad
    return tensor


def made(value: Array, node: Node | None) -> Tensor:
    """A tensor of this value, made by this node."""
    tensor = Tensor.__new__(Tensor)
    tensor._array, tensor.node = value, node
    return tensor


def variable(value: Array) -> Tensor:
    """A leaf that requires grad and shares the memory of `value`."""
    return made(value, make_leaf(value))


def target(tensor: Tensor) -> Node:
    """The node of a leaf that is to get a gradient."""
    if not isinstance(tensor, Tensor) or tensor.node is None or tensor.node.args:
        raise GraphError(
            f"backward(inputs=[…]) with {describe(tensor)}, which is no leaf that requires grad; "
            "give it leaves, or call retain_grad() of what was computed"
        )
    return tensor.node


def seed_for(tensor: Tensor, seed: Any) -> Array:
    """The seed of a reverse walk from a tensor, in the tensor's shape."""
    spec = spec_of(tensor._array)
    if seed is None:
        if tensor._array.size != 1:
            raise ShapeError(
                f"backward() of {describe(tensor)} needs a seed of shape {spec.shape}, since it is not a scalar; "
                "call .sum().backward(), or backward(seed)"
            )
        return np.ones(spec.shape, accumulated(spec.dtype)) if spec.shape else accumulated(spec.dtype).type(1)
    given = seed._array if isinstance(seed, Tensor) else seed
    if not isinstance(given, np.ndarray | np.generic):
        given = np.asarray(given, dtype=spec.dtype)
    if given.shape != spec.shape or given.dtype != spec.dtype:
        kind = ShapeError if given.shape != spec.shape else DtypeError
        raise kind(
            f"a seed of shape {given.shape} and dtype {given.dtype} does not fit {describe(tensor)}; "
            f"it must have shape {spec.shape} and dtype {spec.dtype}"
        )
    return cast(seed if isinstance(seed, Tensor) else given, spec)


def plain(value: Any) -> Any:
    """Tensors, also within tuples, lists and dicts, replaced by their values."""
    if type(value) is np.ndarray:
        return value
    if isinstance(value, Tensor):
        return value._array
    if isinstance(value, tuple | list):
        return like(value, map(plain, value))
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def like(value: Any, parts: Iterable[Any]) -> Any:
    """A list, tuple or named tuple of the same type as `value`, of other parts."""
    return getattr(type(value), "_make", type(value))(parts)
