"""Every recording once, the same batches for the same seed and epoch, and little padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from spikinggamma import SpikingGammaError
from spikinggamma.events import Augment, Batch, EpochBatches, Recording, batches, make_batch


def some(n: int) -> list[Recording]:
    rng = np.random.default_rng(0)
    found = []
    for label in range(n):
        duration_us = int(rng.integers(100_000, 900_000))
        times_us = np.sort(rng.integers(0, duration_us, 50))
        found.append(Recording(times_us, rng.integers(0, 6, 50), n_channels=6, duration_us=duration_us, label=label))
    return found


def epoch_of(recordings: list[Recording], *, seed: int = 0, epoch: int = 0, **options: object) -> list[Batch]:
    return list(batches(recordings, batch_size=8, dt_ms=4.0, seed=seed, epoch=epoch, **options))  # type: ignore[arg-type]


def labels(found: list[Batch]) -> list[int]:
    return torch.cat([batch.labels for batch in found]).tolist()


@pytest.mark.parametrize("n", [1, 7, 8, 65, 100])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_recording_once(n: int, shuffle: bool) -> None:
    found = epoch_of(some(n), shuffle=shuffle)
    assert sorted(labels(found)) == list(range(n))
    assert sum(int(batch.spikes.sum()) for batch in found) == 50 * n
    assert sum(batch.spikes.shape[1] < 8 for batch in found) <= 1


def test_seed_and_epoch_decide() -> None:
    recordings = some(40)
    first, again = epoch_of(recordings, seed=1, epoch=2), epoch_of(recordings, seed=1, epoch=2)
    for one, two in zip(first, again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert labels(first) != labels(epoch_of(recordings, seed=1, epoch=3))
    assert labels(first) != labels(epoch_of(recordings, seed=2, epoch=2))


def test_unshuffled_keeps_the_order() -> None:
    assert labels(epoch_of(some(30), shuffle=False)) == list(range(30))


def test_shuffled_batches_waste_little() -> None:
    recordings = some(256)

    def padding(found: list[Batch]) -> float:
        return 1 - sum(int(b.lengths.sum()) for b in found) / sum(b.spikes.shape[0] * b.spikes.shape[1] for b in found)

    assert padding(epoch_of(recordings)) < 0.15 < 0.3 < padding(epoch_of(recordings, shuffle=False))


def test_shuffled_batches_are_not_sorted_by_length() -> None:
    lengths = [int(batch.lengths.max()) for batch in epoch_of(some(256))]
    assert abs(np.corrcoef(lengths, np.arange(len(lengths)))[0, 1]) < 0.5


def test_company_changes_from_epoch_to_epoch() -> None:
    recordings = some(256)
    first, second = ({frozenset(b.labels.tolist()) for b in epoch_of(recordings, epoch=e)} for e in (0, 1))
    assert len(first & second) == 0


def test_batch_holds_each_recording_padded_with_nothing() -> None:
    recordings = some(5)
    batch = make_batch(recordings, dt_ms=4.0, n_channels=3)
    assert batch.spikes.shape == (int(batch.lengths.max()), 5, 3)
    assert batch.labels.tolist() == [0, 1, 2, 3, 4]
    assert batch.lengths.tolist() == [-(-r.duration_us // 4000) for r in recordings]
    for place, length in enumerate(batch.lengths.tolist()):
        assert batch.spikes[:length, place].sum() == 50


def test_augmented_batches_repeat_and_differ() -> None:
    recordings, augment = some(16), Augment(jitter_ms=5.0, deletion=0.2)
    first, again = (epoch_of(recordings, augment=augment) for _ in range(2))
    assert all(torch.equal(a.spikes, b.spikes) for a, b in zip(first, again, strict=True))
    assert sum(int(batch.spikes.sum()) for batch in first) < 16 * 50
    assert not torch.equal(first[0].spikes, epoch_of(recordings)[0].spikes)


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"seed": -1}, {"epoch": -1}])
def test_refused_options(wrong: dict[str, int]) -> None:
    options = {"batch_size": 4, "seed": 0, "epoch": 0} | wrong
    with pytest.raises(SpikingGammaError, match=next(iter(wrong))):
        list(batches(some(4), dt_ms=4.0, **options))  # type: ignore[arg-type]


def test_refuses_no_recordings_and_no_chance() -> None:
    with pytest.raises(SpikingGammaError, match="at least one recording"):
        make_batch([], dt_ms=4.0)
    with pytest.raises(SpikingGammaError, match="`rng`"):
        make_batch(some(1), dt_ms=4.0, augment=Augment(deletion=0.5))


def test_labels_of_steps_are_those_at_their_middle() -> None:
    labels = np.array([0, 1, -1, 2])
    one = Recording(np.array([0]), np.array([0]), 2, 4000, label=-1, step_labels=labels, step_us=1000)
    two = Recording(np.array([0]), np.array([0]), 2, 2000, label=-1, step_labels=labels[:2], step_us=1000)
    assert make_batch([one, two], dt_ms=1.0).labels.tolist() == [[0, 0], [1, 1], [-1, -1], [2, -1]]
    assert make_batch([one], dt_ms=0.5).labels[:, 0].tolist() == [0, 0, 1, 1, -1, -1, 2, 2]
    assert make_batch([one], dt_ms=2.5).labels[:, 0].tolist() == [1, 2]
    with pytest.raises(SpikingGammaError, match="all or none"):
        make_batch([one, *some(1)], dt_ms=1.0)


def test_labels_of_steps_stretch_with_their_recording() -> None:
    labels = np.repeat(np.arange(5), 20)
    one = Recording(np.array([0]), np.array([0]), 2, 100_000, label=-1, step_labels=labels, step_us=1000)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = make_batch([one], dt_ms=1.0, augment=Augment(time_stretch=0.5), rng=rng)
        kept = found.labels[:, 0].numpy()
        kept = kept[: len(kept) - (kept[-1] == -1)]  # the middle of the last step may lie behind the end
        assert np.ptp(np.bincount(kept, minlength=5)) <= 1, "every stretch grew alike"
        assert (np.diff(kept) >= 0).all()


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # where there is one core
def test_workers_make_the_same_batches() -> None:
    recordings = some(30)
    asked = {"batch_size": 8, "dt_ms": 4.0, "seed": 3, "epoch": 2, "augment": Augment(jitter_ms=5.0)}
    alone = list(batches(recordings, **asked))  # type: ignore[arg-type]
    epoch = EpochBatches(recordings, **asked)  # type: ignore[arg-type]
    shared = list(DataLoader(epoch, batch_size=None, num_workers=2, multiprocessing_context="fork"))
    assert len(alone) == len(shared)
    for one, two in zip(alone, shared, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
