"""t"""

import numpy as np, math
from autograd.table import elementwise

elementwise(np.tanh, lambda out: 1 - out * out, scalar=math.tanh)
elementwise(np.exp, lambda out: out, scalar=math.exp)
elementwise(np.sin, lambda x: np.cos(x), scalar=math.sin)
elementwise(np.cos, lambda x: -np.sin(x), scalar=math.cos)
elementwise(np.log, lambda x: 1 / x, scalar=math.log, singular=True)
