"""Sound files, each a recording, that become spikes by the cochlea model.

Spikes depend on the cochlea, the seed and the file's own name, not on other files; they are kept in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from spikinggamma.datasets.cache import cached_spikes
from spikinggamma.datasets.cochlea_spikes import CochleaOptions, cochlea_key, hear_file
from spikinggamma.datasets.heidelberg import CITATION
from spikinggamma.datasets.progress import progress_bar
from spikinggamma.datasets.spike_maps import Spikes
from spikinggamma.layouts.base import LAYOUTS, FileLayout, Found, LayoutOptions, named_recording
from spikinggamma.layouts.kept import digest_of
from spikinggamma.layouts.naming import NamedFile

__all__ = ["SoundOptions", "Sounds"]


class SoundOptions(CochleaOptions, LayoutOptions):
    """Options of the conversion of sounds to spikes."""


@LAYOUTS.register("sounds", options=SoundOptions, citations=(CITATION,))
class Sounds(FileLayout):
    """Sound files in class folders, or named {label}_..., through the cochlea."""

    suffixes = (".wav", ".flac")
    cached = False  # the spikes themselves are
    options: SoundOptions

    def read_events(self, path: Path) -> tuple[Spikes, tuple[int, ...]]:
        """See `FileLayout.read_events`."""
        spikes = self._heard(path)
        return spikes, (self.options.n_channels,)

    def read(self, files: Sequence[NamedFile]) -> Iterator[Found]:
        """See `Layout.read`."""
        cochlea = self.options.cochlea()
        key: dict[str, object] = {
            "files": digest_of("sounds", files, {}),
            "cochlea": cochlea_key(cochlea, self.options.cochlea_seed),
        }
        by_source = {named.source: named.path for named in files}
        with progress_bar("sound to spikes", len(files), shown=True) as advance:
            convert = partial(_converted, self, by_source)
            found = cached_spikes("own_sounds", list(by_source), convert, key=key, on_done=advance)
        for named, spikes in zip(files, found, strict=True):
            yield named_recording(named, events=self.started(spikes), sensor=(self.options.n_channels,))

    def _heard(self, path: Path) -> Spikes:
        options = self.options
        return hear_file(path.name, folder=path.parent, cochlea=options.cochlea(), cochlea_seed=options.cochlea_seed)


def _converted(layout: Sounds, paths: dict[str, Path], source: str) -> Spikes:
    return layout.read_events(paths[source])[0]
