"""The front page: a derivation with badges and a slider in one screen, and contents made from what exists."""

import json
import re

import pytest
from docutils.nodes import make_id

from spaces_core.lab.record import CHAPTERS, ROOT
from tests.browsing import CHAPTERS as NAMES
from tests.browsing import statements

on_the_front_page = pytest.mark.parametrize("page", ["index"])


@pytest.fixture
def front(visit):
    visit.tab.set_viewport_size({"width": 1280, "height": 800})
    return visit


@on_the_front_page
def test_the_promise_fits_in_one_screen(front):
    for part in ("h1", ".front", ".front figure.spaces-slider"):
        box = front.tab.locator(part).first.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 800, part
    assert front.tab.locator(".front div.math mjx-container").count() == 3


@on_the_front_page
def test_its_equations_are_those_of_a_chapter_with_the_badges_of_its_ledger(front):
    links = front.tab.locator(".front .eqno a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    badges = front.tab.locator(".front details.evidence > summary").all_inner_texts()
    assert len(links) == len(badges) == 3
    assert len({badge.split()[0] for badge in badges}) == 3, "the three show three kinds of evidence"
    for link, badge in zip(links, badges, strict=True):
        page, anchor = link.split(".html#")
        s = next(s for s in statements(page) if make_id(f"equation-{s['label']}") == anchor)
        assert badge.startswith(s["kind"])
        assert f"{s['typos']['caught']} of" in badge


@on_the_front_page
def test_its_slider_moves_the_picture(front):
    figure = front.tab.locator(".front figure.spaces-slider")
    before = figure.locator("[data-frame]:visible svg").get_attribute("aria-label")
    figure.locator("input").press("ArrowLeft")
    after = figure.locator("[data-frame]:visible svg").get_attribute("aria-label")
    value = figure.locator("output").inner_text()
    assert before != after
    assert value in after


@on_the_front_page
def test_every_chapter_is_listed_with_its_result_what_it_needs_and_its_evidence(front):
    items = front.tab.locator("article li:has(> .evidence-bar)")
    listed = items.evaluate_all(
        "all => all.map(i => [i.querySelector('a').getAttribute('href'),"
        " i.innerText.trim(), i.querySelector('.evidence-bar').innerText])"
    )
    assert sorted(href for href, _, _ in listed) == sorted(f"{name}.html" for name in NAMES)
    for href, said, bar in listed:
        ledger = json.loads((ROOT / "tests/recorded" / href.replace(".html", ".ledger.json")).read_text())
        totals = {k: n for k, n in ledger["totals"].items() if k not in ("general", "instance")}
        general = sum(s["kind"] == "proved" and s["scope"] == "general" for s in ledger["statements"])
        totals |= {"proved": 0, "proved in general": general, "proved for an instance": totals["proved"] - general}
        assert re.search(r"\.\s+Needs [^;]+; about \d+ minutes\.", said), href
        for kind, number in totals.items():
            assert not number or re.search(rf"\b{number} {kind}", bar), (href, kind)


def test_new_chapters_appear_without_editing(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book"))
    import front

    stale = "# Title\n\n% contents\n\nan old list\n\n% end of contents\n\nthe rest\n"
    made = front.fill_contents(stale)
    assert "an old list" not in made
    assert made.endswith("the rest\n")
    assert all(f"({name}.md)" in made and f"\n{name}\n" in made for name in NAMES)
    assert front.REGION.search((CHAPTERS / "index.md").read_text()), "the index says where its contents go"
    assert front.short('<path d="M 1.23456 20" x="0.1234"/>') == '<path d="M 1.23 20" x="0.1234"/>'


def test_chapters_stand_in_the_order_of_the_index_and_new_ones_after_their_part(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "book"))
    import ledgers

    (tmp_path / "index.md").write_text("[Z](one/z.md) [A](one/a.md) [Later](two/b.md)")
    monkeypatch.setattr(ledgers, "CHAPTERS", tmp_path)
    monkeypatch.setattr(ledgers, "chapter_names", lambda: ["one/a", "one/new", "one/z", "three/c", "two/b"])
    assert ledgers.reading_order() == ["one/z", "one/a", "one/new", "two/b", "three/c"]


@on_the_front_page
def test_the_front_page_is_light(front):
    assert len(front.tab.content()) < 600_000
