"""The replay: nbval runs the recordings; this compares the ledgers and the figures that the fresh run wrote.

Strict nbval alone would pass a figure whose data changed (pictures are not compared) and a chapter that checks less
than its ledger says. The controlling process compares every chapter that was replayed in full and prints how much was
checked.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest

from spaces_core.lab.plotting import differences
from spaces_core.lab.record import RECORDED, ROOT, kernel_settings
from tests import browsing

REPLAYED = "SPACES_REPLAYED"
replayed: dict[str, set[int]] = {}


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright."""
    with browsing.chromium() as running:
        yield running


def pytest_addoption(parser):
    parser.addoption("--all-chapters", action="store_true", help="fail unless every chapter was replayed in full")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        os.environ[REPLAYED] = tempfile.mkdtemp(prefix="replayed-")


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(REPLAYED), ignore_errors=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """A notebook's kernel starts in the set-up of its first cell: give it the settings of the recorder."""
    name = chapter_of(item.nodeid)
    if name is None:
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        for key, value in kernel_settings(name, Path(os.environ[REPLAYED])).items():
            patch.setenv(key, value)
        return (yield)


def chapter_of(nodeid: str) -> str | None:
    """The chapter whose recording a test is a cell of.

    >>> chapter_of("tests/recorded/part/topic.ipynb::Cell 3")
    'part/topic'
    """
    path = ROOT / nodeid.split("::")[0]
    inside = path.suffix == ".ipynb" and path.is_relative_to(RECORDED)
    return path.relative_to(RECORDED).with_suffix("").as_posix() if inside else None


def pytest_runtest_logreport(report):
    name = chapter_of(report.nodeid)
    if name and report.when == "call" and report.passed:
        replayed.setdefault(name, set()).add(int(report.nodeid.rsplit(" ", 1)[1]))


def _code_cells(name: str) -> int:
    nb = nbformat.read(RECORDED / f"{name}.ipynb", 4)
    return sum(cell.cell_type == "code" for cell in nb.cells)


def _load(folder: Path, name: str, kind: str):
    path = folder / (name + kind)
    return json.loads(path.read_text()) if path.exists() else None


def comparable(ledger: dict) -> dict:
    """A ledger without what may differ between machines."""
    return {**ledger, "statements": [{k: v for k, v in s.items() if k != "detail"} for s in ledger["statements"]]}


def faults_of(name: str, fresh: Path, recorded: Path = RECORDED) -> list[str]:
    """Where the evidence or the figures of a replayed chapter differ from its recording."""
    again = f"if this is meant: python -m spaces_core.lab.record {name}"
    old, new = _load(recorded, name, ".ledger.json"), _load(fresh, name, ".ledger.json")
    if old is None or new is None:
        lacking = "recorded" if old is None else "written by the replay"
        return [f"{name}: no ledger was {lacking}; does the chapter end in ch.report()?"]
    found = []
    if comparable(old) != comparable(new):
        before, after = (
            {(s["label"], s.get("part")): s for s in comparable(ledger)["statements"]} for ledger in (old, new)
        )
        labels = dict.fromkeys(key[0] for key in before | after if before.get(key) != after.get(key))
        found.append(f"{name}: ledger differs at {', '.join(labels) or 'title, totals or order'}; {again}")
    drawn = (_load(folder, name, ".figures.json") or [] for folder in (recorded, fresh))
    return found + [f"{name}: {fault}; {again}" for fault in differences(*drawn)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    fresh = Path(os.environ[REPLAYED])
    chapters = sorted(p.relative_to(RECORDED).with_suffix("").as_posix() for p in RECORDED.glob("*/*.ipynb"))
    whole = [name for name in chapters if len(replayed.get(name, ())) == _code_cells(name)]
    faults = [fault for name in whole for fault in faults_of(name, fresh)]
    if config.option.all_chapters:
        faults += [f"{name}: not replayed in full" for name in chapters if name not in whole]
    ledgers = [
        [_load(folder, name, ".ledger.json") or {"statements": []} for name in whole] for folder in (fresh, RECORDED)
    ]
    checked, promised = (sum(s["relations"] for ledger in side for s in ledger["statements"]) for side in ledgers)
    cells = sum(len(replayed[name]) for name in whole)
    config.stash[SUMMARY] = (
        f"replayed {cells} cells in {len(whole)} chapters, {checked} statements checked; ledger: {promised}"
        if whole
        else "",
        faults,
    )
    if faults and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


SUMMARY = pytest.StashKey[tuple[str, list[str]]]()


def pytest_terminal_summary(terminalreporter, config):
    line, faults = config.stash.get(SUMMARY, ("", []))
    for fault in faults:
        terminalreporter.write_line(f"FAILED replay: {fault}", red=True)
    if line:
        terminalreporter.write_line(line, bold=True, red=bool(faults), green=not faults)
