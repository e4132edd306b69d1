"""Normalization and the affine layer, with PyTorch's own: values, gradients, running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nn
from autograd import Tensor

torch = pytest.importorskip("torch")

LAYERS = {
    "linear": (nn.Linear, torch.nn.Linear, (3, 4), {}, [(5, 3), (2, 5, 3), (3,)]),
    "linear of no features": (nn.Linear, torch.nn.Linear, (0, 4), {}, [(2, 5, 0), (3, 0), (0,)]),
    "linear without bias": (nn.Linear, torch.nn.Linear, (3, 4), {"bias": False}, [(5, 3)]),
    "batch norm": (nn.BatchNorm1d, torch.nn.BatchNorm1d, (3,), {}, [(5, 3), (4, 3, 2)]),
    "batch norm, options": (nn.BatchNorm1d, torch.nn.BatchNorm1d, (3, 0.1, 0.3), {}, [(5, 3)]),
    "batch norm, average": (nn.BatchNorm1d, torch.nn.BatchNorm1d, (3,), {"momentum": None}, [(5, 3)]),
    "batch norm, not affine": (nn.BatchNorm1d, torch.nn.BatchNorm1d, (3,), {"affine": False}, [(5, 3)]),
    "batch norm, untracked": (nn.BatchNorm1d, torch.nn.BatchNorm1d, (3,), {"track_running_stats": False}, [(5, 3)]),
    "batch norm of images": (nn.BatchNorm2d, torch.nn.BatchNorm2d, (3,), {}, [(2, 3, 4, 5)]),
    "layer norm": (nn.LayerNorm, torch.nn.LayerNorm, (3,), {}, [(5, 3), (2, 4, 3)]),
    "layer norm of matrices": (nn.LayerNorm, torch.nn.LayerNorm, ((2, 3),), {"eps": 0.1}, [(5, 2, 3)]),
    "layer norm, not affine": (nn.LayerNorm, torch.nn.LayerNorm, (3,), {"elementwise_affine": False}, [(5, 3)]),
    "layer norm without bias": (nn.LayerNorm, torch.nn.LayerNorm, (3,), {"bias": False}, [(5, 3)]),
}


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layer(name: str, dtype: Any) -> None:
    """Three steps of training, and one of evaluation, with random upstream gradients."""
    ours, theirs, args, options, shapes = LAYERS[name]
    layer = ours(*args, **options, dtype=dtype)
    twin = theirs(*args, **options, dtype=getattr(torch, dtype.__name__))
    rng = np.random.default_rng(0)
    start = {n: rng.uniform(0.5, 1.5, np.shape(v)) for n, v in layer.state_dict().items() if n != "num_batches_tracked"}
    layer.load_state_dict(start, strict=False)
    twin.load_state_dict({n: torch.from_numpy(v) for n, v in start.items()}, strict=False)
    tolerance = {"rtol": 1e-10, "atol": 1e-12} if dtype is np.float64 else {"rtol": 2e-4, "atol": 2e-5}

    def compare(a: Any, b: Any) -> None:
        assert a.dtype == b.detach().numpy().dtype
        np.testing.assert_allclose(a, b.detach().numpy(), **tolerance)

    for shape in shapes:
        for training in (True, True, True, False):
            layer.train(training)
            twin.train(training)
            value, upstream = rng.normal(size=shape).astype(dtype), rng.normal(size=3)
            x, y = Tensor(value, requires_grad=True), torch.tensor(value, requires_grad=True)
            out, other = layer(x), twin(y)
            compare(out.data, other)
            upstream = rng.normal(size=out.shape).astype(dtype)
            out.backward(upstream)
            other.backward(torch.from_numpy(upstream))
            compare(x.grad, y.grad)
            parameters = dict(twin.named_parameters())
            for path, parameter in layer.named_parameters():
                compare(parameter.grad, parameters[path].grad)
            for path, buffer in layer.named_buffers():
                compare(buffer, dict(twin.named_buffers())[path])
            layer.zero_grad()
            twin.zero_grad()


def test_functions() -> None:
    """One row of weights; and half precision, of numbers whose squares it cannot hold, beside double precision."""
    rng = np.random.default_rng(0)
    ours, theirs = nn.functional, torch.nn.functional
    cases: list[tuple[Any, Any, list[Any]]] = [
        (ours.linear, theirs.linear, [rng.normal(size=(2, 5, 3)), rng.normal(size=3)]),
        (ours.linear, theirs.linear, [rng.normal(size=(5, 3)), rng.normal(size=3)]),
    ]
    for value in 300 * rng.normal(size=(8, 4)), rng.normal(size=(70_000, 4)):
        cases += [
            (
                lambda x: ours.batch_norm(x, training=True),
                lambda x: theirs.batch_norm(x, None, None, training=True),
                [value.astype(np.float16)],
            ),
            (lambda x: ours.layer_norm(x, 4), lambda x: theirs.layer_norm(x, (4,)), [value.astype(np.float16)]),
        ]
    for function, twin, values in cases:
        mine = [Tensor(value, requires_grad=True) for value in values]
        other = [torch.tensor(value.astype(float), requires_grad=True) for value in values]
        out, expected = function(*mine), twin(*other)
        upstream = rng.normal(size=out.shape).astype(out.dtype)
        out.backward(upstream)
        expected.backward(torch.from_numpy(upstream.astype(float)))
        tolerance = 2e-3 if out.dtype == np.float16 else 1e-12
        np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
        for a, b in zip(mine, other, strict=True):
            assert a.grad.dtype == out.dtype
            np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=tolerance, atol=tolerance)
