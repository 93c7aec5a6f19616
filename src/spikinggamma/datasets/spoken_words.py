"""Synthetic spoken words: any list of words, by many synthetic voices, converted to spikes by the cochlea model.

As it comes, in the shape of the Spiking Heidelberg Digits: the digits in English and German, 20 classes, 700 channels. Ten
voices of women and ten of men say every word eight times, each time at another rate and pitch: 3200 recordings of about
0.4 s. espeak-ng speaks (`pip install espeakng-loader`), see `spikinggamma.datasets.speech_synthesis`.

A speaker is one of espeak-ng's variants: its own vocal tract, with a fixed rate, pitch and accent of English. Such voices
differ less than people do, and each speaks a word the same way every time except for rate and pitch: accuracies are higher
than on recordings of people, and must not be compared with them.

Splits: `official` tests on every fifth voice of the list (on the last, of fewer than five); `speaker:NAME` tests on one.
Voices of the test part are not in the training part. Validation is taken from the training part, with the same voices.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from pydantic import Field

from spikinggamma.cochlea import Cochlea
from spikinggamma.datasets.cache import Spikes, cached_spikes
from spikinggamma.datasets.cochlea_spikes import CochleaOptions, cochlea_key, hear, own_seed
from spikinggamma.datasets.heidelberg import CITATION as HEIDELBERG
from spikinggamma.datasets.progress import progress_bar
from spikinggamma.datasets.registry import Info, Loading, register_dataset
from spikinggamma.datasets.speech_synthesis import Synthesiser, Utterance, check_voices, find_synthesiser, speak
from spikinggamma.datasets.splits import hold_out
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits

__all__ = ["INFO", "VOICES", "WORDS", "class_names", "describe", "load"]

WORDS = (
    "en:zero, en:one, en:two, en:three, en:four, en:five, en:six, en:seven, en:eight, en:nine, "
    "de:null, de:eins, de:zwei, de:drei, de:vier, de:fünf, de:sechs, de:sieben, de:acht, de:neun"
)
# Variants that are neither whispering nor robotic, in 1.51 and 1.52; every fifth is in the test part.
VOICES = "f1, m1, Andrea, m2, f4, m4, Annie, m5, anika, m3, belinda, m7, shelby, m8, steph, Gene, aunty, Mike, grandma, Denis"
_ACCENTS = {"en": ("en", "en-us", "en-gb-x-rp", "en-gb-scotland")}  # espeak-ng's `en` is British
# A speaker's rate in words per minute and pitch, and the variation of a take. espeak-ng's defaults are 175 and 50.
_RATES_WPM, _PITCHES = (140.0, 210.0), (35.0, 65.0)
_RATE_STRAYS, _PITCH_STRAYS = 0.15, 10.0

_ESPEAK_NG = """@software{espeakng,
  author = {Duddington, Jonathan and Dunn, Reece H. and {the eSpeak NG contributors}},
  title = {{eSpeak NG}: a compact open source speech synthesizer},
  url = {https://github.com/espeak-ng/espeak-ng}
}"""


def class_names(words: str | Sequence[str]) -> tuple[str, ...]:
    """Return the class names of a list of words: the words, with their language where two have the same spelling.

    Raises:
        SpikingGammaError: A word has no language, is empty, or occurs twice.

    Example:
        >>> class_names("en:hand, de:hand, de:fuß")
        ('en:hand', 'de:hand', 'fuß')
    """
    parsed = _words(words)
    spelt = Counter(word for _, word in parsed)
    return tuple(word if spelt[word] == 1 else f"{language}:{word}" for language, word in parsed)


class _Take(NamedTuple):
    label: int
    speaker: str
    utterance: Utterance


def _takes(words: str | Sequence[str], speakers: Sequence[str], takes: int, seed: int) -> dict[str, _Take]:
    """Return the take of every recording by name; it does not depend on other words or speakers."""
    spoken: dict[str, _Take] = {}
    for label, (name, (language, word)) in enumerate(zip(class_names(words), _words(words), strict=True)):
        for speaker in speakers:
            own = _generator(seed, speaker)
            rate_wpm, pitch = own.uniform(*_RATES_WPM), own.uniform(*_PITCHES)
            accents = _ACCENTS.get(language, (language,))
            accent = accents[int(own.integers(len(accents)))]
            for take in range(takes):
                place = f"{name}/{speaker}/{take}"
                strays = _generator(seed, place).uniform(-1.0, 1.0, 2)
                utterance = Utterance(
                    word,
                    accent,
                    speaker,
                    round(rate_wpm * (1.0 + _RATE_STRAYS * float(strays[0]))),
                    round(pitch + _PITCH_STRAYS * float(strays[1])),
                )
                spoken[place] = _Take(label, speaker, utterance)
    return spoken


def _spikes(
    name: str, *, spoken: dict[str, _Take], synthesiser: Synthesiser, cochlea: Cochlea, cochlea_seed: int
) -> Spikes:
    return hear(speak(spoken[name].utterance, synthesiser), name, cochlea, cochlea_seed)


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(own_seed(seed, name))


def _words(words: str | Sequence[str]) -> list[tuple[str, str]]:
    """Check the words, and return pairs of language and word."""
    parsed: list[tuple[str, str]] = []
    for entry in _list(words):
        language, colon, word = (part.strip() for part in entry.partition(":"))
        if not (colon and language and any(letter.isalnum() for letter in word)):
            raise SpikingGammaError("words", repr(entry), "`language:word` with a letter or digit, such as 'de:null'")
        parsed.append((language, word))
    if not parsed:
        raise SpikingGammaError("words", repr(words), "at least one `language:word`")
    _refuse_twice("words", [f"{language}:{word}" for language, word in parsed])
    return parsed


def _voices(voices: str | Sequence[str]) -> list[str]:
    names = _list(voices)
    if len(names) < 2:
        raise SpikingGammaError("voices", repr(voices), "at least two, one of them for the test part")
    _refuse_twice("voices", names)
    return names


def _test_voices(split: str, voices: list[str]) -> list[str]:
    if split == "official":
        return voices[4::5] or voices[-1:]
    kind, _, name = split.partition(":")
    if kind != "speaker" or name not in voices:
        expected = "'official' or 'speaker:NAME' with NAME one of " + ", ".join(voices)
        raise SpikingGammaError("split", repr(split), expected)
    return [name]


def _list(given: str | Sequence[str]) -> list[str]:
    return [entry.strip() for entry in (given.split(",") if isinstance(given, str) else given)]


def _refuse_twice(argument: str, entries: list[str]) -> None:
    twice = [entry for entry, count in Counter(entries).items() if count > 1]
    if twice:
        raise SpikingGammaError(argument, f"{twice[0]!r} more than once", "each only once")


INFO = Info(
    name="spoken_words",
    title="Spoken words",
    n_classes=20,
    class_names=class_names(WORDS),
    n_channels=700,
    size="3200 recordings by default",
    licence="made on the spot by espeak-ng, a GPL-3.0 program; its output is yours",
    url="https://github.com/espeak-ng/espeak-ng",
    citation=_ESPEAK_NG,
)


class SpokenWordsOptions(CochleaOptions):
    """Options of the words, their speakers and the conversion to spikes."""

    words: str | tuple[str, ...] = Field(
        default=WORDS,
        description="words, `language:word` each, with commas between them or as a list; a language is one of espeak-ng's, "
        "and `en` is English in one of four accents, the speaker's own",
    )
    voices: str | tuple[str, ...] = Field(
        default=VOICES, description="voices, espeak-ng's variants, likewise; at least two"
    )
    takes: int = Field(default=8, ge=1, description="number of times that each voice says each word")
    take_seed: int = Field(default=0, ge=0, description="seed of every take's rate and pitch")


def describe(options: SpokenWordsOptions) -> Info:
    """Return the `Info` for these options of `load`, in which the classes are the words."""
    words = class_names(options.words)
    return INFO._replace(n_classes=len(words), class_names=words, n_channels=options.n_channels)


@register_dataset(INFO, options=SpokenWordsOptions, describe=describe, behind=(HEIDELBERG,), made_here=True)
def load(options: SpokenWordsOptions, how: Loading) -> Splits:
    """Load the words as spikes in three parts; they are spoken and converted on first use and cached.

    espeak-ng must be installed even for cached words, as each version speaks them differently. There is no silence around the
    words, so `ramp_ms=20` preserves more of their ends than the window of full length does.

    Args:
        options: Which words, by whom, and how they become spikes.
        how: Its split is `official` or `speaker:NAME` with one of the voices; a share is held out, the same for every
            word and voice.

    Raises:
        SpikingGammaError: The split, a language or a voice is unknown, a word cannot be spoken, or espeak-ng is missing.

    Example:
        >>> splits = load(takes=2)  # doctest: +SKIP
        >>> len(splits.train), len(splits.validation), len(splits.test)  # doctest: +SKIP
        (576, 64, 160)
    """
    speakers = _voices(options.voices)
    tested = _test_voices(how.split, speakers)
    cochlea, cochlea_seed = options.cochlea(), options.cochlea_seed
    spoken = _takes(options.words, speakers, options.takes, options.take_seed)
    synthesiser = find_synthesiser()
    check_voices(sorted({take.utterance.language for take in spoken.values()}), speakers, synthesiser)
    key: dict[str, object] = {
        "utterances": hashlib.sha256(
            repr([(name, *take.utterance) for name, take in spoken.items()]).encode()
        ).hexdigest(),
        "synthesiser": synthesiser.version,
        "cochlea": cochlea_key(cochlea, cochlea_seed),
    }
    with progress_bar("spoken_words: text to spikes", len(spoken), shown=how.progress) as advance:
        make = partial(_spikes, spoken=spoken, synthesiser=synthesiser, cochlea=cochlea, cochlea_seed=cochlea_seed)
        found = cached_spikes("spoken_words", list(spoken), make, key=key, on_done=advance)
    recordings = [
        Recording(
            spikes.times_us,
            spikes.channels,
            options.n_channels,
            spikes.duration_us,
            take.label,
            take.speaker,
            source=name,
        )
        for (name, take), spikes in zip(spoken.items(), found, strict=True)
    ]
    rest = [recording for recording in recordings if recording.speaker not in tested]
    train, validation = hold_out(rest, how.validation_fraction, seed=how.seed)
    return Splits(train, validation, [recording for recording in recordings if recording.speaker in tested])
