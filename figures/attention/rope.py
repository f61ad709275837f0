"""Drawings of the chapter attention/rope: data in, Figure out."""

import math

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

STYLE = ((BLUE, "o", "-"), (VERMILLION, "^", "--"), (GREEN, "s", "-."), (PURPLE, "D", ":"))


def turned(steps):
    """A query and a key on their circles at several positions, with the angle between them.

    Args:
        steps: for each of four panels `(title, query, key)`; the last two are angles in degrees.
    """
    fig, axes = plt.subplots(2, 2, figsize=(4.6, 5.0))
    for ax, (title, query, key) in zip(axes.flat, steps, strict=True):
        for degrees, color, name in ((query, BLUE, "q"), (key, VERMILLION, "k")):
            x, y = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            ax.plot([0, x], [0, y], color=color, linewidth=2, linestyle="-")
            ax.plot([x], [y], marker="o", color=color, markersize=5, linestyle="none")
            ax.text(1.22 * x, 1.22 * y, name, color=color, ha="center", va="center")
        ring = [math.radians(6 * t) for t in range(61)]
        ax.plot([math.cos(t) for t in ring], [math.sin(t) for t in ring], color="#808080", linewidth=0.6, linestyle="-")
        arc = [math.radians(key + (query - key) * t / 20) for t in range(21)]
        ax.plot(
            [0.35 * math.cos(a) for a in arc], [0.35 * math.sin(a) for a in arc], color=INK, linewidth=1, linestyle="-"
        )
        ax.text(
            0.66 * math.cos(arc[10]), 0.66 * math.sin(arc[10]), f"{query - key}°",
            ha="center", va="center", fontsize="small",
        )  # fmt: skip
        ax.set_xlim(-1.45, 1.45)
        ax.set_ylim(-1.45, 1.45)
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.set_title(title, fontsize="medium")
    return fig


def decay(distance, aligned, law, some, random):
    """Scores over the distance, on a logarithmic axis, with a label at each curve.

    Args:
        distance: positive distances.
        aligned, law: score of aligned content at them, and its logarithmic law.
        some, random: fewer distances, and the root mean square score of random content there.
    """
    fig, ax = plt.subplots()
    ax.plot(distance, aligned, color=BLUE, linewidth=1, linestyle="-")
    ax.plot(distance, law, color=INK, linestyle="--", linewidth=1.2)
    ax.plot(some, random, color=VERMILLION, marker="o", markersize=4, linewidth=1, linestyle=":")
    ax.axhline(0, color=INK, linewidth=0.6)
    ax.text(1.3, 1.1, "random content (root mean square)", color=VERMILLION, va="bottom")
    ax.text(14, 0.74, "logarithmic law", color=INK)
    ax.text(1.1, 0.2, "aligned content", color=BLUE)
    ax.set_ylim(-0.25, 1.3)
    ax.set_xscale("log")
    ax.set_xlabel("distance r, in tokens")
    ax.set_ylabel("score, relative to r = 0")
    return fig


def running(distance, curves):
    """The smallest score of aligned content so far, for several bases.

    Args:
        distance: distances.
        curves: `(label, values, first, x, y)`: running minima, the first negative distance, and where the label stands.
    """
    fig, ax = plt.subplots()
    for (label, values, first, x, y), (color, marker, line) in zip(curves, STYLE, strict=True):
        ax.plot(distance, values, color=color, linestyle=line, linewidth=1.4)
        ax.plot([first], [0], color=color, marker=marker, markersize=6, linestyle="none")
        ax.text(x, y, label, color=color)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xlim(distance[0], distance[-1])
    ax.set_ylim(-0.12, 0.25)
    ax.set_xlabel("distance, in tokens")
    ax.set_ylabel("smallest score so far")
    return fig


def shifted(moves, score, plain):
    """The score of a query and a key a fixed distance apart while both move, and what the claim says.

    Args:
        moves: how far both have moved.
        score: their score there.
        plain: the score right after the rotation.
    """
    fig, ax = plt.subplots()
    ax.axhline(plain, color=INK, linestyle="--", linewidth=1)
    ax.plot(moves, score, color=BLUE, linewidth=1.6)
    ax.text(moves[-1], plain + 0.25, "the claim", color=INK, ha="right", va="bottom")
    ax.set_ylim(plain - 6, plain + 6)
    ax.set_xlabel("both moved by, in tokens")
    ax.set_ylabel("score at distance 5")
    return fig


def losses(places, curves, trained, top, lifts=None, seeds=None):
    """Loss at each place of the text, with intervals over the seeds and a label at the end of each curve.

    Args:
        places: middles of the groups of places.
        curves: `{label: (means, halves)}`.
        trained: length in training.
        top: upper end of the axis.
        lifts: for some labels, how far they are lifted, in points.
        seeds: for some labels, the curve of each seed, drawn thin.
    """
    fig, ax = plt.subplots()
    for label, (color, _, _) in zip(curves, STYLE, strict=False):
        for single in (seeds or {}).get(label, ()):
            ax.plot(places, single, color=color, linewidth=0.7, linestyle="-", alpha=0.4)
    for (label, (means, halves)), (color, marker, line) in zip(curves.items(), STYLE, strict=False):
        ax.vlines(places, means - halves, means + halves, color=color, linewidth=1)
        ax.plot(places, means, color=color, marker=marker, markersize=4, linewidth=1.2, linestyle=line)
        lift = (lifts or {}).get(label, 0)
        ax.annotate(
            label, (places[-1], means[-1]), xytext=(6, lift), textcoords="offset points", color=color, va="center"
        )
    ax.axvline(trained, color=INK, linestyle=":", linewidth=1)
    ax.text(trained + 1, top, "trained length", va="top", fontsize="small")
    ax.set_ylim(-0.3, top)
    ax.set_xlim(0, places[-1] + 42)
    ax.set_xticks([0, 32, 64, 96, 128])
    ax.set_xlabel("place in the text")
    ax.set_ylabel("loss in nats")
    return fig
