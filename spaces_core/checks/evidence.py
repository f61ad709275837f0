"""The kinds of evidence: each knows how to test a tree, so that the same test can be run on its typos."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import sympy as sp

from . import prove as P
from . import values as V
from .evaluate import Env, NotEvaluable, Unbound, evaluate, evaluate_sides
from .prove import Rejected
from .tree import Node, latex, walk
from .uncertain import estimate, interval


class Fails(Rejected):
    """A relation is false at a point; `left` and `right` are the numbers of its sides there."""

    def __init__(self, relation: Node, point: P.Point, left, right):
        super().__init__(f"fails at {point}")
        self.relation, self.point = relation, point
        self.left, self.right = ([point.value(v) for v in V.scalars(side)] for side in (left, right))


FAILURES = (Rejected, NotEvaluable, Unbound, RecursionError)
TYPO_CASES = 40


@dataclass(frozen=True)
class Clause:
    """`premises ⟹ goals`, each a relation node."""

    premises: tuple[Node, ...]
    goals: tuple[Node, ...]


def relations(tree: Node) -> tuple[Node, ...]:
    if tree.op == "rel":
        return (tree,)
    if tree.op in ("chain", "all"):
        return tuple(r for a in tree.args for r in relations(a))
    if tree.op in ("implies", "iff"):
        return tuple(r for a in tree.args for r in relations(a))
    raise Rejected("the display states no relation")


def clauses(tree: Node) -> list[Clause]:
    if tree.op == "all":
        return [c for a in tree.args for c in clauses(a)]
    if tree.op == "implies":
        return [Clause(relations(tree.args[0]), relations(tree.args[1]))]
    if tree.op == "iff":
        a, b = (relations(x) for x in tree.args)
        return [Clause(a, b), Clause(b, a)]
    return [Clause((), relations(tree))]


def sides(tree: Node) -> list[Node]:
    """All sides in reading order; the shared side of a chain once."""
    if tree.op == "rel":
        return list(tree.args)
    if tree.op == "chain":
        return [tree.args[0].args[0], *(r.args[1] for r in tree.args)]
    return [s for a in tree.args for s in sides(a)]


@dataclass
class Context:
    """What a test is run with: bindings, the page's definitions and assumptions, a seed."""

    label: str
    values: dict
    definitions: list
    assumptions: list
    seed: int = 0
    used: set = field(default_factory=set)

    def env(self, more: dict | None = None, mode: str = "") -> Env:
        return Env({**self.values, **(more or {})}, self.definitions, self.label, self.used, mode=mode)


def check_pins(tree: Node, context: Context, pins) -> None:
    """The sides at stated points have the values that were computed without the page."""
    for more, expected in pins:
        env = context.env(more)
        got = [s for side in sides(tree) for s in V.scalars(evaluate_sides(Node("side", (side,)), env))]
        if expected == "equal":
            expected = [got[0]] * len(got)
        want = [s for e in expected for s in V.scalars(e)]
        if len(got) != len(want):
            raise Rejected(f"{len(got)} values at the spot, {len(want)} expected")
        for g, w in zip(got, want, strict=True):
            if not _close(g, w):
                raise Rejected(f"at the spot {_show(more)} a side is {_short(g)}, not {_short(w)}")


def _close(a, b, rtol=1e-9) -> bool:
    if isinstance(a, V.IV) or isinstance(b, V.IV):
        a, b = (x.mid if isinstance(x, V.IV) else x for x in (a, b))
    try:
        a, b = complex(a), complex(b)
    except ValueError:
        return False
    except TypeError:
        return P.is_zero(sp.sympify(a) - sp.sympify(b))
    return abs(a - b) <= max(rtol * max(abs(a), abs(b)), 1e-15)


def _short(v) -> str:
    try:
        return f"{float(v):.4g}"
    except (TypeError, ValueError):
        return str(v)[:40]


def _show(bindings) -> str:
    shown = [
        f"{k} = {_short(v)}" for k, v in bindings.items() if not isinstance(v, (range, tuple, list)) and not callable(v)
    ]
    return ", ".join(shown[:5])


class Check:
    """A way of testing a tree. `test` raises one of `FAILURES`, or returns what a reader should see."""

    def test(self, tree: Node, context: Context, quick: bool = False) -> dict:
        raise NotImplementedError

    def same(self, tree: Node, other: Node, context: Context) -> bool:
        """Whether the sides of two statements are the same (then a typo is equivalent)."""
        if _shape(tree) != _shape(other):
            return False
        a, b = sides(tree), sides(other)
        try:
            return len(a) == len(b) and all(self.same_value(x, y, context) for x, y in zip(a, b, strict=True))
        except FAILURES:
            return False

    def same_value(self, x: Node, y: Node, context: Context) -> bool:
        return x == y


def _shape(tree: Node):
    return (tree.op, tree.data) if tree.op == "rel" else (tree.op, *map(_shape, tree.args))


# --- proved -------------------------------------------------------------------------------------
@dataclass
class Proved(Check):
    by: str
    scope: str
    domain: dict
    box: dict
    certificate: object
    order: tuple
    tol: float
    pins: tuple
    kind = "proved"

    @property
    def method(self):
        return {
            "identity": "identity (SymPy)",
            "sign": "sign of the difference (SymPy)",
            "z3": "decision procedure (z3)",
            "sos": "certificate: sum of squares (SymPy)",
            "interval": "interval arithmetic",
            "order": "order of the remainder (SymPy limit)",
        }[self.by]

    def _env(self, context):
        """Exact arithmetic, or intervals where intervals are bound."""
        env = context.env()
        return env if env.mode == "iv" and self.by == "interval" else context.env(mode="sympy")

    def test(self, tree, context, quick=False):
        env = self._env(context)
        for key, value in context.values.items():
            if key in {latex(n) for n in walk(tree)} and (isinstance(value, float) or V.kind(value) in ("array", "mp")):
                raise Rejected(f"a proof needs exact values: bind {key} to sympy.Rational, not to a float")
        found = []
        for clause in clauses(tree):
            found.append(
                ([self._sides(r, env) for r in clause.premises], [self._sides(r, env) for r in clause.goals], clause)
            )
        assumed = [(r.data, *self._sides(r, env)) for a in context.assumptions for r in relations(a)]
        detail = {}
        self._points(found, assumed, context.seed)
        check_pins(tree, context, self.pins)
        if quick:
            return detail
        for premises, goals, clause in found:
            detail |= self._prove(premises, goals, clause, assumed) or {}
        return detail

    def _sides(self, rel: Node, env):
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
                raise Rejected("a proof needs exact values: bind sympy.Rational, not floats")
        return found

    def _points(self, found, assumed, seed):
        """Refute at exact random points that satisfy the assumptions."""
        if self.by == "order":
            return
        exprs = [s for prem, goals, _ in found for pair in [*prem, *goals] for side in pair for s in V.scalars(side)]
        if not P.commutative(exprs) or any(isinstance(e, V.IV) for e in exprs):
            return
        domain = {**dict(self.box.items()), **self.domain}
        needs = any(prem for prem, _, _ in found) or assumed
        tested = [0] * len(found)
        for k in range(300 if needs else P.POINTS):
            point = P.Point(seed * 10_000 + k, domain)
            if not all(holds_at(rel, a, b, point, self.tol) for rel, a, b in assumed):
                continue
            for j, (premises, goals, clause) in enumerate(found):
                if all(
                    holds_at(r.data, a, b, point, self.tol) for r, (a, b) in zip(clause.premises, premises, strict=True)
                ):
                    tested[j] += 1
                    for r, (a, b) in zip(clause.goals, goals, strict=True):
                        if not holds_at(r.data, a, b, point, self.tol):
                            raise Fails(r, point, a, b)
            if min(tested) >= P.POINTS:
                break
        if needs and min(tested) < 2 and self.by != "z3":
            raise Rejected("no test point satisfies what is assumed")

    def _prove(self, premises, goals, clause, assumed):
        if self.by == "z3":
            if any(r.data == "~" for r in (*clause.premises, *clause.goals)):
                raise Rejected("≈ is proved by='interval' with tol=")
            given = [(r.data, x, y) for r, ab in zip(clause.premises, premises, strict=True) for x, y in P.pairs(*ab)]
            given += [(rel, x, y) for rel, a, b in assumed for x, y in P.pairs(a, b)]
            for s, (lo, hi) in {**self.box, **self.domain}.items():
                given += [(">=", s, sp.sympify(lo)), ("<=", s, sp.sympify(hi))]
            return P.z3_holds(
                given, [(r.data, x, y) for r, ab in zip(clause.goals, goals, strict=True) for x, y in P.pairs(*ab)]
            )
        if clause.premises:
            raise Rejected("an implication is proved with by='z3'")
        certificates = (
            self.certificate if isinstance(self.certificate, (list, tuple)) else [self.certificate] * len(goals)
        )
        if len(certificates) != len(goals):
            raise Rejected(f"{len(goals)} relations need {len(goals)} certificates, there are {len(certificates)}")
        detail = {}
        for r, (a, b), certificate in zip(clause.goals, goals, certificates, strict=True):
            if self.by == "order":
                if r.data != "=":
                    raise Rejected("a stated order belongs to an equation")
                P.order_holds(a, *b, *self.order)
                continue
            for x, y in P.pairs(a, b):
                if r.data == "=":
                    if not P.is_zero(sp.sympify(x) - sp.sympify(y)):
                        raise Rejected("SymPy does not reduce the difference of the two sides to zero")
                elif self.by == "sign":
                    self._sign(r.data, x, y)
                elif self.by == "sos":
                    P.certificate_holds(r.data, x, y, certificate)
                elif self.by == "identity":
                    raise Rejected("an identity is an equation; an inequality is proved by='z3', 'sos' or 'interval'")
                elif self.by == "interval":
                    detail["boxes"] = detail.get("boxes", 0) + P.interval_holds(r.data, x, y, self.box, self.tol)
        return detail

    @staticmethod
    def _sign(rel, x, y):
        if rel not in ("<", "<=", ">", ">="):
            raise Rejected(f"the relation {rel} needs another method: ≈ is proved by='interval' with tol=")
        gap = sp.factor(sp.simplify(y - x if rel in ("<", "<=") else x - y))
        if not (gap.is_positive if rel in ("<", ">") else gap.is_nonnegative):
            raise Rejected("SymPy does not see the sign of the difference; prove it by='z3', 'sos' or 'interval'")

    def same_value(self, x, y, context):
        env = self._env(context)
        found = P.pairs(*evaluate_sides(Node("rel", (x, y), "="), env))
        if any(V.kind(v) == "iv" for pair in found for v in pair):
            return False
        return all(P.is_zero(sp.sympify(p) - sp.sympify(q)) for p, q in found)


def holds_at(rel, a, b, point, tol) -> bool:
    for x, y in P.pairs(a, b):
        try:
            ok = P.compare(rel, point.value(x), point.value(y), tol)
        except (TypeError, ValueError, ZeroDivisionError) as e:
            raise Rejected(f"has no value at {point}: {e}") from None
        if ok is None:
            raise Rejected(f"is not a real number at {point}")
        if not ok:
            return False
    return True


# --- sampled ------------------------------------------------------------------------------------
@dataclass
class Sampled(Check):
    draw: object
    size: int
    n: int
    rtol: float
    tol: float
    domain: str
    attack: bool
    pins: tuple
    worst: list = field(default_factory=list)
    kind = "sampled"

    @property
    def scope(self):
        return f"{self.n} cases, {self.domain}"

    @property
    def method(self):
        return "random and adversarial cases" if self.attack else "random cases"

    def test(self, tree, context, quick=False):
        import numpy as np

        rng = np.random.default_rng(context.seed)
        cases = list(self.worst) + [rng.standard_normal(self.size) for _ in range(TYPO_CASES if quick else self.n)]
        check_pins(tree, context, self.pins)
        tested, tightest, scored = 0, 0.0, []
        for x in cases:
            found = self._case(tree, context, x)
            if found is None:
                continue
            tested += 1
            tightest = max(tightest, found[1])
            scored.append((found[0], len(scored), x))
        if tested < (3 if quick else max(10, self.n // 100)):
            raise Rejected(f"only {tested} cases satisfy what is assumed")
        if not quick and self.attack and not self.worst:
            tightest = max(tightest, self._attack(tree, context, [s[2] for s in sorted(scored)[:3]]))
        return {"tightest": float(f"{tightest:.3g}"), "tested": tested}

    def _case(self, tree, context, x):
        """None where the assumptions fail, else (slack, tightness); raises where the statement fails."""
        bindings = context.bind(self.draw(x))
        env = context.env(bindings)
        for a in context.assumptions:
            if not all(self._relation(r, env)[0] for r in relations(a)):
                return None
        slack, tight, applied = float("inf"), 0.0, False
        for clause in clauses(tree):
            if not all(self._relation(r, env)[0] for r in clause.premises):
                continue
            applied = True
            for r in clause.goals:
                ok, s, t = self._relation(r, env)
                if not ok:
                    raise Rejected(f"fails for a sampled case: {latex(r)} has sides {self._values(r, env)}")
                slack, tight = min(slack, s), max(tight, t)
        return (slack, tight) if applied else None

    @staticmethod
    def _values(r, env):
        return " and ".join(_short(V.scalars(a)[0]) for a in evaluate_sides(r, env))

    def _relation(self, r, env):
        """(holds, slack relative to the sides' size, how tight: 1 is equality)."""
        slack, tight, ok = float("inf"), 0.0, True
        try:
            found = [(float(x), float(y)) for x, y in P.pairs(*evaluate_sides(r, env))]
        except TypeError:
            raise Rejected("a side is not a real number") from None
        whole = max(max(abs(x), abs(y)) for x, y in found)
        for x, y in found:
            if x != x or y != y:
                raise Rejected("a side is not a number")
            size = max(whole if r.data == "=" else max(abs(x), abs(y)), 1e-300)
            gap = {"=": -abs(x - y), "~": self.tol - abs(x - y), "!=": abs(x - y)}.get(
                r.data, y - x if r.data in ("<", "<=") else x - y
            )
            if r.data == "=":
                good = gap >= -max(self.rtol * max(abs(x), abs(y)), 1e-13 * whole)
            elif r.data == "!=":
                good = gap > self.rtol * size
            elif r.data in ("<=", ">="):
                good = gap >= -self.rtol * size
            else:
                good = gap > 0
            ok = ok and good
            slack = min(slack, gap / size)
            small, large = (x, y) if r.data in ("<", "<=") else (y, x)
            ratio = (
                abs(x - y) / size
                if r.data == "="
                else abs(x - y)
                if r.data == "~"
                else small / large
                if large > 0
                else 0.0
            )
            tight = max(tight, ratio)
        return ok, slack, tight

    def _attack(self, tree, context, starts):
        """Gradient ascent on the violation from the tightest cases."""
        from scipy.optimize import minimize

        def slack(x):
            try:
                found = self._case(tree, context, x)
            except (NotEvaluable, Unbound):
                return 10.0
            except Rejected:
                return -1.0
            return 10.0 if found is None else found[0]

        tightest = 0.0
        for x in starts:
            end = minimize(slack, x, method="L-BFGS-B", options={"maxiter": 25, "maxfun": 40 * (self.size + 1)}).x
            self.worst.append(end)
            found = self._case(tree, context, end)
            tightest = max(tightest, found[1] if found else 0.0)
        return tightest

    def same_value(self, x, y, context):
        import numpy as np

        rng = np.random.default_rng(context.seed + 1)
        for _ in range(20):
            env = context.env(context.bind(self.draw(rng.standard_normal(self.size))))
            for p, q in P.pairs(*evaluate_sides(Node("rel", (x, y), "="), env)):
                if not _close(p, q, 1e-12):
                    return False
        return True


# --- measured -----------------------------------------------------------------------------------
@dataclass
class Measured(Check):
    series: dict
    constants: dict
    expected: tuple
    tol: float
    resolution: tuple
    hardware: str
    kind = "measured"
    method = "experiment, paired 95 % t interval"

    @property
    def seeds(self):
        return len(next(iter(self.series.values())))

    @property
    def scope(self):
        return f"{self.seeds} seeds, {self.hardware}"

    def test(self, tree, context, quick=False):
        runs = [context.env({**self.constants, **{k: v[s] for k, v in self.series.items()}}) for s in range(self.seeds)]
        try:
            values = [[[float(x) for x in V.scalars(evaluate(side, env))] for env in runs] for side in sides(tree)]
        except TypeError as error:
            raise Rejected(f"a side is not a number: {error}") from None
        if any(len(run) != 1 for side in values for run in side):
            raise Rejected("a measurement compares numbers, one a seed")
        if not all(math.isfinite(run[0]) for side in values for run in side):
            raise Rejected("a side is not finite")
        means = [estimate(run[0] for run in side) for side in values]
        if len(self.expected) != len(means):
            raise Rejected(f"the display has {len(means)} sides, sides= gives {len(self.expected)}")
        for got, want in zip(means, self.expected, strict=True):
            if not _close(got.value, float(want), 1e-6):
                raise Rejected(f"a side is {got.value:.4g} on average, not {float(want):.4g}")
        shown = []
        for r in relations(tree):
            left, right = ([float(V.scalars(evaluate(a, env))[0]) for env in runs] for a in r.args)
            lo, hi = interval(y - x for x, y in zip(left, right, strict=True))
            shown.append([float(f"{lo:.3g}"), float(f"{hi:.3g}")])
            good = {"<": lo > 0, "<=": lo >= 0, ">": hi < 0, ">=": hi <= 0, "~": -self.tol <= lo and hi <= self.tol}
            if r.data not in good:
                raise Rejected("a measurement supports an inequality or ≈, never an equality")
            if not good[r.data]:
                raise Rejected(f"right minus left has the 95 % interval [{lo:.4g}, {hi:.4g}]")
        kept = [[float(f"{m.value:.4g}"), float(f"{m.half:.3g}")] for m in means]
        if len(self.resolution) != len(means):
            raise Rejected(f"the display has {len(means)} sides, resolution= gives {len(self.resolution)}")
        rounding = {"resolution": list(self.resolution)} if any(self.resolution) else {}
        return {"means": kept, "right minus left": shown, **rounding}


# --- refuted ------------------------------------------------------------------------------------
@dataclass
class Refuted(Check):
    expected: tuple
    scope: str
    tol: float
    kind = "refuted"
    method = "counterexample"

    def test(self, tree, context, quick=False):
        check_pins(tree, context, [({}, self.expected)])
        env = context.env()
        live = [c for c in clauses(tree) if all(self._holds(r, env) for r in c.premises)]
        if not live:
            raise Rejected("the counterexample does not satisfy the premise")
        if all(self._holds(r, env) for c in live for r in c.goals):
            raise Rejected("the published statement holds at this counterexample")
        return {"sides": [_short(s) for e in self.expected for s in V.scalars(e)]}

    def _holds(self, r, env):
        for x, y in P.pairs(*evaluate_sides(r, env)):
            rounded = any(isinstance(v, float) or V.kind(v) in ("array", "mp") for v in (x, y))
            x, y = _number(x), _number(y)
            if rounded and r.data in ("=", "!="):
                ok = (abs(x - y) <= 1e-6 * max(abs(x), abs(y))) == (r.data == "=")
            else:
                ok = P.compare(r.data, x, y, self.tol)
            if ok is None:
                raise Rejected("a side is not a real number at the counterexample")
            if not ok:
                return False
        return True


def _number(x):
    x = sp.sympify(float(x) if V.kind(x) in ("array", "mp") else x)
    if x.free_symbols:
        raise Rejected(f"a counterexample has numbers, not symbols ({', '.join(map(str, x.free_symbols))})")
    return sp.N(x, P.DIGITS)
