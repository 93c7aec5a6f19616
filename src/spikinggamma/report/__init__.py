"""Reports on runs and benchmarks: HTML pages, and a figure for a README."""

from spikinggamma.report.dispatch import write_report
from spikinggamma.report.pages.cost_page import write_cost_page
from spikinggamma.report.pages.papers_page import write_papers_page
from spikinggamma.report.pages.recordings import show
from spikinggamma.report.pages.run_page import write_page
from spikinggamma.report.pages.speed_page import write_speed_page
from spikinggamma.report.pages.timing_page import write_timing_page
from spikinggamma.report.readme_figure import write_picture
from spikinggamma.report.rows.claim_rows import ClaimRow, claim_of, read_claim_rows
from spikinggamma.report.rows.claim_table import claims_markdown, tally

__all__ = [
    "ClaimRow",
    "claim_of",
    "claims_markdown",
    "read_claim_rows",
    "show",
    "tally",
    "write_cost_page",
    "write_page",
    "write_papers_page",
    "write_picture",
    "write_report",
    "write_speed_page",
    "write_timing_page",
]
