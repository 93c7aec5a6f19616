"""The command line parses, calls, and ends with the right code; bad input is one line that names it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from spikinggamma import distributed, training
from spikinggamma.cli import app
from spikinggamma.runs import load_run

TINY = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]",
    "data.dt_ms=4.0", "net.hidden=[6]", "net.tau_ms=[4.0, 4.0, 4.0]",
    "training.epochs=2", "training.batch_size=16", "training.threads=1",
]  # fmt: skip
SETTINGS = [part for override in TINY for part in ("--set", override)]


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    result = call("train", *SETTINGS, "--out", folder, "--seed", "3")
    assert result.exit_code == 0, result.output
    return folder


@pytest.mark.long
def test_training_prints_what_matters_and_what_to_do_next(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    printed = call("train", *SETTINGS, "--out", folder, "--seed", "3").output
    for part in ("test accuracy", "floor", "ceiling", "100.0%", "spikes/neuron/s", "best epoch", str(folder)):
        assert part in printed
    assert printed.rstrip().endswith(f"spikinggamma report {folder}")
    assert load_run(folder).recipe.training.seed == 3


def test_resuming_a_finished_run_prints_it_again(run: Path) -> None:
    result = call("train", "--resume", run)
    assert result.exit_code == 0
    assert "test accuracy" in result.output


def test_a_lost_process_ends_with_a_line_and_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    def lose(*told: object, **named: object) -> None:
        raise distributed.LostProcess("Process 0 of 2 gets no answer.")

    monkeypatch.setattr(training, "train", lose)
    result = call("train", *SETTINGS, "--out", tmp_path / "run")
    assert (result.exit_code, result.stderr) == (1, "error: Process 0 of 2 gets no answer.\n")
    monkeypatch.undo()
    monkeypatch.setenv("RANK", "1")  # another process than the first says nothing of what went well
    result = call("train", "--resume", run)
    assert (result.exit_code, result.output) == (0, "")


def test_files_for_tensorboard_are_asked_for_by_a_flag(tmp_path: Path) -> None:
    assert call("train", *SETTINGS, "--out", tmp_path / "run", "--tensorboard").exit_code == 0
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


def test_an_interrupt_prints_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: object, progress: float, *, loss: float, accuracy: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.LogReporter, "advance", interrupt)
        result = call("train", *SETTINGS, "--out", tmp_path / "run")
    assert result.exit_code == 130
    assert f"spikinggamma train --resume {tmp_path / 'run'}" in result.stderr
    assert call("train", "--resume", tmp_path / "run").exit_code == 0


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "scheduler"])
def test_a_signal_ends_a_run_that_can_go_on(tmp_path: Path, sent: signal.Signals) -> None:
    command = [sys.executable, "-c", "from spikinggamma.cli import main; main()", "train", *SETTINGS]
    # A caller that ignores Ctrl-C, such as a shell in the background, hands that on; Python then would, too.
    restore = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command[2] = restore + command[2]
    command += ["--set", "training.epochs=100000", "--out", str(tmp_path / "run")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 2/"):
                process.send_signal(sent)
                break
        printed = process.stderr.read()
    assert process.returncode == 130
    assert f"spikinggamma train --resume {tmp_path / 'run'}" in printed
    assert load_run(tmp_path / "run").info["status"] == "interrupted"
    assert "Traceback" not in printed


def test_evaluating_at_another_step_writes_a_row(run: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    result = call("evaluate", run, "--dt-ms", "2", "--split", "validation", "--out", rows)
    assert result.exit_code == 0
    assert "validation accuracy" in result.output
    assert "not retrained" in result.output
    row = json.loads(rows.read_text())
    assert (row["run_dt_ms"], row["part"], row["samples"]) == (2.0, "validation", 18)


def test_evaluating_perturbed_recordings_says_so(run: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    result = call(
        "evaluate", run, "--perturb", "replacement=1", "--perturb", "deletion=.25", "--perturb-seed", "5", "--out", rows
    )
    assert result.exit_code == 0
    assert "replacement=1, deletion=0.25" in result.output
    row = json.loads(rows.read_text())
    assert (row["perturb"], row["perturb_seed"]) == (["replacement=1", "deletion=0.25"], 5)
    plain = json.loads((run / "result.json").read_text())
    assert row["loss"] != plain["loss"]
    wrong = call("evaluate", run, "--perturb", "noise=3")
    assert wrong.exit_code == 2
    assert "channel_jitter=5ms, deletion=0.2" in wrong.stderr
    assert len(rows.read_text().splitlines()) == 1


def test_costs_and_thresholds_are_told(run: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    result = call("evaluate", run, "--threshold-scale", "4", "--energies", "int8", "--out", rows)
    assert result.exit_code == 0
    for words in ("synapses used", "state updates", "bytes moved", "energy/s", "int8 weights", "x 4", "not retrained"):
        assert words in result.output
    row, plain = json.loads(rows.read_text()), json.loads((run / "result.json").read_text())
    assert row["threshold_scale"] == 4.0
    assert row["spikes_per_neuron_s"] < plain["spikes_per_neuron_s"]
    assert row["cost"]["dense"]["synaptic_operations"] == plain["cost"]["dense"]["synaptic_operations"]
    for wrong in (("--threshold-scale", "0"), ("--energies", "nothing")):
        assert call("evaluate", run, *wrong).exit_code == 2


def test_citations_follow_the_recipe(run: Path) -> None:
    spoken = call("cite", "fsdd").stdout
    for key in ("koopman2026spikinggamma", "yu2025beyond", "jackson2018fsdd", "cramer2022heidelberg", "bohte2012"):
        assert key in spoken
    heard = call("cite", run).stdout
    assert "koopman2026spikinggamma" in heard
    assert "jackson2018fsdd" not in heard
    assert heard.count("{") == heard.count("}")


@pytest.mark.long
def test_data_sets_are_listed_with_place_and_licence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPIKINGGAMMA_DATA", str(tmp_path))
    input_events = call("data", "list").output
    assert "CC BY-SA 4.0" in input_events
    assert "not here yet" in input_events
    (tmp_path / "fsdd").mkdir()
    (own,) = [part for part in call("data", "list").output.split("\n\n") if part.startswith("fsdd:")]
    assert f"here      {tmp_path / 'fsdd'}" in own


def test_benches_write_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench = pytest.importorskip("spikinggamma.bench")

    def measure(*, quick: bool, seed: int) -> Iterator[dict[str, Any]]:
        yield {"bench": "dummy", "quick": quick, "seed": seed}

    monkeypatch.setitem(bench.BENCHES, "dummy", measure)
    row = json.loads(call("bench", "dummy", "--quick", "--seed", "7").stdout)
    assert (row["bench"], row["quick"], row["seed"]) == ("dummy", True, 7)
    assert "command" in row
    assert call("bench", "dummy", "--out", tmp_path / "rows.jsonl").exit_code == 0
    assert json.loads((tmp_path / "rows.jsonl").read_text())["quick"] is False
    assert "Did you mean `dummy`" in call("bench", "dumy").stderr


def test_runs_that_fail_end_a_bench_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from spikinggamma import bench
    from spikinggamma.bench.rows import FailedRuns

    def measure(*, quick: bool, seed: int) -> Iterator[dict[str, Any]]:
        yield {"bench": "dummy"}
        raise FailedRuns("1 of 2 runs failed")

    monkeypatch.setitem(bench.BENCHES, "dummy", measure)
    result = call("bench", "dummy")
    assert (result.exit_code, json.loads(result.stdout)["bench"]) == (1, "dummy")
    assert result.stderr == "failed: 1 of 2 runs failed\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "fsd"], "Did you mean `fsdd`?"),
        (["train", "none.toml"], "does not exist"),
        (["train", "--set", "learning.learning_rat=1"], "Did you mean `learning.learning_rate`?"),
        (["train", "--set", "net.threshold=high"], "`net.threshold`: got 'high'"),
        (["train", "--set", "training.epochs=0"], "greater than or equal to 1"),
        (["train", "--set", "data.dt_ms=40"], "the shortest bucket"),
        (["train", "--seed", "-1"], "`training.seed`: got -1"),
        (["train", "--out", "."], "not empty"),
        (["train", "--resume", "none"], "no such folder"),
        (["train", "--resume", "none", "--seed", "1"], "`--resume`"),
        (["train", "--device", "abacus"], "abacus"),
        (["evaluate", "."], "without a recipe.toml"),
        (["cite", "."], "without a recipe.toml"),
        (["report", "none.jsonl"], "no such file"),
        (["report", "none.jsonl", "runs"], "runs and rows together"),
        (["bench", "gradient", "--jobs", "2"], "only for timing"),
        (["bench", "timing", "--only", "owls"], "`--only`: got 'owls'"),
        (["bench", "timing", "--seed", "1", "--seeds", "0,1"], "either --seed or --seeds"),
        (["data", "fetch", "fsd"], "Did you mean `fsdd`?"),
        (["data", "fetch", "localisation"], "made on the spot"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_named_and_ends_with_two(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.long
def test_a_fault_of_ours_keeps_its_traceback_and_ends_with_one() -> None:
    script = (
        "import spikinggamma.data as r\n"
        "def broken(*a): raise RuntimeError('ours')\n"
        "r.recipe_for = broken\n"
        "import sys; sys.argv = ['spikinggamma', 'train']\n"
        "from spikinggamma.cli import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "RuntimeError: ours" in ended.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    "command", ["", "train", "search", "evaluate", "report", "bench", "cite", "data", "data fetch"]
)
def test_help_teaches_and_imports_nothing_heavy(command: str) -> None:
    arguments = [*command.split(), "--help"]
    assert call(*arguments).exit_code == 0
    assert "spikinggamma" in call(*arguments).output


def test_help_imports_no_torch() -> None:
    script = "import sys; import spikinggamma.cli; sys.exit(bool({'torch', 'numba', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
