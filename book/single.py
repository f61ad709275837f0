"""The whole book as one page, from which its PDF is printed: each equation has its badge, each chapter its totals."""

from docutils import nodes
from evidence import Evidence
from sphinx import addnodes


def decorate(app, doctree, docname):
    if app.builder.name != "singlehtml":
        return
    evidence = Evidence(docname, lambda name: f"#document-{name}")
    statements: dict[str, list] = {}
    for s in (s for ledger in evidence.ledgers.values() for s in ledger["statements"]):
        statements.setdefault(s["label"], []).append(s)
    for block in list(doctree.findall(nodes.math_block)):
        _after(block, "".join(badge(evidence, s) for s in statements.get(block.get("label"), [])))
    for page in doctree.findall(addnodes.start_of_file):
        if page["docname"] in evidence.ledgers:
            _after(page.next_node(nodes.title), evidence.bar(evidence.ledgers[page["docname"]]))


def badge(evidence: Evidence, statement: dict) -> str:
    kind = f"evidence evidence-{statement['kind']}"
    return f'<details class="{kind}"><summary>{evidence.badge(statement)}</summary></details>'


def _after(node: nodes.Node, markup: str) -> None:
    node.parent.insert(node.parent.index(node) + 1, nodes.raw("", markup, format="html"))


def setup(app):
    app.connect("doctree-resolved", decorate)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
