"""Frames and series of pandas and polars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from training.sources.models import noting

import kernelmodel as km

COLUMNS = {"a": [1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0]}


@pytest.fixture(params=["pandas", "polars"])
def library(request: Any) -> Any:
    return {"pandas": pd, "polars": pl}[request.param]


def test_series_are_columns(library: Any) -> None:
    frame = library.DataFrame(COLUMNS)
    model = noting()
    model.fit(frame["a"], frame["b"], sample_weight=frame["b"], shuffle=False, verbose=0)
    assert [part.shape for part in model.batches[0]] == [(3, 1)] * 3
    assert model.history.history["loss"] == [pytest.approx(1 / 3)]
    assert all(part.dtype == np.float32 for part in model.batches[0])


def test_frames(library: Any) -> None:
    frame = library.DataFrame(COLUMNS)
    model = noting()
    model.fit(frame, frame[["b"]], shuffle=False, validation_split=0.4, verbose=0)
    assert model.batches[0][0].tolist() == [[1.0, 0.0]]
    assert model.batches[0][1].tolist() == [[0.0]]
    assert model.predict(frame, verbose=0).shape == (3, 1)
    assert np.isscalar(model.evaluate(frame, frame["b"], verbose=0))
    assert model.predict(iter([frame, frame]), verbose=0).shape == (6, 1)
    model.train_on_batch(frame, frame["b"])


def named() -> km.Model:
    a, b = km.Input((1,), name="a"), km.Input((1,), name="b")
    return km.Model([b, a], km.layers.Subtract()([a, b]))


def test_series_by_input_name(library: Any) -> None:
    frame = library.DataFrame({**COLUMNS, "other": COLUMNS["a"]})
    data = dict(frame) if library is pd else frame.to_dict()
    assert named().predict(data, verbose=0).ravel().tolist() == [1.0, 1.0, 3.0]
    with pytest.raises(ValueError, match=r"2 input\(s\).*got 1.*dict by name"):
        named().predict(library.DataFrame(COLUMNS), verbose=0)


def test_dtypes(library: Any) -> None:
    frame = library.DataFrame({"i": [1, 2], "j": [3, 4]})
    model = noting()
    model.fit(frame, frame["i"], verbose=0)
    assert model.batches[0][0].dtype.kind == model.batches[0][1].dtype.kind == "i"
    mixed = library.DataFrame({"i": [1, 2], "t": [True, False], "f": [0.5, 1.5]})
    model = noting()
    model.fit(mixed, mixed["t"], shuffle=False, verbose=0)
    assert model.batches[0][0].tolist() == [[1.0, 1.0, 0.5], [2.0, 0.0, 1.5]]
    assert model.batches[0][1].dtype == np.bool_


def test_nullable_numbers_of_pandas() -> None:
    frame = pd.DataFrame({"i": [1, 2], "f": [0.5, None]}).convert_dtypes()
    model = km.Sequential([km.layers.Dense(1)])
    found = model.predict(frame, verbose=0)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    ints = noting()
    ints.fit(frame["i"], frame["i"], verbose=0)
    assert ints.batches[0][0].dtype.kind in "if"


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["x", "y"], "`x` has the column 'c'"),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), "`x` has the column 'c' of type datetime64"),
        (pd.Categorical(["u", "v"]), "`x` has the column 'c'"),
    ],
)
def test_a_column_without_numbers_is_named(column: Any, words: str) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "c": column})
    model = noting()
    with pytest.raises(ValueError, match=words):
        model.fit(frame, frame["a"], verbose=0)
    with pytest.raises(ValueError, match="column 'c'"):
        model.fit(frame["c"], frame["a"], verbose=0)
    assert not model.built


def test_text_in_polars_is_named() -> None:
    with pytest.raises(ValueError, match="column 'c'"):
        noting().fit(pl.DataFrame({"a": [1.0], "c": ["x"]}), np.ones(1), verbose=0)
