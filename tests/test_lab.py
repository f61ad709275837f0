"""JupyterLab as a reader has it: one click opens a chapter as a notebook, its equations are set, and all cells run.

The session works on a copy of the book under git, which it must leave as it found it, as it must the settings of a
reader who has some.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time

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


def seconds(name):
    return json.loads((RECORDED / f"{name}.run.json").read_text())["seconds"]


OWN = {
    "jupyter_lab_config.json": {"ServerApp": {"quit_button": False}},
    "labconfig/default_setting_overrides.json": {"@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Dark"}},
}
"""What a reader has set in JupyterLab before."""


def prints(folder):
    """Every file of a folder with a hash of its content."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def git(root, *arguments):
    author = ["-c", "user.name=reader", "-c", "user.email=reader@example.org"]
    done = subprocess.run(["git", *author, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the book, started as `make lab` does: folder, address, token, settings of the reader."""
    if not (RECORDED.exists() and CHAPTERS):
        missing("no chapter is recorded: make record")
    root, home = tmp_path_factory.mktemp("book"), tmp_path_factory.mktemp("home")
    for name in ("chapters", "figures", "spaces_core", "tests", "book", "share", "jupytext.toml", ".gitignore"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, root / name)
    edited = root / "chapters" / f"{max(CHAPTERS, key=seconds)}.md"  # other text than the copy of its recording has
    edited.write_text(edited.read_text() + "\nA last sentence.\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "the book")
    for name, content in OWN.items():
        (home / "CONFIG" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "CONFIG" / name).write_text(json.dumps(content))
    folders = {f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    token = secrets.token_hex(16)
    env = {**os.environ, **folders, "PYTHONPATH": str(root), "JUPYTER_TOKEN": token}
    log = home / "log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "spaces_core.lab.opening", "--no-browser", "--port=0"]
        server = subprocess.Popen(command, cwd=root, env=env, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/\S*", log.read_text())):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
        yield root, re.sub(r"/lab/.*|/lab\?.*", "", found[0]), token, home / "CONFIG"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def page(lab, browser):
    """JupyterLab's start page, opened once."""
    _, address, token, _ = lab
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


def bring(tab, name):
    """Put an opened page in front."""
    tab.locator(f'#jp-main-dock-panel .lm-TabBar-tab[title*="{name}.md"]').click()
    tab.wait_for_selector(f'#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current[title*="{name}.md"]')


def open_chapter(tab, name):
    """Click the chapter's link on the index."""
    bring(tab, "index")
    shown(tab).locator(f'a[href*="{name}.md"]').first.click()
    tab.wait_for_selector(f'#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current[title*="{name}.md"]')
    shown(tab).locator("h1").first.wait_for()


def save(tab, root, name):
    """Save the page in front, and wait until the file is written."""
    path = root / "chapters" / f"{name}.md"
    stamp = path.stat().st_mtime_ns
    tab.keyboard.press("Control+s")
    deadline = time.monotonic() + 60
    while path.stat().st_mtime_ns == stamp:
        assert time.monotonic() < deadline, f"{name} was not saved"
        tab.wait_for_timeout(200)


def test_no_token_no_book(lab, browser):
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{lab[1]}/lab")
    assert "/login" in tab.url
    context.close()


def test_the_settings_of_the_reader_hold_beside_those_of_the_book(page):
    page.wait_for_selector('body[data-jp-theme-name="JupyterLab Dark"]', state="attached")
    page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text="index.md").wait_for()


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
def test_run_all_and_save_leaves_the_book_and_the_reader_s_settings_as_they_were(page, lab):
    root, _, _, config = lab
    before = prints(config)
    name = min(CHAPTERS, key=seconds)
    outputs = root / "_build" / "lab" / f"{name}.ipynb"
    opened = outputs.stat().st_mtime_ns
    open_chapter(page, name)
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()
    page.wait_for_function(IDLE, timeout=300_000)
    page.wait_for_timeout(2000)
    page.wait_for_function(IDLE, timeout=300_000)
    failed = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
    assert not shown(page).locator(failed).count()
    page.screenshot(path=SHOTS / "lab-run-all.png")
    save(page, root, name)
    bring(page, "index")
    save(page, root, "index")
    shown(page).locator('a[href*="how-to-read.md"]').first.click()
    page.wait_for_selector('#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current[title*="how-to-read.md"]')
    save(page, root, "how-to-read")
    assert git(root, "status", "--porcelain") == ""
    assert outputs.stat().st_mtime_ns > opened, "the outputs were saved, beside the book"
    assert prints(config) == before


def test_the_book_builds_beside_what_jupyterlab_left(lab):
    """After the test before: checkpoints lie in the chapters' folders."""
    root = lab[0]
    assert list((root / "chapters").rglob(".ipynb_checkpoints/*.md"))
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "dummy", "-c", "book", "chapters", "_build/dummy"]
    env = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
