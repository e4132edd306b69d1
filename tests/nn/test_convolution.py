"""Convolution and pooling: numbers by hand, definitions written as loops, geometry, gradients, errors."""

from __future__ import annotations

import math
import re
import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor, grad, gradcheck, hessian, jvp
from nn.functional import avg_pool2d, conv2d, max_pool2d

Array = Any
Geometry = tuple[Any, Any, Any, Any]
IMAGE = np.arange(1.0, 13.0).reshape(1, 3, 4)


def windows(x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any, fill: float) -> Array:
    """The windows of a definition: shape (N, C, H', W', rows, columns), of images with something around them."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = kernel, stride, padding, dilation
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    rows = range(0, x.shape[2] - dh * (kh - 1), sh)
    columns = range(0, x.shape[3] - dw * (kw - 1), sw)
    out = np.empty((*x.shape[:2], len(rows), len(columns), kh, kw), x.dtype)
    for (y, row), (z, column) in product(enumerate(rows), enumerate(columns)):
        out[:, :, y, z] = x[:, :, row : row + dh * kh : dh, column : column + dw * kw : dw][:, :, :kh, :kw]
    return out


GEOMETRIES: list[Geometry] = [
    ((1, 1), (1, 1), (0, 0), (1, 1)),
    ((3, 3), (1, 1), (1, 1), (1, 1)),
    ((2, 3), (2, 1), (1, 0), (1, 1)),
    ((3, 2), (3, 2), (1, 1), (1, 3)),
    ((2, 2), (1, 3), (0, 1), (4, 2)),
    ((3, 1), (2, 5), (1, 0), (2, 1)),
]


def images(*shape: int, dtype: Any = float) -> Array:
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


# Values


def test_convolution_by_hand() -> None:
    kernel = [[[[1.0, 2.0], [0.0, -1.0]]]]
    assert conv2d(IMAGE, kernel).tolist() == [[[-1.0, 1.0, 3.0], [7.0, 9.0, 11.0]]]
    assert conv2d(IMAGE, kernel, [100.0]).tolist() == [[[99.0, 101.0, 103.0], [107.0, 109.0, 111.0]]]
    assert conv2d(IMAGE, kernel, stride=(1, 2)).tolist() == [[[-1.0, 3.0], [7.0, 11.0]]]
    assert conv2d(IMAGE, kernel, dilation=(2, 1)).tolist() == [[[-5.0, -3.0, -1.0]]]
    assert conv2d(IMAGE, kernel, padding=(0, 1))[0, 0].tolist() == [-3.0, -1.0, 1.0, 3.0, 4.0]


def test_the_gradient_of_a_convolution_by_hand() -> None:
    x, w, b = [[[1.0, 2.0, 3.0]]], [[[[10.0, 20.0]]]], [0.0]
    gradients = grad(lambda *xs: np.sum(conv2d(*xs) * [[[1.0, 100.0]]]), (0, 1, 2))(*map(np.array, (x, w, b)))
    assert [g.tolist() for g in gradients] == [[[[10.0, 1020.0, 2000.0]]], [[[[201.0, 302.0]]]], [101.0]]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_convolution_is_what_its_definition_says(geometry: Geometry, groups: int) -> None:
    kernel, stride, padding, dilation = geometry
    x, w, b = images(3, 4, 7, 8), images(6, 4 // groups, *kernel), images(6)
    parts = windows(x, *geometry, 0)
    per_group = [
        np.einsum("ncyxij,ocij->noyx", part, kernels)
        for part, kernels in zip(np.split(parts, groups, 1), np.split(w, groups))
    ]
    expected = np.concatenate(per_group, 1) + b[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(conv2d(x, w, b, stride, padding, dilation, groups), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_pooling_is_what_its_definition_says(geometry: Geometry) -> None:
    kernel, stride, _, dilation = geometry
    padding = tuple(size // 2 for size in kernel)
    x = images(3, 2, 7, 8)
    expected = windows(x, kernel, stride, padding, dilation, -math.inf).max((-1, -2))
    np.testing.assert_array_equal(max_pool2d(x, kernel, stride, padding, dilation), expected)
    expected = windows(x, kernel, stride, padding, (1, 1), 0).mean((-1, -2))
    np.testing.assert_allclose(avg_pool2d(x, kernel, stride, padding), expected, rtol=0, atol=1e-14)
    expected = np.nanmean(windows(x, kernel, stride, padding, (1, 1), math.nan), (-1, -2))
    np.testing.assert_allclose(
        avg_pool2d(x, kernel, stride, padding, count_include_pad=False), expected, rtol=0, atol=1e-14
    )


def test_same_and_valid() -> None:
    x, w = images(2, 1, 5, 6), images(3, 1, 4, 3)
    assert conv2d(x, w, padding="same").shape == (2, 3, 5, 6)
    assert conv2d(x, w, padding="valid").shape == (2, 3, 2, 4)
    more = np.pad(x, ((0, 0), (0, 0), (1, 2), (1, 1)))  # of an odd number of zeros, more stand behind
    np.testing.assert_array_equal(conv2d(x, w, padding="same"), conv2d(more, w))


def test_ceil_mode() -> None:
    assert max_pool2d(IMAGE, 2, ceil_mode=True).tolist() == [[[6.0, 8.0], [10.0, 12.0]]]
    assert max_pool2d(IMAGE, (2, 4), ceil_mode=True).tolist() == [[[8.0], [12.0]]]
    assert max_pool2d(IMAGE, (4, 4), ceil_mode=True).tolist() == [[[12.0]]]
    assert avg_pool2d(IMAGE, 2, ceil_mode=True).tolist() == [[[3.5, 5.5], [9.5, 11.5]]]
    assert max_pool2d(np.ones((1, 3, 3)), 1, 3, ceil_mode=True).shape == (1, 1, 1)  # no window begins behind the image


def test_one_image_is_a_batch_of_one() -> None:
    x, w = images(2, 5, 5), images(3, 2, 3, 3)
    for one, several in (
        (conv2d(x, w), conv2d(x[np.newaxis], w)),
        (max_pool2d(x, 2), max_pool2d(x[np.newaxis], 2)),
        (avg_pool2d(x, 2), avg_pool2d(x[np.newaxis], 2)),
    ):
        assert one.shape == several.shape[1:]
        np.testing.assert_array_equal(one, several[0])
    assert Tensor(grad(lambda x: np.sum(conv2d(x, w)))(x)).shape == x.shape


def test_an_empty_batch() -> None:
    x, w = np.zeros((0, 2, 5, 5)), Tensor(images(3, 2, 3, 3), requires_grad=True)
    out = max_pool2d(conv2d(Tensor(x, requires_grad=True), w), 2)
    assert out.shape == (0, 3, 1, 1)
    out.sum().backward()
    assert w.grad.tolist() == np.zeros((3, 2, 3, 3)).tolist()


def test_float32_stays() -> None:
    layers = nn.Conv2d(2, 3, 3), nn.MaxPool2d(2), nn.AvgPool2d(2)
    x = Tensor(images(4, 2, 8, 8, dtype=np.float32), requires_grad=True)
    out = layers[2](layers[1](layers[0](x)))
    assert out.dtype == np.float32
    out.sum().backward()
    assert {x.grad.dtype, *(p.grad.dtype for p in layers[0].parameters())} == {np.dtype(np.float32)}


def test_integers_are_data() -> None:
    x = IMAGE.astype(np.uint8) + 240
    assert max_pool2d(x, 3, 2, 1).tolist() == [[[246, 248], [250, 252]]]
    assert max_pool2d(x, 3, 2, 1).dtype == np.uint8
    assert avg_pool2d(x, 2).tolist() == [[[243.5, 245.5]]]
    assert conv2d(x, [[[[0.5]]]]).dtype == float


@pytest.mark.parametrize("size", [6, 100], ids=["small", "large"])
def test_every_layout_in_memory(size: int) -> None:
    """Also of large images, which are copied in parts: more than one, the last of them incomplete."""
    x, w, seed = images(11, 2, size, size), images(3, 2, 3, 3), images(11, 3, size // 2, size // 2)

    def results(x: Array, seed: Array) -> list[Array]:
        x, weight = Tensor(x, requires_grad=True), Tensor(w, requires_grad=True)
        out = max_pool2d(avg_pool2d(conv2d(x, weight, padding=1), 3, 1, 1), 2)
        out.backward(seed)
        return [out.numpy(), x.grad, weight.grad]

    expected = results(x, seed)
    for order in ([1, 2, 3, 0], [0, 2, 3, 1], [3, 2, 1, 0]):
        others = [np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order)) for a in (x, seed)]
        for one, other in zip(results(*others), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)
    x.flags.writeable = seed.flags.writeable = False
    np.testing.assert_allclose(results(x[::-1, :, ::-1], seed[::-1])[0], results(x[::-1, :, ::-1].copy(), seed)[0])


def test_windows_are_not_kept() -> None:
    """A convolution keeps its images, which are there anyway, and not a copy of the nine windows on each element."""
    x, w = Tensor(images(8, 16, 32, 32), requires_grad=True), Tensor(images(2, 16, 3, 3), requires_grad=True)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        out = conv2d(x, w)
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert out.nbytes <= kept < out.nbytes + x.nbytes / 2


# Maxima


def slope(x: Any, *args: Any) -> Any:
    return grad(lambda x: np.sum(max_pool2d(x, *args)))(np.array(x, float)).tolist()


def test_the_first_of_equal_maxima_gets_the_gradient() -> None:
    assert slope([[[3.0, 7.0, 7.0], [7.0, 7.0, 1.0]]], 2) == [[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]
    assert slope([[[3.0, 7.0, 7.0], [7.0, 7.0, 1.0]]], 2, 1) == [[[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]]
    assert slope(np.zeros((1, 3, 3)), 2, 1) == [[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]
    assert slope(np.full((1, 2, 2), -math.inf), 2) == [[[1.0, 0.0], [0.0, 0.0]]]


def test_nan_passes() -> None:
    x = [[[5.0, math.nan, 1.0, 2.0], [math.nan, 6.0, 4.0, 3.0]]]
    np.testing.assert_array_equal(max_pool2d(x, 2), [[[math.nan, 4.0]]])
    assert slope(x, 2) == [[[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]]
    assert np.isnan(avg_pool2d(x, 2)).tolist() == [[[True, False]]]
    assert np.isnan(conv2d(x, np.zeros((1, 1, 2, 2)))).tolist() == [[[True, True, False]]]


def test_an_infinite_gradient_reaches_the_maximum_alone() -> None:
    with np.errstate(all="ignore"):
        g = grad(lambda x: np.sum(np.sqrt(max_pool2d(x, 2))))(np.array([[[0.0, -1.0], [-2.0, -3.0]]]))
    assert g.tolist() == [[[math.inf, 0.0], [0.0, 0.0]]]


def test_a_window_in_the_padding_has_no_maximum() -> None:
    """Dilation can put all of a window outside."""
    assert max_pool2d([[[1.0]]], 2, 1, 1, 2).tolist() == [[[-math.inf]]]
    assert slope([[[1.0]]], 2, 1, 1, 2) == [[[0.0]]]


# Derivatives


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_the_derivatives_of_convolution(groups: int, bias: bool) -> None:
    x, w, b = images(2, 2, 4, 3), images(4, 2 // groups, 2, 2), images(4)
    args = (x, w, b) if bias else (x, w)
    assert gradcheck(lambda x, w, b=None: conv2d(x, w, b, (2, 1), (1, 2), (1, 2), groups), *args)


POOLS: dict[str, Callable[[Array], Array]] = {
    "disjoint": lambda x: max_pool2d(x, 2),
    "overlapping": lambda x: max_pool2d(x, 3, 2, 1, (1, 2)),
    "beyond the image": lambda x: max_pool2d(x, 2, 3, ceil_mode=True),
    "mean, disjoint": lambda x: avg_pool2d(x, 2),
    "mean, overlapping": lambda x: avg_pool2d(x, (3, 2), 2, (1, 0), True, False),
}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_the_derivatives_of_pooling(pool: Callable[[Array], Array]) -> None:
    """Squared, for a second derivative that is not zero."""
    assert gradcheck(lambda x: pool(x) ** 2, images(2, 2, 4, 5))
    assert gradcheck(lambda x: pool(x) ** 2, images(2, 4, 5))


def test_a_network_to_second_order() -> None:
    x, w, v = images(2, 1, 6, 6), images(2, 1, 3, 3), images(1, 2, 2, 2)

    def loss(w: Array) -> Array:
        return np.sum(conv2d(max_pool2d(np.tanh(conv2d(x, w, padding=1)), 2), v) ** 2)

    assert gradcheck(loss, w)
    forward = [jvp(grad(loss), (w,), (basis.reshape(w.shape),))[1].ravel() for basis in np.eye(w.size)]
    np.testing.assert_allclose(hessian(loss)(w).reshape(w.size, w.size), forward, rtol=1e-12)


# Layers


def test_layers_show_their_arguments() -> None:
    assert repr(nn.Conv2d(1, 16, 3, padding=1)) == ("Conv2d(1, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))")
    assert repr(nn.Conv2d(4, 8, (3, 5), 2, "valid", (1, 2), 2, False)) == (
        "Conv2d(4, 8, kernel_size=(3, 5), stride=(2, 2), padding=valid, dilation=(1, 2), groups=2, bias=False)"
    )
    assert repr(nn.MaxPool2d(3, padding=1)) == (
        "MaxPool2d(kernel_size=3, stride=3, padding=1, dilation=1, ceil_mode=False)"
    )
    assert repr(nn.AvgPool2d(2, (1, 2))) == "AvgPool2d(kernel_size=2, stride=(1, 2), padding=0)"


def test_first_values() -> None:
    layer = nn.Conv2d(4, 600, 3, groups=2, rng=np.random.default_rng(0))
    bound = 1 / math.sqrt(2 * 3 * 3)
    for parameter, shape in ((layer.weight, (600, 2, 3, 3)), (layer.bias, (600,))):
        assert parameter is not None
        assert parameter.shape == shape
        assert parameter.dtype == np.float32
        assert 0.98 * bound < np.max(np.abs(parameter.numpy())) <= np.float32(bound)
        assert abs(np.std(parameter.numpy()) * math.sqrt(3) / bound - 1) < 0.05
    again = nn.Conv2d(4, 600, 3, groups=2, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(layer.weight.numpy(), again.weight.numpy())
    assert nn.Conv2d(1, 1, 1, bias=False, dtype=np.float64).weight.dtype == np.float64
    assert list(nn.Conv2d(1, 1, 1, bias=False).state_dict()) == ["weight"]


def test_layers_are_their_functions() -> None:
    x = images(2, 4, 9, 9, dtype=np.float32)
    layer = nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2)
    expected = conv2d(x, layer.weight, layer.bias, (2, 1), (1, 0), (1, 2), 2)
    np.testing.assert_array_equal(layer(x).numpy(), expected.numpy())
    np.testing.assert_array_equal(nn.MaxPool2d(3, 2, 1, 2, ceil_mode=True)(x), max_pool2d(x, 3, 2, 1, 2, True))
    np.testing.assert_array_equal(nn.AvgPool2d(3, 2, 1, True, False)(x), avg_pool2d(x, 3, 2, 1, True, False))


# Errors

X = np.zeros((2, 3, 5, 5))
W = Tensor(np.zeros((4, 3, 3, 3)), requires_grad=True, name="weight")
ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "channels": (
        lambda: conv2d(np.zeros((2, 1, 5, 5)), W),
        "conv2d takes images of shape (N, 3, H, W) or (3, H, W), got array(float64 (2, 1, 5, 5)); with groups=1 the "
        "weight Tensor(float64 (4, 3, 3, 3) 'weight') is for 3 channels: give as many, or a weight for theirs",
    ),
    "channels of a layer": (
        lambda: nn.Conv2d(4, 2, 3, groups=2)(X),
        "Conv2d(4, 2, kernel_size=(3, 3), stride=(1, 1), groups=2) takes images of shape (N, 4, H, W) or (4, H, W), "
        "got array(float64 (2, 3, 5, 5)); with groups=2 the weight Tensor(float32 (2, 2, 3, 3) 'weight') is for 4 "
        "channels: give as many, or a weight for theirs",
    ),
    "axes": (
        lambda: conv2d(np.zeros((5, 5)), W),
        "conv2d takes images of shape (N, C, H, W) or (C, H, W), got array(float64 (5, 5)); add an axis for channels "
        "with np.newaxis, or reshape",
    ),
    "axes of a pooling layer": (
        lambda: nn.AvgPool2d(2)(np.zeros((5, 5))),
        "AvgPool2d(kernel_size=2, stride=2, padding=0) takes images of shape (N, C, H, W) or (C, H, W), got "
        "array(float64 (5, 5)); add an axis for channels with np.newaxis, or reshape",
    ),
    "axes of the weight": (
        lambda: conv2d(X, np.zeros((3, 3, 3))),
        "conv2d: the weight array(float64 (3, 3, 3)) must have shape (out_channels, in_channels / groups, rows, "
        "columns), none of them 0, and groups=1 must divide out_channels; reshape it, or give other groups",
    ),
    "groups": (
        lambda: conv2d(X, W, groups=3),
        "conv2d: the weight Tensor(float64 (4, 3, 3, 3) 'weight') must have shape (out_channels, in_channels / groups, "
        "rows, columns), none of them 0, and groups=3 must divide out_channels; reshape it, or give other groups",
    ),
    "groups of a layer": (
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        "Conv2d: groups=2 must divide in_channels=3 and out_channels=4, and all be at least 1; give other numbers",
    ),
    "bias": (
        lambda: conv2d(X, W, np.zeros(3)),
        "conv2d: the bias array(float64 (3,)) must have shape (4,), one for each output channel of the weight "
        "Tensor(float64 (4, 3, 3, 3) 'weight'); reshape it",
    ),
    "a large kernel": (
        lambda: conv2d(X, W, dilation=4, padding=(0, 2)),
        "conv2d: windows with kernel_size=(3, 3) and dilation=(4, 4) are larger than the images of "
        "array(float64 (2, 3, 5, 5)), padded by ((0, 0), (2, 2)); give larger images, more padding or a smaller kernel",
    ),
    "a large pool": (
        lambda: nn.MaxPool2d(6)(X),
        "MaxPool2d(kernel_size=6, stride=6, padding=0, dilation=1, ceil_mode=False): windows with kernel_size=(6, 6) "
        "and dilation=(1, 1) are larger than the images of array(float64 (2, 3, 5, 5)), padded by ((0, 0), (0, 0)); "
        "give larger images, more padding or a smaller kernel",
    ),
    "stride": (
        lambda: conv2d(X, W, stride=(1, 0)),
        "conv2d: stride=(1, 0) is neither an integer of at least 1 nor a pair of such, for rows and columns; "
        "give one of them",
    ),
    "stride of a pool": (
        lambda: max_pool2d(X, 2, -1),
        "max_pool2d: stride=-1 is neither an integer of at least 1 nor a pair of such, for rows and columns; "
        "give one of them",
    ),
    "kernel_size": (
        lambda: nn.Conv2d(3, 4, 2.5),  # type: ignore[arg-type]
        "Conv2d: kernel_size=2.5 is neither an integer of at least 1 nor a pair of such, for rows and columns; "
        "give one of them",
    ),
    "padding": (
        lambda: nn.Conv2d(3, 4, 3, padding=-1),
        "Conv2d: padding=-1 is neither an integer of at least 0 nor a pair of such, for rows and columns; "
        "give one of them",
    ),
    "padding by a word": (
        lambda: nn.Conv2d(3, 4, 3, padding="full"),
        "Conv2d: padding='full' is unknown; give 'same', 'valid', an integer or a pair of them",
    ),
    "same with a stride": (
        lambda: nn.Conv2d(3, 4, 3, 2, "same"),
        "Conv2d: padding='same' goes with stride=1, not (2, 2); give the padding in numbers",
    ),
    "much padding": (
        lambda: avg_pool2d(X, (2, 3), padding=(1, 2)),
        "avg_pool2d: padding=(1, 2) is more than half of a window with kernel_size=(2, 3) and dilation=(1, 1); "
        "give less padding or a larger kernel",
    ),
    "much padding of a layer": (
        lambda: nn.MaxPool2d(2, padding=2),
        "MaxPool2d: padding=(2, 2) is more than half of a window with kernel_size=(2, 2) and dilation=(1, 1); "
        "give less padding or a larger kernel",
    ),
    "kernel_size of a pooling layer": (
        lambda: nn.AvgPool2d(0),
        "AvgPool2d: kernel_size=0 is neither an integer of at least 1 nor a pair of such, for rows and columns; "
        "give one of them",
    ),
}


def test_means_of_float16_are_summed_in_float32() -> None:
    x = Tensor(np.full((1, 1, 64, 64), 100, np.float16), requires_grad=True)
    out = avg_pool2d(x, 64)
    assert (out.dtype, out.item()) == (np.float16, 100)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(x.shape, 2.0**-12, np.float16))


@pytest.mark.parametrize(("call", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        call()
