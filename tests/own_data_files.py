"""Small sets of recordings as a user has them: sounds, Yin-Yang points, motions of four subjects, a forecast."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

__all__ = ["make_forecast", "make_motion", "make_sounds", "make_yinyang"]


def make_sounds(folder: Path, *, takes: int = 8) -> None:
    """Write three classes of noisy tones as `{class}/{take}.wav`."""
    rng = np.random.default_rng(0)
    time_s = np.arange(800) / 8000
    for name, pitch in (("low", 300.0), ("middle", 700.0), ("high", 1500.0)):
        (folder / name).mkdir(parents=True)
        for take in range(takes):
            tone = 0.4 * np.sin(2 * np.pi * pitch * (1 + 0.1 * rng.normal()) * time_s)
            soundfile.write(folder / name / f"{take}.wav", tone + 0.05 * rng.normal(size=800), 8000)


def make_yinyang(path: Path, *, points: int = 300) -> None:
    """Write points of the Yin-Yang set, Kriener, Göltz and Petrovici (2021), arXiv 2102.08211."""
    rng = np.random.default_rng(0)
    found: list[npt.NDArray[np.float64]] = []
    classes: list[int] = []
    while len(found) < points:
        point = rng.random(2)
        kind = _yinyang(*point)
        # As many of each of the three.
        if kind >= 0 and classes.count(kind) < -(-points // 3):
            found.append(point)
            classes.append(kind)
    xy = np.array(found)
    names = np.array(["yin", "yang", "dot"])
    np.savez(path, x=np.hstack([xy, 1.0 - xy]), y=np.array(classes), class_names=names)


def make_motion(path: Path, *, repeats: int = 4) -> None:
    """Write six signals of three exercises by four subjects, each with an amplitude and phase of their own."""
    rng = np.random.default_rng(0)
    x, y, subjects = [], [], []
    time_s = np.arange(100) / 50
    for subject in range(4):
        for name, rate_hz in (("walk", 1.0), ("run", 2.0), ("jump", 3.5)):
            for _ in range(repeats):
                rate = rate_hz * (1 + 0.05 * rng.normal())
                axes = [(1 + 0.1 * axis) * np.sin(2 * np.pi * rate * time_s + 0.7 * axis) for axis in range(6)]
                x.append((1 + 0.1 * subject) * np.stack(axes, 1) + 0.1 * rng.normal(size=(100, 6)))
                y.append(name)
                subjects.append(f"s{subject}")
    np.savez(path, x=np.array(x), y=np.array(y), subject=np.array(subjects))


def make_forecast(path: Path, *, recordings: int = 15) -> None:
    """Write two signals and, as the target, the first of them four samples later; one in ten targets is missing."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time_ms", "recording", "left", "right", "target"])
        for recording in range(recordings):
            for step in range(60):
                target = "" if step % 10 == 9 else f"{np.sin((step + 4) / 6 + recording):.4f}"
                left, right = np.sin(step / 6 + recording), np.cos(step / 6 + recording)
                rows.writerow([10 * step, f"r{recording}", f"{left:.4f}", f"{right:.4f}", target])


def _yinyang(x: float, y: float) -> int:
    big, small = 0.5, 0.1
    right, left = np.hypot(x - 1.5 * big, y - big), np.hypot(x - 0.5 * big, y - big)
    if np.hypot(x - big, y - big) > big:
        return -1
    if min(right, left) < small:
        return 2
    return int(small < left <= 0.5 * big or (y > big and right > 0.5 * big))
