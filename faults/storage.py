"""Faults of a storage node's drive.

| done | a peer sees |
| --- | --- |
| storage full | the node answers, and writes nothing any more; what is there can be read |
"""

from __future__ import annotations

import re

from faults.control import answer, command
from faults.fault import GONE_WITHIN, Fault
from model.errors import AbilityMissing, FaultHadNoEffect, Unreadable
from model.lab import Ability, Machine
from model.remedy import Remedy
from model.waiting import wait_until
from probes.drives import MINIO, drive_of

FILLER = ".filled-by-a-fault"
BLOCK_BYTES = 4096

FILL = """
fallocate -l $(($(df --output=avail -B1 {drive} | tail -1) * 98 / 100)) {drive}/{filler}
dd if=/dev/zero of={drive}/{filler} bs=64k oflag=append conv=notrunc status=none 2>/dev/null
dd if=/dev/zero of={drive}/{filler} bs=4k oflag=append conv=notrunc status=none 2>/dev/null
sync -f {drive}
"""
TRY = "dd if=/dev/zero of={drive}/{filler}-try bs=64k count=1 conv=fsync status=none; status=$?; rm -f {drive}/{filler}-try; exit $status"


class StorageFull(Fault):
    """The drive of a storage node has no space left.

    It needs a drive with a file system of its own, else the machine itself would be full. Storage nodes of an embedded lab
    have one only where it is asked for (`Applied.drives`); elsewhere this fault is missing the ability.
    """

    ability = Ability.FILL_DRIVE
    title = "storage full"

    def __init__(self, machine: Machine) -> None:
        """Choose the storage node.

        Raises:
            AbilityMissing: It has no drive of its own.
        """
        super().__init__(machine)
        self.drive = ""

    def look_before(self) -> None:
        """Find the drive, and see that it can be written to.

        Raises:
            AbilityMissing: It has no file system of its own after all.
            FaultHadNoEffect: It is full already, or nobody uses it.
        """
        drive = drive_of(self.machine)
        if not drive:
            msg = f"{MINIO} on {self.machine.name} does not run, so that it is not known where it stores"
            raise FaultHadNoEffect(msg)
        if not self.machine.run(f"mountpoint -q {drive}").ok:
            msg = f"{drive} on {self.machine.name} has no file system of its own"
            raise AbilityMissing(msg)
        self.drive = drive
        if not self.can_write():
            msg = f"{drive} on {self.machine.name} is full already"
            raise FaultHadNoEffect(msg)

    def can_write(self) -> bool:
        """Whether 64 KiB find a place on the drive."""
        return self.machine.run(TRY.format(drive=self.drive, filler=FILLER)).ok

    def inject(self) -> None:
        """Fill the drive with a file of ours."""
        command(self.machine, FILL.format(drive=self.drive, filler=FILLER))

    def prove_effect(self) -> None:
        """Nothing more can be written, and no byte is free."""
        said = answer(self.machine, f"df --output=avail -B1 {self.drive} | tail -1")
        if not re.fullmatch("[0-9]+", said):
            raise Unreadable(f"what df said of {self.drive} on {self.machine.name} is no number: {said!r}")
        free = int(said)
        if self.can_write() or free >= BLOCK_BYTES:
            msg = f"{self.drive} on {self.machine.name} still has {free} bytes of space"
            raise FaultHadNoEffect(msg)

    def remedies(self) -> tuple[Remedy, ...]:
        """Remove the file."""
        if not self.drive:
            return ()
        return (Remedy(self.machine.name, f"rm -f {self.drive}/{FILLER} {self.drive}/{FILLER}-try"),)

    def prove_recovery(self) -> None:
        """The drive can be written to, and the machine answers."""
        wait_until(self.can_write, bool, what=f"{self.drive} on {self.machine.name} takes writes again", within=GONE_WITHIN)
        super().prove_recovery()
