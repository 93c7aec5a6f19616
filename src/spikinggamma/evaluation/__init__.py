"""Scores of trained nets, with intervals, under perturbation and at other time steps."""

from spikinggamma.evaluation.confidence import wilson_interval
from spikinggamma.evaluation.scores import Score, confusion_matrix, evaluate, result_row, score
from spikinggamma.evaluation.sparsity import sparsity_curve
from spikinggamma.evaluation.summaries import describe, summary

__all__ = [
    "Score",
    "confusion_matrix",
    "describe",
    "evaluate",
    "result_row",
    "score",
    "sparsity_curve",
    "summary",
    "wilson_interval",
]
