"""Drawings of the chapter on logistic regression in closed form: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, INK, VERMILLION


def one_feature(edges, counts, grid, curve) -> Figure:
    """Histograms of a feature in two classes, the share of the second in each bin, and a curve.

    Args:
        edges: borders of the bins, `(bins + 1,)`.
        counts: samples in each bin, `(bins,)` for each of the two classes.
        grid, curve: the probability of the second class, `(points,)`.
    """
    fig = Figure()
    ax = fig.subplots()
    centres = (edges[1:] + edges[:-1]) / 2
    largest = max(max(c) for c in counts)
    for c, colour, name, hatch in zip(counts, (VERMILLION, BLUE), ("malignant", "benign"), ("//", ""), strict=True):
        ax.bar(centres, c / largest, edges[1] - edges[0], color=colour, alpha=0.3, hatch=hatch, label=name)
    total = counts[0] + counts[1]
    shares = [(x, b / t) for x, b, t in zip(centres, counts[1], total, strict=True) if t >= 5]
    ax.plot(*zip(*shares, strict=True), "o", color=INK, ls="none", label="share of benign in the bin")
    ax.plot(grid, curve, color=INK, ls="-", label="curve in closed form")
    ax.set(xlabel="mean radius of the cell nuclei", ylabel="probability, share", ylim=(-0.03, 1.08))
    ax.legend(fontsize="small")
    return fig


def scaled(panels) -> Figure:
    """Log-loss of the closed form against the scale of its logits, with the level of logistic regression.

    Args:
        panels: data set to `(scales, means, halves, level)`, arrays `(scales,)` and a number.
    """
    fig = Figure(figsize=(6.4, 3.2))
    for ax, (name, (scales, means, halves, level)) in zip(fig.subplots(1, len(panels)), panels.items(), strict=True):
        ax.fill_between(scales, means - halves, means + halves, color=BLUE, alpha=0.3, lw=0)
        ax.plot(scales, means, color=BLUE)
        ax.axhline(level, color=VERMILLION, ls="--")
        ax.set(xscale="log", yscale="log", xlabel="scale of the logits", title=name)
        ax.set_xticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
        ticks = [0.2, 0.5, 1, 2, 5]
        ax.set_yticks(ticks, [str(v) for v in ticks])
        ax.minorticks_off()
        ax.set_ylim(0.15, 6.5)
        near = {"textcoords": "offset points", "fontsize": "small"}
        ax.annotate("logistic regression", (1, level), (0, -4), color=VERMILLION, ha="right", va="top", **near)
        ax.annotate("closed form", (scales[3], means[3]), (6, 4), color=BLUE, va="bottom", **near)
    fig.axes[0].set_ylabel("log-loss, nats")
    return fig


def two_curves(grid, exact, closed, ratio) -> Figure:
    """The probability of the wider of two Gaussian classes: exact, and in closed form.

    Args:
        grid: values of the feature, `(points,)`.
        exact, closed: probabilities, `(points,)`.
        ratio: of the standard deviations.
    """
    fig = Figure()
    ax = fig.subplots()
    wrong = (exact > 0.5) != (closed > 0.5)
    ax.fill_between(grid, 0, 1, where=wrong, color=VERMILLION, alpha=0.15, lw=0, label="the decisions differ")
    ax.plot(grid, exact, color=INK, label="exact")
    ax.plot(grid, closed, color=BLUE, ls="--", label="closed form")
    ax.set(xlim=(grid[0], grid[-1]), ylim=(0, 1.02), title=f"class A spreads {ratio:g} times as widely as class B")
    ax.set(xlabel="feature (class B at 0, class A at 4)", ylabel="probability of class A")
    ax.legend(loc="center right", fontsize="small")
    return fig
