"""The front page: the promise in one screen, and the contents made from the chapters that exist."""

import html
import json
import re
import sys
import tomllib
from pathlib import Path

from evidence import Evidence
from ledgers import ledgers, reading_order
from markup import tex

from spaces_core.lab.record import CHAPTERS, RECORDED

CHAPTER = "entropy/entropy_normalization"
STEPS = (
    (r"Raise probabilities to a power $\gamma$ and normalize:", "eq-ent-power"),
    (
        r"With $V$ the variance of $\log p$ under $\tilde p$, the entropy $H$ has its top at $\gamma = 0$:",
        "eq-ent-slope",
    ),
    ("So an entropy is met twice, and it is <em>not</em> true that meeting it keeps the order:", "eq-ent-claim-order"),
)
EVERY = 2
WIDE = ("benchmarks", "what-is-checked", "what-rests-on-what")
REGION = re.compile(r"(?<=^% contents\n).*?(?=^% end of contents$)", re.M | re.S)
HERE = Path(__file__).parent


def promise(evidence: Evidence) -> str:
    """A derivation with its badges beside the slider of its chapter."""
    ledger = evidence.ledgers.get(CHAPTER)
    if ledger is None:
        return ""
    found = {s["label"]: s for s in ledger["statements"]}
    steps = ""
    for text, label in STEPS:
        s = found[label]
        steps += (
            f"<p>{re.sub(r'[$](.*?)[$]', lambda m: tex(m[1]), text)}</p>"
            '<div class="math notranslate nohighlight"><span class="eqno">'
            f'<a href="{evidence.href(label)}">({evidence.number[label]})</a></span>'
            f"\\[{html.escape(s['latex'])}\\]</div>{evidence.panel(s)}"
        )
    more = f'<a href="{evidence.uri(CHAPTER)}">{html.escape(ledger["title"])}: the whole chapter</a>'
    moving = recorded_slider(CHAPTER, EVERY)
    return f'<div class="front"><div>{steps}</div><div>{moving}<p class="front-more">{more}</p></div></div>'


def recorded_slider(name: str, every: int) -> str:
    """The slider of a chapter's recording with one in `every` of its positions, the numbers of its strokes rounded."""
    notebook = json.loads((RECORDED / f"{name}.ipynb").read_text())
    outputs = (
        "".join(o["data"].get("text/html", ""))
        for cell in notebook["cells"]
        for o in cell.get("outputs", [])
        if "data" in o
    )
    markup = next(text for text in outputs if "spaces-slider" in text)
    start = int(re.search(r' value="(\d+)"', markup)[1])
    values = json.loads(html.unescape(re.search(r'data-values="([^"]*)"', markup)[1]))
    kept = range(start % every, len(values), every)
    head, *frames = re.split(r'(?=<div data-frame="\d+")', markup)
    frames[-1], tail = frames[-1].rsplit("</figure>", 1)
    head = re.sub(r'data-values="[^"]*"', f'data-values="{html.escape(json.dumps([values[k] for k in kept]))}"', head)
    head = re.sub(r' max="\d+"', f' max="{len(kept) - 1}"', head)
    head = re.sub(r' value="\d+"', f' value="{start // every}"', head)
    body = "".join(
        re.sub(r'data-frame="\d+"', f'data-frame="{place}"', short(frames[k]), count=1) for place, k in enumerate(kept)
    )
    return f"{head}{body}</figure>{tail}"


def short(svg: str) -> str:
    """A picture whose paths are given to a hundredth of a point."""
    return re.sub(r'(?<= d=")[^"]*', lambda d: re.sub(r"(\.\d\d)\d+", r"\1", d[0]), svg)


def summary(name: str) -> str:
    """A chapter's result in one line, what it asks of a reader, and how long it takes to read, as MyST."""
    said = tomllib.loads((HERE / "contents.toml").read_text(encoding="utf-8"))[name]
    return f"{said['result']}\n\n  *Needs {said['needs']}; about {minutes(name)} minutes.*"


def minutes(name: str) -> int:
    """How long the text of a chapter takes to read, at 200 words a minute and a quarter of one for each equation."""
    text = (CHAPTERS / f"{name}.md").read_text(encoding="utf-8")
    prose = re.sub(r"^```\{code-cell\}.*?^```$|\A---.*?^---$", "", text, flags=re.M | re.S)
    equations = len(re.findall(r"\$ \(eq-", prose)) + prose.count("{math}")
    return 5 * max(1, round((len(re.sub(r"\$\$.*?\$\$", "", prose, flags=re.S).split()) / 200 + equations / 4) / 5))


def contents() -> str:
    """The list of the chapters that exist, part by part, as MyST, with the table of contents that Sphinx needs."""
    names = reading_order()
    parts = list(dict.fromkeys(n.split("/")[0] for n in names))
    titles = {n: re.search(r"^# (.*)$", (CHAPTERS / f"{n}.md").read_text(), re.M)[1] for n in names}
    text = ""
    for part in parts:
        mine = [n for n in names if n.startswith(f"{part}/")]
        text += f"\n**{part.capitalize()}**\n\n" + "".join(f"- [{titles[n]}]({n}.md)\n" for n in mine)
    for part in parts:
        mine = "\n".join(n for n in names if n.startswith(f"{part}/"))
        text += f"\n```{{toctree}}\n:hidden:\n:caption: {part.capitalize()}\n\n{mine}\n```\n"
    return text + "\n"


def fill_contents(text: str) -> str:
    """The index with its contents made anew, and under each chapter its result and evidence."""
    known = ledgers()

    def more(line: re.Match) -> str:
        name = line[1]
        bar = Evidence.bar(known[name]) if name in known else ""
        return f"{line[0]}\n\n  {summary(name)}\n\n  ```{{raw}} html\n  {bar}\n  ```\n"

    made = re.sub(r"^- \[[^\]]*\]\(([\w-]+/[\w-]+)\.md\)$", more, contents(), flags=re.M)
    return REGION.sub(lambda _: made, text)


def read_index(app, docname, source):
    if docname == app.config.root_doc:
        source[0] = fill_contents(source[0])


def widen(app, doctree):
    """Pages that need the width have no list of their own sections beside them."""
    if app.env.docname in (app.config.root_doc, *WIDE):
        app.env.metadata[app.env.docname]["hide-toc"] = True


def setup(app):
    app.connect("source-read", read_index)
    app.connect("doctree-read", widen)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    page = Path(CHAPTERS / "index.md")
    sys.exit(None if page.write_text(REGION.sub(lambda _: contents(), page.read_text())) else 1)
