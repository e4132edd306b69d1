"""Layers, activations and losses as functions, under PyTorch's names."""

from nn.linear import linear

__all__ = ["linear"]
