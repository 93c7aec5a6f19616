"""HDF5 files in the layout of the Spiking Heidelberg Digits, with any number of channels, classes and speakers.

`spikinggamma.datasets.heidelberg` describes the layout. The names of the classes come from `extra/keys`; without these the
numbers are the names. The number of channels is an attribute of files that this library writes; in others it is one more than
the largest channel in any file, if it is not given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from spikinggamma.datasets.heidelberg import HeidelbergFile, file_channels, read_heidelberg
from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.errors import SpikingGammaError
from spikinggamma.layouts.base import LAYOUTS, Found, Layout, LayoutOptions, counted_from_first
from spikinggamma.layouts.naming import NamedFile

__all__ = ["HeidelbergFiles", "HeidelbergOptions"]


class HeidelbergOptions(LayoutOptions):
    """Options of HDF5 files in SHD's layout."""

    n_channels: int = Field(
        default=0, ge=0, le=2**31 - 1, description="channels of the sensor; 0: as the file says, or as many as spike"
    )
    seconds: float = Field(
        default=1.0, gt=0.0, le=60.0, description="length of the unit of time in the file [s]; 1e-3 for milliseconds"
    )


@LAYOUTS.register("heidelberg", options=HeidelbergOptions)
class HeidelbergFiles(Layout):
    """HDF5 files in the layout of the Spiking Heidelberg Digits, as `data convert` writes them."""

    suffixes = (".h5", ".hdf5")
    options: HeidelbergOptions

    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """See `Layout.read`."""
        channels = self.options.n_channels or self._channels([named.path for named in files])
        for named in files:
            content = read_heidelberg(named.path, n_channels=channels, seconds=self.options.seconds)
            yield from self._recordings(named, content, many=len(files) > 1)

    def _channels(self, paths: Sequence[Path]) -> int:
        said = {path: file_channels(path) for path in paths}
        known = {count for count, told in said.values() if told}
        if len(known) > 1:
            got = ", ".join(f"{count} in {path.name}" for path, (count, _) in said.items())
            raise SpikingGammaError("data.path", f"files of other numbers of channels: {got}", "files of one sensor")
        return known.pop() if known else max(count for count, _ in said.values())

    def _recordings(self, named: NamedFile, content: HeidelbergFile, *, many: bool) -> Iterator[Found]:
        names = content.class_names
        for index, one in enumerate(content.recordings):
            if names and one.label >= len(names):
                got = f"label {one.label} of recording {index}"
                raise SpikingGammaError(str(named.path), got, f"0 to {len(names) - 1}, as `extra/keys` names so many")
            events = Spikes(np.asarray(one.times_us), np.asarray(one.channels), one.duration_us)
            yield Found(
                f"{named.source}/{one.source}" if many else one.source,
                counted_from_first(events) if self.options.start_at_first else events,
                label=names[one.label] if names else str(one.label),
                speaker=one.speaker,
                part=named.part,
                columns=named.columns,
                sensor=(one.n_channels,),
                answer_names=names,
            )
