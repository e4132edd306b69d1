"""Layers, activations and losses as functions, under PyTorch's names."""

from nn.dropout import dropout
from nn.linear import linear
from nn.normalization import batch_norm, layer_norm

__all__ = [
    "batch_norm",
    "dropout",
    "layer_norm",
    "linear",
]
