"""The house: a light import, names that resolve, and imports that run downwards only."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import spikinggamma

SOURCE = Path(spikinggamma.__file__).parent
HEAVY = (
    "torch",
    "scipy",
    "matplotlib",
    "numba",
    "pydantic",
    "soundfile",
    "requests",
    "typer",
    "rich",
    "jinja2",
    "numpy",
)

NET_ROOMS = {"functional", "kernels", "nn", "learning"}
DATA_ROOMS = {"events", "encoders", "cochlea", "datasets", "layouts", "tasks"}
ENTRIES = {"bibliography", "option_words", "options", "registry"}
GROUND = {"distributed", "files", "optional", "process_memory", "runtime", "seeds", "versions"} | ENTRIES
RUN_ROOMS = {"recipes", "data", "runs"}
# What each room may import besides itself and `errors`: never a room above it.
BELOW: dict[str, set[str]] = {
    "errors": set(),
    **{room: set() for room in GROUND - {"option_words", "registry"}},
    "option_words": {"options"},
    "registry": {"option_words", "options"},
    "functional": ENTRIES,
    "kernels": {"functional"},
    "nn": {"functional", "kernels"} | ENTRIES,
    "learning": {"functional", "kernels", "nn"} | ENTRIES,
    "events": ENTRIES,
    "encoders": {"events"} | ENTRIES,
    "cochlea": set(),
    "datasets": {"events", "cochlea", "files"} | ENTRIES,
    "layouts": {"events", "encoders", "cochlea", "datasets", "files", "optional"} | ENTRIES,
    "tasks": {"events"} | ENTRIES,
    "recipes": {"events", "encoders", "learning", "nn", "functional"} | GROUND,
    "data": {"recipes"} | DATA_ROOMS | GROUND,
    "runs": {"recipes", "data"} | NET_ROOMS | DATA_ROOMS | GROUND,
    "cost": NET_ROOMS | GROUND,
    "evaluation": {"cost"} | RUN_ROOMS | NET_ROOMS | DATA_ROOMS | GROUND,
    "training": {"cost", "evaluation"} | RUN_ROOMS | NET_ROOMS | DATA_ROOMS | GROUND,
    "planning": {"training", "evaluation"} | RUN_ROOMS | NET_ROOMS | DATA_ROOMS | GROUND,
    "search": {"training", "evaluation"} | RUN_ROOMS | DATA_ROOMS | GROUND,
    "bench": {"training", "evaluation"} | RUN_ROOMS | NET_ROOMS | DATA_ROOMS | GROUND,
    "report": {"evaluation"} | RUN_ROOMS | NET_ROOMS | DATA_ROOMS | GROUND,
    "stream": {"training"} | RUN_ROOMS | {"nn", "learning", "events"} | GROUND,
    "export": RUN_ROOMS | NET_ROOMS | DATA_ROOMS | GROUND,
    "papers": {"bench", "training", "evaluation", "report", "export"} | RUN_ROOMS | NET_ROOMS | DATA_ROOMS | GROUND,
    "cli": {"training", "evaluation", "planning", "search", "stream", "bench", "report", "export", "papers"}
    | RUN_ROOMS
    | DATA_ROOMS
    | GROUND,
    "__init__": set(),
    "__main__": {"cli"},
}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Every room of the package that a file imports, at its top or inside a function, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            plain = node.module == "spikinggamma"
            names = [f"spikinggamma.{alias.name}" for alias in node.names] if plain else [node.module or ""]
        else:
            continue
        for name in names:
            head, _, rest = name.partition(".")
            if head == "spikinggamma" and rest:
                yield rest.split(".")[0], node.lineno


@pytest.mark.long
def test_imports_run_downwards() -> None:
    faults = []
    for path in sorted(SOURCE.rglob("*.py")):
        room = room_of(path)
        assert room in BELOW, f"{room} has no place in the order of rooms: give it one here and in the design"
        allowed = BELOW[room] | {room, "errors", "__version__", "SpikingGammaError"}
        faults += [
            f"{path.relative_to(SOURCE)}:{line}: {room} imports {found}"
            for found, line in imported_rooms(path)
            if found not in allowed
        ]
    assert not faults, "\n".join(faults)


def test_the_order_of_rooms_has_no_circle() -> None:
    def rooms_under(room: str) -> set[str]:
        return BELOW[room] | {deeper for below in BELOW[room] for deeper in rooms_under(below)}

    assert all(room not in rooms_under(room) for room in BELOW)


def test_import_of_the_package_is_light() -> None:
    code = "import sys, spikinggamma; print(*[name for name in sys.argv[1:] if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == []


@pytest.mark.long
def test_the_net_needs_torch_and_types_only() -> None:
    """`learning` imports every room of the net; the compiler of the scans waits until the first scan."""
    code = "import sys, torch; known = set(sys.modules); import spikinggamma.learning; print(*{*sys.modules} - known)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    top = {name.split(".")[0] for name in found.stdout.split()}
    assert {"spikinggamma", "jaxtyping"} <= top
    assert not top & (set(HEAVY) - {"torch", "numpy", "pydantic"})  # options are checked by pydantic


@pytest.mark.parametrize("name", [name for name in spikinggamma.__all__ if name != "SpikingGammaError"])
def test_every_public_name_resolves(name: str) -> None:
    room = getattr(spikinggamma, name)
    assert room is importlib.import_module(f"spikinggamma.{name}")
    assert room.__doc__, f"{name} does not say what it is"
    assert len(set(room.__all__)) == len(room.__all__)
    for public in room.__all__:
        assert getattr(room, public) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'spikinggamma' has no attribute 'membrane'"):
        _ = spikinggamma.membrane  # type: ignore[attr-defined]


def test_public_names_are_listed_and_typed() -> None:
    assert set(spikinggamma.__all__) <= set(dir(spikinggamma))
    assert (SOURCE / "py.typed").is_file()
