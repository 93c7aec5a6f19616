"""Lets the reference read `Example:` in a docstring as what it is: lines of a Python prompt and what they print."""

from __future__ import annotations

import re
from typing import Any

import griffe


class Examples(griffe.Extension):  # type: ignore[misc]
    """Griffe knows that section by its plural only, and takes the singular for a remark in Markdown."""

    def on_instance(self, *, obj: griffe.Object, **rest: Any) -> None:
        """Called for every object that has been read."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
