"""HD through our cochlea: every model of the table on unseen speakers, some seeds each.

    python benchmarks/hd.py                                  all models, seeds 0 to 4, split `unseen`
    python benchmarks/hd.py --models lif lif_ottt --seeds 0  some of them
    python benchmarks/hd.py --split strict --seeds 0 1 2     validated on two further speakers
    python benchmarks/hd.py --quick                          a few recordings and one epoch, as a check that it works

A model is a line of MODELS, a recipe with overrides, or the name of any bundled recipe. Each run is `spikinggamma train`, its
epoch chosen on validation recordings, its one test on all recordings of speakers 4 and 5 (`mixed`: and some of the others').
Runs that have a result are not run again; those cut off go on. Each finished run is a row of
benchmarks/results/hd.jsonl, written at once.

Data: SPIKINGGAMMA_DATA, or `spikinggamma data fetch hd` first.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, NamedTuple

from spikinggamma.bench.rows import with_row, write_rows
from spikinggamma.recipes import load_recipe
from spikinggamma.runs import read_rows

LIF = "hd_lif"
# A recipe and overrides of it. Rivals have the size of the recipe hd; each is searched with the same number of trials.
MODELS: dict[str, tuple[str, ...]] = {
    "spikinggamma": ("hd",),
    "lif": (LIF,),
    "lif_delay": ("hd_lif_delay",),
    "lif_ottt": (LIF, "learning.rule=ottt"),
    "lif_eprop": (LIF, "learning.rule=eprop"),
    "lif_otpe": (LIF, "learning.rule=otpe"),
    "lif_es_d_rtrl": (LIF, "learning.rule=es_d_rtrl"),
    "lif_fptt": (LIF, "learning.rule=fptt", "learning.loss=running", "learning.update=chunk", "learning.chunk=25"),
    "adaptive_lif": (LIF, "net.model=adaptive_lif"),
    "recurrent_adaptive_lif": (LIF, "net.model=adaptive_lif", "net.recurrent=true"),
    "spikinggamma_instantaneous": ("hd", "learning.rule=instantaneous"),
    "spikinggamma_through_time": ("hd", "learning.rule=through_time"),
}
SPLITS = ("unseen", "strict", "mixed")
QUICK = ("data.options.limit=1", "net.hidden=[16]", "training.epochs=1", "learning.schedule=constant")
RESULTS = Path(__file__).parent / "results" / "hd.jsonl"
CELL = ("case", "split", "seed", "settings", "quick")
_MIB = 2**10 if sys.platform != "darwin" else 2**20  # what the system counts the largest resident memory in


class Planned(NamedTuple):
    """A run of the table."""

    case: str
    recipe: str
    settings: tuple[str, ...]
    split: str
    seed: int
    quick: bool

    @property
    def name(self) -> str:
        """Return the name of its folder; settings of the command line are a part of it."""
        own = MODELS.get(self.case, (self.recipe,))[1:]
        more = [setting.rpartition(".")[2] for setting in self.settings if setting not in (*own, *QUICK)]
        words = [*(["quick"] if self.quick else []), self.case, self.split, *more, str(self.seed)]
        return "-".join("".join(c if c.isalnum() or c in "_.=" else "_" for c in word) for word in words)


def plan(arguments: argparse.Namespace) -> list[Planned]:
    """Return the runs in the order of seeds, so that every model has a row early."""
    runs = []
    for seed in arguments.seeds:
        for case in arguments.models or MODELS:
            recipe, *own = MODELS.get(case, (case,))
            settings = (*own, *arguments.set, *(QUICK if arguments.quick else ()))
            # What does not fit shows before anything is trained.
            load_recipe(recipe, [*settings, f"data.split={arguments.split}"])
            runs.append(Planned(case, recipe, settings, arguments.split, seed, arguments.quick))
    return runs


def train(run: Planned, folder: Path, threads: int) -> dict[str, Any] | None:
    """Train, or go on, or read what is there; return the row, or None if it failed (see the log beside the run)."""
    out = folder / run.name
    if not (out / "result.json").exists():
        settings = (*run.settings, f"data.split={run.split}", f"training.threads={threads}")
        how = [run.recipe, "--seed", str(run.seed), "--out", str(out)]
        how += [part for setting in settings for part in ("--set", setting)]
        if (out / "run.json").exists():
            how = ["--resume", str(out)]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
        with (folder / f"{run.name}.log").open("a") as log:
            command = [sys.executable, "-m", "spikinggamma", "train", *how]
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if (out / "result.json").exists():
            (out / "peak_mib.json").write_text(json.dumps(round(usage.ru_maxrss / _MIB, 1)))
    return row_of(run, out) if (out / "result.json").exists() else None


def row_of(run: Planned, out: Path) -> dict[str, Any]:
    """Return the row of a finished run."""
    result = json.loads((out / "result.json").read_text())
    epochs = read_rows(out / "metrics.jsonl")
    dropped = ("predictions", "cost")
    peak = out / "peak_mib.json"
    return {
        "case": run.case,
        **{key: value for key, value in result.items() if key not in dropped},
        "settings": list(run.settings),
        "quick": run.quick,
        "validation_curve": [round(epoch["validation_accuracy"], 4) for epoch in epochs],
        "seconds_an_epoch": round(median(epoch["seconds"] for epoch in epochs), 1),
        "recordings_per_s": round(median(epoch["samples_per_s"] for epoch in epochs), 1),
        # Of the whole process, with the pages of the recordings that are mapped into memory.
        "peak_mib": json.loads(peak.read_text()) if peak.exists() else None,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return a line for each model and split: the mean over seeds, and the standard deviation where there are several."""
    lines = []
    keys = dict.fromkeys((row["case"], row["split"], tuple(row["settings"])) for row in rows)
    for case, split, settings in keys:
        own = [row for row in rows if (row["case"], row["split"], tuple(row["settings"])) == (case, split, settings)]
        accuracy, validation = ([100.0 * row[key] for row in own] for key in ("accuracy", "validation_accuracy"))
        spread = f" ± {stdev(accuracy):.1f}" if len(own) > 1 else ""
        spikes = mean(row["spikes_per_neuron_s"] for row in own)
        lines.append(
            f"{case:28} {split:7} {mean(accuracy):5.1f}{spread} %  validation {mean(validation):5.1f} %  "
            f"{own[0]['parameters']} parameters  {spikes:.1f} spikes  {own[0]['rule']}  {len(own)} seeds"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", metavar="MODEL", help=f"of {', '.join(MODELS)}, or bundled recipes")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--split", choices=SPLITS, default="unseen")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="further overrides, a part of the row"
    )
    parser.add_argument("--out", type=Path, default=None, help=f"file of rows; {RESULTS} by default")
    parser.add_argument("--runs", type=Path, default=Path("runs/hd"), help="where runs are kept")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--threads", type=int, default=2, help="threads of each run")
    parser.add_argument("--quick", action="store_true", help="a check that it works; rows go to the runs' folder")
    arguments = parser.parse_args()
    out = arguments.out or (arguments.runs / "quick.jsonl" if arguments.quick else RESULTS)
    arguments.runs.mkdir(parents=True, exist_ok=True)
    runs = plan(arguments)
    rows, done = read_rows(out), []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        started = {pool.submit(train, run, arguments.runs, arguments.threads): run for run in runs}
        for ended in as_completed(started):
            row, run = ended.result(), started[ended]
            if row is None:
                logging.info("%s failed: see %s", run.name, arguments.runs / f"{run.name}.log")
                continue
            done.append(row)
            write_rows(out, rows := with_row(rows, row, CELL))
            logging.info("%s  %.1f %%", run.name, 100.0 * row["accuracy"])
    logging.info("%s", table(done))
    return 0 if len(done) == len(runs) else 1


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main())
