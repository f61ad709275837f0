"""Experiments that could have failed: pilots choose, fresh seeds decide, a null must not pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .uncertain import Estimate, estimate

PILOT = 10_000  # where the seeds of pilots start; no result uses one of them


class Series(tuple):
    """One number for each fresh seed of one arm, as an experiment returned it."""

    arm: str

    def __new__(cls, values, arm: str):
        made = super().__new__(cls, (float(v) for v in values))
        made.arm = arm
        return made

    @property
    def estimate(self) -> Estimate:
        return estimate(self)


@dataclass(frozen=True)
class Experiment:
    """What an experiment found.

    Attributes:
        series: for each arm its results on the fresh seeds; `experiment["arm"]` is short for it.
        chosen: the setting that the pilots chose for each arm.
        pilots: the pilot mean of every setting.
        runs: how many runs each arm had to choose with, the same for all.
    """

    series: dict[str, Series]
    chosen: dict[str, object]
    pilots: dict[str, list[float]]
    seeds: tuple[int, ...]
    pilot_seeds: tuple[int, ...]
    runs: int
    null: str
    hardware: str = "CPU"

    def __getitem__(self, arm: str) -> Series:
        return self.series[arm]


def experiment(
    arms: Mapping[str, Callable[[object, int], float]],
    *,
    null: str,
    grid: Mapping[str, Sequence] | Sequence,
    better: str,
    seeds: int = 8,
    pilots: int = 3,
    first: int = 0,
    skip: int = 0,
    hardware: str = "CPU",
) -> Experiment:
    """Run arms side by side.

    Args:
        arms: for each name `run(setting, seed)`, which returns one finite number; the same seed is the same data and
            the same start for all arms, so that differences are paired.
        null: the arm that has no claim: a guesser, no method, the cheapest baseline of equal cost.
        grid: the settings to choose from, one list for all arms or one of equal length for each. The best must not
            lie at an end of a list of three or more.
        better: `"low"` or `"high"`.
        seeds: how many fresh seeds decide, at least five.
        pilots: how many other seeds choose the settings.
        first: shifts all seeds (the `--seed` of a run).
        skip: how many fresh seeds are passed over, where a look at them led to this design.
        hardware: what it ran on.

    Raises:
        ValueError: an unknown null, grids of different length, a result that is not finite, a best setting at an end.

    >>> run = lambda offset: lambda setting, seed: offset + (setting - 2) ** 2 + (seed * 7 % 5) / 100
    >>> found = experiment({"new": run(0), "old": run(1)}, null="old", grid=[1, 2, 3], better="low", seeds=5)
    >>> found.chosen, found["new"].estimate.value < found["old"].estimate.value
    ({'new': 2, 'old': 2}, True)
    """
    if null not in arms:
        raise ValueError(f"null={null!r} is no arm; there are {', '.join(arms)}")
    if len(arms) < 2:
        raise ValueError("an experiment compares at least two arms, one of them the null")
    if better not in ("low", "high"):
        raise ValueError(f"better is 'low' or 'high', got {better!r}")
    if seeds < 5:
        raise ValueError(f"at least five fresh seeds decide, got {seeds}")
    grids = {name: list(grid[name] if isinstance(grid, Mapping) else grid) for name in arms}
    sizes = {name: len(g) for name, g in grids.items()}
    if len(set(sizes.values())) != 1 or min(sizes.values()) < 1:
        raise ValueError(f"all arms choose from equally many settings, got {sizes}")
    size = next(iter(sizes.values()))
    pilot_seeds = tuple(PILOT + 1000 * first + k for k in range(pilots if size > 1 else 0))
    fresh = tuple(1000 * first + k for k in range(skip, skip + seeds))
    chosen, means = {}, {}
    for name, run in arms.items():
        means[name] = [
            _mean(_checked(run(s, k), name) for k in pilot_seeds) if pilot_seeds else 0.0 for s in grids[name]
        ]
        best = (min if better == "low" else max)(range(size), key=means[name].__getitem__)
        if size >= 3 and best in (0, size - 1):
            raise ValueError(f"{name} is best at {grids[name][best]}, an end of its grid: widen the grid")
        chosen[name] = grids[name][best]
    series = {name: Series([_checked(run(chosen[name], k), name) for k in fresh], name) for name, run in arms.items()}
    return Experiment(series, chosen, means, fresh, pilot_seeds, size * len(pilot_seeds), null, hardware)


def _checked(value, name: str) -> float:
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{name} returned {value}: a run returns one finite number")
    return value


def _mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)
