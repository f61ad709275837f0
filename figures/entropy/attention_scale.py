"""Drawings of the chapter entropy/attention_scale: data in, Figure out."""

import matplotlib.pyplot as plt

from spaces_core.plotting import BLUE, GREEN, INK, VERMILLION

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
