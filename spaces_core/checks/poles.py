r"""Where a statement has no value: a denominator that passes through 0 within the page's setting.

Random numbers never hit $x = 1$ in $\frac{x^2 - 1}{x - 1} = x + 1$; a change of sign of the denominator shows the way.
"""

from __future__ import annotations

from collections.abc import Iterator

import mpmath

from .context import FEW, Context
from .drawing import moved, number_at
from .environment import Definition, Env, NotEvaluable, Unbound
from .evaluate import evaluate_sides
from .numbers import Rejected, clauses, show_point, tolerance, true_at
from .tree import Node, latex, walk
from .values import Mat, scalars

BINDS = ("lim", "int", "at", "deriv")
STEPS = [mpmath.mpf(s) for s in ("-5.1", "-2.1", "-1.1", "-0.4", "0", "0.4", "1.1", "2.1", "5.1")]
COORDINATES = 8
TOUCH = mpmath.mpf("1e-20")
NEAR = mpmath.mpf("1e-9")
COARSE = 20  # steps after which a search that leaves the setting, or comes near no zero, is given up
HALVINGS = 100


def poles(tree: Node, context: Context) -> None:
    """Look for a point of the setting at which a statement is not defined.

    Raises:
        Rejected: a denominator, or the determinant of an inverted matrix, is 0 at a point that the settings allow.
    """
    found = set(divisors(unfolded(tree, context.definitions)))
    if not found or context.instances or context.operators:
        return
    drawing = context.drawing()
    for point in context.points(FEW):
        for where in drawing.coordinates(point)[:COORDINATES]:
            allowed = lambda x, point=point, where=where: drawing.allows(moved(point, where, x))  # noqa: E731
            old = number_at(point, where)
            for b in found if allowed(old + NEAR) or allowed(old - NEAR) else ():
                for zero in _zeros(b, point, where, context, allowed):
                    if _inner(number_at(zero, where), allowed) and _meant(tree, zero, context):
                        what = rf"\det {latex(b)}" if isinstance(_at(b, zero, context), Mat) else latex(b)
                        raise Rejected(f"has no value where {what} = 0, such as {show_point(zero)}; "
                                       f"say ${what} \\ne 0$ in the setting")  # fmt: skip


def unfolded(tree: Node, definitions: list[Definition]) -> Node:
    """A statement with the page's definitions written out."""
    for d in definitions:
        given = d.match(tree) if tree.op in ("sym", "call") else None
        if given is not None and len(given) == len(d.params):
            others = [x for x in definitions if x is not d]
            return unfolded(_put(d.right, dict(zip(d.params, given, strict=True))), others)
    return Node(tree.op, tuple(unfolded(a, definitions) for a in tree.args), tree.data)


def _put(tree: Node, given: dict[str, Node]) -> Node:
    if tree.op == "sym" and latex(tree) in given:
        return given[latex(tree)]
    return Node(tree.op, tuple(_put(a, given) for a in tree.args), tree.data)


def _inner(x, allowed) -> bool:
    """Whether the setting allows a number and both sides of it: it does not lie on an open end."""
    return all(map(allowed, (x, x + NEAR, x - NEAR)))


def divisors(tree: Node) -> Iterator[Node]:
    """What is divided by, factor by factor; not where a limit or an integral binds a variable."""
    if tree.op in BINDS:
        return
    if tree.op == "frac":
        yield from _factors(tree.args[1])
    if (tree.op == "pow" and tree.args[1].op == "neg") or (tree.op == "func" and tree.data == "log"):
        yield from _factors(tree.args[0])
    for a in tree.args:
        yield from divisors(a)


def _factors(b: Node) -> Iterator[Node]:
    """What is 0 where a product, a power, a root or an absolute value is, and changes its sign there."""
    if b.op == "mul":
        for a in b.args:
            yield from _factors(a)
    elif b.op in ("neg", "abs", "root") or (b.op == "pow" and b.args[1].op == "num"):
        yield from _factors(b.args[0])
    elif any(n.op == "sym" for n in walk(b)) and not any(n.op in BINDS for n in walk(b)):
        yield b


def _zeros(b: Node, point: dict, where, context: Context, allowed) -> Iterator[dict]:
    """Points at which `b` is 0, reached from a point by moving one number."""
    old = number_at(point, where)
    table = [_numbers(b, moved(point, where, old + s), context) for s in STEPS]
    for k in range(len(STEPS) - 1):
        for j in range(min(len(table[k]), len(table[k + 1]))):
            if table[k][j] * table[k + 1][j] <= 0 and table[k] != table[k + 1]:
                yield from _bisected(b, point, where, (old + STEPS[k], old + STEPS[k + 1]), j, context, allowed)
        for j in range(min(map(len, table[k - 1 : k + 2]), default=0) if k else 0):
            a, low, c = (abs(table[i][j]) for i in (k - 1, k, k + 1))
            if low <= a and low <= c and a != c:
                yield from _lowest(b, point, where, (old + STEPS[k - 1], old + STEPS[k + 1]), j, context, allowed)


def _value(b: Node, point: dict, where, j: int, context: Context):
    return lambda x: (_numbers(b, moved(point, where, x), context) or [mpmath.nan] * (j + 1))[j]


def _lowest(b: Node, point: dict, where, ends, j: int, context: Context, allowed) -> Iterator[dict]:
    """Where a divisor touches 0 without a change of sign."""
    low, high = ends
    size = lambda x: abs(_value(b, point, where, j, context)(x))  # noqa: E731
    at_ends = max(size(low), size(high))
    for turn in range(2 * HALVINGS):
        third = (high - low) / 3
        if turn == COARSE and not (size(low + third) < at_ends / 10**4 and allowed(low) and allowed(high)):
            return
        if size(low + third) <= size(high - third):
            high -= third
        else:
            low += third
    x = (low + high) / 2
    if size(x) <= TOUCH * at_ends:
        yield moved(point, where, x)


def _bisected(b: Node, point: dict, where, ends, j: int, context: Context, allowed) -> Iterator[dict]:
    low, high = ends
    value = _value(b, point, where, j, context)
    at_low, at_high = value(low), value(high)
    size = max(abs(at_low), abs(at_high))
    for turn in range(HALVINGS):
        if turn == COARSE and not (allowed(low) and allowed(high)):
            return
        middle = (low + high) / 2
        now = value(middle)
        if mpmath.isnan(now):
            return
        if at_low * now <= 0:
            high = middle
        else:
            low, at_low = middle, now
    x = min((low, high), key=lambda x: abs(value(x)))
    if abs(value(x)) <= TOUCH * (1 + size):
        yield moved(point, where, x)


def _numbers(b: Node, point: dict, context: Context) -> list:
    """The values of a divisor; of a matrix its determinant; none where it has no real value."""
    try:
        value = _at(b, point, context)
        found = [value.det()] if isinstance(value, Mat) and value.shape[0] == value.shape[1] else scalars(value)
    except (NotEvaluable, Unbound):
        return []
    return found if all(isinstance(v, (int, mpmath.mpf)) for v in found) else []


def _at(b: Node, point: dict, context: Context):
    side = Node("rel", (b, b), "=")
    return evaluate_sides(side, Env(point, context.definitions, mode="mp"))[0]


def _meant(tree: Node, point: dict, context: Context) -> bool:
    """Whether a statement, without its own premises, speaks of a point."""
    env = Env(point, context.definitions, mode="mp")
    return any(
        all(true_at(r, env, tolerance(tree, context.definitions), context.near) for r in c.premises)
        for c in clauses(tree)
    )
