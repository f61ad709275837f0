"""The order of a remainder, by Taylor's theorem or a limit of SymPy."""

from __future__ import annotations

import sympy as sp

from .identities import is_zero
from .numbers import Rejected


def _by_numbers(remainder, size, var, at) -> None:
    """Refute a wrong order by the quotient at two small distances."""
    if at in (sp.oo, -sp.oo) or sp.sympify(remainder).free_symbols | sp.sympify(size).free_symbols != {var}:
        return
    near = []
    for exponent in (8, 12):
        x = (
            sp.Rational(at) + sp.Rational(1, 10**exponent)
            if sp.sympify(at).is_Rational
            else at + sp.Float(10) ** -exponent
        )
        value = abs(sp.N(remainder.subs(var, x), 120) / sp.N(sp.sympify(size).subs(var, x), 120))
        if not value.is_finite:
            raise Rejected(f"the remainder has no value near {var} = {at}")
        near.append(value)
    if near[1] > 50 * near[0]:
        raise Rejected(f"the remainder is larger than O({size})")
    if near[1] < near[0] / 50:
        raise Rejected(f"the remainder is smaller than O({size}): the order is not sharp")


def _power_of(size, var, at) -> int:
    """k where `size` is a constant times (var - at)^k, else 0."""
    if at in (sp.oo, -sp.oo):
        return 0
    const, rest = sp.factor(size).as_independent(var, as_Add=False)
    base, k = rest.as_base_exp()
    return int(k) if k.is_Integer and k > 0 and sp.simplify((base / (var - at)).diff(var)) == 0 else 0


def _by_derivatives(remainder, var, at, k: int) -> str | None:
    """Taylor's theorem: the first k - 1 derivatives vanish, the k-th does not. None where a derivative has no value."""
    for j in range(k + 1):
        value = sp.diff(remainder, var, j).subs(var, at)
        if value.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
            return None
        if j < k and not is_zero(value):
            return "the remainder is larger than"
    return "the remainder is smaller (the order is not sharp) than" if is_zero(value) else ""


def order_holds(left, right, size, var, at) -> float:
    """`left = right + O(size)` exactly: the quotient has a finite, non-zero limit.

    Returns:
        the quotient near the point, with fixed numbers for all other symbols: misprints have another one.

    Raises:
        Rejected: the remainder is larger or smaller than stated, or the stated size does not vanish at the point.
    """
    left, right, size = map(sp.sympify, (left, right, size))
    finite = at not in (sp.oo, -sp.oo)
    if finite and not is_zero(size.subs(var, at)):
        raise Rejected(f"O({size}) does not vanish as {var} → {at}: it says nothing")
    _by_numbers(left - right, size, var, at)
    power = _power_of(size, var, at)
    if power and not (left - right).has(sp.Abs, sp.Max, sp.Min, sp.sign, sp.Piecewise):
        verdict = _by_derivatives(left - right, var, at, power)
        if verdict:
            raise Rejected(f"{verdict} O({size})")
        if verdict == "":
            return _quotient(left - right, size, var, at)
    _by_limit(left - right, size, var, at)
    return _quotient(left - right, size, var, at)


def _by_limit(remainder, size, var, at) -> None:
    quotient = sp.simplify(remainder / size)
    one_sided = at in (sp.oo, -sp.oo) or (at == 0 and var.is_nonnegative)
    try:
        value = sp.limit(quotient, var, at) if one_sided else sp.limit(quotient, var, at, "+-")
    except ValueError as error:
        raise Rejected(f"the remainder has no limit: {error}") from None
    if not value.is_finite:
        raise Rejected(f"the remainder is larger than O({size})")
    if sp.simplify(value) == 0:
        raise Rejected(f"the remainder is smaller than O({size}): the order is not sharp")


def _quotient(remainder, size, var, at) -> float:
    others = sorted((remainder.free_symbols | size.free_symbols) - {var}, key=str)
    fixed = {s: sp.Rational(7 + 4 * k, 5) if not s.is_integer else sp.Integer(k + 2) for k, s in enumerate(others)}
    x = sp.Integer(10) ** 12 if at == sp.oo else -(sp.Integer(10) ** 12) if at == -sp.oo else at + sp.Rational(1, 10**9)
    value = sp.N((remainder / size).subs(fixed).subs(var, x), 60)
    return complex(value).real if value.is_number else float("nan")
