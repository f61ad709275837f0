r"""Exercises whose answer is a formula: the reader types LaTeX, and the engine that checks the book reads it.

```python
check_2 = formula(r"B > 1", r"\frac{\log 2}{\log B}", {r"\log 2": "that is the fall of the logarithm alone"})
answer = ...  # LaTeX
exercise("2", answer, check_2)
```
"""

import re
from collections.abc import Callable, Mapping

from spaces_core.checks.recheck import recheck

LABEL, ASKED = "eq-answer", r"\mathcal{A}"
PAGE = r"""# An exercise

$$ {setting} $$ (eq-setting)

$$ \mathcal{{A}} = {expected} $$ (eq-expected)

$$ \mathcal{{A}} = {expected} $$ (eq-answer)

```{{code-cell}} ipython3
:tags: [check]

from spaces_core.checks import Chapter

ch = Chapter("lab/exercise")
ch.setting("eq-setting")
ch.define("eq-expected")
ch.prove("eq-answer")
```
"""


def formula(setting: str, expected: str, mistakes: Mapping[str, str] | None = None) -> Callable[[str], bool | str]:
    r"""A check, for `exercise` and `solution`, of an answer that is a formula in LaTeX.

    Any way of writing the same function of the declared names is right: the engine proves it equal to what is
    expected, or at least finds no point of the setting where they differ.

    Args:
        setting: the names and their ranges in LaTeX, as in a display of the book.
        expected: the right formula.
        mistakes: wrong formulas that readers write, each with the sentence that helps.

    Returns:
        a function of the answer: True, or a sentence that says where it differs or cannot be read.

    Raises:
        ValueError: the engine cannot read the setting or the expected formula, or a mistake is no mistake.

    >>> check = formula(r"x, y \in \mathbb R", "x^2 - y^2", {"(x - y)^2": "the middle terms do not cancel there"})
    >>> check("(x + y)(x - y)")
    True
    >>> check("x^2 - 2 x y + y^2")
    'the middle terms do not cancel there'
    >>> check("x - y").split(",")[-1]
    ' and the right formula gives -47.2792'
    >>> check("x^2 - z")
    'it cannot be read: the exercise does not say what z is'
    >>> check(4)
    'write a formula in LaTeX, as a string'
    """
    known = {text: _page(setting, text) for text in (expected, *(mistakes or {}))}
    for text, page in known.items():
        found = _compared(page, expected)
        if found["state"] == "unreadable" or found["ok"] != (text == expected):
            what = "is no mistake" if found["ok"] else "cannot be used"
            raise ValueError(f"the formula {text!r} {what}: {found['message']}")

    def check(answer: str) -> bool | str:
        if not isinstance(answer, str):
            return "write a formula in LaTeX, as a string"
        if not answer.strip():
            return "it is empty"
        if "=" in re.sub(r"\{[^{}]*\}", "", answer):
            return "give the formula alone, without an equals sign"
        found = _compared(known[expected], answer)
        if found["ok"]:
            return True
        for wrong, sentence in (mistakes or {}).items():
            if _compared(known[wrong], answer)["ok"]:
                return sentence
        return _difference(found)

    return check


def _page(setting: str, right: str) -> str:
    return PAGE.format(setting=setting, expected=right)


def _compared(page: str, answer: str) -> dict:
    return recheck(page, LABEL, f"{answer} = {ASKED}")


def _difference(found: dict) -> str:
    if found["state"] == "unreadable":
        said = found["message"].replace("this page does", "the exercise does")
        return "it cannot be read: " + re.sub(r"\s*=(\\mathcal[{A}]*)?\)$", ")", said)
    if "point" not in found:
        return f"it is not equal to what is asked: {found['message']}"
    where = ", ".join(f"{name} = {value}" for name, value in found["point"])
    return f"at {where} it is {found['left']}, and the right formula gives {found['right']}"
