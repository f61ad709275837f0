"""The page of benchmarks: methods beside their peers, from the record that `python -m tests.benchmarks` writes."""

import html
import json

from docutils import nodes
from evidence import table
from sphinx.util.docutils import SphinxDirective

from spaces_core.record import RECORDED

RESULT = RECORDED / "benchmarks.json"


class BenchmarkTable(SphinxDirective):
    """`{benchmarks}`: one table a topic."""

    def run(self):
        self.env.note_dependency(str(RESULT))
        return [nodes.raw("", all_topics(), format="html")]


def all_topics() -> str:
    """Every table of the record."""
    stored = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    return "".join(topic_html(*item) for item in stored.items()) or "<p>None recorded so far.</p>"


def topic_html(topic: str, record: dict) -> str:
    """A heading, the circumstances and the rows of one topic."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    blocks = [
        f"<h2>{html.escape(topic)}</h2><p>{record['recorded']}, {html.escape(record['hardware'])}, threads: "
        f"{html.escape(record['threads'])}; <code>{html.escape(record['command'])}</code>; {html.escape(versions)}.</p>"
    ]
    for row in record["rows"]:
        error = row.get("error_name")
        head = ("Side", "Median time [quartiles]", "Times ours", "Added memory", "Differs from ours by")
        head += (html.escape(error.capitalize()),) if error else ()
        sides = [{"name": f"ours: {row['method']}", **row["ours"]}, *row["peers"]]
        rows = "".join(side_html(side, len(head), bool(error)) for side in sides)
        blocks.append(f"<h3>{html.escape(row['name'])} ({row['device']})</h3>{table(head, rows)}")
    return "".join(blocks)


def side_html(side: dict, columns: int, with_error: bool) -> str:
    """One line of a table: a method and what it cost, or why it did not run."""
    name = f"<td>{html.escape(side['name'])}</td>"
    if "missing" in side:
        return f'<tr>{name}<td colspan="{columns - 1}">not run: {html.escape(side["missing"])}</td></tr>'
    cells = [
        f"{seconds(side['median_s'])} [{seconds(side['q1_s'])}, {seconds(side['q3_s'])}]",
        f"{side['ratio']:g}" if "ratio" in side else "1",
        "not measured" if side["peak_mib"] is None else f"{side['peak_mib']:g} MiB",
        f"{side['agreement']:g}" if "agreement" in side else "",
    ]
    cells += [f"{side['error']:g}"] if with_error else []
    return f"<tr>{name}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def seconds(value: float) -> str:
    """A time with a unit that suits it.

    >>> seconds(0.00213), seconds(2.13)
    ('2.13 ms', '2.13 s')
    """
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"


def setup(app):
    app.add_directive("benchmarks", BenchmarkTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
