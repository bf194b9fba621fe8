"""The few errors of the suite, each named after what the person who reads it can do."""

from __future__ import annotations


class PromiseBroken(AssertionError):
    """The lab broke a promise: the scenario is *failed*."""


class DeadlineMissed(PromiseBroken):
    """Something promised within a time did not happen within it."""


class AcceptanceError(Exception):
    """Base of what keeps us from telling: the scenario is *inconclusive*."""


class LabUnavailable(AcceptanceError):
    """There is no way into the lab, or it could not be built."""


class MachineDidNotBoot(LabUnavailable):
    """A machine's control channel never answered; the message ends with the console's last lines."""


class ControlChannelLost(AcceptanceError):
    """A command on a machine could not be run or did not end in time (the channel failed, not the command)."""


class FaultHadNoEffect(AcceptanceError):
    """A fault was injected, but its effect could not be seen from outside."""


class UnsafeLab(AcceptanceError):
    """What was asked for could harm a lab; nothing was started."""


class LabInUse(UnsafeLab):
    """Somebody else's run works in the lab; the message names it, and until when."""


class AbilityMissing(AcceptanceError):
    """The lab's driver cannot do this to this machine: the scenario is *not run*."""


class ToolMissing(AcceptanceError):
    """A program or image is not there; the message names the one command that makes it."""


class ToolTooOld(AcceptanceError):
    """A program is there, but its version cannot keep the promises that are tested."""


class HostUnfit(AcceptanceError):
    """This host lacks something (root, a program, a kernel ability); the message names the remedy."""


class BadInput(AcceptanceError):
    """An option, name or file given by the user is wrong; the message lists what is valid."""


class Unreadable(AcceptanceError, ValueError):
    """Another program, or the store, said something that is not what it should be; the message names what was read."""
