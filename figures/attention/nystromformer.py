"""Drawings of the chapter on Nyström attention: data in, Figure out."""

import numpy as np
from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

T95 = {6: 2.571, 12: 2.201}  # two-sided, by the number of values
"""Quantiles of Student's t for a 95 % interval, by the number of seeds."""


def four_maps(maps) -> Figure:
    """Attention matrices beside each other, on one scale.

    Args:
        maps: title to array `(n, n)`.
    """
    fig = Figure(figsize=(7.6, 2.3))
    axes = fig.subplots(1, len(maps))
    top = float(np.quantile(next(iter(maps.values())), 0.995))
    for ax, (title, map_) in zip(axes, maps.items(), strict=True):
        ax.imshow(map_, cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")
        ax.set_title(title)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.grid(False)
    return fig


def filters(start, values) -> Figure:
    """How much of a direction is inverted after some iterations.

    Args:
        start: `(points,)`, the eigenvalue of $A V_0$.
        values: number of iterations to `(points,)`, that of $A V_s$.
    """
    fig = Figure()
    ax = fig.subplots()
    styles = zip(values.items(), (GREEN, VERMILLION, BLUE, PURPLE), ("-.", "--", "-", ":"), strict=True)
    for (steps, y), colour, line in styles:
        ax.semilogx(start, y, color=colour, ls=line, label=f"{steps} iterations")
    ax.axhline(1, color=INK, lw=1)
    ax.set(xlabel=r"$\sigma^2 / \kappa$", ylabel="inverted part of the direction", ylim=(-0.05, 1.1))
    ax.legend()
    return fig


def ways(errors) -> Figure:
    """Errors of several ways, each with its 95 % interval over seeds: of the median head, and of the whole model.

    Args:
        errors: name to two arrays `(seeds,)`.
    """
    fig = Figure(figsize=(7.2, 2.9))
    panels = fig.subplots(1, 2, sharey=True)
    names = list(errors)
    for side, (ax, title) in enumerate(zip(panels, ("median head", "whole model"), strict=True)):
        for row, name in enumerate(names):
            values = np.asarray(errors[name][side])
            half = T95[len(values)] * values.std(ddof=1) / len(values) ** 0.5
            colour = BLUE if row == 0 else VERMILLION if name == "mean queries" else INK
            ax.errorbar(values.mean(), row, xerr=half, fmt="o", ms=5, color=colour, capsize=3)
        ax.set(title=title, xlabel="relative error", yticks=range(len(names)), yticklabels=names)
        ax.invert_yaxis() if side == 0 else None
        ax.margins(x=0.12, y=0.12)
    return fig


def parts(steps, sizes, copied) -> Figure:
    """The error after each number of iterations, with its bias and its correction.

    Args:
        steps: `(points,)`.
        sizes: `error`, `bias` and `correction`, each `(points,)`.
        copied: the error of mean queries of the same segments.
    """
    fig = Figure()
    ax = fig.subplots()
    lines = {"error": (BLUE, "-", "o"), "bias": (GREEN, "-.", "^"), "correction": (VERMILLION, "--", "s")}
    higher = sizes["error"][-1] > sizes["correction"][-1]
    places = {"error": (6, 4 if higher else -14), "bias": (6, 0), "correction": (6, -14 if higher else 4)}
    for name, (colour, style, marker) in lines.items():
        ax.plot(steps, sizes[name], color=colour, ls=style, marker=marker, ms=4)
        ax.annotate(name, (steps[-1], sizes[name][-1]), places[name], textcoords="offset points", color=colour)
    ax.axhline(copied, color=INK, ls=":")
    ax.annotate("mean queries, same segments", (0, copied), (2, -13), textcoords="offset points", color=INK)
    ax.set(xlabel="iterations", ylabel="relative size, median head", xlim=(-0.5, steps[-1] + 3.5), ylim=(0, None))
    return fig


def helps(copied, errors) -> Figure:
    """A point for each pair of sequences: below the diagonal, the correction helps.

    Args:
        copied: array `(pairs,)`, the error of mean queries of the same segments.
        errors: `six` and `exact`, each an array `(pairs,)`.
    """
    fig = Figure()
    ax = fig.subplots()
    ax.plot([0.01, 2], [0.01, 2], color=INK, lw=1.5, ls="-")
    ax.annotate("the correction does harm", (0.012, 120), color=INK)
    ax.annotate("it helps", (0.9, 0.012), color=INK)
    kinds = ("six", "six iterations", BLUE, "o"), ("exact", "exact inverse", VERMILLION, "s")
    for name, label, colour, marker in kinds:
        ax.plot(copied, errors[name], marker, ms=4, color=colour, alpha=0.8, label=label)
    ax.set(xscale="log", yscale="log", xlim=(0.01, 2), ylim=(0.003, 300))
    ax.set(xlabel="relative error of mean queries, same segments", ylabel="with the correction")
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.85))
    return fig
