"""Secrets of a lab file: named there, kept elsewhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from model.errors import BadInput
from model.secrets import SECRETS, SHORTEST

WITHIN_SECONDS = 30
HOW = '{ env = "NAME" }, { file = "PATH" } or { command = "…" }'


class Secret(BaseModel):
    """Where a secret is to be had.

    Attributes:
        env: Name of an environment variable.
        file: A file that holds nothing else.
        command: A command of this host that prints it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = None
    file: Path | None = None
    command: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_secret(cls, value: Any) -> Any:
        if isinstance(value, str):
            SECRETS.register(value.ljust(SHORTEST))
            msg = f"a secret must not stand in the file; say where it is: {HOW}"
            raise ValueError(msg)  # noqa: TRY004 - pydantic tells this one in our words
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if sum(place is not None for place in (self.env, self.file, self.command)) != 1:
            msg = f"give one place: {HOW}"
            raise ValueError(msg)
        return self

    def read(self, what: str, folder: Path) -> str:
        """Get the secret, and have it masked from now on.

        Args:
            what: What it is, for messages.
            folder: Of the lab file: paths are relative to it.

        Raises:
            BadInput: It is not where the file says.
        """
        try:
            value = self._value(folder).strip()
        except KeyError as error:
            raise BadInput(f"{what}: the environment variable {self.env} is not set") from error
        except OSError as error:
            raise BadInput(f"{what}: {self.file} cannot be read: {error.strerror}") from error
        except subprocess.SubprocessError as error:
            said = (getattr(error, "stderr", "") or "").strip().splitlines()
            raise BadInput(f"{what}: `{self.command}` gave nothing: {said[-1] if said else error}") from error
        if not value:
            raise BadInput(f"{what}: there is nothing at {self}")
        if len(value) >= SHORTEST:
            SECRETS.register(value)
        return value

    def _value(self, folder: Path) -> str:
        if self.env is not None:
            return os.environ[self.env]
        if self.file is not None:
            return (folder / self.file.expanduser()).read_text(encoding="utf-8")
        done = subprocess.run(
            ["/bin/sh", "-c", self.command or ""], cwd=folder, capture_output=True, text=True, check=True, timeout=WITHIN_SECONDS
        )
        return done.stdout

    def __str__(self) -> str:
        """The place."""
        return f"environment variable {self.env}" if self.env else f"file {self.file}" if self.file else f"`{self.command}`"
