"""Data sets cut into two, and windows of time series."""

import numpy as np
import pytest

import kernelmodel as km

X, Y = np.arange(20).reshape(10, 2), np.arange(10)


class Batches(km.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        part = slice(4 * index, 4 * index + 4)
        return X[part], Y[part]


def whole(dataset):
    return np.concatenate([part[1] for part in dataset.batch(4)])


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"left_size": 0.75}, (8, 2)),
        ({"right_size": 0.25}, (8, 2)),
        ({"left_size": 3}, (3, 7)),
        ({"left_size": 3, "right_size": 2}, (3, 2)),
        ({"left_size": 0.5, "right_size": 0.2}, (5, 2)),
    ],
)
def test_sizes(sizes, expected):
    left, right = km.utils.split_dataset((X, Y), **sizes)
    assert (len(left), len(right)) == expected
    np.testing.assert_array_equal(whole(left), Y[: expected[0]])
    np.testing.assert_array_equal(whole(right), Y[-expected[1] :])


def test_structures_stay():
    left, _ = km.utils.split_dataset({"a": X, "b": Y}, 0.5)
    assert left[0]["a"].tolist() == [0, 1]
    assert left.batch(2)[1]["b"].tolist() == [2, 3]
    left, right = km.utils.split_dataset([(1, 2), (3, 4), (5, 6)], 2)
    assert [tuple(map(int, pair)) for pair in left] == [(1, 2), (3, 4)]
    assert len(right) == 1


def test_batches_stay_batches():
    left, right = km.utils.split_dataset(Batches(), 0.6)
    assert [len(y) for _, y in left] == [4, 2]
    assert np.concatenate([y for _, y in right]).tolist() == [6, 7, 8, 9]
    again, _ = km.utils.split_dataset(iter([(X[:5], Y[:5]), (X[5:], Y[5:])]), 6)
    assert [len(y) for _, y in again] == [5, 1]


def test_mixed_parts_share_nothing():
    left, right = km.utils.split_dataset((X, Y), 0.5, shuffle=True, seed=1)
    assert sorted([*whole(left), *whole(right)]) == list(range(10))
    assert whole(left).tolist() != list(range(5))
    again, _ = km.utils.split_dataset((X, Y), 0.5, shuffle=True, seed=1)
    np.testing.assert_array_equal(whole(left), whole(again))


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ({}, ValueError, "One of `left_size` and `right_size`"),
        ({"left_size": 1.5}, ValueError, "`left_size` must be a share between 0 and 1"),
        ({"right_size": 10}, ValueError, "from 1 to 9, got 10 for 10 samples"),
        ({"left_size": 8, "right_size": 8}, ValueError, "8 and 8 samples together"),
        ({"left_size": "half"}, TypeError, "must be a share or a number"),
    ],
)
def test_wrong_sizes(sizes, error, message):
    with pytest.raises(error, match=message):
        km.utils.split_dataset((X, Y), **sizes)


def test_data_that_is_none():
    with pytest.raises(TypeError, match="split_dataset takes arrays"):
        km.utils.split_dataset(3, 0.5)
    with pytest.raises(ValueError, match="equally long, got lengths"):
        km.utils.split_dataset((X, Y[:3]), 0.5)


def test_a_model_learns_from_a_part():
    left, right = km.utils.split_dataset((X.astype("float32"), Y.astype("float32")), 0.6)
    model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(left.batch(2), validation_data=right.batch(2), epochs=2, verbose=0)
    assert set(history.history) == {"loss", "val_loss"}


def test_windows():
    series = np.arange(20)
    windows = km.utils.timeseries_dataset_from_array(
        series, series * 10, 3, sequence_stride=2, sampling_rate=2, batch_size=4,
        start_index=2, end_index=15,
    )  # fmt: skip
    x, y = (np.concatenate(parts) for parts in zip(*windows))
    # Starts 2, 4, ..., while start + 2 * 2 < 15.
    assert x.tolist() == [[s, s + 2, s + 4] for s in range(2, 11, 2)]
    assert y.tolist() == [s * 10 for s in range(2, 11, 2)]
    assert windows.num_samples == 5
    single = km.utils.timeseries_dataset_from_array(series, None, 3, batch_size=None)
    assert len(single) == 18
    assert single[17].tolist() == [17, 18, 19]


def test_mixed_windows_are_the_same_windows():
    series = np.arange(30)
    made = [
        km.utils.timeseries_dataset_from_array(series, None, 4, shuffle=True, seed=5)[0]
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*made)
    assert sorted(made[0][:, 0].tolist()) == list(range(27))
    assert made[0][:, 0].tolist() != list(range(27))


def test_each_epoch_has_a_new_order():
    windows = km.utils.timeseries_dataset_from_array(np.arange(30), None, 4, shuffle=True, seed=5)
    first = windows[0]
    windows.on_epoch_end()
    assert sorted(windows[0][:, 0]) == sorted(first[:, 0])
    assert not np.array_equal(windows[0], first)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sequence_length": 0}, "`sequence_length` must be from 1 to 9"),
        ({"sequence_length": 3, "sampling_rate": 10}, "`sampling_rate`"),
        ({"sequence_length": 3, "sequence_stride": -1}, "`sequence_stride`"),
        ({"sequence_length": 3, "start_index": 5, "end_index": 5}, "start_index < end_index"),
        ({"sequence_length": 3, "batch_size": 0}, "`batch_size`"),
    ],
)
def test_wrong_windows(options, message):
    with pytest.raises(ValueError, match=message):
        km.utils.timeseries_dataset_from_array(np.arange(9), None, **options)
