"""A statement that has no value somewhere in its setting is refused, and told what to write."""

import mpmath
import pytest

from spaces_core.checks.environment import NotEvaluable
from spaces_core.checks.numbers import compare
from tests.checks.pages import outcome, stated

R = r"x \in \mathbb R"
XY = r"x, y \in \mathbb R"
SQUARE = r"n \in \mathbb N, \quad A \in \mathbb R^{n \times n}, \quad b \in \mathbb R^n"

HOLES = [
    (R, r"\frac{x}{x} = 1", r"x \ne 0"),
    (R, r"\frac{x^2 - 1}{x - 1} = x + 1", r"x \ne 1"),
    (R, r"\frac{(x - 1)^3}{(x - 1)^2} = x - 1", r"x \ne 1"),
    (R, r"\frac{x^2 - 5 x + 6}{2 x (x - 3) - 4 (x - 3)} = \frac{1}{2}", r"x \ne 2, \quad x \ne 3"),
    (R, r"(x - 1) (x - 1)^{-1} = 1", r"x \ne 1"),
    (R, r"\frac{x |x - 1|}{|x - 1|} = x", r"x \ne 1"),
    (R, r"\frac{(x - 1) (x^2 - 4 x + 4)}{x^2 - 4 x + 4} = x - 1", r"x \ne 2"),
    (XY, r"\frac{x^2 - y^2}{x - y} = x + y", r"x - y \ne 0"),
    (XY + r", \quad y > 0", r"\frac{x y - y^2}{x - y} = y", r"x - y \ne 0"),
    (r"x \in [0, 2]", r"\frac{x^2}{x} = x", r"x > 0"),
    (
        r"n \in \mathbb N, \quad i = 1, \dots, n, \quad a_i \in \mathbb R",
        r"\sum_i \frac{a_i^2 - a_i}{a_i - 1} = \sum_i a_i",
        r"a_i \ne 1",
    ),
    (
        r"n \in \mathbb N, \quad i = 1, \dots, n, \quad a_i \in \mathbb R",
        r"\frac{\sum_{i=1}^n a_i}{\sum_{i=1}^n a_i} = 1",
        r"\sum_{i=1}^n a_i \ne 0",
    ),
]


@pytest.mark.parametrize("setting, display, excluded", HOLES, ids=[h[1] for h in HOLES])
def test_a_hole_in_the_setting(setting, display, excluded, tmp_path):
    problems = stated(tmp_path, setting, display)[1]
    assert "division by 0" in problems[0] or "has no value where" in problems[0], problems
    assert not stated(tmp_path, f"{setting}, \\quad {excluded}", display)[1]


@pytest.mark.parametrize(
    "head, right, display",
    [
        ("f(x)", r"\frac{x^2 - 1}{x - 1}", "f(x) = x + 1"),
        ("f(x)", r"\frac{x^2 - 1}{x - 1}", "f(x - 2) = x - 1"),
        ("c", r"\frac{x^2 - 4}{x - 2}", "c = x + 2"),
        ("b_i", r"\frac{a_i^2 - 9}{a_i - 3}", "b_i - 3 = a_i"),
    ],
)
def test_a_hole_in_a_definition(head, right, display, tmp_path):
    setting = r"x \in \mathbb R, \quad i = 1, \dots, 3, \quad a_i \in \mathbb R"
    displays = {"eq-s": setting, "eq-d": f"{head} = {right}", "eq-a": display}
    problems = outcome(tmp_path, displays, 'ch.setting("eq-s")\nch.define("eq-d")\nch.prove("eq-a")')[1]
    assert "has no value where" in problems[0], problems


def test_a_logarithm_of_zero(tmp_path):
    display, call = r"\log((x - 3)^2) = 2 \log |x - 3|", 'ch.argue("eq-a", rests=["eq-s"])'
    assert "has no value where" in stated(tmp_path, R, display, call)[1][0]
    assert not stated(tmp_path, R + r", \quad x \ne 3", display, call)[1]


def test_a_singular_matrix(tmp_path):
    display, call = r"A^{-1} A b = b", 'ch.prove("eq-a", by="words")'
    assert "singular" in stated(tmp_path, SQUARE, display, call)[1][0]
    assert not stated(tmp_path, SQUARE + r", \quad \det A \ne 0", display, call)[1]


NONE = [
    (R, r"\frac{x}{1 + x^2} \cdot 2 = \frac{2 x}{1 + x^2}"),
    ("x > 0", r"\frac{x^2}{x} = x"),
    (r"x \in (0, 1)", r"\frac{x (1 - x)}{1 - x} = x"),
    (r"x, y \in \mathbb R, \quad x > y", r"\frac{x^2 - y^2}{x - y} = x + y"),
    (R, r"\lim_{y \to 0} \frac{\sin(x y)}{y} = x"),
    (r"x, y > 0, \quad x + y = 1", r"\frac{x + y}{x} = \frac{1}{x}"),
    (R, r"\frac{2 x}{x^2 - 2 x + 2} = \frac{x}{(x - 1)^2 + 1} \cdot 2"),
    (r"x \in (0, 1)", r"\log(x (1 - x)) = \log x + \log(1 - x)"),
]


@pytest.mark.parametrize("setting, display", NONE, ids=[h[1] for h in NONE])
def test_no_hole(setting, display, tmp_path):
    call = 'ch.argue("eq-a", rests=["eq-s"], cases=30)' if "lim" in display else 'ch.prove("eq-a")'
    assert not stated(tmp_path, setting, display, call)[1]


def test_a_premise_keeps_a_statement_from_its_hole(tmp_path):
    call = 'ch.argue("eq-a", rests=["eq-s"], cases=30)'
    display = r"\frac{x^2 - 1}{x - 1} = x + 1"
    assert "no value" in stated(tmp_path, R, r"x < 2 \implies " + display, call)[1][0]
    assert "no value" not in str(stated(tmp_path, R, r"x \ne 1 \implies " + display, call)[1])


OFF_THE_REALS = [
    (R, r"e^{\log x} = x", "x > 0"),
    (R, r"(\sqrt{x})^2 = x", r"x \ge 0"),
    (R, r"x^{\frac{1}{2}} x^{\frac{1}{2}} = x", "x > 0"),
    (R, r"\sqrt[4]{x} \sqrt[4]{x} = \sqrt{x}", r"x \ge 0"),
    (R, r"\cos(\arccos(x)) = x", r"x \ge -1, \quad x \le 1"),
]


@pytest.mark.parametrize("setting, display, domain", OFF_THE_REALS, ids=[r[1] for r in OFF_THE_REALS])
def test_real_numbers_have_no_complex_value(setting, display, domain, tmp_path):
    assert "is no real number" in stated(tmp_path, setting, display)[1][0]
    assert not stated(tmp_path, f"{setting}, \\quad {domain}", display)[1]


def test_a_complex_side_is_in_no_order(tmp_path):
    call = 'ch.argue("eq-a", rests=["eq-s"], pins=[({"x": 4}, (2, 5))])'
    assert "is no real number" in stated(tmp_path, R, r"\sqrt{x} \le x + 1", call)[1][0]
    assert not stated(tmp_path, r"x \ge 0", r"\sqrt{x} \le x + 1", call)[1]
    with pytest.raises(NotEvaluable, match="not a real number"):
        compare("<=", mpmath.mpc(0, 1), mpmath.mpf(5))


def test_complex_numbers_keep_their_roots(tmp_path):
    assert not stated(tmp_path, r"z \in \mathbb C", r"(\sqrt{z})^2 = z")[1]


def test_the_definition_of_a_misprinted_root_is_told(tmp_path):
    displays = {"eq-s": "x > 0", "eq-r": r"r(x) = \frac{1}{2} \log(\frac{1 - \sqrt{1 + 4 x^2}}{2})"}
    displays["eq-a"] = r"e^{4 r(x)} - e^{2 r(x)} = x^2"
    code = 'ch.setting("eq-s")\nch.define("eq-r")\nch.prove("eq-a")'
    assert "is no real number" in outcome(tmp_path, displays, code)[1][0]
