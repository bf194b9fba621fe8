"""A lab belongs to a living process, or is kept, or may be swept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from model.errors import BadInput
from provisioning.embedded import ownership
from provisioning.embedded.ownership import Ownership, is_kept, is_owned

DIES = """
import os, sys
from pathlib import Path
from provisioning import places
from provisioning.embedded.ownership import Ownership, is_owned
places.labs = lambda: Path(sys.argv[1])
claim = Ownership.claim(places.labs() / "a")
print(is_owned(places.labs() / "a"), flush=True)
sys.stdin.read()
os._exit(9)
"""


def test_a_claim_makes_the_folder_and_holds_it(labs: Path) -> None:
    owned = Ownership.claim(labs / "a")
    assert is_owned(labs / "a")
    assert is_owned(labs / "a"), "looking does not take it away"
    assert not is_kept(labs / "a")
    owned.release(keep=False)
    assert not is_owned(labs / "a")


def test_a_lab_that_is_kept_is_kept(labs: Path) -> None:
    Ownership.claim(labs / "a").release(keep=True)
    assert (is_kept(labs / "a"), is_owned(labs / "a")) == (True, False)


def test_what_is_not_there_belongs_to_nobody(labs: Path) -> None:
    assert not is_owned(labs / "a")
    (labs / "a").mkdir(parents=True)
    assert not is_owned(labs / "a"), "a folder without a lock was left by somebody who died"


@pytest.mark.parametrize(
    ("keep", "told"), [(None, "'a' is up; take another name"), (True, "'a' is up"), (False, "'a' was left by a run that died .*sweep")]
)
def test_a_name_that_is_taken_is_refused_with_the_reason(labs: Path, keep: bool | None, told: str) -> None:
    owned = Ownership.claim(labs / "a")
    if keep is not None:
        owned.release(keep=keep)
    with pytest.raises(BadInput, match=told):
        Ownership.claim(labs / "a")
    if keep is None:
        assert is_owned(labs / "a"), "a refusal leaves the owner alone"
        owned.release(keep=False)


def test_a_claim_ends_with_the_process_that_made_it(labs: Path) -> None:
    labs.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", DIES, str(labs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "True\n"
        assert is_owned(labs / "a"), "held by another process"
        process.stdin.close()
        assert process.wait(10) == 9
    assert not is_owned(labs / "a")
    assert not is_kept(labs / "a")


def test_a_claim_does_not_outlive_its_process_in_a_child(labs: Path) -> None:
    owned = Ownership.claim(labs / "a")
    with subprocess.Popen([sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"], stdin=-1, stdout=-1) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        owned.release(keep=False)
        assert not is_owned(labs / "a"), "a container that goes on must not look like the run that made it"
        child.communicate(b"")


def test_the_registry_is_one_at_a_time(labs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "REGISTRY_SECONDS", 0)
    with ownership.registry(), pytest.raises(TimeoutError), ownership.registry():
        pass
    assert not any(labs.iterdir()), "the lock stands beside the labs, or it would look like one"
