"""Misprints: every printed token of a display deleted, doubled, or replaced by another of its class."""

from __future__ import annotations

from collections.abc import Iterator

from .names import FONTS, GREEK
from .tokens import join, strip, tokens

SIGNS = {"+": "-", "-": "+"}
ORDERS = {
    r"\le": r"\ge",
    r"\leq": r"\ge",
    r"\leqslant": r"\ge",
    r"\ge": r"\le",
    r"\geq": r"\le",
    r"\geqslant": r"\le",
    "<": ">",
    ">": "<",
    r"\lt": ">",
    r"\gt": "<",
    r"\implies": r"\iff",
    r"\Rightarrow": r"\iff",
}
FUNCTIONS = {
    r"\log": r"\exp",
    r"\ln": r"\exp",
    r"\exp": r"\log",
    r"\sin": r"\cos",
    r"\cos": r"\sin",
    r"\tan": r"\sin",
    r"\tanh": r"\tan",
    r"\sinh": r"\cosh",
    r"\cosh": r"\sinh",
    r"\arccos": r"\arcsin",
    r"\arcsin": r"\arccos",
    r"\arctan": r"\tan",
    r"\max": r"\min",
    r"\min": r"\max",
    r"\det": r"\operatorname{tr}",
    r"\sum": r"\prod",
    r"\prod": r"\sum",
    r"\sqrt": r"\exp",
    r"\infty": "1",
    r"\lfloor": r"\lceil",
    r"\lceil": r"\lfloor",
}
SILENT = {"{", "}", "NEXT", r"\\", "EVAL(", "EVAL|"}
CLOSING = {"(": ")", "[": "]", r"\{": r"\}", "|(": "|)", "||(": "||)"}


def misprints(text: str, letters: tuple[str, ...] = ()) -> Iterator[tuple[str, list[str]]]:
    r"""Yield `(what was done, tokens)` for every misprint.

    Args:
        text: the LaTeX of a display.
        letters: of the chapter, to write by mistake.

    >>> [(what, join(toks)) for what, toks in misprints("a = b + 1")][:4]
    [('a deleted', '=b+1'), ('a doubled', 'aa=b+1'), ('a replaced by b', 'b=b+1'), ('= deleted', 'ab+1')]
    """
    toks = strip(tokens(text))
    pool = list(dict.fromkeys([*(t for t in toks if is_letter(t)), *letters]))
    seen = {tuple(toks)}
    for what, new in _all(toks, pool):
        if tuple(new) not in seen and new:
            seen.add(tuple(new))
            yield what, new


def _all(toks: list[str], pool: list[str]):
    fixed = _font_letters(toks)
    for k, t in enumerate(toks):
        if t in SILENT or (t.startswith("\\") and t[1:] in FONTS):
            continue
        yield f"{t} deleted", toks[:k] + toks[k + 1 :]
        if t in ("^", "_") and k + 1 < len(toks):
            end = _argument(toks, k + 1)
            yield f"{join(toks[k:end])} deleted", toks[:k] + toks[end:]
            continue
        if t in CLOSING:
            end = _match(toks, k)
            if end:
                yield f"{t} … {toks[end]} deleted", [*toks[:k], *toks[k + 1 : end], *toks[end + 1 :]]
            continue
        if t in CLOSING.values():
            continue
        yield f"{t} doubled", toks[: k + 1] + [t] + toks[k + 1 :]
        for other in _others(t, pool, k in fixed):
            yield f"{t} replaced by {join(other)}", toks[:k] + other + toks[k + 1 :]


def _others(t: str, pool: list[str], in_font: bool) -> list[list[str]]:
    for table in (SIGNS, ORDERS):
        if t in table:
            return [[table[t]]]
    if t in FUNCTIONS:
        return [strip(tokens(FUNCTIONS[t]))]
    if t[0].isdigit() or (t[0] == "." and len(t) > 1):
        return [[_next(t)]]
    if is_letter(t) and not in_font:
        at = pool.index(t)
        return [[x] for x in [*pool[at + 1 :], *pool[:at]][:1]]
    return []


def is_letter(t: str) -> bool:
    return (len(t) == 1 and t.isalpha()) or (t[:1] == "\\" and t[1:] in GREEK and t not in (r"\infty", r"\nabla"))


def _font_letters(toks: list[str]) -> set[int]:
    """Places inside a font, where a letter is part of a word."""
    found = set()
    for k, t in enumerate(toks):
        if t.startswith("\\") and t[1:] in FONTS and toks[k + 1 : k + 2] == ["{"]:
            found |= set(range(k + 1, _argument(toks, k + 1)))
    return found


def _argument(toks: list[str], k: int) -> int:
    """Where the braced argument that starts at `k` ends, or the one token that stands for it."""
    if k >= len(toks) or toks[k] != "{":
        return min(k + 1, len(toks))
    depth = 0
    for j in range(k, len(toks)):
        depth += {"{": 1, "}": -1}.get(toks[j], 0)
        if depth == 0:
            return j + 1
    return len(toks)


def _match(toks: list[str], k: int) -> int:
    close, depth = CLOSING[toks[k]], 0
    for j in range(k, len(toks)):
        depth += {toks[k]: 1, close: -1}.get(toks[j], 0)
        if depth == 0:
            return j
    return 0


def _next(text: str) -> str:
    """The next number in the last printed place."""
    if "." not in text:
        return str(int(text) + 1)
    places = len(text.split(".")[1])
    return f"{float(text) + 10**-places:.{places}f}"
