# %% [markdown]
# # 4. What is kept
#
# Training a network takes far more memory than running it, and most of that memory is not weights. The backward pass
# needs numbers from the forward pass, so something has to hold on to them. Which numbers, exactly? Who holds them, when
# are they let go, and what can be done if they are too many?
#
# **You will see**
#
# - that the *parameter names* of a derivative's rule say what the forward pass keeps;
# - for the three-layer network of the notes, which cached value each gradient reads: found out, not asserted;
# - that activations are kept and the $z$ are not, and the moment at which they are freed;
# - what `retain_graph`, `no_grad` and `checkpoint` change;
# - why the memory of training grows with the batch and the depth.
#
# *Lecture parts:* CS229 lecture 11, backpropagation, points 2 to 5: values "in cache" (S1).

# %%
import tempfile
import tracemalloc
import weakref

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

import nn
from autograd import GraphError, Tensor, checkpoint, differentiable, gradcheck, graph, no_grad, relu, sigmoid
from nn.summary import kept_bytes

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
plt.rcParams.update({"figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## One function, one thing to remember
#
# Some functions, and their derivatives in the form that is cheapest to compute:
#
# $$(u+u)' = 2 \qquad (3u)' = 3 \qquad (u^2)' = 2u \qquad (\log u)' = \tfrac1u \qquad \sin'(u) = \cos u$$
# $$(e^u)' = e^u \qquad \sigma'(u) = \sigma(u)\,(1-\sigma(u)) \qquad \tanh'(u) = 1-\tanh^2(u) \qquad
# \mathrm{relu}'(u) = [\mathrm{relu}(u) \ne 0]$$
#
# **Predict** for each: if one array of the forward pass may survive, must it be the input $u$, the output, or is
# nothing needed?
#
# The engine is told derivatives as Python functions, one row of a table for each function of NumPy. Two of the rows:
#
# ```python
# elementwise(np.exp, lambda out: out)
# elementwise(np.log, lambda x: 1 / x, singular=True)
# ```
#
# A rule with a parameter called `x` asks for the input, one with `out` for the output. There is no further bookkeeping:
# **what a rule asks for by name is what the forward pass keeps.** The node of a result holds it in `node.kept`; the
# names are in `node.op.keeps`.

# %%
FUNCTIONS = {
    "u + u": lambda u: u + u,
    "3 u": lambda u: 3 * u,
    "u²": np.square,
    "log u": np.log,
    "sin u": np.sin,
    "exp u": np.exp,
    "sigmoid u": sigmoid,
    "tanh u": np.tanh,
    "relu u": relu,
}

x = Tensor(np.linspace(0, 1, 1000), requires_grad=True, name="x")
print("function   keeps    bytes")
for label, function in FUNCTIONS.items():
    result = function(x + 1)  # u = x + 1 is computed too, by an addition, which keeps nothing
    node = result.node
    names = [name for name, value in zip(node.op.keeps, node.kept, strict=True) if value is not None]
    print(f"{label:<10} {' '.join(names) or 'nothing':<7} {kept_bytes(result).total():>6,}")

# %% [markdown]
# `kept_bytes` adds up what the record holds: 1000 numbers of 8 bytes, or nothing. In a product with a constant, `3 u`,
# there is nothing to keep either: the rule for `u` asks for the other factor, and that is 3.
#
# ## Input or output: a choice with a price
#
# Often a derivative can be written both ways. Softplus, $s = \log(1+e^u)$, has $s' = \sigma(u)$, and also
# $s' = 1 - e^{-s}$. Both are right. **Predict**: in `softplus(u) * w`, whose product keeps its factor $s$ to find
# $\partial/\partial w$, does it matter which of the two rules is used?


# %%
@differentiable(lambda x: sigmoid(x))
def softplus_by_input(x):
    return np.logaddexp(0, x)


@differentiable(lambda out: 1 - np.exp(-out))
def softplus_by_output(x):
    return np.logaddexp(0, x)


w = Tensor(np.ones(1000), requires_grad=True, name="w")
for softplus in softplus_by_input, softplus_by_output:
    assert gradcheck(softplus, np.array([-2.0, 0.5, 3.0]))
    print(f"{softplus.__name__:<18} keeps {kept_bytes(softplus(x + 1) * w).total():>6,} bytes")

# %% [markdown]
# It matters by a factor of two. The product keeps $s$ in any case. A rule that asks for the output asks for what is
# kept already, one array with two holders; a rule that asks for the input keeps $u$ as well. That is why the rows of
# `sigmoid`, `tanh`, `relu` and `exp` ask for `out`.
#
# ## The network of the notes
#
# Three layers of sigmoids, examples as columns, $W$ of shape (out, in):
#
# $$z^{(l)} = W^{(l)}a^{(l-1)} + b^{(l)}, \qquad a^{(l)} = \sigma(z^{(l)}), \qquad a^{(0)} = X, \qquad l = 1, 2, 3$$
#
# The notes say that all values that the backward pass requires are stored in a cache during the forward pass (`S1-21`).
# **Predict**: the forward pass computes $z^{(1)}, a^{(1)}, z^{(2)}, a^{(2)}, z^{(3)}, a^{(3)}$. Which of these are
# kept?

# %%
rng = np.random.default_rng(0)
SIZES, EXAMPLES = [4, 5, 3, 1], 6
X = rng.normal(size=(SIZES[0], EXAMPLES))
Y = rng.integers(0, 2, (1, EXAMPLES)).astype(float)

W = [None]  # so that W[1] is the first layer's, as in the notes
b = [None]
for layer in 1, 2, 3:
    shape = SIZES[layer], SIZES[layer - 1]
    W.append(Tensor(rng.normal(size=shape), requires_grad=True, name=f"W{layer}"))
    b.append(Tensor(rng.normal(size=(SIZES[layer], 1)), requires_grad=True, name=f"b{layer}"))


def forward():
    """Return lists of the z and of the a, named as in the notes."""
    z, a = [None], [X]
    for layer in 1, 2, 3:
        z.append(W[layer] @ a[-1] + b[layer])
        a.append(sigmoid(z[-1]))
        z[-1].name, a[-1].name = f"z{layer}", f"a{layer}"
    return z, a


z, a = forward()
named = {id(tensor.data): tensor.name for tensor in [*z[1:], *a[1:], *W[1:], *b[1:]]} | {id(X): "X"}
held, waiting = set(), [a[3].node]
for node in waiting:  # grows while it is read: from the result down to the leaves
    held |= {named[id(value)] for value in node.kept if value is not None}
    waiting += [source for source in node.inputs if source is not None]
print("held for the backward pass:", ", ".join(sorted(held)))
print("bytes, without the weights:", kept_bytes(a[3], apart=[X]).total(), "=", f"(5 + 3 + 1) · {EXAMPLES} · 8")

# %% [markdown]
# The activations and two of the weights, which are alive anyway; **none of the $z$**, since $\sigma'$ is written with
# $a = \sigma(z)$. $W^{(1)}$ is not held either: it would be needed for the gradient of $X$, which nobody asked for.
#
# ## Who reads what
#
# Each gradient on the way back reads some of these values. The record knows which: for every argument of a node,
# `node.op.asked` has the names that its rule asks for. So the table of what depends on what need not be derived; it can
# be read off. **Predict** which cached value $\partial J/\partial W^{(2)}$ reads, and which one
# $\partial J/\partial z^{(2)}$ reads.

# %%
reads, waiting = [], [a[3].node]
for node in waiting:
    for position, source in enumerate(node.inputs):
        if source is None:
            continue
        waiting.append(source)
        for name in dict.fromkeys(node.op.asked[position]):
            value = node.kept[node.op.keeps.index(name)]
            if value is None:  # a constant stands in the arguments
                value = node.args[node.op.parameters.index(name)]
            reads.append((source.recall("name"), named[id(value)]))
for gradient, value in reads:
    print(f"∂J/∂{gradient} reads {value}")

# %%
rows = ["X", "W1", "z1", "a1", "W2", "z2", "a2", "W3", "z3", "a3"]
columns = list(dict.fromkeys(gradient for gradient, _ in reads))
kinds = {"a": (BLUE, "an activation"), "W": (ORANGE, "a weight"), "X": (GREEN, "the input")}

fig, ax = plt.subplots(figsize=(7.5, 4.4))
for kind, (colour, label) in kinds.items():
    pairs = [(columns.index(gradient), rows.index(value)) for gradient, value in reads if value[0] == kind]
    ax.scatter(*zip(*pairs, strict=True), s=190, color=colour, label=label, zorder=3)
unread = sorted(set(rows) - {value for _, value in reads}, key=rows.index)
assert unread == ["W1", "z1", "z2", "z3"]
for value in unread:
    ax.axhspan(rows.index(value) - 0.5, rows.index(value) + 0.5, color="0.93", zorder=0)
    ax.text(3.5, rows.index(value), "never read", va="center", ha="center", color="0.4")
ax.set_xticks(range(len(columns)), [rf"$\partial J/\partial {name[0]}^{{({name[1]})}}$" for name in columns])
ax.set_yticks(range(len(rows)), ["$X$" if name == "X" else f"${name[0]}^{{({name[1]})}}$" for name in rows])
ax.set_xlabel("gradient, in the order of the backward pass")
ax.set_ylabel("value, in the order of the forward pass")
ax.set_title("Each gradient reads one kept value, those of the last layer first", loc="left")
ax.grid(color="0.85")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %% [markdown]
# *The picture:* a dot for each value that is read. The last activation is read first and the input last. The bands of
# $W^{(1)}$ and all $z$ are empty.
#
# The dots are three statements of the notes:
#
# - orange, `S1-18`: $\dfrac{\partial J}{\partial a^{(2)}} = W^{(3)T}\dfrac{\partial J}{\partial z^{(3)}}$ depends on
#   the weights of the *next* layer;
# - blue, under $\partial J/\partial z$, `S1-19`: $\dfrac{\partial a^{(2)}}{\partial z^{(2)}} = a^{(2)}(1-a^{(2)})$
#   depends on the cached activation of *this* layer;
# - blue, under $\partial J/\partial W$, `S1-20`: $\dfrac{\partial z^{(2)}}{\partial W^{(2)}} = a^{(1)T}$, so that
#   $\dfrac{\partial J}{\partial W^{(2)}} = \dfrac{\partial J}{\partial z^{(2)}}\,a^{(1)T}$ depends on the cached
#   activation of the *previous* layer.
#
# The numbers agree, with the notes' logistic loss $J$:

# %%
for tensor in [*z[1:], *a[1:]]:
    tensor.retain_grad()  # gradients of computed tensors are not kept unless one asks
J = -np.mean(Y * np.log(a[3]) + (1 - Y) * np.log(1 - a[3]))
J.backward(retain_graph=True)

by_hand = {
    "a2": W[3].data.T @ z[3].grad,
    "z2": a[2].grad * a[2].data * (1 - a[2].data),
    "W2": z[2].grad @ a[1].data.T,
}
for name, tensor in ("a2", a[2]), ("z2", z[2]), ("W2", W[2]):
    print(f"∂J/∂{name} {tensor.shape!s:<7} largest difference {np.abs(tensor.grad - by_hand[name]).max():.0e}")
    assert np.allclose(tensor.grad, by_hand[name], rtol=1e-12)

# %% [markdown]
# In the drawing of the second layer the same values stand on the cards. The edge from `z2` to `a2` shows the local
# derivative $a^{(2)}(1-a^{(2)})$ as the root mean square of its elements.


# %%
def second_layer():
    """Return the sum of the activations of the second layer, from those of the first as a leaf."""
    a1 = Tensor(a[1].data, requires_grad=True, name="a1")
    z2 = W[2] @ a1 + b[2]
    z2.name = "z2"
    a2 = sigmoid(z2)
    a2.name = "a2"
    return np.sum(a2)


with tempfile.TemporaryDirectory() as folder:
    graph(second_layer()).save(f"{folder}/layer.png")
    picture = Image(f"{folder}/layer.png", width=900)
picture

# %% [markdown]
# *The picture:* left to right `W2`, `a1` and `b2`, the product, `z2`, the sigmoid `a2`, the sum. Where Python runs, the
# same drawing can be stepped through, edge by edge:

# %%
graph(second_layer())

# %% [markdown]
# ## Nobody but the record holds them
#
# In code, $z$ and $a$ are variables. Suppose that all of them are gone when `backward` is called: the function
# returned, and only $J$ is left. **Predict**: does `backward` still work? Which arrays are still in memory before, and
# after?
#
# A *weak reference* to an array does not keep it alive; it says whether something else does.


# %%
def cost():
    """Return J alone, and weak references to the arrays that were computed on the way."""
    z, a = forward()
    J = -np.mean(Y * np.log(a[3]) + (1 - Y) * np.log(1 - a[3]))
    return J, {tensor.name: weakref.ref(tensor.data) for pair in zip(z[1:], a[1:], strict=True) for tensor in pair}


def alive(arrays):
    return "  ".join(f"{name}: {'there' if array() is not None else '-':<5}" for name, array in arrays.items())


expected = [np.array(weight.grad) for weight in W[1:]]
for weight in W[1:]:
    weight.zero_grad()
J, arrays = cost()
print("before backward  ", alive(arrays))
J.backward()
print("after backward   ", alive(arrays))
print("same gradients   ", all(np.array_equal(weight.grad, g) for weight, g in zip(W[1:], expected, strict=True)))

# %% [markdown]
# The $z$ were freed as soon as the function returned; the activations lived on in the record, and `backward` found them
# there. And then they were freed too: as it walks, `backward` releases what each node kept.
#
# ## Released, or retained
#
# So the same record cannot be walked twice. **Predict**: does a second `backward` give the same gradients, wrong ones,
# or none?

# %%
try:
    J.backward()
except GraphError as error:
    print("GraphError:", str(error).partition("; ")[2])

# %% [markdown]
# An error that says what to do, not a wrong number. With `retain_graph=True` the record stays, at the price of its
# memory. **Predict** what `W[2].grad` is after two walks over one record.

# %%
for weight in W[1:]:
    weight.zero_grad()
J, arrays = cost()
J.backward(retain_graph=True)
print("after a retaining backward  ", alive(arrays))
once = np.array(W[2].grad)
J.backward()
print("W2.grad after two walks is", np.max(W[2].grad / once), "times that after one")

# %% [markdown]
# Twice the gradient, since gradients add up until they are cleared. Retaining is for the rare case in which two results
# share a record; in a training loop it only delays the moment at which memory is freed.
#
# ## Running without training
#
# To predict, no gradient is needed, so nothing need be kept. Under `no_grad` nothing is recorded.

# %%
with no_grad():
    _, predicted = forward()
print("recorded:       kept bytes", kept_bytes(a[3], apart=[X]).total())
print("under no_grad:  kept bytes", kept_bytes(predicted[3], apart=[X]).total(), "  node:", predicted[3].node)

# %% [markdown]
# ## How much it is
#
# `nn.summary` lists for each layer of a network what it keeps. **Predict** for 784-256-128-10 with ReLU and 100
# examples in float32 (4 bytes): which is more, the parameters or what is kept? And for 10 000 examples?

# %%
model = nn.MLP([784, 256, 128, 10], rng=np.random.default_rng(0))
nn.summary(model, (100, 784))

# %% [markdown]
# The affine maps keep their inputs, which the ReLUs keep too: each array counts once, where it is first held. Nothing
# is kept behind the last map.

# %%
batches = np.array([1, 10, 100, 1000, 10_000])
kept = np.array([nn.summary(model, (int(batch), 784)).kept for batch in batches])
parameters = 4 * sum(parameter.size for parameter in model.parameters())
equal = parameters / (kept[0] / batches[0])

fig, ax = plt.subplots(figsize=(6.5, 3.8))
ax.loglog(batches, kept / 1e6, "o-", color=BLUE)
ax.text(1.2, 0.06, "kept for the backward pass", color=BLUE)
ax.axhline(parameters / 1e6, color=ORANGE)
ax.text(1, parameters / 1e6 * 1.25, "parameters (and, once more, their gradients)", color="#9A6A00")
ax.axvline(equal, color="0.6", linestyle=":")
ax.text(equal * 1.15, 0.0025, f"{equal:.0f} examples", color="0.35")
ax.set_xlabel("examples in a batch")
ax.set_ylabel("megabytes")
ax.set_title("Weights are as large as they are; what is kept grows with the batch", loc="left")
plt.show()
print("kept:", ", ".join(f"{value:,}" for value in kept), "bytes; parameters:", f"{parameters:,}", "bytes")
print(f"as much as the parameters with {equal:.0f} examples")

# %% [markdown]
# *The picture:* megabytes against examples, both on logarithmic scales: a straight line for what is kept, a level one
# for the parameters. They cross near 600 examples.
#
# ## Memory for time
#
# A chain of $L$ layers keeps $L$ arrays. `checkpoint` makes a different bargain: of a checkpointed function only the
# arguments are kept. When the backward pass arrives there, the function is called *again*, its inner values are
# recorded, used and dropped.
#
# Cut a chain of 64 layers into $s$ segments of $64/s$ layers, each checkpointed. **Predict**: for which $s$ is the peak
# of the memory lowest? How often is a layer computed in all?
#
# The backward pass holds the arguments of $s$ segments, and the inside of one: about $s + 64/s$ arrays.

# %%
LAYERS, LENGTH = 64, 30_000
computed = 0


@differentiable(lambda out: 1 - out * out)
def layer(x):
    """Return tanh(x), and count the calls."""
    global computed
    computed += 1
    return np.tanh(x)


def chain(x, length):
    for _ in range(length):
        x = layer(x)
    return x


def trained(segments):
    """Return the gradient, the number of layers computed and the peak of the memory in arrays."""
    global computed
    computed = 0
    x = Tensor(np.linspace(-1, 1, LENGTH), requires_grad=True)
    call = checkpoint(chain) if segments > 1 else chain
    tracemalloc.start()
    h = x
    for _ in range(segments):
        h = call(h, LAYERS // segments)
    np.sum(h).backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return x.grad, computed, round(peak / (8 * LENGTH))


cuts = [1, 2, 4, 8, 16, 32, 64]
results = [trained(segments) for segments in cuts]
print("segments  layers computed  peak, in arrays   s + 64/s")
for segments, (gradient, calls, peak) in zip(cuts, results, strict=True):
    print(f"{segments:>8}  {calls:>15}  {peak:>15}  {segments + LAYERS // segments:>9}")
    assert np.array_equal(gradient, results[0][0])  # to the last bit
assert min(zip(cuts, results, strict=True), key=lambda pair: pair[1][2])[0] == 8

# %%
fig, ax = plt.subplots(figsize=(6.5, 3.8))
ax.plot(cuts[1:], [peak for _, _, peak in results[1:]], "o-", color=BLUE)
ax.text(8, 23, "measured", color=BLUE, ha="center")
ax.plot(cuts[1:], [segments + LAYERS / segments for segments in cuts[1:]], "--", color=GREEN)
ax.text(8, 11, "s + 64/s", color=GREEN, ha="center")
ax.axhline(results[0][2], color=RED)
ax.text(8, results[0][2] - 5, "without checkpoints", color=RED, ha="center")
ax.set_xscale("log", base=2)
ax.set_xticks(cuts[1:], cuts[1:])
ax.set_ylim(0, 80)
ax.set_xlabel("segments s")
ax.set_ylabel("peak memory, in arrays")
ax.set_title("Memory is least for √64 = 8 segments; each layer is computed twice", loc="left")
plt.show()

# %% [markdown]
# *The picture:* the peak falls until there are 8 segments and rises again; the formula runs just below the measurement,
# which has a few arrays that the walk itself needs. The gradients are the same to the last bit. One more forward pass
# buys $2\sqrt{L}$ arrays in the place of $L$: a network of 10 000 layers would keep about 200.
#
# ## Exercises
#
# **1. Predict bytes.** A network 64-100-100-10 with `tanh` is trained on batches of 32 examples in float32. How many
# bytes does it keep? Think first, then write the formula. (The next cell has an answer.)

# %%
answer = 32 * (100 + 100) * 4  # both hidden activations; the first input is the data, the last output nobody asks for

assert answer == nn.summary(nn.MLP([64, 100, 100, 10], activation="tanh"), (32, 64)).kept
print(f"{answer:,} bytes")

# %% [markdown]
# **2. A row that keeps little.** The derivative of $\arctan$ is $1/(1+u^2)$, which needs $u$. Write $\arctan$ as a
# function of your own whose rule asks for the output only, so that `arctan(u) * w` keeps one array. (Hint:
# $u = \tan(\mathrm{out})$, and $1 + \tan^2 = 1/\cos^2$.)


# %%
@differentiable(lambda out: np.square(np.cos(out)))
def arctan(x):
    return np.arctan(x)


assert gradcheck(arctan, np.array([-2.0, 0.0, 0.7]))
assert kept_bytes(np.arctan(x + 1) * w).total() == 16_000
assert kept_bytes(arctan(x + 1) * w).total() == 8_000
print("arctan by its output: 8,000 bytes instead of 16,000")

# %% [markdown]
# **3. Find the leak.** This loop adds up the losses of many batches, and its memory grows with every step. Which
# line is to blame, and what is the smallest change?
#
# ```python
# total = 0
# for step in range(steps):
#     loss = np.mean(np.square(model(batch)))
#     total = total + loss
# ```
#
# <details><summary>Answer</summary>
#
# `total` is a Tensor: its record holds the records of all the losses, and with them what each forward pass kept. Add
# the number, `loss.item()`. (A `backward` in each step would release what was kept, but nodes and batches would still
# pile up.)
#
# </details>


# %%
def total_loss(steps, number):
    """Return the sum of the losses of some batches."""
    rng, total = np.random.default_rng(0), 0
    for _ in range(steps):
        loss = np.mean(np.square(model(rng.normal(size=(10, 784)).astype(np.float32))))
        total = total + number(loss)
    return total


leaking, cured = (total_loss(20, number) for number in (lambda loss: loss, lambda loss: loss.item()))
assert np.isclose(leaking.item(), cured)
assert kept_bytes(leaking).total() > 19 * kept_bytes(total_loss(1, lambda loss: loss)).total()
print(f"held by the sum of 20 losses: {kept_bytes(leaking).total():,} bytes; by their numbers: none")

# %% [markdown]
# ## Summary
#
# - A rule asks by name for what it needs, and the record keeps just that; nothing else stays alive.
# - In a network of sigmoids those are the activations: $a^{(l)}$ is read twice, for $\sigma'$ of its own layer and for
#   the weights of the next. The $z$ are not kept.
# - `backward` releases what it has used. A second walk raises, unless the first had `retain_graph=True`.
# - What is kept grows with examples times units; `no_grad` keeps nothing, and `checkpoint` computes it again.
