"""Choosing between values by a condition, and applying functions to parts of an array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd.dispatch import dispatched
from autograd.errors import DtypeError, ShapeError
from autograd.rules.indexing import as_array, index, index_set
from autograd.table import absent, composite, linear


@dispatched
def where(condition: Any, x: Any, y: Any) -> Any:
    """`numpy.where` with its three arguments."""
    return np.where(condition, x, y)


linear(
    where,
    x=lambda g, condition: np.where(condition, g, 0),
    y=lambda g, condition: np.where(condition, 0, g),
    flat=("condition",),
)


@composite(np.where)
def where_or_nonzero(condition: Any, *branches: Any) -> Any:
    """Elements of the first branch where the condition holds, else of the second; or the indices where it holds."""
    return where(condition, *branches) if branches else np.nonzero(condition)


@composite(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """From each place of several choices, the first whose condition holds there."""
    if len(condlist) != len(choicelist) or len(condlist) == 0:
        raise ShapeError(
            f"select: {len(condlist)} conditions and {len(choicelist)} choices; give one condition for each choice"
        )
    for condition in condlist:
        dtype = as_array(condition).dtype
        if dtype.kind != "b":
            raise DtypeError(f"select: a condition must be a boolean array, not one of dtype {dtype}; compare it first")
    default, *choicelist = (
        np.asarray(choice) if isinstance(choice, list | tuple) else choice for choice in (default, *choicelist)
    )
    result = default if hasattr(default, "dtype") else np.asarray(default, np.result_type(default, *choicelist))
    for position in reversed(range(len(condlist))):
        result = np.where(condlist[position], choicelist[position], result)
    return result


@composite(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """From each place of several choices, the one whose number `a` gives there."""
    absent("choose", out)
    number, last = np.asarray(a), len(choices) - 1
    if mode == "raise" and (np.any(number < 0) or np.any(number > last)):
        wrong = number[(number < 0) | (number > last)][0]
        raise ShapeError(
            f"choose: there is no choice {wrong}; the {last + 1} choices have the numbers 0 to {last}, "
            "and mode='wrap' or 'clip' brings others into that range"
        )
    number = number % (last + 1) if mode == "wrap" else np.clip(number, 0, last)
    return np.select([number == choice for choice in range(last + 1)], choices)


@composite(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """On each part of `x` where a condition holds, the function, or the constant, for that condition."""
    if np.ndim(condlist) == 0 or (not isinstance(condlist[0], list | tuple) and np.ndim(condlist[0]) == 0 < np.ndim(x)):
        condlist = [condlist]
    conditions = [np.asarray(condition, bool) for condition in condlist]
    if len(conditions) == len(funclist) - 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(conditions) != len(funclist):
        raise ShapeError(
            f"piecewise: {len(conditions)} conditions and {len(funclist)} functions; give one function for each "
            "condition, and possibly one more for where none holds"
        )
    x = as_array(x)
    result = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if not callable(function):
            result = index_set(result, condition, function)
        elif condition.any():
            result = index_set(result, condition, function(index(x, condition), *args, **kw))
    return result


@composite(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """What a function makes of each one-dimensional slice along an axis, in place of that axis."""
    shape, arr = np.shape(arr), np.moveaxis(arr, axis, -1)
    places = list(np.ndindex(arr.shape[:-1]))
    if not places:
        raise ShapeError(
            f"apply_along_axis: an array of shape {shape} has no slices along axis {axis}; "
            "give one whose other axes are not empty"
        )
    results = np.stack([func1d(arr[place], *args, **kwargs) for place in places])
    made = results.ndim - 1
    results = results.reshape(arr.shape[:-1] + results.shape[1:])
    axis = axis % arr.ndim
    return np.moveaxis(results, range(arr.ndim - 1, arr.ndim - 1 + made), range(axis, axis + made))


@composite(np.apply_over_axes)
def apply_over_axes(func: Callable[[Any, int], Any], a: Any, axes: Any) -> Any:
    """A function of an array and an axis, applied over one axis after the other; the axes are kept."""
    for axis in np.atleast_1d(np.asarray(axes)).tolist():
        axis = normalize_axis_index(axis, a.ndim)
        result = func(a, axis)
        a = result if result.ndim == a.ndim else np.expand_dims(result, axis)
    return a
