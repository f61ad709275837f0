r"""Matrices and vectors of any size: identities of words in letters that do not commute.

A product of declared matrices is a word; its transpose reverses it, its trace may be turned round, and a word of shape
1 × 1 is a number. Two expressions are equal for all matrices of all sizes if their words agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sympy as sp

from .identities import is_zero
from .matrices import Abstract


@dataclass(frozen=True, order=True)
class Letter:
    """A matrix of symbolic shape, perhaps transposed or inverted."""

    name: str
    rows: sp.Expr
    columns: sp.Expr
    turned: bool = False
    inverse: bool = False
    symmetric: bool = False

    def T(self) -> Letter:
        if self.symmetric:
            return self
        return Letter(self.name, self.columns, self.rows, not self.turned, self.inverse)

    def inv(self) -> Letter:
        return Letter(self.name, self.columns, self.rows, self.turned, not self.inverse, self.symmetric)

    def key(self):
        return (self.name, self.turned, self.inverse)


class Words(Abstract):
    """A sum of words with coefficients, all of one shape.

    >>> n = sp.Symbol("n", integer=True, positive=True)
    >>> A, B = letter("A", n, n), letter("B", n, n)
    >>> ((A * B).T - B.T * A.T).is_zero(), (A * B - B * A).is_zero(), ((A * B).inv() - B.inv() * A.inv()).is_zero()
    (True, False, True)
    """

    def __init__(self, terms: dict, shape: tuple):
        self.terms = {w: c for w, c in terms.items() if c != 0}
        self.shape = tuple(map(sp.sympify, shape))

    def __repr__(self):
        return " + ".join(f"{c}*{' '.join(x.name for x in w) or 'I'}" for w, c in self.terms.items()) or "0"

    @staticmethod
    def eye(n) -> Words:
        return Words({(): sp.Integer(1)}, (n, n))

    def _same(self, other, sign):
        if not isinstance(other, Words):
            if self.shape == (1, 1):
                return self.number() + sign * other
            if other == 0:
                return self
            raise ValueError("a matrix and a number do not add: write c I for the number")
        if self.shape != other.shape:
            raise ValueError(f"shapes {self.shape} and {other.shape} do not add")
        terms = dict(self.terms)
        for w, c in other.terms.items():
            terms[w] = terms.get(w, 0) + sign * c
        return Words(terms, self.shape)

    def __add__(self, other):
        return self._same(other, 1)

    def __radd__(self, other):
        return self._same(other, 1)

    def __sub__(self, other):
        return self._same(other, -1)

    def __rsub__(self, other):
        return (-self)._same(other, 1)

    def __neg__(self):
        return Words({w: -c for w, c in self.terms.items()}, self.shape)

    def __mul__(self, other):
        if not isinstance(other, Words):
            return Words({w: c * other for w, c in self.terms.items()}, self.shape)
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"shapes {self.shape} and {other.shape} do not multiply")
        terms: dict = {}
        for w, c in self.terms.items():
            for v, d in other.terms.items():
                word = _reduced((*w, *v))
                terms[word] = terms.get(word, 0) + c * d
        return Words(terms, (self.shape[0], other.shape[1])).settled()

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        if isinstance(other, Words):
            raise ValueError("a matrix stands in a denominator: write its inverse on the side that is meant")
        return Words({w: c / other for w, c in self.terms.items()}, self.shape)

    def __pow__(self, n):
        if self.shape == (1, 1):
            return self.number() ** n
        if n != int(n):
            raise ValueError("a matrix has whole powers only")
        base, out = (self.inv() if n < 0 else self), identity(self.shape[0])
        for _ in range(abs(int(n))):
            out = out * base
        return out

    @property
    def T(self):
        return Words({tuple(x.T() for x in reversed(w)): c for w, c in self.terms.items()}, self.shape[::-1])

    def inv(self):
        """The inverse of a product is the product of the inverses in reverse order; of a sum, a letter of its own."""
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"a matrix of shape {self.shape} has no inverse")
        if len(self.terms) == 1:
            ((w, c),) = self.terms.items()
            if all(x.rows == x.columns for x in w):
                return Words({_reduced(tuple(x.inv() for x in reversed(w))): 1 / sp.sympify(c)}, self.shape)
        whole = Letter(f"⟨{self._canonical()}⟩", *self.shape)
        return Words({(whole.inv(),): 1}, self.shape)

    def _canonical(self) -> str:
        return " + ".join(sorted(f"({sp.sstr(sp.expand(c))})·{_spelled(w)}" for w, c in self.terms.items()))

    def trace(self):
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"a matrix of shape {self.shape} has no trace")
        return sum((c * _trace_of(w, self.shape[0]) for w, c in self.terms.items()), sp.Integer(0))

    def number(self):
        """The value of a 1 × 1 expression: one symbol for each word and its transpose."""
        return sum((c * _symbol_of(w) for w, c in self.terms.items()), sp.Integer(0))

    def settled(self):
        return self.number() if self.shape == (1, 1) else self

    def is_zero(self) -> bool:
        """Whether it vanishes for all matrices of these shapes (sums under an inverse are letters of their own)."""
        return all(is_zero(c) for c in self.terms.values())


def letter(name: str, rows, columns, symmetric: bool = False) -> Words:
    one = Letter(name, sp.sympify(rows), sp.sympify(columns), symmetric=symmetric)
    return Words({(one,): sp.Integer(1)}, (rows, columns))


def identity(n) -> Words:
    return Words({(): sp.Integer(1)}, (n, n))


def gram_matrix(exprs: Iterable[sp.Expr]) -> tuple[list[str], dict]:
    """The vectors whose inner products occur in some expressions, and the symbol of each pair."""
    symbols = {s for e in exprs for s in sp.sympify(e).free_symbols if isinstance(s, Inner)}
    vectors = sorted({v for s in symbols for v in s.pair})
    return vectors, {frozenset(s.pair): s for s in symbols}


class Inner(sp.Symbol):
    """The inner product of two vectors, a number."""

    pair: tuple[str, str]

    def __new__(cls, a: str, b: str):
        a, b = sorted((a, b))
        facts = {"nonnegative": True} if a == b else {"real": True}
        made = sp.Symbol.__new__(cls, f"⟨{a},{b}⟩", **facts)
        made.pair = (a, b)
        return made


def _reduced(word: tuple[Letter, ...]) -> tuple[Letter, ...]:
    out: list[Letter] = []
    for x in word:
        if out and out[-1].name == x.name and out[-1].turned == x.turned and out[-1].inverse != x.inverse:
            out.pop()
        else:
            out.append(x)
    return tuple(out)


def _spelled(word) -> str:
    return " ".join(x.name + ("ᵀ" if x.turned else "") + ("⁻¹" if x.inverse else "") for x in word) or "I"


def _symbol_of(word) -> sp.Expr:
    if not word:
        return sp.Integer(1)
    if len(word) == 2 and word[0].turned and not word[1].turned and not (word[0].inverse or word[1].inverse):
        return Inner(word[0].name, word[1].name)
    back = tuple(x.T() for x in reversed(word))
    chosen = min(word, back, key=lambda w: [x.key() for x in w])
    return sp.Symbol(f"⟨{_spelled(chosen)}⟩", real=True)


def _trace_of(word, size) -> sp.Expr:
    if not word:
        return sp.sympify(size)
    turned = [word[k:] + word[:k] for k in range(len(word))]
    reduced = [_reduced(w) for w in turned]
    shortest = min(reduced, key=len)
    if len(shortest) < len(word):
        return _trace_of(shortest, size)
    every = turned + [tuple(x.T() for x in reversed(w)) for w in turned]
    column = next((w for w in every if w[0].rows == 1), None)
    if column is not None:
        return _symbol_of(column)
    chosen = min(every, key=lambda w: [x.key() for x in w])
    return sp.Symbol(f"tr⟨{_spelled(chosen)}⟩", real=True)
