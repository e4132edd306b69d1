"""Neural networks on top of `autograd`: modules, layers, losses, initializers, optimizers, training.

Names, argument orders, defaults and the layout (out, in) of weights are PyTorch's; formulas and their sources stand in
the docstrings. What is random takes a `numpy.random.Generator` as `rng`.

To read it, start with ``module.py``. A layer is a function of arrays and the `Module` that holds its parameters, side
by side in one file; ``functional.py`` lists the functions.
"""

from nn import functional, init, optim, utils
from nn.activations import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nn.compiling import compiled_step
from nn.containers import MLP, Flatten, Identity, Lambda, ModuleList, Sequential, Unflatten
from nn.convolution import AvgPool2d, Conv2d, MaxPool2d
from nn.data import Batches, Standardizer, train_test_split
from nn.dropout import Dropout
from nn.embedding import Embedding
from nn.errors import DataError, StateError
from nn.history import History
from nn.linear import Linear
from nn.lint import lint
from nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    NLLLoss,
    SmoothL1Loss,
    accuracy,
    r2_score,
)
from nn.module import Module, Parameter, functional_call
from nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from nn.summary import summary
from nn.training import EarlyStopping, evaluate, fit, predict
from nn.weights import load, load_metadata, save

__all__ = [
    "ELU",
    "GELU",
    "MLP",
    "SELU",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Batches",
    "Conv2d",
    "CrossEntropyLoss",
    "DataError",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Standardizer",
    "StateError",
    "Tanh",
    "Unflatten",
    "accuracy",
    "compiled_step",
    "evaluate",
    "fit",
    "functional",
    "functional_call",
    "init",
    "lint",
    "load",
    "load_metadata",
    "optim",
    "predict",
    "r2_score",
    "save",
    "summary",
    "train_test_split",
    "utils",
]
