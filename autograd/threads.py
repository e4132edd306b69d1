"""Threads: blocks of a large array at the same time, as far as NumPy lets other threads run while it computes.

Python runs one thread at a time, and to take turns costs it about as much as NumPy takes for some ten thousand numbers.
So threads pay where each call of NumPy has more than that to do.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from contextvars import copy_context
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")
BLOCK = 65_536
"""How many numbers a block has: few enough for the caches of a core, enough for NumPy to be busy with them."""
FEWEST = 4 * BLOCK
"""How many numbers an array must have to be worked on in blocks."""
_threads: int | None = None
_helpers: ThreadPoolExecutor | None = None


def get_num_threads() -> int:
    """Return how many threads compute on large arrays at the same time.

    Returns
    -------
    int
        What was set with `set_num_threads`; before, the variable ``OMP_NUM_THREADS`` of the environment if it is a
        number, and otherwise as many as this process may use processors.

    Examples
    --------
    >>> from autograd import get_num_threads
    >>> get_num_threads() >= 1
    True
    """
    global _threads
    if _threads is None:
        wanted = os.environ.get("OMP_NUM_THREADS", "")
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _threads = max(1, int(wanted)) if wanted.isdecimal() else allowed
    return _threads


def set_num_threads(threads: int) -> None:
    """Let this many threads compute on large arrays at the same time. Those of NumPy's BLAS are not affected.

    Compiled programs and the cross-entropy of many classes use them. Results do not depend on their number.

    Parameters
    ----------
    threads : int
        From 1, which stands for none beside the one that calls.

    Raises
    ------
    ValueError
        If there would be no thread.

    Examples
    --------
    >>> from autograd import get_num_threads, set_num_threads
    >>> before = get_num_threads()
    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    >>> set_num_threads(before)
    """
    global _threads
    if not isinstance(threads, int) or threads < 1:
        raise ValueError(f"set_num_threads({threads!r}): give the number of threads, an int from 1")
    _threads = threads
    forget_helpers()


def spread(work: Callable[[Sequence[T]], Any], items: Sequence[T]) -> None:
    """Call a function with consecutive parts of a list, on several threads at the same time.

    Parameters
    ----------
    work : callable
        Takes some of the items. It sees the context variables of the caller, and NumPy's error state.
    items : sequence
        All of them.

    Raises
    ------
    Exception
        Whatever `work` raises, when all parts have come to an end.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd.threads import blocks, spread
    >>> x = np.linspace(0, 1, 1_000_000)
    >>> def sine(some):
    ...     for block in some:
    ...         np.sin(x[block], out=x[block])
    >>> spread(sine, blocks(x.shape))
    >>> print(f"{x[-1]:.6f}")
    0.841471
    """
    threads = min(get_num_threads(), len(items))
    if threads < 2:
        work(items)
        return
    ends = [len(items) * (number + 1) // threads for number in range(threads)]
    pool = helpers()
    others = [pool.submit(copy_context().run, work, items[start:end]) for start, end in pairwise(ends)]
    try:
        work(items[: ends[0]])
    finally:
        await_all(others)
    for other in others:
        other.result()


def await_all(others: Sequence[Future[Any]]) -> None:
    """Wait until all have come to an end, even after Ctrl-C: they write to memory that is used again."""
    try:
        for other in others:
            other.exception()
    except KeyboardInterrupt:
        await_all(others)
        raise


def blocks(shape: tuple[int, ...]) -> list[slice]:
    """The rows of each block of an array; one block if the array is small."""
    size, length = math.prod(shape), shape[0]
    rows = length if size < FEWEST else max(1, BLOCK * length // size)
    return [slice(start, min(start + rows, length)) for start in range(0, length, rows or 1)]


def helpers() -> ThreadPoolExecutor:
    """The threads beside the caller's."""
    global _helpers
    if _helpers is None:
        from concurrent.futures import ThreadPoolExecutor

        _helpers = ThreadPoolExecutor(get_num_threads() - 1, "autograd")
    return _helpers


def forget_helpers() -> None:
    """Let helpers be made anew: their number has changed, or they stayed behind in the process that this one left."""
    global _helpers
    _helpers = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_helpers)
