"""Tokens one after the other: what every part of the grammar reads with."""

from __future__ import annotations

from dataclasses import dataclass

from .tokens import ARGUMENTS, GrammarError, join
from .tree import Node


@dataclass(frozen=True)
class Names:
    """What the grammar must know of a page: functions, names, names without argument, formulas declared whole."""

    functions: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    atoms: tuple[tuple[tuple[str, ...], str], ...] = ()
    plain: frozenset[str] = frozenset()


NOTHING = Names()


class Cursor:
    def __init__(self, toks: list[str], names: Names = NOTHING):
        self.t, self.k, self.names, self.bars = toks, 0, names, []

    def peek(self, ahead=0) -> str:
        return self.t[self.k + ahead] if self.k + ahead < len(self.t) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        if expected is not None and token != expected:
            raise self.error(f"expected {expected!r}, found {token or 'the end'!r}")
        self.k += 1
        return token

    def error(self, message: str) -> GrammarError:
        around = f"{join(self.t[max(0, self.k - 6) : self.k])} ⟨here⟩ {join(self.t[self.k : self.k + 6])}"
        return GrammarError(f"{message} (at {around})")

    def group(self) -> list[str]:
        """The tokens of a braced argument, or the single token that stands for one."""
        if self.peek() != "{":
            token = self.take()
            if not token:
                raise self.error("an argument is missing")
            if token.isdigit() and len(token) > 1:
                raise self.error(f"put braces round {token}")
            if token[0] == "\\" and token[1:] in ARGUMENTS:
                raise self.error(f"put braces round what follows: {{{token}{{…}}}}")
            return [token]
        depth, start = 0, self.k + 1
        while True:
            token = self.take()
            if not token:
                raise self.error("a brace is not closed")
            depth += {"{": 1, "}": -1}.get(token, 0)
            if depth == 0:
                return self.t[start : self.k - 1]

    def within(self, toks: list[str]) -> Node:
        inner = self.inner(toks)
        return inner.whole(inner.expr())

    def inner(self, toks: list[str], names: Names | None = None):
        """A reader of the same kind for the tokens of an argument."""
        return type(self)(toks, self.names if names is None else names)

    def whole(self, node: Node) -> Node:
        """The node, if nothing is left."""
        if self.peek():
            raise self.error(f"unexpected {self.peek()!r}")
        return node
