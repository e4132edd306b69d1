"""autograd"""

import autograd.rules
from autograd.tensor import Tensor
from autograd.modes import no_grad, enable_grad
from autograd.checks import gradcheck
from autograd.declare import differentiable
from autograd.anomaly import detect_anomaly
from autograd.checkpointing import checkpoint
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
