"""An evaluator judges a net of any kind by any loss, in chunks of any length, and leaves no gradient behind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spikinggamma import SpikingGammaError
from spikinggamma.bench.loss_oracles import reference_loss
from spikinggamma.learning import LOSSES, Evaluator
from spikinggamma.nn import Activations, CountNet, GRUNet, SequenceNet, SurrogateNet, dense_net

DT_MS = 2.0
TARGETS, LENGTHS = torch.tensor([0, 2, 1]), torch.tensor([20, 13, 7])
NETS: dict[str, SequenceNet] = {
    "spikinggamma": dense_net((6, 8, 3), tau_ms=(4.0, 8.0), generator=torch.Generator().manual_seed(0)),
    "surrogate": SurrogateNet((6, 8, 3), generator=torch.Generator().manual_seed(0)),
    "counts": CountNet((6, 8, 3), generator=torch.Generator().manual_seed(0)),
    "gated": GRUNet((6, 8, 3), generator=torch.Generator().manual_seed(0)),
}
every_net = pytest.mark.parametrize("name", NETS)


def batch() -> Tensor:
    return (torch.rand(20, 3, 6, generator=torch.Generator().manual_seed(1)) < 0.3).double()


def made(name: str) -> SequenceNet:
    net = NETS[name].double()
    net.calibrate(batch(), dt_ms=DT_MS, lengths=LENGTHS)
    return net


@every_net
@pytest.mark.parametrize("loss", ["sum", "last", "each_step", "running", "cumulative"])
def test_the_loss_is_that_of_the_logits(name: str, loss: str) -> None:
    assert loss in LOSSES
    net, spikes = made(name), batch()
    wanted = float(reference_loss(loss, net(spikes, dt_ms=DT_MS)[0].detach(), TARGETS, LENGTHS, DT_MS))
    for chunk in (None, 1, 6):
        outcome = Evaluator(net, loss=loss, dt_ms=DT_MS, chunk=chunk).evaluate(spikes, TARGETS, LENGTHS)
        assert outcome.loss == pytest.approx(wanted, rel=1e-9)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_observers_see_every_chunk_without_gradients() -> None:
    seen: list[tuple[int, int, int]] = []

    def watch(heard: Tensor, activations: Activations, valid: Tensor, start: int) -> None:
        logits = activations.layers[-1].outputs
        assert not logits.requires_grad
        assert torch.equal(valid, torch.arange(start, start + len(heard)).unsqueeze(1) < LENGTHS)
        seen.append((start, len(heard), len(logits)))

    evaluator = Evaluator(made("surrogate"), loss="sum", dt_ms=DT_MS, chunk=8)
    evaluator.evaluate(batch(), TARGETS, LENGTHS, observers=[watch])
    assert seen == [(0, 8, 8), (8, 8, 8), (16, 4, 4)]


def test_there_is_no_dropout() -> None:
    net = SurrogateNet((6, 40, 3), dropout=0.5, generator=torch.Generator().manual_seed(0)).double().train()
    net.calibrate(batch(), dt_ms=DT_MS, signal_per_threshold=3.0)
    evaluator = Evaluator(net, loss="sum", dt_ms=DT_MS)
    assert evaluator.evaluate(batch(), TARGETS).loss == evaluator.evaluate(batch(), TARGETS).loss


def test_what_cannot_be_is_named() -> None:
    net = made("counts")
    with pytest.raises(SpikingGammaError, match=r"`loss`: got 'summ'.*Did you mean `sum`"):
        Evaluator(net, loss="summ", dt_ms=DT_MS)
    with pytest.raises(SpikingGammaError, match="`chunk`: got 0"):
        Evaluator(net, loss="sum", dt_ms=DT_MS, chunk=0)
    evaluator, unlabelled = Evaluator(net, loss="each_step", dt_ms=DT_MS), torch.full((20, 3), -1)
    with pytest.raises(SpikingGammaError, match="at least one labelled step"):
        evaluator.evaluate(batch(), unlabelled, LENGTHS)
