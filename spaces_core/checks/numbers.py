"""Numbers first: a statement is evaluated at points of its own domain before anything is proved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import mpmath

from .environment import Env, NotEvaluable, Unbound, Undecided
from .evaluate import evaluate_sides
from .tree import Node, latex, walk
from .values import MPC, Family, Mat, Vec, scalars

SAME = mpmath.mpf("1e-15")
ANALYTIC = mpmath.mpf("1e-7")


class Rejected(AssertionError):
    """The statement does not pass; the message says where it fails."""


class Fails(Rejected):
    """A relation is false at a point; `left` and `right` are its sides there."""

    def __init__(self, relation: Node, point: dict, left, right, why: str = ""):
        self.relation, self.left, self.right = relation, left, right
        self.point = named(relation, point) or point
        super().__init__(f"{why or 'fails'} at {show_point(self.point)}")


@dataclass(frozen=True)
class Clause:
    """`premises ⟹ goals`, each a relation node."""

    premises: tuple[Node, ...]
    goals: tuple[Node, ...]


def relations(tree: Node) -> tuple[Node, ...]:
    if tree.op == "rel":
        return (tree,)
    if tree.op in ("chain", "all", "implies", "iff"):
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


def pairs(a, b) -> list[tuple]:
    """The scalar relations that a relation between two values means.

    Raises:
        NotEvaluable: a matrix is compared with a number, or sizes differ.
    """
    many = (Mat, Vec)
    if isinstance(a, Family) or isinstance(b, Family):
        raise NotEvaluable("a family stands without its index: write p_i, or declare a vector")
    a, b = (v.rows[0][0] if isinstance(v, Mat) and v.shape == (1, 1) else v for v in (a, b))
    if isinstance(a, Mat) != isinstance(b, Mat):
        matrix, other = (a, b) if isinstance(a, Mat) else (b, a)
        if other == 0:
            return [(v, 0) for v in scalars(matrix)]
        raise NotEvaluable("a matrix is compared with a number")
    if isinstance(a, Mat) and a.shape != b.shape:
        raise NotEvaluable(f"shapes {a.shape} and {b.shape} are compared")
    left, right = scalars(a), scalars(b)
    if isinstance(a, many) and not isinstance(b, many):
        right = right * len(left)
    if isinstance(b, many) and not isinstance(a, many):
        left = left * len(right)
    if len(left) != len(right):
        raise NotEvaluable(f"the sides have {len(left)} and {len(right)} components")
    return list(zip(left, right, strict=True))


def compare(rel: str, a, b, tol=SAME, near=0) -> bool:
    """Whether `a rel b` for numbers, up to a relative error `tol`; `≈` up to `near`.

    Raises:
        NotEvaluable: a side is infinite, not a number, or not real where an order is asked.
    """
    for v in (a, b):
        if not mpmath.isfinite(v):
            raise NotEvaluable("a side is infinite or no number")
    gap, size = a - b, max(abs(a), abs(b))
    if isinstance(gap, (MPC, complex)):
        if rel in ("=", "!="):
            return (abs(gap) <= tol * size) == (rel == "=")
        if abs(mpmath.im(gap)) > tol * size:
            raise NotEvaluable("a side is not a real number")
        gap = mpmath.re(gap)
    equal = abs(gap) <= max(tol * size, mpmath.mpf("1e-25"))
    if rel == "=":
        return bool(equal)
    if rel == "!=":
        return not equal
    if rel == "~":
        return bool(abs(gap) <= near)
    if rel in ("<=", ">="):
        return bool(equal or (gap < 0) == (rel == "<="))
    return bool(not equal and (gap < 0) == (rel == "<"))


def tolerance(tree: Node, definitions, seen: frozenset = frozenset()) -> mpmath.mpf:
    """What rounding, quadrature and limits leave: looser where the display, or what it uses, needs calculus."""
    for n in walk(tree):
        if n.op in ("int", "lim", "deriv") or (n.op == "sym" and n.data[0].endswith("'")):
            return ANALYTIC
        if n.op == "sum" and n.data[1] == "bounds" and n.args[2].op == "sym" and latex(n.args[2]) == r"\infty":
            return ANALYTIC
        if n.op in ("sym", "call"):
            for d in definitions:
                if d.label not in seen and (d.match(n) is not None or (n.op == "sym" and latex(d.head) == latex(n))):
                    found = tolerance(d.right, definitions, seen | {d.label})
                    if found > SAME:
                        return found
    return SAME


def examine(
    tree: Node, points: Iterable[dict], definitions, near=0, used: set | None = None, label: str = "", few=False
) -> dict:
    """Evaluate a statement at points.

    Args:
        tree: the statement.
        points: the values of all names at each.
        definitions: of the page.
        near: what `≈` allows.
        few: whether it is fine that no point satisfies a premise.

    Returns:
        how many points there were, at how many each premise held, and the tightest ratio of an inequality.

    Raises:
        Fails: a goal is false, or has no real value, where its premises hold.
        Rejected: no point satisfies the premises.
    """
    todo, tol = clauses(tree), tolerance(tree, definitions)
    tested, count, tight, undecided = [0] * len(todo), 0, None, 0
    for point in points:
        count += 1
        env = Env(point, definitions, label, set() if used is None else used, mode="mp")
        for k, clause in enumerate(todo):
            if not all(true_at(r, env, tol, near) for r in clause.premises):
                continue
            tested[k] += 1
            for r in clause.goals:
                try:
                    ratio = _goal(r, env, point, tol, near)
                except Undecided:
                    undecided += 1
                    continue
                tight = ratio if tight is None or (ratio is not None and ratio > tight) else tight
    if undecided > count // 2:
        raise Rejected("at most points numbers do not settle what a side is")
    if not few and any(n < min(2, count) for n in tested):
        raise Rejected("no point of the setting satisfies what is assumed" if count else "there is no point to test")
    return {"points": count, "tested": min(tested, default=0), "tightest": tight}


def true_at(r: Node, env: Env, tol, near=0) -> bool:
    """Whether a relation holds; not where a side has no value."""
    try:
        return all(compare(r.data, a, b, tol, near) for a, b in pairs(*evaluate_sides(r, env)))
    except NotEvaluable:
        return False


def _goal(r: Node, env: Env, point: dict, tol, near):
    try:
        left, right = evaluate_sides(r, env)
        both = pairs(left, right)
        ok = all(compare(r.data, a, b, tol, near) for a, b in both)
    except (Unbound, Undecided):
        raise
    except NotEvaluable as error:
        raise Fails(r, point, [], [], f"{error}:") from None
    if r.data not in ("=", "!=", "~") and any(isinstance(v, Mat) and len(v) > 1 for v in (left, right)):
        raise Rejected(
            "an order between vectors or matrices has several meanings: write the entries, or a quadratic form"
        )
    if not ok:
        raise Fails(r, point, [a for a, _ in both], [b for _, b in both])
    if r.data in ("=", "!="):
        return None
    return max((_closeness(r.data, a, b, near) for a, b in both), default=None)


def _closeness(rel: str, a, b, near) -> float:
    """1 where an inequality holds with equality, 0 where its sides are far apart."""
    size = max(abs(a), abs(b))
    if rel == "~":
        return float(abs(a - b) / near) if near else 0.0
    return 1.0 if size == 0 else float(1 - min(1, abs(a - b) / size))


def named(relation: Node, point: dict) -> dict:
    """What a point says of the names of a relation."""
    names = {x for n in walk(relation) if n.op == "sym" for x in (latex(n), n.data[0])}
    return {k: v for k, v in point.items() if k in names}


def show_point(point: dict, most: int = 6) -> str:
    """A point for a reader: `x = 1.25, n = 3`."""
    shown = []
    for name, v in point.items():
        if isinstance(v, range) or callable(v):
            continue
        shown.append(f"{name} = {show(v)}")
    return ", ".join(shown[:most]) or "a point of the setting"


def show(v, digits: int = 4) -> str:
    if isinstance(v, Family):
        return "(" + ", ".join(show(m, digits) for m in v.members.values()) + ")"
    if isinstance(v, Mat):
        rows = ["(" + ", ".join(show(x, digits) for x in r) + ")" for r in v.rows]
        return "(" + ", ".join(show(x, digits) for x in v) + ")" if v.shape[1] == 1 else "(" + "; ".join(rows) + ")"
    if isinstance(v, Vec):
        return "(" + ", ".join(show(x, digits) for x in v) + ")"
    return mpmath.nstr(v, digits) if isinstance(v, (type(mpmath.mpf(1)), MPC)) else str(v)
