"""A folder that cannot be written, a disk that is full, evidence that is binary or huge: said clearly, and no verdict changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.recorder import no_room
from tests.unit.reports.told import Told, check_schema, lines_of
from tests.unit.verdicts.inner import feature, project, run

STEPS = """
import resource, signal

@when("the disk is full")
def full():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, resource.RLIM_INFINITY))

@when("evidence cannot be kept, at length")
def at_length(aftermath):
    @aftermath.evidence
    def collect(folder): raise OSError("x" * 1000)

@when("odd evidence is kept")
def odd(aftermath):
    @aftermath.evidence
    def keep(folder):
        (folder / "picture.png").write_bytes(bytes(range(256)))
        (folder / "empty").touch()
        (folder / "cut.txt").write_text("\\u00e4" * 100)
        (folder / 'a "quoted" <b>&\\U0001f642 \\u05d0.txt').write_text("<script>alert(1)</script> \\U0001f642 \\u05e9\\u05dc\\u05d5\\u05dd")
        with (folder / "huge.pcap").open("wb") as file: file.truncate(100_000_000)
        with (folder / "long.txt").open("w") as file: file.write("line\\n" * 50_000)
"""
TEXT = feature(
    "first|When nothing happens",
    "fills|When the disk is full",
    "keeps nothing|When evidence cannot be kept, at length",
    "warns|When a file is left open",
    "breaks|When nothing happens|Then the promise is broken",
)


def test_a_full_disk_costs_the_record_and_no_verdict(tmp_path: Path) -> None:
    inner = run(project(tmp_path / "p", STEPS, text=TEXT))
    assert inner.code == 1, inner.out
    assert "warning: the record is not whole:" in inner.out
    assert "File too large" in inner.out
    assert "1 failed, 4 passed" in inner.out
    assert not (inner.latest / "run.json").exists()
    assert not (inner.latest / ".run.json").exists()
    assert "warning: junit.xml is left out:" in inner.out
    assert "1 of 3 checks hold" not in inner.out
    assert "failed: V1" in inner.out
    assert "INTERNALERROR" not in inner.out
    assert "dirty" not in inner.out, inner.out
    assert "Traceback" not in inner.out, inner.out


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_folder_that_cannot_be_made_costs_the_record_and_no_verdict(tmp_path: Path, workers: tuple[str, ...]) -> None:
    folder = project(tmp_path / "p", text=feature("first|When nothing happens", "breaks|When nothing happens|Then the promise is broken"))
    (folder / "reports").mkdir()
    (folder / "reports/runs").touch()
    inner = run(folder, "features/", *workers)
    assert inner.code == 1, inner.out
    assert "warning: no record will be kept" in inner.out
    assert "failed: V1" in inner.out
    assert "INTERNALERROR" not in inner.out
    assert "dirty" not in inner.out, inner.out


def test_odd_evidence_lies_beside_the_record(tmp_path: Path) -> None:
    inner = run(project(tmp_path / "p", STEPS, text=feature("keeps|When odd evidence is kept")))
    assert inner.verdicts == {"keeps": "passed"}, inner.out
    files = {Path(entry["path"]).name: entry for entry in inner.scenarios["keeps"]["files"]}
    assert (files["picture.png"]["binary"], files["cut.txt"]["binary"], files["empty"]["binary"]) == (True, False, False)
    assert files["huge.pcap"]["size"] == 100_000_000
    record = inner.latest / "messages.ndjson"
    assert record.stat().st_size < 100_000
    told = Told(lines_of(record))
    check_schema(told.messages)
    links = {each["fileName"]: each["body"] for each in told.by_kind["attachment"] if each["mediaType"] == "text/uri-list"}
    assert set(links) == {"picture.png", "huge.pcap", "long.txt"}
    assert all((inner.latest / link).is_file() for link in links.values())
    bodies = {each.get("fileName"): each["body"] for each in told.by_kind["attachment"]}
    assert bodies['a "quoted" <b>&🙂 א.txt'] == "<script>alert(1)</script> 🙂 שלום"


def test_room_is_asked_for_without_leaving_anything(tmp_path: Path) -> None:
    assert (no_room(tmp_path), list(tmp_path.iterdir())) == ("", [])
    assert no_room(tmp_path / "missing").endswith("No such file or directory")
