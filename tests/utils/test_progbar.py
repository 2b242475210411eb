"""The progress bar and where messages go."""

import logging
import re
import sys

import pytest

import kernelmodel as km


class Terminal:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        """Nothing to do."""

    def isatty(self):
        return True


def lines(capsys):
    return re.sub(r"\d+(us|ms|s)/", "T/", capsys.readouterr().out)


def test_a_log_gets_the_last_line(capsys):
    bar = km.utils.Progbar(4, stateful_metrics=["rate"])
    bar.update(1, [("loss", 1.0), ("rate", 0.1)])
    bar.add(2, [("loss", 4.0), ("rate", 0.2)])
    assert lines(capsys) == ""
    bar.update(4, [("loss", 2.0)])
    assert lines(capsys) == "4/4 - 0s - T/step - loss: 2.0000 - rate: 0.2000\n"


def test_means_are_weighted_by_steps(capsys):
    bar = km.utils.Progbar(None, stateless_metrics=["loss"])
    bar.update(1, [("loss", 1.0)])
    bar.update(4, [("loss", 5.0), ("rate", 0.5)])
    bar.update(4, finalize=True)
    assert lines(capsys) == "4/Unknown - 0s - T/step - loss: 4.0000 - rate: 0.5000\n"


def test_silence(capsys):
    km.utils.Progbar(1, verbose=0).update(1)
    assert lines(capsys) == ""


def test_a_terminal_gets_one_line(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    bar = km.utils.Progbar(2, width=4, interval=0)
    bar.update(1, [("a", 1.0)])
    bar.update(2, [("a", 3.0)])
    first, second = terminal.text.strip("\r\n").split("\r")
    assert first.startswith("1/2 ━━╌╌ - 0s")
    assert second.startswith("2/2 ━━━━ - 0s")
    assert terminal.text.count("\n") == 1


def test_both_lists_of_names():
    with pytest.raises(ValueError, match="not both"):
        km.utils.Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_messages_go_to_the_log(capsys, caplog):
    km.utils.disable_interactive_logging()
    try:
        assert not km.utils.is_interactive_logging_enabled()
        with caplog.at_level(logging.INFO, "kernelmodel"):
            km.utils.Progbar(1).update(1)
    finally:
        km.utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert caplog.messages[0].startswith("1/1")
    assert km.utils.is_interactive_logging_enabled()


def test_source_inputs():
    x, y = km.Input((3,)), km.Input((3,))
    hidden = km.layers.Dense(2)(x)
    output = km.layers.Add()([hidden, km.layers.Dense(2)(y), hidden])
    assert [id(t) for t in km.utils.get_source_inputs(output)] == [id(x), id(y)]
    assert km.utils.get_source_inputs(x) == [x]
    with pytest.raises(TypeError, match="takes a symbolic tensor"):
        km.utils.get_source_inputs(3)
