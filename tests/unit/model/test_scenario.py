"""What a scenario's tags say: where it makes sense, what it breaks, what it needs; and what stands in its way in a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.catalogue import Catalogue, Check
from model.coverage import concerned, forbidden, lacking
from model.lab import Ability, Fleet, Lab, Machine, PublishedKeys, Store
from model.run import Setting
from model.scenario import Scenario
from model.tags import DISRUPTIONS
from model.topology import topology
from model.verdicts import Gate
from tests.unit.stand_in import StandIn

EVERYWHERE = Check.model_validate({"id": "V1", "sentence": "It works", "source": "item 1"})
ON_PRODUCTION = Check.model_validate({"id": "B1", "sentence": "It lasts", "source": "text", "topologies": ["production"]})
CATALOGUE = Catalogue((EVERYWHERE, ON_PRODUCTION))


def tagged(*tags: str, checks: tuple[str, ...] = ("V1",), defects: tuple[str, ...] = (), parameter: str = "") -> Scenario:
    path = Path("fleet/a.feature")
    return Scenario("n", path, str(path), 7, "T", "T", "t", parameter=parameter, tags=frozenset(tags), checks=checks, defects=defects)


def fits(scenario: Scenario, where: str = "production", tier: str = "gate") -> bool:
    return scenario.fits(where, "embedded", tier, CATALOGUE)


def test_it_is_named_by_its_title_and_row() -> None:
    assert (tagged().name, tagged().folder, tagged().where) == ("t", "a.t", "fleet/a.feature:7")
    row = tagged(parameter="4-two words/x")
    assert (row.name, row.folder) == ("t[4-two words/x]", "a.t.4-two_words_x")


@pytest.mark.parametrize(
    ("tags", "tier", "runs_in"),
    [((), "gate", ["gate", "thorough"]), (("short",), "short", ["short", "gate", "thorough"]), (("thorough",), "thorough", ["thorough"])],
)
def test_it_runs_in_its_tier_and_in_larger_ones(tags: tuple[str, ...], tier: str, runs_in: list[str]) -> None:
    assert tagged(*tags).tier == tier
    assert [each for each in ("short", "gate", "thorough") if fits(tagged(*tags), tier=each)] == runs_in


def test_it_makes_sense_where_its_tags_say_and_where_one_of_its_checks_is_required() -> None:
    assert fits(tagged("topology:production"))
    assert not fits(tagged("topology:single"))
    assert not fits(tagged(checks=("B1",)), "single")
    assert fits(tagged(checks=("B1", "V1")), "single")


def test_a_defective_one_is_never_overlooked() -> None:
    assert fits(tagged("topology:single", "thorough", checks=(), defects=("a.feature:7: no check",)))


def test_what_it_breaks() -> None:
    assert (tagged().disrupts, tagged().disruptive) == (frozenset(), False)
    assert tagged("disruptive").disrupts == set(DISRUPTIONS)
    assert tagged("disruptive:runner", "disruptive:quorum", "needs:cut-power").disrupts == {"runner", "quorum"}


def test_what_it_needs() -> None:
    assert tagged("needs:cut-power", "disruptive:runner").needs == {"CUT_POWER"}


@pytest.fixture
def lab() -> Lab:
    plan = topology("production")
    machines: dict[str, Machine] = {spec.name: StandIn(spec) for spec in plan.machines}
    return Lab(
        "l",
        "fake",
        plan,
        machines,
        Fleet(plan.runner_endpoint, "p", Path("/k"), PublishedKeys("")),
        Store(plan.storage_endpoint, "b", "a", "s"),
    )


def test_machines_that_it_breaks_are_those_that_it_concerns(lab: Lab) -> None:
    assert {machine.name for machine in concerned(lab, tagged("disruptive:balancer"))} == {"balancer01", "balancer02"}
    assert len(concerned(lab, tagged())) == len(lab.machines)


def test_an_ability_that_somebody_lacks_is_named_with_them(lab: Lab) -> None:
    scenario = tagged("disruptive:balancer", "needs:cut-power", "needs:control")
    assert lacking(lab, scenario) == f"nobody can {Ability.CUT_POWER.value}: balancer01, balancer02"
    lab.machines["balancer02"].abilities = frozenset(Ability)  # type: ignore[misc]
    assert lacking(lab, scenario) == f"nobody can {Ability.CUT_POWER.value}: balancer01"
    assert lacking(lab, tagged("needs:control")) == ""


def test_what_is_not_permitted_is_named_and_what_it_takes(lab: Lab) -> None:
    setting = Setting("existing", "production", "gate", Gate.ALL, permitted=("runner",))
    assert forbidden(setting, tagged("disruptive:runner")) == ""
    assert setting.permits(tagged("disruptive:runner"))
    said = forbidden(setting, tagged("disruptive:runner", "disruptive:storage", "disruptive:quorum"))
    assert said.startswith("disruption of quorum, storage is not permitted on this lab (it takes --allow-disruption")
    assert not setting.permits(tagged("disruptive:storage"))
