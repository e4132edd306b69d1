"""Optimizers: from gradients to the next values of the parameters, in place.

Symbols in the formulas: θ a parameter, g its gradient, η the learning rate ``lr``, λ the ``weight_decay``.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar, NamedTuple

import numpy as np

from autograd import Tensor, describe, enable_grad, no_grad
from nn.errors import StateError

Array = Any
Group = dict[str, Any]


class Range(NamedTuple):
    """What an option may be."""

    words: str
    holds: Callable[[Any], bool]


NOT_NEGATIVE = Range("a number that is not negative", lambda x: isinstance(x, Real) and 0 <= float(x) < math.inf)
FLAG = Range("True or False", lambda x: isinstance(x, bool | np.bool_))
PAIR = Range(
    "two numbers of [0, 1)",
    lambda x: (
        isinstance(x, Sequence | np.ndarray)
        and len(x) == 2
        and all(isinstance(b, Real) and 0 <= float(b) < 1 for b in x)
    ),
)
RANGES = {
    "alpha": Range("a number from 0 to 1", lambda x: isinstance(x, Real) and 0 <= float(x) <= 1),
    "amsgrad": FLAG,
    "betas": PAIR,
    "centered": FLAG,
    "dampening": NOT_NEGATIVE,
    "eps": NOT_NEGATIVE,
    "initial_accumulator_value": NOT_NEGATIVE,
    "lr": NOT_NEGATIVE,
    "lr_decay": NOT_NEGATIVE,
    "maximize": FLAG,
    "momentum": NOT_NEGATIVE,
    "nesterov": FLAG,
    "weight_decay": NOT_NEGATIVE,
}
"""By the name of the option; others are an optimizer's own, and may be anything."""

NOT_OPTIONS = {"params", "param_names", "name", "initial_lr"}
"""What a parameter group may say beside the options of its optimizer."""


class Optimizer:
    """Base of the optimizers: parameters in groups with options, and what is remembered of each parameter.

    A subclass says in `update` how the parameters of a group move, and in `first_state` what it remembers.

    Parameters
    ----------
    params : iterable of Tensor, of (str, Tensor), or of dict
        The parameters: ``model.parameters()``, ``model.named_parameters()``, or groups: dicts with ``"params"`` and
        the options in which the group differs.
    defaults : dict
        The options.

    Attributes
    ----------
    param_groups : list of dict
        All options and ``"params"`` of each group; they may be changed at any time:
        ``optimizer.param_groups[0]["lr"] = 0.1``.
    state : defaultdict of Tensor to dict
        What is remembered of each parameter, by name; empty at first.
    defaults : dict
        The options of groups that do not say otherwise.

    Raises
    ------
    TypeError
        If a parameter is no Tensor, or an option is unknown.
    ValueError
        If there are no parameters, one was computed or given twice, or an option is out of its range.

    Examples
    --------
    An optimizer of one's own, which looks at the sign of the gradient only:

    >>> import numpy as np
    >>> from autograd import Tensor
    >>> from nn.optim import Optimizer
    >>> class SignSGD(Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, {"lr": lr})
    ...     def update(self, group):
    ...         for p, gradient, scratch in self.moving(group):
    ...             np.sign(gradient, out=scratch)
    ...             scratch *= group["lr"]
    ...             p -= scratch
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> w.grad = [30.0, -0.5]
    >>> SignSGD([w]).step()
    >>> w
    Tensor([0.9, 2.1], requires_grad=True)
    """

    decoupled: ClassVar[bool] = False  # whether weight decay is no part of the gradient
    elementwise: ClassVar[bool] = False  # whether each number moves by itself, so that parameters can move as one array

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        self.defaults = plain(defaults)
        self.param_groups: list[Group] = []
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._buffers: dict[tuple[np.dtype[Any], int], Array] = {}
        self._rooms: dict[tuple[Tensor, int], Array] = {}
        params = listed(type(self).__name__, params)
        if not params:
            raise ValueError(
                f"{type(self).__name__} got no parameters; give it model.parameters(), and call that anew each time, "
                "since it can be read only once"
            )
        for group in params if all(isinstance(entry, dict) for entry in params) else [{"params": params}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Let the optimizer move more parameters, such as a layer that was frozen so far.

        Parameters
        ----------
        group : dict
            ``"params"``, a Tensor or iterable as for the optimizer, and options in which the group differs.

        Raises
        ------
        TypeError, ValueError
            As for the optimizer, which is then as it was.
        """
        who = type(self).__name__
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f"{who}: a parameter group is a dict with 'params', got {describe(group)}")
        unknown = [name for name in group if name not in self.defaults and name not in NOT_OPTIONS]
        if unknown:
            raise TypeError(f"{who} has no option {unknown[0]!r}; a group can have {', '.join(self.defaults)}")
        params = group["params"]
        entries = [params] if isinstance(params, Tensor) else listed(who, params)
        unnamed = [entry for entry in entries if not isinstance(entry, tuple) or len(entry) != 2]
        if unnamed and any(isinstance(entry, tuple) for entry in entries):
            raise ValueError(
                f"{who}: the parameters of a group are all without names, or all with names, as (name, parameter); "
                f"got {describe(unnamed[0])}"
            )
        tensors = entries if unnamed else [tensor for _, tensor in entries]
        taken = set(self._parameters())
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{who}: a parameter is a Tensor, got {describe(tensor)}")
            if not tensor.is_leaf:
                raise ValueError(
                    f"{who} cannot learn {describe(tensor)}, which was computed; give it the leaves it was computed "
                    "from, or tensor.detach().requires_grad_()"
                )
            if tensor in taken:
                raise ValueError(f"{who}: the parameter {describe(tensor)} was given twice; give each once")
            taken.add(tensor)
        options = plain({**self.defaults, **group})
        complaint = self.complaint(options)
        if complaint is not None:
            raise ValueError(f"{who}: {complaint}")
        if entries and not unnamed:
            options["param_names"] = [name for name, _ in entries]
        self.param_groups.append({**options, "params": tensors})

    def complaint(self, options: Mapping[str, Any]) -> str | None:
        """Return what is wrong with the options of a group, None if nothing is."""
        for name in self.defaults:
            if name in RANGES and not RANGES[name].holds(options[name]):
                return f"{name} must be {RANGES[name].words}, got {options[name]!r}"
        return None

    def _parameters(self) -> Iterator[Tensor]:
        """Yield the parameters of all groups, in order."""
        yield from (p for group in self.param_groups for p in group["params"])

    # One step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move all parameters that have a gradient; whether it is finite is not looked at.

        Parameters
        ----------
        closure : callable, optional
            Is called first, while operations are recorded: it computes the loss, calls `backward` and returns the loss.

        Returns
        -------
        Tensor or None
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._move()
        return loss

    @np.errstate(all="ignore")  # whether anything is finite is not looked at
    def _move(self) -> None:
        with no_grad():
            for group in self.param_groups:
                self.update(group)

    def update(self, group: Group) -> None:
        """Move the parameters of a group; each optimizer says here how. Nothing is recorded while it runs."""
        raise NotImplementedError(f"{type(self).__name__} has no update(); define it in the class")

    def moving(self, group: Group) -> Iterator[tuple[Any, Array, Array]]:
        """Yield (parameter, g, scratch) for each parameter that has a gradient.

        g is the gradient to go down, which must not be written to: the parameter's own, negated to maximize, plus
        ``weight_decay`` times the parameter. The scratch is an array to write to until the next one is yielded.
        """
        decay = 0 if self.decoupled else group.get("weight_decay", 0)
        maximize = group.get("maximize", False)
        for p in group["params"]:
            gradient = p.grad
            if gradient is None:
                continue
            if isinstance(gradient, Tensor):
                gradient = gradient.data
            scratch = self._room(p, 0)
            if maximize:
                gradient = np.negative(gradient, out=self._room(p, 1))
            if decay:
                np.multiply(p.data, decay, out=scratch)
                gradient = np.add(gradient, scratch, out=self._room(p, 1))
            yield p, gradient, scratch

    def _room(self, p: Tensor, number: int) -> Array:
        """The first or second scratch array of a parameter: all share one piece of memory, which stays in caches."""
        room = self._rooms.get((p, number))
        if room is None:
            buffer = self._buffers.get((p.dtype, number))
            if buffer is None or buffer.size < p.size:
                largest = max(other.size for other in (p, *self._parameters()) if other.dtype == p.dtype)
                buffer = self._buffers[p.dtype, number] = np.empty(largest, p.dtype)
            room = self._rooms[p, number] = buffer[: p.size].reshape(p.shape)
        return room

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Parameters
        ----------
        set_to_none : bool
            Whether they become None. Otherwise those that there are become 0.
        """
        for p in self._parameters():
            p.grad = None if set_to_none or p.grad is None else np.zeros(p.shape, p.dtype)

    # State

    def first_state(self, group: Group) -> dict[str, Any]:
        """Return what is remembered of each parameter, at the beginning: an int, or a float that fills an array."""
        return {}

    def remembered(self, p: Tensor, first: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state of a parameter, with what is missing as `first_state` has it."""
        state = self.state[p]
        if not first.keys() <= state.keys():
            for name, value in first.items():
                state.setdefault(name, value if isinstance(value, int) else np.full(p.shape, value, p.dtype))
        return state

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all that is remembered and all options, in plain dicts.

        Returns
        -------
        dict
            ``"state"``: by the number of the parameter a dict of arrays and numbers; ``"param_groups"``: the options of
            each group, with the numbers of its parameters as ``"params"``.

        Examples
        --------
        >>> from autograd import Tensor
        >>> from nn.optim import SGD
        >>> w = Tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = SGD([w], lr=0.1, momentum=0.9)
        >>> w.grad = [1.0, -1.0]
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': array([ 1., -1.])}}
        >>> optimizer.state_dict()["param_groups"][0]["params"]
        [0]
        """
        numbers = {p: number for number, p in enumerate(self._parameters())}
        return {
            "state": {number: copy.deepcopy(self.state[p]) for p, number in numbers.items() if p in self.state},
            "param_groups": [
                {name: copy.deepcopy(value) for name, value in group.items() if name != "params"}
                | {"params": [numbers[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state dict: training goes on as if it had not stopped.

        Parameters
        ----------
        state : dict
            As `state_dict` returns it, of an optimizer whose groups have the same parameters in the same order.
            Arrays are copied and cast to the dtypes of the parameters. The numbers of parameters may be strings, as
            JSON makes them, and arrays may be tensors, as PyTorch has them. Options that are off by default are off
            where a group lacks them, as in a state that is older than they are.

        Raises
        ------
        StateError
            Listing what is missing, mis-shaped or out of range; the optimizer is then untouched.
        """
        complaints = [*self._unfit(state)]
        if complaints:
            raise StateError(
                f"the state does not fit {type(self).__name__}, which was left as it is\n  " + "\n  ".join(complaints)
            )
        fresh: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for group, p, entry in self._matched(state):
            first = self.first_state(group)
            for name, value in entry.items():
                array = np.asarray(value)
                if isinstance(first.get(name), int):
                    fresh[p][name] = int(array)
                else:  # a number beside arrays is a count of others
                    fresh[p][name] = array.astype(p.dtype) if array.shape == p.shape else array.item()
        self.state = fresh
        for group, loaded in zip(self.param_groups, state["param_groups"]):
            options = {name: value for name, value in loaded.items() if name not in ("params", "param_names")}
            group.update(copy.deepcopy(self._completed(options)))

    def _completed(self, group: Mapping[str, Any]) -> Group:
        """A loaded group with the options that are off by default."""
        return {**{name: value for name, value in self.defaults.items() if value is False}, **group}

    def _matched(self, state: Mapping[str, Any]) -> Iterator[tuple[Group, Tensor, Mapping[str, Any]]]:
        """Yield (options of the loaded group, parameter, what the state remembers of it) for all parameters."""
        entries = {str(number): entry for number, entry in state["state"].items()}
        for group, loaded in zip(self.param_groups, state["param_groups"]):
            for p, number in zip(group["params"], loaded["params"]):
                yield self._completed(loaded), p, entries.get(str(number), {})

    def _unfit(self, state: Mapping[str, Any]) -> Iterator[str]:
        """Yield what keeps a state dict from being loaded."""
        if not is_state(state):
            yield (
                "expected a dict of 'state', dicts by number, and 'param_groups', a list of dicts, "
                f"got {describe(state)}"
            )
            return
        loaded = state["param_groups"]
        sizes = [len(group["params"]) for group in self.param_groups]
        if [len(group.get("params", ())) for group in loaded] != sizes:
            yield (
                f"param_groups: groups of {', '.join(str(len(group.get('params', ()))) for group in loaded)} "
                f"parameters, which must be of {', '.join(map(str, sizes))}"
            )
            return
        for number, group in enumerate(map(self._completed, loaded)):
            missing = [name for name in self.defaults if name not in group]
            complaint = f"{', '.join(missing)} missing" if missing else self.complaint(group)
            if complaint is not None:
                yield f"param_groups[{number}]: {complaint}"
                return
        for group, p, entry in self._matched(state):
            first = self.first_state(group)
            missing = [name for name in first if entry and name not in entry]
            if missing:
                yield f"{', '.join(missing)} of {describe(p)} missing"
            for name, value in entry.items():
                shape = () if isinstance(first.get(name), int) else p.shape
                array = numbers(value)
                if array is None:
                    yield f"{name} of {describe(p)} holds no numbers"
                elif array.shape != shape and (array.shape != () or name in first):
                    yield f"{name} of {describe(p)} has shape {array.shape}, which must be {shape}"

    def __repr__(self) -> str:
        lines = [
            f"  group {number} of {len(group['params'])}: "
            + ", ".join(f"{name}={group[name]!r}" for name in self.defaults)
            for number, group in enumerate(self.param_groups)
        ]
        return f"{type(self).__name__}(\n" + "\n".join(lines) + "\n)"


def listed(who: str, params: Any) -> list[Any]:
    """Return parameters, or groups of them, as a list."""
    if isinstance(params, Tensor | np.ndarray | str | Mapping | set) or not isinstance(params, Iterable):
        raise TypeError(
            f"{who} takes a list of parameters, or an iterable in a definite order such as model.parameters(), "
            f"got {describe(params)}"
        )
    return list(params)


def plain(options: Mapping[str, Any]) -> Group:
    """Return options of which none is a Tensor or an array of no dimension, but its number."""
    return {
        name: value.item() if name in RANGES and isinstance(value, Tensor | np.ndarray) and value.ndim == 0 else value
        for name, value in options.items()
    }


def is_state(state: Any) -> bool:
    """Whether a value is built like a state dict."""
    if not isinstance(state, Mapping) or not {"state", "param_groups"} <= state.keys():
        return False
    entries, groups = state["state"], state["param_groups"]
    return (
        isinstance(entries, Mapping)
        and isinstance(groups, Sequence)
        and all(isinstance(part, Mapping) for part in (*entries.values(), *groups))
        and all(isinstance(group.get("params", ()), Sequence) for group in groups)
    )


def numbers(value: Any) -> Array | None:
    """Return a value as an array of numbers, None if it is none."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        return None
    return array if array.dtype.kind in "fiub" else None


def blend(average: Array, keep: float, value: Array, scratch: Array) -> None:
    """Move a running average: average ← keep · average + (1 - keep) · value. The value may stand in the scratch."""
    np.multiply(value, 1 - keep, out=scratch)
    average *= keep
    average += scratch


def refuse_unmoved(who: str, optimizer: Optimizer, parameters: Iterable[Tensor]) -> None:
    """Raise an error if an optimizer moves none of a model's parameters."""
    if not {p for group in optimizer.param_groups for p in group["params"]}.intersection(parameters):
        raise ValueError(
            f"{who}: the optimizer moves none of the model's parameters; make it from model.parameters(), "
            "after Module.to"
        )


class SGD(Optimizer):
    """Gradient descent, with momentum or without: θ ← θ - η g.

    This is the update of CS230 lecture 3, w := w - α ∂L/∂w; it is batch, minibatch or stochastic gradient descent
    (CS60010, algorithms 1, 8.1 and 2) by the examples that the loss was computed from. With momentum μ a velocity v
    takes the place of g: v ← μ v + (1 - ``dampening``) g, where the first v is g; and by Nesterov g + μ v does.

    Weight decay is the L2 term, which is added to the gradient here, at the update step, and not backpropagated:
    g + λθ. BLG561E adds 2αw for a loss with α‖w‖²: that is λ = 2α.

    Parameters
    ----------
    params : iterable of Tensor, of (str, Tensor), or of dict
        See `Optimizer`.
    lr : float
        η.
    momentum : float
        μ.
    dampening : float
        How much of the gradient does not enter the velocity.
    weight_decay : float
        λ.
    nesterov : bool
        Look ahead along the velocity; needs momentum and no dampening.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import SGD
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    Tensor([0.8, 1.6], requires_grad=True)
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**options, "nesterov": nesterov, "maximize": maximize})

    def complaint(self, options: Mapping[str, Any]) -> str | None:
        found = super().complaint(options)
        if found is None and options["nesterov"] and (not options["momentum"] or options["dampening"]):
            return (
                "nesterov needs a momentum and no dampening, got "
                f"momentum={options['momentum']!r}, dampening={options['dampening']!r}"
            )
        return found

    def first_state(self, group: Group) -> dict[str, Any]:
        return {"momentum_buffer": 0.0} if group["momentum"] else {}

    def update(self, group: Group) -> None:
        lr, momentum, dampening, nesterov = (group[name] for name in ("lr", "momentum", "dampening", "nesterov"))
        first = self.first_state(group)
        for p, gradient, scratch in self.moving(group):
            if momentum:
                undamped = not dampening or not self.state.get(p)
                velocity = self.remembered(p, first)["momentum_buffer"]
                velocity *= momentum
                velocity += gradient if undamped else np.multiply(gradient, 1 - dampening, out=scratch)
                if nesterov:
                    np.multiply(gradient, lr, out=scratch)
                    p -= scratch
                    gradient, scale = velocity, lr * momentum
                else:
                    gradient, scale = velocity, lr
            else:
                scale = lr
            np.multiply(gradient, scale, out=scratch)
            p -= scratch


class Adagrad(Optimizer):
    """A step for each weight that shrinks with the squares of its gradients so far (Duchi, Hazan and Singer, 2011).

    s ← s + g², θ ← θ - η_t g / (√s + ε), where η_t = η / (1 + (t - 1) ``lr_decay``) at step t.

    Parameters
    ----------
    params : iterable of Tensor, of (str, Tensor), or of dict
        See `Optimizer`.
    lr : float
        η.
    lr_decay : float
        How fast the learning rate decays.
    weight_decay : float
        λ of the L2 term λθ that is added to the gradient; see `SGD`.
    initial_accumulator_value : float
        The first s.
    eps : float
        ε, against division by zero.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

    Examples
    --------
    The first step has the length η in each weight:

    >>> from autograd import Tensor
    >>> from nn.optim import Adagrad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> w.grad = [30.0, -0.5]
    >>> Adagrad([w], lr=0.1).step()
    >>> w
    Tensor([0.9, 2.1], requires_grad=True)
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps, "maximize": maximize}
        super().__init__(params, {**options, "initial_accumulator_value": initial_accumulator_value})

    def first_state(self, group: Group) -> dict[str, Any]:
        return {"step": 0, "sum": float(group["initial_accumulator_value"])}

    def update(self, group: Group) -> None:
        first = self.first_state(group)
        for p, gradient, scratch in self.moving(group):
            state = self.remembered(p, first)
            total, rate = state["sum"], group["lr"] / (1 + state["step"] * group["lr_decay"])
            state["step"] += 1
            np.multiply(gradient, gradient, out=scratch)
            total += scratch
            np.sqrt(total, out=scratch)
            scratch += group["eps"]
            np.divide(gradient, scratch, out=scratch)
            scratch *= rate
            p -= scratch


class RMSprop(Optimizer):
    """A step for each weight, divided by the running size of its gradients (Tieleman and Hinton, 2012).

    v ← α v + (1 - α) g², θ ← θ - η g / (√v + ε). Centered, the variance v - m² takes the place of v, where m is the
    running average of g (Graves, 2013). With momentum μ a velocity b ← μ b + g / (√v + ε) takes the place of the
    quotient.

    Where rounding makes the variance negative it counts as 0; PyTorch's square root is NaN there.

    Parameters
    ----------
    params : iterable of Tensor, of (str, Tensor), or of dict
        See `Optimizer`.
    lr : float
        η.
    alpha : float
        How much of the running averages is kept in a step.
    eps : float
        ε, against division by zero.
    weight_decay : float
        λ of the L2 term λθ that is added to the gradient; see `SGD`.
    momentum : float
        μ.
    centered : bool
        Divide by the standard deviation of the gradient.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import RMSprop
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> w.grad = [30.0, -0.5]
    >>> RMSprop([w], lr=0.05, alpha=0.75).step()
    >>> w.round(6)
    Tensor([0.9, 2.1])
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, {**options, "centered": centered, "maximize": maximize})

    def first_state(self, group: Group) -> dict[str, Any]:
        names = ["square_avg", *["momentum_buffer"] * bool(group["momentum"]), *["grad_avg"] * bool(group["centered"])]
        return dict.fromkeys(names, 0.0)

    def update(self, group: Group) -> None:
        first, alpha = self.first_state(group), group["alpha"]
        for p, gradient, scratch in self.moving(group):
            state = self.remembered(p, first)
            square = state["square_avg"]
            np.multiply(gradient, gradient, out=scratch)
            blend(square, alpha, scratch, scratch)
            if group["centered"]:
                mean = state["grad_avg"]
                blend(mean, alpha, gradient, scratch)
                np.multiply(mean, mean, out=scratch)
                np.subtract(square, scratch, out=scratch)
                np.maximum(scratch, 0, out=scratch)
                square = scratch
            np.sqrt(square, out=scratch)
            scratch += group["eps"]
            np.divide(gradient, scratch, out=scratch)
            if group["momentum"]:
                velocity = state["momentum_buffer"]
                velocity *= group["momentum"]
                velocity += scratch
                np.multiply(velocity, group["lr"], out=scratch)
            else:
                scratch *= group["lr"]
            p -= scratch


class Adam(Optimizer):
    """A step for each weight, from running averages of its gradient and of the square (Kingma and Ba, 2015).

    m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², θ ← θ - η m̂ / (√v̂ + ε), where m̂ = m / (1 - β₁ᵗ) and
    v̂ = v / (1 - β₂ᵗ) at step t make up for the averages' beginning at 0. With ``amsgrad`` the largest v so far takes
    the place of v (Reddi, Kale and Kumar, 2018).

    Parameters
    ----------
    params : iterable of Tensor, of (str, Tensor), or of dict
        See `Optimizer`.
    lr : float
        η.
    betas : (float, float)
        β₁ and β₂.
    eps : float
        ε, against division by zero.
    weight_decay : float
        λ of the L2 term λθ that is added to the gradient, and so divided like it; see `SGD`. `AdamW` does not divide.
    amsgrad : bool
        Divide by the largest average so far.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

    Examples
    --------
    The first step has the length η in each weight:

    >>> from autograd import Tensor
    >>> from nn.optim import Adam
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> w.grad = [30.0, -0.5]
    >>> Adam([w], lr=0.1).step()
    >>> w
    Tensor([0.9, 2.1], requires_grad=True)
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "maximize": maximize})

    def first_state(self, group: Group) -> dict[str, Any]:
        names = ["exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * bool(group["amsgrad"])]
        return {"step": 0} | dict.fromkeys(names, 0.0)

    def update(self, group: Group) -> None:
        first, (beta1, beta2) = self.first_state(group), group["betas"]
        for p, gradient, scratch in self.moving(group):
            state = self.remembered(p, first)
            state["step"] += 1
            mean, square = state["exp_avg"], state["exp_avg_sq"]
            blend(mean, beta1, gradient, scratch)
            np.multiply(gradient, gradient, out=scratch)
            blend(square, beta2, scratch, scratch)
            if group["amsgrad"]:
                largest = state["max_exp_avg_sq"]
                np.maximum(largest, square, out=largest)
                square = largest
            # m̂ / (√v̂ + ε) with both corrections taken out of the arrays: a pass less
            correction = math.sqrt(1 - beta2 ** state["step"])
            np.sqrt(square, out=scratch)
            scratch += group["eps"] * correction
            np.divide(mean, scratch, out=scratch)
            scratch *= group["lr"] * correction / (1 - beta1 ** state["step"])
            p -= scratch


class AdamW(Adam):
    """`Adam` whose weight decay is not part of the gradient (Loshchilov and Hutter, 2019).

    θ ← (1 - ηλ) θ comes first, then Adam's step from the gradient alone. For `SGD` both ways are the same; here the
    decay is not divided by the size of the gradients.

    Parameters
    ----------
    params : iterable of Tensor, of (str, Tensor), or of dict
        See `Optimizer`.
    lr : float
        η.
    betas : (float, float)
        β₁ and β₂; see `Adam`.
    eps : float
        ε, against division by zero.
    weight_decay : float
        λ.
    amsgrad : bool
        Divide by the largest average so far.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

    Examples
    --------
    >>> from autograd import Tensor
    >>> from nn.optim import AdamW
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> w.grad = [0.0, -0.5]
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w
    Tensor([0.95, 2.  ], requires_grad=True)
    """

    decoupled = True

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

    def update(self, group: Group) -> None:
        if group["weight_decay"]:
            for p in group["params"]:
                if p.grad is not None:
                    p *= 1 - group["lr"] * group["weight_decay"]
        super().update(group)
