"""Statements for which no counterexample was found, among cases of the page's setting and cases of the author's."""

from __future__ import annotations

from dataclasses import dataclass, field

import mpmath

from . import values as V
from .climbing import climb
from .context import FEW, POINTS
from .environment import Env, NotEvaluable, Unbound
from .evaluate import evaluate_sides
from .exact import exact_pairs
from .kinds import Check, check_pins
from .numbers import Fails, Rejected, clauses, examine, relations, show
from .tree import latex

EQUAL = 1e-6
CASES_OF_A_TYPO = 40


@dataclass
class Sampled(Check):
    """Random and adversarial cases.

    Args:
        n: how many cases.
        draw: maps standard normals to values of the names, where the page's setting alone cannot be drawn.
        size: how many normals `draw` takes.
        rtol: relative rounding that an equality may have, at most 1e-6.
        near: what `≈` allows.
    """

    n: int
    draw: object = None
    size: int = 0
    rtol: float = 1e-9
    near: float = 0.0
    attack: bool = True
    pins: tuple = ()
    worst: list = field(default_factory=list)
    kind = "sampled"

    @property
    def everywhere(self):
        return self.draw is None

    @property
    def method(self):
        return "random and adversarial cases" if self.attack else "random cases"

    def test(self, tree, context):
        if self.rtol > EQUAL:
            raise Rejected(
                f"an equality holds up to rounding, at most {EQUAL:g} relative; {self.rtol:g} is ≈ with near="
            )
        check_pins(tree, context, self.pins)
        if self.draw is None:
            return self._own(tree, context)
        return self._given(tree, context)

    def quick(self, tree, context):
        check_pins(tree, context, self.pins)
        if self.draw is None:
            examine(tree, context.points(FEW), context.definitions, self.near)
            self.still_tight(tree, context)
        else:
            self._cases(tree, context, [*self.worst, *self._normals(context, CASES_OF_A_TYPO)])

    # --- cases of the setting -----------------------------------------------------------------------
    def _own(self, tree, context) -> dict:
        points = context.points(self.n)
        found = examine(tree, points, context.definitions, self.near, context.used, context.label)
        _says_something(tree, points, context, self.near)
        if not self.touch:
            self.find_touch(tree, context)
        if self.attack:
            found["tightest"] = climb(tree, context, points, self.near)[0]
        return {"cases": self.n, "domain": context.spread(points), **found, **self._shown()}

    def _shown(self) -> dict:
        return {"near": self.near} if self.near else {"rounding": self.rtol}

    # --- cases of the author ------------------------------------------------------------------------
    def _normals(self, context, n):
        import numpy as np

        rng = np.random.default_rng(context.seed)
        return [rng.standard_normal(self.size) for _ in range(n)]

    def _given(self, tree, context) -> dict:
        cases = self._normals(context, self.n)
        drawn = [context.canonical(self.draw(x)) for x in cases]
        _full_rank(drawn, self.draw, cases, context)
        if not any(d.kind == "function" for d in context.declared.values()) and not context.operators:
            examine(tree, context.points(POINTS), context.definitions, self.near, context.used, context.label)
        for values in drawn[:50]:
            _obeys(values, context)
        scored = self._cases(tree, context, [*self.worst, *cases])
        if len(scored) < max(10, self.n // 100):
            raise Rejected(f"only {len(scored)} cases satisfy what is assumed")
        tightest = max(t for _, t, _ in scored)
        if self.attack and not self.worst:
            tightest = max(
                tightest, self._attack(tree, context, [x for *_, x in sorted(scored, key=lambda s: s[0])[:3]])
            )
        return {
            "cases": self.n,
            "tested": len(scored),
            "tightest": float(f"{tightest:.3g}"),
            "domain": spread(drawn),
            **self._shown(),
        }

    def _cases(self, tree, context, cases) -> list:
        scored = []
        for x in cases:
            found = self._case(tree, context, x)
            if found is not None:
                scored.append((*found, x))
        if len(scored) < 3:
            raise Rejected("hardly any case satisfies what is assumed")
        return scored

    def _case(self, tree, context, x):
        """None where the assumptions fail, else (slack, tightness); raises where the statement fails."""
        values = context.canonical(self.draw(x))
        env = Env({**context.sizes(), **values}, context.definitions, context.label, context.used)
        for _, a in context.assumptions:
            if not all(self._relation(r, env)[0] for r in relations(a)):
                return None
        slack, tight, applied = float("inf"), 0.0, False
        for clause in clauses(tree):
            if not all(self._relation(r, env)[0] for r in clause.premises):
                continue
            applied = True
            for r in clause.goals:
                ok, s, t, both = self._relation(r, env)
                if not ok:
                    raise Fails(r, {k: v for k, v in values.items() if isinstance(v, float)}, *zip(*both, strict=True))
                slack, tight = min(slack, s), max(tight, t)
        return (slack, tight) if applied else None

    def _relation(self, r, env):
        """(holds, slack relative to the sides' size, how tight: 1 is equality, the sides)."""
        slack, tight, ok = float("inf"), 0.0, True
        try:
            found = [(float(x), float(y)) for x, y in exact_pairs(*evaluate_sides(r, env))]
        except TypeError:
            raise Rejected("a side is not a real number") from None
        whole = max(max(abs(x), abs(y)) for x, y in found)
        for x, y in found:
            if not (abs(x) < float("inf") and abs(y) < float("inf")):
                raise Rejected("a side is infinite or no number")
            size = max(whole if r.data == "=" else max(abs(x), abs(y)), 1e-300)
            gap = {"=": -abs(x - y), "~": self.near - abs(x - y), "!=": abs(x - y)}.get(
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
            if r.data in ("=", "~"):
                tight = max(tight, abs(x - y) / (size if r.data == "=" else self.near))
            else:
                tight = max(tight, small / large if large > 0 else 0.0)
        return ok, slack, tight, found

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

    def places(self, context):
        if self.draw is None:
            return context.points(FEW)
        return [{**context.sizes(), **context.canonical(self.draw(x))} for x in self._normals(context, 8)]

    def at(self, point, context):
        return (
            super().at(point, context) if self.draw is None else Env(point, context.definitions, context.label, set())
        )


def _says_something(tree, points, context, near) -> None:
    """`≈` up to more than the sides themselves says nothing."""
    if not near:
        return
    largest = mpmath.mpf(0)
    for p in points[:20]:
        env = Env(p, context.definitions, mode="mp")
        for r in relations(tree):
            if r.data == "~":
                largest = max([largest, *(abs(v) for pair in exact_pairs(*evaluate_sides(r, env)) for v in pair)])
    if near > largest / 2:
        raise Rejected(f"≈ up to {near:g} says nothing of sides that are never larger than {show(largest, 3)}")


def spread(drawn: list[dict]) -> str:
    """The range that each drawn number took."""
    shown = []
    for name, first in drawn[0].items():
        if isinstance(first, range) or callable(first):
            continue
        every = [float(s) for d in drawn for s in V.scalars(d[name]) if not callable(s)]
        shown.append(f"{min(every):.3g} ≤ {name} ≤ {max(every):.3g}")
    return ", ".join(shown)


def _full_rank(drawn, draw, cases, context) -> None:
    """The cases vary in as many directions as the declared names have, less the stated equations.

    Raises:
        Rejected: a name is constant, takes two values only, or the names are functions of one another.
    """
    import numpy as np

    def flat(values):
        parts = [v for k, v in sorted(values.items()) if k in context.declared and not isinstance(v, range)]
        found = []
        for v in parts:
            if not callable(v):
                found += [float(s) for s in V.scalars(v)]
        return np.array(found)

    table = np.array([flat(v) for v in drawn[:200]])
    if table.size == 0:
        return
    names = [
        k for k, v in sorted(drawn[0].items()) if k in context.declared and not callable(v) and not isinstance(v, range)
    ]
    owner = [k for k in names for _ in V.scalars(drawn[0][k])]
    for k, column in enumerate(table.T):
        if context.declared[owner[k]].domain.field == "integer" or context.declared[owner[k]].domain.choices:
            continue
        if len(np.unique(column)) < min(3, len(table)):
            raise Rejected(f"the cases give {owner[k]} hardly any values: {sorted(set(column.tolist()))[:3]}")
    x = np.asarray(cases[0], float)
    step = 1e-5
    columns = [
        (flat(context.canonical(draw(x + step * e))) - flat(context.canonical(draw(x - step * e)))) / (2 * step)
        for e in np.eye(len(x))
    ]
    rank = int(np.linalg.matrix_rank(np.array(columns), tol=1e-6)) if columns else 0
    free = sum(context.declared[o].domain.field != "integer" and not context.declared[o].domain.choices for o in owner)
    stated = context.equations()
    if rank < free - stated:
        raise Rejected(
            f"the cases vary in {rank} directions, {', '.join(names)} have {free}"
            + (f" less {stated} stated equations" if stated else "")
            + ": what is drawn narrower than declared is no sample of it"
        )


def _obeys(values, context) -> None:
    """A drawn case lies in the page's setting."""
    env = Env({**context.sizes(), **values}, context.definitions)
    for label, r in context.relations:
        for part in r.args if r.op == "chain" else (r,):
            try:
                both = exact_pairs(*evaluate_sides(part, env))
            except (NotEvaluable, Unbound):
                continue
            for a, b in both:
                a, b = float(a), float(b)
                slack = 1e-9 * max(abs(a), abs(b), 1e-12)
                ok = {
                    "=": abs(a - b) <= max(slack, 1e-9),
                    "<": a < b,
                    ">": a > b,
                    "<=": a <= b + slack,
                    ">=": a >= b - slack,
                }
                if not ok.get(part.data, True):
                    raise Rejected(f"a case breaks the setting {label}: {latex(part)}")
