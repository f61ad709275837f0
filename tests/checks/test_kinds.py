"""Assumptions with teeth, arguments, traps, quotations, definitions, settings that no statement needs."""

import pytest

from spaces_core.checks import Quote
from tests.checks.pages import outcome, stated

BASE = {"eq-s": r"x, y \in \mathbb R", "eq-h": "x > 0"}


def test_an_assumption_is_needed_or_refused(tmp_path):
    code = 'ch.setting("eq-s")\nch.assume("eq-h", fails="below zero")\nch.prove("eq-a", assuming=["eq-h"], by="z3")'
    chapter, problems = outcome(tmp_path, {**BASE, "eq-a": r"|x| + y = x + y"}, code)
    assert not problems and chapter["eq-a"].assumes == ("eq-h",)
    _, problems = outcome(tmp_path, {**BASE, "eq-a": r"x + y = y + x"}, code)
    assert "eq-h is not needed here" in problems[0]


def test_an_argument_names_what_it_rests_on(tmp_path):
    displays = {"eq-s": r"x, y > 0", "eq-b": r"x^2 + y^2 \ge 2 x y", "eq-a": r"\frac{x + y}{2} \ge \sqrt{x y}"}
    code = 'ch.setting("eq-s")\nch.prove("eq-b", by="z3")\nch.argue("eq-a", rests=["eq-b"])'
    chapter, problems = outcome(tmp_path, displays, code)
    assert not problems
    assert (chapter["eq-a"].kind, chapter["eq-a"].rests, chapter["eq-a"].detail["points"]) == ("argued", ("eq-b",), 200)
    assert "rests on something" in outcome(tmp_path, displays, code.replace('rests=["eq-b"]', "cases=50"))[1][0]
    false = {**displays, "eq-a": r"\frac{x + y}{2} \ge \frac{x}{1}"}
    assert "fails at" in outcome(tmp_path, false, code)[1][0]


def test_a_trap_and_a_refutation_with_its_words(tmp_path):
    displays = {"eq-s": r"x \in \mathbb R", "eq-a": r"\sqrt{x^2} = x", "eq-b": r"\sqrt{x^2} = |x|"}
    code = 'ch.setting("eq-s")\nch.prove("eq-b")\nch.trap("eq-a", {"x": -3}, sides=(3, -3), corrected="eq-b")'
    chapter, problems = outcome(tmp_path, displays, code)
    assert not problems and chapter["eq-a"].kind == "trap" and not chapter["eq-a"].quotation
    quoted = code.replace(
        'ch.trap("eq-a", {"x": -3}', 'ch.refute("eq-a", {"x": -3}, quote=Quote("大概 x", "perhaps x", "page 3")'
    )
    chapter, problems = outcome(tmp_path, displays, quoted)
    assert not problems
    assert chapter.ledger()["statements"][1]["quotation"] == {
        "original": "大概 x",
        "english": "perhaps x",
        "where": "page 3",
    }
    with pytest.raises(ValueError, match="translation"):
        Quote("words", "", "here")


def test_a_definition_bites(tmp_path):
    displays = {"eq-s": r"x, y \in \mathbb R", "eq-g": "g(x) = x^2 + 1", "eq-a": "g(x) - g(y) = (x - y)(x + y)"}
    code = 'ch.setting("eq-s")\nch.define("eq-g")\nch.prove("eq-a")'
    chapter, problems = outcome(tmp_path, displays, code)
    assert not problems
    e = chapter["eq-g"]
    assert e.caught + e.equivalent == e.made and e.caught > 10
    unused = {**displays, "eq-a": "x + y = y + x"}
    assert "no check uses this definition" in " ".join(outcome(tmp_path, unused, code)[1])


def test_a_definition_twice_in_a_section_is_refused(tmp_path):
    displays = {"eq-s": r"x \in \mathbb R", "eq-g": "g(x) = x^2", "eq-h": "g(x) = x + 1", "eq-a": "g(x) = x^2"}
    code = 'ch.setting("eq-s")\nch.define("eq-g", "eq-h")\nch.prove("eq-a")'
    assert "defined by eq-g already" in outcome(tmp_path, displays, code)[1][0]


def test_the_slope_of_a_defined_function(tmp_path):
    displays = {"eq-s": r"a \in \mathbb R", "eq-f": "f(x) = x^2", "eq-a": "f'(a) = 2 a"}
    code = 'ch.setting("eq-s")\nch.define("eq-f")\nch.prove("eq-a")'
    assert not outcome(tmp_path, displays, code)[1]
    assert "fails at" in outcome(tmp_path, {**displays, "eq-a": "f'(a) = 3 a"}, code)[1][0]


def test_a_hypothesis_that_nothing_needs_is_named(tmp_path):
    chapter, problems = stated(tmp_path, r"x > 0, \quad y > 0", r"\sqrt{x^2} + y = y + x")
    assert not problems
    e = chapter["eq-s"]
    assert e.idle == ["y"]
    assert (e.made, e.caught, e.equivalent) == (18, 16, 0)  # y < 0 and y > 1: unnoticed, not equivalent
    sign = next(x for x in e.examples if x["kind"] == "> replaced by <")
    assert "eq-a fails at x = -" in sign["how"]


def test_only_labels_that_are_asked_for(tmp_path):
    from spaces_core.checks.runner import check_file
    from tests.checks.pages import write

    displays = {"eq-s": r"x \in \mathbb R", "eq-a": "x + x = 2 x", "eq-b": "x = x + 1"}
    path = write(tmp_path, displays, 'ch.setting("eq-s")\nch.prove("eq-a")\nch.prove("eq-b")')
    assert check_file(path)[1] and not check_file(path, only={"eq-a"})[1]


def test_a_name_that_two_sections_use_is_said_again_where_it_is_used(tmp_path):
    from spaces_core.checks.runner import check_file

    def page(third, display):
        text = (
            "# A page\n\n## One\n\n$$ m \\in \\mathbb N $$ (eq-one)\n\n$$ m \\ge 1 $$ (eq-first)\n\n## Two\n\n"
            "$$ m \\in \\mathbb R, x \\in \\mathbb R $$ (eq-two)\n\n$$ m x = x m $$ (eq-second)\n\n## Three\n\n"
            f"{third}$$ {display} $$ (eq-third)\n\n```{{code-cell}} python\n:tags: [check]\n"
            "from spaces_core.checks import Chapter\nch = Chapter('a/b')\nch.setting('eq-one', 'eq-two'"
            + (", 'eq-three'" if third else "")
            + ")\nch.prove('eq-first', by='z3', pins=[({'m': 3}, (3, 1))])\nch.prove('eq-second')\n"
            "ch.prove('eq-third')\nch.report()\n```\n"
        )
        path = tmp_path / "page.md"
        path.write_text(text)
        return check_file(path)[1]

    assert not page("", "2 x = x + x")
    assert "two meanings here, by eq-one and eq-two" in page("", "2 m = m + m")[0]
    assert not page("$$ m \\in \\mathbb Z $$ (eq-three)\n\n", "2 m = m + m")


@pytest.mark.parametrize("one, two", [("## One", "## Two"), ("## One", "### Inside")])
def test_a_relation_does_not_bind_a_name_that_another_section_declares_anew(one, two, tmp_path):
    from spaces_core.checks.runner import check_file

    def problems(again):
        path = tmp_path / "page.md"
        path.write_text(
            f"# A page\n\n{one}\n\n$$ n, d \\in \\mathbb N, \\quad n \\le d $$ (eq-one)\n\n{two}\n\n"
            f"$$ {again} $$ (eq-two)\n\n$$ n t \\le d t $$ (eq-a)\n\n```{{code-cell}} python\n:tags: [check]\n"
            "from spaces_core.checks import Chapter\nch = Chapter('a/b')\nch.setting('eq-one', 'eq-two')\n"
            "ch.prove('eq-a', by='z3', tight={'n': 2, 'd': 2, 't': 3})\nch.report()\n```\n"
        )
        return check_file(path)[1]

    assert not problems("t > 0")
    assert "eq-a: fails at" in problems(r"n \in \mathbb N, \quad t > 0")[0]


def test_a_theorem_on_functions_is_tried_on_instances(tmp_path):
    displays = {
        "eq-s": r"f : \mathbb R \to \mathbb R, \quad c, x, y \in \mathbb R",
        "eq-h": "f(x + y) = f(x) + f(y)",
        "eq-a": "f(x) = c x",
    }
    code = """
    ch.setting("eq-s")
    ch.assume("eq-h", fails="for squares")
    line = lambda seed: (lambda c: {"c": c, "f": lambda x: c * x})(mpmath.mpf(seed % 5 + 1) / 3)
    ch.argue("eq-a", rests=["eq-h"], assuming=["eq-h"], instances=line, cases=20)
    """
    chapter, problems = outcome(tmp_path, displays, code)
    assert not problems and chapter["eq-a"].detail["points"] == 20
    wrong = code.replace("lambda x: c * x", "lambda x: c * x * x")
    assert "an instance breaks eq-h" in outcome(tmp_path, displays, wrong)[1][0]
    assert "fails at" in outcome(tmp_path, {**displays, "eq-a": "f(x) = 2 c x"}, code)[1][0]
