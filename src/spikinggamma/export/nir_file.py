"""Writing and reading of NIR files. A layer or node without an exact counterpart is refused by name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

from spikinggamma.errors import SpikingGammaError
from spikinggamma.export.fixed_thresholds import limit_spikes
from spikinggamma.export.fixed_thresholds import without_adaptation as stand_still
from spikinggamma.export.nir_compare import first_difference
from spikinggamma.export.nir_foreign import read_foreign_net
from spikinggamma.export.nir_gamma import gamma_wiring
from spikinggamma.export.nir_gamma_reader import read_gamma_net
from spikinggamma.export.nir_nodes import REMEDY, Nodes
from spikinggamma.export.nir_surrogate import surrogate_wiring
from spikinggamma.export.nir_surrogate_reader import read_surrogate_net
from spikinggamma.export.nir_wiring import milliseconds, nir_package
from spikinggamma.files.atomic import write_atomically
from spikinggamma.nn import GammaNet, SequenceNet, SurrogateNet
from spikinggamma.runs import Run, load_run

__all__ = ["FromNir", "nir_graph", "read_nir", "write_nir"]


class FromNir(NamedTuple):
    """A net read from a file, in evaluation mode, and the time step at which it equals the file's graph."""

    net: SequenceNet
    dt_ms: float


def write_nir(
    source: Run | SequenceNet | str | Path,
    path: str | Path,
    *,
    dt_ms: float | None = None,
    without_adaptation: bool = False,
    max_spikes: int | None = None,
) -> Path:
    """Write a net as a NIR file that is exact at one time step.

    Args:
        source: A net; or a run or its folder, for the net of its best epoch.
        path: The file.
        dt_ms: Time step; for a run, that of its recipe if not given.
        without_adaptation: Fix the thresholds first, which changes the net; the file records this.
        max_spikes: First limit the spikes of a neuron in a step; the file records this.

    Raises:
        SpikingGammaError: NIR cannot represent a layer exactly (the message says why); the time step is missing or bad;
            `nir` is not installed; or the file cannot be written.

    Example:
        >>> write_nir("runs/localisation-0-1", "owl.nir", without_adaptation=True, max_spikes=4)  # doctest: +SKIP
    """
    nir = nir_package()
    graph = nir_graph(source, dt_ms=dt_ms, without_adaptation=without_adaptation, max_spikes=max_spikes)
    content = io.BytesIO()
    nir.write(content, graph)
    write_atomically(Path(path), content.getvalue())
    return Path(path)


def nir_graph(
    source: Run | SequenceNet | str | Path,
    *,
    dt_ms: float | None = None,
    without_adaptation: bool = False,
    max_spikes: int | None = None,
) -> Any:
    """Return the `nir.NIRGraph` that `write_nir` writes, with the same arguments and errors."""
    net, step = _net_of(source, dt_ms)
    changes = []
    if without_adaptation:
        net = stand_still(_gamma(net, "without_adaptation"))
        changes.append("thresholds stand still (m = 0)")
    if max_spikes is not None:
        net = limit_spikes(_gamma(net, "max_spikes"), max_spikes)
        changes.append(f"at most {max_spikes} spikes a step")
    return _graph(net, step, "; ".join(changes))


def read_nir(path: str | Path, *, dt_ms: float | None = None) -> FromNir:
    """Read a NIR file as a net of this library, if there is one that equals it exactly.

    The net is inferred from the nodes and written again, and every node, number and edge is compared.

    Args:
        path: The file.
        dt_ms: Time step, for files without one in their metadata.

    Raises:
        SpikingGammaError: The file is not a NIR file; there is no time step; a node has no counterpart in this library (the
            message names it and the reason); or `nir` is not installed.

    Example:
        >>> net, dt_ms = read_nir("owl.nir")  # doctest: +SKIP
    """
    nir = nir_package()
    try:
        graph = nir.read(path)
    except (OSError, KeyError, ValueError, AssertionError, TypeError) as error:
        raise SpikingGammaError(str(path), f"a file that `nir` cannot read ({error})", "a NIR file") from None
    if not isinstance(graph, nir.NIRGraph):
        raise SpikingGammaError(str(path), f"a single {type(graph).__name__}", "a NIR graph")
    step = _step(graph, dt_ms)
    nodes = Nodes(graph.nodes)
    if "layer0_bucket0" in nodes:
        net: SequenceNet = read_gamma_net(nodes)
    elif "layer0_weight" in nodes:
        net = read_surrogate_net(nodes, step)
    else:
        return FromNir(read_foreign_net(graph, step).eval(), step)
    difference = first_difference(graph, _graph(net, step, ""))
    if difference is not None:
        name, got, expected = difference
        raise SpikingGammaError(
            name, got, f"{expected}, as in the net of this library that the other nodes say", REMEDY
        )
    return FromNir(net.eval(), step)


def _graph(net: SequenceNet, dt_ms: float, changes: str) -> Any:
    from spikinggamma import __version__

    if isinstance(net, GammaNet):
        (wiring, last), shape = gamma_wiring(net, dt_ms), (net.classes,)
    elif isinstance(net, SurrogateNet):
        (wiring, last), shape = surrogate_wiring(net, dt_ms), (net.classes,)
    else:
        reason = "a GammaNet or SurrogateNet: NIR has no node that rectifies, nor one that counts spikes to the end"
        raise SpikingGammaError("net", type(net).__name__, reason)
    return wiring.graph(shape, last, written_by=f"spikinggamma {__version__}", changed_before=changes or "nothing")


def _net_of(source: Run | SequenceNet | str | Path, dt_ms: float | None) -> tuple[SequenceNet, float]:
    if isinstance(source, SequenceNet):
        if dt_ms is None:
            raise SpikingGammaError("dt_ms", None, "the time step of the graph, which a net alone does not have")
        return source, dt_ms
    run = source if isinstance(source, Run) else load_run(source)
    return run.net(), run.recipe.data.dt_ms if dt_ms is None else dt_ms


def _gamma(net: SequenceNet, argument: str) -> GammaNet:
    if not isinstance(net, GammaNet):
        raise SpikingGammaError(argument, type(net).__name__, "a GammaNet: only its neurons have such a code")
    return net


def _step(graph: Any, dt_ms: float | None) -> float:
    said = graph.metadata.get("dt")
    if said is None and dt_ms is None:
        raise SpikingGammaError("dt_ms", None, "the time step: the file's metadata have no `dt`", "Give one.")
    step = milliseconds(float(said)) if said is not None else dt_ms
    if dt_ms is not None and dt_ms != step:
        raise SpikingGammaError("dt_ms", dt_ms, f"{step} ms, the time step at which the file's graph is exact")
    assert step is not None
    return step
