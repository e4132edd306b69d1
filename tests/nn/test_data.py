"""Batches of examples, standardized features, splits."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from autograd import ShapeError, Tensor
from nn import Batches, DataError, Standardizer, StateError, train_test_split

X = np.arange(14.0).reshape(7, 2)
Y = np.arange(7)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Batches


@pytest.mark.parametrize(
    ("batch_size", "drop_last", "sizes"),
    [
        (None, False, [7]),  # batch descent
        (1, False, [1] * 7),  # stochastic, online
        (3, False, [3, 3, 1]),  # minibatches
        (3, True, [3, 3]),
        (7, True, [7]),
        (100, False, [7]),
    ],
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_sizes_of_batches(batch_size: int | None, drop_last: bool, sizes: list[int], shuffle: bool) -> None:
    batches = Batches(X, Y, batch_size=batch_size, drop_last=drop_last, shuffle=shuffle)
    assert [len(x) for x, _ in batches] == sizes
    assert len(batches) == len(sizes)


def test_without_shuffling_batches_are_views_in_order_that_cannot_be_written_to() -> None:
    (x, y), *_ = Batches(X, Y, batch_size=3)
    assert np.shares_memory(x, X)
    np.testing.assert_array_equal(x, X[:3])
    np.testing.assert_array_equal(y, [0, 1, 2])
    assert x.dtype == np.float64
    assert y.dtype == Y.dtype
    with pytest.raises(ValueError, match="read-only"):
        x += 1
    assert X.flags.writeable


def test_each_epoch_shuffles_anew_and_meets_each_example_once_with_its_target() -> None:
    batches = Batches(X, Y, batch_size=3, shuffle=True, rng=generator())
    epochs = []
    for _ in range(2):
        x, y = (np.concatenate(parts) for parts in zip(*batches))
        np.testing.assert_array_equal(x, X[y])
        assert sorted(y) == list(range(7))
        epochs.append(y)
    assert list(epochs[0]) != list(epochs[1])
    again = [y for _, y in Batches(X, Y, batch_size=3, shuffle=True, rng=generator())]
    np.testing.assert_array_equal(np.concatenate(again), epochs[0])


def test_what_drop_last_leaves_out_is_another_example_each_epoch() -> None:
    batches = Batches(Y, batch_size=6, shuffle=True, drop_last=True, rng=generator())
    assert len({6 * 7 // 2 - int(sum(y)) for _ in range(20) for (y,) in batches}) > 1


def test_examples_as_columns() -> None:
    for shuffle in (False, True):
        batches = Batches(X.T, Y, batch_size=3, axis=-1, shuffle=shuffle, rng=generator())
        shapes = [(x.shape, y.shape) for x, y in batches]
        assert shapes == [((2, 3), (3,)), ((2, 3), (3,)), ((2, 1), (1,))]
        x, y = (np.concatenate(parts, axis=-1) for parts in zip(*batches))
        np.testing.assert_array_equal(x, X[y].T)


def test_a_minibatch_gradient_is_on_average_that_of_all_examples() -> None:
    """CS60010: with batches of equal size, the mean of the estimates of an epoch is the full gradient."""
    w, rng = np.array([0.5, -1.0]), generator()
    x, y = rng.normal(size=(12, 2)), rng.normal(size=12)

    def gradient(x: Any, y: Any) -> Any:
        w_ = Tensor(w, True)
        np.mean((x @ w_ - y) ** 2).backward()
        return w_.grad

    estimates = [gradient(*batch) for batch in Batches(x, y, batch_size=3, shuffle=True, rng=rng)]
    np.testing.assert_allclose(np.mean(estimates, axis=0), gradient(x, y), rtol=1e-12)


def test_integers_stay_and_floats_change_dtype_with_the_same_generator() -> None:
    batches = Batches(X, Y, batch_size=2, shuffle=True, drop_last=True)
    cast = batches.astype(np.float32)
    assert [array.dtype for array in cast.arrays] == [np.float32, Y.dtype]
    assert cast.rng is batches.rng
    assert repr(cast) == (
        "Batches(array(float32 (7, 2)), array(int64 (7,)), batch_size=2, shuffle=True, drop_last=True)"
    )
    assert np.shares_memory(Batches(X).astype(np.float64).arrays[0], X)


def test_lists_tensors_and_any_layout_are_data() -> None:
    x, y = next(iter(Batches([[1.0], [2.0]], Tensor([3.0, 4.0], requires_grad=True))))
    assert (x.tolist(), y.tolist()) == ([[1.0], [2.0]], [3.0, 4.0])
    for x in (np.asfortranarray(X), X[::-1], np.repeat(X, 2, axis=1)[:, ::2]):
        (found,) = zip(*Batches(x, batch_size=3, shuffle=True, rng=generator()))
        np.testing.assert_array_equal(np.concatenate(found), x[generator().permutation(7)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Batches(), "Batches: there is no array; give it at least one"),
        (
            lambda: Batches(X, Y[:5]),
            "Batches: array 1, array(int64 (5,)), has 5 examples along axis 0, "
            "but array 0, array(float64 (7, 2)), has 7; give it as many of each",
        ),
        (
            lambda: Batches(X[:0], Y[:0]),
            "Batches: array 0, array(float64 (0, 2)), has no examples along axis 0; give it at least one",
        ),
        (
            lambda: Batches(np.float64(3)),
            "Batches: array 0, array(float64 ()), has no examples along axis 0; give it at least one",
        ),
        (
            lambda: Batches(X, Y, axis=1),
            "Batches: array 1, array(int64 (7,)), has no examples along axis 1; give it at least one",
        ),
        (
            lambda: Batches(X, Y, batch_size=0),
            "Batches: a batch has a whole number of examples, at least 1, or all with None; got batch_size=0",
        ),
        (
            lambda: Batches(X, Y, batch_size=2.0),  # type: ignore[arg-type]
            "Batches: a batch has a whole number of examples, at least 1, or all with None; got batch_size=2.0",
        ),
        (
            lambda: Batches(X, batch_size=8, drop_last=True),
            "Batches: 7 examples are less than one batch of 8, and drop_last=True leaves them out; "
            "take smaller batches, or drop_last=False",
        ),
        (
            lambda: Batches(X, np.where(Y == 4, np.nan, Y)),
            "Batches: array 1, array(float64 (7,)), holds nan at index (4,); leave such examples out, "
            "or fill in a number, such as the mean of the others",
        ),
        (
            lambda: Batches(np.where(X == 5, -np.inf, X)),
            "Batches: array 0, array(float64 (7, 2)), holds -inf at index (2, 1); leave such examples out, "
            "or fill in a number, such as the mean of the others",
        ),
        (
            lambda: Batches(np.array(["a", "b"])),
            "Batches: array 0, array(<U1 (2,)), is not made of numbers; encode what it holds as numbers first",
        ),
    ],
)
def test_data_that_nothing_can_be_learned_from(make: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        make()


def test_what_overflows_in_another_dtype_is_found() -> None:
    with pytest.raises(DataError, match=re.escape("array(float32 (2,)), holds inf at index (1,)")):
        Batches(np.array([1.0, 1e300])).astype(np.float32)


# Standardizer


def test_mean_and_deviation_by_hand() -> None:
    x = np.array([[1.0, 2.0], [2.0, 4.0], [6.0, 12.0]])
    population, sample = Standardizer().fit(x), Standardizer(ddof=1).fit(x)
    np.testing.assert_allclose(population.mean, [3, 6])
    np.testing.assert_allclose(population.std, np.sqrt([14 / 3, 56 / 3]))  # 1/m
    np.testing.assert_allclose(sample.std, np.sqrt([7, 28]))  # 1/(m-1), BLG561E
    np.testing.assert_allclose(sample.transform([[3.0, 6.0 + np.sqrt(28)]]), [[0, 1]])
    np.testing.assert_allclose(sample.inverse_transform(sample.transform(x)), x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_dtypes_stay(dtype: Any) -> None:
    x = np.array([[1, 10], [2, 20], [4, 60]], dtype)
    z = Standardizer().fit_transform(x)
    assert z.dtype == dtype
    np.testing.assert_allclose(z.mean(axis=0, dtype=float), 0, atol=2e-3)
    np.testing.assert_allclose(z.std(axis=0, dtype=float), 1, atol=2e-3)
    assert Standardizer().fit(x).inverse_transform(z).dtype == dtype


def test_integers_become_floats() -> None:
    z = Standardizer().fit_transform(np.array([[1, 0], [3, 255]], np.uint8))
    assert z.dtype == np.float64
    assert z.tolist() == [[-1, -1], [1, 1]]


def test_float32_features_far_from_0_keep_their_digits() -> None:
    x = (1e6 + np.arange(8)).astype(np.float32)[:, np.newaxis]
    np.testing.assert_allclose(Standardizer().fit_transform(x)[:, 0], (np.arange(8) - 3.5) / np.std(np.arange(8)))


def test_constant_features_become_0() -> None:
    x = np.full((10, 1), 0.1)  # whose standard deviation is 1e-17 when computed
    standardizer = Standardizer().fit(x)
    assert standardizer.std is not None
    assert standardizer.std.tolist() == [1.0]
    assert not standardizer.transform(x).any()
    assert Standardizer(ddof=0).fit_transform([[5.0]]).tolist() == [[0.0]]
    for constant in (1e8 + 0.1, -0.7, 1e308, 5e-324, 0.0, True, 3):
        for examples in (2, 3, 10, 1001):
            standardizer = Standardizer(ddof=1).fit(np.full((examples, 1), constant))
            np.testing.assert_array_equal(standardizer.mean, [constant])
            np.testing.assert_array_equal(standardizer.std, [1.0])
            assert not standardizer.transform(np.full((2, 1), constant)).any()


def test_what_rounding_makes_of_a_constant_is_shifted_only() -> None:
    """The digits of a difference of one unit in the last place say nothing; scikit-learn has σ = 1 there, too."""
    x = np.array([[1e16, 0.3, 1.0], [1e16 + 2, 0.1 + 0.2, 1.0 + 1e-12], [1e16, 0.3, 1.0]])
    standardizer = Standardizer().fit(x)
    assert standardizer.std is not None
    assert standardizer.std[:2].tolist() == [1.0, 1.0]
    np.testing.assert_allclose(standardizer.transform(x)[:, 2], np.array([-1, 2, -1]) / 2**0.5, rtol=1e-3)


@pytest.mark.parametrize("scale", [1e-308, 1e-200, 1e-160, 1.0, 1e160, 1e200, 5e307])
def test_features_of_any_size(scale: float) -> None:
    standardizer = Standardizer()
    z = standardizer.fit_transform(np.array([[1.0], [2.0], [3.0]]) * scale)
    np.testing.assert_allclose(z[:, 0], np.array([-1, 0, 1]) * 1.5**0.5, rtol=1e-12, atol=1e-12)
    Standardizer().load_state_dict(standardizer.state_dict())


def test_the_smallest_numbers_are_finite() -> None:
    standardizer = Standardizer()
    assert np.isfinite(standardizer.fit_transform([[0.0], [5e-324]])).all()
    Standardizer().load_state_dict(standardizer.state_dict())


def test_scaling_changes_no_bit_of_mean_and_deviation() -> None:
    x = generator().normal(3, 200, (100, 5))
    for ddof in (0, 1):
        standardizer = Standardizer(ddof=ddof).fit(x)
        np.testing.assert_array_equal(standardizer.mean, x.mean(axis=0))
        np.testing.assert_array_equal(standardizer.std, x.std(axis=0, ddof=ddof))


def test_images_are_standardized_by_pixel_and_the_users_array_is_left_alone() -> None:
    x = generator().normal(3, 2, (50, 4, 4))
    before = x.copy()
    z = Standardizer().fit_transform(x)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(x, before)


def test_the_state_of_a_standardizer() -> None:
    first = Standardizer(ddof=1).fit(X)
    second = Standardizer(ddof=1)
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(second.transform(X), first.transform(X))
    first.state_dict()["mean"][:] = 9
    np.testing.assert_array_equal(second.transform(X), first.transform(X))
    assert repr(second) == "Standardizer(ddof=1)"


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        (
            lambda: Standardizer().transform(X),
            StateError,
            "Standardizer.transform: there is no mean yet; call fit with the training data first",
        ),
        (
            lambda: Standardizer().inverse_transform(X),
            StateError,
            "Standardizer.inverse_transform: there is no mean yet; call fit with the training data first",
        ),
        (
            lambda: Standardizer().state_dict(),
            StateError,
            "Standardizer.state_dict: there is no mean yet; call fit with the training data first",
        ),
        (
            lambda: Standardizer().fit(X).transform(X[:, :1]),
            ShapeError,
            "Standardizer.transform: got array(float64 (7, 1)), but it was fitted to examples of shape (2,); "
            "give it the same features",
        ),
        (
            lambda: Standardizer(ddof=1).fit(X[:1]),
            DataError,
            "Standardizer: ddof=1 needs at least 2 examples, got array(float64 (1, 2)); "
            "give it more of them, or take ddof=0",
        ),
        (
            lambda: Standardizer().fit([[1.0], [np.nan]]),
            DataError,
            "Standardizer: array 0, array(float64 (2, 1)), holds nan at index (1, 0); leave such examples out, "
            "or fill in a number, such as the mean of the others",
        ),
        (
            lambda: Standardizer().load_state_dict({"mean": [1.0]}),
            StateError,
            "Standardizer.load_state_dict: expected a dict of mean and std, got {'mean': [1.0]}",
        ),
        (
            lambda: Standardizer().load_state_dict(None),  # type: ignore[arg-type]
            StateError,
            "Standardizer.load_state_dict: expected a dict of mean and std, got None",
        ),
        (
            lambda: Standardizer().load_state_dict({"mean": [[1.0], [1.0, 2.0]], "std": [1.0]}),
            StateError,
            "Standardizer.load_state_dict: mean and std must be arrays of numbers, "
            "got {'mean': [[1.0], [1.0, 2.0]], 'std': [1.0]}",
        ),
        (
            lambda: Standardizer().load_state_dict({"mean": "a", "std": 1.0}),
            StateError,
            "Standardizer.load_state_dict: mean and std must be arrays of numbers, got {'mean': 'a', 'std': 1.0}",
        ),
        (
            lambda: Standardizer().load_state_dict({"mean": [1.0], "std": [0.0]}),
            StateError,
            "Standardizer.load_state_dict: mean, array(float64 (1,)), and std, array(float64 (1,)), "
            "must be finite and of one shape, and std above 0",
        ),
    ],
)
def test_a_standardizer_says_what_is_wrong(do: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        do()


# Splits


@pytest.mark.parametrize(("test_size", "tests"), [(0.25, 2), (0.5, 4), (3, 3), (0.999, None), (0.01, 1)])
def test_sizes_of_a_split(test_size: float, tests: int | None) -> None:
    if tests is None:
        with pytest.raises(DataError, match="leaves 7 of 7 examples for testing and 0 for training"):
            train_test_split(X, Y, test_size=test_size)
        return
    x_train, x_test, y_train, y_test = train_test_split(X, Y, test_size=test_size, rng=generator())
    assert len(x_test) == len(y_test) == tests
    assert sorted([*y_train, *y_test]) == list(range(7))
    np.testing.assert_array_equal(x_train, X[y_train])
    np.testing.assert_array_equal(x_test, X[y_test])
    assert not np.shares_memory(x_train, X)


def test_a_split_comes_from_its_generator() -> None:
    first, second, other = (train_test_split(Y, rng=generator(seed))[1].tolist() for seed in (1, 1, 2))
    assert first == second != other


def test_a_stratified_split_gives_each_class_its_share() -> None:
    labels = np.array([0] * 50 + [1] * 30 + [2] * 20)
    for seed in range(5):
        train, test = train_test_split(labels, test_size=0.25, rng=generator(seed), stratify=labels)
        assert len(test) == 25
        counts = np.bincount(test)
        assert (np.abs(counts - [12.5, 7.5, 5]) < 1).all()
        np.testing.assert_array_equal(counts + np.bincount(train), [50, 30, 20])


@pytest.mark.parametrize("names", [np.array(["cat", "dog"]), np.array(["cat", "dog"], object), np.array([np.nan, 0.5])])
def test_labels_of_a_split_are_of_any_kind(names: Any) -> None:
    numbers = np.repeat([0, 1], [6, 2])
    for labels in (names[numbers], names[numbers].tolist()):
        for expected, found in zip(
            train_test_split(numbers, rng=generator(), test_size=4, stratify=numbers),
            train_test_split(numbers, rng=generator(), test_size=4, stratify=labels),
        ):
            np.testing.assert_array_equal(np.bincount(found), np.bincount(expected))


def test_a_stratified_choice_is_random_within_each_class() -> None:
    labels = np.repeat([0, 1], 10)
    tests = [train_test_split(np.arange(20), rng=generator(seed), stratify=labels)[1] for seed in range(40)]
    assert set(np.concatenate(tests)) == set(range(20))
    assert any(np.any(np.diff(test) < 0) for test in tests)  # the order is random, too


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (
            lambda: train_test_split(X, test_size=7),
            "train_test_split: test_size=7 leaves 7 of 7 examples for testing and 0 for training; "
            "both parts need at least one",
        ),
        (
            lambda: train_test_split(X, test_size=0.0),
            "train_test_split: test_size=0.0 leaves 0 of 7 examples for testing and 7 for training; "
            "both parts need at least one",
        ),
        (
            lambda: train_test_split(X, Y, stratify=Y > 5),
            "train_test_split: class True has one example, which cannot be in both parts; "
            "leave it out, or do without stratify",
        ),
        (
            lambda: train_test_split(X, stratify=Y[:6]),
            "train_test_split: stratify is a label for each of 7 examples, got array(int64 (6,)); "
            "give it an array of one dimension",
        ),
        (
            lambda: train_test_split(X, stratify=X > 1),
            "train_test_split: stratify is a label for each of 7 examples, got array(bool (7, 2)); "
            "give it an array of one dimension",
        ),
        (
            lambda: train_test_split(X, Y, stratify=[*"aabbabc"]),
            "train_test_split: class 'c' has one example, which cannot be in both parts; "
            "leave it out, or do without stratify",
        ),
        *(
            (
                lambda test_size=test_size: train_test_split(X, test_size=test_size),
                "train_test_split: test_size is a part of the examples, or an int that says how many; "
                f"got {test_size!r}",
            )
            for test_size in (np.nan, np.inf, "a", None, True)
        ),
    ],
)
def test_splits_that_cannot_be(do: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        do()
