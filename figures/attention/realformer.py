"""Drawings of the RealFormer chapter: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PALETTE, VERMILLION

NAMES = {"post": "Post-LN", "real": "Post-LN + residual scores", "pre": "Pre-LN"}
STYLES = {"post": (BLUE, "--", "s"), "real": (VERMILLION, "-", "o"), "pre": (GREEN, "-.", "^")}


def sorted_weights(rows) -> Figure:
    """Attention weights, largest first, after more and more layers.

    Args:
        rows: number of layers to weights `(keys,)`, sorted.
    """
    fig = Figure()
    ax = fig.subplots()
    for (layers, weights), style in zip(rows.items(), ("-", "--", "-.", ":", (0, (5, 1, 1, 1))), strict=False):
        ax.plot(range(1, len(weights) + 1), weights, ls=style, label=f"{layers} layer{'s' * (layers > 1)}")
    ax.set(xscale="log", xlabel="key, by weight", ylabel="attention weight", ylim=(0, 1))
    ax.legend()
    return fig


def singular_values(lines, border) -> Figure:
    """Singular values of the scores, relative to the largest.

    Args:
        lines: name to values `(values,)`.
        border: the width of one head.
    """
    fig = Figure()
    ax = fig.subplots()
    for (name, values), colour, style in zip(lines.items(), PALETTE, ("-", "--", "-."), strict=False):
        ax.semilogy(range(1, len(values) + 1), values, color=colour, ls=style, marker=".", label=name)
    ax.axvline(border, color=INK, lw=1, ls=":")
    ax.set(xlabel="number of the singular value; dotted: the width of a head", ylabel="relative size")
    ax.legend()
    return fig


def floats_kept(lengths, concatenated, matrices) -> Figure:
    """Numbers a head keeps for the backward pass, against the length.

    Args:
        lengths: `(points,)`.
        concatenated: number of layers to `(points,)`.
        matrices: the same for one matrix of scores a layer.
    """
    fig = Figure()
    ax = fig.subplots()
    for (layers, values), colour in zip(concatenated.items(), (BLUE, VERMILLION), strict=True):
        ax.loglog(lengths, values, color=colour, ls="-", label=f"concatenated heads, {layers} layers")
        ax.loglog(lengths, matrices[layers], color=colour, ls="--", label=f"matrices of scores, {layers} layers")
    ax.set(xlabel="length", ylabel="numbers kept, one head")
    ax.legend()
    return fig


def entropy_by_depth(layers, measured, law, border, keys) -> Figure:
    """Entropy of attention against the number of layers added up, with the law and the place where it must fail.

    Args:
        layers: `(points,)`.
        measured: `(seeds, points)`.
        law: `(points,)`.
        border: number of layers at which the law reaches 0.
        keys: their number, for the title.
    """
    fig = Figure()
    ax = fig.subplots()
    for i, line in enumerate(measured):
        ax.plot(layers, line, "o", ls="none", color=BLUE, alpha=0.6, label="measured, five seeds" if i == 0 else None)
    ax.plot(layers, law, color=VERMILLION, label="log N − n/2")
    ax.axvline(border, color=INK, lw=1, ls=":", label="n = 2 log N")
    ax.set(title=f"{keys} keys", xlabel="layers n", ylabel="entropy, nats", ylim=(-1, 9), xlim=(0, 25))
    ax.legend(loc="upper right")
    return fig


def losses_and_entropies(losses, entropies, chance) -> Figure:
    """Held-out losses of the three models, and the entropy of their attention layer by layer.

    Args:
        losses: kind to `(seeds,)`.
        entropies: kind to `(seeds, layers)`.
        chance: loss of guessing the frequencies.
    """
    fig = Figure(figsize=(7.2, 3.2))
    left, right = fig.subplots(1, 2)
    for row, (kind, values) in enumerate(losses.items()):
        colour, style, marker = STYLES[kind]
        left.plot(values, [row] * len(values), marker, color=colour, alpha=0.7, ls="none")
        depth = range(1, len(entropies[kind][0]) + 1)
        for i, line in enumerate(entropies[kind]):
            right.plot(
                depth, line, color=colour, ls=style, lw=1, marker=marker, ms=4, label=NAMES[kind] if not i else None
            )
    left.axvline(chance, color=INK, lw=1, ls=":")
    left.annotate("frequencies", (chance, 2.4), (-4, 0), textcoords="offset points", ha="right")
    left.set(yticks=range(3), yticklabels=["Post-LN", "with residual\nscores", "Pre-LN"], ylim=(-0.5, 2.7))
    left.set(xlabel="held-out loss, nats")
    right.set(xlabel="layer", ylabel="entropy of attention, nats", xticks=list(depth))
    right.legend(fontsize="small")
    return fig
