"""Does `spikinggamma plan` foresee what a run takes? Ten recipes, foreseen and then run.

Method: each recipe is planned as it is for two epochs, then trained for two epochs in a process of its own, which tells its
peak of resident memory, the seconds of each epoch and those of the whole process. Both are repeated in turns, and a row has
the medians: what else the machine does falls on both alike. Demanded: memory within 10 %, time within 30 %. Recipes whose
data is missing are left out, and named.

    python benchmarks/plan.py [--only fsdd,fsdd_lif] [--out FILE.jsonl]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from spikinggamma.bench.rows import with_row, write_rows
from spikinggamma.errors import SpikingGammaError
from spikinggamma.planning import Measurement, Plan, measure
from spikinggamma.process_memory import peak_mib
from spikinggamma.recipes import Recipe, dump_recipe, load_recipe, parse_recipe
from spikinggamma.runs import read_rows
from spikinggamma.training import SilentReporter, train
from spikinggamma.versions import versions

RESULTS = Path(__file__).parent / "results" / "plan.jsonl"
SHORT = ["training.epochs=2", "training.threads=1"]
# Each by the name of its row: a recipe and what is changed of it. Rules with and without memory over time, nets of every
# kind, data made and recorded.
CASES: dict[str, tuple[str, ...]] = {
    "localisation": ("localisation",),
    "localisation_lif_delay": ("localisation_lif_delay",),
    "localisation_through_time": ("localisation", "learning.rule=through_time", "training.batch_size=512"),
    "isi_spikinggamma": ("isi_spikinggamma",),
    "fsdd": ("fsdd",),
    "fsdd_shifted": ("fsdd", "learning.rule=shifted", "net.tau_ms=[9.0, 9.0, 9.0, 9.0]", "learning.chunk=50"),
    "fsdd_lif": ("fsdd_lif",),
    "fsdd_lif_eprop": ("fsdd_lif_eprop",),
    "fsdd_gru": ("fsdd_gru",),
    "fsdd_chain": ("fsdd_chain",),
}
TURNS = 2


def run(recipe: Recipe) -> dict[str, float]:
    """Train in a process of its own; its peak, the mean epoch and the whole."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--work"], input=dump_recipe(recipe), stdout=subprocess.PIPE, text=True, check=True
    )
    return {**json.loads(done.stdout), "run_s": time.perf_counter() - began}


def work(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = train(parse_recipe(text), Path(folder) / "run", reporter=SilentReporter())
    epoch_s = statistics.mean(row["seconds"] for row in found.metrics)
    sys.stdout.write(json.dumps({"peak_mib": peak_mib(), "epoch_s": epoch_s}) + "\n")


def row(name: str, command: str) -> dict[str, object]:
    source, *changes = CASES[name]
    recipe = load_recipe(source, [*changes, *SHORT])
    run(recipe)  # kernels are compiled, data made
    plans: list[Measurement] = []
    runs: list[dict[str, float]] = []
    for _ in range(TURNS):
        plans.append(measure(recipe))
        runs.append(run(recipe))
    foreseen = {
        "peak_mib": statistics.median(one.peak_mib for one in plans),
        "epoch_s": statistics.median(one.epoch_s for one in plans),
        "run_s": statistics.median(Plan(recipe, one, None, ()).seconds for one in plans),
    }
    found = {key: statistics.median(one[key] for one in runs) for key in foreseen}
    ratios = {key: foreseen[key] / found[key] for key in foreseen}
    return {
        "bench": "plan",
        "command": command,
        "seed": recipe.training.seed,
        "device": "cpu",
        "threads": recipe.training.threads,
        "versions": versions(),
        "case": name,
        "rule": recipe.learning.rule,
        "changes": changes,
        "epochs": recipe.training.epochs,
        **{f"foreseen_{key}": round(value, 3) for key, value in foreseen.items()},
        **{f"measured_{key}": round(value, 3) for key, value in found.items()},
        **{f"{key}_ratio": round(value, 3) for key, value in ratios.items()},
        "loaded_mib": round(plans[0].loaded_mib, 1),
        "holds": abs(ratios["peak_mib"] - 1.0) <= 0.1 and abs(ratios["run_s"] - 1.0) <= 0.3,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(CASES), help="cases, with commas")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(sys.stdin.read())
        return 0
    rows = read_rows(arguments.out)
    for name in arguments.only.split(","):
        try:
            new = row(name, f"python benchmarks/plan.py --only {name}")
        except (SpikingGammaError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"{name} is left out: {error}\n")
            continue
        rows = with_row(rows, new, ["case"])
        sys.stdout.write(json.dumps(new) + "\n")
        sys.stdout.flush()
        write_rows(arguments.out, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
