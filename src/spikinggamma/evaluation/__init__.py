"""Scores of trained nets, with intervals, under perturbation and at other time steps."""

from spikinggamma.evaluation.confidence import wilson_interval
from spikinggamma.evaluation.metrics import Metric, metric_of, value_metrics
from spikinggamma.evaluation.result_rows import confusion_matrix, evaluate, result_row
from spikinggamma.evaluation.scores import Score, score
from spikinggamma.evaluation.sparsity import sparsity_curve
from spikinggamma.evaluation.summaries import describe, summary

__all__ = [
    "Metric",
    "Score",
    "confusion_matrix",
    "describe",
    "evaluate",
    "metric_of",
    "result_row",
    "score",
    "sparsity_curve",
    "summary",
    "value_metrics",
    "wilson_interval",
]
