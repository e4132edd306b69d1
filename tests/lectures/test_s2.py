"""S2 (BLG561E): exploding and vanishing products, first values of weights, batch normalization, dropout, weight decay.

Closed forms are plain NumPy. The notes have an example as a column x, so z = W x with W of shape (out, in); `nn` has
the same W and examples as rows, z = x Wᵀ. A test that serves both says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import FlowRecorder, Tensor, graph
from nn.functional import batch_norm, cross_entropy, dropout

Array = Any


def assert_close(actual: Any, expected: Any, rtol: float = 1e-12, atol: float = 0.0) -> None:
    """Equal to 1e-12, unless a test says how near."""
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def learned(value: Array) -> Tensor:
    return Tensor(value, requires_grad=True)


# Updates and the regularizer


def test_S2_01_an_update_is_a_step_against_the_gradient() -> None:
    """W := w - LR ∇_w loss, to the last bit, in each of several steps."""
    w, by_hand, rate = learned(np.array([1.0, -2.0, 0.3])), np.array([1.0, -2.0, 0.3]), 0.1
    optimizer = nn.optim.SGD([w], lr=rate)
    for _ in range(5):
        optimizer.zero_grad()
        np.sum(w * w).backward()
        optimizer.step()
        by_hand = by_hand - rate * (2 * by_hand)
        np.testing.assert_array_equal(w.data, by_hand)


def test_S2_02_the_regularizer_adds_two_alpha_w() -> None:
    """∇_w (loss_data + α ‖w‖²) = ∂loss_data/∂w + 2αw: exactly 2αw, not αw."""
    x, y, alpha, rate = normal(8, 3), normal(8, seed=1), 0.05, 0.25
    start = np.array([0.5, -1.5, 2.0])

    w = learned(start)
    (alpha * np.sum(w * w)).backward()
    np.testing.assert_array_equal(w.grad, 2 * alpha * start)

    by_data = x.T @ (x @ start - y) / len(x)  # of half the mean squared error
    whole = learned(start)
    (np.mean((x @ whole - y) ** 2) / 2 + alpha * np.sum(whole * whole)).backward()
    assert_close(whole.grad, by_data + 2 * alpha * start)

    for decay, expected in [(2 * alpha, by_data + 2 * alpha * start), (alpha, by_data + alpha * start)]:
        w = learned(start)
        (np.mean((x @ w - y) ** 2) / 2).backward()
        nn.optim.SGD([w], lr=rate, weight_decay=decay).step()
        assert_close(w.data, start - rate * expected)
    halved = rate * alpha * np.abs(start)  # what λ = α would miss: as much again as it takes
    assert_close(np.abs(w.data - (start - rate * (by_data + 2 * alpha * start))), halved)


def test_S2_03_only_the_gradient_of_the_data_loss_propagates() -> None:
    """∂loss/∂w = ∂loss_data/∂w + 2αw, and the second part joins at the update step.

    As a term of the loss it is the same for SGD, and for Adam, whose weight decay is coupled; AdamW's is another step.
    """
    x, y, alpha, rate = normal(6, 4), normal(6, 2, seed=1), 0.03, 0.1
    first, second = normal(3, 4, seed=2), normal(2, 3, seed=3)

    def data_loss(w1: Tensor, w2: Tensor) -> tuple[Any, Any]:
        hidden = np.tanh(x @ w1.T)
        hidden.retain_grad()
        return np.mean((hidden @ w2.T - y) ** 2), hidden

    def by_hand(w1: Array, w2: Array) -> tuple[Array, Array, Array]:
        """∂loss_data/∂W₁, ∂loss_data/∂W₂ and ∂loss_data/∂a₁."""
        hidden = np.tanh(x @ w1.T)
        upstream = 2 * (hidden @ w2.T - y) / y.size
        by_hidden = upstream @ w2
        return ((1 - hidden**2) * by_hidden).T @ x, upstream.T @ hidden, by_hidden

    # What arrives at the activations is the same with and without the regularizer, bit for bit.
    arrived = []
    for penalty in (0.0, alpha):
        w1, w2 = learned(first), learned(second)
        loss, hidden = data_loss(w1, w2)
        (loss + penalty * (np.sum(w1 * w1) + np.sum(w2 * w2))).backward()
        arrived.append(hidden.grad)
        assert_close(w1.grad, by_hand(first, second)[0] + 2 * penalty * first)
    np.testing.assert_array_equal(*arrived)
    assert_close(arrived[0], by_hand(first, second)[2])

    def trained(make: Any, penalty: float, decay: float, steps: int = 10) -> list[Array]:
        w1, w2 = learned(first), learned(second)
        optimizer = make([w1, w2], lr=rate, weight_decay=decay)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = data_loss(w1, w2)[0]
            if penalty:
                loss = loss + penalty * (np.sum(w1 * w1) + np.sum(w2 * w2))
            loss.backward()
            optimizer.step()
        return [w1.data, w2.data]

    w1, w2 = first, second
    for _ in range(10):
        g1, g2, _ = by_hand(w1, w2)
        w1, w2 = w1 - rate * (g1 + 2 * alpha * w1), w2 - rate * (g2 + 2 * alpha * w2)
    for expected, in_loss, at_update in zip(
        (w1, w2), trained(nn.optim.SGD, alpha, 0.0), trained(nn.optim.SGD, 0.0, 2 * alpha), strict=True
    ):
        assert_close(in_loss, expected)
        assert_close(at_update, expected)
    for in_loss, at_update in zip(
        trained(nn.optim.Adam, alpha, 0.0), trained(nn.optim.Adam, 0.0, 2 * alpha), strict=True
    ):
        assert_close(in_loss, at_update)

    # Adam's first step is η g / (|g| + ε): coupled, the decay is in g; decoupled, it stands beside.
    decay, eps = 2 * alpha, 1e-8
    g = by_hand(first, second)[0]
    coupled, decoupled = (trained(make, 0.0, decay, steps=1)[0] for make in (nn.optim.Adam, nn.optim.AdamW))
    together = g + decay * first
    assert_close(coupled, first - rate * together / (np.abs(together) + eps))
    assert_close(decoupled, (1 - rate * decay) * first - rate * g / (np.abs(g) + eps))
    assert np.abs(coupled - decoupled).max() > 1e-3


def test_S2_04_the_overall_loss_is_a_sum_that_the_graph_shows() -> None:
    """loss_overall = loss_data + α ‖w‖²: a sum, of which each part receives the upstream gradient 1."""
    start, x, y, alpha = np.array([1.0, -2.0]), np.array([3.0, 0.5]), 1.0, 0.1
    w = Tensor(start, requires_grad=True, name="w")
    data, regularizer = (x @ w - y) ** 2, alpha * np.sum(w * w)
    data.name, regularizer.name = "data loss", "regularizer"
    overall = data + regularizer
    assert_close(overall.data, (3.0 - 1.0 - 1.0) ** 2 + 0.1 * (1.0 + 4.0))

    drawn = graph(overall)
    root = drawn.nodes[-1]
    assert (root.op, root.value.number) == ("add", pytest.approx(1.5))
    parts = {node.id: node for node in drawn.nodes if node.name in ("data loss", "regularizer")}
    edges = [edge for edge in drawn.edges if edge.target == root.id]
    assert sorted(parts) == sorted(edge.source for edge in edges)
    assert [edge.contribution.number for edge in edges if edge.contribution] == [1.0, 1.0]
    assert {node.name: node.value.number for node in parts.values()} == {
        "data loss": pytest.approx(1.0),
        "regularizer": pytest.approx(0.5),
    }


# Many classes


def test_S2_05_softmax_and_its_loss() -> None:
    """L = -Σ_j y_j log ŷ_j with ŷ_j = exp z_j / Σ_i exp z_i; ∂L/∂z = ŷ - y.

    The notes print Σ_j y_j log ŷ_j, without the minus: descending that makes the right class less likely.
    """
    logits, labels = normal(5, 4), np.array([3, 0, 1, 1, 2])
    targets = np.eye(4)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    losses = -np.sum(targets * np.log(probabilities), axis=1)

    z = learned(logits)
    loss = cross_entropy(z, labels)
    assert_close(loss.data, losses.mean())
    assert_close(cross_entropy(logits, targets), losses.mean())
    assert_close(cross_entropy(logits, labels, reduction="none"), losses)
    assert_close(nn.functional.softmax(logits, dim=1).sum(axis=1), 1.0)
    loss.backward()
    assert_close(z.grad, (probabilities - targets) / len(labels))

    def right_class(sign: float) -> Array:
        z = learned(logits)
        (sign * np.sum(targets * np.log(nn.functional.softmax(z, dim=1)))).backward()
        stepped = np.exp(logits - 0.1 * z.grad)
        return (stepped / stepped.sum(axis=1, keepdims=True))[np.arange(5), labels]

    before = probabilities[np.arange(5), labels]
    assert np.all(right_class(-1.0) > before)
    assert np.all(right_class(+1.0) < before)


# Products of many matrices


def test_S2_06_forward_multiplies_by_W_and_backward_by_its_transpose() -> None:
    """ŷ = W^L … W² W¹ x, and ∂l/∂x = W¹ᵀ W²ᵀ … W^Lᵀ g, in both layouts of W."""
    shapes = [(5, 3), (4, 5), (6, 4), (2, 6)]
    weights = [normal(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    x, g = normal(3, 1, seed=9), normal(2, 1, seed=10)
    w1, w2, w3, w4 = weights
    value, gradient = w4 @ (w3 @ (w2 @ (w1 @ x))), w1.T @ (w2.T @ (w3.T @ (w4.T @ g)))

    column = learned(x)  # W is (out, in), the example a column, as in the notes
    a, on_the_way = column, []
    for w in weights:
        a = w @ a
        a.retain_grad()
        on_the_way.append(a)
    a.backward(g)
    assert_close(a.data, value)
    assert_close(column.grad, gradient)
    assert_close(on_the_way[0].grad, w2.T @ (w3.T @ (w4.T @ g)))
    assert_close(on_the_way[2].grad, w4.T @ g)

    row = learned(x.T)  # W is (in, out), the example a row: forward x V, backward g Vᵀ
    a = row
    for w in weights:
        a = a @ w.T
    a.backward(g.T)
    assert_close(a.data, value.T)
    assert_close(row.grad, gradient.T)


def test_S2_07_the_gradient_of_the_first_layer() -> None:
    """∂l/∂W¹ = (f'(z¹) ∘ W²ᵀ (f'(z²) ∘ … W^Lᵀ g_L)) xᵀ; with f(z) = z it is W²ᵀ … W^Lᵀ g_L xᵀ.

    The notes' product begins with W¹ᵀ and leaves xᵀ to "others": that is ∂l/∂x, of the shape of x. W¹ is no factor of
    its own gradient.
    """
    w1, w2, w3 = normal(5, 4), normal(3, 5, seed=1), normal(2, 3, seed=2)
    x, g = normal(4, 1, seed=3), normal(2, 1, seed=4)

    def gradients(f: Any) -> tuple[Array, Array]:
        first, column = learned(w1), learned(x)
        f(w3 @ f(w2 @ f(first @ column))).backward(g)
        return first.grad, column.grad

    linear = w2.T @ w3.T @ g
    by_w, by_x = gradients(lambda z: z)
    assert_close(by_w, linear @ x.T)
    assert_close(by_x, w1.T @ linear)
    assert by_w.shape == w1.shape != (w1.T @ linear).shape  # the product as it is printed

    z1 = w1 @ x
    z2 = w2 @ np.tanh(z1)
    z3 = w3 @ np.tanh(z2)
    slopes = [1 - np.tanh(z) ** 2 for z in (z1, z2, z3)]
    delta = slopes[0] * (w2.T @ (slopes[1] * (w3.T @ (slopes[2] * g))))
    by_w, by_x = gradients(np.tanh)
    assert_close(by_w, delta @ x.T)
    assert_close(by_x, w1.T @ delta)


def test_S2_08_depth_200_explodes_and_vanishes() -> None:
    """W = 1.2 I: ŷ = 1.2²⁰⁰ x = 6.86e15 x; W = 0.5 I: 0.5²⁰⁰ x = 6.2e-61 x, which float32 rounds to exactly 0.

    The notes print the power L for ∂l/∂W¹ too. W¹ is no factor of it: the power is L - 1; it is L for ∂l/∂x.
    """
    depth, x = 200, np.array([[1.0, -2.0, 0.5]])
    for factor, printed in [(1.2, 6.86e15), (0.5, 6.2e-61)]:
        layers = [nn.Linear(3, 3, bias=False, dtype=float) for _ in range(depth)]
        for layer in layers:
            layer.weight.data = factor * np.eye(3)
        row = learned(x)
        out = nn.Sequential(*layers)(row)
        out.backward(np.ones((1, 3)))
        assert factor**depth == pytest.approx(printed, rel=5e-3)
        assert_close(out.data, factor**depth * x)
        assert_close(row.grad, factor**depth * np.ones((1, 3)))
        assert_close(layers[0].weight.grad, factor ** (depth - 1) * np.ones((3, 1)) @ x)
        assert not np.allclose(layers[0].weight.grad, factor**depth * np.ones((3, 1)) @ x, rtol=0.1, atol=0)

    for factor, exactly_zero in [(0.5, True), (1.2, False)]:
        first = learned((factor * np.eye(3)).astype(np.float32))
        a = x.astype(np.float32) @ first.T
        for _ in range(depth - 1):
            a = a @ (factor * np.eye(3)).astype(np.float32)
        a.backward(np.ones((1, 3), np.float32))
        assert first.grad.dtype == np.float32
        assert (not a.data.any() and not first.grad.any()) == exactly_zero


# First values of weights


def test_S2_09_zeros_give_one_half_whatever_the_input() -> None:
    """W = 0, b = 0 in three sigmoid layers: a³ = σ(0) = 0.5 for every x, and ∂l/∂W¹ = ∂l/∂W² = 0."""
    model = nn.init.initialize(nn.MLP([4, 5, 3, 1], ["sigmoid"] * 3, dtype=float), "zeros")
    x, y = 100 * normal(6, 4), np.array([[0.0], [1.0], [1.0], [0.0], [1.0], [1.0]])
    out = model(x)
    np.testing.assert_array_equal(out.data, np.full((6, 1), 0.5))
    hidden = model[:4](x).data
    np.testing.assert_array_equal(hidden, np.full((6, 3), 0.5))  # all units alike

    nn.functional.binary_cross_entropy(out, y).backward()
    first, second, third = (model[index].weight for index in (0, 2, 4))
    np.testing.assert_array_equal(first.grad, np.zeros((5, 4)))
    np.testing.assert_array_equal(second.grad, np.zeros((3, 5)))
    assert_close(third.grad, np.mean((0.5 - y) * 0.5) * np.ones((1, 3)))  # (a³ - y) a²ᵀ, the same for all three units

    nn.init.initialize(model, "normal", rng=np.random.default_rng(0))
    assert np.ptp(model(x).data) > 0.01


def test_S2_10_equal_weights_stay_equal() -> None:
    """W = c in every place: a¹_j = f(c Σ_i x_i + b) for every unit j, and after any number of steps still one unit."""
    c, x = 0.3, normal(8, 4)
    y = (x[:, :1] * x[:, 1:2] > 0).astype(float)

    def trained(scheme: str, **options: Any) -> nn.MLP:
        model = nn.init.initialize(nn.MLP([4, 5, 1], "tanh", dtype=float), scheme, **options)
        optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(20):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(model(x), y).backward()
            optimizer.step()
        return model

    start = nn.init.initialize(nn.MLP([4, 5, 1], "tanh", dtype=float), "constant", val=c)
    assert_close(start[:2](x).data, np.tanh(c * x.sum(axis=1, keepdims=True)) * np.ones((1, 5)))
    np.testing.assert_array_equal(nn.init.constant_(start[0].weight, c).data, np.full((5, 4), c))

    model = trained("constant", val=c)
    weight = model[0].weight.data
    assert_close(weight, np.ones((5, 1)) * weight[:1])
    assert np.abs(weight[0] - c).min() > 1e-3  # it has learned, as one unit
    assert np.ptp(trained("normal", rng=np.random.default_rng(0))[0].weight.data, axis=0).min() > 0.1


def test_S2_11_small_random_weights() -> None:
    """W^l ~ N(0, 1/n^(l-1)): Var(w) = 1/n, std = 1/√n, so Var(z) = n Var(w) Var(a) = Var(a)."""
    rng = np.random.default_rng(0)
    for n in (25, 100, 400, 1600):
        w = nn.init.lecun_normal_(nn.Parameter(np.zeros((400, n))), rng=rng).data
        error = np.sqrt(2 / w.size)  # of a sample variance, relative
        assert n * w.var() == pytest.approx(1, abs=5 * error)
        assert np.sqrt(n) * w.std() == pytest.approx(1, abs=5 * error)
        assert abs(w.mean()) < 5 / np.sqrt(n * w.size)
    z = rng.normal(size=(2000, 1600)) @ w.T
    # Given W, Var(z_j) is the sum of squares of its row; over the 400 rows their mean is within √(2 / size of W).
    assert z.var() == pytest.approx(1, abs=5 * (np.sqrt(2 / w.size) + np.sqrt(2 / z.size)))
    too_large = rng.normal(size=(2000, 1600)) @ (np.sqrt(1600) * w).T  # Var(w) = 1 instead
    assert too_large.var() == pytest.approx(1600, rel=0.05)


def test_S2_12_xavier_is_given_by_its_standard_deviation() -> None:
    """W ~ N(0, σ²) with σ = √(2 / (n_in + n_out)).

    The notes write N(0, √(2 / (n_in + n_out))), whose second argument is the standard deviation, where N(0, 1/n) just
    above has the variance; and they call Glorot's formula "Xavier-He". Read as a variance it would be σ = .2236 here,
    not .05.
    """
    n_in, n_out = 300, 500
    std = np.sqrt(2 / (n_in + n_out))
    assert (std, np.sqrt(std)) == (pytest.approx(0.05), pytest.approx(0.2236, abs=1e-4))

    def drawn(initializer: Any) -> Array:
        return initializer(nn.Parameter(np.zeros((n_out, n_in))), rng=np.random.default_rng(0)).data

    xavier = drawn(nn.init.xavier_normal_)
    tolerance = 5 / np.sqrt(2 * xavier.size)
    assert xavier.std() / std == pytest.approx(1, abs=tolerance)
    assert xavier.std() / np.sqrt(std) < 0.25  # σ² misread as σ
    np.testing.assert_array_equal(xavier, drawn(nn.init.glorot_normal_))
    assert drawn(nn.init.kaiming_normal_).std() == pytest.approx(np.sqrt(2 / n_in), rel=tolerance)  # He's: n_in alone


def test_S2_13_other_schemes() -> None:
    """The exercise of the notes, to find other schemes: their variances, or what else defines them."""
    n_in, n_out = 200, 300
    variances = {
        "xavier_uniform": 2 / (n_in + n_out),
        "xavier_normal": 2 / (n_in + n_out),
        "kaiming_uniform": 2 / n_in,
        "kaiming_normal": 2 / n_in,
        "lecun_uniform": 1 / n_in,
        "lecun_normal": 1 / n_in,
    }

    def drawn(name: str, **options: Any) -> Array:
        options |= {"rng": np.random.default_rng(0)} if name in nn.init.DRAWN else {}
        return nn.init.SCHEMES[name](nn.Parameter(np.zeros((n_out, n_in))), **options).data

    for name, variance in variances.items():
        w = drawn(name)
        assert w.var() / variance == pytest.approx(1, abs=5 * np.sqrt(2 / w.size)), name
        if name.endswith("uniform"):
            assert np.abs(w).max() <= np.sqrt(3 * variance) < 1.001 * np.abs(w).max(), name

    orthogonal = drawn("orthogonal")
    assert_close(orthogonal.T @ orthogonal, np.eye(n_in), atol=1e-12)
    truncated = drawn("trunc_normal", std=0.5, a=-1.0, b=1.0)  # at two standard deviations
    assert np.abs(truncated).max() <= 1
    assert truncated.std() / 0.5 == pytest.approx(0.8796, abs=5e-3)  # √(1 - 4 φ(2) / (2 Φ(2) - 1))
    np.testing.assert_array_equal(drawn("constant", val=0.5), np.full((n_out, n_in), 0.5))
    np.testing.assert_array_equal(drawn("identity"), np.eye(n_out, n_in))
    np.testing.assert_array_equal(drawn("glorot_uniform"), drawn("xavier_uniform"))
    np.testing.assert_array_equal(drawn("he_normal"), drawn("kaiming_normal"))


def test_S2_14_transfer_learning(tmp_path: Path) -> None:
    """First values are those of a trained network: the same outputs; frozen layers stay, the new one learns."""
    rng = np.random.default_rng(0)
    x, y = normal(30, 4), np.arange(30) % 3
    trained = nn.MLP([4, 6, 3], "tanh", dtype=float, rng=rng)
    nn.fit(trained, cross_entropy, nn.optim.SGD(trained.parameters(), lr=0.5), (x, y), epochs=5, progress=False)
    nn.save(trained, tmp_path / "trained.safetensors")
    state = nn.load(tmp_path / "trained.safetensors")

    same = nn.MLP([4, 6, 3], "tanh", dtype=float)
    assert not np.array_equal(same(x).data, trained(x).data)
    same.load_state_dict(state)
    np.testing.assert_array_equal(same(x).data, trained(x).data)

    model = nn.MLP([4, 6, 2], "tanh", dtype=float, rng=rng)  # two classes: another last layer
    with pytest.raises(nn.StateError, match=r"2\.weight"):
        model.load_state_dict(state)
    features = {name: value for name, value in state.items() if name.startswith("0.")}
    with pytest.raises(nn.StateError, match="missing"):
        model.load_state_dict(features)
    assert model.load_state_dict(features, strict=False).missing_keys == ["2.weight", "2.bias"]
    np.testing.assert_array_equal(model[0].weight.data, trained[0].weight.data)

    model[0].requires_grad_(False)
    before = model.state_dict()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    hidden = np.tanh(x @ before["0.weight"].T + before["0.bias"])
    logits = hidden @ before["2.weight"].T + before["2.bias"]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    cross_entropy(model(x), y % 2).backward()
    optimizer.step()
    assert model[0].weight.grad is None
    np.testing.assert_array_equal(model[0].weight.data, before["0.weight"])
    np.testing.assert_array_equal(model[0].bias.data, before["0.bias"])
    assert_close(
        model[2].weight.data, before["2.weight"] - 0.1 * (probabilities - np.eye(2)[y % 2]).T @ hidden / len(x)
    )


# Batch normalization


def test_S2_15_the_inputs_of_deep_layers_shift() -> None:
    """While a network learns, mean and spread of z^l move; those of z_norm stay 0 and √(σ² / (σ² + ε))."""
    x = normal(64, 10)
    y = 3 * np.sin(x[:, :2]) + 2

    def watched(normalized: bool) -> FlowRecorder:
        layers = []
        for number, (n_in, n_out) in enumerate([(10, 20), (20, 20), (20, 20)]):
            rng = np.random.default_rng(number)
            norm = [nn.BatchNorm1d(n_out, affine=False, dtype=float)] if normalized else []
            layers += [nn.Linear(n_in, n_out, bias=not normalized, dtype=float, rng=rng), *norm, nn.Tanh()]
        model = nn.Sequential(*layers, nn.Linear(20, 2, dtype=float, rng=np.random.default_rng(3)))
        optimizer = nn.optim.SGD(model.parameters(), lr=0.2)
        with FlowRecorder(model) as flow:
            for _ in range(40):
                optimizer.zero_grad()
                np.mean((model(x) - y) ** 2).backward()
                optimizer.step()
        return flow

    plain = watched(normalized=False).records["4"]  # z of the third layer
    assert plain.mean[0] is not None
    drift = max(abs(mean - plain.mean[0]) for mean in plain.mean)
    growth = plain.spread[-1] / plain.spread[0]
    assert drift > 0.05
    assert growth > 1.5

    normalized = watched(normalized=True)
    before, after = normalized.records["6"], normalized.records["7"]  # z and z_norm of the third layer
    assert_close(after.mean, np.zeros(40), atol=1e-12)
    assert_close(after.spread, np.ones(40), rtol=1e-3)  # less by ε = 1e-5 beside a variance of .02 or more
    assert np.ptp(before.spread) > 0.01  # z itself moves here too


def test_S2_16_inputs_are_normalized_with_the_numbers_of_the_training_data() -> None:
    """x := (x - μ) / σ with μ = 1/m Σ x and σ² = 1/(m-1) Σ (x - μ)², for training and for test inputs."""
    train, test = 5 + 3 * normal(20, 4), 6 + 2 * normal(7, 4, seed=1)
    mean = train.sum(axis=0) / 20
    variance = np.sum((train - mean) ** 2, axis=0) / 19
    standardizer = nn.Standardizer(ddof=1).fit(train)
    assert_close(standardizer.mean, mean)
    assert_close(standardizer.std, np.sqrt(variance))
    assert_close(standardizer.transform(train), (train - mean) / np.sqrt(variance))
    assert_close(standardizer.transform(test), (test - mean) / np.sqrt(variance))
    assert np.abs(standardizer.transform(test).mean(axis=0)).min() > 0.01  # not by numbers of its own
    assert_close(nn.Standardizer().fit(train).std, np.sqrt(variance * 19 / 20))  # 1/m, the default


def test_S2_17_normalization_stands_before_the_activation() -> None:
    """a^l = f(BN(W^l a^(l-1))): Linear, BatchNorm, activation; after the activation it would be another function."""
    model = nn.MLP([4, 5, 5, 2], "tanh", batch_norm=True, dtype=float, rng=np.random.default_rng(0))
    assert [type(layer).__name__ for layer in model] == [
        *["Linear", "BatchNorm1d", "Tanh"] * 2,
        "Linear",
    ]

    def normalized(z: Array) -> Array:
        return (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)

    x = normal(16, 4, seed=1)
    a, other = x, x
    for index in (0, 3):
        w = model[index].weight.data
        a, other = np.tanh(normalized(a @ w.T)), normalized(np.tanh(other @ w.T))
    w, b = model[6].weight.data, model[6].bias.data
    assert_close(model(x).data, a @ w.T + b)
    assert np.abs(model(x).data - (other @ w.T + b)).max() > 0.1


def test_S2_18_a_batch_is_normalized_by_its_own_biased_variance() -> None:
    """z_norm = (z - μ) / √(σ² + ε) with μ = 1/B Σ z and σ² = 1/B Σ (z - μ)²; the running variance has 1/(B-1)."""
    z, eps, count = 4 + 3 * normal(6, 5), 1e-5, 6
    mean = z.sum(axis=0) / count
    squares = np.sum((z - mean) ** 2, axis=0)
    layer = nn.BatchNorm1d(5, eps=eps, momentum=1.0, affine=False, dtype=float)
    out = layer(z)
    assert_close(out, (z - mean) / np.sqrt(squares / count + eps))
    assert_close(layer.running_mean, mean)  # with momentum 1 those of this batch
    assert_close(layer.running_var, squares / (count - 1))
    unbiased = (z - mean) / np.sqrt(squares / (count - 1) + eps)
    assert_close(unbiased / out, np.full((6, 5), np.sqrt(5 / 6)), rtol=1e-5)  # a factor of .913 for six examples


def test_S2_19_scale_and_shift_are_learned() -> None:
    """z̃ = γ z_norm + β: mean β and standard deviation γ; two numbers for each unit; ∂l/∂γ = Σ g z_norm, ∂l/∂β = Σ g.

    The notes print (0, σ²) for z_norm, where it is (0, 1), and speak of 2 parameters for each layer; it is for each
    unit of it.
    """
    z, g = 4 + 3 * normal(50, 3), normal(50, 3, seed=1)
    layer = nn.BatchNorm1d(3, eps=0.0, dtype=float)
    z_norm = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0))
    assert_close(layer(z).data, z_norm)  # γ = 1 and β = 0 at first
    assert_close(z_norm.var(axis=0), np.ones(3))
    assert z.var(axis=0).min() > 4  # what σ² would be

    gamma, beta = np.array([2.0, 0.5, -1.0]), np.array([1.0, 0.0, 3.0])
    layer.weight.data, layer.bias.data = gamma, beta
    out = layer(z)
    assert_close(out.data, gamma * z_norm + beta)
    assert_close(out.data.mean(axis=0), beta, atol=1e-12)
    assert_close(out.data.std(axis=0), np.abs(gamma))
    out.backward(g)
    assert_close(layer.weight.grad, np.sum(g * z_norm, axis=0))
    assert_close(layer.bias.grad, np.sum(g, axis=0))
    assert sum(parameter.size for parameter in layer.parameters()) == 2 * 3
    undone = nn.BatchNorm1d(3, eps=0.0, dtype=float)  # γ = σ and β = μ give z back
    undone.weight.data, undone.bias.data = z.std(axis=0), z.mean(axis=0)
    assert_close(undone(z).data, z)


def test_S2_20_the_optimizer_moves_scale_and_shift() -> None:
    """Parameters are W^l, γ^l, β^l; β := β - α ∂l/∂β and γ := γ - α ∂l/∂γ."""
    model = nn.MLP([3, 4, 1], "tanh", batch_norm=True, dtype=float, rng=np.random.default_rng(0))
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "1.weight", "1.bias", "3.weight", "3.bias"]
    x, rate = normal(10, 3, seed=1), 0.5
    y = x[:, :1] * x[:, 1:2]
    optimizer = nn.optim.SGD(model.parameters(), lr=rate)
    z = x @ model[0].weight.data.T
    z_norm = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
    a = np.tanh(z_norm)
    upstream = 2 * (a @ model[3].weight.data.T + model[3].bias.data - y) / len(x)
    g = upstream @ model[3].weight.data * (1 - a**2)  # ∂l/∂z̃
    np.mean((model(x) - y) ** 2).backward()
    optimizer.step()
    assert_close(model[1].weight.data, 1 - rate * np.sum(g * z_norm, axis=0))
    assert_close(model[1].bias.data, 0 - rate * np.sum(g, axis=0))
    assert np.abs(model[1].bias.data).min() > 1e-4


def test_S2_21_evaluation_uses_running_averages() -> None:
    """μ_av^t = α μ_av^(t-1) + (1 - α) μ^t, and σ²_av likewise; α = 1 - momentum.

    The notes print += in its place: the old average would then be added to itself, and grow without bound.
    """
    alpha, batches = 0.9, 5 + 2 * normal(30, 8, 3)
    layer = nn.BatchNorm1d(3, momentum=1 - alpha, affine=False, dtype=float)
    mean, variance, printed = np.zeros(3), np.ones(3), np.zeros(3)
    for batch in batches:
        layer(batch)
        mean = alpha * mean + (1 - alpha) * batch.mean(axis=0)
        variance = alpha * variance + (1 - alpha) * batch.var(axis=0, ddof=1)
        printed = printed + alpha * printed + (1 - alpha) * batch.mean(axis=0)
    assert_close(layer.running_mean, mean)
    assert_close(layer.running_var, variance)
    assert np.all(np.abs(mean - 5) < 1)
    assert np.all(printed > 1e7)  # where a mean of 5 was to be found

    single = np.array([[4.0, 5.0, 6.0]])
    layer.eval()
    assert_close(layer(single), (single - mean) / np.sqrt(variance + 1e-5))
    assert_close(layer.running_mean, mean)  # evaluation does not move it


def test_S2_22_before_normalization_a_bias_is_eliminated() -> None:
    """(z + b) - mean(z + b) = z - μ: the same output for every b, and ∂l/∂b = 0."""
    x, w, g = normal(9, 4), normal(3, 4, seed=1), normal(9, 3, seed=2)
    outputs = []
    for b in (np.zeros(3), np.array([5.0, -7.0, 100.0])):
        bias = learned(b)
        out = batch_norm(x @ w.T + bias, training=True)
        out.backward(g)
        outputs.append(out.data)
        assert_close(bias.grad, np.zeros(3), atol=1e-12)
    z = x @ w.T
    assert_close(outputs[0], (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5))
    assert_close(outputs[1], outputs[0], atol=1e-12)

    model = nn.MLP([4, 3, 2], batch_norm=True)
    assert model[0].bias is None  # before normalization there is none
    assert model[3].bias is not None
    assert sum(p.size for p in model.parameters()) == 4 * 3 + 2 * 3 + 3 * 2 + 2
    assert nn.lint(model) == []
    (advice,) = nn.lint(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)))
    assert advice.startswith("0: the bias of Linear has no effect before BatchNorm1d")


def test_S2_23_the_conventions_of_torch_nn_BatchNorm() -> None:
    """torch.nn.BatchNorm1d: 1/B to normalize, 1/(B-1) and momentum 0.1 in the running variance, ε = 1e-5.

    The numbers are PyTorch's own, of this batch in float64; tests/oracle compares with PyTorch itself.
    """
    layer = nn.BatchNorm1d(2, dtype=float)
    assert (layer.eps, layer.momentum) == (1e-5, 0.1)
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    layer.weight.data, layer.bias.data = [2.0, 0.5], [1.0, -1.0]
    x = learned(np.array([[1.0, 0.0], [2.0, 4.0], [6.0, -1.0]]))
    out = layer(x)
    assert_close(
        out.data,
        [
            [-0.8516382156480775, -1.2314547769560096],
            [0.07418089217596124, -0.3056356691319708],
            [3.7774573234721163, -1.4629095539120192],
        ],
    )
    out.backward([[1.0, 2.0], [-1.0, 0.0], [0.5, 3.0]])
    assert_close(
        x.grad,
        [
            [0.8376457177531419, -0.05510799681421608],
            [-1.0470573951781572, 0.01102080580530837],
            [0.20941167742501515, 0.044087191008907636],
        ],
    )
    assert_close(layer.weight.grad, [0.2314547769560097, -3.703276431296155])
    assert_close(layer.bias.grad, [0.5, 5.0])
    assert_close(layer.running_mean, [0.3, 0.1])
    assert_close(layer.running_var, [1.6, 1.6])
    assert_close(layer.eval()([[1.0, 1.0]]).data, [[2.1067937223339546, -0.644244874964086]])


# Dropout


def test_S2_24_inverted_dropout_keeps_the_expected_output() -> None:
    """Training: a_i m_i / p with m_i = 1 with probability p, so the expected output is a_i, that of the test.

    The notes' p is the probability to keep. That of `nn.Dropout`, as PyTorch's, is the probability to drop: 1 - p.
    """
    keep, count = 0.8, 1_000_000
    layer = nn.Dropout(1 - keep, rng=np.random.default_rng(0))
    a = learned(np.ones(count))
    out = layer(a)
    kept = out.data != 0
    assert_close(out.data[kept], 1 / keep)
    deviation = np.sqrt(keep * (1 - keep) / count)
    assert kept.mean() == pytest.approx(keep, abs=5 * deviation)
    assert out.data.mean() == pytest.approx(layer.eval()(np.ones(count)).mean(), abs=5 * deviation / keep)
    out.backward(np.ones(count))
    assert_close(a.grad, kept / keep)  # who was left out learns nothing from this example

    # The expectation of a linear unit over all 2⁴ masks, each with its probability.
    w, inputs = np.array([0.5, -1.0, 2.0, 0.25]), np.array([1.0, 2.0, -1.0, 4.0])
    masks = np.array(list(np.ndindex(2, 2, 2, 2)))
    chances = np.prod(np.where(masks == 1, keep, 1 - keep), axis=1)
    assert_close(chances @ (masks * inputs / keep @ w), w @ inputs)
    assert_close(chances @ (masks * inputs @ w), keep * (w @ inputs))  # without 1/p it would shrink

    mistaken = dropout(np.ones(count), keep, rng=np.random.default_rng(0))  # p taken for the other one
    assert mistaken.max() == pytest.approx(5.0)  # 1 / (1 - .8), where 1 / .8 was meant
    assert np.mean(mistaken != 0) == pytest.approx(1 - keep, abs=5 * deviation)


def test_S2_25_classic_dropout_scales_at_test_time() -> None:
    """Classic: a m in training and p a at test time; it is p times inverted dropout in both, with the same masks.

    The notes ask for 1/p in training and for p at test time, one below the other. It is one or the other: with both the
    output at test time is p times that expected in training.
    """
    keep, a = 0.75, normal(4, 1000)
    inverted = nn.Dropout(1 - keep, rng=np.random.default_rng(0))
    trained, tested = inverted(a), inverted.eval()(a)
    mask = trained != 0
    classic_trained, classic_tested = a * mask, keep * a
    assert_close(keep * trained, classic_trained)
    assert_close(keep * tested, classic_tested)
    assert mask.mean() == pytest.approx(keep, abs=5 * np.sqrt(keep * (1 - keep) / a.size))

    # A sum of units over many masks, classic: its mean is p times the sum at test time without a factor.
    many = np.array([(a[0] * (dropout(np.ones(1000), 1 - keep) != 0)).sum() for _ in range(4000)])
    error = np.sqrt(keep * (1 - keep) * np.sum(a[0] ** 2) / len(many))
    assert many.mean() == pytest.approx(keep * a[0].sum(), abs=5 * error)
    assert abs(many.mean() - a[0].sum()) > 10 * error  # no factor at all
    assert abs(many.mean() / keep - keep * a[0].sum()) > 10 * error / keep  # both factors


def test_S2_26_all_neurons_are_active_at_test_time() -> None:
    """In evaluation dropout is the identity: the same object, nothing recorded, the same output every time."""
    a = learned(normal(5, 3))
    layer = nn.Dropout(0.5, rng=np.random.default_rng(0))
    assert layer.eval()(a) is a
    assert np.any(layer.train()(a).data == 0)

    model = nn.MLP([3, 8, 2], "relu", dropout=0.5, dtype=float, rng=np.random.default_rng(0))
    x = normal(4, 3, seed=1)
    assert not np.array_equal(model(x).data, model(x).data)  # two masks
    model.eval()
    w1, b1, w2, b2 = (parameter.data for parameter in model.parameters())
    assert_close(model(x).data, np.maximum(x @ w1.T + b1, 0) @ w2.T + b2)
    np.testing.assert_array_equal(nn.predict(model.train(), x), model.eval()(x).data)


def test_S2_27_the_courses_that_the_notes_point_to() -> None:
    """CS231n (Stanford) and François Fleuret's deep learning course (EPFL) are named where dropout is explained."""
    notebook = Path(__file__).parents[2] / "notebooks" / "10_dropout_and_weight_decay.py"
    text = notebook.read_text(encoding="utf-8")
    assert "[CS231n](https://cs231n.github.io/" in text
    assert "[François Fleuret's deep learning course](https://fleuret.org/dlc/)" in text
