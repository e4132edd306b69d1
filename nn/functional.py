"""Layers, activations and losses as functions, under PyTorch's names."""

from autograd import elu, gelu, leaky_relu, logsigmoid, one_hot, relu, selu, sigmoid, silu
from nn.activations import log_softmax, softmax, softplus, tanh
from nn.dropout import dropout
from nn.embedding import embedding
from nn.linear import linear
from nn.normalization import batch_norm, layer_norm

__all__ = [
    "batch_norm",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "one_hot",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
