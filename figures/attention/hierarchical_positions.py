"""Drawings of the chapter on hierarchical positions: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE)
MARKERS = "os^D"


def blocks(points, title, clashes=()) -> Figure:
    """A table of points in the plane and its later blocks.

    Args:
        points: `(blocks, n, 2)`, the first block is the table.
        title: one message.
        clashes: `(k, 2)` points at which two positions coincide, drawn as rings.
    """
    fig = Figure(figsize=(5.0, 3.6))
    ax = fig.subplots()
    flat = float(points[..., 1].max() - points[..., 1].min()) < 1
    for i, (block, colour, marker) in enumerate(zip(points, COLOURS, MARKERS, strict=False)):
        ax.plot(block[:, 0], block[:, 1], marker + "-", color=colour, lw=1.2, ms=6 - i)
        first = i * len(block) + 1
        lift = (-6, 10 + 13 * i) if flat else (-6, 8)
        text = f"{first}–{first + len(block) - 1}"
        ax.annotate(text, block[-1], lift, textcoords="offset points", color=colour)
    for x, y in clashes:
        ax.plot(x, y, "o", ms=15, mfc="none", mec=INK, mew=1.4)
    ax.set(title=title, aspect="equal")
    ax.margins(0.14)
    if flat:
        middle = float(points[..., 1].mean())
        ax.set_ylim(middle - 1.5, middle + 2.5)
    ax.set_xticklabels([])
    ax.set_yticklabels([])
    return fig


def norms(positions, lines, start) -> Figure:
    """Length of the embeddings along the positions.

    Args:
        positions: `(L,)`.
        lines: name to `(L,)` lengths.
        start: the first position without a learned row.
    """
    fig = Figure(figsize=(5.4, 3.4))
    ax = fig.subplots()
    places = ((4, 10), (0, 14), (0, -16))
    for (name, values), colour, style, offset in zip(
        lines.items(), (VERMILLION, BLUE, INK), ("-", "--", ":"), places, strict=False
    ):
        at = start + 8
        ax.plot(positions, values, color=colour, ls=style, lw=1.6)
        ax.annotate(name, (positions[at], values[at]), offset, textcoords="offset points", color=colour)
    ax.axvline(start, color=INK, lw=0.8, ls="--")
    ax.annotate("row of [CLS]", (0, lines["learned"][0]), (7, -4), textcoords="offset points")
    ax.set(xlabel="position, counted from 0", ylabel="length of the row", ylim=(0, None))
    return fig


def above_nothing(alphas, digits, level, halves) -> Figure:
    """What each way gains over no positions, against the weight of the block digit: paired differences.

    Args:
        alphas: `(A,)`, the first is 0.
        digits: `(A,)` mean paired differences.
        level: the difference of interpolation.
        halves: `(A + 1,)` half-widths, that of interpolation last.
    """
    fig = Figure(figsize=(5.2, 3.5))
    ax = fig.subplots()
    ax.axhspan(level - halves[-1], level + halves[-1], color=GREEN, alpha=0.2, lw=0)
    ax.axhline(level, color=GREEN, lw=1.6)
    ax.annotate("interpolated", (alphas[-1], level), (0, 4), textcoords="offset points", color=GREEN, ha="right")
    ax.errorbar(alphas, digits, halves[:-1], color=BLUE, marker="o", capsize=3, lw=1.4, ls="-")
    ax.annotate("copied", (alphas[0], digits[0]), (7, 7), textcoords="offset points", color=BLUE)
    ax.annotate("digits", (alphas[3], digits[3]), (8, 6), textcoords="offset points", color=BLUE)
    ax.axhline(0, color=INK, lw=1, ls="--")
    ax.annotate("no positions", (alphas[0], 0), (0, 4), textcoords="offset points")
    ax.set(xlabel="weight α of the block digit", ylabel="points above no positions")
    return fig
