"""One reading or none: what is read prints the same symbols, and what two people would read differently is refused."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spaces_core.checks import GrammarError, Names, latex, parse
from spaces_core.checks.grammar import Parser
from spaces_core.checks.page import read_page
from spaces_core.checks.reading import accounted, visible
from spaces_core.checks.tokens import join, strip, tokens
from spaces_core.checks.tree import walk
from tests.checks.test_page import CHAPTERS

FUNCTIONS = Names(frozenset({"f", "g", r"\varphi", "K", "d", "S", "Q", "I", "C", "F", "E"}))

AMBIGUOUS = {
    r"\log a / b": r"\log(a / b)",
    r"\log (a)^2": r"(\log(a))^2",
    r"\operatorname{tr}(a)^2": r"\operatorname{tr}((a)^2)",
    r"\log (n)!": r"\log((n)!)",
    r"\log a \cdot b": r"\log(a) \cdot b",
    r"\log (1 + x)(1 - x)": r"\log(1 + x) \cdot (1 - x)",
    "2 3 x": r"2 \cdot 3 x",
    "x 2": "2 x",
    r"2 \frac{1}{2}": r"2 \cdot \frac{1}{2}",
    "a / b c": r"\frac{a}{b} c",
    "a / b / c": r"\frac{a}{b c}",
    r"a / b \cdot c": r"\frac{a}{b} c",
    "|a|b|c|": r"\left|a\right| b \left|c\right|",
    "f^2(x)": "(f(x))^2",
    "f^{-1}(x)": r"\frac{1}{f(x)}",
    r"\sin^{-1} x": r"\arcsin x",
    "x^T": r"x^\top",
    r"x^{\mathsf{T}}": r"x^{\top}",
    r"\operatorname{Re}": r"\operatorname{Re}(x)",
    r"\operatorname{Perp}(P)": "P",
    r"\mathbb{E}[X]": "X",
    r"\tilde{a + 7}": r"\tilde a + 7",
    r"\overline{x^2}": r"\overline{x}",
    r"\underbrace{a + b}_{\text{sum}}": "a + b",
    r"A^{\top 5}": r"A^{\top}",
    r"\sum_{j \ne i}^{7} a_j": r"\sum_{j=1}^{7} a_j",
    r"\prod_{i=1}^{2} p_i \cdot c": r"c \prod_{i=1}^{2} p_i",
    r"\prod_{i=1}^{2} p_i c": r"\left(\prod_{i=1}^{2} p_i\right) c",
    r"\frac{d}{d x} x \cdot x": r"\frac{d}{d x} (x \cdot x)",
    r"a \; b": r"a \, b",
    r"a \quad b": "a b",
    r"a \, \, b": r"a \, b",
    r"a \equiv b": "a = b",
    r"a \pm b": "a + b",
    r"n_\mathrm{in}": r"n_{\mathrm{in}}",
    r"x^2_i": "x_i^2",
    r"a^b^c": "a^{b^c}",
    "+ a": "a",
    r"\frac12": r"\frac{1}{2}",
    r"\sqrt[3 x": r"\sqrt[3]{x}",
    r"\begin{cases} a \end{cases}": "a",
    r"\begin{aligned} a": r"\begin{aligned} a \end{aligned}",
    r"a = c \\ [b]": r"a = c \\ {} + b",
    "a ?": "a",
}


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_what_has_two_readings_is_refused_and_says_what_to_write(text):
    with pytest.raises(GrammarError) as error:
        parse(text, FUNCTIONS)
    assert len(str(error.value)) > 15
    assert parse(AMBIGUOUS[text], FUNCTIONS)


def test_d_is_a_number_or_a_differential():
    names = Names(bound=frozenset("d"))
    with pytest.raises(GrammarError, match="differential"):
        parse(r"\frac{d f}{d x}", names)
    assert parse(r"\frac{\mathrm{d}}{\mathrm{d} x} x", names).op == "deriv"
    assert parse(r"\sqrt{d}", names).op == "root"


def test_a_name_without_argument_is_not_applied():
    names = Names(plain=frozenset("f"))
    with pytest.raises(GrammarError, match="without an argument"):
        parse("f(3)", names)
    assert parse(r"f \cdot (3)", names).op == "mul"


SYMBOLS = [*"abxyn", "2", "3", "0.5", "+", "-", "=", "^", "_", "{", "}", "(", ")", "|", ",", "'", "!"]
SYMBOLS += [
    rf"\{w}"
    for w in (
        "frac sqrt sum prod log sin tilde mathrm top gamma le cdot int lim to infty partial quad left right".split()
    )
]


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(SYMBOLS), max_size=14))
def test_whatever_is_read_prints_the_same_symbols(pieces):
    text = " ".join(pieces)
    try:
        tree = parse(text, FUNCTIONS)
    except GrammarError:
        return
    assert visible(strip(tokens(text))) == visible(strip(tokens(latex(tree))))
    assert parse(latex(tree), FUNCTIONS) == tree


def _mutated(rng: random.Random, toks: list[str]) -> list[str]:
    out = list(toks)
    for _ in range(rng.randint(1, 3)):
        k = rng.randrange(len(out))
        what = rng.randrange(4)
        if what == 0:
            del out[k]
        elif what == 1:
            out.insert(k, out[k])
        elif what == 2:
            out[k] = rng.choice(SYMBOLS)
        else:
            j = rng.randrange(len(out))
            out[k], out[j] = out[j], out[k]
        if not out:
            return ["a"]
    return out


def _is_statement(text):
    """Whether a display is read as a statement: settings have a reader of their own."""
    try:
        return bool(parse(text, FUNCTIONS))
    except GrammarError:
        return False


def test_a_thousand_broken_displays_of_the_book_are_read_as_printed_or_refused():
    """A fuzzer with a fixed number of cases: no error but ours, and no symbol lost."""
    rng = random.Random(1)
    displays = [d.latex for path in CHAPTERS for d in read_page(path).displays if _is_statement(d.latex)]
    read = 0
    for _ in range(1000):
        try:
            text = join(_mutated(rng, strip(tokens(rng.choice(displays)))))
            tree = parse(text, FUNCTIONS)
        except GrammarError:
            continue
        read += 1
        accounted(strip(tokens(text)), tree)
        assert all(n.op for n in walk(tree))
    assert read > 150


def test_a_tree_that_lost_a_symbol_is_refused():
    toks = strip(tokens("a + b = c"))
    with pytest.raises(GrammarError, match="b is printed and would not be read|[+] b"):
        accounted(toks, Parser(strip(tokens("a = c"))).display())


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_displays_of_the_chapters_round_trip(path):
    for d in read_page(path).displays:
        try:
            tree = parse(d.latex, FUNCTIONS)
        except GrammarError:
            continue
        assert parse(latex(tree), FUNCTIONS) == tree, d.label


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_tokens_are_printed_as_latex(path):
    """A misprint that a reader is shown has no token in it that only the engine knows."""
    for d in read_page(path).displays:
        toks = strip(tokens(d.latex))
        assert strip(tokens(join(toks))) == toks, d.label


@pytest.mark.parametrize(
    "text", [r"\left. x^2 \right|_{x=1}", r"x^2 \big|_{x=1}", r"\left|x\right| + \left\|y\right\|"]
)
def test_brackets_are_printed_as_latex(text):
    toks = strip(tokens(text))
    assert strip(tokens(join(toks))) == toks
