"""Embedding: a table with a row of learned numbers for each symbol."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import DtypeError, OutOfRangeError, ShapeError, Tensor, describe, flat
from nn.module import Module, Parameter, are_below, as_array

Array = Any


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of a table, one for each index: what one-hot vectors times the table would be, without the zeros.

    Parameters
    ----------
    input : array_like of int
        Indices of rows, in any shape. Where one comes again, the gradients of its rows add up.
    weight : array_like, shape (num_embeddings, embedding_dim)
        The table.
    padding_idx : int, optional
        The index that stands for no symbol: its row gets no gradient. From the end, if it is negative.

    Returns
    -------
    Tensor or array, shape (*input.shape, embedding_dim)
        The rows.

    Raises
    ------
    OutOfRangeError
        For an index that is no row of the table; negative ones are not.
    DtypeError
        For indices that are no integers.
    ShapeError
        For a table that is no matrix.

    Examples
    --------
    >>> from nn.functional import embedding
    >>> embedding([2, 0], [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    array([[4., 5.],
           [0., 1.]])
    """
    if len(np.shape(weight)) != 2:
        raise ShapeError(
            f"embedding: the table must have shape (num_embeddings, embedding_dim), got {describe(weight)}"
        )
    indices = checked(as_array(input), len(weight))
    rows = np.take(weight, indices, axis=0)
    if padding_idx is None or not isinstance(rows, Tensor):
        return rows
    symbols = indices != row_of_padding(padding_idx, len(weight))
    return np.where(symbols[..., np.newaxis], rows, rows.detach())


@flat
def checked(indices: Array, size: int) -> Array:
    """Indices, if they are rows of a table of this size."""
    if indices.dtype.kind not in "iu" and indices.size:
        raise DtypeError(f"embedding: indices must be integers, got {describe(indices)}; use indices.astype(int)")
    if indices.size and not are_below(size, indices):
        place = tuple(map(int, np.argwhere((indices < 0) | (indices >= size))[0]))
        raise OutOfRangeError(
            f"embedding: index {indices[place]} at {place} of indices of shape {indices.shape} is not in a table of "
            f"{size} rows; indices run from 0 to {size - 1}"
        )
    return indices.astype(np.intp)  # a copy: the caller's may change before backward


def row_of_padding(padding_idx: int | None, size: int) -> int | None:
    """The index of the padding's row, counted from the start, if there is one."""
    if padding_idx is None:
        return None
    if not -size <= padding_idx < size:
        raise OutOfRangeError(f"padding_idx={padding_idx} is not in a table of {size} rows")
    return padding_idx % size


class Embedding(Module):
    """A table with a row for each symbol, drawn from N(0, 1); see `nn.functional.embedding`.

    Parameters
    ----------
    num_embeddings : int
        The number of symbols.
    embedding_dim : int
        The length of the rows.
    padding_idx : int, optional
        The index that stands for no symbol: its row is 0 and gets no gradient. From the end, if it is negative.
    dtype : dtype
        Of the table.
    rng : numpy.random.Generator, optional
        Where the first values come from.

    Attributes
    ----------
    weight : Tensor, shape (num_embeddings, embedding_dim)
        The table.

    Raises
    ------
    OutOfRangeError
        If the padding is no row of the table.

    Examples
    --------
    >>> import nn
    >>> layer = nn.Embedding(10, 3, padding_idx=0)
    >>> layer([[1, 2, 0, 0]]).shape
    (1, 4, 3)
    >>> layer([0]).data
    array([[0., 0., 0.]], dtype=float32)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = row_of_padding(padding_idx, num_embeddings)
        self.weight = Parameter(np.zeros((num_embeddings, embedding_dim), dtype))
        self.reset_parameters(rng=rng)

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """Return an embedding with rows that were learned elsewhere.

        Parameters
        ----------
        embeddings : array_like, shape (num_embeddings, embedding_dim)
            The table, of a floating dtype; it is copied, the row of the padding as it is.
        freeze : bool
            Whether the rows stay as they are.
        padding_idx : int, optional
            The index that stands for no symbol.

        Raises
        ------
        ShapeError
            For a table that is no matrix.

        Examples
        --------
        >>> import nn
        >>> layer = nn.Embedding.from_pretrained([[0.0, 1.0], [2.0, 3.0]])
        >>> layer, layer([1])
        (Embedding(2, 2), Tensor([[2., 3.]]))
        """
        shape = np.shape(embeddings)
        if len(shape) != 2:
            raise ShapeError(
                "Embedding.from_pretrained takes a table of shape (num_embeddings, embedding_dim), "
                f"got {describe(embeddings)}"
            )
        layer = cls(0, shape[1])  # nothing is drawn for rows that are known
        layer.num_embeddings, layer.padding_idx = shape[0], row_of_padding(padding_idx, shape[0])
        layer.weight = Parameter(embeddings)
        layer.requires_grad_(not freeze)
        return layer

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw first values anew."""
        table = np.random.default_rng(rng).standard_normal(self.weight.shape)
        if self.padding_idx is not None:
            table[self.padding_idx] = 0
        self.weight.data = table

    def forward(self, input: Any) -> Any:
        """Return the rows, of shape (*input.shape, embedding_dim)."""
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
