"""A stream as a whole: what it predicts, what it keeps, and that being killed changes nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from stream_runs import started, streamed, trained
from typer.testing import CliRunner, Result

from spikinggamma.cli import app
from spikinggamma.errors import SpikingGammaError
from spikinggamma.evaluation import evaluate
from spikinggamma.runs import Run
from spikinggamma.stream import FileSource, Late, LearningOptions, Output, Settings, Summary, stream

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and sockets are POSIX's")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained(tmp_path_factory.mktemp("runs"))


def call(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["stream", *map(str, arguments)], input=given)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def taken(run: Run, data: bytes, folder: Path, **settings: Any) -> tuple[Summary, bytes]:
    folder.mkdir(exist_ok=True)
    (folder / "in").write_bytes(data)
    summary = stream(run, FileSource(folder / "in"), Output(folder / "out.jsonl"), Settings(**settings))
    return summary, (folder / "out.jsonl").read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("name", ["text", "aer"])
def test_decisions_and_accuracy_are_those_of_the_command_evaluate(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "events").write_bytes(streamed(run, name))
    result = call(run.path, "--in", tmp_path / "events", "--out", tmp_path / "out.jsonl", "--chunk", 5)
    assert result.exit_code == 0, result.output
    row = evaluate(run)
    found = rows_of(tmp_path / "out.jsonl")
    assert [one["class"] for one in found if one["what"] == "segment"] == row["predictions"]
    labels = [one for one in found if one["what"] == "label"]
    assert sum(one["class"] == one["label"] for one in labels) / len(labels) == row["accuracy"]
    assert [one["n"] for one in found] == list(range(len(found)))


@pytest.mark.long
def test_bad_input_ends_with_its_place_and_goes_on_once_it_is_mended(run: Run, tmp_path: Path) -> None:
    text = streamed(run)
    lines = text.split(b"\n")
    middle = len(lines) // 2
    damaged = b"\n".join([*lines[:middle], b"12 x", *lines[middle:]])
    events, out, state = tmp_path / "events", tmp_path / "out.jsonl", tmp_path / "state"
    events.write_bytes(damaged)
    options = (run.path, "--in", events, "--out", out, "--state", state, "--learn")
    result = call(*options)
    assert result.exit_code == 2
    assert f"line {middle + 1}, byte {len(b' '.join(lines[:middle])) + 1}" in result.stderr
    assert str(state) in result.stderr
    assert rows_of(out)
    # The same fault again, and no row twice.
    before = out.read_bytes()
    again = call(*options)
    assert (again.exit_code, out.read_bytes()) == (2, before)
    assert f"line {middle + 1}" in again.stderr
    events.write_bytes(text)
    assert call(*options).exit_code == 0
    assert out.read_bytes() == taken(run, text, tmp_path / "whole", lessons=LearningOptions())[1]


def test_late_events_are_named_by_their_line_and_nothing_after_them_is_taken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "events").write_bytes(b"# times\n5000 1\n9000 1\n8000 2\n")
    result = call(run.path, "--in", tmp_path / "events", "--state", tmp_path / "state")
    assert result.exit_code == 2
    assert "line 4`: got event at 8000 after 9000" in result.stderr
    assert (tmp_path / "state" / "position").read_text() == f"{len('# times 5000 1 9000 1 ')}\n"


@pytest.mark.long
def test_reordered_events_lead_to_the_predictions_of_ordered_ones(run: Run, tmp_path: Path) -> None:
    lines = streamed(run, labelled=False).splitlines(keepends=True)
    _, wanted = taken(run, b"".join(lines), tmp_path / "ordered")
    # Every tenth line is held back by two lines, a few milliseconds at most.
    for place in range(0, len(lines) - 3, 10):
        lines[place : place + 3] = lines[place + 1 : place + 3] + lines[place : place + 1]
    summary, found = taken(run, b"".join(lines), tmp_path / "mixed", late=Late("reorder", 30_000))
    assert (summary.dropped, summary.dropped_marks) == (0, 0)
    assert found == wanted
    dropping, _ = taken(run, b"".join(lines), tmp_path / "dropped", late=Late("drop"))
    assert dropping.dropped + dropping.dropped_marks > 0
    assert "late and dropped" in str(dropping)


@pytest.mark.long
def test_settings_of_another_stream_are_refused_by_name(run: Run, tmp_path: Path) -> None:
    options = [run.path, "--in", tmp_path / "in", "--out", tmp_path / "out.jsonl", "--state", tmp_path / "state"]
    (tmp_path / "in").write_bytes(streamed(run))
    assert call(*options).exit_code == 0
    finished = (tmp_path / "out.jsonl").read_bytes()
    assert call(*options).exit_code == 0  # nothing is left to do
    assert (tmp_path / "out.jsonl").read_bytes() == finished
    for more in (["--chunk", 3], ["--learn"], ["--late", "drop"], ["--remember-ms", 5]):
        result = call(*options, *more)
        assert result.exit_code == 2
        assert "before and" in result.stderr
    (tmp_path / "state" / "stream.pt").write_bytes(b"no checkpoint")
    assert "damaged" in call(*options).stderr
    assert "--out" in call(*options[:-2]).stderr  # a new stream does not write over an old one's rows


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--late", "never"], "--late"), (["--format", "csv"], "--format"), (["--chunk", 0], "--chunk"),
        (["--dt-ms", 9], "data.dt_ms"), (["--rate", 1], "--learn"), (["--in", "missing"], "--in"),
        (["--learn", "--rule", "luck"], "learning.rule"), (["--forget-ms", -1], "--forget-ms"),
    ],
)  # fmt: skip
def test_bad_options_are_bad_input(run: Run, options: list[object], named: str) -> None:
    result = call(run.path, *options, given=b"")
    assert result.exit_code == 2, result.output
    assert f"`{named}`" in result.stderr


@pytest.mark.long
def test_standard_input_may_begin_anywhere_that_is_known(run: Run, tmp_path: Path) -> None:
    text = streamed(run)
    _, wanted = taken(run, text, tmp_path / "whole")
    half = text.index(b"\n", len(text) // 2) + 1
    options = [run.path, "--state", tmp_path / "state", "--out", tmp_path / "out.jsonl"]

    def sent(data: bytes) -> int:
        with started(run, *options[1:], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            process.communicate(data)
            return process.returncode

    # The sender dies inside a line: what is whole is taken.
    assert sent(text[: half + 3]) == 2
    known = int((tmp_path / "state" / "position").read_text())
    assert known == half
    assert sent(b"at %d\n" % (known + 1) + text[known + 1 :]) == 2
    assert sent(b"at %d\n" % (known - 7) + text[known - 7 :]) == 0
    assert (tmp_path / "out.jsonl").read_bytes() == wanted
    assert sent(text) == 0


def killed_and_resumed(run: Run, folder: Path, *, kills: int, times: int, options: list[str]) -> None:
    """The output of a stream that is killed again and again is that of one that is let be, byte for byte."""
    chance = random.Random(0)
    (folder / "in").write_bytes(streamed(run, "aer", times=times))
    arguments = ["--in", folder / "in", "--chunk", 4, "--every-s", "0.05", *options]

    def start(name: str) -> subprocess.Popen[bytes]:
        files = ["--out", folder / f"{name}.jsonl", "--state", folder / name]
        with (folder / "said").open("ab") as said:
            return started(run, *arguments, *files, stderr=said)

    with start("whole") as process:
        assert process.wait(300) == 0
    out = folder / "cut.jsonl"
    for _ in range(kills):
        with start("cut") as process:
            before, wanted = out.stat().st_size if out.exists() else 0, chance.randrange(1, 6000)
            began = time.monotonic()
            # At any moment: while it loads, or after it has written some more.
            loading = chance.uniform(0.0, 3.0) if chance.random() < 0.2 else 60.0
            while process.poll() is None and time.monotonic() - began < loading:
                if out.exists() and out.stat().st_size >= before + wanted:
                    break
                time.sleep(0.002)
            assert process.poll() is None, "it was done before it was killed: the stream is too short for this test"
            process.send_signal(signal.SIGKILL)
    with start("cut") as process:
        assert process.wait(300) == 0, (folder / "said").read_text()
    assert out.read_bytes() == (folder / "whole.jsonl").read_bytes()


@pytest.mark.long
@posix
def test_being_killed_changes_nothing(run: Run, tmp_path: Path) -> None:
    killed_and_resumed(run, tmp_path, kills=2, times=12, options=["--learn"])


@posix
@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--learn", "--late", "reorder-within=30"]], ids=["plain", "learning"])
def test_being_killed_fifty_times_changes_nothing(run: Run, tmp_path: Path, options: list[str]) -> None:
    killed_and_resumed(run, tmp_path, kills=50, times=160, options=options)


@pytest.mark.long
def test_the_weights_of_a_checkpoint_are_those_that_were_learnt(run: Run, tmp_path: Path) -> None:
    summary, _ = taken(
        run, streamed(run), tmp_path, lessons=LearningOptions(rule="instantaneous"), state=tmp_path / "state"
    )
    assert summary.tally.learnt == summary.tally.segments == 36
    kept = torch.load(tmp_path / "state" / "stream.pt", weights_only=True)
    fresh = run.net().state_dict()
    assert any(not torch.equal(kept["net"][name], tensor) for name, tensor in fresh.items())
    assert kept["lessons"] == 36


@pytest.mark.long
@posix
def test_a_request_to_end_keeps_all_and_says_how_to_go_on(run: Run, tmp_path: Path) -> None:
    options = ["--state", tmp_path / "state", "--out", tmp_path / "out.jsonl", "--every-s", "1000"]
    text = streamed(run)
    half = text.index(b"\n", len(text) // 2) + 1
    with started(run, *options, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(text[:half])
        process.stdin.flush()
        while not (tmp_path / "out.jsonl").exists() or not (tmp_path / "out.jsonl").stat().st_size:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        printed = process.stderr.read().decode()
        assert process.wait() == 130
    assert "Go on with the same command" in printed
    known = int((tmp_path / "state" / "position").read_text())
    assert 0 < known <= half
    with started(run, *options, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.communicate(b"at %d\n" % known + text[known:])
    assert (tmp_path / "out.jsonl").read_bytes() == taken(run, text, tmp_path / "whole")[1]


@posix
def test_two_processes_do_not_share_a_state(run: Run, tmp_path: Path) -> None:
    from spikinggamma.files.locks import locked

    (tmp_path / "in").write_bytes(b"")
    with locked(tmp_path), pytest.raises(SpikingGammaError, match="another process"):
        stream(run, FileSource(tmp_path / "in"), Output(tmp_path / "out.jsonl"), Settings(state=tmp_path))


@posix
@pytest.mark.slow
def test_memory_does_not_grow_with_the_stream(run: Run, tmp_path: Path) -> None:
    """A hundred passes more must not cost what one pass holds: 36 segments with labels are kept nowhere."""
    times = 700
    data = streamed(run, "aer", times=times)
    with started(run, "--out", tmp_path / "out.jsonl", "--learn", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        watched, kept = psutil.Process(process.pid), []
        for place in range(0, len(data), 2**18):
            process.stdin.write(data[place : place + 2**18])
            kept.append(watched.memory_info().rss)
        process.stdin.close()
        assert process.wait() == 0
    early, late = kept[len(kept) // 4], kept[-1]
    assert late - early < 8 * 2**20
    assert os.path.getsize(tmp_path / "out.jsonl") > 2**20
