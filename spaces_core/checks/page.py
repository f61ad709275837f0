"""Read a chapter with MyST's own parser: its displays with labels and lines, its code cells, and its prose."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

EXTENSIONS = ("amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath")
LITERAL = frozenset("code code-block sourcecode literalinclude mermaid bibliography toctree image".split())
HIDDEN = frozenset("raw eval-rst include math-block only ifconfig".split())
REDEFINE = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand|e?def|gdef|let|(?:re)?newenvironment|DeclareMathOperator|require|href|"
    r"class|style|cssId|unicode|tag|notag|label|ref|eqref|color|textcolor|phantom|hphantom|vphantom)(?![a-zA-Z])"
)
HTML_MATH = re.compile(r"\\\(|\\\[|\$\$|<math|class=[\"'][^\"']*\bmath\b", re.IGNORECASE)
RELATION = re.compile(r"[=<>]|\\(?:l|g)(?:e|eq|t|eqslant)(?![a-z])|\\(?:ne|neq|approx|equiv|in|sim|propto)(?![a-z])")
SHOWN = {"Math", "Latex"}


@dataclass(frozen=True)
class Display:
    label: str
    latex: str
    line: int
    section: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cell:
    source: str
    tags: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Passage:
    """Running text: a paragraph, an item, a cell of a table; formulas stand in it between dollar signs."""

    text: str
    line: int
    where: str = ""


@dataclass(frozen=True)
class Page:
    """What a reader sees of a chapter, and where.

    `section` of a display counts the headings above it: `(2, 1)` is the first subsection of the second section.
    """

    path: Path
    title: str
    displays: tuple[Display, ...]
    cells: tuple[Cell, ...]
    passages: tuple[Passage, ...] = ()
    faults: tuple[str, ...] = ()

    def unlabelled(self) -> list[Display]:
        return [d for d in self.displays if not d.label]


def read_page(path: str | Path) -> Page:
    r"""The displays, code cells and prose of a page.

    Args:
        path: a `.md` file of MyST Markdown, or a `.ipynb` notebook whose Markdown is MyST.

    Returns:
        displays in order (an unlabelled one has the label `""`), code cells in order, passages in order; `faults` are
        formulas that a reader would see and the checks would not, each with its line.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    return parse_page(_notebook(text) if path.suffix == ".ipynb" else text, path)


def parse_page(text: str, path: str | Path = "page.md") -> Page:
    """As `read_page`, from the text of the page."""
    reader = _Reader(Path(path))
    reader.block(text, 0)
    return Page(
        reader.path,
        reader.title,
        tuple(reader.displays),
        tuple(reader.cells),
        tuple(reader.passages),
        tuple(reader.faults),
    )


def _notebook(text: str) -> str:
    """A notebook as the MyST text that it stands for."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code":
            tags = ", ".join(cell.get("metadata", {}).get("tags", []))
            head = f":tags: [{tags}]\n" if tags else ""
            parts.append(f"```````{{code-cell}} python\n{head}{source}\n```````")
    return "\n\n".join(parts)


def _parser() -> MarkdownIt:
    """What `myst_parser` builds for `EXTENSIONS`; a test compares the displays with Sphinx's."""
    return (
        MarkdownIt("commonmark")
        .enable("table")
        .use(front_matter_plugin)
        .use(myst_block_plugin)
        .use(myst_role_plugin)
        .use(footnote_plugin, inline=False, move_to_end=False, always_match_refs=True)
        .use(dollarmath_plugin, allow_labels=True, allow_space=True, allow_digits=True, double_inline=False)
        .use(colon_fence_plugin)
        .use(amsmath_plugin)
        .use(deflist_plugin)
        .use(attrs_plugin, after=("image", "code_inline", "link_close", "span_close"), spans=True)
    )


MARKDOWN = _parser()


@dataclass
class _Reader:
    path: Path
    title: str = ""
    displays: list[Display] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    section: list[int] = field(default_factory=list)

    def fault(self, line: int, message: str) -> None:
        self.faults.append(f"{self.path}:{line}: {message}")

    def block(self, text: str, offset: int, where: str = "") -> None:
        """Markdown that starts `offset` lines below the top of the page."""
        tokens = MARKDOWN.parse(text)
        inside: list[str] = []
        for k, token in enumerate(tokens):
            line = offset + (token.map[0] + 1 if token.map else 1)
            if token.nesting:
                inside = [*inside, token.type] if token.nesting > 0 else inside[:-1]
            if token.type in ("math_block", "math_block_label"):
                self.display(token.info if token.type == "math_block_label" else "", token.content, line)
            elif token.type == "amsmath":
                self.display("", token.content, line)
            elif token.type in ("fence", "colon_fence"):
                self.fence(token, line, where)
            elif token.type == "html_block":
                self.html(token.content, line)
            elif token.type == "inline":
                heading = tokens[k - 1].tag if tokens[k - 1].type == "heading_open" else ""
                self.inline(token, line, heading, where or ("table" if "td_open" in inside else ""))

    def fence(self, token: Token, line: int, where: str) -> None:
        info = token.info.strip()
        if not info.startswith("{") or "}" not in info:
            if token.type == "colon_fence":
                self.block(token.content, line, where)
            return
        name, argument = info[1 : info.index("}")], info[info.index("}") + 1 :].strip()
        body, options, skipped = _options(token.content)
        if name == "code-cell":
            self.cell(token.content, line)
        elif name == "math":
            latex = "\n".join(filter(None, [argument, body]))
            if argument and body.strip():
                self.fault(line, "write the formula below the directive, not beside its name as well")
            if extra := set(options) - {"label", "name"}:
                self.fault(line, f"a display takes no option {', '.join(sorted(extra))}")
            self.display(options.get("label", options.get("name", "")), latex, line)
        elif name in HIDDEN:
            self.fault(line, f"the checks cannot see what {{{name}}} prints: write it as Markdown")
        elif name not in LITERAL:
            inside = f"{name}:{argument.lower()}" if argument else name
            if argument:
                self.inline(MARKDOWN.parseInline(argument)[0], line, "", "heading")
            self.block(body, line + skipped, inside)

    def display(self, label: str, latex: str, line: int) -> None:
        latex = latex.strip("\n")
        if re.search(r"\n\s*\n", latex.strip()):
            self.fault(line, "a blank line inside a display starts another one: use two displays")
        if re.search(r"(?<!\\)%", latex):
            self.fault(line, "a display holds no comment (%): what is not printed is not written")
        self.macros(latex, line)
        self.displays.append(Display(label.strip(), latex.strip(), line, tuple(self.section)))

    def macros(self, latex: str, line: int) -> None:
        if found := REDEFINE.search(latex):
            self.fault(line, f"{found[0]} changes what is printed without being read")

    def html(self, content: str, line: int) -> None:
        if HTML_MATH.search(content):
            self.fault(line, "a formula inside HTML is printed and not checked: write it as a labelled display")

    def cell(self, content: str, line: int) -> None:
        cell = _cell(content.split("\n"), line)
        self.cells.append(cell)
        for name in _shown(cell.source):
            self.fault(line, f"a code cell that calls {name} prints a formula that is not checked")

    def inline(self, token: Token, line: int, heading: str, where: str) -> None:
        parts, alone = [], True
        for child in token.children or []:
            if child.type in ("math_inline", "math_inline_double"):
                self.macros(child.content, line)
                if child.type == "math_inline_double":
                    self.fault(line, "a display stands on lines of its own, its label right after it")
                parts.append(f"${child.content}$")
            elif child.type == "myst_role" and child.meta.get("name") == "math":
                self.macros(child.content, line)
                parts.append(f"${child.content}$")
            elif child.type == "myst_role":
                parts.append(f"{{{child.meta.get('name')}}}`{child.content}`")
            elif child.type in ("softbreak", "hardbreak"):
                parts.append(" ")
            elif child.type == "html_inline":
                self.html(child.content, line)
            else:
                alone = alone and not re.search(r"\w", child.content)
                if re.search(r"\\[\[(]|\$\$", child.content) and child.type == "text":
                    self.fault(line, "a display stands between $$, on lines of its own, its label right after it")
                parts.append(f"`{child.content}`" if child.type == "code_inline" else child.content)
        text = "".join(parts).strip()
        if heading:
            self.heading(int(heading[1:]), text)
        formulas = re.findall(r"\$([^$]*)\$", text)
        roles = any(p.startswith("{") for p in parts)
        if not heading and alone and not roles and any(RELATION.search(f) for f in formulas):
            self.fault(line, f"a formula that stands alone is a display with a label: {formulas[0]}")
        if text:
            self.passages.append(Passage(text, line, "heading" if heading else where))

    def heading(self, level: int, text: str) -> None:
        if level == 1:
            self.title = self.title or text
        else:
            depth = level - 1
            here = [*self.section, *[0] * depth][:depth]
            self.section = [*here[:-1], here[-1] + 1]


def _options(content: str) -> tuple[str, dict[str, str], int]:
    """The body of a directive, its options, and how many lines these take."""
    lines = content.split("\n")
    options: dict[str, str] = {}
    k = 0
    if lines and lines[0].strip() == "---":
        end = next((j for j in range(1, len(lines)) if lines[j].strip() == "---"), 0)
        options = dict(re.findall(r"^([\w-]+):\s*(.*)$", "\n".join(lines[1:end]), re.M))
        k = end + 1
    while k < len(lines) and (found := re.match(r"\s*:([\w-]+):\s*(.*)$", lines[k])):
        options[found[1]] = found[2].strip()
        k += 1
    return "\n".join(lines[k:]), options, k


def _cell(body: list[str], line: int) -> Cell:
    tags: list[str] = []
    source = list(body)
    if source and source[0].strip() == "---":
        end = next((k for k in range(1, len(source)) if source[k].strip() == "---"), 0)
        header, source = source[1:end], source[end + 1 :]
        inside = False
        for row in header:
            if found := re.match(r"\s*tags:\s*\[(.*)\]", row):
                tags += [t.strip(" '\"") for t in found[1].split(",")]
            inside = bool(re.match(r"\s*tags:\s*$", row)) or (inside and row.strip().startswith("- "))
            if inside and row.strip().startswith("- "):
                tags.append(row.strip()[2:].strip(" '\""))
    while source and source[0].startswith(":"):
        if found := re.match(r":tags:\s*\[(.*)\]", source[0]):
            tags += [t.strip(" '\"") for t in found[1].split(",")]
        source = source[1:]
    return Cell("\n".join(source).strip("\n"), tuple(tags), line)


def _shown(source: str) -> list[str]:
    """Calls that print LaTeX: `Math(…)`, `Latex(…)`, `display_latex(…)`, `Markdown("… $ …")`."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in SHOWN | {"display_latex", "init_printing"}:
                found.append(name)
            elif name in ("Markdown", "HTML") and "$$" in ast.unparse(node):
                found.append(name)
    return found
