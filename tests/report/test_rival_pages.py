"""Pages of the rivals: whole, and without what their nets do not have."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from spikinggamma import report
from spikinggamma.events import make_batch
from spikinggamma.recipes import load_recipe
from spikinggamma.report.activity.recording import record
from spikinggamma.report.activity.survey import survey
from spikinggamma.runs import Run
from spikinggamma.training import train

_SMALL = [
    "data.options.n_train=40", "data.options.n_validation=18", "data.options.n_test=18",
    "data.options.duration_ms=80.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]", "data.dt_ms=2.0",
    "net.hidden=[6, 5]", "training.epochs=1", "training.batch_size=16", "training.threads=1", "learning.rule=bptt",
]  # fmt: skip
_RIVALS = {
    "lif": ["net.model=lif", "delays.kind=fractional", "delays.max_ms=20.0"],
    "srm_alpha": ["net.model=srm_alpha", "readout.kind=spikes", "learning.loss=spikemax"],
    "count_mlp": ["net.model=count_mlp", "learning.loss=last"],
    "gru": ["net.model=gru"],
}


@pytest.fixture(scope="module")
def rivals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A run of each, tested."""
    folder = tmp_path_factory.mktemp("rivals")
    recipes = {name: load_recipe("localisation", [*_SMALL, *more]) for name, more in _RIVALS.items()}
    return {name: train(recipe, folder / name, device="cpu") for name, recipe in recipes.items()}


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.drawings = html.count("<svg")
        self.captions = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.captions += tag == "figcaption"


@pytest.mark.long
@pytest.mark.parametrize("name", _RIVALS)
def test_its_page_is_whole(rivals: dict[str, Run], name: str, tmp_path: Path) -> None:
    html = report.write_page([rivals[name].path], tmp_path / "page.html").read_text(encoding="utf-8")
    reader = _Reader(html)
    assert reader.captions == reader.drawings > 3
    for drawing in html.split("<svg")[1:]:
        ET.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")
    for title in ("Learning", "Confusions", "Cost of a decision"):
        assert title in html
    assert ("Rasters" in html) == (name not in ("count_mlp", "gru"))
    assert ("Learnt delays" in html) == (name == "lif")
    assert "There is no best.pt yet" not in html


def test_rivals_are_compared_beside_one_another(rivals: dict[str, Run], tmp_path: Path) -> None:
    paths = [run.path for run in rivals.values()]
    html = report.write_page(paths, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "4 runs compared" in html
    assert "net.model" in html.split("</table>")[0]


@pytest.mark.parametrize("name", ["lif", "srm_alpha"])
def test_what_is_recorded_is_what_the_net_did(rivals: dict[str, Run], name: str) -> None:
    run = rivals[name]
    net, recording = run.net(), run.splits().test[3]
    sample = record(net, run.recipe, recording, 3)
    activations, _ = net.run(make_batch([recording], dt_ms=2.0).spikes, net.initial_state(1), 2.0)
    assert len(sample.layers) == 2
    for layer, part in zip(sample.layers, activations.layers, strict=False):
        np.testing.assert_array_equal(layer.counts, part.outputs[:, 0].detach().numpy())
    np.testing.assert_allclose(
        sample.logits, activations.layers[-1].outputs[:, 0].detach().numpy(), rtol=1e-5, atol=1e-6
    )
    assert run.result is not None
    assert sample.prediction == run.result["predictions"][3]


def test_a_perceptron_has_no_spikes_to_survey(rivals: dict[str, Run]) -> None:
    run = rivals["count_mlp"]
    found = survey(run.net(), run.recipe, run.splits().test)
    assert not any(layer.spikes.any() for layer in found.layers)
    assert run.result is not None
    assert run.result["spikes_per_neuron_s_by_layer"] == [0.0, 0.0]
