"""A warning is about the user's line, from wherever in the package it comes."""

import ast
import warnings
from pathlib import Path

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.core.warning import warn_user

X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")


def compiled(**settings):
    model = km.Sequential([km.Input((3,)), km.layers.Dense(1, name="out")])
    model.compile("sgd", "mse", **settings)
    return model


class Unused(km.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(name="kernel")

    def call(self, x):
        return x


def without_gradient(folder):
    model = km.Sequential([km.Input((3,)), km.layers.Dense(1), Unused()])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)


def of_another_width(folder):
    path = folder / "a.weights.h5"
    compiled().save_weights(path)
    model = km.Sequential([km.Input((4,)), km.layers.Dense(1, name="out")])
    model.load_weights(path, skip_mismatch=True)


def of_another_width_in_shards(folder):
    path = folder / "a.weights.json"
    compiled().save_weights(path, max_shard_size=1)
    model = km.Sequential([km.Input((4,)), km.layers.Dense(1, name="out")])
    model.load_weights(path, skip_mismatch=True)


def without_arguments_of_compile(folder):
    path = folder / "a.h5"
    km.Sequential([km.Input((3,)), km.layers.Dense(1)]).save(path)
    km.models.load_model(path)


def that_loses_its_mask(folder):
    masked = km.layers.Masking()(np.zeros((2, 3, 4), "float32"))
    km.layers.Flatten()(masked)


def that_runs_out(folder):
    compiled().fit(((X, Y) for _ in range(2)), steps_per_epoch=3, verbose=0)


def of_a_batch_size_for_nothing(folder):
    compiled().evaluate(((X, Y) for _ in range(2)), batch_size=3, verbose=0)


def whose_flag_changes_late(folder):
    model = compiled()
    model.layers[-1].trainable = False
    model.fit(X, Y, verbose=0)


def of_a_name_that_is_monitored_in_vain(folder):
    compiled().fit(X, Y, callbacks=[km.callbacks.EarlyStopping("nothing")], verbose=0)


def in_a_custom_step(folder):
    variable = km.Variable([1.0])
    km.optimizers.SGD().apply([None, np.ones(1)], [variable, km.Variable([1.0])])


@pytest.mark.parametrize(
    "use",
    [
        without_gradient,
        of_another_width,
        of_another_width_in_shards,
        without_arguments_of_compile,
        that_loses_its_mask,
        that_runs_out,
        of_a_batch_size_for_nothing,
        whose_flag_changes_late,
        of_a_name_that_is_monitored_in_vain,
        in_a_custom_step,
    ],
    ids=lambda use: use.__name__,
)
def test_the_line_of_the_user(use, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use(tmp_path)
    assert caught
    code, lines = use.__code__, {line for *_, line in use.__code__.co_lines()}
    for one in caught:
        assert (one.filename, one.lineno in lines) == (code.co_filename, True), one.message


def test_the_class_of_a_warning():
    with pytest.warns(RuntimeWarning, match="^text$") as caught:
        warn_user("text", RuntimeWarning)
    assert caught[0].filename == __file__


# Numba compiles on a thread of its own, where no line of the user's is to be found.
ELSEWHERE = {"core/warning.py", "engine/numba_support.py"}


def test_all_warn_so():
    root = Path(km.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "warnings.warn"
    }
    assert found == ELSEWHERE
