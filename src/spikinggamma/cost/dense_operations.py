"""The work of nets that do not spike: a perceptron on counts, run once per recording, and gated units, run at every step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch

from spikinggamma.cost.operations import DENSE, LayerWork, Work, touched

__all__ = ["count_work", "gru_work"]

# Sums of a step begin at their biases; r ⊙ (U h + c) joins the candidate's, and h moves from it by a difference and a product.
_GATED_UNIT = Work(
    multiply_accumulates=2.0, accumulates=1.0, functions=3.0, weight_reads=4.0, state_reads=1.0, state_writes=1.0
)


def count_work(sizes: Sequence[int]) -> tuple[LayerWork, ...]:
    """Return the work of a perceptron: each event increments a counter, and the layers run once, after the recording.

    The normalisation of counts is assumed to be merged into the first layer's weights and biases.
    """
    layers = []
    for index, (below, above) in enumerate(pairwise(sizes)):
        counters = below if index == 0 else 0
        rectified = Work(accumulates=1.0 if index < len(sizes) - 2 else 0.0)
        once = below * above * DENSE + above * (rectified + Work(weight_reads=1.0, state_writes=1.0))
        counted = Work(accumulates=1.0, state_reads=1.0) + touched(1.0)
        layers.append(
            LayerWork(
                fan_out=torch.zeros(below),
                graded=False,
                recurrent=0.0,
                steady=Work(),
                update=Work(),
                arrival=counted if counters else Work(),
                message=Work(),
                synapses=0.0,
                dense=counters * counted,
                recording=once,
                variables=0,
                memory=above + counters,
            )
        )
    return tuple(layers)


def gru_work(sizes: Sequence[int]) -> tuple[LayerWork, ...]:
    """Return the work of gated layers and a linear read-out. Only the first layer's input is sparse: h is hardly ever zero."""
    layers = []
    for index, (below, above) in enumerate(pairwise(sizes[:-1])):
        first = index == 0
        heard = 3 * below * above * DENSE
        own = 3 * above * above * DENSE
        layers.append(
            LayerWork(
                fan_out=torch.full((below,), 3.0 * above if first else 0.0),
                graded=False,
                recurrent=0.0,
                steady=own if first else own + heard,
                update=above * _GATED_UNIT,
                arrival=Work(state_reads=1.0) if first else Work(),
                message=Work(),
                synapses=3.0 * below * above if first else 0.0,
                dense=Work(),
                recording=Work(),
                variables=above,
                memory=above,
            )
        )
    hidden, classes = sizes[-2:]
    logits = LayerWork(
        fan_out=torch.zeros(hidden),
        graded=False,
        recurrent=0.0,
        steady=hidden * classes * DENSE,
        update=classes * Work(weight_reads=1.0, state_writes=1.0),
        arrival=Work(),
        message=Work(),
        synapses=0.0,
        dense=Work(),
        recording=Work(),
        variables=0,
        memory=classes,
    )
    return *layers, logits
