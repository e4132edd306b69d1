"""The notes "Backpropagation, initialization, autograd": what they say, by hand, against the engine.

The closed forms are plain NumPy or numbers worked out by hand. Weights are (out, in) and an example is a column, as in
the notes; where a test says "rows", weights are (in, out) and examples are rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import nn
from autograd import GradcheckError, Tensor, differentiable, grad, gradcheck, graph, jacobian, relu, sigmoid
from autograd.view.model import Graph, GraphEdge
from tests.lectures.by_hand import assert_close, normal, parameter, σ

Array = Any


def named(name: str, tensor: Tensor) -> Tensor:
    """Name a tensor that was computed, and keep its gradient."""
    tensor.name = name
    tensor.retain_grad()
    return tensor


def edges(picture: Graph) -> dict[tuple[str, str], GraphEdge]:
    """The edges of a graph by what they connect, called by name, or by operation."""
    names = {node.id: node.name or node.op for node in picture.nodes}
    return {(names[edge.source], names[edge.target]): edge for edge in picture.edges}


# A network in the notation of the notes, by hand


class Nonlinearity(NamedTuple):
    """A nonlinearity σ for arrays and tensors, and its derivative for arrays."""

    value: Callable[[Any], Any]
    derivative: Callable[[Array], Array]


SIGMOID = Nonlinearity(lambda z: 1 / (1 + np.exp(-z)), lambda z: σ(z) * (1 - σ(z)))
TANH = Nonlinearity(np.tanh, lambda z: 1 - np.tanh(z) ** 2)
SOFTPLUS = Nonlinearity(lambda z: np.logaddexp(0, z), σ)
IDENTITY = Nonlinearity(lambda z: z, np.ones_like)


class Layer(NamedTuple):
    """What belongs to layer m, as columns: W^m and b^m are given, σ^m is its nonlinearity."""

    W: Any
    b: Any
    nonlinearity: Nonlinearity


def layers(*sizes: int, nonlinearities: list[Nonlinearity]) -> list[Layer]:
    rng = np.random.default_rng(7)
    shapes = zip(sizes[1:], sizes[:-1], nonlinearities, strict=True)
    return [Layer(rng.normal(size=(n, k)), rng.normal(size=(n, 1)), σm) for n, k, σm in shapes]


def tracked(network: list[Layer]) -> list[Layer]:
    return [Layer(parameter(layer.W), parameter(layer.b), layer.nonlinearity) for layer in network]


def forward(network: list[Layer], x: Any) -> tuple[list[Any], list[Any]]:
    """z^1 … z^L and a^0 … a^L, as arrays or tensors."""
    zs, activations = [], [x]
    for layer in network:
        zs.append(layer.W @ activations[-1] + layer.b)
        activations.append(layer.nonlinearity.value(zs[-1]))
    return zs, activations


def backpropagation(network: list[Layer], x: Array, y: Array) -> list[tuple[Array, Array, Array]]:
    """dC/dz^m, dC/dW^m and dC/db^m by the three steps of the notes, for C = |a^L - y|² / 2."""
    zs, activations = forward(network, x)
    dz: list[Any] = [None] * len(network)
    dz[-1] = (activations[-1] - y) * network[-1].nonlinearity.derivative(zs[-1])  # step 1
    for m in reversed(range(len(network) - 1)):  # step 2
        dz[m] = (network[m + 1].W.T @ dz[m + 1]) * network[m].nonlinearity.derivative(zs[m])
    return [(dz[m], dz[m] @ activations[m].T, dz[m]) for m in range(len(network))]  # step 3


def loss_of(network: list[Layer], x: Any, y: Array) -> tuple[Tensor, list[Tensor]]:
    """C and z^1 … z^L, which keep their gradients."""
    zs, activations = forward(network, x)
    for z in zs:
        z.retain_grad()
    return 0.5 * np.sum((activations[-1] - y) ** 2), zs


# The chain rule


def test_S3_01_chain_rule() -> None:
    """dC/dw = dC/dz · dz/dw."""
    w = parameter(0.7, "w")
    z = named("z", w**3)
    C = np.sin(z)
    picture = graph(C)
    C.backward()
    dC_dz, dz_dw = np.cos(0.7**3), 3 * 0.7**2
    assert_close(z.grad, dC_dz)
    assert_close(w.grad, dC_dz * dz_dw)
    found = {name: edge.local.number for name, edge in edges(picture).items() if edge.local}
    assert found == {("w", "z"): pytest.approx(dz_dw, rel=1e-12), ("z", "sin"): pytest.approx(dC_dz, rel=1e-12)}


def test_S3_02_chain_rule_over_several_paths() -> None:
    """dC/dw = Σᵢ dC/dzᵢ · dzᵢ/dw: the gradient is accumulated over the paths."""
    w = parameter(0.7, "w")
    z1, z2, z3 = named("z1", w**2), named("z2", np.exp(w)), named("z3", np.sin(w))
    C = z1 * z2 + z3
    picture = graph(C)
    C.backward()
    by_path = [np.exp(0.7) * 2 * 0.7, 0.7**2 * np.exp(0.7), np.cos(0.7)]
    assert_close(w.grad, sum(by_path))
    arrived = [edges(picture)["w", z].contribution for z in ("z1", "z2", "z3")]
    assert [part.number for part in arrived if part] == pytest.approx(by_path, rel=1e-12)
    assert all(abs(w.grad - path) > 0.5 for path in by_path)  # no single path is the derivative

    a, c = normal(5), normal(5, seed=1)  # the same with z as a vector: zᵢ = aᵢ w, C = Σ cᵢ zᵢ²
    w = parameter(0.7)
    np.sum(c * (a * w) ** 2).backward()
    assert_close(w.grad, sum(2 * c[i] * (a[i] * 0.7) * a[i] for i in range(5)))


# Backpropagation


def test_S3_03_notation() -> None:
    """a^0 = x, z^m = W^m a^(m-1) + b^m, a^m = σ^m(z^m), with W^m of shape (N^m, N^(m-1)) and b^m of shape (N^m,)."""
    sizes = [3, 5, 4, 2]
    model = nn.MLP(sizes, activation="tanh", rng=np.random.default_rng(0)).double()
    parameters = {name: p.numpy() for name, p in model.named_parameters()}
    W, b = ([parameters[f"{layer}.{kind}"] for layer in (0, 2, 4)] for kind in ("weight", "bias"))
    assert [w.shape for w in W] == [(5, 3), (4, 5), (2, 4)]
    assert [v.shape for v in b] == [(5,), (4,), (2,)]
    x = normal(3)
    a = list(x)
    for m in range(3):  # number by number
        z = [sum(W[m][i, j] * a[j] for j in range(sizes[m])) + b[m][i] for i in range(sizes[m + 1])]
        a = [np.tanh(number) for number in z] if m < 2 else z
    assert_close(model(x).numpy(), np.array(a))
    rows = x[None]
    for m in range(3):  # rows: weights (in, out)
        rows = rows @ W[m].T + b[m]
        rows = np.tanh(rows) if m < 2 else rows
    assert_close(model(x[None]).numpy(), rows)


def test_S3_04_derivative_of_z_with_respect_to_a_weight() -> None:
    """dz_k/dW_ij = 0 if i ≠ k, and a_j if i = k."""
    W, a, b = normal(4, 3), normal(3, seed=1), normal(4, seed=2)
    expected = np.zeros((4, 4, 3))
    for k in range(4):
        expected[k, k] = a
    np.testing.assert_array_equal(jacobian(lambda W: W @ a + b)(W), expected)
    np.testing.assert_array_equal(jacobian(lambda W: nn.functional.linear(a, W, b))(W), expected)
    rows = jacobian(lambda W: a @ W + b)(W.T)  # rows: weights (in, out)
    np.testing.assert_array_equal(rows, expected.transpose(0, 2, 1))
    assert np.count_nonzero(expected) == 4 * 3  # of 4 · 4 · 3


def test_S3_05_gradient_of_the_weights() -> None:
    """dC/dW_ij = dC/dz_i · a_j, as a matrix dC/dW^m = dC/dz^m (a^(m-1))ᵀ."""
    W, b, a = parameter(normal(4, 3)), parameter(normal(4, 1, seed=1)), normal(3, 1, seed=2)
    z = named("z", W @ a + b)
    np.sum(np.sin(z)).backward()
    dz = np.cos(W.numpy() @ a + b.numpy())
    assert_close(z.grad, dz)
    assert_close(W.grad, dz @ a.T)
    assert_close(W.grad, np.array([[dz[i, 0] * a[j, 0] for j in range(3)] for i in range(4)]))
    rows = parameter(W.numpy().T)  # rows: weights (in, out)
    np.sum(np.sin(a.T @ rows + b.numpy().T)).backward()
    assert_close(rows.grad, a @ dz.T)


def test_S3_06_gradient_of_the_bias() -> None:
    """dC/db^m = dC/dz^m; for a batch, its sum over the examples."""
    W, b, a = normal(4, 3), parameter(normal(4, 1, seed=1)), normal(3, 1, seed=2)
    z = named("z", W @ a + b)
    np.sum(np.sin(z)).backward()
    assert_close(b.grad, np.cos(W @ a + b.numpy()))
    np.testing.assert_array_equal(b.grad, z.grad)
    b, batch = parameter(b.numpy()), normal(3, 6, seed=3)
    np.sum(np.sin(W @ batch + b)).backward()
    assert_close(b.grad, np.cos(W @ batch + b.numpy()).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("nonlinearity", [SIGMOID, TANH, SOFTPLUS, IDENTITY])
def test_S3_07_the_last_layer(nonlinearity: Nonlinearity) -> None:
    """dC/dz^L = dC/da^L ∘ da^L/dz^L."""
    z, y = normal(4, 1), normal(4, 1, seed=1)
    tensor = parameter(z)
    a = named("a", nonlinearity.value(tensor))
    (0.5 * np.sum((a - y) ** 2)).backward()
    dC_da = nonlinearity.value(z) - y
    assert_close(tensor.grad, dC_da * nonlinearity.derivative(z))
    assert_close(a.grad, dC_da)


def test_S3_08_recursion() -> None:
    """dC/dz^m = ((W^(m+1))ᵀ dC/dz^(m+1)) ∘ da^m/dz^m, for m = L-1, …, 1."""
    network = layers(3, 6, 5, 4, 2, nonlinearities=[SIGMOID, TANH, SOFTPLUS, IDENTITY])
    x, y = normal(3, 1), normal(2, 1, seed=1)
    C, zs = loss_of(tracked(network), x, y)
    C.backward()
    for z, (dz, _, _) in zip(zs, backpropagation(network, x, y), strict=True):
        assert_close(z.grad, dz)
    values, _ = forward(network, x)
    for m in range(3):  # the recursion, from the engine's own gradient of the layer above
        layer = network[m]
        assert_close(zs[m].grad, (network[m + 1].W.T @ zs[m + 1].grad) * layer.nonlinearity.derivative(values[m]))


@pytest.mark.parametrize(
    ("sizes", "nonlinearities"),
    [
        ((3, 2), [TANH]),
        ((4, 1, 3), [SIGMOID, IDENTITY]),
        ((2, 8, 8, 3), [SOFTPLUS, TANH, SIGMOID]),
        ((5, 4, 4, 4, 4, 4, 1), [TANH, SIGMOID, SOFTPLUS, SIGMOID, TANH, IDENTITY]),
    ],
)
def test_S3_09_three_steps(sizes: tuple[int, ...], nonlinearities: list[Nonlinearity]) -> None:
    """1) dC/dz^L; 2) dC/dz^m for m = L-1, …, 1; 3) dC/dW^m = dC/dz^m (a^(m-1))ᵀ and dC/db^m = dC/dz^m."""
    network = layers(*sizes, nonlinearities=nonlinearities)
    x, y = normal(sizes[0], 1), normal(sizes[-1], 1, seed=1)
    tensors = tracked(network)
    C, _ = loss_of(tensors, x, y)
    C.backward()
    for layer, (_, dW, db) in zip(tensors, backpropagation(network, x, y), strict=True):
        assert_close(layer.W.grad, dW)
        assert_close(layer.b.grad, db)


@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_S3_10_sigmoids_and_cross_entropy(y: float) -> None:
    """C = (y-1) log(1-a) - y log a: dC/da = (a-y)/(a(1-a)), dC/dz^L = a-y, dC/dW^(L-1) below.

    dC/dW^(L-1) = ((W^L)ᵀ (a^L - y) ∘ a^(L-1) (1 - a^(L-1))) (a^(L-2))ᵀ. The notes leave the outer brackets out: the
    product with ∘ comes first, and the matrix product last.
    """
    network = layers(3, 5, 4, 1, nonlinearities=[SIGMOID] * 3)
    x = normal(3, 1)
    tensors = tracked(network)
    zs, activations = forward(tensors, x)
    a = activations[-1]
    for tensor in (a, zs[-1]):
        tensor.retain_grad()
    np.sum((y - 1) * np.log(1 - a) - y * np.log(a)).backward()
    _, (_, a1, a2, a3) = forward(network, x)
    assert_close(a.grad, (a3 - y) / (a3 * (1 - a3)))
    assert_close(zs[-1].grad, a3 - y)
    dz2 = (network[2].W.T @ (a3 - y)) * (a2 * (1 - a2))
    assert_close(tensors[1].W.grad, dz2 @ a1.T)
    assert a1.T.shape != dz2.shape  # so that ∘ with the last factor, read from the left, is not even defined


def test_S3_11_repeated_multiplication() -> None:
    """dC/dz^m contains Π Wᵀ σ'(z), and σ' ≤ 1/4: with L equal layers it goes to 0 or to ∞ like (w/4)^L at z = 0."""
    slopes = grad(lambda z: np.sum(sigmoid(z)))(np.linspace(-8, 8, 1601))
    assert slopes.max() == slopes[800] == 0.25

    def slope(w: float, depth: int) -> float:
        """The gradient of `depth` layers a ← σ(w a - w/2), which keep a = 1/2 where it is, with z = 0."""
        x = parameter(0.5)
        a = x
        for _ in range(depth):
            a = sigmoid(w * a - w / 2)
        a.backward()
        return float(x.grad)

    assert slope(1.0, 30) == 0.25**30 < 1e-18  # vanishes
    assert slope(4.0, 30) == 1.0
    assert slope(8.0, 30) == 2.0**30 > 1e9  # explodes

    network = layers(*[8] * 13, nonlinearities=[SIGMOID] * 12)
    C, zs = loss_of(tracked(network), normal(8, 1), np.zeros((8, 1)))
    C.backward()
    norms = [np.linalg.norm(z.grad) for z in zs]
    for m in range(11):  # no layer can give back more than |W| / 4 of what it gets
        assert norms[m] <= np.linalg.norm(network[m + 1].W, 2) / 4 * norms[m + 1]
    assert norms[0] < norms[-1] / 100


# Initialization


def test_S3_12_variance_of_a_linear_layer() -> None:
    """o = W x with x ~ N(0, 1) and W ~ N(0, s²), independent: E[o] = 0 and Var[o] = n_in s²."""
    n_in, n_out, examples = 100, 1_000, 1_000
    rng = np.random.default_rng(0)
    layer = nn.Linear(n_in, n_out, bias=False, rng=rng)
    x = rng.normal(size=(examples, n_in))
    for s in (0.05, 0.1, 0.3):
        nn.init.normal_(layer.weight, std=s, rng=rng)
        o = layer(x).numpy()
        # Var[o] is n_in s² times the mean squares of W and of x over s², each known to sqrt(2/numbers).
        deviation = np.sqrt(2 / (n_in * n_out) + 2 / (n_in * examples))
        assert abs(o.var() / (n_in * s**2) - 1) < 5 * deviation < 0.04
        assert abs(o.mean()) < 5 * s * np.sqrt(n_in / n_out / examples)


def forward_and_backward(s: float, n_in: int, n_out: int) -> tuple[float, float]:
    """The variances of o = W x and of dC/dx = Wᵀ dC/do, where x and dC/do have variance 1, measured."""
    rng = np.random.default_rng(1)
    x = parameter(rng.normal(size=(1_000, n_in)))
    o = x @ rng.normal(scale=s, size=(n_out, n_in)).T
    o.backward(rng.normal(size=o.shape))
    return float(np.var(o.numpy())), float(np.var(x.grad))


def test_S3_13_forward_and_backward_want_different_weights() -> None:
    """The forward pass wants n_in s² = 1, the backward pass n_out s² = 1: both only if n_in = n_out."""
    n_in, n_out = 400, 100
    assert forward_and_backward(1 / np.sqrt(n_in), n_in, n_out) == pytest.approx((1, n_out / n_in), rel=0.03)
    assert forward_and_backward(1 / np.sqrt(n_out), n_in, n_out) == pytest.approx((n_in / n_out, 1), rel=0.03)
    assert forward_and_backward(1 / np.sqrt(200), 200, 200) == pytest.approx((1, 1), rel=0.03)


def test_S3_14_xavier() -> None:
    """(n_in s² + n_out s²)/2 = 1 gives s = sqrt(2/(n_in + n_out)), Xavier's or Glorot's initialization."""
    n_in, n_out = 400, 100
    s = np.sqrt(2 / (n_in + n_out))
    weight = np.empty((n_out, n_in))
    for fill in (nn.init.xavier_normal_, nn.init.xavier_uniform_):
        tensor = parameter(weight)
        fill(tensor, rng=np.random.default_rng(0))
        assert abs(tensor.numpy().std() / s - 1) < 5 * np.sqrt(0.5 / weight.size) < 0.02
        assert abs(tensor.numpy().mean()) < 5 * s / np.sqrt(weight.size)
    variances = forward_and_backward(s, n_in, n_out)
    assert variances == pytest.approx((2 * n_in / (n_in + n_out), 2 * n_out / (n_in + n_out)), rel=0.03)  # 1.6 and 0.4
    assert sum(variances) / 2 == pytest.approx(1, rel=0.03)


# Autograd


def example() -> tuple[dict[str, Tensor], Graph]:
    """The network of the notes, with numbers that can be followed by hand: its tensors by name, and its graph."""
    t = {"W_h": parameter([[1.0, -1.0], [2.0, 1.0]], "W_h"), "b_h": parameter([0.5, -1.0], "b_h")}
    t |= {"W_o": parameter([[2.0, -1.0]], "W_o"), "b_o": parameter([1.0], "b_o")}
    x, y = Tensor([1.0, 2.0], name="x"), Tensor([1.0], name="y")
    t["m_h"] = named("m_h", t["W_h"] @ x)
    t["z_h"] = named("z_h", t["m_h"] + t["b_h"])
    t["h"] = named("h", relu(t["z_h"]))
    t["m_o"] = named("m_o", t["W_o"] @ t["h"])
    t["o"] = named("o", t["m_o"] + t["b_o"])
    t["e"] = named("e", y - t["o"])
    t["L"] = named("L", np.sum(t["e"] ** 2))
    return t, graph(t["L"])


def test_S3_15_the_graph_of_the_example() -> None:
    """m_h = W_h x, z_h = m_h + b_h, h = ReLU(z_h), m_o = W_o h, o = m_o + b_o, e = y - o, L = e².

    The hand-written index of m and z can be read as h or as n.
    """
    t, picture = example()
    operations = {"m_h": "matmul", "z_h": "add", "h": "relu", "m_o": "matmul", "o": "add", "e": "subtract", "L": "sum"}
    assert {node.name: node.op for node in picture.nodes if node.op and node.name} == operations
    assert {node.name for node in picture.nodes if not node.op} >= {"W_h", "b_h", "W_o", "b_o"}
    names = {node.id: node.name for node in picture.nodes}
    wires = {(names[e.source], names[e.target]) for e in picture.edges if names[e.source] and names[e.target]}
    assert wires >= {("W_h", "m_h"), ("m_h", "z_h"), ("b_h", "z_h"), ("z_h", "h"), ("W_o", "m_o"), ("h", "m_o")}
    assert wires >= {("m_o", "o"), ("b_o", "o"), ("o", "e")}
    values = {"m_h": [-1, 4], "z_h": [-0.5, 3], "h": [0, 3], "m_o": [-3], "o": [-2], "e": [3], "L": 9}
    for name, value in values.items():
        np.testing.assert_array_equal(t[name].numpy(), value)


def test_S3_16_products_of_single_derivatives() -> None:
    """dL/dW_h = dL/de · de/do · do/dm_o · dm_o/dh · dh/dz_h · dz_h/dm_h · dm_h/dW_h, and its parts the others."""
    t, picture = example()
    t["L"].backward()
    dL_de = 2 * 3.0
    dL_do = dL_de * -1  # e = y - o
    dL_dh = dL_do * np.array([2.0, -1.0])  # m_o = W_o h
    dL_dz = dL_dh * np.array([0.0, 1.0])  # ReLU'(-0.5) = 0 and ReLU'(3) = 1
    by_hand = {
        "e": [dL_de],
        "o": [dL_do],
        "m_o": [dL_do],
        "b_o": [dL_do],
        "W_o": [dL_do * np.array([0.0, 3.0])],  # m_o = W_o h with h = (0, 3)
        "h": dL_dh,
        "z_h": dL_dz,
        "m_h": dL_dz,
        "b_h": dL_dz,
        "W_h": np.outer(dL_dz, [1.0, 2.0]),  # m_h = W_h x with x = (1, 2)
    }
    for name, gradient in by_hand.items():
        np.testing.assert_array_equal(t[name].grad, gradient, name)
    np.testing.assert_array_equal(t["W_h"].grad, [[0, 0], [6, 12]])
    local = {name: edge.local for name, edge in edges(picture).items() if edge.local}  # what stands on the edges
    assert local["e", "power"].cells == ((6.0,),)
    assert local["o", "e"].number == -1
    assert local["z_h", "h"].cells == ((0.0, 1.0),)
    assert {local[edge].number for edge in [("m_o", "o"), ("b_o", "o"), ("m_h", "z_h"), ("b_h", "z_h")]} == {1}


def test_S3_17_the_recipe_of_automatic_differentiation() -> None:
    """(1) Define operations, (2) define their derivatives, (3) keep track of what was applied."""

    def cube(x: Array) -> Array:  # (1)
        return x**3

    tracked_cube = differentiable(lambda x: 3 * x**2)(cube)  # (2)
    x = parameter(2.0, "x")
    L = np.exp(tracked_cube(x) / 8)  # (3) goes on by itself
    assert [node.op for node in graph(L).nodes if node.op] == ["cube", "divide", "exp"]
    L.backward()
    assert_close(x.grad, np.exp(1) / 8 * 12)
    assert gradcheck(tracked_cube, np.array([-1.0, 0.5, 2.0]))
    assert tracked_cube(2.0) == 8  # of numbers it keeps no track

    def square(x: Array) -> Array:
        return x**2

    wrong = differentiable(lambda x: x)(square)  # (2), forgetting the 2
    with pytest.raises(GradcheckError, match="square"):
        gradcheck(wrong, np.array([1.0, 2.0]))
