"""What every layer of the net is: project, remember, mix, speak.

    u = P s_in             project: a linear map of the spikes that come in
    h = Γ u                remember: the gamma memory of each cell of u
    x = b + Σ_k Q_k h_k    mix: a linear map of the buckets
    s = code(max(x, 0))    speak: sigma-delta spikes (a read-out layer stops at x)

Dense and convolutional layers project by W and mix each cell's buckets by v (Q_k = diag v_k); a per-synapse layer projects
by nothing at all and mixes by one matrix a bucket (Q_k = V_k). Learning rules see these maps and their adjoints, and no
layer type.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from spikinggamma.errors import SpikingGammaError
from spikinggamma.functional import SigmaDelta, SigmaDeltaState, SpikingGammaState, decay_factors
from spikinggamma.kernels import SpikeEvents
from spikinggamma.nn.autograd import decoded, sigma_delta
from spikinggamma.nn.layers.activations import LayerActivations, add_gradient
from spikinggamma.nn.layers.base import Layer
from spikinggamma.nn.layers.timescales import Timescales

__all__ = ["GammaLayer"]


class GammaLayer(Layer[SpikingGammaState]):
    """A layer of SpikingGamma neurons, or a read-out of the same memory.

    Args:
        in_shape: Shape of one sample's input at one step, for example `(700,)` or `(2, 34, 34)`.
        out_shape: Shape of one sample's output at one step.
        cells: M, the number of memory cells: the output's for dense and convolutional layers, the input's for per-synapse.
        channels: Number of output channels, each with its bias.
        timescales: Time constants of the buckets.
        code: The sigma-delta code; None passes the signal itself.
        readout: Whether the layer stops at the signal x.
        rectify: y = max(x, 0), or y = x (for studies of the learning rules).

    Attributes:
        weight: The matrices or kernels, whose scale sets the signal's.
        projection_learns: Whether P has parameters, so that blame on the drive is of use even where no layer lies below.
    """

    weight: nn.Parameter
    projection_learns: bool = True

    def __init__(
        self,
        in_shape: Sequence[int],
        out_shape: Sequence[int],
        cells: int,
        channels: int,
        timescales: Timescales,
        *,
        code: SigmaDelta | None,
        readout: bool,
        rectify: bool,
    ) -> None:
        super().__init__()
        self.in_shape = tuple(in_shape)
        self.out_shape = tuple(out_shape)
        self.cells = cells
        self.neurons = torch.Size(out_shape).numel()
        self.timescales = timescales
        self.code = code.validate() if code is not None else None
        self.readout = readout
        self.rectify = rectify
        self.bias = nn.Parameter(torch.zeros(channels))

    @property
    def order(self) -> int:
        """K, the number of buckets."""
        return self.timescales.order

    @property
    def rectifies(self) -> bool:
        """Whether y = max(x, 0) is what the layer speaks of; a read-out stops at x."""
        return self.rectify and not self.readout

    def alpha(self, dt_ms: float) -> Float[Tensor, " K"]:
        """Decay per step of each bucket; raises `SpikingGammaError` for a step longer than the shortest bucket."""
        tau_ms = self.timescales.tau_ms()
        return decay_factors(tau_ms.double(), dt_ms).to(self.bias)

    def initial_state(self, batch: int) -> SpikingGammaState:
        """All zero: buckets [K, B, M], estimate and threshold adaptation [B, N]."""
        zeros = self.bias.new_zeros
        return SpikingGammaState(
            zeros(self.order, batch, self.cells), zeros(batch, self.neurons), zeros(batch, self.neurons)
        )

    @torch.no_grad()
    def run(
        self, inputs: Float[Tensor, "T B *in_shape"], state: SpikingGammaState, dt_ms: float
    ) -> tuple[LayerActivations, SpikingGammaState]:
        """A chunk without autograd: what it leaves behind, and the state after it.

        Raises:
            SpikingGammaError: the input does not fit the layer, the state belongs to another batch, or the step is longer
                than the shortest bucket.
        """
        self.check(inputs, state)
        alpha = self.alpha(dt_ms)
        input_events = self.as_events(inputs)
        drive = self.project(inputs, input_events).flatten(2)
        signal, sent, counts, after = self.scan(drive, state, alpha, dt_ms)
        outputs = sent.view(*sent.shape[:2], *self.out_shape)
        return LayerActivations(inputs, drive, state, signal, outputs, counts, input_events), after

    def as_events(self, inputs: Float[Tensor, "T B *in_shape"]) -> SpikeEvents | None:
        """The input as a list of spikes, where products over it are the faster way; a list serves forwards and backwards."""
        return None

    def encode(
        self, signal: Float[Tensor, "T B N"], state: SigmaDeltaState, alpha: Float[Tensor, " K"], dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Int[Tensor, "T B N"] | None, SigmaDeltaState]:
        """What the layer sends for its signal: spikes, the rectified signal's own message, or the signal of a read-out.

        Differentiable, with ∂ŷ/∂y = 1, also in the estimate of `state`. The second value counts the spikes, if any.
        """
        if self.readout:
            return signal, None, state
        output = torch.relu(signal) if self.rectify else signal
        alpha_0 = float(alpha[0].detach())
        if self.code is not None:
            return sigma_delta(output, alpha_0, self.code, dt_ms, state)
        sent = output - alpha_0 * torch.cat([state.estimate.unsqueeze(0), output[:-1]])
        return sent, None, SigmaDeltaState(output[-1], state.adaptation)

    def gate(self, signal: Float[Tensor, "T B N"]) -> Bool[Tensor, "T B N"]:
        """Where ∂y/∂x = 1: above zero, or everywhere for a layer that does not rectify."""
        return signal > 0 if self.rectifies else torch.ones_like(signal, dtype=torch.bool)

    def apply_relu_mask(self, grad: Float[Tensor, "T B N"], signal: Float[Tensor, "T B N"]) -> Float[Tensor, "T B N"]:
        """`blame` where `gate` is open, zero elsewhere, in one pass and in its place."""
        if not self.rectifies:
            return grad
        shut: Tensor = torch.ops.aten.threshold_backward.grad_input(grad, signal, 0.0, grad_input=grad)
        return shut

    def signal_gradient(
        self, grad: Float[Tensor, "T B N"], signal: Float[Tensor, "T B N"], alpha: Float[Tensor, " K"]
    ) -> Float[Tensor, "T B N"]:
        """δ = ∂ℓ/∂x from ∂ℓ/∂s, the gradient on what was sent: decoded, where the gate is open; a read-out sends x itself."""
        return grad if self.readout else self.apply_relu_mask(decoded(grad, float(alpha[0])), signal)

    def check(self, inputs: Tensor, state: SpikingGammaState) -> None:
        """Raise `SpikingGammaError` unless input, state and layer fit together."""
        wanted = f"[T, B, {', '.join(map(str, self.in_shape))}]"
        if inputs.ndim < 3 or tuple(inputs.shape[2:]) != self.in_shape:
            raise SpikingGammaError("spikes", list(inputs.shape), wanted)
        if inputs.shape[0] == 0 or inputs.shape[1] == 0:
            raise SpikingGammaError("spikes", list(inputs.shape), f"{wanted} with at least one step and one sample")
        if inputs.dtype != self.bias.dtype:
            raise SpikingGammaError("spikes", inputs.dtype, f"{self.bias.dtype}, as the net's parameters")
        shape = [self.order, inputs.shape[1], self.cells]
        if list(state.buckets.shape) != shape:
            raise SpikingGammaError(
                "state",
                f"buckets of shape {list(state.buckets.shape)}",
                f"{shape} for this batch",
                "A state belongs to the batch that made it: start a new recording with state=None.",
            )

    def require_fixed_timescales(self, rule: str) -> None:
        """Raise `SpikingGammaError` if the layer trains its time constants, which `rule` cannot follow."""
        if self.timescales.trainable:
            raise SpikingGammaError(
                "train_tau", True, f"fixed time constants for the rule `{rule}`", "Use `windowed` to train them."
            )

    def cell_bias(self) -> Float[Tensor, " N"]:
        """b of every neuron: a channel's bias is shared by its cells."""
        return self.bias.repeat_interleave(self.neurons // len(self.bias))

    def accumulate_bias(self, delta: Float[Tensor, "T B N"]) -> None:
        """Add ∂ℓ/∂b = Σ_t δ(t) to the gradient."""
        add_gradient(self.bias, delta.view(-1, len(self.bias), self.neurons // len(self.bias)).sum((0, 2)))

    @abc.abstractmethod
    def forward(
        self, inputs: Float[Tensor, "T B *in_shape"], state: SpikingGammaState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], SpikingGammaState]:
        """The same chunk under autograd, exact in the straight-through sense, also in `state`."""

    @abc.abstractmethod
    def project(
        self, inputs: Float[Tensor, "T B *in_shape"], input_events: SpikeEvents | None = None
    ) -> Float[Tensor, "T B *cell_shape"]:
        """u = P s_in; `listed` is the same input, if it has been listed already."""

    @abc.abstractmethod
    def fan_out(self) -> Float[Tensor, "*in_shape"]:
        """Weights that a spike at each input meets on its way into the memory; zero where it meets none."""

    @abc.abstractmethod
    def project_adjoint(self, grad: Float[Tensor, "T B M"]) -> Float[Tensor, "T B *in_shape"]:
        """Pᵀ applied to blame on the memory cells."""

    @abc.abstractmethod
    def accumulate_projection(
        self,
        grad: Float[Tensor, "T B M"],
        inputs: Float[Tensor, "T B *in_shape"],
        input_events: SpikeEvents | None = None,
    ) -> None:
        """Add Σ_t r(t) s(t)ᵀ, the gradient of P, to the parameters that make P; `listed` as in `project`."""

    @abc.abstractmethod
    def scan(
        self, drive: Float[Tensor, "T B M"], state: SpikingGammaState, alpha: Float[Tensor, " K"], dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "T B N"], Int[Tensor, "T B N"] | None, SpikingGammaState]:
        """Remember, mix and speak without autograd: x, what is sent and its counts as `speak` has them, the state after."""

    @abc.abstractmethod
    def scan_backward(
        self,
        grad: Float[Tensor, "T B N"],
        signal: Float[Tensor, "T B N"],
        drive: Float[Tensor, "S B M"],
        buckets: Float[Tensor, "K B M"],
        alpha: Float[Tensor, " K"],
    ) -> Float[Tensor, "T B M"]:
        """The way back through `scan`: ∂ℓ/∂u, with the gradients of the mix and of the bias added.

        Args:
            grad: ∂ℓ/∂s, on what was sent.
            signal: x.
            drive: u of the first S steps, at most T: the parameters' gradients are those of these steps. Later ones only
                contribute to ∂ℓ/∂u.
            buckets: h before the first step.
            alpha: Decay per step.
        """

    @abc.abstractmethod
    def signal_adjoint(
        self, delta: Float[Tensor, "T B N"], alpha: Float[Tensor, " K"]
    ) -> tuple[Float[Tensor, "T B M"], Float[Tensor, "K B M"]]:
        """r = ∂ℓ/∂u of δ = ∂ℓ/∂x, and ∂ℓ/∂h before the first step."""

    @abc.abstractmethod
    def mix_adjoint(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B K M"]:
        """e_k = Q_kᵀ δ: the blame that each bucket takes at the time when it is taken."""

    @abc.abstractmethod
    def mix_adjoint_sum(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B M"]:
        """Σ_k Q_kᵀ δ, as if every bucket stood for the present."""

    @abc.abstractmethod
    def accumulate_mix(
        self,
        delta: Float[Tensor, "T B N"],
        drive: Float[Tensor, "T B M"],
        buckets: Float[Tensor, "K B M"],
        alpha: Float[Tensor, " K"],
    ) -> None:
        """Add ∂ℓ/∂Q_k = Σ_t δ(t) h_k(t)ᵀ to the parameters that make Q, the buckets filled anew from the drive."""

    @abc.abstractmethod
    def accumulate_mix_traces(self, delta: Float[Tensor, "T B N"], traces: Float[Tensor, "T B K M"]) -> None:
        """The same from given buckets at every step."""

    @abc.abstractmethod
    def require_own_parameters(self, rule: str) -> None:
        """Raise `SpikingGammaError` unless every parameter belongs to one neuron, as the traces of `rule` need."""

    @abc.abstractmethod
    def sensitivities(
        self, senders: Float[Tensor, "K B *in_shape"], buckets: Float[Tensor, "K B M"]
    ) -> dict[str, Float[Tensor, ...]]:
        """∂x_i/∂θ_i at one step for every parameter θ_i that only neuron i has, [B, N, ...]."""

    @abc.abstractmethod
    def accumulate_sensitivities(self, products: dict[str, Float[Tensor, ...]]) -> None:
        """Add gradients given in the shapes of `sensitivities`, without the batch axis."""
