r"""Audit chapters: all that is too slow for every test run, and stored with the hash of what it depends on.

    python -m spaces_core.lab.audit [--force] [--jobs N] [part/topic ...]

The audit of a chapter runs it again under other kernels of the numerical libraries, as other processors have them,
and compares it with its recording; runs its checks with other seeds; and changes each sign of its displays, which the
checks must notice. It keeps what it found in `tests/recorded/<part>/<topic>.audit.json`, and runs again what its hash
says is older than the chapter, the library, the engine or the pinned versions. Exits with 1 when a chapter fails.
`make test` holds each stored audit against its hash and its seal, and runs a random tenth of all of them anew.
"""

import argparse
import concurrent.futures
import contextlib
import datetime
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from spaces_core.checks.page import read_page
from spaces_core.lab import machine
from spaces_core.lab.record import CHAPTERS, RECORDED, ROOT, chapter_names, outdated, read_source
from spaces_core.lab.replay import exact, faults_of, load, masked, output_faults
from spaces_core.lab.running import SETTINGS, ChapterFailedError, execute
from spaces_core.lab.sources import sources_hash

KERNELS = {
    "ATen without vector instructions": {"ATEN_CPU_CAPABILITY": "default"},
    "MKL as on any processor": {"MKL_CBWR": "COMPATIBLE"},
    "oneDNN with SSE 4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "OpenBLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
}
SEEDS = {"seed 1": 1, "seed 2": 2}
SIGNS = "signs"
ITEMS = (*KERNELS, *SEEDS, SIGNS)
SYMBOLIC = ("proved", "argued", "refuted", "trap")
OWN = ("audit.py", "replay.py", "running.py")
_SIGN = re.compile(r"(?<![\^{])[+-](?!})")
_RELATION = re.compile(r"(=|\\leq?\b|\\geq?\b|<|>|\\approx)(?!\s*([-+]|0(?![.\d])))")


class AuditFailedError(AssertionError):
    """A chapter does not hold under an item of its audit; the message says where."""


def run_item(name: str, item: str) -> dict:
    """Run one item of a chapter's audit; returns what a second run must find again.

    Raises:
        AuditFailedError: the chapter fails, or differs from its recording.
    """
    if item in KERNELS:
        return _under(name, KERNELS[item])
    return _signs(name) if item == SIGNS else _seeded(name, SEEDS[item])


# --- the items --------------------------------------------------------------------------------------
def _under(name: str, settings: dict[str, str]) -> dict:
    """The whole chapter under other kernels, against its recording."""
    import nbformat

    if outdated(name):
        raise AuditFailedError(f"{name} has changed since its recording: python -m spaces_core.lab.record {name}")
    nb, recorded = read_source(name), nbformat.read(RECORDED / f"{name}.ipynb", 4)
    with tempfile.TemporaryDirectory() as folder:
        try:
            execute(name, nb, Path(folder), settings)
        except ChapterFailedError as error:
            raise AuditFailedError(str(error)) from None
        faults = faults_of(name, Path(folder), RECORDED)
        ledger = load(Path(folder), name, ".ledger.json") or {"statements": []}
    texts = []
    for place, (cell, old) in enumerate(zip(nb.cells, recorded.cells, strict=True)):
        if cell.cell_type == "code" and "nbval-ignore-output" not in cell.metadata.get("tags", []):
            faults += [f"cell {place}: {fault}" for fault in output_faults(old.outputs, cell.outputs)]
            texts += [masked(o.get("text", o.get("data", {}).get("text/plain", ""))) for o in cell.outputs]
    if faults:
        raise AuditFailedError("\n".join(f"{name}: {fault}" for fault in faults))
    found = json.dumps([texts, [exact(s) for s in ledger["statements"]]], sort_keys=True)
    return {"cells": len(nb.cells), "statements": len(ledger["statements"]), "found": digest(found)}


def _seeded(name: str, seed: int) -> dict:
    """The checks with another seed of random cases and experiments."""
    page = str(CHAPTERS / f"{name}.md")
    command = [sys.executable, "-m", "spaces_core.checks", page, "--seed", str(seed), "--json"]
    env = {**os.environ, **SETTINGS, "SPACES_SEED": str(seed)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=1800)
    if done.returncode:
        raise AuditFailedError(f"{name} with seed {seed}:\n{(done.stderr or done.stdout).strip()}")
    (ledger,) = json.loads(done.stdout)[0]["ledgers"]
    lines = [json.dumps(exact(s), sort_keys=True) for s in ledger["statements"]]
    return {"statements": len(lines), "found": digest("\n".join(lines))}


def _signs(name: str) -> dict:
    """One sign of a display changed at a time: its checks, or those of what rests on it, fail and name the label."""
    from spaces_core.checks.runner import check_file

    survived, tried = [], 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.md"
        for label, wrong, text, resting in misprinted(name):
            copy.write_text(text, encoding="utf-8")
            tried += 1
            with contextlib.redirect_stdout(None):
                _, problems = check_file(copy, only=resting)
            if not any(label in p for p in problems):
                survived.append(f"{name}: {label} passes with a changed sign: {wrong}")
    if survived:
        raise AuditFailedError("\n".join(survived))
    return {"tried": tried}


def misprinted(name: str) -> Iterator[tuple[str, str, str, set[str]]]:
    """Each symbolic display of a chapter with one sign changed: label, display, page, the labels to check."""
    ledger = load(RECORDED, name, ".ledger.json")
    page = read_page(CHAPTERS / f"{name}.md")
    text, displays = page.path.read_text(encoding="utf-8").split("\n"), {d.label: d for d in page.displays}
    kinds = {s["label"]: s["kind"] for s in ledger["statements"]}
    for s in ledger["statements"]:
        symbolic = {u for u in s["used_by"] if kinds[u] in SYMBOLIC}
        resting = {s["label"]} if kinds[s["label"]] in SYMBOLIC else symbolic
        if kinds[s["label"]] in ("setting", "measured", "demonstration", "sampled") or not resting:
            continue
        display = displays[s["label"]]
        for wrong in changed_signs(display.latex):
            body = "\n".join(text[display.line - 1 :]).replace(display.latex, wrong, 1)
            yield s["label"], wrong, "\n".join([*text[: display.line - 1], body]), resting


def changed_signs(latex: str) -> Iterator[str]:
    """The display with one sign changed, for each sign in it; a minus before its right side where it has none.

    >>> list(changed_signs("a + b = c - d"))
    ['a - b = c - d', 'a + b = c + d']
    >>> list(changed_signs("a = b"))
    ['a = - b']
    """
    for found in _SIGN.finditer(latex):
        other = "-" if found[0] == "+" else "+"
        yield latex[: found.start()] + other + latex[found.end() :]
    relations = list(_RELATION.finditer(latex))
    if relations and not _SIGN.search(latex):
        yield latex[: relations[-1].end()] + " -" + latex[relations[-1].end() :]


# --- what is stored ---------------------------------------------------------------------------------
def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def depends(name: str) -> str:
    """One hash of all that an audit depends on: a chapter's code and displays, its recording, the library, the pins."""
    code = "\n".join(cell.source for cell in read_source(name).cells if cell.cell_type == "code")
    displays = [(d.label, d.latex) for d in read_page(CHAPTERS / f"{name}.md").displays]
    ledger = load(RECORDED, name, ".ledger.json") or {"statements": []}
    statements = [{k: v for k, v in s.items() if k != "line"} for s in ledger["statements"]]
    notebook = load(RECORDED, name, ".ipynb") or {"cells": []}
    outputs = [cell.get("outputs") for cell in notebook["cells"]]
    own = [(Path(__file__).parent / file).read_text(encoding="utf-8") for file in OWN]
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    figures = load(RECORDED, name, ".figures.json")
    return digest(json.dumps([code, displays, sources_hash(code), statements, outputs, figures, own, pins]))


def seal(name: str, item: str, entry: dict) -> str:
    """What tells an entry that was edited by hand."""
    content = {k: v for k, v in entry.items() if k != "seal"}
    return digest(json.dumps([name, item, content], sort_keys=True))


def stored(name: str) -> dict[str, dict]:
    """What the last audit of a chapter found, by item."""
    return load(RECORDED, name, ".audit.json") or {}


def faults_of_audit(name: str) -> list[str]:
    """Why the stored audit of a chapter cannot be relied on; an empty list when it can."""
    entries, now = stored(name), depends(name)
    found = [f"{item}: not audited" for item in ITEMS if item not in entries]
    found += [f"{item}: no item of an audit" for item in entries if item not in ITEMS]
    for item, entry in entries.items():
        if entry.get("seal") != seal(name, item, entry):
            found.append(f"{item}: edited by hand, its seal is broken")
        elif entry["depends"] != now:
            found.append(f"{item}: audited on {entry['date']}, before the chapter, the library or the engine changed")
    return [f"{name}: {fault}; python -m spaces_core.lab.audit {name}" for fault in found]


def keep(name: str, item: str, found: dict, seconds: float) -> None:
    """Store what an item found."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    entry = {
        "date": today,
        "hardware": machine.hardware(),
        "seconds": round(seconds),
        "depends": depends(name),
        **found,
    }
    _write(name, stored(name) | {item: {**entry, "seal": seal(name, item, entry)}})


def forget(name: str, item: str) -> None:
    """A chapter that fails has no stored audit of that item."""
    _write(name, {k: v for k, v in stored(name).items() if k != item})


def _write(name: str, entries: dict[str, dict]) -> None:
    text = json.dumps({k: entries[k] for k in ITEMS if k in entries}, indent=1, ensure_ascii=False) + "\n"
    (RECORDED / f"{name}.audit.json").write_text(text, encoding="utf-8")


def anew(name: str, item: str) -> None:
    """Run an item again and hold it against what is stored.

    Raises:
        AuditFailedError: the item fails, or finds something else.
    """
    found, kept = run_item(name, item), stored(name).get(item, {})
    if differing := {k: (kept.get(k), v) for k, v in found.items() if kept.get(k) != v}:
        raise AuditFailedError(f"{name}: {item}: the stored audit differs from a new one: {differing}")


def tenth(names: list[str], seed: int) -> list[tuple[str, str]]:
    """A random tenth of all items of all chapters, every kind of item as often as every other.

    >>> len(tenth(["a/a", "b/b", "c/c"], seed=0))
    3
    """
    chance = random.Random(seed)
    items = chance.sample(ITEMS, len(ITEMS))
    columns = [chance.sample(names, len(names)) for _ in items]
    pairs = [(column[row], item) for row in range(len(names)) for item, column in zip(items, columns, strict=True)]
    return pairs[: -(-len(pairs) // 10)]


def _timed(name: str, item: str) -> tuple[dict, float]:
    started = time.monotonic()
    return run_item(name, item), time.monotonic() - started


def main(arguments: list[str] | None = None) -> int:
    """Command line of the audit."""
    parser = argparse.ArgumentParser(prog="python -m spaces_core.lab.audit", description="Audit chapters of the book.")
    parser.add_argument("names", nargs="*", metavar="part/topic", help="chapters to audit (default: all)")
    parser.add_argument("--force", action="store_true", help="run also what is up to date")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="items run at a time")
    options = parser.parse_args(arguments)
    known = chapter_names()
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"no such chapter: {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    todo = []
    for name in options.names or known:
        entries, now = stored(name), depends(name)
        good = {i for i, e in entries.items() if e.get("seal") == seal(name, i, e) and e["depends"] == now}
        todo += [(name, item) for item in ITEMS if options.force or item not in good]
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(_timed, *pair): pair for pair in todo}
        for job in concurrent.futures.as_completed(jobs):
            name, item = jobs[job]
            try:
                found, seconds = job.result()
                keep(name, item, found, seconds)
                print(f"{name}: {item}: {seconds:.0f} s", flush=True)
            except Exception as error:
                failed += 1
                forget(name, item)
                print(f"{name}: {item}: {error}", file=sys.stderr, flush=True)
    print(
        f"{len(todo)} items audited, {failed} failed; {len(ITEMS) * len(options.names or known) - len(todo)} up to date"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
