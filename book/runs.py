"""When and on what the chapters were recorded, and what they printed on a GPU."""

import html

from evidence import Evidence
from ledgers import gpu_run, run
from markup import table


def table_of_runs(evidence: Evidence) -> str:
    """When, how long and on what each chapter was last recorded."""
    rows, settings = "", {}
    for name, ledger in evidence.ledgers.items():
        done = run(name)
        page = evidence.uri(name)
        statements = sum(s["relations"] for s in ledger["statements"])
        cells = (
            f'<span class="nowrap">{done["recorded"]}</span>',
            f"{done['seconds']:.0f}&nbsp;s",
            done["code_cells"],
            statements,
            html.escape(done["hardware"]),
        )
        rows += f'<tr><td><a href="{page}">{html.escape(ledger["title"])}</a></td>'
        rows += "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
        settings.setdefault(", ".join(f"{k} {v}" for k, v in done["versions"].items()), []).append(ledger["title"])
    head = ("Chapter", "Recorded", "Took", "Cells", "Statements", "On")
    if len(settings) == 1:
        used = f"<p>All with {html.escape(next(iter(settings)))}.</p>"
    else:
        lines = (f"<li>{html.escape(v)}: {html.escape(', '.join(titles))}</li>" for v, titles in settings.items())
        used = f"<p>With</p><ul>{''.join(lines)}</ul>"
    return f"{table(head, rows)}{used}<h2>On a GPU</h2>{gpu_runs(evidence)}"


def gpu_runs(evidence: Evidence) -> str:
    """The recorded runs on a GPU."""
    rows = ""
    for name, ledger in evidence.ledgers.items():
        if run := gpu_run(name):
            facts = (run["recorded"], run["gpu"], f"torch {run['versions']['torch']}, CUDA {run['versions']['cuda']}")
            rows += f'<tr><td><a href="{evidence.uri(name)}#at-scale">{html.escape(ledger["title"])}</a></td>'
            rows += "".join(f"<td>{html.escape(fact)}</td>" for fact in facts)
            rows += f"<td><code>{html.escape(run['command'])}</code></td></tr>"
    if not rows:
        return (
            "<p>None yet: no machine that recorded this book had one. On a machine with a GPU "
            "<code>python -m spaces_core.lab.record --gpu part/topic</code> records what a chapter prints at scale.</p>"
        )
    return table(("Chapter", "Recorded", "On", "With", "Command"), rows)


def at_scale(name: str) -> str:
    """What stands at the end of a chapter's section "At scale"."""
    run = gpu_run(name)
    if run is None:
        return (
            '<p class="gpu-run">No run on a GPU has been recorded for this chapter yet; '
            f"<code>python -m spaces_core.lab.record --gpu {name}</code> records one.</p>"
        )
    versions = ", ".join(f"{k} {v}" for k, v in run["versions"].items())
    return (
        f'<div class="gpu-run"><p>Recorded on {run["recorded"]} on {html.escape(run["gpu"])} '
        f"with <code>{html.escape(run['command'])}</code> ({html.escape(versions)}):</p>"
        f'<div class="highlight"><pre>{html.escape(run["printed"])}</pre></div></div>'
    )
