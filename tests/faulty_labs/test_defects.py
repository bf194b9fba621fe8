"""Every planted defect is found by the right check, which fails (and is not merely inconclusive) and says what is wrong where.

`make test` plants a sample of them, `make prove` and `make full` all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faulty_labs.defects import DEFECTS
from tests.faulty_labs.defects.defect import Defect
from tests.faulty_labs.proof import prove

CASES = [pytest.param(each, id=each.name, marks=() if each.sampled else pytest.mark.proof) for each in DEFECTS]


@pytest.mark.parametrize("defect", CASES)
def test_defect(defect: Defect, tmp_path: Path) -> None:
    """One lab, one run, all its symptoms."""
    proof = prove(defect, tmp_path)
    assert not proof.problems, "\n".join([*proof.problems, (tmp_path / "output").read_text(errors="replace")])
