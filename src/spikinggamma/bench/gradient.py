"""Benchmark of the exactness of each learning rule's gradient, over depths and losses, against independent oracles.

| rule | reference (`oracle`) | required |
| --- | --- | --- |
| `through_time` | autograd of the specification, step by step | relative error at most 1e-10 |
| `through_time` | central finite differences, analogue code | relative error at most 1e-7 |
| `windowed`, tolerance 1e-6 | `through_time` | cosine at least 0.999999 |
| `traced` at depth 1 | `through_time` | relative error at most 1e-10 |
| `shifted` without rectification | `through_time` | relative error at most 1e-10 |
| other cases, and `instantaneous` | `through_time` | nothing, only measured |
| rules of surrogate-gradient nets | `bptt` | see `gradient_online` |

The learner runs in chunks (`chunk` steps; null means whole recordings), down to single steps, because a call on a whole
sequence makes every causal rule look exact. `cosine` and `relative_error` compare all parameters at once; the read-out's own
gradient is exact in every rule, so `cosine_hidden` leaves it out, and `cosine_lowest` is that of the worst parameter
tensor. Everything runs on one thread, and in double precision unless a row has another dtype.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from spikinggamma.bench.gradient_comparison import Demand, agreement
from spikinggamma.bench.gradient_online import online_rows
from spikinggamma.bench.learned_gradient import learned_gradient
from spikinggamma.bench.oracles import Gradient, autograd_gradient, finite_difference_gradient
from spikinggamma.bench.problems import (
    DT_MS,
    TOLERANCE,
    Case,
    Problem,
    asks,
    conv_problem,
    dense_problem,
    localisation_problem,
    long_enough,
)
from spikinggamma.bench.rows import Row, row
from spikinggamma.learning import span
from spikinggamma.runtime import torch_threads

__all__ = ["run"]

_MIXED = (
    4.0,
    6.0,
    10.0,
)  # ms: the shortest different values with steps of 2 ms, so that ten layers still forget quickly
_BRIEF = (3.0, 4.0)  # ms: short memory
_EQUAL = (4.0, 4.0, 4.0)  # ms: equal, as `shifted` needs
_EXACT = Demand("relative_error", 1e-10)
_DIFFERENCES = Demand("relative_error", 1e-7)
_WINDOW = Demand("cosine", 0.999999)


def run(*, quick: bool, seed: int) -> Iterator[Row]:
    """Yield every comparison as a row.

    Args:
        quick: Whether to use only shallow nets and short recordings.
        seed: Seed of nets and recordings.
    """
    bench = _Bench(quick, seed)
    yield from bench.through_time()
    yield from bench.finite_differences()
    yield from bench.windowed()
    yield from bench.causal()
    yield from bench.shifted()
    yield from bench.real_delays()
    yield from online_rows(quick=quick, seed=seed)


class _Bench:
    """The state that all comparisons share."""

    def __init__(self, quick: bool, seed: int) -> None:
        self.quick = quick
        self.seed = seed
        self.depths = (1, 2) if quick else (1, 2, 4, 10)
        self.tau_ms = _BRIEF if quick else _MIXED
        self.short = 20 if quick else 120

    def through_time(self) -> Iterator[Row]:
        """Compare `through_time` with autograd of the unrolled specification, for every kind of layer and form of target."""
        common: dict[str, Any] = {"tau_ms": self.tau_ms, "steps": self.short, "seed": self.seed}
        problems = [
            *(dense_problem(depth, **common) for depth in self.depths),
            dense_problem(2, synapse="synapse", **common),
            conv_problem(**common),
            dense_problem(2, train_tau=True, **common),
            dense_problem(2, analogue=True, **common),
            dense_problem(2, rectify=False, **common),
            dense_problem(2, dropout=0.3, **common),
        ]
        for problem in problems:
            for ask in asks(problem, every_form=not self.quick or problem is problems[0]):
                with torch_threads(1):
                    evaluator = autograd_gradient(problem, ask)
                yield self._row(problem, ask, "through_time", None, evaluator, "autograd", _EXACT)

    def finite_differences(self) -> Iterator[Row]:
        """Compare exact rules with finite differences, without `running`, whose error signal is not its loss's gradient."""
        small: dict[str, Any] = {
            "tau_ms": self.tau_ms,
            "steps": 15 if self.quick else 60,
            "seed": self.seed,
            "width": 5,
        }
        cases = [
            (dense_problem(1, analogue=True, **small), ("through_time", "traced")),
            (dense_problem(2, analogue=True, **small), ("through_time",)),
            (dense_problem(2, analogue=True, synapse="synapse", **small), ("through_time",)),
            (dense_problem(2, analogue=True, train_tau=True, **small), ("through_time",)),
            (
                dense_problem(2, analogue=True, rectify=False, **{**small, "tau_ms": _EQUAL}),
                ("through_time", "shifted"),
            ),
        ]
        for problem, rules in cases[:1] if self.quick else cases:
            for ask in asks(problem, every_form=not self.quick):
                if ask.loss == "running":
                    continue
                with torch_threads(1):
                    evaluator = finite_difference_gradient(problem, ask)
                for rule in rules:
                    yield self._row(problem, ask, rule, 7, evaluator, "finite differences", _DIFFERENCES)

    def windowed(self) -> Iterator[Row]:
        """Compare `windowed` and `instantaneous` with `through_time`, on recordings that are longer than the window."""
        chunks = (1, 7) if self.quick else (1, 7, 64)
        for depth in self.depths:
            steps = long_enough(depth, self.tau_ms)
            for dtype in (torch.float64, torch.float32):
                problem = dense_problem(depth, tau_ms=self.tau_ms, steps=steps, seed=self.seed, dtype=dtype)
                for ask in asks(problem):
                    evaluator = self._reference(problem, ask)
                    for chunk in chunks if dtype == torch.float64 and not (self.quick and depth > 1) else (7,):
                        yield self._row(problem, ask, "windowed", chunk, evaluator, demand=_WINDOW)
                    if dtype == torch.float64:
                        yield self._row(problem, ask, "instantaneous", 7, evaluator)
        if self.quick:
            return
        common: dict[str, Any] = {"tau_ms": self.tau_ms, "steps": long_enough(2, self.tau_ms), "seed": self.seed}
        others = [dense_problem(2, synapse="synapse", **common), conv_problem(**common)]
        for problem in [*others, dense_problem(2, train_tau=True, **common)]:
            for ask in asks(problem):
                evaluator = self._reference(problem, ask)
                for chunk in chunks:
                    yield self._row(problem, ask, "windowed", chunk, evaluator, demand=_WINDOW)

    def causal(self) -> Iterator[Row]:
        """Compare `traced`, which is exact at depth 1 and measured in deeper nets."""
        common: dict[str, Any] = {"tau_ms": self.tau_ms, "steps": self.short, "seed": self.seed}
        problems = [dense_problem(depth, **common) for depth in self.depths[:3]]
        problems.append(dense_problem(1, synapse="synapse", **common))
        for problem in problems:
            for ask in asks(problem):
                evaluator = self._reference(problem, ask)
                for chunk in (1,) if self.quick else (1, 7, 64):
                    demand = _EXACT if problem.words["depth"] == 1 else None
                    yield self._row(problem, ask, "traced", chunk, evaluator, demand=demand)

    def shifted(self) -> Iterator[Row]:
        """Compare `shifted` with one α, which is exact without rectification and measured with it."""
        common: dict[str, Any] = {"tau_ms": _EQUAL, "steps": self.short, "seed": self.seed}
        problems = [
            dense_problem(depth, rectify=rectify, **common) for rectify in (False, True) for depth in self.depths
        ]
        problems += [dense_problem(2, rectify=rectify, synapse="synapse", **common) for rectify in (False, True)]
        for problem in problems:
            rectify = problem.words["rectify"]
            for ask in asks(problem):
                evaluator = self._reference(problem, ask)
                for chunk in (7,) if self.quick or rectify else (1, 7, 64):
                    yield self._row(problem, ask, "shifted", chunk, evaluator, demand=None if rectify else _EXACT)
                if rectify:
                    yield self._row(problem, ask, "instantaneous", 7, evaluator)

    def real_delays(self) -> Iterator[Row]:
        """Compare the causal rules on a task that consists of delays, in a new net."""
        for depth in self.depths[:1] if self.quick else self.depths[:3]:
            problem = localisation_problem(depth, seed=self.seed)
            for ask in asks(problem)[: 2 if self.quick else None]:
                evaluator = self._reference(problem, ask)
                for rule in ("instantaneous", "shifted", "traced"):
                    demand = _EXACT if rule == "traced" and depth == 1 else None
                    yield self._row(problem, ask, rule, 7, evaluator, demand=demand)

    def _reference(self, problem: Problem, ask: Case) -> Gradient:
        with torch_threads(1):
            return learned_gradient(problem, ask, "through_time", chunk=None)

    def _row(
        self,
        problem: Problem,
        ask: Case,
        rule: str,
        chunk: int | None,
        evaluator: Gradient,
        oracle: str = "through_time",
        demand: Demand | None = None,
    ) -> Row:
        options: dict[str, Any] = {"tolerance": TOLERANCE} if rule == "windowed" else {}
        with torch_threads(1):
            found = agreement(learned_gradient(problem, ask, rule, chunk=chunk, **options), evaluator)
        return row(
            "gradient",
            quick=self.quick,
            seed=self.seed,
            threads=1,
            rule=rule,
            oracle=oracle,
            **problem.words,
            loss=ask.loss,
            targets=ask.form,
            activity_cost=ask.activity_cost,
            steps=len(problem.spikes),
            lengths=problem.lengths.tolist(),
            chunk=chunk,
            tolerance=options.get("tolerance"),
            span=span(problem.net, DT_MS, TOLERANCE) if options else None,
            **found._asdict(),
            demand=str(demand or ""),
            holds=None if demand is None else demand.met_by(found),
        )
