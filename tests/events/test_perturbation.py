"""Perturbations by name do to a set of recordings what `events.perturb` does to events, reproducibly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Perturbation, Recording, parse_perturbation, perturbed

KINDS = ["jitter=5ms", "channel_jitter=5ms", "deletion=0.3", "replacement=0.5", "reversal"]


def recordings(count: int = 4, events: int = 60) -> list[Recording]:
    rng = np.random.default_rng(1)
    return [
        Recording(
            np.sort(rng.integers(0, 100_000, events)),
            rng.integers(0, 5, events).astype(np.int32),
            5,
            100_000,
            label=index % 2,
            speaker=f"s{index}",
            source=f"r{index}",
        )
        for index in range(count)
    ]


def counts(recording: Recording) -> list[int]:
    return np.bincount(recording.channels, minlength=5).tolist()


def events_of(found: list[Recording]) -> list[tuple[list[int], list[int]]]:
    return [(one.times_us.tolist(), one.channels.tolist()) for one in found]


@pytest.mark.parametrize("text", KINDS)
def test_a_text_is_read_and_written(text: str) -> None:
    assert str(parse_perturbation(text)) == text
    assert parse_perturbation(f" {text} ") == parse_perturbation(text)


def test_milliseconds_may_go_unsaid() -> None:
    assert parse_perturbation("jitter=.5") == Perturbation("jitter", 0.5)


@pytest.mark.parametrize(
    "text",
    ["", "jitter", "jitter=", "jitter=-1ms", "jitter=5s", "jitter=1e3ms", "jitter=60001ms", "jitter=nan", "deletion=1.1",
     "deletion=5ms", "deletion=", "reversal=1", "reversal=", "shuffle=1", "=5"],
)  # fmt: skip
def test_what_is_none_is_named(text: str) -> None:
    with pytest.raises(SpikingGammaError, match="perturb") as error:
        parse_perturbation(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("text", KINDS)
def test_every_kind_moves_spikes_and_keeps_what_it_promises(text: str) -> None:
    given_recordings = recordings()
    found = perturbed(given_recordings, [parse_perturbation(text)])
    for before, after in zip(given_recordings, found, strict=True):
        assert (after.label, after.speaker, after.source, after.n_channels) == (
            before.label, before.speaker, before.source, before.n_channels,
        )  # fmt: skip
        assert events_of([after]) != events_of([before])
        if text.startswith("deletion"):
            assert 0 < after.n_events < before.n_events
        else:
            assert counts(after) == counts(before)
        wider = 2 * 15_000 if text.startswith("channel") else 0
        assert after.duration_us == before.duration_us + wider


@pytest.mark.parametrize("text", KINDS[:-1])
def test_the_seed_and_the_place_decide(text: str) -> None:
    change = [parse_perturbation(text)]
    once = perturbed(recordings(), change, seed=3)
    assert events_of(perturbed(recordings(), change, seed=3)) == events_of(once)
    assert events_of(perturbed(recordings(), change, seed=4)) != events_of(once)
    # The first recordings do not depend on how many there are, and equal recordings are not perturbed alike.
    assert events_of(perturbed(recordings()[:2], change, seed=3)) == events_of(once)[:2]
    twins = perturbed([recordings()[0]] * 2, change, seed=3)
    assert events_of(twins[:1]) != events_of(twins[1:])


def test_reversal_twice_is_nothing_but_order() -> None:
    twice = perturbed(recordings(), [Perturbation("reversal"), Perturbation("reversal")])
    for before, after in zip(recordings(), twice, strict=True):
        assert np.array_equal(before.times_us, after.times_us)
        pairs = [sorted(zip(one.times_us, one.channels, strict=True)) for one in (before, after)]
        assert pairs[0] == pairs[1]


def test_they_are_applied_in_the_given_order() -> None:
    """All spikes lost first leaves none to move; the other way round, too: only the second order draws the moves."""
    lost = Perturbation("deletion", 0.5)
    moved = Perturbation("replacement", 1.0)
    assert events_of(perturbed(recordings(), [lost, moved])) != events_of(perturbed(recordings(), [moved, lost]))
    assert all(one.n_events == 0 for one in perturbed(recordings(), [Perturbation("deletion", 1.0), moved]))


@given(level=st.floats(0.0, 200.0), seed=st.integers(0, 99))
def test_recordings_stay_valid(level: float, seed: int) -> None:
    """`Recording` itself checks order and range."""
    changes = [Perturbation("jitter", level), Perturbation("channel_jitter", level), Perturbation("reversal")]
    assert len(perturbed(recordings(2, 9), changes, seed=seed)) == 2


def test_nothing_asked_is_nothing_done() -> None:
    given_recordings = recordings()
    assert all(a is b for a, b in zip(perturbed(given_recordings, []), given_recordings, strict=True))


def test_step_labels_forbid_what_would_move_them() -> None:
    one = Recording(np.array([1]), np.array([0]), 1, 4000, -1, step_labels=np.array([0, 1]), step_us=2000)
    assert perturbed([one], [Perturbation("jitter", 1.0)])[0].step_labels is not None
    for name in ("channel_jitter", "reversal"):
        with pytest.raises(SpikingGammaError, match="label of its own"):
            perturbed([one], [Perturbation(name, 1.0)])
    with pytest.raises(SpikingGammaError, match="seed"):
        perturbed([one], [], seed=-1)
