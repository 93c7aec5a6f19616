"""Losses for spiking outputs and votes, as defined in `spikinggamma.functional.spikemax`, computed chunk by chunk.

| loss | definition | evidence |
| --- | --- | --- |
| `spikemax` | cross-entropy of each class's share of all output spikes | spikes of each output neuron |
| `cumulative` | cross-entropy of votes, a softmax of the read-out's membrane at every step, summed over time | the
votes |

The gradients of both are known after a first pass, so a recording in chunks is replayed.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spikinggamma.bibliography import CUMULATIVE, SPIKEMAX
from spikinggamma.learning.loss import LOSSES, EvidenceKind, EvidenceLoss, LossResult, OneDecision, checked_classes

__all__ = ["Cumulative", "Spikemax"]


@LOSSES.register(
    "spikemax",
    summary="Cross-entropy of each class's share of all output spikes.",
    citations=(SPIKEMAX,),
)
class Spikemax(EvidenceLoss):
    """L = -log p_k, p_n = c_n / Σ_m c_m with c_n = max(Σ_t s_n(t), 1); ∂L/∂s_n(t) = (p_n - [n = k]) / c_n.

    The class k is the label, and c_n counts the spikes of output neuron n. Source: Shrestha, Zhu and Sun (IJCNN 2022),
    arXiv 2205.09845.
    """

    evidence_kind = EvidenceKind.SPIKES
    spiking_outputs = True
    replay = True

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Process a chunk of logits; see `Loss.observe`; the logits are spikes."""
        self.gather(logits, self.valid(start, len(logits)).to(logits))

    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """Return the error signal of a chunk; see `Loss.gradient`."""
        counts = self._counts()
        shares = counts / counts.sum(1, keepdim=True)
        wanted = torch.nn.functional.one_hot(checked_classes(self.targets, counts.shape[1]), counts.shape[1])
        error = (shares - wanted) / counts / len(counts)
        return self.valid(start, len(logits)).to(logits).unsqueeze(2) * error

    def result(self) -> LossResult:
        """Return the evaluation of the batch; the prediction is the neuron with the most spikes."""
        counts = self._counts()
        targets = checked_classes(self.targets, counts.shape[1])
        right = counts.gather(1, targets.unsqueeze(1)).squeeze(1)
        return self.decided(float((counts.sum(1).log() - right.log()).mean()))

    def _counts(self) -> Float[Tensor, "B C"]:
        return self.gathered().clamp_min(1.0)


@LOSSES.register(
    "cumulative",
    summary="Cross-entropy of votes summed over time, a softmax of the outputs at every step.",
    citations=(CUMULATIVE,),
)
class Cumulative(OneDecision):
    """L = CE(Σ_t softmax(m(t))); ∂L/∂m_n(t) = p_n(t) (e_n - Σ_j e_j p_j(t)), with p = softmax(m) and e = ∂L/∂z.

    The votes z = Σ_t p(t) are the evidence. Source: Bittar and Garner (2022).
    """

    evidence_kind = EvidenceKind.VOTES
    replay = True

    def observe(self, logits: Float[Tensor, "T B C"], start: int) -> None:
        """Process a chunk of logits; see `Loss.observe`."""
        self.gather(logits.softmax(2), self.valid(start, len(logits)).to(logits))

    def gradient(self, logits: Float[Tensor, "T B C"], start: int) -> Float[Tensor, "T B C"]:
        """Return the error signal of a chunk; see `Loss.gradient`."""
        votes, error = logits.softmax(2), self.error()
        moved = votes * (error - (votes * error).sum(2, keepdim=True))
        return self.valid(start, len(logits)).to(logits).unsqueeze(2) * moved
