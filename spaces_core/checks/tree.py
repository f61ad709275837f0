"""The expression tree of a display, and its LaTeX."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Node:
    """One node: `op` says what it is, `args` are its sub-trees, `data` what is not a tree.

    >>> latex(Node("add", (Node("num", data="1"), Node("neg", (sym("x"),)))))
    '1 - x'
    """

    op: str
    args: tuple[Node, ...] = ()
    data: tuple | str = ""

    def with_args(self, args) -> Node:
        return replace(self, args=tuple(args))


def num(n) -> Node:
    return Node("num", data=str(n))


def sym(name: str, sub: tuple[Node, ...] = (), sup: tuple[Node, ...] = ()) -> Node:
    """A name with its subscripts and layer superscripts; `name` carries accents, fonts, primes and stars."""
    return Node("sym", (*sub, *sup), (name, len(sub)))


def base(node: Node) -> str:
    return node.data[0]


def indices(node: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    return node.args[: node.data[1]], node.args[node.data[1] :]


RELATIONS = {"=": "=", "<=": r"\le", ">=": r"\ge", "<": "<", ">": ">", "!=": r"\ne", "~": r"\approx"}
REVERSED = {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}
BIG = {"sum": r"\sum", "prod": r"\prod", "bigmax": r"\max", "bigmin": r"\min"}
FUNCTIONS = (
    "log ln exp sin cos tan cot sinh cosh tanh arccos arcsin arctan max min det tr sign erf Ci Re Im floor ceil"
).split()
MACROS = set("log ln exp sin cos tan cot sinh cosh tanh arccos arcsin arctan max min det".split())
_LEVEL = {"add": 1, "neg": 1, "mul": 2, "sum": 2, "prod": 2, "bigmax": 2, "bigmin": 2, "lim": 2, "int": 2, "deriv": 2}


def _wrap(node: Node, level: int) -> str:
    text = latex(node)
    return rf"\left({text}\right)" if _LEVEL.get(node.op, 9) < level else text


def _factor(node: Node, last: bool) -> str:
    """A factor of a product: a sum sign may stand open only at the end, a sign never."""
    if node.op in ("add", "neg") or (not last and _LEVEL.get(node.op, 9) <= 2):
        return rf"\left({latex(node)}\right)"
    return latex(node)


def _script(text: str) -> str:
    return text if len(text) == 1 else "{" + text + "}"


def _sub(nodes: tuple[Node, ...]) -> str:
    parts = [latex(n) for n in nodes]
    return "".join(parts) if all(len(p) == 1 and p.isalpha() for p in parts) else ",".join(parts)


def latex(node: Node) -> str:
    """The canonical LaTeX of a tree; parsing it gives the tree back."""
    op, a = node.op, node.args
    if op == "sym":
        return _name(node)
    if op == "num" or op == "raw" or op == "atom":
        return node.data
    if op == "add":
        text = _wrap(a[0], 1) if a[0].op != "add" else rf"\left({latex(a[0])}\right)"
        for term in a[1:]:
            sign, body = ("-", term.args[0]) if term.op == "neg" else ("+", term)
            text += f" {sign} " + _wrap(body, 2)
        return text
    if op == "neg":
        return "-" + _wrap(a[0], 2)
    if op == "mul":
        return _product(a)
    if op == "frac":
        return rf"\frac{{{latex(a[0])}}}{{{latex(a[1])}}}"
    if op == "pow":
        return f"{_postfix_base(a[0])}^{{{latex(a[1])}}}"
    if op == "transpose":
        return rf"{_postfix_base(a[0])}^{{\top}}"
    if op == "fact":
        return _postfix_base(a[0]) + "!"
    if op == "root":
        index = "" if a[1] == num(2) else f"[{latex(a[1])}]"
        return rf"\sqrt{index}{{{latex(a[0])}}}"
    if op == "func" and node.data == "log" and len(a) == 2:
        return rf"\log_{{{latex(a[1])}}}\left({latex(a[0])}\right)"
    if op == "func":
        name = rf"\{node.data}" if node.data in MACROS else rf"\operatorname{{{node.data}}}"
        return name + r"\left(" + ", ".join(latex(x) for x in a) + r"\right)"
    if op == "call":
        return latex(a[0]) + r"\left(" + ", ".join(latex(x) for x in a[1:]) + r"\right)"
    if op == "order":
        return r"\mathcal{O}\left(" + latex(a[0]) + r"\right)"
    if op == "matrix":
        width = len(a) // int(node.data)
        rows = [" & ".join(latex(x) for x in a[k : k + width]) for k in range(0, len(a), width)]
        return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"
    if op == "abs":
        return rf"\left|{latex(a[0])}\right|"
    if op == "norm":
        return rf"\left\|{latex(a[0])}\right\|" + (f"_{_script(node.data)}" if node.data else "")
    if op == "inner":
        return rf"\langle {latex(a[0])}, {latex(a[1])}\rangle"
    if op == "binom":
        return rf"\binom{{{latex(a[0])}}}{{{latex(a[1])}}}"
    if op in BIG:
        return _big(node)
    if op == "deriv":
        return _derivative(node)
    if op == "at":
        return rf"\left. {latex(a[0])}\right|_{{{latex(a[1])}={latex(a[2])}}}"
    if op == "lim":
        side = {"+": "^{+}", "-": "^{-}", "": ""}[node.data]
        return rf"\lim_{{{latex(a[0])}\to {latex(a[1])}{side}}} {_wrap(a[2], 2)}"
    if op == "int":
        return rf"\int_{{{latex(a[1])}}}^{{{latex(a[2])}}} {_wrap(a[3], 2)} \,\mathrm{{d}}{latex(a[0])}"
    if op == "rel":
        return f"{latex(a[0])} {RELATIONS[node.data]} {latex(a[1])}"
    if op == "chain":
        return latex(a[0]) + "".join(f" {RELATIONS[r.data]} {latex(r.args[1])}" for r in [a[0], *a[1:]][1:])
    if op in ("implies", "iff"):
        return f"{latex(a[0])} " + {"implies": r"\implies", "iff": r"\iff"}[op] + f" {latex(a[1])}"
    if op == "all":
        return r", \quad ".join(latex(x) for x in a)
    raise ValueError(f"no LaTeX for a node {op!r}")


def _name(node: Node) -> str:
    """Kept on the node: names are looked up wherever a tree is evaluated."""
    text = node.__dict__.get("_text")
    if text is None:
        sub, sup = indices(node)
        text = base(node)
        text += f"_{_script(_sub(sub))}" if sub else ""
        text += f"^{{({_sub(sup)})}}" if sup else ""
        object.__setattr__(node, "_text", text)
    return text


def _derivative(node: Node) -> str:
    """Derivatives one after the other are one fraction; a derivative at its end stands in parentheses of its own."""
    d = r"\partial" if node.data[0] == "partial" else r"\mathrm{d}"
    below, total, body = "", 0, node
    while body is node or (body.op == "deriv" and body.data[0] == node.data[0] and body.data[2]):
        n = body.data[1]
        below += rf"{d} {latex(body.args[0])}" + (f"^{{{n}}}" if n > 1 else "")
        total, body = total + n, body.args[1]
    power = f"^{{{total}}}" if total > 1 else ""
    return rf"\frac{{{d}{power}}}{{{below}}}\left({latex(body)}\right)"


def _postfix_base(node: Node) -> str:
    """What may carry an exponent as it stands; a name with a superscript of its own may not."""
    plain = node.op in ("num", "raw", "abs", "norm", "call", "inner", "matrix") or _several(node)
    plain = plain or (node.op == "sym" and not indices(node)[1] and "^" not in base(node))
    return latex(node) if plain else rf"\left({latex(node)}\right)"


def _several(node: Node) -> bool:
    """A function of several arguments; that of one argument would have two readings."""
    return node.op == "func" and len(node.args) > 1 and node.data != "log"


def _product(factors) -> str:
    text = ""
    for k, f in enumerate(factors):
        piece = _factor(f, last=k == len(factors) - 1)
        if f.op == "mul":
            piece = rf"\left({piece}\right)"
        if not text:
            text = piece
            continue
        ambiguous = (
            f.op == "num" or piece[0].isdigit() or piece.startswith(r"\left(") or piece.startswith(r"\frac{\mathrm{d}")
        )
        text += (r" \cdot " if ambiguous else " ") + piece
    return text


def _big(node: Node) -> str:
    """data = (index names, condition or None); args = body, [lower, upper] or [condition]."""
    names, form = node.data
    head = BIG[node.op]
    if form == "bounds":
        body, lo, hi = node.args
        head += f"_{{{names[0]}={latex(lo)}}}^{{{latex(hi)}}}"
    elif form == "range":
        body = node.args[0]
        head += f"_{_script(','.join(names))}"
    else:
        body, cond = node.args
        head += f"_{{{latex(cond)}}}"
    return head + " " + (_wrap(body, 2))


def walk(node: Node):
    yield node
    for child in node.args:
        yield from walk(child)
