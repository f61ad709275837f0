"""Check a reader's version of one statement: the same engine and the same check cell, another display.

Pure Python on SymPy, mpmath and lark, so that it also runs in a browser.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
from pathlib import Path

import sympy as sp

from . import chapter as C
from . import values as V
from .evaluate import evaluate
from .evidence import FAILURES, Fails, Refuted, clauses
from .page import Page, read_page
from .prove import Rejected
from .slicing import imports, needed, undefined
from .teeth import bite
from .tree import base, walk
from .tree import latex as latex_of

LOCAL = frozenset("sympy spaces_core.checks math cmath fractions itertools functools operator collections".split())


def recheck(page: str, label: str, latex: str, only=(), teeth: bool = False, folder: str | None = None) -> dict:
    r"""Run the check of a display on other LaTeX than the page's.

    Args:
        page: the text of the chapter.
        label: of the display that the reader edits.
        latex: what the reader wrote in its place.
        only: labels to check; by default this one. For a definition: the proved statements that use it.
        teeth: whether to make typos in an accepted statement, as the book does.
        folder: for the page's file; by default a temporary one.

    Returns:
        `ok`, `state` (`holds`, `searched`: no counterexample, without a proof; `refuted`, `survives`, `fails`,
        `unproved`, `unreadable`), `message`, `label` (of the statement that decides), `read` (the statement as the
        machine read it); where it fails at a point, also `point` (pairs of name and number in LaTeX), `relation`,
        `left`, `right`; with teeth, `typos`.

    Raises:
        KeyError: the page has no such display.

    >>> page = '''$$
    ... (a + b)^2 = a^2 + 2 a b + b^2
    ... $$ (eq-square)
    ...
    ... ```{code-cell} ipython3
    ... :tags: [check]
    ... from sympy import symbols
    ... from spaces_core.checks import Chapter
    ... a, b = symbols("a b", real=True)
    ... ch = Chapter("a/square")
    ... ch.prove("eq-square", {"a": a, "b": b})
    ... ```
    ... '''
    >>> recheck(page, "eq-square", "(a + b)^2 = b^2 + 2 a b + a^2")["state"]
    'holds'
    >>> found = recheck(page, "eq-square", "(a + b)^2 = a^2 + a b + b^2")
    >>> found["state"], [name for name, _ in found["point"]], found["left"] != found["right"]
    ('fails', ['a', 'b'], True)
    """
    if "$" in latex or not latex.strip():
        return _said(
            label, "unreadable", "write one equation, without dollar signs" if latex.strip() else "it is empty"
        )
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        file = Path(temporary) / "page.md"
        file.write_text(page, encoding="utf-8")
        file.write_text(with_display(page, read_page(file), label, latex), encoding="utf-8")
        judge = Judge(teeth)
        chapters, problems = _run(file, {label, *only}, judge)
    for e in [e for c in chapters for e in c.evidence if e.label == label]:
        if e.error and not any(f["label"] == label for f in judge.found):
            return _said(label, "unreadable", e.error)
    failed = next((f for f in judge.found if not f["ok"]), None)
    if failed is None and problems:
        return _said(label, "unreadable", problems[0].replace(f"{file}:", "line "))
    own = [f for f in judge.found if f["label"] == label]
    return failed or (own or judge.found or [_said(label, "unreadable", "no check reads this statement")])[0]


def _run(file: Path, labels: set[str], judge: Judge) -> tuple[list, list[str]]:
    """Run what the checks of these labels need, in one namespace; the chapters it opened, and what is wrong."""
    before, C.run = C.run, C.Run(file=file, collect=True, only=frozenset(labels), judge=judge)
    problems: list[str] = []
    namespace: dict = {"__name__": "__main__"}
    try:
        for piece in needed(read_page(file), labels):
            exec(compile(piece.source, str(file), "exec"), namespace)
    except Exception as error:
        problems.append(f"{type(error).__name__}: {error}")
    try:
        for chapter in C.run.chapters:
            chapter.report()
            problems += chapter.problems
        return C.run.chapters, problems
    finally:
        C.run = before


def with_display(text: str, page: Page, label: str, latex: str) -> str:
    r"""The page with other LaTeX under a label, on as many lines as before where that is possible."""
    display = next((d for d in page.displays if d.label == label), None)
    if display is None:
        raise KeyError(f"there is no display {label!r}")
    lines = text.split("\n")
    start = display.line - 1
    if lines[start].lstrip().startswith("$$"):
        end = next(k for k in range(start, len(lines)) if re.search(rf"\$\$\s*\({re.escape(label)}\)\s*$", lines[k]))
    else:
        mark = re.match(r"\s*([`~:]+)", lines[start])[1]
        end = next(k for k in range(start + 1, len(lines)) if lines[k].strip() == mark)
    one_line = " ".join(line.split("%")[0] if "%" in line else line for line in latex.strip().split("\n"))
    return "\n".join([*lines[:start], "$$", one_line, f"$$ ({label})", *[""] * (end - start - 2), *lines[end + 1 :]])


class Judge:
    """What a reader is told of each check: no typos are made in a statement, but the sides are shown where it fails."""

    def __init__(self, teeth: bool = False):
        self.teeth, self.found = teeth, []

    def __call__(self, e, check, tree, context) -> None:
        if any(not f["ok"] for f in self.found):
            return
        said = self._refuted if isinstance(check, Refuted) else self._proved
        self.found.append({**said(e, check, tree, context), "read": latex_of(tree)})

    def _proved(self, e, check, tree, context):
        no_solver = getattr(check, "by", "") == "z3" and importlib.util.find_spec("z3") is None
        try:
            check.test(tree, context, quick=no_solver)
        except Fails as f:
            left, right = _first_difference(f.left, f.right)
            shown = {"point": _point(f.point), "relation": latex_of(f.relation), **_two_sides(left, right)}
            return _said(e.label, "fails", str(f), **shown)
        except FAILURES as f:
            return _said(e.label, _state_of(f), _explained(str(f)))
        if no_solver:
            return _said(e.label, "searched", "no counterexample at random points or at the book's spot values")
        if self.teeth:
            return self._bitten(e, check, tree, context)
        return _said(e.label, "holds", check.method)

    def _bitten(self, e, check, tree, context):
        try:
            bite(None, e, check, tree, context)
        except FAILURES:
            pass  # typos that survive are counted: made less caught less equivalent
        counts = {"made": e.made, "caught": e.caught, "equivalent": e.equivalent}
        return _said(e.label, "holds", check.method, typos=counts)

    def _refuted(self, e, check, tree, context):
        """Whether the counterexample to the published statement also refutes this one."""
        env = context.env()
        try:
            goals = [r for clause in clauses(tree) for r in clause.goals]
            false = next((r for r in goals if not check._holds(r, env)), None)
            shown = goals[0] if false is None else false
            left, right = _first_difference(*(V.scalars(evaluate(a, env)) for a in shown.args))
        except FAILURES as f:
            return _said(e.label, _state_of(f), str(f))
        trees = [tree, *(d.right for d in context.definitions if d.label in context.used)]
        names = {name for t in trees for n in walk(t) if n.op == "sym" for name in (latex_of(n), base(n))}
        point = [[k, _digits(v)] for k, v in context.values.items() if k in names and _is_number(v)]
        more = {"point": point, "relation": latex_of(shown), **_two_sides(left, right)}
        if false is None:
            return _said(e.label, "survives", "this counterexample does not refute it, which proves nothing", **more)
        return _said(e.label, "refuted", "false at the counterexample", **more)


FALSE = ("at the spot", "fails for", "the remainder is", "z3 found", "the sides have", "the enclosures")


def _state_of(failure) -> str:
    if not isinstance(failure, Rejected):
        return "unreadable"
    return "fails" if str(failure).startswith(FALSE) else "unproved"


def _explained(message: str) -> str:
    if message.startswith("at the spot"):
        message += " (the sides are pinned there, because weaker inequalities are also true)"
    return message


def _said(label, state, message, **more) -> dict:
    return {"ok": state in ("holds", "searched", "refuted", "survives"), "label": label, "state": state} | {
        "message": message,
        **more,
    }


def _point(point) -> list[list[str]]:
    names = [[sp.latex(s), _digits(v)] for s, v in sorted(point.numbers.items(), key=lambda t: str(t[0]))]
    return names + [[sp.latex(f), r"\text{a smooth test function}"] for f in point.functions]


def _first_difference(left: list, right: list):
    both = list(zip(left, right, strict=False))
    return next((p for p in both if sp.sympify(p[0]) != sp.sympify(p[1])), both[0])


def _two_sides(left, right) -> dict:
    """Both sides with as many digits as it takes to tell them apart."""
    for digits in (6, 10, 16, 30):
        shown = _digits(left, digits), _digits(right, digits)
        if shown[0] != shown[1]:
            break
    return {"left": shown[0], "right": shown[1]}


def _is_number(v) -> bool:
    if isinstance(v, (range, str, bool)):
        return False
    if isinstance(v, (V.Vec, sp.MatrixBase)):
        return all(map(_is_number, V.scalars(v)))
    return isinstance(v, (int, float, sp.Expr)) and bool(sp.sympify(v).is_number)


def _digits(v, n: int = 4) -> str:
    if isinstance(v, (V.Vec, sp.MatrixBase)):
        return r"\left(" + ",\\ ".join(_digits(s, n) for s in V.scalars(v)) + r"\right)"
    v = sp.sympify(v)
    return sp.latex(v if v.is_Rational and len(str(v)) < 8 else sp.N(v, n), full_prec=False)


# --- which statements a reader can edit --------------------------------------------------------------
def editable(page: Page, ledger: dict) -> dict[str, dict]:
    """The statements whose checks run without numerical packages.

    Args:
        page: the chapter.
        ledger: of the chapter (the JSON that its replay writes).

    Returns:
        for each label its `kind`, `method`, the page's `latex`, and `only`: what to check when it is edited.
    """
    displays = {d.label: d.latex for d in page.displays}
    rows: dict[str, list[dict]] = {}
    for s in ledger["statements"]:
        rows.setdefault(s["label"], []).append(s)
    symbolic = {
        label
        for label, parts in rows.items()
        if all(s["kind"] in ("proved", "refuted") for s in parts) and is_symbolic(page, {label})
    }
    found = {}
    for label, parts in rows.items():
        if label in symbolic:
            only = [label]
        elif parts[0]["kind"] == "definition":
            users = [u for u in parts[0]["used_by"] if u in symbolic and rows[u][0]["kind"] == "proved"]
            only = [u for u in dict.fromkeys(users) if is_symbolic(page, {label, u})]
        else:
            only = []
        if only and label in displays:
            method = "; ".join(dict.fromkeys(s["method"] for s in parts))
            found[label] = {"kind": parts[0]["kind"], "method": method, "latex": displays[label], "only": only}
    return found


def is_symbolic(page: Page, labels: set[str]) -> bool:
    """Whether the checks of these labels need only SymPy, the engine and the standard library's mathematics."""
    kept = needed(page, labels)
    return bool(kept) and imports(kept) <= LOCAL and not undefined(kept)
