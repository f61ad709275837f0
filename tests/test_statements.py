"""The table of all statements can be sorted and filtered; the panel of a badge says all that the ledger knows."""

import json
import os
import re
import runpy
import subprocess
import sys

import pytest

from spaces_core.lab.record import CHAPTERS, RECORDED, ROOT
from tests.browsing import CHAPTERS as NAMES
from tests.browsing import SITE, Visit

LEDGERS = {name: json.loads((RECORDED / f"{name}.ledger.json").read_text()) for name in NAMES}
ALL = [(name, s) for name, ledger in LEDGERS.items() for s in ledger["statements"]]
CALL = {"setting": ".setting(", "definition": ".define(", "assumption": ".assume(", "proved": ".prove("}
CALL |= {"argued": ".argue(", "sampled": ".sample(", "measured": ".measure(", "demonstration": ".demonstrate("}
CALL |= {"refuted": ".refute(", "trap": ".trap("}
PAGES = sorted(p for p in CHAPTERS.glob("*.md") if "show(" in p.read_text())
HERE = {**os.environ, "PYTHONPATH": str(ROOT)}


of_all_statements = pytest.mark.parametrize("page", ["what-is-checked"])
KINDS = sorted({s["kind"] for _, s in ALL})
RICHEST = {s["kind"]: (n, s) for n, s in sorted(ALL, key=lambda x: len(x[1]["uses"] + x[1]["assumes"]))}
"""For each kind, the statement that rests on most."""


@pytest.fixture
def table(visit):
    visit.tab.get_by_role("button", name="show all").click()
    return visit


def shown(visit):
    return visit.tab.locator("#statements tbody tr:visible")


@of_all_statements
def test_every_statement_has_a_row(table):
    assert shown(table).count() == len(ALL)
    assert f"{len(ALL)} of {len(ALL)}" in table.tab.locator("#statements [role=status]").inner_text()


@pytest.mark.parametrize("kind", KINDS)
@of_all_statements
def test_a_kind_can_be_picked(table, kind):
    table.tab.get_by_label("kind").select_option(kind)
    assert shown(table).count() == sum(s["kind"] == kind for _, s in ALL)


@of_all_statements
def test_filters_act_together_and_words_are_found(table):
    name = NAMES[0]
    table.tab.locator("select[name=chapter]").select_option(name)
    table.tab.get_by_label("kind").select_option("proved")
    assert shown(table).count() == sum(n == name and s["kind"] == "proved" for n, s in ALL)
    table.tab.get_by_label("contains").fill("no such words")
    assert shown(table).count() == 0


@of_all_statements
def test_headings_sort_and_say_so(table):
    column = table.tab.locator("#statements thead th", has_text="Typos caught")
    cells = "rows => rows.map(row => Number(row.cells[6].dataset.sort))"
    for direction in ("ascending", "descending"):
        column.get_by_role("button").press("Enter")
        assert column.get_attribute("aria-sort") == direction
        assert table.tab.locator("#statements thead [aria-sort]").count() == 1
        found = shown(table).evaluate_all(cells)
        assert found == sorted(found, reverse=direction == "descending")
        assert len(set(found)) > 5


def test_formulas_are_set_when_they_come_into_view(browser):
    visit = Visit(browser, "what-is-checked")
    last = shown(visit).last
    assert last.locator("mjx-container").count() == 0
    last.scroll_into_view_if_needed()
    last.locator("mjx-container").wait_for()
    visit.context.close()


def terms(panel):
    return dict(zip(panel.locator("dt").all_inner_texts(), panel.locator("dd").all(), strict=True))


@pytest.mark.parametrize(("page", "kind"), [(RICHEST[kind][0], kind) for kind in KINDS])
def test_the_panel_says_what_the_ledger_knows(visit, kind):
    s = RICHEST[kind][1]
    panel = visit.tab.locator(f'details.evidence[data-label="{s["label"]}"]').first
    panel.locator("summary").click()
    panel.locator("dl mjx-container").first.wait_for()
    said = terms(panel)
    assert said["As the machine read it"].locator("mjx-container").count() == 1
    assert said["Known as"].inner_text().startswith(kind)
    assert (s["scope"] or "") in said["Known as"].inner_text()
    assert said["Rests on"].locator("a").count() == len(s["uses"]) if s["uses"] else "Rests on" not in said
    assert said["Under"].locator("a").count() == len(s["assumes"]) if s["assumes"] else "Under" not in said
    examples = len(s["typos"]["examples"])
    assert said["Typos"].locator("li mjx-container").count() == examples if s["typos"]["made"] else "Typos" not in said
    code = said["The check"].locator("pre").first.inner_text()
    assert CALL[kind] in code
    assert f'"{s["label"]}"' in code or f'"{s["label"].rsplit("-", 1)[1]}"' in code, "by its name, or in a loop"


@pytest.mark.parametrize("name", NAMES)
def test_every_statement_shows_the_code_of_its_check(name):
    page = (SITE / f"{name}.html").read_text()
    panels = re.findall(r'<details class="evidence [^>]*data-label="([^"]*)">(.*?)</details>', page, re.S)
    assert {label for label, _ in panels} == {s["label"] for s in LEDGERS[name]["statements"]}
    assert not [label for label, panel in panels if "<dt>The check</dt>" not in panel]
    assert max(panel.count("<pre>") for _, panel in panels) <= 4, "the code of other statements"


@pytest.mark.parametrize("source", PAGES, ids=lambda p: p.stem)
def test_jupyterlab_shows_the_same_tables(source):
    """What would appear raw in JupyterLab is no directive but cells, and they run there."""
    text = source.read_text()
    assert not re.search(r"^`{3,}\{(evidence|benchmarks)\}", text, re.M)
    cells = re.findall(r"^```\{code-cell\} ipython3\n(.*?)^```", text, re.M | re.S)
    code = "".join(re.sub(r"^(show\(.*\))$", r"print(\1.data)", cell, flags=re.M) for cell in cells)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHAPTERS, env=HERE, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") == len(cells) or source.stem == "index"
    assert all((CHAPTERS / link).is_file() for link in re.findall(r'<a href="([^"#]*)', done.stdout))
    rendered = (SITE / f"{source.stem}.html").read_text()
    for piece in ("<tr", "data-statement", '<details class="evidence'):
        assert rendered.count(piece) == done.stdout.count(piece)


def test_an_unknown_table_is_refused():
    show = runpy.run_path(str(ROOT / "book" / "lab.py"))["show"]
    with pytest.raises(ValueError, match="what must be one of promise|what must be one of totals"):
        show("nothing")


def test_of_two_loops_the_right_one_is_shown(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "book"))
    import checkcode

    loops = {
        "prove": 'for name in ("one", "both"):\n    ch.prove(f"eq-x-{name}")',
        "measure": 'for name in ("one", "other"):\n    ch.measure(f"eq-x-measured-{name}")',
        "again": 'for name in ("two",):\n    ch.prove(f"eq-x-{name}")',
    }
    (tmp_path / "page.md").write_text(
        "".join(f"```{{code-cell}} ipython3\n:tags: [check]\n\n{code}\n```\n\n" for code in loops.values())
    )
    monkeypatch.setattr(checkcode, "CHAPTERS", tmp_path)
    kinds = {"eq-x-one": "proved", "eq-x-two": "proved", "eq-x-measured-one": "measured"}
    assert checkcode.check_code("page", kinds) == {
        "eq-x-one": [loops["prove"]],
        "eq-x-two": [loops["again"]],
        "eq-x-measured-one": [loops["measure"]],
    }
