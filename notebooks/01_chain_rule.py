# %% [markdown]
# # 1. The chain rule
#
# A program computes a number from other numbers. One of the inputs moves a little: how far does the result move? The
# answer is a derivative, and however long the program is, it can be found one operation at a time. All of training a
# network rests on that. This notebook takes it apart with numbers small enough to do in your head.
#
# You will see
#
# - a graph of three inputs, forward and then backward, step by step;
# - that each edge does one multiplication, *upstream × local*, and each node one addition;
# - why gradients are *added* where paths meet, and what goes wrong if they overwrite each other;
# - an engine for all of this in fewer than 30 lines, and that it gives the gradients of a small network.
#
# From "Backpropagation, initialization, autograd" (S3) and CS60010 MLP part 2 (S4).

# %%
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

from autograd import Tensor, graph, relu

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})


def leaf(value, name):
    return Tensor(value, requires_grad=True, name=name)


def picture(tensor):
    """The graph as plain pixels, which are shown everywhere."""
    with TemporaryDirectory() as folder:
        graph(tensor).save(f"{folder}/graph.png")
        return Image(filename=f"{folder}/graph.png", retina=True)


# %% [markdown]
# ## A function of three numbers · `S4-11`
#
# $$f(x, y, z) = (x + y)\,z \qquad\text{at}\qquad x = -2,\quad y = 5,\quad z = -4$$
#
# It has two operations. Give the first one a name, $q = x + y$; then $f = q z$.
#
# **Predict before you run.** What are $q$ and $f$? If $x$ grows by $0.1$, does $f$ grow or fall, and by how much? And
# if $z$ grows by $0.1$?

# %%
x, y, z = -2.0, 5.0, -4.0
q = x + y
f = q * z
print(f"q = {q:g}, f = {f:g}")
print(f"x + 0.1: f changes by {((x + 0.1) + y) * z - f:+.1f}")
print(f"y + 0.1: f changes by {(x + (y + 0.1)) * z - f:+.1f}")
print(f"z + 0.1: f changes by {(x + y) * (z + 0.1) - f:+.1f}")

# %% [markdown]
# The change of $f$ is the change of the input times a number: $-4$ for $x$, $-4$ for $y$, $3$ for $z$. These are the
# partial derivatives; together they are the **gradient**. Drawn, they are slopes.

# %%
step = np.linspace(-1, 1, 21)
moved = {"x": ((x + step) + y) * z, "y": (x + (y + step)) * z, "z": (x + y) * (z + step)}
styles = {"x": (BLUE, "-"), "y": (ORANGE, (0, (4, 4))), "z": (GREEN, "-.")}

figure, axes = plt.subplots(figsize=(6.5, 3.6))
for name, values in moved.items():
    colour, style = styles[name]
    slope = (values[-1] - values[0]) / 2
    axes.plot(step, values, color=colour, linestyle=style, linewidth=2.5, label=f"{name} moves: slope {slope:+.0f}")
axes.plot(0, f, "o", color="black")
axes.set(xlabel="how far one input is moved", ylabel="f", title="The gradient of f is three slopes")
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# *In the picture:* three straight lines through $f = -12$. Those of $x$ and $y$ are the same line and fall with slope
# $-4$; that of $z$ rises with slope $3$.
#
# Now without moving anything. Each operation knows its own derivatives:
#
# $$q = x + y:\quad \frac{\partial q}{\partial x} = 1,\ \frac{\partial q}{\partial y} = 1
# \qquad\qquad f = qz:\quad \frac{\partial f}{\partial q} = z,\ \frac{\partial f}{\partial z} = q$$
#
# $f$ sees $x$ only through $q$. If $q$ moves as fast as $x$, and $f$ moves $z$ times as fast as $q$, then $f$ moves
# $z \cdot 1$ times as fast as $x$. The next cell records the same computation and asks for its gradients.

# %%
x, y, z = leaf(-2.0, "x"), leaf(5.0, "y"), leaf(-4.0, "z")
q = x + y
f = q * z
q.name, f.name = "q", "f"
q.retain_grad()  # inputs keep their gradients anyway
f.backward()
print(f"df/dx = {x.grad:g}, df/dy = {y.grad:g}, df/dz = {z.grad:g}, df/dq = {q.grad:g}")
assert (x.grad, y.grad, z.grad, q.grad) == (-4, -4, 3, -4)

# %% [markdown]
# Here is the record, as a picture that steps: press → and ← on it, or use the buttons. First it goes forward, node by
# node, then backward, edge by edge. (Where scripts do not run, the plain picture below says the same.)

# %%
graph(f)

# %%
picture(f)

# %% [markdown]
# *In the picture:* $x = -2$ and $y = 5$ lead into $q = 3$; $q$ and $z = -4$ lead into $f = -12$. Under each value is
# its gradient: $-4$, $-4$, $-4$, $3$, and $1$ for $f$ itself. Each edge has two labels.
#
# ## Upstream × local · `S4-14`
#
# The two labels of an edge are all that backpropagation does. Going from right to left, a node has received its
# gradient, the **upstream** gradient. An edge multiplies it by the derivative of this one operation, the **local**
# gradient (in green), and hands the product to the node on its left:
#
# $$\underbrace{\frac{\partial f}{\partial x}}_{\text{contribution}}
# = \underbrace{\frac{\partial f}{\partial q}}_{\text{upstream}} \times
# \underbrace{\frac{\partial q}{\partial x}}_{\text{local}}$$
#
# **Predict:** an edge out of an addition has the local gradient 1. What does an addition do with the gradient that it
# receives? And a multiplication?


# %%
def edges(tensor):
    """Print what each edge does, in the order of the backward walk."""
    drawing = graph(tensor)
    cards = {node.id: node for node in drawing.nodes}
    print("  edge     upstream × local = contribution")
    for edge in drawing.edges:
        if edge.contribution:
            source, target = cards[edge.source], cards[edge.target]
            upstream, local, contribution = target.gradient.number, edge.local.number, edge.contribution.number
            print(f"{source.name:>4} ← {target.name:<4} {upstream:8.4g} × {local:5.4g} = {contribution:.4g}")


edges(f)

# %% [markdown]
# An addition hands the gradient on as it is, to both sides. A multiplication hands each side the gradient times *the
# other* side's value. That is why it has to remember both values until the backward pass
# ([notebook 4](04_what_is_kept.ipynb) is about what is remembered).
#
# ## Longer chains · `S3-01` `S4-12`
#
# $$\frac{dC}{dw} = \frac{dC}{dz}\,\frac{dz}{dw}, \qquad\text{and on and on:}\qquad
# \frac{dy}{dx} = \frac{dy}{dC}\cdot\frac{dC}{dB}\cdot\frac{dB}{dA}\cdot\frac{dA}{dx}$$
#
# Take $A = x^2$, $B = e^{-A}$, $C = \sin(3B)$ and $y = \log C$ at $x = 0.6$. Nobody wants to differentiate
# $\log \sin(3 e^{-x^2})$ in one go. Four easy slopes do it. **Predict the sign** of $dy/dx$ from the four pictures.

# %%
x = leaf(0.6, "x")
A = x**2
B = np.exp(-A)
C = np.sin(3 * B)
y = np.log(C)
y.backward()

at = [value.item() for value in (x, A, B, C, y)]
slopes = [2 * at[0], -at[2], 3 * np.cos(3 * at[2]), 1 / at[3]]  # of each function on its own, by hand
functions = [lambda x: x**2, lambda A: np.exp(-A), lambda B: np.sin(3 * B), np.log]

figure, panels = plt.subplots(1, 4, figsize=(11, 3.1))
for panel, function, position, slope, name, of in zip(panels, functions, at[:-1], slopes, "ABCy", "xABC", strict=True):
    value = function(position)
    near = np.linspace(max(position - 0.5, 0.05), position + 0.5, 80)
    panel.plot(near, function(near), color=BLUE, linewidth=2.5)
    tangent = np.array([-0.3, 0.3])
    panel.plot(position + tangent, value + slope * tangent, color=ORANGE, linewidth=2.5, linestyle="--")
    panel.plot(position, value, "o", color="black")
    panel.set(xlabel=of, ylabel=name, title=f"d{name}/d{of} = {slope:.3f}")
figure.suptitle("Four easy slopes, multiplied, are the slope of the whole")
figure.tight_layout()
plt.show()

# %% [markdown]
# *In the picture:* the four functions with their tangents at the value that comes in. The first rises with slope
# $1.200$, the next two fall with $-0.698$ and $-1.496$, the last rises with $1.154$.

# %%
product = np.prod(slopes)
print(" × ".join(f"({slope:.4f})" for slope in slopes), f"= {product:.6f}")
print(f"by backward(): {x.grad:.6f}")
assert np.isclose(product, x.grad, rtol=1e-12)

# %% [markdown]
# Two falls make a rise. And the sizes multiply: if one slope were near 0, so would the product be. With fifty factors
# this is the subject of [notebook 7](07_vanishing_and_exploding.ipynb).
#
# ## Several paths · `S3-02` `S4-13`
#
# An input may be used more than once. Then the result moves for several reasons, and the reasons add up:
#
# $$\frac{\partial z}{\partial x} = \frac{\partial z}{\partial y_1}\frac{\partial y_1}{\partial x}
# + \frac{\partial z}{\partial y_2}\frac{\partial y_2}{\partial x},
# \qquad\text{in general}\qquad \frac{dC}{dw} = \sum_i \frac{\partial C}{\partial z_i}\frac{dz_i}{dw}.$$
#
# Take $y_1 = x^2$, $y_2 = 5x$ and $z = y_1 y_2$ at $x = 2$. **Predict** the contribution of each path, then the sum.
# (Check: $z = 5x^3$, so $dz/dx = 15x^2$.)

# %%
x = leaf(2.0, "x")
y1, y2 = x**2, 5 * x
z = y1 * y2
y1.name, y2.name, z.name = "y₁", "y₂", "z"
z.backward()
edges(z)
print(f"x collects 40 + 20 = {x.grad:g}, and 15 x² = {15 * 2**2}")
assert x.grad == 60

# %%
picture(z)

# %% [markdown]
# *In the picture:* a diamond. From $x = 2$ one edge leads to $y_1 = 4$ and one to $y_2 = 10$, and both to $z = 40$.
# Backward, 40 arrives at $x$ through $y_1$, and 20 through $y_2$: the gradient of $x$ is 60.
#
# ## Start at 0, then add · `S4-21`
#
# So the code of a backward pass sets every gradient to 0 first, and then *adds* to it:
#
# $$\frac{\partial J}{\partial x} \leftarrow 0, \qquad
# \frac{\partial J}{\partial x} \mathrel{+}= \frac{\partial J}{\partial y}\frac{\partial y}{\partial x}.$$
#
# Here is the diamond by hand, with `+=` and with `=`. **Predict** what the wrong one gives.


# %%
def diamond(accumulate):
    x, y1, y2 = 2.0, 4.0, 10.0
    gradient = {"x": 0.0, "y1": 0.0, "y2": 0.0, "z": 1.0}
    steps = [("y1", "z", y2), ("y2", "z", y1), ("x", "y1", 2 * x), ("x", "y2", 5.0)]  # to, from, local
    for source, target, local in steps:
        contribution = gradient[target] * local
        gradient[source] = gradient[source] + contribution if accumulate else contribution
    return gradient["x"]


print(f"with +=: {diamond(accumulate=True):g}")
print(f"with = : {diamond(accumulate=False):g}, the last path alone")
assert diamond(accumulate=True) == 60
assert diamond(accumulate=False) == 20

# %% [markdown]
# The engine adds, too, and goes on adding when `backward` is called again: the gradients of several losses, or of
# several parts of a batch, can be summed that way. Nobody but you knows when a new sum begins. So a training loop sets
# them back, with `x.grad = None`, or `optimizer.zero_grad()` for a whole network.

# %%
x = leaf(2.0, "x")
for call in (1, 2):
    (5 * x**3).backward()
    print(f"after call {call}: {x.grad:g}")
x.grad = None
(5 * x**3).backward()
print(f"set back first: {x.grad:g}")
assert x.grad == 60

# %% [markdown]
# ## A layer at a time · `S4-20`
#
# Nothing says that an operation must be as small as one multiplication. A layer $y = f(x, w)$ is an operation with two
# inputs. Given the upstream $\partial J/\partial y$, it has to answer twice:
#
# $$\frac{\partial J}{\partial x} = \frac{\partial J}{\partial y}\,\frac{\partial y}{\partial x}
# \quad\text{(for the layer before)}, \qquad
# \frac{\partial J}{\partial w} = \frac{\partial J}{\partial y}\,\frac{\partial y}{\partial w}
# \quad\text{(for the update)}.$$
#
# Here is one with its backward pass written by hand: $y = \tanh(Wx)$.


# %%
class TanhLayer:
    def __init__(self, W):
        self.W = W
        self.W_gradient = np.zeros_like(W)

    def forward(self, x):
        self.x, self.y = x, np.tanh(self.W @ x)  # the backward pass will need them
        return self.y

    def backward(self, upstream):
        z_gradient = upstream * (1 - self.y**2)
        self.W_gradient += np.outer(z_gradient, self.x)
        return self.W.T @ z_gradient


rng = np.random.default_rng(0)
start = rng.normal(size=3)
stack = [TanhLayer(rng.normal(size=shape)) for shape in [(4, 3), (4, 4), (2, 4)]]

value = start
for layer in stack:
    value = layer.forward(value)
gradient = np.ones(2)  # of J, the sum of the outputs
for layer in reversed(stack):
    gradient = layer.backward(gradient)
print("dJ/dx, layer by layer:", gradient.round(6))

# %% [markdown]
# The engine, given only the forward pass:

# %%
x = leaf(start, "x")
weights = [leaf(layer.W, f"W{number}") for number, layer in enumerate(stack, 1)]
value = x
for W in weights:
    value = np.tanh(W @ value)
np.sum(value).backward()
print("dJ/dx, by backward(): ", x.grad.round(6))

np.testing.assert_allclose(gradient, x.grad, rtol=1e-12)
for layer, W in zip(stack, weights, strict=True):
    np.testing.assert_allclose(layer.W_gradient, W.grad, rtol=1e-12)

# %% [markdown]
# ## A network, in single operations · `S3-15` `S3-16`
#
# The notes break a network with one hidden layer down until every line is one operation:
#
# $$m_h = W_h x,\quad z_h = m_h + b_h,\quad h = \mathrm{ReLU}(z_h),\quad m_o = W_o h,\quad o = m_o + b_o,\quad
# e = y - o,\quad L = e^2.$$
#
# Each line becomes a line of code, and each name a node. With $x = 2$, and one number for each of the others, the whole
# chain can be done in your head. **Predict** $L$, then $\partial L/\partial b_o$, then $\partial L/\partial W_h$.

# %%
x, y = leaf(2.0, "x"), leaf(1.0, "y")
W_h, b_h = leaf(1.5, "W_h"), leaf(-1.0, "b_h")
W_o, b_o = leaf(-0.5, "W_o"), leaf(3.0, "b_o")

m_h = W_h * x
z_h = m_h + b_h
h = relu(z_h)
m_o = W_o * h
o = m_o + b_o
e = y - o
L = e**2

nodes = {"m_h": m_h, "z_h": z_h, "h": h, "m_o": m_o, "o": o, "e": e, "L": L}
for name, tensor in nodes.items():
    tensor.name = name
graph(L)

# %%
picture(L)

# %% [markdown]
# *In the picture:* a chain from left to right, $m_h = 3$, $z_h = 2$, $h = 2$, $m_o = -1$, $o = 2$, $e = -1$, $L = 1$,
# with the parameters entering from the side. What the notes want is the product along the way back:
#
# $$\frac{\partial L}{\partial W_h} = \frac{\partial L}{\partial e}\,\frac{\partial e}{\partial o}\,
# \frac{\partial o}{\partial m_o}\,\frac{\partial m_o}{\partial h}\,\frac{\partial h}{\partial z_h}\,
# \frac{\partial z_h}{\partial m_h}\,\frac{\partial m_h}{\partial W_h}$$

# %%
drawing = graph(L)
cards = {node.id: node for node in drawing.nodes}
local = {(cards[edge.source].name, cards[edge.target].name): edge.local for edge in drawing.edges}

way = ["W_h", "m_h", "z_h", "h", "m_o", "o", "e", "L"]
gradient = 1.0
for source, target in zip(way[-2::-1], way[:0:-1], strict=True):
    factor = local[source, target].number
    gradient *= factor
    print(f"∂{target}/∂{source}".ljust(11), f"= {factor:5.2f}    product so far: {gradient:5.2f}")

L.backward()
print(f"by backward(): ∂L/∂W_h = {W_h.grad:g}, ∂L/∂b_h = {b_h.grad:g}, ∂L/∂W_o = {W_o.grad:g}, ∂L/∂b_o = {b_o.grad:g}")
assert gradient == W_h.grad == -2 * -1 * 1 * -0.5 * 1 * 1 * 2

# %% [markdown]
# All four gradients share the beginning of this product, $\frac{\partial L}{\partial e}\frac{\partial e}{\partial o}$.
# Going backward computes it once. Had we gone forward, from each parameter separately, it would have been computed four
# times; with a million parameters, a million times.
#
# ## The recipe of automatic differentiation · `S3-17`
#
# 1. Define a set of operations.
# 2. Define their derivatives.
# 3. Keep track of which operations were applied.
#
# That is not the outline of a program. It is the program:


# %%
class Number:
    def __init__(self, value, inputs=()):
        self.value = value
        self.inputs = inputs  # (3) what it was computed from, with the local derivatives
        self.gradient = 0.0

    def __add__(self, other):  # (1) an operation ...
        return Number(self.value + other.value, [(self, 1.0), (other, 1.0)])  # (2) ... and its derivatives

    def __mul__(self, other):
        return Number(self.value * other.value, [(self, other.value), (other, self.value)])

    def relu(self):
        return Number(max(self.value, 0.0), [(self, float(self.value > 0))])

    def backward(self):
        self.gradient = 1.0
        for number in reversed(self.history()):
            for source, local in number.inputs:
                source.gradient += number.gradient * local  # upstream × local

    def history(self):
        """All numbers that this one was computed from, each after its inputs, and itself."""
        order = []

        def visit(number):
            if number not in order:
                for source, _ in number.inputs:
                    visit(source)
                order.append(number)

        visit(self)
        return order


# %% [markdown]
# **Predict:** does it get the network right? There is no subtraction and no square, but $y - o = y + (-1)\,o$ and
# $e^2 = e\,e$. In $e\,e$ the same node is used twice; which line takes care of that?

# %%
names = ["W_h", "b_h", "W_o", "b_o", "x", "y", "minus"]
W_h2, b_h2, W_o2, b_o2, x2, y2, minus = map(Number, [1.5, -1.0, -0.5, 3.0, 2.0, 1.0, -1.0])

o2 = W_o2 * (W_h2 * x2 + b_h2).relu() + b_o2
e2 = y2 + minus * o2
L2 = e2 * e2
L2.backward()

for name, mine, theirs in zip(names, [W_h2, b_h2, W_o2, b_o2], [W_h, b_h, W_o, b_o], strict=False):
    print(f"∂L/∂{name}: {mine.gradient:2g} by Number, {theirs.grad:2g} by the engine")
    assert mine.gradient == theirs.grad

# %% [markdown]
# The `+=` takes care of it: both contributions of $e$ arrive, $-1$ and $-1$, and the gradient is $2e = -2$.
#
# The engine of this repository does the same. What it has beyond these lines: arrays in place of numbers, a derivative
# for each function of NumPy, only what the backward pass needs kept in memory, forward mode, and higher derivatives.
# [Notebook 14](14_your_own_row.ipynb) adds an operation to it, in the same three steps.
#
# ## Exercises
#
# **Exercise 1.** At $a = 2$, $b = -3$ let $g = ab + a$. Work out $\partial g/\partial a$ and $\partial g/\partial b$ by
# hand, path by path, and write the numbers in place of the answer below.

# %%
# An answer: a reaches g through the product, with b = -3, and directly, with 1; b reaches it with a = 2.
dg_da, dg_db = -3 + 1, 2

# %%
a, b = leaf(2.0, "a"), leaf(-3.0, "b")
(a * b + a).backward()
assert (dg_da, dg_db) == (a.grad, b.grad)
print("exercise 1 is right")

# %% [markdown]
# **Exercise 2.** Give `Number` two more operations: `exp`, and `reciprocal`, which is $1/v$. Write each as a function
# that takes a `Number` and returns one with its local derivative. The check builds the sigmoid of them,
# $1/(1 + e^{-z})$, and compares with $a(1 - a)$.


# %%
# An answer: both derivatives can be written with the value that was computed, e' = e and (1/v)' = -(1/v)².
def exp(number):
    value = np.exp(number.value)
    return Number(value, [(number, value)])


def reciprocal(number):
    value = 1 / number.value
    return Number(value, [(number, -(value**2))])


# %%
z = Number(0.7)
a = reciprocal(Number(1.0) + exp(Number(-1.0) * z))
a.backward()
assert np.isclose(z.gradient, a.value * (1 - a.value), rtol=1e-14)
print("exercise 2 is right")

# %% [markdown]
# **Exercise 3.** What is the gradient of `x` in `x * x * x * x` at $x = 3$, and how many contributions does `x`
# collect? Write both numbers first; the graph decides.

# %%
# An answer: 4 x³ = 108, and one contribution for each time that x is used.
fourth_gradient, contributions = 108, 4

# %%
x = leaf(3.0, "x")
drawing = graph(x * x * x * x)
[x_card] = [node for node in drawing.nodes if node.name == "x"]
assert x_card.gradient.number == fourth_gradient
assert sum(edge.source == x_card.id for edge in drawing.edges) == contributions
print("exercise 3 is right")

# %% [markdown]
# ## Summary
#
# - A computation is a graph. Each edge has a local derivative, which depends on one operation alone.
# - Backward, each edge multiplies: upstream × local. Each node adds what arrives, starting at 0.
# - A gradient is the sum over all paths of the products along each path, and one walk backward finds all of them.
# - Operations may be as small as $+$ or as large as a layer, if they can say what their derivatives are.
#
# Next: [a neuron, and why its gradient is $a - y$](02_logistic_regression.ipynb).
