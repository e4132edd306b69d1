# %% [markdown]
# # 11. Gradient descent
#
# The gradient says which way is down. How many examples should one look at before each step: all, one, or some? And
# when is it time to stop?
#
# You will see
#
# - the loss of a small model as a surface, cuts through it, and the slopes that the engine gives;
# - the three algorithms of the notes, written out and as one argument of `nn.fit`, equal step for step;
# - why a gradient from a few examples is right on average, and how far off it is each time;
# - batch descent settling, stochastic descent never settling, and learning rates $\epsilon_k$ that make it settle;
# - stopping criteria.
#
# Lectures: CS60010, gradient descent (rows `S4-16`, `S4-23`, `S4-26` to `S4-30`), and CS229 lecture 11, optimization
# (rows `S1-12`, `S1-31`, `S1-32`).

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

import nn
from autograd import hessian, value_and_grad
from nn.functional import binary_cross_entropy_with_logits

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "figure.figsize": (7, 3.6)})

# %% [markdown]
# ## A loss that can be drawn
#
# Logistic regression with one feature: is a tumour benign (1) or malignant (0), by the texture of its cells? There are
# two parameters $\theta = (w, b)$ and $N = 569$ examples, and
#
# $$J(\theta) = \frac1N \sum_i L\bigl(\sigma(w x^{(i)} + b),\, y^{(i)}\bigr).$$

# %%
cancer = load_breast_cancer()
texture = cancer.data[:, list(cancer.feature_names).index("mean texture")]
x, y = (texture - 15) / 5, cancer.target.astype(float)
N = len(x)


def cost(theta, x=x, y=y):
    """J of (w, b)."""
    return binary_cross_entropy_with_logits(theta[0] * x + theta[1], y)


cost_and_gradient = value_and_grad(cost)
start = np.array([1.5, -2.0])

best = np.zeros(2)
for _ in range(10):  # Newton's method, to know where the minimum is
    best -= np.linalg.solve(hessian(cost)(best), cost_and_gradient(best)[1])
lowest = cost(best)
print("minimum at", best.round(4), f"with J = {lowest:.6f} and gradient", cost_and_gradient(best)[1].round(12) + 0)

# %%
w_grid, b_grid = np.meshgrid(np.linspace(-2.8, 2.2, 61), np.linspace(-2.6, 3.4, 61))
logits = w_grid[..., np.newaxis] * x + b_grid[..., np.newaxis]
surface = binary_cross_entropy_with_logits(logits, np.broadcast_to(y, logits.shape), reduction="none").mean(axis=-1)


def contours(ax, title):
    """Draw the surface from above, and its minimum."""
    ax.contour(w_grid, b_grid, surface - lowest, levels=np.geomspace(0.003, 3, 12), colors=GREY, linewidths=0.7)
    ax.plot(*best, "*", color="black", markersize=11)
    ax.set(xlabel="w", ylabel="b", title=title, aspect="equal")


fig, ax = plt.subplots(figsize=(4.6, 4.6))
contours(ax, "The surface from above: a long valley")
ax.plot(*start, "o", color=VERMILION, label="start")
ax.legend(frameon=False, loc="lower left")
plt.show()

# %% [markdown]
# *The picture: level curves of J, long ellipses that lean to the left, with the minimum as a star and a starting point
# at the lower right.*
#
# ## One dimension at a time · `S4-23`
#
# The notes begin with the simplest idea: pick a starting point, and repeat: pick a dimension $j$, and move a small
# amount in it towards decreasing loss,
#
# $$\theta_j \leftarrow \theta_j - \eta\, \frac{d}{d\theta_j} \mathrm{Loss}(\theta).$$
#
# A partial derivative is the slope of a cut through the surface, with all else held fixed. **Predict** from the picture
# above the signs of the two slopes at the start, $w = 1.5$, $b = -2$: which way is down along each axis?

# %%
gradient = cost_and_gradient(start)[1]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for j, (ax, name) in enumerate(zip(axes, "wb", strict=True)):
    values = np.linspace(-2.6, 3, 113)
    points = np.tile(start, (len(values), 1))
    points[:, j] = values
    ax.plot(values, [cost(point) for point in points], color=BLUE, label=f"J along {name}")
    near = start[j] + np.array([-0.9, 0.9])
    ax.plot(
        near, cost(start) + gradient[j] * (near - start[j]), "--", color=VERMILION, label=f"slope {gradient[j]:.3f}"
    )
    ax.plot(start[j], cost(start), "o", color="black")
    ax.set(xlabel=name)
    ax.legend(frameon=False)
axes[0].set_ylabel("J")
fig.suptitle("The gradient's entries are the slopes of cuts through the surface")
plt.show()

# %% [markdown]
# *The picture: two curves through the starting point, each with its tangent. Along w the slope is positive, so w should
# decrease; along b it is negative.*
#
# In turns, `w`, `b`, `w`, …, against both at once, each 40 moves:


# %%
def in_turns(theta, rate, moves):
    """Coordinate by coordinate."""
    path = [theta.copy()]
    for move in range(moves):
        j = move % 2
        theta = theta.copy()
        theta[j] -= rate * cost_and_gradient(theta)[1][j]
        path.append(theta)
    return np.array(path)


def all_at_once(theta, rate, moves):
    """Gradient descent."""
    path = [theta.copy()]
    for _ in range(moves):
        theta = theta - rate * cost_and_gradient(theta)[1]
        path.append(theta)
    return np.array(path)


fig, ax = plt.subplots(figsize=(5.4, 5))
contours(ax, "Axis by axis, or straight down")
for walk, hue, name in [(in_turns, VERMILION, "in turns"), (all_at_once, BLUE, "both at once")]:
    path = walk(start, 2.0, 40)
    ax.plot(*path.T, "o-", color=hue, markersize=3.5, label=f"{name}: J - min = {cost(path[-1]) - lowest:.5f}")
ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.13))
plt.show()

# %% [markdown]
# *The picture: level curves of J with two paths to the minimum, one of horizontal and vertical pieces, one across the
# level curves.* Both arrive. Since each entry of the gradient costs as much as all of them in one backward pass, moving
# all at once wins.
#
# ## Algorithm 1: batch gradient descent · `S4-16` `S4-27`
#
# Start off with some guess, and repeat until convergence:
#
# $$\hat g \leftarrow +\frac1N \nabla_\theta \sum_i L(f(x^{(i)}; \theta), y^{(i)}), \qquad
# \theta \leftarrow \theta - \epsilon_k\, \hat g .$$
#
# (The notes require a rate $\epsilon_k$ for each iteration and then print $\epsilon$ in the update; the $k$ matters
# below.) Converged means that a *stopping criterion* is met. Three that are in use:


# %%
def batch_descent(theta, rate, stop, limit=5000):
    """Algorithm 1: the path until the criterion is met."""
    path, losses = [theta], []
    for _ in range(limit):
        loss, g = cost_and_gradient(theta)
        losses.append(loss.item())
        if stop(losses, g):
            break
        theta = theta - rate * g
        path.append(theta)
    return np.array(path), losses


criteria = {
    "loss falls by less than 1e-6": lambda losses, g: len(losses) > 1 and abs(losses[-1] - losses[-2]) < 1e-6,
    "gradient shorter than 1e-3": lambda losses, g: np.linalg.norm(g) < 1e-3,
    "50 iterations": lambda losses, g: len(losses) > 50,
}
for name, stop in criteria.items():
    path, losses = batch_descent(start, 2.0, stop)
    print(f"{name:29} {len(path) - 1:4} steps, J - min = {losses[-1] - lowest:.1e}")

# %% [markdown]
# None of them says how far the minimum is. A small change may mean that the bottom is reached, or that the rate is
# small: **predict** what the first criterion does with a rate of 1e-6.

# %%
path, losses = batch_descent(start, 1e-6, criteria["loss falls by less than 1e-6"])
print(f"{len(path) - 1} step, J - min = {losses[-1] - lowest:.3f}")

# %% [markdown]
# In `nn.fit` batch descent is `batch_size=None`, and the first criterion is `tol`. The same path, to the last digits:


# %%
def at_start():
    """Logistic regression at the starting point."""
    model = nn.Linear(1, 1, dtype=float)
    model.weight.data, model.bias.data = start[:1, np.newaxis], start[1:]
    return model


def theta_of(model):
    return np.array([model.weight.item(), model.bias.item()])


X, Y = x[:, np.newaxis], y[:, np.newaxis]
model = at_start()
history = nn.fit(
    model,
    binary_cross_entropy_with_logits,
    nn.optim.SGD(model.parameters(), lr=2.0),
    (X, Y),
    batch_size=None,
    epochs=5000,
    tol=1e-6,
    progress=False,
    rng=np.random.default_rng(0),
)
path, losses = batch_descent(start, 2.0, criteria["loss falls by less than 1e-6"])
print(len(history["loss"]), "epochs, the same losses:", np.allclose(history["loss"], losses, rtol=1e-12))

# %% [markdown]
# ## Batch, stochastic, minibatch · `S4-26`
#
# | for each gradient | the notes say | `batch_size` |
# |---|---|---|
# | all $N$ examples | batch, deterministic | `None` |
# | one example | stochastic, online | `1` |
# | $m$ of them, $1 < m < N$ | minibatch, minibatch stochastic | `m` |
#
# An *epoch* meets each example once. **Predict** how many updates each of them makes in an epoch.

# %%
for batch_size in (None, 1, 32):
    batches = nn.Batches(X, Y, batch_size=batch_size, shuffle=True, rng=np.random.default_rng(0))
    sizes = [len(targets) for _, targets in batches]
    print(
        f"batch_size={batch_size!s:4}: {len(sizes):3} updates, the last of {sizes[-1]:3} examples; {sum(sizes)} in all"
    )

# %% [markdown]
# ## Algorithm 2: one example at a time · `S4-28` `S1-12`
#
# While the criterion is not met: sample $(x^{(i)}, y^{(i)})$, take
# $\hat g \leftarrow \nabla_\theta L(f(x^{(i)}; \theta), y^{(i)})$, update. "One image at a time" in CS229. Sampling is
# *without replacement* here: each epoch shuffles the examples and goes through all of them.
#
# ## Algorithm 8.1: minibatches · `S4-29` `S1-32`
#
# The same with $m$ examples: $\hat g \leftarrow \frac1m \nabla_\theta \sum_i L(\dots)$; in CS229: select a batch,
# forward, backward, update, with $J = \frac{1}{1000} \sum_{i=1}^{1000} L^{(i)}$ for batches of 1000. One function does
# all three, with a rate $\epsilon_k$ for each iteration $k$, and so does `nn.fit`:


# %%
def descend(batch_size, epochs, rate):
    """Algorithms 1, 2 and 8.1: θ after each update, with the learning rate rate(k)."""
    rng, path = np.random.default_rng(0), [start]
    for _ in range(epochs):
        order = rng.permutation(N)
        for begin in range(0, N, batch_size):
            chosen = order[begin : begin + batch_size]
            g = cost_and_gradient(path[-1], x[chosen], y[chosen])[1]
            path.append(path[-1] - rate(len(path) - 1) * g)
    return np.array(path)


for batch_size in (N, 32, 1):
    model = at_start()
    batches = nn.Batches(X, Y, batch_size=batch_size, shuffle=True, rng=np.random.default_rng(0))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.05)
    nn.fit(model, binary_cross_entropy_with_logits, optimizer, batches, epochs=1, progress=False)
    by_hand = descend(batch_size, 1, rate=lambda k: 0.05)[-1]
    same = np.allclose(theta_of(model), by_hand, rtol=1e-10)
    print(f"m = {batch_size:3}: after an epoch {theta_of(model).round(4)}, as by hand: {same}")

# %% [markdown]
# ## Right on average · `S4-30`
#
# Each $\hat g$ is an *estimate* of the full gradient. It is *unbiased*: over all choices of examples, its mean is the
# full gradient, since each example is chosen equally often,
#
# $$\mathbb{E}[\hat g] = \frac1N \sum_i \nabla_\theta L(f(x^{(i)}; \theta), y^{(i)}) = \nabla J(\theta).$$
#
# At the starting point, the gradients of all $N$ single examples have that mean:

# %%
each = np.array([cost_and_gradient(start, x[i : i + 1], y[i : i + 1])[1] for i in range(N)])
full = cost_and_gradient(start)[1]
print("mean of all single gradients is the full one:", np.allclose(each.mean(axis=0), full, rtol=1e-12))

# %% [markdown]
# An estimate from $m$ examples is the mean of $m$ of these. **Predict** how much nearer 64 examples are than one: 64
# times? Below, 500 minibatches of each size.

# %%
rng = np.random.default_rng(0)
fig, axes = plt.subplots(1, 3, figsize=(10, 3.4), sharex=True, sharey=True)
for ax, m in zip(axes, [1, 8, 64], strict=True):
    estimates = np.array([each[rng.choice(N, m, replace=False)].mean(axis=0) for _ in range(500)])
    expected = np.sqrt(each.var(axis=0).sum() / m * (N - m) / (N - 1))
    spread = np.sqrt(np.mean(np.sum((estimates - full) ** 2, axis=1)))
    print(f"m = {m:2}: root mean square error {spread:.3f}, expected {expected:.3f}")
    ax.plot(*estimates.T, ".", color=BLUE, alpha=0.3, markersize=4)
    ax.plot(*full, "*", color=VERMILION, markersize=13, label="full gradient")
    ax.set(title=f"m = {m}", xlabel="∂J/∂w")
axes[0].set_ylabel("∂J/∂b")
axes[0].legend(frameon=False, loc="lower right", fontsize=9)
fig.suptitle("Gradients of minibatches scatter around the full gradient", y=1.03)
plt.show()

# %% [markdown]
# *The picture: three clouds around one star, each smaller than the one before. For one example the cloud is two pieces
# of a curve, one for each class: the gradient is $(a - y)(x, 1)$.*
#
# Eight times nearer, for 64 times the work: the error falls with $1/\sqrt m$. (What was expected has one more factor
# under the root, $(N - m)/(N - 1)$, since no example is taken twice: with all $N$ nothing is left to chance.) That is
# the argument for small batches. The argument against the smallest is that
# one vectorized call for 32 examples takes the place of 32 calls.
#
# ## Three paths · `S1-31`
#
# The notes of CS229: batch descent is slow, since each step looks at everything; stochastic descent never converges to
# stable values. Four epochs of each, all with the rate 0.2. **Predict** the paths.

# %%
runs = {"batch": (N, VERMILION), "minibatch, m = 32": (32, GREEN), "stochastic": (1, BLUE)}
paths = {name: descend(size, 4, rate=lambda k: 0.2) for name, (size, _) in runs.items()}

fig, axes = plt.subplots(1, 3, figsize=(10, 4.3), sharey=True)
for ax, (name, (size, hue)) in zip(axes, runs.items(), strict=True):
    contours(ax, f"{name}:\n{len(paths[name]) - 1:,} updates")
    ax.plot(
        *paths[name].T, color=hue, linewidth=0.5 if size == 1 else 1.5, marker="o" if size == N else None, markersize=4
    )
    ax.plot(*start, "o", color="black", markersize=5)
for ax in axes[1:]:
    ax.set_ylabel("")
fig.suptitle("Four epochs each, from the dot towards the star", y=1.02)
plt.show()

# %% [markdown]
# *The picture: batch descent has only set out in its four steps; minibatches are on their way, a little shakily; single
# examples have arrived, and wander about in a cloud around the minimum.*
#
# The loss shows both halves of the notes' sentence. Batch descent gets 600 epochs here, minibatches 30.


# %%
def gap(path):
    """How far J is above its minimum, for each θ."""
    z = path[:, :1] * x + path[:, 1:]
    return binary_cross_entropy_with_logits(z, np.broadcast_to(y, z.shape), reduction="none").mean(axis=1) - lowest


fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
for (name, (size, hue)), epochs in zip(runs.items(), [600, 30, 4], strict=True):
    path = paths[name] if epochs == 4 else descend(size, epochs, rate=lambda k: 0.2)
    updates = np.unique(np.geomspace(1, len(path) - 1, 200).astype(int))
    gaps = gap(path[updates])
    first = updates[np.argmax(gaps < 0.01)]
    print(f"{name:17} first below 0.01 after {first:4} updates, {first * size:6,} examples")
    axes[0].loglog(updates, gaps, color=hue, label=name, linewidth=1.2)
    axes[1].loglog(updates * size, gaps, color=hue, linewidth=1.2)
axes[0].axhline(0.01, color=GREY, linestyle=":")
axes[1].axhline(0.01, color=GREY, linestyle=":")
axes[0].set(xlabel="updates", ylabel="J - min", title="Single examples never settle …")
axes[1].set(xlabel="examples looked at", title="… but all examples are slow")
axes[0].legend(frameon=False, loc="lower left", fontsize=9)
plt.show()

# %% [markdown]
# *The picture: loss above its minimum, over updates on the left and over examples looked at on the right. Left, all
# three fall together and cross the dotted line after about as many updates; then the stochastic curve jitters around
# it, the minibatch curve falls further before it jitters, and the batch curve goes on down. Right, they are far
# apart.*
#
# An estimate from one example makes about as much progress as the full gradient, until the noise is all there is. It
# costs a 569th.
#
# ## Rates that fall · `S4-27` `S4-28`
#
# At the minimum the full gradient is 0, but the single ones are not, so with a constant rate the wandering goes on for
# ever. That is what the $k$ of $\epsilon_k$ is for: large rates to arrive, small ones to settle. **Predict** which of
# the three ends lowest.

# %%
schedules = {
    "constant, 0.2": (lambda k: 0.2, VERMILION),
    "constant, 0.02": (lambda k: 0.02, GREEN),
    "0.2 / (1 + k/100)": (lambda k: 0.2 / (1 + k / 100), BLUE),
}
fig, axes = plt.subplots(1, 2, figsize=(10, 3.4))
for name, (rate, hue) in schedules.items():
    path = paths["stochastic"] if hue == VERMILION else descend(1, 4, rate)
    gaps = gap(path[1:])
    k = np.arange(len(gaps))
    axes[0].semilogy(k, [rate(i) for i in k], color=hue)
    axes[1].semilogy(k[::N] + N, np.median(gaps.reshape(4, N), axis=1), "o-", color=hue, label=name)
    print(f"{name:18} median of J - min in the last epoch: {np.median(gaps[-N:]):.5f}")
axes[0].set(xlabel="iteration k", ylabel="rate", title="Learning rates …")
axes[1].set(xlabel="iteration k", ylabel="J - min, median over an epoch", title="… and where they lead")
axes[1].legend(frameon=False, fontsize=9, loc="upper right")
plt.show()

# %% [markdown]
# *The picture: left the three rates, right the loss above its minimum, epoch by epoch. The constant rate of 0.2 stays
# high, the rate of 0.02 ends lower, and the falling rate lowest.*
#
# In `nn.optim` such rules are *schedulers*. Any function of $k$ is a `LambdaLR`; `fit` moves it after each epoch, or
# with `scheduler_per_batch` after each update. The same path again:

# %%
model = at_start()
optimizer = nn.optim.SGD(model.parameters(), lr=0.2)
nn.fit(
    model,
    binary_cross_entropy_with_logits,
    optimizer,
    nn.Batches(X, Y, batch_size=32, shuffle=True, rng=np.random.default_rng(0)),
    epochs=4,
    scheduler=nn.optim.LambdaLR(optimizer, lambda k: 1 / (1 + k / 100)),
    scheduler_per_batch=True,
    progress=False,
)
by_hand = descend(32, 4, rate=lambda k: 0.2 / (1 + k / 100))[-1]
print("as by hand:", np.allclose(theta_of(model), by_hand, rtol=1e-10))

# %% [markdown]
# ## Exercises
#
# **Exercise 1: a criterion that looks at the gradient.** Write `stop(losses, g)` that is true when no entry of the
# gradient is above 1e-4 in size. The cell holds an answer; cover it, and put yours in its place.


# %%
def stop(losses, g):
    """The answer; write your own."""
    return np.max(np.abs(g)) <= 1e-4


# %%
path, losses = batch_descent(start, 2.0, stop)
assert np.max(np.abs(cost_and_gradient(path[-1])[1])) <= 1e-4 < np.max(np.abs(cost_and_gradient(path[-2])[1]))
print("exercise 1 is right")

# %% [markdown]
# **Exercise 2: down to the bottom of a cut.** Coordinate descent may also go to the minimum of each cut before it
# turns. Along one coordinate Newton's step is $\theta_j \leftarrow \theta_j - J_j / J_{jj}$, with the first and second
# derivative by $\theta_j$. Write `bottom(theta, j)`, which takes five such steps.


# %%
def bottom(theta, j):
    """The answer; write your own."""
    theta = theta.copy()
    for _ in range(5):
        theta[j] -= cost_and_gradient(theta)[1][j] / hessian(cost)(theta)[j, j]
    return theta


# %%
theta = start
for turn in range(60):
    theta = bottom(theta, turn % 2)
assert abs(cost_and_gradient(bottom(start, 0))[1][0]) < 1e-10
assert np.allclose(theta, best, atol=1e-6)
print("exercise 2 is right")

# %% [markdown]
# **Exercise 3: with replacement.** The notes' algorithm 2 may draw an example twice before another one was drawn at
# all. Write `sampled(theta, m, rng)`, an estimate from $m$ examples drawn with replacement. The check: it is unbiased,
# too, and its error has no factor $(N - m)/(N - 1)$.


# %%
def sampled(theta, m, rng):
    """The answer; write your own."""
    chosen = rng.integers(0, N, m)
    return cost_and_gradient(theta, x[chosen], y[chosen])[1]


# %%
rng = np.random.default_rng(1)
estimates = np.array([sampled(start, 300, rng) for _ in range(1000)])
deviation = np.sqrt(each.var(axis=0) / 300)
assert np.all(np.abs(estimates.mean(axis=0) - full) < 5 * deviation / np.sqrt(1000))
assert np.all(np.abs(estimates.std(axis=0) / deviation - 1) < 0.1)
print("exercise 3 is right")

# %% [markdown]
# ## Summary
#
# - A partial derivative is the slope of a cut; the gradient has all of them from one backward pass.
# - Batch, stochastic and minibatch descent are one algorithm with $N$, 1 or $m$ examples for each gradient:
#   `batch_size`.
# - The estimate $\hat g$ is unbiased, and its error falls with $1/\sqrt m$ only.
# - With a constant rate, stochastic descent arrives soon and never settles. Rates $\epsilon_k$ that fall let it settle:
#   schedulers.
# - Stopping criteria look at the loss, the gradient or the number of steps; none of them sees the distance to the
#   minimum.
