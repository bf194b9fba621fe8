"""What a reader sees of measured values."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.host import Host
from benchmarks.results import Row, Table
from benchmarks.tables import markdown, replaced, rewrite
from model.errors import BadInput

HOST = Host(2, "a processor", 16.0, "Debian", "2026-01-02", "abc1234")


def test_a_row_says_median_spread_and_whether_the_target_was_reached() -> None:
    assert Row("boot", (3.0, 1.0, 2.0), target=2).cells() == ["boot", "2.00 s", "1.00–3.00", "3", "≤ 2 s: yes", ""]  # noqa: RUF001 - a range
    assert Row("boot", (30.0, 10.0, 20.0), "ms", target=19.5).cells()[4] == "≤ 19.5 ms: no"


def test_a_row_without_values_says_why() -> None:
    row = Row("containers", note="no engine")
    assert row.cells() == ["containers", "not measured", "", "", "", "no engine"]
    assert row.as_data()["reached"] is None


def test_the_document_keeps_what_was_not_measured(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(
        "<!-- host:begin -->\n<!-- host:end -->\n<!-- lab:begin -->\nold\n<!-- lab:end -->\n<!-- gate:begin -->\nkept\n<!-- gate:end -->\n"
    )
    rewrite(document, [Table("lab", "Labs", [Row("up", (4.0,))])], HOST)
    text = document.read_text()
    assert "old" not in text
    assert "| up | 4.00 s |" in text
    assert "2 cores (a processor), 16 GiB" in text
    assert "<!-- gate:begin -->\nkept\n<!-- gate:end -->" in text


def test_a_document_without_a_place_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("nothing\n")
    with pytest.raises(BadInput, match="lab"):
        rewrite(document, [Table("lab", "Labs", [])], HOST)
    assert document.read_text() == "nothing\n"


def test_a_table_names_the_command_that_measures_it_again() -> None:
    assert "python -m benchmarks gate" in markdown(Table("gate", "Gate", [], ["a remark"]))


def test_text_around_the_markers_stays() -> None:
    assert replaced("a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb", "x", "new \\1") == "a\n<!-- x:begin -->\nnew \\1\n<!-- x:end -->\nb"


def test_every_measurement_has_its_place_in_the_document() -> None:
    from benchmarks.__main__ import DOCUMENT, MEASUREMENTS  # noqa: PLC0415 - a program, not a library

    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("host", *MEASUREMENTS):
        assert f"<!-- {name}:begin -->" in text, f"docs/benchmarks.md has no place for {name}"
