"""How far is every compiled scan, in single precision, from the plain one in double?

    python benchmarks/kernels.py [--out FILE.jsonl]

Random signals, weights and decays (one bucket as short as the step) over K = 1 to 16, T = 1, 2, 63, 257, batch 1, 3, 17 and
n = 1, 5, 130. A row says, for a scan and what it gives, the largest error of all shapes, relative to the norm of the result,
and where it was. For the code, spikes: along the compiled course, each step is judged by the plain code from the state in
which the compiled one was; `disputed` counts decisions that differ, and `distance` is how far the furthest of those signals
was from the edge of a decision, in heights of a spike. `net` rows are gradients of whole nets of one to four hidden layers,
which pass the signal itself, since another spike would make another net.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from spikinggamma import kernels, runs
from spikinggamma.bench.rows import write_rows
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState
from spikinggamma.nn import dense_net

RESULTS = Path(__file__).parent / "results" / "kernels.jsonl"
SHAPES = list(itertools.product((1, 2, 63, 257), (1, 3, 17), (1, 5, 130), (1, 2, 3, 4, 5, 8, 12, 16)))
DT_MS = 1.0
CODES = {"off": SigmaDelta(0.3, 0.0), "on": SigmaDelta(0.3, 0.4, 20.0)}


class Case(NamedTuple):
    """Random numbers of a shape (T, B, N, K)."""

    drive: Tensor
    signal: Tensor
    grad: Tensor
    grads: Tensor
    weight: Tensor
    bias: Tensor
    alpha: Tensor
    state: SpikingGammaState

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Case:
        steps, batch, neurons, order = shape
        generator = torch.Generator().manual_seed(SHAPES.index(shape))

        def normal(*size: int) -> Tensor:
            return torch.randn(*size, generator=generator)

        alpha = torch.rand(order, generator=generator)
        alpha[order // 2] = 0.0
        sequence = (steps, batch, neurons)
        return cls(
            normal(*sequence),
            normal(*sequence).cumsum(0) * 0.3,
            normal(*sequence),
            normal(steps, batch, order, neurons),
            normal(order, neurons),
            normal(neurons),
            alpha,
            SpikingGammaState(normal(order, batch, neurons), *normal(2, batch, neurons).abs()),
        )

    def double(self) -> Case:
        parts = [part.double() for part in self[:-1]]
        return Case(*parts, SpikingGammaState(*(part.double() for part in self.state)))


SCANS: dict[str, tuple[tuple[str, ...], Callable[[Case], tuple[Tensor, ...]]]] = {
    "signal_forward": (
        ("signal", "buckets"),
        lambda c: kernels.signal_forward(c.drive, c.weight, c.bias, c.alpha, c.state.buckets),
    ),
    "neuron_forward": (("signal",), lambda c: _spoken(c)[:1]),
    "neuron_adjoint": (
        ("drive", "weight", "bias"),
        lambda c: kernels.neuron_adjoint(c.grad, c.signal, c.drive, c.weight, c.alpha, c.state.buckets),
    ),
    "signal_gradients": (
        ("drive", "weight", "bias"),
        lambda c: kernels.signal_gradients(c.grad, c.drive, c.weight, c.alpha, c.state.buckets),
    ),
    "signal_adjoint": (("drive", "buckets"), lambda c: kernels.signal_adjoint(c.grad, c.weight, c.alpha)),
    "bucket_products": (
        ("weight",),
        lambda c: (kernels.bucket_products(c.grad, c.drive, c.alpha, c.state.buckets),),
    ),
    "filter_forward": (("traces", "buckets"), lambda c: kernels.filter_forward(c.drive, c.alpha, c.state.buckets)),
    "filter_adjoint": (("traces", "buckets"), lambda c: kernels.filter_adjoint(c.grads, c.alpha)),
}


def _spoken(case: Case) -> tuple[Any, ...]:
    inputs = (case.drive, case.weight, case.bias, case.alpha, case.state, CODES["on"], DT_MS)
    return kernels.neuron_forward(*inputs)


def scans() -> Iterator[dict[str, Any]]:
    """The largest relative error of everything that a scan gives."""
    for name, (gives, scan) in SCANS.items():
        worst = dict.fromkeys(gives, (0.0, SHAPES[0]))
        for shape in SHAPES:
            case = Case.of(shape)
            with kernels.use("cpu"):
                found = scan(case)
            with kernels.use("reference"):
                wanted = scan(case.double())
            for part, one, two in zip(gives, found, wanted, strict=True):
                worst[part] = max(worst[part], (float((one - two).norm() / two.norm().clamp_min(1e-30)), shape))
        for part, (error, shape) in worst.items():
            yield {"scan": name, "gives": part, "shapes": len(SHAPES), "relative_error": error, "at": list(shape)}


def decisions() -> Iterator[dict[str, Any]]:
    """Where the compiled code decides otherwise than the plain one from the same state."""
    for adaptation, code in CODES.items():
        disputed, decided, distance, largest = 0, 0, 0.0, 0.0
        for shape in SHAPES:
            case = Case.of(shape)
            state = SigmaDeltaState(case.state.estimate, case.state.adaptation)
            for t in range(len(case.signal)):
                x = case.signal[t : t + 1]
                with kernels.use("cpu"):
                    sent, counts, after = kernels.code_forward(x, 0.8, code, DT_MS, state)
                exact = SigmaDeltaState(*(part.double() for part in state))
                with kernels.use("reference"):
                    wanted, theirs, _ = kernels.code_forward(x.double(), 0.8, code, DT_MS, exact)
                other = counts != theirs
                place = (x.double() - 0.8 * exact.estimate).clamp_min(0.0) / (2.0 * (code.threshold + exact.adaptation))
                edge = (place + 0.5 - (place + 0.5).round()).abs()[other]
                disputed, decided = disputed + int(other.sum()), decided + other.numel()
                distance = max(distance, float(edge.max()) if edge.numel() else 0.0)
                agreed = (sent - wanted)[~other].norm() / wanted[~other].norm().clamp_min(1e-30)
                largest, state = max(largest, float(agreed)), after
        yield {
            "scan": "code_forward",
            "gives": "sent",
            "adaptation": adaptation,
            "shapes": len(SHAPES),
            "relative_error": largest,
            "decisions": decided,
            "disputed": disputed,
            "distance": distance,
        }


def nets() -> Iterator[dict[str, Any]]:
    """Gradients of every parameter of nets of some depths."""
    for depth in (1, 2, 3, 4):
        gradients = []
        for kind, backend in ((torch.float32, "cpu"), (torch.float64, "reference")):
            generator = torch.Generator().manual_seed(depth)
            net = dense_net((40, *[130] * depth, 5), tau_ms=(2.0, 3.0, 5.0, 8.0), analogue=True, generator=generator)
            spikes = (torch.rand(257, 3, 40, generator=generator) < 0.1).to(kind)
            net = net.to(kind)
            with kernels.use(backend):
                logits, _ = net(spikes, dt_ms=DT_MS)
                torch.nn.functional.cross_entropy(logits.sum(0), torch.tensor([0, 1, 2])).backward()
            gradients.append([parameter.grad for parameter in net.parameters()])
        errors = [float((one - two).norm() / two.norm()) for one, two in zip(*gradients, strict=True)]
        yield {"scan": "net", "gives": "gradients", "depth": depth, "relative_error": max(errors)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="file of the rows")
    arguments = parser.parse_args()
    about = {
        "bench": "kernels",
        "command": "python benchmarks/kernels.py",
        "seed": 0,
        "device": "cpu",
        "dtype": "float32",
    }
    about |= {"threads": torch.get_num_threads(), "versions": runs.versions()}
    rows = []
    for row in itertools.chain(scans(), decisions(), nets()):
        rows.append(about | row)
        sys.stdout.write(" ".join(f"{key}={value}" for key, value in row.items()) + "\n")
        sys.stdout.flush()
    write_rows(arguments.out, rows)


if __name__ == "__main__":
    main()
