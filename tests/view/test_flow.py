"""Gradient flow: its numbers against gradients by hand, that it only watches, and its pictures."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot

import nn
from autograd import FlowRecorder, GraphError, Tensor, checkpoint, no_grad
from autograd.view.flow import norm
from autograd.view.scale import NOT_FINITE, ZERO, colour

mpl.use("agg")

X = np.array([[1.0, 2.0], [3.0, -1.0]])
W1, B1 = np.array([[0.5, -0.25], [1.0, 0.75]]), np.array([0.1, -0.2])
W2 = np.array([[2.0, -1.0]])
PLOTS = ["plot_profile", "plot_ridges", "plot_updates", "plot_heat", "plot_activations"]


@pytest.fixture(autouse=True)
def figures() -> Any:
    yield
    pyplot.close("all")


def network(activation: type[nn.Module] = nn.Tanh) -> nn.Sequential:
    """Two layers with the weights above."""
    model = nn.Sequential(
        nn.Linear(2, 2, dtype=np.float64), activation(), nn.Linear(2, 1, bias=False, dtype=np.float64)
    )
    model[0].weight.data, model[0].bias.data, model[2].weight.data = W1, B1, W2
    return model


def train(model: Any, steps: int, rate: float = 0.1, x: Any = X) -> None:
    optimizer = nn.optim.SGD(model.parameters(), lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()


def recorded(steps: int = 3, activation: type[nn.Module] = nn.Tanh) -> FlowRecorder:
    model = network(activation)
    with FlowRecorder(model) as flow:
        train(model, steps)
    return flow


def poisoned() -> FlowRecorder:
    """Three steps, the second one with NaN, the third one with an infinite gradient alone."""
    model = network()
    with FlowRecorder(model) as flow:
        for seed in (1.0, math.nan, math.inf):
            model(X).backward(np.full((2, 1), seed))
    return flow


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


# Numbers


def test_gradients_and_activations_by_hand() -> None:
    model = network()
    with FlowRecorder(model) as flow:
        (model(X) ** 2).sum().backward()
    z1 = X @ W1.T + B1
    a1 = np.tanh(z1)
    z2 = a1 @ W2.T
    d2 = 2 * z2
    da1 = d2 @ W2
    d1 = da1 * (1 - a1**2)
    assert list(flow.records) == ["0", "1", "2"]
    assert flow.steps == 1
    first, tanh, second = flow.records.values()
    for layer, output, gradient in ((first, z1, d1), (tanh, a1, da1), (second, z2, d2)):
        assert layer.output_gradient == pytest.approx([rms(gradient)], rel=1e-12)
        assert layer.mean == pytest.approx([output.mean()], rel=1e-12)
        assert layer.spread == pytest.approx([output.std()], rel=1e-12)
        assert layer.dead == [None]
    assert first.weight_gradient == pytest.approx([rms(d1.T @ X)], rel=1e-12)  # of W, not of b
    assert second.weight_gradient == pytest.approx([rms(d2.T @ a1)], rel=1e-12)
    assert tanh.weight_gradient == tanh.update == [None]
    assert tanh.saturated == [np.mean(np.abs(a1) > 0.97)] == [0.25]
    assert first.saturated == [None]
    assert first.update == second.update == [0.0]  # nobody changed the weights


def test_updates_are_relative_to_the_weights_before_them() -> None:
    model = network()
    weights = []
    with FlowRecorder(model) as flow:
        for _ in range(3):
            weights.append(model[0].weight.numpy().copy())
            train(model, 1)
        weights.append(model[0].weight.numpy().copy())
    expected = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(weights)]
    assert flow.records["0"].update == pytest.approx(expected, rel=1e-12)
    assert all(expected)


def test_an_update_of_weights_that_were_zero_is_infinite() -> None:
    model = nn.Linear(2, 1, dtype=np.float64)
    model.weight.data = np.zeros((1, 2))
    with FlowRecorder(model) as flow:
        train(model, 1, x=X)
    assert list(flow.records) == ["Linear"]  # the model itself
    assert flow.records["Linear"].update == [math.inf]


def test_units_are_dead_if_they_are_zero_in_the_whole_batch() -> None:
    model = nn.Sequential(nn.Linear(2, 4, dtype=np.float64), nn.ReLU())
    model[0].weight.data = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [0.0, 0.0]])
    model[0].bias.data = np.zeros(4)
    with FlowRecorder(model) as flow:
        model(X).sum().backward()
    assert flow.records["1"].dead == [0.5]  # -x₁ and 0; -x₂ is positive once
    assert flow.records["1"].saturated == [None]
    assert flow.records["0"].output_gradient == [rms([1, 0, 0, 0, 1, 0, 1, 0])]


def test_saturated_sigmoids() -> None:
    model = nn.Sigmoid()
    x = Tensor([[-4.0, -3.0, 0.0, 3.0, 4.0]], requires_grad=True)
    with FlowRecorder(model) as flow:
        model(x).sum().backward()
    assert flow.records["Sigmoid"].saturated == [0.4]  # sigmoid(3) = .953, sigmoid(4) = .982


def test_activations_of_functions_count_as_those_of_modules() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Linear(2, 2, dtype=np.float64)

        def forward(self, x: Any) -> Any:
            return np.tanh(100 * self.inner(x))

    model = nn.Sequential(Block(), nn.Identity())
    model[0].inner.weight.data, model[0].inner.bias.data = W1, B1  # 0.1 is the least that the tanh gets, times 100
    with FlowRecorder(model) as flow:
        model(X).sum().backward()
    assert list(flow.records) == ["0.inner", "0"]  # neither the container nor the identity computes anything
    assert flow.records["0"].saturated == [1.0]


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1.0, 1e30, 1e200])
def test_norms_of_numbers_whose_squares_are_none(size: float) -> None:
    assert norm(np.array([[3 * size, 0.0], [0.0, -4 * size]])) == pytest.approx(5 * size, rel=1e-12)
    assert norm(np.array([])) == norm(np.zeros(3)) == 0.0
    assert norm(np.full(4, 300, np.float16)) == 600.0
    if 1e-40 < size < 1e38:
        assert norm(np.array([3 * size, 4 * size], np.float32)) == pytest.approx(5 * size, rel=1e-6)


def test_nan_and_infinities_are_kept() -> None:
    flow = poisoned()
    for layer in flow.records.values():
        assert math.isfinite(layer.output_gradient[0] or 0)
        assert not any(math.isfinite(value or 0) for value in layer.output_gradient[1:])
    assert flow.records["2"].output_gradient[2] == math.inf
    model = network()
    with FlowRecorder(model) as flow:
        model(np.array([[math.nan, 1.0]])).sum().backward()
    record = flow.records["1"]
    assert all(math.isnan(value) for column in (record.mean, record.spread, record.saturated) for value in column)
    model = network(nn.ReLU)
    with FlowRecorder(model) as flow:
        model(np.array([[math.nan, 1.0]])).sum().backward()
    assert math.isnan(flow.records["1"].dead[0])  # not: none is dead
    assert math.isnan(flow.records["1"].mean[0])


def test_histograms_of_the_last_step() -> None:
    x = Tensor(np.ones((1, 6)), requires_grad=True)
    model = nn.Tanh()
    with FlowRecorder(model) as flow:
        model(x).backward(np.ones((1, 6)))
        model(x).backward(np.array([[1.1, -1.1, 1.1e-3, 0.0, math.nan, -math.inf]]))
    histogram = flow.histograms["Tanh"]
    assert {place: count for place, count in enumerate(histogram.counts) if count} == {40 * 8: 2, 37 * 8: 1}
    assert (histogram.zeros, histogram.not_finite) == (1, 2)


def test_large_outputs_are_sampled_evenly() -> None:
    x = Tensor(np.ones((4096, 4)), requires_grad=True)
    model = nn.Tanh()
    with FlowRecorder(model) as flow:
        model(x).backward(np.outer(np.repeat([1.1, 110.0], 2048), [1.0, 10.0, 1.0, 10.0]))
    counts = [count for count in flow.histograms["Tanh"].counts if count]
    assert sum(counts) == 4096
    assert all(1000 < count < 1048 for count in counts)
    assert len(counts) == 4


def test_json() -> None:
    content = json.loads(poisoned().to_json())
    assert content["2"]["output_gradient"] == [1.0, "NaN", "inf"]
    assert content["1"]["update"] == [None, None, None]


# Steps


def test_several_backward_passes_and_calls_are_one_larger_batch() -> None:
    model = network()
    shared = nn.Sequential(model[0], model[1], model[0])
    with FlowRecorder(shared) as flow:
        result = shared(X)
        result.backward(np.full((2, 2), 3.0), retain_graph=True)
        result.backward(np.full((2, 2), 4.0))
    assert flow.steps == 1
    record = flow.records["0"]
    z1 = X @ W1.T + B1
    a1 = np.tanh(z1)
    z2 = a1 @ W1.T + B1
    assert record.mean == pytest.approx([np.mean([z1, z2])])
    assert record.spread == pytest.approx([np.std([z1, z2])])
    seeds = [np.full((2, 2), seed) for seed in (3.0, 4.0)]
    inner = [seed @ W1 * (1 - a1**2) for seed in seeds]
    assert record.output_gradient == pytest.approx([rms([*seeds, *inner])])
    assert record.weight_gradient == pytest.approx([rms([s.T @ a1 + d.T @ X for s, d in zip(seeds, inner)])])


def test_steps_end_where_they_are_told_to() -> None:
    model = network()
    with FlowRecorder(model, automatic=False) as flow:
        for _ in range(2):
            model(X).sum().backward()
            model(-X).sum().backward()
            flow.step()
    assert flow.steps == 2
    assert flow.records["0"].mean == pytest.approx([B1.mean()] * 2)
    both = recorded(1)
    assert both.steps == 1


def test_step_before_the_next_call_ends_the_step_once() -> None:
    model = network()
    with FlowRecorder(model) as flow:
        for _ in range(3):
            train(model, 1)
            flow.step()
    assert flow.steps == 3
    assert all(len(column) == 3 for record in flow.records.values() for column in record)


def test_validation_is_not_looked_at() -> None:
    model = network()
    with FlowRecorder(model) as flow:
        loss = model(X).sum()
        with no_grad():
            model(100 * X)
        loss.backward()
        with no_grad():
            model(100 * X)
        model[0].weight.data = 2 * W1
    assert flow.steps == 1
    assert flow.records["0"].mean == pytest.approx([(X @ W1.T + B1).mean()])
    assert flow.records["0"].update == [1.0]


def test_a_layer_that_appears_later() -> None:
    class Switch(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Linear(2, 2, dtype=np.float64), nn.Linear(2, 2, dtype=np.float64)
            self.c = nn.Tanh()

        def forward(self, x: Any) -> Any:
            self.calls = getattr(self, "calls", 0) + 1
            return self.a(x) if self.calls == 1 else self.c(self.b(x))

    model = Switch()
    with FlowRecorder(model) as flow:
        train(model, 2)
    assert [value is None for value in flow.records["a"].mean] == [False, True]
    assert [value is None for value in flow.records["b"].mean] == [True, False]
    assert [value is None for value in flow.records["c"].mean] == [True, False]
    assert flow.records["a"].update[0] != 0 == flow.records["b"].update[0]


def test_checkpointed_blocks() -> None:
    """Their layers are called again within the backward pass, and only then are their gradients seen."""
    model = network()
    block = checkpoint(lambda x: model[1](model[0](x)))
    with FlowRecorder(model) as plain:
        model[2](model[1](model[0](Tensor(X)))).sum().backward()
    with FlowRecorder(model) as flow:
        model[2](block(Tensor(X))).sum().backward()
    assert flow.steps == 1
    assert sorted(flow.records) == ["0", "1", "2"]
    for name, record in flow.records.items():
        assert record.output_gradient == plain.records[name].output_gradient
        assert record.mean == pytest.approx(plain.records[name].mean)


def test_walks_that_record_themselves() -> None:
    model = network()
    with FlowRecorder(model) as flow:
        (model(X) ** 2).sum().backward(create_graph=True)
    with FlowRecorder(network()) as plain:
        (plain.model(X) ** 2).sum().backward()
    assert flow.records == plain.records


def test_frozen_weights_have_no_record() -> None:
    model = network()
    model[0].requires_grad_(False)
    with FlowRecorder(model) as flow:
        train(model, 1)
    assert list(flow.records) == ["2"]


# It only watches


def hooks_of(model: Any) -> list[Any]:
    kinds = [hooks for module in model.modules() if module._hooks for hooks in module._hooks.by_kind.values()]
    kinds += [getattr(parameter.node.op, "hooks", {}) for parameter in model.parameters()]
    return [hook for hooks in kinds for hook in hooks.values()]


def test_results_stay_the_same_bit_for_bit() -> None:
    watched, alone = (nn.MLP([4, 8, 8, 1], rng=np.random.default_rng(0)) for _ in range(2))
    x = np.random.default_rng(1).normal(size=(16, 4)).astype(np.float32)
    with FlowRecorder(watched):
        train(watched, 5, x=x)
    train(alone, 5, x=x)
    for a, b in zip(watched.parameters(), alone.parameters()):
        assert a.numpy().tobytes() == b.numpy().tobytes()
        assert a.grad.tobytes() == b.grad.tobytes()


def test_hooks_are_removed() -> None:
    model = network()
    with FlowRecorder(model) as flow:
        assert len(hooks_of(model)) == 1 + 4 + 2  # calls of the model, returns of four modules, two W
        pending = model(X).sum()
    assert not hooks_of(model)
    pending.backward()
    train(model, 2)
    flow.stop()
    assert flow.steps == 0
    assert flow.records == {}


def test_hooks_are_removed_if_something_raises() -> None:
    model = network()
    flow = FlowRecorder(model)

    def fail() -> None:
        with flow:
            train(model, 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not hooks_of(model)
    assert flow.steps == 2  # what led to the error is what one wants to see


def test_recording_goes_on_after_a_pause() -> None:
    model = network()
    flow = FlowRecorder(model)
    assert flow.start() is flow
    train(model, 2)
    flow.stop()
    train(model, 2)
    with flow:
        train(model, 1)
    assert flow.steps == 3
    assert repr(flow) == "<FlowRecorder of 3 layers, 3 steps>"
    with (
        flow,
        pytest.raises(GraphError, match=r"^this FlowRecorder is recording already; call stop\(\) before start\("),
    ):
        flow.start()


@pytest.mark.parametrize("model", [np.tanh, nn.Linear, 3.0])
def test_only_modules_are_watched(model: Any) -> None:
    with pytest.raises(TypeError, match=r"^FlowRecorder watches a module, such as an nn\.Module, got "):
        FlowRecorder(model)


# Pictures


def labels(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def texts(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def same_colour(a: Any, b: Any) -> bool:
    return mpl.colors.same_color(a, b)


def test_profile() -> None:
    flow = recorded()
    pair = flow.plot_profile(label="one")
    assert flow.plot_profile(pair, step=0, label="two") is pair
    for ax, title in zip(pair, ("∂loss/∂output: the signal", "∂loss/∂W: what the optimizer sees")):
        assert ax.get_title("left") == title
        assert ax.get_yscale() == "log"
        assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "2"]
        assert labels(ax) == ["one", "two"]
        assert len(ax.lines) == 2
    records = [flow.records[name] for name in ("0", "2")]
    assert list(pair[0].lines[0].get_ydata()) == [record.output_gradient[-1] for record in records]
    assert list(pair[1].lines[1].get_ydata()) == [record.weight_gradient[0] for record in records]
    points = pair[0].collections[0].get_facecolors()
    assert [same_colour(point, colour(record.output_gradient[-1])) for point, record in zip(points, records)] == [
        True
    ] * 2


def test_profile_marks_what_is_no_number() -> None:
    left, _ = poisoned().plot_profile()
    curve, crosses = left.lines
    assert np.isnan(curve.get_ydata()).all()
    assert list(crosses.get_xdata()) == [0, 1]
    assert (crosses.get_marker(), crosses.get_color()) == ("x", NOT_FINITE)
    assert labels(left) == ["NaN or ∞"]


def test_a_dead_network_is_grey() -> None:
    model = network(nn.ReLU)
    model[0].bias.data = np.full(2, -100.0)
    with FlowRecorder(model) as flow:
        train(model, 2)
    left, _ = flow.plot_profile()
    squares = left.lines[-1]
    assert (squares.get_marker(), squares.get_color(), list(squares.get_xdata())) == ("s", ZERO, [0, 1])
    assert labels(left) == ["exactly 0"]
    assert "100% 0" in texts(flow.plot_ridges())
    assert texts(flow.plot_activations()) == ["100% dead"]
    assert labels(flow.plot_updates()) == ["1e-3", "0", "2", "exactly 0"]


def test_ridges() -> None:
    flow = recorded()
    ax = flow.plot_ridges()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "2"]
    assert len(ax.collections) == 2
    assert texts(ax) == []
    for ridge, name in zip(ax.collections, ("0", "2")):
        size = flow.records[name].output_gradient[-1]
        assert same_colour(ridge.get_facecolor()[0], colour(size or 0))
    x = Tensor(np.ones((1, 5)), requires_grad=True)
    model = nn.Linear(5, 5, dtype=np.float64)
    with FlowRecorder(model) as flow:
        model(x).backward(np.array([[1.1, 1.1, 1.1, 1.1, 1.1e-3]]))
    outline = flow.plot_ridges().collections[0].get_paths()[0].vertices
    peak = outline[np.argmin(outline[:, 1])]  # the axis goes down
    assert peak == pytest.approx([1 / 16, -1.6])
    assert texts(poisoned().plot_ridges()) == ["100% NaN or ∞"] * 2


def test_updates() -> None:
    flow = recorded()
    ax = flow.plot_updates()
    assert labels(ax) == ["1e-3", "0", "2"]
    assert list(ax.lines[0].get_ydata()) == [1e-3, 1e-3]
    assert list(ax.lines[1].get_xdata()) == [1, 2, 3]
    assert list(ax.lines[1].get_ydata()) == flow.records["0"].update
    assert ax.get_yscale() == "log"


@pytest.mark.parametrize("name", ["plot_updates", "plot_heat", "plot_activations"])
def test_steps_are_counted_in_whole_numbers(name: str) -> None:
    plot = getattr(recorded(), name)
    ticks = plot().get_xticks()
    assert ticks.tolist() == ticks.astype(int).tolist()
    ax = pyplot.figure().subplots()
    ax.set_xscale("log")
    locator = ax.xaxis.get_major_locator()
    assert plot(ax).xaxis.get_major_locator() is locator


def test_a_legend_of_many_layers_names_some() -> None:
    rng = np.random.default_rng(0)
    model = nn.Sequential(*(nn.Linear(1, 1, dtype=np.float64, rng=rng) for _ in range(30)))
    with FlowRecorder(model) as flow:
        train(model, 1, x=np.ones((1, 1)))
    ax = flow.plot_updates()
    assert len(ax.lines) == 31
    assert labels(ax) == ["1e-3", "0", "3", "6", "9", "12", "15", "18", "21", "24", "27", "29"]


def test_heat() -> None:
    flow = poisoned()
    ax = flow.plot_heat()
    pixels = ax.images[0].get_array()
    assert pixels.shape[:2] == (3, 3)
    expected = [[colour(value) for value in record.output_gradient] for record in flow.records.values()]
    assert all(same_colour(pixels[row, step], expected[row][step]) for row in range(3) for step in range(3))
    assert same_colour(pixels[2, 1], NOT_FINITE)
    assert not same_colour(pixels[2, 0], NOT_FINITE)
    assert labels(ax) == ["≥ 1e4", "1e2", "1e0", "1e-2", "1e-4", "1e-6", "≤ 1e-8", "0", "NaN or ∞"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1", "2"]


def test_activations() -> None:
    ax = recorded(1).plot_activations()
    assert texts(ax) == ["25.0% saturated"]
    assert len(ax.patches) == 3 * 2 + 1  # a band and a mean for each layer, and a share
    assert labels(ax) == ["mean ± spread", "share saturated"]
    model = nn.Linear(1, 2, dtype=np.float64)
    model.weight.data, model.bias.data = np.zeros((2, 1)), np.array([1.0, 3.0])
    with FlowRecorder(model) as flow:
        model(np.ones((1, 1))).sum().backward()
    strip, middle = flow.plot_activations().patches
    assert strip.get_data().values == pytest.approx([-0.4])  # 2 ± 1; the axis goes down, and 0.4 is the largest
    assert strip.get_data().baseline == pytest.approx([-0.4 / 3])
    assert middle.get_data().values == pytest.approx([-0.8 / 3])
    model = network()
    with FlowRecorder(model) as flow:
        model(np.array([[math.nan, 1.0]])).sum().backward()
    ax = flow.plot_activations()
    assert texts(ax) == ["NaN % saturated"]
    assert "NaN or ∞" in labels(ax)


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("make", [recorded, poisoned])
def test_pictures_are_drawn_where_they_are_told_to(name: str, make: Callable[[], FlowRecorder]) -> None:
    figure = pyplot.figure()
    ax = figure.subplots(1, 2) if name == "plot_profile" else figure.subplots()
    assert getattr(make(), name)(ax) is ax
    assert pyplot.get_fignums() == [figure.number]
    figure.canvas.draw()


@pytest.mark.parametrize("name", PLOTS)
def test_nothing_to_draw(name: str) -> None:
    message = (
        "no step was recorded, so there is nothing to draw; call the model and backward() "
        "within `with FlowRecorder(model) as flow:`, and draw afterwards"
    )
    with pytest.raises(GraphError, match=f"^{re.escape(message)}$"):
        getattr(FlowRecorder(network()), name)()


@pytest.mark.parametrize("name", PLOTS)
def test_without_matplotlib(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = recorded(1)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = f"FlowRecorder.{name} needs matplotlib; run pip install 'chainrule[plot]'"
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        getattr(flow, name)()
