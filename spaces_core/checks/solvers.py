"""Inequalities of polynomials: by the decision procedure of z3, or by a sum of squares that the author gives."""

from __future__ import annotations

import sympy as sp

from .identities import is_zero
from .numbers import Rejected

STEPS = 2_000_000
"""z3's own count of its steps, so that a verdict does not hang on how fast or how busy the machine is."""


def z3_holds(premises, goals) -> None:
    """Prove `premises ⟹ goals` over the reals.

    Args:
        premises: `(rel, left, right)` triples of SymPy expressions.
        goals: triples, all of which must follow.

    Raises:
        Rejected: z3 finds a counterexample, or does not decide.
    """
    try:
        import z3
    except ImportError:  # pragma: no cover
        raise Rejected("this proof needs z3: pip install z3-solver") from None
    solver = z3.Solver()
    solver.set("rlimit", STEPS)
    to = _Z3(z3, solver)
    formulas = [to.relation(*p) for p in premises]
    solver.add(*to.conditions)
    to.conditions = []
    targets = [to.relation(*g) for g in goals]
    targets += to.conditions
    for e in {s for triple in [*premises, *goals] for side in triple[1:] for s in sp.sympify(side).free_symbols}:
        to.sign(e)
    solver.add(*formulas)
    if premises and solver.check() == z3.unsat:
        raise Rejected("what is assumed cannot hold: the statement is empty")
    solver.add(z3.Not(z3.And(*targets)))
    answer = solver.check()
    if answer == z3.sat:
        raise Rejected(f"z3 found a counterexample: {str(solver.model()).replace(chr(10), ' ')[:200]}")
    if answer != z3.unsat:
        raise Rejected("z3 did not decide it")


class _Z3:
    def __init__(self, z3, solver):
        self.z3, self.solver, self.names, self.conditions = z3, solver, {}, []

    def symbol(self, s):
        return self.names.setdefault(s, self.z3.Real(f"{s.name}_{len(self.names)}"))

    def sign(self, s):
        v = self.symbol(s)
        if s.is_positive:
            self.solver.add(v > 0)
        elif s.is_nonnegative:
            self.solver.add(v >= 0)
        elif s.is_negative:
            self.solver.add(v < 0)

    def relation(self, rel, a, b):
        x, y = self.expr(sp.sympify(a)), self.expr(sp.sympify(b))
        return {"=": x == y, "!=": x != y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[rel]

    def expr(self, e):
        z3 = self.z3
        if e.is_Rational:
            return z3.RealVal(f"{e.p}/{e.q}")
        if e.is_Symbol:
            return self.symbol(e)
        if e.is_Add:
            return z3.Sum([self.expr(a) for a in e.args])
        if e.is_Mul:
            return z3.Product([self.expr(a) for a in e.args])
        if e.is_Pow and e.exp.is_Rational:
            x, p, q = self.expr(e.base), int(e.exp.p), int(e.exp.q)
            if q != 1:
                r = z3.FreshReal()
                if q % 2 == 0:
                    self.conditions.append(x >= 0)
                    self.solver.add(r >= 0, z3.Implies(x >= 0, z3.Product([r] * q) == x))
                else:
                    self.solver.add(z3.Product([r] * q) == x)
                x = r
            y = z3.Product([x] * abs(p)) if abs(p) > 1 else x
            if p < 0:
                self.solver.add(y != 0)
                return 1 / y
            return y
        if isinstance(e, sp.Abs):
            x = self.expr(e.args[0])
            return z3.If(x >= 0, x, -x)
        if isinstance(e, (sp.Max, sp.Min)):
            xs = [self.expr(a) for a in e.args]
            out = xs[0]
            for x in xs[1:]:
                out = z3.If(out >= x, out, x) if isinstance(e, sp.Max) else z3.If(out <= x, out, x)
            return out
        raise Rejected(
            f"z3 does not know {e.func.__name__}({', '.join(map(str, e.args))}); use intervals or a certificate"
        )


def certificate_holds(rel, a, b, certificate) -> None:
    """Larger minus smaller side equals a manifestly non-negative expression."""
    gap = b - a if rel in ("<", "<=") else a - b
    if rel not in ("<", "<=", ">", ">="):
        raise Rejected("a certificate belongs to an inequality")
    certificate = sp.sympify(certificate)
    if not (certificate.is_positive if rel in ("<", ">") else certificate.is_nonnegative):
        raise Rejected(
            f"SymPy does not see that the certificate {certificate} is {'positive' if rel in '<>' else 'non-negative'}"
        )
    if not is_zero(gap - certificate):
        raise Rejected("the difference of the two sides is not the certificate")
