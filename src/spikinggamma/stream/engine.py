"""The engine runs a net on a stream: it takes items in order, yields predictions, and has a state that can be saved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Int

from spikinggamma.errors import SpikingGammaError
from spikinggamma.nn import Activations, MaskedState, SequenceNet
from spikinggamma.stream.cursor import Place, Row
from spikinggamma.stream.online_learner import Teacher
from spikinggamma.stream.readout import Readout
from spikinggamma.stream.recent import Memory
from spikinggamma.stream.records import Items, Kind

__all__ = ["Engine"]


class Engine:
    """Runs a net on a stream in chunks; steps are counted from the start of a segment, as in a recording.

    Chunks depend on the segment alone, not on when its events arrive: the same stream always gives the same predictions.

    Args:
        net: The net.
        dt_ms: Time step.
        channels: Number of channels of events.
        heard: Number of input channels of the net; neighbouring channels are summed.
        chunk: Number of steps run at once.
        readout: Turns logits into probabilities of classes.
        class_names: Names of the classes.
        remember_ms: How long input is remembered for labels.
        teacher: Learns from labels; None for no learning.
        device: Device on which the net runs.

    Example:
        >>> from spikinggamma.nn import dense_net
        >>> from spikinggamma.stream.records import Items
        >>> net, names = dense_net((3, 8, 2), tau_ms=(4.0, 8.0)).eval(), ("left", "right")
        >>> engine = Engine(net, dt_ms=4.0, channels=3, heard=3, chunk=2, readout=Readout("sum", dt_ms=4.0), class_names=names)
        >>> numbers = [np.array(column) for column in ([0, 0, 2], [0, 9000, 12000], [1, 2, 0], [1, 2, 3], [1, 2, 3])]
        >>> [(row["what"], row["time_us"]) for row in engine.take(Items(*numbers))]
        [('now', 8000), ('segment', 12000)]
    """

    def __init__(
        self,
        net: SequenceNet,
        *,
        dt_ms: float,
        channels: int,
        heard: int,
        chunk: int,
        readout: Readout,
        class_names: tuple[str, ...],
        remember_ms: float = 10_000.0,
        teacher: Teacher | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        if chunk < 1:
            raise SpikingGammaError("--chunk", chunk, "at least one step")
        if not 0.0 < remember_ms <= 3.6e6:
            raise SpikingGammaError("--remember-ms", remember_ms, "above 0, at most an hour [ms]")
        self.net: SequenceNet[MaskedState, Activations] = net
        self.dt_ms, self.chunk, self.readout = dt_ms, chunk, readout
        self.class_names, self.teacher, self.device = class_names, teacher, device
        self.dtype = next(net.parameters()).dtype
        self.step_ns = round(dt_ms * 1e6)
        self.summed = channels // heard
        self.memory = Memory(round(remember_ms * 1000), self.step_ns, heard)
        self.place = Place(readout.nothing(net.classes))
        self.pending = np.zeros((chunk, heard), np.float32)
        self.memory.begin(0, 0)

    def take(self, items: Items) -> Iterator[Row]:
        """Process items, which must be in order; yield the resulting predictions and outcomes of labels."""
        marks = np.flatnonzero(items.kinds != Kind.EVENT).tolist()
        start = 0
        for mark in [*marks, len(items.kinds)]:
            if mark > start:
                yield from self._hear(items.times_us[start:mark], items.values[start:mark])
            if mark < len(items.kinds):
                yield from self._mark(Kind(int(items.kinds[mark])), int(items.times_us[mark]), int(items.values[mark]))
            start = mark + 1

    def finish(self) -> Iterator[Row]:
        """Process the end of the stream: run the complete steps. An open segment gets no decision."""
        yield from self._advance()
        if self._over() > self.place.ran:
            self._run(self._over())
            yield self._predict("now")

    @torch.no_grad()
    def state_after_a_step(self) -> MaskedState:
        """Return a state with the structure that states have once a net has run."""
        silence = torch.zeros(1, 1, self.pending.shape[1], device=self.device, dtype=self.dtype)
        return self.net.run(silence, self.net.initial_state(1, dropout=False), self.dt_ms)[1]

    def _hear(self, times_us: Int[np.ndarray, " E"], channels: Int[np.ndarray, " E"]) -> Iterator[Row]:
        place = self.place
        steps = (times_us - place.begin_us) * 1000 // self.step_ns
        channels = channels // self.summed
        start = 0
        while start < len(steps):
            end = int(np.searchsorted(steps, place.grid + self.chunk))
            if end > start:
                np.add.at(self.pending, (steps[start:end] - place.grid, channels[start:end]), np.float32(1.0))
                place.tally.events += end - start
                start = end
                place.clock_us = int(times_us[end - 1])
            if start < len(steps):
                yield from self._chunk()

    def _mark(self, kind: Kind, time_us: int, value: int) -> Iterator[Row]:
        place = self.place
        if kind == Kind.RESET:
            self.memory.drop()
            self._begin(time_us)
            return
        place.clock_us = max(place.clock_us, time_us)
        yield from self._advance()
        if kind == Kind.END:
            yield from self._end(time_us)
        elif kind == Kind.LABEL:
            yield self._label(time_us, value)

    def _end(self, time_us: int) -> Iterator[Row]:
        place = self.place
        steps = -(-(time_us - place.begin_us) * 1000 // self.step_ns)
        if steps > place.ran:
            self._run(steps)
        if place.ran:
            place.tally.segments += 1
            yield self._predict("segment", time_us)
        self.memory.end(time_us)
        place.segment += 1
        self._begin(time_us)

    def _begin(self, time_us: int) -> None:
        place = self.place
        place.begin_us = place.clock_us = time_us
        place.grid = place.ran = 0
        place.state, place.evidence = None, self.readout.nothing(self.net.classes)
        self.pending[:] = 0.0
        self.memory.begin(place.segment, time_us)

    def _over(self) -> int:
        """Number of steps of the segment that no further event can reach."""
        return (self.place.clock_us - self.place.begin_us) * 1000 // self.step_ns

    def _advance(self) -> Iterator[Row]:
        while self._over() >= self.place.grid + self.chunk:
            yield from self._chunk()

    def _chunk(self) -> Iterator[Row]:
        place = self.place
        self._run(place.grid + self.chunk)
        place.grid += self.chunk
        self.pending[:] = 0.0
        yield self._predict("now")
        self.memory.forget(place.begin_us + place.ran * self.step_ns // 1000)

    @torch.no_grad()
    def _run(self, until: int) -> None:
        """Run the steps of the current chunk up to `until`."""
        place = self.place
        counts = self.pending[place.ran - place.grid : until - place.grid]
        spikes = torch.from_numpy(counts).to(self.device, self.dtype).unsqueeze(1)
        before = self.net.initial_state(1, dropout=False) if place.state is None else place.state
        activations, place.state = self.net.run(spikes, before, self.dt_ms)
        place.evidence = self.readout.gather(place.evidence, activations.layers[-1].outputs[:, 0].cpu())
        self.memory.hear(place.ran, counts)
        place.tally.steps += until - place.ran
        place.ran = until

    def _predict(self, what: str, time_us: int | None = None) -> Row:
        place = self.place
        when_us = place.begin_us + place.ran * self.step_ns // 1000 if time_us is None else time_us
        if self.readout.values:
            said = zip(self.class_names, self.readout.said(place.evidence).tolist(), strict=True)
            values = {name: float(f"{value:.6g}") for name, value in said}
            return {"what": what, "segment": place.segment, "time_us": when_us, "values": values}
        shares = self.readout.shares(place.evidence)
        best = int(shares.argmax())
        self.memory.say(when_us, best)
        return {
            "what": what,
            "segment": place.segment,
            "time_us": when_us,
            "class": best,
            "name": self.class_names[best],
            "share": round(float(shares[best]), 6),
        }

    def _label(self, time_us: int, label: int) -> Row:
        place, tally = self.place, self.place.tally
        if self._over() > place.ran:
            self._run(self._over())  # the net runs all input before the label with the weights from before it
        tally.labels += 1
        found = self.memory.recall(time_us, place.clock_us)
        row: Row = {
            "what": "label",
            "segment": None if found is None else found.segment,
            "time_us": time_us,
            "label": label,
        }
        row["class"] = None if found is None else found.predicted
        if found is None:
            tally.forgotten += 1
            return row
        if found.predicted is not None:
            tally.judged += 1
            tally.right += found.predicted == label
        if self.teacher is not None:
            row["loss"] = round(self.teacher.teach(found.spikes.to(self.device, self.dtype), label).loss, 6)
            tally.learnt += 1
        return row
