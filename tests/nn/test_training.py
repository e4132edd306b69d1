"""`fit`, `evaluate`, `predict`: what a training does, records, survives, and takes up again."""

from __future__ import annotations

import gc
import io
import os
import re
import signal
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import AnomalyError, GraphError, ShapeError, Tensor
from nn import checkpoints
from nn.errors import DataError, StateError
from nn.optim import (
    SGD,
    Adam,
    ConstantLR,
    CosineAnnealingLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
Y = (X @ [1.0, -2.0, 0.5] > 0).astype(np.int64)
TARGETS = X @ [[1.0], [-2.0], [0.5]] + 3
VALIDATION = (RNG.normal(size=(20, 3)), RNG.integers(0, 2, 20))


class Setup:
    """A network with everything that has state: dropout, batch normalization, Adam, a scheduler, shuffling."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        dropout = nn.Dropout(0.3, rng=rng)  # the generator of the shuffling, too
        self.model = nn.Sequential(
            nn.Linear(3, 8, rng=rng),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            dropout,
            nn.Linear(8, 8, rng=rng),
            nn.Dropout(0.1, rng=np.random.default_rng(np.random.MT19937(seed))),
            nn.Linear(8, 2, rng=rng),
        )
        self.optimizer = Adam(self.model.parameters(), lr=0.01)
        self.rng = rng

    def fit(self, epochs: int, **options: Any) -> nn.History:
        defaults: dict[str, Any] = {
            "batch_size": 8,
            "validation": VALIDATION,
            "metrics": {"accuracy": nn.accuracy},
            "scheduler": StepLR(self.optimizer, 2, 0.5),
            "rng": self.rng,
        }
        return nn.fit(
            self.model, nn.CrossEntropyLoss(), self.optimizer, (X, Y), epochs=epochs, **{**defaults, **options}
        )

    def everything(self) -> list[Any]:
        """All that the setup has learned, and where its generators stand."""
        optimizer = self.optimizer.state_dict()
        return [
            *self.model.state_dict().values(),
            *[value for state in optimizer["state"].values() for value in state.values()],
            optimizer["param_groups"],
            *[m.rng.bit_generator.state for m in self.model.modules() if isinstance(m, nn.Dropout)],
            self.rng.random(),
        ]


def assert_same(first: list[Any], second: list[Any]) -> None:
    assert len(first) == len(second)
    for a, b in zip(first, second):
        np.testing.assert_equal(a, b)


def lasting(history: nn.History) -> dict[str, list[float]]:
    """What a history says, but for the time."""
    return {name: values for name, values in history.to_dict().items() if name != "seconds"}


def linear(dtype: Any = np.float64) -> nn.Linear:
    return nn.Linear(3, 1, dtype=dtype, rng=np.random.default_rng(1))


def regress(model: nn.Module, *, lr: float = 0.05, loss: Any = None, **options: Any) -> nn.History:
    rng = None if isinstance(options.get("data"), nn.Batches) else np.random.default_rng(2)
    options = {"data": (X, TARGETS), "epochs": 3, "batch_size": 10, "rng": rng} | options
    optimizer = options.pop("optimizer", None) or SGD(model.parameters(), lr=lr)
    return nn.fit(model, loss or nn.MSELoss(), optimizer, **options)


# Learning


def test_a_line_is_found() -> None:
    model = linear()
    history = regress(model, epochs=60, lr=0.1)
    np.testing.assert_allclose(model.weight.data, [[1, -2, 0.5]], atol=1e-6)
    assert history["loss"][-1] < 1e-10 < 1 < history["loss"][0]


def test_classes_are_learned() -> None:
    setup = Setup()
    history = setup.fit(40, scheduler=None, validation=(X, Y))
    assert history["val_accuracy"][-1] >= 0.96
    assert history["val_loss"][-1] < 0.3 * history["val_loss"][0]


@pytest.mark.parametrize("batch_size", [None, 1, 12])
def test_fit_is_the_loop_that_everybody_writes(batch_size: int | None) -> None:
    """Bit for bit: batch, stochastic and minibatch descent."""
    fitted, looped = linear(), linear()
    history = regress(fitted, batch_size=batch_size, lr=0.01, clip_norm=2.0)
    optimizer, rng, losses, size = SGD(looped.parameters(), lr=0.01), np.random.default_rng(2), [], batch_size or 50
    for _ in range(3):
        order, total = rng.permutation(50), 0.0
        for start in range(0, 50, size):
            chosen = order[start : start + size]
            optimizer.zero_grad()
            loss = nn.MSELoss()(looped(X[chosen]), TARGETS[chosen])
            loss.backward()
            nn.optim.clip_grad_norm_(looped.parameters(), 2.0)
            optimizer.step()
            total += float(loss) * len(chosen)
        losses.append(total / 50)
    np.testing.assert_array_equal(fitted.weight.data, looped.weight.data)
    np.testing.assert_array_equal(fitted.bias.data, looped.bias.data)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-14)


def test_one_seed_gives_one_training() -> None:
    first, second, other = Setup(), Setup(), Setup(1)
    histories = [lasting(setup.fit(2)) for setup in (first, second, other)]
    assert histories[0] == histories[1] != histories[2]
    assert_same(first.everything(), second.everything())


# What is recorded


def test_losses_are_means_over_examples_whatever_the_sizes_of_batches() -> None:
    model = nn.Linear(1, 1, bias=False, dtype=np.float64)
    model.load_state_dict({"weight": [[1.0]]})
    x, y = np.array([[0.0], [0.0], [3.0]]), np.zeros((3, 1))
    batches = nn.Batches(x, y, batch_size=2)
    metrics = {"mean": lambda output, target: output.mean()}
    history = regress(model, lr=0.0, data=batches, epochs=1, validation=batches, metrics=metrics)
    assert lasting(history) == {"loss": [3.0], "mean": [1.0], "val_loss": [3.0], "val_mean": [1.0], "lr": [0.0]}
    assert nn.evaluate(model, nn.MSELoss(), batches, metrics=metrics) == {"loss": 3.0, "mean": 1.0}
    assert len(history["seconds"]) == 1


def test_what_drop_last_leaves_out_does_not_count() -> None:
    model = nn.Linear(1, 1, bias=False, dtype=np.float64)
    model.load_state_dict({"weight": [[1.0]]})
    batches = nn.Batches(np.array([[1.0], [1.0], [9.0]]), np.zeros((3, 1)), batch_size=2, drop_last=True)
    assert regress(model, lr=0.0, data=batches, epochs=1)["loss"] == [1.0]
    assert nn.evaluate(model, nn.MSELoss(), batches) == {"loss": 83 / 3}


def test_metrics_get_arrays_and_those_of_validation_all_examples_at_once() -> None:
    seen: list[Any] = []

    def metric(output: Any, target: Any) -> float:
        seen.append((type(output), output.shape, target.shape))
        return 0.0

    x = np.zeros((600, 3))
    regress(linear(), epochs=1, metrics={"m": metric}, validation=(x, np.zeros((600, 1))))
    assert seen == [(np.ndarray, (10, 1), (10, 1))] * 5 + [(np.ndarray, (600, 1), (600, 1))]


def test_no_epochs() -> None:
    model = linear()
    before = model.state_dict()
    assert len(regress(model, epochs=0)) == 0
    assert_same([*before.values()], [*model.state_dict().values()])


# Data


class Looking(nn.Module):
    """Says what it is given."""

    def __init__(self, dtype: Any = np.float32) -> None:
        self.linear = nn.Linear(3, 1, dtype=dtype)
        self.seen: list[Any] = []

    def forward(self, *inputs: Any) -> Any:
        self.seen.append([(x.shape, x.dtype, self.training) for x in inputs])
        return self.linear(inputs[0])


def test_floating_data_take_the_dtype_of_the_parameters_and_labels_stay_integers() -> None:
    model, targets = Looking(), []

    def loss(output: Any, target: Any) -> Any:
        targets.append(target.dtype)
        assert output.dtype == np.float32
        return (output * output).mean()

    before = X.copy()
    regress(model, loss=loss, data=(X, np.arange(50), Y), epochs=1, batch_size=25, validation=(X, np.arange(50), Y))
    shapes = [((25, 3), np.float32), ((25,), np.int64)]
    assert model.seen[0] == [(*shape, True) for shape in shapes]
    assert len(model.seen) == 3
    assert set(targets) == {np.dtype(np.int64)}
    np.testing.assert_array_equal(X, before)


def test_a_last_batch_of_one_example_is_left_out() -> None:
    """Batch normalization could not use it."""
    for examples, batch_size, sizes in [
        (11, 5, [5, 5]),
        (12, 5, [5, 5, 2]),
        (3, 1, [1, 1, 1]),
        (1, 5, [1]),
        (1, None, [1]),
    ]:
        model = Looking()
        regress(model, data=(X[:examples], TARGETS[:examples]), epochs=1, batch_size=batch_size)
        assert [x.shape[0] for ((x, *_),) in [[[np.zeros(s[0])] for s in seen] for seen in model.seen]] == sizes
    setup = Setup()
    nn.fit(setup.model, nn.CrossEntropyLoss(), setup.optimizer, (X[:41], Y[:41]), epochs=1, batch_size=8)


def test_batches_of_ones_own_are_taken_as_they_are() -> None:
    setup = Setup()
    batches = nn.Batches(X[:41], Y[:41], batch_size=8)
    with pytest.raises(ShapeError, match="each channel has 1 value, and needs at least 2"):
        nn.fit(setup.model, nn.CrossEntropyLoss(), setup.optimizer, batches, epochs=1)


def test_examples_as_columns() -> None:
    """As in CS230 lecture 3: z = W x + b with x of shape (n, m)."""

    class Columns(nn.Module):
        def __init__(self) -> None:
            self.w, self.b = nn.Parameter(np.zeros((1, 3))), nn.Parameter(np.zeros((1, 1)))

        def forward(self, x: Any) -> Any:
            return self.w @ x + self.b

    columns, rows = Columns(), linear()
    rows.load_state_dict({"weight": np.zeros((1, 3)), "bias": [0.0]})
    data = nn.Batches(X.T, TARGETS.T, batch_size=10, axis=-1)
    history = regress(columns, data=data, validation=data, metrics={"r2": r2_of_columns})
    other = regress(rows, data=nn.Batches(X, TARGETS, batch_size=10))
    np.testing.assert_allclose(columns.w.data, rows.weight.data, rtol=1e-12)
    np.testing.assert_allclose(history["loss"], other["loss"], rtol=1e-12)


def r2_of_columns(output: Any, target: Any) -> float:
    assert output.shape == target.shape
    return nn.r2_score(output.T, target.T)


# Modes


def test_training_is_in_training_mode_validation_in_evaluation_and_both_leave_modes_as_they_were() -> None:
    model = nn.Sequential(Looking(np.float64), nn.Dropout(0.5)).eval()
    model[0].train()
    modes = [m.training for m in model.modules()]
    regress(model, epochs=2, batch_size=25, validation=(X, TARGETS))
    assert [seen[0][2] for seen in model[0].seen] == [True, True, False] * 2
    nn.evaluate(model, nn.MSELoss(), (X, TARGETS))
    nn.predict(model, X)
    assert [m.training for m in model.modules()] == modes
    with pytest.raises(ShapeError):
        nn.predict(model, X[:, :2])
    assert [m.training for m in model.modules()] == modes


# Wrong input: one error, before anything changes


def untouched(model: nn.Module) -> Callable[[], None]:
    before = model.state_dict()
    return lambda: assert_same([*before.values()], [*model.state_dict().values()])


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        (
            {"data": (np.where(X[7, 1] == X, np.nan, X), TARGETS)},
            DataError,
            "Batches: array 0, array(float64 (50, 3)), holds nan at index (7, 1); leave such examples out, "
            "or fill in a number, such as the mean of the others",
        ),
        (
            {"data": (X, TARGETS[:49])},
            DataError,
            "Batches: array 1, array(float64 (49, 1)), has 49 examples along axis 0, "
            "but array 0, array(float64 (50, 3)), has 50; give it as many of each",
        ),
        (
            {"validation": (X[:0], TARGETS[:0])},
            DataError,
            "Batches: array 0, array(float64 (0, 3)), has no examples along axis 0; give it at least one",
        ),
        (
            {"data": X},
            DataError,
            "fit: data are (inputs, targets), or Batches of them, got array(float64 (50, 3))",
        ),
        ({"data": [X]}, DataError, "fit: data are inputs and targets, got one array, array(float64 (50, 3))"),
        (
            {"batch_size": 0},
            DataError,
            "Batches: a batch has a whole number of examples, at least 1, or all with None; got batch_size=0",
        ),
        (
            {"data": nn.Batches(X, TARGETS), "rng": np.random.default_rng(2)},
            ValueError,
            "fit: Batches have a generator of their own; give rng to them, or arrays to fit",
        ),
        (
            {"optimizer": SGD(linear().parameters())},
            ValueError,
            "fit: the optimizer moves none of the model's parameters; make it from model.parameters(), after Module.to",
        ),
        (
            {"scheduler": StepLR(SGD(linear().parameters()), 1)},
            ValueError,
            "fit: the StepLR was made for another optimizer, whose rates it sets; make it for this one",
        ),
        ({"optimizer": 3}, TypeError, "fit: optimizer must be an optimizer of nn.optim, got 3"),
        ({"scheduler": 3}, TypeError, "fit: scheduler must be a scheduler of nn.optim, got 3"),
        ({"early_stopping": 3}, TypeError, "fit: early_stopping must be an EarlyStopping, got 3"),
        (
            {"metrics": ["accuracy"]},
            TypeError,
            "fit: metrics must be functions by name, such as {'accuracy': nn.accuracy}, got ['accuracy']",
        ),
        ({"epochs": 2.5}, TypeError, "fit: epochs must be a whole number, got 2.5"),
        ({"epochs": None}, TypeError, "fit: epochs must be a whole number, got None"),
        ({"epochs": -1}, ValueError, "fit: epochs must not be negative, got -1"),
        (
            {"metrics": {"lr": nn.r2_score}},
            ValueError,
            "fit: a metric cannot be called 'lr', which names something else in the history",
        ),
        (
            {"early_stopping": nn.EarlyStopping()},
            ValueError,
            "fit: EarlyStopping watches 'val_loss', but recorded are loss, lr, seconds; "
            "set its monitor to one of them, or give validation data",
        ),
        (
            {"checkpoint": "state.pt"},
            StateError,
            "state.pt has the suffix '.pt'; weights are stored in .safetensors or .npz files "
            "(PyTorch writes the former with safetensors.torch.save_file)",
        ),
        (
            {"checkpoint": "nowhere/state.npz"},
            FileNotFoundError,
            f"there is no folder {os.path.realpath('nowhere')} for nowhere/state.npz; make it first",
        ),
        (
            {"checkpoint": "nowhere.npz", "resume": True},
            FileNotFoundError,
            "fit: there is no checkpoint nowhere.npz to go on from; begin with resume=False",
        ),
        (
            {"resume": True},
            ValueError,
            "fit: resume=True needs a checkpoint to go on from; give its path as checkpoint",
        ),
    ],
)
def test_what_cannot_be_trained(options: dict[str, Any], kind: type[Exception], message: str) -> None:
    model = linear()
    check = untouched(model)
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        regress(model, **options)
    check()


def test_a_plateau_of_what() -> None:
    model = linear()
    optimizer = SGD(model.parameters(), lr=0.1)
    message = "fit: ReduceLROnPlateau is given a loss after each epoch; make it with mode='min'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        regress(model, optimizer=optimizer, scheduler=ReduceLROnPlateau(optimizer, mode="max"))


def test_a_loss_must_be_one_number_that_depends_on_the_parameters() -> None:
    model = linear()
    check = untouched(model)
    message = "the loss must be one number, got Tensor(float64 (10, 1)); reduce it to the mean over the batch"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        regress(model, loss=lambda output, target: output - target)
    with pytest.raises(GraphError, match=r"^fit: the loss, .*, does not depend on the parameters, so nothing can be"):
        regress(model, loss=lambda output, target: np.mean(output.detach().numpy() - target))
    check()


# A loss that is not finite


def test_a_loss_that_is_not_finite_ends_the_training_before_that_step() -> None:
    setup, calls, states = Setup(), [0], []

    def loss(output: Any, target: Any) -> Any:
        calls[0] += 1
        return nn.CrossEntropyLoss()(output, target) * (np.nan if calls[0] == 10 else 1.0)

    class Watching(Adam):
        def step(self, closure: Any = None) -> None:
            super().step()
            states.append(setup.model.state_dict())

    optimizer = Watching(setup.model.parameters(), lr=0.01)
    message = (
        "fit: the loss became nan in epoch 2, step 3 of 7; that step was not taken. Try a smaller learning rate, "
        "clip_norm=1.0, or standardized data; autograd.detect_anomaly() finds the operation"
    )
    with pytest.raises(AnomalyError, match=f"^{re.escape(message)}$"):
        nn.fit(setup.model, loss, optimizer, (X, Y), epochs=3, batch_size=8)
    assert len(states) == 9
    assert_same([*states[-1].values()], [*setup.model.state_dict().values()])  # running statistics, too


def test_parameters_that_are_no_longer_finite_are_named() -> None:
    model = linear(np.float32)

    def loss(output: Any, target: Any) -> Any:
        return np.sqrt(((output - output.detach()) * 1.0).sum())  # 0, with an infinite slope

    with np.errstate(all="ignore"), pytest.raises(AnomalyError) as info:
        regress(model, loss=loss)
    assert str(info.value).startswith(
        "fit: the loss became nan in epoch 1, step 2 of 5; that step was not taken, "
        "but the step before has left weight, bias not finite. Try"
    )


def test_a_divergence_is_an_error() -> None:
    with np.errstate(all="ignore"), pytest.raises(AnomalyError, match=r"^fit: the loss became (inf|nan) in epoch"):
        regress(linear(np.float32), lr=1e6, epochs=50)


# Learning rates


def test_schedulers_step_after_epochs() -> None:
    model = linear()
    optimizer = SGD(model.parameters(), lr=0.08)
    history = regress(model, optimizer=optimizer, epochs=4, scheduler=StepLR(optimizer, 2, 0.5))
    assert history["lr"] == [0.08, 0.08, 0.04, 0.04]
    optimizer = SGD(model.parameters(), lr=0.08)
    history = regress(
        model, optimizer=optimizer, epochs=2, scheduler=StepLR(optimizer, 5, 0.5), scheduler_per_batch=True
    )
    assert history["lr"] == [0.04, 0.02]


def test_one_cycle_steps_after_batches() -> None:
    model = linear()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, epochs=3, steps_per_epoch=5)
    regress(model, optimizer=optimizer, scheduler=scheduler)
    assert scheduler.last_epoch == 15


@pytest.mark.parametrize("validated", [True, False])
def test_a_plateau_is_one_of_the_validation_loss(validated: bool) -> None:
    model, given = linear(), []
    optimizer = SGD(model.parameters(), lr=0.05)

    class Listening(ReduceLROnPlateau):
        def step(self, metrics: Any) -> None:
            given.append(metrics)
            super().step(metrics)

    options = {"validation": (X, TARGETS)} if validated else {}
    history = regress(model, optimizer=optimizer, scheduler=Listening(optimizer), **options)
    assert given == history["val_loss" if validated else "loss"]


def test_gradients_are_clipped() -> None:
    norms: list[float] = []

    class Listening(SGD):
        def step(self, closure: Any = None) -> None:
            norms.append(float(np.sqrt(sum(np.sum(p.grad**2) for p in self.param_groups[0]["params"]))))

    model = linear()
    regress(model, optimizer=Listening(model.parameters()), clip_norm=0.5)
    np.testing.assert_allclose(norms, 0.5, rtol=1e-5)
    assert len(norms) == 15


# Stopping


def values_in_turn(values: list[float]) -> dict[str, Callable[[Any, Any], float]]:
    """A metric that takes given values on validation data, one per epoch."""
    rest = iter(values)
    return {"m": lambda output, target: next(rest) if len(target) == 20 else 0.0}


@pytest.mark.parametrize(
    ("options", "values", "epochs", "best"),
    [
        ({"patience": 2}, [3, 2, 2.5, 2.2, 1], 4, 2),
        ({"patience": 2}, [3, 2, 2.5, 1, 1, 1, 0], 6, 4),
        ({"patience": 1, "min_delta": 0.5}, [3, 2, 1.6, 1], 3, 2),
        ({"patience": 2, "mode": "max"}, [1, 2, 0, 1, 3], 4, 2),
        ({"patience": 2}, [np.nan, np.nan, 0], 2, None),
        ({"patience": 2}, [2, np.nan, 1, 0], 4, 4),
        ({"patience": 9}, [3, 2, 4, 5], 4, 2),
    ],
)
@pytest.mark.parametrize("restore_best", [True, False])
def test_early_stopping(
    options: dict[str, Any], values: list[float], epochs: int, best: int | None, restore_best: bool
) -> None:
    model, states = linear(), []

    def loss(output: Any, target: Any) -> Any:
        if len(target) == 20:
            states.append(model.state_dict())
        return nn.MSELoss()(output, target)

    stopping = nn.EarlyStopping(monitor="val_m", restore_best=restore_best, **options)
    for _ in range(2):  # the same one may serve again
        states.clear()
        history = regress(
            model,
            loss=loss,
            epochs=min(len(values), 10),
            validation=(X[:20], TARGETS[:20]),
            metrics=values_in_turn(values),
            early_stopping=stopping,
        )
        assert len(history) == epochs
        assert stopping.best_epoch == best
        assert stopping.best == (None if best is None else values[best - 1])
        kept = states[(best if restore_best and best else epochs) - 1]
        assert_same([*kept.values()], [*model.state_dict().values()])


def test_early_stopping_says_what_it_takes() -> None:
    message = (
        "EarlyStopping: patience must be at least 1, min_delta not negative, and mode 'min' or 'max'; "
        "got 0, 0.0 and 'min'"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        nn.EarlyStopping(0)


def test_stopping_when_the_loss_stands_still() -> None:
    history = regress(linear(), epochs=500, lr=0.1, batch_size=None, tol=1e-6)
    losses = history["loss"]
    assert 5 < len(losses) < 200
    assert abs(losses[-1] - losses[-2]) < 1e-6 <= abs(losses[-2] - losses[-3])


# Ctrl-C


@pytest.fixture(autouse=True)
def _handler_is_left_alone() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def raising(at: int) -> Callable[..., None]:
    """What raises KeyboardInterrupt when it is called for the at-th time."""
    calls = [0]

    def call(*args: Any) -> None:
        calls[0] += 1
        if calls[0] == at:
            raise KeyboardInterrupt

    return call


def pressing(at: int, times: int = 1) -> Callable[..., None]:
    """What presses Ctrl-C when it is called for the at-th time."""
    calls = [0]

    def call(*args: Any) -> None:
        calls[0] += 1
        if calls[0] == at:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    return call


def pressing_twice(at: int) -> Callable[..., None]:
    return pressing(at, 2)


@pytest.mark.parametrize(
    ("where", "how", "taken"),
    [
        *[(where, how, 9) for where in ("forward", "backward", "metric") for how in (raising, pressing_twice)],
        *[(where, pressing, 10) for where in ("forward", "backward", "metric", "optimizer")],
        ("optimizer", raising, 9),
        ("optimizer", pressing_twice, 10),  # an update is never left half done
    ],
)
def test_an_interrupt_in_the_tenth_step(where: str, how: Callable[[int], Any], taken: int) -> None:
    """It keeps the steps that were taken: a signal waits for its step, the second one does not, nor what is raised."""
    setup, plain, call = Setup(), Setup(), how(10)
    options: dict[str, Any] = {"validation": None, "metrics": {}}
    if where == "forward":
        setup.model[4].register_forward_hook(call)
    elif where == "backward":
        setup.model[6].weight.register_hook(call)
    elif where == "metric":
        options["metrics"] = {"m": lambda output, target: call() or 0.0}
    else:
        update = setup.optimizer.update

        def interrupted(group: Any) -> None:
            call()
            update(group)

        setup.optimizer.update = interrupted  # type: ignore[method-assign]
    history = setup.fit(3, **options)
    assert history.interrupted
    assert len(history) == 1
    assert setup.model.training

    plain.model.register_forward_pre_hook(raising(taken + 1))
    plain.fit(3, validation=None, metrics={})
    assert_same(setup.everything(), plain.everything())


def test_without_an_interrupt_the_history_says_so() -> None:
    assert not regress(linear()).interrupted


def test_an_interrupt_in_validation_keeps_the_steps_of_the_epoch() -> None:
    setup, plain = Setup(), Setup()
    call = raising(2)
    history = setup.fit(5, metrics={"m": lambda output, target: (call() if len(target) == 20 else None) or 0.0})
    assert history.interrupted
    assert len(history) == 1
    plain.fit(2, scheduler=None)
    assert_same([*setup.model.state_dict().values()], [*plain.model.state_dict().values()])


def test_the_best_parameters_are_not_put_back_after_an_interrupt() -> None:
    model = linear()
    states: list[Any] = []
    metric = values_in_turn([1, 2, 3])["m"]

    def watch(output: Any, target: Any) -> float:
        value = metric(output, target)
        if len(target) == 20:
            states.append(model.state_dict())
        if len(states) == 3:
            raise KeyboardInterrupt
        return value

    stopping = nn.EarlyStopping(monitor="val_m")
    options = {"validation": (X[:20], TARGETS[:20]), "metrics": {"m": watch}, "early_stopping": stopping}
    assert regress(model, epochs=3, **options).interrupted
    assert_same([*states[-1].values()], [*model.state_dict().values()])


def test_a_handler_of_ones_own_stays_in_charge() -> None:
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        model = Looking(np.float64)
        model.register_forward_hook(pressing(2))
        assert not regress(model).interrupted
    finally:
        signal.signal(signal.SIGINT, before)
    assert pressed == [signal.SIGINT]


def test_training_in_a_thread() -> None:
    histories: list[nn.History] = []
    thread = threading.Thread(target=lambda: histories.append(regress(linear())))
    thread.start()
    thread.join()
    assert len(histories[0]) == 3


def test_an_error_in_a_step_leaves_everything_as_before_it() -> None:
    setup, plain, calls = Setup(), Setup(), [0]

    def fail(*args: Any) -> None:
        calls[0] += 1
        if calls[0] == 10:
            raise RuntimeError("mine")

    setup.model[6].register_forward_hook(fail)
    with pytest.raises(RuntimeError, match=r"^mine$"):
        setup.fit(3, validation=None)
    plain.model[6].register_forward_pre_hook(raising(10))
    plain.fit(3, validation=None)
    assert_same(setup.everything(), plain.everything())


# Checkpoints


@pytest.fixture(params=["npz", "safetensors"])
def path(request: Any, tmp_path: Path) -> Path:
    return tmp_path / f"state.{request.param}"


def test_three_epochs_and_three_more_are_six(path: Path) -> None:
    whole, first, second = Setup(), Setup(), Setup(5)
    history = whole.fit(6)
    first.fit(3, checkpoint=path)
    resumed = second.fit(6, checkpoint=path, resume=True)
    assert lasting(resumed) == lasting(history)
    assert_same(second.everything(), whole.everything())
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("step", [1, 3, 7, 8, 13, 21])
@pytest.mark.parametrize("how", [raising, pressing])
def test_a_training_goes_on_after_an_interrupt_at_any_step(
    step: int, how: Callable[[int], Any], tmp_path: Path
) -> None:
    path = tmp_path / "state.safetensors"
    whole, first, second = Setup(), Setup(), Setup(5)
    history = whole.fit(3)
    first.model[5].register_forward_hook(lambda module, *args: call() if module.training else None)
    call = how(step)
    assert first.fit(3, checkpoint=path).interrupted
    resumed = second.fit(3, checkpoint=path, resume=True)
    assert not resumed.interrupted
    assert lasting(resumed) == lasting(history)
    assert_same(second.everything(), whole.everything())


def test_early_stopping_and_one_cycle_go_on(path: Path) -> None:
    def run(setup: Setup, epochs: int, **options: Any) -> tuple[nn.History, nn.EarlyStopping]:
        stopping = nn.EarlyStopping(patience=4)
        scheduler = OneCycleLR(setup.optimizer, max_lr=0.1, epochs=12, steps_per_epoch=7)
        return setup.fit(epochs, scheduler=scheduler, early_stopping=stopping, **options), stopping

    whole, first, second, third = Setup(), Setup(), Setup(5), Setup(6)
    history, stopping = run(whole, 12)
    assert 3 < len(history) < 12
    run(first, len(history) - 1, checkpoint=path)
    resumed, other = run(second, 12, checkpoint=path, resume=True)
    assert lasting(resumed) == lasting(history)
    assert (other.best, other.best_epoch) == (stopping.best, stopping.best_epoch)
    assert_same(second.everything(), whole.everything())
    again, _ = run(third, 12, checkpoint=path, resume=True)  # of a training that is over
    assert lasting(again) == lasting(history)
    assert_same([*third.model.state_dict().values()], [*whole.model.state_dict().values()])


def test_a_shared_generator_is_stored_once_and_stays_shared(path: Path) -> None:
    setup = Setup()
    setup.fit(1, checkpoint=path)
    assert list(checkpoints.read(path)["generators"]) == ["model.3.rng and batches", "model.5.rng"]
    other = Setup()
    other.rng = np.random.default_rng(0)
    check = untouched(other.model)
    message = (
        f"fit: the checkpoint {path} does not fit this training, which was left as it is: random generators: "
        "['model.3.rng and batches', 'model.5.rng'] in the checkpoint, ['model.3.rng', 'model.5.rng', 'batches'] here"
    )
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        other.fit(2, checkpoint=path, resume=True)
    check()


def test_a_checkpoint_that_does_not_fit_changes_nothing(path: Path) -> None:
    Setup().fit(1, checkpoint=path)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"metrics": {}}, "recorded names: ['loss', 'accuracy', "),
        ({"scheduler": None}, "scheduler: True in the checkpoint, False here"),
        ({"early_stopping": nn.EarlyStopping()}, "early stopping: False in the checkpoint, True here"),
        ({"batch_size": 9}, "examples, batch size and batches: [50, 8, 7] in the checkpoint, [50, 9, 6] here"),
    ]
    for options, message in wrong:
        setup = Setup(3)
        check = untouched(setup.model)
        with pytest.raises(StateError, match=re.escape(f"which was left as it is: {message}")):
            setup.fit(2, checkpoint=path, resume=True, **options)
        check()
    before = path.read_bytes()
    setup = Setup(3)
    setup.optimizer = Adam(list(setup.model.parameters())[:-1])  # found after the model has been loaded
    check = untouched(setup.model)
    with pytest.raises(StateError, match=r"does not fit Adam, which was left as it is\n  param_groups"):
        setup.fit(2, checkpoint=path, resume=True)
    check()
    setup = Setup(3)
    setup.model[6] = nn.Linear(8, 3)
    setup.optimizer = Adam(setup.model.parameters())
    with pytest.raises(StateError, match=r"mis-shaped: 6\.weight"):
        setup.fit(2, checkpoint=path, resume=True)
    assert path.read_bytes() == before


def test_what_is_no_checkpoint(path: Path) -> None:
    setup = Setup()
    nn.save(setup.model, path)
    check = untouched(setup.model)
    message = (
        f"{path} is no checkpoint, which would say 'chainrule.checkpoint' in its metadata; "
        "give weights without more to Module.load_state_dict(nn.load(path))"
    )
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        setup.fit(2, checkpoint=path, resume=True)
    nn.save({}, path, {"chainrule.checkpoint": '{"array": "gone"}'})
    with pytest.raises(StateError, match=f"^{re.escape(str(path))} is a damaged checkpoint: 'gone'$"):
        setup.fit(2, checkpoint=path, resume=True)
    for content in ("[1]", '{"dict": []}', '{"dict": [["generators", 3]]}'):
        nn.save({}, path, {"chainrule.checkpoint": content})
        with pytest.raises(StateError, match="does not fit this training, which was left as it is"):
            setup.fit(2, checkpoint=path, resume=True)
    check()


def test_damaged_files(path: Path) -> None:
    Setup().fit(1, checkpoint=path)
    whole = path.read_bytes()
    setup = Setup(2)
    check = untouched(setup.model)
    for damaged in (b"", whole[: len(whole) // 2], whole[:-1], whole[:-9] + b"xxxxxxxxx"):
        path.write_bytes(damaged)
        with pytest.raises(StateError):
            setup.fit(2, checkpoint=path, resume=True)
    check()


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Setup().fit(1, checkpoint=path)
    before = path.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        Setup().fit(2, checkpoint=path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_anything_nested_goes_through_a_checkpoint(path: Path) -> None:
    state = {
        "big": 2**130,
        "pi": 0.1 + 0.2,
        "inf": -np.inf,
        "nested": [(1, None), {3: np.arange(3, dtype=np.uint32)}, "ü"],
        "scalar": np.float32(0.1),
        "empty": np.zeros((0, 2)),
        "flag": True,
    }
    checkpoints.write(state, path)
    found = checkpoints.read(path)
    np.testing.assert_equal(found, state)
    assert isinstance(found["nested"][0], tuple)
    assert found["scalar"].dtype == np.float32
    message = f"a checkpoint cannot hold a/0, {print!r}; only dicts, lists, arrays, numbers and strings"
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        checkpoints.write({"a": [print]}, path)


def test_places_of_a_checkpoint_that_look_alike_are_told_apart(path: Path) -> None:
    states: list[Any] = [
        {"a/b": np.ones(1), "a": {"b": np.zeros(2), "b'": np.full(3, 2.0)}, "a/b'": np.full(4, 3.0)},
        {1: np.ones(1), "1": np.zeros(2)},
        {"": np.ones(1), "array": np.zeros(2)},
    ]
    for state in states:
        checkpoints.write(state, path)
        found = checkpoints.read(path)
        np.testing.assert_equal(found, state)
        assert list(found) == list(state)


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ({"a": {(1, 2): 0}}, "a with the key (1, 2)"),
        ({None: 0}, "a dict with the key None"),
        ({0.5: 0}, "a dict with the key 0.5"),
    ],
)
def test_keys_that_a_checkpoint_could_not_give_back(path: Path, state: Any, what: str) -> None:
    message = f"a checkpoint cannot hold {what}; its keys are strings or integers"
    with pytest.raises(StateError, match=f"^{re.escape(message)}$"):
        checkpoints.write(state, path)
    assert not path.exists()


# Evaluation and prediction


@pytest.mark.parametrize("batch_size", [None, 1, 7, 50])
def test_evaluation_and_prediction_do_not_depend_on_the_size_of_batches(batch_size: int | None) -> None:
    model = Setup().model
    output = nn.predict(model, X, batch_size=batch_size)
    assert isinstance(output, np.ndarray)
    assert output.dtype == np.float32
    with model_in_evaluation(model):
        expected = model(X.astype(np.float32))
        loss = nn.CrossEntropyLoss()(expected, Y)
    np.testing.assert_allclose(output, expected.numpy(), rtol=1e-5, atol=1e-6)
    found = nn.evaluate(model, nn.CrossEntropyLoss(), (X, Y), metrics={"accuracy": nn.accuracy}, batch_size=batch_size)
    assert found == pytest.approx({"loss": float(loss), "accuracy": nn.accuracy(expected, Y)}, rel=1e-6)


class model_in_evaluation:  # noqa: N801 - used like a function
    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def __enter__(self) -> None:
        self.model.eval()

    def __exit__(self, *exception: object) -> None:
        self.model.train()


def test_prediction_of_several_inputs_and_of_bad_ones() -> None:
    class Two(nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return a * b

    assert nn.predict(Two(), (np.arange(3), np.array([2.0, 2.0, 3.0])), batch_size=2).tolist() == [0, 2, 6]
    with pytest.raises(DataError, match="holds nan at index"):
        nn.predict(linear(), np.full((1, 3), np.nan))
    message = "evaluate: data are (inputs, targets), or Batches of them, got array(float64 (50, 3))"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        nn.evaluate(linear(), nn.MSELoss(), X)


def test_shuffled_batches_are_evaluated_in_order_without_a_draw() -> None:
    batches = nn.Batches(X, Y, batch_size=7, shuffle=True, drop_last=True, rng=np.random.default_rng(3))
    model = Setup().model
    expected = nn.evaluate(model, nn.CrossEntropyLoss(), (X, Y), metrics={"a": nn.accuracy}, batch_size=7)
    assert nn.evaluate(model, nn.CrossEntropyLoss(), batches, metrics={"a": nn.accuracy}) == expected
    assert batches.rng.random() == np.random.default_rng(3).random()


def test_nothing_is_recorded_in_evaluation() -> None:
    seen: list[Any] = []

    def loss(output: Any, target: Any) -> Any:
        seen.append(isinstance(output, Tensor) and output.requires_grad)
        return nn.MSELoss()(output, target)

    nn.evaluate(linear(), loss, (X, TARGETS))
    assert seen == [False]


# The bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_epochs_and_losses_on_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for kind, options in [(Terminal, {}), (io.StringIO, {}), (Terminal, {"progress": False})]:
        stream = kind()
        monkeypatch.setattr(sys, "stderr", stream)
        regress(linear(), validation=(X, TARGETS), **options)
        shown[kind, bool(options)] = stream.getvalue()
    text = shown.pop((Terminal, False))
    assert "epoch 3/3" in text
    assert "15/15" in text
    assert re.search(r"loss=\d.*, val_loss=\d", text)
    assert set(shown.values()) == {""}


def test_the_bar_says_that_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    model = Looking(np.float64)
    model.register_forward_hook(pressing(7))
    regress(model)
    assert "interrupted after 1 epochs and 2 steps" in stream.getvalue()


# Memory


def bytes_of_arrays() -> int:
    snapshot = tracemalloc.take_snapshot()
    of_numpy = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    return sum(trace.size for trace in snapshot.filter_traces([of_numpy]).traces)


def test_hundreds_of_steps_leave_no_array_and_no_object_behind_without_the_collector(tmp_path: Path) -> None:
    setup, arrays, objects = Setup(), [], []

    def measure(output: Any, target: Any) -> float:
        if len(target) == 20:
            objects.append(len(gc.get_objects()))
            if len(objects) in (10, 30):
                arrays.append(bytes_of_arrays())
        return 0.0

    options = {"metrics": {"m": measure}, "checkpoint": tmp_path / "state.npz"}
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        setup.fit(30, early_stopping=nn.EarlyStopping(99), **options)  # of 7 steps each
    finally:
        tracemalloc.stop()
        gc.enable()
    assert arrays[1] <= arrays[0] + 1000  # the best parameters may have come
    assert objects[28] - objects[10] < 20


def test_a_metric_that_a_batch_does_not_have_is_nan_in_its_epoch() -> None:
    history = regress(linear(), batch_size=1, metrics={"r2": nn.r2_score}, validation=(X, TARGETS))
    assert np.isnan(history["r2"]).all()
    assert np.isfinite([history["loss"], history["val_r2"]]).all()


@pytest.mark.parametrize("sequential", [False, True])
def test_a_schedule_that_is_resumed_for_longer_goes_on_as_the_longer_one(sequential: bool, tmp_path: Path) -> None:
    def rates(epochs: int, **options: Any) -> list[float]:
        model = linear()
        optimizer = SGD(model.parameters(), lr=1e-3)
        scheduler: Any = CosineAnnealingLR(optimizer, T_max=epochs)
        if sequential:
            scheduler = SequentialLR(optimizer, [ConstantLR(optimizer, 1.0, 1), scheduler], [1])
        return regress(model, optimizer=optimizer, scheduler=scheduler, epochs=epochs, **options)["lr"]

    path = tmp_path / "checkpoint.npz"
    begun = rates(4, checkpoint=path)
    assert rates(8, checkpoint=path, resume=True) == pytest.approx([*begun, *rates(8)[4:]], rel=1e-12)


def test_a_cycle_that_is_shorter_than_training() -> None:
    model = linear()
    before, optimizer = model.state_dict(), SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = OneCycleLR(optimizer, 0.01, total_steps=3)
    message = (
        "fit: the OneCycleLR ends after 3 steps, and training takes 6; make it with total_steps=6, the number of "
        "batches of all epochs"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        regress(model, optimizer=optimizer, scheduler=scheduler, epochs=3, batch_size=len(X) // 2)
    assert_same([*model.state_dict().values()], [*before.values()])


class Uncertain(nn.Module):
    """A loss that learns how uncertain it is (Kendall and Gal, 2017)."""

    def __init__(self) -> None:
        self.log_var = nn.Parameter(np.zeros(()), dtype=float)

    def forward(self, output: Any, target: Any) -> Any:
        return nn.functional.mse_loss(output, target) * np.exp(-self.log_var) + self.log_var


def test_what_the_loss_has_learned_is_part_of_a_checkpoint(tmp_path: Path) -> None:
    def losses(epochs: int, **options: Any) -> list[float]:
        model, loss = linear(), Uncertain()
        optimizer = SGD([*model.parameters(), *loss.parameters()], lr=0.05, momentum=0.9)
        return regress(model, loss=loss, optimizer=optimizer, epochs=epochs, **options)["loss"]

    path = tmp_path / "checkpoint.npz"
    losses(2, checkpoint=path)
    assert losses(5, checkpoint=path, resume=True) == losses(5)


def test_other_examples_are_not_gone_on_with(tmp_path: Path) -> None:
    path, model = tmp_path / "checkpoint.npz", linear()
    regress(model, checkpoint=path)
    before = model.state_dict()
    with pytest.raises(
        StateError, match=r"was left as it is: checksum of the examples: [0-9]+ in the checkpoint, [0-9]+ here"
    ):
        regress(model, data=(X[::-1], TARGETS), epochs=5, checkpoint=path, resume=True)
    assert_same([*model.state_dict().values()], [*before.values()])


def test_early_stopping_remembers_what_it_saw_if_nothing_is_trained(tmp_path: Path) -> None:
    stopping = nn.EarlyStopping(monitor="loss")
    regress(linear(), early_stopping=stopping)
    best = stopping.best
    assert best is not None
    with pytest.raises(FileNotFoundError):
        regress(linear(), early_stopping=stopping, checkpoint=tmp_path / "none.npz", resume=True)
    assert stopping.best == best
