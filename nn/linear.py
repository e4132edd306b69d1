"""The affine map, at the heart of every network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor, affine, describe
from nn.module import Module, Parameter, shape_of

Array = Any


def linear(input: Array, weight: Array, bias: Array = None) -> Array:
    """Affine map z = x Wᵀ + b of the last axis.

    The notes write z = W x + b for one example x as a column (lecture 3, dz/dW = x); here examples are rows.

    Parameters
    ----------
    input : array or Tensor, shape (..., in_features)
        The examples.
    weight : array or Tensor, shape (out_features, in_features)
        W.
    bias : array or Tensor, shape (out_features,), optional
        b.

    Returns
    -------
    Tensor or array, shape (..., out_features)
        z.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.functional import linear
    >>> linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([11.5])
    """
    return affine(input, weight, bias)


class Linear(Module):
    """Affine map z = x Wᵀ + b of the last axis, with weights and biases from U(-1/√in, 1/√in).

    Parameters
    ----------
    in_features, out_features : int
        Lengths of the last axis, before and after.
    bias : bool
        Whether there is a b. Before batch normalization it is redundant: what it adds, the mean takes away.
    dtype : dtype
        Of the parameters.
    rng : numpy.random.Generator, optional
        Where the first values come from.

    Attributes
    ----------
    weight : Tensor, shape (out_features, in_features)
        W.
    bias : Tensor, shape (out_features,), or None
        b.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    bias: Tensor | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_features, self.out_features = in_features, out_features
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = Parameter(rng.uniform(-bound, bound, (out_features, in_features)), dtype=dtype)
        self.register_parameter(
            "bias", Parameter(rng.uniform(-bound, bound, out_features), dtype=dtype) if bias else None
        )

    def forward(self, input: Any) -> Any:
        """Return z, of shape (..., out_features)."""
        if shape_of(input)[-1:] != (self.in_features,):
            raise ShapeError(
                f"{self!r} takes an input of shape (..., {self.in_features}), got {describe(input)}; "
                "its weight has shape "
                f"{self.weight.shape}"
            )
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
