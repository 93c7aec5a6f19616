"""Comparison of two gradients of one net, and bounds that the comparison must meet."""

from __future__ import annotations

from typing import NamedTuple

import torch

from spikinggamma.bench.oracles import Gradient

__all__ = ["Agreement", "Demand", "agreement"]


class Agreement(NamedTuple):
    """Measures of the agreement of two gradients."""

    cosine: float
    relative_error: float
    cosine_hidden: float
    cosine_lowest: float


def agreement(found: Gradient, evaluator: Gradient) -> Agreement:
    """Compare the gradient `found` with that of an oracle; the read-out is the net's last layer of weights.

    Example:
        >>> one = {"layers.0.weight": torch.ones(1, 2), "layers.1.weight": torch.ones(1, 2)}
        >>> agreement(one, one).relative_error
        0.0
    """
    last = max(_layer_of(name) for name, gradient in evaluator.items() if gradient.ndim > 1)
    hidden = [name for name in evaluator if _layer_of(name) < last]
    every = list(evaluator)
    difference = _flat(found, every) - _flat(evaluator, every)
    return Agreement(
        cosine=_cosine(found, evaluator, every),
        relative_error=float(difference.norm() / _flat(evaluator, every).norm()),
        cosine_hidden=_cosine(found, evaluator, hidden),
        cosine_lowest=min(_cosine(found, evaluator, [name]) for name in evaluator),
    )


class Demand(NamedTuple):
    """A bound on one field of an `Agreement`: a lower one for a cosine, an upper one for an error."""

    field: str
    bound: float

    def __str__(self) -> str:
        return f"{self.field} {'>=' if self._at_least else '<='} {self.bound:g}"

    @property
    def _at_least(self) -> bool:
        return self.field.startswith("cosine")

    def met_by(self, found: Agreement) -> bool:
        """Return whether the comparison meets the bound."""
        value: float = getattr(found, self.field)
        return value >= self.bound if self._at_least else value <= self.bound


def _layer_of(name: str) -> int:
    """Return the number of the layer that a parameter belongs to."""
    return next(int(part) for part in name.split(".") if part.isdigit())


def _flat(gradient: Gradient, names: list[str]) -> torch.Tensor:
    return torch.cat([gradient[name].double().flatten() for name in names])


def _cosine(found: Gradient, evaluator: Gradient, names: list[str]) -> float:
    one, other = _flat(found, names), _flat(evaluator, names)
    if not bool(one.any()) and not bool(other.any()):
        return 1.0
    return float(one @ other / (one.norm() * other.norm()).clamp_min(1e-300))
