"""Learning rules and losses: one call form for all; a rule never names a layer type."""

from spikinggamma.learning.batch_shard import BatchShard
from spikinggamma.learning.bptt import Backpropagation
from spikinggamma.learning.each_step import EachStep
from spikinggamma.learning.eprop import EProp
from spikinggamma.learning.instantaneous import Instantaneous
from spikinggamma.learning.learner import UPDATES, Learner, Source
from spikinggamma.learning.loss import LOSSES, Answer, EvidenceKind, Loss, LossResult, judging_loss, make_loss
from spikinggamma.learning.losses import Last, Running, Sum
from spikinggamma.learning.ottt import OTTT, Truncated
from spikinggamma.learning.outcome import Outcome
from spikinggamma.learning.rule import GammaRule, Rule
from spikinggamma.learning.rules import RULES
from spikinggamma.learning.shifted import Shifted
from spikinggamma.learning.spike_losses import Cumulative, Spikemax
from spikinggamma.learning.traced import Traced
from spikinggamma.learning.windowed import ThroughTime, Windowed, span
from spikinggamma.registry import import_modules

__all__ = [
    "LOSSES",
    "OTTT",
    "RULES",
    "UPDATES",
    "Answer",
    "Backpropagation",
    "BatchShard",
    "Cumulative",
    "EProp",
    "EachStep",
    "EvidenceKind",
    "GammaRule",
    "Instantaneous",
    "Last",
    "Learner",
    "Loss",
    "LossResult",
    "Outcome",
    "Rule",
    "Running",
    "Shifted",
    "Source",
    "Spikemax",
    "Sum",
    "ThroughTime",
    "Traced",
    "Truncated",
    "Windowed",
    "judging_loss",
    "make_loss",
    "span",
]

import_modules(__name__, __path__)
