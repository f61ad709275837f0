"""Sums, products and extrema over indices; teaches them to `evaluate`."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import sympy as sp

from . import values as V
from .environment import Env, NotEvaluable, Unbound, open_index
from .evaluate import OPS, evaluate
from .tree import Node, latex


def _loops(node, env):
    """The environments over which a big operator runs, or the symbolic bounds of its one index."""
    names, form = node.data
    _no_shadow(names, env)
    if form == "bounds":
        lo, hi = evaluate(node.args[1], env), evaluate(node.args[2], env)
        if hi in (mpmath.inf, sp.oo):
            return None, (names[0], lo, hi)
        if _whole(lo) and _whole(hi):
            return [env.running({names[0]: int(i)}) for i in range(int(lo), int(hi) + 1)], None
        if isinstance(lo, (sp.Basic, int)) and isinstance(hi, (sp.Basic, int)):
            return None, (open_index(names[0], lo, env), lo, hi)
        raise NotEvaluable(f"the bounds of {latex(node)} are not whole")
    spans = [(n, env.base[n]) for n in names if isinstance(env.base.get(n), range)]
    if form == "condition":
        spans = [(n, span) for n, span in spans if isinstance(env.values[n], range)]
    if form == "range" and len(spans) < len(names):
        symbolic = env.base.get(names[0])
        if len(names) == 1 and isinstance(symbolic, tuple) and len(symbolic) == 2:
            return None, (open_index(names[0], symbolic[0], env), *symbolic)
        missing = next(n for n in names if not isinstance(env.base.get(n), range))
        raise Unbound(f"say in a setting what the index {missing} runs over: {missing} = 1, \\dots, n")
    if not spans:
        raise Unbound(f"say in a setting what an index of {latex(node)} runs over")
    envs = [env]
    for name, span in spans:
        envs = [e.running({name: i}) for e in envs for i in span]
    if form == "condition":
        envs = [e for e in envs if holds_exactly(node.args[1], e)]
    return envs, None


def _no_shadow(names, env) -> None:
    for name in names:
        if name in env.indices:
            raise NotEvaluable(f"the index {name} runs already in the sum outside: give this one another letter")


def _open_body(node: Node, env: Env, symbolic):
    inner = replace(env.running({node.data[0][0]: symbolic[0]}), depth=env.depth + 1, memo={})
    return evaluate(node.args[0], inner)


def _whole(v):
    return isinstance(v, (int, sp.Integer))


def holds_exactly(relation: Node, env: Env) -> bool:
    """A relation between whole numbers."""
    parts = relation.args if relation.op == "chain" else (relation,)
    for rel in parts:
        a, b = (evaluate(x, env) for x in rel.args)
        if not (_whole(a) and _whole(b)):
            raise NotEvaluable(f"{latex(rel)} is not decided: bind its names to whole numbers or ranges")
        ok = {"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[rel.data]
        if not ok:
            return False
    return True


def _sum(node, env):
    envs, symbolic = _loops(node, env)
    if envs is None:
        if isinstance(symbolic[0], str):
            return OPS["series"](node, env, symbolic)
        return sp.Sum(_open_body(node, env, symbolic), symbolic)
    total = None
    for e in envs:
        term = evaluate(node.args[0], e)
        total = term if total is None else term + total
    return 0 if total is None else total


def _prod(node, env):
    envs, symbolic = _loops(node, env)
    if envs is None:
        if isinstance(symbolic[0], str):
            raise NotEvaluable("an infinite product is not in the dialect")
        return sp.Product(_open_body(node, env, symbolic), symbolic)
    total = 1
    for e in envs:
        total = V.times(total, evaluate(node.args[0], e))
    return total


def _bigextremum(node, env):
    envs, _ = _loops(node, env)
    if envs is None:
        raise NotEvaluable(f"{latex(node)} needs a fixed range")
    return V.function("max" if node.op == "bigmax" else "min", [V.Vec(evaluate(node.args[0], e) for e in envs)])


OPS.update({"sum": _sum, "prod": _prod, "bigmax": _bigextremum, "bigmin": _bigextremum})
