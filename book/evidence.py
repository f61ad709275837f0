"""Evidence on the page, made from the ledgers: the badge beside each equation, and the tables of all statements."""

import html
import json
import re
from collections import Counter
from collections.abc import Callable
from functools import partial

from checkcode import check_code
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from spaces_core.lab.record import CHAPTERS, RECORDED, chapter_names

KINDS = {
    "definition": "introduces notation; later checks evaluate its right-hand side",
    "assumption": "is stated, and the checks that rely on it say so",
    "proved": "follows by a symbolic identity or a decision procedure, in general or at the stated size",
    "sampled": "survived random and adversarial search for a counterexample",
    "measured": "is an experiment on data, over several seeds, with its interval",
    "refuted": "is false as published: a machine-checked counterexample stands beside the corrected statement",
}
log = logging.getLogger(__name__)


def reading_order() -> list[str]:
    """The chapters that exist, in the order of the index; one that is not in its list yet follows those of its part."""
    listed = re.findall(r"\(([\w-]+/[\w-]+)\.md\)", (CHAPTERS / "index.md").read_text())
    parts = list(dict.fromkeys(name.split("/")[0] for name in listed))

    def place(name: str) -> tuple:
        part = name.split("/")[0]
        return (
            parts.index(part) if part in parts else len(parts),
            part,
            listed.index(name) if name in listed else len(listed),
            name,
        )

    return sorted(chapter_names(), key=place)


def ledgers() -> dict[str, dict]:
    """The ledger of each chapter that has one."""
    paths = {name: RECORDED / f"{name}.ledger.json" for name in reading_order()}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


class Evidence:
    """Turns the statements of all ledgers into HTML for one page."""

    def __init__(self, docname: str, uri: Callable[[str], str], highlight: Callable[[str], str] | None = None):
        """`uri` gives the address of a chapter as seen from `docname`; `highlight` turns Python into HTML."""
        self.docname, self.uri = docname, uri
        self.highlight = highlight or (lambda code: f"<pre>{html.escape(code)}</pre>")
        self.ledgers = ledgers()
        self.home = {s["label"]: name for name, ledger in self.ledgers.items() for s in ledger["statements"]}
        self.number = {label: n for ledger in self.ledgers.values() for label, n in numbers(ledger).items()}
        self.code = {}

    def href(self, label: str) -> str:
        home = self.home[label]
        return f"{'' if home == self.docname else self.uri(home)}#{anchor(label)}"

    def link(self, label: str) -> str:
        """The equation's number, with its chapter where that is another page, as a link."""
        if label not in self.home:
            return f"<code>{html.escape(label)}</code>"
        home = self.home[label]
        text = "" if home == self.docname else f"{self.ledgers[home]['title']} "
        return f'<a href="{self.href(label)}">{html.escape(text)}({self.number[label]})</a>'

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
        covers = f"{s['kind']}, {s['scope']}" if s.get("scope") else s["kind"]
        facts = [("As the machine read it", tex(s["read"])), ("Known as", html.escape(f"{covers}: {KINDS[s['kind']]}"))]
        facts += [("How", html.escape(s["method"]))] if s.get("method") not in (None, "", s["kind"]) else []
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
        facts.append(("The check", self.check(s["label"])))
        rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts if text)
        return (
            f'<details class="evidence evidence-{s["kind"]}" data-label="{s["label"]}">'
            f'<summary>{self.badge(s)}</summary><dl class="tex2jax_ignore">{rows}</dl></details>'
        )

    def check(self, label: str) -> str:
        """The code that checks a statement."""
        home = self.home[label]
        if home not in self.code:
            self.code[home] = check_code(home, {s["label"]: s["kind"] for s in self.ledgers[home]["statements"]})
        return "".join(map(self.highlight, self.code[home].get(label, [])))

    def detail(self, name: str, value) -> tuple[str, str]:
        """One display-only fact of a statement."""
        if name == "corrected":
            return "Corrected by", self.link(value)
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return html.escape(name.capitalize()), html.escape(text)

    @staticmethod
    def bar(totals: dict) -> str:
        """How much of a chapter is known in which way."""
        parts = [f'<span class="evidence-{k}"><b>{totals[k]}</b> {k}</span>' for k in KINDS if totals.get(k)]
        strip = "".join(f'<i class="evidence-{k}" style="flex-grow: {totals[k]}"></i>' for k in KINDS if totals.get(k))
        return f'<p class="evidence-bar">{" ".join(parts)}<span class="strip" aria-hidden="true">{strip}</span></p>'

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
        """Every statement of the book, to sort and to filter."""
        rows, methods = "", set()
        for name, ledger in self.ledgers.items():
            for s in ledger["statements"]:
                method = s.get("method") or s["kind"]
                methods.add(method)
                number = self.number[s["label"]]
                needed = [u for u in rests_on(s) if u in self.home]
                rest = ", ".join(f'<a href="{self.href(u)}">({self.number[u]})</a>' for u in needed)
                cells = [
                    (name, f'<a href="{self.uri(name)}">{html.escape(ledger["title"])}</a>'),
                    (number, f'<a href="{self.href(s["label"])}">({number})</a>'),
                    ("", tex(s["read"]).replace('"math ', '"tex-later tex2jax_ignore ')),
                    (list(KINDS).index(s["kind"]), mark(s["kind"])),
                    ("", html.escape(s.get("scope") or "")),
                    ("", html.escape(method)),
                    ((s.get("typos") or {}).get("caught", 0), ratio(s)),
                    (len(needed), rest),
                ]
                data = f'data-kind="{s["kind"]}" data-part="{name.split("/")[0]}" data-chapter="{name}"'
                keys = (f' data-sort="{key}"' if key != "" else "" for key, _ in cells)
                body = "".join(f"<td{key}>{text}</td>" for key, (_, text) in zip(keys, cells, strict=True))
                rows += f'<tr {data} data-method="{html.escape(method)}">{body}</tr>'
        head = ("Chapter", "Equation", "Statement", "Kind", "Scope", "Method", "Typos caught", "Rests on")
        titles = {name: ledger["title"] for name, ledger in self.ledgers.items()}
        choices = [
            choice("kind", {k: k for k in KINDS}),
            choice("part", {name.split("/")[0]: name.split("/")[0] for name in titles}),
            choice("chapter", titles),
            choice("method", {m: m for m in sorted(methods)}),
        ]
        return (
            f'<div class="statements" id="statements"><form class="statements-filter" hidden>{"".join(choices)}'
            '<label>contains <input type="search" name="words" autocomplete="off"></label> '
            '<button type="reset">show all</button><p role="status" aria-live="polite"></p></form>'
            f"{table(head, rows)}</div>"
        )

    def link_number(self, s: dict) -> str:
        return f'<a href="{self.href(s["label"])}">({self.number[s["label"]]})</a>'

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
                page = self.uri(name)
                head = ("Equation", "As published", "Counterexample", "Corrected")
                blocks += f'<h2><a href="{page}">{html.escape(ledger["title"])}</a></h2>{table(head, rows)}'
        return blocks or "<p>Nothing so far.</p>"


def numbers(ledger: dict) -> dict[str, int]:
    """The number of each equation of a chapter: its place on the page."""
    labels = dict.fromkeys(s["label"] for s in sorted(ledger["statements"], key=lambda s: s["line"]))
    return {label: n for n, label in enumerate(labels, 1)}


def rests_on(s: dict) -> list[str]:
    """The labels that a statement needs: definitions, earlier statements and assumptions."""
    return list(dict.fromkeys([*s.get("uses", []), *s.get("assumes", [])]))


def mark(kind: str) -> str:
    return f'<span class="evidence-mark evidence-{kind}">{kind}</span>'


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


class evidence_table(nodes.General, nodes.Element):
    """Stands for a table until the numbers of all equations are known."""


def blocks() -> dict[str, Callable[[Evidence], str]]:
    """What a page may show of the ledgers, by name."""
    import benchmarks
    import front
    import graph
    import runs

    return {
        "totals": Evidence.totals,
        "statements": Evidence.statements,
        "refuted": Evidence.refuted,
        "runs": runs.table_of_runs,
        "promise": front.promise,
        "graph": graph.book,
        "benchmarks": benchmarks.all_topics,
    }


SHOWN = re.compile(r"""^show\(["'](\w+)["']\)$""", re.M)


def replace_cells(app, doctree):
    """A cell that shows a table in JupyterLab is, in the static page, that table."""
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") == "cell_code" and (shown := SHOWN.search(cell.astext())):
            cell.replace_self(evidence_table(what=shown[1]))


class EvidenceTable(SphinxDirective):
    """`{evidence} totals`, or another of `blocks`."""

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
        node.replace_self(nodes.raw("", blocks()[node["what"]](evidence), format="html"))
        doctree["has_evidence_math"] = True
    ledger = evidence.ledgers.get(docname)
    if ledger is None:
        return
    import graph
    import runs

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
        markup = evidence.bar(ledger["totals"]) + links(docname, app.config.repository) + graph.fold(evidence, docname)
        head = nodes.raw("", markup, format="html")
        title.parent.insert(title.parent.index(title) + 1, head)


def links(docname: str, repository: str) -> str:
    """How to get the chapter's notebook or its text, run it elsewhere, and when it was last run."""
    run = json.loads((RECORDED / f"{docname}.run.json").read_text())
    up = "../" * docname.count("/")
    binder = f"https://mybinder.org/v2/gh/{repository}/HEAD?labpath=chapters/{docname}.md"
    ways = [
        f'<a href="{up}notebooks/{docname}.ipynb" download>Download this chapter as a notebook</a>',
        f'<a href="{up}text/{docname}.md" download>as plain text</a>',
        f'<a href="{html.escape(binder)}">run it on Binder</a>' if repository else "",
        f"recorded {run['recorded']} in {run['seconds']:.0f} s on {html.escape(run['hardware'])}",
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
