"""Evaluate a tree on bound values; the page's own definitions are evaluated where they are used."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import sympy as sp

from . import values as V
from .environment import Env, NotEvaluable, Unbound, open_index
from .tree import Node, base, indices, latex

ROUNDED = mpmath.mpf("1e-12")
"""How far rounding takes the square root of 0 off the real numbers."""


def evaluate(node: Node, env: Env):
    """The value of an expression.

    Raises:
        Unbound: a symbol has no value.
        NotEvaluable: the values do not combine.
    """
    try:
        return OPS[node.op](node, env)
    except (Unbound, NotEvaluable):
        raise
    except KeyError as e:
        raise NotEvaluable(f"{latex(node)}: no value ({e})") from e
    except (
        TypeError,
        ValueError,
        ZeroDivisionError,
        IndexError,
        AttributeError,
        OverflowError,
        ArithmeticError,
        NotImplementedError,
        RuntimeError,
    ) as e:
        why = "division by 0" if isinstance(e, ZeroDivisionError) and not str(e) else e
        raise NotEvaluable(f"{latex(node)}: {why}") from e


def free_indices(node: Node, env: Env) -> set[str]:
    """Indices that stand outside a sum: the statement is meant for each value in their range."""
    if node.op == "sym" and not node.args:
        name = latex(node)
        return {name} if isinstance(env.values.get(name), range) else set()
    found = set().union(*(free_indices(a, env) for a in node.args))
    return found - set(node.data[0]) if node.op in ("sum", "prod", "bigmax", "bigmin") else found


def evaluate_sides(relation: Node, env: Env) -> tuple:
    """The values of both sides; families over the free indices where there are any."""
    names = sorted(free_indices(relation, env))
    for name in names:
        if not len(env.values[name]):
            raise NotEvaluable(f"the index {name} has no value to run over")
    if not names:
        return _sized(tuple(evaluate(a, env) for a in relation.args))
    envs = [env]
    for name in names:
        envs = [e.with_names({name: i}) for e in envs for i in env.values[name]]
    return tuple(V.Vec(evaluate(a, e) for e in envs) for a in relation.args)


def _sized(sides: tuple) -> tuple:
    """An identity beside a matrix is as large as that."""
    if not any(isinstance(s, V.Identity) for s in sides):
        return sides
    other = next((s for s in sides if hasattr(s, "shape")), None)
    return sides if other is None else tuple(s.like(other) if isinstance(s, V.Identity) else s for s in sides)


def _num(node, env):
    text = node.data
    if env.mode == "sympy":
        return sp.Rational(text)
    if env.mode == "iv":
        return mpmath.iv.mpf(text)
    if env.mode == "mp":
        return mpmath.mp.mpf(text) if "." in text else int(text)
    return float(text) if "." in text else int(text)


def _constant(key: str, env):
    if key == "I":
        return V.Identity()
    if key == r"\mathrm{i}":
        return mpmath.mpc(0, 1) if env.mode == "mp" else sp.I if env.mode == "sympy" else None
    if key not in (r"\pi", "e", r"\infty", r"\mathrm{e}"):
        return None
    if env.mode == "iv":
        return {r"\pi": mpmath.iv.pi + 0, "e": mpmath.iv.e + 0, r"\mathrm{e}": mpmath.iv.e + 0}.get(key)
    if env.mode == "mp":
        return {
            r"\pi": mpmath.mp.pi + 0,
            "e": mpmath.mp.e + 0,
            r"\mathrm{e}": mpmath.mp.e + 0,
            r"\infty": mpmath.mp.inf,
        }[key]
    exact = {r"\pi": sp.pi, "e": sp.E, r"\mathrm{e}": sp.E, r"\infty": sp.oo}[key]
    return exact if env.mode == "sympy" else float(exact)


def _sym(node, env):
    key = latex(node)
    if key in env.values:
        value = env.values[key]
        if isinstance(value, range):
            raise Unbound(f"the index {key} stands outside its sum (it is bound to a range)")
        if isinstance(value, tuple) and not isinstance(value, V.Vec):
            return open_index(key, value[0], replace(env, depth=0))
        return value
    for definition in reversed(env.definitions):
        args = definition.match(node) if definition.left.op == "sym" else None
        if args is not None:
            return _unfold(definition, args, env)
    sub, sup = indices(node)
    name = base(node)
    if (sub or sup) and name in env.values:
        where = [evaluate(i, env) if i.op != "raw" else _no_index(node, env) for i in (*sup, *sub)]
        return _index(env.values[name], where, key)
    if (sub or sup) and sup and sub:
        short = latex(Node("sym", sub, (name, len(sub))))
        if short in env.values:
            return _index(env.values[short], [evaluate(i, env) for i in sup], key)
    if name.endswith("'") and is_function(env, name.rstrip("'")) and not node.args:
        return OPS["primed"](name, env)
    if not sub and not sup:
        family = _family(node, env)
        if family is not None:
            return family
        value = _constant(key, env)
        if value is not None:
            return value
    raise _no_name(key, env)


def _no_index(node, env):
    raise _no_name(latex(node), env)


def _no_name(key, env) -> Unbound:
    known = sorted(k for k in env.values) + sorted(latex(d.left) for d in env.definitions)
    where = f" in {env.label}" if env.label else ""
    return Unbound(f"{key} is not bound{where}; bound are {', '.join(known) or 'no names'}")


def _family(node, env):
    """A name without its index, when the page defines the indexed one and the index has a range."""
    for definition in reversed(env.definitions):
        left = definition.left
        if (
            left.op == "sym"
            and base(left) == base(node)
            and len(left.args) == 1
            and latex(left.args[0]) in definition.params
        ):
            span = env.base.get(latex(left.args[0]))
            if isinstance(span, range):
                return V.Vec(unfold(definition, [i], env) for i in span)
    return None


def _unfold(definition, args, env):
    return unfold(definition, [evaluate(a, env) for a in args], env)


def unfold(definition, args, env):
    env.used.add(definition.label)
    key = (
        (definition.label, id(definition.right), tuple(args))
        if all(isinstance(a, (int, sp.Basic)) for a in args)
        else None
    )
    if key in env.memo:
        return env.memo[key]
    others = [d for d in env.definitions if d is not definition]
    value = evaluate(
        definition.right,
        replace(env, values={**env.base, **dict(zip(definition.params, args, strict=True))}, definitions=others),
    )
    if key is not None:
        env.memo[key] = value
    return value


def is_function(env: Env, name: str) -> bool:
    """Whether the page declares or defines this name as a function."""
    defined = any(d.left.op == "call" and latex(d.head) == name for d in env.definitions)
    return defined or V.is_function(env.values.get(name))


def _index(value, where, key):
    if isinstance(value, (V.Family, V.Mat)):
        try:
            return value.entry(*(int(w) if w == int(w) else w for w in where))
        except (IndexError, TypeError, ValueError) as error:
            raise NotEvaluable(f"{key}: {error}") from None
    if isinstance(value, sp.IndexedBase):
        return value[tuple(where)] if len(where) > 1 else value[where[0]]
    if callable(value) and not isinstance(value, sp.Basic):
        return value(*where)
    if isinstance(value, sp.FunctionClass):
        return value(*where)
    try:
        numbers = [int(w) for w in where]
        if any(n != w for n, w in zip(numbers, where, strict=True)):
            raise ValueError
    except (TypeError, ValueError):
        raise NotEvaluable(f"the index of {key} is not a whole number") from None
    if any(n < 1 for n in numbers):
        raise NotEvaluable(f"the index of {key} starts at 1")
    if isinstance(value, sp.MatrixBase):
        if len(numbers) == 1 and 1 in value.shape:
            return value[numbers[0] - 1]
        return value[numbers[0] - 1, numbers[1] - 1]
    for n in numbers:
        if not hasattr(value, "__getitem__"):
            raise NotEvaluable(f"{key}: what is bound has no members")
        if n > len(value):
            raise NotEvaluable(f"{key} is out of range")
        value = value[n - 1]
    return value


def _atom(node, env):
    return env.values[node.data]


def _add(node, env):
    total = evaluate(node.args[0], env)
    for a in node.args[1:]:
        total = V.plus(total, evaluate(a, env))
    return total


def _mul(node, env):
    parts = [evaluate(a, env) for a in node.args]
    if node.data == "times" and any(isinstance(p, (V.Mat, V.Vec)) or V.is_matrix(p) for p in parts):
        raise NotEvaluable("\\times between vectors or matrices has several meanings: write the product that is meant")
    total = parts[0]
    for p in parts[1:]:
        total = V.times(total, p)
    return total


def _frac(node, env):
    above, below = (evaluate(a, env) for a in node.args)
    return V.divide(env.number(above), below)


def _pow(node, env):
    a, n = node.args
    mine = latex(a) in env.values or any(d.head == a for d in env.definitions)
    if a.op == "sym" and latex(a) in ("e", r"\mathrm{e}") and not mine:
        return V.function("exp", [env.number(evaluate(n, env))])
    x, power = evaluate(a, env), evaluate(n, env)
    return _real(node, (x, power), V.power(x if isinstance(power, int) and power >= 0 else env.number(x), power))


def _func(node, env):
    args = [env.number(evaluate(a, env)) for a in node.args]
    if node.data == "log" and len(args) == 2:
        logs = [_real(node, (x,), V.function("log", [x])) for x in args]
        return V.divide(*logs)
    return _real(node, args, V.function(node.data, args))


def _root(node, env):
    x, n = env.number(evaluate(node.args[0], env)), evaluate(node.args[1], env)
    return _real(node, (x, n), V.root(x, n))


def _real(node, args, value):
    """A value, unless it left the real numbers: the logarithm, the square root or a broken power of a negative one."""
    if isinstance(value, V.Vec):
        return V.Vec(_real(node, args, v) for v in value)
    if not isinstance(value, V.MPC) or any(isinstance(v, V.MPC) for a in args for v in _members(a)):
        return value
    if abs(mpmath.im(value)) > ROUNDED:
        raise NotEvaluable(f"{latex(node)} is no real number")
    return mpmath.re(value)


def _members(value):
    return value if isinstance(value, V.Vec) else (value,)


def _call(node, env):
    head, *args = node.args
    for definition in reversed(env.definitions):
        if definition.left.op == "call":
            found = definition.match(node)
            if found is not None:
                return _unfold(definition, found, env)
    name = latex(head)
    if name.endswith("'") and is_function(env, name.rstrip("'")):
        return OPS["primed"](name, env)(*[evaluate(a, env) for a in args])
    f = env.values.get(name)
    if f is None and base(head) in env.values:
        f = _index(env.values[base(head)], [evaluate(i, env) for i in head.args], latex(head))
    if f is None:
        raise _no_name(latex(head), env)
    return f(*[evaluate(a, env) for a in args])


def _matrix(node, env):
    width = len(node.args) // int(node.data)
    entries = [V.single(evaluate(a, env)) for a in node.args]
    rows = [entries[k : k + width] for k in range(0, len(entries), width)]
    return sp.Matrix(rows) if env.mode == "sympy" else V.Mat(rows)


OPS = {
    "num": _num,
    "sym": _sym,
    "raw": lambda n, e: _no_index(n, e),
    "atom": _atom,
    "add": _add,
    "neg": lambda n, e: -evaluate(n.args[0], e),
    "mul": _mul,
    "frac": _frac,
    "pow": _pow,
    "root": lambda n, e: _root(n, e),
    "transpose": lambda n, e: V.transpose(evaluate(n.args[0], e)),
    "matrix": lambda n, e: _matrix(n, e),
    "fact": lambda n, e: V.factorial(evaluate(n.args[0], e)),
    "binom": lambda n, e: V.binomial(*(evaluate(a, e) for a in n.args)),
    "func": _func,
    "call": _call,
    "abs": lambda n, e: V.absolute(evaluate(n.args[0], e)),
    "norm": lambda n, e: V.norm(evaluate(n.args[0], e), n.data),
    "inner": lambda n, e: V.inner(evaluate(n.args[0], e), evaluate(n.args[1], e)),
}
