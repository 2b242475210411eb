"""Tables as arrays: what a FeatureSpace learns, gives, and keeps in files."""

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.utils import FeatureSpace

TABLE = {
    "age": [20.0, 30.0, 40.0, 50.0],
    "kind": ["cat", "dog", "cat", "owl"],
    "code": [1, 2, 2, 1],
}


def space(**settings):
    made = FeatureSpace(
        {"age": "float_normalized", "kind": "string_categorical", "code": "integer_categorical"},
        **settings,
    )
    made.adapt(TABLE)
    return made


def test_features_lie_side_by_side_in_the_order_of_their_names():
    rows = np.asarray(space()(TABLE))
    assert rows.shape == (4, 1 + 3 + 4)
    np.testing.assert_allclose(rows[:, 0], [-1.341641, -0.447214, 0.447214, 1.341641], rtol=1e-5)
    assert rows[:, 1:4].argmax(1).tolist() == [2, 1, 1, 2]  # code: unknown, 2, 1
    assert rows[:, 4:].argmax(1).tolist() == [1, 3, 1, 2]  # kind: unknown, cat, owl, dog


def test_crosses_and_dicts():
    made = space(crosses=[("kind", "code")], crossing_dim=8, output_mode="dict")
    parts = made(TABLE)
    assert list(parts) == ["age", "code", "kind", "kind_X_code"]
    assert parts["kind_X_code"].shape == (4, 8)
    assert made({"age": 20.0, "kind": "cat", "code": 1})["kind"].shape == (4,)


def test_batches_teach_as_the_whole_does():
    made = space()
    other = FeatureSpace.from_config(made.get_config())
    other.adapt({k: v[i : i + 2] for k, v in TABLE.items()} for i in (0, 2))
    np.testing.assert_allclose(other(TABLE), made(TABLE), rtol=1e-6)


def test_a_model_on_raw_data(tmp_path):
    made = space(crosses=[("kind", "code")], crossing_dim=8)
    model = km.Model(made.get_inputs(), km.layers.Dense(1)(made.get_encoded_features()))
    model.compile("adam", "mse")
    model.fit(TABLE, np.zeros(4), epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = km.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(TABLE, verbose=0), model.predict(TABLE, verbose=0))


def test_a_space_in_a_file(tmp_path):
    made = space(crosses=[("kind", "code")], crossing_dim=8)
    made.save(tmp_path / "space.keras")
    loaded = km.models.load_model(tmp_path / "space.keras")
    np.testing.assert_array_equal(loaded(TABLE), made(TABLE))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FeatureSpace({}), ["features", "{}"]),
        (lambda: FeatureSpace({"a": "floaty"}), ["'floaty'", "float"]),
        (lambda: FeatureSpace({"a": "float"}, output_mode="list"), ["output_mode", "'list'"]),
        (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), ["cross", "'b'"]),
        (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), ["adapt"]),
        (lambda: space()({"age": [1.0], "kind": ["x"]}), ["'code'", "'age'"]),
        (lambda: space().adapt([1, 2]), ["dict", "list"]),
        (
            lambda: FeatureSpace({"a": FeatureSpace.string_hashed(3, output_mode="int")})(
                {"a": ["x"]}
            ),
            ["'a'", "int64", "one_hot"],
        ),
    ],
)
def test_bad_arguments_are_named(make, words):
    with pytest.raises(ValueError) as caught:
        make()
    for word in words:
        assert word in str(caught.value), str(caught.value)
