"""Drawings of the chapter training/nonsquare_init: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, VERMILLION

NAMES = {"fan_in": "fan-in", "fan_out": "fan-out"}


def layer_gains(gains):
    """Forward and backward gain of one layer and the gain of a block there and back, one row for each choice.

    Args:
        gains: `{name: (forward, backward, block)}`, from below.
    """
    fig, ax = plt.subplots(figsize=(6, 3.4))
    ax.axvline(1, ymax=0.9, color=INK, linewidth=1, linestyle="-")
    for row, (forward, backward, block) in enumerate(gains.values()):
        ax.plot([forward, backward], [row, row], color=INK, linewidth=1, linestyle="-", alpha=0.4, zorder=1)
        ax.plot([forward], [row], marker=">", linestyle="none", color=BLUE, markersize=8)
        ax.plot([backward], [row], marker="<", linestyle="none", color=VERMILLION, markersize=8)
        ax.plot([block], [row], marker="D", linestyle="none", color=GREEN, markersize=6)
    top = len(gains) - 0.5
    for x, text, color in ((0.3, "▶ forward", BLUE), (1, "◆ there and back", GREEN), (3.4, "◀ backward", VERMILLION)):
        ax.text(x, top, text, color=color, ha="center", va="bottom", fontsize="small")
    ax.set_xscale("log", base=2)
    ticks = [0.125, 0.25, 0.5, 1, 2, 4]
    ax.set_xticks(ticks, [f"{v:g}" for v in ticks])
    ax.set_yticks(range(len(gains)), [NAMES.get(name, name) for name in gains])
    ax.set_ylim(-0.6, top + 0.6)
    ax.set_xlabel("factor on the mean square, 768 → 3072 units")
    return fig


def differences(rows):
    """Paired differences in test loss to the geometric mean, with intervals; large ones on an axis of their own.

    Args:
        rows: `{label: (difference, half-width)}`, from above.
    """
    fig, (near, far) = plt.subplots(1, 2, figsize=(6, 3.2), sharey=True, width_ratios=[3, 1])
    for k, (value, half) in enumerate(rows.values()):
        ax = far if value > 1 else near
        ax.errorbar([value], [-k], xerr=[half], fmt="o", color=VERMILLION if value > 0.15 else BLUE, capsize=3)
    near.axvline(0, ymax=0.88, color=INK, linewidth=1, linestyle="-")
    near.axvspan(-0.15, 0.15, color=GREEN, alpha=0.12, linewidth=0)
    near.text(0, 0.45, "within 0.15", color=GREEN, ha="center", va="bottom", fontsize="small")
    near.set_xlim(-0.25, 1)
    far.set_xlim(1.5, 2)
    far.set_xticks([1.5, 2])
    far.spines["left"].set_visible(False)
    far.tick_params(left=False)
    near.set_yticks([-k for k in range(len(rows))], list(rows), fontsize="small")
    near.set_ylim(-len(rows) + 0.5, 0.9)
    near.set_xlabel("test loss minus that of the geometric mean, nats")
    return fig


def tied(predicted, measured):
    """Gain of a block for each average: a bar is predicted, dots are measured; the claim is the line at 1.

    Args:
        predicted: `{mean: gain}`.
        measured: `{mean: gains}`, one for each seed.
    """
    fig, ax = plt.subplots(figsize=(6, 2.8))
    ax.axhline(1, color=INK, linewidth=1.2, linestyle="-")
    ax.text(-0.45, 1.06, "scale kept", color=INK, va="bottom", fontsize="small")
    for k, (mean, value) in enumerate(predicted.items()):
        color = GREEN if mean == "geometric" else BLUE
        ax.plot([k - 0.22, k + 0.22], [value, value], color=color, linewidth=3, linestyle="-", alpha=0.5)
        ax.plot([k] * len(measured[mean]), measured[mean], "o", color=color, markersize=4)
    ax.set_yscale("log")
    ticks = [0.25, 0.5, 1, 2, 4, 8]
    ax.set_yticks(ticks, [f"{v:g}" for v in ticks])
    ax.minorticks_off()
    ax.set_ylim(0.2, 12)
    ax.set_xlim(-0.5, len(predicted) - 0.5)
    ax.set_xticks(range(len(predicted)), list(predicted))
    ax.set_ylabel("gain of the block")
    return fig
