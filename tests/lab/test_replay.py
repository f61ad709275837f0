"""What the replay lets move, and what it does not: numbers by their uncertainty, everything else exactly."""

import configparser
import copy

import pytest

from spaces_core.checks import Estimate, estimate
from spaces_core.lab import replay
from spaces_core.lab.record import ROOT

STATEMENT = {
    "label": "eq-gain",
    "part": 0,
    "kind": "measured",
    "latex": "a < b",
    "scope": "5 seeds, CPU",
    "detail": {"means": [[1.0, 0.1], [2.0, 0.2]], "right minus left": [[0.9, 1.1]]},
    "typos": {"made": 1, "caught": 1, "equivalent": 0, "examples": [{"latex": "a > b", "how": "interval [0.9, 1.1]"}]},
}
LEDGER = {"chapter": "part/topic", "title": "Title", "totals": {"measured": 1}, "statements": [STATEMENT]}


def changed(*path, to):
    """The ledger with the value at `path` of its statement replaced."""
    ledger = copy.deepcopy(LEDGER)
    place = ledger["statements"][0]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return ledger


def test_nbval_is_told_the_same_pattern():
    config = configparser.ConfigParser()
    config.read(ROOT / "tests" / "sanitize.cfg")
    assert config["estimates"]["regex"] == replay.ESTIMATE


@pytest.mark.parametrize("value", [0.2153, -31.4, 4.81e-12, 1.2e7, 0.0])
@pytest.mark.parametrize("share", [0.0, 1e-6, 0.03, 0.5, 20.0])
@pytest.mark.parametrize("spec", ["", "+", "12"])
def test_every_printed_estimate_may_move_within_its_half_width_and_no_further(value, share, spec):
    half = share * (abs(value) or 1)
    old = format(Estimate(value, half), spec)
    unit = replay.last_place(old.split("± ")[1])
    assert replay.masked(f"gain {old} nats") == "gain # ± # nats"
    assert not replay.text_faults(old, format(Estimate(value + half, 2 * half), spec))
    assert replay.text_faults(old, format(Estimate(value + 1.6 * half + 3 * unit, half), spec))


def test_an_estimate_needs_finite_numbers_and_more_than_one_seed():
    for wrong in ((float("nan"), 1), (1, float("inf")), (1, -0.1)):
        with pytest.raises(ValueError, match="half-width of at least 0"):
            Estimate(*wrong)
    with pytest.raises(ValueError, match="at least two values, got 1"):
        estimate([1.0])


@pytest.mark.parametrize(
    ("old", "new"),
    [("loss 1.8", "loss 1.9"), ("True", "False"), ("1 ± 1 a", "1 ± 1 b"), ("a", "a\nb"), ("2.0 ± 0.1", "2.0")],
)
def test_other_text_is_compared_exactly(old, new):
    assert replay.text_faults(old, new)


def test_an_output_too_many_is_told():
    text = {"output_type": "stream", "name": "stdout", "text": "a\n"}
    shown = {"output_type": "display_data", "data": {"text/plain": "b", "text/html": "<b>"}}
    assert not replay.output_faults([text, shown], [shown, text])
    assert replay.output_faults([text], [text, shown]) == [
        "puts out 1 stdout, 1 text/plain, 1 text/html, recorded 1 stdout"
    ]


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("detail", "means"), [[1.09, 0.4], [2.1, 0.2]]),
        (("detail", "right minus left"), [[0.7, 1.4]]),
        (("typos", "examples"), [{"latex": "a > b", "how": "interval [0.7, 1.4]"}]),
    ],
)
def test_what_was_measured_may_move_within_its_interval(path, to):
    assert not replay.ledger_faults(LEDGER, changed(*path, to=to))


@pytest.mark.parametrize(
    ("path", "to", "told"),
    [
        (("detail", "means"), [[1.2, 0.1], [2.0, 0.2]], "a side is 1.2 on average, recorded 1 ± 0.1"),
        (("detail", "right minus left"), [[1.0, 1.4]], "right minus left is 1.2 on average, recorded 0.9 to 1.1"),
        (("detail", "means"), [[1.0, 0.1]], "ledger differs at eq-gain"),
        (("scope",), "6 seeds, CPU", "ledger differs at eq-gain"),
        (("typos", "caught"), 0, "ledger differs at eq-gain"),
        (("latex",), "a > b", "ledger differs at eq-gain"),
        (("label",), "eq-other", "ledger differs at eq-gain, eq-other"),
    ],
)
def test_everything_else_of_a_ledger_is_told(path, to, told):
    assert any(told in fault for fault in replay.ledger_faults(LEDGER, changed(*path, to=to)))


def test_a_dropped_statement_is_told():
    assert replay.ledger_faults(LEDGER, {**LEDGER, "statements": []}) == ["ledger differs at eq-gain"]
    assert replay.ledger_faults(LEDGER, {**LEDGER, "totals": {}}) == ["ledger differs in title, totals or order"]


def test_below_its_resolution_a_measurement_may_move():
    old, new = (changed("detail", "means", to=[[m, 1e-9], [2.0, 0.2]]) for m in (4e-6, 9e-6))
    assert replay.ledger_faults(old, new)
    for ledger in (old, new):
        ledger["statements"][0]["detail"]["resolution"] = [1e-5, 0]
    assert not replay.ledger_faults(old, new)
    new["statements"][0]["detail"]["resolution"] = [1.0, 0]
    assert replay.ledger_faults(old, new) == ["ledger differs at eq-gain"]
