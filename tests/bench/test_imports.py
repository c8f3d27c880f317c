"""Imports go one way through the rooms of ``bench`` (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOOR = {"errors", "formats", "stats"}
# What each room may import of the others, beside the floor and ``resnet_models``.
ROOMS = {
    "data": set(),
    "config": {"data"},
    "records": {"config", "data"},
    "reference": set(),
    "training": {"records", "config", "data"},
    "speed": {"training", "records", "config", "data"},
    "runner": {"speed", "training", "records", "config", "data"},
    "analysis": {"records", "reference", "config", "data"},
    "claims": {"analysis", "records", "reference", "config", "data"},
    "audit": {"analysis", "records", "reference", "config", "data"},
    "compare": {"analysis", "records", "reference", "config", "data"},
    "report": {"claims", "audit", "compare", "analysis", "records", "reference", "config", "data"},
}
ROOMS["cli"] = ROOMS["api"] = set(ROOMS)  # the two doors: for people and for programs
WITHOUT_TORCH = [
    "config",
    "records",
    "reference",
    "analysis",
    "claims",
    "audit",
    "compare",
    "report",
]
MODULES = {
    ".".join(path.relative_to(ROOT / "bench").with_suffix("").parts): path
    for path in (ROOT / "bench").rglob("*.py")
    if path.name != "__init__.py"
}


def imports_of(path):
    """Modules of the project and of torch that a file imports, as written anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("bench", "resnet_models", "torch")}


def neighbours_of(name):
    """Modules of ``bench`` that another one imports."""
    names = {
        max(
            (known for known in MODULES if f"{each}.".startswith(f"bench.{known}.")),
            key=len,
            default="",
        )
        for each in imports_of(MODULES[name])
    }
    return names - {""}


def test_every_folder_is_a_room():
    assert {name.split(".")[0] for name in MODULES} == {*FLOOR, *ROOMS, "__main__"}


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"__main__"}))
def test_imports_go_one_way(name):
    room = name.split(".")[0]
    allowed = FLOOR if room in FLOOR else FLOOR | ROOMS[room] | {room}
    climbing = {other for other in neighbours_of(name) if other.split(".")[0] not in allowed}
    assert not climbing, f"bench.{name} imports {climbing}"


def test_no_module_imports_itself_in_a_circle():
    left = {name: neighbours_of(name) for name in MODULES}
    while free := {name for name, others in left.items() if not others & set(left)}:
        left = {name: others for name, others in left.items() if name not in free}
    assert not left


@pytest.mark.parametrize(
    "path", sorted((ROOT / "resnet_models").glob("*.py")), ids=lambda path: path.stem
)
def test_networks_import_nothing_of_the_harness(path):
    assert not [name for name in imports_of(path) if name.startswith("bench")]


@pytest.mark.parametrize("room", [*sorted(FLOOR), *WITHOUT_TORCH])
def test_from_records_to_the_page_nothing_needs_torch(room):
    for name, path in MODULES.items():
        if name.split(".")[0] == room:
            assert not [each for each in imports_of(path) if each.startswith("torch")], name
