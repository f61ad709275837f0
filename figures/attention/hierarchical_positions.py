"""Drawings of the chapter on hierarchical positions: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE)
MARKERS = "os^D"


def blocks(points, alpha) -> Figure:
    """A table of points in the plane and its later blocks.

    Args:
        points: `(blocks, n, 2)`, the first block is the table.
        alpha: weight of the higher digit, for the title.
    """
    fig = Figure(figsize=(5.6, 3.6))
    ax = fig.subplots()
    for i, (block, colour, marker) in enumerate(zip(points, COLOURS, MARKERS, strict=False)):
        ax.plot(block[:, 0], block[:, 1], marker + "-", color=colour, lw=1, ms=5, label=f"block {i + 1}")
        ax.annotate(str(i * len(block) + 1), block[0], (5, 5), textcoords="offset points")
    ax.set(title=f"α = {alpha:g}", aspect="equal")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def norms(positions, lines) -> Figure:
    """Length of the embeddings along the positions.

    Args:
        positions: `(L,)`.
        lines: name to `(L,)` lengths.
    """
    fig = Figure(figsize=(6.4, 3.2))
    ax = fig.subplots()
    for name, values in lines.items():
        ax.plot(positions, values, lw=1.3, label=name)
    ax.set(xlabel="position", ylabel="length of the embedding", ylim=(0, None))
    ax.legend()
    return fig


def against_alpha(alphas, lines, levels) -> Figure:
    """Agreement with the true table against α, beside methods without α.

    Args:
        alphas: `(A,)`.
        lines: name to `(means, half-widths)`, `(A,)` each.
        levels: name to a mean.
    """
    fig = Figure(figsize=(6.6, 3.8))
    ax = fig.subplots()
    for (name, (means, halves)), colour, marker in zip(lines.items(), COLOURS, MARKERS, strict=False):
        ax.errorbar(alphas, means, halves, color=colour, marker=marker, capsize=3, ls="-", label=name)
    for (name, value), colour, style in zip(levels.items(), (GREEN, PURPLE, INK), ("--", "-.", ":"), strict=False):
        ax.axhline(value, color=colour, ls=style, lw=1.4, label=name)
    ax.set(xlabel="α", ylabel="cosine with the true table", ylim=(0, 1))
    ax.legend(loc="lower left")
    return fig


def distances(rows, nearest, alpha) -> Figure:
    """All distances between extended positions.

    Args:
        rows: `(L, L)` distances.
        nearest: the smallest distance of two different positions.
        alpha: weight of the higher digit.
    """
    fig = Figure(figsize=(4.8, 3.9))
    ax = fig.subplots()
    image = ax.imshow(rows, cmap="viridis", vmin=0)
    ax.grid(False)
    ax.set(xlabel="position", ylabel="position", title=f"α = {alpha:g}: the two nearest are {nearest:.3f} apart")
    fig.colorbar(image, label="distance")
    return fig
