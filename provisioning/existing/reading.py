"""Reads a lab file; what is wrong with it is told with its line and the remedy."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from model.errors import BadInput
from provisioning.existing.labfile import VERSION, LabFile

NO_TOML = (ValueError, RecursionError)
"""What `tomllib` raises: its own error is a ValueError, as are those of Python about numbers and encodings; deep nesting is the other."""

M = TypeVar("M", bound=BaseModel)
KEY = re.compile(r"""^\s*(?P<key>[\w-]+|"[^"]+")\s*=""")
HEADER = re.compile(r"^\s*(?P<open>\[\[?)\s*(?P<name>[\w.-]+)\s*\]")


def read_lab_file(path: Path) -> LabFile:
    """Read the file of a lab that is there.

    Args:
        path: The TOML file.

    Raises:
        BadInput: There is no such file, it is no TOML, or it says what such a file cannot say; names the line.
    """
    return read_as(LabFile, path)


def driver_named_in(path: Path) -> str:
    """Which driver a lab file names by its key `driver`; empty where it names none, or cannot be read at all."""
    try:
        named = tomllib.loads(path.read_text(encoding="utf-8")).get("driver", "")
    except (OSError, *NO_TOML):
        return ""
    return named if isinstance(named, str) else ""


def read_as(model: type[M], path: Path) -> M:
    """Read a lab file of a kind.

    Args:
        model: What it may say.
        path: The TOML file.

    Raises:
        BadInput: There is no such file, it is no TOML, or it says what a file of this kind cannot say; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadInput(f"there is no lab file {path}; `python -m provisioning check --help` says how to begin one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the lab file {path} cannot be read: {error}") from error
    try:
        data = tomllib.loads(text)
    except NO_TOML as error:
        raise BadInput(f"{path} is no TOML: {error}") from error
    if "version" in data and data["version"] != VERSION:
        raise BadInput(f"{path}:{line_of(text, ('version',))}: this suite reads lab files of version {VERSION}, not {data['version']!r}")
    planned, wanted = "driver" in data, "driver" in model.model_fields
    if planned and not wanted:
        raise BadInput(
            f"{path}:{line_of(text, ('driver',))}: this file plans a lab that is made; what was asked for is one that is there already"
        )
    if wanted and not planned:
        raise BadInput(f'{path}: this file describes a lab that is there already; one that is made says driver = "proxmox"')
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise BadInput("\n".join(f"{path}{_told(model, text, each)}" for each in error.errors())) from error


def _told(model: type[BaseModel], text: str, error: ErrorDetails) -> str:
    """One thing that is wrong: `:line: where: what`."""
    where = tuple(part for part in error["loc"] if part != "function-before[_address(), Address]")
    line = line_of(text, where)
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in where) or "the file"
    if error["type"] == "extra_forbidden":
        return f":{line}: unknown key {where[-1]}{_nearest(model, where)}"
    if error["type"] == "missing":
        return f":{line}: {name} is missing"
    return f":{line}: {name}: {error['msg'].removeprefix('Value error, ')}"


def _nearest(model: type[BaseModel], where: tuple[int | str, ...]) -> str:
    valid = sorted(_fields(model, where[:-1]))
    near = difflib.get_close_matches(str(where[-1]), valid, n=1)
    return f"; did you mean {near[0]}?" if near else f"; valid here: {', '.join(valid)}"


def _fields(model: type[BaseModel], where: tuple[int | str, ...]) -> list[str]:
    """Keys that are valid at a place."""
    for part in where:
        if isinstance(part, int):
            continue
        inner = _model_in(model.model_fields[part].annotation) if part in model.model_fields else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {tuple, UnionType}:
        return next((found for each in get_args(annotation) if (found := _model_in(each))), None)
    return None


def line_of(text: str, where: tuple[int | str, ...]) -> int:
    """The line of a lab file that says something.

    Args:
        text: The file.
        where: Keys, and places in arrays of tables, from the outside in.

    Returns:
        The line of the key, else of the innermost table round it that is there; 1 where nothing of it is.
    """
    best, depth = 1, 0
    table: tuple[int | str, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            name = header["name"]
            first, *rest = name.split(".")
            if header["open"] == "[[":
                counts[name] = counts.get(name, -1) + 1
            table = (first, *([counts[first]] if first in counts else []), *rest)
            here = table
        elif key := KEY.match(line):
            here = (*table, key["key"].strip('"'))
        else:
            continue
        if here == where[: len(here)] and len(here) > depth:
            best, depth = number, len(here)
    return best
