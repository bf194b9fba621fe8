"""A lab file is read, or refused with the line, the key and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import BadInput
from model.secrets import MASK, SECRETS
from model.topology import Address, Role
from provisioning.drivers import existing
from provisioning.existing.reading import line_of, read_lab_file

EXAMPLE = Path(__file__).parents[3] / "labs/example.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")


def _written(folder: Path, text: str) -> Path:
    path = folder / "lab.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _line(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(words))


def test_the_example_is_a_lab() -> None:
    file = read_lab_file(EXAMPLE)
    plan = file.plan()
    assert [machine.name for machine in plan.of(Role.RUNNER)] == ["runner01", "runner02"]
    assert (plan.runner_endpoint, plan.storage_endpoint) == (Address("10.1.0.102", 9000), Address("10.1.0.101", 9000))
    assert plan.virtual_addresses == ("10.1.0.101", "10.1.0.102")
    ports = {entry.name: file.login_of(entry).port for entry in file.machine}
    assert ports == {"storage01": 22, "balancer01": 22, "runner01": 22, "runner02": 2222}
    assert file.permitted == ()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('user = "admin"\n', 'usr = "admin"\n', "unknown key usr; did you mean user?"),
        ('user = "pipeline"\n', 'usr = "pipeline"\n', "unknown key usr; did you mean user?"),
        ("[balancer]\n", "[balancr]\n", "unknown key balancr; did you mean balancer?"),
        ('address = "10.1.0.104"\n', 'address = "10.1.0.103"\n', "2 machines have the address 10.1.0.103: runner01 and runner02"),
        ('roles = ["balancer"]\n', 'roles = ["storage"]\n', "one or two machines have the role balancer; the file has 0"),
        ('roles = ["balancer"]\n', "", "machine.2.roles is missing"),
        ('roles = ["balancer"]\n', 'roles = ["blancer"]\n', "'storage', 'balancer' or 'runner'"),
        ('access_key = { env = "STATE_ACCESS_KEY" }', 'access_key = "AKIAVERYSECRET"', "a secret must not stand in the file"),
        ('access_key = { env = "STATE_ACCESS_KEY" }', "access_key = {}", "give one place"),
        ('endpoint = "10.1.0.102:9000"', 'endpoint = "10.1.0.102"', "give host:port"),
        ('on = "ssh pve1 qm start {machine}"\n', "", "`off` alone is of no use: give `on` as well"),
        ("disruption = []", 'disruption = ["runners"]', "'runner', 'balancer', 'storage' or 'quorum'"),
        ("# tls = true", 'ca_file = "store-ca.pem"', "`ca_file` is for a store that speaks TLS: give `tls = true` as well"),
        ("# tls = true", "node_tls = true", "`node_tls = true` wants `tls = true`"),
        (
            'endpoint = "10.1.0.101:9000"',
            'endpoint = "https://10.1.0.101:9000"',
            "give host:port, as in 10.1.0.102:9000; whether it speaks TLS",
        ),
        ("version = 1", "version = 7", "this suite reads lab files of version 1, not 7"),
        ('host_ca = "ssh', '# host_ca = "ssh', "`host_ca` (the line of the host CA's public key) or `known_hosts`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert TEXT.count(old) >= 1
    path = _written(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(BadInput) as caught:
        read_lab_file(path)
    told = str(caught.value)
    assert words in told
    assert told.startswith(f"{path}:")
    assert "AKIAVERYSECRET" not in told


def test_the_line_is_that_of_the_key(tmp_path: Path) -> None:
    text = TEXT.replace('roles = ["runner"]\nport', 'rolls = ["runner"]\nport')
    with pytest.raises(BadInput, match=rf":{_line(text, 'rolls')}: unknown key rolls; did you mean roles"):
        read_lab_file(_written(tmp_path, text))
    assert line_of(text, ("machine", 1, "address")) == _line(text, 'address = "10.1.0.21"')
    assert line_of(text, ("store", "nothing")) == _line(text, "[store]")


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no lab file"):
        read_lab_file(tmp_path / "none.toml")
    with pytest.raises(BadInput, match=r"is no TOML: .*line 1"):
        read_lab_file(_written(tmp_path, "version = = 1"))


def test_quorum_is_never_implied(tmp_path: Path) -> None:
    text = TEXT.replace("disruption = []", 'disruption = ["runner", "storage"]')
    file = read_lab_file(_written(tmp_path, text))
    assert file.permitted == ("runner",), "one storage machine is the quorum"
    assert 'permit "quorum", too' in file.withheld
    text = text.replace('"storage"]', '"storage", "quorum"]', 1)
    file = read_lab_file(_written(tmp_path, text))
    assert (file.permitted, file.withheld) == (("runner", "storage", "quorum"), "")


def test_secrets_are_had_from_their_place_and_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = read_lab_file(EXAMPLE).store
    with pytest.raises(BadInput, match=r"store\.access_key: the environment variable STATE_ACCESS_KEY is not set"):
        store.access_key.read("store.access_key", tmp_path)
    monkeypatch.setenv("STATE_ACCESS_KEY", "hidden-in-the-environment")
    assert store.access_key.read("store.access_key", tmp_path) == "hidden-in-the-environment"
    assert SECRETS.mask("hidden-in-the-environment") == MASK
    file = _written(tmp_path, TEXT.replace('{ env = "STATE_ACCESS_KEY" }', '{ file = "key" }'))
    with pytest.raises(BadInput, match="key cannot be read: No such file"):
        read_lab_file(file).store.access_key.read("store.access_key", tmp_path)
    (tmp_path / "key").write_text("hidden-in-a-file\n")
    assert read_lab_file(file).store.access_key.read("store.access_key", tmp_path) == "hidden-in-a-file"
    file = _written(tmp_path, TEXT.replace('{ env = "STATE_ACCESS_KEY" }', '{ command = "echo no >&2; exit 3" }'))
    with pytest.raises(BadInput, match="gave nothing: no"):
        read_lab_file(file).store.access_key.read("store.access_key", tmp_path)


def test_a_store_that_speaks_tls(tmp_path: Path) -> None:
    text = TEXT.replace("# tls = true", "tls = true").replace("# node_tls = false", "node_tls = false").replace("# node_port", "node_port")
    file = read_lab_file(_written(tmp_path, text.replace("# ca_file", "ca_file")))
    assert (file.store.tls, file.store.ca_file, file.store.node_tls) == (True, Path("store-ca.pem"), False)
    assert file.plan().storage_port == file.store.node_port == 9000


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read: No such file"), ("no certificate", "holds no certificate in PEM form")]
)
def test_a_ca_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, words: str) -> None:
    monkeypatch.setenv("STATE_ACCESS_KEY", "key")
    text = (
        TEXT.replace("# tls = true", "tls = true")
        .replace("# ca_file", "ca_file")
        .replace('{ command = "pass show lab/minio" }', '{ command = "echo s" }')
    )
    driver = existing(_written(tmp_path, text))
    if content is not None:
        (tmp_path / "store-ca.pem").write_text(content)
    with pytest.raises(BadInput, match=rf"store\.ca_file: .*store-ca\.pem {words}"):
        driver.connect(driver.file.plan())
