"""Advice on networks that run, but cannot be meant as they are written."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from nn.activations import LogSoftmax, ReLU, Sigmoid, Softmax
from nn.containers import Sequential
from nn.convolution import Conv2d
from nn.linear import Linear
from nn.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, NLLLoss, cross_entropy, nll_loss
from nn.losses import binary_cross_entropy as bce
from nn.losses import binary_cross_entropy_with_logits as bce_with_logits
from nn.module import Module
from nn.normalization import BatchNorm

HEADS: dict[Any, tuple[tuple[type[Module], ...], str]] = {
    cross_entropy: ((Softmax, LogSoftmax, Sigmoid, ReLU), "takes logits: leave the last layer out"),
    bce_with_logits: ((Sigmoid, Softmax, LogSoftmax, ReLU), "takes logits: leave the last layer out"),
    nll_loss: ((Softmax, Sigmoid, ReLU), "takes logarithms of probabilities: end in LogSoftmax"),
    bce: ((LogSoftmax, ReLU), "takes probabilities: end in Sigmoid"),
}
"""By loss: last layers that it does not fit, and the cure."""

FUNCTIONS = {CrossEntropyLoss: cross_entropy, BCEWithLogitsLoss: bce_with_logits, NLLLoss: nll_loss, BCELoss: bce}


def lint(model: Module, loss: Callable[..., Any] | None = None) -> list[str]:
    """Say what is probably wrong with a network, and with its loss.

    It looks at layers that follow each other in a `Sequential`: at biases that batch normalization takes away again
    (BLG561E), and at last layers that do not fit the loss (CS60010).

    Parameters
    ----------
    model : Module
        The network.
    loss : callable, optional
        The loss, as a module or a function of `nn.functional`.

    Returns
    -------
    list of str
        A sentence for each finding, with the path of the layer and the cure.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Softmax())
    >>> for advice in nn.lint(model, nn.CrossEntropyLoss()):
    ...     print(advice)
    0: the bias of Linear has no effect before BatchNorm1d, which subtracts the mean; use bias=False
    2: Softmax does not fit cross_entropy, which takes logits: leave the last layer out
    """
    found = []
    for path, module in model.named_modules():
        if not isinstance(module, Sequential):
            continue
        for (name, layer), (_, following) in pairwise(module._children()):
            if isinstance(layer, Linear | Conv2d) and layer.bias is not None and isinstance(following, BatchNorm):
                place = f"{path}.{name}" if path else name
                found.append(
                    f"{place}: the bias of {type(layer).__name__} has no effect before {type(following).__name__}, "
                    "which subtracts the mean; use bias=False"
                )
    function: Any = FUNCTIONS.get(type(loss), loss)
    place, last = "", model
    while isinstance(last, Sequential) and len(last):
        name, last = [*last._children()][-1]
        place = f"{place}.{name}" if place else name
    unfit, cure = HEADS.get(function, ((), ""))
    if isinstance(last, unfit):
        found.append(f"{place or 'model'}: {type(last).__name__} does not fit {function.__name__}, which {cure}")
    return found
