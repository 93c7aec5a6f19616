"""Build the engine for a stream from a run and settings."""

from __future__ import annotations

from spikinggamma.data import data_info
from spikinggamma.errors import SpikingGammaError
from spikinggamma.recipes import with_values
from spikinggamma.runs import Run, build_evaluator, pick_device
from spikinggamma.stream.engine import Engine
from spikinggamma.stream.online_learner import Teacher
from spikinggamma.stream.parsing import Vocabulary
from spikinggamma.stream.readout import Readout
from spikinggamma.stream.settings import Settings

__all__ = ["make_engine"]


def make_engine(run: Run, settings: Settings) -> tuple[Engine, Vocabulary]:
    """Return an engine with the net of a run's best epoch, and the vocabulary of a stream for it.

    Raises:
        SpikingGammaError: There is no checkpoint, the net cannot run at the time step, or a setting is out of range.
    """
    recipe, device = run.recipe, pick_device(settings.device)
    dt_ms = recipe.data.dt_ms if settings.dt_ms is None else settings.dt_ms
    if not 1e-3 <= dt_ms <= 60_000.0:
        raise SpikingGammaError("--dt-ms", dt_ms, "from a microsecond to a minute [ms]")
    # The recipe's check refuses a step that is longer than the shortest bucket.
    recipe = with_values(recipe, {"data.dt_ms": float(dt_ms)})
    info, recorded = data_info(recipe), data_info(with_values(recipe, {"data.n_channels": 0}))
    net = run.net("best", device=str(device))
    lessons = settings.lessons
    values = "values" in info.answer
    if values and lessons is not None:
        raise SpikingGammaError(
            "--learn", f"a net of {info.n_classes} values", "a net of classes, as labels are classes"
        )
    engine = Engine(
        net,
        dt_ms=dt_ms,
        channels=recorded.n_channels,
        heard=info.n_channels,
        chunk=settings.chunk,
        readout=Readout(
            build_evaluator(net, recipe, dt_ms=dt_ms).loss, dt_ms=dt_ms, forget_ms=settings.forget_ms, values=values
        ),
        class_names=info.class_names,
        remember_ms=settings.remember_ms,
        teacher=None if lessons is None else Teacher(net, lessons.applied(recipe)),
        device=device,
    )
    return engine, Vocabulary(recorded.n_channels, () if values else info.class_names)
