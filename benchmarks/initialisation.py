"""How loud is a fresh net? Spikes of every hidden layer before any learning, for depths 1 to 10.

Method: dense nets of 128 neurons a layer hear 700 channels of Poisson events for one second (dt 4 ms, 8 recordings, ten
buckets of 4 to 20 ms), sparse (1 event per channel and second) or dense (30). `calibrated` nets were scaled by
`GammaNet.calibrate` on another batch of the same kind; `fan_in` nets keep W with variance 1 / fan-in. One row a net.

    python benchmarks/initialisation.py [--seed N] [--out FILE.jsonl] [--table]
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from spikinggamma.bench.rows import write_rows
from spikinggamma.nn import GammaNet, dense_net
from spikinggamma.runs import versions

CHANNELS, NEURONS, CLASSES = 700, 128, 10
TAU_MS = tuple(4.0 + 16.0 * k / 9 for k in range(10))
DT_MS, SECONDS, RECORDINGS = 4.0, 1.0, 8
DEPTHS = range(1, 11)
EVENTS_PER_S = {"sparse": 1.0, "dense": 30.0}
RESULTS = Path(__file__).parent / "results" / "initialisation.jsonl"


def poisson(rate_per_s: float, generator: torch.Generator) -> Tensor:
    """Event counts [T, B, N]."""
    rates = torch.full((round(1000 * SECONDS / DT_MS), RECORDINGS, CHANNELS), rate_per_s * DT_MS / 1000.0)
    return torch.poisson(rates, generator=generator)


def loudness(net: GammaNet, spikes: Tensor) -> tuple[list[float], list[float]]:
    """Spikes per neuron and second, and the share of steps with a spike, of each hidden layer."""
    activations, _ = net.run(spikes, net.initial_state(spikes.shape[1]), DT_MS)
    counts = [layer.counts for layer in activations.layers if layer.counts is not None]
    rates = [float(n.double().mean()) * 1000.0 / DT_MS for n in counts]
    return [round(rate, 3) for rate in rates], [round(float((n > 0).double().mean()), 5) for n in counts]


def rows(seed: int) -> Iterator[dict[str, object]]:
    command = f"python benchmarks/initialisation.py --seed {seed}"
    for start in ("calibrated", "fan_in"):
        for synapse in ("neuron", "synapse"):
            for kind, rate_per_s in EVENTS_PER_S.items():
                for depth in DEPTHS:
                    generator = torch.Generator().manual_seed(seed)
                    sizes = (CHANNELS, *(NEURONS,) * depth, CLASSES)
                    net = dense_net(sizes, tau_ms=TAU_MS, synapse=synapse, generator=generator)
                    known, unknown = (poisson(rate_per_s, generator) for _ in range(2))
                    if start == "calibrated":
                        net.calibrate(known, dt_ms=DT_MS)
                    rates, shares = loudness(net, unknown)
                    yield {
                        "bench": "initialisation",
                        "command": command,
                        "seed": seed,
                        "device": "cpu",
                        "threads": torch.get_num_threads(),
                        "versions": versions(),
                        "start": start,
                        "synapse": synapse,
                        "input": kind,
                        "events_per_channel_s": rate_per_s,
                        "dt_ms": DT_MS,
                        "depth": depth,
                        "spikes_per_neuron_s": rates,
                        "share_of_steps": shares,
                    }


def table(found: list[dict[str, object]], start: str, synapse: str, kind: str) -> str:
    """Spikes per neuron and second in Markdown: a line for each depth, a column for each layer."""
    lines = [f"| depth | {' | '.join(f'layer {layer}' for layer in DEPTHS)} |", "| --: |" + " --: |" * len(DEPTHS)]
    for one in found:
        if (one["start"], one["synapse"], one["input"]) == (start, synapse, kind):
            rates = [f"{rate:.1f}" for rate in one["spikes_per_neuron_s"]]  # type: ignore[attr-defined]
            lines.append(f"| {one['depth']} | {' | '.join(rates + [''] * (len(DEPTHS) - len(rates)))} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true", help="show a file of rows as Markdown instead of measuring")
    chosen = parser.parse_args()
    if chosen.table:
        found = [json.loads(line) for line in chosen.out.read_text(encoding="utf-8").splitlines()]
        for start in ("calibrated", "fan_in"):
            for synapse in ("neuron", "synapse"):
                for kind in EVENTS_PER_S:
                    sys.stdout.write(f"\n{start}, {synapse}, {kind}\n\n{table(found, start, synapse, kind)}\n")
        return
    torch.set_num_threads(1)
    written = write_rows(chosen.out, rows(chosen.seed))
    logging.getLogger(__name__).info("%d rows in %s", written, chosen.out)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
