"""autograd"""

import autograd.rules
from autograd.tensor import Tensor
from autograd.modes import no_grad, enable_grad
