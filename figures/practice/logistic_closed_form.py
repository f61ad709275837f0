"""Drawings of the chapter on logistic regression in closed form: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

STYLES = {
    "the post's gradient descent": (PURPLE, ":", "v"),
    "the post's closed form": (BLUE, "-", "o"),
    "closed form, tuned shrinkage": (GREEN, "-.", "D"),
    "closed form, tuned scale": (INK, (0, (5, 1, 1, 1)), "^"),
    "tuned logistic regression": (VERMILLION, "--", "s"),
}


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


def few_shot(curves) -> Figure:
    """Accuracy, log-loss and calibration error against the samples of each class.

    Args:
        curves: data set to `{method: (shots, means, halves)}` with `means` and `halves` of shape `(shots, 3)`.
    """
    fig = Figure(figsize=(7.6, 7.4))
    axes = fig.subplots(len(curves), 3, squeeze=False)
    for row, (name, methods) in zip(axes, curves.items(), strict=True):
        for column, ax in enumerate(row):
            for method, (shots, means, halves) in methods.items():
                colour, style, marker = STYLES[method]
                ax.errorbar(
                    shots, means[:, column], halves[:, column], color=colour, ls=style, marker=marker, ms=4, capsize=2,
                    lw=1.4, label=method,
                )  # fmt: skip
            ax.set_xscale("log")
            ax.set_xticks(shots, [str(s) for s in shots], fontsize="small")
            ax.minorticks_off()
            ax.set_xlabel("samples of each class", fontsize="small")
            if column == 1:
                ax.set_yscale("log")
        row[0].set_ylabel(name)
    for ax, title in zip(axes[0], ("accuracy, %", "log-loss, nats (log scale)", "calibration error"), strict=True):
        ax.set_title(title)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncol=2, frameon=False)
    return fig


def reliability(bins) -> Figure:
    """Accuracy against confidence, bin by bin.

    Args:
        bins: method to `(confidences, accuracies, shares)`, each `(bins,)`.
    """
    fig = Figure(figsize=(5.0, 3.6))
    ax = fig.subplots()
    ax.plot([0, 1], [0, 1], color=INK, ls=":", lw=1, label="calibrated")
    for method, (confidence, accuracy, share) in bins.items():
        colour, style, marker = STYLES[method]
        label = f"{method} ({100 * share[-1]:.0f} % in the last bin)"
        ax.plot(confidence, accuracy, color=colour, ls=style, marker=marker, label=label)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share correct")
    ax.legend(loc="upper left", fontsize="x-small")
    return fig


def three_curves(grid, truth, closed, total, rates) -> Figure:
    """The probability of class 1 for an exponential feature: exact, in closed form, and with the total covariance.

    Args:
        grid: values of the feature, `(points,)`.
        truth, closed, total: probabilities, `(points,)`.
        rates: of the two classes, for the title.
    """
    fig = Figure()
    ax = fig.subplots()
    ax.plot(grid, truth, color=INK, ls="-", label="exact: maximum likelihood with endless data")
    ax.plot(grid, closed, color=BLUE, ls="--", label="closed form")
    ax.plot(grid, total, color=VERMILLION, ls=":", label="closed form with the total covariance")
    ax.set(xlim=(grid[0], grid[-1]), ylim=(0, 1.02), title=f"rates {rates[0]:g} and {rates[1]:g}")
    ax.set(xlabel="feature", ylabel="probability of the class with the higher rate")
    ax.legend(loc="upper right", fontsize="small")
    return fig
