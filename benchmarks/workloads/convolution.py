"""A training step of a small convolutional network on images of 8×8, the size of scikit-learn's digits, batch 64.

Twice convolution 3×3, relu and maximum over 2×2, with 16 and 32 channels, then an affine map to 10 classes. By hand,
and in libraries built on NumPy, windows are copied side by side so that BLAS can multiply them; what differs is how
often such copies are made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.workload import Array, Contestant, Given, in_parts
from benchmarks.workloads.training import Training


class Convolution(Training):
    """A training step of a convolutional network."""

    name = "convolution"
    title = "convolutional training step, 8×8 images, channels 1-16-32, batch 64"
    sizes = {"side": 8, "first": 16, "second": 32, "classes": 10, "batch": 64}
    grows = {"batch": (8, 16, 32, 64, 128, 256), "side": (8, 16, 32)}

    def inputs(self, given: Given, rng: np.random.Generator) -> None:
        """Add images (N, C, H, W), labels, and parameters in the layout of PyTorch."""
        given.x = rng.normal(size=(given.batch, 1, given.side, given.side)).astype(given.dtype)
        given.labels = rng.integers(0, given.classes, given.batch)
        given.features = given.second * (given.side // 4) ** 2
        given.start = []
        for shape in ((given.first, 1, 3, 3), (given.second, given.first, 3, 3), (given.classes, given.features)):
            bound = 1 / np.sqrt(np.prod(shape[1:]))
            given.start.append(rng.uniform(-bound, bound, shape).astype(given.dtype))
            given.start.append(rng.uniform(-bound, bound, shape[0]).astype(given.dtype))

    def numpy(self, given: Given) -> Contestant:
        """Images lie channels last, and kernels as matrices of (3·3·C, C')."""
        labels, rate, rows = given.labels, given.rate, np.arange(given.batch)
        w1, b1, w2, b2, w3, b3 = (p.copy() for p in given.start)
        w1, w2 = (np.ascontiguousarray(w.transpose(2, 3, 1, 0)).reshape(-1, w.shape[0]) for w in (w1, w2))
        quarter = given.side // 4
        w3 = np.ascontiguousarray(  # a feature is a (channel, row, column) there, and a (row, column, channel) here
            w3.reshape(-1, given.second, quarter, quarter).transpose(0, 2, 3, 1)
        ).reshape(given.classes, -1)
        x = np.ascontiguousarray(given.x.transpose(0, 2, 3, 1))
        n = given.batch

        def windows_of(images: Array) -> Array:
            padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
            view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
            return view.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * images.shape[-1])

        def block(images: Array, w: Array, b: Array) -> Any:
            windows = windows_of(images)
            out = np.maximum(windows @ w + b, 0)
            _, height, width, _ = images.shape
            squares = out.reshape(n, height // 2, 2, width // 2, 2, -1)
            highest = squares.max(axis=(2, 4))
            return windows, squares, highest

        def block_backward(g: Array, windows: Array, squares: Array, highest: Array) -> Any:
            tops = highest[:, :, None, :, None]
            spread = np.where((squares == tops) & (tops > 0), g[:, :, None, :, None], 0)
            flat = spread.reshape(len(windows), -1)
            return windows.T @ flat, flat.sum(axis=0), flat

        def to_images(flat: Array, w: Array, shape: tuple[int, ...]) -> Array:
            _, height, width, channels = shape
            parts = (flat @ w.T).reshape(n, height, width, 3, 3, channels)
            padded = np.zeros((n, height + 2, width + 2, channels), flat.dtype)
            for i in range(3):
                for j in range(3):
                    padded[:, i : i + height, j : j + width] += parts[:, :, :, i, j]
            return padded[:, 1:-1, 1:-1]

        def forward() -> Any:
            one = block(x, w1, b1)
            two = block(one[2], w2, b2)
            features = two[2].reshape(n, -1)
            logits = features @ w3.T + b3
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
            return -np.log(probabilities[rows, labels]).mean(), probabilities, one, two, features

        def backward(state: Any) -> list[Array]:
            _, g, one, two, features = state
            g[rows, labels] -= 1
            g /= n
            by_w3, by_b3 = g.T @ features, g.sum(axis=0)
            by_w2, by_b2, flat = block_backward((g @ w3).reshape(two[2].shape), *two)
            by_w1, by_b1, _ = block_backward(to_images(flat, w2, one[2].shape), *one)
            return [by_w1, by_b1, by_w2, by_b2, by_w3, by_b3]

        parameters = [w1, b1, w2, b2, w3, b3]

        def update(gradients: list[Array]) -> None:
            for p, g in zip(parameters, gradients):
                g *= rate
                p -= g

        def found() -> list[Array]:
            kernels = [w.reshape(3, 3, -1, w.shape[1]).transpose(3, 2, 0, 1) for w in (w1, w2)]
            last = w3.reshape(-1, quarter, quarter, given.second).transpose(0, 3, 1, 2).reshape(w3.shape)
            return [kernels[0], b1, kernels[1], b2, last, b3]

        return in_parts(forward, backward, found, update)

    def network(self, given: Given) -> Any:
        """Return the network of `nn`."""
        import nn

        return nn.Sequential(
            nn.Conv2d(1, given.first, 3, padding=1, dtype=given.dtype),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(given.first, given.second, 3, padding=1, dtype=given.dtype),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(given.features, given.classes, dtype=given.dtype),
        )

    def torch_network(self, given: Given) -> Any:
        """Return the same modules of PyTorch."""
        import torch

        return torch.nn.Sequential(
            torch.nn.Conv2d(1, given.first, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(given.first, given.second, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(given.features, given.classes),
        )

    def jax(self, given: Given) -> Contestant:
        """Compile the whole step."""
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", given.dtype == "float64")
        x, labels, rate = jnp.asarray(given.x), jnp.asarray(given.labels), given.rate

        def convolved(h: Any, w: Any, b: Any) -> Any:
            h = jax.nn.relu(jax.lax.conv(h, w, (1, 1), "SAME") + b[:, None, None])
            n, channels, height, width = h.shape
            return h.reshape(n, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))

        def loss_of(parameters: Any, x: Any, labels: Any) -> Any:
            w1, b1, w2, b2, w3, b3 = parameters
            h = convolved(convolved(x, w1, b1), w2, b2).reshape(len(x), -1)
            return -jnp.take_along_axis(jax.nn.log_softmax(h @ w3.T + b3), labels[:, None], axis=1).mean()

        def step(parameters: Any, x: Any, labels: Any) -> Any:
            loss, gradients = jax.value_and_grad(loss_of)(parameters, x, labels)
            return loss, [p - rate * g for p, g in zip(parameters, gradients)]

        compiled = jax.jit(step, donate_argnums=0)
        state = [[jnp.asarray(p) for p in given.start]]

        def run() -> float:
            loss, state[0] = compiled(state[0], x, labels)
            return float(loss)  # waits for the program, which updates the parameters, too

        return Contestant(run, lambda: [np.asarray(p) for p in state[0]])

    def mygrad(self, given: Given) -> Contestant:
        """Use its convolution and pooling."""
        import mygrad as mg
        from mygrad.nnet.activations import relu
        from mygrad.nnet.layers import conv_nd, max_pool
        from mygrad.nnet.losses import softmax_crossentropy

        parameters = [mg.tensor(p) for p in given.start]
        w1, b1, w2, b2, w3, b3 = parameters

        def forward() -> Any:
            h = given.x
            for w, b in ((w1, b1), (w2, b2)):
                h = conv_nd(h, w, stride=1, padding=1) + b.reshape(1, -1, 1, 1)
                h = max_pool(relu(h), (2, 2), 2)
            return softmax_crossentropy(mg.matmul(h.reshape(len(given.x), -1), w3.T) + b3, given.labels)

        def update(_: None) -> None:
            for p in parameters:
                p.data -= given.rate * p.grad

        return in_parts(
            forward,
            lambda loss: loss.backward(),
            lambda: [p.data for p in parameters],
            update,
            lambda loss: loss.item(),
        )

    def tinygrad(self, given: Given) -> Contestant:
        """Capture the whole step with `TinyJit`."""
        from tinygrad import Tensor, TinyJit

        parameters = [Tensor(p).realize() for p in given.start]
        x, labels = Tensor(given.x).realize(), Tensor(given.labels.astype(np.int32)).realize()
        w1, b1, w2, b2, w3, b3 = parameters

        @TinyJit
        def compiled() -> Any:
            h = x
            for w, b in ((w1, b1), (w2, b2)):
                h = h.conv2d(w, b, padding=1).relu().max_pool2d(2)
            loss = (h.flatten(1) @ w3.T + b3).sparse_categorical_crossentropy(labels)
            gradients = loss.gradient(*parameters)
            return loss.realize(*[p.assign(p - given.rate * g) for p, g in zip(parameters, gradients)])

        return Contestant(lambda: compiled().item(), lambda: [p.numpy() for p in parameters])


CONVOLUTION = Convolution()
