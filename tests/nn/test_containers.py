"""Sequential, ModuleList, MLP, and the modules that change shapes."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import OutOfRangeError, ShapeError, Tensor, gradcheck


def seeded(number: int = 0) -> np.random.Generator:
    return np.random.default_rng(number)


# Sequential and ModuleList


def doubling() -> nn.Sequential:
    return nn.Sequential(nn.Lambda(lambda x: 2 * x), nn.Lambda(lambda x: x + 1), nn.Lambda(np.square))


def test_each_takes_what_the_one_before_returns() -> None:
    assert doubling()(3.0) == 49
    assert nn.Sequential()(3.0) == 3
    assert isinstance(doubling()(Tensor(3.0)), Tensor)


def test_indexing_slicing_length_iteration() -> None:
    model = doubling()
    first, second, third = model
    assert (len(model), model[0], model[-1], model[np.int64(1)]) == (3, first, third, second)
    assert list(model[1:]) == [second, third]
    assert isinstance(model[1:], nn.Sequential)
    assert model[:2](3.0) == 7
    assert model[::2](3.0) == 36
    assert list(model[5:]) == []
    assert third in model


def test_appending_and_replacing() -> None:
    model = doubling()
    assert model.append(nn.Lambda(np.negative)) is model
    assert model(3.0) == -49
    model[-1] = nn.Identity()
    model[0] = nn.Linear(1, 1, bias=False)
    assert len(model) == 4
    assert list(model.state_dict()) == ["0.weight"]
    part = model[2:].append(nn.Linear(1, 1, bias=False))
    assert [name for name, _ in part.named_children()] == ["2", "3", "4"]
    assert len(model) == 4


def test_names_from_a_dict() -> None:
    model = nn.Sequential({"lift": nn.Linear(2, 3), "bend": nn.Tanh()})
    assert list(model.state_dict()) == ["lift.weight", "lift.bias"]
    assert model.lift is model[0]
    model.append(nn.Linear(3, 1))
    assert list(model[1:].state_dict()) == ["2.weight", "2.bias"]
    model.bend = nn.ReLU()
    assert repr(model) == (
        "Sequential(\n"
        "  (lift): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (bend): ReLU()\n"
        "  (2): Linear(in_features=3, out_features=1, bias=True)\n"
        ")"
    )


def test_a_module_can_stand_in_two_places() -> None:
    layer = nn.Linear(3, 3, rng=seeded())
    model = nn.Sequential(layer, nn.Tanh(), layer)
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model(x).data, layer(np.tanh(layer(x))).data)
    assert len(list(model.parameters())) == 2
    assert len(model) == len(list(model)) == 3


def test_module_list() -> None:
    layers = nn.ModuleList(nn.Linear(2, 2, bias=False) for _ in range(3))
    assert len(layers) == 3
    assert layers.append(nn.ReLU()) is layers
    assert [type(layer).__name__ for layer in layers] == ["Linear", "Linear", "Linear", "ReLU"]
    assert isinstance(layers[1:], nn.ModuleList)
    assert layers[1:][0] is layers[1]
    assert list(layers[2:].state_dict()) == ["0.weight"]
    layers[0] = nn.Identity()
    assert list(layers.state_dict()) == ["1.weight", "2.weight"]
    assert repr(nn.ModuleList()) == repr(nn.ModuleList(None)) == "ModuleList()"
    with pytest.raises(NotImplementedError, match=r"^ModuleList has no forward\(\); define it in the class$"):
        layers(1)


@pytest.mark.parametrize("container", [nn.Sequential, lambda *modules: nn.ModuleList(modules)])
def test_a_container_changes_as_a_list_does(container: Callable[..., Any]) -> None:
    layers = [nn.Linear(1, width, bias=False) for width in range(1, 7)]
    held, listed = container(*layers[:4]), layers[:4]
    assert held.insert(1, layers[4]) is held
    listed.insert(1, layers[4])
    assert held.insert(-1, layers[5]) is held
    listed.insert(-1, layers[5])
    assert list(held) == listed
    assert held.pop() is listed.pop()
    assert held.pop(1) is listed.pop(1)
    del held[-1], listed[-1]
    held += layers[:2]
    listed += layers[:2]
    assert held.extend(held) is held
    listed.extend(listed)
    del held[::3], listed[::3]
    assert list(held) == listed
    assert list(held.state_dict()) == [f"{number}.weight" for number in range(len(held))]
    both = held + layers[:1]
    assert type(both) is type(held)
    assert (list(both), list(held)) == ([*listed, layers[0]], listed)
    with pytest.raises(TypeError, match="holds modules, got 3"):
        held.extend([layers[0], 3])
    with pytest.raises(TypeError, match="holds modules, got 3"):
        held.insert(0, 3)
    with pytest.raises(OutOfRangeError, match="has none at 9"):
        held.pop(9)
    size = len(held)
    for index in (size + 1, -size - 1):
        message = f" of {size} modules has no place {index} for another; its places are from {-size} to {size}$"
        with pytest.raises(IndexError, match=message):
            held.insert(index, nn.Tanh())
    assert held.insert(size, layers[0]).pop() is layers[0]
    assert list(held) == listed


def test_names_that_are_no_numbers_stay() -> None:
    model = nn.Sequential({"lift": nn.Linear(2, 3), "1": nn.Tanh(), "bend": nn.Tanh()}).insert(0, nn.Identity())
    assert [name for name, _ in model.named_children()] == ["0", "lift", "2", "bend"]
    del model[1]
    assert [name for name, _ in model.named_children()] == ["0", "1", "bend"]


@pytest.mark.parametrize("beta", [0.5, 1.2])
def test_a_deep_chain_explodes_or_vanishes(beta: float) -> None:
    """BLG561E: 200 layers of W = βI multiply by β^200, 6.9e15 or 6.2e-61, forward and backward."""
    model = nn.Sequential(*(nn.Linear(2, 2, bias=False, dtype=float) for _ in range(200)))
    for layer in model:
        layer.weight.data = beta * np.eye(2)
    x = Tensor([1.0, -1.0], requires_grad=True)
    out = model(x)
    out[0].backward()
    np.testing.assert_allclose(out.data, [beta**200, -(beta**200)])
    np.testing.assert_allclose(x.grad, [beta**200, 0])


# Without parameters


def test_identity_and_functions() -> None:
    x = np.ones(3)
    assert nn.Identity()(x) is x
    assert repr(nn.Identity()) == "Identity()"
    assert repr(nn.Lambda(np.tanh)) == "Lambda(tanh)"
    twin = pickle.loads(pickle.dumps(nn.Lambda(autograd.gelu)))
    assert twin(1.0) == autograd.gelu(1.0)


@pytest.mark.parametrize(
    ("dims", "shape", "expected"),
    [
        ((), (5, 2, 3, 4), (5, 24)),
        ((), (5, 2), (5, 2)),
        ((), (0, 2, 3), (0, 6)),
        ((), (3, 0, 2), (3, 0)),
        ((0,), (5, 2), (10,)),
        ((1, 2), (5, 2, 3, 4), (5, 6, 4)),
        ((-2,), (5, 2, 3), (5, 6)),
        ((0, 0), (5, 2), (5, 2)),
        ((0,), (), (1,)),
    ],
)
def test_flatten(dims: tuple[int, ...], shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    x = np.arange(float(np.prod(shape))).reshape(shape)
    out = nn.Flatten(*dims)(x)
    assert out.shape == expected
    assert out.ravel().tolist() == x.ravel().tolist()
    assert nn.Flatten(*dims)(Tensor(x, requires_grad=True)).shape == expected


def test_gradient_of_flatten() -> None:
    x = Tensor(np.ones((2, 3, 4)), requires_grad=True)
    weight = np.arange(24.0).reshape(2, 12)
    (nn.Flatten()(x) * weight).sum().backward()
    assert x.grad.tolist() == weight.reshape(2, 3, 4).tolist()


@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        (nn.Unflatten(1, (2, 3)), (5, 6), (5, 2, 3)),
        (nn.Unflatten(-1, (3, -1)), (5, 6), (5, 3, 2)),
        (nn.Unflatten(0, [2, 1, -1]), (6, 7), (2, 1, 3, 7)),
        (nn.Unflatten(1, (0, 4)), (5, 0), (5, 0, 4)),
    ],
)
def test_unflatten(module: nn.Module, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    x = np.arange(float(np.prod(shape))).reshape(shape)
    assert module(x).shape == expected
    assert module(x).ravel().tolist() == x.ravel().tolist()


def test_reprs_of_shapes() -> None:
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    assert repr(nn.Unflatten(1, [2, -1])) == "Unflatten(dim=1, unflattened_size=(2, -1))"


# The multilayer perceptron


def kinds(model: nn.Module) -> list[str]:
    return [type(child).__name__ for child in model.children()]


def test_layers_of_an_mlp() -> None:
    assert kinds(nn.MLP([2, 3])) == ["Linear"]
    assert kinds(nn.MLP([2, 3, 4, 1])) == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert kinds(nn.MLP((2, 3, 4, 1), "tanh", 0.2, True)) == [
        *["Linear", "BatchNorm1d", "Tanh", "Dropout"] * 2,
        "Linear",
    ]
    model = nn.MLP(np.array([2, 3, 1]), batch_norm=True)
    assert repr(model[0]) == "Linear(in_features=2, out_features=3, bias=False)"
    assert repr(model[-1]) == "Linear(in_features=3, out_features=1, bias=True)"
    assert "bias=True" not in repr(nn.MLP([2, 3, 1], bias=False))
    assert list(nn.MLP([2, 3, 1]).state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert isinstance(nn.MLP([2, 3, 1])[:2], nn.Sequential)
    assert kinds(nn.MLP([2, 3, 1])[:2]) == ["Linear", "ReLU"]


def test_activations_of_an_mlp() -> None:
    sizes = [2, 3, 4, 1]
    assert kinds(nn.MLP(sizes, nn.SELU)) == ["Linear", "SELU", "Linear", "SELU", "Linear"]
    assert kinds(nn.MLP(sizes, None)) == ["Linear", "Linear", "Linear"]
    assert kinds(nn.MLP(sizes, "identity")) == ["Linear", "Identity", "Linear", "Identity", "Linear"]
    assert kinds(nn.MLP(sizes, ["relu", np.tanh])) == ["Linear", "ReLU", "Linear", "Lambda", "Linear"]
    assert kinds(nn.MLP(sizes, ("relu", nn.ELU(0.5), nn.Softmax))) == [
        "Linear",
        "ReLU",
        "Linear",
        "ELU",
        "Linear",
        "Softmax",
    ]
    assert kinds(nn.MLP(sizes, [None, "tanh", None])) == ["Linear", "Linear", "Tanh", "Linear"]
    assert kinds(nn.MLP([2, 1], ["sigmoid"])) == ["Linear", "Sigmoid"]
    assert kinds(nn.MLP([2, 1], [])) == ["Linear"]


def test_mlp_is_its_formula() -> None:
    """a₁ = tanh(W₁ x + b₁), out = W₂ a₁ + b₂."""
    model = nn.MLP([3, 4, 2], "tanh", dtype=float, rng=seeded())
    w1, b1, w2, b2 = (p.data for p in model.parameters())
    x = seeded(1).normal(size=(5, 3))
    np.testing.assert_allclose(model(x).data, np.tanh(x @ w1.T + b1) @ w2.T + b2)
    weights = {name: p.data for name, p in model.named_parameters()}
    names = list(weights)

    def network(*values: Any) -> Any:
        return nn.functional_call(model, dict(zip(names, values, strict=True)), x)

    assert gradcheck(network, *weights.values())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_seed_gives_the_same_network_and_the_same_training(dtype: Any) -> None:
    def trained(seed: int) -> list[Any]:
        model = nn.MLP([4, 8, 8, 2], dropout=0.3, batch_norm=True, dtype=dtype, rng=seeded(seed))
        x = seeded(1).normal(size=(16, 4)).astype(dtype)
        for _ in range(3):
            model.zero_grad()
            (model(x) ** 2).sum().backward()
            for p in model.parameters():
                p.data = p.data - 0.01 * p.grad
        assert {value.dtype.type for name, value in model.state_dict().items() if "num" not in name} == {dtype}
        return list(model.state_dict().values())

    for one, other in zip(trained(0), trained(0), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(trained(0), trained(1), strict=True))


def test_layers_differ_although_they_share_the_generator() -> None:
    model = nn.MLP([4, 4, 4], rng=seeded())
    assert (model[0].weight.data != model[2].weight.data).all()


def test_evaluation_reaches_dropout_and_normalization() -> None:
    model = nn.MLP([4, 8, 2], dropout=0.5, batch_norm=True, rng=seeded()).eval()
    x = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(model(x).data, model(x).data)


def test_copies_and_pickles() -> None:
    model = nn.MLP([3, 4, 2], ["tanh"], dropout=0.5, batch_norm=True, rng=seeded())
    x = np.ones((5, 3), np.float32)
    twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    expected = model(x).data
    for twin in twins:
        assert repr(twin) == repr(model)
        np.testing.assert_array_equal(twin(x).data, expected)


def test_equal_weights_stay_equal() -> None:
    """CS229 lecture 11: units that begin alike learn the same feature; a symmetric network."""
    model = nn.init.initialize(nn.MLP([3, 4, 1], "sigmoid", dtype=float), "constant", val=0.3)
    x = seeded().normal(size=(10, 3))
    for _ in range(5):
        model.zero_grad()
        ((model(x) - x[:, :1]) ** 2).mean().backward()
        for p in model.parameters():
            p.data = p.data - 0.5 * p.grad
    weight = model[0].weight.data
    np.testing.assert_allclose(weight, np.broadcast_to(weight[0], weight.shape), rtol=1e-12)
    assert not np.allclose(weight[0], 0.3)


def test_a_bias_before_normalization_has_no_gradient() -> None:
    layer = nn.Linear(3, 4, dtype=float, rng=seeded())
    out = nn.BatchNorm1d(4, dtype=float)(layer(seeded(1).normal(size=(8, 3))))
    (out**3).sum().backward()
    np.testing.assert_allclose(layer.bias.grad, 0, atol=1e-12)  # type: ignore[union-attr]


# What is refused

SIZES = "sizes are numbers of units from the inputs to the outputs, at least two positive integers, such as [4, 16, 3]"
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a class": (lambda: nn.Sequential(nn.ReLU), TypeError, "Sequential holds modules, got {0}; call it: ReLU()"),
    "a function": (
        lambda: nn.Sequential(nn.ReLU(), np.tanh),
        TypeError,
        "Sequential holds modules, got <ufunc 'tanh'>; nn.Lambda makes one of a function",
    ),
    "a list": (
        lambda: nn.Sequential([nn.ReLU()]),
        TypeError,
        "Sequential holds modules, got [ReLU()]; give them one by one",
    ),
    "none": (lambda: nn.ModuleList([None]), TypeError, "ModuleList holds modules, got None; give them one by one"),  # type: ignore[list-item]
    "assigning": (
        lambda: doubling().__setitem__(0, 3),  # type: ignore[arg-type]
        TypeError,
        "Sequential holds modules, got 3; give them one by one",
    ),
    "a name that means something": (
        lambda: nn.Sequential({"forward": nn.ReLU()}),
        ValueError,
        "'forward' cannot name a submodule of Sequential, which has such an attribute",
    ),
    "index": (lambda: doubling()[3], OutOfRangeError, "Sequential of 3 modules has none at 3"),
    "negative index": (lambda: nn.ModuleList()[-1], OutOfRangeError, "ModuleList of 0 modules has none at -1"),
    "no axis to join": (
        lambda: nn.Flatten()(np.zeros(3)),
        ShapeError,
        "Flatten(start_dim=1, end_dim=-1) has no axes to join in array(float64 (3,)); give it an input with more axes",
    ),
    "axes the wrong way round": (
        lambda: nn.Flatten(2, 1)(Tensor(np.zeros((3, 3, 3)))),
        ShapeError,
        "Flatten(start_dim=2, end_dim=1) has no axes to join in Tensor(float64 (3, 3, 3)); "
        "give it an input with more axes",
    ),
    "an axis too short": (
        lambda: nn.Unflatten(1, (2, 3))(np.zeros((2, 5))),
        ShapeError,
        "Unflatten(dim=1, unflattened_size=(2, 3)) has no axis of that length to part in array(float64 (2, 5))",
    ),
    "an axis that is no multiple": (
        lambda: nn.Unflatten(1, (2, -1))(np.zeros((2, 5))),
        ShapeError,
        "Unflatten(dim=1, unflattened_size=(2, -1)) has no axis of that length to part in array(float64 (2, 5))",
    ),
    "no axis": (
        lambda: nn.Unflatten(2, (1, 1))(np.zeros((2, 1))),
        ShapeError,
        "Unflatten(dim=2, unflattened_size=(1, 1)) has no axis of that length to part in array(float64 (2, 1))",
    ),
    "one size": (lambda: nn.MLP([3]), ShapeError, f"MLP(sizes=[3]): {SIZES}"),
    "no hidden unit": (lambda: nn.MLP([3, 0, 1]), ShapeError, f"MLP(sizes=[3, 0, 1]): {SIZES}"),
    "fractions": (lambda: nn.MLP([3, 2.5, 1]), ShapeError, f"MLP(sizes=[3, 2.5, 1]): {SIZES}"),  # type: ignore[list-item]
    "a number": (lambda: nn.MLP(3), ShapeError, f"MLP(sizes=3): {SIZES}"),  # type: ignore[arg-type]
    "too many activations": (
        lambda: nn.MLP([3, 2, 1], ["relu"] * 3),
        ShapeError,
        "MLP has 2 layers, so activation lists 1, or 2 with that of the output, got 3: ['relu', 'relu', 'relu']",
    ),
    "unknown activation": (
        lambda: nn.MLP([3, 2, 1], "step"),
        ShapeError,
        "there is no activation 'step'; there are elu, gelu, identity, leaky_relu, log_softmax, logsigmoid, relu, "
        "selu, sigmoid, silu, softmax, softplus, tanh",
    ),
    "no activation": (
        lambda: nn.MLP([3, 2, 1], 5),
        TypeError,
        "an activation is a name, a module, a function or None, got 5",
    ),
    "dropout": (
        lambda: nn.MLP([3, 2, 1], dropout=-0.5),
        ValueError,
        "Dropout(p=-0.5): the probability to drop an element must be between 0 and 1",
    ),
    "an input that does not fit": (
        lambda: nn.MLP([3, 2, 1])(np.zeros((5, 4))),
        ShapeError,
        "Linear(in_features=3, out_features=2, bias=True) takes an input of shape (..., 3), got array(float64 (5, 4)); "
        "its weight has shape (2, 3)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, kind, message = REFUSED[case]
    with pytest.raises(kind, match=f"^{re.escape(message.format(nn.ReLU))}$"):
        call()
