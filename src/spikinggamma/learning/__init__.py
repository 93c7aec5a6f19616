"""Learning rules and losses: one call form for all; a rule never names a layer type."""

from spikinggamma.learning.each_step import EachStep
from spikinggamma.learning.instantaneous import Instantaneous
from spikinggamma.learning.learner import RULES, UPDATES, Learner, Outcome, Source
from spikinggamma.learning.loss import Loss, Verdict
from spikinggamma.learning.losses import LOSSES, Last, Running, Sum, make_loss
from spikinggamma.learning.rule import Rule
from spikinggamma.learning.shifted import Shifted
from spikinggamma.learning.traced import Traced
from spikinggamma.learning.windowed import ThroughTime, Windowed, span

__all__ = [
    "LOSSES",
    "RULES",
    "UPDATES",
    "EachStep",
    "Instantaneous",
    "Last",
    "Learner",
    "Loss",
    "Outcome",
    "Rule",
    "Running",
    "Shifted",
    "Source",
    "Sum",
    "ThroughTime",
    "Traced",
    "Verdict",
    "Windowed",
    "make_loss",
    "span",
]
