"""What a page may show of the ledgers, by name; the same in JupyterLab and in the static page."""

from collections.abc import Callable

import benchmarks
import front
import graph
import runs
from evidence import Evidence

BLOCKS: dict[str, Callable[[Evidence], str]] = {
    "totals": Evidence.totals,
    "statements": Evidence.statements,
    "refuted": Evidence.refuted,
    "runs": runs.table_of_runs,
    "promise": front.promise,
    "graph": graph.book,
    "benchmarks": benchmarks.all_topics,
}
