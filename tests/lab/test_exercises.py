"""Exercises tell the reader what is wrong, and hold the chapter's solutions and checks to account."""

import pytest

from spaces_core.lab.exercises import exercise, solution


def check(x):
    return x == 4 or f"{x} is not two plus two"


def printed(capsys, answer, by=check):
    exercise("1", answer, by)
    return capsys.readouterr().out


def test_unanswered(capsys):
    assert printed(capsys, ...) == "Exercise 1: not answered yet\n"


def test_right(capsys):
    assert printed(capsys, 4) == "Exercise 1: right\n"


@pytest.mark.parametrize("verdict", [True, None])
def test_verdicts_that_are_right(capsys, verdict):
    assert "right" in printed(capsys, 0, lambda _: verdict)
    assert "not yet" not in printed(capsys, 0, lambda _: verdict)


def asserting(x):
    assert x == 4, "try again"


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (check, "3 is not two plus two"),
        (lambda x: False, "does not hold"),
        (asserting, "try again"),
        (lambda x: x.shape, "could not use it (AttributeError"),
    ],
)
def test_wrong_answers_are_explained_and_stop_nothing(capsys, by, told):
    out = printed(capsys, 3, by)
    assert out.startswith("Exercise 1: not yet right: ")
    assert told in out


def test_solution_holds(capsys):
    solution("1", 4, check, wrong=[5, ..., "4"])
    assert capsys.readouterr().out == "Exercise 1: the solution is right, and 3 wrong answers are refused\n"


def test_wrong_solution_raises():
    with pytest.raises(AssertionError, match="refuses the solution: 5 is not two plus two"):
        solution("1", 5, check, wrong=[4])


def test_check_without_teeth_raises():
    with pytest.raises(AssertionError, match="accepts the wrong answer 5"):
        solution("1", 4, lambda x: None, wrong=[5])


@pytest.mark.parametrize(("answer", "wrong"), [(4, []), (..., [5])])
def test_solution_needs_an_answer_and_a_wrong_one(answer, wrong):
    with pytest.raises(ValueError, match="at least one wrong answer"):
        solution("1", answer, check, wrong=wrong)
