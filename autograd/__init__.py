"""autograd"""

import autograd.rules
from autograd.tensor import Tensor
from autograd.modes import no_grad, enable_grad
from autograd.checks import gradcheck
from autograd.declare import differentiable
