"""Which lines of a chapter's check cells check which statement."""

import ast
import re

from spaces_core.checks.page import read_page
from spaces_core.lab.record import CHAPTERS

CHECKS = {
    "setting": "setting",
    "define": "definition",
    "assume": "assumption",
    "prove": "proved",
    "argue": "argued",
    "sample": "sampled",
    "measure": "measured",
    "demonstrate": "demonstration",
    "refute": "refuted",
    "trap": "trap",
}


def check_code(name: str, kinds: dict[str, str]) -> dict[str, list[str]]:
    """For each statement of a chapter, the code of its check cells that checks it: by name, by a helper, in a loop.

    Args:
        kinds: the kind of each label.
    """
    called, named, looped = {}, {}, {}
    for cell in read_page(CHAPTERS / f"{name}.md").cells:
        if "check" not in cell.tags:
            continue
        for statement in ast.parse(cell.source).body:
            code = ast.get_source_segment(cell.source, statement)
            words = {n.value for n in ast.walk(statement) if isinstance(n, ast.Constant)}
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHECKS:
                    mine = [k for k in kinds if kinds[k] == CHECKS[node.func.attr]]
                    for named_by in node.args:
                        for label, gaps in matching(named_by, mine):
                            if isinstance(named_by, ast.Constant):
                                called.setdefault(label, {})[code] = None
                            else:
                                fit = (words.issuperset(gaps), -sum(map(len, gaps)))
                                looped.setdefault(label, {}).setdefault(fit, {})[code] = None
                elif isinstance(node, ast.Constant) and node.value in kinds:
                    named.setdefault(node.value, {})[code] = None
    loops = {label: found[max(found)] for label, found in looped.items()}
    return {label: list(called.get(label) or named.get(label) or loops.get(label, ())) for label in kinds}


def matching(node: ast.AST | None, labels: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The labels that a string, or a string with gaps, may stand for, and what then stands in its gaps."""
    if isinstance(node, ast.Constant):
        return [(label, ()) for label in labels if label == node.value]
    if isinstance(node, ast.JoinedStr):
        pattern = "".join(re.escape(p.value) if isinstance(p, ast.Constant) else "(.+)" for p in node.values)
        return [(label, found.groups()) for label in labels if (found := re.fullmatch(pattern, label))]
    return []
