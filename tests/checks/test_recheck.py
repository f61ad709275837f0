r"""A reader's re-check: statements, definitions and hypotheses, in Python and in the page."""

import subprocess
import sys

import pytest

from spaces_core.checks.page import parse_page
from spaces_core.checks.recheck import recheck
from spaces_core.checks.slicing import needed
from spaces_core.lab.record import ROOT
from tests.rechecking import PAGE, editable_statements


def ask(label, latex, **more):
    return recheck(PAGE, label, latex, **more)


@pytest.mark.parametrize(
    "label, latex, state",
    [
        ("eq-t-square", r"b^2 + a (a + 2 b) = (a + b)^2", "holds"),
        ("eq-t-square", "(a + b)^2 = a^2 - 2 a b + b^2", "fails"),
        ("eq-t-mean", "a^2 + b^2 ≥ 2 a b", "holds"),
        ("eq-t-mean", r"a^2 + b^2 \ge 3 a b", "fails"),
        ("eq-t-sum", r"\sum_{i=1}^{n} i = \frac{n^2 + n}{2}", "holds"),
        ("eq-t-sum", r"\sum_{i=0}^{n} i = \frac{n^2 + n}{2}", "holds"),
        ("eq-t-slope", r"\frac{\mathrm{d}}{\mathrm{d} x} s(x) = s(x) \cdot (2 - s(x))", "fails"),
        ("eq-t-wrong", "(a + b)^3 = a^3 + b^3", "refuted"),
        ("eq-t-wrong", "(a + b)^3 = a^3 + b^3 + 3 a b (a + b)", "survives"),
        ("eq-t-square", r"V \ge 0", "unreadable"),
        ("eq-t-square", "1 = 1", "unreadable"),
        ("eq-t-square", "(a + b)^2", "unreadable"),
        ("eq-t-square", "", "unreadable"),
        ("eq-t-square", "$a = a$", "unreadable"),
        ("eq-t-square", r"\href{x}{a} = a", "unreadable"),
        ("eq-t-square", r"\frac{a}", "unreadable"),
        ("eq-t-square", "a = )(", "unreadable"),
        ("eq-t-square", "¿a? = b", "unreadable"),
    ],
)
def test_whatever_is_typed_gets_an_answer_in_words(label, latex, state):
    found = ask(label, latex)
    assert found["state"] == state, found
    assert found["message"] and "Error" not in found["message"] and "ch." not in found["message"]
    assert state != "fails" or (found["point"] and found["left"] != found["right"])


def test_a_point_where_it_fails_lies_in_the_setting():
    found = ask("eq-t-root", r"\sqrt{t^2} = t + \frac{1}{10}")
    assert found["state"] == "fails"
    assert all(float(value) > 0 for name, value in found["point"] if name == "t")


def test_a_hypothesis_can_be_edited():
    good = ask("eq-t-set", r"a, b, x \in \mathbb R, \quad t \ge 0", only=["eq-t-root"])
    assert good["state"] == "holds"
    bad = ask("eq-t-set", r"a, b, x \in \mathbb R, \quad t \in \mathbb R", only=["eq-t-root"])
    assert (bad["state"], bad["label"]) == ("fails", "eq-t-root") and float(bad["point"][0][1]) < 0
    assert ask("eq-t-set", r"a, b, x \in \mathbb R", only=["eq-t-root"])["state"] == "unreadable"


def test_a_definition_is_tried_in_the_statement_that_rests_on_it():
    assert ask("eq-t-def", r"s(x) = \frac{e^x}{e^x + 1}", only=["eq-t-slope"])["ok"]
    bad = ask("eq-t-def", r"s(x) = \frac{1}{1 + e^{x}}", only=["eq-t-slope"])
    assert (bad["state"], bad["label"]) == ("fails", "eq-t-slope")
    assert "y" in ask("eq-t-def", r"s(x) = \frac{1}{1 + e^{y}}", only=["eq-t-slope"])["message"]


def test_misprints_of_a_weaker_statement_pass():
    strong, weak = (
        ask("eq-t-mean", t, teeth=True)["typos"] for t in (r"a^2 + b^2 \ge 2 a b", r"a^2 + b^2 + 1 \ge a b")
    )
    assert strong["caught"] + strong["equivalent"] == strong["made"] > 10
    assert weak["caught"] + weak["equivalent"] < weak["made"]


def test_an_unknown_label_is_an_error():
    with pytest.raises(KeyError, match="eq-none"):
        ask("eq-none", "a = a")


@pytest.fixture(scope="module")
def statements(tmp_path_factory):
    return editable_statements(tmp_path_factory.mktemp("page"))


def test_what_can_be_edited(statements):
    kinds = ("set", "n", "def", "slope", "zero", "square", "root", "mean", "wrong", "sum")
    assert set(statements) == {f"eq-t-{k}" for k in kinds}
    assert statements["eq-t-set"]["only"] and statements["eq-t-def"]["only"] == ["eq-t-slope", "eq-t-zero"]


def test_the_engine_needs_no_numerical_package():
    code = (
        "import sys; from importlib.abc import MetaPathFinder\n"
        "class No(MetaPathFinder):\n"
        "    def find_spec(self, name, *a):\n"
        "        if name.split('.')[0] in ('numpy', 'scipy', 'torch', 'z3'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, No())\n"
        "import spaces_core.checks.recheck as r; page = sys.stdin.read()\n"
        "print(r.recheck(page, 'eq-t-square', '(a + b)^2 = a^2 + b^2')['state'])\n"
        "print(r.recheck(page, 'eq-t-mean', r'a^2 + b^2 \\ge 2 a b')['state'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], input=PAGE, capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout.split() == ["fails", "searched"], ran.stderr


def test_what_a_check_needs_is_traced_through_the_cells():
    sources = [p.source for p in needed(parse_page(PAGE), {"eq-t-slope"})]
    assert [s for s in sources if ".prove" in s] == ['ch.prove("eq-t-slope")']
    assert 'ch.define("eq-t-def")' in sources and "import numpy as np" not in sources
