"""One line of evidence for a display, and the ledger they make."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .page import Display
from .uncertain import Estimate

KINDS = (
    "setting",
    "definition",
    "assumption",
    "proved",
    "argued",
    "sampled",
    "measured",
    "demonstration",
    "refuted",
    "trap",
)
SILENT = ("setting", "definition", "assumption")


@dataclass
class Evidence:
    """How one display is known.

    `scope` is `general`, or `instance` with what was narrowed in `narrowed`; the engine writes both.
    """

    label: str
    display: Display
    kind: str
    method: str = ""
    scope: str = ""
    narrowed: list = field(default_factory=list)
    note: str = ""
    part: int = 0
    read: str = ""
    relations: int = 1
    uses: set = field(default_factory=set)
    assumes: tuple = ()
    rests: tuple = ()
    made: int = 0
    caught: int = 0
    unreadable: int = 0
    equivalent: int = 0
    examples: list = field(default_factory=list)
    idle: list = field(default_factory=list)
    detail: dict = field(default_factory=dict)
    quotation: dict = field(default_factory=dict)
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

    def counted(self, count) -> None:
        self.made, self.caught, self.equivalent = count.made, count.caught, count.equivalent
        self.unreadable, self.examples = count.unreadable, count.examples

    def where(self) -> str:
        """The scope for a reader: what was narrowed, or where it was looked for."""
        if self.scope == "instance":
            return "instance: " + ", ".join(self.narrowed)
        return self.scope

    def row(self, used_by: list[str]) -> dict:
        return {
            "label": self.label,
            "part": self.part,
            "line": self.display.line,
            "latex": self.display.latex,
            "read": self.read,
            "kind": self.kind,
            "method": self.method,
            "scope": self.scope,
            "narrowed": self.narrowed,
            "note": self.note,
            "relations": self.relations,
            "uses": sorted(self.uses),
            "used_by": used_by,
            "assumes": sorted(self.assumes),
            "rests": list(self.rests),
            "fails": self.fails,
            "idle": self.idle,
            "typos": {
                "made": self.made,
                "caught": self.caught,
                "unreadable": self.unreadable,
                "equivalent": self.equivalent,
                "examples": self.examples,
            },
            "detail": self.detail,
            "quotation": self.quotation,
        }


def totals(evidence: list[Evidence]) -> dict:
    """How many statements there are of each kind; of the proved ones, how many general and how many instances."""
    good = [e for e in evidence if not e.error]
    counts = Counter(e.kind for e in good)
    scopes = Counter(e.scope for e in good if e.kind == "proved")
    return {k: counts[k] for k in KINDS} | {"general": scopes["general"], "instance": scopes["instance"]}


def ledger(path: str, title: str, displays, evidence: list[Evidence]) -> dict:
    """What the replay of a chapter found, as data."""
    used_by: dict[str, list] = {}
    for e in evidence:
        for label in sorted(e.uses | set(e.assumes) | set(e.rests)):
            if e.label not in used_by.setdefault(label, []):
                used_by[label].append(e.label)
    order = {d.label: k for k, d in enumerate(displays)}
    rows = sorted(evidence, key=lambda e: (order[e.label], e.part))
    return {
        "chapter": path,
        "title": title,
        "totals": totals(evidence),
        "statements": [e.row(used_by.get(e.label, [])) for e in rows],
    }
