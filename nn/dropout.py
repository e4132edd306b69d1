"""Dropout: some activations are left out at random, so that none relies on another."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from autograd import flat
from nn.module import Module, shape_of

Array = Any


def dropout(
    input: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    rng: np.random.Generator | None = None,
) -> Any:
    """Set elements to 0 with probability p, and divide the others by 1 - p (inverted dropout).

    The expected output is the input, so nothing needs to be scaled at test time. The notes (BLG561E) call p the
    probability to keep, and so divide by p; here, as in PyTorch, it is the probability to drop. Classic dropout
    (Srivastava et al., 2014) leaves out without dividing, and multiplies by 1 - p at test time.

    Parameters
    ----------
    input : array or Tensor
        Activations, of any shape and a floating dtype.
    p : float
        Probability that an element is left out, from 0 to 1.
    training : bool
        False gives the input itself.
    inplace : bool
        Without effect, as in `nn.activations`.
    rng : numpy.random.Generator, optional
        Where the mask comes from.

    Returns
    -------
    Tensor or array
        Of the shape and dtype of the input.

    Raises
    ------
    ValueError
        If p is no probability.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import dropout
    >>> dropout(np.ones(8), 0.5, rng=np.random.default_rng(0))
    array([0., 2., 0., 2., 2., 2., 2., 2.])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout(p={p!r}): the probability to drop an element must be between 0 and 1")
    if not training or p == 0:
        return input
    return input * mask(input, p, np.random.default_rng(rng))


@flat
def mask(input: Array, p: float, rng: np.random.Generator, *, out: Array | None = None) -> Array:
    """Return an array like the input of 0, with probability p, and 1 / (1 - p).

    One random byte decides for an element, which takes a sixth of the time of a random float: it is dropped if the byte
    is below 256 p. Where the byte equals the integral part of 256 p, a float decides, so that p is exact. If p is a
    half a bit is enough.
    """
    dtype = getattr(input, "dtype", np.dtype(float))
    drawn = np.empty(shape_of(input), dtype if dtype.kind == "f" else float) if out is None else out
    size, row = drawn.size, drawn.reshape(-1)
    draws = words(rng, -(-size // (64 if p == 0.5 else 8))).view(np.uint8)
    if p == 0.5:
        many, rest = divmod(size, 8)
        np.take(eights(drawn.dtype), draws[:many], axis=0, out=row[: size - rest].reshape(-1, 8), mode="clip")
        if rest:
            row[-rest:] = eights(drawn.dtype)[draws[many], :rest]
        return drawn
    draws = draws[:size]
    sure = int(256 * p)
    keep = draws >= sure
    if sure != 256 * p:
        undecided = np.flatnonzero(draws == sure)
        keep[undecided] = rng.random(undecided.size) >= 256 * p - sure
    row[...] = keep
    drawn *= 1 / (1 - p) if p < 1 else 0
    return drawn


def words(rng: np.random.Generator, count: int) -> Array:
    """Random words of 64 bits. `Generator.integers` gives the same, and takes twice the time of what it is made of."""
    source = rng.bit_generator
    if isinstance(source, np.random.PCG64 | np.random.PCG64DXSM | np.random.Philox | np.random.SFC64):
        return source.random_raw(count)
    return rng.integers(0, 2**64 - 1, count, dtype=np.uint64, endpoint=True)


@cache
def eights(dtype: np.dtype[Any]) -> Array:
    """For each byte its bits, as a row of 0 and 2."""
    return 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(dtype)


class Dropout(Module):
    """Leave elements out at random while training; see `nn.functional.dropout`.

    Parameters
    ----------
    p : float
        Probability that an element is left out (the notes' p is the probability to keep one).
    inplace : bool
        Without effect, as in `nn.activations`.
    rng : numpy.random.Generator, optional
        Where the masks come from.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer(np.ones(4))
    array([0., 2., 0., 2.])
    >>> layer.eval()(np.ones(4))
    array([1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: np.random.Generator | None = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout(p={p!r}): the probability to drop an element must be between 0 and 1")
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, input: Any) -> Any:
        """Return the input with elements left out; the input itself in evaluation."""
        return dropout(input, self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        return f"p={self.p}"
