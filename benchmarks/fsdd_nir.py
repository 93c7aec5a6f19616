"""Spoken digits: an exported net beside the net that was trained, on the 300 test recordings.

    python benchmarks/fsdd_nir.py RUN [--without-adaptation] [--max-spikes N] [--double] [--part validation]

Writes the net of RUN (`spikinggamma train fsdd ...`) as a NIR file, runs it in the interpreter of the tests, which knows
nothing but NIR's equations and the words in the file, and compares predictions and every hidden spike with PyTorch's; those of
the net that is read back from the file too. Where spikes differ, the first of each recording is looked at: how far from a
threshold the neuron was, in units of the last place of its signal. Without --max-spikes the limit is the most that any neuron
sent in a step of the validation recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spikinggamma import runs
from spikinggamma.bench.rows import write_rows
from spikinggamma.events import Batch, Recording, batches
from spikinggamma.export import limit_spikes, nir_graph, read_nir, without_adaptation, write_nir
from spikinggamma.nn import GammaNet, SequenceNet

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "export"))


def in_order(recordings: Sequence[Recording], run: runs.Run) -> Iterator[Batch]:
    data = run.recipe.data
    options: dict[str, Any] = {"dt_ms": data.dt_ms, "n_channels": data.n_channels or None, "seed": 0, "epoch": 0}
    alike = sorted(recordings, key=lambda recording: recording.duration_us)
    return batches(alike, batch_size=50, shuffle=False, **options)


def most_spikes(net: GammaNet, recordings: Sequence[Recording], run: runs.Run) -> int:
    """The most that any neuron sends in a step."""
    most = 0
    for batch in in_order(recordings, run):
        activations, _ = net.run(batch.spikes, net.initial_state(batch.spikes.shape[1]), run.recipe.data.dt_ms)
        most = max(most, *(int(layer.counts.max()) for layer in activations.layers[:-1] if layer.counts is not None))
    return most


def valid(batch: Batch) -> np.ndarray:
    """Steps that belong to a recording, [T, B, 1]."""
    return (np.arange(len(batch.spikes))[:, None] < batch.lengths.numpy())[:, :, None]


def in_pytorch(net: SequenceNet, batch: Batch, dt_ms: float) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Logits, spike counts and signals of the hidden layers."""
    with torch.no_grad():
        activations, _ = net.run(batch.spikes, net.initial_state(batch.spikes.shape[1]), dt_ms)
    hidden = activations.layers[: len(net.hidden)]
    return (
        activations.layers[-1].outputs.numpy(),
        [layer.counts.numpy() for layer in hidden],
        [layer.signal.numpy() for layer in hidden if layer.signal is not None],
    )


def in_nir(graph: Any, batch: Batch) -> tuple[np.ndarray, list[np.ndarray], list[tuple[list[np.ndarray], np.ndarray]]]:
    """Logits, spike counts, and the signals that thresholds hear beside the thresholds."""
    from nir_interpreter import simulate

    layers = sorted({name.partition("_")[0] for name in graph.nodes if "_threshold" in name})
    names = {layer: [name for name in graph.nodes if name.startswith(f"{layer}_threshold")] for layer in layers}
    heard = {name: [a for a, b in graph.edges if b == name] for layer in layers for name in names[layer]}
    first = {layer: min(names[layer]) for layer in layers}
    keep = [name for layer in layers for name in names[layer]] + [n for layer in layers for n in heard[first[layer]]]
    found = simulate(graph, batch.spikes.numpy(), keep)
    counts = [sum(found[name] for name in names[layer]) for layer in layers]
    parts = [[found[name] for name in heard[first[layer]]] for layer in layers]
    levels = [np.stack([graph.nodes[name].threshold for name in names[layer]]) for layer in layers]
    return found["output"], counts, list(zip(parts, levels, strict=True))


def first_differences(
    ours: list[np.ndarray],
    theirs: list[np.ndarray],
    heard: list[tuple[list[np.ndarray], np.ndarray]],
    mask: np.ndarray,
) -> Iterator[float]:
    """Of each recording with other spikes, at its first: the distance from a threshold in last places of the signal."""
    for sample in range(mask.shape[1]):
        for layer, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            wrong = np.argwhere((a[:, sample] != b[:, sample]) & mask[:, sample])
            if len(wrong):
                step, neuron = wrong[0]
                signals, levels = heard[layer]
                parts = np.array([signal[step, sample, neuron] for signal in signals])
                yield float(np.abs(parts.sum() - levels[:, neuron]).min() / np.spacing(np.abs(parts).max()))
                break


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    run = runs.load_run(arguments.run)
    dt_ms, splits = run.recipe.data.dt_ms, run.splits()
    net = run.net()
    options: dict[str, Any] = {}
    if isinstance(net, GammaNet):
        if arguments.without_adaptation:
            options["without_adaptation"] = True
        changed = without_adaptation(net) if arguments.without_adaptation else net
        cap = arguments.max_spikes or most_spikes(changed, list(splits.validation), run)
        options["max_spikes"] = cap
        asked: SequenceNet = limit_spikes(changed, cap)
    else:
        asked = net
    kind = torch.float64 if arguments.double else torch.float32
    trained, asked = net.to(kind), asked.to(kind)
    with tempfile.TemporaryDirectory() as folder:
        file = write_nir(asked, Path(folder) / "net.nir", dt_ms=dt_ms)
        size = file.stat().st_size
        imported, _ = read_nir(file)
        import nir

        graph = nir.read(file)
    nir_graph(run, **options)  # the same by the road of the command, refused where that would be
    total = dict.fromkeys(
        ("files", "trained", "changed", "nir", "same", "imported_same", "spikes_trained", "spikes", "other", "worst"), 0
    )
    distances: list[float] = []
    for batch in in_order(list(getattr(splits, arguments.part)), run):
        batch = batch._replace(spikes=batch.spikes.to(kind))
        mask, labels = valid(batch), batch.labels.numpy()
        before, spoken, _ = in_pytorch(trained, batch, dt_ms)
        ours, counts, _ = in_pytorch(asked, batch, dt_ms)
        again, *_ = in_pytorch(imported, batch, dt_ms)
        theirs, found, heard = in_nir(graph, batch)
        guesses = [(logits * mask).sum(0).argmax(1) for logits in (before, ours, theirs)]
        for name, guess in zip(("trained", "changed", "nir"), guesses, strict=True):
            total[name] += int((guess == labels).sum())
        total["files"] += len(labels)
        total["same"] += int((guesses[1] == guesses[2]).sum())
        total["imported_same"] += int(np.all(again == ours, axis=(0, 2)).sum())
        total["spikes"] += sum(int((count * mask).sum()) for count in counts)
        total["spikes_trained"] += sum(int((count * mask).sum()) for count in spoken)
        total["other"] += sum(int((np.abs(a - b) * mask).sum()) for a, b in zip(counts, found, strict=True))
        total["worst"] = max(total["worst"], float((np.abs(ours - theirs) * mask).max()))
        distances += first_differences(counts, found, heard, mask)
    files = total["files"]
    return {
        "bench": "export",
        "target": "nir",
        "command": "python benchmarks/fsdd_nir.py " + " ".join(sys.argv[1:]),
        "seed": run.recipe.training.seed,
        "device": "cpu",
        "threads": torch.get_num_threads(),
        "versions": runs.versions() | {"nir": nir.version},
        "model": run.recipe.net.model,
        "hidden": list(run.recipe.net.hidden),
        "dtype": str(kind).removeprefix("torch."),
        "part": arguments.part,
        "samples": files,
        **options,
        "nodes": len(graph.nodes),
        "file_kib": round(size / 1024),
        "accuracy_trained": total["trained"] / files,
        "accuracy_exported_net": total["changed"] / files,
        "accuracy_nir": total["nir"] / files,
        "same_predictions": total["same"],
        "imported_logits_identical": total["imported_same"],
        "hidden_spikes_trained": total["spikes_trained"],
        "hidden_spikes": total["spikes"],
        "spikes_differing": total["other"],
        "recordings_with_other_spikes": len(distances),
        "first_difference_worst_ulp": max(distances, default=0.0),
        "largest_logit_difference": total["worst"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--without-adaptation", action="store_true")
    parser.add_argument("--max-spikes", type=int)
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--double", action="store_true", help="compute in double precision")
    parser.add_argument("--out", type=Path, help="add the row to this file")
    arguments = parser.parse_args()
    row = compare(arguments)
    sys.stdout.write(json.dumps(row) + "\n")
    if arguments.out is not None:
        known = [json.loads(line) for line in arguments.out.read_text().splitlines()] if arguments.out.exists() else []
        write_rows(arguments.out, [*known, row])


if __name__ == "__main__":
    main()
