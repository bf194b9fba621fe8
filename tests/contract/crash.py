"""A process that makes a lab, says so, and holds it until its standard input ends; started by the tests to be killed."""

from __future__ import annotations

import sys

from model.topology import topology
from provisioning import drivers


def main() -> None:
    """Make a lab of the given name; `kept` as second argument keeps it and ends."""
    driver = drivers.embedded()
    lab = driver.provision(topology("single", runners=2), sys.argv[1])
    if sys.argv[2:] == ["kept"]:
        driver.keep(lab)
        return
    sys.stdout.write("up\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
