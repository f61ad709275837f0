"""The page of benchmarks: methods beside their peers, from the record that `python -m tests.benchmarks` writes."""

import html
import json

from evidence import Evidence
from markup import table

from spaces_core.lab.record import RECORDED

RESULT = RECORDED / "benchmarks.json"


def all_topics(evidence: Evidence) -> str:
    """One line for each comparison, then the circumstances and all sides."""
    stored = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    topics = {name: stored[name] for name in evidence.ledgers if name in stored}
    if not topics:
        return "<p>None recorded so far.</p>"
    runs: dict[str, list[str]] = {}
    for name, record in topics.items():
        runs.setdefault(circumstances(record), []).append(evidence.ledgers[name]["title"])
    if len(runs) == 1:
        said = f"<p>{next(iter(runs))}</p>"
    else:
        said = "".join(f"<li>{html.escape(', '.join(titles))}: {run}</li>" for run, titles in runs.items())
        said = f"<p>Runs:</p><ul>{said}</ul>"
    lines = "".join(line_html(evidence, name, row) for name, record in topics.items() for row in record["rows"])
    head = ("Work", "Ours", "Fastest other", "Its time", "Times ours", "Differs from ours by")
    return said + table(head, lines) + "".join(topic_html(evidence, *item) for item in topics.items())


def circumstances(record: dict) -> str:
    """When, how and with what a topic was run."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return (
        f"{record['recorded']}, {html.escape(record['hardware'])}, threads: {html.escape(record['threads'])}; "
        f"<code>{html.escape(record['command'])}</code>; {html.escape(versions)}."
    )


def line_html(evidence: Evidence, topic: str, row: dict) -> str:
    """One comparison in one line: our method and the fastest of the others that ran."""
    ran = [side for side in row["peers"] if "missing" not in side and not side["name"].startswith("ours")]
    title = f'<a href="{evidence.uri(topic)}">{html.escape(evidence.ledgers[topic]["title"])}</a>'
    cells = [f"{title}: {html.escape(row['name'])} ({row['device']})", seconds(row["ours"]["median_s"])]
    if ran:
        best = min(ran, key=lambda side: side["median_s"])
        cells += [html.escape(best["name"]), seconds(best["median_s"]), f"{best['ratio']:g}"]
        cells += [f"{best['agreement']:g}" if "agreement" in best else ""]
    else:
        cells += ["none ran", "", "", ""]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def topic_html(evidence: Evidence, topic: str, record: dict) -> str:
    """A heading and the rows of one topic, with all sides."""
    title = html.escape(evidence.ledgers[topic]["title"])
    blocks = [f'<h2><a href="{evidence.uri(topic)}">{title}</a></h2>']
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
    ('2.13&nbsp;ms', '2.13&nbsp;s')
    """
    return f"{value * 1000:.3g}&nbsp;ms" if value < 1 else f"{value:.3g}&nbsp;s"
