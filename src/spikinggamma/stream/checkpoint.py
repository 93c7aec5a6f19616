"""Checkpoints of a stream, from which it continues after its process was killed. They are written atomically.

A checkpoint holds the positions in the input and in the output, the items that wait for their turn, the net's state, the
segments that labels may still refer to, weights and optimiser. Beside it the file `position` holds the input position as text,
for a sender that must know it before it starts: it is never ahead of the checkpoint.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikinggamma.errors import SpikingGammaError
from spikinggamma.files.atomic import write_atomically
from spikinggamma.nn.state import map_tensors, tensors_of
from spikinggamma.runs import restore_net
from spikinggamma.stream.cursor import Place, Tally
from spikinggamma.stream.engine import Engine
from spikinggamma.stream.ordering import Order
from spikinggamma.stream.readout import Evidence
from spikinggamma.stream.recent import Memory, Portion, Span
from spikinggamma.stream.records import Items

__all__ = ["POSITION", "STATE", "load_state", "restore_engine", "restore_order", "save_state", "state_of"]

STATE, POSITION = "stream.pt", "position"
_FORMAT = 1
Content = dict[str, Any]


def state_of(engine: Engine, order: Order) -> Content:
    """Return the part of a checkpoint that stores the engine and the order."""
    content: Content = {"order": _order(order), "place": _place(engine.place), "pending": _tensor(engine.pending)}
    content["memory"] = [_span(span) for span in engine.memory.spans]
    content["net"] = {name: tensor.detach().cpu() for name, tensor in engine.net.state_dict().items()}
    if engine.teacher is not None:
        content["optimiser"] = engine.teacher.optimiser.state_dict()
        content["lessons"] = engine.teacher.lessons
    return content


def save_state(folder: Path, content: Content, settings: Mapping[str, str], position: int) -> None:
    """Write a checkpoint.

    Raises:
        SpikingGammaError: It cannot be written; the previous one is unchanged.
    """
    buffer = io.BytesIO()
    torch.save(content | {"format": _FORMAT, "settings": dict(settings)}, buffer)
    write_atomically(folder / STATE, buffer.getvalue(), remedy="The checkpoint before it is as it was.")
    write_atomically(folder / POSITION, f"{position}\n".encode())


def load_state(folder: Path, settings: Mapping[str, str]) -> Content | None:
    """Load the checkpoint of a folder; return None where there is none. No code is executed.

    Raises:
        SpikingGammaError: It is damaged, or belongs to a stream with other settings.
    """
    path = folder / STATE
    if not path.is_file():
        return None
    expected = "the whole checkpoint of a stream"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # zip, pickle and torch each raise errors of their own; the cause is the file in every case.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise SpikingGammaError(str(path), f"a damaged file ({reason})", expected, "Name another --state.") from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise SpikingGammaError(str(path), "a file of another kind", expected, "Name another --state.")
    before = content["settings"]
    for name, value in settings.items():
        if before.get(name) != value:
            got = "another run" if name == "recipe" else f"{before.get(name)} before and {value} now"
            remedy = "Go on with the same command, or name another --state."
            raise SpikingGammaError(f"{name} of the stream in {path}", got, "the same as before", remedy)
    return dict(content)


def restore_engine(engine: Engine, content: Content, path: Path) -> None:
    """Restore the engine from a checkpoint."""
    restore_net(engine.net, content["net"], path)
    saved = content["place"]
    engine.place = Place(
        evidence=Evidence(saved["evidence"], saved["weight"]),
        **{name: saved[name] for name in ("segment", "begin_us", "clock_us", "grid", "ran")},
        tally=Tally(**saved["tally"]),
    )
    if saved["ran"]:
        leaves = iter(saved["state"])
        engine.place.state = map_tensors(lambda like: next(leaves).to(like.device), engine.state_after_a_step())
    engine.pending[:] = content["pending"].numpy()
    _restore_memory(engine.memory, content["memory"])
    if engine.teacher is not None:
        engine.teacher.optimiser.load_state_dict(content["optimiser"])
        engine.teacher.lessons = content["lessons"]


def restore_order(order: Order, content: Content) -> None:
    """Restore the order from a checkpoint."""
    saved = content["order"]
    order.highest, order.dropped, order.dropped_marks = saved["highest"], saved["dropped"], saved["dropped_marks"]
    order.turns = saved["turns"].numpy()
    order.held = Items(*(column.numpy() for column in saved["held"]))


def _order(order: Order) -> Content:
    held = [_tensor(column) for column in order.held]
    numbers = {"highest": order.highest, "dropped": order.dropped, "dropped_marks": order.dropped_marks}
    return {"held": held, "turns": _tensor(order.turns), **numbers}


def _place(place: Place) -> Content:
    saved = {name: getattr(place, name) for name in ("segment", "begin_us", "clock_us", "grid", "ran")}
    saved |= {"evidence": place.evidence.total, "weight": place.evidence.weight, "tally": asdict(place.tally)}
    return saved | {"state": [tensor.detach().cpu() for tensor in tensors_of(place.state)]}


def _span(span: Span) -> Content:
    portions = [(part.first, part.steps, _tensor(part.places), _tensor(part.counts)) for part in span.portions]
    saved = {"number": span.number, "begin_us": span.begin_us, "end_us": span.end_us}
    return saved | {"marks_us": list(span.marks_us), "portions": portions, "said": list(span.said)}


def _restore_memory(memory: Memory, saved: list[Content]) -> None:
    memory.spans.clear()
    for one in saved:
        portions = (
            Portion(first, steps, places.numpy(), counts.numpy()) for first, steps, places, counts in one["portions"]
        )
        said = deque((when, what) for when, what in one["said"])
        memory.spans.append(
            Span(one["number"], one["begin_us"], one["end_us"], list(one["marks_us"]), deque(portions), said)
        )


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.copy())
