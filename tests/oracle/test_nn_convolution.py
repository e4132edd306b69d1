"""Convolution and pooling agree with PyTorch's over many random geometries: values, gradients, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from autograd import Tensor, grad, hvp
from nn import functional as F  # noqa: N812 - as everybody calls it

torch = pytest.importorskip("torch")
TOLERANCES = {"float64": 1e-11, "float32": 1e-4}


class Case:
    """A random function, geometry and arrays."""

    def __init__(self, seed: int, dtype: str) -> None:
        self.rng, self.dtype = np.random.default_rng(seed), dtype
        kernel, stride, dilation = self.pair(1, 4), self.pair(1, 4), self.pair(1, 4)
        groups, per_group = self.number(1, 4), self.number(1, 4)
        batch = () if self.number(0, 5) == 0 else (self.number(1, 4),)
        self.name = ("conv2d", "max_pool2d", "avg_pool2d")[seed % 3]
        self.arrays = [self.array(*batch, groups * per_group, *self.pair(1, 9))]
        half = tuple(self.number(0, size // 2 + 1) for size in kernel)
        if self.name == "conv2d":
            out = groups * self.number(1, 3)
            self.arrays += [self.array(out, per_group, *kernel), self.array(out)]
            padding: Any = ("same", "valid", *[self.pair(0, 4)] * 4)[self.number(0, 6)]
            self.options = [(1, 1) if padding == "same" else stride, padding, dilation, groups]
        elif self.name == "max_pool2d":
            self.options = [kernel, stride, half, dilation, self.number(0, 2) == 0]
        else:
            self.options = [kernel, stride, half, self.number(0, 2) == 0, self.number(0, 2) == 0]

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def pair(self, low: int, high: int) -> tuple[int, int]:
        return self.number(low, high), self.number(low, high)

    def array(self, *shape: int) -> Any:
        return self.rng.normal(size=shape).astype(self.dtype)

    def theirs(self, *arrays: Any) -> Any:
        return getattr(torch.nn.functional, self.name)(*arrays, *self.options)

    def ours(self, *arrays: Any) -> Any:
        return getattr(F, self.name)(*arrays, *self.options)


def as_torch(arrays: list[Any]) -> list[Any]:
    return [torch.tensor(array, requires_grad=True) for array in arrays]


def compare(ours: Any, theirs: Any, dtype: str) -> None:
    theirs = theirs.detach().numpy()
    assert (ours.shape, ours.dtype) == (theirs.shape, dtype)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCES[dtype])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_random_geometries(dtype: str) -> None:
    """What PyTorch refuses is refused, and else values and gradients are equal."""
    compared = refused = 0
    for seed in range(400):
        case = Case(seed, dtype)
        inputs = as_torch(case.arrays)
        try:
            out = case.theirs(*inputs)
        except RuntimeError:
            with pytest.raises(ValueError, match=case.name):
                case.ours(*case.arrays)
            refused += 1
            continue
        if out.isinf().any():
            continue  # PyTorch's gradient of windows that are all padding writes where it should not
        tensors = [Tensor(array, requires_grad=True) for array in case.arrays]
        own = case.ours(*tensors)
        compare(own.numpy(), out, dtype)
        upstream = case.array(*out.shape)
        own.backward(upstream)
        out.backward(torch.tensor(upstream))
        for tensor, other in zip(tensors, inputs, strict=True):
            compare(tensor.grad, other.grad, dtype)
        compared += 1
    assert min(compared, 5 * refused) > 250


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 5, 7, 9, 11, 12, 13])
def test_second_derivatives(seed: int) -> None:
    """Products of the Hessian of a sum of cubes with a vector."""
    case = Case(seed, "float64")
    inputs, along = as_torch(case.arrays), [case.array(*array.shape) for array in case.arrays]
    total = (case.theirs(*inputs) ** 3).sum()
    gradients = torch.autograd.grad(total, inputs, create_graph=True)
    slope = sum((g * torch.tensor(v)).sum() for g, v in zip(gradients, along, strict=True))
    expected = torch.autograd.grad(slope, inputs)
    every = tuple(range(len(inputs)))

    def ours(*arrays: Any) -> Any:
        return np.sum(case.ours(*arrays) ** 3)

    def sloped(*arrays: Any) -> Any:
        return sum(np.sum(g * v) for g, v in zip(grad(ours, every)(*arrays), along, strict=True))

    for found in (hvp(ours, case.arrays, along), grad(sloped, every)(*case.arrays)):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=1e-9, atol=1e-9)


def test_equal_maxima() -> None:
    """Small integers, with many of them equal."""
    x = np.random.default_rng(0).integers(0, 3, (4, 3, 9, 9)).astype(float)
    tensor, other = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    F.max_pool2d(tensor, 3, 2, 1).sum().backward()
    torch.nn.functional.max_pool2d(other, 3, 2, 1).sum().backward()
    np.testing.assert_array_equal(tensor.grad, other.grad.numpy())


LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Conv2d", (4, 6, 3), {}),
    ("Conv2d", (4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2, False), {}),
    ("Conv2d", (4, 4, 4, 1, "same", 2, 4), {}),
    ("MaxPool2d", (3,), {}),
    ("MaxPool2d", ((3, 2), 1, (1, 0), 2), {"ceil_mode": True}),
    ("AvgPool2d", (2,), {}),
    ("AvgPool2d", (3, (2, 1), 1, True, False), {}),
]


@pytest.mark.parametrize(("name", "args", "options"), LAYERS, ids=str)
def test_layers(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    """The same repr, and with the same parameters the same values."""
    ours, theirs = getattr(nn, name)(*args, **options), getattr(torch.nn, name)(*args, **options)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(3, 4, 9, 8)).astype(np.float32)
    compare(ours(Tensor(x)).numpy(), theirs(torch.tensor(x)), "float32")
