"""HD through our cochlea beside the published Heidelberg spikes: the check values of "Beyond Rate Coding".

    python benchmarks/hd_check_values.py [--set ramp_ms=10000 ...] [--draws 20]

The count normalisation of that paper (arXiv 2507.16043; `spikinggamma.events.timing_only_as_published`) depends on the
rarest spikes: a channel is kept if each of some nine thousand recordings has a spike in it. Its authors say how many
channels, recordings and spikes they are left with on the Spiking Heidelberg Digits; here the same is counted on our
spikes of the same sounds. Files of the published sizes (8156 and 2264, the latter with speakers 4 and 5) are drawn
several times, as the lists of the published files may not be at hand: mean and standard deviation over the draws.

With the sounds in the data root, --set ramp_ms=10000 (a window of full length) shows what the other window gives. Each
case is a row of benchmarks/results/hd_check_values.jsonl.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikinggamma.bench.rows import with_row, write_rows
from spikinggamma.cochlea import bushy_spikes, resting_probability
from spikinggamma.data import open_data
from spikinggamma.events import Recording
from spikinggamma.events.timing_only_as_published import published_bins, published_selection
from spikinggamma.runs import read_rows
from spikinggamma.versions import versions

PUBLISHED = {
    "recordings": 9984,
    "bad_channels": 691,
    "removed": 1037,
    "left": 8947,
    "balanced": 5460,
    "channels": 224,
    "norm_spikes": 471,
    "part_spikes": 3220.6,
    "part_spikes_sd": 897.6,
}
BATCH = 256
TRAIN_FILE = 8156
RARE, REMOVABLE = 0.01, 2000
OUT = Path(__file__).parent / "results" / "hd_check_values.jsonl"
Table = npt.NDArray[np.integer[Any]]


def tables(recordings: Sequence[Recording]) -> dict[str, Table]:
    """Return the number of spikes of each channel in each recording [R, N], by how they are counted."""
    n_channels = recordings[0].n_channels
    found: dict[str, list[Table]] = {"a bin holds one spike": [], "every spike counts": []}
    for recording in recordings:
        for name, one in zip(found, (published_bins(recording), recording), strict=True):
            found[name].append(np.bincount(one.channels, minlength=n_channels).astype(np.int16))
    return {name: np.stack(rows) for name, rows in found.items()}


def values(table: Table, labels: Table, rng: np.random.Generator) -> dict[str, float]:
    """Return the check values of the recordings of full batches."""
    kept, fewest = published_selection(table, rare=RARE, removable=REMOVABLE)
    channels = np.flatnonzero(fewest)
    sizes = np.bincount(labels[kept])
    each = [rng.permutation(kept[labels[kept] == label])[: sizes.min()] for label in range(len(sizes))]
    spikes = table[np.ix_(np.concatenate(each), channels)].sum(axis=1, dtype=np.int64)
    return {
        "recordings": len(table),
        "bad_channels": int((table.min(axis=0) < 2).sum()),
        "removed": len(table) - len(kept),
        "left": len(kept),
        "balanced": len(spikes),
        "channels": len(channels),
        "norm_spikes": int(fewest.sum()),
        "part_spikes": round(float(spikes.mean()), 1),
        "part_spikes_sd": round(float(spikes.std()), 1),
    }


def resting_rate_hz() -> float:
    """Return how often a bushy cell spikes in silence."""
    step_s, seconds, channels = 1.0 / 24_000.0, 2.0, 512
    probability = np.full((channels, int(seconds / step_s)), resting_probability(step_s))
    return len(bushy_spikes(probability, step_s, seed=0)) / (channels * seconds)


def drawn_files(tested: npt.NDArray[np.bool_], rng: np.random.Generator) -> list[Table]:
    """Return two files of the published sizes, as indices: one with the test speakers, in random order."""
    known = rng.permutation(np.flatnonzero(~tested))
    test = np.concatenate([np.flatnonzero(tested), known[TRAIN_FILE:]])
    return [known[:TRAIN_FILE], rng.permutation(test)]


def full_batches(files: Sequence[Table]) -> Table:
    return np.concatenate([file[: len(file) // BATCH * BATCH] for file in files])


def summary(found: Sequence[dict[str, float]]) -> dict[str, Any]:
    columns = {name: np.array([one[name] for one in found]) for name in PUBLISHED}
    mean = {name: round(float(column.mean()), 1) for name, column in columns.items()}
    if len(found) == 1:
        return mean
    sd = {name: round(float(column.std(ddof=1)), 1) for name, column in columns.items()}
    extremes = {name: [float(column.min()), float(column.max())] for name, column in columns.items()}
    return mean | {"draws": len(found), "sd": sd, "extremes": extremes}


def meaning(told: dict[str, Any]) -> str:
    """Return what the first case says about the front end."""
    keys = ("channels", "norm_spikes", "part_spikes", "removed", "left")
    off = {key: told[key] / PUBLISHED[key] - 1.0 for key in keys}
    words = ", ".join(f"{key} {share:+.1%}" for key, share in off.items())
    beyond = [key for key in keys if abs(told[key] - PUBLISHED[key]) > 3.0 * told["sd"][key]]
    each = told["part_spikes"] / told["channels"] / (PUBLISHED["part_spikes"] / PUBLISHED["channels"]) - 1.0
    why = f"; more than three standard deviations of the draws: {', '.join(beyond)}" if beyond else ""
    return f"Against the published values: {words}{why}. Spikes of a kept channel: {each:+.1%}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="options of the data set")
    parser.add_argument("--draws", type=int, default=20)
    arguments = parser.parse_args()
    opened = open_data("hd", ["split=unseen", *arguments.set])
    recordings = sorted((one for part in opened.splits for one in part), key=lambda one: one.source)
    labels = np.array([one.label for one in recordings])
    tested = np.array([one.speaker in ("4", "5") for one in recordings])
    by_count = tables(recordings)
    usual = by_count["a bin holds one spike"]
    rngs = [np.random.default_rng([draw, 0xC4EC]) for draw in range(arguments.draws)]
    chosen = [full_batches(drawn_files(tested, rng)) for rng in rngs]
    one_file = np.concatenate([np.flatnonzero(~tested), np.flatnonzero(tested)])
    cases: dict[str, list[dict[str, float]]] = {
        "two files of the published sizes": [
            values(usual[rows], labels[rows], rng) for rows, rng in zip(chosen, rngs, strict=True)
        ],
        "one file": [values(usual[rows := full_batches([one_file])], labels[rows], rngs[0])],
        "no batches": [values(usual, labels, rngs[0])],
    }
    for name, table in list(by_count.items())[1:]:
        cases[f"two files, {name}"] = [
            values(table[rows], labels[rows], rng) for rows, rng in zip(chosen, rngs, strict=True)
        ]
    # What else would add rare spikes: sounds with silence behind them, in which cells go on spiking now and then.
    rate_hz = resting_rate_hz()
    logging.info("a cell spikes %.2f times a second in silence", rate_hz)
    for silence_ms in (100, 200, 300, 400, 500):
        more = np.random.default_rng(silence_ms).poisson(rate_hz * silence_ms / 1000.0, usual.shape)
        table = usual + more.astype(np.int16)
        cases[f"two files, {silence_ms} ms of silence"] = [
            values(table[rows], labels[rows], rng) for rows, rng in zip(chosen, rngs, strict=True)
        ]
    command = shlex.join(["python", "benchmarks/hd_check_values.py", *sys.argv[1:]])
    rows = read_rows(OUT)
    options = dict(opened.recipe.data.options)
    width = max(map(len, [*cases, "published"]))
    logging.info("%s  %s", " " * width, "  ".join(PUBLISHED))
    for name, found in {"published": [PUBLISHED], **cases}.items():
        told = summary(found)
        logging.info("%s  %s", name.ljust(width), "  ".join(f"{told[key]:>{len(key)}g}" for key in PUBLISHED))
        if "sd" in told:
            spread = "  ".join(f"{told['sd'][key]:>{len(key)}g}" for key in PUBLISHED)
            logging.info("%s  %s", "  sd over draws".ljust(width), spread)
        if name == "published":
            continue
        row = {
            "bench": "hd_check_values",
            "command": command,
            "case": name,
            "options": options,
            **told,
            "ratio_to_published": {key: round(told[key] / PUBLISHED[key], 3) for key in PUBLISHED},
            "versions": versions(),
        }
        rows = with_row(rows, row, ["case", "options"])
    write_rows(OUT, rows)
    logging.info("%s", meaning(summary(cases["two files of the published sizes"])))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
