"""What a statement is tested with: the names in force at its display, points of its setting, exact objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .cursor import NOTHING, Names
from .drawing import Drawing, NoPoint, holds
from .environment import Definition, Env, NotEvaluable
from .evaluate import evaluate_sides
from .numbers import Rejected, show, show_point
from .objects import narrowed, symbols_of
from .reading import canonical
from .settings import Declared, Domain
from .tree import REVERSED, Node, base, latex, num, walk
from .values import MPC, Family, scalars

POINTS = 12
FEW = 6


@dataclass
class Context:
    """One check's surroundings.

    Args:
        label: of the display.
        declared: the declared names it speaks of.
        relations: what settings state of them, with the label of the setting.
        assumptions: displays the check lists, with their labels.
        definitions: in force.
        given: narrower values for the proof, such as `{"n": 3}`; points are drawn without them.
        operators: functions given in code with the display that states their rules.
        seed: of the points.
        tries: how often a point is drawn until one satisfies the settings.
        near: what `≈` allows.
        names: what the grammar knows of the page.
        instances: makes values of names that cannot be drawn, from a seed.
    """

    label: str
    declared: dict[str, Declared]
    relations: list[tuple[str, Node]] = field(default_factory=list)
    assumptions: list[tuple[str, Node]] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    given: dict = field(default_factory=dict)
    operators: dict = field(default_factory=dict)
    seed: int = 0
    near: float = 0.0
    names: Names = NOTHING
    tries: int = 400
    instances: object = None
    used: set = field(default_factory=set)
    _points: list = field(default_factory=list)
    _values: dict | None = None

    def drawing(self) -> Drawing:
        stated = [r for _, r in [*self.relations, *self.assumptions]]
        return Drawing(self.declared, stated, self.definitions)

    def points(self, n: int = POINTS) -> list[dict]:
        """Points of the setting, drawn once."""
        if len(self._points) < n:
            try:
                self._points += [self.point(100 * self.seed + k) for k in range(len(self._points), n)]
            except NoPoint as error:
                raise Rejected(str(error)) from None
        return self._points[:n]

    def point(self, seed: int) -> dict:
        """One point; where the author gives instances, with their values for the names that they give.

        Raises:
            Rejected: a hypothesis on a function that an instance gives does not hold at the point.
        """
        if not self.instances:
            return self.drawing().point(seed, self.tries)
        given = {canonical(k): v for k, v in self.instances(seed).items()}
        functions = {k for k, v in given.items() if callable(v)}
        stated = [*self.relations, *self.assumptions]
        on_them = [(label, r) for label, r in stated if functions & _names_in(r)]
        rest = [r for label, r in stated if (label, r) not in on_them]
        point = Drawing(self.declared, rest, self.definitions, given).point(seed, self.tries)
        for label, r in on_them:
            if not holds(r, Env(point, self.definitions, mode="mp")):
                raise Rejected(f"an instance breaks {label}: {latex(r)} at {show_point(point)}")
        return point

    def values(self) -> dict:
        """The exact objects of the proof: the declared ones, but for those that are given."""
        if self._values is None:
            self._values = {**self._objects(self.given), **self.operators}
        return self._values

    def _objects(self, given: dict) -> dict:
        stated = [r for _, r in [*self.relations, *self.assumptions]]
        return symbols_of(self.declared, given, self.definitions, stated)

    def env(self, more: dict | None = None, mode: str = "sympy") -> Env:
        if more and any(name in self.declared for name in more):
            values = {**self._objects({**self.given, **more}), **self.operators, **more}
        else:
            values = {**self.values(), **(more or {})}
        return Env(values, self.definitions, self.label, self.used, mode=mode)

    def narrowed(self) -> list[str]:
        """What the given values leave out of the declarations, in words."""
        words = narrowed(self.declared, self.given, self._objects({}))
        return words + [f"{name} as given in code" for name in self.operators]

    def canonical(self, values: dict) -> dict:
        """A draw of the author's, under the names of the page."""
        return {canonical(k): v for k, v in values.items()}

    def sizes(self) -> dict:
        """What is given or declared of a fixed size, for cases of the author's own."""
        values = self.values()
        return {
            k: v for k, v in values.items() if isinstance(v, (int, range)) or getattr(v, "is_Integer", False)
        } | self.given

    def spread(self, points: list[dict]) -> str:
        """The range of each number over some points."""
        shown = []
        for name, first in points[0].items():
            if isinstance(first, range) or callable(first) or name not in self.declared:
                continue
            flat = [
                s for p in points for s in (p[name].members.values() if isinstance(first, Family) else scalars(p[name]))
            ]
            if all(not isinstance(s, MPC) for s in flat):
                shown.append(f"{show(min(flat), 3)} ≤ {name} ≤ {show(max(flat), 3)}")
        return ", ".join(shown)

    def equations(self) -> int:
        """How many numbers the stated equations fix at a point of the author's."""
        count = 0
        for _, r in self.relations:
            if r.op == "rel" and r.data == "=":
                point = self.points(1)[0]
                count += len(scalars(evaluate_sides(r, Env(point, self.definitions, mode="mp"))[0]))
        return count

    def outside(self, label: str) -> Iterator[tuple[str, Outside]]:
        """For each hypothesis of a setting or assumption: points that break it, mostly just so, and keep the others."""
        stated = [*self.relations, *self.assumptions]
        for k, (mine, r) in enumerate(stated):
            if mine == label:
                others = [x for j, (_, x) in enumerate(stated) if j != k]
                yield latex(r), Outside(self.declared, others, self.definitions, r)
        for name, d in self.declared.items():
            bounded = d.kind in ("scalar", "family") and d.domain.field == "real" and not d.domain.choices
            if d.label == label and bounded and (d.domain.low is not None or d.domain.high is not None):
                declared = {**self.declared, name: replace(d, domain=_widened(d.domain))}
                yield name, Outside(declared, [x for _, x in stated], self.definitions, _bounds_of(d))

    def changed(self, **what) -> Context:
        """The same with other settings or definitions; points are drawn anew where that matters."""
        moved = what.keys() & {"declared", "relations", "assumptions"}
        if moved or ("definitions" in what and (self.relations or self.assumptions)):
            what = {"_points": [], "_values": None} | what
        elif "definitions" in what:
            what = {"_values": None} | what
        return replace(self, **what)


def _names_in(tree: Node) -> set[str]:
    return {x for n in walk(tree) if n.op == "sym" for x in (latex(n), base(n))}


class Outside:
    """Points at which one hypothesis fails, and the others hold; near its border where it bounds a number."""

    def __init__(self, declared, others, definitions, broken: Node):
        self.definitions, self.broken = definitions, broken
        just = [*others, *_opposite(broken)]
        self.drawings = [Drawing(declared, stated, definitions) for stated in (just, others)]

    def point(self, seed: int) -> dict:
        """Raises NoPoint where the other hypotheses leave no room."""
        for drawing in self.drawings:
            for k in range(12):
                try:
                    point = drawing.point(seed + 1000 * k, tries=4)
                    if not holds(self.broken, Env(point, self.definitions, mode="mp")):
                        return point
                except (NoPoint, NotEvaluable):
                    continue
        raise NoPoint("no point breaks this hypothesis alone")


def _opposite(relation: Node) -> list[Node]:
    """Relations that hold just beyond the border of one."""
    if relation.op == "chain":
        return []
    r = relation
    a, b = r.args
    step = num("0.3")
    if r.data == "=":
        return [Node("rel", (a, Node("add", (b, num("0.1")))), "=")]
    if r.data == "!=":
        return [Node("rel", (a, b), "=")]
    beyond = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[r.data]
    far = Node("add", (b, step)) if r.data in ("<", "<=") else Node("add", (b, Node("neg", (step,))))
    return [Node("rel", (a, b), beyond), Node("rel", (a, far), REVERSED[beyond])]


def _widened(domain: Domain) -> Domain:
    step = num("0.3")
    low = None if domain.low is None else Node("add", (domain.low, Node("neg", (step,))))
    high = None if domain.high is None else Node("add", (domain.high, step))
    return replace(domain, low=low, high=high)


def _bounds_of(d: Declared) -> Node:
    """The bounds of a declared number as a relation."""
    name = Node("sym", tuple(Node("sym", (), (i, 0)) for i in d.over), (d.name, len(d.over)))
    rels = []
    if d.domain.low is not None:
        rels.append(Node("rel", (d.domain.low, name), "<" if d.domain.open_low else "<="))
    if d.domain.high is not None:
        rels.append(Node("rel", (name, d.domain.high), "<" if d.domain.open_high else "<="))
    return rels[0] if len(rels) == 1 else Node("chain", tuple(rels))
