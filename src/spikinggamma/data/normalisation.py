"""Write the variants *whole*, *part* and *norm* of a data set, and verify that counts in *norm* carry no information."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from spikinggamma.data.catalogue import LoadedData, open_data, open_files, recipe_of
from spikinggamma.data.conversion import check_free, check_labels, write_parts
from spikinggamma.datasets import DATASETS, PUBLISHED_REMOVAL
from spikinggamma.datasets.heidelberg import read_heidelberg
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits, channel_counts, pool_channels, timing_only, timing_only_as_published
from spikinggamma.files.json_files import write_json
from spikinggamma.versions import versions

__all__ = ["VARIANTS", "NormaliseOptions", "normalise"]

VARIANTS = ("whole", "part", "norm")

# By default every speaker of this data set is in all parts. Here one is held out, so that timing must carry the word.
_SPLITS = {"fsdd": "speaker:theo"}


class _Made(NamedTuple):
    opened: LoadedData
    variants: dict[str, Splits]
    channels: Int[np.ndarray, " M"]
    counts: Int[np.ndarray, " M"]
    left_out: dict[str, int]
    rule: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NormaliseOptions:
    """Options for the variants of a data set.

    Args:
        settings: Texts KEY=VALUE as `open_data` takes them.
        split: Split of the data set; "" for its default.
        group_channels: First sum neighbouring channels to this number; 0 keeps all. By default it is the number in the
        bundled recipe, as a single channel rarely spikes in every recording; the authors keep all channels.
        seed: Seed of the choice of spikes and recordings.
        rare: Share of the recordings that may be removed to keep one channel; 1 % by default, but 2 % for ssc as published.
        most_removed: Share of the recordings that may be removed in all; 20 % by default.
        statistics: Recordings that decide on channels and counts: "train" (the default) or "all".
        as_authors: Use the published procedure, see `spikinggamma.events.timing_only_as_published`; it takes statistics over
        all recordings and has its own rule for the number that may be removed.
    """

    settings: tuple[str, ...] = ()
    split: str = ""
    group_channels: int | None = None
    seed: int = 0
    rare: float | None = None
    most_removed: float | None = None
    statistics: Literal["train", "all"] | None = None
    as_authors: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise SpikingGammaError("--seed", self.seed, "at least 0")
        if self.group_channels is not None and self.group_channels < 0:
            raise SpikingGammaError("--group-channels", self.group_channels, "at least 1, or 0 for all")
        if self.as_authors and (self.most_removed is not None or self.statistics == "train"):
            expected = "neither --most-removed nor --statistics train: they fix both"
            raise SpikingGammaError("--as-authors", "a rule of another kind beside it", expected)


def normalise(
    name: str, out: Path | str, making: NormaliseOptions | None = None, *, force: bool = False, command: str = ""
) -> str:
    """Write `{whole,part,norm}_{train,validation,test}.h5` and `about.json` into a folder; return a summary.

    Raises:
        SpikingGammaError: A file exists, an option does not suit, recordings are labelled by step, or no channel has a spike in
            every recording.
    """
    making, folder = making or NormaliseOptions(), Path(out)
    if folder.is_file():
        raise SpikingGammaError("--out", f"{folder}, a file", "a folder")
    paths = [folder / f"{variant}_{part}.h5" for variant in VARIANTS for part in Splits._fields]
    check_free([*paths, folder / "about.json"], force=force)
    split = making.split or ("" if making.as_authors else _SPLITS.get(name, ""))
    settings = [f"split={split}", *making.settings] if split else list(making.settings)
    made = _make(name, settings, making)
    info = made.opened.info
    # It describes the files beside it, so it goes before they do and comes back after them.
    (folder / "about.json").unlink(missing_ok=True)
    for variant in VARIANTS:
        write_parts(folder, variant, made.variants[variant]._asdict(), info)
    _check(folder, made.counts)
    about: dict[str, Any] = {
        "name": name,
        "title": info.title,
        "licence": info.licence,
        "citation": info.citation,
        "made": "as published: arXiv 2507.16043" if making.as_authors else "spikinggamma.events.timing_only",
        "split": made.opened.recipe.data.split,
        "options": dict(made.opened.recipe.data.options),
        "seed": making.seed,
        **made.rule,
        "classes": list(info.class_names),
        "recorded_channels": info.n_channels,
        "channels_before": made.variants["whole"].train[0].n_channels,
        "channels": made.channels.tolist(),
        "spikes_of_channel": made.counts.tolist(),
        "recordings": {
            key: {part: len(held) for part, held in value._asdict().items()} for key, value in made.variants.items()
        },
        "left_out": made.left_out,
        "spikes_of_recording": {"part": _mean(made.variants["part"]), "norm": int(made.counts.sum())},
        "command": command,
        "versions": versions(),
    }
    write_json(folder / "about.json", about)
    return _summary(folder, about)


def _make(name: str, settings: Iterable[str], making: NormaliseOptions) -> _Made:
    rule: dict[str, Any]
    if making.as_authors:
        opened = open_files(name, settings)
        check_labels(name, opened.splits)
        files = [_grouped(file, making.group_channels or 0) for file in opened.splits if file]
        removal = DATASETS[name].target.removal if name in DATASETS else PUBLISHED_REMOVAL
        rule = dict(removal._asdict())
        if making.rare is not None:
            rule["rare"] = making.rare
        published = timing_only_as_published(files, seed=making.seed, **rule)
        left = {"in no full batch": published.unbatched, "removed": published.removed}
        variants = dict(zip(VARIANTS, published[:3], strict=True))
        return _Made(opened, variants, published.channels, published.counts, left, rule | {"statistics": "all"})
    opened = open_data(name, settings)
    check_labels(name, opened.splits)
    rule = {
        "rare": 0.01 if making.rare is None else making.rare,
        "most_removed": 0.2 if making.most_removed is None else making.most_removed,
        "statistics": making.statistics or "train",
    }
    taken = recipe_of(name).data.n_channels if making.group_channels is None else making.group_channels
    grouped = Splits(*(_grouped(part, taken) for part in opened.splits))
    found = timing_only(grouped, seed=making.seed, **rule)
    left = dict(zip(Splits._fields, found.left_out, strict=True))
    return _Made(opened, dict(zip(VARIANTS, found[:3], strict=True)), found.channels, found.counts, left, rule)


def _grouped(recordings: list[Recording], n_channels: int) -> list[Recording]:
    return [pool_channels(recording, n_channels) for recording in recordings] if n_channels else recordings


def _check(folder: Path, counts: Int[np.ndarray, " M"]) -> None:
    """Check that the written *norm* has the expected count in every channel of every recording."""
    for part in Splits._fields:
        path = folder / f"norm_{part}.h5"
        if not (channel_counts(read_heidelberg(path).recordings) == counts).all():
            raise RuntimeError(f"{path}: spike counts differ between recordings")


def _mean(splits: Splits) -> float:
    held = [recording.n_events for part in splits for recording in part]
    return round(sum(held) / len(held), 1)


def _channels(about: dict[str, Any]) -> str:
    before, recorded = about["channels_before"], about["recorded_channels"]
    summed = f" (sums of {recorded // before} of {recorded})" if before < recorded else ""
    return f"{len(about['channels'])} of {before}{summed} kept"


def _summary(folder: Path, about: dict[str, Any]) -> str:
    counts = about["spikes_of_channel"]
    spikes = about["spikes_of_recording"]
    sizes = {key: ", ".join(f"{n} {part}" for part, n in value.items()) for key, value in about["recordings"].items()}
    left = ", ".join(f"{count} {what}" for what, count in about["left_out"].items())
    return "\n".join(
        [
            f"{about['title']}, split {about['split']}, {about['made']}",
            f"  channels    {_channels(about)}; {min(counts)} to {max(counts)} spikes of each",
            f"  spikes      {spikes['norm']} in every recording of norm, {spikes['part']} on average in part",
            f"  whole       {sizes['whole']}",
            f"  part, norm  {sizes['norm']}; left out: {left}",
            "  checked     every channel of norm has the same count in every recording, as read back from the files",
            f"  files       {folder}/{{whole,part,norm}}_{{train,validation,test}}.h5, about.json",
        ]
    )
