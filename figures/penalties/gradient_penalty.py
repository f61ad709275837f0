"""Drawings of the gradient-penalty chapter: data in, Figure out."""

import matplotlib.pyplot as plt
import numpy as np

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

ARMS = {
    "temperature": (GREEN, "s"),
    "weight decay": (GREEN, "v"),
    "FGSM": (PURPLE, "P"),
    "input": (BLUE, "o"),
    "parameters": (VERMILLION, "^"),
    "SAM": (INK, "D"),
}


def layers(promised, found):
    """What the input gradient promises of each layer, and what the layer's parameter gradient is.

    Args:
        promised, found: a number for each layer.
    """
    fig, ax = plt.subplots(figsize=(5.2, 2.4))
    rows = np.arange(len(found))[::-1]
    for shift, values, color, name in ((0.19, promised, BLUE, "promised"), (-0.19, found, VERMILLION, "found")):
        ax.barh(rows + shift, values, height=0.34, color=color)
        for row, value in zip(rows, values, strict=True):
            ax.text(value + 0.8, row + shift, f"{value:g} {name}", va="center", color=color, fontsize="small")
    ax.set_yticks(rows, [f"layer {k + 1}" for k in range(len(found))])
    ax.set_xlim(0, 1.3 * max(found))
    ax.set_xlabel("squared gradient of the layer's parameters")
    return fig


def two_sides(panels):
    """The two sides of the inequality, a point for each sample; the theorem keeps points above the line.

    Args:
        panels: title to `{name: (left sides, right sides)}`, arrays `(samples,)`.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 3.2))
    for ax, (title, clouds) in zip(axes, panels.items(), strict=True):
        styles = ((BLUE, "o"), (VERMILLION, "^"))
        for (name, (left, right)), (color, marker) in zip(clouds.items(), styles, strict=True):
            ax.loglog(left, right, marker, ms=3.5, color=color, alpha=0.7, ls="none", label=name)
        ends = [min(min(a.min(), b.min()) for a, b in clouds.values()), max(b.max() for _, b in clouds.values())]
        ax.plot(ends, ends, color=INK, lw=1.2, ls="-")
        ax.set_title(title)
        ax.set_xlabel(r"left side, $\kappa\,\|\nabla_x f\|^2$")
    axes[0].set_ylabel(r"right side, $\|\nabla_\theta f\|^2$")
    axes[0].legend(fontsize="small", loc="lower right")
    return fig


def through_training(steps, ratios, brackets):
    """Left side over right side, and the bracket itself, while networks are trained.

    Args:
        steps: training steps.
        ratios: name to `(means, halves)` over the steps.
        brackets: `(means, halves)`.
    """
    fig, (top, bottom) = plt.subplots(2, 1, figsize=(5.2, 4.6), sharex=True)
    for (name, (mean, half)), (color, marker) in zip(ratios.items(), ((BLUE, "o"), (VERMILLION, "s")), strict=True):
        top.errorbar(steps, mean, yerr=half, color=color, marker=marker, ms=4, capsize=3, ls="-", lw=1.2)
        above = name == "sharp"
        top.text(steps[-1], mean[-1] + (0.07 if above else -0.07), name, color=color, ha="right", va="center")
    top.axhline(1, color=INK, lw=1)
    top.text(steps[0], 0.97, "equality", va="top", fontsize="small")
    top.set_ylim(0, 1.1)
    top.set_ylabel("left side / right side")
    bottom.errorbar(steps, brackets[0], yerr=brackets[1], color=INK, marker="o", ms=4, capsize=3, ls="-", lw=1.2)
    bottom.set_yscale("log")
    bottom.set_xscale("symlog", linthresh=20)
    bottom.set_xlim(-1, 1.15 * steps[-1])
    bottom.set_xticks(steps, [str(s) for s in steps])
    bottom.set_ylabel(r"factor $\kappa$")
    bottom.set_xlabel("training step")
    return fig


def differences(panels):
    """Paired differences to plain training with their intervals.

    Args:
        panels: title to `{arm: (mean, half)}`.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(6.4, 2.9), sharey=True)
    for ax, (title, arms) in zip(axes, panels.items(), strict=True):
        rows = np.arange(len(arms))[::-1]
        for row, (arm, (mean, half)) in zip(rows, arms.items(), strict=True):
            color, marker = ARMS[arm]
            ax.errorbar(mean, row, xerr=half, fmt=marker, color=color, capsize=3, ms=5)
        ax.axvline(0, color=INK, lw=1)
        ax.set_title(title, fontsize="small")
        ax.set_yticks(rows, list(arms))
        ax.set_ylim(-0.6, len(arms) - 0.4)
        ax.locator_params(axis="x", nbins=4)
    axes[0].set_xlabel("difference to plain SGD", loc="left")
    return fig


def batches(left, right, size, factor, limits):
    """The two sides for random batches; below the solid line the inequality fails for a batch.

    Args:
        left: mean left side of the samples of each batch.
        right: squared gradient of the batch's mean loss.
        size: samples in a batch.
        factor: what is left of the bound for the mean over batches.
        limits: ends of both axes.
    """
    fig, ax = plt.subplots(figsize=(5.2, 4.2))
    ends = np.array(limits)
    ax.fill_between(ends, limits[0], ends, color=VERMILLION, alpha=0.12, lw=0)
    ax.loglog(ends, ends, color=INK, lw=1.4, ls="-")
    ax.plot(ends, factor * ends, color=VERMILLION, lw=1.2, ls="--")
    ax.plot(left, right, "o", ms=4, color=BLUE, alpha=0.7, ls="none")
    ax.plot([left.mean()], [right.mean()], "D", ms=9, color=VERMILLION, ls="none")
    ax.text(left.mean() * 2, right.mean(), "mean", color=VERMILLION, va="center")
    ax.text(limits[1] * 0.7, limits[0] * 2.5, "bound fails for the batch", ha="right", fontsize="small")
    ax.set(xlim=limits, ylim=limits, title=f"{size} sample{'s' if size > 1 else ''} in a batch")
    ax.set_xlabel(r"mean of $\kappa_i\,\|\nabla_x f_i\|^2$ in the batch")
    ax.set_ylabel(r"$\|\nabla_\theta L\|^2$ of the batch's mean loss $L$")
    return fig
