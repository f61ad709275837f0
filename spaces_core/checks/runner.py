"""Run the check cells of a chapter, all of them or those of one label."""

from __future__ import annotations

import traceback
from pathlib import Path

from .badge import typo_text
from .ledger import SILENT
from .page import read_page
from .run import Run
from .slicing import needed


def check_file(file: Path, seed: int | None = None, only: set[str] | None = None, judge=None) -> tuple[list, list[str]]:
    """Run the cells tagged `check`, in order, in one namespace.

    Args:
        file: a chapter, anywhere; the statements are read from it.
        seed: of random cases and experiments; the chapter's own when None.
        only: labels; statements of the cells that these do not need are left out, and so are the teeth of what they
            rest on.

    Returns:
        the chapters it opened, and what is wrong.
    """
    page = read_page(file)
    run = Run(file=file, page=page, seed=seed, collect=True, only=frozenset(only or ()), judge=judge)
    cells = needed(page, only) if only else [c for c in page.cells if "check" in c.tags]
    what = f"no check of {', '.join(sorted(only))}" if only else "no cell is tagged check"
    problems = [] if cells else [f"{file}: {what}"]
    namespace: dict = {"__name__": "__main__"}
    with run:
        for cell in cells:
            try:
                exec(compile(cell.source, f"{file}:{cell.line}", "exec"), namespace)
            except (Exception, SystemExit) as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                problems.append(f"{file}:{cell.line}: this cell raised {type(error).__name__}: {error} ({where})")
    if cells and not run.chapters:
        problems.append(f"{file}: no check cell opens a Chapter")
    for chapter in run.chapters:
        chapter.report()
        problems += chapter.problems
    return run.chapters, problems


def lines(chapter) -> list[str]:
    """One line a label: kind, scope, typos caught, method."""
    order = {d.label: k for k, d in enumerate(chapter.page.displays)}
    rows = []
    for e in sorted(chapter.evidence, key=lambda e: (order[e.label], e.part)):
        name = e.label + (f" ({e.part})" if e.part else "")
        kind = e.kind if e.kind in SILENT else f"{e.kind} · {e.where()}"
        rows.append(("✗" if e.error else "✓", name, kind, typo_text(e), e.method if e.method != e.kind else ""))
    widths = [max((len(r[k]) for r in rows), default=0) for k in range(4)]
    return ["  ".join([r[0], *(r[k].ljust(widths[k]) for k in (1, 2, 3)), r[4]]).rstrip() for r in rows]
