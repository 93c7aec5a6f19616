"""Train a SpikingGamma net from a recipe.

A recipe says everything about a run: data, net, learning rule, schedule and seed. `load_recipe` reads a bundled recipe by its
name (or a TOML file by its path) and takes changes in the form of the command line's `--set KEY=VALUE`. `train` writes a
folder with the recipe, one row of metrics per epoch, the checkpoints and the result on the test split.

The task: two ears hear the same clicks up to 32 ms apart, and the net says from which of nine directions they come.

Run it with `python examples/train_from_recipe.py` (a minute), or with `--quick` (seconds, and far from the best accuracy).
"""

from __future__ import annotations

import sys

from spikinggamma.recipes import load_recipe
from spikinggamma.training import train

QUICK = ["data.options.n_train=256", "data.options.n_validation=64", "data.options.n_test=64", "training.epochs=1"]


def main(quick: bool) -> None:
    recipe = load_recipe("localisation", QUICK if quick else [])
    run = train(recipe)  # in a new folder, runs/localisation-0-1 the first time
    assert run.result is not None
    low, high = run.result["ci_low"], run.result["ci_high"]
    print(f"test accuracy {run.result['accuracy']:.1%} (95 % interval {low:.1%} to {high:.1%}), run in {run.path}")


if __name__ == "__main__":
    main("--quick" in sys.argv)
