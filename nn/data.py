"""Examples, as arrays: in batches, standardized, split into those to learn from and those to test on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor, describe
from nn.errors import DataError, StateError

Array = Any


class Batches:
    """Arrays in batches of examples, to be iterated over once per epoch.

    How many examples a step of gradient descent sees is its name in CS60010: with all of them it is *batch* (or
    deterministic) descent, with one it is *stochastic* (or online), with m of them, ``1 < m < N``, *minibatch* descent,
    the lecture's Algorithm 8.1: sample x⁽¹⁾ … x⁽ᵐ⁾ with their targets, ĝ = 1/m ∇ Σᵢ L(f(x⁽ⁱ⁾; θ), y⁽ⁱ⁾), θ := θ - ε ĝ.
    Here sampling is without replacement: each epoch shuffles the examples anew and meets each of them once.

    Parameters
    ----------
    *arrays : array_like
        Such as inputs and targets, with as many examples each. They must be finite.
    batch_size : int or None
        How many examples make a batch; None for all of them.
    shuffle : bool
        Whether each epoch has an order of its own. Without it, batches are read-only views.
    drop_last : bool
        Whether to leave out a last batch that is smaller than the others.
    axis : int
        Which axis counts the examples: 0 where they are rows, -1 where they are columns, as in CS230 lecture 3 and
        CS229 lecture 11.
    rng : numpy.random.Generator, optional
        Where the orders come from.

    Raises
    ------
    DataError
        If there are no examples, arrays have different numbers of them or hold what is no finite number, or the size
        of a batch is no positive integer.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Batches
    >>> batches = Batches(np.arange(5.0), np.arange(5) % 2, batch_size=2)
    >>> len(batches)
    3
    >>> for x, y in batches:
    ...     print(x, y)
    [0. 1.] [0 1]
    [2. 3.] [0 1]
    [4.] [0]
    >>> [x for x, in Batches(np.arange(5), batch_size=3, shuffle=True, rng=np.random.default_rng(0))]
    [array([2, 4, 3]), array([0, 1])]
    """

    def __init__(
        self,
        *arrays: Any,
        batch_size: int | None = 32,
        shuffle: bool = False,
        drop_last: bool = False,
        axis: int = 0,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.arrays = tuple(read_only(array) for array in checked("Batches", arrays, axis))
        self.examples: int = self.arrays[0].shape[axis]
        if batch_size is not None and not (isinstance(batch_size, Integral) and batch_size >= 1):
            raise DataError(
                "Batches: a batch has a whole number of examples, at least 1, or all with None; "
                f"got batch_size={batch_size!r}"
            )
        self.batch_size: int = self.examples if batch_size is None else int(batch_size)
        self.shuffle, self.drop_last, self.axis = shuffle, drop_last, axis
        self.rng = np.random.default_rng(rng)
        if shuffle:  # taking from an array in another layout would copy all of it, for each batch
            self.arrays = tuple(np.ascontiguousarray(array) for array in self.arrays)
        if drop_last and not len(self):
            raise DataError(
                f"Batches: {self.examples} examples are less than one batch of {self.batch_size}, and drop_last=True "
                "leaves them out; take smaller batches, or drop_last=False"
            )

    def __len__(self) -> int:
        """How many batches an epoch has."""
        whole, rest = divmod(self.examples, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        order = self.order()
        return (self.batch(index, order) for index in range(len(self)))

    def order(self) -> Array | None:
        """Draw the order of one epoch: indices of examples, or None where they are not shuffled."""
        return self.rng.permutation(self.examples) if self.shuffle else None

    def batch(self, index: int, order: Array | None) -> tuple[Array, ...]:
        """Return one batch of an epoch.

        Parameters
        ----------
        index : int
            Which one, from 0 to ``len(batches) - 1``.
        order : ndarray or None
            The order of the epoch, as `order` gives it.
        """
        chosen = slice(index * self.batch_size, (index + 1) * self.batch_size)
        if order is not None:
            return tuple(array.take(order[chosen], self.axis) for array in self.arrays)
        return tuple(array[(slice(None),) * (self.axis % array.ndim) + (chosen,)] for array in self.arrays)

    def astype(self, dtype: Any) -> Batches:
        """Return the same batches, from the same generator, with floating arrays in another dtype.

        Integers, which are labels or indices, stay as they are.
        """
        if all(array.dtype == dtype for array in self.arrays if array.dtype.kind == "f"):
            return self
        return Batches(
            *(cast(array, dtype) for array in self.arrays),
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            drop_last=self.drop_last,
            axis=self.axis,
            rng=self.rng,
        )

    def __repr__(self) -> str:
        arrays = ", ".join(describe(array) for array in self.arrays)
        return f"Batches({arrays}, batch_size={self.batch_size}, shuffle={self.shuffle}, drop_last={self.drop_last})"


class Standardizer:
    """Shift and scale features to mean 0 and standard deviation 1, with the numbers of the training data.

    x := (x - μ) / σ for each feature, with μ = 1/m Σ x⁽ⁱ⁾ and σ² = 1/(m - ddof) Σ (x⁽ⁱ⁾ - μ)². BLG561E takes
    σ² = 1/(m-1) Σ …, which is ``ddof=1``. The same μ and σ go to training and test data; CS229 lecture 11 says why:
    large inputs saturate the first layer. A feature that varies by no more than rounding is only shifted: one that is
    constant becomes 0.

    Parameters
    ----------
    ddof : int
        What the divisor of the variance lacks of the number of examples.

    Attributes
    ----------
    mean, std : ndarray of float64, shape (...)
        μ and σ, of the shape of one example; σ is 1 for constant features. None before `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import Standardizer
    >>> train, test = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[4.0, 6.0]])
    >>> standardizer = Standardizer()
    >>> standardizer.fit_transform(train)
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> standardizer.transform(test)
    array([[2., 1.]])
    >>> Standardizer(ddof=1).fit(train).std
    array([1.41421356, 1.        ])
    """

    mean: Array | None
    std: Array | None

    def __init__(self, *, ddof: int = 0) -> None:
        self.ddof = ddof
        self.mean = self.std = None

    def fit(self, x: Any) -> Standardizer:
        """Learn mean and standard deviation.

        Parameters
        ----------
        x : array_like, shape (examples, ...)
            The training data.

        Returns
        -------
        Standardizer
            Itself.

        Raises
        ------
        DataError
            If there are too few examples, or some are not finite.
        """
        (x,) = checked("Standardizer", [x])
        if len(x) <= self.ddof:
            raise DataError(
                f"Standardizer: ddof={self.ddof} needs at least {self.ddof + 1} examples, got {describe(x)}; "
                "give it more of them, or take ddof=0"
            )
        x = np.asarray(x, np.float64)
        lowest, highest = np.min(x, axis=0), np.max(x, axis=0)
        exponent = np.frexp(np.maximum(-lowest, highest))[1]
        scaled = np.ldexp(x, -exponent)  # to at most 1: no sum or square overflows, and none that counts vanishes
        mean = np.ldexp(np.mean(scaled, axis=0), exponent)
        std = np.ldexp(np.std(scaled, axis=0, ddof=self.ddof), exponent)
        self.mean = np.clip(mean, lowest, highest)  # where all are equal, it is what they are
        self.std = np.where(std > len(x) * np.finfo(float).eps * np.abs(mean), std, 1.0)
        return self

    def transform(self, x: Any) -> Array:
        """Return x standardized, in its own dtype if that is a floating one.

        Parameters
        ----------
        x : array_like, shape (examples, ...)
            Training or test data, with the features of `fit`.

        Raises
        ------
        StateError
            Before `fit`.
        ShapeError
            If the features are others.
        """
        x, mean, std = self._ready("transform", x)
        return ((x - mean) / std).astype(floating(x.dtype), copy=False)

    def fit_transform(self, x: Any) -> Array:
        """Learn from x, and return it standardized."""
        return self.fit(x).transform(x)

    def inverse_transform(self, z: Any) -> Array:
        """Return what `transform` would make z of: z σ + μ.

        Parameters
        ----------
        z : array_like, shape (examples, ...)
            Standardized data.
        """
        z, mean, std = self._ready("inverse_transform", z)
        return (z * std + mean).astype(floating(z.dtype), copy=False)

    def _ready(self, method: str, x: Any) -> tuple[Array, Array, Array]:
        """Return x as an array that fits, mean, and standard deviation."""
        if self.mean is None or self.std is None:
            raise StateError(f"Standardizer.{method}: there is no mean yet; call fit with the training data first")
        (x,) = checked(f"Standardizer.{method}", [x])
        if x.shape[1:] != self.mean.shape:
            raise ShapeError(
                f"Standardizer.{method}: got {describe(x)}, but it was fitted to examples of shape {self.mean.shape}; "
                "give it the same features"
            )
        return x, self.mean, self.std

    def state_dict(self) -> dict[str, Array]:
        """Return mean and standard deviation by name, as `nn.save` takes them.

        Raises
        ------
        StateError
            Before `fit`.
        """
        if self.mean is None or self.std is None:
            raise StateError("Standardizer.state_dict: there is no mean yet; call fit with the training data first")
        return {"mean": np.array(self.mean), "std": np.array(self.std)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take mean and standard deviation from a state dict.

        Raises
        ------
        StateError
            If one of them is missing or no array of numbers, or there is something else, their shapes differ, or σ is
            not above 0.
        """
        if not isinstance(state, Mapping) or set(state) != {"mean", "std"}:
            raise StateError(f"Standardizer.load_state_dict: expected a dict of mean and std, got {describe(state)}")
        try:
            mean, std = (np.array(state[name], np.float64) for name in ("mean", "std"))
        except (TypeError, ValueError) as error:
            raise StateError(
                f"Standardizer.load_state_dict: mean and std must be arrays of numbers, got {describe(state)}"
            ) from error
        if mean.shape != std.shape or not np.isfinite(mean).all() or not (np.isfinite(std) & (std > 0)).all():
            raise StateError(
                f"Standardizer.load_state_dict: mean, {describe(mean)}, and std, {describe(std)}, "
                "must be finite and of one shape, and std above 0"
            )
        self.mean, self.std = mean, std

    def __repr__(self) -> str:
        return f"Standardizer(ddof={self.ddof})"


def train_test_split(
    *arrays: Any,
    test_size: float = 0.25,
    rng: np.random.Generator | None = None,
    stratify: Any = None,
) -> list[Array]:
    """Split arrays into random parts for training and for testing.

    Parameters
    ----------
    *arrays : array_like
        With as many examples, along the first axis, each.
    test_size : float or int
        The part of the examples that is for testing, rounded up; or, as an int, how many.
    rng : numpy.random.Generator, optional
        Where the choice comes from.
    stratify : array_like, shape (examples,), optional
        Labels, numbers or strings: each class gets its share of both parts, as nearly as whole numbers allow.

    Returns
    -------
    list of ndarray
        For each array, its training part and its test part: ``x_train, x_test, y_train, y_test``.

    Raises
    ------
    DataError
        If a part would be empty, arrays have different numbers of examples, a class has only one, or `test_size` is
        no number.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import train_test_split
    >>> x, y = np.arange(8) * 10, np.array([0, 0, 0, 0, 0, 0, 1, 1])
    >>> train_test_split(x, y, test_size=4, rng=np.random.default_rng(0), stratify=y)
    [array([50,  0, 10, 70]), array([20, 40, 30, 60]), array([0, 0, 0, 1]), array([0, 0, 0, 1])]
    """
    found = checked("train_test_split", arrays)
    examples = len(found[0])
    if isinstance(test_size, bool) or not isinstance(test_size, Real) or not math.isfinite(test_size):
        raise DataError(
            f"train_test_split: test_size is a part of the examples, or an int that says how many; got {test_size!r}"
        )
    tests = int(test_size) if isinstance(test_size, Integral) else math.ceil(test_size * examples)
    if not 0 < tests < examples:
        raise DataError(
            f"train_test_split: test_size={test_size} leaves {tests} of {examples} examples for testing and "
            f"{examples - tests} for training; both parts need at least one"
        )
    rng = np.random.default_rng(rng)
    order = rng.permutation(examples)
    chosen = np.zeros(examples, bool)
    if stratify is None:
        chosen[order[:tests]] = True
    else:
        members, counts = shares(stratify, examples, tests)
        for number, count in enumerate(counts):
            chosen[order[members[order] == number][:count]] = True
    train, test = order[~chosen[order]], order[chosen[order]]
    return [part for array in found for part in (array[train], array[test])]


def shares(stratify: Any, examples: int, tests: int) -> tuple[Array, Array]:
    """The number of the class of each example, and how many of each class are for testing.

    Classes that rounding down wronged most get one more.
    """
    labels = stratify.numpy() if isinstance(stratify, Tensor) else np.asarray(stratify)
    if labels.shape != (examples,):
        raise DataError(
            f"train_test_split: stratify is a label for each of {examples} examples, got {describe(labels)}; "
            "give it an array of one dimension"
        )
    classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise DataError(
            f"train_test_split: class {classes.tolist()[counts.argmin()]!r} has one example, which cannot be in both "
            "parts; leave it out, or do without stratify"
        )
    exact = counts * (tests / examples)
    whole = np.floor(exact).astype(int)
    whole[np.argsort(whole - exact, kind="stable")[: tests - whole.sum()]] += 1
    return members, whole


# What data must be


def checked(operation: str, arrays: Sequence[Any], axis: int = 0) -> list[Array]:
    """Return arrays of numbers, each finite, with as many examples each, or say which is not so."""
    if not arrays:
        raise DataError(f"{operation}: there is no array; give it at least one")
    found = [array.numpy() if isinstance(array, Tensor) else np.asarray(array) for array in arrays]
    for index, array in enumerate(found):
        name = f"{operation}: array {index}, {describe(array)},"
        if array.dtype.kind not in "fiub":
            raise DataError(f"{name} is not made of numbers; encode what it holds as numbers first")
        if not -array.ndim <= axis < array.ndim or not array.shape[axis]:
            raise DataError(f"{name} has no examples along axis {axis}; give it at least one")
        if array.shape[axis] != found[0].shape[axis]:
            raise DataError(
                f"{name} has {array.shape[axis]} examples along axis {axis}, but array 0, {describe(found[0])}, has "
                f"{found[0].shape[axis]}; give it as many of each"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise DataError(
                f"{name} holds {array[place]} at index {place}; leave such examples out, or fill in a number, "
                "such as the mean of the others"
            )
    return found


def cast(array: Array, dtype: Any) -> Array:
    """The array, in another dtype if it is a floating one."""
    if array.dtype.kind != "f":
        return array
    with np.errstate(over="ignore"):  # what overflows is no longer finite, which is looked for anyway
        return array.astype(dtype, copy=False)


def read_only(array: Array) -> Array:
    """A view that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def floating(dtype: Any) -> Any:
    """The dtype, or float64 in the place of integers."""
    return dtype if dtype.kind == "f" else np.float64
