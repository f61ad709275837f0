"""Teeth: after a check passes, its display is misprinted and the same check must reject it."""

from __future__ import annotations

import sympy as sp

from .evaluate import Env, evaluate, evaluate_sides
from .evidence import FAILURES, Proved, relations
from .grammar import GrammarError, parse_name
from .prove import Rejected, is_zero, pairs, z3_holds
from .tree import latex, walk
from .typos import typos
from .values import is_function


def bite(chapter, e, check, tree, context):
    extra = [n for n in map(parse_name, context.values) if n is not None and not n.args]
    extra = [
        n
        for n in extra
        if not is_function(context.values[latex(n)]) and not isinstance(context.values[latex(n)], (range, tuple))
    ]
    survivors = []
    for kind, typo in typos(tree, [n for n in extra if latex(n) in {latex(x) for x in walk(tree)}]):
        try:
            check.test(typo, context, quick=True)
            if check.same(tree, typo, context):
                e.made += 1
                e.equivalent += 1
                continue
            check.test(typo, context)
        except FAILURES as how:
            e.caught_typo(kind, typo, how)
            continue
        e.made += 1
        survivors.append((kind, typo))
    _judge(e, survivors, "give a spot value: tight= or pins=")


def _judge(e, survivors, advice):
    if survivors:
        listed = "; ".join(f"[{kind}] {latex(t)}" for kind, t in survivors[:4])
        raise Rejected(f"{len(survivors)} of {e.made} typos survive: {listed}. {advice}")
    if not e.caught:
        raise Rejected("this check has no teeth: it catches no typo")


def _dependents(chapter, label):
    """Checks that rest on a definition or assumption, directly or through other definitions."""
    return [c for c in chapter.checks if label in c[0].uses or label in c[0].assumes]


def bite_below(chapter, e):
    """A definition or assumption is held by the checks that use it."""
    dependents = _dependents(chapter, e.label)
    spec = chapter.assumptions.get(e.label)
    if not dependents:
        raise Rejected(f"no check uses this {e.kind}")
    names = {k: v for d in dependents for k, v in d[2]["values"].items()}
    tree = chapter.parse(e.label, names)
    if e.kind == "assumption":
        e.read = latex(tree)
    survivors = []
    for kind, typo in typos(tree, only_right=e.kind == "definition"):
        how = _caught_below(chapter, e, typo, dependents, spec)
        if how:
            e.caught_typo(kind, typo, how)
            continue
        e.made += 1
        if _equivalent_below(chapter, e, tree, typo, dependents):
            e.equivalent += 1
        else:
            survivors.append((kind, typo))
    e.scope = f"used by {len(dependents)} check{'s' if len(dependents) > 1 else ''}"
    _judge(e, survivors, f"no check that uses it ({', '.join(d[0].label for d in dependents)}) fails")


def _caught_below(chapter, e, typo, dependents, spec):
    if spec is not None:
        for point, truth in (("where", False), ("holds", True)):
            if spec[point]:
                values = {**chapter.common, **spec[point]}
                try:
                    if chapter.true_at(typo, values) is not truth:
                        return f"{'true' if not truth else 'false'} at the stated point"
                except FAILURES as error:
                    return str(error)
    for quick in (True, False):
        for dep, check, how in dependents:
            try:
                context = chapter.context(dep, how["values"], how["assuming"], how["override"], {e.label: typo})
                check.test(how["tree"], context, quick)
            except (*FAILURES, GrammarError) as error:
                return f"{dep.label} {error}"
    return ""


def _equivalent_below(chapter, e, tree, typo, dependents) -> bool:
    """Whether a misprinted definition or assumption still says the same, on the bindings of a proof that uses it."""
    for _, check, how in dependents:
        if isinstance(check, Proved):
            definitions = chapter.definition_trees(how["values"], None, how["override"])
            others = [d for d in definitions if d.label != e.label]
            try:
                if e.kind == "definition":
                    return _same_right_sides(chapter, e, tree, typo, how["values"], others)
                return _same_condition(tree, typo, Env(how["values"], others))
            except (*FAILURES, TypeError, ValueError):
                return False
    return False


def _same_right_sides(chapter, e, tree, typo, values, definitions) -> bool:
    for a, b, spec in zip(relations(tree), relations(typo), chapter.definitions[e.label]["parts"], strict=True):
        free = {
            p: values[p][0] if isinstance(values.get(p), range) else sp.Dummy(p, positive=True) for p in spec["params"]
        }
        env = Env({**values, **free}, definitions)
        found = pairs(evaluate(a.args[1], env), evaluate(b.args[1], env))
        if not all(is_zero(sp.sympify(x) - sp.sympify(y)) for x, y in found):
            return False
    return True


def _same_condition(tree, typo, env) -> bool:
    """Each follows from the other."""
    one, other = (
        [(r.data, x, y) for r in relations(t) for x, y in pairs(*evaluate_sides(r, env))] for t in (tree, typo)
    )
    z3_holds(one, other)
    z3_holds(other, one)
    return True
