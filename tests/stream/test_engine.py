"""The net on a stream is the net on recordings: chunk by chunk, segment by segment, label by label."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spikinggamma.errors import SpikingGammaError
from spikinggamma.events import Recording, make_batch
from spikinggamma.learning import Learner
from spikinggamma.nn import SequenceNet, SurrogateNet, dense_net
from spikinggamma.recipes import Recipe, with_values
from spikinggamma.stream import (
    Engine,
    Items,
    Kind,
    Readout,
    Row,
    Teacher,
    Vocabulary,
    encode_text,
    join,
    make_parser,
    recording_items,
)

NAMES = ("a", "b", "c")
CHANNELS, HEARD, DT_MS = 12, 6, 2.0


def gamma_net(seed: int = 0) -> SequenceNet:
    """Double precision: a spike that falls the other way by rounding would be luck."""
    net = dense_net((HEARD, 8, 3), tau_ms=(4.0, 5.0, 8.0), generator=torch.Generator().manual_seed(seed)).eval()
    net.calibrate(torch.ones(20, 2, HEARD), dt_ms=DT_MS)
    torch.nn.init.normal_(net.stack[-1].bias, generator=torch.Generator().manual_seed(seed))  # no ties in silence
    return net.double()


def surrogate_net() -> SequenceNet:
    chance = torch.Generator().manual_seed(1)
    net = SurrogateNet((HEARD, 8, 3), delays="fractional", max_delay_ms=10.0, generator=chance).eval()
    net.calibrate(torch.ones(20, 2, HEARD), dt_ms=DT_MS)
    assert net.bias is not None
    torch.nn.init.normal_(net.bias, generator=chance)
    return net.double()


def recordings(count: int = 5, seed: int = 0) -> list[Recording]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        duration_us, n_events = int(rng.integers(1, 90_000)), int(rng.integers(0, 150))
        times = np.sort(rng.integers(0, duration_us, n_events))
        channels = rng.integers(0, CHANNELS, n_events).astype(np.int32)
        found.append(Recording(times, channels, CHANNELS, duration_us, label=number % 3))
    return found


def items_of(said: list[Recording], *, labelled: bool = False) -> Items:
    parts, begin_us = [], 0
    for one in said:
        parts.append(recording_items(one, begin_us, labelled=labelled))
        begin_us += one.duration_us
    return join(parts)


def engine_of(
    net: SequenceNet, chunk: int, loss: str = "sum", teacher: Teacher | None = None, **options: float
) -> Engine:
    readout = Readout(loss, dt_ms=DT_MS)
    return Engine(
        net, dt_ms=DT_MS, channels=CHANNELS, heard=HEARD, chunk=chunk, readout=readout, class_names=NAMES, teacher=teacher,
        **options,
    )  # fmt: skip


def rows_of(engine: Engine, items: Items) -> list[Row]:
    return [*engine.take(items), *engine.finish()]


@pytest.mark.long
@pytest.mark.parametrize("loss", ["sum", "last", "cumulative", "spikemax"])
@pytest.mark.parametrize("make", [gamma_net, surrogate_net])
def test_decisions_are_those_of_an_evaluation(make: object, loss: str) -> None:
    net, said = make(), recordings(4)  # type: ignore[operator]
    rule = "instantaneous" if make is gamma_net else "bptt"
    evaluator = Learner(net, rule=rule, loss=loss, dt_ms=DT_MS)
    batch = make_batch(said, dt_ms=DT_MS, n_channels=HEARD)
    wanted = evaluator.evaluate(batch.spikes.double(), batch.labels, batch.lengths).predictions.tolist()
    for chunk in (1, 5, 1000):
        rows = rows_of(engine_of(net, chunk, loss), items_of(said))
        assert [row["class"] for row in rows if row["what"] == "segment"] == wanted


def test_predictions_at_each_step_are_those_of_an_evaluation() -> None:
    net, one = gamma_net(), recordings(1, seed=3)[0]
    evaluator = Learner(net, rule="instantaneous", loss="each_step", dt_ms=DT_MS)
    batch = make_batch([one], dt_ms=DT_MS, n_channels=HEARD)
    wanted = evaluator.evaluate(batch.spikes.double(), batch.labels, batch.lengths).predictions[:, 0].tolist()
    rows = rows_of(engine_of(net, 1, "each_step"), recording_items(one))
    assert [row["class"] for row in rows if row["what"] == "now"] == wanted[: one.duration_us // 2000]
    assert rows[-1]["class"] == wanted[-1]


@pytest.mark.long
@given(chunk=st.integers(2, 40), cuts=st.lists(st.integers(0, 500), max_size=6))
@settings(max_examples=8)
def test_neither_chunks_nor_portions_matter(chunk: int, cuts: list[int]) -> None:
    net, items = gamma_net(), items_of(recordings(3), labelled=True)
    engine, fine = engine_of(net, chunk), engine_of(net, 1)
    edges = [0, *sorted(min(cut, len(items.kinds)) for cut in cuts), len(items.kinds)]
    rows = [row for a, b in pairwise(edges) for row in engine.take(items.take(slice(a, b)))]
    by_time = {(row["what"], row["time_us"]): row for row in rows_of(fine, items)}
    for row in rows:
        other = by_time[row["what"], row["time_us"]]
        assert other["class"] == row["class"]
        assert other.get("share", 1.0) == pytest.approx(row.get("share", 1.0), abs=2e-6)
    assert sum(row["what"] == "segment" for row in rows) == 3


@pytest.mark.long
def test_the_same_stream_gives_the_same_bytes_however_it_is_cut() -> None:
    net, text = gamma_net(), encode_text(items_of(recordings(6), labelled=True))
    found = []
    for size in (1, 17, 10**6):
        engine, parser = engine_of(net, 4), make_parser("text", Vocabulary(CHANNELS, NAMES))
        parts = [parser.feed(text[start : start + size]).items for start in range(0, len(text), size)]
        found.append([row for part in parts for row in engine.take(part)])
    assert found[0] == found[1] == found[2]


def test_ticks_bring_predictions_in_silence_and_a_reset_forgets() -> None:
    engine = engine_of(gamma_net(), 4)
    nothing = np.zeros(4, np.int64)
    kinds = np.array([Kind.EVENT, Kind.TICK, Kind.RESET, Kind.TICK], np.uint8)
    items = Items(kinds, np.array([1000, 17_000, 50_000, 59_000]), nothing, nothing, nothing)
    rows = rows_of(engine, items)
    assert [(row["segment"], row["time_us"]) for row in rows] == [(0, 8000), (0, 16_000), (0, 58_000)]
    silent = rows_of(engine_of(gamma_net(), 4), Items(*(column[2:] for column in items)))
    assert rows[2]["share"] == silent[0]["share"]  # nothing of the event is left
    assert engine.place.tally.segments == 0


def teacher_of(net: SequenceNet, **values: object) -> Teacher:
    keys = {"net.hidden": [8], "net.tau_ms": [4.0, 5.0, 8.0], "data.dt_ms": DT_MS, "learning.learning_rate": 0.01}
    return Teacher(net, with_values(Recipe(), keys | values))


@pytest.mark.parametrize("values", [{}, {"learning.rule": "instantaneous", "learning.loss": "running"}])
@pytest.mark.parametrize("late", [0, 2])
def test_a_label_teaches_what_a_recording_would(values: dict[str, object], late: int) -> None:
    """Late or not: the same steps of the optimiser as learning from the recordings one by one."""
    net, plain = gamma_net(), gamma_net()
    said = recordings(6)
    parts, waiting, begin_us = [], [], 0
    for one in said:
        parts.append(recording_items(one, begin_us))
        begin_us += one.duration_us
        label = (np.array([column]) for column in (np.uint8(Kind.LABEL), begin_us, one.label, 0, 0))
        waiting.append(Items(*label))
        if len(waiting) > late:
            parts.append(waiting.pop(0))
    engine = engine_of(net, 7, teacher=teacher_of(net, **values), remember_ms=1e5)
    rows = rows_of(engine, join([*parts, *waiting]))
    teacher, losses = teacher_of(plain, **values), []
    for one in said:
        batch = make_batch([one], dt_ms=DT_MS, n_channels=HEARD)
        losses.append(teacher.teach(batch.spikes.double(), one.label).loss)
    assert [row["loss"] for row in rows if row["what"] == "label"] == pytest.approx(losses, abs=1e-5)
    for mine, theirs in zip(net.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert engine.place.tally.learnt == 6


def test_a_label_inside_a_segment_is_about_what_followed_the_label_before() -> None:
    engine = engine_of(gamma_net(), 5)
    counts = np.arange(10 * HEARD, dtype=np.float32).reshape(10, HEARD)
    engine.memory.hear(0, counts[:5])
    engine.memory.hear(5, counts[5:])
    first = engine.memory.recall(7000, now_us=20_000)
    second = engine.memory.recall(20_000, now_us=20_000)
    assert first is not None
    assert second is not None
    # Steps of 2 ms: the fourth ends after 7 ms, with the second label.
    assert np.array_equal(first.spikes[:, 0].numpy(), counts[:3])
    assert np.array_equal(second.spikes[:, 0].numpy(), counts[3:])


def test_what_is_forgotten_is_counted_and_teaches_nothing() -> None:
    net = gamma_net()
    before = [parameter.clone() for parameter in net.parameters()]
    engine = engine_of(net, 4, teacher=teacher_of(net), remember_ms=50.0)
    one = Recording(np.array([0, 3000]), np.array([1, 2]), CHANNELS, 10_000, label=1)
    nothing = np.zeros(2, np.int64)
    late = Items(
        np.array([Kind.TICK, Kind.LABEL], np.uint8), np.array([70_000, 10_000]), np.array([0, 1]), nothing, nothing
    )
    rows = rows_of(engine, join([recording_items(one), late]))
    assert rows[-1]["what"] == "label"
    assert rows[-1]["segment"] is None
    assert (engine.place.tally.forgotten, engine.place.tally.learnt) == (1, 0)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


@pytest.mark.long
def test_memory_is_bounded_on_a_segment_without_end() -> None:
    engine = engine_of(gamma_net(), 4, remember_ms=100.0)
    nothing = np.zeros(2000, np.int64)
    for part in range(20):
        times = part * 200_000 + np.arange(2000) * 100
        list(engine.take(Items(np.zeros(2000, np.uint8), times, nothing, nothing, nothing)))
    span = engine.memory.spans[-1]
    assert len(span.portions) <= 100 / (4 * DT_MS) + 2
    assert len(span.said) <= 100 / (4 * DT_MS) + 2


def test_evidence_fades_where_it_is_told_to() -> None:
    logits = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    readout = Readout("sum", dt_ms=4.0, forget_ms=20.0)
    ages = torch.arange(39, -1, -1, dtype=torch.float64) * 4.0
    weights = torch.exp(-ages / 20.0)
    wanted = ((weights @ logits.double()) / weights.sum()).softmax(0)
    for chunk in (1, 7, 40):
        found = readout.nothing(3)
        for part in logits.split(chunk):
            found = readout.gather(found, part)
        torch.testing.assert_close(readout.shares(found), wanted)


def test_what_no_stream_can_be_taken_by_is_named() -> None:
    for options, name in (({"chunk": 0}, "--chunk"), ({"chunk": 1, "remember_ms": 0.0}, "--remember-ms")):
        with pytest.raises(SpikingGammaError, match=name):
            engine_of(gamma_net(), **options)  # type: ignore[arg-type]
    with pytest.raises(SpikingGammaError, match="--forget-ms"):
        Readout("sum", dt_ms=1.0, forget_ms=-1.0)
