"""python -m spaces_core.checks: exit codes, what it says, and what importing the engine costs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spaces_core.checks.__main__ import main
from tests.checks.pages import SETUP, write

ROOT = Path(__file__).resolve().parents[2]
SQUARE = {"eq-square": r"(a + b)^2 = a^2 + 2 a b + b^2"}
PROVE = "ch.prove('eq-square', {'a': a, 'b': b})"


def run(*args, cwd=ROOT, **env):
    settings = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | env
    command = [sys.executable, *map(str, args)]
    return subprocess.run(command, cwd=cwd, env=settings, capture_output=True, text=True, timeout=120)


def test_a_right_chapter_exits_with_0_and_one_line_for_each_label(tmp_path, capfd):
    displays = SQUARE | {"eq-order": r"\exp(x) = 1 + x + O(x^2)"}
    path = write(tmp_path, displays, PROVE + "\nch.prove('eq-order', {'x': x}, order=(x, 0))")
    assert main([str(path)]) == 0
    out, err = capfd.readouterr()
    rows = [line.split() for line in out.splitlines() if line.startswith("✓")]
    assert [row[1:3] for row in rows] == [["eq-square", "proved"], ["eq-order", "proved"]]
    assert all("typos caught" in " ".join(row) for row in rows)
    assert "2 displays, 2 statements: 2 proved" in out and err == ""


def test_a_copy_outside_the_repository_is_checked_as_it_stands(tmp_path):
    """Run as a program, from another folder: the statements are those of the file that is named."""
    right = write(tmp_path, SQUARE, PROVE)
    wrong = write(tmp_path, {"eq-square": r"(a + b)^2 = a^2 + b^2"}, PROVE, name="copy.md")
    done = run("-m", "spaces_core.checks", right.name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run("-m", "spaces_core.checks", right.name, wrong.name, cwd=tmp_path)
    assert done.returncode == 1
    assert "copy.md:3: eq-square: fails at a = " in done.stderr and "topic.md:3" not in done.stderr


def test_the_chapter_is_read_from_the_file_not_from_its_namesake(tmp_path):
    folder = tmp_path / "chapters" / "part"
    folder.mkdir(parents=True)
    write(folder, SQUARE, PROVE)
    copy = write(tmp_path, {"eq-square": "(a + b)^2 = a^2"}, PROVE, name="copy.md")
    assert run("-m", "spaces_core.checks", copy, cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("args", [[], ["none.md"], ["--no-such-option", "x.md"], ["--seed", "one", __file__]])
def test_bad_usage_exits_with_2(args, capfd):
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 2
    assert "usage:" in capfd.readouterr().err


WRONG = {
    "unknown label": (
        SQUARE,
        PROVE + "\nch.prove('eq-sqare', {'a': a})",
        "no display 'eq-sqare'; the labels are eq-square",
    ),
    "no evidence": (SQUARE | {"eq-b": "a = a"}, PROVE, ":7: eq-b has no evidence"),
    "a cell that raises": (SQUARE, PROVE + "\n1 / 0", "ZeroDivisionError"),
    "a cell that does not compile": (SQUARE, PROVE + "\nif:", "SyntaxError"),
    "outside the dialect": ({"eq-square": r"a \propto b"}, PROVE, r":3: eq-square: unexpected"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_file_and_line(case, tmp_path, capfd):
    displays, code, message = WRONG[case]
    path = write(tmp_path, displays, code)
    assert main([str(path)]) == 1
    err = capfd.readouterr().err
    assert str(path) in err and message in err


def test_an_unlabelled_display_is_named_with_its_line(tmp_path, capfd):
    path = write(tmp_path, SQUARE, PROVE)
    path.write_text(path.read_text().replace("$$ (eq-square)", "$$ (eq-square)\n\n$$ a = a $$"))
    assert main([str(path)]) == 1
    assert f"{path}:7: this display has no label: a = a" in capfd.readouterr().err


def test_a_label_that_stands_twice_is_an_error(tmp_path, capfd):
    path = write(tmp_path, SQUARE, PROVE)
    path.write_text(path.read_text().replace("$$ (eq-square)", "$$ (eq-square)\n\n$$ a = a $$ (eq-square)"))
    assert main([str(path)]) == 1
    assert f"{path}:7: the label eq-square stands twice" in capfd.readouterr().err


def test_a_page_without_check_cells_fails(tmp_path, capfd):
    path = tmp_path / "bare.md"
    path.write_text("# T\n\n$$ a = a $$ (eq-a)\n\n```{code-cell}\nx = 1\n```\n")
    assert main([str(path)]) == 1
    assert "no cell is tagged check" in capfd.readouterr().err


def test_a_check_cell_without_a_chapter_fails(tmp_path, capfd):
    path = tmp_path / "bare.md"
    path.write_text("# T\n\n$$ a = a $$ (eq-a)\n\n```{code-cell}\n:tags: [check]\nx = 1\n```\n")
    assert main([str(path)]) == 1
    assert "no check cell opens a Chapter" in capfd.readouterr().err


def test_a_cell_cannot_end_the_run_with_success(tmp_path, capfd):
    path = write(tmp_path, {"eq-square": "(a + b)^2 = a^2"}, "raise SystemExit(0)\n" + PROVE)
    try:
        code = main([str(path)])
    except SystemExit as stop:
        code = stop.code
    assert code == 1


def test_other_cells_are_not_run(tmp_path, capfd):
    path = write(tmp_path, SQUARE, PROVE)
    path.write_text(path.read_text() + "\n```{code-cell} ipython3\nraise RuntimeError\n```\n")
    assert main([str(path)]) == 0


def test_one_label_alone(tmp_path, capfd):
    path = write(tmp_path, SQUARE | {"eq-b": "a = a^2"}, PROVE + "\nch.prove('eq-b', {'a': a})")
    assert main([str(path), "--only", "eq-square"]) == 0
    assert main([str(path), "--only", "eq-b"]) == 1
    assert main([str(path), "--only", "eq-none"]) == 1
    assert "no check of eq-none" in capfd.readouterr().err


def test_the_engine_is_light():
    code = """
    import sys, spaces_core.checks
    heavy = {"torch", "IPython", "numpy", "scipy", "matplotlib", "sklearn", "z3", "nbformat"} & set(sys.modules)
    assert not heavy, heavy
    """
    done = run("-c", "\n".join(line.strip() for line in code.strip().splitlines()))
    assert done.returncode == 0, done.stderr


def test_a_symbolic_chapter_is_checked_without_numpy_and_torch(tmp_path):
    path = write(tmp_path, SQUARE, PROVE)
    code = f"""import sys
from spaces_core.checks.__main__ import main
assert main([{str(path)!r}]) == 0
assert not {{"torch", "IPython", "numpy", "scipy", "z3"}} & set(sys.modules), "heavy"
"""
    done = run("-c", code)
    assert done.returncode == 0, done.stderr


def _ledger(path, folder):
    done = run("-m", "spaces_core.checks", path, cwd=path.parent, SPACES_LEDGER_DIR=str(folder))
    return done, folder / "part" / "topic.ledger.json"


def test_the_ledger_is_the_same_each_time_and_has_its_keys(tmp_path):
    displays = SQUARE | {
        "eq-g": "g(x) = x^2 + x",
        "eq-use": "g(a) - g(b) = (a - b)(a + b + 1), \\quad g(0) = 0, \\quad g(1) = 2",
        "eq-norm": r"(u + v)^2 \le 2 (u^2 + v^2)",
    }
    code = (
        PROVE
        + """
ch.define('eq-g')
ch.prove('eq-use', {'a': a, 'b': b})
ch.sample('eq-norm', lambda z: {'u': float(z[0]), 'v': float(z[1])}, size=2, n=100, domain='normal',
          tight={'u': 2.0, 'v': 2.0}, pins=[({'u': 1.0, 'v': 3.0}, (16, 20))])
"""
    )
    path = write(tmp_path, displays, code)
    texts = []
    for name in ("one", "two"):
        done, file = _ledger(path, tmp_path / name)
        assert done.returncode == 0, done.stderr
        texts.append(file.read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    ledger = json.loads(texts[0])
    assert ledger.keys() >= {"chapter", "title", "totals", "statements"}
    assert ledger["totals"] == {
        "definition": 1,
        "assumption": 0,
        "proved": 2,
        "sampled": 1,
        "measured": 0,
        "refuted": 0,
    }
    rows = {s["label"]: s for s in ledger["statements"]}
    assert list(rows) == list(displays)
    keys = "label part line latex read kind method scope relations uses used_by assumes fails typos atoms detail"
    for row in rows.values():
        assert row.keys() >= set(keys.split())
        assert row["typos"]["caught"] == row["typos"]["made"] - row["typos"]["equivalent"] > 0
        assert row["latex"] == displays[row["label"]] and row["typos"]["examples"]
    assert rows["eq-use"]["uses"] == ["eq-g"] and rows["eq-g"]["used_by"] == ["eq-use"]
    assert rows["eq-use"]["relations"] == 3


def test_no_ledger_is_written_when_something_fails(tmp_path):
    path = write(tmp_path, {"eq-square": "(a + b)^2 = a^2"}, PROVE)
    done, file = _ledger(path, tmp_path / "ledger")
    assert done.returncode == 1 and not file.exists()


def test_in_a_notebook_a_failure_raises_where_it_stands(tmp_path, monkeypatch):
    from spaces_core.checks import CheckFailed
    from spaces_core.checks import chapter as module

    monkeypatch.setattr(module, "run", module.Run())
    path = write(tmp_path, {"eq-square": "(a + b)^2 = a^2"}, "")
    with pytest.raises(CheckFailed, match=r"topic\.md:3: eq-square: fails at a = "):
        exec(SETUP.replace('"part/topic"', repr(str(path))) + PROVE, {})
