"""Names with accents, indices and stars; what stands behind a function."""

from __future__ import annotations

from .cursor import Cursor, Names
from .tokens import GrammarError, join
from .tree import FUNCTIONS, Node, base, latex, sym

GREEK = set(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar infty "
    "nabla".split()
)
ACCENTS = set("tilde hat bar vec dot ddot check breve overline widetilde widehat underline".split())
FONTS = set(
    "mathbf mathrm mathcal mathbb mathsf mathit mathfrak boldsymbol bm text operatorname textrm texttt mathtt".split()
)
NAMED = {"ln": "log", "trace": "tr", "Tr": "tr", "sgn": "sign"}
STARS = {"*", r"\ast", r"\star", r"\dagger"}
PRODUCTS = (r"\cdot", r"\times", "*")
OPENING = {"(": ")", "[": "]", r"\{": r"\}"}
LABELS = {r"\text", r"\mathrm", r"\textrm", r"\star", r"\ast", "*", r"\top", "+", "-", r"\infty", r"\|", r"\perp"}


class NameReader(Cursor):
    def name(self) -> Node:
        if self.peek() in (r"\mathcal", "O") and self.is_order():
            return self.order()
        node = self.symbol()
        plain = base(node)
        inner = (
            plain[plain.index("{") + 1 : -1] if plain.startswith((r"\operatorname{", r"\mathrm{", r"\text{")) else ""
        )
        inner = NAMED.get(inner, inner)
        known = {latex(node), plain, plain.rstrip("'")} & self.names.functions
        if self.peek() in OPENING and not known and inner not in FUNCTIONS:
            self.no_application(node, plain)
        if inner in FUNCTIONS and not known:
            return self.function(inner)
        if known:
            if self.peek() in OPENING:
                close = OPENING[self.take()]
                return Node("call", (node, *self.arguments(close)))
            if self.peek() == "^" and self.function_power_ahead():
                raise self.error(f"{latex(node)}^n(x) may be a power or an iterate; write ({latex(node)}(x))^n")
        return node

    def no_application(self, node: Node, plain: str) -> None:
        """A name before a parenthesis is a factor, unless it looks like a function that nobody declared."""
        shown = latex(node)
        word = plain.startswith((r"\operatorname{", r"\text{", r"\mathbb{")) or (
            plain.startswith(r"\mathrm{") and len(plain) > len(r"\mathrm{x}")
        )
        if word and shown not in self.names.bound:
            raise self.error(f"{shown} before a parenthesis is a function: declare it in a setting, or define it")
        if shown in self.names.plain:
            raise self.error(f"{shown} is defined without an argument; write {shown} \\cdot (…) for a product")

    def function_power_ahead(self) -> bool:
        save = self.k
        self.take()
        self.group()
        ahead = self.peek() in OPENING
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
                if not inside or any(x.startswith("\\") or x in "{}^_" for x in inside):
                    raise self.error(f"{t}{{…}} holds letters, digits and signs")
                return f"{t}{{{''.join(inside)}}}"
            if word in ACCENTS:
                toks = self.group()
                under = self.inner(toks, Names())
                name = under.symbol()
                if under.peek():
                    raise self.error(f"{t} stands over one letter; give the whole a name of its own")
                return f"{t}{{{latex(name)}}}"
        self.k -= 1
        raise self.error(f"{t or 'the end'!r} is not in the dialect here")

    def subscript(self, toks: list[str]) -> tuple[Node, ...]:
        """Indices when the subscript reads as indices, else one raw label."""
        if toks and toks[0] in LABELS:
            return (Node("raw", (), join(toks)),)
        inner = self.inner(toks, Names())
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

    def function_ahead(self, steps: int) -> bool:
        t = self.peek(steps)
        return t[:1] == "\\" and (NAMED.get(t[1:], t[1:]) in FUNCTIONS or t in (r"\sum", r"\prod", r"\int"))

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
        parenthesised = self.peek() in OPENING
        if parenthesised:
            args = self.arguments(OPENING[self.take()])
        elif self.peek() == "{":
            args = (self.within(self.group()),)
        else:
            args = (self.factor(),)
            if self.peek() == "/" or (self.peek() in PRODUCTS and not self.function_ahead(1)):
                raise self.error(f"how far \\{name} reaches is not clear; write \\{name}(...)")
            if self.starts_factor() and not self.function_ahead(0):
                raise self.error(f"how far \\{name} reaches is not clear; write \\{name}(...)")
        if parenthesised and len(args) == 1 and self.peek() in OPENING:
            raise self.error(f"\\{name}(…)(…) has two readings; write \\{name}(…) \\cdot (…)")
        if parenthesised and len(args) == 1 and self.peek() in ("^", "!"):
            after = self.peek()
            two = f"(\\{name}(…)){after} or \\{name}((…){after})"
            raise self.error(f"\\{name}(…){after} has two readings; write {two}")
        node = Node("func", args, name)
        if below is not None:
            if name != "log" or len(args) != 1:
                raise self.error(f"\\{name} takes no subscript")
            node = Node("func", (*args, below), "log")
        return node if power is None else Node("pow", (node, power))
