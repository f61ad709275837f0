"""Identities, by SymPy: expand, name equal sums, simplify."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from .numbers import Rejected


def is_zero(expr, given=()) -> bool:
    """Whether SymPy proves that an expression vanishes identically.

    Args:
        expr: an expression of SymPy.
        given: pairs of expressions that are equal by assumption, such as a sum of probabilities and 1.
    """
    expr = sp.sympify(expr)
    if given and any(is_zero(e) for e in _reduced(expr, given)):
        return True
    if expr == 0:
        return True
    if expr.atoms(sp.Float):
        raise Rejected("a proof needs exact values: write sympy.Rational, not floats")
    for step in (_expand, _sums, _doit, _rational, sp.simplify, _powers, _logs, sp.trigsimp, _exponentials, _radicals):
        try:
            new = step(expr)
        except Exception:  # a step that SymPy cannot do decides nothing
            continue
        if new == 0:
            return True
        if not new.free_symbols and new.is_number and step is not _expand:
            return bool(new.equals(0))
        if step is not _sums and sp.count_ops(new) < sp.count_ops(expr):
            expr = new
    return False


def converged(expr, intervals: Callable[[], dict]):
    """Infinite sums by their values, where these hold for all numbers of the setting.

    Args:
        expr: an expression of SymPy.
        intervals: gives for each symbol the interval that it is in.
    """
    if not any(hi == sp.oo for total in expr.atoms(sp.Sum) for *_, hi in total.limits):
        return expr
    inside = intervals()

    def branch(value):
        for result, condition in value.args:
            if condition == True or _everywhere(condition, inside):  # noqa: E712
                return result
            if not _nowhere(condition, inside):
                break
        return value

    return expr.doit().replace(lambda x: isinstance(x, sp.Piecewise), branch)


def _everywhere(condition, inside: dict) -> bool:
    """Whether a condition on one symbol holds in its whole interval."""
    try:
        (symbol,) = condition.free_symbols
        free = sp.Dummy(real=True)
        return bool(inside[symbol].is_subset(condition.xreplace({symbol: free}).as_set()))
    except (ValueError, KeyError, NotImplementedError, TypeError, AttributeError):
        return False


def _nowhere(condition, inside: dict) -> bool:
    return _everywhere(sp.Not(condition), inside)


def _expand(e):
    return sp.expand(e)


def _doit(e):
    return sp.expand(e.doit()) if e.has(sp.Sum, sp.Derivative, sp.Integral, sp.Subs, sp.Limit, sp.Product) else e


def _rational(e):
    return sp.expand(sp.fraction(sp.together(e))[0])


def _powers(e):
    return sp.expand(sp.fraction(sp.together(sp.powsimp(sp.expand(sp.expand_power_base(sp.powdenest(e))))))[0])


def _logs(e):
    return sp.simplify(sp.expand_log(sp.expand(e)))


def _exponentials(e):
    return sp.simplify(e.rewrite(sp.exp))


def _radicals(e):
    return sp.radsimp(sp.simplify(sp.sqrtdenest(e)))


def _sums(e, given=()):
    """Open sums of any length: expand, pull constants out, give equal sums one name, then simplify."""
    if not e.has(sp.Sum):
        return e
    names: dict = {}
    bound = {index for total in e.atoms(sp.Sum) for index, *_ in total.limits}

    def canonical(total):
        body = total.function
        for index, lo, hi in total.limits:
            body = one(body, index, lo, hi)
        return body

    def one(body, index, lo, hi):
        k = sp.Symbol("k_", integer=True, positive=index.is_positive, nonnegative=index.is_nonnegative)
        out = 0
        for term in sp.Add.make_args(sp.expand(sp.powsimp(sp.expand(body.xreplace({index: k}))))):
            const, rest = term.as_independent(k, as_Add=False)
            rest = sp.powsimp(rest)
            if rest == 1:
                out += const * (hi - lo + 1)
                continue
            if rest.free_symbols & bound - {k}:
                out += const * sp.Sum(rest, (k, lo, hi))
                continue
            name = names.setdefault((rest, lo, hi), sp.Dummy(f"S{len(names)}", positive=rest.is_positive))
            out += const * name
        return out

    flat = e.replace(lambda x: isinstance(x, sp.Sum), canonical)
    if given:
        equal = [sp.expand(a.replace(lambda x: isinstance(x, sp.Sum), canonical) - b) for a, b in map(_both, given)]
        flat = _modulo(flat, equal, set(names.values()))
    return sp.simplify(sp.expand(sp.fraction(sp.together(flat))[0]))


def _both(pair):
    return sp.sympify(pair[0]), sp.sympify(pair[1])


def _reduced(expr, given):
    """The expression with what is given used: in open sums, and as polynomials."""
    if expr.has(sp.Sum) or any(sp.sympify(a).has(sp.Sum) for a, _ in given):
        try:
            yield _sums(expr, given)
        except (TypeError, ValueError, NotImplementedError):
            return
        return
    equal = [sp.expand(a - b) for a, b in map(_both, given)]
    used = sorted(expr.free_symbols & set().union(*(e.free_symbols for e in equal)), key=str)
    yield _modulo(sp.expand(sp.fraction(sp.together(expr))[0]), equal, set(used))


def _solved(e, names):
    """A name that an equation determines, with its value."""
    for n in names:
        if e.is_polynomial(n) and sp.degree(e, n) != 1:
            continue
        try:
            found = sp.solve(e, n)
        except NotImplementedError:
            continue
        if len(found) == 1 and not found[0].has(n):
            return n, found[0]
    return None, None


def _modulo(expr, equal, names):
    """The remainder of an expression by equations, solved one after the other for a name that is linear in them."""
    for e in equal:
        mine = sorted(names & e.free_symbols, key=str)
        target, value = _solved(e, mine)
        if target is not None:
            expr = expr.subs(target, value)
            equal = [x.subs(target, value) for x in equal]
            continue
        square = next((n for n in mine if e.is_polynomial(n) and sp.degree(e, n) == 2), None)
        if square is not None and expr.is_polynomial(square):
            expr = sp.rem(sp.expand(expr), e, square)
    return expr
