"""Decompositions: hand-computed gradients, conventions, ties, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.chain_rule import pushforward
from autograd.errors import NotDifferentiableError, ShapeError, SingularError
from autograd.recording import RECORDER


def gradient(f: Any, a: Any) -> Any:
    t = Tensor(np.asarray(a, float), requires_grad=True)
    f(t).backward()
    return t.grad


def test_results_keep_numpys_names() -> None:
    t = Tensor([[4.0, 1.0], [1.0, 3.0]], requires_grad=True)
    for function, fields in [
        (np.linalg.slogdet, ("sign", "logabsdet")),
        (np.linalg.eigh, ("eigenvalues", "eigenvectors")),
        (np.linalg.qr, ("Q", "R")),
        (np.linalg.svd, ("U", "S", "Vh")),
    ]:
        for result in (function(t), function(t.detach())):
            assert type(result) is type(function(t.numpy()))
            assert all(isinstance(getattr(result, field), Tensor) for field in fields)


def test_cholesky_by_hand() -> None:
    """L = [[2, 0], [1, 1]]; L₂₁ = a₂₁ / √a₁₁, and the part of a₂₁ is shared with a₁₂."""
    np.testing.assert_allclose(
        gradient(lambda a: np.linalg.cholesky(a)[1, 0], [[4, 2], [2, 2]]), [[-1 / 8, 1 / 4], [1 / 4, 0]]
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda a: np.linalg.cholesky(a).sum(),
        lambda a: np.linalg.cholesky(a, upper=True).sum(),
        lambda a: np.linalg.eigh(a).eigenvectors.sum(),
        lambda a: np.linalg.eigh(a, UPLO="U").eigenvectors[0, 1],
        lambda a: np.linalg.eigvalsh(a)[0],
    ],
)
def test_functions_of_symmetric_matrices_have_symmetric_gradients(function: Any) -> None:
    g = gradient(function, [[4, 1, 0.5], [1, 3, 0.2], [0.5, 0.2, 2]])
    np.testing.assert_allclose(g, g.T, atol=1e-15)
    assert abs(g[0, 1]) > 1e-3


def test_cholesky_of_an_indefinite_matrix() -> None:
    with pytest.raises(SingularError) as error:
        np.linalg.cholesky(Tensor(-np.eye(2), requires_grad=True))
    assert str(error.value) == (
        "cholesky(Tensor(float64 (2, 2))): Matrix is not positive definite; "
        "check the matrix: its rank, its symmetry, its shape"
    )


# Equal eigenvalues


def test_eigenvalues_of_a_degenerate_matrix() -> None:
    np.testing.assert_allclose(gradient(lambda a: np.linalg.eigvalsh(a).sum(), np.eye(3)), np.eye(3))
    np.testing.assert_allclose(gradient(lambda a: (np.linalg.eigh(a)[0] ** 2).sum(), 2 * np.eye(3)), 4 * np.eye(3))


def test_functions_that_do_not_depend_on_the_choice_of_eigenvectors() -> None:
    """The logarithm of the determinant, and the projection on the plane of equal eigenvalues."""

    def logarithm(a: Any) -> Any:
        values, vectors = np.linalg.eigh(a)
        return np.trace((vectors * np.log(values)) @ vectors.T)

    def projection(a: Any) -> Any:
        vectors = np.linalg.eigh(a).eigenvectors[:, :2]
        return (vectors @ vectors.T)[0, 2]

    rotation = np.linalg.qr(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 3.0]]))[0]
    matrix = rotation @ np.diag([2.0, 2.0, 5.0]) @ rotation.T
    np.testing.assert_allclose(gradient(logarithm, matrix), np.linalg.inv(matrix), atol=1e-12)
    expected = np.zeros((3, 3))
    expected[0, 2] = expected[2, 0] = -1 / 6
    np.testing.assert_allclose(gradient(projection, np.diag([2.0, 2.0, 5.0])), expected, atol=1e-12)


def test_svd_of_a_degenerate_matrix() -> None:
    np.testing.assert_allclose(gradient(lambda a: np.linalg.svdvals(a).sum(), np.eye(3)), np.eye(3))

    def polar_factor(a: Any) -> Any:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return (u @ vh * weights).sum()

    weights = np.arange(9.0).reshape(3, 3)
    np.testing.assert_allclose(gradient(polar_factor, np.eye(3)), (weights - weights.T) / 2, atol=1e-12)
    np.testing.assert_allclose(gradient(lambda a: np.linalg.svd(a).S.sum(), np.zeros((2, 2))), np.eye(2))


# What has no derivative


def test_the_null_space_of_a_full_svd_has_no_derivative() -> None:
    a = Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]], requires_grad=True)
    u, s, vh = np.linalg.svd(a)
    assert u.shape == (3, 3)
    (u[:, :2].sum() + s.sum() + vh.sum()).backward()
    assert a.grad is not None
    message = (
        "the singular vectors of the null space of a matrix of shape (3, 2) are a matter of choice and have no "
        "derivative; use linalg.svd() with full_matrices=False"
    )
    u = np.linalg.svd(a).U
    with pytest.raises(NotDifferentiableError) as error:
        u.sum().backward()
    assert str(error.value) == message
    with pytest.raises(NotDifferentiableError) as error:
        pushforward({a.node: np.ones((3, 2))}, [np.linalg.svd(a).U.node], RECORDER, False)
    assert str(error.value) == message


def test_complete_qr_of_a_tall_matrix() -> None:
    with pytest.raises(NotDifferentiableError) as error:
        np.linalg.qr(Tensor(np.ones((3, 2)), requires_grad=True), mode="complete")
    assert str(error.value) == (
        "linalg.qr() of a Tensor of shape (3, 2) with mode='complete' is not differentiable; use mode='reduced' or 'r'"
    )


def test_qr_of_dependent_columns() -> None:
    with pytest.raises(SingularError) as error:
        gradient(lambda a: np.linalg.qr(a).R.sum(), np.zeros((3, 2)))
    assert str(error.value) == (
        "qr() of a matrix of shape (3, 2) whose columns depend on each other has no gradient; "
        "use np.linalg.svd, or fewer columns"
    )


def test_eigenvalues_of_general_matrices_are_refused() -> None:
    for function in (np.linalg.eig, np.linalg.eigvals):
        with pytest.raises(NotDifferentiableError, match=r"numpy\.linalg\.eig\w* does not take a Tensor"):
            function(Tensor(np.eye(2), requires_grad=True))


def test_qr_takes_matrices() -> None:
    with pytest.raises(ShapeError) as error:
        np.linalg.qr(Tensor([1.0, 2.0]))
    assert str(error.value) == "linalg.qr() takes matrices, of shape (..., m, n), not (2,)"
