r"""A fresh run of a chapter against its recording: text and symbols exactly, what was measured by its interval.

Text, statements, scopes, methods and counts of typos are the same on every machine and are compared exactly. What
floating point computed carries its own uncertainty: a number printed as `0.22 ± 0.08` may move within it, the mean of
a measured statement within its recorded interval, the numbers of a figure within the tolerance its data declare.
"""

import json
import re
from itertools import chain
from pathlib import Path

NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
ESTIMATE = rf"[ ]*({NUMBER}) ±[ ]*({NUMBER})"
"""What `spaces_core.checks.Estimate` prints; the same pattern stands in tests/sanitize.cfg."""
FLOATING = ("measured", "demonstration", "sampled")
COMPUTED = ("means", "right minus left", "tightest", "sides")
"""What of a statement's detail floating point computed."""
SAMPLES = 0.05
"""How far the tightest of many samples may move: an attack climbs to it by steps that round differently."""


def faults_of(name: str, fresh: Path, recorded: Path) -> list[str]:
    """Where the ledger and the figures of a fresh run differ from the recording; an empty list when they agree."""
    old, new = (load(folder, name, ".ledger.json") for folder in (recorded, fresh))
    if old is None or new is None:
        lacking = "recorded" if old is None else "written by the replay"
        return [f"no ledger was {lacking}; does the chapter end in ch.report()?"]
    drawn = (load(folder, name, ".figures.json") or [] for folder in (recorded, fresh))
    return ledger_faults(old, new) + figure_faults(*drawn)


def load(folder: Path, name: str, kind: str):
    """What a chapter wrote, None where it wrote nothing."""
    path = folder / (name + kind)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


# --- text -----------------------------------------------------------------------------------------
def text_faults(old: str, new: str) -> list[str]:
    """Where two printed texts differ: exactly, but for numbers printed with their half-width.

    >>> text_faults("gain 0.22 ± 0.08", "gain 0.29 ± 0.11")
    []
    >>> text_faults("gain 0.22 ± 0.08", "gain 0.32 ± 0.08")
    ['0.32 is outside the recorded 0.22 ± 0.08']
    >>> text_faults("gain 0.22 ± 0.08", "loss 0.22 ± 0.08")
    ["'gain # ± #' was recorded, now 'loss # ± #'"]
    """
    if masked(old) != masked(new):
        pairs = zip(masked(old).splitlines(), masked(new).splitlines(), strict=False)
        a, b = next(((a, b) for a, b in pairs if a != b), ("a text", "one of another length"))
        return [f"{a.strip()!r} was recorded, now {b.strip()!r}"]
    pairs = zip(re.findall(ESTIMATE, old), re.findall(ESTIMATE, new), strict=True)
    return [
        f"{now} is outside the recorded {was} ± {half}"
        for (was, half), (now, _) in pairs
        if abs(float(now) - float(was)) > float(half) + 1.001 * last_place(half) + min(last_place(now), float(half)) / 2
    ]


def masked(text: str) -> str:
    """A text without the numbers that carry their uncertainty, and without the strokes of pictures."""
    return re.sub(ESTIMATE, " # ± #", re.sub(r"<svg.*?</svg>", "<svg>", text, flags=re.DOTALL))


def last_place(number: str) -> float:
    """The unit of the last digit of a printed number.

    >>> last_place("0.08"), last_place("31"), last_place("1.1e-12")
    (0.01, 1.0, 1e-13)
    """
    digits, _, power = number.partition("e")
    return float(f"1e{int(power or 0) - len(digits.partition('.')[2])}")


def output_faults(old: list, new: list) -> list[str]:
    """Where what a cell put out differs from what is recorded.

    Streams are compared whole, and the displays of one type in their order, as nbval does.
    """
    was, now = _texts(old), _texts(new)
    if {k: len(v) for k, v in was.items()} != {k: len(v) for k, v in now.items()}:
        return [f"puts out {_counts(now)}, recorded {_counts(was)}"]
    return [fault for key in was for pair in zip(was[key], now[key], strict=True) for fault in text_faults(*pair)]


def _texts(outputs: list) -> dict[str, list[str]]:
    """The texts that a cell put out, by stream or type."""
    found: dict[str, list[str]] = {}
    for output in outputs:
        if "text" in output:
            found[output["name"]] = ["".join([*found.get(output["name"], []), output["text"]])]
        for mime, text in output.get("data", {}).items():
            if isinstance(text, str):
                found.setdefault(mime, []).append(text)
    return found


def _counts(texts: dict[str, list[str]]) -> str:
    return ", ".join(f"{len(v)} {k}" for k, v in texts.items()) or "nothing"


# --- ledger ---------------------------------------------------------------------------------------
def ledger_faults(old: dict, new: dict) -> list[str]:
    """Where the evidence of a fresh run is not that of the recording."""
    before, after = ({(s["label"], s["part"]): s for s in ledger["statements"]} for ledger in (old, new))
    changed = [key for key in before | after if exact(before.get(key)) != exact(after.get(key))]
    found = [f"ledger differs at {', '.join(dict.fromkeys(label for label, _ in changed))}"] if changed else []
    if not changed and (list(before) != list(after) or any(old[k] != new[k] for k in ("chapter", "title", "totals"))):
        found.append("ledger differs in title, totals or order")
    for key in before:
        if key not in changed:
            found += [f"{key[0]}: {fault}" for fault in _moved(before[key]["detail"], after[key]["detail"])]
    return found


def exact(statement: dict | None) -> dict | None:
    """What a statement of the ledger says in the same words on every machine."""
    if statement is None:
        return None
    detail = {k: _size(v) if k in COMPUTED else v for k, v in statement["detail"].items()}
    typos = dict(statement["typos"])
    if statement["kind"] in FLOATING:
        typos["examples"] = [{**e, "how": re.sub(NUMBER, "#", e["how"])} for e in typos["examples"]]
    return {**statement, "detail": detail, "typos": typos}


def _size(value) -> int:
    return len(value) if isinstance(value, list) else 1


def _moved(old: dict, new: dict) -> list[str]:
    """Which numbers of one statement left their intervals."""
    found, means = [], old.get("means", ())
    fine = old.get("resolution", [0.0] * len(means))
    for (mean, half), (now, _), rounding in zip(means, new.get("means", ()), fine, strict=True):
        if abs(now - mean) > half + rounding + _rounding(mean):
            found.append(f"a side is {now:g} on average, recorded {mean:g} ± {half:g}")
    for (lo, hi), (a, b) in zip(old.get("right minus left", ()), new.get("right minus left", ()), strict=True):
        if not lo - max(fine) - _rounding(lo) <= (a + b) / 2 <= hi + max(fine) + _rounding(hi):
            found.append(f"right minus left is {(a + b) / 2:g} on average, recorded {lo:g} to {hi:g}")
    for was, now in zip(old.get("sides", ()), new.get("sides", ()), strict=True):
        if was != now and not _same_number(was, now):
            found.append(f"a side of the counterexample is {now}, recorded {was}")
    if "tightest" in old and abs(old["tightest"] - new["tightest"]) > SAMPLES:
        found.append(f"the tightest sample is {new['tightest']:g}, recorded {old['tightest']:g}")
    return found


def _rounding(x: float) -> float:
    """Four digits are kept of a mean."""
    return 1e-3 * abs(x) + 1e-12


def _same_number(a: str, b: str) -> bool:
    try:
        a, b = complex(a), complex(b)
    except ValueError:
        return False
    return abs(a - b) <= _rounding(abs(a))


# --- figures --------------------------------------------------------------------------------------
def figure_faults(recorded: list[dict], fresh: list[dict]) -> list[str]:
    """What a replay drew otherwise than the recording says; an empty list when the pictures agree.

    >>> line = {"axes": 0, "kind": "Line2D", "shape": [2], "values": [0, 1]}
    >>> old = [{"alt": "a", "rtol": 1e-4, "frames": [[line]]}]
    >>> new = [{"alt": "a", "rtol": 1e-4, "frames": [[line | {"values": [0, 1.1]}]]}]
    >>> figure_faults(old, old)
    []
    >>> figure_faults(old, new)
    ['figure 1 (a): Line2D 1 differs by 0.1, allowed 0.0001']
    """
    if len(recorded) != len(fresh):
        return [f"{len(fresh)} figures drawn, {len(recorded)} recorded"]
    found = []
    for number, (old, new) in enumerate(zip(recorded, fresh, strict=True), 1):
        name = f"figure {number} ({old['alt']})"
        if _outline(old) != _outline(new):
            found.append(f"{name}: other artists, shapes, positions or description than recorded")
            continue
        for a, b in zip(chain(*old["frames"]), chain(*new["frames"]), strict=True):
            found += [f"{name}: {text}" for text in _apart(a, b, old["rtol"])]
    return found


def _outline(entry: dict) -> dict:
    """All of a picture's record but its numbers."""
    frames = [[{k: s[k] for k in ("axes", "kind", "shape")} for s in frame] for frame in entry["frames"]]
    return {**entry, "frames": frames}


def _apart(old: dict, new: dict, rtol: float) -> list[str]:
    """One message when two series of one shape differ by more than the tolerance."""
    pairs = [*zip(old["values"], new["values"], strict=True)]
    pairs += [(old[key], new[key]) for key in ("mean", "std") if key in old]
    label = f"{old['kind']} {old['axes'] + 1}"
    if any((isinstance(a, str) or isinstance(b, str)) and a != b for a, b in pairs):
        return [f"{label} differs where a number is missing or infinite"]
    numbers = [(a, b) for a, b in pairs if not isinstance(a, str)]
    worst = max((abs(a - b) for a, b in numbers), default=0.0)
    allowed = rtol * max((abs(a) for a, _ in numbers), default=0.0)
    return [f"{label} differs by {worst:.3g}, allowed {allowed:.3g}"] if worst > allowed else []
