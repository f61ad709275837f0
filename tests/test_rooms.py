"""The house has walls: methods, checks, lab and book import downwards only, and the book in no circle."""

import ast
from pathlib import Path

import pytest

from spaces_core.lab.record import ROOT, chapter_names

PARTS = {name.split("/")[0] for name in chapter_names()}
OTHERS = {"figures", "tests", "chapters", "book"}


def imports(path, root):
    """The modules that a file imports, anywhere in it, with dots: those of its own package in full."""
    package = path.relative_to(root).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *filter(None, [node.module])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def circle(needs):
    """A way along needs that comes back to where it began; an empty list when there is none."""
    done, way = set(), []

    def walk(name):
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        way.append(name)
        found = next((c for other in sorted(needs.get(name, ())) if (c := walk(other))), [])
        way.pop()
        done.add(name)
        return found

    return next((c for name in sorted(needs) if (c := walk(name))), [])


def modules(folder):
    """What each module of a folder imports of the others in it."""
    files = {p.relative_to(folder).with_suffix("").as_posix().replace("/", "."): p for p in folder.rglob("*.py")}
    names = {name.removesuffix(".__init__"): path for name, path in files.items()}
    found = {}
    for name, path in names.items():
        mine = {n.removeprefix(f"{folder.name}.") for n in imports(path, folder.parent)}
        mine |= imports(path, folder)
        found[name] = {n for n in names if n != name and n in mine and not only_modules(n, mine, names)}
    return found


def only_modules(package, mine, names):
    """Whether all that is taken from a package are modules in it: `from . import values` needs values alone."""
    taken = {n for n in mine if n.rpartition(".")[0] == package}
    return bool(taken) and taken <= names.keys()


def reaches(path, root, walls):
    """What a file imports of the rooms it has no door to."""
    return {name for name in imports(path, root) for wall in walls if name == wall or name.startswith(f"{wall}.")}


def test_the_book_has_no_circle():
    needs = modules(ROOT / "book")
    assert needs["directives"] > {"evidence", "ledgers", "tables"}
    assert not needs["ledgers"], "the ledgers are read in one module that stands on nothing"
    assert not circle(needs)


def test_the_library_has_no_circle():
    needs = modules(ROOT / "spaces_core")
    assert len(needs) > 30
    assert not circle(needs)


def doors(folder):
    """The rooms that the files of a folder must not reach into."""
    if folder == "checks":
        return {"spaces_core.lab", *(f"spaces_core.{part}" for part in PARTS), *OTHERS}
    if folder == "lab":
        return {*(f"spaces_core.{part}" for part in PARTS), *OTHERS}
    return {"spaces_core.lab", "spaces_core.checks", *OTHERS}


LIBRARY = sorted((ROOT / "spaces_core").rglob("*.py"))


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_room_of_the_library_reaches_into_another(path):
    folder = path.relative_to(ROOT / "spaces_core").parts[0]
    assert not reaches(path, ROOT, doors(folder))


def test_a_circle_and_a_broken_wall_are_found(tmp_path):
    for name, text in {
        "one.py": "import two\n",
        "two.py": "def f():\n    from three import g\n",
        "three.py": "from one import h\n",
        "apart.py": "import one\n",
        "room/inside.py": "from ..outside import x\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Path(tmp_path, name).write_text(text)
    assert circle(modules(tmp_path)) == ["one", "two", "three", "one"]
    assert reaches(tmp_path / "room" / "inside.py", tmp_path, {"outside"}) == {"outside", "outside.x"}
    (tmp_path / "two.py").write_text("import json\n")
    assert circle(modules(tmp_path)) == []


def test_a_circle_through_a_package_is_found(tmp_path):
    (tmp_path / "room").mkdir()
    Path(tmp_path, "room", "__init__.py").write_text("from . import inside, beside\n")
    Path(tmp_path, "room", "beside.py").write_text("from . import inside\n")
    Path(tmp_path, "room", "inside.py").write_text("import json\n")
    assert circle(modules(tmp_path)) == []
    Path(tmp_path, "room", "inside.py").write_text("def f():\n    from . import g\n")
    assert circle(modules(tmp_path)) == ["room", "room.beside", "room.inside", "room"]
