"""A browser for the tests that look at pages as a reader does."""

import contextlib
import json
import os
import re
import shutil

import pytest

from spaces_core.lab.record import RECORDED, ROOT, chapter_names

SITE = ROOT / "_build" / "html"
CHAPTERS = chapter_names()
PAGES = [*CHAPTERS, *sorted(p.stem for p in (ROOT / "chapters").glob("*.md")), "search"]
SCREEN = {"width": 1280, "height": 900}
FLAGS = ("--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync").split()  # fmt: skip


def missing(what: str) -> None:
    """Skip a test for want of something, or fail it where everything has to be there."""
    if os.environ.get("SPACES_REQUIRE_BROWSER"):
        pytest.fail(what)
    pytest.skip(what)


@contextlib.contextmanager
def chromium():
    """The system's Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing("no chromium or google-chrome on the PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def statements(name):
    return json.loads((RECORDED / f"{name}.ledger.json").read_text())["statements"]


class Visit:
    """One page in one window, with what it asked for and complained of."""

    def __init__(self, browser, page, query=""):
        path = SITE / f"{page}.html"
        if not path.exists():
            missing(f"{path.relative_to(ROOT)} is not built: make book")
        self.page, self.requests, self.errors = page, [], []
        self.statements = statements(page) if page in CHAPTERS else []
        self.context = browser.new_context(color_scheme="light", viewport=SCREEN)
        self.tab = self.context.new_page()
        self.tab.on("request", lambda r: self.requests.append(r.url))
        self.tab.on("requestfailed", lambda r: self.errors.append(f"not loaded: {r.url}"))
        self.tab.on("pageerror", lambda e: self.errors.append(str(e)))
        self.tab.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.address = path.as_uri()
        self.tab.goto(self.address + query)
        self.set_mathematics()

    def again(self):
        """The page as it was when it was opened, for the next test that looks at it."""
        if self.tab.url.partition("#")[0] != self.address:
            self.tab.goto(self.address)
            self.set_mathematics()
        self.close()
        self.tab.keyboard.press("Escape")
        self.tab.mouse.move(0, 0)
        self.tab.emulate_media(color_scheme="light")
        self.tab.set_viewport_size(SCREEN)
        self.tab.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        return self

    def draws(self):
        """Whether the window still draws frames: without them nothing that is clicked ever stands still."""
        return self.tab.evaluate(
            "Promise.race([new Promise(done => requestAnimationFrame(() => done(true))), "
            "new Promise(done => setTimeout(() => done(false), 10000))])"
        )

    def set_mathematics(self):
        """Wait until MathJax has set what it was given."""
        if self.tab.locator(".math").count():
            self.tab.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise", timeout=120_000)
            self.tab.evaluate("new Promise(done => setTimeout(() => MathJax.startup.promise.then(done), 50))")

    def open(self, which="details"):
        self.tab.evaluate("which => document.querySelectorAll(which).forEach(d => { d.open = true })", which)
        self.set_mathematics()

    def close(self):
        self.tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = false })")


class Visits:
    """One page at a time, opened once for all tests that look at it."""

    def __init__(self, browser):
        self.browser, self.current = browser, None

    def of(self, page):
        if self.current is None or self.current.page != page:
            self.leave()
            self.current = Visit(self.browser, page)
        visit, complaints = self.current, list(self.current.errors)
        if complaints:
            self.leave()
        assert not complaints, f"{page} complained after the test before"
        visit.again()
        if not visit.draws():
            self.leave()
            visit = self.current = Visit(self.browser, page)
        return visit

    def leave(self):
        if self.current is not None:
            self.current.context.close()
        self.current = None


PAGED = re.compile(r"tests/test_(?:front|graph|previews|site|statements|wcag)\.py::\w+\[(.*)\]")


def page_of(nodeid: str) -> str | None:
    """The page of the book that a browser test looks at: the first of its parameters.

    >>> page_of("tests/test_wcag.py::test_page_is_accessible[search-dark]")
    'search'
    """
    found = PAGED.search(nodeid)
    looked = [page for page in PAGES if found and f"{found[1]}-".startswith(f"{page}-")]
    return max(looked, key=len, default=None)
