"""The command line, on a page and on a notebook that are not this book's."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from spaces_core.checks.__main__ import main
from spaces_core.checks.claims import claim_box, sentences, uncarried
from spaces_core.checks.page import parse_page
from spaces_core.lab.record import ROOT

FOREIGN = """\
# Somebody's lecture

For every $x$ the square is not negative. Every number has one, see {eq}`square`.

$$ x, y \\in \\mathbb R $$ (numbers)

$$ (x + y)^2 = x^2 + 2 x y + y^2 $$ (square)
"""
CHECK = """\
from spaces_core.checks import Chapter
ch = Chapter("lecture")
ch.setting("numbers")
ch.prove("square")
ch.report()
"""


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "lecture.md"
    path.write_text(f"{FOREIGN}\n```{{code-cell}} python\n:tags: [check]\n{CHECK}```\n")
    return path


def test_a_page_of_somebody_else(page, capsys):
    assert main([str(page)]) == 0
    out = capsys.readouterr().out
    assert "✓  square   proved · general" in out and "misprints caught" in out
    assert "1 sentences of the text quantify" in out


def test_a_notebook_of_somebody_else(tmp_path, capsys):
    nb = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell(CHECK)
    cell.metadata["tags"] = ["check"]
    nb.cells = [nbformat.v4.new_markdown_cell(FOREIGN), cell]
    path = tmp_path / "lecture.ipynb"
    nbformat.write(nb, path)
    assert main([str(path)]) == 0
    assert "✓  square" in capsys.readouterr().out


def test_a_false_statement_ends_with_1_and_names_the_line(page, capsys):
    page.write_text(page.read_text().replace("2 x y", "3 x y"))
    assert main([str(page)]) == 1
    err = capsys.readouterr().err
    assert f"{page}:7: square: fails at x = " in err


def test_json_holds_the_ledger(page, capsys):
    assert main([str(page), "--json", "--only", "square"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["ok"] and found["ledgers"][0]["statements"][0]["scope"] == "general"
    assert found["uncarried"] == ["line 3: “For every $x$ the square is not negative.” (for every)"]


def test_a_wrong_call_ends_with_2(tmp_path):
    with pytest.raises(SystemExit) as error:
        main([str(tmp_path / "none.md")])
    assert error.value.code == 2


def test_it_runs_as_a_module(page):
    done = subprocess.run([sys.executable, "-m", "spaces_core.checks", str(page)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_page_for_other_authors_shows_a_page_that_passes_and_says_where_it_would_not(tmp_path, capsys):
    guide = (ROOT / "chapters" / "for-authors.md").read_text(encoding="utf-8")
    lecture = tmp_path / "lecture.md"
    lecture.write_text(re.search(r"^````markdown\n(.*?)^````$", guide, re.S | re.M)[1], encoding="utf-8")
    assert main([str(lecture), "--claims"]) == 0
    assert "0 sentences of the text quantify" in capsys.readouterr().out
    lecture.write_text(lecture.read_text().replace("1 - q^n}", "1 - q^{n+1}}"), encoding="utf-8")
    assert main([str(lecture)]) == 1
    assert re.search(r"series-finite: fails at n = \d+, q = ", capsys.readouterr().err)
    for option in re.findall(r"`(--[a-z]+)", guide):
        assert option in Path(main.__globals__["__file__"]).read_text(encoding="utf-8")


def test_sentences_and_the_claim_box():
    assert sentences("We have $a. B$ here. It is never so {eq}`eq-a`. Done!") == [
        "We have $a. B$ here.",
        "It is never so {eq}`eq-a`.",
        "Done!",
    ]
    page = parse_page(
        "# A\n\n```{admonition} Claim\nOne holds {eq}`eq-a`. Two always holds.\n```\n\n$$ a = b $$ (eq-a)\n"
    )
    assert [c.labels for c in claim_box(page)] == [("eq-a",), ()]
    assert [c.words for c in uncarried(page)] == [("always",)]
