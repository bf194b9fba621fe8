"""Defects of something that stands in front of the state store and means well: caches, gateways, stores that only look like S3."""

from __future__ import annotations

from model.topology import Role
from tests.faulty_labs.defects.changes import behind_front, every
from tests.faulty_labs.defects.deeds import both, bucket_open_to, settled
from tests.faulty_labs.defects.defect import Defect, Symptom

LOCK_REQUEST = "http-request set-var(txn.lock) bool(true) if { method PUT } { req.hdr(If-None-Match) -m found }"
FRONT = "the-front"
"""How the front tells who it is: the condition of a signed request cannot be dropped, so the front asks in its own name."""

DEFECTS = (
    Defect(
        "a front drops the condition of a lock request",
        "production",
        symptoms=(
            Symptom(
                "H01",
                "The second write is refused, also after the first was deleted",
                ("expected the second conditional write on storage01 to be refused; observed that it passed",),
            ),
            Symptom(
                "B6",
                "Many processes on all runners start at the same moment, 1 times",
                ("expected exactly one process to hold the lock", "observed", "runner01"),
            ),
            Symptom(
                "H06",
                "Whoever is kept out by its own lock can be told from others, and helped",
                ("expected a lock of runner01; observed pipeline@runner02",),
            ),
        ),
        healthy=("V2", "S5", "H32"),
        alter=every(
            Role.STORAGE,
            behind_front(
                LOCK_REQUEST,
                f"http-request set-header Referer {FRONT} if {{ var(txn.lock) -m bool }}",
                "http-request del-header Authorization if { var(txn.lock) -m bool }",
                "http-request del-header If-None-Match if { var(txn.lock) -m bool }",
            ),
        ),
        after_boot=both(settled, bucket_open_to("s3:PutObject", condition={"StringLike": {"aws:Referer": [FRONT]}})),
        selection="short or smoke",
    ),
    Defect(
        "a front says yes to every lock request",
        "production",
        symptoms=(
            Symptom(
                "H01",
                "The second write is refused, also after the first was deleted",
                ("expected the second conditional write on storage01 to be refused; observed that it passed",),
            ),
            Symptom(
                "V4",
                "The second runner is told who holds the lock",
                ("412 PreconditionFailed on runner0", "observed", "Error releasing the state lock"),
            ),
        ),
        healthy=("V2", "S5", "H32"),
        alter=every(
            Role.STORAGE, behind_front(LOCK_REQUEST, "http-response return status 200 if { var(txn.lock) -m bool } { status 412 }")
        ),
        selection="short or smoke",
    ),
    Defect(
        "a front answers 8 seconds late",
        "single",
        symptoms=(
            Symptom("V1", "The endpoint answers a signed request", ("expected 10.1.0.101:9000 to answer", "observed", "read timeout=5.0")),
            Symptom("V2", "The bucket is set up to keep versions", ("expected 10.1.0.101:9000 to answer", "observed", "read timeout=5.0")),
        ),
        healthy=("V6", "S4", "S5"),
        alter=every(Role.STORAGE, behind_front("mode tcp", "tcp-request inspect-delay 8s", "tcp-request content accept if WAIT_END")),
        selection="smoke or (short and not check(id='V2'))",
    ),
)
