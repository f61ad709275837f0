"""Drawings of the chapter attention/rope_tie: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

NAMES = {"flatten": "flattened", "mrope": "M-RoPE", "tie": "RoPE-Tie", "tie_v2": "RoPE-Tie-v2"}
STYLE = {"flatten": (PURPLE, "o"), "mrope": (GREEN, "s"), "tie": (VERMILLION, "^"), "tie_v2": (BLUE, "D")}


def layouts(panels, limit=None):
    """Where text and patches stand, one panel for each scheme; column across, row down.

    Args:
        panels: `{scheme: (text, patches, turned)}`: positions `(n, 2)` as (row, column); `turned` are the patches after
            half a turn about the middle between the text before and after, or None.
        limit: the largest coordinate drawn.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(8.6, 2.7))
    for ax, (scheme, (text, patches, turned)) in zip(axes, panels.items(), strict=True):
        ax.plot(text[:, 1], text[:, 0], marker="s", color=INK, markersize=3.5, linestyle="none", label="text")
        color = STYLE[scheme][0]
        ax.plot(patches[:, 1], patches[:, 0], marker="o", color=color, markersize=3.5, linestyle="none", label="patch")
        if turned is not None:
            ax.plot(
                turned[:, 1], turned[:, 0], marker="o", color=INK, markersize=6, linestyle="none",
                markerfacecolor="none", markeredgewidth=0.8, label="patch, turned",
            )  # fmt: skip
        top = limit or max(text.max(), patches.max()) + 1
        ax.set_xlim(-1, top)
        ax.set_ylim(top, -1)
        ax.set_aspect("equal")
        ax.set_title(NAMES[scheme], fontsize="small")
        ax.set_xlabel("y (column)", fontsize="small")
        ax.tick_params(labelsize="small")
    axes[0].set_ylabel("x (row)", fontsize="small")
    handles, labels = axes[-1].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3, fontsize="small")
    return fig


def scores(panels, groups):
    """Percent right for each scheme with its interval, one panel for each question.

    Args:
        panels: `{title: {scheme: (means, halves)}}`, one number for each group.
        groups: names of the groups of shapes.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(8.6, 3.0), sharey=True)
    for ax, (title, lines) in zip(axes, panels.items(), strict=True):
        for k, (scheme, (means, halves)) in enumerate(lines.items()):
            color, marker = STYLE[scheme]
            places = [g + 0.18 * (k - 1.5) for g in range(len(groups))]
            ax.vlines(places, means - halves, means + halves, color=color, linewidth=1.2)
            ax.plot(places, means, marker=marker, color=color, markersize=5, linestyle="none", label=NAMES[scheme])
        ax.axhline(10, color=INK, linewidth=0.8, linestyle=":")
        ax.set_title(title, fontsize="small")
        ax.set_xticks(range(len(groups)), groups, fontsize="small")
        ax.set_ylim(0, 105)
    axes[0].set_ylabel("percent right")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4, fontsize="small")
    return fig


def budget(sides, lengths):
    """How many positions an n × n image takes, on logarithmic axes.

    Args:
        sides: the values of n.
        lengths: `{scheme: K - L for each n}`.
    """
    fig, ax = plt.subplots()
    for scheme, values in lengths.items():
        color, marker = STYLE[scheme]
        line = "--" if scheme == "flatten" else "-"
        ax.plot(sides, values, color=color, marker=marker, markersize=4, linestyle=line, label=NAMES[scheme])
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xlabel("patches on a side")
    ax.set_ylabel("K − L")
    ax.legend(fontsize="small")
    return fig
