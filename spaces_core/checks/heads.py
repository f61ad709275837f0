"""Fractions, roots, sums, limits, integrals and derivatives."""

from __future__ import annotations

from .names import NameReader
from .tokens import GrammarError
from .tree import Node, indices, latex, num

BIG_NAMES = {"prod": "product", "bigmax": "maximum", "bigmin": "minimum"}
BIG_TOKENS = {r"\sum": "sum", r"\prod": "prod", r"\max": "bigmax", r"\min": "bigmin"}
HEADS = {r"\frac", r"\dfrac", r"\tfrac", r"\sqrt", r"\binom", r"\underbrace", r"\overbrace", r"\lim", r"\int"}


class HeadReader(NameReader):
    def differential(self, t: str) -> str:
        """'partial' or 'd' when the token is a differential sign, '' otherwise."""
        if t == r"\partial":
            return "partial"
        return "d" if t == "DIFF" or (t == "d" and "d" not in self.names.bound) else ""

    def fraction(self) -> Node:
        self.take()
        above, below = self.group(), self.group()
        if "d" in self.names.bound and above[:1] == below[:1] == ["d"]:
            raise self.error(
                "d is a number of this page, and the d of a differential; write \\mathrm{d} for the latter"
            )
        kind = self.differential(below[0]) if below else ""
        if kind and above and self.differential(above[0]) == kind:
            found = self.derivative(kind, above, below)
            if found is not None:
                return found
        return Node("frac", (self.within(above), self.within(below)))

    def derivative(self, kind: str, above: list[str], below: list[str]) -> Node | None:
        down = self.inner(below)
        variables: list[tuple[Node, int]] = []
        try:
            while down.k < len(below):
                if not self.differential(down.take()):
                    return None
                var = down.symbol()
                order = 1
                if down.peek() == "^":
                    down.take()
                    power = "".join(down.group())
                    if not power.isdigit():
                        return None
                    order = int(power)
                variables.append((var, order))
        except GrammarError:
            return None
        up = self.inner(above)
        up.take()
        total = 1
        if up.peek() == "^":
            up.take()
            power = "".join(up.group())
            if not power.isdigit():
                raise self.error("the order of a derivative is a number")
            total = int(power)
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
            if self.starts_factor() or self.peek() in (r"\cdot", r"\times", "*", "/"):
                raise self.error("how far d/dx reaches is not clear; put parentheses round what is differentiated")
        for k, (var, order) in reversed(list(enumerate(variables))):
            body = Node("deriv", (var, body), (kind, order, "with the one before" if k else ""))
        return body

    def root(self) -> Node:
        self.take()
        index = num(2)
        if self.peek() == "[":
            self.take()
            if "]" not in self.t[self.k :]:
                raise self.error("the index of a root is not closed")
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
        inner = self.inner(below)
        first = [inner.symbol()] if below else []
        while inner.peek() == ",":
            inner.take()
            first.append(inner.symbol())
        body = self.term()
        names = tuple(latex(n) for n in first)
        if op != "sum" and body.op == "mul" and not all(_contains(f, names) for f in body.args):
            raise self.error(f"which factors belong to the {BIG_NAMES[op]} is not clear; put parentheses round them")
        if inner.k == len(below):
            if above is not None:
                return Node(op, (body, num(1), above), (names, "bounds"))
            return Node(op, (body,), (names, "range"))
        if above is not None and inner.peek() != "=":
            raise self.error("an upper bound needs its lower one: \\sum_{i=1}^{n}")
        if inner.peek() == "=" and above is not None:
            inner.take()
            lower = inner.expr()
            if inner.peek():
                raise inner.error("unexpected token")
            return Node(op, (body, lower, above), (names, "bounds"))
        if inner.peek() == r"\in":
            raise self.error("write \\sum_i and state the range of i in a setting")
        inner.k = 0
        condition = inner.chain()
        if inner.peek():
            raise inner.error("unexpected token")
        loops = names
        if condition.op == "chain" or condition.data in ("<", "<=", ">", ">="):
            loops = tuple(sorted({latex(n) for n in _loop_names(condition)} & set(_condition_indices(condition))))
        return Node(op, (body, condition), (loops or names, "condition"))

    def limit(self) -> Node:
        self.take()
        self.take("_")
        toks = self.group()
        inner = self.inner(toks)
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


def _contains(node: Node, names: tuple[str, ...]) -> bool:
    return (node.op == "sym" and latex(node) in names) or any(_contains(a, names) for a in node.args)


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
