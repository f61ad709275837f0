"""The status page and the chapters show the runs on a GPU that were recorded, or say that there are none."""

import json

import pytest

from spaces_core.lab.record import RECORDED, ROOT
from tests.browsing import CHAPTERS, SITE

RUN = {
    "recorded": "2026-01-02",
    "command": "python -m spaces_core.lab.record --gpu part/topic",
    "gpu": "Some <GPU>",
    "hardware": "a processor, 8 cores, Some <GPU>",
    "versions": {"python": "3.11", "torch": "2.13.0", "cuda": "13.0"},
    "printed": "n < 10 is fast\n",
}


@pytest.fixture
def runs(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "book"))
    import runs

    def recorded(name):
        path = tmp_path / f"{name}.gpu.json"
        return json.loads(path.read_text()) if path.exists() else None

    monkeypatch.setattr(runs, "gpu_run", recorded)
    return runs


def test_a_recorded_run_stands_in_its_chapter_and_on_the_status_page(runs, tmp_path):
    from evidence import Evidence

    (tmp_path / CHAPTERS[0]).parent.mkdir()
    (tmp_path / f"{CHAPTERS[0]}.gpu.json").write_text(json.dumps(RUN))
    shown, listed = runs.at_scale(CHAPTERS[0]), runs.gpu_runs(Evidence("status", lambda name: f"{name}.html"))
    for text in ("2026-01-02", "Some &lt;GPU&gt;", RUN["command"]):
        assert text in shown and text in listed
    assert "n &lt; 10 is fast" in shown and "cuda 13.0" in shown
    assert f'href="{CHAPTERS[0]}.html#at-scale"' in listed


def test_without_a_run_the_pages_say_so(runs):
    from evidence import Evidence

    assert f"record --gpu {CHAPTERS[0]}" in runs.at_scale(CHAPTERS[0])
    assert runs.gpu_runs(Evidence("status", str)).startswith("<p>None yet")


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_has_its_place_for_a_run(name):
    page = (SITE / f"{name}.html").read_text()
    assert page.count('class="gpu-run"') == 1
    assert (("Recorded on 2" in page) is (RECORDED / f"{name}.gpu.json").exists()) and 'id="at-scale"' in page
