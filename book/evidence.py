"""Evidence on the page, made from the ledgers: the badge beside each equation, and the tables of all statements."""

import html
from collections import Counter
from collections.abc import Callable

from checkcode import check_code
from ledgers import KINDS, counts, general, kinds, ledgers, numbers, rests_on
from markup import anchor, choice, mark, ratio, table, teeth, tex

from spaces_core.checks import Estimate


def scope(s: dict) -> str:
    """What a statement is known for, in words."""
    if s.get("scope") == "instance":
        return "instance: " + ", ".join(s.get("narrowed") or [])
    return s.get("scope") or ""


def where(s: dict) -> str:
    """The counterexample to a false statement, as far as the ledger names it."""
    return ", ".join(s["narrowed"]) if s.get("narrowed") else s["scope"]


def colour(s: dict) -> str:
    """The class that colours a badge: what is proved for an instance has another than what is proved in general."""
    return "instance" if s["kind"] == "proved" and not general(s) else s["kind"]


def quoted(quotation: dict) -> str:
    """A published sentence in its own words, translated, with its place."""
    original, english, where = (html.escape(quotation[k]) for k in ("original", "english", "where"))
    translated = f"<br>“{english}”" if english != original else ""
    return f"“{original}”{translated}<br><small>{where}</small>"


def kinds_in_words(totals: dict) -> list[tuple[str, str, str]]:
    """Kinds that occur, as a reader sees them: class, name, what it means."""
    found = []
    for k, text in KINDS.items():
        if k == "proved":
            found.append((k, "proved in general", text.replace(", in general or at the stated size", "")))
            found.append(
                ("instance", "proved for an instance", "is proved for narrower objects, which the badge names")
            )
        else:
            found.append((k, k, text))
    return [f for f in found if totals[f[0]]]


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
        if scope(s):
            words.append(f"<span>{html.escape(scope(s))}</span>")
        if typos.get("made"):
            words.append(f"<span>{teeth(typos)}</span>")
        return " ".join(words)

    def panel(self, s: dict) -> str:
        """The badge, opening to what was checked."""
        typos = s.get("typos") or {}
        covers = f"{s['kind']}, {scope(s)}" if scope(s) else s["kind"]
        facts = [("As the machine read it", tex(s["read"])), ("Known as", html.escape(f"{covers}: {KINDS[s['kind']]}"))]
        facts += [("How", html.escape(s["method"]))] if s.get("method") not in (None, "", s["kind"]) else []
        facts += [("Under", self.links(s["assumes"]))] if s.get("assumes") else []
        facts += [("Taken as one symbol", ", ".join(map(tex, s["atoms"])))] if s.get("atoms") else []
        facts += [("Rests on", self.links(s["uses"]))] if s.get("uses") else []
        facts += [("Used by", self.links(s["used_by"]))] if s.get("used_by") else []
        facts += [("Fails", html.escape(s["fails"]))] if s.get("fails") else []
        facts += [("Argued from", self.links(s["rests"]))] if s.get("rests") else []
        facts += [("Said", quoted(s["quotation"]))] if s.get("quotation") else []
        facts += [("Not needed", ", ".join(map(tex, s["idle"])) + " by any check")] if s.get("idle") else []
        facts += [("Note", html.escape(s["note"]))] if s.get("note") else []
        facts += [self.detail(k, v) for k, v in (s.get("detail") or {}).items() if v]
        if typos.get("made"):
            shown = "".join(
                f"<li>{tex(t['latex'])} <small>{html.escape(str(t['how']))}</small></li>" for t in typos["examples"]
            )
            facts.append(("Typos", f"{teeth(typos)}<ul>{shown}</ul>" if shown else teeth(typos)))
        facts.append(("The check", self.check(s["label"])))
        rows = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts if text)
        return (
            f'<details class="evidence evidence-{colour(s)}" data-label="{s["label"]}">'
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
        if name == "means":
            return "Means", ", ".join(str(Estimate(*pair)) for pair in value)
        if name == "near":
            return "≈ allows", html.escape(f"{value:g}")
        if name == "tightest":
            return "Tightest", html.escape(f"{value:g} of equality")
        if name == "right minus left":
            return "Right minus left", ", ".join(f"{lo:g} to {hi:g}" for lo, hi in value)
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        return html.escape(name.capitalize()), html.escape(text)

    @staticmethod
    def bar(ledger: dict) -> str:
        """How much of a chapter is known in which way; what is proved for an instance stands apart."""
        said = {"proved": "proved in general", "instance": "proved for an instance"}
        found = counts(ledger)
        parts = [f'<span class="evidence-{k}"><b>{n}</b> {said.get(k, k)}</span>' for k, n in found.items()]
        strip = "".join(f'<i class="evidence-{k}" style="flex-grow: {n}"></i>' for k, n in found.items())
        return f'<p class="evidence-bar">{" ".join(parts)}<span class="strip" aria-hidden="true">{strip}</span></p>'

    def totals(self) -> str:
        """All chapters: what is known, and how."""
        totals, typos = Counter(), Counter()
        for ledger in self.ledgers.values():
            totals.update(counts(ledger))
            for s in ledger["statements"]:
                typos.update({k: v for k, v in (s.get("typos") or {}).items() if isinstance(v, int)})
        rows = "".join(
            f"<tr><td>{mark(name, k)}</td><td>{totals[k]}</td><td>{text}</td></tr>"
            for k, name, text in kinds_in_words(totals)
        )
        passed = typos["made"] - typos["caught"] - typos["equivalent"]
        unnoticed = f", and {passed} are misprints of a setting that no statement notices" if passed else ""
        return (
            f"<p>{sum(totals.values())} statements in {len(self.ledgers)} chapters. The checks were run again on "
            f"{typos['made']} misprints of these statements: {typos['caught']} were rejected and "
            f"{typos['equivalent']} were shown to say the same{unnoticed}.</p>"
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
                    (list(KINDS).index(s["kind"]), mark(s["kind"], colour(s))),
                    ("", html.escape(scope(s))),
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
            choice("kind", {k: k for k in kinds(self.ledgers)}),
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
                if s["kind"] in ("refuted", "trap"):
                    detail = s.get("detail") or {}
                    sides = html.escape(", ".join(map(str, detail.get("sides", []))))
                    corrected = self.link_number(named[detail["corrected"]]) if detail.get("corrected") in named else ""
                    rows += (
                        f"<tr><td>{self.link_number(s)}</td><td>{tex(s['read'])}</td>"
                        f"<td>{html.escape(where(s))}: its sides are {sides}</td><td>{corrected}</td></tr>"
                    )
            if rows:
                page = self.uri(name)
                head = ("Equation", "As published", "Counterexample", "Corrected")
                blocks += f'<h2><a href="{page}">{html.escape(ledger["title"])}</a></h2>{table(head, rows)}'
        return blocks or "<p>Nothing so far.</p>"
