"""What calls are in terms of NumPy's ufuncs, which can write their values into arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd.op import masked_product
from autograd.tracing import Call, Variable

EXTREMES = {np.max: np.maximum.reduce, np.min: np.minimum.reduce}
BY_KEYWORD = {np.maximum, np.minimum}
"""Ufuncs that no longer take `out` by position, and that are twice as fast with a row of numbers as with a number."""


class Reduction(NamedTuple):
    """The method of a ufunc, with all that it is given but for `out`."""

    method: Callable[..., Any]
    array: Any
    axis: Any
    dtype: Any
    keepdims: bool

    @property
    def adds(self) -> bool:
        """Whether it is a sum over all axes or over the first, which then are no longer there."""
        return (
            self.method == np.add.reduce and self.dtype is None and not self.keepdims and self.axis in (None, 0, (0,))
        )


def reduction(call: Call) -> Reduction | None:
    """The reduction that a call is, without what NumPy does around it."""
    function, args = call.row.function, call.args
    if function is np.sum and args[6] is True and is_zero(args[5]):
        return Reduction(np.add.reduce, args[0], args[1], args[2], args[4])
    if function in EXTREMES and args[5] is True and args[4] is None:
        return Reduction(EXTREMES[function], args[0], args[1], None, args[3])
    return None


def is_zero(value: Any) -> bool:
    """Whether an argument is the number 0."""
    return type(value) is not Variable and np.ndim(value) == 0 and value == 0


def is_ufunc(call: Call) -> bool:
    """Whether a call is one of a ufunc, or as of one, with operands and nothing else, and could write into an array."""
    function = call.row.function
    return function is masked_product or (
        isinstance(function, np.ufunc)
        and function is not np.power  # with `out` it does not look for exponents that are easy
        and function.nout == len(call.outputs) == 1
        and function.nin == len(call.args)
        and not call.kwargs
    )


def is_elementwise(call: Call) -> bool:
    """Whether it is one whose value has an element for each element of its operands."""
    return is_ufunc(call) and getattr(call.row.function, "signature", None) is None
