"""Drawings of the chapter entropy/attention_scale: data in, Figure out."""

import math

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PALETTE, VERMILLION

STYLE = {"no factor": (VERMILLION, "s", ":"), "√log n": (GREEN, "^", "--"), "log n": (BLUE, "o", "-")}


def needle(lengths, weights, train_len):
    """Curves `{law: values}` over the number of keys, with the length of training marked."""
    return curves(lengths, weights, train_len, "weight of the leading key")


def curves(lengths, series, train_len, name):
    """Curves `{law: values}` of any quantity over the number of keys."""
    fig, ax = plt.subplots(figsize=(6.4, 3))
    for law, values in series.items():
        colour, marker, line = STYLE[law]
        ax.semilogx(lengths, values, line, base=2, color=colour, marker=marker, label=law)
    ax.axvline(train_len, color=INK, linewidth=0.8)
    ax.set_xlabel("keys n (line: length of training)")
    ax.set_ylabel(name)
    ax.legend()
    return fig


def rates(scales, rate, at, linear):
    """The rate at which random keys use up the entropy, with a straight line through 0 and the point at `at`."""
    fig, ax = plt.subplots(figsize=(6.4, 3))
    ax.plot(scales, rate, color=BLUE, label="r(λ)")
    ax.plot(scales, [linear * x for x in scales], "--", color=VERMILLION, label="0.24 λ")
    nearest = min(range(len(scales)), key=lambda i: abs(scales[i] - at))
    ax.plot([at], [rate[nearest]], "o", color=BLUE)
    ax.plot([at], [linear * at], "s", color=VERMILLION)
    ax.set_title(f"λ = {at:g}: exact {rate[nearest]:.3f}, line {linear * at:.3f}", fontsize="small")
    ax.set_xlabel("scale λ")
    ax.set_ylabel("entropy lost per dimension, nats")
    ax.legend()
    return fig


def laws(counts, shares, weights):
    """Two panels of `{law: (sampled, formula)}`: the entropy's share of log n, and the weight of a leading key."""
    fig, panels = plt.subplots(1, 2, figsize=(7.4, 3.2))
    for ax, series, name in zip(
        panels, (shares, weights), ("entropy / log n, random keys", "weight of a leading key"), strict=True
    ):
        for law, (sampled, formula) in series.items():
            colour, marker, line = STYLE[law]
            ax.plot(counts, formula, line, color=colour)
            ax.plot(counts, sampled, marker, color=colour, label=law)
        ax.set_xscale("log", base=2)
        ax.set_xlabel("keys n")
        ax.set_ylabel(name)
    panels[1].legend(title="points sampled,\nlines formulas", title_fontsize="small", fontsize="small")
    return fig


def layers(lengths, entropies):
    """Mean entropy of each layer against length, under the largest possible one, log n."""
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    ax.plot(lengths, [math.log(n) for n in lengths], "--", color=INK)
    ax.annotate("log n", (lengths[-1], math.log(lengths[-1])), xytext=(6, -3), textcoords="offset points")
    for i, row in enumerate(entropies):
        ax.plot(lengths, row, linestyle="-", color=PALETTE[i % 4], marker="os^vDP"[i], label=f"layer {i + 1}")
    ax.set_xscale("log", base=2)
    ax.set_xticks(lengths, [str(n) for n in lengths])
    ax.set_xlim(right=1.35 * lengths[-1])
    ax.set_xlabel("tokens n")
    ax.set_ylabel("mean entropy, nats")
    ax.legend(ncols=2, fontsize="small")
    return fig


def accuracy(lengths, ours, published):
    """Accuracy in per cent against length, ours beside the published table; trained at the first length."""
    fig, panels = plt.subplots(1, 2, figsize=(7.4, 3.2), sharey=True)
    for ax, series, name in zip(panels, (ours, published), ("characters, this page", "words, the post"), strict=True):
        for law, values in series.items():
            colour, marker, line = STYLE[law]
            ax.plot(lengths, values, line, color=colour, marker=marker, label=law)
        ax.set_xscale("log", base=2)
        ax.set_xticks(lengths, [str(n) for n in lengths])
        ax.set_ylim(0, 50)
        ax.set_xlabel("length n (trained at 64)")
        ax.set_title(name)
    panels[0].set_ylabel("accuracy, %")
    panels[0].legend(loc="lower left")
    return fig
