"""Do several processes learn what one does? The largest relative difference of what was learnt, for every rule.

Method: a tiny net learns localisation for an epoch twice, by the very code of `spikinggamma train`: in all processes together
and in the first alone. Batches are of seven recordings and one of them of one, so shares are unequal and some are empty;
recordings are stretched at random, so lengths differ; dropout, a price on speaking and clipping of the gradient (at a norm that
most exceed) are on. Updates follow every recording, chunk of five steps, or step. The row says how far any weight is from where
one process brought it, relative to the longest way that a weight of that parameter went; in double precision, where no spike is
on an edge, and in single, where some may be. The first process writes the rows.

    torchrun --standalone --nproc-per-node 2 benchmarks/distributed.py [--quick] [--seed N] [--out FILE.jsonl]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from spikinggamma.bench.rows import Row, write_rows
from spikinggamma.data import load_splits
from spikinggamma.distributed import ALONE, ProcessGroup, gathered
from spikinggamma.learning import RULES
from spikinggamma.nn import GammaNet
from spikinggamma.recipes import Recipe, load_recipe
from spikinggamma.runs import Run, versions
from spikinggamma.training import SilentReporter
from spikinggamma.training.epoch import learn_epoch
from spikinggamma.training.state import State, fresh_state

RESULTS = Path(__file__).parent / "results" / "distributed.jsonl"
COMMON = (
    "data.options.n_train=15", "data.options.n_validation=3", "data.options.n_test=3", "data.options.duration_ms=80.0",
    "data.options.lags_ms=[-8.0, 0.0, 8.0]", "data.dt_ms=4.0", "augment.time_stretch=0.3", "augment.jitter_ms=1.0",
    "net.hidden=[12, 10]", "net.tau_ms=[6.0, 6.0, 6.0]", "learning.dropout=0.2", "learning.activity_cost=0.1",
    "learning.clip_norm=0.5", "training.epochs=1", "training.batch_size=7", "training.threads=1",
)  # fmt: skip
# So that windows are shorter than recordings, and are committed before their end.
SHORT_WINDOWS = {"windowed": ("rule.tolerance=0.1",)}
GAMMA_RULES = tuple(entry.name for entry in RULES.entries() if issubclass(GammaNet, entry.target.nets))
# `fptt` follows the weights of one process: no share learns by it.
SHARED_RULES = tuple(rule for rule in RULES if rule != "fptt")
LOSSES = ("sum", "last", "each_step", "running", "cumulative")
UPDATES = {"recording": (), "chunk": ("learning.chunk=5",), "step": ()}
# Beside the plain nets of each rule.
NETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "per synapse": (GAMMA_RULES, ("net.synapse=synapse",)),
    "trained time constants": (("windowed", "through_time", "instantaneous"), ("net.train_tau=true",)),
    "adaptive_lif": (("bptt",), ("net.model=adaptive_lif",)),
    "recurrent_lif": (
        ("bptt",),
        (
            "net.model=lif",
            "net.recurrent=true",
        ),
    ),
    "srm_alpha": (("bptt",), ("net.model=srm_alpha",)),
    "lif with delays": (("bptt",), ("net.model=lif", "delays.kind=fractional")),
    "count_mlp": (("bptt",), ("net.model=count_mlp", "learning.activity_cost=0")),
    "lif with spiking outputs": (
        ("bptt",),
        ("net.model=lif", "readout.kind=spikes", "learning.loss=spikemax"),
    ),
}


class Case(NamedTuple):
    """What is learnt, and how."""

    rule: str
    net: str
    loss: str
    update: str
    dtype: torch.dtype
    settings: tuple[str, ...]


def cases(*, quick: bool) -> Iterator[Case]:
    """Every rule with every update and loss, in nets of other kinds, and in both precisions; quick: every rule once."""
    for rule in SHARED_RULES:
        plain = "spikinggamma" if rule in GAMMA_RULES else "lif"
        for loss in LOSSES[:1] if quick else LOSSES:
            for update, chunk in UPDATES.items():
                if rule == "bptt" and update != "recording":
                    continue
                settings = (f"learning.loss={loss}", f"learning.update={update}", f"net.model={plain}", *chunk)
                if not quick or rule == "bptt" or update == "chunk":
                    yield Case(rule, plain, loss, update, torch.float64, settings)
                if not quick and loss == LOSSES[0]:
                    yield Case(rule, plain, loss, update, torch.float32, settings)
        for net, (rules, settings) in NETS.items() if not quick else ():
            if rule in rules:
                loss = "spikemax" if "spiking" in net else "sum"
                yield Case(rule, net, loss, "recording", torch.float64, settings)


def learnt(case: Case, seed: int, processes: ProcessGroup) -> tuple[list[Tensor], list[Tensor]]:
    """Every parameter before and after an epoch."""
    windows = SHORT_WINDOWS.get(case.rule, ())
    recipe: Recipe = load_recipe(
        "localisation",
        [
            *COMMON,
            f"learning.rule={case.rule}",
            *windows,
            *case.settings,
            f"training.seed={seed}",
        ],
    )
    run = Run(Path("nowhere"), recipe, {}, [], None)
    state: State = fresh_state(run, load_splits(recipe), torch.device("cpu"), processes, dtype=case.dtype)
    before = [parameter.detach().clone() for parameter in state.net.parameters()]
    learn_epoch(state, 1, SilentReporter())
    return before, [parameter.detach() for parameter in state.net.parameters()]


def difference(case: Case, seed: int, processes: ProcessGroup) -> float:
    """How far the processes together come from where one comes, relative to the longest way of each parameter."""
    before, alone = processes.first(lambda: learnt(case, seed, ALONE))
    _, together = learnt(case, seed, processes)
    far = [
        float((a - b).abs().max() / (a - start).abs().max())
        for start, a, b in zip(before, alone, together, strict=True)
        if not torch.equal(a, start)
    ]
    assert far, f"{case} learnt nothing"
    return max(far)


def rows(seed: int, processes: ProcessGroup, *, quick: bool) -> Iterator[Row]:
    script = f"torchrun --standalone --nproc-per-node {processes.size} benchmarks/distributed.py"
    for case in cases(quick=quick):
        yield {
            "bench": "distributed",
            "command": f"{script}{' --quick' if quick else ''} --seed {seed}",
            "seed": seed,
            "device": "cpu",
            "threads": 1,
            "versions": versions(),
            "processes": processes.size,
            "rule": case.rule,
            "net": case.net,
            "loss": case.loss,
            "update": case.update,
            "dtype": str(case.dtype).removeprefix("torch."),
            "relative_difference": difference(case, seed, processes),
        }


def table(found: list[Row]) -> str:
    """The largest difference of each rule, in Markdown."""
    lines = ["| rule | double precision | single precision | cases |", "| --- | --: | --: | --: |"]
    for rule in dict.fromkeys(row["rule"] for row in found):
        own = [row for row in found if row["rule"] == rule]
        far = [
            max((row["relative_difference"] for row in own if row["dtype"] == dtype), default=float("nan"))
            for dtype in ("float64", "float32")
        ]
        lines.append(f"| `{rule}` | {far[0]:.0e} | {far[1]:.0e} | {len(own)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="every rule once")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="show a file of rows as Markdown instead of measuring")
    chosen = parser.parse_args()
    if chosen.table:
        sys.stdout.write(table([json.loads(line) for line in chosen.out.read_text(encoding="utf-8").splitlines()]))
        return
    if "WORLD_SIZE" not in os.environ:
        parser.error("start it with torchrun, as above")
    torch.set_num_threads(1)
    with gathered(torch.device("cpu")) as (processes, _):
        found = list(rows(chosen.seed, processes, quick=chosen.quick))
        if processes.is_main:
            write_rows(chosen.out, found)


if __name__ == "__main__":
    main()
