"""Rows that users add are rows like the others, and mistakes in them are told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autograd import Tensor, differentiable, grad, gradcheck, hessian, jacobian, jvp, no_grad
from autograd.errors import DtypeError, GradcheckError, NotDifferentiableError, RowError, ShapeError
from autograd.recording import APPLY
from autograd.table import PAGES, TABLE


@pytest.fixture(autouse=True)
def own_table() -> Iterator[None]:
    """Rows that a test adds are gone after it."""
    rows, pages = dict(TABLE), dict(PAGES)
    yield
    for function in TABLE.keys() - rows.keys():
        APPLY.pop(function, None)
    for table, before in ((TABLE, rows), (PAGES, pages)):
        table.clear()
        table.update(before)


def leaf(value: Any, **options: Any) -> Tensor:
    return Tensor(value, requires_grad=True, **options)


x = np.array([0.3, -0.7, 1.1])


# Local derivatives


def test_local_derivative() -> None:
    @differentiable(local=lambda out: 1 - out * out)
    def my_tanh(x: Any) -> Any:
        """The tangent."""
        return np.tanh(x)

    assert (my_tanh.__name__, my_tanh.__doc__) == ("my_tanh", "The tangent.")
    assert isinstance(my_tanh(x), np.ndarray)
    assert my_tanh(1) == math.tanh(1)
    t = leaf(x)
    y = my_tanh(t)
    np.testing.assert_array_equal(y.data, np.tanh(x))
    y.sum().backward()
    np.testing.assert_allclose(t.grad, 1 - np.tanh(x) ** 2)
    assert gradcheck(my_tanh, x)
    assert gradcheck(lambda a: np.exp(my_tanh(a) * a), 0.5)
    np.testing.assert_allclose(grad(grad(grad(my_tanh)))(0.3), grad(grad(grad(np.tanh)))(0.3))


def test_local_derivative_by_position_for_each_argument_with_broadcasting() -> None:
    @differentiable((lambda y: y, lambda x: x))
    def product(x: Any, y: Any) -> Any:
        return x * y

    assert gradcheck(product, np.ones((2, 3)), x)
    assert gradcheck(product, 2.0, x)
    t = leaf(np.ones((2, 1)))
    product(t, x).sum().backward()
    np.testing.assert_allclose(t.grad, [[0.7], [0.7]])
    t = leaf(2.0)
    (product(3, t) + product(t, [1.0, 2.0]).sum() + product(y=t, x=True)).backward()
    assert t.grad == 3 + 3 + 1


def test_plain_numbers_for_local_derivatives_and_a_constant_with_default() -> None:
    @differentiable(local=(2, -1.0))
    def combined(x: Any, y: Any, shift: float = 0.0, *, twice: bool = False) -> Any:
        return (2 * x - y) + shift * (1 + twice)

    assert gradcheck(combined, x, 3.0, shift=1.0, twice=True)
    assert combined(leaf(1.0), 2.0, 5.0).data == 5.0
    assert combined(leaf(1.0), 2.0, shift=5.0, twice=True).data == 10.0


def test_local_derivatives_by_name() -> None:
    @differentiable(local={"x": None, "rate": lambda x, out: -x * out})
    def decay(x: Any, rate: Any = 1.0) -> Any:
        return np.exp(-rate * x)

    assert gradcheck(lambda rate: decay(x, rate), 0.5)
    with pytest.raises(NotDifferentiableError) as caught:
        decay(leaf(x), 0.5)
    assert str(caught.value) == (
        "decay() is not differentiable in its argument 'x', and Tensor(float64 (3,)) requires grad; "
        "use t.detach() there if its gradient is not wanted"
    )


def test_singular() -> None:
    @differentiable(local=lambda x: 1 / x, singular=True)
    def my_log(x: Any) -> Any:
        return np.log(x)

    t = leaf([0.0, 2.0])
    with np.errstate(divide="ignore"):
        np.where(t > 1, my_log(t), 0.0).sum().backward()
    np.testing.assert_array_equal(t.grad, [0.0, 0.5])


def test_flat() -> None:
    @differentiable(local=(None, lambda mask: 1.0 * (mask > 0)), flat=("mask",))
    def masked(mask: Any, x: Any) -> Any:
        return np.where(mask > 0, x, 0)

    m, t = leaf([1.0, -1.0]), leaf([3.0, 4.0])
    masked(m, t).sum().backward()
    np.testing.assert_array_equal(t.grad, [1.0, 0.0])
    assert m.grad is None


def test_float32_stays() -> None:
    @differentiable(local=lambda out: np.float64(1) - out * out)
    def my_tanh(x: Any) -> Any:
        return np.tanh(x)

    t = leaf(np.ones(3, np.float32))
    y = my_tanh(t)
    y.sum().backward()
    assert (y.dtype, t.grad.dtype) == (np.float32, np.float32)


def test_python_numbers_out() -> None:
    @differentiable(local=lambda x: np.cos(x))
    def sine(x: float) -> float:
        return math.sin(x)

    assert type(sine(0.5)) is float
    y = sine(leaf(0.5))
    assert type(y.data) is np.float64
    y.backward()
    assert gradcheck(sine, 0.5)


def test_no_grad_and_integers() -> None:
    @differentiable(local=lambda x: 2 * x)
    def square(x: Any) -> Any:
        return x * x

    with no_grad():
        assert not square(leaf(x)).requires_grad
    y = square(Tensor([1, 2]))
    assert (y.dtype, y.requires_grad) == (np.int64, False)


# Adjoints


def test_adjoint() -> None:
    @differentiable(adjoint=lambda g, shape, axis: np.broadcast_to(np.expand_dims(g, axis), shape))
    def total(x: Any, *, axis: int = 0) -> Any:
        return x.sum(axis)

    assert gradcheck(total, np.ones((2, 3)))
    assert gradcheck(lambda a: np.exp(total(a, axis=-1)), np.ones((2, 3)))
    assert total(leaf(np.ones((2, 3))), axis=1).shape == (2,)


def test_adjoint_linear_in_two_arguments_together() -> None:
    @differentiable(adjoint=(lambda g: 2 * g, None, lambda g: -g))
    def difference(x: Any, factor: float, y: Any) -> Any:
        return 2 * x - y

    assert gradcheck(lambda a, b: difference(a, 2, b) ** 2, x, x)
    assert gradcheck(lambda b: difference(x, 2, b) ** 2, x)


def test_adjoint_of_a_product() -> None:
    @differentiable(adjoint=(lambda g, b: g @ b.T, lambda g, a: a.T @ g))
    def matmul(a: Any, b: Any) -> Any:
        return a @ b

    assert gradcheck(matmul, np.ones((2, 3)), np.ones((3, 4)))
    assert gradcheck(lambda a: matmul(a, np.ones((3, 4))) ** 2, np.ones((2, 3)))
    assert gradcheck(lambda a: matmul(a, np.tanh(a)), np.ones((2, 2)))


# Vector-Jacobian products


def test_vjp_without_and_with_jvp() -> None:
    def norm(x: Any, scale: float) -> Any:
        return scale * np.sqrt(np.sum(x * x))

    def pull(g: Any, x: Any, out: Any, scale: float) -> Any:
        return g * scale**2 * x / out

    def push(t: Any, x: Any, out: Any, scale: float) -> Any:
        return scale**2 * np.sum(x * t) / out

    for options in {"vjp": (pull, None)}, {"vjp": (pull, None), "jvp": (push, None)}:
        function = differentiable(**options)(norm)
        assert gradcheck(lambda a, f=function: f(a, 3) ** 2, x)
        np.testing.assert_allclose(hessian(function)(x, 2.0), hessian(lambda a: 2 * np.sqrt(np.sum(a * a)))(x))
        assert jvp(lambda a, f=function: f(a, 1.0), (np.array([3.0, 4.0]),), (np.array([1.0, 0.0]),))[
            1
        ] == pytest.approx(0.6)


def test_vjp_undoes_broadcasting() -> None:
    @differentiable(vjp=(lambda g, w: g @ w.T, lambda g, x: x.T @ g, lambda g: g))
    def affine(x: Any, w: Any, b: Any) -> Any:
        return x @ w + b

    assert gradcheck(affine, np.ones((4, 3)), np.ones((3, 2)), np.ones(2))


def test_starred_arrays() -> None:
    @differentiable(
        vjp={"scale": lambda g, arrays: np.sum(g * sum(arrays)), "arrays": lambda g, scale, i: g * scale * (i + 1)}
    )
    def wrong(scale: Any, *arrays: Any) -> Any:
        return scale * sum(arrays)

    @differentiable(vjp={"arrays": lambda g, weights, i: g * weights[i]})
    def weighted(*arrays: Any, weights: Any = (1.0, 2.0, 3.0)) -> Any:
        return sum(w * a for w, a in zip(weights, arrays))

    assert gradcheck(weighted, x, x)
    assert gradcheck(lambda a, b: weighted(a, x, np.exp(b), weights=[1.0, 0.5, 4.0]), x, x)
    with pytest.raises(GradcheckError, match=r"the row 'wrong' is wrong: .*, input 2 \('arrays'\)"):
        gradcheck(wrong, 2.0, x, x)


def test_several_outputs() -> None:
    @differentiable(
        vjp=lambda g, x: g[0] * np.cos(x) - g[1] * np.sin(x), jvp=lambda t, x: (t * np.cos(x), -t * np.sin(x))
    )
    def circle(x: Any) -> Any:
        return np.sin(x), np.cos(x)

    assert gradcheck(circle, x)
    assert gradcheck(lambda a: circle(a)[1], x)
    sine, cosine = circle(leaf(x))
    np.testing.assert_array_equal(sine.data, np.sin(x))
    np.testing.assert_array_equal(cosine.data, np.cos(x))


def test_a_method() -> None:
    class Scaled:
        factor = 3.0

        @differentiable(adjoint=(None, lambda g, self: g * self.factor))
        def apply(self, x: Any) -> Any:
            return self.factor * x

    assert gradcheck(Scaled().apply, x)


def test_compiled_code_inside() -> None:
    """What is not written in NumPy calls sees plain arrays."""

    @differentiable(local=lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x))
    def my_erf(x: Any) -> Any:
        assert type(x) is np.ndarray
        return np.array([math.erf(value) for value in x.tolist()])

    assert gradcheck(my_erf, x)


# Functions of others


def test_a_ufunc_of_another_package() -> None:
    softsign = np.frompyfunc(lambda a, b: a / (1 + abs(a)) + b, 2, 1)

    with pytest.raises(NotDifferentiableError):
        softsign(leaf(0.5), 1.0)
    assert differentiable(local=(lambda x: 1 / (1 + np.abs(x)) ** 2, 1))(softsign) is softsign
    t = leaf(0.5)
    softsign(t, 1.0).backward()
    assert t.grad == pytest.approx(1 / 1.5**2)
    assert gradcheck(softsign, 0.5, -1.0)


def test_a_function_of_another_package() -> None:
    import statistics

    mean = differentiable(adjoint=lambda g, shape: np.full(shape, 1.0 / shape[0]) * g)(statistics.fmean)
    np.testing.assert_allclose(grad(lambda a: mean(a))(x), np.full(3, 1 / 3))


def test_a_function_that_has_a_row() -> None:
    with pytest.raises(RowError) as caught:
        differentiable(local=lambda out: out)(np.exp)
    assert str(caught.value) == "exp(x) has a row already; decorate a function of your own that calls it"


def test_the_table_knows_the_row_and_its_page() -> None:
    @differentiable(local=1)
    def shifted(x: Any) -> Any:
        return x + 1

    assert TABLE[shifted].name == "shifted"
    assert PAGES[shifted] == __name__


# Declarations that do not fit


def declared(function: Any, **rules: Any) -> str:
    """The message with which a declaration is refused."""
    with pytest.raises(RowError) as caught:
        differentiable(**rules)(function)
    return str(caught.value)


def f(x: Any, y: Any, axis: int = 0) -> Any:
    return x * y


def test_which_kind() -> None:
    assert declared(f) == "f(x, y, axis): give one of local=, adjoint= and vjp=, not none"
    assert declared(f, local=1, vjp=1) == "f(x, y, axis): give one of local=, adjoint= and vjp=, not local and vjp"
    assert (
        declared(f, local=(1, 1), jvp=1) == "f(x, y, axis): a jvp goes with a vjp; forward mode follows from the local"
    )


def test_number_of_rules() -> None:
    assert declared(f, local=(1, 1, 1, 1)) == "f(x, y, axis): local= gives 4 rules for 3 arguments; give one for each"
    missing = "; give one for each argument that has no default, and None where it is not differentiable"
    assert declared(f, local=1) == f"f(x, y, axis): local= gives no rule for 'y'{missing}"
    assert declared(f, vjp={"y": lambda g: g}) == f"f(x, y, axis): vjp= gives no rule for 'x'{missing}"
    assert declared(f, vjp={"z": 1}) == "f(x, y, axis): vjp= gives a rule for 'z', which is not an argument"
    assert declared(f, vjp=(None, None)) == (
        "f(x, y, axis): vjp= gives no rule; give one for an argument that is differentiable"
    )


def test_names_that_a_rule_asks_for() -> None:
    assert declared(f, local=(lambda y: y, lambda z: z)) == (
        "f(x, y, axis): the local derivative for 'y' asks for 'z'; it may ask for x, y, axis, out, shape"
    )
    assert declared(f, local=(lambda g, y: g * y, 1)) == (
        "f(x, y, axis): the local derivative for 'x' asks for 'g'; it may ask for x, y, axis, out, shape"
    )
    assert declared(f, vjp=(lambda x: x, None)) == "f(x, y, axis): the vjp for 'x' takes (x); it must take 'g' first"
    assert declared(f, vjp=(lambda g: g, None), jvp=(lambda g: g, None)) == (
        "f(x, y, axis): the jvp for 'x' takes (g); it must take 't' first"
    )
    assert declared(lambda *arrays: 0, vjp=lambda g, index: g) == (
        "<lambda>(*arrays): the vjp for 'arrays' asks for 'index'; it may ask for arrays, out, shape, shapes, i"
    )


def test_rules_that_are_no_rules() -> None:
    assert declared(f, vjp=(1, None)) == (
        "f(x, y, axis): the vjp for 'x' is 1; write a function with named parameters, such as lambda g: …"
    )
    assert declared(f, local=(np.cos, None)) == (
        "f(x, y, axis): the local derivative for 'x' is <ufunc 'cos'>; "
        "write a function with named parameters, such as lambda x: …"
    )
    assert declared(f, vjp=(lambda g: g, lambda g: g), jvp=(lambda t: t, None)) == (
        "f(x, y, axis): the jvp for 'y' is None; write a function with named parameters, such as lambda t: …"
    )


def test_an_adjoint_that_is_not_linear() -> None:
    assert declared(f, adjoint=(lambda g, x: g * x, None)) == (
        "f(x, y, axis): the adjoint for 'x' depends on 'x', so it is not linear; give vjp="
    )
    assert declared(f, adjoint=(lambda g, out: g * out, None)) == (
        "f(x, y, axis): the adjoint for 'x' depends on 'out', so it is not linear; give vjp="
    )


def test_arguments_that_cannot_be() -> None:
    assert declared(lambda x, out: x, local=(1, None)) == (
        "<lambda>(x, out): its argument 'out' is called like one of the words that rules use (g, t, out, shape, "
        "shapes, i); give it another name"
    )
    assert declared(lambda x, **options: x, local=1) == (
        "<lambda>(x, options): a row needs to know its arguments; write them out in place of **options"
    )
    assert declared(lambda *arrays: 0, local=1) == (
        "<lambda>(*arrays): local= does not take a rule for *arrays; give vjp="
    )
    assert declared(f, local=(1, 1), flat=("z",)) == "f(x, y, axis): flat=('z',) must name arguments"


# Calls and rules that go wrong


def test_a_call_with_wrong_arguments() -> None:
    g = differentiable(local=(1, 1))(f)
    for call, reason in [
        (lambda: g(leaf(x)), "missing a required argument: 'y'"),
        (lambda: g(leaf(x), 1, 2, 3), "too many positional arguments"),
        (lambda: g(leaf(x), 1, z=1), "got an unexpected keyword argument 'z'"),
    ]:
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value) == f"f(x, y, axis): {reason}"


def test_a_call_that_fails() -> None:
    g = differentiable(local=(1, 1))(f)
    with pytest.raises(ShapeError) as caught:
        g(leaf(x), np.ones(2))
    assert str(caught.value) == (
        "f(Tensor(float64 (3,)), array(float64 (2,)), 0): operands could not be broadcast together with shapes (3,) "
        "(2,); reshape, transpose or index the operands so that they fit"
    )


def test_local_derivative_of_a_function_that_is_not_elementwise() -> None:
    total = differentiable(local=1)(lambda x: np.sum(x))
    with pytest.raises(ShapeError) as caught:
        total(leaf(x))
    assert str(caught.value) == (
        "<lambda>(x) is declared by a local derivative, element by element, but gave shape () for 'x' of shape (3,); "
        "declare it by an adjoint or a vjp"
    )
    pair = differentiable(local=1)(lambda x: (x, x))
    with pytest.raises(ShapeError, match=r"but gave a tuple for 'x' of shape \(3,\)"):
        pair(leaf(x))


def test_local_derivative_of_the_wrong_shape() -> None:
    wrong = differentiable(local=lambda x: np.ones((2, 3)))(lambda x: 2 * x)
    with pytest.raises(ShapeError) as caught:
        wrong(leaf(x)).sum().backward()
    assert str(caught.value) == (
        "the row '<lambda>': the local derivative for 'x' times the upstream gradient has shape (2, 3), but the value "
        "has shape (3,); the rule must return that shape"
    )


@pytest.mark.parametrize("shape", [(), (2,), (1, 3), (3, 1)])
def test_contribution_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    wrong = differentiable(vjp=lambda g: np.ones(shape))(lambda x: 2 * x)
    t = leaf(np.ones((2, 3)))
    with pytest.raises(ShapeError) as caught:
        wrong(t).sum().backward()
    assert str(caught.value) == (
        f"the row '<lambda>': the gradient for 'x' has shape {shape}, but the argument has shape (2, 3); "
        "the rule must return that shape"
    )
    assert t.grad is None


@pytest.mark.parametrize(("value", "dtype"), [(None, "object"), (np.ones(3) * 1j, "complex128"), ("abc", "<U3")])
def test_contribution_of_the_wrong_dtype(value: Any, dtype: str) -> None:
    wrong = differentiable(vjp=lambda g: value)(lambda x: 2 * x)
    with pytest.raises(DtypeError) as caught:
        wrong(leaf(x)).sum().backward()
    assert str(caught.value) == (
        f"the row '<lambda>': the gradient for 'x' is of dtype {dtype}; the rule must return real numbers"
    )


def test_contributions_that_are_integers_lists_or_numbers() -> None:
    for rule, value in [(lambda g: np.arange(3), x), (lambda g: [0, 1, 2], x), (lambda g: 2, 1.0)]:
        t = leaf(value)
        differentiable(vjp=rule)(lambda x: x + 0.0)(t).sum().backward()
        np.testing.assert_array_equal(t.grad, rule(None))
        assert t.grad.dtype == np.float64


def test_jvp_of_the_wrong_shape() -> None:
    wrong = differentiable(vjp=lambda g, x: g * np.ones_like(x), jvp=lambda t: t)(lambda x: np.sum(x))
    with pytest.raises(ShapeError) as caught:
        jvp(wrong, (x,), (x,))
    assert str(caught.value) == (
        "the row '<lambda>': the tangent by 'x' has shape (3,), but the value has shape (); the jvp must return "
        "that shape"
    )


def test_jvp_of_the_wrong_dtype() -> None:
    wrong = differentiable(vjp=lambda g: g, jvp=lambda t: None)(lambda x: 1 * x)
    with pytest.raises(DtypeError) as caught:
        jvp(wrong, (x,), (x,))
    assert (
        str(caught.value)
        == "the row '<lambda>': the tangent by 'x' is of dtype object; the rule must return real numbers"
    )


def test_a_rule_that_loses_the_record_says_so_at_second_order() -> None:
    wrong = differentiable(local=lambda x: np.asarray(x) * 2)(lambda x: x * x)
    np.testing.assert_array_equal(grad(lambda a: wrong(a).sum())(x), 2 * x)
    with pytest.raises(NotDifferentiableError):
        jacobian(grad(lambda a: wrong(a).sum()))(x)


class OutOfStockError(ValueError):
    """What a user's function raises."""


def test_an_error_of_ones_own_kind_stays_as_it_is() -> None:
    @differentiable(local=1)
    def taken(x: Any) -> Any:
        if np.any(x < 0):
            raise OutOfStockError("negative stock")
        return x * 1.0

    for argument in (np.array([-1.0]), leaf([-1.0])):
        with pytest.raises(OutOfStockError) as caught:
            taken(argument)
        assert str(caught.value) == "negative stock"
