"""The typos that are made: each kind where it belongs, none twice, never the statement itself."""

import pytest
from hypothesis import HealthCheck, given, settings

from spaces_core.checks import Names, latex, parse, typos
from spaces_core.checks.grammar import atom_key
from spaces_core.checks.tree import sym, walk
from tests.checks.test_grammar import ATOM, displays

NAMES = Names(frozenset({"f", r"\psi"}), frozenset(), (atom_key(ATOM),))

KINDS = [
    ("sign", "a = b - c", "a = b + c"),
    ("sign", "a = b - c", "a = -b - c"),
    ("sign", "a = b", "-a = b"),
    ("sign", "a = -b", "a = b"),
    ("dropped term", "a = b - c", "a = b"),
    ("dropped term", "a = b c d", "a = b d"),
    ("factor", "a = b", "a = 2 b"),
    ("factor", "a = b + c", "a = b + 2 c"),
    ("factor", "a = 3", "a = 6"),
    ("exponent", "a = b^2", "a = b^3"),
    ("exponent", "a = b^n", "a = b^{n + 1}"),
    ("exponent", r"a = \sqrt{b}", "a = b"),
    ("exponent", r"A^\top = B", "A = B"),
    ("exponent", r"\frac{d f}{d x} = a", r"\frac{d^2 f}{d x^2} = a"),
    ("exponent", "a = O(x^2)", "a = O(x^3)"),
    ("subscript", "a = x_1", "a = x_2"),
    ("subscript", "x_i = y_j", "x_j = y_j"),
    ("subscript", "a = x_{i + 1}", "a = x_i"),
    ("symbol", "a = b + c", "b = b + c"),
    ("fraction", r"a = \frac{b}{c}", r"a = \frac{c}{b}"),
    ("function", r"a = \log b", r"a = \exp b"),
    ("function", r"a = \sin b", r"a = \cos b"),
    ("function", r"a = \max(b, c)", r"a = \min(b, c)"),
    ("function", r"a = |b|", "a = b"),
    ("function", r"a = \|b\|", r"a = \|b\|_1"),
    ("function", r"a = \sum_i b_i", r"a = \prod_i b_i"),
    ("bound", r"a = \sum_{i=1}^{n} b_i", r"a = \sum_{i=2}^{n} b_i"),
    ("bound", r"a = \sum_{i=1}^{n} b_i", r"a = \sum_{i=1}^{n - 1} b_i"),
    ("bound", r"a = \sum_i b_i", r"a = \sum_{i \ge 2} b_i"),
    ("bound", r"a = \sum_{i \ne j} b_i", r"a = \sum_{i,j} b_i"),
    ("bound", r"a = \int_0^1 b \, dx", r"a = \int_1^0 b \, dx"),
    ("relation", r"a \le b", r"a \ge b"),
    ("relation", "a < b = c", "a > b = c"),
    ("number", "a = 3 b", "a = 4 b"),
    ("number", "a = 0.25 b", "a = 0.26 b"),
]


@pytest.mark.parametrize("kind, text, wrong", KINDS)
def test_a_typo_is_made_where_it_belongs(kind, text, wrong):
    made = {(k, latex(t)) for k, t in typos(parse(text))}
    assert (kind, latex(parse(wrong))) in made


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(displays())
def test_no_typo_is_the_statement_or_stands_twice(tree):
    made = [latex(t) for _, t in typos(tree)]
    assert made
    assert len(set(made)) == len(made)
    assert latex(tree) not in made


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(displays())
def test_a_typo_of_a_display_is_a_display(tree):
    for _, typo in list(typos(tree))[::3]:
        if not any(n.data and n.data[-1] == "condition" for n in walk(tree)):
            assert parse(latex(typo), NAMES).op in ("rel", "chain", "implies", "iff", "all")


def test_every_display_has_several_kinds_of_typo():
    kinds = {k for k, _ in typos(parse(r"\sum_{i=1}^{n} p_i^2 \log p_i \le \frac{1}{2} - |x_1| + 3"))}
    assert kinds == {
        "sign",
        "dropped term",
        "factor",
        "exponent",
        "subscript",
        "symbol",
        "fraction",
        "function",
        "bound",
        "relation",
        "number",
    }


def test_a_definition_keeps_its_left_side():
    tree = parse("H = a + b")
    assert all(t.args[0] == sym("H") for _, t in typos(tree, only_right=True))
    assert any(t.args[0] != sym("H") for _, t in typos(tree))


def test_another_bound_name_may_be_written_by_mistake():
    assert latex(parse("a = w")) in {latex(t) for _, t in typos(parse("a = a"), [sym("w")])}


def test_a_zero_is_neither_doubled_nor_signed():
    assert not [t for _, t in typos(parse("a = 0")) if latex(t) in ("a = -0", "a = 0")]
