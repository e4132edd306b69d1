"""Indexing, and its transpose, scattering."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.table import dispatched, linear


@dispatched
def index(x: Any, key: Any) -> Any:
    """``x[key]``, for every key that NumPy knows."""
    return x[key]


@dispatched
def scatter(values: Any, key: Any, shape: tuple[int, ...]) -> Any:
    """The transpose of `index`: zeros of a shape with `values` added at `key`; repeats add up."""
    out = np.zeros(shape, np.result_type(values))
    if is_basic(key):
        out[key] = values
    else:
        np.add.at(out, key, values)
    return out


def is_basic(key: Any) -> bool:
    """Whether a key selects no element twice, so that assigning is as good as adding."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        part is None or part is Ellipsis or isinstance(part, slice | int | np.integer) or np.asarray(part).dtype == bool
        for part in parts
    )


@dispatched
def index_set(x: Any, key: Any, value: Any) -> Any:
    """A copy of x with ``x[key] = value``."""
    out = np.array(x)
    out[key] = value
    return out


linear(index, lambda g, shape, key: scatter(g, key, shape))
linear(scatter, lambda g, key: index(g, key))
linear(index_set, lambda g, key: index_set(g, key, 0), value=lambda g, key: index(g, key))


def compress(a: Any, condition: Any, axis: int | None = None) -> Any:
    """`numpy.compress` with the array first, as in the method of ndarray."""
    return np.compress(condition, a, axis)
