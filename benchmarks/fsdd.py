"""Spoken digits: the accuracy of the recipe, and the price of each of its choices.

    python benchmarks/fsdd.py main        three seeds on the official split
    python benchmarks/fsdd.py speakers    each speaker held out once
    python benchmarks/fsdd.py prices      one choice changed at a time, on a smaller net trained for fewer epochs
    python benchmarks/fsdd.py stability   a learning rate that is too high, with and without what tames it
    python benchmarks/fsdd.py rules       learning rules of both kinds of neurons, on nets of the same size as in `prices`

Each run is `spikinggamma train fsdd ...`, or of a recipe fsdd_lif*, its epoch chosen on validation recordings from the training
part; the row of its one test is collected into benchmarks/results/fsdd_<group>.jsonl. Runs that have a result are not run
again; those cut off go on.
Data: SPIKINGGAMMA_DATA, or `spikinggamma data fetch fsdd` first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from spikinggamma.bench.rows import write_rows

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
ONE_TAU = "net.tau_ms=[15.0,15.0,15.0,15.0,15.0,15.0]"
# Fewer neurons, fewer epochs: what matters here is the difference between one row and the first.
SMALLER = ("net.hidden=[96,96]", "training.epochs=10")
PRICES: dict[str, tuple[str, ...]] = {
    "recipe": (),
    "through_time": ("learning.rule=through_time",),
    "instantaneous": ("learning.rule=instantaneous",),
    "traced": ("learning.rule=traced",),
    "one_tau": (ONE_TAU,),
    "one_tau_shifted": (ONE_TAU, "learning.rule=shifted"),
    "one_tau_instantaneous": (ONE_TAU, "learning.rule=instantaneous"),
    "per_synapse": ("net.synapse=synapse",),
    "no_pre_emphasis": ("data.options={ramp_ms=20.0}",),
    "no_adaptation": ("net.adaptation=0.0",),
    "analogue": ("net.analogue=true",),
    "speaking_is_free": ("learning.activity_cost=0.0",),
}
TWELVE = "net.tau_ms=[4.0,5.0,6.0,8.0,9.0,11.0,12.0,14.0,15.0,17.0,18.0,20.0]"
WILD = (TWELVE, "net.synapse=neuron", "learning.learning_rate=0.01", "learning.activity_cost=0.0")
STABILITY: dict[str, tuple[str, ...]] = {
    f"{schedule}_clip_{clip}": (*WILD, f"learning.schedule={schedule}", f"learning.clip_norm={clip}")
    for schedule in ("constant", "warmup_cosine")
    for clip in ("0.0", "1.0")
}
# A recipe and overrides of it. `traced`, the slowest by far, is left to `prices`.
RULES: dict[str, tuple[str, ...]] = {
    **{rule: ("fsdd", *SMALLER, f"learning.rule={rule}") for rule in ("windowed", "instantaneous", "through_time")},
    "windowed_speaking_is_free": ("fsdd", *SMALLER, "learning.activity_cost=0.0"),
    "lif_bptt": ("fsdd_lif",),
    **{f"lif_{rule}": (f"fsdd_lif_{rule}",) for rule in ("ottt", "eprop", "truncated")},
}


def plan(group: str, epochs: int | None) -> dict[str, list[str]]:
    """Name of each run to its recipe and arguments."""
    if group == "main":
        runs = {f"main-{seed}": ["fsdd", "--seed", str(seed)] for seed in (0, 1, 2)}
    elif group == "speakers":
        runs = {f"speaker-{name}": ["fsdd", "--seed", "0", "--set", f"data.split=speaker:{name}"] for name in SPEAKERS}
    elif group == "rules":
        runs = {
            f"{name}-{seed}": [
                recipe,
                "--seed",
                str(seed),
                *(part for setting in settings for part in ("--set", setting)),
            ]
            for name, (recipe, *settings) in RULES.items()
            for seed in (0, 1, 2)
        }
    else:
        cases = PRICES if group == "prices" else STABILITY
        runs = {
            name: ["fsdd", "--seed", "0", *(part for setting in (*SMALLER, *settings) for part in ("--set", setting))]
            for name, settings in cases.items()
        }
    if epochs is not None:
        runs = {name: [*arguments, "--set", f"training.epochs={epochs}"] for name, arguments in runs.items()}
    return runs


def run(name: str, arguments: list[str], folder: Path) -> dict[str, object] | None:
    """Train, or go on, or read what is there; None if it failed (see the log beside the run)."""
    out = folder / name
    if not (out / "result.json").exists():
        how = [*arguments, "--out", str(out), "--set", "training.threads=1"]
        if (out / "run.json").exists():
            how = ["--resume", str(out)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        with (folder / f"{name}.log").open("a") as log:
            subprocess.run(["spikinggamma", "train", *how], check=False, stdout=log, stderr=log, env=environment)
    if not (out / "result.json").exists():
        return None
    row: dict[str, object] = json.loads((out / "result.json").read_text())
    row.pop("predictions", None)
    epochs = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    curve = [round(epoch["validation_accuracy"], 4) for epoch in epochs]
    return {"case": name, **row, "validation_curve": curve}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", choices=("main", "speakers", "prices", "stability", "rules"))
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--only", nargs="+", help="these runs of the group")
    parser.add_argument("--runs", type=Path, default=Path("runs/fsdd"), help="where runs are kept")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, of one thread each")
    arguments = parser.parse_args()
    runs = plan(arguments.group, arguments.epochs)
    if arguments.only:
        runs = {name: runs[name] for name in arguments.only}
    arguments.runs.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(lambda item: run(*item, arguments.runs), runs.items()))
    done = [row for row in rows if row is not None]
    out = Path(__file__).parent / "results" / f"fsdd_{arguments.group}.jsonl"
    known = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    names = {row["case"] for row in done}
    write_rows(out, [row for row in known if row["case"] not in names] + done)
    return 0 if len(done) == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
