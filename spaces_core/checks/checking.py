"""From the text of a display to what is known of it: reading, settings, tests, teeth."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from .context import Context
from .cursor import Names
from .environment import Definition
from .grammar import Parser
from .kinds import Check
from .ledger import Evidence
from .numbers import Rejected, relations
from .objects import symbols_of
from .page import Display
from .poles import poles
from .reading import canonical, leading_name, parse
from .scope import Defined, Scope, callables, used, with_sizes
from .settings import CONSTANTS, parse_setting
from .teeth import bite, bite_definition, bite_setting, sharp
from .tree import FUNCTIONS, Node, base, latex, walk


@dataclass
class Done:
    """A check that passed, with what it takes to run it again."""

    evidence: Evidence
    check: Check
    tree: Node
    context: Context
    origins: set[str]

    def replaced(self, context: Context, new: list[Definition] | None) -> Context:
        """The context with other definitions in place of those of one display."""
        if not new:
            return context
        label = new[0].label
        return context.changed(definitions=[*(d for d in context.definitions if d.label != label), *new])


class Checker:
    """The statements of one page, read and tested.

    Args:
        displays: by label.
        seed: of points and cases.
    """

    def __init__(self, displays: dict[str, Display], seed: int):
        self.displays, self.seed = displays, seed
        self.scope = Scope()
        self.assumptions: dict[str, str] = {}
        self.done: list[Done] = []

    # --- settings, definitions, assumptions --------------------------------------------------------
    def setting(self, e: Evidence) -> None:
        declared, definitions, _ = self.scope.at(e.display.section, around=True)
        setting = parse_setting(e.display.latex, e.label, declared, self.scope.names())
        for d in setting.declared:
            if d.name in CONSTANTS:
                raise Rejected(f"{d.name} is a constant: give the quantity another letter")
        self._new(e, {d.name for d in setting.declared})
        self.scope.settings[e.label] = (setting, e.display.section)
        e.read, e.relations = ", ".join(setting.read), len(setting.read)
        e.method, e.scope = "setting", "declared"
        declared, definitions, origin = self.scope.at(e.display.section)
        stated = [r for r in setting.relations if not self._unready(r, declared, definitions)]
        names = {d.name for d in setting.declared}
        for r in stated:
            names |= used(r, declared, definitions, set())[0]
        mine = {n: declared[n] for n in self._closed(names, declared)}
        context = Context(e.label, mine, [(e.label, r) for r in stated], [], definitions, seed=self.seed)
        context.points(2)

    def _unready(self, relation, declared, definitions) -> bool:
        return bool(used(relation, declared, definitions, set(self.scope.operators))[2])

    def define(self, e: Evidence, params: tuple[str, ...] = ()) -> None:
        declared, _, _ = self.scope.at(e.display.section)
        given = tuple(canonical(p) for p in params)
        indices = {n for n, d in declared.items() if d.kind == "index"} | set(given)
        parts = self._definitions(e.label, e.display.latex, indices)
        self._new(e, {latex(d.head) for d in parts})
        for d in parts:
            if latex(d.head) in CONSTANTS:
                raise Rejected(f"{latex(d.head)} is a constant: give the quantity another letter")
            if latex(d.head) in {n.data and latex(n) for n in walk(d.right) if n.op == "sym"} - set(d.params):
                raise Rejected(f"{latex(d.head)} is defined by itself")
        self.scope.defined[e.label] = Defined(e.label, e.display.section, parts)
        e.read = ", ".join(f"{latex(d.left)} = {latex(d.right)}" for d in parts)
        e.method, e.scope, e.relations = "definition", "used below", len(parts)

    def _definitions(self, label: str, text: str, indices: set[str], toks: list[str] | None = None) -> list[Definition]:
        head = _function_head(text)
        names = self.scope.names(functions=[head] if head else [])
        if toks is None:
            tree = parse(text, names)
        else:
            tree = Parser(toks, names).display()
        found = []
        for rel in tree.args if tree.op == "all" else (tree,):
            if rel.op != "rel" or rel.data != "=":
                raise Rejected("a definition is one equation: left side = right side")
            left = rel.args[0]
            if left.op not in ("sym", "call"):
                raise Rejected("a definition has one symbol, an indexed name or f(x) on its left side")
            if left.op == "call" and any(a.op != "sym" for a in left.args[1:]):
                raise Rejected("a defined function takes plain names on the left side: f(x), not f(0) or f(x + 1)")
            args = tuple(latex(a) for a in left.args[1:]) if left.op == "call" else ()
            inside = tuple(latex(n) for n in walk(left) if n.op == "sym" and latex(n) in indices)
            found.append(Definition(label, left, rel.args[1], tuple(dict.fromkeys((*args, *inside)))))
        return found

    def _new(self, e: Evidence, names: set[str]) -> None:
        """Names that another display of the same section declares or defines are not declared again."""
        for label, (setting, section) in self.scope.settings.items():
            twice = names & {d.name for d in setting.declared}
            if twice and section == e.display.section:
                raise Rejected(f"{sorted(twice)[0]} is declared by {label} already")
        for label, x in self.scope.defined.items():
            twice = names & {latex(d.head) for d in x.parts}
            if twice and x.section == e.display.section:
                raise Rejected(f"{sorted(twice)[0]} is defined by {label} already")

    def assume(self, e: Evidence, fails: str) -> None:
        if not fails.strip():
            raise Rejected("an assumption says where it fails")
        tree = parse(e.display.latex, self.scope.names())
        e.fails, e.method, e.scope, e.read = fails, "assumption", "stated", latex(tree)
        e.relations = len(relations(tree))
        self.assumptions[e.label] = fails

    # --- a check -----------------------------------------------------------------------------------
    def check(self, e: Evidence, make, given: dict, near, judge=None, first=None, instances=None) -> None:
        given = {canonical(k): sp.Integer(v) if isinstance(v, int) else v for k, v in given.items()}
        names = self.scope.names((*given, *(first or ())), callables({**given, **(first or {})}))
        tree = self._tree(e, names)
        context, origins = self._context(e, tree, given, near, first)
        context.names, context.instances = names, instances
        _says_something(tree)
        check = make(e, tree)
        e.read, e.relations, e.method = latex(tree), len(relations(tree)), check.method
        if judge is not None:
            judge(e, check, tree, context)
            return
        try:
            e.detail |= check.test(tree, context)
            if check.everywhere:
                poles(tree, context)
        finally:
            e.uses = {u for u in context.used | origins if u != e.label}
            self._write_scope(e, check, context)
        letters = tuple(sorted({base(n) for n in walk(tree) if n.op == "sym" and len(base(n)) == 1}))
        count = bite(check, e.display.latex, tree, context, names, letters, e.part)
        e.counted(count)
        count.judge("give a point: tight= where the sides are equal, or pins= with their values")
        done = Done(e, check, tree, context, origins)
        self._needed(e, done)
        self.done.append(done)

    def _tree(self, e: Evidence, names: Names) -> Node:
        tree = parse(e.display.latex, names)
        if not e.part:
            return tree
        if any(n.op in ("implies", "iff") for n in walk(tree)):
            raise Rejected("an implication is checked whole, not by parts")
        rels = relations(tree)
        if not 1 <= e.part <= len(rels):
            raise Rejected(f"the display has {len(rels)} relations, there is no part {e.part}")
        return rels[e.part - 1]

    def _context(self, e: Evidence, tree: Node, given: dict, near, first) -> tuple[Context, set[str]]:
        declared, definitions, origin = self.scope.at(e.display.section)
        known = set(self.scope.operators) | (set(first) if e.kind in ("measured", "demonstration") and first else set())
        stated = []
        for label in e.assumes:
            if label not in self.assumptions:
                raise Rejected(f"{label} is no assumption of this page")
            stated.append((label, parse(self.displays[label].latex, self.scope.names())))
        names, missing = set(), set()
        for t in (tree, *(a for _, a in stated)):
            found, _, lost = used(t, declared, definitions, known)
            names |= found
            missing |= lost
        for name in missing & origin.twice.keys():
            where = origin.twice[name]
            raise Rejected(f"{name} has two meanings here, by {where}: say in this section which is meant")
        if missing:
            raise Rejected(_advice(sorted(missing), given, first))
        rels, names = self.scope.relations(e.display.section, origin, names)
        for _, r in rels:
            names |= used(r, declared, definitions, known)[0]
        names = self._closed(names, declared)
        for name in given:
            if name not in declared:
                whose = origin.get(name)
                why = f"is defined by {whose}: the page's meaning is used" if whose else "is not declared by a setting"
                raise Rejected(f"{name} {why}, so it cannot be given")
            if e.kind in ("refuted", "trap") and declared[name].kind == "index":
                raise Rejected(f"the range of {name} is the page's: a counterexample does not change it")
        mine = {n: declared[n] for n in declared if n in names}
        operators = {n: f for n, (f, _) in self.scope.operators.items() if _occurs(n, tree, definitions)}
        context = Context(
            e.label,
            mine,
            [(label, r) for label, r in rels],
            [(label, r) for label, a in stated for r in relations(a)],
            definitions,
            {k: v for k, v in given.items() if k in mine},
            operators,
            self.seed,
            near,
        )
        rules = {rule for n, (_, rule) in self.scope.operators.items() if n in operators}
        return context, {origin[n] for n in mine} | {label for label, _ in rels} | rules

    def _closed(self, names: set[str], declared: dict) -> set[str]:
        names = {n for n in names if n in declared}
        for n in list(names):
            names |= set(declared[n].over)
        return {n for n in with_sizes(names, declared) if n in declared}

    @staticmethod
    def _write_scope(e: Evidence, check: Check, context: Context) -> None:
        if e.kind == "proved":
            e.narrowed = [*context.narrowed(), *check.proof.narrowed()]
            e.scope = "instance" if e.narrowed else "general"
            if check.proof.by == "order":
                variable, point = check.proof.order
                e.detail["as"] = f"{variable} → {point}"
        elif e.kind in ("measured", "demonstration"):
            e.scope = check.scope
        elif e.kind in ("refuted", "trap"):
            e.scope = "at the counterexample"
            e.narrowed = [f"{k} = {v}" for k, v in context.given.items() if not callable(v)][:8]
        elif e.kind == "argued":
            e.scope = f"{check.cases} points tried"
        elif e.kind == "sampled":
            e.scope = f"{check.n} cases" + (f", {e.detail['domain']}" if e.detail.get("domain") else "")

    def _needed(self, e: Evidence, done: Done) -> None:
        """Each listed assumption has teeth: without it there is a counterexample."""
        for label in e.assumes:
            if not sharp((done.check, done.tree, done.context, e.label), label):
                if done.context.operators or done.check.kind == "sampled" and done.check.draw is not None:
                    continue
                raise Rejected(f"{label} is not needed here: no counterexample was found without it")

    # --- what stands below -------------------------------------------------------------------------
    def bite_below(self, e: Evidence) -> None:
        """A setting, definition or assumption is held by the checks that use it."""
        dependents = [d for d in self.done if e.label in d.evidence.uses | set(d.evidence.assumes)]
        if not dependents:
            raise Rejected(f"no check uses this {e.kind}")
        e.scope = f"used by {len(dependents)} check{'s' if len(dependents) > 1 else ''}"
        rows = [(d.check, d.tree, d.context, d.evidence.label) for d in _quickest(dependents)]
        if e.kind == "setting":
            known = {n: d for n, d in self.scope.at(e.display.section, around=True)[0].items() if d.label != e.label}
            count, e.idle = bite_setting(e.display.latex, e.label, known, self.scope.names(), (), rows)
            e.counted(count)
        elif e.kind == "definition":
            declared = self.scope.at(e.display.section)[0]
            indices = {n for n, d in declared.items() if d.kind == "index"}
            indices |= {p for d in self.scope.defined[e.label].parts for p in d.params}
            reader = lambda toks: self._definitions(e.label, e.display.latex, indices, toks)  # noqa: E731
            full = [(*r, d.replaced) for r, d in zip(rows, _quickest(dependents), strict=True)]
            count = bite_definition(e.display.latex, self.scope.names(), (), reader, full)
            e.counted(count)
            count.judge(f"no check that uses it ({', '.join(d.evidence.label for d in dependents[:4])}) fails")

    # --- small things --------------------------------------------------------------------------------
    def relations(self, label: str) -> int:
        return len(relations(parse(self.displays[label].latex, self.scope.names())))

    def symbol(self, name: str):
        """The object of SymPy for a declared name."""
        for setting, _ in self.scope.settings.values():
            for d in setting.declared:
                if d.name == name:
                    every = {o.name: o for s, _ in self.scope.settings.values() for o in s.declared}
                    return symbols_of(every | {name: d}, {}, [])[name]
        raise Rejected(f"{name} is not declared by a setting of this page")

    def keys(self, e: Evidence, box: dict | None) -> dict:
        return {(self.symbol(canonical(k)) if isinstance(k, str) else k): v for k, v in (box or {}).items()}

    @staticmethod
    def first(draw, size: int) -> dict:
        import numpy as np

        return {canonical(k): v for k, v in draw(np.random.default_rng(0).standard_normal(size)).items()}


def _quickest(dependents: list[Done]) -> list[Done]:
    slow = {"argued": 1, "measured": 2, "demonstration": 2, "sampled": 3}
    return sorted(dependents, key=lambda d: slow.get(d.check.kind, 0))[:12]


def _says_something(tree: Node) -> None:
    for r in relations(tree):
        if latex(r.args[0]) == latex(r.args[1]):
            raise Rejected(f"both sides are {latex(r.args[0])}: that says nothing")


def _occurs(name: str, tree: Node, definitions: list[Definition], seen: frozenset = frozenset()) -> bool:
    for n in walk(tree):
        if n.op == "sym":
            if latex(n) == name or base(n) == name:
                return True
            for d in definitions:
                if d.label not in seen and (d.match(n) is not None or latex(d.head) in (latex(n), base(n))):
                    if _occurs(name, d.right, definitions, seen | {d.label}):
                        return True
    return False


def _advice(missing: list[str], given: dict, first) -> str:
    """What to write for names that nobody declares."""
    shown = []
    for name in missing[:4]:
        value = {**(first or {}), **given}.get(name)
        facts = [
            text
            for fact, text in (("integer", r"\in \mathbb N"), ("positive", "> 0"), ("nonnegative", r"\ge 0"))
            if getattr(value, f"is_{fact}", False)
        ]
        shown.append(f"{name} {facts[0] if facts else chr(92) + 'in ' + chr(92) + 'mathbb R'}")
    listed = ", ".join(missing)
    example = ", ".join(shown)
    return (
        f"{listed}: not declared. Say in a labelled display what it is, such as ${example}$, and ch.setting(its label)"
    )


def _function_head(text: str) -> str:
    r"""The function that a display defines: `\psi(x) = …` gives `\psi`."""
    node, following = leading_name(text)
    if node is None:
        return ""
    name = latex(node)
    inner = name[name.index("{") + 1 : -1] if "{" in name else ""
    return name if following in ("(", "[") and inner not in FUNCTIONS else ""
