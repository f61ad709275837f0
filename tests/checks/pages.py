"""Small pages for the tests of the evidence engine."""

from __future__ import annotations

import textwrap
from pathlib import Path

from spaces_core.checks.runner import check_file

SETUP = """\
import mpmath
import numpy as np
import sympy as sp
from spaces_core.checks import Chapter, Quote, Vec, symbols_vec
ch = Chapter("part/topic")
"""


def write(folder: Path, displays: dict[str, str], code: str, prose: str = "") -> Path:
    """A page with these displays, some prose, and one check cell with `SETUP` before `code` and a report after it."""
    shown = "\n\n".join(f"$$\n{latex}\n$$ ({label})" for label, latex in displays.items())
    body = f"{SETUP}{textwrap.dedent(code).strip()}\nch.report()"
    path = folder / "topic.md"
    path.write_text(f"# A small page\n\n{prose}\n\n{shown}\n\n```{{code-cell}} ipython3\n:tags: [check]\n{body}\n```\n")
    return path


def outcome(folder: Path, displays: dict[str, str], code: str, prose: str = ""):
    """The chapter after its check cell has run, and what is wrong with it."""
    chapters, problems = check_file(write(folder, displays, code, prose))
    return (chapters[0] if chapters else None), problems


def stated(folder: Path, setting: str, display: str, call: str = 'ch.prove("eq-a")'):
    """One statement `eq-a` under one setting `eq-s`, which may be empty."""
    displays = ({"eq-s": setting} if setting else {}) | {"eq-a": display}
    code = ('ch.setting("eq-s")\n' if setting else "") + call
    return outcome(folder, displays, code)
