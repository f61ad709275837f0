"""What holds where on a page: settings, definitions and assumptions, each in its own section first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .cursor import Names
from .environment import Definition
from .settings import CONSTANTS, WHOLE, Declared, Setting
from .tokens import strip, tokens
from .tree import Node, base, latex, walk
from .values import is_function


@dataclass
class Defined:
    """The equations of one display that define their left sides."""

    label: str
    section: tuple[int, ...]
    parts: list[Definition]


@dataclass
class Scope:
    """The names of a page, as they are in force at one of its displays.

    A name means what its own section says of it; where that says nothing, what the section around it says; where none
    does, what the only other place of the page says.
    """

    settings: dict[str, tuple[Setting, tuple[int, ...]]] = field(default_factory=dict)
    defined: dict[str, Defined] = field(default_factory=dict)
    operators: dict[str, tuple[object, str]] = field(default_factory=dict)

    def names(self, more: Iterable[str] = (), functions: Iterable[str] = ()) -> Names:
        """What the grammar must know: nothing here depends on the display."""
        calls = {latex(d.head) for x in self.defined.values() for d in x.parts if d.left.op == "call"}
        plain = {
            latex(d.left) for x in self.defined.values() for d in x.parts if d.left.op == "sym" and not d.left.args
        }
        declared = [d for s, _ in self.settings.values() for d in s.declared]
        calls |= {d.name for d in declared if d.kind == "function"} | set(self.operators) | set(functions)
        bound = {d.name for d in declared} | set(more) | plain
        atoms = sorted((tuple(strip(tokens(d.name))), d.name) for d in declared if _whole_formula(d.name))
        return Names(frozenset(calls), frozenset(bound), tuple(atoms), frozenset(plain - calls))

    def at(self, here: tuple[int, ...], around: bool = False) -> tuple[dict[str, Declared], list[Definition], Origins]:
        """Declarations and definitions in force in a section, and where each name comes from.

        Args:
            here: the section of a display.
            around: only what its own section and those around it say.
        """
        found: dict[str, list[tuple[int, str, object]]] = {}
        for label, (setting, section) in self.settings.items():
            for d in setting.declared:
                found.setdefault(d.name, []).append((_nearness(section, here), label, d))
        for label, x in self.defined.items():
            for d in x.parts:
                found.setdefault(latex(d.head), []).append((_nearness(x.section, here), label, d))
        declared, definitions, origin, twice = {}, [], {}, {}
        for name, options in found.items():
            best = max(o[0] for o in options)
            if around and not best:
                continue
            chosen = [o for o in options if o[0] == best]
            if len({_meaning(o[2]) for o in chosen}) > 1:
                twice[name] = " and ".join(sorted({o[1] for o in chosen}))
                continue
            _, label, what = chosen[0]
            origin[name] = label
            if isinstance(what, Declared):
                declared[name] = what
            else:
                definitions.append(what)
        return declared, definitions, Origins(origin, twice)

    def relations(
        self, here: tuple[int, ...], origin: dict[str, str], names: set[str]
    ) -> tuple[list[tuple[str, Node]], set[str]]:
        """The relations in force that speak of these names, with their labels; and all names they speak of.

        A relation is in force where each of its names means what it means in the relation's own section.
        """
        found: list[tuple[str, Node]] = []
        names = set(names)
        around = {label for label, (_, section) in self.settings.items() if _nearness(section, here)}
        there = {section: self.at(section)[2] for _, section in self.settings.values()}
        rest = [
            (label, r)
            for label, (s, section) in self.settings.items()
            for r in s.relations
            if all(there[section].get(n) == origin[n] for n in names_of(r) & set(origin))
        ]
        grown = True
        while grown:
            grown = False
            for label, r in list(rest):
                mine = names_of(r) & set(origin)
                if mine & names and (label in around or any(origin[n] == label for n in mine)):
                    found.append((label, r))
                    rest.remove((label, r))
                    grown = grown or not mine <= names
                    names |= mine
        return found, names


class Origins(dict):
    """The label that each name comes from; `twice` holds names with two meanings and the labels of both."""

    def __init__(self, known: dict, twice: dict):
        super().__init__(known)
        self.twice = twice


def _meaning(what) -> tuple:
    """What is said of a name, without the label where it stands."""
    if isinstance(what, Declared):
        return (what.kind, what.domain, what.over, what.takes)
    return (what.left, what.right, what.params)


def _nearness(section: tuple[int, ...], here: tuple[int, ...]) -> int:
    """How close a section stands: 1 more than its depth if it is the same or stands around; 0 elsewhere."""
    return len(section) + 1 if here[: len(section)] == section else 0


def names_of(tree: Node) -> set[str]:
    """The names in a tree, with and without their indices."""
    found = set()
    for n in walk(tree):
        if n.op == "sym":
            found |= {latex(n), base(n)}
        elif n.op in ("sum", "prod", "bigmax", "bigmin"):
            found |= set(n.data[0])
        elif n.op == "atom":
            found.add(n.data)
    return found


def running(tree: Node) -> set[str]:
    """Names that a sum, an integral or a limit runs over, which need no declaration."""
    found = set()
    for n in walk(tree):
        if n.op in ("sum", "prod", "bigmax", "bigmin") and n.data[1] == "bounds":
            found |= set(n.data[0])
        elif n.op in ("int", "lim"):
            found.add(latex(n.args[0]))
    return found


def used(
    tree: Node, declared: dict, definitions: list[Definition], known: set[str]
) -> tuple[set[str], set[str], set[str]]:
    """What a statement speaks of, itself and through definitions.

    Returns:
        names that are declared, labels of definitions, and names that nobody declares.
    """
    names, labels, missing = set(), set(), set()
    todo, seen = [(tree, frozenset())], set()
    while todo:
        here, params = todo.pop()
        local = running(here) | params
        for n in walk(here):
            if n.op in ("sum", "prod", "bigmax", "bigmin") and n.data[1] != "bounds":
                for name in n.data[0]:
                    (names if name in declared else missing).add(name)
            if n.op == "atom":
                names.add(n.data)
            if n.op != "sym":
                continue
            name, stem = latex(n), base(n)
            hit = False
            for d in definitions:
                if d.left.op == "sym" and d.match(n) is not None or latex(d.head) in (name, stem.rstrip("'"), stem):
                    hit = True
                    labels.add(d.label)
                    if (d.label, d.head) not in seen:
                        seen.add((d.label, d.head))
                        todo.append((d.right, frozenset(d.params)))
            if (
                hit
                or name in local
                or (name in CONSTANTS | {"I"} and name not in declared)
                or name in known
                or stem in known
            ):
                continue
            plain = next((x for x in (name, stem, stem.rstrip("'")) if x in declared), None)
            if plain is None:
                missing.add(name)
            else:
                names.add(plain)
                names |= set(declared[plain].over)
    return with_sizes(names, declared), labels, missing


def with_sizes(names: set[str], declared: dict[str, Declared]) -> set[str]:
    """Also the sizes and bounds that the declarations of these names speak of."""
    todo, out = list(names), set(names)
    while todo:
        d = declared.get(todo.pop())
        if d is None:
            continue
        for tree in (d.domain.low, d.domain.high, *d.domain.choices, *d.domain.shape):
            for n in names_of(tree) & set(declared) if tree is not None else ():
                if n not in out:
                    out.add(n)
                    todo.append(n)
    return out


def _whole_formula(name: str) -> bool:
    return name.startswith(tuple(WHOLE))


def callables(values: dict) -> set[str]:
    return {k for k, v in values.items() if is_function(v)}
