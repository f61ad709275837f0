"""Check a reader's version of one display: the same engine and the same check cell, another equation or hypothesis.

Pure Python on SymPy, mpmath, lark and markdown-it, so that it also runs in a browser.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace

import mpmath
import sympy as sp

from . import values as V
from .context import POINTS
from .evaluate import evaluate
from .kinds import FAILURES, Argued, Proved, Refuted, true
from .measured import Measured
from .numbers import Fails, Rejected, clauses, show
from .page import REDEFINE, Page, parse_page
from .run import Run
from .sampled import Sampled
from .slicing import imports, needed, undefined
from .teeth import bite
from .tree import latex as latex_of

LOCAL = frozenset("sympy spaces_core.checks math cmath fractions itertools functools operator collections".split())
FINE = ("holds", "searched", "refuted", "survives")


def recheck(page: str, label: str, latex: str, only=(), teeth: bool = False) -> dict:
    r"""Run the check of a display on other LaTeX than the page's.

    Args:
        page: the text of the page.
        label: of the display that the reader edits: a statement, a definition, or a setting.
        latex: what the reader wrote in its place.
        only: labels to check; by default this one. For a definition or a setting: the statements that use it.
        teeth: whether to make misprints in an accepted statement, as the book does.

    Returns:
        `ok`, `state` (`holds`, `searched`: no counterexample, without a proof; `refuted`, `survives`, `fails`,
        `unproved`, `unreadable`), `message`, `label` (of the statement that decides), `read` (the statement as the
        machine read it); where it fails at a point, also `point` (pairs of name and number in LaTeX), `relation`,
        `left`, `right`; with teeth, `typos`.

    Raises:
        KeyError: the page has no such display.

    >>> page = '''$$ a, b \\in \\mathbb R $$ (eq-set)
    ...
    ... $$ (a + b)^2 = a^2 + 2 a b + b^2 $$ (eq-square)
    ...
    ... ```{code-cell} ipython3
    ... :tags: [check]
    ... from spaces_core.checks import Chapter
    ... ch = Chapter("a/square")
    ... ch.setting("eq-set")
    ... ch.prove("eq-square")
    ... ```
    ... '''
    >>> recheck(page, "eq-square", "(a + b)^2 = b^2 + 2 a b + a^2")["state"]
    'holds'
    >>> found = recheck(page, "eq-square", "(a + b)^2 = a^2 + a b + b^2")
    >>> found["state"], [name for name, _ in found["point"]], found["left"] != found["right"]
    ('fails', ['a', 'b'], True)
    """
    read = parse_page(page)
    if label not in {d.label for d in read.displays}:
        raise KeyError(f"there is no display {label!r}")
    if fault := _form(latex):
        return _said(label, "unreadable", fault)
    text = " ".join(line.split("%")[0] for line in latex.strip().split("\n"))
    edited = replace(read, displays=tuple(replace(d, latex=text) if d.label == label else d for d in read.displays))
    judge = Judge(teeth)
    chapters, problems = _run(edited, {label, *only}, judge)
    for e in [e for c in chapters for e in c.evidence if e.label == label]:
        if e.error and not any(f["label"] == label for f in judge.found):
            return _said(label, "unreadable", _for_readers(e.error))
    failed = next((f for f in judge.found if not f["ok"]), None)
    if failed is None and problems:
        return _said(label, "unreadable", _for_readers(re.sub(r"^page\.md:\d+: ", "", problems[0])))
    own = [f for f in judge.found if f["label"] == label]
    return failed or (own or judge.found or [_said(label, "unreadable", "no check reads this statement")])[0]


def _for_readers(message: str) -> str:
    """Without advice to authors."""
    if ": not declared." in message:
        names = re.sub(r"^[\w-]+: ", "", message.split(": not declared.")[0])
        return f"this page does not say what {names} is"
    return message.removesuffix(" (at a point of the setting)")


def _form(latex: str) -> str:
    if not latex.strip():
        return "it is empty"
    if "$" in latex:
        return "write one equation, without dollar signs"
    if found := REDEFINE.search(latex):
        return f"{found[0]} is not read here"
    return ""


def _run(page: Page, labels: set[str], judge: Judge) -> tuple[list, list[str]]:
    """Run what the checks of these labels need, in one namespace; the chapters it opened, and what is wrong."""
    run = Run(page=page, collect=True, only=frozenset(labels), judge=judge)
    problems: list[str] = []
    namespace: dict = {"__name__": "__main__"}
    with run:
        try:
            for piece in needed(page, labels):
                exec(compile(piece.source, "page.md", "exec"), namespace)
        except Exception as error:
            problems.append(f"this cannot be checked: {error}")
        for chapter in run.chapters:
            chapter.report()
            problems += chapter.problems
    return run.chapters, problems


class Judge:
    """What a reader is told of each check: the sides are shown where it fails."""

    def __init__(self, teeth: bool = False):
        self.teeth, self.found = teeth, []

    def __call__(self, e, check, tree, context) -> None:
        if any(not f["ok"] for f in self.found) or isinstance(check, Measured):
            return
        said = self._refuted if isinstance(check, Refuted) else self._tested
        self.found.append({**said(e, check, tree, context), "read": latex_of(tree)})

    def _tested(self, e, check, tree, context):
        try:
            found = self._test(check, tree, context)
        except Fails as f:
            return _said(e.label, "fails", str(f), **_shown(f))
        except FAILURES as f:
            return _said(e.label, _state_of(f), _explained(str(f)))
        except Exception as error:
            return _said(e.label, "unproved", f"not proved ({error}); no counterexample at {POINTS} points")
        if found == "searched":
            return _said(e.label, "searched", f"no counterexample at {POINTS} points of the setting")
        if self.teeth:
            return self._bitten(e, check, tree, context)
        return _said(e.label, "holds", check.method)

    @staticmethod
    def _test(check, tree, context) -> str:
        by = check.proof.by if isinstance(check, Proved) else ""
        if isinstance(check, (Argued, Sampled)) or (by in ("z3", "gram") and not _solver()):
            check.quick(tree, context)
            return "searched"
        try:
            check.test(tree, context)
        except Fails:
            raise
        except Rejected as error:
            if isinstance(check, Proved) and not str(error).startswith("at the spot"):
                check.quick(tree, context)
                raise Rejected(f"not proved: {error}; no counterexample at {POINTS} points") from None
            raise
        return "holds"

    def _bitten(self, e, check, tree, context):
        count = bite(check, latex_of(tree), tree, context, context.names, ())
        counts = {"made": count.made, "caught": count.caught, "equivalent": count.equivalent}
        return _said(e.label, "holds", check.method, typos=counts)

    def _refuted(self, e, check, tree, context):
        """Whether the counterexample to the published statement also refutes this one."""
        env = context.env()
        try:
            goals = [r for clause in clauses(tree) for r in clause.goals]
            false = next((r for r in goals if not true(r, env)), None)
            shown = goals[0] if false is None else false
            left, right = _first_difference(*(V.scalars(evaluate(a, env)) for a in shown.args))
        except FAILURES as f:
            return _said(e.label, _state_of(f), str(f))
        point = [[k, _digits(v)] for k, v in context.given.items() if not isinstance(v, range) and not callable(v)]
        more = {"point": point, "relation": latex_of(shown), **_two_sides(left, right)}
        if false is None:
            return _said(e.label, "survives", "this counterexample does not refute it, which proves nothing", **more)
        return _said(e.label, "refuted", "false at the counterexample", **more)


def _solver() -> bool:
    try:
        return importlib.util.find_spec("z3") is not None
    except ImportError:
        return False


def _state_of(failure) -> str:
    if not isinstance(failure, Rejected):
        return "unreadable"
    return (
        "fails" if str(failure).startswith(("at the spot", "fails for", "the remainder is", "z3 found")) else "unproved"
    )


def _explained(message: str) -> str:
    if message.startswith("at the spot"):
        message += " (the sides are pinned there, because weaker inequalities are also true)"
    return message


def _said(label, state, message, **more) -> dict:
    return {"ok": state in FINE, "label": label, "state": state, "message": message, **more}


def _shown(f: Fails) -> dict:
    point = [[k, _digits(v)] for k, v in f.point.items() if not isinstance(v, range) and not callable(v)]
    point += [[k, r"\text{a smooth test function}"] for k, v in f.point.items() if callable(v)]
    sides = _two_sides(*_first_difference(f.left, f.right)) if f.left else {"left": "", "right": ""}
    return {"point": point, "relation": latex_of(f.relation), **sides}


def _first_difference(left: list, right: list):
    both = list(zip(left, right, strict=False))
    return next((p for p in both if p[0] != p[1]), both[0])


def _two_sides(left, right) -> dict:
    """Both sides with as many digits as it takes to tell them apart."""
    for digits in (6, 10, 16, 30):
        shown = _digits(left, digits), _digits(right, digits)
        if shown[0] != shown[1]:
            break
    return {"left": shown[0], "right": shown[1]}


def _digits(v, n: int = 4) -> str:
    if isinstance(v, (V.Mat, V.Family, V.Vec)):
        return rf"\text{{{show(v, n)}}}"
    if isinstance(v, (V.MP, V.MPC)):
        return mpmath.nstr(v, n)
    v = sp.sympify(v)
    return sp.latex(v if v.is_Rational and len(str(v)) < 8 else sp.N(v, n), full_prec=False)


# --- which displays a reader can edit ----------------------------------------------------------------
def editable(page: Page, ledger: dict) -> dict[str, dict]:
    """The displays whose checks run without numerical packages.

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
    asked = ("proved", "argued", "refuted", "trap")
    symbolic = {
        label for label, parts in rows.items() if all(s["kind"] in asked for s in parts) and is_symbolic(page, {label})
    }
    found = {}
    for label, parts in rows.items():
        if label in symbolic:
            only = [label]
        elif parts[0]["kind"] in ("definition", "setting"):
            users = [u for u in parts[0]["used_by"] if u in symbolic and rows[u][0]["kind"] in ("proved", "argued")]
            only = list(dict.fromkeys(users))[:6]
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
