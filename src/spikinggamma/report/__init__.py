"""Reports on runs and benchmarks: HTML pages, and a figure for a README."""

from spikinggamma.report.dispatch import write_report
from spikinggamma.report.pages.cost_page import write_cost_page
from spikinggamma.report.pages.recordings import show
from spikinggamma.report.pages.run_page import write_page
from spikinggamma.report.pages.speed_page import write_speed_page
from spikinggamma.report.pages.timing_page import write_timing_page
from spikinggamma.report.readme_figure import write_picture

__all__ = [
    "show",
    "write_cost_page",
    "write_page",
    "write_picture",
    "write_report",
    "write_speed_page",
    "write_timing_page",
]
