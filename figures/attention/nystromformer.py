"""Drawings of the chapter on Nyström attention: data in, Figure out."""

import numpy as np
from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

MIDDLES = (
    ("exact", r"exact $A^\dagger$", VERMILLION, "--", "s"),
    ("six", "six iterations", BLUE, "-", "o"),
    ("identity", "nothing, $M = I$", GREEN, "-.", "^"),
    ("uniform", "uniform attention", INK, ":", "D"),
)


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


def smoothness(jumps, errors) -> Figure:
    """Relative error against the roughness of the sequence: mean and range over seeds.

    Args:
        jumps: `(points,)`, $1 - \\rho$.
        errors: kind to array `(seeds, points)`.
    """
    fig = Figure()
    ax = fig.subplots()
    _kinds(ax, jumps, errors)
    ax.axhline(1, color=INK, lw=1)
    ax.set(xscale="log", yscale="log", xlabel=r"$1 - \rho$: smooth (left) to white noise (right)")
    ax.set(ylabel="relative error")
    ax.legend()
    return fig


def divergence(steps, errors) -> Figure:
    """Relative error of the iterated pseudo-inverse of singular matrices.

    Args:
        steps: `(points,)`.
        errors: `(seeds, points)`.
    """
    fig = Figure()
    ax = fig.subplots()
    ax.fill_between(steps, errors.min(0), errors.max(0), color=BLUE, alpha=0.25, lw=0)
    ax.semilogy(steps, np.exp(np.log(errors).mean(0)), color=BLUE, marker="o", ms=4, label="rank 3, 8 × 8")
    late = np.asarray(steps) >= 16
    line = np.exp(np.log(errors).mean(0))[late][0] * (13 / 4) ** (np.asarray(steps)[late] - np.asarray(steps)[late][0])
    ax.semilogy(np.asarray(steps)[late], line, color=VERMILLION, ls="--", label="13/4 an iteration")
    ax.set(xlabel="iterations", ylabel="relative error")
    ax.legend()
    return fig


def real_heads(landmarks, errors, layers) -> Figure:
    """Relative error on real heads: by landmarks (left), and with the most landmarks by layer (right).

    Args:
        landmarks: `(points,)`.
        errors: kind to array `(seeds, points)`.
        layers: kind to array `(seeds, layers)`.
    """
    fig = Figure(figsize=(7.6, 3.4))
    left, right = fig.subplots(1, 2, sharey=True)
    _kinds(left, landmarks, errors)
    left.set(xscale="log", yscale="log", xlabel="landmarks", ylabel="relative error, median head")
    left.set_xticks(landmarks, landmarks)
    left.minorticks_off()
    left.set_yticks((0.5, 1, 2, 4), (0.5, 1, 2, 4))
    _kinds(right, range(1, next(iter(layers.values())).shape[1] + 1), layers)
    right.set(xlabel=f"layer, {max(landmarks)} landmarks")
    left.legend(fontsize="small")
    return fig


def heads_scatter(nothing, iterated, steps) -> Figure:
    """A point for each head: above the diagonal, the correction makes it worse.

    Args:
        nothing: array `(heads,)`, the error with $M = I$.
        iterated: array `(heads,)`, the error with the iterated inverse.
        steps: iterations, for the title.
    """
    fig = Figure()
    ax = fig.subplots()
    ax.plot(nothing, iterated, "o", ms=4, color=BLUE, alpha=0.7)
    ax.plot([0.05, 5], [0.05, 5], color=INK, lw=1.5, ls="-")
    ax.set(xscale="log", yscale="log", xlim=(0.15, 1.5), ylim=(0.04, 30))
    ax.set(xlabel="relative error with $M = I$", ylabel="with the iterated inverse", title=f"{steps} iterations")
    return fig


def _kinds(ax, x, errors):
    for key, name, colour, style, marker in MIDDLES:
        if key in errors:
            values = np.asarray(errors[key])
            ax.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.2, lw=0)
            ax.plot(x, np.median(values, axis=0), color=colour, ls=style, marker=marker, ms=4, label=name)
