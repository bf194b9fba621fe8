"""Arguments and options that several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MachineName = Annotated[str, typer.Argument(metavar="MACHINE", help="A machine of the lab: runner01, balancer01, storage01 …")]
LabName = Annotated[str | None, typer.Option("--lab", metavar="NAME", help="The lab; not needed while only one is up.")]
Minio = Annotated[Path | None, typer.Option(metavar="PATH", help="Use this MinIO, or a compatible successor.", show_default=False)]
Tofu = Annotated[Path | None, typer.Option(metavar="PATH", help="Use this OpenTofu.", show_default=False)]
Mc = Annotated[Path | None, typer.Option(metavar="PATH", help="Use this client of MinIO.", show_default=False)]
