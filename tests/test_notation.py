"""The symbols of the chapter on notation mean in every display what the table says."""

import re
from collections import defaultdict

import pytest

from spaces_core.checks.page import read_page
from spaces_core.checks.tokens import tokens
from spaces_core.lab.record import CHAPTERS, chapter_names

ROW = re.compile(r"^\| (?P<symbols>\$[^|]*\$) \| (?P<meaning>[^|]+) \| (?P<links>\[[^|]*\)) \|$", re.M)
WRAPPERS = {r"\mathrm", r"\text", r"\operatorname", r"\mathbb", r"\mathcal", r"\mathbf", r"\boldsymbol"}
GREEK = {
    rf"\{name}"
    for name in "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi "
    "varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega".split()
}
ACCENTS = {r"\tilde", r"\hat", r"\bar", r"\dot"}


def table():
    """Each row: its symbols, its meaning, its chapters."""
    text = (CHAPTERS / "notation.md").read_text()
    for row in ROW.finditer(text):
        yield re.findall(r"\$([^$]+)\$", row["symbols"]), row["meaning"], re.findall(r"\(([\w/]+)\.md\)", row["links"])


def letters(latex):
    """The letters of a formula outside its subscripts, without accents; a letter in another font is another letter."""
    found, cut, k = set(), tokens(latex), 0
    while k < len(cut):
        if cut[k] == "_" or cut[k] in WRAPPERS:
            k = _after(cut, k + 1)
        else:
            if cut[k] not in ACCENTS and re.fullmatch(r"[A-Za-z]|\\[A-Za-z]+", cut[k]):
                found.add(cut[k])
            k += 1
    return found


def _after(cut, k):
    """The place after the group or the single token at `k`."""
    depth = 0
    while True:
        depth += (cut[k] == "{") - (cut[k] == "}")
        k += 1
        if depth == 0:
            return k


MEANINGS = defaultdict(lambda: defaultdict(list))
for _symbols, _meaning, _chapters in table():
    for _symbol in _symbols:
        for _chapter in _chapters:
            MEANINGS[_symbol][_chapter].append(_meaning)


def faults(name, displays):
    """What the table does not say, or says twice, of the symbols of a chapter, and what it says in vain."""
    used = {symbol: d.label for d in displays for symbol in letters(d.latex)}
    for symbol, chapters in MEANINGS.items():
        said = chapters.get(name, [])
        if symbol in used and len(said) != 1:
            yield f"{symbol} in {used[symbol]} has {len(said)} meanings for {name} in chapters/notation.md"
        if symbol not in used and said:
            yield f"{symbol} is said to mean {said[0]!r} in {name}, which does not use it"


@pytest.mark.parametrize("name", chapter_names())
def test_each_symbol_of_the_table_has_one_meaning_in_a_chapter(name):
    assert not list(faults(name, read_page(CHAPTERS / f"{name}.md").displays))


def test_a_symbol_with_another_meaning_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n$$ \\Sigma_i + W = 1 $$ (eq-x)\n")
    found = "\n".join(faults("part/new", read_page(page).displays))
    assert r"\Sigma in eq-x has 0 meanings for part/new" in found and "W in eq-x has 0 meanings" in found


def test_letters_are_those_outside_subscripts_and_words():
    assert letters(r"\tilde p_{\mathrm{end}} + \mathbf{Q}_l \, \gamma^{k}") == {"p", r"\gamma", "k"}


def test_greek_letters_that_two_chapters_use_are_in_the_table():
    homes = defaultdict(set)
    for name in chapter_names():
        for d in read_page(CHAPTERS / f"{name}.md").displays:
            for symbol in letters(d.latex) & GREEK:
                homes[symbol].add(name)
    assert sorted(s for s, chapters in homes.items() if len(chapters) > 1 and s not in MEANINGS) == []
