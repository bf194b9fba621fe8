"""The OpenTofu module and the environments, by OpenTofu itself: form, types, and what they plan; nothing is asked of a cluster."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from model.topology import topology
from provisioning import toolchain
from provisioning.proxmox.mirror import make_mirror

SOURCES = Path(__file__).parents[2] / "provisioning/opentofu"
FOLDERS = ("modules/basic-vm", "environments/dev", "environments/prod")
TOPOLOGIES = {"environments/dev": "single", "environments/prod": "production"}


@pytest.fixture(scope="module")
def tofu() -> Path:
    return toolchain.find(toolchain.TOFU).path


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, tofu: Path) -> Path:
    """A copy that may be written, beside a mirror of the provider."""
    folder = tmp_path_factory.mktemp("opentofu")
    make_mirror(folder, tofu, toolchain.find(toolchain.PROVIDER))
    shutil.copytree(SOURCES, folder / "sources", ignore=shutil.ignore_patterns(".terraform*"))
    return folder / "sources"


def run(tofu: Path, sources: Path, folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(sources.parent / "tofu.rc"), "TF_CLI_ARGS": "", "CHECKPOINT_DISABLE": "1"}
    command = [str(tofu), f"-chdir={sources / folder}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)


def test_everything_has_the_canonical_form(tofu: Path, sources: Path) -> None:
    done = run(tofu, sources, ".", "fmt", "-check", "-recursive", "-diff")
    assert done.returncode == 0, f"run `tofu fmt -recursive provisioning/opentofu`:\n{done.stdout}"


@pytest.mark.parametrize("folder", [pytest.param(each, marks=() if "prod" in each else pytest.mark.proof) for each in FOLDERS])
def test_it_is_valid_and_plans_what_it_promises(tofu: Path, sources: Path, folder: str) -> None:
    for words in (("init", "-input=false", "-no-color"), ("validate", "-no-color"), ("test", "-no-color")):
        done = run(tofu, sources, folder, *words)
        assert done.returncode == 0, f"tofu {words[0]} in {folder}:\n{done.stdout}{done.stderr}"
    passed = re.search(r"Success! (\d+) passed, 0 failed", done.stdout)
    written = sum(len(re.findall(r"^run \"", file.read_text(), re.MULTILINE)) for file in (SOURCES / folder / "tests").glob("*.hcl"))
    assert passed is not None
    assert int(passed[1]) == written > 0


@pytest.mark.parametrize("folder", TOPOLOGIES)
def test_environments_and_topologies_know_the_same_machines(folder: str) -> None:
    planned = (SOURCES / folder / "tests").glob("*.hcl")
    text = "".join(file.read_text() for file in planned)
    said = dict(re.findall(r"(\w+\d\d)\s*= \"(10\.1\.0\.\d+)\"", text))
    assert said == {machine.name: machine.address for machine in topology(TOPOLOGIES[folder]).machines}


@pytest.mark.parametrize("name", ["variables.tf", "outputs.tf", "main.tf", "runners.tf"])
def test_what_environments_share_is_equal(name: str) -> None:
    assert filecmp.cmp(SOURCES / "environments/dev" / name, SOURCES / "environments/prod" / name, shallow=False)
