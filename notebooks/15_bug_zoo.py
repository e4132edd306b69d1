# %% [markdown]
# # 15. A bug zoo
#
# A wrong derivative rarely raises an error. The network trains, a little worse than it could, and nobody asks. In this
# zoo seven bugs live in small pieces of code, each with its symptoms. You predict, you look with the tools at hand, you
# find the line. All of them are real: they are the mistakes that people make who write backpropagation for the first
# time, and two stand in the lecture notes.
#
# **You will see**
#
# - a shared input that gets half of its gradient, and an engine whose answer depends on the order of a sum;
# - a bias that grows, a transpose that fits by chance, a loss that falls below zero, a factor that was lost, and a NaN;
# - the tools that find them: differences, ratios, shapes, `graph`, `gradcheck`, `detect_anomaly`;
# - at the end, a table from symptoms to causes.
#
# *Lecture parts:* the chain rule over several paths (S3 and S4), gradients that are added up (S4), shapes (S1), and the
# derivation of $\partial J / \partial W^{(3)}$ with its slip (S1).

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

from autograd import AnomalyError, GradcheckError, ShapeError, Tensor, detect_anomaly, differentiable, gradcheck, graph

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"
plt.rcParams.update({"figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## The first tool: differences
#
# A derivative is a limit of differences, so differences can check it, and they know nothing of the chain rule:
#
# $$\frac{\partial f}{\partial x_k} \approx \frac{f(x + h e_k) - f(x - h e_k)}{2 h}.$$
#
# ### Exercise 1
#
# Write `differences(f, x)`: the gradient at an array `x` of a function `f` with one number as its result. You will use
# it in the whole zoo. With $h = 10^{-6}$ about nine digits are right.


# %%
# One answer; write your own first.
def differences(f, x, h: float = 1e-6) -> np.ndarray:
    """Return the gradient of f at x, by central differences."""
    x = np.asarray(x, dtype=float)
    slopes = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        slopes[place] = (f(x + step) - f(x - step)) / (2 * h)
    return slopes


# %%
assert np.allclose(differences(lambda x: x[0] ** 2 * x[1], [3.0, 2.0]), [12.0, 9.0], rtol=1e-8)
assert differences(lambda x: np.sum(np.sin(x)), np.zeros((2, 3))).shape == (2, 3)
print("differences of x₀² x₁ at (3, 2):", differences(lambda x: x[0] ** 2 * x[1], [3.0, 2.0]).round(6))

# %% [markdown]
# ## Specimen 1: the engine that forgets
#
# An engine for numbers in forty lines. Each number knows what it was computed from and the local derivatives;
# `backward` walks from the result to the inputs, each number after everything that was computed from it. Read it; the
# bug is in view.


# %%
class Number:
    """A number that remembers how it was computed."""

    def __init__(self, value, inputs=(), locals_=()):
        self.value, self.inputs, self.locals, self.grad = value, inputs, locals_, 0.0

    def __add__(self, other):
        return type(self)(self.value + other.value, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return type(self)(self.value * other.value, (self, other), (other.value, self.value))

    def tanh(self):
        """Return the hyperbolic tangent."""
        out = np.tanh(self.value)
        return type(self)(out, (self,), (1 - out * out,))

    def order(self):
        """Return the numbers that this one was computed from, and itself, inputs first."""
        found = {}

        def visit(number):
            if number not in found:
                for source in number.inputs:
                    visit(source)
                found[number] = None

        visit(self)
        return list(found)

    def backward(self):
        """Walk back along the chain rule."""
        self.grad = 1.0
        for number in reversed(self.order()):
            for source, local in zip(number.inputs, number.locals):
                source.grad = number.grad * local


# %% [markdown]
# It is tried on four functions at $(x, y) = (0.5, -2)$. Predict which of them it gets right.

# %%
TRIALS = {
    "(x + y) * x.tanh()": lambda x, y: (x + y) * x.tanh(),
    "(x + y) * y.tanh().tanh()": lambda x, y: (x + y) * y.tanh().tanh(),
    "(x * y).tanh()": lambda x, y: (x * y).tanh(),
    "x * x + y": lambda x, y: x * x + y,
}


def examine(engine, trials, point=(0.5, -2.0)) -> None:
    """Print the gradients of an engine beside differences."""
    for text, function in trials.items():
        numbers = [engine(value) for value in point]
        function(*numbers).backward()
        found = np.array([number.grad for number in numbers])
        expected = differences(lambda p, f=function: f(*map(Number, p)).value, point)
        verdict = "right" if np.allclose(found, expected, rtol=1e-6) else f"differences {expected.round(4)}  WRONG"
        print(f"{text:>26}: {found.round(4)}  {verdict}")


examine(Number, TRIALS)

# %% [markdown]
# What do the wrong ones have in common? A variable that is **used twice**. And only its component is wrong. Let another
# engine draw the last function.


# %%
def png(tensor, width: int) -> Image:
    """Return the graph of a tensor as a picture that is shown everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        graph(tensor).save(Path(folder) / "graph.png")
        return Image((Path(folder) / "graph.png").read_bytes(), width=width)


x, y = Tensor(0.5, requires_grad=True, name="x"), Tensor(-2.0, requires_grad=True, name="y")
png(x * x + y, width=640)

# %% [markdown]
# Two edges leave `x`, since it is both factors of the product. Each edge has two labels: the local derivative and the
# contribution that comes back along it, 0.5 both times. The notes have the formula (`S3-02`, `S4-13`): where several
# paths lead from $w$ to $C$,
#
# $$\frac{dC}{dw} = \sum_i \frac{dC}{dz_i} \frac{dz_i}{dw} ,$$
#
# a **sum** over the paths. The engine above has `=` where the sum belongs, so the last contribution overwrites the
# first. CS60010 writes it as an algorithm (`S4-21`): set gradients to 0, then `+=`.


# %%
class Adding(Number):
    """The same engine, which adds contributions."""

    def backward(self):
        """Walk back along the chain rule."""
        order = self.order()
        for number in order:
            number.grad = 0.0
        self.grad = 1.0
        for number in reversed(order):
            for source, local in zip(number.inputs, number.locals):
                source.grad += number.grad * local


examine(Adding, TRIALS)

# %% [markdown]
# Both halves of the algorithm count. Predict what `x.grad` is if the gradients are not set to 0, and `backward` is
# called twice. `autograd` leaves it to you when to forget, as PyTorch does: that is why optimizers have `zero_grad`.

# %%
x = Tensor(0.5, requires_grad=True)
for walk in 1, 2:
    (x * x).backward()
    print(f"after walk {walk}: x.grad = {x.grad}")
x.zero_grad()
(x * x).backward()
print(f"after zero_grad and another walk: {x.grad}")

# %% [markdown]
# ## Specimen 2: a sum that does not commute
#
# The next engine adds. Its author found the sorting in `order` too long, and walks to whatever comes next: the inputs
# of the result, then their inputs, each once. All trials from above are right. Then somebody swaps the two sides of a
# sum.


# %%
class Hasty(Adding):
    """An engine that takes numbers as they come."""

    def backward(self):
        """Walk back along the chain rule."""
        for number in self.order():
            number.grad = 0.0
        self.grad = 1.0
        waiting, self.walked = [self], {}
        for number in waiting:  # grows while it is read
            self.walked[number] = number.grad  # a note for later
            for source, local in zip(number.inputs, number.locals):
                source.grad += number.grad * local
                if source not in waiting:
                    waiting.append(source)


def front(x, y):
    """Return tanh h + h."""
    h = x * y
    return h.tanh() + h


def back(x, y):
    """Return h + tanh h."""
    h = x * y
    return h + h.tanh()


examine(Hasty, {**TRIALS, "h.tanh() + h": front, "h + h.tanh()": back})

# %% [markdown]
# Predict: in which order does the engine come to the numbers of `h + h.tanh()`? To see it, compare what each number's
# gradient is when it is walked with what it is at the end. If they differ, something arrived too late and was never
# passed on.


# %%
def timeline(function) -> None:
    """Print each number's gradient when the hasty engine walked it, and at the end."""
    x, y = Hasty(0.5), Hasty(-2.0)
    h = x * y
    t = h.tanh()
    total = function(h, t)
    total.backward()
    names = {total: "sum", t: "h.tanh()", h: "h", x: "x", y: "y"}
    for number in total.walked:
        then, now = total.walked[number], number.grad
        late = "" if np.isclose(then, now) else "  <- too early"
        print(f"{names[number]:>9}: {then:+.4f} when walked, {now:+.4f} at the end{late}")


print("h.tanh() + h")
timeline(lambda h, t: t + h)
print("\nh + h.tanh()")
timeline(lambda h, t: h + t)

# %%
x, y = Tensor(0.5, requires_grad=True, name="x"), Tensor(-2.0, requires_grad=True, name="y")
h = x * y
h.name = "h"
total = h + np.tanh(h)
png(total, width=760)

# %% [markdown]
# `h` is used twice, at two distances from the result: directly, and through tanh. The hasty engine comes to `h` by the
# short way and passes on what is there, before the long way has delivered. The rule is: **walk a number only when
# everything that was computed from it has been walked**, that is, in reverse topological order. Step through it below
# (where scripts run): the walk back waits at `h` until both contributions are there. The fix is the sorting that was
# there before. `autograd` numbers nodes as they are made, and walks the newest first: an input is always older than
# what is computed from it, so that is such an order, and costs no search.

# %%
graph(total)

# %% [markdown]
# ## Specimen 3: the bias that learned too much
#
# A linear regression by hand, from 20 noisy points. A line has two numbers to fit them with, and so cannot have a
# squared error much below that of the noise. The author is proud of a training loss of almost 0. Predict what is wrong,
# from the code or from the curve.

# %%
rng = np.random.default_rng(2)
x = rng.uniform(-1, 1, size=(20, 1))
noise = rng.normal(size=(20, 1), scale=0.5)
y = 2 * x + 1 + noise


def regression(bias_gradient, steps: int = 200, rate: float = 0.5):
    """Fit y = x w + b by gradient descent, and return w, b and the losses."""
    w, b, losses = np.zeros((1, 1)), np.zeros((1, 1)), []
    for _ in range(steps):
        error = x @ w + b - y
        losses.append(np.mean(error**2))
        dz = 2 * error / len(x)
        w = w - rate * x.T @ dz
        b = b - rate * bias_gradient(dz)
    return w, b, losses


w, b, proud = regression(lambda dz: dz)
print(f"mean square of the noise {np.mean(noise**2):.4f}, training loss {proud[-1]:.0e}")

# %% [markdown]
# The next tool is the cheapest of all. A gradient has the shape of what it is the gradient of (`S1-33`). Always.

# %%
dz = 2 * (x @ np.zeros((1, 1)) - y) / len(x)
print(f"b was made with shape (1, 1); its gradient has shape {dz.shape}; after training b has shape {b.shape}")
try:
    np.ones((5, 1)) @ w + b
except ValueError as error:
    print("five new points:", error)

# %% [markdown]
# In the forward pass `b` was *broadcast*: one number, used 20 times. So by the rule of specimen 1 its gradient is a sum
# over the 20 uses. Without the sum, the update broadcasts once more, silently: `b` becomes 20 biases, one for each
# point, which learn the noise by heart.

# %%
w, b, right = regression(lambda dz: np.sum(dz, axis=0, keepdims=True))
print(f"with the sum: training loss {right[-1]:.4f}, w {w[0, 0]:.3f}, b {b[0, 0]:.3f}, shape {b.shape}")
bias = Tensor(np.zeros((1, 1)), requires_grad=True)
np.mean((x @ np.zeros((1, 1)) + bias - y) ** 2).backward()
print(f"autograd sums by itself: gradient of shape {bias.grad.shape}, equal: {np.allclose(bias.grad, dz.sum())}")

# %%
fig, ax = plt.subplots(figsize=(7, 3.4))
ax.plot(proud, color=RED, label="gradient of b not summed")
ax.plot(right, color=BLUE, label="summed")
ax.axhline(np.mean(noise**2), color=GREY, linestyle="--", label="mean square of the noise")
ax.set(xlabel="step", ylabel="training loss", yscale="log", ylim=(0.003, 8))
ax.set_title("A training loss below the noise is a symptom, not a success")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Specimen 4: the transpose that fits
#
# A row for `x @ w.T`, with weights in the layout (out, in). Its author derived the two adjoints and tried them in a
# network with layers of 8 units, all square. Shapes fit, the loss falls. Predict: which of the two rules is wrong, and
# which layers notice?


# %%
@differentiable(adjoint=(lambda g, w: g @ w.T, lambda g, x: g.T @ x))
def linear(x, w):
    """Return x wᵀ."""
    return x @ w.T


@differentiable(adjoint=(lambda g, w: g @ w, lambda g, x: g.T @ x))
def linear_fixed(x, w):
    """Return x wᵀ, differentiated rightly."""
    return x @ w.T


inputs = np.random.default_rng(1).normal(size=(64, 8))
targets = np.tanh(inputs @ np.random.default_rng(2).normal(size=(8, 8)) / 2)


def learn(product, steps: int = 150) -> list[float]:
    """Train three square layers with a product, and return the losses."""
    rng, losses = np.random.default_rng(0), []
    layers = [Tensor(rng.normal(size=(8, 8)) / np.sqrt(8), requires_grad=True) for _ in range(3)]
    for _ in range(steps):
        h = inputs
        for w in layers:
            h = np.tanh(product(h, w))
        loss = np.mean((h - targets) ** 2)
        loss.backward()
        losses.append(loss.item())
        for w in layers:
            w.data = w.data - 2.0 * w.grad
            w.zero_grad()
    return losses


curves = {"as found": learn(linear), "repaired": learn(linear_fixed)}
for name, losses in curves.items():
    print(f"{name:>9}: loss {losses[0]:.3f} at first, {losses[-1]:.4f} after {len(losses)} steps")

# %% [markdown]
# It learns, only less. Without the other curve beside it nobody would notice. `gradcheck` compares the derivatives of a
# function with differences, and if they differ, it names the row that is to blame, and the operand.

# %%
rng = np.random.default_rng(0)
try:
    gradcheck(lambda x, v, w: np.tanh(linear(np.tanh(linear(x, v)), w)), *rng.normal(size=(3, 4, 4)))
except GradcheckError as error:
    print(str(error).partition("; ")[2])

# %% [markdown]
# *Input 0*, `x`: what is passed on to the layer before. So the last layer learns rightly, its own weights have the
# right rule, and all layers before it are told something else. Here is a second way to find it: **check with sizes that
# all differ.** Predict what happens with 5 examples, 3 inputs and 2 outputs.

# %%
x, w = (Tensor(rng.normal(size=shape), requires_grad=True) for shape in [(5, 3), (2, 3)])
for product in linear, linear_fixed:
    try:
        np.sum(product(x, w)).backward()
        print(f"{product.__name__}: gradients of shapes {x.grad.shape} and {w.grad.shape}")
    except (ShapeError, ValueError) as error:
        print(f"{product.__name__}: {type(error).__name__}, {str(error).partition(' with gufunc')[0]}")

# %%
fig, ax = plt.subplots(figsize=(7, 3.2))
for (name, losses), colour in zip(curves.items(), (RED, BLUE)):
    ax.plot(losses, color=colour, label=name)
ax.set(xlabel="step", ylabel="training loss", yscale="log", title="A wrong derivative may still go down")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Specimen 5: a loss below zero
#
# The next two specimens come from lecture notes. CS229's notes print the logistic loss as
# $L = y \log \hat y + (1 - y) \log(1 - \hat y)$ (`S1-03`), those of CS229 and BLG561E the loss of a softmax as
# $L = \sum_k y_k \log \hat y_k$. Somebody trains with the first one, as printed. Predict the loss and the accuracy.

# %%
rng = np.random.default_rng(0)
labels = (np.arange(100) % 2).astype(float)
points = rng.normal(size=(100, 2)) + np.where(labels[:, None] == 1, 1.0, -1.0)


def as_printed(a):
    """Return the logistic loss of probabilities, as the notes print it."""
    return np.mean(labels * np.log(a) + (1 - labels) * np.log(1 - a))


def descend(loss, steps: int = 40, rate: float = 0.1):
    """Train logistic regression, and return losses and accuracies by step."""
    w, losses, accuracies = Tensor(np.zeros(2), requires_grad=True), [], []
    for _ in range(steps):
        a = 1 / (1 + np.exp(-(points @ w)))
        value = loss(a)
        value.backward()
        losses.append(value.item())
        accuracies.append(np.mean((a.numpy() > 0.5) == labels).item())
        w.data = w.data - rate * w.grad
        w.zero_grad()
    return losses, accuracies


for name, loss in ("as printed", as_printed), ("with the minus", lambda a: -as_printed(a)):
    losses, accuracies = descend(loss)
    print(f"{name:>14}: loss {losses[0]:+.3f}, then {losses[-1]:+.3f}; share of right answers {accuracies[-1]:.2f}")

# %% [markdown]
# The loss falls, as it should, and has no bottom; answers are wrong with more and more conviction. Does `gradcheck`
# help? Predict.

# %%
print("gradcheck:", gradcheck(as_printed, np.random.default_rng(0).uniform(0.1, 0.9, size=100)))

# %% [markdown]
# It does not. The derivative of the wrong formula is right. **No check of derivatives finds a wrong function**; a known
# value does. For a cross-entropy there are three: it is never negative; it is 0 for an answer that is right and sure;
# and it is $\log 2$, or $\log C$ for $C$ classes, for one that knows nothing. The minus belongs there because $\log
# \hat y \le 0$:
#
# $$L = - \big( y \log \hat y + (1 - y) \log(1 - \hat y) \big).$$

# %%
value = as_printed(np.full(100, 0.5))
print(f"knows nothing: as printed {value:+.4f}, with the minus {-value:+.4f}, log 2 = {np.log(2):.4f}")

# %% [markdown]
# ## Specimen 6: a factor between two lines
#
# CS229's notes derive $\partial J / \partial W^{(3)}$ for a sigmoid output and the logistic loss. (`S1-16` is their
# result.) Their second line, for one example and with $\sigma = a^{(3)}$, reads
#
# $$- \Big[ y \, \frac{1}{\sigma} \cdot \sigma \cdot a^{(2)\top}
# + (1 - y) \, \frac{1}{1 - \sigma} \cdot (-1) \cdot \sigma \cdot a^{(2)\top} \Big].$$
#
# The last line is right; this one is not. Somebody turned it into code. Compare it with differences, and instead of
# only asking *whether* they agree, look at the **ratio**.


# %%
def second_line(z, y):
    """Return ∂J/∂z as the second line has it."""
    a = 1 / (1 + np.exp(-z))
    return -(y / a * a + (1 - y) / (1 - a) * -1 * a)


z = np.linspace(-3, 3, 13)
ratios = {}
for y in 0.0, 1.0:
    numeric = differences(lambda z, y=y: np.sum(np.logaddexp(0, z) - y * z), z)
    ratios[y] = second_line(z, y) / numeric
a = 1 / (1 + np.exp(-z))
for row in range(0, 13, 3):
    print(f"a = {a[row]:.3f}: too large by {ratios[0.0][row]:6.3f} for y = 0, by {ratios[1.0][row]:6.3f} for y = 1")

# %% [markdown]
# The ratio is the same for both labels and depends on $a$ alone. Predict the function, from the middle row
# ($a = \frac 1 2$) and from what happens near $a = 0$ and $a = 1$.

# %%
fig, ax = plt.subplots(figsize=(7, 3.6))
curve = np.linspace(0.02, 0.96, 200)
ax.plot(curve, 1 / (1 - curve), color=GREY, label="1 / (1 - a)")
ax.plot(a, ratios[0.0], "o", color=BLUE, markersize=9, label="y = 0")
ax.plot(a, ratios[1.0], "x", color=RED, markersize=7, markeredgewidth=2, label="y = 1")
ax.set(xlabel="a = σ(z)", ylabel="derivative in the code / differences")
ax.set_title("The ratio names the factor that was lost")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# All points lie on $1 / (1 - a)$: what is missing is the factor $1 - a$ of $\sigma' = \sigma (1 - \sigma)$, in both
# summands. With it,
#
# $$- \big[ y (1 - a) - (1 - y) a \big] = a - y ,$$
#
# which is the result of the notes. For $a$ near 0 the ratio is near 1, so a test with small activations would not have
# seen it; and for $y = 1$ the code says $-1$ however right the answer already is, so such a network never comes to
# rest.


# %%
def repaired(z, y):
    """Return ∂J/∂z with both factors of the derivative of the sigmoid."""
    a = 1 / (1 + np.exp(-z))
    return -(y / a * a * (1 - a) + (1 - y) / (1 - a) * -1 * a * (1 - a))


print("repaired equals a - y:", all(np.allclose(repaired(z, y), a - y, rtol=1e-12, atol=1e-15) for y in (0.0, 1.0)))
for name, rule in ("second line", second_line), ("repaired", repaired):
    print(f"{name} at a = 0.999, y = 1: {rule(np.log(999.0), 1.0):.3f}")

# %% [markdown]
# ## Specimen 7: not a number
#
# Logistic regression again, the right loss, a large learning rate, and warnings switched off. After the first step the
# loss is NaN, and from then on everything is. Predict where it begins: in the forward pass or in the backward pass, and
# in which operation?


# %%
def cross_entropy(a):
    """Return the logistic loss of probabilities."""
    return -np.mean(labels * np.log(a) + (1 - labels) * np.log(1 - a))


def until_nan(rate: float) -> int:
    """Return the step at which the loss is no number; 100 if it always was one."""
    w = Tensor(np.zeros(2), requires_grad=True, name="w")
    for step in range(100):
        a = 1 / (1 + np.exp(-(points @ w)))
        loss = cross_entropy(a)
        if np.isnan(loss.item()):
            return step
        loss.backward()
        w.data = w.data - rate * w.grad
        w.zero_grad()
    return 100


with np.errstate(all="ignore"):
    print("the loss is NaN at step", until_nan(100.0))
    with detect_anomaly():
        try:
            until_nan(100.0)
        except AnomalyError as error:
            message = str(error)
print(message)

# %% [markdown]
# `detect_anomaly` stops at the first value that is not finite, and names the operation and its line: the logarithm of
# 0, in the forward pass. (In a notebook each cell is a file, with a number for a name.) The sigmoid of a large $z$ is 1
# in floating-point numbers, $\log(1 - 1) = -\infty$, and where the label is 1 that is multiplied by 0. The formula is
# right; it should not be computed in two steps. In one it is $\log(1 + e^z) - y z$, which `np.logaddexp(0, z) - y * z`
# computes for any $z$.

# %%
w = Tensor(np.array([400.0, 400.0]), requires_grad=True)
z = points @ w
with detect_anomaly():
    loss = np.mean(np.logaddexp(0, z) - labels * z)
    loss.backward()
a = 1 / (1 + np.exp(-np.clip(z.numpy(), -700, 700)))
print(f"largest |z| {np.max(np.abs(z.numpy())):.0f}, loss {loss.item():.3f}, gradient {w.grad.round(4)}")
print("gradient is Xᵀ (a - y) / m:", np.allclose(w.grad, points.T @ (a - labels) / 100, rtol=1e-12))

# %% [markdown]
# ## Two more, for you
#
# ### Exercise 2
#
# A softmax with a backward pass by hand. Its author remembered that $s' = s (1 - s)$. Run `gradcheck` on it, find out
# which part of the Jacobian is missing, and repair the rule. (What does $s_1$ do when $z_2$ grows?)


# %%
@differentiable(vjp=lambda g, out: g * out * (1 - out))
def softmax(z):
    """Return the softmax of a vector, with a rule that is wrong."""
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


# One answer; write your own first.
@differentiable(vjp=lambda g, out: out * (g - np.sum(g * out)))
def softmax_repaired(z):
    """Return the softmax of a vector: ∂sᵢ/∂zⱼ = sᵢ (δᵢⱼ - sⱼ)."""
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


# %%
logits = np.array([0.5, -1.0, 2.0])
try:
    gradcheck(softmax, logits)
except GradcheckError as error:
    print(str(error).partition("; ")[2])
assert gradcheck(softmax_repaired, logits)
print("repaired: gradcheck passes")

# %% [markdown]
# ### Exercise 3
#
# Three colleagues send you their gradients beside differences, for a loss that is the mean over 8 examples. In
# `diagnosis` put the number of what each has forgotten: **1** the minus of the loss, **2** the division by the number
# of examples, **3** the factor 2 of a square.

# %%
expected = np.array([0.4, -1.2, 0.3])
received = {"Ada": np.array([3.2, -9.6, 2.4]), "Bob": np.array([0.2, -0.6, 0.15]), "Cem": np.array([-0.4, 1.2, -0.3])}

# One answer; write your own first.
diagnosis = {"Ada": 2, "Bob": 3, "Cem": 1}

# %%
factors = {1: -1.0, 2: 8.0, 3: 0.5}
for name, gradient in received.items():
    assert np.allclose(gradient / expected, factors[diagnosis[name]])
    print(f"{name}: ratio {np.mean(gradient / expected):+.1f}")

# %% [markdown]
# ## Summary
#
# | symptom | look for | with |
# |---|---|---|
# | wrong gradients of what is used twice | `=` for `+=` | differences; the edges that leave one card of `graph` |
# | gradients grow from step to step | gradients that are not set to 0 | two walks: do they double? |
# | the order of a sum matters | a walk in the wrong order | the stepper; gradients when walked and at the end |
# | loss below the noise; a shape that changes | a missing sum over what was broadcast | `grad.shape == data.shape` |
# | training goes down, slowly | a transpose, a wrong rule for what is passed on | `gradcheck`; sizes that all differ |
# | negative loss, accuracy below chance | the sign of the loss | known values: 0, $\log 2$, $\log C$ |
# | the ratio to differences is a clean function | exactly that factor | divide, and plot |
# | NaN | logarithms of 0, overflow | `detect_anomaly` |
#
# And when all derivatives are right and it still does not learn: the function may be another one than you think.
