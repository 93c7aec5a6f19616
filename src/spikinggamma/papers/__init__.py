"""Published systems: what each claims, and what we measure. One module a paper, registered where it is written."""

from spikinggamma.papers.paper import PAPERS, Claim, Finding, Measured, Paper, Published, Verdict
from spikinggamma.papers.reproduction.experiments import Experiment, Setting
from spikinggamma.papers.reproduction.run import decide, reproduce
from spikinggamma.papers.reproduction.selection import LackingRows, Rows
from spikinggamma.registry import import_modules

__all__ = [
    "PAPERS",
    "Claim",
    "Experiment",
    "Finding",
    "LackingRows",
    "Measured",
    "Paper",
    "Published",
    "Rows",
    "Setting",
    "Verdict",
    "decide",
    "reproduce",
]

import_modules(__name__, __path__)
