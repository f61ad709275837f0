"""The dialect: trees printed and read back, every item of CONTRIBUTING.md, and what is ambiguous."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spaces_core.checks import GrammarError, Names, latex, parse
from spaces_core.checks.grammar import atom_key, parse_name
from spaces_core.checks.tree import RELATIONS, Node, num, sym, walk

I, J = sym("i"), sym("j")  # noqa: E741
ATOM = r"\mathbb{E}[x^2]"
NAMES = Names(frozenset({"f", r"\psi"}), frozenset(), (atom_key(ATOM),))
SUBSCRIPTS = [
    *[(), (I,), (I, J), (num(1),), (num(12),), (num(2), num(12)), (num(1), num(2)), (num(1), I)],
    *[(Node("add", (I, num(1))),), (Node("mul", (num(2), I)),), (Node("raw", (), r"\mathrm{max}"),)],
]
SUPERSCRIPTS = [(), (), (sym("t"),), (Node("add", (sym("t"), num(1))),)]
BASES = [
    "x",
    "p",
    "A",
    "n",
    r"\gamma",
    r"\tilde{p}",
    r"\bar{x}",
    r"\mathbf{x}",
    r"\mathrm{Var}",
    "x'",
    "x^*",
    r"x^\star",
]
FUNCS = ["log", "exp", "sin", "cos", "tan", "tanh", "arccos", "det", "tr", "sign", "erf"]
CONDITIONS = [Node("rel", (I, J), "!="), Node("rel", (J, I), "<")]
INNER = "add mul neg frac pow transpose fact root func extremum call order abs norm inner binom big deriv at lim int"


@st.composite
def expressions(draw, depth=3):
    """Trees of every node kind of the dialect."""
    pick = lambda options: draw(st.sampled_from(options))  # noqa: E731
    more = lambda: draw(expressions(depth - 1))  # noqa: E731
    some = lambda: tuple(more() for _ in range(pick([2, 3])))  # noqa: E731
    op = pick(["num", "sym", "sym", "atom"] if depth == 0 else ["num", "sym", *INNER.split()])
    if op == "num":
        return num(pick(["0", "1", "2", "7", "12", "0.5", "3.25"]))
    if op == "sym":
        return sym(pick(BASES), pick(SUBSCRIPTS), pick(SUPERSCRIPTS))
    if op == "atom":
        return Node("atom", (), ATOM)
    if op in ("add", "mul"):
        return Node(op, some())
    if op in ("neg", "transpose", "order", "abs"):
        return Node(op, (more(),))
    if op == "fact":
        return Node(op, (sym(pick(BASES)),))
    if op in ("frac", "pow", "inner", "binom"):
        return Node(op, (more(), more()))
    if op == "root":
        return Node(op, (more(), num(pick([2, 3]))))
    if op == "func":
        return Node(op, (more(),), pick(FUNCS))
    if op == "extremum":
        return Node("func", some(), pick(["max", "min"]))
    if op == "call":
        return Node(op, (sym(pick(["f", r"\psi"])), *some()[: pick([1, 2])]))
    if op == "norm":
        return Node(op, (more(),), pick(["", "1", "2", "F", r"\infty"]))
    if op == "big":
        sign, form = pick(["sum", "prod", "bigmax", "bigmin"]), pick(["bounds", "range", "condition"])
        if form == "bounds":
            return Node(sign, (more(), num(1), pick([sym("n"), num(4)])), (("i",), form))
        if form == "range":
            return Node(sign, (more(),), (pick([("i",), ("i", "j")]), form))
        return Node(sign, (more(), pick(CONDITIONS)), (("i", "j"), form))
    x = pick([sym("x"), sym(r"\gamma"), sym("x", (I,))])
    if op == "deriv":
        return Node(op, (x, more()), (pick(["d", "partial"]), pick([1, 2])))
    if op == "at":
        return Node(op, (more(), x, more()))
    if op == "lim":
        return Node(op, (sym("x"), num(pick([0, 1])), more()), pick(["", "+", "-"]))
    return Node("int", (sym("t"), num(0), more(), more()))


@st.composite
def displays(draw):
    """Chains, implications and several statements of them."""

    def chain():
        sides = draw(st.lists(expressions(2), min_size=2, max_size=3))
        ops = draw(st.lists(st.sampled_from(sorted(RELATIONS)), min_size=len(sides) - 1, max_size=len(sides) - 1))
        parts = tuple(Node("rel", (a, b), r) for a, b, r in zip(sides, sides[1:], ops, strict=False))
        return parts[0] if len(parts) == 1 else Node("chain", parts)

    form = draw(st.sampled_from(["chain", "chain", "implies", "iff", "all"]))
    if form == "chain":
        return chain()
    return Node(form, (chain(), chain()))


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(displays())
def test_printed_trees_are_read_back(tree):
    assert parse(latex(tree), NAMES) == tree


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(expressions(2))
def test_expressions_are_read_back_at_any_place(tree):
    for text in (rf"\frac{{{latex(tree)}}}{{2}}", rf"\left({latex(tree)}\right)^{{2}}", rf"\sqrt{{{latex(tree)}}}"):
        assert any(n == tree for n in walk(parse(text, NAMES)))


# every item that CONTRIBUTING.md lists, and how its tree begins
DIALECT = [
    ("a = b", "rel"),
    (r"a \le b", "rel"),
    (r"a \leq b", "rel"),
    (r"a \ge b", "rel"),
    (r"a \geq b", "rel"),
    ("a < b", "rel"),
    ("a > b", "rel"),
    (r"a \ne b", "rel"),
    (r"a \approx b", "rel"),
    (r"a \le b \le c", "chain"),
    (r"a > 0 \implies b > 0", "implies"),
    (r"a > 0 \iff b > 0", "iff"),
    (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "chain"),
    (r"a = b, \quad b = c", "all"),
    (r"a = b, \qquad b = c", "all"),
    (r"\sum_{i=1}^{n} a_i", "sum"),
    (r"\sum_i a_i", "sum"),
    (r"\sum_{j \ne i} a_j", "sum"),
    (r"\prod_{i=1}^n a_i", "prod"),
    (r"\max_i a_i", "bigmax"),
    (r"\min_i a_i", "bigmin"),
    (r"\frac{a}{b}", "frac"),
    ("a/b", "frac"),
    ("a^2", "pow"),
    (r"\sqrt[n]{a}", "root"),
    (r"\binom{n}{k}", "binom"),
    ("n!", "fact"),
    ("|x|", "abs"),
    (r"\lvert x\rvert", "abs"),
    (r"\|x\|", "norm"),
    (r"\lVert x\rVert", "norm"),
    (r"\|x\|_2", "norm"),
    (r"\|x\|_F", "norm"),
    (r"\|x\|_1", "norm"),
    (r"\|x\|_\infty", "norm"),
    (r"\langle u, v\rangle", "inner"),
    (r"A^\top", "transpose"),
    ("A^{-1}", "pow"),
    (r"\frac{d f}{d x}", "deriv"),
    (r"\frac{\mathrm{d}}{\mathrm{d}x} f", "deriv"),
    (r"\frac{\partial^2 f}{\partial x^2}", "deriv"),
    (r"\left. f \right|_{x=1}", "at"),
    (r"\lim_{x\to a} x", "lim"),
    (r"\int_a^b f \, dx", "int"),
    *[(rf"\{f} x", "func") for f in "log exp sin cos tan tanh arccos arcsin arctan".split()],
    (r"\max(a, b)", "func"),
    (r"\min(a, b)", "func"),
    (r"\det(A)", "func"),
    (r"\operatorname{tr}(A)", "func"),
    (r"\operatorname{sign}(x)", "func"),
    (r"\mathcal{O}(x^2)", "order"),
    ("O(x^2)", "order"),
    *[(n, "sym") for n in [r"\tilde p", r"\bar x", r"\hat y", r"\mathbf x", r"\mathcal L", r"\mathrm{Var}"]],
    *[(n, "sym") for n in ["x_i", "x_{ij}", "x'", "x^*", r"x^\star", "W^{(t)}", "W^{(t+1)}_{ij}", r"x_{\mathrm{max}}"]],
]


@pytest.mark.parametrize("text, op", DIALECT, ids=[t for t, _ in DIALECT])
def test_the_documented_dialect_is_read(text, op):
    tree = parse(text)
    assert tree.op == op
    assert parse(latex(tree)) == tree


AMBIGUOUS = {
    r"\log a b": "one factor",
    "a/b c": "ambiguous",
    "x^12": "braces round 12",
    "x_12": "braces round 12",
    r"\frac12": "braces round 12",
    "x^2^3": "double exponent",
    r"\frac{\mathrm{d}}{\mathrm{d}x} f g": "ambiguous",
    r"\frac{\partial^2 f}{\partial x}": "orders",
    r"\sin^{-1} x": "ambiguous",
    r"\sum a_i": "index",
    r"\int f dx": "bounds",
    r"\sum_{i \in S} a_i": "bind the range",
    "a = b, c = d": "','",
    "(a + b": "expected ')'",
    r"\left( a \right]": "expected ')'",
    "a +": "ends",
    "{a": "not closed",
    r"\begin{pmatrix} a \end{pmatrix}": "not in the dialect",
    "a = é": "not in the dialect",
    r"a \propto b": "\\propto",
    r"\foo x": "not in the dialect",
    "x -- y": "not in the dialect",
}


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_ambiguous_or_foreign_input_is_an_error_that_says_why(text):
    with pytest.raises(GrammarError) as caught:
        parse(text)
    assert AMBIGUOUS[text] in str(caught.value)


MISREAD = ["n!!", "2^n!", "||x||", r"x = 1 \quad y = 2"]
WAITING = [
    pytest.param(text, marks=pytest.mark.xfail(strict=True, reason="engine: reported, not yet done"))
    for text in [r"\log a / b", "2 3 x", r"\log a \cdot b"]
]


@pytest.mark.parametrize("text", [*MISREAD, *WAITING])
def test_what_two_readers_read_differently_is_an_error(text):
    with pytest.raises(GrammarError):
        parse(text)


def test_row_spacing_is_no_product():
    assert parse(r"\begin{aligned} a &= b \\[4pt] &= c \end{aligned}") == parse("a = b = c")


def test_aligned_rows_make_chains_longer_sides_and_statements():
    assert latex(parse(r"\begin{aligned} a &= b \\ &\quad + c \\ &\le d \end{aligned}")) == r"a = b + c \le d"
    assert parse(r"\begin{aligned} a &= b \\ c &= d. \end{aligned}") == parse(r"a = b, \quad c = d")


def test_a_chain_is_one_relation_for_each_sign():
    tree = parse(r"a = b \le c < d")
    assert [r.data for r in tree.args] == ["=", "<=", "<"]
    assert all(r.args[1] == s.args[0] for r, s in zip(tree.args, tree.args[1:], strict=False))


CANONICAL = [
    (r"\tilde p", r"\tilde{p}"),
    (r"\mathbf x", r"\mathbf{x}"),
    ("x_1", "x_{1}"),
    (r"x^\ast", "x^*"),
    ("x^{*}", "x^*"),
    (r"x^\prime", "x'"),
    ("x_{i j}", "x_{ij}"),
    ("x_{i,j}", "x_{ij}"),
    ("W_{ij}^{(t)}", "W^{(t)}_{ij}"),
    (r"\tilde{p}_i", r"\tilde p_{i}"),
]


@pytest.mark.parametrize("one, other", CANONICAL)
def test_two_ways_of_writing_a_name_are_one_name(one, other):
    assert latex(parse_name(one)) == latex(parse_name(other))


@pytest.mark.parametrize("one, other", [("x_{1,2}", "x_{12}"), ("x_i", "x_j"), ("x'", "x"), (r"\tilde p", "p")])
def test_different_names_stay_different(one, other):
    assert latex(parse_name(one)) != latex(parse_name(other))


def test_twice_an_index_is_a_product():
    assert parse("x_{2i}").args == (Node("mul", (num(2), I)),)


def test_application_needs_a_function():
    assert parse("f(x)").op == "mul"
    assert parse("f(x)", Names(functions=frozenset({"f"}))) == Node("call", (sym("f"), sym("x")))
    assert parse("f^2(x)", Names(functions=frozenset({"f"}))).op == "pow"
    assert parse("f_1(x, y)", Names(functions=frozenset({"f"}))).op == "call"


def test_atoms_are_read_whole_and_the_longest_first():
    names = Names(atoms=(atom_key(r"\frac{dH}{d\gamma}"),))
    assert parse(r"\frac{dH}{d\gamma} = 1", names).args[0] == Node("atom", (), r"\frac{dH}{d\gamma}")
    assert parse(r"\frac{d H}{d \gamma} + 1", names).args[0].op == "atom"
    assert parse(r"\frac{dG}{d\gamma}", names).op == "deriv"


def test_d_is_a_name_when_it_is_bound():
    assert parse(r"\frac{d x}{d y}").op == "deriv"
    assert parse(r"\frac{d x}{d y}", Names(bound=frozenset({"d"}))).op == "frac"


def test_spaces_sizes_and_comments_carry_nothing():
    plain = parse(r"a (b + c) = 1")
    for text in [
        r"a \, \bigl( b + c \bigr) = 1.",
        "a \\left( b\n + c \\right) % note\n = 1",
        r"\displaystyle a (b+c)=1,",
    ]:
        assert parse(text) == plain


@pytest.mark.parametrize("text", [r"\left(n!\right)!", r"\left(2^{n}\right)!"])
def test_parentheses_settle_a_factorial(text):
    assert latex(parse(text)) == text
