"""Record chapters: run each Jupytext source and keep what its cells put out, byte for byte the same on a second run.

    python -m spaces_core.lab.record [--force | --gpu] [--jobs N] [part/topic ...]

For `chapters/<part>/<topic>.md` this writes, in `tests/recorded/<part>/`: `<topic>.ipynb` (the notebook with outputs),
`<topic>.ledger.json` (what was checked, written by the chapter), `<topic>.figures.json` (the numbers drawn) and
`<topic>.run.json` (when, how long, on what). A chapter is run again when a code cell, a display, or a file of
`spaces_core` or `figures` that it imports has changed; a change of prose alone keeps the outputs. Exits with 1 when
a chapter fails, naming chapter and cell. With `--gpu`, on a machine that has one, only what the cells under "At scale"
print is kept, in `<topic>.gpu.json`, which the page shows beside them.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from spaces_core.checks.page import read_page
from spaces_core.lab import machine
from spaces_core.lab.running import ChapterFailedError, execute
from spaces_core.lab.sources import sources_hash

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS, RECORDED = ROOT / "chapters", ROOT / "tests" / "recorded"
KINDS = (".ipynb", ".ledger.json", ".figures.json", ".run.json", ".gpu.json", ".audit.json")


def chapter_names() -> list[str]:
    """Every chapter as `part/topic`; copies that JupyterLab leaves in hidden folders are none."""
    return sorted(p.relative_to(CHAPTERS).with_suffix("").as_posix() for p in CHAPTERS.glob("[a-z]*/[a-z]*.md"))


def read_source(name: str) -> Any:
    """The notebook that a chapter's source stands for, in normal form: stable ids, no volatile metadata."""
    import jupytext

    nb = jupytext.read(CHAPTERS / f"{name}.md")
    nb.metadata = {"jupytext": {"default_lexer": "ipython3"}, "kernelspec": nb.metadata["kernelspec"]}
    nb.nbformat, nb.nbformat_minor = 4, 5
    for i, cell in enumerate(nb.cells):
        cell.id = f"c{i:03d}"
    return nb


def record(name: str, force: bool = False) -> str:
    """Bring the recording of one chapter up to date; returns what was done."""
    nb = read_source(name)
    if not force and not outdated(name) and _keep_outputs(name, nb):
        return "kept its outputs" if _write(name, nb) else "is up to date"
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        execute(name, nb, Path(folder))
        for kind in (".ledger.json", ".figures.json"):
            fresh, stored = Path(folder, name + kind), RECORDED / (name + kind)
            shutil.copyfile(fresh, stored) if fresh.exists() else stored.unlink(missing_ok=True)
    _write(name, nb)
    seconds = round(time.monotonic() - started, 1)
    facts = {
        "recorded": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": f"python -m spaces_core.lab.record {name}",
        "seconds": seconds,
        "code_cells": sum(c.cell_type == "code" for c in nb.cells),
        "hardware": machine.hardware(),
        "versions": machine.versions(),
        "sources": sources_hash(_all_code(nb)),
    }
    (RECORDED / f"{name}.run.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return f"ran in {seconds} s"


def record_on_gpu(name: str) -> str:
    """Run a chapter on a machine with a GPU and keep what it prints at scale; returns what was done."""
    import torch

    if not torch.cuda.is_available():
        raise ChapterFailedError(f"torch {torch.__version__} finds no GPU here: leave --gpu out to record on the CPU")
    nb = read_source(name)
    with tempfile.TemporaryDirectory() as folder:
        execute(name, nb, Path(folder))
    facts = {
        "recorded": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": f"python -m spaces_core.lab.record --gpu {name}",
        "gpu": torch.cuda.get_device_name(),
        "hardware": machine.hardware(),
        "versions": {**machine.versions(), "cuda": torch.version.cuda},
        "printed": printed_at_scale(nb),
    }
    (RECORDED / f"{name}.gpu.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return f"ran on {facts['gpu']}"


def printed_at_scale(nb: Any) -> str:
    """What the cells under the heading "At scale" of an executed notebook printed."""
    heading, text = "", ""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            heading = ([heading] + re.findall(r"^#+ +(.*?) *$", cell.source, re.M))[-1]
        elif cell.cell_type == "code" and heading == "At scale":
            text += "".join(o["text"] for o in cell.outputs if o.get("name") == "stdout")
    if not text:
        raise ChapterFailedError('no cell under the heading "At scale" printed anything')
    return text


def outdated(name: str) -> bool:
    """Whether the library or the figures that a chapter imports have changed since it was recorded."""
    run = _read_json(name, ".run.json")
    return run is None or run["sources"] != sources_hash(_all_code(read_source(name)))


def _all_code(nb: Any) -> str:
    return "\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")


def _keep_outputs(name: str, nb: Any) -> bool:
    """Give `nb` the recorded outputs if its code and its displays are the recorded ones."""
    import nbformat

    path, ledger = RECORDED / f"{name}.ipynb", _read_json(name, ".ledger.json")
    if not path.exists() or ledger is None:
        return False
    old = nbformat.read(path, 4)
    now = {d.label: d for d in read_page(CHAPTERS / f"{name}.md").displays}
    same_code = _code(old) == _code(nb)
    if not same_code or {s["label"]: s["latex"] for s in ledger["statements"]} != {k: d.latex for k, d in now.items()}:
        return False
    outputs = iter([c for c in old.cells if c.cell_type == "code"])
    for cell in nb.cells:
        if cell.cell_type == "code":
            kept = next(outputs)
            cell.outputs, cell.execution_count = kept.outputs, kept.execution_count
    nb.metadata["language_info"] = old.metadata["language_info"]
    for statement in ledger["statements"]:
        statement["line"] = now[statement["label"]].line
    text = json.dumps(ledger, indent=1, ensure_ascii=False) + "\n"
    (RECORDED / f"{name}.ledger.json").write_text(text, encoding="utf-8")
    return True


def _code(nb: Any) -> list:
    """The code cells of a notebook: on them and on the displays its outputs depend."""
    return [(cell.source, cell.metadata) for cell in nb.cells if cell.cell_type == "code"]


def _write(name: str, nb: Any) -> bool:
    """Write the notebook if it differs from the stored one."""
    import nbformat

    nbformat.validate(nb)
    path, text = RECORDED / f"{name}.ipynb", nbformat.writes(nb, 4) + "\n"
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    return True


def _read_json(name: str, kind: str) -> Any:
    path = RECORDED / (name + kind)
    return json.loads(path.read_text()) if path.exists() else None


def main(arguments: list[str] | None = None) -> int:
    """Command line of the recorder."""
    program = "python -m spaces_core.lab.record"
    parser = argparse.ArgumentParser(prog=program, description="Record chapters of the book.")
    parser.add_argument("names", nargs="*", metavar="part/topic", help="chapters to record (default: all)")
    parser.add_argument("--force", action="store_true", help="run also where nothing but prose has changed")
    parser.add_argument(
        "--gpu", action="store_true", help="keep only what is printed at scale, on a machine with a GPU"
    )
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="chapters run at a time")
    options = parser.parse_args(arguments)
    known = chapter_names()
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"no such chapter: {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
    failed = 0
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        todo = [(record_on_gpu, n) if options.gpu else (record, n, options.force) for n in options.names or known]
        jobs = {pool.submit(*call): call[1] for call in todo}
        for job in concurrent.futures.as_completed(jobs):
            try:
                print(f"{jobs[job]} {job.result()}", flush=True)
            except Exception as error:
                failed += 1
                print(f"{jobs[job]}: not recorded: {error}", file=sys.stderr, flush=True)
    if not options.names:
        _remove_orphans(known)
    return 1 if failed else 0


def _remove_orphans(known: list[str]) -> None:
    """Remove recordings whose chapter is gone."""
    for path in RECORDED.glob("*/*"):
        name = f"{path.parent.name}/{path.name.split('.')[0]}"
        if name not in known and path.name.endswith(KINDS):
            path.unlink()
            print(f"{name} has no chapter: removed {path.name}")


if __name__ == "__main__":
    sys.exit(main())
