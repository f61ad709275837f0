"""The tokens of the book's LaTeX: lark cuts the text, what carries no mathematics is dropped."""

from __future__ import annotations

from lark import Lark
from lark.exceptions import UnexpectedCharacters

_LEXER = Lark(
    r"""
    start: (MACRO | DOT | NUMBER | LETTER | CHAR)*
    MACRO.3: /\\([a-zA-Z]+|[^a-zA-Z])/
    DOT.4: /(?<=\\left)\./
    NUMBER.2: /\d+(\.\d+)?|\.\d+/
    LETTER.1: /[a-zA-Z]/
    CHAR: /[-+*\/=<>()\[\]{}|,.;:!'^_&~]/
    %ignore /\s+/
    %ignore /%[^\n]*/
    """,
    parser="lalr",
    lexer="basic",
)

SPACES = {"\\" + s for s in ["quad", "qquad", "displaystyle", "textstyle", "limits", "nolimits"]}
SIZES = {"\\" + s + t for s in ["big", "Big", "bigg", "Bigg"] for t in ["", "l", "r", "m"]}


ARGUMENTS = frozenset(
    "frac dfrac tfrac sqrt binom tilde hat bar vec dot ddot check breve overline widetilde widehat underline mathbf "
    "mathrm mathcal mathbb mathsf mathit mathfrak boldsymbol bm text operatorname textrm texttt mathtt".split()
)
WIDE = {"\\" + s for s in [";", ":", " ", ">"]} | {"~"}
THIN = {r"\,", r"\!"}
DELIMITERS = {
    **{
        d: d
        for d in (
            "(",
            ")",
            "[",
            "]",
            r"\{",
            r"\}",
            r"\langle",
            r"\rangle",
            r"\lfloor",
            r"\rfloor",
            r"\lceil",
            r"\rceil",
        )
    },
    **{r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]"},
}
OPERATORS = {
    "\\" + s
    for s in "cdot times le leq leqslant ge geq geqslant lt gt ne neq approx coloneqq implies iff Rightarrow "
    "Leftrightarrow Longrightarrow Longleftrightarrow to rightarrow in colon mid pm mp quad qquad right end".split()
}
GREEK_LETTERS = dict(
    zip(
        "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ",
        "alpha beta gamma delta varepsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau varphi chi psi omega "
        "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split(),
        strict=True,
    )
)
TYPED = {letter: "\\" + name for letter, name in GREEK_LETTERS.items()} | {
    **{"≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "−": "-"},
    **{"·": r"\cdot", "×": r"\times", "∞": r"\infty"},
}
_LENGTHS = ("pt", "em", "ex", "mm", "cm", "mu")


class GrammarError(ValueError):
    """The display is outside the dialect, or ambiguous; the message says where and what to write."""


def tokens(text: str) -> list[str]:
    """The tokens of a formula, with sizes and spaces dropped.

    >>> tokens(r"\\left( a_1 \\right)")
    ['(', 'a', '_', '1', ')']
    """
    for sign, macro in TYPED.items():
        text = text.replace(sign, f" {macro} ")
    try:
        raw = [str(t) for t in _LEXER.lex(text)]
    except UnexpectedCharacters as e:
        raise GrammarError(
            f"{text[e.pos_in_stream]!r} is not in the dialect (at {text[e.pos_in_stream :][:20]!r})"
        ) from None
    out, k = [], 0
    while k < len(raw):
        t = raw[k]
        if t in (r"\left", r"\right") and k + 1 < len(raw):
            d = {r"\lvert": "|", r"\rvert": "|", r"\lVert": r"\|", r"\rVert": r"\|"}.get(raw[k + 1], raw[k + 1])
            opening = t == r"\left"
            if d == ".":
                out += ["EVAL("] if opening else []
            elif d == "|":
                out.append("|(" if opening else "|)")
            elif d in (r"\|", r"\Vert"):
                out.append("||(" if opening else "||)")
            elif d in DELIMITERS:
                out.append(DELIMITERS[d])
            else:
                raise GrammarError(f"{t} stands before a bracket, not before {d}")
            k += 2
            continue
        if t in SIZES and k + 2 < len(raw) and raw[k + 1] == "|" and raw[k + 2] == "_":
            out.append("EVAL|")
            k += 2
            continue
        if t == r"\mathrm" and raw[k + 1 : k + 4] == ["{", "d", "}"]:
            out.append("DIFF")
            k += 4
            continue
        if t in (r"\quad", r"\qquad"):
            if out and out[-1] == ",":
                out[-1] = "NEXT"
            elif (
                out
                and out[-1] not in ("NEXT", r"\\")
                and any(x not in (r"\quad", r"\qquad", "&", ".", ",") for x in raw[k:])
            ):
                raise GrammarError("write `, \\quad` between two statements of one display")
        elif t == r"\\" and k + 1 < len(raw) and raw[k + 1] == "[":
            end = raw.index("]", k) if "]" in raw[k:] else len(raw)
            if end - k not in (4, 5) or "".join(raw[k + 3 : end]) not in _LENGTHS:
                raise GrammarError(r"\\ [ opens a length such as \\[2pt]; write \\ {} before a bracket of the next row")
            out.append(t)
            k = end
        elif t in THIN | WIDE:
            end = k
            while end < len(raw) and raw[end] in THIN | WIDE:
                end += 1
            gap = end - k > 1 or t in WIDE
            if gap and end < len(raw) and out and _ends(out[-1]) and _begins(raw[end]):
                raise GrammarError(r"a gap between two factors looks like two statements: write \cdot, or `, \quad`")
            k = end - 1
        elif t in SPACES or t in SIZES:
            pass
        else:
            out.append(
                {
                    r"\lvert": "|(",
                    r"\rvert": "|)",
                    r"\lVert": "||(",
                    r"\rVert": "||)",
                    r"\Vert": r"\|",
                    r"\lbrace": r"\{",
                    r"\rbrace": r"\}",
                    r"\lbrack": "[",
                    r"\rbrack": "]",
                    r"\to": r"\to",
                    r"\rightarrow": r"\to",
                }.get(t, t)
            )
        k += 1
    return out


def _ends(token: str) -> bool:
    """Whether a factor may end with this token."""
    return token[-1].isalnum() and token not in OPERATORS or token in (")", "]", "}", "|)", "||)", "'", "!")


def _begins(token: str) -> bool:
    """Whether a factor may begin with this token."""
    return token[-1].isalnum() and token not in OPERATORS or token in ("(", "[", "{", r"\{", r"\left")


def strip(toks: list[str]) -> list[str]:
    """Drop what carries no mathematics: environments, boxes, final punctuation; a matrix keeps its columns and rows."""
    out, k, inside, open_ = [], 0, 0, []
    while k < len(toks):
        if toks[k : k + 2] == ["{", "}"] and (not out or out[-1] in (r"\\", "NEXT", "+", "-", "=")):
            k += 2
            continue
        if toks[k] in (r"\begin", r"\end"):
            if "}" not in toks[k:]:
                raise GrammarError(f"{toks[k]} needs the name of an environment in braces")
            close = toks.index("}", k)
            name = "".join(toks[k + 2 : close])
            if toks[k] == r"\begin":
                open_.append(name)
            elif not open_ or open_.pop() != name:
                raise GrammarError(f"\\end{{{name}}} closes no environment of that name")
            if name in ("pmatrix", "bmatrix"):
                inside += 1 if toks[k] == r"\begin" else -1
                out.append("MATRIX(" if toks[k] == r"\begin" else "MATRIX)")
                k = close + 1
                continue
            if name not in ("aligned", "split", "gathered", "align", "align*"):
                raise GrammarError(f"environment {name!r} is not in the dialect; use aligned")
            k = close + 1
            continue
        if toks[k] == "&" and not inside:
            k += 1
            continue
        if toks[k] == r"\boxed":
            k += 1
            continue
        out.append(toks[k])
        k += 1
    if open_:
        raise GrammarError(f"\\begin{{{open_[-1]}}} is not closed")
    while out and out[-1] in (".", ",", ";", "NEXT", r"\\"):
        out.pop()
    return out


PRINTED = {
    **{"NEXT": r",\quad", "EVAL(": r"\left.", "EVAL|": r"\big|", "DIFF": r"\mathrm{d}"},
    **{"|(": r"\lvert", "|)": r"\rvert", "||(": r"\lVert", "||)": r"\rVert"},
    **{"MATRIX(": r"\begin{pmatrix}", "MATRIX)": r"\end{pmatrix}"},
}


def join(toks: list[str]) -> str:
    r"""Tokens as LaTeX again: a space only where a macro meets a letter.

    >>> join(strip(tokens(r"x \in \mathbb R, \quad \left|x\right| > 0")))
    'x\\in\\mathbb R,\\quad\\lvert x\\rvert>0'
    """
    out, slopes = "", 0
    for t in toks:
        slopes += t == "EVAL("
        text = r"\right|" if t == "|)" and slopes else PRINTED.get(t, t)
        slopes -= bool(t == "|)" and slopes)
        out += " " if out and text[0].isalpha() and _ends_in_macro(out) else ""
        out += text
    return out


def _ends_in_macro(text: str) -> bool:
    tail = text[text.rfind("\\") :] if "\\" in text else ""
    return bool(tail) and tail[1:].isalpha()
