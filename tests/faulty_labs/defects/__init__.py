"""Labs that are defective on purpose: what is wrong with each, which checks must say so, and which must not mind."""

from __future__ import annotations

from tests.faulty_labs.defects import addresses, balancers, fronts, locks, other_stores, runners, storage
from tests.faulty_labs.defects.changes import added, only
from tests.faulty_labs.defects.defect import Defect

INIT = "/usr/lib/systemd/systemd"

DEFECTS = (
    *storage.DEFECTS,
    *fronts.DEFECTS,
    *other_stores.DEFECTS,
    *locks.DEFECTS,
    *runners.DEFECTS,
    *balancers.DEFECTS,
    *addresses.DEFECTS,
)
"""Every one must be found. One more is cheap: add one with every check."""

NO_SYSTEM = Defect(
    "one machine does not boot",
    "single",
    symptoms=(),
    healthy=(),
    alter=only("runner02", added(INIT, "#!/bin/sh\necho no operating system found\nexit 1\n", 0o755)),
)
"""This one cannot be judged: nobody can say what such a lab would promise."""

BY_NAME = {defect.name: defect for defect in (*DEFECTS, NO_SYSTEM)}
