# %% [markdown]
# # 6. Saliency
#
# A network has learned to read digits, and says of a picture: a nine. Which pixels made it say so? The notes ask the
# same of an animal classifier, and answer with a derivative that training never looks at: that of the loss with respect
# to the *input*.
#
# **You will see**
#
# - pictures made into vectors, and gradients made into pictures again;
# - a backward pass that goes on to the input: a derivative for every pixel;
# - that it says what shifting a pixel does, checked by shifting pixels;
# - which pixels matter, tested by erasing them, and how little it takes to change a prediction;
# - what the hidden layer makes of the pixels.
#
# *Lecture parts:* CS230 lecture 3, what in the input led to a prediction (S0); CS229 lecture 11, pictures as vectors,
# and networks that find the inputs of their next layer (S1).

# %%
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from sklearn.datasets import load_digits

import nn
from autograd import Tensor, grad, graph, jacobian, softmax
from nn.functional import cross_entropy

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
plt.rcParams.update({"figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## A picture is a vector
#
# A linear layer takes vectors. The notes make a picture of $l \times w \times b$ numbers into a column of shape
# $(l\,w\,b,\,1)$ (`S1-01`); `nn.Flatten` does so for a batch, with a *row* for each picture. No number changes, only
# how they are counted. **Predict**: in the vector of an 8 × 8 picture, where does the pixel in row 2, column 5 stand?
# And what does `backward` have to do to a gradient that arrives at the vector?

# %%
digits = load_digits()
images, labels = digits.images / 16, digits.target  # from 0, white, to 1, black
train_x, test_x, train_y, test_y = nn.train_test_split(
    images, labels, test_size=0.25, rng=np.random.default_rng(0), stratify=labels
)
picture = Tensor(test_x[:1], requires_grad=True)
vector = nn.Flatten()(picture)
print("pictures:", picture.shape, " vectors:", vector.shape)
print("pixel [2, 5] is element", 2 * 8 + 5, "-", picture.data[0, 2, 5] == vector.data[0, 21])

vector.backward(np.arange(64.0)[None])
print("gradient of the picture:", picture.grad.shape, " at [2, 5]:", picture.grad[0, 2, 5])

# %% [markdown]
# The gradient takes the way back: element 21 goes to pixel [2, 5], and the gradient of a picture is a picture.
#
# ## A network that reads
#
# 64 pixels, 32 hidden units with tanh, 10 classes; about three quarters of the 1797 digits to learn from. The little
# weight decay has a reason: a pixel at the border is white in nearly every picture, so its weights are hardly ever
# asked, and without decay they would stay as they were drawn. The gradient at the input would then show what the
# network never learned.

# %%
rng = np.random.default_rng(0)
model = nn.Sequential(
    nn.Flatten(),
    nn.Linear(64, 32, dtype=np.float64, rng=rng),
    nn.Tanh(),
    nn.Linear(32, 10, dtype=np.float64, rng=rng),
)
optimizer = nn.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-3)
nn.fit(model, cross_entropy, optimizer, (train_x, train_y), epochs=20, rng=rng, progress=False)
predicted = nn.predict(model, test_x).argmax(axis=1)
print(f"right: {np.mean(predicted == test_y):.1%} of {len(test_y)} pictures that it has not seen")

# %% [markdown]
# Of the test pictures that are read rightly, take the one of which the network is least sure. A sure network has almost
# no gradient left, as we shall see.

# %%
probabilities = softmax(nn.predict(model, test_x))
sureness = np.where(predicted == test_y, probabilities[np.arange(len(test_y)), test_y], 1)
chosen = int(sureness.argmin())
first, second = np.argsort(-probabilities[chosen])[:2].tolist()
print(f"picture {chosen}, label {test_y[chosen]}: the network says", end=" ")
print(f"{first} with {probabilities[chosen, first]:.3f}, {second} with {probabilities[chosen, second]:.3f}")

# %% [markdown]
# ## On to the input
#
# To train, the loss was differentiated with respect to the weights. Nothing hinders the chain rule from going one step
# further (`S0-15`):
#
# $$\frac{\partial\mathcal L}{\partial x} = W^{(1)T}\,\frac{\partial\mathcal L}{\partial z^{(1)}}, \qquad
# \text{and so } \frac{\partial\mathcal L}{\partial x_{ij}} \text{ for every pixel } x_{ij}$$
#
# All it takes is an input that requires grad. **Predict**: do the weights still get their gradients? What is the shape
# of the new one?

# %%
x = Tensor(test_x[[chosen]], requires_grad=True, name="x")
loss = cross_entropy(model(x), test_y[[chosen]])
loss.name = "L"
loss.backward()
print("gradient of the picture:", x.grad.shape, " of the first weights:", model[1].weight.grad.shape)

W1, b1, W2, b2 = (parameter.data for parameter in model.parameters())
a1 = np.tanh(W1 @ test_x[chosen].ravel() + b1)
dz2 = softmax(W2 @ a1 + b2) - np.eye(10)[test_y[chosen]]
dz1 = (W2.T @ dz2) * (1 - a1**2)
by_hand = (W1.T @ dz1).reshape(8, 8)
print(f"largest difference to the chain rule by hand: {np.abs(x.grad[0] - by_hand).max():.0e}")
assert np.allclose(x.grad[0], by_hand, rtol=1e-10)

with tempfile.TemporaryDirectory() as folder:
    graph(loss).save(f"{folder}/to_the_input.png")
    drawing = Image(f"{folder}/to_the_input.png", width=950)
drawing

# %% [markdown]
# *The picture:* left to right the input `x`, made into a vector, two affine maps with their weights, tanh between them,
# the loss. The gradient of every card is below its value, that of `x` too.
#
# The weights are done with learning, so they can be frozen: then their gradients are not computed any more, and what is
# left is a function of the picture alone.

# %%
model.requires_grad_(False)


def saliency(picture, label):
    """Return ∂L/∂x of one picture."""
    return grad(lambda x: cross_entropy(model(x[None]), [label]))(picture)


fig, axes = plt.subplots(2, 10, figsize=(11, 2.7))
for digit, (above, below) in enumerate(axes.T):
    example = int(np.flatnonzero((test_y == digit) & (predicted == digit))[0])
    above.imshow(test_x[example], cmap="gray_r")
    below.imshow(np.abs(saliency(test_x[example], digit)), cmap="magma")
    for ax in above, below:
        ax.set_xticks([])
        ax.set_yticks([])
axes[0, 0].set_ylabel("picture")
axes[1, 0].set_ylabel("|∂L/∂x|")
fig.suptitle("Where a small change of a pixel would change the loss most")
plt.show()

# %% [markdown]
# *The picture:* a test picture of each digit, and below it the size of $\partial\mathcal L/\partial x_{ij}$ for each
# pixel, from black, none, to yellow, most (each map in its own scale). Bright pixels need not be ink: a white pixel
# where ink would make another digit of it is bright as well.
#
# ## What the numbers mean
#
# The notes put it so: the derivative says what impact a shift of $x$ has on $\mathcal L$ (`S0-16`). That can be tried.
# Shift one pixel up and down by a little, and look at the loss:
#
# $$\frac{\partial\mathcal L}{\partial x_{ij}} \approx
# \frac{\mathcal L(x+\varepsilon e_{ij})-\mathcal L(x-\varepsilon e_{ij})}{2\varepsilon}$$
#
# **Predict** how well all 64 agree for $\varepsilon = 10^{-5}$. And for a large shift, from white to black?


# %%
def loss_at(picture):
    return cross_entropy(model(picture[None]), [test_y[chosen]])


picture = test_x[chosen]
gradient = saliency(picture, test_y[chosen])
differences = np.zeros((8, 8))
for i, j in np.ndindex(8, 8):
    shift = np.zeros((8, 8))
    shift[i, j] = 1e-5
    differences[i, j] = (loss_at(picture + shift) - loss_at(picture - shift)) / 2e-5
print(
    f"largest disagreement: {np.abs(gradient - differences).max():.0e}, largest gradient: {np.abs(gradient).max():.2f}"
)
assert np.allclose(gradient, differences, atol=1e-8)

# %%
i, j = np.unravel_index(np.abs(gradient).argmax(), (8, 8))
direction = np.zeros((8, 8))
direction[i, j] = 1
shifts = np.linspace(-1, 1, 81)
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.5))
axes[0].plot([gradient.min(), gradient.max()], [gradient.min(), gradient.max()], color="0.7")
axes[0].scatter(gradient, differences, s=16, color=BLUE, zorder=3)
axes[0].set_xlabel("∂L/∂x, by the engine")
axes[0].set_ylabel("by shifting the pixel")
axes[0].set_title("Small shifts: all 64 pixels agree", loc="left")
axes[1].plot(shifts, [loss_at(picture + s * direction) for s in shifts], color=BLUE, linewidth=2, label="loss")
axes[1].plot(shifts, loss_at(picture) + gradient[i, j] * shifts, "--", color=RED, label="slope at 0")
axes[1].plot(0, loss_at(picture), "o", color="black")
axes[1].set_ylim(-1.5, 6)
axes[1].set_xlabel(f"shift of pixel [{i}, {j}], in the range from white to black")
axes[1].set_ylabel("loss")
axes[1].set_title("Large shifts leave the slope", loc="left")
axes[1].legend(frameon=False)
plt.show()

# %% [markdown]
# *The picture:* on the left each dot is a pixel, and all lie on the diagonal. On the right the loss as the most salient
# pixel is shifted: the derivative is the slope of the dashed line at 0. Far from there the line is wrong; it would even
# have the loss negative.
#
# ## Why a sure network has little to say
#
# The first factor on the way back is $y'-y$, probability minus target, so that
#
# $$\frac{\partial\mathcal L}{\partial x} = \sum_k (y'_k-y_k)\,\frac{\partial z_k}{\partial x}.$$
#
# **Predict** the size of $\partial\mathcal L/\partial x$ where the network gives the right class a probability of
# 0.9999.

# %%
of_scores = jacobian(lambda x: model(x[None])[0])(picture)
print("Jacobian of the ten scores:", of_scores.shape)
summed = np.tensordot(probabilities[chosen] - np.eye(10)[test_y[chosen]], of_scores, 1)
assert np.allclose(summed, gradient, rtol=1e-10)

inputs = Tensor(test_x, requires_grad=True)
cross_entropy(model(inputs), test_y, reduction="sum").backward()  # all pictures at once: exercise 1 asks why this works
of_losses = inputs.grad
sizes = np.sqrt(np.mean(of_losses**2, axis=(1, 2)))
surprise = 1 - probabilities[np.arange(len(test_y)), test_y]
fig, ax = plt.subplots(figsize=(6.5, 3.6))
ax.loglog(surprise, sizes, ".", color=BLUE, label="read rightly")
wrong = predicted != test_y
ax.loglog(surprise[wrong], sizes[wrong], "x", color=RED, label="read wrongly")
ax.set_xlabel("1 - probability of the right class")
ax.set_ylabel("root mean square of ∂L/∂x")
ax.set_title("The surer the network, the smaller the gradient at the input", loc="left")
ax.legend(frameon=False)
plt.show()
print(f"size of the gradient: median {np.median(sizes):.1e}, largest {sizes.max():.1f}")
print(f"divided by 1 - probability: median {np.median(sizes / surprise):.1f}")

# %% [markdown]
# *The picture:* a dot for each test picture; both scales are logarithmic. The size is roughly proportional to what is
# missing to probability 1, so at 0.9999 it is about $10^{-4}$. A small gradient of the *loss* does not say that no
# pixel matters, but that there is nothing left to lose. To ask why it is this class rather than that one, differentiate
# the difference of their *scores*, which has no such factor:

# %%
contrast = of_scores[first] - of_scores[second]
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.2))
panels = [
    (picture, "gray_r", 1, f"The picture, a {first}"),
    (contrast, "RdBu_r", np.abs(contrast).max(), f"∂(z{first} - z{second})/∂x"),
    (contrast * picture, "RdBu_r", np.abs(contrast * picture).max(), "the same, times ink"),
]
for ax, (values, colours, largest, title) in zip(axes, panels, strict=True):
    shown = ax.imshow(values, cmap=colours, vmin=0 if colours == "gray_r" else -largest, vmax=largest)
    ax.set_title(title, loc="left")
    ax.axis("off")
    fig.colorbar(shown, ax=ax, shrink=0.8)
plt.show()
bluest = [divmod(int(place), 8) for place in contrast.argsort(axis=None)[:2]]
print("ink at the two bluest pixels:", {place: picture[place].item() for place in bluest})

# %% [markdown]
# *The picture:* in the middle, ink at a red pixel speaks for the 9, at a blue one for the 8. The two bluest pixels
# have little ink or none: more of it there would close the lower loop of an 8. On the right the same times the ink
# that is there: what each inked pixel contributes, to first order.
#
# ## Do these pixels matter?
#
# A test: erase pixels, that is, make them white, and see whether the prediction stays. In which order? Candidates are
#
# - at random;
# - the largest $|\partial z_c/\partial x_{ij}|$ first, with the score $z_c$ of the predicted class;
# - the darkest first;
# - the largest $x_{ij}\,\partial z_c/\partial x_{ij}$ first: that is minus what erasing changes, to first order, since
#   to erase is to shift by $-x_{ij}$.
#
# **Predict** which order changes predictions soonest.

# %%
inputs = Tensor(test_x, requires_grad=True)
np.sum(model(inputs)[np.arange(len(test_y)), predicted]).backward()
of_score = inputs.grad.reshape(-1, 64)
ink = test_x.reshape(-1, 64)
orders = {
    "at random": (np.random.default_rng(0).random(ink.shape), "0.55"),
    "|∂z/∂x|": (np.abs(of_score), ORANGE),
    "darkest": (ink, GREEN),
    "x · ∂z/∂x": (ink * of_score, BLUE),
}
counts, after_five = np.arange(0, 25), {}
fig, ax = plt.subplots(figsize=(7.5, 3.8))
for name, (key, colour) in orders.items():
    ranked = np.argsort(-key, axis=1, kind="stable")
    stayed = []
    for count in counts:
        erased = ink.copy()
        np.put_along_axis(erased, ranked[:, :count], 0, axis=1)
        stayed.append(np.mean(nn.predict(model, erased.reshape(-1, 8, 8)).argmax(axis=1) == predicted))
    ax.plot(counts, 100 * np.array(stayed), color=colour, linewidth=2, label=name)
    after_five[name] = stayed[5]
    print(f"{name:<10} predictions that stay with 5 pixels erased: {stayed[5]:.0%}, with 12: {stayed[12]:.0%}")
assert list(after_five) == sorted(after_five, key=after_five.get, reverse=True)
ax.set_xlabel("pixels erased, of 64")
ax.set_ylabel("predictions that stay, in %")
ax.set_title("Gradient times ink finds the pixels that matter", loc="left")
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# *The picture:* the share of the test pictures whose prediction stays, over the number of erased pixels. The bare
# gradient (orange) soon does worse than the darkness of the ink (green), which needs no network at all. That is no
# contradiction: it is large at white pixels too, where there is nothing to erase. A derivative answers the question
# that it was asked, about a small shift. Multiplied with the shift that is made, it finds the pixels that matter
# (blue).
#
# ## Small shifts everywhere
#
# One small shift changes little. But 64 of them can be made at once, each in the direction that its derivative says:
# $x + \varepsilon\,\mathrm{sign}(\partial\mathcal L/\partial x)$. **Predict** how many of the test pictures are still
# read rightly for $\varepsilon = 0.1$, a tenth of the way from white to black; and how many if the signs are random.

# %%
signs = {
    "random signs": (np.random.default_rng(0).choice([-1.0, 1.0], test_x.shape), "0.55"),
    "signs of ∂L/∂x": (np.sign(of_losses), RED),
}
shifts = np.linspace(0, 0.2, 21)
fig, axes = plt.subplots(1, 3, figsize=(10, 3.3), width_ratios=[2.2, 1, 1])
for name, (sign, colour) in signs.items():
    right = [nn.accuracy(nn.predict(model, test_x + shift * sign), test_y) for shift in shifts]
    axes[0].plot(shifts, 100 * np.array(right), color=colour, linewidth=2, label=name)
    print(f"{name:<15} read rightly with shifts of 0.1: {right[10]:.0%}")
axes[0].set_xlabel("shift of every pixel, in the range from white to black")
axes[0].set_ylabel("read rightly, in %")
axes[0].set_title("64 small shifts mislead the network", loc="left")
axes[0].legend(frameon=False)
sure = int(np.flatnonzero((test_y == 3) & (predicted == 3))[0])
for ax, shift in zip(axes[1:], (0, 0.1), strict=True):
    moved = test_x[sure] + shift * signs["signs of ∂L/∂x"][0][sure]
    answer = softmax(nn.predict(model, moved[None]))[0]
    ax.imshow(moved, cmap="gray_r", vmin=-0.1, vmax=1.1)
    ax.set_title(f"shift {shift}: {answer.argmax()} ({answer.max():.2f})", fontsize=11)
    ax.axis("off")
plt.show()

# %% [markdown]
# *The picture:* on the left, random shifts are harmless and chosen ones are not. On the right one picture before and
# after: the shape of the 3 is still there for the reader, and above it stands what the network says, with its
# probability. Saliency is not only an explanation; whoever has the gradient at the input can use it.
#
# ## What the hidden layer sees
#
# The notes say of networks that they work out for themselves which inputs are best for the next layer (`S1-10`). Nobody
# told the 32 hidden units what to look for. Their weights have the shape of the picture, so they can be looked at; and
# each picture can be plotted by its 64 pixels or by its 32 activations, in the plane that shows most of the spread (the
# first two principal components). **Predict** in which of the two the digits lie further apart.

# %%
fig, axes = plt.subplots(2, 16, figsize=(11, 1.7))
weights = model[1].weight.data.reshape(32, 8, 8)
for ax, weight in zip(axes.ravel(), weights, strict=True):
    ax.imshow(weight, cmap="RdBu_r", vmin=-np.abs(weight).max(), vmax=np.abs(weight).max())
    ax.axis("off")
fig.suptitle("The weights of the 32 hidden units, as pictures")
plt.show()


# %%
def plane(features):
    """Return the first two principal components."""
    centred = features - features.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


def nearest_mean(features):
    """Return the share of the pictures that are nearest to the mean of their own class."""
    means = np.array([features[test_y == digit].mean(axis=0) for digit in range(10)])
    return np.mean(((features[:, None] - means) ** 2).sum(axis=2).argmin(axis=1) == test_y)


views = {"The 64 pixels": ink, "The 32 hidden activations": nn.predict(model[:3], test_x)}
fig, axes = plt.subplots(1, 2, figsize=(10, 4.4))
for ax, (title, features) in zip(axes, views.items(), strict=True):
    points = plane(features)
    for digit in range(10):
        own = points[test_y == digit]
        ax.scatter(*own.T, marker=f"${digit}$", s=34, color=plt.get_cmap("viridis")(digit / 11), linewidth=0.4)
    ax.set_title(title, loc="left")
    ax.set_xlabel("first principal component")
    ax.set_ylabel("second")
    shares = nearest_mean(features), nearest_mean(points)
    print(f"{title}: nearest to the mean of its class {shares[0]:.1%}, in the plane {shares[1]:.1%}")
fig.suptitle("The hidden layer moves the digits apart")
plt.show()

# %% [markdown]
# *The pictures:* first the weights, red for ink that excites a unit and blue for ink that inhibits it: not strokes, but
# contrasts between places. Then each test picture as a digit at its place: in the plane of the hidden activations the
# classes overlap less, as the shares say too. The last layer is linear; the hidden layer makes the inputs that a linear
# layer can tell apart.
#
# ## Exercises
#
# **1. A batch at once.** Write `saliencies(pictures, labels)`, which returns $\partial\mathcal L/\partial x$ of many
# pictures with a single backward pass. Which reduction must the loss have? (The next cell has an answer.)


# %%
def saliencies(pictures, labels):
    inputs = Tensor(pictures, requires_grad=True)
    cross_entropy(model(inputs), labels, reduction="sum").backward()  # each loss depends on its own picture only
    return inputs.grad


one_by_one = np.array([saliency(*example) for example in zip(test_x[:20], test_y[:20], strict=True)])
assert np.allclose(saliencies(test_x[:20], test_y[:20]), one_by_one, rtol=1e-8, atol=1e-15)
print("twenty pictures, one backward pass, the same gradients")

# %% [markdown]
# **2. One pixel.** Use the gradient to find one pixel of the unsure 9 that, made wholly white or wholly black, changes
# what the network reads. (Hint: what does moving pixel $x_{ij}$ to 0 or 1 change in $z_9 - z_8$, to first order?) It
# need not become an 8.

# %%
assert (first, second) == (9, 8)
effect = np.where(contrast > 0, -picture, 1 - picture) * contrast  # of the worse of the two moves, never positive
place = np.unravel_index(effect.argmin(), (8, 8))
changed = picture.copy()
changed[place] = 0 if contrast[place] > 0 else 1

reading = int(nn.predict(model, changed[None]).argmax())
assert np.sum(changed != picture) == 1
assert reading != first
print(f"pixel {tuple(map(int, place))} from {picture[place]:.2f} to {changed[place]:.0f}: read as {reading}")

# %% [markdown]
# **3. The other way.** The network misreads some of the test pictures. Shift their pixels by at most 0.1 each, so that
# it reads all of them rightly.
#
# <details><summary>Answer</summary>
#
# Against the gradient: descent, with the pictures in the place of the weights. Ten small steps along
# $-\mathrm{sign}(\partial\mathcal L/\partial x)$, clipped to the allowed range.
#
# </details>

# %%
misread, truth = test_x[wrong], test_y[wrong]
mended = misread
for _ in range(10):
    mended = mended - 0.02 * np.sign(saliencies(mended, truth))
    mended = mended.clip(misread - 0.1, misread + 0.1)

assert (nn.predict(model, misread).argmax(axis=1) != truth).all()
assert (nn.predict(model, mended).argmax(axis=1) == truth).all()
print(f"{len(truth)} pictures, misread before and read rightly after, no pixel moved by more than 0.1")

# %% [markdown]
# ## Summary
#
# - An input that requires grad gets a gradient like a weight; flattening changes how pixels are counted, and back.
# - $\partial\mathcal L/\partial x_{ij}$ is what a small shift of the pixel does to the loss, and differences agree.
# - It is small where the network is sure. To ask *why this class*, differentiate scores.
# - For a change that is not small, multiply by the change: gradient times ink finds what erasing would destroy.
# - Many small shifts along the gradient mislead a network, or mend its mistakes.
# - The hidden layer learned features in which a linear layer can tell the classes apart.
