"""Defects of what moves the addresses between the balancers."""

from __future__ import annotations

from tests.faulty_labs.defects.changes import edited, not_at_boot, only
from tests.faulty_labs.defects.deeds import pulled_plug
from tests.faulty_labs.defects.defect import Defect, Symptom

KEEPALIVED = "/etc/keepalived/keepalived.conf"

DEFECTS = (
    Defect(
        "keepalived is off on the standby balancer",
        "production",
        symptoms=(
            Symptom(
                "H42", "Every service starts at boot", ("expected keepalived.service to be active on balancer02; observed that it is not",)
            ),
            Symptom(
                "B3",
                "HAProxy stops on the balancer that has the address",
                ("expected that another balancer than balancer01 has the addresses", "within 5 s", "observed", "10.1.0.102: nobody"),
            ),
        ),
        healthy=("S5", "T3", "V2"),
        alter=only("balancer02", not_at_boot("keepalived.service")),
        selection="short",
    ),
    Defect(
        "both balancers have the addresses",
        "production",
        symptoms=(
            Symptom(
                "B3",
                "HAProxy stops on the balancer that has the address",
                ("expected one balancer to have 10.1.0.102; observed balancer01 and balancer02",),
            ),
        ),
        healthy=("S5", "H42", "S1"),
        alter=only("balancer02", edited(KEEPALIVED, "virtual_router_id 51", "virtual_router_id 52")),
        selection="short",
    ),
    Defect(
        "there is one balancer only",
        "production",
        symptoms=(
            Symptom(
                "B3",
                "HAProxy stops on the balancer that has the address",
                ("expected that another balancer than balancer01 has the addresses", "within 5 s", "observed", "10.1.0.102: nobody"),
            ),
        ),
        healthy=("V2", "V8", "T3"),
        after_boot=pulled_plug("balancer02"),
        selection="short",
    ),
)
