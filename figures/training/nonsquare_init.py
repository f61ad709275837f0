"""Drawings of the chapter training/nonsquare_init: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

STYLE = {
    "quadratic": (BLUE, "-"),
    "arithmetic": (VERMILLION, "--"),
    "geometric": (GREEN, "-"),
    "harmonic": (PURPLE, "-."),
    "fan_in": (INK, ":"),
    "fan_out": (INK, "--"),
    "spectral": (INK, "-"),
}
NAMES = {"fan_in": "fan-in", "fan_out": "fan-out"}


def layer_gains(gains):
    """Forward and backward gain of one layer and the gain of a block there and back, one row for each mean.

    Args:
        gains: `{mean: (forward, backward, block)}`.
    """
    fig, ax = plt.subplots(figsize=(6, 2.8))
    for row, (mean, (forward, backward, block)) in enumerate(gains.items()):
        ax.plot([forward, backward], [row, row], color=STYLE[mean][0], linewidth=2.5, linestyle="-", zorder=1)
        style = {"linestyle": "none", "color": STYLE[mean][0], "markersize": 8}
        ax.plot([forward], [row], marker=">", **style)
        ax.plot([backward], [row], marker="<", **style)
        ax.plot([block], [row], marker="D", linestyle="none", color=INK, markersize=5)
    for label, marker in (("forward, m t", ">"), ("backward, n t", "<"), ("there and back, m t · n t", "D")):
        ax.plot([], [], marker=marker, color=INK, linestyle="none", label=label)
    ax.axvline(1, color=INK, linewidth=1, linestyle="-")
    ax.set_xscale("log", base=2)
    ticks = [0.25, 0.5, 1, 2, 4]
    ax.set_xticks(ticks, [f"{v:g}" for v in ticks])
    ax.set_yticks(range(len(gains)), [NAMES.get(mean, mean) for mean in gains])
    ax.set_ylim(-0.6, len(gains) - 0.4)
    ax.set_xlabel("factor on the second moment")
    fig.legend(loc="outside upper center", ncols=3, fontsize="small")
    return fig


def signal_by_depth(measured, predicted):
    """Second moment of the signal after each layer, on a log scale: lines predicted, dots measured with intervals.

    Args:
        measured: `{mean: (centre, below, above)}`, relative to the network's input, each `(layers,)`.
        predicted: `{mean: (layers,)}`.
    """
    fig, ax = plt.subplots()
    for mean, (centre, below, above) in measured.items():
        color, line = STYLE[mean]
        layers = range(1, len(centre) + 1)
        ax.plot([0, *layers], [1, *predicted[mean]], color=color, linestyle=line, label=NAMES.get(mean, mean))
        ax.plot(layers, centre, "o", color=color, markersize=3.5)
        ax.vlines(layers, below, above, color=color, linewidth=1)
    ax.set_yscale("log")
    ax.set_xlabel("layer")
    ax.set_ylabel("second moment, relative to the input")
    ax.legend(fontsize="small")
    return fig


def loss_curves(panels):
    """One panel for each network: mean held-out loss and its interval over the steps, for each choice.

    Args:
        panels: `{title: (steps, {choice: (mean, below, above)})}`, each `(len(steps),)`.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(8.4, 3.6), sharey=True)
    for ax, (title, (steps, curves)) in zip(axes, panels.items(), strict=True):
        for choice, (mean, below, above) in curves.items():
            color, line = STYLE[choice]
            ax.plot(steps, mean, color=color, linestyle=line, linewidth=1.5, label=NAMES.get(choice, choice))
            ax.fill_between(steps, below, above, color=color, alpha=0.1, linewidth=0)
        ax.set_title(title, fontsize="small")
        ax.set_xlabel("step")
        ax.set_ylim(0.8, 3)
    axes[0].set_ylabel("held-out log-loss, nats")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=len(handles), fontsize="small", handlelength=1.6)
    return fig


def block_gains(powers, curve, dots, ratio):
    """Gain of a block m → n → m against the power of the mean: the line is predicted, the dots are measured.

    Args:
        powers: powers of the measured points.
        curve: `(powers, gains)` of the predicted line.
        dots: `(seeds, len(powers))` measured gains.
        ratio: n / m, for the title.
    """
    fig, ax = plt.subplots()
    ax.axhline(1, color=INK, linewidth=1, linestyle="-")
    ax.axvline(0.5, color=GREEN, linewidth=1, linestyle=":")
    ax.plot(*curve, color=BLUE, linestyle="-", label="predicted")
    for values in dots:
        ax.plot(powers, values, "o", color=VERMILLION, markersize=3.5, alpha=0.6)
    ax.plot([], [], "o", color=VERMILLION, markersize=3.5, label="measured, each seed")
    for name, p in (("harmonic", 0), ("geometric", 0.5), ("arithmetic", 1), ("quadratic", 2)):
        ax.annotate(name, (p, 0.012), rotation=90, fontsize="small", va="bottom", ha="right")
    ax.set_yscale("log")
    ax.set_ylim(0.01, 100)
    ax.set_xlabel("power p of the mean")
    ax.set_ylabel("gain of the block")
    ax.set_title(f"hidden width = {ratio} × input width")
    ax.legend(loc="upper right", fontsize="small")
    return fig
