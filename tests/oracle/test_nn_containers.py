"""Networks made of modules agree with PyTorch's: names of their state, values, gradients, shapes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Tensor

torch = pytest.importorskip("torch")
TOLERANCES = {"float64": 1e-10, "float32": 1e-4}


def their_mlp(sizes: list[int], activation: str, batch_norm: bool, dtype: str) -> Any:
    """The same perceptron, layer by layer."""
    modules: list[Any] = []
    for number, (inputs, outputs) in enumerate(pairwise(sizes), 2):
        hidden = number < len(sizes)
        modules.append(torch.nn.Linear(inputs, outputs, bias=not (batch_norm and hidden)))
        if hidden and batch_norm:
            modules.append(torch.nn.BatchNorm1d(outputs))
        if hidden:
            modules.append(getattr(torch.nn, activation)())
    return torch.nn.Sequential(*modules).to(getattr(torch, dtype))


def assert_close(ours: Any, theirs: Any, dtype: str) -> None:
    theirs = theirs.detach().numpy()
    assert (np.shape(ours), ours.dtype) == (theirs.shape, theirs.dtype)
    scale = max(1.0, np.abs(theirs).max(initial=0))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCES[dtype] * scale)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("activation", ["ReLU", "Tanh", "Sigmoid", "GELU", "SELU"])
@pytest.mark.parametrize("sizes", [[3, 1], [4, 8, 3], [10, 16, 16, 16, 2]])
def test_mlp(sizes: list[int], activation: str, batch_norm: bool, dtype: str) -> None:
    """Trained together for a few steps."""
    rng = np.random.default_rng(0)
    ours = nn.MLP(sizes, getattr(nn, activation), batch_norm=batch_norm, dtype=dtype, rng=rng)
    theirs = their_mlp(sizes, activation, batch_norm, dtype)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    if not batch_norm:  # whose repr tells of options that this one has not
        assert repr(ours).replace("MLP", "Sequential") == repr(theirs)
    theirs.load_state_dict({name: torch.as_tensor(value) for name, value in ours.state_dict().items()})
    for _ in range(3):
        x = rng.normal(size=(12, sizes[0])).astype(dtype)
        own, other = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        out, expected = ours(own), theirs(other)
        assert_close(out.data, expected, dtype)
        ours.zero_grad()
        theirs.zero_grad()
        (out * out).mean().backward()
        (expected * expected).mean().backward()
        assert_close(own.grad, other.grad, dtype)
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert_close(p.grad, q.grad, dtype)
            p.data = p.data - 0.1 * p.grad
            q.data -= 0.1 * q.grad
    ours.eval()
    theirs.eval()
    assert_close(ours(x).data, theirs(torch.tensor(x)), dtype)


def test_names_of_slices() -> None:
    pairs = [
        package.Sequential(package.Linear(2, 3), package.ReLU(), package.Linear(3, 3), package.Linear(3, 1))
        for package in (nn, torch.nn)
    ]
    for part in (slice(2), slice(1, 3), slice(None, None, 2), slice(-1, None)):
        ours, theirs = (list(model[part].state_dict()) for model in pairs)
        assert ours == theirs
        ours, theirs = (list(p.ModuleList(m)[part].state_dict()) for p, m in zip((nn, torch.nn), pairs))
        assert ours == theirs


@pytest.mark.parametrize("dims", [(), (0,), (1, 2), (-3, -2), (2, 2)])
@pytest.mark.parametrize("shape", [(2, 3, 4), (5, 1, 2, 3), (0, 2, 3)])
def test_flatten(dims: tuple[int, ...], shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    ours, theirs = nn.Flatten(*dims), torch.nn.Flatten(*dims)
    np.testing.assert_array_equal(ours(x), theirs(torch.from_numpy(x)).numpy())
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize(("dim", "sizes"), [(1, (2, 3)), (-2, (3, 2, 1)), (0, (2, -1))])
def test_unflatten(dim: int, sizes: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 5))
    ours, theirs = nn.Unflatten(dim, sizes), torch.nn.Unflatten(dim, sizes)
    np.testing.assert_array_equal(ours(x), theirs(torch.from_numpy(x)).numpy())
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_a_network_on_words(dtype: str) -> None:
    """Embedding, Flatten, Linear, LogSoftmax."""
    ours, theirs = (
        package.Sequential(
            package.Embedding(20, 6, padding_idx=0),
            package.Flatten(),
            package.Linear(24, 5),
            package.LogSoftmax(dim=1),
        )
        for package in (nn, torch.nn)
    )
    ours.to(dtype)
    theirs.to(getattr(torch, dtype))
    theirs.load_state_dict({name: torch.as_tensor(value) for name, value in ours.state_dict().items()})
    words = np.random.default_rng(0).integers(0, 20, (7, 4))
    out, expected = ours(words), theirs(torch.as_tensor(words))
    assert_close(out.data, expected, dtype)
    out[:, 2].sum().backward()
    expected[:, 2].sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(p.grad, q.grad, dtype)
