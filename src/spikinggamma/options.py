"""The base of every table of options: of a recipe, and of whatever a recipe names."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Options", "Section"]


class Section(BaseModel):
    """One table of a recipe: unknown keys are refused, numbers are finite, nothing changes after it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())


class Options(Section):
    """The options of an entry of a registry, each a pydantic field with a default, a range and a description with its unit.

    An entry without options takes this class as it is.

    Example:
        >>> Options()
        Options()
    """
