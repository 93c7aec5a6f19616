"""Learn online from a stream whose class is named at every step.

The rule `instantaneous` needs no past beyond the state of the net, and the loss `each_step` compares the logits of every step
with that step's label. So the weights change while the stream goes on, here every 40 ms. The spikes come in chunks, and
nothing of the net's past is kept from one chunk to the next but its state.

The stream: eight channels spike in turn, 4 ms apart, either upwards or downwards. Every 400 ms the direction is drawn anew.
Counts of spikes say nothing about it; only their order does.

Run it with `python examples/online_stream.py` (ten seconds), or with `--quick` (fewer labels).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import torch
from torch import Tensor

from spikinggamma import learning, nn

DT_MS, CHANNELS, SEGMENT, CHUNK = 4.0, 8, 100, 10  # 100 steps of 4 ms between changes, 10 steps between updates


def labels(segments: int, seed: int) -> Tensor:
    """The direction at each step, [T, 1]: 0 upwards, 1 downwards."""
    directions = torch.randint(2, (segments, 1), generator=torch.Generator().manual_seed(seed))
    return directions.repeat_interleave(SEGMENT, dim=0)


def chunks(directions: Tensor) -> Iterator[Tensor]:
    """The spikes [CHUNK, 1, CHANNELS] of one chunk after the other."""
    for start, part in zip(range(0, len(directions), CHUNK), directions.split(CHUNK), strict=True):
        place = torch.arange(start, start + len(part)) % CHANNELS
        channel = torch.where(part[:, 0] == 0, place, CHANNELS - 1 - place)
        yield torch.nn.functional.one_hot(channel, CHANNELS).float()[:, None]


def main(quick: bool) -> None:
    torch.manual_seed(0)
    net = nn.dense_net((CHANNELS, 32, 2), tau_ms=[4.0, 4.0, 8.0, 8.0], synapse="synapse")
    net.calibrate(torch.cat(list(chunks(labels(2, seed=0)))), dt_ms=DT_MS)
    learner = learning.Learner(net, rule="instantaneous", loss="each_step", dt_ms=DT_MS, chunk=CHUNK, update="chunk")
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)

    def step() -> None:
        optimiser.step()
        optimiser.zero_grad()

    heard, fresh = labels(25 if quick else 250, seed=1), labels(25, seed=2)
    learner.learn(lambda: chunks(heard), heard, torch.tensor([len(heard)]), optimiser_step=step)
    outcome = learner.evaluate(lambda: chunks(fresh), fresh, torch.tensor([len(fresh)]))
    seconds = len(heard) * DT_MS / 1000
    print(f"{outcome.correct / outcome.count:.1%} of the steps of a new stream right after {seconds:.0f} s of learning")


if __name__ == "__main__":
    main("--quick" in sys.argv)
