"""What the running HAProxy was told: its time limits and health checks, and the times that follow from them.

HAProxy tells its limits to nobody while it runs, so its configuration file is read, and only believed when the process
is younger than the file. Formulas: HAProxy 2.6 `src/check.c` (the pause `inter` begins when a check has ended, `fastinter`
counts from the first change of mind, `downinter` while a server is down).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

from model.errors import AcceptanceError, Unreadable
from model.lab import Machine

PROXIES = ("listen", "frontend", "backend")
WORDS = {**dict.fromkeys(PROXIES, 2), "timeout": 3, "server": 3}
"""How many words a line has at least that begins with one of these."""

SECTIONS = (*PROXIES, "defaults", "global", "userlist", "peers", "resolvers", "mailers", "cache", "program", "ring")
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
WITHOUT_UNIT = "ms"
DEFAULT_INTER, DEFAULT_RISE, DEFAULT_FALL = timedelta(seconds=2), 2, 3
"""`inter`, `rise` and `fall` where nothing is said (configuration manual, section 5.2)."""

RUNNING_FILE = r"""
pid=$(systemctl show --property=MainPID --value haproxy.service)
file=$(tr '\0' '\n' < /proc/$pid/cmdline | sed -n '/^-f$/{n;p;q}')
boot=$(awk '/^btime/ {print $2}' /proc/stat)
ticks=$(sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f20)
echo "$(stat -c %Y "$file") $((boot + ticks / $(getconf CLK_TCK)))" && cat "$file"
"""
CLOCK_SLACK_SECONDS = 2


@dataclass(frozen=True)
class Checking:
    """How a server is checked.

    Attributes:
        inter: Pause between checks.
        fastinter: The same while a change of mind is under way.
        downinter: The same while the server is down.
        rise: Good checks until it is up.
        fall: Bad checks until it is down.
    """

    inter: timedelta = DEFAULT_INTER
    fastinter: timedelta = DEFAULT_INTER
    downinter: timedelta = DEFAULT_INTER
    rise: int = DEFAULT_RISE
    fall: int = DEFAULT_FALL


@dataclass(frozen=True)
class Proxy:
    """One `listen`, `frontend` or `backend`, with what it has from `defaults`.

    Attributes:
        name: As in the file.
        timeouts: By name (`connect`, `check`, `client`, `tunnel` …).
        servers: How each server is checked; None for one that is not.
        lines: All of its lines, split into words.
    """

    name: str
    timeouts: Mapping[str, timedelta] = field(default_factory=dict)
    servers: Mapping[str, Checking | None] = field(default_factory=dict)
    lines: tuple[tuple[str, ...], ...] = ()

    @property
    def idle_limit(self) -> timedelta:
        """How long a session may be silent: `timeout tunnel`, else the smaller one of client and server."""
        if "tunnel" in self.timeouts:
            return self.timeouts["tunnel"]
        return min((self.timeouts[name] for name in ("client", "server") if name in self.timeouts), default=timedelta.max)

    def silent_check(self, checking: Checking) -> timedelta:
        """How long a check of a silent server takes: `timeout connect` or `inter`, the smaller one counts."""
        return min(self.timeouts.get("connect", checking.inter), checking.inter)

    def detection(self, server: str, *, silent: bool) -> timedelta:
        """Longest time until a server that stopped to answer is marked down.

        Args:
            server: Its name.
            silent: Whether its connections get no answer (power cut) or are refused (service stopped).

        Raises:
            AcceptanceError: The server is not checked.
        """
        checking = self._checked(server)
        each = self.silent_check(checking) if silent else timedelta()
        return checking.inter + checking.fall * each + (checking.fall - 1) * checking.fastinter

    def recovery(self, server: str) -> timedelta:
        """Longest time until a server that answers again is marked up, a check under way in silence included.

        Raises:
            AcceptanceError: The server is not checked.
        """
        checking = self._checked(server)
        return self.silent_check(checking) + checking.downinter + (checking.rise - 1) * checking.fastinter

    def _checked(self, server: str) -> Checking:
        checking = self.servers.get(server)
        if checking is None:
            msg = f"{self.name} does not check a server {server}; its servers: {', '.join(self.servers) or 'none'}"
            raise AcceptanceError(msg)
        return checking


def read_running_configuration(balancer: Machine) -> dict[str, Proxy]:
    """Read what the running HAProxy of a balancer was started with.

    Raises:
        AcceptanceError: HAProxy does not run, or its file was changed after it was started.
    """
    answer = balancer.run(RUNNING_FILE)
    first, _, text = answer.stdout.partition("\n")
    times = first.split()
    if not answer.ok or len(times) != 2 or not all(re.fullmatch("[0-9]+", each) for each in times):  # noqa: PLR2004 - file and process
        msg = f"the configuration of HAProxy on {balancer.name} cannot be read: {answer.text[-500:]}"
        raise AcceptanceError(msg)
    if int(times[0]) > int(times[1]) + CLOCK_SLACK_SECONDS:
        msg = f"HAProxy on {balancer.name} was started before its configuration file was last changed: nobody knows its settings"
        raise AcceptanceError(msg)
    return parse_configuration(text)


def parse_configuration(text: str) -> dict[str, Proxy]:
    """Read the proxies of an HAProxy configuration, by name.

    Raises:
        Unreadable: A line says less than it must, a time or a number is not one, or the last line has no end: HAProxy itself refuses
            such a file, as it may have been cut (`src/cfgparse.c`, "Missing LF on last line").
    """
    if text and not text.endswith("\n"):
        raise Unreadable(f"the last line of HAProxy's configuration has no end: {text[text.rfind(chr(10)) + 1 :]!r}")
    defaults: list[tuple[str, ...]] = []
    proxies: dict[str, list[tuple[str, ...]]] = {}
    here: list[tuple[str, ...]] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            words = tuple(shlex.split(line, comments=True))
            _expect_whole(words)
        except ValueError as error:
            raise Unreadable(f"line {number} of HAProxy's configuration, {line.strip()!r}: {error}") from error
        if not words:
            continue
        if words[0] in SECTIONS:
            here = []
            if words[0] == "defaults":
                defaults = here
            elif words[0] in PROXIES:
                here.extend(defaults)
                proxies[words[1]] = here
        else:
            here.append(words)
    return {name: _proxy(name, lines) for name, lines in proxies.items()}


def _expect_whole(words: tuple[str, ...]) -> None:
    """See that a line can be read.

    Raises:
        ValueError: It says less than it must, or a time or a number is none.
    """
    keyword = words[0] if words else ""
    if len(words) < WORDS.get(keyword, 0):
        msg = f"{keyword} wants {WORDS[keyword] - 1} words at least"
        raise ValueError(msg)
    if keyword == "timeout":
        parse_time(words[2])
    elif keyword in {"server", "default-server"}:
        _checking((*words, "check"))


def _proxy(name: str, lines: list[tuple[str, ...]]) -> Proxy:
    timeouts = {words[1]: parse_time(words[2]) for words in lines if words[0] == "timeout"}
    common: tuple[str, ...] = ()
    servers: dict[str, Checking | None] = {}
    for words in lines:
        if words[0] == "default-server":
            common += words[1:]
        elif words[0] == "server":
            servers[words[1]] = _checking(common + words[3:])
    return Proxy(name, timeouts, servers, tuple(lines))


def _checking(words: tuple[str, ...]) -> Checking | None:
    if "check" not in words or "no-check" in words:
        return None
    said = {word: value for word, value in pairwise(words) if word in {"inter", "fastinter", "downinter", "rise", "fall"}}
    inter = parse_time(said["inter"]) if "inter" in said else DEFAULT_INTER
    times = {name: parse_time(said[name]) if name in said else inter for name in ("fastinter", "downinter")}
    return Checking(inter, times["fastinter"], times["downinter"], int(said.get("rise", DEFAULT_RISE)), int(said.get("fall", DEFAULT_FALL)))


def parse_time(text: str) -> timedelta:
    """Read a time as HAProxy writes it: `500ms`, `12h`, `5000` (milliseconds).

    Raises:
        Unreadable: It is none.
    """
    found = re.fullmatch(r"([0-9]{1,12})(us|ms|s|m|h|d)?", text)
    if found is None:
        raise Unreadable(f"{text[:80]!r} is no time of HAProxy")
    try:
        return timedelta(seconds=int(found.group(1)) * UNITS[found.group(2) or WITHOUT_UNIT])
    except OverflowError as error:
        raise Unreadable(f"{text!r} is too long a time") from error
