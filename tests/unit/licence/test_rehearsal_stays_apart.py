"""What is under another licence stays in one folder: it says so, and nobody outside leans on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
APART = ROOT / "tests/rehearsal"
FOLDERS = ("model", "provisioning", "probes", "faults", "fixtures", "steps", "reports", "tests", "benchmarks", "conftest.py")
MARK = "# SPDX-License-Identifier: AGPL-3.0-or-later\n"


def imported(path: Path) -> Iterator[str]:
    """Names of all modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def sources() -> Iterator[Path]:
    for name in FOLDERS:
        place = ROOT / name
        yield from [place] if place.is_file() else place.rglob("*.py")


def test_nobody_outside_imports_it_or_what_it_subclasses() -> None:
    outside = [path for path in sources() if APART not in path.parents]
    assert len(outside) > 300
    leaning = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in outside
        for name in imported(path)
        if name.split(".")[0] == "fakepve" or name == "tests.rehearsal" or name.startswith("tests.rehearsal.")
    }
    assert leaning == set()


def test_it_is_found_where_somebody_does(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("from tests import rehearsal\nimport fakepve.qemu\n")
    assert {"tests.rehearsal", "fakepve.qemu"} <= set(imported(planted))


@pytest.mark.parametrize("path", sorted(APART.glob("*.py")), ids=lambda path: path.name)
def test_each_of_its_files_names_its_licence(path: Path) -> None:
    assert path.read_text().startswith(MARK)


def test_the_folder_has_its_licence_and_says_so() -> None:
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in (APART / "LICENSE").read_text()
    assert "Affero General Public License 3.0 or later](LICENSE)" in (APART / "README.md").read_text()
