"""Products: hand-computed gradients, errors, and what the samples cannot say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd import Tensor, grad
from autograd.errors import NotDifferentiableError, ShapeError
from autograd.rules.products import matmul_x, matmul_y


def gradients(f: Any, *args: Any) -> list[Any]:
    """The gradients of the sum of ``f(*args)``."""
    tensors = [Tensor(np.asarray(a, float), requires_grad=True) for a in args]
    out = f(*tensors)
    out.backward(np.ones(out.shape))
    return [t.grad for t in tensors]


def test_matmul_by_hand() -> None:
    x, y = [[1, 2], [3, 4]], [[5, 6], [7, 8]]
    gx, gy = gradients(np.matmul, x, y)
    np.testing.assert_array_equal(gx, [[11, 15], [11, 15]])
    np.testing.assert_array_equal(gy, [[4, 4], [6, 6]])


def test_matmul_with_itself_is_two_edges() -> None:
    (g,) = gradients(lambda x: x @ x, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(g, [[7, 11], [9, 13]])


def test_a_broadcast_factor_of_matmul_gets_the_sum_over_the_stack() -> None:
    gx, gy = gradients(np.matmul, np.ones((2, 3)), np.ones((4, 3, 5)))
    np.testing.assert_array_equal(gx, np.full((2, 3), 20))
    np.testing.assert_array_equal(gy, np.full((4, 3, 5), 2))


def test_matmul_adjoint_is_one_product() -> None:
    """For matrices the contribution to x is ``g @ y.T``, and nothing else is computed."""
    calls = []

    class Counted(np.ndarray):
        def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            calls.append(ufunc)
            return getattr(ufunc, method)(*[np.asarray(a) for a in args], **kwargs)

    x, y, g = [np.ones(shape).view(Counted) for shape in ((2, 3), (3, 4), (2, 4))]
    assert matmul_x(g, y).shape == x.shape
    assert matmul_y(g, x).shape == y.shape
    assert calls == [np.matmul, np.matmul]


def test_operators_with_arrays_and_lists() -> None:
    t = Tensor([1.0, 2.0], requires_grad=True)
    for product in ([[1, 2], [3, 4]] @ t, np.array([[1, 2], [3, 4]]) @ t, np.matmul([[1, 2], [3, 4]], t)):
        t.grad = None
        product.backward(np.ones(2))
        np.testing.assert_array_equal(t.grad, [4, 6])
    for product in (t @ [[1, 2], [3, 4]], t.dot([[1, 2], [3, 4]]), np.tensordot(t, [[1, 2], [3, 4]], 1)):
        t.grad = None
        product.backward(np.ones(2))
        np.testing.assert_array_equal(t.grad, [3, 7])


def test_matmul_shape_error() -> None:
    x = Tensor(np.ones((2, 3)), requires_grad=True, name="x")
    with pytest.raises(ShapeError) as error:
        x @ np.ones((2, 3))
    assert str(error.value) == (
        "matmul(Tensor(float64 (2, 3) 'x'), array(float64 (2, 3))): matmul: Input operand 1 has a mismatch in its core "
        "dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) (size 2 is different from 3); "
        "reshape, transpose or index the operands so that they fit"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda t: np.dot(t, np.ones(2)),
            "dot(Tensor(float64 (2, 3)), array(float64 (2,))): shapes (2,3) and (2,) not aligned: "
            "3 (dim 1) != 2 (dim 0); reshape, transpose or index the operands so that they fit",
        ),
        (
            lambda t: np.einsum("ij->ik", t),
            "einsum('ij->ik', Tensor(float64 (2, 3))): einstein sum subscripts string included output subscript "
            "'k' which never appeared in an input; reshape, transpose or index the operands so that they fit",
        ),
        (
            lambda t: np.einsum("ij,jk", t),
            "einsum('ij,jk', Tensor(float64 (2, 3))): more operands provided to einstein sum function than "
            "specified in the subscripts string; reshape, transpose or index the operands so that they fit",
        ),
        (
            lambda t: np.linalg.outer(t, t),
            "linalg.outer() takes two vectors, not shapes (2, 3) and (2, 3); np.outer flattens its arguments",
        ),
        (
            lambda t: np.cross(t, np.ones(4)),
            "cross() of vectors of lengths 3 and 4, from shapes (2, 3) and (4,); "
            "both must have length 3 along their axis",
        ),
        (
            lambda t: np.linalg.cross(t, t, axis=0),
            "linalg.cross() takes vectors of length 3 along axis 0, not shapes (2, 3) and (2, 3)",
        ),
    ],
)
def test_shape_errors(call: Any, message: str) -> None:
    with pytest.raises(ShapeError) as error:
        call(Tensor(np.ones((2, 3)), requires_grad=True))
    if "more operands" in message:  # the wording is NumPy's own, and has changed between its versions
        assert str(error.value).startswith("einsum('ij,jk', Tensor(float64 (2, 3))): ")
    else:
        assert str(error.value) == message


def test_out_is_refused() -> None:
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    for call in (
        lambda out: np.dot(t, t, out=out),
        lambda out: np.outer(t, t, out=out),
        lambda out: np.trace(t, out=out),
        lambda out: np.einsum("ij->ji", t, out=out),
    ):
        assert isinstance(call(None), Tensor)
        with pytest.raises(NotDifferentiableError, match=r"takes no out=: writing its result into an array"):
            call(np.ones((2, 2)))


def test_einsum_by_hand() -> None:
    np.testing.assert_array_equal(gradients(lambda a: np.einsum("ii", a), np.ones((2, 2)))[0], np.eye(2))
    np.testing.assert_array_equal(gradients(lambda a: np.einsum("ij->i", a), np.ones((2, 3)))[0], np.ones((2, 3)))
    ga, gb = gradients(lambda a, b: np.einsum("i,i->", a, b), [1, 2], [3, 4])
    np.testing.assert_array_equal(ga, [3, 4])
    np.testing.assert_array_equal(gb, [1, 2])
    ga, gb = gradients(lambda a, b: np.einsum("ij,ij->", a, b), np.ones((1, 3)), np.full((4, 3), 2))
    np.testing.assert_array_equal(ga, [[8, 8, 8]])
    np.testing.assert_array_equal(gb, np.ones((4, 3)))


def test_einsum_takes_a_contraction_path() -> None:
    a, b, c = np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 2))
    path = np.einsum_path("ij,jk,kl->il", a, b, c)[0]
    got = gradients(lambda *t: np.einsum("ij,jk,kl->il", *t, optimize=path), a, b, c)
    for g, expected in zip(got, [8, 4, 6], strict=True):
        assert (g == expected).all()


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) >= "2.5.0", reason="NumPy refuses such vectors since 2.5")
def test_cross_of_vectors_in_the_plane_warns_as_numpy_does() -> None:
    with pytest.warns(DeprecationWarning, match="Arrays of 2-dimensional vectors are deprecated"):
        ga, gb = gradients(np.cross, [1, 2], [3, 5])
    np.testing.assert_array_equal(ga, [5, -3])
    np.testing.assert_array_equal(gb, [-2, 1])
    a, b = np.array([[1.0, 2.0]]), np.array([3.0, 4.0, 5.0])
    for x, y in [(a, b), (b, a), (a, a)]:
        with pytest.warns(DeprecationWarning, match="Arrays of 2-dimensional vectors are deprecated") as warned:
            result = np.cross(Tensor(x), y)
        assert [warning.filename for warning in warned] == [__file__]
        with pytest.warns(DeprecationWarning, match=str(warned[0].message).replace("(", r"\(").replace(")", r"\)")):
            np.testing.assert_array_equal(result.numpy(), np.cross(x, y))


def test_convolve_by_hand() -> None:
    ga, gv = gradients(np.convolve, [1, 2, 3], [4, 5])
    np.testing.assert_array_equal(ga, [9, 9, 9])
    np.testing.assert_array_equal(gv, [6, 6])
    ga, gv = gradients(lambda a, v: np.convolve(a, v, "valid"), [1, 2, 3], [4, 5])
    np.testing.assert_array_equal(ga, [5, 9, 4])
    np.testing.assert_array_equal(gv, [5, 3])
    ga, gv = gradients(np.correlate, [1, 2, 3], [4, 5])
    np.testing.assert_array_equal(ga, [4, 9, 5])
    np.testing.assert_array_equal(gv, [3, 5])


def test_float32_stays_float32() -> None:
    t = Tensor(np.ones((2, 2), np.float32), requires_grad=True)
    for out in (
        t @ t,
        np.dot(t, t),
        np.tensordot(t, t),
        np.einsum("ii->i", t),
        np.kron(t, t),
        np.outer(t, t),
        np.trace(t),
        np.convolve(t[0], t[1]),
    ):
        assert out.dtype == np.float32
        t.grad = None
        out.backward(np.ones(out.shape, np.float32))
        assert t.grad.dtype == np.float32


def test_vecdot_along_an_axis_and_of_matrices_with_options() -> None:
    g, _ = gradients(lambda a, b: np.vecdot(a, b, axis=0), np.ones((3, 2)), np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(g, np.arange(6).reshape(3, 2))
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(NotDifferentiableError) as error:
        np.matmul(t, t, dtype=np.float32)
    assert str(error.value) == (
        "np.matmul of a Tensor takes no dtype=; use np.where(condition, …) and astype(dtype) on its result"
    )


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="NumPy has them since 2.2")
@pytest.mark.parametrize(
    ("name", "operand", "core"), [("matvec", 0, "(m,n),(n)->(m)"), ("vecmat", 1, "(n),(n,m)->(m)")]
)
def test_products_of_a_matrix_and_a_vector_take_a_matrix(name: str, operand: int, core: str) -> None:
    with pytest.raises(ShapeError) as error:
        getattr(np, name)(Tensor(np.ones(3), requires_grad=True), np.ones(3))
    assert str(error.value) == (
        f"{name}(Tensor(float64 (3,)), array(float64 (3,))): {name}: Input operand {operand} does not have enough "
        f"dimensions (has 1, gufunc core with signature {core} requires 2); "
        "reshape, transpose or index the operands so that they fit"
    )


def test_einsum_takes_no_dtype() -> None:
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    for options in ({"dtype": np.float32}, {"order": "F", "casting": "no"}):
        with pytest.raises(NotDifferentiableError) as error:
            np.einsum("ii", t, **options)
        assert str(error.value) == (
            f"einsum() of a Tensor takes no {' or '.join(options)}=; "
            "apply that part in a call of its own, such as t.astype(dtype)"
        )


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="since NumPy 2.2")
@pytest.mark.parametrize("function", ["matvec", "vecmat"])
def test_one_matrix_times_as_many_vectors_as_it_has_rows(function: str) -> None:
    f, vectors = getattr(np, function), np.arange(9.0).reshape(3, 3)
    product = (lambda w: f(w, vectors)) if function == "matvec" else (lambda w: f(vectors, w))
    gradient = grad(lambda w: np.sum(product(w)))(np.eye(3))
    rows = np.broadcast_to(vectors.sum(0), (3, 3))
    np.testing.assert_array_equal(gradient, rows if function == "matvec" else rows.T)


@pytest.mark.parametrize(
    ("mode", "expected"), [(0, [2, 3, 3, 1]), (1, [3, 3, 3, 1]), (2, [3, 3, 3, 3]), ("same", [3, 3, 3, 1])]
)
def test_modes_of_convolution_as_numbers(mode: Any, expected: list[int]) -> None:
    gradient = grad(lambda x: np.sum(np.convolve(x, np.array([1.0, 2.0]), mode)))(np.arange(4.0))
    np.testing.assert_array_equal(gradient, expected)
