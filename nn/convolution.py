"""Convolution and pooling of images: a window slides over rows and columns.

Each function here goes through the elements of the window, a few, and handles one element of all windows at once, with
slices. A convolution copies the windows side by side; the rest is one matrix product. In memory its windows and results
have the batch innermost, so that slices are long runs; its results are views of shape (N, C, H, W).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from autograd import ShapeError, Tensor, describe, differentiable
from nn.init import fan, uniform_
from nn.module import Module, Parameter, as_array, in_float32

Array = Any
Pair = tuple[int, int]


# Where windows lie


class Axis(NamedTuple):
    """How windows lie along one axis of an image."""

    length: int
    """Elements of the image."""
    kernel: int
    """Elements of a window."""
    stride: int
    """From the first element of a window to that of the next."""
    padding: int
    """How many elements before the image the first window begins."""
    dilation: int
    """From an element of a window to its next."""
    windows: int
    """How many windows there are."""

    def inside(self, offset: int) -> tuple[slice, slice]:
        """Return the windows whose element at this offset is inside the image, and where these elements are."""
        first = offset * self.dilation - self.padding
        low = max(0, -(first // self.stride))
        high = max(low, min(self.windows, (self.length - 1 - first) // self.stride + 1))
        return slice(low, high), slice(first + low * self.stride, max(0, first + high * self.stride), self.stride)


Grid = tuple[Axis, Axis]
"""How windows lie over rows and columns."""


@lru_cache
def taps(grid: Grid) -> list[tuple[Pair, Any, Any]]:
    """Return, for each element (i, j) of a window: (i, j), the windows where it is inside, and its places there."""
    rows, columns = grid
    found = []
    for i, j in product(range(rows.kernel), range(columns.kernel)):
        (above, top), (left, side) = rows.inside(i), columns.inside(j)
        found.append(((i, j), (above, left), (top, side)))
    return found


def counts(grid: Grid) -> Pair:
    """Return how many windows there are, along rows and columns."""
    return grid[0].windows, grid[1].windows


# Convolution


SMALL = 2**18
"""Bytes up to which a transposed copy is fast in one go; one of 4 MB takes three times as long as in parts."""


@differentiable(adjoint=lambda g: np.transpose(g, (3, 0, 1, 2)))
def batch_last(images: Array) -> Array:
    """Return images (N, C, H, W) as a contiguous array (C, H, W, N): as they are, if they lie so in memory."""
    images = np.transpose(images, (1, 2, 3, 0))
    if images.flags.c_contiguous or images.nbytes < SMALL:
        return np.ascontiguousarray(images)
    out = np.empty(images.shape, images.dtype)
    for first in range(0, images.shape[-1], 8):  # so few that what is read of each stays in the cache
        out[..., first : first + 8] = images[..., first : first + 8]
    return out


@differentiable(adjoint=(lambda g, grid: overlapped(g, grid), None))  # type: ignore[has-type]
def windowed(images: Array, grid: Grid) -> Array:
    """Copy the windows of images (N, C, H, W) side by side: (C, kernel rows, kernel columns, H', W', N)."""
    images = batch_last(images)
    kernel = [axis.kernel for axis in grid]
    windows = np.zeros((images.shape[0], *kernel, *counts(grid), images.shape[-1]), images.dtype)
    for (i, j), at, places in taps(grid):
        windows[:, i, j, *at] = images[:, *places]
    return windows


@differentiable(adjoint=(lambda g, grid: windowed(g, grid), None))
def overlapped(windows: Array, grid: Grid) -> Array:
    """Add up windows in images where they overlap: the transpose of `windowed`."""
    images = np.zeros((windows.shape[0], *(axis.length for axis in grid), windows.shape[-1]), windows.dtype)
    for (i, j), at, places in taps(grid):
        images[:, *places] += windows[:, i, j, *at]
    return np.transpose(images, (3, 0, 1, 2))


def matrices(images: Array, groups: int) -> Array:
    """Return images (N, C, H, W) as a matrix for each group: a row for each of its channels."""
    return np.reshape(batch_last(images), (groups, images.shape[1] // groups, -1))


def to_input(g: Array, weight: Array, grid: Grid, groups: int) -> Array:
    """Return the gradient of a convolution by its images: kernels times what comes, added up where windows overlap."""
    kernels = np.reshape(weight, (groups, weight.shape[0] // groups, -1))
    windows = np.matmul(kernels.mT, matrices(g, groups))
    shape = groups * weight.shape[1], *weight.shape[2:], *counts(grid), g.shape[0]
    return overlapped(np.reshape(windows, shape), grid)


def to_weight(g: Array, input: Array, grid: Grid, groups: int, shape: tuple[int, ...]) -> Array:
    """Return the gradient of a convolution by its weight: what comes times the windows."""
    windows = np.reshape(windowed(input, grid), (groups, math.prod(shape[1:]), -1))
    return np.reshape(np.matmul(matrices(g, groups), windows.mT), shape)


@differentiable(
    vjp=(
        lambda g, weight, grid, groups: to_input(g, weight, grid, groups),
        lambda g, input, grid, groups, shape: to_weight(g, input, grid, groups, shape),
        lambda g: np.sum(g, (0, 2, 3)),
        None,
        None,
    ),
    jvp=(
        lambda t, weight, grid, groups: convolved(t, weight, None, grid, groups),  # type: ignore[has-type]
        lambda t, input, grid, groups: convolved(input, t, None, grid, groups),  # type: ignore[has-type]
        lambda t: np.reshape(t, (-1, 1, 1)),
        None,
        None,
    ),
)
def convolved(input: Array, weight: Array, bias: Array | None, grid: Grid, groups: int) -> Array:
    """Multiply the windows of images with kernels, one for each channel of the result."""
    channels = weight.shape[0]
    windows = np.reshape(windowed(input, grid), (groups, math.prod(weight.shape[1:]), -1))
    out = np.reshape(np.matmul(np.reshape(weight, (groups, channels // groups, -1)), windows), (channels, -1))
    if bias is not None:
        out = np.add(out, bias[:, np.newaxis], out=out if out.dtype == np.result_type(out, bias) else None)
    return np.transpose(np.reshape(out, (channels, *counts(grid), input.shape[0])), (3, 0, 1, 2))


# Pooling


def lowest(dtype: np.dtype[Any]) -> float:
    """Return a number below which there is none of this dtype."""
    return -math.inf if dtype.kind == "f" else np.iinfo(dtype).min


def kept_where(hit: Array, values: Array) -> Array:
    """Return ``np.where(hit, values, 0)``, without its branches: the bits times 0 or 1."""
    bits = f"i{values.dtype.itemsize}"
    return np.multiply(hit, values.view(bits), dtype=bits).view(values.dtype)


def first_maxima(input: Array, highest: Array, grid: Grid) -> Iterator[tuple[Any, Any, Array]]:
    """Yield, for each element of a window, where it is inside, its places, and in which windows it is the one taken.

    That is the first of those equal to the maximum, or the first NaN. A comparison that is redone when the gradient
    comes costs the forward pass nothing.
    """
    free, nan = np.ones_like(highest, bool), np.isnan(highest).any()
    for _, at, places in taps(grid):
        values = input[..., *places]
        taken = values == highest[..., *at]
        if nan:
            taken |= np.isnan(values)
        taken &= free[..., *at]
        free[..., *at] ^= taken
        yield at, places, taken


@differentiable(
    adjoint=(
        lambda g, input, highest, grid: from_maxima(g, input, highest, grid),  # type: ignore[has-type]
        None,
        None,
        None,
    ),
    flat=("input", "highest"),
)
def to_maxima(upstream: Array, input: Array, highest: Array, grid: Grid) -> Array:
    """Add what comes for each window to its first maximum."""
    images = np.zeros_like(input, upstream.dtype)
    for at, places, taken in first_maxima(input, highest, grid):
        images[..., *places] += kept_where(taken, upstream[..., *at])
    return images


@differentiable(
    adjoint=(lambda g, input, highest, grid: to_maxima(g, input, highest, grid), None, None, None),
    flat=("input", "highest"),
)
def from_maxima(values: Array, input: Array, highest: Array, grid: Grid) -> Array:
    """Take from each window of `values` what stands where the first maximum of `input` is: the transpose."""
    found = np.zeros_like(highest, values.dtype)
    for at, places, taken in first_maxima(input, highest, grid):
        found[..., *at] += kept_where(taken, values[..., *places])
    return found


@differentiable(
    vjp=(lambda g, input, out, grid: to_maxima(g, input, out, grid), None),
    jvp=(lambda t, input, out, grid: from_maxima(t, input, out, grid), None),
)
def maxima(input: Array, grid: Grid) -> Array:
    """Return the maximum of each window."""
    highest = np.full_like(input, lowest(input.dtype), shape=(*input.shape[:-2], *counts(grid)))
    for _, at, places in taps(grid):
        np.maximum(highest[..., *at], input[..., *places], out=highest[..., *at])
    return highest


@differentiable(adjoint=(lambda g, grid: spread(g, grid), None))  # type: ignore[has-type]
def sums(input: Array, grid: Grid) -> Array:
    """Return the sum of each window."""
    total = np.zeros_like(input, shape=(*input.shape[:-2], *counts(grid)))
    for _, at, places in taps(grid):
        total[..., *at] += input[..., *places]
    return total


@differentiable(adjoint=(lambda g, grid: sums(g, grid), None))
def spread(windows: Array, grid: Grid) -> Array:
    """Add the number of each window to all its elements: the transpose of `sums`."""
    images = np.zeros_like(windows, shape=(*windows.shape[:-2], *(axis.length for axis in grid)))
    for _, at, places in taps(grid):
        images[..., *places] += windows[..., *at]
    return images


# What users say, as a grid


def pair(who: object, name: str, value: Any, least: int) -> Pair:
    """Return a number for rows and one for columns."""
    numbers = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(numbers) != 2 or not all(isinstance(number, int | np.integer) and number >= least for number in numbers):
        raise ShapeError(
            f"{who}: {name}={value!r} is neither an integer of at least {least} nor a pair of such, for rows and "
            "columns; give one of them"
        )
    return int(numbers[0]), int(numbers[1])


def lay(
    who: object, input: Array, kernel: Pair, stride: Pair, padding: Sequence[Pair], dilation: Pair, ceil: bool = False
) -> Grid:
    """Return how windows lie over images that are continued by `padding` elements, before and after."""
    axes = []
    for length, size, step, (before, after), spacing in zip(input.shape[-2:], kernel, stride, padding, dilation):
        room = length + before + after - spacing * (size - 1) - 1
        windows = (-(-room // step) if ceil else room // step) + 1
        if ceil and (windows - 1) * step >= length + before:
            windows -= 1  # it would begin behind the image
        if windows < 1:
            raise ShapeError(
                f"{who}: windows with kernel_size={kernel} and dilation={dilation} are larger than the images of "
                f"{describe(input)}, padded by {tuple(padding)}; give larger images, more padding or a smaller kernel"
            )
        axes.append(Axis(length, size, step, before, spacing, windows))
    return axes[0], axes[1]


def images_of(who: object, input: Any) -> Array:
    """Return images as an array or tensor of three or four axes."""
    input = as_array(input)
    if input.ndim not in (3, 4):
        raise ShapeError(
            f"{who} takes images of shape (N, C, H, W) or (C, H, W), got {describe(input)}; "
            "add an axis for channels with np.newaxis, or reshape"
        )
    return input


def continued(who: object, padding: Any, kernel: Pair, stride: Pair, dilation: Pair) -> Sequence[Pair]:
    """Return by how many zeros a convolution continues images, before and after, along rows and columns."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise ShapeError(f"{who}: padding='same' goes with stride=1, not {stride}; give the padding in numbers")
        spans = [spacing * (size - 1) for spacing, size in zip(dilation, kernel)]
        return [(span // 2, span - span // 2) for span in spans]
    if isinstance(padding, str):
        raise ShapeError(f"{who}: padding={padding!r} is unknown; give 'same', 'valid', an integer or a pair of them")
    return [(one, one) for one in pair(who, "padding", padding, 0)]


def convolve(
    who: object, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """Do what `conv2d` does, for the function or layer that errors name."""
    input, weight = images_of(who, input), as_array(weight)
    if weight.ndim != 4 or 0 in weight.shape or groups < 1 or weight.shape[0] % groups:
        raise ShapeError(
            f"{who}: the weight {describe(weight)} must have shape (out_channels, in_channels / groups, rows, "
            f"columns), none of them 0, and groups={groups} must divide out_channels; reshape it, or give other groups"
        )
    channels = weight.shape[1] * groups
    if input.shape[-3] != channels:
        raise ShapeError(
            f"{who} takes images of shape (N, {channels}, H, W) or ({channels}, H, W), got {describe(input)}; "
            f"with groups={groups} the weight {describe(weight)} is for {channels} channels: give as many, or a "
            "weight for theirs"
        )
    if bias is not None:
        bias = as_array(bias)
        if bias.shape != weight.shape[:1]:
            raise ShapeError(
                f"{who}: the bias {describe(bias)} must have shape {weight.shape[:1]}, one for each output channel "
                f"of the weight {describe(weight)}; reshape it"
            )
    kernel = pair(who, "kernel_size", weight.shape[2:], 1)
    stride, dilation = pair(who, "stride", stride, 1), pair(who, "dilation", dilation, 1)
    grid = lay(who, input, kernel, stride, continued(who, padding, kernel, stride, dilation), dilation)
    if input.ndim == 3:
        return convolved(input[np.newaxis], weight, bias, grid, groups)[0]
    return convolved(input, weight, bias, grid, groups)


def window(who: object, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> tuple[Pair, Pair, Pair, Pair]:
    """Return the numbers for rows and columns of a pooling's windows."""
    kernel, dilation = pair(who, "kernel_size", kernel_size, 1), pair(who, "dilation", dilation, 1)
    stride = kernel if stride is None else pair(who, "stride", stride, 1)
    padding = pair(who, "padding", padding, 0)
    if any(2 * pad > spacing * (size - 1) + 1 for pad, size, spacing in zip(padding, kernel, dilation)):
        raise ShapeError(
            f"{who}: padding={padding} is more than half of a window with kernel_size={kernel} and "
            f"dilation={dilation}; give less padding or a larger kernel"
        )
    return kernel, stride, padding, dilation


def pool(
    who: object, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Array, Grid]:
    """Return images and how the windows of a pooling lie over them."""
    input = images_of(who, input)
    kernel, stride, padding, dilation = window(who, kernel_size, stride, padding, dilation)
    return input, lay(who, input, kernel, stride, [(pad, pad) for pad in padding], dilation, ceil_mode)


@lru_cache
def areas(grid: Grid, count_include_pad: bool) -> Array:
    """Return how many elements each window has: in the image, or also in its padding."""
    lengths = []
    for axis in grid:
        edge = axis.padding if count_include_pad else 0
        first = np.arange(axis.windows) * axis.stride - axis.padding
        lengths.append(np.minimum(first + axis.kernel, axis.length + edge) - np.maximum(first, -edge))
    return np.multiply.outer(*lengths)


# The functions


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Pair = 1,
    padding: int | Pair | str = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Any:
    """Convolution of images: each number of the result is a product of a window with a kernel.

    As everywhere in networks, it is a cross-correlation; the kernel is not flipped. With zeros outside the image,
    stride s, padding p and dilation d::

        z[n, o, y, x] = b[o] + Σ_{c, i, j} weight[o, c, i, j] · input[n, c, s y + d i - p, s x + d j - p]

    In memory the result has the batch innermost. The windows, copied side by side, are not kept for the gradients but
    copied again; so a layer keeps its input alone.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        The images.
    weight : array_like, shape (out_channels, C / groups, rows, columns)
        The kernels.
    bias : array_like, shape (out_channels,), optional
        b.
    stride : int or (int, int)
        How far, along rows and columns, a window stands from the next.
    padding : int or (int, int) or 'same' or 'valid'
        By how many zeros images are continued on each side; 'same' gives as many windows as the image has elements
        (stride 1; of an odd number of zeros more stand behind), 'valid' adds none.
    dilation : int or (int, int)
        How far an element of the window stands from the next.
    groups : int
        Channels, before and after, are divided into so many groups that do not mix.

    Returns
    -------
    Tensor or array, shape (N, out_channels, H', W') or (out_channels, H', W')
        z, with H' = ⌊(H + 2p - d (rows - 1) - 1) / s⌋ + 1.

    Raises
    ------
    ShapeError
        If the shapes or the geometry do not fit.

    Examples
    --------
    How much brighter each element is than its left neighbour:

    >>> from nn.functional import conv2d
    >>> conv2d([[[1.0, 4.0, 2.0], [0.0, 0.0, 5.0]]], [[[[-1.0, 1.0]]]])
    array([[[ 3., -2.],
            [ 0.,  5.]]])
    """
    return convolve("conv2d", input, weight, bias, stride, padding, dilation, groups)


def max_pool2d(
    input: Any,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    ceil_mode: bool = False,
) -> Any:
    """Maximum of each window.

    The gradient goes to the maximum; of several in a window, to the first in reading order, as in PyTorch, whereas
    `numpy.max` of a tensor shares it among them. NaN is greater than any number.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        The images.
    kernel_size : int or (int, int)
        Rows and columns of a window.
    stride : int or (int, int), optional
        How far a window stands from the next; `kernel_size` if it is left out.
    padding : int or (int, int)
        How far windows reach beyond the image, at most by half of their size; what is there is never the maximum.
    dilation : int or (int, int)
        How far an element of the window stands from the next.
    ceil_mode : bool
        Whether there may be a last window that ends behind the image and its padding, if it begins in front of that.

    Returns
    -------
    Tensor or array, shape (N, C, H', W') or (C, H', W')
        The maxima.

    Raises
    ------
    ShapeError
        If the shape or the geometry does not fit.

    Examples
    --------
    >>> from nn.functional import max_pool2d
    >>> max_pool2d([[[1.0, 4.0, 2.0, 3.0], [0.0, 0.0, 5.0, 3.0]]], 2)
    array([[[4., 5.]]])
    """
    return maxima(*pool("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode))


def avg_pool2d(
    input: Any,
    kernel_size: int | Pair,
    stride: int | Pair | None = None,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Mean of each window.

    For the mean of whole images, ``np.mean(input, (-2, -1))`` is faster.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        The images.
    kernel_size : int or (int, int)
        Rows and columns of a window.
    stride : int or (int, int), optional
        How far a window stands from the next; `kernel_size` if it is left out.
    padding : int or (int, int)
        By how many zeros images are continued on each side, at most half of the window's size.
    ceil_mode : bool
        Whether there may be a last window that ends behind the image and its padding, if it begins in front of that.
        What of it is behind the padding does not count.
    count_include_pad : bool
        Whether the zeros around the image count.

    Returns
    -------
    Tensor or array, shape (N, C, H', W') or (C, H', W')
        The means.

    Raises
    ------
    ShapeError
        If the shape or the geometry does not fit.

    Examples
    --------
    >>> from nn.functional import avg_pool2d
    >>> avg_pool2d([[[1.0, 4.0, 2.0, 3.0], [0.0, 0.0, 5.0, 3.0]]], 2)
    array([[[1.25, 3.25]]])
    """
    return average("avg_pool2d", input, kernel_size, stride, padding, ceil_mode, count_include_pad)


def average(
    who: object, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool
) -> Any:
    """Do what `avg_pool2d` does, for the function or layer that errors name."""
    input, grid = pool(who, input, kernel_size, stride, padding, 1, ceil_mode)
    if input.dtype.kind != "f":
        input = input.astype(np.float64)
    return means(input, grid, areas(grid, bool(count_include_pad)))


@in_float32
def means(input: Array, grid: Grid, areas: Array) -> Array:
    """Return the sum of each window, divided by its number of elements."""
    return sums(input, grid) / areas.astype(input.dtype)


# The layers


class Conv2d(Module):
    """Convolution of images, with kernels and biases from U(-1/√n, 1/√n), n = in_channels / groups · rows · columns.

    See `conv2d` for the formula. Images outside are continued by zeros.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the images, before and after.
    kernel_size : int or (int, int)
        Rows and columns of the kernels.
    stride : int or (int, int)
        How far a window stands from the next.
    padding : int or (int, int) or 'same' or 'valid'
        By how many zeros images are continued on each side; 'same' keeps their size, 'valid' adds none.
    dilation : int or (int, int)
        How far an element of the window stands from the next.
    groups : int
        Channels are divided into so many groups that do not mix; it divides `in_channels` and `out_channels`.
    bias : bool
        Whether there is a b. Before batch normalization it is redundant: what it adds, the mean takes away.
    dtype : dtype
        Of the parameters.
    rng : numpy.random.Generator, optional
        Where the first values come from.

    Attributes
    ----------
    weight : Tensor, shape (out_channels, in_channels / groups, rows, columns)
        The kernels.
    bias : Tensor, shape (out_channels,), or None
        b.

    Raises
    ------
    ShapeError
        If the geometry or the groups are impossible.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Conv2d(1, 4, 3, padding=1, rng=np.random.default_rng(0))
    >>> layer
    Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    >>> layer(np.ones((5, 1, 8, 8), np.float32)).shape
    (5, 4, 8, 8)
    """

    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair | str = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, 1)
        self.stride, self.dilation = pair("Conv2d", "stride", stride, 1), pair("Conv2d", "dilation", dilation, 1)
        continued("Conv2d", padding, self.kernel_size, self.stride, self.dilation)
        self.padding = padding if isinstance(padding, str) else pair("Conv2d", "padding", padding, 0)
        if min(groups, in_channels, out_channels) < 1 or in_channels % groups or out_channels % groups:
            raise ShapeError(
                f"Conv2d: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}, and "
                "all be at least 1; give other numbers"
            )
        self.weight = Parameter(np.zeros((out_channels, in_channels // groups, *self.kernel_size), dtype))
        self.register_parameter("bias", Parameter(np.zeros(out_channels, dtype)) if bias else None)
        self.reset_parameters(rng=rng)

    def reset_parameters(self, *, rng: np.random.Generator | None = None) -> None:
        """Draw first values anew."""
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(fan(self.weight))
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                uniform_(parameter, -bound, bound, rng=rng)

    def forward(self, input: Any) -> Any:
        """Return z, of shape (N, out_channels, H', W')."""
        return convolve(self, input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """Return the arguments, those of rare use where they are not the default."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


class MaxPool2d(Module):
    """Maximum of each window; see `max_pool2d`.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Rows and columns of a window.
    stride : int or (int, int), optional
        How far a window stands from the next; `kernel_size` if it is left out.
    padding : int or (int, int)
        How far windows reach beyond the image.
    dilation : int or (int, int)
        How far an element of the window stands from the next.
    ceil_mode : bool
        Whether there may be a last window that ends behind the image and its padding.

    Examples
    --------
    >>> import nn
    >>> nn.MaxPool2d(2)([[[1.0, 4.0, 2.0, 3.0], [0.0, 0.0, 5.0, 3.0]]])
    array([[[4., 5.]]])
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        window("MaxPool2d", kernel_size, stride, padding, dilation)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, input: Any) -> Any:
        """Return the maxima, of shape (N, C, H', W')."""
        return maxima(*pool(self, input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode))

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    """Mean of each window; see `avg_pool2d`.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Rows and columns of a window.
    stride : int or (int, int), optional
        How far a window stands from the next; `kernel_size` if it is left out.
    padding : int or (int, int)
        By how many zeros images are continued on each side.
    ceil_mode : bool
        Whether there may be a last window that ends behind the image and its padding.
    count_include_pad : bool
        Whether the zeros around the image count.

    Examples
    --------
    >>> import nn
    >>> nn.AvgPool2d(2)([[[1.0, 4.0, 2.0, 3.0], [0.0, 0.0, 5.0, 3.0]]])
    array([[[1.25, 3.25]]])
    """

    def __init__(
        self,
        kernel_size: int | Pair,
        stride: int | Pair | None = None,
        padding: int | Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        window("AvgPool2d", kernel_size, stride, padding, 1)
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, input: Any) -> Any:
        """Return the means, of shape (N, C, H', W')."""
        return average(self, input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
