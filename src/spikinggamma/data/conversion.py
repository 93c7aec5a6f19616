"""Conversion of sounds and data sets to HDF5 files in the layout of the Spiking Heidelberg Digits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from spikinggamma.cochlea import Cochlea
from spikinggamma.data.catalogue import open_data, open_files
from spikinggamma.data.loading import DataInfo, data_entry, data_names
from spikinggamma.datasets import DATASETS
from spikinggamma.datasets.heidelberg_writer import write_heidelberg
from spikinggamma.datasets.sounds import SUFFIXES, read_sounds
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.option_words import check_options

__all__ = ["check_free", "check_labels", "convert_data", "convert_sounds", "write_parts"]


def convert_sounds(
    source: Path | str, out: Path | str, cochlea: Cochlea | None = None, *, seed: int = 0, force: bool = False
) -> str:
    """Convert a sound file, or a folder of them, to spikes by the cochlea model; return a summary of the file.

    Args:
        source: A WAV or FLAC file, or a folder; `spikinggamma.datasets.sounds` describes how file names give the class.
        out: The HDF5 file.
        cochlea: Parameters; the defaults of the published tool if not given.
        seed: Seed of the random release of spikes.
        force: Replace a file that exists.

    Raises:
        SpikingGammaError: `out` exists, its folder does not, a file is not a sound, or its name gives no label.
    """
    out = Path(out)
    if not Path(source).exists():
        expected = f"a file or folder of sounds ({', '.join(SUFFIXES)}), or a data set: {', '.join(data_names())}"
        raise SpikingGammaError("IN", str(source), expected)
    if out.suffix not in (".h5", ".hdf5"):
        raise SpikingGammaError("OUT", str(out), "a name that ends in .h5 or .hdf5")
    if not out.parent.is_dir():
        raise SpikingGammaError("OUT", str(out), "a file in a folder that exists")
    check_free([out], force=force)
    recordings, class_names = read_sounds(source, cochlea, seed=seed)
    write_heidelberg(out, recordings, class_names)
    return f"{out}: {_counted(recordings)}\nclasses: {', '.join(class_names)}"


def convert_data(name: str, out: Path | str, settings: Iterable[str] = (), *, force: bool = False) -> str:
    """Write a data set as `{name}_train.h5`, `{name}_validation.h5` and `{name}_test.h5` into `out`; return a summary.

    A part without recordings has no file. The files say with which options the spikes were made.

    Args:
        name: A data set or task.
        out: Folder for the files.
        settings: Texts KEY=VALUE as `open_data` takes them.
        force: Replace files that exist.

    Raises:
        SpikingGammaError: A file exists, recordings are labelled by step, or `open_data` raises it.
    """
    folder = Path(out)
    if folder.is_file():
        raise SpikingGammaError("OUT", f"{folder}, a file", "a folder for the parts of a data set")
    check_free([folder / f"{name}_{part}.h5" for part in Splits._fields], force=force)
    is_read_again = name in DATASETS and DATASETS[name].target.reads_converted
    opened = open_files(name, settings) if is_read_again else open_data(name, settings)
    check_labels(name, opened.splits)
    parts = {part: recordings for part, recordings in opened.splits._asdict().items() if recordings}
    options = check_options(data_entry(name).options, opened.recipe.data.options, name=name)
    made_with = json.dumps({"data": name, "options": options.model_dump(mode="json")}, sort_keys=True)
    lines = write_parts(folder, name, parts, opened.info, made_with=made_with)
    if opened.info.shape:
        _, height, width = opened.info.shape
        lines.append(
            f"A pixel (p, y, x) is channel (p * {height} + y) * {width} + x: the layout has no place for the shape."
        )
    return "\n".join([*lines, f"licence: {opened.info.licence}; cite with: spikinggamma cite {name}"])


def write_parts(
    folder: Path, name: str, parts: Mapping[str, Sequence[Recording]], info: DataInfo, *, made_with: str = ""
) -> list[str]:
    """Write the files `{name}_{part}.h5` of some parts; return a line of text for each."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpikingGammaError("out", f"{folder} ({error.strerror})", "a folder that can be made") from None
    lines = []
    for part, recordings in parts.items():
        path = folder / f"{name}_{part}.h5"
        write_heidelberg(path, recordings, info.class_names, made_with=made_with)
        lines.append(f"{path}: {_counted(recordings)}")
    return lines


def check_free(paths: Sequence[Path], *, force: bool) -> None:
    """Raise an error for a file that exists, unless `force` allows to replace it."""
    for path in paths:
        if path.is_dir():
            raise SpikingGammaError(str(path), "a folder", "a name for a file")
        if path.exists() and not force:
            raise SpikingGammaError(str(path), "a file that exists", "a free name", "Add --force to replace it.")


def check_labels(name: str, splits: Splits) -> None:
    """Raise an error for recordings labelled by step, as the layout has one label for each recording."""
    for part in splits:
        if any(recording.label < 0 for recording in part):
            raise SpikingGammaError(name, "recordings labelled step by step", "one label for each recording")


def _counted(recordings: Sequence[Recording]) -> str:
    spikes = sum(recording.n_events for recording in recordings)
    return f"{len(recordings)} recordings, {spikes} spikes on {recordings[0].n_channels} channels"
