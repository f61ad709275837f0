"""The canary chapter: each wrong equation fails and is named, each right one passes."""

import re
from pathlib import Path

import pytest

from spaces_core.checks.__main__ import main
from spaces_core.checks.runner import check_file, lines
from tests.checks.pages import write

CANARY = Path(__file__).with_name("canary.md")
# the statement that rests on a misprinted definition or assumption fails; the misprint itself is only stated
STATED = {"eq-definition-wrong", "eq-assumption-wrong"}


@pytest.fixture(scope="module")
def checked():
    chapters, problems = check_file(CANARY)
    return chapters[0], problems


def test_every_wrong_equation_fails_and_every_right_one_passes(checked):
    chapter, _ = checked
    labels = {d.label for d in chapter.page.displays}
    failed = {e.label for e in chapter.evidence if e.error}
    assert {e.label for e in chapter.evidence} == labels
    wrong = {label for label in labels if label.endswith("-wrong")}
    assert failed - STATED == wrong - STATED


def test_each_failure_names_its_label_and_line(checked):
    chapter, problems = checked
    for e in chapter.evidence:
        if e.error:
            assert any(p.startswith(f"{CANARY}:{e.display.line}: {e.label}: ") for p in problems)


def test_a_failure_names_what_it_rests_on(checked):
    chapter, problems = checked
    assert any("eq-definition-used-wrong" in p and "rests on eq-definition-wrong" in p for p in problems)
    assert any("eq-assuming-wrong" in p and "rests on eq-assumption-wrong" in p for p in problems)


def test_there_is_a_wrong_equation_for_each_kind_of_typo_and_of_evidence(checked):
    chapter, _ = checked
    right = [e for e in chapter.evidence if not e.label.endswith("-wrong")]
    assert {e.kind for e in right} == {"definition", "assumption", "proved", "sampled", "measured", "refuted"}
    methods = {e.method.split(":")[0].split(" (")[0] for e in right if e.kind == "proved"}
    assert methods >= {"identity", "decision procedure", "certificate", "interval arithmetic", "order of the remainder"}
    names = [d.label for d in chapter.page.displays]
    assert all(f"{name}-wrong" in names for name in names if not name.endswith("-wrong"))


def test_the_lines_say_so_too(checked):
    chapter, _ = checked
    marks = {line.split()[1]: line[0] for line in lines(chapter)}
    assert marks["eq-sign"] == "✓" and marks["eq-sign-wrong"] == "✗"
    assert list(marks) == [d.label for d in chapter.page.displays]


# a right chapter, small enough to break once for each sign of each display
RIGHT = {
    "eq-moment": r"m = \sum_i p_i x_i",
    "eq-variance": r"v = \sum_i p_i (x_i - m)^2",
    "eq-above": r"a - b > 0",
    "eq-cubes": r"a^3 - b^3 > 0",
    "eq-shift": r"v = \sum_i p_i x_i^2 - m^2 + (\sum_i p_i - 1) m^2",
    "eq-square": r"\begin{aligned} (a - b)^2 &= a^2 - 2 a b + b^2 \\ &= (a + b)^2 - 4 a b \end{aligned}",
    "eq-slope": r"\frac{d}{d a} \left( a^2 - b \log(1 + a^2) \right) = 2 a - \frac{2 a b}{1 + a^2}",
    "eq-young": r"2 a b - b^2 \le a^2",
    "eq-believed": r"(a - b)^2 = a^2 - b^2",
}
CODE = """
P, X = symbols_vec("P", 2, positive=True), symbols_vec("X", 2, real=True)
ch.bind({"a": a, "b": b, "p": P, "x": X, "i": range(1, 3)})
ch.define("eq-moment")
ch.define("eq-variance")
ch.assume("eq-above", fails="for a below b", where={"a": sp.Integer(1), "b": sp.Integer(2)},
          holds={"a": sp.Rational(11, 10), "b": sp.Integer(1)})
ch.prove("eq-cubes", by="z3", assuming=["eq-above"], pins=[({"a": 2, "b": -1}, (9, 0))])
ch.prove("eq-shift", scope="n = 2")
ch.prove("eq-square")
ch.prove("eq-slope")
ch.prove("eq-young", by="z3", pins=[({"a": 3, "b": 1}, (5, 9)), ({"a": -1, "b": 2}, (-8, 1))])
ch.refute("eq-believed", {"a": sp.Integer(5), "b": sp.Integer(2)}, sides=(9, 21), corrected="eq-square")
"""


def flipped():
    """Every display with one sign changed in its LaTeX."""
    for label, text in RIGHT.items():
        for found in re.finditer(r" [+-] ", text):
            sign = " - " if found[0] == " + " else " + "
            yield label, text[: found.start()] + sign + text[found.end() :]


CHANGED = list(flipped())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("right")


def test_the_right_chapter_passes(folder, capfd):
    assert main([str(write(folder, RIGHT, CODE))]) == 0, capfd.readouterr().err


@pytest.mark.parametrize("label, text", CHANGED, ids=[f"{label} {k}" for k, (label, _) in enumerate(CHANGED)])
def test_one_changed_sign_makes_the_command_line_fail_and_name_the_label(label, text, folder, capfd):
    path = write(folder, RIGHT | {label: text}, CODE)
    assert main([str(path)]) == 1
    assert label in capfd.readouterr().err
