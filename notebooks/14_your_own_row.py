# %% [markdown]
# # 14. Your own row, and how to trust it
#
# The engine knows the derivatives of NumPy's functions. Yours it does not know: a formula from a paper, a routine in
# another language, a filter. You can teach it one in a line. But the line comes from a page of algebra, and algebra
# goes wrong quietly: the network still trains, only worse. So the question is less how to add a derivative than how to
# know that it is right.
#
# You will see
#
# - the recipe of automatic differentiation as three steps that you take yourself;
# - how well a difference quotient knows a derivative, and why a smaller step can be worse;
# - a wrong derivative planted in a network, and the check that names it;
# - rules for functions that are linear, and for functions that do not work element by element;
# - what a derivative is at a kink, where there is none.
#
# From "Backpropagation, initialization, autograd" (S3) and CS60010 MLP part 2 (S4).

# %%
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

from autograd import GradcheckError, Tensor, differentiable, elementwise_grad, grad, gradcheck, graph, jacobian, relu

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})

# %% [markdown]
# ## Three steps · `S3-17`
#
# The notes end with a recipe: define a set of operations, define their derivatives, keep track of what was applied.
# [Notebook 1](01_chain_rule.ipynb) makes an engine of it. Here we add to an engine. Take the *softsign*,
#
# $$s(x) = \frac{x}{1 + |x|}, \qquad s'(x) = \frac{1}{(1 + |x|)^2},$$
#
# a cousin of $\tanh$ that saturates slowly.


# %%
def softsign(x):  # step 1, the operation: any code that computes with NumPy arrays
    return x / (1 + np.abs(x))


softsign = differentiable(lambda x: 1 / (1 + np.abs(x)) ** 2)(softsign)  # step 2, its local derivative

# %% [markdown]
# Step 3, keeping track, is done for us: on a `Tensor`, `softsign` records one node, like NumPy's own functions.
# (`differentiable` is usually written as a decorator, `@differentiable(...)`, on the line above `def`. That does the
# same.)
#
# **Predict:** with $x = 1$, what stands on the edge into `softsign` in the picture of $L = (3\,s(x) - 1)^2$? And what
# is $dL/dx$?


# %%
def picture(tensor):
    """The graph as plain pixels, which are shown everywhere."""
    with TemporaryDirectory() as folder:
        graph(tensor).save(f"{folder}/graph.png")
        return Image(filename=f"{folder}/graph.png", retina=True)


x = Tensor(1.0, requires_grad=True, name="x")
L = (3 * softsign(x) - 1) ** 2
L.name = "L"
L.backward()
print(f"dL/dx = 2 · {3 * softsign(1.0) - 1:g} · 3 · {1 / 4:g} = {x.grad:g}")
assert x.grad == 2 * 0.5 * 3 * 0.25
picture(L)

# %% [markdown]
# *In the picture:* $x = 1$ leads to a card titled softsign, value 0.5; on the edge stands $\times 0.25$. The rest is
# the engine's: a product with 3, a difference, a square. Your row is a row like these, so everything else works on it
# at once: higher derivatives, Jacobians, forward mode.

# %%
print("s'(1)  =", grad(softsign)(1.0))
print("s''(1) =", grad(grad(softsign))(1.0), " (by hand -2/(1 + 1)³ = -0.25)")
assert grad(grad(softsign))(1.0) == -0.25

# %% [markdown]
# ## What a difference quotient knows
#
# How to check $s'$ without algebra? A derivative is a limit of difference quotients:
#
# $$\frac{s(x + h) - s(x)}{h} \quad\text{(one-sided)} \qquad\text{or}\qquad
# \frac{s(x + h) - s(x - h)}{2h} \quad\text{(central)}.$$
#
# **Predict:** the smaller $h$ is, the better. True? Sketch the error of both against $h$, from $h = 1$ down to
# $10^{-15}$.

# %%
h = 10.0 ** np.arange(-15, 0.1, 0.25)
at = 0.7
exact = 1 / (1 + at) ** 2
one_sided = abs((softsign(at + h) - softsign(at)) / h - exact)
central = abs((softsign(at + h) - softsign(at - h)) / (2 * h) - exact)

figure, axes = plt.subplots(figsize=(7.5, 4.4))
axes.loglog(h, h, "--", h, h**2, "--", h, 1e-16 / h, ":", color="gray", linewidth=1)
axes.loglog(h, one_sided, "o", color=ORANGE, markersize=7, markerfacecolor="none", label="one-sided")
axes.loglog(h, central, "s", color=BLUE, markersize=4, label="central")
for text, position in {"∝ h": (4e-7, 1e-5), "∝ h²": (1.5e-3, 1e-8), "rounding, ∝ 1/h": (1e-13, 1e-1)}.items():
    axes.annotate(text, position, color="dimgray")
axes.set(ylim=(1e-14, 10), xlabel="step h", ylabel="error of the slope")
axes.set_title("A smaller step helps, until rounding takes over")
axes.legend(frameon=False, loc="upper center")
plt.show()

best = h[central.argmin()]
print(f"smallest errors: one-sided {one_sided.min():.0e}, central {central.min():.0e} at h = {best:.0e}")
assert one_sided.min() > 10 * central.min()

# %% [markdown]
# *In the picture:* two V-shaped curves. Down to about $h = 10^{-8}$ the one-sided error falls in step with $h$; the
# central one falls like $h^2$, much faster, and is lowest between $10^{-7}$ and $10^{-5}$. To the left both rise again:
# two numbers that agree in most of their 16 digits are subtracted, and what is left is divided by a tiny $h$.
#
# So a check takes central differences with $h$ near $10^{-6}$, in float64, and asks for five digits. That is what
# `gradcheck` does, in a random direction, so that a gradient of a million numbers costs a few evaluations; only if the
# two disagree does it look for the place.

# %%
points = np.array([-2.0, -0.3, 0.5, 4.0])
print("softsign:", gradcheck(softsign, points))

# %% [markdown]
# It has compared reverse mode and forward mode with differences, and the second derivatives too.
#
# ## A wrong row
#
# Somebody differentiates in a hurry and forgets the square: $1/(1 + |x|)$. The row goes into a network with other
# things, and the loss falls. **Predict:** will training notice?


# %%
@differentiable(lambda x: 1 / (1 + np.abs(x)))  # wrong
def hasty_softsign(x):
    return x / (1 + np.abs(x))


def train(activation, steps=300):
    """Fit sin(3t) by one hidden layer, with plain gradient descent; the loss of each step."""
    rng = np.random.default_rng(0)
    t = np.linspace(-1, 1, 64)[:, None]
    y = np.sin(3 * t)
    weights = [rng.normal(size=(1, 16)) * 2, rng.normal(size=16), rng.normal(size=(16, 1)) / 4]
    losses = []
    for _ in range(steps):
        W1, b1, W2 = (Tensor(w, requires_grad=True) for w in weights)
        loss = np.mean((activation(t @ W1 + b1) @ W2 - y) ** 2)
        loss.backward()
        weights = [w - 0.1 * tensor.grad for w, tensor in zip(weights, (W1, b1, W2), strict=True)]
        losses.append(loss.item())
    return losses


right, wrong = train(softsign), train(hasty_softsign)
figure, axes = plt.subplots(figsize=(6.5, 3.6))
axes.semilogy(right, color=BLUE, linewidth=2.5, label="right derivative")
axes.semilogy(wrong, color=ORANGE, linewidth=2.5, linestyle="--", label="square forgotten")
axes.set(xlabel="step", ylabel="mean squared error", title="A wrong derivative can look like learning")
axes.legend(frameon=False)
plt.show()
print(f"after 300 steps: right {right[-1]:.4f}, wrong {wrong[-1]:.4f}")

# %% [markdown]
# *In the picture:* both curves fall, almost together. Nothing in the wrong one says that it is wrong.
#
# `gradcheck` does. Here it is given the loss of the whole network, and **names the row**, the argument and the
# element. **Predict** the two numbers that it shows, *analytic* and *numeric*: which one is larger?


# %%
def network_loss(W1, b1, W2):
    t = np.linspace(-1, 1, 5)[:, None]
    return np.mean((hasty_softsign(t @ W1 + b1) @ W2 - np.sin(3 * t)) ** 2)


def complaint(function, *args):
    """What gradcheck has to say, in lines; nothing if the derivatives are right."""
    try:
        gradcheck(function, *args)
    except GradcheckError as error:
        return str(error).replace("; ", ";\n")
    return ""


rng = np.random.default_rng(1)
said = complaint(network_loss, rng.normal(size=(1, 4)), rng.normal(size=4), rng.normal(size=(4, 1)))
print(said)
assert "the row 'hasty_softsign' is wrong" in said

# %% [markdown]
# Its last lines name the row and the cure. It found the row by checking each node of the record alone, oldest first.
# In size the analytic slope is the larger one: $1/(1 + |x|)$ is more than its square.
#
# A subtler slip is a rule that is right, but computes a part of itself behind the engine's back. Then the first
# derivative is right and the second is not. `gradcheck` looks at both.


# %%
@differentiable(lambda x: 1 / (1 + abs(float(x.item()))) ** 2)  # .item() leaves the record
def frozen_softsign(x):
    return x / (1 + np.abs(x))


said = complaint(frozen_softsign, 0.5)
print(said)
assert "its rule for 'x' is right, but not the derivative of it" in said

# %% [markdown]
# ## A linear function: its adjoint
#
# Not every function works element by element. Take the moving average over three neighbours of a signal,
# $y_i = (x_{i-1} + x_i + x_{i+1})/3$ with zeros outside. It is linear, $y = Ax$, so its derivative is $A$, everywhere.
# The backward pass needs $A^\top g$, and nobody wants to build $A$: the rule is a function that applies $A^\top$, the
# *adjoint*.
#
# **Predict:** $A$ has ones (over 3) on its diagonal and beside it. What is $A^\top$?


# %%
def averaged(x):
    padded = np.pad(x, 1)
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


smooth = differentiable(adjoint=lambda g: smooth(g))(averaged)
print("gradcheck:", gradcheck(smooth, np.array([1.0, -2.0, 0.5, 3.0])))
print(jacobian(smooth)(np.zeros(4)).round(3))

# %% [markdown]
# $A$ is symmetric, so the adjoint is the function itself. In general an adjoint can be tested without any derivative,
# by what the word means: $\langle Au, v\rangle = \langle u, A^\top v\rangle$ for all $u$ and $v$.
#
# ## Anything else: a vector-Jacobian product
#
# The length of a vector, $\ell(x) = \sqrt{\sum_i x_i^2}$, is neither elementwise nor linear. Then the rule takes the
# upstream gradient `g` and returns $g \cdot \partial\ell/\partial x = g\,x/\ell$. It may ask for the arguments by their
# names, and for the value by `out`. What it asks for is what the record keeps until the backward pass, nothing else.


# %%
@differentiable(vjp=lambda g, x, out: g * x / out)
def length(x):
    return np.sqrt(np.sum(x * x))


print("length(3, 4) =", length(np.array([3.0, 4.0])), " gradient", grad(length)(np.array([3.0, 4.0])))
print("gradcheck:", gradcheck(length, np.array([3.0, 4.0])))
np.testing.assert_allclose(grad(length)(np.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-15)

# %% [markdown]
# ## Kinks · `S4-03`
#
# The notes ask for activations that are differentiable *almost everywhere*. $\mathrm{ReLU}(x) = \max(x, 0)$ has no
# derivative at $0$: coming from the left the slope is 0, from the right it is 1. Any number between the two is a
# **subgradient**, a slope of a line that touches the graph at 0 and stays below it.
#
# **Predict:** what does the engine answer at $x = 0$? What does a central difference answer?

# %%
step = 1e-6
print(f"ReLU'(0): engine {grad(relu)(0.0):g}, central difference {(relu(step) - relu(-step)) / (2 * step):g}")
print(f"|x|' (0): engine {grad(np.abs)(0.0):g}, central difference {(abs(step) - abs(-step)) / (2 * step):g}")
tie = grad(lambda x: np.maximum(x, 0))(0.0)
print(f"max(x, 0)'(0): engine {tie:g}")

# %% [markdown]
# A convention decides, and each of these is a subgradient: `relu` takes the slope 0 of the side where it is silent;
# `abs` takes 0, between $-1$ and $1$; `np.maximum` shares between its arguments where they are equal, so half.
# Everywhere else each is the ordinary derivative.

# %%
z = np.linspace(-2, 2, 401)
figure, panels = plt.subplots(1, 3, figsize=(10.5, 3.3), sharex=True)
kinked = {"ReLU(z)": relu, "|z|": np.abs, "max(z, 0)": lambda z: np.maximum(z, 0)}
for panel, (name, function) in zip(panels, kinked.items(), strict=True):
    slope = elementwise_grad(function)(z)
    panel.plot(z, function(z), color=BLUE, linewidth=2.5, label="value")
    panel.plot(z[z < 0], slope[z < 0], color=ORANGE, linewidth=2.5, linestyle="--", label="slope")
    panel.plot(z[z > 0], slope[z > 0], color=ORANGE, linewidth=2.5, linestyle="--")
    panel.plot(0, slope[200], "o", color="black", markersize=8, label="slope at 0")
    panel.set(title=f"{name}: slope at 0 is {slope[200]:g}", xlabel="z")
panels[0].legend(frameon=False)
figure.suptitle("At a kink the slope is a convention, between those of the two sides")
figure.tight_layout()
plt.show()

# %% [markdown]
# *In the picture:* values and slopes of the three functions. Each slope jumps at 0, and a black dot marks what the
# engine takes there: 0, 0 and 0.5.
#
# Does the choice matter? Only where an argument is *exactly* 0. With weights drawn at random that hardly ever happens.
# It does happen where things are exactly 0 on purpose: biases and inputs that are 0, padding, a dead unit.

# %%
rng = np.random.default_rng(0)
preactivations = rng.normal(size=(1000, 50)) @ rng.normal(size=(50, 20))
print(f"exact zeros among {preactivations.size:,} preactivations of random data: {np.sum(preactivations == 0)}")
print(f"with inputs that are 0 and no bias: {np.mean(np.zeros((10, 50)) @ rng.normal(size=(50, 20)) == 0):.0%}")
assert not np.any(preactivations == 0)

# %% [markdown]
# A check by differences must stay away from kinks, and `gradcheck` says so: it sees that the slopes from the left and
# from the right differ, and does not blame the row.

# %%
said = complaint(relu, np.array([1.0, 0.0]))
print(said)
assert "the row 'relu' is not smooth there" in said
print()
print("away from 0:", gradcheck(relu, np.array([1.0, -0.5])))

# %% [markdown]
# Differentiable almost everywhere is not yet useful. The step function $[z > 0]$ is differentiable everywhere but at 0,
# with slope 0: gradient descent on it stands still. So a threshold makes a fine decision and a useless hidden layer.
# (The last exercise gets around that, by lying.)
#
# ## Exercises
#
# **Exercise 1.** $\log\cosh x$ is a smooth relative of $|x|$. Its derivative is $\tanh x$. Written as it stands it
# overflows for $x$ above 710, while $|x| + \log(1 + e^{-2|x|}) - \log 2$ does not. Make a row of it.


# %%
# An answer
@differentiable(lambda x: np.tanh(x))
def log_cosh(x):
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - np.log(2)


# %%
assert gradcheck(log_cosh, np.array([-3.0, -0.2, 0.4, 2.0]))
assert grad(log_cosh)(1000.0) == 1
np.testing.assert_allclose(log_cosh(np.array([0.5, -2.0])), np.log(np.cosh([0.5, -2.0])), rtol=1e-14)
print("exercise 1 is right")

# %% [markdown]
# **Exercise 2.** One of these three rules is wrong. Say which, from the check alone; then correct it.

# %%
rows = {
    "softplus": differentiable(lambda x: 1 / (1 + np.exp(-x)))(lambda x: np.log1p(np.exp(x))),
    "gaussian": differentiable(lambda x, out: -x * out)(lambda x: np.exp(-(x**2))),
    "ratio": differentiable((lambda y: 1 / y, lambda y, out: -out / y))(lambda x, y: x / y),
}

# %%
# An answer
wrong_name = "gaussian"
corrected = differentiable(lambda x, out: -2 * x * out)(lambda x: np.exp(-(x**2)))


# %%
places = {"softplus": [0.3], "gaussian": [0.3], "ratio": [0.3, 0.7]}
assert [name for name, row in rows.items() if complaint(row, *places[name])] == [wrong_name]
assert not complaint(corrected, 0.3)
print("exercise 2 is right")

# %% [markdown]
# **Exercise 3.** The mean over pairs halves a signal: $y_i = (x_{2i} + x_{2i+1})/2$. It is linear. Write its adjoint,
# which makes of a gradient of half the size one of the whole size.


# %%
# An answer: each half goes back to both of its numbers.
@differentiable(adjoint=lambda g: np.repeat(g, 2) / 2)
def pair_means(x):
    return (x[::2] + x[1::2]) / 2


# %%
u, v = np.arange(6.0), np.array([1.0, -1.0, 2.0])
pulled = grad(lambda x: np.sum(v * pair_means(x)))(u)
assert np.dot(pair_means(u), v) == np.dot(u, pulled)  # the meaning of the word
assert gradcheck(pair_means, u)
print("exercise 3 is right")

# %% [markdown]
# **Exercise 4.** A unit with the step function $[z > 0]$ never learns, since its slope is 0. The *straight-through*
# trick declares the slope 1 all the same. Make that row. What does `gradcheck` think of it, and does a unit with it
# learn to separate two classes?


# %%
# An answer
@differentiable(1.0)
def hard_step(z):
    return (z > 0) * 1.0


# %%
assert "the row 'hard_step' is wrong" in complaint(
    hard_step, np.array([-1.0, 2.0])
)  # it is not the derivative, and the check says so

rng = np.random.default_rng(0)
points = rng.normal(size=(200, 2))
labels = (points @ [1.0, 2.0] > 0) * 1.0
w = np.array([1.0, -1.0])
before = np.mean(hard_step(points @ w) == labels)
for _ in range(50):
    w = w - grad(lambda w: np.mean((hard_step(points @ w) - labels) ** 2))(w)
after = np.mean(hard_step(points @ w) == labels)
print(f"right before {before:.0%}, after {after:.0%}")
assert after > 0.95 > before

# %% [markdown]
# With the true slope, 0, it would have stayed where it was. So a false derivative may be useful; but then it is a
# choice that you made, and the check told you that you were making it.
#
# ## Summary
#
# - A row is an operation and its derivative; `differentiable` adds one. Rules come as a local derivative, an adjoint,
#   or a vector-Jacobian product.
# - Central differences in float64 know a derivative to about ten digits, at a step near $10^{-6}$. Smaller steps are
#   not better.
# - Check each row you write, at a few ordinary points, away from kinks. Training does not do it for you.
# - At a kink the engine takes a subgradient, by convention. It matters only where a number is exactly there.
