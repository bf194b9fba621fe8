"""A lab's network: one namespace with a bridge, a namespace and a cable for each machine."""

from __future__ import annotations

from pathlib import Path

from model.topology import GATEWAY, NETWORK_PREFIX
from provisioning.embedded.commands import run
from provisioning.embedded.names import PREFIX, LabNames
from provisioning.namespaces import NAMESPACES, enter_namespace

BRIDGE = "br0"


class LabNetwork:
    """The network of one lab."""

    def __init__(self, names: LabNames) -> None:
        """Name it; nothing is made yet."""
        self._names = names

    def create(self) -> None:
        """Make the lab's namespace with its bridge, which has the gateway's address."""
        name = self._names.network
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "-batch", "-", stdin=f"""link set lo up
link add {BRIDGE} type bridge forward_delay 0
addr add {GATEWAY}/{NETWORK_PREFIX} dev {BRIDGE}
link set {BRIDGE} up
""")  # fmt: skip

    def plug_in(self, machine: str, address: str, hardware: str = "") -> None:
        """Give a machine a fresh network: a namespace with an interface `host0`, and a cable into the bridge.

        Args:
            machine: Its name.
            address: Its own.
            hardware: Address of its network card; made of the other one, unless given.
        """
        outer, inner = self._names.network, self._names.machine(machine)
        run("ip", "netns", "add", inner)
        run(
            "ip",
            "-n",
            outer,
            "link",
            "add",
            cable(machine),
            "type",
            "veth",
            "peer",
            "name",
            "host0",
            "netns",
            inner,
            "address",
            hardware or mac(address),
        )
        run("ip", "-n", outer, "link", "set", cable(machine), "master", BRIDGE, "up")
        run("ip", "-n", inner, "-batch", "-", stdin=f"""link set lo up
addr add {address}/{NETWORK_PREFIX} dev host0
link set host0 up
route add default via {GATEWAY}
""")  # fmt: skip

    def unplug_for_good(self, machine: str) -> None:
        """Remove a machine's network with everything it held (virtual addresses, filters): nobody answers there any more."""
        run("ip", "-n", self._names.network, "link", "del", cable(machine), check=False)
        run("ip", "netns", "del", self._names.machine(machine), check=False)

    def set_cable(self, machine: str, *, up: bool) -> None:
        """Pull or put back a machine's cable; its interface stays as it is."""
        run("ip", "-n", self._names.network, "link", "set", cable(machine), "up" if up else "down")

    def namespace_of(self, machine: str) -> Path:
        """Where a machine's namespace is mounted."""
        return NAMESPACES / self._names.machine(machine)

    def enter(self) -> None:
        """Move the calling thread into the lab's network: its addresses mean the lab's machines from now on.

        Processes and threads that it starts inherit this (setns(2)).
        """
        with (NAMESPACES / self._names.network).open("rb") as namespace:
            enter_namespace(namespace.fileno())

    def remove(self) -> None:
        """Remove every namespace of the lab."""
        for name in namespaces():
            if self._names.owns(name):
                run("ip", "netns", "del", name, check=False)


def cable(machine: str) -> str:
    """The bridge's end of a machine's cable (15 characters at most)."""
    return f"v-{machine}"[:15]


def mac(address: str) -> str:
    """A machine's hardware address, the same after each boot and rebuild, as a hypervisor keeps it."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def namespaces() -> list[str]:
    """Names of all namespaces on this host that are ours."""
    return sorted(path.name for path in NAMESPACES.glob(f"{PREFIX}-*"))
