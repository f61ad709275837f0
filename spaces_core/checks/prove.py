"""Symbolic evidence: refute at exact random points first, then prove."""

from __future__ import annotations

import random

import mpmath
import sympy as sp
from sympy.core.function import AppliedUndef

from . import values as V


class Rejected(AssertionError):
    """The statement does not pass; the message says where it fails."""


DIGITS = 30
POINTS = 8


# --- points -------------------------------------------------------------------------------------
def _number(s, rng: random.Random, domain) -> sp.Expr:
    lo, hi = domain.get(s, (None, None))
    if lo is None:
        if getattr(s, "is_integer", False):
            return sp.Integer(rng.randint(1, 6) if s.is_positive else rng.randint(-4, 6))
        if s.is_positive or s.is_nonnegative:
            lo, hi = 0.2, 3
        elif s.is_negative or s.is_nonpositive:
            lo, hi = -3, -0.2
        else:
            lo, hi = -2, 2
    lo, hi = sp.Rational(lo) if lo != -sp.oo else sp.Integer(-9), sp.Rational(hi) if hi != sp.oo else sp.Integer(9)
    return lo + (hi - lo) * sp.Rational(rng.randint(1, 9998), 9999)


def _test_function(f, rng):
    """A smooth positive function in place of an unknown one."""
    c = [sp.Rational(rng.randint(1, 40), 20) for _ in range(4 + 2 * len(f.args))]
    inner = sum(c[4 + 2 * k] * a + c[5 + 2 * k] * a**2 / 3 for k, a in enumerate(f.args))
    return c[0] + c[1] * sp.exp(-c[2] * inner / 3) + c[3] * inner**2 / 5


class Point:
    """One assignment of numbers to the free symbols of a statement."""

    def __init__(self, seed: int, domain=None):
        self.rng, self.domain = random.Random(seed), domain or {}
        self.numbers: dict = {}
        self.functions: dict = {}

    def value(self, expr):
        """The number an expression takes at this point, to `DIGITS` digits."""
        expr = sp.sympify(expr)
        for f in sorted(expr.atoms(AppliedUndef), key=str):
            if f.func not in self.functions:
                args = [sp.Dummy() for _ in f.args]
                self.functions[f.func] = sp.Lambda(tuple(args), _test_function(f.func(*args), self.rng))
        for f, concrete in self.functions.items():
            expr = expr.replace(f, concrete)
        sizes = {
            s
            for total in expr.atoms(sp.Sum, sp.Product)
            for lim in total.limits
            for s in sp.Tuple(*lim[1:]).free_symbols
        }
        for s in sorted(sizes, key=str):
            self.numbers.setdefault(s, sp.Integer(self.rng.randint(2, 4)))
        expr = expr.xreplace({s: self.numbers[s] for s in sizes})
        expr = expr.replace(lambda x: isinstance(x, (sp.Sum, sp.Product)), _written_out)
        if expr.has(sp.Sum, sp.Product, sp.Derivative, sp.Integral, sp.Subs, sp.Limit):
            expr = expr.doit()
        for s in sorted(expr.atoms(sp.Indexed), key=str):
            self.numbers.setdefault(s, _number(s, self.rng, self.domain))
        expr = expr.xreplace({s: self.numbers[s] for s in expr.atoms(sp.Indexed)})
        for s in sorted(expr.free_symbols, key=str):
            self.numbers.setdefault(s, _number(s, self.rng, self.domain))
        expr = expr.xreplace(
            {s: sp.Float(v, DIGITS) if not v.is_Integer else v for s, v in self.numbers.items() if v.is_number}
        )
        return sp.N(expr, DIGITS)

    def __str__(self):
        shown = [f"{s} = {sp.N(v, 4)}" for s, v in sorted(self.numbers.items(), key=lambda t: str(t[0]))]
        return ", ".join(shown[:6]) or "the stated values"


def _written_out(total):
    """A sum or product between whole bounds, term by term."""
    body = total.function
    for index, lo, hi in total.limits:
        if not (lo.is_Integer and hi.is_Integer):
            return total
        terms = [body.xreplace({index: sp.Integer(k)}) for k in range(int(lo), int(hi) + 1)]
        body = (sp.Add if isinstance(total, sp.Sum) else sp.Mul)(*terms)
    return body


def commutative(exprs) -> bool:
    return all(getattr(sp.sympify(e), "is_commutative", True) for e in exprs)


def compare(rel: str, a, b, tol=0) -> bool | None:
    """Whether `a rel b` for numbers; None if one of them is no real number."""
    a, b = sp.sympify(a), sp.sympify(b)
    if a.has(sp.nan, sp.zoo) or b.has(sp.nan, sp.zoo):
        return None
    if rel in ("=", "!="):
        if a == b:
            return rel == "="
        same = (
            bool(abs(a - b) <= sp.Float(10) ** (-DIGITS // 2) * (1 + abs(a) + abs(b)))
            if a.is_finite and b.is_finite
            else False
        )
        return same if rel == "=" else not same
    if not (a.is_extended_real and b.is_extended_real):
        a, b = (sp.re(x) if abs(sp.im(x)) < 1e-18 else x for x in (a, b))
        if not (a.is_extended_real and b.is_extended_real):
            return None
    if rel == "~":
        return bool(abs(a - b) <= tol)
    slack = sp.Float(10) ** (-DIGITS // 2) * (1 + abs(a) + abs(b)) if rel in ("<=", ">=") else 0
    d = b - a if rel in ("<", "<=") else a - b
    return bool(d >= -slack) if rel in ("<=", ">=") else bool(d > 0)


def pairs(left, right) -> list[tuple]:
    """The two sides, number by number.

    Raises:
        Rejected: the shapes differ.
    """
    shapes = [tuple(v.shape) for v in (left, right) if V.is_matrix(v)]
    if len(shapes) == 2 and shapes[0] != shapes[1]:
        raise Rejected(f"the sides have the shapes {shapes[0]} and {shapes[1]}")
    a, b = V.scalars(left), V.scalars(right)
    if len(a) != len(b):
        if len(b) == 1 and b[0] == 0:
            b = b * len(a)
        elif len(a) == 1 and a[0] == 0:
            a = a * len(b)
        else:
            raise Rejected(f"the sides have {len(a)} and {len(b)} components")
    return list(zip(a, b, strict=True))


# --- identities ---------------------------------------------------------------------------------
def is_zero(expr) -> bool:
    """Whether SymPy proves that an expression vanishes identically."""
    expr = sp.sympify(expr)
    if expr == 0:
        return True
    if expr.atoms(sp.Float):
        raise Rejected("a proof needs exact values: bind sympy.Rational, not floats")
    for step in (_expand, _sums, _doit, _rational, sp.simplify, _powers, _logs, sp.trigsimp, _exponentials, _radicals):
        try:
            new = step(expr)
        except Exception:  # a step that SymPy cannot do decides nothing
            continue
        if new == 0:
            return True
        if not new.free_symbols and new.is_number and step is not _expand:
            return bool(new.equals(0))
        if step is not _sums and sp.count_ops(new) < sp.count_ops(expr):
            expr = new
    return False


def _expand(e):
    return sp.expand(e)


def _doit(e):
    return sp.expand(e.doit()) if e.has(sp.Sum, sp.Derivative, sp.Integral, sp.Subs, sp.Limit, sp.Product) else e


def _rational(e):
    return sp.expand(sp.fraction(sp.together(e))[0])


def _powers(e):
    return sp.expand(sp.fraction(sp.together(sp.powsimp(sp.expand(sp.expand_power_base(sp.powdenest(e))))))[0])


def _logs(e):
    return sp.simplify(sp.expand_log(sp.expand(e)))


def _exponentials(e):
    return sp.simplify(e.rewrite(sp.exp))


def _radicals(e):
    return sp.radsimp(sp.simplify(sp.sqrtdenest(e)))


def _sums(e):
    """Open sums of any length: expand, pull constants out, give equal sums one name, then simplify."""
    if not e.has(sp.Sum):
        return e
    names: dict = {}
    bound = {index for total in e.atoms(sp.Sum) for index, *_ in total.limits}

    def canonical(total):
        body = total.function
        for index, lo, hi in total.limits:
            body = one(body, index, lo, hi)
        return body

    def one(body, index, lo, hi):
        k = sp.Symbol("k_", integer=True, positive=index.is_positive, nonnegative=index.is_nonnegative)
        out = 0
        for term in sp.Add.make_args(sp.expand(sp.powsimp(sp.expand(body.xreplace({index: k}))))):
            const, rest = term.as_independent(k, as_Add=False)
            rest = sp.powsimp(rest)
            if rest == 1:
                out += const * (hi - lo + 1)
                continue
            if rest.free_symbols & bound - {k}:
                out += const * sp.Sum(rest, (k, lo, hi))
                continue
            name = names.setdefault((rest, lo, hi), sp.Dummy(f"S{len(names)}", positive=rest.is_positive))
            out += const * name
        return out

    flat = e.replace(lambda x: isinstance(x, sp.Sum), canonical)
    return sp.simplify(sp.expand(sp.fraction(sp.together(flat))[0]))


# --- inequalities -------------------------------------------------------------------------------
def z3_holds(premises, goals) -> None:
    """Prove `premises ⟹ goals` over the reals.

    Args:
        premises: `(rel, left, right)` triples of SymPy expressions.
        goals: triples, all of which must follow.

    Raises:
        Rejected: z3 finds a counterexample, or does not decide.
    """
    try:
        import z3
    except ImportError:  # pragma: no cover
        raise Rejected("this proof needs z3: pip install z3-solver") from None
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    to = _Z3(z3, solver)
    formulas = [to.relation(*p) for p in premises]
    solver.add(*to.conditions)
    to.conditions = []
    targets = [to.relation(*g) for g in goals]
    targets += to.conditions
    for e in {s for triple in [*premises, *goals] for side in triple[1:] for s in sp.sympify(side).free_symbols}:
        to.sign(e)
    solver.add(*formulas)
    if premises and solver.check() == z3.unsat:
        raise Rejected("what is assumed cannot hold: the statement is empty")
    solver.add(z3.Not(z3.And(*targets)))
    answer = solver.check()
    if answer == z3.sat:
        raise Rejected(f"z3 found a counterexample: {str(solver.model()).replace(chr(10), ' ')[:200]}")
    if answer != z3.unsat:
        raise Rejected("z3 did not decide it")


class _Z3:
    def __init__(self, z3, solver):
        self.z3, self.solver, self.names, self.conditions = z3, solver, {}, []

    def symbol(self, s):
        return self.names.setdefault(s, self.z3.Real(f"{s.name}_{len(self.names)}"))

    def sign(self, s):
        v = self.symbol(s)
        if s.is_positive:
            self.solver.add(v > 0)
        elif s.is_nonnegative:
            self.solver.add(v >= 0)
        elif s.is_negative:
            self.solver.add(v < 0)

    def relation(self, rel, a, b):
        x, y = self.expr(sp.sympify(a)), self.expr(sp.sympify(b))
        return {"=": x == y, "!=": x != y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[rel]

    def expr(self, e):
        z3 = self.z3
        if e.is_Rational:
            return z3.RealVal(f"{e.p}/{e.q}")
        if e.is_Symbol:
            return self.symbol(e)
        if e.is_Add:
            return z3.Sum([self.expr(a) for a in e.args])
        if e.is_Mul:
            return z3.Product([self.expr(a) for a in e.args])
        if e.is_Pow and e.exp.is_Rational:
            x, p, q = self.expr(e.base), int(e.exp.p), int(e.exp.q)
            if q != 1:
                r = z3.FreshReal()
                if q % 2 == 0:
                    self.conditions.append(x >= 0)
                    self.solver.add(r >= 0, z3.Implies(x >= 0, z3.Product([r] * q) == x))
                else:
                    self.solver.add(z3.Product([r] * q) == x)
                x = r
            y = z3.Product([x] * abs(p)) if abs(p) > 1 else x
            if p < 0:
                self.solver.add(y != 0)
                return 1 / y
            return y
        if isinstance(e, sp.Abs):
            x = self.expr(e.args[0])
            return z3.If(x >= 0, x, -x)
        if isinstance(e, (sp.Max, sp.Min)):
            xs = [self.expr(a) for a in e.args]
            out = xs[0]
            for x in xs[1:]:
                out = z3.If(out >= x, out, x) if isinstance(e, sp.Max) else z3.If(out <= x, out, x)
            return out
        raise Rejected(
            f"z3 does not know {e.func.__name__}({', '.join(map(str, e.args))}); use intervals or a certificate"
        )


def certificate_holds(rel, a, b, certificate) -> None:
    """Larger minus smaller side equals a manifestly non-negative expression."""
    gap = b - a if rel in ("<", "<=") else a - b
    if rel not in ("<", "<=", ">", ">="):
        raise Rejected("a certificate belongs to an inequality")
    certificate = sp.sympify(certificate)
    if not (certificate.is_positive if rel in ("<", ">") else certificate.is_nonnegative):
        raise Rejected(
            f"SymPy does not see that the certificate {certificate} is {'positive' if rel in '<>' else 'non-negative'}"
        )
    if not is_zero(gap - certificate):
        raise Rejected("the difference of the two sides is not the certificate")


def interval_value(e, box):
    """An enclosure of an expression over a box of `mpmath.iv` intervals."""
    iv = mpmath.iv
    e = sp.sympify(e)
    if e in box:
        return box[e]
    if e.is_Rational:
        return iv.mpf(int(e.p)) / int(e.q)
    if e == sp.pi:
        return +iv.pi
    if e == sp.E:
        return +iv.e
    if e.is_Add:
        total = iv.mpf(0)
        for a in e.args:
            total += interval_value(a, box)
        return total
    if e.is_Mul:
        total = iv.mpf(1)
        for a in e.args:
            total *= interval_value(a, box)
        return total
    if e.is_Pow:
        if e.base == sp.E:
            return iv.exp(interval_value(e.exp, box))
        x = interval_value(e.base, box)
        if e.exp.is_Integer:
            return x ** int(e.exp)
        if e.exp.is_Rational and e.exp.q == 2:
            return iv.sqrt(x) ** int(e.exp.p)
        return iv.exp(interval_value(e.exp, box) * iv.log(x))
    if isinstance(e, sp.Abs):
        return abs(interval_value(e.args[0], box))
    names = {sp.exp: iv.exp, sp.log: iv.log, sp.sin: iv.sin, sp.cos: iv.cos, sp.tan: iv.tan}
    if e.func in names:
        return names[e.func](interval_value(e.args[0], box))
    if isinstance(e, sp.tanh):
        u = iv.exp(-2 * interval_value(e.args[0], box))
        return 2 / (1 + u) - 1
    if not e.is_Symbol:
        raise Rejected(f"no interval arithmetic for {e.func.__name__}")
    raise Rejected(f"the box has no interval for {e}")


def interval_holds(rel, a, b, box, tol=0, limit=20_000) -> int:
    """Branch and bound over a box.

    Returns:
        the number of sub-boxes that were needed.

    Raises:
        Rejected: a sub-box contradicts the relation, or the bounds do not separate.
    """
    if not box:
        ok = _interval_verdict(rel, _enclose(a), _enclose(b), tol)
        if ok is not True:
            raise Rejected("the enclosures do not show it")
        return 1
    gap = sp.sympify(b) - sp.sympify(a)
    slopes = {s: sp.diff(gap, s) for s in box}
    smooth = not gap.has(sp.Abs, sp.Max, sp.Min, sp.sign)
    todo = [{s: mpmath.iv.mpf([_lower(lo), _upper(hi)]) for s, (lo, hi) in box.items()}]
    done = 0
    while todo:
        here = todo.pop()
        try:
            ok = _interval_verdict(rel, mpmath.iv.mpf(0), interval_value(gap, here), tol)
        except (mpmath.libmp.ComplexResult, ZeroDivisionError, ValueError):
            ok = None
        if ok is None and smooth:
            try:
                ok = _interval_verdict(rel, mpmath.iv.mpf(0), _centred(gap, slopes, here), tol)
            except (mpmath.libmp.ComplexResult, ZeroDivisionError, ValueError):
                ok = None
        if ok is None:
            middle = {s: mpmath.iv.mpf(v.mid) for s, v in here.items()}
            try:
                if _interval_verdict(rel, mpmath.iv.mpf(0), interval_value(gap, middle), tol) is False:
                    here, ok = middle, False
            except (mpmath.libmp.ComplexResult, ZeroDivisionError, ValueError):
                pass
        if ok is False:
            raise Rejected("fails for " + ", ".join(f"{s} in {v}" for s, v in here.items()))
        done += 1
        if ok is None:
            if done + len(todo) > limit:
                raise Rejected(
                    f"interval arithmetic does not decide it within {limit} boxes (is there equality inside the box?)"
                )
            widest = max(here, key=lambda s: here[s].delta)
            a0, m, b0 = here[widest].a, here[widest].mid, here[widest].b
            todo += [{**here, widest: mpmath.iv.mpf([a0.a, m.b])}, {**here, widest: mpmath.iv.mpf([m.a, b0.b])}]
    return done


def _centred(gap, slopes, here):
    """The mean-value form: sharper than the natural one on small boxes."""
    middle = {s: mpmath.iv.mpf(v.mid) for s, v in here.items()}
    total = interval_value(gap, middle)
    for s, slope in slopes.items():
        total += interval_value(slope, here) * (here[s] - middle[s])
    return total


def _lower(x):
    return mpmath.iv.mpf(str(x)).a if not isinstance(x, sp.Basic) else interval_value(x, {}).a


def _upper(x):
    return mpmath.iv.mpf(str(x)).b if not isinstance(x, sp.Basic) else interval_value(x, {}).b


def _enclose(x):
    if isinstance(x, V.IV):
        return x
    if isinstance(x, (int, float)):
        return mpmath.iv.mpf(x)
    return interval_value(x, {})


def _interval_verdict(rel, a, b, tol):
    """True or False when the enclosures decide `a rel b`, None when they do not."""
    d = b - a
    if rel == "~":
        t = mpmath.iv.mpf(str(tol))
        return True if d.b <= t.a and d.a >= -t.a else (False if d.a > t.b or d.b < -t.b else None)
    if rel in (">", ">="):
        d = -d
    if rel in ("<", ">"):
        return True if d.a > 0 else (False if d.b <= 0 else None)
    if rel in ("<=", ">="):
        return True if d.a >= 0 else (False if d.b < 0 else None)
    raise Rejected("interval arithmetic proves inequalities and ≈, not equalities")


def _by_numbers(remainder, size, var, at) -> None:
    """Refute a wrong order by the quotient at two small distances."""
    if at in (sp.oo, -sp.oo) or sp.sympify(remainder).free_symbols | sp.sympify(size).free_symbols != {var}:
        return
    near = []
    for exponent in (8, 12):
        x = (
            sp.Rational(at) + sp.Rational(1, 10**exponent)
            if sp.sympify(at).is_Rational
            else at + sp.Float(10) ** -exponent
        )
        value = abs(sp.N(remainder.subs(var, x), 120) / sp.N(sp.sympify(size).subs(var, x), 120))
        if not value.is_finite:
            raise Rejected(f"the remainder has no value near {var} = {at}")
        near.append(value)
    if near[1] > 50 * near[0]:
        raise Rejected(f"the remainder is larger than O({size})")
    if near[1] < near[0] / 50:
        raise Rejected(f"the remainder is smaller than O({size}): the order is not sharp")


def _power_of(size, var, at) -> int:
    """k where `size` is a constant times (var - at)^k, else 0."""
    if at in (sp.oo, -sp.oo):
        return 0
    const, rest = sp.factor(size).as_independent(var, as_Add=False)
    base, k = rest.as_base_exp()
    return int(k) if k.is_Integer and k > 0 and sp.simplify((base / (var - at)).diff(var)) == 0 else 0


def _by_derivatives(remainder, var, at, k: int) -> str | None:
    """Taylor's theorem: the first k - 1 derivatives vanish, the k-th does not. None where a derivative has no value."""
    for j in range(k + 1):
        value = sp.diff(remainder, var, j).subs(var, at)
        if value.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
            return None
        if j < k and not is_zero(value):
            return "the remainder is larger than"
    return "the remainder is smaller (the order is not sharp) than" if is_zero(value) else ""


def order_holds(left, right, size, var, at) -> None:
    """`left = right + O(size)` exactly: the quotient has a finite, non-zero limit."""
    _by_numbers(left - right, size, var, at)
    power = _power_of(size, var, at)
    if power and not sp.sympify(left - right).has(sp.Abs, sp.Max, sp.Min, sp.sign, sp.Piecewise):
        verdict = _by_derivatives(left - right, var, at, power)
        if verdict:
            raise Rejected(f"{verdict} O({size})")
        if verdict == "":
            return
    quotient = sp.simplify((left - right) / size)
    one_sided = at in (sp.oo, -sp.oo) or (at == 0 and var.is_nonnegative)
    try:
        value = sp.limit(quotient, var, at) if one_sided else sp.limit(quotient, var, at, "+-")
    except ValueError as error:
        raise Rejected(f"the remainder has no limit: {error}") from None
    if not value.is_finite:
        raise Rejected(f"the remainder is larger than O({size})")
    if sp.simplify(value) == 0:
        raise Rejected(f"the remainder is smaller than O({size}): the order is not sharp")
