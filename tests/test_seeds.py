"""The checks of a chapter pass with other seeds than the recorded one."""

import os
import subprocess
import sys

import pytest

from spaces_core.record import CHAPTERS, ROOT, chapter_names


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", chapter_names())
def test_checks_pass_with_another_seed(name, seed):
    command = [sys.executable, "-m", "spaces_core.checks", str(CHAPTERS / f"{name}.md"), "--seed", str(seed)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "SPACES_SEED": str(seed)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=900)
    assert done.returncode == 0, done.stderr or done.stdout
