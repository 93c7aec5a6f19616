"""The base class of all SpikingGamma layers: project, remember, mix, encode.

    u = P s_in             project: a linear map of the incoming spikes
    h = Γ u                remember: the gamma memory of each cell of u
    x = b + Σ_k Q_k h_k    mix: a linear map of the buckets
    s = code(max(x, 0))    encode: sigma-delta spikes (a read-out layer returns x)

Dense and convolutional layers project by W and mix the buckets of each cell by v (Q_k = diag v_k). A per-synapse layer
does not project and mixes by one matrix per bucket (Q_k = V_k). Learning rules use these maps and their adjoints, and
know no type of layer.

The file is longer than others since it is the whole interface between SpikingGamma layers and their learning rules.
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
    """Base class of layers of SpikingGamma neurons, and of read-outs with the same memory.

    Args:
        in_shape: Shape of one sample's input at one step, for example `(700,)` or `(2, 34, 34)`.
        out_shape: Shape of one sample's output at one step.
        cells: M, the number of memory cells: those of the output for dense and convolutional layers, those of the input
            for per-synapse layers.
        channels: Number of output channels, each with its bias.
        timescales: Time constants of the buckets.
        code: The sigma-delta code; None sends the signal itself.
        readout: Whether the layer is a read-out, which returns the signal x.
        rectify: Whether y = max(x, 0); else y = x (for studies of the learning rules).

    Attributes:
        weight: The matrices or kernels that set the scale of the signal.
        projection_learns: Whether P has parameters, so that the error signal of the drive is needed even in the first
            layer.
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
        """Return K, the number of buckets."""
        return self.timescales.order

    @property
    def rectifies(self) -> bool:
        """Return whether the layer encodes y = max(x, 0); a read-out does not."""
        return self.rectify and not self.readout

    def alpha(self, dt_ms: float) -> Float[Tensor, " K"]:
        """Return the decay per step of each bucket, [K].

        Raises:
            SpikingGammaError: The time step is longer than the shortest time constant.
        """
        tau_ms = self.timescales.tau_ms()
        return decay_factors(tau_ms.double(), dt_ms).to(self.bias)

    def initial_state(self, batch: int) -> SpikingGammaState:
        """Return a state of zeros: buckets [K, B, M], estimate and threshold adaptation [B, N]."""
        zeros = self.bias.new_zeros
        return SpikingGammaState(
            zeros(self.order, batch, self.cells), zeros(batch, self.neurons), zeros(batch, self.neurons)
        )

    @torch.no_grad()
    def run(
        self, inputs: Float[Tensor, "T B *in_shape"], state: SpikingGammaState, dt_ms: float
    ) -> tuple[LayerActivations, SpikingGammaState]:
        """Run a chunk without autograd; return its activations and the state after it.

        Args:
            inputs: Incoming spikes, [T, B, *in_shape].
            state: State before the chunk.
            dt_ms: Time step in ms.

        Raises:
            SpikingGammaError: The input does not fit the layer, the state belongs to another batch, or the time step is
                longer than the shortest time constant.
        """
        self.check(inputs, state)
        alpha = self.alpha(dt_ms)
        input_events = self.as_events(inputs)
        drive = self.project(inputs, input_events).flatten(2)
        signal, sent, counts, after = self.scan(drive, state, alpha, dt_ms)
        outputs = sent.view(*sent.shape[:2], *self.out_shape)
        return LayerActivations(inputs, drive, state, signal, outputs, counts, input_events), after

    def as_events(self, inputs: Float[Tensor, "T B *in_shape"]) -> SpikeEvents | None:
        """Return the input as a list of spikes if that makes products faster, forwards and backwards; else None."""
        return None

    def encode(
        self, signal: Float[Tensor, "T B N"], state: SigmaDeltaState, alpha: Float[Tensor, " K"], dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Int[Tensor, "T B N"] | None, SigmaDeltaState]:
        """Return the output for a signal: spikes, the code of an analogue layer, or the signal of a read-out.

        The output is differentiable with ∂ŷ/∂y = 1, also with respect to the estimate of `state`.

        Args:
            signal: x, [T, B, N].
            state: State of the code before the first step.
            alpha: Decay per step of each bucket, [K].
            dt_ms: Time step in ms.

        Returns:
            The output, the number of spikes at each step or None, and the final state.
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
        """Return where ∂y/∂x = 1, [T, B, N]: above zero, or everywhere for a layer that does not rectify."""
        return signal > 0 if self.rectifies else torch.ones_like(signal, dtype=torch.bool)

    def apply_relu_mask(self, grad: Float[Tensor, "T B N"], signal: Float[Tensor, "T B N"]) -> Float[Tensor, "T B N"]:
        """Return `grad` where `gate` is true and zero elsewhere, in one pass that overwrites `grad`."""
        if not self.rectifies:
            return grad
        shut: Tensor = torch.ops.aten.threshold_backward.grad_input(grad, signal, 0.0, grad_input=grad)
        return shut

    def signal_gradient(
        self, grad: Float[Tensor, "T B N"], signal: Float[Tensor, "T B N"], alpha: Float[Tensor, " K"]
    ) -> Float[Tensor, "T B N"]:
        """Return δ = ∂ℓ/∂x from ∂ℓ/∂s, through decoding and gate; for a read-out they are equal.

        Args:
            grad: ∂ℓ/∂s, [T, B, N].
            signal: x, [T, B, N].
            alpha: Decay per step of each bucket, [K].
        """
        return grad if self.readout else self.apply_relu_mask(decoded(grad, float(alpha[0])), signal)

    def check(self, inputs: Tensor, state: SpikingGammaState) -> None:
        """Check that input, state and layer fit together.

        Raises:
            SpikingGammaError: They do not.
        """
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
        """Check that the layer does not train its time constants, which `rule` does not support.

        Raises:
            SpikingGammaError: It trains them.
        """
        if self.timescales.trainable:
            raise SpikingGammaError(
                "train_tau", True, f"fixed time constants for the rule `{rule}`", "Use `windowed` to train them."
            )

    def cell_bias(self) -> Float[Tensor, " N"]:
        """Return the bias of every neuron, [N]; the cells of a channel share one."""
        return self.bias.repeat_interleave(self.neurons // len(self.bias))

    def accumulate_bias(self, delta: Float[Tensor, "T B N"]) -> None:
        """Add ∂ℓ/∂b = Σ_t δ(t) to the gradient."""
        add_gradient(self.bias, delta.view(-1, len(self.bias), self.neurons // len(self.bias)).sum((0, 2)))

    @abc.abstractmethod
    def forward(
        self, inputs: Float[Tensor, "T B *in_shape"], state: SpikingGammaState, dt_ms: float
    ) -> tuple[Float[Tensor, "T B *out_shape"], SpikingGammaState]:
        """Run a chunk under autograd, with the straight-through gradient of spikes; differentiable in `state` too.

        Args:
            inputs: Incoming spikes, [T, B, *in_shape].
            state: State before the chunk.
            dt_ms: Time step in ms.

        Returns:
            The output, [T, B, *out_shape], and the state after the chunk.
        """

    @abc.abstractmethod
    def project(
        self, inputs: Float[Tensor, "T B *in_shape"], input_events: SpikeEvents | None = None
    ) -> Float[Tensor, "T B *cell_shape"]:
        """Return u = P s_in.

        Args:
            inputs: s_in, [T, B, *in_shape].
            input_events: The same input as a list of spikes, if there is one already.
        """

    @abc.abstractmethod
    def fan_out(self) -> Float[Tensor, "*in_shape"]:
        """Return the number of weights of P that a spike at each input meets, [*in_shape]; zero without weights."""

    @abc.abstractmethod
    def project_adjoint(self, grad: Float[Tensor, "T B M"]) -> Float[Tensor, "T B *in_shape"]:
        """Return Pᵀ applied to an error signal of the memory cells."""

    @abc.abstractmethod
    def accumulate_projection(
        self,
        grad: Float[Tensor, "T B M"],
        inputs: Float[Tensor, "T B *in_shape"],
        input_events: SpikeEvents | None = None,
    ) -> None:
        """Add the gradient of P, Σ_t r(t) s(t)ᵀ, to its parameters.

        Args:
            grad: r, the error signal of the drive, [T, B, M].
            inputs: s, [T, B, *in_shape].
            input_events: The same input as a list of spikes, if there is one already.
        """

    @abc.abstractmethod
    def scan(
        self, drive: Float[Tensor, "T B M"], state: SpikingGammaState, alpha: Float[Tensor, " K"], dt_ms: float
    ) -> tuple[Float[Tensor, "T B N"], Float[Tensor, "T B N"], Int[Tensor, "T B N"] | None, SpikingGammaState]:
        """Remember, mix and encode without autograd.

        Args:
            drive: u, [T, B, M].
            state: State before the first step.
            alpha: Decay per step of each bucket, [K].
            dt_ms: Time step in ms.

        Returns:
            The signal x, the output and its counts as `encode` returns them, and the final state.
        """

    @abc.abstractmethod
    def scan_backward(
        self,
        grad: Float[Tensor, "T B N"],
        signal: Float[Tensor, "T B N"],
        drive: Float[Tensor, "S B M"],
        buckets: Float[Tensor, "K B M"],
        alpha: Float[Tensor, " K"],
    ) -> Float[Tensor, "T B M"]:
        """Return ∂ℓ/∂u, the backward pass of `scan`, and add the gradients of the mix and of the bias.

        Args:
            grad: ∂ℓ/∂s of the output, [T, B, N].
            signal: x, [T, B, N].
            drive: u of the first S <= T steps, [S, B, M]; the gradients of the parameters are those of these steps.
                Later steps only contribute to ∂ℓ/∂u.
            buckets: h before the first step, [K, B, M].
            alpha: Decay per step of each bucket, [K].
        """

    @abc.abstractmethod
    def signal_adjoint(
        self, delta: Float[Tensor, "T B N"], alpha: Float[Tensor, " K"]
    ) -> tuple[Float[Tensor, "T B M"], Float[Tensor, "K B M"]]:
        """Return r = ∂ℓ/∂u, given δ = ∂ℓ/∂x, and ∂ℓ/∂h before the first step."""

    @abc.abstractmethod
    def mix_adjoint(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B K M"]:
        """Return e_k = Q_kᵀ δ, the error signal of each bucket at the step when it is read, [T, B, K, M]."""

    @abc.abstractmethod
    def mix_adjoint_sum(self, delta: Float[Tensor, "T B N"]) -> Float[Tensor, "T B M"]:
        """Return Σ_k Q_kᵀ δ, [T, B, M], which treats every bucket as if it held the present drive."""

    @abc.abstractmethod
    def accumulate_mix(
        self,
        delta: Float[Tensor, "T B N"],
        drive: Float[Tensor, "T B M"],
        buckets: Float[Tensor, "K B M"],
        alpha: Float[Tensor, " K"],
    ) -> None:
        """Add ∂ℓ/∂Q_k = Σ_t δ(t) h_k(t)ᵀ to the parameters of Q, with buckets computed anew from the drive.

        Args:
            delta: δ, [T, B, N].
            drive: u, [T, B, M].
            buckets: h before the first step, [K, B, M].
            alpha: Decay per step of each bucket, [K].
        """

    @abc.abstractmethod
    def accumulate_mix_traces(self, delta: Float[Tensor, "T B N"], traces: Float[Tensor, "T B K M"]) -> None:
        """Add ∂ℓ/∂Q_k as `accumulate_mix` does, with buckets given at every step, [T, B, K, M]."""

    @abc.abstractmethod
    def require_own_parameters(self, rule: str) -> None:
        """Check that every parameter belongs to one neuron, as the traces of `rule` need.

        Raises:
            SpikingGammaError: Neurons share a parameter.
        """

    @abc.abstractmethod
    def sensitivities(
        self, senders: Float[Tensor, "K B *in_shape"], buckets: Float[Tensor, "K B M"]
    ) -> dict[str, Float[Tensor, ...]]:
        """Return ∂x_i/∂θ_i at one step for every parameter θ_i of a single neuron i, [B, N, ...] by name.

        Args:
            senders: Sender-side buckets ŝ, [K, B, *in_shape].
            buckets: h, [K, B, M].
        """

    @abc.abstractmethod
    def accumulate_sensitivities(self, products: dict[str, Float[Tensor, ...]]) -> None:
        """Add gradients given in the shapes of `sensitivities`, without the batch axis."""
