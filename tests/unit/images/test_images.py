"""The image is found by its ingredients, made whole or not at all, and says what went wrong. mmdebstrap is a script here."""

from __future__ import annotations

import dataclasses
import os
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from model.errors import HostUnfit, ToolMissing
from provisioning.images import RECIPE, WITH_MOTO, build, ensure, find
from provisioning.images.recipe import HOOK
from provisioning.progress import Progress, Step

GOOD = 'for last; do :; done; mkdir -p "$last/etc"; echo "$NAMESPACES $@" > "$last/etc/made-by"; echo "I: success in 1 seconds"'


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of images in an empty cache; root as far as the code asks."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(build, "APART", ("env", "NAMESPACES=own"))
    return tmp_path / "cache" / "tofu-ha-acceptance" / "images"


def mmdebstrap(tmp_path: Path, script: str) -> None:
    (tmp_path / "mmdebstrap").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "mmdebstrap").chmod(0o755)


def quiet() -> Progress:
    return Progress(Console(file=StringIO()))


def left(images: Path) -> set[str]:
    return {path.name for path in images.iterdir()} - {".lock"}


def test_the_digest_follows_every_ingredient(tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text(HOOK.read_text() + "true\n")
    others = [
        dataclasses.replace(RECIPE, suite="trixie"),
        dataclasses.replace(RECIPE, variant="apt"),
        dataclasses.replace(RECIPE, packages=(*RECIPE.packages, "vim")),
        dataclasses.replace(RECIPE, hook=hook),
        dataclasses.replace(RECIPE, wheels=hook),
    ]
    assert len({recipe.digest for recipe in (RECIPE, *others)}) == 6
    assert dataclasses.replace(RECIPE, packages=RECIPE.packages[::-1]).digest == RECIPE.digest


def test_an_image_that_is_not_there_names_the_one_command(images: Path) -> None:
    with pytest.raises(ToolMissing, match=r"run `make setup` once"):
        find()
    with pytest.raises(ToolMissing, match=r"run `python -m provisioning setup --with other-stores` once"):
        find(WITH_MOTO)
    assert not images.exists()


def test_it_is_made_once_and_then_found(images: Path, tmp_path: Path) -> None:
    mmdebstrap(tmp_path, GOOD)
    made = ensure(quiet())
    assert made == find() == images / RECIPE.digest / "rootfs"
    assert (made / "etc" / "made-by").read_text().startswith("own --verbose --mode=root")
    assert "--include=systemd," in (made / "etc" / "made-by").read_text()
    mmdebstrap(tmp_path, "exit 1")
    assert ensure(quiet()) == made
    assert left(images) == {RECIPE.digest}


def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (tmp_path / "python").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))


def test_what_debian_does_not_ship_is_added_from_pinned_wheels(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mmdebstrap(tmp_path, GOOD)
    pip(tmp_path, monkeypatch, 'while [ "$1" != --target ]; do shift; done; mkdir -p "$2"; cp "$4" "$2/wanted"')
    made = ensure(quiet(), WITH_MOTO)
    assert WITH_MOTO.wheels is not None
    assert (made / "usr/lib/python3/dist-packages/wanted").read_text() == WITH_MOTO.wheels.read_text()
    assert "python3-flask" in (made / "etc" / "made-by").read_text()
    assert left(images) == {WITH_MOTO.digest}, "it is an image of its own: that of everybody does not grow"


def test_an_image_without_its_wheels_is_none(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mmdebstrap(tmp_path, GOOD)
    pip(tmp_path, monkeypatch, "echo THESE PACKAGES DO NOT MATCH THE HASHES; exit 1")
    with pytest.raises(ToolMissing, match=r"failed while installing moto\.txt(.|\n)*DO NOT MATCH"):
        ensure(quiet(), WITH_MOTO)
    assert left(images) == set()


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (
            "echo 'I: downloading packages with apt...'; echo 'E: Failed to fetch x'; exit 25",
            ToolMissing,
            r"downloading packages with apt\. .*resumes",
        ),
        (
            "echo 'I: extracting archives...'; echo 'dpkg: No space left on device'; exit 25",
            HostUnfit,
            r"0\.8 GB needed at .*, .* GB available",
        ),
        (
            "echo 'I: installing essential packages...'; echo oops; exit 25",
            ToolMissing,
            r"failed while installing essential packages(.|\n)*oops",
        ),
    ],
)
def test_a_failure_says_which_step_and_leaves_nothing(
    images: Path, tmp_path: Path, script: str, error: type[Exception], words: str
) -> None:
    mmdebstrap(tmp_path, f'for last; do :; done; mkdir -p "$last/etc"; {script}')
    with pytest.raises(error, match=words):
        ensure(quiet())
    assert left(images) == set()


def test_a_full_disk_is_seen_before_the_mirror_is_asked(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mmdebstrap(tmp_path, "touch /never")
    monkeypatch.setattr(build, "NEEDED_BYTES", 10**18)
    with pytest.raises(
        HostUnfit, match=r"no room for the machine image: 1000000000\.0 GB needed at .*images, .* GB available; nothing half-made"
    ):
        ensure(quiet())
    assert left(images) == set()


def test_what_a_killed_set_up_left_is_removed_by_the_next(images: Path, tmp_path: Path) -> None:
    (images / ".partial-1" / "rootfs" / "etc").mkdir(parents=True)
    mmdebstrap(tmp_path, GOOD)
    ensure(quiet())
    assert left(images) == {RECIPE.digest}


@pytest.mark.usefixtures("images")
def test_without_root_one_line_says_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostUnfit, match=r"needs root; an existing lab .* needs neither"):
        ensure(quiet())


def test_progress_counts_packages_fetched_and_set_up(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = (
        "I: downloading packages with apt...\n"
        "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.\n"
        "Get:1 mirror/debian bookworm InRelease [151 kB]\n"
        "Get:1 mirror/debian bookworm/main amd64 socat amd64 1.7.4 [375 kB]\n"
        "Setting up socat (1.7.4) ...\n"
    )
    (tmp_path / "said").write_text(said)
    mmdebstrap(tmp_path, f"cat {tmp_path}/said; {GOOD}")
    seen: list[tuple[int, int | None]] = []
    report = Step.report

    def spy(self: Step, done: int | None = None, total: int | None = None, note: str | None = None) -> None:
        report(self, done, total, note)
        seen.append((self.done, self.total))

    monkeypatch.setattr(Step, "report", spy)
    ensure(quiet())
    assert (2, 4) in seen
    assert max(done for done, _ in seen) == 2
    assert images.exists()
