"""A trained net as one readable C99 file that reads events and writes spikes, class and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from spikinggamma import __version__
from spikinggamma.data import data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.c_tables import CLayer, fixed_layer, float_layer, real
from spikinggamma.export.fixed_point import WIDTHS, Scaled, scaled, state_shift
from spikinggamma.export.program_net import ProgramNet, program_net
from spikinggamma.files.atomic import write_atomically
from spikinggamma.learning import judging_loss
from spikinggamma.runs import Run, load_run

__all__ = ["NUMBERS", "c_program", "program_of_run", "write_c"]

NUMBERS = ("float", *WIDTHS)


def write_c(run: Run | str | Path, out: str | Path, *, number: str = "float", dt_ms: float | None = None) -> Path:
    """Write the best epoch of a run as a C program.

    Args:
        run: A run or its folder.
        out: The file.
        number: What it computes in: float, int16 or int32.
        dt_ms: Time step; as trained if not given.

    Returns:
        The file.

    Raises:
        SpikingGammaError: There is no run, a layer of the net cannot be exported (the message says why), or the file cannot be
            written.
    """
    path = Path(out)
    write_atomically(path, c_program(program_of_run(run, dt_ms=dt_ms), number=number, file_name=path.name).encode())
    return path


def program_of_run(run: Run | str | Path, *, dt_ms: float | None = None) -> ProgramNet:
    """Return the net of a run's best epoch with the settings of its recipe that a program needs.

    Raises:
        SpikingGammaError: As in `write_c`.
    """
    run = run if isinstance(run, Run) else load_run(run)
    recipe = run.recipe
    recorded = recipe.model_copy(update={"data": recipe.data.model_copy(update={"n_channels": 0})})
    info = data_info(recorded)
    if "values" in info.answer:
        remedy = "NIR takes it: --to nir."
        raise SpikingGammaError("run", f"a net of {info.n_classes} values", "a net that says a class", remedy)
    return program_net(
        run.net("best"),
        dt_ms=recipe.data.dt_ms if dt_ms is None else dt_ms,
        loss=judging_loss(recipe.learning.loss, step_labels=info.step_labels),
        channels=info.n_channels,
        title=f"{recipe.name}: {info.title}; classes {', '.join(info.class_names)}",
    )


def c_program(net: ProgramNet, *, number: str = "float", file_name: str = "net.c") -> str:
    """Return the program as text.

    Raises:
        SpikingGammaError: The number format is unknown, or a weight is too large for it.

    Example:
        >>> from spikinggamma.nn import dense_net
        >>> small = program_net(dense_net((3, 4, 2), tau_ms=(4.0, 8.0)), dt_ms=2.0)
        >>> c_program(small, number="int16").count("static const weight weights_")
        2
    """
    if number not in NUMBERS:
        raise SpikingGammaError("number", repr(number), f"one of {', '.join(NUMBERS)}")
    kind = "float" if number == "float" else "fixed"
    words = _float_words(net) if kind == "float" else _fixed_words(net, number)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("spikinggamma.export"),
        autoescape=False,  # the output is C, not HTML; `_remark` sanitises text from outside
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("net.c").render(
        net=net,
        title=_remark(net.title),
        kind=kind,
        file_name=_remark(file_name),
        version=__version__,
        most_senders=max(layer.inputs for layer in net.layers),
        **words,
    )


def _float_words(net: ProgramNet) -> dict[str, Any]:
    layers = [float_layer(index, layer) for index, layer in enumerate(net.layers, start=1)]
    return {"layers": layers, "gain": real(net.input_gain)}


def _fixed_words(net: ProgramNet, number: str) -> dict[str, Any]:
    widths, shift = WIDTHS[number], state_shift(net)
    layers = [fixed_layer(index, layer, widths, shift) for index, layer in enumerate(net.layers, start=1)]
    thresholds = [layer.code.threshold for layer in net.layers if layer.code is not None]
    return {
        "layers": layers,
        "gain": _gain(net.input_gain, shift),
        "bits": widths.weight,
        "state_shift": shift,
        "threshold_units": " or ".join(dict.fromkeys(str(round(value * 2.0**shift)) for value in thresholds)),
        "largest_state": f"{(2**31 - 1) / 2.0**shift:.9g}",
        "weight_units": _shifts(layers, "weight_shift"),
        "bucket_units": _shifts(layers, "bucket_shift"),
    }


def _gain(gain: float, shift: int) -> Scaled:
    """Return the height of an event in units of a state, with as many fractional bits as fit."""
    return scaled("input_gain", gain * 2.0**shift, 38)  # times 2^24 events stays below 2^62


def _shifts(layers: list[CLayer], name: str) -> str:
    return ", ".join(f"2^-{getattr(layer, name)}" for layer in layers)


def _remark(text: str) -> str:
    """Return the text as printable ASCII on one line that cannot end a C comment."""
    plain = "".join(character if character.isascii() and character.isprintable() else "?" for character in text)
    return plain.replace("*/", "* /").replace("/*", "/ *")
