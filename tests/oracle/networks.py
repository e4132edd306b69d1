"""Losses and layers of neural networks, written in NumPy, with PyTorch's own."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from tests.oracle.pairs import Page, normal, torch

page = Page()
pair, same, alike = page.pair, page.same, page.alike
F = torch.nn.functional

# Losses and layers, written in the functions above

LABELS = np.array([2, 0, 1, 2])
LABELLED = torch.from_numpy(LABELS)


def layer_norm(x: Any, weight: Any, bias: Any) -> Any:
    centered = x - np.mean(x, -1, keepdims=True)
    return centered / np.sqrt(np.var(x, -1, keepdims=True) + 1e-5) * weight + bias


def attention(q: Any, k: Any, v: Any) -> Any:
    return ag.softmax(q @ k.mT / q.shape[-1] ** 0.5) @ v


pair(
    "cross entropy",
    lambda x: -np.mean(ag.log_softmax(x)[np.arange(4), LABELS]),
    lambda x: F.cross_entropy(x, LABELLED),
    normal(4, 3),
)
pair(
    "cross entropy of probabilities",
    lambda x: -np.sum(np.eye(3, dtype=x.dtype)[LABELS] * ag.log_softmax(x)) / 4,
    lambda x: F.cross_entropy(x, F.one_hot(LABELLED).to(x.dtype)),
    normal(4, 3),
)
pair("mse", lambda x, y: np.mean((x - y) ** 2), F.mse_loss, normal(4, 3), normal(4, 3))
pair("l1", lambda x, y: np.mean(abs(x - y)), F.l1_loss, normal(4, 3), normal(4, 3))
pair(
    "binary cross entropy of logits",
    lambda x, y: np.mean(np.logaddexp(0, x) - x * ag.sigmoid(y)),
    lambda x, y: F.binary_cross_entropy_with_logits(x, y.sigmoid()),
    normal(5),
    normal(5),
)
pair(
    "Huber",
    lambda x, y: np.mean(np.where(abs(x - y) < 0.7, (x - y) ** 2 / 2, 0.7 * (abs(x - y) - 0.35))),
    lambda x, y: F.huber_loss(x, y, delta=0.7),
    normal(9),
    normal(9),
)
pair(
    "Kullback-Leibler",
    lambda x, y: np.sum(ag.softmax(y) * (ag.log_softmax(y) - ag.log_softmax(x))),
    lambda x, y: F.kl_div(x.log_softmax(-1), y.log_softmax(-1), reduction="sum", log_target=True),
    normal(2, 4),
    normal(2, 4),
)
pair(
    "cosine similarity",
    lambda x, y: np.vecdot(x, y) / (np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)),
    lambda x, y: F.cosine_similarity(x, y),
    normal(3, 4),
    normal(3, 4),
)
pair("affine", lambda x, w, b: x @ w.T + b, F.linear, normal(4, 3), normal(2, 3), normal(2))
pair("layer norm", layer_norm, lambda x, w, b: F.layer_norm(x, (5,), w, b), normal(2, 3, 5), normal(5), normal(5))
pair("attention", attention, F.scaled_dot_product_attention, normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 3))
pair(
    "perceptron",
    lambda x, w, v: np.tanh(x @ w) @ v,
    lambda x, w, v: (x @ w).tanh() @ v,
    normal(4, 3),
    normal(3, 5),
    normal(5),
)
