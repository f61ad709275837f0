"""Open the book in JupyterLab without writing into the reader's own Jupyter: python -m spaces_core.lab.opening

JupyterLab is pointed at the settings in `share/jupyter` for this one start; what the reader has set still holds beside
them. A chapter is paired with a copy of its recording in `_build/lab`, so that it opens with its outputs, and running
and saving it changes no file of the book. More arguments go to `jupyter lab`.
"""

import os
import shutil
import sys

import nbformat
from nbformat.sign import NotebookNotary

from spaces_core.lab.record import RECORDED, ROOT, chapter_names
from spaces_core.lab.running import SETTINGS

COPIES = ROOT / "_build" / "lab"


def settings() -> dict[str, str]:
    """Environment variables under which JupyterLab opens the book."""
    own = str(ROOT / "share" / "jupyter")
    paths = [own, *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    return {
        "JUPYTER_CONFIG_PATH": os.pathsep.join(paths),
        "JUPYTERLAB_WORKSPACES_DIR": str(COPIES / "workspaces"),
        **SETTINGS,
    }


def copy_recordings() -> None:
    """Bring copies of the recordings up to date, and trust them, which lets their sliders move before anything ran."""
    COPIES.mkdir(parents=True, exist_ok=True)
    notary = NotebookNotary(db_file=str(COPIES / "signatures.db"), secret_file=str(COPIES / "secret"))
    for name in chapter_names():
        recording, copy = RECORDED / f"{name}.ipynb", COPIES / f"{name}.ipynb"
        if recording.exists() and not (copy.exists() and copy.stat().st_mtime >= recording.stat().st_mtime):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(recording, copy)
            notary.sign(nbformat.read(copy, 4))
    notary.store.close()


def main(arguments: list[str]) -> None:
    """Copy the recordings and become JupyterLab."""
    copy_recordings()
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", *root, *arguments]
    os.chdir(ROOT)
    os.execve(sys.executable, command, {**os.environ, **settings()})


if __name__ == "__main__":
    main(sys.argv[1:])
