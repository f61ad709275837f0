"""What a reference to an equation shows when it is pointed at: all equations of the book, loaded when first needed."""

import json
from pathlib import Path

from ledgers import ledgers, numbers
from markup import anchor

from spaces_core.checks.page import read_page
from spaces_core.lab.record import CHAPTERS


def equations() -> dict[str, dict]:
    """By address in the book, each numbered equation with its LaTeX and the kinds of its evidence."""
    found = {}
    for name, ledger in ledgers().items():
        number, kinds = numbers(ledger), {}
        for s in ledger["statements"]:
            kinds.setdefault(s["label"], []).append(s["kind"])
        for display in read_page(CHAPTERS / f"{name}.md").displays:
            if display.label in number:
                found[f"{name}.html#{anchor(display.label)}"] = {
                    "tex": display.latex,
                    "number": number[display.label],
                    "kinds": list(dict.fromkeys(kinds[display.label])),
                    "chapter": ledger["title"],
                }
    return found


def write(app, error):
    """As a script and not as JSON: a page opened from a folder may load the one and not the other."""
    if error is None and app.builder.format == "html":
        text = json.dumps(equations(), ensure_ascii=False).replace("</", "<\\/")
        Path(app.outdir, "_static", "equations.js").write_text(f"window.spacesEquations = {text};\n", encoding="utf-8")


def setup(app):
    app.connect("build-finished", write)
    app.add_js_file("previews.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
