"""Recordings that are not what their chapter does make the replay fail, with the kernels of any processor.

One book of an honest chapter, one whose recording was tampered with in five places, and one whose claim was turned
round, replayed once under each setting: every fault is told, and nothing is told of the honest chapter.
"""

import pytest

from spaces_core.lab.audit import KERNELS
from tests.lab.book import Book, canary

NAMES = ("honest", "tampered", "false")
SETTINGS = {"as it is": {}, **KERNELS}


def mean_moved(ledger):
    ledger["statements"][1]["detail"]["means"][0][0] *= 2


def statement_dropped(ledger):
    del ledger["statements"][0]


def figure_moved(figures):
    figures[0]["frames"][0][0]["values"][1] += 1


def texts_changed(nb):
    code = [cell for cell in nb["cells"] if cell["cell_type"] == "code"]
    number, text = (code[i]["outputs"][0]["text"] for i in (1, 2))
    start, rest = number[0].split("by ")
    number[0] = f"{start}by 1{rest}"
    text[0] = text[0].replace("True", "False")


def turned_round(nb):
    for cell in nb["cells"]:
        cell["source"] = [line.replace("F < G", "F > G") for line in cell["source"]]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("canaries"), {name: canary(name) for name in NAMES})
    done = book.record()
    assert done.returncode == 0, done.stderr
    book.change(".ledger.json", mean_moved, "tampered")
    book.change(".ledger.json", statement_dropped, "tampered")
    book.change(".figures.json", figure_moved, "tampered")
    book.change(".ipynb", texts_changed, "tampered")
    book.edit("F < G", "F > G", "false")
    book.change(".ipynb", turned_round, "false")
    return book


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_fault_is_told_and_no_other(book, setting):
    replay = book.replay(**SETTINGS[setting])
    assert replay.returncode == 1
    failed = [line for line in replay.stdout.splitlines() if line.startswith("FAILED")]
    for told in (
        "part/tampered.ipynb::Cell 1",
        "part/tampered.ipynb::Cell 2",
        "part/tampered: ledger differs at eq-tampered-square",
        "part/tampered: eq-tampered-gain: a side is",
        "part/tampered: figure 1 (A line.): Line2D 1 differs by 1",
        "part/false.ipynb::Cell 0",
    ):
        assert any(told in line for line in failed), f"{told}:\n{replay.stdout}"
    assert "is outside the recorded 1" in replay.stdout
    assert "eq-false-gain: right minus left has the 95 % interval" in replay.stdout
    assert not [line for line in failed if "honest" in line]
