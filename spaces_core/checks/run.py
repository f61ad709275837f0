"""How checks are run: an object that the runner makes, and that a chapter takes with it."""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from .page import Page, read_page

_ACTIVE: ContextVar[Run | None] = ContextVar("run", default=None)


@dataclass
class Run:
    """One run of a page's check cells.

    Args:
        file: the page; where None, a chapter is found by its name.
        page: what to read instead of the file, such as an edited copy.
        seed: of random cases and experiments.
        collect: whether failures are collected; otherwise the first is raised.
        only: labels to check; all where empty.
        judge: `judge(evidence, check, tree, context)` takes the place of a test and its teeth.

    In `with Run(...) as run:` every `Chapter` that is opened belongs to it.
    """

    file: Path | None = None
    page: Page | None = None
    seed: int | None = None
    collect: bool = False
    only: frozenset = frozenset()
    judge: object = None
    chapters: list = field(default_factory=list)
    _token: object = None

    def __enter__(self) -> Run:
        self._token = _ACTIVE.set(self)
        return self

    def __exit__(self, *_) -> None:
        _ACTIVE.reset(self._token)

    def skips(self, label: str) -> bool:
        return bool(self.only) and label not in self.only

    def read(self, path: str) -> Page:
        return self.page or read_page(self.file or _find(path))

    def first_seed(self) -> int:
        return self.seed if self.seed is not None else int(os.environ.get("SPACES_SEED", "0"))


def active() -> Run:
    """The run that is entered, or one of a notebook: failures are raised, badges are shown."""
    return _ACTIVE.get() or Run()


def _find(path: str) -> Path:
    given = Path(path)
    if given.suffix == ".md" and given.exists():
        return given
    for folder in [Path.cwd(), *Path.cwd().parents]:
        candidate = folder / "chapters" / f"{path}.md"
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"no chapters/{path}.md at or above {Path.cwd()}")
