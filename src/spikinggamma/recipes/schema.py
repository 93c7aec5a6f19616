"""The keys of a recipe, with their defaults and ranges: data, augmentation, net, learning rule and schedule.

A recipe is plain data. It is read from TOML (`load_recipe`), never from code. Every key has a default; an unknown key,
a wrong type or a value out of range is an error that names the key.

A recipe names entries of registries (neurons, learning rules, losses, layers), and the options of an entry are a table
of the recipe: `[neuron]` for the neuron in `net.model`, `[surrogate]` for that in `neuron.surrogate`, `[rule]` for
`learning.rule`, `[loss]` for `learning.loss`, `[encoder]` for `data.encoder`, and each of the `[[layers]]` of a chain.

The file is longer than others since a recipe's keys are described in one place.
"""

from __future__ import annotations

from pathlib import Path
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
    """The recordings, their division into parts, and the time step at which the net reads them.

    Recordings of one's own have a `path`, and `name` is what lies there. What is found there, `classes`, `sensor` and
    `answer`, is written into the recipe of a run, so that its net can be built where the recordings are not.
    """

    name: str = Field(
        default="localisation",
        min_length=1,
        description="name of a built-in task or a data set (`spikinggamma data list`)",
    )
    path: str = Field(default="", description="your own recordings: a folder or a file; none: those of `name`")
    layout: str = Field(default="", description="how they lie there (`spikinggamma layouts`); none: found by a look")
    encoder: str = Field(default="", description="turns signals at `path` into events (`spikinggamma encoders`)")
    scale: Literal["none", "standard", "range"] = Field(
        default="none",
        description="of signals, by the training part: standard: mean 0, deviation 1; range: from 0 to 1",
    )
    classes: tuple[str, ...] = Field(default=(), description="classes at `path`, in order; none: as found")
    sensor: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(), description="channels at `path`, or polarities, rows and columns of a camera; none: as found"
    )
    answer: Literal["", "class", "step_class", "values", "step_values"] = Field(
        default="", description="what recordings at `path` are labelled with; none: as found"
    )
    split: str = Field(
        default="official",
        min_length=1,
        description="division of the data set into parts, e.g. official, share:0.2 or speaker:george",
    )
    validation_fraction: float = Field(
        default=0.1, gt=0.0, lt=0.9, description="fraction of the training part that is used for validation"
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="seed of the validation split and of generated tasks")
    dt_ms: Milliseconds = Field(default=1.0, description="time step [ms]; at most the shortest of net.tau_ms")
    n_channels: int = Field(
        default=0, ge=0, description="number of input channels, to which neighbouring ones are summed; 0: as recorded"
    )
    variant: Literal["", "whole", "part", "norm", "whole_as_published", "part_as_published", "norm_as_published"] = (
        Field(
            default="",
            description="of speech: norm keeps as many spikes of a channel in every recording, part the same recordings whole; "
            "as_published: in bins, by statistics of all recordings, 60/15/15 % whoever speaks (Beyond Rate Coding)",
        )
    )
    perturb: tuple[str, ...] = Field(
        default=(), description="perturbations of all parts of the data, e.g. replacement=0.4, jitter=5ms, deletion=0.2"
    )
    options: dict[str, Option] = Field(default_factory=dict, description="further arguments of this data set's loader")

    @model_validator(mode="after")
    def _name_of_path(self) -> Data:
        if self.path:
            object.__setattr__(self, "name", Path(self.path).resolve().stem or "recordings")
        return self


class Augmentation(Section):
    """Random changes of every training recording in every epoch; all are off by default."""

    channel_shift: int = Field(default=0, ge=0, description="largest shift along the channels, in recorded channels")
    pixel_shift: float = Field(default=0.0, ge=0.0, description="largest shift of a camera image [pixels]")
    rotation_deg: float = Field(
        default=0.0, ge=0.0, le=180.0, description="largest rotation of a camera image [degrees]"
    )
    zoom: float = Field(
        default=0.0, ge=0.0, le=0.9, description="largest relative change of the size of a camera image"
    )
    time_stretch: float = Field(default=0.0, ge=0.0, lt=1.0, description="largest relative change of speed")
    jitter_ms: float = Field(
        default=0.0, ge=0.0, le=1000.0, description="standard deviation of the jitter of event times [ms]"
    )
    deletion: float = Field(default=0.0, ge=0.0, lt=1.0, description="probability that an event is deleted")


class Net(Section):
    """A feedforward net; the sizes of input and read-out follow from the data.

    The keys `model`, `hidden` and `signal_per_threshold` apply to every kind of net, `recurrent` to surrogate-gradient
    neurons, and all others to SpikingGamma. A chain has `[[layers]]` instead.
    """

    model: str = Field(
        default="spikinggamma",
        description="spikinggamma, a kind of neuron (`spikinggamma neurons`), count_mlp, gru, or chain for [[layers]]",
    )
    recurrent: bool = Field(
        default=False,
        description="connections within hidden layers, with a delay of one step (surrogate-gradient nets)",
    )
    hidden: tuple[Count, ...] = Field(
        default=(64,), max_length=64, description="number of neurons of each fully connected hidden layer"
    )
    conv: tuple[tuple[Count, Count, Count], ...] = Field(
        default=(),
        max_length=64,
        description="convolutions before these layers: [channels, side of the kernel, stride] of each",
    )
    tau_ms: tuple[Milliseconds, ...] = Field(
        default=(4.0, 6.0, 8.0, 10.0), min_length=1, max_length=256, description="time constant of each bucket [ms]"
    )
    synapse: Literal["neuron", "synapse"] = Field(
        default="neuron", description="one bucket weight per neuron, or per synapse"
    )
    threshold: float = Field(default=0.1, gt=0.0, le=1e3, description="resting threshold; a spike is twice as high")
    adaptation: float = Field(
        default=0.1, ge=0.0, le=10.0, description="share by which each spike raises the threshold; 0: none"
    )
    adaptation_tau_ms: Milliseconds = Field(default=50.0, description="time constant of that rise's decay [ms]")
    max_spikes: int = Field(default=0, ge=0, description="most spikes of a neuron in a step; 0: no limit, 1: binary")
    analogue: bool = Field(default=False, description="signal sent as it is, without spikes, for comparison")
    train_tau: bool = Field(default=False, description="training of all time constants but the first")
    shortest_ms: float = Field(
        default=0.0, ge=0.0, description="lower bound of trained time constants [ms]; 0: half the shortest"
    )
    input_gain: float = Field(default=1.0, gt=0.0, le=1e3, description="height of one input event")
    signal_per_threshold: float = Field(
        default=5.0, gt=0.0, le=1e3, description="root mean square signal of an untrained layer, in thresholds"
    )


class Delays(Section):
    """Learnt axonal delays of surrogate-gradient nets."""

    kind: str = Field(
        default="none", description="none, fractional (interpolated between steps) or floored (whole steps)"
    )
    input: bool = Field(default=False, description="delays of the input channels too")
    max_ms: Milliseconds = Field(default=50.0, description="longest delay [ms]")
    initial_ms: float = Field(
        default=-1.0, le=60_000.0, description="range of the initial delays, spread evenly from 0 [ms]; -1: the longest"
    )


class Readout(Section):
    """The read-out of surrogate-gradient nets."""

    kind: str = Field(
        default="integrator",
        description="integrator (a leaky membrane) or spikes (output neurons, for the loss spikemax)",
    )
    tau_ms: float = Field(
        default=-1.0,
        le=60_000.0,
        description="time constant of that membrane [ms]; 0: no memory, -1: that of the neurons",
    )


class Learning(Section):
    """The learning rule, the loss and the optimiser."""

    rule: str = Field(
        default="windowed", description="learning rule, which computes the gradients (`spikinggamma rules`)"
    )
    loss: str = Field(default="sum", description="loss, which is minimised (`spikinggamma losses`)")
    update: Literal["recording", "chunk", "step"] = Field(
        default="recording", description="interval between parameter updates"
    )
    chunk: int = Field(default=0, ge=0, description="number of steps processed at once; 0: chosen by the rule")
    activity_cost: float = Field(
        default=0.0, ge=0.0, le=1e3, description="cost of spikes: loss per threshold of mean hidden output"
    )
    optimiser: Literal["adamw", "nadam"] = Field(
        default="adamw", description="optimiser, AdamW or NAdam of torch.optim"
    )
    learning_rate: float = Field(default=3e-3, gt=0.0, le=1.0, description="largest learning rate of the schedule")
    bucket_rate_ratio: float = Field(
        default=1.0,
        ge=0.0,
        le=100.0,
        description="factor on the learning rate of bucket weights and time constants",
    )
    delay_rate_ms: float = Field(default=0.2, ge=0.0, le=1e3, description="learning rate of delays [ms]")
    weight_decay: float = Field(
        default=0.0, ge=0.0, le=1.0, description="decoupled weight decay, applied to weights only"
    )
    clip_norm: float = Field(
        default=1.0, ge=0.0, description="norm to which the whole gradient is clipped; 0: no clipping"
    )
    schedule: Literal["constant", "cosine", "warmup_cosine", "linear"] = Field(
        default="cosine", description="schedule of the learning rate"
    )
    warmup_epochs: float = Field(default=1.0, ge=0.0, description="epochs of rising learning rate in warmup_cosine")
    dropout: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="probability that a neuron is silenced for a recording"
    )


class Training(Section):
    """The length of the training, the size of batches, the seed, and settings of the computation."""

    epochs: int = Field(default=10, ge=1, le=1_000_000, description="number of passes over the training part")
    batch_size: int = Field(default=64, ge=1, le=65_536, description="number of recordings per batch")
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="seed of weights, order of recordings, augmentation and dropout"
    )
    threads: int = Field(
        default=2, ge=1, le=1024, description="number of CPU threads; another number rounds sums differently"
    )
    products: Products = Field(
        default="float32",
        description="precision of dense products: float32, or bfloat16, which is faster and less precise",
    )


class Recipe(Section):
    """A whole recipe, with one section for each table of the file.

    Example:
        >>> Recipe().learning.rule
        'windowed'
    """

    name: str = Field(
        default="recipe", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="name of the run's folder"
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
    encoder: dict[str, Any] = Field(default_factory=dict, description="options of data.encoder")
    training: Training = Training()
    layers: tuple[dict[str, Any], ...] = Field(default=(), description="layers of a chain, in order")
    search: Search = Search()

    @model_validator(mode="after")
    def _complete(self) -> Recipe:
        """Check the tables of options, and complete them with defaults."""
        for table, values in completed_tables(self).items():
            object.__setattr__(self, table, values)
        return self
