"""Drawings of the entropy-normalization chapter: data in, Figure out."""

from matplotlib.figure import Figure

from spaces_core.plotting import BLUE, GREEN, INK, PURPLE, VERMILLION


def sharper_and_flatter(ranks, family) -> Figure:
    """One distribution and its powers.

    Args:
        ranks: `(n,)`, the positions of the entries.
        family: label to probabilities `(n,)`.
    """
    fig = Figure(figsize=(6.4, 3.2))
    ax = fig.subplots()
    marks = zip(family.items(), ((BLUE, "o", "-"), (INK, "s", "--"), (VERMILLION, "^", "-.")), strict=True)
    for (name, p), (colour, marker, style) in marks:
        ax.plot(ranks, p, marker=marker, ms=5, color=colour, ls=style, label=name)
    ax.set(xlabel="entry, the most probable first", ylabel="probability", ylim=(0, None))
    ax.legend()
    return fig


def bump(power, entropies, target, solutions, current, p) -> Figure:
    """The entropy over all powers, with its two solutions, and the distribution at one power.

    Args:
        power: `(k,)`; entropies: `(k,)`.
        target: the prescribed entropy.
        solutions: the powers at which it is attained, the positive one last.
        current: `(power, entropy)` of the slider.
        p: `(n,)`, the distribution there.
    """
    fig = Figure(figsize=(7.6, 3.3))
    left, right = fig.subplots(1, 2)
    left.plot(power, entropies, color=BLUE, label="$H$")
    left.axhline(target, color=INK, ls=":", lw=1.2)
    left.plot(solutions, [target] * len(solutions), "D", color=GREEN, ms=7, ls="none", label=r"$H = H^\star$")
    left.plot(*current, "o", color=VERMILLION, ms=9, ls="none", label="slider")
    left.set(xlabel=r"power $\gamma$", ylabel="entropy (nats)")
    left.legend(loc="lower center")
    right.bar(range(1, len(p) + 1), p, color=VERMILLION if current[0] < 0 else BLUE)
    right.set(xlabel="entry, most probable first at γ = 1", ylabel=r"$\tilde p_i$", ylim=(0, 1))
    right.set_title("order reversed" if current[0] < 0 else "order kept")
    return fig


def iterations(curves) -> Figure:
    """The error of the entropy, step by step.

    Args:
        curves: name to errors `(steps,)`, in nats.
    """
    fig = Figure()
    ax = fig.subplots()
    styles = ((BLUE, "o", "-"), (VERMILLION, "s", "--"), (GREEN, "^", "-."), (PURPLE, "v", ":"))
    for (name, errors), (colour, marker, style) in zip(curves.items(), styles, strict=False):
        ax.semilogy(range(len(errors)), errors, marker=marker, ms=4, color=colour, ls=style, label=name)
    ax.set(xlabel="step", ylabel=r"$|H - H^\star|$ (nats)")
    ax.legend()
    return fig


def loss_against_entropy(targets, controlled, temperature) -> Figure:
    """Loss of the next token at equal mean entropy, with intervals.

    Args:
        targets: `(k,)` mean entropies in nats.
        controlled, temperature: pairs `(mean, half width)` of arrays `(k,)`.
    """
    fig = Figure()
    ax = fig.subplots()
    for (mean, half), colour, marker, style, name in (
        (controlled, BLUE, "o", "-", "one entropy for every token"),
        (temperature, VERMILLION, "s", "--", "one temperature for every token"),
    ):
        ax.errorbar(targets, mean, yerr=half, color=colour, marker=marker, ls=style, capsize=3, label=name)
    ax.set(xlabel="mean entropy of the next token (nats)", ylabel="loss of the true token (nats)")
    ax.legend()
    return fig
