"""Pictures: theme colours, descriptions, unique ids, a slider without a kernel, numbers that are compared."""

import json
import re

import matplotlib
import numpy as np
import pytest

from spaces_core.lab import plotting
from spaces_core.lab.plotting import PALETTE, show, slider, use_book_style
from spaces_core.lab.replay import figure_faults

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402


def line(slope=1.0):
    fig, ax = plt.subplots()
    ax.plot([0, 1, 2], [0, slope, 2 * slope], label="line")
    ax.fill_between([0, 1], [0, 1], clip_on=True)
    ax.legend(facecolor="white")
    return fig


@pytest.fixture
def record(monkeypatch, tmp_path):
    """Where the numbers of this test's figures go, and a way to read them."""
    monkeypatch.setenv("SPACES_LEDGER_DIR", str(tmp_path))
    monkeypatch.setenv("SPACES_CHAPTER", "part/topic")
    return lambda: json.loads((tmp_path / "part" / "topic.figures.json").read_text())


def luminance(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("colour", PALETTE[:-1])
@pytest.mark.parametrize("page", ["#ffffff", "#131416"])
def test_colours_stand_out_from_light_and_dark_pages(colour, page):
    a, b = sorted([luminance(colour), luminance(page)])
    assert (b + 0.05) / (a + 0.05) >= 3


def test_black_and_white_become_the_colours_of_the_page():
    markup = show(line(), alt="A line.")._repr_html_()
    assert "currentColor" in markup
    assert "var(--color-background-primary" in markup
    assert not re.search(r"#000000|#ffffff|: black|: white", markup)


def test_picture_is_described_and_its_text_stable():
    picture = show(line(), alt='Less < "more".')
    assert repr(picture) == '[Less < "more".]'
    assert 'role="img" aria-label="Less &lt; &quot;more&quot;."' in picture._repr_html_()
    assert "<style" not in picture._repr_html_()


def test_figures_are_closed():
    before = plt.get_fignums()
    show(line(), alt="A line.")
    assert plt.get_fignums() == before


@pytest.mark.parametrize("alt", ["", "  "])
def test_no_picture_without_description(alt):
    with pytest.raises(ValueError, match="alt is empty"):
        show(line(), alt=alt)


def test_not_a_figure():
    with pytest.raises(ValueError, match="expected a matplotlib figure"):
        show(plt.figure(), alt="Nothing.")


def test_ids_are_unique_over_pictures_and_frames_and_all_references_resolve():
    markup = show(line(), alt="One.")._repr_html_() + slider(line, [1.0, 2.0], "slope", "Slope {value}.")._repr_html_()
    ids = re.findall(r' id="([^"]+)"', markup)
    assert ids
    assert len(ids) == len(set(ids))
    references = re.findall(r'href="#([^"]+)"', markup) + re.findall(r"url\(#([^)]+)\)", markup)
    assert set(references) <= set(ids)


def test_the_same_figure_gives_the_same_bytes():
    assert show(line(), alt="A line.")._repr_html_() == show(line(), alt="A line.")._repr_html_()


def test_slider_shows_one_frame_and_names_its_value():
    picture = slider(line, [0.5, 1.0, 2.0], label="slope", alt="A line of slope {value}.", start=1)
    markup = picture._repr_html_()
    assert re.findall(r'<div data-frame="(\d)"( hidden)?>', markup) == [("0", " hidden"), ("1", ""), ("2", " hidden")]
    assert [f"slope {v}." in markup for v in ("0.5", "1", "2")] == [True] * 3
    assert '<input type="range" min="0" max="2" value="1"' in markup
    assert repr(picture) == "[A line of slope 1. Slider: slope from 0.5 to 2 in 3 positions.]"


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"values": [1.0]}, "at least two values"),
        ({"values": [1.0, 2.0], "label": " "}, "label is empty"),
        ({"values": [1.0, 2.0], "start": 2}, "start must be an index"),
        ({"values": [1.0, 2.0], "alt": ""}, "alt is empty"),
    ],
)
def test_slider_says_what_is_wrong(arguments, fault):
    with pytest.raises(ValueError, match=fault):
        slider(line, **{"label": "slope", "alt": "A line.", **arguments})


def everything(shift=0.0):
    fig, axes = plt.subplots(1, 2)
    axes[0].plot([0, 1], [shift, np.nan])
    axes[0].bar([1, 2], [3 + shift, 4])
    axes[0].scatter([0, 1], [1 + shift, 2])
    axes[0].vlines([1], 0, 1 + shift)
    axes[1].imshow([[1.0 + shift, 2.0], [3.0, 4.0]])
    return fig


def test_nothing_is_recorded_unless_asked(tmp_path, monkeypatch):
    monkeypatch.delenv("SPACES_LEDGER_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    show(line(), alt="A line.")
    assert not list(tmp_path.iterdir())


def test_every_kind_of_artist_is_recorded(record):
    use_book_style()
    show(everything(), alt="All.")
    kinds = {series["kind"] for series in record()[0]["frames"][0]}
    assert kinds == {"Line2D", "Rectangle", "PathCollection", "LineCollection", "AxesImage"}


def test_a_change_of_data_is_told_and_rounding_is_not(record):
    for shift in (0.0, 1e-7, 0.1):
        show(everything(shift), alt="All.")
    same, rounded, moved = record()
    assert figure_faults([same], [rounded]) == []
    assert len(figure_faults([same], [moved])) == 5


def test_a_change_in_a_slider_frame_is_told(record):
    slider(line, [1.0, 2.0], "slope", "Slope {value}.")
    slider(lambda v: line(v + (v == 2) * 0.01), [1.0, 2.0], "slope", "Slope {value}.")
    slider(line, [1.0, 3.0], "slope", "Slope {value}.")
    a, b, c = record()
    assert figure_faults([a], [a]) == []
    assert "differs by" in figure_faults([a], [b])[0]
    assert "other artists" in figure_faults([a], [c])[0]


def test_figures_gone_or_added_are_told(record):
    show(line(), alt="A line.")
    assert figure_faults(record(), []) == ["0 figures drawn, 1 recorded"]


def test_a_missing_number_is_told(record):
    show(everything(np.nan), alt="All.")
    show(everything(), alt="All.")
    assert any("missing or infinite" in fault for fault in figure_faults(*[[entry] for entry in record()]))


def test_a_long_series_is_kept_short_but_noticed(record):
    for shift in (0.0, 0.1):
        fig, ax = plt.subplots()
        ax.plot(np.arange(10_000.0), np.sin(np.arange(10_000.0)) + shift)
        show(fig, alt="A wave.")
    old, new = record()
    assert len(old["frames"][0][0]["values"]) == plotting._SERIES
    assert old["frames"][0][0]["shape"] == [10_000, 2]
    assert figure_faults([old], [old]) == []
