# %% [markdown]
# # 7. Vanishing and exploding gradients
#
# A gradient reaches the first layer as a product, with a factor or two for each layer that it came through. What
# becomes of a product of many factors? For a long time the answer kept deep networks from learning. This notebook takes
# the product apart: first with numbers, then with matrices, then with sigmoids.
#
# You will see
#
# - ten layers that multiply by 57, and two hundred that leave exactly nothing;
# - that the way forward multiplies by $W$ and the way back by $W^T$, so that both vanish or explode together;
# - variances of activations and of gradients that are powers, $\beta^L$;
# - how a sigmoid saturates, how to notice it, and why data are normalised;
# - why one does not simply leave the activation functions out.
#
# Lectures: S0 (CS230, lecture 3: initializations), S1 (CS229, lecture 11: activation functions, initialization), S2
# (BLG561E: vanishing and exploding gradients), S3 (Backpropagation, initialization, autograd: the sigmoid and its
# slope).

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from sklearn.datasets import load_breast_cancer, make_moons

import nn
from autograd import FlowRecorder, Tensor, graph, sigmoid

plt.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#777777"

# %% [markdown]
# ## Ten layers that multiply · `S1-25`
#
# The smallest deep network: ten layers of two units, no biases, $g(z) = z$, and
#
# $$W^{[l]} = \begin{pmatrix} 1.5 & 0 \\ 0 & 1.5 \end{pmatrix}.$$
#
# **Predict.** The input is $x = (1, 1)$. Is $\hat y$ nearer to 15, to 50 or to 500? And with 0.5 in place of 1.5?

# %%
for weight in (1.5, 0.5):
    y = Tensor([1.0, 1.0], requires_grad=True)
    for _ in range(10):
        y = weight * np.eye(2) @ y
    print(f"{weight}: y = {y.data}, and {weight}^10 = {weight**10:.6f}")

# %% [markdown]
# Each layer is harmless, all together are not. And the gradients? Four layers of one unit, each with its own weight
# $w_l = 1.5$, are few enough to look at.
#
# **Predict.** Which of $\partial y / \partial w_1, \dots, \partial y / \partial w_4$ is the largest?

# %%
y = Tensor(1.0, requires_grad=True, name="x")
for layer in range(1, 5):
    y = Tensor(1.5, requires_grad=True, name=f"w{layer}") * y
y.name = "y"
graph(y)

# %% [markdown]
# *The graph above can be stepped through; here is the same as a plain picture. From left to right four products, each
# of a weight and of what the product before returned; on every edge the local derivative and what goes back through
# it.*

# %%
with tempfile.TemporaryDirectory() as folder:
    graph(y).save(f"{folder}/chain.png")
    picture = Image(filename=f"{folder}/chain.png", width=800)
picture

# %% [markdown]
# They are equal. The gradient of $w_1$ has been multiplied by 1.5 three times on its way back. That of $w_4$ has not,
# but its factor is an activation that was multiplied three times on its way forward. Each $\partial y / \partial w_l$
# is the product of all *other* factors, $1.5^3 = 3.375$. The gradients at the activations differ: follow the field
# “grad” of the products, from 1 at the end to 3.375 at the first.
#
# Look at both kinds, then, when you look for vanishing gradients: those of the weights can be equal in all layers, and
# equally useless.

# %% [markdown]
# ## Forward by $W$, backward by $W^T$ · `S2-06` `S2-07`
#
# Without activation functions and biases, $\hat y = W^3 W^2 W^1 x$. The way back meets the same matrices in the
# opposite order, and transposed.
#
# **Predict.** The layers have 2, 4, 3 and 2 units. Which shapes do the gradients at $a^2$, $a^1$ and $x$ have, and
# which matrices have to be multiplied to get from one to the next?

# %%
rng = np.random.default_rng(0)
sizes = [2, 4, 3, 2]
W1, W2, W3 = (
    Tensor(rng.normal(size=(rows, columns)), requires_grad=True, name=f"W{layer}")
    for layer, (rows, columns) in enumerate(zip(sizes[1:], sizes), 1)
)
x = Tensor([[1.0], [-2.0]], requires_grad=True, name="x")  # one example, as a column
a1 = W1 @ x
a2 = W2 @ a1
y = W3 @ a2
g = np.array([[1.0], [0.5]])  # the gradient of the loss by y, g_L in the notes
for activation in (a1, a2):
    activation.retain_grad()
y.backward(g)

# %%
way_back = {
    "at a2: W3ᵀ g": (a2.grad, W3.data.T @ g),
    "at a1: W2ᵀ W3ᵀ g": (a1.grad, W2.data.T @ W3.data.T @ g),
    "at x: W1ᵀ W2ᵀ W3ᵀ g": (x.grad, W1.data.T @ W2.data.T @ W3.data.T @ g),
}
for name, (gradient, by_hand) in way_back.items():
    print(f"{name:20} shape {gradient.shape}, equal: {np.allclose(gradient, by_hand, rtol=1e-12)}")

# %%
ways = {
    "Forward, from right to left:  $W^3 \\; W^2 \\; W^1 \\; x$": [W3, W2, W1, x],
    "Backward, from right to left:  $(W^1)^T \\; (W^2)^T \\; (W^3)^T \\; g_L$": [W1.T, W2.T, W3.T, g],
}
figure, axes = plt.subplots(2, 1, figsize=(6.4, 4.8), sharex=True, layout="constrained")
for ax, (title, factors), colour in zip(axes, ways.items(), (BLUE, RED)):
    left = 0.0
    for factor in factors:
        rows, columns = factor.shape
        values = factor.numpy() if isinstance(factor, Tensor) else factor
        ax.imshow(values, cmap="PuOr", vmin=-2.5, vmax=2.5, extent=(left, left + columns, -rows, 0))
        ax.text(left + columns / 2, -rows - 0.1, f"{rows} × {columns}", ha="center", va="top")
        left += columns + 0.8
    ax.set_xlim(-0.2, left)
    ax.set_ylim(-4.6, 0.2)
    ax.set_title(title, color=colour, loc="left", fontsize=11)
    ax.axis("off")
figure.suptitle("The way back multiplies by the transposes, in the opposite order")
plt.show()

# %% [markdown]
# *Upper row: $W^3$, $W^2$, $W^1$ and $x$ as coloured grids, wide where a layer has many inputs. Lower row: the same
# grids turned over, from $(W^1)^T$ to $g_L$. In each row, neighbours fit.*
#
# The gradient of the first weights is what arrives at $a^1$, times what $W^1$ was multiplied with:
#
# $$\frac{\partial \ell}{\partial W^1} = (W^2)^T \cdots (W^L)^T g_L \, x^T .$$
#
# The notes write a product that begins with $(W^1)^T$ and call what follows "others". With $(W^1)^T$ the product is the
# gradient of the *input*; the gradient of $W^1$ stops one factor earlier, and ends with $x^T$. The shapes tell:

# %%
print("W1 has shape", W1.shape)
print("with (W1)^T:       ", (W1.data.T @ W2.data.T @ W3.data.T @ g).shape)
print("without, and x^T:  ", (W2.data.T @ W3.data.T @ g @ x.data.T).shape)
print("equal to W1.grad:  ", np.allclose(W2.data.T @ W3.data.T @ g @ x.data.T, W1.grad, rtol=1e-12))

# %% [markdown]
# ## Two hundred layers · `S2-08`
#
# The notes take $L = 200$ layers with $W = 1.2\,I$, and with $W = 0.5\,I$.
#
# **Predict.** How many digits has $1.2^{200}$? And is $0.5^{200}$, for a computer, small or nothing?


# %%
def deep(weight: float, layers: int, dtype: type) -> tuple[list[float], float]:
    """All activations of a unit in such a network, for the input 1, and the gradient at the input."""
    x = Tensor(1.0, requires_grad=True, dtype=dtype)
    a, activations = x, []
    with np.errstate(over="ignore"):
        for _ in range(layers):
            a = weight * a
            activations.append(a.item())
        a.backward()
    return activations, x.grad.item()


for weight in (1.2, 0.5):
    print(f"{weight}^200 = {weight**200:.3e}")
    for dtype in (np.float64, np.float32):
        activations, gradient = deep(weight, 200, dtype)
        print(f"    {dtype.__name__}: y = {activations[-1]:.3e}, gradient at x = {gradient:.3e}")

# %% [markdown]
# In float64 there are numbers. In float32, which networks are trained in, $0.5^{200}$ is exactly 0, and no learning
# rate makes anything else of it.
#
# **Predict.** The smallest positive float32 is $2^{-149}$. After how many layers is nothing left? And with a thousand
# layers of 1.2: after how many is there infinity?

# %%
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for weight, colour in ((1.2, RED), (0.5, BLUE)):
    for dtype, style in ((np.float64, ":"), (np.float32, "-")):
        values = np.array(deep(weight, 600, dtype)[0])
        shown = np.where((values > 0) & np.isfinite(values), values, np.nan)
        ax.plot(range(1, 601), shown, style, color=colour, label=f"{weight}, {dtype.__name__}")
        if dtype is np.float32:
            end = int(np.flatnonzero(np.isnan(shown))[0])
            ax.plot(end, values[end - 1], "o", color=colour)
            note = f"{'0' if values[end] == 0 else '∞'} in layer {end + 1}"
            ax.annotate(
                note,
                (end, values[end - 1]),
                xytext=(8, -16 if weight > 1 else 2),
                textcoords="offset points",
                color=colour,
            )
            print(f"{weight} in float32: {values[end]} from layer {end + 1} on")
ax.set_yscale("log")
ax.set_ylim(1e-110, 1e60)
ax.set_yticks([1e-100, 1e-50, 1, 1e50])
ax.set_xlabel("layer")
ax.set_ylabel("activation")
ax.set_title("A float32 chain ends early, in 0 or in infinity")
ax.legend(loc="upper left")
plt.show()

# %% [markdown]
# *On a logarithmic axis, two straight lines over 600 layers: rising for 1.2, falling for 0.5. The lines in float32 end
# at marked points; those in float64, dotted, go on.*
#
# ### Exercise 1
#
# Write `weight_for(factor, layers)`: the weight with which a chain of so many layers multiplies by `factor`. How close
# to 1 is it for a factor of 10, over 200 layers?
#
# <details><summary>Hint</summary>
#
# A chain multiplies by the weight to the power of the number of layers.
# </details>


# %%
# Answer: try it first.
def weight_for(factor: float, layers: int) -> float:
    return factor ** (1 / layers)


# %%
assert np.isclose(weight_for(1.5**10, 10), 1.5)
assert np.isclose(deep(weight_for(10.0, 200), 200, np.float64)[0][-1], 10.0)
print(f"{weight_for(10.0, 200):.4f} and {weight_for(0.1, 200):.4f}")

# %% [markdown]
# Between growing ten times and shrinking ten times lie 2.3 percent of a weight. No one hits that by chance; notebook 8
# is about hitting it on purpose.

# %% [markdown]
# ## Random weights: powers of $\beta$ · `S0-27` `S0-28` `S0-22`
#
# Real weights are drawn at random. Then not $a$ itself but its variance is multiplied in each layer, by $n$ times the
# variance of the weights (notebook 8 proves and tests it):
#
# $$\mathrm{Var}(a^{[L]}) = \left[\prod_{l=1}^{L} n^{[l-1]} \, \mathrm{Var}(W^{[l]})\right] \mathrm{Var}(a^{[0]}),
# \qquad \mathrm{Var}(W) = \frac{\beta}{n} \;\Rightarrow\; \mathrm{Var}(a^{[L]}) = \beta^L \, \mathrm{Var}(x).$$
#
# **Predict.** Thirty layers, $\beta = 1.5$: about which variance comes out, if the inputs have variance 1? The recorder
# measures the spread of activations and the size of gradients in each layer.

# %%
rng = np.random.default_rng(1)
depth, width = 30, 200
x = rng.normal(size=(200, width))
layers = np.arange(1, depth + 1)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for beta, colour in ((2.0, RED), (1.5, ORANGE), (1.0, GREY), (0.75, GREEN), (0.5, BLUE)):
    model = nn.MLP([width] * (depth + 1), None, bias=False, dtype=np.float64)
    for weight in model.parameters():
        nn.init.normal_(weight, std=np.sqrt(beta / width), rng=rng)
    with FlowRecorder(model) as flow:
        model(x).sum().backward()
    spread = np.array([record.spread[0] for record in flow.records.values()])
    gradient = np.array([record.output_gradient[0] for record in flow.records.values()])
    print(f"beta {beta:4}: Var(a[30]) = {spread[-1] ** 2:.2e}, beta^30 = {beta**30:.2e}")
    axes[0].plot(layers, spread**2, "o", color=colour, markersize=4, label=f"β = {beta}")
    axes[0].plot(layers, beta ** layers.astype(float), color=colour, linewidth=1)
    axes[1].plot(layers, gradient**2, "o", color=colour, markersize=4)
    axes[1].plot(layers, beta ** (depth - layers).astype(float), color=colour, linewidth=1)
axes[0].set_yscale("log")
axes[0].set_xlabel("layer, from input to loss")
axes[1].set_xlabel("layer, from input to loss")
axes[0].set_title("Var(a): powers of β forward", loc="left")
axes[1].set_title("mean square of ∂loss/∂a: the same backward", loc="left")
axes[0].legend(loc="upper left", fontsize=9)
plt.show()

# %% [markdown]
# *Two panels over the layers 1 to 30: dots are measured, lines are powers of β. On the left they fan out from 1 at the
# input; on the right from 1 at the loss. Only β = 1 stays level.*
#
# Layers need not be alike. For any widths and variances the product is what counts:

# %%
sizes, factors = [100, 300, 200, 400], [0.25, 6.0, 2.0]  # factors n Var(W)
x = rng.normal(0, 2.0, size=(2000, 100))
model = nn.MLP(sizes, None, bias=False, dtype=np.float64)
for weight, n, factor in zip(model.parameters(), sizes, factors):
    nn.init.normal_(weight, std=np.sqrt(factor / n), rng=rng)
predicted = x.var()
with FlowRecorder(model) as flow:
    model(x).sum().backward()
print(f"Var(x)                    {predicted:7.3f}")
for n, factor, record in zip(sizes, factors, flow.records.values()):
    predicted *= factor
    print(f"times {factor:4} (n = {n:3}): predicted {predicted:7.3f}, measured {record.spread[0] ** 2:7.3f}")

# %% [markdown]
# ## Sigmoids: a factor of at most a quarter · `S3-11`
#
# With an activation function the recursion has two factors for each layer,
#
# $$\frac{\partial C}{\partial z^m} = \left( (W^{m+1})^T \frac{\partial C}{\partial z^{m+1}} \right)
# \circ \sigma'(z^m).$$
#
# The first may be large or small, as we saw. **Predict** the largest value that the second can have.

# %%
z = Tensor(np.linspace(-8, 8, 321), requires_grad=True)
a = sigmoid(z)
a.backward(np.ones(321))
print("largest slope:", z.grad.max(), "at z =", z.data[z.grad.argmax()].round(12))
edge = np.log(0.97 / 0.03)  # σ(edge) = 0.97
print(f"a < 0.03 or a > 0.97 where |z| > {edge:.2f}; slopes there are below {0.97 * 0.03:.3f}")

figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
ax.axvspan(-8, -edge, color=ORANGE, alpha=0.2, linewidth=0, label="saturated: a < 0.03 or a > 0.97")
ax.axvspan(edge, 8, color=ORANGE, alpha=0.2, linewidth=0)
ax.plot(z.data, a.data, color=BLUE, label="σ(z)")
ax.plot(z.data, z.grad, color=RED, label="σ'(z) = a (1 - a)")
ax.axhline(0.25, color=RED, linewidth=0.8, linestyle=":")
ax.text(7.9, 0.27, "1/4", color=RED, horizontalalignment="right")
ax.set_xlabel("z")
ax.set_title("The slope of a sigmoid is at most 1/4, and nearly 0 on either side")
ax.legend(loc="upper left", fontsize=9)
plt.show()

# %% [markdown]
# *The sigmoid rises from 0 to 1; its slope is a hill of height 1/4 around 0. Beyond ±3.48, shaded, both are flat.*
#
# The slopes of ten sigmoids in a row multiply a gradient by at most $(1/4)^{10}$, about a millionth, and the weights
# would have to make up for it. Let us watch which of the two factors does what, in a network with
# $\mathrm{Var}(W) = 1/n$.

# %%
rng = np.random.default_rng(2)
x, labels = rng.normal(size=(200, 100)), rng.integers(0, 2, (200, 1)).astype(float)


def recorded(activation: str, scheme: str, **options: object) -> FlowRecorder:
    """One backward pass through ten hidden layers of 100 units."""
    model = nn.MLP([100] * 11 + [1], activation, dtype=np.float64)
    nn.init.initialize(model, scheme, rng=np.random.default_rng(3), **options)
    with FlowRecorder(model) as flow:
        nn.functional.binary_cross_entropy_with_logits(model(x), labels).backward()
    return flow


flow = recorded("sigmoid", "lecun_normal")
size = {int(name): record.output_gradient[0] for name, record in flow.records.items()}  # even: z, odd: a = σ(z)
print("layer   times W^T   times σ'")
for m in range(9, 0, -1):
    print(f"{m:5}   {size[2 * m - 1] / size[2 * m]:9.3f}   {size[2 * m - 2] / size[2 * m - 1]:8.3f}")
print(f"from layer 10 to layer 1: {size[0] / size[18]:.1e}; (1/4)^9 = {0.25**9:.1e}")

# %% [markdown]
# The weights keep the size of the gradient, the slopes take three quarters of it in each layer. Other activation
# functions, each with weights that suit it:

# %%
axes = flow.plot_profile(label="sigmoid")
recorded("tanh", "xavier_normal", gain=5 / 3).plot_profile(axes, label="tanh")
recorded("relu", "kaiming_normal", nonlinearity="relu").plot_profile(axes, label="relu")
axes[0].figure.suptitle("Through ten layers, sigmoids lose the gradient; tanh and relu keep it")
plt.show()

# %% [markdown]
# *Gradients by layer on a logarithmic axis, at the outputs on the left, at the weights on the right. Below the last
# layer the lines of tanh and relu are nearly level; that of the sigmoids falls by nearly six orders of magnitude on its
# way back to the input. (The layers have even numbers, the activation functions between them odd ones.)*
#
# ### Exercise 2
#
# In a chain of one unit per layer with $w = 1$, each sigmoid multiplies the gradient by at most 1/4. From how many
# layers on must the gradient be exactly 0 in float32, whatever the inputs? The smallest positive float32 is
# `np.finfo(np.float32).smallest_subnormal`. A product that is not larger than half of it is rounded to 0.
#
# <details><summary>Hint</summary>
#
# $(1/4)^L = 2^{-2L}$. When is that at most half of $2^{-149}$?
# </details>

# %%
# Answer: try it first. (1/4)^L = 2^(-2L) is at most half of 2^(-149) from L = 75 on.
layers_until_nothing = 75

# %%
smallest = float(np.finfo(np.float32).smallest_subnormal)
assert 0.25**layers_until_nothing <= smallest / 2 < 0.25 ** (layers_until_nothing - 1)
assert np.float32(0.25**layers_until_nothing) == 0 < np.float32(0.25 ** (layers_until_nothing - 1))

# %% [markdown]
# ## Saturation · `S1-22`
#
# In the shaded parts even a single sigmoid stops learning. It does so just where it is most wrong, if the loss lets it.
#
# **Predict.** One unit, target $y = 1$, but $z = -8$: as wrong as can be. How large is $\partial L / \partial z$ for
# the squared error $(a - y)^2$? And for the cross-entropy?

# %%
for name, loss_of in (("squared error", nn.functional.mse_loss), ("cross-entropy", nn.functional.binary_cross_entropy)):
    z = Tensor([-8.0], requires_grad=True)
    loss_of(sigmoid(z), [1.0]).backward()
    print(f"{name}: {z.grad[0]:.6f}")

# %% [markdown]
# The notes name $\partial a^3 / \partial z^3$ as the factor that tends to 0. At the output, the cross-entropy cancels
# it: its own slope grows as fast as that of the sigmoid falls, and $a - y$ is left. In the hidden layers nothing
# cancels $a(1 - a)$, and there a saturated unit stays as it is. So one wants to know how many are saturated. A detector
# takes a line, and `FlowRecorder` has it built in.
#
# ### Exercise 3
#
# Write `saturated(a)`: the share of the activations of a sigmoid that are below 0.03 or above 0.97.
#
# <details><summary>Hint</summary>
#
# A comparison of an array is an array of truth values; two of them are joined by `|`, and the mean of truth values is a
# share.
# </details>


# %%
# Answer: try it first.
def saturated(a: np.ndarray) -> float:
    return np.mean((a < 0.03) | (a > 0.97))


# %%
assert saturated(np.array([0.01, 0.5, 0.96, 0.99])) == 0.5
for scale in (1, 10, 100):
    model = nn.Sequential(nn.Linear(100, 50, rng=np.random.default_rng(0)), nn.Sigmoid())
    with FlowRecorder(model) as flow:
        a = model((scale * x).astype(np.float32))
        a.sum().backward()
    share, slope = flow.records["1"].saturated[0], flow.records["0"].output_gradient[0]
    assert np.isclose(saturated(a.numpy()), share)
    print(f"inputs times {scale:3}: {share:5.1%} saturated, RMS of ∂loss/∂z {slope:.3f}")

# %% [markdown]
# ## Normalise the data · `S1-26`
#
# The first layer sees the data as they are. The breast cancer data have 30 features; the smallest has a mean of 0.004,
# the largest a value of 4254. The weights of `nn.Linear` suit inputs of about 1.
#
# **Predict.** Which share of the first layer's sigmoids is saturated before training? And what does the loss do?

# %%
data = load_breast_cancer()
inputs, targets = data.data, data.target[:, np.newaxis].astype(float)
inputs, test_inputs, targets, test_targets = nn.train_test_split(inputs, targets, rng=np.random.default_rng(0))
print("largest value of a feature:", inputs.max(), "- smallest of the means:", inputs.mean(axis=0).min().round(4))

standardizer = nn.Standardizer().fit(inputs)  # mean and standard deviation of the training data, for both
versions = {
    "as they are": (inputs, test_inputs),
    "standardised": (standardizer.transform(inputs), standardizer.transform(test_inputs)),
}
flows, losses = {}, {}
for name, (train, test) in versions.items():
    model = nn.MLP([30, 16, 1], "sigmoid", dtype=np.float64, rng=np.random.default_rng(0))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
    losses[name] = []
    with FlowRecorder(model) as flow:
        for _ in range(150):
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(train), targets)
            loss.backward()
            optimizer.step()
            losses[name].append(loss.item())
    flows[name] = flow
    accuracy = np.mean((model(test).numpy() > 0) == test_targets)
    share = flow.records["1"].saturated[0]
    print(f"{name}: {share:.1%} saturated at first, loss {losses[name][-1]:.3f}, test accuracy {accuracy:.1%}")
print(f"larger class: {test_targets.mean():.1%} of the test data")

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for name, colour in (("as they are", RED), ("standardised", BLUE)):
    axes[0].plot(range(1, 151), losses[name], color=colour, label=name)
    axes[1].plot(range(1, 151), 100 * np.array(flows[name].records["1"].saturated), color=colour, label=name)
axes[0].set_ylim(0, None)
axes[0].set_title("The loss falls where the data are standardised", loc="left", fontsize=11)
axes[1].set_ylim(0, 102)
axes[1].set_title("Saturated units of the first layer, in percent", loc="left", fontsize=11)
for ax in axes:
    ax.set_xlabel("step")
axes[0].legend()
plt.show()

# %% [markdown]
# *Left: the loss over 150 steps. Right: the share of saturated sigmoids over the same steps. Red lines are of the data
# as they are, blue ones of standardised data.*
#
# As they are, the data leave the loss at 0.663, and 64.3 percent is the share of the larger class among the test data:
# the network says the same to all. Standardised, they saturate no unit at first. Some are later, in a network that has
# learned.
#
# Mean and standard deviation are those of the training data, for both: the test data must be seen in the same units.

# %% [markdown]
# ## Why not leave the activation functions out? · `S1-23` `S1-24`
#
# CS229 adds that it is the absence of activation functions that makes gradients vanish or explode. Rather, it is the
# product; ten sigmoids vanished just as well. Still, without sigmoids there would be no saturation. What would be lost?
#
# $$z^1 = W^1 x + b^1, \quad z^2 = W^2 z^1 + b^2, \quad y = W^3 z^2 + b^3 = W x + B,$$
# $$W = W^3 W^2 W^1, \qquad B = W^3 W^2 b^1 + W^3 b^2 + b^3.$$
#
# ### Exercise 4
#
# Write `collapsed(model)`: the one matrix $W$ and the one bias $B$ of a network of affine layers, of any number of
# them.
#
# <details><summary>Hint</summary>
#
# Begin with $W = I$ and $B = 0$, and take in one layer after the other.
# </details>


# %%
# Answer: try it first.
def collapsed(model: nn.Sequential) -> tuple[np.ndarray, np.ndarray]:
    W, B = np.eye(model[0].in_features), np.zeros(model[0].in_features)
    for layer in model:
        W, B = layer.weight.data @ W, layer.weight.data @ B + layer.bias.data
    return W, B


# %%
model = nn.MLP([3, 50, 40, 2], None, dtype=np.float64, rng=np.random.default_rng(0))
W, B = collapsed(model)
(W1, b1), (W2, b2), (W3, b3) = ((layer.weight.data, layer.bias.data) for layer in model)
assert np.allclose(W, W3 @ W2 @ W1, rtol=1e-12, atol=1e-14)
assert np.allclose(B, W3 @ W2 @ b1 + W3 @ b2 + b3, rtol=1e-12, atol=1e-14)
examples = np.random.default_rng(1).normal(size=(5, 3))
assert np.allclose(model(examples).numpy(), examples @ W.T + B, rtol=1e-12, atol=1e-14)
print(sum(p.size for p in model.parameters()), "parameters, and a map of", W.size + B.size, "numbers")

# %% [markdown]
# A network without activation functions is a linear regressor, however deep. **Predict** how it parts two moons.

# %%
points, moon = make_moons(200, noise=0.15, random_state=0)
grid = np.stack(np.meshgrid(np.linspace(-1.8, 2.8, 120), np.linspace(-1.3, 1.8, 80)), axis=-1)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="constrained")
for ax, activation in zip(axes, (None, "tanh")):
    model = nn.MLP([2, 16, 16, 1], activation, dtype=np.float64, rng=np.random.default_rng(0))
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(points)[:, 0], moon).backward()
        optimizer.step()
    accuracy = np.mean((model(points).numpy()[:, 0] > 0) == moon)
    ax.contourf(
        grid[..., 0], grid[..., 1], model(grid).numpy()[..., 0], [-1e9, 0, 1e9], colors=[BLUE, ORANGE], alpha=0.2
    )
    for label, colour, marker in ((0, BLUE, "o"), (1, RED, "^")):
        ax.scatter(*points[moon == label].T, s=14, color=colour, marker=marker)
    ax.set_title(f"{activation or 'no activation function'}: {accuracy:.1%} right", loc="left")
    ax.set_xlabel("$x_1$")
axes[0].set_ylabel("$x_2$")
plt.show()

# %% [markdown]
# *Two interleaved moons of points. Left, the boundary of the network without activation functions is a straight line;
# right, with tanh, it follows the moons.*
#
# The notes also say that activation functions threshold. They do where the weights are large: $\sigma(kz)$ becomes a
# step as $k$ grows. It is the same thing seen from the other side. A unit that decides is a unit that is saturated, and
# hardly learns any more.

# %%
z = np.linspace(-2, 2, 401)
for k in (1, 4, 16):
    share = saturated(sigmoid(k * z))
    print(
        f"k = {k:2}: saturated on {share:4.0%} of [-2, 2], largest distance to a step beyond |z| > 0.5: "
        f"{np.abs(sigmoid(k * z) - (z > 0))[np.abs(z) > 0.5].max():.4f}"
    )

# %% [markdown]
# ## Neither too high nor too low · `S0-18`
#
# Now the whole picture: ten layers with tanh, weights from $\mathcal N(0, s^2/n)$, for an $s$ that is too small, about
# right and too large.
#
# **Predict**, for each of the three: are the activations of the last layer near 0, spread out, or near ±1? And the
# gradients at the first layer, compared to the last: smaller or larger? (One answer surprises most people.)

# %%
scales = {"too low, s = 0.5": 0.5, "about right, s = 5/3": 5 / 3, "too high, s = 6": 6.0}
flows = {name: recorded("tanh", "sigmoid", c=scale**2) for name, scale in scales.items()}
print(f"{'':21} spread of a[10]   saturated   gradient: first / last")
for name, flow in flows.items():
    last = flow.records["19"]
    ratio = flow.records["1"].output_gradient[0] / last.output_gradient[0]
    print(f"{name:21} {last.spread[0]:15.4f}   {last.saturated[0]:9.1%}   {ratio:22.4f}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 4.2), sharex=True, layout="constrained")
for ax, (name, flow) in zip(axes, flows.items()):
    flow.plot_ridges(ax)
    ax.set_title(name, loc="left")
axes[0].set_xlim(-20, 1)
axes[0].set_ylabel("layer, from input to loss")
figure.suptitle("Gradients at the outputs of each layer: they vanish, stay, explode")
plt.show()

# %% [markdown]
# *Three panels with a hill for each layer, the first layer on top: the distribution of the sizes of gradients, as
# powers of ten.*

# %% [markdown]
# The surprise is on the right. With large weights most units are saturated, and yet gradients explode: the units that
# are not saturated have large weights, and these make up for the others. Saturation by large *inputs*, as in the breast
# cancer data, is different: there no large weights lie on the way back, and the first layer stands still.
#
# ## Summary
#
# - Gradients are products over layers. Without activation functions $1.5^{10} = 57.665$,
#   $1.2^{200} = 6.9 \cdot 10^{15}$ and $0.5^{200} = 6.2 \cdot 10^{-61}$, which is exactly 0 in float32.
# - Forward the product is of $W$, backward of $W^T$. Without activation functions both vanish or explode together; with
#   them, the way back has the slopes as further factors.
# - With random weights of variance $\beta/n$, variances are powers $\beta^L$, in both directions. Only $\beta = 1$
#   stays level.
# - A sigmoid passes on at most a quarter, and almost nothing where it is saturated. `FlowRecorder` counts saturated
#   units.
# - Large inputs saturate the first layer: standardise the data, with the numbers of the training data.
# - Leaving out activation functions is no way out: the network collapses to $Wx + B$.
#
# The remedy is to begin with weights of the right variance. That is notebook 8.
