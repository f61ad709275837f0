"""Evidence on the page, made from the ledgers: the badge beside each equation, and the tables of all statements."""

import html
import json
from collections import Counter

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from spaces_core.record import RECORDED, ROOT, chapter_names

KINDS = {
    "definition": "introduces notation; later checks evaluate its right-hand side",
    "assumption": "is stated, and the checks that rely on it say so",
    "proved": "follows by a symbolic identity or a decision procedure, in general or at the stated size",
    "sampled": "survived random and adversarial search for a counterexample",
    "measured": "is an experiment on data, over several seeds, with its interval",
    "refuted": "is false as published: a machine-checked counterexample stands beside the corrected statement",
}
log = logging.getLogger(__name__)


def ledgers() -> dict[str, dict]:
    """The ledger of each chapter that has one."""
    paths = {name: RECORDED / f"{name}.ledger.json" for name in chapter_names()}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


class Evidence:
    """Turns the statements of all ledgers into HTML for one page."""

    def __init__(self, app, docname):
        self.app, self.docname = app, docname
        self.ledgers = ledgers()
        self.home = {s["label"]: name for name, ledger in self.ledgers.items() for s in ledger["statements"]}
        self.equations = app.env.domaindata["math"]["objects"]

    def link(self, label: str) -> str:
        """The equation's number, or its label where the number says nothing, as a link."""
        if label not in self.home:
            return f"<code>{html.escape(label)}</code>"
        home = self.home[label]
        number = self.equations.get(label, ("", "?"))[1]
        page = "" if home == self.docname else self.app.builder.get_relative_uri(self.docname, home)
        text = f"({number})" if home == self.docname else f"{self.ledgers[home]['title']} ({number})"
        return f'<a href="{page}#{anchor(label)}">{html.escape(text)}</a>'

    def links(self, labels: list[str]) -> str:
        return ", ".join(map(self.link, labels))

    def badge(self, s: dict) -> str:
        """The line that a reader sees beside the equation."""
        typos = s.get("typos") or {}
        words = [f"<b>{s['kind']}</b>"]
        if s.get("scope"):
            words.append(f"<span>{html.escape(s['scope'])}</span>")
        if typos.get("made"):
            words.append(f"<span>{teeth(typos)}</span>")
        return " ".join(words)

    def panel(self, s: dict) -> str:
        """The badge, opening to what was checked."""
        typos = s.get("typos") or {}
        facts = [("As the machine read it", tex(s["read"])), ("How", html.escape(s.get("method") or KINDS[s["kind"]]))]
        facts += [("Under", self.links(s["assumes"]))] if s.get("assumes") else []
        facts += [("Taken as one symbol", ", ".join(map(tex, s["atoms"])))] if s.get("atoms") else []
        facts += [("Rests on", self.links(s["uses"]))] if s.get("uses") else []
        facts += [("Used by", self.links(s["used_by"]))] if s.get("used_by") else []
        facts += [("Fails", html.escape(s["fails"]))] if s.get("fails") else []
        facts += [self.detail(k, v) for k, v in (s.get("detail") or {}).items() if v]
        if typos.get("made"):
            shown = "".join(
                f"<li>{tex(t['latex'])} <small>{html.escape(str(t['how']))}</small></li>" for t in typos["examples"]
            )
            facts.append(("Typos", f"{teeth(typos)}<ul>{shown}</ul>" if shown else teeth(typos)))
        rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts if text)
        return (
            f'<details class="evidence evidence-{s["kind"]}" data-label="{s["label"]}">'
            f'<summary>{self.badge(s)}</summary><dl class="tex2jax_ignore">{rows}</dl></details>'
        )

    def detail(self, name: str, value) -> tuple[str, str]:
        """One display-only fact of a statement."""
        if name == "corrected":
            return "Corrected by", self.link(value)
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return html.escape(name.capitalize()), html.escape(text)

    def bar(self, totals: dict) -> str:
        """How much of a chapter is known in which way."""
        parts = [f'<span class="evidence-{k}"><b>{totals[k]}</b> {k}</span>' for k in KINDS if totals.get(k)]
        return f'<p class="evidence-bar">{" ".join(parts)}</p>'

    def fill_contents(self, doctree) -> None:
        """On the front page, beside each chapter, how much of it is known in which way."""
        pages = {self.app.builder.get_relative_uri(self.docname, name): name for name in self.ledgers}
        for link in list(doctree.findall(nodes.reference)):
            name = pages.get(link.get("refuri"))
            if name:
                link.parent.parent.append(nodes.raw("", self.bar(self.ledgers[name]["totals"]), format="html"))

    def totals(self) -> str:
        """All chapters: what is known, and how."""
        totals, typos = Counter(), Counter()
        for ledger in self.ledgers.values():
            totals.update(ledger["totals"])
            for s in ledger["statements"]:
                typos.update({k: v for k, v in (s.get("typos") or {}).items() if isinstance(v, int)})
        rows = "".join(
            f'<tr><td><span class="evidence-mark evidence-{k}">{k}</span></td><td>{totals[k]}</td><td>{text}</td></tr>'
            for k, text in KINDS.items()
        )
        return (
            f"<p>{sum(totals.values())} statements in {len(self.ledgers)} chapters. The checks were run again on "
            f"{typos['made']} typos made in these statements: {typos['caught']} were rejected and "
            f"{typos['equivalent']} were shown to say the same.</p>"
            f"{table(('Kind', 'Statements', 'The statement …'), rows)}"
        )

    def statements(self) -> str:
        """Every statement of the book, chapter by chapter."""
        blocks = []
        for name, ledger in self.ledgers.items():
            rows = "".join(
                f"<tr><td>{self.link_number(s)}</td><td>{tex(s['read'])}</td>"
                f'<td><span class="evidence-mark evidence-{s["kind"]}">{s["kind"]}</span></td>'
                f"<td>{html.escape(s.get('scope') or '')}</td><td>{ratio(s)}</td><td>{self.numbers(s)}</td></tr>"
                for s in ledger["statements"]
            )
            page = self.app.builder.get_relative_uri(self.docname, name)
            head = ("Equation", "Statement", "Kind", "Scope", "Typos caught", "Rests on")
            title = f'<h3><a href="{page}">{html.escape(ledger["title"])}</a></h3>'
            blocks.append(title + self.bar(ledger["totals"]) + table(head, rows))
        return "".join(blocks)

    def link_number(self, s: dict) -> str:
        page = self.app.builder.get_relative_uri(self.docname, self.home[s["label"]])
        number = self.equations.get(s["label"], ("", "?"))[1]
        return f'<a href="{page}#{anchor(s["label"])}">({number})</a>'

    def numbers(self, s: dict) -> str:
        named = {other["label"]: other for ledger in self.ledgers.values() for other in ledger["statements"]}
        return ", ".join(self.link_number(named[label]) for label in s.get("uses", []) if label in named)

    def refuted(self) -> str:
        """The published statements that a counterexample refutes, chapter by chapter."""
        named = {s["label"]: s for ledger in self.ledgers.values() for s in ledger["statements"]}
        blocks = ""
        for name, ledger in self.ledgers.items():
            rows = ""
            for s in ledger["statements"]:
                if s["kind"] == "refuted":
                    detail = s.get("detail") or {}
                    sides = html.escape(", ".join(map(str, detail.get("sides", []))))
                    corrected = self.link_number(named[detail["corrected"]]) if detail.get("corrected") in named else ""
                    rows += (
                        f"<tr><td>{self.link_number(s)}</td><td>{tex(s['read'])}</td>"
                        f"<td>{html.escape(s['scope'])}: its sides are {sides}</td><td>{corrected}</td></tr>"
                    )
            if rows:
                page = self.app.builder.get_relative_uri(self.docname, name)
                head = ("Equation", "As published", "Counterexample", "Corrected")
                blocks += f'<h2><a href="{page}">{html.escape(ledger["title"])}</a></h2>{table(head, rows)}'
        return blocks or "<p>Nothing so far.</p>"


def anchor(label: str) -> str:
    """The id that Sphinx gives to an equation."""
    return nodes.make_id(f"equation-{label}")


def teeth(typos: dict) -> str:
    same = f", {typos['equivalent']} equivalent" if typos.get("equivalent") else ""
    return f"{typos['caught']} of {typos['made'] - typos.get('equivalent', 0)} typos caught{same}"


def ratio(s: dict) -> str:
    typos = s.get("typos") or {}
    return f"{typos['caught']} of {typos['made'] - typos.get('equivalent', 0)}" if typos.get("made") else ""


def tex(source: str) -> str:
    return f'<span class="math notranslate nohighlight">\\({html.escape(source)}\\)</span>'


def table(head: tuple[str, ...], rows: str) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        f'<div class="table-wrapper docutils container"><table class="docutils align-default evidence-table">'
        f"<thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def runs(evidence: Evidence) -> str:
    """When, how long and on what each chapter was last recorded."""
    rows, settings = "", {}
    for name, ledger in evidence.ledgers.items():
        run = json.loads((RECORDED / f"{name}.run.json").read_text())
        page = evidence.app.builder.get_relative_uri(evidence.docname, name)
        statements = sum(s["relations"] for s in ledger["statements"])
        cells = (
            run["recorded"],
            f"{run['seconds']:.0f} s",
            run["code_cells"],
            statements,
            html.escape(run["hardware"]),
        )
        rows += f'<tr><td><a href="{page}">{html.escape(ledger["title"])}</a></td>'
        rows += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        settings.setdefault(", ".join(f"{k} {v}" for k, v in run["versions"].items()), []).append(ledger["title"])
    head = ("Chapter", "Recorded", "Took", "Cells", "Statements", "On")
    used = "".join(f"<li>{html.escape(v)}: {html.escape(', '.join(titles))}</li>" for v, titles in settings.items())
    return f"{table(head, rows)}<p>Versions:</p><ul>{used}</ul>"


class evidence_table(nodes.General, nodes.Element):
    """Stands for a table until the numbers of all equations are known."""


class EvidenceTable(SphinxDirective):
    """`{evidence} totals`, `{evidence} statements`, `{evidence} refuted` or `{evidence} runs`."""

    required_arguments = 1

    def run(self):
        return [evidence_table(what=self.arguments[0])]


def decorate(app, doctree, docname):
    """Put the badges beside the equations and fill the tables."""
    if app.builder.format != "html":
        return
    evidence = Evidence(app, docname)
    for node in list(doctree.findall(evidence_table)):
        markup = {"totals": evidence.totals, "statements": evidence.statements, "refuted": evidence.refuted}
        markup["runs"] = lambda: runs(evidence)
        node.replace_self(nodes.raw("", markup[node["what"]](), format="html"))
        doctree["has_evidence_math"] = True
    if docname == app.config.root_doc:
        evidence.fill_contents(doctree)
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
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is not None:
        head = nodes.raw("", evidence.bar(ledger["totals"]) + links(docname), format="html")
        title.parent.insert(title.parent.index(title) + 1, head)


def links(docname: str) -> str:
    """How to get the chapter's notebook, and when it was last run."""
    run = json.loads((RECORDED / f"{docname}.run.json").read_text())
    up = "../" * docname.count("/")
    return (
        f'<p class="chapter-links"><a href="{up}notebooks/{docname}.ipynb" download>'
        "Download this chapter as a notebook</a> · "
        f"recorded {run['recorded']} in {run['seconds']:.0f} s on {html.escape(run['hardware'])}</p>"
    )


def outdated(app, env, added, changed, removed):
    """Pages that quote all ledgers are made anew whenever any page is."""
    quoting = [name for name in env.found_docs if "/" not in name]
    digest = {str(p.relative_to(ROOT)): p.stat().st_mtime_ns for p in RECORDED.glob("*/*.ledger.json")}
    if getattr(env, "ledger_times", None) == digest:
        return []
    env.ledger_times = digest
    return quoting


def needs_math(app, pagename, templatename, context, doctree):
    if doctree is not None and doctree.get("has_evidence_math"):
        context["has_maths_elements"] = True


def setup(app):
    app.add_node(evidence_table)
    app.add_directive("evidence", EvidenceTable)
    app.connect("env-get-outdated", outdated)
    app.connect("doctree-resolved", decorate)
    app.connect("html-page-context", needs_math, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
