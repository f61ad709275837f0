"""The book shows what the ledger says: scopes, quotations, arguments, idle hypotheses."""

import re

import pytest

from spaces_core.lab.record import ROOT
from tests.checks.pages import outcome

DISPLAYS = {
    "eq-p-set": r"n \in \mathbb N, \quad A, B \in \mathbb R^{n \times n}, \quad x \in \mathbb R, \quad y, z > 0",
    "eq-p-general": r"\operatorname{tr}(A B) = \operatorname{tr}(B A)",
    "eq-p-instance": r"\det(A B) = \det(A) \det(B)",
    "eq-p-argued": r"\frac{y + z}{2} \ge \sqrt{y z}",
    "eq-p-refuted": r"\sqrt{x^2} = x",
    "eq-p-trap": "x^2 = x",
}
CODE = """
ch.setting("eq-p-set")
ch.prove("eq-p-general", by="words")
ch.prove("eq-p-instance", {"n": 2}, note="by expansion")
ch.argue("eq-p-argued", rests=["eq-p-set"])
ch.refute("eq-p-refuted", {"x": -3}, sides=(3, -3), quote=Quote("大概 <x>", "perhaps x", "the post, section 2"))
ch.trap("eq-p-trap", {"x": 3}, sides=(9, 3), corrected="eq-p-general")
"""


@pytest.fixture
def shown(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "book"))
    import evidence
    import ledgers

    chapter, problems = outcome(tmp_path, DISPLAYS, CODE)
    assert not problems
    found = {"part/topic": chapter.ledger()}
    monkeypatch.setattr(evidence, "ledgers", lambda: found)
    monkeypatch.setattr(evidence, "check_code", lambda name, kinds: {})
    page = evidence.Evidence("part/topic", lambda name: f"{name}.html")
    rows = {s["label"]: s for s in found["part/topic"]["statements"]}
    return page, rows, ledgers


def text(markup):
    return re.sub(r"<[^>]*>", " ", markup)


def test_general_and_instance_stand_apart(shown):
    page, rows, ledgers = shown
    assert "evidence-proved" in page.panel(rows["eq-p-general"]) and "general" in text(page.badge(rows["eq-p-general"]))
    instance = page.panel(rows["eq-p-instance"])
    assert "evidence-instance" in instance and "instance: n = 2" in text(instance) and "by expansion" in instance
    assert ledgers.counts(page.ledgers["part/topic"]) == {
        "setting": 1, "proved": 1, "instance": 1, "argued": 1, "refuted": 1, "trap": 1
    }  # fmt: skip
    bar = page.bar(page.ledgers["part/topic"])
    assert "<b>1</b> proved in general" in bar and "<b>1</b> proved for an instance" in bar


def test_a_quotation_stands_with_its_words_and_place(shown):
    page, rows, _ = shown
    panel = page.panel(rows["eq-p-refuted"])
    assert "“大概 &lt;x&gt;”" in panel and "“perhaps x”" in panel and "the post, section 2" in panel
    assert "x = -3" in text(page.refuted())


def test_an_argument_names_what_it_rests_on(shown):
    page, rows, _ = shown
    panel = page.panel(rows["eq-p-argued"])
    assert "Argued from" in panel and 'href="#equation-eq-p-set"' in panel and "200 points tried" in text(panel)


def test_the_setting_names_what_nothing_needs(shown):
    page, rows, _ = shown
    assert rows["eq-p-set"]["idle"] == [] or "Not needed" in page.panel(rows["eq-p-set"])
    assert {"eq-p-general", "eq-p-trap"} <= set(rows["eq-p-set"]["used_by"])


def test_all_tables_are_made(shown):
    page, rows, _ = shown
    assert all(f"evidence-{k}" in page.statements() for k in ("setting", "instance", "argued", "trap", "refuted"))
    assert "proved for an instance" in page.totals()
