"""The table of the resolution benchmark: tasks, models with their recipes, time steps, and the sizes for `--quick`."""

from __future__ import annotations

__all__ = ["MODELS", "QUICK", "QUICK_STEPS_MS", "RECIPES", "SMALL", "STEPS_MS"]

MODELS = ("spikinggamma", "lif", "lif_ottt")
STEPS_MS = (0.5, 1.0, 2.0, 4.0, 5.0, 10.0)

# A bundled recipe, then overrides of it. The digits' nets are small: steps of 0.5 ms make recordings eight times as long.
RECIPES: dict[tuple[str, str], tuple[str, ...]] = {
    ("localisation", "spikinggamma"): ("localisation",),
    ("localisation", "lif"): ("localisation_lif",),
    ("localisation", "lif_ottt"): ("localisation_lif_ottt",),
    ("fsdd", "spikinggamma"): ("fsdd", "net.hidden=[96,96]", "training.epochs=10"),
    ("fsdd", "lif"): ("fsdd_lif",),
    ("fsdd", "lif_ottt"): ("fsdd_lif_ottt",),
}

QUICK = (("localisation", "spikinggamma"), ("localisation", "lif"))
QUICK_STEPS_MS = (2.0, 4.0)
SMALL = (
    "data.options.n_train=64",
    "data.options.n_validation=18",
    "data.options.n_test=18",
    "net.hidden=[8]",
    "training.epochs=1",
    "learning.schedule=constant",
)
