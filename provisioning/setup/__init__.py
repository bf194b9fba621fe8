"""Set-up of a host: everything that the embedded lab needs and that lasts, made before the first scenario."""

from __future__ import annotations

from provisioning.setup.preparation import Prepared, prepare, prepare_programs

__all__ = ["Prepared", "prepare", "prepare_programs"]
