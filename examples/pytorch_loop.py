"""Train a SpikingGamma net in a plain PyTorch loop.

A net is a `torch.nn.Module`: `logits, state = net(spikes, dt_ms=...)` is differentiable by autograd, so any loss, optimiser
and training loop works. Spikes are [T, B, N], time first; logits are [T, B, C], one for each step. Memory grows with the
length of a recording here; the rules of `spikinggamma.learning.Learner` avoid that.

The task: two ears hear the same clicks up to 32 ms apart; nine directions.

Run it with `python examples/pytorch_loop.py` (half a minute), or with `--quick` (seconds, and near chance).
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor
from torch.nn import functional as F

from spikinggamma import events, nn, tasks

DT_MS = 2.0


def mean_logits(logits: Tensor, lengths: Tensor) -> Tensor:
    """Logits of each recording, [B, C]: their mean over its own steps, without the padding behind it."""
    valid = torch.arange(len(logits))[:, None] < lengths
    return (logits * valid[..., None]).sum(0) / lengths[:, None]


def main(quick: bool) -> None:
    torch.manual_seed(0)
    splits = tasks.load("localisation", seed=0, n_train=128 if quick else 2048, n_test=64 if quick else 512)
    net = nn.dense_net((16, 64, 9), tau_ms=[4.0] * 10, synapse="synapse")
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(1 if quick else 6):
        for batch in events.batches(splits.train, batch_size=32, dt_ms=DT_MS, seed=0, epoch=epoch):
            if epoch == 0 and optimiser.state == {}:  # weights of a size that lets every layer spike
                net.calibrate(batch.spikes, dt_ms=DT_MS, lengths=batch.lengths, signal_per_threshold=2.0)
            logits, _ = net(batch.spikes, dt_ms=DT_MS)
            loss = F.cross_entropy(mean_logits(logits, batch.lengths), batch.labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    test = events.make_batch(splits.test, dt_ms=DT_MS)
    with torch.no_grad():
        logits, _ = net(test.spikes, dt_ms=DT_MS)
    correct = mean_logits(logits, test.lengths).argmax(1) == test.labels
    print(f"test accuracy {correct.double().mean():.1%} of {len(correct)} recordings, chance {1 / 9:.1%}")


if __name__ == "__main__":
    main("--quick" in sys.argv)
