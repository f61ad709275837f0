"""Random numbers in place of SymPy's symbols, for statements whose functions are given in code."""

from __future__ import annotations

import random

import sympy as sp
from sympy.core.function import AppliedUndef

from .exact import exact_pairs
from .numbers import Rejected

DIGITS = 30
POINTS = 8


# --- points -------------------------------------------------------------------------------------
def _number(s, rng: random.Random, domain) -> sp.Expr:
    lo, hi = domain.get(s, (None, None))
    if lo is None:
        if getattr(s, "is_integer", False):
            return sp.Integer(rng.randint(1, 6) if s.is_positive else rng.randint(-4, 6))
        if s.is_positive or s.is_nonnegative:
            lo, hi = 0.2, 3
        elif s.is_negative or s.is_nonpositive:
            lo, hi = -3, -0.2
        else:
            lo, hi = -2, 2
    lo, hi = sp.Rational(lo) if lo != -sp.oo else sp.Integer(-9), sp.Rational(hi) if hi != sp.oo else sp.Integer(9)
    return lo + (hi - lo) * sp.Rational(rng.randint(1, 9998), 9999)


def _test_function(f, rng):
    """A smooth positive function in place of an unknown one."""
    c = [sp.Rational(rng.randint(1, 40), 20) for _ in range(4 + 2 * len(f.args))]
    inner = sum(c[4 + 2 * k] * a + c[5 + 2 * k] * a**2 / 3 for k, a in enumerate(f.args))
    return c[0] + c[1] * sp.exp(-c[2] * inner / 3) + c[3] * inner**2 / 5


class Point:
    """One assignment of numbers to the free symbols of a statement."""

    def __init__(self, seed: int, domain=None):
        self.rng, self.domain = random.Random(seed), domain or {}
        self.numbers: dict = {}
        self.functions: dict = {}

    def value(self, expr):
        """The number an expression takes at this point, to `DIGITS` digits."""
        expr = sp.sympify(expr)
        for f in sorted(expr.atoms(AppliedUndef), key=str):
            if f.func not in self.functions:
                args = [sp.Dummy() for _ in f.args]
                self.functions[f.func] = sp.Lambda(tuple(args), _test_function(f.func(*args), self.rng))
        for f, concrete in self.functions.items():
            expr = expr.replace(f, concrete)
        sizes = {
            s
            for total in expr.atoms(sp.Sum, sp.Product)
            for lim in total.limits
            for s in sp.Tuple(*lim[1:]).free_symbols
        }
        for s in sorted(sizes, key=str):
            self.numbers.setdefault(s, sp.Integer(self.rng.randint(2, 4)))
        expr = expr.xreplace({s: self.numbers[s] for s in sizes})
        expr = expr.replace(lambda x: isinstance(x, (sp.Sum, sp.Product)), _written_out)
        if expr.has(sp.Sum, sp.Product, sp.Derivative, sp.Integral, sp.Subs, sp.Limit):
            expr = expr.doit()
        for s in sorted(expr.atoms(sp.Indexed), key=str):
            self.numbers.setdefault(s, _number(s, self.rng, self.domain))
        expr = expr.xreplace({s: self.numbers[s] for s in expr.atoms(sp.Indexed)})
        for s in sorted(expr.free_symbols, key=str):
            self.numbers.setdefault(s, _number(s, self.rng, self.domain))
        expr = expr.xreplace(
            {s: sp.Float(v, DIGITS) if not v.is_Integer else v for s, v in self.numbers.items() if v.is_number}
        )
        return sp.N(expr, DIGITS)

    def __str__(self):
        shown = [f"{s} = {sp.N(v, 4)}" for s, v in sorted(self.numbers.items(), key=lambda t: str(t[0]))]
        return ", ".join(shown[:6]) or "the stated values"


def _written_out(total):
    """A sum or product between whole bounds, term by term."""
    body = total.function
    for index, lo, hi in total.limits:
        if not (lo.is_Integer and hi.is_Integer):
            return total
        terms = [body.xreplace({index: sp.Integer(k)}) for k in range(int(lo), int(hi) + 1)]
        body = (sp.Add if isinstance(total, sp.Sum) else sp.Mul)(*terms)
    return body


def compare(rel: str, a, b, tol=0) -> bool | None:
    """Whether `a rel b` for numbers; None if one of them is no real number."""
    a, b = sp.sympify(a), sp.sympify(b)
    if a.has(sp.nan, sp.zoo) or b.has(sp.nan, sp.zoo):
        return None
    if rel in ("=", "!="):
        if a == b:
            return rel == "="
        same = (
            bool(abs(a - b) <= sp.Float(10) ** (-DIGITS // 2) * (1 + abs(a) + abs(b)))
            if a.is_finite and b.is_finite
            else False
        )
        return same if rel == "=" else not same
    if not (a.is_extended_real and b.is_extended_real):
        a, b = (sp.re(x) if abs(sp.im(x)) < 1e-18 else x for x in (a, b))
        if not (a.is_extended_real and b.is_extended_real):
            return None
    if rel == "~":
        return bool(abs(a - b) <= tol)
    slack = sp.Float(10) ** (-DIGITS // 2) * (1 + abs(a) + abs(b)) if rel in ("<=", ">=") else 0
    d = b - a if rel in ("<", "<=") else a - b
    return bool(d >= -slack) if rel in ("<=", ">=") else bool(d > 0)


def holds_at(rel, a, b, point: Point, tol) -> bool:
    """Whether a relation between exact sides holds at a point."""
    for x, y in exact_pairs(a, b):
        try:
            ok = compare(rel, point.value(x), point.value(y), tol)
        except (TypeError, ValueError, ZeroDivisionError) as e:
            raise Rejected(f"has no value at {point}: {e}") from None
        if ok is None:
            raise Rejected(f"is not a real number at {point}")
        if not ok:
            return False
    return True
