"""The audit: what it finds, how it tells that it is out of date or forged, and what a random tenth would find again."""

import json

import pytest

from spaces_core.lab import audit
from spaces_core.lab.record import ROOT
from tests.lab.book import Book, canary

FAULTS = (
    "from spaces_core.lab.audit import faults_of_audit; import json; print(json.dumps(faults_of_audit('part/canary')))"
)
ANEW = "from spaces_core.lab.audit import anew; anew('part/canary', {!r})"


def faults(book):
    """What the test suite of a book would say of its stored audit."""
    done = book.run("-c", FAULTS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("audited"), {"canary": canary("canary")})
    (book.root / "constraints.txt").write_text("torch==2.13.0\n")
    for command in ("record", "audit"):
        done = book.run("-m", f"spaces_core.lab.{command}")
        assert done.returncode == 0, done.stderr
    assert "7 items audited, 0 failed; 0 up to date" in done.stdout
    return book


@pytest.fixture
def book(audited, tmp_path):
    return audited.copy(tmp_path / "book")


def test_an_audit_holds_every_item_and_is_not_made_twice(book):
    stored = json.loads(book.stored(".audit.json", "canary").read_text())
    assert tuple(stored) == audit.ITEMS
    assert all({"date", "hardware", "seconds", "depends", "seal"} <= set(entry) for entry in stored.values())
    assert not faults(book)
    assert "0 items audited, 0 failed; 7 up to date" in book.run("-m", "spaces_core.lab.audit").stdout


def test_prose_leaves_the_audit_and_a_display_a_cell_the_library_or_the_pins_outdate_it(book):
    book.edit("# A canary", "# A canary\n\nMore words.", "canary")
    assert book.record().returncode == 0
    assert not faults(book)
    for path, old, new in (
        (book.chapter("canary"), "2 a b + b^2", "b^2 + 2 a b"),
        (book.chapter("canary"), "manual_seed(0)", "manual_seed(3)"),
        (book.root / "spaces_core" / "checks" / "teeth.py", '"""Teeth', '"""New teeth'),
        (book.root / "spaces_core" / "lab" / "replay.py", "SAMPLES = 0.05", "SAMPLES = 0.5"),
        (book.root / "constraints.txt", "2.13.0", "2.14.0"),
    ):
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new))
        assert sum("before the chapter, the library or the engine changed" in f for f in faults(book)) == 7, path
        path.write_text(before)
    assert not faults(book)


def test_a_missing_item_and_one_edited_by_hand_are_told(book):
    def forge(entries):
        del entries["signs"]
        entries["seed 1"]["statements"] += 1

    book.change(".audit.json", forge, "canary")
    told = "\n".join(faults(book))
    assert "part/canary: signs: not audited" in told
    assert "part/canary: seed 1: edited by hand, its seal is broken" in told


@pytest.mark.parametrize("item", ["seed 1", "OpenBLAS for Haswell", "signs"])
def test_a_forgery_with_a_good_seal_is_told_by_the_random_tenth(book, item):
    def forge(entries):
        entry = entries[item]
        entry["tried" if item == "signs" else "found"] = 0
        entry["seal"] = audit.seal("part/canary", item, entry)

    assert book.run("-c", ANEW.format(item)).returncode == 0
    book.change(".audit.json", forge, "canary")
    assert not faults(book)
    done = book.run("-c", ANEW.format(item))
    assert done.returncode == 1
    assert "the stored audit differs from a new one" in done.stderr


def test_a_chapter_that_fails_its_audit_has_none(book):
    def moved(ledger):
        ledger["statements"][1]["detail"]["means"][0][0] *= 2

    book.change(".ledger.json", moved, "canary")
    done = book.run("-m", "spaces_core.lab.audit")
    assert done.returncode == 1
    assert "7 items audited, 4 failed" in done.stdout
    assert "part/canary: eq-canary-gain: a side is" in done.stderr
    assert set(json.loads(book.stored(".audit.json", "canary").read_text())) == {"seed 1", "seed 2", "signs"}


def test_the_tenth_is_random_and_fair():
    names = [f"part/{k}" for k in range(36)]
    drawn = [audit.tenth(names, seed) for seed in range(200)]
    assert {len(pairs) for pairs in drawn} == {26}
    assert len({tuple(pairs) for pairs in drawn}) == 200
    assert all(len(set(pairs)) == 26 for pairs in drawn)
    assert {item for _, item in drawn[0]} == set(audit.ITEMS), "every kind of item in every run"
    assert len({pair for pairs in drawn for pair in pairs}) == 36 * len(audit.ITEMS), "and every one in some run"


def test_the_settings_are_those_that_the_guide_names():
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    assert all(f"{k}={v}" in guide for settings in audit.KERNELS.values() for k, v in settings.items())
