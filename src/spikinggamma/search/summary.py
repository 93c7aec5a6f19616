"""Text summary of a finished search."""

from __future__ import annotations

from spikinggamma.evaluation.summaries import table
from spikinggamma.search.findings import validated
from spikinggamma.search.search import SearchResult

__all__ = ["search_summary"]


def search_summary(found: SearchResult) -> str:
    """Return a summary of a search: the winner, the number of trials and the next command."""
    winner, states = found.winner, [row["state"] for row in found.rows]
    metric, value = validated(winner)
    ended = ", ".join(f"{states.count(state)} {state}" for state in ("whole", "pruned", "failed") if state in states)
    lines = [
        ("trials", str(len(found.rows)), ended),
        (
            "best trial",
            f"{winner['trial'] + 1} of {len(found.rows)}",
            f"validation {metric.title} {metric.text(value)}; in trials/{winner['trial']:04d}",
        ),
        *((key, str(value), "") for key, value in winner["values"].items()),
        ("search", str(found.path), "the test split was not used"),
    ]
    return f"\n{found.recipe.name}\n\n{table(lines)}\n\nNext: spikinggamma train {found.path / 'best.toml'}"
