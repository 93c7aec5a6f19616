"""What simple observers reach on recordings of one's own: the commonest class, counts of spikes, and coarse time bins.

Multinomial logistic regression on the counts of up to 128 groups of channels, over the whole recording and in ten equal parts
of it. The ridge is chosen on the validation part. The figures are kept in the cache, as they depend on the recordings alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spikinggamma.datasets.cache import cache_root
from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, Splits
from spikinggamma.files.json_files import read_json, write_json
from spikinggamma.tasks import Bound

__all__ = ["digest_of_splits", "fit_logistic", "logistic_accuracy", "measured_floors"]

_LOG = logging.getLogger(__name__)
_FORMAT = 1
_GROUPS = 128
_BINS = 10
_MOST_FEATURES = 1024
_MOST_RECORDINGS = 4000
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)
_ITERATIONS = 200


def measured_floors(splits: Splits) -> tuple[Bound, ...]:
    """Return the accuracies of the commonest class and of logistic regression on counts and on time bins, on the test part.

    Args:
        splits: Recordings with one class each, none of the parts empty.
    """
    path = cache_root() / "floors" / f"{digest_of_splits(splits)}.json"
    try:
        if path.exists():
            kept: Any = read_json(path)["floors"]
            return tuple(Bound(float(one["accuracy"]), str(one["why"])) for one in kept)
    except (SpikingGammaError, KeyError, TypeError, ValueError) as error:
        _LOG.info("floors are measured again (%s)", error)
    found = _measured(splits)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"floors": [one._asdict() for one in found]})
    except (SpikingGammaError, OSError) as error:
        _LOG.info("floors are not kept (%s)", error)
    return found


def digest_of_splits(splits: Splits) -> str:
    """Return a digest of the recordings of all parts: which they are, how many events, and what they are labelled with."""
    digest = hashlib.sha256(f"{_FORMAT}".encode())
    for part, recordings in splits._asdict().items():
        for one in recordings:
            # The first and the last event, as all of a large set would have to be read from the disk.
            ends = [[int(one.times_us[end]), int(one.channels[end])] for end in (0, -1)] if one.n_events else []
            answer = [one.label, _sum(one.step_labels), _sum(one.values)]
            said = [part, one.source, one.n_events, one.n_channels, one.duration_us, ends, *answer]
            digest.update(json.dumps(said).encode())
    return digest.hexdigest()[:16]


def _sum(values: object) -> str:
    return "" if values is None else hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def _measured(splits: Splits) -> tuple[Bound, ...]:
    labels = [torch.tensor([one.label for one in part]) for part in splits]
    classes = 1 + max(int(part.max()) for part in labels)
    commonest = int(torch.bincount(labels[0], minlength=classes).argmax())
    share = float((labels[2] == commonest).double().mean())
    found = [Bound(share, "the commonest class, whatever the recording")]
    words = {1: "logistic regression on spike counts alone", _BINS: f"logistic regression on {_BINS} time bins"}
    for bins, why in words.items():
        found.append(Bound(_logistic(splits, labels, bins, classes), why))
    return tuple(found)


def _logistic(splits: Splits, labels: Sequence[Tensor], bins: int, classes: int) -> float:
    some = np.random.default_rng(0).permutation(len(splits.train))[:_MOST_RECORDINGS]
    parts = [[splits.train[index] for index in some], list(splits.validation), list(splits.test)]
    groups = min(_GROUPS, _MOST_FEATURES // bins, splits.train[0].n_channels)
    features = [torch.from_numpy(_features(part, bins, groups)) for part in parts]
    mean, spread = features[0].mean(0), features[0].std(0, correction=0).clamp_min(1e-6)
    train, validation, test = ((part - mean) / spread for part in features)
    fits = [fit_logistic(train, labels[0][torch.from_numpy(some)], ridge, classes=classes) for ridge in _RIDGES]
    right = [logistic_accuracy(weight, validation, labels[1]) for weight in fits]
    best = max(range(len(fits)), key=lambda index: (right[index], _RIDGES[index]))
    return logistic_accuracy(fits[best], test, labels[2])


def _features(recordings: Sequence[Recording], bins: int, groups: int) -> Float[np.ndarray, "R F"]:
    rows = np.zeros((len(recordings), bins, groups))
    for row, one in zip(rows, recordings, strict=True):
        part = np.minimum(np.asarray(one.times_us, dtype=np.float64) / one.duration_us * bins, bins - 1).astype(int)
        np.add.at(row, (part, np.asarray(one.channels, dtype=np.int64) * groups // one.n_channels), 1.0)
    return rows.reshape(len(rows), -1)


def fit_logistic(
    inputs: Float[Tensor, "R F"],
    labels: Int[Tensor, " R"],
    ridge: float,
    *,
    classes: int,
    iterations: int = _ITERATIONS,
) -> Float[Tensor, "weights C"]:
    """Return the weights of a multinomial logistic regression in double precision; the first row holds the biases.

    Args:
        inputs: Features, standardised.
        labels: Classes.
        ridge: Price of the sum of squared weights.
        classes: C.
        iterations: Largest number of iterations of L-BFGS.
    """
    weight = torch.zeros(inputs.shape[1] + 1, classes, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=iterations, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        total = torch.nn.functional.cross_entropy(inputs @ weight[1:] + weight[0], labels)
        total = total + ridge * weight[1:].square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach()


def logistic_accuracy(
    weight: Float[Tensor, "weights C"], inputs: Float[Tensor, "R F"], labels: Int[Tensor, " R"]
) -> float:
    """Return the share of recordings that these weights classify rightly."""
    return float(((inputs @ weight[1:] + weight[0]).argmax(1) == labels).double().mean())
