"""JupyterLab as a reader has it: one click opens a chapter as a notebook, its equations are set, and all cells run.

The session works on a copy of the book, which it must leave as it found it: running and saving changes no file.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time

import nbformat
import pytest

from spaces_core.lab.record import RECORDED, ROOT, chapter_names
from tests.browsing import missing

CHAPTERS = chapter_names()
SHOTS = ROOT / "_build" / "screenshots"
IDLE = """() => {
    const panel = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
    const waiting = [...panel.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].some(p => p.textContent.includes('*'));
    return !waiting && panel.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle';
}"""
PICTURE = re.compile(r"<svg.*</svg>", re.DOTALL)


def seconds(name):
    return json.loads((RECORDED / f"{name}.run.json").read_text())["seconds"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server on a copy of the book: its folder and its address with the token."""
    if not (RECORDED.exists() and CHAPTERS):
        missing("no chapter is recorded: make record")
    root, home = tmp_path_factory.mktemp("book"), tmp_path_factory.mktemp("home")
    for name in ("chapters", "figures", "spaces_core", "tests", "jupytext.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, root / name)
    folders = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    token = secrets.token_hex(16)
    env = {
        **os.environ,
        **folders,
        "PYTHONPATH": str(root),
        "JUPYTER_TOKEN": token,
        "JUPYTERLAB_SETTINGS_DIR": str(home),
    }
    env |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    recordings = [str(RECORDED.relative_to(ROOT) / f"{name}.ipynb") for name in CHAPTERS]
    subprocess.run([sys.executable, "-m", "jupyter", "trust", *recordings], cwd=root, env=env, check=True)
    log = home / "log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
        server = subprocess.Popen(command, cwd=root, env=env, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/\S*", log.read_text())):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        yield root, re.sub(r"/lab/.*|/lab\?.*", "", found[0]), token
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page(lab, browser):
    """JupyterLab's start page."""
    _, address, token = lab
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(60_000)
    tab.goto(f"{address}/?token={token}&reset")
    tab.wait_for_selector(".jp-Notebook h1")
    yield tab
    context.close()


def shown(tab):
    """The notebook in front."""
    return tab.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")


def open_chapter(tab, name):
    """Click the chapter's link on the index."""
    shown(tab).locator(f'a[href*="{name}.md"]').first.click()
    tab.wait_for_selector(f'.lm-TabBar-tab.lm-mod-current[title*="{name}.md"]')
    shown(tab).locator("h1").first.wait_for()


def test_no_token_no_book(lab, browser):
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{lab[1]}/lab")
    assert "/login" in tab.url
    context.close()


@pytest.mark.parametrize("name", CHAPTERS)
def test_one_click_opens_a_chapter_with_its_equations_and_outputs(page, name):
    open_chapter(page, name)
    page.wait_for_function("document.querySelectorAll('.katex, mjx-container').length > 1")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"lab-{name.replace('/', '-')}.png")
    assert not page.locator(".katex-error, mjx-merror").all_inner_texts()
    shown(page).locator(".evidence-badge").first.wait_for(state="attached")  # recorded outputs, before anything ran
    assert not shown(page).locator("input[type=range]").first.is_disabled()


@pytest.mark.skipif(not CHAPTERS, reason="no chapters")
def test_run_all_and_save_changes_no_file(page, lab):
    root, name = lab[0], min(CHAPTERS, key=seconds)
    source, recording = root / "chapters" / f"{name}.md", root / "tests" / "recorded" / f"{name}.ipynb"
    text, before = source.read_text(), nbformat.read(recording, 4)
    open_chapter(page, name)
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()
    page.wait_for_function(IDLE, timeout=300_000)
    page.wait_for_timeout(2000)
    page.wait_for_function(IDLE, timeout=300_000)
    assert not page.locator(
        '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
    ).count()
    page.screenshot(path=SHOTS / "lab-run-all.png")
    stamp = recording.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    deadline = time.monotonic() + 60
    while recording.stat().st_mtime_ns == stamp and time.monotonic() < deadline:
        page.wait_for_timeout(500)
    assert source.read_text() == text
    after = nbformat.read(recording, 4)
    assert [outputs(c) for c in after.cells] == [outputs(c) for c in before.cells]
    assert [c.source for c in after.cells] == [c.source for c in before.cells]


def outputs(cell):
    """What a code cell put out, without what may differ from run to run."""
    if cell.cell_type != "code" or "nbval-ignore-output" in cell.metadata.get("tags", []):
        return None
    return PICTURE.sub("<svg>", json.dumps(cell.outputs, sort_keys=True)), cell.execution_count
