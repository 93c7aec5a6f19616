"""Files: written, read by `nir`, read back as the same net, and refused by the name of a node where they are no net of ours."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from nir_interpreter import simulate
from test_nir_gamma import NETS, events, prepared, trained_tau
from test_nir_surrogate import CASES, make
from test_nir_surrogate import events as rival_events

from reference_surrogates import KINDS
from spikinggamma import recipes, training
from spikinggamma.errors import SpikingGammaError
from spikinggamma.export import nir_graph, read_nir, without_adaptation, write_nir
from spikinggamma.functional import SigmaDelta
from spikinggamma.nn import GammaNet, SurrogateNet, dense_net

Graph = nir.NIRGraph


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("make_net", NETS)
def test_a_net_that_is_read_back_is_the_same_to_the_last_bit(
    make_net: Callable[[], GammaNet], dtype: torch.dtype, tmp_path: Path
) -> None:
    net = prepared(make_net).to(dtype)
    back, dt_ms = read_nir(write_nir(net, tmp_path / "net.nir", dt_ms=2.0))
    spikes = events(net).to(dtype)
    assert dt_ms == 2.0
    assert not back.training
    with torch.no_grad():
        ours, theirs = (one(spikes, dt_ms=2.0)[0] for one in (net, back))
    # A time constant that was trained in double precision need not survive the change of unit to its last bit.
    if make_net is trained_tau and dtype == torch.float64:
        torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-13)
    else:
        assert torch.equal(theirs, ours)


@pytest.mark.parametrize(("neuron", "readout", "axons"), CASES)
def test_rivals_too(neuron: str, readout: str, axons: str, tmp_path: Path) -> None:
    net, dt_ms = make(neuron, readout, axons), 0.5
    back, _ = read_nir(write_nir(net, tmp_path / "net.nir", dt_ms=dt_ms))
    assert isinstance(back, SurrogateNet)
    assert (back.neuron, "spikes" if back.integrator is None else "integrator") == (KINDS[neuron]["neuron"], readout)
    spikes = rival_events()
    with torch.no_grad():
        ours, theirs = (one(spikes, dt_ms=dt_ms)[0] for one in (net, back))
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-12)
    if readout == "spikes":
        assert torch.equal(ours, theirs)


def test_a_readout_alone(tmp_path: Path) -> None:
    nets = [dense_net((3, 2), tau_ms=(4.0, 8.0)), SurrogateNet((3, 2), options={"synapse_tau_ms": 3.0})]
    spikes = torch.poisson(torch.full((30, 2, 3), 0.4), torch.Generator().manual_seed(0))
    for net in nets:
        back, _ = read_nir(write_nir(net, tmp_path / "net.nir", dt_ms=2.0))
        with torch.no_grad():
            torch.testing.assert_close(back(spikes, dt_ms=2.0)[0], net(spikes, dt_ms=2.0)[0], rtol=0, atol=1e-6)


def test_a_file_says_how_it_is_to_be_run(tmp_path: Path) -> None:
    net = dense_net((3, 4, 2), tau_ms=(4.0, 8.0))
    path = write_nir(net, tmp_path / "net.nir", dt_ms=2.0, without_adaptation=True, max_spikes=3)
    about = nir.read(path).metadata
    assert about["dt"] == pytest.approx(0.002, rel=1e-15)
    assert "LI takes one Euler step with the input of this step" in about["discretisation"]
    assert about["changed_before"] == "thresholds stand still (m = 0); at most 3 spikes a step"
    assert net.hidden[0].code == SigmaDelta(), "the net that was given is changed"
    back, _ = read_nir(path)
    assert isinstance(back, GammaNet)
    assert back.hidden[0].code == SigmaDelta(adaptation=0.0, max_spikes=3)


def test_a_limit_that_never_binds_changes_nothing(tmp_path: Path) -> None:
    net = prepared(lambda: dense_net((6, 12, 9, 3), tau_ms=(4.0, 7.0)))
    spikes = events(net)
    wanted, _ = without_adaptation(net)(spikes, dt_ms=2.0)
    path = write_nir(net, tmp_path / "net.nir", dt_ms=2.0, without_adaptation=True, max_spikes=60)
    found = simulate(nir.read(path), spikes.numpy())["output"]
    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=0, atol=1e-13)


@pytest.mark.long
def test_a_run_brings_its_own_time_step(tmp_path: Path) -> None:
    settings = ["data.options.n_train=20", "data.options.n_validation=9", "data.options.n_test=9"]
    settings += ["data.options.duration_ms=40.0", "data.options.lags_ms=[-8.0, 0.0, 8.0]", "training.threads=1"]
    settings += ["data.dt_ms=4.0", "net.hidden=[4]", "net.tau_ms=[4.0, 6.0]", "training.epochs=1"]
    settings += ["net.adaptation=0.0", "net.max_spikes=2"]
    run = training.train(recipes.load_recipe("localisation", settings), tmp_path / "run", device="cpu")
    back, dt_ms = read_nir(write_nir(run.path, tmp_path / "net.nir"))
    assert dt_ms == 4.0
    assert read_nir(write_nir(run, tmp_path / "fine.nir", dt_ms=1.0)).dt_ms == 1.0
    spikes = torch.ones(5, 2, back.stack[0].in_shape[0])
    with torch.no_grad():
        assert torch.equal(back(spikes, dt_ms=4.0)[0], run.net()(spikes, dt_ms=4.0)[0])


def another_number(graph: Graph) -> None:
    graph.nodes["layer0_threshold2"].threshold[1] *= 1.5


def another_time_constant(graph: Graph) -> None:
    graph.nodes["layer1_bucket1"].tau[0] *= 1.0001


def another_resistance(graph: Graph) -> None:
    graph.nodes["layer0_estimate"].r[:] *= 2.0


def one_bucket_weight(graph: Graph) -> None:
    graph.nodes["layer0_signal"].weight[0, 1] = 0.5


def a_missing_edge(graph: Graph) -> None:
    graph.edges.remove(("layer0_expected", "layer0_threshold1"))


def another_edge(graph: Graph) -> None:
    graph.edges.append(("layer0_sent", "layer0_estimate2"))
    graph.nodes["layer0_estimate2"] = graph.nodes["layer0_estimate"]


def another_kind(graph: Graph) -> None:
    node = graph.nodes["layer0_bucket0"]
    graph.nodes["layer0_bucket0"] = nir.LIF(node.tau, node.r, node.v_leak, v_threshold=np.ones_like(node.tau))


def a_missing_node(graph: Graph) -> None:
    del graph.nodes["layer0_tap1"]
    graph.edges = [edge for edge in graph.edges if "layer0_tap1" not in edge]


TAMPERED = {
    another_number: "layer0_threshold2",
    another_time_constant: "layer1_bucket1",
    another_resistance: "layer0_estimate",
    one_bucket_weight: "layer0_signal",
    a_missing_edge: "layer0_threshold1",
    another_edge: "layer0_estimate2",
    another_kind: "layer0_bucket0",
    a_missing_node: "layer0_tap1",
}


@pytest.mark.parametrize(("tamper", "name"), TAMPERED.items())
def test_a_graph_that_is_almost_a_net_is_refused_by_the_node(
    tamper: Callable[[Graph], None], name: str, tmp_path: Path
) -> None:
    net = dense_net((3, 4, 2), tau_ms=(4.0, 8.0), code=SigmaDelta(adaptation=0.0, max_spikes=3))
    graph = nir_graph(net, dt_ms=2.0)
    tamper(graph)
    nir.write(tmp_path / "net.nir", graph)
    with pytest.raises(SpikingGammaError) as raised:
        read_nir(tmp_path / "net.nir")
    assert raised.value.argument == name


def row(*nodes: Any) -> Graph:
    return nir.NIRGraph.from_list(*nodes)


def li(tau: float = 0.01, r: float = 2.0, v_leak: float = 0.0) -> nir.LI:
    return nir.LI(tau=np.full(2, tau), r=np.full(2, r), v_leak=np.full(2, v_leak))


WEIGHT = np.array([[1.0, -0.5, 2.0], [0.3, 0.7, -1.0]], dtype=np.float32)


def test_a_readout_that_somebody_else_wrote_is_read(tmp_path: Path) -> None:
    nir.write(tmp_path / "net.nir", row(nir.Linear(WEIGHT), li()))
    net, dt_ms = read_nir(tmp_path / "net.nir", dt_ms=2.0)
    graph = nir.read(tmp_path / "net.nir")
    graph.metadata["dt"] = 0.002
    spikes = np.random.default_rng(0).poisson(0.5, (40, 2, 3)).astype(np.float32)
    with torch.no_grad():
        found = net(torch.from_numpy(spikes), dt_ms=dt_ms)[0].numpy()
    np.testing.assert_allclose(found, simulate(graph, spikes)["output"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("graph", "name", "says"),
    [
        (row(nir.Linear(WEIGHT), nir.LIF(*np.ones((4, 2)))), "lif", "reset by subtraction"),
        (row(nir.Linear(WEIGHT), nir.CubaLIF(*np.ones((5, 2)))), "cubalif", "reset by subtraction"),
        (row(nir.Affine(WEIGHT, np.ones(2)), li()), "affine", "a bias in front"),
        (row(nir.Linear(WEIGHT), li(v_leak=1.0)), "li", "v_leak 0"),
        (row(nir.Linear(WEIGHT), nir.Threshold(np.ones(2))), "threshold", "LI"),
        (row(nir.Linear(WEIGHT), li(), nir.Linear(np.eye(2))), "linear_1", "Output"),
    ],
)
def test_what_is_not_exactly_ours_is_refused_by_the_node(graph: Graph, name: str, says: str, tmp_path: Path) -> None:
    nir.write(tmp_path / "net.nir", graph)
    with pytest.raises(SpikingGammaError, match=says) as raised:
        read_nir(tmp_path / "net.nir", dt_ms=2.0)
    assert raised.value.argument == name


def test_bad_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    with pytest.raises(SpikingGammaError, match="cannot read"):
        read_nir(path)
    path.write_bytes(b"not HDF5")
    with pytest.raises(SpikingGammaError, match="cannot read"):
        read_nir(path)
    nir.write(path, row(nir.Linear(WEIGHT), li()))
    with pytest.raises(SpikingGammaError, match="no `dt`"):
        read_nir(path)
    with pytest.raises(SpikingGammaError, match="shortest"):
        read_nir(path, dt_ms=20.0)
    write_nir(dense_net((3, 2), tau_ms=(4.0,)), path, dt_ms=2.0)
    with pytest.raises(SpikingGammaError, match=r"2\.0 ms, the time step"):
        read_nir(path, dt_ms=1.0)
    with pytest.raises(SpikingGammaError, match="nowhere"):
        write_nir(dense_net((3, 2), tau_ms=(4.0,)), tmp_path / "nowhere" / "net.nir", dt_ms=2.0)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SpikingGammaError, match=r"pip install nir"):
        read_nir(tmp_path / "net.nir")
