"""Sources are fetched while something else is made, and forgotten when nobody needs them any more. Go is a script here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from model.errors import HostUnfit
from model.waiting import wait_until
from provisioning.toolchain import MC, MINIO, TOFU, lookup, sources
from tests.unit.toolchain.quiet import quiet

Fake = Callable[[Path, str], Path]
ROOT = Path(__file__).parents[3]
SOON = timedelta(seconds=20)
GO = """
case $1 in
env) echo go1.26.7;;
list) echo $$ > "$FETCHERS/$(basename "$PWD")"; exec sleep 60;;
esac
"""


@pytest.fixture
def fetchers(tmp_path: Path, on_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Go, which fetches for a long time, says as which process it does so: one file for each program."""
    monkeypatch.setenv("FETCHERS", str(tmp_path / "fetchers"))
    (tmp_path / "fetchers").mkdir()
    fake(on_path / "go", GO)
    return tmp_path / "fetchers"


def names(fetchers: Path) -> set[str]:
    return {path.name for path in fetchers.iterdir() if path.read_text()}


def test_what_is_missing_is_fetched_while_the_block_runs_and_not_longer(fetchers: Path, fake: Fake) -> None:
    fake(lookup.cached(MC), "echo mc version DEVELOPMENT.GOGET")
    progress, text = quiet()
    with sources.ahead((MINIO, TOFU, MC), progress):
        wait_until(lambda: names(fetchers), lambda seen: len(seen) == 2, what="both are fetched", within=SOON)
    assert names(fetchers) == {MINIO.folder.name, TOFU.folder.name}
    assert "fetching the sources of MinIO, OpenTofu in the background" in text.getvalue()
    for path in fetchers.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text()), 0)


KILLED = """
import time
from provisioning.progress import Progress
from provisioning.toolchain import MINIO, sources
with sources.ahead((MINIO,), Progress()):
    time.sleep(60)
"""


def test_nobody_fetches_for_a_set_up_that_was_killed(fetchers: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: names(fetchers), bool, what="sources are fetched", within=SOON)
        process.kill()
    fetcher = Path("/proc") / (fetchers / MINIO.folder.name).read_text().strip()
    wait_until(fetcher.exists, lambda there: not there, what="the fetcher ended too", within=SOON)


def test_nothing_is_fetched_where_everything_is_there(fetchers: Path, fake: Fake) -> None:
    fake(lookup.cached(MC), "echo mc version DEVELOPMENT.GOGET")
    progress, text = quiet()
    with sources.ahead((MC,), progress):
        pass
    assert (text.getvalue(), names(fetchers)) == ("", set())


def test_where_another_set_up_fetches_ours_goes_on_without(fetchers: Path, cache: Path) -> None:
    (cache / "tools").mkdir(parents=True)
    with FileLock(cache / "tools" / ".sources.lock"), sources.ahead((MINIO,), quiet()[0]):
        pass
    assert names(fetchers) == set()


def test_a_full_disk_is_seen_before_anything_is_fetched(fetchers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "NEEDED_BYTES", 10**18)
    with pytest.raises(HostUnfit, match="no room for MinIO"), sources.ahead((MINIO,), quiet()[0]):
        pass
    assert names(fetchers) == set()


def test_a_fetch_that_fails_is_told_by_whoever_needs_it(fetchers: Path, on_path: Path, fake: Fake) -> None:
    fake(on_path / "go", "case $1 in env) echo go1.26.7;; list) exit 1;; esac")
    with sources.ahead((MINIO,), quiet()[0]):
        pass


def test_sources_are_forgotten_once_every_program_is_there(cache: Path, fake: Fake) -> None:
    (cache / "go" / "modules" / "example.com" / "deep").mkdir(parents=True)
    (cache / "go" / "modules" / "example.com" / "file").touch()
    fake(lookup.cached(TOFU), "echo OpenTofu v1.12.6")
    sources.forget(quiet()[0])
    assert (cache / "go").exists()
    fake(lookup.cached(MINIO), "echo minio version DEVELOPMENT.GOGET")
    fake(lookup.cached(MC), "echo mc version DEVELOPMENT.GOGET")
    with FileLock(cache / "tools" / ".sources.lock"):
        sources.forget(quiet()[0])
    assert (cache / "go").exists(), "another set-up fetches there"
    sources.forget(quiet()[0])
    assert not (cache / "go").exists()
