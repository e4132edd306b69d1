"""Modules made of modules: one after the other, in a list, and the multilayer perceptron."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, pairwise
from operator import index as integer
from typing import Any

import numpy as np

from autograd import OutOfRangeError, ShapeError, describe
from nn.activations import ACTIVATIONS
from nn.dropout import Dropout
from nn.linear import Linear
from nn.module import Module, shape_of
from nn.normalization import BatchNorm1d


class Container(Module):
    """Modules in an order, each with a name, which is its number unless another was given; it changes as lists do."""

    def _checked(self, module: Any) -> Module:
        if not isinstance(module, Module):
            if isinstance(module, type):
                cure = f"call it: {module.__name__}()"
            else:
                cure = "nn.Lambda makes one of a function" if callable(module) else "give them one by one"
            raise TypeError(f"{type(self).__name__} holds modules, got {describe(module)}; {cure}")
        return module

    def _names(self, index: Any) -> list[str]:
        """Return the names of the modules at a position, or in a slice of them."""
        names = list(self._modules)
        if isinstance(index, slice):
            return names[index]
        if not -len(names) <= integer(index) < len(names):
            raise OutOfRangeError(f"{type(self).__name__} of {len(names)} modules has none at {index}")
        return [names[index]]

    def _hold(self, named: Iterable[tuple[str, Module]]) -> None:
        """Hold these modules alone: names that are numbers become their positions, others stay."""
        held = [(str(at) if name.isdecimal() else name, module) for at, (name, module) in enumerate(named)]
        for name in list(self._modules):
            delattr(self, name)
        for name, module in held:
            self.add_module(name, module)

    def append(self, module: Module) -> Any:
        """Add a module at the end, and return the container."""
        name = next(name for name in map(str, count(len(self))) if name not in self._modules)
        self.add_module(name, self._checked(module))
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end, and return the container."""
        for module in [*map(self._checked, modules)]:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before the one at a position, or at the end, and return the container."""
        named = list(self._children())
        if not -len(named) <= integer(index) <= len(named):
            raise OutOfRangeError(
                f"{type(self).__name__} of {len(named)} modules has no place {index} for another; "
                f"its places are from {-len(named)} to {len(named)}"
            )
        named.insert(index, ("0", self._checked(module)))
        self._hold(named)
        return self

    def pop(self, index: int = -1) -> Any:
        """Remove the module at a position, and return it."""
        module = self[index]
        del self[index]
        return module

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return (module for _, module in self._children())

    def __add__(self, modules: Iterable[Module]) -> Any:
        return self[:].extend(modules)

    def __iadd__(self, modules: Iterable[Module]) -> Any:
        return self.extend(modules)

    def __getitem__(self, index: Any) -> Any:
        [name] = self._names(index)
        return getattr(self, name)

    def __delitem__(self, index: Any) -> None:
        gone = self._names(index)
        self._hold([(name, module) for name, module in self._children() if name not in gone])

    def __setitem__(self, index: int, module: Module) -> None:
        [name] = self._names(index)
        setattr(self, name, self._checked(module))


class Sequential(Container):
    """Modules one after the other: each takes what the one before returns.

    Parameters
    ----------
    *modules : Module
        The modules; or one dict of them, which names them.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> model(np.ones((5, 4), np.float32)).shape
    (5, 3)
    >>> model[1], len(model), list(model.state_dict())
    (ReLU(), 3, ['0.weight', '0.bias', '2.weight', '2.bias'])
    >>> model[:2]
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
    )

    To exchange the last layer of a trained network for a task with other outputs (transfer learning, BLG561E):

    >>> model[-1] = nn.Linear(8, 2)
    """

    def __init__(self, *modules: Any) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, self._checked(module))
        else:
            self.extend(modules)

    def forward(self, input: Any) -> Any:
        """Return what the last module returns; the input, if there is none."""
        for name in self._modules:
            input = getattr(self, name)(input)
        return input

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Sequential({name: getattr(self, name) for name in self._names(index)})
        return super().__getitem__(index)


class ModuleList(Container):
    """A list of modules, which a module that has it as an attribute finds; it is not a function itself.

    Parameters
    ----------
    modules : iterable of Module, optional
        The modules.

    Examples
    --------
    >>> import nn
    >>> layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
    >>> len(layers), sum(p.size for p in layers.parameters())
    (3, 60)
    >>> layers += [nn.ReLU()]
    >>> layers.insert(0, nn.Flatten()).pop()
    ReLU()
    >>> del layers[:2]
    >>> list(layers.state_dict())
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        self.extend(() if modules is None else modules)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return ModuleList(list(self)[index])
        return super().__getitem__(index)


# Modules without parameters


class Identity(Module):
    """Returns its input: where a module must stand, but nothing is to be done.

    Examples
    --------
    >>> import nn
    >>> nn.Identity()(3.0)
    3.0
    """

    def forward(self, input: Any) -> Any:
        """Return the input."""
        return input


class Lambda(Module):
    """A function of one array as a module.

    Parameters
    ----------
    function : callable
        The function, of NumPy or `autograd` or made of theirs.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Sequential(nn.Lambda(np.square), nn.Lambda(np.sqrt))([-3.0, 4.0])
    array([3., 4.])
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def forward(self, input: Any) -> Any:
        """Return what the function returns."""
        return self.function(input)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))


class Flatten(Module):
    """Joins axes into one: an image of shape (width, height, depth) becomes a vector (CS229 lecture 11).

    Parameters
    ----------
    start_dim, end_dim : int
        The first and the last axis to join; all but that of the batch by default.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Flatten()(np.zeros((10, 28, 28, 3))).shape
    (10, 2352)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        """Return the input with these axes as one."""
        shape = shape_of(input) or (1,)  # a number is a vector of one
        start, end = (dim + len(shape) if dim < 0 else dim for dim in (self.start_dim, self.end_dim))
        if not 0 <= start <= end < len(shape):
            raise ShapeError(f"{self!r} has no axes to join in {describe(input)}; give it an input with more axes")
        return np.reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Parts an axis into several: the inverse of `Flatten`.

    Parameters
    ----------
    dim : int
        The axis.
    unflattened_size : sequence of int
        Lengths of the axes that it becomes; one may be -1, for whatever is left.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Unflatten(1, (-1, 8, 8))(np.zeros((10, 192))).shape
    (10, 3, 8, 8)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, input: Any) -> Any:
        """Return the input with this axis as several."""
        shape, sizes = shape_of(input), self.unflattened_size
        if -len(shape) <= self.dim < len(shape):
            dim = self.dim % len(shape)
            rest = shape[dim] // max(math.prod(size for size in sizes if size != -1), 1)
            sizes = tuple(rest if size == -1 else size for size in sizes)
            if math.prod(sizes) == shape[dim]:
                return np.reshape(input, (*shape[:dim], *sizes, *shape[dim + 1 :]))
        raise ShapeError(f"{self!r} has no axis of that length to part in {describe(input)}")

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


# The multilayer perceptron

NAMED: dict[str, type[Module]] = {**ACTIVATIONS, "identity": Identity}


class MLP(Sequential):
    """Multilayer perceptron: affine maps with activations between them, aₗ = g(Wₗ aₗ₋₁ + bₗ) (CS60010).

    Each hidden layer is Linear, BatchNorm1d, activation, Dropout, of which normalization and dropout are there when
    asked for; BLG561E has the normalization before the activation. Before it there is no bias, since it takes away what
    a bias adds. The output layer is Linear, for regression or a loss that takes logits.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of inputs, of units of each hidden layer, and of outputs: L + 1 numbers for L layers.
    activation : str, class of Module, callable or sequence of these
        Of the hidden layers: a name such as ``"relu"``, a class such as ``nn.ReLU``, any function of an array, or None.
        A list has one for each of the L - 1 hidden layers; with L of them, the last one is for the output.
    dropout : float
        Probability that an activation of a hidden layer is left out.
    batch_norm : bool
        Whether hidden layers are normalized.
    bias : bool
        Whether affine maps have biases.
    dtype : dtype
        Of the parameters.
    rng : numpy.random.Generator, optional
        Where first values and dropout come from: one seed gives the same training again.

    Raises
    ------
    ShapeError
        For sizes that are no such numbers, a list of activations of another length, and unknown names.

    Examples
    --------
    >>> import nn
    >>> nn.MLP([4, 8, 3], dropout=0.5)
    MLP(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Dropout(p=0.5)
      (3): Linear(in_features=8, out_features=3, bias=True)
    )
    >>> nn.MLP([4, 8, 1], ["tanh", "sigmoid"], batch_norm=True)
    MLP(
      (0): Linear(in_features=4, out_features=8, bias=False)
      (1): BatchNorm1d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
      (2): Tanh()
      (3): Linear(in_features=8, out_features=1, bias=True)
      (4): Sigmoid()
    )
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Any = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        units = np.asarray(sizes)
        if units.ndim != 1 or units.dtype.kind not in "iu" or len(units) < 2 or units.min() < 1:
            raise ShapeError(
                f"MLP(sizes={describe(sizes)}): sizes are numbers of units from the inputs to the outputs, "
                "at least two positive integers, such as [4, 16, 3]"
            )
        sizes, rng = units.tolist(), np.random.default_rng(rng)
        modules: list[Module] = []
        layers = zip(pairwise(sizes), activations(activation, len(sizes) - 1), strict=True)
        for number, ((inputs, outputs), act) in enumerate(layers, 1):
            hidden = number < len(sizes) - 1
            normalized = batch_norm and hidden
            modules.append(Linear(inputs, outputs, bias and not normalized, dtype=dtype, rng=rng))
            if normalized:
                modules.append(BatchNorm1d(outputs, dtype=dtype))
            if act is not None:
                modules.append(act)
            if hidden and dropout:
                modules.append(Dropout(dropout, rng=rng))
        super().__init__(*modules)


def activations(given: Any, layers: int) -> list[Module | None]:
    """The activation of each layer, from one for the hidden layers or a list."""
    if not isinstance(given, list | tuple):
        given = [given] * (layers - 1)
    if len(given) not in (layers - 1, layers):
        raise ShapeError(
            f"MLP has {layers} layers, so activation lists {layers - 1}, or {layers} with that of the output, "
            f"got {len(given)}: {describe(given)}"
        )
    return [module_of(act) for act in given] + [None] * (layers - len(given))


def module_of(activation: Any) -> Module | None:
    """An activation as a module, from its name, class or function."""
    if isinstance(activation, str):
        if activation not in NAMED:
            raise ShapeError(f"there is no activation {activation!r}; there are {', '.join(sorted(NAMED))}")
        return NAMED[activation]()
    if isinstance(activation, type) and issubclass(activation, Module):
        return activation()
    if isinstance(activation, Module):
        return activation
    if activation is None:
        return None
    if not callable(activation):
        raise TypeError(f"an activation is a name, a module, a function or None, got {describe(activation)}")
    return Lambda(activation)
