"""The demonstration: ``python -m autograd demo``.

First f = (x + y) z with its graph; then a logistic regression on real data, by gradient descent on Tensors, compared
with scikit-learn's.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from autograd.checks import gradcheck
from autograd.modes import no_grad
from autograd.tensor import Tensor

Array = Any

STRENGTH = 1.0
"""scikit-learn's C: the weight of the data against that of the penalty ‖w‖² / 2."""


class Part(NamedTuple):
    """Cases as rows of 30 features, and their classes as -1 (malignant) and 1 (benign)."""

    features: Array
    signs: Array


def demo() -> None:
    """Print a small graph with its gradients, then fit, report and check a logistic regression."""
    start = time.perf_counter()
    print("f = (x + y) z, its value and its gradients:\n")
    print(small_graph().graph())
    train, test = breast_cancer()
    total = len(train.signs) + len(test.signs)
    print(f"\nLogistic regression on breast cancer: {total} cases, {len(train.signs)} of them to learn from")
    weights, bias = fit(train)
    print(f"accuracy on the other {len(test.signs)}: {accuracy(weights, bias, test):.3f}")
    print(f"largest difference from scikit-learn's coefficients: {difference(weights, bias, train):.1e}")
    gradcheck(lambda w, b: loss(w, b, train), weights.numpy(), bias.numpy())
    print("gradcheck of the loss, first and second order: passed")
    print(f"{time.perf_counter() - start:.1f} s")


def small_graph() -> Tensor:
    """The graph of f = (x + y) z at (-2, 5, -4), walked backward."""
    x = Tensor(-2.0, requires_grad=True, name="x")
    y = Tensor(5.0, requires_grad=True, name="y")
    z = Tensor(-4.0, requires_grad=True, name="z")
    f: Tensor = (x + y) * z
    f.name = "f"
    f.backward()
    return f


def loss(weights: Any, bias: Any, cases: Part) -> Any:
    """The mean logistic loss of the cases and the penalty: scikit-learn's objective, divided by their number."""
    margins = cases.signs * (cases.features @ weights + bias)
    penalty = np.sum(weights * weights) / 2
    return np.mean(np.logaddexp(0, -margins)) + penalty / (STRENGTH * len(cases.signs))


def fit(cases: Part, steps: int = 600) -> tuple[Tensor, Tensor]:
    """Weights and bias of least loss, by gradient descent with Nesterov's momentum.

    The step is 1 / L and the momentum (1 - √q) / (1 + √q) with q = m / L, where the curvature of the loss lies between
    m and L (Nesterov, Introductory Lectures on Convex Optimization, 2004, section 2.2).
    """
    count, features = cases.features.shape
    least = 1 / (STRENGTH * count)
    most = (np.linalg.norm(cases.features, 2) ** 2 + count) / (4 * count) + least
    momentum = (1 - (least / most) ** 0.5) / (1 + (least / most) ** 0.5)
    weights = Tensor(np.zeros(features), requires_grad=True, name="weights")
    bias = Tensor(0.0, requires_grad=True, name="bias")
    velocities = [np.zeros(features), np.float64(0)]
    progress = tqdm(range(steps), desc="gradient descent", unit="step")
    for step in progress:
        weights.grad = bias.grad = None
        value = loss(weights, bias, cases)
        value.backward()
        with no_grad():
            for i, leaf in enumerate((weights, bias)):
                velocities[i] = momentum * velocities[i] + leaf.grad
                leaf -= (leaf.grad + momentum * velocities[i]) / most
        if step % 100 == 99:
            progress.set_postfix(loss=f"{value.item():.6f}")
    return weights, bias


def accuracy(weights: Tensor, bias: Tensor, cases: Part) -> float:
    """The part of the cases whose class is predicted."""
    predicted = cases.features @ weights.numpy() + bias.numpy() > 0
    return float(np.mean(predicted == (cases.signs > 0)))


def breast_cancer() -> tuple[Part, Part]:
    """The data that scikit-learn ships: every fourth case to test, the others to learn from; standardized on those."""
    datasets, _ = scikit_learn()
    data = datasets.load_breast_cancer()
    features, signs = data.data, 2.0 * data.target - 1
    learned = np.arange(len(signs)) % 4 != 0
    features = (features - features[learned].mean(axis=0)) / features[learned].std(axis=0)
    return Part(features[learned], signs[learned]), Part(features[~learned], signs[~learned])


def difference(weights: Tensor, bias: Tensor, cases: Part) -> float:
    """The largest difference between these coefficients and those that scikit-learn finds."""
    _, linear_model = scikit_learn()
    model = linear_model.LogisticRegression(C=STRENGTH, tol=1e-8, max_iter=10_000).fit(cases.features, cases.signs)
    ours = np.append(weights.numpy(), bias.numpy())
    return float(np.abs(np.append(model.coef_, model.intercept_) - ours).max())


def scikit_learn() -> tuple[Any, Any]:
    """The two modules that are needed of scikit-learn, or a word on how to get them."""
    try:
        from sklearn import datasets, linear_model
    except ImportError as error:
        raise ImportError("the demo needs scikit-learn; run pip install 'chainrule[demo]'") from error
    return datasets, linear_model
