"""Lets the reader of the static book edit a symbolic statement and have it checked again in the page."""

import json
import sys
from pathlib import Path

from ledgers import ledger

from spaces_core.checks.page import read_page
from spaces_core.checks.recheck import editable

from . import bundle

EXAMPLES = 6


def prepare(app):
    """Find or make the bundle; without it the book is built without the edit boxes."""
    app.recheck_ready = False
    if app.builder.format != "html" or app.builder.name != "html":
        return
    try:
        made = bundle.runtime()
    except bundle.Unavailable as error:
        print(f"The book is built without its re-check panels: {error}.", file=sys.stderr)
        return
    app.recheck_ready = True
    app.recheck_megabytes = round((sum(f.stat().st_size for f in made.glob("*.js")) + len(bundle.engine())) / 1e6)


def statements(app, docname) -> dict[str, dict]:
    """What the reader may edit on a page, with a few typos to start from."""
    found = ledger(docname)
    if found is None:
        return {}
    rows = editable(read_page(Path(app.srcdir) / f"{docname}.md"), found)
    for s in found["statements"]:
        if s["label"] in rows and not s["part"]:
            rows[s["label"]]["typos"] = [t["latex"] for t in s["typos"]["examples"]][:EXAMPLES]
    return {label: {"typos": [], **row} for label, row in rows.items()}


def add_statements(app, pagename, templatename, context, doctree):
    if not app.recheck_ready or doctree is None:
        return
    rows = statements(app, pagename)
    if not rows:
        return
    data = {"chapter": pagename, "megabytes": app.recheck_megabytes, "statements": rows}
    text = json.dumps(data).replace("<", "\\u003c")
    context["body"] += f'<script type="application/json" id="recheck-statements">{text}</script>'
    app.add_js_file("recheck.js")
    app.add_css_file("recheck.css")


def outdated(app, env, added, changed, removed):
    """Pages of chapters are made anew when the bundle appears, disappears or changes its size."""
    state = app.recheck_ready and app.recheck_megabytes
    if getattr(env, "recheck_state", None) == state:
        return []
    env.recheck_state = state
    return [n for n in env.found_docs if ledger(n) is not None]


def write(app, error):
    if error is not None or not app.recheck_ready:
        return
    names = [n for n in sorted(app.env.found_docs) if ledger(n) is not None]
    pages = {n: (Path(app.srcdir) / f"{n}.md").read_text(encoding="utf-8") for n in names}
    bundle.write(Path(app.outdir) / "_static" / "recheck", pages)


def setup(app):
    app.connect("builder-inited", prepare)
    app.connect("env-get-outdated", outdated)
    app.connect("html-page-context", add_statements)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
