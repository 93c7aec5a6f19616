"""Two-compartment neurons: see `spikinggamma.functional.tc_lif`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from spikinggamma import bibliography
from spikinggamma.functional import TCLIFParameters, TCLIFState, tc_lif_step
from spikinggamma.nn.neurons.base import NEURONS, Neuron
from spikinggamma.nn.neurons.own_parameters import OwnParameters, keep
from spikinggamma.options import Options

__all__ = ["TCLIF", "TCLIFOptions"]


class TCLIFOptions(OwnParameters):
    """Options of two-compartment neurons."""

    surrogate: str = Field(
        default="triangle", description="stands in for the derivative of a spike (`spikinggamma surrogates`)"
    )
    soma_to_dendrite: float = Field(
        default=-0.5,
        gt=-1.0,
        lt=0.0,
        description="what the soma does to the dendrite at first, in a step of reference_ms",
    )
    dendrite_to_soma: float = Field(
        default=0.5,
        gt=0.0,
        lt=1.0,
        description="what the dendrite does to the soma at first, in a step of reference_ms",
    )
    dendrite_reset: float = Field(default=0.5, ge=0.0, le=1e3, description="what a spike takes from the dendrite")
    reset_first: bool = Field(
        default=True,
        description="the soma is reset before the dendrite hears it, as in the released program; false: as printed",
    )
    reference_ms: float = Field(
        default=1.0, gt=0.0, le=60_000.0, description="time step at which both couplings are meant [ms]"
    )
    threshold: float = Field(default=1.0, gt=0.0, le=1e3, description="soma at which a neuron spikes")


@NEURONS.register("tc_lif", title="TC-LIF", options=TCLIFOptions, citations=(bibliography.TC_LIF,))
class TCLIF(Neuron[TCLIFState]):
    """Two-compartment neurons; a layer learns one coupling each way, kept in its range by a logistic function."""

    State = TCLIFState
    parameter_kinds = {"to_dendrite": "scale", "to_soma": "scale"}  # noqa: RUF012
    options: TCLIFOptions
    to_dendrite: Tensor
    to_soma: Tensor

    def __init__(
        self,
        shape: Sequence[int],
        options: Options | Mapping[str, Any] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(shape, options, generator)
        chosen = self.options
        for name, share in (("to_dendrite", -chosen.soma_to_dendrite), ("to_soma", chosen.dendrite_to_soma)):
            keep(self, name, torch.tensor([math.log(share / (1.0 - share))]), learnt=chosen.learnt)

    def parameters_at(self, dt_ms: float) -> TCLIFParameters:
        """Return the parameters of `functional.tc_lif_step` at this time step."""
        chosen = self.options
        return TCLIFParameters(
            -torch.sigmoid(self.to_dendrite),
            torch.sigmoid(self.to_soma),
            chosen.dendrite_reset,
            chosen.threshold,
            chosen.reset_first,
            chosen.spike(),
            dt_ms,
            chosen.reference_ms,
        )

    def step(
        self, state: TCLIFState, drive: Float[Tensor, "B *shape"], dt_ms: float
    ) -> tuple[Float[Tensor, "B *shape"], TCLIFState]:
        """Run one step; see `Neuron.step`."""
        return tc_lif_step(self.parameters_at(dt_ms), state, drive)

    def response(self, drive: Float[Tensor, "T B *shape"], dt_ms: float) -> Float[Tensor, "T B *shape"]:
        """See `Neuron.response`: the soma of neurons without reset."""
        own, share = self.parameters_at(dt_ms), dt_ms / self.options.reference_ms
        dendrite, soma, found = torch.zeros_like(drive[0]), torch.zeros_like(drive[0]), []
        for u in drive.unbind(0):
            dendrite = dendrite + share * own.soma_to_dendrite * soma + u
            soma = soma + share * own.dendrite_to_soma * dendrite
            found.append(soma)
        return torch.stack(found) / self.options.threshold
