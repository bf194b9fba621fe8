"""Defects of locking, and of where a runner keeps its state."""

from __future__ import annotations

from collections.abc import Callable

from minio import MinioAdmin

from model.lab import Lab
from model.topology import Role
from provisioning.roles.reference import BACKEND_SETTINGS, BUCKET
from tests.faulty_labs.defects.changes import edited, every, only, wrapped_tofu
from tests.faulty_labs.defects.deeds import administer, serving
from tests.faulty_labs.defects.defect import Defect, Symptom

ENVIRONMENT = "/etc/environment"
OTHER_BUCKET = "opentofu-state-archive"
RUNNERS_POLICY = "state-of-runners"

KEEP_STATE_HERE = r"""key=
for word do
    shift
    case $word in -backend-config=*) key=${word##*=} ;; *) set -- "$@" "$word" ;; esac
done
if [ -n "$key" ]; then
    unset TF_CLI_ARGS_init
    mkdir -p "$HOME/states"
    printf 'terraform {\n  backend "local" {\n    path = "%s"\n  }\n}\n' "$HOME/states/$(echo "$key" | tr / -)" > backend_override.tf
fi
exec "$tofu" "$@" """

NEVER_WAIT = r"""for word do
    shift
    case $word in -lock-timeout=*) ;; *) set -- "$@" "$word" ;; esac
done
exec "$tofu" "$@" """


def _rights(bucket: str) -> list[dict[str, object]]:
    return [
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": [f"arn:aws:s3:::{bucket}"]},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": [f"arn:aws:s3:::{bucket}/*"]},
    ]


def _set_policy(*statements: dict[str, object]) -> Callable[[MinioAdmin], object]:
    def change(admin: MinioAdmin) -> object:
        return admin.policy_add(RUNNERS_POLICY, policy={"Version": "2012-10-17", "Statement": [*_rights(BUCKET), *statements]})

    return change


def have_other_bucket(lab: Lab) -> None:
    """As somebody who tried something out, with the rights that it needs."""
    serving(lab).client.make_bucket(bucket_name=OTHER_BUCKET)
    administer(lab, _set_policy(*_rights(OTHER_BUCKET)))


def forbid_to_unlock(lab: Lab) -> None:
    """As somebody who wanted that nothing is ever deleted."""
    deny: dict[str, object] = {"Effect": "Deny", "Action": ["s3:DeleteObject"], "Resource": [f"arn:aws:s3:::{BUCKET}/*.tflock"]}
    administer(lab, _set_policy(deny))


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
        sampled=True,
    ),
    Defect(
        "one runner applies without the lock",
        "production",
        symptoms=(
            Symptom(
                "T1",
                "From two sessions on two runners",
                ("expected runner02 to be refused while runner01 applies; observed that it went through",),
            ),
            Symptom(
                "B6",
                "Many processes on all runners start at the same moment, 1 times",
                ("expected exactly one process to hold the lock", "observed 5", "runner02"),
            ),
        ),
        healthy=("V5", "S3", "H45"),
        alter=only("runner02", edited(ENVIRONMENT, "CHECKPOINT_DISABLE", "TF_CLI_ARGS_apply=-lock=false\nCHECKPOINT_DISABLE")),
        selection="short",
    ),
    Defect(
        "one runner is in a workspace of its own",
        "single",
        symptoms=(
            Symptom("V5", "All runners have the same backend settings", ("runner02", "'default'", "observed", "'mine'")),
            Symptom("V5", "Each runner's change is seen by all others", ("expected", "runner02", "observed")),
        ),
        healthy=("V1", "V2", "S4"),
        alter=only("runner02", edited(ENVIRONMENT, "TF_CLI_ARGS_init", "TF_WORKSPACE=mine\nTF_CLI_ARGS_init")),
    ),
    Defect(
        "one runner uses another bucket",
        "single",
        symptoms=(
            Symptom(
                "V5",
                "All runners have the same backend settings",
                (f"expected runner02 to use bucket {BUCKET}; observed {OTHER_BUCKET}",),
            ),
            Symptom("V5", "Each runner's change is seen by all others", ("expected runner02 to plan no changes", "observed")),
        ),
        healthy=("V1", "V2", "S4"),
        alter=only("runner02", edited(BACKEND_SETTINGS, f'"{BUCKET}"', f'"{OTHER_BUCKET}"')),
        after_boot=have_other_bucket,
    ),
    Defect(
        "one runner keeps its state on its own disk",
        "production",
        symptoms=(
            Symptom("V5", "All runners have the same backend settings", ("expected runner01 to keep its state in S3; observed local",)),
            Symptom(
                "B4", "Nothing that holds state stays on a runner", ("expected no file that holds state on runner01; observed", "/states/")
            ),
            Symptom("V3", "Everything arrives, and the file is no longer used", ("expected a state under", "10.1.0.101:9000", "observed")),
        ),
        healthy=("V1", "V2", "S4"),
        alter=only("runner01", wrapped_tofu(KEEP_STATE_HERE)),
        selection="short or smoke",
    ),
    Defect(
        "runners may not delete locks",
        "production",
        symptoms=(
            Symptom("H02", "The next one learns who died, and goes on", ("expected runner01", "observed", "releasing the state lock")),
            Symptom("V4", "The second runner is told who holds the lock", ("expected runner01", "observed", "releasing the state lock")),
            Symptom("T1", "From two sessions on two runners", ("expected runner01", "observed", "releasing the state lock")),
        ),
        healthy=("V2", "V6", "H31"),
        after_boot=forbid_to_unlock,
        selection="short or smoke",
    ),
    Defect(
        "no runner waits for a lock, whatever it is told",
        "production",
        symptoms=(
            Symptom("H03", "Whoever waits long enough gets its turn", ("to wait for the lock; observed", "runner")),
            Symptom("H03", "Whoever waits too short learns who held the lock", ("to wait 5 s or more; observed", "runner")),
        ),
        healthy=("T1", "V5", "S3"),
        alter=every(Role.RUNNER, wrapped_tofu(NEVER_WAIT)),
        selection="not disruptive",
    ),
)
