"""SpikingGamma (Koopman, Otte, Bohté 2026): smoothed delays and sigma-delta spikes, without a surrogate gradient."""

from __future__ import annotations

from collections.abc import Sequence

from spikinggamma.bibliography import SPIKINGGAMMA
from spikinggamma.papers.judges import exactness
from spikinggamma.papers.judges import resolution as at_steps
from spikinggamma.papers.judges.comparisons import accuracy, clearly_above, finding, floor
from spikinggamma.papers.paper import PAPERS, Claim, Finding, Measured, Paper, Verdict
from spikinggamma.papers.reproduction.experiments import Setting, bench_once, resolution, sweeping, timing
from spikinggamma.papers.reproduction.selection import Rows
from spikinggamma.papers.reproduction.tasks import Task, measuring

__all__ = ["spiking_gamma"]

_ONLINE = ("instantaneous", "shifted", "windowed")  # rules of this net whose memory is constant
_SMALL = ("net.hidden=[8]", "training.epochs=1", "learning.schedule=constant")
_FEW = (*_SMALL, "data.options.n_train=64", "data.options.n_validation=18", "data.options.n_test=18")
_ABSTRACT = "not said in the abstract"

_GRADIENT = bench_once("gradient", quick_decides=True)
_MEMORY = bench_once("memory", quick_decides=True)
_STEPS = resolution("localisation", "fsdd")
_TIMING = timing("isi.replacement", "polychrony.max_interval_ms", "coincidence.overlap", models=("lif", "spikinggamma"))
_RIVALS = ("fsdd_lif_ottt", "fsdd_lif_eprop", "fsdd_lif_truncated", "fsdd_adaptive_eprop")
_DIGITS = sweeping("fsdd", *_RIVALS, small=_SMALL)


def _task(measurement: str, recipe: str, small: Sequence[str], setting: Setting) -> list[Task]:
    call = f"spikinggamma.papers.measurements.{measurement}:measure"
    common = {"recipe": recipe, "settings": list(small if setting.quick else ())}
    return [Task(f"{recipe}-s{seed}", call, {**common, "seed": seed}) for seed in setting.seeds]


_CODE = measuring(
    "time_cells", "train fsdd, then its tuning to time", lambda to: _task("time_cells", "fsdd", _SMALL, to)
)
_PROGRAM = measuring(
    "c_program", "train localisation, export it to C, and compare decisions",
    lambda setting: _task("c_program", "localisation", _FEW, setting), quick_decides=True,
)  # fmt: skip


@PAPERS.register("spiking_gamma", title="SpikingGamma", citations=(SPIKINGGAMMA,))
def spiking_gamma() -> Paper:
    """Nets of gamma memories and sigma-delta spikes learn precise timing online, without a surrogate gradient."""
    tasks, steps = "synthetic tasks with fine temporal patterns", "nets at several time steps"
    return Paper(
        model="SpikingGamma layers in a row: recipes localisation, isi_spikinggamma, polychrony_spikinggamma, "
        "coincidence_spikinggamma, fsdd, nmnist, qtdb",
        note="Where the paper is silent the library decides, and each decision is an option: decay 1 - dt / τ, "
        "several spikes a step, states that begin at zero. `windowed` and `shifted` are rules of the library, "
        "`instantaneous` is its reading of the paper's rule.",
        claims=(
            Claim(
                "precise_online", "Fine temporal patterns are learnt online, with few spikes.", tasks,
                "inter-spike intervals, polychrony, coincidence, each generated",
                "Trained by an online rule, its interval lies above the best guess from counts on each task, at the "
                "mean spike rate of a LIF net trained by BPTT, or below.", None, (_TIMING,), _precise_online,
            ),
            Claim(
                "no_surrogate", "Error is propagated directly, without a surrogate gradient.", "the model itself",
                "random and localisation recordings",
                "Gradients of `through_time` agree with autograd to 1e-10 and with finite differences to 1e-7.",
                None, (_GRADIENT,), exactness.autograd_and_differences, same_data=True,
            ),
            Claim(
                "exact_in_time", "Error is placed exactly in time by a rule whose memory does not grow.",
                "the model itself",
                "random recordings, 1 to 10 hidden layers",
                "`windowed` agrees with backpropagation through time to a cosine of 0.999999 in every comparison.",
                None, (_GRADIENT,), exactness.agrees_with_bptt("windowed", "cosine"), same_data=True,
            ),
            Claim(
                "exact_at_once", "The error signal of a step, given to every bucket at once, is the exact gradient.",
                "the model itself", "random and localisation recordings, 1 to 10 hidden layers",
                "`instantaneous` agrees with backpropagation through time to a cosine of 0.999999 in hidden layers.",
                None, (_GRADIENT,), exactness.agrees_with_bptt("instantaneous", "cosine_hidden"), same_data=True,
            ),
            Claim(
                "constant_memory", "The memory for learning does not grow with the length of a recording.",
                "the model itself",
                "random recordings of 125 to 8000 steps", "Peaks of the online rules stay within 5 % of the shortest.",
                None, (_MEMORY,), exactness.constant_memory(*_ONLINE), same_data=True,
            ),
            Claim(
                "carried_accuracy", "A trained net is as accurate at another time step.", steps,
                "localisation, spoken digits",
                "At the recipe's own step of training and every step of the test, the interval reaches to within 1.5 "
                "points of the best step.", None, (_STEPS,), at_steps.carried_accuracy,
            ),
            Claim(
                "carried_spikes", "A trained net sends as many spikes at another time step.", steps,
                "localisation, spoken digits", "Spikes per second stay within 10 % of those at the step of training.",
                None, (_STEPS,), at_steps.carried_spikes,
            ),
            Claim(
                "trained_at_any_step", "A net learns as well at any time step.", steps, "localisation, spoken digits",
                "Accuracy is at most 1.5 points below that of the best step of training.", None, (_STEPS,),
                at_steps.trained_at_any_step,
            ),
            Claim(
                "competitive_ottt", "Online, it is as accurate as nets trained by online surrogate rules, or better.",
                "DVS Gesture, SHD, SSC", "localisation, spoken digits",
                "Its interval is not below that of a LIF net trained by OTTT, at the recipe's step.", None, (_STEPS,),
                at_steps.beside_ottt,
            ),
            Claim(
                "competitive_online",
                "It is as accurate as nets trained by e-prop, OTTT and truncated BPTT, or better.",
                "DVS Gesture, SHD, SSC", "spoken digits (FSDD)", "Its interval is not below that of any of them.", None,
                (_DIGITS,), _beside_rivals,
            ),
            Claim(
                "benchmarks", "Feed-forward nets reach competitive accuracy on DVS Gesture, SHD and SSC.",
                "DVS Gesture, SHD, SSC",
                unmeasurable="It needs these data sets and hours of training. Whoever has them runs `spikinggamma "
                "train dvs_gesture`, `shd` or `ssc`.",
            ),
            Claim(
                "time_cells", "Codes are sparse and like those of time cells.", _ABSTRACT, "spoken digits (FSDD)",
                "Neurons spike in at most one step of ten, at least half of those that speak are time cells, and "
                "these prefer at least five of ten stretches of time, in every hidden layer and seed.", None, (_CODE,),
                _time_cells,
            ),
            Claim(
                "hardware", "There is a direct route to event-driven hardware.", _ABSTRACT, "localisation",
                "A C program of whole numbers, driven by events, decides as the library does on every test recording.",
                None,
                (_PROGRAM,), _hardware,
            ),
        ),
    )  # fmt: skip


def _precise_online(rows: Rows) -> Finding:
    places = (("isi", "replacement"), ("polychrony", "max_interval_ms"), ("coincidence", "overlap"))
    shown, wrong = [], []
    for task, perturbation in places:
        values = {"bench": "timing", "task": task, "variant": "", "perturbation": perturbation}
        mine, theirs = (rows.series("level", model=model, **values) for model in ("spikinggamma", "lif"))
        first = next(iter(mine.values()))
        ours, lif = (sum(row["spikes_per_neuron_s"] for row in of.values()) / len(of) for of in (mine, theirs))
        rates = (
            Measured(f"{task}, {name}", rate, unit="spikes/neuron/s") for name, rate in (("ours", ours), ("LIF", lif))
        )
        shown += [accuracy(first, task), *rates]
        held = clearly_above(first, floor(first)) and ours <= lif and first["rule"] in _ONLINE
        wrong += [] if held else [task]
    return finding(not wrong, shown, f"Against the claim: {', '.join(wrong)}." if wrong else "So on each task.")


def _beside_rivals(rows: Rows) -> Finding:
    ours = rows.one(bench="sweep", recipe="fsdd")
    rivals = {recipe: rows.one(bench="sweep", recipe=recipe) for recipe in _RIVALS}
    below = [recipe for recipe, row in rivals.items() if clearly_above(row, ours)]
    shown = [
        accuracy(ours, "SpikingGamma"),
        *(accuracy(row, f"{row['model']}, {row['rule']}") for row in rivals.values()),
    ]
    return finding(
        not below, shown, f"Clearly below {', '.join(below)}." if below else "Not clearly below any of them."
    )


def _time_cells(rows: Rows) -> Finding:
    shown, held = [], True
    for row in rows.some(bench="time_cells"):
        seed = row["seed"]
        shown.append(Measured(f"seed {seed}, steps with a spike", row["share_of_steps"]))
        held = held and row["share_of_steps"] <= 0.1
        for layer, (speaking, cells) in enumerate(zip(row["speaking"], row["time_cells"], strict=True), start=1):
            share = cells / speaking if speaking else 0.0
            shown.append(Measured(f"seed {seed}, time cells of layer {layer}", share))
            held = held and share >= 0.5 and row["stretches"][layer - 1] >= 5
    return finding(held, shown, "Preferred times come from one half of the recordings, rates from the other.")


def _hardware(rows: Rows) -> Finding:
    found = rows.some(bench="c_program")
    if not all(row["compiler"] for row in found):
        return Finding(Verdict.NOT_MEASURABLE, (), "It needs a C compiler, `cc`.")
    recordings = sum(row["recordings"] for row in found)
    other = {number: sum(row["different"][number] for row in found) for number in found[0]["different"]}
    shown = [Measured(f"{number}, of {recordings} decisions", count, unit="differ") for number, count in other.items()]
    whole = {number: count for number, count in other.items() if number != "float"}
    held = min(whole.values()) == 0
    return finding(
        held, shown, "The best of the programs of whole numbers decides." if held else "Each differs somewhere."
    )
