"""Defects of the runners."""

from __future__ import annotations

from provisioning.roles.reference import BACKEND_SETTINGS
from tests.faulty_labs.defects.defect import Defect, Symptom, edited, only

DEFECTS = (
    Defect(
        "one runner does not lock its state",
        "single",
        symptoms=(
            Symptom("V5", "All runners have the same backend settings", ("expected use_lockfile = true on runner03", "observed")),
            Symptom("V4", "Every other runner is refused", ("expected", "runner03", "observed")),
        ),
        healthy=("V1", "V2", "T3"),
        alter=only("runner03", edited(BACKEND_SETTINGS, "use_lockfile                = true\n", "")),
    ),
    Defect(
        "one runner is in a workspace of its own",
        "single",
        symptoms=(
            Symptom("V5", "All runners have the same backend settings", ("runner02", "'default'", "observed", "'mine'")),
            Symptom("V5", "Each runner's change is seen by all others", ("expected", "runner02", "observed")),
        ),
        healthy=("V1", "V2", "S4"),
        alter=only("runner02", edited("/etc/environment", "TF_CLI_ARGS_init", "TF_WORKSPACE=mine\nTF_CLI_ARGS_init")),
    ),
    Defect(
        "one runner takes few logins at once",
        "production",
        symptoms=(Symptom("H29", "A hundred pipelines begin at once", ("expected connection", "of 100 to 10.1.0.102:9000", "observed")),),
        healthy=("S5", "T3"),
        alter=only("runner02", edited("/etc/ssh/sshd_config.d/reference.conf", "MaxStartups 100:30:200\n", "")),
        selection="short",
    ),
)
