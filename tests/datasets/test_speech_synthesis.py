"""What espeak-ng says: the same every time, another sound for every voice, and nothing that was not asked for."""

from __future__ import annotations

import importlib.util
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.datasets import speech_synthesis
from spikinggamma.datasets.speech_synthesis import Synthesiser, Utterance, check_voices, find_synthesiser, speak

BREATHING = "f2"  # a variant with noise in its voice

# Stands in for the system's program: a header that promises more than comes, as the real one's does, and it repeats what it
# was told, one sample a character.
PROGRAM = """#!{python} -I
import struct, sys
if "--version" in sys.argv:
    print("eSpeak NG text-to-speech: 1.51.1  Data at: {data}")
    sys.exit()
if "-v" in sys.argv and "xx+" in " ".join(sys.argv):
    sys.exit("Error: The specified espeak-ng voice does not exist.")
told = sys.stdin.buffer.read() + "|".join(sys.argv[1:]).encode()
header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 0x7FFFF024, b"WAVE", b"fmt ", 16, 1, 1, 22050, 44100, 2, 16)
body = struct.pack("<" + "h" * (len(told) + 4), 0, 0, *told, 0, 0)
sys.stdout.buffer.write(header + struct.pack("<4sI", b"data", 0x7FFFF000) + body)
"""


@pytest.fixture(scope="module")
def bundled() -> Synthesiser:
    if importlib.util.find_spec("espeakng_loader") is None:
        pytest.skip("needs the bundled espeak-ng: pip install espeakng-loader")
    return find_synthesiser()


@pytest.fixture
def _without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _without_package: None) -> Synthesiser:
    if sys.platform == "win32":
        pytest.skip("the stand-in for the program is a script with an interpreter line")
    data = tmp_path / "a folder" / "espeak-ng-data"
    (data / "voices" / "!v").mkdir(parents=True)
    (data / "voices" / "!v" / "f1").touch()
    script = tmp_path / "espeak-ng"
    script.write_text(PROGRAM.format(python=sys.executable, data=data))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    return find_synthesiser()


@pytest.mark.parametrize("variant", ["f1", "m1", BREATHING])
def test_says_the_same_every_time(bundled: Synthesiser, variant: str) -> None:
    utterance = Utterance("fünf", "de", variant, 160, 40)
    first, again = speak(utterance, bundled), speak(utterance, bundled)
    assert first.rate_hz == again.rate_hz == 22050
    np.testing.assert_array_equal(first.samples, again.samples)


def test_says_the_same_whatever_was_said_before_and_beside_it(bundled: Synthesiser) -> None:
    utterances = [Utterance(word, "en-us", variant) for word in ("one", "two") for variant in ("f1", "m1", "m3")]
    alone = [speak(utterance, bundled).samples for utterance in utterances]
    with ThreadPoolExecutor(3) as pool:
        beside = list(pool.map(lambda utterance: speak(utterance, bundled).samples, utterances[::-1]))
    for one, other in zip(alone, beside[::-1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_everything_that_is_asked_for_is_heard(bundled: Synthesiser) -> None:
    plain = Utterance("sechs", "de", "f1", 175, 50)
    others = [
        plain._replace(text="sieben"),
        plain._replace(language="en-us"),
        plain._replace(variant="m1"),
        plain._replace(rate_wpm=120),
        plain._replace(pitch=80),
    ]
    sounds = [speak(utterance, bundled).samples.tobytes() for utterance in (plain, *others)]
    assert len(set(sounds)) == len(sounds)


def test_slow_is_long_and_fast_is_short(bundled: Synthesiser) -> None:
    slow, fast = (len(speak(Utterance("seven", "en", "m3", rate), bundled).samples) for rate in (100, 300))
    assert 1.5 * fast < slow < 6 * fast


def test_letters_beyond_ascii_are_spoken(bundled: Synthesiser) -> None:
    with_umlaut, without = (speak(Utterance(word, "de", "m1"), bundled).samples for word in ("fünf", "funf"))
    assert with_umlaut.tobytes() != without.tobytes()


def test_the_sound_has_no_silence_around_it(bundled: Synthesiser) -> None:
    samples = speak(Utterance("acht", "de", "m2"), bundled).samples
    assert samples[0] != 0
    assert samples[-1] != 0
    assert samples.dtype == np.float64
    assert 0.1 < np.abs(samples).max() < 1.0
    assert 0.15 * 22050 < len(samples) < 22050


def test_a_long_path_to_the_library_is_no_hindrance(bundled: Synthesiser, tmp_path: Path) -> None:
    far = tmp_path / ("a" * 100) / ("b" * 100)
    far.mkdir(parents=True)
    try:
        (far / "espeak-ng-data").symlink_to(bundled.data, target_is_directory=True)
    except OSError:
        pytest.skip("no links on this system")
    moved = bundled._replace(data=far / "espeak-ng-data")
    utterance = Utterance("null", "de", "f4")
    np.testing.assert_array_equal(speak(utterance, moved).samples, speak(utterance, bundled).samples)


def test_unknown_languages_and_variants_are_named(bundled: Synthesiser) -> None:
    check_voices(["en", "de"], ["f1", "m8"], bundled)
    with pytest.raises(SpikingGammaError, match=r"`voice xx\+f1`: got espeak-ng has no voice xx\+f1"):
        check_voices(["en", "xx"], ["f1"], bundled)
    with pytest.raises(SpikingGammaError, match=r"`voices`: got 'nobody'; expected one of .*f1, f2"):
        check_voices(["en"], ["f1", "nobody"], bundled)
    for language in ("", "en/../de", "-v", "de+f1"):
        with pytest.raises(SpikingGammaError, match="`words`: got language"):
            check_voices([language], ["f1"], bundled)


@pytest.mark.parametrize(
    ("change", "named"), [({"rate_wpm": 79}, "rate_wpm"), ({"rate_wpm": 451}, "rate_wpm"), ({"pitch": 100}, "pitch")]
)
def test_rates_and_pitches_out_of_range_are_refused(bundled: Synthesiser, change: dict[str, int], named: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`{named}`"):
        speak(Utterance("zero", "en", "f1")._replace(**change), bundled)


def test_a_text_without_sound_is_refused(bundled: Synthesiser) -> None:
    with pytest.raises(SpikingGammaError, match=r"' '|silence|no voice|status"):
        speak(Utterance(" ", "en", "f1"), bundled)


def test_the_program_is_told_everything(program: Synthesiser) -> None:
    assert program.version == "program 1.51.1"
    assert program.data.is_dir()
    check_voices(["de"], ["f1"], program)
    sound = speak(Utterance("fünf", "de", "f1", 120, 30), program)
    said = bytes(np.rint(sound.samples * 2**15).astype(np.uint8)).decode()
    assert said == "fünf--stdin|--stdout|-b|1|-z|-v|de+f1|-s|120|-p|30"


def test_the_programs_own_complaint_is_passed_on(program: Synthesiser) -> None:
    with pytest.raises(SpikingGammaError, match="voice does not exist"):
        check_voices(["xx"], ["f1"], program)


def test_another_program_of_that_name_is_refused(program: Synthesiser, tmp_path: Path) -> None:
    (tmp_path / "espeak-ng").write_text(f"#!{sys.executable} -I\nprint('something else')\n")
    with pytest.raises(SpikingGammaError, match="something else"):
        find_synthesiser()


@pytest.mark.usefixtures("_without_package")
def test_neither_package_nor_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpikingGammaError, match="pip install espeakng-loader"):
        find_synthesiser()


def test_a_library_that_does_not_load_is_named(bundled: Synthesiser, tmp_path: Path) -> None:
    non_finite_error = tmp_path / "libespeak-ng.so"
    non_finite_error.write_bytes(b"not a library")
    command = (*bundled.command[:-2], str(non_finite_error), ".")
    with pytest.raises(SpikingGammaError, match=r"libespeak-ng\.so"):
        speech_synthesis._run(command, tmp_path)
