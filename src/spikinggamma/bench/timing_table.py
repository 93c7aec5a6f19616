"""The table of the timing suite: the recipe for each model and task, and the sizes for `--quick`."""

from __future__ import annotations

__all__ = ["AS_PUBLISHED", "MODELS", "ON_DEMAND", "RECIPES", "SMALL", "SPEECH"]

MODELS = ("mlp", "lif", "lif_delay", "spikinggamma")
# Recorded speech, split by `data.split`, in the variants whole, part and norm.
SPEECH = ("fsdd", "hd", "shd", "ssc")
# Large data sets, which are measured only where they are requested by name, with the split of each.
ON_DEMAND = {"hd": "strict", "shd": "official", "ssc": "official"}
# Overrides for their variants as published: files of the published sizes, and all channels.
AS_PUBLISHED = {
    name: (f"data.split={split}", "data.n_channels=0")
    for name, split in (("hd", "mixed"), ("shd", "official"), ("ssc", "official"))
}

# A bundled recipe, then overrides of it.
RECIPES: dict[tuple[str, str], tuple[str, ...]] = {
    ("isi", "mlp"): ("isi_mlp",),
    ("isi", "lif"): ("isi_lif",),
    ("isi", "lif_delay"): ("isi_lif_delay",),
    ("isi", "spikinggamma"): ("isi_spikinggamma",),
    ("polychrony", "mlp"): ("polychrony_mlp",),
    ("polychrony", "lif"): ("polychrony_lif",),
    ("polychrony", "lif_delay"): ("polychrony_lif_delay",),
    ("polychrony", "spikinggamma"): ("polychrony_spikinggamma",),
    ("coincidence", "mlp"): ("coincidence_mlp",),
    ("coincidence", "lif"): ("coincidence_lif",),
    ("coincidence", "lif_delay"): ("coincidence_lif_delay",),
    ("coincidence", "spikinggamma"): ("coincidence_spikinggamma",),
    ("localisation", "mlp"): ("localisation_mlp",),
    ("localisation", "lif"): ("localisation_lif",),
    ("localisation", "lif_delay"): ("localisation_lif_delay",),
    ("localisation", "spikinggamma"): ("localisation",),
    ("fsdd", "mlp"): ("fsdd_norm_mlp",),
    ("fsdd", "lif"): ("fsdd_norm_lif",),
    ("fsdd", "lif_delay"): ("fsdd_norm_lif_delay",),
    ("fsdd", "spikinggamma"): ("fsdd_norm_spikinggamma",),
}
# The same settings without a new search; these data sets have held-out speakers.
for _name, _split in ON_DEMAND.items():
    for _model in MODELS:
        RECIPES[_name, _model] = (*RECIPES["fsdd", _model], f"data.name={_name}", f"data.split={_split}")

_BRIEF = ("net.hidden=[8]", "training.epochs=1", "learning.schedule=constant")
_FEW = (*_BRIEF, "data.options.n_train=32", "data.options.n_validation=16", "data.options.n_test=16")
_TWO_SECONDS = (*_FEW, "data.options.duration_ms=2000", "data.options.rates_hz=[0.5, 3.0]")
SMALL: dict[str, tuple[str, ...]] = {
    "isi": _TWO_SECONDS,
    "polychrony": _TWO_SECONDS,
    "coincidence": (*_FEW, "data.options.n_windows=5"),
    "localisation": _FEW,
    **dict.fromkeys(SPEECH, _BRIEF),
    "hd": (*_BRIEF, "data.options.limit=3"),
}
