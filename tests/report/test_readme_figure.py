"""The README's picture is a PNG of moderate size, and refuses what it cannot draw."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spikinggamma import SpikingGammaError, report
from spikinggamma.runs import Run


@pytest.mark.long
def test_it_is_a_picture_below_300_kb(finished: Run, tmp_path: Path) -> None:
    content = report.write_picture(finished.path, tmp_path / "picture.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 300_000


def test_a_run_without_weights_is_refused(finished: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    (copy / "best.pt").unlink()
    with pytest.raises(SpikingGammaError, match=r"no best\.pt"):
        report.write_picture(copy, tmp_path / "picture.png")
