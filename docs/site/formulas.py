"""Formulas become MathML while the site is built, so that a browser shows them without fetching anything.

The pages write them in TeX, between dollar signs or in fences named `math`; the Markdown extension `arithmatex` marks them.
"""

from __future__ import annotations

import html
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

_MARKED = re.compile(r'<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>', re.DOTALL)
_STYLED = re.compile(r'<(m[in]) mathvariant="(double-struck|bold|sans-serif)">(\w)</\1>')


def on_page_content(content: str, page: Page, config: Any, files: Files) -> str:
    """Every marked formula of a page, as MathML in the same element."""

    def set_formula(found: re.Match[str]) -> str:
        element, tex = found[1], html.unescape(found[2]).strip()
        try:
            formula = mathml(tex, display=element == "div")
        except ValueError as fault:
            raise PluginError(f"{page.file.src_uri}: {fault}") from fault
        return f'<{element} class="arithmatex">{formula}</{element}>'

    return _MARKED.sub(set_formula, content)


def mathml(tex: str, *, display: bool) -> str:
    r"""Return a formula in TeX as MathML.

    The converter knows `align*` but not `aligned`, and sets the number of an equation without a space. Browsers ignore
    `mathvariant` except `normal`, so a letter in another style is written as its own character of Unicode.

    Args:
        tex: The formula without its delimiters.
        display: Whether it stands on lines of its own.

    Raises:
        ValueError: A command is unknown to the converter, or the result is not well-formed.

    Example:
        >>> mathml(r"\mathbb 1", display=False)
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mn>𝟙</mn></mrow></math>'
    """
    known = re.sub(r"\\tag\{(\w+)\}", r"\\qquad (\\text{\1})", tex)
    known = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", known)
    found = _STYLED.sub(_in_unicode, convert(known, display="block" if display else "inline"))
    try:
        text = "".join(ElementTree.fromstring(found).itertext())
    except ElementTree.ParseError as fault:
        raise ValueError(f"the formula {tex!r} has no well-formed MathML: {fault}") from fault
    if "\\" in text:
        raise ValueError(f"the formula {tex!r} has a command that the converter to MathML does not know: {text!r}")
    return found


def _in_unicode(styled: re.Match[str]) -> str:
    """A letter or digit in a style of its own, as the character that Unicode has for it."""
    element, style, letter = styled.groups()
    kind = unicodedata.name(letter).replace("LATIN ", "").replace(" LETTER", "")
    return f"<{element}>{unicodedata.lookup(f'MATHEMATICAL {style.upper()} {kind}')}</{element}>"
