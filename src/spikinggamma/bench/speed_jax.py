"""Libraries on JAX in the speed bench: `python -m spikinggamma.bench.speed_jax JSON`, by an interpreter that has them.

They need not be installed beside torch: `SPIKINGGAMMA_JAX_PYTHON` names another interpreter, which needs only the libraries,
numpy and psutil. Nothing here imports torch. What is measured is as on torch: a layer, `Linear(n, n)` and neurons with the
gradients of weights and input; or a net with one hidden layer and the gradient of its weights. Functions are compiled for
their shape before the clock starts.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikinggamma.bench.speed_protocol import BETA, TAU_MS, Case, by_the_formula, serve_steps

__all__ = ["JAX_SUBJECTS", "JaxSubject", "command_of", "environment_of", "has_jax_subject"]

_SOME = 40  # steps of the check
Step = Callable[..., Any]


class JaxSubject(NamedTuple):
    """One competitor.

    Attributes:
        package: Its distribution.
        neurons: Of a layer: drive [T, B, n] to spikes; None where only a net is measured.
        exact: Whether these spike as the formula says; some of them spike a step late.
        net: Given the sizes of a net and an array of random numbers, weights and a function of these, spikes and labels that
            returns gradients of the weights.
    """

    package: str
    neurons: Callable[[], Step] | None = None
    exact: bool = False
    net: Callable[[tuple[int, int, int], Step], tuple[Any, Step]] | None = None


def _jaxpike_neurons() -> Step:
    import jaxpike

    neurons = jaxpike.LIF(tau=TAU_MS, surrogate=jaxpike.ATan())
    return lambda drive: jaxpike.unroll(jaxpike.Sequential(neurons), drive)[0]


def _jaxpike_net(how: str) -> Callable[[tuple[int, int, int], Step], tuple[Any, Step]]:
    def make(sizes: tuple[int, int, int], weights_of: Step) -> tuple[Any, Step]:
        import equinox
        import jax
        import jaxpike

        first, second = jax.random.split(jax.random.key(0))
        empty = jaxpike.Sequential(
            jaxpike.Dense(sizes[0], sizes[1], key=first, use_bias=False),
            jaxpike.LIF(tau=TAU_MS, surrogate=jaxpike.ATan()),
            jaxpike.Dense(sizes[1], sizes[2], key=second, use_bias=False),
            jaxpike.LeakyIntegrator(tau=TAU_MS),
        )

        def net_with(weights: Any) -> Any:
            return equinox.tree_at(lambda net: (net.layers[0].weight, net.layers[2].weight), empty, weights)

        def loss(weights: Any, spikes: Any, labels: Any) -> Any:
            said, _ = getattr(jaxpike, how)(net_with(weights), spikes)
            return jaxpike.cross_entropy(said.mean(0), labels)

        def online(weights: Any, spikes: Any, labels: Any) -> Any:
            grads, _ = jaxpike.eprop_grads(
                net_with(weights), spikes, lambda said: jaxpike.cross_entropy(said, labels) / len(spikes)
            )
            return grads.layers[0].weight, grads.layers[2].weight

        return weights_of(), online if how == "eprop_grads" else jax.grad(loss)

    return make


def _spyx_neurons() -> Step:
    import spyx.nn
    from flax import nnx

    def run(drive: Any) -> Any:
        neurons = spyx.nn.LIF(drive.shape[2:], beta=BETA, activation=spyx.axn.arctan(), rngs=nnx.Rngs(0))
        return spyx.nn.run(neurons, (1.0 - BETA) * drive)[0]

    return run


def _spyx_net(sizes: tuple[int, int, int], weights_of: Step) -> tuple[Any, Step]:
    import jax
    import optax
    import spyx.nn
    from flax import nnx

    def loss(weights: Any, spikes: Any, labels: Any) -> Any:
        rngs = nnx.Rngs(0)
        hidden = spyx.nn.LIF((sizes[1],), beta=BETA, activation=spyx.axn.arctan(), rngs=rngs)
        readout = spyx.nn.LI((sizes[2],), beta=BETA, rngs=rngs)
        # Products once for all steps, which `spyx.nn.Sequential` would take step by step.
        said, _ = spyx.nn.run(hidden, (1.0 - BETA) * (spikes @ weights[0].T))
        logits, _ = spyx.nn.run(readout, (1.0 - BETA) * (said @ weights[1].T))
        return optax.softmax_cross_entropy_with_integer_labels(logits.mean(0), labels).mean()

    return weights_of(), jax.grad(loss)


def _braintrace_net(algorithm: str, **options: Any) -> Callable[[tuple[int, int, int], Step], tuple[Any, Step]]:
    def make(sizes: tuple[int, int, int], weights_of: Step) -> tuple[Any, Step]:
        import brainstate
        import braintools
        import braintrace
        import jax
        import jax.numpy as jnp
        import optax

        first, second = weights_of()
        bump = braintools.surrogate.arctan

        class Net(brainstate.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
            def __init__(self) -> None:
                super().__init__()
                self.into = braintrace.nn.Linear(sizes[0], sizes[1], w_init=first.T, b_init=None)
                self.out = braintrace.nn.Linear(sizes[1], sizes[2], w_init=second.T, b_init=None)

            def init_state(self, batch_size: int | None = None, **_: Any) -> None:
                self.membrane = brainstate.HiddenState(jnp.zeros((batch_size, sizes[1])))
                self.logits = brainstate.HiddenState(jnp.zeros((batch_size, sizes[2])))

            def update(self, spikes: Any) -> Any:
                held = self.membrane.value - jax.lax.stop_gradient(1.0 * (self.membrane.value > 1.0))
                self.membrane.value = BETA * held + (1.0 - BETA) * self.into(spikes)
                said = bump(self.membrane.value - 1.0)
                self.logits.value = BETA * self.logits.value + (1.0 - BETA) * self.out(said)
                return self.logits.value

        def step(weights: Any, spikes: Any, labels: Any) -> Any:
            learner = braintrace.compile(
                Net(), algorithm, jnp.zeros(spikes.shape[1:]), batch_size=spikes.shape[1], **options
            )
            return learner.etrace_grad(
                spikes,
                step_fn=lambda now: optax.softmax_cross_entropy_with_integer_labels(learner(now), labels).mean(),
            )

        return (first, second), step

    return make


JAX_SUBJECTS: dict[str, JaxSubject] = {
    "jaxpike": JaxSubject("jaxpike", _jaxpike_neurons, True, _jaxpike_net("unroll")),
    "jaxpike_checkpointed": JaxSubject("jaxpike", net=_jaxpike_net("unroll_checkpointed")),
    "jaxpike_online": JaxSubject("jaxpike", net=_jaxpike_net("eprop_grads")),
    "spyx": JaxSubject("spyx", _spyx_neurons, False, _spyx_net),
    "braintrace_online": JaxSubject("braintrace", net=_braintrace_net("es_d_rtrl", decay_or_rank=0.9)),
}


def _interpreter() -> str:
    return os.environ.get("SPIKINGGAMMA_JAX_PYTHON", sys.executable)


@lru_cache
def has_jax_subject(name: str) -> bool:
    """Whether the interpreter for JAX has the library of a subject."""
    code = f"import importlib.util; raise SystemExit(importlib.util.find_spec({JAX_SUBJECTS[name].package!r}) is None)"
    return subprocess.run([_interpreter(), "-c", code], check=False).returncode == 0


def command_of(case: Case) -> list[str]:
    """Return the command of the process that holds a case."""
    return [_interpreter(), "-m", "spikinggamma.bench.speed_jax", json.dumps(case._asdict())]


def environment_of(case: Case) -> dict[str, str]:
    """Return what its environment has besides."""
    here = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))
    one = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"} if case.threads == 1 else {}
    return {"PYTHONPATH": path, "JAX_PLATFORMS": case.device, **one}


def serve(case: Case) -> None:
    """Compile the case for its shape, check it, and answer on the standard streams."""
    import jax

    subject = JAX_SUBJECTS[case.library]
    key = jax.random.key(case.seed)
    if case.outputs:
        spikes = (jax.random.uniform(key, (case.steps, case.batch, case.inputs)) < case.density).astype(np.float32)
        labels = jax.numpy.arange(case.batch) % case.outputs
        assert subject.net is not None
        weights, function = subject.net((case.inputs, case.neurons, case.outputs), lambda: _weights(case, spikes))
        given: tuple[Any, ...] = (weights, spikes, labels)
        agreement = None
    else:
        assert subject.neurons is not None
        shape = (case.steps, case.batch, case.neurons)
        spikes = (jax.random.uniform(key, shape) < case.density).astype(np.float32)
        weight = jax.random.normal(key, (case.neurons, case.neurons)) / (case.neurons * case.density) ** 0.5
        given, function = (weight, spikes, jax.random.normal(key, shape)), _layer(subject.neurons())
        agreement = _agreement(subject.neurons()) if subject.exact else None
    ready = jax.jit(function).lower(*given).compile()
    jax.block_until_ready(given)
    about = {"agreement": agreement, "version": importlib.metadata.version(subject.package)}
    serve_steps(lambda: jax.block_until_ready(ready(*given)), about)


def _layer(neurons: Step) -> Step:
    """Gradients of weights and input of a product for all steps, and neurons."""
    import jax

    def gradients(weight: Any, spikes: Any, grad: Any) -> Any:
        _, back = jax.vjp(lambda weight, spikes: neurons(spikes @ weight.T), weight, spikes)
        return back(grad)

    return gradients


def _weights(case: Case, spikes: Any) -> Any:
    """Of both layers, the first so large that neurons spike."""
    import jax

    first, second = jax.random.split(jax.random.key(case.seed + 1))
    into = jax.random.normal(first, (case.neurons, case.inputs))
    into = 3.0 * into / (spikes[:_SOME] @ into.T).std()
    return into, jax.random.normal(second, (case.outputs, case.neurons)) / case.neurons**0.5


def _agreement(neurons: Step) -> float:
    """Share of spikes on which neurons agree with the formula, step by step."""
    drive = (2.0 * np.random.default_rng(0).standard_normal((_SOME, 3, 50)) + 0.5).astype(np.float32)
    return float((np.asarray(neurons(drive)) == by_the_formula(drive, to_zero=False)).mean())


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of other libraries
    serve(Case(**json.loads(sys.argv[1])))
