"""Indexing with numbers computed by hand: repeats, assignment, aliasing, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, basic_indices, integer_array_indices
from hypothesis.extra.numpy import arrays as masks
from hypothesis.strategies import integers, just, one_of, slices, tuples

from autograd import Tensor, compiled, grad, no_grad, value_and_grad
from autograd.errors import CompileError, DtypeError, GraphError, NotDifferentiableError, OutOfRangeError, ShapeError
from autograd.rules.indexing import index_add, one_hot, scatter


def leaf(value: Any, dtype: Any = float) -> Tensor:
    return Tensor(np.asarray(value, dtype), requires_grad=True)


def test_09_repeats_add() -> None:
    x = leaf([1.0, 2.0, 3.0])
    (x[[0, 2, 2, -1]] * np.array([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [1.0, 0.0, 1110.0])


def test_09_repeated_pairs_add() -> None:
    x = leaf(np.zeros((2, 3)))
    (x[[0, 0, 1], [1, 1, 2]] * np.array([1.0, 2.0, 4.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [[0, 3, 0], [0, 0, 4]])


@pytest.mark.parametrize("count", [20, 200])
@pytest.mark.parametrize(
    "key",
    [
        lambda i: i,
        lambda i: (i, slice(None)),
        lambda i: (i % 50, i // 50),
        lambda i: i - 200,
        lambda i: i - 200 * (np.arange(200) % 2),  # the same row from both ends
    ],
)
def test_09_many_rows_with_repeats_equal_add_at(key: Any, count: int) -> None:
    rng = np.random.default_rng(0)
    rows = rng.permutation(200) % count
    shape = (50, 4, 16) if len(key(rows)) == 2 and type(key(rows)[1]) is np.ndarray else (200, 16)
    x, g = leaf(np.zeros(shape)), rng.normal(size=(200, 16))
    expected = np.zeros(shape)
    np.add.at(expected, key(rows), g)
    x[key(rows)].backward(g)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-12)


def test_09_basic_keys_cost_no_add_at(monkeypatch: pytest.MonkeyPatch) -> None:
    x = leaf(np.zeros((3, 4)))
    keys = [
        1,
        -1,
        slice(None, None, -2),
        None,
        ...,
        (1, ...),
        (slice(1), None, 2),
        x.data > 0,
        np.int64(2),
        (..., True),
    ]
    monkeypatch.setattr("autograd.rules.indexing.leading", lambda key, shape: pytest.fail(f"{key} is basic"))
    for key in keys:
        x[key].backward(np.ones(x[key].shape))


def test_09_keys_may_be_or_hold_tensors() -> None:
    x, i, m = leaf([[1.0, 2.0], [3.0, 4.0]]), Tensor([1, 1]), Tensor([True, False])
    for key, expected in (
        (i, [[0, 0], [2, 2]]),
        ((i, 0), [[0, 0], [2, 0]]),
        ((slice(None), i), [[0, 2], [0, 2]]),
        (m, [[1, 1], [0, 0]]),
        ((m, Tensor(1)), [[0, 1], [0, 0]]),
        (x > 2, [[0, 0], [1, 1]]),
        (Tensor(1), [[0, 0], [1, 1]]),
        ([Tensor(0), Tensor(0)], [[2, 2], [0, 0]]),
    ):
        x.zero_grad()
        x[key].sum().backward()
        assert type(x.grad) is np.ndarray
        np.testing.assert_array_equal(x.grad, expected)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (3, "index 3 is out of bounds for axis 0 with size 3"),
        ([0, -4], "index -4 is out of bounds for axis 0 with size 3"),
        ((0, 0), "too many indices for array: array is 1-dimensional, but 2 were indexed"),
    ],
)
def test_09_out_of_range_is_an_index_error(key: Any, reason: str) -> None:
    with pytest.raises(IndexError) as caught:
        leaf([1.0, 2.0, 3.0])[key]
    assert type(caught.value) is OutOfRangeError
    assert str(caught.value) == (
        f"index(Tensor(float64 (3,)), {key}): {reason}; indices run from -n to n - 1, axes from -ndim to ndim - 1"
    )


def test_09_a_float_key_that_requires_grad_is_refused() -> None:
    for key in (leaf(1.0), (leaf(1.0),)):
        with pytest.raises(NotDifferentiableError, match="not differentiable in its argument 'key'"):
            leaf([1.0, 2.0])[key]


def test_iteration_and_unpacking() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    first, second = x
    (first[0] * second[1]).backward()
    np.testing.assert_array_equal(x.grad, [[4, 0], [0, 1]])
    x.zero_grad()
    sum(3 * row.sum() for row in x).backward()
    np.testing.assert_array_equal(x.grad, [[3, 3], [3, 3]])


# Assignment


def test_28_assignment_is_differentiable_in_both() -> None:
    x, v = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    t = x * 2
    t[1] = v
    np.testing.assert_array_equal(t.data, [2, 5, 6])
    (t * np.array([1.0, 10.0, 100.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 0, 200])
    assert v.grad == 10


def test_28_views_taken_earlier_keep_their_values() -> None:
    x = leaf([1.0, 2.0, 3.0])
    t = x * 1
    view, whole = t[:2], t
    t[0] = 10.0
    assert whole is t
    np.testing.assert_array_equal(view.data, [1, 2])
    np.testing.assert_array_equal(t.data, [10, 2, 3])
    (view.sum() + t.sum()).backward()
    np.testing.assert_array_equal(x.grad, [1, 2, 1])


def test_28_augmented_assignment_to_a_selection() -> None:
    x = leaf([-1.0, 2.0, -3.0])
    t = x * 1
    t[t.data < 0] *= 2
    t[1:] += x[:2]
    t[[0, 0]] += 1  # as in NumPy, once
    np.testing.assert_array_equal(t.data, [-1, 1, -4])
    (t * np.array([1.0, 10.0, 100.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [12, 110, 200])


def test_28_into_a_tensor_that_requires_no_grad() -> None:
    x = leaf([1.0, 2.0])
    t = Tensor(np.zeros((2, 2)))
    for row in range(2):
        t[row] = x**2 if row else x
    np.testing.assert_array_equal(t.data, [[1, 2], [1, 4]])
    (t * np.array([[1.0, 1.0], [10.0, 10.0]])).sum().backward()
    np.testing.assert_array_equal(x.grad, [21, 41])


def test_28_where_a_place_is_assigned_to_twice_the_last_value_has_the_gradient() -> None:
    t, v = Tensor(np.zeros(3)), leaf([1.0, 2.0, 3.0])
    t[[0, 0, 2]] = v
    np.testing.assert_array_equal(t.data, [2, 0, 3])
    t.sum().backward()
    np.testing.assert_array_equal(v.grad, [0, 1, 1])


def test_28_a_value_is_broadcast() -> None:
    t, v, w = Tensor(np.zeros((2, 3))), leaf([[[1.0, 2.0]]]), leaf(4.0)
    t[:, :2] = v
    t[:, 2] = w
    np.testing.assert_array_equal(t.data, [[1, 2, 4], [1, 2, 4]])
    (t * np.arange(6.0).reshape(2, 3)).sum().backward()
    np.testing.assert_array_equal(v.grad, [[[3, 5]]])
    assert w.grad == 7


@pytest.mark.parametrize(
    ("shape", "key", "expected"),
    [
        ((2, 1), (slice(None), [0, 0]), [[1], [2]]),
        ((3,), np.array([[0, 1, 2], [2, 1, 0]]), [3, 2, 1]),
        ((1,), slice(0, 0), [0]),
        ((3,), None, [1, 2, 3]),
        ((), None, 1),
    ],
)
def test_28_a_value_has_a_gradient_of_its_shape_whatever_the_shape_of_the_place(
    shape: tuple[int, ...], key: Any, expected: Any
) -> None:
    """Also where the tensor that is assigned into has the shape of the value."""
    value, target = leaf(np.zeros(shape)), Tensor(np.zeros(shape))
    target[key] = value
    (target * np.arange(1.0, target.size + 1).reshape(shape)).sum().backward()
    assert np.shape(value.grad) == shape
    np.testing.assert_array_equal(value.grad, expected)


def test_28_zero_dimensional() -> None:
    x, v = leaf(1.0), leaf(2.0)
    t = x * 1
    t[()] = v * 3
    t.backward()
    assert (t.item(), x.grad, v.grad) == (6, 0, 3)


def test_28_a_value_keeps_the_dtype_of_the_tensor() -> None:
    t, v = Tensor(np.zeros(2, np.float32)), leaf(1.5)
    t[0] = v
    assert t.dtype == np.float32
    t.sum().backward()
    assert v.grad == 1
    assert v.grad.dtype == np.float64


def test_29_a_leaf_cannot_be_assigned_into_while_recording() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match="is a leaf that requires grad and cannot be assigned into"):
        x[0] = 5.0
    np.testing.assert_array_equal(x.data, [1, 2])
    with no_grad():
        x[0] = 5.0
    np.testing.assert_array_equal(x.data, [5, 2])
    assert x.is_leaf
    assert x.requires_grad


def test_assignment_out_of_range_changes_nothing() -> None:
    t = leaf([1.0, 2.0]) * 1
    with pytest.raises(OutOfRangeError, match="index 2 is out of bounds for axis 0 with size 2"):
        t[2] = 1.0
    with pytest.raises(ShapeError, match="could not broadcast input array from shape"):
        t[:] = np.ones(3)
    np.testing.assert_array_equal(t.data, [1, 2])


def test_assigning_a_list_of_tensors_names_the_cure() -> None:
    t, v = Tensor(np.zeros(2)), leaf(1.0)
    with pytest.raises(NotDifferentiableError, match=r"use np\.stack"):
        t[:] = [v, v]


# The functions


def test_index_add_adds_repeats() -> None:
    x, v = leaf([1.0, 2.0, 3.0]), leaf([10.0, 20.0, 30.0])
    y = index_add(x, [2, 0, 2], v)
    np.testing.assert_array_equal(y.data, [21, 2, 43])
    np.testing.assert_array_equal(x.data, [1, 2, 3])
    (y * np.array([1.0, 2.0, 4.0])).sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 2, 4])
    np.testing.assert_array_equal(v.grad, [4, 1, 4])


def test_scatter_of_float32_stays_float32() -> None:
    assert scatter(np.ones(2, np.float32), [1, 1], (3,)).dtype == np.float32


def test_take_adds_repeats_and_wraps() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    np.take(x, [-1, 4, 0], mode="wrap").sum().backward()
    np.testing.assert_array_equal(x.grad, [[2, 0], [0, 1]])
    x.zero_grad()
    x.take([1, 1], axis=1).sum().backward()
    np.testing.assert_array_equal(x.grad, [[0, 2], [0, 2]])
    with pytest.raises(OutOfRangeError, match="index 4 is out of bounds for axis 0 with size 4"):
        np.take(x, 4)


def test_take_of_booleans_are_numbers() -> None:
    x = leaf([1.0, 2.0])
    np.take(x, [True, True, False]).sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 2])


def test_the_method_compress_takes_the_condition_first() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x.compress([False, True], axis=1)
    np.testing.assert_array_equal(y.data, [[2], [4]])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [[0, 1], [0, 1]])


def test_one_hot() -> None:
    np.testing.assert_array_equal(one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
    np.testing.assert_array_equal(one_hot(1, 2), [0, 1])
    assert one_hot([[0], [1]], 2, np.float32).dtype == np.float32
    assert one_hot([], 4).shape == (0, 4)
    np.testing.assert_array_equal(one_hot([2, 0]), one_hot([2, 0], 3))
    labels = one_hot(Tensor([1, 0]), 2)
    assert isinstance(labels, Tensor)
    assert not labels.requires_grad


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 3], "label 3 at index (1,) of labels of shape (2,) is out of range; labels for 3 classes run from 0 to 2"),
        (-1, "label -1 at index () of labels of shape () is out of range; labels for 3 classes run from 0 to 2"),
    ],
)
def test_36_a_label_out_of_range_is_named(labels: Any, message: str) -> None:
    with pytest.raises(OutOfRangeError) as caught:
        one_hot(labels, 3)
    assert str(caught.value) == f"one_hot: {message}"


def test_labels_are_integers() -> None:
    with pytest.raises(DtypeError) as caught:
        one_hot([0.5], 3)
    assert str(caught.value) == "one_hot: labels must be integers, not float64; use labels.astype(int)"


def test_a_compiled_function_says_how_many_classes_there_are() -> None:
    labels = np.array([1, 0])
    np.testing.assert_array_equal(compiled(lambda labels: one_hot(labels, 2))(labels), [[0, 1], [1, 0]])
    with pytest.raises(CompileError, match=r"^the value of Tensor\(int64 \(\)\) is needed"):
        compiled(lambda labels: one_hot(labels))(labels)


# Any key


def keys(shape: tuple[int, ...]) -> Any:
    """Keys of numbers, slices, new axes, masks and integer arrays in any mixture."""
    arrays = integer_array_indices((4,), result_shape=array_shapes(max_dims=2, min_side=0, max_side=3))
    return one_of(
        basic_indices(shape, allow_newaxis=True),
        integer_array_indices(shape, result_shape=array_shapes(max_dims=2, min_side=0, max_side=3)),
        masks(bool, shape),
        masks(bool, shape[:2]),
        tuples(integers(0, 2), arrays.map(lambda key: key[0] % 2), slices(4)),
        tuples(arrays.map(lambda key: key[0] % 3), slices(2), integers(-4, 3)),
        tuples(slices(3), just(None), arrays.map(lambda key: key[0] % 2)),
        tuples(just(Ellipsis), arrays.map(lambda key: key[0])),
        tuples(masks(bool, shape[:1]), just(Ellipsis), integers(0, 3)),
    )


@given(keys((3, 2, 4)))
def test_09_any_key_scatters_as_add_at(key: Any) -> None:
    x, shape = leaf(np.arange(24.0).reshape(3, 2, 4)), (3, 2, 4)
    taken = x.data[key]
    g = np.random.default_rng(0).normal(size=taken.shape)
    expected = np.zeros(shape)
    np.add.at(expected, key, g)
    y = x[key]
    np.testing.assert_array_equal(y.data, taken)
    y.backward(g)
    np.testing.assert_allclose(x.grad, expected, atol=1e-12)


@given(keys((3, 2, 4)))
def test_28_any_key_assigns_as_numpy(key: Any) -> None:
    plain, x = np.zeros((3, 2, 4)), leaf(np.zeros((3, 2, 4)))
    v = leaf(np.random.default_rng(0).normal(size=plain[key].shape))
    plain[key] = v.data
    t = x * 1
    t[key] = v
    np.testing.assert_array_equal(t.data, plain)
    weights = np.random.default_rng(1).normal(size=plain.shape)
    (t * weights).sum().backward()
    np.testing.assert_array_equal(x.grad, np.where(plain != 0, 0, weights))
    assert np.sum(v.grad * v.data) == pytest.approx(np.sum(weights * plain))


def test_28_a_number_in_place_is_a_new_one_as_in_numpy() -> None:
    def root(a: Any) -> Any:
        x = a
        for _ in range(6):
            x -= (x * x - a) / (2 * x)
        return x

    value, slope = value_and_grad(root)(2.0)
    assert (value, slope) == (root(2.0), pytest.approx(1 / (2 * np.sqrt(2.0))))
    total = Tensor(np.float32(2.0))
    before = total
    total *= np.float64(1.5)
    assert (before.item(), total.item(), total.dtype) == (2, 3, np.float64)
    x = leaf([1.0, -2.0])
    number = np.sum(x)
    number += x
    assert number.shape == (2,)


def test_31_an_element_of_an_array_does_not_take_a_tensor_that_requires_grad() -> None:
    t, array = leaf(2.0), np.zeros(2)
    with pytest.raises(ValueError, match=r"^setting an array element with a sequence\.$") as caught:
        array[0] = t * 3
    assert str(caught.value.__cause__) == (
        "assigning Tensor(float64 ()), which requires grad, to an element of an array would lose the graph; make the "
        "array a Tensor before, as in a = Tensor(a), join tensors with np.stack([…]), or assign float(t) for the value"
    )
    array[0] = float(t)
    array[1] = t.detach()
    np.testing.assert_array_equal(array, 2)
    with no_grad():
        array[0] = t * 3
    assert array[0] == 6
    assert {2.0: "two"}[float(t)] == "two"


def test_31_the_cure_keeps_the_graph() -> None:
    def squares(x: Any) -> Any:
        a = Tensor(np.zeros(3))
        for i in range(3):
            a[i] = x[i] ** 2
        return np.sum(a)

    np.testing.assert_array_equal(grad(squares)(np.array([1.0, 2.0, 3.0])), [2, 4, 6])
