"""One reading or none: a display is read only if everything it prints is part of what was read."""

from __future__ import annotations

from collections import Counter

from .cursor import NOTHING, Names
from .grammar import ARROWS, RELATION_TOKENS, Parser
from .names import NAMED
from .tokens import GrammarError, strip, tokens
from .tree import FUNCTIONS, Node, latex

GROUPING = frozenset(
    "( ) [ ] { } | \\| |( |) ||( ||) \\{ \\} ^ _ , ; NEXT \\\\ \\cdot \\times * EVAL( EVAL| MATRIX( MATRIX) & \\langle "
    "\\rangle".split()
)
PAIRS = {"|": "||", "|(": "||", "|)": "||", r"\|": "norm", "||(": "norm", "||)": "norm"}
BRACKETS = {r"\lfloor": "floor", r"\lceil": "ceil", r"\rfloor": "", r"\rceil": "", r"\langle": "inner", r"\rangle": ""}


def parse(text: str, names: Names = NOTHING) -> Node:
    """The tree of a display.

    Args:
        text: the LaTeX between the dollar signs.
        names: the functions, names and whole formulas of the page (see `Names`).

    Returns:
        a `rel`, `chain`, `implies`, `iff` or `all` node; a bare expression if there is no relation.

    Raises:
        GrammarError: outside the dialect, with more than one reading, or with a symbol that would not be read.

    >>> latex(parse(r"a^2 - b^2 = (a-b)(a+b)"))
    'a^{2} - b^{2} = \\\\left(a - b\\\\right) \\\\cdot \\\\left(a + b\\\\right)'
    >>> parse(r"\\tilde{a + 7} = 1")
    Traceback (most recent call last):
    spaces_core.checks.tokens.GrammarError: \\tilde stands over one letter; ... (at ...)
    """
    toks = strip(tokens(text))
    tree = Parser(toks, names).display()
    accounted(toks, tree)
    return tree


def accounted(toks: list[str], tree: Node) -> None:
    """Every symbol that is printed is part of what was read, as often as it is printed."""
    printed, read = visible(toks), visible(strip(tokens(latex(tree))))
    if printed != read:
        lost = " ".join((printed - read).elements()) or "nothing"
        added = " ".join((read - printed).elements())
        also = f", and {added} would be added" if added else ""
        raise GrammarError(f"{lost} is printed and would not be read{also}: write the display another way")


def visible(toks: list[str]) -> Counter:
    """The symbols that carry meaning, each with how often it is printed; brackets and marks of a product do not."""
    found: Counter = Counter()
    k = 0
    while k < len(toks):
        t = toks[k]
        word, length = _function(toks, k)
        if word:
            found[word] += 1
            k += length
            continue
        if t == r"\mathcal" and toks[k + 1 : k + 4] == ["{", "O", "}"]:
            t, k = "O", k + 3
        if t == ":" and toks[k + 1 : k + 2] == ["="]:
            t, k = "=", k + 1
        if t in PAIRS:
            found[PAIRS[t]] += 1
        elif t in BRACKETS:
            found[BRACKETS[t]] += bool(BRACKETS[t])
        elif t in RELATION_TOKENS:
            found[RELATION_TOKENS[t]] += 1
        elif t in ARROWS:
            found[ARROWS[t]] += 1
        elif t not in GROUPING and t not in (r"\underbrace", r"\overbrace"):
            found[SAME.get(t, t)] += 1
        k += 1
    return +found


SAME = {
    "/": "frac",
    r"\frac": "frac",
    r"\dfrac": "frac",
    r"\tfrac": "frac",
    r"\intercal": r"\top",
    r"\ast": "*",
    r"\prime": "'",
    "DIFF": "d",
}


def _function(toks: list[str], k: int) -> tuple[str, int]:
    r"""`\log`, `\operatorname{log}` and `\ln` are one function, read as such."""
    t = toks[k]
    if t in (r"\operatorname", r"\mathrm", r"\text") and toks[k + 1 : k + 2] == ["{"] and "}" in toks[k:]:
        end = toks.index("}", k)
        name = "".join(toks[k + 2 : end])
        name = NAMED.get(name, name)
        return (name, end + 1 - k) if name in FUNCTIONS else ("", 0)
    name = NAMED.get(t[1:], t[1:]) if t[0] == "\\" else ""
    return (name, 1) if name in FUNCTIONS else ("", 0)


def leading_name(text: str) -> tuple[Node | None, str]:
    """The symbol a formula starts with, and the token after it."""
    try:
        p = Parser(strip(tokens(text)))
        return p.symbol(), p.peek()
    except GrammarError:
        return None, ""


def parse_name(key: str) -> Node | None:
    """The symbol that a binding's key names, or None when the key is a whole sub-formula."""
    node, following = leading_name(key)
    return None if following else node


def atom_key(key: str) -> tuple[tuple[str, ...], str]:
    return tuple(strip(tokens(key))), key.strip()


def canonical(key: str) -> str:
    """A name as the engine spells it."""
    node = parse_name(key)
    return key.strip() if node is None else latex(node)
