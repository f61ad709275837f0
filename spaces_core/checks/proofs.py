"""Ways to prove a statement about exact objects, one small class for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath
import sympy as sp

from . import general
from . import values as V
from .context import Context
from .environment import NotEvaluable
from .evaluate import evaluate, evaluate_sides
from .exact import exact_pairs
from .identities import converged, is_zero
from .intervals import interval_holds
from .numbers import Fails, Rejected, clauses, relations, sides
from .orders import order_holds
from .points import Point, holds_at
from .solvers import certificate_holds, z3_holds
from .tree import Node, latex

NAMES = {
    "identity": "identity (SymPy)",
    "words": "identity of words, any size",
    "gram": "inner products, any dimension",
    "induction": "induction",
    "sign": "sign of the difference (SymPy)",
    "z3": "decision procedure (z3)",
    "sos": "certificate: sum of squares (SymPy)",
    "interval": "interval arithmetic",
    "order": "order of the remainder (SymPy limit)",
}


@dataclass
class Proof:
    """How a statement is proved.

    Args:
        by: a key of `NAMES`.
        certificate: for `sos`, what the larger side is bigger by; one for each relation.
        order: for `order`, the variable and the point it goes to.
        box: for `interval` and `z3`, ends of the variables where they are narrower than the page's setting.
        near: what `≈` allows.
        on: for `induction`, the name it runs over.
    """

    by: str
    certificate: object = None
    order: tuple = ()
    box: dict | None = None
    near: float = 0.0
    on: str = ""
    quotient: float | None = None

    @property
    def name(self) -> str:
        return NAMES[self.by]

    def narrowed(self) -> list[str]:
        """What a box leaves out."""
        return [f"{a} ≤ {s} ≤ {b}" for s, (a, b) in (self.box or {}).items()]

    def prove(self, tree: Node, context: Context) -> dict:
        """Raises Rejected if it does not prove the statement; returns what a reader should see."""
        if self.by in ("words", "gram", "induction"):
            return getattr(general, f"by_{self.by}")(self, tree, context)
        env = context.env(mode="iv" if self._intervals(context) else "sympy")
        assumed = (
            [(r.data, *evaluate_sides(r, env)) for _, r in [*context.relations, *context.assumptions]]
            if self._uses()
            else []
        )
        detail: dict = {}
        for clause in clauses(tree):
            premises = [(r.data, *self.sides(r, env)) for r in clause.premises]
            goals = [(r.data, *self.sides(r, env)) for r in clause.goals]
            if self.by == "z3":
                self._z3(premises, goals, assumed, context, env)
                continue
            if premises:
                raise Rejected("an implication is proved with by='z3', or argued")
            certificates = (
                self.certificate if isinstance(self.certificate, (list, tuple)) else [self.certificate] * len(goals)
            )
            if len(certificates) != len(goals):
                raise Rejected(f"{len(goals)} relations need {len(goals)} certificates, there are {len(certificates)}")
            for (rel, a, b), certificate in zip(goals, certificates, strict=True):
                self._one(rel, a, b, certificate, assumed, context, detail)
        return detail

    def _uses(self) -> bool:
        return self.by in ("z3", "identity", "sos", "sign")

    def _intervals(self, context: Context) -> bool:
        return self.by == "interval" and any(isinstance(v, V.IV) for v in context.values().values())

    def sides(self, rel: Node, env):
        if self.by == "order":
            left, right = rel.args
            terms = right.args if right.op == "add" else (right,)
            orders = [t for t in terms if t.op == "order"]
            if len(orders) != 1:
                raise Rejected("a display with a stated order has one O(...) on its right side")
            rest = [evaluate(t, env) for t in terms if t.op != "order"]
            return evaluate(left, env), (sum(rest), evaluate(orders[0].args[0], env))
        found = evaluate_sides(rel, env)
        if rel.data == "!=" and max(len(V.scalars(side)) for side in found) > 1:
            raise Rejected("≠ between families says nothing definite; write \\|x - y\\| > 0")
        for s in (v for side in found for v in V.scalars(side)):
            if isinstance(s, float) or V.kind(s) in ("array", "mp") or (isinstance(s, sp.Basic) and s.has(sp.Float)):
                raise Rejected("a proof needs exact values: write sympy.Rational, not floats")
        return found

    def _one(self, rel, a, b, certificate, assumed, context, detail) -> None:
        if self.by == "order":
            if rel != "=":
                raise Rejected("a stated order belongs to an equation")
            quotient = order_holds(a, *b, *self.order)
            if self.quotient is not None and not abs(quotient - self.quotient) <= 1e-5 * abs(self.quotient):
                raise Rejected(f"the remainder is {quotient:.4g} times the stated size, not {self.quotient:.4g} times")
            self.quotient = quotient
            detail["quotient"] = float(f"{quotient:.4g}")
            return
        for x, y in exact_pairs(a, b):
            if rel == "=":
                gap = converged(sp.sympify(x) - sp.sympify(y), lambda: self._intervals_of(context))
                if not is_zero(gap, self.given(assumed)):
                    raise Rejected("SymPy does not reduce the difference of the two sides to zero")
            elif self.by == "sign":
                _sign(rel, x, y)
            elif self.by == "sos":
                certificate_holds(rel, x, y, certificate)
            elif self.by == "interval":
                detail["boxes"] = detail.get("boxes", 0) + interval_holds(rel, x, y, self._box(context), self.near)
            else:
                raise Rejected("an identity is an equation; an inequality is proved by='z3', 'sos' or 'interval'")

    @staticmethod
    def given(assumed) -> list[tuple]:

        return [pair for rel, a, b in assumed if rel == "=" for pair in exact_pairs(a, b)]

    def _box(self, context: Context) -> dict:
        """The box of a proof by intervals: given, or the intervals of the setting."""
        box = dict(self.box or {})
        env = context.env()
        for d in context.declared.values():
            s = context.values().get(d.name)
            if d.kind == "scalar" and isinstance(s, sp.Symbol) and s not in box:
                ends = _ends(d, context, env)
                if None not in ends:
                    box[s] = ends
        return box

    @staticmethod
    def _intervals_of(context: Context) -> dict:
        """Where the scalars of the setting lie."""
        env, found = context.env(), {}
        for d in context.declared.values():
            s = context.values().get(d.name)
            if d.kind == "scalar" and isinstance(s, sp.Symbol):
                low, high = _ends(d, context, env)
                ends = (-sp.oo if low is None else low, sp.oo if high is None else high)
                found[s] = sp.Interval(*ends, bool(d.domain.open_low), bool(d.domain.open_high))
        return found

    def _z3(self, premises, goals, assumed, context, env) -> None:

        if any(rel == "~" for rel, *_ in (*premises, *goals)):
            raise Rejected("≈ is proved by='interval' with near=")
        given = [(rel, x, y) for rel, a, b in (*premises, *assumed) for x, y in exact_pairs(a, b)]
        for d in context.declared.values():
            s = context.values().get(d.name)
            if d.kind == "scalar" and isinstance(s, sp.Symbol):
                low, high = _ends(d, context, env)
                given += [] if low is None else [(">" if d.domain.open_low else ">=", s, low)]
                given += [] if high is None else [("<" if d.domain.open_high else "<=", s, high)]
        for s, (low, high) in (self.box or {}).items():
            given += [(">=", s, sp.sympify(low)), ("<=", s, sp.sympify(high))]
        z3_holds(given, [(rel, x, y) for rel, a, b in goals for x, y in exact_pairs(a, b)])

    # --- where numbers cannot be drawn: substitution into the exact sides ---------------------------
    def by_substitution(self, tree: Node, context: Context) -> dict:
        """Refute at random numbers in place of the symbols, for functions that are given in code."""
        env = context.env()
        assumed = [(r.data, *evaluate_sides(r, env)) for _, r in context.relations]
        tested = 0
        for k in range(60):
            point = Point(context.seed * 10_000 + k)
            if not all(holds_at(rel, a, b, point, 0) for rel, a, b in assumed):
                continue
            for clause in clauses(tree):
                if all(holds_at(r.data, *evaluate_sides(r, env), point, 0) for r in clause.premises):
                    for r in clause.goals:
                        a, b = evaluate_sides(r, env)
                        if not holds_at(r.data, a, b, point, self.near):
                            numbers = {str(s): mpmath.mpf(sp.Float(v, 30)._mpf_) for s, v in point.numbers.items()}
                            raise Fails(r, numbers, *([point.value(v) for v in V.scalars(x)] for x in (a, b)))
            tested += 1
            if tested == 8:
                break
        if tested < 2:
            raise Rejected("no point of the setting satisfies what is assumed")
        return {"points": tested, "tested": tested}

    def same(self, tree: Node, other: Node, context: Context) -> bool:

        env = context.env()
        mine, theirs = sides(tree), sides(other)
        if len(mine) != len(theirs) or [r.data for r in relations(tree)] != [r.data for r in relations(other)]:
            return False
        for x, y in zip(mine, theirs, strict=True):
            if x != y:
                if self.by == "order":
                    return True  # the same quotient of remainder and size: a constant factor of the size
                if not all(
                    is_zero(sp.sympify(a) - sp.sympify(b))
                    for a, b in exact_pairs(*evaluate_sides(Node("rel", (x, y), "="), env))
                ):
                    return False
        return True


def _ends(d, context: Context, env) -> list:
    """The ends of a declared interval, exact."""
    ends = [None if e is None else sp.sympify(evaluate(e, env)) for e in (d.domain.low, d.domain.high)]
    for _, r in context.relations:
        for rel in r.args if r.op == "chain" else (r,):
            for one, other, data in (
                (*rel.args, rel.data),
                (*reversed(rel.args), {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(rel.data, "")),
            ):
                if one.op == "sym" and latex(one) == d.name and data in ("<", "<=", ">", ">="):
                    try:
                        value = sp.sympify(evaluate(other, env))
                    except NotEvaluable:
                        continue
                    if value.is_number:
                        k = 0 if data in (">", ">=") else 1
                        ends[k] = value if ends[k] is None else (max if k == 0 else min)(ends[k], value)
    return ends


def _sign(rel, x, y):
    if rel not in ("<", "<=", ">", ">="):
        raise Rejected(f"the relation {rel} needs another method: ≈ is proved by='interval' with near=")
    gap = sp.factor(sp.simplify(y - x if rel in ("<", "<=") else x - y))
    if not (gap.is_positive if rel in ("<", ">") else gap.is_nonnegative):
        raise Rejected("SymPy does not see the sign of the difference; prove it by='z3', 'sos' or 'interval'")
