"""What a terminal shows, and that nothing is shown elsewhere."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma.stream import Figures, Latencies, Tally, figures_table, view_for

FIGURES = Figures(
    Tally(events=1234, segments=5, judged=4, right=3, learnt=2),
    clock_s=12.5,
    events_per_s=8000.0,
    realtime=1.5,
    latency_s=(0.004, 0.02),
    dropped=7,
    waiting=1,
    last={"name": "three", "share": 0.93},
)


def test_a_table_says_how_fast_how_right_and_how_late() -> None:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=80)
    console.print(figures_table(FIGURES))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("12.5 s, 1.5 times real time", "1234 (8000/s), 7 late, 1 waiting", "4.0 ms, p99 20.0 ms"):
        assert part in shown
    assert "75.0% of 4 labels, 2 learnt" in shown
    assert "three (93%)" in shown


@pytest.mark.parametrize(("terminal", "scrolling"), [(False, False), (True, True)])
def test_nothing_is_shown_without_a_terminal_of_its_own(
    terminal: bool, scrolling: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with view_for(predictions_in_terminal=scrolling, terminal=terminal) as view:
        assert not view.due()
        view.show(FIGURES)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_is_told_again_after_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    with view_for(predictions_in_terminal=False, terminal=True) as view:
        assert view.due()
        view.show(FIGURES)
        assert not view.due()
    assert capsys.readouterr().out == ""


@given(seconds=st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=50), share=st.floats(0.01, 1.0))
def test_quantiles_are_right_to_five_per_cent(seconds: list[float], share: float) -> None:
    latencies = Latencies()
    for one in seconds:
        latencies.add(one)
    rank = next(count for count in range(1, len(seconds) + 1) if count >= share * len(seconds))
    exact = sorted(seconds)[rank - 1]
    assert latencies.quantile(share) == pytest.approx(exact, rel=0.05)
