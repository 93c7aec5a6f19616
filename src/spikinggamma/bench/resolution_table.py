"""The table of the resolution benchmark: tasks, models with their recipes, time steps, and the sizes for `--quick`."""

from __future__ import annotations

__all__ = [
    "MAPPED",
    "MEASURED",
    "MODELS",
    "ON_DEMAND",
    "QUICK",
    "QUICK_STEPS_MS",
    "RECIPES",
    "SMALL",
    "STEPS_MS",
    "steps_ms",
]

MODELS = ("spikinggamma", "lif", "lif_ottt", "lif_es_d_rtrl", "lif_fptt", "spikinggamma_instantaneous")
STEPS_MS = (0.5, 1.0, 2.0, 4.0, 5.0, 10.0)
# From 100 to 8000 steps for a word of a second.
_OWN_STEPS_MS = {"hd": (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 10.0)}
# Large data sets, which are measured only where they are requested by name.
ON_DEMAND = ("hd",)
# Tasks of which the memory of training is measured at every step, and LIF nets are carried by every mapping.
MEASURED = ("hd",)
MAPPED = ("hd",)

# Some of the recordings for training, all for the test; small nets, as steps of 0.125 ms make recordings 32 times as
# long.
_FEW_DIGITS = ("data.options.limit=5", "net.hidden=[96,96]", "training.epochs=10")
# Buckets as long as the coarsest step.
_LONG_BUCKETS = "net.tau_ms=[10.0,10.0,11.0,12.0,13.0,14.0,15.0,16.0,18.0,20.0]"

# A bundled recipe, then overrides of it. The nets are small where fine steps make recordings eight times as long.
RECIPES: dict[tuple[str, str], tuple[str, ...]] = {
    ("localisation", "spikinggamma"): ("localisation",),
    ("localisation", "lif"): ("localisation_lif",),
    ("localisation", "lif_ottt"): ("localisation_lif_ottt",),
    ("fsdd", "spikinggamma"): ("fsdd", "net.hidden=[96,96]", "training.epochs=10"),
    ("fsdd", "lif"): ("fsdd_lif",),
    ("fsdd", "lif_ottt"): ("fsdd_lif_ottt",),
    ("hd", "spikinggamma"): ("hd", *_FEW_DIGITS, _LONG_BUCKETS),
    ("hd", "lif"): ("hd_lif", *_FEW_DIGITS),
    ("hd", "lif_ottt"): ("hd_lif", *_FEW_DIGITS, "learning.rule=ottt"),
    ("hd", "lif_es_d_rtrl"): ("hd_lif", *_FEW_DIGITS, "learning.rule=es_d_rtrl"),
    ("hd", "lif_fptt"): (
        "hd_lif",
        *_FEW_DIGITS,
        "learning.rule=fptt",
        "learning.loss=running",
        "learning.update=chunk",
        "learning.chunk=25",
    ),
    # The window of the recipe's rule is a stretch of time, so it has more steps the finer they are; this rule has none.
    ("hd", "spikinggamma_instantaneous"): ("hd", *_FEW_DIGITS, _LONG_BUCKETS, "learning.rule=instantaneous"),
}

QUICK = (("localisation", "spikinggamma"), ("localisation", "lif"), ("hd", "spikinggamma"), ("hd", "lif"))
QUICK_STEPS_MS = (2.0, 4.0)
_BRIEF = ("net.hidden=[8]", "training.epochs=1", "learning.schedule=constant")
SMALL: dict[str, tuple[str, ...]] = {
    "localisation": ("data.options.n_train=64", "data.options.n_validation=18", "data.options.n_test=18", *_BRIEF),
    "hd": ("data.options.limit=1", "training.batch_size=64", *_BRIEF),
}


def steps_ms(task: str) -> tuple[float, ...]:
    """Return the time steps of a task, from the finest."""
    return _OWN_STEPS_MS.get(task, STEPS_MS)
