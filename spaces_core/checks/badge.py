"""One line that says how a statement is known."""

from __future__ import annotations

import html

from .ledger import SILENT


def typo_text(e) -> str:
    if not e.made:
        return ""
    text = f"{e.caught} of {e.made - e.equivalent} misprints caught"
    return text + (f", {e.equivalent} more equivalent" if e.equivalent else "")


class Badge:
    """The badge of one piece of evidence: HTML for a notebook, plain text for a replay."""

    def __init__(self, evidence, pending: bool = False):
        self.e, self.pending = evidence, pending

    def parts(self) -> list[str]:
        e = self.e
        name = e.label + (f" ({e.part})" if e.part else "")
        if e.error:
            return [name, "failed", e.error]
        kind = e.kind if e.kind in SILENT or not e.scope else f"{e.kind} · {e.where()}"
        if self.pending:
            return [name, kind]
        idle = f"not needed by any check: {', '.join(e.idle)}" if e.idle else ""
        return [name, kind, *([e.method] if e.method not in ("", e.kind) else []), *filter(None, [idle, typo_text(e)])]

    def __repr__(self):
        return ("✗ " if self.e.error else "✓ ") + " · ".join(self.parts())

    def _repr_html_(self):
        name, kind, *rest = map(html.escape, self.parts())
        state = "failed" if self.e.error else self.e.kind
        tail = "".join(f" · {r}" for r in rest)
        mark = "✗" if self.e.error else "✓"
        text = f"{mark} <code>{name}</code> <strong>{kind}</strong>{tail}"
        return f'<div class="evidence-badge evidence-{state}">{text}</div>'


class Summary:
    """The closing line of a chapter."""

    def __init__(self, chapter):
        self.totals = {k: v for k, v in chapter.totals().items() if v}
        good = [e for e in chapter.evidence if not e.error]
        self.relations = sum(e.relations for e in good)
        self.made = sum(e.made - e.equivalent for e in good)
        self.caught = sum(e.caught for e in good)
        self.equivalent = sum(e.equivalent for e in good)
        self.labels = len({e.label for e in good})
        self.failed = len(chapter.evidence) - len(good)

    def __repr__(self):
        kinds = ", ".join(f"{v} {k}" for k, v in self.totals.items())
        text = f"{self.labels} displays, {self.relations} statements: {kinds}"
        text += f"; {self.caught} of {self.made} misprints caught"
        text += f", {self.equivalent} equivalent" if self.equivalent else ""
        return text + (f"; {self.failed} failed" if self.failed else "")

    def _repr_html_(self):
        return f'<div class="evidence-badge evidence-summary">{html.escape(repr(self))}</div>'
