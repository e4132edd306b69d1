"""Activations and embeddings agree with PyTorch's: values, gradients, reprs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F  # noqa: N812 - as everybody calls it

torch = pytest.importorskip("torch")
TOLERANCES = {"float64": 1e-12, "float32": 2e-6}

MODULES: dict[str, dict[str, Any]] = {
    "ReLU": {},
    "LeakyReLU": {"negative_slope": 0.2},
    "ELU": {"alpha": 0.7},
    "SELU": {},
    "GELU": {"approximate": "tanh"},
    "SiLU": {},
    "Sigmoid": {},
    "LogSigmoid": {},
    "Tanh": {},
    "Softplus": {"beta": 0.5, "threshold": 1.25},
    "Softmax": {"dim": 1},
    "LogSoftmax": {"dim": -2},
}
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "relu": (),
    "leaky_relu": (0.3,),
    "elu": (1.5,),
    "selu": (),
    "gelu": (),
    "silu": (),
    "sigmoid": (),
    "logsigmoid": (),
    "tanh": (),
    "softplus": (2.0, 1.0),
    "softmax": (0,),
    "log_softmax": (2,),
}
CASES = {
    "normal": np.random.default_rng(0).normal(size=(4, 5, 3)) * 2,
    "large": np.random.default_rng(1).normal(size=(2, 3, 4)) * 300,
    "zeros": np.zeros((1, 2, 3)),
    "nothing": np.zeros((2, 0, 3)),
}


def assert_close(ours: Any, theirs: Any, dtype: str) -> None:
    theirs = theirs.detach().numpy()
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    scale = max(1.0, np.abs(theirs).max(initial=0))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCES[dtype] * scale)


def assert_agree(ours: Any, theirs: Any, x: Any, dtype: str) -> None:
    """Values, and gradients for a random upstream."""
    own = Tensor(x, dtype=dtype, requires_grad=True)
    other = torch.tensor(x, dtype=getattr(torch, dtype), requires_grad=True)
    out, expected = ours(own), theirs(other)
    assert_close(out.data, expected, dtype)
    seed = np.random.default_rng(2).normal(size=out.shape).astype(dtype)
    out.backward(seed)
    expected.backward(torch.from_numpy(seed))
    assert_close(own.grad, other.grad, dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", MODULES)
def test_module(name: str, case: str, dtype: str) -> None:
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    assert_agree(ours(**MODULES[name]), theirs(**MODULES[name]), CASES[case], dtype)
    if "dim" not in MODULES[name]:
        assert_agree(ours(), theirs(), CASES[case], dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name: str, dtype: str) -> None:
    args = FUNCTIONS[name]
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    assert_agree(lambda x: ours(x, *args), lambda x: theirs(x, *args), CASES["normal"], dtype)


@pytest.mark.parametrize("name", MODULES)
def test_repr(name: str) -> None:
    for options in (MODULES[name], {} if "dim" not in MODULES[name] else {"dim": 0}):
        assert repr(getattr(nn, name)(**options)) == repr(getattr(torch.nn, name)(**options))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("padding", [None, 0, 5, -2])
@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (0, 2), (40, 50)])
def test_embedding(shape: tuple[int, ...], padding: int | None, dtype: str) -> None:
    rng = np.random.default_rng(3)
    indices = rng.integers(0, 6, shape)
    table = rng.normal(size=(6, 9)).astype(dtype)
    theirs = torch.nn.Embedding(6, 9, padding, dtype=getattr(torch, dtype))
    ours = nn.Embedding(6, 9, padding, dtype=dtype)
    assert repr(ours) == repr(theirs)
    assert (ours.weight.data == 0).all(axis=1).tolist() == (theirs.weight == 0).all(axis=1).tolist()
    ours.weight.data = table
    with torch.no_grad():
        theirs.weight.copy_(torch.from_numpy(table))
    out, expected = ours(indices), theirs(torch.as_tensor(indices))
    assert_close(out.data, expected, dtype)
    seed = rng.normal(size=out.shape).astype(dtype)
    out.backward(seed)
    expected.backward(torch.from_numpy(seed))
    assert_close(ours.weight.grad, theirs.weight.grad, dtype)
