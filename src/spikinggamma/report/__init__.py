"""Draws what training and benches wrote: a page for runs or for rows of benches, and a picture for a README."""

from spikinggamma.report.cost_page import write_cost_page
from spikinggamma.report.drawing import write_report
from spikinggamma.report.page import write_page
from spikinggamma.report.picture import write_picture
from spikinggamma.report.recordings import show
from spikinggamma.report.speed_page import write_speed_page
from spikinggamma.report.timing_page import write_timing_page

__all__ = [
    "show",
    "write_cost_page",
    "write_page",
    "write_picture",
    "write_report",
    "write_speed_page",
    "write_timing_page",
]
