"""Kinds of parameters: the kind of a parameter determines its weight decay and its learning rate.

A module declares the kinds of its own parameters in a class attribute, `parameter_kinds = {"tau": "time_constant"}`. In
torch's own modules, and any others without this attribute, a parameter called `bias` is a bias, a parameter with less
than two axes a scale (as in a normalisation), and every other parameter a weight.
"""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

from spikinggamma.errors import SpikingGammaError

__all__ = ["KINDS", "ParameterKind", "parameter_kinds"]

ParameterKind = Literal["weight", "bucket", "time_constant", "delay", "threshold", "scale", "bias"]
KINDS: tuple[ParameterKind, ...] = get_args(ParameterKind)


def parameter_kinds(net: nn.Module) -> dict[str, ParameterKind]:
    """Return the kind of each parameter by its name, in the order of `net.named_parameters()`.

    Raises:
        SpikingGammaError: A module declares an unknown kind.

    Example:
        >>> parameter_kinds(nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)))
        {'0.weight': 'weight', '0.bias': 'bias', '1.weight': 'scale', '1.bias': 'bias'}
    """
    found: dict[str, ParameterKind] = {}
    modules = dict(net.named_modules())
    for name, parameter in net.named_parameters():
        place, _, own = name.rpartition(".")
        declared = getattr(modules[place], "parameter_kinds", {})
        if own in declared:
            kind = declared[own]
            if kind not in KINDS:
                where = f"{type(modules[place]).__name__}.parameter_kinds[{own!r}]"
                raise SpikingGammaError(where, repr(kind), f"one of {', '.join(KINDS)}")
            found[name] = kind
        elif own.startswith("bias"):
            found[name] = "bias"
        else:
            found[name] = "weight" if parameter.ndim > 1 else "scale"
    return found
