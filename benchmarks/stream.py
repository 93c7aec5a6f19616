"""A net on a stream: how fast, how late, in how much memory, killed how often, and what it learns on the way.

    python benchmarks/stream.py throughput RUN    an hour of concatenated digits, as fast as it is taken
    python benchmarks/stream.py paced RUN         a minute of them at the speed of life
    python benchmarks/stream.py kills RUN         kill -9 at 50 random moments, with and without learning
    python benchmarks/stream.py learn RUN         a speaker that the net has never heard: some takes with labels, others to test

Every case runs the command `spikinggamma stream` and writes to its standard input or hands it a file. Recordings are those
of the run's test part, one after another (for an hour: over and over), each a segment.

Latency is from the moment at which a sender has written the last event of a step, and what tells that the step is over, to
the moment at which the line of its prediction is read. Paced, that is a `tick` at the end of each step. As fast as it is
taken, it is the `end` of a segment, and most of it is waiting in the pipe and the queue, which is what back-pressure means.

Rows are added to benchmarks/results/stream.jsonl, in the place of an older one of the same case.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from spikinggamma.bench.rows import with_row, write_rows
from spikinggamma.evaluation import wilson_interval
from spikinggamma.events import Recording
from spikinggamma.runs import Run, load_run, versions
from spikinggamma.stream import Items, Kind, encode_aer, encode_text, header, recording_items, spoken

RESULTS = Path(__file__).parent / "results" / "stream.jsonl"
MIB = 2**20
# Of a held-out speaker: takes below are for the test, the others are learnt from.
TEST_TAKES = 15


def command(run: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "spikinggamma", "stream", str(run), *options]


def told(options: Sequence[str]) -> str:
    return shlex.join(["spikinggamma", "stream", "RUN", *options])


def parts(recordings: Sequence[Recording], seconds: float, name: str) -> Iterator[tuple[bytes, int, int]]:
    """The bytes of each segment, when it ends [µs], and its events, until so much time is over."""
    encode = encode_aer if name == "aer" else encode_text
    begin_us = 0
    while True:
        for recording in recordings:
            yield encode(recording_items(recording, begin_us)), begin_us + recording.duration_us, recording.n_events
            begin_us += recording.duration_us
            if begin_us >= seconds * 1e6:
                return


def throughput(run: Run, arguments: argparse.Namespace) -> dict[str, Any]:
    """As fast as it is taken: the sender writes a segment at a time and notes when the pipe had room for the last of it."""
    options = ["--chunk", str(arguments.chunk), "--format", arguments.format]
    ends: deque[tuple[int, float]] = deque()
    events, sent_us, done = 0, 0, threading.Event()
    recordings = run.splits().test
    process = subprocess.Popen(command(run.path, *options), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    pipe, lines = process.stdin, process.stdout
    watched = psutil.Process(process.pid)

    def send() -> None:
        nonlocal events, sent_us
        pipe.write(header(arguments.format))
        for part, end_us, count in parts(recordings, arguments.seconds, arguments.format):
            pipe.write(part)
            pipe.flush()
            ends.append((end_us, time.perf_counter()))
            events, sent_us = events + count, end_us
        pipe.close()
        done.set()

    sender = threading.Thread(target=send, daemon=True)
    latencies, memory, rows, begun, clock_s = [], [], 0, 0.0, 0.0
    sender.start()
    for line in lines:
        now = time.perf_counter()
        begun = begun or now  # loading and compiling are over
        rows += 1
        row = json.loads(line)
        clock_s = row["time_us"] / 1e6
        if row["what"] == "segment":
            while ends and ends[0][0] < row["time_us"]:
                ends.popleft()
            if ends and ends[0][0] == row["time_us"]:
                latencies.append(now - ends.popleft()[1])
            if len(memory) < 2 or clock_s - memory[-1][0] >= 60.0:
                memory.append((clock_s, watched.memory_info().rss / MIB))
    seconds = time.perf_counter() - begun
    process.wait()
    kept = [mib for when, mib in memory if when >= 60.0]
    return {
        "case": f"throughput-{arguments.format}-{arguments.chunk}",
        "command": told(options),
        "format": arguments.format,
        "chunk": arguments.chunk,
        "stream_seconds": round(sent_us / 1e6, 1),
        "events": events,
        "seconds": round(seconds, 2),
        "events_per_s": round(events / seconds),
        "realtime_factor": round(sent_us / 1e6 / seconds, 1),
        "predictions": rows,
        "latency_p50_ms": round(1000 * float(np.quantile(latencies, 0.5)), 1),
        "latency_p99_ms": round(1000 * float(np.quantile(latencies, 0.99)), 1),
        "latency_of": "segments: last byte written to prediction read; pipe and queue are full",
        "rss_start_mib": round(kept[0], 1),
        "rss_middle_mib": round(kept[len(kept) // 2], 1),
        "rss_end_mib": round(kept[-1], 1),
        "rss_most_mib": round(max(kept), 1),
        "exit_code": process.returncode,
    }


def paced(run: Run, arguments: argparse.Namespace) -> dict[str, Any]:
    """At the speed of life: each step's events are written when it ends, and a tick behind them."""
    options = ["--chunk", str(arguments.chunk), "--format", arguments.format]
    encode = encode_aer if arguments.format == "aer" else encode_text
    step_us = round(run.recipe.data.dt_ms * 1000)
    written: dict[int, float] = {}
    process = subprocess.Popen(command(run.path, *options), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    pipe, lines = process.stdin, process.stdout
    times, channels = [], []
    begin_us = 0
    for recording in run.splits().test:
        times.append(begin_us + recording.times_us)
        channels.append(recording.channels)
        begin_us += recording.duration_us
        if begin_us > (arguments.seconds + 20.0) * 1e6:
            break
    when_us, which = np.concatenate(times), np.concatenate(channels).astype(np.int64)
    warm_us = 5_000_000  # loading and compiling: as fast as it is taken

    def send() -> None:
        pipe.write(header(arguments.format))
        begun = None
        for start_us in range(0, int((arguments.seconds + 5.0) * 1e6), step_us):
            first, last = np.searchsorted(when_us, [start_us, start_us + step_us])
            count = int(last - first)
            kinds = np.array([Kind.EVENT] * count + [Kind.TICK], np.uint8)
            nothing = np.zeros(count + 1, np.int64)
            marks = (np.append(when_us[first:last], start_us + step_us), np.append(which[first:last], 0))
            if start_us >= warm_us:
                if begun is None:
                    warmed.wait()
                    begun = time.perf_counter() - start_us / 1e6
                time.sleep(max(0.0, begun + (start_us + step_us) / 1e6 - time.perf_counter()))
                written[start_us + step_us] = time.perf_counter()
            pipe.write(encode(Items(kinds, *marks, nothing, nothing)))
            pipe.flush()
        pipe.close()

    warmed = threading.Event()
    threading.Thread(target=send, daemon=True).start()
    latencies = []
    for line in lines:
        now, row = time.perf_counter(), json.loads(line)
        if row["time_us"] >= warm_us - arguments.chunk * step_us:
            warmed.set()
        if row["time_us"] in written:
            latencies.append(now - written[row["time_us"]])
    process.wait()
    return {
        "case": f"paced-{arguments.format}-{arguments.chunk}",
        "command": told(options),
        "format": arguments.format,
        "chunk": arguments.chunk,
        "stream_seconds": arguments.seconds,
        "realtime_factor": 1.0,
        "predictions": len(latencies),
        "latency_p50_ms": round(1000 * float(np.quantile(latencies, 0.5)), 2),
        "latency_p99_ms": round(1000 * float(np.quantile(latencies, 0.99)), 2),
        "latency_of": "the last step of a chunk: its last event and tick written to its prediction read",
        "exit_code": process.returncode,
    }


def kills(run: Run, arguments: argparse.Namespace) -> dict[str, Any]:
    """Each process is killed a random time after it has begun to write; the last one is let be."""
    learning = ["--learn"] if arguments.learn else []
    options = ["--chunk", "16", "--every-s", "0.25", *learning]
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        events = folder / "events.aer"
        recordings = itertools.islice(itertools.cycle(run.splits().test), arguments.recordings)
        events.write_bytes(b"".join(spoken(list(recordings), "aer", labelled=arguments.learn)))

        def start(case: str) -> subprocess.Popen[bytes]:
            files = ["--in", str(events), "--out", str(folder / f"{case}.jsonl"), "--state", str(folder / case)]
            return subprocess.Popen(command(run.path, *options, *files), stderr=subprocess.DEVNULL)

        started = time.perf_counter()
        undisturbed = start("whole").wait()
        whole_s = time.perf_counter() - started
        out, killed, early = folder / "cut.jsonl", 0, 0
        while killed < arguments.kills:
            process = start("cut")
            before = out.stat().st_size if out.exists() else 0
            # From before it has read anything to well into its work.
            time.sleep(chance.uniform(0.0, 1.3 * arguments.lifetime))
            early += (out.stat().st_size if out.exists() else 0) == before
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            killed += 1
        last = start("cut").wait()
        whole, cut = (folder / "whole.jsonl").read_bytes(), out.read_bytes()
        lines = whole.count(b"\n")
    return {
        "case": "kills-learning" if arguments.learn else "kills",
        "command": told([*options, "--in", "FILE", "--out", "FILE", "--state", "DIR"]),
        "seed": 0,
        "recordings": arguments.recordings,
        "kills": killed,
        "kills_before_it_wrote": early,
        "undisturbed_seconds": round(whole_s, 1),
        "predictions": lines,
        "same_bytes": whole == cut,
        "exit_codes": [undisturbed, last],
    }


def learn(run: Run, arguments: argparse.Namespace) -> dict[str, Any]:
    """Test takes, then others with labels that come late, once each and in random order, then the test takes again."""
    options = ["--chunk", "64", "--learn", "--rate", str(arguments.rate)]
    options += ["--rule", arguments.rule] if arguments.rule else []
    options += ["--loss", arguments.loss] if arguments.loss else []
    everything = run.splits().test
    take = {id(one): int(one.source.removesuffix(".wav").rsplit("_", 1)[1]) for one in everything}
    test = [one for one in everything if take[id(one)] < TEST_TAKES]
    lessons = [one for one in everything if take[id(one)] >= TEST_TAKES]
    random.Random(arguments.seed).shuffle(lessons)
    late_us, begin_us = round(arguments.late_s * 1e6), 0
    marks: list[bytes] = []
    waiting: deque[tuple[int, int]] = deque()
    for number, (recording, taught) in enumerate(
        [*((one, False) for one in test), *((one, True) for one in lessons), *((one, False) for one in test)]
    ):
        marks.append(encode_text(recording_items(recording, begin_us)))
        begin_us += recording.duration_us
        if taught and (number - len(test)) % arguments.label_every == 0:
            waiting.append((begin_us, recording.label))
        last_lesson = number == len(test) + len(lessons) - 1
        while waiting and (waiting[0][0] + late_us <= begin_us or last_lesson):
            marks.append("label {} {}\n".format(*waiting.popleft()).encode())
    done = subprocess.run(
        command(run.path, *options),
        input=b"".join(marks),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    said = [row["class"] for row in rows if row["what"] == "segment"]
    losses = [row["loss"] for row in rows if row["what"] == "label" and "loss" in row]
    before, after = said[: len(test)], said[-len(test) :]
    figures: dict[str, Any] = {}
    for when, found in (("before", before), ("after", after)):
        right = sum(one.label == guess for one, guess in zip(test, found, strict=True))
        low, high = wilson_interval(right, len(test))
        figures |= {f"accuracy_{when}": round(right / len(test), 4), f"ci_{when}": [round(low, 4), round(high, 4)]}
    speaker = run.recipe.data.split.partition(":")[2]
    return {
        "case": f"learn-{speaker}-{arguments.rule or 'own'}-{arguments.loss or 'own'}-{arguments.rate:g}"
        f"-every{arguments.label_every}-seed{arguments.seed}",
        "command": told(options),
        "seed": arguments.seed,
        "speaker": speaker,
        "rate": arguments.rate,
        "label_late_s": arguments.late_s,
        "labels": len(losses),
        "lesson_seconds": round(sum(one.duration_us for one in lessons) / 1e6, 1),
        "test_recordings": len(test),
        "split": f"speaker held out of training; takes 0 to {TEST_TAKES - 1} test, the others taught",
        **figures,
        "loss_first_50": round(statistics.mean(losses[:50]), 4),
        "loss_last_50": round(statistics.mean(losses[-50:]), 4),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cases = {"throughput": throughput, "paced": paced, "kills": kills, "learn": learn}
    parser.add_argument("case", choices=cases)
    parser.add_argument("run", type=Path, help="the run; for `learn` one that held out a speaker")
    parser.add_argument("--seconds", type=float, help="of stream; an hour, or a minute paced")
    parser.add_argument("--chunk", type=int, default=64)
    parser.add_argument("--format", choices=("text", "aer"), default="aer")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--lifetime", type=float, default=5.0, help="kill within about so many seconds of the start")
    parser.add_argument("--recordings", type=int, default=6000, help="of the stream that is killed, over and over")
    parser.add_argument("--learn", action="store_true", help="kills while it learns")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--rule")
    parser.add_argument("--loss")
    parser.add_argument("--late-s", type=float, default=2.0, help="how late labels come")
    parser.add_argument("--label-every", type=int, default=1, help="one of so many recordings gets a label")
    parser.add_argument("--seed", type=int, default=0, help="of the order of lessons")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (60.0 if arguments.case == "paced" else 3600.0)
    run = load_run(arguments.run)
    row = {"bench": "stream", "run": run.recipe.name, "device": "cpu", "threads": run.recipe.training.threads}
    row |= {"versions": versions(), "cores": len(os.sched_getaffinity(0))} | cases[arguments.case](run, arguments)
    rows = [json.loads(line) for line in arguments.out.read_text().splitlines()] if arguments.out.exists() else []
    write_rows(arguments.out, with_row(rows, row, ["case"]))
    sys.stdout.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
