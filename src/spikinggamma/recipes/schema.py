"""What a training run is made of: data, augmentation, net, learning rule and schedule, each key with its range.

A recipe is plain data. It is read from TOML (`load_recipe`), never from code; every key has a default, and an
unknown key, a wrong type or a value out of range is an error that names the key.

What a recipe names (a neuron, a learning rule, a loss, a layer) is an entry of a registry, and the options of an entry are a
table of the recipe: `[neuron]` of the neuron that `net.model` names, `[surrogate]` of the surrogate that `neuron.surrogate`
names, `[rule]` of `learning.rule`, `[loss]` of `learning.loss`, and each `[[layers]]` of a chain.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from spikinggamma.options import Section
from spikinggamma.recipes.option_tables import completed_tables
from spikinggamma.recipes.search_ranges import Range, Search
from spikinggamma.runtime import Products

__all__ = [
    "Augmentation",
    "Data",
    "Delays",
    "Learning",
    "Net",
    "Range",
    "Readout",
    "Recipe",
    "Search",
    "Training",
]

Option = bool | int | float | str | tuple[float, ...]
Count = Annotated[int, Field(ge=1, le=65_536)]
Milliseconds = Annotated[float, Field(gt=0.0, le=60_000.0)]


class Data(Section):
    """Which recordings, how they are split, and the time step at which the net meets them."""

    name: str = Field(
        default="localisation", min_length=1, description="a built-in task or a data set (`spikinggamma data list`)"
    )
    split: str = Field(
        default="official", min_length=1, description="how the data set is divided, e.g. official or speaker:george"
    )
    validation_fraction: float = Field(
        default=0.1, gt=0.0, lt=0.9, description="share of the training part kept for validation"
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="seed of the validation split and of generated tasks")
    dt_ms: Milliseconds = Field(default=1.0, description="time step [ms]; at most the shortest of net.tau_ms")
    n_channels: int = Field(
        default=0, ge=0, description="input channels; neighbours are summed down to this many; 0: as recorded"
    )
    variant: Literal["", "whole", "part", "norm", "whole_as_published", "part_as_published", "norm_as_published"] = (
        Field(
            default="",
            description="of speech: norm keeps as many spikes of a channel in every recording, part the same recordings whole; "
            "as_published: in bins, by statistics of all recordings, 60/15/15 % whoever speaks (Beyond Rate Coding)",
        )
    )
    perturb: tuple[str, ...] = Field(
        default=(), description="done to all parts alike, e.g. replacement=0.4, jitter=5ms, deletion=0.2"
    )
    options: dict[str, Option] = Field(default_factory=dict, description="further arguments of this data set's loader")


class Augmentation(Section):
    """Changes made anew to every training recording in every epoch; all off by default."""

    channel_shift: int = Field(default=0, ge=0, description="largest shift along the channels, in recorded channels")
    pixel_shift: float = Field(default=0.0, ge=0.0, description="largest shift of a camera's picture, in pixels")
    rotation_deg: float = Field(
        default=0.0, ge=0.0, le=180.0, description="largest turn of a camera's picture [degrees]"
    )
    zoom: float = Field(default=0.0, ge=0.0, le=0.9, description="largest relative change of a camera's picture's size")
    time_stretch: float = Field(default=0.0, ge=0.0, lt=1.0, description="largest relative change of speed")
    jitter_ms: float = Field(default=0.0, ge=0.0, le=1000.0, description="standard deviation of each event's time [ms]")
    deletion: float = Field(default=0.0, ge=0.0, lt=1.0, description="probability that an event is lost")


class Net(Section):
    """A feed-forward stack of layers; input and read-out sizes follow from the data.

    `model`, `hidden` and `signal_per_threshold` are for every kind of net, `recurrent` for surrogate-gradient neurons, the
    rest is SpikingGamma's. A chain has its `[[layers]]` instead.
    """

    model: str = Field(
        default="spikinggamma",
        description="spikinggamma, a kind of neurons (`spikinggamma neurons`), count_mlp, gru, or chain for [[layers]]",
    )
    recurrent: bool = Field(
        default=False, description="neurons of a hidden layer hear one another, a step late (surrogate-gradient nets)"
    )
    hidden: tuple[Count, ...] = Field(
        default=(64,), max_length=64, description="neurons in each fully connected hidden layer"
    )
    conv: tuple[tuple[Count, Count, Count], ...] = Field(
        default=(),
        max_length=64,
        description="convolutions before them: [channels, side of the kernel, stride] of each",
    )
    tau_ms: tuple[Milliseconds, ...] = Field(
        default=(4.0, 6.0, 8.0, 10.0), min_length=1, max_length=256, description="time constant of each bucket [ms]"
    )
    synapse: Literal["neuron", "synapse"] = Field(
        default="neuron", description="one bucket weight per neuron, or per synapse"
    )
    threshold: float = Field(default=0.1, gt=0.0, le=1e3, description="resting threshold; a spike is twice as high")
    adaptation: float = Field(
        default=0.1, ge=0.0, le=10.0, description="rise of the threshold per spike height; 0: none"
    )
    adaptation_tau_ms: Milliseconds = Field(default=50.0, description="time constant of that rise [ms]")
    max_spikes: int = Field(default=0, ge=0, description="most spikes a neuron sends in a step; 0: no limit, 1: binary")
    analogue: bool = Field(default=False, description="pass the signal itself instead of spikes, to see their price")
    train_tau: bool = Field(default=False, description="train the time constants of all buckets but the first")
    shortest_ms: float = Field(
        default=0.0, ge=0.0, description="floor of trained time constants [ms]; 0: half the shortest"
    )
    input_gain: float = Field(default=1.0, gt=0.0, le=1e3, description="height of one input event")
    signal_per_threshold: float = Field(
        default=5.0, gt=0.0, le=1e3, description="root mean square signal of a fresh layer, in thresholds"
    )


class Delays(Section):
    """Learnt axonal delays of the surrogate-gradient nets."""

    kind: str = Field(
        default="none", description="none, fractional (interpolated between steps) or floored (whole steps)"
    )
    input: bool = Field(default=False, description="input channels have delays of their own too")
    max_ms: Milliseconds = Field(default=50.0, description="longest delay [ms]")
    initial_ms: float = Field(
        default=-1.0, le=60_000.0, description="delays begin evenly from 0 to this [ms]; -1: the longest"
    )


class Readout(Section):
    """The read-out of the surrogate-gradient nets."""

    kind: str = Field(
        default="integrator", description="integrator: a leaky membrane; spikes: output neurons, for the loss spikemax"
    )
    tau_ms: float = Field(
        default=-1.0, le=60_000.0, description="time constant of that membrane [ms]; 0: none, -1: as the neurons"
    )


class Learning(Section):
    """How gradients are computed, and what is done with them."""

    rule: str = Field(default="windowed", description="how gradients are computed (`spikinggamma rules`)")
    loss: str = Field(default="sum", description="what is asked of the answer, and when (`spikinggamma losses`)")
    update: Literal["recording", "chunk", "step"] = Field(default="recording", description="when the parameters change")
    chunk: int = Field(default=0, ge=0, description="steps taken at a time; 0: the rule's own choice")
    activity_cost: float = Field(
        default=0.0, ge=0.0, le=1e3, description="price of speaking: loss per threshold of mean hidden output"
    )
    optimiser: Literal["adamw", "nadam"] = Field(default="adamw", description="torch.optim's AdamW or NAdam")
    learning_rate: float = Field(default=3e-3, gt=0.0, le=1.0, description="step size at the top of the schedule")
    bucket_rate_ratio: float = Field(
        default=1.0, ge=0.0, le=100.0, description="step size of bucket weights and time constants relative to it"
    )
    delay_rate_ms: float = Field(default=0.2, ge=0.0, le=1e3, description="step size of delays [ms]")
    weight_decay: float = Field(
        default=0.0, ge=0.0, le=1.0, description="decoupled decay of weights, and of nothing else"
    )
    clip_norm: float = Field(default=1.0, ge=0.0, description="largest norm of the whole gradient; 0: not clipped")
    schedule: Literal["constant", "cosine", "warmup_cosine", "linear"] = Field(
        default="cosine", description="course of the step size"
    )
    warmup_epochs: float = Field(default=1.0, ge=0.0, description="length of the rise in warmup_cosine")
    dropout: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="probability that a neuron is silent for a recording"
    )


class Training(Section):
    """How long, in which portions, from which seed."""

    epochs: int = Field(default=10, ge=1, le=1_000_000, description="passes over the training part")
    batch_size: int = Field(default=64, ge=1, le=65_536, description="recordings per batch")
    seed: int = Field(default=0, ge=0, lt=2**31, description="seed of weights, order, augmentation and dropout")
    threads: int = Field(
        default=2, ge=1, le=1024, description="CPU threads; sums round differently with another number"
    )
    products: Products = Field(
        default="float32",
        description="dense products are computed in it: float32, or bfloat16, which is coarse and fast",
    )


class Recipe(Section):
    """A whole recipe, one section per table of the file.

    Example:
        >>> Recipe().learning.rule
        'windowed'
    """

    name: str = Field(
        default="recipe", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="names the run's folder"
    )
    data: Data = Data()
    augment: Augmentation = Augmentation()
    net: Net = Net()
    neuron: dict[str, Any] = Field(default_factory=dict, description="options of the neuron that net.model names")
    surrogate: dict[str, Any] = Field(default_factory=dict, description="options of neuron.surrogate")
    delays: Delays = Delays()
    readout: Readout = Readout()
    learning: Learning = Learning()
    rule: dict[str, Any] = Field(default_factory=dict, description="options of learning.rule")
    loss: dict[str, Any] = Field(default_factory=dict, description="options of learning.loss")
    training: Training = Training()
    layers: tuple[dict[str, Any], ...] = Field(default=(), description="layers of a chain, in order")
    search: Search = Search()

    @model_validator(mode="after")
    def _complete(self) -> Recipe:
        """Check the tables of options, and complete them by defaults."""
        for table, values in completed_tables(self).items():
            object.__setattr__(self, table, values)
        return self
