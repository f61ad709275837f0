"""Drawings of the chapter entropy/entropy_normalization: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION


def bars(panels):
    """One distribution at several powers.

    Args:
        panels: triples `(power, entropy, probabilities)`.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(7.2, 2.4), sharey=True)
    for ax, (power, h, q) in zip(axes, panels, strict=True):
        places = range(1, len(q) + 1)
        ax.bar(places, q, color=BLUE if power > 0 else VERMILLION)
        for place, value in zip(places, q, strict=True):
            ax.text(place, value + 0.02, f"{value:.2f}", ha="center", fontsize="small")
        ax.set_title(f"γ = {power:g}: {h:.2f} nats", fontsize="medium")
        ax.set_xticks(places)
        ax.set_ylim(0, 0.95)
    axes[0].set_ylabel("probability")
    return fig


def newton(curve, target, start, step, ends):
    """The entropy over the power, the first step of Newton's method, and where the iteration ends.

    Args:
        curve: `(powers, entropies)`.
        target: the entropy wanted.
        start: `(power, entropy)` before the step.
        step: the power that the tangent proposes.
        ends: `(power, probabilities)` of the iteration after many steps (None: target missed), and of the library.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.2), width_ratios=[3, 2])
    low, high = min(curve[0]), max(curve[0])
    left.plot(*curve, color=INK, linewidth=1.4)
    left.axhline(target, color=GREEN, linestyle="--", linewidth=1.2)
    left.text(high, target + 0.03, "target", color=GREEN, ha="right", va="bottom")
    landed = min(max(step, low), high)
    share = (landed - start[0]) / (step - start[0]) if step != start[0] else 1.0
    tip = start[1] + share * (target - start[1])
    left.plot([start[0], landed], [start[1], tip], color=PURPLE, linestyle="-.")
    left.plot(*start, "o", color=PURPLE, markersize=8)
    left.text(start[0] + 0.15, start[1] + 0.05, "start", color=PURPLE, va="bottom")
    left.axvline(0, color=INK, linewidth=0.6)
    where = "negative" if step < 0 else "positive"
    left.set_title(f"first step lands at γ = {step:.2f}: {where}", fontsize="medium")
    left.set_xlabel("power γ")
    left.set_ylabel("entropy, nats")
    left.set_xlim(low, high)
    left.set_ylim(0, 1.75)
    (power, q), (other, wanted) = ends
    places = range(1, len(wanted) + 1)
    if q is not None:
        colour = BLUE if power > 0 else VERMILLION
        right.bar([x - 0.2 for x in places], q, width=0.4, color=colour, hatch="" if power > 0 else "//")
    right.bar([x + 0.2 for x in places], wanted, width=0.4, color=GREEN)
    words = "target missed" if q is None else f"γ = {power:.2f}"
    right.set_title(f"iteration: {words}\nbracketed (green): γ = {other:.2f}", fontsize="medium")
    right.set_xticks(places)
    right.set_ylim(0, 0.8)
    right.set_ylabel("probability")
    return fig


def outcomes(table):
    """Where Newton's iteration ends, for distributions of growing spread.

    Args:
        table: `{spread: (right, reversed, not within 1e-9)}`, shares that sum to one.
    """
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    places, left = range(len(table)), [0.0] * len(table)
    names = ("correct", "order reversed", "not within 1e-9")
    for name, k, colour, hatch in zip(names, range(3), (BLUE, VERMILLION, PURPLE), ("", "//", ".."), strict=True):
        share = [row[k] for row in table.values()]
        ax.barh(places, share, left=left, color=colour, hatch=hatch, edgecolor="#ffffff")
        ax.text(left[-1] + share[-1] / 2, len(table) - 0.5, name, ha="center", va="bottom", fontsize="small")
        left = [a + b for a, b in zip(left, share, strict=True)]
    ax.set_yticks(places, [f"spread {s}" for s in table])
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.5, len(table))
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("share of the distributions")
    return fig


def differences(rows):
    """How much more a row-wise method loses than another one, with intervals.

    Args:
        rows: `(label, mean, half-width)`, nats; positive where entropy normalization is worse.
    """
    fig, ax = plt.subplots(figsize=(6.4, 2.3))
    for place, (_, mean, half) in enumerate(rows):
        colour, marker = (BLUE, "o") if mean < 0 else (VERMILLION, "s")
        ax.errorbar([mean], [place], xerr=[half], color=colour, marker=marker, capsize=4, markersize=6)
        ax.text(mean, place + 0.22, f"{mean:+.3f} ± {half:.3f}", ha="center", fontsize="small", color=colour)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    ax.set_ylim(-0.5, len(rows) - 0.3)
    ax.set_xlim(-0.06, 0.06)
    ax.set_xlabel("← entropy normalization better     nats     worse →")
    return fig
