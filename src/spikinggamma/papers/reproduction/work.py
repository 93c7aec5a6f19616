"""Calls one task of an experiment in its own process, and writes what it measured.

python -m spikinggamma.papers.reproduction.work '{"call": "module:function", "folder": ..., "options": {"seed": 0}}'
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from spikinggamma.bench.rows import write_rows
from spikinggamma.bench.run_work import end_with
from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import remove_leftovers
from spikinggamma.papers.reproduction.tasks import RESULT
from spikinggamma.runtime import torch_threads

__all__ = ["main"]

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Do the task of the JSON argument; return 0, or 2 for bad input, whose message ends the log."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    # As on the command line, a terminated run can be resumed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    told = json.loads(arguments[0])
    module, _, function = told["call"].partition(":")
    folder = Path(told["folder"])
    remove_leftovers(folder)
    try:
        with torch_threads(1):
            measured = getattr(importlib.import_module(module), function)(folder, **told["options"])
    except SpikingGammaError as error:
        _log.error("error: %s", error)
        return 2
    write_rows(folder / RESULT, [measured])
    return 0


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    sys.exit(main(sys.argv[1:]))
