"""Speech synthesis by espeak-ng, from text, voice, rate and pitch to sound.

espeak-ng is licensed under the GPL-3.0 or later and is not part of this library: it runs as a separate program, started once
for each utterance. It comes with the optional extra `speech`, or from the system: the library in the package
`espeakng_loader` is used first, otherwise the program `espeak-ng` on the path. https://github.com/espeak-ng/espeak-ng

The same version gives the same sound for the same utterance, with one exception: a few variants have breath noise (`f2`, `f3`,
`f5`, `whisper` and some more), which the program from 1.52 on seeds from the clock; the bundled library never does.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from spikinggamma.datasets import espeak_process
from spikinggamma.datasets.audio import Sound
from spikinggamma.errors import SpikingGammaError

__all__ = ["Synthesiser", "Utterance", "check_voices", "find_synthesiser", "speak"]

_RATES_WPM = (80, 450)
_PITCHES = (0, 99)
_INSTALL = "Install it with pip install espeakng-loader."
_LONGEST_S = 60.0


class Utterance(NamedTuple):
    """Text of an utterance with its voice, rate and pitch."""

    text: str
    language: str  # a file in espeak-ng's `lang`, such as en (British), en-us or de
    variant: str  # speaker: a file in espeak-ng's `voices/!v`, such as f1 or m3
    rate_wpm: int = 175  # words per minute, approximately
    pitch: int = 50  # from 0 to 99, relative to the variant


class Synthesiser(NamedTuple):
    """An installed espeak-ng."""

    version: str  # bundled library or program of the system, with its version number
    data: Path  # the folder `espeak-ng-data`
    command: tuple[str, ...]  # command that starts it, without the utterance
    bundled: bool


def find_synthesiser() -> Synthesiser:
    """Return the bundled espeak-ng, or else the program on the path.

    Raises:
        SpikingGammaError: There is neither, or it does not start.
    """
    if importlib.util.find_spec("espeakng_loader") is not None:
        loader = importlib.import_module("espeakng_loader")
        data = Path(loader.get_data_path())
        # The library stores at most 160 bytes of the folder's path, so it is started in the folder with the path `.`.
        command = (sys.executable, "-I", "-S", espeak_process.__file__, loader.get_library_path(), ".")
        version = _run(command, data.parent).decode().strip()
        return Synthesiser(f"library {version}", data, command, bundled=True)
    program = shutil.which("espeak-ng")
    if program is None:
        raise SpikingGammaError("espeak-ng", "neither its package nor the program", "one of the two", _INSTALL)
    # eSpeak NG text-to-speech: 1.51  Data at: /usr/lib/x86_64-linux-gnu/espeak-ng-data
    described = _run((program, "--version"), None).decode(errors="replace")
    found = re.search(r"(\d+\.[\w.-]+).*Data at:\s*(.+)", described)
    if found is None:
        raise SpikingGammaError(program, repr(described[:80]), "espeak-ng's version and folder of data", _INSTALL)
    command = (program, "--stdin", "--stdout", "-b", "1", "-z")
    return Synthesiser(f"program {found[1]}", Path(found[2].strip()), command, bundled=False)


def check_voices(languages: Sequence[str], variants: Sequence[str], synthesiser: Synthesiser) -> None:
    """Raise an error for the first language or variant that espeak-ng does not have.

    espeak-ng would ignore an unknown variant and use its default voice. Languages are tried with one short sound each.
    """
    folder = synthesiser.data / "voices" / "!v"
    # Compared with the folder's listing, so that the file system's treatment of case and `..` does not matter.
    known = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for variant in variants:
        if variant not in known:
            raise SpikingGammaError("voices", repr(variant), f"one of {', '.join(known)}")
    for language in languages:
        if not re.fullmatch(r"[A-Za-z][\w-]*", language):
            raise SpikingGammaError(
                "words", f"language {language!r}", "a language of espeak-ng, such as en, en-us or de"
            )
        speak(Utterance("1", language, variants[0]), synthesiser)


def speak(utterance: Utterance, synthesiser: Synthesiser) -> Sound:
    """Return the sound of an utterance, without the silence around it.

    Shapes:
        samples float64 [S] within [-1, 1).

    Raises:
        SpikingGammaError: The rate or pitch is out of range, espeak-ng does not have the language, or the text is silent.

    Example:
        >>> speak(Utterance("zero", "en-us", "f1"), find_synthesiser()).rate_hz  # doctest: +SKIP
        22050
    """
    for name, value, (low, high) in (
        ("rate_wpm", utterance.rate_wpm, _RATES_WPM),
        ("pitch", utterance.pitch, _PITCHES),
    ):
        if not low <= value <= high:
            raise SpikingGammaError(name, value, f"{low} to {high}")
    voice, rate_wpm, pitch = f"{utterance.language}+{utterance.variant}", str(utterance.rate_wpm), str(utterance.pitch)
    how = (voice, rate_wpm, pitch) if synthesiser.bundled else ("-v", voice, "-s", rate_wpm, "-p", pitch)
    folder = synthesiser.data.parent if synthesiser.bundled else None
    wav = _run((*synthesiser.command, *how), folder, text=utterance.text, about=utterance)
    # The program writes a placeholder length; libsndfile reads to the end of the data.
    try:
        samples, rate_hz = soundfile.read(io.BytesIO(wav), dtype="float64")
    except soundfile.LibsndfileError as error:
        raise SpikingGammaError(str(utterance), f"no sound ({error.error_string})", "a WAV file", _INSTALL) from error
    loud = np.flatnonzero(samples)
    if len(loud) < 2:
        raise SpikingGammaError(f"word {utterance.text!r}", "silence", f"a word that {voice} can speak")
    return Sound(samples[loud[0] : loud[-1] + 1], rate_hz)


def _run(command: tuple[str, ...], folder: Path | None, *, text: str = "", about: Utterance | None = None) -> bytes:
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, cwd=folder, timeout=_LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SpikingGammaError("espeak-ng", f"no answer ({error})", "a program that runs", _INSTALL) from error
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        fault = said[-1].removeprefix("Error: ").rstrip(".") if said else f"exit status {done.returncode}"
        if about is None:
            raise SpikingGammaError("espeak-ng", fault, "a program that runs", _INSTALL)
        voice = f"voice {about.language}+{about.variant}"
        raise SpikingGammaError(voice, fault, "a language of espeak-ng, such as en, en-us or de")
    return done.stdout
