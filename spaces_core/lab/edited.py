"""Check in seconds what was edited since its recording: python -m spaces_core.lab.edited [part/topic ...]

A statement is checked again when its display, the code of its check, or a display it rests on differs from the
recording. Experiments and samples take longer, and are named for the recorder to run. Exits with 1 when a check fails.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from spaces_core.checks.page import Page, read_page
from spaces_core.checks.runner import check_file, lines
from spaces_core.checks.slicing import needed
from spaces_core.lab.record import CHAPTERS, RECORDED, chapter_names
from spaces_core.lab.replay import load


def edited(name: str) -> tuple[set[str], set[str]]:
    """The labels of a chapter whose evidence may have changed: those to check now, and those for the recorder."""
    now, ledger = read_page(CHAPTERS / f"{name}.md"), load(RECORDED, name, ".ledger.json") or {"statements": []}
    before = dict(signatures(recorded_page(name), ledger))
    changed = {label for label, signature in signatures(now, ledger) if before.get(label) != signature}
    at_once = {label for label in changed if needed(now, {label})}
    return at_once, changed - at_once


def signatures(page: Page | None, ledger: dict):
    """Each label of a page with all that its evidence rests on: displays, and the code of its check."""
    rests = {s["label"]: {*s["uses"], *s["assumes"]} for s in ledger["statements"]}
    displays = {d.label: d.latex for d in page.displays} if page else {}
    for label, latex in displays.items():
        under = sorted((u, displays.get(u)) for u in rests.get(label, ()))
        yield label, (latex, under, [piece.source for piece in needed(page, {label})])


def recorded_page(name: str) -> Page | None:
    """The page as it was when it was recorded."""
    import jupytext

    path = RECORDED / f"{name}.ipynb"
    if not path.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "page.md"
        copy.write_text(jupytext.writes(nbformat.read(path, 4), fmt="md:myst"), encoding="utf-8")
        return read_page(copy)


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    program = "python -m spaces_core.lab.edited"
    parser = argparse.ArgumentParser(prog=program, description="Check what was edited since its recording.")
    parser.add_argument("names", nargs="*", metavar="part/topic", help="chapters (default: all)")
    known, options = chapter_names(), parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"no such chapter: {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    failed = False
    for name in options.names or known:
        started = time.monotonic()
        at_once, later = edited(name)
        chapters, problems = check_file(CHAPTERS / f"{name}.md", only=at_once) if at_once else ([], [])
        for chapter in chapters:
            print("\n".join(lines(chapter)))
        for label in sorted(later):
            print(f"  {label} is an experiment, a sample or without a check: python -m spaces_core.lab.record {name}")
        if at_once | later or options.names:
            print(f"{name}: {len(at_once)} edited statements checked in {time.monotonic() - started:.1f} s")
        for problem in dict.fromkeys(problems):
            print(f"✗ {problem}", file=sys.stderr)
        failed = failed or bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
