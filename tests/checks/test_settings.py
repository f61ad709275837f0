"""What a page declares is read from its displays, drawn as numbers, and made into exact objects."""

import mpmath
import pytest
import sympy as sp

from spaces_core.checks import GrammarError, Rejected, latex, parse
from spaces_core.checks.drawing import Drawing, NoPoint
from spaces_core.checks.numbers import examine
from spaces_core.checks.objects import narrowed, symbols_of
from spaces_core.checks.settings import parse_setting
from spaces_core.checks.values import Family, Mat, scalars


def setting(text):
    return parse_setting(text, "eq-s", {})


def declared(text):
    return {d.name: d for d in setting(text).declared}


def points(text, n=20):
    s = setting(text)
    drawing = Drawing({d.name: d for d in s.declared}, s.relations)
    return [drawing.point(k) for k in range(n)]


READ = {
    r"x \in \mathbb R": [("x", "scalar", "real")],
    r"x, y \in \mathbb R": [("x", "scalar", "real"), ("y", "scalar", "real")],
    "x > 0": [("x", "scalar", "real")],
    "p, q > 0": [("q", "scalar", "real"), ("p", "scalar", "real")],
    r"n \in \mathbb N": [("n", "scalar", "integer")],
    r"z \in \mathbb C": [("z", "scalar", "complex")],
    r"t \in (0, 1]": [("t", "scalar", "real")],
    r"k \in \{1, 2, 4\}": [("k", "scalar", "integer")],
    r"n \in \mathbb N, \quad i = 1, \dots, n, \quad p_i > 0": [
        ("n", "scalar", "integer"),
        ("i", "index", "integer"),
        ("p", "family", "real"),
    ],
    r"d \in \mathbb N, x \in \mathbb R^d": [("d", "scalar", "integer"), ("x", "vector", "real")],
    r"m, n \in \mathbb N, W \in \mathbb R^{m \times n}": [
        ("m", "scalar", "integer"),
        ("n", "scalar", "integer"),
        ("W", "matrix", "real"),
    ],
    r"f : \mathbb R \times \mathbb R \to \mathbb R": [("f", "function", "real")],
    r"n_{\mathrm{in}} \in \mathbb N": [(r"n_{\mathrm{in}}", "scalar", "integer")],
    r"\frac{\partial \gamma}{\partial s} \in \mathbb R": [(r"\frac{\partial\gamma}{\partial s}", "scalar", "real")],
    r"i \in \{0, \dots, 3\}, a_i \in [0, 1]": [("i", "index", "integer"), ("a", "family", "real")],
}


@pytest.mark.parametrize("text", READ)
def test_declarations(text):
    assert [(d.name, d.kind, d.domain.field) for d in setting(text).declared] == READ[text]


@pytest.mark.parametrize(
    "text, message",
    [
        ("x y", "where it lies"),
        (r"x \in \mathbb Q", "there are R, C, Z and N"),
        (r"x \in \mathbb{R}_+", "_{>0}"),
        (r"x \in \mathbb R, x \in \mathbb R", "twice"),
        (r"p_i > 0", "range of the index i"),
        (r"i = 1, \dots", "1, "),
        (r"x \in M", "no set of the dialect"),
        (r"x \in [0, 1, 2]", "two ends"),
        (r"f : \mathbb R", "f : "),
        (r"W \in \mathbb R^{a \times b \times c}", "one or two sizes"),
        (r"x \in \mathbb R \text{ smooth}", "not understood"),
        (r"x \in \mathbb{R}^n y", "not understood"),
    ],
)
def test_what_is_no_declaration_says_what_to_write(text, message):
    with pytest.raises(GrammarError) as error:
        setting(text)
    assert message in str(error.value)


def test_every_part_of_a_setting_is_read():
    s = setting(r"n \in \mathbb N, \quad i = 1, \dots, n, \quad 0 < t < 1, \quad \sum_{i=1}^n t^i \le n")
    assert s.read == [r"n \in \mathbb{N}", r"i = 1, \dots, n", "0 < t < 1", r"\sum_{i=1}^{n} t^{i} \le n"]


def test_points_satisfy_what_is_stated():
    for p in points(r"n \in \mathbb N, \quad i = 1, \dots, n, \quad p_i > 0, \quad \sum_{i=1}^n p_i = 1"):
        values = list(p["p"].members.values())
        assert len(values) == p["n"] and min(values) > 0 and abs(sum(values) - 1) < mpmath.mpf(10) ** -28
    for p in points(r"d \in \mathbb N, x, y \in \mathbb R^d, \|x\| = 1, \langle x, y\rangle = 0"):
        assert abs(sum(v * v for v in p["x"]) - 1) < 1e-25
        assert abs(sum(a * b for a, b in zip(p["x"], p["y"], strict=True))) < 1e-25
    assert all(0 < p["a"] < p["b"] < 1 for p in points(r"a, b \in (0, 1), \quad a < b"))
    assert all(2 < p["L"] < p["n"] for p in points(r"L > 2, \quad n > L"))
    assert {p["k"] for p in points(r"k \in \{1, 2, 4\}")} == {1, 2, 4}
    assert all(
        isinstance(p["W"], Mat) and p["W"].shape == (p["m"], 3)
        for p in points(r"m \in \mathbb N, W \in \mathbb R^{m \times 3}")
    )
    assert all(set(p["a"].members) == {(0,), (1,), (2,)} for p in points(r"i = 0, \dots, 2, a_i \in \mathbb R"))


def test_points_reach_edges_small_and_large_values():
    sizes = {p["n"] for p in points(r"n \in \mathbb N", 60)}
    assert {1, 2, 5, 7} <= sizes
    found = [abs(p["x"]) for p in points(r"x \in \mathbb R", 200)]
    assert min(found) < 1e-2 and max(found) > 5
    assert {p["x"] > 0 for p in points(r"x \in \mathbb R")} == {True, False}


def test_an_empty_setting_has_no_point():
    with pytest.raises(NoPoint):
        points(r"a, b \in \mathbb R, \quad a > b, \quad b > a + 1", 1)


def test_functions_are_smooth_and_differ():
    p, q = points(r"f : \mathbb R \to \mathbb R", 2)
    assert p["f"](mpmath.mpf(1)) != q["f"](mpmath.mpf(1))
    assert mpmath.diff(p["f"], 1, 2) != 0
    assert all(r["f"](mpmath.mpf(x)) > 0 for r in points(r"f : \mathbb R \to \mathbb R_{>0}") for x in (-3, 0, 2))


def test_exact_objects_carry_what_is_declared():
    made = symbols_of(declared(r"n \in \mathbb N, x > 0, t \in [0, 1], y \in \mathbb R, z \in \mathbb C"), {}, [])
    assert made["n"].is_integer and made["n"].is_positive and made["x"].is_positive
    assert made["t"].is_nonnegative and not made["t"].is_positive
    assert made["y"].is_real and made["y"].is_positive is None and made["z"].is_real is None
    made = symbols_of(
        declared(r"n \in \mathbb N, i = 1, \dots, n, p_i > 0, W \in \mathbb R^{2 \times n}"), {"n": sp.Integer(3)}, []
    )
    assert isinstance(made["p"], Family) and len(made["p"].members) == 3 and made["W"].shape == (2, 3)
    assert len(set(scalars(made["W"]))) == 6


NARROW = r"n \in \mathbb N, x \in \mathbb R, i = 1, \dots, n, p_i > 0, f, g : \mathbb R \to \mathbb R, y \in \mathbb R"
x = sp.Symbol("x", real=True)


@pytest.mark.parametrize(
    "given, words",
    [
        ({"n": sp.Integer(3)}, "n = 3"),
        ({"x": sp.Symbol("x", positive=True)}, "x > 0"),
        ({"x": sp.Symbol("x", integer=True)}, "x whole"),
        ({"x": x**2}, "x = x**2"),
        ({"x": x}, ""),
        ({"x": sp.Symbol("w", real=True)}, ""),
        ({"f": lambda t: t}, "f as given in code"),
        ({"f": sp.Function("f")}, ""),
        ({"f": sp.Function("f", real=True)}, ""),
        ({"f": sp.Function("f", positive=True)}, "f > 0"),
        ({"p": sp.IndexedBase("q", positive=True)}, ""),
        ({"p": sp.IndexedBase("q", positive=True, integer=True)}, "p whole"),
        ({"n": sp.Symbol("n", positive=True, even=True)}, "n even"),
        ({"n": sp.Symbol("n", prime=True)}, "n prime"),
        ({"x": sp.Symbol("x", irrational=True)}, "x ≠ 0"),
        ({"x": sp.Symbol("n", integer=True, positive=True)}, "x whole, x shares n with n"),
        ({"x": x, "y": x}, "y shares x with x"),
        ({"f": sp.Function("f", real=True), "g": sp.Function("f", real=True)}, "g shares f with f"),
        ({"i": range(1, 4)}, "i from 1 to 3"),
    ],
)
def test_what_is_narrowed_is_named(given, words):
    d = declared(NARROW)
    assert ", ".join(narrowed(d, given, symbols_of(d, {}, []))) == words


def test_a_statement_is_false_at_a_point_that_is_named():
    found = points(r"x \in \mathbb R")
    with pytest.raises(Rejected, match="fails at x = -"):
        examine(parse(r"\sqrt{x^2} = x"), found, [])
    assert examine(parse(r"\sqrt{x^2} = |x|"), found, [])["tested"] == 20
    assert latex(parse(r"\sqrt{x^2} = |x|"))
