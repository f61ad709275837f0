"""The book on paper: printed from one page by a real browser, tagged, nothing cut, every equation and figure there."""

import json
import re
import runpy
import subprocess
import sys

import pytest

from spaces_core.lab.record import RECORDED, ROOT, chapter_names
from tests.browsing import missing

BOOK = runpy.run_path(str(ROOT / "book" / "pdf.py"), run_name="book")


@pytest.fixture(scope="module")
def printed():
    done = subprocess.run([sys.executable, ROOT / "book" / "pdf.py"], capture_output=True, text=True, cwd=ROOT)
    if "no chromium" in done.stderr:
        missing(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def displays():
    ledgers = [json.loads((RECORDED / f"{name}.ledger.json").read_text()) for name in chapter_names()]
    return {s["label"] for ledger in ledgers for s in ledger["statements"]}


def test_every_display_and_figure_is_printed(printed):
    size, equations, figures = re.search(r"([\d.]+) MB, (\d+) equations, (\d+) figures", printed).groups()
    assert int(equations) >= len(displays())
    assert (
        int(figures) >= sum((RECORDED / f"{name}.ipynb").read_text().count("<figure") for name in chapter_names()) > 0
    )
    assert float(size) < 40


def test_the_pdf_is_tagged_and_has_bookmarks(printed):
    data = BOOK["PDF"].read_bytes()
    assert data.startswith(b"%PDF")
    assert re.search(rb"/MarkInfo\s*<</Type /MarkInfo\s*/Marked true>>|/Marked true", data)
    assert b"/Outlines" in data and b"/StructTreeRoot" in data


def test_every_display_has_its_badge_on_the_single_page(printed):
    html = (BOOK["PAGE"] / "index.html").read_text()
    assert len(re.findall(r'<details class="evidence evidence-\w+"><summary>', html)) >= len(displays())
