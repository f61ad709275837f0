"""Each kind of evidence: a true statement passes, a false one fails and says why."""

import pytest

from spaces_core.checks.badge import Badge
from tests.checks.pages import outcome

DEFINED = {"eq-def": r"g(x) = x^2 + 1"}

TRUE = {
    "identity": ({"eq": r"(a + b)^2 = a^2 + 2 a b + b^2"}, "ch.prove('eq', {'a': a, 'b': b})"),
    "identity of a size": (
        {"eq": r"\sum_i p_i q_i = \langle p, q\rangle"},
        "ch.prove('eq', {'p': symbols_vec('p', 3), 'q': symbols_vec('q', 3), 'i': range(1, 4)}, scope='n = 3')",
    ),
    "identity of any size": (
        {"eq": r"\sum_{i=1}^{n} (a_i + b_i) = \sum_{i=1}^{n} a_i + \sum_{i=1}^{n} b_i"},
        "ch.prove('eq', {'a': sp.IndexedBase('a', real=True), 'b': sp.IndexedBase('b', real=True), 'n': n})",
    ),
    "derivative": ({"eq": r"\frac{d}{d x} \log(1 + x^2) = \frac{2 x}{1 + x^2}"}, "ch.prove('eq', {'x': x})"),
    "limit": ({"eq": r"\lim_{x \to 0} \frac{\sin x}{x} = 1"}, "ch.prove('eq', {'x': x})"),
    "integral": ({"eq": r"\int_0^b x^2 \, dx = \frac{b^3}{3}"}, "ch.prove('eq', {'x': x, 'b': b})"),
    "matrices that do not commute": (
        {"eq": r"(A + B) B = A B + B^2"},
        "A, B = sp.symbols('A B', commutative=False)\nch.prove('eq', {'A': A, 'B': B})",
    ),
    "sign": ({"eq": r"p + 1 > p"}, "ch.prove('eq', {'p': p}, pins=[({'p': 2}, (3, 2))])"),
    "z3": (
        {"eq": r"a b \le \frac{a^2 + b^2}{2}"},
        "ch.prove('eq', {'a': a, 'b': b}, by='z3', tight={'a': 2, 'b': 2}, pins=[({'a': -1, 'b': 3}, (-3, 5))])",
    ),
    "z3 implication": (
        {"eq": r"a > 1 \implies a^2 > a"},
        "ch.prove('eq', {'a': a}, by='z3', pins=[({'a': 3}, (3, 1, 9, 3))])",
    ),
    "sos": (
        {"eq": r"2 a b \le a^2 + b^2"},
        "ch.prove('eq', {'a': a, 'b': b}, certificate=(a - b)**2, pins=[({'a': -1, 'b': 3}, (-6, 10))])",
    ),
    "interval": (
        {"eq": r"\sin x \le \frac{x + 3}{2}"},
        "ch.prove('eq', {'x': x}, by='interval', box={'x': (-1, 1)},"
        " pins=[({'x': sp.pi / 6}, (sp.Rational(1, 2), sp.pi / 12 + sp.Rational(3, 2)))])",
    ),
    "interval approximation": (
        {"eq": r"\cos x \approx 1 - \frac{x^2}{2}"},
        "ch.prove('eq', {'x': x}, by='interval', box={'x': ('-0.1', '0.1')}, tol=1e-4,"
        " pins=[({'x': sp.Rational(1, 2)}, (sp.cos(sp.Rational(1, 2)), sp.Rational(7, 8)))])",
    ),
    "order": ({"eq": r"\exp(x) = 1 + x + O(x^2)"}, "ch.prove('eq', {'x': x}, order=(x, 0))"),
    "sampled": (
        {"eq": r"\left( \sum_i x_i \right)^2 \le 3 \sum_i x_i^2"},
        "ch.sample('eq', lambda z: {'x': Vec(map(float, z)), 'i': range(1, 4)}, size=3, n=100, domain='normal x',"
        " tight={'x': Vec([2.0, 2.0, 2.0])}, pins=[({'x': Vec([1.0, 0.0, 2.0])}, (9, 15))])",
    ),
    "measured": (
        {"eq": r"u < v"},
        "u = [1.0, 1.2, 0.9, 1.1, 1.0]\nv = [2.0, 2.1, 1.9, 2.3, 2.2]\n"
        "ch.measure('eq', {'u': u, 'v': v}, sides=(1.04, 2.1))",
    ),
    "refuted": (
        {"eq": r"(a + b)^2 = a^2 + b^2", "eq-right": r"(a + b)^2 = a^2 + b^2 + 2 a b"},
        "ch.refute('eq', {'a': sp.Integer(2), 'b': sp.Integer(3)}, sides=(25, 13), corrected='eq-right')\n"
        "ch.prove('eq-right', {'a': a, 'b': b})",
    ),
    "definition": (
        DEFINED | {"eq": r"g(a) - g(b) = (a - b)(a + b), \quad g(0) = 1"},
        "ch.define('eq-def')\nch.prove('eq', {'a': a, 'b': b})",
    ),
    "assumption": (
        {"eq-positive": r"a > 0", "eq": r"a^2 + a \ge a"},
        "ch.assume('eq-positive', fails='at zero', where={'a': sp.Integer(0)}, holds={'a': sp.Rational(1, 9)})\n"
        "ch.prove('eq', {'a': a}, by='z3', assuming=['eq-positive'], pins=[({'a': 2}, (6, 2))])",
    ),
    "chain": (
        {"eq": r"(a - b)^2 = a^2 - 2 a b + b^2 \ge 0"},
        "ch.prove('eq', {'a': a, 'b': b}, by='z3', pins=[({'a': 3, 'b': 1}, (4, 4, 0))])",
    ),
}


@pytest.mark.parametrize("case", TRUE)
def test_a_true_statement_passes_with_all_its_typos_caught(case, tmp_path):
    chapter, problems = outcome(tmp_path, *TRUE[case])
    assert problems == []
    for e in chapter.evidence:
        assert e.made - e.equivalent == e.caught > 0


FALSE = {
    "identity": ({"eq": r"(a + b)^2 = a^2 + a b + b^2"}, "ch.prove('eq', {'a': a, 'b': b})", "fails at a = "),
    "identity at half a domain": ({"eq": r"\sqrt{x^2} = x"}, "ch.prove('eq', {'x': x})", "fails at x = -"),
    "sign": ({"eq": r"p + 1 > 2 p"}, "ch.prove('eq', {'p': p}, pins=[({'p': 0}, (1, 0))])", "fails at p = "),
    "sign unknown": (
        {"eq": r"100 + x \ge 0"},
        "ch.prove('eq', {'x': x}, pins=[({'x': 0}, (100, 0))])",
        "does not see the sign",
    ),
    "z3 far away": (
        {"eq": r"x^2 \le 10000"},
        "ch.prove('eq', {'x': x}, by='z3', pins=[({'x': 1}, (1, 10000))])",
        "z3 found a counterexample",
    ),
    "z3 divides by zero": (
        {"eq": r"\frac{x}{y} y + 1 > \frac{x}{y}"},
        "ch.prove('eq', {'x': x, 'y': y}, by='z3', pins=[({'x': 1, 'y': 1}, (2, 1))])",
        "fails at",
    ),
    "z3 implication": (
        {"eq": r"a > -1 \implies a^2 > a"},
        "ch.prove('eq', {'a': a}, by='z3', pins=[({'a': 3}, (3, -1, 9, 3))])",
        "fails at a = ",
    ),
    "z3 premise that never holds": (
        {"eq": r"a^2 < 0 \implies a > 5"},
        "ch.prove('eq', {'a': a}, by='z3')",
        "",
    ),
    "sos of another gap": (
        {"eq": r"2 a b \le a^2 + b^2 + 1"},
        "ch.prove('eq', {'a': a, 'b': b}, certificate=(a - b)**2)",
        "is not the certificate",
    ),
    "sos that may be negative": (
        {"eq": r"a b \le a^2 + b^2"},
        "ch.prove('eq', {'a': a, 'b': b}, certificate=a**2 + b**2 - a * b)",
        "SymPy does not see that the certificate",
    ),
    "interval": (
        {"eq": r"x - \frac{1}{100} \le 12 x^2"},
        "ch.prove('eq', {'x': x}, by='interval', box={'x': (0, 1)}, domain={'x': ('0.5', '1')})",
        "fails",
    ),
    "interval with equality inside": (
        {"eq": r"2 x \le x^2 + 1"},
        "ch.prove('eq', {'x': x}, by='interval', box={'x': (0, 2)})",
        "does not decide it",
    ),
    "order too small": (
        {"eq": r"\exp(x) = 1 + O(x^2)"},
        "ch.prove('eq', {'x': x}, order=(x, 0))",
        "larger than O(x**2)",
    ),
    "order not sharp": ({"eq": r"\cos x = 1 + O(x)"}, "ch.prove('eq', {'x': x}, order=(x, 0))", "not sharp"),
    "sampled": (
        {"eq": r"\left( \sum_i x_i \right)^2 \le 2 \sum_i x_i^2"},
        "ch.sample('eq', lambda z: {'x': Vec(map(float, z)), 'i': range(1, 4)}, size=3, n=100, domain='normal x')",
        "fails for a sampled case",
    ),
    "sampled corner that only the attack finds": (
        {"eq": r"x^2 \ge 4"},
        "ch.sample('eq', lambda z: {'x': 6 + float(z[0])}, size=1, n=30, domain='x near 6')",
        "fails for a sampled case",
    ),
    "sampled NaN": (
        {"eq": r"\log x \le x"},
        "import numpy as np\nch.sample('eq', lambda z: {'x': np.abs(z) * np.nan}, size=1, n=30, domain='NaN')",
        "not a number",
    ),
    "sampled approximation without a region": (
        {"eq": r"\sin x \approx x"},
        "ch.sample('eq', lambda z: {'x': float(z[0])}, size=1, domain='x')",
        "needs tol=",
    ),
    "sampled cases that never satisfy the assumption": (
        {"eq-far": "x > 100", "eq": "x > 3"},
        "ch.assume('eq-far', fails='near zero', where={'x': sp.Integer(1)})\n"
        "ch.sample('eq', lambda z: {'x': float(z[0])}, size=1, n=50, assuming=['eq-far'], domain='x')",
        "cases satisfy what is assumed",
    ),
    "measured": (
        {"eq": r"u < v"},
        "ch.measure('eq', {'u': [1.0, 2.0, 3.0, 4.0, 5.0], 'v': [5.0, 2.0, 3.0, 4.0, 2.0]}, sides=(3, 3.2))",
        "95 % interval",
    ),
    "measured equality": (
        {"eq": r"u = v"},
        "ch.measure('eq', {'u': [1.0, 2.0, 3.0, 4.0, 5.0], 'v': [1.0, 2.0, 3.0, 4.0, 5.0]}, sides=(3, 3))",
        "never an equality",
    ),
    "measured on few seeds": (
        {"eq": r"u < v"},
        "ch.measure('eq', {'u': [1.0, 2.0], 'v': [3.0, 4.0]}, sides=(1.5, 3.5))",
        "at least five",
    ),
    "measured with wrong means": (
        {"eq": r"u < v"},
        "ch.measure('eq', {'u': [1.0, 1.0, 1.0, 1.0, 1.1], 'v': [2.0, 2.0, 2.0, 2.0, 2.1]}, sides=(1.02, 3))",
        "on average, not 3",
    ),
    "refuted though true": (
        {"eq": r"(a + b)^2 = a^2 + 2 a b + b^2"},
        "ch.refute('eq', {'a': sp.Integer(1), 'b': sp.Integer(3)}, sides=(16, 16))",
        "holds at this counterexample",
    ),
    "refuted with wrong values": (
        {"eq": r"(a + b)^2 = a^2 + b^2"},
        "ch.refute('eq', {'a': sp.Integer(1), 'b': sp.Integer(3)}, sides=(16, 11))",
        "a side is 10, not 11",
    ),
    "refuted in favour of no display": (
        {"eq": r"a = a^2"},
        "ch.refute('eq', {'a': sp.Integer(2)}, sides=(2, 4), corrected='eq-none')",
        "no label of this page",
    ),
    "refuted with symbols": (
        {"eq": r"a = a^2"},
        "ch.refute('eq', {'a': a}, sides=(a, a**2))",
        "numbers, not symbols",
    ),
    "definition that nothing uses": (
        DEFINED | {"eq": "a = a"},
        "ch.define('eq-def')\nch.prove('eq', {'a': a})",
        "no check uses this definition",
    ),
    "definition with a typo": (
        {"eq-def": "g(x) = x^2 + x", "eq": r"g(a) - g(b) = (a - b)(a + b)"},
        "ch.define('eq-def')\nch.prove('eq', {'a': a, 'b': b})",
        "rests on eq-def",
    ),
    "definition too loosely used": (
        DEFINED | {"eq": r"g(a) - g(b) = (a - b)(a + b)"},
        "ch.define('eq-def')\nch.prove('eq', {'a': a, 'b': b})",
        "no check that uses it (eq) fails",
    ),
    "definition of a product": ({"eq": "2 x = a"}, "ch.define('eq')", "one symbol"),
    "definition by an inequality": ({"eq": r"x \le a"}, "ch.define('eq')", "one equation"),
    "assumption that never fails": (
        {"eq": r"a^2 \ge 0"},
        "ch.assume('eq', fails='nowhere', where={'a': sp.Integer(0)})",
        "holds where it is said to fail",
    ),
    "assumption without a word": ({"eq": r"a \ge 0"}, "ch.assume('eq', fails='')", "says where it fails"),
    "assuming what is no assumption": (
        {"eq": "a = a + 0", "eq-b": "b > 0"},
        "ch.prove('eq', {'a': a}, assuming=['eq-b'])",
        "eq-b is no assumption",
    ),
    "fixed size called general": (
        {"eq": r"\sum_i p_i = \langle p, p\rangle"},
        "ch.prove('eq', {'p': symbols_vec('p', 3), 'i': range(1, 4)})",
        "this check fixes the size of i, p",
    ),
    "floats in a proof": (
        {"eq": r"\frac{x}{c} = 10 x"},
        "ch.prove('eq', {'x': x, 'c': 0.1}, scope='c = 0.1')",
        "bind c to sympy.Rational, not to a float",
    ),
    "one atom on both sides": (
        {"eq": r"\mathbb{E}[X] = \mathbb{E}[X]"},
        "ch.prove('eq', {r'\\mathbb{E}[X]': a})",
        "that is no evidence",
    ),
    "a defined symbol bound again": (
        DEFINED | {"eq": r"g(a) = a^2 + 1"},
        "ch.define('eq-def')\nch.prove('eq', {'a': a, 'g': sp.Function('g')})",
        "g is defined by eq-def",
    ),
    "an inequality without a spot value": (
        {"eq": r"2 a b \le a^2 + b^2"},
        "ch.prove('eq', {'a': a, 'b': b}, by='z3')",
        "give a spot value: tight= or pins=",
    ),
    "a spot where the sides differ": (
        {"eq": r"2 a b \le a^2 + b^2"},
        "ch.prove('eq', {'a': a, 'b': b}, by='z3', tight={'a': 1, 'b': 2})",
        "a side is 5, not 4",
    ),
    "an unbound symbol": ({"eq": r"a + w = w + a"}, "ch.prove('eq', {'a': a})", "w is not bound in eq; bound are a"),
    "no relation": ({"eq": "a + b"}, "ch.prove('eq', {'a': a, 'b': b})", "states no relation"),
    "another shape": (
        {"eq": "p = q"},
        "ch.prove('eq', {'p': symbols_vec('p', 3), 'q': symbols_vec('p', 2)}, scope='n')",
        "3 and 2 components",
    ),
    "an unknown method": ({"eq": r"a \le a + 1"}, "ch.prove('eq', {'a': a}, by='hand')", "no method"),
    "a part too many": ({"eq": r"a = a + 0 = 0 + a"}, "ch.prove('eq', {'a': a}, part=3)", "2 relations"),
    "a part left out": (
        {"eq": r"(a + b)^2 = (b + a)^2 = a^2 + 2 a b + b^2"},
        "ch.prove('eq', {'a': a, 'b': b}, part=1)",
        "relation 2 of 2 has no evidence",
    ),
    "evidence twice": (
        {"eq": r"2 a = a + a"},
        "ch.prove('eq', {'a': a})\nch.prove('eq', {'a': a})",
        "evidence twice",
    ),
    "assumptions that never hold": (
        {"eq-as": r"a^2 < 0", "eq": r"a + 1 = a + 2 - 1"},
        "ch.assume('eq-as', fails='everywhere', where={'a': sp.Integer(1)})\nch.prove('eq', {'a': a}, assuming=['eq-as'])",  # noqa: E501
        "satisfies what is assumed",
    ),
    "a complex root": ({"eq": r"\sqrt{x} \ge -1"}, "ch.prove('eq', {'x': x}, by='z3')", "not a real number"),
}


@pytest.mark.parametrize("case", FALSE)
def test_a_false_statement_fails_and_says_why(case, tmp_path):
    displays, code, message = FALSE[case]
    _, problems = outcome(tmp_path, displays, code)
    assert problems
    assert message in "\n".join(problems)
    assert "raised" not in "\n".join(problems)


def test_a_typo_that_says_the_same_is_counted_apart(tmp_path):
    chapter, problems = outcome(tmp_path, {"eq": r"|a|^2 = a^2"}, "ch.prove('eq', {'a': a})")
    assert problems == []
    e = chapter["eq"]
    assert e.equivalent >= 1 and e.caught == e.made - e.equivalent
    assert f"{e.equivalent} more equivalent" in repr(Badge(e))


def test_a_chain_is_one_statement_for_each_relation(tmp_path):
    chapter, problems = outcome(tmp_path, {"eq": "2 a = a + a = 3 a - a"}, "ch.prove('eq', {'a': a})")
    assert problems == [] and chapter["eq"].relations == 2
    chapter, problems = outcome(tmp_path, {"eq": "2 a = a + a = 3 a + a"}, "ch.prove('eq', {'a': a})")
    assert "eq: fails at a = " in problems[0]


def test_parts_of_a_chain_may_have_evidence_of_different_kinds(tmp_path):
    code = """
    ch.prove('eq', {'a': a, 'b': b}, part=1)
    ch.prove('eq', {'a': a, 'b': b}, by='z3', part=2, pins=[({'a': 3, 'b': 1}, (4, 0))])
    """
    displays = {"eq": r"(a - b)^2 = a^2 - 2 a b + b^2 \ge 0"}
    chapter, problems = outcome(tmp_path, displays, code)
    assert problems == []
    assert [(e.part, e.relations, e.method.split()[0]) for e in chapter.evidence] == [
        (1, 1, "identity"),
        (2, 1, "decision"),
    ]


def test_a_definition_may_be_set_aside(tmp_path):
    code = """
    ch.define('eq-def')
    ch.prove('eq', {'a': a, 'b': b})
    ch.prove('eq-any', {'a': a, 'g': sp.Function('g')}, override=['eq-def'])
    """
    displays = DEFINED | {"eq": r"g(a) - g(b) = (a - b)(a + b), \quad g(0) = 1", "eq-any": r"g(a) + g(a) = 2 g(a)"}
    chapter, problems = outcome(tmp_path, displays, code)
    assert problems == [] and chapter["eq-any"].uses == set() and chapter["eq"].uses == {"eq-def"}


def test_the_box_is_the_scope_of_an_interval_proof(tmp_path):
    chapter, _ = outcome(tmp_path, *TRUE["interval"])
    assert chapter["eq"].scope == "-1 ≤ x ≤ 1"
