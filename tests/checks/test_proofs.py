"""General proofs: words, Gram matrices, induction, open sums; and what an instance says of itself."""

import pytest
import sympy as sp

from spaces_core.checks.recheck import recheck
from spaces_core.checks.words import identity, letter
from tests.checks.pages import outcome, stated

SQUARE = r"n \in \mathbb N, \quad A, B, C \in \mathbb R^{n \times n}"
REGULAR = SQUARE + r", \quad \det A \ne 0, \quad \det B \ne 0, \quad \det C \ne 0"
VECTORS = r"d \in \mathbb N, \quad x, y, z \in \mathbb R^d"
SIMPLEX = r"n \in \mathbb N, \quad i = 1, \dots, n, \quad p_i > 0, \quad \sum_{i=1}^n p_i = 1"
MIXED = r"m, n \in \mathbb N, \quad W \in \mathbb R^{m \times n}, \quad x \in \mathbb R^n, \quad y \in \mathbb R^m"

TRUE = [
    ("words", REGULAR, r"(A B C)^{-1} = C^{-1} B^{-1} A^{-1}"),
    ("words", SQUARE, r"\operatorname{tr}(A B C) = \operatorname{tr}(C A B)"),
    ("words", SQUARE, r"(A + B)^2 = A^2 + A B + B A + B^2"),
    ("words", SQUARE, r"(A B)^\top C = B^\top A^\top C"),
    ("words", REGULAR, r"A^{-1} A B = B"),
    ("words", MIXED, r"y^\top W x = x^\top W^\top y"),
    ("words", MIXED, r"\|W x\|^2 = x^\top W^\top W x"),
    ("words", MIXED, r"\operatorname{tr}(W x y^\top) = y^\top W x"),
    (
        "words",
        r"m, n \in \mathbb N, \quad W, V \in \mathbb R^{m \times n}",
        r"\|W + V\|_F^2 = \|W\|_F^2 + \|V\|_F^2 + 2 \operatorname{tr}(W^\top V)",
    ),
    (
        "words",
        r"n \in \mathbb N, \quad S \in \mathbb R^{n \times n}, \quad S^\top = S, \quad x, y \in \mathbb R^n",
        r"x^\top S y = y^\top S x",
    ),
    ("gram", VECTORS, r"\|x + y\|^2 + \|x - y\|^2 = 2 \|x\|^2 + 2 \|y\|^2"),
    ("gram", VECTORS, r"\langle x, y\rangle^2 \le \|x\|^2 \|y\|^2"),
    ("gram", VECTORS + r", \quad \|x\| = 1, \quad \|y\| = 1", r"\langle x, y\rangle \ge -1"),
    ("gram", VECTORS + r", \quad \|x\| = 1, \quad \|y\| = 1", r"\|x - y\|^2 = 2 - 2 \langle x, y\rangle"),
    ('induction", on="n', r"n \in \mathbb N", r"\sum_{k=1}^{n} k^2 = \frac{n (n + 1) (2 n + 1)}{6}"),
    ('induction", on="n', r"n \in \mathbb N, \quad q > 1", r"\sum_{k=1}^{n} q^k = \frac{q^{n+1} - q}{q - 1}"),
    (
        'induction", on="n',
        r"n \in \mathbb N, \quad q \in (-1, 1)",
        r"\sum_{k=0}^{n-1} q^k = \frac{1 - q^n}{1 - q}",
    ),
    ("identity", r"q \in (-1, 1)", r"\sum_{k=0}^{\infty} q^k = \frac{1}{1 - q}"),
    ("identity", r"x > 0", r"\sum_{k=0}^{\infty} \frac{x^k}{k!} = e^x"),
    ("identity", SIMPLEX, r"\sum_i (p_i - \frac{1}{n}) = 0"),
    ("identity", SIMPLEX, r"\sum_i p_i^2 = 1 - \sum_i p_i (1 - p_i)"),
]


@pytest.mark.parametrize("by, setting, display", TRUE, ids=[t[2] for t in TRUE])
def test_proved_for_any_size(by, setting, display, tmp_path):
    chapter, problems = stated(tmp_path, setting, display, f'ch.prove("eq-a", by="{by}")')
    assert not problems
    e = chapter["eq-a"]
    assert (e.kind, e.scope, e.narrowed) == ("proved", "general", [])
    assert e.caught + e.equivalent == e.made > 10


FALSE = [
    ("words", SQUARE, "A B = B A"),
    ("identity", r"q \in (-2, \frac{1}{2})", r"\sum_{k=0}^{\infty} q^k = \frac{1}{1 - q}"),
    ("identity", r"q \in [-1, 1)", r"\sum_{k=0}^{\infty} q^k = \frac{1}{1 - q}"),
    ('induction", on="n', r"n \in \mathbb N", r"\sum_{k=5}^{n} k = \frac{n (n + 1)}{2} - 10"),
    ("words", SQUARE, r"\operatorname{tr}(A B C) = \operatorname{tr}(A C B)"),
    ("words", SQUARE, r"(A + B)^2 = A^2 + 2 A B + B^2"),
    ("words", SQUARE, r"x^\top S y = y^\top S x"),
    ("gram", VECTORS, r"\langle x, y\rangle \le \|x\|^2"),
    ("gram", VECTORS, r"\|x\| + \|y\| \le \|x + y\|"),
    ('induction", on="n', r"n \in \mathbb N", r"\sum_{k=1}^{n} k = \frac{n (n + 2)}{3}"),
    ("identity", SIMPLEX.replace(r", \quad \sum_{i=1}^n p_i = 1", ""), r"\sum_i p_i^2 = 1 - \sum_i p_i (1 - p_i)"),
]


@pytest.mark.parametrize("by, setting, display", FALSE, ids=[t[2] for t in FALSE])
def test_false_ones_are_refused(by, setting, display, tmp_path):
    assert stated(tmp_path, setting, display, f'ch.prove("eq-a", by="{by}")')[1]


def test_words_alone_do_not_prove_what_is_false():
    """Without the numbers that come first."""
    n = sp.Symbol("n", integer=True, positive=True)
    a, b = letter("A", n, n), letter("B", n, n)
    assert not (a * b - b * a).is_zero()
    assert not ((a + b).inv() - (a.inv() + b.inv())).is_zero()
    assert ((a * b).inv() * a * b - identity(n)).is_zero()
    assert (a * b).trace() == (b * a).trace() != (a * a).trace()
    with pytest.raises(ValueError, match="do not add"):
        a + 1


def test_an_instance_says_what_was_narrowed(tmp_path):
    setting = r"n \in \mathbb N, \quad A, B \in \mathbb R^{n \times n}"
    chapter, problems = stated(tmp_path, setting, r"\det(A B) = \det(A) \det(B)", 'ch.prove("eq-a", {"n": 2})')
    assert not problems
    e = chapter["eq-a"]
    assert (e.scope, e.narrowed) == ("instance", ["n = 2"])
    assert "instance: n = 2" in str(e.where())
    assert chapter.totals()["instance"] == 1 and chapter.totals()["general"] == 0


def test_what_is_declared_is_not_bound_under_another_meaning(tmp_path):
    code = 'ch.setting("eq-s")\nch.define("eq-g")\nch.prove("eq-a", {"g": lambda t: t})'
    displays = {"eq-s": r"x \in \mathbb R", "eq-g": "g(x) = x^2 + 1", "eq-a": "g(x) - 1 = x^2"}
    assert "defined by eq-g" in outcome(tmp_path, displays, code)[1][0]
    assert not outcome(tmp_path, displays, code.replace(', {"g": lambda t: t}', ""))[1]


def test_a_name_means_one_thing_in_a_section(tmp_path):
    displays = {"eq-s": r"x \in \mathbb R", "eq-t": "x > 0", "eq-a": r"\sqrt{x^2} = x"}
    code = 'ch.setting("eq-s", "eq-t")\nch.prove("eq-a")'
    assert not outcome(tmp_path, displays, code)[1]  # a hypothesis more on the same name
    displays["eq-t"] = r"x \in \mathbb N"
    assert "twice" in outcome(tmp_path, displays, code)[1][0] or "already" in outcome(tmp_path, displays, code)[1][0]


# Misprints that broke the check of a page instead of being counted.
def test_misprints_of_definitions_under_a_relation(tmp_path):
    displays = {
        "eq-s": r"B, N \in \mathbb N, \quad B \le N, \quad N > 1",
        "eq-d": r"a = \frac{N - B}{(N - 1) B}",
        "eq-a": r"a \cdot (N - 1) \cdot B + B = N",
    }
    code = 'ch.setting("eq-s")\nch.define("eq-d")\nch.prove("eq-a")'
    assert not outcome(tmp_path, displays, code)[1]


def test_misprints_that_leave_a_bare_family(tmp_path):
    setting = r"n \in \mathbb N, \quad i = 1, \dots, n, \quad p_i > 0, \quad V \ge 0"
    assert not stated(tmp_path, setting, r"V + \sum_i p_i = \sum_i p_i + V")[1]
    setting = r"i = 1, \dots, 3, \quad X_i, \Theta_i, \kappa_i \ge 0, \quad \kappa_i X_i \le \Theta_i"
    spot = r'{"X": [2, 3, 4], r"\kappa": [1, 2, 3], r"\Theta": [5, 7, 13]}'
    call = f'ch.argue("eq-a", rests=["eq-s"], cases=30, pins=[({spot}, (20, 25))])'
    problems = stated(tmp_path, setting, r"\sum_i \kappa_i X_i \le \sum_i \Theta_i", call)[1]
    assert not problems


def test_words_say_that_they_do_not_use_a_hypothesis(tmp_path):
    displays = {
        "eq-s": r"m \in \mathbb N, \quad t > 0, \quad A, C \in \mathbb R^{m \times m}",
        "eq-h": r"C - t I = 0",
        "eq-a": r"A C A^\top = t A A^\top",
    }
    code = 'ch.setting("eq-s")\nch.assume("eq-h", fails="Correlated units.")\n'
    problems = outcome(tmp_path, displays, code + 'ch.prove("eq-a", by="words", assuming=["eq-h"])')[1]
    assert "the two sides are different words" in problems[0]
    assert not outcome(tmp_path, displays, code + 'ch.argue("eq-a", rests=["eq-h"], assuming=["eq-h"], cases=20)')[1]


# Calculus in numbers.
PAGE = r"""$$ \lambda \in (0, 2) $$ (eq-s)

$$ M(\lambda) = \int_{-\infty}^{\infty} \exp\left(\lambda x - \frac{x^2}{2}\right) \, \mathrm{d} x $$ (eq-m)

$$ M'(\lambda) = \lambda M(\lambda) $$ (eq-a)

```{code-cell} ipython3
:tags: [check]
from spaces_core.checks import Chapter
ch = Chapter("a/b")
ch.setting("eq-s")
ch.define("eq-m")
ch.argue("eq-a", rests=["eq-m"])
```
"""


@pytest.mark.parametrize(
    "statement, state",
    [
        (r"M'(\lambda) = \lambda M(\lambda)", "searched"),
        (r"\frac{\mathrm{d} \log M(\lambda)}{\mathrm{d} \lambda} = \lambda", "searched"),
        (r"\frac{\mathrm{d}^2 \log M(\lambda)}{\mathrm{d} \lambda^2} = 1", "searched"),
        (r"\frac{\mathrm{d} \log M(\lambda)}{\mathrm{d} \lambda} = \lambda + \frac{\lambda}{100000}", "fails"),
    ],
)
def test_the_derivative_of_a_quadrature(statement, state):
    assert recheck(PAGE, "eq-a", statement)["state"] == state
