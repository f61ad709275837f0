"""The runner of the benchmarks: sides in one run, missing peers said, results compared, rows held to their contract."""

import json
import runpy
import subprocess
import sys

import pytest

from spaces_core.lab.record import ROOT

RUNNER = runpy.run_path(str(ROOT / "tests" / "benchmarks" / "__main__.py"), run_name="runner")
TOPICS = RUNNER["topics"]()


def row(**changes):
    sides = {"ours": lambda: 1.0, "peers": {"peer": lambda: 1.5, "absent": "absent is not installed"}}
    return {"name": "r", "method": "m", **sides, "agreement": lambda a, b: abs(a - b), "params": {}, **changes}


def topic(tmp_path, monkeypatch, source):
    monkeypatch.setitem(RUNNER["rows"].__globals__, "HERE", tmp_path)
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "topic.py").write_text(source)
    return list(RUNNER["rows"]("part/topic", "cpu"))


def test_sides_are_timed_and_compared(monkeypatch):
    monkeypatch.setitem(RUNNER["run_row"].__globals__, "_memory_of", lambda *_: 1.0)
    result = RUNNER["run_row"]("part/topic", row(error=lambda r: r / 3, error_name="a third"), "cpu", quick=True)
    peer, absent = result["peers"]
    assert result["ours"]["rounds"] == peer["rounds"] == 3
    assert result["ours"]["q1_s"] <= result["ours"]["median_s"] <= result["ours"]["q3_s"]
    assert (peer["agreement"], result["ours"]["error"], peer["error"]) == (0.5, 0.333, 0.5)
    assert absent == {"name": "absent", "missing": "absent is not installed"}
    json.dumps(result)


def test_rows_are_held_to_their_contract(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"part/topic: row 'r' has .* needs"):
        topic(tmp_path, monkeypatch, "def rows(device):\n    yield {'name': 'r'}\n")


def test_unknown_topics_are_refused():
    command = [sys.executable, "-m", "tests.benchmarks", "part/none"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "no benchmark for part/none" in done.stderr


@pytest.mark.parametrize("name", TOPICS)
def test_every_row_is_recorded(name):
    stored = json.loads((ROOT / "tests" / "recorded" / "benchmarks.json").read_text())
    names = {r["name"] for r in stored.get(name, {"rows": []})["rows"] if r["device"] == "cpu"}
    assert {r["name"] for r in RUNNER["rows"](name, "cpu")} == names, f"python -m tests.benchmarks {name}"


def test_the_page_has_one_line_a_comparison_with_the_fastest_that_ran(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book"))
    import benchmarks
    from evidence import Evidence

    times = {"median_s": 0.002, "q1_s": 0.001, "q3_s": 0.003, "peak_mib": 1.0}
    slow = {"name": "slow", **times, "median_s": 0.004, "ratio": 2.0, "agreement": 1e-9}
    fast = {"name": "fast", **times, "median_s": 0.001, "ratio": 0.5, "agreement": 1e-3}
    absent = {"name": "absent", "missing": "absent is not installed"}
    result = {"name": "a < b", "device": "cpu", "method": "m", "ours": times, "peers": [slow, absent, fast]}
    evidence = Evidence("benchmarks", lambda name: f"{name}.html")
    line = benchmarks.line_html(evidence, TOPICS[0], result)
    for cell in (": a &lt; b (cpu)", "<td>2&nbsp;ms", "<td>fast", "<td>1&nbsp;ms", "<td>0.5", "<td>0.001"):
        assert f"{cell}</td>" in line
    assert "none ran" in benchmarks.line_html(evidence, TOPICS[0], {**result, "peers": [absent]})
    assert "absent is not installed" in benchmarks.topic_html(evidence, TOPICS[0], {"rows": [result]})
