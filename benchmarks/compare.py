"""What has changed between two files of rows: `python benchmarks/compare.py OLD.jsonl NEW.jsonl`.

Rows that agree in everything but what was measured stand for the same: of each such pair, the numbers are told, old, new,
and new over old. Rows that only one file has are named. Two files come from two runs, perhaps on two machines: compare
times by their ratio within a file (`ratio_to_matmul`) where there is one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
# Whatever is neither one of these nor measured tells rows apart.
NOT_COMPARED = {"agreement", "command", "versions", "version", "environment", "holds", "runs", "demand", "rounds"}
MEASURED = {
    "speed": ("seconds", "ratio_to_matmul", "ratio_to_ours", "step_mib"),
    "memory": ("peak_mib", "step_mib", "ms_per_step", "mib_per_step", "peak_ratio", "step_ratio"),
}


def key(row: Row) -> str:
    """What a row is about."""
    measured = MEASURED[row["bench"]]
    about = {name: value for name, value in row.items() if name not in NOT_COMPARED and name not in measured}
    return json.dumps(about, sort_keys=True)


def read(path: Path) -> dict[str, Row]:
    """Rows of a file by what they are about; of two about the same, the later."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    unknown = {row.get("bench") for row in rows} - MEASURED.keys()
    if unknown:
        sys.exit(f"{path}: rows of {', '.join(map(str, sorted(unknown, key=str)))}; expected {', '.join(MEASURED)}")
    return {key(row): row for row in rows}


def differences(old: dict[str, Row], new: dict[str, Row]) -> Iterator[str]:
    """Lines for people."""
    for about in (about for about in old if about in new):
        yield " ".join(f"{name}={value}" for name, value in json.loads(about).items() if name not in ("bench", "seed"))
        for name in MEASURED[old[about]["bench"]]:
            before, after = old[about].get(name), new[about].get(name)
            if before and after is not None:
                yield f"    {name:16} {before:12.4g} {after:12.4g} {after / before:8.2f}"
    for title, one, other in (("only in the old file", old, new), ("only in the new file", new, old)):
        for about in sorted(one.keys() - other.keys()):
            yield f"{title}: {about}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    arguments = parser.parse_args()
    for line in differences(read(arguments.old), read(arguments.new)):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
