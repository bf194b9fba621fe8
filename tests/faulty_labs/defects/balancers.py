"""Defects of the balancers: whom they send connections to, how they find out who is well, and what they let strangers do."""

from __future__ import annotations

from model.topology import Role
from tests.faulty_labs.defects.defect import Defect, Symptom, edited, every, only

HAPROXY = "/etc/haproxy/haproxy.cfg"

DEFECTS = (
    Defect(
        "one runner is missing in the pool",
        "single",
        symptoms=(
            Symptom("S5", "Every balancer is set up soundly", ("expected runner02 in a pool of balancer01", "observed", "runner01")),
            Symptom("V6", "Every healthy runner is used, and each is who it says it is", ("expected runner02 to answer", "observed")),
        ),
        healthy=("V2", "V8", "S4"),
        alter=only("balancer01", edited(HAPROXY, "    server runner02 10.1.0.104:22\n", "")),
    ),
    Defect(
        "the runner endpoint is on another port",
        "single",
        symptoms=(
            Symptom("V8", "Jobs run one after another, on different runners", ("expected", "10.1.0.102:9000", "observed", "refused")),
            Symptom("V6", "Every healthy runner is used, and each is who it says it is", ("expected", "10.1.0.102:9000", "refused")),
            Symptom("V4", "The second runner is told who holds the lock", ("expected", "10.1.0.102:9000", "observed", "refused")),
            Symptom("T3", "The next job on another runner has nothing to do", ("expected", "10.1.0.102:9000", "observed", "refused")),
        ),
        healthy=("V2", "V5", "T1"),
        alter=only("balancer01", edited(HAPROXY, "bind 10.1.0.102:9000", "bind 10.1.0.102:9022")),
    ),
    Defect(
        "a connection is never sent to another runner",
        "production",
        symptoms=(
            Symptom(
                "B8",
                "The SSH service of a runner stops",
                ("expected every connection to 10.1.0.102:9000 opened after SSH stopped on runner", "to be answered; observed", "failed"),
            ),
        ),
        healthy=("S5", "V6"),
        alter=every(Role.BALANCER, edited(HAPROXY, "    option redispatch\n", "")),
        selection="short",
    ),
    Defect(
        "a runner is given up after 30 failed checks only",
        "production",
        symptoms=(
            Symptom(
                "V7",
                "The SSH service of a runner stops",
                ("expected that no balancer has runner", "in rotation within 20 s", "observed", "of 20 s"),
            ),
        ),
        healthy=("S5", "V6"),
        # Without the faster checks of the reference: with them a refusing runner is given up after 16.5 s, and only a
        # silent one would be too late, after 46 s.
        alter=every(Role.BALANCER, edited(HAPROXY, "inter 2s fastinter 500ms downinter 1s rise 2 fall 3", "inter 800ms rise 2 fall 30")),
        selection="short",
    ),
    Defect(
        "one runner is not checked, so it counts as up when it is dead",
        "production",
        symptoms=(
            Symptom("S5", "Every balancer is set up soundly", ("expected balancer01 to check runner03; observed that it does not",)),
            Symptom(
                "V6", "A runner without SSH service gets no connection", ("expected", "runner03", "balancer01", "observed", "no check")
            ),
        ),
        healthy=("H21", "T3"),
        alter=every(Role.BALANCER, edited(HAPROXY, "server runner03 10.1.0.105:22\n", "server runner03 10.1.0.105:22 no-check\n")),
        selection='short or (check(id="V6") and disruptive)',
    ),
    Defect(
        "a silent session is cut after 50 seconds",
        "production",
        symptoms=(
            Symptom(
                "H21",
                "The idle limits leave room for a long apply",
                ("expected balancer02 to let a session be silent for 1 h; observed 50 s",),
            ),
        ),
        healthy=("S5", "V8"),
        alter=only("balancer02", edited(HAPROXY, "    timeout tunnel 12h\n", "")),
        selection="short",
    ),
    Defect(
        "the statistics page takes a stranger's orders",
        "production",
        symptoms=(
            Symptom(
                "H34", "The statistics page takes no orders", ("expected balancer02 to refuse a stranger's order; observed 303", "st=")
            ),
        ),
        healthy=("S5", "V6"),
        alter=only("balancer02", edited(HAPROXY, "    stats enable\n", "    stats enable\n    stats admin if TRUE\n")),
        selection="short",
    ),
)
