"""Proofs for any size: words of matrices, inner products through their Gram matrix, induction."""

from __future__ import annotations

from itertools import combinations

import sympy as sp

from .context import Context
from .environment import Env
from .evaluate import evaluate, evaluate_sides
from .exact import exact_pairs
from .identities import is_zero
from .numbers import Rejected, clauses
from .settings import Declared
from .solvers import certificate_holds, z3_holds
from .tree import Node, latex
from .words import Inner, Words, gram_matrix, identity, letter


def abstract_env(context: Context) -> Env:
    """Vectors and matrices as letters of their declared shapes, the rest as in any proof."""
    values = dict(context.values())
    made = Env(values, context.definitions, mode="sympy")
    symmetric = {name for name in context.declared if _symmetric(name, context)}
    for d in context.declared.values():
        if d.kind in ("vector", "matrix") and d.name not in context.given:
            rows, columns = (*(sp.sympify(evaluate(t, made)) for t in d.domain.shape), sp.Integer(1))[:2]
            values[d.name] = letter(d.name, rows, columns, d.name in symmetric)
    sizes = {
        d.domain.shape[0] for d in context.declared.values() if d.kind == "matrix" and len(set(d.domain.shape)) == 1
    }
    if "I" not in context.declared and len(sizes) == 1:
        values["I"] = identity(evaluate(next(iter(sizes)), made))
    return Env(values, context.definitions, context.label, context.used, mode="sympy")


def _symmetric(name: str, context: Context) -> bool:
    for _, r in context.relations:
        if r.op == "rel" and r.data == "=":
            for a, b in (r.args, r.args[::-1]):
                if a.op == "transpose" and a.args[0] == b and b.op == "sym" and latex(b) == name:
                    return True
    return False


def by_words(proof, tree: Node, context: Context) -> dict:
    env = abstract_env(context)
    for clause in clauses(tree):
        if clause.premises:
            raise Rejected("an implication between matrices is argued")
        for r in clause.goals:
            if r.data != "=":
                raise Rejected("words prove equations; an inequality of inner products is proved by='gram'")
            a, b = (x.settled() if isinstance(x, Words) else x for x in evaluate_sides(r, env))
            gap = a - b
            if not (gap.is_zero() if isinstance(gap, Words) else is_zero(gap, _given(context, env))):
                raise Rejected(f"the two sides are different words: {gap}")
    return {}


def _given(context: Context, env: Env) -> list[tuple]:
    found = []
    for _, r in [*context.relations, *context.assumptions]:
        if r.op == "rel" and r.data == "=":
            a, b = (x.settled() if isinstance(x, Words) else x for x in evaluate_sides(r, env))
            if not isinstance(a, Words) and not isinstance(b, Words):
                found.append((a, b))
    return found


def by_gram(proof, tree: Node, context: Context) -> dict:
    """Inner products as entries of a positive semidefinite matrix: any vectors of any dimension."""
    env = abstract_env(context)
    stated = [(r.data, *evaluate_sides(r, env)) for _, r in [*context.relations, *context.assumptions]]
    found = []
    for clause in clauses(tree):
        sides = [[(r.data, *evaluate_sides(r, env)) for r in part] for part in (clause.premises, clause.goals)]
        found.append(sides)
    every = [x for part in found for group in part for _, a, b in group for x in (a, b)]
    every += [x for _, a, b in stated for x in (a, b)]
    if any(isinstance(x, Words) for x in every):
        raise Rejected("a side is a vector or a matrix: an identity of these is proved by='words'")
    vectors, known = gram_matrix(every)
    if not vectors:
        raise Rejected("no inner product of declared vectors occurs")
    positive = _semidefinite(vectors, known)
    for premises, goals in found:
        given = [(rel, x, y) for rel, a, b in (*premises, *stated) for x, y in exact_pairs(a, b)] + positive
        goals = [(rel, x, y) for rel, a, b in goals for x, y in exact_pairs(a, b)]
        if all(rel == "=" for rel, *_ in goals) and not premises:
            pairs = [(a, b) for rel, a, b in stated if rel == "="]
            if all(is_zero(x - y, pairs) for _, x, y in goals):
                continue
        if proof.certificate is not None:
            for rel, x, y in goals:
                certificate_holds(rel, x, y, proof.certificate)
            continue
        z3_holds(given, goals)
    return {"vectors": len(vectors)}


def _semidefinite(vectors: list[str], known: dict) -> list[tuple]:
    """All principal minors of the Gram matrix, as far as three vectors, are at least 0."""
    entry = lambda a, b: known.setdefault(frozenset((a, b)), Inner(a, b))  # noqa: E731
    found = []
    for size in (1, 2, 3):
        for chosen in combinations(vectors, size):
            gram = sp.Matrix(size, size, lambda i, j, c=chosen: entry(c[i], c[j]))
            found.append((">=", sp.expand(gram.det()), sp.Integer(0)))
    return found


def by_induction(proof, tree: Node, context: Context) -> dict:
    """The statement at the first value, and from n to n + 1: what both sides gain is equal, or their quotient is."""
    n = proof.on
    d: Declared | None = context.declared.get(n)
    if d is None or d.domain.field != "integer" or d.domain.low is None:
        raise Rejected(f"induction runs over a whole number with a first value; {n or 'on='} is none of this page")
    start = context.env().values[n]
    low = sp.sympify(evaluate(d.domain.low, context.env()))
    for clause in clauses(tree):
        if clause.premises or any(r.data != "=" for r in clause.goals):
            raise Rejected("induction proves equations")
        for r in clause.goals:
            at = lambda k, r=r: evaluate_sides(r, context.env().moved(n, k))  # noqa: E731
            first, here, there = at(low), at(start), at(start + 1)
            for x, y in exact_pairs(*first):
                if not is_zero(sp.sympify(_written(x)) - sp.sympify(_written(y))):
                    raise Rejected(f"it does not hold at {n} = {low}")
            for (a, b), (c, e) in zip(exact_pairs(*here), exact_pairs(*there), strict=True):
                if not _step(*(sp.sympify(v) for v in (a, b, c, e)), start):
                    raise Rejected(f"the step from {n} to {n} + 1 is not seen")
    return {"from": str(low)}


def _written(x):
    return sp.sympify(x).doit() if hasattr(sp.sympify(x), "doit") else x


def _step(a, b, c, e, n) -> bool:
    """Whether `c = e` follows from `a = b`: equal gains, or equal factors."""
    gain = _last(c, n) - a - (_last(e, n) - b)
    if is_zero(gain):
        return True
    factor = _last(c, n) * b - _last(e, n) * a
    return is_zero(factor)


def _last(value, n):
    """A sum or product that ends a fixed number of terms from n, with its last term split off."""

    def split(x):
        index, lo, hi = x.limits[0]
        if len(x.limits) == 1 and sp.expand(hi - n).is_Integer:
            term = x.function.xreplace({index: hi})
            rest = x.func(x.function, (index, lo, hi - 1))
            return rest + term if isinstance(x, sp.Sum) else rest * term
        return x

    return sp.sympify(value).replace(lambda x: isinstance(x, (sp.Sum, sp.Product)), split)
