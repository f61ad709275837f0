"""Experiments: pilots choose, fresh seeds decide, the null must not pass, claims share one error."""

import random

import pytest

from spaces_core.checks.experiments import PILOT, experiment
from tests.checks.pages import outcome

DISPLAYS = {"eq-a": r"L_{\mathrm{new}} < L_{\mathrm{old}}"}
SETUP = """
import random
def arm(offset, noise=0.1):
    draw = lambda seed: random.Random(100 * seed + int(10 * offset)).gauss(0, noise)
    return lambda setting, seed: offset + (setting - 2) ** 2 + draw(seed)
found = ch.experiment({"new": arm(0.0), "old": arm(0.5)}, null="old", grid=[1, 2, 3], better="low")
new, old = r"L_{\\mathrm{new}}", r"L_{\\mathrm{old}}"
"""
CALL = 'ch.measure("eq-a", {new: found["new"], old: found["old"]}, null={new: found["old"]})'


def arm(offset):
    return lambda setting, seed: offset + (setting - 2) ** 2 + random.Random(seed).random() / 100


def test_pilots_choose_and_fresh_seeds_decide():
    seen = []

    def run(setting, seed):
        seen.append((setting, seed))
        return arm(0)(setting, seed)

    found = experiment({"a": run, "b": arm(1)}, null="b", grid=[1, 2, 3], better="low", seeds=6, pilots=2)
    assert found.chosen == {"a": 2, "b": 2} and found.runs == 6
    assert {s for _, s in seen if s >= PILOT} == set(found.pilot_seeds)
    assert [s for _, s in seen if s < PILOT] == list(found.seeds) == list(range(6))
    assert not set(found.seeds) & set(found.pilot_seeds)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"grid": [2, 3, 4]}, "an end of its grid"),
        ({"grid": {"a": [1, 2, 3], "b": [2]}}, "equally many settings"),
        ({"null": "c"}, "no arm"),
        ({"better": "lower"}, "'low' or 'high'"),
        ({"seeds": 3}, "at least five"),
        ({"arms": {"a": arm(0)}, "null": "a"}, "at least two arms"),
        ({"arms": {"a": lambda s, k: float("nan"), "b": arm(1)}}, "finite"),
    ],
)
def test_what_is_no_experiment_is_refused(change, message):
    given = {"arms": {"a": arm(0), "b": arm(1)}, "null": "b", "grid": [1, 2, 3], "better": "low"} | change
    with pytest.raises(ValueError, match=message):
        experiment(given.pop("arms"), **given)


def test_a_claim_that_the_null_fails(tmp_path):
    chapter, problems = outcome(tmp_path, DISPLAYS, SETUP + CALL)
    assert not problems
    e = chapter["eq-a"]
    assert e.kind == "measured" and e.scope == "8 seeds" and "interval" in e.detail["null"]


@pytest.mark.parametrize(
    "call, message",
    [
        (CALL.replace('null={new: found["old"]}', 'null={new: found["new"]}'), "holds for the null as well"),
        (CALL.replace('null={new: found["old"]}', "null={}"), "names its null"),
        ('ch.measure("eq-a", {new: [0.1] * 8, old: [0.2] * 8}, null={})', "what ch.experiment returned"),
        (CALL.replace("{new: found", "{old: found", 1).replace('old: found["old"]', 'new: found["old"]'), "interval"),
    ],
)
def test_claims_that_are_none(tmp_path, call, message):
    assert message in " ".join(outcome(tmp_path, DISPLAYS, SETUP + call)[1])


def test_several_claims_share_one_error(tmp_path):
    displays = {**DISPLAYS, "eq-b": r"L_{\mathrm{new}} < 1"}
    chapter, problems = outcome(
        tmp_path, displays, SETUP + CALL + '\nch.measure("eq-b", {new: found["new"]}, null={new: found["old"]})'
    )
    assert any("null as well" in p for p in problems)  # the old method is below 1 too
    displays["eq-b"] = r"L_{\mathrm{old}} - L_{\mathrm{new}} > \frac{1}{4}"
    chapter, problems = outcome(
        tmp_path,
        displays,
        SETUP
        + CALL
        + "\n"
        + CALL.replace('"eq-a"', '"eq-b"')[:-1]
        + ", pins=[({new: 2, old: 5}, (3, sp.Rational(1, 4)))])",
    )
    assert not problems
    assert chapter["eq-a"].detail["family"] == 2 and "97.5 %" in chapter["eq-a"].method


DEMONSTRATE = 'ch.demonstrate("eq-a", {{new: {}, old: {}}}, sides=({}, {}))'


@pytest.mark.parametrize(
    "new, old, fine",
    [
        ([0.1, 0.2, 0.1, 0.2, 0.1], [0.9, 1.0, 0.8, 0.9, 0.9], True),
        ([0.1] * 5, [0.9, 1.0, 0.8, 0.9, 0.9], False),
        ([0.1, 0.2, 0.3], [0.9, 1.0, 0.8], False),
    ],
)
def test_numbers_of_the_page_are_a_demonstration(tmp_path, new, old, fine):
    call = DEMONSTRATE.format(new, old, sum(new) / len(new), sum(old) / len(old))
    chapter, problems = outcome(tmp_path, DISPLAYS, SETUP + call)
    assert bool(problems) != fine
    if fine:
        assert chapter["eq-a"].kind == "demonstration" and chapter.totals()["measured"] == 0
