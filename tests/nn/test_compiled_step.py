"""A compiled step does what a step of the loop does."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable
from contextlib import nullcontext
from threading import Thread
from typing import Any

import numpy as np
import pytest

import nn
from autograd import (
    AnomalyError,
    CompileError,
    FlowRecorder,
    GraphError,
    OutOfRangeError,
    ShapeError,
    Tensor,
    detect_anomaly,
    no_grad,
)
from nn.compiling import MOST_PROGRAMS
from nn.functional import cross_entropy
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, together

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 8, 4))
Y = RNG.integers(0, 3, (20, 8))


def network(*middle: Callable[[], nn.Module]) -> nn.Sequential:
    rng = np.random.default_rng(1)
    layers = [nn.Linear(4, 5, rng=rng, dtype=float), *(make() for make in middle), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(5, 3, rng=rng, dtype=float))


class Twins:
    """Two networks that are the same: one takes steps in the loop, one compiled steps."""

    def __init__(self, make: Callable[[], Any], optimizer: Callable[[Any], Any], loss: Any = cross_entropy) -> None:
        self.models = plain, fast = make(), make()
        fast.load_state_dict(plain.state_dict())
        self.optimizers = [optimizer(model) for model in self.models]
        self.loss = loss
        self.compiled = nn.compiled_step(fast, loss, self.optimizers[1])

    def step(self, *batch: Any) -> None:
        """Take a step of both, and compare what there is."""
        expected = loop_step(self.models[0], self.loss, self.optimizers[0], *batch)
        loss = self.compiled(*batch)
        assert isinstance(loss, np.floating)
        np.testing.assert_allclose(loss, expected, rtol=tolerance(loss))
        self.compare()

    def compare(self) -> None:
        """Parameters, statistics, gradients, and what the optimizers remember."""
        rtol = max([tolerance(p.data) for p in self.models[0].parameters()], default=1e-12)
        alike(self.models[1].state_dict(), self.models[0].state_dict(), rtol)
        gradients = [{name: p.grad for name, p in model.named_parameters()} for model in self.models]
        alike(gradients[1], gradients[0], rtol)
        alike(self.optimizers[1].state_dict(), self.optimizers[0].state_dict(), rtol)

    def each(self, change: Callable[[Any, Any], Any]) -> None:
        """Change both."""
        for model, optimizer in zip(self.models, self.optimizers, strict=True):
            change(model, optimizer)


def raises(kind: type[Exception], message: str) -> Any:
    return pytest.raises(kind, match=f"^{re.escape(message)}$")


def tolerance(value: Any) -> float:
    return 1e-12 if np.asarray(value).dtype == np.float64 else 1e-5


def alike(actual: Any, expected: Any, rtol: float = 1e-12, path: str = "") -> None:
    """Compare dicts and lists of arrays and numbers."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys(), path
        for key, part in expected.items():
            alike(actual[key], part, rtol, f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), path
        for key, part in enumerate(expected):
            alike(actual[key], part, rtol, f"{path}.{key}")
    elif isinstance(expected, np.ndarray | np.generic):
        assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype), path
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol, err_msg=path)
    else:
        assert actual == expected, path


def loop_step(model: Any, loss: Any, optimizer: Any, x: Any, *targets: Any) -> float:
    optimizer.zero_grad()
    model.zero_grad()
    value = loss(model(x), *targets)
    value.backward()
    optimizer.step()
    return float(value.data)


def sgd(model: Any) -> Any:
    return SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)


def test_other_batches() -> None:
    twins = Twins(network, sgd)
    for x, y in zip(X, Y, strict=True):
        twins.step(x, y)


def test_parameters_that_the_loss_does_not_depend_on() -> None:
    """They have no gradient, and do not move, also in steps that are not compiled."""

    class Half(nn.Module):
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self.used, self.idle = (nn.Linear(4, 3, rng=rng, dtype=float) for _ in range(2))

        def forward(self, x: Any) -> Any:
            return self.used(x)

    for anomalies in False, True:
        twins = Twins(Half, sgd)
        for k, (x, y) in enumerate(zip(X[:6], Y, strict=False)):
            with detect_anomaly() if anomalies and k % 3 == 0 else nullcontext():
                twins.step(x, y)


def test_training_and_evaluation_take_turns() -> None:
    """What was learned of the batches is used in evaluation each time."""
    twins = Twins(lambda: network(lambda: nn.BatchNorm1d(5, dtype=float)), sgd)
    for k, (x, y) in enumerate(zip(X[:9], Y, strict=False)):
        twins.step(x, y)
        twins.each(lambda model, _: model.train(k % 3 == 0))  # noqa: B023


def test_class_weights_and_label_smoothing() -> None:
    for options in {"weight": np.array([1.0, 2.0, 3.0])}, {"label_smoothing": 0.1}:
        twins = Twins(network, sgd, nn.CrossEntropyLoss(**options))
        for x, y in zip(X[:4], Y, strict=False):
            twins.step(x, y)


def test_layers_that_are_exchanged_need_another_step() -> None:
    twins = Twins(network, sgd)
    for k, (x, y) in enumerate(zip(X[:6], Y, strict=False)):
        twins.step(x, y)
        if k == 2:
            twins.each(lambda model, _: model.__setitem__(1, nn.Sigmoid()))
            twins.compiled = nn.compiled_step(twins.models[1], twins.loss, twins.optimizers[1])


def test_a_loss_with_parameters_of_its_own() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            self.scale, self.shift = (nn.Parameter(np.ones(3), dtype=float) for _ in range(2))

        def forward(self, x: Any, y: Any) -> Any:
            return cross_entropy(x * self.scale + self.shift, y)

    loss, model = Scaled(), network()
    with raises(
        ValueError,
        "compiled_step: the loss Scaled has parameters of its own, scale, shift, which would not move; make them part "
        "of the model",
    ):
        nn.compiled_step(model, loss, SGD([*model.parameters(), *loss.parameters()], lr=0.1))


# Every optimizer, with what it remembers

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda ps: SGD(ps, lr=0.1),
    "momentum": lambda ps: SGD(ps, lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.1),
    "nesterov": lambda ps: SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "Adagrad": lambda ps: Adagrad(ps, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
    "RMSprop": lambda ps: RMSprop(ps, lr=0.01, momentum=0.9, centered=True, weight_decay=0.01),
    "Adam": lambda ps: Adam(ps, lr=0.1, weight_decay=0.1),
    "AMSGrad": lambda ps: Adam(ps, lr=0.1, amsgrad=True, maximize=True),
    "AdamW": lambda ps: AdamW(ps, lr=0.1),
}


class Signs(Optimizer):
    """Moves by the largest element of each parameter: not element by element."""

    def __init__(self, params: Any, lr: float = 0.01) -> None:
        super().__init__(params, {"lr": lr})

    def update(self, group: dict[str, Any]) -> None:
        for p, gradient, _ in self.moving(group):
            p -= group["lr"] * np.sign(gradient) * (1 + np.max(np.abs(gradient), initial=0))


class Mixed(nn.Module):
    """Parameters of several shapes and dtypes: of no element, of one, and 0-d."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.linear = nn.Linear(4, 3, rng=rng, dtype=float)
        self.scale = nn.Parameter(np.ones(()), dtype=float)
        self.empty = nn.Parameter(np.ones((0, 3)), dtype=float)
        self.one = nn.Parameter(np.ones((1, 1)), dtype=np.float32)
        self.single = nn.Linear(3, 3, rng=rng)

    def forward(self, x: Any) -> Any:
        h = self.linear(x) * self.scale + np.sum(self.empty, axis=0)
        return self.single(h.astype(np.float32)) * self.one


@pytest.fixture(params=[7, together.MOST], ids=["many parts", "one part"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few numbers move at a time, or all."""
    monkeypatch.setattr(together, "MOST", request.param)


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("make", [network, Mixed])
@pytest.mark.parametrize("name", [*OPTIMIZERS, "Signs"])
def test_every_optimizer(name: str, make: Callable[[], Any]) -> None:
    make_optimizer = OPTIMIZERS.get(name, Signs)
    twins = Twins(make, lambda model: make_optimizer(model.parameters()))
    for x, y in zip(X[:5], Y, strict=False):
        twins.step(x, y)


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("name", [*OPTIMIZERS, "Signs"])
def test_a_life_of_an_optimizer(name: str) -> None:
    """Steps of both kinds, parameters frozen and freed, other options, states loaded: in one run."""
    make = OPTIMIZERS.get(name, Signs)
    twins = Twins(network, lambda model: make(model.parameters()))
    batches = iter(zip(X, Y, strict=True))
    saved: list[Any] = []

    def steps(count: int = 2) -> None:
        for _ in range(count):
            twins.step(*next(batches))

    def in_the_loop(count: int = 2) -> None:
        """Steps that are not compiled, of both."""
        for _ in range(count):
            batch = next(batches)
            twins.each(lambda model, optimizer: loop_step(model, cross_entropy, optimizer, *batch))  # noqa: B023
            twins.compare()

    in_the_loop(1)
    steps()
    saved += [(m.state_dict(), copy.deepcopy(o.state_dict())) for m, o in zip(twins.models, twins.optimizers)]
    in_the_loop()
    steps()
    twins.each(lambda model, _: model[0].requires_grad_(False))
    steps()
    twins.each(lambda model, _: model[0].requires_grad_(True))
    steps()
    twins.each(lambda _, optimizer: optimizer.param_groups[0].update(lr=0.003))
    steps()
    for (model_state, state), model, optimizer in zip(saved, twins.models, twins.optimizers):
        model.load_state_dict(model_state)
        optimizer.load_state_dict(state)
    steps()
    twins.each(lambda model, _: model[0].bias.data.fill(0.5))
    steps(1)
    twins.each(lambda _, optimizer: optimizer.state.clear())
    steps()


def test_memory_of_the_optimizer_that_is_changed() -> None:
    """In place, or by arrays that are put in its place, of one parameter or of all."""
    twins = Twins(network, lambda model: RMSprop(model.parameters(), lr=0.01, momentum=0.9))
    changes: list[Callable[[Any], Any]] = [
        lambda entries: [array.fill(0.1) for array in entries[0].values()],
        lambda entries: [entry.update({name: array * 2 for name, array in entry.items()}) for entry in entries],
        lambda entries: entries[1].update({name: array * 3 for name, array in entries[1].items()}),
        lambda entries: entries[2].clear(),
    ]
    for change, batch in zip(changes, zip(X, Y, strict=True), strict=False):
        twins.step(*batch)
        twins.each(lambda _, optimizer: change([*optimizer.state.values()]))  # noqa: B023
        twins.step(*batch)
        twins.step(*batch)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (SGD, {"momentum": 0.9, "dampening": 0.3}),
        (RMSprop, {"momentum": 0.9}),
        (RMSprop, {"centered": True}),
        (Adam, {"amsgrad": True}),
    ],
    ids=["SGD", "momentum", "centered", "amsgrad"],
)
def test_options_that_remember_more(make: Callable[..., Any], options: dict[str, Any]) -> None:
    """Switched on after some steps, off and on again, for one group of two: what it remembers is there each time."""
    twins = Twins(network, lambda m: make([{"params": [*part.parameters()]} for part in (m[0], m[2])], lr=0.01))
    before = {name: twins.optimizers[0].param_groups[0][name] for name in options}
    for k, (x, y) in enumerate(zip(X[:16], Y, strict=False)):
        if k % 4 == 3:
            chosen = before if k == 7 else options
            twins.each(lambda _, optimizer: optimizer.param_groups[0].update(chosen))  # noqa: B023
        twins.step(x, y)


def test_what_is_remembered_beside() -> None:
    """Numbers and arrays that an optimizer does not ask for stay with it, as after loading those of another."""
    twins = Twins(network, sgd)
    twins.step(X[0], Y[0])
    twins.each(
        lambda _, optimizer: [
            entry.update(step=3.0, old=entry["momentum_buffer"] * 2) for entry in optimizer.state.values()
        ]
    )
    for x, y in zip(X[:4], Y, strict=False):
        twins.step(x, y)


def test_groups() -> None:
    def make(model: Any) -> Any:
        first, *_, last = model
        return SGD([{"params": [*first.parameters()]}, {"params": [last.weight], "lr": 0.5, "momentum": 0.0}], lr=0.1)

    twins = Twins(network, make)
    for k, (x, y) in enumerate(zip(X[:8], Y, strict=False)):
        twins.step(x, y)
        if k == 2:
            twins.each(lambda _, optimizer: optimizer.param_groups[1].update(lr=0.01, momentum=0.5))
        if k == 5:
            twins.each(lambda model, optimizer: optimizer.add_param_group({"params": [model[2].bias], "lr": 0.3}))


def test_parameters_that_change_groups() -> None:
    """Groups stay as long as they were: what counts is whose parameters they have."""

    def swap(model: Any, optimizer: Any) -> None:
        first, second = optimizer.param_groups
        first["params"], second["params"] = second["params"], first["params"]

    def replace(model: Any, optimizer: Any) -> None:
        optimizer.param_groups[0]["params"][0] = model[3].bias

    def make(model: Any) -> Any:
        return Adam([{"params": [*model[0].parameters()]}, {"params": [model[3].weight, model[1].weight], "lr": 0.3}])

    twins = Twins(lambda: network(lambda: nn.LayerNorm(5, dtype=float)), make)
    for k, (x, y) in enumerate(zip(X[:12], Y, strict=False)):
        twins.step(x, y)
        if k == 3:
            twins.each(swap)
        if k == 7:
            twins.each(replace)


def test_parameters_that_the_optimizer_does_not_have() -> None:
    """They have gradients, and stay."""
    twins = Twins(network, lambda model: SGD([model[0].weight], lr=0.1, momentum=0.9))
    for x, y in zip(X[:4], Y, strict=False):
        twins.step(x, y)


@pytest.mark.parametrize("name", [*OPTIMIZERS, "Signs"])
def test_two_networks_with_one_optimizer(name: str) -> None:
    """In a step of one, the other stays, as its gradients are forgotten."""
    make = OPTIMIZERS.get(name, Signs)
    pairs = [nn.Sequential(network(), network()) for _ in range(2)]
    loop, fast = (make(pair.parameters()) for pair in pairs)
    steps = [nn.compiled_step(model, cross_entropy, fast) for model in pairs[1]]
    for k, (x, y) in enumerate(zip(X[:8], Y, strict=False)):
        expected = loop_step(pairs[0][k % 2], cross_entropy, loop, x, y)
        np.testing.assert_allclose(steps[k % 2](x, y), expected, rtol=1e-12)
        alike(pairs[1].state_dict(), pairs[0].state_dict())
        alike(fast.state_dict(), loop.state_dict())


def test_a_scheduler() -> None:
    twins = Twins(network, lambda model: Adam(model.parameters(), lr=0.1))
    schedulers = [nn.optim.StepLR(optimizer, step_size=2, gamma=0.5) for optimizer in twins.optimizers]
    for x, y in zip(X[:8], Y, strict=False):
        twins.step(x, y)
        for scheduler in schedulers:
            scheduler.step()


def test_parameters_that_are_set() -> None:
    """By data, in place, and by loading: the step reads them where they lie."""
    twins = Twins(network, sgd)
    changes: list[Callable[[Any, Any], Any]] = [
        lambda model, _: setattr(model[0].weight, "data", np.ones((5, 4))),
        lambda model, _: model[0].weight.data.__imul__(0.5),
        lambda model, _: model.load_state_dict(network().state_dict()),
        lambda model, _: nn.init.constant_(model[2].bias, 0.5),
        lambda model, _: model[2].weight.set_(np.full((3, 5), 0.1)),
    ]
    for change, x, y in zip(changes, X, Y, strict=False):
        twins.step(x, y)
        twins.each(change)
        twins.step(x, y)


def test_graphs_made_before_a_step_are_stale() -> None:
    model = network()
    step = nn.compiled_step(model, cross_entropy, sgd(model))
    step(X[0], Y[0])
    loss = cross_entropy(model(X[0]), Y[0])
    step(X[0], Y[0])
    with pytest.raises(GraphError, match="changed"):
        loss.backward()


# Networks of all kinds


class Attention(nn.Module):
    """Embedding, layer normalization and a product of matrices with one another."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.embedding = nn.Embedding(7, 4, rng=rng, dtype=float)
        self.norm = nn.LayerNorm(4, dtype=float)
        self.last = nn.Linear(4, 3, rng=rng, dtype=float)

    def forward(self, tokens: Any) -> Any:
        h = self.norm(self.embedding(tokens))
        weights = nn.functional.softmax(h @ np.swapaxes(h, -1, -2), -1)
        return self.last(np.mean(weights @ h, axis=1))


def convolutional() -> Any:
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=rng, dtype=float),
        nn.BatchNorm2d(2, dtype=float),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8, 3, rng=rng, dtype=float),
    )


def test_a_convolutional_network() -> None:
    twins, rng = Twins(convolutional, sgd), np.random.default_rng(0)
    for y in Y[:5]:
        twins.step(rng.normal(size=(8, 1, 6, 6)), y)


def test_embedding_and_layer_normalization() -> None:
    twins, rng = Twins(Attention, lambda model: Adam(model.parameters(), lr=0.1)), np.random.default_rng(0)
    for y in Y[:5]:
        twins.step(rng.integers(0, 7, (8, 5)), y)


def test_a_network_of_float32() -> None:
    make = lambda: nn.MLP([4, 5, 5, 3], activation="gelu", batch_norm=True, rng=np.random.default_rng(0))  # noqa: E731
    twins = Twins(make, sgd)
    for x, y in zip(X[:5].astype(np.float32), Y, strict=False):
        twins.step(x, y)
        assert all(p.dtype == np.float32 for p in twins.models[1].parameters())


@pytest.mark.parametrize(
    "options", [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}], ids=str
)
def test_batch_normalization(options: dict[str, Any]) -> None:
    twins = Twins(lambda: network(lambda: nn.BatchNorm1d(5, dtype=float, **options)), sgd)
    for x, y in zip(X[:5], Y, strict=False):
        twins.step(x, y)
    if options.get("track_running_stats", True):
        twins.each(lambda model, _: setattr(model[1], "running_mean", np.ones(5)))
    for x, y in zip(X[5:8], Y, strict=False):
        twins.step(x, y)


def test_few_programs_are_kept() -> None:
    """Arrays that are loaded take the place of the running statistics each time."""
    twins = Twins(lambda: network(lambda: nn.BatchNorm1d(5, dtype=float)), sgd)
    state = twins.models[0].state_dict()
    for k in range(3 * MOST_PROGRAMS):
        twins.each(lambda model, _: model.load_state_dict(state))
        twins.step(X[k % 20], Y[k % 20])
        assert len(twins.compiled.programs) == min(k + 1, MOST_PROGRAMS)


def test_threads_take_steps_one_after_the_other() -> None:
    """In any order: the batch is always the same."""
    twins = Twins(network, sgd)
    twins.step(X[0], Y[0])
    threads = [Thread(target=lambda: [twins.compiled(X[0], Y[0]) for _ in range(50)]) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
    finally:
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    for _ in range(150):
        loop_step(twins.models[0], twins.loss, twins.optimizers[0], X[0], Y[0])
    twins.compare()


@pytest.mark.parametrize("p", [0.5, 0.3])
def test_dropout_has_the_same_masks(p: float) -> None:
    twins = Twins(lambda: network(lambda: nn.Dropout(p, rng=np.random.default_rng(5))), sgd)
    for k, (x, y) in enumerate(zip(X[:9], Y, strict=False)):
        twins.step(x, y)
        twins.each(lambda model, _: model.train(k % 4 != 0))  # noqa: B023


def test_the_last_batch_is_smaller() -> None:
    twins = Twins(network, sgd)
    for _ in range(3):
        for x, y in (X[0], Y[0]), (X[1], Y[1]), (X[2, :3], Y[2, :3]):
            twins.step(x, y)
    assert len(twins.compiled.programs) == 1


def test_shared_parameters() -> None:
    def make() -> Any:
        layer = nn.Linear(4, 4, rng=np.random.default_rng(0), dtype=float)
        return nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh())

    twins = Twins(make, sgd)
    for x, y in zip(X[:4], Y, strict=False):
        twins.step(x, y)


# Losses


@pytest.mark.parametrize(
    "loss",
    [nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.functional.mse_loss],
    ids=["mse", "l1", "smooth l1", "mse_loss"],
)
def test_regression(loss: Any) -> None:
    twins = Twins(network, sgd, loss)
    for x in X[:4]:
        twins.step(x, x[:, :3] ** 2)


SOFT = RNG.random((4, 8, 3))
CERTAIN = (RNG.random((4, 8, 3)) > 0.5).astype(float)
SETS = np.where(RNG.random((4, 8, 3)) > 0.3, RNG.integers(0, 3, (4, 8, 3)), -1)
WEIGHTS = {"weight": np.array([1.0, 2.0, 3.0])}
CHECKED: dict[str, tuple[Any, Any, Any, str]] = {
    "BCELoss": (
        lambda out, y: nn.BCELoss()(nn.functional.sigmoid(out), y),
        SOFT,
        1.5,
        "binary_cross_entropy: target array(float64 (8, 3)) must be between 0 and 1, got 1.5; classes are 0 and 1: for "
        "classes -1 and 1 use (target + 1) / 2",
    ),
    "BCELoss of what is certain": (
        lambda out, y: nn.BCELoss(**WEIGHTS)(np.minimum(np.maximum(out, 0), 1), y),
        CERTAIN,
        -1,
        "binary_cross_entropy: target array(float64 (8, 3)) must be between 0 and 1, got -1.0; classes are 0 and 1: "
        "for classes -1 and 1 use (target + 1) / 2",
    ),
    "BCEWithLogitsLoss": (
        nn.BCEWithLogitsLoss(**WEIGHTS, pos_weight=np.array([2.0, 1.0, 0.5])),
        SOFT.astype(np.float32),
        -1,
        "binary_cross_entropy_with_logits: target array(float64 (8, 3)) must be between 0 and 1, got -1.0; classes are "
        "0 and 1: for classes -1 and 1 use (target + 1) / 2",
    ),
    "MultiLabelSoftMarginLoss": (
        nn.MultiLabelSoftMarginLoss(**WEIGHTS),
        CERTAIN.astype(int),
        2,
        "multilabel_soft_margin_loss: target array(float64 (8, 3)) must be between 0 and 1, got 2.0; classes are 0 and "
        "1: for classes -1 and 1 use (target + 1) / 2",
    ),
    "HingeLoss": (
        nn.HingeLoss(),
        2 * CERTAIN - 1,
        0,
        "hinge_loss: target array(float64 (8, 3)) must be -1 or 1, got 0.0; for classes 0 and 1 use 2 * target - 1",
    ),
    "KLDivLoss": (
        lambda out, y: nn.KLDivLoss()(nn.functional.log_softmax(out, 1), y),
        SOFT * CERTAIN,
        -1,
        "kl_div: target array(float64 (8, 3)) must not be negative, got -1.0; for logarithms of probabilities use "
        "log_target=True",
    ),
    "MultiLabelMarginLoss": (
        nn.MultiLabelMarginLoss(),
        SETS,
        3,
        "multilabel_margin_loss: label 3 at position (3, 0) is out of range; labels for an input array(float64 (8, 3)) "
        "are from 0 to 2, and -1 ends them",
    ),
}


@pytest.mark.parametrize("name", CHECKED)
def test_targets_are_checked_each_time(name: str) -> None:
    """Values and gradients are those of the loop, and so is what is said of a wrong target."""
    loss, targets, wrong, message = CHECKED[name]
    kind = OutOfRangeError if name == "MultiLabelMarginLoss" else ShapeError
    twins = Twins(network, sgd, loss)
    for x, y in zip(X, targets, strict=False):
        twins.step(x, y)
        before = twins.models[1].state_dict()
        y = y.copy()
        y[3, 0] = wrong
        with raises(kind, message):
            loss(twins.models[0](x), y)
        with raises(kind, message):
            twins.compiled(x, y)
        alike(twins.models[1].state_dict(), before)


def test_probabilities_are_checked_each_time() -> None:
    twins = Twins(network, sgd, nn.BCELoss())
    for x, y in zip(X[:4], SOFT, strict=True):
        twins.each(lambda model, _: (model[2].weight.data.fill(0), model[2].bias.data.fill(0.5)))
        twins.step(x, y)
        twins.each(lambda model, _: (model[2].weight.data.fill(0), model[2].bias.data.fill(2)))
        for call in twins.compiled, lambda x, y: twins.loss(twins.models[0](x), y):
            with raises(
                ShapeError,
                "binary_cross_entropy: input array(float64 (8, 3)) must be between 0 and 1, got 2.0; for logits use "
                "binary_cross_entropy_with_logits",
            ):
                call(x, y)


def test_a_loss_of_several_targets_or_none() -> None:
    twins = Twins(network, sgd, lambda out, y, weights: np.sum(weights * (out - y) ** 2))
    for x in X[:4]:
        twins.step(x, x[:, :3] ** 2, np.abs(x[:, :1]))
    twins = Twins(network, sgd, lambda out: np.mean(out * out))
    for x in X[:4]:
        twins.step(x)


def test_labels_out_of_range_raise_each_time() -> None:
    twins = Twins(network, sgd)
    wrong = np.where(np.arange(8) == 3, 5, Y[0])
    for k in range(3):
        before = twins.models[1].state_dict()
        with pytest.raises(IndexError, match="5") as error:
            twins.compiled(X[k], wrong)
        with pytest.raises(IndexError, match="5") as expected:
            cross_entropy(twins.models[0](X[k]), wrong)
        assert str(error.value) == str(expected.value).replace("Tensor(", "array(")
        alike(twins.models[1].state_dict(), before)
        assert all(p.grad is None for p in twins.models[1].parameters())
        twins.step(X[k], Y[k])


def test_ignored_labels_cannot_be_compiled() -> None:
    model = network()
    step = nn.compiled_step(model, nn.CrossEntropyLoss(ignore_index=1), sgd(model))
    for _ in range(2):
        before = model.state_dict()
        with pytest.raises(CompileError):
            step(X[0], Y[0])
        alike(model.state_dict(), before)


def test_steps_that_are_not_compiled() -> None:
    """Under detect_anomaly, and with inputs that require grad, the functions themselves are called."""
    twins = Twins(network, sgd)
    batches = iter(zip(X, Y, strict=True))
    for change in (nullcontext, detect_anomaly, nullcontext, no_grad, nullcontext):
        x, y = next(batches)
        expected = loop_step(twins.models[0], cross_entropy, twins.optimizers[0], x, y)
        with change():
            np.testing.assert_allclose(twins.compiled(x, y), expected, rtol=1e-12)
        twins.compare()
        x, y = next(batches)
        given = [Tensor(x, requires_grad=True) for _ in range(2)]
        expected = loop_step(twins.models[0], cross_entropy, twins.optimizers[0], given[0], y)
        loss = twins.compiled(given[1], y)
        assert type(loss) is np.float64
        np.testing.assert_allclose(loss, expected, rtol=1e-12)
        np.testing.assert_allclose(given[1].grad, given[0].grad, rtol=1e-12)
        twins.compare()


def test_a_recorder_of_gradients_sees_each_step() -> None:
    """Entered before the first step, and after programs were made."""
    twins = Twins(network, sgd)
    batches = iter(zip(X, Y, strict=True))
    for _ in range(2):
        with FlowRecorder(twins.models[0]) as loop, FlowRecorder(twins.models[1]) as compiled:
            for _ in range(3):
                twins.step(*next(batches))
        assert loop.steps == compiled.steps == 3
        for name, record in loop.records.items():
            for column, other in zip(record, compiled.records[name], strict=True):
                np.testing.assert_allclose(np.array(other, float), np.array(column, float), rtol=1e-9)
        twins.step(*next(batches))
    assert len(twins.compiled.programs) == 1


def test_hooks_are_called_in_each_step_until_they_are_removed() -> None:
    model = network()
    step = nn.compiled_step(model, cross_entropy, sgd(model))
    step(X[0], Y[0])
    seen: list[float] = []
    with model[0].register_forward_hook(lambda module, args, output: seen.append(output.max().item())):
        step(X[0], Y[0])
        step(X[0], Y[0])
    step(X[0], Y[0])
    assert len(set(seen)) == 2


def test_anomalies_are_found() -> None:
    model = network()
    step = nn.compiled_step(model, cross_entropy, sgd(model))
    step(X[0], Y[0])
    model[0].weight.data[0, 0] = np.inf
    with pytest.raises(AnomalyError, match="'weight'"), detect_anomaly():
        step(X[0], Y[0])


def test_tensors_as_batches() -> None:
    twins = Twins(network, sgd)
    for x, y in zip(X[:4], Y, strict=False):
        twins.step(Tensor(x), Tensor(y))


def test_networks_with_nothing_to_learn() -> None:
    twins = Twins(lambda: network().requires_grad_(False), sgd)
    for model in twins.models:
        before = model.state_dict()
    for x, y in zip(X[:3], Y, strict=False):
        twins.compiled(x, y)
        alike(twins.models[1].state_dict(), before)


def test_what_a_step_returns_and_leaves() -> None:
    model = network()
    step = nn.compiled_step(model, cross_entropy, SGD(model.parameters(), lr=0.1))
    batch = X[0].copy(), Y[0].copy()
    losses = [step(*batch) for _ in range(5)]
    assert all(type(loss) is np.float64 for loss in losses)
    assert losses == sorted(losses, reverse=True)
    np.testing.assert_array_equal(batch[0], X[0])
    np.testing.assert_array_equal(batch[1], Y[0])
    assert all(p.requires_grad and p.is_leaf for p in model.parameters())


class Scaled(SGD):
    """Steps whose length depends on all numbers of a parameter."""

    def update(self, group: Any) -> None:
        for p, g, scratch in self.moving(group):
            np.multiply(g, group["lr"] / (1 + np.linalg.norm(g)), out=scratch)
            p -= scratch


class Halved(Adam):
    """Steps of half the gradients."""

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = p.grad / 2
        return super().step(closure)


@pytest.mark.parametrize("kind", [Scaled, Halved])
def test_optimizers_that_are_made_of_others(kind: type[Optimizer]) -> None:
    models = [network(), network()]
    optimizers = [kind(model.parameters(), lr=0.1) for model in models]  # type: ignore[call-arg]
    step = nn.compiled_step(models[1], cross_entropy, optimizers[1])
    for x, y in zip(X[:4], Y, strict=False):
        loop_step(models[0], cross_entropy, optimizers[0], x, y)
        step(x, y)
        alike(models[1].state_dict(), models[0].state_dict())


def test_parameters_that_are_exchanged_need_another_step() -> None:
    model = network()
    step = nn.compiled_step(model, cross_entropy, sgd(model))
    step(X[0], Y[0])
    before = model.state_dict()
    model[0].weight = nn.Parameter(np.zeros((5, 4)), dtype=float)
    message = "compiled_step: the weight of Linear is another tensor than when the step was made; make another step"
    with raises(ValueError, message):
        step(X[0], Y[0])
    assert not model[0].weight.data.any()
    alike({**model.state_dict(), "0.weight": before["0.weight"]}, before)


def test_an_optimizer_of_another_network() -> None:
    message = (
        "compiled_step: the optimizer moves none of the model's parameters; make it from model.parameters(), "
        "after Module.to"
    )
    with raises(ValueError, message):
        nn.compiled_step(network(), cross_entropy, sgd(network()))


def test_class_weights_that_are_replaced() -> None:
    model, x, y = network(), X[0], Y[0]
    loss = nn.CrossEntropyLoss(weight=np.array([1.0, 2.0, 3.0]))
    step = nn.compiled_step(model, loss, SGD(model.parameters(), lr=0.0))
    for weight in ([1.0, 2.0, 3.0], [3.0, 1.0, 1.0]):
        loss.weight = np.array(weight)
        np.testing.assert_allclose(step(x, y), loss(model(x), y).item(), rtol=1e-12)
