"""Spoken digits through exported C programs: the same answers as the library's? How large, how much work, how long?

    python benchmarks/fsdd_c_program.py RUN [--out FILE.jsonl]

Method: a run of the recipe `fsdd` is exported in each kind of number, compiled by `cc -std=c99 -O2` and given its test
recordings, each once. Predictions and every spike are compared with the library's (batches of one recording). Time is what the
processor spent on the whole process, reading included, with binary input and without output events, the median of five.
Sizes are size(1)'s of the program's object file. `quiet` is thirty recordings with ten seconds of silence behind each, as a
microphone that is always on would hear them. Both cases are also compiled without sleep.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import resource
import statistics
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from spikinggamma.bench.rows import write_rows
from spikinggamma.events import Recording, bin_recording
from spikinggamma.export import NUMBERS, event_bytes, program_of_run, write_c
from spikinggamma.nn import GammaNet
from spikinggamma.runs import Run, load_run, versions

RESULTS = Path(__file__).parent / "results" / "fsdd_c_program.jsonl"
PASSES, QUIET, SILENCE_US = 5, 30, 10_000_000
FLAGS = ("-std=c99", "-O2")
Spikes = dict[tuple[int, int, int], int]  # by step, layer and neuron


class Said(NamedTuple):
    """Predictions, spikes of each recording, and operation counts of all."""

    predictions: list[int]
    spikes: list[Spikes]
    counts: Counter[str]


def of_library(run: Run, recordings: Sequence[Recording]) -> tuple[list[int], list[Spikes]]:
    net, data = run.net("best"), run.recipe.data
    assert isinstance(net, GammaNet)
    predictions, spikes = [], []
    for recording in recordings:
        counts = bin_recording(recording, dt_ms=data.dt_ms, n_channels=data.n_channels or None)
        activations, _ = net.run(counts.unsqueeze(1), net.initial_state(1), data.dt_ms)
        predictions.append(int(activations.layers[-1].outputs.mean(0).argmax()))
        spikes.append(
            {
                (int(step), layer, int(neuron)): int(one.counts[step, 0, neuron])
                for layer, one in enumerate(activations.layers[:-1], start=1)
                if one.counts is not None
                for step, neuron in one.counts[:, 0].nonzero()
            }
        )
    return predictions, spikes


def of_program(program: Path, data: bytes, step_us: int) -> Said:
    done = subprocess.run([program, "-b", "-c"], input=data, capture_output=True, check=True)
    predictions: list[int] = []
    spikes: list[Spikes] = [{}]
    counts: Counter[str] = Counter()
    for line in done.stdout.decode().splitlines():
        kind, *words = line.split()
        if kind == "spike":
            spikes[-1][int(words[0]) // step_us, int(words[1]), int(words[2])] = int(words[3])
        elif kind == "class":
            predictions.append(int(words[0]))
            spikes.append({})
        else:
            counts.update({name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)})
    return Said(predictions, spikes[:-1], counts)


def seconds(program: Path, data: bytes) -> float:
    """Median processor time of the process without output events."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    times = []
    for _ in range(PASSES):
        before = spent()
        subprocess.run([program, "-b", "-q"], input=data, stdout=subprocess.DEVNULL, check=True)
        times.append(spent() - before)
    return statistics.median(times)


def compiled(source: Path, name: str, *flags: str) -> Path:
    program = source.with_name(name)
    subprocess.run(["cc", *FLAGS, *flags, "-o", program, source], check=True)
    return program


def sizes(source: Path) -> dict[str, int]:
    """Bytes of machine code with constants, of initialised and of zeroed memory."""
    subprocess.run(["cc", *FLAGS, "-c", "-o", source.with_suffix(".o"), source], check=True)
    printed = subprocess.run(["size", source.with_suffix(".o")], capture_output=True, text=True, check=True).stdout
    text, data, bss = (int(word) for word in printed.splitlines()[1].split()[:3])
    return {"text_bytes": text, "data_bytes": data, "bss_bytes": bss}


def differences(one: Sequence[Spikes], other: Sequence[Spikes]) -> dict[str, int]:
    """How many (step, neuron) say something else, and in how many recordings."""
    unlike = [sum(a.get(place) != b.get(place) for place in {*a, *b}) for a, b in zip(one, other, strict=True)]
    total = sum(len({*a, *b}) for a, b in zip(one, other, strict=True))
    first = 0
    for a, b in zip(one, other, strict=True):
        places = [place for place in {*a, *b} if a.get(place) != b.get(place)]
        first += sum(layer == 1 for _, layer, _ in places)
    return {
        "spiking_steps": total,
        "spiking_steps_that_differ": sum(unlike),
        "of_them_in_layer_1": first,
        "recordings_with_a_difference": sum(count > 0 for count in unlike),
    }


def work(counts: Counter[str], heard_s: float) -> dict[str, int]:
    return {f"{name}_per_s": round(value / heard_s) for name, value in counts.items()}


def quietly(recording: Recording) -> Recording:
    """The same with silence behind it."""
    duration_us = recording.duration_us + SILENCE_US
    return Recording(recording.times_us, recording.channels, recording.n_channels, duration_us, recording.label)


def measure(run: Run, number: str, folder: Path, recordings: Sequence[Recording]) -> list[dict[str, Any]]:
    step_us = program_of_run(run).step_ns // 1000
    source = write_c(run, folder / f"{number}.c", number=number)
    known, spikes = of_library(run, recordings)
    rows = []
    labels = [recording.label for recording in recordings]
    about = {
        "speaking_without_input": sum(
            int((layer.bias >= layer.code.threshold).sum()) for layer in program_of_run(run).layers if layer.code
        ),
        **sizes(source),
    }
    spread = recordings[:: len(recordings) // QUIET]
    for case, heard in (("test part", recordings), ("quiet", [quietly(one) for one in spread])):
        data, heard_s = event_bytes(heard), sum(one.duration_us for one in heard) / 1e6
        for sleep in (True, False):
            program = compiled(source, f"{number}-{sleep}", *([] if sleep else ["-DNO_SLEEP"]))
            said = of_program(program, data, step_us)
            taken = seconds(program, data)
            row = {
                "number": number,
                "case": case,
                "sleep": sleep,
                "recordings": len(heard),
                "audio_s": round(heard_s, 3),
                "microseconds_per_s": round(taken * 1e6 / heard_s, 1),
                **work(said.counts, heard_s),
                **about,
            }
            if case == "test part":
                row |= {
                    "accuracy": sum(map(int.__eq__, said.predictions, labels)) / len(labels),
                    "library_accuracy": sum(map(int.__eq__, known, labels)) / len(labels),
                    "predictions_that_differ": sum(map(int.__ne__, said.predictions, known)),
                    **differences(said.spikes, spikes),
                }
            rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a run of the recipe fsdd")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run = load_run(arguments.run)
    recordings = list(run.splits().test)
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    about = {
        "bench": "export",
        "command": "python benchmarks/fsdd_c_program.py RUN",
        "trained_by": run.info["command"],
        "seed": run.recipe.training.seed,
        "device": "cpu",
        "threads": 1,
        "versions": versions() | {"cc": compiler},
        "flags": list(FLAGS),
    }
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number in NUMBERS:
            for row in measure(run, number, Path(folder), recordings):
                rows.append(about | row)
                logging.info(json.dumps(row))
    write_rows(arguments.out, rows)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
