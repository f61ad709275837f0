r"""Exercises that look at the reader's answer and say what is wrong with it.

A chapter asks in three cells. The reader works in the first; the last is tagged `solution` and `hide-cell`:

```python
def check_1(power):                       # True when right; a sentence saying what is wrong otherwise
    return power > 0 or "a negative power turns the order of the probabilities round"

answer = ...
exercise("1", answer, check_1)
```
```python
solution("1", 2.0, check_1, wrong=[-1.0])
```
"""

from collections.abc import Callable, Iterable
from typing import Any


def exercise(name: str, answer: Any, check: Callable[[Any], bool | str | None]) -> None:
    r"""Print what the check says of the reader's answer; never stops the notebook.

    Args:
        name: number or name of the exercise, as printed above it.
        answer: the reader's answer: anything; `...` while there is none.
        check: called with the answer. Returns True (or nothing) when it is right, False or a sentence saying what is
            wrong when it is not. An exception, an `assert` with a message included, counts as wrong.

    >>> def check(x):
    ...     return x * x == 4 or f"the square of {x} is {x * x}, not 4"
    >>> exercise("1", ..., check)
    Exercise 1: not answered yet
    >>> exercise("1", 3, check)
    Exercise 1: not yet right: the square of 3 is 9, not 4
    >>> exercise("1", -2, check)
    Exercise 1: right
    """
    if answer is ...:
        print(f"Exercise {name}: not answered yet")
        return
    fault = _fault(answer, check)
    print(f"Exercise {name}: not yet right: {fault}" if fault else f"Exercise {name}: right")


def solution(name: str, answer: Any, check: Callable[[Any], bool | str | None], wrong: Iterable[Any]) -> None:
    r"""Hold the chapter's own solution to the reader's check, and the check to answers known to be wrong.

    Args:
        name, answer, check: as in `exercise`.
        wrong: at least one plausible wrong answer; the check must refuse each.

    Raises:
        AssertionError: the check refuses the solution, or accepts a wrong answer.
        ValueError: `wrong` is empty or `answer` is `...`.

    >>> solution("1", 2, lambda x: x * x == 4, wrong=[4, 16])
    Exercise 1: the solution is right, and 2 wrong answers are refused
    >>> solution("1", 2, lambda x: True, wrong=[4])
    Traceback (most recent call last):
    AssertionError: Exercise 1: the check accepts the wrong answer 4
    """
    wrong = list(wrong)
    if not wrong or answer is ...:
        raise ValueError(f"Exercise {name}: give an answer, and at least one wrong answer that its check must refuse")
    fault = _fault(answer, check)
    if fault:
        raise AssertionError(f"Exercise {name}: the check refuses the solution: {fault}")
    for bad in wrong:
        if not _fault(bad, check):
            raise AssertionError(f"Exercise {name}: the check accepts the wrong answer {bad!r}")
    count = f"{len(wrong)} wrong answer{'s are' if len(wrong) > 1 else ' is'} refused"
    print(f"Exercise {name}: the solution is right, and {count}")


def _fault(answer: Any, check: Callable[[Any], bool | str | None]) -> str:
    """What is wrong with an answer; empty when nothing is."""
    try:
        verdict = check(answer)
    except AssertionError as error:
        return str(error) or "a condition of the exercise fails"
    except Exception as error:
        return f"the check could not use it ({type(error).__name__}: {error})"
    if isinstance(verdict, str):
        return verdict
    return "" if verdict is None or bool(verdict) else "the condition that the exercise states does not hold"
