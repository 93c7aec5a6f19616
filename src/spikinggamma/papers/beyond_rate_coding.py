"""Beyond Rate Coding (Yu, Sun, Akarca, Goodman 2025): do surrogate-gradient nets learn from spike timing?"""

from __future__ import annotations

from spikinggamma.bibliography import BEYOND_RATE
from spikinggamma.papers.judges import timing as judges
from spikinggamma.papers.judges.comparisons import finding, percent
from spikinggamma.papers.paper import PAPERS, Claim, Finding, Measured, Paper, Published
from spikinggamma.papers.reproduction.experiments import Experiment, timing
from spikinggamma.papers.reproduction.selection import Rows

__all__ = ["beyond_rate_coding"]

_NETS = ("lif", "lif_delay")
_CHANCE = 0.1
_SHD, _SHD_NORM = "Spiking Heidelberg Digits (SHD)", "SHD without count information"
_WHOLE = "spoken digits (FSDD), speaker of the test unseen"
_NORM = f"{_WHOLE}, without count information"
_CODE, _SUMMARY = "printed in the authors' released code", "second hand: a summary of the paper by others"
_SAID = "the authors' announcement of the paper"


def _timing(group: str) -> Experiment:
    return timing(group, models=("mlp", *_NETS))


_ISI, _POLYCHRONY, _COINCIDENCE = map(_timing, ("isi.replacement", "polychrony.max_interval_ms", "coincidence.overlap"))
_REPLACED, _JITTERED, _CHANNELS, _DELETED, _REVERSED, _TRAINED = (
    _timing(f"fsdd.norm.{name}")
    for name in ("replacement", "jitter", "channel_jitter", "deletion", "reversal", "jitter_trained")
)
_WHOLE_DELETED, _WHOLE_REVERSED = _timing("fsdd.whole.deletion"), _timing("fsdd.whole.reversal")


@PAPERS.register("beyond_rate_coding", title="Beyond Rate Coding", citations=(BEYOND_RATE,))
def beyond_rate_coding() -> Paper:
    """Surrogate-gradient nets, with and without learnt axonal delays, read spike timing and not only rates."""
    return Paper(
        model="LIF nets trained by BPTT with a surrogate gradient, without and with learnt axonal delays, and a "
        "perceptron on spike counts: recipes isi_*, polychrony_*, coincidence_* and fsdd_norm_*",
        note="Tasks, splits and statistics are made anew; the test speaker is unseen, where the published splits mix "
        "speakers. The authors' neuron is an alpha-function spike response model, ours a LIF neuron with two time "
        "constants.",
        claims=(*_synthetic(), *_speech(), *_perturbations(), *_reversal()),
    )


def _synthetic() -> tuple[Claim, ...]:
    made = "the same task, generated"
    return (
        Claim(
            "isi", "Nets read inter-spike intervals, beyond what counts tell.", "inter-spike intervals", made,
            "Intervals of both nets lie above the best guess from counts, with no spike moved.",
            Published("97.2 %", _SUMMARY), (_ISI,), judges.above_counts("isi", "replacement", _NETS), same_data=True,
        ),
        Claim(
            "polychrony", "Nets read lags between neurons.", "polychrony", made,
            "Intervals of both nets lie above the best guess from counts, at lags up to 100 ms.",
            None, (_POLYCHRONY,), judges.above_counts("polychrony", "max_interval_ms", _NETS, 100.0), same_data=True,
        ),
        Claim(
            "coincidence", "Nets read coincidences between groups of neurons.", "coincidence", made,
            "Intervals of both nets lie above the best guess from counts, at the smallest overlap.",
            Published("about 100 %", _SUMMARY), (_COINCIDENCE,), judges.above_counts("coincidence", "overlap", _NETS),
            same_data=True,
        ),
        Claim(
            "isi_randomised", "Accuracy falls steadily to that of counts as spikes are put at random times.",
            "inter-spike intervals", made,
            "No level is clearly above the one before it, and the last reaches down to the best guess from counts.",
            Published("97.2, 89.4, 82.8, 77.6, 65.4, 60.7 % at shares 0 to 1", _SUMMARY), (_ISI,),
            judges.falls_to_counts("isi", "replacement", "lif"), same_data=True,
        ),
        Claim(
            "isi_delays", "Delays do not help to read inter-spike intervals.", "inter-spike intervals", made,
            "With delays a net is not clearly better at any share of moved spikes.",
            None, (_ISI,),
            judges.delays_bring("isi", "replacement", gain=dict.fromkeys((0.0, 0.2, 0.4, 0.6, 0.8), False)),
            same_data=True,
        ),
        Claim(
            "coincidence_delays", "Delays make no difference to coincidences.", "coincidence", made,
            "With delays a net is not clearly better at any overlap.", None, (_COINCIDENCE,),
            judges.delays_bring("coincidence", "overlap", gain=dict.fromkeys((0.0, 0.2, 0.4, 0.5, 0.6, 0.8), False)),
            same_data=True,
        ),
        Claim(
            "polychrony_delays", "Delays make no difference to lags up to 50 ms, and help with long ones.",
            "polychrony", made,
            "With delays a net is clearly better at lags up to 300 and 500 ms, and not at 50 ms.", None, (_POLYCHRONY,),
            judges.delays_bring("polychrony", "max_interval_ms", gain={50.0: False, 300.0: True, 500.0: True}),
            same_data=True,
        ),
    )  # fmt: skip


def _speech() -> tuple[Claim, ...]:
    return (
        Claim(
            "norm_counts", "Without count information, a perceptron on counts is at chance.", _SHD_NORM, _NORM,
            "Chance is in its interval.", Published("chance, 5 %", _SUMMARY), (_REVERSED,),
            judges.meets("fsdd.norm", "reversal", ("mlp",), 0.0),
        ),
        Claim(
            "norm_timing", "Without count information, spiking nets recognise speech above chance.", _SHD_NORM, _NORM,
            "Intervals of both nets lie above chance.", Published("22.47 % without delays", _CODE), (_REVERSED,),
            judges.above_counts("fsdd.norm", "reversal", _NETS, 0.0),
        ),
        Claim(
            "norm_delays", "Delays raise accuracy on speech without count information.", _SHD_NORM, _NORM,
            "Every seed with delays is above every seed without.", Published("about 50 % with delays", _SAID),
            (_REVERSED,),
            judges.better_in_every_seed("fsdd.norm", "reversal", "lif_delay", "lif", level=0.0),
        ),
        Claim(
            "norm_randomised",
            "With all spikes at random times, nets are at chance on speech without count information.",
            _SHD_NORM, _NORM, "Chance is in the intervals of both nets.", Published("chance, 5 %", _SUMMARY),
            (_REPLACED,),
            judges.meets("fsdd.norm", "replacement", _NETS, 1.0),
        ),
        Claim(
            "norm_replacement", "Spiking nets are above counts as long as some spikes keep their times.", _SHD_NORM,
            _NORM,
            "The net without delays is clearly above counts at every share below 1.", None, (_REPLACED,),
            judges.stays_above("fsdd.norm", "replacement", "lif", mode="train-and-test", below=1.0),
        ),
        Claim(
            "delay_parameters", "Delays cost less than half a per cent more parameters.", _SHD, _WHOLE,
            "The ratio of the numbers of parameters.", Published("under 0.5 %", _SUMMARY), (_WHOLE_REVERSED,),
            _parameters,
        ),
    )  # fmt: skip


def _perturbations() -> tuple[Claim, ...]:
    return (
        Claim(
            "jitter_delays", "Under jitter of each spike, nets with delays stay above counts.", _SHD_NORM, _NORM,
            "Nets trained without jitter are clearly above counts at every level of it.",
            Published("45.54 % at 14 ms, trained with it", _CODE), (_JITTERED,),
            judges.stays_above("fsdd.norm", "jitter", "lif_delay", mode="test-only"),
        ),
        Claim(
            "jitter_trained", "Nets with delays that are trained under jitter of each spike stay above counts.",
            _SHD_NORM,
            _NORM, "A net trained at each level is clearly above counts there.",
            Published("45.54 % at 14 ms", _CODE), (_TRAINED,),
            judges.stays_above("fsdd.norm", "jitter", "lif_delay", mode="train-and-test"),
        ),
        Claim(
            "jitter_plain", "Under strong jitter of each spike, nets without delays fall to counts.", _SHD_NORM, _NORM,
            "At 100 ms the intervals of the net and of counts overlap.", None, (_JITTERED,),
            judges.meets("fsdd.norm", "jitter", ("lif",), 100.0, on="mlp"),
        ),
        Claim(
            "channel_jitter", "Under jitter of whole channels, both nets fall to counts.", _SHD_NORM, _NORM,
            "At 100 ms the intervals of both nets and of counts overlap.", None, (_CHANNELS,),
            judges.meets("fsdd.norm", "channel_jitter", _NETS, 100.0, on="mlp"),
        ),
        Claim(
            "channel_jitter_delays", "Jitter of whole channels hurts nets with delays more.", _SHD_NORM, _NORM,
            "At 100 ms the net with delays loses more accuracy, in every seed.", None, (_CHANNELS,),
            judges.loses_more_with_delays("fsdd.norm", "channel_jitter", level=100.0),
        ),
        Claim(
            "deletion", "Both nets are robust against lost spikes.", _SHD, _WHOLE,
            "Without 40 % of all spikes, both keep three quarters of their accuracy above chance.", None,
            (_WHOLE_DELETED,), judges.keeps("fsdd.whole", "deletion", _NETS, level=0.4, share=0.75, chance=_CHANCE),
        ),
        Claim(
            "deletion_norm", "Both nets are robust against lost spikes where counts tell nothing.", _SHD_NORM, _NORM,
            "Without 40 % of all spikes, both keep three quarters of their accuracy above chance.", None,
            (_DELETED,), judges.keeps("fsdd.norm", "deletion", _NETS, level=0.4, share=0.75, chance=_CHANCE),
        ),
    )  # fmt: skip


def _reversal() -> tuple[Claim, ...]:
    little = "It keeps three quarters of its accuracy above chance."
    return (
        Claim(
            "reversal_delays", "Reversed time hurts nets with delays more.", _SHD, _WHOLE,
            "The net with delays loses more accuracy, in every seed.", None, (_WHOLE_REVERSED,),
            judges.loses_more_with_delays("fsdd.whole", "reversal", level=1.0),
        ),
        Claim(
            "reversal_plain", "Reversed time hurts nets without delays little.", _SHD, _WHOLE, little, None,
            (_WHOLE_REVERSED,),
            judges.keeps("fsdd.whole", "reversal", ("lif",), level=1.0, share=0.75, chance=_CHANCE),
        ),
        Claim(
            "reversal_norm_plain", "Reversed time hurts nets without delays little where counts tell nothing.",
            _SHD_NORM,
            _NORM, little, None, (_REVERSED,),
            judges.keeps("fsdd.norm", "reversal", ("lif",), level=1.0, share=0.75, chance=_CHANCE),
        ),
        Claim(
            "reversal_norm_delays", "On reversed time, nets with delays are still above counts that tell nothing.",
            _SHD_NORM,
            _NORM, "The interval lies above chance.", None, (_REVERSED,),
            judges.above_counts("fsdd.norm", "reversal", ("lif_delay",), 1.0),
        ),
    )  # fmt: skip


def _parameters(rows: Rows) -> Finding:
    plain, delayed = (
        rows.one(bench="timing", task="fsdd", variant="whole", model=model, level=0.0)["parameters"] for model in _NETS
    )
    more = delayed / plain - 1.0
    shown = (Measured("LIF", plain, unit="parameters"), Measured("LIF, delays", delayed, unit="parameters"))
    return finding(more < 0.005, shown, f"{percent(more)} more, with delays of input channels too.")
