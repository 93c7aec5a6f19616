"""What an installed package adds, a file each, is listed, found, checked and run like what the library holds itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin_package import PACKAGE, RECIPE, run_with, write_package

COMMANDS = {
    "losses": ("middle", "margin = 0.25", "from 0 to below 0.5"),
    "perturbations": ("lateness", "level = 3.0", "0 to 100 ms"),
    "encoders": ("sign_changes", "dead_zone = 0.0", "at least 0"),
    "surrogates": ("gaussian", "slope = 2.0", "above 0, at most 1000"),
    "neurons": ("two_compartment", "dendrite_tau_ms = 40.0", "above 0, at most 10000 ms"),
    "rules": ("weak_bptt", "share = 0.5", "above 0, at most 1"),
    "layers": ("echo", "delay_ms = 6.0", "delay of the echo [ms]"),
}


pytestmark = pytest.mark.long  # a process for each command


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return write_package(tmp_path_factory.mktemp("installed"))


def call(folder: Path, *arguments: str, expect: int = 0) -> str:
    done = run_with(folder, "-m", "spikinggamma", *arguments, expect=expect)
    return done.stderr if expect else done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_what_it_adds_is_listed_with_options_and_citations(folder: Path, command: str) -> None:
    name, option, limits = COMMANDS[command]
    assert any(line.split()[0] == name for line in call(folder, command).splitlines())
    said = call(folder, command, name)
    for words in (f"from {PACKAGE}.", f"  {option}\n", limits):
        assert words in said
    assert command not in ("losses", "neurons", "surrogates") or "@misc{" in said


def test_a_data_set_is_listed_and_cited_with_what_stands_behind_it(folder: Path) -> None:
    paragraph = next(part for part in call(folder, "data", "list").split("\n\n") if part.startswith("rhythms:"))
    for words in ("Two rhythms", "2: fast, slow", "channels  4", "48 recordings by default"):
        assert words in paragraph
    assert "rhythms2026" in call(folder, "cite", "rhythms")
    assert "metronome1815" in call(folder, "cite", "rhythms")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("losses", "midle"), "Did you mean `middle`?"),
        (("neurons", "two_compartments"), "Did you mean `two_compartment`?"),
        (("data", "show", "rhythm"), "Did you mean `rhythms`?"),
        (("data", "show", "rhythms", "--set", "slow_m=9"), "Did you mean `slow_ms`?"),
        (("data", "show", "rhythms", "--set", "slow_ms=90"), "`slow_ms`: got 90; expected a whole number from 4 to 40"),
        (
            ("train", "--set", "learning.loss=middle", "--set", "loss.margin=0.5"),
            "got 0.5; expected from 0 to below 0.5",
        ),
        (("train", "--set", "data.perturb=['lateness=101ms']"), "Levels go from 0 to 100 ms."),
        (
            (
                "train",
                "--set",
                "net.model=two_compartment",
                "--set",
                "learning.rule=bptt",
                "--set",
                "neuron.soma_tau_ms=0.0",
            ),
            "expected above 0, at most 10000 ms",
        ),
    ],
)
def test_what_does_not_fit_is_named(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    assert says in call(folder, *arguments, expect=2)


def test_all_of_it_runs(folder: Path) -> None:
    """In a process that has it on its path, by names alone."""
    run_with(
        folder,
        "-c",
        """
import numpy as np, torch
from spikinggamma import datasets, events
from spikinggamma.encoders import SampledSignal, make_encoder
from spikinggamma.learning import make_loss
from spikinggamma.nn import make_neuron, parameter_kinds

parts = datasets.load("rhythms", slow_ms=12, n_channels=3)
assert [len(part) for part in parts] == [24, 12, 12]
assert datasets.info("rhythms", {"n_channels": 3}).n_channels == 3

late = events.perturbed(parts.train, [events.parse_perturbation("lateness=3ms")])
assert (late[0].times_us >= parts.train[0].times_us).all() and late[0].times_us[0] == parts.train[0].times_us[0] + 3000

signal = SampledSignal.regular(np.array([[1.0], [-1.0], [2.0]]), 1000)
encoder = make_encoder("sign_changes", {"dead_zone": 0.5})
assert encoder.decode(encoder.encode(signal), signal.times_us).ravel().tolist() == [1.0, -1.0, 1.0]

judge = make_loss("middle", torch.tensor([1]), torch.tensor([4]), 1.0, {"margin": 0.25})
logits = torch.tensor([[[9.0, 0.0]], [[0.0, 1.0]], [[0.0, 1.0]], [[9.0, 0.0]]])
judge.observe(logits, 0)
assert judge.result().correct == 1
assert judge.gradient(logits, 0)[0].abs().sum() == 0

neuron = make_neuron("two_compartment", (5,), {"surrogate": "gaussian", "surrogate_options": {"slope": 3.0}})
assert set(parameter_kinds(neuron).values()) == {"time_constant"}
drive = torch.full((30, 2, 5), 1.5)
spikes, state = neuron(drive, neuron.initial_state(2), 1.0)
spikes.sum().backward()
assert 0 < spikes.sum() < spikes.numel()
assert neuron.log_dendrite_tau.grad.abs().sum() > 0
""",
    )


def test_a_recipe_trains_resumes_evaluates_reports_and_cites_all_of_it(folder: Path) -> None:
    (folder / "outside.toml").write_text(RECIPE)
    run_with(
        folder,
        "-c",
        """
import json
from pathlib import Path

from spikinggamma import recipes, runs, training


class Interrupting(training.LogReporter):
    def advance(self, progress, *, loss, accuracy):
        if progress > 1.1:
            raise KeyboardInterrupt


recipe = recipes.load_recipe("outside.toml")
assert recipes.parse_recipe(recipes.dump_recipe(recipe)) == recipe
whole = training.train(recipe, "whole", device="cpu", reporter=training.LogReporter())
try:
    training.train(recipe, "cut", device="cpu", reporter=Interrupting())
except training.TrainingInterrupted:
    pass
cut = training.resume("cut", device="cpu", reporter=training.LogReporter())
timing = {"seconds", "samples_per_s"}
plain = [[{k: v for k, v in row.items() if k not in timing} for row in run.metrics] for run in (whole, cut)]
assert plain[0] == plain[1] and len(plain[0]) == 3
assert whole.result["accuracy"] == cut.result["accuracy"] and whole.result["cost"] is None

net = runs.build_net(recipe)
groups = runs.build_optimiser(net, recipe).param_groups
decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
found = {name: decays[id(p)] for name, p in net.named_parameters()}
assert {name.rpartition(".")[2]: decay for name, decay in found.items()} == {
    "weight": 0.5, "log_dendrite_tau": 0.0, "log_soma_tau": 0.0
}
""",
    )
    assert "not counted" in call(folder, "evaluate", "whole", "--perturb", "lateness=5ms")
    call(folder, "report", "whole", "--out", "outside.html")
    page = (folder / "outside.html").read_text(encoding="utf-8")
    assert "weak_bptt" in page
    assert "two compartments" in page
    cited = call(folder, "cite", "whole")
    for key in ("compartments2026", "gauss1809", "echo2026", "weak2026", "middle2026", "rhythms2026"):
        assert key in cited


def test_a_package_that_fails_is_named(tmp_path: Path) -> None:
    said = call(write_package(tmp_path / "broken", broken=True), "losses", expect=2)
    assert f"{PACKAGE}, which fails with ModuleNotFoundError" in said.replace(f" of {PACKAGE}", "")
