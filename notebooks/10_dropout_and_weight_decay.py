# %% [markdown]
# # 10. Dropout and weight decay
#
# A network with more parameters than examples can learn the examples by heart, noise included. Two remedies are old and
# simple: keep the weights small, and never let a unit rely on the others. Both are one line of code, and both have a
# factor that is easily got wrong.
#
# You will see
#
# - a curve fitted by heart, and what a penalty on large weights makes of it;
# - that the penalty's derivative is $2\alpha w$, and that it need not travel through the graph: it joins at the update;
# - where that is the same as a term of the loss, and where not (Adam and AdamW);
# - dropout, inverted and classic, and which of the two probabilities is called $p$;
# - what changes at test time, and what happens to those who forget.
#
# Lectures: CS230 lecture 3 announces regularization as its third part, after backpropagation and initialization
# (`S0-29`), and its notes end before it. BLG561E has both remedies: rows `S2-02`, `S2-03`, `S2-04` and `S2-24` to
# `S2-27`.

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from sklearn.datasets import load_digits

import nn
from autograd import Tensor, graph
from nn.functional import cross_entropy, dropout

BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "figure.figsize": (7, 3.6)})

# %% [markdown]
# ## By heart
#
# Twenty noisy values of a sine, and a network of far more parameters. The loss gets a second part, $\alpha$ times the
# sum of all squared parameters. **Predict** the three curves: for $\alpha = 0$, for one that is right, for one that is
# too large.

# %%
rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-4, 4, (20, 1)), axis=0)
y = np.sin(x) + 0.4 * rng.normal(size=x.shape)
grid = np.linspace(-4, 4, 200)[:, np.newaxis]


def fitted(alpha, steps=1200):
    """A network that has learned the twenty examples with the penalty α ‖w‖²."""
    model = nn.MLP([1, 40, 40, 1], "tanh", dtype=float)
    nn.init.initialize(model, "xavier_normal", gain=5 / 3, rng=np.random.default_rng(1))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=2 * alpha)
    for _ in range(steps):
        optimizer.zero_grad()
        np.mean((model(x) - y) ** 2).backward()
        optimizer.step()
    return model


fig, axes = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True)
for ax, alpha, title in zip(axes, [0.0, 0.01, 0.1], ["α = 0: by heart", "α = 0.01", "α = 0.1: too much"], strict=True):
    model = fitted(alpha)
    ax.plot(grid, np.sin(grid), ":", color=GREY, label="sine")
    ax.plot(grid, nn.predict(model, grid), color=BLUE, label="network")
    ax.plot(x, y, "o", color=VERMILION, markersize=5, label="examples")
    ax.set(title=title, xlabel="x", xticks=[-4, 0, 4], ylim=(-2.2, 2.2))
    on_examples, on_sine = (
        np.mean((nn.predict(model, x) - y) ** 2),
        np.mean((nn.predict(model, grid) - np.sin(grid)) ** 2),
    )
    squares = sum(np.sum(p.data**2) for p in model.parameters())
    print(f"α = {alpha:4}: error {on_examples:.3f} on the examples, {on_sine:.3f} from the sine; ‖w‖² = {squares:6.2f}")
print(f"{sum(p.size for p in model.parameters()):,} parameters, {len(x)} examples")
axes[0].set_ylabel("y")
axes[2].legend(frameon=False, fontsize=9, loc="lower right")
fig.suptitle("A penalty on large weights takes the wiggles out", y=1.03)
plt.show()

# %% [markdown]
# *The picture: without penalty the curve passes near every example and leaps between them; with 0.01 it is near the
# sine; with 0.1 it is flat.* The error on the examples grows from left to right. The error that counts has its minimum
# in between.
#
# ## A sum of two losses · `S2-04`
#
# $$\ell_\mathrm{overall} = \ell_\mathrm{data} + \alpha \lVert w \rVert^2$$
#
# As a graph, for one example of a linear unit with two weights. **Predict** the upstream gradient of each part.

# %%
alpha = 0.1
w = Tensor([1.0, -2.0], requires_grad=True, name="w")
data_loss = (np.array([3.0, 0.5]) @ w - 1.0) ** 2
regularizer = alpha * np.sum(w * w)
data_loss.name, regularizer.name = "data loss", "regularizer"
overall = data_loss + regularizer
overall.name = "overall"
overall.backward()
with tempfile.TemporaryDirectory() as folder:
    graph(overall).save(f"{folder}/graph.png", rankdir="TB")
    picture = Image(filename=f"{folder}/graph.png", width=620)
picture

# %% [markdown]
# *The picture: `w` at the top goes two ways, through the prediction to the data loss and through its squares to the
# regularizer; both end in the sum, whose edges have the local derivative 1.*
#
# A sum hands its gradient to both parts as it is, so they know nothing of each other. And the way through the
# regularizer is short: in a network, too, no activation would lie on it.
#
# ## Exactly 2αw · `S2-02`
#
# $$\frac{\partial \ell_\mathrm{overall}}{\partial w} = \frac{\partial \ell_\mathrm{data}}{\partial w} + 2 \alpha w$$

# %%
start = np.array([1.0, -2.0])
penalized = Tensor(start, requires_grad=True)
(alpha * np.sum(penalized * penalized)).backward()
print("exactly 2αw:", np.array_equal(penalized.grad, 2 * alpha * start))
by_data = 2 * (np.array([3.0, 0.5]) @ start - 1.0) * np.array([3.0, 0.5])
print("with the data loss:", w.grad, "=", by_data, "+", 2 * alpha * start)

# %% [markdown]
# Optimizers have a `weight_decay` $\lambda$, which adds $\lambda w$. The 2 is part of it: $\lambda = 2\alpha$. Whoever
# copies $\alpha$ over regularizes half as much.

# %%
for decay in (2 * alpha, alpha):
    w = Tensor(start, requires_grad=True)
    w.grad = by_data
    nn.optim.SGD([w], lr=0.1, weight_decay=decay).step()
    print(f"λ = {decay:.1f}: ", w.data, np.allclose(w.data, start - 0.1 * (by_data + 2 * alpha * start), rtol=1e-12))

# %% [markdown]
# ## Only the data loss propagates · `S2-03`
#
# The derivative of the regularizer needs $w$ and nothing else: no activation, no upstream gradient. So the notes leave
# it out of the graph and add it at the update. Below both ways, in a network with one hidden layer. **Predict**: does
# the gradient that arrives at the hidden layer differ?


# %%
def one_pass(in_the_loss):
    """The gradient at the hidden layer, that of the first weights, and how many nodes were recorded."""
    model = nn.MLP([1, 5, 1], "tanh", dtype=float, rng=np.random.default_rng(0))
    hidden = model[:2](x)
    hidden.retain_grad()
    loss = np.mean((model[2](hidden) - y) ** 2)
    if in_the_loss:
        loss = loss + alpha * sum(np.sum(p * p) for p in model.parameters())
    nodes = len(graph(loss).nodes)
    loss.backward()
    return hidden.grad, model[0].weight, nodes


with_term, weight, nodes = one_pass(in_the_loss=True)
without_term, other, fewer = one_pass(in_the_loss=False)
print("same gradient at the hidden layer, bit for bit:", np.array_equal(with_term, without_term))
print(
    "the weights' gradients differ by 2αw:", np.allclose(weight.grad - other.grad, 2 * alpha * weight.data, rtol=1e-12)
)
print(f"recorded nodes: {nodes} with the term in the loss, {fewer} without")

# %% [markdown]
# Whole trainings are the same, too, but for rounding, with every optimizer that adds the decay to the gradient.
# **Predict**: which of these three is the exception?


# %%
def trained(make, penalty, decay, steps=50):
    model = nn.MLP([1, 5, 1], "tanh", dtype=float, rng=np.random.default_rng(0))
    optimizer = make(model.parameters(), lr=0.05, weight_decay=decay)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = np.mean((model(x) - y) ** 2)
        if penalty:
            loss = loss + penalty * sum(np.sum(p * p) for p in model.parameters())
        loss.backward()
        optimizer.step()
    return np.concatenate([p.data.ravel() for p in model.parameters()])


for make in (nn.optim.SGD, nn.optim.Adam, nn.optim.AdamW):
    in_the_loss, at_the_update = trained(make, alpha, 0.0), trained(make, 0.0, 2 * alpha)
    print(f"{make.__name__:6} the same: {np.allclose(in_the_loss, at_the_update, rtol=1e-6)}")

# %% [markdown]
# ### Why AdamW is different
#
# Adam divides the gradient by its typical size. What is added to the gradient is divided with it: a weight whose
# gradients are large is hardly decayed. AdamW takes the decay out of the gradient, $w \leftarrow (1 - \eta\lambda) w$,
# and lets Adam do its step afterwards.
#
# Two weights, both at 1, whose gradients are pure noise, of standard deviation 10 and 0.01. Nothing in the data holds
# them. **Predict** how they decay.


# %%
def decayed(make, steps=2000):
    rng = np.random.default_rng(0)
    w = Tensor([1.0, 1.0], requires_grad=True)
    optimizer = make([w], lr=0.001, weight_decay=1.0)
    path = [w.data.copy()]
    for _ in range(steps):
        w.grad = rng.normal(size=2) * [10, 0.01]
        optimizer.step()
        path.append(w.data.copy())
    return np.array(path)


fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, make in zip(axes, [nn.optim.Adam, nn.optim.AdamW], strict=True):
    path = decayed(make)
    ax.plot(path[:, 0], color=VERMILION, label="large gradients")
    ax.plot(path[:, 1], color=BLUE, label="small gradients")
    ax.plot(0.999 ** np.arange(2001), ":", color=GREY, label="(1 − ηλ)ᵗ")
    ax.set(xlabel="step t", title=make.__name__)
axes[0].set_ylabel("weight")
axes[0].legend(frameon=False, fontsize=9)
fig.suptitle("Adam's weight decay depends on the gradients; AdamW's does not", y=1.03)
plt.show()

# %% [markdown]
# *The picture: with Adam the weight with large gradients hardly decays, and the other one decays faster than the
# formula; with AdamW both follow it, with noise.*
#
# ## Dropout · `S2-24`
#
# In every training step each activation is kept with probability $p$ and set to 0 otherwise. What is kept is multiplied
# by $1/p$ (*inverted* dropout),
#
# $$\tilde a_i = \frac{m_i}{p}\, a_i, \qquad P(m_i = 1) = p, \qquad
# \mathbb{E}[\tilde a_i] = p \cdot \frac{a_i}{p} + (1 - p) \cdot 0 = a_i .$$
#
# So the expected output in training is the output of all units, and nothing needs to be scaled at test time.
#
# In the notes $p$ is the probability to **keep**. In `nn.Dropout`, as in PyTorch, it is the probability to **drop**.
# One layer of ten units, the same input eight times:

# %%
keep = 0.8
layer = nn.Dropout(1 - keep, rng=np.random.default_rng(0))
activations = np.linspace(0.1, 1.0, 10)
draws = np.array([layer(activations) for _ in range(8)])

fig, ax = plt.subplots(figsize=(7, 3))
image = ax.imshow(np.where(draws == 0, np.nan, draws), cmap="viridis", vmin=0, vmax=1.25, aspect="auto")
ax.set_facecolor("#dddddd")
ax.set(xlabel="unit", ylabel="training step", title="Each step leaves out other units")
fig.colorbar(image, label="activation")
plt.show()

# %% [markdown]
# *The picture: eight rows, one for each step. In each, other units of the ten are dropped, in grey; those that are kept
# are multiplied by 1.25.*
#
# **Predict** the average of many such rows, and what comes out if somebody passes the 0.8 of the notes to `nn.Dropout`.

# %%
many = 20_000
for argument in (1 - keep, keep):
    out = dropout(np.broadcast_to(activations, (many, 10)), argument, rng=np.random.default_rng(1))
    print(
        f"nn.Dropout({argument:.1f}): {np.mean(out != 0):.2f} kept, factor {out.max():.2f}, mean of the last unit "
        f"{out[:, -1].mean():.2f} ± {out[:, -1].std():.2f}"
    )

# %% [markdown]
# Both have the right expectation, so no error shows. But the noise with the wrong one is four times as large.
#
# The expectation is exact as far as the network is linear. All $2^4$ masks of four units into a linear one, each with
# its probability, and then the same through a relu:

# %%
inputs, weights = np.array([1.0, 2.0, -1.0, 4.0]), np.array([0.5, -1.0, 2.0, 0.5])
masks = np.array(list(np.ndindex(2, 2, 2, 2)))
chances = np.prod(np.where(masks == 1, keep, 1 - keep), axis=1)
outputs = (masks * inputs / keep) @ weights
print(f"linear: expected {chances @ outputs:.4f}, at test time {inputs @ weights:.4f}")
print(f"relu:   expected {chances @ np.maximum(outputs, 0):.4f}, at test time {max(inputs @ weights, 0):.4f}")

# %% [markdown]
# Behind a nonlinearity, "output at test time = expected output at training time" is an approximation. Here it is a poor
# one: some masks make the relu's input positive, all units together do not.
#
# The backward pass meets the same mask. Who was left out gets no gradient from this example:

# %%
a = Tensor(activations, requires_grad=True)
out = nn.Dropout(1 - keep, rng=np.random.default_rng(0))(a)
out.backward(np.ones(10))
print("outputs:  ", out.data.round(3))
print("gradients:", a.grad)

# %% [markdown]
# ## Classic dropout · `S2-25`
#
# The first papers did not scale in training: $m_i a_i$, and $p\,a_i$ at test time, when all are active. That is $p$
# times the inverted form, in both modes, mask for mask. The factor can wait for the test or be dealt with at once;
# today's libraries deal with it at once, so that the test needs to know nothing.
#
# The notes have both sentences, one below the other: scale up by $1/p$ in training, scale by $p$ at test time. It is
# one or the other. **Predict** what both together do.

# %%
hidden = np.random.default_rng(2).normal(size=(4, 1000))
layer = nn.Dropout(1 - keep, rng=np.random.default_rng(0))
inverted_train, inverted_test = layer(hidden), layer.eval()(hidden)
mask = inverted_train != 0
classic_train, classic_test = mask * hidden, keep * hidden
print("training: classic = p · inverted:", np.allclose(classic_train, keep * inverted_train, rtol=1e-12))
print("test:     classic = p · inverted:", np.allclose(classic_test, keep * inverted_test, rtol=1e-12))

ones = np.ones(100_000)
in_training = dropout(ones, 1 - keep, rng=np.random.default_rng(3)).mean()
for name, at_test in [("inverted only", ones), ("both at once", keep * ones)]:
    print(f"{name:13}: test / expected in training = {at_test.mean() / in_training:.2f}")

# %% [markdown]
# ## At test time all neurons are active · `S2-26`
#
# `eval()` makes dropout the identity: the very same object, with nothing recorded. **Predict** what a network says
# twice to the same input, in each mode.

# %%
model = nn.MLP([1, 40, 40, 1], "tanh", dropout=0.2, dtype=float, rng=np.random.default_rng(0))
print("training:  ", *(f"{model([[0.5]]).item():.4f}" for _ in range(3)))
model.eval()
print("evaluation:", *(f"{model([[0.5]]).item():.4f}" for _ in range(3)))
print("the same object:", nn.Dropout(0.2).eval()(a) is a)

# %% [markdown]
# Forgetting `eval()` raises no error. It gives noisy predictions. `nn.fit`, `nn.evaluate` and `nn.predict` change the
# mode on their own and change it back.
#
# ## What it buys
#
# 400 digits to learn from, of which a fifth have a random label, and 1397 clean ones to test on. **Predict**: which
# network is best on the labels that it learned, and which on the others?

# %%
digits = load_digits()
x_train, x_test, y_train, y_test = nn.train_test_split(
    digits.data / 16, digits.target, test_size=1397, rng=np.random.default_rng(0), stratify=digits.target
)
rng = np.random.default_rng(0)
noisy = np.where(rng.random(400) < 0.2, rng.integers(0, 10, 400), y_train)

fig, ax = plt.subplots()
for drop, hue in [(0.0, VERMILION), (0.25, GREEN), (0.6, BLUE)]:
    model = nn.MLP([64, 128, 10], dropout=drop, rng=np.random.default_rng(0))
    history = nn.fit(
        model,
        cross_entropy,
        nn.optim.Adam(model.parameters(), lr=0.003),
        (x_train, noisy),
        validation=(x_test, y_test),
        metrics={"accuracy": nn.accuracy},
        epochs=60,
        batch_size=50,
        progress=False,
        rng=np.random.default_rng(0),
    )
    ax.plot(history["val_accuracy"], color=hue, label=f"dropped: {drop:g}")
    by_heart, honest = (nn.accuracy(nn.predict(model, x), y) for x, y in [(x_train, noisy), (x_test, y_test)])
    print(f"dropped {drop:4}: accuracy {by_heart:.3f} on the noisy labels, {honest:.3f} on the test")
ax.set(
    xlabel="epoch", ylabel="accuracy on the test", ylim=(0.7, 0.96), title="Dropout keeps a network from learning noise"
)
ax.legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# *The picture: test accuracy over 60 epochs. All three rise to about 0.9 within fifteen; then the curve without
# dropout falls most, as the wrong labels are learned, and the one with 0.6 hardly.* Stopping after fifteen epochs
# would have done as well here, if one had known; `nn.EarlyStopping` looks for that epoch.
#
# ## Exercises
#
# **Exercise 1: another penalty.** For $\alpha \sum_i |w_i|$, write what is added to the gradient at the update step.
# The cell holds an answer; cover it, and put yours in its place.


# %%
def added(w, alpha):
    """The answer; write your own."""
    return alpha * np.sign(w)


# %%
w = Tensor([1.5, -0.5, 2.0], requires_grad=True)
(0.3 * np.sum(np.abs(w))).backward()
assert np.allclose(added(w.data, 0.3), w.grad, rtol=1e-12)
print("exercise 1 is right")

# %% [markdown]
# **Exercise 2: classic dropout as a module.** Write a `ClassicDropout(keep)` that scales at test time. It knows its
# mode as `self.training`.


# %%
class ClassicDropout(nn.Module):
    """The answer; write your own."""

    def __init__(self, keep, rng):
        self.keep, self.rng = keep, rng

    def forward(self, a):
        """Leave units out while training, and make up for it at test time."""
        if self.training:
            return a * (self.rng.random(a.shape) < self.keep)
        return a * self.keep


# %%
layer = ClassicDropout(0.8, np.random.default_rng(0))
ones = np.ones(100_000)
assert set(np.unique(layer(ones))) == {0.0, 1.0}
assert abs(layer(ones).mean() - layer.eval()(ones).mean()) < 5 * np.sqrt(0.8 * 0.2 / ones.size)
print("exercise 2 is right")

# %% [markdown]
# **Exercise 3: biases need no decay.** They bend nothing. Give `nn.optim.SGD` two groups so that only weights, the
# parameters of two axes, are decayed.

# %%
model = nn.MLP([1, 5, 1], "tanh", dtype=float, rng=np.random.default_rng(0))
groups = [  # the answer; write your own
    {"params": [p for p in model.parameters() if p.ndim == 2], "weight_decay": 0.5},
    {"params": [p for p in model.parameters() if p.ndim == 1]},
]

# %%
before = model.state_dict()
for p in model.parameters():
    p.grad = np.zeros(p.shape)  # no data: only the decay moves
nn.optim.SGD(groups, lr=0.1).step()
for name, value in model.state_dict().items():
    factor = 1 - 0.1 * 0.5 if name.endswith("weight") else 1.0
    assert np.allclose(value, factor * before[name], rtol=1e-12)
print("exercise 3 is right")

# %% [markdown]
# ## Where to read on · `S2-27`
#
# The notes point to two courses, and both are worth it:
#
# - [CS231n](https://cs231n.github.io/neural-networks-2/) at Stanford: its notes on setting up the data and the model
#   have penalties, dropout and initialization side by side;
# - [François Fleuret's deep learning course](https://fleuret.org/dlc/) at EPFL: slides and exercises, with lectures on
#   dropout and on batch normalization of their own.
#
# The sources: Srivastava and others, *Dropout*, JMLR 2014; Loshchilov and Hutter, *Decoupled Weight Decay
# Regularization*, ICLR 2019.
#
# ## Summary
#
# - $\alpha\lVert w\rVert^2$ adds exactly $2\alpha w$ to the gradient: `weight_decay` $= 2\alpha$.
# - It joins at the update step. Only the gradient of the data loss travels through the graph.
# - For SGD, and for Adam with its coupled decay, both ways are one; AdamW's decay stands beside the gradient.
# - Inverted dropout divides what it keeps by the probability to keep, and is the identity at test time. The notes' $p$
#   keeps; PyTorch's and `nn`'s drops.
