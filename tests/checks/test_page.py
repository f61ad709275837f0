"""The page is read as it is printed: the displays of the engine are those of Sphinx, and what it cannot see is told."""

import re
from pathlib import Path

import pytest
from docutils import nodes

from spaces_core.checks.page import parse_page, read_page

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*/*.md"))

PAGES = {
    "a block quote": "> ```{math}\n> a + b = a\n> ```\n",
    "a quoted display": "> $$ a + b = a $$ (eq-q)\n",
    "a list with a directive": "- ```{math}\n  a + b = a\n  ```\n\n```python\nx = 1\n```\n",
    "a list that swallows": "1. First,\n   ```{math}\n   :label: eq-first\n   a + b = a\n   ```\n",
    "a display in a list": "- first\n\n  $$ a + b = a $$ (eq-li)\n",
    "a code fence in a list": "- ```text\n  x\n  ```\n\n$$ a + b = 2 a $$ (eq-hidden)\n\n- ```text\n  x\n  ```\n",
    "amsmath in a list": "- \\begin{equation}\n  a + b = a\n  \\end{equation}\n",
    "amsmath in a quote": "> \\begin{equation}\n> a + b = a\n> \\end{equation}\n",
    "a definition list": "Claim\n: ```{math}\n  a + b = a\n  ```\n",
    "a colon fence in a list": "- :::{math}\n  a + b = a\n  :::\n",
    "an argument": "```{math} a + b = a\n```\n",
    "an admonition": "```{admonition} A claim\n:class: important\n\n$$ a = b $$ (eq-in)\n```\n",
    "a note in colons": ":::{note}\n$$ a = b $$ (eq-note)\n:::\n",
    "two levels": "::::{note}\n:::{tip}\n$$ a = b $$ (eq-deep)\n:::\n::::\n",
    "a dollar fence after text": "Text\n$$ a = b $$ (eq-after)\n",
    "several lines": "$$\na = b\n+ c\n$$ (eq-lines)\n",
    "a footnote": "Text.[^1]\n\n[^1]: $$ a = b $$ (eq-foot)\n",
    "code that shows dollars": "`$$ a = b $$`\n\n```text\n$$ a = b $$ (eq-no)\n```\n",
}

HIDDEN = {
    "a raw directive": ('```{raw} html\n<div class="math">\\[ a = b \\]</div>\n```\n', "Displayed as text."),
    "an included file": ("```{include} part.txt\n```\n", "Nothing is included."),
    "reStructuredText": ("```{eval-rst}\n.. math::\n\n   a + b = a\n```\n", "No directive."),
    "brackets": ("\\\\[ a + b = a \\\\]\n", "The set [a, b].\n"),
    "an inline formula alone": ("$\\displaystyle a + b = a$\n", "So $a + b = c$ as above.\n"),
    "a role alone in a table": (
        "| claim | |\n|---|---|\n| {math}`a + b = a` | proved |\n",
        "| {math}`a + b` | sum |\n|---|---|\n",
    ),
    "a formula alone in a note": ("> :::{note}\n> $a + b = a$\n> :::\n", "> :::{note}\n> where $a = b$\n> :::\n"),
    "after a tag": (
        "<details>\n<summary>Proof</summary>\n\n  {math}`a+b=a`\n\n</details>\n",
        "<details>\n\nProof.\n\n</details>\n",
    ),
    "math in a tag": ("<p>\\( a = b \\)</p>\n", "<p>plain</p>\n"),
    "a macro redefined": ("$\\renewcommand{\\cdot}{+}$\n", "A product $a \\cdot b$ commutes.\n"),
    "a comment": ("$$\na + b = b % + 1\n+ a\n$$ (eq-c)\n", "$$\na + b = b + a\n$$ (eq-c)\n"),
    "a blank line": ("$$\na = b\n\nb = a\n$$ (eq-c)\n", "$$\na = b\n$$ (eq-c)\n"),
    "an option": (":::{math}\n:label: eq-x\n:nowrap: true\na = a + 1\n:::\n", ":::{math}\n:label: eq-x\na = a\n:::\n"),
    "printed by code": (
        "```{code-cell} ipython3\nfrom IPython.display import Math\nMath(r'a = b')\n```\n",
        "```{code-cell} ipython3\nprint('a')\n```\n",
    ),
    "a link in a formula": ("$$ \\href{x}{a} = b $$ (eq-c)\n", "$$ a = b $$ (eq-c)\n"),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The displays that Sphinx prints of each page, `(label, latex)`, without code cells."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    folder = tmp_path_factory.mktemp("pages")
    for k, text in enumerate(PAGES.values()):
        (folder / f"page{k}.md").write_text(f"# A page\n\n{text}")
    for path in CHAPTERS:
        (folder / f"{path.parent.name}-{path.stem}.md").write_text(path.read_text())
    (folder / "index.md").write_text("# All\n")
    (folder / "conf.py").write_text(
        "from docutils.parsers.rst import Directive, directives\n"
        "from spaces_core.checks.page import EXTENSIONS\n"
        "extensions = ['myst_parser', 'sphinx_design']\nmyst_enable_extensions = list(EXTENSIONS)\n"
        "class Skip(Directive):\n"
        "    has_content, optional_arguments, final_argument_whitespace = True, 9, True\n"
        "    option_spec = {'tags': directives.unchanged}\n"
        "    def run(self):\n        return []\n"
        "def setup(app):\n"
        "    for name in ('code-cell', 'bibliography'):\n        app.add_directive(name, Skip)\n"
    )
    with docutils_namespace():
        app = Sphinx(folder, folder, folder / "_out", folder / "_trees", "dummy", status=None, warning=None)
        app.build()
        return {
            name: [(_label(n), _plain(n.astext())) for n in app.env.get_doctree(name).findall(nodes.math_block)]
            for name in app.env.found_docs
        }


def _label(node) -> str:
    """The label that an author gave; MyST numbers amsmath environments by random ones."""
    label = node.get("label") or ""
    return "" if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", label) else label


def _plain(latex: str) -> str:
    return " ".join(latex.split())


def _read(page):
    return [(d.label, _plain(d.latex)) for d in page.displays]


@pytest.mark.parametrize("k", range(len(PAGES)), ids=list(PAGES))
def test_the_engine_sees_the_displays_that_are_printed(printed, k):
    page = parse_page(f"# A page\n\n{list(PAGES.values())[k]}")
    assert _read(page) == printed[f"page{k}"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_engine_sees_the_displays_of_every_chapter(printed, path):
    page = read_page(path)
    assert _read(page) == printed[f"{path.parent.name}-{path.stem}"]
    assert not page.faults


@pytest.mark.parametrize("what", HIDDEN)
def test_what_is_printed_and_not_read_is_told(what):
    bad, good = HIDDEN[what]
    page = parse_page(f"# A page\n\n{bad}")
    assert page.faults, _read(page)
    assert all(f.startswith("page.md:") for f in page.faults)
    assert not parse_page(f"# A page\n\n{good}").faults


def test_lines_sections_and_cells():
    page = parse_page(
        "---\nkernelspec:\n  name: python3\n---\n\n# Title\n\n$$ a = 1 $$ (eq-a)\n\n## One\n\n### Deep\n\n```{note}\n"
        ":class: x\n\n$$ b = 1 $$ (eq-b)\n```\n\n## Two\n\n$$ c = 1 $$ (eq-c)\n\n```{code-cell} ipython3\n"
        ":tags: [check, hide-cell]\nx = 1\n```\n"
    )
    assert page.title == "Title"
    assert [(d.label, d.line, d.section) for d in page.displays] == [
        ("eq-a", 8, ()),
        ("eq-b", 17, (1, 1)),
        ("eq-c", 22, (2,)),
    ]
    assert [(c.source, c.tags) for c in page.cells] == [("x = 1", ("check", "hide-cell"))]
