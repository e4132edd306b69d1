"""What happens at the edges. Each test carries the number of a decision; README.md's section on behaviour lists them.

Values are computed by hand unless a comment says otherwise.
"""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import math
import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor, compiled, enable_grad, grad, hessian, hvp, linearize, no_grad, vjp
from autograd.chain_rule import pushforward
from autograd.errors import DtypeError, GraphError, NotDifferentiableError, OutOfRangeError, ShapeError, SingularError
from autograd.recording import RECORDER


def var(value: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    return Tensor(value, requires_grad=True, dtype=dtype, name=name)


def gradient(f: Any, *values: Any) -> Any:
    """The gradients of the sum of f's result, by a backward walk from tensors."""
    tensors = [var(value) for value in values]
    np.sum(f(*tensors)).backward()
    grads = [t.grad for t in tensors]
    return grads[0] if len(grads) == 1 else grads


# Values, dtypes, shapes


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 1), (2, 0), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_01_a_gradient_has_the_shape_and_dtype_of_its_tensor(shape: tuple[int, ...], dtype: Any) -> None:
    t = var(np.ones(shape, dtype))
    (t * 2 + np.ones((4, *shape), dtype)).sum().backward()
    assert t.grad.shape == shape
    assert t.grad.dtype == dtype
    np.testing.assert_array_equal(t.grad, np.full(shape, 8))


def test_02_python_numbers_are_weak_and_numpy_scalars_strong() -> None:
    t = var([1.0, 2.0], np.float32)
    loss = ((t * 2.0 + 1) / 3 - 1e-5).mean() ** 2
    assert loss.dtype == np.float32
    loss.backward()
    assert t.grad.dtype == np.float32
    assert (t * np.float64(2)).dtype == np.float64


def test_03_a_float32_parameter_keeps_float32_under_float64_data() -> None:
    w = var(np.ones((3, 2)), np.float32)
    out = np.ones((4, 3)) @ w
    assert out.dtype == np.float64
    out.sum().backward()
    assert w.grad.dtype == np.float32
    np.testing.assert_array_equal(w.grad, np.full((3, 2), 4))


def test_04_gradients_of_float16_are_summed_in_float32() -> None:
    t = var(1.0, np.float16)
    (t * np.full(4096, 1.0, np.float16)).sum(dtype=np.float32).backward()
    assert t.grad == 4096  # float16 steps by 4 there, and a running sum of ones stops at 2048
    assert t.grad.dtype == np.float16


@pytest.mark.parametrize("data", [1, [1, 2], True, np.arange(3), np.array([True])])
def test_05_integers_and_booleans_are_data_only(data: Any) -> None:
    assert not Tensor(data).requires_grad
    with pytest.raises(DtypeError, match="use a floating dtype"):
        Tensor(data, requires_grad=True)


def test_05_objects_and_strings_are_refused() -> None:
    message = (
        "a Tensor holds numbers, not dtype {}; give it numbers in a rectangular nesting of lists, "
        "or use np.stack to join tensors"
    )
    refused: list[tuple[Any, str]] = [
        ("text", "<U4"),
        (np.array([None]), "object"),
        (None, "object"),
        ({}, "object"),
    ]
    for data, dtype in refused:
        with pytest.raises(DtypeError) as caught:
            Tensor(data)
        assert str(caught.value) == message.format(dtype)


class Sparse:
    """As much of a sparse array as one is told by."""

    shape = (2,)

    def toarray(self) -> Any:
        return np.ones(2)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (np.ones((2, 2)).view(np.matrix), "a matrix of shape (2, 2) computes by rules of its own; use np.asarray(m)"),
        (np.ma.array([1.0, 2.0]), "a MaskedArray of shape (2,) computes by rules of its own; use a.filled(0)"),
        (Sparse(), "a Sparse of shape (2,) computes by rules of its own; use a.toarray()"),
    ],
    ids=["matrix", "masked", "sparse"],
)
def test_05_arrays_with_rules_of_their_own_are_refused(value: Any, error: str) -> None:
    t = var([1.0, 2.0])
    for operation, apply in (
        ("multiply() of a Tensor", lambda: t * value),
        ("maximum() of a Tensor", lambda: np.maximum(t, value)),
        ("where() of a Tensor", lambda: np.where(True, value, t)),
        ("stack() of a Tensor", lambda: np.stack([t, value])),
        *([("a Tensor holds arrays and numbers", lambda: t > value)] if isinstance(value, np.ndarray) else []),
        ("a Tensor holds arrays and numbers", lambda: Tensor(value)),
    ):
        with pytest.raises(DtypeError) as caught:
            apply()
        assert str(caught.value) == f"{operation}: {error}"


@pytest.mark.parametrize("kind", [np.matrix, np.ma.MaskedArray])
def test_05_derivatives_by_arrays_with_rules_of_their_own_are_refused(kind: Any) -> None:
    for transform in (grad, compiled):
        with pytest.raises(DtypeError, match="computes by rules of its own"):
            transform(lambda x: (x * x).sum())(np.ones((2, 2)).view(kind))


def test_05_a_masked_array_does_not_lose_the_graph() -> None:
    with pytest.raises(NotDifferentiableError, match="would lose the graph"):
        np.ma.array([1.0, 2.0]) * var([1.0, 2.0])


def test_05_other_libraries_arrays_are_refused() -> None:
    class Foreign:
        dtype, shape, __array_priority__ = "foreign.float64", (2,), 1

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.ones(2)

        def __array_wrap__(self, array: Any, context: Any, return_scalar: bool) -> Any:
            return self

    with pytest.raises(DtypeError) as caught:
        np.maximum(var([1.0, 2.0]), Foreign())
    assert str(caught.value) == (
        "maximum() of a Tensor gives complex numbers, words or objects, which are not supported; use real numbers, and "
        "the .numpy() of another library's tensors"
    )


def test_06_complex_numbers_are_refused() -> None:
    with pytest.raises(DtypeError, match="complex numbers are not supported yet"):
        Tensor(1j)
    with pytest.raises(DtypeError, match="complex"):
        var(2.0) * 1j


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4)[:, ::2],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6.0).reshape(2, 3)[::-1, ::-1],
        np.broadcast_to(np.arange(3.0), (2, 3)),
        np.zeros((0, 3)),
    ],
    ids=["strided", "fortran", "negative strides", "read-only", "empty"],
)
def test_07_every_layout_is_a_correct_input_and_is_never_written_to(array: np.ndarray) -> None:
    before = array.copy()
    t = var(array)
    loss = (np.exp(t) * array).sum()
    loss.backward()
    np.testing.assert_allclose(t.grad, np.exp(before) * before)
    with no_grad():
        t -= 1
    np.testing.assert_array_equal(array, before)


def test_07_empty_reductions_follow_numpy() -> None:
    empty = var(np.zeros(0))
    assert empty.sum().item() == 0
    with pytest.raises(ShapeError, match="zero-size array"):
        empty.max()


SIZES = [(4,), (3, 4), (2, 3, 4)]


@pytest.mark.parametrize("left", [(4,), (3, 4), (2, 3, 4), (1, 3, 4)])
@pytest.mark.parametrize("right", [(4,), (4, 5), (2, 4, 5), (6, 1, 4, 5)])
def test_08_matmul_in_all_combinations(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=left), rng.normal(size=right)
    da, db = gradient(lambda x, y: x @ y, a, b)
    assert da.shape == left
    assert db.shape == right
    step = 1e-6
    for array, derivative, other in ((a, da, lambda v: v @ b), (b, db, lambda v: a @ v)):
        u = rng.normal(size=array.shape)
        numeric = (other(array + step * u).sum() - other(array - step * u).sum()) / (2 * step)
        np.testing.assert_allclose((derivative * u).sum(), numeric, rtol=1e-6, atol=1e-7)


def test_08_einsum_repeated_summed_and_ellipsis_indices() -> None:
    a = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(gradient(lambda t: np.einsum("ii->", t), a), np.eye(3))
    np.testing.assert_array_equal(gradient(lambda t: np.einsum("ij->j", t), a), np.ones((3, 3)))
    np.testing.assert_array_equal(
        gradient(lambda t: np.einsum("...j,j->...", t, np.arange(3.0)), a), np.tile([0, 1, 2], (3, 1))
    )


def test_08_negative_axes_and_tuples_of_axes() -> None:
    a = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(
        gradient(lambda t: t.sum(axis=(0, -1)) * np.array([1.0, 2, 3]), a)[0, :, 0], [1, 2, 3]
    )
    np.testing.assert_array_equal(gradient(lambda t: np.transpose(t, (-1, 0, 1))[1], a)[:, :, 1], np.ones((2, 3)))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (1, [0, 1, 0, 0]),
        (-1, [0, 0, 0, 1]),
        (slice(None, None, -2), [0, 1, 0, 1]),
        (Ellipsis, [1, 1, 1, 1]),
        (None, [1, 1, 1, 1]),
        (np.array([True, False, False, True]), [1, 0, 0, 1]),
        ([0, 0, -1, 0], [3, 0, 0, 1]),
        (np.array([], int), [0, 0, 0, 0]),
        (np.zeros((2, 2), int), [4, 0, 0, 0]),
    ],
    ids=str,
)
def test_09_indexing_adds_up_repeats(key: Any, expected: list[int]) -> None:
    np.testing.assert_array_equal(gradient(lambda t: t[key], np.arange(4.0)), expected)


def test_09_out_of_range_raises_index_error() -> None:
    with pytest.raises(OutOfRangeError) as caught:
        var([1.0, 2.0], name="w")[5]
    assert str(caught.value) == (
        "index(Tensor(float64 (2,) 'w'), 5): index 5 is out of bounds for axis 0 with size 2; "
        "indices run from -n to n - 1, axes from -ndim to ndim - 1"
    )
    assert isinstance(caught.value, IndexError)


# Kinks and singular points


def test_10_kinks() -> None:
    assert gradient(autograd.relu, 0.0) == 0
    assert gradient(lambda t: np.maximum(t, 0), 0.0) == 0.5
    assert gradient(np.abs, 0.0) == 0
    np.testing.assert_array_equal(gradient(lambda t: np.clip(t, -1, 1), np.array([-2.0, -1, 0, 1, 2])), [0, 1, 1, 1, 0])


def test_11_ties_share_evenly() -> None:
    np.testing.assert_allclose(gradient(np.max, np.array([1.0, 3, 3, 3])), [0, 1 / 3, 1 / 3, 1 / 3])
    np.testing.assert_allclose(gradient(np.median, np.array([2.0, 2, 2])).sum(), 1)
    x, y = gradient(np.minimum, np.ones(2), np.ones(2))
    np.testing.assert_array_equal([x, y], np.full((2, 2), 0.5))
    many = var(np.ones(4096), np.float16)
    many.max().backward()
    np.testing.assert_allclose(
        many.grad.astype(float).sum(), 1, rtol=1e-3
    )  # 4097 is not a float16: counts are integers


def test_12_a_zero_upstream_contributes_zero() -> None:
    x = np.array([-1.0, 0.0, 4.0])
    with np.errstate(invalid="ignore", divide="ignore"):
        np.testing.assert_allclose(gradient(lambda t: np.where(x > 0, np.sqrt(t), 0), x), [0, 0, 0.25])
        np.testing.assert_allclose(gradient(lambda t: np.where(x > 0, np.log(t), 0), x), [0, 0, 0.25])
        np.testing.assert_allclose(gradient(lambda t: np.where(x > 0, 1 / t, 0), x), [0, 0, -1 / 16])
        np.testing.assert_allclose(gradient(lambda t: np.where(x > 0, t**0.5, 0), x), [0, 0, 0.25])
    assert gradient(np.sqrt, 0.0) == math.inf


@pytest.mark.parametrize("function", [np.exp, np.exp2, np.expm1, np.sinh, np.cosh])
def test_12_behind_a_mask_exponentials_may_overflow(function: Any) -> None:
    x = np.array([1.0, 5000.0])
    with np.errstate(over="ignore"):
        slopes = gradient(lambda t: np.where(x < 10, function(t), 0), x)
        np.testing.assert_allclose(slopes, [gradient(function, 1.0), 0])
        softplus = gradient(lambda t: np.where(x > 20, t, np.log1p(np.exp(t))), x)
        np.testing.assert_allclose(softplus, [1 / (1 + np.exp(-1)), 1])


def test_12_behind_a_mask_arrays_may_be_of_a_kind_of_their_own() -> None:
    class Own(np.ndarray):
        pass

    with np.errstate(all="ignore"):
        for x in (np.array([0.0, 4.0]).view(Own), np.array([-1.0, 4.0]).view(Own)):
            slopes = grad(lambda t, x=x: np.where(x > 0, np.sqrt(t) + np.log(t) + 1 / t, 0).sum())(x)
            np.testing.assert_allclose(slopes, [0, 1 / 4 + 1 / 4 - 1 / 16])


def test_12_a_zero_upstream_has_derivatives() -> None:
    """Where a residual is 0, where a product has a factor 0, and behind a mask."""

    def valley(v: Any) -> Any:
        return 100 * (v[1] - v[0] ** 2) ** 2 + (1 - v[0]) ** 2

    np.testing.assert_allclose(hessian(valley)(np.ones(2)), [[802, -400], [-400, 200]])
    residual = np.array([1.0, 4.0])
    np.testing.assert_allclose(hessian(lambda v: ((v**2 - residual) ** 2).sum())(np.sqrt(residual)), np.diag([8, 32]))
    assert grad(lambda y: grad(lambda x: y * np.log(x))(0.25))(0.0) == 4
    assert grad(lambda y: grad(lambda x: y / x)(0.5))(0.0) == -4
    x = np.array([-1.0, 0.0, 4.0])
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(
            hessian(lambda t: np.where(x > 0, np.sqrt(t), 0).sum())(x), np.diag([0, 0, -1 / 32]), atol=1e-15
        )


def test_12_behind_a_mask_the_derivatives_of_slopes_may_overflow() -> None:
    """At 800 the slope of 1 / (1 + exp(-x)) is finite where it is written so, and its derivative is not."""
    x = np.array([1.0, -800.0])

    def f(t: Any) -> Any:
        return np.where(x > 0, 1 / (1 + np.exp(-t)), 0).sum()

    s = 1 / (1 + np.exp(-1))
    with np.errstate(over="ignore"):
        for product in (lambda x, v: hvp(f, x, v), compiled(lambda x, v: hvp(f, x, v))):
            np.testing.assert_allclose(product(x, np.ones(2)), [s * (1 - s) * (1 - 2 * s), 0])


def test_12_singular_points_have_finite_gradients() -> None:
    np.testing.assert_array_equal(gradient(np.linalg.norm, np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(gradient(np.std, np.ones(3)), np.zeros(3))
    np.testing.assert_array_equal(gradient(np.hypot, 0.0, 0.0), [0, 0])
    np.testing.assert_array_equal(gradient(np.arctan2, 0.0, 0.0), [0, 0])
    assert gradient(np.sinc, 0.0) == 0


def test_13_power() -> None:
    assert gradient(lambda t: t**3, -2.0) == 12
    assert gradient(lambda t: np.power(t, 3.0), -2.0) == 12
    assert gradient(lambda t: t**0, 0.0) == 0
    assert gradient(lambda t: 0.0**t, 2.0) == 0
    x = var([0.0, 2.0])
    (x**2).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 4])


def test_14_products_with_zeros() -> None:
    np.testing.assert_array_equal(gradient(np.prod, np.array([2.0, 0, 3])), [0, 6, 0])
    np.testing.assert_array_equal(gradient(np.prod, np.array([0.0, 0, 3])), [0, 0, 0])
    np.testing.assert_array_equal(gradient(np.cumprod, np.array([2.0, 0, 3])), [1, 8, 0])


@pytest.mark.parametrize("z", [-1000.0, 0.0, 1000.0])
def test_15_shifted_forms_do_not_overflow(z: float) -> None:
    logits = np.array([z, 0.0])
    for f in (autograd.log_softmax, autograd.softmax, autograd.sigmoid, autograd.softplus, autograd.logsumexp):
        assert np.isfinite(gradient(f, logits)).all()
    with np.errstate(under="ignore"):
        assert np.isfinite(gradient(lambda t: np.logaddexp(0, -t), logits)).all()


def test_15_minus_infinity() -> None:
    t = var([-np.inf, -np.inf])
    value = autograd.logsumexp(t)
    value.backward()
    assert value.item() == -np.inf
    np.testing.assert_array_equal(t.grad, [0, 0])
    assert np.isfinite(gradient(np.logaddexp, -np.inf, -np.inf)).all()


def test_15_cross_entropy_from_logits_at_200() -> None:
    z = var(200.0)
    loss = autograd.softplus(z) - 0.0 * z
    loss.backward()
    assert loss.item() == 200
    assert z.grad == 1


def test_16_nan_propagates() -> None:
    for f in (np.exp, np.sin, autograd.relu, autograd.sigmoid, np.sqrt, np.log, np.max, lambda t: t * 2 + t**2):
        t = var(np.nan)
        out = f(t)
        out.backward()
        assert np.isnan(out.item())
        assert np.isnan(gradient(lambda t: t * t, np.nan))


def test_17_singular_matrices() -> None:
    with pytest.raises(SingularError, match="inv"):
        np.linalg.inv(var(np.zeros((2, 2))))
    np.testing.assert_allclose(gradient(np.linalg.det, np.array([[1.0, 2], [2, 4]])), [[4, -2], [-2, 1]], atol=1e-12)
    assert np.isfinite(gradient(lambda t: np.linalg.eigh(t)[0], np.eye(3))).all()


# The graph


def test_18_each_node_runs_once_after_all_its_consumers() -> None:
    x = var(2.0)
    shared = x * x
    steps = []
    shared.register_hook(lambda g: steps.append(g))
    (shared * 3 + shared * shared).backward()
    assert steps == [3 + 2 * 4]
    assert x.grad == 11 * 4


def test_18_a_plus_a_is_two_edges() -> None:
    a = var(3.0)
    b = a + a
    assert len([arg for arg in b.node.args if arg is a.node]) == 2
    b.backward()
    assert a.grad == 2


def test_19_a_seed_is_needed_and_must_fit() -> None:
    t = var(np.ones((2, 3)), name="t")
    with pytest.raises(ShapeError) as caught:
        t.backward()
    assert str(caught.value) == (
        "backward() of Tensor(float64 (2, 3) 't') needs a seed of shape (2, 3), since it is not a scalar; "
        "call .sum().backward(), or backward(seed)"
    )
    with pytest.raises(ShapeError) as caught:
        t.backward(np.ones(3))
    assert str(caught.value) == (
        "a seed of shape (3,) and dtype float64 does not fit Tensor(float64 (2, 3) 't'); "
        "it must have shape (2, 3) and dtype float64"
    )
    with pytest.raises(DtypeError, match="dtype float32 does not fit"):
        t.backward(np.ones((2, 3), np.float32))
    t.backward(np.full((2, 3), 2.0))
    np.testing.assert_array_equal(t.grad, np.full((2, 3), 2))


def test_20_a_second_backward_raises_and_retaining_doubles() -> None:
    x = var(2.0)
    y = x * x
    y.backward()
    with pytest.raises(GraphError) as caught:
        y.backward()
    line = test_20_a_second_backward_raises_and_retaining_doubles.__code__.co_firstlineno + 3
    assert str(caught.value) == (
        f"this graph was released by the backward() call at test_semantics.py:{line}; "
        "pass retain_graph=True to that call to walk the graph again"
    )
    assert x.grad == 4
    x.grad = None
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 8


def test_21_a_gradient_aliases_nothing() -> None:
    x, y = var(np.ones(3)), var(np.ones(3))
    assert x.grad is None
    seed = np.ones(3)
    (x + y).backward(seed)
    for array in (seed, y.grad):
        assert not np.shares_memory(x.grad, array)
    before = x.grad
    (x + y).backward(seed)
    np.testing.assert_array_equal(before, np.ones(3))
    np.testing.assert_array_equal(x.grad, np.full(3, 2))
    z = var(np.ones((2, 2)))
    z.sum().backward()
    z.grad += 1
    np.testing.assert_array_equal(z.grad, np.full((2, 2), 2))


@pytest.mark.parametrize("requires_grad", [False, True])
def test_21_a_tensor_as_seed_leaves_arrays(requires_grad: bool) -> None:
    x, seed = var([1.0, 2.0]), Tensor([3.0, 4.0], requires_grad=requires_grad)
    x.backward(seed)
    assert type(x.grad) is np.ndarray
    assert not np.shares_memory(x.grad, seed.data)
    (x * x).backward(seed)
    (x * x).backward(np.ones(2))
    assert type(x.grad) is np.ndarray
    np.testing.assert_array_equal(x.grad, [11, 24])
    x.grad = None
    (x * x).backward(seed, create_graph=True)
    assert isinstance(x.grad, Tensor)
    np.testing.assert_array_equal(x.grad.data, [6, 16])


def test_22_the_gradient_of_a_computed_tensor_is_kept_on_demand() -> None:
    x = var(2.0)
    y = x * 3
    z = y * y
    with pytest.raises(GraphError) as caught:
        _ = y.grad
    assert str(caught.value) == (
        "the gradient of Tensor(float64 ()), computed by 'multiply', is not kept; "
        "call retain_grad() on it before backward()"
    )
    y.retain_grad()
    z.backward()
    assert y.grad == 12


def test_23_graphs_are_freed_by_reference_counting() -> None:
    w = var(np.ones((4, 4)))

    def step() -> None:
        loss = np.tanh(np.ones((2, 4)) @ w).sum()
        loss.backward()
        with no_grad():
            w.data = w.data - 0.1 * w.grad
        w.grad = None

    step()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(30):
            step()
        assert len(gc.get_objects()) - before < 10
    finally:
        gc.enable()


def test_23_a_million_operations() -> None:
    x = h = var(1.0)
    for _ in range(1_000_000):
        h = h + 1.0
    assert str(h) == "Tensor(1000001., op=add)"
    assert str(h.graph()).endswith("… 999,976 more nodes")
    assert pushforward({x.node: np.float64(1)}, [h.node], RECORDER, record=False)[h.node] == 1
    h.backward()
    assert x.grad == 1
    del h


def test_24_no_grad_is_restored_on_exceptions_and_nests() -> None:
    x = var(1.0)

    @no_grad()
    def plain() -> Tensor:
        return x * 2

    assert not plain().requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        _ = 1 / 0
    assert (x * 2).requires_grad
    with no_grad():
        with enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad


def test_24_a_bare_decorator_is_enough() -> None:
    x = var(1.0)

    @no_grad
    def double(t: Tensor, *, by: float = 2.0) -> Tensor:
        """Return a multiple."""
        return t * by

    assert (double.__name__, double.__doc__) == ("double", "Return a multiple.")
    assert not double(x, by=3.0).requires_grad
    assert no_grad()(enable_grad(lambda: x * 2))().requires_grad
    assert (x * 2).requires_grad


def test_24_each_step_of_a_generator_runs_in_the_mode_it_was_decorated_with() -> None:
    x = var(1.0)

    def records() -> bool:
        return (x * 2).requires_grad

    seen = []

    @no_grad()
    def quiet(first: Any) -> Any:
        got = yield first, records()
        try:
            yield got, records()
        except KeyError as error:
            yield error, records()
        try:
            yield "last", records()
        finally:
            seen.append(records())

    assert inspect.isgeneratorfunction(quiet)
    steps, error = quiet("first"), KeyError()
    for step, expected in (
        (lambda: next(steps), ("first", False)),
        (lambda: steps.send("sent"), ("sent", False)),
        (lambda: steps.throw(error), (error, False)),
        (lambda: next(steps), ("last", False)),
    ):
        assert step() == expected
        assert records()
    steps.close()
    assert seen == [False]
    assert records()

    @enable_grad()
    def loud() -> Any:
        yield records()
        return records()

    def outer() -> Any:
        yield (yield from loud())

    with no_grad():
        for recorded in outer():
            assert recorded
            assert not records()


def test_24_each_step_of_a_coroutine_runs_in_the_mode_it_was_decorated_with() -> None:
    x = var(1.0)

    def records() -> bool:
        return (x * 2).requires_grad

    @no_grad()
    async def quiet() -> list[bool]:
        before = records()
        await asyncio.sleep(0)
        return [before, records()]

    @no_grad
    async def numbers() -> Any:
        try:
            got = yield records()
            yield got, records()
        except KeyError:
            yield "caught", records()

    async def watch() -> None:
        assert inspect.iscoroutinefunction(quiet)
        waiting = asyncio.create_task(quiet())
        await asyncio.sleep(0)
        assert records()
        assert await waiting == [False, False]
        values = numbers()
        assert await anext(values) is False
        assert records()
        assert await values.asend("sent") == ("sent", False)
        assert await values.athrow(KeyError()) == ("caught", False)
        await values.aclose()
        assert [value async for value in numbers()] == [False, (None, False)]
        cancelled = asyncio.create_task(quiet())
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert records()

    asyncio.run(watch())


def test_24_no_grad_is_private_to_a_thread_and_to_a_task() -> None:
    x = var(1.0)
    inside, outside, seen = threading.Event(), threading.Event(), []

    def quiet() -> None:
        with no_grad():
            inside.set()
            outside.wait()
            seen.append((x * 2).requires_grad)

    thread = threading.Thread(target=quiet)
    thread.start()
    inside.wait()
    assert (x * 2).requires_grad
    outside.set()
    thread.join()
    assert seen == [False]

    async def task(quietly: bool) -> bool:
        if not quietly:
            await asyncio.sleep(0)
            return (x * 2).requires_grad
        with no_grad():
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return (x * 2).requires_grad

    async def both() -> list[bool]:
        return list(await asyncio.gather(task(True), task(False)))

    assert asyncio.run(both()) == [False, True]


def test_24_threads_agree_with_the_single_threaded_result_bit_for_bit() -> None:
    shared = var(np.linspace(0, 1, 50))

    def work(seed: int) -> bytes:
        rng = np.random.default_rng(seed)
        w = var(rng.normal(size=(50, 20)))
        for _ in range(20):
            loss = np.mean(np.tanh(shared @ w) ** 2)
            loss.backward()
            with no_grad():
                w -= 0.1 * w.grad
            w.grad = None
        return w.numpy().tobytes()

    expected = [work(seed) for seed in range(8)]
    results: dict[int, bytes] = {}
    threads = [threading.Thread(target=lambda s=s: results.update({s: work(s)})) for s in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[s] for s in range(8)] == expected


def test_25_no_perturbation_confusion() -> None:
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1
    assert grad(lambda x: x * grad(lambda y: x * y)(1.0))(3.0) == 6
    w = var(5.0)
    inner = grad(lambda y: w * y * y)(2.0)
    inner.backward()
    assert w.grad == 4


def test_26_pickle_and_deepcopy_carry_leaves() -> None:
    x = var([1.0, 2.0], np.float32, "x")
    (x * 3).sum().backward()
    for twin in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert twin.requires_grad
        assert twin.name == "x"
        assert twin.dtype == np.float32
        np.testing.assert_array_equal(twin.numpy(), [1, 2])
        np.testing.assert_array_equal(twin.grad, [3, 3])
        assert not np.shares_memory(twin.numpy(), x.numpy())
    h = x
    for _ in range(10_000):
        h = h + 1
    for twin in (pickle.loads(pickle.dumps(h)), copy.deepcopy(h)):
        assert not twin.requires_grad
        np.testing.assert_array_equal(twin.numpy(), [10_001, 10_002])


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_27_an_interrupted_backward_leaves_gradients_alone(error: type[BaseException]) -> None:
    x, y = var(2.0), var(3.0)
    x.grad = 7.0

    def interrupt(g: Any) -> None:
        raise error

    y.register_hook(interrupt)
    with pytest.raises(error):
        (x * y).backward()
    assert x.grad == 7
    assert y.grad is None


# Assignment


def test_28_assignment_is_tracked_and_leaves_views_alone() -> None:
    x, v = var([1.0, 2.0, 3.0]), var(10.0)
    t = x * 1
    view = t[0:2]
    t[0] = v
    t *= 2
    t.sum().backward()
    np.testing.assert_array_equal(t.numpy(), [20, 4, 6])
    np.testing.assert_array_equal(view.numpy(), [1, 2])
    np.testing.assert_array_equal(x.grad, [0, 2, 2])
    assert v.grad == 2


def test_29_a_leaf_is_not_assigned_into_while_recording() -> None:
    w = var([1.0, 2.0], name="w")
    for change in (lambda: w.__setitem__(0, 5.0), lambda: w.__iadd__(1)):
        with pytest.raises(GraphError) as caught:
            change()
        assert str(caught.value) == (
            "Tensor(float64 (2,) 'w') is a leaf that requires grad and cannot be assigned into while operations are "
            "recorded; do it under no_grad(), or assign into a copy"
        )
    np.testing.assert_array_equal(w.numpy(), [1, 2])
    memory = w.numpy()
    w.grad = [1.0, 1.0]
    with no_grad():
        w -= 0.5 * w.grad
        w[1] = 9.0
    np.testing.assert_array_equal(memory, [0.5, 9])
    assert w.requires_grad
    assert w.is_leaf
    np.testing.assert_array_equal(w.grad, [1, 1])


def test_30_a_leaf_changed_between_forward_and_backward_is_named() -> None:
    w = var([1.0, 2.0], name="w")
    loss = (w * w).sum()
    with no_grad():
        w -= 1
    with pytest.raises(GraphError) as caught:
        loss.backward()
    assert str(caught.value) == (
        "the leaf 'w' of shape (2,) and dtype float64 was changed in place after this graph was computed from it, "
        "so its derivatives would be wrong; call backward() before the update, or compute the graph again after it"
    )
    assert w.grad is None


def test_31_the_graph_is_never_lost_silently() -> None:
    t = var([1.0, 2.0])
    with pytest.raises(NotDifferentiableError, match=r"write a = a \+ t instead of a \+= t"):
        np.ones(2).__iadd__(t)
    for convert in (lambda: np.array([t, t]), lambda: np.asarray(t), lambda: np.array(t)):
        with pytest.raises(NotDifferentiableError, match=r"np.stack.*t.detach\(\).numpy\(\)"):
            convert()
    np.testing.assert_array_equal(np.asarray(t.detach()), [1, 2])
    with pytest.raises(NotDifferentiableError) as caught:
        Tensor(t)
    assert str(caught.value) == (
        "making a new Tensor of Tensor(float64 (2,)), which requires grad, would lose the graph; "
        "use it as it is, or t.detach() for its value"
    )


def test_31_python_numbers() -> None:
    t = var(2.5)
    assert float(t) == 2.5
    assert int(t) == 2
    assert bool(t)
    assert format(t, ".3f") == f"{t:.3f}" == "2.500"
    assert t.item() == 2.5
    assert [len(var(np.ones((3, 2)))), len(list(var(np.ones((3, 2)))))] == [3, 3]
    with pytest.raises(TypeError):
        len(t)
    with pytest.raises(TypeError):
        iter(t).__next__()


def test_32_arrays_and_numpy_scalars_on_the_left_give_tensors() -> None:
    t = var([1.0, 2.0])
    for result in (np.ones(2) * t, np.ones((3, 2)) @ t, np.float64(2) * t, np.float32(2) - t, [1.0, 2.0] + t, 2 / t):  # noqa: RUF005
        assert isinstance(result, Tensor)
        assert result.requires_grad
    np.testing.assert_array_equal((t == [1.0, 5.0]).numpy(), [True, False])
    np.testing.assert_array_equal((t < 2).numpy(), [True, False])
    assert len({t, t, var([1.0, 2.0])}) == 2


# Errors


def test_39_errors_name_operation_operands_and_cure() -> None:
    w, x = var(np.ones((3, 4)), name="W"), np.ones((5, 2), np.float32)
    with pytest.raises(ShapeError) as caught:
        x @ w
    assert str(caught.value).startswith("matmul(array(float32 (5, 2)), Tensor(float64 (3, 4) 'W')): ")
    assert str(caught.value).endswith("; reshape, transpose or index the operands so that they fit")
    assert isinstance(caught.value, ValueError)
    with pytest.raises(ShapeError) as caught:
        w + np.ones(5)
    assert str(caught.value) == (
        "add(Tensor(float64 (3, 4) 'W'), array(float64 (5,))): operands could not be broadcast together with shapes "
        "(3,4) (5,); reshape, transpose or index the operands so that they fit"
    )


def test_the_walk_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradient(np.sqrt, 0.0) == np.inf
        assert gradient(lambda t: np.exp(-t), -700.0) < 0


def test_30_walks_that_pass_by_a_leaf_that_has_changed() -> None:
    x, y = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    z = (x * y).sum()
    _, pull = vjp(lambda x: np.sum(x * y), np.ones(2))
    _, linear = linearize(lambda x: np.sum(x * y), np.ones(2))
    with no_grad():
        y *= 2
    for walk in (lambda: z.backward(inputs=[x]), lambda: pull(1.0), lambda: linear(np.ones(2))):
        with pytest.raises(GraphError, match="was changed in place after this graph was computed from it"):
            walk()
    assert x.grad is None


def test_7_values_of_functions_that_are_walked_again_belong_to_the_caller() -> None:
    x = np.array([0.5, 1.0])
    for value, walk in (vjp(np.exp, x), linearize(np.exp, x)):
        before = walk(np.ones(2))
        value *= 0
        np.testing.assert_array_equal(walk(np.ones(2)), before)
    value, _ = vjp(lambda x: x, x)
    value *= 0
    np.testing.assert_array_equal(x, [0.5, 1.0])


def test_1_gradients_that_are_tensors_have_the_dtype_too() -> None:
    t = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(DtypeError) as caught:
        t.grad = Tensor([1, 2])
    assert str(caught.value) == (
        "a gradient of dtype int64 does not fit Tensor(float64 (2,)); give it t.astype(float64)"
    )
