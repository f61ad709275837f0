"""Run the check cells of chapters: python -m spaces_core.checks FILE.md [FILE.md ...]"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path

from . import chapter as C
from .badge import Summary, typo_text
from .page import read_page


def check_file(file: Path, seed: int | None = None) -> tuple[list, list[str]]:
    """Run the cells tagged `check`, in order, in one namespace.

    Args:
        file: a chapter, anywhere.
        seed: of random cases; the chapter's own when None.

    Returns:
        the chapters it opened, and what is wrong.
    """
    C.run = C.Run(file=file, seed=seed, collect=True)
    page = read_page(file)
    cells = [c for c in page.cells if "check" in c.tags]
    problems = [] if cells else [f"{file}: no cell is tagged check"]
    namespace: dict = {"__name__": "__main__"}
    for cell in cells:
        try:
            exec(compile(cell.source, f"{file}:{cell.line}", "exec"), namespace)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            problems.append(
                f"{file}:{cell.line}: this cell raised {type(error).__name__}: {error}"
                f" ({Path(last.filename).name}:{last.lineno})"
            )
    if cells and not C.run.chapters:
        problems.append(f"{file}: no check cell opens a Chapter")
    for chapter in C.run.chapters:
        chapter.report()
        problems += chapter.problems
    return C.run.chapters, problems


def lines(chapter) -> list[str]:
    order = {d.label: k for k, d in enumerate(chapter.page.displays)}
    rows = []
    for e in sorted(chapter.evidence, key=lambda e: (order[e.label], e.part)):
        name = e.label + (f" ({e.part})" if e.part else "")
        kind = e.kind if e.kind in ("definition", "assumption") or e.scope == "general" else f"{e.kind}, {e.scope}"
        rows.append((("✗" if e.error else "✓"), name, kind, typo_text(e), e.method if e.method != e.kind else ""))
    widths = [max((len(r[k]) for r in rows), default=0) for k in range(4)]
    return ["  ".join([r[0], *(r[k].ljust(widths[k]) for k in (1, 2, 3)), r[4]]).rstrip() for r in rows]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m spaces_core.checks", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE.md", type=Path)
    parser.add_argument("--seed", type=int, help="seed of the random cases and experiments (default 0)")
    args = parser.parse_args(argv)
    missing = [str(f) for f in args.files if not f.is_file()]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    failed = 0
    for file in args.files:
        start = time.perf_counter()
        try:
            chapters, problems = check_file(file, args.seed)
        except ValueError as error:
            chapters, problems = [], [str(error)]
        for chapter in chapters:
            print("\n".join(lines(chapter)))
            print(f"{file}: {Summary(chapter)} ({time.perf_counter() - start:.0f} s)")
        for p in dict.fromkeys(problems):
            print(f"✗ {p}", file=sys.stderr)
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
