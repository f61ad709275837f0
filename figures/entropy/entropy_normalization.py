"""Drawings of the chapter entropy/entropy_normalization: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

STYLE = {
    "constant entropy": (VERMILLION, "-", "o"),
    "top-p": (BLUE, "--", "s"),
    "temperature": (GREEN, "-.", "^"),
    "log-Newton": (BLUE, "-", "o"),
    "bisection": (VERMILLION, "--", "s"),
}


def bars(panels):
    """One distribution at several powers.

    Args:
        panels: triples `(power, entropy, probabilities)`.
    """
    fig, axes = plt.subplots(1, len(panels), figsize=(7.2, 2.4), sharey=True)
    for ax, (power, h, q) in zip(axes, panels, strict=True):
        ax.bar(range(1, len(q) + 1), q, color=BLUE)
        ax.set_title(f"entropy {h:.2f} nats, γ = {power:.2f}", fontsize="small")
        ax.set_xticks(range(1, len(q) + 1))
        ax.set_ylim(0, 1)
    axes[0].set_ylabel("probability")
    return fig


def bump(gamma, q, h, curve, target, solutions):
    """The distribution at one power, and the entropy over all powers with the two that reach the target.

    Args:
        gamma, q, h: the power shown, its probabilities and its entropy.
        curve: `(powers, entropies)`.
        target: the entropy wanted.
        solutions: the negative and the positive power that have it.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3), width_ratios=[2, 3])
    colour = BLUE if gamma > 0 else VERMILLION if gamma < 0 else INK
    left.bar(range(1, len(q) + 1), q, color=colour)
    left.set_ylim(0, 1)
    left.set_ylabel("probability")
    order = "order kept" if gamma > 0 else "order reversed" if gamma < 0 else "uniform"
    left.set_title(f"γ = {gamma:g}: {order}", fontsize="small")
    right.plot(*curve, color=INK, linewidth=1.4)
    right.axhline(target, color=GREEN, linestyle="--", linewidth=1.2)
    right.plot(solutions[:1], [target], "s", color=VERMILLION, label="H = H*, order reversed")
    right.plot(solutions[1:], [target], "D", color=BLUE, label="H = H*, order kept")
    right.plot([gamma], [h], "o", color=PURPLE, markersize=9, label=f"here H = {h:.2f}")
    right.set_xlabel("power γ")
    right.set_ylabel("entropy, nats")
    right.set_ylim(0, 2.2)
    right.legend(loc="upper right", fontsize="small")
    return fig


def outcomes(table):
    """Where Newton's iteration ends, for distributions of growing spread.

    Args:
        table: `{spread: (right, reversed, no solution)}`, shares that sum to one.
    """
    fig, ax = plt.subplots(figsize=(6, 2.4))
    places, left = range(len(table)), [0.0] * len(table)
    names = ("right", "order reversed, no error in entropy", "no solution in 50 steps")
    for k, (name, colour, hatch) in enumerate(zip(names, (BLUE, VERMILLION, PURPLE), ("", "//", ".."), strict=True)):
        share = [row[k] for row in table.values()]
        ax.barh(places, share, left=left, color=colour, hatch=hatch, edgecolor="#ffffff", label=name)
        left = [a + b for a, b in zip(left, share, strict=True)]
    ax.set_yticks(places, [f"spread {s}" for s in table])
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of the distributions")
    fig.legend(loc="outside upper center", ncols=3, fontsize="small")
    return fig


def convergence(curves, tolerance):
    """Worst entropy error after each evaluation of the entropy: a line for each seed.

    Args:
        curves: `{method: (seeds, evaluations)}`.
        tolerance: the error at which scikit-learn's search stops.
    """
    fig, ax = plt.subplots()
    for name, values in curves.items():
        colour, line, marker = STYLE[name]
        for k, row in enumerate(values):
            steps = range(1, len(row) + 1)
            label = name if k == 0 else None
            ax.plot(steps, row, color=colour, linestyle=line, marker=marker, markersize=3, linewidth=1, label=label)
    ax.axhline(tolerance, color=INK, linewidth=1, linestyle=":", label="where scikit-learn stops")
    ax.set_yscale("log")
    ax.set_ylim(1e-11, 10)
    ax.set_xlabel("evaluations of the entropy")
    ax.set_ylabel("worst entropy error, nats")
    ax.legend(fontsize="small")
    return fig


def sampling(traces, quality):
    """Entropy of the next token along one text, and surprise against variety of all texts.

    Args:
        traces: `{method: (tokens,)}`, nats.
        quality: `{method: (surprise, variety)}`, each `(seeds,)`.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.8, 3.2))
    for name, trace in traces.items():
        colour, line, _ = STYLE[name]
        left.plot(range(1, len(trace) + 1), trace, color=colour, linestyle=line, linewidth=1.4, label=name)
    for name, (surprise, variety) in quality.items():
        colour, _, marker = STYLE[name]
        right.plot(surprise, variety, marker, color=colour, markersize=5, alpha=0.8, label=name)
    left.set_xlabel("token")
    left.set_ylabel("entropy of the next token, nats")
    left.set_ylim(0, 6)
    right.set_xlabel("surprise of the model, nats a token")
    right.set_ylabel("share of distinct token pairs")
    handles, labels = left.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=len(handles), fontsize="small")
    return fig
