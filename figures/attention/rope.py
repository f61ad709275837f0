"""Drawings of the chapter attention/rope: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

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


def decay(distance, exact, law, indicator, random):
    """Four curves over the distance, on a logarithmic axis.

    Args:
        distance: positive distances.
        exact, law: score of aligned content, and its logarithmic law.
        indicator: the mean length of the partial sums, relative to distance 0.
        random: root mean square score of random content, relative to distance 0.
    """
    fig, ax = plt.subplots()
    ax.plot(distance, exact, color=BLUE, linewidth=1, label="aligned content")
    ax.plot(distance, law, color=INK, linestyle="--", linewidth=1, label="logarithmic law")
    ax.plot(distance, indicator, color=PURPLE, linewidth=1, label="the post's indicator")
    ax.plot(distance, random, color=VERMILLION, linewidth=1, label="random content")
    ax.axhline(0, color=INK, linewidth=0.6)
    ax.set_xscale("log")
    ax.set_xlabel("distance r")
    ax.set_ylabel("relative to distance 0")
    ax.legend(fontsize="small")
    return fig


def feasible(base, room):
    """For each base, the distance up to which aligned content never scores below zero.

    Args:
        base: bases.
        room: first distance with a negative score, at each base.
    """
    fig, ax = plt.subplots()
    ax.plot(base, room, color=BLUE, linewidth=1, drawstyle="steps-mid")
    ax.set_xlabel("base B")
    ax.set_ylabel("first negative distance")
    return fig


def kernel(distance, exact, law):
    """Score of aligned content and its logarithmic law; what lies below zero is marked.

    Args:
        distance, exact, law: positive distances, and two values at each.
    """
    fig, ax = plt.subplots()
    below = [(r, y) for r, y in zip(distance, exact, strict=True) if y < 0]
    ax.plot(distance, exact, color=BLUE, linewidth=1, label="aligned content")
    ax.plot(distance, law, color=INK, linestyle="--", linewidth=1, label="logarithmic law")
    ax.plot(
        [r for r, _ in below], [y for _, y in below], color=VERMILLION, marker=".", markersize=3, linestyle="none",
        label="below zero",
    )  # fmt: skip
    ax.axhline(0, color=INK, linewidth=0.6)
    ax.set_xscale("log")
    ax.set_ylim(-0.6, 1.05)
    ax.set_xlabel("distance r")
    ax.set_ylabel("κ(r)")
    ax.legend(fontsize="small", loc="upper right")
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
    ax.set_ylabel("loss, nats a word")
    ax.legend(fontsize="small")
    return fig
