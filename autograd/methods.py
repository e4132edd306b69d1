"""The operators and methods that a NumPy user reaches for: each stands for a row of the table."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from opcode import opmap
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import modes
from autograd.errors import CompileError, DtypeError, NotDifferentiableError
from autograd.messages import describe, no_attribute, unknown
from autograd.rules import activations, indexing, shapes

STORE_SUBSCR = opmap["STORE_SUBSCR"]
"""What Python does in ``a[i] = t``, where NumPy asks for ``float(t)`` as anybody may."""


class Via:
    """A method that applies a row. The function that does it is made when the method is first looked up.

    Parameters
    ----------
    function : callable
        The function whose row it is.
    reflected : bool
        Whether the operands come in the opposite order, as in ``__radd__``.
    """

    def __init__(self, function: Callable[..., Any], reflected: bool = False) -> None:
        self.function = function
        self.reflected = reflected

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        apply = owner.apply[self.function]
        if self.reflected:
            straight = apply

            def apply(self: Any, other: Any) -> Any:
                return straight(other, self)

        setattr(owner, self.name, apply)
        return apply if instance is None else apply.__get__(instance)


def assigned(ufunc: np.ufunc) -> Any:
    """Return an in-place operator: the tensor becomes the result. Of a number there is a new tensor, as in NumPy."""

    def write(data: Any, other: Any) -> None:
        ufunc(data, other, out=data)

    def assign(self: Any, other: Any) -> Any:
        if isinstance(self._array, np.generic) and (self.node is None or self.node.args):
            return self.apply[ufunc](self, other)
        return self._assign(ufunc, write, other)

    return assign


def compared(ufunc: np.ufunc) -> Any:
    """Return an operator that leaves the answer to words, and to an operand that declines ufuncs, as in NumPy."""

    def compare(self: Any, other: Any) -> Any:
        if isinstance(other, str | bytes) or getattr(other, "__array_ufunc__", ufunc) is None:
            return NotImplemented
        return self.apply[ufunc](self, other)

    return compare


def flattening(function: Callable[..., Any]) -> Any:
    """A method that takes lengths or axes either one by one or as one tuple."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        whole = args[0] if len(args) == 1 and not isinstance(args[0], int | np.integer) else args
        return self.apply[function](self, *([whole] if args else []), **kwargs)

    method.__name__, method.__doc__ = function.__name__, function.__doc__
    return method


class NumPyMethods:
    """NumPy's operators and array methods, and the activations by their short names."""

    __slots__ = ()

    apply: Any
    _assign: Any
    _array: Any
    node: Any

    # Operators

    __add__, __radd__, __iadd__ = Via(np.add), Via(np.add, reflected=True), assigned(np.add)
    __sub__, __rsub__, __isub__ = Via(np.subtract), Via(np.subtract, reflected=True), assigned(np.subtract)
    __mul__, __rmul__, __imul__ = Via(np.multiply), Via(np.multiply, reflected=True), assigned(np.multiply)
    __truediv__, __rtruediv__, __itruediv__ = Via(np.divide), Via(np.divide, reflected=True), assigned(np.divide)
    __floordiv__, __rfloordiv__ = Via(np.floor_divide), Via(np.floor_divide, reflected=True)
    __ifloordiv__ = assigned(np.floor_divide)
    __mod__, __rmod__, __imod__ = Via(np.remainder), Via(np.remainder, reflected=True), assigned(np.remainder)
    __divmod__, __rdivmod__ = Via(np.divmod), Via(np.divmod, reflected=True)
    __pow__, __rpow__, __ipow__ = Via(np.power), Via(np.power, reflected=True), assigned(np.power)
    __matmul__, __rmatmul__, __imatmul__ = Via(np.matmul), Via(np.matmul, reflected=True), assigned(np.matmul)
    __neg__, __pos__, __abs__, __invert__ = Via(np.negative), Via(np.positive), Via(np.absolute), Via(np.invert)
    __and__, __rand__ = Via(np.bitwise_and), Via(np.bitwise_and, reflected=True)
    __or__, __ror__ = Via(np.bitwise_or), Via(np.bitwise_or, reflected=True)
    __xor__, __rxor__ = Via(np.bitwise_xor), Via(np.bitwise_xor, reflected=True)
    __lshift__, __rlshift__ = Via(np.left_shift), Via(np.left_shift, reflected=True)
    __rshift__, __rrshift__ = Via(np.right_shift), Via(np.right_shift, reflected=True)
    __iand__, __ior__, __ixor__ = assigned(np.bitwise_and), assigned(np.bitwise_or), assigned(np.bitwise_xor)
    __ilshift__, __irshift__ = assigned(np.left_shift), assigned(np.right_shift)

    __eq__, __ne__ = compared(np.equal), compared(np.not_equal)
    __lt__, __le__, __gt__, __ge__ = Via(np.less), Via(np.less_equal), Via(np.greater), Via(np.greater_equal)
    __hash__ = object.__hash__

    # Indexing

    __getitem__ = Via(indexing.index)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._assign(indexing.index_set, operator.setitem, key, value)

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor; use t.item() for its value")
        return (self[i] for i in range(len(self._array)))

    def __contains__(self, value: Any) -> bool:
        return bool((self._value() == getattr(value, "_array", value)).any())

    # What Python looks at

    def _value(self) -> Any:
        """The value, for other uses than computing with it; while a function is compiled it is not known."""
        tracer = modes.tracer()
        if tracer is not None and tracer.knows(self._array):
            raise CompileError(unknown(describe(self)))
        return self._array

    def known_true(self) -> bool:
        """Whether no element is 0 or False; False also where that is not known, while a function is compiled."""
        tracer = modes.tracer()
        return not (tracer is not None and tracer.knows(self._array)) and bool(self._array.all())

    def item(self, *index: Any) -> Any:
        """The value as a Python number."""
        return self._value().item(*index)

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers."""
        return self._value().tolist()

    def _number(self) -> Any:
        if self._array.size != 1:
            raise DtypeError(
                f"{describe(self)} is not a number; only a tensor of one element is: index or reduce it, as in t.sum()"
            )
        return self._value().item()

    def __float__(self) -> float:
        if self.node is not None and modes.current().recording:
            caller = sys._getframe(1)
            if caller.f_code.co_code[caller.f_lasti] == STORE_SUBSCR:
                raise NotDifferentiableError(
                    f"assigning {describe(self)}, which requires grad, to an element of an array would lose the graph; "
                    "make the array a Tensor before, as in a = Tensor(a), join tensors with np.stack([…]), or assign "
                    "float(t) for the value"
                )
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    __trunc__ = __int__

    def __bool__(self) -> bool:
        return bool(self._value())

    def __index__(self) -> int:
        if self._array.ndim or self._array.dtype.kind not in "iu":
            raise DtypeError(
                f"{describe(self)} is not an index; only a 0-d tensor of integers is, such as t.astype(int)"
            )
        return int(self._value())

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.item(), ndigits)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        value = self._value()
        return format(value if value.ndim else value[()], spec)

    # Shape and dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        shape: tuple[int, ...] = self._array.shape
        return shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self._array.ndim)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(self._array.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        dtype: np.dtype[Any] = self._array.dtype
        return dtype

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return int(self._array.nbytes)

    @property
    def itemsize(self) -> int:
        """Bytes that one element takes."""
        return int(self._array.itemsize)

    @property
    def flags(self) -> Any:
        """How memory holds the value."""
        return self._array.flags

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes to step along each axis in memory."""
        strides: tuple[int, ...] = self._array.strides
        return strides

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """The tensor with its axes reversed."""
        return self.apply[np.transpose](self)

    @property
    def mT(self) -> Any:  # noqa: N802 - NumPy's name
        """The tensor with its last two axes exchanged."""
        return self.apply[np.matrix_transpose](self)

    @property
    def flat(self) -> Iterator[Any]:
        """The elements one by one, in C order."""
        return iter(self.ravel())

    @property
    def real(self) -> Any:
        """The tensor itself: its elements are real."""
        return self

    @property
    def imag(self) -> Any:
        """Zeros: the elements are real."""
        return self.apply[np.imag](self)

    # The methods of ndarray

    sum, prod, mean, var, std = Via(np.sum), Via(np.prod), Via(np.mean), Via(np.var), Via(np.std)
    max, min, ptp = Via(np.max), Via(np.min), Via(np.ptp)
    cumsum, cumprod = Via(np.cumsum), Via(np.cumprod)
    all, any, argmax, argmin = Via(np.all), Via(np.any), Via(np.argmax), Via(np.argmin)
    argsort, argpartition, nonzero, searchsorted = (
        Via(np.argsort),
        Via(np.argpartition),
        Via(np.nonzero),
        Via(np.searchsorted),
    )
    clip, round, dot, trace, diagonal = Via(np.clip), Via(np.round), Via(np.dot), Via(np.trace), Via(np.diagonal)
    ravel, flatten, squeeze, swapaxes = Via(np.ravel), Via(shapes.flatten), Via(np.squeeze), Via(np.swapaxes)
    repeat, take, compress, choose = Via(np.repeat), Via(np.take), Via(indexing.compress), Via(np.choose)
    astype, copy = Via(shapes.astype), Via(np.copy)
    conj, conjugate = Via(np.conjugate), Via(np.conjugate)
    reshape, transpose, permute = flattening(np.reshape), flattening(np.transpose), flattening(np.transpose)

    if not TYPE_CHECKING:  # who checks types would take it for the promise of any attribute

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(no_attribute(name), name=name, obj=self)

    def sort(self, *args: Any, **kwargs: Any) -> Any:
        """ndarray.sort sorts in place, which a tensor does not."""
        raise NotDifferentiableError("Tensor.sort() would sort in place; use np.sort(t), which gives a new tensor")

    # Functions that read well as methods, as in PyTorch and micrograd

    exp, log, sqrt, square, abs = Via(np.exp), Via(np.log), Via(np.sqrt), Via(np.square), Via(np.absolute)
    sin, cos, tan, tanh, sinh, cosh = (
        Via(np.sin),
        Via(np.cos),
        Via(np.tan),
        Via(np.tanh),
        Via(np.sinh),
        Via(np.cosh),
    )
    matmul, pow, maximum, minimum = Via(np.matmul), Via(np.power), Via(np.maximum), Via(np.minimum)
    unsqueeze, expand_dims = Via(np.expand_dims), Via(np.expand_dims)
    sigmoid, relu = Via(activations.sigmoid), Via(activations.relu)
    softmax, log_softmax = Via(activations.softmax), Via(activations.log_softmax)
