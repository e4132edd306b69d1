"""The rows of CS230 lecture 3: logistic regression, its gradients, and how weights begin."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import FlowRecorder, Tensor, gradcheck, graph, jacobian, sigmoid
from nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

# One example, with round numbers: z = 0.3, so that no value is special
W_ROW, X_COLUMN, BIAS = np.array([[0.5, -1.0, 2.0]]), np.array([[1.0], [2.0], [0.8]]), np.array([[0.2]])


def leaf(value: Any, name: str | None = None) -> Tensor:
    return Tensor(value, requires_grad=True, name=name)


def assert_same(found: Any, expected: Any) -> None:
    """Equal shapes, and values equal but for rounding."""
    found = found.numpy() if isinstance(found, Tensor) else np.asarray(found)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=0)


def logistic(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def one_example(y: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The lecture's example as the engine sees it: w, b, z, a and the loss."""
    w, b = leaf(W_ROW, "w"), leaf(BIAS, "b")
    z = w @ X_COLUMN + b
    a = sigmoid(z)
    loss = np.sum(-(y * np.log(a) + (1 - y) * np.log(1 - a)))
    return w, b, z, a, loss


def batch(rng: np.random.Generator, n: int = 4, m: int = 6) -> tuple[Any, ...]:
    """Parameters w (1, n) and b (1, 1), examples as the columns of X (n, m), targets Y (1, m)."""
    w, b, x = rng.normal(size=(1, n)), rng.normal(size=(1, 1)), rng.normal(size=(n, m))
    return w, b, x, rng.integers(0, 2, (1, m)).astype(float)


def test_S0_01_gradient_descent() -> None:
    """w := w - alpha dL/dw and b := b - alpha dL/db, to the last bit."""
    alpha = 0.1
    w, b, _, _, loss = one_example(1.0)
    loss.backward()
    expected = W_ROW - alpha * w.grad, BIAS - alpha * b.grad
    nn.optim.SGD([w, b], lr=alpha).step()
    np.testing.assert_array_equal(w.data, expected[0])
    np.testing.assert_array_equal(b.data, expected[1])
    assert not np.array_equal(w.data, W_ROW)


def test_S0_02_one_example_in_both_orientations() -> None:
    """z = w x + b and yhat = a = sigma(z).

    The notes give x the shape (1, n) and w the shape (n, 1), and multiply w before x. With these shapes it is z = x w
    + b; w x, for w a row and x a column, is what they go on to use. As printed, w x is a matrix of shape (n, n).
    """
    z = 0.5 * 1.0 - 1.0 * 2.0 + 2.0 * 0.8 + 0.2
    rows = leaf(W_ROW) @ X_COLUMN + BIAS
    columns = X_COLUMN.T @ leaf(W_ROW.T) + BIAS
    numbers = leaf(0.5) * 1.0 + leaf(-1.0) * 2.0 + leaf(2.0) * 0.8 + 0.2
    assert_same(rows, [[z]])
    assert_same(columns, [[z]])
    assert_same(numbers, z)
    assert_same(sigmoid(rows), [[1 / (1 + math.exp(-z))]])
    assert (leaf(W_ROW.T) @ X_COLUMN.T).shape == (3, 3)


def test_S0_03_logistic_loss() -> None:
    """L = -(y log yhat + (1 - y) log(1 - yhat))."""
    z = np.array([-3.0, -0.5, 0.25, 4.0])
    a = logistic(z)
    for y in (np.zeros(4), np.ones(4), np.array([0.0, 1.0, 0.3, 1.0])):
        expected = -(y * np.log(a) + (1 - y) * np.log(1 - a))
        assert_same(binary_cross_entropy(leaf(a), y, reduction="none"), expected)
        assert_same(binary_cross_entropy_with_logits(leaf(z), y, reduction="none"), expected)
    # Where sigma(z) is 1 or 0 in floating point, only the loss of logits is still right: it is |z|.
    assert logistic(800.0) == 1.0
    assert_same(binary_cross_entropy_with_logits(leaf([800.0, -800.0]), [0, 1], reduction="none"), [800.0, 800.0])


def test_S0_04_upstream_times_local() -> None:
    """dL/dz = dL/da * da/dz."""
    y, z = 1.0, leaf(0.3, "z")
    a = sigmoid(z)
    a.name = "a"
    picture = graph(-(y * np.log(a) + (1 - y) * np.log(1 - a)))
    nodes = {node.name: node for node in picture.nodes}
    (edge,) = (edge for edge in picture.edges if edge.source == nodes["z"].id)
    value = logistic(0.3)
    upstream, local = -1 / value, value * (1 - value)
    assert_same(nodes["a"].gradient.number, upstream)
    assert_same(edge.local.number, local)
    assert_same(edge.contribution.number, upstream * local)
    assert_same(nodes["z"].gradient.number, upstream * local)


def test_S0_05_local_gradient_of_the_sum() -> None:
    """dz/dw_k = x_k for z = sum_i w_i x_i + b."""
    w, x, b = leaf(W_ROW[0], "w"), X_COLUMN[:, 0], 0.2
    assert_same(jacobian(lambda w: w @ x + b)(W_ROW[0]), x)
    picture = graph(np.sum(w * x) + b)
    (edge,) = (edge for edge in picture.edges if edge.source == picture.nodes[0].id)
    assert picture.nodes[0].name == "w"
    assert_same(edge.local.cells, x[np.newaxis])
    dot = graph(w @ x + b)  # the factor is the other argument there too; upstream is 1
    (edge,) = (edge for edge in dot.edges if edge.source == dot.nodes[0].id)
    assert_same(edge.contribution.cells, x[np.newaxis])


@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_S0_06_gradient_at_the_activation(y: float) -> None:
    """dL/da = -(y / a - (1 - y) / (1 - a))."""
    _, _, _, a, loss = one_example(y)
    a.retain_grad()
    loss.backward()
    value = logistic(0.3)
    assert_same(a.grad, [[-(y / value - (1 - y) / (1 - value))]])


def test_S0_07_slope_of_the_sigmoid() -> None:
    """sigma'(z) = a (1 - a), at most 1/4, at z = 0."""
    z = leaf(np.linspace(-6, 6, 25))
    a = sigmoid(z)
    a.backward(np.ones(25))
    e = np.exp(-z.data)
    assert_same(z.grad, e / (1 + e) ** 2)
    assert_same(z.grad, logistic(z.data) * (1 - logistic(z.data)))
    assert z.grad.max() == z.grad[12] == 0.25
    assert z.data[12] == 0
    assert gradcheck(sigmoid, z.data)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_S0_08_boxed_result(y: float) -> None:
    """dL/dz = a - y."""
    _, _, z, _, loss = one_example(y)
    z.retain_grad()
    loss.backward()
    assert_same(z.grad, [[logistic(0.3) - y]])
    saturated = leaf([40.0, 800.0, -800.0])
    binary_cross_entropy_with_logits(saturated, np.full(3, y), reduction="sum").backward()
    np.testing.assert_array_equal(saturated.grad, np.array([1.0, 1.0, 0.0]) - y)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_S0_09_gradients_of_the_parameters(y: float) -> None:
    """dL/dw = (a - y) x^T and dL/db = (a - y) * 1."""
    w, b, _, _, loss = one_example(y)
    loss.backward()
    error = logistic(0.3) - y
    assert_same(w.grad, [[error * 1.0, error * 2.0, error * 0.8]])
    assert_same(b.grad, [[error]])


def test_S0_10_one_step() -> None:
    """w := w - alpha (a - y) x^T and b := b - alpha (a - y) * 1."""
    alpha, y = 0.5, 1.0
    w, b, _, _, loss = one_example(y)
    loss.backward()
    nn.optim.SGD([w, b], lr=alpha).step()
    error = logistic(0.3) - y
    assert_same(w, W_ROW - alpha * error * X_COLUMN.T)
    assert_same(b, BIAS - alpha * error)
    assert binary_cross_entropy(sigmoid(w @ X_COLUMN + b), [[y]]).item() < loss.item()


def test_S0_11_bias_broadcasts_and_its_gradient_sums() -> None:
    """Z = w X + b with X (n, m) and b (1, 1): b goes to (1, m), and its gradient is a sum over the m."""
    rng = np.random.default_rng(0)
    weights, bias, x, _ = batch(rng)
    w, b = leaf(weights), leaf(bias)
    z = w @ x + b
    assert_same(z, [[sum(weights[0, k] * x[k, i] for k in range(4)) + bias[0, 0] for i in range(6)]])
    upstream = rng.normal(size=(1, 6))
    z.backward(upstream)
    assert_same(b.grad, [[sum(upstream[0])]])
    assert_same(w.grad, upstream @ x.T)
    # The same with examples as rows, as `nn.Linear` has them
    w, b = leaf(weights), leaf(bias[0])
    z = nn.functional.linear(x.T, w, b)
    z.backward(upstream.T)
    assert_same(z.numpy().T, weights @ x + bias)
    assert_same(b.grad, [sum(upstream[0])])
    assert_same(w.grad, upstream @ x.T)


def test_S0_12_cost_is_the_mean_loss() -> None:
    """J = (1/m) sum_i L^(i), the binary cross-entropy."""
    weights, bias, x, y = batch(np.random.default_rng(1))
    losses = []
    for i in range(6):
        a = logistic(sum(weights[0, k] * x[k, i] for k in range(4)) + bias[0, 0])
        losses.append(-math.log(a) if y[0, i] else -math.log(1 - a))
    z = leaf(weights) @ x + bias
    assert_same(binary_cross_entropy(sigmoid(z), y), sum(losses) / 6)
    assert_same(binary_cross_entropy_with_logits(z, y), sum(losses) / 6)
    assert_same(binary_cross_entropy_with_logits(z, y, reduction="none"), [losses])


def test_S0_13_gradient_of_the_weights_over_a_batch() -> None:
    """dJ/dw_k = (1/m) sum_i (a^(i) - y^(i)) x_k^(i), as a matrix (1/m) (A - Y) X^T.

    The first two lines of the derivation in the notes are (1/m) sum_i y dlog(a)/dw_k + (1 - y) dlog(1 - a)/dw_k,
    without the minus of the loss: they give the opposite of dJ/dw_k. The third line has it right again.
    """
    weights, bias, x, y = batch(np.random.default_rng(2))
    w = leaf(weights)
    a = sigmoid(w @ x + bias)
    binary_cross_entropy(a, y).backward()
    values = logistic(weights @ x + bias)
    loop = np.zeros((1, 4))
    printed = np.zeros((1, 4))
    for i, k in product(range(6), range(4)):
        loop[0, k] += (values[0, i] - y[0, i]) * x[k, i] / 6
        slope = values[0, i] * (1 - values[0, i]) * x[k, i]  # of a by w_k
        printed[0, k] += (y[0, i] / values[0, i] - (1 - y[0, i]) / (1 - values[0, i])) * slope / 6
    assert_same(w.grad, loop)
    assert_same(w.grad, (values - y) @ x.T / 6)
    assert_same(w.grad, -printed)


def test_S0_14_gradient_of_the_bias_over_a_batch() -> None:
    """dJ/db = (1/m) (A - Y) 1, with a column of m ones."""
    weights, bias, x, y = batch(np.random.default_rng(3))
    b = leaf(bias)
    binary_cross_entropy_with_logits(weights @ x + b, y).backward()
    difference = logistic(weights @ x + bias) - y
    assert_same(b.grad, difference @ np.ones((6, 1)) / 6)
    assert_same(b.grad, [[sum(difference[0]) / 6]])


def test_S0_15_which_part_of_the_input() -> None:
    """dL/dx, with an element dL/dx_ij for each pixel: W1^T (W2^T (a - y) * (1 - h^2))."""
    rng = np.random.default_rng(4)
    model = nn.Sequential(nn.Flatten(), nn.MLP([9, 5, 1], "tanh", dtype=np.float64, rng=rng))
    for parameter in model.parameters():
        parameter.requires_grad = False
    image = leaf(rng.normal(size=(1, 3, 3)))
    binary_cross_entropy_with_logits(model(image), [[1.0]]).backward()
    w1, b1, w2, b2 = (parameter.data for parameter in model.parameters())
    h = np.tanh(w1 @ image.data.reshape(9, 1) + b1[:, np.newaxis])
    error = logistic(w2 @ h + b2[:, np.newaxis]) - 1
    assert_same(image.grad, (w1.T @ (w2.T @ error * (1 - h**2))).reshape(1, 3, 3))
    assert all(parameter.grad is None for parameter in model.parameters())
    # A pixel that no unit looks at has led to nothing.
    model[1][0].weight.data[:, 4] = 0
    image.grad = None
    binary_cross_entropy_with_logits(model(image), [[1.0]]).backward()
    assert image.grad[0, 1, 1] == 0
    assert np.count_nonzero(image.grad) == 8


def test_S0_16_impact_of_shifting_the_input() -> None:
    """L(x + delta e_k) - L(x) = delta dL/dx_k + delta^2 w_k^2 a (1 - a) / 2 + ..., with dL/dx = w^T (a - y)."""
    x, y = leaf(X_COLUMN), [[1.0]]
    binary_cross_entropy_with_logits(W_ROW @ x + BIAS, y).backward()
    a = logistic(0.3)
    assert_same(x.grad, W_ROW.T * (a - 1))

    def loss(k: int, delta: float) -> float:
        return -math.log(logistic(0.3 + W_ROW[0, k] * delta))

    for k in range(3):
        for delta in (1e-2, -1e-2, 1e-3):
            impact = loss(k, delta) - loss(k, 0.0)
            assert impact == pytest.approx(delta * x.grad[k, 0], rel=2 * abs(delta))  # a straight line, near by
            curvature = W_ROW[0, k] ** 2 * a * (1 - a)
            assert impact - delta * x.grad[k, 0] == pytest.approx(delta**2 * curvature / 2, rel=0.01)


def test_S0_17_forward_through_all_layers() -> None:
    """z[l] = W[l] a[l-1] + b[l] and a[l] = g[l](z[l]), each layer with a g of its own."""
    rng = np.random.default_rng(5)
    model = nn.MLP([4, 5, 3, 2], ["relu", "tanh", "sigmoid"], dtype=np.float64, rng=rng)
    parameters = [parameter.data for parameter in model.parameters()]
    x = rng.normal(size=(4, 7))  # the notes' layout: an example is a column
    a = x
    activations = (lambda z: np.where(z > 0, z, 0), np.tanh, logistic)
    for w, b, g in zip(parameters[::2], parameters[1::2], activations, strict=True):
        a = g(w @ a + b[:, np.newaxis])
    assert [w.shape for w in parameters[::2]] == [(5, 4), (3, 5), (2, 3)]
    assert_same(model(x.T), a.T)  # in `nn` it is a row


def deep(scale: float, layers: int = 6, n: int = 100, activation: str | None = "tanh") -> tuple[Any, Any, FlowRecorder]:
    """A network with weights from N(0, scale^2 / n), a batch of inputs, and the record of one step with loss = sum."""
    rng = np.random.default_rng(6)
    model = nn.MLP([n] * (layers + 1), [activation] * layers, bias=False, dtype=np.float64)
    nn.init.initialize(model, "sigmoid", c=scale**2, rng=rng)
    x = rng.normal(size=(50, n))
    with FlowRecorder(model) as flow:
        model(x).sum().backward()
    return model, x, flow


def test_S0_18_neither_too_high_nor_too_low() -> None:
    """The report: spread of a[l], share with |a| > 0.97, root mean square of dL/dW[l], for each layer."""
    shares, spreads, gradients = {}, {}, {}
    for scale in (0.1, 1.0, 10.0):
        model, x, flow = deep(scale)
        weights = [parameter.data for parameter in model.parameters()]
        a, activations = x, [x]
        for w in weights:
            a = np.tanh(a @ w.T)
            activations.append(a)
        upstream = np.ones_like(a)
        slopes = []
        for w, after, before in zip(weights[::-1], activations[:0:-1], activations[-2::-1], strict=True):
            dz = upstream * (1 - after**2)
            slopes.append(dz.T @ before)
            upstream = dz @ w
        for layer, a, slope in zip(range(6), activations[1:], slopes[::-1]):
            tanh, linear = flow.records[f"{2 * layer + 1}"], flow.records[f"{2 * layer}"]
            assert tanh.spread[0] == pytest.approx(np.std(a), rel=1e-12)
            assert tanh.saturated[0] == pytest.approx(np.mean(np.abs(a) > 0.97), rel=1e-12)
            assert linear.weight_gradient[0] == pytest.approx(np.sqrt(np.mean(slope**2)), rel=1e-11)
        shares[scale], spreads[scale] = tanh.saturated[0], tanh.spread[0]
        gradients[scale] = flow.records["0"].weight_gradient[0] / flow.records["10"].weight_gradient[0]
    assert spreads[0.1] < 1e-5 < 0.1 < spreads[1.0] < 0.5 < spreads[10.0]
    assert shares[0.1] == shares[1.0] == 0
    assert shares[10.0] > 0.8
    assert 0.3 < gradients[1.0] < 3
    assert gradients[10.0] > 50


XOR = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def test_S0_19_symmetry_is_never_broken() -> None:
    """h_1 = ... = h_n stays so: n equal units are one unit, whose loss on XOR is at least 3/4 H(1/3) = 0.477.

    One unit is monotone along one direction. The best that a monotone function of the four corners can do is to get one
    right and to give the three others the probability 2/3 or 1/3.
    """
    losses = {}
    for scheme, options in (("constant", {"val": 0.5}), ("xavier_normal", {"gain": 2.0})):
        model = nn.MLP([2, 4, 1], "tanh", dtype=np.float64)
        nn.init.initialize(model, scheme, rng=np.random.default_rng(0), **options)
        optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(300):
            optimizer.zero_grad()
            loss = binary_cross_entropy_with_logits(model(XOR[0]), XOR[1])
            loss.backward()
            optimizer.step()
        losses[scheme] = loss.item()
        different = len(np.unique(model[0].weight.data.round(9), axis=0))
        assert different == (1 if scheme == "constant" else 4)
        if scheme == "constant":
            w, b, v, c = (parameter.data for parameter in model.parameters())
            one_unit = np.tanh(XOR[0] @ w[:1].T + b[0]) * v.sum() + c
            assert_same(model(XOR[0]), one_unit)
    bound = 3 / 4 * -(math.log(1 / 3) / 3 + math.log(2 / 3) * 2 / 3)
    assert bound == pytest.approx(0.477, abs=5e-4)
    assert losses["constant"] >= bound
    assert losses["xavier_normal"] < 0.1


def test_S0_20_weights_for_tanh() -> None:
    """W[l] = randn(shape) * sqrt(1/n[l-1]), that is N(0, sigma^2 = 1/n[l-1]), and b[l] = 0."""
    shape, n = (300, 400), 400
    weight = nn.init.lecun_normal_(nn.Parameter(np.zeros(shape)), rng=np.random.default_rng(7))
    assert_same(weight, np.random.default_rng(7).standard_normal(shape) * np.sqrt(1 / n))
    size = weight.size
    assert weight.data.mean() == pytest.approx(0, abs=4 * math.sqrt(1 / n / size))
    assert weight.data.var() == pytest.approx(1 / n, rel=4 * math.sqrt(2 / size))
    model = nn.init.initialize(nn.MLP([4, 3, 2], "tanh"), "lecun_normal", rng=np.random.default_rng(7))
    assert all(not bias.data.any() for bias in (model[0].bias, model[2].bias))
    assert all(weight.data.all() for weight in (model[0].weight, model[2].weight))


def test_S0_21_variance_of_every_layer() -> None:
    """Var(a[l]) = Var(a[l-1]) for every l, where Var(W[l]) = 1/n[l-1] and g is linear: 1 within sampling error."""
    model, x, flow = deep(1.0, layers=8, n=400, activation=None)
    a = x
    for number, parameter in enumerate(model.parameters()):
        before, a = a.var(), a @ parameter.data.T
        assert flow.records[str(number)].spread[0] ** 2 == pytest.approx(a.var(), rel=1e-11)
        assert a.var() / before == pytest.approx(1, abs=0.1)
    assert a.var() == pytest.approx(1, abs=0.25)
    smaller = deep(0.5, layers=8, n=400, activation=None)[2]
    assert smaller.records["7"].spread[0] == pytest.approx(0.5**8 * math.sqrt(a.var()), rel=1e-11)


def test_S0_22_too_small_vanishes_and_too_large_explodes() -> None:
    """dL/dx = s^L (dL/dx at s = 1) for weights s W: 10^-6 and 10^6 for s = 0.1 and 10 over six linear layers."""
    at_one = deep(1.0, activation=None)[2]
    for scale in (0.1, 10.0):
        model, _, flow = deep(scale, activation=None)
        upstream = np.ones((50, 100))
        for layer in range(5, -1, -1):
            found = flow.records[str(layer)].output_gradient[0]
            assert found == pytest.approx(np.sqrt(np.mean(upstream**2)), rel=1e-11)
            assert found == pytest.approx(
                scale ** (5 - layer) * at_one.records[str(layer)].output_gradient[0], rel=1e-11
            )
            upstream = upstream @ model[layer].weight.data
    # tanh keeps activations in bounds, but not gradients: saturated units pass on little, large weights make up for it.
    small, large = deep(0.1)[2].records, deep(10.0)[2].records
    assert small["0"].output_gradient[0] < 1e-4
    assert large["0"].output_gradient[0] > 10
    assert large["11"].spread[0] < 1


def expectation(function: Any, variance: float) -> float:
    """E[function(z)] for z from N(0, variance), by Gauss-Hermite quadrature."""
    places, weights = np.polynomial.hermite_e.hermegauss(120)
    return float(weights @ function(math.sqrt(variance) * places) / math.sqrt(2 * math.pi))


def test_S0_23_tanh_is_linear_only_near_0() -> None:
    """Var(tanh z) = Var(z) - 2 Var(z)^2 + ... for normal z, so Var(a) = Var(z) only where Var(z) is small.

    The notes write Var(a[l]) = Var(z[l]) for every l, since tanh(z) is about z. With Var(W) = 1/n and inputs of
    variance 1 the layers have .394, .237, .166, .126, .102 instead of 1: the gain 5/3 makes up for what tanh takes.
    """
    for variance in (1e-2, 1e-3, 1e-4):
        kept = expectation(lambda z: np.tanh(z) ** 2, variance) / variance
        assert kept == pytest.approx(1 - 2 * variance, abs=6 * variance**2)
    n, examples = 400, 400
    x = np.random.default_rng(8).normal(size=(examples, n))
    for gain, printed in ((1.0, [0.394, 0.237, 0.166, 0.126, 0.102]), (5 / 3, None)):
        model = nn.MLP([n] * 6, ["tanh"] * 5, bias=False, dtype=np.float64)
        nn.init.initialize(model, "sigmoid", c=gain**2, rng=np.random.default_rng(9))
        with FlowRecorder(model) as flow:
            model(x).sum().backward()
        found = [flow.records[str(layer)].spread[0] ** 2 for layer in (1, 3, 5, 7, 9)]
        predicted, variance = [], 1.0
        for _ in range(5):
            variance = expectation(lambda z: np.tanh(z) ** 2, gain**2 * variance)
            predicted.append(variance)
        assert found == pytest.approx(predicted, rel=0.05)
        if printed:
            assert predicted == pytest.approx(printed, rel=0.02)
        else:
            assert min(predicted) > 0.4
    linear = deep(1.0, layers=3, n=400, activation=None)[2]
    assert [record.spread[0] ** 2 for record in linear.records.values()] == pytest.approx([1, 1, 1], abs=0.05)


def test_S0_24_variance_of_a_product() -> None:
    """Var(XY) = E[X]^2 Var(Y) + E[Y]^2 Var(X) + Var(X) Var(Y), for independent X and Y."""
    x, y = np.array([-1.0, 0.5, 2.0, 3.0]), np.array([0.2, 1.0, 4.0])  # equally likely values; all pairs are, too
    pairs = leaf(x)[:, np.newaxis] * leaf(y)
    expected = x.mean() ** 2 * y.var() + y.mean() ** 2 * x.var() + x.var() * y.var()
    assert_same(np.var(pairs), expected)
    # Of dependent ones it does not hold: Y = X has the variance of the squares, 1, 1/4, 4 and 9.
    assert_same(np.var(leaf(x) * leaf(x)), 11.82421875)
    assert 2 * x.mean() ** 2 * x.var() + x.var() ** 2 == pytest.approx(11.0896, abs=1e-4)


def every(values: Any, shape: tuple[int, ...]) -> Any:
    """All arrays of a shape with elements from some values: each as likely as the others, elements independent."""
    return np.array([np.reshape(choice, shape) for choice in product(values, repeat=math.prod(shape))])


def test_S0_25_variance_of_a_sum_of_products() -> None:
    """Var(z[l]) = n[l-1] Var(W[l]) Var(a[l-1])."""
    weights, inputs = every([-0.7, 0.7], (1, 3)), every([-1.0, 0.0, 2.0, -1.0], (3, 1))
    z = leaf(weights)[:, np.newaxis] @ leaf(inputs)  # every W with every a: no sampling error
    assert z.shape == (8, 64, 1, 1)
    assert_same(np.var(z), 3 * 0.7**2 * np.var([-1.0, 0.0, 2.0, -1.0]))
    rng = np.random.default_rng(10)
    n, draws = 300, 20_000
    rows, columns = leaf(rng.normal(0, 0.2, (draws, n))), leaf(rng.uniform(-1, 1, (draws, n)))
    sampled = np.var(np.sum(rows * columns, axis=1)).item()
    assert sampled == pytest.approx(n * 0.2**2 * 1 / 3, rel=4 * math.sqrt(2 / draws))


def test_S0_26_assumptions() -> None:
    """Weights i.i.d. with mean 0, inputs i.i.d. with mean 0, weights and inputs independent: what breaks without each.

    The notes do not list the means, though the proof drops E[W]^2 Var(a) and E[a]^2 Var(W) as 0.
    """
    n, values = 3, np.array([-1.0, 1.0, 2.0, -2.0])
    weights, inputs = every([-0.5, 0.5], (1, n)), every(values, (n, 1))
    formula = n * 0.25 * values.var()

    def variance(weights: Any, inputs: Any) -> float:
        return np.var(leaf(weights)[:, np.newaxis] @ leaf(inputs)).item()

    equal_weights, equal_inputs = every([-0.5, 0.5], (1, 1)).repeat(n, 2), every(values, (1, 1)).repeat(n, 1)
    assert variance(weights, inputs) == pytest.approx(formula, rel=1e-12)
    # One of the two may even be the same number n times, as long as the other is independent with mean 0 ...
    assert variance(weights, equal_inputs) == pytest.approx(formula, rel=1e-12)
    assert variance(equal_weights, inputs) == pytest.approx(formula, rel=1e-12)
    # ... but not both: n^2 instead of n.
    assert variance(equal_weights, equal_inputs) == pytest.approx(n * formula, rel=1e-12)
    # A mean adds its square: inputs as relu leaves them, with E[a]^2 Var(W), and weights with E[W]^2 Var(a).
    shifted = formula + n * 0.25 * 3.0**2
    assert variance(weights, inputs + 3.0) == pytest.approx(shifted, rel=1e-12)
    assert variance(weights + 3.0, inputs) == pytest.approx(formula + n * 3.0**2 * values.var(), rel=1e-12)
    # Weights that know the inputs, as after training: W = a^T / 2.
    tied = np.var(0.5 * np.sum(leaf(inputs) * inputs, axis=1)).item()
    assert tied == pytest.approx(n * np.var(0.5 * values**2), rel=1e-12)
    assert tied < 0.5 * n * np.var(0.5 * values) * values.var()


def test_S0_27_product_over_layers() -> None:
    """Var(a[L]) = prod_l (n[l-1] Var(W[l])) Var(a[0])."""
    first, second, inputs = every([-0.5, 0.5], (3, 2)), every([-1.5, 1.5], (1, 3)), every([-1.0, 0.0, 1.0], (2, 1))
    a = leaf(first)[:, np.newaxis] @ leaf(inputs)
    z = leaf(second)[:, np.newaxis, np.newaxis] @ a
    assert z.shape == (8, 64, 9, 1, 1)
    assert_same(np.var(z), (2 * 0.5**2) * (3 * 1.5**2) * (2 / 3))
    # One draw of a wide network, of widths and variances that differ
    rng = np.random.default_rng(11)
    sizes, factors = [300, 500, 400, 300], [0.5, 3.0, 1.2]
    model = nn.MLP(sizes, None, bias=False, dtype=np.float64)
    for weight, n, factor in zip(model.parameters(), sizes, factors):
        nn.init.normal_(weight, std=math.sqrt(factor / n), rng=rng)
    x = rng.normal(0, 2.0, (500, 300))
    assert model(leaf(x)).numpy().var() == pytest.approx(0.5 * 3.0 * 1.2 * 4.0, rel=0.15)


def test_S0_28_powers_of_beta() -> None:
    """Var(W) = beta/n gives Var(a[L]) = beta^L Var(x): beta > 1 explodes, beta < 1 vanishes."""
    depth = 30
    variances, gradients = {}, {}
    for beta in (0.25, 0.5, 1.0, 2.0, 4.0):
        _, x, flow = deep(math.sqrt(beta), layers=depth, activation=None)
        variances[beta] = flow.records[str(depth - 1)].spread[0] ** 2
        gradients[beta] = flow.records["0"].output_gradient[0] ** 2
    for beta in variances:  # the same random numbers, times sqrt(beta): the powers are exact
        assert variances[beta] / variances[1.0] == pytest.approx(beta**depth, rel=1e-10)
        assert gradients[beta] / gradients[1.0] == pytest.approx(beta ** (depth - 1), rel=1e-10)
    assert 0.2 < variances[1.0] / x.var() < 5
    assert variances[0.5] < 1e-8
    assert variances[2.0] > 1e8


def test_S0_29_parts_of_the_lecture() -> None:
    """The parts are backpropagation, initializations, regularization; of the last, L2 adds 2 alpha w, dropout E[a] = a.

    The notes announce the third part and stop before it.
    """
    for part, subject in (
        ("02_logistic_regression", "logistic regression"),
        ("08_initialization", "initialization"),
        ("10_dropout_and_weight_decay", "dropout"),
    ):
        title = (NOTEBOOKS / f"{part}.py").read_text(encoding="utf-8").partition("# # ")[2].partition("\n")[0]
        assert subject in title.lower()
    alpha, lr = 0.05, 0.1
    w, decayed = leaf([1.0, -2.0]), leaf([1.0, -2.0])
    (np.sum(np.sin(w)) + alpha * np.sum(w * w)).backward()
    assert_same(w.grad, np.cos(w.data) + 2 * alpha * w.data)
    np.sum(np.sin(decayed)).backward()
    nn.optim.SGD([decayed], lr=lr, weight_decay=2 * alpha).step()
    assert_same(decayed, w.data - lr * w.grad)
    dropout = nn.Dropout(0.25, rng=np.random.default_rng(12))
    found = dropout(leaf(np.full(100_000, 3.0))).numpy()
    np.testing.assert_array_equal(np.unique(found), [0.0, 4.0])
    assert found.mean() == pytest.approx(3.0, abs=4 * math.sqrt(3.0 / 100_000))  # Var = 3^2 (1 / 0.75 - 1) = 3
    assert_same(dropout.eval()(leaf([3.0])), [3.0])
