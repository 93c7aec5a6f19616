"""The training loop: from a recipe to a trained and tested net in a run folder."""

from spikinggamma.training.loop import fit, resume, train
from spikinggamma.training.progress import LogReporter, Reporter, SilentReporter, TerminalReporter, reporter_for
from spikinggamma.training.schedule import learning_rate
from spikinggamma.training.session import TrainingInterrupted

__all__ = [
    "LogReporter",
    "Reporter",
    "SilentReporter",
    "TerminalReporter",
    "TrainingInterrupted",
    "fit",
    "learning_rate",
    "reporter_for",
    "resume",
    "train",
]
