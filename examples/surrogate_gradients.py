"""Train the usual rival: leaky integrate-and-fire neurons by backpropagation through time with a surrogate gradient.

`Learner` takes the same call for every kind of net and every rule, so a comparison changes two lines: the net and the rule.
Here a net of LIF neurons with learnt axonal delays (`nn.SurrogateNet`, rule `bptt`) and a SpikingGamma net (`nn.dense_net`,
rule `windowed`) learn to tell long from short intervals between spikes, from the same batches.

Run it with `python examples/surrogate_gradients.py` (half a minute), or with `--quick` (seconds, little training).
"""

from __future__ import annotations

import sys

import torch

from spikinggamma import events, learning, nn, tasks

DT_MS = 10.0


def trained(net: nn.SequenceNet, rule: str, splits: events.Splits, epochs: int) -> learning.Outcome:
    """What a net makes of the test recordings after learning from the others."""
    learner = learning.Learner(net, rule=rule, loss="sum", dt_ms=DT_MS)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    first = events.make_batch(splits.train[:32], dt_ms=DT_MS)
    net.calibrate(first.spikes, dt_ms=DT_MS, lengths=first.lengths, signal_per_threshold=1.0)
    for epoch in range(epochs):
        for batch in events.batches(splits.train, batch_size=32, dt_ms=DT_MS, seed=0, epoch=epoch):
            learner.learn(batch.spikes, batch.labels, batch.lengths)
            optimiser.step()
            optimiser.zero_grad()
            net.constrain_()  # delays stay within their bounds
    test = events.make_batch(splits.test, dt_ms=DT_MS)
    return learner.evaluate(test.spikes, test.labels, test.lengths)


def main(quick: bool) -> None:
    torch.manual_seed(0)
    splits = tasks.load("isi", seed=0, n_train=64 if quick else 1024, n_test=64 if quick else 256)
    nets = {
        "LIF, bptt": (nn.SurrogateNet((10, 100, 2), delays="fractional", max_delay_ms=100.0), "bptt"),
        "SpikingGamma, windowed": (nn.dense_net((10, 100, 2), tau_ms=[10.0, 10.0, 10.0, 15.0, 20.0, 25.0]), "windowed"),
    }
    figures = []
    for name, (net, rule) in nets.items():
        outcome = trained(net, rule, splits, epochs=1 if quick else 3)
        rate = sum(outcome.spikes_per_neuron_s(DT_MS))
        figures.append(f"{name}: {outcome.correct / outcome.count:.1%} at {rate:.0f} spikes per neuron and second")
    print("; ".join(figures))


if __name__ == "__main__":
    main("--quick" in sys.argv)
