"""Defects of the runners."""

from __future__ import annotations

from model.topology import Role
from provisioning.roles.reference import BACKEND_SETTINGS
from tests.faulty_labs.defects.changes import added, edited, every, not_at_boot, only, wrapped_tofu
from tests.faulty_labs.defects.deeds import ran
from tests.faulty_labs.defects.defect import Defect, Symptom

CREDENTIALS = "/etc/tofu/credentials"
SSHD = "/etc/ssh/sshd_config.d/reference.conf"
TOFU = "/usr/local/bin/tofu"
SAYS_VERSION = """case $1 in
    version) echo '{{"terraform_version": "{version}"}}' ;;
    *) exec "$tofu" "$@" ;;
esac"""
OLD_STATE = '{"version": 4, "terraform_version": "1.6.2", "serial": 7, "lineage": "1d9b7f0e", "outputs": {}, "resources": []}'
DEFECTS = (
    Defect(
        "OpenTofu is missing on one runner",
        "production",
        symptoms=(
            Symptom("S4", "Every runner has what the guide gives it", ("expected OpenTofu on runner03; observed none",)),
            Symptom("V5", "Each runner's change is seen by all others", ("expected runner03", "observed")),
        ),
        healthy=("V2", "S5", "T1"),
        after_boot=ran("runner03", f"umount {TOFU}", f"rm {TOFU}"),
        selection="short",
    ),
    Defect(
        "git is missing on one runner",
        "production",
        symptoms=(Symptom("S4", "Every runner has what the guide gives it", ("expected git on runner02; observed none",)),),
        healthy=("V5", "H41", "T3"),
        after_boot=ran("runner02", "rm /usr/bin/git"),
        selection="short",
    ),
    Defect(
        "one runner has another OpenTofu",
        "production",
        symptoms=(
            Symptom(
                "S4", "Every runner has what the guide gives it", ("expected one version of OpenTofu", "observed", "'runner02': '1.10.5'")
            ),
            Symptom(
                "H41",
                "No version with a known fault in locking is in use",
                ("expected one version of OpenTofu", "observed", "'runner02': '1.10.5'"),
            ),
        ),
        healthy=("V5", "T1", "S3"),
        alter=only("runner02", wrapped_tofu(SAYS_VERSION.format(version="1.10.5"))),
        selection="short",
    ),
    Defect(
        "all runners have an OpenTofu that locks badly",
        "production",
        symptoms=(
            Symptom(
                "H41",
                "No version with a known fault in locking is in use",
                ("expected an OpenTofu that releases its lock on runner01; observed 1.11.1",),
            ),
        ),
        healthy=("S4", "T1", "S3"),
        alter=every(Role.RUNNER, wrapped_tofu(SAYS_VERSION.format(version="1.11.1"))),
        selection="short",
    ),
    Defect(
        "there are fewer than three runners",
        "production",
        symptoms=(
            Symptom("S4", "Every runner has what the guide gives it", ("expected at least 3 runners; observed 2", "runner01", "runner02")),
        ),
        healthy=("V5", "V6", "T3"),
        selection="short",
        runners=2,
    ),
    Defect(
        "SSH does not start at boot on one runner",
        "production",
        symptoms=(Symptom("H42", "Every service starts at boot", ("expected ssh.service to be enabled at boot on runner03; observed",)),),
        healthy=("V6", "S4", "T3"),
        alter=only("runner03", not_at_boot("ssh.service")),
        after_boot=ran("runner03", "systemctl start ssh.service"),
        selection="short",
    ),
    Defect(
        "SSH is slow by 10 seconds on one runner",
        "single",
        symptoms=(
            Symptom(
                "V6",
                "Every healthy runner is used, and each is who it says it is",
                ("expected connection", "to 10.1.0.102:9000 to be answered; observed"),
            ),
        ),
        healthy=("V1", "V2", "S5"),
        after_boot=ran(
            "runner02", "sed -i '1i auth required pam_exec.so /bin/sleep 10\\nsession required pam_exec.so /bin/sleep 10' /etc/pam.d/sshd"
        ),
        selection="short or smoke",
    ),
    Defect(
        "a state of long ago lies about on one runner",
        "production",
        symptoms=(
            Symptom(
                "B4",
                "Nothing that holds state stays on a runner",
                ("expected no file that holds state on runner02; observed /home/pipeline/network/terraform.tfstate",),
            ),
        ),
        healthy=("V5", "T3", "S4"),
        alter=only("runner02", added("/home/pipeline/network/terraform.tfstate", OLD_STATE)),
        selection="short",
    ),
    Defect(
        "the disk of one runner is full",
        "single",
        symptoms=(
            Symptom("V5", "Each runner's change is seen by all others", ("expected runner02", "observed", "No space left on device")),
        ),
        healthy=("V2", "V6", "S5"),
        after_boot=ran("runner02", "mount -t tmpfs -o size=8k,mode=1777 tmpfs /tmp", "head -c 8192 /dev/zero > /tmp/core"),
        selection="short",
    ),
    Defect(
        "one runner uses credentials of nobody",
        "single",
        symptoms=(
            Symptom("V5", "Each runner's change is seen by all others", ("expected runner02", "observed", "InvalidAccessKeyId")),
            Symptom("S3", "The settings of every runner are accepted without a warning", ("to succeed on runner02; observed",)),
        ),
        healthy=("V1", "V2", "S4"),
        alter=only("runner02", edited(CREDENTIALS, "tofu-runner", "tofu-runer")),
        selection="short or smoke",
    ),
    Defect(
        "one runner has settings of long ago",
        "single",
        symptoms=(
            Symptom(
                "S3",
                "The settings of every runner are accepted without a warning",
                ("expected no outdated argument on runner02; observed endpoint (use endpoints), force_path_style (use use_path_style)",),
            ),
        ),
        healthy=("V5", "V3", "T1"),
        alter=only(
            "runner02",
            edited(BACKEND_SETTINGS, "endpoints                   = { s3 = ", "endpoint = "),
            edited(BACKEND_SETTINGS, '9000" }', '9000"'),
            edited(BACKEND_SETTINGS, "use_path_style  ", "force_path_style"),
        ),
        selection="short",
    ),
    Defect(
        "one runner was finished by hand",
        "production",
        symptoms=(Symptom("B9", "A runner made from nothing works at once", ("expected runner03 to plan no changes", "observed")),),
        healthy=("V2", "V6", "S4"),
        alter=only("runner03", edited(CREDENTIALS, "tofu-runner", "CHANGE-ME")),
        after_boot=ran("runner03", f"sed -i s/CHANGE-ME/tofu-runner/ {CREDENTIALS}"),
        selection="short",
    ),
    Defect(
        "host keys have no certificates",
        "production",
        symptoms=(
            Symptom(
                "V8", "Jobs run one after another, on different runners", ("expected job 1 of 6 to succeed; observed", "10.1.0.102:9000")
            ),
            Symptom(
                "B7", "What a pipeline is given names no runner", ("expected every connection to 10.1.0.102:9000 to be answered; observed",)
            ),
            Symptom(
                "H35",
                "A machine that cannot prove who it is gets nobody's trust",
                ("expected to be served by ['runner01', 'runner02']; observed []",),
            ),
        ),
        healthy=("V5", "S5", "T1"),
        alter=every(Role.RUNNER, edited(SSHD, "HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub\n", "")),
        selection="short",
    ),
    Defect(
        "one runner takes few logins at once",
        "production",
        symptoms=(Symptom("H29", "A hundred pipelines begin at once", ("expected connection", "of 100 to 10.1.0.102:9000", "observed")),),
        healthy=("S5", "T3", "S4"),
        alter=only("runner02", edited("/etc/ssh/sshd_config.d/reference.conf", "MaxStartups 100:30:200\n", "")),
        selection="short",
    ),
)
