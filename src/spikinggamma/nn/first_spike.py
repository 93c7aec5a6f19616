"""Nets of neurons that spike once: layers driven by events, without a time step, and the loss of their latencies.

A layer maps times of input spikes to times of its own, `first_spikes` of the functional core. There is no state to carry: a
picture is one volley of spikes, and the class whose neuron spikes first is the answer.

Source: Zhang et al. (2021), arXiv 2003.11837, for the loss: cross-entropy of the softmax of minus the times.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import make_potential
from spikinggamma.nn.compiled.first_spikes import first_spikes
from spikinggamma.nn.parameters import ParameterKind

__all__ = ["FirstSpikeLayer", "FirstSpikeNet", "latency_loss"]

_SPREAD = 0.3


class FirstSpikeLayer(nn.Module):
    """Neurons that spike at most once, fully connected.

    Args:
        in_features: I, the number of inputs.
        out_features: J, the number of neurons.
        potential: Name of a postsynaptic potential.
        potential_options: Its options.
        threshold: ϑ.
        delays: Whether each synapse learns a delay, from 0.
        least_slope: Least slope of a potential in the backward pass, which bounds the gradient; 0 for the exact one.
        generator: Random numbers of the initial weights: normal with mean 2 ϑ / I and standard deviation 0.6 ϑ / √I, so that
            most neurons have weights that add up to more than 0.

    Shapes: times [B, I] to times [B, J], infinite for no spike.

    Example:
        >>> FirstSpikeLayer(3, 8)(torch.rand(5, 3)).shape
        torch.Size([5, 8])
    """

    parameter_kinds: ClassVar[dict[str, ParameterKind]] = {"delays": "delay"}

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        potential: str = "rel_psp",
        potential_options: Mapping[str, Any] | None = None,
        threshold: float = 1.0,
        delays: bool = False,
        least_slope: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.potential = make_potential(potential, potential_options)
        self.threshold = threshold
        self.least_slope = least_slope
        drawn = torch.randn(out_features, in_features, generator=generator)
        self.weight = nn.Parameter(2.0 * threshold * (1.0 / in_features + _SPREAD * drawn / in_features**0.5))
        self.delays = nn.Parameter(torch.zeros(out_features, in_features)) if delays else None

    def forward(self, times: Float[Tensor, "B I"]) -> Float[Tensor, "B J"]:
        """Return the times of the first spikes."""
        return first_spikes(
            self.potential,
            times,
            self.weight,
            threshold=self.threshold,
            delays=None if self.delays is None else self.delays.clamp(min=0.0),
            least_slope=self.least_slope,
        )

    @torch.no_grad()
    def calibrate(self, times: Float[Tensor, "B I"]) -> None:
        """Scale the weights so that the median neuron spikes when half of its inputs have arrived.

        Args:
            times: Input of a batch.
        """
        finite = times.masked_fill(~times.isfinite(), torch.nan)
        halfway = finite.nanmedian(dim=1).values[:, None, None]
        since = (halfway - times.unsqueeze(1)).clamp(min=0.0)
        potentials = torch.einsum(
            "bji,ji->bj", self.potential.kernel(since).expand(-1, len(self.weight), -1), self.weight
        )
        median = potentials.nanmedian()
        if median > 0.0:
            self.weight.mul_(self.threshold / median)

    def extra_repr(self) -> str:
        """Return the sizes and the potential."""
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}, {self.potential!r}"


class FirstSpikeNet(nn.Module):
    """Layers of neurons that spike at most once, in a row.

    Args:
        sizes: Number of inputs, then of the neurons of each layer; the last has one for each class.
        generator: Random numbers of the initial weights.
        **options: Of every `FirstSpikeLayer`.

    Raises:
        SpikingGammaError: There is no layer.

    Example:
        >>> FirstSpikeNet((784, 800, 10))(torch.rand(2, 784))[-1].shape
        torch.Size([2, 10])
    """

    def __init__(self, sizes: Sequence[int], *, generator: torch.Generator | None = None, **options: Any) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise SpikingGammaError("sizes", tuple(sizes), "the number of inputs and of the neurons of each layer")
        self.layers = nn.ModuleList(
            FirstSpikeLayer(before, after, generator=generator, **options)
            for before, after in itertools.pairwise(sizes)
        )

    def forward(self, times: Float[Tensor, "B I"]) -> list[Tensor]:
        """Return the spike times of each layer, [B, J]; the first of the last layer is the answer."""
        found = []
        for layer in self.layers:
            times = layer(times)
            found.append(times)
        return found

    @torch.no_grad()
    def calibrate(self, times: Float[Tensor, "B I"]) -> None:
        """Scale the weights of each layer on a batch, from the input upwards (`FirstSpikeLayer.calibrate`)."""
        for layer in self.layers:
            assert isinstance(layer, FirstSpikeLayer)
            layer.calibrate(times)
            times = layer(times)


def latency_loss(
    times: Float[Tensor, "B C"], labels: Int[Tensor, " B"], *, latest: float, scale: float = 1.0
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the softmax of minus the times: the right class must spike first.

    Args:
        times: Spike times of the classes; those without a spike count as `latest` and pass no gradient.
        labels: The right classes.
        latest: A time after which a spike makes no difference.
        scale: Time that multiplies odds by e.

    Example:
        >>> times = torch.tensor([[1.0, 2.0], [torch.inf, 3.0]])
        >>> round(latency_loss(times, torch.tensor([0, 1]), latest=4.0).item(), 4)
        0.3133
    """
    bounded = torch.where(times < latest, times, torch.full_like(times, latest))
    return functional.cross_entropy(-bounded / scale, labels)
