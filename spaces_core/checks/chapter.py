"""A chapter's evidence: what its check cells call, and the ledger that comes of it."""

from __future__ import annotations

import builtins
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import sympy as sp

from . import values as V
from .badge import Badge, Summary
from .evaluate import Definition, Env, evaluate_sides
from .evidence import FAILURES, Check, Context, Measured, Proved, Refuted, Sampled, holds_at, relations
from .grammar import GrammarError, Names, atom_key, leading_name, parse, parse_name
from .page import Display, read_page
from .prove import Point, Rejected
from .teeth import bite, bite_below
from .tree import FUNCTIONS, Node, base, latex, sym, walk
from .uncertain import Estimate
from .values import is_family, is_function

KINDS = ("definition", "assumption", "proved", "sampled", "measured", "refuted")
EXAMPLES = 8


class CheckFailed(AssertionError):
    """A check did not pass; the message names the label, the file and the line."""


@dataclass
class Run:
    """How checks are run: which file, which seed, whether failures are collected or raised, which labels alone.

    `judge(evidence, check, tree, context)`, where given, takes the place of the test and its teeth.
    """

    file: Path | None = None
    seed: int | None = None
    collect: bool = False
    only: frozenset = frozenset()
    judge: object = None
    chapters: list = field(default_factory=list)

    def skips(self, label: str) -> bool:
        return bool(self.only) and label not in self.only


run = Run()


@dataclass
class Evidence:
    """One line of the ledger."""

    label: str
    display: Display
    kind: str
    method: str = ""
    scope: str = ""
    part: int = 0
    read: str = ""
    relations: int = 1
    uses: set = field(default_factory=set)
    assumes: tuple = ()
    made: int = 0
    caught: int = 0
    equivalent: int = 0
    examples: list = field(default_factory=list)
    atoms: tuple = ()
    detail: dict = field(default_factory=dict)
    fails: str = ""
    error: str = ""

    @property
    def means(self) -> list[Estimate]:
        """The sides of a measured statement, each with the half-width of its interval."""
        return [Estimate(mean, half) for mean, half in self.detail["means"]]

    @property
    def differences(self) -> list[Estimate]:
        """Right side minus left side of each relation of a measured statement."""
        return [Estimate((lo + hi) / 2, (hi - lo) / 2) for lo, hi in self.detail["right minus left"]]

    def caught_typo(self, kind, tree, how):
        self.made += 1
        self.caught += 1
        if len(self.examples) < EXAMPLES and sum(e["kind"] == kind for e in self.examples) < 2:
            self.examples.append({"latex": latex(tree), "kind": kind, "how": str(how).split("\n")[0][:160]})


class Chapter:
    r"""The evidence of one chapter.

    Args:
        path: `"part/topic"`, found as `chapters/part/topic.md` above the working directory, or a `.md` file.

    Raises:
        FileNotFoundError: there is no such chapter.
        ValueError: a label stands twice.

    Every check raises `CheckFailed` naming the label, file and line.
    """

    def __init__(self, path: str):
        self.page = read_page(run.file or _find(path))
        self.path = path
        self.displays: dict[str, Display] = {}
        for d in self.page.displays:
            if d.label in self.displays and d.label:
                raise ValueError(f"{self.page.path}:{d.line}: the label {d.label} stands twice")
            self.displays[d.label] = d
        self.common: dict = {}
        self.evidence: list[Evidence] = []
        self.definitions: dict[str, dict] = {}
        self.assumptions: dict[str, dict] = {}
        self.checks: list[tuple[Evidence, Check, dict]] = []
        self.problems: list[str] = []
        self.seed = run.seed if run.seed is not None else int(os.environ.get("SPACES_SEED", "0"))
        self.reported = False
        self._trees = {}
        run.chapters.append(self)

    # --- what check cells call -------------------------------------------------------------------
    def bind(self, bindings: dict) -> None:
        """Bind names for all later checks."""
        self.common |= self._canonical(bindings)

    def define(self, label: str, params: tuple[str, ...] = ()) -> None:
        """The display defines its left side; later checks evaluate its right side.

        Args:
            label: of the display.
            params: placeholders on the left besides the arguments of a function: `("i",)` for `\\tilde p_i = …`.
        """
        self._guard(label, "definition", lambda e: self._define(e, params))

    def assume(self, label: str, fails: str, where: dict | None = None, holds: dict | None = None) -> None:
        """The display is an assumption.

        Args:
            label: of the display.
            fails: a sentence for the reader: where it fails.
            where: bindings for which it is false.
            holds: bindings for which it is only just true.
        """
        self._guard(label, "assumption", lambda e: self._assume(e, fails, where, holds))

    def prove(
        self,
        label,
        bindings=None,
        *,
        by=None,
        scope="general",
        uses=(),
        assuming=(),
        domain=None,
        box=None,
        certificate=None,
        order=None,
        tol=0.0,
        tight=None,
        pins=(),
        override=(),
        part=0,
    ) -> None:
        """Prove the display: an identity, an inequality or an implication (see CONTRIBUTING.md for the methods)."""

        def make(tree, values):
            method = by or _default_method(tree, certificate, order)
            if method not in ("identity", "sign", "z3", "sos", "interval", "order"):
                raise Rejected(f"by={by!r} is no method; there are z3, sos, interval")
            if scope == "general" and (fixed := _fixed_sizes(tree, values, self.definition_trees(values))):
                raise Rejected(f"this check fixes the size of {', '.join(fixed)}: state it, for example scope='n = 3'")
            box_, domain_ = (
                {(k if isinstance(k, sp.Basic) else values[_key(k)]): v for k, v in (m or {}).items()}
                for m in (box, domain)
            )
            region = {**box_, **(domain_ if method == "z3" else {})}
            shown = scope
            if method in ("interval", "z3") and region:
                shown = ", ".join(
                    ([] if scope == "general" else [scope]) + [f"{a} ≤ {s} ≤ {b}" for s, (a, b) in region.items()]
                )
            return Proved(method, shown, domain_, box_, certificate, order, tol, self._pins(tight, pins))

        self._guard(label, "proved", lambda e: self._check(e, make, bindings, uses, assuming, override, part), part)

    def sample(
        self,
        label,
        draw,
        *,
        size,
        n=1000,
        domain,
        uses=(),
        assuming=(),
        rtol=1e-9,
        tol=0.0,
        attack=None,
        tight=None,
        pins=(),
        override=(),
        part=0,
    ) -> None:
        """Look for a counterexample among random cases and by gradient ascent on the violation.

        Args:
            label: of the display.
            draw: maps `size` standard normals to bindings.
            size: how many normals a case takes.
            n: random cases.
            domain: says what the cases are, for the reader.
            rtol: allowed relative error of an equality, and relative violation of an inequality by rounding.
            tol: allowed absolute error of `≈`.
            attack: whether to attack; by default for inequalities.
        """
        if run.skips(label):
            return
        import numpy as np

        first = self._canonical(draw(np.random.default_rng(0).standard_normal(size)))

        def make(tree, values):
            rels = {r.data for r in relations(tree)}
            if "~" in rels and not tol:
                raise Rejected("≈ needs tol= and a domain")
            attacked = bool(rels & {"<", "<=", ">", ">=", "~"}) if attack is None else attack
            return Sampled(draw, size, n, rtol, tol, domain, attacked, self._pins(tight, pins))

        self._guard(label, "sampled", lambda e: self._check(e, make, {}, uses, assuming, override, part, first), part)

    def measure(
        self, label, bindings, *, sides, tol=0.0, resolution=0.0, hardware="CPU", uses=(), override=(), part=0
    ) -> None:
        """An experiment: the paired differences of the two sides have their 95 % interval on the right side.

        Args:
            label: of the display.
            bindings: sequences hold a value per seed, at least five; numbers are the same for all.
            sides: the means of the sides, computed without the page.
            tol: allowed absolute difference of `≈`.
            resolution: what floating point cannot resolve: on another processor the means may move by so much. One
                number, or one a side.
            hardware: what it ran on.
        """

        if run.skips(label):
            return

        def make(tree, values):
            series = {k: [float(x) for x in v] for k, v in self._canonical(bindings).items() if _is_series(v)}
            lengths = {len(v) for v in series.values()}
            if len(lengths) != 1 or min(lengths) < 5:
                raise Rejected(
                    f"a measurement needs equally many seeds for each name, at least five (found {sorted(lengths)})"
                )
            constants = {k: v for k, v in self._canonical(bindings).items() if k not in series}
            fine = tuple(resolution) if isinstance(resolution, (list, tuple)) else (resolution,) * len(sides)
            return Measured(series, constants, tuple(sides), tol, fine, hardware)

        first = {k: v[0] if _is_series(v) else v for k, v in self._canonical(bindings).items()}
        self._guard(label, "measured", lambda e: self._check(e, make, {}, uses, (), override, part, first), part)

    def refute(
        self,
        label,
        bindings,
        *,
        sides,
        corrected="",
        scope="at the counterexample",
        tol=0.0,
        uses=(),
        override=(),
        part=0,
    ) -> None:
        """A published statement is false at the counterexample `bindings`, where its sides are exactly `sides`.

        Args:
            corrected: the label of the corrected statement.
        """

        def make(tree, values):
            if corrected and corrected not in self.displays:
                raise Rejected(f"corrected={corrected!r} is no label of this page")
            if any(r.data == "~" for r in relations(tree)) and not tol:
                raise Rejected("to refute ≈, say how far off is off: tol=")
            return Refuted(tuple(sides), scope, tol)

        def do(e):
            self._check(e, make, bindings, uses, (), override, part)
            e.detail["corrected"] = corrected

        self._guard(label, "refuted", do, part)

    def report(self) -> None:
        """Close the chapter: teeth of definitions and assumptions, a check for every label, the ledger."""
        if self.reported:
            return
        self.reported = True
        if run.only:
            found = {e.label for e in self.evidence}
            self.problems += [f"{self.page.path}: no check of {label} ran" for label in sorted(run.only - found)]
            self.evidence = [e for e in self.evidence if e.label in run.only or e.error]
            return
        for e in self.evidence:
            if e.kind in ("definition", "assumption") and not e.error:
                self._attempt(e, lambda e=e: bite_below(self, e))
        labels = {e.label for e in self.evidence}
        for d in self.page.displays:
            if not d.label:
                self.problems.append(f"{self.page.path}:{d.line}: this display has no label: {d.latex[:50]}")
            elif d.label not in labels:
                self.problems.append(f"{self.page.path}:{d.line}: {d.label} has no evidence")
        self._parts_covered()
        if self.problems and not run.collect:
            raise CheckFailed("\n".join(self.problems))
        self._write()
        _show(Summary(self))

    def __getitem__(self, label: str) -> Evidence:
        for e in self.evidence:
            if e.label == label:
                return e
        raise KeyError(label)

    def totals(self) -> dict:
        counts = Counter(e.kind for e in self.evidence if not e.error)
        return {k: counts[k] for k in KINDS}

    def ledger(self) -> dict:
        used_by: dict[str, list] = {}
        for e in self.evidence:
            for label in sorted(e.uses | set(e.assumes)):
                used_by.setdefault(label, []).append(e.label)
        order = {d.label: k for k, d in enumerate(self.page.displays)}
        return {
            "chapter": self.path,
            "title": self.page.title,
            "totals": self.totals(),
            "statements": [
                {
                    "label": e.label,
                    "part": e.part,
                    "line": e.display.line,
                    "latex": e.display.latex,
                    "read": e.read,
                    "kind": e.kind,
                    "method": e.method,
                    "scope": e.scope,
                    "relations": e.relations,
                    "uses": sorted(e.uses),
                    "used_by": used_by.get(e.label, []),
                    "assumes": sorted(e.assumes),
                    "fails": e.fails,
                    "typos": {"made": e.made, "caught": e.caught, "equivalent": e.equivalent, "examples": e.examples},
                    "atoms": sorted(e.atoms),
                    "detail": e.detail,
                }
                for e in sorted(self.evidence, key=lambda e: (order[e.label], e.part))
            ],
        }

    # --- inside ------------------------------------------------------------------------------------
    def _guard(self, label, kind, action, part=0):
        """Run one call: find the display, catch what goes wrong, show the badge."""
        if run.skips(label) and kind not in ("definition", "assumption"):
            return
        if label not in self.displays or not label:
            known = ", ".join(k for k in self.displays if k)
            message = f"{self.page.path}: there is no display {label!r}; the labels are {known}"
            if not run.collect:
                raise CheckFailed(message)
            self.problems.append(message)
            return
        if any(e.label == label and e.part == part for e in self.evidence):
            self.problems.append(f"{self.page.path}: {label} has evidence twice")
        e = Evidence(label, self.displays[label], kind, part=part)
        self.evidence.append(e)
        self._attempt(e, lambda: action(e))
        if e.error or kind not in ("definition", "assumption"):
            _show(Badge(e))
        else:
            _show(Badge(e, pending=True))

    def _attempt(self, e, action):
        try:
            action()
        except (*FAILURES, GrammarError) as error:
            e.error = str(error) or type(error).__name__
            rests = f" (rests on {', '.join(sorted(e.uses | set(e.assumes)))})" if e.uses or e.assumes else ""
            message = f"{self.page.path}:{e.display.line}: {e.label}: {e.error}{rests}"
            self.problems.append(message)
            if not run.collect:
                raise CheckFailed(message) from error

    def _canonical(self, bindings: dict) -> dict:
        return {_key(k): v for k, v in bindings.items()}

    def _pins(self, tight, pins) -> tuple:
        tight = [tight] if isinstance(tight, dict) else (tight or [])
        return tuple([(self._canonical(t), "equal") for t in tight] + [(self._canonical(b), tuple(s)) for b, s in pins])

    def _names(self, values: dict) -> Names:
        calls = {
            latex(d["left"].args[0]) for ds in self.definitions.values() for d in ds["parts"] if d["left"].op == "call"
        }
        callables = {k for k, v in values.items() if is_function(v)}
        atoms = sorted((atom_key(k) for k in values if parse_name(k) is None), key=lambda a: -len(a[0]))
        return Names(frozenset(calls | callables), frozenset(values), tuple(atoms))

    def definition_trees(self, values: dict, override: dict | None = None, aside=()) -> list[Definition]:
        names = self._names(values)
        out = []
        for label, d in self.definitions.items():
            if label in aside:
                continue
            tree = (override or {}).get(label) or self._tree(label, names)
            for rel, spec in zip(_definition_rels(tree), d["parts"], strict=True):
                out.append(Definition(label, rel.args[0], rel.args[1], spec["params"]))
        return out

    def _define(self, e, params):
        text = e.display.latex
        head = _function_head(text)
        names = self._names(self.common)
        tree = parse(text, Names(names.functions | ({head} if head else set()), names.bound, names.atoms))
        rels = _definition_rels(tree)
        e.read, e.relations = latex(tree), len(rels)
        parts = []
        for rel in rels:
            left = rel.args[0]
            if left.op not in ("sym", "call"):
                raise Rejected("a definition has one symbol, an indexed name or f(x) on its left side")
            args = tuple(latex(a) for a in left.args[1:]) if left.op == "call" else ()
            if any(a.op != "sym" for a in left.args[1:] if left.op == "call"):
                raise Rejected("a defined function takes plain names on the left side: f(x), not f(0) or f(x + 1)")
            mine = tuple(p for p in map(_key, params) if p in {latex(n) for n in walk(left)})
            parts.append({"left": left, "params": args + tuple(p for p in mine if p not in args)})
        self.definitions[e.label] = {"parts": parts}
        e.method, e.scope = "definition", "used below"

    def _assume(self, e, fails, where, holds):
        if not fails:
            raise Rejected("an assumption says where it fails")
        e.fails, e.method, e.scope = fails, "assumption", "stated"
        self.assumptions[e.label] = {"where": self._canonical(where or {}), "holds": self._canonical(holds or {})}
        e.read = e.display.latex
        if where:
            values = {**self.common, **self.assumptions[e.label]["where"]}
            if self.true_at(self.parse(e.label, values), values):
                raise Rejected("the assumption holds where it is said to fail")
        if holds:
            values = {**self.common, **self.assumptions[e.label]["holds"]}
            if not self.true_at(self.parse(e.label, values), values):
                raise Rejected("the assumption fails where it is said to hold")

    def _tree(self, label, names):
        """The tree of a display, read once for the same names: the teeth ask for it thousands of times."""
        key = label, names
        if key not in self._trees:
            self._trees[key] = parse(self.displays[label].latex, names)
        return self._trees[key]

    def parse(self, label, values, part=0):
        tree = self._tree(label, self._names(values))
        if not part:
            return tree
        rels = relations(tree)
        if not 1 <= part <= len(rels):
            raise Rejected(f"the display has {len(rels)} relations, there is no part {part}")
        return rels[part - 1]

    def true_at(self, tree, values, override=None):
        env = Env(values, self.definition_trees(values, override))
        point = Point(self.seed)
        return all(holds_at(r.data, *evaluate_sides(r, env), point, 0) for r in relations(tree))

    def context(self, e, values, assuming, override, changed=None):
        definitions = self.definition_trees(values, changed, override)
        assumptions = [(changed or {}).get(a) or self.parse(a, values) for a in assuming]
        context = Context(e.label, values, definitions, assumptions, self.seed)
        context.bind = self._canonical
        return context

    def _check(self, e, make, bindings, uses, assuming, override, part, first=None):
        values = {**self.common, **self._canonical(bindings or {})}
        known = {**values, **(first or {})}
        e.assumes = tuple(assuming)
        for label in (*uses, *assuming, *override):
            if label not in self.displays:
                raise Rejected(f"there is no display {label!r}")
        for label in assuming:
            if label not in self.assumptions:
                raise Rejected(f"{label} is no assumption of this page")
        self._no_rebinding({**values, **(first or {})}, override)
        self._distinct(known)
        tree = self.parse(e.label, known, part)
        e.read, e.relations = latex(tree), len(relations(tree))
        for rel in relations(tree):
            if all(s.op in ("atom",) for s in rel.args):
                raise Rejected("both sides are whole sub-formulas bound as one atom: that is no evidence")
        e.atoms = tuple({n.data for n in walk(tree) if n.op == "atom"})
        check = make(tree, known)
        for more, _ in getattr(check, "pins", ()):
            self._no_rebinding(more, override)
        # names come from the first case, values from each case
        context = self.context(
            e,
            known if first is None else {**values, **{k: v for k, v in first.items() if k not in values}},
            assuming,
            override,
        )
        e.uses = set(uses)
        e.method, e.scope = check.method, check.scope
        if run.judge is not None:
            return run.judge(e, check, tree, context)
        try:
            e.detail = check.test(tree, context)
        finally:
            e.uses |= context.used
        self.checks.append(
            (e, check, {"values": context.values, "assuming": assuming, "override": override, "tree": tree})
        )
        bite(self, e, check, tree, context)

    @staticmethod
    def _distinct(values):
        seen: dict = {}
        for key, value in values.items():
            if isinstance(value, sp.Symbol) and seen.setdefault(value, key) != key:
                raise Rejected(f"{seen[value]} and {key} are bound to the same symbol")

    def _no_rebinding(self, bindings, override):
        """A name that the page defines has the page's meaning."""
        names = {key: parse_name(key) for key in bindings}
        for label, d in self.definitions.items():
            if label in override:
                continue
            for spec in d["parts"]:
                left, params = spec["left"], spec["params"]
                defined = Definition(label, left, left, params)
                for key, node in names.items():
                    family = left.op == "sym" and left.args and node == sym(base(left)) and is_family(bindings[key])
                    call = left.op == "call" and node == left.args[0]
                    if node is not None and (family or call or (left.op == "sym" and defined.match(node) is not None)):
                        advice = f"use that definition, or set it aside with override=[{label!r}]"
                        raise Rejected(f"{key} is defined by {label}: {advice}")

    def _parts_covered(self):
        for label, d in self.displays.items():
            parts = {e.part for e in self.evidence if e.label == label}
            if parts and parts != {0} and 0 not in parts:
                total = max((len(relations(parse(d.latex, self._names(self.common)))), *parts))
                missing = set(range(1, total + 1)) - parts
                if missing:
                    self.problems.append(
                        f"{self.page.path}:{d.line}: {label}: relation {min(missing)} of {total} has no evidence"
                    )

    def _write(self):
        folder = os.environ.get("SPACES_LEDGER_DIR")
        if folder and not self.problems:
            target = Path(folder) / f"{self.path}.ledger.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(self.ledger(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _find(path: str) -> Path:
    given = Path(path)
    if given.suffix == ".md" and given.exists():
        return given
    for folder in [Path.cwd(), *Path.cwd().parents]:
        candidate = folder / "chapters" / f"{path}.md"
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"no chapters/{path}.md at or above {Path.cwd()}")


def _key(name: str) -> str:
    node = parse_name(name)
    return latex(node) if node is not None else name.strip()


def _is_series(v) -> bool:
    return isinstance(v, (list, tuple)) or getattr(v, "ndim", 0) == 1


def _definition_rels(tree: Node) -> tuple[Node, ...]:
    parts = tree.args if tree.op == "all" else (tree,)
    for p in parts:
        if p.op != "rel" or p.data != "=":
            raise Rejected("a definition is one equation: left side = right side")
    return parts


def _function_head(text: str) -> str:
    r"""The function that a display defines: `\psi(x) = …` gives `\psi`."""
    node, following = leading_name(text)
    if node is None:
        return ""
    name = latex(node)
    inner = name[name.index("{") + 1 : -1] if "{" in name else ""
    return name if following in ("(", "[") and inner not in FUNCTIONS else ""


def _default_method(tree, certificate, order):
    if order:
        return "order"
    if certificate is not None:
        return "sos"
    return "identity" if tree.op in ("rel", "chain", "all") and all(r.data == "=" for r in relations(tree)) else "sign"


def _fixed_sizes(tree, values, definitions) -> list[str]:
    names, seen = set(), set()
    todo = [tree]
    while todo:
        for n in walk(todo.pop()):
            if n.op == "sym" and n not in seen:
                seen.add(n)
                names |= {latex(n), base(n)}
                todo += [
                    d.right
                    for d in definitions
                    if d.label not in seen and (d.match(n) is not None or base(d.head) == base(n))
                ]
            elif n.op in ("sum", "prod", "bigmax", "bigmin"):
                names |= set(n.data[0])
    sized = (V.Vec, sp.MatrixBase, range)
    fixed = {k for k in names if isinstance(values.get(k), sized) or getattr(values.get(k), "ndim", 0) > 0}
    return sorted(
        fixed | {k for k in names if getattr(values.get(k), "is_number", isinstance(values.get(k), (int, float)))}
    )


def _show(badge) -> None:
    """Display a badge where there is a notebook; `python -m spaces_core.checks` prints its own lines."""
    display = getattr(builtins, "display", None)
    if display is not None and not run.collect:
        display(badge)
