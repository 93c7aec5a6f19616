"""The message about a package that is not installed says how to install it."""

from __future__ import annotations

import sys

import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.optional import require


def test_what_is_there_is_not_imported() -> None:
    loaded = sys.modules.pop("this", None)  # of the standard library, and imported by nobody
    require("this", "nothing", "which prints a poem")
    assert "this" not in sys.modules
    if loaded is not None:
        sys.modules["this"] = loaded


def test_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "json", None)
    with pytest.raises(SpikingGammaError) as found:
        require("json", "rows", "which writes rows")
    assert found.value.argument == "rows"
    assert found.value.expected == "the package json, which writes rows"
    assert (
        found.value.remedy
        == 'Install it with: pip install json (in a checkout of SpikingGamma: pip install -e ".[rows]")'
    )
