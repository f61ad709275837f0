"""Drawings of the chapter entropy/attention_scale: data in, Figure out."""

import math

import matplotlib.pyplot as plt

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

STYLE = {"no factor": (VERMILLION, "s", ":"), "√log n": (GREEN, "^", "--"), "log n": (BLUE, "o", "-")}
TASKS = ((PURPLE, "D", "-"), (GREEN, "o", "-"))


def needle(lengths, weights, trained):
    """The weight of the leading key, `{law: values}`, over the number of keys."""
    fig, ax = plt.subplots(figsize=(4.6, 3.2))
    last = {law: values[-1] for law, values in weights.items()}
    heights = dict(zip(sorted(last, key=last.get), _apart(sorted(last.values()), 0.07), strict=True))
    for law, values in weights.items():
        color, marker, line = STYLE[law]
        ax.plot(lengths, values, line, color=color, marker=marker, markersize=4)
        ax.annotate(
            law, (lengths[-1], heights[law]), xytext=(6, 0), textcoords="offset points", color=color, va="center"
        )
    _mark(ax, trained, lengths)
    ax.set_ylim(-0.02, 1)
    ax.set_ylabel("weight of the leading key")
    return fig


def tail(lengths, ratios, trained, title):
    """The best scale relative to that at the trained length, for one noise, beside the laws."""
    fig, ax = plt.subplots(figsize=(4.6, 3.4))
    for power, law in ((0, "no factor"), (0.5, "√log n"), (1, "log n")):
        values = [(math.log(n) / math.log(trained)) ** power for n in lengths]
        color, _, line = STYLE[law]
        ax.plot(lengths, values, line, color=color, linewidth=1.2)
        where = (lengths[-1], values[-1])
        ax.annotate(law, where, xytext=(6, 0), textcoords="offset points", color=color, va="center")
    ax.plot(lengths, ratios, color=INK, marker="o", markersize=5, linestyle="none")
    _mark(ax, trained, lengths)
    ax.set_ylim(0.5, 2.8)
    ax.set_ylabel("best scale, 1 at 64 keys")
    ax.set_title(title)
    return fig


def best(lengths, found, trained):
    """The best factor relative to that at the trained length, `{task: (mean, half)}`, beside the two laws."""
    fig, ax = plt.subplots(figsize=(4.6, 3.4))
    for power, law in ((1, "log n"), (0.5, "√log n")):
        values = [(math.log(n) / math.log(trained)) ** power for n in lengths]
        color, _, line = STYLE[law]
        ax.plot(lengths, values, line, color=INK, linewidth=1)
        where = (lengths[-1], values[-1])
        ax.annotate(law, where, xytext=(6, 0), textcoords="offset points", color=INK, va="center")
    ends = sorted((mean[-1], task) for task, (mean, _) in found.items())
    heights = dict(zip([task for _, task in ends], _apart([end for end, _ in ends], 0.08), strict=True))
    for (color, marker, line), (task, (mean, half)) in zip(TASKS, found.items(), strict=True):
        ax.errorbar(lengths, mean, half, color=color, marker=marker, markersize=4, linestyle=line, capsize=2)
        where = (lengths[-1], heights[task])
        ax.annotate(task, where, xytext=(6, 0), textcoords="offset points", color=color, va="center")
    _mark(ax, trained, lengths)
    ax.set_ylabel("best factor, 1 at 64 keys")
    return fig


def changes(rows):
    """Paired differences to no factor in percent, `(condition, law, mean, half)` a row, two rows a condition."""
    fig, ax = plt.subplots(figsize=(4.6, 3.4))
    conditions = list(dict.fromkeys(condition for condition, *_ in rows))
    for condition, law, mean, half in rows:
        color, marker, _ = STYLE[law]
        y = -conditions.index(condition) + (0.16 if law == "√log n" else -0.16)
        ax.errorbar([mean], [y], xerr=[half], color=color, marker=marker, markersize=5, capsize=2, linestyle="none")
        beside = {"xytext": (6, 0), "textcoords": "offset points", "va": "center", "fontsize": "small"}
        ax.annotate(law, (mean + half, y), color=color, **beside)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks([-i for i in range(len(conditions))], conditions)
    ax.set_ylim(0.6 - len(conditions), 0.6)
    ax.margins(x=0.2)
    ax.set_xlabel("change of the loss at 1024 keys, percent\n← the factor helps        it hurts →")
    return fig


def _mark(ax, trained, lengths):
    """The trained length, and a logarithmic axis with room for labels on the right."""
    ax.axvline(trained, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    beside = {"xytext": (3, -10), "textcoords": "offset points", "fontsize": "small"}
    ax.annotate("trained", (trained, 1.0), xycoords=("data", "axes fraction"), **beside)
    ax.set_xscale("log", base=2)
    ax.set_xlim(0.8 * lengths[0], lengths[-1] * (lengths[-1] / lengths[0]) ** 0.3)
    ticks = [n for n in lengths if round(math.log2(n)) % 2 == 0]
    ax.set_xticks(ticks, [f"{n:g}" for n in ticks])
    ax.set_xlabel("keys n")


def _apart(heights, least):
    """Sorted heights moved up where two would be closer than `least`."""
    found = []
    for h in heights:
        found.append(max(h, found[-1] + least) if found else h)
    return found
