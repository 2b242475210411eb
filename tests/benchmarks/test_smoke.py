"""The benchmarks run; what they measure is not asserted."""

import pytest

from tests.benchmarks import import_time, layer_monitor, panel_overhead, train_step


def test_import_time_runs(capsys):
    import_time.main(rounds=1)
    assert "ratio" in capsys.readouterr().out


def test_train_step_runs(capsys, monkeypatch):
    monkeypatch.setattr(train_step.importlib.util, "find_spec", lambda name: None)
    train_step.main(rounds=1, steps=2, names=("mlp_small",))
    assert "| mlp_small |" in capsys.readouterr().out


def test_layer_monitor_runs(capsys):
    layer_monitor.main(rounds=1, steps=2, names=("mlp_small", "deep"), least=0.01)
    assert "| deep |" in capsys.readouterr().out


@pytest.mark.slow
def test_panel_overhead_runs(capsys):
    panel_overhead.main(steps=3, epochs=1)
    assert "of 5 ms" in capsys.readouterr().out
