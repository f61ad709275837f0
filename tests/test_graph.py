"""The graph of what rests on what: its layers, its order, and exploring it with mouse and keyboard."""

import json
import re

import pytest

from spaces_core.lab.record import RECORDED, ROOT
from tests.browsing import CHAPTERS, Visit, statements

PAGE = "what-rests-on-what"


@pytest.fixture(scope="module")
def graph():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "book"))
        import graph
    return graph


def ledger(uses):
    """A ledger of statements that use each other."""
    return {"statements": [{"label": v, "uses": list(u), "kind": "proved"} for v, u in uses.items()]}


def cone(pairs, start):
    seen = {start}
    while more := {u for u, v in pairs if v in seen} - seen:
        seen |= more
    return seen


def test_layers_follow_the_longest_way_and_arrows_that_follow_are_left_out(graph):
    drawn = graph.layout(ledger({"a": "", "b": "a", "c": "ab", "d": "", "e": "cd"}))
    assert sorted(drawn.edges) == [("a", "b"), ("b", "c"), ("c", "e"), ("d", "e")]
    column = {v: x for v, (x, _) in drawn.places.items()}
    assert column["a"] == column["d"] < column["b"] < column["c"] < column["e"]


def test_a_circle_is_refused(graph):
    with pytest.raises(ValueError, match=r"rest on each other: \['a', 'b'\]"):
        graph.layout(ledger({"a": "b", "b": "a", "c": ""}))


def test_heights_follow_the_neighbours(graph):
    drawn = graph.layout(ledger({"a": "", "b": "", "c": "b", "d": "a"}))
    assert not crossings(drawn)


def crossings(drawn):
    at = drawn.places
    return [
        (e, f)
        for e in drawn.edges
        for f in drawn.edges
        if at[e[0]][0] == at[f[0]][0] and at[e[0]][1] < at[f[0]][1] and at[e[1]][1] > at[f[1]][1]
    ]


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_is_drawn_without_overlap_and_keeps_what_rests_on_what(graph, name):
    stored = json.loads((RECORDED / f"{name}.ledger.json").read_text())
    drawn, needed = graph.layout(stored), graph.needs(stored)
    assert set(drawn.places) == {s["label"] for s in stored["statements"]}
    boxes = sorted(drawn.places.values())
    assert all(x != z or w - y >= graph.HEIGHT for (x, y), (z, w) in zip(boxes, boxes[1:], strict=False))
    assert all(x + graph.WIDTH <= drawn.size[0] and y + graph.HEIGHT <= drawn.size[1] + 1 for x, y in boxes)
    whole = [(u, v) for v in needed for u in needed[v]]
    assert all(cone(whole, v) == cone(drawn.edges, v) for v in needed)


def test_forty_chapters_of_a_deep_derivation_are_laid_out_in_no_time(graph):
    import time

    deep = ledger({f"s{i}": [f"s{j}" for j in (i // 2, i - 3, i - 7) if 0 <= j < i] for i in range(60)})
    started = time.process_time()
    for _ in range(40):
        graph.layout(deep)
    assert time.process_time() - started < 10


on_the_page_of_graphs = pytest.mark.parametrize("page", [PAGE])


def opened(visit, name):
    card = visit.tab.locator(f'.graph-card[data-chapter="{name}"]')
    card.get_by_role("button", name=re.compile("^Explore")).click()
    return card


@on_the_page_of_graphs
def test_all_chapters_are_there_small_and_out_of_the_way_of_the_keyboard(visit):
    visit.tab.reload()
    assert visit.tab.locator(".graph-card.small svg[inert]").count() == len(CHAPTERS)
    card = opened(visit, CHAPTERS[0])
    assert card.get_by_role("button").get_attribute("aria-expanded") == "true"
    assert card.locator("svg[inert]").count() == 0


def premises(name, label):
    """A statement with all that it rests on, by the ledger."""
    rows, found, waiting = {s["label"]: s for s in statements(name)}, set(), [label]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            s = rows[here]
            waiting += [u for u in (*s["uses"], *s["assumes"], *s.get("rests", ())) if u in rows]
    return found


def test_a_click_shows_the_cone_and_the_equation_and_the_next_goes_there(browser):
    """In a window of its own, which it leaves for another page."""
    visit = Visit(browser, PAGE)
    name = "entropy/entropy_normalization"
    card = opened(visit, name)
    node = card.locator('a[data-statement="eq-ent-slope"]')
    node.click()
    lit = set(card.locator("a.on").evaluate_all("all => all.map(a => a.dataset.statement)"))
    below = premises(name, "eq-ent-slope")
    assert {"eq-ent-slope", "eq-ent-power", "eq-ent-moments"} <= below <= lit
    assert all("eq-ent-slope" in premises(name, above) for above in lit - below)
    card.locator(".graph-facts mjx-container").wait_for()
    card.locator(".graph-facts button", has_text="moments").click()
    assert "eq-ent-slope" in card.locator("a.on").evaluate_all("all => all.map(a => a.dataset.statement)")
    assert "moments, definition" in card.locator(".graph-facts a").inner_text()
    card.locator('a[data-statement="eq-ent-moments"]').click()
    visit.tab.wait_for_url(f"**/{name}.html#equation-eq-ent-moments")
    visit.context.close()


@pytest.mark.parametrize("page", [CHAPTERS[0]])
def test_the_keyboard_reaches_statements_and_lets_go_of_them(visit):
    visit.tab.locator("details.graph-fold > summary").click()
    node = visit.tab.locator(".graph svg a").first
    node.focus()
    assert visit.tab.locator(".graph svg.lit").count() == 1
    visit.tab.keyboard.press("Enter")
    visit.tab.locator(".graph-facts mjx-container").wait_for()
    visit.tab.keyboard.press("Escape")
    assert visit.tab.locator(".graph-facts").inner_text() == ""
