"""What is read from a chapter: displays with their labels and lines, code cells with their tags."""

import pytest

from spaces_core.checks import read_page


@pytest.fixture
def read(tmp_path):
    def reader(text):
        (tmp_path / "topic.md").write_text(text, encoding="utf-8")
        return read_page(tmp_path / "topic.md")

    return reader


def shown(page):
    return [(d.label, d.latex, d.line) for d in page.displays]


def test_a_display_on_one_line_or_several(read):
    page = read("# Title\n\n$$ a = b $$ (eq-one)\n\ntext\n\n$$\na\n= c\n$$ (eq-two)\n\n$$ a = d\n$$ (eq-three)\n")
    assert shown(page) == [("eq-one", "a = b", 3), ("eq-two", "a\n= c", 7), ("eq-three", "a = d", 12)]
    assert page.title == "Title"


@pytest.mark.parametrize("fence", ["```", "````", ":::"])
def test_the_math_directive(read, fence):
    page = read(f"{fence}{{math}}\n:label: eq-m\na = b\n{fence}\n\n{fence}{{math}} c = d\n:label: eq-n\n{fence}\n")
    assert [(d.label, d.latex) for d in page.displays] == [("eq-m", "a = b"), ("eq-n", "c = d")]


def test_a_math_directive_without_a_label_is_unlabelled(read):
    page = read("text\n\n```{math}\na = b\n```\n")
    assert [(d.line, d.label) for d in page.unlabelled()] == [(3, "")]


@pytest.mark.parametrize("fence", ["```", "````", ":::", "::::", "~~~"])
def test_displays_inside_admonitions_are_read_and_what_follows_too(read, fence):
    page = read(
        f"{fence}{{admonition}} Claim\n:class: important\n$$\na = b\n$$ (eq-in)\n{fence}\n\n$$ c = d $$ (eq-out)\n\n"
        "```{code-cell} ipython3\n:tags: [check]\nx = 1\n```\n"
    )
    assert [d.label for d in page.displays] == ["eq-in", "eq-out"]
    assert [c.source for c in page.cells] == ["x = 1"]


def test_nested_admonitions(read):
    page = read(
        "::::{admonition} A\n:::{admonition} B\n$$ a = b $$ (eq-b)\n:::\n$$ c = d $$ (eq-a)\n::::\n\n$$ e = f $$ (eq-c)\n"  # noqa: E501
    )
    assert [d.label for d in page.displays] == ["eq-b", "eq-a", "eq-c"]


def test_code_is_no_mathematics(read):
    page = read(
        "```python\n$$ a = b $$ (eq-x)\n```\n\n~~~\n$$ a = b $$\n~~~\n\n```{code-block} md\n$$ a $$\n```\n\n"
        "```{code-cell} ipython3\ntext = '''\n$$ a = b $$ (eq-y)\n'''\n```\n"
    )
    assert shown(page) == []
    assert len(page.cells) == 1 and page.cells[0].line == 13


def test_an_unlabelled_display_has_its_line(read):
    page = read("---\na: b\n---\n# T\n\n$$\na = b\n$$\n\n$$ c = d $$\n\n\\begin{align}\na &= b\n\\end{align}\n")
    assert [d.line for d in page.unlabelled()] == [6, 10, 12]


@pytest.mark.parametrize("label", ["eq-a", "eq_b", "eq-Ent-2", "EQ9", "eq:slope", "eq.3"])
def test_labels(read, label):
    assert read(f"$$ a = b $$ ({label})\n").displays[0].label == label
    assert read(f"$$\na = b\n$$({label})\n").displays[0].label == label
    assert read(f"```{{math}}\n:label: {label}\na = b\n```\n").displays[0].label == label


TAGS = {
    "option": ":tags: [check, hide-cell]\n",
    "quoted": ":tags: ['check', \"hide-cell\"]\n",
    "yaml in a line": "---\ntags: [check, hide-cell]\n---\n",
    "yaml in rows": "---\ntags:\n- check\n- hide-cell\n---\n",
    "yaml in indented rows": "---\nslideshow: x\ntags:\n  - check\n  - hide-cell\n---\n",
}


@pytest.mark.parametrize("style", TAGS)
def test_tags_of_a_cell(read, style):
    page = read(f"# T\n\n```{{code-cell}} ipython3\n{TAGS[style]}x = 1\ny = 2\n```\n")
    assert page.cells[0].tags == ("check", "hide-cell")
    assert page.cells[0].source == "x = 1\ny = 2"


def test_a_cell_without_tags(read):
    assert read("```{code-cell}\nx = 1\n```\n").cells[0].tags == ()


@pytest.mark.parametrize("text", ["$$\na = b\n", "```{code-cell}\nx\n", "~~~python\nx\n"])
def test_what_is_not_closed_is_an_error_with_its_line(read, text):
    with pytest.raises(ValueError, match=r"topic\.md:3: this (display|fence) is not closed"):
        read("# T\n\n" + text)


def test_no_file_is_a_clear_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_page(tmp_path / "none.md")


HIDDEN = ["- $$ a = b $$", "> $$ a = b $$ (eq-x)", "so that $$ a = b $$ holds"]


@pytest.mark.parametrize("text", HIDDEN)
def test_no_display_escapes(read, text):
    try:
        found = read(f"# T\n\n{text}\n").displays
    except ValueError:
        return
    assert found


def test_code_inside_a_sentence_is_no_display(read):
    assert not read("# T\n\nwrite `$$ a $$` on its own line\n").displays
