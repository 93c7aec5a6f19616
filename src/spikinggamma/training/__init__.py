"""From a recipe to a trained, tested net in a folder of its own."""

from spikinggamma.training.build import build_judge, build_learner, build_net, build_optimiser, pick_device
from spikinggamma.training.catalogue import Opened, data_recipe, data_table, fetch, open_data, recipe_of
from spikinggamma.training.checkpoint import Best, Checkpoint, load_checkpoint, restore_net, save_checkpoint
from spikinggamma.training.citation import citations
from spikinggamma.training.cost import Cost, cost_row, dense_cost, event_cost
from spikinggamma.training.data import Bound, Facts, data_names, facts_of, known_name, load_splits, training_batches
from spikinggamma.training.distributed import Crew, LostProcess, is_first
from spikinggamma.training.energy import ENERGY_TABLES, Energy, EnergyTable, energy, load_energy_table
from spikinggamma.training.evaluation import Score, confusion_matrix, evaluate, result_row, score
from spikinggamma.training.intervals import wilson_interval
from spikinggamma.training.loop import fit, resume, train
from spikinggamma.training.metrics import append_row, read_rows, truncate_rows
from spikinggamma.training.perturbation import Perturbation, parse_perturbation, perturbed
from spikinggamma.training.progress import LogReporter, Reporter, SilentReporter, TerminalReporter, reporter_for
from spikinggamma.training.recipe import (
    SPIKELESS_MODELS,
    Augmentation,
    Data,
    Learning,
    Net,
    Range,
    Recipe,
    Search,
    Surrogate,
    Training,
)
from spikinggamma.training.recipe_file import dump_recipe, load_recipe, parse_recipe, recipe_names, with_values
from spikinggamma.training.run import Run, create_run, load_run, versions
from spikinggamma.training.schedule import learning_rate
from spikinggamma.training.search import Found, search
from spikinggamma.training.seeds import derive_seed, stream
from spikinggamma.training.sitting import TrainingInterrupted
from spikinggamma.training.sparsity import sparsity_curve
from spikinggamma.training.summaries import describe, search_summary, summary

__all__ = [
    "ENERGY_TABLES",
    "SPIKELESS_MODELS",
    "Augmentation",
    "Best",
    "Bound",
    "Checkpoint",
    "Cost",
    "Crew",
    "Data",
    "Energy",
    "EnergyTable",
    "Facts",
    "Found",
    "Learning",
    "LogReporter",
    "LostProcess",
    "Net",
    "Opened",
    "Perturbation",
    "Range",
    "Recipe",
    "Reporter",
    "Run",
    "Score",
    "Search",
    "SilentReporter",
    "Surrogate",
    "TerminalReporter",
    "Training",
    "TrainingInterrupted",
    "append_row",
    "build_judge",
    "build_learner",
    "build_net",
    "build_optimiser",
    "citations",
    "confusion_matrix",
    "cost_row",
    "create_run",
    "data_names",
    "data_recipe",
    "data_table",
    "dense_cost",
    "derive_seed",
    "describe",
    "dump_recipe",
    "energy",
    "evaluate",
    "event_cost",
    "facts_of",
    "fetch",
    "fit",
    "is_first",
    "known_name",
    "learning_rate",
    "load_checkpoint",
    "load_energy_table",
    "load_recipe",
    "load_run",
    "load_splits",
    "open_data",
    "parse_perturbation",
    "parse_recipe",
    "perturbed",
    "pick_device",
    "read_rows",
    "recipe_names",
    "recipe_of",
    "reporter_for",
    "restore_net",
    "result_row",
    "resume",
    "save_checkpoint",
    "score",
    "search",
    "search_summary",
    "sparsity_curve",
    "stream",
    "summary",
    "train",
    "training_batches",
    "truncate_rows",
    "versions",
    "wilson_interval",
    "with_values",
]
