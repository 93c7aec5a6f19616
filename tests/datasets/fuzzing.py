"""Readers under mutated bytes: every case is a valid result or a SpikingGammaError, in a process of its own.

Method: a mutation is drawn from a seed and the number of the case alone, so that a case can be repeated. Cases are read in a
worker process with all warnings as errors. A worker that dies (the HDF5 library is C) or needs more than `LONGEST_S` is
counted against the case that it was at, and the next one goes on behind it. Its memory is bounded, so that a length which
was made absurd is an error and not an exhausted machine.

A reader takes (path of the mutated file, bytes it was made of) and returns nothing; it raises `AssertionError` for a result
that is wrong in silence. To add one: an entry in `READERS` of `test_fuzz_readers.py`, with its bytes.
"""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikinggamma import SpikingGammaError

LONGEST_S = 60.0
_MEMORY_BYTES = 8 << 30

Reader = Callable[[Path, bytes], None]


class SpikeCounter(NamedTuple):
    """What came of the cases: how many were read, how many refused, and each failure with its case."""

    read: int
    refused: int
    failures: list[str]


def mutated(whole: bytes, case: int, seed: int = 0) -> bytes:
    """One mutation of some bytes: flips, bytes overwritten, a cut, an insertion, a stretch moved, doubled or zeroed."""
    rng = np.random.default_rng([seed, case])
    data = bytearray(whole)
    for _ in range(int(rng.choice([1, 1, 1, 2, 4, 16]))):
        kind = int(rng.integers(0, 8))
        at = int(rng.integers(0, max(len(data), 1)))
        # Headers are where readers go wrong, and they are short beside the data.
        if rng.random() < 0.5:
            at = min(at, int(rng.integers(0, 256)))
        length = int(rng.choice([1, 2, 4, 8, 64, 1000]))
        if kind == 0 and data:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1 and data:
            data[at] = int(rng.choice([0, 1, 127, 128, 255, int(rng.integers(0, 256))]))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = rng.bytes(length)
        elif kind == 4:
            del data[at : at + length]
        elif kind == 5:
            source = int(rng.integers(0, max(len(data), 1)))
            data[at : at + length] = data[source : source + length]
        elif kind == 6:
            data[at : at + length] = bytes(len(data[at : at + length]))
        else:  # a number somewhere, made extreme
            number = (0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)[int(rng.integers(0, 6))]
            data[at : at + 8] = number.to_bytes(8, "little")[: len(data[at : at + 8])]
    return bytes(data)


def fuzz(reader: Reader, seeds: Sequence[bytes], cases: int, *, suffix: str, seed: int = 0) -> SpikeCounter:
    """Read so many mutations of the given files in turn."""
    context = multiprocessing.get_context("fork")
    outcome: Counter[str] = Counter()
    failures: list[str] = []
    case = 0
    with tempfile.TemporaryDirectory() as folder:
        while case < cases:
            ours, theirs = context.Pipe(duplex=False)
            arguments = (theirs, reader, seeds, range(case, cases), Path(folder) / f"mutated{suffix}", seed)
            worker = context.Process(target=_work, args=arguments)
            worker.start()
            theirs.close()
            try:
                while case < cases:
                    if not ours.poll(LONGEST_S):
                        failures.append(f"case {case}: nothing after {LONGEST_S:.0f} s")
                        case += 1
                        break
                    kind, text = ours.recv()
                    outcome[kind] += 1
                    if kind == "failure":
                        failures.append(f"case {case}: {text}")
                    case += 1
            except EOFError:
                worker.join()
                failures.append(f"case {case}: the process died with {worker.exitcode}")
                case += 1
            finally:
                worker.kill()
                worker.join()
                ours.close()
    return SpikeCounter(outcome["read"], outcome["refused"], failures)


def _work(out: Connection, reader: Reader, seeds: Sequence[bytes], cases: range, path: Path, seed: int) -> None:
    import faulthandler
    import resource

    faulthandler.disable()  # a crash is told by the exit code
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    warnings.simplefilter("error")
    logging.disable()
    for case in cases:
        whole = seeds[case % len(seeds)]
        content = mutated(whole, case, seed)
        path.write_bytes(content)
        try:
            reader(path, content)
        except SpikingGammaError as error:
            named = path.name in str(error)
            out.send(("refused", "") if named else ("failure", f"names no file: {error}"))
        except BaseException:
            out.send(("failure", traceback.format_exc(limit=-3)))
        else:
            out.send(("read", ""))
