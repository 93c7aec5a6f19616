"""What is cited is what a recipe uses: net, surrogate, delays, rule, loss, question and data."""

from __future__ import annotations

import re

import pytest

from spikinggamma.recipes import load_recipe
from spikinggamma.runs import citations

SPIKINGGAMMA = ["koopman2026spikinggamma", "devries1992gamma", "bohte2012efficient"]
CASES = {
    "net.model=spikinggamma": SPIKINGGAMMA,
    "net.adaptation=0.0": SPIKINGGAMMA[:2],
    "net.model=lif learning.rule=bptt": ["zenke2018superspike"],
    "net.model=lif learning.rule=ottt neuron.surrogate=arctan": ["fang2021incorporating", "xiao2022online"],
    "net.model=lif learning.rule=eprop neuron.surrogate=exponential": [
        "shrestha2018slayer",
        "bellec2020solution",
    ],
    "net.model=lif learning.rule=bptt delays.kind=floored": ["zenke2018superspike", "shrestha2018slayer"],
    "net.model=lif learning.rule=bptt learning.loss=spikemax readout.kind=spikes": [
        "zenke2018superspike",
        "shrestha2022spikemax",
    ],
    "net.model=srm_alpha learning.rule=bptt": ["shrestha2018slayer"],
    "net.model=adaptive_lif learning.rule=bptt learning.loss=cumulative": [
        "bellec2020solution",
        "zenke2018superspike",
        "bittar2022surrogate",
    ],
    "net.model=lif net.recurrent=true learning.rule=bptt": ["zenke2018superspike", "cramer2022heidelberg"],
    "net.model=count_mlp learning.rule=bptt": [],
    "net.model=gru learning.rule=bptt": ["cho2014learning"],
}


@pytest.mark.parametrize(("settings", "wanted"), CASES.items(), ids=CASES)
def test_the_net_and_how_it_learns(settings: str, wanted: list[str]) -> None:
    text = citations(load_recipe("localisation", settings.split()))
    assert re.findall(r"^@\w+\{(\w+),$", text, flags=re.M) == [*wanted, "yu2025beyond", "jeffress1948place"]
    # Braces balance, and every entry has what BibTeX asks of all of them.
    assert text.count("{") == text.count("}")
    assert all(field in entry for entry in text.split("\n\n") for field in ("title", "author", "year"))


def test_nothing_is_cited_twice() -> None:
    keys = re.findall(
        r"^@\w+\{(\w+),$",
        citations(load_recipe("fsdd", ["net.model=lif", "net.recurrent=true", "learning.rule=bptt"])),
        re.M,
    )
    assert len(keys) == len(set(keys))
    assert "cramer2022heidelberg" in keys
