# %% [markdown]
# # 2. Logistic regression is a graph
#
# One neuron looks at an example, says how probable class 1 is, and is wrong. By how much should each of its weights
# change? The answer in the notes is one short line, $\partial\mathcal L/\partial z = a - y$. This notebook takes that
# line apart on a graph, edge by edge, and puts it together again for a batch, for both ways to write a batch, and for
# numbers so large that the sigmoid rounds to 1.
#
# You will see
#
# - the graph of one neuron, forward from left to right, and its gradient coming back from right to left;
# - why $a - y$ survives where $\partial\mathcal L/\partial a$ and $\partial a/\partial z$ do not;
# - that a loop over examples and a product of matrices are the same gradient;
# - gradient descent that knows when to stop, on measurements of tumours.
#
# From CS230 lecture 3 (S0), CS229 lecture 11 (S1), BLG561E (S2) and CS60010 MLP part 2 (S4).

# %%
from tempfile import TemporaryDirectory
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import nn
from autograd import Tensor, differentiable, gradcheck, graph, sigmoid

BLUE, ORANGE = "#0072B2", "#D55E00"
plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})

# %% [markdown]
# ## One example · `S0-02` `S0-03` `S4-15`
#
# The notes' neuron takes $x \in \mathbb R^n$ and computes
#
# $$z = w_1 x_1 + \dots + w_n x_n + b, \qquad \hat y = a = \sigma(z) = \frac{1}{1 + e^{-z}}, \qquad
# \mathcal L = -\bigl(y \log a + (1 - y)\log(1 - a)\bigr).$$
#
# In the notes' drawing the loss is a single node. So we tell the engine about it as a row of its own: the function, and
# its local derivative in each argument (`None` for $y$, which is given). The derivative is the one that the notes work
# out first, $\partial\mathcal L/\partial a = -\frac ya + \frac{1 - y}{1 - a}$. `gradcheck` compares it with
# differences.
#
# (CS229's notes print this loss without its minus. Then it is negative, and going downhill makes it worse; the cell
# shows that. `S1-03`)


# %%
@differentiable((lambda a, y: -y / a + (1 - y) / (1 - a), None))
def logistic_loss(a, y):
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


print("the derivative is right:", gradcheck(lambda a: logistic_loss(a, np.array([0.0, 1.0])), np.array([0.3, 0.6])))
for a in (0.1, 0.5, 0.9):
    right = logistic_loss(a, 1.0)
    print(f"y = 1, a = {a}: with the minus L = {right:.3f}, as printed in S1 {-right:.3f}")

# %% [markdown]
# The loss should be small when $a$ is near $y$. With the minus it is; without, the best answer has the *largest* value.
#
# Now two inputs, with numbers small enough to follow. **Predict before you run:**
# $z = 0.5\cdot 2 + 1.5\cdot(-1) + 0.25$. Is $a$ above or below a half? And since $y = 1$: should $w_1$ go up or down?
# Should $w_2$?


# %%
def leaf(value, name):
    return Tensor(value, requires_grad=True, name=name)


w1, x1 = leaf(0.5, "w₁"), leaf(2.0, "x₁")
w2, x2 = leaf(1.5, "w₂"), leaf(-1.0, "x₂")
b, y = leaf(0.25, "b"), 1.0

z = w1 * x1 + w2 * x2 + b
a = sigmoid(z)
L = logistic_loss(a, y)
z.name, a.name, L.name = "z", "a", "L"

graph(L)

# %% [markdown]
# In a running notebook this picture can be stepped through (→ and ← keys): first forward, left to right, then back,
# right to left. Here it is as plain pixels. Every card has a value and a gradient. Every edge has two labels: in green
# the **local derivative** of the edge, and on a coloured ground **upstream × local**, what the edge hands to the node
# on its left.


# %%
def picture(tensor, rankdir="LR"):
    with TemporaryDirectory() as folder:
        graph(tensor).save(f"{folder}/graph.png", rankdir=rankdir)
        return Image(filename=f"{folder}/graph.png", retina=rankdir == "TB")


picture(L)

# %% [markdown]
# *In the picture:* on the left $w_1, x_1, x_2, w_2$ and $b$; products and sums lead to $z = -0.25$, $a = 0.4378$ and
# $L = 0.8259$ on the right. The gradients below the values are, from right to left, $1$, $-2.284$, $-0.5622$.
#
# ## The chain rule, one edge at a time · `S0-04` `S0-05` `S0-06`
#
# $$\frac{\partial\mathcal L}{\partial z} = \frac{\partial\mathcal L}{\partial a}\cdot\frac{\partial a}{\partial z},
# \qquad \frac{\partial z}{\partial w_k} = x_k$$
#
# (The last line for $z$ in S0 leaves out $b$. On the graph it has an edge of its own, with the local derivative 1.)
#
# The picture's numbers can be read by programs, too. **Predict** what stands on the edges from $w_1$ and from $w_2$
# into their products, then check each edge against the formula.

# %%
drawing = graph(L)
cards = {node.id: node for node in drawing.nodes}
print(f"{'edge':>14}   upstream ×  local = contribution")
for edge in drawing.edges:
    source, target = cards[edge.source], cards[edge.target]
    upstream, local, contribution = target.gradient.number, edge.local.number, edge.contribution.number
    print(
        f"{source.name or source.symbol:>4} ← {target.name or target.symbol:<7} "
        f"{upstream:10.4f} × {local:7.4f} = {contribution:8.4f}"
    )

# %%
value = a.item()
into_a, into_z = [edge.local.number for edge in drawing.edges[:2]]
print(f"∂L/∂a = -y/a + (1 - y)/(1 - a) = {-y / value + (1 - y) / (1 - value):.4f}, on the edge {into_a:.4f}")
print(f"∂a/∂z = a(1 - a)               = {value * (1 - value):.4f}, on the edge  {into_z:.4f}")
print(f"∂L/∂z, their product           = {into_a * into_z:.4f}, and a - y =  {value - y:.4f}")
assert np.isclose(into_a * into_z, value - y, rtol=1e-14)

# %% [markdown]
# ## Why $\sigma' = a(1 - a)$ · `S0-07`
#
# Write $\sigma(z) = (1 + e^{-z})^{-1}$ and differentiate: $\sigma'(z) = e^{-z}/(1 + e^{-z})^2$. The fraction splits
# into $\frac{1}{1 + e^{-z}} \cdot \frac{e^{-z}}{1 + e^{-z}}$, which is $a\,(1 - a)$. So the backward pass does not need
# $z$: the output is enough, and it is there already. **Predict:** where is the slope largest, and how large?

# %%
grid = leaf(np.linspace(-8, 8, 401), "z")
curve = sigmoid(grid)
curve.backward(np.ones(401))
print("σ' = a(1 - a) everywhere:", np.allclose(grid.grad, curve.numpy() * (1 - curve.numpy()), rtol=1e-12))
print(f"largest slope {grid.grad.max()} at z = {grid.numpy()[grid.grad.argmax()]:.0f}")

fig, ax = plt.subplots(figsize=(6.5, 3.2))
ax.plot(grid.numpy(), curve.numpy(), color=BLUE, lw=2)
ax.plot(grid.numpy(), grid.grad, color=ORANGE, lw=2, ls="--")
ax.text(2.6, 0.82, "σ(z)", color=BLUE)
ax.text(1.7, 0.18, "σ'(z) = a(1 - a), at most 0.25", color=ORANGE)
ax.set(
    xlabel="z", ylabel="value", title="The sigmoid is steepest, 0.25, where it is undecided", yticks=[0, 0.25, 0.5, 1]
)
plt.show()

# %% [markdown]
# *In the picture:* the sigmoid rises from 0 to 1; its slope is a bump around $z = 0$ with height 0.25 and is almost 0
# beyond $|z| = 6$.
#
# ## The boxed result: $\partial\mathcal L/\partial z = a - y$ · `S0-08`
#
# Multiply the two locals and everything that is awkward cancels:
#
# $$\Bigl(-\frac ya + \frac{1-y}{1-a}\Bigr)\,a(1-a) = -y(1-a) + (1-y)a = a - y.$$
#
# On paper. In floating point, **predict** what becomes of the product on the left when $y = 0$ and $z = 40$: a neuron
# that is very sure, and wrong. Here $\sigma(40)$ rounds to exactly 1.


# %%
def gradient_through_probabilities(z, y):
    """Sigmoid first, then the loss: two edges, as on the graph."""
    z = leaf(z, "z")
    with np.errstate(all="ignore"):
        logistic_loss(sigmoid(z), y).backward()
    return z.grad


def gradient_through_logits(z, y):
    """Sigmoid and loss in one: log(1 + exp(z)) - y z."""
    z = leaf(z, "z")
    nn.functional.binary_cross_entropy_with_logits(z, y).backward()
    return z.grad


for value in (5.0, 30.0, 40.0, 1000.0):
    by_edges, at_once = gradient_through_probabilities(value, 0.0), gradient_through_logits(value, 0.0)
    print(f"z = {value:6.0f}, y = 0:  by two edges {by_edges:.12f},  by the logits loss {at_once:.12f}")

# %% [markdown]
# For $z = 40$ the first edge has the local derivative $1/(1-1) = \infty$ and the second one $1\cdot(1-1) = 0$. Their
# product is not a number, on the very example the neuron should learn most from. The loss as a function of the
# **logit** $z$,
#
# $$\mathcal L = \log(1 + e^{z}) - y z, \qquad \frac{\partial\mathcal L}{\partial z} = \sigma(z) - y,$$
#
# has the same value and no such edges. That is why libraries have a *loss with logits*. Where does the trouble begin?
# It depends on the digits that there are.

# %%
scores = np.linspace(0, 60, 601)
fig, ax = plt.subplots(figsize=(6.5, 3.2))
for dtype, colour, width, height in ((np.float64, BLUE, 9, 0.8), (np.float32, ORANGE, 5, 0.6)):
    found = np.array([gradient_through_probabilities(dtype(score), dtype(0)) for score in scores])
    last = scores[np.isfinite(found)].max()
    ax.plot(scores, found, color=colour, lw=width, alpha=0.6, solid_capstyle="butt")
    ax.plot(last, 1, "X", color=colour, ms=11)
    ax.text(last, height, f"{np.dtype(dtype)}: NaN beyond z = {last:.1f}", color=colour, ha="center")
    ax.plot([last, last], [height + 0.06, 0.97], color=colour, lw=1)
ax.plot(scores, [gradient_through_logits(score, 0.0) for score in scores], color="black", lw=1.5, ls="--")
ax.text(39, 1.03, "through the logits loss")
ax.set(
    xlabel="z", ylabel="computed ∂L/∂z", ylim=(0.4, 1.15), title="Through two edges, no gradient where σ(z) rounds to 1"
)
plt.show()

# %% [markdown]
# *In the picture:* for $y = 0$ the gradient should tend to 1. Through two edges the curve stops, in float32 beyond
# $z = 16.6$, in float64 beyond $36.7$; through the logits loss it goes on. These are $24\log 2$ and $53\log 2$: the two
# formats have 24 and 53 binary digits, and a smaller $e^{-z}$ is lost beside the 1 in $1 + e^{-z}$.
#
# ## Parameters · `S0-09`
#
# One more edge each: $\dfrac{\partial\mathcal L}{\partial w} = (a - y)\,x^T$ and
# $\dfrac{\partial\mathcal L}{\partial b} = (a - y)\cdot 1$.

# %%
L.backward()
error = a.item() - y
print(f"a - y = {error:.4f}")
print(f"∂L/∂w = ({w1.grad:.4f}, {w2.grad:.4f}) and (a - y) xᵀ = ({error * 2:.4f}, {error * -1:.4f})")
print(f"∂L/∂b = {b.grad:.4f}")

# %% [markdown]
# The error is negative: $a$ is too small. $w_1$ has a positive input, so it should go up; $w_2$ has a negative one, so
# it should go down. Nobody had to decide that: the sign of $x_k$ stands on the edge.
#
# ## One step · `S0-01` `S0-10` `S2-01`
#
# $$w := w - \alpha\,\frac{\partial\mathcal L}{\partial w} = w - \alpha\,(a - y)\,x^T, \qquad
# b := b - \alpha\,(a - y)$$
#
# S2 writes the same line as $w \leftarrow w - \mathrm{LR}\cdot\nabla_w\,\mathrm{loss}$. **Predict:** with
# $\alpha = 0.5$, does the step correct the mistake, that is, does $a$ pass a half?

# %%
alpha = 0.5
by_hand = [w1.item() - alpha * w1.grad, w2.item() - alpha * w2.grad, b.item() - alpha * b.grad]

nn.optim.SGD([w1, w2, b], lr=alpha).step()

print("SGD equals the line above to the last bit:", [w1.item(), w2.item(), b.item()] == by_hand)
print(
    "with the closed form it agrees to rounding:",
    np.allclose([w1.item(), w2.item()], [0.5 - alpha * error * 2, 1.5 + alpha * error]),
)
after = sigmoid(w1 * x1 + w2 * x2 + b)
print(f"a:    {a.item():.4f} before, {after.item():.4f} after")
print(f"loss: {L.item():.4f} before, {logistic_loss(after, y).item():.4f} after")

# %% [markdown]
# ## Rows, columns, and the neuron in `nn` · `S1-02`
#
# CS230's notes declare $x \in \mathbb R^{(1,n)}$ and $w \in \mathbb R^{(n,1)}$, and then multiply $w \cdot x$ as a row
# by a column. Taken literally, (n, 1) times (1, n) is an n × n table and not a number. Two readings work, and both are
# in use:
#
# | | weights | example | product |
# |---|---|---|---|
# | **column** layout (S0, S1, S3, S4) | $w$ is (1, n) | $x$ is (n, 1) | $z = w x + b$ |
# | **row** layout (`nn`, most libraries) | $w$ is (1, n), used as $w^T$ | $x$ is (1, n) | $z = x w^T + b$ |
#
# **Predict** the shape of $\partial\mathcal L/\partial w$ in each.

# %%
weights, example = np.array([[0.5, 1.5]]), np.array([[2.0, -1.0]])
layouts = {
    "column": lambda w: w @ example.T + 0.25,
    "row": lambda w: example @ w.T + 0.25,
}
for name, forward in layouts.items():
    w = leaf(weights, "w")
    z = forward(w)
    logistic_loss(sigmoid(z), 1.0).backward(np.ones((1, 1)))
    print(f"{name:>6}: z has shape {z.shape}, ∂L/∂w has shape {w.grad.shape}: {w.grad.round(4)}")
print(f"as declared in S0: w·x has shape {(weights.T @ example).shape}")

# %% [markdown]
# A gradient has the shape of what it belongs to, so it can be subtracted. CS229 calls *linear part + activation* a
# **neuron**, and writes an image of $w\times l\times b$ numbers as one long vector, with a weight for each of them:

# %%
neuron = nn.Sequential(nn.Flatten(), nn.Linear(4 * 4 * 3, 1, rng=np.random.default_rng(0)), nn.Sigmoid())
image = np.random.default_rng(1).normal(size=(1, 4, 4, 3)).astype(np.float32)
print("weights", neuron[1].weight.shape, "bias", neuron[1].bias.shape, "output", neuron(image).shape)

# %% [markdown]
# ## The bias trick: $\theta^T X$ · `S4-05`
#
# S1 also writes $\sigma(\theta^T X)$ with no bias in sight, and S4 says how: give every example one more input, which
# is always 1.
#
# $$W x + b = \begin{bmatrix} W & b\end{bmatrix}\begin{bmatrix} x \\ 1 \end{bmatrix}$$
#
# The gradient of the glued matrix is the two gradients, glued. **Predict:** which column of it belongs to $b$?

# %%
W, bias = leaf([[0.5, 1.5], [1.0, -2.0]], "W"), leaf([[0.25], [0.75]], "b")
X = np.array([[2.0, 0.0, 1.0], [-1.0, 3.0, 0.5]])
upstream = np.arange(6.0).reshape(2, 3)

(W @ X + bias).backward(upstream)
separate = np.hstack([W.grad, bias.grad])

theta = leaf(np.hstack([W.numpy(), bias.numpy()]), "[W b]")
extended = np.vstack([X, np.ones((1, 3))])
(theta @ extended).backward(upstream)
print(theta.grad)
print("same values:", np.array_equal(theta.numpy() @ extended, W.numpy() @ X + bias.numpy()))
print("same gradients:", np.array_equal(theta.grad, separate))

# %% [markdown]
# ## A batch: examples as columns · `S0-11` `S0-12` `S1-13`
#
# Put $m$ examples beside each other as columns of $X \in \mathbb R^{(n,m)}$. One product computes all of them:
#
# $$Z = wX + b,\qquad A = \sigma(Z),\qquad J = \frac1m\sum_{i=1}^m \mathcal L^{(i)}.$$
#
# $b$ has shape (1, 1) and $wX$ has shape (1, m): NumPy *broadcasts* the number $b$ to all columns. There are still
# $n + 1$ parameters, whatever $m$ is. **Predict:** if forward copies $b$ to $m$ places, what must backward do with the
# $m$ gradients that come back?

# %%
rng = np.random.default_rng(0)
m = 5
X, Y = rng.normal(size=(2, m)), np.array([[1.0, 0.0, 1.0, 1.0, 0.0]])

w, b = leaf([[0.5, 1.5]], "w"), leaf([[0.25]], "b")
inputs = leaf(X, "X")
Z = w @ inputs + b
A = sigmoid(Z)
losses = logistic_loss(A, Y)
J = np.mean(losses)
for tensor, name in ((Z, "Z"), (A, "A"), (losses, "losses"), (J, "J")):
    tensor.name = name
    tensor.retain_grad()
J.backward()

one_by_one = [logistic_loss(sigmoid(0.5 * x[0] + 1.5 * x[1] + 0.25), y) for x, y in zip(X.T, Y[0])]
print("J is the mean of the losses, one by one:", np.isclose(J.item(), np.mean(one_by_one), rtol=1e-14))
picture(J, "TB")

# %% [markdown]
# *In the picture:* at the top $X$ and $w$ meet in a product, $b$ joins, then $Z$, $A$, the losses and their mean $J$.
# Cards of arrays show the shape and the root mean square. The edge from $b$ has the local derivative 1, and its
# contribution was summed from shape (1, 5) to shape (1, 1).
#
# ## What comes back · `S0-13` `S0-14` `S4-04`
#
# $$\frac{\partial J}{\partial w_k} = \frac1m\sum_i (a^{(i)} - y^{(i)})\,x_k^{(i)}, \qquad
# \frac{\partial J}{\partial w} = \frac1m (A - Y)\,X^T, \qquad
# \frac{\partial J}{\partial b} = \frac1m (A - Y)\,\mathbf 1$$
#
# with $\mathbf 1$ a column of $m$ ones. The first row of S0's derivation for a batch has lost the minus of the loss,
# and it comes back by itself two lines later; the result is right. And the last formula is a number, although the notes
# continue with "= (1 … 1)". The cell computes all of them, the row without the minus as well.

# %%
error = A.numpy() - Y
dw, db = error @ X.T / m, error @ np.ones((m, 1)) / m
summed = [[sum(error[0, i] * X[k, i] for i in range(m)) / m for k in range(2)]]
without_minus = np.mean((Y / A.numpy() - (1 - Y) / (1 - A.numpy())) * A.numpy() * (1 - A.numpy()) * X, axis=1)

print("engine               ", w.grad.round(6), b.grad.round(6))
print("(A - Y) Xᵀ/m         ", dw.round(6), db.round(6))
print("the sum over i       ", np.round(summed, 6))
print("S0's row, as printed ", without_minus.round(6), "has the other sign")
assert np.allclose(w.grad, dw, rtol=1e-12)
assert np.allclose(b.grad, db, rtol=1e-12)
assert np.allclose(w.grad, summed, rtol=1e-12)
assert np.allclose(without_minus, -w.grad[0], rtol=1e-12)

# %% [markdown]
# What broadcasting copied, backward sums: that is the product with the column of ones. S4 writes the cost as a sum,
# $J(\theta) = \sum_i L(NN(x^{(i)};\theta), y^{(i)})$, without the $1/m$; its gradient is $m$ times this one. Either way
# the gradient of a sum is the sum of the gradients, and information flows back from the one number $J$ to everything
# that it was computed from:
#
# ## Every gradient has the shape of its value · `S1-33`

# %%
for tensor in (inputs, w, b, Z, A, losses, J):
    assert tensor.grad.shape == tensor.shape
    print(f"{tensor.name:>6}  {tensor.shape!s:7} and its gradient {tensor.grad.shape}")

# %% [markdown]
# ## The same batch with examples as rows
#
# `nn` and most libraries transpose everything: $X$ is (m, n), $Z = X w^T + b$ is (m, 1). The gradient of $w$ is the
# same, and so is the number of parameters.

# %%
u, c = leaf([[0.5, 1.5]], "w"), leaf([0.25], "b")
np.mean(logistic_loss(sigmoid(X.T @ u.T + c), Y.T)).backward()
print("the same gradients:", np.allclose(u.grad, w.grad, rtol=1e-12), np.allclose(c.grad, b.grad[0], rtol=1e-12))
for batch in (1, 5, 1000):
    layer = nn.Linear(2, 1)
    outputs = layer(np.zeros((batch, 2), np.float32)).shape
    print(f"{batch:4} examples: outputs {outputs}, parameters {sum(p.size for p in layer.parameters())}")

# %% [markdown]
# ## A loop, or one product · `S4-17` `S4-18`
#
# S4 first writes the gradient as a loop: for each example $dw \mathrel{+}= dz^{(i)} x^{(i)}$,
# $db \mathrel{+}= dz^{(i)}$, and outside the loop $dw/n$, $db/n$. That is what `backward` does when it is called again
# and again: gradients **accumulate**. Then come the vectorized lines,
#
# $$Z = w^T X + b,\quad A = \sigma(Z),\quad dZ = A - Y,\quad dw = \tfrac1n X\,dZ^T,\quad db = \tfrac1n\sum_i dz^{(i)},$$
#
# with $w$ as a column this time. **Predict:** how many nodes does each way record for $n = 500$ examples?

# %%
n = 500
X, Y = rng.normal(size=(2, n)), (rng.random((1, n)) < 0.5).astype(float)


def by_loop():
    w, b = leaf([0.5, 1.5], "w"), leaf(0.25, "b")
    nodes = 0
    for i in range(n):
        loss = logistic_loss(sigmoid(w @ X[:, i] + b), Y[0, i])
        nodes += sum(1 for node in graph(loss).nodes if node.op) if i == 0 else 0
        loss.backward()
    return w.grad / n, b.grad / n, nodes * n


def by_product():
    w, b = leaf([[0.5], [1.5]], "w"), leaf(0.25, "b")
    cost = np.mean(logistic_loss(sigmoid(w.T @ X + b), Y))
    nodes = sum(1 for node in graph(cost).nodes if node.op)
    cost.backward()
    return w.grad[:, 0], b.grad, nodes


seconds = []
for way in (by_loop, by_product):
    way()
    begun = perf_counter()
    dw, db, nodes = way()
    seconds.append(perf_counter() - begun)
    print(f"{way.__name__:>10}: dw = {dw.round(6)}, db = {db:.6f}, operations recorded: {nodes:,}")
print("the product took less than a fifth of the loop's time:", seconds[1] < seconds[0] / 5)

errors = sigmoid(np.array([[0.5, 1.5]]) @ X + 0.25) - Y
print(f"    S4's lines: dw = {(X @ errors.T / n)[:, 0].round(6)}, db = {np.sum(errors) / n:.6f}")

# %% [markdown]
# ## Until convergence · `S4-16`
#
# S4's outline of gradient descent: start with a guess, *repeat until convergence*. When is that? At a minimum the
# gradient is 0, so we stop when it is shorter than a millionth.
#
# The data are 569 tumours; the mean radius and texture of their cell nuclei were measured. Class 1 is benign. Both
# measurements are brought to mean 0 and standard deviation 1 first. **Predict:** does the loss go to 0?

# %%
data = load_breast_cancer()
X = nn.Standardizer().fit_transform(data.data[:, :2]).T  # examples as columns
Y = data.target[np.newaxis].astype(float)

w, b = leaf(np.zeros((1, 2)), "w"), leaf(np.zeros((1, 1)), "b")
optimizer = nn.optim.SGD([w, b], lr=1.0)
costs, lengths = [], [np.inf]
while lengths[-1] > 1e-6:
    optimizer.zero_grad()
    cost = nn.functional.binary_cross_entropy_with_logits(w @ X + b, Y)
    cost.backward()
    costs.append(cost.item())
    lengths.append(np.hypot(np.linalg.norm(w.grad), np.linalg.norm(b.grad)))
    optimizer.step()

print(f"{len(costs)} steps, from a loss of {costs[0]:.4f} to {costs[-1]:.4f}")
print("w =", w.numpy().round(4), "b =", b.numpy().round(4))
reference = LogisticRegression(C=np.inf, tol=1e-10).fit(X.T, data.target)
print("scikit-learn's:", reference.coef_.round(4), reference.intercept_.round(4))
print(f"right: {np.mean((w.numpy() @ X + b.numpy() > 0) == Y):.1%} of the tumours")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
left.semilogy(lengths[1:], color=BLUE, lw=2)
left.axhline(1e-6, color="grey", ls=":")
left.text(0, 1.3e-6, "here we stop", color="dimgrey")
left.set(xlabel="step", ylabel="length of the gradient", title="The gradient shrinks by a factor in each step")

for label, colour, marker in ((1, BLUE, "o"), (0, ORANGE, "^")):
    chosen = data.target == label
    right.scatter(*X[:, chosen], s=14, c=colour, marker=marker, alpha=0.6, label=data.target_names[label])
radius = np.array([-2.2, 4])
for logit, style in ((0.0, "-"), (np.log(9), ":"), (-np.log(9), ":")):
    texture = (logit - b.item() - w.numpy()[0, 0] * radius) / w.numpy()[0, 1]
    right.plot(
        radius, texture, color="black", ls=style, label={0.0: "a = 0.5", np.log(9): "a = 0.9 and 0.1"}.get(logit)
    )
right.set(
    xlabel="mean radius, standardized", ylabel="mean texture, standardized", ylim=(-2.5, 4.5), xlim=(-2.2, 4),
    title="A neuron draws a straight line",
)  # fmt: skip
right.legend(fontsize=9, loc="lower right")
fig.tight_layout()
plt.show()

# %% [markdown]
# *In the pictures:* on the left the length of the gradient, which falls as a straight line on a logarithmic axis. On
# the right the tumours and the line where $a = 0.5$; the dotted lines beside it are $a = 0.1$ and $a = 0.9$. The
# classes overlap, so the loss cannot reach 0: no straight line parts them. For that there are hidden layers: notebook
# 3.
#
# ## Exercise 1: signs
#
# A neuron with $w = (-1, 2)$, $b = 0$ sees $x = (3, 1)$ with $y = 0$. Without a computer: the sign of
# $\partial\mathcal L/\partial w_1$, of $\partial\mathcal L/\partial w_2$, of $\partial\mathcal L/\partial b$?
#
# <details><summary>Answer</summary>
#
# All positive. $a - y = \sigma(-1) > 0$ since $y = 0$, and both inputs are positive. All three parameters go down.
# </details>

# %%
signs = (+1, +1, +1)  # the answer; write your own

w, b = leaf([-1.0, 2.0], "w"), leaf(0.0, "b")
logistic_loss(sigmoid(w @ np.array([3.0, 1.0]) + b), 0.0).backward()
assert signs == tuple(np.sign([*w.grad, b.grad]))

# %% [markdown]
# ## Exercise 2: the gradient without an engine
#
# Write a function that returns $\partial J/\partial w$ and $\partial J/\partial b$ in plain NumPy for examples as
# **rows**: $X$ is (m, n), $y$ is (m,), $w$ is (n,), $b$ a number. Three lines suffice.
#
# <details><summary>Hint</summary>
#
# Which product of a (m, n) and a (m,) array has shape (n,)? What broadcasting copied, backward sums.
# </details>


# %%
def gradient(X, y, w, b):  # the answer; write your own
    error = 1 / (1 + np.exp(-(X @ w + b))) - y
    return X.T @ error / len(y), np.mean(error)


examples, labels = rng.normal(size=(50, 3)), (rng.random(50) < 0.5).astype(float)
w, b = leaf([0.1, -0.2, 0.3], "w"), leaf(0.4, "b")
np.mean(logistic_loss(sigmoid(examples @ w + b), labels)).backward()
dw, db = gradient(examples, labels, w.numpy(), b.item())
assert np.allclose(dw, w.grad, rtol=1e-12)
assert np.isclose(db, b.grad, rtol=1e-12)

# %% [markdown]
# ## Exercise 3: classes -1 and 1
#
# With $s = 2y - 1$, which is -1 or 1, the loss of a logit is $\log(1 + e^{-sz})$. Work out its local derivative by $z$,
# declare it as a row, and let `gradcheck` judge it. Then the last line compares it with $a - y$.
#
# <details><summary>Hint</summary>
#
# $\frac{d}{du}\log(1 + e^{u}) = \sigma(u)$, with $u = -sz$.
# </details>


# %%
@differentiable((lambda z, s: -s * sigmoid(-s * z), None))  # the answer; write your own
def signed_loss(z, s):
    return np.logaddexp(0, -s * z)


scores, signs = np.array([-2.0, 0.5, 3.0, 40.0]), np.array([1.0, -1.0, 1.0, -1.0])
assert gradcheck(lambda z: signed_loss(z, signs), scores)
z = leaf(scores, "z")
signed_loss(z, signs).backward(np.ones(4))
assert np.allclose(z.grad, sigmoid(scores) - (signs + 1) / 2, rtol=1e-12)

# %% [markdown]
# ## Summary
#
# - A gradient is a product of local derivatives along the edges. For a neuron with logistic loss the product is
#   $a - y$, exactly, if loss and sigmoid are taken together; through probabilities it is lost where $\sigma(z)$ rounds
#   to 1.
# - $\partial z/\partial w_k = x_k$: an input decides how much, and in which direction, its own weight is to blame.
# - A batch is one product. What broadcasting copied forward, backward sums; the number of parameters does not depend on
#   the batch.
# - A gradient has the shape of what it belongs to, with examples as columns and as rows.
# - Gradient descent has converged when the gradient is short. For one neuron there is only one minimum to find.
#
# Next: [two layers](03_two_layer_network.ipynb), where $\partial\mathcal L/\partial z$ of one layer becomes that of the
# layer before.
