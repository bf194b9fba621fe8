"""The command `check`: can a lab be tested, what of the suite can run there, what it would do. Changes nothing."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from model.catalogue import Catalogue
from model.coverage import forbidden, lacking
from model.errors import AcceptanceError
from model.features import read_features
from model.lab import Lab
from model.run import Setting, newest_durations
from model.scenario import Scenario
from model.verdicts import Gate
from provisioning import drivers
from provisioning.cli.telling import FAILED, OUT, say
from provisioning.existing.driver import ExistingDriver
from provisioning.existing.preflight import abilities_missing, look_over, shut_out
from provisioning.existing.reading import driver_named_in
from provisioning.hostcheck import Finding
from provisioning.proxmox.preflight import look_over as look_over_cluster
from provisioning.proxmox.preflight import warnings

ROOT = Path(__file__).parents[2]
NO_WAY_IN = 10
UNKNOWN_SECONDS = 15.0


@dataclass
class Checked:
    """What `check` found.

    Attributes:
        findings: All looks, good ones included.
        missing: Abilities that the lab file gives no commands for.
        lab: As it was connected; None where that failed.
        seconds: Of all of it.
    """

    findings: list[Finding] = field(default_factory=list)
    missing: list[Finding] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def bad(self) -> list[Finding]:
        """What will not do."""
        return [finding for finding in self.findings if not finding.ok]

    @property
    def shut_out(self) -> bool:
        """Whether nothing answers at all."""
        return shut_out(self.findings)


def look_at(driver: ExistingDriver, scenarios: Sequence[Scenario] = (), setting: Setting | None = None) -> Checked:
    """Look a lab over, in a thread of its own: the caller stays in its network.

    Args:
        driver: For the lab of a file; its connections are closed afterwards.
        scenarios: What might run.
        setting: With what is permitted.
    """
    checked, failure = Checked(), list[BaseException]()

    def work() -> None:
        started = time.monotonic()
        try:
            lab = driver.connect(driver.file.plan())
            try:
                driver.enter(lab)
                checked.findings = look_over(lab)
                checked.missing = abilities_missing(lab)
                checked.reasons = dict(_obstacles(lab, scenarios, setting))
            finally:
                driver.remove(lab)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            failure.append(error)
        checked.seconds = time.monotonic() - started

    thread = threading.Thread(target=work, name="preflight")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return checked


def _obstacles(lab: Lab, scenarios: Sequence[Scenario], setting: Setting | None) -> Iterator[tuple[str, str]]:
    for scenario in scenarios:
        if reason := (forbidden(setting, scenario) if setting else "") or lacking(lab, scenario):
            yield scenario.nodeid, reason


def check(
    path: Annotated[Path, typer.Argument(metavar="LAB", help="The lab file; docs/your-own-lab.md begins one with you.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look whether a lab can be tested: machines, keys, root, versions, store, statistics, power. Changes nothing; 20 s at most.

    Of a lab that is made on Proxmox VE it looks at the cluster: token and rights, nodes, template, storage, names, addresses.

    Says which checks can run there, which not and why, how long they take and what they disrupt. Exit status 1 where something
    will not do, 10 where there is no way in at all.

    For example:

      python -m provisioning check labs/my-lab.toml
    """
    if driver_named_in(path) == "proxmox":
        _check_cluster(path, as_json=as_json)
        return
    driver = drivers.existing(path)
    catalogue = Catalogue.load(ROOT / "features/checklist.toml")
    setting = Setting(driver.name, driver.file.topology, "gate", Gate.ALL, permitted=driver.file.permitted)
    scenarios = [
        each
        for each in read_features(ROOT / "features", ROOT, catalogue)
        if each.fits(setting.topology, setting.driver, setting.tier, catalogue)
    ]
    checked = look_at(driver, scenarios, setting)
    if as_json:
        say(json.dumps({"findings": [asdict(each) for each in checked.findings], "not_run": checked.reasons}, indent=2))
    else:
        _tell(checked, scenarios, path)
        if driver.file.withheld:
            say(f"  {driver.file.withheld}")
    if checked.shut_out:
        raise typer.Exit(NO_WAY_IN)
    if checked.bad:
        raise typer.Exit(FAILED)


def _check_cluster(path: Path, *, as_json: bool) -> None:
    """Whether a lab can be made there; nothing is made."""
    started = time.monotonic()
    driver = drivers.proxmox(path)
    plan = driver.file.plan()
    checked = Checked(look_over_cluster(driver.cluster, driver.file, plan), warnings(driver.file, plan))
    checked.seconds = time.monotonic() - started
    driver.cluster.close()
    if as_json:
        say(json.dumps({"findings": [asdict(each) for each in checked.findings]}, indent=2))
    else:
        _table(checked)
    if len(checked.findings) == 1 and checked.shut_out:
        raise typer.Exit(NO_WAY_IN)
    if checked.bad:
        raise typer.Exit(FAILED)


def _table(checked: Checked) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "what", "found", "remedy"):
        table.add_column(title, overflow="fold")
    for finding in [*checked.findings, *checked.missing]:
        mark = Text("ok", "green") if finding.ok else Text("lacks", "bold red") if finding in checked.findings else Text("none", "yellow")
        table.add_row(mark, Text(finding.name), Text(finding.found), Text("" if finding.ok else finding.remedy))
    OUT.print(table, soft_wrap=False)
    bad = len(checked.bad)
    say(f"{len(checked.findings) - bad} of {len(checked.findings)} looks are fine, after {checked.seconds:.1f} s; nothing was changed")


def _tell(checked: Checked, scenarios: Sequence[Scenario], path: Path) -> None:
    _table(checked)
    runnable = [each for each in scenarios if each.nodeid not in checked.reasons]
    known = _durations()
    harmless = [each for each in runnable if not each.disruptive]
    for title, several, option in (("without harm", harmless, ""), ("in all that is permitted", runnable, " --allow-disruption")):
        seconds = sum(known.get(each.nodeid, UNKNOWN_SECONDS) for each in several)
        say(f"{title}: {len(several)} of {len(scenarios)} scenarios, about {seconds / 60:.0f} min: pytest features/ --lab {path}{option}")
    for part, count in sorted(Counter(part for each in runnable for part in each.disrupts).items()):
        say(f"  disrupts {part} in {count} scenarios")
    for reason, count in Counter(checked.reasons.values()).most_common():
        ids = sorted({check for each in scenarios if checked.reasons.get(each.nodeid) == reason for check in each.checks})
        say(f"  not run: {count} scenarios of {', '.join(ids)}: {reason}")


def _durations() -> dict[str, float]:
    """Seconds of scenarios, from records of runs on this host."""
    runs = []
    for file in sorted((ROOT / "reports/runs").glob("*/run.json"), reverse=True):
        try:
            runs.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, AcceptanceError):
            continue
    return newest_durations(runs)
