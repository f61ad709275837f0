"""The kinds of evidence that test a statement: each can also test a misprint of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import mpmath

from . import values as V
from .climbing import ORDERS, TIGHT, touching
from .context import FEW, POINTS, Context
from .environment import Env, NotEvaluable, Unbound
from .evaluate import evaluate, evaluate_sides
from .exact import close, exact_pairs, number, rounded
from .numbers import Rejected, clauses, compare, examine, named, pairs, relations, show, show_point, sides, tolerance
from .proofs import Proof
from .tokens import GrammarError
from .tree import Node, latex

FAILURES = (Rejected, NotEvaluable, Unbound, GrammarError, RecursionError, V.NoNumbers)


class Check:
    """A way of testing a tree: `test` raises one of `FAILURES`, or returns what a reader should see."""

    kind = ""
    method = ""
    touch: list = []  # noqa: RUF012  (replaced, never changed)
    everywhere = False  # whether the statement is meant at all points of its setting

    def test(self, tree: Node, context: Context) -> dict:
        raise NotImplementedError

    def quick(self, tree: Node, context: Context) -> None:
        """Reject a misprint by numbers alone, as far as they go."""
        raise NotImplementedError

    def same(self, tree: Node, other: Node, context: Context) -> bool:
        """Whether a misprint says the same as the display: equal sides at all points."""
        if _shape(tree) != _shape(other):
            return False
        mine, theirs = sides(tree), sides(other)
        if len(mine) != len(theirs):
            return False
        tol = tolerance(tree, context.definitions)
        for point in self.places(context):
            env = self.at(point, context)
            for x, y in zip(mine, theirs, strict=True):
                if x != y and not all(
                    compare("=", a, b, tol) for a, b in pairs(*evaluate_sides(Node("rel", (x, y), "="), env))
                ):
                    return False
        return True

    def still_tight(self, tree: Node, context: Context) -> None:
        """Where the display is all but an equality, a misprint of it must be one too."""
        rels = relations(tree)
        for k, point in self.touch:
            if k >= len(rels) or rels[k].data not in ORDERS:
                raise Rejected("there is another relation here")
            found = examine(rels[k], [point], context.definitions, context.near, few=True)
            if (found["tightest"] or 0) < TIGHT - 0.05:
                raise Rejected(f"it is far from an equality at {show_point(named(rels[k], point))}")

    def find_touch(self, tree: Node, context: Context) -> None:
        if not getattr(self, "pins", ()) and any(r.data in ORDERS for r in relations(tree)):
            self.touch = touching(tree, context, context.points(POINTS), context.near)

    def places(self, context: Context):
        return context.points(FEW)

    def at(self, point, context: Context):
        return Env(point, context.definitions, context.label, set(), mode="mp")


def _shape(tree: Node):
    return (tree.op, tree.data) if tree.op == "rel" else (tree.op, *map(_shape, tree.args))


def check_pins(tree: Node, context: Context, pins, env=None) -> None:
    """The sides at stated points have the values that were computed without the page."""
    for more, expected in pins:
        at = env or context.env(more)
        got = [s for side in sides(tree) for s in V.scalars(evaluate_sides(Node("side", (side,)), at))]
        want = [got[0]] * len(got) if expected == "equal" else [s for e in expected for s in V.scalars(e)]
        if len(got) != len(want):
            raise Rejected(f"{len(got)} values at the spot, {len(want)} expected")
        for g, w in zip(got, want, strict=True):
            if not close(g, w):
                where = ", ".join(f"{k} = {_short(v)}" for k, v in list(more.items())[:5])
                raise Rejected(f"at the spot {where} a side is {_short(g)}, not {_short(w)}")


def _short(v) -> str:
    try:
        return f"{float(v):.4g}"
    except (TypeError, ValueError):
        return str(v)[:40]


# --- proved ---------------------------------------------------------------------------------------
@dataclass
class Proved(Check):
    """Numbers at points of the setting, then a proof for the exact objects."""

    proof: Proof
    pins: tuple = ()
    kind = "proved"

    @property
    def method(self):
        return self.proof.name

    @property
    def everywhere(self):
        return self.proof.by != "order"

    def test(self, tree, context):
        detail = {} if self.proof.by == "order" else self.numbers(tree, context, POINTS)
        check_pins(tree, context, self.pins)
        detail |= self.proof.prove(tree, context)
        if not self.touch and not context.operators:
            self.find_touch(tree, context)
        return detail

    def quick(self, tree, context):
        if self.proof.by == "order":
            check_pins(tree, context, self.pins)
            self.proof.prove(tree, context)
            return
        self.numbers(tree, context, FEW)
        check_pins(tree, context, self.pins)
        self.still_tight(tree, context)

    def numbers(self, tree, context, n) -> dict:
        if context.operators:
            return self.proof.by_substitution(tree, context)
        found = examine(tree, context.points(n), context.definitions, context.near, context.used, context.label)
        tight = found.pop("tightest")
        return found | ({"tightest": round(tight, 4)} if tight is not None else {})

    def same(self, tree, other, context):
        if context.operators or self.proof.by == "order":
            return self.proof.same(tree, other, context)
        return super().same(tree, other, context)


# --- argued ---------------------------------------------------------------------------------------
@dataclass
class Argued(Check):
    """Proved in the text, by hand; no counterexample among points of the setting."""

    cases: int = 200
    pins: tuple = ()
    kind = "argued"
    everywhere = True
    method = "by hand, in the text"

    def test(self, tree, context):
        found = examine(
            tree, context.points(self.cases), context.definitions, context.near, context.used, context.label
        )
        check_pins(tree, context, self.pins)
        if not self.touch:
            self.find_touch(tree, context)
        tight = found.pop("tightest")
        return found | ({"tightest": round(tight, 4)} if tight is not None else {})

    def quick(self, tree, context):
        examine(tree, context.points(FEW), context.definitions, context.near)
        check_pins(tree, context, self.pins)
        self.still_tight(tree, context)


# --- refuted --------------------------------------------------------------------------------------
@dataclass
class Refuted(Check):
    """False at one point, which satisfies the page's settings and the statement's own premises."""

    expected: tuple
    kind: str = "refuted"
    method = "counterexample"
    detail: dict = field(default_factory=dict)

    def test(self, tree, context):
        check_pins(tree, context, [({}, self.expected)])
        env = context.env()
        within_setting(context)
        if not self._false(tree, env, context.near):
            raise Rejected("the statement holds at this counterexample")
        return {"sides": [_short(s) for e in self.expected for s in V.scalars(e)]}

    def quick(self, tree, context):
        numbers = rounded(context.values())
        env = context.env() if numbers is None else Env(numbers, context.definitions, context.label, mode="mp")
        check_pins(tree, context, [({}, self.expected)], env)
        if not self._false(tree, env, context.near) and not self._false(tree, context.env(), context.near):
            raise Rejected("the statement holds at this counterexample")

    def _false(self, tree, env, near) -> bool:
        live = [c for c in clauses(tree) if all(true(r, env, near) for r in c.premises)]
        if not live:
            raise Rejected("the counterexample does not satisfy the premise")
        return not all(true(r, env, near) for c in live for r in c.goals)

    def same(self, tree, other, context):
        """An equivalence is false where the implication in it is."""
        return relations(tree) == relations(other)


def true(r: Node, env, near=0) -> bool:
    """Whether a relation holds between the numbers of an environment."""
    for a, b in exact_pairs(*evaluate_sides(r, env)):
        rounded = any(isinstance(v, float) or V.kind(v) in ("array", "mp") for v in (a, b))
        if not compare(r.data, number(a), number(b), mpmath.mpf("1e-6") if rounded else mpmath.mpf("1e-25"), near):
            return False
    return True


def within_setting(context: Context) -> None:
    """The given point lies where the page's settings put it.

    Raises:
        Rejected: it breaks a bound, a set or a relation; the message says which.
    """
    env = context.env()
    for d in context.declared.values():
        value = context.given.get(d.name)
        if value is None or d.kind in ("function", "index"):
            continue
        for v in value.members.values() if isinstance(value, V.Family) else V.scalars(value):
            _inside(d, number(v), env)
    for label, r in [*context.relations, *context.assumptions]:
        if not true(r, env):
            raise Rejected(f"the counterexample breaks the page's own setting {label}: {latex(r)}")


def _inside(d, v, env) -> None:
    domain, where = d.domain, f"the counterexample has {d.name} = {show(v)}, which {d.label} excludes"
    if domain.field != "complex" and isinstance(v, V.MPC):
        raise Rejected(where)
    if domain.field == "integer" and v != int(v):
        raise Rejected(where)
    if domain.choices and not any(v == number(evaluate(c, env)) for c in domain.choices):
        raise Rejected(where)
    low, high = (None if e is None else number(evaluate(e, env)) for e in (domain.low, domain.high))
    if low is not None and (v < low or (domain.open_low and v == low)):
        raise Rejected(where)
    if high is not None and (v > high or (domain.open_high and v == high)):
        raise Rejected(where)
