"""Inequalities by interval arithmetic: a box is divided until every part decides."""

from __future__ import annotations

import mpmath
import sympy as sp

from . import values as V
from .numbers import Rejected


def interval_value(e, box):
    """An enclosure of an expression over a box of `mpmath.iv` intervals."""
    iv = mpmath.iv
    e = sp.sympify(e)
    if e in box:
        return box[e]
    if e.is_Rational:
        return iv.mpf(int(e.p)) / int(e.q)
    if e == sp.pi:
        return +iv.pi
    if e == sp.E:
        return +iv.e
    if e.is_Add:
        total = iv.mpf(0)
        for a in e.args:
            total += interval_value(a, box)
        return total
    if e.is_Mul:
        total = iv.mpf(1)
        for a in e.args:
            total *= interval_value(a, box)
        return total
    if e.is_Pow:
        if e.base == sp.E:
            return iv.exp(interval_value(e.exp, box))
        x = interval_value(e.base, box)
        if e.exp.is_Integer:
            return x ** int(e.exp)
        if e.exp.is_Rational and e.exp.q == 2:
            return iv.sqrt(x) ** int(e.exp.p)
        return iv.exp(interval_value(e.exp, box) * iv.log(x))
    if isinstance(e, sp.Abs):
        return abs(interval_value(e.args[0], box))
    names = {sp.exp: iv.exp, sp.log: iv.log, sp.sin: iv.sin, sp.cos: iv.cos, sp.tan: iv.tan}
    if e.func in names:
        return names[e.func](interval_value(e.args[0], box))
    if isinstance(e, sp.tanh):
        u = iv.exp(-2 * interval_value(e.args[0], box))
        return 2 / (1 + u) - 1
    if not e.is_Symbol:
        raise Rejected(f"no interval arithmetic for {e.func.__name__}")
    raise Rejected(f"the box has no interval for {e}")


def interval_holds(rel, a, b, box, tol=0, limit=20_000) -> int:
    """Branch and bound over a box.

    Returns:
        the number of sub-boxes that were needed.

    Raises:
        Rejected: a sub-box contradicts the relation, or the bounds do not separate.
    """
    if not box:
        ok = _interval_verdict(rel, _enclose(a), _enclose(b), tol)
        if ok is not True:
            raise Rejected("the enclosures do not show it")
        return 1
    gap = sp.sympify(b) - sp.sympify(a)
    slopes = {s: sp.diff(gap, s) for s in box}
    smooth = not gap.has(sp.Abs, sp.Max, sp.Min, sp.sign)
    todo = [{s: mpmath.iv.mpf([_lower(lo), _upper(hi)]) for s, (lo, hi) in box.items()}]
    done = 0
    while todo:
        here = todo.pop()
        try:
            ok = _interval_verdict(rel, mpmath.iv.mpf(0), interval_value(gap, here), tol)
        except (mpmath.libmp.ComplexResult, ZeroDivisionError, ValueError):
            ok = None
        if ok is None and smooth:
            try:
                ok = _interval_verdict(rel, mpmath.iv.mpf(0), _centred(gap, slopes, here), tol)
            except (mpmath.libmp.ComplexResult, ZeroDivisionError, ValueError):
                ok = None
        if ok is None:
            middle = {s: mpmath.iv.mpf(v.mid) for s, v in here.items()}
            try:
                if _interval_verdict(rel, mpmath.iv.mpf(0), interval_value(gap, middle), tol) is False:
                    here, ok = middle, False
            except (mpmath.libmp.ComplexResult, ZeroDivisionError, ValueError):
                pass
        if ok is False:
            raise Rejected("fails for " + ", ".join(f"{s} in {v}" for s, v in here.items()))
        done += 1
        if ok is None:
            if done + len(todo) > limit:
                raise Rejected(
                    f"interval arithmetic does not decide it within {limit} boxes (is there equality inside the box?)"
                )
            widest = max(here, key=lambda s: here[s].delta)
            a0, m, b0 = here[widest].a, here[widest].mid, here[widest].b
            todo += [{**here, widest: mpmath.iv.mpf([a0.a, m.b])}, {**here, widest: mpmath.iv.mpf([m.a, b0.b])}]
    return done


def _centred(gap, slopes, here):
    """The mean-value form: sharper than the natural one on small boxes."""
    middle = {s: mpmath.iv.mpf(v.mid) for s, v in here.items()}
    total = interval_value(gap, middle)
    for s, slope in slopes.items():
        total += interval_value(slope, here) * (here[s] - middle[s])
    return total


def _lower(x):
    return mpmath.iv.mpf(str(x)).a if not isinstance(x, sp.Basic) else interval_value(x, {}).a


def _upper(x):
    return mpmath.iv.mpf(str(x)).b if not isinstance(x, sp.Basic) else interval_value(x, {}).b


def _enclose(x):
    if isinstance(x, V.IV):
        return x
    if isinstance(x, (int, float)):
        return mpmath.iv.mpf(x)
    return interval_value(x, {})


def _interval_verdict(rel, a, b, tol):
    """True or False when the enclosures decide `a rel b`, None when they do not."""
    d = b - a
    if rel == "~":
        t = mpmath.iv.mpf(str(tol))
        return True if d.b <= t.a and d.a >= -t.a else (False if d.a > t.b or d.b < -t.b else None)
    if rel in (">", ">="):
        d = -d
    if rel in ("<", ">"):
        return True if d.a > 0 else (False if d.b <= 0 else None)
    if rel in ("<=", ">="):
        return True if d.a >= 0 else (False if d.b < 0 else None)
    raise Rejected("interval arithmetic proves inequalities and ≈, not equalities")
