"""Export a trained net as a C program, compile it, and compare its decisions with those of the library.

`write_c` writes the best epoch of a run as one C99 file that needs no other library and allocates no memory. The program reads
events from its standard input and writes, for each recording, a line `class DECISION STEPS SCORE ...`.

Run it with `python examples/export_to_c.py` (a minute), or with `--quick` (seconds, little training). It needs `cc`.
"""

from __future__ import annotations

import subprocess
import sys

from spikinggamma import export
from spikinggamma.evaluation import evaluate
from spikinggamma.recipes import load_recipe
from spikinggamma.training import train

QUICK = ["data.options.n_train=64", "data.options.n_validation=32", "data.options.n_test=32", "training.epochs=2"]


def main(quick: bool) -> None:
    run = train(load_recipe("isi_spikinggamma", QUICK if quick else ["training.epochs=3"]))
    source, program = run.path / "net.c", run.path / "net"
    export.write_c(run, source, number="int16")
    subprocess.run(["cc", "-std=c99", "-O2", "-o", str(program), str(source)], check=True)

    recordings = run.splits().test
    answers = subprocess.run(
        [str(program), "-q"], input=export.event_text(recordings), capture_output=True, text=True, check=True
    )
    decisions = [int(line.split()[1]) for line in answers.stdout.splitlines()]
    expected = evaluate(run, device="cpu")["predictions"]
    same = sum(ours == theirs for ours, theirs in zip(decisions, expected, strict=True))
    print(f"{same} of {len(expected)} decisions of {source} ({source.stat().st_size} bytes) as in the library")


if __name__ == "__main__":
    main("--quick" in sys.argv)
