# %% [markdown]
# # 9. Batch normalization
#
# The inputs of a network are standardized as a rule. But a layer in the middle has inputs too: the outputs of the
# layers before it, and those change with every step of learning. What if each layer standardized what it is given?
#
# You will see
#
# - what standardized inputs are worth, and with whose mean and variance test inputs are standardized;
# - the input of a deep layer drifting while the network learns;
# - batch normalization from its formulas to the layer of `nn`, equal to the last digits;
# - the gradient through the batch's own mean and variance, which is easily forgotten when it is written by hand;
# - why a bias before it is dead weight, and what takes the place of the batch at test time.
#
# Lecture: BLG561E, the part on batch normalization (rows `S2-15` to `S2-23`).

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from sklearn.datasets import load_digits, load_wine

import nn
from autograd import ShapeError, Tensor, batch_norm, gradcheck, graph, jacobian
from nn.functional import cross_entropy

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "figure.figsize": (7, 3.6)})

# %% [markdown]
# ## Inputs first · `S2-16`
#
# For each input feature, over the $m$ training examples,
#
# $$\mu = \frac1m \sum_i x^{(i)}, \qquad \sigma^2 = \frac{1}{m-1} \sum_i (x^{(i)} - \mu)^2, \qquad
# x \leftarrow \frac{x - \mu}{\sigma}.$$
#
# The wine data have features of very different sizes. **Predict**: by how many powers of ten do the largest and the
# smallest standard deviation differ, and what does one learning rate for all weights make of that?

# %%
wine = load_wine()
x_train, x_test, y_train, y_test = nn.train_test_split(
    wine.data, wine.target, test_size=0.3, rng=np.random.default_rng(0), stratify=wine.target
)
spreads = x_train.std(axis=0, ddof=1)
for name, std in zip(wine.feature_names, spreads, strict=True):
    print(f"{name:30} {std:8.3f}")
print(f"largest / smallest = {spreads.max() / spreads.min():,.0f}")

# %% [markdown]
# `nn.Standardizer` computes $\mu$ and $\sigma$ once, from the training inputs, and applies them to whatever comes. The
# divisor $m - 1$ of the notes is `ddof=1`; without it the divisor is $m$.

# %%
standardizer = nn.Standardizer(ddof=1).fit(x_train)
by_hand = (x_train - x_train.mean(axis=0)) / np.sqrt(
    np.sum((x_train - x_train.mean(axis=0)) ** 2, axis=0) / (len(x_train) - 1)
)
print("equal to the formula:", np.allclose(standardizer.transform(x_train), by_hand, rtol=1e-12, atol=1e-14))
print("means of the training inputs:", np.abs(standardizer.transform(x_train).mean(axis=0)).max().round(12))
print("means of the test inputs:    ", standardizer.transform(x_test).mean(axis=0)[:4].round(3), "...")

# %% [markdown]
# The test inputs do not have mean 0, and should not: a wine must become the same numbers in whatever company it is
# tested. Now softmax regression on both, each with several learning rates.


# %%
def losses_of(x, lr, steps=100):
    """The losses of softmax regression, from weights 0, by gradient descent over all examples."""
    model = nn.init.initialize(nn.Linear(13, 3, dtype=float), "zeros")
    optimizer = nn.optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y_train)
        loss.backward()
        optimizer.step()
        losses.append(loss.data.item())
    return losses


fig, ax = plt.subplots()
for lr, style in [(1e-6, "-"), (1e-5, "--"), (1e-4, ":")]:
    ax.semilogy(losses_of(x_train, lr), style, color=VERMILION, label=f"as they are, rate {lr:g}")
for lr, style in [(1e-2, "-"), (1e-1, "--"), (1e0, ":")]:
    ax.semilogy(losses_of(standardizer.transform(x_train), lr), style, color=BLUE, label=f"standardized, rate {lr:g}")
ax.set(xlabel="step", ylabel="loss", title="Standardized inputs learn at rates from 0.01 to 1")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %% [markdown]
# *The picture: loss over 100 steps. With inputs as they are, a rate of 1e-4 already leaps, and the smaller ones that do
# not leap crawl, since the one large feature sets the limit for all. Standardized, the loss falls at every rate.*
#
# ## The inputs of deep layers shift · `S2-15`
#
# For layer 4 the outputs of layer 3 are the inputs. They depend on the weights of layers 1 to 3, and these change at
# every step. The notes call this *covariate shift*: learning on an input distribution that moves.
#
# A network with four hidden layers of 32 units learns digits. A hook takes down what enters two units of the last
# activation: the 15th, 50th and 85th percentile over each batch. **Predict**: do they settle?

# %%
digits = load_digits()
pixels, labels = (digits.data / 16).astype(np.float32), digits.target


def network(activation, scheme, normalized, **options):
    """Four hidden layers of 32 units, with first values that suit the activation."""
    model = nn.MLP([64, 32, 32, 32, 32, 10], activation, batch_norm=normalized)
    return nn.init.initialize(model, scheme, rng=np.random.default_rng(0), **options)


def train(model, lr, epochs, batch_size):
    """Learn the digits, and return the loss of each batch."""
    optimizer = nn.optim.SGD(model.parameters(), lr=lr)
    batches = nn.Batches(
        pixels, labels, batch_size=batch_size, shuffle=True, drop_last=True, rng=np.random.default_rng(1)
    )
    losses = []
    for _ in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            loss = cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.data.item())
    return losses


# %%
def watched(model):
    """The percentiles of what enters the first units of the last activation, by step, percentile and unit."""
    seen = []

    def note(module, args):
        seen.append(np.percentile(args[0].data[:, :2], [15, 50, 85], axis=0))

    [module for module in model if isinstance(module, nn.ReLU)][-1].register_forward_pre_hook(note)
    train(model, lr=0.1, epochs=30, batch_size=256)
    return np.array(seen)


fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharex=True, sharey=True)
for ax, normalized in zip(axes, [False, True], strict=True):
    percentiles = watched(network("relu", "kaiming_normal", normalized, nonlinearity="relu"))
    for unit, hue in enumerate([VERMILION, BLUE]):
        low, middle, high = percentiles[:, :, unit].T
        ax.fill_between(range(len(middle)), low, high, color=hue, alpha=0.25, linewidth=0)
        ax.plot(middle, color=hue, label=f"unit {unit}, median and 15th to 85th percentile")
    ax.set(xlabel="step", title="with batch normalization" if normalized else "as it is")
axes[0].set_ylabel("input of the activation")
axes[1].legend(frameon=False, loc="upper left", fontsize=9)
fig.suptitle("What enters a deep unit drifts; normalized, it keeps its place", y=1.03)
plt.show()

# %% [markdown]
# *The picture: left, the band of one unit climbs and widens, the other one sinks a little. Right, both stay around 0
# with a spread near 1; what change is left is that of two learned numbers, which the next section introduces.*
#
# ## The formulas · `S2-18` `S2-19`
#
# For each unit of a layer, over the $B$ examples of the batch,
#
# $$\mu = \frac1B \sum_i z^{(i)}, \qquad \sigma^2 = \frac1B \sum_i (z^{(i)} - \mu)^2, \qquad
# z_\mathrm{norm}^{(i)} = \frac{z^{(i)} - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad
# \tilde z^{(i)} = \gamma z_\mathrm{norm}^{(i)} + \beta .$$
#
# Line by line in NumPy, for a batch of 6 examples (rows) and 3 units:

# %%
rng = np.random.default_rng(0)
z = 4 + 3 * rng.normal(size=(6, 3))
gamma, beta, eps = np.array([2.0, 0.5, 1.0]), np.array([1.0, 0.0, -1.0]), 1e-5

mu = z.sum(axis=0) / 6
variance = np.sum((z - mu) ** 2, axis=0) / 6
z_norm = (z - mu) / np.sqrt(variance + eps)
z_tilde = gamma * z_norm + beta

layer = nn.BatchNorm1d(3, dtype=float)
layer.weight.data, layer.bias.data = gamma, beta
print("the layer agrees:", np.allclose(layer(z).data, z_tilde, rtol=1e-12))

# %% [markdown]
# **Predict** mean and standard deviation of $z_\mathrm{norm}$ and of $\tilde z$.

# %%
for name, values in [("z", z), ("z_norm", z_norm), ("z tilde", z_tilde)]:
    print(f"{name:8} mean {values.mean(axis=0).round(3) + 0}  standard deviation {values.std(axis=0).round(3)}")

# %% [markdown]
# The notes print $(0, \sigma^2)$ for $z_\mathrm{norm}$. It is $(0, 1)$: division by $\sigma$ is what takes $\sigma$
# away. And $|\gamma|$ and $\beta$ are *standard deviation* and *mean* of $\tilde z$: the layer can still have any mean
# and spread, but as two numbers that are learned rather than as an effect of all the weights before it.
#
# The divisor here is $B$, where it was $m - 1$ for the inputs. For a batch of 6 that is no rounding error:

# %%
unbiased = (z - mu) / np.sqrt(np.var(z, axis=0, ddof=1) + eps)
print(
    "with 1/(B - 1) all would be smaller by a factor of",
    np.unique((unbiased / z_norm).round(4)),
    "=",
    np.sqrt(5 / 6).round(4),
)

# %% [markdown]
# ## Before the activation · `S2-17`
#
# The notes put the normalization between the affine map and the activation, $a^l = f(\mathrm{BN}(W^l a^{l-1}))$, and so
# does `nn.MLP`. After the activation it would be another function.

# %%
model = nn.MLP([4, 3, 2], "tanh", batch_norm=True, dtype=float, rng=np.random.default_rng(0))
print(model)

inputs = rng.normal(size=(6, 4))
affine = inputs @ model[0].weight.data.T
before, after = np.tanh(batch_norm(affine)[0]), batch_norm(np.tanh(affine))[0]
print("as before the activation:", np.allclose(model[:3](inputs).data, before, rtol=1e-12))
print("as after it:             ", np.allclose(model[:3](inputs).data, after, rtol=1e-12))

# %% [markdown]
# ## Two more parameters for each unit · `S2-20`
#
# Parameters are now $W^l, \gamma^l, \beta^l$. The notes say two for each layer; they are two for each *unit* of it.
# `nn` calls them `weight` and `bias` of the normalization, as PyTorch does.

# %%
for name, parameter in model.named_parameters():
    print(f"{name:9} {parameter.shape}")

# %% [markdown]
# The optimizer treats them like any others: $\gamma \leftarrow \gamma - \alpha\,\partial\ell/\partial\gamma$ with
# $\partial\ell/\partial\gamma = \sum_i g^{(i)} z_\mathrm{norm}^{(i)}$ and
# $\partial\ell/\partial\beta = \sum_i g^{(i)}$, where $g = \partial\ell/\partial\tilde z$.

# %%
g = rng.normal(size=(6, 3))
layer(z).backward(g)
nn.optim.SGD(layer.parameters(), lr=0.1).step()
print("gamma by hand:", np.allclose(layer.weight.data, gamma - 0.1 * np.sum(g * z_norm, axis=0), rtol=1e-12))
print("beta by hand: ", np.allclose(layer.bias.data, beta - 0.1 * np.sum(g, axis=0), rtol=1e-12))

# %% [markdown]
# ## The gradient goes through the batch
#
# $\mu$ and $\sigma$ are computed *from* $z$, so $z^{(i)}$ reaches the loss on three paths: directly, through $\mu$, and
# through $\sigma^2$. In NumPy the engine finds them. One unit, four examples:

# %%
column = Tensor([1.0, 2.0, 3.0, 8.0], requires_grad=True, name="z")
mean = np.mean(column)
mean.name = "μ"
centred = column - mean
std = np.sqrt(np.mean(centred * centred))
std.name = "σ"
out = centred / std
out.name = "z_norm"
loss = out[0]
loss.name = "loss"
loss.backward()
with tempfile.TemporaryDirectory() as folder:
    graph(loss).save(f"{folder}/graph.png", rankdir="TB")
    picture = Image(filename=f"{folder}/graph.png", width=520)
picture

# %% [markdown]
# *The picture, from top to bottom: z splits into its mean μ and the difference z − μ; that splits again, into σ and the
# quotient. Every edge has the local derivative and what it contributes.*
#
# The loss is the first example's $z_\mathrm{norm}$ alone. **Predict**: is the gradient of the other three examples 0?

# %%
print(column.grad.round(4))

# %% [markdown]
# It is not: who shares a batch with an example changes what it becomes. The Jacobian has every pair,
# $\partial z_\mathrm{norm}^{(i)} / \partial z^{(j)}$; beside it is what it would be if $\mu$ and $\sigma$ were
# constants.

# %%
four = np.array([1.0, 2.0, 3.0, 8.0])
fixed_mean, fixed_std = four.mean(), four.std()
through = jacobian(lambda z: batch_norm(z[:, np.newaxis], eps=0.0)[0][:, 0])(four)
constant = jacobian(lambda z: (z - fixed_mean) / fixed_std)(four)

fig, axes = plt.subplots(1, 2, figsize=(7.5, 3.2), sharey=True)
for ax, matrix, title in [(axes[0], constant, "if μ and σ were constants"), (axes[1], through, "as it is")]:
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-0.35, vmax=0.35)
    for (i, j), value in np.ndenumerate(matrix):
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if abs(value) > 0.22 else "black")
    ax.set(xticks=range(4), yticks=range(4), xlabel="input of example j", title=title)
axes[0].set_ylabel("output of example i")
fig.colorbar(image, ax=axes, label="∂z_norm(i) / ∂z(j)")
fig.suptitle("Each output depends on the whole batch", y=1.04)
plt.show()

# %% [markdown]
# *The picture: two 4 by 4 matrices of derivatives. With constants there is only a diagonal. In truth every entry is
# different from 0, and each row sums to 0: adding one number to the whole batch changes nothing.*
#
# Collecting the three paths gives the formula that implementations use,
#
# $$\frac{\partial\ell}{\partial z^{(i)}} = \frac{\gamma}{\sqrt{\sigma^2+\epsilon}}
# \Bigl(g^{(i)} - \tfrac1B \sum_k g^{(k)} -
# z_\mathrm{norm}^{(i)}\, \tfrac1B \sum_k g^{(k)} z_\mathrm{norm}^{(k)}\Bigr).$$
#
# In words: take from $g$ its mean, and its part along $z_\mathrm{norm}$. A shift and a scaling of the batch change
# nothing, so no gradient may point there. The formula, the composition and the one row of the engine's table agree:


# %%
def composed(z):
    """Batch normalization as NumPy has it."""
    centred = z - np.mean(z, axis=0)
    return gamma * centred / np.sqrt(np.mean(centred**2, axis=0) + eps) + beta


by_formula = gamma / np.sqrt(variance + eps) * (g - g.mean(axis=0) - z_norm * (g * z_norm).mean(axis=0))
for name, function in [("composition", composed), ("one row", lambda z: batch_norm(z, gamma, beta, eps)[0])]:
    leaf = Tensor(z, requires_grad=True)
    function(leaf).backward(g)
    print(f"{name} agrees with the formula:", np.allclose(leaf.grad, by_formula, rtol=1e-12, atol=1e-14))
print("gradcheck, by differences:", gradcheck(composed, z))
print(
    "with μ and σ as constants it would be off by",
    np.abs(gamma * g / np.sqrt(variance + eps) - by_formula).max().round(3),
)

# %% [markdown]
# ## The bias is eliminated · `S2-22`
#
# $z = W a + b$, and then the mean is taken away. **Predict** the gradient of $b$, and what a $b$ of 100 changes.

# %%
weight = rng.normal(size=(3, 4))
outputs = []
for start in [0.0, 100.0]:
    bias = Tensor(np.full(3, start), requires_grad=True)
    out = batch_norm(inputs @ weight.T + bias)[0]
    out.backward(g)
    outputs.append(out.data)
    print(f"b = {start:5}: gradient {bias.grad.round(12) + 0}")
print("same outputs:", np.allclose(*outputs, rtol=0, atol=1e-12))

# %% [markdown]
# Zero but for rounding: a bias there is computed, stored, and never learns. $\beta$ does its work after the
# normalization. `nn.MLP(..., batch_norm=True)` leaves it out, as the printed model above shows: `bias=False` in the
# first `Linear`, which a normalization follows, and `bias=True` in the last. Whoever builds a network by hand may
# forget that, and `nn.lint` says so:

# %%
by_hand = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 2))
for advice in nn.lint(by_hand):
    print(advice)

# %% [markdown]
# ## At test time · `S2-21`
#
# One example is no batch:

# %%
single = np.array([[4.0, 5.0, 6.0]])
try:
    layer(single)
except ShapeError as error:
    print(error)

# %% [markdown]
# And a digit should be read the same in whatever company. So training keeps running averages, and evaluation uses
# them:
#
# $$\mu_\mathrm{av}^t = \alpha\, \mu_\mathrm{av}^{t-1} + (1 - \alpha)\, \mu^t, \qquad\text{and}\quad
# \sigma^2_\mathrm{av} \text{ likewise.}$$
#
# The notes print `+=` for the first $=$. That adds the average to itself; the picture shows where it leads.
# PyTorch and `nn` name the other share: `momentum` $= 1 - \alpha$, the weight of the *new* batch.

# %%
alpha, steps = 0.9, 60
layer = nn.BatchNorm1d(1, momentum=1 - alpha, affine=False, dtype=float)
average, printed = np.zeros(1), np.zeros(1)
records = {"layer": [], "formula": [], "printed": [], "batch": []}
for _ in range(steps):
    batch = 5 + 2 * rng.normal(size=(8, 1))
    layer(batch)
    average = alpha * average + (1 - alpha) * batch.mean(axis=0)
    printed = printed + alpha * printed + (1 - alpha) * batch.mean(axis=0)
    for name, value in [
        ("layer", layer.running_mean),
        ("formula", average),
        ("printed", printed),
        ("batch", batch.mean(axis=0)),
    ]:
        records[name].append(value.item())
print("the layer agrees with the formula:", np.allclose(records["layer"], records["formula"], rtol=1e-12))

fig, ax = plt.subplots()
ax.semilogy(records["printed"], color=VERMILION, label="with += as printed")
ax.semilogy(records["batch"], ".", color=GREY, label="means of the batches")
ax.semilogy(records["layer"], color=BLUE, linewidth=4, alpha=0.4, label="running mean of the layer")
ax.semilogy(records["formula"], color=BLUE, linestyle="--", label="formula with =")
ax.set(xlabel="batch", ylabel="mean", ylim=(0.3, 1e3), title="The running mean finds the mean, 5, in some 30 batches")
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# *The picture: the layer's running mean lies on the formula and settles at 5, smoother than the means of the batches;
# the printed version leaves through the top.*
#
# In evaluation there are only constants left, so a single example is welcome and examples do not see each other:

# %%
layer.eval()
alone, together = layer(np.array([[6.0]])), layer(np.array([[6.0], [-100.0]]))[:1]
by_hand = (6.0 - layer.running_mean) / np.sqrt(layer.running_var + layer.eps)
print(f"alone {alone.item():.6f}, beside another {together.item():.6f}, by hand {by_hand.item():.6f}")

# %% [markdown]
# ## The reference: `torch.nn.BatchNorm1d` · `S2-23`
#
# The notes end on PyTorch's layer. Its conventions, with the numbers that it gives in float64 for the batch below
# (written down here; the project's tests run both side by side):
#
# - the batch is normalized with $1/B$, but the running variance gets $1/(B-1)$;
# - `momentum=0.1` is the weight of the new batch; averages begin at 0 and 1;
# - `eps=1e-5` under the root; $\gamma$ begins at 1, $\beta$ at 0.

# %%
layer = nn.BatchNorm1d(2, dtype=float)
layer.weight.data, layer.bias.data = [2.0, 0.5], [1.0, -1.0]
out = layer(np.array([[1.0, 0.0], [2.0, 4.0], [6.0, -1.0]]))
of_pytorch = {
    "output": [
        [-0.8516382156480775, -1.2314547769560096],
        [0.07418089217596124, -0.3056356691319708],
        [3.7774573234721163, -1.4629095539120192],
    ],
    "running mean": [0.3, 0.1],
    "running variance": [1.6, 1.6],
}
for (name, expected), found in zip(of_pytorch.items(), [out.data, layer.running_mean, layer.running_var], strict=True):
    print(f"{name:17} agrees: {np.allclose(found, expected, rtol=1e-12)}")
print("state:", ", ".join(layer.state_dict()))

# %% [markdown]
# The first column, 1, 2, 6, can be done in the head: mean 3, so the running mean is $0.9 \cdot 0 + 0.1 \cdot 3$;
# squares $4 + 1 + 9 = 14$, so the variance is $14/3$ for normalizing and $14/2 = 7$ for the running one,
# $0.9 \cdot 1 + 0.1 \cdot 7$.
#
# ## What it buys
#
# Four hidden layers again, once of sigmoids and once of relus, each at five learning rates. **Predict**: where does
# normalization help most, and where could one do without?

# %%
rates = [0.03, 0.1, 0.3, 1.0, 3.0]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
for ax, activation, scheme, options in [
    (axes[0], "sigmoid", "xavier_normal", {}),
    (axes[1], "relu", "kaiming_normal", {"nonlinearity": "relu"}),
]:
    for normalized, hue, marker in [(False, VERMILION, "o"), (True, BLUE, "s")]:
        final = [
            np.mean(train(network(activation, scheme, normalized, **options), lr, epochs=3, batch_size=64)[-20:])
            for lr in rates
        ]
        ax.loglog(rates, final, color=hue, marker=marker, label="batch norm" if normalized else "as it is")
        print(f"{activation:8} {'batch norm' if normalized else 'as it is':10}", *(f"{loss:6.2f}" for loss in final))
    ax.axhline(np.log(10), color=GREY, linestyle=":", label="guessing, log 10")
    ax.set(xlabel="learning rate", title=activation)
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.set_yticks([0.2, 0.5, 1, 2], ["0.2", "0.5", "1", "2"])
    ax.minorticks_off()
axes[0].set_ylabel("loss after 3 epochs")
axes[0].legend(frameon=False, loc="lower left")
fig.suptitle("Normalized networks learn over a wide range of rates", y=1.03)
plt.show()

# %% [markdown]
# *The picture: loss after 3 epochs over the learning rate. Sigmoids as they are do not learn at any of these rates, and
# normalized at all of them, best at high ones. Relus with He's first values do learn without it, at rates around 0.1;
# normalized they learn more at each of the rates.*
#
# Why it helps is another question. Its inventors' answer, and the notes', is the covariate shift; Santurkar and others
# (*How Does Batch Normalization Help Optimization?*, 2018) find a smoother loss instead. These curves only say that it
# does.
#
# ## Exercises
#
# **Exercise 1: the way back.** Which $\gamma$ and $\beta$ make the layer the identity on the batch $z$? Write them
# down, then run the check. The cell holds an answer; cover it, and put yours in its place.

# %%
answer_gamma, answer_beta = np.sqrt(variance + eps), mu  # the answer; write your own

# %%
layer = nn.BatchNorm1d(3, dtype=float)
layer.weight.data, layer.bias.data = answer_gamma, answer_beta
assert np.allclose(layer(z).data, z, rtol=1e-12)
print("exercise 1 is right")

# %% [markdown]
# **Exercise 2: the backward pass by hand.** Write `backward(g, z, gamma, eps)`, which returns
# $\partial\ell/\partial z$, in plain NumPy, without looking at the formula above: sum the three paths.
#
# <details><summary>Hint</summary>
#
# With $s = \sqrt{\sigma^2 + \epsilon}$ and $h = \gamma g$, the upstream of $z_\mathrm{norm}$: directly $h / s$;
# through $\sigma^2$, first $\partial\ell/\partial\sigma^2 = \sum_i h^{(i)} (z^{(i)} - \mu) \cdot (-\tfrac12) s^{-3}$;
# through $\mu$, first $\partial\ell/\partial\mu = -\sum_i h^{(i)} / s$.
# </details>


# %%
def backward(g, z, gamma, eps):
    """The answer, path by path; write your own."""
    count = len(z)
    centred = z - z.mean(axis=0)
    std = np.sqrt(np.mean(centred**2, axis=0) + eps)
    by_norm = g * gamma
    by_variance = np.sum(by_norm * centred, axis=0) * (-1 / 2) / std**3
    by_mean = -np.sum(by_norm, axis=0) / std  # through σ² comes nothing: the mean of z - μ is 0
    return by_norm / std + by_variance * 2 * centred / count + by_mean / count


# %%
leaf = Tensor(z, requires_grad=True)
composed(leaf).backward(g)
assert np.allclose(backward(g, z, gamma, eps), leaf.grad, rtol=1e-10)
print("exercise 2 is right")

# %% [markdown]
# **Exercise 3: fold it away.** In evaluation the layer is an affine map. Find $W'$ and $b'$ so that one `Linear` does
# what `Linear(W)` and the normalization did together: this is how networks are made faster once they are trained.

# %%
model = nn.MLP([4, 3, 2], "tanh", batch_norm=True, dtype=float, rng=np.random.default_rng(0))
for _ in range(20):
    model(rng.normal(size=(8, 4)))  # running averages
model.eval()
linear, norm = model[0], model[1]

scale = norm.weight.data / np.sqrt(norm.running_var + norm.eps)  # the answer; write your own
folded_weight = scale[:, np.newaxis] * linear.weight.data
folded_bias = norm.bias.data - scale * norm.running_mean

# %%
folded = nn.Linear(4, 3, dtype=float)
folded.weight.data, folded.bias.data = folded_weight, folded_bias
assert np.allclose(folded(inputs).data, norm(linear(inputs)).data, rtol=1e-12)
print("exercise 3 is right")

# %% [markdown]
# ## Summary
#
# - Standardize inputs with the training set's $\mu$ and $\sigma$, test inputs included.
# - Batch normalization does the same inside: before the activation, with the batch's own $\mu$ and $\sigma$ (divisor
#   $B$), and then learned $\gamma$ and $\beta$ for each unit.
# - Its gradient goes through $\mu$ and $\sigma$: what remains of $g$ has neither a mean nor a part along
#   $z_\mathrm{norm}$, so that a bias before it gets none at all.
# - At test time running averages take the place of the batch; $\alpha$ of the notes is $1 -$ `momentum`.
