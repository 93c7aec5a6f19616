"""The folder of a run: its recipe, metrics, checkpoints and result, and the objects that a recipe describes."""

from spikinggamma.runs.build import build_evaluator, build_learner, build_net, build_optimiser, pick_device
from spikinggamma.runs.checkpoint import Best, Checkpoint, load_checkpoint, restore_net, save_checkpoint
from spikinggamma.runs.citation import citations
from spikinggamma.runs.metrics import append_row, read_rows, truncate_rows
from spikinggamma.runs.run import Run, create_run, load_run
from spikinggamma.versions import versions

__all__ = [
    "Best",
    "Checkpoint",
    "Run",
    "append_row",
    "build_evaluator",
    "build_learner",
    "build_net",
    "build_optimiser",
    "citations",
    "create_run",
    "load_checkpoint",
    "load_run",
    "pick_device",
    "read_rows",
    "restore_net",
    "save_checkpoint",
    "truncate_rows",
    "versions",
]
