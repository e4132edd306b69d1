# %% [markdown]
# # 13. Beyond gradients
#
# The gradient of a loss says which way is down. The record of a computation knows more: how outputs answer to a push of
# the inputs, how the slope itself changes, and where the bottom is if the loss is a bowl. This notebook goes beyond the
# lectures, with one aside of theirs, convexity, in the middle.
#
# **You will see**
#
# - forward mode, which pushes a direction through a function, and when it is cheaper than backpropagation;
# - a function replaced by its best linear one;
# - convex sets and functions, and why the logistic loss is one (`S4-24`, `S4-25`);
# - Newton's method, Hessians, and products with a Hessian that is too large to write down;
# - derivatives of derivatives, and a loss that contains a gradient.
#
# *Lecture parts:* CS60010, convex sets and functions (S4). The rest is in none of the notes.

# %%
import tempfile
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

import nn
from autograd import Tensor, differentiable, elementwise_grad, grad, graph, hessian, hvp, jacobian, jvp, linearize, vjp

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"
plt.rcParams.update({"figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## Forward mode
#
# Backpropagation begins at the loss and asks of every number: *how does the loss answer to you?* One can also begin at
# the input, push it in a direction $v$, and ask of every number: *how do you answer to the push?* The answer for $y =
# f(x)$ is the derivative of $f$ along $v$,
#
# $$\dot y = \lim_{h \to 0} \frac{f(x + h v) - f(x)}{h} = J v,$$
#
# a *Jacobian-vector product*. It needs nothing that is kept: every number carries its *tangent* along. A pair
# (value, tangent) is called a *dual number*, and a class for it is short.


# %%
class Dual:
    """A number and how fast it changes."""

    def __init__(self, value: float, tangent: float = 0.0) -> None:
        self.value, self.tangent = value, tangent

    def __add__(self, other: "Dual") -> "Dual":
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def __mul__(self, other: "Dual") -> "Dual":
        return Dual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)

    def tanh(self) -> "Dual":
        """Return the hyperbolic tangent, whose derivative is 1 - tanh²."""
        out = np.tanh(self.value)
        return Dual(out, (1 - out * out) * self.tangent)


def f(x, y):
    """Return tanh(x y + x) y, of dual numbers as of Tensors."""
    return (x * y + x).tanh() * y


# %% [markdown]
# Predict: at $(x, y) = (0.5, -2)$, pushed along $(1, 0)$ and along $(0, 1)$, the tangents are the two partial
# derivatives. What is the tangent along $(3, -1)$?

# %%
point = 0.5, -2.0
for direction in (1.0, 0.0), (0.0, 1.0), (3.0, -1.0):
    dual = f(*(Dual(value, tangent) for value, tangent in zip(point, direction)))
    value, tangent = jvp(f, point, direction)
    print(f"along {direction!s:>11}: dual number {dual.tangent:+.6f}, jvp {tangent:+.6f}")

# %% [markdown]
# Three times the first minus the second: a derivative is a linear function of its direction. `jvp` is what the class
# above does, for every row of the table and for arrays.
#
# ## Which mode is cheaper
#
# A function from $n$ numbers to $m$ numbers has a Jacobian of $m$ rows and $n$ columns. A walk forward along the unit
# vector $e_j$ gives **column** $j$; a walk backward from output $i$ gives **row** $i$. Predict how many walks a
# Jacobian takes in each mode for a function from 3 numbers to 40, and for one from 40 numbers to 3.
#
# To count, here is a row of our own which notes each time one of its rules is used.

# %%
used = Counter()


def counted(mode: str, result):
    """Count a use of a rule."""
    used[mode] += 1
    return result


@differentiable(
    vjp=lambda g, out: counted("backward", g * (1 - out * out)),
    jvp=lambda t, out: counted("forward", t * (1 - out * out)),
)
def squash(x):
    """Return the hyperbolic tangent, and let its walks be counted."""
    return np.tanh(x)


rng = np.random.default_rng(0)
shapes = {"3 in, 40 out": rng.normal(size=(40, 3)), "40 in, 3 out": rng.normal(size=(3, 40))}
jacobians = {}
for name, W in shapes.items():
    x = rng.normal(size=W.shape[1])
    for mode in "forward", "reverse":
        used.clear()
        jacobians[name, mode] = jacobian(lambda x, W: squash(W @ x), mode=mode)(x, W)
        print(f"{name}, {mode}: {sum(used.values()):2} walks")
    assert np.allclose(jacobians[name, "forward"], jacobians[name, "reverse"], rtol=1e-12)

# %%
fig, axes = plt.subplots(1, 4, figsize=(11, 4), width_ratios=[1, 1, 3.6, 3.6])
for ax, (name, mode) in zip(axes, jacobians):
    J = jacobians[name, mode]
    rows, columns = J.shape
    walk = np.arange(columns)[None, :] if mode == "forward" else np.arange(rows)[:, None]
    ax.imshow(np.broadcast_to(walk % 2, J.shape), cmap="Blues" if mode == "forward" else "Oranges", vmin=-0.6, vmax=1.6)
    ax.set(xlabel="inputs", ylabel="outputs", xticks=[0, columns - 1], yticks=[0, rows - 1])
    ax.set_xticklabels([1, columns])
    ax.set_yticklabels([1, rows])
    count = columns if mode == "forward" else rows
    ax.set_title(f"{mode}:\n{count} walks")
fig.suptitle("Forward mode fills a Jacobian column by column, reverse mode row by row")
plt.show()

# %% [markdown]
# Each stripe is one walk. Both modes fill the same matrix; the shorter side decides which is cheaper. A loss has one
# output and a million inputs: one walk backward gives the whole gradient, where forward mode would take a million. That
# is why networks are trained by backpropagation. For a curve in space, one input and three outputs, it is the other way
# round.
#
# The two modes know the same matrix, so $u \cdot (J v) = (J^\top u) \cdot v$ for all $u$ and $v$. It is a test of two
# modes against each other that needs no differences, and holds to rounding error.

# %%
W = shapes["3 in, 40 out"]
x, v, u = rng.normal(size=3), rng.normal(size=3), rng.normal(size=40)
pushed = jvp(lambda x: np.tanh(W @ x), (x,), (v,))[1]
(pulled,) = vjp(lambda x: np.tanh(W @ x), x)[1](u)
print(f"u · (J v) = {u @ pushed:.12f}\n(Jᵀ u) · v = {pulled @ v:.12f}")

# %% [markdown]
# ### Exercise 1
#
# A ball flies along $p(t) = (20 t,\ 15 t - 4.9 t^2)$. Write `velocity(t)` with one walk forward, and use it to find the
# speed at $t = 1$.


# %%
# One answer; write your own first.
def position(t):
    """Where the ball is, in metres, after t seconds."""
    return np.stack([20 * t, 15 * t - 4.9 * t**2])


def velocity(t: float) -> np.ndarray:
    """How fast it moves: the tangent when time is pushed by 1."""
    return jvp(position, (t,), (1.0,))[1]


# %%
assert np.allclose(velocity(1.0), [20.0, 15.0 - 9.8])
print(f"velocity {velocity(1.0)} m/s, speed {np.linalg.norm(velocity(1.0)):.3f} m/s")

# %% [markdown]
# ## A function made linear
#
# `linearize` calls a function once and returns the linear function that it is like nearby. Predict: when the step is
# halved, by how much does the error of the linear function shrink?

# %%
x, v = np.array([0.5, -0.3]), np.array([1.0, 2.0])


def swirl(x):
    """Two outputs that depend on two inputs, not linearly."""
    return np.stack([np.sin(x[0]) * x[1], np.exp(x[0] * x[1])])


value, linear = linearize(swirl, x)
for h in 0.4, 0.2, 0.1, 0.05:
    error = np.linalg.norm(swirl(x + h * v) - (value + linear(h * v)))
    print(f"step {h:4}: error {error:.6f}, error / step² {error / h**2:.3f}")

# %% [markdown]
# The error goes with the square of the step, so it shrinks fourfold. What is left over, error / step², is the second
# derivative at work. That is the subject of the rest.
#
# ## Convex sets · `S4-24`
#
# CS60010's aside: a set is *convex* if, with any two of its points, it contains the whole segment between them,
#
# $$x, y \in \mathcal C,\ \theta \in [0, 1] \quad\Rightarrow\quad \theta x + (1 - \theta) y \in \mathcal C.$$
#
# A program cannot try all segments, but it can try many: finding one that leaves the set *proves* that the set is not
# convex; finding none proves nothing, and makes it likely. Predict which of these is convex: a disc, a ring, a
# half-plane, the set of points whose coordinates have a product of at least 1/4, and the part of it where both are
# positive.

# %%
SETS = {
    "disc": lambda p: p[..., 0] ** 2 + p[..., 1] ** 2 <= 1,
    "ring": lambda p: abs(p[..., 0] ** 2 + p[..., 1] ** 2 - 0.65) <= 0.35,
    "half-plane": lambda p: p[..., 0] + 2 * p[..., 1] <= 0.5,
    "x y ≥ 1/4": lambda p: p[..., 0] * p[..., 1] >= 0.25,
    "x y ≥ 1/4, x > 0": lambda p: (p[..., 0] * p[..., 1] >= 0.25) & (p[..., 0] > 0),
}


def leaving(contains, rng: np.random.Generator, tries: int = 4000):
    """Return the ends of a segment between points of a set that leaves the set, or None if none was found."""
    points = rng.uniform(-1.2, 1.2, size=(tries, 2))
    inside = points[contains(points)]
    x, y = inside[: len(inside) // 2], inside[len(inside) // 2 :][: len(inside) // 2]
    theta = rng.uniform(size=(len(x), 1))
    outside = np.flatnonzero(~contains(theta * x + (1 - theta) * y))
    return (x[outside[0]], y[outside[0]]) if outside.size else None


fig, axes = plt.subplots(1, 5, figsize=(11, 2.7))
grid = np.stack(np.meshgrid(np.linspace(-1.2, 1.2, 200), np.linspace(-1.2, 1.2, 200)), axis=-1)
for ax, (name, contains) in zip(axes, SETS.items()):
    ax.contourf(grid[..., 0], grid[..., 1], contains(grid), levels=[0.5, 1.5], colors=["#9ecae1"])
    found = leaving(contains, np.random.default_rng(0))
    if found:
        ax.plot(*np.transpose(found), "o-", color=RED)
    ax.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1], title=name)
    ax.set_xlabel("not convex" if found else "no segment leaves it")
    print(f"{name:>16}: {'a segment leaves it' if found else 'no segment found that leaves it'}")
fig.suptitle("A segment between two points of the set that leaves the set")
plt.show()

# %% [markdown]
# Blue are the sets, and each red segment has both its ends in one. The fourth set is not convex, although both of its
# parts are: one of them is the fifth.
#
# ## Convex functions · `S4-25`
#
# A function on a convex set is convex if its graph lies below each of its chords,
#
# $$f(\theta x + (1 - \theta) y) \le \theta f(x) + (1 - \theta) f(y).$$
#
# On such a function there is nothing to fear: each local minimum is a global one. Here are the loss of logistic
# regression and the loss of a network with one hidden layer, on the same overlapping points. Predict which is convex in
# its weights.

# %%
rng = np.random.default_rng(1)
m = 60
labels = (np.arange(m) % 2).astype(float)
X = rng.normal(size=(m, 2)) + np.where(labels[:, None] == 1, 1.0, -1.0) * [1.0, 0.5]
X1 = np.column_stack([X, np.ones(m)])  # a column of ones, whose weight is the bias


def cross_entropy(z):
    """Return the mean of -y log σ(z) - (1 - y) log(1 - σ(z)), in the form that does not overflow."""
    return np.mean(np.logaddexp(0, z) - labels * z)


def logistic_loss(w):
    """Return the loss of logistic regression, of the weights and the bias w."""
    return cross_entropy(X1 @ w)


def network_loss(w):
    """Return the loss of a network with three hidden units, whose 13 weights and biases are w."""
    hidden = np.tanh(X1 @ np.reshape(w[:9], (3, 3)))
    return cross_entropy(hidden @ w[9:12] + w[12])


LOSSES = {"logistic regression": (logistic_loss, 3), "one hidden layer": (network_loss, 13)}

# %%
chords = {}
for name, (loss, size) in LOSSES.items():
    rng = np.random.default_rng(0)
    ends, excesses = rng.normal(size=(1000, 2, size), scale=3), []
    for (a, b), theta in zip(ends, rng.uniform(size=1000)):
        excesses.append(loss(theta * a + (1 - theta) * b) - (theta * loss(a) + (1 - theta) * loss(b)))
    above = np.array(excesses) > 1e-12
    chords[name] = ends[np.argmax(excesses) if above.any() else np.argmin(excesses)]
    print(f"{name:>19}: above its chord at {np.sum(above)} of 1000 points")

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3.4))
thetas = np.linspace(0, 1, 101)
for ax, (name, (loss, _)) in zip(axes, LOSSES.items()):
    a, b = chords[name]
    values = [loss(theta * a + (1 - theta) * b) for theta in thetas]
    ax.plot(thetas, values, color=BLUE, label="loss along a segment")
    ax.plot([0, 1], [values[0], values[-1]], "o--", color=RED, label="chord")
    ax.set(
        xlabel="θ", ylabel="loss", title=f"{name}: {'below' if name == 'logistic regression' else 'above'} the chord"
    )
    ax.legend(frameon=False)
plt.show()

# %% [markdown]
# For the network one point would have been enough: it is not convex. For logistic regression the trial proves nothing,
# but second derivatives do. A function is convex if and only if its Hessian has no negative eigenvalue anywhere. By
# hand, with $a = \sigma(z)$,
#
# $$H = \frac 1 m \sum_i a^{(i)} (1 - a^{(i)})\, x^{(i)} x^{(i)\top},
# \qquad v^\top H v = \frac 1 m \sum_i a^{(i)} (1 - a^{(i)}) (x^{(i)} \cdot v)^2 \ge 0 .$$
#
# The right side is a sum of squares: that is the proof. Does the engine find the same matrix?

# %%
w = np.array([0.5, -1.0, 0.2])
a = 1 / (1 + np.exp(-(X1 @ w)))
by_hand = (X1 * (a * (1 - a))[:, None]).T @ X1 / m
print("by hand equal to autograd.hessian:", np.allclose(hessian(logistic_loss)(w), by_hand, rtol=1e-12, atol=0))

rng = np.random.default_rng(2)
for name, (loss, size) in LOSSES.items():
    smallest = [np.linalg.eigvalsh(hessian(loss)(rng.normal(size=size, scale=2)))[0] for _ in range(20)]
    print(
        f"{name:>19}: smallest eigenvalue of the Hessian at 20 points from {min(smallest):+.5f} to {max(smallest):+.5f}"
    )

# %% [markdown]
# No negative eigenvalue for logistic regression; negative ones for the network, at each point that was tried.
#
# ### Exercise 2
#
# Is $g(x) = \log \sum_i e^{x_i}$ convex? And $h(x) = x_1 x_2$? Write `curvature(f, x)`, the smallest eigenvalue of the
# Hessian, and use it on both at a few points.


# %%
# One answer; write your own first.
def curvature(f, x: np.ndarray) -> float:
    """Return the curvature of f at x in the direction in which it is smallest."""
    return float(np.linalg.eigvalsh(hessian(f)(x))[0])


# %%
for x in np.random.default_rng(0).normal(size=(5, 2)):
    assert curvature(lambda x: np.log(np.sum(np.exp(x))), x) > -1e-12
    assert np.isclose(curvature(lambda x: x[0] * x[1], x), -1.0)
print("log Σ exp: no negative curvature found; x₁ x₂: curvature -1 in the direction (1, -1), at every point")

# %% [markdown]
# ## Newton's method
#
# Gradient descent replaces the loss by a slope, and has to be told how far to trust it. Newton's method replaces it by
# a parabola, and jumps to the bottom of that: solve $H s = \nabla L$, then $w := w - s$. No learning rate. Gradient
# descent is given 400 steps here. Predict how many Newton's method needs until the gradient of the logistic loss is at
# rounding error.

# %%
paths = {"gradient descent": [np.zeros(3)], "Newton": [np.zeros(3)]}
for _ in range(400):
    w = paths["gradient descent"][-1]
    paths["gradient descent"].append(w - 2.0 * grad(logistic_loss)(w))
for _ in range(8):
    w = paths["Newton"][-1]
    paths["Newton"].append(w - np.linalg.solve(hessian(logistic_loss)(w), grad(logistic_loss)(w)))

norms = {name: [np.linalg.norm(grad(logistic_loss)(w)) for w in path] for name, path in paths.items()}
for step, norm in enumerate(norms["Newton"]):
    print(f"Newton, step {step}: ‖gradient‖ = {norm:.0e}" if norm > 1e-14 else f"Newton, step {step}: rounding error")
print(f"gradient descent, step 400: ‖gradient‖ = {norms['gradient descent'][-1]:.0e}")

# %%
fig, ax = plt.subplots(figsize=(7, 3.6))
for (name, values), colour, marker in zip(norms.items(), (ORANGE, BLUE), (None, "o")):
    ax.plot(np.arange(len(values)) + 1, values, color=colour, marker=marker, label=name)
ax.set(xscale="log", yscale="log", ylim=(1e-15, 1), xlabel="gradients computed so far", ylabel="‖gradient‖")
ax.set_title("Near the minimum each Newton step doubles the number of right digits")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Exponents that double, from one step to the next, are the mark of Newton's method. It needs the Hessian, though, and a
# system of equations; for a network of $n$ weights these are $n^2$ numbers and about $n^3$ operations. And where the
# Hessian has negative eigenvalues, as above for the network, it runs *up* along them: to a saddle as willingly as to a
# minimum.
#
# ## A Hessian that nobody writes down
#
# For the network of notebook 12, with 6,570 weights, the Hessian has 43 million numbers. Its product with a vector
# needs none of them: it is the derivative of the gradient along that vector, $H v = \frac{d}{dh} \nabla L(w + h v)$,
# one walk forward over one walk backward. `hvp` does that, at the cost of a few gradients. Predict what the largest
# curvature $\lambda_{\max}$ of a loss has to do with the learning rate.

# %%
v = np.array([1.0, -2.0, 0.5])
print(
    "hvp equals hessian @ v:", np.allclose(hvp(logistic_loss, w, v), hessian(logistic_loss)(w) @ v, rtol=1e-12, atol=0)
)

images = np.random.default_rng(0).normal(size=(128, 64))
classes = np.random.default_rng(1).integers(0, 10, size=128)
model = nn.MLP([64, 64, 32, 10], "tanh", rng=np.random.default_rng(0), dtype=np.float64)
weights = model.state_dict()


def loss_of(weights):
    """Return the loss of the network with these weights, a dict of arrays."""
    return nn.functional.cross_entropy(nn.functional_call(model, weights, images), classes)


def scaled(tree, factor):
    """Return all arrays of a dict times a number."""
    return {name: factor * array for name, array in tree.items()}


def norm(tree):
    """Return the length of all arrays of a dict, as one vector."""
    return np.sqrt(sum(np.sum(array**2) for array in tree.values()))


rng = np.random.default_rng(2)
v = {name: rng.normal(size=array.shape) for name, array in weights.items()}
for _ in range(30):  # power iteration: products turn any vector into the direction of the largest curvature
    v = hvp(loss_of, weights, scaled(v, 1 / norm(v)))
largest = norm(v)
size = sum(array.size for array in weights.values())
print(f"{size} weights, a Hessian of {size * size:,} numbers; the largest in size of its eigenvalues is {largest:.3f}")

# %% [markdown]
# Along the direction of the largest curvature the loss is a parabola $\frac{\lambda}{2} s^2$, and a step of gradient
# descent takes $s$ to $(1 - \eta \lambda) s$: it grows, once $\eta > 2 / \lambda$. So the largest eigenvalue is a speed
# limit. It is sharp where the loss is a bowl: at the minimum of logistic regression, to which Newton's method has led
# us.

# %%
best = paths["Newton"][-1]
limit = 2 / np.linalg.eigvalsh(hessian(logistic_loss)(best))[-1]
start = best + 0.01
for share in 0.5, 0.95, 1.05:
    w = start
    for _ in range(200):
        w = w - share * limit * grad(logistic_loss)(w)
    ratio = np.linalg.norm(w - best) / np.linalg.norm(start - best)
    print(f"learning rate {share:.2f} × 2/λ: after 200 steps the distance is {'larger' if ratio > 1 else 'smaller'}")

# %% [markdown]
# ### Exercise 3
#
# Write `diagonal(f, x)`, the diagonal of the Hessian, with products only. (Each product with a unit vector gives a
# column.)


# %%
# One answer; write your own first.
def diagonal(f, x: np.ndarray) -> np.ndarray:
    """Return the second derivatives of f by each of its inputs."""
    return np.array([hvp(f, x, unit) @ unit for unit in np.eye(x.size)])


# %%
assert np.allclose(diagonal(logistic_loss, best), np.diag(hessian(logistic_loss)(best)), rtol=1e-10)
assert np.allclose(diagonal(lambda x: np.sum(x**4), np.array([1.0, 2.0])), [12.0, 48.0])
print("diagonal of the Hessian at the minimum:", diagonal(logistic_loss, best).round(4))

# %% [markdown]
# ## Derivatives of derivatives
#
# `grad` returns a function, and functions have gradients. With $t = \tanh x$ one finds by hand
#
# $$t' = 1 - t^2, \quad t'' = -2 t\,(1 - t^2), \quad t''' = (6 t^2 - 2)(1 - t^2).$$
#
# Predict where the second derivative is 0, and how many zeros the fourth has.

# %%
x = np.linspace(-3, 3, 301)
curves = [np.tanh]
for _ in range(4):
    curves.append(elementwise_grad(curves[-1]))
t = np.tanh(x)
closed = [t, 1 - t**2, -2 * t * (1 - t**2), (6 * t**2 - 2) * (1 - t**2)]
for order, formula in enumerate(closed):
    print(f"order {order}: equal to the formula: {np.allclose(curves[order](x), formula, rtol=1e-12, atol=1e-12)}")
inside = curves[4](x[np.abs(x) < 2.9])
print("sign changes of the fourth derivative:", np.count_nonzero(np.diff(np.sign(inside[np.abs(inside) > 1e-9]))))

# %%
fig, ax = plt.subplots(figsize=(7.5, 3.8))
for order, (curve, colour) in enumerate(zip(curves, ("black", BLUE, ORANGE, GREEN, RED))):
    ax.plot(x, curve(x), color=colour, linewidth=2 if order < 2 else 1.3)
    at = np.argmax(np.abs(curve(x[x > 0]))) + np.count_nonzero(x <= 0) if order else 280
    ax.annotate(
        ("tanh", "1st", "2nd", "3rd", "4th")[order],
        (x[at], curve(x[at])),
        xytext=(6, 4),
        textcoords="offset points",
        color=colour,
    )
ax.axhline(0, color=GREY, linewidth=0.7)
ax.set(xlabel="x", ylabel="derivative", title="From the first derivative on, each has one more zero")
plt.show()

# %% [markdown]
# The second derivative is 0 where the slope is greatest, at $x = 0$; the fourth has three zeros.
#
# How can a derivative be differentiated? A walk is a computation too, and can be recorded like any other. Here is the
# gradient of $x^3$ as a graph of its own: `backward(create_graph=True)` leaves a Tensor in `x.grad`, and what it was
# computed by is its record.

# %%
x = Tensor(3.0, requires_grad=True, name="x")
(x**3).backward(create_graph=True)
slope = x.grad
picture = graph(slope)
with tempfile.TemporaryDirectory() as folder:
    picture.save(Path(folder) / "slope.png")
    drawn = Image((Path(folder) / "slope.png").read_bytes(), width=700)
drawn

# %% [markdown]
# The picture reads from left to right: from $x = 3$, take the power 2, multiply by 3, and by the 1 that backpropagation
# began with: $3 x^2 = 27$. Below the values stand the gradients of this graph; the one at $x$ is $6 x = 18$, the second
# derivative.
#
# ## A loss that contains a gradient
#
# A network is fitted to 12 noisy points. It can pass through all of them if it wiggles. A wiggle is a steep slope, and
# the slope $\partial y / \partial x$ is something that we can compute, so it can be part of the loss:
#
# $$L = \frac 1 m \sum_i (\hat y_i - y_i)^2
# + \lambda \, \frac 1 k \sum_j \Big( \frac{\partial \hat y}{\partial x}(x_j) \Big)^2 .$$
#
# Its gradient by the weights is a gradient of a gradient. Predict which fit is nearer to the curve that the points came
# from.

# %%
rng = np.random.default_rng(5)
known_x = np.sort(rng.uniform(-1, 1, size=(12, 1)), axis=0)
known_y = np.sin(3 * known_x) + rng.normal(size=(12, 1), scale=0.3)
dense_x = np.linspace(-1, 1, 101)[:, None]


def fitted(penalty: float) -> nn.Module:
    """Return a network that was fitted to the points, with a penalty on its slope."""
    model = nn.MLP([1, 30, 30, 1], "tanh", rng=np.random.default_rng(0), dtype=np.float64)
    optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(400):
        optimizer.zero_grad()
        loss = np.mean((model(known_x) - known_y) ** 2)
        if penalty:
            loss = loss + penalty * np.mean(elementwise_grad(model)(dense_x) ** 2)
        loss.backward()
        optimizer.step()
    return model


truth = np.sin(3 * dense_x)
fits = {penalty: nn.predict(fitted(penalty), dense_x) for penalty in (0.0, 0.01)}
for penalty, curve in fits.items():
    steepest = np.max(np.abs(np.diff(curve[:, 0]) / np.diff(dense_x[:, 0])))
    error = np.sqrt(np.mean((curve - truth) ** 2))
    print(f"penalty {penalty}: steepest slope {steepest:.1f}, distance from the true curve {error:.3f}")

# %%
fig, ax = plt.subplots(figsize=(7.5, 3.8))
ax.plot(dense_x, truth, color=GREY, linestyle="--", label="true curve, of slope 3 at most")
ax.plot(known_x, known_y, "o", color="black", label="what is known")
for (penalty, curve), colour in zip(fits.items(), (RED, BLUE)):
    ax.plot(
        dense_x, curve, color=colour, label=f"fit, penalty {penalty} on the slope" if penalty else "fit, no penalty"
    )
ax.set(xlabel="x", ylabel="y", title="A penalty on the slope keeps the fit from wiggling")
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# The penalized fit misses points that the other one goes out of its way to meet, and is nearer to the curve. How much
# penalty is right is a choice, to be made by a validation part as in notebook 12.
#
# ### Exercise 4
#
# Of a linear model $f(x) = w \cdot x$ the slope is $w$ itself, so a penalty $\lVert \nabla_x f \rVert^2$ should be
# weight decay, with the gradient $2 w$ of BLG561E. Write `penalty(w)` with `grad` and check its gradient.


# %%
# One answer; write your own first.
def penalty(w):
    """Return the squared slope of w · x, at a point that does not matter."""
    slope = grad(lambda x: np.sum(w * x))(np.zeros(3))
    return np.sum(slope**2)


# %%
w = np.array([1.0, -2.0, 0.5])
assert np.allclose(penalty(w), w @ w)
assert np.allclose(grad(penalty)(w), 2 * w)
print("gradient of the penalty:", grad(penalty)(w), "= 2 w")

# %% [markdown]
# ## Summary
#
# - Forward mode gives a column of the Jacobian per walk, reverse mode a row: count inputs and outputs, take the fewer.
# - One segment that leaves a set, or one chord that runs below a function, disproves convexity. A Hessian without
#   negative eigenvalues, wherever it is taken, proves it: so it is with the logistic loss, and not with a network.
# - Newton's method needs no learning rate, doubles the right digits in each step, and pays with a Hessian.
# - A Hessian times a vector costs a few gradients; the largest eigenvalue limits the learning rate to $2 / \lambda$.
# - A gradient is a computation like others: it has a record, derivatives, and a place in a loss.
