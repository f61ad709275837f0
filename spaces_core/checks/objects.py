"""What a proof computes with: an object of SymPy for each declared name, and what a check narrows of it."""

from __future__ import annotations

import re
from dataclasses import replace

import sympy as sp
from sympy.core.assumptions import _assume_defined
from sympy.core.function import UndefinedFunction

from .environment import Definition, Env
from .evaluate import evaluate
from .settings import Declared, Domain
from .tree import REVERSED, Node, latex, walk
from .values import Family, Vec, is_function, scalars

FACTS = {
    "integer": "whole",
    "positive": "> 0",
    "negative": "< 0",
    "nonnegative": "≥ 0",
    "nonpositive": "≤ 0",
    "nonzero": "≠ 0",
    "real": "real",
}


def plain(name: str) -> str:
    r"""The name of a SymPy symbol: `\gamma` is gamma, `n_{\mathrm{in}}` is n_in."""
    return re.sub(r"\\(?:mathrm|text|operatorname|mathbb|mathbf|mathcal)\b|[\\{} ]", "", name)


def symbols_of(declared: dict[str, Declared], given: dict, definitions: list[Definition], stated=()) -> dict:
    """An object for each declared name that is not given.

    Args:
        declared: by name.
        given: narrower values, such as `{"n": 3}`; the sizes of vectors, matrices and families follow.
        definitions: of the page.
        stated: relations; those that bound a name by a number tell its sign.
    """
    maker = _Maker(declared, given, definitions, stated)
    for name in declared:
        maker.make(name)
    return maker.values


class _Maker:
    def __init__(self, declared, given, definitions, stated=()):
        parts = [p for r in stated for p in (r.args if r.op == "chain" else (r,))]
        declared = {name: _tightened(d, parts) for name, d in declared.items()}
        self.declared, self.values, self.definitions = declared, dict(given), definitions
        self.busy: set[str] = set()

    def make(self, name: str):
        if name in self.values or name in self.busy:
            return
        self.busy.add(name)
        d = self.declared[name]
        for tree in (d.domain.low, d.domain.high, *d.domain.shape):
            for needed in {latex(n) for n in _symbols(tree)} & set(self.declared):
                self.make(needed)
        for index in d.over:
            self.make(index)
        self.values[name] = getattr(self, d.kind)(d)

    def number(self, tree: Node):
        return evaluate(tree, Env(self.values, self.definitions, mode="sympy"))

    def scalar(self, d: Declared):
        if len(d.domain.choices) == 1:
            return sp.sympify(self.number(d.domain.choices[0]))
        return sp.Symbol(plain(d.name), **self.facts(d.domain))

    def facts(self, domain: Domain) -> dict:
        if domain.field == "complex":
            return {}
        facts: dict = {"integer": True} if domain.field == "integer" else {"real": True}
        low, high = (None if e is None else sp.sympify(self.number(e)) for e in (domain.low, domain.high))
        if low is not None and (low.is_positive or (low.is_zero and domain.open_low)):
            facts["positive"] = True
        elif low is not None and low.is_nonnegative:
            facts["nonnegative"] = True
        elif high is not None and (high.is_negative or (high.is_zero and domain.open_high)):
            facts["negative"] = True
        elif high is not None and high.is_nonpositive:
            facts["nonpositive"] = True
        return facts if "integer" in facts or len(facts) == 1 else {k: v for k, v in facts.items() if k != "real"}

    def index(self, d: Declared):
        low, high = (sp.sympify(self.number(e)) for e in (d.domain.low, d.domain.high))
        return range(int(low), int(high) + 1) if low.is_Integer and high.is_Integer else (low, high)

    def family(self, d: Declared):
        spans = [self.values[i] for i in d.over]
        if not all(isinstance(s, range) for s in spans):
            return sp.IndexedBase(plain(d.name), **self.facts(d.domain))
        places = [()]
        for span in spans:
            places = [(*p, i) for p in places for i in span]
        return Family(d.name, {p: self.entry(d, p) for p in places})

    def entry(self, d: Declared, place) -> sp.Symbol:
        joined = "_".join(map(str, place)) if any(p > 9 for p in place) else "".join(map(str, place))
        return sp.Symbol(plain(d.name) + joined, **self.facts(d.domain))

    def vector(self, d: Declared):
        (n,) = (sp.sympify(self.number(e)) for e in d.domain.shape)
        if not n.is_Integer:
            return sp.IndexedBase(plain(d.name), **self.facts(d.domain))
        return sp.Matrix([self.entry(d, (i,)) for i in range(1, int(n) + 1)])

    def matrix(self, d: Declared):
        m, n = (sp.sympify(self.number(e)) for e in d.domain.shape)
        if not (m.is_Integer and n.is_Integer):
            return sp.IndexedBase(plain(d.name), **self.facts(d.domain))
        return sp.Matrix(int(m), int(n), lambda i, j: self.entry(d, (i + 1, j + 1)))

    def function(self, d: Declared):
        return sp.Function(plain(d.name), **self.facts(d.domain))


def _tightened(d: Declared, parts: list[Node]) -> Declared:
    """A declaration with the bounds by numbers that relations add to it."""
    for r in parts:
        for rel, one, other in ((r.data, *r.args), (REVERSED.get(r.data, ""), *reversed(r.args))):
            if d.kind != "scalar" or rel not in REVERSED or one.op != "sym" or latex(one) != d.name or _symbols(other):
                continue
            low = rel in (">", ">=")
            if (d.domain.low if low else d.domain.high) is None:
                ends = {"low": other, "open_low": rel == ">"} if low else {"high": other, "open_high": rel == "<"}
                d = replace(d, domain=replace(d.domain, **ends))
    return d


def _symbols(tree: Node | None):
    return [n for n in walk(tree) if n.op == "sym"] if tree is not None else []


# --- what is narrowed ------------------------------------------------------------------------------
def narrowed(declared: dict[str, Declared], given: dict, made: dict) -> list[str]:
    """What each given value leaves out of its declaration, in words; nothing where it leaves out nothing.

    Args:
        declared: by name.
        given: the values a check gives.
        made: the declared objects themselves.
    """
    found = []
    for name, value in given.items():
        if name in declared:
            text = _narrowed(declared[name], value, made.get(name))
            if text:
                found.append(f"{name} {text}")
    return found + _shared({n: v for n, v in given.items() if n in declared}, made)


def _narrowed(d: Declared, value, full) -> str:
    if d.kind == "function":
        if is_function(value) and not isinstance(value, UndefinedFunction):
            return "as given in code"
        return _more(value, full)
    if d.kind == "index":
        return f"from {value.start} to {value.stop - 1}" if isinstance(value, range) else f"= {_short(value)}"
    if isinstance(value, (sp.Symbol, sp.IndexedBase)):
        return _more(value, full)
    if isinstance(value, (Vec, Family, sp.MatrixBase, list, tuple)):
        flat = _entries(value)
        if all(isinstance(v, sp.Symbol) for v in flat) and len(set(flat)) == len(flat):
            size = f"{value.shape[0]} × {value.shape[1]}" if isinstance(value, sp.MatrixBase) else len(flat)
            more = next(filter(None, (_more(v, full) for v in flat)), "")
            return f"of {size} entries" + (f", {more}" if more else "")
    return f"= {_short(value)}"


def _more(value, full) -> str:
    """What SymPy knows of one object beyond what it knows of the declared one; the plainest word for it."""
    mine, theirs = _known(value), _known(full)
    added = {f: v for f, v in mine.items() if theirs.get(f) is not v}
    named = [FACTS[f] for f in FACTS if added.get(f)]
    others = sorted((not v, f if v else f"not {f}") for f, v in added.items())
    return next(iter([*named, *(word for _, word in others)]), "")


def _known(value) -> dict[str, bool]:
    one = _sample(value)
    found = {f: getattr(one, f"is_{f}", None) for f in _assume_defined}
    return {f: v for f, v in found.items() if v is not None}


def _sample(value):
    """One number of an object: an entry of a family, a value of a function."""
    if isinstance(value, UndefinedFunction):
        return value(sp.Dummy())
    if isinstance(value, sp.IndexedBase):
        return value[sp.Dummy(integer=True)]
    return _entries(value)[0]


def _entries(value) -> list:
    return list(value.members.values()) if isinstance(value, Family) else scalars(value)


def _shared(given: dict, made: dict) -> list[str]:
    """Names that are given the same object as another name, which makes the two equal."""
    owner: dict = {}
    found = []
    for name, value in {**{n: v for n, v in made.items() if n not in given}, **given}.items():
        for one in {value} if isinstance(value, (UndefinedFunction, sp.IndexedBase)) else _symbols_in(value):
            first = owner.setdefault(one, name)
            if first != name and name in given:
                found.append(f"{name} shares {one} with {first}")
    return found


def _symbols_in(value) -> set:
    if isinstance(value, range) or is_function(value):
        return set()
    return {v for v in _entries(value) if isinstance(v, sp.Symbol)}


def _short(value) -> str:
    text = str(value)
    return text if len(text) <= 48 else text[:45] + "…"
