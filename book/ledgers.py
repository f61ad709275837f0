"""What the recordings say: ledgers, runs, the order of the chapters. Everything else of the book stands on this."""

import json
import re

from spaces_core.lab.record import CHAPTERS, RECORDED, chapter_names

KINDS = {
    "setting": "declares symbols and what is assumed of them; all checks below draw their numbers and objects from it",
    "definition": "introduces notation; later checks evaluate its right-hand side",
    "assumption": "is stated, and the checks that rely on it say so",
    "proved": "follows by a symbolic identity or a decision procedure, in general or at the stated size",
    "argued": "is proved by hand in the text, from the displays it names; the search for a counterexample found none",
    "sampled": "survived random and adversarial search for a counterexample",
    "measured": "is an experiment on data, over several seeds, with its interval",
    "demonstration": "shows numbers that the chapter computed with seeds its author chose",
    "refuted": "is false as published: a machine-checked counterexample stands beside the corrected statement",
    "trap": "is a tempting statement that nobody need have made, and false: here is its counterexample",
}


def reading_order() -> list[str]:
    """The chapters that exist, in the order of the index; one that is not in its list yet follows those of its part."""
    index = (CHAPTERS / "index.md").read_text()
    listed = re.findall(r"\(([\w-]+/[\w-]+)\.md\)", index.partition("% contents\n")[2] or index)
    parts = list(dict.fromkeys(name.split("/")[0] for name in listed))

    def place(name: str) -> tuple:
        part = name.split("/")[0]
        return (
            parts.index(part) if part in parts else len(parts),
            part,
            listed.index(name) if name in listed else len(listed),
            name,
        )

    return sorted(chapter_names(), key=place)


def ledgers() -> dict[str, dict]:
    """The ledger of each chapter that has one."""
    found = {name: ledger(name) for name in reading_order()}
    return {name: content for name, content in found.items() if content is not None}


def ledger(name: str) -> dict | None:
    """The ledger of a chapter, None where there is none."""
    return _read(name, ".ledger.json")


def run(name: str) -> dict | None:
    """When, how long and on what a chapter was recorded."""
    return _read(name, ".run.json")


def gpu_run(name: str) -> dict | None:
    """What a chapter printed at scale on a GPU, if such a run was recorded."""
    return _read(name, ".gpu.json")


def _read(name: str, kind: str) -> dict | None:
    path = RECORDED / (name + kind)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def general(s: dict) -> bool:
    """Whether a proved statement is proved for all that it speaks of, and not for an instance."""
    return s.get("scope") == "general"


def kinds(found: dict[str, dict]) -> list[str]:
    """The kinds of evidence that occur in some ledgers."""
    present = {s["kind"] for ledger in found.values() for s in ledger["statements"]}
    return [k for k in KINDS if k in present]


def counts(ledger: dict) -> dict[str, int]:
    """How many statements of each kind, those that are proved for an instance only apart."""
    found: dict[str, int] = {}
    for k in KINDS:
        mine = [s for s in ledger["statements"] if s["kind"] == k]
        if k == "proved":
            found[k] = sum(map(general, mine))
            found["instance"] = len(mine) - found[k]
        else:
            found[k] = len(mine)
    return {k: n for k, n in found.items() if n}


def numbers(ledger: dict) -> dict[str, int]:
    """The number of each equation of a chapter: its place on the page."""
    labels = dict.fromkeys(s["label"] for s in sorted(ledger["statements"], key=lambda s: s["line"]))
    return {label: n for n, label in enumerate(labels, 1)}


def rests_on(s: dict) -> list[str]:
    """The labels that a statement needs: settings, definitions, earlier statements and assumptions."""
    return list(dict.fromkeys([*s.get("uses", []), *s.get("assumes", []), *s.get("rests", [])]))
