"""The interface of encoders: samples of signals are encoded as events, and decoded with a known error."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording
from spikinggamma.options import Options
from spikinggamma.registry import Registry

__all__ = ["ENCODERS", "Encoder", "SampledSignal", "make_encoder"]


class SampledSignal(NamedTuple):
    """Several signals with the time of each sample.

    Attributes:
        values: The samples, float64 [T, C].
        times_us: Time of each sample in microseconds, int64 [T], ascending from at least 0.
        duration_us: Length of the signals in microseconds; every sample lasts until the next, and the last until this
            end.
    """

    values: Float[np.ndarray, "T C"]
    times_us: Int[np.ndarray, " T"]
    duration_us: int

    @property
    def lasts_us(self) -> Int[np.ndarray, " T"]:
        """Return the duration of each sample in microseconds, [T]."""
        return np.diff(self.times_us, append=self.duration_us)

    @classmethod
    def regular(cls, values: Float[np.ndarray, "T C"], step_us: int) -> SampledSignal:
        """Return samples taken every `step_us` microseconds from time 0.

        Raises:
            SpikingGammaError: The values are not a table of finite numbers, or the step is below 1 us.

        Example:
            >>> SampledSignal.regular(np.zeros((3, 2)), 1000).duration_us
            3000
        """
        table = np.asarray(values, dtype=np.float64)
        if step_us < 1:
            raise SpikingGammaError("step_us", step_us, "at least 1 us")
        signal = cls(table, np.arange(len(table), dtype=np.int64) * step_us, len(table) * step_us)
        signal.check()
        return signal

    def check(self) -> None:
        """Check that the signals can be encoded.

        Raises:
            SpikingGammaError: They cannot; the message names the reason.
        """
        if self.values.ndim != 2 or 0 in self.values.shape:
            raise SpikingGammaError("signal", list(self.values.shape), "[T, C], at least one sample of one signal")
        if not np.isfinite(self.values).all():
            raise SpikingGammaError("signal", "a value that is not finite", "finite numbers")
        if self.times_us.shape != self.values.shape[:1] or self.times_us.dtype.kind not in "iu":
            got = f"{self.times_us.dtype} {list(self.times_us.shape)}"
            raise SpikingGammaError("times_us", got, f"{len(self.values)} whole numbers, one for each sample")
        if self.times_us[0] < 0 or (self.lasts_us < 1).any():
            raise SpikingGammaError(
                "times_us", "times that do not ascend", "0 or more, ascending, all below duration_us"
            )


class Encoder(abc.ABC):
    """Base class of encoders, which convert sampled signals to events.

    A kind of encoder is a subclass in a file of its own, registered in `ENCODERS`. The first channels are those of the
    first signal, the next ones those of the second, and so on.

    Args:
        options: Options of the encoder, or values by name; missing values have their defaults.

    Raises:
        SpikingGammaError: The class is not registered, or an option is unknown or out of range.
    """

    options: Any

    def __init__(self, options: Options | Mapping[str, Any] | None = None) -> None:
        name = ENCODERS.name_of(type(self))
        if not name:
            remedy = 'Put @ENCODERS.register("name", options=...) above the class.'
            raise SpikingGammaError("encoder", f"{type(self).__name__}, which is not registered", "an entry", remedy)
        self.options = ENCODERS[name].make_options(options, argument="encoder")

    @property
    @abc.abstractmethod
    def channels_per_signal(self) -> int:
        """Return the number of channels of each signal."""

    @abc.abstractmethod
    def events(
        self, signal: SampledSignal, rng: np.random.Generator
    ) -> tuple[Int[np.ndarray, " E"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
        """Return the time in microseconds, the signal, and the channel of the signal of every event, in any order."""

    @abc.abstractmethod
    def decode(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Float[np.ndarray, "T C"]:
        """Return the decoded samples of an encoded signal at these times, [T, C]."""

    def encode(
        self, signal: SampledSignal, rng: np.random.Generator | None = None, *, label: int = 0, source: str = ""
    ) -> Recording:
        """Return the signal as a recording of events.

        Args:
            signal: The samples, [T, C].
            rng: Random generator, for encoders that need one; that of seed 0 if not given.
            label: Class of the recording.
            source: Origin of the signal.

        Raises:
            SpikingGammaError: The signal is empty or not finite, or its times do not ascend.
        """
        signal.check()
        times_us, signals, channels = self.events(signal, np.random.default_rng(0) if rng is None else rng)
        channels = signals * self.channels_per_signal + channels
        order = np.lexsort((channels, times_us))
        n_channels = signal.values.shape[1] * self.channels_per_signal
        return Recording(
            times_us[order], channels[order].astype(np.int32), n_channels, signal.duration_us, label, source=source
        )

    def counts(self, recording: Recording, times_us: Int[np.ndarray, " T"]) -> Int[np.ndarray, "T C P"]:
        """Return the number of events of each channel P of each signal from each time up to the next, [T, C, P].

        Raises:
            SpikingGammaError: The recording has another number of channels.
        """
        per_signal = self.channels_per_signal
        if recording.n_channels % per_signal:
            expected = f"a multiple of {per_signal}, the channels of each signal"
            raise SpikingGammaError("recording", f"{recording.n_channels} channels", expected)
        found = np.zeros((len(times_us), recording.n_channels), dtype=np.int64)
        place = np.searchsorted(times_us, recording.times_us, side="right") - 1
        np.add.at(found, (place[place >= 0], recording.channels[place >= 0]), 1)
        return found.reshape(len(times_us), -1, per_signal)


ENCODERS: Registry[type[Encoder]] = Registry("encoder")


def make_encoder(name: str, options: Options | Mapping[str, Any] | None = None) -> Encoder:
    """Return an encoder by its name in `ENCODERS`.

    Raises:
        SpikingGammaError: The encoder is unknown, or an option is unknown or out of range.

    Example:
        >>> encoder = make_encoder("level_crossing", {"level": 0.5})
        >>> encoder.encode(SampledSignal.regular(np.array([[0.0], [1.2], [0.4]]), 1000)).channels
        array([0, 0, 1, 1], dtype=int32)
    """
    return ENCODERS.find(name, argument="encoder").target(options)
