"""Linear algebra: hand-computed gradients, singular matrices, ties, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import DtypeError, NotDifferentiableError, ShapeError, SingularError

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


def gradient(f: Any, a: Any) -> Any:
    t = Tensor(np.asarray(a, float), requires_grad=True)
    f(t).backward()
    return t.grad


def second_gradient(f: Any, a: Any, along: Any) -> Any:
    """The gradient of the directional derivative."""
    t = Tensor(np.asarray(a, float), requires_grad=True)
    f(t).backward(create_graph=True)
    slope = (t.grad * along).sum()
    t.grad = None
    slope.backward(retain_graph=True)
    return t.grad, slope, t


def test_inverse_by_hand() -> None:
    g = gradient(lambda a: np.linalg.inv(a)[0, 1], np.diag([2.0, 4.0]))
    np.testing.assert_allclose(g, [[0, -1 / 8], [0, 0]])


def test_least_squares_of_a_list_of_rows() -> None:
    b = Tensor([2.0, 8.0, 1.0], requires_grad=True)
    np.linalg.lstsq([[2, 0], [0, 4], [0, 0]], b)[0].sum().backward()
    np.testing.assert_allclose(b.grad, [1 / 2, 1 / 4, 0], atol=1e-15)


def test_solve_by_hand() -> None:
    a = Tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
    b = Tensor([2.0, 8.0], requires_grad=True)
    np.linalg.solve(a, b).sum().backward()
    np.testing.assert_allclose(b.grad, [1 / 2, 1 / 4])
    np.testing.assert_allclose(a.grad, [[-1 / 2, -1], [-1 / 4, -1 / 2]])


def test_singular_matrices_are_named() -> None:
    a = Tensor(SINGULAR, requires_grad=True, name="a")
    with pytest.raises(SingularError) as error:
        np.linalg.inv(a)
    assert str(error.value) == (
        "inv(Tensor(float64 (2, 2) 'a')): Singular matrix; check the matrix: its rank, its symmetry, its shape"
    )
    with pytest.raises(np.linalg.LinAlgError) as error:
        np.linalg.solve(a, np.ones(2))
    assert str(error.value) == (
        "solve(Tensor(float64 (2, 2) 'a'), array(float64 (2,))): Singular matrix; "
        "check the matrix: its rank, its symmetry, its shape"
    )


def test_solve_shape_error() -> None:
    with pytest.raises(ShapeError) as error:
        np.linalg.solve(Tensor(np.eye(3), requires_grad=True), np.ones((2, 4)))
    assert str(error.value) == (
        "solve(Tensor(float64 (3, 3)), array(float64 (2, 4))): solve: Input operand 1 has a mismatch in its core "
        "dimension 0, with gufunc signature (m,m),(m,n)->(m,n) (size 2 is different from 3); "
        "reshape, transpose or index the operands so that they fit"
    )


# Determinants


def test_det_by_hand() -> None:
    np.testing.assert_allclose(gradient(np.linalg.det, [[1, 2], [3, 4]]), [[4, -3], [-2, 1]])


@pytest.mark.parametrize(
    ("matrix", "cofactors"),
    [
        ([[0]], [[1]]),
        (SINGULAR, [[4, -2], [-2, 1]]),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (np.diag([0, 2, 3]), np.diag([6, 0, 0])),
        (np.ones((3, 3)), np.zeros((3, 3))),
        ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
    ],
)
def test_det_of_a_singular_matrix_has_a_gradient(matrix: Any, cofactors: Any) -> None:
    np.testing.assert_allclose(gradient(np.linalg.det, matrix), cofactors, atol=1e-12)


def test_det_of_a_singular_matrix_has_a_second_derivative() -> None:
    """det is a x d - b x c, so its Hessian does not depend on the matrix."""
    along = np.array([[1.0, 2.0], [3.0, 5.0]])
    for matrix in (SINGULAR, np.zeros((2, 2)), np.eye(2)):
        hessian, _, _ = second_gradient(np.linalg.det, matrix, along)
        np.testing.assert_allclose(hessian, [[5, -3], [-2, 1]], atol=1e-12)


def test_third_derivative_of_det() -> None:
    """There is one where the matrix is regular; at a singular one the error says that there is none."""
    along = np.ones((3, 3))

    def third(matrix: Any) -> Any:
        t = Tensor(matrix, requires_grad=True)
        np.linalg.det(t).backward(create_graph=True)
        slope, t.grad = (t.grad * along).sum(), None
        slope.backward(create_graph=True)
        slope, t.grad = (t.grad * along).sum(), None
        slope.backward()
        return t.grad

    np.testing.assert_allclose(third(np.diag([1.0, 2.0, 4.0])), np.zeros((3, 3)), atol=1e-12)
    with pytest.raises(NotDifferentiableError) as error:
        third(np.diag([0.0, 1.0, 2.0]))
    assert str(error.value) == (
        "the third derivative of det() at a singular matrix, of shape (3, 3), is not available; "
        "its first and second are"
    )


def test_slogdet() -> None:
    result = np.linalg.slogdet(Tensor([[0.0, 2.0], [3.0, 0.0]], requires_grad=True))
    assert float(result.sign) == -1
    assert float(result.logabsdet) == pytest.approx(math.log(6))
    np.testing.assert_allclose(gradient(lambda a: np.linalg.slogdet(a)[1], np.diag([2, 4])), np.diag([1 / 2, 1 / 4]))
    np.testing.assert_array_equal(gradient(lambda a: np.linalg.slogdet(a).sign, np.diag([2, 4])), np.zeros((2, 2)))
    with pytest.raises(SingularError) as error:
        gradient(lambda a: np.linalg.slogdet(a).logabsdet, SINGULAR)
    assert str(error.value) == (
        "slogdet() of a singular matrix, of shape (2, 2), has no gradient: the logarithm of 0 is -inf; "
        "np.linalg.det has one"
    )


# Norms


@pytest.mark.parametrize("order", [None, 2, 1, 3, 1.5, math.inf])
def test_norm_at_zero_has_gradient_zero(order: Any) -> None:
    np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, order), np.zeros(3)), np.zeros(3))


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, 2, math.inf])
def test_matrix_norm_at_zero_has_gradient_zero(order: Any) -> None:
    np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, order), np.zeros((2, 3))), np.zeros((2, 3)))


@pytest.mark.parametrize("order", [1, 2, math.inf, "nuc", "fro"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_norm_of_a_matrix_without_elements_is_zero(order: Any, shape: tuple[int, int]) -> None:
    t = Tensor(np.zeros(shape), requires_grad=True)
    norm = np.linalg.norm(t, order)
    norm.backward()
    assert norm.item() == 0
    assert t.grad.shape == shape


def test_second_derivative_of_the_norm_at_zero_is_finite() -> None:
    hessian, _, _ = second_gradient(np.linalg.norm, np.zeros(3), np.ones(3))
    np.testing.assert_array_equal(hessian, np.zeros(3))


def test_norms_by_hand() -> None:
    np.testing.assert_allclose(gradient(np.linalg.norm, [3, 4]), [0.6, 0.8])
    np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, math.inf), [1, -1, 0.5]), [0.5, -0.5, 0])
    np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, -math.inf), [1, -1, 0.5]), [0, 0, 1])
    np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, 0), [1, 0, 2]), [0, 0, 0])
    np.testing.assert_array_equal(gradient(lambda x: np.linalg.norm(x, 1), [[1, -3], [2, 3]]), [[0, -1], [0, 1]])
    np.testing.assert_allclose(gradient(lambda x: np.linalg.norm(x, "nuc"), np.diag([2, -3])), np.diag([1, -1]))


@pytest.mark.parametrize(
    ("shape", "order", "axis"), [((3,), "fro", None), ((2, 2, 2), 2, None), ((2, 2), 3, None), ((2, 2), "nuc", 0)]
)
def test_a_norm_that_numpy_refuses_is_refused(shape: tuple[int, ...], order: Any, axis: Any) -> None:
    with pytest.raises(ValueError, match=r"[Nn]orm|number of dimensions"):
        np.linalg.norm(np.ones(shape), order, axis)
    with pytest.raises(ShapeError) as error:
        np.linalg.norm(Tensor(np.ones(shape), requires_grad=True), order, axis)
    assert str(error.value) == (
        f"linalg.norm() of shape {shape} with axis={axis} and ord={order!r}: a vector norm takes one axis and a "
        "number, a matrix norm two axes and 'fro' or one of 'nuc', 1, -1, 2, -2, inf, -inf"
    )


def test_norm_takes_as_axis_what_numpy_takes() -> None:
    t = Tensor(np.ones((2, 3)), requires_grad=True)
    for axis in ([0, 1], [0]):
        with pytest.raises(DtypeError) as error:
            np.linalg.norm(t, axis=axis)
        assert str(error.value) == (
            f"linalg.norm() takes as axis an integer or a tuple, not the list {axis}; give it tuple(axis)"
        )


def test_the_order_of_a_norm_is_a_number() -> None:
    t = Tensor([3.0, 4.0], requires_grad=True)
    assert np.linalg.norm(t, ord=Tensor(1.0)).item() == 7
    with pytest.raises(NotDifferentiableError) as error:
        np.linalg.norm(t, ord=Tensor(1.0, requires_grad=True))
    assert str(error.value) == (
        "vector_norm() is not differentiable in its argument 'ord', and Tensor(float64 ()) requires grad; "
        "use t.detach() there if its gradient is not wanted"
    )
    with pytest.raises(ShapeError) as error:
        np.linalg.norm(t[None], ord=Tensor(1.0))
    assert str(error.value) == (
        "linalg.norm() of shape (1, 2) with axis=None and ord=Tensor(1.): a vector norm takes one axis and a "
        "number, a matrix norm two axes and 'fro' or one of 'nuc', 1, -1, 2, -2, inf, -inf"
    )


# The rest


def test_multi_dot_needs_two_arrays() -> None:
    with pytest.raises(ShapeError) as error:
        np.linalg.multi_dot([Tensor(np.ones((2, 2)), requires_grad=True)])
    assert str(error.value) == "multi_dot() takes at least two arrays, not 1"


def test_lstsq_of_dependent_columns_is_the_smallest_solution() -> None:
    a, b = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]), Tensor([1.0, 2.0, 3.0], requires_grad=True)
    solution, residuals, rank, s = np.linalg.lstsq(a, b)
    np.testing.assert_allclose(solution.numpy(), [1, 1])
    assert residuals.shape == (0,)
    assert rank == 1
    assert s.shape == (2,)
    solution.sum().backward()
    np.testing.assert_allclose(b.grad, [1 / 3, 1 / 3, 1 / 3])


def test_lstsq_takes_one_matrix() -> None:
    with pytest.raises(ShapeError) as error:
        np.linalg.lstsq(Tensor(np.ones((2, 3, 3)), requires_grad=True), np.ones(3))
    assert str(error.value) == (
        "linalg.lstsq() takes one matrix, not an array of shape (2, 3, 3); np.linalg.pinv takes stacks"
    )


def test_the_zeroth_power_is_the_identity_and_requires_no_grad() -> None:
    power = np.linalg.matrix_power(Tensor(np.full((2, 2), np.inf), requires_grad=True), 0)
    np.testing.assert_array_equal(power.numpy(), np.eye(2))
    assert not power.requires_grad


def test_cond_of_singular_matrices() -> None:
    for p in (None, 2, -2):
        assert np.linalg.cond(Tensor(np.zeros((2, 2)), requires_grad=True), p).item() == math.inf
    assert np.linalg.cond(Tensor(np.diag([1.0, 0.0]), requires_grad=True)).item() == math.inf
    with pytest.raises(SingularError):
        np.linalg.cond(Tensor(np.zeros((2, 2)), requires_grad=True), 1)


def test_cond_of_empty_matrices() -> None:
    for p in (None, 1, 2, "fro"):
        with pytest.raises(SingularError) as error:
            np.linalg.cond(Tensor(np.ones((2, 0, 0)), requires_grad=True), p)
        assert str(error.value) == (
            "linalg.cond() of an array of shape (2, 0, 0): an empty matrix has no condition number; "
            "give it matrices with elements"
        )
    assert np.linalg.cond(Tensor(np.ones((0, 2, 2)))).shape == (0,)


@pytest.mark.parametrize("order", [None, 1, -1, 2, -2, "nuc", math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [int, np.uint8, bool])
def test_norms_of_integers_are_floats_as_in_numpy(order: Any, dtype: Any) -> None:
    x = np.array([[1, 0], [1, 1]], dtype)
    norm = np.linalg.norm(Tensor(x), order)
    assert norm.dtype == np.float64
    assert norm.item() == pytest.approx(np.linalg.norm(x, order))


def test_the_exponent_of_a_matrix_is_an_integer_and_stays_as_it_is() -> None:
    n = np.array(3)
    np.testing.assert_array_equal(np.linalg.matrix_power(Tensor([[2.0]]), n).data, [[8.0]])  # type: ignore[call-overload]
    assert n == 3
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        np.linalg.matrix_power(Tensor([[2.0]]), 0.5)  # type: ignore[call-overload]


def test_only_square_matrices_have_powers() -> None:
    with pytest.raises(ShapeError) as error:
        np.linalg.matrix_power(Tensor(np.ones((2, 3))), 1)
    assert str(error.value) == "linalg.matrix_power() takes square matrices, of shape (..., n, n), not (2, 3)"


def test_no_order_of_a_vector_norm_is_2() -> None:
    x = Tensor([3.0, 4.0], requires_grad=True)
    np.linalg.vector_norm(x, ord=None).backward()  # type: ignore[call-overload]
    np.testing.assert_allclose(x.grad, [0.6, 0.8])
