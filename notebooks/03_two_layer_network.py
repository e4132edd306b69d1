# %% [markdown]
# # 3. A two-layer network and the error of a hidden unit
#
# The output of a network has a target, so it is plain what its error is. A hidden unit has none: nobody ever tells it
# what it should have said. How can it learn? The notes answer with six short equations for two layers, then with three
# steps for any number of layers. Here the engine walks them one by one, and a page of NumPy does the same by hand.
#
# You will see
#
# - the forward pass of a two-layer network, drawn, and the walk back in the seven steps of the notes;
# - the six equations, each against the engine;
# - why $\partial z/\partial W$ is a table of zeros with copies of the input, and what that makes of the gradient;
# - a backward pass for any depth in a dozen lines, equal to the engine's;
# - the same gradient in the other layout of the weights;
# - a problem that one neuron cannot solve, and eight hidden ones can.
#
# From CS230 lecture 3 (S0), CS229 lecture 11 (S1), "Backpropagation, initialization, autograd" (S3), and CS60010 MLP
# part 2 (S4).

# %%
from itertools import pairwise
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

import nn
from autograd import Tensor, differentiable, graph, jacobian, relu, sigmoid

BLUE, ORANGE = "#0072B2", "#D55E00"
plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})

# %% [markdown]
# ## Words and shapes · `S3-03`
#
# | | | shape here |
# |---|---|---|
# | $L$ | number of layers; layer 0 is the input | 2 |
# | $N^m$ | units of layer $m$ | 2, 3, 1 |
# | $a^0 = x$ | input, a column | $N^0 \times 1$ |
# | $W^m$ | weights of layer $m$, **(out, in)** | $N^m \times N^{m-1}$ |
# | $b^m$ | biases | $N^m \times 1$ |
# | $z^m = W^m a^{m-1} + b^m$ | preactivation | $N^m \times 1$ |
# | $a^m = \sigma^m(z^m)$ | activation, of the shape of $z^m$ | $N^m \times 1$ |
# | $y$, $C(a^L, y)$ or $\mathcal L$ | target and loss | a number |
#
# S4's notes have $W$ as (in, out) in one place; that comes at the end.
#
# ## Forward · `S4-09`
#
# Three hidden units, all activations sigmoids, one example. $\theta$ stands for all that is learned: here
# $W^1, b^1, W^2, b^2$. **Predict:** how many numbers are in $\theta$?


# %%
@differentiable((lambda a, y: -y / a + (1 - y) / (1 - a), None))
def logistic_loss(a, y):
    return -(y * np.log(a) + (1 - y) * np.log(1 - a))


def leaf(value, name):
    return Tensor(value, requires_grad=True, name=name)


x = leaf([[0.5], [-1.0]], "x")
W1 = leaf([[1.0, -1.0], [2.0, 0.5], [-1.5, 1.0]], "W¹")
b1 = leaf([[0.0], [0.25], [-0.5]], "b¹")
W2 = leaf([[1.5, -2.0, 1.0]], "W²")
b2 = leaf([[0.5]], "b²")
y = 1.0

z1 = W1 @ x + b1
a1 = sigmoid(z1)
z2 = W2 @ a1 + b2
a2 = sigmoid(z2)
L = np.sum(logistic_loss(a2, y))
for tensor, name in ((z1, "z¹"), (a1, "a¹"), (z2, "z²"), (a2, "a²"), (L, "L")):
    tensor.name = name
    tensor.retain_grad()
    print(f"{name:>2}: shape {tensor.shape!s:6} value {tensor.numpy().ravel().round(4)}")
print("numbers in θ:", sum(tensor.size for tensor in (W1, b1, W2, b2)))

# %% [markdown]
# ## Unit by unit · `S4-01`
#
# The notes also write the same network for each unit, $a_j^l = g\bigl(\sum_k w_{jk}^l a_k^{l-1} + b_j^l\bigr)$. With
# single numbers as Tensors that is a graph of its own. **Predict:** are the gradients the same? How many times as many
# operations are there?


# %%
def numbers(tensor):
    return [[leaf(value, tensor.name) for value in row] for row in tensor.numpy()]


def layer(weights, biases, inputs):
    return [sigmoid(sum(w * a for w, a in zip(row, inputs)) + b) for row, (b,) in zip(weights, biases)]


first_weights = numbers(W1)
hidden = layer(first_weights, numbers(b1), [0.5, -1.0])
(output,) = layer(numbers(W2), numbers(b2), hidden)
loss = logistic_loss(output, y)
loss.backward()
L.backward()

print("the same loss:", np.isclose(loss.item(), L.item(), rtol=1e-14))
by_units = [[weight.grad for weight in row] for row in first_weights]
print("the same ∂L/∂W¹:", np.allclose(by_units, W1.grad, rtol=1e-13))
for words, root in (("with numbers", loss), ("with arrays", L)):
    print(f"operations {words}: {sum(1 for node in graph(root).nodes if node.op)}")

# %% [markdown]
# ## Backward, in seven steps · `S4-10` `S1-15`
#
# S4 lists what is computed, in order: the loss; then its derivative by the output $A^L$; by $Z^L$; by $W^L$; by
# $A^{L-1}$; by $Z^{L-1}$; by $W^{L-1}$; and so on. Step through the picture (→ key) to the end of the forward part, and
# then **predict** each next node.

# %%
graph(L)


# %%
def picture(drawing):
    with TemporaryDirectory() as folder:
        drawing.save(f"{folder}/graph.png", rankdir="TB")
        return Image(filename=f"{folder}/graph.png", retina=True)


picture(graph(L))

# %% [markdown]
# *In the picture:* from top to bottom $x$, $W^1$ and $b^1$ make $z^1$, then $a^1$; with $W^2$ and $b^2$ come $z^2$,
# $a^2$ and $L$. Gradients stand below the values; on each edge is what it hands back.
#
# `graph(...).edges` are in the order in which the engine walks them. Here is that order, without the steps that have no
# name in the notes. The biases and the input, which are not in S4's list, have no number:

# %%
drawing = graph(L)
cards = {node.id: node for node in drawing.nodes}
walked = [cards[edge.source] for edge in drawing.edges if cards[edge.source].name]
print(f"1. compute {L.name} = {L.item():.4f}")
number = 1
for card in walked:
    listed = card.name[0] in "Waz"
    number += listed
    label = f"{number}." if listed else "  "
    print(f"{label} ∂L/∂{card.name:2} has shape {card.shape!s:6} and root mean square {card.gradient.rms:.4f}")

# %% [markdown]
# These are the seven steps of the notes, in the same order. The *last* layer's weights get their gradient *first*: S1
# says so for three layers, $W^3$ before $W^2$ before $W^1$. Each line needs only the lines above it and what the
# forward pass has computed, so nothing is worked out twice.
#
# ## Six equations · `S4-19`
#
# $$
# \begin{aligned}
# dz^2 &= a^2 - y & db^2 &= dz^2 & dW^2 &= dz^2\,a^{1T} \\
# dz^1 &= W^{2T} dz^2 \circ a^1(1 - a^1) & db^1 &= dz^1 & dW^1 &= dz^1\,x^T
# \end{aligned}
# $$
#
# where $d\cdot$ is short for $\partial\mathcal L/\partial\,\cdot$ and $\circ$ multiplies element by element. The fourth
# one is the answer to the question at the top: the error of a hidden unit is the error of those that listen to it,
# weighted by how much they listen, times how sensitive it is itself.

# %%
dz2 = a2.numpy() - y
db2 = dz2
dw2 = dz2 @ a1.numpy().T
dz1 = W2.numpy().T @ dz2 * a1.numpy() * (1 - a1.numpy())
db1 = dz1
dw1 = dz1 @ x.numpy().T

equations = [(z2, dz2), (b2, db2), (W2, dw2), (z1, dz1), (b1, db1), (W1, dw1)]
for tensor, by_hand in equations:
    assert np.allclose(tensor.grad, by_hand, rtol=1e-12)
    print(f"d{tensor.name}: {by_hand.ravel().round(4)}")

# %% [markdown]
# S4 writes $dz^1 = dz^2\,w^{2T} * a^1(1-a^1)$, with the factors the other way round. With *one* output unit $dz^2$ is a
# single number, and the order does not matter. **Predict** what happens with two.

# %%
two_outputs = np.array([[1.5, -2.0, 1.0], [0.5, 1.0, -1.0]])
errors = np.array([[0.2], [-0.7]])
print("W²ᵀ dz² has shape", (two_outputs.T @ errors).shape)
try:
    errors @ two_outputs.T
except ValueError:
    print("dz² W²ᵀ: shapes", errors.shape, "and", two_outputs.T.shape, "do not fit")

# %% [markdown]
# ## What an edge to a weight looks like · `S3-04`
#
# A layer has $N^m$ outputs and $N^m \times N^{m-1}$ weights, so there is a derivative for each pair:
#
# $$\frac{\partial z_k}{\partial W_{ij}} = \begin{cases} a_j^{m-1} & i = k \\ 0 & i \ne k\end{cases}$$
#
# A weight has a say in one output only. **Predict:** of the $3 \cdot 6$ numbers for our first layer, how many are not
# 0?

# %%
table = jacobian(lambda W: W @ x.numpy()[:, 0] + b1.numpy()[:, 0])(W1.numpy())
print("shape", table.shape, "numbers that are not 0:", np.count_nonzero(table))
flat = table.reshape(3, 6) + 0.0  # and so -0 is 0

fig, ax = plt.subplots(figsize=(7, 3))
ax.imshow(flat, cmap="PuOr", vmin=-1.6, vmax=1.6)
for (row, column), value in np.ndenumerate(flat):
    ax.text(column, row, f"{value:g}", ha="center", va="center", color="black" if value else "grey")
ax.set_xticks(range(6), [f"$W_{{{i}{j}}}$" for i in (1, 2, 3) for j in (1, 2)])
ax.set_yticks(range(3), ["$z_1$", "$z_2$", "$z_3$"])
ax.set(xlabel="weight", ylabel="preactivation", title="Each weight moves one z, by its own input")
ax.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# *In the picture:* the table of $\partial z_k/\partial W_{ij}$. In each row the input (0.5, -1) stands once, under the
# unit's own weights; the other twelve numbers are 0.
#
# ## So the gradient is an outer product · `S3-05` `S3-06`
#
# $$\frac{\partial C}{\partial W_{ij}} = \sum_k \frac{\partial C}{\partial z_k}
# \frac{\partial z_k}{\partial W_{ij}} = \frac{\partial C}{\partial z_i}\,a_j^{m-1},
# \qquad \frac{\partial C}{\partial W^m} = \frac{\partial C}{\partial z^m}\,a^{(m-1)T},
# \qquad \frac{\partial C}{\partial b^m} = \frac{\partial C}{\partial z^m}$$
#
# Nobody builds the table: of the sum over $k$ one term is left. All three ways to compute it:

# %%
with_table = np.tensordot(dz1[:, 0], table, axes=1)
by_outer_product = np.outer(dz1, x.numpy())
print(by_outer_product.round(4))
print("the table gives the same:", np.allclose(with_table, by_outer_product, rtol=1e-14))
print("and the engine:          ", np.allclose(W1.grad, by_outer_product, rtol=1e-12))
print("∂C/∂b = ∂C/∂z:           ", np.array_equal(b1.grad, z1.grad))

# %% [markdown]
# ## Three layers, and a chain of five factors · `S1-11` `S1-14`
#
# S1's network has three layers of sigmoids. Backpropagation starts with random weights, and must deliver
# $\partial J/\partial W^i$ and $\partial J/\partial b^i$ for all $i$. The dimensions differ from layer to layer, but
# $a$ always has those of $z$. **Predict** the shapes of $W^2$ and of its gradient for layers of 4, 5, 3 and 1 units.

# %%
rng = np.random.default_rng(0)
sizes, m = [4, 5, 3, 1], 6
model = nn.MLP(sizes, ["sigmoid"] * 3, dtype=float, rng=rng)
print(nn.summary(model, (m, 4), dtype=float))

X, Y = rng.normal(size=(4, m)), (rng.random((1, m)) < 0.5).astype(float)  # examples as columns
J = nn.functional.binary_cross_entropy(model(X.T), Y.T)  # nn takes them as rows
J.backward()
for name, tensor in model.named_parameters():
    assert np.any(tensor.grad)
    rms = np.sqrt(np.mean(tensor.grad**2))
    print(f"{name:9} {tensor.shape!s:7} gradient {tensor.grad.shape!s:7} root mean square {rms:.5f}")

drawing = graph(J)
names = {node.id: node.name for node in drawing.nodes if node.kind == "parameter"}
print("in the order of the walk:", *[names[edge.source] for edge in drawing.edges if edge.source in names])

# %% [markdown]
# `nn` counts modules: 0, 2 and 4 are the layers, whose outputs are $z$, and 1, 3 and 5 the sigmoids, whose outputs are
# $a$, of the same shapes. The last line has the order that S1 describes: the third layer first.
#
# ## The last layer · `S1-16`
#
# $$\frac{\partial J}{\partial W^{3}} = -\frac1m\sum_{i=1}^m (y^{(i)} - a^{3(i)})\,a^{2(i)T}$$
#
# The derivation in S1 has a slip in its second line: of $\sigma' = \sigma(1 - \sigma)$ it keeps only the $\sigma$, in
# both terms. The third line has the missing factors again, and the result is right. In numbers:

# %%
W, B = [layer.weight.numpy() for layer in model[::2]], [layer.bias.numpy()[:, np.newaxis] for layer in model[::2]]
A = [X]
for weights, biases in zip(W, B):
    A.append(1 / (1 + np.exp(-(weights @ A[-1] + biases))))
a = A[3]

second_line = -(Y / a * a - (1 - Y) / (1 - a) * a) @ A[2].T / m
corrected = -(Y / a * a * (1 - a) - (1 - Y) / (1 - a) * a * (1 - a)) @ A[2].T / m
result = -(Y - a) @ A[2].T / m
print("second line, as printed: ", second_line.round(6))
print("with the factor 1 - σ:   ", corrected.round(6))
print("the result of the notes: ", result.round(6))
print("engine:                  ", model[4].weight.grad.round(6))
assert np.allclose(result, model[4].weight.grad, rtol=1e-12)
assert not np.allclose(second_line, result, rtol=0.1)

# %% [markdown]
# ## One layer further down · `S1-17` `S1-18`
#
# $$\frac{\partial J}{\partial W^2} = \frac{\partial J}{\partial a^3}\,\frac{\partial a^3}{\partial z^3}\,
# \frac{\partial z^3}{\partial a^2}\,\frac{\partial a^2}{\partial z^2}\,\frac{\partial z^2}{\partial W^2}$$
#
# For one example each factor is a table, a *Jacobian*, with a row for each output and a column for each input. The
# engine works out each one on its own; the product is the gradient. **Predict** the five shapes for our 4-5-3-1
# network, and which factor is diagonal.

# %%
first = [activations[:, :1] for activations in A]  # of the first example
target = Y[0, 0]
z = [None] + [W[i] @ first[i] + B[i] for i in range(3)]

factors = {
    "∂J/∂a³": jacobian(lambda a: logistic_loss(a, target))(first[3][:, 0]),
    "∂a³/∂z³": jacobian(sigmoid)(z[3][:, 0]),
    "∂z³/∂a²": jacobian(lambda a: W[2] @ a + B[2][:, 0])(first[2][:, 0]),
    "∂a²/∂z²": jacobian(sigmoid)(z[2][:, 0]),
    "∂z²/∂W²": jacobian(lambda w: w.reshape(3, 5) @ first[1][:, 0] + B[1][:, 0])(W[1].ravel()),
}
product = np.eye(1)
for name, factor in factors.items():
    product = product @ factor
    print(f"{name:8} shape {factor.shape!s:7}   product so far {product.shape}")

chain = Tensor(W[1], requires_grad=True)
logistic_loss(sigmoid(W[2] @ sigmoid(chain @ first[1] + B[1]) + B[2]), target).backward(np.ones((1, 1)))
print("the product is the gradient:", np.allclose(product.reshape(3, 5), chain.grad, rtol=1e-12))
print("∂z³/∂a² is W³:", np.array_equal(factors["∂z³/∂a²"], W[2]))
slopes = first[2][:, 0] * (1 - first[2][:, 0])
print("∂a²/∂z² is diagonal, with a²(1 - a²):", np.allclose(factors["∂a²/∂z²"], np.diag(slopes), rtol=1e-12))

# %% [markdown]
# The third factor is the one that looks *forward*: it is made of the weights of the **next** layer. As a Jacobian it is
# $W^3$; S1 writes $W^{3T}$, which is what multiplies a gradient that is a column. The fourth one is diagonal, since
# each sigmoid has its own $z$, and needs this layer's activation; the fifth needs that of the layer before. Both were
# computed on the way forward; notebook 4 looks at where they are kept.
#
# Multiplied from the left, as above, every product is a single row. That is why the walk goes backward: from the right
# it would begin with a 3 × 15 table.
#
# ## Any number of layers, in three steps · `S3-07` `S3-08` `S3-09` `S0-17`
#
# $$
# \begin{aligned}
# \text{1. at the end} && \frac{\partial C}{\partial z^L}
#   &= \frac{\partial C}{\partial a^L} \circ \frac{\partial a^L}{\partial z^L} \\
# \text{2. down, for } m = L - 1, \dots, 1 && \frac{\partial C}{\partial z^m}
#   &= \Bigl(W^{(m+1)T}\,\frac{\partial C}{\partial z^{m+1}}\Bigr) \circ \frac{\partial a^m}{\partial z^m} \\
# \text{3. in each layer} && \frac{\partial C}{\partial W^m}
#   &= \frac{\partial C}{\partial z^m}\,a^{(m-1)T}, \qquad
#   \frac{\partial C}{\partial b^m} = \frac{\partial C}{\partial z^m}
# \end{aligned}
# $$
#
# In S0 each layer may have an activation of its own, $a^{[l]} = g^{[l]}(z^{[l]})$. So the function below takes a list
# of them, with their slopes written in terms of the output $a$. It is all of backpropagation, in NumPy, for columns of
# examples:

# %%
ACTIVATIONS = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda a: (a > 0) * 1.0),
}


def backpropagate(weights, biases, names, x, dC_da):
    """Return the gradients of weights and biases, layer by layer, from the derivative of the loss by the output."""
    activations = [x]
    for W, b, name in zip(weights, biases, names):
        activations.append(ACTIVATIONS[name][0](W @ activations[-1] + b))
    backwards = []
    da = dC_da(activations[-1])
    for W, name, a, before in zip(weights[::-1], names[::-1], activations[::-1], activations[-2::-1]):
        dz = da * ACTIVATIONS[name][1](a)
        backwards.append((dz @ before.T, dz.sum(axis=1, keepdims=True)))
        da = W.T @ dz
    return backwards[::-1]


# %%
names = ["tanh", "relu", "tanh", "sigmoid"]
deep = nn.MLP([4, 7, 6, 5, 2], names, dtype=float, rng=np.random.default_rng(3))
targets = rng.normal(size=(2, m))
loss = np.mean(np.sum((deep(X.T) - targets.T) ** 2, axis=1))
loss.backward()

layers = list(deep[::2])
by_hand = backpropagate(
    [layer.weight.numpy() for layer in layers],
    [layer.bias.numpy()[:, np.newaxis] for layer in layers],
    names,
    X,
    lambda a: 2 * (a - targets) / m,
)
for layer, (dw, db) in zip(layers, by_hand):
    same = np.allclose(layer.weight.grad, dw, rtol=1e-12) and np.allclose(layer.bias.grad, db[:, 0], rtol=1e-12)
    print(f"{layer.weight.shape!s:7} by hand equals the engine: {same}")
    assert same

# %% [markdown]
# ## The example of the notes: sigmoids and cross-entropy · `S3-10`
#
# With $C = (y-1)\log(1-a^L) - y\log a^L$ the first step is $\frac{a-y}{a(1-a)} \circ a(1-a) = a - y$, and one layer
# further down
#
# $$\frac{\partial C}{\partial W^{L-1}} = \bigl(W^{LT}(a^L - y) \circ a^{L-1}(1 - a^{L-1})\bigr)\,a^{(L-2)T}.$$
#
# We have such a network already: `model`, with its cost averaged over $m$ examples.

# %%
slope = (A[3] - Y) / (A[3] * (1 - A[3]))  # ∂C/∂a
assert np.allclose(slope, -Y / A[3] + (1 - Y) / (1 - A[3]), rtol=1e-12)
gradient = (W[2].T @ (A[3] - Y) * A[2] * (1 - A[2])) @ A[1].T / m
print("∂C/∂a · ∂a/∂z = a - y:    ", np.allclose(slope * A[3] * (1 - A[3]), A[3] - Y, rtol=1e-12))
print("∂C/∂W of the hidden layer:", np.allclose(gradient, model[2].weight.grad, rtol=1e-12))

# %% [markdown]
# ## A cascade of blocks · `S4-02`
#
# S4 draws the network as blocks, $a_L = h_L \circ h_{L-1} \circ \dots \circ h_1(x)$. `nn.Sequential`, and so `nn.MLP`,
# is just that, and a slice of it is a network again. The graph can be drawn that way, with a block as one node:

# %%
halves = model[3:](model[:3](X.T))
print("two halves are the whole:", np.array_equal(halves.numpy(), model(X.T).numpy()))
picture(graph(model(X.T)).collapse(2))

# %% [markdown]
# *In the picture:* six blocks, one below the other: `MLP/0` with 25 parameters, its sigmoid `MLP/1`, and so on.
#
# ## The other layout: W as (in, out) · `S4-22`
#
# In one place S4 has $\dfrac{\partial L}{\partial W^l} = A^{l-1}\Bigl(\dfrac{\partial L}{\partial Z^l}\Bigr)^T$. That
# is no contradiction: there $W$ is (in, out), and $Z = W^T A$. Both layouts are common, so look at the shape before you
# copy a formula. **Predict:** in what do the two gradients differ?
#
# | | $W$ | examples | $Z$ | $\partial L/\partial W$ |
# |---|---|---|---|---|
# | S0, S1, S3, S4's six equations | (out, in) | columns | $WA$ | $dZ\,A^T$ |
# | S4, last part | (in, out) | columns | $W^TA$ | $A\,dZ^T$ |
# | `nn`, PyTorch | (out, in) | rows | $AW^T$ | $dZ^T A$ |
# | many libraries | (in, out) | rows | $AW$ | $A^T dZ$ |

# %%
values, columns, upstream = rng.normal(size=(3, 4)), rng.normal(size=(4, m)), rng.normal(size=(3, m))
layouts = {
    "(out, in), columns": (values, lambda W: W @ columns, upstream, upstream @ columns.T),
    "(in, out), columns": (values.T, lambda W: W.T @ columns, upstream, columns @ upstream.T),
    "(out, in), rows": (values, lambda W: columns.T @ W.T, upstream.T, upstream @ columns.T),
    "(in, out), rows": (values.T, lambda W: columns.T @ W, upstream.T, columns @ upstream.T),
}
for name, (value, forward, g, formula) in layouts.items():
    weights = leaf(value, "W")
    forward(weights).backward(g)
    assert np.allclose(weights.grad, formula, rtol=1e-12)
    print(f"{name:19} gradient {weights.grad.shape}, equal to the formula; its sum is {weights.grad.sum():.6f}")

# %% [markdown]
# ## What hidden units are for
#
# Four clouds of points, with opposite corners of the same class: no straight line parts them, so one neuron is lost. We
# train it, and a network with eight hidden units, with `backpropagate`; and the network once more, with the engine.
# **Predict** the share of points that each gets right.

# %%
rng = np.random.default_rng(1)
corners = rng.integers(0, 2, size=(2, 300))
points = 2 * corners - 1 + 0.35 * rng.normal(size=(2, 300))
classes = (corners[:1] != corners[1:]).astype(float)


def descend(sizes, gradients, steps=1500, alpha=1.0):
    """Return weights, biases and losses of a network of tanh units and a sigmoid after gradient descent."""
    rng = np.random.default_rng(2)
    W = [rng.normal(size=(n, k)) / np.sqrt(k) for k, n in pairwise(sizes)]
    b = [np.zeros((n, 1)) for n in sizes[1:]]
    losses = []
    for _ in range(steps):
        loss, found = gradients(W, b)
        losses.append(loss)
        W = [w - alpha * dW for w, (dW, _) in zip(W, found)]
        b = [v - alpha * db for v, (_, db) in zip(b, found)]
    return W, b, losses


def output(W, b, x):
    for w, v in zip(W[:-1], b[:-1]):
        x = np.tanh(w @ x + v)
    return sigmoid(W[-1] @ x + b[-1])


def by_hand(W, b):
    loss = np.mean(logistic_loss(output(W, b, points), classes))
    names = ["tanh"] * (len(W) - 1) + ["sigmoid"]
    return loss, backpropagate(W, b, names, points, lambda a: (a - classes) / (a * (1 - a)) / 300)


def by_engine(W, b):
    W, b = [leaf(w, "W") for w in W], [leaf(v, "b") for v in b]
    loss = np.mean(logistic_loss(output(W, b, points), classes))
    loss.backward()
    return loss.item(), [(w.grad, v.grad) for w, v in zip(W, b)]


line, network = descend([2, 1], by_hand), descend([2, 8, 1], by_hand)
engine = descend([2, 8, 1], by_engine)
for name, (W, b, losses) in (("one neuron", line), ("eight hidden units", network)):
    right = np.mean((output(W, b, points) > 0.5) == classes)
    print(f"{name:18} loss {losses[-1]:.4f}, right {right:.1%}")
print("by hand and by the engine the same losses, to 1e-9:", np.allclose(network[2], engine[2], rtol=1e-9))

# %%
side = np.linspace(-2.4, 2.4, 121)
grid = np.stack(np.meshgrid(side, side)).reshape(2, -1)
fig, axes = plt.subplots(1, 3, figsize=(12.5, 3.9), width_ratios=(1.15, 1, 1))
axes[0].semilogy(line[2], color=ORANGE, lw=2)
axes[0].semilogy(network[2], color=BLUE, lw=5, alpha=0.4)
axes[0].semilogy(engine[2], color="black", lw=1.2, ls="--")
axes[0].text(1490, 0.55, "one neuron", color=ORANGE, ha="right", va="top")
axes[0].text(1490, 0.045, "eight hidden units, by hand\nand by the engine (dashed)", color=BLUE, ha="right")
axes[0].set(xlabel="step", ylabel="loss", title="The loss falls only with hidden units")
axes[0].set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
axes[0].minorticks_off()
for ax, title, (W, b, _) in zip(
    axes[1:], ("One neuron is undecided", "Eight hidden units bend the line"), (line, network)
):
    ax.contourf(side, side, output(W, b, grid).reshape(121, 121), levels=np.linspace(0, 1, 11), cmap="PuOr", alpha=0.7)
    for label, marker in ((0, "^"), (1, "o")):
        chosen = classes[0] == label
        ax.scatter(
            *points[:, chosen], s=12, marker=marker, color="black" if label else "white", edgecolor="black", lw=0.6
        )
    ax.set(title=title, xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
fig.tight_layout()
plt.show()

# %% [markdown]
# *In the pictures:* left, the loss against the steps: flat for one neuron, falling for the network; the curve by hand
# and the engine's lie on each other. Middle and right, the four clouds (circles are class 1) on the output $a$, from
# orange (0) to violet (1). One neuron is undecided everywhere; the network colours each corner as it should.
#
# ## Exercise 1: another activation
#
# The hidden units of a two-layer network are $a^1 = \tanh(z^1)$ now, the output is still a sigmoid with logistic loss.
# Which of the six equations changes? Write $dz^1$.
#
# <details><summary>Hint</summary>
#
# Only the fourth one: its last factor is $\partial a^1/\partial z^1$, and $\tanh' = 1 - \tanh^2$.
# </details>


# %%
def hidden_error(W2, dz2, a1):  # the answer; write your own
    return W2.T @ dz2 * (1 - a1**2)


z1 = W1 @ x + b1
z1.retain_grad()
a1 = np.tanh(z1)
a2 = sigmoid(W2 @ a1 + b2)
np.sum(logistic_loss(a2, y)).backward()
assert np.allclose(hidden_error(W2.numpy(), a2.numpy() - y, a1.numpy()), z1.grad, rtol=1e-12)

# %% [markdown]
# ## Exercise 2: the error of the input
#
# Go one step further down: give $\partial\mathcal L/\partial x$ from $dz^1$ and $W^1$. (Notebook 6 makes pictures of
# it.)
#
# <details><summary>Hint</summary>
#
# $x$ is to layer 1 what $a^1$ is to layer 2, except that there is no activation between.
# </details>


# %%
def input_error(W1, dz1):  # the answer; write your own
    return W1.T @ dz1


x.zero_grad()
z1 = W1 @ x + b1
z1.retain_grad()
np.sum(logistic_loss(sigmoid(W2 @ np.tanh(z1) + b2), y)).backward()
assert np.allclose(input_error(W1.numpy(), z1.grad), x.grad, rtol=1e-12)

# %% [markdown]
# ## Exercise 3: rows and (in, out)
#
# Write the gradients of a layer $Z = A W + b$ with examples as **rows**: $A$ is (m, in), $W$ is (in, out), $b$ is
# (out,), and $dZ$ is (m, out). Return $dW$, $db$ and $dA$. The shapes leave only one way.
#
# <details><summary>Hint</summary>
#
# $dW$ must be (in, out): which product of (m, in) and (m, out) is that?
# </details>


# %%
def layer_backward(A, W, dZ):  # the answer; write your own
    return A.T @ dZ, dZ.sum(axis=0), dZ @ W.T


inputs = leaf(rng.normal(size=(6, 4)), "A")
weights, biases = leaf(rng.normal(size=(4, 3)), "W"), leaf(np.zeros(3), "b")
upstream = rng.normal(size=(6, 3))
Z = inputs @ weights + biases
relu(Z).backward(upstream)
gradients = layer_backward(inputs.numpy(), weights.numpy(), upstream * (Z.numpy() > 0))
for tensor, gradient in zip((weights, biases, inputs), gradients):
    assert np.allclose(tensor.grad, gradient, rtol=1e-12)

# %% [markdown]
# ## Summary
#
# - The error of a hidden unit is the errors of its listeners, weighted by the weights between them, times its own
#   slope: $dz^m = W^{(m+1)T}dz^{m+1} \circ g'(z^m)$.
# - A weight moves one $z$ only, so its gradient is *error × input*, and a layer's is an outer product.
# - The walk begins at the loss. Each step needs the step before, the weights, and what the forward pass computed.
# - That is all, for any depth and any activation, in a dozen lines of NumPy; the engine gives the same numbers for any
#   graph.
# - Layouts differ by transposes. The gradient has the layout of its parameter.
#
# Next: [what is kept](04_what_is_kept.ipynb) from the forward pass for the walk back.
