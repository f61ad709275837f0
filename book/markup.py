"""Small pieces of HTML that several pages share."""

import html
import re

from docutils import nodes

_PART = re.compile(r"\\[a-zA-Z]+|\\.|\S")


def mark(kind: str, colour: str = "") -> str:
    return f'<span class="evidence-mark evidence-{colour or kind}">{kind}</span>'


def choice(name: str, values: dict[str, str]) -> str:
    """A list to choose from, with everything as its first choice."""
    options = "".join(f'<option value="{html.escape(v)}">{html.escape(t)}</option>' for v, t in values.items())
    options = f'<option value="">all</option>{options}'
    return f'<label>{name} <select name="{name}" autocomplete="off">{options}</select></label> '


def anchor(label: str) -> str:
    """The id that Sphinx gives to an equation."""
    return nodes.make_id(f"equation-{label}")


def teeth(typos: dict) -> str:
    same = f", {typos['equivalent']} equivalent" if typos.get("equivalent") else ""
    what = "misprints" if "unreadable" in typos else "typos"
    return f"{typos['caught']} of {typos['made'] - typos.get('equivalent', 0)} {what} caught{same}"


def ratio(s: dict) -> str:
    typos = s.get("typos") or {}
    return f"{typos['caught']} of {typos['made'] - typos.get('equivalent', 0)}" if typos.get("made") else ""


def tex(source: str) -> str:
    """A formula for MathJax, or its source where TeX would refuse it, as a misprint may be."""
    if _two_scripts(source):
        return f"<code>{html.escape(source)}</code>"
    return f'<span class="math notranslate nohighlight">\\({html.escape(source)}\\)</span>'


def _two_scripts(source: str) -> bool:
    """Whether one base has two subscripts or two superscripts."""
    parts, seen, k = _PART.findall(source), set(), 0
    while k < len(parts):
        if parts[k] not in ("_", "^"):
            seen, k = set(), k + 1
            continue
        if parts[k] in seen:
            return True
        seen.add(parts[k])
        k, depth = k + 1, 0
        while k < len(parts):
            depth += {"{": 1, "}": -1}.get(parts[k], 0)
            k += 1
            if depth == 0:
                break
    return False


def table(head: tuple[str, ...], rows: str) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        f'<div class="table-wrapper docutils container"><table class="docutils align-default evidence-table">'
        f"<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
