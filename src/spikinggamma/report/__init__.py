"""Draws what training wrote: a page for a run, or for several beside one another, and a picture for a README."""

from spikinggamma.report.page import write_page
from spikinggamma.report.picture import write_picture

__all__ = ["write_page", "write_picture"]
