"""Histories are kept as files of their own, without secrets."""

from __future__ import annotations

import json
from pathlib import Path

from fixtures.clients import _write
from model.history import History, Outcome
from model.secrets import SECRETS


def test_two_clients_of_one_kind_have_two_files_and_no_secret_is_in_them(tmp_path: Path) -> None:
    SECRETS.register("very-secret-word")
    for detail in ("first", "it said very-secret-word"):
        history = History("connections to the fleet")
        history.begin("connection").end(Outcome.FAILED, detail=detail)
        _write(tmp_path, history)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["connections-to-the-fleet-2.history.jsonl", "connections-to-the-fleet.history.jsonl"]
    second = json.loads((tmp_path / files[0]).read_text(encoding="utf-8"))
    assert second["outcome"] == "failed"
    assert "very-secret-word" not in second["detail"]
