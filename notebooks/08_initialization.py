# %% [markdown]
# # 8. Initialization
#
# What should the weights of a network be before anything has been learned? Zero is the honest answer, and it does not
# work. Neither does any other constant. Random numbers do, if they have the right variance, and the lectures derive it.
# Here every step of the derivation is checked with numbers, also where it only holds approximately.
#
# You will see
#
# - a network of zeros that says 0.5 to everything, and units that remain copies of each other;
# - the proof that $\mathrm{Var}(z) = n\,\mathrm{Var}(W)\,\mathrm{Var}(a)$, line by line, and which of its assumptions
#   does the work;
# - where $\tanh(z) \approx z$ holds and where it does not;
# - that the way forward and the way back want different weights, and the compromise;
# - who Xavier, Glorot, Kaiming and He are, and what a standard deviation is not.
#
# Lectures: S0 (CS230, lecture 3: initializations), S1 (CS229, lecture 11: initialization methods), S2 (BLG561E: how do
# we initialize parameters?), S3 (Backpropagation, initialization, autograd: parameter initialization).

# %%
import tempfile
from collections.abc import Callable
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from sklearn.datasets import load_digits

import nn
from autograd import FlowRecorder, Tensor, graph
from nn.functional import binary_cross_entropy_with_logits, cross_entropy

plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"

# %% [markdown]
# ## Zeros · `S2-09`
#
# A network of three layers with sigmoids, and all weights and biases are 0.
#
# **Predict.** What does it say to an input of your choice? After a backward pass, which gradients are not 0?

# %%
rng = np.random.default_rng(0)
x, y = rng.normal(size=(100, 2)), rng.integers(0, 2, (100, 1)).astype(float)
model = nn.init.initialize(nn.MLP([2, 4, 4, 1], ["sigmoid"] * 3, dtype=np.float64), "zeros")
print("outputs:", np.unique(model(1000 * x).numpy()))

for activation in ("sigmoid", "tanh", "relu"):
    model = nn.init.initialize(nn.MLP([2, 4, 4, 1], activation, dtype=np.float64), "zeros")
    binary_cross_entropy_with_logits(model(x), y).backward()
    learning = [path for path, parameter in model.named_parameters() if parameter.grad.any()]
    print(f"{activation}: not 0 are the gradients of {', '.join(learning)}")

# %% [markdown]
# The output is 0.5 no matter what the input is. (`0`, `2` and `4` are the three affine layers in the list of modules.)
# The gradient of the last weights is $(a^3 - y)\,(a^2)^T$, and sigmoids of 0 are 0.5: these weights learn. On its way
# further back the gradient is multiplied by $(W^3)^T = 0$, and in this step the hidden layers learn nothing. In later
# steps they do, but all units of a layer the same, which is the subject of the next section. With tanh and relu,
# $a^2 = 0$ too, and nothing but the last bias ever moves: such a network learns how frequent the classes are, and no
# more.
#
# ## A constant · `S2-10` `S1-30` `S0-19`
#
# Then some other number, the same for all weights, say 0.5. Now gradients get through.
#
# **Predict.** Two units between one input and one output, all four weights 0.5. Which of the gradients are equal?

# %%
x = Tensor(1.0, name="x")
w1, w2, v1, v2 = (Tensor(0.5, requires_grad=True, name=name) for name in ("w1", "w2", "v1", "v2"))
y = v1 * np.tanh(w1 * x) + v2 * np.tanh(w2 * x)
y.name = "y"
with tempfile.TemporaryDirectory() as folder:
    graph(y).save(f"{folder}/symmetric.png")
    picture = Image(filename=f"{folder}/symmetric.png", width=800)
picture

# %% [markdown]
# *The graph of $y = v_1 \tanh(w_1 x) + v_2 \tanh(w_2 x)$: two rows of the same boxes with the same numbers, which meet
# in the last sum.*
#
# The two units are mirror images: equal units compute equal activations, with equal weights on their way to the output
# they get equal gradients, so they take equal steps, and then they are equal again.
#
# **Predict.** We train four such units on exclusive or, whose four points no straight line parts. After 300 steps, how
# do they differ?

# %%
corners, xor = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])


def trained(model: nn.MLP, steps: int = 300) -> tuple[np.ndarray, list[float]]:
    """The first layer's weights over the steps of gradient descent on exclusive or, and the losses."""
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    weights, losses = [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(model(corners), xor)
        loss.backward()
        weights.append(model[0].weight.data.copy())
        losses.append(loss.item())
        optimizer.step()
    return np.array(weights), losses


constant = nn.init.initialize(nn.MLP([2, 4, 1], "tanh", dtype=np.float64), "constant", val=0.5)
drawn = nn.init.initialize(nn.MLP([2, 4, 1], "tanh", dtype=np.float64), "xavier_normal", gain=2.0, rng=rng)
paths = {"all weights 0.5": trained(constant), "weights drawn at random": trained(drawn)}
for name, model in zip(paths, (constant, drawn)):
    print(f"{name}: loss {paths[name][1][-1]:.3f}, first weights\n{model[0].weight.data.round(3)}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, (name, (weights, _)) in zip(axes, paths.items()):
    for unit, (colour, style) in enumerate(zip((BLUE, ORANGE, GREEN, RED), ("-", "--", "-.", ":"))):
        ax.plot(weights[:, unit, 0], style, color=colour, linewidth=2, label=f"unit {unit + 1}")
    ax.set_title(name, loc="left")
    ax.set_xlabel("step")
axes[0].set_ylabel("weight from $x_1$")
axes[0].legend(loc="upper left")
figure.suptitle("Equal units stay equal; units that differ go their ways")
plt.show()

# %% [markdown]
# *Left, four lines that lie on each other for 300 steps; right, four lines that part.*
#
# Four equal units are one, with four times the weight on its way to the output. And one unit is too few: along its
# direction tanh only rises or only falls, and the best that such a function can do with the four corners is to get one
# right and to say 2/3 for the three others, of which two are of class 1. The loss is never below that of such answers:

# %%
floor = 3 / 4 * -(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))
w, b, v, c = (parameter.data for parameter in constant.parameters())
one_unit = np.tanh(corners @ w[:1].T + b[0]) * v.sum() + c
print(f"at least {floor:.3f} for a single unit")
print("four equal units are one:", np.allclose(constant(corners).numpy(), one_unit, rtol=1e-12))
assert min(paths["all weights 0.5"][1]) > floor > paths["weights drawn at random"][1][-1]

# %% [markdown]
# ### Exercise 1
#
# Write a detector, `different_units(layer)`: how many of the units of a layer differ from each other in what comes into
# them, weights or bias. Then use it to find out whether it is enough to draw the biases at random, and to leave all
# weights equal.
#
# <details><summary>Hint</summary>
#
# `np.unique(rows, axis=0)` keeps each row once. Round before: equal units may differ in the last digit.
# </details>


# %%
# Answer: try it first.
def different_units(layer: nn.Linear) -> int:
    incoming = np.column_stack([layer.weight.data, layer.bias.data])
    return len(np.unique(incoming.round(9), axis=0))


# %%
assert different_units(constant[0]) == 1
assert different_units(drawn[0]) == 4
by_bias = nn.init.initialize(nn.MLP([2, 4, 1], "tanh", dtype=np.float64), "constant", val=0.5)
nn.init.normal_(by_bias[0].bias, rng=np.random.default_rng(0))
_, losses = trained(by_bias, 500)
print(f"biases drawn: {different_units(by_bias[0])} different units, loss {losses[-1]:.3f}")

# %% [markdown]
# Random biases break the symmetry as well. Usually one draws the weights and leaves the biases 0.
#
# ## How large? One layer · `S3-12` `S0-24` `S0-25`
#
# So weights are drawn, with mean 0. From how wide a distribution? Take one output of one layer, $o = \sum_i w_i x_i$,
# with $w_i \sim \mathcal N(0, \sigma^2)$ and $x_i \sim \mathcal N(0, 1)$. The notes find $E[o] = 0$ and
#
# $$\mathrm{Var}(o) = E[o^2] - E[o]^2 = \sum_i E[w_i^2]\,E[x_i^2] = n_{in}\,\sigma^2 .$$
#
# **Predict.** 400 inputs and $\sigma = 0.1$: how large is a typical output?

# %%
rng = np.random.default_rng(1)
draws, n, sigma = 5000, 400, 0.1
o = np.sum(rng.normal(0, sigma, (draws, n)) * rng.normal(0, 1, (draws, n)), axis=1)
print(
    f"E[o] = {o.mean():.3f}, Var(o) = {o.var():.3f}; n σ² = {n * sigma**2:.3f}, so o is about ±{np.sqrt(n) * sigma:.0f}"
)

# %% [markdown]
# CS230 builds it from a lemma: for independent $X$ and $Y$,
#
# $$\mathrm{Var}(XY) = E[X]^2\,\mathrm{Var}(Y) + E[Y]^2\,\mathrm{Var}(X) + \mathrm{Var}(X)\,\mathrm{Var}(Y) .$$
#
# To check such a formula one need not draw. Let $X$ and $Y$ take a few values, each equally likely, and multiply every
# one by every other: no sampling error is left.

# %%
X, Y = np.array([-1.0, 0.5, 2.0, 3.0]), np.array([0.2, 1.0, 4.0])
lemma = X.mean() ** 2 * Y.var() + Y.mean() ** 2 * X.var() + X.var() * Y.var()
print(f"over all pairs {np.outer(X, Y).var():.6f}, by the lemma {lemma:.6f}")
print(f"Y = X, dependent: {(X * X).var():.6f}, by the lemma {2 * X.mean() ** 2 * X.var() + X.var() ** 2:.6f}")

# %% [markdown]
# With $E[W] = E[a] = 0$ two of the three terms are gone. A unit sums $n^{[l-1]}$ such products, whose variances add:
#
# $$\mathrm{Var}(z^{[l]}) = n^{[l-1]}\,\mathrm{Var}(W^{[l]})\,\mathrm{Var}(a^{[l-1]}) .$$
#
# Exactly again, over every weight vector and every input vector from a few values:


# %%
def every(values: np.ndarray, n: int) -> np.ndarray:
    """All vectors of n of the values, as rows: each as likely as the others, the elements independent."""
    return np.array(list(product(values, repeat=n)))


def variance(weights: np.ndarray, inputs: np.ndarray) -> float:
    """Var(z) over every row of weights with every row of inputs."""
    return (weights @ inputs.T).var()


n, w_values, a_values = 3, np.array([-0.5, 0.5]), np.array([-2.0, -1.0, 1.0, 2.0])
weights, inputs = every(w_values, n), every(a_values, n)
print(f"over {len(weights)} x {len(inputs)} pairs: Var(z) = {variance(weights, inputs):.4f}")
print(f"n Var(W) Var(a) = {n * w_values.var() * a_values.var():.4f}")

# %% [markdown]
# ## Which assumptions? · `S0-26`
#
# The notes assume that the weights are independent and identically distributed (i.i.d.), that the inputs are, and that
# weights and inputs are independent of each other. Not in the list, but used in the proof: both have mean 0.
#
# **Predict** which of these make the formula wrong:
#
# 1. all inputs of an example are equal (weights i.i.d.);
# 2. all weights of a unit are equal (inputs i.i.d.);
# 3. both;
# 4. the inputs have mean 1.5;
# 5. the weights know the inputs: $w = a / 4$, as after some training.

# %%
same_weights, same_inputs = (np.repeat(every(values, 1), n, axis=1) for values in (w_values, a_values))
print("formula               ", n * w_values.var() * a_values.var())
print("as assumed            ", variance(weights, inputs))
print("1. equal inputs       ", variance(weights, same_inputs))
print("2. equal weights      ", variance(same_weights, inputs))
print("3. both               ", variance(same_weights, same_inputs))
print("4. inputs of mean 1.5 ", variance(weights, inputs + 1.5))
z = np.sum(inputs / 4 * inputs, axis=1)
print(
    f"5. w = a / 4           {z.var():.4f}, formula {n * np.var(a_values / 4) * a_values.var():.4f}; E[z] = {z.mean()}"
)

# %% [markdown]
# One of the two may even be the same number $n$ times: if the other is independent with mean 0, products of different
# inputs still do not correlate. Both together give $n^2$ in place of $n$. A mean adds $n\,\mathrm{Var}(W)\,E[a]^2$,
# here $3 \cdot 0.25 \cdot 2.25 = 1.6875$; this is the case after sigmoids and relu, whose outputs are never negative.
# And after some training weights do know the inputs, and not even the mean of $z$ is 0 any more: the formula is about
# the first step only.
#
# ## The goal: the same variance in every layer · `S0-20` `S0-21`
#
# From $\mathrm{Var}(a^{[l]}) = \mathrm{Var}(a^{[l-1]})$ follows $\mathrm{Var}(W^{[l]}) = 1 / n^{[l-1]}$. CS230 writes
# `np.random.randn(shape) * np.sqrt(1 / n)`, with biases of 0. In `nn.init` it is called `lecun_normal_`.

# %%
layer = nn.init.initialize(nn.Linear(400, 300, dtype=np.float64), "lecun_normal", rng=np.random.default_rng(2))
by_hand = np.random.default_rng(2).standard_normal((300, 400)) * np.sqrt(1 / 400)
print("the same numbers:", np.allclose(layer.weight.data, by_hand, rtol=1e-12))
print(f"variance {layer.weight.data.var():.6f}, 1/n = {1 / 400}; biases {np.unique(layer.bias.data)}")

# %% [markdown]
# ## Is $\tanh(z) \approx z$? · `S0-23`
#
# So far there is no activation function. The lecture says: near 0, $\tanh(z) \approx z$, so
# $\mathrm{Var}(a) = \mathrm{Var}(z)$.
#
# **Predict.** Inputs of variance 1, five layers of 400 units with $\mathrm{Var}(W) = 1/n$: how much of the variance is
# left after one tanh? After five?

# %%
places, masses = np.polynomial.hermite_e.hermegauss(100)


def expected(function: Callable[[np.ndarray], np.ndarray], variance: float) -> float:
    """E[function(z)] for z from N(0, variance), by Gauss-Hermite quadrature."""
    return masses @ function(np.sqrt(variance) * places) / np.sqrt(2 * np.pi)


def predicted(g: Callable[[np.ndarray], np.ndarray], c: float, layers: int) -> np.ndarray:
    """Var(a) of each layer by Var(a) = E[g(z)²], where Var(z) = c times that of the layer before."""
    variances = [1.0]
    for _ in range(layers):
        variances.append(expected(lambda z: g(z) ** 2, c * variances[-1]))
    return np.array(variances[1:])


def spreads(activation: str | None, c: float, x: np.ndarray, layers: int = 5) -> np.ndarray:
    """Var(a) of each layer of a network with Var(W) = c/n."""
    n = x.shape[1]
    model = nn.MLP([n] * (layers + 1), [activation] * layers, dtype=np.float64)
    nn.init.initialize(model, "sigmoid", c=c, rng=np.random.default_rng(4))  # N(0, c/n)
    with FlowRecorder(model) as flow:
        model(x).sum().backward()
    records = list(flow.records.values())[:: -1 if activation is None else -2]  # of a tanh and the map before, the tanh
    return np.array([record.spread[0] ** 2 for record in reversed(records)])


x = np.random.default_rng(3).normal(size=(400, 400))
print("linear            ", spreads(None, 1.0, x).round(3))
print("tanh              ", spreads("tanh", 1.0, x).round(3))
print("tanh, predicted   ", predicted(np.tanh, 1.0, 5).round(3))
print("tanh, inputs x/30 ", (spreads("tanh", 1.0, x / 30) * 900).round(3), "times 1/900")

# %% [markdown]
# Not $\mathrm{Var}(a) = \mathrm{Var}(z)$, then, but
# $\mathrm{Var}(\tanh z) = \mathrm{Var}(z) - 2\,\mathrm{Var}(z)^2 + \dots$ for normal $z$. Where the variance is small,
# as for inputs divided by 30, the approximation is good; at variance 1, one tanh leaves 39 percent. The activations
# shrink, until they are small enough for tanh to be nearly linear. To make up for it, one multiplies the standard
# deviation by a *gain*; for tanh 5/3 is common.

# %%
layers = np.arange(1, 11)
figure, ax = plt.subplots(figsize=(7.4, 4), layout="constrained")
cases = (
    (None, 1.0, GREY, "o", "linear, 1/n"),
    ("tanh", 25 / 9, BLUE, "s", "tanh, (5/3)²/n"),
    ("tanh", 1.0, RED, "^", "tanh, 1/n"),
)
for activation, c, colour, marker, label in cases:
    g = np.tanh if activation else np.positive
    ax.plot(layers, spreads(activation, c, x[:200], 10), marker, color=colour, label=label)
    ax.plot([0, *layers], [1.0, *predicted(g, c, 10)], color=colour, linewidth=1)
ax.set_ylim(0, 1.1)
ax.set_xlabel("layer (0: the inputs)")
ax.set_ylabel("Var(a)")
ax.set_title("tanh takes variance from every layer; the gain 5/3 stops the loss")
ax.legend(loc="center right", bbox_to_anchor=(1, 0.72))
plt.show()

# %% [markdown]
# *Markers are measured, lines computed from $\mathrm{Var}(a^{[l]}) = E[g(z)^2]$, where
# $\mathrm{Var}(z) = c\,\mathrm{Var}(a^{[l-1]})$. The linear network stays at 1, tanh with the gain levels off above
# 0.4, tanh without it falls towards 0.*
#
# ## "About 1/n" · `S2-11` `S1-27`
#
# CS229 says to initialize weights to about $1/n$, BLG561E that $\mathrm{Var}(w) \propto 1/n$ and the standard deviation
# $\propto 1/\sqrt n$. Are these the same?
#
# **Predict.** For which of them does the spread of $z$ not depend on $n$: every weight exactly $1/n$, a standard
# deviation of $1/n$, a variance of $1/n$?

# %%
rng = np.random.default_rng(5)
print("      n   weights = 1/n   std = 1/n   variance = 1/n")
for n in (10, 100, 1000, 10_000):
    inputs = rng.normal(size=(300, n))
    exactly, by_std, by_variance = np.full(n, 1 / n), rng.normal(0, 1 / n, n), rng.normal(0, np.sqrt(1 / n), n)
    spread = [(inputs @ weights).std() for weights in (exactly, by_std, by_variance)]
    print(f"{n:7}   {spread[0]:13.3f}   {spread[1]:9.3f}   {spread[2]:14.3f}")

# %% [markdown]
# Only the variance. With the others $z$ shrinks as $1/\sqrt n$, and the first is a constant besides, whose units are
# all the same. So $1/n$ in the notes is to be read as the variance; as in the formulas that follow there, with a square
# root.
#
# ## Sigmoids and the 4 · `S1-28`
#
# For sigmoids CS229 shows `np.random.randn(shape) * np.sqrt(4 / n)`; other formulas there, and CS230, have $1/n$. Write
# $c/n$ for both: `nn.init.sigmoid_` takes $c$, with 4 as its default. Why 4?
#
# A sigmoid is a tanh in disguise, $\sigma(z) = \tfrac12 + \tfrac12 \tanh(z/2)$: twice the weights give the tanh its
# argument back, and twice the standard deviation is four times the variance. What remains is the factor ½ in front, and
# the mean ½.
#
# **Predict.** Ten layers of sigmoids. Does $c = 4$ stop the gradient from vanishing?


# %%
def of_sigmoids(c: float, x: np.ndarray) -> tuple[list[float], list[float], float, float]:
    """By layer the spread of z and how much a unit differs between examples; saturation; gradient, first to last."""
    model = nn.MLP([200] * 11, ["sigmoid"] * 10, dtype=np.float64)
    nn.init.initialize(model, "sigmoid", c=c, rng=np.random.default_rng(6))
    between = []
    for module in model:
        if isinstance(module, nn.Sigmoid):
            module.register_forward_hook(lambda module, args, a: between.append(a.numpy().std(axis=0).mean()))
    with FlowRecorder(model) as flow:
        model(x).sum().backward()
    first, last = (flow.records[path].output_gradient[0] for path in ("0", "18"))
    spread = [record.spread[0] for record in flow.records.values()][::2]
    return spread, between, flow.records["1"].saturated[0], first / last


x = np.random.default_rng(7).normal(size=(200, 200))
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for c, colour, marker in ((1, RED, "^"), (4, ORANGE, "s"), (16, BLUE, "o")):
    spread, between, saturated, ratio = of_sigmoids(c, x)
    per_layer = np.sqrt(c * expected(lambda z: (np.exp(z / 2) + np.exp(-z / 2)) ** -4.0, spread[-1] ** 2))
    print(f"c = {c:2}: spread of z in layer 10 {spread[-1]:.2f}, saturated in layer 1 {saturated:5.1%}; gradient")
    print(f"        {ratio:.1e} from last to first layer, {ratio ** (1 / 9):.2f} per layer, predicted {per_layer:.2f}")
    ax.plot(range(1, 11), between, marker=marker, color=colour, label=f"c = {c}")
ax.set_yscale("log")
ax.set_xlabel("layer")
ax.set_ylabel("std of a unit over examples")
ax.set_title("Sigmoids forget the input: every layer differs less between examples")
ax.legend()
plt.show()

# %% [markdown]
# Better than $c = 1$, but no. With $c = 4$ the values $z$ have a spread of about 1 in every layer, which is what the
# notes ask for. But this spread is mostly between *units*, from the mean ½ of the activations; what differs between
# *examples* shrinks, as gradients do, since near 0 the slope is only 1/4 and $\sqrt c \cdot \tfrac14 = \tfrac12$. With
# $c = 16$ that product would be 1, and then many units are saturated. The better answer was to replace the sigmoid.
#
# ## Forward and backward · `S3-13` `S3-14`
#
# The way back multiplies by $W^T$. So what was $n_{in}$ for activations is $n_{out}$ for gradients:
#
# $$\text{forward: } n_{in}\,\sigma^2 = 1, \qquad \text{backward: } n_{out}\,\sigma^2 = 1,$$
# $$\text{compromise: } \frac{n_{in}\,\sigma^2 + n_{out}\,\sigma^2}{2} = 1
# \;\Rightarrow\; \sigma = \sqrt{\frac{2}{n_{in} + n_{out}}} .$$
#
# **Predict.** A network that narrows from 1024 to 32 units, half as many in each layer. With $\sigma^2 = 1/n_{in}$,
# what happens to the gradient on its way through five layers? With the compromise, what happens to both?

# %%
sizes = [1024, 512, 256, 128, 64, 32]
rng = np.random.default_rng(8)
schemes = {
    "σ² = 1/n_in": lambda w: nn.init.lecun_normal_(w, rng=rng),
    "σ² = 1/n_out": lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="linear", rng=rng),
    "σ² = 2/(n_in + n_out)": lambda w: nn.init.xavier_normal_(w, rng=rng),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for (name, initialize), colour, marker in zip(schemes.items(), (BLUE, RED, GREEN), "os^"):
    model = nn.MLP(sizes, None, bias=False, dtype=np.float64)
    for weight in model.parameters():
        initialize(weight)
    x = Tensor(rng.normal(size=(200, 1024)), requires_grad=True)
    with FlowRecorder(model) as flow:
        output = model(x)
        output.backward(rng.normal(size=output.shape))
    activations = [x.numpy().var(), *(record.spread[0] ** 2 for record in flow.records.values())]
    gradients = [x.grad.var(), *(record.output_gradient[0] ** 2 for record in flow.records.values())]
    axes[0].plot(sizes, activations, marker=marker, color=colour, label=name)
    axes[1].plot(sizes, gradients, marker=marker, color=colour)
    print(f"{name:22} Var(output) = {activations[-1]:6.3f}   Var(∂loss/∂x) = {gradients[0]:5.3f}")
for ax, title in zip(axes, ("Forward: variance of activations", "Backward: variance of gradients")):
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.invert_xaxis()
    ax.set_xticks(sizes, sizes)
    ax.set_xlabel("units of the layer, from input to loss")
    ax.set_title(title, loc="left")
axes[0].legend(fontsize=10)
plt.show()

# %% [markdown]
# *Both panels go from the wide input to the narrow output. Left, the line of $1/n_{in}$ is level; right, that of
# $1/n_{out}$. The compromise lies between the two in both.*
#
# With $1/n_{in}$ each layer halves the variance of gradients, $n_{out}/n_{in}$; over the network these factors
# telescope to $32/1024 = 0.031$. With the compromise each layer multiplies by $2 n_{in}/(n_{in} + n_{out}) = 4/3$
# forward and by $2/3$ backward: $(4/3)^5 = 4.2$ and $(2/3)^5 = 0.13$. Where $n_{in} = n_{out}$ all three are the same.
#
# ### Exercise 2
#
# Widths that alternate, 400, 100, 400, 100, …: with the compromise a pair of layers multiplies by
# $\frac{8}{5} \cdot \frac{2}{5}$. Write `sigma(n_in, n_out)` such that a pair keeps the variance, in both directions.
#
# <details><summary>Hint</summary>
#
# A pair multiplies by $n\,m\,\sigma(n, m)^2\,\sigma(m, n)^2$, forward and backward alike.
# </details>


# %%
# Answer: try it first. The geometric mean in place of the arithmetic one.
def sigma(n_in: int, n_out: int) -> float:
    return (n_in * n_out) ** -0.25


# %%
def of_a_pair(sigma: Callable[[int, int], float], n: int, m: int) -> tuple[float, float]:
    """By what a layer n → m and a layer m → n multiply the variance: forward, backward."""
    return n * sigma(n, m) ** 2 * m * sigma(m, n) ** 2, m * sigma(n, m) ** 2 * n * sigma(m, n) ** 2


assert np.allclose(of_a_pair(sigma, 400, 100), 1)
print("compromise:    ", np.round(of_a_pair(lambda n, m: np.sqrt(2 / (n + m)), 400, 100), 6))
print("geometric mean:", np.round(of_a_pair(sigma, 400, 100), 6))

# %% [markdown]
# ## A standard deviation is not a variance · `S2-12`
#
# BLG561E writes the compromise as $\mathcal N\big(0, \sqrt{2 / (n^{(l-1)} + n^{(l)})}\big)$. Usually the second
# argument of $\mathcal N$ is the variance, as in $\mathcal N(0, \frac{1}{n})$ on the page before; here it must be the
# standard deviation.
#
# **Predict.** 100 units in each layer. If one takes the root for the variance, what does each layer multiply the
# variance by?

# %%
rng = np.random.default_rng(9)
root = np.sqrt(2 / (100 + 100))
x = rng.normal(size=(200, 100))
for name, std in (("the root as std", root), ("the root as variance", np.sqrt(root))):
    a = x
    for _ in range(10):
        a = a @ rng.normal(0, std, (100, 100)).T
    print(f"{name:20}: each layer times {100 * std**2:4.1f}, Var(a[10]) = {a.var():.2e}")
weight = nn.init.xavier_normal_(nn.Parameter(np.zeros((100, 100))), rng=rng)
print(f"xavier_normal_ has std {weight.data.std():.4f}; the root is {root:.4f}")

# %% [markdown]
# ## Who is who · `S1-29`
#
# CS229 gives $\sqrt{1/n}$ as Xavier's for tanh and $\sqrt{2/n}$ as He's, for tanh as well; the index of $n$ is hard to
# read, and is that of the inputs, $n^{[l-1]}$. BLG561E calls the compromise "Xavier-He" and lists "Glorot" as another.
# In short:
#
# | | standard deviation | made for | in `nn.init` |
# |---|---|---|---|
# | Yann LeCun and others, 1998 | $\sqrt{1/n_{in}}$ | tanh | `lecun_normal_` |
# | Xavier Glorot, Yoshua Bengio, 2010 | $\sqrt{2/(n_{in} + n_{out})}$ | tanh | `xavier_normal_`, `glorot_normal_` |
# | Kaiming He and others, 2015 | $\sqrt{2/n_{in}}$ | relu | `kaiming_normal_`, `he_normal_` |
#
# Xavier is Glorot's first name, and Kaiming is He's. The 2 of He belongs to relu: it throws away half of every
# symmetric $z$, so that $E[\mathrm{relu}(z)^2] = \tfrac12 \mathrm{Var}(z)$, and a factor of 2 brings it back.
#
# **Predict.** Twenty layers of relu with $1/n$: what is left of 1?

# %%
print("one function, two names:", nn.init.glorot_normal_ is nn.init.xavier_normal_)
print("and the other:          ", nn.init.he_normal_ is nn.init.kaiming_normal_)
x = np.random.default_rng(10).normal(size=(200, 200))
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, activation in zip(axes, ("relu", "tanh")):
    for scheme, options, colour, marker, label in (
        ("lecun_normal", {}, RED, "^", "1/n"),
        ("kaiming_normal", {"nonlinearity": "relu"}, BLUE, "o", "2/n"),
    ):
        model = nn.MLP([200] * 21, [activation] * 20, dtype=np.float64)
        nn.init.initialize(model, scheme, rng=np.random.default_rng(11), **options)
        with FlowRecorder(model) as flow:
            model(x).sum().backward()
        squares = [record.mean[0] ** 2 + record.spread[0] ** 2 for record in flow.records.values()][1::2]
        ax.plot(range(1, 21), squares, marker=marker, markersize=5, color=colour, label=label)
        print(f"{activation} with {label}: E[a²] = {squares[-1]:.1e} in layer 20")
    ax.set_yscale("log")
    ax.set_xlabel("layer")
    ax.set_title(activation, loc="left")
axes[0].set_ylabel("E[a²]")
axes[1].legend(title="Var(W)")
figure.suptitle("Without He's 2, relu halves the mean square in every layer")
plt.show()
print(f"(1/2)^20 = {2.0**-20:.1e}")

# %% [markdown]
# *Left, relu: the line of 1/n falls by half in each layer, on a logarithmic axis; that of 2/n is level. Right, tanh:
# with 1/n it falls slowly, with 2/n it settles.*
#
# For tanh, where the notes have it, He's factor does no harm: $\sqrt 2$ lies between the gains 1 and 5/3. For relu it
# is a must.
#
# ### Exercise 3
#
# Which gain does another activation function need? If $z$ has variance 1, then $\mathrm{gain}^2\,E[g(z)^2] = 1$ keeps
# it so. Write `gain(g)` with `expected` from above. Does it give what `nn.init.calculate_gain` says, for relu, for the
# leaky relu with slope 0.2, for $|z|$? And for tanh?
#
# <details><summary>Hint</summary>
#
# `expected(lambda z: g(z) ** 2, 1.0)` is $E[g(z)^2]$.
# </details>


# %%
# Answer: try it first.
def gain(g: Callable[[np.ndarray], np.ndarray]) -> float:
    return 1 / np.sqrt(expected(lambda z: g(z) ** 2, 1.0))


# %%
assert np.isclose(gain(nn.functional.relu), nn.init.calculate_gain("relu"))
assert np.isclose(gain(lambda z: nn.functional.leaky_relu(z, 0.2)), nn.init.calculate_gain("leaky_relu", 0.2))
assert np.isclose(gain(np.abs), 1)
print(f"tanh: {gain(np.tanh):.3f} keeps a variance of 1; calculate_gain says {nn.init.calculate_gain('tanh'):.3f}")

# %% [markdown]
# ## Others · `S2-13`
#
# "Go and find out other initialization schemes", says BLG561E. These are in `nn.init`; all but the constants are drawn
# from a generator, so that a seed gives the same network again. What they are, for a matrix of 300 × 200:

# %%
n_out, n_in = 300, 200
schemes = {
    "zeros": ({}, 0.0),
    "constant": ({"val": 0.5}, 0.0),
    "identity": ({}, np.sqrt(1 / n_out - 1 / n_out**2)),
    "lecun_uniform": ({}, np.sqrt(1 / n_in)),
    "lecun_normal": ({}, np.sqrt(1 / n_in)),
    "xavier_uniform": ({}, np.sqrt(2 / (n_in + n_out))),
    "xavier_normal": ({}, np.sqrt(2 / (n_in + n_out))),
    "kaiming_uniform": ({}, np.sqrt(2 / n_in)),
    "kaiming_normal": ({}, np.sqrt(2 / n_in)),
    "sigmoid": ({"c": 4.0}, np.sqrt(4 / n_in)),
    "orthogonal": ({}, np.sqrt(1 / n_out)),
    "trunc_normal": ({"std": 0.05, "a": -0.1, "b": 0.1}, 0.88 * 0.05),
}
print(f"{'':16} std      formula  largest")
for name, (options, formula) in schemes.items():
    options = options | ({"rng": np.random.default_rng(12)} if name in nn.init.DRAWN else {})
    weight = nn.init.SCHEMES[name](nn.Parameter(np.zeros((n_out, n_in))), **options).data
    assert np.isclose(weight.std(), formula, rtol=0.02)
    print(f"{name:16} {weight.std():.4f}   {formula:.4f}   {np.abs(weight).max():.4f}")

# %% [markdown]
# Uniform and normal distributions of one name have the same variance: $U(-b, b)$ has $b^2/3$, so
# $b = \sqrt{3}\,\sigma$. The truncated normal draws again what is beyond two standard deviations. An *orthogonal*
# matrix is another thought: it keeps not the variance on average but every length.
#
# **Predict.** The product of ten random matrices of variance $1/n$ keeps the variance. Does it keep the length of
# *every* vector? A singular value says by what a direction is multiplied.

# %%
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
rng = np.random.default_rng(13)
for scheme, colour in (("lecun_normal", RED), ("orthogonal", BLUE)):
    total = np.eye(100)
    for _ in range(10):
        total = nn.init.SCHEMES[scheme](nn.Parameter(np.zeros((100, 100))), rng=rng).data @ total
    singular = np.linalg.svd(total, compute_uv=False)
    ax.plot(range(1, 101), singular, ".", color=colour, label=scheme)
    below = np.mean(singular < 0.01)
    print(f"{scheme:12}: mean square {np.mean(singular**2):.2f}, largest {singular[0]:.2f}, {below:.0%} below 0.01")
ax.set_yscale("log")
ax.set_xlabel("direction, sorted")
ax.set_ylabel("singular value")
ax.set_title("Ten layers of variance 1/n keep lengths on average, but few directions")
ax.legend()
plt.show()

# %% [markdown]
# *The blue points of the orthogonal product are a line at 1. The red points begin at about 5 and fall through many
# orders of magnitude.*
#
# ## Does it matter?
#
# The digits of scikit-learn, a network of ten layers with relu, plain gradient descent on 300 training images. Only the
# first weights differ.
#
# **Predict** the order of the curves.

# %%
digits = load_digits()
images, _, labels, _ = nn.train_test_split(digits.data, digits.target, rng=np.random.default_rng(14))
images = nn.Standardizer().fit_transform(images)[:300]
labels = labels[:300]
starts = {
    "zeros": ("zeros", {}, GREY, "-"),
    "standard deviation 0.01": ("normal", {"std": 0.01}, GREEN, "--"),
    "constant 0.02": ("constant", {"val": 0.02}, ORANGE, "-"),
    "variance 1/n": ("lecun_normal", {}, RED, "-"),
    "variance 2/n (He)": ("kaiming_normal", {"nonlinearity": "relu"}, BLUE, "-"),
}
figure, ax = plt.subplots(figsize=(7.4, 4), layout="constrained")
for name, (scheme, options, colour, style) in starts.items():
    model = nn.MLP([64] * 10 + [10], "relu", dtype=np.float64)
    nn.init.initialize(model, scheme, rng=np.random.default_rng(15), **options)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    ax.plot(range(1, 61), losses, style, color=colour, linewidth=2, label=name)
    print(f"{name:24} loss {losses[0]:.3f} -> {losses[-1]:.3f}, accuracy {nn.accuracy(model(images), labels):.1%}")
ax.set_xlabel("step")
ax.set_ylabel("cross-entropy")
ax.set_ylim(0, None)
ax.set_title("With ten layers, the first weights decide whether anything is learned")
ax.legend()
plt.show()

# %% [markdown]
# *Five loss curves. He's falls from 4.2 to 0.5. The other four lie nearly on each other at $\log 10 = 2.303$, the loss
# of a guess. Only He's starts above it: its first outputs are large, and so are its first errors.*
#
# Small random weights break the symmetry, and yet the network stands still: ten layers of them multiply gradients by
# next to nothing. Both things are needed, differing units and the right variance.
#
# ## Summary
#
# - Zeros: a sigmoid network says 0.5, and its hidden layers get no gradient. Any constant: all units of a layer stay
#   one.
# - $\mathrm{Var}(z) = n\,\mathrm{Var}(W)\,\mathrm{Var}(a)$, for weights and inputs that are independent and have mean
#   0. So weights are drawn with a *variance* near $1/n$: a standard deviation near $1/\sqrt n$.
# - $\tanh(z) \approx z$ holds for small $z$ only. At variance 1 a tanh leaves 39 percent; a gain of 5/3 makes up for
#   it.
# - Forward wants $1/n_{in}$, backward $1/n_{out}$; Glorot's $2/(n_{in} + n_{out})$ is the compromise. He's $2/n_{in}$
#   is for relu.
# - Variances hold on average. Orthogonal weights keep all lengths.
#
# Normalization inside the network makes it depend less on how it begins: notebook 9.
