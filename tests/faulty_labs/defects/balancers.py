"""Defects of the balancers: whom they send connections to, how they find out who is well, and what they let strangers do."""

from __future__ import annotations

from model.topology import Role
from tests.faulty_labs.defects.changes import HAPROXY, edited, every, not_at_boot, only
from tests.faulty_labs.defects.deeds import ran, ran_on
from tests.faulty_labs.defects.defect import Defect, Symptom

NO_REFUSALS = (
    "nft add table inet quiet",
    "nft add chain inet quiet in '{ type filter hook input priority 0; }'",
    "nft add rule inet quiet in tcp sport 22 tcp flags \\& rst == rst drop",
)

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
        healthy=("S5", "V6", "S1"),
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
        healthy=("S5", "V6", "S1"),
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
        healthy=("H21", "T3", "V2"),
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
        healthy=("S5", "V8", "V2"),
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
        healthy=("S5", "V6", "H31"),
        alter=only("balancer02", edited(HAPROXY, "    stats enable\n", "    stats enable\n    stats admin if TRUE\n")),
        selection="short",
        sampled=True,
    ),
    Defect(
        "no runner is checked",
        "production",
        symptoms=(
            Symptom("S5", "Every balancer is set up soundly", ("expected balancer01 to check runner01; observed that it does not",)),
            Symptom("T2", "As the guide tries it", ("expected", "runner0", "observed")),
            Symptom(
                "B2", "One runner alone still does the work", ("expected that no balancer has runner01 in rotation", "observed", "no check")
            ),
        ),
        healthy=("V2", "V5", "V8"),
        alter=every(Role.BALANCER, edited(HAPROXY, "    default-server check inter 2s fastinter 500ms downinter 1s rise 2 fall 3\n", "")),
        selection="short",
    ),
    Defect(
        "runners are checked on the wrong port",
        "single",
        symptoms=(
            Symptom(
                "V6",
                "Every healthy runner is used, and each is who it says it is",
                ("expected connection 1 of 12 to 10.1.0.102:9000 to be answered; observed",),
            ),
            Symptom("V8", "Jobs run one after another, on different runners", ("expected job 1 of 6", "10.1.0.102:9000", "observed")),
        ),
        healthy=("V2", "V5", "T1"),
        alter=every(Role.BALANCER, edited(HAPROXY, "tcp-check connect port 22\n", "tcp-check connect port 2222\n")),
        selection="short",
    ),
    Defect(
        "runners are checked by a handshake only",
        "production",
        symptoms=(
            Symptom(
                "H22",
                "A service that shakes hands but says nothing is noticed",
                ("expected that no balancer has runner", "in rotation within 20 s; observed", "'balancer01': 'UP'"),
            ),
        ),
        healthy=("S5", "V6", "V7"),
        alter=every(
            Role.BALANCER,
            edited(HAPROXY, "    tcp-check connect port 22\n", ""),
            edited(HAPROXY, "    tcp-check expect rstring ^SSH-2\\.0-\n", ""),
        ),
        selection="short",
    ),
    Defect(
        "everybody is sent to the same runner",
        "production",
        symptoms=(
            Symptom(
                "V6",
                "Every healthy runner is used, and each is who it says it is",
                ("expected runner0", "to answer some of 12", "observed"),
            ),
            Symptom("V8", "Jobs run one after another, on different runners", ("expected more than one runner", "observed only runner0")),
            Symptom(
                "H28",
                "No runner gets less than half its share",
                (
                    "expected runner0",
                    "to answer 10 connections or more; observed {'runner0",
                ),
            ),
            Symptom(
                "B7", "What a pipeline is given names no runner", ("expected to reach ['runner01', 'runner02', 'runner03']; observed",)
            ),
        ),
        healthy=("V5", "S5", "T1"),
        alter=every(Role.BALANCER, edited(HAPROXY, "balance static-rr", "balance source")),
        selection="short",
    ),
    Defect(
        "one runner gets hardly any work",
        "production",
        symptoms=(
            Symptom("H28", "No runner gets less than half its share", ("expected runner01 to answer 10 connections or more; observed {",)),
        ),
        healthy=("S5", "V8", "V5"),
        alter=every(
            Role.BALANCER,
            edited(HAPROXY, "10.1.0.104:22\n", "10.1.0.104:22 weight 8\n"),
            edited(HAPROXY, "10.1.0.105:22\n", "10.1.0.105:22 weight 8\n"),
        ),
        selection="short",
    ),
    Defect(
        "the statistics page is off",
        "single",
        symptoms=(Symptom("S5", "Every balancer is set up soundly", ("expected the statistics of balancer01; observed",)),),
        healthy=("V5", "V8", "T3"),
        alter=only("balancer01", edited(HAPROXY, "    stats enable\n    stats uri /stats\n    stats refresh 30s\n", "")),
        selection="short",
    ),
    Defect(
        "the statistics page is on another port",
        "single",
        symptoms=(Symptom("S5", "Every balancer is set up soundly", ("expected the statistics of balancer01; observed",)),),
        healthy=("V5", "V8", "T3"),
        alter=only("balancer01", edited(HAPROXY, "bind *:8404", "bind *:8405")),
        selection="short",
    ),
    Defect(
        "the runner endpoint speaks HTTP",
        "single",
        symptoms=(
            Symptom("V8", "Jobs run one after another, on different runners", ("expected job 1 of 6", "10.1.0.102:9000", "observed")),
        ),
        healthy=("V2", "V5", "T1"),
        alter=only("balancer01", edited(HAPROXY, "    bind 10.1.0.102:9000\n", "    bind 10.1.0.102:9000\n    mode http\n")),
        selection="short",
    ),
    Defect(
        "sessions to a dead runner are left hanging",
        "production",
        symptoms=(
            Symptom(
                "H23",
                "Whoever worked on the dead machine is told",
                ("expected that no session with runner0", "within 30 s; observed"),
            ),
        ),
        healthy=("S5", "V6", "H21"),
        alter=every(Role.BALANCER, edited(HAPROXY, "    lua-load /etc/haproxy/end_sessions.lua\n", "")),
        selection="short",
    ),
    Defect(
        "HAProxy does not start at boot on one balancer",
        "production",
        symptoms=(
            Symptom("S5", "Every balancer is set up soundly", ("expected haproxy.service to be enabled at boot on balancer02; observed",)),
            Symptom("H42", "Every service starts at boot", ("expected haproxy.service to be enabled at boot on balancer02; observed",)),
        ),
        healthy=("V6", "V8", "V2"),
        alter=only("balancer02", not_at_boot("haproxy.service")),
        after_boot=ran("balancer02", "systemctl start haproxy.service"),
        selection="short",
    ),
    Defect(
        "a firewall before the balancers swallows refusals",
        "production",
        symptoms=(
            Symptom(
                "H27",
                "A stopped service is noticed as fast as the settings say",
                ("expected that no balancer has runner", "in rotation within 4 s; observed"),
            ),
        ),
        healthy=("V7", "V6", "S5"),
        after_boot=ran_on(Role.BALANCER, *NO_REFUSALS),
        selection="short",
    ),
)
