r"""Numbers with their uncertainty: what an experiment found, printed at the digits that its interval carries."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    r"""A number and the half-width of its interval, which prints as `0.22 ± 0.08`.

    The half-width is printed with two significant digits and the number to the same place. A format such as `+` or
    `7` (width) belongs to the number: `f"{Estimate(0.2153, 0.0812):+}"` is `+0.215 ± 0.081`.

    Args:
        value: the number.
        half: half the width of its interval, at least 0; 0 says that only the printed digits are meant.

    Raises:
        ValueError: `value` or `half` is not finite, or `half` is negative.

    >>> print(Estimate(0.2153, 0.0812), Estimate(1554.2, 31.4), Estimate(92, 0), Estimate(4.81e-12, 3e-13), sep="  ")
    0.215 ± 0.081  1554 ± 31  92.00 ± 0.00  4.81e-12 ± 0.30e-12
    """

    value: float
    half: float

    def __post_init__(self):
        if not (math.isfinite(self.value) and math.isfinite(self.half) and self.half >= 0):
            given = f"{self.value} and {self.half}"
            raise ValueError(f"an estimate is a finite number with a finite half-width of at least 0, got {given}")

    def __format__(self, spec: str) -> str:
        size = max(abs(self.value), self.half)
        if size and not 1e-4 <= size < 1e6:
            power = math.floor(math.log10(size))
            return re.sub(r"(?<=\d)(?= ±|$)", f"e{power:+03}", format(Estimate(*(x / 10**power for x in self)), spec))
        if self.half:
            places = 1 - math.floor(math.log10(float(f"{self.half:.1e}")))
        else:
            places = 3 - math.floor(math.log10(abs(self.value))) if self.value else 2
        value, half, places = round(self.value, places), round(self.half, places), max(places, 0)
        return f"{value:{spec}.{places}f} ± {half:.{places}f}"

    def __iter__(self):
        yield from (self.value, self.half)

    def __str__(self) -> str:
        return format(self)


def interval(differences: Iterable[float], confidence: float = 0.95) -> tuple[float, float]:
    """The t interval of the mean of paired differences.

    >>> lo, hi = interval([1.0, 2.0, 3.0, 2.0, 2.0])
    >>> round(lo, 3), round(hi, 3)
    (1.122, 2.878)
    """
    found = estimate(differences, confidence)
    return found.value - found.half, found.value + found.half


def estimate(values: Iterable[float], confidence: float = 0.95) -> Estimate:
    r"""The mean of one value a seed, with the half-width of its t interval.

    Args:
        values: one number a seed, at least two. For a comparison give the paired differences.
        confidence: of the interval.

    Raises:
        ValueError: fewer than two values, or one that is not finite.

    >>> print(estimate([3.1, 3.0, 3.3, 3.2, 3.1]))
    3.14 ± 0.14
    """
    from scipy.stats import t

    values = [float(v) for v in values]
    n = len(values)
    if n < 2:
        raise ValueError(f"an interval needs at least two values, got {n}")
    mean = sum(values) / n
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return Estimate(mean, float(t.ppf(0.5 + confidence / 2, n - 1)) * spread / math.sqrt(n))
