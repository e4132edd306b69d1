"""Functions of this package that answer tensors as NumPy's functions do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

PLAIN = {np.ndarray, float, int, bool, type(None), *np.sctypeDict.values()}
"""The kinds of operand with which NumPy and rules compute as they stand."""


def dispatched(forward: F) -> F:
    """A function of this package that answers tensors as NumPy's functions do, through ``__array_function__``.

    They may be in a tuple, as those of a key are. `forward` computes with arrays; it stays at hand as the attribute
    ``forward``.
    """

    @wraps(forward)
    def function(*args: Any, **kwargs: Any) -> Any:
        if PLAIN.issuperset(map(type, args)) and not kwargs:
            return forward(*args)
        given = [*args, *kwargs.values()]
        for argument in given:
            if type(argument) is tuple:
                given += argument
            answer = getattr(type(argument), "__array_function__", None)
            if answer is not None and answer is not np.ndarray.__array_function__:
                return answer(argument, function, (type(argument),), args, kwargs)
        return forward(*args, **kwargs)

    function.forward = forward  # type: ignore[attr-defined]
    return function  # type: ignore[return-value]
