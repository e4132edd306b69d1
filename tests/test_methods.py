"""Tensors among Python's operators, numbers and containers, and the methods of ndarray: what NumPy does."""

from __future__ import annotations

import math
import operator
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import NotDifferentiableError
from autograd.messages import OTHER_NAMES
from autograd.table import TABLE

IN_PLACE = ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow")
BITWISE = ("and_", "or_", "xor", "lshift", "rshift")


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_operators_keep_the_tensor(name: str) -> None:
    a = np.array([2.5, -1.0, 4.0])
    t = Tensor(a, requires_grad=True) * 1
    alias = t
    t = getattr(operator, name)(t, 2)
    assert t is alias
    np.testing.assert_array_equal(t.data, getattr(operator, name)(a.copy(), 2))


@pytest.mark.parametrize("name", [f"i{name.rstrip('_')}" for name in BITWISE])
def test_in_place_bitwise_operators_keep_the_tensor(name: str) -> None:
    a = np.array([1, 2, 7])
    t = alias = Tensor(a)
    t = getattr(operator, name)(t, 2)
    assert t is alias
    np.testing.assert_array_equal(t.data, getattr(operator, name)(a.copy(), 2))


@pytest.mark.parametrize("name", BITWISE)
@pytest.mark.parametrize("other", [2, np.array([1, 2, 3]), Tensor([1, 2, 3])])
def test_bitwise_operators_on_both_sides(name: str, other: Any) -> None:
    function, a = getattr(operator, name), np.array([4, 5, 6])
    b = other.data if isinstance(other, Tensor) else other
    np.testing.assert_array_equal(function(Tensor(a), other).data, function(a, b))
    np.testing.assert_array_equal(function(other, Tensor(a)).data, function(b, a))


def test_a_whole_number_counts_and_selects() -> None:
    n = Tensor(2)
    assert list(range(n)) == [0, 1]
    assert "abc"[n] == "c"
    assert np.arange(5)[n] == 2
    assert (math.trunc(Tensor(-2.5)), math.floor(Tensor(-2.5)), math.ceil(Tensor(-2.5))) == (-2, -3, -2)


@pytest.mark.parametrize("value", [2.0, [1, 2]])
def test_an_index_is_a_whole_number(value: Any) -> None:
    t = Tensor(value)
    with pytest.raises(TypeError) as error:
        range(t)
    assert str(error.value) == (
        f"Tensor({t.dtype} {t.shape}) is not an index; only a 0-d tensor of integers is, such as t.astype(int)"
    )


@pytest.mark.parametrize("convert", [float, int, complex, math.sqrt])
def test_a_number_is_one_element(convert: Any) -> None:
    with pytest.raises(TypeError) as error:
        convert(Tensor([1.0, 2.0], name="x"))
    assert str(error.value) == (
        "Tensor(float64 (2,) 'x') is not a number; only a tensor of one element is: index or reduce it, as in t.sum()"
    )


def test_an_object_that_declines_ufuncs_answers_a_comparison() -> None:
    """`pytest.approx` is one."""
    assert Tensor(0.1) + 0.2 == pytest.approx(0.3)
    assert Tensor(0.3) != pytest.approx(0.2)


def test_real_numbers_are_their_own_conjugates() -> None:
    t = Tensor([1.0, -2.0], requires_grad=True)
    (t.conj() * t.conjugate() + t.imag).sum().backward()
    np.testing.assert_array_equal(t.grad, [2.0, -4.0])
    np.testing.assert_array_equal(t.imag.data, [0.0, 0.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda t, out: t.take(7, 0, out, "clip"),
        lambda t, out: np.take(t, 7, 0, out, "clip"),
        lambda t, out: t.compress([True, False], 0, out),
        lambda t, out: np.compress([True, False], t, 0, out),
        lambda t, out: np.clip(t, 0, 1, out),
        lambda t, out: np.choose([0, 3], t, out, "clip"),
    ],
)
def test_out_may_be_given_as_none_in_its_place(call: Any) -> None:
    a = np.array([[0.5, 1.5], [2.5, -3.5]])
    t = Tensor(a, requires_grad=True)
    np.testing.assert_array_equal(call(t, None).data, call(a, None))
    with pytest.raises(NotDifferentiableError, match=r"of a Tensor takes no out=: writing its result into an array"):
        call(t, np.empty(2))


@pytest.mark.parametrize("sequence", [[2, 3], (2, 3)])
def test_sequences_of_numbers_are_arrays(sequence: Any) -> None:
    t = Tensor([4.0, 5.0], requires_grad=True)
    for function in (operator.mul, operator.matmul, np.dot, np.inner, np.vdot, np.multiply):
        for product in (function(t, sequence), function(sequence, t)):
            t.grad = None
            product.sum().backward()
            np.testing.assert_array_equal(t.grad, sequence)
    np.testing.assert_array_equal((sequence * Tensor(2)).data, [4, 6])


@pytest.mark.parametrize("value", [2.0, np.float32(2), np.array([1.0, 4.0])])
def test_fractions_are_numbers(value: Any) -> None:
    t, half = Tensor(value, requires_grad=True), Fraction(1, 2)
    for function in (operator.mul, operator.add, operator.truediv, operator.pow, np.maximum):
        for result, expected in ((function(t, half), function(value, 0.5)), (function(half, t), function(0.5, value))):
            assert result.dtype == t.dtype
            np.testing.assert_array_equal(result.data, expected)
            result.sum().backward()


@pytest.mark.parametrize("word", ["mean", b"mean"])
def test_no_tensor_equals_a_word(word: Any) -> None:
    t = Tensor([1.0, 2.0])
    assert not t == word  # noqa: SIM201 - the operator itself
    assert t != word
    assert word not in [t]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("view", "'Tensor' object has no attribute 'view'; use t.reshape(shape)"),
        ("stack", "'Tensor' object has no attribute 'stack'; use np.stack(…)"),
        ("sume", "'Tensor' object has no attribute 'sume'"),
        ("float64", "'Tensor' object has no attribute 'float64'"),
    ],
)
def test_an_absent_attribute_names_what_to_write(name: str, error: str) -> None:
    with pytest.raises(AttributeError, match=f"^{re.escape(error)}$") as raised:
        getattr(Tensor([1.0]), name)
    assert raised.value.name == name  # of which Python makes its "Did you mean"


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_what_stands_for_a_name_of_pytorch_is_there(name: str) -> None:
    t = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert not hasattr(t, name)
    for attribute in re.findall(r"\bt\.(\w+)", OTHER_NAMES[name]):
        assert hasattr(t, attribute)
    for path in re.findall(r"\bnp\.([\w.]+)", OTHER_NAMES[name]):
        assert operator.attrgetter(path)(np) in TABLE or issubclass(operator.attrgetter(path)(np), np.number)
