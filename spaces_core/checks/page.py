"""Read a chapter: its displays with labels and lines, and its code cells with tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,}|:{3,})\s*(.*)$")
_DOLLARS_END = re.compile(r"^(.*?)\$\$\s*(?:\(([\w:.-]+)\))?\s*$")
_NOT_PROSE = ("code-cell", "code", "code-block", "literalinclude", "mermaid", "bibliography", "toctree")


@dataclass(frozen=True)
class Display:
    label: str
    latex: str
    line: int


@dataclass(frozen=True)
class Cell:
    source: str
    tags: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Page:
    path: Path
    title: str
    displays: tuple[Display, ...]
    cells: tuple[Cell, ...]

    def unlabelled(self) -> list[Display]:
        return [d for d in self.displays if not d.label]


def read_page(path: str | Path) -> Page:
    r"""The displays and code cells of a MyST chapter.

    Args:
        path: the `.md` file.

    Returns:
        displays in order (an unlabelled one has the label `""`) and code cells in order.

    Raises:
        ValueError: a display or a fence is not closed.
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    lines = path.read_text(encoding="utf-8").split("\n")
    displays, cells, title = [], [], ""
    k = _front_matter(lines)
    containers: list[str] = []
    while k < len(lines):
        line = lines[k]
        fence = _FENCE.match(line)
        if fence:
            mark, head = fence[2], fence[3]
            if not head and containers and mark[0] == containers[-1][0] and len(mark) >= len(containers[-1]):
                containers.pop()
                k += 1
                continue
            name = head[1 : head.index("}")] if head.startswith("{") and "}" in head else ""
            if mark[0] != ":" and (not name or name in _NOT_PROSE) or name in ("math", *_NOT_PROSE):
                end = _fence_end(lines, k, mark, path)
                if name == "math":
                    displays.append(_math_directive(lines[k + 1 : end], head, k + 1))
                elif name == "code-cell":
                    cells.append(_cell(lines[k + 1 : end], k + 1))
                k = end + 1
                continue
            containers.append(mark)
        elif line.lstrip().startswith("$$"):
            display, k = _dollars(lines, k, path)
            displays.append(display)
            continue
        elif line.lstrip().startswith(r"\begin{"):
            displays.append(Display("", line.strip(), k + 1))
        elif "$$" in re.sub(r"`[^`]*`", "", line.replace(r"\$", "")):
            raise ValueError(f"{path}:{k + 1}: a display stands on lines of its own, its label right after it")
        elif line.startswith("# ") and not title:
            title = line[2:].strip()
        k += 1
    return Page(path, title, tuple(displays), tuple(cells))


def _front_matter(lines):
    if lines and lines[0].strip() == "---":
        for k in range(1, len(lines)):
            if lines[k].strip() == "---":
                return k + 1
    return 0


def _fence_end(lines, start, mark, path):
    for k in range(start + 1, len(lines)):
        stripped = lines[k].strip()
        if stripped and set(stripped) == {mark[0]} and len(stripped) >= len(mark):
            return k
    raise ValueError(f"{path}:{start + 1}: this fence is not closed")


def _math_directive(body, head, line):
    label = ""
    while body and body[0].lstrip().startswith(":"):
        option = body[0].strip()
        if option.startswith(":label:"):
            label = option[len(":label:") :].strip()
        body = body[1:]
    text = head[head.index("}") + 1 :].strip()
    return Display(label, "\n".join([text, *body]).strip(), line)


def _dollars(lines, start, path):
    first = lines[start].lstrip()[2:]
    text, k = [], start
    current = first
    while True:
        end = _DOLLARS_END.match(current)
        if end:
            text.append(end[1])
            return Display(end[2] or "", "\n".join(text).strip(), start + 1), k + 1
        text.append(current)
        k += 1
        if k >= len(lines):
            raise ValueError(f"{path}:{start + 1}: this display is not closed")
        current = lines[k]


def _cell(body, line):
    tags: list[str] = []
    source = list(body)
    if source and source[0].strip() == "---":
        end = next((k for k in range(1, len(source)) if source[k].strip() == "---"), 0)
        header, source = source[1:end], source[end + 1 :]
        inside = False
        for row in header:
            found = re.match(r"\s*tags:\s*\[(.*)\]", row)
            if found:
                tags += [t.strip(" '\"") for t in found[1].split(",")]
            elif re.match(r"\s*tags:\s*$", row):
                inside = True
            elif inside and row.strip().startswith("- "):
                tags.append(row.strip()[2:].strip(" '\""))
            else:
                inside = False
    while source and source[0].startswith(":"):
        found = re.match(r":tags:\s*\[(.*)\]", source[0])
        if found:
            tags += [t.strip(" '\"") for t in found[1].split(",")]
        source = source[1:]
    return Cell("\n".join(source).strip("\n"), tuple(tags), line)
