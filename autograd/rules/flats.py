"""f"""

import numpy as np
from autograd.table import flat

flat(np.equal, np.greater, np.less, np.zeros_like, np.argmax)
