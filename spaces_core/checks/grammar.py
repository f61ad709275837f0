"""The book's dialect of LaTeX: recursive descent over tokens, no guessing."""

from __future__ import annotations

from .heads import BIG_TOKENS, HEADS, HeadReader
from .names import ACCENTS, FONTS, GREEK, NAMED, OPENING
from .tree import FUNCTIONS, Node, num

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
}
ARROWS = {
    r"\implies": "implies",
    r"\Rightarrow": "implies",
    r"\Longrightarrow": "implies",
    r"\iff": "iff",
    r"\Leftrightarrow": "iff",
    r"\Longleftrightarrow": "iff",
}


class Parser(HeadReader):
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
        return self.whole(statements[0] if len(statements) == 1 else Node("all", tuple(statements)))

    def longer(self, node: Node) -> Node:
        """A row that starts with + or − goes on with the last side."""
        rels = list(node.args) if node.op == "chain" else [node]
        last = rels[-1]
        more = Node("add", tuple(self.terms([])))
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
        if self.peek() == "+":
            raise self.error("a plus sign with nothing before it")
        terms = self.terms([self.signed()])
        return terms[0] if len(terms) == 1 else Node("add", tuple(terms))

    def terms(self, before: list[Node]) -> list[Node]:
        while self.peek() in ("+", "-"):
            before.append(self.signed())
        return before

    def signed(self) -> Node:
        if self.peek() == "+":
            self.take()
            return self.term()
        if self.peek() == "-":
            self.take()
            return Node("neg", (self.term(),))
        return self.term()

    def term(self) -> Node:
        bars = self.peek() == "|"
        factors, crossed = [self.factor()], False
        while True:
            token = self.peek()
            if token in (r"\cdot", r"\times", "*"):
                self.take()
                factors.append(self.factor())
                crossed = crossed or token == r"\times"
            elif token == "/":
                self.take()
                below = self.factor()
                if self.starts_factor() or self.peek() in ("/", r"\cdot", r"\times", "*"):
                    raise self.error("a/b c has two readings; write \\frac{a}{b} c or a/(b c)")
                factors[-1] = Node("frac", (factors[-1], below))
            elif self.starts_factor():
                if token[0].isdigit() or token[0] == ".":
                    raise self.error(f"{token} stands after another factor; write \\cdot before it")
                if token == "|" and bars:
                    raise self.error("which bars belong together is not clear; write \\left| … \\right|")
                bars = bars or token == "|"
                factors.append(self.factor())
                if factors[-2].op == "num" and factors[-1].op == "frac" and factors[-1].args[0].op == "num":
                    raise self.error("a number and a fraction side by side: a sum or a product? write + or \\cdot")
            elif crossed:
                return Node("mul", tuple(factors), "times")
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
        if t in ("(", "[", "{", "|(", "||(", "EVAL(", "MATRIX(", r"\langle", r"\lfloor", r"\lceil", r"\{", "DIFF"):
            return True
        if t[0].isalnum() or t[0] == ".":
            return t not in ("NEXT", "EVAL|", "MATRIX)")
        return t[0] == "\\" and (
            t[1:] in GREEK | ACCENTS | FONTS or t in BIG_TOKENS or t[1:] in FUNCTIONS or t in HEADS
        )

    def factor(self) -> Node:
        node = self.primary()
        while True:
            t = self.peek()
            if t == "^":
                self.take()
                if self.t[self.k : self.k + 3] == ["{", r"\top", "}"] or self.peek() in (r"\top", r"\intercal"):
                    self.group()
                    node = Node("transpose", (node,))
                else:
                    toks = self.group()
                    if toks in (["T"], *([font, "{", "T", "}"] for font in (r"\mathsf", r"\mathrm", r"\mathbf"))):
                        if toks != ["T"] or "T" not in self.names.bound:
                            raise self.error("write ^{\\top} for a transpose; a power T is declared in a setting")
                    if toks == ["-", r"\top"]:
                        node = Node("transpose", (Node("pow", (node, Node("neg", (num(1),)))),))
                    else:
                        node = Node("pow", (node, self.within(toks)))
                if self.peek() == "^":
                    raise self.error("a double exponent; use braces or parentheses")
                if self.peek() == "_":
                    raise self.error("write the index before the power: x_i^2")
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
        inner = self.inner(self.group())
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
        if t in OPENING:
            self.take()
            return self.closing(OPENING[t])
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
        if t == "MATRIX(":
            return self.matrix()
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
                raise self.error("a note at a brace is printed and not read; say it in words")
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

    def matrix(self) -> Node:
        self.take()
        rows: list[list[Node]] = [[self.expr()]]
        while self.peek() in ("&", r"\\"):
            if self.take() == "&":
                rows[-1].append(self.expr())
            else:
                rows.append([self.expr()])
        self.take("MATRIX)")
        if len({len(r) for r in rows}) != 1:
            raise self.error("the rows of a matrix have one length")
        return Node("matrix", tuple(x for r in rows for x in r), str(len(rows)))

    def atom(self) -> Node | None:
        for toks, text in self.names.atoms:
            if tuple(self.t[self.k : self.k + len(toks)]) == toks:
                self.k += len(toks)
                return Node("atom", (), text)
        return None
