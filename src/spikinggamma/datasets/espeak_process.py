"""Speaks one utterance by the espeak-ng library in its own process, from text to WAV.

The library keeps its state in globals, some of which no call resets, so that its output depends on previous utterances, and
it is not thread-safe. A new process for every utterance avoids both, and a crash of the library does not affect its user.
`spikinggamma.datasets.speech_synthesis` starts this file as a program; it needs the standard library only.

    python espeak_process.py LIBRARY DATA                      prints the library's version
    python espeak_process.py LIBRARY DATA VOICE RATE PITCH     speaks UTF-8 from standard input, WAV to standard output
"""

from __future__ import annotations

import ctypes
import sys
import wave

# Values of the library's public header, speak_lib.h.
_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: return the samples within the call
_DO_NOT_EXIT = 0x8000
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_BY_CHARACTER = 1  # espeak_POSITION_TYPE
_UTF8 = 1
_SEED = 1  # seed of the breath noise in some voices, otherwise taken from the clock


def main(arguments: list[str]) -> int:
    """Speak an utterance or print the version; return the exit status."""
    library, data, *rest = arguments
    espeak = ctypes.CDLL(library)
    espeak.espeak_Info.restype = ctypes.c_char_p
    if not rest:
        sys.stdout.write(espeak.espeak_Info(None).decode())
        return 0
    voice, rate_wpm, pitch = rest
    sample_hz = espeak.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DO_NOT_EXIT)
    if sample_hz <= 0:
        return _failed(f"espeak-ng does not start with its data in {data}")
    if espeak.espeak_SetVoiceByName(voice.encode()) != 0:
        return _failed(f"espeak-ng has no voice {voice}")
    espeak.espeak_SetParameter(_RATE, int(rate_wpm), 0)
    espeak.espeak_SetParameter(_PITCH, int(pitch), 0)
    if hasattr(espeak, "espeak_ng_SetRandSeed"):  # since 1.52; before, the clock was not used
        espeak.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
    samples = _spoken(espeak, sys.stdin.buffer.read())
    with wave.open(sys.stdout.buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_hz)
        file.setnframes(len(samples) // 2)  # standard output cannot be corrected afterwards
        file.writeframesraw(samples)
    return 0


def _spoken(espeak: ctypes.CDLL, text: bytes) -> bytes:
    """Return the samples of an utterance as bytes of 16-bit integers."""
    parts: list[bytes] = []
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

    def receive(samples: int | None, count: int, events: int | None) -> int:
        if samples and count > 0:
            parts.append(ctypes.string_at(samples, 2 * count))
        return 0  # continue

    callback = kind(receive)
    espeak.espeak_SetSynthCallback(callback)
    espeak.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    espeak.espeak_Synth(text, len(text) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
    return b"".join(parts)


def _failed(fault: str) -> int:
    sys.stderr.write(fault + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
