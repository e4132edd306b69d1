"""Schedulers: the learning rate as a function of the epoch.

A schedule is a closed form of the number of the epoch, so nothing piles up over the epochs. Most schedules are
multiples of a rate, and multiply what they find: several of them on one optimizer, a rate that is set by hand and a
parameter group that is added later work together.
"""

from __future__ import annotations

import copy
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

from autograd import describe
from nn.errors import StateError
from nn.optim.optimizers import Optimizer


class LRScheduler:
    """Base of the schedulers: sets the learning rate of each parameter group, at once and at each `step`.

    A subclass says in `get_lr` what the rates of epoch ``last_epoch`` are. The rate that a group has when its first
    scheduler is made is noted in the group as ``"initial_lr"``.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    last_epoch : int
        The last epoch that is over, where the optimizer has the rates of the next one and says in its groups the
        ``"initial_lr"``: the schedule goes on. By default it begins.

    Attributes
    ----------
    optimizer : Optimizer
        Whose rates are set.
    last_epoch : int
        How often `step` was called.
    base_lrs : list of float
        For each group the rate that the schedule starts from.

    Raises
    ------
    TypeError
        If it is no optimizer.
    ValueError
        If the options of a schedule are out of their ranges.
    KeyError
        If a schedule is to go on and a group does not say where it began.

    Examples
    --------
    A schedule of one's own, η / k at iteration k (CS60010, algorithm 1, leaves its ε_k open):

    >>> from autograd import Tensor
    >>> from nn.optim import SGD, LRScheduler
    >>> class Harmonic(LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / (1 + self.last_epoch) for lr in self.base_lrs]
    >>> optimizer = SGD([Tensor([1.0], requires_grad=True)], lr=0.6)
    >>> scheduler = Harmonic(optimizer)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> optimizer.param_groups[0]["lr"]
    0.19999999999999998
    """

    base_lrs: list[float]
    starts_from: ClassVar[str] = "initial_lr"  # the entry of a group that the schedule starts from
    progress: ClassVar[tuple[str, ...]] = ("last_epoch", "base_lrs", "_last_lr")  # the attributes that change

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(self, optimizer)
        whole(self, -1, last_epoch=last_epoch)
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", group["lr"])
            self._begin(self.starts_from)
        else:
            self._go_on(last_epoch)

    def _go_on(self, last_epoch: int) -> None:
        for number, group in enumerate(self.optimizer.param_groups):
            if "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: to go on after last_epoch={last_epoch} it needs the 'initial_lr' of "
                    f"param_groups[{number}]; load the optimizer's state first, or begin with last_epoch=-1"
                )
        self.last_epoch = last_epoch + 1
        self.base_lrs = [group["initial_lr"] for group in self.optimizer.param_groups]
        self._last_lr = self.get_lr()
        self._follow()
        self._set(self.get_lr())

    def _begin(self, entry: str) -> None:
        self.last_epoch = 0
        self.base_lrs = [group[entry] for group in self.optimizer.param_groups]
        self._set(self.get_lr())

    def _follow(self) -> None:
        """Take account of rates that others have set; without more, they are set anew at the next step."""

    def restart(self) -> None:
        """Begin again, from the initial rates."""
        self._begin("initial_lr")

    def get_lr(self) -> list[float]:
        """Return the rates of epoch ``last_epoch``; each schedule says here how."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr(); define it in the class")

    def _set(self, rates: list[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(
                f"{type(self).__name__} was made for {len(rates)} parameter groups, and the optimizer has "
                f"{len(groups)} now; make a new scheduler after add_param_group()"
            )
        for group, rate in zip(groups, rates):
            group["lr"] = rate
        self._last_lr = rates

    def renew(self) -> None:
        """Set the rates anew, unless others have set some: a state may be of a shorter schedule."""

    def step(self) -> None:
        """Go on to the next epoch; call it after the optimizer's steps of an epoch."""
        self._follow()
        self.last_epoch += 1
        self._set(self.get_lr())

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last, one for each group."""
        return list(self._last_lr)

    def state_dict(self) -> dict[str, Any]:
        """Return how far the schedule has come, as numbers and lists of numbers.

        What the scheduler was made with is not part of it, nor are the optimizer's rates.
        """
        return {name: copy.copy(getattr(self, name)) for name in self.progress}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state dict: the schedule goes on where it was.

        Make the scheduler as before, then load this state and that of the optimizer, in any order.

        Parameters
        ----------
        state : dict
            As `state_dict` returns it.

        Raises
        ------
        StateError
            If it is that of another kind of scheduler or of other groups; nothing is changed then.
        """
        complaint = self._complaint(state)
        if complaint is not None:
            raise StateError(f"the state does not fit {type(self).__name__}, which was left as it is: {complaint}")
        self._take(state)

    def _complaint(self, state: Any) -> str | None:
        """Return what keeps a state dict from being loaded, None if nothing does."""
        names = self.state_dict().keys()
        if not isinstance(state, Mapping) or state.keys() != names:
            got = "a dict of " + ", ".join(map(str, state)) if isinstance(state, Mapping) else describe(state)
            return f"expected a dict of {', '.join(names)}, got {got}"
        for name in self.progress:
            several = isinstance(getattr(self, name), list)
            if (several and not isinstance(state[name], Sequence)) or not all(
                isinstance(number, Real) for number in (state[name] if several else [state[name]])
            ):
                return f"{name} must be {'a list of numbers' if several else 'a number'}, got {describe(state[name])}"
        groups = len(self.optimizer.param_groups)
        for name in ("base_lrs", "_last_lr"):
            if name in state and len(state[name]) != groups:
                return f"{name} is of {len(state[name])} parameter groups, and the optimizer has {groups}"
        return None

    def _take(self, state: Mapping[str, Any]) -> None:
        for name in self.progress:
            setattr(self, name, copy.copy(state[name]))


class Multiple(LRScheduler):
    """Base of the schedules η_t = η_min + (η - η_min) f(t), with a factor f of the epoch; η_min is mostly 0.

    If a rate is not what this schedule has set last, then somebody else has changed it, another scheduler or a hand:
    the schedule then goes on from there, with the η that leads to this rate at this epoch.
    """

    starts_from = "lr"
    eta_min: float = 0.0

    def multiple(self, epoch: int) -> float:
        """Return f(epoch); each schedule says here how."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        factor = self.multiple(self.last_epoch)
        return [self.eta_min + (base - self.eta_min) * factor for base in self.base_lrs]

    def renew(self) -> None:
        if [group["lr"] for group in self.optimizer.param_groups] == self._last_lr:
            self._set(self.get_lr())

    def _follow(self) -> None:
        """Let the rates that others have set be multiples of other rates to start from."""
        rates = [group["lr"] for group in self.optimizer.param_groups]
        factor = self.multiple(self.last_epoch)
        for index, rate in enumerate(rates):
            added = index == len(self.base_lrs)
            if added:
                self.base_lrs.append(rate)
            if (added or rate != self._last_lr[index]) and factor:
                self.base_lrs[index] = self.eta_min + (rate - self.eta_min) / factor


class StepLR(Multiple):
    """Multiplied by γ every so many epochs: η γ^⌊t/step_size⌋.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    step_size : int
        The number of epochs between two drops.
    gamma : float
        γ.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, StepLR
    >>> scheduler = StepLR(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr())
    ...     scheduler.step()
    0.5
    0.5
    0.25
    0.25
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        whole(self, 1, step_size=step_size)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return float(self.gamma ** (epoch // self.step_size))


class MultiStepLR(Multiple):
    """Multiplied by γ at certain epochs.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    milestones : iterable of int
        The epochs.
    gamma : float
        γ.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, MultiStepLR
    >>> scheduler = MultiStepLR(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), [1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr())
    ...     scheduler.step()
    0.5
    0.25
    0.25
    0.125
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return float(self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(Multiple):
    """Multiplied by γ at each epoch: η γᵗ.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    gamma : float
        γ.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, ExponentialLR
    >>> scheduler = ExponentialLR(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), gamma=0.5)
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return float(self.gamma**epoch)


class CosineAnnealingLR(Multiple):
    """Half a wave of the cosine: η_min + (η - η_min) (1 + cos(π t/T_max)) / 2 (Loshchilov and Hutter, 2017).

    After `T_max` epochs the wave rises again.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    T_max : int
        The number of epochs down to η_min.
    eta_min : float
        η_min, the lowest rate.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, CosineAnnealingLR
    >>> scheduler = CosineAnnealingLR(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), T_max=2)
    >>> for _ in range(3):
    ...     print(*scheduler.get_last_lr())
    ...     scheduler.step()
    0.5
    0.25
    0.0
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - as in PyTorch
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        whole(self, 1, T_max=T_max)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2


class LinearLR(Multiple):
    """Warm-up: a factor that goes in a line from `start_factor` to `end_factor`, and stays there.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    start_factor : float
        The factor of epoch 0, above 0 and at most 1.
    end_factor : float
        The factor from epoch `total_iters` on, from 0 to 1.
    total_iters : int
        The number of epochs between them; with 0 it is `end_factor` at once.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, LinearLR
    >>> scheduler = LinearLR(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), start_factor=0.5, total_iters=2)
    >>> for _ in range(4):
    ...     print(*scheduler.get_last_lr())
    ...     scheduler.step()
    0.25
    0.375
    0.5
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        whole(self, 0, total_iters=total_iters)
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(
                "LinearLR: start_factor must be above 0 and at most 1, and end_factor from 0 to 1, "
                f"got {start_factor!r} and {end_factor!r}"
            )
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        done = epoch / self.total_iters if epoch < self.total_iters else 1.0
        return self.start_factor + (self.end_factor - self.start_factor) * done


class ConstantLR(Multiple):
    """A factor for the first epochs, and none afterwards.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    factor : float
        The factor, from 0 to 1.
    total_iters : int
        The number of epochs; there may be none.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, ConstantLR
    >>> scheduler = ConstantLR(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), factor=0.5, total_iters=1)
    >>> for _ in range(2):
    ...     print(*scheduler.get_last_lr())
    ...     scheduler.step()
    0.25
    0.5
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        whole(self, 0, total_iters=total_iters)
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor must be from 0 to 1, got {factor!r}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def multiple(self, epoch: int) -> float:
        return self.factor if epoch < self.total_iters else 1.0


class LambdaLR(LRScheduler):
    """The initial rate times a function of the epoch, whatever the rate is otherwise.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    lr_lambda : callable, or list of callable
        From the epoch to the factor, for all groups or one for each.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, LambdaLR
    >>> scheduler = LambdaLR(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), lambda epoch: 1 / (1 + epoch))
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = per_group(self, optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas)]


class OneCycleLR(LRScheduler):
    """One cycle, up and down, with momentum the other way round (Smith and Topin, 2018); call `step` after each batch.

    The rate rises from ``max_lr / div_factor`` to `max_lr`, and falls to ``max_lr / div_factor / final_div_factor``.
    The momentum, of optimizers that have one (β₁ of Adam's), falls to `base_momentum` and rises to `max_momentum`.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    max_lr : float, or list of float
        The highest rate, of all groups or one for each.
    total_steps : int, optional
        The number of steps of the cycle; or give `epochs` and `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
        Their product is the number of steps.
    pct_start : float
        Which part of the steps rises.
    anneal_strategy : str
        ``"cos"``, half waves of the cosine, or ``"linear"``.
    cycle_momentum : bool
        Whether the momentum moves.
    base_momentum, max_momentum : float, or list of float
        The lowest and the highest momentum, of all groups or one for each.
    div_factor : float
        How much lower the rate starts.
    final_div_factor : float
        How much lower than at the start the rate ends.
    three_phase : bool
        Fall to the first rate as fast as it rose, and then on to the last one.
    last_epoch : int
        See `LRScheduler`.

    Raises
    ------
    ValueError
        If the number of steps or an option is wrong, and by `step` when the cycle is over.

    Notes
    -----
    A call of `step` after the last batch is allowed, and sets the last rate once more.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, OneCycleLR
    >>> optimizer = SGD([Tensor([1.0], requires_grad=True)], momentum=0.9)
    >>> scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=6, pct_start=0.5, anneal_strategy="linear")
    >>> for _ in range(6):
    ...     print(f"{scheduler.get_last_lr()[0]:.4f} {optimizer.param_groups[0]['momentum']:.2f}")
    ...     scheduler.step()
    0.0400 0.95
    0.5200 0.90
    1.0000 0.85
    0.6667 0.88
    0.3333 0.92
    0.0000 0.95
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or both epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        whole(self, 1, total_steps=total_steps)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be from 0 to 1, got {pct_start!r}")
        if not (div_factor > 0 and final_div_factor > 0):
            raise ValueError(
                "OneCycleLR: div_factor and final_div_factor must be positive, "
                f"got {div_factor!r} and {final_div_factor!r}"
            )
        if anneal_strategy not in CURVES:
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}")
        self.total_steps, self.curve = total_steps, CURVES[anneal_strategy]
        self.max_lrs = per_group(self, optimizer, "max_lr", max_lr)
        lows = per_group(self, optimizer, "base_momentum", base_momentum)
        highs = per_group(self, optimizer, "max_momentum", max_momentum)
        named = [name for name in ("betas", "momentum") if name in optimizer.defaults]
        if cycle_momentum and not named:
            raise ValueError(
                f"OneCycleLR: {type(optimizer).__name__} has no momentum to cycle; give cycle_momentum=False"
            )
        self.momentum = named[0] if cycle_momentum else None
        first = [peak / div_factor for peak in self.max_lrs]
        up = pct_start * total_steps - 1
        self.turns = [0.0, up, 2 * up, total_steps - 1] if three_phase else [0.0, up, total_steps - 1]
        self.rates = [
            [start, peak, *[start] * three_phase, start / final_div_factor] for start, peak in zip(first, self.max_lrs)
        ]
        self.momenta = [[high, low, *[high] * three_phase, high] for low, high in zip(lows, highs)]
        if last_epoch == -1:
            for group, start in zip(optimizer.param_groups, first):
                group["initial_lr"] = start
        super().__init__(optimizer, last_epoch)

    def along(self, points: Sequence[float]) -> float:
        """Return where a curve through points at the turns of the cycle is now."""
        phase = next((i for i, turn in enumerate(self.turns[1:]) if self.last_epoch <= turn), len(self.turns) - 2)
        begin, end = self.turns[phase : phase + 2]
        done = min(1.0, (self.last_epoch - begin) / (end - begin)) if end > begin else 1.0
        return self.curve(points[phase], points[phase + 1], done)

    def get_lr(self) -> list[float]:
        return [self.along(points) for points in self.rates]

    def _set(self, rates: list[float]) -> None:
        super()._set(rates)
        for group, points in zip(self.optimizer.param_groups, self.momenta):
            if self.momentum == "betas":
                group["betas"] = (self.along(points), group["betas"][1])
            elif self.momentum == "momentum":
                group["momentum"] = self.along(points)

    def step(self) -> None:
        """Go on to the next batch."""
        if self.last_epoch >= self.total_steps:
            raise ValueError(
                f"OneCycleLR: the cycle of {self.total_steps} steps is over; call step() once for each batch, and make "
                "total_steps the number of batches of all epochs"
            )
        super().step()


class ReduceLROnPlateau(LRScheduler):
    """Multiplied by a factor when a metric, such as the validation loss, has stopped to improve.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    mode : str
        ``"min"`` for a metric that should fall, ``"max"`` for one that should rise.
    factor : float
        What the rates are multiplied by, below 1.
    patience : int
        How many epochs without improvement are let pass.
    threshold : float
        How much better than the best so far counts as improvement.
    threshold_mode : str
        ``"rel"``: in parts of the best; ``"abs"``: as it is.
    cooldown : int
        How many epochs after a drop do not count.
    min_lr : float, or list of float
        The lowest rate, of all groups or one for each.
    eps : float
        A drop that is not larger than this is left out.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, ReduceLROnPlateau
    >>> scheduler = ReduceLROnPlateau(SGD([Tensor([1.0], requires_grad=True)], lr=0.5), factor=0.5, patience=1)
    >>> for loss in [1.0, 0.9, 0.9, 0.9]:
    ...     scheduler.step(loss)
    ...     print(*scheduler.get_last_lr())
    0.5
    0.5
    0.5
    0.25
    """

    progress = (*LRScheduler.progress, "best", "num_bad_epochs", "cooldown_counter")

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                "ReduceLROnPlateau: mode must be 'min' or 'max', and threshold_mode 'rel' or 'abs', "
                f"got {mode!r} and {threshold_mode!r}"
            )
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be at least 0 and below 1, got {factor!r}")
        self.mode, self.factor, self.patience, self.cooldown, self.eps = mode, factor, patience, cooldown, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.min_lr = min_lr
        per_group(self, optimizer, "min_lr", min_lr)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs do not count now, since the rates have dropped."""
        return self.cooldown_counter > 0

    def better(self, metric: float) -> bool:
        """Whether a metric is an improvement; NaN is none."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            bar = self.best * (1 + sign * self.threshold)
        else:
            bar = self.best + sign * self.threshold
        return sign * metric > sign * bar

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Go on to the next epoch, after one that ended with this value of the metric."""
        metric = float(metrics)
        self.last_epoch += 1
        improved = self.better(metric)
        self.best = metric if improved else self.best
        self.num_bad_epochs = 0 if improved else self.num_bad_epochs + 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        rates = self.get_lr()
        if self.num_bad_epochs > self.patience:
            lowest = per_group(self, self.optimizer, "min_lr", self.min_lr)
            lower = [max(rate * self.factor, least) for rate, least in zip(rates, lowest)]
            rates = [new if old - new > self.eps else old for old, new in zip(rates, lower)]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(rates)


class SequentialLR(LRScheduler):
    """One schedule after another, such as a warm-up and then a cosine; each begins from the initial rates.

    Parameters
    ----------
    optimizer : Optimizer
        Whose rates to set.
    schedulers : sequence of LRScheduler
        The schedules, made for the same optimizer; only this scheduler's `step` is called then.
    milestones : sequence of int
        The epochs at which the second and further schedules begin.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD, CosineAnnealingLR, LinearLR, SequentialLR
    >>> optimizer = SGD([Tensor([1.0], requires_grad=True)], lr=0.5)
    >>> warmup = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> scheduler = SequentialLR(optimizer, [warmup, CosineAnnealingLR(optimizer, T_max=2)], milestones=[2])
    >>> for _ in range(5):
    ...     print(*scheduler.get_last_lr())
    ...     scheduler.step()
    0.25
    0.375
    0.5
    0.25
    0.0
    """

    progress = ("last_epoch",)

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]) -> None:
        for scheduler in schedulers:
            if not isinstance(scheduler, LRScheduler) or isinstance(scheduler, ReduceLROnPlateau):
                raise TypeError(f"SequentialLR takes schedulers that need no metric, got {type(scheduler).__name__}")
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: {type(scheduler).__name__} was made for another optimizer")
        if len(milestones) != len(schedulers) - 1 or sorted(set(milestones)) != list(milestones):
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {max(len(schedulers) - 1, 0)} milestones in rising "
                f"order, got {list(milestones)}"
            )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer)

    @property
    def current(self) -> LRScheduler:
        """The scheduler whose turn it is."""
        return self.schedulers[bisect_right(self.milestones, self.last_epoch)]

    def _begin(self, entry: str) -> None:
        self.last_epoch = 0
        self.current.restart()

    def step(self) -> None:
        self.last_epoch += 1
        if self.last_epoch in self.milestones:
            self.current.restart()
        else:
            self.current.step()

    def renew(self) -> None:
        self.current.renew()

    def get_last_lr(self) -> list[float]:
        return self.current.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "_schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def _complaint(self, state: Any) -> str | None:
        found = super()._complaint(state)
        if found is not None:
            return found
        parts = state["_schedulers"]
        if not isinstance(parts, Sequence):
            return f"_schedulers must be a list of states, got {describe(parts)}"
        if len(parts) != len(self.schedulers):
            return f"it is of {len(parts)} schedulers, and here are {len(self.schedulers)}"
        complaints = (scheduler._complaint(part) for scheduler, part in zip(self.schedulers, parts))
        return next((complaint for complaint in complaints if complaint is not None), None)

    def _take(self, state: Mapping[str, Any]) -> None:
        super()._take(state)
        for scheduler, part in zip(self.schedulers, state["_schedulers"]):
            scheduler._take(part)


def cosine(start: float, end: float, done: float) -> float:
    """Return a point of half a wave from start to end."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * done))


def straight(start: float, end: float, done: float) -> float:
    """Return a point of the line from start to end."""
    return start + (end - start) * done


CURVES = {"cos": cosine, "linear": straight}


def checked(scheduler: LRScheduler, optimizer: Any) -> Optimizer:
    """Return the optimizer, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(scheduler).__name__} takes an optimizer of nn.optim, got {describe(optimizer)}")
    return optimizer


def whole(scheduler: LRScheduler, least: int, **options: Any) -> None:
    """Raise if an option is no integer, or a lower one than the least that makes sense."""
    for name, value in options.items():
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{type(scheduler).__name__}: {name} must be an integer from {least} on, got {value!r}")


def per_group(scheduler: LRScheduler, optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """Return an option as a list with an entry for each parameter group."""
    count = len(checked(scheduler, optimizer).param_groups)
    values = list(value) if isinstance(value, Sequence) else [value] * count
    if len(values) != count:
        raise ValueError(
            f"{type(scheduler).__name__}: {name} must be one value or a list of {count}, one for each parameter group, "
            f"got {len(values)}"
        )
    return values
