"""The project holds together: one list of dependencies, one way to set up, an index that knows its chapters."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml

from spaces_core.lab.record import CHAPTERS, ROOT, chapter_names

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = set(PROJECT["project"]["optional-dependencies"])


def normal(name):
    return re.split(r"[\s<>=!~\[;]", name)[0].lower().replace("_", "-")


def test_environment_yml_names_nothing_but_the_project():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, inside = environment["dependencies"]
    assert python == f"python={PROJECT['project']['requires-python'].removeprefix('>=')}"
    assert pip == "pip"
    constraints, project = inside["pip"]
    assert constraints == "-c constraints.txt"
    assert set(re.fullmatch(r"-e \.\[(.*)\]", project)[1].split(",")) == EXTRAS


def test_make_installs_every_extra_with_the_constraints():
    makefile = (ROOT / "Makefile").read_text()
    assert set(re.search(r"^EXTRAS := (.*)$", makefile, re.M)[1].split(",")) == EXTRAS
    assert "-c constraints.txt -e '.[$(EXTRAS)]'" in makefile


def test_every_dependency_is_pinned():
    pinned = {normal(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    assert not {normal(d) for group in groups for d in group} - pinned
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text()


def test_the_index_lists_the_chapters_that_exist_and_no_others():
    linked = re.findall(r"\]\(([\w-]+/[\w-]+)\.md\)", (CHAPTERS / "index.md").read_text())
    assert sorted(set(linked)) == chapter_names()


def test_the_readme_names_commands_and_files_that_exist():
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake (lab|test|book|check|record|bench|\w+)\b", readme)) - {"are"} <= targets
    for path in re.findall(r"\]\(((?!https?:)[^)#]+)\)", readme):
        assert (ROOT / path).exists(), path


def test_ci_stops_at_the_first_failure_and_runs_what_the_readme_says():
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert re.findall(r"^make (\w+)$", script, re.M) == ["book", "test"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_jupyterlab_keeps_its_token_and_opens_chapters_as_notebooks():
    share = ROOT / "share" / "jupyter"
    server = json.loads((share / "jupyter_lab_config.json").read_text())
    assert server["LabApp"] == {"default_url": "/lab/tree/chapters/index.md"}
    assert set(server) == {"LabApp", "NotebookNotary"}
    defaults = json.loads((share / "labconfig" / "default_setting_overrides.json").read_text())
    assert defaults["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]["markdown"] == "Jupytext Notebook"
    assert "token" not in (ROOT / "Makefile").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `pip install .` builds."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, text=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_methods_and_checks_and_nothing_of_the_book(wheel):
    names = [n for n in wheel.namelist() if ".dist-info/" not in n]
    folders = {n.split("/")[1] for n in names if n.count("/") > 1}
    assert {n.split("/")[0] for n in names} == {"spaces_core"}, "nothing is written into a user's Jupyter"
    assert folders == {name.split("/")[0] for name in chapter_names()} | {"checks"}
    assert sum(wheel.getinfo(n).compress_size for n in names) < 250_000


def test_the_wheel_needs_no_more_than_the_methods_do(wheel):
    (metadata,) = (n for n in wheel.namelist() if n.endswith("/METADATA"))
    needed = re.findall(r"^Requires-Dist: (.*)$", wheel.read(metadata).decode(), re.M)
    assert {normal(n) for n in needed if "extra ==" not in n} == {
        "jaxtyping", "numpy", "scikit-learn", "scipy", "torch",
    }  # fmt: skip


def test_without_its_extra_the_engine_says_what_to_install():
    code = "import sys; sys.modules['lark'] = None; import spaces_core.checks"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("pip install 'spaces-core[checks]'")


def imported(statement):
    """Modules loaded by a statement in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import spaces_core", {"torch", "matplotlib", "IPython", "scipy"}),
        ("import spaces_core.checks", {"torch", "matplotlib", "IPython"}),
        ("import spaces_core.lab.plotting", {"torch", "matplotlib", "IPython"}),
        ("import spaces_core.lab.exercises", {"torch", "matplotlib", "IPython"}),
    ],
)
def test_importing_is_light(statement, heavy):
    assert not imported(statement) & heavy
