"""Lab files and journals, damaged: the lab that they say, or a refusal that names the file."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.catalogue import Catalogue
from model.errors import BadInput
from model.journal import Began, Broke, Ended, Entry, Healed, Journal, read_journal
from model.remedy import Remedy
from model.secrets import SecretStore
from provisioning.existing import secret
from provisioning.existing.labfile import LabFile
from provisioning.existing.reading import driver_named_in, line_of, read_as, read_lab_file
from provisioning.proxmox.labfile import ProxmoxLabFile
from tests.unit.properties.damage import WORDS, cut, damaged_bytes, read_or_refused

LABS = Path(__file__).parents[3] / "labs"
TEXT = (LABS / "example.toml").read_text(encoding="utf-8")
CLUSTER = (LABS / "proxmox.toml").read_text(encoding="utf-8")
HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True)
PORTS = st.integers(1, 65535)
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(HOSTS, inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the place of a secret is masked from then on: not in other tests."""
    monkeypatch.setattr(secret, "SECRETS", SecretStore())


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name, ensure_ascii=False)} = {toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def read_content(content: bytes, name: str = "lab.toml") -> LabFile:
    """Write a lab file and read it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        driver_named_in(path)
        return read_lab_file(path)


WHOLE = read_content(TEXT.encode())


@given(HOSTS, st.lists(HOSTS, min_size=2, max_size=5, unique=True), PORTS, PORTS, WORDS)
def test_a_lab_file_is_read_as_it_was_written(name: str, runners: list[str], port: int, ssh: int, folder: str) -> None:
    machines = [{"name": f"r-{each}", "address": f"10.0.0.{number}", "roles": ["runner"]} for number, each in enumerate(runners, 1)]
    machines += [{"name": "s1", "address": "10.0.1.1", "roles": ["storage"]}, {"name": "b1", "address": "10.0.1.2", "roles": ["balancer"]}]
    data = {
        "version": 1,
        "name": name,
        "ssh": {"port": ssh},
        "fleet": {"endpoint": f"{name}:{port}", "private_key": f"/{folder}", "host_ca": folder},
        "store": {"endpoint": f"[::1]:{port}", "access_key": {"env": "A"}, "secret_key": {"command": folder}},
        "machine": machines,
    }
    found = read_content("".join(f"{key} = {toml(value)}\n" for key, value in data.items()).encode())
    assert found == LabFile.model_validate(data)
    assert [entry.name for entry in found.machine] == [entry["name"] for entry in machines]
    assert (found.fleet.endpoint.host, found.fleet.endpoint.port, found.store.endpoint.host) == (name, port, "::1")
    assert (found.ssh.port, found.fleet.host_ca, found.store.secret_key.command) == (ssh, folder, folder)


@given(damaged_bytes(TEXT.encode()))
def test_a_damaged_lab_file_is_read_or_refused_with_its_name(content: bytes) -> None:
    read_or_refused(lambda: read_content(content), "lab.toml")


@given(cut(TEXT))
def test_a_lab_file_that_was_cut_names_no_other_machine(text: str) -> None:
    found = read_or_refused(lambda: read_content(text.encode()), "lab.toml")
    if found is not None:
        assert set(found.machine) <= set(WHOLE.machine)
        assert set(found.permitted) <= set(WHOLE.permitted)


@given(st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-8-sig"]), st.booleans())
def test_the_same_file_in_another_coding_is_the_same_lab_or_refused(coding: str, crlf: bool) -> None:
    text = TEXT.replace("lab CA", "Zürich CA")
    content = (text.replace("\n", "\r\n") if crlf else text).encode(coding)
    found = read_or_refused(lambda: read_content(content), "lab.toml")
    assert (found is not None) is (coding == "utf-8")
    assert found is None or (found.fleet.host_ca or "").endswith("Zürich CA")


@given(st.sampled_from(["version", "name", "ssh", "fleet", "store", "power", "permissions", "machine", "proxmox"]), VALUES)
def test_a_value_of_another_kind_is_refused_with_its_line(key: str, value: object) -> None:
    head = "\n".join(line for line in TEXT.splitlines() if not line.startswith(("version", "name")))
    kept = "" if key in {"version", "name"} else 'version = 1\nname = "a"\n'
    read_or_refused(lambda: read_content(f"{kept}{key} = {toml(value)}\n{head if key in {'version', 'name'} else ''}".encode()), "lab.toml")


@given(damaged_bytes(CLUSTER.encode()))
def test_a_damaged_file_of_a_cluster_is_read_or_refused_with_its_name(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.toml"
        path.write_bytes(content)
        found = read_or_refused(lambda: read_as(ProxmoxLabFile, path), "cluster.toml")
        assert found is None or found.plan().machines


@pytest.mark.parametrize(
    "line",
    [
        'user = "a"\nprivate_key = "~nobody-of-this-name/key"',
        f"port = {'9' * 5000}",
        "port = 1e999",
        f"port = {'[' * 100_000}",
        "port = 2026-11-25",
        'user = "\\uD800"',
    ],
)
def test_values_that_python_itself_chokes_on_are_refused(line: str) -> None:
    text = TEXT.replace('user = "admin"\nprivate_key = "~/.ssh/id_ed25519"\n', f"{line}\n")
    assert text != TEXT
    with pytest.raises(BadInput, match=r"lab\.toml"):
        read_content(text.encode())


@given(st.text(max_size=200), st.lists(st.integers(0, 3) | HOSTS, max_size=3))
def test_a_line_is_always_one_of_the_file(text: str, where: list[int | str]) -> None:
    assert 1 <= line_of(text, tuple(where)) <= max(1, len(text.splitlines()))


ENTRIES: st.SearchStrategy[list[Entry]] = st.lists(
    st.one_of(
        st.builds(Began, WORDS, WORDS, WORDS, WORDS),
        st.builds(Broke, st.integers(0, 3), WORDS, st.lists(st.builds(Remedy, WORDS, WORDS), max_size=2).map(tuple)),
        st.builds(Healed, st.integers(0, 3)),
        st.just(Ended()),
    ),
    max_size=6,
)


def journal_of(folder: str, entries: list[Entry]) -> Path:
    """The journal of a run that wrote this."""
    journal = Journal(Path(folder) / "journal.ndjson")
    for entry in entries:
        journal.write(entry)
    journal.close()
    return journal.path


@given(ENTRIES)
def test_a_journal_is_read_as_it_was_written(entries: list[Entry]) -> None:
    with TemporaryDirectory() as folder:
        debt = read_journal(journal_of(folder, entries))
    broken = {}
    for entry in entries:
        if isinstance(entry, Broke):
            broken[entry.fault] = (entry.what, entry.remedies)
        elif isinstance(entry, Healed):
            broken.pop(entry.fault, None)
    assert {number: (each.what, each.remedies) for number, each in debt.broken.items()} == broken
    assert debt.ended is any(isinstance(entry, Ended) for entry in entries)
    began = [entry.run for entry in entries if isinstance(entry, Began)]
    assert (debt.began.run if debt.began else None) == (began[-1] if began else None)


@given(ENTRIES, st.data())
def test_a_journal_that_was_cut_owes_what_was_written_by_then(entries: list[Entry], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = journal_of(folder, entries)
        content = path.read_bytes()
        at = data.draw(st.integers(0, len(content)))
        path.write_bytes(content[:at])
        found = read_journal(path)
        path.write_bytes(content[: content[:at].rfind(b"\n") + 1])
        assert read_journal(path) == found


@given(
    damaged_bytes(
        b'{"event":"broke","fault":1,"what":"a","remedies":[{"machine":"m","script":"c","deed":null}],"at":""}\n{"event":"ended"}\n'
    )
)
def test_a_damaged_journal_is_read_or_refused_with_its_name(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.ndjson"
        path.write_bytes(content)
        read_or_refused(lambda: read_journal(path), "journal.ndjson")


CHECKLIST = b'[[check]]\nid = "V1"\nsentence = "It works"\nsource = "the guide"\n'


@given(damaged_bytes(CHECKLIST) | st.just(b"a = " + b"9" * 5000))
def test_a_damaged_checklist_is_read_or_refused_with_its_name(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "checklist.toml"
        path.write_bytes(content)
        found = read_or_refused(lambda: Catalogue.load(path), "checklist")
        assert found is None or set(found.ids) <= {"V1"} or b"V1" not in content
