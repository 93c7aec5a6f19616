"""Small SpikingGamma nets of every kind, and measures of how far two gradients are apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import Conv2d, Dense, GammaNet, PerSynapse, Timescales, dense_net

DT_MS = 2.0
TAU_MS = (4.0, 5.0, 7.0)
CLASSES = 3


def dense() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS)


def per_synapse() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, synapse="synapse")


def analogue() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, analogue=True)


def unrectified() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, rectify=False)


def trained_tau() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, train_tau=True)


def trained_tau_per_synapse() -> GammaNet:
    return dense_net((6, 7, 5, CLASSES), tau_ms=TAU_MS, train_tau=True, synapse="synapse")


def convolutional() -> GammaNet:
    """Kernels with stride and padding, then a per-synapse layer, then a read-out: all three kinds in one net."""
    code = SigmaDelta(adaptation=0.3, max_spikes=2)
    return GammaNet(
        [
            Conv2d((1, 3, 2), 4, 3, Timescales(TAU_MS), code=code, padding=1),
            Conv2d((4, 3, 2), 3, 2, Timescales((4.0, 9.0)), code=code, stride=2, padding=1),
            PerSynapse((12,), 5, Timescales(TAU_MS), code=code),
            Dense((5,), CLASSES, Timescales((4.0, 6.0)), code=None, readout=True),
        ]
    )


def dropped_out() -> GammaNet:
    return dense_net((6, 8, 8, CLASSES), tau_ms=TAU_MS, dropout=0.4)


NETS: dict[str, Callable[[], GammaNet]] = {
    make.__name__: make
    for make in (
        dense,
        per_synapse,
        analogue,
        unrectified,
        trained_tau,
        trained_tau_per_synapse,
        convolutional,
        dropped_out,
    )
}


def prepared(make: Callable[[], GammaNet], *, steps: int = 40, batch: int = 3) -> tuple[GammaNet, Tensor]:
    """A calibrated net in double precision, biases away from zero, and sparse spikes for it [T, B, *in_shape]."""
    torch.manual_seed(0)
    net = make().double()
    spikes = (torch.rand(steps, batch, *net.stack[0].in_shape) < 0.2).double()
    net.calibrate(spikes, dt_ms=DT_MS)
    with torch.no_grad():
        for layer in net.stack:
            layer.bias.normal_(std=0.1)
    return net, spikes


def gradients(net: nn.Module) -> dict[str, Tensor]:
    """Copies of every parameter's gradient."""
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.detach().clone() for name, p in net.named_parameters()
    }


def relative_error(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """The worst parameter's |found - wanted| / |wanted|."""
    assert found.keys() == wanted.keys()
    return max(float((found[name] - g).norm() / g.norm().clamp_min(1e-300)) for name, g in wanted.items())


def cosine(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """Between all gradients, as one vector."""
    one, other = (torch.cat([part[name].flatten() for name in wanted]) for part in (found, wanted))
    return float(torch.nn.functional.cosine_similarity(one, other, dim=0))
