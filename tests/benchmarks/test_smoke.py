"""The benchmarks run; what they measure is not asserted."""

from tests.benchmarks import import_time, layer_monitor, train_step


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
