"""A topic has one path in every room, and the rooms do not reach into each other."""

import ast

import pytest

from spaces_core.lab.record import ROOT, chapter_names

CHAPTERS = set(chapter_names())
PARTS = {p.parent.name for p in (ROOT / "spaces_core").glob("*/__init__.py")} - {"checks", "lab"}
ROOMS = {"spaces_core": "{part}/{topic}.py", "figures": "{part}/{topic}.py", "tests": "{part}/test_{topic}.py"}


def topics(room):
    """Topics that have a file in a room, as `part/topic`."""
    prefix = "test_" if room == "tests" else ""
    paths = [p for part in PARTS for p in (ROOT / room / part).glob(f"{prefix}[a-z]*.py")]
    return {f"{p.parent.name}/{p.stem.removeprefix(prefix)}" for p in paths}


@pytest.mark.parametrize("room", ROOMS)
def test_every_chapter_is_in_every_room_and_nothing_else_is(room):
    assert topics(room) == CHAPTERS


def test_every_chapter_is_in_a_part_of_the_library():
    assert {name.split("/")[0] for name in CHAPTERS} <= PARTS


def imports(path):
    """Top-level names that a file imports, relative imports included by their package."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def sources(room):
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", sources("spaces_core"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_library_knows_nothing_of_the_other_rooms(path):
    assert not imports(path) & {"chapters", "figures", "tests", "book"}


@pytest.mark.parametrize("path", sources("figures"), ids=lambda p: str(p.relative_to(ROOT)))
def test_figures_only_draw(path):
    assert not imports(path) & {"torch", "sklearn", "scipy", "sympy", "tests", "chapters"}


@pytest.mark.parametrize("path", sources("spaces_core/checks"), ids=lambda p: p.name)
def test_the_engine_needs_neither_torch_nor_a_notebook(path):
    """It may import IPython inside a function, to show a badge where there is a notebook."""
    tree = ast.parse(path.read_text())
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {a.name.split(".")[0] for n in top if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module.split(".")[0] for n in top if isinstance(n, ast.ImportFrom) and n.level == 0}
    assert not names & {"torch", "IPython", "matplotlib"}
