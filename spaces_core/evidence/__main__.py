"""Run the check cells of chapters: python -m spaces_core.evidence FILE.md [FILE.md ...]"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from .badge import Summary
from .runner import check_file, lines


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m spaces_core.evidence", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE.md", type=Path)
    parser.add_argument("--seed", type=int, help="seed of the random cases and experiments (default 0)")
    parser.add_argument("--only", action="append", metavar="LABEL", help="check this label alone (may be repeated)")
    args = parser.parse_args(argv)
    missing = [str(f) for f in args.files if not f.is_file()]
    if missing:
        parser.error(f"no such file: {', '.join(missing)}")
    failed = 0
    for file in args.files:
        start = time.perf_counter()
        try:
            chapters, problems = check_file(file, args.seed, set(args.only or ()))
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
