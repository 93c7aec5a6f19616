"""Draws what training wrote: a page for a run, or for several beside one another, and a picture for a README."""

from spikinggamma.report.page import write_page
from spikinggamma.report.picture import write_picture
from spikinggamma.report.recordings import show

__all__ = ["show", "write_page", "write_picture"]
