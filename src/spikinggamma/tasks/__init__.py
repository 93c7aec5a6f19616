"""Synthetic tasks that only timing can solve, each with a known ceiling and floor."""

from __future__ import annotations

from spikinggamma.tasks import localisation

__all__ = ["localisation"]
