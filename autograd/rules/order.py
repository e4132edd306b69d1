"""Order: sorting, whose derivative follows the permutation, and curves through sorted points."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.errors import ShapeError
from autograd.rules.indexing import index
from autograd.table import composite, general


def _sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, stable: Any = None) -> Any:
    return np.sort(a, axis, kind, order, stable=stable)


def _partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> Any:
    return np.partition(a, kth, axis, kind, order)


def permutation(source: Any, target: Any, axis: int | None) -> Any:
    """The indices with which `numpy.take_along_axis` brings `source` into the order of `target`."""
    rank = np.argsort(np.argsort(target, axis, stable=True), axis, stable=True)
    return np.take_along_axis(np.argsort(source, axis, stable=True), rank, axis)


def arranged(values: Any, source: Any, target: Any, axis: int | None) -> Any:
    """Values that belong to the elements of `source`, in the order of `target`."""
    return np.take_along_axis(values, permutation(source, target, axis), axis)


for function, forward in ((np.sort, _sort), (np.partition, _partition)):
    general(
        function,
        lambda g, a, out, axis, shape: arranged(g, out, a, axis).reshape(shape),
        jvps=(lambda t, a, out, axis: arranged(t, a, out, axis),),
        forward=forward,
    )


@composite(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The polygon through points, at x; at a corner the derivative is that of the piece to its right."""
    x, xp, fp = (np.multiply(values, np.float64(1)) for values in (x, xp, fp))  # float64, as NumPy's
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(
            f"interp: points of shape {xp.shape} and values of shape {fp.shape}; "
            "give one-dimensional arrays of the same length, which is not 0"
        )
    if period is not None:
        if period == 0:
            raise ShapeError("interp: the period is 0; give another number, or None for a function without period")
        period, left, right = np.abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = index(xp, order), index(fp, order)
        xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
        fp = np.concatenate((fp[-1:], fp, fp[:1]))
    left, right = fp[0] if left is None else left, fp[-1] if right is None else right
    start = np.searchsorted(xp[1:-1], x, "right")
    end = start + min(1, len(xp) - 1)
    (from_x, from_y), (to_x, to_y) = [(index(xp, at), index(fp, at)) for at in (start, end)]
    run = to_x - from_x
    vertical = run == 0
    slope = (to_y - from_y) / np.where(vertical, 1, run)
    inside = np.where(vertical, to_y, slope * (x - from_x) + from_y)
    return np.where(x < xp[0], left, np.where(x > xp[-1], right, inside))


@composite(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """A polynomial at x, the coefficient of the highest power first; by Horner's rule."""
    if not hasattr(p, "dtype"):
        p = list(p)
        p = np.stack(p) if p else np.zeros(0)
    y = np.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y
