"""Benchmark of the rules for surrogate-gradient nets: each is compared with BPTT of the same net, run step by step.

| rule | required: relative error at most 1e-10 |
| --- | --- |
| `eprop`, `otpe` | one hidden layer without recurrence, any read-out |
| `otpe` | two hidden layers under a read-out without memory |
| `dtrtrl`, `ottt` | one hidden layer without recurrence under a read-out without memory |
| `windowed_bptt` | any depth, with a window as long as the recording |
| `windowed_bptt` with half of it, `es_d_rtrl`, `truncated`, `fptt` with fixed weights | nothing, only measured |

Other depths are measured. `ottt`, and `otpe` beyond one layer, need neurons with a constant leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from spikinggamma.bench.gradient_comparison import Demand, agreement
from spikinggamma.bench.learned_gradient import ChainProblem, learned_gradient
from spikinggamma.bench.problems import DT_MS, Case
from spikinggamma.bench.rows import Row, row
from spikinggamma.nn import SurrogateNet
from spikinggamma.runtime import torch_threads

__all__ = ["chain_problem", "online_rows"]

_EXACT = Demand("relative_error", 1e-10)
_CLASSES = 4


def chain_problem(
    depth: int, *, neuron: str, readout_tau_ms: float, steps: int, seed: int, recurrent: bool = False
) -> ChainProblem:
    """Return random spikes for `depth` fully connected hidden layers of one kind of neuron.

    Args:
        depth: Number of hidden layers.
        neuron: Kind of the neurons, a name in `NEURONS`.
        readout_tau_ms: Membrane time constant of the read-out in ms; 0 for no memory.
        steps: Number of steps.
        seed: Seed of net and spikes.
        recurrent: Whether hidden neurons are connected to one another.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = (6, *[10] * depth, _CLASSES)
    options = {"tau_ms": 9.0, "synapse_tau_ms": 4.0}
    net = SurrogateNet(
        sizes, neuron=neuron, options=options, recurrent=recurrent, readout_tau_ms=readout_tau_ms, generator=generator
    ).double()
    spikes = (torch.rand(steps, 3, 6, generator=generator) < 0.2).double()
    lengths = torch.tensor([steps, (3 * steps) // 4, steps // 3])
    net.calibrate(spikes, dt_ms=DT_MS, lengths=lengths, signal_per_threshold=2.0)
    labels = torch.randint(_CLASSES, (3,), generator=generator)
    words: dict[str, Any] = {
        "layer": f"{neuron}{', recurrent' if recurrent else ''}, read-out of {readout_tau_ms:g} ms",
        "depth": depth,
        "input": "random",
        "code": "spikes",
        "rectify": False,
        "dropout": 0.0,
        "dtype": "float64",
    }
    return ChainProblem(net, spikes, labels, lengths, words)


def online_rows(*, quick: bool, seed: int) -> Iterator[Row]:
    """Yield every comparison as a row.

    Args:
        quick: Whether to use only two depths and short recordings.
        seed: Seed of nets and recordings.
    """
    steps = 24 if quick else 120
    for depth in (1, 2) if quick else (1, 2, 3, 4):
        for neuron, recurrent in (("lif", False), ("adaptive_lif", False), ("adaptive_lif", True)):
            for readout_tau_ms in (0.0, 12.0):
                kind: dict[str, Any] = {"neuron": neuron, "recurrent": recurrent, "readout_tau_ms": readout_tau_ms}
                problem = chain_problem(depth, steps=steps, seed=seed, **kind)
                for loss in ("each_step",) if quick else ("sum", "each_step"):
                    yield from _compared(problem, Case(loss, "class", problem.labels, 0.2), kind, quick, seed)


def _compared(problem: ChainProblem, ask: Case, kind: dict[str, Any], quick: bool, seed: int) -> Iterator[Row]:
    depth, steps, plain = problem.words["depth"], len(problem.spikes), kind["neuron"] == "lif"
    alone = depth == 1 and not kind["recurrent"]
    through_present = _EXACT if alone and kind["readout_tau_ms"] == 0.0 else None
    below_forgetful = depth == 2 and not kind["recurrent"] and kind["readout_tau_ms"] == 0.0
    whole = {"span_ms": steps * DT_MS}
    rules: list[tuple[str, dict[str, Any], Demand | None]] = [
        ("eprop", {}, _EXACT if alone else None),
        ("dtrtrl", {}, through_present),
        ("es_d_rtrl", {}, None),
        ("truncated", {}, None),
        ("windowed_bptt", whole, _EXACT),
        ("windowed_bptt", {"span_ms": steps * DT_MS / 2.0}, None),
    ]
    rules += [("ottt", {}, through_present)] if plain else []
    rules += [("otpe", {}, _EXACT if alone or below_forgetful else None)] if plain or depth == 1 else []
    rules += [("fptt", {"update": "step"}, None)] if ask.loss == "each_step" else []
    with torch_threads(1):
        exact = learned_gradient(problem, ask, "bptt", chunk=None)
        for rule, options, demand in rules:
            for chunk in (1,) if quick or rule in ("windowed_bptt", "fptt") else (1, 7):
                found = agreement(learned_gradient(problem, ask, rule, chunk=chunk, **options), exact)
                yield row(
                    "gradient",
                    quick=quick,
                    seed=seed,
                    threads=1,
                    rule=rule,
                    oracle="bptt",
                    **problem.words,
                    loss=ask.loss,
                    targets=ask.form,
                    activity_cost=ask.activity_cost,
                    steps=steps,
                    lengths=problem.lengths.tolist(),
                    chunk=chunk,
                    tolerance=None,
                    span=None if "span_ms" not in options else round(options["span_ms"] / DT_MS),
                    **found._asdict(),
                    demand=str(demand or ""),
                    holds=None if demand is None else demand.met_by(found),
                )
