"""The built book in a real browser, from its files, as a reader without a server or a network has it."""

import json
import re

import pytest
from docutils.nodes import make_id

from spaces_core.lab.record import RECORDED
from tests.browsing import CHAPTERS, PAGES, SITE, Visit, missing

every_page = pytest.mark.parametrize("page", PAGES)


@every_page
def test_a_badge_opens_to_the_statement_as_it_was_read(visit):
    for kind in {s["kind"] for s in visit.statements}:
        panel = visit.tab.locator(f"details.evidence-{kind}").first
        assert not panel.locator("dl").is_visible()
        panel.locator("summary").click()
        panel.locator("dl mjx-container").first.wait_for()


@every_page
def test_every_equation_has_its_evidence_beside_it(visit):
    visit.open("details.sd-dropdown")
    found = visit.tab.evaluate(
        """() => [...document.querySelectorAll('article div.math[id^=equation-]')].map(equation => {
            let badges = [], next = equation.nextElementSibling;
            for (; next && next.matches('details.evidence'); next = next.nextElementSibling) {
                badges.push(next.dataset.label + ': ' + next.querySelector('summary').innerText);
            }
            return [equation.id, badges];
        })"""
    )
    expected = {}
    for s in visit.statements:
        expected.setdefault(s["label"], []).append(s)
    labels = {make_id(f"equation-{label}"): label for label in expected}
    assert sorted(identifier for identifier, _ in found) == sorted(labels)
    for identifier, badges in found:
        label = labels[identifier]
        assert len(badges) == len(expected[label])
        for badge, s in zip(badges, expected[label], strict=True):
            assert badge.startswith(f"{label}: {s['kind']}")
            assert f"{s['typos']['caught']} of" in badge or (s["kind"] == "assumption" and "used by" in badge)


@every_page
def test_sliders_move_without_a_kernel(visit):
    figures = visit.tab.locator("figure.spaces-slider")
    assert figures.count() >= (visit.page in CHAPTERS), "a chapter has a slider"
    for figure in figures.all():
        slider, frames = figure.locator("input[type=range]"), figure.locator("[data-frame]")
        before = figure.locator("output").inner_text()
        slider.focus()
        slider.press("ArrowRight" if slider.input_value() == "0" else "ArrowLeft")
        assert figure.locator("output").inner_text() != before
        shown = [i for i, frame in enumerate(frames.all()) if frame.is_visible()]
        assert shown == [int(slider.input_value())]


@every_page
def test_nothing_is_wider_than_the_screen(visit):
    visit.open()
    widths = {}
    for screen in (390, 1280):
        visit.tab.set_viewport_size({"width": screen, "height": 900})
        widths[screen] = visit.tab.evaluate("document.documentElement.scrollWidth")
    assert all(width <= screen for screen, width in widths.items()), widths


CUT = """() => [...document.querySelectorAll('div.math > mjx-container')].filter(box => box.clientWidth)
  .filter(box => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).maskImage === 'none')
  .map(box => box.closest('div.math').id)"""


@every_page
def test_no_equation_is_cut_without_a_sign(visit):
    for screen in (390, 1280):
        visit.tab.set_viewport_size({"width": screen, "height": 900})
        visit.tab.evaluate("new Promise(done => setTimeout(done, 200))")
        assert not visit.tab.evaluate(CUT), screen


@every_page
def test_all_mathematics_is_set_and_nothing_is_asked_of_the_network(visit):
    visit.open()
    assert not [url for url in visit.requests if not url.startswith((SITE.as_uri(), "data:", "blob:"))]
    assert not visit.errors
    assert not visit.tab.locator("mjx-merror, [data-mml-node=merror]").all_inner_texts()
    assert not visit.tab.locator(".system-message, .problematic").all_inner_texts()
    formulas = visit.tab.evaluate(
        "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('mjx-container')).map(m => m.textContent)"
    )
    assert not [text for text in formulas if text.strip()], "formulas that MathJax left alone"


def test_search_finds_every_chapter(browser):
    visit, lost = Visit(browser, "search"), []
    for name in CHAPTERS:
        title = json.loads((RECORDED / f"{name}.ledger.json").read_text())["title"]
        words = max(re.findall(r"[A-Za-z]+", title), key=len)
        visit.tab.goto(f"{visit.address}?q={words}")
        visit.tab.wait_for_selector("ul.search li a")
        links = [a.get_attribute("href") for a in visit.tab.locator("ul.search li a").all()]
        if not any(f"{name}.html" in link for link in links):
            lost.append(f"searching for {words!r} found {links}, not {name}")
    visit.context.close()
    assert not lost


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
