"""The tables of the evidence in JupyterLab: the cell that shows one there is the same table in the static page."""

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def show(what: str) -> Any:
    r"""A table of the book as it stands in the ledgers now.

    Args:
        what: "promise", "totals", "statements", "graph", "refuted", "runs" or "benchmarks".

    Returns:
        HTML that JupyterLab displays, with links to the chapters as notebooks.

    Raises:
        ValueError: there is no table of that name.
    """
    from IPython.display import HTML

    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    from evidence import Evidence
    from tables import BLOCKS

    if what not in BLOCKS:
        raise ValueError(f"what must be one of {', '.join(BLOCKS)}; got {what!r}")
    return HTML(BLOCKS[what](Evidence("", lambda name: f"{name}.md")))
