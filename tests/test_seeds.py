"""The checks of a chapter pass with other seeds than the recorded one."""

import os
import subprocess
import sys

import pytest

from spaces_core.lab.record import CHAPTERS, ROOT, chapter_names


class OtherSeed:
    """A class for each seed, because parallel workers take whole classes."""

    seed: int

    @pytest.mark.parametrize("name", chapter_names())
    def test_checks_pass(self, name):
        command = [sys.executable, "-m", "spaces_core.checks", str(CHAPTERS / f"{name}.md"), "--seed", str(self.seed)]
        env = {**os.environ, "OMP_NUM_THREADS": "1", "SPACES_SEED": str(self.seed)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=900)
        assert done.returncode == 0, done.stderr or done.stdout


class TestSeedOne(OtherSeed):
    seed = 1


class TestSeedTwo(OtherSeed):
    seed = 2
