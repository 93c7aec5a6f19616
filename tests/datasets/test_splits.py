"""Validation has its share of every class and speaker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma import SpikingGammaError
from spikinggamma.datasets.splits import first_of_each, hold_out
from spikinggamma.events import Recording


def recording(label: int, speaker: str, take: int) -> Recording:
    none = np.zeros(0, np.int64)
    return Recording(none, none, 1, 1, label, speaker, source=f"{label}_{speaker}_{take}")


def sources(recordings: list[Recording]) -> list[str]:
    return [r.source for r in recordings]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=120),
    st.floats(0, 0.99),
    st.integers(0, 50),
)
def test_parts_are_whole_disjoint_and_proportional(kinds: list[tuple[int, str]], fraction: float, seed: int) -> None:
    everything = [recording(label, speaker, take) for take, (label, speaker) in enumerate(kinds)]
    kept, held = hold_out(everything, fraction, seed=seed)
    assert sorted(sources(kept) + sources(held)) == sorted(sources(everything))
    assert len(held) == round(len(everything) * fraction)
    for kind in set(kinds):
        n = kinds.count(kind)
        n_held = sum((r.label, r.speaker) == kind for r in held)
        assert abs(n_held - n * fraction) <= 1.0


def test_does_not_depend_on_the_order_given() -> None:
    everything = [recording(label, speaker, take) for label in range(3) for speaker in "ab" for take in range(20)]
    held = sources(hold_out(everything, 0.1, seed=1)[1])
    assert sorted(held) == sorted(sources(hold_out(everything[::-1], 0.1, seed=1)[1]))
    assert sorted(held) != sorted(sources(hold_out(everything, 0.1, seed=2)[1]))
    assert held == sorted(held, key=sources(everything).index)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_refused_fractions(fraction: float) -> None:
    with pytest.raises(SpikingGammaError, match="validation_fraction"):
        hold_out([], fraction, seed=0)


def test_refused_seed() -> None:
    with pytest.raises(SpikingGammaError, match="`seed`"):
        hold_out([], 0.1, seed=-1)


def test_a_limit_keeps_the_first_of_each_speaker_and_class_in_their_order() -> None:
    everything = [recording(label, speaker, take) for take in (3, 0, 2, 1) for label in range(2) for speaker in "ab"]
    kept = first_of_each(everything, 3)
    ranked = sorted(sources(everything))
    for label in range(2):
        for speaker in "ab":
            own = sorted(r.source for r in everything if (r.label, r.speaker) == (label, speaker))
            assert {r.source for r in kept if (r.label, r.speaker) == (label, speaker)} == set(own[:3])
    assert sources(kept) == [source for source in sources(everything) if source in sources(kept)]
    assert sorted(sources(first_of_each(everything, 99))) == ranked
