"""What a recording refuses, and that it says which event is at fault."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording


def make(times_us: object = (0, 5, 9), channels: object = (0, 3, 1), **changes: object) -> Recording:
    fields = {"n_channels": 4, "duration_us": 10, "label": 0, "source": "a.wav"} | changes
    return Recording(np.asarray(times_us), np.asarray(channels), **fields)  # type: ignore[arg-type]


def test_keeps_its_events_in_fixed_types() -> None:
    recording = make(np.array([0, 5, 9], np.uint32), np.array([0, 3, 1], np.uint16))
    assert recording.times_us.dtype == np.int64
    assert recording.channels.dtype == np.int32
    assert recording.n_events == 3


def test_may_be_empty() -> None:
    assert make([], []).n_events == 0


def test_travels_between_processes() -> None:
    found = pickle.loads(pickle.dumps(make()))
    np.testing.assert_array_equal(found.times_us, [0, 5, 9])
    assert found.source == "a.wav"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"times_us": [0, 5]}, "`times_us of a.wav`: got times (2,) and channels (3,)"),
        ({"times_us": [[0, 5, 9]], "channels": [[0, 3, 1]]}, "shape [E]"),
        ({"times_us": [0.0, 5.0, 9.0]}, "got dtype float64; expected integers"),
        ({"times_us": [0, 9, 5]}, "got 5 after 9 at event 2; expected ascending times. Sort the events"),
        ({"times_us": [-1, 5, 9]}, "got times from -1 to 9; expected times from 0 to 9 (duration_us - 1)"),
        ({"times_us": [0, 5, 10]}, "got times from 0 to 10"),
        ({"channels": [0, 4, 1]}, "got channel 4 at event 1; expected channels from 0 to 3"),
        ({"channels": [0, 1, -1]}, "got channel -1 at event 2"),
        ({"n_channels": 0}, "`n_channels of a.wav`: got 0; expected at least 1"),
        ({"duration_us": 0}, "`duration_us of a.wav`: got 0"),
        ({"label": -1}, "`label of a.wav`: got -1"),
    ],
)
def test_refuses(changes: dict[str, object], said: str) -> None:
    with pytest.raises(SpikingGammaError) as caught:
        make(**changes)
    assert said in str(caught.value)
