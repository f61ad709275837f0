"""Which files of the repository a chapter's code stands on, found by reading imports, without running anything."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("spaces_core", "figures")


def sources_hash(code: str, root: Path = ROOT) -> str:
    """One hash of the files that `code` imports from the rooms `spaces_core` and `figures`, directly or through others.

    >>> sources_hash("import math") == sources_hash("import sympy")
    True
    >>> sources_hash("from spaces_core import checks") == sources_hash("import math")
    False
    """
    digest = hashlib.sha256()
    for path in files_behind(code, root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def files_behind(code: str, root: Path = ROOT) -> list[Path]:
    """The files behind `code`, sorted. A package of lazy names counts by the modules of the names that are used."""
    found, waiting = set(), list(_imported(ast.parse(code), "", root))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            package = ".".join(path.relative_to(root).parent.parts)
            waiting += _imported(ast.parse(path.read_text(encoding="utf-8")), package, root)
    return sorted(found)


def _imported(tree: ast.AST, package: str, root: Path) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _module(alias.name, [], root)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            yield from _module(".".join([*above, *filter(None, [node.module])]), [a.name for a in node.names], root)


def _module(dotted: str, names: list[str], root: Path) -> Iterator[Path]:
    """The files of one import: a module, the named members of a lazy package, or a package whole."""
    if dotted.split(".")[0] not in ROOMS:
        return
    path = root.joinpath(*dotted.split("."))
    if path.with_suffix(".py").is_file():
        yield path.with_suffix(".py")
        return
    table = _lazy_names(path / "__init__.py")
    for name in names:
        if name in table:
            yield from _module(f"{dotted}.{table[name]}", [], root)
        elif (path / name).is_dir() or (path / f"{name}.py").is_file():
            yield from _module(f"{dotted}.{name}", ["*"], root)
        elif not table:
            yield from sorted(path.glob("*.py"))
        else:
            yield path / "__init__.py"


def _lazy_names(init: Path) -> dict[str, str]:
    """The table of a package's `attach(__name__, {name: module})`, empty where there is none."""
    if not init.is_file():
        return {}
    for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "attach" and len(node.args) == 2:
            return ast.literal_eval(node.args[1])
    return {}
