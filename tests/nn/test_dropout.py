"""Dropout: its mask, its expectation, its edges."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn.dropout import words
from nn.functional import dropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 1 / 3, 0.999, 0.001])
def test_the_share_that_is_dropped_is_p(p: float) -> None:
    """Of a million elements; five standard deviations are allowed."""
    out = dropout(np.ones(1_000_000), p, rng=np.random.default_rng(0))
    assert abs(np.mean(out == 0) - p) < 5 * np.sqrt(p * (1 - p) / 1e6)
    np.testing.assert_array_equal(out[out != 0], 1 / (1 - p))


def test_elements_are_dropped_independently_of_their_neighbours() -> None:
    kept = dropout(np.ones(1_000_000), 0.5, rng=np.random.default_rng(0)) != 0
    for distance in (1, 7, 8, 64):
        assert abs(np.mean(kept[distance:] == kept[:-distance]) - 0.5) < 0.0025


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937"])
def test_all_bits_of_every_generator_are_random(kind: str) -> None:
    first, second = (np.random.Generator(getattr(np.random, kind)(3)) for _ in range(2))
    drawn = words(first, 5000)
    np.testing.assert_array_equal(drawn, second.integers(0, 2**64 - 1, 5000, dtype=np.uint64, endpoint=True))
    bits = np.unpackbits(drawn.view(np.uint8)).reshape(5000, 64)
    assert np.all(np.abs(bits.mean(axis=0) - 0.5) < 5 * 0.5 / np.sqrt(5000))
    assert first.random() == second.random()


def test_forward_and_backward_have_the_same_mask() -> None:
    x = Tensor(np.arange(1.0, 101.0), requires_grad=True)
    out = dropout(x, 0.25, rng=np.random.default_rng(0))
    out.sum().backward()
    np.testing.assert_array_equal(x.grad * x.data, out.data)
    assert 0 < np.count_nonzero(x.grad) < 100


@pytest.mark.parametrize("shape", [(), (1,), (7,), (8,), (3, 5), (0, 4)])
def test_every_shape_and_dtype(shape: tuple[int, ...]) -> None:
    for dtype in (np.float16, np.float32, np.float64):
        out = dropout(Tensor(np.ones(shape, dtype)), 0.5, rng=np.random.default_rng(0))
        assert (out.shape, out.dtype) == (shape, dtype)


def test_integers_become_floats() -> None:
    assert set(dropout(np.ones(20, int), 0.75, rng=np.random.default_rng(0))) == {0.0, 4.0}


def test_the_ends_are_exact() -> None:
    x = np.ones(5)
    assert dropout(x, 0.0) is x
    np.testing.assert_array_equal(dropout(x, 1.0), np.zeros(5))
    assert dropout(x, 0.5, training=False) is x


def test_a_layer_draws_from_its_generator() -> None:
    x = np.ones(50)
    first, second = (nn.Dropout(0.5, rng=np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first(x), second(x))
    assert (first(x) != second.eval()(x)).any()
    assert repr(first) == "Dropout(p=0.5)"


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_what_is_no_probability(p: float) -> None:
    message = f"(p={p!r}): the probability to drop an element must be between 0 and 1"
    with pytest.raises(ValueError, match=f"^{re.escape('dropout' + message)}$"):
        dropout(np.ones(3), p)
    with pytest.raises(ValueError, match=f"^{re.escape('Dropout' + message)}$"):
        nn.Dropout(p)
