# %% [markdown]
# # 12. Training digits
#
# 6,570 numbers, drawn at random, are to read handwriting. This notebook trains them from beginning to end with
# `nn.fit`, looks inside while they learn, asks what they learned, and then tries to use it a second time.
#
# **You will see**
#
# - data divided into three parts, and standardized by one of them;
# - a training run, its losses, and its gradients and activations layer by layer;
# - which digits are mistaken for which, and what the hidden layers make of a picture;
# - regularization: dropout, batch normalization and weight decay, on and off;
# - weights in a file, and transfer learning with frozen layers: once where it fails, once where it works.
#
# *Lecture parts:* CS230 lecture 3, part III (S0); CS229 lecture 11, neural networks (S1); BLG561E, initialization by a
# trained model, covariate shift, batch normalization, dropout (S2); CS60010, minibatches (S4).

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import nn
from autograd import FlowRecorder

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
plt.rcParams.update({"figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False})

# %% [markdown]
# ## The data
#
# 1797 pictures of 8 by 8 pixels. They are divided at random into pictures to learn from, pictures to make choices by
# (validation), and pictures that are looked at once, at the end (test), each with all digits in equal shares.

# %%
digits = load_digits()
rng = np.random.default_rng(0)
rest_x, test_x, rest_y, test_y = nn.train_test_split(
    digits.data, digits.target, test_size=0.2, rng=rng, stratify=digits.target
)
train_x, val_x, train_y, val_y = nn.train_test_split(rest_x, rest_y, test_size=0.25, rng=rng, stratify=rest_y)
print("to learn from:", train_x.shape, " validation:", val_x.shape, " test:", test_x.shape)


# %%
def strip(pictures: np.ndarray, gap: int = 2) -> np.ndarray:
    """Return pictures of 8 by 8 beside each other, as one array with gaps of NaN, which is drawn white."""
    framed = np.pad(
        pictures.reshape(-1, 8, 8), ((0, 0), (gap // 2, gap // 2), (gap // 2, gap // 2)), constant_values=np.nan
    )
    return np.concatenate(list(framed), axis=1)


first, second = (np.stack([train_x[train_y == digit][place] for digit in range(10)]) for place in (0, 1))
fig, ax = plt.subplots(figsize=(10, 2.3))
ax.imshow(np.concatenate([strip(first), strip(second)]), cmap="gray_r")
ax.axis("off")
ax.set_title("Two pictures of each digit")
plt.show()

# %% [markdown]
# Two rows of pictures, from 0 on the left to 9 on the right: at this size even a reader has to guess now and then.
#
# Pixels go from 0 to 16, and large inputs push units to where they no longer learn. So each pixel is shifted and scaled
# to mean 0 and variance 1 (`S2-16`), with the mean and the deviation **of the training pictures, for all three parts**.
# Predict: what are mean and variance of the test pictures afterwards, exactly 0 and 1?

# %%
standardizer = nn.Standardizer().fit(train_x)
train_x, val_x, test_x = (standardizer.transform(part) for part in (train_x, val_x, test_x))
for name, part in ("training", train_x), ("test", test_x):
    print(f"{name:>8}: mean {np.mean(part):+.3f}, mean square {np.mean(part**2):.3f}")

# %% [markdown]
# Not exactly: the test pictures are treated as the network will have to treat any picture from now on, without asking
# what they are like on average. BLG561E divides the variance by $m - 1$, which is `nn.Standardizer(ddof=1)`; for 1077
# pictures it is all the same. (The mean square of the training pictures is below 1 since a few pixels at the border
# are always white; what is constant becomes 0.)
#
# ## Before the first step
#
# Three affine maps, ReLU between them. Predict accuracy and loss of the network as it was drawn. There are ten classes;
# a network that knows nothing and says so gives each of them probability 1/10.


# %%
def network(outputs: int = 10, seed: int = 0, **options) -> nn.Module:
    """64 pixels, two hidden layers, and a score for each class."""
    return nn.MLP([64, 64, 32, outputs], rng=np.random.default_rng(seed), dtype=np.float64, **options)


loss, metrics = nn.CrossEntropyLoss(), {"accuracy": nn.accuracy}
model = network()
drawn = model.state_dict()
before = nn.evaluate(model, loss, (val_x, val_y), metrics=metrics)
print(nn.summary(model, (32, 64), np.float64))
print(f"\nuntrained: accuracy {before['accuracy']:.3f}, loss {before['loss']:.3f}, log 10 = {np.log(10):.3f}")

# %% [markdown]
# Close to 1/10 and to $-\log\frac{1}{10} = \log 10$. A first loss that is much larger means scores that are too large,
# and so a mistake in the initialization or in the data. It is the cheapest test there is.
#
# ## Training
#
# `nn.fit` runs the minibatch algorithm (`S1-32`): draw a batch, forward, backward, update. Around it stands a
# `FlowRecorder`, which only watches. Predict: which will go on falling, the loss of the training pictures or that of
# the validation pictures?

# %%
with FlowRecorder(model) as flow:
    history = nn.fit(
        model,
        loss,
        nn.optim.Adam(model.parameters(), lr=0.003),
        (train_x, train_y),
        epochs=20,
        batch_size=32,
        validation=(val_x, val_y),
        metrics=metrics,
        progress=False,
        rng=np.random.default_rng(0),
    )
for epoch in 1, 2, 5, 10, 20:
    row = {name: history[name][epoch - 1] for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    print(f"epoch {epoch:2}:", "  ".join(f"{name} {value:.3f}" for name, value in row.items()))

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
epochs = range(1, len(history) + 1)
for name, colour in ("loss", BLUE), ("val_loss", ORANGE):
    left.plot(epochs, history[name], color=colour, label={"loss": "training", "val_loss": "validation"}[name])
left.set(yscale="log", xlabel="epoch", ylabel="cross-entropy", title="The training loss falls on, the other stays")
for name, colour in ("accuracy", BLUE), ("val_accuracy", ORANGE):
    right.plot(epochs, history[name], color=colour, label={"accuracy": "training", "val_accuracy": "validation"}[name])
right.set(xlabel="epoch", ylabel="share of right answers", title="Right answers")
right.set_xticks(range(0, 21, 5))
left.set_xticks(range(0, 21, 5))
left.legend(frameon=False)
right.legend(frameon=False)
plt.show()

# %% [markdown]
# On the left, on a logarithmic axis, the training loss falls by three orders of magnitude, while the validation loss
# stays near 0.1 after a few epochs: from there on the network only becomes surer of pictures that it knows by heart.
#
# ## Looking inside while it learns
#
# Two pictures from the recorder. The first has a line per layer: by how much the weights changed in a step, relative to
# their size. About a thousandth is where learning goes well.

# %%
ax = flow.plot_updates()
ax.set_title("Updates shrink as there is less to learn", loc="left")
plt.show()

# %% [markdown]
# All three layers (0, 2 and 4; the numbers between are the ReLUs) learn at about the same pace: no layer is left
# behind. The second picture compares gradients at the first and at the last step.

# %%
axes = flow.plot_profile(step=0, label="first step")
flow.plot_profile(axes, step=-1, label="last step")
axes[1].legend(loc="best", frameon=False)
plt.show()

# %% [markdown]
# On the right is what the optimizer is given: at both times the gradients of the three layers are within a factor of
# five of each other, and at the last step all are smaller, because the loss is. Nothing vanishes on the way to the
# input. (Two hidden layers are too few for that; notebook 07 takes more.)

# %%
for step, name in (0, "first step"), (-1, "last step"):
    sizes = [flow.records[layer].weight_gradient[step] for layer in ("0", "2", "4")]
    print(f"{name:>10}: largest ∂loss/∂W is {max(sizes) / min(sizes):.1f} times the smallest")

# %% [markdown]
# ## What is mistaken for what
#
# Now the test pictures, once. Row: what the picture is. Column: what the network says.

# %%
scores = nn.predict(model, test_x)
guess = np.argmax(scores, axis=1)
confusion = np.zeros((10, 10), int)
np.add.at(confusion, (test_y, guess), 1)
print(f"accuracy {np.mean(guess == test_y):.3f}: {np.sum(guess != test_y)} of {len(test_y)} test pictures are mistaken")

# %%
fig, ax = plt.subplots(figsize=(5, 4.6))
ax.imshow(confusion, cmap="Blues", vmax=confusion.max())
for row, column in zip(*np.nonzero(confusion)):
    ink = "white" if row == column else RED
    ax.text(column, row, confusion[row, column], ha="center", va="center", color=ink, fontweight="bold")
ax.set(xticks=range(10), yticks=range(10), xlabel="the network says", ylabel="the picture is")
ax.set_title("Off the diagonal: the mistakes")
plt.show()

# %%
wrong = np.flatnonzero(guess != test_y)
fig, ax = plt.subplots(figsize=(11, 1.9))
ax.imshow(strip(standardizer.inverse_transform(test_x[wrong])), cmap="gray_r")
ax.set_xticks(np.arange(len(wrong)) * 10 + 4.5, [f"is {test_y[index]}, read {guess[index]}" for index in wrong])
ax.set_yticks([])
ax.spines[:].set_visible(False)
ax.tick_params(length=0)
ax.set_title("All mistakes on the test pictures")
plt.show()

# %% [markdown]
# ### Exercise 1
#
# From `confusion` alone, compute for each digit the share of its pictures that was read rightly (its *recall*), and
# find the digit for which it is lowest. Predict from the picture which one that is.

# %%
# One answer; write your own first.
recall = np.diag(confusion) / confusion.sum(axis=1)
hardest = int(np.argmin(recall))

# %%
assert np.allclose(recall, [np.mean(guess[test_y == digit] == digit) for digit in range(10)])
assert recall[hardest] == min(recall)
print(f"hardest: {hardest}, of which {recall[hardest]:.3f} are read rightly")

# %% [markdown]
# ## What was learned · `S1-10`
#
# The notes let the network find out by itself which inputs are best for the next layer. Two ways to see that it does:
#
# - call a picture by the nearest *mean picture* of a class, a method that learns almost nothing, and give it, instead
#   of pixels, what each hidden layer makes of them;
# - ask which share of the variance lies between the classes, rather than within them.
#
# Predict how both go from the pixels to the second hidden layer.


# %%
def nearest_mean(known: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The class whose mean is nearest."""
    means = np.stack([known[labels == label].mean(axis=0) for label in range(10)])
    return np.argmin(np.sum((asked[:, None] - means) ** 2, axis=2), axis=1)


def between_classes(features: np.ndarray, labels: np.ndarray) -> float:
    """The share of the variance that is left when each picture is replaced by the mean of its class."""
    means = np.stack([features[labels == label].mean(axis=0) for label in range(10)])
    return float(np.sum(np.var(means[labels], axis=0)) / np.sum(np.var(features, axis=0)))


parts = {"pixels": nn.Identity(), "hidden layer 1": model[:2], "hidden layer 2": model[:4]}
views = {name: (nn.predict(part, train_x), nn.predict(part, test_x)) for name, part in parts.items()}
shares = {name: between_classes(asked, test_y) for name, (_, asked) in views.items()}
for name, (known, asked) in views.items():
    right = np.mean(nearest_mean(known, train_y, asked) == test_y)
    print(f"{name:>14}: {right:.3f} right by nearest mean, {shares[name]:.3f} of the variance between classes")

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 3.9))
for ax, (name, (known, asked)) in zip(axes, views.items()):
    directions = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][:2]
    directions *= np.sign(directions.sum(axis=1, keepdims=True))
    place = (asked - known.mean(axis=0)) @ directions.T
    ax.scatter(*place.T, c=test_y, cmap="tab10", s=10, alpha=0.45, linewidths=0)
    for digit in range(10):
        ax.text(*np.median(place[test_y == digit], axis=0), str(digit), fontsize=14, fontweight="bold", ha="center")
    ax.set(xticks=[], yticks=[], xlabel="first principal direction")
    ax.set_title(f"{name}: {shares[name]:.0%} between classes")
axes[0].set_ylabel("second principal direction")
plt.show()

# %% [markdown]
# Each dot is a test picture, seen along the two directions in which the training pictures vary most; the bold numbers
# stand at the middle of each class. From left to right classes draw together and move apart. Each layer hands to the
# next one inputs that make its work easier, and nobody told it which.
#
# What did training add to a hidden unit? The weights of the first layer have the shape of pictures; here they are, less
# what they were when they were drawn.

# %%
learned = model[0].weight.numpy() - drawn["0.weight"]
strongest = np.argsort(-np.linalg.norm(learned, axis=1))[:12]
reach = np.abs(learned[strongest]).max()
fig, ax = plt.subplots(figsize=(11, 1.6))
shown = ax.imshow(strip(learned[strongest]), cmap="PuOr", vmin=-reach, vmax=reach)
ax.set_xticks(np.arange(12) * 10 + 4.5, [f"unit {unit}" for unit in strongest])
ax.set_yticks([])
ax.spines[:].set_visible(False)
ax.tick_params(length=0)
fig.colorbar(shown, label="change of weight", pad=0.01)
ax.set_title("What twelve units of the first layer learned to look for")
plt.show()

# %% [markdown]
# Purple pixels speak for a unit, orange ones against it. Some are strokes at a place and in a direction; most are
# shapes that we have no word for. They were never asked to be.
#
# ## A layer learns while its inputs move · `S2-15`
#
# The second layer is taught on what the first one returns, and the first one is being taught too. BLG561E calls this
# *covariate shift*: the distribution on which a layer learns is not the one on which it will be used a few steps later.
# Batch normalization holds mean and variance of what goes into an activation, whatever the layers before it do. Predict
# what the inputs of the second activation look like over the first five epochs, without it and with it.

# %%
normalized = network(batch_norm=True)
with FlowRecorder(normalized) as steady:
    nn.fit(
        normalized,
        loss,
        nn.optim.Adam(normalized.parameters(), lr=0.003),
        (train_x, train_y),
        epochs=5,
        progress=False,
        rng=np.random.default_rng(0),
    )

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
for ax, record, title, colour in (
    (axes[0], flow.records["2"], "Without: the spread grows", RED),
    (axes[1], steady.records["4"], "With batch normalization: it hardly does", BLUE),
):
    mean, spread = np.array(record.mean[: steady.steps]), np.array(record.spread[: steady.steps])
    steps = np.arange(1, steady.steps + 1)
    ax.fill_between(steps, mean - spread, mean + spread, color=colour, alpha=0.25, label="mean ± standard deviation")
    ax.plot(steps, mean, color=colour, label="mean")
    ax.set(xlabel="step", title=title)
    ax.legend(frameon=False, loc="upper left")
    print(f"{title.split(':')[0]:>24}: from {spread[0]:.2f} at the first step to {spread[-1]:.2f} at the last")
axes[0].set_ylabel("input of the second activation")
plt.show()

# %% [markdown]
# Bands show mean and standard deviation over a batch and all units of the second hidden layer. Without normalization
# they grow tenfold within five epochs: what comes after has to learn on inputs that run away. With it they change only
# as far as its own scale $\gamma$ and shift $\beta$ learn to change them, and the line is smooth, since each batch is
# normalized by itself.
#
# ## Regularization · `S0-29`
#
# CS230's lecture has three parts: backpropagation, initialization, regularization. The third is about the gap between
# the two losses above. To make it wide, take 150 training pictures only. Four networks: plain, with dropout, with
# weight decay, with batch normalization (notebooks 09 and 10 take these apart), each trained three times, from
# different first weights and on different pictures. This is a choice, and choices are made by the validation
# part. Predict: which has the smallest training loss, which the smallest validation loss?

# %%
variants = {
    "plain": ({}, 0.0),
    "dropout": ({"dropout": 0.2}, 0.0),
    "weight decay": ({}, 1.0),
    "batch norm": ({"batch_norm": True}, 0.0),
}
results = {}
for name, (options, decay) in variants.items():
    runs = []
    for seed in range(3):
        few = np.random.default_rng(seed).permutation(len(train_x))[:150]
        variant = network(seed=seed, **options)
        optimizer = nn.optim.AdamW(variant.parameters(), lr=0.005, weight_decay=decay)
        examples = train_x[few], train_y[few]
        nn.fit(variant, loss, optimizer, examples, epochs=20, progress=False, rng=np.random.default_rng(seed))
        unknown = nn.evaluate(variant, loss, (val_x, val_y), metrics=metrics)
        runs.append((nn.evaluate(variant, loss, examples)["loss"], unknown["loss"], unknown["accuracy"]))
    results[name] = np.array(runs)

print(f"{'':>12}  training loss  validation loss  right answers")
for name, runs in results.items():
    mean, spread = runs.mean(axis=0), runs.std(axis=0)
    print(f"{name:>12}  {mean[0]:13.4f}  {mean[1]:7.3f} ± {spread[1]:.3f}  {mean[2]:.3f} ± {spread[2]:.3f}")

# %% [markdown]
# Plain training has the smallest training loss, as it should: it is what it was asked for. The others know the pictures
# by heart less well, most so under weight decay, and all three have a smaller validation loss. But look at the numbers
# after ± before choosing: the four differ by less than three runs of the plain network do among themselves, so on this
# task no method is shown to be better than none. With seven times as many pictures the plain network above made 9
# mistakes in 360. Data regularize best.
#
# ## Weights in a file
#
# What was learned is the `state_dict`, arrays by name. A network alone cannot be used, though: it needs the numbers of
# the standardizer too, so they go into the same file. Safetensors and npz hold numbers only; loading runs no code.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    numbers = {f"standardizer.{name}": array for name, array in standardizer.state_dict().items()}
    nn.save({**model.state_dict(), **numbers}, path, {"task": "digits 0 to 9", "pixels": "0 to 16"})
    stored, note = nn.load(path), nn.load_metadata(path)
for name, array in stored.items():
    print(f"{name:>17} {array.shape}")
print(f"\nfor: {note['task']}, pixels from {note['pixels']}")

# %% [markdown]
# Another network, drawn from another seed, takes these values. Predict: are its scores equal to those of the first one,
# or only close?

# %%
twin = network(seed=1)
print("as drawn, equal: ", np.array_equal(nn.predict(twin, test_x), scores))
twin.load_state_dict({name: array for name, array in stored.items() if not name.startswith("standardizer.")})
print("loaded, equal:   ", np.array_equal(nn.predict(twin, test_x), scores))

# %% [markdown]
# Equal to the last bit. A name that is missing or of the wrong shape would have raised an error and left the network as
# it was.
#
# ## Transfer · `S2-14`
#
# BLG561E announces it as another initialization: begin with the weights of a trained network. The layers before the
# last are kept, the last one is new, since the new task has other classes. Kept layers may be *frozen*
# (`requires_grad_(False)`): then only the new layer learns.
#
# First try: learn the digits 0 to 4 from all their pictures, then use the two hidden layers for the digits 5 to 9, of
# which only a few pictures are labelled. Predict: with 15 labelled pictures, will the frozen layers do better or worse
# than a network that is trained from scratch? And better or worse than frozen layers as they were *drawn*?

# %%
low, high = train_y < 5, train_y >= 5
five = network(5)
nn.fit(
    five,
    loss,
    nn.optim.Adam(five.parameters(), lr=0.003),
    (train_x[low], train_y[low]),
    epochs=20,
    progress=False,
    rng=np.random.default_rng(0),
)
seen = nn.evaluate(five, loss, (test_x[test_y < 5], test_y[test_y < 5]), metrics=metrics)
print(f"digits 0 to 4: accuracy {seen['accuracy']:.3f}")

# %%
WAYS = {"from scratch": GREEN, "frozen, as drawn": "#999999", "frozen, pretrained": BLUE, "fine-tuned": ORANGE}
COUNTS = 1, 3, 9


def transferred(way: str, pretrained: dict[str, np.ndarray], outputs: int, seed: int) -> nn.Module:
    """A network for a new task, begun in one of the WAYS."""
    new = network(outputs, seed=100 + seed)
    if way in ("frozen, pretrained", "fine-tuned"):
        new.load_state_dict({name: a for name, a in pretrained.items() if not name.startswith("4.")}, strict=False)
    if way.startswith("frozen"):
        new[:-1].requires_grad_(False)
    return new


def few_labels(pretrained, pool, labels, test, outputs):
    """Accuracies by way and number of labelled pictures per digit, averaged over three draws of the pictures."""
    (pool_x, pool_y), found = pool, {}
    for way in WAYS:
        runs = np.zeros((3, len(COUNTS)))
        for seed, place in np.ndindex(runs.shape):
            rng, each = np.random.default_rng(seed), COUNTS[place]
            chosen = [rng.choice(np.flatnonzero(pool_y == digit), each, replace=False) for digit in np.unique(pool_y)]
            chosen = np.concatenate(chosen)
            new = transferred(way, pretrained, outputs, seed)
            optimizer = nn.optim.Adam([p for p in new.parameters() if p.requires_grad], lr=0.01)
            examples = pool_x[chosen], labels(pool_y[chosen])
            nn.fit(new, loss, optimizer, examples, epochs=25, batch_size=None, progress=False)
            runs[seed, place] = nn.evaluate(new, loss, (test[0], labels(test[1])), metrics=metrics)["accuracy"]
        found[way] = runs.mean(axis=0)
    return found


def show(found: dict[str, np.ndarray], classes: int) -> None:
    """Print a table."""
    print(f"{'labelled pictures':>19}", *(f"{classes * each:6}" for each in COUNTS))
    for way, accuracies in found.items():
        print(f"{way:>19}", *(f"{value:6.3f}" for value in accuracies))


unseen = test_y >= 5
digits_again = few_labels(
    five.state_dict(), (train_x[high], train_y[high]), lambda y: y - 5, (test_x[unseen], test_y[unseen]), 5
)
show(digits_again, 5)

# %% [markdown]
# Worse than from scratch, by far, and no better than random layers. Fine-tuning, in which the kept layers go on
# learning, only comes close to training from scratch. The network was asked to keep what tells 0 to 4 apart, and so it
# was free to lose everything else: the strokes that tell a 5 from a 6 among them.
#
# Second try: another question about the same pictures. Begin with the network that knows ten digits, and teach it to
# say whether a digit is odd, from a few pictures of the validation part, whose labels it has never seen. Predict again.

# %%
odd_or_even = few_labels(model.state_dict(), (val_x, val_y), lambda y: y % 2, (test_x, test_y), 2)
show(odd_or_even, 10)

# %%
fig, axes = plt.subplots(1, 2, figsize=(10.5, 3.8), sharey=True)
for ax, found, classes, title in (
    (axes[0], digits_again, 5, "0 to 4, reused for 5 to 9: transfer fails"),
    (axes[1], odd_or_even, 10, "ten digits, reused for odd or even: it works"),
):
    for (way, accuracies), marker in zip(found.items(), "osD^"):
        ax.plot([classes * each for each in COUNTS], accuracies, marker=marker, color=WAYS[way], label=way)
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks([classes * each for each in COUNTS], [classes * each for each in COUNTS])
    ax.set(xlabel="labelled pictures", title=title)
axes[0].set_ylabel("share of right answers")
axes[1].legend(frameon=False, loc="lower right")
plt.show()

# %% [markdown]
# With ten labelled pictures the frozen layers are far ahead of a network that has to begin anew, and ahead of
# fine-tuning too: ten pictures are enough for 66 numbers of a last layer, and too few for 6306 numbers. The difference
# between the two pictures is not the method but the question. **Frozen layers carry over what the first task made them
# keep**, so ask whether the new task needs the same.
#
# ### Exercise 2
#
# How many numbers learn when the two hidden layers are frozen and there are `k` outputs? Write it as a formula in `k`
# and the sizes 64, 64, 32, and check it with the network itself.


# %%
# One answer; write your own first.
def learning(outputs: int) -> int:
    """How many numbers of the last layer learn: a weight for each of 32 inputs, and a bias."""
    return outputs * (32 + 1)


# %%
for outputs in 2, 5, 10:
    new = transferred("frozen, pretrained", model.state_dict(), outputs, seed=0)
    assert learning(outputs) == sum(p.size for p in new.parameters() if p.requires_grad)
print(f"frozen, {learning(2)} numbers learn for odd or even")

# %% [markdown]
# ### Exercise 3
#
# Between frozen and fine-tuned lies a third way: freeze the first hidden layer only. Write `half_frozen(outputs,
# seed)`, which returns such a network, begun with the weights of `five`. The check trains it and sees that the first
# layer has not moved and the second has.


# %%
# One answer; write your own first.
def half_frozen(outputs: int, seed: int) -> nn.Module:
    """A network with pretrained hidden layers, of which the first stays as it is."""
    new = transferred("fine-tuned", five.state_dict(), outputs, seed)
    new[0].requires_grad_(False)
    return new


# %%
new, kept = half_frozen(5, seed=0), five.state_dict()
optimizer = nn.optim.Adam([p for p in new.parameters() if p.requires_grad], lr=0.01)
nn.fit(new, loss, optimizer, (train_x[high], train_y[high] - 5), epochs=5, progress=False, rng=np.random.default_rng(0))
after = new.state_dict()
assert np.array_equal(after["0.weight"], kept["0.weight"])
assert not np.array_equal(after["2.weight"], kept["2.weight"])
half = nn.evaluate(new, loss, (test_x[unseen], test_y[unseen] - 5), metrics=metrics)
print(f"half frozen, with all pictures of 5 to 9: accuracy {half['accuracy']:.3f}")

# %% [markdown]
# ## Summary
#
# - Divide first, standardize by the training part, and look at the test part once.
# - The loss before the first step should be $\log$ of the number of classes. Check it.
# - `nn.fit` trains, `FlowRecorder` watches: updates of about a thousandth, gradients of one size in all layers.
# - Hidden layers make the work of the next one easier: the share of variance between classes grows from layer to layer.
# - A layer learns on inputs that move; batch normalization holds their mean and spread.
# - Regularization narrows the gap between training and validation loss. Whether it helps is a matter of measuring, more
#   than once.
# - Weights and the standardizer's numbers belong into one file.
# - Frozen layers carry over what the first task needed, and nothing else.
