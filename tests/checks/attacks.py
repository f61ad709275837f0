r"""False, empty and ambiguous statements that an author could write in good faith, each with a true twin.

A case has the setting that the page prints, the display that must be refused, what the check cell calls, and a twin in
which the setting, the display or the call differs and which must pass.
"""

from __future__ import annotations

from dataclasses import dataclass

PROVE = 'ch.prove("eq-a")'
Z3 = 'ch.prove("eq-a", by="z3")'
SAMPLE = 'ch.sample("eq-a", n=100)'


@dataclass(frozen=True)
class Case:
    name: str
    kind: str
    setting: str
    display: str
    call: str
    true_setting: str
    true_display: str
    true_call: str


CASES: list[Case] = []


def case(name, kind, setting, display, call=PROVE, *, s=None, d=None, c=None) -> None:
    """A case; `s`, `d` and `c` are the twin's setting, display and call where they differ."""
    twin = (setting if s is None else s, display if d is None else d, call if c is None else c)
    assert twin != (setting, display, call), name
    CASES.append(Case(name, kind, setting, display, call, *twin))


XY = r"x, y \in \mathbb R"
AB = r"a, b \in \mathbb R"
FAMILY = r"n \in \mathbb N, \quad i = 1, \dots, n, \quad p_i > 0"
SIMPLEX = FAMILY + r", \quad \sum_{i=1}^n p_i = 1"
SQUARE = r"n \in \mathbb N, \quad A, B \in \mathbb R^{n \times n}"
VECTORS = r"d \in \mathbb N, \quad x, y \in \mathbb R^d"
FUNCTION = r"f : \mathbb R \to \mathbb R, \quad a, b, x \in \mathbb R"
three = "[sp.Rational(1, 5)] * 3"

# --- bindings carry what the page does not say --------------------------------------------------------
case("tautology by binding", "binding", r"E, m, c \in \mathbb R", "E = m c^2", 'm, c = sp.symbols("m c"); ch.prove("eq-a", {"E": m * c**2})',
     d=r"(m c)^2 = m^2 c^2", c=PROVE)  # fmt: skip
case("expression by binding", "binding", AB, r"b \le a", 's, b = sp.symbols("s b", real=True); ch.prove("eq-a", {"a": b + s**2})',
     s=AB + r", \quad s \in \mathbb R", d=r"b \le b + s^2", c='ch.prove("eq-a", by="z3", tight={"b": 1, "s": 0}, pins=[({"b": 1, "s": 2}, (1, 5))])')  # fmt: skip
case("positive smuggled", "binding", r"x \in \mathbb R", r"\sqrt{x^2} = x", 'ch.prove("eq-a", {"x": sp.Symbol("x", positive=True)})',
     s="x > 0", c=PROVE)  # fmt: skip
case("logarithm of a square", "binding", r"x \in \mathbb R", r"\log(x^2) = 2 \log x", s="x > 0")
case("integer smuggled", "binding", r"x \in \mathbb R", r"\sin(\pi x) + x = x", 'ch.prove("eq-a", {"x": sp.Symbol("x", integer=True)})',
     s=r"x \in \mathbb Z", c=PROVE)  # fmt: skip
case("positive in an inequality", "binding", r"x \in \mathbb R", r"(1 + x)^2 > 1 + x", 'ch.prove("eq-a", {"x": sp.Symbol("x", positive=True)}, by="z3")',
     s="x > 0", c='ch.prove("eq-a", by="z3", pins=[({"x": 2}, (9, 3))])')  # fmt: skip
case("matrices as scalars", "binding", SQUARE, "A B = B A", 'A, B = sp.symbols("A B"); ch.prove("eq-a", {"A": A, "B": B})',
     d=r"(A B)^\top = B^\top A^\top", c='ch.prove("eq-a", by="words")')  # fmt: skip
case(
    "inverse of a product",
    "binding",
    SQUARE,
    "(A B)^{-1} = A^{-1} B^{-1}",
    'ch.prove("eq-a", by="words")',
    s=SQUARE + r", \quad \det A \ne 0, \quad \det B \ne 0",
    d="(A B)^{-1} = B^{-1} A^{-1}",
)
case("exponential of a sum of matrices", "binding", SQUARE, r"\exp(A) \exp(B) = \exp(A + B)", s=r"A, B \in \mathbb R")
case("fraction hides a number", "binding", r"c, x \in \mathbb R", "c x + c x = x", 'from fractions import Fraction; ch.prove("eq-a", {"c": Fraction(1, 2)})',
     d="c x + c x = 2 c x", c=PROVE)  # fmt: skip
case("tuple hides a range", "binding", r"n \in \mathbb N, i = 1, \dots, n, a_i \in \mathbb R", r"\sum_i a_i = a_1 + a_2 + a_3", 'ch.prove("eq-a", {"i": (1, 3)})',
     s=r"i = 1, \dots, 3, a_i \in \mathbb R", c=PROVE)  # fmt: skip
case("range too short", "binding", r"i = 1, \dots, 3, p_i > 0", r"\sum_i p_i = p_1 + p_2", 'ch.prove("eq-a", {"i": range(1, 3)})',
     d=r"\sum_i p_i = p_1 + p_2 + p_3", c=PROVE)  # fmt: skip
case("two terms for any number", "binding", r"n \in \mathbb N, i = 1, \dots, n, x_i \in \mathbb R", r"\left(\sum_i x_i\right)^2 \le 2 \sum_i x_i^2", 'ch.prove("eq-a", {"n": 2}, by="z3")',
     d=r"\left(\sum_i x_i\right)^2 \le n \sum_i x_i^2", c=SAMPLE)  # fmt: skip
case("one object under two names", "binding", r"i = 1, \dots, 3, p_i, q_i > 0", "p_i = q_i", 'p = symbols_vec("p", 3, positive=True); ch.prove("eq-a", {"p": p, "q": p})',
     d="p_i + q_i = q_i + p_i", c=PROVE)  # fmt: skip
case("any callable for Gamma", "callable", r"x \in \mathbb R", r"\Gamma(x) = x^2", r'ch.prove("eq-a", {r"\Gamma": lambda t: t**2})',
     s=r"x \in \mathbb R, \quad \Gamma : \mathbb R \to \mathbb R", d=r"\Gamma(x)^2 = \Gamma(x) \Gamma(x)", c=PROVE)  # fmt: skip
case("expectation is linear, so the identity", "callable", r"X \in \mathbb R", r"\mathbb{E}(X^2) = \mathbb{E}(X)^2", r'ch.prove("eq-a", {r"\mathbb{E}": lambda t: t})',
     s=r"i = 1, \dots, 2, \quad p_i > 0, \quad \sum_{i=1}^2 p_i = 1, X_i \in \mathbb R", d=r"\left(\sum_i p_i X_i\right)^2 \le \sum_i p_i X_i^2", c='ch.sample("eq-a", n=100, pins=[({"p": Vec([sp.Rational(1, 4), sp.Rational(3, 4)]), "X": Vec([2, 3])}, (sp.Rational(121, 16), sp.Rational(31, 4)))])')  # fmt: skip
case("the normal distribution function", "callable", r"x \in \mathbb R", r"\Phi(x) + \Phi(-x) = 0", r'ch.prove("eq-a", {r"\Phi": lambda t: sp.erf(t)})',
     d=r"\operatorname{erf}(x) + \operatorname{erf}(-x) = 0", c=PROVE)  # fmt: skip
case("a number under an expectation", "callable", r"X \in \mathbb R", r"\mathbb{E}[X] = 3", r'ch.prove("eq-a", {r"\mathbb{E}[X]": sp.Integer(3)})',
     d="X + X = 2 X", c=PROVE)  # fmt: skip
case("independence under the sign", "callable", r"X, Y \in \mathbb R", r"\mathbb{E}[X Y] = \mathbb{E}[X] \cdot \mathbb{E}[Y]",
     r'u, v = sp.symbols("u v"); ch.prove("eq-a", {r"\mathbb{E}[X Y]": u * v, r"\mathbb{E}[X]": u, r"\mathbb{E}[Y]": v})', d="X Y = Y X", c=PROVE)  # fmt: skip
case("a class that lies about its slope", "callable", "x > 0", r"\frac{d}{d x} L(x) = \frac{1}{x^2}",
     'F = type("F", (sp.Function,), {"fdiff": lambda s, k=1: 1 / s.args[0] ** 2}); ch.prove("eq-a", {"L": lambda t: F(t)})',
     d=r"\frac{d}{d x} \log(x) = \frac{1}{x}", c=PROVE)  # fmt: skip
case("a sequence that is constant in code", "callable", r"n \in \mathbb N, i = 1, \dots, n, a_i \in \mathbb R", "a_i = a_1", 'c = sp.Symbol("c"); ch.prove("eq-a", {"a": lambda k: c})',
     s=r"a \in \mathbb R", d="2 a = a + a", c=PROVE)  # fmt: skip
case(
    "an index without a value",
    "binding",
    r"i = 1, \dots, 0, \quad x_i \in \mathbb R",
    "x_i = x_i + 1",
    s=r"i = 1, \dots, 2, \quad x_i \in \mathbb R",
    d="x_i + 1 = 1 + x_i",
)
case("an interval that nobody prints", "binding", r"x \in \mathbb R", r"\cos(x) \ge \sin(x)", 'ch.prove("eq-a", by="interval", box={"x": ("0.2", "0.3")})',
     s=r"x \in [0.2, 0.3]", c='ch.prove("eq-a", by="interval", pins=[({"x": sp.Rational(1, 4)}, (sp.cos(sp.Rational(1, 4)), sp.sin(sp.Rational(1, 4))))])')  # fmt: skip
case("a limit from one side", "analysis", "", r"\lim_{x \to 0} \frac{|x|}{x} = 1", 'ch.prove("eq-a", {"x": sp.Symbol("x", positive=True)})',
     d=r"\lim_{x \to 0} \frac{x^2 + x}{x} = 1", c=PROVE)  # fmt: skip
case("a rescaled box", "binding", r"x \in \mathbb R", r"x^2 \le \frac{x}{2}", 'x = sp.Symbol("x", real=True); ch.prove("eq-a", {"x": x / 10}, by="interval", box={x: ("0.01", 1)})',
     s=r"x \in [0, \frac{1}{2}]", c=Z3)  # fmt: skip
case("a step in a range", "binding", r"i = 1, \dots, 4, a_i \in \mathbb R", r"\sum_i a_i = a_1 + a_3", 'ch.prove("eq-a", {"i": range(1, 5, 2)})',
     d=r"\sum_i a_i = a_1 + a_2 + a_3 + a_4", c=PROVE)  # fmt: skip
case("a transpose that does nothing", "binding", SQUARE, r"A^\top B = B^\top A", 'A, B = sp.symbols("A B"); ch.prove("eq-a", {"A": A, "B": B})',
     d=r"(A^\top B)^\top = B^\top A", c='ch.prove("eq-a", by="words")')  # fmt: skip
case(
    "a zero in disguise",
    "binding",
    XY,
    "x = y",
    'x = sp.Symbol("x"); ch.prove("eq-a", {"y": x + sp.Symbol("t", zero=True)})',
    d="x + y = y + x",
    c=PROVE,
)
case("normalised by binding", "binding", r"i = 1, \dots, 3, \quad p_i > 0", "p_1 + p_2 + p_3 = 1", 's = symbols_vec("s", 3, positive=True); ch.prove("eq-a", {"p": Vec(v / sum(s) for v in s)})',
     s=r"i = 1, \dots, 3, \quad p_i > 0, \quad \sum_{i=1}^3 p_i = 1", d="p_1 + p_2 = 1 - p_3", c=PROVE)  # fmt: skip
case("one term for any number", "binding", r"n \in \mathbb N, i = 1, \dots, n, x_i \in \mathbb R", r"\left(\sum_i x_i\right)^2 = \sum_i x_i^2", 'ch.prove("eq-a", {"n": 1})',
     d=r"\left(\sum_i x_i\right)^2 = \left(\sum_i x_i\right) \left(\sum_i x_i\right)", c=PROVE)  # fmt: skip
case("vectors as scalars", "binding", VECTORS, r"\langle x, y\rangle^2 = \langle x, x\rangle \langle y, y\rangle", 'x, y = sp.symbols("x y"); ch.prove("eq-a", {"x": x, "y": y})',
     d=r"\langle x, y\rangle^2 \le \langle x, x\rangle \langle y, y\rangle", c='ch.prove("eq-a", by="gram")')  # fmt: skip
case("norms add", "binding", VECTORS, r"\|x + y\| = \|x\| + \|y\|", 'x, y = sp.symbols("x y", positive=True); ch.prove("eq-a", {"x": x, "y": y})',
     d=r"\|x + y\| \le \|x\| + \|y\|", c=SAMPLE)  # fmt: skip
case(
    "whole numbers for real ones",
    "binding",
    "n > 0",
    r"n \ge 1",
    'ch.prove("eq-a", {"n": sp.Symbol("n", integer=True, positive=True)}, by="z3")',
    s=r"n \in \mathbb N",
    c='ch.prove("eq-a", by="z3", pins=[({"n": 3}, (3, 1))])',
)
case(
    "a cube root below zero",
    "binding",
    r"x \in \mathbb R",
    "(x^3)^{1/3} = x",
    'ch.prove("eq-a", {"x": sp.Symbol("x", nonnegative=True)})',
    s=r"x \ge 0",
    c=PROVE,
)
case("a certificate that is positive by binding", "binding", AB, r"(a - b)^2 \le (a + b)^2",
     'a, b = sp.symbols("a b", positive=True); ch.prove("eq-a", {"a": a, "b": b}, certificate=4 * a * b)', s="a, b > 0", c='ch.prove("eq-a", certificate=4 * ch.symbols("a") * ch.symbols("b"))')  # fmt: skip
case("a positive function", "binding", r"f : \mathbb R \to \mathbb R, x \in \mathbb R", r"\sqrt{f(x)^2} = f(x)", 'ch.prove("eq-a", {"f": sp.Function("f", positive=True)})',
     s=r"f : \mathbb R \to \mathbb R_{>0}, x \in \mathbb R", c=PROVE)  # fmt: skip
case(
    "equivalent for positive numbers only",
    "binding",
    r"x \in \mathbb R",
    r"x + 1 > 1 \iff x + 2 > 1",
    'ch.prove("eq-a", by="z3")',
    d=r"x + 1 > 1 \iff x + 2 > 2",
    c='ch.prove("eq-a", by="z3", pins=[({"x": 2}, (3, 1, 4, 2))])',
)

# --- the print is not what was read -------------------------------------------------------------------
case("two numbers side by side", "reading", r"x \in \mathbb R", "3 4 x = 12 x", d=r"3 \cdot 4 x = 12 x")
case(
    "an accent over a sum",
    "reading",
    AB + r", \quad \tilde a \in \mathbb R",
    r"\tilde{a + 7} = \tilde a",
    d=r"\tilde a + 7 = 7 + \tilde a",
)
case(
    "a mean of squares",
    "reading",
    r"x, \overline{x} \in \mathbb R",
    r"2 \overline{x^2} - \overline{x} = \overline{x}",
    d=r"2 \overline{x} - \overline{x} = \overline{x}",
)
case("a function as a product", "reading", FUNCTION, "f(a + b) = f(a) + f(b)", d="f(a + b) + f(a) = f(a) + f(b + a)")
case("a slope of a number", "reading", r"x, f \in \mathbb R", r"\frac{d f}{d x} = 0", d="f x = x f")
case("a product rule for numbers", "reading", r"x, f, g \in \mathbb R", r"\frac{d}{d x} (f g + x) = f \frac{d g}{d x} + 1",
     s=r"f, g : \mathbb R \to \mathbb R, x \in \mathbb R", d=r"\frac{d}{d x} (f(x) g(x)) = f'(x) g(x) + f(x) g'(x)")  # fmt: skip
case(
    "d is a dimension",
    "reading",
    r"d \in \mathbb N, x, f \in \mathbb R",
    r"\frac{d f}{d x} = \frac{f}{x}",
    s=r"d \in \mathbb N, x, f \in \mathbb R, x \ne 0",
    d=r"\frac{d \cdot f}{x \cdot d} = \frac{f}{x}",
)
case(
    "a note under a brace",
    "reading",
    AB,
    r"(a + b)^2 = \underbrace{a^2 + b^2}_{= 0} + 2 a b",
    d=r"(a + b)^2 = \underbrace{a^2 + b^2} + 2 a b",
)
case(
    "the others sum to twice the whole",
    "reading",
    r"i, j = 1, \dots, 3, \quad p_i > 0",
    r"\sum_{j \ne i} p_j = 2 \sum_{j=1}^{3} p_j",
    d=r"\sum_{j \ne i} p_j = \sum_{j=1}^{3} p_j - p_i",
)
case(
    "a cross product that commutes",
    "reading",
    r"u, v \in \mathbb R^3",
    r"u \times v = v \times u",
    d=r"u^\top v = v^\top u",
    c='ch.prove("eq-a")',
)
case(
    "a product of vectors",
    "reading",
    r"u, v \in \mathbb R^2",
    r"(u \cdot v)^2 = u^2 \cdot v^2",
    d=r"\langle u, v\rangle = \langle v, u\rangle",
)
case(
    "how far a logarithm reaches",
    "reading",
    "x > 0",
    r"\log (1 + x)(1 - x) = (1 - x) \log (1 + x)",
    d=r"\log(1 + x) \cdot (1 - x) = (1 - x) \log(1 + x)",
)
case(
    "a logarithm of a quotient",
    "reading",
    "p, q > 0",
    r"\log p / q = \frac{\log p}{q}",
    d=r"\log(p / q) = \log p - \log q",
)
case("a gap between statements", "reading", r"a \in \mathbb R", r"a^2 = a \;\;\; a = a a", d=r"a^2 = a a")
case("a wide space", "reading", r"a, b \in \mathbb R", r"a b = b \; a", d=r"a b = b \, a")
case(
    "how far d/dx reaches",
    "reading",
    r"x \in \mathbb R",
    r"\frac{d}{d x} x \cdot x = x",
    d=r"\frac{d}{d x} (x \cdot x) = 2 x",
)
case(
    "how far a product reaches",
    "reading",
    r"c \in \mathbb R, i = 1, \dots, 2, p_i > 0",
    r"\prod_{i=1}^{2} p_i \cdot c = p_1 p_2 c^2",
    d=r"\left(\prod_{i=1}^{2} p_i\right) c = p_1 p_2 c",
)
case(
    "congruent or equal",
    "reading",
    r"n \in \mathbb Z",
    r"(n + 1)^2 \equiv n^2 + 2 n + 1",
    d=r"(n + 1)^2 = n^2 + 2 n + 1",
)
case(
    "a power T",
    "reading",
    r"x, T \in \mathbb R^3",
    r"x^T x = x^{T + 1}",
    s=r"x \in \mathbb R^3",
    d=r"x^\top x = \|x\|^2",
)
case(
    "a power in another font", "reading", r"x \in \mathbb R^3", r"x^{\mathsf{T}} x = \|x\|^2", d=r"x^{\top} x = \|x\|^2"
)
case(
    "a matrix above zero",
    "reading",
    r"n \in \mathbb N, A \in \mathbb R^{n \times n}",
    "A > 0",
    Z3,
    d=r"A + A = 2 A",
    c='ch.prove("eq-a", by="words")',
)
case("an iterate or a power", "reading", FUNCTION, r"f^2(x) = f(x) \cdot f(x)", d=r"(f(x))^2 = f(x) \cdot f(x)")
case("words in a display", "reading", r"x > 0", r"\sqrt{x^2} = x, \quad \text{for all } x", d=r"\sqrt{x^2} = x")
case(
    "a column lost",
    "reading",
    AB,
    "\\begin{aligned}\na + b &= b + a \\\\\na &= a + 1\n\\end{aligned}",
    d="\\begin{aligned}\na + b &= b + a \\\\\na b &= b a\n\\end{aligned}",
)
case(
    "bars",
    "reading",
    r"a, b, c \in \mathbb R",
    "|a|b|c| = |a c| b",
    d=r"\left|a\right| \left|c\right| = \left|a c\right|",
)
case(
    "cases",
    "reading",
    r"x \in \mathbb R",
    r"|x| = \begin{cases} x & x > 0 \\ x & x < 0 \end{cases}",
    d=r"|x| = \max(x, -x)",
    c=Z3,
)
case("a chain of slashes", "reading", "a, b, c > 0", r"a / b c = \frac{a c}{b}", d=r"a / (b c) = \frac{a}{c b}")
case("two slashes", "reading", "a, b, c > 0", r"a / b / c = \frac{a c}{b}", d=r"(a / b) / c = \frac{a}{b c}")
case("plus or minus", "reading", AB, r"(a \pm b)^2 = a^2 + 2 a b + b^2", d="(a - b)^2 = a^2 - 2 a b + b^2")
case(
    "a 5 in a transpose",
    "reading",
    r"n \in \mathbb N, A \in \mathbb R^{n \times n}",
    r"A^{\top 5} = A^\top",
    'ch.prove("eq-a", by="words")',
    d=r"(A^\top)^\top = A",
)
case("a row in brackets", "reading", r"x, y \in \mathbb R", "x + y = y \\\\ [x]", d="x + y = y \\\\ {} + x")
case(
    "a bound without its start",
    "reading",
    r"i, j = 1, \dots, 3, \quad p_i > 0",
    r"\sum_{j \ne i}^{7} p_j = \sum_{j} p_j - p_i",
    d=r"\sum_{j \ne i} p_j = \sum_{j} p_j - p_i",
)
case(
    "an index used twice",
    "reading",
    r"n \in \mathbb N, i, j = 1, \dots, n, a_i \in \mathbb R",
    r"\sum_{i=1}^{n} \sum_{i=1}^{n} a_i = n \sum_{i=1}^{n} a_i",
    d=r"\sum_{j=1}^{n} \sum_{i=1}^{n} a_i = n \sum_{i=1}^{n} a_i",
)
case("a mixed number", "reading", r"x \in \mathbb R", r"2 \frac{1}{2} x = x", d=r"2 \cdot \frac{1}{2} x = x")
case(
    "a font without braces",
    "reading",
    r"n_{\mathrm{in}} \in \mathbb R",
    r"2 n_\mathrm{in} = n_\mathrm{in} + n_\mathrm{in}",
    d=r"2 n_{\mathrm{in}} = n_{\mathrm{in}} + n_{\mathrm{in}}",
)
case("an index after the power", "reading", r"x_1 \in \mathbb R", r"x^2_1 = x_1 x_1", d=r"x_1^2 = x_1 x_1")
case(
    "a word as a factor",
    "reading",
    r"P, x \in \mathbb R",
    r"\operatorname{Perp}(P) x = x \operatorname{Perp}(P)",
    d="P x = x P",
)
case("a plus before nothing", "reading", r"x \in \mathbb R", "2 x = + x + x", d="2 x = x + x")

# --- definitions ------------------------------------------------------------------------------------
case("pi is three", "definition", r"x \in \mathbb R", r"\pi = 3", 'ch.define("eq-a")', d=r"x + \pi = \pi + x", c=PROVE)
case(
    "defined by itself", "definition", r"x \in \mathbb R", "H = H + 1", 'ch.define("eq-a")', d="x + 1 = 1 + x", c=PROVE
)
case("nobody uses it", "definition", r"x \in \mathbb R", "H = x + 1", 'ch.define("eq-a")', d="x + 1 = 1 + x", c=PROVE)

# --- SymPy's integrals, limits and sums ----------------------------------------------------------------
case(
    "an integral over a pole",
    "analysis",
    "",
    r"\int_{-1}^{2} \frac{1}{x^2} \, dx = -\frac{3}{2}",
    d=r"\int_{1}^{2} \frac{1}{x^2} \, dx = \frac{1}{2}",
)
case(
    "a branch that jumps",
    "analysis",
    "",
    r"\int_0^\pi \arctan(\tan x) \, dx = -\frac{\pi^2}{2}",
    d=r"\int_0^1 \arctan(\tan x) \, dx = \frac{1}{2}",
    c='ch.argue("eq-a", rests=["eq-a"])',
)
case(
    "a divergent integral",
    "analysis",
    "",
    r"\int_0^{3 \pi / 2} \frac{x}{1 + \cos x} \, dx = -\frac{3 \pi}{2} - \log 2",
    d=r"\int_0^{\pi / 2} \cos x \, dx = 1",
)
case(
    "an integral for all a",
    "analysis",
    r"a, x \in \mathbb R",
    r"\int_0^1 \frac{1}{x + a} \, dx = \log(a + 1) - \log a",
    s=r"a > 0, x \in \mathbb R",
)
case(
    "a limit along whole numbers",
    "analysis",
    "",
    r"\lim_{x \to \infty} \sin(\pi x) = 0",
    'ch.prove("eq-a", {"x": sp.Symbol("x", integer=True)})',
    d=r"\lim_{x \to \infty} \frac{1}{x} = 0",
    c=PROVE,
)
case(
    "a geometric series everywhere",
    "analysis",
    r"x \in \mathbb R",
    r"\sum_{i=0}^{\infty} x^i = \frac{1}{1 - x}",
    'ch.argue("eq-a", rests=["eq-s"], cases=12)',
    s=r"x \in (-1, 1)",
)
case(
    "a sum of any sequence",
    "analysis",
    r"a : \mathbb R \to \mathbb R, x \in \mathbb R",
    r"\sum_{i=1}^{\infty} a(i) - \sum_{i=1}^{\infty} a(i) = 0 x",
    d=r"a(x) - a(x) = 0 x",
)
case(
    "an empty sum below",
    "analysis",
    FAMILY.replace("p_i", "a_i"),
    r"\frac{\sum_{i=2}^{n} a_i}{\sum_{j=2}^{n} a_j} = 1",
    d=r"\frac{\sum_{i=1}^{n} a_i}{\sum_{j=1}^{n} a_j} = 1",
)
case(
    "true for small sizes",
    "analysis",
    FAMILY.replace("p_i", "a_i"),
    r"(n - 2)(n - 3)(n - 4) \sum_{i=1}^{n} a_i = 0",
    d=r"(n - 2) \sum_{i=1}^{n} a_i = n \sum_{i=1}^{n} a_i - 2 \sum_{i=1}^{n} a_i",
)
case("a negative number of terms", "analysis", r"n \in \mathbb Z", r"\sum_{i=1}^{n} 1 = n", s=r"n \in \mathbb N")
case("a harmonic function", "analysis", r"x, y, f \in \mathbb R", r"\frac{\partial^2 f}{\partial x^2} + \frac{\partial^2 f}{\partial y^2} = 0",
     s=r"x, y \in \mathbb R", d=r"\frac{\partial^2}{\partial x^2} (x^2 - y^2) + \frac{\partial^2}{\partial y^2} (x^2 - y^2) = 0")  # fmt: skip
case(
    "the gradient at an optimum",
    "analysis",
    r"L, w, \lambda \in \mathbb R",
    r"\frac{\partial L}{\partial w} + \lambda w = \lambda w",
    d=r"\frac{\partial}{\partial w} (\lambda w) = \lambda",
)
case(
    "an order elsewhere",
    "analysis",
    r"x > 0",
    r"\log x = x + \mathcal{O}(x^2)",
    'ch.prove("eq-a", order=(ch.symbols("x"), 1))',
    d=r"\log x = x - 1 + \mathcal{O}((x - 1)^2)",
)
case(
    "an order that is not sharp",
    "analysis",
    r"x \in \mathbb R",
    r"\sin x = x + \mathcal{O}(x^2)",
    'ch.prove("eq-a", order=(ch.symbols("x"), 0))',
    d=r"\sin x = x + \mathcal{O}(x^3)",
)
case(
    "an order from one side",
    "analysis",
    r"x \in \mathbb R",
    r"|x| + x^2 = x + \mathcal{O}(x^2)",
    'ch.prove("eq-a", order=(ch.symbols("x"), 0))',
    s="x > 0",
    d=r"x + x^2 = x + \mathcal{O}(x^2)",
)

# --- sampled ------------------------------------------------------------------------------------------
case(
    "a constant draw",
    "sampled",
    XY,
    "y = x^2",
    'ch.sample("eq-a", lambda z: {"x": 2.0, "y": 4.0}, size=2)',
    d="(x + y)^2 = x^2 + 2 x y + y^2",
    c=SAMPLE,
)
case("a side computed in the draw", "sampled", r"i = 1, \dots, 3, p_i > 0, \sum_{i=1}^3 p_i = 1, H \in \mathbb R", "H = p_1 + p_2^2",
     'ch.sample("eq-a", lambda z: (lambda p: {"p": p, "H": p[0] + p[1] ** 2})(np.exp(z) / np.exp(z).sum()), size=3)', d="p_1 + p_2 = 1 - p_3", c=SAMPLE)  # fmt: skip
case(
    "a loose rounding",
    "sampled",
    r"x \in [-1, 1]",
    r"\sin x = x",
    'ch.sample("eq-a", rtol=0.3)',
    d=r"\sin x \approx x",
    c='ch.sample("eq-a", near=0.2)',
)
case(
    "a narrow region",
    "sampled",
    r"x \in \mathbb R",
    r"x^2 \le x",
    'ch.sample("eq-a", lambda z: {"x": float(1 / (1 + np.exp(-z[0])))}, size=1)',
    s=r"x \in [0, 1]",
    c='ch.sample("eq-a", n=100, pins=[({"x": 3}, (9, 3))])',
)
case(
    "a tolerance larger than the sides",
    "sampled",
    r"x \in [-1, 1]",
    r"10 x \approx x",
    'ch.sample("eq-a", near=10)',
    d=r"\sin x \approx x",
    c='ch.sample("eq-a", near=0.2)',
)
case(
    "a divergent integral below a bound",
    "sampled",
    r"u > 0, x \in \mathbb R",
    r"\int_1^\infty \frac{u}{x} \, dx \le 100 u",
    'ch.sample("eq-a", n=12)',
    d=r"\int_1^\infty \frac{u}{x^2} \, dx \le 2 u",
    c='ch.sample("eq-a", n=12, attack=False, pins=[({"u": 3}, (3, 6))])',
)
case("a spike that quadrature misses", "sampled", r"u \in (0.29, 0.31), x \in \mathbb R", r"\int_0^1 1000 \exp\left(-10^{8} (x - u)^2\right) \, dx \le \frac{1}{100}", 'ch.sample("eq-a", n=12, attack=False)',
     d=r"\int_0^1 u \, dx = u", c='ch.sample("eq-a", n=12)')  # fmt: skip
case(
    "zeros drawn",
    "sampled",
    r"u, v \in \mathbb R",
    "u = v",
    'ch.sample("eq-a", lambda z: {"u": 0 * z[0], "v": 0 * z[0]}, size=2)',
    d="u + v = v + u",
    c=SAMPLE,
)
case(
    "an infinite side",
    "sampled",
    r"v \in [0, 1]",
    r"-\log v \le \log 2",
    'ch.sample("eq-a")',
    s=r"v \in [\frac{1}{2}, 1]",
    c=SAMPLE,
)
case(
    "an overflow",
    "sampled",
    r"v \ge 0",
    r"\exp(v) \le 1 + 2 v",
    SAMPLE,
    d=r"\exp(v) \ge 1 + v",
    c='ch.sample("eq-a", n=100, pins=[({"v": 2}, (sp.exp(2), 3))])',
)
case(
    "two values only",
    "sampled",
    r"p \in [0, 1]",
    r"p (1 - p) = 0 \cdot p",
    'ch.sample("eq-a", lambda z: {"p": float(z[0] > 0)}, size=1)',
    d=r"p (1 - p) \ge 0",
    c='ch.sample("eq-a", n=100, pins=[({"p": sp.Rational(1, 4)}, (sp.Rational(3, 16), 0)), ({"p": 3}, (-6, 0))])',
)
case(
    "few cases",
    "sampled",
    r"x \in \mathbb R",
    r"x^2 > \frac{1}{1000}",
    'ch.sample("eq-a", n=20)',
    d=r"x^2 \ge 0",
    c=SAMPLE,
)
case(
    "equal only where both are infinite",
    "sampled",
    r"u \in \mathbb R",
    r"\frac{1}{u} = \frac{2}{u}",
    SAMPLE,
    s=r"u \in \mathbb R, u \ne 0",
    d=r"\frac{2}{u} = \frac{1}{u} + \frac{1}{u}",
)
case("an opposite sign", "sampled", XY, r"|x + y| = |x| + |y|", SAMPLE, s=r"x, y \ge 0")

# --- refuted -----------------------------------------------------------------------------------------
case(
    "refuted outside its setting",
    "refuted",
    "x > 0",
    r"\sqrt{x^2} = x",
    'ch.refute("eq-a", {"x": -3}, sides=(3, -3))',
    s=r"x \in \mathbb R",
)
case("refuted by what is no distribution", "refuted", r"i = 1, \dots, 4, p_i > 0, \sum_{i=1}^4 p_i = 1", r"-\sum_i p_i \log p_i \le \log 2",
     'ch.refute("eq-a", {"p": Vec([sp.Rational(1, 5)] * 4)}, sides=(sp.Rational(4, 5) * sp.log(5), sp.log(2)))',
     c='ch.refute("eq-a", {"p": Vec([sp.Rational(1, 4)] * 4)}, sides=(sp.log(4), sp.log(2)))')  # fmt: skip
case("refuted by a short range", "refuted", r"i = 1, \dots, 3, p_i > 0, \sum_{i=1}^3 p_i = 1", r"\sum_i p_i = 1", 't = sp.Rational(1, 3); ch.refute("eq-a", {"p": Vec([t] * 3), "i": range(1, 3)}, sides=(2 * t, 1))',
     d=r"\sum_i p_i^2 = 1", c='t = sp.Rational(1, 3); ch.refute("eq-a", {"p": Vec([t] * 3)}, sides=(t, 1))')  # fmt: skip
case("refuted by letters for whole formulas", "refuted", r"X, Y \in \mathbb R", r"\mathbb{E}[X + Y] = \mathbb{E}[X] + \mathbb{E}[Y]",
     r'ch.refute("eq-a", {r"\mathbb{E}[X + Y]": 5, r"\mathbb{E}[X]": 1, r"\mathbb{E}[Y]": 2}, sides=(5, 3))', d="X Y = X + Y", c='ch.refute("eq-a", {"X": 5, "Y": 3}, sides=(15, 8))')  # fmt: skip
case(
    "refuted and proved",
    "refuted",
    "x > 0",
    r"\sqrt{x^2} = x",
    'ch.prove("eq-a"); ch.refute("eq-a", {"x": 3}, sides=(3, 3))',
    c=PROVE,
)
case(
    "refuted by a wrong side",
    "refuted",
    r"x \in \mathbb R",
    r"x^2 = x",
    'ch.refute("eq-a", {"x": 3}, sides=(8, 3))',
    c='ch.refute("eq-a", {"x": 3}, sides=(9, 3))',
)

# --- assumptions and parts ----------------------------------------------------------------------------
case(
    "an implication by parts",
    "hypothesis",
    r"x \in \mathbb R",
    r"x > 1 \implies x > 0",
    'ch.prove("eq-a", by="z3", part=1)',
    c='ch.prove("eq-a", by="z3", pins=[({"x": 2}, (2, 1, 2, 0))])',
)
case(
    "a setting that nothing satisfies",
    "hypothesis",
    r"a, b \in \mathbb R, \quad a > b, \quad b > a",
    "a^2 > a + 7",
    Z3,
    s=r"a, b \in \mathbb R, \quad a > b",
    d="a - b > 0",
    c='ch.prove("eq-a", by="z3", pins=[({"a": 3, "b": 1}, (2, 0))])',
)

# --- empty -------------------------------------------------------------------------------------------
case(
    "both sides the same",
    "empty",
    r"L : \mathbb R \to \mathbb R, x \in \mathbb R",
    "L(x) = L(x)",
    d="L(x) + x = x + L(x)",
)
case(
    "slopes of a number",
    "empty",
    r"L, w, b \in \mathbb R",
    r"\frac{\partial L}{\partial w} = \frac{\partial L}{\partial b}",
    d="2 w = w + w",
)
case("far below", "empty", XY, r"x^2 + y^2 \ge -1000", Z3, d=r"x^2 + y^2 \ge 2 x y", c=Z3)

# --- proofs by interval and z3 --------------------------------------------------------------------------
case(
    "a division by zero",
    "solver",
    XY,
    r"\frac{x}{y} y \le x + y^2 - 1",
    Z3,
    s=r"x \in \mathbb R, y > 0",
    d=r"\frac{x}{y} y \le x + y^2",
    c='ch.prove("eq-a", by="z3", pins=[({"x": 2, "y": 3}, (2, 11))])',
)
case(
    "a logarithm below zero",
    "solver",
    r"x \in [-1, 1]",
    r"\log x \le x",
    'ch.prove("eq-a", by="interval")',
    s=r"x \in [1, 2]",
    c='ch.prove("eq-a", by="interval", pins=[({"x": 2}, (sp.log(2), 2))])',
)
case(
    "a pole inside the box",
    "solver",
    r"x \in [-1, 1]",
    r"\frac{1}{x} \le 1000 + x^2",
    'ch.prove("eq-a", by="interval")',
    s=r"x \in [1, 2]",
    d=r"\frac{1}{x} \le x^2 + \frac{1}{10}",
    c='ch.prove("eq-a", by="interval", pins=[({"x": 3}, (sp.Rational(1, 3), sp.Rational(91, 10)))])',
)
case(
    "a tangent over its pole",
    "solver",
    r"x \in [0, 3]",
    r"\tan x \ge -100",
    'ch.prove("eq-a", by="interval")',
    s=r"x \in [0, 1]",
    d=r"\tan x \ge x - 1",
    c='ch.prove("eq-a", by="interval", pins=[({"x": sp.pi / 3}, (sp.sqrt(3), sp.pi / 3 - 1))])',
)
case("a trace of an exponential", "solver", r"n \in \mathbb N, A \in \mathbb R^{n \times n}, i = 1, \dots, n", r"\operatorname{tr}(\exp(A)) = \sum_i \exp(A_{i,i})", 'ch.argue("eq-a", rests=["eq-s"])',
     d=r"\operatorname{tr}(A) = \sum_i A_{i,i}")  # fmt: skip
