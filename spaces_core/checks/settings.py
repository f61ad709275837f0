r"""What a page assumes of its symbols, read from its own displays, such as $n \in \mathbb N$ and $p_i > 0$."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .cursor import NOTHING, Names
from .grammar import RELATION_TOKENS, Parser
from .reading import accounted
from .tokens import GrammarError, join, strip, tokens
from .tree import REVERSED, Node, base, indices, latex, num, walk

DOTS = {r"\dots", r"\ldots", r"\cdots"}
WHOLE = {r"\frac", r"\nabla"}  # formulas that may be declared whole: implicit derivatives, gradients
CONSTANTS = {r"\pi", "e", r"\mathrm{e}", r"\mathrm{i}", r"\infty"}
DEPTH = {"{": 1, "(": 1, "[": 1, r"\{": 1, r"\langle": 1, "}": -1, ")": -1, "]": -1, r"\}": -1, r"\rangle": -1}
FIELDS = {"R": "real", "C": "complex", "Z": "integer", "N": "integer"}


@dataclass(frozen=True)
class Domain:
    """Where a symbol lies: a field, bounds (None where there is none), a finite choice, a shape."""

    field: str = "real"
    low: Node | None = None
    high: Node | None = None
    open_low: bool = False
    open_high: bool = False
    choices: tuple[Node, ...] = ()
    shape: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Declared:
    """One name of a setting.

    `kind` is `scalar`, `index` (runs over a range), `family` (one member for each value of its indices), `vector`,
    `matrix` or `function`; `takes` are the domains of the arguments of a function.
    """

    name: str
    kind: str
    domain: Domain
    label: str
    over: tuple[str, ...] = ()
    takes: tuple[Domain, ...] = ()


@dataclass
class Setting:
    """One display of declarations, and the relations between them."""

    label: str
    declared: list[Declared] = field(default_factory=list)
    relations: list[Node] = field(default_factory=list)
    read: list[str] = field(default_factory=list)


def parse_setting(text: str, label: str, known: dict[str, Declared], names: Names = NOTHING) -> Setting:
    r"""Read a setting.

    Args:
        text: the LaTeX of the display.
        label: of the display.
        known: what is declared before.
        names: as for `parse`.

    Raises:
        GrammarError: a part that is no declaration and no relation, or a name declared twice.

    >>> s = parse_setting(r"n \in \mathbb N, \quad i = 1, \dots, n, \quad p_i > 0", "eq-setting", {})
    >>> [(d.name, d.kind) for d in s.declared], s.read[-1]
    ([('n', 'scalar'), ('i', 'index'), ('p', 'family')], 'p_i > 0')
    """
    return read_setting(strip(tokens(text)), label, known, names)


def read_setting(toks: list[str], label: str, known: dict[str, Declared], names: Names = NOTHING) -> Setting:
    """As `parse_setting`, from the tokens of the display."""
    return _Settings(toks, label, known, names).read()


class _Settings:
    def __init__(self, toks, label, known, names):
        self.items = _split(toks, "NEXT")
        self.label, self.known, self.names = label, dict(known), names
        self.out = Setting(label)

    def read(self) -> Setting:
        for item in self.items:
            self.pieces(_split(item, ","))
        if not self.out.declared and not self.out.relations:
            raise GrammarError("a setting declares a symbol, or states a relation between symbols")
        return self.out

    def pieces(self, parts: list[list[str]]) -> None:
        pending: list[list[str]] = []
        k = 0
        while k < len(parts):
            part, k = parts[k], k + 1
            if k < len(parts) and len(parts[k]) == 1 and parts[k][0] in DOTS:
                self.range_of([*pending, part, *parts[k : k + 2]], len(pending) + 1)
                pending, k = [], k + 2
                continue
            if not _top(part, {r"\in", ":", r"\colon", *RELATION_TOKENS}):
                pending.append(part)
                continue
            if (at := _top(part, {r"\in"})) or (at := _top(part, {":", r"\colon"})):
                declare = self.member if part[at - 1] == r"\in" else self.function
                for name in [*pending, part[: at - 1]]:
                    declare(self.symbol(name), part[at:])
            else:
                self.relation(part)
                for name in pending:
                    first = _top(part, set(RELATION_TOKENS)) - 1
                    self.relation([*name, *part[first:]])
            pending = []
        if pending:
            raise GrammarError(f"say of {join(pending[0])} where it lies: {join(pending[0])} \\in \\mathbb R")

    def symbol(self, toks: list[str]) -> Node:
        if toks[:1] and toks[0] in WHOLE:
            return Node("atom", (), join(toks))
        reader = Parser(toks, Names())
        return reader.whole(reader.symbol())

    # --- index = 1, …, n ------------------------------------------------------------------------
    def range_of(self, parts, dots) -> None:
        if dots != len(parts) - 2:
            raise GrammarError("the range of an index is written i = 1, \\dots, n")
        head = parts[dots - 1]
        at = _top(head, {"="})
        if not at:
            raise GrammarError("the range of an index is written i = 1, \\dots, n")
        low, high = self.expression(head[at:]), self.expression(parts[-1])
        for name in [*parts[: dots - 1], head[: at - 1]]:
            self.index(self.symbol(name), low, high)

    def index(self, node: Node, low: Node, high: Node) -> None:
        self.declare(Declared(latex(node), "index", Domain("integer", low, high), self.label))

    # --- name ∈ set -------------------------------------------------------------------------------
    def member(self, node: Node, toks: list[str]) -> None:
        if toks[:1] == [r"\{"] and any(t in DOTS for t in toks):
            parts = _split(toks[1:-1], ",")
            if toks[-1] != r"\}" or len(parts) != 3 or parts[1][0] not in DOTS:
                raise GrammarError("write \\{1, \\dots, n\\}")
            return self.index(node, self.expression(parts[0]), self.expression(parts[2]))
        domain = self.set_of(toks)
        kind = {0: "scalar", 1: "vector", 2: "matrix"}[len(domain.shape)]
        over = self.over(node)
        if over and domain.shape:
            raise GrammarError(f"a family of vectors is a matrix: write {base(node)} \\in \\mathbb R^{{n \\times d}}")
        name = base(node) if over else latex(node) if node.op == "sym" else node.data
        self.declare(Declared(name, "family" if over else kind, domain, self.label, over))

    def over(self, node: Node) -> tuple[str, ...]:
        """The indices of a family; a name such as `x_1` or `n_{\\mathrm{in}}` has none."""
        if node.op != "sym":
            return ()
        names = [latex(i) for part in indices(node) for i in part if i.op == "sym"]
        missing = [n for n in names if n not in self.known or self.known[n].kind != "index"]
        if missing:
            shown = missing[0]
            raise GrammarError(f"state the range of the index {shown} of {latex(node)} first: {shown} = 1, \\dots, n")
        if names and len(names) != len(node.args):
            raise GrammarError(f"{latex(node)}: the indices of a family are letters")
        return tuple(names)

    def set_of(self, toks: list[str]) -> Domain:
        if toks[:1] and toks[0] in ("[", "(") and toks[-1] in ("]", ")"):
            ends = _split(toks[1:-1], ",")
            if len(ends) != 2:
                raise GrammarError(f"an interval has two ends: {join(toks)}")
            low, high = (None if "".join(e) in (r"-\infty", r"\infty") else self.expression(e) for e in ends)
            return Domain("real", low, high, toks[0] == "(", toks[-1] == ")")
        if toks[:1] == [r"\{"] and toks[-1:] == [r"\}"]:
            choices = tuple(self.expression(p) for p in _split(toks[1:-1], ","))
            return Domain("integer" if all(_whole(c) for c in choices) else "real", choices=choices)
        reader = Parser(toks, Names())
        if reader.peek() != r"\mathbb":
            raise GrammarError(
                f"{join(toks)} is no set of the dialect: \\mathbb R, \\mathbb N, [0, 1], \\{{1, \\dots, n\\}}"
            )
        reader.take()
        letter = "".join(reader.group())
        if letter not in FIELDS:
            raise GrammarError(f"\\mathbb{{{letter}}} is no set of the dialect: there are R, C, Z and N")
        domain = Domain(FIELDS[letter], num(1) if letter == "N" else None)
        while reader.peek() in ("_", "^"):
            above = reader.take() == "^"
            inside = reader.group()
            if above:
                domain = replace(domain, shape=tuple(self.expression(p) for p in _split(inside, r"\times")))
            elif letter == "N" and inside == ["0"]:
                domain = replace(domain, low=num(0))
            elif inside[:1] and inside[0] in RELATION_TOKENS and letter != "C":
                domain = replace(domain, **_bound(RELATION_TOKENS[inside[0]], self.expression(inside[1:])))
            else:
                raise GrammarError(f"\\mathbb{{{letter}}}_{{{join(inside)}}}: write _{{>0}} or _{{\\ge 0}}")
        if reader.peek():
            raise GrammarError(f"{join(toks[reader.k :])} is not understood after the set")
        if len(domain.shape) > 2:
            raise GrammarError("a shape has one or two sizes")
        return domain

    # --- f : A → B --------------------------------------------------------------------------------
    def function(self, node: Node, toks: list[str]) -> None:
        at = _top(toks, {r"\to"})
        if not at:
            raise GrammarError("a function is declared as f : \\mathbb R \\to \\mathbb R")
        takes = tuple(self.set_of(p) for p in _split(toks[: at - 1], r"\times"))
        self.declare(Declared(latex(node), "function", self.set_of(toks[at:]), self.label, (), takes))

    # --- relations --------------------------------------------------------------------------------
    def relation(self, toks: list[str]) -> None:
        """A relation; a name that is not declared yet becomes a real number by it, `x > 0`."""
        reader = Parser(toks, self.names)
        node = reader.whole(reader.chain())
        accounted(toks, node)
        if node.op not in ("rel", "chain"):
            raise GrammarError(f"{join(toks)} is no relation")
        sides = [node.args[0].args[0], *(r.args[1] for r in node.args)] if node.op == "chain" else list(node.args)
        for side in sides:
            new = side.op == "sym" and base(side) not in self.known and latex(side) not in self.known
            if new and not {latex(side), base(side)} & (self.names.plain | self.names.functions | CONSTANTS | {"I"}):
                if any(latex(side) in {latex(n) for n in walk(s)} for s in sides if s is not side):
                    continue
                over = self.over(side)
                name = base(side) if over else latex(side)
                self.declare(Declared(name, "family" if over else "scalar", Domain(), self.label, over), shown=False)
        rest = [r for r in (node.args if node.op == "chain" else (node,)) if not self.folded(r)]
        if len(rest) == len(node.args if node.op == "chain" else (node,)):
            rest = [node]
        self.out.relations += rest
        self.out.read.append(latex(node))

    def folded(self, r: Node) -> bool:
        """A bound by a number becomes part of the domain of a name of this setting."""
        for rel, one, other in ((r.data, *r.args), (REVERSED.get(r.data, ""), *reversed(r.args))):
            d = next((d for d in self.out.declared if one.op == "sym" and _names_it(one, d)), None)
            constant = all(n.op != "sym" or latex(n) in (r"\pi", "e") for n in walk(other))
            if d is None or not constant or rel not in REVERSED or d.domain.shape or d.domain.field == "complex":
                continue
            bound = _bound(rel, other)
            if d.domain.choices or any(getattr(d.domain, k) is not None for k in bound if k in ("low", "high")):
                return False
            new = replace(d, domain=replace(d.domain, **bound))
            self.out.declared[self.out.declared.index(d)] = self.known[d.name] = new
            return True
        return False

    def expression(self, toks: list[str]) -> Node:
        reader = Parser(toks, self.names)
        node = reader.whole(reader.expr())
        accounted(toks, node)
        return node

    def declare(self, d: Declared, shown: bool = True) -> None:
        if d.name in self.known and self.known[d.name].label == self.label:
            raise GrammarError(f"{d.name} is declared twice")
        if any(d.name == o.name for o in self.out.declared):
            raise GrammarError(f"{d.name} is declared twice")
        self.known[d.name] = d
        self.out.declared.append(d)
        if shown:
            self.out.read.append(describe(d))


def describe(d: Declared) -> str:
    """A declaration in the notation it was read from."""
    name = f"{d.name}_{{{','.join(d.over)}}}" if d.over else d.name
    if d.kind == "index":
        return rf"{name} = {latex(d.domain.low)}, \dots, {latex(d.domain.high)}"
    if d.kind == "function":
        takes = r" \times ".join(map(shown_set, d.takes))
        return rf"{name} : {takes} \to {shown_set(d.domain)}"
    return rf"{name} \in {shown_set(d.domain)}"


def shown_set(domain: Domain) -> str:
    if domain.choices:
        return r"\{" + ", ".join(map(latex, domain.choices)) + r"\}"
    shape = "^{" + r" \times ".join(map(latex, domain.shape)) + "}" if domain.shape else ""
    if domain.field == "integer":
        low = domain.low
        if low == num(1):
            return r"\mathbb{N}" + shape
        return (r"\mathbb{Z}" if low is None else r"\mathbb{Z}_{\ge " + latex(low) + "}") + shape
    letter = r"\mathbb{C}" if domain.field == "complex" else r"\mathbb{R}"
    if domain.low is not None and domain.high is None:
        return letter + "_{" + (">" if domain.open_low else r"\ge ") + latex(domain.low) + "}" + shape
    if domain.low is not None or domain.high is not None:
        left = r"-\infty" if domain.low is None else latex(domain.low)
        right = r"\infty" if domain.high is None else latex(domain.high)
        return ("(" if domain.open_low else "[") + f"{left}, {right}" + (")" if domain.open_high else "]")
    return letter + shape


def _names_it(node: Node, d: Declared) -> bool:
    if d.kind == "family":
        return base(node) == d.name and tuple(map(latex, node.args)) == d.over
    return d.kind == "scalar" and latex(node) == d.name


def _bound(rel: str, value: Node) -> dict:
    if rel in (">", ">="):
        return {"low": value, "open_low": rel == ">"}
    if rel in ("<", "<="):
        return {"high": value, "open_high": rel == "<"}
    raise GrammarError("a bound below a set is _{>0}, _{\\ge 0}, _{<0} or _{\\le 0}")


def _whole(node: Node) -> bool:
    return node.op == "num" and "." not in node.data or node.op == "neg" and _whole(node.args[0])


def _split(toks: list[str], at: str) -> list[list[str]]:
    """The tokens between separators that stand outside brackets."""
    out: list[list[str]] = [[]]
    depth = 0
    for t in toks:
        depth += DEPTH.get(t, 0)
        if t == at and depth == 0:
            out.append([])
        else:
            out[-1].append(t)
    if any(not part for part in out):
        raise GrammarError("a separator with nothing beside it")
    return out


def _top(toks: list[str], wanted: set[str]) -> int:
    """One more than the place of the first wanted token outside brackets, 0 if there is none."""
    depth = 0
    for k, t in enumerate(toks):
        if depth == 0 and t in wanted:
            return k + 1
        depth += DEPTH.get(t, 0)
    return 0
