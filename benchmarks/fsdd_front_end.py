"""Spoken digits: how much of the words each version of the cochlea lets through, before any net is chosen.

    python benchmarks/fsdd_front_end.py fsdd/recordings

Kernel ridge regression (a Gaussian kernel on square roots of spike rates in 16 parts of a recording's duration and 35 groups
of channels) on 1200 recordings of the official training part, takes 5 to 24, converted with 140 channels. Two ways to hold
recordings out: takes 5 to 9, which like the test takes 0 to 4 come before the rest, and every fourth take. The test part is
not touched.
Rows go to benchmarks/results/fsdd_front_end.jsonl. Data: SPIKINGGAMMA_DATA, or `spikinggamma data fetch fsdd` first.
"""

from __future__ import annotations

import argparse
import json
import logging
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spikinggamma.bench.rows import write_rows
from spikinggamma.cochlea import Cochlea, convert
from spikinggamma.datasets.audio import read_sound
from spikinggamma.runs import versions

FRONT_ENDS = {
    "published": Cochlea(140),
    "short ramps": Cochlea(140, ramp_ms=20.0),
    "short ramps, pre-emphasis": Cochlea(140, ramp_ms=20.0, pre_emphasis_hz=50.0),
    "short ramps, pre-emphasis, C0 = 1e8": Cochlea(140, c0=1e8, ramp_ms=20.0, pre_emphasis_hz=50.0),
}
TAKES = range(5, 25)
PARTS, GROUPS, RIDGE, WIDTH = 16, 35, 1e-2, 0.5


def feature(path: Path, cochlea: Cochlea) -> tuple[np.ndarray, int]:
    sound = read_sound(path)
    spikes = convert(sound.samples, sound.rate_hz, cochlea, seed=0)
    counts = np.zeros((PARTS, GROUPS))
    part = np.minimum(spikes.times_us * PARTS // spikes.duration_us, PARTS - 1)
    np.add.at(counts, (part, spikes.channels * GROUPS // cochlea.n_channels), 1.0)
    return np.sqrt(counts / (spikes.duration_us * 1e-6 / PARTS)).ravel(), len(spikes.times_us)


def accuracy(inputs: Tensor, labels: Tensor, held_out: Tensor) -> float:
    kept = ~held_out
    centred = inputs - inputs[kept].mean(0)
    train, test = centred[kept], centred[held_out]
    distances = torch.cdist(train, train).square()
    width = WIDTH * distances.median()
    kernel = torch.exp(-distances / width) + RIDGE * torch.eye(len(train), dtype=train.dtype)
    weight = torch.linalg.solve(kernel, torch.nn.functional.one_hot(labels[kept]).to(train))
    scores = torch.exp(-torch.cdist(test, train).square() / width) @ weight
    return float((scores.argmax(1) == labels[held_out]).double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the recordings: the folder fsdd/recordings of the data root")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    files = sorted(path for take in TAKES for path in arguments.folder.glob(f"*_{take}.wav"))
    labels = torch.tensor([int(path.name.split("_")[0]) for path in files])
    takes = torch.tensor([int(path.stem.split("_")[2]) for path in files])
    rows = []
    for name, cochlea in FRONT_ENDS.items():
        with ProcessPoolExecutor(arguments.jobs) as pool:
            found = list(pool.map(partial(feature, cochlea=cochlea), files, chunksize=50))
        inputs = torch.from_numpy(np.stack([row for row, _ in found]))
        row = {
            "case": name,
            "takes_5_to_9": accuracy(inputs, labels, takes < 10),
            "every_fourth_take": accuracy(inputs, labels, takes % 4 == 3),
            "spikes_per_recording": sum(count for _, count in found) / len(found),
            "recordings": len(files),
            "versions": versions(),
            "command": "python benchmarks/fsdd_front_end.py fsdd/recordings",
        }
        rows.append(row)
        logging.info(json.dumps(row))
    write_rows(Path(__file__).parent / "results" / "fsdd_front_end.jsonl", rows)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
