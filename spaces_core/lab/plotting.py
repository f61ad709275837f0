r"""Pictures that follow the reader's theme, can be read aloud, and whose numbers the replay compares.

Black is the colour of the page's text and white that of its background: both are replaced in the picture by the
page's own colours, so that one figure serves JupyterLab, a light page and a dark one.
"""

import hashlib
import html
import io
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

BLUE, VERMILLION, GREEN, PURPLE, INK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, INK)
r"""Okabe and Ito's colours that stand out from white and from near-black alike (contrast at least 3 to 1)."""

_PAGE = "var(--color-background-primary, var(--jp-layout-color0, #fff))"
_SERIES = 2000
_MOVE = (
    "(function(e){var f=e.closest('figure'),v=JSON.parse(e.dataset.values)[e.value];"
    "f.querySelectorAll('[data-frame]').forEach(function(d){d.hidden=d.dataset.frame!==e.value});"
    "f.querySelector('output').value=v;e.setAttribute('aria-valuetext',v)})(this)"
)


def use_book_style() -> None:
    r"""Set matplotlib's defaults to those of the book; call it in the first cell that draws.

    >>> use_book_style()
    >>> import matplotlib
    >>> matplotlib.rcParams["figure.figsize"]
    [6.0, 3.4]
    """
    import matplotlib
    from cycler import cycler

    matplotlib.rcParams.update(
        {
            "figure.figsize": (6.0, 3.4),
            "figure.constrained_layout.use": True,
            "figure.facecolor": "none",
            "savefig.facecolor": "none",
            "axes.facecolor": "none",
            "axes.edgecolor": INK,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": cycler(color=PALETTE)
            + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))]),
            "axes.titlesize": "medium",
            "grid.color": "#808080",
            "grid.alpha": 0.35,
            "grid.linewidth": 0.6,
            "legend.facecolor": "#ffffff",
            "legend.edgecolor": "#808080",
            "legend.framealpha": 0.85,
            "lines.linewidth": 1.8,
            "font.size": 10,
        }
    )


class Picture:
    """HTML that a notebook shows; its plain text is the picture's description, the same on every machine."""

    def __init__(self, markup: str, alt: str):
        self._markup, self._alt = markup, alt

    def _repr_html_(self) -> str:
        return self._markup

    def __repr__(self) -> str:
        return f"[{self._alt}]"


def show(fig: Any, alt: str, rtol: float = 1e-4) -> Picture:
    r"""Turn a matplotlib figure into a picture of the page: the last line of its cell.

    Args:
        fig: the figure; it is closed.
        alt: what a reader would see, in a sentence: the axes, the shape of the curves and the point they make.
        rtol: tolerance of the replay for the numbers drawn, relative to the largest in each series.

    Returns:
        An object that displays as an inline SVG and prints as its description.

    Raises:
        ValueError: `alt` is empty, or `fig` holds no axes.

    >>> import matplotlib.pyplot as plt
    >>> fig, ax = plt.subplots()
    >>> _ = ax.plot([0, 1], [0, 1])
    >>> show(fig, alt="A line rises from the origin.")
    [A line rises from the origin.]
    """
    svg, data = _draw(fig, alt)
    _record({"alt": alt, "rtol": rtol, "frames": [data]})
    return Picture(f'<figure class="spaces-figure" style="margin: 1em 0">{svg}</figure>', alt)


def slider(
    draw: Callable[[Any], Any], values: Sequence[Any], label: str, alt: str, rtol: float = 1e-4, start: int = 0
) -> Picture:
    r"""A figure with a slider that moves in JupyterLab and in the static page, with no kernel and no server.

    Args:
        draw: `draw(value)` returns the matplotlib figure of one position; all positions are drawn beforehand.
        values: the positions, at least two: numbers or strings. Keep their axes limits equal.
        label: name of the quantity, plain text (`"γ"`).
        alt: description of the figure; `{value}` in it stands for the position shown.
        rtol: as in `show`.
        start: index of the position shown first.

    Raises:
        ValueError: an empty `alt` or `label`, fewer than two values, or a start outside of them.

    >>> import matplotlib.pyplot as plt
    >>> def draw(slope):
    ...     fig, ax = plt.subplots()
    ...     ax.plot([0, 1], [0, slope])
    ...     return fig
    >>> slider(draw, [0.5, 1, 2], label="slope", alt="A line of slope {value}.")
    [A line of slope 0.5. Slider: slope from 0.5 to 2 in 3 positions.]
    """
    values = list(values)
    if len(values) < 2:
        raise ValueError(f"a slider needs at least two values, got {len(values)}")
    if not label.strip():
        raise ValueError("label is empty: name the quantity that the slider moves")
    if not 0 <= start < len(values):
        raise ValueError(f"start must be an index of values, 0 to {len(values) - 1}, got {start}")
    texts = [v if isinstance(v, str) else f"{v:g}" for v in values]
    alts = [alt.replace("{value}", text) for text in texts]
    frames, data = zip(
        *(_draw(draw(v), a, str(i)) for i, (v, a) in enumerate(zip(values, alts, strict=True))), strict=True
    )
    _record({"alt": alt, "rtol": rtol, "values": texts, "frames": list(data)})
    blocks = "".join(
        f'<div data-frame="{i}"{"" if i == start else " hidden"}>{frame}</div>' for i, frame in enumerate(frames)
    )
    markup = (
        f'<figure class="spaces-figure spaces-slider" style="margin: 1em 0"><p><label>{html.escape(label)} '
        f'<input type="range" min="0" max="{len(values) - 1}" value="{start}" autocomplete="off" '
        f'aria-valuetext="{html.escape(texts[start])}" '
        f'data-values="{html.escape(json.dumps(texts))}" oninput="{html.escape(_MOVE)}"></label> '
        f"<output>{html.escape(texts[start])}</output></p>{blocks}</figure>"
    )
    ends = f"Slider: {label} from {texts[0]} to {texts[-1]} in {len(values)} positions."
    return Picture(markup, f"{alts[start]} {ends}")


def _draw(fig: Any, alt: str, part: str = "") -> tuple[str, list[dict]]:
    """The figure as inline SVG, and the numbers in it; closes the figure."""
    import matplotlib
    import matplotlib.pyplot as plt

    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the reader sees, for readers who cannot see it")
    if not getattr(fig, "axes", None):
        raise ValueError(f"expected a matplotlib figure with axes, got {type(fig).__name__}")
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "spaces", "svg.fonttype": "path"}):
        fig.savefig(buffer, format="svg", facecolor="none", metadata={"Date": None, "Creator": None, "Format": None})
    data = _numbers(fig)
    plt.close(fig)
    return _inline(buffer.getvalue(), alt, part), data


def _inline(svg: str, alt: str, part: str) -> str:
    """Matplotlib's SVG file made fit to stand in a page: theme colours, ids of its own, no metadata, a description."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' d="[^"]*"', lambda m: re.sub(r"(\.\d\d)\d{2,}", r"\1", m[0]), svg, flags=re.DOTALL)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    used = {a or b for a, b in used}
    prefix = "f" + hashlib.sha256((part + alt + svg).encode()).hexdigest()[:10] + "-"
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r'href="#', f'href="#{prefix}', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}", svg)
    svg = re.sub(r"#000000\b|(?<=: )black\b", "currentColor", svg)
    svg = re.sub(r"#ffffff\b|(?<=: )white\b", _PAGE, svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    head = re.match(r"<svg[^>]*>", svg)[0]
    width, height = re.search(r'width="([\d.]+)pt"', head)[1], re.search(r'height="([\d.]+)pt"', head)[1]
    box = re.search(r'viewBox="([^"]+)"', head)[1]
    return (
        f'<svg viewBox="{box}" role="img" aria-label="{html.escape(alt)}" fill="currentColor" stroke-linejoin="round" '
        f'stroke-linecap="butt" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'style="width: {float(width) / 72:.2f}in; aspect-ratio: {float(width):.0f} / {float(height):.0f}; '
        f'max-width: 100%; height: auto">' + svg[len(head) :]
    )


def _numbers(fig: Any) -> list[dict]:
    """What the figure draws, artist by artist, as rounded numbers."""
    import numpy as np
    from matplotlib import collections, image, lines, patches, spines

    found = []
    for place, ax in enumerate(fig.axes):
        for artist in ax.get_children():
            if artist is ax.patch or not artist.get_visible():
                continue
            if isinstance(artist, lines.Line2D):
                series = np.column_stack([np.ravel(np.asarray(v, float)) for v in artist.get_data(orig=False)])
            elif isinstance(artist, patches.Rectangle):
                series = np.array([*artist.get_xy(), artist.get_width(), artist.get_height()], float)
            elif isinstance(artist, patches.Patch) and not isinstance(artist, (patches.FancyArrowPatch, spines.Spine)):
                series = artist.get_path().vertices
            elif isinstance(artist, (image.AxesImage, collections.QuadMesh)):
                series = np.ma.filled(np.ma.asarray(artist.get_array(), float), np.nan)
            elif isinstance(artist, collections.PathCollection):
                series = np.ma.filled(np.ma.asarray(artist.get_offsets(), float), np.nan)
            elif isinstance(artist, collections.Collection):
                paths = [path.vertices for path in artist.get_paths()]
                series = np.concatenate(paths) if paths else np.empty(0)
            else:
                continue
            if np.size(series):
                found.append({"axes": place, "kind": type(artist).__name__, **_summary(np.asarray(series, float))})
    return found


def _summary(series: Any) -> dict:
    """A series as six significant digits; a long one by evenly spaced members, mean and standard deviation."""
    import numpy as np

    flat = series.ravel()
    kept = flat if flat.size <= _SERIES else flat[np.linspace(0, flat.size - 1, _SERIES).astype(int)]
    entry = {"shape": list(series.shape), "values": [_number(v) for v in kept]}
    if kept is not flat:
        entry |= {"mean": _number(np.nanmean(flat)), "std": _number(np.nanstd(flat))}
    return entry


def _number(value: float) -> float | str:
    """Six digits; NaN and infinities as text, which JSON has no number for."""
    return float(f"{value:.6g}") if abs(value) < float("inf") else str(float(value))


def _record(entry: dict) -> None:
    """Add one picture to the record of the running chapter, if a recorder or a replay is listening.

    Both set `SPACES_LEDGER_DIR` and `SPACES_CHAPTER`, and remove the file before the chapter starts.
    """
    folder, chapter = os.environ.get("SPACES_LEDGER_DIR"), os.environ.get("SPACES_CHAPTER")
    if not (folder and chapter):
        return
    path = Path(folder) / f"{chapter}.figures.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = json.loads(path.read_text()) if path.exists() else []
    path.write_text(json.dumps([*entries, entry], indent=None, separators=(",", ":"), ensure_ascii=False) + "\n")
