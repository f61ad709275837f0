"""What an evaluation stands on: bound values, the page's definitions, and the ways in which there is no value."""

from __future__ import annotations

from dataclasses import dataclass, field

import mpmath
import sympy as sp

from . import values as V
from .tree import Node, latex


class Unbound(ValueError):
    """A symbol of the display has no value."""


class NotEvaluable(ValueError):
    """The display has no value on these bindings."""


class Undecided(NotEvaluable):
    """Numbers do not settle whether there is a value here: the point is left out."""


@dataclass(frozen=True)
class Definition:
    """`left = right` from the page; `params` are the placeholders on the left."""

    label: str
    left: Node
    right: Node
    params: tuple[str, ...]

    @property
    def head(self) -> Node:
        return self.left.args[0] if self.left.op == "call" else self.left

    def match(self, node: Node) -> list[Node] | None:
        """The trees that stand for the placeholders when `node` is an instance of the left side."""
        if (
            node.op != self.left.op
            or (node.op == "sym" and node.data != self.left.data)
            or len(node.args) != len(self.left.args)
        ):
            return None
        found = {}
        for mine, theirs in zip(self.left.args, node.args, strict=True):
            if self.left.op == "call" and mine is self.left.args[0]:
                inner = (
                    Definition(self.label, mine, self.right, self.params).match(theirs) if theirs.op == "sym" else None
                )
                if inner is None:
                    return None
                found |= dict(zip([p for p in self.params if p in {latex(a) for a in mine.args}], inner, strict=True))
            elif latex(mine) in self.params:
                if found.setdefault(latex(mine), theirs) != theirs:
                    return None
            elif mine != theirs:
                return None
        return [found[p] for p in self.params if p in found]


@dataclass
class Env:
    """Bindings, definitions and what an evaluation used of them."""

    values: dict[str, object]
    definitions: list[Definition] = field(default_factory=list)
    label: str = ""
    used: set[str] = field(default_factory=set)
    memo: dict = field(default_factory=dict)
    mode: str = ""
    base: dict | None = None
    depth: int = 0
    indices: frozenset = frozenset()

    def __post_init__(self):
        self.base = self.values if self.base is None else self.base
        if not self.mode:
            kinds = {V.kind(v) for v in self.values.values() if not isinstance(v, range)}
            self.mode = next((k for k in ("sympy", "iv", "mp", "array") if k in kinds), "float")

    def running(self, more: dict) -> Env:
        """Inside a sum: its indices have these values."""
        return self._with(values={**self.values, **more}, indices=self.indices | set(more))

    def with_names(self, more: dict) -> Env:
        return self._with(values={**self.values, **more})

    def _with(self, **what) -> Env:
        new = object.__new__(Env)
        new.__dict__.update(self.__dict__, **what)
        return new

    def moved(self, name: str, value, mode: str = "") -> Env:
        """With another value of a variable, also where the page's definitions speak of it."""
        values, base = {**self.values, name: value}, {**self.base, name: value}
        return self._with(values=values, base=base, mode=mode or self.mode, memo={})

    def number(self, value):
        """Whole numbers as real ones, where the arithmetic has many digits."""
        return mpmath.mpf(value) if self.mode == "mp" and type(value) is int else value


def open_index(name: str, lo, env: Env) -> sp.Symbol:
    """The index of a sum of open length; nested sums have different ones."""
    lo = sp.sympify(lo)
    signs = {"positive": True} if lo.is_positive else {"nonnegative": True} if lo.is_nonnegative else {}
    return sp.Symbol(f"{name}_{env.depth}", integer=True, **signs)
