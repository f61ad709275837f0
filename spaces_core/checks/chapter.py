"""A chapter's evidence: what its check cells call."""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sympy as sp

from .badge import Badge, Summary
from .checking import Checker
from .experiments import Experiment, Series, experiment
from .kinds import FAILURES, Argued, Proved, Refuted
from .ledger import SILENT, Evidence, ledger, totals
from .measured import Measured
from .numbers import Rejected, relations
from .page import Display
from .proofs import NAMES, Proof
from .reading import canonical
from .run import Run, active
from .sampled import Sampled


class CheckFailed(AssertionError):
    """A check did not pass; the message names the label, the file and the line."""


@dataclass(frozen=True)
class Quote:
    """A sentence that somebody published.

    Args:
        original: in the language it was written in, with its hedges.
        english: a translation; the same sentence where it was English.
        where: who wrote it, and in which place.
    """

    original: str
    english: str
    where: str

    def __post_init__(self):
        if not (self.original.strip() and self.english.strip() and self.where.strip()):
            raise ValueError("a quotation has its words, a translation and a place")


class Chapter:
    r"""The evidence of one page.

    Args:
        path: `"part/topic"`, found as `chapters/part/topic.md` above the working directory, or a `.md` file.
        run: how the checks are run; by default the run that is entered, or one that raises at the first failure.

    Raises:
        FileNotFoundError: there is no such page.
        ValueError: a label stands twice.

    Every check raises `CheckFailed` naming the label, file and line.
    """

    def __init__(self, path: str, run: Run | None = None):
        self.run = run or active()
        self.page = self.run.read(path)
        self.path = path
        self.displays: dict[str, Display] = {}
        for d in self.page.displays:
            if d.label in self.displays and d.label:
                raise ValueError(f"{self.page.path}:{d.line}: the label {d.label} stands twice")
            self.displays[d.label] = d
        self.evidence: list[Evidence] = []
        self.problems: list[str] = list(self.page.faults)
        self.seed = self.run.first_seed()
        self.checker = Checker(self.displays, self.seed)
        self.reported = False
        self.run.chapters.append(self)

    # --- what a page assumes and means -----------------------------------------------------------
    def setting(self, *labels: str) -> None:
        r"""The displays declare names: `$x > 0$`, `$n \in \mathbb N$`, `$W \in \mathbb R^{m \times n}$`."""
        for label in labels:
            self._guard(label, "setting", lambda e: self.checker.setting(e))

    def define(self, *labels: str, params: tuple[str, ...] = ()) -> None:
        """The displays define their left sides; later checks evaluate the right sides.

        Args:
            labels: of displays.
            params: placeholders on the left besides arguments of a function and declared indices.
        """
        for label in labels:
            self._guard(label, "definition", lambda e: self.checker.define(e, params))

    def assume(self, label: str, fails: str) -> None:
        """The display is a hypothesis that some checks list; without it one of them must have a counterexample.

        Args:
            label: of the display.
            fails: a sentence for the reader: where it fails.
        """
        self._guard(label, "assumption", lambda e: self.checker.assume(e, fails))

    def operator(self, name: str, function: Callable, rules: str) -> None:
        r"""A function that is given in code, such as $\mathbb E$; the display `rules` states what is used of it."""
        if rules not in self.displays:
            self._problem(f"{self.page.path}: there is no display {rules!r} with the rules of {name}")
            return
        self.checker.scope.operators[canonical(name)] = (function, rules)

    def symbols(self, *names: str):
        r"""The objects of SymPy that the engine made of declared names, for a certificate or a spot."""
        found = [self.checker.symbol(canonical(n)) for n in names]
        return found[0] if len(found) == 1 else found

    # --- what is known ---------------------------------------------------------------------------
    def prove(
        self,
        label: str,
        given: dict | None = None,
        *,
        by: str | None = None,
        assuming: tuple = (),
        certificate=None,
        order: tuple = (),
        box: dict | None = None,
        near: float = 0.0,
        on: str = "",
        tight=None,
        pins: tuple = (),
        part: int = 0,
        note: str = "",
    ) -> None:
        """Prove the display for the declared objects; first it is tested at points of its setting.

        Args:
            label: of the display.
            given: narrower values of declared names, such as `{"n": 3}`; the badge then says instance.
            by: `words`, `gram`, `induction`, `z3`, `sos`, `interval`, `order`, `sign` or `identity`; by default it
                follows from the display.
            assuming: labels of assumptions it needs; each must have teeth.
            certificate: for `sos`, by what the larger side is larger.
            order: for `order`, the variable and where it goes.
            box: for `interval` and `z3`, narrower ends.
            near: what `≈` allows.
            on: for `induction`, the name it runs over.
            tight: a point (or several) where the sides are equal.
            pins: `(values, sides)`: what the sides are at a point, computed without the page.
            part: one relation of the display.
            note: a comment for the reader.
        """

        def make(e, tree):
            method = by or ("order" if order else "sos" if certificate is not None else _default(tree))
            if method not in NAMES:
                raise Rejected(f"by={by!r} is no method; there are {', '.join(sorted(NAMES))}")
            proof = Proof(method, certificate, order, self.checker.keys(e, box), near, canonical(on) if on else "")
            return Proved(proof, _pins(tight, pins))

        self._check(label, "proved", make, given, assuming, near, part, note)

    def argue(
        self, label, *, rests=(), assuming=(), instances=None, near=0.0, cases=200, tight=None, pins=(), part=0, note=""
    ) -> None:
        """The display is proved in the text; the engine looks for a counterexample among points of its setting.

        Args:
            rests: labels of the displays that the argument uses.
            instances: where functions of a hypothesis cannot be drawn, `instances(seed)` gives values of the names that
                satisfy it; that they do is checked at every point.
            cases: how many points.
        """

        def make(e, tree):
            for other in rests:
                if other not in self.displays:
                    raise Rejected(f"rests= names {other!r}, which is no label of this page")
            if not rests:
                raise Rejected("an argument rests on something: rests=[…] names the displays it uses")
            e.rests = tuple(rests)
            return Argued(cases, _pins(tight, pins))

        self._check(label, "argued", make, None, assuming, near, part, note, instances=instances)

    def sample(
        self,
        label,
        draw=None,
        *,
        size=0,
        n=300,
        assuming=(),
        rtol=1e-9,
        near=0.0,
        attack=None,
        tight=None,
        pins=(),
        part=0,
        note="",
    ) -> None:
        """Look for a counterexample among random cases of the setting and by a search from the tightest ones.

        Args:
            draw: maps `size` standard normals to values, where the setting alone cannot be drawn.
            n: how many cases.
            rtol: rounding that an equality may have, at most 1e-6 relative.
            near: what `≈` allows.
            attack: whether to search; by default for inequalities.
        """

        def make(e, tree):
            rels = {r.data for r in relations(tree)}
            if "~" in rels and not near:
                raise Rejected("≈ needs near=")
            attacked = bool(rels & {"<", "<=", ">", ">=", "~"}) if attack is None else attack
            return Sampled(n, draw, size, rtol, near, attacked, _pins(tight, pins))

        first = {} if draw is None or self.run.skips(label) else self.checker.first(draw, size)
        self._check(label, "sampled", make, None, assuming, near, part, note, first)

    def experiment(self, arms, *, null, grid, better, seeds=8, pilots=3, skip=0, hardware="CPU") -> Experiment:
        """Run arms side by side: pilots choose their settings, fresh seeds decide (see `experiments.experiment`)."""
        shift = {"first": self.seed, "skip": skip, "hardware": hardware}
        return experiment(arms, null=null, grid=grid, better=better, seeds=seeds, pilots=pilots, **shift)

    def measure(self, label, values, *, null, near=0.0, resolution=0.0, pins=(), part=0, note="") -> None:
        """A claim about an experiment: the paired differences have their interval on the right side.

        The interval is a t interval at 95 %, made wider for the family of all claims that the chapter measures.

        Args:
            label: of the display.
            values: for each name a series of `experiment`, or a number that is the same for all seeds.
            null: the names that the null takes, with its series; the claim must fail for it.
            near: what `≈` allows.
            resolution: what floating point cannot resolve; one number, or one a side.
            pins: `(values, sides)` where the display holds numbers: what its sides are for given values of the names.
        """
        if self.run.skips(label):
            return
        if any(_is_series(v) and not isinstance(v, Series) for v in (*values.values(), *null.values())):
            what = "a measurement takes what ch.experiment returned; other numbers are a demonstration: ch.demonstrate"
            self._problem(f"{self.page.path}: {label}: {what}")
            return
        self._series(label, "measured", values, None, near, resolution, "", part, note, null, pins)

    def demonstrate(self, label, values, *, sides, near=0.0, resolution=0.0, hardware="CPU", part=0, note="") -> None:
        """Numbers that the page computed by itself, with seeds that its author chose: a demonstration.

        Args:
            values: sequences hold a value a seed, at least five; numbers are the same for all.
            sides: the means of the sides, computed without the page.
            near: what `≈` allows.
            resolution: what floating point cannot resolve; one number, or one a side.
            hardware: what it ran on.
        """
        if not self.run.skips(label):
            self._series(label, "demonstration", values, sides, near, resolution, hardware, part, note, {})

    def _series(self, label, kind, values, sides, near, resolution, hardware, part, note, null, pins=()) -> None:
        values = {canonical(k): v for k, v in values.items()}

        def make(e, tree):
            series = {k: [float(x) for x in v] for k, v in values.items() if _is_series(v)}
            lengths = {len(v) for v in series.values()}
            if len(lengths) != 1 or min(lengths) < 5:
                raise Rejected(f"a measurement needs equally many seeds, at least five (found {sorted(lengths)})")
            constants = {k: v for k, v in values.items() if k not in series}
            others = {canonical(k): [float(x) for x in v] for k, v in null.items()}
            return Measured(
                series, constants, sides and tuple(sides), near, resolution, hardware, kind, others, _pins(None, pins)
            )

        first = {k: float(v[0]) if _is_series(v) else v for k, v in values.items()}
        self._check(label, kind, make, None, (), near, part, note, first)

    def refute(
        self, label, given, *, sides, quote: Quote | None = None, corrected="", near=0.0, part=0, note=""
    ) -> None:
        """A sentence that somebody published is false at `given`, within the page's settings.

        Args:
            given: the counterexample.
            sides: what the sides are there.
            quote: the sentence, a translation and the place.
            corrected: the label of what holds instead.
        """
        self._false(label, "refuted", given, sides, corrected, near, part, note, quote)

    def trap(self, label, given, *, sides, corrected="", near=0.0, part=0, note="") -> None:
        """A tempting statement that nobody need have made is false at `given`, where its sides are `sides`."""
        self._false(label, "trap", given, sides, corrected, near, part, note, None)

    def _false(self, label, kind, given, sides, corrected, near, part, note, quote):
        def make(e, tree):
            if corrected and corrected not in self.displays:
                raise Rejected(f"corrected={corrected!r} is no label of this page")
            if any(r.data == "~" for r in relations(tree)) and not near:
                raise Rejected("to refute ≈, say how far off is off: near=")
            e.detail["corrected"] = corrected
            e.quotation = vars(quote) if quote else {}
            return Refuted(tuple(sides), kind)

        self._check(label, kind, make, given, (), near, part, note)

    def report(self) -> None:
        """Close the page: teeth of settings, definitions and assumptions, a check for every label, the ledger."""
        if self.reported:
            return
        self.reported = True
        if self.run.only:
            found = {e.label for e in self.evidence}
            self.problems += [f"{self.page.path}: no check of {label} ran" for label in sorted(self.run.only - found)]
            self.evidence = [e for e in self.evidence if e.label in self.run.only or e.error]
            return
        for e in self.evidence:
            if e.kind in SILENT and not e.error:
                self._attempt(e, lambda e=e: self.checker.bite_below(e))
        self._family()
        self._covered()
        if self.problems and not self.run.collect:
            raise CheckFailed("\n".join(self.problems))
        self._write()
        _show(Summary(self), self.run)

    def __getitem__(self, label: str) -> Evidence:
        for e in self.evidence:
            if e.label == label:
                return e
        raise KeyError(label)

    def totals(self) -> dict:
        return totals(self.evidence)

    def ledger(self) -> dict:
        return ledger(self.path, self.page.title, self.page.displays, self.evidence)

    # --- inside ------------------------------------------------------------------------------------
    def _check(self, label, kind, make, given, assuming, near, part, note, first=None, instances=None) -> None:
        if self.run.skips(label):
            return

        def do(e):
            e.note, e.assumes = note, tuple(assuming)
            self.checker.check(e, make, given or {}, near, self.run.judge, first, instances)

        self._guard(label, kind, do, part)

    def _guard(self, label, kind, action, part=0) -> None:
        """Run one call: find the display, catch what goes wrong, show the badge."""
        if label not in self.displays or not label:
            known = ", ".join(k for k in self.displays if k)
            return self._problem(f"{self.page.path}: there is no display {label!r}; the labels are {known}")
        clash = [e for e in self.evidence if e.label == label and (e.part == part or {e.kind, kind} & set(SILENT))]
        opposite = {"proved": "refuted", "argued": "refuted", "sampled": "refuted", "refuted": "proved"}.get(kind)
        clash += [e for e in self.evidence if e.label == label and e.kind == opposite]
        if clash:
            self._problem(f"{self.page.path}: {label} has evidence twice: {clash[0].kind} and {kind}")
        e = Evidence(label, self.displays[label], kind, part=part)
        self.evidence.append(e)
        self._attempt(e, lambda: action(e))
        _show(Badge(e, pending=kind in SILENT and not e.error), self.run)

    def _problem(self, message: str) -> None:
        self.problems.append(message)
        if not self.run.collect:
            raise CheckFailed(message)

    def _attempt(self, e, action) -> None:
        try:
            action()
        except FAILURES as error:
            e.error = str(error) or type(error).__name__
            rests = f" (rests on {', '.join(sorted(e.uses | set(e.assumes)))})" if e.uses or e.assumes else ""
            message = f"{self.page.path}:{e.display.line}: {e.label}: {e.error}{rests}"
            self.problems.append(message)
            if not self.run.collect:
                raise CheckFailed(message) from error

    def _family(self) -> None:
        """Widen the intervals of all measured claims of the page together (Bonferroni)."""
        done = [d for d in self.checker.done if d.evidence.kind == "measured"]
        claims = sum(d.evidence.relations for d in done)
        for d in done if claims > 1 else ():
            self._attempt(d.evidence, lambda d=d: d.check.corrected(d.evidence, d.tree, d.context, claims))

    def _covered(self) -> None:
        """Every display has a label, every label evidence, every relation of a display checked by parts too."""
        where = self.page.path
        for d in self.page.displays:
            parts = {e.part for e in self.evidence if e.label == d.label}
            if not d.label:
                self.problems.append(f"{where}:{d.line}: this display has no label: {d.latex[:50]}")
            elif not parts:
                self.problems.append(f"{where}:{d.line}: {d.label} has no evidence")
            elif parts != {0} and 0 not in parts:
                missing = set(range(1, max(self.checker.relations(d.label), *parts) + 1)) - parts
                if missing:
                    self.problems.append(f"{where}:{d.line}: {d.label}: relation {min(missing)} has no evidence")

    def _write(self) -> None:
        folder = os.environ.get("SPACES_LEDGER_DIR")
        if folder and not self.problems:
            target = Path(folder) / f"{self.path}.ledger.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(self.ledger(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _pins(tight, pins) -> tuple:
    tight = [tight] if isinstance(tight, dict) else (tight or [])
    named = lambda values: {canonical(k): sp.sympify(v) if isinstance(v, int) else v for k, v in values.items()}  # noqa: E731
    return tuple([(named(t), "equal") for t in tight] + [(named(b), tuple(s)) for b, s in pins])


def _is_series(v) -> bool:
    return isinstance(v, (list, tuple)) or getattr(v, "ndim", 0) == 1


def _default(tree) -> str:
    return "identity" if tree.op in ("rel", "chain", "all") and all(r.data == "=" for r in relations(tree)) else "sign"


def _show(badge, run: Run) -> None:
    """Display a badge where there is a notebook; `python -m spaces_core.checks` prints its own lines."""
    display = getattr(builtins, "display", None)
    if display is not None and not run.collect:
        display(badge)
