"""What users do to `backward`: hooks, calls within calls, calls of leaves, recorded calls."""

from typing import Any

import numpy as np
import pytest

from autograd import GraphError, ShapeError, Tensor, differentiable


def leaf(value):
    return Tensor(value, requires_grad=True)


# Hooks


@pytest.mark.parametrize(
    "replacement",
    [[3, 4], (3.0, 4.0), np.array([3, 4]), np.array([3.0, 4.0], np.float32), Tensor([3.0, 4.0])],
    ids=["list", "tuple", "integers", "float32", "Tensor"],
)
@pytest.mark.parametrize("on_leaf", [True, False])
def test_a_hook_may_return_anything_like_an_array(replacement, on_leaf):
    x = leaf([1.0, 2.0])
    y = x * 1
    (x if on_leaf else y).register_hook(lambda g: replacement)
    np.sum(y * y).backward()
    assert type(x.grad) is np.ndarray
    assert x.grad.dtype == np.float64
    assert x.grad.tolist() == [3.0, 4.0]


def test_a_hook_on_a_scalar_may_return_a_python_number():
    x = leaf(2.0)
    x.register_hook(lambda g: 5)
    (x * x).backward()
    assert type(x.grad) is np.float64
    assert x.grad == 5.0


def test_what_a_hook_returned_is_not_the_gradient_itself():
    mine, x = np.array([3.0, 4.0]), leaf([1.0, 2.0])
    x.register_hook(lambda g: mine)
    np.sum(x).backward()
    assert not np.shares_memory(x.grad, mine)


def test_hooks_run_in_turn_and_each_sees_what_the_one_before_left():
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: g * 2)
    remove = y.register_hook(lambda g: g + 1)
    y.backward(retain_graph=True)
    assert x.grad == 9.0
    remove()
    remove()
    x.zero_grad()
    y.backward()
    assert x.grad == 6.0


def test_a_hook_may_record_what_it_returns():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    y.backward(create_graph=True)
    assert x.grad.data == 8.0  # x · 2x
    first, x.grad = x.grad, None
    first.backward()
    assert x.grad == 8.0  # 4x


def test_a_hook_on_one_of_several_outputs():
    x = leaf(np.arange(4.0))
    left, right = np.split(x, 2)
    right.register_hook(lambda g: 3 * g)
    np.sum(left + right).backward()
    assert x.grad.tolist() == [1.0, 1.0, 3.0, 3.0]


def test_an_exception_in_a_hook_leaves_gradients_as_they_were():
    x, y = leaf([1.0]), leaf([2.0])
    x.grad = [7.0]
    h = x * 2
    h.register_hook(lambda g: g.reshape(5))
    with pytest.raises(ValueError, match="cannot reshape"):
        np.sum(h * y).backward()
    assert x.grad.tolist() == [7.0]
    assert y.grad is None


# Calls within calls


def test_backward_of_another_graph_within_a_hook():
    x = leaf(3.0)
    y = x * x

    def hook(g):
        inner = leaf(2.0)
        (inner * inner * inner).backward()
        return g * inner.grad

    y.register_hook(hook)
    y.backward()
    assert x.grad == 72.0


def test_backward_to_the_same_leaf_within_a_hook_adds_up():
    x = leaf(3.0)
    y = x * x
    y.register_hook(lambda g: (x * 5).backward())
    y.backward()
    assert x.grad == 11.0


def test_backward_within_a_rule():
    def slope(g, x):
        inner = leaf(x)
        np.sum(inner * inner).backward()
        return g * inner.grad

    @differentiable(vjp=slope)
    def square(x):
        return x * x

    x = leaf([1.0, 2.0])
    np.sum(square(x)).backward()
    assert x.grad.tolist() == [2.0, 4.0]


# Leaves


def test_backward_of_a_leaf_adds_up():
    x, seed = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    x.backward(seed)
    x.backward(seed)
    assert x.grad.tolist() == [6.0, 8.0]
    assert seed.tolist() == [3.0, 4.0]
    y = leaf(3.0)
    (y * y).backward()
    y.backward()
    assert y.grad == 7.0


def test_a_graph_that_keeps_nothing_is_released_all_the_same():
    x = leaf(3.0)
    y = x + x
    y.backward()
    with pytest.raises(GraphError, match="pass retain_graph=True"):
        y.backward()


# Recorded calls


def test_a_recorded_backward_leaves_tensors_also_where_gradients_are_constant():
    x, y = leaf([1.0, 2.0]), leaf(3.0)
    np.sum(x * 2 + y).backward(create_graph=True)
    assert isinstance(x.grad, Tensor)
    assert not x.grad.requires_grad
    assert x.grad.data.tolist() == [2.0, 2.0]
    assert isinstance(y.grad, Tensor)
    assert y.grad.shape == ()
    assert y.grad.data == 2.0
    seed = np.ones(2)
    x.grad = None
    x.backward(seed, create_graph=True)
    assert not np.shares_memory(x.grad.data, seed)


def test_recorded_and_plain_gradients_add_up():
    x = leaf(2.0)
    (x**2).backward()
    (x**3).backward(create_graph=True)
    (x**2).backward()
    assert x.grad.data == 20.0
    assert x.grad.requires_grad


# Outputs that carry no gradient beside one that does


def test_a_mask_that_is_broadcast_with_a_tensor_stays_a_mask():
    x = leaf([[1.0, 2.0]])
    values, mask = np.broadcast_arrays(x, np.array([[True, False], [True, True]]))
    assert values.requires_grad
    assert not mask.requires_grad
    np.sum(values[mask] ** 2).backward()
    assert x.grad.tolist() == [[4.0, 4.0]]


def test_a_hook_must_return_the_shape_of_the_gradient():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: g[:1])
    with pytest.raises(ShapeError) as error:
        np.sum(x * 2).backward()
    assert str(error.value) == (
        "a gradient hook on 'leaf' returned shape (1,); the gradient has shape (2,): "
        "return an array of that shape, or None to leave it as it is"
    )


# Some leaves only


def test_backward_to_some_inputs():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    product = x * y
    product.backward(gradient=np.ones(2), inputs=x, retain_graph=True)
    assert (x.grad.tolist(), y.grad) == ([3.0, 4.0], None)
    del x.grad
    product.backward(np.ones(2), False, False, [y])
    assert (x.grad, y.grad.tolist()) == (None, [1.0, 2.0])


@pytest.mark.parametrize("requires_grad", [True, False])
def test_an_input_that_is_no_leaf_is_refused(requires_grad):
    x = leaf([1.0, 2.0])
    other = x * 2 if requires_grad else Tensor([1.0, 2.0])
    with pytest.raises(GraphError) as caught:
        np.sum(x * other).backward(inputs=[x, other])
    assert str(caught.value) == (
        "backward(inputs=[…]) with Tensor(float64 (2,)), which is no leaf that requires grad; "
        "give it leaves, or call retain_grad() of what was computed"
    )
    assert x.grad is None


def test_subclasses_have_no_objects():
    class Unit(Tensor):
        pass

    with pytest.raises(TypeError) as caught:
        Unit([1.0, 2.0])
    assert str(caught.value) == (
        "Unit is a subclass of Tensor, and operations make plain Tensors of it; let the class "
        "hold a Tensor, and derivatives of your own be rows of autograd.differentiable"
    )


def test_no_inputs_at_all() -> None:
    x = Tensor(2.0, requires_grad=True)
    for inputs, message in (
        ([], "backward(inputs=[]) has no leaf to fill; give it leaves, or no inputs to fill all"),
        (
            [np.ones(2)],
            "backward(inputs=[…]) with array(float64 (2,)), which is no leaf that requires grad; "
            "give it leaves, or call retain_grad() of what was computed",
        ),
    ):
        with pytest.raises(GraphError) as error:
            (x * x).backward(inputs=inputs)
        assert str(error.value) == message


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32")])
def test_a_dtype_in_the_place_of_requires_grad(dtype: Any) -> None:
    with pytest.raises(TypeError) as error:
        Tensor([1.0], dtype)
    assert str(error.value) == (
        f"Tensor(data, {dtype!r}): the second argument says whether a gradient is required; for a dtype write "
        f"Tensor(data, dtype={dtype!r})"
    )
