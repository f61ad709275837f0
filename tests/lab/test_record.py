"""The recorder and the replay on a book of one small chapter: what they keep, what they run again, what they refuse."""

import json

import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from spaces_core.lab.record import ROOT, chapter_names, outdated, printed_at_scale
from spaces_core.lab.running import ChapterFailedError
from spaces_core.lab.sources import files_behind
from tests.lab.book import SQUARE, Book


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("recorded"), {"square": SQUARE})
    done = book.record()
    assert done.returncode == 0, done.stderr
    return book


@pytest.fixture
def book(recorded, tmp_path):
    """A fresh copy of the recorded book."""
    return recorded.copy(tmp_path / "book")


def test_recording_twice_gives_the_same_bytes(book):
    before = {kind: book.stored(kind).read_bytes() for kind in (".ipynb", ".ledger.json", ".figures.json")}
    assert "ran in" in book.record("--force", "part/square").stdout
    assert {kind: book.stored(kind).read_bytes() for kind in before} == before


def test_a_run_says_when_how_long_and_on_what(book):
    run = json.loads(book.stored(".run.json").read_text())
    assert set(run) == {"recorded", "command", "seconds", "code_cells", "hardware", "versions", "sources"}
    assert run["code_cells"] == 3


def test_unchanged_chapters_are_not_run(book):
    assert "is up to date" in book.record().stdout


def test_prose_keeps_the_outputs_and_moves_the_lines(book):
    book.edit("The square of a sum:", "The square of a sum,\n\nonce more:")
    assert "kept its outputs" in book.record().stdout
    assert json.loads(book.stored(".ledger.json").read_text())["statements"][0]["line"] == 19
    assert "once more" in book.stored(".ipynb").read_text()
    replay = book.replay()
    assert replay.returncode == 0, replay.stdout
    assert "replayed 3 cells in 1 chapters, 3 statements checked; ledger: 3" in replay.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [("a^2 + 2 a b + b^2\n", "b^2 + 2 a b + a^2\n"), ('ch.prove("eq-square")', 'ch.prove("eq-square", by="identity")')],
    ids=["display", "code"],
)
def test_a_changed_display_or_cell_is_run_again(book, old, new):
    book.edit(old, new)
    assert "ran in" in book.record().stdout


def test_a_changed_library_is_run_again(book):
    with (book.root / "spaces_core" / "lab" / "plotting.py").open("a") as source:
        source.write("\n# changed\n")
    assert "ran in" in book.record().stdout


def test_code_that_a_chapter_does_not_import_leaves_its_recording(book):
    with (book.root / "spaces_core" / "lab" / "transformer.py").open("a") as source:
        source.write("\n# changed\n")
    assert "is up to date" in book.record().stdout


def test_the_files_behind_code_are_those_of_the_names_it_uses():
    def behind(code):
        return {p.relative_to(ROOT).as_posix() for p in files_behind(code)}

    assert behind("import torch") == set()
    assert behind("from spaces_core.entropy import entropy") == {"spaces_core/entropy/entropy_normalization.py"}
    assert behind("from spaces_core import init_variance") == {"spaces_core/training/nonsquare_init.py"}
    assert behind("from figures.penalties import gradient_penalty as draw") == {
        "figures/penalties/gradient_penalty.py",
        "spaces_core/lab/plotting.py",
    }
    assert {"spaces_core/checks/proofs.py", "spaces_core/checks/tree.py"} <= behind(
        "from spaces_core.checks import Vec"
    )


@pytest.mark.parametrize("name", chapter_names())
def test_every_chapter_was_recorded_with_the_present_code(name):
    assert not outdated(name), f"python -m spaces_core.lab.record {name}"


def test_a_copy_that_jupyterlab_leaves_is_no_chapter(book):
    names = "import spaces_core.lab.record as r; print(r.chapter_names())"
    for folder in ("chapters", "chapters/part"):
        (book.root / folder / ".ipynb_checkpoints").mkdir()
        (book.root / folder / ".ipynb_checkpoints" / "index-checkpoint.md").write_text("# Index")
    assert book.run("-c", names).stdout.strip() == "['part/square']"


def test_a_failing_chapter_is_named_with_its_cell_and_leaves_the_recording(book):
    before = book.stored(".ipynb").read_bytes()
    book.edit("+ 2 a b", "- 2 a b")
    done = book.record()
    assert done.returncode == 1
    assert "part/square: cell 1 (from spaces_core.checks import Chapter) failed" in done.stderr
    assert "eq-square" in done.stderr
    assert book.stored(".ipynb").read_bytes() == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_no_gpu_run_is_recorded(book):
    done = book.record("--gpu")
    assert done.returncode == 1
    assert "finds no GPU here" in done.stderr
    assert not book.stored(".gpu.json").exists()


def test_a_gpu_run_keeps_what_is_printed_at_scale():
    def ran(text):
        return new_code_cell("", outputs=[new_output("stream", name="stdout", text=text)])

    cells = [
        ran("small\n"),
        new_markdown_cell("# Title\n\n## At scale\n\nLarge."),
        ran("large\n"),
        new_code_cell("x = 1"),
    ]
    cells += [ran("larger\n"), new_markdown_cell("## Where it breaks"), ran("broken\n")]
    assert printed_at_scale(new_notebook(cells=cells)) == "large\nlarger\n"
    with pytest.raises(ChapterFailedError, match="At scale"):
        printed_at_scale(new_notebook(cells=cells[:2]))


def test_a_chapter_that_warns_is_not_recorded(book):
    book.edit(
        "import matplotlib.pyplot as plt", "import warnings\n\nimport matplotlib.pyplot as plt\n\nwarnings.warn('old')"
    )
    done = book.record()
    assert done.returncode == 1
    assert "part/square: cell 2 warns" in done.stderr


def test_unknown_chapters_are_refused(book):
    done = book.record("part/circle")
    assert done.returncode == 2
    assert "no such chapter: part/circle; there are: part/square" in done.stderr


def test_recordings_without_a_chapter_are_removed(book):
    book.chapter().unlink()
    assert book.record().returncode == 0
    assert not book.stored(".ipynb").exists()


def output_changed(nb):
    nb["cells"][1]["outputs"][0]["data"]["text/plain"] = ["proved differently"]


def never_run(nb):
    for cell in nb["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = None


def figure_moved(figures):
    figures[0]["frames"][0][0]["values"][0] = 0.5


def statement_dropped(ledger):
    ledger["statements"].clear()
    ledger["totals"] = {}


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        (".ipynb", output_changed, "Cell 0"),
        (".ipynb", never_run, "test_every_cell_ran_once_in_order_without_error_or_warning"),
        (".figures.json", figure_moved, "figure 1 (A line.): Line2D 1 differs by 0.5"),
        (".ledger.json", statement_dropped, "3 statements checked; ledger: 0"),
    ],
)
def test_the_replay_tells_a_recording_that_is_not_what_the_chapter_does(book, kind, change, told):
    book.change(kind, change)
    replay = book.replay()
    assert replay.returncode == 1, replay.stdout
    assert told in replay.stdout


def test_the_replay_tells_a_chapter_edited_after_its_recording(book):
    book.edit("The square of a sum:", "The square of a difference:")
    replay = book.replay()
    assert replay.returncode == 1
    assert "stale: python -m spaces_core.lab.record part/square" in replay.stdout


def test_a_part_of_the_replay_does_not_claim_the_whole(book):
    cell = "tests/recorded/part/square.ipynb::Cell 0"
    assert book.run("-m", "pytest", cell, "-q", "-p", "no:cacheprovider").returncode == 0
    whole = book.run("-m", "pytest", cell, "-q", "-p", "no:cacheprovider", "--all-chapters")
    assert whole.returncode == 1
    assert "part/square: not replayed in full" in whole.stdout
