"""Drawings of the chapter attention/rope: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, VERMILLION

NAMES = {"rope": "RoPE", "learned": "learned rows", "none": "no positions"}
STYLE = {"rope": (BLUE, "o"), "learned": (VERMILLION, "^"), "none": (GREEN, "s")}


def turned(steps):
    """A query and a key on their circles at several positions; the angle between them stays.

    Args:
        steps: for each panel `(title, query, key)`, the vectors as pairs of numbers.
    """
    fig, axes = plt.subplots(1, len(steps), figsize=(8.6, 2.4), sharey=True)
    for ax, (title, query, key) in zip(axes, steps, strict=True):
        for (x, y), color, name in ((query, BLUE, "query"), (key, VERMILLION, "key")):
            ax.plot([0, x], [0, y], color=color, linewidth=1.6)
            ax.plot([x], [y], marker="o", color=color, markersize=5, linestyle="none", label=name)
        ax.set_xlim(-1.3, 1.3)
        ax.set_ylim(-1.3, 1.3)
        ax.set_aspect("equal")
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_title(title, fontsize="small")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2, fontsize="small")
    return fig


def decay(distance, aligned, law, random):
    """Scores over the distance, on a logarithmic axis, with a label at each curve.

    Args:
        distance: positive distances.
        aligned, law: score of aligned content, and its logarithmic law.
        random: root mean square score of random content, relative to distance 0.
    """
    fig, ax = plt.subplots()
    ax.plot(distance, random, color=VERMILLION, linewidth=1)
    ax.plot(distance, aligned, color=BLUE, linewidth=1)
    ax.plot(distance, law, color=INK, linestyle="--", linewidth=1)
    ax.axhline(0, color=INK, linewidth=0.6)
    ax.text(distance[0], 0.93, "random content, root mean square", color=VERMILLION, va="top", fontsize="small")
    ax.text(20, 0.72, "logarithmic law", color=INK, fontsize="small")
    ax.text(1.2, 0.4, "aligned content", color=BLUE, fontsize="small")
    ax.set_xscale("log")
    ax.set_xlabel("distance r")
    ax.set_ylabel("score, relative to distance 0")
    return fig


def shifted(moves, score, plain):
    """The score of a query and a key a fixed distance apart while both move, and what it is without a nonlinearity.

    Args:
        moves: how far both have moved.
        score: their score there.
        plain: the score right after the rotation.
    """
    fig, ax = plt.subplots()
    ax.axhline(plain, color=INK, linestyle="--", linewidth=1)
    ax.plot(moves, score, color=BLUE, linewidth=1.4)
    ax.set_ylim(plain - 6, plain + 6)
    ax.set_xlabel("both moved by")
    ax.set_ylabel("score at distance 5")
    return fig


def losses(places, curves, trained):
    """Loss of the next word at each place of the text, with intervals over the seeds.

    Args:
        places: middles of the groups of places.
        curves: `{scheme: (means, halves)}`.
        trained: length in training.
    """
    fig, ax = plt.subplots()
    for scheme, (means, halves) in curves.items():
        color, marker = STYLE[scheme]
        ax.vlines(places, means - halves, means + halves, color=color, linewidth=1)
        ax.plot(places, means, color=color, marker=marker, markersize=4, linewidth=1, label=NAMES[scheme])
    ax.axvline(trained, color=INK, linestyle=":", linewidth=1)
    ax.set_xlabel("place in the text")
    ax.set_ylabel("loss in nats")
    ax.legend(fontsize="small")
    return fig
