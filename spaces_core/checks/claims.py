"""Claims in the running text: sentences that say for all, every, never, only if, and what carries them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .page import Page

QUANTIFIES = re.compile(
    r"\b(for all|for every|for any|every|any|unique|uniquely|never|always|only if|if and only if|cannot|no matter)\b",
    re.IGNORECASE,
)
CITES = re.compile(r"\{(?:eq|cite|cite:\w+|numref|ref|doc)\}`([^`]*)`|\]\(|https?://")
EQUATION = re.compile(r"\{eq\}`([^`]*)`")
ENDS = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*$({\"“])")


@dataclass(frozen=True)
class Claim:
    """A sentence outside displays, the words that make it a claim, and the displays it cites."""

    sentence: str
    words: tuple[str, ...]
    labels: tuple[str, ...]
    line: int

    def __str__(self):
        return f"line {self.line}: “{self.sentence}” ({', '.join(self.words)})"


def sentences(text: str) -> list[str]:
    """The sentences of a passage; formulas do not end one.

    >>> sentences("Every $x. y$ is real. Never mind.")
    ['Every $x. y$ is real.', 'Never mind.']
    """
    kept: list[str] = []

    def keep(found):
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    plain = re.sub(r"\$[^$]*\$|\{[\w:]+\}`[^`]*`|`[^`]*`", keep, text)
    parts = ENDS.split(plain)
    return [re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], p).strip() for p in parts if p.strip()]


def uncarried(page: Page) -> list[Claim]:
    """Sentences that quantify and cite neither a display nor a source.

    Headings and the words of code are no claims.
    """
    found = []
    for passage in page.passages:
        if passage.where == "heading":
            continue
        for sentence in sentences(passage.text):
            bare = re.sub(r"\$[^$]*\$|`[^`]*`", "", sentence)
            words = tuple(dict.fromkeys(w.lower() for w in QUANTIFIES.findall(bare)))
            if words and not CITES.search(sentence):
                found.append(Claim(sentence, words, (), passage.line))
    return found


def claim_box(page: Page) -> list[Claim]:
    """The sentences of the box that states what a page claims, each with the displays it cites."""
    found = []
    for passage in page.passages:
        if passage.where.startswith("admonition:") and "claim" in passage.where:
            for sentence in sentences(passage.text):
                labels = tuple(x.strip() for group in EQUATION.findall(sentence) for x in group.split(","))
                found.append(Claim(sentence, (), labels, passage.line))
    return found
