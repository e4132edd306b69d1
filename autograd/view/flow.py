"""Gradient flow: what the gradients and activations of a network are like, layer by layer and step by step.

The recorder only watches: hooks on modules see the outputs, hooks on these outputs and on the weights see the gradients
of the real backward pass. What is kept are numbers; `flow_plots.py` draws them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import modes
from autograd.errors import GraphError
from autograd.leaves import Handle
from autograd.messages import describe
from autograd.tensor import Tensor
from autograd.trees import flatten
from autograd.view.flow_plots import FlowPlots, LayerRecord

Array = Any

TANH_BOUND = 0.97
"""A tanh is saturated beyond it, where its slope 1 - a² is below 0.06."""

SIGMOID_BOUND = 0.03
"""A sigmoid is saturated below it and above 1 minus it, where its slope a (1 - a) is below 0.03."""

SAMPLE = np.arange(4096) * ((math.sqrt(5) - 1) / 2) % 1
"""Places in an array, as shares of its length, for histograms of large ones: spread evenly, in step with no axis."""

METHODS = ("named_modules", "named_parameters", "register_forward_hook", "register_forward_pre_hook")
"""What a model must have, as every `nn.Module` does."""


class FlowRecorder(FlowPlots):
    """Record how gradients flow through a network: per layer and step, by watching the real backward passes.

    Use it as a context manager around a training, or call `start` and `stop`. A *step* begins with a call of the model
    and ends, once a backward pass has been seen, when the model is called again or recording stops. Calls under
    `no_grad`, as for validation, are not looked at.

    A *layer* is a module that computes something of its own: not one that returns what its last submodule returned. It
    has the name of its path. Its W are those of its parameters that have the most axes: the weights, not the biases.

    Parameters
    ----------
    model : nn.Module
        The network. It computes the same as without a recorder, bit for bit.
    automatic : bool
        Whether steps end on their own, as said above. With False they end only in `step`, to be called after
        ``optimizer.step()``: for several backward passes per step, as when gradients are accumulated.

    Attributes
    ----------
    records : dict of str to LayerRecord
        By layer, in the order of computation: lists with an entry per step, of

        - ``output_gradient``: the root mean square of ∂loss/∂output over all its elements;
        - ``weight_gradient``: that of ∂loss/∂W;
        - ``mean`` and ``spread``: mean and standard deviation of the output;
        - ``saturated``: of outputs computed by tanh, the share with |a| > 0.97; by sigmoid, with a < 0.03 or a > 0.97;
        - ``dead``: of outputs computed by relu, the share of units that are 0 in the whole batch, the first axis;
        - ``update``: ‖ΔW‖ / ‖W‖ from the beginning of the step to its end; 0 where nothing changed.

        An entry is None where there was nothing to record; NaN and infinities are kept. A module that is called twice
        in a step, and a step of several backward passes, count as one larger batch.
    histograms : dict of str to Histogram
        By layer, of log10 |∂loss/∂output| in the last step: of 4,096 elements of each output that has more.
    steps : int
        How many steps were recorded.

    Raises
    ------
    TypeError
        If the model is no module.

    Notes
    -----
    The overhead, measured on one core with ten layers with tanh and batches of 256: a training step takes 1.6 times as
    long with the recorder at a width of 256, 1.3 times at 512; small layers, of width 64 at batches of 64, 3.3 times.
    Kept are seven numbers per layer and step, up to 4,096 gradients of each output in the last step, and one copy of
    the weights, to compare with; no other arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> from autograd import FlowRecorder
    >>> model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU())
    >>> _ = nn.init.constant_(model[0].weight, -1.0)
    >>> with FlowRecorder(model) as flow:
    ...     model(np.ones((4, 2), np.float32)).sum().backward()
    >>> flow.records["0"].mean, flow.records["1"].dead
    ([-2.0], [1.0])
    >>> flow.records["1"].output_gradient, flow.records["0"].output_gradient  # dead: no gradient comes through
    ([1.0], [0.0])
    """

    def __init__(self, model: Any, automatic: bool = True) -> None:
        if isinstance(model, type) or not all(callable(getattr(model, name, None)) for name in METHODS):
            raise TypeError(f"FlowRecorder watches a module, such as an nn.Module, got {describe(model)}")
        super().__init__()
        self.model, self.automatic = model, automatic
        self._tallies: dict[str, Tally] = {}  # of the step that is going on, by layer
        self._backward_seen = False
        self._latest: list[int] = []  # the nodes that the last hooked module returned
        self._weights: dict[str, list[tuple[Tensor, Array]]] = {}  # by layer, with copies from the step's beginning
        self._hooks: list[Handle] = []
        self._output_hooks: list[Handle] = []

    def start(self) -> FlowRecorder:
        """Begin to watch, and return the recorder; records go on where an earlier `stop` left them.

        Raises
        ------
        GraphError
            If it is watching already.
        """
        if self._hooks:
            raise GraphError("this FlowRecorder is recording already; call stop() before start()")
        self._weights = {
            path: [(w, np.array(w.data)) for w in weights] for path, weights in self._weights_now().items()
        }
        self._hooks.append(self.model.register_forward_pre_hook(self._called))
        for path, module in self.model.named_modules():
            self._hooks.append(module.register_forward_hook(partial(self._returned, self._name(path))))
        for path, weights in self._weights.items():
            self._hooks += [weight.register_hook(partial(self._weight_gradient, path)) for weight, _ in weights]
        return self

    def stop(self) -> None:
        """End the step that is going on, if a backward pass has been seen, and stop watching: every hook is removed."""
        if self._backward_seen:
            self.step()
        for handle in self._hooks + self._output_hooks:
            handle.remove()
        self._hooks, self._output_hooks = [], []
        self._weights, self._tallies, self._backward_seen = {}, {}, False

    __enter__ = start

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def step(self) -> None:
        """End a step here: call it after ``optimizer.step()``. Without it, steps end when the model is called again."""
        for path in {**self.records, **self._tallies, **self._weights}:
            if path not in self.records:
                self.records[path] = LayerRecord.of_nothing(self.steps)
            tally = self._tallies.get(path, Tally())
            values = (*tally.values(), self._update(path))
            for column, value in zip(self.records[path], values):
                column.append(value)
        self.samples = {path: tally.samples for path, tally in self._tallies.items() if tally.samples}
        self.steps += 1
        for handle in self._output_hooks:
            handle.remove()
        self._output_hooks = []
        self._tallies, self._backward_seen = {}, False

    def _weights_now(self) -> dict[str, list[Tensor]]:
        """Return the parameters of each layer that have the most axes, of those that are learned."""
        learned: dict[str, list[Tensor]] = {}
        for path, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                learned.setdefault(self._name(path.rpartition(".")[0]), []).append(parameter)
        most = {path: max(parameter.ndim for parameter in own) for path, own in learned.items()}
        return {path: [parameter for parameter in own if parameter.ndim == most[path]] for path, own in learned.items()}

    def _name(self, path: str) -> str:
        return path or type(self.model).__name__

    def _update(self, path: str) -> float | None:
        """Return how much W changed since this was asked last, relative to what it was."""
        if path not in self._weights:
            return None
        change = before = 0.0
        for weight, copy in self._weights[path]:
            before = math.hypot(before, norm(copy))
            with np.errstate(all="ignore"):
                change = math.hypot(change, norm(weight.data - copy))
            np.copyto(copy, weight.data)
        return change if change == 0 else change / before if before else change * math.inf

    def _tally(self, path: str) -> Tally:
        return self._tallies.setdefault(path, Tally())

    # Hooks

    def _called(self, module: Any, args: Any) -> None:
        """Begin another step, if the last one has had its backward pass."""
        if modes.current().recording:
            self._latest = []
            if self.automatic and self._backward_seen:
                self.step()

    def _returned(self, path: str, module: Any, args: Any, output: Any) -> None:
        """Take down an output, and watch it."""
        tensors = [leaf for leaf in flatten(output)[0] if isinstance(leaf, Tensor) and leaf.node is not None]
        nodes = [tensor.node.number for tensor in tensors if tensor.node is not None]
        if not tensors or nodes == self._latest:
            return
        self._latest = nodes
        for tensor in tensors:
            self._tally(path).activated(tensor)
            self._output_hooks.append(tensor.register_hook(partial(self._output_gradient, path)))

    def _output_gradient(self, path: str, gradient: Any) -> None:
        self._backward_seen = True
        self._tally(path).output_gradient(plain(gradient))

    def _weight_gradient(self, path: str, gradient: Any) -> None:
        self._backward_seen = True
        self._tally(path).weights.add(plain(gradient))


class Tally:
    """What a layer did in the step that is going on."""

    def __init__(self) -> None:
        self.outputs, self.weights = MeanSquare(), MeanSquare()
        self.samples: list[Array] = []  # of ∂loss/∂output
        self.size, self.mean, self.deviations = 0, 0.0, 0.0  # of activations; the sum of squared deviations
        self.saturated: list[tuple[float, int]] = []
        self.dead: list[tuple[float, int]] = []

    def values(self) -> tuple[float | None, ...]:
        """Return the numbers of a `LayerRecord`, but for the update."""
        return (
            self.outputs.root(),
            self.weights.root(),
            self.mean if self.size else None,
            math.sqrt(self.deviations / self.size) if self.size else None,
            weighted_mean(self.saturated),
            weighted_mean(self.dead),
        )

    def activated(self, tensor: Tensor) -> None:
        """Take down an output."""
        values = tensor.numpy()
        if not values.size or tensor.node is None:
            return
        with np.errstate(all="ignore"):
            mean = float(np.mean(values))
            deviations = norm(values - mean) ** 2
            distance, whole = mean - self.mean, self.size + values.size
            self.deviations += deviations + distance * distance * (self.size * values.size / whole)
            self.mean += distance * (values.size / whole)
            self.size = whole
            operation, unknown = tensor.node.op.name, mean - mean  # a number that is NaN or infinite is in no share
            if operation in SATURATED:
                self.saturated.append((float(np.mean(SATURATED[operation](values))) + unknown, values.size))
            if operation == "relu":
                units = np.atleast_2d(values).any(axis=0)
                self.dead.append((1 - float(np.mean(units)) + unknown, units.size))

    def output_gradient(self, gradient: Array) -> None:
        """Take down ∂loss/∂output."""
        self.outputs.add(gradient)
        flat = gradient.reshape(-1)
        self.samples.append(flat[(SAMPLE * flat.size).astype(np.intp)] if flat.size > SAMPLE.size else flat.copy())


class MeanSquare:
    """The root mean square of arrays, added one after the other."""

    def __init__(self) -> None:
        self.norm, self.count = 0.0, 0

    def add(self, values: Array) -> None:
        """Add an array."""
        self.norm = math.hypot(self.norm, norm(values))
        self.count += values.size

    def root(self) -> float | None:
        """Return the root mean square, or None of nothing."""
        return self.norm / math.sqrt(self.count) if self.count else None


SATURATED: dict[str, Callable[[Array], Array]] = {
    "tanh": lambda a: np.abs(a) > TANH_BOUND,
    "sigmoid": lambda a: np.abs(a - 0.5) > 0.5 - SIGMOID_BOUND,
}
"""Where an output is saturated, by the operation that computed it."""


def norm(values: Array) -> float:
    """Return the root of the sum of squares, also of numbers whose squares over- or underflow."""
    flat = np.reshape(values, -1)
    flat = flat.astype(np.result_type(flat, np.float32), copy=False)
    with np.errstate(all="ignore"):
        square = float(flat @ flat)
        if 1e-20 < square < 1e20 or not flat.size:
            return math.sqrt(square)
        largest = np.abs(flat).max()
        if largest == 0 or not np.isfinite(largest):
            return float(largest)
        scaled = flat / largest
        return float(largest) * math.sqrt(float(scaled @ scaled))


def weighted_mean(shares: Sequence[tuple[float, int]]) -> float | None:
    """Return the mean of numbers with weights, or None of nothing."""
    return sum(share * weight for share, weight in shares) / sum(weight for _, weight in shares) if shares else None


def plain(gradient: Any) -> Array:
    """Return the array of a gradient, which is a tensor where the walk records itself."""
    return gradient.numpy() if isinstance(gradient, Tensor) else np.asarray(gradient)
