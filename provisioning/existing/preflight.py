"""Looks whether a lab can be tested, before anything is done to it: who answers, who lets us in, what is there. Changes nothing."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from model.errors import AbilityMissing, AcceptanceError
from model.lab import Ability, Lab, Machine
from model.topology import Address, Role
from probes.http import Web
from probes.lease import Lease
from probes.lease_holder import Holder
from probes.openssh import pipeline_client
from probes.outcomes import Reached
from probes.prefix import belongings
from probes.ssh import knock, runner_login
from probes.ssh import run as run_over_ssh
from probes.statistics import read_statistics
from probes.store import StoreProbe
from provisioning.existing.channel import OTHER_KEY, UNKNOWN_KEY
from provisioning.existing.host_keys import known_as
from provisioning.existing.machine import ExistingMachine
from provisioning.hostcheck import Finding

WITHIN = timedelta(seconds=8)
CLOCK_SECONDS = 1.0
POWER = ": power"
LEASE = "lease"
VERSIONS = {
    Role.RUNNER: ("tofu version", "git --version"),
    Role.BALANCER: ("haproxy -v",),
    Role.STORAGE: ("minio --version",),
}
INSTALL = {
    "tofu": "install OpenTofu 1.10.2 or newer",
    "git": "apt-get install git",
    "haproxy": "apt-get install haproxy",
    "minio": "see S1",
}
REACH = "put store.endpoint, tls and keys right"
RECORD = "record its host key after comparing it with the machine's own: {through}ssh-keyscan -p {port} {address} >> {file}"
FORGET = "where it was made anew, have the old key forgotten (ssh-keygen -R '{place}' -f {file}) and "


def look_over(lab: Lab) -> list[Finding]:
    """Look at everything at once, 20 s at most.

    Args:
        lab: Connected, the calling thread where its addresses mean its machines.

    Returns:
        All findings, machines first, the good ones included.
    """
    looks: list[Callable[[], list[Finding]]] = [lambda each=each: _machine(each) for each in lab.machines.values()]  # type: ignore[misc]
    looks += [lambda: _endpoint(lab), lambda: _store(lab)]
    looks += [lambda each=each: _statistics(lab, each) for each in lab.balancers]  # type: ignore[misc]
    looks += [lambda each=each: _pipeline(lab, each) for each in lab.runners]  # type: ignore[misc]
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        return [finding for found in [pool.submit(look) for look in looks] for finding in found.result()]


def shut_out(findings: list[Finding]) -> bool:
    """Whether nothing of a lab answers; that its plugs do says nothing about it."""
    return not any(finding.ok for finding in findings if not finding.name.endswith(POWER))


def _machine(machine: Machine) -> list[Finding]:
    return [*_control(machine), *_power(machine)]


def _control(machine: Machine) -> list[Finding]:
    name = machine.name
    greeted = knock(machine.ssh, WITHIN)
    if greeted.reached is not Reached.ANSWERED:
        remedy = f"see that {name} is on, that its sshd listens at port {machine.ssh.port}, and that nothing filters it"
        return [Finding(f"{name}: SSH", ok=False, found=f"{machine.ssh} is {greeted.reached}", remedy=remedy)]
    try:
        clock = _clock(machine)
        versions = [_version(machine, command) for role in machine.spec.roles for command in VERSIONS[role]]
        tools = _tools(machine)
    except AbilityMissing as error:
        return [Finding(f"{name}: root", ok=False, found=str(error), remedy="grant it; without, checks that look from inside are not run")]
    except AcceptanceError as error:
        return [Finding(f"{name}: control", ok=False, found=str(error), remedy=_way_in(machine, str(error)))]
    good = Finding(f"{name}: control", ok=True, found="root over SSH")
    return [good, *clock, *versions, tools]


def _way_in(machine: Machine, refusal: str) -> str:
    """What to do where control of a machine is refused."""
    if not isinstance(machine, ExistingMachine) or not any(words in refusal for words in (UNKNOWN_KEY, OTHER_KEY)):
        return "put user, key and port of [ssh] right"
    login, place, known_hosts, through = machine.channel.login, machine.ssh, machine.channel.known_hosts, ""
    if (jump := login.jump) is not None:
        if f" {jump.address} " in refusal.rpartition("(")[2]:  # it is the jump host's own
            place, known_hosts = Address(jump.address, jump.port), jump.known_hosts or known_hosts
        else:
            through = f"ssh -p {jump.port} {jump.user or login.user}@{jump.address} "
    return ((FORGET if OTHER_KEY in refusal else "") + RECORD).format(
        through=through,
        port=place.port,
        address=place.host,
        place=known_as(place),
        file=known_hosts or "~/.ssh/known_hosts",
    )


def _clock(machine: Machine) -> list[Finding]:
    """Compared with ours when it was asked and when it had answered: what that took is no difference."""
    asked = time.time()
    said = machine.run("date +%s.%N", timeout=WITHIN).stdout.strip()
    answered = time.time()
    if not re.fullmatch(r"\d+\.\d+", said):
        return []
    off = max(asked - float(said), float(said) - answered, 0)
    return [Finding(f"{machine.name}: clock", off <= CLOCK_SECONDS, f"{off:.1f} s beside ours", "synchronise it (NTP)")]


def _version(machine: Machine, command: str) -> Finding:
    program = command.split(maxsplit=1)[0]
    done = machine.run(command, timeout=WITHIN)
    found = re.search(r"\d+\.\d+\S*|RELEASE\.\S+|DEVELOPMENT\S*", done.text)
    return Finding(
        f"{machine.name}: {program}",
        done.ok,
        found.group() if found else "there, version unknown" if done.ok else "missing",
        INSTALL[program],
    )


def _tools(machine: Machine) -> Finding:
    """What faults use on machines."""
    wanted = ("systemctl", "systemd-run", "nft", "ss", "timeout", "pgrep")
    done = machine.run(
        "for each in " + " ".join(map(shlex.quote, wanted)) + '; do command -v "$each" >/dev/null || echo "$each"; done', timeout=WITHIN
    )
    missing = done.stdout.split()
    remedy = "install them (Debian: nftables, iproute2, procps); without, some faults are not run"
    return Finding(f"{machine.name}: tools", not missing, f"missing: {', '.join(missing)}" if missing else "all there", remedy)


def _power(machine: Machine) -> list[Finding]:
    if not isinstance(machine, ExistingMachine) or not machine.hands.has("is_on"):
        return []
    try:
        on = machine.hands.is_on()
    except AcceptanceError as error:
        return [Finding(f"{machine.name}{POWER}", ok=False, found=str(error), remedy="power.is_on must end with 0 or 1")]
    return [Finding(f"{machine.name}{POWER}", on, "on" if on else "off", "switch it on")]


def _endpoint(lab: Lab) -> list[Finding]:
    outcome = pipeline_client(lab).run("hostname", deadline=WITHIN, connect_within=WITHIN)
    remedy = "see HAProxy's statistics, and fleet.host_ca or fleet.known_hosts, user and private_key in the lab file"
    found = f"answered by {outcome.stdout.strip()}" if outcome.ok else str(outcome)
    return [Finding(f"runner endpoint {lab.fleet.endpoint}", outcome.ok, found, remedy)]


def _pipeline(lab: Lab, runner: Machine) -> list[Finding]:
    """Whether the pipeline's user may log in to a runner directly."""
    what = f"{runner.name}: login of {lab.fleet.user}"
    try:
        outcome = run_over_ssh(runner_login(lab, runner), "true", deadline=WITHIN, connect_within=WITHIN)
    except AcceptanceError as error:
        return [Finding(what, ok=False, found=str(error), remedy="record its host key in ssh.known_hosts, or let control in")]
    return [Finding(what, outcome.ok, "let in" if outcome.ok else str(outcome), "add fleet.private_key's public key to authorized_keys")]


def _store(lab: Lab) -> list[Finding]:
    store = StoreProbe(lab.store, within=WITHIN)
    try:
        bucket, what = store.bucket_exists(), f"state store {lab.store.url}"
        if bucket.error is not None:
            remedy = "put store.ca_file and the store's certificate right" if bucket.error.code == Web.UNTRUSTED else REACH
            return [Finding(what, ok=False, found=str(bucket.error), remedy=remedy)]
        if not bucket.value:
            return [Finding(what, ok=False, found=f"there is no bucket {lab.store.bucket}", remedy=f"mc mb LAB/{lab.store.bucket}")]
        versioning = store.versioning()
        findings = [
            Finding(what, ok=True, found=f"bucket {lab.store.bucket} is there"),
            Finding(
                f"bucket {lab.store.bucket}",
                versioning.value == "Enabled",
                f"versioning {versioning.value or versioning.error}",
                f"mc version enable LAB/{lab.store.bucket}",
            ),
        ]
        findings += _prefix(store)
        for node in lab.storage:
            address = node.at(lab.topology.storage_port)
            if address.through:
                continue
            direct = StoreProbe(lab.store, address, within=WITHIN)
            seen = direct.bucket_exists()
            direct.close()
            remedy = "open it for the host that runs the suite, or see that MinIO runs there"
            findings.append(Finding(f"{node.name}: S3", seen.ok, "answers" if seen.ok else f"{address}: {seen.error}", remedy))
    finally:
        store.close()
    return findings


def _prefix(store: StoreProbe) -> list[Finding]:
    """Whether the prefix is ours, and whether a run works there now."""
    own, findings = store.store.own, []
    found = store.versions(own)
    if found.value is not None and (there := belongings(store.store, found.value)).foreign:
        findings.append(
            Finding(
                f"prefix {own}",
                ok=False,
                found=f"{len(there.foreign)} keys that are not ours",
                remedy="give store.prefix a name that nobody uses",
            )
        )
    elif found.value is not None:
        findings.append(Finding(f"prefix {own}", ok=True, found="ours" if found.value else "empty"))
    held = Lease(store, Holder.me("")).look().value
    if held is not None and held.left > timedelta():
        findings.append(Finding(LEASE, ok=False, found=f"held by {held.holder}", remedy="wait until that run has ended"))
    return findings


def _statistics(lab: Lab, balancer: Machine) -> list[Finding]:
    if balancer.at(lab.topology.statistics_port).through:
        return []
    seen = read_statistics(balancer.at(lab.topology.statistics_port), WITHIN)
    found = f"{len(seen.servers)} servers" if seen.available else str(seen.look)
    return [Finding(f"{balancer.name}: statistics", seen.available, found, "enable `stats` in haproxy.cfg, or put statistics_port right")]


def abilities_missing(lab: Lab) -> list[Finding]:
    """What cannot be done to the lab for want of commands or root; no fault of the lab."""
    explained = {
        Ability.CUT_POWER: "power.off, power.on and power.is_on",
        Ability.SHUT_DOWN: "power.on and power.is_on",
        Ability.SUSPEND: "power.suspend and power.resume",
        Ability.DISCONNECT: "power.network_off and power.network_on",
        Ability.REBUILD: "power.rebuild",
    }
    findings = []
    for ability, keys in explained.items():
        without = [machine.name for machine in lab.machines.values() if not machine.can(ability)]
        if without:
            findings.append(Finding(f"ability: {ability.value}", ok=False, found=f"not for {', '.join(without)}", remedy=f"give {keys}"))
    behind = [machine.name for machine in lab.machines.values() if machine.ssh.through]
    if behind:
        remedy = "run the suite where they can be reached, and leave out `jump`"
        findings.append(Finding("ability: look at ports other than SSH", ok=False, found=f"not for {', '.join(behind)}", remedy=remedy))
    return findings
