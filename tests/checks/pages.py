"""Small chapters for the tests of the evidence engine."""

from __future__ import annotations

import textwrap
from pathlib import Path

from spaces_core.checks.runner import check_file

SETUP = """\
import mpmath
import sympy as sp
from spaces_core.checks import Chapter, Vec, symbols_vec
ch = Chapter("part/topic")
a, b, c, x, y, z = sp.symbols("a b c x y z", real=True)
p, q = sp.symbols("p q", positive=True)
n = sp.Symbol("n", integer=True, positive=True)
"""


def write(folder: Path, displays: dict[str, str], code: str, name: str = "topic.md") -> Path:
    """A chapter with these displays, one check cell with `SETUP` before `code`."""
    shown = "\n\n".join(f"$$\n{latex}\n$$ ({label})" for label, latex in displays.items())
    cell = f"```{{code-cell}} ipython3\n:tags: [check, hide-cell]\n{SETUP}{textwrap.dedent(code).strip()}\n```\n"
    path = folder / name
    path.write_text(f"# A small chapter\n\n{shown}\n\n{cell}", encoding="utf-8")
    return path


def outcome(folder: Path, displays: dict[str, str], code: str):
    """The chapter after its check cell has run, and what is wrong with it."""
    chapters, problems = check_file(write(folder, displays, code))
    return (chapters[0] if chapters else None), problems
