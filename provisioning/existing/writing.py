"""Writes the lab file of an embedded lab: the same lab as somebody sees it who does not own it."""

from __future__ import annotations

import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from model.errors import BadInput
from model.lab import Lab
from provisioning.embedded.blueprint import Blueprint
from provisioning.embedded.names import LabNames
from provisioning.identities import write_private

TEMPLATES = Path(__file__).parent / "templates"
ROOT = Path(__file__).parents[2]


def _lab_file_text(lab: Lab, path: Path) -> str:
    """Describe an embedded lab that is up.

    Args:
        lab: The lab.
        path: Where the text will stand.
    """
    names = LabNames(lab.name)
    for name, value in {"access_key": lab.store.access_key, "secret_key": lab.store.secret_key}.items():
        write_private(names.folder / name, value)
    blueprint = Blueprint.load(names.folder)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - TOML, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("lab.toml.j2").render(
        lab=lab,
        path=path,
        network=names.network,
        user="root",
        key=blueprint.login_key,
        known_hosts=blueprint.known_hosts,
        host_ca=blueprint.authority.public_key,
        program=f"cd {ROOT} && {sys.executable} -m provisioning",
        access_key=names.folder / "access_key",
        secret_key=names.folder / "secret_key",
    )


def write_lab_file(lab: Lab, path: Path) -> None:
    """Write the lab file of an embedded lab that is up.

    Raises:
        BadInput: The file is there already, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_lab_file_text(lab, path))
    except FileExistsError as error:
        raise BadInput(f"{path} is there already; take another name") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
