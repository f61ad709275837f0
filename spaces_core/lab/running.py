"""Run the cells of a chapter in a fresh kernel, as the recorder and the audit do."""

import os
import re
from pathlib import Path
from typing import Any

from spaces_core.lab.sources import ROOT

CELL_SECONDS = 600
SETTINGS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
"""Environment variables under which everything that is compared runs: sums of several threads have no fixed order."""


class ChapterFailedError(RuntimeError):
    """A cell of a chapter raised an exception while it was recorded."""


def kernel_settings(name: str, folder: Path) -> dict[str, str]:
    """Environment variables under which a chapter is recorded and replayed; its ledger goes to `folder`."""
    return {**SETTINGS, "SPACES_CHAPTER": name, "SPACES_LEDGER_DIR": str(folder)}


def execute(name: str, nb: Any, folder: Path, settings: dict[str, str] | None = None) -> None:
    """Run every cell in a fresh kernel with `settings` in its environment; ledger and figure data go to `folder`.

    Raises:
        ChapterFailedError: a cell fails or warns.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    cwd = ROOT / "tests" / "recorded" / Path(name).parent
    cwd.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        nb,
        timeout=CELL_SECONDS,
        coalesce_streams=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(cwd)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    try:
        client.execute(env={**os.environ, **kernel_settings(name, folder), **(settings or {})})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        done = [i for i, c in enumerate(nb.cells) if c.cell_type == "code" and c.execution_count]
        place = done[-1] if done else 0
        first = "".join(nb.cells[place].source.strip().splitlines()[:1])
        told = re.sub(r"\x1b\[[\d;]*m", "", str(error)).strip().splitlines()[-12:]
        raise ChapterFailedError("\n".join([f"{name}: cell {place} ({first}) failed", *told])) from None
    for place, cell in enumerate(nb.cells):
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.pop("transient", None)
            if output.get("name") == "stderr":
                raise ChapterFailedError(f"{name}: cell {place} warns, and no page should:\n{output.text.strip()}")
