# %% [markdown]
# # 1. The chain rule
#
# `S3-01`

# %%
import numpy as np
import matplotlib.pyplot as plt
from autograd import Tensor, graph

# %%
x = Tensor(-2.0, requires_grad=True, name="x")
y = Tensor(5.0, requires_grad=True, name="y")
f = (x + y) * -4.0
f.backward()
graph(f)

# %%
print("one")
print("two", flush=True)
plt.plot([1, 2])
plt.show()
