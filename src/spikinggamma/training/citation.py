"""What to cite for a recipe: BibTeX of exactly the parts that it uses."""

from __future__ import annotations

from spikinggamma.datasets import heidelberg
from spikinggamma.training.data import facts_of
from spikinggamma.training.recipe import Recipe

__all__ = ["citations"]

_SPIKINGGAMMA = """@article{koopman2026spikinggamma,
  title   = {{SpikingGamma}: Surrogate-Gradient Free and Temporally Precise Online Training of Spiking Neural Networks with Smoothed Delays},
  author  = {Koopman, Roel and Otte, Sebastian and Boht{\\'e}, Sander},
  journal = {arXiv preprint arXiv:2602.01978},
  year    = {2026}
}"""  # noqa: E501

_BEYOND_RATE = """@article{yu2025beyond,
  title   = {Beyond Rate Coding: Surrogate Gradients Enable Spike Timing Learning in Spiking Neural Networks},
  author  = {Yu, Ziqiao and Sun, Pengfei and Akarca, Danyal and Goodman, Dan F. M.},
  journal = {arXiv preprint arXiv:2507.16043},
  year    = {2025}
}"""

_GAMMA_MEMORY = """@article{devries1992gamma,
  title   = {The gamma model: a new neural model for temporal processing},
  author  = {de Vries, Bert and Principe, Jose C.},
  journal = {Neural Networks},
  volume  = {5},
  number  = {4},
  pages   = {565--576},
  year    = {1992}
}"""

_ADAPTATION = """@inproceedings{bohte2012efficient,
  title     = {Efficient Spike-Coding with Multiplicative Adaptation in a Spike Response Model},
  author    = {Bohte, Sander M.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {25},
  year      = {2012}
}"""

_LOCALISATION = """@article{jeffress1948place,
  title   = {A place theory of sound localization},
  author  = {Jeffress, Lloyd A.},
  journal = {Journal of Comparative and Physiological Psychology},
  volume  = {41},
  number  = {1},
  pages   = {35--39},
  year    = {1948}
}"""

# What the recordings of each data set rest on besides themselves: an idea, or how they became spikes.
_BEHIND = {
    "localisation": [_LOCALISATION],
    "fsdd": [heidelberg.CITATION],
    "speech_commands": [heidelberg.CITATION],
    "spoken_words": [heidelberg.CITATION],
}


def citations(recipe: Recipe) -> str:
    """BibTeX entries for the net, the question asked of it, and the data, in that order.

    Example:
        >>> citations(Recipe()).count("@")
        5
    """
    entries = [_SPIKINGGAMMA, _GAMMA_MEMORY]
    if recipe.net.adaptation > 0:
        entries.append(_ADAPTATION)
    entries.append(_BEYOND_RATE)
    entries += [entry for entry in (facts_of(recipe).citation, *_BEHIND.get(recipe.data.name, ())) if entry]
    return "\n\n".join(entries) + "\n"
