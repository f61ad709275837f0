"""A search for where an inequality is tightest: it finds counterexamples, and shows where equality is near."""

from __future__ import annotations

import random

from .context import Context
from .drawing import NoPoint
from .numbers import clauses, examine, relations
from .tree import Node

TIGHT = 0.99
ORDERS = ("<", "<=", ">", ">=")


def climb(tree: Node, context: Context, points: list[dict], near=0, steps: int = 100) -> tuple[float, dict]:
    """How tight an inequality becomes, and where.

    Raises:
        Fails: it found a point where the statement is false.
    """
    drawing = context.drawing()

    def tight(point):
        value = examine(tree, [point], context.definitions, near, few=True)["tightest"]
        return -1.0 if value is None else value

    scored = sorted(((tight(p), k) for k, p in enumerate(points[:60])), reverse=True)
    starts = [k for s, k in scored if s < 1][:2] or [scored[0][1]]
    rng, top, where = random.Random(context.seed), -1.0, points[starts[0]]
    for k in starts:
        point, score, size = points[k], tight(points[k]), 0.5
        for _ in range(steps):
            try:
                moved = drawing.nudged(point, rng, size)
            except NoPoint:
                size *= 0.7
                continue
            new = tight(moved)
            if new > score:
                point, score, size = moved, new, size * 1.3
            else:
                size = max(size * 0.9, 1e-6)
            if score > 0.99999:
                break
        if score > top:
            top, where = score, point
    return round(top, 6), where


def touching(tree: Node, context: Context, points: list[dict], near=0) -> list[tuple[int, dict]]:
    """For each inequality of a statement its place among the relations, and a point where it is all but equality."""
    found = []
    rels = list(relations(tree))
    for clause in clauses(tree):
        for r in clause.goals:
            if r.data not in ORDERS:
                continue
            alone = r if not clause.premises else Node("implies", (_joined(clause.premises), r))
            score, where = climb(alone, context, points, near)
            if score >= TIGHT:
                found.append((next(k for k, x in enumerate(rels) if x is r), where))
    return found


def _joined(premises: tuple[Node, ...]) -> Node:
    return premises[0] if len(premises) == 1 else Node("chain", premises)
