"""False, empty and ambiguous statements are refused, and their true twins are accepted."""

import pytest

from tests.checks.attacks import CASES
from tests.checks.pages import stated

IDS = [f"{c.kind}: {c.name}" for c in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_is_refused(case, tmp_path):
    _, problems = stated(tmp_path, case.setting, case.display, case.call)
    assert problems
    assert "raised" not in problems[0], problems[0]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_its_true_twin_is_accepted(case, tmp_path):
    chapter, problems = stated(tmp_path, case.true_setting, case.true_display, case.true_call)
    assert not problems
    assert all(e.kind == "definition" or e.caught for e in chapter.evidence if e.kind != "setting")


def test_every_case_has_a_name_of_its_own():
    assert len({c.name for c in CASES}) == len(CASES) > 120
