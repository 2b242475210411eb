"""summary(): text to the specification."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km

layers = km.layers


def model() -> km.Model:
    inputs = km.Input((8, 8, 1), name="image")
    x = layers.Conv2D(2, 3, name="conv_1")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    inner = km.Sequential(
        [km.Input((6, 6, 2)), layers.Flatten(name="flat"), layers.Dense(4, name="inside")],
        name="inner",
    )
    x = inner(x)
    return km.Model(inputs, layers.Dense(3, name="dense_out")(x), name="shown")


def lines(**settings: Any) -> list[str]:
    found: list[str] = []
    settings.pop("of", model()).summary(print_fn=found.append, **settings)
    return found


def rows(found: list[str]) -> list[str]:
    return [line for line in found if "(" in line and "│" in line and "type" not in line]


def test_rows_and_totals() -> None:
    found = lines()
    assert found[0] == 'Model: "shown"'
    text = "\n".join(found)
    for header in ("Layer (type)", "Output Shape", "Param #"):
        assert header in text
    names = ["image (InputLayer)", "conv_1 (Conv2D)", "norm (BatchNormalization)",
             "inner (Sequential)", "dense_out (Dense)"]  # fmt: skip
    assert [name for line, name in zip(rows(found), names) if name in line] == names
    assert "(None, 6, 6, 2)" in rows(found)[1]
    assert "20" in rows(found)[1]
    assert " Total params: 335 " in text
    assert " Trainable params: 331" in text
    assert " Non-trainable params: 4" in text
    assert "inside" not in text


def test_print_fn_gets_each_line() -> None:
    assert all(isinstance(line, str) and "\n" not in line for line in lines())
    assert lines() == lines()


def test_prints_to_stdout_by_default(capsys: Any) -> None:
    model().summary()
    out = capsys.readouterr().out
    assert "conv_1 (Conv2D)" in out
    assert "Total params" in out


@pytest.mark.parametrize("length", [60, 100, 140])
def test_line_length(length: int) -> None:
    table = [line for line in lines(line_length=length) if line[:1] in "┌├└│┃┏┡╞"]
    assert {len(line) for line in table} == {length}


def test_positions() -> None:
    shares = lines(line_length=100, positions=[0.4, 0.8, 1.0])
    absolute = lines(line_length=100, positions=[40, 80, 100])
    assert shares == absolute
    assert lines(line_length=100, positions=[0.6, 0.8, 1.0]) != shares
    with pytest.raises(ValueError, match="`positions` must hold 3"):
        lines(positions=[0.5])


def test_expand_nested() -> None:
    found = rows(lines(expand_nested=True))
    names = [line.split("│")[1].rstrip() for line in found]
    inside = [name for name in names if "inside" in name or "flat" in name]
    assert len(inside) == 2
    outer = next(name for name in names if "inner" in name)
    indents = [len(name) - len(name.lstrip()) for name in (outer, inside[0])]
    assert indents[1] > indents[0]


def test_show_trainable() -> None:
    shown = model()
    shown.get_layer("conv_1").trainable = False
    found = lines(of=shown, show_trainable=True)
    assert any("Trainable" in line and "Param #" in line for line in found)
    assert [line.split("│")[-2].strip() for line in rows(found)] == ["Y", "N", "Y", "Y", "Y"]
    assert any("Non-trainable params: 24" in line for line in found)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (("conv_1", "norm"), ["conv_1", "norm"]),
        (("norm", "norm"), ["norm"]),
        (("c.*", ".*out"), ["conv_1", "norm", "inner", "dense_out"]),
        ([".*", "inn.*"], ["image", "conv_1", "norm", "inner"]),
    ],
)
def test_layer_range(wanted: Any, names: list[str]) -> None:
    found = rows(lines(layer_range=wanted))
    assert [line.split("│")[1].split("(")[0].strip() for line in found] == names


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (("conv_2", "norm"), "'conv_2'.*Did you mean 'conv_1'"),
        (("conv_1", "nothing"), "'nothing'"),
        (("conv_1",), "two layer names"),
        ((1, 2), "two layer names"),
        ("conv_1", "two layer names"),
    ],
)
def test_bad_layer_range(wanted: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lines(layer_range=wanted)


def test_before_it_is_built() -> None:
    class Sub(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2, name="mine")

        def call(self, x: Any) -> Any:
            return self.dense(x)

    for unbuilt in (Sub(), km.Sequential([layers.Dense(2)])):
        with pytest.raises(ValueError, match=r"isn't built.*build\(input_shape\)"):
            unbuilt.summary()
    built = Sub()
    built(np.ones((1, 3)))
    text = "\n".join(lines(of=built))
    assert "mine (Dense)" in text
    assert "Total params: 8" in text


def test_connections_are_shown_where_the_graph_branches() -> None:
    inputs = km.Input((3,), name="x")
    one, two = layers.Dense(2, name="one")(inputs), layers.Dense(2, name="two")(inputs)
    branched = km.Model(inputs, layers.Add(name="sum")([one, two]) * 2.0)
    found = lines(of=branched)
    assert any("Connected to" in line for line in found)
    assert "one, two" in next(line for line in rows(found) if "sum" in line)
    assert any("multiply" in line for line in rows(found))
    assert not any("Connected to" in line for line in lines())


def test_shared_weights_count_once() -> None:
    shared = layers.Dense(2, name="shared")
    a, b = km.Input((2,)), km.Input((2,))
    twice = km.Model([a, b], [shared(a), shared(b)])
    assert "Total params: 6 " in "\n".join(lines(of=twice))
    assert twice.count_params() == 6


def test_count_params() -> None:
    assert model().count_params() == 335
    with pytest.raises(ValueError, match="isn't built"):
        layers.Dense(2).count_params()
    with pytest.raises(ValueError, match="isn't built"):
        km.Sequential([layers.Dense(2)]).count_params()


def test_optimizer_is_counted_after_training() -> None:
    shown = model()
    shown.compile("adam", "mse")
    shown.fit(np.ones((2, 8, 8, 1)), np.ones((2, 3)), verbose=0)
    assert any("Optimizer params: 664" in line for line in lines(of=shown))
