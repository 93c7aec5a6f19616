"""What is recorded is what the net did: estimates follow from spikes, averages from single recordings."""

from __future__ import annotations

import numpy as np
import pytest

from spikinggamma.events import Recording, make_batch
from spikinggamma.report.activity.recording import record
from spikinggamma.report.activity.survey import LayerSurvey, Survey, choose, survey
from spikinggamma.runs import Run


def test_estimates_are_the_listeners_first_bucket(finished: Run) -> None:
    net, recording = finished.net(), finished.splits().test[3]
    sample = record(net, finished.recipe, recording, 3)
    spikes = make_batch([recording], dt_ms=2.0).spikes
    activations, _ = net.run(spikes, net.initial_state(1), 2.0)
    for layer, part in zip(sample.layers, activations.layers, strict=False):
        sent = 2.0 * layer.threshold * layer.counts
        np.testing.assert_allclose(sent, part.outputs[:, 0].numpy(), rtol=1e-6, atol=1e-7)
        expected = np.zeros(sent.shape[1])
        for step, height in enumerate(sent):
            expected = 0.5 * expected + height  # α_0 = 1 - 2 ms / 4 ms
            np.testing.assert_allclose(layer.estimate[step], expected, rtol=1e-5, atol=1e-6)


def test_the_gap_never_reaches_the_threshold(finished: Run) -> None:
    sample = record(finished.net(), finished.recipe, finished.splits().test[0], 0)
    for layer in sample.layers:
        assert (layer.output - layer.estimate < layer.threshold + 1e-6).all()
        assert layer.counts.any()


def test_answers_are_those_of_the_evaluation(finished: Run) -> None:
    test = finished.splits().test
    found = survey(finished.net(), finished.recipe, test)
    assert finished.result is not None
    by_place = dict(zip(found.indices, found.shares, strict=True))
    right = [r.label == guess for r, guess in zip(test, finished.result["predictions"], strict=True)]
    assert [bool(by_place[place]) for place in range(len(test))] == right
    some = [record(finished.net(), finished.recipe, test[place], place) for place in range(4)]
    assert [sample.prediction for sample in some] == finished.result["predictions"][:4]


def test_averages_are_those_of_single_recordings_whatever_their_length(finished: Run) -> None:
    test = finished.splits().test
    recordings = [_cut(recording, 30_000 + 2_000 * place) for place, recording in enumerate(test)]
    net, recipe = finished.net(), finished.recipe
    found = survey(net, recipe, recordings)
    samples = [record(net, recipe, recording, place) for place, recording in enumerate(recordings)]
    seconds = sum(len(sample.events) for sample in samples) * 0.002
    for index, layer in enumerate(found.layers):
        counts = [sample.layers[index].counts for sample in samples]
        np.testing.assert_allclose(layer.overall, sum(part.sum(0) for part in counts) / seconds, rtol=1e-5)
        np.testing.assert_array_equal(layer.spikes, sum(part.sum(0) for part in counts))
        assert layer.by_time.shape[1] == np.median([len(part) for part in counts]) // 1


def test_each_half_holds_every_class(finished: Run) -> None:
    found = survey(finished.net(), finished.recipe, finished.splits().test)
    assert all(np.isfinite(layer.by_class).all() for layer in found.layers)


def test_a_wrong_answer_is_shown_beside_a_right_one_of_its_class() -> None:
    nothing: tuple[LayerSurvey, ...] = ()
    assert choose(Survey([7, 8, 9, 4], [0, 1, 1, 2], [1.0, 1.0, 0.0, 1.0], 1.0, nothing)) == [8, 9]
    assert len(choose(Survey([7, 8], [0, 1], [1.0, 1.0], 1.0, nothing))) == 1
    assert choose(Survey([7], [0], [0.0], 1.0, nothing)) == [7]


def test_of_labelled_steps_a_good_and_a_poor_recording_are_shown() -> None:
    nothing: tuple[LayerSurvey, ...] = ()
    good, poor = choose(Survey([7, 8, 9, 4], [-1] * 4, [0.5, 0.9, 0.6, 0.8], 1.0, nothing))
    assert (good, poor) in {(8, 9), (8, 7), (4, 9), (4, 7)}


def test_an_analogue_layer_has_no_threshold(finished: Run) -> None:
    from spikinggamma.runs import build_net

    recipe = finished.recipe.model_copy(update={"net": finished.recipe.net.model_copy(update={"analogue": True})})
    layer = record(build_net(recipe).eval(), recipe, finished.splits().test[0], 0).layers[0]
    assert not layer.threshold.any()
    assert layer.estimate == pytest.approx(layer.output)


def _cut(recording: Recording, duration_us: int) -> Recording:
    kept = recording.times_us < duration_us
    times, channels = recording.times_us[kept], recording.channels[kept]
    return Recording(times, channels, recording.n_channels, duration_us, recording.label)
