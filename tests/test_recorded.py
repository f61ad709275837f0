"""A recording is the executed form of its chapter: a stale or vacuous one fails here, before nbval replays it.

nbval passes a cell that was never executed and knows nothing of the source that a notebook came from.
"""

import json

import nbformat
import pytest

from spaces_core.lab.record import CHAPTERS, KINDS, RECORDED, chapter_names, read_source

NAMES = chapter_names()


def recording(name):
    return nbformat.read(RECORDED / f"{name}.ipynb", 4)


def test_every_chapter_has_a_recording_and_nothing_else_has():
    stems = {p.relative_to(RECORDED).as_posix() for p in RECORDED.glob("*/*") if p.is_file()}
    optional = (".figures.json", ".gpu.json", ".audit.json")
    needed = {name + kind for name in NAMES for kind in KINDS if kind not in optional}
    allowed = {name + kind for name in NAMES for kind in KINDS}
    assert needed <= stems <= allowed, "python -m spaces_core.lab.record brings tests/recorded up to date"


@pytest.mark.parametrize("name", NAMES)
def test_recording_has_the_cells_of_its_chapter(name):
    def cells(nb):
        return [(c.cell_type, c.source, c.metadata) for c in nb.cells]

    assert cells(recording(name)) == cells(read_source(name)), f"stale: python -m spaces_core.lab.record {name}"


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_ran_once_in_order_without_error_or_warning(name):
    code = [c for c in recording(name).cells if c.cell_type == "code"]
    assert code
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    assert not [o for c in code for o in c.outputs if o.output_type == "error" or o.get("name") == "stderr"]


@pytest.mark.parametrize("name", NAMES)
def test_the_source_holds_no_outputs_and_is_in_normal_form(name):
    """In the form that JupyterLab saves, so that opening and saving a chapter changes nothing."""
    import jupytext

    text = (CHAPTERS / f"{name}.md").read_text()
    nb = jupytext.reads(text, fmt="md:myst")
    nb.metadata["jupytext"]["text_representation"].pop("jupytext_version", None)
    nb.metadata["jupytext"]["notebook_metadata_filter"] = (
        "kernelspec,jupytext,-jupytext.text_representation.jupytext_version"
    )
    again = jupytext.writes(nb, fmt="md:myst")
    again = "\n".join(line for line in again.splitlines() if "notebook_metadata_filter" not in line) + "\n"
    assert again == text, "open the chapter in JupyterLab and save it, or see the front matter in CONTRIBUTING.md"


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_in_a_recording_has_a_description(name):
    """Figures go through spaces_core.lab.plotting, which asks for one; a bare matplotlib image has none."""
    outputs = [o for c in recording(name).cells for o in c.get("outputs", []) if "data" in o]
    assert not [o for o in outputs if {"image/png", "image/jpeg", "image/svg+xml"} & set(o.data)], "use plotting.show"


@pytest.mark.parametrize("name", NAMES)
def test_the_ledger_is_of_this_chapter(name):
    ledger = json.loads((RECORDED / f"{name}.ledger.json").read_text())
    totals = {}
    for statement in ledger["statements"]:
        totals[statement["kind"]] = totals.get(statement["kind"], 0) + 1
    assert ledger["chapter"] == name
    said = dict(ledger["totals"])
    scopes = [said.pop(k, None) for k in ("general", "instance")]
    assert {k: v for k, v in said.items() if v} == totals
    assert scopes == [None, None] or sum(scopes) == said["proved"]
