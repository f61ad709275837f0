"""After an edit, only what it touches is checked again, and a wrong edit fails."""

import pytest

from tests.lab.book import FRONT, Book

PAGE = (
    FRONT
    + r"""
# Two squares

$$
s(x) = x^2
$$ (eq-two-def)

$$
s(a) - s(b) = (a - b)(a + b)
$$ (eq-two-difference)

$$
2 a b \le a^2 + b^2
$$ (eq-two-mean)

$$
F < G
$$ (eq-two-measured)

$$
a, b, x \in \mathbb R
$$ (eq-two-numbers)

```{code-cell} ipython3
:tags: [check, hide-cell]

from spaces_core.checks import Chapter

ch = Chapter("part/two")
ch.setting("eq-two-numbers")
ch.define("eq-two-def")
ch.prove("eq-two-difference")
```

```{code-cell} ipython3
:tags: [check, hide-cell]

ch.prove("eq-two-mean", by="z3", pins=[({"a": 1, "b": 2}, (4, 5))])
series = {"F": [1.0, 2.0, 1.5, 1.2, 1.3], "G": [3.0, 4.0, 3.6, 3.1, 3.3]}
ch.demonstrate("eq-two-measured", series, sides=(1.4, 3.4))
ch.report()
```
"""
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("two"), {"two": PAGE})
    done = book.record()
    assert done.returncode == 0, done.stderr
    return book


def after(recorded, tmp_path, old, new):
    book = recorded.copy(tmp_path / "book")
    book.edit(old, new, "two")
    return book.run("-m", "spaces_core.lab.edited", "part/two")


@pytest.mark.parametrize(
    ("old", "new", "checked"),
    [
        ("# Two squares", "# Two other squares", set()),
        ("(a - b)(a + b)", "(a + b)(a - b)", {"eq-two-difference"}),
        ("s(x) = x^2", r"s(x) = x \cdot x", {"eq-two-def", "eq-two-difference"}),
        ("(4, 5)", "(4, 2 + 3)", {"eq-two-mean"}),
    ],
)
def test_what_an_edit_touches_is_checked_and_nothing_else(recorded, tmp_path, old, new, checked):
    done = after(recorded, tmp_path, old, new)
    assert done.returncode == 0, done.stderr
    assert {line.split()[1] for line in done.stdout.splitlines() if line.startswith("✓")} == checked


def test_a_wrong_edit_fails(recorded, tmp_path):
    done = after(recorded, tmp_path, "(a - b)(a + b)", "(a - b)(a - b)")
    assert done.returncode == 1
    assert "eq-two-difference" in done.stderr


def test_an_experiment_is_left_to_the_recorder(recorded, tmp_path):
    done = after(recorded, tmp_path, "F < G", "G > F")
    assert done.returncode == 0
    assert "eq-two-measured is an experiment, a sample or without a check" in done.stdout
