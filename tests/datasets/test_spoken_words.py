"""Spoken words: their classes, voices and splits; the same seed says the same, and the cache is asked first."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.datasets import shd, speech_synthesis, spoken_words
from spikinggamma.events import Recording, Splits

SMALL: dict[str, Any] = {
    "words": "en:zero, de:fünf",
    "voices": "f1, m1, m3",
    "takes": 2,
    "n_channels": 8,
    "ramp_ms": 20.0,
    "pre_emphasis_hz": 50.0,
    "progress": False,
}


@pytest.fixture(autouse=True, scope="module")
def _espeak_ng() -> None:
    try:
        speech_synthesis.find_synthesiser()
    except SpikingGammaError as error:
        pytest.skip(str(error))


def load(**options: Any) -> Splits:
    return spoken_words.load(**(SMALL | options))


def by_source(splits: Splits) -> dict[str, Recording]:
    return {recording.source: recording for part in splits for recording in part}


def assert_equal(first: Splits, second: Splits) -> None:
    for one, two in zip(first, second, strict=True):
        assert [recording.source for recording in one] == [recording.source for recording in two]
        for left, right in zip(one, two, strict=True):
            np.testing.assert_array_equal(left.times_us, right.times_us)
            np.testing.assert_array_equal(left.channels, right.channels)


@pytest.mark.long
def test_official_split_tests_on_voices_that_training_never_hears() -> None:
    train, validation, test = load(validation_fraction=0.25)
    assert (len(train), len(validation), len(test)) == (6, 2, 4)
    assert {recording.speaker for recording in test} == {"m3"}
    assert {recording.speaker for recording in train + validation} == {"f1", "m1"}
    assert Counter(recording.label for recording in test) == {0: 2, 1: 2}


@pytest.mark.long
@pytest.mark.parametrize("voice", ["f1", "m1", "m3"])
def test_any_voice_can_be_left_out(voice: str) -> None:
    train, validation, test = load(split=f"speaker:{voice}")
    assert {recording.speaker for recording in test} == {voice}
    assert voice not in {recording.speaker for recording in train + validation}
    assert len(by_source(Splits(train, validation, test))) == 12


def test_of_the_default_voices_every_fifth_is_tested() -> None:
    voices = spoken_words._voices(spoken_words.VOICES)
    tested = spoken_words._test_voices("official", voices)
    assert (len(voices), len(tested)) == (20, 4)
    assert set(tested) < set(voices)


def test_default_voices_and_accents_are_all_there() -> None:
    takes = spoken_words._takes(spoken_words.WORDS, spoken_words._voices(spoken_words.VOICES), 8, 0)
    assert len(takes) == 20 * 20 * 8
    languages = sorted({take.utterance.language for take in takes.values()})
    assert languages == ["de", "en", "en-gb-scotland", "en-gb-x-rp", "en-us"]
    synthesiser = speech_synthesis.find_synthesiser()
    speech_synthesis.check_voices(languages, spoken_words._voices(spoken_words.VOICES), synthesiser)
    assert all(80 <= take.utterance.rate_wpm <= 450 for take in takes.values())
    assert all(0 <= take.utterance.pitch <= 99 for take in takes.values())


def test_recordings_know_what_they_are() -> None:
    recording = by_source(load())["fünf/m1/1"]
    assert (recording.label, recording.speaker, recording.n_channels) == (1, "m1", 8)
    assert 150_000 < recording.duration_us < 1_500_000
    assert recording.n_events > 20


@pytest.mark.long
def test_the_same_seeds_say_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    first = load()
    monkeypatch.setenv("SPIKINGGAMMA_CACHE", str(tmp_path))  # so everything is spoken and converted anew
    assert_equal(first, load())


@pytest.mark.long
def test_each_seed_moves_what_it_is_for() -> None:
    plain, moved = load(validation_fraction=0.5), load(validation_fraction=0.5, seed=1)
    assert {r.source for r in plain.validation} != {r.source for r in moved.validation}
    one, two = by_source(plain), by_source(moved)
    assert all(np.array_equal(one[source].times_us, two[source].times_us) for source in one)
    for option in ({"take_seed": 1}, {"cochlea_seed": 1}):
        other = by_source(load(**option))
        assert all(one[source].times_us.tolist() != other[source].times_us.tolist() for source in one)


def test_voices_and_takes_differ() -> None:
    recordings = list(by_source(load()).values())
    assert len({(r.times_us.tobytes(), r.channels.tobytes()) for r in recordings}) == len(recordings) == 12
    utterances = [take.utterance for take in spoken_words._takes("de:null", ["f1", "m1"], 5, 0).values()]
    assert len({(u.rate_wpm, u.pitch) for u in utterances}) == 10


def test_a_take_does_not_depend_on_the_others() -> None:
    few = spoken_words._takes("de:null", ["m1"], 1, 0)
    many = spoken_words._takes("de:eins, de:null", ["f1", "m1"], 3, 0)
    assert few["null/m1/0"].utterance == many["null/m1/0"].utterance
    assert many["null/m1/0"].label == 1


@pytest.mark.long
def test_reads_the_cache_without_speaking(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load()

    def fails(*args: object, **options: object) -> None:
        raise AssertionError("spoken again")

    monkeypatch.setattr(spoken_words, "speak", fails)
    assert_equal(before, load())
    assert_equal(load(seed=3), load(seed=3))
    for option in ({"takes": 3}, {"n_channels": 9}, {"words": "en:zero"}, {"take_seed": 5}):
        with pytest.raises(AssertionError, match="spoken again"):
            load(**option)
    other = speech_synthesis.find_synthesiser()._replace(version="library 9.99")
    monkeypatch.setattr(spoken_words, "find_synthesiser", lambda: other)
    with pytest.raises(AssertionError, match="spoken again"):
        load()


def test_words_and_voices_may_be_sequences() -> None:
    assert_equal(load(), load(words=("en:zero", "de:fünf"), voices=["f1", "m1", "m3"]))


def test_class_names_are_those_of_the_heidelberg_digits() -> None:
    assert spoken_words.INFO.class_names == shd.INFO.class_names
    assert spoken_words.INFO.n_classes == shd.INFO.n_classes == 20
    assert spoken_words.INFO.n_channels == shd.INFO.n_channels
    assert spoken_words.class_names("en:hand, de:hand, de:fuß") == ("en:hand", "de:hand", "fuß")


@pytest.mark.parametrize("words", ["", "zero", ":zero", "en:", "en: ", "en:?!", "en:one,,en:two", ()])
def test_refused_words(words: str | tuple[str, ...]) -> None:
    with pytest.raises(SpikingGammaError, match=r"`words`.*language:word"):
        load(words=words)


def test_refused_lists() -> None:
    with pytest.raises(SpikingGammaError, match="`words`: got 'en:one' more than once"):
        load(words="en:one, de:eins, en: one")
    with pytest.raises(SpikingGammaError, match="`voices`: got 'f1' more than once"):
        load(voices="f1, f1")
    with pytest.raises(SpikingGammaError, match="`voices`: got 'f1'; expected at least two"):
        load(voices="f1")
    with pytest.raises(SpikingGammaError, match="`voices`: got 'nobody'; expected one of"):
        load(voices="f1, nobody")
    with pytest.raises(SpikingGammaError, match=r"xx\+f1"):
        load(words="en:one, xx:one")


@pytest.mark.parametrize("split", ["", "random", "speaker", "speaker:", "speaker:f4", "voice:f1"])
def test_refused_splits(split: str) -> None:
    with pytest.raises(SpikingGammaError, match=r"`split`.*f1, m1, m3"):
        load(split=split)


@pytest.mark.parametrize("option", [{"takes": 0}, {"take_seed": -1}, {"cochlea_seed": -1}])
def test_refused_numbers(option: dict[str, int]) -> None:
    (name,) = option
    with pytest.raises(SpikingGammaError, match=f"`{name}`"):
        load(**option)
