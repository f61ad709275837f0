"""Numbers for what a page declares: random points, edges and large values that satisfy its settings."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import mpmath

from . import calculus, loops  # noqa: F401  (they teach `evaluate` derivatives, integrals, limits and sums)
from .environment import Definition, Env, NotEvaluable, Unbound
from .evaluate import evaluate, evaluate_sides
from .numbers import compare, pairs
from .settings import Declared, Domain
from .tree import REVERSED, Node, base, latex, walk
from .values import Family, Mat, scalars

DIGITS = 30
LARGEST = 7
SMALLER = 3  # where equations are solved for each point
TRIES = 400
mpmath.mp.dps = max(mpmath.mp.dps, DIGITS)


class NoPoint(ValueError):
    """No point satisfies the settings."""


class Smooth:
    """A smooth test function of numbers and vectors, another for each seed; positive where that is declared."""

    def __init__(self, rng: random.Random, positive: bool = False):
        self.c = [mpmath.mpf(rng.uniform(0.2, 1.5)) for _ in range(4)]
        self.signs = [rng.choice((-1, 1)) for _ in range(3)]
        self.slopes = [mpmath.mpf(rng.uniform(-1, 1)) for _ in range(40)]
        self.positive = positive

    def __call__(self, *args):
        flat = [s for a in args for s in (scalars(a) if isinstance(a, Mat) else [a])]
        inner = sum((self.slopes[k] * a for k, a in enumerate(flat)), mpmath.mpf(0))
        square = sum((self.slopes[20 + k] * a * a for k, a in enumerate(flat)), mpmath.mpf(0))
        c, s = self.c, self.signs
        if self.positive:
            return c[0] + mpmath.exp(s[0] * inner / 2) + c[1] * inner**2
        value = s[0] * c[0] + s[1] * c[1] * mpmath.sin(c[2] * inner + c[3]) + inner + square / 3
        return value + s[2] * inner * inner * c[3] / 4


class Drawing:
    """Draws the declared names of a page.

    Args:
        declared: by name.
        relations: what the settings state of them; all must hold at a drawn point.
        definitions: of the page, which relations may use.
        functions: values that are given, by name, such as functions that satisfy a hypothesis.
    """

    def __init__(
        self,
        declared: dict[str, Declared],
        relations: Iterable[Node] = (),
        definitions: Iterable[Definition] = (),
        functions: dict[str, Callable] | None = None,
    ):
        self.declared, self.relations = declared, [p for r in relations for p in (r.args if r.op == "chain" else (r,))]
        self.definitions, self.given = list(definitions), dict(functions or {})
        self.bounds = {name: self._bounds(name) for name, d in declared.items() if d.kind in ("scalar", "family")}
        self.equalities = [r for r in self.relations if r.data == "="]
        self.others = [r for r in self.relations if r.data != "=" and not self._simple(r)]

    def point(self, seed: int, tries: int = TRIES) -> dict:
        """The value of each name at a point; the first two take the smallest sizes, the third is 0 where it may be.

        Raises:
            NoPoint: no point was found that satisfies the relations.
        """
        for attempt in range(tries):
            rng = random.Random(seed * 1_000_003 + attempt)
            try:
                values = self._values(rng, seed if not attempt else None)
                if self.equalities and not self._solve(values):
                    continue
                env = Env(values, self.definitions, mode="mp")
                if all(holds(r, env) for r in self.others) and (not self.equalities or self._inside(values, env)):
                    return values
            except NotEvaluable:
                continue
        shown = ", ".join(latex(r) for r in self.relations[:4]) or f"the ranges of {', '.join(self.declared)}"
        raise NoPoint(f"no point was found that satisfies {shown}")

    def nudged(self, point: dict, rng: random.Random, size: float) -> dict:
        """A point near another one, which also satisfies the settings.

        Raises:
            NoPoint: it left the setting.
        """
        values = dict(point)
        places = self.coordinates(values)
        for where in places:
            if rng.random() < max(0.3, 2 / len(places)):
                old = number_at(values, where)
                put(values, where, old + mpmath.mpf(rng.gauss(0, size)) * max(abs(old), mpmath.mpf("0.01")))
        env = Env(values, self.definitions, mode="mp")
        try:
            fine = (not self.equalities or self._solve(values)) and all(holds(r, env) for r in self.others)
            if fine and self._inside(values, env):
                return values
        except NotEvaluable:
            pass
        raise NoPoint("the point left the setting")

    def allows(self, point: dict) -> bool:
        """Whether a point satisfies what is declared and stated."""
        env = Env(point, self.definitions, mode="mp")
        try:
            return all(holds(r, env) for r in self.relations) and self._inside(point, env)
        except NotEvaluable:
            return False

    # --- drawing one name after the other ----------------------------------------------------------
    def _values(self, rng, edge) -> dict:
        values: dict = dict(self.given)
        self._edge, self._busy = edge, set()
        for name in self.declared:
            self._draw(name, values, rng)
        return values

    def _draw(self, name: str, values: dict, rng) -> None:
        if name in values:
            return
        d = self.declared[name]
        self._busy.add(name)
        for needed in self._needs(d):
            if needed in self.declared and needed not in self._busy:
                self._draw(needed, values, rng)
        env = Env(values, self.definitions, mode="mp")
        if d.kind == "index":
            low, high = (_count(e, env) for e in (d.domain.low, d.domain.high))
            values[name] = range(low, high + 1)
        elif d.kind == "scalar":
            values[name] = self._scalar(d, name, env, rng)
        elif d.kind == "family":
            spans = [values[i] for i in d.over]
            places = [()]
            for span in spans:
                places = [(*p, i) for p in places for i in span]
            values[name] = Family(name, {p: self._scalar(d, name, env, rng) for p in places})
        elif d.kind in ("vector", "matrix"):
            sizes = [_count(e, env) for e in d.domain.shape]
            rows, columns = (*sizes, 1)[:2]
            values[name] = Mat([[self._scalar(d, name, env, rng) for _ in range(columns)] for _ in range(rows)])
        else:
            low = d.domain.low
            values[name] = Smooth(rng, positive=low is not None)

    def _needs(self, d: Declared) -> list[str]:
        trees = [d.domain.low, d.domain.high, *d.domain.choices, *d.domain.shape]
        trees += [side for _, side in self.bounds.get(d.name, ())]
        found = list(d.over)
        for tree in filter(None, trees):
            found += _names(tree, self.definitions)
        return found

    def _scalar(self, d: Declared, name: str, env: Env, rng):
        domain = d.domain
        if domain.choices:
            return evaluate(rng.choice(domain.choices), env)
        low, high, open_ends = self._interval(domain, name, env)
        if self._edge == 2 and _has_zero(low, high, open_ends):
            return 0 if domain.field == "integer" else mpmath.mpf(0)
        if domain.field == "integer":
            low = None if low is None else int(mpmath.ceil(low)) + (open_ends[0] and low == int(low))
            high = None if high is None else int(mpmath.floor(high)) - (open_ends[1] and high == int(high))
            if self._edge is not None and self._edge < 2 and low is not None:
                return low + self._edge if high is None else min(low + self._edge, high)
            first = -3 if low is None and high is None else (low if low is not None else high - LARGEST)
            most = LARGEST if not self.equalities else SMALLER
            last = first + most if high is None else high
            return rng.randint(first, max(first, last))
        if domain.field == "complex":
            return mpmath.mpc(rng.uniform(-2, 2), rng.uniform(-2, 2))
        return _real(low, high, rng)

    def _interval(self, domain: Domain, name: str, env: Env):
        low = None if domain.low is None else evaluate(domain.low, env)
        high = None if domain.high is None else evaluate(domain.high, env)
        open_low, open_high = domain.open_low, domain.open_high
        for rel, side in self.bounds.get(name, ()):
            try:
                value = evaluate(side, env)
            except (Unbound, NotEvaluable):
                continue
            if rel in (">", ">=") and (low is None or value >= low):
                low, open_low = value, rel == ">" or (open_low and value == low)
            elif rel in ("<", "<=") and (high is None or value <= high):
                high, open_high = value, rel == "<" or (open_high and value == high)
        return low, high, (open_low, open_high)

    def _bounds(self, name: str) -> list[tuple[str, Node]]:
        """The relations that bound one name by an expression of others: `x > 0`, `t \\le T`."""
        found = []
        for r in self.relations:
            for rel, one, other in ((r.data, *r.args), (REVERSED.get(r.data, ""), *reversed(r.args))):
                mine = self._is(one, name) and rel in REVERSED
                if mine and name not in _names(other, self.definitions):
                    found.append((rel, other))
        return found

    def _is(self, node: Node, name: str) -> bool:
        d = self.declared.get(name)
        if d is None or node.op != "sym":
            return False
        if d.kind == "family":
            return node.data[0] == name and tuple(map(latex, node.args)) == d.over
        return latex(node) == name

    def _simple(self, r: Node) -> bool:
        """Whether the interval of a scalar takes care of a relation."""
        for one, other in (r.args, tuple(reversed(r.args))):
            if one.op == "sym" and latex(one) in self.declared and not _names(other, self.definitions):
                return r.data in REVERSED and self.declared[latex(one)].kind == "scalar"
        return False

    # --- equations ---------------------------------------------------------------------------------
    def _solve(self, values: dict) -> bool:
        """Gauss-Newton from the drawn values to a point near where the equations hold; small numbers move little."""
        free = self.coordinates(values)
        with mpmath.workdps(DIGITS + 10):
            start, before, slopes = None, None, []
            for turn in range(40):
                try:
                    rest = self._residuals(values)
                except (NotEvaluable, Unbound):
                    return False
                size = max(map(abs, rest), default=mpmath.mpf(0))
                start = size if start is None else start
                if turn > 5 and size > start / 4:
                    return False
                if size < mpmath.mpf(10) ** (1 - DIGITS):
                    return True
                if before is None or size > before / 100:
                    slopes = self._slopes(values, free, rest)
                before = size
                move = _least(slopes, rest)
                if move is None:
                    return False
                for (where, _, _), by in zip(slopes, move, strict=True):
                    put(values, where, number_at(values, where) + by)
        return False

    def _slopes(self, values: dict, free: list, rest: list) -> list:
        slopes, step = [], mpmath.mpf(10) ** -18
        for where in free:
            old = number_at(values, where)
            put(values, where, old + step)
            column = [(a - b) / step for a, b in zip(self._residuals(values), rest, strict=True)]
            put(values, where, old)
            if any(column):
                slopes.append((where, max(abs(old), mpmath.mpf("1e-6")), column))
        return slopes

    def coordinates(self, values: dict) -> list:
        """Where the real numbers stand that may be moved: a name, and the place in a family, vector or matrix."""
        found: list = []
        for name, d in self.declared.items():
            if d.domain.field != "real" or d.domain.choices or name in self.given:
                continue
            v = values[name]
            if isinstance(v, Family):
                found += [(name, k) for k in v.members]
            elif isinstance(v, Mat):
                found += [(name, (i, j)) for i in range(v.shape[0]) for j in range(v.shape[1])]
            elif d.kind == "scalar":
                found.append((name, None))
        return found

    def _residuals(self, values: dict) -> list:
        env = Env(values, self.definitions, mode="mp")
        found = []
        for r in self.equalities:
            found += [a - b for a, b in pairs(*evaluate_sides(r, env))]
        return [mpmath.mpf(v) for v in found]

    def _inside(self, values: dict, env: Env) -> bool:
        """Whether a point that was moved still lies where its names were declared."""
        for name in self.bounds:
            d = self.declared[name]
            items = values[name].members.values() if isinstance(values[name], Family) else [values[name]]
            if d.domain.field != "real" or d.domain.choices:
                continue
            low, high, (open_low, open_high) = self._interval(d.domain, name, env)
            for v in items:
                if low is not None and (v < low or (open_low and v == low)):
                    return False
                if high is not None and (v > high or (open_high and v == high)):
                    return False
        return True


def _least(slopes, rest):
    """The smallest weighted move that makes linear residuals vanish: `W Jᵀ (J W Jᵀ)⁻¹ (-r)`, a little regularised."""
    n = len(rest)
    small = mpmath.mpf(10) ** (-DIGITS // 2)
    table = [
        [sum((w * c[i] * c[j] for _, w, c in slopes), small * (i == j)) for j in range(n)] + [-rest[i]]
        for i in range(n)
    ]
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(table[i][k]))
        if not table[pivot][k]:
            return None
        table[k], table[pivot] = table[pivot], table[k]
        for i in range(k + 1, n):
            factor = table[i][k] / table[k][k]
            if factor:
                table[i] = [a - factor * b for a, b in zip(table[i], table[k], strict=True)]
    solved = [mpmath.mpf(0)] * n
    for k in reversed(range(n)):
        solved[k] = (table[k][n] - sum(table[k][j] * solved[j] for j in range(k + 1, n))) / table[k][k]
    return [w * sum(c[i] * solved[i] for i in range(n)) for _, w, c in slopes]


def _count(tree: Node, env: Env) -> int:
    value = evaluate(tree, env)
    if not isinstance(value, (int, mpmath.mpf)):
        raise NotEvaluable(f"{latex(tree)} is no size and no end of a range")
    return int(value)


def _has_zero(low, high, open_ends) -> bool:
    above = low is None or low < 0 or (low == 0 and not open_ends[0])
    return above and (high is None or high > 0 or (high == 0 and not open_ends[1]))


def holds(relation: Node, env: Env) -> bool:
    """Whether a relation holds at a point, for all values of its free indices."""
    parts = relation.args if relation.op == "chain" else (relation,)
    return all(compare(r.data, a, b) for r in parts for a, b in pairs(*evaluate_sides(r, env)))


def _real(low, high, rng):
    if low is None and high is None:
        return mpmath.mpf(rng.choice((-1, 1))) * _size(rng)
    if low is None:
        return high - _size(rng)
    if high is None:
        return low + _size(rng)
    if high < low:
        raise NotEvaluable("an interval is empty")
    return low + (high - low) * mpmath.mpf(rng.choice((rng.uniform(0.02, 0.98), rng.betavariate(0.4, 0.4))))


def _size(rng):
    """Mostly of the order of 1; sometimes small, sometimes large."""
    kind = rng.random()
    if kind < 0.7:
        return mpmath.mpf(rng.uniform(0.1, 2.5))
    return mpmath.mpf(10) ** (rng.uniform(-4, -1) if kind < 0.85 else rng.uniform(0.4, 1.3))


def _names(tree: Node, definitions, seen: frozenset = frozenset()) -> list[str]:
    found = []
    for n in walk(tree):
        if n.op == "sym":
            found += [latex(n), base(n)]
            for d in definitions:
                if d.label not in seen and (d.match(n) is not None or base(d.head) == base(n)):
                    found += _names(d.right, definitions, seen | {d.label})
        elif n.op in ("sum", "prod", "bigmax", "bigmin"):
            found += n.data[0]
    return list(dict.fromkeys(found))


def number_at(values: dict, where):
    name, place = where
    if place is None:
        return values[name]
    v = values[name]
    return v.members[place] if isinstance(v, Family) else v.rows[place[0]][place[1]]


def moved(values: dict, where, x) -> dict:
    """A point with another number at one place."""
    values = dict(values)
    put(values, where, x)
    return values


def put(values: dict, where, x) -> None:
    name, place = where
    if place is None:
        values[name] = x
    elif isinstance(values[name], Family):
        values[name] = Family(name, {**values[name].members, place: x})
    else:
        rows = [list(r) for r in values[name].rows]
        rows[place[0]][place[1]] = x
        values[name] = Mat(rows)
