"""Books of one or a few small chapters, copied beside the project's own machinery, to be recorded and replayed."""

import json
import os
import shutil
import subprocess
import sys

from spaces_core.lab.record import ROOT

FRONT = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    format_version: 0.13
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---
"""
SQUARE = (
    FRONT
    + r"""
# A square

The square of a sum:

$$
(a + b)^2 = a^2 + 2 a b + b^2
$$ (eq-square)

$$
a, b \in \mathbb R
$$ (eq-numbers)

```{code-cell} ipython3
:tags: [check, hide-cell]

from spaces_core.checks import Chapter

ch = Chapter("part/square")
ch.setting("eq-numbers")
ch.prove("eq-square")
```

```{code-cell} ipython3
import matplotlib.pyplot as plt

from spaces_core.lab.plotting import show

fig, ax = plt.subplots()
line = ax.plot([0, 1], [0, 1])
show(fig, alt="A line.")
```

```{code-cell} ipython3
:tags: [check, hide-cell]

ch.report()
```
"""
)


class Book:
    """A copy of the project that has other chapters, given by name and text."""

    def __init__(self, root, chapters):
        self.root = root
        for name in ("spaces_core", "jupytext.toml", "pyproject.toml"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, root / name)
        for name in ("conftest.py", "browsing.py", "sanitize.cfg", "test_recorded.py"):
            (root / "tests").mkdir(exist_ok=True)
            shutil.copyfile(ROOT / "tests" / name, root / "tests" / name)
        (root / "chapters" / "part").mkdir(parents=True)
        for name, text in chapters.items():
            self.chapter(name).write_text(text)

    def copy(self, root):
        """The same book, recorded as it is, in another place."""
        shutil.copytree(self.root, root)
        twin = Book.__new__(Book)
        twin.root = root
        return twin

    def run(self, *command, **settings):
        """Run Python in the book, under more settings of the environment."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SPACES_", "PYTEST_"))}
        env |= {"PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1", **settings}
        return subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, cwd=self.root, env=env, timeout=300
        )

    def record(self, *arguments):
        return self.run("-m", "spaces_core.lab.record", *arguments)

    def replay(self, **settings):
        return self.run("-m", "pytest", "tests", "-q", "-p", "no:cacheprovider", "--all-chapters", **settings)

    def chapter(self, name="square"):
        return self.root / "chapters" / "part" / f"{name}.md"

    def stored(self, kind, name="square"):
        return self.root / "tests" / "recorded" / "part" / f"{name}{kind}"

    def edit(self, old, new, name="square"):
        text = self.chapter(name).read_text()
        assert old in text
        self.chapter(name).write_text(text.replace(old, new))

    def change(self, kind, change, name="square"):
        """Change a stored file by hand."""
        content = json.loads(self.stored(kind, name).read_text())
        change(content)
        self.stored(kind, name).write_text(json.dumps(content))


def canary(name):
    """A chapter with a proof, an experiment in floating point, a printed number, a text and a figure."""
    return (
        FRONT
        + rf"""
# A canary

$$
(a + b)^2 = a^2 + 2 a b + b^2
$$ (eq-{name}-square)

$$
F < G
$$ (eq-{name}-gain)

$$
a, b \in \mathbb R
$$ (eq-{name}-numbers)

```{{code-cell}} ipython3
:tags: [check, hide-cell]

import torch

from spaces_core.checks import Chapter

ch = Chapter("part/{name}")
ch.setting("eq-{name}-numbers")
ch.prove("eq-{name}-square")

chance = torch.Generator().manual_seed(0)
products = [(x @ x.T).square().mean().sqrt() for x in torch.randn(12, 40, 40, generator=chance)]
few, many = (torch.stack(products[i::2]) for i in range(2))
many = 2 * many
ch.demonstrate("eq-{name}-gain", {{"F": few.tolist(), "G": many.tolist()}}, sides=(few.mean(), many.mean()))
```

```{{code-cell}} ipython3
print("larger by", ch["eq-{name}-gain"].differences[0])
```

```{{code-cell}} ipython3
print("larger for each seed:", bool((few < many).all()))
```

```{{code-cell}} ipython3
import matplotlib.pyplot as plt

from spaces_core.lab.plotting import show

fig, ax = plt.subplots()
line = ax.plot(few)
show(fig, alt="A line.")
```

```{{code-cell}} ipython3
:tags: [check, hide-cell]

ch.report()
```
"""
    )
