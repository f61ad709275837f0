"""Drawings of the margin-softmax chapter: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

STYLE = ((BLUE, "o", "-"), (VERMILLION, "s", "--"), (GREEN, "^", "-."), (PURPLE, "D", ":"))


def line(z, far) -> Figure:
    """Two classes on a line: all classified right, one ranked wrong.

    Args:
        z: distance of the first class's two samples from its centre at 0.
        far: position of the second centre; its sample lies `z` before it.
    """
    fig = Figure(figsize=(5.2, 2.2))
    ax = fig.subplots()
    ax.axhline(0, color="#808080", lw=0.8)
    ax.axvline(far / 2, 0.1, 0.72, color=INK, lw=1, ls=":")
    ax.text(far / 2, -0.75, "border of the classifier", ha="center", fontsize="small")
    own, other = [("$z_3$", -z), ("$z_1$", z)], [("$z_2$", far - z)]
    for color, marker, samples, (name, centre) in (
        (BLUE, "o", own, ("$c_1$", 0)),
        (VERMILLION, "s", other, ("$c_2$", far)),
    ):
        ax.plot([x for _, x in samples], [0] * len(samples), marker, ms=10, color=color, ls="none")
        ax.plot([centre], [0], "x", ms=9, mew=2, color=color, ls="none")
        for label, x in (*samples, (name, centre)):
            ax.annotate(label, (x, 0), (0, 9), textcoords="offset points", ha="center", color=color)
    for x0, x1, y, text in ((-z, z, 0.95, f"{2 * z:g}"), (z, far - z, 0.62, f"{far - 2 * z:g}")):
        ax.annotate("", (x0, y), (x1, y), arrowprops={"arrowstyle": "<->", "color": INK})
        ax.text((x0 + x1) / 2, y + 0.06, text, ha="center")
    ax.set(ylim=(-1, 1.3), yticks=[], xlabel="position")
    ax.grid(False)
    ax.spines["left"].set_visible(False)
    return fig


def bought(foreign, gained, margin, worst) -> Figure:
    """The gap between distances that a cosine margin is worth, against the cosine with the foreign centre.

    Args:
        foreign: cosines q with the foreign centre, from -1 to 1 - `margin`.
        gained: gaps between the two distances there.
        margin: the cosine margin.
        worst: the smallest of the gaps.
    """
    fig = Figure(figsize=(5.2, 3.0))
    ax = fig.subplots()
    ax.plot(foreign, gained, color=BLUE)
    ax.plot([-1], [worst], "o", ms=7, color=VERMILLION, ls="none")
    ax.annotate(f"antipode: {worst:.2f}", (-1, worst), (8, 14), textcoords="offset points", color=VERMILLION)
    middle = int(abs(foreign).argmin())
    ax.plot([0], [gained[middle]], "o", ms=7, color=INK, ls="none")
    ax.annotate(
        f"orthogonal: {gained[middle]:.2f}", (0, gained[middle]), (-4, 12), textcoords="offset points", ha="right"
    )
    ax.set(xlim=(-1.05, 1), ylim=(0, None), xlabel="cosine q with the foreign centre")
    ax.set_ylabel(f"gap of distances for margin {margin:g}")
    return fig


def against_scale(scales, panels) -> Figure:
    """Scores against the scale of the softmax, one panel a score, a label at each curve.

    Args:
        scales: positive numbers.
        panels: title to `{name: (means, half-widths)}`, two of them with the same names.
    """
    fig = Figure(figsize=(5.0, 6.0))
    for ax, (title, curves) in zip(fig.subplots(2, 1), panels.items(), strict=True):
        ends = sorted(curves, key=lambda name: curves[name][0][-1])
        gap = 0.07 * (max(max(m) for m, _ in curves.values()) - min(min(m) for m, _ in curves.values()))
        height = None
        for name in ends:  # labels from the lowest up, not nearer than a line of text
            value = curves[name][0][-1]
            height = value if height is None else max(value, height + 1.6 * gap)
            color = STYLE[list(curves).index(name)][0]
            ax.text(scales[-1] * 1.15, height, name, color=color, va="center", fontsize="small")
        for (color, marker, style), (means, halves) in zip(STYLE, curves.values(), strict=False):
            ax.errorbar(scales, means, halves, color=color, marker=marker, ls=style, ms=5, capsize=3)
        ax.set_xscale("log", base=2)
        ax.set_xticks(list(scales), [f"{s:g}" for s in scales])
        ax.set(xlim=(scales[0] * 0.85, scales[-1] * 4.6), ylabel="difference, points of mAP", title=title)
    fig.axes[1].set_xlabel("scale s")
    return fig


def surplus(margin, ranking, title) -> Figure:
    """Each case by how far the margin condition holds and how far the ranking does; none may lie below right.

    Args:
        margin: what is left of the margin condition, positive where it holds.
        ranking: what is left of the ranking, positive where it is right.
        title: of the frame.
    """
    fig = Figure(figsize=(4.8, 3.9))
    ax = fig.subplots()
    bad = (margin > 0) & (ranking <= 0)
    ax.axvline(0, color=INK, lw=1)
    ax.axhline(0, color=INK, lw=1)
    ax.plot(margin[~bad], ranking[~bad], "o", ms=3, color=BLUE, alpha=0.5, ls="none")
    ax.plot(margin[bad], ranking[bad], "X", ms=7, color=VERMILLION, ls="none")
    ax.text(0.98, 0.03, "margin holds, ranked wrong", transform=ax.transAxes, ha="right", color=VERMILLION)
    ax.set(xlabel="surplus of the margin condition", ylabel="surplus of the ranking", title=title)
    ax.set(
        xlim=(-0.7, max(1.1, 1.05 * max(margin))), ylim=(min(-1.3, 1.05 * min(ranking)), max(1.6, 1.05 * max(ranking)))
    )
    return fig
