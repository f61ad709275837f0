"""The reader's LaTeX is read by the engine, and the answer says where it differs."""

import pytest

from spaces_core.lab.formulas import formula

SQUARES = formula(r"x, y \in \mathbb R", "x^2 - y^2", {"(x - y)^2": "the middle terms do not cancel there"})
SUM = formula(r"n \in \mathbb N, \quad i = 1, \dots, n, \quad p_i > 0", r"\sum_{i=1}^{n} p_i^2")


@pytest.mark.parametrize(
    ("check", "answer"),
    [(SQUARES, "(x + y)(x - y)"), (SQUARES, "x^2 - y^2"), (SUM, r"\sum_i p_i p_i"), (SUM, r"\sum_{i=1}^{n} p_i^2")],
)
def test_each_way_of_writing_the_formula_is_right(check, answer):
    assert check(answer) is True


@pytest.mark.parametrize(
    ("check", "answer", "said"),
    [
        (SQUARES, "x^2 - 2 x y + y^2", "the middle terms"),
        (SQUARES, "x - y", "and the right formula gives"),
        (SQUARES, "x^2 - z", "the exercise does not say what z is"),
        (SQUARES, "x^", "cannot be read"),
        (SQUARES, "x^2 = y^2", "the formula alone"),
        (SQUARES, " ", "empty"),
        (SQUARES, 4, "in LaTeX"),
        (SQUARES, "x / y (x - y)", "cannot be read"),
        (SUM, r"\sum_i p_i", "and the right formula gives"),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(check, answer, said):
    assert said in check(answer)


def test_no_answer_of_a_reader_names_the_letter_that_stands_for_the_formula():
    assert "mathcal" not in SQUARES("x^") and "mathcal" not in SQUARES(r"\log x / y")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("x > 0", "y"), "cannot be used"), (("x > 0", "x", {"x + 0": "no"}), "is no mistake"), (("x >", "x"), "cannot")],
)
def test_an_exercise_that_cannot_be_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        formula(*arguments)
