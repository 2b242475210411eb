"""The benchmarks run; what they measure is not asserted."""

import pytest

from tests.benchmarks import from_disk, layer_monitor, panel_overhead, sums
from tests.benchmarks.__main__ import SECTIONS, main


def test_all_sections_run(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("KERNELMODEL_BENCH_PYTHONS", raising=False)
    main(["--smoke", "--workloads", "mlp_wide", "--libraries", "floor", "--out", str(tmp_path)])
    for section in SECTIONS:
        text = (tmp_path / f"{section}.md").read_text()
        assert "| kernelmodel " in text and "Python 3" in text, section
    assert "| floor |" in (tmp_path / "training.md").read_text()
    assert {path.name for path in tmp_path.glob("*.svg")} == {"scaling.svg", "steps.svg"}


def test_peers_take_turns_in_processes_of_their_own(tmp_path):
    only = ["--only", "serving"]
    main(["--smoke", *only, "--libraries", "raw JAX", "keras-jax", "--out", str(tmp_path)])
    text = (tmp_path / "serving.md").read_text()
    assert all(f"| {name} " in text for name in ("raw JAX", "keras-jax", "kernelmodel"))
    assert "fastest peer" in text


def test_what_is_not_installed_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["--smoke", "--libraries", "nothing"])
    assert "not installed: nothing" in capsys.readouterr().err


def test_layer_monitor_runs(capsys):
    layer_monitor.main(rounds=1, steps=2, names=("mlp_small", "deep"), least=0.01)
    assert "| deep |" in capsys.readouterr().out


def test_training_from_disk_runs(capsys):
    from_disk.main(rows=300, rounds=1)
    assert "| memory |" in (text := capsys.readouterr().out) and "| Parquet |" in text


def test_sums_run(capsys):
    sums.main(rounds=1)
    assert "| 2.2 million weights |" in capsys.readouterr().out


@pytest.mark.slow
def test_panel_overhead_runs(capsys):
    panel_overhead.main(steps=3, epochs=1)
    assert "of 5 ms" in capsys.readouterr().out
