"""Which programs a lab is made of, how to know their version, and which versions can keep the promises that are tested."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.toolchain import buildinfo

HERE = Path(__file__).parent
"""Holds one Go module per program: their requirements collide (hcl), so they cannot share one."""

BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
OLDEST_MINIO = "2024-05-07"
"""First release that accepts `If-None-Match: *`, the lock (minio/minio#19682)."""
OLDEST_MC = "2023-01-01"
OLDEST_TOFU = (1, 10, 2)
"""`use_lockfile` exists since 1.10.0 and is sound since 1.10.2."""
UNSOUND_TOFU = ((1, 11, 0), (1, 11, 1), (1, 11, 2))
"""They leave the lock behind on SIGINT."""

_DATE = re.compile(r"^(?:RELEASE|DEVELOPMENT)\.(\d{4}-\d{2}-\d{2})T|^v0\.0\.0-(\d{4})(\d{2})(\d{2})\d{6}-")
_MINIO_STYLE = re.compile(r"^\S+ version ((?:RELEASE|DEVELOPMENT)\.\S+)", re.MULTILINE)
_TOFU = re.compile(r"^OpenTofu v(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """A program that a lab needs.

    Attributes:
        name: As it is called on a machine, and the name of its folder here.
        title: As people call it.
        module: Go module that holds it.
        package: What to build.
        ask: Argument that makes it say its version; None for a program that does not talk to people.
        says: Finds the version in what it then says; group 1.
        unfit: Why a version cannot be used; None when it can.
        ldflags: For the linker.
    """

    name: str
    title: str
    module: str
    package: str
    ask: str | None
    says: re.Pattern[str]
    unfit: Callable[[str], str | None] = field(repr=False)
    ldflags: str = "-s -w"

    @property
    def folder(self) -> Path:
        """The Go module that pins and builds it."""
        return HERE / self.name

    @property
    def pinned(self) -> str:
        """The version that is built: what the Go module requires."""
        return self._in_go_mod(rf"^\s*(?:require )?{re.escape(self.module)} v(\S+)").removesuffix("+incompatible")

    @property
    def go(self) -> str:
        """Oldest version of Go that builds it."""
        return self._in_go_mod(r"^go (\S+)")

    @property
    def digest(self) -> str:
        """Changes when anything changes that the program is built from."""
        ingredients = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        flags = " ".join((*BUILD_FLAGS, self.ldflags, self.package))
        return hashlib.sha256(b"\0".join([*ingredients, flags.encode()])).hexdigest()[:16]

    def version_in(self, said: str, path: Path) -> str | None:
        """The version of a program that answered.

        Args:
            said: What it said when it was asked.
            path: Where it is; a build from the Go module proxy calls itself `GOGET`, only its build information tells more. So does
                that of a program which is not asked.

        Returns:
            The version, without a leading v of OpenTofu's; None when it is another program.
        """
        if self.ask is None:
            return buildinfo.modules(path).get(self.module)
        found = self.says.search(said)
        if found is None:
            return None
        version = found.group(1)
        if version == "DEVELOPMENT.GOGET":
            return buildinfo.modules(path).get(self.module, version)
        return version

    def _in_go_mod(self, pattern: str) -> str:
        found = re.search(pattern, (self.folder / "go.mod").read_text(), re.MULTILINE)
        if found is None:
            msg = f"{self.folder / 'go.mod'} has no line like {pattern}"
            raise ValueError(msg)
        return found.group(1)


@dataclass(frozen=True)
class Tool:
    """A program that was found.

    Attributes:
        program: Which one.
        path: Where it is.
        version: What it says, or what Go wrote into it.
        origin: `given`, `PATH`, `cache` or `built`.
    """

    program: Program
    path: Path
    version: str
    origin: str


def _too_old(oldest: str) -> Callable[[str], str | None]:
    def judge(version: str) -> str | None:
        found = _DATE.search(version)
        date = "-".join(part for part in found.groups() if part) if found else oldest
        return f"it is older than {oldest}" if date < oldest else None

    return judge


def _only_pinned(extra: str, why: str) -> Callable[[str], str | None]:
    """Judges a program of which no other version will do, and says why."""

    def judge(version: str) -> str | None:
        pinned = EXTRAS[extra].pinned
        return None if version.removeprefix("v") == pinned else f"{why} {pinned}"

    return judge


def _tofu_unfit(version: str) -> str | None:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0])[:3])
    if numbers < OLDEST_TOFU:
        return "locking in the bucket (`use_lockfile`) is sound only since 1.10.2"
    if numbers in UNSOUND_TOFU:
        return "1.11.0 to 1.11.2 leave the lock behind when they are interrupted"
    return None


MINIO = Program("minio", "MinIO", "github.com/minio/minio", "github.com/minio/minio", "--version", _MINIO_STYLE, _too_old(OLDEST_MINIO))
MC = Program("mc", "MinIO's client mc", "github.com/minio/mc", "github.com/minio/mc", "--version", _MINIO_STYLE, _too_old(OLDEST_MC))
TOFU = Program(
    "tofu",
    "OpenTofu",
    "github.com/opentofu/opentofu",
    "github.com/opentofu/opentofu/cmd/tofu",
    "version",
    _TOFU,
    _tofu_unfit,
    "-s -w -X github.com/opentofu/opentofu/version.dev=no",
)
PROVIDER = Program(
    "terraform-provider-proxmox",
    "the OpenTofu provider for Proxmox VE",
    "github.com/bpg/terraform-provider-proxmox",
    "github.com/bpg/terraform-provider-proxmox",
    None,
    re.compile(""),
    _only_pinned("proxmox", "it changes its ways with every minor version, and the modules here are written for"),
)
VERSITYGW = Program(
    "versitygw",
    "the S3 gateway versitygw",
    "github.com/versity/versitygw",
    "github.com/versity/versitygw/cmd/versitygw",
    None,
    re.compile(""),
    _only_pinned("other-stores", "it is planted as a store that cannot lock, which was seen of"),
)
"""A store that looks like S3, and on a versioned bucket refuses every lock after the first was released."""
EXTRAS = {"proxmox": PROVIDER, "other-stores": VERSITYGW}
"""What not everybody needs, by the word that asks for it (`setup --with`): for labs on Proxmox VE, and for a planted defect."""
PROGRAMS = (MINIO, TOFU, MC)
"""What every lab is made of."""
