"""Sphinx meets the evidence: badges beside the equations of each page, tables where a page asks for them."""

import html
import re
from functools import partial

import graph
import runs
from docutils import nodes
from evidence import Evidence
from ledgers import run
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from tables import BLOCKS

from spaces_core.lab.record import RECORDED, chapter_names

log = logging.getLogger(__name__)


class evidence_table(nodes.General, nodes.Element):
    """Stands for a table until the numbers of all equations are known."""


SHOWN = re.compile(r"""^show\(["'](\w+)["']\)$""", re.M)


def replace_cells(app, doctree):
    """A cell that shows a table in JupyterLab is, in the static page, that table."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") == "cell_code" and (shown := SHOWN.search(cell.astext())):
            cell.replace_self(evidence_table(what=shown[1]))


class EvidenceTable(SphinxDirective):
    """`{evidence} totals`, or another of `tables.BLOCKS`."""

    required_arguments = 1

    def run(self):
        return [evidence_table(what=self.arguments[0])]


def decorate(app, doctree, docname):
    """Put the badges beside the equations and fill the tables."""
    if app.builder.format != "html":
        return
    evidence = Evidence(
        docname,
        partial(app.builder.get_relative_uri, docname),
        lambda code: app.builder.highlighter.highlight_block(code, "python"),
    )
    for node in list(doctree.findall(evidence_table)):
        node.replace_self(nodes.raw("", BLOCKS[node["what"]](evidence), format="html"))
        doctree["has_evidence_math"] = True
    ledger = evidence.ledgers.get(docname)
    if ledger is None:
        return
    statements: dict[str, list] = {}
    for s in ledger["statements"]:
        statements.setdefault(s["label"], []).append(s)
    for block in list(doctree.findall(nodes.math_block)):
        label = block.get("label")
        if label not in statements:
            log.warning("the equation %r has no evidence in the ledger", label, location=block)
            continue
        panel = nodes.raw("", "".join(map(evidence.panel, statements[label])), format="html")
        block.parent.insert(block.parent.index(block) + 1, panel)
    for section in doctree.findall(nodes.section):
        if section.next_node(nodes.title).astext() == "At scale":
            section.append(nodes.raw("", runs.at_scale(docname), format="html"))
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is not None:
        markup = evidence.bar(ledger) + links(docname, app.config.repository) + graph.fold(evidence, docname)
        head = nodes.raw("", markup, format="html")
        title.parent.insert(title.parent.index(title) + 1, head)


def links(docname: str, repository: str) -> str:
    """How to get the chapter's notebook or its text, run it elsewhere, and when it was last run."""
    recorded = run(docname)
    up = "../" * docname.count("/")
    binder = f"https://mybinder.org/v2/gh/{repository}/HEAD?labpath=chapters/{docname}.md"
    ways = [
        f'<a href="{up}notebooks/{docname}.ipynb" download>Download this chapter as a notebook</a>',
        f'<a href="{up}text/{docname}.md" download>as plain text</a>',
        f'<a href="{html.escape(binder)}">run it on Binder</a>' if repository else "",
        f"recorded {recorded['recorded']} in {recorded['seconds']:.0f} s on {html.escape(recorded['hardware'])}",
    ]
    return f'<p class="chapter-links">{" · ".join(filter(None, ways))}</p>'


def outdated(app, env, added, changed, removed):
    """Pages that quote all ledgers are made anew whenever any page is."""
    quoting = [name for name in env.found_docs if "/" not in name]
    kept = [p for kind in ("*/*.ledger.json", "*/*.gpu.json", "benchmarks.json") for p in RECORDED.glob(kind)]
    digest = {p.relative_to(RECORDED).as_posix(): p.stat().st_mtime_ns for p in kept}
    known, env.ledger_times = getattr(env, "ledger_times", {}), digest
    if known == digest:
        return []
    moved = {path for path, _ in known.items() ^ digest.items()}
    return quoting + [n for n in chapter_names() if f"{n}.gpu.json" in moved]


def needs_math(app, pagename, templatename, context, doctree):
    if doctree is not None and doctree.get("has_evidence_math"):
        context["has_maths_elements"] = True


def setup(app):
    app.add_config_value("repository", "", "html", str)
    app.add_node(evidence_table)
    app.add_directive("evidence", EvidenceTable)
    app.connect("env-get-outdated", outdated)
    for script in ("statements.js", "graph.js"):
        app.add_js_file(script, loading_method="defer")
    app.connect("doctree-read", replace_cells)
    app.connect("doctree-resolved", decorate)
    app.connect("html-page-context", needs_math, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
