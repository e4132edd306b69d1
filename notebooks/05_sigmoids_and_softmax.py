# %% [markdown]
# # 5. Sigmoids and softmax
#
# A picture may show a cat, a dog or a rabbit. Is that three questions, each with yes or no for an answer, or one
# question with three answers? The last layer and the loss have to know. This notebook builds both, looks at who
# influences whom, and then pairs tasks, output layers and losses, with the mistakes that are easily made.
#
# **You will see**
#
# - three sigmoids that do not know of each other: a Jacobian in blocks;
# - a softmax that couples everything with everything, and how to compute it without overflow;
# - cross-entropy with one-hot and with index targets, and what the missing minus signs in the notes would do;
# - which output goes with which loss, and what happens if it does not;
# - outputs for regression: linear and ReLU, with the L1 and the L2 loss.
#
# *Lecture parts:* CS229 lecture 11, detection, classification and regression (S1); BLG561E, the loss (S2); CS60010,
# output layer and loss (S4).

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

import nn
from autograd import AutogradError, Tensor, grad, graph, jacobian, log_softmax, relu, sigmoid, softmax
from nn.functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    multilabel_soft_margin_loss,
)

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
plt.rcParams.update({"figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## Three questions
#
# As in the notes, the picture is a column $x$ and each class $k$ has a row of weights $w^{(k)}$ and a bias. Each is a
# logistic regression of its own, and the loss is the sum of theirs (`S1-04`):
#
# $$a_k = \sigma(w^{(k)}x + b_k), \qquad L = -\sum_{k=1}^{3}\bigl(y_k\log a_k + (1-y_k)\log(1-a_k)\bigr)$$
#
# The target $y$ has shape 3 × 1, and any of its entries may be 1, or none. (The notes print the logistic loss without
# its minus.) Here are numbers: four pixels, three classes, of which the first two are in the picture.

# %%
rng = np.random.default_rng(0)
x = rng.normal(size=(4, 1))
W, b = rng.normal(size=(3, 4)), rng.normal(size=(3, 1))
y = np.array([[1.0], [1.0], [0.0]])

z = W @ x + b
a = sigmoid(z)
losses = -(y * np.log(a) + (1 - y) * np.log(1 - a))
print("probabilities a:", a[:, 0].round(3))
print("losses:         ", losses[:, 0].round(3), " sum", losses.sum().round(3))
print("nn, summed:     ", binary_cross_entropy_with_logits(z, y, reduction="sum").round(3))
print("nn, multi-label:", multilabel_soft_margin_loss(z.T, y.T).round(3), "= the sum / 3, as in PyTorch")

# %% [markdown]
# ## Who depends on whom
#
# The notes observe that in the derivative by $w^{(k)}$ and $b_k$ only the own loss is left (`S1-05`):
#
# $$\frac{\partial L_k}{\partial w^{(j)}} = \begin{cases}(a_k-y_k)\,x^T & j = k\\ 0 & j \ne k\end{cases}$$
#
# **Predict** the Jacobian of the three losses with respect to all twelve weights: a table of 3 rows and 12 columns. How
# many of its 36 numbers are zero? And what if the three outputs came from a softmax instead?


# %%
def sigmoid_losses(W):
    return binary_cross_entropy_with_logits(W @ x + b, y, reduction="none")[:, 0]


by_weights = jacobian(sigmoid_losses)(W)
print("shape (losses, classes, pixels):", by_weights.shape)
print("exact zeros:", np.sum(by_weights == 0), "of", by_weights.size)
for k in range(3):
    assert np.allclose(by_weights[k, k], (a[k] - y[k]) * x[:, 0], rtol=1e-12)

# %%
outputs = {
    "Three sigmoids": jacobian(lambda W: sigmoid(W @ x + b)[:, 0])(W),
    "One softmax": jacobian(lambda W: softmax(W @ x + b, axis=0)[:, 0])(W),
}
fig, axes = plt.subplots(1, 2, figsize=(10, 2.6))
for ax, (title, table) in zip(axes, outputs.items(), strict=True):
    image = ax.imshow(table.reshape(3, 12), cmap="RdBu_r", vmin=-0.2, vmax=0.2)
    for edge in 3.5, 7.5:
        ax.axvline(edge, color="black", linewidth=1)
    for row, column in np.argwhere(table.reshape(3, 12) == 0):
        ax.text(column, row, "0", ha="center", va="center", color="0.5", fontsize=8)
    ax.set_xticks([1.5, 5.5, 9.5], [f"class {k}" for k in (1, 2, 3)])
    ax.set_yticks(range(3), [f"output {k}" for k in (1, 2, 3)])
    ax.set_xlabel("weights of")
    ax.tick_params(length=0)
    ax.set_title(f"{title}: {np.sum(table == 0)} zeros", loc="left")
fig.colorbar(image, ax=axes, label="derivative", shrink=0.9)
plt.show()

# %% [markdown]
# *The picture:* the derivative of each output by each weight, red for positive and blue for negative. On the left three
# blocks on the diagonal and zeros elsewhere: three networks that happen to be written in one matrix. On the right no
# zero: in a softmax every output depends on every weight.
#
# ## A task for each
#
# Three shapes, at fixed places in pictures of 8 × 8 noisy pixels: a bar, a pole and a block. Each is there or not, by
# the toss of a coin. Two linear models learn from the same 400 pictures: one with sigmoids and the multi-label loss;
# one with a softmax, which is told that the shapes of a picture share the probability equally. (It cannot be told of
# pictures with no shape: probabilities sum to 1. So it does not see those.)
#
# **Predict** what each of them says of a picture with all three shapes, and of an empty one.

# %%
SHAPES = np.zeros((3, 8, 8))
SHAPES[0, 1, 1:7] = 1  # a bar
SHAPES[1, 2:7, 6] = 1  # a pole
SHAPES[2, 4:7, 1:4] = 1  # a block
NAMES = ["bar", "pole", "block"]


def draw(present):
    """Return noisy pictures with these shapes, as rows."""
    return np.tensordot(present, SHAPES, 1).clip(0, 1) + 0.4 * rng.normal(size=(len(present), 8, 8))


present = rng.integers(0, 2, (400, 3)).astype(float)
pictures = draw(present)
share = present / np.maximum(present.sum(axis=1, keepdims=True), 1)
some = present.any(axis=1)


def train(loss, pictures, targets):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3, rng=np.random.default_rng(0)))
    optimizer = nn.optim.Adam(model.parameters(), lr=0.02)
    nn.fit(model, loss, optimizer, (pictures, targets), epochs=40, rng=np.random.default_rng(0), progress=False)
    return model


detector = train(nn.MultiLabelSoftMarginLoss(), pictures, present)
chooser = train(nn.CrossEntropyLoss(), pictures[some], share[some])

shown = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 1]], float)
tests = draw(shown)
answers = {
    "sigmoids": sigmoid(nn.predict(detector, tests)),
    "softmax": softmax(nn.predict(chooser, tests)),
}

# %%
fig, axes = plt.subplots(3, 4, figsize=(9, 5.6), height_ratios=[1.4, 1, 1])
titles = ["no shape", "a pole", "a bar and a block", "all three"]
for column, title in enumerate(titles):
    axes[0, column].imshow(tests[column], cmap="gray_r", vmin=-0.5, vmax=1.5)
    axes[0, column].set_title(title)
    axes[0, column].axis("off")
    for row, (name, colour) in enumerate((("sigmoids", BLUE), ("softmax", ORANGE)), 1):
        ax = axes[row, column]
        ax.bar(NAMES, answers[name][column], color=colour)
        ax.set_ylim(0, 1.05)
        ax.set_yticks([0, 0.5, 1])
        if column == 0:
            ax.set_ylabel(f"{name}\nprobability")
fig.suptitle("Sigmoids can say none and all; a softmax divides 1 in any case")
plt.show()
for name, table in answers.items():
    print(f"{name}: sums", table.sum(axis=1).round(2))

# %% [markdown]
# *The picture:* four test pictures, and below each the probabilities from sigmoids (blue) and from the softmax
# (orange). The sums of the sigmoids come close to the number of shapes: 0, 1, 2, 3. The softmax distributes a whole
# probability even over nothing, and in the picture with all three shapes it must prefer one. For *detection*, sigmoids;
# where exactly one answer is right, *classification*, softmax, which makes use of knowing that.
#
# ## Softmax
#
# $$y'_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# is positive, sums to 1, and its largest entry is where $z$ is largest, so to predict one takes the maximum (`S1-06`,
# `S4-07`). (In CS229's formula the exponents are written $y$; they are the $z$ computed just before.) **Predict**: all
# three scores go up by 1. What happens to the probabilities? And if one goes up alone?

# %%
scores = np.array([1.0, 0.0, -0.5])
print(
    "z        ", softmax(scores).round(3), " sum", softmax(scores).sum().round(12), " class", softmax(scores).argmax()
)
print("z + 1    ", softmax(scores + 1).round(3))

steps = np.linspace(-6, 6, 121)
moved = np.stack([steps, np.full(121, 0.0), np.full(121, -0.5)], axis=1)
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, function, title in (
    (axes[0], sigmoid, "Sigmoids: the others stay"),
    (axes[1], softmax, "Softmax: they make room"),
):
    for k, (line, colour) in enumerate(zip(function(moved).T, (BLUE, ORANGE, GREEN), strict=True)):
        ax.plot(steps, line, color=colour, linewidth=2, label=f"class {k + 1}")
    ax.set_title(title, loc="left")
    ax.set_xlabel("score $z_1$ of class 1")
axes[0].set_ylabel("probability")
axes[1].legend(frameon=False, loc="center right")
plt.show()

# %% [markdown]
# *The picture:* the score of class 1 rises from left to right, the other two stay. With sigmoids only the first curve
# moves; with softmax the others fall as it rises. Adding one number to all scores changes nothing: it cancels.
#
# ### Without overflow
#
# **Predict** the softmax of the scores 1000, 999 and 998. And what does the formula give as it stands?

# %%
large = np.array([1000.0, 999.0, 998.0])
with np.errstate(over="ignore", invalid="ignore"):
    print("as it stands: ", np.exp(large) / np.exp(large).sum())
shifted = np.exp(large - large.max())
print("shifted first:", shifted / shifted.sum())
print("the engine's: ", softmax(large))

# %% [markdown]
# $e^{1000}$ is more than a float64 can hold. Since a common shift cancels, subtract the largest score first: then the
# largest exponential is 1, and none can overflow.
#
# ## Cross-entropy
#
# Let class $c$ be the right one. CS60010 arrives at the loss in three steps (`S4-08`):
#
# $$\max y'_c \;\equiv\; \max\, \log y'_c \;\equiv\; \min\,(-\log y'_c), \qquad
# L = -\sum_k \mathbb 1[k=c]\log y'_k = -\sum_k y_k\log y'_k$$
#
# The last sum is over a *one-hot* $y$: 1 at the right class, 0 elsewhere. CS229 (`S1-07`) and BLG561E (`S2-05`) print
# $\sum_k y_k\log y'_k$; the minus got lost. First, that the three extremes are at one place. Here is a model with one
# parameter, $z = t\cdot(x, 0, -x)$, and five examples; all their probabilities together are a product, and its
# logarithm is a sum.

# %%
inputs = np.array([2.0, 1.0, 0.1, -1.5, 0.7])
right = np.array([0, 0, 1, 2, 2])
t = np.linspace(-0.5, 4, 901)
scores = t[:, None, None] * np.stack([inputs, 0 * inputs, -inputs], axis=1)
log_probabilities = log_softmax(scores)[:, np.arange(5), right]

likelihood = np.exp(log_probabilities).prod(axis=1)
log_likelihood = log_probabilities.sum(axis=1)
curves = [
    ("product", r"$\prod y'_c$, to be large", likelihood, likelihood.argmax(), GREEN),
    ("sum of logarithms", r"$\sum \log y'_c$, to be large", log_likelihood, log_likelihood.argmax(), ORANGE),
    ("its negative", r"$-\sum \log y'_c$, to be small", -log_likelihood, (-log_likelihood).argmin(), BLUE),
]
fig, axes = plt.subplots(1, 3, figsize=(10, 2.9))
for ax, (name, title, curve, best, colour) in zip(axes, curves, strict=True):
    ax.plot(t, curve, color=colour, linewidth=2)
    ax.plot(t[best], curve[best], "o", color="black")
    ax.axvline(t[best], color="0.6", linestyle=":")
    ax.set_title(title, fontsize=11)
    ax.set_xlabel("t")
    print(f"{name:<18} best at t = {t[best]:.3f}")
fig.suptitle("Probability, its logarithm and its negative are best at the same place")
plt.show()
print("a product of 1000 factors 0.3:", 0.3**1000, " the sum of their logarithms:", round(1000 * np.log(0.3), 1))

# %% [markdown]
# *The picture:* the three curves over the parameter $t$, with a dot at the best place, which is one and the same. The
# last printed line is a reason for the logarithm: products of many probabilities underflow to 0, sums of logarithms
# do not.
#
# ### One-hot and index targets
#
# A one-hot $y$ picks one term of the sum, so the index $c$ says as much. The gradient with respect to the scores is,
# for both,
#
# $$\frac{\partial L}{\partial z} = y' - y.$$
#
# **Predict** its sum over the classes.

# %%
z = np.array([[2.0, 0.5, -1.0], [-1.0, 3.0, 0.0]])
labels = np.array([2, 1])
one_hot = np.eye(3)[labels]

for target in labels, one_hot:
    logits = Tensor(z, requires_grad=True)
    loss = cross_entropy(logits, target, reduction="sum")
    loss.backward()
    print(f"loss {loss.data:.6f}, gradient {logits.grad.round(4).tolist()}")
    assert np.allclose(logits.grad, softmax(z) - one_hot, rtol=1e-12)
print("sums over the classes:", (softmax(z) - one_hot).sum(axis=1).round(12) + 0)

# %% [markdown]
# Its sum is 0: what the right class is pulled up, the others are pushed down. Written in pieces, each exponential goes
# two ways, as numerator and into the sum, and the gradients of both ways add up:

# %%
scores = Tensor([2.0, 0.5, -1.0], requires_grad=True, name="z")
e = np.exp(scores)
e.name = "e"
total = np.sum(e)
total.name = "total"
probabilities = e / total
probabilities.name = "y'"
loss = -np.log(probabilities[2])
loss.name = "L"
with tempfile.TemporaryDirectory() as folder:
    graph(loss).save(f"{folder}/softmax.png")
    picture = Image(f"{folder}/softmax.png", width=900)
loss.backward()
print("∂L/∂z =", scores.grad.round(4), " y' - y =", (softmax(scores.data) - np.eye(3)[2]).round(4))
picture

# %% [markdown]
# *The picture:* from left to right $z$, the exponentials `e`, their `total`, the division `y'`, the choice of the right
# class, its logarithm, the minus. From `e` two edges leave.
#
# ### What the missing minus would do
#
# **Predict**: gradient descent on $\sum_k y_k \log y'_k$ as printed, for one example of class 3, from equal scores.


# %%
def right_probability(sign, steps=30, rate=0.5):
    """Return the probability of class 3 after each step of descent on sign · Σ y log y'."""
    z, history = np.zeros(3), []
    for _ in range(steps):
        history.append(softmax(z)[2])
        z = z - rate * grad(lambda z: sign * log_softmax(z)[2])(z)
    return history


learned, unlearned = right_probability(-1), right_probability(+1)
fig, ax = plt.subplots(figsize=(6, 3.2))
ax.plot(learned, color=BLUE, linewidth=2)
ax.text(14, 0.78, r"$-\sum y\,\log y'$", color=BLUE)
ax.plot(unlearned, color=RED, linewidth=2)
ax.text(14, 0.06, r"$\sum y\,\log y'$, as printed", color=RED)
ax.set_ylim(0, 1)
ax.set_xlabel("step")
ax.set_ylabel("probability of the right class")
ax.set_title("Without the minus, descent unlearns", loc="left")
plt.show()
print(f"after {len(learned)} steps: {learned[-1]:.3f} with the minus, {unlearned[-1]:.1e} without")

# %% [markdown]
# *The picture:* from 1/3, one curve rises towards 1, the other falls to 0. Whoever ascends may use the printed formula;
# a *loss* has the minus.
#
# ### Stable again
#
# The loss has its own trap: the logarithm of a softmax. **Predict** loss and gradient for scores $(1000, 0)$ when class
# 2 is right: the network is certain, and wrong.

# %%
wrong = np.array([1000.0, 0.0])
with np.errstate(divide="ignore"):
    print("log(softmax(z)):", -np.log(softmax(wrong))[1], " gradient", grad(lambda z: -np.log(softmax(z)[1]))(wrong))
print("log_softmax(z): ", -log_softmax(wrong)[1], " gradient", grad(lambda z: -log_softmax(z)[1])(wrong))
print("cross_entropy:  ", cross_entropy(wrong, 1), " gradient", grad(lambda z: cross_entropy(z, 1))(wrong))

# %% [markdown]
# The probability rounds to 0, its logarithm is $-\infty$, and nothing is left to learn from. In
# $\log y'_k = z_k - \log\sum_j e^{z_j}$ the exponential and the logarithm have been joined on paper, where nothing
# rounds: the loss is 1000, and the gradient $y' - y$. This is why the losses of `nn` take the scores (*logits*), and
# why a network for classification ends with a linear layer.
#
# ## Heads and losses
#
# CS60010 lists which output goes with which task (`S4-06`). With the loss that belongs to it, each pair has the same
# gradient:
#
# | task | output | loss | $\partial L/\partial z$ |
# |---|---|---|---|
# | two classes | sigmoid | logistic loss | $a - y$ |
# | several, independent | sigmoids | sum of logistic losses | $a - y$ |
# | one of several | softmax | cross-entropy | $y' - y$ |
# | regression | linear | $\tfrac12(\hat y-y)^2$ | $\hat y - y$ |

# %%
z, y3 = np.array([1.5, -0.5, 0.2]), np.array([1.0, 0.0, 0.0])
pairs = {
    "sigmoid, logistic loss": (sigmoid, lambda z: binary_cross_entropy_with_logits(z, y3, reduction="sum")),
    "softmax, cross-entropy": (softmax, lambda z: cross_entropy(z, y3)),
    "linear, squared error / 2": (lambda z: z, lambda z: mse_loss(z, y3, reduction="sum") / 2),
}
for name, (head, loss) in pairs.items():
    print(f"{name:<26} gradient {grad(loss)(z).round(4)}  output - target {(head(z) - y3).round(4)}")
    assert np.allclose(grad(loss)(z), head(z) - y3, rtol=1e-12)

# %% [markdown]
# ### Mismatched pairs
#
# **Predict**: a sigmoid with the *squared* error, $y = 1$ and $z = -10$, so that the answer is wrong and sure. Is the
# gradient large or small?

# %%
scores = np.linspace(-10, 10, 201)
slopes = {
    "logistic loss": -grad(lambda z: np.sum(binary_cross_entropy_with_logits(z, np.ones(201), reduction="sum")))(
        scores
    ),
    "squared error": -grad(lambda z: mse_loss(sigmoid(z), np.ones(201), reduction="sum"))(scores),
}
fig, ax = plt.subplots(figsize=(6.5, 3.4))
for (name, slope), colour in zip(slopes.items(), (BLUE, RED), strict=True):
    ax.plot(scores, slope, color=colour, linewidth=2, label=name)
ax.annotate("wrong and sure:\nno gradient", (-9, 0.01), (-9.5, 0.35), arrowprops={"arrowstyle": "->"})
ax.set_xlabel("score z, where y = 1")
ax.set_ylabel(r"pull to the right, $-\partial L/\partial z$")
ax.set_title("With the squared error a sigmoid learns least from its worst mistakes", loc="left")
ax.legend(frameon=False)
plt.show()
print(f"at z = -10: {slopes['logistic loss'][0]:.4f} and {slopes['squared error'][0]:.1e}")

# %% [markdown]
# *The picture:* the pull towards the right answer over the score. With the logistic loss (blue) it is 1 where the
# answer is wholly wrong, and fades as it gets right. With the squared error (red) it is $2(1-a)\cdot a(1-a)$, and the
# last factor vanishes on both sides.
#
# Another one: a softmax layer in front of a loss that has a softmax inside. **Predict** the smallest loss that three
# classes can reach then.

# %%
best = np.array([1.0, 0.0, 0.0])  # what the softmax layer says at the very best
print(f"scores straight into the loss: {cross_entropy(1000 * best, 0):.4f}")
print(f"softmax in front of the loss:  {cross_entropy(best, 0):.4f} = log(e + 2) - 1 = {np.log(np.e + 2) - 1:.4f}")

# %% [markdown]
# Training runs, and the loss stops at 0.55: nothing raises, since probabilities are scores too. `nn.lint` looks at a
# network and its loss, and sees it:

# %%
confident = nn.Sequential(nn.Linear(2, 3), nn.Softmax())
for advice in nn.lint(confident, cross_entropy):
    print(advice)

# %% [markdown]
# Other mismatches `nn` catches when they happen:

# %%
mistakes = {
    "logits, where probabilities are due": lambda: binary_cross_entropy([2.5], [1.0]),
    "classes -1 and 1 for a sigmoid": lambda: binary_cross_entropy_with_logits([2.5], [-1.0]),
    "labels from 1 to 3 in the place of 0 to 2": lambda: cross_entropy(np.zeros((2, 3)), [1, 3]),
    "a column against a row": lambda: mse_loss(np.zeros((5, 1)), np.zeros(5)),
}
for mistake, call in mistakes.items():
    try:
        call()
    except AutogradError as error:
        print(f"{mistake}:\n    {error}\n")

# %% [markdown]
# ## Regression
#
# Not every answer is a probability. CS229 takes $y = \mathrm{relu}(wx+b)$ for a number that is not negative (`S1-08`),
# and names two losses (`S1-09`):
#
# $$L_1 = |\hat y - y|, \quad \frac{\partial L_1}{\partial\hat y} = \mathrm{sign}(\hat y - y), \qquad\qquad
# L_2 = (\hat y - y)^2, \quad \frac{\partial L_2}{\partial\hat y} = 2(\hat y - y)$$
#
# Some number grows with $x$, but only from a threshold on, and is never negative. **Predict** what a linear output
# makes of it, and where the ReLU puts its kink.

# %%
rng = np.random.default_rng(1)
hours = rng.uniform(0, 4, (80, 1))
amount = np.maximum(0, 2 * hours - 3) + np.where(hours > 1.5, 0.3 * rng.normal(size=(80, 1)), 0).clip(-0.3, 0.3)
amount = amount.clip(0)


def fit_line(head, loss, x, y, bias=0.0, steps=600):
    """Return a neuron after gradient descent with all examples, from w = 1."""
    neuron = nn.MLP([1, 1], [head], dtype=np.float64)
    neuron[0].weight.data, neuron[0].bias.data = [[1.0]], [bias]
    optimizer = nn.optim.Adam(neuron.parameters(), lr=0.03)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(neuron(x), y).backward()
        optimizer.step()
    return neuron


grid = np.linspace(0, 4, 200)[:, None]
fig, ax = plt.subplots(figsize=(6.5, 3.6))
ax.scatter(hours, amount, s=14, color="0.6", label="examples")
for head, name, colour in ("identity", "linear", ORANGE), ("relu", "ReLU", BLUE):
    neuron = fit_line(head, mse_loss, hours, amount)
    ax.plot(grid, nn.predict(neuron, grid), color=colour, linewidth=2, label=f"{name} output")
    w, bias = neuron[0].weight.item(), neuron[0].bias.item()
    error = mse_loss(neuron(hours), amount).item()
    print(f"{name:<6}: w {w:.2f}, b {bias:.2f}, mean squared error {error:.3f}, zero at x = {-bias / w:.2f}")
ax.axhline(0, color="black", linewidth=0.8)
ax.set_xlabel("x")
ax.set_ylabel("y")
ax.set_title("A ReLU output is never negative, and finds the threshold", loc="left")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# *The picture:* the straight line has to go below zero on the left to follow the slope on the right. The data were made
# with $w = 2$ and $b = -3$, and the neuron with ReLU comes close to both.
#
# A ReLU output has a danger that a linear one has not. **Predict** what happens if it begins with $b = -5$, so that
# $wx+b$ is negative for each example.

# %%
dead = fit_line("relu", mse_loss, hours, amount, bias=-5.0)
print("after 600 steps: w", dead[0].weight.item(), " b", dead[0].bias.item(), " gradient", dead[0].weight.grad.tolist())

# %% [markdown]
# It never moves: where the ReLU is 0, so is its derivative. So begin with a positive bias, or use a smooth output such
# as softplus.
#
# ### L1 and L2
#
# Now a straight line, and some examples where somebody misplaced the decimal point. **Predict** which loss is disturbed
# more, looking at the two derivatives above.

# %%
line_x = np.linspace(0, 4, 40)[:, None]
line_y = 1 + 0.5 * line_x + 0.1 * rng.normal(size=(40, 1))
line_y[[30, 34, 38]] = 9.0  # the three outliers

fig, ax = plt.subplots(figsize=(6.5, 3.6))
ax.scatter(line_x, line_y, s=14, color="0.6")
for name, loss, colour in ("L2", mse_loss, ORANGE), ("L1", l1_loss, BLUE):
    neuron = fit_line("identity", loss, line_x, line_y, steps=800)
    ax.plot(line_x, nn.predict(neuron, line_x), color=colour, linewidth=2, label=name)
    print(f"{name}: w {neuron[0].weight.item():.2f}, b {neuron[0].bias.item():.2f}   (made with w 0.50, b 1.00)")
ax.set_xlabel("x")
ax.set_ylabel("y")
ax.set_title("Three outliers pull the L2 line, but not the L1 line", loc="left")
ax.legend(frameon=False, loc="upper left")
plt.show()

values = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
for name, loss, average in ("L2", mse_loss, np.mean), ("L1", l1_loss, np.median):
    best = average(values)
    slope = grad(lambda c, loss=loss: loss(c * np.ones(5), values))(best)
    print(f"{name}: the best constant for {values.tolist()} is {best}, the {average.__name__}; slope {abs(slope):.0f}")

# %% [markdown]
# *The picture:* with L2 an example pulls in proportion to its error, so the three far points outweigh many near ones.
# With L1 each example pulls with the same force, whatever its error. Of constants, L2 prefers the mean and L1 the
# median.
#
# ## Exercises
#
# **1. The Jacobian of softmax.** Show on paper that $\partial y'_k/\partial z_j = y'_k(\mathbb 1[k=j] - y'_j)$, and
# write it as a matrix of NumPy, in one line. Why does each of its rows sum to 0? (The next cell has an answer.)

# %%
z = np.array([1.5, -0.5, 0.2, 2.0])
s = softmax(z)
matrix = np.diag(s) - np.outer(s, s)

assert np.allclose(matrix, jacobian(softmax)(z), rtol=1e-12)
assert np.allclose(matrix.sum(axis=1), 0)  # adding one number to all scores changes nothing
print(matrix.round(3))

# %% [markdown]
# **2. Log-sum-exp.** Write $\log\sum_j e^{z_j}$ so that it does not overflow, with nothing but `np.max`, `np.exp`,
# `np.sum` and `np.log`. Its gradient should then be the softmax, also at large scores.


# %%
def log_sum_exp(z):
    largest = np.max(z)
    return largest + np.log(np.sum(np.exp(z - largest)))


assert log_sum_exp(np.array([1000.0, 1000.0])) == 1000 + np.log(2)
assert np.allclose(grad(log_sum_exp)(large), softmax(large), rtol=1e-12)
print("log_sum_exp of 1000, 999, 998:", log_sum_exp(large), " gradient", grad(log_sum_exp)(large).round(4))

# %% [markdown]
# **3. Two classes.** A softmax of two scores $(z, 0)$ is a sigmoid of $z$. Check that probability, loss and gradient
# agree. What would a softmax of $(z_1, z_2)$ be?
#
# <details><summary>Answer</summary>
#
# $$\frac{e^{z_1}}{e^{z_1}+e^{z_2}} = \frac{1}{1+e^{-(z_1-z_2)}} = \sigma(z_1-z_2)$$
#
# Only the difference counts, so a softmax of two classes has twice the weights that it needs.
#
# </details>

# %%
for z1, z2 in (0.7, 0.0), (-3.0, 1.5):
    pair = np.array([z1, z2])
    assert np.isclose(softmax(pair)[0], sigmoid(z1 - z2), rtol=1e-12)
    assert np.isclose(cross_entropy(pair, 0), binary_cross_entropy_with_logits(z1 - z2, 1.0), rtol=1e-12)
    by_pair = grad(lambda pair: cross_entropy(pair, 0))(pair)
    assert np.allclose(by_pair, (sigmoid(z1 - z2) - 1) * np.array([1, -1]), rtol=1e-12)
print("softmax of two scores is the sigmoid of their difference")

# %% [markdown]
# **4. A smooth output that is not negative.** Replace the ReLU of the dead neuron by softplus, and begin from the same
# $b = -5$. Does it learn?

# %%
alive = fit_line("softplus", mse_loss, hours, amount, bias=-5.0)
error = mse_loss(alive(hours), amount).item()

assert (alive(hours).data > 0).all()
assert error < 0.1 < mse_loss(dead(hours), amount).item()
assert np.array_equal(dead(hours).data, relu(dead[0](hours)).data)
print(f"softplus: mean squared error {error:.3f}")

# %% [markdown]
# ## Summary
#
# - Sigmoids for independent classes: the Jacobian has blocks. A softmax for one of several: everything is coupled.
# - Subtract the largest score first, and join logarithm and exponential: losses take logits.
# - A loss has its minus. One-hot and index targets say the same, and the gradient is $y' - y$.
# - The right pair of output and loss has the gradient output - target. Other pairs may learn least where they err most.
# - L2 averages, L1 takes the middle; a ReLU output must not begin dead.
