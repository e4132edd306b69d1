"""Transforms: functions in, derivatives out. Plain numbers in, plain numbers out.

Each is a way to use one `Run`: the function is called once, on tensors, and the record of that call is walked, backward
or forward, as often as needed.

Arguments and results may be nested tuples, lists and dicts of arrays and floats. A derivative comes back in the
structure of its argument, each leaf in the argument's shape and dtype. Transforms nest in any order. A result is an
array or NumPy scalar, or a Tensor where it depends on something else that requires grad: the variable of an outer
transform, or a parameter that the function closes over.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Any

from autograd import trees
from autograd.errors import ShapeError
from autograd.run import Argnums, Function, Run, Tree, ones, size

# Derivatives of functions


def grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that computes the gradient of `f`.

    Parameters
    ----------
    f : callable
        A function of arrays and floats, or of nested tuples, lists and dicts of them, whose result is a scalar.
    argnums : int, str, or tuple or list of them
        Positions or names of the arguments to differentiate with respect to.
    has_aux : bool
        Whether `f` returns a pair (value, aux) of which only the value is differentiated.

    Returns
    -------
    callable
        Takes what `f` takes and returns the gradient, in the structure, shapes and dtypes of the argument: a tuple of
        gradients if `argnums` is a tuple or list. With `has_aux` it returns (gradient, aux).

    Raises
    ------
    ShapeError
        If the result of `f` is not a scalar.
    DtypeError
        If an argument to differentiate is not of a floating dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> grad(np.tanh)(0.0)
    np.float64(1.0)
    >>> grad(grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    >>> def loss(params, x):
    ...     return np.sum((params["w"] * x + params["b"]) ** 2)
    >>> grad(loss)({"w": 2.0, "b": 1.0}, np.array([1.0, 2.0]))
    {'w': np.float64(26.0), 'b': np.float64(16.0)}
    """

    @wraps(f)
    def gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        run = Run("grad", f, args, kwargs, argnums, has_aux)
        gradient = run.gradient(run.unit())
        return (gradient, run.aux()) if has_aux else gradient

    return gradient_of_f


def value_and_grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that computes the value of `f` and its gradient in one go.

    Parameters
    ----------
    f, argnums, has_aux
        As in `grad`.

    Returns
    -------
    callable
        Takes what `f` takes and returns (value, gradient); with `has_aux`, ((value, aux), gradient).

    Examples
    --------
    >>> from autograd import value_and_grad
    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (np.float64(6.0), (np.float64(3.0), np.float64(2.0)))
    """

    @wraps(f)
    def value_and_gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        run = Run("value_and_grad", f, args, kwargs, argnums, has_aux)
        gradient = run.gradient(run.unit())
        return ((run.value(), run.aux()) if has_aux else run.value()), gradient

    return value_and_gradient_of_f


def elementwise_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes the derivative of an `f` that is applied elementwise.

    It is the gradient of the sum of the results: where element i of the result depends on element i of the argument
    alone, that is the derivative of each element.

    Parameters
    ----------
    f, argnums
        As in `grad`; `f` may return any shape.

    Returns
    -------
    callable
        Takes what `f` takes and returns the gradient of the sum of the results.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import elementwise_grad
    >>> elementwise_grad(np.square)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """

    @wraps(f)
    def elementwise_gradient_of_f(*args: Any, **kwargs: Any) -> Any:
        run = Run("elementwise_grad", f, args, kwargs, argnums)
        return run.gradient([ones(spec) for spec in run.out_specs])

    return elementwise_gradient_of_f


def jacobian(f: Function, argnums: Argnums = 0, mode: str | None = None, has_aux: bool = False) -> Function:
    """Return the function that computes the Jacobian of `f`: each output element differentiated by each input element.

    `f` is called once. The record is then walked backward once for each output element, or forward once for each input
    element.

    Parameters
    ----------
    f, argnums, has_aux
        As in `grad`; `f` may return any shape, and nested tuples, lists and dicts.
    mode : {"reverse", "forward"}, optional
        By default forward if there are fewer input elements than output elements.

    Returns
    -------
    callable
        Takes what `f` takes and returns an array of shape ``out.shape + in.shape`` and the argument's dtype. For a
        result in a nested structure it returns that structure of Jacobians; for an argument in one, or a tuple of
        `argnums`, each of these is in the structure of the argument. With `has_aux`, (Jacobian, aux).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jacobian
    >>> jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    if mode not in ("reverse", "forward", None):
        raise ShapeError(f"jacobian: mode is {mode!r}; it must be 'reverse', 'forward', or None to choose by shape")

    @wraps(f)
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        run = Run("jacobian", f, args, kwargs, argnums, has_aux)
        fewer_inputs = sum(map(size, run.in_specs)) < sum(map(size, run.out_specs))
        forward = fewer_inputs if mode is None else mode == "forward"
        blocks = run.by_columns() if forward else run.by_rows()
        matrices = trees.unflatten(run.out_structure, (trees.unflatten(run.in_structure, row) for row in blocks))
        return (matrices, run.aux()) if has_aux else matrices

    return jacobian_of_f


def hessian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that computes the Hessian of `f`: its second derivatives, forward over reverse.

    Parameters
    ----------
    f, argnums, has_aux
        As in `grad`; `f` may return any shape.

    Returns
    -------
    callable
        Takes what `f` takes and returns an array of shape ``out.shape + in.shape + in.shape``. For a tuple of `argnums`
        it returns a tuple of tuples; for nested structures, such structures of structures. With `has_aux`,
        (Hessian, aux).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(jacobian(f, argnums, "reverse", has_aux), argnums, "forward", has_aux)


# Derivatives at a point


def vjp(f: Function, *primals: Tree, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` and its vector-Jacobian product: the pullback of cotangents.

    Parameters
    ----------
    f : callable
        A function of arrays and floats, or of nested tuples, lists and dicts of them, with results of the same kind.
    *primals
        The arguments of `f`, all of which are differentiated.
    has_aux : bool
        Whether `f` returns a pair (value, aux) of which only the value is differentiated.

    Returns
    -------
    value
        ``f(*primals)``.
    pull : callable
        Takes a cotangent in the structure, shapes and dtypes of the value (Python numbers take the dtype) and returns a
        tuple of cotangents, one for each primal. It can be called as often as one likes.
    aux
        With `has_aux` only.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import vjp
    >>> value, pull = vjp(lambda x, y: x * np.sin(y), 2.0, 0.0)
    >>> value
    np.float64(0.0)
    >>> pull(1.0)
    (np.float64(0.0), np.float64(2.0))
    """
    run = Run("vjp", f, primals, {}, range(len(primals)), has_aux)

    def pull(cotangent: Tree) -> tuple[Any, ...]:
        seeds = run.fitted(cotangent, run.out_structure, run.out_specs, "the cotangent", "the value")
        gradients: tuple[Any, ...] = run.gradient(seeds)
        return gradients

    return (run.value_apart(), pull, run.aux()) if has_aux else (run.value_apart(), pull)


def linearize(f: Function, *primals: Tree, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` and its derivative as a linear function of tangents.

    Parameters
    ----------
    f, *primals, has_aux
        As in `vjp`.

    Returns
    -------
    value
        ``f(*primals)``.
    linear : callable
        Takes one tangent for each primal and returns the tangent of the value. It walks the record of the one call of
        `f` and does not call `f` again.
    aux
        With `has_aux` only.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import linearize
    >>> value, linear = linearize(np.square, 3.0)
    >>> value, linear(1.0), linear(0.5)
    (np.float64(9.0), np.float64(6.0), np.float64(3.0))
    """
    return linearized("linearize", f, primals, has_aux)


def jvp(f: Function, primals: Sequence[Tree], tangents: Sequence[Tree], has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` and its Jacobian-vector product: the derivative along a direction, in forward mode.

    Parameters
    ----------
    f : callable
        As in `vjp`.
    primals : tuple or list
        The arguments of `f`.
    tangents : tuple or list
        The direction: for each argument its tangent, in the same structure, shapes and dtypes (Python numbers take the
        dtype).
    has_aux : bool
        Whether `f` returns a pair (value, aux) of which only the value is differentiated.

    Returns
    -------
    value
        ``f(*primals)``.
    tangent
        In the structure, shapes and dtypes of the value.
    aux
        With `has_aux` only.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import jvp
    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.5))
    (np.float64(6.0), np.float64(4.0))
    """
    for what, given in ("primals", primals), ("tangents", tangents):
        if not isinstance(given, tuple | list):
            raise TypeError(
                f"jvp: the {what} must be a tuple or list with one entry for each argument of the function, "
                f"not {type(given).__name__}; write ({what[:-1]},) for one argument"
            )
    value, linear, *aux = linearized("jvp", f, primals, has_aux)
    return (value, linear(*tangents), *aux)


def hvp(f: Function, primals: Tree, tangents: Tree) -> Tree:
    """The Hessian of a scalar function times a vector, forward over reverse, without the Hessian.

    Parameters
    ----------
    f : callable
        A function with a scalar result.
    primals : tuple, list, or anything else
        A tuple or list holds the arguments of `f`; anything else is the only argument.
    tangents
        The vector, in the structure of `primals`.

    Returns
    -------
    tuple or array
        The product: a tuple if `primals` is a tuple or list, else in the structure of the argument.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import hvp
    >>> hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    array([6., 6.])
    """
    if isinstance(primals, tuple | list):
        return jvp(grad(f, range(len(primals))), primals, tangents)[1]
    return jvp(grad(f), (primals,), (tangents,))[1]


def linearized(caller: str, f: Function, primals: Sequence[Tree], has_aux: bool) -> tuple[Any, ...]:
    """What `linearize` returns."""
    run = Run(caller, f, primals, {}, range(len(primals)), has_aux)

    def linear(*tangents: Tree) -> Tree:
        given = run.fitted(tangents, run.in_structure, run.in_specs, "tangents", "primals")
        return trees.unflatten(run.out_structure, run.push(given))

    return (run.value_apart(), linear, run.aux()) if has_aux else (run.value_apart(), linear)
