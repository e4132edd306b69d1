"""Activations: the modules compute what the functions do, with PyTorch's arguments."""

from __future__ import annotations

import copy
import math
import pickle
import re
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import AxisError, ShapeError, Tensor, gradcheck
from nn import functional as F  # noqa: N812 - as everybody calls it

X = np.array([[-2.0, -0.5, 0.0], [0.3, 1.0, 2.5]])
E2 = math.exp(-2)

# module, its repr, its values at -2 and 1 by hand
MODULES: list[tuple[nn.Module, str, float, float]] = [
    (nn.ReLU(), "ReLU()", 0, 1),
    (nn.LeakyReLU(), "LeakyReLU(negative_slope=0.01)", -0.02, 1),
    (nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)", -0.4, 1),
    (nn.ELU(), "ELU(alpha=1.0)", E2 - 1, 1),
    (nn.ELU(0.5), "ELU(alpha=0.5)", (E2 - 1) / 2, 1),
    (nn.SELU(), "SELU()", 1.0507009873554805 * 1.6732632423543772 * (E2 - 1), 1.0507009873554805),
    (nn.GELU(), "GELU(approximate='none')", -math.erfc(math.sqrt(2)), (1 + math.erf(math.sqrt(0.5))) / 2),
    (
        nn.GELU("tanh"),
        "GELU(approximate='tanh')",
        -1 - math.tanh(math.sqrt(2 / math.pi) * (-2 - 8 * 0.044715)),
        (1 + math.tanh(math.sqrt(2 / math.pi) * 1.044715)) / 2,
    ),
    (nn.SiLU(), "SiLU()", -2 * E2 / (1 + E2), 1 / (1 + math.exp(-1))),
    (nn.Sigmoid(), "Sigmoid()", E2 / (1 + E2), 1 / (1 + math.exp(-1))),
    (nn.LogSigmoid(), "LogSigmoid()", -2 - math.log1p(E2), -math.log1p(math.exp(-1))),
    (nn.Tanh(), "Tanh()", math.tanh(-2), math.tanh(1)),
    (nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)", math.log1p(E2), math.log1p(math.e)),
    (nn.Softplus(2.0, 1.5), "Softplus(beta=2.0, threshold=1.5)", math.log1p(math.exp(-4)) / 2, 1),
    (nn.Softmax(), "Softmax(dim=-1)", math.exp(-2) / (math.exp(-2) + math.exp(-0.5) + 1), None),
    (nn.Softmax(0), "Softmax(dim=0)", 1 / (1 + math.exp(2.3)), None),
    (nn.Softmax(dim=None), "Softmax(dim=None)", math.exp(-2) / np.exp(X).sum(), None),
    (nn.LogSoftmax(), "LogSoftmax(dim=-1)", -2 - math.log(math.exp(-2) + math.exp(-0.5) + 1), None),
    (nn.LogSoftmax(dim=0), "LogSoftmax(dim=0)", -math.log1p(math.exp(2.3)), None),
]


@pytest.mark.parametrize(("module", "text", "low", "high"), MODULES, ids=lambda part: str(part)[:30])
def test_module(module: nn.Module, text: str, low: float, high: float | None) -> None:
    out = module(X)
    assert isinstance(out, np.ndarray)
    assert out.shape == X.shape
    assert math.isclose(out[0, 0], low, abs_tol=1e-12)
    if high is not None:
        assert math.isclose(out[1, 1], high, abs_tol=1e-12)
    assert repr(module) == text
    assert not list(module.parameters())
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(twin) == text
    tensor = Tensor(X, requires_grad=True)
    np.testing.assert_array_equal(module(tensor).data, out)
    assert gradcheck(module, X + 0.01)
    single = module(Tensor(X, dtype=np.float32, requires_grad=True))
    assert single.dtype == np.float32
    assert module(X.astype(np.float32)).dtype == np.float32
    assert module(np.zeros((0, 3))).shape == (0, 3)


def test_every_activation_has_a_name() -> None:
    from nn.activations import ACTIVATIONS

    assert sorted(ACTIVATIONS) == list(ACTIVATIONS)
    for name, module in ACTIVATIONS.items():
        np.testing.assert_array_equal(module()(X), getattr(F, name)(X))
    assert {type(module) for module, *_ in MODULES} == set(ACTIVATIONS.values())


def test_arguments_are_named_as_in_pytorch() -> None:
    for name in ("elu", "gelu", "leaky_relu", "logsigmoid", "relu", "selu", "sigmoid", "silu", "softmax", "tanh"):
        np.testing.assert_array_equal(getattr(F, name)(input=X), getattr(autograd, name, np.tanh)(X))
    assert F.one_hot is autograd.one_hot


def test_inplace_changes_nothing() -> None:
    x = X.copy()
    for layer, function, *args in (
        (nn.ReLU, F.relu),
        (nn.LeakyReLU, F.leaky_relu, 0.1),
        (nn.ELU, F.elu, 0.5),
        (nn.SELU, F.selu),
        (nn.SiLU, F.silu),
    ):
        expected = layer(*args)(X)
        for out in (layer(*args, True)(x), function(x, *args, True), function(x, *args, inplace=True)):
            np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(nn.Dropout(1.0, True)(x), F.dropout(x, 1.0, True, True))
    np.testing.assert_array_equal(x, X)


def test_softmax_in_another_dtype() -> None:
    for function in (F.softmax, F.log_softmax):
        assert function(Tensor(X, requires_grad=True), dtype=np.float32).dtype == np.float32
        np.testing.assert_array_equal(function(X.tolist(), dtype=np.float32), function(X.astype(np.float32)))


def test_softplus_above_its_threshold_is_its_input() -> None:
    x = np.array([-1000.0, 0.74, 0.76, 1000.0])
    expected = [0, math.log1p(math.exp(1.48)) / 2, 0.76, 1000]
    np.testing.assert_allclose(F.softplus(x, beta=2, threshold=1.5), expected)
    t = Tensor(x, requires_grad=True)
    F.softplus(t, 2.0, 1.5).sum().backward()
    np.testing.assert_allclose(t.grad, [0, 1 / (1 + math.exp(-1.48)), 1, 1])
    assert math.isclose(F.softplus(0), math.log(2))


def test_softmax_along_each_axis() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for dim in (0, 1, 2, -1, (0, 2), None):
        np.testing.assert_allclose(F.softmax(x, dim).sum(dim), 1)
        np.testing.assert_allclose(np.exp(F.log_softmax(x, dim=dim)), F.softmax(x, dim=dim))


def test_refused() -> None:
    message = 'gelu(approximate=\'erf\'): the argument must be "none" or "tanh"'
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        nn.GELU("erf")
    message = (
        "softmax(Tensor(float64 (2, 3)), axis=2): axis 2 is out of bounds for array of dimension 2; "
        "axes run from -ndim to ndim - 1"
    )
    with pytest.raises(AxisError, match=f"^{re.escape(message)}$"):
        nn.Softmax(2)(Tensor(X, requires_grad=True))


def test_without_activations_a_network_is_one_affine_map() -> None:
    """CS229 lecture 11: W = W₃W₂W₁ and B = W₃W₂b₁ + W₃b₂ + b₃."""
    rng = np.random.default_rng(0)
    layers = [nn.Linear(m, n, dtype=float, rng=rng) for m, n in ((3, 5), (5, 4), (4, 2))]
    (w1, b1), (w2, b2), (w3, b3) = ([p.data for p in layer.parameters()] for layer in layers)
    x: Any = rng.normal(size=(6, 3))
    out = x
    for layer in layers:
        out = layer(out)
    np.testing.assert_allclose(out.data, x @ (w3 @ w2 @ w1).T + (w3 @ w2 @ b1 + w3 @ b2 + b3))


def test_sigmoid_saturates() -> None:
    """CS229 lecture 11: its slope a (1 - a) is 1/4 at 0 and tends to 0 for large z."""
    z = Tensor([0.0, 4.0, 40.0], requires_grad=True)
    nn.Sigmoid()(z).sum().backward()
    np.testing.assert_allclose(z.grad, [0.25, 0.0176627062, 0], atol=1e-10)
