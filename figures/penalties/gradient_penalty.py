"""Drawings of the gradient-penalty chapter: data in, Figure out."""

import numpy as np
from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

FORMS = (
    ("sharp", "$\\|WJ\\|_2$", BLUE, "-", "o"),
    ("spectral", "$\\|W\\|_2\\|J\\|_2$", VERMILLION, "--", "s"),
    ("frobenius", "$\\|W\\|_F\\|J\\|_F$", GREEN, "-.", "^"),
)


def two_gradients(before, after) -> Figure:
    """Squared gradient of each sample with respect to the input and to the parameters.

    Args:
        before, after: pairs `(of the input, of the parameters)` of arrays `(samples,)`, untrained and trained.
    """
    fig = Figure()
    ax = fig.subplots()
    for (gx, gt), colour, marker, name in ((before, BLUE, "o", "untrained"), (after, VERMILLION, "s", "trained")):
        ax.loglog(gx, gt, marker, ms=4, color=colour, alpha=0.7, label=name, ls="none")
    ax.set(xlabel=r"$\|\nabla_x f\|^2$ of a sample", ylabel=r"$\|\nabla_\theta f\|^2$ of the same sample")
    ax.legend()
    return fig


def through_training(steps, ratios, brackets) -> Figure:
    """Left side over right side, and the bracket itself, while a network is trained.

    Args:
        steps: `(steps,)`.
        ratios: form name to array `(seeds, steps)`.
        brackets: `(seeds, steps)`, the sharp form's factor.
    """
    fig = Figure(figsize=(7.6, 3.4))
    left, right = fig.subplots(1, 2)
    for key, name, colour, style, marker in FORMS:
        _band(left, steps, ratios[key], colour, style, marker, name)
    left.axhline(1, color=INK, lw=1)
    left.set(xscale="symlog", yscale="log", xlabel="step", ylabel="left side / right side")
    left.set(xlim=(0, steps[-1]), ylim=(2e-4, 2))
    left.legend(loc="center left", bbox_to_anchor=(0, 0.5))
    _band(right, steps, brackets, PURPLE, "-", "o", None)
    right.set(xscale="symlog", yscale="log", xlabel="step", ylabel="bracket (sharp form)")
    return fig


def weight_norms(steps, norms) -> Figure:
    """Spectral norm of each layer's weight through training.

    Args:
        steps: `(steps,)`.
        norms: array `(seeds, steps, layers)`.
    """
    fig = Figure()
    ax = fig.subplots()
    for t, (_, _, colour, style, marker) in zip(range(norms.shape[2]), FORMS, strict=False):
        _band(ax, steps, norms[:, :, t], colour, style, marker, f"layer {t + 1}")
    ax.set(xscale="symlog", xlabel="step", ylabel=r"$\|W^{(t)}\|_2$", ylim=(0, None))
    ax.legend()
    return fig


def both_sides(left, right, step) -> Figure:
    """The ratio of the two sides, a point for each sample; a point above the line at 1 would refute the inequality.

    Args:
        left: form name to array `(samples,)`.
        right: array `(samples,)`.
        step: of training, for the title.
    """
    fig = Figure()
    ax = fig.subplots()
    for key, name, colour, _, marker in FORMS:
        ax.semilogx(right, left[key] / right, marker, ms=3.5, color=colour, alpha=0.7, label=name, ls="none")
    ax.axhline(1, color=INK, lw=1.5, ls="-")
    ax.set(xlim=(1e-14, 1e4), ylim=(-0.03, 1.3), title=f"after {step} steps")
    ax.set(xlabel=r"right side, $\|\nabla_\theta f\|^2$", ylabel="left side / right side")
    ax.legend(loc="upper left", ncols=3)
    return fig


def penalties_compared(names, panels) -> Figure:
    """Mean and 95 % interval of each method's scores, one panel for a score.

    Args:
        names: the methods.
        panels: score name to `(means, half widths)`, arrays `(methods,)`.
    """
    fig = Figure(figsize=(7.6, 2.6))
    axes = fig.subplots(1, len(panels), sharey=True)
    rows = np.arange(len(names))[::-1]
    for ax, (title, (mean, half)) in zip(axes, panels.items(), strict=True):
        ax.errorbar(mean, rows, xerr=half, fmt="o", color=BLUE, capsize=3, ms=5)
        ax.set_title(title)
        ax.set_yticks(rows, names)
        ax.set_ylim(-0.5, len(names) - 0.5)
        ax.locator_params(axis="x", nbins=3)
    return fig


def _band(ax, steps, values, colour, style, marker, name):
    """The mean over seeds, and the range of the seeds."""
    values = np.asarray(values)
    ax.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.25, lw=0)
    ax.plot(steps, values.mean(0), color=colour, ls=style, marker=marker, ms=4, label=name)
