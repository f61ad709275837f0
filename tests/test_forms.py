"""The other forms of the book: notebooks and text of the chapters, their list, the button to run one elsewhere."""

import pytest

from spaces_core.lab.record import CHAPTERS, RECORDED, ROOT, chapter_names

SITE = ROOT / "_build" / "html"
pytestmark = pytest.mark.skipif(not SITE.exists(), reason="the book is not built: make book")


@pytest.mark.parametrize("name", chapter_names())
def test_a_chapter_can_be_taken_away_as_notebook_and_as_text(name):
    page = (SITE / f"{name}.html").read_text()
    for form, source in (
        (f"notebooks/{name}.ipynb", RECORDED / f"{name}.ipynb"),
        (f"text/{name}.md", CHAPTERS / f"{name}.md"),
    ):
        assert f'href="../{form}" download' in page
        assert (SITE / form).read_bytes() == source.read_bytes()


def test_the_list_for_readers_of_plain_text_names_every_chapter():
    listed = (SITE / "llms.txt").read_text()
    assert all(f"](text/{name}.md)" in listed for name in chapter_names())


def test_the_binder_button_is_made_from_one_setting(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book"))
    import directives

    name = chapter_names()[0]
    address = f"https://mybinder.org/v2/gh/owner/name/HEAD?labpath=chapters/{name}.md"
    assert f'href="{address}"' in directives.links(name, "owner/name")
    assert "binder" not in directives.links(name, "")
