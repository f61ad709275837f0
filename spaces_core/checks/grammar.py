"""The book's dialect of LaTeX: recursive descent over tokens, no guessing."""

from __future__ import annotations

from dataclasses import dataclass

from .tokens import GrammarError, join, strip, tokens
from .tree import FUNCTIONS, Node, base, indices, latex, num, sym

GREEK = set(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar infty "
    "nabla".split()
)
ACCENTS = set("tilde hat bar vec dot ddot check breve overline widetilde widehat underline".split())
FONTS = set(
    "mathbf mathrm mathcal mathbb mathsf mathit mathfrak boldsymbol bm text operatorname textrm texttt mathtt".split()
)
RELATION_TOKENS = {
    "=": "=",
    r"\le": "<=",
    r"\leq": "<=",
    r"\leqslant": "<=",
    r"\ge": ">=",
    r"\geq": ">=",
    r"\geqslant": ">=",
    "<": "<",
    ">": ">",
    r"\lt": "<",
    r"\gt": ">",
    r"\ne": "!=",
    r"\neq": "!=",
    r"\approx": "~",
    r"\coloneqq": "=",
    r"\equiv": "=",
}
ARROWS = {
    r"\implies": "implies",
    r"\Rightarrow": "implies",
    r"\Longrightarrow": "implies",
    r"\iff": "iff",
    r"\Leftrightarrow": "iff",
    r"\Longleftrightarrow": "iff",
}
BIG_TOKENS = {r"\sum": "sum", r"\prod": "prod", r"\max": "bigmax", r"\min": "bigmin"}
NAMED = {"ln": "log", "operatorname*": "operatorname", "trace": "tr", "Tr": "tr", "sgn": "sign"}
STARS = {"*", r"\ast", r"\star", r"\dagger"}


@dataclass(frozen=True)
class Names:
    """What the parser must know of the bindings: the functions, the bound names, the sub-formulas bound whole."""

    functions: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    atoms: tuple[tuple[tuple[str, ...], str], ...] = ()


def parse(text: str, names: Names = Names()) -> Node:
    """The tree of a display.

    Args:
        text: the LaTeX between the dollar signs.
        names: the functions, bound names and atoms (see `Names`).

    Returns:
        a `rel`, `chain`, `implies`, `iff` or `all` node; a bare expression if there is no relation.

    Raises:
        GrammarError: outside the dialect or ambiguous.

    >>> latex(parse(r"a^2 - b^2 = (a-b)(a+b)"))
    'a^{2} - b^{2} = \\\\left(a - b\\\\right) \\\\cdot \\\\left(a + b\\\\right)'
    """
    return _Parser(strip(tokens(text)), names).display()


def leading_name(text: str) -> tuple[Node | None, str]:
    """The symbol a formula starts with, and the token after it."""
    p = _Parser(strip(tokens(text)), Names())
    try:
        return p.symbol(), p.peek()
    except GrammarError:
        return None, ""


def parse_name(key: str) -> Node | None:
    """The symbol that a binding's key names, or None when the key is a whole sub-formula."""
    node, following = leading_name(key)
    return None if following else node


def atom_key(key: str) -> tuple[tuple[str, ...], str]:
    return tuple(strip(tokens(key))), key.strip()


class _Parser:
    def __init__(self, toks: list[str], names: Names):
        self.t, self.k, self.names, self.bars = toks, 0, names, []

    # --- reading -------------------------------------------------------------------------------
    def peek(self, ahead=0) -> str:
        return self.t[self.k + ahead] if self.k + ahead < len(self.t) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if expected is not None and token != expected:
            raise self.error(f"expected {expected!r}, found {token or 'the end'!r}")
        self.k += 1
        return token

    def error(self, message: str) -> GrammarError:
        around = " ".join(self.t[max(0, self.k - 6) : self.k]) + " ⟨here⟩ " + " ".join(self.t[self.k : self.k + 6])
        return GrammarError(f"{message} (at {around})")

    def group(self) -> list[str]:
        """The tokens of a braced argument, or the single token that stands for one."""
        if self.peek() != "{":
            token = self.take()
            if not token:
                raise self.error("an argument is missing")
            if token.isdigit() and len(token) > 1:
                raise self.error(f"put braces round {token}")
            return [token]
        depth, start = 0, self.k + 1
        while True:
            token = self.take()
            if not token:
                raise self.error("a brace is not closed")
            depth += {"{": 1, "}": -1}.get(token, 0)
            if depth == 0:
                return self.t[start : self.k - 1]

    def within(self, toks: list[str]) -> Node:
        inner = _Parser(toks, self.names)
        node = inner.expr()
        if inner.k != len(toks):
            raise inner.error("unexpected token")
        return node

    # --- statements ----------------------------------------------------------------------------
    def display(self) -> Node:
        statements = [self.statement()]
        while self.peek() in ("NEXT", r"\\"):
            token = self.take()
            if token == r"\\" and self.peek() in RELATION_TOKENS:
                statements[-1] = self.chain(statements[-1])
            elif token == r"\\" and self.peek() in ("+", "-") and statements[-1].op in ("rel", "chain"):
                statements[-1] = self.longer(statements[-1])
            else:
                if self.peek() == r"\\":
                    continue
                statements.append(self.statement())
        if self.peek():
            raise self.error(f"unexpected {self.peek()!r}")
        return statements[0] if len(statements) == 1 else Node("all", tuple(statements))

    def longer(self, node: Node) -> Node:
        """A row that starts with + or − goes on with the last side."""
        rels = list(node.args) if node.op == "chain" else [node]
        last = rels[-1]
        more = self.expr()
        terms = lambda n: n.args if n.op == "add" else (n,)  # noqa: E731
        side = Node("add", (*terms(last.args[1]), *terms(more)))
        rels[-1] = last.with_args((last.args[0], side))
        return self.chain(rels[0] if len(rels) == 1 else Node("chain", tuple(rels)))

    def statement(self) -> Node:
        left = self.chain()
        if self.peek() in ARROWS:
            op = ARROWS[self.take()]
            return Node(op, (left, self.chain()))
        return left

    def chain(self, start: Node | None = None) -> Node:
        rels: list[Node] = []
        if start is None:
            left = self.expr()
        elif start.op in ("rel", "chain"):
            rels = list(start.args) if start.op == "chain" else [start]
            left = rels[-1].args[1]
        else:
            left = start
        while self.peek() in RELATION_TOKENS or (self.peek() == ":" and self.peek(1) == "="):
            if self.peek() == ":":
                self.take()
            op = RELATION_TOKENS[self.take()]
            if self.peek() == r"\\":
                self.take()
            right = self.expr()
            rels.append(Node("rel", (left, right), op))
            left = right
        if not rels:
            return left
        return rels[0] if len(rels) == 1 else Node("chain", tuple(rels))

    # --- expressions ---------------------------------------------------------------------------
    def expr(self) -> Node:
        terms = [self.signed()]
        while self.peek() in ("+", "-"):
            terms.append(self.signed())
        return terms[0] if len(terms) == 1 else Node("add", tuple(terms))

    def signed(self) -> Node:
        if self.peek() == "+":
            self.take()
            return self.term()
        if self.peek() == "-":
            self.take()
            return Node("neg", (self.term(),))
        return self.term()

    def term(self) -> Node:
        factors = [self.factor()]
        while True:
            token = self.peek()
            if token in (r"\cdot", r"\times", "*"):
                self.take()
                factors.append(self.factor())
            elif token == "/":
                self.take()
                below = self.factor()
                if self.starts_factor():
                    raise self.error("a/b c is ambiguous; write \\frac{a}{b} c or a/(b c)")
                factors[-1] = Node("frac", (factors[-1], below))
            elif self.starts_factor():
                factors.append(self.factor())
            else:
                return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))

    def starts_factor(self) -> bool:
        t = self.peek()
        if not t or t in RELATION_TOKENS or t in ARROWS:
            return False
        if t == "|":
            return "|" not in self.bars[-1:]
        if t == r"\|":
            return r"\|" not in self.bars[-1:]
        if t in ("(", "[", "{", "|(", "||(", "EVAL(", r"\langle", r"\lfloor", r"\lceil", r"\{", "DIFF"):
            return True
        if t[0].isalnum() or t[0] == ".":
            return t not in ("NEXT", "EVAL|")
        return t[0] == "\\" and (
            t[1:] in GREEK | ACCENTS | FONTS or t in BIG_TOKENS or t[1:] in FUNCTIONS or t in _HEADS
        )

    def factor(self) -> Node:
        node = self.primary()
        while True:
            t = self.peek()
            if t == "^":
                self.take()
                if self.peek() == "{" and self.peek(1) == r"\top" or self.peek() in (r"\top", r"\intercal"):
                    self.group()
                    node = Node("transpose", (node,))
                else:
                    toks = self.group()
                    if toks == ["-", r"\top"]:
                        node = Node("transpose", (Node("pow", (node, Node("neg", (num(1),)))),))
                    else:
                        node = Node("pow", (node, self.within(toks)))
                if self.peek() == "^":
                    raise self.error("a double exponent; use braces or parentheses")
            elif t == "!":
                self.take()
                if node.op in ("fact", "pow") and self.t[self.k - 2] not in (")", "]", "|)"):
                    raise self.error("this factorial is ambiguous; use parentheses")
                node = Node("fact", (node,))
            elif t == "EVAL|":
                self.take()
                node = self.at(node)
            else:
                return node

    def at(self, node: Node) -> Node:
        self.take("_")
        inner = _Parser(self.group(), self.names)
        rel = inner.chain()
        if rel.op != "rel" or rel.data != "=" or rel.args[0].op != "sym":
            raise self.error("write f |_{x = value}")
        return Node("at", (node, *rel.args))

    def closing(self, close: str, bar: str = "") -> Node:
        self.bars.append(bar)
        node = self.expr()
        self.bars.pop()
        if self.peek() != close:
            raise self.error(f"expected {close!r}, found {self.peek() or 'the end'!r}")
        self.take()
        return node

    def arguments(self, close: str) -> tuple[Node, ...]:
        self.bars.append("")
        out = [self.expr()]
        while self.peek() in (",", ";"):
            self.take()
            out.append(self.expr())
        self.bars.pop()
        self.take(close)
        return tuple(out)

    def primary(self) -> Node:
        atom = self.atom()
        if atom is not None:
            return atom
        t = self.peek()
        if not t:
            raise self.error("the formula ends where a factor is expected")
        if t[0].isdigit() or (t[0] == "." and len(t) > 1):
            return num(self.take())
        if t in ("(", "[", r"\{"):
            self.take()
            return self.closing({"(": ")", "[": "]", r"\{": r"\}"}[t])
        if t == "{":
            return self.within(self.group())
        if t == "|" and self.peek(1) == "|":
            raise self.error("two bars: write \\|x\\| or \\lVert x\\rVert for a norm")
        if t in ("|", "|("):
            self.take()
            return Node("abs", (self.closing("|" if t == "|" else "|)", "|" if t == "|" else ""),))
        if t in (r"\|", "||("):
            self.take()
            node = self.closing(r"\|" if t == r"\|" else "||)", r"\|" if t == r"\|" else "")
            kind = ""
            if self.peek() == "_":
                self.take()
                kind = "".join(self.group())
            return Node("norm", (node,), kind)
        if t == r"\langle":
            self.take()
            a = self.expr()
            if self.take() not in (",", "|"):
                raise self.error("an inner product is \\langle a, b\\rangle")
            return Node("inner", (a, self.closing(r"\rangle")))
        if t in (r"\lfloor", r"\lceil"):
            self.take()
            return Node(
                "func",
                (self.closing(r"\rfloor" if t == r"\lfloor" else r"\rceil"),),
                "floor" if t == r"\lfloor" else "ceil",
            )
        if t == "EVAL(":
            self.take()
            self.bars.append("")
            body = self.expr()
            self.bars.pop()
            if self.take() not in ("|", "|)"):
                raise self.error("\\left. needs \\right|_{x = value}")
            return self.at(body)
        if t in (r"\frac", r"\dfrac", r"\tfrac"):
            return self.fraction()
        if t == r"\sqrt":
            return self.root()
        if t == r"\binom":
            self.take()
            return Node("binom", (self.within(self.group()), self.within(self.group())))
        if t in (r"\underbrace", r"\overbrace"):
            self.take()
            node = self.within(self.group())
            if self.peek() in ("_", "^"):
                self.take()
                self.group()
            return node
        if t in (r"\sum", r"\prod") or (t in (r"\max", r"\min") and self.peek(1) == "_"):
            return self.big()
        if t == r"\lim":
            return self.limit()
        if t == r"\int":
            return self.integral()
        if t[0] == "\\" and (t[1:] in FUNCTIONS or t == r"\ln"):
            self.take()
            return self.function(NAMED.get(t[1:], t[1:]))
        return self.name()

    def atom(self) -> Node | None:
        for toks, text in self.names.atoms:
            if tuple(self.t[self.k : self.k + len(toks)]) == toks:
                self.k += len(toks)
                return Node("atom", (), text)
        return None

    # --- names and calls -----------------------------------------------------------------------
    def name(self) -> Node:
        if self.peek() in (r"\mathcal", "O") and self.is_order():
            return self.order()
        node = self.symbol()
        plain = base(node)
        inner = (
            plain[plain.index("{") + 1 : -1] if plain.startswith((r"\operatorname{", r"\mathrm{", r"\text{")) else ""
        )
        inner = NAMED.get(inner, inner)
        known = {latex(node), base(node)} & self.names.functions
        if inner in FUNCTIONS and not known:
            return self.function(inner)
        if known:
            if self.peek() in ("(", "[", r"\{"):
                close = {"(": ")", "[": "]", r"\{": r"\}"}[self.take()]
                return Node("call", (node, *self.arguments(close)))
            if self.peek() == "^" and self.function_power_ahead():
                self.take()
                power = self.within(self.group())
                close = {"(": ")", "[": "]", r"\{": r"\}"}[self.take()]
                return Node("pow", (Node("call", (node, *self.arguments(close))), power))
        return node

    def function_power_ahead(self) -> bool:
        save = self.k
        self.take()
        self.group()
        ahead = self.peek() in ("(", "[", r"\{")
        self.k = save
        return ahead

    def is_order(self) -> bool:
        if self.peek() == "O":
            return self.peek(1) == "(" and "O" not in self.names.bound
        return self.t[self.k + 1 : self.k + 5] == ["{", "O", "}", "("]

    def order(self) -> Node:
        while self.take() != "(":
            pass
        return Node("order", (self.closing(")"),))

    def symbol(self) -> Node:
        """A name: accents and fonts, then primes, stars, subscripts and layer superscripts."""
        text = self.letter()
        sub: tuple[Node, ...] = ()
        sup: tuple[Node, ...] = ()
        while True:
            t = self.peek()
            if t == "'":
                text += self.take()
            elif t == "_" and not sub:
                self.take()
                sub = self.subscript(self.group())
            elif t == "^" and self.peek(1) in STARS:
                self.take()
                star = self.take()
                text += "^*" if star in ("*", r"\ast") else f"^{star}"
            elif t == "^" and self.peek(1) == "{" and self.peek(2) in STARS and self.peek(3) == "}":
                self.k += 2
                star = self.take()
                self.take("}")
                text += "^*" if star in ("*", r"\ast") else f"^{star}"
            elif t == "^" and self.peek(1) == "{" and self.peek(2) == "(" and not sup and self.layer_ahead():
                self.take()
                toks = self.group()
                sup = self.subscript(toks[1:-1])
            elif t == "^" and self.peek(1) in (r"\prime",):
                self.k += 2
                text += "'"
            else:
                return sym(text, sub, sup)

    def layer_ahead(self) -> bool:
        save = self.k
        self.take()
        toks = self.group()
        self.k = save
        depth = 0
        for i, t in enumerate(toks):
            depth += {"(": 1, ")": -1}.get(t, 0)
            if depth == 0:
                return i == len(toks) - 1
        return False

    def letter(self) -> str:
        t = self.take()
        if t.isalpha() and len(t) == 1:
            return t
        if t[:1] == "\\":
            word = t[1:]
            if word in GREEK:
                return t
            if word in FONTS:
                inside = self.group()
                return f"{t}{{{''.join(inside)}}}"
            if word in ACCENTS:
                toks = self.group()
                inner = _Parser(toks, Names()).symbol()
                return f"{t}{{{latex(inner)}}}"
        self.k -= 1
        raise self.error(f"{t or 'the end'!r} is not in the dialect here")

    def subscript(self, toks: list[str]) -> tuple[Node, ...]:
        """Indices when the subscript reads as indices, else one raw label."""
        if toks and toks[0] in (
            r"\text",
            r"\mathrm",
            r"\textrm",
            r"\star",
            r"\ast",
            "*",
            r"\top",
            "+",
            "-",
            r"\infty",
            r"\|",
            r"\perp",
        ):
            return (Node("raw", (), join(toks)),)
        inner = _Parser(toks, Names())
        try:
            out = [inner.expr()]
            while inner.peek() == ",":
                inner.take()
                out.append(inner.expr())
            if inner.peek():
                raise inner.error("raw")
        except GrammarError:
            return (Node("raw", (), join(toks)),)
        if (
            len(out) == 1
            and out[0].op == "mul"
            and len({f.op for f in out[0].args}) == 1
            and out[0].args[0].op == "sym"
        ):
            return out[0].args
        if len(out) == 1 and out[0].op == "num" and len(toks) == 1 and len(toks[0]) > 1 and "." not in toks[0]:
            return (out[0],)
        return tuple(out)

    def function(self, name: str) -> Node:
        power = below = None
        while self.peek() in ("^", "_"):
            which = self.take()
            toks = self.group()
            if which == "^":
                if toks[:1] == ["-"]:
                    raise self.error(f"\\{name}^{{-1}} is ambiguous; write the inverse function or a fraction")
                power = self.within(toks)
            else:
                below = self.within(toks)
        if self.peek() in ("(", "[", r"\{"):
            close = {"(": ")", "[": "]", r"\{": r"\}"}[self.take()]
            args = self.arguments(close)
        elif self.peek() == "{":
            args = (self.within(self.group()),)
        else:
            args = (self.factor(),)
            if self.starts_factor() and not (self.peek()[1:] in FUNCTIONS or self.peek() in BIG_TOKENS):
                raise self.error(f"\\{name} without parentheses takes one factor; write \\{name}(...)")
        node = Node("func", args, name)
        if below is not None:
            if name != "log":
                raise self.error(f"\\{name} takes no subscript")
            node = Node("frac", (node, Node("func", (below,), "log")))
        return node if power is None else Node("pow", (node, power))

    # --- heads ---------------------------------------------------------------------------------
    def differential(self, t: str) -> str:
        """'partial' or 'd' when the token is a differential sign, '' otherwise."""
        if t == r"\partial":
            return "partial"
        return "d" if t == "DIFF" or (t == "d" and "d" not in self.names.bound) else ""

    def fraction(self) -> Node:
        self.take()
        above, below = self.group(), self.group()
        kind = self.differential(below[0]) if below else ""
        if kind and above and self.differential(above[0]) == kind:
            found = self.derivative(kind, above, below)
            if found is not None:
                return found
        return Node("frac", (self.within(above), self.within(below)))

    def derivative(self, kind: str, above: list[str], below: list[str]) -> Node | None:
        down = _Parser(below, self.names)
        variables: list[tuple[Node, int]] = []
        try:
            while down.k < len(below):
                if not self.differential(down.take()):
                    return None
                var = down.symbol()
                order = 1
                if down.peek() == "^":
                    down.take()
                    order = int("".join(down.group()))
                variables.append((var, order))
        except (GrammarError, ValueError):
            return None
        up = _Parser(above, self.names)
        up.take()
        total = 1
        if up.peek() == "^":
            up.take()
            total = int("".join(up.group()))
        if total != sum(n for _, n in variables):
            raise self.error(
                f"the orders of the derivative differ: {total} above, {sum(n for _, n in variables)} below"
            )
        if up.peek():
            body = up.expr()
            if up.peek():
                raise up.error("unexpected token")
        else:
            body = self.factor()
            if self.starts_factor():
                raise self.error("d/dx f g is ambiguous; put parentheses round what is differentiated")
        for var, order in reversed(variables):
            body = Node("deriv", (var, body), (kind, order))
        return body

    def root(self) -> Node:
        self.take()
        index = num(2)
        if self.peek() == "[":
            self.take()
            close = self.t.index("]", self.k)
            index = self.within(self.t[self.k : close])
            self.k = close + 1
        return Node("root", (self.within(self.group()), index))

    def big(self) -> Node:
        op = BIG_TOKENS[self.take()]
        below = above = None
        while self.peek() in ("_", "^"):
            which = self.take()
            if which == "_":
                below = self.group()
            else:
                above = self.within(self.group())
        if below is None:
            raise self.error("a sum needs its index: \\sum_i or \\sum_{i=1}^{n}")
        inner = _Parser(below, self.names)
        first = [inner.symbol()] if below else []
        while inner.peek() == ",":
            inner.take()
            first.append(inner.symbol())
        body = self.term()
        names = tuple(latex(n) for n in first)
        if inner.k == len(below):
            if above is not None:
                return Node(op, (body, num(1), above), (names, "bounds"))
            return Node(op, (body,), (names, "range"))
        if inner.peek() == "=" and above is not None:
            inner.take()
            lower = inner.expr()
            if inner.peek():
                raise inner.error("unexpected token")
            return Node(op, (body, lower, above), (names, "bounds"))
        if inner.peek() == r"\in":
            raise self.error("write \\sum_i and bind the range of i")
        inner.k = 0
        condition = inner.chain()
        if inner.peek():
            raise inner.error("unexpected token")
        loops = tuple(sorted({latex(n) for n in _loop_names(condition)} & set(_condition_indices(condition))))
        return Node(op, (body, condition), (loops or names, "condition"))

    def limit(self) -> Node:
        self.take()
        self.take("_")
        toks = self.group()
        inner = _Parser(toks, self.names)
        var = inner.symbol()
        inner.take(r"\to")
        rest = toks[inner.k :]
        side = ""
        if rest[-2:-1] == ["^"] and rest[-1] in "+-":
            side, rest = rest[-1], rest[:-2]
        elif rest[-4:-2] == ["^", "{"] and rest[-2] in "+-":
            side, rest = rest[-2], rest[:-4]
        target = self.within(rest)
        return Node("lim", (var, target, self.term()), side)

    def integral(self) -> Node:
        self.take()
        lo = hi = None
        while self.peek() in ("_", "^"):
            which = self.take()
            value = self.within(self.group())
            lo, hi = (value, hi) if which == "_" else (lo, value)
        if lo is None or hi is None:
            raise self.error("an integral needs both bounds")
        depth, end = 0, None
        for j in range(self.k, len(self.t) - 1):
            depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(self.t[j], 0)
            if depth == 0 and self.differential(self.t[j]) == "d":
                end = j
                break
        if end is None:
            raise self.error("an integral needs its \\mathrm{d}x at the end")
        body = self.within(self.t[self.k : end])
        self.k = end + 1
        return Node("int", (self.symbol(), lo, hi, body))


_HEADS = {r"\frac", r"\dfrac", r"\tfrac", r"\sqrt", r"\binom", r"\underbrace", r"\overbrace", r"\lim", r"\int"}


def _loop_names(node: Node):
    """Plain single names in a summing condition such as i \\ne j or i < j."""
    for child in node.args:
        yield from _loop_names(child)
    if node.op == "sym" and not any(indices(node)):
        yield node


def _condition_indices(node: Node):
    if node.op in ("rel", "chain"):
        for child in node.args:
            yield from _condition_indices(child)
    elif node.op == "sym":
        yield latex(node)
