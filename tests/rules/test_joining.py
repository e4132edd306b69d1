"""Joining and splitting, with gradients worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import NotDifferentiableError, OutOfRangeError, ShapeError
from autograd.record import newest_first
from autograd.rules.joining import unstack

A = np.arange(6.0).reshape(2, 3)


def gradients(function: Callable[..., Any], xs: list[Any], seed: Any) -> list[Any]:
    """The gradients of ``sum(seed * function(*xs))``."""
    ts = [Tensor(x, requires_grad=True) for x in xs]
    function(*ts).backward(np.asarray(seed, float))
    return [t.grad for t in ts]


CASES: dict[str, tuple[Callable[..., Any], list[Any], Any, list[Any]]] = {
    "concatenate": (lambda a, b: np.concatenate([a, b]), [[1.0], [2.0, 3.0]], [1, 2, 3], [[1], [2, 3]]),
    "stack by name": (
        lambda a, b: np.stack(arrays=[a, b], axis=1),
        [[1.0, 2.0], [3.0, 4.0]],
        [[1, 2], [3, 4]],
        [[1, 3], [2, 4]],
    ),
    "concatenate columns": (
        lambda a, b: np.concatenate((a, [[0], [0]], b), axis=-1),
        [[[1.0], [2.0]], [[3.0], [4.0]]],
        [[1, 2, 3], [4, 5, 6]],
        [[[1], [4]], [[3], [6]]],
    ),
    "concatenate flat": (
        lambda a, b: np.concatenate([a, b], axis=None),
        [[[1.0, 2.0]], 3.0],
        [1, 2, 3],
        [[[1, 2]], 3],
    ),
    "a list of tensors among the arrays": (
        lambda a, b: np.concatenate([a, [b, 5, b]]),
        [[1.0], 2.0],
        [1, 2, 3, 4],
        [[1], 6],
    ),
    "the same tensor twice": (lambda a: np.stack([a, a]), [[1.0, 2.0]], [[1, 2], [3, 4]], [[4, 6]]),
    "stack on the last axis": (
        lambda a, b: np.stack([a, b], axis=-1),
        [[1.0, 2.0], [3.0, 4.0]],
        [[1, 2], [3, 4]],
        [[1, 3], [2, 4]],
    ),
    "hstack of numbers": (lambda a, b: np.hstack([a, 7, b]), [1.0, 2.0], [1, 2, 3], [1, 3]),
    "vstack": (lambda a, b: np.vstack([a, b]), [[1.0], 2.0], [[1], [2]], [[1], 2]),
    "column_stack": (lambda a: np.column_stack([a, [1, 1]]), [[1.0, 2.0]], [[1, 2], [3, 4]], [[1, 3]]),
    "block": (
        lambda a, b: np.block([[a, np.zeros((1, 1))], [0, b]]),
        [[[1.0]], 2.0],
        [[1, 2], [3, 4]],
        [[[1]], 4],
    ),
    "append": (lambda a, b: np.append(a, b), [[1.0, 2.0], 3.0], [1, 2, 3], [[1, 2], 3]),
    "split": (lambda a: np.split(a, 2)[1], [[1.0, 2.0, 3.0, 4.0]], [5, 6], [[0, 0, 5, 6]]),
    "split where pieces overlap": (
        lambda a: np.concatenate(np.split(a, [2, 1])),
        [[1.0, 2.0, 3.0]],
        [1, 2, 3, 4],
        [[1, 5, 4]],
    ),
    "unstack": (lambda a: unstack(a, axis=1)[2], [A], [8, 9], [[[0, 0, 8], [0, 0, 9]]]),
    "insert": (lambda a, b: np.insert(a, 1, b), [[1.0, 2.0], 3.0], [1, 2, 3], [[1, 3], 2]),
    "insert in disorder": (
        lambda a, b: np.insert(a, [2, 0], b),
        [[1.0, 2.0], [3.0, 4.0]],
        [1, 2, 3, 4],
        [[2, 3], [4, 1]],
    ),
    "insert one value in each row": (
        lambda a, b: np.insert(a, 0, b, axis=1),
        [A, 9.0],
        [[1, 2, 3, 4], [5, 6, 7, 8]],
        [[[2, 3, 4], [6, 7, 8]], 6],
    ),
    "delete": (lambda a: np.delete(a, [0, -1]), [[1.0, 2.0, 3.0]], [5], [[0, 5, 0]]),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str) -> None:
    function, xs, seed, expected = CASES[name]
    for got, right in zip(gradients(function, xs, seed), expected, strict=True):
        np.testing.assert_array_equal(got, right)


def test_splits_are_lists_of_tensors_made_by_one_node() -> None:
    t = Tensor(np.arange(6.0), requires_grad=True)
    for parts in (np.split(t, 3), np.array_split(t, 3), np.hsplit(t, 3), np.vsplit(t.reshape(6, 1), 3)):
        assert isinstance(parts, list)
        assert len({part.node.inputs[0] for part in parts}) == 1
    first, *_, last = unstack(t * 2)
    (first * last).backward()
    np.testing.assert_array_equal(t.grad, [20.0, 0, 0, 0, 0, 0])


def test_each_gradient_has_the_dtype_of_its_tensor() -> None:
    x, y = Tensor(np.ones(2, np.float32), requires_grad=True), Tensor([1.0, 2.0], requires_grad=True)
    joined = np.concatenate([x, y])
    assert joined.dtype == np.float64
    joined.sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)
    assert np.stack([x, y], dtype=np.float32).dtype == np.float32


def test_a_thousand_tensors_are_joined_by_one_node_with_linear_work() -> None:
    ts = [Tensor(float(i), requires_grad=True) for i in range(1000)]
    stacked = np.stack(ts)
    assert len(newest_first([stacked.node])) == 1001
    (stacked * stacked).sum().backward(create_graph=True)
    assert ts[7].grad.data == 14.0
    assert len(newest_first([t.grad.node for t in ts])) < 5000


def test_insertion_into_an_array_that_is_no_tensor() -> None:
    value = Tensor(5.0, requires_grad=True)
    np.insert([1.0, 2.0], 1, value).backward(np.array([1.0, 2.0, 3.0]))
    assert value.grad == 2.0


FIT = "reshape, transpose or index the operands so that they fit"
AXES = "axes run from -ndim to ndim - 1"
RANGE = "indices run from -n to n - 1, axes from -ndim to ndim - 1"
ERRORS: dict[str, tuple[Callable[..., Any], type[Exception], str]] = {
    "axis": (
        lambda t: unstack(t, axis=2),
        OutOfRangeError,
        "unstack(Tensor(float64 (2, 3)), axis=2): source: axis 2 is out of bounds for array of dimension 2; " + AXES,
    ),
    "out": (
        lambda t: np.concatenate([t, t], out=np.empty((4, 3))),
        NotDifferentiableError,
        "joining Tensors with out=: writing the result into an array would lose the graph; use the returned tensor",
    ),
    "split": (
        lambda t: np.split(t, 4, axis=1),
        ShapeError,
        f"split(Tensor(float64 (2, 3)), 4, 1, True): array split does not result in an equal division; {FIT}",
    ),
    "vsplit": (
        lambda t: np.vsplit(t[0], 3),
        ShapeError,
        "vsplit() of an array of shape (3,): it needs 2 or more dimensions; use np.split with an axis",
    ),
    "block": (
        lambda t: np.block([[t, t], t]),
        ShapeError,
        "block(): lists that hold blocks at depths [0, 1]; every block must lie in equally many lists, "
        "and no list may be empty",
    ),
    "delete": (
        lambda t: np.delete(t, 9),
        OutOfRangeError,
        f"delete(Tensor(float64 (2, 3)), 9): index 9 is out of bounds for axis 0 with size 6; {RANGE}",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    function, kind, message = ERRORS[name]
    with pytest.raises(kind) as caught:
        function(Tensor(A, requires_grad=True))
    assert str(caught.value) == message


@pytest.mark.parametrize(("obj", "shape"), [(0, (1, 1)), ([0, 1], (1, 2)), (slice(0, 2), (1, 1, 2))])
def test_inserted_values_may_have_more_axes_than_what_they_go_into(obj: Any, shape: tuple[int, ...]) -> None:
    values = Tensor(np.ones(shape), requires_grad=True)
    np.insert(np.ones((2, 3)), obj, values).sum().backward()
    np.testing.assert_array_equal(values.grad, np.ones(shape), strict=True)
