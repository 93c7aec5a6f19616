"""The exported program is the library: sample by sample, at every setting, asleep or awake; what it cannot be is refused."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from c_programs import (
    LOSSES,
    PLANS,
    SANITIZED,
    Answer,
    Case,
    Plan,
    answers,
    build,
    call,
    needs_compiler,
    random_recording,
    read_answers,
    small_case,
    small_program,
)
from fixed_model import expected_lines
from hypothesis import event, given, settings

from spikinggamma import SpikingGammaError
from spikinggamma.events import Recording, bin_recording
from spikinggamma.export import NUMBERS, c_program, event_bytes, event_text, program_net
from spikinggamma.functional import SigmaDelta
from spikinggamma.learning import make_loss
from spikinggamma.nn import GammaNet, SurrogateNet, conv_net, dense_net

TOLERANCE = 2e-4  # of signals, relative to their largest: the rounding of a few hundred steps in single precision


def through_library(case: Case, recording: Recording) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
    """Signals and spike counts of every layer, [T, N] each, and ϑ-relative distances to the next decision, by layer."""
    counts = bin_recording(recording, dt_ms=case.dt_ms, n_channels=case.net.stack[0].in_shape[0])
    activations, _ = case.net.run(counts.unsqueeze(1), case.net.initial_state(1), case.dt_ms)
    signals = [layer.signal[:, 0] for layer in activations.layers]
    spikes = [layer.counts[:, 0] for layer in activations.layers[:-1] if layer.counts is not None]
    return signals, spikes, counts


def doubtful(case: Case, signals: list[torch.Tensor], spikes: list[torch.Tensor]) -> set[tuple[int, int, int]]:
    """Where the library's own decision hangs on the last bits: (time, layer, neuron)."""
    found = set()
    for index, (layer, signal, count) in enumerate(zip(case.net.hidden, signals, spikes, strict=False), start=1):
        code = layer.code
        assert code is not None
        alpha, fade = float(layer.alpha(case.dt_ms)[0]), code.adaptation_decay(case.dt_ms)
        estimate, rise = torch.zeros(2, layer.neurons, dtype=torch.float64)
        scale = max(1.0, float(signal.abs().max()) / code.threshold)
        for step, (x, n) in enumerate(zip(signal.double(), count.double(), strict=True)):
            threshold = code.threshold + rise
            wanted = (x.clamp_min(0.0) - alpha * estimate) / (2.0 * threshold) + 0.5
            near = (wanted - wanted.round()).abs() < TOLERANCE * scale
            found |= {(step_us(case, step), index, int(i)) for i in near.nonzero()}
            estimate = alpha * estimate + 2.0 * threshold * n
            rise = fade * (rise + code.adaptation * threshold * n)
    return found


def step_us(case: Case, step: int) -> int:
    return step * round(case.dt_ms * 1e6) // 1000


def check_against_library(case: Case, recording: Recording, answer: Answer) -> bool:
    """Whether all of it agrees; up to a decision that hung on the last bits, it must."""
    signals, spikes, counts = through_library(case, recording)
    assert answer.steps == len(counts)
    said = {
        (step_us(case, step), layer, int(neuron)): int(count[neuron])
        for layer, counted in enumerate(spikes, start=1)
        for step, count in enumerate(counted)
        for neuron in count.nonzero().flatten()
    }
    differing = {place for place in {*said, *answer.spikes} if said.get(place) != answer.spikes.get(place)}
    until = min((time for time, _, _ in differing), default=None)
    if until is not None:
        hung = doubtful(case, signals, spikes)
        lowest = min(layer for time, layer, _ in differing if time == until)
        assert {place for place in differing if place[:2] == (until, lowest)} <= hung
    for layer, signal in enumerate(signals, start=1):
        most = max(float(signal.abs().max()), 1e-3)
        for step, row in enumerate(signal):
            time = step_us(case, step)
            if until is not None and time >= until:
                break
            for neuron, x in enumerate(row.tolist()):
                shown = answer.signals.get((time, layer, neuron))
                if shown is not None:
                    assert abs(shown - x) <= TOLERANCE * most
                elif layer <= len(spikes):
                    assert said.get((time, layer, neuron), 0) == 0  # it slept
                else:
                    assert abs(float(case.net.stack[-1].bias.detach()[neuron]) - x) <= TOLERANCE * most
    if until is None:
        check_decision(case, signals[-1], answer)
    return until is None


def check_decision(case: Case, logits: torch.Tensor, answer: Answer) -> None:
    """Scores and decisions are those of the loss that the run learnt by."""
    lengths = torch.tensor([len(logits)])
    evaluator = make_loss(case.loss, torch.zeros(1, dtype=torch.int64), lengths, case.dt_ms)
    evaluator.observe(logits.unsqueeze(1), 0)
    predictions = evaluator.result().predictions
    wanted = logits.mean(0) if case.loss in ("sum", "running") else logits[-1]
    most = max(float(logits.abs().max()), 1e-3)
    assert np.allclose(answer.scores, wanted.numpy(), rtol=0.0, atol=TOLERANCE * most)
    clear = len(wanted) == 1 or float(wanted.topk(2).values.diff().abs()) > 2 * TOLERANCE * most
    if clear:
        assert answer.decision == int(predictions.flatten()[-1])
    if case.loss == "each_step" and len(wanted) > 1:
        for step, (row, guess) in enumerate(zip(logits, predictions.flatten().tolist(), strict=True)):
            if float(row.topk(2).values.diff().abs()) > 2 * TOLERANCE * most:
                assert answer.decisions[step_us(case, step)] == guess


@pytest.mark.long
@needs_compiler
@settings(max_examples=12)
@given(PLANS)
def test_the_program_is_the_library_sample_by_sample(plan: Plan) -> None:
    case = plan.case()
    with tempfile.TemporaryDirectory() as folder:
        program = build(c_program(case.program), Path(folder), "-DTRACE")
        for recording, answer in zip(case.recordings, answers(program, case.recordings), strict=True):
            whole = check_against_library(case, recording, answer)
            event("agrees to the end" if whole else "a decision hung on the last bits")


@pytest.mark.long
@needs_compiler
@settings(max_examples=6)
@given(PLANS)
def test_integers_are_their_model_to_the_bit_and_sleep_changes_none(plan: Plan) -> None:
    case = plan.case()
    net = case.program
    with tempfile.TemporaryDirectory() as folder:
        for number in ("int16", "int32"):
            source = c_program(net, number=number)
            awake = build(source, Path(folder), "-DTRACE", "-DNO_SLEEP", name="awake")
            asleep = build(source, Path(folder), name="asleep")
            data = event_text(case.recordings).encode()
            wanted = [line for recording in case.recordings for line in expected_lines(net, number, recording)]
            assert call(awake, data).stdout.decode().splitlines() == wanted
            without_signals = [line for line in wanted if not line.startswith("signal")]
            assert call(asleep, data).stdout.decode().splitlines() == without_signals


@pytest.mark.long
@needs_compiler
@pytest.mark.parametrize("number", ["int16", "int32"])
def test_integers_saturate_where_their_range_ends(tmp_path: Path, number: str) -> None:
    net = dense_net((2, 3, 2), tau_ms=(4.0, 5.0), code=SigmaDelta(0.1, 5.0), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for layer in net.stack:
            layer.weight.mul_(2e3)
            layer.get_parameter("bucket_weight").mul_(50.0)
    rng = np.random.default_rng(1)
    recording = random_recording(rng, 2, 60_000, 3000, 1000)
    case = Case(net, 1.0, "sum", 2, [recording])
    program = build(c_program(case.program, number=number), tmp_path, "-DTRACE", "-DNO_SLEEP", *SANITIZED)
    said = call(program, event_text([recording]).encode())
    assert said.returncode == 0, said.stderr
    lines = said.stdout.decode().splitlines()
    assert any(line.endswith(f" {2**31 - 1}") for line in lines)
    assert lines == [*expected_lines(case.program, number, recording)]


@needs_compiler
def test_signals_of_integers_are_as_near_as_their_units(tmp_path: Path) -> None:
    case = small_case()
    program = build(c_program(case.program, number="int32"), tmp_path, "-DTRACE", "-DNO_SLEEP")
    first = case.program.layers[0]
    for recording, answer in zip(case.recordings, answers(program, case.recordings), strict=True):
        signals, _, counts = through_library(case, recording)
        # A bucket is wrong by a unit a step at most, and forgets what is older than its time constant; so is the next one,
        # which also passes on what came before. An input's product adds half a unit.
        shift = 12 + 4 + 3
        buckets = (first.order + int(counts.count_nonzero(1).max())) / first.take.min()
        bound = buckets * np.abs(first.bucket_weight).sum(0) + 1.0
        for (time, layer, neuron), units in answer.signals.items():
            if layer == 1:
                error = abs(units - float(signals[0][time // 1000, neuron]) * 2**shift)
                assert error <= bound[neuron] + 1e-5 * abs(units)


@needs_compiler
@pytest.mark.parametrize("number", NUMBERS)
def test_sleep_saves_steps_and_changes_nothing(tmp_path: Path, number: str) -> None:
    case = small_case()
    long = Recording(np.array([0, 5_000_000]), np.array([3, 3]), 8, 9_000_000, 0)
    recordings = [*case.recordings, long]
    source = c_program(case.program, number=number)
    asleep = answers(build(source, tmp_path, name="asleep"), recordings)
    awake = answers(build(source, tmp_path, "-DNO_SLEEP", name="awake"), recordings)
    neurons = sum(layer.neurons for layer in case.program.layers)
    for lazy, eager in zip(asleep, awake, strict=True):
        assert lazy.spikes == eager.spikes
        assert lazy.scores == (pytest.approx(eager.scores, abs=1e-6) if number == "float" else eager.scores)
        assert eager.counts["updates"] == eager.steps * neurons
        assert lazy.counts["updates"] + lazy.counts["skipped"] == eager.steps * neurons
        assert eager.counts["skipped"] == eager.counts["replayed"] == eager.counts["jumps"] == 0
        assert sum(lazy.spikes.values()) == lazy.counts["spikes"]
    assert asleep[-1].counts["updates"] < 0.1 * awake[-1].counts["updates"]
    assert asleep[-1].counts["events"] == 2
    if number == "float":
        assert asleep[0].counts["jumps"] > 0


@needs_compiler
def test_a_neuron_that_speaks_without_hearing_never_sleeps(tmp_path: Path) -> None:
    net = dense_net((1, 2, 1), tau_ms=(4.0,), code=SigmaDelta(0.1, 0.0))
    with torch.no_grad():
        net.stack[0].bias.copy_(torch.tensor([0.35, 0.09]))
    case = Case(net, 1.0, "sum", 1, [Recording(np.zeros(0, int), np.zeros(0, int), 1, 50_000, 0)])
    (answer,) = answers(build(c_program(case.program), tmp_path, "-DTRACE"), case.recordings)
    assert {neuron for _, layer, neuron in answer.spikes if layer == 1} == {0}
    assert check_against_library(case, case.recordings[0], answer)


@needs_compiler
@pytest.mark.parametrize(
    ("number", "loss"), [*(("float", loss) for loss in LOSSES), ("int16", "each_step"), ("int32", "sum")]
)
def test_no_warning_and_the_same_answers_in_binary(tmp_path: Path, number: str, loss: str) -> None:
    program = build(small_program(number, loss), tmp_path, "-Wshadow", "-Wconversion")
    recordings = small_case().recordings
    in_text, in_binary = call(program, event_text(recordings).encode()), call(program, event_bytes(recordings), "-b")
    assert in_text.returncode == in_binary.returncode == 0
    assert in_text.stdout == in_binary.stdout
    quiet = call(program, event_text(recordings).encode(), "-q").stdout.decode()
    assert [line.split()[0] for line in quiet.splitlines()] == ["class"] * len(recordings)
    assert len(read_answers(quiet)) == len(recordings)


@pytest.mark.long
@needs_compiler
@pytest.mark.parametrize("number", NUMBERS)
def test_sanitizers_find_nothing(tmp_path: Path, number: str) -> None:
    said = call(build(small_program(number), tmp_path, *SANITIZED), event_text(small_case().recordings).encode())
    assert said.returncode == 0, said.stderr
    assert said.stderr == b""


@pytest.mark.long
@needs_compiler
def test_numbers_beyond_single_precision_are_no_undefined_behaviour(tmp_path: Path) -> None:
    net = dense_net((2, 3, 2), tau_ms=(4.0, 5.0), code=SigmaDelta(1e-3), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for layer in net.stack:
            layer.weight.mul_(1e30)
    case = Case(net, 1.0, "sum", 2, [random_recording(np.random.default_rng(0), 2, 50_000, 200, 1000)])
    assert (
        call(build(c_program(case.program), tmp_path, *SANITIZED), event_text(case.recordings).encode()).returncode == 0
    )


def refused() -> dict[str, tuple[Any, dict[str, Any], str]]:
    """A net or an option, and what the error must name."""
    tau = (4.0, 8.0)
    non_finite_error = dense_net((3, 4, 2), tau_ms=tau)
    with torch.no_grad():
        non_finite_error.stack[0].bias[1] = math.nan
    layers = [*dense_net((3, 4, 5), tau_ms=tau).hidden, dense_net((4, 2), tau_ms=tau, synapse="synapse").stack[-1]]
    return {
        "convolution": (conv_net((1, 4, 4), [(2, 3, 1)], (2,), tau_ms=tau), {}, "layer 1`: got Conv2d"),
        "per synapse": (dense_net((3, 4, 2), tau_ms=tau, synapse="synapse"), {}, "layer 1`: got PerSynapse"),
        "one of them": (GammaNet(layers), {}, "layer 2`: got PerSynapse"),
        "analogue": (dense_net((3, 4, 2), tau_ms=tau, analogue=True), {}, "layer 1`.*passes its signal"),
        "not rectified": (dense_net((3, 4, 2), tau_ms=tau, rectify=False), {}, "layer 1`.*not rectified"),
        "other neurons": (SurrogateNet((3, 4, 2)), {}, "got SurrogateNet"),
        "not finite": (non_finite_error, {}, "layer 1`: got bias"),
        "loss": (dense_net((3, 4, 2), tau_ms=tau), {"loss": "cumulative"}, "cumulative"),
        "channels": (dense_net((3, 4, 2), tau_ms=tau), {"channels": 7}, "`channels`: got 7"),
        "step": (dense_net((3, 4, 2), tau_ms=tau), {"dt_ms": 5.0}, "`dt_ms`: got 5"),
    }


@pytest.mark.parametrize("name", refused())
def test_what_has_no_program_is_refused_by_name(name: str) -> None:
    net, options, message = refused()[name]
    with pytest.raises(SpikingGammaError, match=message):
        program_net(net, **{"dt_ms": 2.0, **options})


def test_unknown_numbers_and_weights_too_large_are_refused() -> None:
    with pytest.raises(SpikingGammaError, match="float, int16, int32"):
        c_program(small_case().program, number="int8")
    net = dense_net((3, 4, 2), tau_ms=(4.0,))
    with torch.no_grad():
        net.stack[1].weight[0, 0] = 1e5
    with pytest.raises(SpikingGammaError, match="weights of layer 2"):
        c_program(program_net(net, dt_ms=1.0), number="int16")


def test_a_title_cannot_end_the_remark_that_it_stands_in() -> None:
    net = small_case().program._replace(title='*/ int main(void) { puts("\n\u00fc"); } /*')
    head = c_program(net).splitlines()[1]
    assert head.isascii()
    assert "*/" not in head
    assert "/*" not in head
