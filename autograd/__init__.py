"""Automatic differentiation of NumPy code, made to be read.

A `Tensor` remembers the *node* that made it. A node is one application of an *op*. An op is one row of *the table*. The
*chain rule* walks the nodes, backward (`pullback`) or forward (`pushforward`), and everything else -- pictures, checks,
higher derivatives -- only reads that record. Six nouns are the whole engine.

To read it, start at the bottom:

1. ``chain_rule.py``: the two walks, where derivatives are multiplied and summed;
2. ``record.py``: the record that they walk;
3. ``op.py`` and ``table.py``: how a row says what the derivative of a function is;
4. ``rules/``: the table itself, a page per subject;
5. ``tensor.py`` and ``methods.py``: a value with NumPy's manners; ``recording.py`` and ``writer.py``: how a call on
   tensors finds its row and is recorded;
6. ``transforms.py``, ``checkpointing.py``, ``checks.py``, ``anomaly.py``, ``declare.py``: what is built on top;
7. ``tracing.py``, ``program.py``, ``blockwise.py``, ``compiling.py``: the calls that a function makes, as a program
   that repeats them, on several threads (``threads.py``) where arrays are large.

Examples
--------
>>> import numpy as np
>>> from autograd import Tensor, grad
>>> x = Tensor([1.0, 2.0], requires_grad=True)
>>> np.sum(np.exp(x) * x).backward()  # plain NumPy calls record themselves
>>> x.grad
array([ 5.43656366, 22.1671683 ])
>>> grad(np.sin)(0.0)
np.float64(1.0)
"""

from importlib import import_module
from typing import Any

from autograd.anomaly import detect_anomaly
from autograd.checkpointing import checkpoint
from autograd.checks import gradcheck
from autograd.declare import differentiable, flat
from autograd.errors import (
    AnomalyError,
    AutogradError,
    AxisError,
    CompileError,
    DtypeError,
    ExpressionError,
    GradcheckError,
    GraphError,
    LayoutError,
    NotDifferentiableError,
    OutOfRangeError,
    RowError,
    ShapeError,
    SingularError,
)
from autograd.leaves import Handle
from autograd.messages import describe
from autograd.modes import enable_grad, is_compiling, no_grad
from autograd.record import named_call
from autograd.rules.activations import (
    elu,
    erf,
    erfc,
    gelu,
    leaky_relu,
    log_softmax,
    logsigmoid,
    logsumexp,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from autograd.rules.indexing import index_add, one_hot
from autograd.rules.networks import affine, batch_norm, softmax_cross_entropy
from autograd.tensor import Tensor
from autograd.threads import get_num_threads, set_num_threads
from autograd.transforms import (
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)

__all__ = [
    "AnomalyError",
    "AutogradError",
    "AxisError",
    "CompileError",
    "DtypeError",
    "ExpressionError",
    "FlowRecorder",
    "GradcheckError",
    "GraphError",
    "Handle",
    "LayoutError",
    "NotDifferentiableError",
    "OutOfRangeError",
    "RowError",
    "ShapeError",
    "SingularError",
    "Tensor",
    "affine",
    "batch_norm",
    "checkpoint",
    "compiled",
    "describe",
    "detect_anomaly",
    "differentiable",
    "elementwise_grad",
    "elu",
    "enable_grad",
    "erf",
    "erfc",
    "files",
    "flat",
    "gelu",
    "get_num_threads",
    "grad",
    "gradcheck",
    "graph",
    "hessian",
    "hvp",
    "index_add",
    "is_compiling",
    "jacobian",
    "jvp",
    "leaky_relu",
    "linearize",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "named_call",
    "no_grad",
    "one_hot",
    "relu",
    "selu",
    "set_num_threads",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "value_and_grad",
    "vjp",
]


LATER = {"FlowRecorder": "autograd.view.flow", "compiled": "autograd.compiling", "graph": "autograd.view"}
"""Where names are found that are loaded when they are first asked for: most programs draw and compile nothing."""


def __getattr__(name: str) -> Any:
    """Load what is asked for."""
    if name not in LATER:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    return getattr(import_module(LATER[name]), name)
