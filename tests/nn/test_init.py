"""Initializers: fans, gains, moments, and what they refuse."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import DtypeError, ShapeError, Tensor, sigmoid
from nn import Parameter, init

SHAPE = (400, 250)


def filled(initializer: Callable[..., Tensor], *args: Any, shape: tuple[int, ...] = SHAPE, **options: Any) -> Any:
    """The values that an initializer gives from a fixed seed."""
    return initializer(Parameter(np.full(shape, np.nan)), *args, rng=np.random.default_rng(5), **options).data


def test_the_tensor_stays_the_same_leaf_of_the_same_dtype() -> None:
    for scheme, initializer in init.SCHEMES.items():
        weight = Parameter(np.full((2, 3, 1) if scheme == "dirac" else (2, 3), np.nan, np.float32))
        options = {"constant": {"val": 0.1}, "sparse": {"sparsity": 0.5}}.get(scheme, {})
        assert initializer(weight, **options) is weight
        assert weight.dtype == np.float32
        assert weight.is_leaf
        assert weight.requires_grad
        assert np.isfinite(weight.data).all()
    frozen = Tensor([1.0])
    assert init.zeros_(frozen) is frozen
    assert not frozen.requires_grad


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: nn.Linear(3, 2, rng=rng),
        lambda rng: nn.Linear(0, 2, rng=rng),
        lambda rng: nn.Linear(3, 2, bias=False, dtype=float, rng=rng),
        lambda rng: nn.Conv2d(2, 4, 3, groups=2, rng=rng),
        lambda rng: nn.Embedding(4, 2, padding_idx=-1, rng=rng),
    ],
)
def test_layers_draw_their_first_values_anew(make: Callable[[Any], Any]) -> None:
    layer, first = make(None), make(np.random.default_rng(3)).state_dict()
    parameters = list(layer.parameters())
    layer.requires_grad_(False).reset_parameters(rng=np.random.default_rng(3))
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, first[name])
        assert value.dtype == first[name].dtype
    assert all(new is old for new, old in zip(layer.parameters(), parameters, strict=True))
    layer.reset_parameters()
    assert not layer.weight.size or (layer.weight.data != first["weight"]).any()


def test_an_older_graph_is_stale() -> None:
    weight = Parameter(np.ones((2, 2)))
    loss = (weight * weight).sum()
    init.normal_(weight)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_seed_gives_the_same_values_in_every_dtype() -> None:
    for initializer in init.DRAWN.values():
        options = {"sparsity": 0.5} if initializer is init.sparse_ else {}
        double, again, single = (Parameter(np.zeros((3, 4)), dtype=dtype) for dtype in (float, float, np.float32))
        for tensor in (double, again, single):
            initializer(tensor, rng=np.random.default_rng(3), **options)
        np.testing.assert_array_equal(double.data, again.data)
        np.testing.assert_array_equal(single.data, double.data.astype(np.float32))
        assert (initializer(again, rng=np.random.default_rng(4), **options).data != double.data).any()
        np.testing.assert_array_equal(initializer(again, rng=3, **options).data, double.data)


# Fans and gains


@pytest.mark.parametrize(
    ("shape", "fans"), [((4, 3), (3, 4)), ((4, 3, 5), (15, 20)), ((16, 3, 5, 2), (30, 160)), ((2, 0), (0, 2))]
)
def test_fans(shape: tuple[int, ...], fans: tuple[int, int]) -> None:
    assert init.calculate_fan_in_and_fan_out(np.zeros(shape)) == fans
    assert init.calculate_fan_in_and_fan_out(Parameter(np.zeros(shape))) == fans


def test_gains() -> None:
    assert [init.calculate_gain(name) for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "selu")] == [
        1,
        1,
        1,
        5 / 3,
        math.sqrt(2),
        0.75,
    ]
    assert init.calculate_gain("leaky_relu", 1.0) == 1
    assert init.calculate_gain("leaky_relu", 0) == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)


# Moments: 100,000 values; the standard error of a standard deviation is .22 % of it, at most, of a mean .32 % of it

STANDARD_DEVIATIONS: dict[str, tuple[Callable[..., Tensor], dict[str, Any], float]] = {
    "normal": (init.normal_, {"std": 0.3}, 0.3),
    "uniform": (init.uniform_, {"a": -0.6, "b": 0.6}, 1.2 / math.sqrt(12)),
    "lecun normal": (init.lecun_normal_, {}, math.sqrt(1 / 250)),
    "lecun uniform": (init.lecun_uniform_, {}, math.sqrt(1 / 250)),
    "Xavier normal": (init.xavier_normal_, {}, math.sqrt(2 / 650)),
    "Xavier uniform": (init.xavier_uniform_, {"gain": 3.0}, 3 * math.sqrt(2 / 650)),
    "He normal": (init.he_normal_, {}, math.sqrt(2 / 250)),
    "He normal, backward": (init.he_normal_, {"mode": "FAN_out"}, math.sqrt(2 / 400)),
    "He uniform": (init.he_uniform_, {}, math.sqrt(2 / 250)),
    "He uniform, leaky": (init.he_uniform_, {"a": 1.0}, math.sqrt(1 / 250)),
    "Kaiming for tanh": (init.kaiming_normal_, {"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(250)),
    "the notes for sigmoid": (init.sigmoid_, {}, math.sqrt(4 / 250)),
    "the notes with c = 1": (init.sigmoid_, {"c": 1}, math.sqrt(1 / 250)),
    "orthogonal": (init.orthogonal_, {}, math.sqrt(1 / 400)),
    "truncated at 2": (init.trunc_normal_, {}, 0.8796),
}


@pytest.mark.parametrize("name", STANDARD_DEVIATIONS)
def test_moments(name: str) -> None:
    initializer, options, std = STANDARD_DEVIATIONS[name]
    values = filled(initializer, **options)
    assert abs(values.std() / std - 1) < 0.01
    assert abs(values.mean()) < 0.012 * std


def test_moments_of_a_convolution() -> None:
    values = filled(init.he_normal_, shape=(64, 32, 5, 5))
    assert abs(values.std() / math.sqrt(2 / (32 * 25)) - 1) < 0.01


@pytest.mark.parametrize(
    ("initializer", "bound"),
    [
        (init.lecun_uniform_, math.sqrt(3 / 250)),
        (init.xavier_uniform_, math.sqrt(6 / 650)),
        (init.he_uniform_, math.sqrt(6 / 250)),
    ],
)
def test_bounds(initializer: Callable[..., Tensor], bound: float) -> None:
    values = filled(initializer)
    assert 0.999 * bound < values.max() < bound
    assert -bound < values.min() < -0.999 * bound


def test_normal_values_are_normal() -> None:
    """The kurtosis tells a normal distribution from a uniform one: 3, not 1.8."""
    values = filled(init.normal_, 1.0, 2.0)
    assert abs(values.mean() - 1) < 0.02
    assert abs(np.mean((values - 1) ** 4) / 16 - 3) < 0.1


def test_truncation_keeps_to_the_bounds_and_to_the_shape_between_them() -> None:
    values = filled(init.trunc_normal_, mean=1.0, std=0.5, a=0.5, b=3.0)
    assert 0.5 <= values.min() < 0.51
    assert 2 < values.max() <= 3
    # By hand, with the density φ and the distribution function Φ: 1 + 0.5 φ(-1) / (1 - Φ(-1)) = 1.1438
    assert abs(values.mean() - 1.1438) < 0.005
    assert init.trunc_normal_(Parameter(0.0), rng=np.random.default_rng(0)).shape == ()


def test_sparse_columns() -> None:
    values = filled(init.sparse_, 0.33, std=2.0, shape=(10, 3000))
    assert (np.count_nonzero(values, axis=0) == 6).all()
    assert abs(values[values != 0].std() / 2 - 1) < 0.02
    assert 0.5 < np.mean(values != 0, axis=1).min() < np.mean(values != 0, axis=1).max() < 0.7
    assert not filled(init.sparse_, 1.0).any()
    assert filled(init.sparse_, 0.0).all()


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 2, 3), (8, 2, 3), (0, 3), (3, 0)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    values = filled(init.orthogonal_, 2.0, shape=shape).reshape(shape[0], math.prod(shape[1:]))
    gram = values @ values.T if values.shape[0] <= values.shape[1] else values.T @ values
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-14)


def test_every_orthogonal_matrix_is_equally_likely() -> None:
    """Without its signs, the factor Q of LAPACK has a first entry that is never positive."""
    rng = np.random.default_rng(0)
    first = [init.orthogonal_(Parameter(np.zeros((2, 2))), rng=rng).data[0, 0] for _ in range(400)]
    assert abs(np.mean(np.sign(first))) < 0.15


# Constants


def test_constants() -> None:
    weight = Parameter(np.full((2, 3), np.nan))
    assert init.zeros_(weight).data.tolist() == [[0, 0, 0]] * 2
    assert init.ones_(weight).data.tolist() == [[1, 1, 1]] * 2
    assert init.constant_(weight, 0.25).data.tolist() == [[0.25] * 3] * 2
    assert init.identity_(weight).data.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert init.zeros_(Parameter(3.0)).data == 0


def test_the_tensor_may_be_named() -> None:
    w = Parameter([1.0, 2.0])
    assert init.constant_(tensor=w, val=3) is w  # type: ignore[call-arg]
    assert w.data.tolist() == [3, 3]


def test_dirac_fills_a_network_of_convolutions() -> None:
    model = init.initialize(nn.Conv2d(1, 1, 3, padding=1), "dirac")
    x = np.arange(9.0, dtype=np.float32).reshape(1, 1, 3, 3)
    np.testing.assert_array_equal(model(x).data, x)


def test_dirac_is_the_identity_of_convolutions() -> None:
    values = init.dirac_(Parameter(np.full((3, 2, 3, 2), np.nan))).data
    assert np.argwhere(values).tolist() == [[0, 0, 1, 1], [1, 1, 1, 1]]
    values = init.dirac_(Parameter(np.zeros((4, 1, 3))), groups=2).data
    assert np.argwhere(values).tolist() == [[0, 0, 1], [2, 0, 1]]
    assert values.sum() == 2


# What the lectures say of them


def test_forward_and_backward_want_different_variances() -> None:
    """o = W x: Var(o) = fan_in σ², and for the gradient Wᵀ g it is fan_out σ²; Xavier's is between."""
    rng = np.random.default_rng(0)
    weight = init.xavier_normal_(Parameter(np.zeros((900, 300))), rng=rng).data
    x, g = rng.normal(size=(300, 300)), rng.normal(size=(900, 300))
    assert abs(np.var(weight @ x) - 300 * 2 / 1200) < 0.02
    assert abs(np.var(weight.T @ g) - 900 * 2 / 1200) < 0.05
    weight = init.lecun_normal_(Parameter(np.zeros((900, 300))), rng=rng).data
    assert abs(np.var(weight @ x) - 1) < 0.03
    assert abs(np.var(weight.T @ g) - 3) < 0.15


def test_products_over_layers_explode_or_vanish() -> None:
    """Var(W) = β/n makes the variance β^L after L layers."""
    rng = np.random.default_rng(0)
    for beta in (0.5, 1.0, 2.0):
        x = rng.normal(size=(200, 2000))
        for _ in range(5):
            x = init.sigmoid_(Parameter(np.zeros((200, 200))), beta, rng=rng).data @ x
        assert abs(np.var(x) / beta**5 - 1) < 0.15


def test_zeros_give_one_half_and_no_gradient_below() -> None:
    first, second = (nn.init.initialize(nn.Linear(*sizes), "zeros") for sizes in ((3, 4), (4, 1)))
    out = sigmoid(second(sigmoid(first(np.random.default_rng(0).normal(size=(5, 3))))))
    assert (out.data == 0.5).all()
    out.sum().backward()
    assert not first.weight.grad.any()
    assert second.weight.grad.any()


# A whole network


class Net(nn.Module):
    def __init__(self) -> None:
        self.first = nn.Linear(30, 40)
        self.second = nn.Linear(40, 20)
        self.scale = Parameter(np.full(3, 7.0))
        self.bias = Parameter(np.full(3, 7.0))


def test_initialize_fills_weights_and_clears_biases() -> None:
    net = Net()
    assert init.initialize(net, "lecun_normal", rng=np.random.default_rng(0)) is net
    assert abs(net.first.weight.data.std() / math.sqrt(1 / 30) - 1) < 0.1
    assert abs(net.second.weight.data.std() / math.sqrt(1 / 40) - 1) < 0.1
    assert not net.first.bias.data.any()
    assert not net.second.bias.data.any()
    assert not net.bias.data.any()
    assert (net.scale.data == 7).all()
    assert net.first.weight.dtype == np.float32
    twin = init.initialize(Net(), "lecun_normal", rng=np.random.default_rng(0))
    np.testing.assert_array_equal(twin.second.weight.data, net.second.weight.data)
    assert (net.first.weight.data.ravel()[:800] != net.second.weight.data.ravel()).any()


def test_initialize_with_options() -> None:
    net = init.initialize(Net(), "constant", val=3.0)
    assert (net.second.weight.data == 3).all()
    net = init.initialize(Net(), "he_normal", rng=np.random.default_rng(0), mode="fan_out")
    assert abs(net.first.weight.data.std() / math.sqrt(2 / 40) - 1) < 0.1


def test_initialize_changes_nothing_if_one_weight_does_not_fit() -> None:
    net = Net()
    net.third = Parameter(np.full((2, 2, 2), 7.0))
    before = net.state_dict()
    with pytest.raises(ShapeError, match=r"^eye_ fills a matrix"):
        init.initialize(net, "eye")
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


# What is refused

VECTOR, MATRIX = Parameter([1.0, 2.0]), Parameter(np.ones((4, 3)), dtype=np.float32)
WHY = "replaces the values of a leaf Tensor of a floating dtype, got"
CURE = "give it a parameter, or Tensor(data, dtype=float)"
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "an array": (
        lambda: init.xavier_normal_(np.zeros((2, 2))),  # type: ignore[arg-type]
        DtypeError,
        f"xavier_normal_ {WHY} array(float64 (2, 2)); {CURE}",
    ),
    "a computed tensor": (
        lambda: init.zeros_(VECTOR * 2),
        DtypeError,
        f"zeros_ {WHY} Tensor(float64 (2,)), which was computed; {CURE}",
    ),
    "integers": (lambda: init.ones_(Tensor([1])), DtypeError, f"ones_ {WHY} Tensor(int64 (1,)); {CURE}"),
    "no fans": (
        lambda: init.he_normal_(VECTOR),
        ShapeError,
        "Tensor(float64 (2,)) has no fans: weights have a shape (out, in, *kernel) of at least two dimensions; "
        "initialize biases with zeros_",
    ),
    "no such gain": (
        lambda: init.kaiming_normal_(MATRIX, nonlinearity="step"),
        ShapeError,
        "calculate_gain knows no nonlinearity 'step'; it knows conv1d, conv2d, conv3d, conv_transpose1d, "
        "conv_transpose2d, conv_transpose3d, leaky_relu, linear, relu, selu, sigmoid, tanh",
    ),
    "no name of a gain": (
        lambda: init.calculate_gain([1]),  # type: ignore[arg-type]
        ShapeError,
        "calculate_gain knows no nonlinearity [1]; it knows conv1d, conv2d, conv3d, conv_transpose1d, "
        "conv_transpose2d, conv_transpose3d, leaky_relu, linear, relu, selu, sigmoid, tanh",
    ),
    **{
        f"no slope: {slope!r}": (
            lambda slope=slope: init.kaiming_uniform_(MATRIX, a=slope),
            ShapeError,
            f"calculate_gain: the slope of leaky_relu must be a number, got {slope!r}",
        )
        for slope in (True, [1], {"a": "b"}, "1")
    },
    **{
        f"no constant: {value!r}": (
            lambda value=value: init.constant_(MATRIX, value),
            ShapeError,
            f"constant_ fills with one number, got {value!r}",
        )
        for value in (None, [1, 2, 3])
    },
    "no such mode": (
        lambda: init.kaiming_uniform_(MATRIX, mode="in"),
        ShapeError,
        'mode=\'in\' is no fan of Tensor(float32 (4, 3)); it must be "fan_in" or "fan_out"',
    ),
    "bounds": (
        lambda: init.uniform_(MATRIX, 1, 0),
        ShapeError,
        "uniform_(a=1, b=0): the lower bound a must not be above the upper bound b; exchange them",
    ),
    "std": (
        lambda: init.normal_(MATRIX, std=-1),
        ShapeError,
        "normal_(std=-1): a standard deviation must not be negative",
    ),
    "truncation": (
        lambda: init.trunc_normal_(MATRIX, a=5.0, b=6.0),
        ShapeError,
        "trunc_normal_(mean=0.0, std=1.0, a=5.0, b=6.0): less than 1 % of N(mean, std²) falls inside [a, b]; "
        "give a positive std and bounds around the mean, or use uniform_",
    ),
    "truncation of a point": (
        lambda: init.trunc_normal_(MATRIX, std=0.0),
        ShapeError,
        "trunc_normal_(mean=0.0, std=0.0, a=-2.0, b=2.0): less than 1 % of N(mean, std²) falls inside [a, b]; "
        "give a positive std and bounds around the mean, or use uniform_",
    ),
    "c": (
        lambda: init.sigmoid_(MATRIX, -1.0),
        ShapeError,
        "sigmoid_(c=-1.0): the variance c/n is not negative; the notes have c=4 and c=1",
    ),
    "eye": (
        lambda: init.eye_(VECTOR),
        ShapeError,
        "eye_ fills a matrix, got Tensor(float64 (2,)); dirac_ is the identity as a convolution",
    ),
    "dirac": (
        lambda: init.dirac_(MATRIX),
        ShapeError,
        "dirac_ fills a shape (out, in, *kernel) with a kernel of 1 to 3 axes, got Tensor(float32 (4, 3))",
    ),
    "groups": (
        lambda: init.dirac_(Parameter(np.zeros((3, 1, 1))), 2),
        ShapeError,
        "dirac_(groups=2): the groups must divide the 3 outputs of Tensor(float64 (3, 1, 1))",
    ),
    "orthogonal": (
        lambda: init.orthogonal_(VECTOR),
        ShapeError,
        "orthogonal_ fills at least two dimensions, (out, in, *kernel), got Tensor(float64 (2,))",
    ),
    "sparse vector": (
        lambda: init.sparse_(VECTOR, 0.1),
        ShapeError,
        "sparse_ fills a matrix, got Tensor(float64 (2,))",
    ),
    "sparsity": (
        lambda: init.sparse_(MATRIX, 1.5),
        ShapeError,
        "sparse_(sparsity=1.5, std=0.01): the sparsity is from 0 to 1, and std not negative",
    ),
    "no such scheme": (
        lambda: init.initialize(Net(), "xavier"),
        ShapeError,
        "there is no initializer 'xavier'; there are constant, dirac, eye, glorot_normal, glorot_uniform, he_normal, "
        "he_uniform, identity, kaiming_normal, kaiming_uniform, lecun_normal, lecun_uniform, normal, ones, orthogonal, "
        "sigmoid, sparse, trunc_normal, uniform, xavier_normal, xavier_uniform, zeros",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, kind, message = REFUSED[case]
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()
    assert VECTOR.data.tolist() == [1, 2]
    assert (MATRIX.data == 1).all()


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 3, 0)])
def test_nothing_to_fill(shape: tuple[int, ...]) -> None:
    for initializer in (init.xavier_uniform_, init.he_normal_, init.lecun_uniform_, init.sigmoid_):
        assert initializer(Parameter(np.zeros(shape))).shape == shape
