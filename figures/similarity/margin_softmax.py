"""Drawings of the margin-softmax chapter: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, INK, VERMILLION

STYLES = {"cosine": (BLUE, "-", "o"), "angular": (VERMILLION, "--", "s")}


def line(z, far) -> Figure:
    """Two classes on a line: all classified right, one ranked wrong.

    Args:
        z: distance of the first class's two samples from its centre at 0.
        far: position of the second centre; its sample lies `z` before it.
    """
    fig = Figure(figsize=(6.0, 1.9))
    ax = fig.subplots()
    ax.plot([-z, z], [0, 0], "o", ms=10, color=BLUE, ls="none", label="class 1")
    ax.plot([far - z], [0], "s", ms=10, color=VERMILLION, ls="none", label="class 2")
    ax.plot([0, far], [0, 0], "x", ms=9, mew=2, color=INK, ls="none", label="centres")
    ax.axvline(far / 2, 0, 0.6, color=INK, lw=1, ls=":")
    for name, x in (("$z_3$", -z), ("$c_1$", 0), ("$z_1$", z), ("$z_2$", far - z), ("$c_2$", far)):
        ax.annotate(name, (x, 0), (0, 11), textcoords="offset points", ha="center")
    ax.set(ylim=(-0.6, 1), yticks=[], xlabel="position; dotted: the border of the classifier")
    ax.grid(False)
    ax.spines["left"].set_visible(False)
    ax.legend(ncol=3, loc="upper center", frameon=False)
    return fig


def against_margin(panels) -> Figure:
    """Scores against the margin, one panel a score.

    Args:
        panels: title to `{kind: (margins, means, half-widths of the intervals)}`, four of them.
    """
    fig = Figure(figsize=(7.2, 5.4))
    for ax, (title, kinds) in zip(fig.subplots(2, 2).flat, panels.items(), strict=True):
        for kind, (margins, means, halves) in kinds.items():
            colour, style, marker = STYLES[kind]
            shift = 0.006 if kind == "angular" else 0
            x = [m + shift for m in margins]
            ax.errorbar(x, means, halves, color=colour, ls=style, marker=marker, capsize=3, label=kind)
        ax.set(title=title, xlabel="margin (cosine, or radians)", ylabel="percent")
    fig.axes[0].legend()
    return fig


def one_scale(margins, tuned, fixed) -> Figure:
    """Mean average precision on unseen classes with the scale tuned for each margin, and with one scale for all.

    Args:
        margins: `(margins,)`.
        tuned, fixed: pairs `(means, half-widths)`.
    """
    fig = Figure()
    ax = fig.subplots()
    ax.errorbar(margins, *tuned, color=BLUE, ls="-", marker="o", capsize=3, label="scale tuned for each margin")
    x = [m + 0.006 for m in margins]
    ax.errorbar(x, *fixed, color=VERMILLION, ls="--", marker="s", capsize=3, label="scale 32 for every margin")
    ax.set(xlabel="cosine margin", ylabel="mAP on unseen classes, %")
    ax.legend()
    return fig


def two_conditions(cosines, curve, border, delta, worst) -> Figure:
    """The plane of the two cosines: where the metric margin holds, and where the cosine margin does.

    Args:
        cosines: own cosines p, `(points,)`.
        curve: the foreign cosine below which the metric margin holds, `(points,)`; NaN where none does.
        border: the same for the cosine margin.
        delta: the metric margin, for the title.
        worst: `(p, q)` at which the two meet.
    """
    fig = Figure(figsize=(5.2, 4.2))
    ax = fig.subplots()
    ax.fill_between(cosines, -1, curve, color=BLUE, alpha=0.25, lw=0)
    ax.plot(cosines, curve, color=BLUE, label="metric margin: $b - a = \\delta$")
    ax.plot(cosines, border, color=VERMILLION, ls="--", label="cosine margin: $p - q = m'$")
    ax.plot(*worst, "o", ms=8, color=INK, ls="none", label="worst case")
    ax.set(xlim=(-1.02, 1.02), ylim=(-1.02, 1.02), title=f"$\\delta$ = {delta:g}")
    ax.set(xlabel="cosine p with the own centre", ylabel="cosine q with the foreign centre")
    ax.legend(loc="upper left", fontsize="small")
    return fig


def radii(measured, largest) -> Figure:
    """Radii of the classes against the largest that four radii allow on the sphere.

    Args:
        measured: name of a radius to its values, one a seed.
        largest: of a radius r with 4 r at most the width of the space.
    """
    fig = Figure(figsize=(6.0, 2.6))
    ax = fig.subplots()
    for row, values in enumerate(measured.values()):
        ax.plot(values, [row] * len(values), "o", color=BLUE, alpha=0.7, ls="none")
    ax.axvline(largest, color=VERMILLION, ls="--")
    ax.annotate("largest with four radii", (largest, len(measured) - 0.6), (4, 0), textcoords="offset points")
    ax.set(yticks=range(len(measured)), yticklabels=list(measured), ylim=(-0.6, len(measured) - 0.3))
    ax.set(xlim=(0, 2**0.5), xlabel="distance $\\sqrt{1 - \\cos}$ from the class vector")
    return fig
