"""A training step as a program of NumPy calls."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any

import numpy as np

from autograd import Tensor, compiled, enable_grad, is_compiling, value_and_grad
from nn.losses import refuse_no_loss
from nn.module import Module, replaced
from nn.optim import Optimizer
from nn.optim.optimizers import refuse_unmoved
from nn.optim.together import Together

MOST_PROGRAMS = 16
"""How many programs a step has before the one that was made first is dropped. Each has arrays as large as the model."""


def compiled_step(model: Module, loss: Callable[..., Any], optimizer: Optimizer) -> CompiledStep:
    """Make one step of training a program: forward, backward and update, with buffers that are used again.

    It does what ``optimizer.zero_grad(); loss(model(x), y).backward(); optimizer.step()`` does, and costs a fraction of
    it where arrays are small, since nothing is recorded anew.

    Parameters
    ----------
    model : Module
        The network. What is Python in it runs when a program is made, and not again; while one of its modules has a
        hook, as within a `FlowRecorder`, steps are taken without a program, so that hooks see each of them.
    loss : callable
        Of the model's output and the targets, a scalar: ``nn.functional.cross_entropy`` or ``nn.MSELoss()``.
    optimizer : Optimizer
        Moves the parameters; its options, such as ``lr``, may change between steps.

    Returns
    -------
    callable
        Takes inputs and targets as arrays, moves the parameters and returns the loss before that, as a number. The
        gradients stay in the ``grad`` of the parameters until the next step.

    Raises
    ------
    CompileError
        If model or loss look at values; see `autograd.compiled`.
    ValueError
        If the loss has parameters that are not the model's, which would not move, or if the optimizer moves none of the
        model's; in a step, if the model has other parameters than when the step was made.

    Notes
    -----
    Another shape or dtype of inputs, ``train()`` and ``eval()``, freezing or regrouping parameters, and other arrays as
    buffers make new programs. The modules are those that the model has now: make another step after exchanging one.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> rng = np.random.default_rng(0)
    >>> model = nn.MLP([2, 8, 2], activation="tanh", rng=rng)
    >>> x = rng.normal(size=(64, 2)).astype(np.float32)
    >>> labels = (x[:, 0] > x[:, 1]).astype(int)
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    >>> step = nn.compiled_step(model, nn.functional.cross_entropy, optimizer)
    >>> losses = [step(x, labels) for _ in range(100)]
    >>> bool(losses[-1] < 0.3 * losses[0])
    True
    """
    return CompiledStep(model, loss, optimizer)


class CompiledStep:
    """What `compiled_step` returns.

    Attributes
    ----------
    programs : dict
        What computes loss and gradients, and what moves the parameters by them, by what they are good for.
    lock : lock
        Lets one thread take a step at a time.
    """

    def __init__(self, model: Module, loss: Callable[..., Any], optimizer: Optimizer) -> None:
        refuse_no_loss("compiled_step", loss)
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.modules, self.named = [*model.modules()], dict(model.named_parameters())
        self.places = [(module, name, getattr(module, name)) for _, module, name in model._parts("_parameters")]
        read = (model, loss) if isinstance(loss, Module) else (model,)
        self.buffers = [(module, name) for part in read for _, module, name in part._parts("_buffers")]
        self.programs: dict[Any, tuple[Any, Together, list[Any]]] = {}
        self.lock = RLock()
        refuse_unmoved("compiled_step", optimizer, self.named.values())
        if isinstance(loss, Module):
            mine = {id(parameter) for parameter in self.named.values()}
            foreign = [name for name, parameter in loss.named_parameters() if id(parameter) not in mine]
            if foreign:
                raise ValueError(
                    f"compiled_step: the loss {type(loss).__name__} has parameters of its own, {', '.join(foreign)}, "
                    "which would not move; make them part of the model"
                )

    def __call__(self, *batch: Any) -> Any:
        """Take one step: inputs, then what the loss takes after the model's output."""
        with self.lock:
            for module, name, parameter in self.places:
                if getattr(module, name, None) is not parameter:
                    raise ValueError(
                        f"compiled_step: the {name} of {type(module).__name__} is another tensor than when the step "
                        "was made; make another step"
                    )
            key = (
                *[module.training for module in self.modules],
                *[parameter.node is None for parameter in self.named.values()],
                *[id(getattr(module, name)) for module, name in self.buffers],
                *[tuple(group["params"]) for group in self.optimizer.param_groups],
            )
            program = self.programs.get(key)
            if program is None:
                program = self.programs[key] = self.program()
                if len(self.programs) > MOST_PROGRAMS:
                    del self.programs[next(iter(self.programs))]
            loss_and_gradients, together, _ = program
            together.gather()
            hooked = any(module._hooks for module in self.modules)
            try:
                value, _ = loss_and_gradients.itself(batch, {}) if hooked else loss_and_gradients(*batch)
            except BaseException:
                for p in together.gradients:
                    p.grad = None  # where it belongs there may be anything
                raise
            together.step()
            return value

    def program(self) -> tuple[Any, Together, list[Any]]:
        """The compiled function of the parameters that are learned now, the step that they take, and the buffers."""
        buffers = [getattr(module, name) for module, name in self.buffers]  # kept, so that no other array has their ids
        learned = {name: parameter for name, parameter in self.named.items() if parameter.requires_grad}
        together = Together(self.optimizer, learned.values())

        def loss_of(*args: Any) -> Any:
            weights, (x, *targets) = args[: len(learned)], args[len(learned) :]
            with replaced(self.model, dict(zip(learned, weights))):
                return self.loss(self.model(x), *targets)

        gradients_of = value_and_grad(loss_of, tuple(range(len(learned))))

        def compute(*args: Any) -> Any:
            if not is_compiling():
                return self.recorded(together, *args[len(learned) :])
            value, gradients = gradients_of(*args)
            together.still = [p for p, g in zip(learned.values(), gradients) if not isinstance(g, Tensor)]
            return value, [*gradients]

        weights = [*together.values.values()]
        return compiled(compute, out=(None, [*together.gradients.values()]), state=weights), together, buffers

    def recorded(self, together: Together, x: Any, *targets: Any) -> tuple[Any, list[Any]]:
        """Loss and gradients as in the loop, where no program may run: with hooks, or under `detect_anomaly`."""
        for p in together.gradients:
            p.grad = None
        with enable_grad():
            value = self.loss(self.model(x), *targets)
        if isinstance(value, Tensor) and value.requires_grad:
            value.backward()
        together.still = [p for p in together.gradients if p.grad is None]
        gradients = [np.zeros(p.shape) if p.grad is None else p.grad for p in together.gradients]
        return value.data if isinstance(value, Tensor) else value, gradients
