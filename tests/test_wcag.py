"""Pages can be used by everybody: axe finds nothing. The last look at a page, which takes its drawings away."""

import pytest

from tests.browsing import PAGES

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
RULES = {"light": WCAG, "dark": ["color-contrast"]}
"""Darkness changes colours alone."""


@pytest.mark.parametrize("scheme", RULES)
@pytest.mark.parametrize("page", PAGES)
def test_page_is_accessible(visit, scheme):
    """With the strokes of formulas and figures taken away: they are tens of thousands."""
    from axe_playwright_python.sync_playwright import Axe

    visit.tab.emulate_media(color_scheme=scheme)
    visit.open("details.hide")
    for kind in {s["kind"] for s in visit.statements}:
        visit.tab.evaluate("kind => { document.querySelector('details.evidence-' + kind).open = true }", kind)
    visit.set_mathematics()
    visit.tab.evaluate("document.querySelectorAll('mjx-container, figure svg > *').forEach(node => node.remove())")
    axe = Axe().run(visit.tab, options={"runOnly": RULES[scheme], "preload": False, "resultTypes": ["violations"]})
    assert not axe.response["violations"], axe.generate_report()
