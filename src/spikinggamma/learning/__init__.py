"""Learning rules and losses with a common interface, which know layers and neurons only by their contracts.

A rule adds gradients to a net chunk by chunk, given the activations and the error signal of the logits. A loss computes
this error signal. A `Learner` combines the two. `RULES` and `LOSSES` list them by name.
"""

from spikinggamma.learning.batch_shard import BatchShard
from spikinggamma.learning.each_step import EachStep
from spikinggamma.learning.evaluator import Evaluator
from spikinggamma.learning.learner import Learner
from spikinggamma.learning.loss import LOSSES, Answer, EvidenceKind, Loss, LossResult, judging_loss, make_loss
from spikinggamma.learning.losses import Last, Running, Sum
from spikinggamma.learning.outcome import Outcome
from spikinggamma.learning.rule import RULES, UPDATES, FollowsUpdates, PreparesState, Rule
from spikinggamma.learning.source import Source
from spikinggamma.learning.spike_losses import Cumulative, Spikemax
from spikinggamma.learning.value_losses import LastValues, MultiLabel, SoftLabel, Values
from spikinggamma.learning.windowed import span
from spikinggamma.registry import import_modules

__all__ = [
    "LOSSES",
    "RULES",
    "UPDATES",
    "Answer",
    "BatchShard",
    "Cumulative",
    "EachStep",
    "Evaluator",
    "EvidenceKind",
    "FollowsUpdates",
    "Last",
    "LastValues",
    "Learner",
    "Loss",
    "LossResult",
    "MultiLabel",
    "Outcome",
    "PreparesState",
    "Rule",
    "Running",
    "SoftLabel",
    "Source",
    "Spikemax",
    "Sum",
    "Values",
    "judging_loss",
    "make_loss",
    "span",
]

# Every rule and every loss registers itself in its own module.
import_modules(__name__, __path__)
