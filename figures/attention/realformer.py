"""Drawings of the RealFormer chapter: data in, Figure out."""

import math

from matplotlib.figure import Figure

from spaces_core.lab.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION

NAMES = {"post": "Post-LN", "real": "RealFormer", "blocked": "path blocked", "value": "value residual"}
STYLES = {
    "post": (BLUE, "--", "s"),
    "real": (VERMILLION, "-", "o"),
    "blocked": (PURPLE, ":", "v"),
    "value": (GREEN, "-.", "^"),
}


def sorted_weights(rows) -> Figure:
    """Attention weights, largest first, after more and more layers, with the number of layers at each curve.

    Args:
        rows: number of layers to weights `(keys,)`, sorted.
    """
    fig = Figure()
    ax = fig.subplots()
    for (layers, weights), style in zip(rows.items(), ("-", "--", "-.", ":", (0, (5, 1, 1, 1))), strict=False):
        ax.plot(range(1, len(weights) + 1), weights, color=BLUE, ls=style)
        label = f"{layers} layer{'s' * (layers > 1)} "
        ax.annotate(label, (1, weights[0]), (-4, 0), textcoords="offset points", ha="right", va="center", fontsize=9)
    ax.set(xscale="log", xlabel="key, by weight", ylabel="attention weight", ylim=(0, None), xlim=(0.35, len(weights)))
    ax.set_xticks([1, 10, 100], ["1", "10", "100"])
    return fig


def gradients_by_layer(panels) -> Figure:
    """Gradient norm of queries and keys, layer by layer, with intervals and a label at each line.

    Args:
        panels: for each start `(sigma, lines)`, where lines has for each kind `(means, halves)` of natural logarithms,
            each `(layers,)`. The first panel also shows what uncorrelated slopes would give.
    """
    fig = Figure(figsize=(6, 6.2))
    axes = fig.subplots(2, 1, sharex=True)
    places = [
        {"real": (3, 8, 8), "post": (2, 0, 14), "value": (9, 0, -18)},
        {"real": (2, 8, 8), "post": (9, -12, -8), "value": (10, 0, 10), "blocked": (11, 8, 14)},
    ]
    for ax, (sigma, lines), spots in zip(axes, panels, places, strict=True):
        for kind, (means, halves) in lines.items():
            color, style, marker = STYLES[kind]
            layers = range(1, len(means) + 1)
            ax.vlines(layers, means - halves, means + halves, color=color, linewidth=1)
            ax.plot(layers, means, color=color, ls=style, marker=marker, ms=4, lw=1.4)
            if kind in spots:
                at, right, up = spots[kind]
                side = "right" if right < 0 or at == len(means) else "left"
                name = "Post-LN and path blocked" if kind == "post" and "blocked" not in spots else NAMES[kind]
                ax.annotate(
                    name, (at, means[at - 1]), (right, up), textcoords="offset points", ha=side, color=color, fontsize=9
                )
        ax.set(title=f"σ = {sigma:g}", ylabel="log of gradient norm", xticks=list(layers))
    blocked = panels[0][1]["blocked"][0]
    law = [mean + 0.5 * math.log(len(blocked) - below) for below, mean in enumerate(blocked)]
    axes[0].plot(layers, law, color=INK, ls=(0, (4, 3)), lw=1)
    axes[0].annotate("uncorrelated slopes", (6, law[5]), (8, 8), textcoords="offset points", fontsize=9)
    axes[1].set_xlabel("layer")
    return fig


def entropy_by_depth(layers, dots, curve, line, correlation) -> Figure:
    """Entropy of attention against the number of layers added up, with half a nat a layer as a dashed line.

    Args:
        layers: `(points,)`.
        dots: mean entropy of drawn heads, `(points,)`.
        curve: mean entropy of normal scores of the same variance, `(points,)`.
        line: the bound for independent layers, `(points,)`.
        correlation: between layers, for the title.
    """
    fig = Figure()
    ax = fig.subplots()
    ax.plot(layers, curve, color=BLUE, lw=1.2)
    ax.plot(layers, dots, "o", ls="none", color=BLUE, ms=4)
    ax.plot(layers, line, color=VERMILLION, ls="--", lw=1.4)
    ax.axhline(0, color=INK, lw=0.6)
    ax.annotate("half a nat a layer", (layers[9], line[9]), (-6, -14), textcoords="offset points", ha="right",
                color=VERMILLION, fontsize=9)  # fmt: skip
    ax.text(24, 6.2, "dots: drawn heads; line: normal scores", color=BLUE, ha="right", va="top", fontsize=9)
    ax.set(
        title=f"correlation {correlation:g}", xlabel="layers n", ylabel="entropy, nats", ylim=(-1, 6.5), xlim=(0, 25)
    )
    return fig
