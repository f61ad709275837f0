"""Exact values of SymPy beside numbers: pairing sides, and turning a value into a number of many digits."""

from __future__ import annotations

import mpmath
import sympy as sp

from . import values as V
from .environment import NotEvaluable
from .numbers import Rejected


def exact_pairs(left, right) -> list[tuple]:
    """The two sides, number by number, whatever they are made of."""
    shapes = [tuple(v.shape) for v in (left, right) if V.is_matrix(v)]
    if len(shapes) == 2 and shapes[0] != shapes[1]:
        raise Rejected(f"the sides have the shapes {shapes[0]} and {shapes[1]}")
    a, b = V.scalars(left), V.scalars(right)
    if len(a) != len(b):
        if len(b) == 1 and (b[0] == 0 or not V.is_matrix(left)):
            b = b * len(a)
        elif len(a) == 1 and (a[0] == 0 or not V.is_matrix(right)):
            a = a * len(b)
        else:
            raise Rejected(f"the sides have {len(a)} and {len(b)} components")
    return list(zip(a, b, strict=True))


def close(a, b, rtol=1e-9) -> bool:
    if isinstance(a, V.IV) or isinstance(b, V.IV):
        a, b = (x.mid if isinstance(x, V.IV) else x for x in (a, b))
    try:
        a, b = complex(a), complex(b)
    except (TypeError, ValueError):
        return sp.simplify(sp.sympify(a) - sp.sympify(b)) == 0
    return abs(a - b) <= max(rtol * max(abs(a), abs(b)), 1e-15)


def number(v):
    """A number with many digits.

    Raises:
        Rejected: symbols are left in it.
    """
    v = sp.sympify(float(v)) if V.kind(v) in ("array", "float") and not isinstance(v, int) else sp.sympify(v)
    if not isinstance(v, sp.Expr):
        raise NotEvaluable("a side is no number")
    if v.free_symbols:
        raise Rejected(f"a counterexample has numbers, not symbols ({', '.join(map(str, v.free_symbols))})")
    value = sp.N(v, 30)
    real, imaginary = value.as_real_imag()
    if not (real.is_Float or real.is_Rational):
        raise NotEvaluable("a side is infinite or no number")
    real = mpmath.mpf(sp.Float(real, 30)._mpf_)
    return real if imaginary == 0 else mpmath.mpc(real, mpmath.mpf(sp.Float(imaginary, 30)._mpf_))


def rounded(values: dict) -> dict | None:
    """The same values with 30 digits, which are faster to reckon with; None where one holds a symbol or a function."""
    found = {}
    for name, v in values.items():
        try:
            if isinstance(v, (int, range)):
                found[name] = v
            elif isinstance(v, V.Family):
                found[name] = V.Family(name, {k: number(x) for k, x in v.members.items()})
            elif isinstance(v, V.Vec):
                found[name] = V.Vec(number(x) for x in v)
            elif V.is_matrix(v):
                rows, columns = v.shape
                flat = [number(x) for x in V.scalars(v)]
                found[name] = V.Mat([flat[i * columns : (i + 1) * columns] for i in range(rows)])
            else:
                found[name] = int(v) if getattr(v, "is_Integer", False) else number(v)
        except (Rejected, NotEvaluable, sp.SympifyError, TypeError, ValueError):
            return None
    return found
