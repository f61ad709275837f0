"""Typos: the small slips a display could contain, made on its tree."""

from __future__ import annotations

from .tree import REVERSED, Node, base, latex, num, walk

SWAPS = {
    "log": "exp",
    "exp": "log",
    "sin": "cos",
    "cos": "sin",
    "tan": "sin",
    "tanh": "tan",
    "sinh": "cosh",
    "cosh": "sinh",
    "arccos": "arcsin",
    "arcsin": "arccos",
    "arctan": "tan",
    "max": "min",
    "min": "max",
    "erf": "tanh",
    "tr": "det",
    "det": "tr",
    "floor": "ceil",
    "ceil": "floor",
    "sign": "tanh",
}


def typos(statement: Node, names: list[Node] = (), only_right: bool = False):
    """Yield `(kind, tree)` for each typo.

    Args:
        statement: the tree of a display.
        names: further bound names that could be written by mistake.
        only_right: leave the left side alone (a definition is what its left side says it is).

    >>> from .grammar import parse
    >>> [k for k, _ in typos(parse("a = b - c"))][:3]
    ['sign', 'factor', 'symbol']
    """
    present = [n for n in walk(statement) if n.op == "sym"]
    pool = list(dict.fromkeys([*present, *names]))
    seen = {latex(statement)}
    for kind, tree in _statement(statement, pool, only_right):
        text = latex(tree)
        if text not in seen:
            seen.add(text)
            yield kind, tree


def _statement(s: Node, pool, only_right):
    if s.op in ("all", "implies", "iff"):
        for k, part in enumerate(s.args):
            for kind, new in _statement(part, pool, only_right):
                yield kind, s.with_args(s.args[:k] + (new,) + s.args[k + 1 :])
    elif s.op == "chain":
        yield from _chain(s, pool)
    elif s.op == "rel":
        if s.data in REVERSED:
            yield "relation", Node("rel", s.args, REVERSED[s.data])
        for k in (1,) if only_right else (0, 1):
            for kind, new in _side(s.args[k], pool):
                yield kind, s.with_args(s.args[:k] + (new,) + s.args[k + 1 :])


def _chain(s: Node, pool):
    sides = [s.args[0].args[0], *(r.args[1] for r in s.args)]
    rels = [r.data for r in s.args]

    def build(sides, rels):
        return Node("chain", tuple(Node("rel", (sides[i], sides[i + 1]), rels[i]) for i in range(len(rels))))

    for i, r in enumerate(rels):
        if r in REVERSED:
            yield "relation", build(sides, rels[:i] + [REVERSED[r]] + rels[i + 1 :])
    for k, side in enumerate(sides):
        for kind, new in _side(side, pool):
            yield kind, build(sides[:k] + [new] + sides[k + 1 :], rels)


def _side(e: Node, pool):
    """A whole side: its sign and a factor 2, then everything inside."""
    if e.op not in ("add", "neg") and e != num(0):
        yield "sign", Node("neg", (e,))
    if e != num(0):
        yield "factor", Node("mul", (num(2), e)) if e.op != "num" else num(_twice(e.data))
    yield from _inside(e, pool)


def _inside(e: Node, pool):
    yield from _here(e, pool)
    start = 1 if e.op == "call" else 0
    for k in range(start, len(e.args)):
        if (e.op in ("deriv", "lim", "int") and k == 0) or (e.op == "at" and k == 1):
            continue
        if e.op == "order":
            children = ((kind, new) for kind, new in _inside(e.args[0], pool) if kind == "exponent")
        elif e.op == "sym":
            children = _index(e.args[k], pool)
        elif k == 1 and e.op in ("sum", "prod", "bigmax", "bigmin") and e.data[1] == "condition":
            children = _statement(e.args[1], pool, False)
        else:
            children = _inside(e.args[k], pool)
        for kind, new in children:
            yield kind, e.with_args(e.args[:k] + (new,) + e.args[k + 1 :])


def _here(e: Node, pool):
    op, a = e.op, e.args
    if op == "add":
        for k, term in enumerate(a):
            flipped = term.args[0] if term.op == "neg" else Node("neg", (term,))
            yield "sign", e.with_args(a[:k] + (flipped,) + a[k + 1 :])
        for k in range(len(a)):
            rest = a[:k] + a[k + 1 :]
            yield "dropped term", rest[0] if len(rest) == 1 else e.with_args(rest)
        for k, term in enumerate(a):
            yield "factor", e.with_args(a[:k] + (_double(term),) + a[k + 1 :])
    elif op == "neg":
        yield "sign", a[0]
    elif op == "mul":
        for k in range(len(a)):
            rest = a[:k] + a[k + 1 :]
            yield "dropped term", rest[0] if len(rest) == 1 else e.with_args(rest)
    elif op == "num":
        yield "number", num(_next(e.data))
    elif op == "pow":
        yield "exponent", e.with_args((a[0], _plus_one(a[1])))
    elif op == "root" or op == "transpose":
        yield "exponent", a[0]
    elif op == "frac":
        yield "fraction", e.with_args((a[1], a[0]))
    elif op == "func":
        if e.data in SWAPS:
            yield "function", Node("func", a, SWAPS[e.data])
    elif op == "abs":
        yield "function", a[0]
    elif op == "norm":
        yield "function", Node("norm", a, "1" if e.data in ("", "2") else "2")
    elif op in ("sum", "prod", "bigmax", "bigmin"):
        yield from _big(e)
    elif op == "deriv":
        yield "exponent", Node("deriv", a, (e.data[0], e.data[1] + 1))
    elif op == "int":
        yield "bound", e.with_args((a[0], a[2], a[1], a[3]))
    elif op == "sym":
        other = next((n for n in _others(e, pool)), None)
        if other is not None:
            yield "symbol", other


def _big(e: Node):
    names, form = e.data
    swap = {"sum": "prod", "prod": "sum", "bigmax": "bigmin", "bigmin": "bigmax"}[e.op]
    yield "function", Node(swap, e.args, e.data)
    if form == "bounds":
        body, lo, hi = e.args
        yield "bound", e.with_args((body, _plus_one(lo), hi))
        yield "bound", e.with_args((body, lo, Node("add", (hi, Node("neg", (num(1),))))))
    elif form == "range":
        index = Node("sym", (), (names[0], 0))
        yield "bound", Node(e.op, (e.args[0], Node("rel", (index, num(2)), ">=")), (names, "condition"))
    else:
        yield "bound", Node(e.op, e.args[:1], (names, "range"))


def _index(i: Node, pool):
    """A subscript: the next number, or another index of the display."""
    if i.op == "num" and "." not in i.data:
        yield "subscript", num(int(i.data) + 1)
    elif i.op == "sym":
        subscripts = [n for s in pool for n in s.args if n.op == "sym" and n != i]
        if subscripts:
            yield "subscript", subscripts[0]
    elif i.op == "add":
        yield "subscript", i.args[0]


def _others(e: Node, pool):
    """Names that could stand here: first those with as many indices, then any."""
    same = [n for n in pool if len(n.args) == len(e.args) and base(n) != base(e)]
    rest = [n for n in pool if len(n.args) != len(e.args) and base(n) != base(e)]
    for n in same:
        yield Node("sym", e.args, (base(n), e.data[1])) if e.args else n
    yield from rest


def _double(term: Node) -> Node:
    if term.op == "neg":
        return Node("neg", (_double(term.args[0]),))
    return num(_twice(term.data)) if term.op == "num" else Node("mul", (num(2), term))


def _plus_one(n: Node) -> Node:
    if n.op == "num" and "." not in n.data:
        return num(int(n.data) + 1)
    return Node("add", (n, num(1)))


def _twice(text: str) -> str:
    return str(2 * int(text)) if "." not in text else f"{2 * float(text):.10g}"


def _next(text: str) -> str:
    """The next number in the last printed place."""
    if "." not in text:
        return str(int(text) + 1)
    places = len(text.split(".")[1])
    return f"{float(text) + 10**-places:.{places}f}"
