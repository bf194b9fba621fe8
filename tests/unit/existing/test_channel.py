"""What ssh(1) says is told with its meaning and the line that tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.topology import MachineSpec, Role
from provisioning.existing.channel import SshChannel
from provisioning.existing.hands import Hands
from provisioning.existing.labfile import Commands, Jump, Login
from provisioning.existing.machine import ExistingMachine
from provisioning.existing.preflight import _way_in

CHANNEL = SshChannel(MachineSpec("runner01", "10.1.0.103", Role.RUNNER), Login(user="admin", port=2222), Path("ssh_config"))
FAILED = "Host key verification failed."
BEHIND = "Connection closed by UNKNOWN port 65535"
UNKNOWN = "No ED25519 host key is known for 10.1.0.103 and you have requested strict checking."
CHANGED = "Host key for 10.1.0.103 has changed and you have requested strict checking."


@pytest.mark.parametrize(
    ("said", "meaning", "line"),
    [
        ((UNKNOWN, FAILED), "its host key is not recorded", UNKNOWN),
        (
            ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", CHANGED, FAILED),
            "a host key that is not the recorded one",
            CHANGED,
        ),
        ((UNKNOWN.replace("103", "40"), FAILED, BEHIND), "its host key is not recorded", "10.1.0.40"),
        (("admin@10.1.0.40: Permission denied (publickey).", BEHIND), "the key or the user is not accepted", "admin@10.1.0.40"),
        (("ssh: connect to host 10.1.0.103 port 2222: Connection refused",), "the port refuses", "port 2222"),
        (("something new",), "something new", "something new"),
        ((), "ssh said nothing", ""),
    ],
    ids=["unknown", "changed", "unknown jump host", "refused by the jump host", "no sshd", "something new", "nothing"],
)
def test_a_way_that_is_closed_is_explained(said: tuple[str, ...], meaning: str, line: str) -> None:
    told = CHANNEL.explain("\r\n".join(said))
    assert told.startswith("no way into runner01 (10.1.0.103, port 2222) as admin: ")
    assert meaning in told
    assert line in told


JUMP = Jump(address="bastion", port=2200, user="guest")
KNOWN = Path("/labs/known_hosts")


@pytest.mark.parametrize(
    ("jump", "said", "commands"),
    [
        (None, UNKNOWN, ["own: ssh-keyscan -p 2222 10.1.0.103 >> /labs/known_hosts"]),
        (
            None,
            CHANGED,
            ["(ssh-keygen -R '[10.1.0.103]:2222' -f /labs/known_hosts)", "own: ssh-keyscan -p 2222 10.1.0.103 >> /labs/known_hosts"],
        ),
        (JUMP, UNKNOWN, ["own: ssh -p 2200 guest@bastion ssh-keyscan -p 2222 10.1.0.103 >> /labs/known_hosts"]),
        (JUMP, UNKNOWN.replace("10.1.0.103", "bastion"), ["own: ssh-keyscan -p 2200 bastion >> /labs/known_hosts"]),
        (None, "admin@10.1.0.103: Permission denied (publickey).", ["put user, key and port of [ssh] right"]),
    ],
    ids=["unknown", "changed", "behind a jump host", "the jump host itself", "another cause"],
)
def test_the_remedy_is_a_command_for_the_host_that_is_meant(jump: Jump | None, said: str, commands: list[str]) -> None:
    channel = SshChannel(CHANNEL.spec, Login(user="admin", port=2222, jump=jump), Path("ssh_config"), KNOWN)
    remedy = _way_in(ExistingMachine(channel, Hands(CHANNEL.spec, Commands(), Path())), channel.explain(said))
    assert all(command in remedy for command in commands), remedy
    assert remedy.endswith(commands[-1])
    assert ("ssh-keygen" in remedy) == (len(commands) > 1)
