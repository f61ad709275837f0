"""The built book in a real browser, from its files, as a reader without a server or a network has it."""

import json
import re

import pytest

from spaces_core.record import RECORDED, ROOT, chapter_names
from tests.browsing import missing

SITE = ROOT / "_build" / "html"
CHAPTERS = chapter_names()
PAGES = [*CHAPTERS, *sorted(p.stem for p in (ROOT / "chapters").glob("*.md")), "search"]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def statements(name):
    return json.loads((RECORDED / f"{name}.ledger.json").read_text())["statements"]


class Visit:
    """One page in one window, with what it asked for and complained of."""

    def __init__(self, browser, page, scheme="light", width=1280, query=""):
        path = SITE / f"{page}.html"
        if not path.exists():
            missing(f"{path.relative_to(ROOT)} is not built: make book")
        self.context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        self.tab, self.requests, self.errors = self.context.new_page(), [], []
        self.tab.on("request", lambda r: self.requests.append(r.url))
        self.tab.on("requestfailed", lambda r: self.errors.append(f"not loaded: {r.url}"))
        self.tab.on("pageerror", lambda e: self.errors.append(str(e)))
        self.tab.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.tab.goto(path.as_uri() + query)
        if self.tab.locator(".math").count():
            self.tab.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
            self.tab.evaluate("MathJax.startup.promise")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_page_is_whole_and_accessible(browser, page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    with Visit(browser, page, scheme) as visit:
        tab = visit.tab
        tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert not [url for url in visit.requests if not url.startswith((SITE.as_uri(), "data:", "blob:"))]
        assert not visit.errors
        assert not tab.locator("mjx-merror, [data-mml-node=merror]").all_inner_texts()
        assert "mjx" in tab.content() or not tab.locator(".math").count()
        assert not tab.locator(".system-message, .problematic").all_inner_texts()
        axe = Axe().run(tab, options={"runOnly": WCAG})
        assert not axe.response["violations"], axe.generate_report()


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_wider_than_a_phone(browser, page):
    with Visit(browser, page, width=390) as visit:
        visit.tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert visit.tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("page", CHAPTERS)
def test_every_equation_has_its_evidence_beside_it(browser, page):
    with Visit(browser, page) as visit:
        found = visit.tab.evaluate(
            """() => [...document.querySelectorAll('article div.math[id^=equation-]')].map(equation => {
                let badges = [], next = equation.nextElementSibling;
                for (; next && next.matches('details.evidence'); next = next.nextElementSibling) {
                    badges.push(next.dataset.label + ': ' + next.querySelector('summary').innerText);
                }
                return [equation.id.replace('equation-', ''), badges];
            })"""
        )
    expected = {}
    for s in statements(page):
        expected.setdefault(s["label"], []).append(s)
    assert {label for label, _ in found} == set(expected)
    for label, badges in found:
        assert len(badges) == len(expected[label])
        for badge, s in zip(badges, expected[label], strict=True):
            assert badge.startswith(f"{label}: {s['kind']}")
            assert f"{s['typos']['caught']} of" in badge


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_badge_opens_to_the_statement_as_it_was_read(browser, page):
    with Visit(browser, page) as visit:
        panel = visit.tab.locator("details.evidence").first
        assert not panel.locator("dl").is_visible()
        panel.locator("summary").click()
        assert panel.locator("dl mjx-container").first.is_visible()


@pytest.mark.parametrize("page", CHAPTERS)
def test_sliders_move_without_a_kernel(browser, page):
    with Visit(browser, page) as visit:
        figures = visit.tab.locator("figure.spaces-slider")
        assert figures.count(), "a chapter has a slider"
        for figure in figures.all():
            slider, frames = figure.locator("input[type=range]"), figure.locator("[data-frame]")
            before = figure.locator("output").inner_text()
            slider.focus()
            slider.press("ArrowRight" if slider.input_value() == "0" else "ArrowLeft")
            assert figure.locator("output").inner_text() != before
            shown = [i for i, frame in enumerate(frames.all()) if frame.is_visible()]
            assert shown == [int(slider.input_value())]


@pytest.mark.parametrize("page", CHAPTERS)
def test_search_finds_the_chapter(browser, page):
    title = json.loads((RECORDED / f"{page}.ledger.json").read_text())["title"]
    words = max(re.findall(r"[A-Za-z]+", title), key=len)
    with Visit(browser, "search", query=f"?q={words}") as visit:
        visit.tab.wait_for_selector("ul.search li a")
        links = [a.get_attribute("href") for a in visit.tab.locator("ul.search li a").all()]
    assert any(f"{page}.html" in link for link in links), f"searching for {words!r} found {links}"


def test_links_and_anchors_resolve():
    from html.parser import HTMLParser
    from urllib.parse import unquote, urlsplit

    class Links(HTMLParser):
        def __init__(self, text):
            super().__init__()
            self.hrefs, self.ids = [], set()
            self.feed(text)

        def handle_starttag(self, tag, attributes):
            given = dict(attributes)
            self.ids |= {given.get("id"), given.get("name") if tag == "a" else None}
            if tag == "a" and given.get("href"):
                self.hrefs.append(given["href"])

    if not SITE.exists():
        missing("the book is not built: make book")
    pages = {path: Links(path.read_text()) for path in SITE.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for href in page.hrefs:
            link = urlsplit(href)
            if link.scheme or link.netloc:
                continue
            target = (path.parent / unquote(link.path)).resolve() if link.path else path
            anchor = unquote(link.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].ids):
                broken.append(f"{path.relative_to(SITE)}: {href}")
    assert not broken
