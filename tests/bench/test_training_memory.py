"""The memory of learning by a recipe: it grows with the recording where the rule holds it, and does not elsewhere."""

from __future__ import annotations

import pytest

from spikinggamma.bench.kept_runs import planned_run
from spikinggamma.bench.training_memory import training_memory

pytestmark = pytest.mark.long

SMALL = ("net.hidden=[64]", "training.batch_size=16")


@pytest.mark.parametrize(
    ("recipe", "overrides", "is_flat"),
    [("localisation", (), True), ("localisation_lif", ("learning.rule=ottt",), True), ("localisation_lif", (), False)],
)
def test_an_online_rule_is_flat_and_bptt_is_linear(recipe: str, overrides: tuple[str, ...], is_flat: bool) -> None:
    run = planned_run(recipe, overrides, task="localisation", seed=0, small=SMALL)
    short, long = (training_memory(run, steps) for steps in (400, 3200))
    assert short.keys() == {"train_peak_mib", "train_step_mib"}
    grown = long["train_peak_mib"] - short["train_peak_mib"]
    # Of each step BPTT keeps at least the drive of every neuron, of four bytes.
    least = 2800 * 16 * 64 * 4 / 2**20
    assert grown < 0.5 * least if is_flat else grown > least


def test_a_process_that_fails_says_why() -> None:
    run = planned_run("localisation", (), task="localisation", seed=0)
    with pytest.raises(RuntimeError, match=r"(?s)ended with code 1:.*nonsense"):
        training_memory(run._replace(source="nonsense"), 100)
