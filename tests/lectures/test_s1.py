"""CS229 lecture 11 (S1), row by row: what the notes say, worked out in plain NumPy, against the engine.

In the notes examples are columns, X of shape (n, m), and W has shape (out, in); `nn` has that W, and examples as rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import nn
from autograd import (
    FlowRecorder,
    GraphError,
    Tensor,
    differentiable,
    grad,
    graph,
    jacobian,
    no_grad,
    relu,
    sigmoid,
    softmax,
)
from nn import functional as F  # noqa: N812 - its usual name
from nn.summary import kept_bytes

Array = Any

SIZES = [4, 5, 3, 1]
"""Units of the three-layer network of the notes, from its input on."""

EXAMPLES = 6


def assert_close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    """Same shape, and no difference beyond the tolerance times the largest value."""
    assert np.shape(found) == np.shape(expected)
    scale = np.max(np.abs(expected))
    assert np.max(np.abs(np.subtract(found, expected))) <= tolerance * scale


def logistic(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def leaf(value: Array, name: str) -> Tensor:
    return Tensor(value, requires_grad=True, name=name)


def network(m: int = EXAMPLES) -> tuple[Array, Array, list[Array], list[Array]]:
    """Examples as columns, their labels, random weights and biases."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(n, before)) for before, n in pairwise(SIZES)]
    biases = [rng.normal(size=(n, 1)) for n in SIZES[1:]]
    return rng.normal(size=(SIZES[0], m)), rng.integers(0, 2, (1, m)).astype(float), weights, biases


def propagate(x: Any, weights: list[Any], biases: list[Any], g: Callable[[Any], Any]) -> tuple[list[Any], list[Any]]:
    """The z and the a of every layer; a[0] is the input."""
    z, a = [], [x]
    for w, b in zip(weights, biases):
        z.append(w @ a[-1] + b)
        a.append(g(z[-1]))
    return z, a


def recorded(m: int = EXAMPLES) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor], list[Any]]:
    """The same network on the engine: J, weights, biases, z and a."""
    x, y, weights, biases = network(m)
    w = [leaf(value, f"W{layer}") for layer, value in enumerate(weights, 1)]
    b = [leaf(value, f"b{layer}") for layer, value in enumerate(biases, 1)]
    z, a = propagate(x, w, b, sigmoid)
    for layer, (before, after) in enumerate(zip(z, a[1:]), 1):
        before.name, after.name = f"z{layer}", f"a{layer}"
        before.retain_grad()
        after.retain_grad()
    return F.binary_cross_entropy(a[-1], y), w, b, z, a


def by_hand(m: int = EXAMPLES) -> tuple[list[Array], list[Array], list[Array], list[Array]]:
    """∂J/∂W and ∂J/∂b of every layer, ∂J/∂z, and the activations: backpropagation written out."""
    x, y, weights, biases = network(m)
    _, a = propagate(x, weights, biases, logistic)
    dz = [(a[3] - y) / m]
    for layer in (2, 1):
        dz.insert(0, weights[layer].T @ dz[0] * a[layer] * (1 - a[layer]))
    dw = [delta @ before.T for delta, before in zip(dz, a)]
    return dw, [delta.sum(axis=1, keepdims=True) for delta in dz], dz, a


# One neuron


def test_S1_01_an_image_is_a_vector() -> None:
    """X = image of l × w × b numbers as a column of shape (l w b, 1); backward has the shape of the image again."""
    rng = np.random.default_rng(0)
    length, width, depth = 3, 4, 2
    image, coefficient = rng.normal(size=(length, width, depth)), rng.normal(size=(1, length * width * depth))
    x = leaf(image, "x")
    column = x.reshape(-1, 1)
    places = [(i, j, k) for i in range(length) for j in range(width) for k in range(depth)]
    assert_close(column.data, np.array([[image[place]] for place in places]), 0)
    (coefficient @ column).backward([[1.0]])
    by_pixel = np.zeros(image.shape)
    for number, place in enumerate(places):
        by_pixel[place] = coefficient[0, number]
    assert_close(x.grad, by_pixel, 0)
    # As rows, a batch of images by the layer:
    images = rng.normal(size=(5, length, width, depth))
    flat = nn.Flatten()(images)
    assert flat.shape == (5, length * width * depth)
    assert_close(flat[2], np.array([images[(2, *place)] for place in places]), 0)


def test_S1_02_a_neuron_is_a_linear_part_and_an_activation() -> None:
    """y = σ(w x + b) = σ(θᵀX) with w of shape (1, l w b), θ = [b; wᵀ] and X = [1; x]."""
    rng = np.random.default_rng(0)
    n = 3 * 4 * 2
    neuron = nn.Sequential(nn.Linear(n, 1, dtype=np.float64, rng=rng), nn.Sigmoid())
    w, b = neuron[0].weight, neuron[0].bias
    x = rng.normal(size=(n, 1))
    assert w.shape == (1, n)
    expected = 1 / (1 + np.exp(-(sum(w.data[0, k] * x[k, 0] for k in range(n)) + b.data[0])))
    theta, extended = np.vstack([b.data[:, None], w.data.T]), np.vstack([[[1.0]], x])
    column = sigmoid(w @ x + b)
    assert_close(column.data, [[expected]])
    assert_close(sigmoid(leaf(theta, "θ").T @ extended).data, [[expected]])
    row = neuron(x.T)
    assert_close(row.data, [[expected]])
    row.backward([[1.0]])
    assert_close(w.grad, expected * (1 - expected) * x.T)
    assert_close(b.grad, [expected * (1 - expected)])


def test_S1_03_logistic_loss() -> None:
    """L = -(y log y' + (1 - y) log(1 - y')).

    The notes print it without the minus: that number is to be made large, and whoever descends along its gradient
    unlearns.
    """
    z, y = np.array([2.0, -1.0, 0.5]), np.array([1.0, 0.0, 0.0])
    p = logistic(z)
    printed = y * np.log(p) + (1 - y) * np.log(1 - p)
    losses = F.binary_cross_entropy(p, y, reduction="none")
    assert_close(losses, -printed)
    assert (losses > 0).all()
    assert (printed < 0).all()
    logits = leaf(z, "z")
    F.binary_cross_entropy(sigmoid(logits), y, reduction="sum").backward()
    assert_close(logits.grad, p - y)
    right, wrong = z - 0.1 * logits.grad, z + 0.1 * logits.grad  # descent along L, and along what is printed
    assert (np.abs(logistic(right) - y) < np.abs(p - y)).all()
    assert (np.abs(logistic(wrong) - y) > np.abs(p - y)).all()


# Three classes: independent, and one of three


def test_S1_04_three_sigmoids_and_the_sum_of_their_losses() -> None:
    """y has shape (3, 1), and L = -Σₖ (yₖ log aₖ + (1 - yₖ) log(1 - aₖ)) with aₖ = σ(zₖ): three logistic losses."""
    z = np.array([[1.5], [-0.5], [0.2]])
    y = np.array([[1.0], [1.0], [0.0]])  # two of the three are in the image
    p = [1 / (1 + np.exp(-value)) for value in (1.5, -0.5, 0.2)]
    expected = -(np.log(p[0]) + np.log(p[1]) + np.log(1 - p[2]))
    logits = leaf(z, "z")
    loss = F.binary_cross_entropy_with_logits(logits, y, reduction="sum")
    assert_close(loss.data, expected)
    loss.backward()
    assert_close(logits.grad, [[p[0] - 1], [p[1] - 1], [p[2]]])
    # nn's multi-label loss takes rows and the mean of the three:
    assert_close(F.multilabel_soft_margin_loss(z.T, y.T), expected / 3)


def test_S1_05_classes_of_sigmoids_are_independent() -> None:
    """∂Lₖ/∂wⱼ = (aₖ - yₖ) xᵀ for j = k and 0 for j ≠ k: each class has its own w and b."""
    rng = np.random.default_rng(0)
    w, b, x, y = rng.normal(size=(3, 4)), rng.normal(size=(3, 1)), rng.normal(size=(4, 1)), np.array([[1.0], [0], [1]])

    def losses(w: Any, b: Any) -> Any:
        return F.binary_cross_entropy_with_logits(w @ x + b, y, reduction="none")[:, 0]

    a = logistic(w @ x + b)
    expected = np.zeros((3, 3, 4))
    for k in range(3):
        expected[k, k] = (a[k] - y[k]) * x[:, 0]
    by_w, by_b = jacobian(losses, (0, 1))(w, b)
    assert_close(by_w, expected)
    assert (by_w[~np.eye(3, dtype=bool)] == 0).all()
    assert_close(by_b[:, :, 0], np.diag((a - y)[:, 0]))
    # Softmax couples them: no block is zero.
    coupled = jacobian(lambda w: softmax(w @ x + b, axis=0)[:, 0])(w)
    s = np.exp(w @ x + b) / np.exp(w @ x + b).sum()
    assert_close(coupled, (np.diag(s[:, 0]) - s @ s.T)[:, :, None] * x[:, 0])
    assert (np.abs(coupled).max(axis=2) > 0.01).all()


def test_S1_06_softmax() -> None:
    """y'ₖ = exp(zₖ) / Σⱼ exp(zⱼ): positive, of sum 1, and the largest z is the class."""
    z = np.array([[2.0, -1.0], [0.5, 3.0], [-1.0, 0.0]])  # two examples as columns
    expected = np.array(
        [[np.exp(z[k, i]) / (np.exp(z[0, i]) + np.exp(z[1, i]) + np.exp(z[2, i])) for i in (0, 1)] for k in (0, 1, 2)]
    )
    for found in (softmax(z, axis=0), softmax(z.T).T, nn.Softmax(dim=1)(leaf(z.T, "z")).data.T):
        assert_close(found, expected)
        assert_close(found.sum(axis=0), [1.0, 1.0], 1e-15)
        assert found.argmax(axis=0).tolist() == [0, 1]
    assert nn.accuracy(z.T, [0, 1]) == 1
    assert nn.accuracy(z.T, [0, 2]) == 0.5


def test_S1_07_cross_entropy() -> None:
    """L = -Σₖ yₖ log y'ₖ, for a one-hot y -log y' of its class; ∂L/∂z = y' - y.

    The notes print it without the minus.
    """
    z, labels = np.array([[2.0, 0.5, -1.0], [-1.0, 3.0, 0.0]]), np.array([2, 1])
    one_hot = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    printed = (one_hot * np.log(p)).sum(axis=1)
    assert (printed < 0).all()
    assert_close(-printed, [-np.log(p[0, 2]), -np.log(p[1, 1])], 0)
    for target in (one_hot, labels):
        assert_close(F.cross_entropy(z, target, reduction="none"), -printed)
        logits = leaf(z, "z")
        F.cross_entropy(logits, target, reduction="sum").backward()
        assert_close(logits.grad, p - one_hot)
    assert_close(F.nll_loss(np.log(p), labels), -printed.mean())


# Regression


def test_S1_08_a_neuron_for_regression() -> None:
    """y = relu(w x + b): any number that is not negative; ∂y/∂w = xᵀ where w x + b > 0, and 0 elsewhere."""
    neuron = nn.MLP([2, 1], ["relu"], dtype=np.float64)
    neuron[0].weight.data, neuron[0].bias.data = [[2.0, -1.0]], [0.5]
    x = np.array([[3.0, 1.0], [-1.0, 1.0]])  # w x + b is 5.5 and -2.5
    y = neuron(x)
    assert_close(y.data, [[5.5], [0.0]])
    y.backward([[1.0], [1.0]])
    assert_close(neuron[0].weight.grad, [[3.0, 1.0]])  # of the first example alone
    assert_close(neuron[0].bias.grad, [1.0])
    w = leaf([[2.0, -1.0]], "w")
    assert_close(relu(w @ x.T + 0.5).data, [[5.5, 0.0]])  # examples as columns


def test_S1_09_l1_and_l2() -> None:
    """L1 = |y' - y| with ∂L1/∂y' = sign(y' - y), L2 = (y' - y)² with ∂L2/∂y' = 2 (y' - y)."""
    found, y = np.array([3.0, -1.0, 2.0]), np.array([1.0, 2.0, 1.5])
    cases = [(nn.L1Loss, [2.0, 3.0, 0.5], [1.0, -1.0, 1.0]), (nn.MSELoss, [4.0, 9.0, 0.25], [4.0, -6.0, 1.0])]
    for loss, losses, slopes in cases:
        assert_close(loss(reduction="none")(found, y), losses)
        assert_close(loss()(found, y), sum(losses) / 3)
        outputs = leaf(found, "y'")
        loss()(outputs, y).backward()
        assert_close(outputs.grad, np.array(slopes) / 3)


# Networks

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def trained_on_xor(activation: str) -> nn.MLP:
    """A network 2-4-1 after 300 steps."""
    model = nn.MLP([2, 4, 1], activation, dtype=np.float64, rng=np.random.default_rng(0))
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    x, y = XOR
    for _ in range(300):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(x), y).backward()
        optimizer.step()
    return model


def linear_fit(features: Array, y: Array) -> Array:
    """What least squares on features and a constant makes of targets -1 and 1."""
    design = np.hstack([features, np.ones((len(y), 1))])
    return design @ np.linalg.lstsq(design, 2 * y - 1, rcond=None)[0]


def test_S1_10_the_network_finds_the_inputs_of_its_next_layer() -> None:
    """a¹ = g(W¹x + b¹) is learned from the loss at the end: no line parts the x of XOR, but one parts its a¹."""
    x, y = XOR
    model = trained_on_xor("tanh")
    hidden = np.tanh(x @ model[0].weight.data.T + model[0].bias.data)
    assert_close(hidden, model[1](model[0](x)).data)
    assert np.abs(linear_fit(x, y)).max() < 1e-12  # the best line says nothing of any point
    assert (np.sign(linear_fit(hidden, y)) == 2 * y - 1).all()
    untrained = nn.MLP([2, 4, 1], "tanh", dtype=np.float64, rng=np.random.default_rng(0))
    assert np.abs(model[0].weight.data - untrained[0].weight.data).max() > 0.5  # the first layer has learned, too


def test_S1_11_three_layers_and_their_dimensions() -> None:
    """zˡ = Wˡ aˡ⁻¹ + bˡ and aˡ = σ(zˡ) for l = 1, 2, 3: W is (nₗ, nₗ₋₁), b, z and a have nₗ elements."""
    x, _, weights, biases = network(1)
    _, w, b, z, a = recorded(1)
    before = x[:, 0]
    for layer, n in enumerate(SIZES[1:]):
        assert (w[layer].shape, b[layer].shape) == ((n, SIZES[layer]), (n, 1))
        assert z[layer].shape == a[layer + 1].shape == (n, 1)
        sums = [sum(weights[layer][j, k] * before[k] for k in range(SIZES[layer])) for j in range(n)]
        after = np.array([1 / (1 + np.exp(-(sums[j] + biases[layer][j, 0]))) for j in range(n)])
        assert_close(a[layer + 1].data[:, 0], after)
        before = after
    summary = nn.summary(nn.MLP(SIZES, ["sigmoid"] * 3), (1, 4))
    assert [row.output_shapes for row in summary.rows[1:]] == [[[(1, n)]] for n in (5, 5, 3, 3, 1, 1)]
    assert [row.parameters for row in summary.rows[1:]] == [5 * 4 + 5, 0, 3 * 5 + 3, 0, 1 * 3 + 1, 0]


def neuron_and_data(examples: int) -> tuple[nn.Module, Array, Array]:
    """A neuron of two inputs, all 0, and examples as rows."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(examples, 2))
    y = (x @ [[1.0], [-2.0]] + 0.5 * rng.normal(size=(examples, 1)) > 0).astype(float)
    return nn.init.initialize(nn.Linear(2, 1, dtype=np.float64), "zeros"), x, y


def descended(x: Array, y: Array, size: int, epochs: int, rate: float) -> tuple[Array, Array]:
    """The w and b of logistic regression after gradient descent over batches in their order, in plain NumPy."""
    w, b = np.zeros((1, 2)), np.zeros(1)
    for _ in range(epochs):
        for start in range(0, len(x), size):
            batch, target = x[start : start + size], y[start : start + size]
            dz = (logistic(batch @ w.T + b) - target) / len(batch)
            w, b = w - rate * dz.T @ batch, b - rate * dz.sum(axis=0)
    return w, b


def fitted(x: Array, y: Array, model: nn.Module, size: int, epochs: int, rate: float) -> nn.Module:
    optimizer = nn.optim.SGD(model.parameters(), lr=rate)
    nn.fit(model, nn.BCEWithLogitsLoss(), optimizer, nn.Batches(x, y, batch_size=size), epochs=epochs)
    return model


def test_S1_12_one_image_at_a_time() -> None:
    """w := w - α (a⁽ⁱ⁾ - y⁽ⁱ⁾) x⁽ⁱ⁾ᵀ after every single example: stochastic gradient descent, batch_size=1."""
    model, x, y = neuron_and_data(20)
    fitted(x, y, model, size=1, epochs=2, rate=0.1)
    w, b = descended(x, y, size=1, epochs=2, rate=0.1)
    assert_close(model.weight.data, w)
    assert_close(model.bias.data, b)
    together = descended(x, y, size=20, epochs=2, rate=0.1)[0]
    assert np.abs(together - w).max() > 0.1  # two steps instead of forty lead elsewhere


def test_S1_13_examples_as_columns() -> None:
    """Z = W X + b with X = [x⁽¹⁾ … x⁽ᵐ⁾]: column i is W x⁽ⁱ⁾ + b, and b is one column for all."""
    x, y, weights, biases = network()
    loss, w, b, z, _ = recorded()
    columns = [weights[0] @ x[:, [i]] + biases[0] for i in range(EXAMPLES)]
    assert_close(z[0].data, np.hstack(columns))
    for m in (1, 1000):
        _, w_of_m, b_of_m, _, _ = recorded(m)
        assert sum(p.size for p in w_of_m + b_of_m) == 4 * 5 + 5 + 5 * 3 + 3 + 3 * 1 + 1
    loss.backward()
    # Examples as rows, with the same weights:
    model = nn.MLP(SIZES, ["sigmoid"] * 3, dtype=np.float64)
    for layer, (weight, bias) in enumerate(zip(weights, biases)):
        model[2 * layer].weight.data, model[2 * layer].bias.data = weight, bias[:, 0]
    assert_close(model[0](x.T).data, np.hstack(columns).T)
    F.binary_cross_entropy(model(x.T), y.T).backward()
    dw, db, _, _ = by_hand()
    for layer in range(3):
        assert_close(w[layer].grad, dw[layer])
        assert_close(b[layer].grad, db[layer])
        assert_close(model[2 * layer].weight.grad, dw[layer])
        assert_close(model[2 * layer].bias.grad, db[layer][:, 0])


# Backpropagation


def test_S1_14_every_parameter_gets_its_gradient() -> None:
    """∂J/∂Wˡ and ∂J/∂bˡ for every l, from random W and b: as written out by hand, and as differences say."""
    x, y, weights, biases = network()
    loss, w, b, _, _ = recorded()
    assert all(p.grad is None for p in w + b)
    loss.backward()
    dw, db, _, _ = by_hand()
    for parameter, expected in zip(w + b, dw + db):
        assert_close(parameter.grad, expected)
        assert np.all(parameter.grad != 0)

    def cost(weights: list[Array]) -> Any:
        a = propagate(x, weights, biases, logistic)[1][-1]
        return -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))

    step = np.zeros((5, 4))
    step[2, 1] = 1e-5
    slope = (cost([weights[0] + step, *weights[1:]]) - cost([weights[0] - step, *weights[1:]])) / 2e-5
    assert w[0].grad[2, 1] == pytest.approx(slope, rel=1e-7)


def test_S1_15_last_layer_first_and_nothing_twice() -> None:
    """∂J/∂W³ is computed first, then ∂J/∂W², then ∂J/∂W¹, and each σ'(zˡ) once for all that is before it."""
    loss, _, _, z, _ = recorded()
    arrived: list[int] = []
    for layer, tensor in enumerate(z, 1):
        tensor.register_hook(lambda g, layer=layer: arrived.append(layer))
    picture = graph(loss)
    names = {node.id: node.name for node in picture.nodes}
    taken = [names[edge.source] for edge in picture.edges if names[edge.source] in ("W1", "W2", "W3")]
    assert taken == ["W3", "W2", "W1"]  # the order in which the picture steps backward
    assert [node.name for node in picture.nodes if node.name in ("z1", "z2", "z3")] == ["z1", "z2", "z3"]
    arrived.clear()
    loss.backward()
    assert arrived == [3, 2, 1]

    slopes: list[tuple[int, ...]] = []

    @differentiable(lambda out: slopes.append(out.shape) or out * (1 - out))
    def counted(x: Array) -> Array:
        return logistic(x)

    x, _, weights, biases = network()
    w = [leaf(value, "W") for value in weights]
    np.sum(propagate(x, w, biases, counted)[1][-1]).backward()
    assert slopes == [(1, 6), (3, 6), (5, 6)]  # three, where one chain for each of the three W would take 1 + 2 + 3
    assert all(weight.grad is not None for weight in w)


def test_S1_16_gradient_of_the_last_weights() -> None:
    """∂J/∂W³ = -(1/m) Σᵢ (y⁽ⁱ⁾ - a³⁽ⁱ⁾) a²⁽ⁱ⁾ᵀ.

    The second line of the derivation in the notes leaves out the factor (1 - σ) of σ' = σ (1 - σ); the third has it
    again. What that line gives is larger by 1/(1 - a³), as far as it is worked out as printed.
    """
    _, y, _, _ = network()
    loss, w, _, _, a = recorded()
    loss.backward()
    a2, a3 = a[2].data, a[3].data
    terms = [-(y[0, i] - a3[0, i]) * a2[:, i] for i in range(EXAMPLES)]
    assert_close(w[2].grad, np.mean(terms, axis=0)[None])
    printed = [-(y[0, i] - (1 - y[0, i]) * a3[0, i] / (1 - a3[0, i])) * a2[:, i] for i in range(EXAMPLES)]
    for i in range(EXAMPLES):
        assert_close(terms[i], printed[i] * (1 - a3[0, i]))
    assert np.abs(np.mean(printed, axis=0) - w[2].grad).max() > 0.1


def test_S1_17_a_gradient_is_a_product_of_factors() -> None:
    """∂J/∂W² = ∂J/∂a³ · ∂a³/∂z³ · ∂z³/∂a² · ∂a²/∂z² · ∂z²/∂W²: on the way back, one factor after the other."""
    _, y, weights, _ = network()
    loss, w, _, z, a = recorded()
    loss.backward()
    _, a1, a2, a3 = by_hand()[3]
    so_far = (a3 - y) / (a3 * (1 - a3)) / EXAMPLES
    assert_close(a[3].grad, so_far)
    so_far = so_far * a3 * (1 - a3)
    assert_close(z[2].grad, so_far)
    so_far = weights[2].T @ so_far
    assert_close(a[2].grad, so_far)
    so_far = so_far * a2 * (1 - a2)
    assert_close(z[1].grad, so_far)
    assert_close(w[1].grad, so_far @ a1.T)
    # With one unit in each layer every factor is a number, and stands on an edge of the picture:
    w1, w2, w3 = leaf(0.5, "w1"), leaf(-1.5, "w2"), leaf(2.0, "w3")
    j = -np.log(sigmoid(w3 * sigmoid(w2 * sigmoid(w1 * 0.7))))
    picture = graph(j)
    node = next(node for node in picture.nodes if node.name == "w2")
    factors, place = [], node.id
    while place != picture.root.id:
        (edge,) = [edge for edge in picture.edges if edge.source == place]
        factors.append(edge.local.number)
        place = edge.target
    s1 = 1 / (1 + np.exp(-0.35))
    s2 = 1 / (1 + np.exp(1.5 * s1))
    s3 = 1 / (1 + np.exp(-2 * s2))
    assert_close(factors, [s1, s2 * (1 - s2), 2.0, s3 * (1 - s3), 1 / s3, -1.0])
    j.backward()
    assert_close(w2.grad, np.prod(factors))


def test_S1_18_back_through_the_weights_of_the_next_layer() -> None:
    """∂z³/∂a² = W³, so that ∂J/∂a² = W³ᵀ ∂J/∂z³: it depends on the weights of the next layer.

    The notes have W³ᵀ for the derivative: it is what the gradient, a column, is multiplied with.
    """
    rng = np.random.default_rng(0)
    w, b, a, dz = rng.normal(size=(2, 3)), rng.normal(size=2), rng.normal(size=3), rng.normal(size=2)
    assert_close(jacobian(lambda a: w @ a + b)(a), w)
    for weights in (w, 10 * w):
        activation = leaf(a, "a2")
        (weights @ activation + b).backward(dz)
        expected = [sum(weights[j, k] * dz[j] for j in range(2)) for k in range(3)]
        assert_close(activation.grad, expected)
    # One unit: the weight is the number on the edge.
    w3, a2 = leaf(-1.7, "w3"), leaf(0.4, "a2")
    picture = graph(w3 * a2)
    locals_ = {picture.nodes[int(edge.source[1:])].name: edge.local.number for edge in picture.edges}
    assert locals_ == {"a2": -1.7, "w3": 0.4}


def test_S1_19_the_slope_of_a_sigmoid_needs_its_value() -> None:
    """∂a²/∂z² = a² (1 - a²): from the activation that the forward pass kept."""
    loss, _, _, z, a = recorded()
    node = a[2].node
    assert node.op.keeps == ("out",)
    (kept,) = node.kept
    assert kept is a[2].data  # this very array, not a copy
    value = by_hand()[3][2]
    slope = value * (1 - value)
    picture = graph(loss)
    names = {card.id: card.name for card in picture.nodes}
    (edge,) = [edge for edge in picture.edges if names[edge.target] == "a2"]
    assert_close(edge.local.cells, slope)
    loss.backward()
    assert_close(z[1].grad, a[2].grad * slope)


def test_S1_20_the_gradient_of_weights_needs_the_layer_before() -> None:
    """∂z²/∂W² = a¹ᵀ, so that ∂J/∂W² = ∂J/∂z² a¹ᵀ: from the activation of the layer before, which was kept."""
    _, w, _, z, a = recorded()
    product = z[1].node.args[0]  # z2 = W2 a1 + b2: the node of W2 a1
    assert product.op.name == "matmul"
    assert product.op.keeps == ("y", "x")
    kept = dict(zip(product.op.keeps, product.kept))
    assert kept["y"] is a[1].data
    assert kept["x"] is w[1].data
    x, _, _, _ = network()
    z[1].backward(np.ones((3, EXAMPLES)))
    a1 = logistic(network()[2][0] @ x + network()[3][0])
    assert_close(w[1].grad, np.ones((3, EXAMPLES)) @ a1.T)


def test_S1_21_everything_needed_was_kept_on_the_way_forward() -> None:
    """a¹, a², a³ and the weights are all that the backward pass of the network needs, and it computes none again."""
    _, w, _, _, a = recorded()
    wanted = {id(tensor.data) for tensor in [*a[1:], *w[1:]]}
    found, waiting = set(), [a[3].node]
    while waiting:
        node = waiting.pop()
        found |= {id(value) for value in node.kept if value is not None}
        waiting += [source for source in node.inputs if source is not None]
    assert found == wanted
    assert kept_bytes(a[3], apart=[a[0]]).total() == (5 + 3 + 1) * EXAMPLES * 8
    summary = nn.summary(nn.MLP(SIZES, ["sigmoid"] * 3), (EXAMPLES, 4))
    assert summary.kept == (5 + 3 + 1) * EXAMPLES * 4  # in float32
    calls: list[int] = []

    @differentiable(lambda out: out * (1 - out))
    def counted(x: Array) -> Array:
        calls.append(1)
        return logistic(x)

    x, _, weights, biases = network()
    total = np.sum(propagate(x, [leaf(value, "W") for value in weights], biases, counted)[1][-1])
    assert len(calls) == 3
    total.backward(retain_graph=True)
    total.backward()
    assert len(calls) == 3
    with pytest.raises(GraphError, match="released"):
        total.backward()


def test_S1_22_a_sigmoid_saturates() -> None:
    """∂a/∂z = a (1 - a) → 0 for large |z|: 1/4 at 0, 4.5e-5 at -10, 4e-18 at -40.

    It stops what is before a hidden sigmoid, and what is before the last one if the loss is squared; with the logistic
    loss ∂J/∂z³ = a³ - y does not vanish while the answer is wrong.
    """
    z = np.array([0.0, -5.0, -10.0, -40.0])
    slopes = np.array([np.exp(v) / (1 + np.exp(v)) ** 2 for v in z])
    found = grad(lambda z: np.sum(sigmoid(z)))(z)
    np.testing.assert_allclose(found, slopes, rtol=1e-12)
    assert found[0] == 0.25
    assert found[3] < 5e-18
    assert grad(sigmoid)(40.0) == 0  # 1 - a is rounded to 0
    # Wholly wrong, in float64: y = 1 with z = -40.
    assert_close(grad(lambda z: F.binary_cross_entropy_with_logits(z, np.ones(1)))(np.array([-40.0])), [-1.0])
    squared = grad(lambda z: F.mse_loss(sigmoid(z), np.ones(1)))(np.array([-40.0]))
    assert_close(squared, [-2 * np.exp(-40.0)])
    # The detector, on a layer whose inputs are too large:
    model = nn.MLP([4, 8, 1], "sigmoid", dtype=np.float64, rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for scale, least, most in ((1.0, 0.0, 0.05), (100.0, 0.8, 1.0)):
        x = scale * rng.normal(size=(50, 4))
        with FlowRecorder(model) as flow:
            np.mean(model(x)).backward()
        a = logistic(x @ model[0].weight.data.T + model[0].bias.data)
        assert_close(flow.records["1"].saturated, [np.mean((a < 0.03) | (a > 0.97))])
        assert least <= flow.records["1"].saturated[0] <= most


# Activations


def test_S1_23_without_activations_the_layers_collapse() -> None:
    """W³(W²(W¹x + b¹) + b²) + b³ = W x + B with W = W³W²W¹ and B = W³W²b¹ + W³b² + b³.

    The notes have lost the indices of b in B.
    """
    x, _, (w1, w2, w3), (b1, b2, b3) = network()
    model = nn.MLP(SIZES, None, dtype=np.float64)
    for layer, (weight, bias) in zip(model, ((w1, b1), (w2, b2), (w3, b3))):
        layer.weight.data, layer.bias.data = weight, bias[:, 0]
    one_map = w3 @ w2 @ w1 @ x + (w3 @ w2 @ b1 + w3 @ b2 + b3)
    assert_close(model(x.T).data, one_map.T)
    assert_close(jacobian(lambda x: model(x))(x[:, 0]), w3 @ w2 @ w1)  # the same at every x
    with_sigmoids = nn.MLP(SIZES, "sigmoid", dtype=np.float64)
    with_sigmoids.load_state_dict({f"{2 * int(k[0])}{k[1:]}": v for k, v in model.state_dict().items()})
    assert np.abs(with_sigmoids(x.T).data - one_map.T).max() > 0.1


def test_S1_24_activations_make_more_than_a_linear_regressor() -> None:
    """XOR: the best linear map has J = log 2, a guess; with tanh between the layers J goes to 0.

    And activations are thresholds: σ(k z) → 1 for z > 0 and 0 for z < 0 as k grows.
    """
    x, y = XOR
    losses = {
        name: F.binary_cross_entropy_with_logits(trained_on_xor(name)(x), y).data for name in ("identity", "tanh")
    }
    assert losses["identity"] == pytest.approx(np.log(2), abs=1e-4)
    assert losses["identity"] >= np.log(2)
    # The loss of a linear map is convex, so that it is least where its gradient is 0: at w = 0, b = 0.
    by_w, by_b = grad(lambda w, b: F.binary_cross_entropy_with_logits(x @ w + b, y), (0, 1))(np.zeros((2, 1)), 0.0)
    assert by_b == 0
    assert (by_w == 0).all()
    assert losses["tanh"] < 0.05
    assert nn.accuracy(trained_on_xor("tanh")(x), y) == 1
    z = np.array([-1.0, -0.1, 0.1, 1.0])
    for k in (1, 100, 1000):
        assert np.abs(sigmoid(k * z) - (z > 0)).max() == pytest.approx(1 / (1 + np.exp(0.1 * k)), rel=1e-9)
    assert (relu(z) == [0, 0, 0.1, 1.0]).all()


def deep_linear(factor: float, depth: int) -> nn.Sequential:
    """Layers of 2 units with W = factor · I, b = 0 and no activation."""
    layers = [nn.Linear(2, 2, bias=False, dtype=np.float64) for _ in range(depth)]
    for layer in layers:
        layer.weight.data = factor * np.eye(2)
    return nn.Sequential(*layers)


def test_S1_25_ten_layers_explode() -> None:
    """ŷ = W⁽¹⁰⁾ … W⁽¹⁾ x = 1.5¹⁰ x = 57.665 x for W = 1.5 I, and 0.5¹⁰ x for 0.5 I; so do gradients.

    The product printed beside it, W⁽ᴸ⁾ … W⁽²⁾, has nine factors for L = 10: 1.5⁹ = 38.44. It takes ten to give 1.5¹⁰.
    """
    x = np.array([1.0, -2.0])
    for factor, expected in ((1.5, 57.6650390625), (0.5, 0.0009765625)):  # exact in binary
        model = deep_linear(factor, 10)
        inputs = leaf(x, "x")
        y = model(inputs)
        assert_close(y.data, expected * x, 0)
        y.backward(np.ones(2))
        assert_close(inputs.grad, [expected, expected], 0)
        gradient = expected / factor * np.array([[1.0, -2.0], [1.0, -2.0]])
        assert_close(model[0].weight.grad, gradient, 1e-15)  # of any layer: nine factors, and what is on both sides
        assert_close(model[9].weight.grad, gradient, 1e-15)
    assert_close(deep_linear(1.5, 9)(x).data, 38.443359375 * x, 0)


# Initialization


def test_S1_26_standardize_the_data() -> None:
    """x := (x - μ) / σ by feature, so that z of the first layer is not large and its σ'(z) not 0."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(200, 4)) * [1000.0, 10.0, 50.0, 300.0] + [500.0, -20.0, 0.0, 100.0]
    standardized = nn.Standardizer().fit_transform(raw)
    mean = raw.sum(axis=0) / 200
    assert_close(standardized, (raw - mean) / np.sqrt(((raw - mean) ** 2).sum(axis=0) / 200))
    layer = nn.Linear(4, 50, dtype=np.float64, rng=rng)
    slopes, gradients = [], []
    for x in (raw, standardized):
        z = layer(x)
        layer.zero_grad()
        np.mean(sigmoid(z)).backward()
        gradients.append(np.abs(layer.bias.grad).mean())
        slopes.append(np.mean(np.exp(-np.abs(z.data)) / (1 + np.exp(-np.abs(z.data))) ** 2))
    assert slopes[0] < 0.02
    assert slopes[1] > 0.2  # of at most 0.25
    assert gradients[1] > 10 * gradients[0]


def test_S1_27_weights_of_variance_one_over_n() -> None:
    """Var(W) = 1/n keeps Var(z) = Var(x) = 1 for every n, where Var(W) = 1 makes it n."""
    rng = np.random.default_rng(0)
    for n in (10, 100, 1000):
        x = rng.normal(size=(1000, n))
        layer = nn.Linear(n, 400, bias=False, dtype=np.float64)
        nn.init.lecun_normal_(layer.weight, rng=rng)
        assert np.var(layer.weight.data) == pytest.approx(1 / n, rel=0.1)
        assert np.var(layer(x).data) == pytest.approx(1, rel=0.1)
        nn.init.normal_(layer.weight, rng=rng)
        assert np.var(layer(x).data) == pytest.approx(n, rel=0.1)


def test_S1_28_standard_initialization_for_sigmoid() -> None:
    """W = randn(shape) · √(c/n) with n units before: c = 4 as the notes have it for sigmoid, and c = 1 of 1/n.

    σ has the slope 1/4 at 0, so that Var(a) is about Var(z)/16: c = 4 makes up for a part of that.
    """
    n, shape = 100, (300, 100)
    spread = {}
    x = np.random.default_rng(1).normal(size=(500, n))
    for c in (1.0, 4.0):
        weight = nn.Parameter(np.zeros(shape))
        nn.init.sigmoid_(weight, c=c, rng=np.random.default_rng(0))
        assert_close(weight.data, np.random.default_rng(0).standard_normal(shape) * np.sqrt(c / n))
        assert np.var(weight.data) == pytest.approx(c / n, rel=0.03)
        spread[c] = np.var(sigmoid(x @ weight.T).data)
    default = nn.init.sigmoid_(nn.Parameter(np.zeros(shape)), rng=np.random.default_rng(0))
    assert_close(default.data, np.random.default_rng(0).standard_normal(shape) * np.sqrt(4 / n))
    assert 1 / 32 < spread[1.0] < 1 / 16
    assert 2 < spread[4.0] / spread[1.0] < 4


def test_S1_29_xavier_for_tanh_and_he_for_relu() -> None:
    """W ~ √(1/n) for tanh and √(2/n) for relu, with n units before.

    The notes name tanh for both, and their n has the index l + 1; it is that of the layer before, l - 1. Why 2 is for
    relu: E[relu(z)²] = Var(z)/2 for a symmetric z, so that Var(W) = 2/n keeps the mean square from layer to layer.
    """
    rng = np.random.default_rng(0)
    weight = nn.Parameter(np.zeros((400, 100)))  # fan_in 100, fan_out 400
    he = partial(nn.init.kaiming_normal_, nonlinearity="relu")
    for initializer, variance in ((nn.init.lecun_normal_, 1 / 100), (he, 2 / 100)):
        initializer(weight, rng=rng)
        assert np.var(weight.data) == pytest.approx(variance, rel=0.03)
    z = rng.normal(size=400_000)
    assert np.mean(relu(z) ** 2) == pytest.approx(1 / 2, rel=0.01)

    def mean_square(activation: str, factor: float) -> Any:
        """The mean square after ten layers of 256 units with Var(W) = factor/n, from an input of mean square 1."""
        rng = np.random.default_rng(0)
        model = nn.MLP([256] * 11, [activation] * 10, bias=False, dtype=np.float64)
        for layer in model[::2]:
            nn.init.sigmoid_(layer.weight, c=factor, rng=rng)
        with no_grad():
            return np.mean(model(rng.normal(size=(200, 256))).data ** 2)

    assert 0.5 < mean_square("relu", 2) < 2
    assert 0.5 < mean_square("relu", 1) / 2.0**-10 < 2  # half is lost in each layer
    assert 0.05 < mean_square("tanh", 1) < 0.2  # near 0, tanh(z) ≈ z: the loss slows down
    assert mean_square("tanh", 2) > 0.25  # far from 0, where tanh saturates


def test_S1_30_equal_weights_stay_equal() -> None:
    """If all w of a layer begin equal, ∂J/∂wⱼ is the same for every unit j, and they learn the same feature."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 1))

    def distance_of_units(model: nn.MLP) -> Any:
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        before = np.array(model[0].weight.data)
        for _ in range(10):
            optimizer.zero_grad()
            F.mse_loss(model(x), y).backward()
            optimizer.step()
        assert np.abs(model[0].weight.data - before).max() > 0.01  # it does learn
        return np.ptp(model[0].weight.data, axis=0).max()

    equal = nn.init.initialize(nn.MLP([3, 4, 1], "sigmoid", dtype=np.float64), "constant", val=0.3)
    assert distance_of_units(equal) < 1e-15
    drawn = nn.init.initialize(nn.MLP([3, 4, 1], "sigmoid", dtype=np.float64), "lecun_normal", rng=rng)
    assert distance_of_units(drawn) > 0.1


# Optimization


def test_S1_31_batch_descent_settles_and_stochastic_descent_does_not() -> None:
    """Batch: wₖ - w* = (1 - αH)ᵏ (w₀ - w*), m examples a step; stochastic: one, and w goes on moving about w*."""
    rng = np.random.default_rng(0)
    m, epochs, rate = 20, 100, 0.1
    x = rng.normal(size=(m, 1))
    y = 3 * x + rng.normal(size=(m, 1))
    hessian, best = 2 * np.mean(x * x), np.sum(x * y) / np.sum(x * x)
    distances = {}
    for size in (m, 1):
        model = nn.init.initialize(nn.Linear(1, 1, bias=False, dtype=np.float64), "zeros")
        optimizer = nn.optim.SGD(model.parameters(), lr=rate)
        batches = nn.Batches(x, y, batch_size=size, shuffle=True, rng=np.random.default_rng(1))
        distances[size] = []
        for _ in range(epochs):
            nn.fit(model, nn.MSELoss(), optimizer, batches, epochs=1)
            distances[size].append(model.weight.data.item() - best)
        assert len(batches) == m // size  # steps in an epoch
    expected = [-best * (1 - rate * hessian) ** k for k in range(1, epochs + 1)]
    np.testing.assert_allclose(distances[m], expected, rtol=1e-9, atol=1e-13)
    assert abs(distances[m][-1]) < 1e-5
    late = np.array(distances[1][epochs // 2 :])
    assert np.std(late) > 0.05
    assert abs(distances[1][0]) < abs(distances[m][0])  # but it is near sooner, for the same work


def test_S1_32_minibatches() -> None:
    """For t = 1, 2, …: a batch, forward, backward, update; J = (1/1000) Σ L⁽ⁱ⁾ over the 1000 examples of the batch."""
    model, x, y = neuron_and_data(3000)
    fitted(x, y, model, size=1000, epochs=2, rate=0.5)
    w, b = descended(x, y, size=1000, epochs=2, rate=0.5)
    assert_close(model.weight.data, w)
    assert_close(model.bias.data, b)
    assert len(nn.Batches(x, y, batch_size=1000)) == 3
    p = logistic(x[:1000] @ w.T + b)[:, 0]
    losses = [-np.log(p[i]) if y[i, 0] else -np.log(1 - p[i]) for i in range(1000)]
    assert_close(F.binary_cross_entropy_with_logits(model(x[:1000]), y[:1000]).data, sum(losses) / 1000)


def test_S1_33_shapes_with_broadcasting() -> None:
    """zˡ, aˡ, bˡ: (nₗ, 1); Zˡ, Aˡ, dZˡ, dAˡ: (nₗ, m); Wˡ, dWˡ: (nₗ, nₗ₋₁); dbˡ = Σᵢ dZˡ⁽ⁱ⁾: (nₗ, 1).

    The notes print one index, [0], for all of them.
    """
    loss, w, b, z, a = recorded()
    loss.backward()
    _, db, dz, _ = by_hand()
    for layer, n in enumerate(SIZES[1:]):
        for tensor in (z[layer], a[layer + 1]):
            assert tensor.shape == tensor.grad.shape == (n, EXAMPLES)
        assert w[layer].shape == w[layer].grad.shape == (n, SIZES[layer])
        assert b[layer].shape == b[layer].grad.shape == (n, 1)
        assert_close(z[layer].grad, dz[layer])
        assert_close(b[layer].grad, sum(dz[layer][:, [i]] for i in range(EXAMPLES)))
        assert_close(b[layer].grad, db[layer])
    one = recorded(1)
    assert [tensor.shape for tensor in one[3]] == [(n, 1) for n in SIZES[1:]]
