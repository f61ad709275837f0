"""Check the statements of pages: python -m spaces_core.checks FILE.md [FILE.md ...]"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from .badge import Summary
from .claims import uncarried
from .page import read_page
from .runner import check_file, lines


def main(argv: list[str] | None = None) -> int:
    """Returns 0 if every statement passes, 1 if one does not; a wrong call ends with 2."""
    parser = argparse.ArgumentParser(prog="python -m spaces_core.checks", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path, help="a page of MyST Markdown, or a notebook")
    parser.add_argument("--seed", type=int, help="seed of the random points, cases and experiments (default 0)")
    parser.add_argument("--only", action="append", metavar="LABEL", help="check this label alone (may be repeated)")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument("--claims", action="store_true", help="list sentences that quantify and cite nothing")
    args = parser.parse_args(argv)
    missing = [str(f) for f in args.files if not f.is_file()]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    found = [_check(file, args) for file in args.files]
    if args.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    return 0 if all(f["ok"] for f in found) else 1


def _check(file: Path, args) -> dict:
    start = time.perf_counter()
    try:
        chapters, problems = check_file(file, args.seed, set(args.only or ()))
        claims = [str(c) for c in uncarried(read_page(file))]
    except ValueError as error:
        chapters, problems, claims = [], [str(error)], []
    problems = list(dict.fromkeys(problems))
    if not args.json:
        for chapter in chapters:
            print("\n".join(lines(chapter)))
            print(f"{file}: {Summary(chapter)} ({time.perf_counter() - start:.0f} s)")
        print(f"{file}: {len(claims)} sentences of the text quantify and cite neither a display nor a source")
        for claim in claims if args.claims else ():
            print(f"  {claim}")
        for p in problems:
            print(f"✗ {p}", file=sys.stderr)
    ledgers = [c.ledger() for c in chapters]
    return {"file": str(file), "ok": not problems, "problems": problems, "ledgers": ledgers, "uncarried": claims}


if __name__ == "__main__":
    sys.exit(main())
