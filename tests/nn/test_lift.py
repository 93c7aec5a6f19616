"""A lifted module is the module at each step by itself: convolutions, pooling, flattening, normalisation, dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikinggamma import SpikingGammaError
from spikinggamma.nn import Lift, make_layer

SHAPE = (2, 7, 6)
MODULES: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1),
    "depthwise": lambda: nn.Conv2d(2, 4, 3, groups=2, bias=False),
    "average": lambda: nn.AvgPool2d(2),
    "maximum": lambda: nn.MaxPool2d(2, stride=1),
    "flatten": nn.Flatten,
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(84, 5)),
    "layer_norm": lambda: nn.LayerNorm([2, 7, 6]),
}
every_module = pytest.mark.parametrize("name", MODULES)


def made(name: str) -> tuple[Lift, Tensor]:
    torch.manual_seed(0)
    return Lift(MODULES[name](), SHAPE).double(), torch.randn(5, 3, *SHAPE, dtype=torch.float64)


@every_module
def test_it_is_the_module_at_each_step_with_its_gradients(name: str) -> None:
    layer, x = made(name)
    x.requires_grad_()
    parameters = list(layer.parameters())
    found, state = layer(x, layer.initial_state(3), 1.0)
    wanted = torch.stack([layer.module(frame) for frame in x.unbind(0)])
    assert state is None
    assert found.shape[2:] == layer.out_shape
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-13)
    told = torch.randn_like(wanted)
    for one, other in zip(*(torch.autograd.grad(y, [x, *parameters], told) for y in (found, wanted)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@every_module
def test_chunks_and_steps_are_the_whole(name: str) -> None:
    layer, x = made(name)
    whole, _ = layer(x, None, 1.0)
    for chunk in (1, 2):
        parts = torch.cat([layer(part, None, 1.0)[0] for part in x.split(chunk)])
        torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-13)


def test_statistics_of_a_lifted_batch_normalisation_are_over_time_and_batch() -> None:
    layer, x = Lift(nn.BatchNorm2d(2), SHAPE).double(), torch.randn(5, 3, *SHAPE, dtype=torch.float64)
    y, _ = layer.train()(x, None, 1.0)
    torch.testing.assert_close(y.transpose(0, 2).flatten(1).mean(1), torch.zeros(2).double(), rtol=0.0, atol=1e-12)
    module = layer.module
    assert isinstance(module, nn.BatchNorm2d)
    assert module.num_batches_tracked is not None
    assert int(module.num_batches_tracked) == 1  # finding the shape has left no trace


def test_finding_the_shape_leaves_the_mode_as_it_was() -> None:
    for training in (True, False):
        assert Lift(nn.Dropout(0.5).train(training), (4,)).module.training is training


def test_dropout_is_drawn_anew_at_each_step_and_rests_in_evaluation() -> None:
    layer, x = make_layer({"layer": "dropout", "share": 0.5}, (40,)), torch.ones(6, 1, 40)
    torch.manual_seed(0)
    dropped, _ = layer.train()(x, None, 1.0)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert len({tuple(row) for row in dropped[:, 0].tolist()}) == 6
    assert torch.equal(layer.eval()(x, None, 1.0)[0], x)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("average", lambda window: window.mean()), ("max", lambda window: window.max()), ("sum", lambda w: w.sum())],
)
def test_pooling_by_name(kind: str, wanted: Callable[[Tensor], Tensor]) -> None:
    layer, x = make_layer({"layer": "pool2d", "size": 3, "kind": kind}, SHAPE), torch.rand(2, 1, *SHAPE)
    y, _ = layer(x, None, 1.0)
    assert layer.out_shape == (2, 2, 2)
    assert float(y[1, 0, 1, 1, 0]) == pytest.approx(float(wanted(x[1, 0, 1, 3:6, 0:3])))


@pytest.mark.parametrize(
    ("options", "out_shape"),
    [({}, (16, 7, 6)), ({"kernel": 3, "padding": 0}, (16, 5, 4)), ({"stride": 2, "channels": 3}, (3, 4, 3))],
)
def test_convolutions_by_name(options: dict[str, Any], out_shape: tuple[int, ...]) -> None:
    layer = make_layer({"layer": "conv2d", **options}, SHAPE, torch.Generator().manual_seed(0))
    assert layer.out_shape == out_shape
    assert [name for name, _ in layer.named_parameters()] == ["module.weight"]


def test_initial_kernels_have_the_variance_of_their_fan_in() -> None:
    layer = make_layer({"layer": "conv2d", "channels": 400, "bias": True}, SHAPE, torch.Generator().manual_seed(0))
    weight, bias = layer.parameters()
    assert float(weight.detach().var()) == pytest.approx(1 / 18, rel=0.05)
    assert not bias.detach().any()


@pytest.mark.parametrize(
    ("module", "shape", "says"),
    [(nn.Linear(3, 2), (4,), r"\[4\] into Linear"), (nn.Conv2d(3, 2, 9), (3, 4, 4), r"into Conv2d")],
)
def test_a_shape_that_does_not_fit_is_named(module: nn.Module, shape: tuple[int, ...], says: str) -> None:
    with pytest.raises(SpikingGammaError, match=f"`in_shape`: got .*{says}"):
        Lift(module, shape)
