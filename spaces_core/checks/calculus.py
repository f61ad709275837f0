"""Derivatives, integrals, limits and infinite sums: exactly by SymPy, in numbers by mpmath with an error estimate."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import mpmath
import sympy as sp

from . import values as V
from .environment import Env, NotEvaluable, Unbound, Undecided
from .evaluate import OPS, evaluate, unfold
from .numbers import SAME, tolerance
from .tree import Node, base, indices, latex, walk

DIGITS = 15
CLOSE = mpmath.mpf("1e-8")


# --- derivatives ---------------------------------------------------------------------------------
def derivative(node: Node, env: Env):
    var, body = node.args
    if not depends(body, var, env):
        what, by = latex(body), latex(var)
        raise NotEvaluable(
            f"{what} does not depend on {by} on this page: declare it as a function of {by}, or define it"
        )
    n = node.data[1]
    if env.mode == "mp":
        x0, place = _place(var, env)
        return _numeric(lambda t: evaluate(body, place(t)), x0, n, latex(node), _rough(body, env))
    x, f = evaluate(var, env), evaluate(body, env)
    if not isinstance(x, (sp.Symbol, sp.Indexed)):
        raise NotEvaluable(f"{latex(node)}: bind {latex(var)} to a SymPy symbol, or the derivative as an atom")
    return _each(f, lambda v: sp.diff(sp.sympify(v), x, n))


def derivative_of(f, t, n: int, env: Env, shown: str, rough: bool):
    """The n-th derivative of a function at a value; `rough` says that the function has the error of a quadrature."""
    if env.mode == "mp":
        return _numeric(f, t, n, shown, rough)
    x = sp.Dummy("x", real=True)
    return sp.diff(sp.sympify(f(x)), x, n).subs(x, t)


def _rough(body: Node, env: Env) -> bool:
    return tolerance(body, env.definitions) > SAME


def _numeric(f, x0, n: int, shown: str, rough: bool):
    with mpmath.workdps(2 * DIGITS):
        x0 = mpmath.mpf(x0)
        if not rough:
            return mpmath.diff(lambda t: f(t), x0, n)
        step = min(mpmath.mpf(1) / 32, abs(x0) / 4 or 1)
        found = [_central(f, x0, n, step / 2**k) for k in range(4)]
        for order in (1, 2, 3):  # Richardson: the error has even powers of the step
            last, found = found[-1], [b + (b - a) / (4**order - 1) for a, b in pairwise(found)]
        if abs(found[-1] - last) > CLOSE * max(1, abs(last)):
            raise Undecided(f"{shown}: the difference quotients do not settle")
        return found[-1]


def _central(f, x0, n: int, step):
    terms = [(-1) ** k * mpmath.binomial(n, k) * f(x0 + (mpmath.mpf(n) / 2 - k) * step) for k in range(n + 1)]
    return sum(terms[1:], terms[0]) / step**n


def _each(f, do):
    if isinstance(f, V.Vec):
        return V.Vec(do(v) for v in f)
    if isinstance(f, sp.MatrixBase):
        return f.applyfunc(do)
    return f.map(do) if isinstance(f, V.Mat) else do(f)


def _place(var: Node, env: Env):
    """The number that a variable has, and the surroundings in which it has another."""
    name = latex(var)
    if name in env.values and not isinstance(env.values[name], range):
        return env.values[name], lambda t: env.moved(name, t)
    whole = env.values.get(base(var))
    sub, sup = indices(var)
    where = tuple(int(evaluate(i, env)) for i in (*sup, *sub))
    if isinstance(whole, V.Family):
        return whole.entry(*where), lambda t: env.moved(whole.name, V.Family(whole.name, {**whole.members, where: t}))
    if isinstance(whole, V.Mat):
        i, j = (*where, 1)[:2]
        there = lambda t: V.Mat(  # noqa: E731
            [[t if (a, b) == (i - 1, j - 1) else v for b, v in enumerate(r)] for a, r in enumerate(whole.rows)]
        )
        return whole.entry(*where), lambda t: env.moved(base(var), there(t))
    raise Unbound(f"{name} is not declared: it is what is differentiated by")


def depends(body: Node, var: Node, env: Env, seen: frozenset = frozenset()) -> bool:
    """Whether an expression speaks of a variable, itself or through the page's definitions."""
    for n in walk(body):
        if n.op != "sym":
            continue
        if (
            n == var
            or (var.args and base(n) == base(var))
            or (n.args and latex(Node("sym", (), (base(n), 0))) == latex(var))
        ):
            return True
        bound = env.values.get(latex(n), env.values.get(base(n)))
        if isinstance(bound, sp.Basic) and latex(var) in env.values:
            mine = env.values[latex(var)]
            if isinstance(mine, sp.Symbol) and mine in bound.free_symbols:
                return True
        for d in env.definitions:
            if d.label not in seen and (d.match(n) is not None or base(d.head) == base(n)):
                if depends(d.right, var, env, seen | {d.label}):
                    return True
    return False


def at(node: Node, env: Env):
    body, var, value = node.args
    x0 = evaluate(value, env)
    if env.mode == "mp":
        return evaluate(body, _place(var, env)[1](x0))
    f, x = evaluate(body, env), evaluate(var, env)
    if not isinstance(x, (sp.Symbol, sp.Indexed)):
        raise NotEvaluable(f"{latex(node)}: bind {latex(var)} to a SymPy symbol")
    return _each(f, lambda v: sp.sympify(v).subs(x, x0))


# --- limits --------------------------------------------------------------------------------------
def limit(node: Node, env: Env):
    var, target, body = node.args
    a, name = evaluate(target, env), latex(var)
    if env.mode == "mp":
        f = lambda t: evaluate(body, env.moved(name, t))  # noqa: E731
        return _numeric_limit(f, a, node.data, latex(node))
    x = env.values.get(name)
    if not isinstance(x, sp.Symbol) or x.is_integer:
        x = sp.Symbol(name.replace("\\", ""), real=True)
    f = sp.sympify(evaluate(body, env.moved(name, x)))
    if a in (sp.oo, -sp.oo):
        return sp.limit(f, x, a)
    return sp.limit(f, x, a, node.data or "+-")


def _numeric_limit(f, a, side: str, shown: str):
    if a in (mpmath.inf, -mpmath.inf):
        sign = 1 if a > 0 else -1
        steps = [lambda k: sign * mpmath.sqrt(3) * mpmath.mpf(10) ** k]
    else:
        sides = [1, -1] if not side else [1 if side == "+" else -1]
        steps = [(lambda k, s=s: a + s * mpmath.sqrt(3) * mpmath.mpf(10) ** -k) for s in sides]
    found = []
    with mpmath.workdps(4 * DIGITS):
        for step in steps:
            values = [f(step(k)) for k in (3, 6, 9, 12)]
            if any(isinstance(v, (V.Mat, V.Vec)) or not mpmath.isfinite(v) for v in values):
                raise NotEvaluable(f"{shown}: no finite value near the limit")
            gaps = [abs(v - values[-1]) for v in values[:-1]]
            if gaps[2] > CLOSE * max(1, abs(values[-1])) and not gaps[2] < gaps[1] / 5 < gaps[0] / 25:
                raise NotEvaluable(f"{shown}: the values near the limit do not settle")
            found.append(_extrapolated(values))
    if len(found) == 2 and abs(found[0] - found[1]) > mpmath.mpf("1e-6") * max(1, abs(found[0])):
        raise NotEvaluable(f"{shown}: {mpmath.nstr(found[0], 6)} from above, {mpmath.nstr(found[1], 6)} from below")
    return found[0]


def _extrapolated(v):
    """Aitken's step, which removes an error that shrinks by a constant factor."""
    below = v[3] - 2 * v[2] + v[1]
    return v[3] if abs(below) < mpmath.mpf(10) ** (-3 * DIGITS) else v[3] - (v[3] - v[2]) ** 2 / below


# --- integrals -----------------------------------------------------------------------------------
def integral(node: Node, env: Env):
    var, lo, hi, body = node.args
    a, b, name = evaluate(lo, env), evaluate(hi, env), latex(var)
    if env.mode in ("sympy", "iv"):
        x = env.values.get(name)
        x = x if isinstance(x, sp.Symbol) else sp.Dummy(name.replace("\\", ""), real=True)
        f = evaluate(body, env.moved(name, x, mode="sympy"))
        return sp.integrate(sp.sympify(f), (x, a, b))
    inner = replace(env, mode="mp") if env.mode == "mp" else env
    f = lambda t: evaluate(body, inner.moved(name, t, mode="mp"))  # noqa: E731
    value = _quadrature(f, a, b, [v for v in env.values.values() if isinstance(v, (float, V.MP))], latex(node))
    return value if env.mode == "mp" else float(value)


def _quadrature(f, a, b, marks, shown: str):
    """Two divisions of the interval must agree; numbers of the integrand that lie inside divide it too."""
    with mpmath.workdps(DIGITS + 5):
        a, b = mpmath.mpf(a), mpmath.mpf(b)
        inside = sorted({mpmath.mpf(m) for m in marks if min(a, b) < m < max(a, b)})
        if mpmath.isinf(a) or mpmath.isinf(b):
            inner = [mpmath.mpf(0)] if a < 0 < b and not inside else []
            other = [m + mpmath.mpf("0.6180339") for m in inside] or [_inside(a, b)]
        else:
            inner, other = [], [a + (b - a) * mpmath.mpf("0.3819660")]
        finer = [p for p in other if min(a, b) < p < max(a, b)]
        points = [[a, *sorted({*inside, *inner}), b], [a, *sorted({*inside, *inner, *finer}), b]]
        if a > b:
            points = [[a, *sorted(p[1:-1], reverse=True), b] for p in points]
        values = []
        for division in points:
            value, error = mpmath.quad(f, division, error=True)
            if not mpmath.isfinite(value) or error > CLOSE * max(1, abs(value)):
                raise NotEvaluable(f"{shown}: the integral does not converge in numbers")
            values.append(value)
        if abs(values[0] - values[1]) > CLOSE * max(1, abs(values[0])):
            raise NotEvaluable(f"{shown}: the integral does not converge in numbers")
        return values[1]


def _inside(a, b):
    if mpmath.isinf(a) and mpmath.isinf(b):
        return mpmath.mpf("0.6180339")
    return a + 1 if mpmath.isinf(b) else b - 1


# --- infinite sums -------------------------------------------------------------------------------
def series(node: Node, env: Env, run):
    """A sum to infinity: SymPy's, or a number that the partial sums come to."""
    name, lo, _ = run
    body = node.args[0]
    if env.mode != "mp":
        k = sp.Symbol(f"{name}_{env.depth}", integer=True, nonnegative=True)
        inner = replace(env.running({name: k}), depth=env.depth + 1, memo={})
        return sp.Sum(evaluate(body, inner), (k, lo, sp.oo))
    term = lambda k: evaluate(body, env.running({name: int(k)}))  # noqa: E731
    with mpmath.workdps(2 * DIGITS):
        partial, sums = mpmath.mpf(0), {}
        for k in range(int(lo), int(lo) + 400):
            partial += term(k)
            sums[k - int(lo) + 1] = partial
        gaps = [abs(sums[2 * n] - sums[n]) for n in (50, 100, 200)]
        last = [abs(sums[n] - sums[n - 1]) for n in (100, 200, 400)]
        if last[2] >= last[1] >= last[0] > 0:
            raise NotEvaluable(f"{latex(node)}: the sum diverges")
        settled = gaps[2] <= CLOSE**2 * max(1, abs(partial))
        if not settled and not (gaps[2] < 0.75 * gaps[1] < 0.6 * gaps[0]):
            raise Undecided(f"{latex(node)}: the partial sums do not settle")
        return partial if settled else mpmath.nsum(term, [int(lo), mpmath.inf])


# --- f' ------------------------------------------------------------------------------------------
def primed(name: str, env: Env):
    """The derivative of a function of the page, as often as there are primes."""
    plain = name.rstrip("'")
    d = next((d for d in env.definitions if d.left.op == "call" and latex(d.head) == plain), None)
    f = env.values[plain] if d is None else lambda t: unfold(d, [t], env)
    rough = d is not None and _rough(d.right, env)
    return lambda t: derivative_of(f, t, len(name) - len(plain), env, name, rough)


OPS.update(deriv=derivative, at=at, lim=limit, int=integral, series=series, primed=primed)
