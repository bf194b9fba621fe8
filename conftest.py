"""Which pytest plugins make up the suite, and nothing else. A plugin stands after those it imports."""

pytest_plugins = [
    "reports.plan",
    "reports.recorder",
    "fixtures.options",
    "fixtures.traps",
    "fixtures.sentences",
    "fixtures.measuring",
    "fixtures.collection",
    "fixtures.telling",
    "fixtures.verdicts",
    "fixtures.gate",
]
