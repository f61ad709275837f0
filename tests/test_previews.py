"""A reference to an equation shows the equation to a mouse, a keyboard and a finger."""

import pytest

from tests.browsing import SITE

CHAPTER, OTHER = "similarity/margin_softmax", "what-was-wrong"
LINKS = 'article a[href*="#equation-"]:not(.headerlink):not([data-statement])'


in_a_chapter = pytest.mark.parametrize("page", [CHAPTER])


def preview(visit):
    box = visit.tab.get_by_role("tooltip")
    box.locator("mjx-container").wait_for()
    return box


@in_a_chapter
def test_hovering_shows_the_equation_and_leaving_hides_it(visit):
    link = visit.tab.locator(LINKS).first
    link.hover()
    box = preview(visit)
    assert link.inner_text().strip("()") in box.locator("p").inner_text()
    target = visit.tab.locator("[id='" + link.get_attribute("href")[1:] + "'] mjx-container > mjx-math")
    assert box.locator("mjx-math").first.inner_html() == target.first.inner_html(), "the equation of the reference"
    assert link.get_attribute("aria-describedby") == "equation-preview"
    visit.tab.mouse.move(640, 5)
    box.wait_for(state="hidden")
    assert link.get_attribute("aria-describedby") is None


@in_a_chapter
def test_the_keyboard_opens_and_closes_it(visit):
    visit.tab.locator(LINKS).first.focus()
    box = preview(visit)
    visit.tab.keyboard.press("Escape")
    assert not box.is_visible()
    visit.tab.locator(LINKS).nth(1).focus()
    assert preview(visit).is_visible()


@pytest.mark.parametrize("page", [OTHER])
def test_an_equation_of_another_page_is_shown_and_nothing_is_loaded_before(visit):
    assert not [url for url in visit.requests if url.endswith("equations.js")]
    link = visit.tab.locator(LINKS).first
    assert not link.get_attribute("href").startswith("#")
    link.hover()
    assert any(kind in preview(visit).inner_text() for kind in ("refuted", "trap"))
    assert not [url for url in visit.requests if not url.startswith((SITE.as_uri(), "data:", "blob:"))]


def test_a_tap_shows_it_within_the_screen_and_the_next_follows(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab = context.new_page()
    tab.goto((SITE / f"{OTHER}.html").as_uri())
    link = tab.locator(LINKS).first
    link.tap()
    box = tab.get_by_role("tooltip")
    box.locator("mjx-container").wait_for()
    assert "#" not in tab.url
    at = box.bounding_box()
    assert at["x"] >= 0 and at["x"] + at["width"] <= 390
    link.tap()
    tab.wait_for_url("**#equation-*")
    context.close()
