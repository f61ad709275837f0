"""Teeth: after a check passes, what is printed is misprinted, and the same check must notice."""

from __future__ import annotations

from .context import FEW, Context
from .drawing import NoPoint
from .evaluate import evaluate_sides
from .exact import close, exact_pairs
from .grammar import Parser
from .kinds import FAILURES, Check, Refuted
from .misprints import misprints
from .numbers import Fails, Rejected, examine, relations, sides
from .reading import accounted
from .settings import parse_setting, read_setting
from .tokens import GrammarError, join
from .tree import Node, latex

EXAMPLES = 8


class Count:
    """How the misprints of one display ended."""

    def __init__(self):
        self.made = self.caught = self.unreadable = self.equivalent = 0
        self.examples: list[dict] = []
        self.survivors: list[tuple[str, str]] = []

    def seen(self, what: str, toks: list[str], how, unreadable: bool = False) -> None:
        self.made += 1
        self.caught += 1
        self.unreadable += unreadable
        kind = what.rsplit(" ", 1)[-1] if what.endswith(("deleted", "doubled")) else "replaced"
        if not unreadable and len(self.examples) < EXAMPLES and sum(e["kind"] == kind for e in self.examples) < 3:
            self.examples.append({"latex": join(toks), "kind": what, "how": str(how).split("\n")[0][:160]})

    def judge(self, advice: str) -> None:
        if self.survivors:
            shown = "; ".join(f"[{what}] {text}" for what, text in self.survivors[:4])
            raise Rejected(f"{len(self.survivors)} of {self.made} misprints pass: {shown}. {advice}")
        if not self.caught - self.unreadable:
            raise Rejected("this check has no teeth: it catches no misprint")


def read(toks: list[str], names, part: int) -> Node:
    tree = Parser(toks, names).display()
    if part:
        rels = relations(tree)
        if part > len(rels):
            raise GrammarError("there is no such part")
        return rels[part - 1]
    return tree


def bite(check: Check, text: str, tree: Node, context: Context, names, letters, part: int = 0) -> Count:
    """Misprint a statement, and test each misprint as the statement was tested."""
    count = Count()
    for what, toks in misprints(text, letters):
        try:
            typo = read(toks, names, part)
        except GrammarError as error:
            count.seen(what, toks, error, unreadable=True)
            continue
        if typo == tree:
            count.made += 1
            count.equivalent += 1
            continue
        try:
            if any(latex(r.args[0]) == latex(r.args[1]) for r in relations(typo)):
                raise Rejected("both sides are the same formula")
            check.quick(typo, context)
        except FAILURES as how:
            count.seen(what, toks, how)
            continue
        try:
            accounted(toks, Parser(toks, names).display())
            same = check.same(tree, typo, context)
            if not same and not isinstance(check, Refuted):
                check.test(typo, context)
        except FAILURES as how:
            count.seen(what, toks, how)
            continue
        count.made += 1
        if same:
            count.equivalent += 1
        else:
            count.survivors.append((what, join(toks)))
    return count


# --- definitions ----------------------------------------------------------------------------------
def bite_definition(text: str, names, letters, read_definition, dependents) -> Count:
    """Misprint a definition: one of the checks that use it must fail.

    Args:
        text: the LaTeX of the definition.
        read_definition: makes definitions from tokens, or raises.
        dependents: `(check, tree, context, label)` of the statements that use it; `context(definitions)` replaces it.
    """
    count = Count()
    for what, toks in misprints(text, letters):
        try:
            new = read_definition(toks)
        except FAILURES as error:
            count.seen(what, toks, error, unreadable=True)
            continue
        how = _noticed(new, dependents)
        if how:
            count.seen(what, toks, how)
        elif new is None or _same_definition(new, dependents):
            count.made += 1
            count.equivalent += 1
        else:
            count.made += 1
            count.survivors.append((what, join(toks)))
    return count


def _noticed(new, dependents) -> str:
    for run in ("quick", "test"):
        for check, tree, context, label, replaced in dependents:
            try:
                getattr(check, run)(tree, replaced(context, new))
            except FAILURES as error:
                return f"{label} {error}"
        if run == "quick" and new is not None and _same_definition(new, dependents):
            return ""
    return ""


def _same_definition(new, dependents) -> bool:
    """Whether a misprinted definition gives every statement that uses it the same sides."""
    for check, tree, context, _, replaced in dependents:
        try:
            if not _same_sides(tree, context, replaced(context, new), check):
                return False
        except FAILURES:
            return False
    return True


def _same_sides(tree, before: Context, after: Context, check) -> bool:
    for point in check.places(before):
        for side in sides(tree):
            rel = Node("rel", (side, side), "=")
            a, _ = evaluate_sides(rel, check.at(point, before))
            b, _ = evaluate_sides(rel, check.at(point, after))
            if not all(close(x, y, 1e-12) for x, y in exact_pairs(a, b)):
                return False
    return True


# --- settings -------------------------------------------------------------------------------------
def bite_setting(text: str, label: str, known, names, letters, dependents) -> tuple[Count, list[str]]:
    """Misprint a setting: a statement that stands on it fails, or ceases to need it; some misprints nobody notices.

    Returns:
        the count, and the relations and bounds that no statement needs.
    """
    count = Count()
    original = parse_setting(text, label, known, names)
    needed = {k: sharp(dep, label) for k, dep in enumerate(dependents)}
    for what, toks in misprints(text, letters):
        try:
            new = read_setting(toks, label, known, names)
        except GrammarError as error:
            count.seen(what, toks, error, unreadable=True)
            continue
        how = _setting_noticed(new, original, dependents, needed)
        if how:
            count.seen(what, toks, how)
        else:
            count.made += 1
            count.equivalent += (new.declared, new.relations) == (original.declared, original.relations)
    idle = [h for h in hypotheses(original) if not any(h in found for found in needed.values())]
    return count, idle


def _setting_noticed(new, original, dependents, needed) -> str:
    for k, (check, tree, context, label) in enumerate(dependents):
        try:
            changed = with_setting(context, new, original)
            if changed is None:
                return f"{label} speaks of a name that is not declared"
            examine(tree, changed.points(FEW // 2), changed.definitions, changed.near)
            lost = [h for h in needed[k] if h not in sharp((check, tree, changed, label), new.label)]
            if lost and len(hypotheses(new)) >= len(hypotheses(original)):
                return f"{label} fails just outside {lost[0]}, and not just outside what is printed here"
        except (*FAILURES, NoPoint) as error:
            return f"{label} {error}"
    return ""


def with_setting(context: Context, new, original) -> Context | None:
    """The context under another reading of one setting; None if a name it needs is gone."""
    ours = {d.name for d in original.declared}
    declared = {n: d for n, d in context.declared.items() if n not in ours}
    for d in new.declared:
        if d.name in context.declared:
            declared[d.name] = d
    if set(context.declared) - set(declared):
        return None
    for d in new.declared:
        needed = {n for x in declared.values() for n in x.over}
        if d.name in needed:
            declared.setdefault(d.name, d)
    others = [(at, r) for at, r in context.relations if at != new.label]
    return context.changed(declared=declared, relations=others + [(new.label, r) for r in new.relations], tries=60)


def hypotheses(setting) -> list[str]:
    """What a setting demands that a statement might do without: its relations and bounds."""
    found = [latex(r) for r in setting.relations]
    for d in setting.declared:
        if d.kind in ("scalar", "family") and d.domain.field == "real" and (d.domain.low or d.domain.high):
            found.append(d.name)
    return found


def sharp(dependent, label: str) -> list[str]:
    """The hypotheses of a setting just outside which a statement fails."""
    check, tree, context, _ = dependent
    if context.operators or check.kind in ("measured", "demonstration", "refuted", "trap"):
        return []
    found = []
    for name, outside in context.outside(label):
        try:
            for k in range(FEW):
                examine(tree, [outside.point(7000 + k)], context.definitions, context.near)
        except Fails:
            found.append(name)
        except (*FAILURES, NoPoint):
            continue
    return found
