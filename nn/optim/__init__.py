"""Optimizers, which move parameters along their gradients; schedulers of learning rates; clipping of gradients.

Names, arguments, defaults and every step are PyTorch's; the formulas stand in the docstrings.

Examples
--------
>>> import numpy as np
>>> import nn
>>> model = nn.Linear(2, 1, rng=np.random.default_rng(0))
>>> x = np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32)
>>> y = x @ np.array([[1.0], [-2.0]], np.float32) + 3
>>> optimizer = nn.optim.Adam(model.parameters(), lr=0.5)
>>> scheduler = nn.optim.CosineAnnealingLR(optimizer, T_max=100)
>>> for _ in range(100):
...     loss = ((model(x) - y) ** 2).mean()
...     optimizer.zero_grad()
...     loss.backward()
...     norm = nn.utils.clip_grad_norm_(model.parameters(), 5.0)
...     optimizer.step()
...     scheduler.step()
>>> model.weight.data.round(1), model.bias.data.round(1)
(array([[ 1., -2.]], dtype=float32), array([3.], dtype=float32))
"""

from nn.optim import lr_scheduler
from nn.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from nn.optim.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nn.utils import clip_grad_norm, clip_grad_norm_, clip_grad_value, clip_grad_value_

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "Optimizer",
    "RMSprop",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value",
    "clip_grad_value_",
    "lr_scheduler",
]
