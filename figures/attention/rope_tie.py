"""Drawings of the chapter attention/rope_tie: data in, Figure out."""

import statistics

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

NAMES = {
    "flatten": "flattened",
    "mrope": "M-RoPE",
    "tie": "RoPE-Tie",
    "tie_v2": "RoPE-Tie-v2",
    "sections": "M-RoPE, sections",
    "none": "no positions",
}
STYLE = {"flattened": PURPLE, "M-RoPE": GREEN, "RoPE-Tie": VERMILLION, "RoPE-Tie-v2": BLUE}


def layouts(panels, limit=None):
    """Where text and patches stand, one panel a layout; column across, row down.

    Args:
        panels: `{title: (text, patches, turned)}`: positions `(n, 2)` as (row, column); `turned` are the patches after
            half a turn about the middle between the text before and after, or None.
        limit: the largest coordinate drawn.
    """
    single = len(panels) == 1
    fig, axes = plt.subplots(1, len(panels), figsize=(4.6, 4.4) if single else (8.6, 2.7), squeeze=False)
    for ax, (title, (text, patches, turned)) in zip(axes[0], panels.items(), strict=True):
        size = 4.5 if single else 3.5
        ax.plot(text[:, 1], text[:, 0], marker="s", color=INK, markersize=size, linestyle="none", label="text")
        color = STYLE.get(title, BLUE)
        ax.plot(patches[:, 1], patches[:, 0], marker="o", color=color, markersize=size, linestyle="none", label="patch")
        if turned is not None:
            ax.plot(
                turned[:, 1], turned[:, 0], marker="o", color=INK, markersize=9, linestyle="none",
                markerfacecolor="none", markeredgewidth=0.9, label="patch, turned",
            )  # fmt: skip
        top = limit or max(text.max(), patches.max()) + 1
        ax.set_xlim(-1, top)
        ax.set_ylim(top, -1)
        ax.set_aspect("equal")
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.set_title(title, fontsize="small")
        ax.set_xlabel("column", fontsize="small")
        ax.tick_params(labelsize="small")
    axes[0, 0].set_ylabel("row", fontsize="small")
    handles, labels = axes[0, -1].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=3, fontsize="small")
    return fig


def wishes(rows, names):
    """A table of layouts and wishes: a filled dot where a wish is granted, half a dot for some shapes, a ring for none.

    Args:
        rows: `{layout: answers}`, each "yes", "squares" or "no".
        names: of the wishes.
    """
    fig, ax = plt.subplots(figsize=(6.4, 2.4))
    for y, (layout, answers) in enumerate(rows.items()):
        color = STYLE[layout]
        for x, answer in enumerate(answers):
            fill = {"yes": "full", "squares": "left", "no": "none"}[answer]
            ax.plot([x], [y], marker="o", markersize=11, color=color, fillstyle=fill, markerfacecoloralt="none")
            if answer == "squares":
                ax.annotate(
                    "squares only", (x, y), (0, -15), textcoords="offset points", ha="center", fontsize="x-small"
                )
    ax.set_xticks(range(len(names)), names)
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(length=0)
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)
    return fig


def runs(panels, chance):
    """Percent right of every run, one row an arm with its median, one panel a question.

    Args:
        panels: `{question: {arm: percents}}`.
        chance: what a guesser gets.
    """
    fig, axes = plt.subplots(2, 2, figsize=(7.6, 4.6), sharex=True, sharey=True)
    for ax, (title, arms) in zip(axes.flat, panels.items(), strict=True):
        for y, (arm, values) in enumerate(arms.items()):
            color = STYLE.get(arm, INK)
            ax.plot(values, [y] * len(values), marker="o", color=color, markersize=4, linestyle="none", alpha=0.5)
            ax.vlines([statistics.median(values)], y - 0.32, y + 0.32, color=color, linewidth=2.2)
        ax.axvline(chance, color=INK, linewidth=0.8, linestyle=":")
        ax.set_title(title, fontsize="small")
        ax.set_yticks(range(len(arms)), list(arms), fontsize="small")
        ax.set_xlim(-3, 103)
    axes[0, 0].invert_yaxis()
    for ax in axes[1]:
        ax.set_xlabel("percent right, one dot a run; bar: median", fontsize="small")
    return fig
