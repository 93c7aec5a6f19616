"""Waves of the heartbeat: what the most frequent class at each position in time is worth.

    python benchmarks/qtdb_floor.py

The class that is labelled most often at each step of the training part is the answer at that step of every test recording,
whatever its spikes; of equals, the first. The share of labelled steps that it names goes to
benchmarks/results/qtdb_floor.jsonl.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikinggamma import datasets, runs
from spikinggamma.bench.rows import write_rows
from spikinggamma.events import Recording


def labels(recordings: list[Recording]) -> npt.NDArray[np.int64]:
    """Labels [recordings, steps], -1 where there is none."""
    return np.stack([recording.step_labels for recording in recordings if recording.step_labels is not None])


def main() -> None:
    splits = datasets.load("qtdb")
    n_classes = datasets.info("qtdb").n_classes
    known, asked = labels(list(splits.train)), labels(list(splits.test))
    counts = np.stack([(known == label).sum(0) for label in range(n_classes)])
    right = (counts.argmax(0) == asked)[asked >= 0]
    row = {
        "case": "the most frequent class at each position in time",
        "accuracy": float(right.mean()),
        "labelled_steps": len(right),
        "versions": runs.versions(),
        "command": "python benchmarks/qtdb_floor.py",
    }
    logging.info(json.dumps(row))
    write_rows(Path(__file__).parent / "results" / "qtdb_floor.jsonl", [row])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
