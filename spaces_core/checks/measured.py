"""Experiments: paired differences over seeds, with an interval that lies on the right side."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from . import values as V
from .evaluate import evaluate
from .kinds import Check, check_pins, close
from .numbers import Rejected, relations, sides
from .uncertain import estimate, interval


@dataclass
class Measured(Check):
    """A claim about means over seeds.

    Args:
        series: for each name one value a seed.
        constants: names that are the same for all seeds.
        expected: the means of the sides, computed without the page; None where an experiment gave the numbers.
        near: what `≈` allows.
        resolution: what floating point cannot resolve, for each side.
        hardware: what it ran on.
        kind: `measured`, or `demonstration`.
        pins: what the sides are for given values of the names.
        null: for some names the series of the null, for which the claim must fail.
        confidence: of each interval; higher where a chapter makes several claims.
    """

    series: dict
    constants: dict
    expected: tuple | None
    near: float
    resolution: float | tuple
    hardware: str
    kind: str = "measured"
    null: dict = field(default_factory=dict)
    pins: tuple = ()
    confidence: float = 0.95

    @property
    def method(self):
        what = "experiment" if self.kind == "measured" else "numbers of the page"
        return f"{what}, paired {100 * self.confidence:.3g} % t interval"

    @property
    def seeds(self):
        return len(next(iter(self.series.values())))

    @property
    def scope(self):
        return f"{self.seeds} seeds" + (f", {self.hardware}" if self.hardware else "")

    def test(self, tree, context):
        check_pins(tree, context, self.pins)
        found = self._claim(tree, context, self.series)
        if self.kind == "measured":
            found["null"] = self._null(tree, context)
        return found

    def _null(self, tree, context) -> str:
        if not self.null:
            raise Rejected("a measurement names its null: null={name: series}, for which the claim must fail")
        try:
            self._claim(tree, context, {**self.series, **self.null}, check=False)
        except Rejected as error:
            return str(error)
        raise Rejected("the claim holds for the null as well: it says nothing of the method")

    def corrected(self, e, tree, context, claims: int) -> None:
        """Hold the claim to its share of one family of claims."""
        self.confidence = 1 - 0.05 / claims
        e.detail |= self.test(tree, context) | {"family": claims}
        e.method = self.method

    def _claim(self, tree, context, series, check: bool = True) -> dict:
        for name, values in series.items():
            if len(set(values)) == 1 and not self.resolution:
                raise Rejected(
                    f"{name} is {values[0]:.6g} for every seed: that is one run, copied, or a seed that is not used"
                )
        runs = [
            context.env({**self.constants, **{k: v[s] for k, v in series.items()}}, mode="float")
            for s in range(self.seeds)
        ]
        try:
            values = [[[float(x) for x in V.scalars(evaluate(side, env))] for env in runs] for side in sides(tree)]
        except TypeError as error:
            raise Rejected(f"a side is not a number: {error}") from None
        if any(len(run) != 1 for side in values for run in side):
            raise Rejected("a measurement compares numbers, one a seed")
        if not all(math.isfinite(run[0]) for side in values for run in side):
            raise Rejected("a side is not finite")
        means = [estimate(run[0] for run in side) for side in values]
        if check and self.expected is not None:
            self._expected(means)
        shown = [self._relation(r, runs, means) for r in relations(tree)]
        kept = [[float(f"{m.value:.4g}"), float(f"{m.half:.3g}")] for m in means]
        fine = self.fine(len(means))
        rounding = {"resolution": fine} if any(fine) else {}
        near = {"near": self.near} if any(r.data == "~" for r in relations(tree)) else {}
        return {"means": kept, "right minus left": shown, **near, **rounding}

    def fine(self, sides: int) -> list[float]:
        given = self.resolution
        given = list(given) if isinstance(given, (list, tuple)) else [given] * sides
        if len(given) != sides:
            raise Rejected(f"the display has {sides} sides, resolution= gives {len(given)}")
        return given

    def quick(self, tree, context):
        check_pins(tree, context, self.pins)
        self._claim(tree, context, self.series)

    def _expected(self, means) -> None:
        if len(self.expected) != len(means):
            raise Rejected(f"the display has {len(means)} sides, sides= gives {len(self.expected)}")
        for got, want in zip(means, self.expected, strict=True):
            if not close(got.value, float(want), 1e-6):
                raise Rejected(f"a side is {got.value:.4g} on average, not {float(want):.4g}")

    def _relation(self, r, runs, means) -> list[float]:
        left, right = ([float(V.scalars(evaluate(a, env))[0]) for env in runs] for a in r.args)
        lo, hi = interval((y - x for x, y in zip(left, right, strict=True)), self.confidence)
        if r.data == "~":
            size = max(abs(sum(side)) / len(side) for side in (left, right))
            if self.near > size / 2 and not self.resolution:
                raise Rejected(f"≈ up to {self.near:g} says nothing of sides of size {size:.3g}")
        good = {"<": lo > 0, "<=": lo >= 0, ">": hi < 0, ">=": hi <= 0, "~": -self.near <= lo and hi <= self.near}
        if r.data not in good:
            raise Rejected("a measurement supports an inequality or ≈, never an equality")
        if not good[r.data]:
            raise Rejected(f"right minus left has the {100 * self.confidence:.0f} % interval [{lo:.4g}, {hi:.4g}]")
        return [float(f"{lo:.3g}"), float(f"{hi:.3g}")]

    def same(self, tree, other, context):
        return tree == other
