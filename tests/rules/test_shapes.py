"""Shapes and orders, with gradients worked out by hand: what came from an element goes back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, grad
from autograd.errors import DtypeError, NotDifferentiableError, OutOfRangeError, ShapeError

A = np.arange(6.0).reshape(2, 3)


def gradient(function: Callable[..., Any], x: Any, seed: Any) -> Any:
    """The gradient of ``sum(seed * function(x))``."""
    t = Tensor(x, requires_grad=True)
    out = function(t)
    out.backward(np.asarray(seed, out.dtype))
    return t.grad


CASES: dict[str, tuple[Callable[..., Any], Any, Any, Any]] = {
    "reshape": (lambda t: t.reshape(3, 2), A, [[1, 2], [3, 4], [5, 6]], [[1, 2, 3], [4, 5, 6]]),
    "reshape in Fortran's order": (
        lambda t: np.reshape(t, (3, 2), order="F"),
        A,
        [[1, 4], [2, 5], [3, 6]],
        [[1, 3, 5], [2, 4, 6]],
    ),
    "order A of what lies in C's order": (
        lambda t: np.reshape(t, 6, order="A"),
        A,
        [1, 2, 3, 4, 5, 6],
        [[1, 2, 3], [4, 5, 6]],
    ),
    "order A of what lies in Fortran's order": (
        lambda t: np.reshape(t, 6, order="A"),
        np.asfortranarray(A),
        [1, 2, 3, 4, 5, 6],
        [[1, 3, 5], [2, 4, 6]],
    ),
    "order K of what lies in Fortran's order": (
        lambda t: t.flatten("K"),
        np.asfortranarray(A),
        [1, 2, 3, 4, 5, 6],
        [[1, 3, 5], [2, 4, 6]],
    ),
    "newshape, which NumPy 2.4 left": (
        lambda t: t.apply[np.reshape](t, newshape=6),
        A,
        [1, 2, 3, 4, 5, 6],
        [[1, 2, 3], [4, 5, 6]],
    ),
    "transpose with negative axes": (
        lambda t: t.transpose(-1, 0, 1),
        A.reshape(1, 2, 3),
        np.arange(6).reshape(3, 1, 2),
        [[[0, 2, 4], [1, 3, 5]]],
    ),
    "T": (lambda t: t.T, A, [[1, 2], [3, 4], [5, 6]], [[1, 3, 5], [2, 4, 6]]),
    "flip": (np.flip, [1.0, 2.0, 3.0], [1, 2, 3], [3, 2, 1]),
    "rot90": (np.rot90, A, [[1, 2], [3, 4], [5, 6]], [[5, 3, 1], [6, 4, 2]]),
    "roll": (lambda t: np.roll(t, 1), [1.0, 2.0, 3.0], [1, 2, 3], [2, 3, 1]),
    "roll of both axes": (
        lambda t: np.roll(t, (1, -1), (0, 1)),
        A,
        [[1, 2, 3], [4, 5, 6]],
        [[6, 4, 5], [3, 1, 2]],
    ),
    "broadcast_to": (lambda t: np.broadcast_to(t, (2, 3)), [1.0, 2.0, 3.0], [[1, 2, 3], [4, 5, 6]], [5, 7, 9]),
    "tile": (lambda t: np.tile(t, (2, 2)), [1.0, 2.0], [[1, 2, 3, 4], [5, 6, 7, 8]], [16, 20]),
    "repeat": (lambda t: t.repeat(2), [1.0, 2.0], [1, 2, 3, 4], [3, 7]),
    "repeat by counts": (lambda t: np.repeat(t, [3, 0, 1]), [1.0, 2.0, 3.0], [1, 2, 3, 4], [6, 0, 4]),
    "resize": (lambda t: np.resize(t, (2, 2)), [1.0, 2.0, 3.0], [[1, 2], [3, 4]], [5, 2, 3]),
    "astype": (lambda t: t.astype(np.float32), [1.0, 2.0], [3, 4], [3, 4]),
    "ascontiguousarray of a number": (lambda t: np.ascontiguousarray(t, like=t), 1.0, [3], 3),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str) -> None:
    function, x, seed, expected = CASES[name]
    np.testing.assert_array_equal(gradient(function, x, seed), expected)


def test_methods_take_lengths_and_axes_in_every_form() -> None:
    t = Tensor(A, requires_grad=True)
    for reshaped in (t.reshape(3, -1), t.reshape((3, 2)), t.reshape([3, 2]), t.reshape(np.array([3, 2]))):
        np.testing.assert_array_equal(reshaped.data, A.reshape(3, 2))
    for transposed in (
        t.T,
        t.mT,
        t.transpose(),
        t.transpose(1, 0),
        t.transpose((1, 0)),
        t.transpose(None),
        t.permute(1, 0),
    ):
        np.testing.assert_array_equal(transposed.data, A.T)
    assert t.reshape(1, 6).squeeze().shape == t.reshape(1, 6).squeeze(axis=0).shape == (6,)
    assert t[0, 0].reshape(()).shape == t.reshape(6)[:1].reshape(()).shape == ()
    assert t.swapaxes(0, -1).shape == (3, 2)
    assert t.ravel().shape == t.flatten().shape == (6,)
    assert t.expand_dims(0).shape == (1, 2, 3)
    assert t.copy().node is not None
    assert t.strides == A.strides
    assert np.isfortran(t.T)


def test_a_copy_has_memory_of_its_own() -> None:
    t = Tensor(A)
    for copied in (t.copy(), np.copy(t), t.flatten(), np.reshape(t, (3, 2), copy=True), t.astype(float)):
        assert not np.shares_memory(copied.data, t.data)


def test_astype_casts_the_gradient_back_and_whole_numbers_carry_none() -> None:
    t = Tensor([1.5, 2.5], dtype=np.float32, requires_grad=True)
    (t.astype(np.float64) * np.array([2.0, 3.0])).sum().backward()
    assert t.grad.dtype == np.float32
    np.testing.assert_array_equal(t.grad, [2.0, 3.0])
    assert t.astype(int).node is None
    assert t.astype(bool).dtype == bool
    assert np.astype(t, np.float16).dtype == np.float16


def test_leaves_that_got_one_view_do_not_share_it() -> None:
    a, b = Tensor(A, requires_grad=True), Tensor(A.T, requires_grad=True)
    (a + b.T).backward(np.ones((2, 3)))
    a.grad += 1
    np.testing.assert_array_equal(b.grad, np.ones((3, 2)))


def test_broadcast_arrays_and_atleast_take_several() -> None:
    x, y = Tensor([1.0, 2.0], requires_grad=True), Tensor(3.0, requires_grad=True)
    for several in (np.broadcast_arrays, np.atleast_1d, np.atleast_2d, np.atleast_3d):
        assert isinstance(several(x, y), tuple)
        assert [part.shape for part in several(x, y)] == [part.shape for part in several(x.data, y.data)]
    assert isinstance(np.atleast_2d(x), Tensor)
    p, q = np.broadcast_arrays(x, y)
    (p * q).sum().backward()
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])
    assert y.grad == 3.0


def test_second_derivative_through_a_change_of_shape() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.reshape(x, (2, 2)) ** 3)

    np.testing.assert_allclose(grad(lambda x: np.sum(grad(f)(x)))(np.array([1.0, 2.0, 3.0, 4.0])), [6, 12, 18, 24])


FIT = "reshape, transpose or index the operands so that they fit"
AXES = "axes run from -ndim to ndim - 1"
ERRORS: dict[str, tuple[Callable[..., Any], type[Exception], str]] = {
    "reshape": (
        lambda t: t.reshape(4, 2),
        ShapeError,
        f"reshape(Tensor(float64 (2, 3)), (4, 2), 'C'): cannot reshape array of size 6 into shape (4,2); {FIT}",
    ),
    "transpose": (
        lambda t: t.transpose(0, 5),
        OutOfRangeError,
        f"transpose(Tensor(float64 (2, 3)), axes=(0, 5)): axis 5 is out of bounds for array of dimension 2; {AXES}",
    ),
    "flip": (
        lambda t: np.flip(t, 3),
        OutOfRangeError,
        f"flip(Tensor(float64 (2, 3)), axis=3): axis 3 is out of bounds for array of dimension 2; {AXES}",
    ),
    "squeeze": (
        lambda t: t.squeeze(0),
        ShapeError,
        "squeeze(Tensor(float64 (2, 3)), axis=0): cannot select an axis to squeeze out which has size not equal to one"
        f"; {FIT}",
    ),
    "astype": (
        lambda t: t.astype(complex),
        DtypeError,
        "astype() of a Tensor gives complex numbers, words or objects, which are not supported; use real numbers, and "
        "the .numpy() of another library's tensors",
    ),
    "array": (
        lambda t: np.array([t, t]),
        NotDifferentiableError,
        "converting Tensor(float64 (2, 3)), which requires grad, to an array would lose the graph; "
        "use np.stack([…]) to join tensors, or t.detach().numpy() for the value",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    function, kind, message = ERRORS[name]
    with pytest.raises(kind) as caught:
        function(Tensor(A, requires_grad=True))
    assert str(caught.value) == message


@pytest.mark.parametrize("shift", [np.uint8(1), [np.uint8(1)], np.array([1], np.uint16), np.True_])
def test_shifts_of_dtypes_without_negative_numbers(shift: Any) -> None:
    gradient = grad(lambda x: np.sum(np.roll(x, shift, 0) * np.array([1.0, 2.0, 3.0])))(np.zeros(3))
    np.testing.assert_array_equal(gradient, [2.0, 3.0, 1.0])


def test_a_quarter_turn_by_a_truth_value() -> None:
    weights = np.arange(4.0).reshape(2, 2)
    gradient = grad(lambda x: np.sum(np.rot90(x, np.True_) * weights))(np.ones((2, 2)))
    np.testing.assert_array_equal(gradient, [[2.0, 0.0], [3.0, 1.0]])


@pytest.mark.parametrize("function", [np.atleast_1d, np.atleast_2d, np.atleast_3d])
def test_lists_beside_a_tensor_become_arrays_of_at_least_so_many_axes(function: Callable[..., Any]) -> None:
    _, other = function(Tensor([1.0]), [1.0, 2.0])
    np.testing.assert_array_equal(other, function([1.0, 2.0]), strict=True)
