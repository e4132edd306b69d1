"""Training: gradient descent over epochs, and all that stands around a step."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from numbers import Integral
from pathlib import Path
from types import FrameType
from typing import Any
from zlib import crc32

import numpy as np
from tqdm import tqdm

from autograd import AnomalyError, GraphError, ShapeError, Tensor, describe, no_grad
from autograd.files import destination
from nn import checkpoints
from nn.data import Batches
from nn.errors import DataError, StateError
from nn.history import History
from nn.losses import refuse_no_loss
from nn.module import Module
from nn.optim import LRScheduler, OneCycleLR, Optimizer, ReduceLROnPlateau
from nn.optim.optimizers import refuse_unmoved
from nn.utils import clip_grad_norm_
from nn.weights import format_of

Array = Any
Loss = Callable[[Any, Any], Any]
Metrics = Mapping[str, Callable[[Array, Array], Any]]
Data = Batches | Sequence[Any]


def fit(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    data: Data,
    *,
    epochs: int,
    batch_size: int | None = 32,
    validation: Data | None = None,
    metrics: Metrics | None = None,
    scheduler: LRScheduler | None = None,
    scheduler_per_batch: bool = False,
    early_stopping: EarlyStopping | None = None,
    tol: float | None = None,
    clip_norm: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = True,
    rng: np.random.Generator | None = None,
) -> History:
    """Train a network: gradient descent over batches of examples.

    In each step the gradient of the mean loss of a batch moves the parameters (CS60010, algorithms 1, 2 and 8.1; see
    `Batches` for batch, stochastic and minibatch descent). A step is taken wholly or not at all: if something raises on
    the way, running statistics and generators are put back to where they were before the step.

    Ctrl-C ends the training after the step that is under way, and keeps what was learned; a second one does not wait
    for the step, which is then not taken.

    Parameters
    ----------
    model : Module
        The network. It trains in training mode, is validated in evaluation mode, and is left in the mode it was in.
    loss : callable
        From ``(output, target)`` to the mean loss of the examples of a batch, as one number.
    optimizer : Optimizer
        What moves the parameters of the model.
    data : (inputs, targets) or Batches
        The examples, as arrays; with more than two, the last are the targets, and the model takes the others. Floating
        arrays are cast to the dtype of the parameters, once; integers stay what they are.
    epochs : int
        How often to meet each example, counted from the beginning also when resuming.
    batch_size : int or None
        How many examples make a batch, None for all; for arrays, which are shuffled in each epoch. A last batch of a
        single example, which batch normalization could not use, is left out; in each epoch that is another one.
        `Batches` have their own.
    validation : (inputs, targets) or Batches, optional
        Examples that are not learned from: each epoch ends with their loss and metrics.
    metrics : mapping of str to callable, optional
        From ``(output, target)``, as arrays, to a number; such as ``{"accuracy": nn.accuracy}``. That of the training
        data is the average over the batches as they are learned from; that of the validation data, which is recorded
        under ``"val_"`` and its name, is of all of them at once.
    scheduler : LRScheduler, optional
        Steps after each epoch. ``ReduceLROnPlateau`` is given the validation loss, or without validation data the loss.
        ``OneCycleLR`` steps after each batch.
    scheduler_per_batch : bool
        Whether any other scheduler, too, steps after each batch.
    early_stopping : EarlyStopping, optional
        When to stop before the last epoch.
    tol : float, optional
        Stop when the training loss differs by less than this from that of the epoch before: a stopping criterion for
        CS60010's algorithm 1.
    clip_norm : float, optional
        The longest gradient allowed; see `nn.utils.clip_grad_norm_`.
    checkpoint : path, optional
        A ``.safetensors`` or ``.npz`` file that is replaced after each epoch, and when Ctrl-C ends the training: all
        that is needed to go on.
    resume : bool
        Go on from the checkpoint, bit for bit as if training had not stopped, also within an epoch. Make model,
        optimizer, scheduler and data as before.
    progress : bool
        Whether to show a bar, where the standard error is a terminal or a notebook.
    rng : numpy.random.Generator, optional
        Where the order of the examples comes from; for arrays.

    Returns
    -------
    History
        Of each epoch ``"loss"``, metrics, ``"val_loss"`` and so on, ``"lr"`` of the first parameter group, and
        ``"seconds"``. Its ``interrupted`` says whether Ctrl-C ended the training.

    Raises
    ------
    AnomalyError
        If the loss is infinite or NaN; the parameters are those before that step.
    DataError
        If the data cannot be trained on; see `Batches`.
    StateError
        If the checkpoint is damaged or does not fit; everything is as it was then.
    TypeError, ValueError
        If the arguments make no sense together; nothing has changed then.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(100, 2))
    >>> y = x @ [[1.0], [-2.0]] + 3
    >>> model = nn.Linear(2, 1, rng=rng)
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    >>> history = nn.fit(model, nn.MSELoss(), optimizer, (x, y), epochs=20, batch_size=10, rng=rng)
    >>> history["loss"][0] > 1, history["loss"][-1] < 1e-6
    (True, True)
    >>> model.weight.data.round(2), model.bias.data.round(2)
    (array([[ 1., -2.]], dtype=float32), array([3.], dtype=float32))
    """
    for name, given, kind, words in [
        ("model", model, Module, "a Module"),
        ("optimizer", optimizer, Optimizer, "an optimizer of nn.optim"),
        ("metrics", metrics, Mapping | None, "functions by name, such as {'accuracy': nn.accuracy}"),
        ("scheduler", scheduler, LRScheduler | None, "a scheduler of nn.optim"),
        ("early_stopping", early_stopping, EarlyStopping | None, "an EarlyStopping"),
        ("epochs", epochs, Integral, "a whole number"),
    ]:
        if not isinstance(given, kind):
            raise TypeError(f"fit: {name} must be {words}, got {describe(given)}")
    refuse_no_loss("fit", loss)
    if epochs < 0:
        raise ValueError(f"fit: epochs must not be negative, got {epochs}")
    batches = batches_of("fit", data, batch_size=batch_size, shuffle=True, rng=rng)
    if batches is not data:
        batches.drop_last = 1 < batches.batch_size < batches.examples and batches.examples % batches.batch_size == 1
    elif rng is not None:
        raise ValueError("fit: Batches have a generator of their own; give rng to them, or arrays to fit")
    training = Training(
        model,
        loss,
        optimizer,
        batches.astype(dtype_of(model)),
        None if validation is None else in_order(batches_of("fit", validation, batch_size=256), model),
        metrics or {},
        scheduler,
        scheduler_per_batch or isinstance(scheduler, OneCycleLR),
        early_stopping,
        tol,
        clip_norm,
    )
    if checkpoint is not None:
        format_of(checkpoint)
        destination(checkpoint)
    if resume:
        if checkpoint is None:
            raise ValueError("fit: resume=True needs a checkpoint to go on from; give its path as checkpoint")
        if not Path(checkpoint).exists():
            raise FileNotFoundError(
                f"fit: there is no checkpoint {os.fspath(checkpoint)} to go on from; begin with resume=False"
            )
        training.resume(checkpoint)
    elif early_stopping is not None:
        early_stopping.begin()
    training.run(epochs, checkpoint, progress)
    return training.history


def evaluate(
    model: Module, loss: Loss, data: Data, *, metrics: Metrics | None = None, batch_size: int | None = 256
) -> dict[str, float]:
    """Return the mean loss of examples, and metrics, in evaluation mode.

    Parameters
    ----------
    model : Module
        The network; it is left in the mode it was in.
    loss : callable
        As for `fit`.
    data : (inputs, targets) or Batches
        The examples; `Batches` are taken in order.
    metrics : mapping of str to callable, optional
        From the outputs and targets of all examples, as arrays, to a number.
    batch_size : int or None
        How many examples to compute at once; for arrays.

    Returns
    -------
    dict of str to float
        ``"loss"``, and each metric by its name.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Linear(1, 1)
    >>> _ = model.load_state_dict({"weight": [[2.0]], "bias": [1.0]})
    >>> nn.evaluate(model, nn.MSELoss(), ([[1.0], [2.0]], [[3.0], [7.0]]), metrics={"r2": nn.r2_score})
    {'loss': 2.0, 'r2': 0.5}
    """
    refuse_no_loss("evaluate", loss)
    return measured(model, loss, in_order(batches_of("evaluate", data, batch_size=batch_size), model), metrics or {})


def predict(model: Module, x: Any, *, batch_size: int | None = 256) -> Array:
    """Return the outputs of a network for examples, in evaluation mode.

    Parameters
    ----------
    model : Module
        The network; it is left in the mode it was in.
    x : array_like, shape (examples, ...), or tuple of these
        The inputs.
    batch_size : int or None
        How many examples to compute at once, None for all.

    Returns
    -------
    ndarray, shape (examples, ...)
        The outputs.

    Examples
    --------
    >>> import nn
    >>> nn.predict(nn.Sequential(nn.Dropout(0.5), nn.ReLU()), [[-1.0], [2.0]]).tolist()
    [[0.0], [2.0]]
    """
    batches = in_order(Batches(*(x if isinstance(x, tuple) else (x,)), batch_size=batch_size), model)
    with mode(model, training=False), no_grad():
        return np.concatenate([array_of(model(*inputs)) for inputs in batches])


class EarlyStopping:
    """Stop training when a number has not improved for some epochs.

    Parameters
    ----------
    patience : int
        How many epochs in a row may pass without improvement.
    min_delta : float
        How much better than the best so far counts as improvement.
    monitor : str
        The name of the number in the history.
    mode : str
        ``"min"`` for a number that should fall, ``"max"`` for one that should rise.
    restore_best : bool
        Whether the parameters and buffers of the best epoch are put back at the end, unless Ctrl-C ended the training.

    Attributes
    ----------
    best : float or None
        The best value so far.
    best_epoch : int or None
        Its epoch, from 1 on.

    Examples
    --------
    >>> import nn
    >>> stopping, model = nn.EarlyStopping(patience=2), nn.Linear(1, 1)
    >>> for epoch, loss in enumerate([3.0, 2.0, 2.5, 2.25, 1.0], 1):
    ...     stopping.update(epoch, loss, model)
    ...     if stopping.over:
    ...         print(f"stopped after epoch {epoch}, the best was {stopping.best_epoch}")
    ...         break
    stopped after epoch 4, the best was 2
    """

    def __init__(
        self,
        patience: int = 10,
        min_delta: float = 0.0,
        monitor: str = "val_loss",
        *,
        mode: str = "min",
        restore_best: bool = True,
    ) -> None:
        if patience < 1 or not min_delta >= 0 or mode not in ("min", "max"):
            raise ValueError(
                "EarlyStopping: patience must be at least 1, min_delta not negative, and mode 'min' or 'max'; "
                f"got {patience!r}, {min_delta!r} and {mode!r}"
            )
        self.patience, self.min_delta, self.monitor, self.mode = patience, min_delta, monitor, mode
        self.restore_best = restore_best
        self.begin()

    def begin(self) -> None:
        """Forget what was seen; `fit` calls it first."""
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.waited = 0
        self._best_state: dict[str, Array] | None = None

    def update(self, epoch: int, value: float, model: Module) -> None:
        """Look at the value after an epoch; NaN is no improvement."""
        gain = math.nan if math.isnan(value) else math.inf
        if self.best is not None:
            gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch, self.waited = value, epoch, 0
            self._best_state = model.state_dict() if self.restore_best else None
        else:
            self.waited += 1

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self.waited >= self.patience

    def restore(self, model: Module) -> None:
        """Put the best parameters and buffers back, if they were to be kept."""
        if self._best_state is not None:
            model.load_state_dict(self._best_state)

    def state_dict(self) -> dict[str, Any]:
        """Return what was seen so far."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "waited": self.waited,
            "best_state": self._best_state,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what was seen."""
        self.best, self.best_epoch, self.waited, self._best_state = (
            state[name] for name in ("best", "best_epoch", "waited", "best_state")
        )


class Training:
    """A training under way: what a step changes, and where it stands; a checkpoint is its `state`."""

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        batches: Batches,
        validation: Batches | None,
        metrics: Metrics,
        scheduler: LRScheduler | None,
        per_batch: bool,
        stopping: EarlyStopping | None,
        tol: float | None,
        clip_norm: float | None,
    ) -> None:
        self.model, self.loss, self.optimizer, self.batches = model, loss, optimizer, batches
        self.validation, self.metrics = validation, metrics
        self.scheduler, self.per_batch = scheduler, per_batch
        self.stopping, self.tol, self.clip_norm = stopping, tol, clip_norm
        self.moved = [p for group in optimizer.param_groups for p in group["params"]]
        self.learned = {"model": model, **({"loss": loss} if isinstance(loss, Module) else {})}
        self.buffers = [
            (m, name)
            for part in self.learned.values()
            for m in part.modules()
            for name, _ in m.named_buffers(recurse=False)
        ]
        self.generators = generators_of(self.learned, batches)
        self.interrupts = Interrupts()
        self.check()

        self.history = History()
        self.epoch = 0  # how many are complete
        self.step = 0  # how many steps of the next one are taken
        self.order: Array | None = None  # of its examples
        self.totals: list[float] = []  # sums over its examples of loss and metrics; empty before it begins
        self.seconds = 0.0  # that it has taken

    def check(self) -> None:
        """Refuse what does not fit together, before anything changes."""
        refuse_unmoved("fit", self.optimizer, self.model.parameters())
        if self.scheduler is not None and self.scheduler.optimizer is not self.optimizer:
            raise ValueError(
                f"fit: the {type(self.scheduler).__name__} was made for another optimizer, whose rates it sets; "
                "make it for this one"
            )
        taken = [name for name in self.metrics if name in ("loss", "lr", "seconds") or name.startswith("val_")]
        if taken:
            raise ValueError(f"fit: a metric cannot be called {taken[0]!r}, which names something else in the history")
        if self.stopping is not None and self.stopping.monitor not in self.names():
            raise ValueError(
                f"fit: EarlyStopping watches {self.stopping.monitor!r}, but recorded are {', '.join(self.names())}; "
                "set its monitor to one of them, or give validation data"
            )
        if isinstance(self.scheduler, ReduceLROnPlateau) and (self.per_batch or self.scheduler.mode != "min"):
            raise ValueError("fit: ReduceLROnPlateau is given a loss after each epoch; make it with mode='min'")

    def names(self) -> list[str]:
        """What is recorded of each epoch."""
        measured = ["loss", *self.metrics]
        return [*measured, *(f"val_{name}" for name in measured if self.validation), "lr", "seconds"]

    # Going on

    def run(self, epochs: int, checkpoint: str | os.PathLike[str] | None, progress: bool) -> None:
        """Train until all epochs are complete, a criterion is met, or Ctrl-C."""
        if isinstance(self.scheduler, OneCycleLR):
            steps = (epochs - self.epoch) * len(self.batches) - self.step + self.scheduler.last_epoch
            if steps > self.scheduler.total_steps:
                raise ValueError(
                    f"fit: the OneCycleLR ends after {self.scheduler.total_steps} steps, and training takes {steps}; "
                    f"make it with total_steps={steps}, the number of batches of all epochs"
                )
        bar = tqdm(
            total=epochs * len(self.batches),
            initial=self.epoch * len(self.batches) + self.step,
            unit="step",
            disable=None if progress and "ipykernel" not in sys.modules else not progress,
        )
        with bar, mode(self.model, training=True), self.interrupts:
            try:
                while self.epoch < epochs and not self.stopped():
                    bar.set_description(f"epoch {self.epoch + 1}/{epochs}", refresh=False)
                    self.run_epoch(bar)
                    shown = [name for name in ("loss", "val_loss") if name in self.history]
                    bar.set_postfix({name: f"{self.history[name][-1]:.4g}" for name in shown})
                    if checkpoint is not None:
                        checkpoints.write(self.state(), checkpoint)
                    self.interrupts.check()
            except KeyboardInterrupt:
                self.history.interrupted = True
                bar.set_description(f"interrupted after {self.epoch} epochs and {self.step} steps")
                if checkpoint is not None:
                    checkpoints.write(self.state(), checkpoint)
        if self.stopping is not None and not self.history.interrupted:
            self.stopping.restore(self.model)

    def stopped(self) -> bool:
        """Whether a stopping criterion is met."""
        losses = self.history["loss"][-2:] if self.epoch else []
        flat = self.tol is not None and len(losses) == 2 and abs(losses[1] - losses[0]) < self.tol
        return flat or (self.stopping is not None and self.stopping.over)

    def run_epoch(self, bar: Any) -> None:
        """Take the steps of an epoch that are left, validate, and record."""
        begun = time.perf_counter() - self.seconds
        if not self.totals:
            self.order, self.totals = self.batches.order(), [0.0] * (1 + len(self.metrics))
        while self.step < len(self.batches):
            self.take_step(self.batches.batch(self.step, self.order))
            self.seconds = time.perf_counter() - begun
            bar.update()
            self.interrupts.check()
        found = {} if self.validation is None else measured(self.model, self.loss, self.validation, self.metrics)
        with self.interrupts.held():
            self.end_epoch(found, time.perf_counter() - begun)

    def take_step(self, batch: tuple[Array, ...]) -> None:
        """Learn from a batch, or leave everything as it was."""
        *inputs, target = batch
        buffers = [(module, name, getattr(module, name).copy()) for module, name in self.buffers]
        states = [(generator, generator.bit_generator.state) for generator in self.generators.values()]
        try:
            self.optimizer.zero_grad()
            output = self.model(*inputs)
            loss = self.loss(output, target)
            values = [number(loss)]
            if not math.isfinite(values[0]):
                raise AnomalyError(self.diverged(values[0]))
            if not isinstance(loss, Tensor):
                raise GraphError(
                    f"fit: the loss, {describe(loss)}, does not depend on the parameters, so nothing can be learned; "
                    "compute it from the model's output, and have some parameters require grad"
                )
            loss.backward()
            if self.clip_norm is not None:
                clip_grad_norm_(self.moved, self.clip_norm)
            values += [of_batch(metric, array_of(output), target) for metric in self.metrics.values()]
            with self.interrupts.held():
                self.optimizer.step()
                if self.scheduler is not None and self.per_batch:
                    self.scheduler.step()
                size = target.shape[self.batches.axis]
                self.totals = [total + size * value for total, value in zip(self.totals, values)]
                self.step += 1
        except BaseException:
            for module, name, value in buffers:
                setattr(module, name, value)
            for generator, state in states:
                generator.bit_generator.state = state
            raise

    def diverged(self, value: float) -> str:
        """What to say of a loss that is not finite."""
        broken = [name for name, p in self.model.named_parameters() if not np.isfinite(p.data).all()]
        return (
            f"fit: the loss became {value} in epoch {self.epoch + 1}, step {self.step + 1} of {len(self.batches)}; "
            "that step was not taken"
            + (f", but the step before has left {', '.join(broken)} not finite" if broken else "")
            + ". Try a smaller learning rate, clip_norm=1.0, or standardized data; autograd.detect_anomaly() finds "
            "the operation"
        )

    def end_epoch(self, found: Mapping[str, float], seconds: float) -> None:
        """Record an epoch whose steps are all taken, and let those who watch draw their conclusions."""
        seen = min(self.batches.examples, len(self.batches) * self.batches.batch_size)
        record = dict(zip(["loss", *self.metrics], (total / seen for total in self.totals)))
        record |= {f"val_{name}": value for name, value in found.items()}
        record |= {"lr": self.optimizer.param_groups[0]["lr"], "seconds": seconds}
        self.history.record(record)
        self.epoch += 1
        self.step, self.order, self.totals, self.seconds = 0, None, [], 0.0
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(record.get("val_loss", record["loss"]))
        elif self.scheduler is not None and not self.per_batch:
            self.scheduler.step()
        if self.stopping is not None:
            self.stopping.update(self.epoch, record[self.stopping.monitor], self.model)

    # State

    @cached_property
    def data(self) -> int:
        """A checksum of the examples: those of another split have some that are meant for testing."""
        checksum = 0
        for array in self.batches.arrays:
            checksum = crc32(np.ascontiguousarray(array).data, checksum)
        return checksum

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return {
            **{name: part.state_dict() for name, part in self.learned.items()},
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "early_stopping": None if self.stopping is None else self.stopping.state_dict(),
            "generators": {name: generator.bit_generator.state for name, generator in self.generators.items()},
            "batches": [self.batches.examples, self.batches.batch_size, len(self.batches)],
            "data": self.data,
            "history": self.history.to_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "order": self.order,
            "totals": self.totals,
            "seconds": self.seconds,
        }

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Go to where a checkpoint stands, or leave everything as it is."""
        state, before = checkpoints.read(path), self.state()
        try:
            self.take(state)
        except Exception as error:  # whatever is wrong with it, all of it is put back
            self.take(before)
            raise StateError(
                f"fit: the checkpoint {os.fspath(path)} does not fit this training, which was left as it is: {error}"
            ) from error

    def take(self, state: Mapping[str, Any]) -> None:
        """Go to where a state stands."""
        for what, found, expected in [
            ("random generators", list(state["generators"]), list(self.generators)),
            ("recorded names", list(state["history"]) or self.names(), self.names()),
            ("scheduler", state["scheduler"] is not None, self.scheduler is not None),
            ("early stopping", state["early_stopping"] is not None, self.stopping is not None),
            ("examples, batch size and batches", state["batches"], self.state()["batches"]),
            ("checksum of the examples", state["data"], self.data),
        ]:
            if found != expected:
                raise StateError(f"{what}: {found} in the checkpoint, {expected} here")
        for name, part in self.learned.items():
            part.load_state_dict(state[name])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
            self.scheduler.renew()
        if self.stopping is not None:
            self.stopping.load_state_dict(state["early_stopping"])
        for name, generator in self.generators.items():
            generator.bit_generator.state = state["generators"][name]
        self.history = History(state["history"])
        self.epoch, self.step, self.order = state["epoch"], state["step"], state["order"]
        self.totals, self.seconds = state["totals"], state["seconds"]


class Interrupts:
    """Ctrl-C, noted until the training has come to a place where it can stop."""

    def __init__(self) -> None:
        self.requested = self._held = False
        self._previous: Any = None

    def __enter__(self) -> Interrupts:
        # Only where Ctrl-C would raise KeyboardInterrupt: other handlers are somebody's, and threads get no signals.
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._previous = signal.signal(signal.SIGINT, self.note)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def note(self, number: int, frame: FrameType | None) -> None:
        """Note a Ctrl-C; the second one raises at once, unless an update is under way."""
        if self.requested and not self._held:
            raise KeyboardInterrupt
        self.requested = True

    def check(self) -> None:
        """Raise what was noted."""
        if self.requested:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no Ctrl-C raise inside, where half of a change would be done."""
        self._held = True
        try:
            yield
        finally:
            self._held = False


# What fit, evaluate and predict share


def batches_of(operation: str, data: Data, **options: Any) -> Batches:
    """Return inputs and targets as batches."""
    if not isinstance(data, Batches | tuple | list):
        raise DataError(f"{operation}: data are (inputs, targets), or Batches of them, got {describe(data)}")
    batches = data if isinstance(data, Batches) else Batches(*data, **options)
    if len(batches.arrays) < 2:
        raise DataError(f"{operation}: data are inputs and targets, got one array, {describe(batches.arrays[0])}")
    return batches


def in_order(batches: Batches, model: Module) -> Batches:
    """The same examples, all of them and in order, in the dtype of a model."""
    ordered = Batches(*batches.arrays, batch_size=batches.batch_size, axis=batches.axis)
    return ordered.astype(dtype_of(model))


def measured(model: Module, loss: Loss, batches: Batches, metrics: Metrics) -> dict[str, float]:
    """Return the mean loss of all examples, and the metrics, in evaluation mode."""
    total, outputs = 0.0, []
    with mode(model, training=False), no_grad():
        for *inputs, target in batches:
            output = model(*inputs)
            total += number(loss(output, target)) * target.shape[batches.axis]
            if metrics:
                outputs.append(array_of(output))
    found = {"loss": total / batches.examples}
    if metrics:
        output = np.concatenate(outputs, axis=batches.axis)
        found |= {name: float(metric(output, batches.arrays[-1])) for name, metric in metrics.items()}
    return found


def of_batch(metric: Callable[[Array, Array], Any], output: Array, target: Array) -> float:
    """A metric; NaN of a batch that has none, such as R² where all targets are equal."""
    try:
        return float(metric(output, target))
    except DataError:
        return math.nan


@contextmanager
def mode(model: Module, *, training: bool) -> Iterator[None]:
    """Put a model into training or evaluation for a while; each module then returns to its own mode."""
    before = [(module, module.training) for module in model.modules()]
    try:
        model.train(training)
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


def dtype_of(model: Module) -> Any:
    """The dtype of a model's parameters; float64 if there are none."""
    return next((p.dtype for p in model.parameters()), np.dtype(float))


def generators_of(learned: Mapping[str, Module], batches: Batches) -> dict[str, np.random.Generator]:
    """The generators that training draws from, each once, by the names of all who share it."""
    owners = [
        (f"{name}.{path}" if path else name, module)
        for name, part in learned.items()
        for path, module in part.named_modules()
    ]
    found = [
        (f"{owner}.{name}", value)
        for owner, module in owners
        for name, value in vars(module).items()
        if isinstance(value, np.random.Generator)
    ]
    shared: dict[int, tuple[list[str], np.random.Generator]] = {}
    for name, generator in [*found, ("batches", batches.rng)]:
        shared.setdefault(id(generator.bit_generator), ([], generator))[0].append(name)
    return {" and ".join(names): generator for names, generator in shared.values()}


def number(loss: Any) -> float:
    """The value of a loss, if it is one number."""
    value = loss.data if isinstance(loss, Tensor) else loss
    if np.ndim(value):
        raise ShapeError(f"the loss must be one number, got {describe(loss)}; reduce it to the mean over the batch")
    return float(value)


def array_of(output: Any) -> Array:
    """The value of a model's output."""
    return output.numpy() if isinstance(output, Tensor) else np.asarray(output)
