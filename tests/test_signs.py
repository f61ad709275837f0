"""Change one sign in a display of a chapter: the checks fail and name the label, or what rests on it."""

import json
import re
from pathlib import Path

import pytest

from spaces_core.checks import read_page
from spaces_core.checks.runner import check_file

ROOT = Path(__file__).parent.parent
LEDGERS = sorted((ROOT / "tests/recorded").rglob("*.ledger.json"))
_SIGN = re.compile(r"(?<![\^{])[+-](?!})")


def misprints(latex: str):
    """The display with one sign changed, for each sign in it; a minus before its right side where it has none."""
    for found in _SIGN.finditer(latex):
        other = "-" if found[0] == "+" else "+"
        yield latex[: found.start()] + other + latex[found.end() :]
    relations = list(re.finditer(r"(=|\\leq?\b|\\geq?\b|<|>|\\approx)(?!\s*([-+]|0(?![.\d])))", latex))
    if relations and not _SIGN.search(latex):
        yield latex[: relations[-1].end()] + " - " + latex[relations[-1].end() :]


@pytest.mark.parametrize("path", LEDGERS, ids=lambda p: p.name.removesuffix(".ledger.json"))
def test_one_sign(path, tmp_path):
    ledger = json.loads(path.read_text())
    page = read_page(ROOT / "chapters" / f"{ledger['chapter']}.md")
    text = page.path.read_text().split("\n")
    kinds = {s["label"]: s["kind"] for s in ledger["statements"]}
    survived, tried = [], 0
    for statement in ledger["statements"]:
        label = statement["label"]
        resting = {label} if kinds[label] in ("proved", "refuted") else {
            u for u in statement["used_by"] if kinds[u] in ("proved", "refuted")
        }  # fmt: skip
        if kinds[label] in ("measured", "sampled") or not resting:
            continue
        display = next(d for d in page.displays if d.label == label)
        for wrong in misprints(display.latex):
            copy = tmp_path / "copy.md"
            body = "\n".join(text[display.line - 1 :]).replace(display.latex, wrong, 1)
            copy.write_text("\n".join([*text[: display.line - 1], body]))
            tried += 1
            _, problems = check_file(copy, only=resting)
            if not any(label in p for p in problems):
                survived.append((label, wrong))
    assert tried >= 10
    assert not survived
