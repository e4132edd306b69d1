"""CS60010, "Multilayer Perceptron, part 2": what the notes say, by hand, against the engine.

The closed forms are plain NumPy or numbers worked out by hand. Weights are (out, in) with examples as columns, as most
of the notes have them, unless a test says otherwise; `nn` has weights (out, in) with examples as rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations, pairwise
from math import comb
from typing import Any

import numpy as np
import pytest

import nn
from autograd import (
    GradcheckError,
    Tensor,
    differentiable,
    elu,
    grad,
    gradcheck,
    graph,
    hessian,
    leaky_relu,
    relu,
    sigmoid,
)
from autograd.view.stepper import Walk
from nn import functional as F  # noqa: N812 - PyTorch's custom
from tests.lectures.by_hand import assert_close, normal, parameter, σ

Array = Any


def logistic_loss(a: Any, y: Any) -> Any:
    """-(y log a + (1 - y) log(1 - a)), of arrays or tensors."""
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


def examples(n: int = 40, seed: int = 0) -> tuple[Array, Array]:
    """Points of two classes that no line separates: x of shape (2, n), y of shape (1, n)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, n))
    noisy = x[:1] - 0.5 * x[1:] + 0.3 + rng.normal(size=(1, n))
    return x, (noisy > 0).astype(float)


def logistic_gradient(w: Array, b: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """The gradient of the mean logistic loss, by hand, for x of shape (features, examples)."""
    error = σ(w @ x + b) - y
    return error @ x.T / x.shape[1], np.mean(error, axis=1, keepdims=True)


class Logistic(nn.Module):
    """z = w x + b with numbers to begin with, for examples as rows."""

    def __init__(self) -> None:
        self.w = nn.Parameter(np.array([[0.5, -1.0]]), dtype=float)
        self.b = nn.Parameter(np.array([0.25]), dtype=float)

    def forward(self, input: Any) -> Any:
        return input @ self.w.T + self.b


# The network


def test_S4_01_units_and_layers() -> None:
    """a_j = g(Σₖ w_jk aₖ + b_j): a graph of numbers and a graph of layers agree, in values and gradients."""
    weights, biases, x = [normal(4, 3), normal(2, 4, seed=1)], [normal(4, seed=2), normal(2, seed=3)], normal(3, seed=4)
    W, b = [parameter(w) for w in weights], [parameter(v) for v in biases]
    a: Any = x
    for w, v in zip(W, b):
        a = sigmoid(w @ a + v)
    np.sum(a * a).backward()

    units = [[[parameter(number) for number in row] for row in w] for w in weights]
    offsets = [[parameter(number) for number in v] for v in biases]
    outputs: list[Any] = list(x)
    for rows, shifts in zip(units, offsets):
        outputs = [sigmoid(sum(w * k for w, k in zip(row, outputs)) + shift) for row, shift in zip(rows, shifts)]
    sum(unit * unit for unit in outputs).backward()

    hidden = σ(weights[0] @ x + biases[0])
    expected = σ(weights[1] @ hidden + biases[1])
    assert_close(a.numpy(), expected)
    assert_close([unit.item() for unit in outputs], expected)
    dz2 = 2 * expected * expected * (1 - expected)
    dz1 = weights[1].T @ dz2 * hidden * (1 - hidden)
    for layer, (dz, below) in enumerate([(dz1, x), (dz2, hidden)]):
        assert_close(W[layer].grad, np.outer(dz, below))
        assert_close(b[layer].grad, dz)
        assert_close([[number.grad for number in row] for row in units[layer]], np.outer(dz, below))
        assert_close([number.grad for number in offsets[layer]], dz)


def test_S4_02_a_cascade_of_blocks() -> None:
    """a_L = h_L ∘ … ∘ h₁(x): Sequential is the composition of its blocks; gradients go through them in reverse."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 5, rng=rng), nn.Tanh(), nn.Linear(5, 2, rng=rng), nn.Sigmoid()).double()
    x = normal(4, 3, seed=1)
    (W1, b1), (W2, b2) = ((model[i].weight.numpy(), model[i].bias.numpy()) for i in (0, 2))
    hidden = np.tanh(x @ W1.T + b1)
    expected = σ(hidden @ W2.T + b2)
    assert_close(model(x).numpy(), expected)
    assert_close(model[2:](model[:2](x)).numpy(), expected)

    inputs = parameter(x)
    np.sum(model(inputs)).backward()
    assert_close(inputs.grad, (expected * (1 - expected)) @ W2 * (1 - hidden**2) @ W1)
    assert [node.module for node in graph(model(x)).nodes if node.op] == [f"Sequential/{block}" for block in range(4)]


def test_S4_03_differentiable_almost_everywhere() -> None:
    """g'(z) exists for almost every z: kinks are single points, where the engine takes one fixed subgradient."""
    z = np.linspace(-3, 3, 601)  # 0 among them
    h = 1e-6
    kinked, smooth = (relu, leaky_relu, np.abs), (elu, sigmoid, np.tanh)
    for g in (*kinked, *smooth):
        one_sided = (g(z + h) - g(z)) / h, (g(z) - g(z - h)) / h
        kinks = z[np.abs(one_sided[0] - one_sided[1]) > 1e-4]
        assert np.round(kinks, 12).tolist() == ([0.0] if g in kinked else [])
        away = z[np.abs(z) > 1e-3]
        assert_close(np.array([grad(g)(number) for number in away]), (g(away + h) - g(away - h)) / (2 * h), 1e-6, 1e-6)

    def step(z: Any) -> Any:
        return (z > 0) * 1.0

    assert (grad(relu)(0.0), grad(np.abs)(0.0), grad(leaky_relu)(0.0)) == (0.0, 0.0, 0.01)
    at_kink = parameter(0.0)
    assert not step(at_kink).requires_grad  # a threshold has derivative 0 wherever it has one: nothing can be learned
    with pytest.raises(GradcheckError, match="on one side"):  # and gradcheck tells a kink from a wrong derivative
        gradcheck(relu, 0.0)


def test_S4_04_information_flows_backwards_from_the_cost() -> None:
    """J(θ) = Σᵢ L(NN(xᵢ), yᵢ): ∂J/∂θ is the sum over the examples, and whatever the cost does not use gets nothing."""
    x, y = examples(6)
    w, b, idle = parameter([[0.5, -1.0]]), parameter([[0.25]]), parameter(1.0)
    J = np.sum(logistic_loss(sigmoid(w @ x + b), y))
    J.backward()
    by_hand = [logistic_gradient(w.numpy(), b.numpy(), x[:, [i]], y[:, [i]]) for i in range(6)]
    assert_close(w.grad, sum(dw for dw, _ in by_hand))
    assert_close(b.grad, sum(db for _, db in by_hand))
    assert idle.grad is None
    assert J.item() == pytest.approx(sum(logistic_loss(σ(w.numpy() @ x + b.numpy()), y).ravel()), rel=1e-12)


def test_S4_05_the_bias_trick() -> None:
    """W x + b = [W b][x; 1]: the same values, and the gradients of W and b are the columns of the gradient of [W b]."""
    W, b, X = parameter(normal(4, 3)), parameter(normal(4, 1, seed=1)), normal(3, 5, seed=2)
    one = np.ones((1, 5))
    upstream = normal(4, 5, seed=3)
    np.sum(upstream * (W @ X + b)).backward()
    assert_close(W.grad, upstream @ X.T)
    assert_close(b.grad, upstream.sum(axis=1, keepdims=True))

    glued = parameter(np.hstack([W.numpy(), b.numpy()]))
    np.sum(upstream * (glued @ np.vstack([X, one]))).backward()
    assert_close(glued.grad, np.hstack([W.grad, b.grad]))

    U, v, A = parameter(W.numpy()), parameter(b.numpy()), parameter(X)  # glued within the graph
    z = np.concatenate([U, v], axis=1) @ np.concatenate([A, one])
    assert_close(z.numpy(), W.numpy() @ X + b.numpy())
    np.sum(upstream * z).backward()
    assert_close(np.hstack([U.grad, v.grad]), glued.grad)
    assert_close(A.grad, W.numpy().T @ upstream)


# Outputs and losses


def test_S4_06_output_activations_and_their_losses() -> None:
    """∂L/∂z = a - y for sigmoid with logistic loss, softmax with cross-entropy, and identity with ½(a - y)²."""
    z = normal(5, 3)
    binary, labels, numbers = (z > 0.2).astype(float), np.array([0, 2, 1, 1, 0]), normal(5, 3, seed=1)
    softmax = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    pairs: list[tuple[Callable[[Any], Any], Array]] = [
        (lambda z: F.binary_cross_entropy(sigmoid(z), binary, reduction="sum"), σ(z) - binary),
        (lambda z: F.binary_cross_entropy_with_logits(z, binary, reduction="sum"), σ(z) - binary),
        (lambda z: F.nll_loss(F.log_softmax(z, 1), labels, reduction="sum"), softmax - np.eye(3)[labels]),
        (lambda z: F.cross_entropy(z, labels, reduction="sum"), softmax - np.eye(3)[labels]),
        (lambda z: F.mse_loss(z, numbers, reduction="sum") / 2, z - numbers),
    ]
    for loss, expected in pairs:
        assert_close(grad(loss)(z), expected)
    with pytest.raises(ValueError, match="for logits use binary_cross_entropy_with_logits"):
        F.binary_cross_entropy(z, binary)  # a loss of probabilities, without the sigmoid
    with pytest.raises(TypeError, match="labels"):
        F.cross_entropy(z, labels.astype(float))  # classes given as numbers, as for a regression
    assert nn.lint(nn.Sequential(nn.Linear(2, 3), nn.Softmax()), F.nll_loss) == [
        "1: Softmax does not fit nll_loss, which takes logarithms of probabilities: end in LogSoftmax"
    ]


def test_S4_07_softmax() -> None:
    """y_c = exp(z_c) / Σ exp(z), of sum 1 and the same for z + constant; ∂y_c/∂z_k = y_c (1[c = k] - y_k)."""
    z = normal(6)
    y = np.exp(z) / sum(np.exp(z))
    assert_close(F.softmax(z), y)
    assert_close(F.softmax(z + 1000), y, 1e-11)  # z + 1000 itself has lost three digits
    assert_close(F.softmax(np.array([1000.0, 0.0, -1000.0])), np.array([1.0, 0.0, 0.0]))
    assert_close(sum(F.softmax(z)), 1.0)

    given = parameter(z)
    out = F.softmax(given)
    rows = []
    for c in range(6):
        given.grad = None
        out[c].backward(retain_graph=True)
        rows.append(given.grad)
    assert_close(np.array(rows), np.diag(y) - np.outer(y, y), atol=1e-16)


def test_S4_08_the_right_class_as_probable_as_possible() -> None:
    """max y_c ≡ max log y_c ≡ min -log y_c = -Σᵢ 1[i = c] log yᵢ: one-hot targets and labels are the same loss."""
    z, c = normal(200, 4), np.arange(200) % 4
    softmax = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    of_right_class = softmax[np.arange(200), c]
    losses = F.cross_entropy(z, c, reduction="none")
    order = np.argsort(of_right_class)
    assert np.all(np.diff(np.log(of_right_class)[order]) > 0)
    assert np.all(np.diff(losses[order]) < 0)
    assert_close(losses, -np.sum(np.eye(4)[c] * np.log(softmax), axis=1))
    assert_close(F.cross_entropy(z, np.eye(4)[c], reduction="none"), losses)
    assert_close(F.nll_loss(np.log(softmax), c, reduction="none"), losses)
    for target in (c, np.eye(4)[c]):
        assert_close(grad(lambda z, target=target: F.cross_entropy(z, target))(z), (softmax - np.eye(4)[c]) / 200)


# Forward and backward


def test_S4_09_the_forward_pass_and_theta() -> None:
    """z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾, a⁽ˡ⁾ = g(z⁽ˡ⁾), y = o(z⁽ᴸ⁾) = f(x, θ), where θ is every W and b and nothing else."""
    sizes = [3, 6, 5, 2]
    model = nn.MLP(sizes, activation="tanh", rng=np.random.default_rng(0)).double()
    θ = {name: p.numpy() for name, p in model.named_parameters()}
    assert list(θ) == ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"]
    assert [θ[f"{2 * layer}.weight"].shape for layer in range(3)] == [(6, 3), (5, 6), (2, 5)]
    assert sum(p.size for p in θ.values()) == sum((n + 1) * m for n, m in pairwise(sizes)) == 71

    x = normal(7, 3, seed=1)
    a = x.T  # the notes' columns
    for layer in range(3):
        z = θ[f"{2 * layer}.weight"] @ a + θ[f"{2 * layer}.bias"][:, np.newaxis]
        a = np.tanh(z) if layer < 2 else z
    assert_close(model(x).numpy(), a.T)
    F.cross_entropy(model(x), np.zeros(7, int)).backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in model.parameters())


def two_layers(y: float = 1.0) -> tuple[dict[str, Tensor], Tensor]:
    """The notes' two-layer network, 2-3-1 with sigmoids, on one column: its tensors by name, and its loss."""
    t = {"x": parameter([[0.5], [-1.5]])}
    t |= {"W1": parameter(normal(3, 2)), "b1": parameter(normal(3, 1, seed=1))}
    t |= {"W2": parameter(normal(1, 3, seed=2)), "b2": parameter(normal(1, 1, seed=3))}
    t["Z1"] = t["W1"] @ t["x"] + t["b1"]
    t["A1"] = sigmoid(t["Z1"])
    t["Z2"] = t["W2"] @ t["A1"] + t["b2"]
    t["A2"] = sigmoid(t["Z2"])
    for name, tensor in t.items():
        tensor.name = name
        tensor.retain_grad()
    loss = np.sum(logistic_loss(t["A2"], y))
    loss.name = "L"
    return t, loss


def test_S4_10_seven_steps_of_error_backpropagation() -> None:
    """L, ∂L/∂A², ∂L/∂Z², ∂L/∂W², ∂L/∂A¹, ∂L/∂Z¹, ∂L/∂W¹: the stepper walks back in exactly this order."""
    tensors, loss = two_layers()
    steps = Walk(graph(loss)).steps
    told = ["".join(word.text for word in step.equation).split(" ")[0] for step in steps if step.phase != "forward"]
    listed = ["∂L/∂L", "∂L/∂A2", "∂L/∂Z2", "∂L/∂W2", "∂L/∂A1", "∂L/∂Z1", "∂L/∂W1"]
    assert [*dict.fromkeys(name for name in told if name in listed)] == listed
    assert told.index("∂L/∂b2") < told.index("∂L/∂W2") < told.index("∂L/∂b1") < told.index("∂L/∂W1")

    loss.backward()
    W2, A1, A2, x = (tensors[name].numpy() for name in ("W2", "A1", "A2", "x"))
    dA2 = -1 / A2  # y = 1
    dZ2 = dA2 * A2 * (1 - A2)
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * A1 * (1 - A1)
    by_hand = {"A2": dA2, "Z2": dZ2, "W2": dZ2 @ A1.T, "A1": dA1, "Z1": dZ1, "W1": dZ1 @ x.T}
    for name, expected in by_hand.items():
        assert_close(tensors[name].grad, expected)


def test_S4_11_the_first_graph() -> None:
    """f = (x + y) z at x = -2, y = 5, z = -4: q = 3, f = -12, ∂f/∂q = -4, ∂f/∂x = -4, ∂f/∂y = -4, ∂f/∂z = 3."""
    x, y, z = (parameter(value, name) for value, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    q = x + y
    q.name = "q"
    q.retain_grad()
    f = q * z
    f.name = "f"
    f.backward()
    assert (q.item(), f.item()) == (3.0, -12.0)
    assert (q.grad, x.grad, y.grad, z.grad) == (-4.0, -4.0, -4.0, 3.0)
    picture = graph(f)
    assert [(node.title, node.value.number, node.gradient.number) for node in picture.nodes if node.gradient] == [
        ("x", -2.0, -4.0),
        ("y", 5.0, -4.0),
        ("z", -4.0, 3.0),
        ("q = +", 3.0, -4.0),
        ("f = ×", -12.0, 1.0),
    ]
    assert picture.svg().startswith("<svg")


def test_S4_12_the_chain_rule() -> None:
    """∂y/∂x = ∂y/∂C · ∂C/∂B · ∂B/∂A · ∂A/∂x: the product of the local derivatives on the edges of a chain."""
    x = parameter(0.7, "x")
    A = x**2
    B = np.sin(A)
    C = np.exp(B)
    y = 1 / C
    for name, tensor in {"A": A, "B": B, "C": C, "y": y}.items():
        tensor.name = name
    by_hand = [-np.exp(-2 * np.sin(0.49)), np.exp(np.sin(0.49)), np.cos(0.49), 1.4]
    edges = [edge for edge in graph(y).edges if edge.local is not None]
    assert_close([edge.local.number for edge in edges if edge.local], by_hand)
    y.backward()
    assert_close(x.grad, np.prod(by_hand))


def test_S4_13_several_paths() -> None:
    """∂z/∂x = ∂z/∂y₁ · ∂y₁/∂x + ∂z/∂y₂ · ∂y₂/∂x: contributions of the two ways through a diamond are added."""
    x = parameter(1.5, "x")
    y1, y2 = np.sin(x), x**3
    z = y1 * y2
    first, second = 1.5**3 * np.cos(1.5), np.sin(1.5) * 3 * 1.5**2
    picture = graph(z)
    arriving = [edge.contribution.number for edge in picture.edges if edge.source == "n0" and edge.contribution]
    assert_close(sorted(arriving), sorted([first, second]))
    z.backward()
    assert_close(x.grad, first + second)


def test_S4_14_upstream_times_local() -> None:
    """∂f/∂x = ∂f/∂q · ∂q/∂x, upstream times local: both, and their product, stand on every edge of the picture."""
    x, y, z = (parameter(value, name) for value, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    q = x + y
    q.name = "q"
    f = q * z
    f.name = "f"
    picture = graph(f)
    titles = {node.id: node.title for node in picture.nodes}
    gradients = {node.id: node.gradient.number for node in picture.nodes if node.gradient}
    by_hand = {("q = +", "f = ×"): -4.0, ("z", "f = ×"): 3.0, ("x", "q = +"): 1.0, ("y", "q = +"): 1.0}
    for edge in picture.edges:
        assert edge.local is not None
        assert edge.contribution is not None
        assert edge.local.number == by_hand.pop((titles[edge.source], titles[edge.target]))
        assert edge.contribution.number == gradients[edge.target] * edge.local.number
    assert not by_hand
    told = ["".join(word.text for word in step.equation) for step in Walk(picture).steps]
    assert "∂f/∂x += −4 × 1 = −4" in told
    roles = {word.role for step in Walk(picture).steps if step.phase == "backward" for word in step.equation}
    assert {"upstream", "local", "contribution"} <= roles


# Logistic regression


def test_S4_15_the_computation_graph_of_logistic_regression() -> None:
    """∂L/∂a = -y/a + (1 - y)/(1 - a), ∂L/∂z = a - y = ∂L/∂b, ∂L/∂w = (a - y) x: forward to the right, and back."""
    for y in (0.0, 1.0):
        w, x, b = parameter([0.5, -1.0], "w"), parameter([2.0, 0.5], "x"), parameter(0.25, "b")
        z = w @ x + b
        a = sigmoid(z)
        loss = logistic_loss(a, y)
        for name, tensor in {"z": z, "a": a, "L": loss}.items():
            tensor.name = name
            tensor.retain_grad()
        picture = graph(loss)
        loss.backward()
        out = σ(0.5 * 2 - 1 * 0.5 + 0.25)
        assert_close(a.grad, -y / out + (1 - y) / (1 - out))
        assert_close(z.grad, out - y)
        assert_close(b.grad, out - y)
        assert_close(w.grad, (out - y) * np.array([2.0, 0.5]))
        assert_close(x.grad, (out - y) * np.array([0.5, -1.0]))

        order = [node.name for node in picture.nodes if node.name]
        assert order == ["w", "x", "b", "z", "a", "L"]
        back = [edge.source for edge in picture.edges]
        position = {node.name: back.index(node.id) for node in picture.nodes if node.name and node.name != "L"}
        assert position["a"] < position["z"] < position["b"] < position["w"]
        drawn = dict(re.findall(r'data-id="(\w+)" transform="translate\(([\d.-]+) ', picture.svg(rankdir="LR")))
        assert all(float(drawn[edge.source]) < float(drawn[edge.target]) for edge in picture.edges)


def test_S4_16_gradient_descent_until_convergence() -> None:
    """Guess, then repeat w := w - η ∂L/∂w, b := b - η ∂L/∂b until convergence: at the minimum the gradient is 0."""
    x, y = examples()
    w, b = parameter(np.zeros((1, 2))), parameter(np.zeros((1, 1)))
    optimizer = nn.optim.SGD([w, b], lr=0.5)
    by_hand = [np.zeros((1, 2)), np.zeros((1, 1))]
    steps, length = 0, np.inf
    while length > 1e-8:
        optimizer.zero_grad()
        np.mean(logistic_loss(sigmoid(w @ x + b), y)).backward()
        length = float(np.hypot(np.linalg.norm(w.grad), np.linalg.norm(b.grad)))
        optimizer.step()
        slopes = logistic_gradient(*by_hand, x, y)
        by_hand = [value - 0.5 * slope for value, slope in zip(by_hand, slopes)]
        steps += 1
        assert steps < 2_000
    assert_close(w.numpy(), by_hand[0], 1e-10)
    assert_close(b.numpy(), by_hand[1], 1e-10)
    assert max(np.abs(slope).max() for slope in logistic_gradient(*by_hand, x, y)) < 1e-8

    model = Logistic()
    history = nn.fit(
        model,
        nn.BCEWithLogitsLoss(),
        nn.optim.SGD(model.parameters(), lr=0.5),
        (x.T, y.T),
        epochs=2_000,
        batch_size=None,
        tol=1e-15,
    )
    assert 2 < len(history["loss"]) < 2_000
    assert abs(history["loss"][-1] - history["loss"][-2]) < 1e-15 <= abs(history["loss"][-2] - history["loss"][-3])
    assert_close(model.w.numpy(), by_hand[0], 1e-5)


def test_S4_17_the_loop_over_the_examples() -> None:
    """dw += dzᵢ xᵢ, db += dzᵢ for i = 1 … n; then dw/n, db/n, w := w - η dw: backward after backward accumulates."""
    x, y = examples(20)
    w, b = parameter([0.5, -1.0]), parameter(0.25)
    dw, db = np.zeros(2), 0.0
    for i in range(20):
        logistic_loss(sigmoid(w @ x[:, i] + b), y[0, i]).backward()
        dz = σ(0.5 * x[0, i] - x[1, i] + 0.25) - y[0, i]
        dw, db = dw + dz * x[:, i], db + dz
        assert_close(w.grad, dw)  # the sum so far
        assert_close(b.grad, db)
    w.grad, b.grad = w.grad / 20, b.grad / 20
    nn.optim.SGD([w, b], lr=0.1).step()
    assert_close(w.numpy(), np.array([0.5, -1.0]) - 0.1 * dw / 20)
    assert_close(b.item(), 0.25 - 0.1 * db / 20)


def test_S4_18_the_vectorized_form() -> None:
    """Z = wᵀX + b, A = σ(Z), dZ = A - Y, dw = (1/n) X dZᵀ, db = (1/n) Σ dz: the loop in a smaller graph."""
    x, y = examples(20)
    w, b = parameter([[0.5], [-1.0]]), parameter(0.25)  # w is a column here, X has examples as columns
    Z = w.T @ x + b
    Z.retain_grad()
    A = sigmoid(Z)
    J = np.mean(logistic_loss(A, y))
    J.backward()
    dZ = σ(0.5 * x[:1] - x[1:] + 0.25) - y
    assert_close(Z.grad, dZ / 20)  # of the mean; the notes divide afterwards
    assert_close(w.grad, x @ dZ.T / 20)
    assert_close(b.grad, np.sum(dZ) / 20)

    u, c = parameter([0.5, -1.0]), parameter(0.25)
    loop = sum(logistic_loss(sigmoid(u @ x[:, i] + c), y[0, i]) for i in range(20)) / 20
    loop.backward()
    assert_close(u.grad, w.grad[:, 0])
    assert_close(c.grad, b.grad)
    assert loop.item() == pytest.approx(J.item(), rel=1e-12)
    assert len(graph(loop).nodes) > 10 * len(graph(J).nodes)

    v, d = parameter([[0.5], [-1.0]]), parameter(0.25)  # the same with examples as rows
    np.mean(logistic_loss(sigmoid(x.T @ v + d), y.T)).backward()
    assert_close(v.grad, w.grad)
    assert_close(d.grad, b.grad)


# Two layers and more


def test_S4_19_six_equations_of_a_two_layer_network() -> None:
    """dz² = a² - y = db², dW² = dz² a¹ᵀ, dz¹ = W²ᵀ dz² ∘ a¹(1 - a¹) = db¹, dW¹ = dz¹ xᵀ.

    The notes write dz² w²ᵀ, which fits the shapes of a single output as a product of columns and numbers; for several
    outputs it is W²ᵀ dz².
    """
    for y in (0.0, 1.0):
        t, loss = two_layers(y)
        loss.backward()
        W2, a1, a2, x = (t[name].numpy() for name in ("W2", "A1", "A2", "x"))
        dz2 = a2 - y
        dz1 = W2.T @ dz2 * a1 * (1 - a1)
        assert_close(t["Z2"].grad, dz2)
        assert_close(t["b2"].grad, dz2)
        assert_close(t["W2"].grad, dz2 @ a1.T)
        assert_close(t["Z1"].grad, dz1)
        assert_close(t["b1"].grad, dz1)
        assert_close(t["W1"].grad, dz1 @ x.T)
        assert_close(t["W1"].grad, (W2.T * dz2 * a1 * (1 - a1)) @ x.T)  # the notes' order of the factors

    V2, W1, y2 = parameter(normal(2, 3)), parameter(normal(3, 2, seed=1)), np.array([[0.0], [1.0]])
    np.sum(logistic_loss(sigmoid(V2 @ sigmoid(W1 @ x)), y2)).backward()
    a1 = σ(W1.numpy() @ x)
    dz2 = σ(V2.numpy() @ a1) - y2
    assert_close(W1.grad, (V2.numpy().T @ dz2 * a1 * (1 - a1)) @ x.T)
    with pytest.raises(ValueError, match="matmul"):
        dz2 @ V2.numpy().T


def test_S4_20_layerwise_derivatives() -> None:
    """y = f(x, w): ∂J/∂x = ∂J/∂y · ∂y/∂x and ∂J/∂w = ∂J/∂y · ∂y/∂w are all that a layer has to know."""

    @differentiable(vjp=(lambda g, x, w, out: w.T @ (g * (1 - out**2)), lambda g, x, out: (g * (1 - out**2)) @ x.T))
    def layer(x: Array, w: Array) -> Array:
        return np.tanh(w @ x)

    x, w, v = normal(3, 4), normal(2, 3, seed=1), normal(5, 2, seed=2)
    assert gradcheck(layer, x, w)
    X, W, V = parameter(x), parameter(w), parameter(v)
    np.sum(np.square(layer(layer(X, W), V))).backward()
    h = np.tanh(w @ x)
    y = np.tanh(v @ h)
    dz2 = 2 * y * (1 - y**2)
    dz1 = v.T @ dz2 * (1 - h**2)
    assert_close(V.grad, dz2 @ h.T)
    assert_close(W.grad, dz1 @ x.T)
    assert_close(X.grad, w.T @ dz1)


def test_S4_21_gradients_start_at_zero_and_are_added_to() -> None:
    """∂J/∂x = 0 at first, then ∂J/∂x += ∂J/∂y · ∂y/∂x for every y that uses x, and for every backward."""
    x = parameter(2.0)
    (x**3 + 5 * x).backward()  # two uses
    assert x.grad == 3 * 2.0**2 + 5 == 17.0
    (4 * x).backward()  # another walk
    assert x.grad == 21.0
    x.zero_grad()
    (4 * x).backward()
    assert x.grad == 4.0
    optimizer = nn.optim.SGD([x], lr=0.1)
    optimizer.zero_grad()
    assert x.grad is None  # not an array of zeros: it was not reached


def test_S4_22_the_other_layout_of_weights() -> None:
    """∂L/∂Wˡ = Aˡ⁻¹ (∂L/∂Zˡ)ᵀ with W of shape (in, out) and Zˡ = Wᵀ A; (out, in) has the transposed gradient."""
    A, upstream = normal(3, 6), normal(4, 6, seed=1)
    given = normal(3, 4, seed=2)
    in_out = parameter(given)
    np.sum(upstream * (in_out.T @ A)).backward()
    assert_close(in_out.grad, A @ upstream.T)
    out_in = parameter(given.T)
    np.sum(upstream * (out_in @ A)).backward()
    assert_close(out_in.grad, upstream @ A.T)
    assert_close(out_in.grad, in_out.grad.T)
    rows = parameter(given.T)  # nn's: (out, in), examples as rows
    np.sum(upstream.T * F.linear(A.T, rows)).backward()
    assert_close(rows.grad, out_in.grad)
    one = parameter(given)  # one example, the outer product of the notes: (n_in x 1)(1 x n_out)
    np.sum(upstream[:, :1] * (one.T @ A[:, :1])).backward()
    assert_close(one.grad, np.outer(A[:, 0], upstream[:, 0]))


# Descent


def test_S4_23_one_dimension_at_a_time() -> None:
    """θ_j := θ_j - η dLoss/dθ_j for one j at a time: the partial derivative is the slope of a cut through the loss."""
    H, c = np.array([[3.0, 1.0, 0.5], [1.0, 2.0, 0.25], [0.5, 0.25, 1.5]]), np.array([1.0, -2.0, 0.5])

    def loss(θ: Any) -> Any:
        return θ @ H @ θ / 2 - c @ θ

    start = np.array([1.0, 1.0, -1.0])
    for j in range(3):
        along = np.eye(3)[j]
        cut = grad(lambda s, along=along: loss(start + s * along))(0.0)
        assert_close(cut, (H @ start - c)[j])

    θ, values = start.copy(), []
    for k in range(300):
        j = k % 3
        θ[j] -= 0.3 * grad(loss)(θ)[j]
        values.append(loss(θ))
    assert np.all(np.diff(values) <= 1e-15)
    assert_close(θ, np.linalg.solve(H, c))


def segment_stays(inside: Callable[[Array], bool], points: Array) -> bool:
    """Whether the segments between points of a set stay within it, as far as nine points on each can tell."""
    chosen = [point for point in points if inside(point)]
    assert len(chosen) > 10
    shares = np.linspace(0.1, 0.9, 9)
    return all(inside(s * p + (1 - s) * q) for p, q in combinations(chosen[:40], 2) for s in shares)


def mean_logistic_loss(w: Any, x: Array, y: Array) -> Any:
    """The mean logistic loss of weights and a bias, in one vector, from logits."""
    return F.binary_cross_entropy_with_logits(w[:-1] @ x + w[-1], y[0])


def product_loss(w: Any) -> Any:
    """A network of two linear units, ŷ = w₂ w₁ x, at x = 1 and y = 1."""
    return (w[0] * w[1] - 1) ** 2


def test_S4_24_convex_sets() -> None:
    """p, q ∈ C ⇒ λp + (1 - λ)q ∈ C: a disc, and all w of small logistic loss; not a ring, nor those of a deeper net."""
    points = normal(400, 2) * 1.5
    x, y = examples()
    assert segment_stays(lambda p: float(np.linalg.norm(p)) <= 1, points)
    assert not segment_stays(lambda p: 0.8 <= float(np.linalg.norm(p)) <= 1.2, points)
    weights = normal(400, 3) * 1.5
    assert segment_stays(lambda w: float(mean_logistic_loss(w, x, y)) <= 0.8, weights)
    assert not segment_stays(lambda w: float(product_loss(w)) <= 0.5, points)  # near (1, 1) and (-1, -1), not between


def test_S4_25_convex_functions() -> None:
    """f(λp + (1 - λ)q) ≤ λf(p) + (1 - λ)f(q); the Hessian of the logistic loss is X̃ diag(a(1 - a)) X̃ᵀ/n ≥ 0."""
    x, y = examples()
    shares = np.linspace(0, 1, 11)

    def excess(f: Callable[[Array], Any], p: Array, q: Array) -> float:
        return max(float(f(s * p + (1 - s) * q)) - s * float(f(p)) - (1 - s) * float(f(q)) for s in shares)

    def f(w: Any) -> Any:
        return mean_logistic_loss(w, x, y)

    pairs = normal(50, 2, 3) * 3
    assert max(excess(f, p, q) for p, q in pairs) < 1e-12
    assert excess(product_loss, np.array([1.0, 1.0]), np.array([-1.0, -1.0])) == pytest.approx(1.0)

    extended = np.vstack([x, np.ones(40)])
    for w, _ in pairs[:5]:
        a = σ(w @ extended)
        found = hessian(f)(w)
        assert_close(found, extended * (a * (1 - a)) @ extended.T / 40, 1e-10)
        assert np.linalg.eigvalsh(found).min() > 0
    assert_close(hessian(product_loss)(np.zeros(2)), np.array([[0.0, -2.0], [-2.0, 0.0]]))  # a saddle: eigenvalues ±2
    assert_close(np.linalg.eigvalsh(hessian(product_loss)(np.zeros(2))), np.array([-2.0, 2.0]))


def test_S4_26_batch_stochastic_and_minibatch() -> None:
    """Batch: all N examples for a gradient; stochastic: one; minibatch: m of them. An epoch meets each once."""
    x, y = np.arange(24.0).reshape(12, 2), np.arange(12)
    for batch_size, sizes in ((None, [12]), (1, [1] * 12), (5, [5, 5, 2])):
        batches = nn.Batches(x, y, batch_size=batch_size, shuffle=True, rng=np.random.default_rng(0))
        epoch = list(batches)
        assert [len(labels) for _, labels in epoch] == sizes
        assert sorted(np.concatenate([labels for _, labels in epoch])) == list(range(12))
        assert all(np.array_equal(inputs, x[labels]) for inputs, labels in epoch)
    columns = list(nn.Batches(x.T, y, batch_size=5, axis=-1))  # examples as columns
    assert [inputs.shape for inputs, _ in columns] == [(2, 5), (2, 5), (2, 2)]


def fitted(batch_size: int | None, epochs: int, decay: Callable[[int], float]) -> tuple[Logistic, nn.History]:
    """Train the logistic regression by `nn.fit`, with learning rates that fall from step to step."""
    x, y = examples(12)
    model = Logistic()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    history = nn.fit(
        model,
        nn.BCEWithLogitsLoss(),
        optimizer,
        nn.Batches(x.T, y.T, batch_size=batch_size, shuffle=True, rng=np.random.default_rng(5)),
        epochs=epochs,
        scheduler=nn.optim.LambdaLR(optimizer, decay),
        scheduler_per_batch=True,
        tol=1e-3,
    )
    return model, history


def descended(batch_size: int, epochs: int, decay: Callable[[int], float]) -> tuple[Array, Array]:
    """The same, by hand: w and b after these epochs."""
    x, y = examples(12)
    w, b, k, rng = np.array([[0.5, -1.0]]), np.array([[0.25]]), 0, np.random.default_rng(5)
    for _ in range(epochs):
        order = rng.permutation(12)
        for start in range(0, 12, batch_size):
            chosen = order[start : start + batch_size]
            dw, db = logistic_gradient(w, b, x[:, chosen], y[:, chosen])
            w, b, k = w - 0.5 * decay(k) * dw, b - 0.5 * decay(k) * db, k + 1
    return w, b[0]


def falling(k: int) -> float:
    """The learning rates ε_k, as shares of the first."""
    return 1 / (1 + k / 10)


def test_S4_27_algorithm_1_batch_gradient_descent() -> None:
    """ĝ = (1/N) ∇ Σᵢ L(f(xᵢ; θ), yᵢ); θ := θ - ε_k ĝ, while the stopping criterion is not met."""
    model, history = fitted(None, 500, falling)
    epochs = len(history["loss"])
    assert 2 < epochs < 500
    losses = history["loss"]
    assert abs(losses[-1] - losses[-2]) < 1e-3 <= abs(losses[-2] - losses[-3])
    w, b = descended(12, epochs, falling)
    assert_close(model.w.numpy(), w)
    assert_close(model.b.numpy(), b)
    assert np.all(np.diff(losses) < 0)


def test_S4_28_algorithm_2_stochastic_gradient_descent() -> None:
    """Sample one (xᵢ, yᵢ); ĝ = ∇ L(f(xᵢ; θ), yᵢ); θ := θ - ε_k ĝ."""
    model, history = fitted(1, 3, falling)
    epochs = len(history["loss"])
    w, b = descended(1, epochs, falling)
    assert_close(model.w.numpy(), w)
    assert_close(model.b.numpy(), b)
    assert not np.allclose(w, descended(12, epochs, falling)[0], rtol=1e-2)


def test_S4_29_algorithm_8_1_minibatch() -> None:
    """Sample m examples; ĝ = (1/m) ∇ Σᵢ L(f(xᵢ; θ), yᵢ); θ := θ - ε_k ĝ."""
    model, history = fitted(4, 3, falling)
    epochs = len(history["loss"])
    w, b = descended(4, epochs, falling)
    assert_close(model.w.numpy(), w)
    assert_close(model.b.numpy(), b)
    assert not np.allclose(w, descended(1, epochs, falling)[0], rtol=1e-2)


def test_S4_30_the_gradient_estimate_is_unbiased() -> None:
    """E[ĝ] = (1/N) ∇ Σᵢ Lᵢ: the mean of ĝ over every set of m examples is the gradient over all of them."""
    x, y = examples(8)
    w = parameter([[0.5, -1.0]])
    full = logistic_gradient(w.numpy(), np.zeros((1, 1)), x, y)[0]
    spreads = []
    for m in (1, 3, 8):
        estimates = []
        for chosen in map(list, combinations(range(8), m)):
            w.grad = None
            np.mean(logistic_loss(sigmoid(w @ x[:, chosen]), y[:, chosen])).backward()
            estimates.append(w.grad)
        assert len(estimates) == comb(8, m)
        assert_close(np.mean(estimates, axis=0), full)
        spreads.append(np.linalg.norm(np.std(estimates, axis=0)))
    assert spreads[0] > spreads[1] > spreads[2] == 0  # a single estimate is off, the less the more examples it has

    epoch = nn.Batches(x, y, batch_size=2, shuffle=True, axis=-1, rng=np.random.default_rng(0))
    estimates = [logistic_gradient(w.numpy(), np.zeros((1, 1)), *batch)[0] for batch in epoch]
    assert_close(np.mean(estimates, axis=0), full)  # sampling without replacement: exact over an epoch
