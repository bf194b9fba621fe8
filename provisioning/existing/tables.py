"""What tables of lab files have in common: no unknown keys, and the kinds of values that people write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from model.topology import Address


def _address(value: object) -> object:
    """Read `host:port`."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\[?([^\[\]/]+?)\]?:(\d{1,5})", value)
    if found is None or not 0 < int(found[2]) < 2**16:
        scheme = "; whether it speaks TLS is said by `tls`" if "://" in value else ""
        msg = f"{value!r} is no address: give host:port, as in 10.1.0.102:9000{scheme}"
        raise ValueError(msg)
    return Address(found[1], int(found[2]))


def _home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        msg = f"{path}: there is no such user here"
        raise ValueError(msg) from error


HostPort = Annotated[Address, BeforeValidator(_address)]
File = Annotated[Path, AfterValidator(_home)]
Port = Annotated[int, Field(gt=0, lt=2**16)]


class Table(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
