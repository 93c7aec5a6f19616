"""The cochlea: seconds of a core for a second of sound, beside an earlier version of the library, and whether both spike alike.

Method: each version runs in a process of its own and the two take turns, so that whatever else the machine does falls on both;
a figure is the least of the passes, in processor time of the process, and a ratio that of neighbouring passes (median). Before
it is timed, each has converted every sound once: kernels are compiled, filters made. Spikes are compared over seeds that
the versions do not share: counts of groups of ten channels by the sum of squared standard scores, intervals between the spikes
of a channel by the test of Kolmogorov and Smirnov. Spikes are also compared seed by seed.

    python benchmarks/cochlea.py DATA_ROOT [--before OTHER_CHECKOUT/src] [--only fsdd,heidelberg_clip] [--out FILE.jsonl]

The data root holds `fsdd/recordings` and, where it is at hand, the published clip.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile
from scipy.stats import chi2, ks_2samp

RESULTS = Path(__file__).parent / "results" / "cochlea.jsonl"
COMMAND = "python benchmarks/cochlea.py DATA_ROOT --before OTHER_CHECKOUT/src"
PASSES, SEEDS, N_CHANNELS = 3, 4, 700
Sounds = list[tuple[np.ndarray, int]]
Train = np.ndarray  # times in µs and channels


def recordings(folder: Path) -> Sounds:
    """Sixty digits: one of each class by each of six speakers."""
    speakers = sorted({path.name.split("_")[1] for path in folder.glob("*.wav")})
    return [
        soundfile.read(folder / f"{digit}_{speaker}_{digit + 5}.wav") for digit in range(10) for speaker in speakers
    ]


def made_up() -> dict[str, Sounds]:
    """Loud, quiet, almost silent, very short and long sounds."""
    rng = np.random.default_rng(0)
    time_s = np.arange(48_000) / 48_000
    noise = rng.normal(size=48_000)
    tones = sum(np.sin(2 * np.pi * hz * time_s) for hz in (200, 500, 1300, 3100, 7000))
    click = np.zeros(48_000)
    click[20_000:20_200] = noise[:200]
    long = rng.normal(size=480_000).cumsum()
    return {
        "loud_tones": [(tones, 48_000)],
        "quiet_noise": [(1e-6 * noise, 48_000)],
        "silence_and_a_click": [(click + 1e-9 * noise, 48_000)],
        "four_ms": [(noise[:192], 48_000)],
        "ten_s": [(np.diff(long, prepend=0.0) + 0.02 * (long - long.mean()), 48_000)],
    }


class Version:
    """One version of the library in a process of its own."""

    def __init__(self, source: Path, sounds: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--work", str(sounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, **request: object) -> dict[str, float]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, float] = json.loads(self.process.stdout.readline())
        return answer

    def spikes(self, which: range, seeds: range, folder: Path) -> list[list[Train]]:
        self.ask(which=list(which), seeds=list(seeds), out=str(folder / "spikes.npz"))
        with np.load(folder / "spikes.npz") as arrays:
            return [[arrays[f"{i}_{seed}"] for seed in seeds] for i in which]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def work(path: Path) -> None:
    from spikinggamma.cochlea import Cochlea, convert

    with np.load(path) as arrays:
        sounds = [(arrays[f"sound_{i}"], int(arrays["rates"][i])) for i in range(len(arrays["rates"]))]
    cochlea = Cochlea(N_CHANNELS)
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, float] = {}
        if "seeds" in request:
            trains = {}
            for i in request["which"]:
                for seed in request["seeds"]:
                    train = convert(*sounds[i], cochlea, seed=seed)
                    trains[f"{i}_{seed}"] = np.stack([train.times_us, train.channels])
            np.savez(request["out"], **trains)
        else:
            with ThreadPoolExecutor(request["threads"]) as pool:
                wall, core = time.perf_counter(), time.process_time()
                list(pool.map(lambda i: convert(*sounds[i], cochlea), request["which"]))
                answer = {"core": time.process_time() - core, "wall": time.perf_counter() - wall}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def save(sounds: Sounds, path: Path) -> None:
    named = {f"sound_{i}": sound for i, (sound, _) in enumerate(sounds)}
    np.savez(path, rates=[rate for _, rate in sounds], **named)


def speed(versions: dict[str, Version], which: range, duration_s: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for threads in (1, 2):
        times: dict[str, list[dict[str, float]]] = {name: [] for name in versions}
        for _ in range(PASSES):
            for name, version in versions.items():
                times[name].append(version.ask(which=list(which), threads=threads))
        for name, passes in times.items():
            for kind in ("core", "wall"):
                least = min(one[kind] for one in passes) / duration_s
                found[f"{name}_{kind}_s_per_s_threads_{threads}"] = round(least, 4)
        if "before" in times:
            for kind in ("core", "wall"):
                ratios = [old[kind] / new[kind] for old, new in zip(times["before"], times["now"], strict=True)]
                found[f"{kind}_ratio_threads_{threads}"] = round(statistics.median(ratios), 2)
    found["hours_of_sound_per_core_hour"] = round(1 / found["now_core_s_per_s_threads_1"], 2)
    return found


def counts(trains: list[list[Train]]) -> np.ndarray:
    """Spikes by sound, seed and ten channels."""
    return np.array([[np.bincount(train[1] // 10, minlength=N_CHANNELS // 10) for train in seeds] for seeds in trains])


def intervals(trains: list[list[Train]]) -> np.ndarray:
    """Between the spikes of a channel, in µs."""
    parts = []
    for train in (train for seeds in trains for train in seeds):
        order = np.lexsort((train[0], train[1]))
        steps, same = np.diff(train[0][order]), np.diff(train[1][order]) == 0
        parts.append(steps[same])
    return np.concatenate(parts)


def compared(old: list[list[Train]], new: list[list[Train]]) -> dict[str, object]:
    """Whether two versions' spikes, of different seeds, come from the same distribution."""
    before, now = counts(old), counts(new)
    difference = (now.sum(1) - before.sum(1)).sum(0)
    variance = (SEEDS * (now.var(1, ddof=1) + before.var(1, ddof=1))).sum(0)
    used = variance > 5
    score = float((difference[used] ** 2 / variance[used]).sum())
    total = (now.sum() - before.sum()) / np.sqrt(variance.sum())
    gaps = ks_2samp(intervals(old), intervals(new))
    return {
        "spikes_before": int(before.sum()),
        "spikes_now": int(now.sum()),
        "total_standard_score": round(float(total), 2),
        "counts_chi2": round(score, 1),
        "counts_groups": int(used.sum()),
        "counts_p": round(float(chi2.sf(score, used.sum())), 3) if used.any() else None,
        "intervals_ks": round(float(gaps.statistic), 5),
        "intervals_p": round(float(gaps.pvalue), 3),
    }


def shared(old: list[list[Train]], new: list[list[Train]]) -> float:
    """Share of spikes that are the same to the sample and channel, at the same seeds."""
    same = n_spikes = 0
    for one, other in zip((t for s in old for t in s), (t for s in new for t in s), strict=True):
        same += len(np.intersect1d(one[0] * N_CHANNELS + one[1], other[0] * N_CHANNELS + other[1]))
        n_spikes += len(one[0])
    return round(same / n_spikes, 4)


def clip(folder: Path) -> dict[str, object]:
    """The published recording with its spike train, first parameter set, ten seeds."""
    from spikinggamma.cochlea import Cochlea, convert

    if not folder.is_dir():
        return {}
    sound, rate = soundfile.read(folder / "spoken_digit.flac")
    published = np.bincount(np.load(folder / "reference_spikes_70ch.npz")["arr_0"][1].astype(int), minlength=70)
    trains = [convert(sound, rate, Cochlea(70, c0=1e8), seed=seed) for seed in range(10)]
    found = [np.bincount(train.channels, minlength=70) for train in trains]
    correlations = [float(np.corrcoef(one, published)[0, 1]) for one in found]
    return {
        "published_spikes": int(published.sum()),
        "spikes": [int(one.sum()) for one in found],
        "correlation_least": round(min(correlations), 3),
        "correlation_most": round(max(correlations), 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="the data root, with fsdd/recordings")
    parser.add_argument("--before", type=Path, help="folder src of an earlier version")
    parser.add_argument("--only", default="", help="cases, with commas; all if not given")
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work)
        return 0
    import spikinggamma
    from spikinggamma.bench.rows import with_row, write_rows
    from spikinggamma.cochlea import VERSION
    from spikinggamma.runs import read_rows, versions

    sources = {"before": arguments.before, "now": Path(spikinggamma.__file__).parents[1]}
    cases = {"fsdd": recordings(arguments.data / "fsdd" / "recordings")} | made_up()
    wanted = set(filter(None, arguments.only.split(","))) or {*cases, "heidelberg_clip"}
    cases = {case: sounds for case, sounds in cases.items() if case in wanted}
    known = {"bench": "cochlea", "command": COMMAND, "seed": 0, "device": "cpu", "versions": versions()}
    known |= {"cochlea_version": VERSION, "n_channels": N_CHANNELS}
    rows = read_rows(arguments.out)

    def keep(row: dict[str, object]) -> None:
        rows[:] = with_row(rows, row, ["case"])
        write_rows(arguments.out, rows)
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save([sound for sounds in cases.values() for sound in sounds], folder / "sounds.npz")
        both = {key: Version(path, folder / "sounds.npz") for key, path in sources.items() if path}
        first = 0
        for case, sounds in cases.items():
            which = range(first, first + len(sounds))
            first += len(sounds)
            duration_s = sum(len(sound) / rate for sound, rate in sounds)
            row: dict[str, object] = {**known, "case": case, "sounds": len(sounds), "sound_s": round(duration_s, 3)}
            now = both["now"].spikes(which, range(SEEDS), folder)
            if "before" in both:
                row["same_spikes_at_same_seed"] = shared(both["before"].spikes(which, range(SEEDS), folder), now)
                row |= compared(both["before"].spikes(which, range(SEEDS, 2 * SEEDS), folder), now)
            if case in ("fsdd", "ten_s"):
                row |= speed(both, which, duration_s)
            keep(row)
        for version in both.values():
            version.close()
    if "heidelberg_clip" in wanted:
        keep({**known, "n_channels": 70, "case": "heidelberg_clip", **clip(arguments.data / "heidelberg-clip")})
    return 0


if __name__ == "__main__":
    sys.exit(main())
