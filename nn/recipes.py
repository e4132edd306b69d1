"""The main job on real data: the data sets that scikit-learn ships, networks for them, and their training.

``python -m nn train`` runs it; ``nn/__main__.py`` has the options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn import init, optim
from nn.activations import ReLU
from nn.containers import MLP, Flatten, Sequential
from nn.convolution import Conv2d, MaxPool2d
from nn.data import Standardizer, train_test_split
from nn.history import History
from nn.linear import Linear
from nn.losses import accuracy, cross_entropy, mse_loss, r2_score
from nn.module import Module
from nn.training import evaluate, fit

Array = Any

DATASETS = {
    "digits": "load_digits",
    "breast-cancer": "load_breast_cancer",
    "wine": "load_wine",
    "diabetes": "load_diabetes",
}
OPTIMIZERS: dict[str, tuple[Callable[..., optim.Optimizer], float]] = {
    "sgd": (optim.SGD, 0.1),
    "adagrad": (optim.Adagrad, 0.02),
    "rmsprop": (optim.RMSprop, 0.001),
    "adam": (optim.Adam, 0.002),
    "adamw": (optim.AdamW, 0.002),
}
"""With the learning rate that each has by default here."""
INITIALIZERS = sorted(init.SCHEMES.keys() - {"constant", "sparse", "dirac"})
"""Those that need no further options, and can fill the matrix in which each network ends."""


class Part(NamedTuple):
    """Examples: inputs of shape (n, features) or (n, 1, height, width), and labels (n,) or targets (n, 1)."""

    x: Array
    y: Array


class Task(NamedTuple):
    """What is to be learned.

    Attributes
    ----------
    train, validation, test : Part
        The examples, standardized by those to train on.
    outputs : int
        How many outputs the network has: classes, or 1.
    unit : float
        The deviation of the targets, in which errors of a regression are measured; 0 for classes.
    """

    train: Part
    validation: Part
    test: Part
    outputs: int
    unit: float

    @property
    def loss(self) -> Callable[..., Any]:
        """Cross-entropy for classes, squared error for numbers."""
        return mse_loss if self.unit else cross_entropy

    @property
    def metrics(self) -> dict[str, Callable[[Array, Array], Any]]:
        """The share of right answers for classes, the share of the variance that is explained for numbers."""
        return {"r2": r2_score} if self.unit else {"accuracy": accuracy}

    @property
    def baseline(self) -> float:
        """The metric of a constant answer: the most frequent class, or the mean."""
        return 0.0 if self.unit else float(np.mean(self.test.y == np.bincount(self.train.y).argmax()))


def load(name: str, rng: np.random.Generator, images: bool = False) -> Task:
    """Read a data set: three fifths to train on, a fifth each to validate and to test.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    rng : numpy.random.Generator
        Shuffles the examples before they are divided.
    images : bool
        Whether inputs are pictures for a convolutional network; only digits are.

    Returns
    -------
    Task
        In float32.

    Raises
    ------
    ValueError
        For pictures of something else.
    ImportError
        If there is no scikit-learn.
    """
    if images and name != "digits":
        raise ValueError(
            f"{name} are no pictures, so there is nothing to convolve; choose --model mlp, or --data digits"
        )
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError("the data sets come with scikit-learn; run pip install 'chainrule[demo]'") from error
    x, y = getattr(datasets, DATASETS[name])(return_X_y=True)
    unit = 0.0
    if name == "diabetes":
        y, unit = y[:, np.newaxis], float(np.std(y))
    classes = None if unit else y
    rest_x, test_x, rest_y, test_y = train_test_split(x, y, test_size=0.2, rng=rng, stratify=classes)
    classes = None if unit else rest_y
    train_x, validation_x, train_y, validation_y = train_test_split(
        rest_x, rest_y, test_size=0.25, rng=rng, stratify=classes
    )
    scale = Standardizer().fit(train_x)
    targets = Standardizer().fit(train_y) if unit else None

    def part(x: Array, y: Array) -> Part:
        x = scale.transform(x).astype(np.float32)
        return Part(x.reshape(-1, 1, 8, 8) if images else x, targets.transform(y).astype(np.float32) if targets else y)

    outputs = 1 if unit else int(y.max()) + 1
    return Task(part(train_x, train_y), part(validation_x, validation_y), part(test_x, test_y), outputs, unit)


def network(
    task: Task, kind: str, hidden: Sequence[int], rng: np.random.Generator, scheme: str | None = None, **options: Any
) -> Module:
    """Build a network for a task.

    Parameters
    ----------
    task : Task
        Says how many inputs and outputs there are.
    kind : {"mlp", "conv"}
        A multilayer perceptron, or a small convolutional network for pictures of 8 by 8.
    hidden : sequence of int
        Units of the hidden layers, or channels of the two convolutions.
    rng : numpy.random.Generator
        Where first values and dropout come from.
    scheme : str, optional
        The initializer, of `INITIALIZERS`; by default each layer's own.
    **options
        Of `nn.MLP`.

    Returns
    -------
    Module
        With float32 parameters.

    Raises
    ------
    ValueError
        If a convolutional network does not have two numbers of channels.
    """
    model: Module
    if kind == "mlp":
        model = MLP([task.train.x.shape[1], *hidden, task.outputs], rng=rng, **options)
    elif len(hidden) != 2:
        raise ValueError(f"a convolutional network has two convolutions: give --hidden two numbers, not {len(hidden)}")
    else:
        first, second = hidden
        model = Sequential(
            Conv2d(1, first, 3, padding=1, rng=rng),
            ReLU(),
            MaxPool2d(2),
            Conv2d(first, second, 3, padding=1, rng=rng),
            ReLU(),
            MaxPool2d(2),
            Flatten(),
            Linear(4 * second, task.outputs, rng=rng),
        )
    return model if scheme is None else init.initialize(model, scheme, rng=rng)


def train(
    task: Task,
    model: Module,
    optimizer: optim.Optimizer,
    *,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    checkpoint: str | None = None,
    resume: bool = False,
) -> tuple[History, dict[str, float]]:
    """Train a network and test it.

    The learning rate falls along a cosine. See `nn.fit` for the parameters.

    Returns
    -------
    history : History
        Of the training.
    results : dict of str to float
        Loss and metric on the test examples.
    """
    history = fit(
        model,
        task.loss,
        optimizer,
        task.train,
        epochs=epochs,
        batch_size=batch_size,
        validation=task.validation,
        metrics=task.metrics,
        scheduler=optim.CosineAnnealingLR(optimizer, T_max=epochs),
        checkpoint=checkpoint,
        resume=resume,
        rng=rng,
    )
    return history, evaluate(model, task.loss, task.test, metrics=task.metrics)
