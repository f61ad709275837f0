"""What rests on what: the statements of each chapter in layers, each to the right of those it needs, as SVG."""

import html
from dataclasses import dataclass

from evidence import Evidence
from ledgers import kinds, rests_on

STEP, WIDTH, ROW, HEIGHT, EDGE, SWEEPS, LETTERS = 150, 110, 30, 22, 4, 6, 11


@dataclass(frozen=True)
class Graph:
    """Labels with their places, and the pairs (needed, needing) that are drawn."""

    places: dict[str, tuple[float, float]]
    edges: tuple[tuple[str, str], ...]
    alone: tuple[str, ...]
    size: tuple[float, float]


def needs(ledger: dict) -> dict[str, set[str]]:
    """For each label of a chapter, the labels of the same chapter that it rests on."""
    labels = {s["label"] for s in ledger["statements"]}
    found: dict[str, set[str]] = {}
    for s in ledger["statements"]:
        found.setdefault(s["label"], set()).update(u for u in rests_on(s) if u in labels and u != s["label"])
    return found


def layers(needed: dict[str, set[str]]) -> dict[str, int]:
    """The length of the longest way from a statement that rests on nothing.

    Raises:
        ValueError: statements rest on each other in a circle.
    """
    depth: dict[str, int] = {}
    while len(depth) < len(needed):
        ready = {v for v in needed if v not in depth and needed[v] <= depth.keys()}
        if not ready:
            raise ValueError(f"these rest on each other: {sorted(needed.keys() - depth.keys())}")
        depth |= {v: 1 + max((depth[u] for u in needed[v]), default=-1) for v in ready}
    return depth


def direct(needed: dict[str, set[str]], depth: dict[str, int]) -> dict[str, set[str]]:
    """Without the needs that follow from other needs: what is above what stays the same."""
    above: dict[str, set[str]] = {}
    for v in sorted(needed, key=depth.get):
        above[v] = needed[v].union(*(above[u] for u in needed[v]))
    return {v: {u for u in needed[v] if not any(u in above[w] for w in needed[v])} for v in needed}


def layout(ledger: dict) -> Graph:
    """Places for the statements of a chapter: layers from left to right, each ordered by its neighbours' heights."""
    needed = needs(ledger)
    depth = layers(needed)
    reduced = direct(needed, depth)
    edges = tuple((u, v) for v in needed for u in sorted(reduced[v]))
    joined = {label for edge in edges for label in edge}
    columns: list[list[str]] = [[] for _ in range(1 + max((depth[v] for v in joined), default=-1))]
    for v in needed:
        if v in joined:
            columns[depth[v]].append(v)
    beside: dict[str, list[str]] = {v: [] for v in joined}
    for u, v in edges:
        beside[u].append(v)
        beside[v].append(u)
    tall = max(map(len, columns), default=0)
    height = {}

    def settle(column):
        gap = tall / len(column)
        height.update({v: (i + 0.5) * gap for i, v in enumerate(column)})

    for column in columns:
        settle(column)
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 else reversed(columns):
            column.sort(key=lambda v: sum(height[u] for u in beside[v]) / len(beside[v]))
            settle(column)
    across = max(len(columns), 2)
    places = {v: (EDGE + STEP * x, ROW * (height[v] - 0.5) + EDGE) for x, c in enumerate(columns) for v in c}
    alone = tuple(v for v in needed if v not in joined)
    under = ROW * tall + (ROW if tall and alone else 0)
    places |= {v: (EDGE + STEP * (i % across), under + ROW * (i // across) + EDGE) for i, v in enumerate(alone)}
    lines = -(-len(alone) // across)
    return Graph(places, edges, alone, (STEP * (across - 1) + WIDTH + 2 * EDGE, under + ROW * lines + EDGE))


def drawing(evidence: Evidence, name: str) -> str:
    """The graph of one chapter."""
    ledger = evidence.ledgers[name]
    graph = layout(ledger)
    known = {s["label"]: s["kind"] for s in reversed(ledger["statements"])}
    shapes = ""
    for u, v in graph.edges:
        (x, y), (z, w) = graph.places[u], graph.places[v]
        x, y, w = x + WIDTH, y + HEIGHT / 2, w + HEIGHT / 2
        bend = min(40, (z - x) / 2)
        way = f"M{x:g} {y:.1f}C{x + bend:g} {y:.1f} {z - bend:g} {w:.1f} {z:g} {w:.1f}"
        shapes += f'<path data-from="{u}" data-to="{v}" d="{way}"/>'
    if graph.alone and graph.edges:
        y = graph.places[graph.alone[0]][1] - ROW / 2
        shapes += f'<text class="aside" x="{EDGE}" y="{y + 5:.1f}">standing alone</text>'
    for v, (x, y) in graph.places.items():
        said = v.split("-", 2)[-1]
        said = said if len(said) <= LETTERS else said[: LETTERS - 1] + "…"
        shapes += (
            f'<a href="{evidence.href(v)}" data-statement="{v}" class="evidence-{known[v]}" '
            f'aria-label="({evidence.number[v]}) {v.split("-", 2)[-1]}, {known[v]}">'
            f'<rect x="{x:g}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="{HEIGHT / 2:g}"/>'
            f'<text x="{x + 9:g}" y="{y + 15:.1f}"><tspan>{evidence.number[v]}</tspan> {html.escape(said)}</text></a>'
        )
    wide, high = graph.size
    title = html.escape(f"What rests on what: {ledger['title']}")
    return (
        f'<div class="graph"><div class="graph-scroll"><svg viewBox="0 0 {wide:g} {high:.0f}" width="{wide:g}" '
        f'height="{high:.0f}" role="group" aria-label="{title}">{shapes}</svg>'
        '</div><div class="graph-facts" role="status" aria-live="polite"></div></div>'
    )


def fold(evidence: Evidence, name: str) -> str:
    """The graph of a chapter for its own page, folded."""
    title = "<summary>What rests on what in this chapter</summary>"
    return f'<details class="graph-fold">{title}{drawing(evidence, name)}</details>'


def book(evidence: Evidence) -> str:
    """The graphs of all chapters, side by side until one is opened."""
    cards = ""
    for name, ledger in evidence.ledgers.items():
        edges = len(layout(ledger).edges)
        labels = len({s["label"] for s in ledger["statements"]})
        cards += (
            f'<section class="graph-card" data-chapter="{name}"><h2><a href="{evidence.uri(name)}">'
            f"{html.escape(ledger['title'])}</a></h2><p>{labels} equations, {edges} arrows</p>"
            f"{drawing(evidence, name)}</section>"
        )
    legend = " ".join(f'<span class="evidence-mark evidence-{k}">{k}</span>' for k in kinds(evidence.ledgers))
    return f'<p class="graph-legend">{legend}</p><div class="graph-cards">{cards}</div>'
