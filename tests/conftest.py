"""The replay: nbval runs the recordings; this compares the ledgers and the figures that the fresh run wrote.

Strict nbval alone would pass a figure whose data changed (pictures are not compared) and a chapter that checks less
than its ledger says. The controlling process compares every chapter that was replayed in full and prints how much was
checked.
"""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest
from xdist.scheduler import LoadScopeScheduling

from spaces_core.lab.record import RECORDED, ROOT
from spaces_core.lab.replay import faults_of, load, output_faults
from spaces_core.lab.running import kernel_settings
from tests import browsing

REPLAYED = "SPACES_REPLAYED"
ran: dict[str, set[int]] = {}
replayed: dict[str, set[int]] = {}
"""The cells of each chapter that ran, and those that put out what is recorded."""


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright."""
    with browsing.chromium() as running:
        yield running


@pytest.fixture(scope="session")
def visits(browser):
    """The page of the book that is open."""
    visits = browsing.Visits(browser)
    yield visits
    visits.leave()


@pytest.fixture
def visit(visits, page):
    """The page that a test asks for by its parameter `page`, as it is when a reader comes to it."""
    return visits.of(page)


def pytest_addoption(parser):
    parser.addoption("--all-chapters", action="store_true", help="fail unless every chapter was replayed in full")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        os.environ[REPLAYED] = tempfile.mkdtemp(prefix="replayed-")
        os.environ.setdefault("SPACES_AUDIT", str(secrets.randbelow(10**6)))


class Scopes(LoadScopeScheduling):
    """Workers take whole notebooks and modules, all tests of one page together, and audits made anew one by one."""

    def _split_scope(self, nodeid):
        if "::test_audited_anew[" in nodeid:
            return nodeid
        return browsing.page_of(nodeid) or super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Scopes(config, log)


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(REPLAYED), ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """nbval has compared what a cell printed but for numbers with their half-widths: these may move within them."""
    result = yield
    if chapter_of(item.nodeid) and item.options["check"]:
        faults = output_faults(item.cell.outputs, item.test_outputs)
        if faults:
            item.raise_cell_error("Cell outputs differ", "\n".join(faults))
    return result


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
    if name and report.when == "call":
        for cells in (ran, replayed) if report.passed else (ran,):
            cells.setdefault(name, set()).add(int(report.nodeid.rsplit(" ", 1)[1]))


def _code_cells(name: str) -> int:
    nb = nbformat.read(RECORDED / f"{name}.ipynb", 4)
    return sum(cell.cell_type == "code" for cell in nb.cells)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    fresh = Path(os.environ[REPLAYED])
    chapters = sorted(p.relative_to(RECORDED).with_suffix("").as_posix() for p in RECORDED.glob("*/*.ipynb"))
    whole = [name for name in chapters if len(replayed.get(name, ())) == _code_cells(name)]
    again = "if this is meant: python -m spaces_core.lab.record"
    finished = [name for name in chapters if len(ran.get(name, ())) == _code_cells(name)]
    faults = [f"{name}: {fault}; {again} {name}" for name in finished for fault in faults_of(name, fresh, RECORDED)]
    if config.option.all_chapters:
        faults += [f"{name}: not replayed in full" for name in chapters if name not in whole]
    ledgers = [
        [load(folder, name, ".ledger.json") or {"statements": []} for name in whole] for folder in (fresh, RECORDED)
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
    terminalreporter.write_line(f"SPACES_AUDIT={os.environ['SPACES_AUDIT']} chose the audits that were made anew")
    for fault in faults:
        terminalreporter.write_line(f"FAILED replay: {fault}", red=True)
    if line:
        terminalreporter.write_line(line, bold=True, red=bool(faults), green=not faults)
