"""`Module`: what it registers, how it is walked, its state, its hooks, its repr."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import DtypeError, ShapeError, Tensor, grad, jvp, no_grad
from nn import Module, Parameter, StateError


class Net(Module):
    def __init__(self) -> None:
        self.first = nn.Linear(3, 4, rng=np.random.default_rng(0))
        self.second = nn.Linear(4, 2, bias=False, rng=np.random.default_rng(1))
        self.scale = Parameter(2.0)
        self.register_buffer("seen", np.zeros(2))
        self.register_buffer("scratch", np.zeros(1), persistent=False)

    def forward(self, x: Any) -> Any:
        return self.second(np.tanh(self.first(x))) * self.scale


def test_what_is_assigned_is_registered() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == ["scale", "first.weight", "first.bias", "second.weight"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "second"]
    assert [name for name, _ in net.named_children()] == ["first", "second"]
    assert [name for name, _ in net.named_buffers()] == ["seen", "scratch"]
    assert [p.shape for p in net.parameters(recurse=False)] == [()]
    net.constant = Tensor([1.0])
    net.computed = net.scale * 2
    assert len(list(net.parameters())) == 4
    assert net.get_submodule("first") is net.first
    assert net.get_submodule("") is net


def test_what_forward_was_given_is_no_part() -> None:
    class Lazy(Module):
        def __init__(self) -> None:
            self.weight = None

        def forward(self, x: Any) -> Any:
            self.x = x
            if self.weight is None:
                self.weight = Parameter(np.ones(x.shape))
                self.inner = nn.Linear(2, 2)
            return x * self.weight

    net, x = Lazy(), Tensor([1.0, 2.0], requires_grad=True)
    net(x)
    net(x * 2)
    net(x)
    assert net.x is x
    assert x.name is None
    assert [name for name, _ in net.named_parameters()] == ["weight", "inner.weight", "inner.bias"]
    net.x = x
    assert "x" in dict(net.named_parameters())


def test_a_parameter_is_named_after_its_attribute() -> None:
    net = Net()
    assert net.first.weight.name == "weight"
    net.other = Tensor([1.0], requires_grad=True, name="mine")
    assert net.other.name == "mine"


def test_a_parameter_is_a_leaf_that_requires_grad() -> None:
    net, frozen = Net(), Parameter([1.0], requires_grad=False)
    assert all(isinstance(value, Parameter) and type(value) is Tensor for value in net.parameters())
    assert not any(isinstance(value, Parameter) for value in (net.scale * 2, frozen, Tensor(1.0), np.ones(2), None))
    assert isinstance(net.scale, Parameter | None)
    assert (type(frozen), frozen.requires_grad) == (Tensor, False)


def test_a_parameter_made_of_a_tensor_is_a_copy_without_history() -> None:
    computed = Tensor([1.0, 2.0], requires_grad=True) * 2
    parameter = Parameter(computed, dtype=np.float32)
    assert parameter.is_leaf
    assert parameter.dtype == np.float32
    for source in (computed, computed.detach(), computed.numpy()):
        assert not np.shares_memory(Parameter(source).numpy(), computed.numpy())


def test_shared_parameters_and_modules_are_met_once() -> None:
    net = Net()
    net.third = net.second
    net.tied = net.first.weight
    assert [name for name, _ in net.named_parameters()] == [
        "scale",
        "tied",
        "first.bias",
        "second.weight",
    ]
    assert [name for name, _ in net.named_modules()] == ["", "first", "second"]
    assert list(net.children()) == [net.first, net.second]
    assert [name for name, _ in net.named_children()] == ["first", "second"]
    assert "(third): Linear" in repr(net)
    assert [name for name, _ in net.named_parameters(remove_duplicate=False)] == [
        "scale",
        "tied",
        "first.weight",
        "first.bias",
        "second.weight",
        "third.weight",
    ]


def test_shared_buffers_are_met_once() -> None:
    layer = nn.BatchNorm1d(2)
    layer.register_buffer("mean", layer.running_mean)
    model = nn.Sequential(layer, layer)
    assert [name for name, _ in model.named_buffers()] == ["0.running_mean", "0.running_var", "0.num_batches_tracked"]
    assert [buffer.shape for buffer in model.buffers()] == [(2,), (2,), ()]
    assert len(dict(model.named_buffers(remove_duplicate=False))) == 8
    assert len(model.state_dict()) == 12


def test_replacing_and_deleting() -> None:
    net = Net()
    net.scale = None
    assert "scale" not in dict(net.named_parameters())
    net.scale = Parameter(1.0)
    assert "scale" in dict(net.named_parameters())
    del net.scale, net.second, net.seen
    assert [name for name, _ in net.named_parameters()] == ["first.weight", "first.bias"]
    net.first = Parameter(1.0)
    assert [name for name, _ in net.named_parameters()] == ["first"]
    assert not list(net.children())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "scale",
            3.0,
            "cannot assign 3.0 to 'scale', a parameter of Net; assign a leaf Tensor or None, or delete it first",
        ),
        (
            "first",
            np.zeros(2),
            "cannot assign array(float64 (2,)) to 'first', a submodule of Net; "
            "assign a Module or None, or delete it first",
        ),
    ],
)
def test_assigning_what_is_of_another_kind(name: str, value: Any, message: str) -> None:
    net = Net()
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        setattr(net, name, value)
    assert len(list(net.parameters())) == 4


def test_a_computed_tensor_cannot_take_the_place_of_a_parameter() -> None:
    net = Net()
    with pytest.raises(TypeError, match="assign a leaf Tensor or None"):
        net.scale = net.scale * 2


def test_names_have_no_dots() -> None:
    with pytest.raises(ValueError, match=r"^'a\.b' cannot name a part of Module: it must be a string without dots$"):
        Module().register_buffer("a.b", np.zeros(1))


@pytest.mark.parametrize(
    ("register", "value", "error", "message"),
    [
        ("parameter", 3, TypeError, "cannot register 3 as 'new', a parameter of Net; give a leaf Tensor or None"),
        (
            "parameter",
            Parameter(1.0) * 2,
            TypeError,
            "cannot register Tensor(float64 ()) as 'new', a parameter of Net; give a leaf Tensor or None",
        ),
        ("buffer", 3, TypeError, "cannot register 3 as 'new', a buffer of Net; give an array or None"),
        ("module", 3, TypeError, "cannot register 3 as 'new', a submodule of Net; give a Module or None"),
        ("parameter", None, ValueError, "'first' cannot name a parameter of Net, which has such an attribute"),
        ("buffer", None, ValueError, "'scale' cannot name a buffer of Net, which has such an attribute"),
        ("module", None, ValueError, "'forward' cannot name a submodule of Net, which has such an attribute"),
    ],
)
def test_a_registration_that_is_refused_changes_nothing(
    register: str, value: Any, error: type[Exception], message: str
) -> None:
    net = Net()
    before = repr(net), list(net.state_dict()), set(vars(net))
    method = getattr(net, "add_module" if register == "module" else f"register_{register}")
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        method(message.split("'")[1], value)
    assert (repr(net), list(net.state_dict()), set(vars(net))) == before


def test_registering_again() -> None:
    net = Net()
    net.register_parameter("scale", Parameter(3.0))
    net.register_buffer("seen", None)
    net.add_module("first", nn.Tanh())
    assert list(net.state_dict()) == ["scale", "second.weight"]
    with pytest.raises(TypeError, match=r"^cannot assign 3 to 'seen', a buffer of Net; assign an array or None, or d"):
        net.seen = 3
    net.seen = np.float64(1)
    assert list(net.state_dict()) == ["scale", "seen", "second.weight"]


def test_a_buffer_registered_again_is_part_of_the_state_or_not() -> None:
    net = Net()
    net.register_buffer("seen", np.ones(2), persistent=False)
    assert "seen" not in net.state_dict()
    net.register_buffer("seen", np.ones(2))
    net.register_buffer("scratch", np.ones(1))
    assert [name for name in net.state_dict() if "." not in name] == ["scale", "seen", "scratch"]


def test_a_shallow_copy_registers_for_itself() -> None:
    net = Net()
    twin = copy.copy(net)
    twin.extra = Parameter(1.0)
    del twin.first
    assert [name for name, _ in twin.named_parameters()] == ["scale", "extra", "second.weight"]
    assert [name for name, _ in net.named_parameters()] == ["scale", "first.weight", "first.bias", "second.weight"]
    assert twin.second is net.second


def test_a_module_without_init_takes_no_arguments() -> None:
    for make in (lambda: nn.Tanh(1, 2, 3), lambda: nn.Tanh(foo=3)):  # type: ignore[call-arg]
        with pytest.raises(TypeError, match=r"^Tanh\(\) takes no arguments$"):
            make()


def test_parts_by_path() -> None:
    net = Net()
    assert net.get_parameter("first.weight") is net.first.weight
    assert net.get_parameter("scale") is net.scale
    assert net.get_buffer("seen") is net.seen


@pytest.mark.parametrize(
    ("kind", "path", "message"),
    [
        ("submodule", "first.x", "Linear has no submodule 'x', looked for on the path 'first.x'"),
        ("parameter", "first", "Net has no parameter 'first', looked for on the path 'first'"),
        ("buffer", "first.weight", "Linear has no buffer 'weight', looked for on the path 'first.weight'"),
        ("parameter", "second.bias", "Linear has no parameter 'bias', looked for on the path 'second.bias'"),
        ("parameter", "third.weight", "Net has no submodule 'third', looked for on the path 'third'"),
    ],
)
def test_a_path_that_leads_nowhere(kind: str, path: str, message: str) -> None:
    with pytest.raises(AttributeError, match=f"^{re.escape(message)}$"):
        getattr(Net(), f"get_{kind}")(path)


def test_forward_must_be_defined() -> None:
    with pytest.raises(NotImplementedError, match=r"^Module has no forward\(\); define it in the class$"):
        Module()(1)


def test_training_and_evaluation_reach_everything() -> None:
    net = Net()
    assert net.training
    assert net.first.training
    assert net.eval() is net
    assert not net.first.training
    assert net.train().second.training
    message = "train(mode='x'): the mode is True, for training, or False, for evaluation"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        net.train("x")  # type: ignore[arg-type]


def test_freezing() -> None:
    net = Net()
    net.first.requires_grad_(False)
    net(np.ones((5, 3), np.float32)).sum().backward()
    assert net.first.weight.grad is None
    assert net.second.weight.grad is not None
    assert len(list(net.parameters())) == 4
    net.zero_grad(set_to_none=False)
    assert net.first.weight.grad is None
    assert not net.second.weight.grad.any()
    net.zero_grad()
    assert net.second.weight.grad is None
    net.requires_grad_()
    assert all(p.requires_grad for p in net.parameters())


def test_apply_meets_submodules_first() -> None:
    met: list[Module] = []
    net = Net()
    assert net.apply(met.append) is net
    assert met == [net.first, net.second, net]


def test_dtype_of_everything() -> None:
    net = Net()
    net.third = net.second
    net.register_buffer("count", np.array(0))
    net.double()
    assert {p.dtype for p in net.parameters()} == {np.dtype(float)}
    assert net.get_buffer("count").dtype.kind == "i"
    assert net.third is net.second
    assert net.float().first.weight.dtype == np.float32
    assert net.half().first.weight.dtype == np.float16
    assert len(list(net.parameters())) == 4


# State


def test_state_dict_is_a_copy_and_loads() -> None:
    net, other = Net(), Net()
    other.first.weight.data = np.zeros((4, 3))
    state = net.state_dict()
    assert list(state) == ["scale", "seen", "first.weight", "first.bias", "second.weight"]
    state["seen"] += 1
    assert (net.seen == 0).all()
    weight = other.first.weight
    assert other.load_state_dict(state) == ([], [])
    assert other.first.weight is weight
    assert (other.first.weight.data == net.first.weight.data).all()
    assert (other.seen == 1).all()
    state["seen"] += 1
    assert (other.seen == 1).all()
    assert list(net.first.state_dict(prefix="a.")) == ["a.weight", "a.bias"]


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (
            {"num_batches_tracked": 2.5},
            StateError,
            "the state does not fit BatchNorm1d, which was left as it is\n"
            "  of another kind: num_batches_tracked of dtype float64, which must be int64",
        ),
        ([1, 2], TypeError, "load_state_dict takes a dict of arrays by path, got [1, 2]; see state_dict()"),
    ],
)
def test_what_is_no_state(state: Any, error: type[Exception], message: str) -> None:
    layer = nn.BatchNorm1d(2)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        layer.load_state_dict(state, strict=False)
    assert layer.num_batches_tracked == 0


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    net = Net()
    before = net.state_dict()
    state = {name: value + 1 for name, value in before.items() if name != "scale"}
    state |= {"first.bias": np.zeros(7), "seen": np.array(["a", "b"]), "extra": np.zeros(1)}
    expected = (
        "the state does not fit Net, which was left as it is\n"
        "  missing: scale\n"
        "  unexpected: extra\n"
        "  mis-shaped: first.bias of shape (7,), which must be (4,)\n"
        "  of another kind: seen of dtype <U1, which must be float64"
    )
    with pytest.raises(StateError, match=f"^{re.escape(expected)}$"):
        net.load_state_dict(state)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(StateError, match="mis-shaped"):
        net.load_state_dict(state, strict=False)
    del state["first.bias"], state["seen"]
    assert net.load_state_dict(state, strict=False) == (["scale", "seen", "first.bias"], ["extra"])
    np.testing.assert_array_equal(net.second.weight.data, before["second.weight"] + 1)


def test_loading_makes_an_older_graph_stale() -> None:
    net = Net()
    loss = net(np.ones(3, np.float32)).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_copies_and_pickles_are_independent_and_whole() -> None:
    net = Net()
    net.tied = net.first.weight
    x = np.ones((2, 3), np.float32)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(twin(x).data, net(x).data)
        assert twin.tied is twin.first.weight
        assert twin.first.weight is not net.first.weight
        assert [n for n, _ in twin.named_parameters()] == [n for n, _ in net.named_parameters()]


# Hooks


def test_another_librarys_tensors_are_refused() -> None:
    class Foreign:
        dtype, shape, ndim = "foreign.float32", (2, 3), 2

    calls: list[Callable[[], Any]] = [
        lambda: nn.MLP([3, 4, 2])(Foreign()),
        lambda: nn.functional.mse_loss(Foreign(), np.ones((2, 3))),
    ]
    for call in calls:
        with pytest.raises(DtypeError) as caught:
            call()
        assert str(caught.value) == (
            f"got a {__name__}.Foreign of dtype foreign.float32, which is no array of NumPy's; give its .numpy()"
        )


def test_forward_hooks() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data = [[2.0]]
    x = np.ones(1, np.float32)
    first = layer.register_forward_pre_hook(lambda module, args: args[0] * 10)
    second = layer.register_forward_hook(lambda module, args, output: output + 1)
    seen = []
    with layer.register_forward_hook(lambda module, args, output: seen.append((module, args[0].item(), output.item()))):
        assert layer(x).item() == 21
    first.remove()
    second.remove()
    second.remove()
    assert layer(x).item() == 2
    assert seen == [(layer, 10, 21)]


def test_hooks_that_come_first() -> None:
    layer, seen = nn.Identity(), []
    x = Tensor(1.0, requires_grad=True)
    for register in (layer.register_forward_pre_hook, layer.register_forward_hook, layer.register_full_backward_hook):
        handles = [
            register(lambda *args, name=name: seen.append(name), prepend=prepend)
            for name, prepend in [("c", False), ("b", True), ("d", False), ("a", True)]
        ]
        layer(x).backward()
        handles[1].remove()
        layer(x).backward()
        assert "".join(seen) == "abcdacd"
        for handle in handles:
            handle.remove()
        seen.clear()


def test_backward_hooks_see_this_call_alone() -> None:
    """By hand: y = w x + 3 x with w = 2; the layer's part of the gradient of x is 2, all of it 5."""
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data = [[2.0]]
    seen: list[Any] = []
    handle = layer.register_full_backward_hook(lambda module, inputs, outputs: seen.append((module, inputs, outputs)))
    x = Tensor(np.ones(1, np.float32), requires_grad=True)
    (layer(x) + 3 * x).sum().backward()
    assert x.grad.item() == 5
    [(module, inputs, outputs)] = seen
    assert module is layer
    assert [g.item() for g in inputs + outputs] == [2, 1]
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 1


class Products(Module):
    """By hand: the gradients of its inputs are 2 and 3."""

    def forward(self, a: Any, b: Any) -> Any:
        return 2 * a, 3 * b


def backward_of(hook: Any, **requires_grad: bool) -> list[Any]:
    """Call `backward` on both products, with a hook; the gradients of the inputs."""
    module = Products()
    inputs = [Tensor(1.0, requires_grad.get(name, True), name=name) for name in "ab"]
    with module.register_full_backward_hook(hook):
        first, second = module(*inputs)
    (first + second).backward()
    return [value.grad for value in inputs]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [(None, [2, 3]), ((5.0, np.float32(7)), [5, 7]), ((None, Tensor(7.0)), [0, 7])],
)
def test_a_backward_hook_may_replace_the_gradients_of_the_inputs(returned: Any, expected: list[float]) -> None:
    seen: list[Any] = []

    def hook(module: Module, inputs: Any, outputs: Any) -> Any:
        seen.append((inputs, outputs))
        return returned

    gradients = backward_of(hook)
    assert gradients == expected
    assert all(isinstance(gradient, np.float64) for gradient in gradients)
    assert seen == [((2, 3), (1, 1))]


def test_a_graph_with_backward_hooks_is_freed_at_once() -> None:
    layer, x = nn.Tanh(), Tensor(np.ones(3), requires_grad=True)
    layer.register_full_backward_hook(lambda module, inputs, outputs: None)
    gc.disable()
    try:
        output = layer(layer(x))
        value = weakref.ref(output.data)
        (output * output).sum().backward()
        del output
        assert value() is None
    finally:
        gc.enable()


def test_backward_hooks_come_one_after_the_other() -> None:
    layer, x = nn.Linear(1, 1), Tensor(np.ones((1, 1), np.float32), requires_grad=True)
    layer.weight.data = [[2.0]]
    for _ in range(2):
        layer.register_full_backward_hook(lambda module, inputs, outputs: 10 * inputs[0])
    loss = layer(x).sum()
    loss.backward(retain_graph=True)
    assert x.grad == 200
    loss.backward()
    assert x.grad == 400
    assert layer.weight.grad == 2


def test_backward_hooks_are_called_where_no_input_requires_grad() -> None:
    layer, seen = nn.Linear(1, 1), []
    layer.register_full_backward_hook(lambda module, *gradients: seen.append(gradients))
    layer(np.ones(1, np.float32)).sum().backward()
    assert seen == [((None,), (1,))]
    assert backward_of(lambda module, inputs, outputs: (9, 9), a=False) == [None, 9]


def test_backward_hooks_beside_other_ways_to_differentiate() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data = [[2.0]]
    layer.register_full_backward_hook(lambda module, inputs, outputs: 3 * inputs[0])
    x = Tensor(np.ones(1), requires_grad=True)
    with no_grad():
        assert not layer(x).requires_grad
    (layer(x) ** 2).sum().backward(create_graph=True)
    assert x.grad.item() == 3 * 2 * (2 * 2)
    x.grad.sum().backward()
    assert jvp(lambda x: layer(x).sum(), (np.ones(1),), (np.ones(1),)) == (2, 2)  # forward there are no gradients


@pytest.mark.parametrize(
    ("returned", "described"),
    [((1.0,), "1.0"), (np.ones(2), "array(float64 (2,))"), ((np.ones(2), 1.0), "array(float64 (2,)), 1.0")],
)
def test_a_backward_hook_that_returns_other_shapes(returned: Any, described: str) -> None:
    message = (
        f"a backward hook of Products returned {described} in the place of array(float64 ()), array(float64 ()); "
        "return one gradient of the same shape for each, or None to leave all of them"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        backward_of(lambda module, inputs, outputs: returned)


# A network as a function of its weights


def test_functional_call_leaves_the_module_alone() -> None:
    net = Net()
    net.tied = net.first.weight
    before = net.first.weight
    x = np.ones((2, 3), np.float32)
    zero = {"first.weight": np.zeros((4, 3)), "first.bias": np.zeros(4)}
    np.testing.assert_array_equal(nn.functional_call(net, zero, (x,)).data, np.zeros((2, 2)))
    assert net.first.weight is before
    assert net.tied is before
    with pytest.raises(StateError, match=r"^Net has no parameter or buffer first\.nothing$"):
        nn.functional_call(net, {"first.nothing": 1}, x)


def test_functional_call_replaces_a_shared_tensor_wherever_it_is() -> None:
    class Square(Module):
        def __init__(self) -> None:
            self.a = self.b = Parameter(3.0)

        def forward(self) -> Any:
            return self.a * self.b

    net = Square()
    assert grad(lambda a: nn.functional_call(net, {"a": a}))(5.0) == 10
    assert net.b is net.a


def test_repr() -> None:
    net = Net()
    assert repr(net) == (
        "Net(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (second): Linear(in_features=4, out_features=2, bias=False)\n"
        ")"
    )
