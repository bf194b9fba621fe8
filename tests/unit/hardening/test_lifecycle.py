"""Which lifecycle rules can remove versions of a state."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from minio.commonconfig import DISABLED, ENABLED, AndOperator, Filter, Tag, Tags
from minio.lifecycleconfig import Expiration, NoncurrentVersionExpiration, Rule

from probes.lifecycle import in_words

EVERYTHING = Filter(prefix="")
OLD_VERSIONS = NoncurrentVersionExpiration(noncurrent_days=30)


@pytest.mark.parametrize(
    "rule",
    [
        Rule(ENABLED, rule_filter=EVERYTHING, rule_id="old", noncurrent_version_expiration=OLD_VERSIONS),
        Rule(ENABLED, rule_filter=Filter(prefix="dev/"), rule_id="old", noncurrent_version_expiration=OLD_VERSIONS),
        Rule(ENABLED, rule_filter=EVERYTHING, rule_id="old", expiration=Expiration(days=30)),
    ],
)
def test_a_rule_that_removes_states_is_told(rule: Rule) -> None:
    assert "rule old" in in_words(rule)
    assert "30 days" in in_words(rule)


@pytest.mark.parametrize(
    "rule",
    [
        Rule(DISABLED, rule_filter=EVERYTHING, noncurrent_version_expiration=OLD_VERSIONS),
        Rule(ENABLED, rule_filter=Filter(prefix="dev/a.tfstate.tflock"), noncurrent_version_expiration=OLD_VERSIONS),
        Rule(ENABLED, rule_filter=Filter(tag=Tag("kind", "lock")), noncurrent_version_expiration=OLD_VERSIONS),
        Rule(ENABLED, rule_filter=EVERYTHING, expiration=Expiration(expired_object_delete_marker=True)),
    ],
)
def test_a_rule_that_spares_states_is_not(rule: Rule) -> None:
    assert not in_words(rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            Rule(ENABLED, rule_filter=Filter(prefix="dev/"), rule_id="old", noncurrent_version_expiration=OLD_VERSIONS),
            "rule old on dev/ removes old versions after 30 days",
        ),
        (
            Rule(ENABLED, rule_filter=EVERYTHING, noncurrent_version_expiration=NoncurrentVersionExpiration(newer_noncurrent_versions=3)),
            "rule without a name on all objects removes old versions after 0 days",
        ),
        (
            Rule(ENABLED, rule_filter=EVERYTHING, rule_id="x", expiration=Expiration(days=9), noncurrent_version_expiration=OLD_VERSIONS),
            "rule x on all objects removes old versions after 30 days and removes objects after 9 days",
        ),
    ],
)
def test_a_rule_is_told_in_words(rule: Rule, words: str) -> None:
    assert in_words(rule) == words


def test_a_rule_without_a_filter_is_about_everything() -> None:
    rule = SimpleNamespace(status=ENABLED, rule_filter=None, rule_id="x", noncurrent_version_expiration=OLD_VERSIONS, expiration=None)
    assert in_words(cast("Rule", rule)) == "rule x on all objects removes old versions after 30 days"


def test_rules_about_locks_alone_are_not_about_states() -> None:
    both = Filter(and_operator=AndOperator(prefix="dev/", tags=Tags.new_object_tags()))
    assert in_words(Rule(ENABLED, rule_filter=both, noncurrent_version_expiration=OLD_VERSIONS)) == ""
    rule = Rule(ENABLED, rule_filter=Filter(prefix="dev/a.tfstate.tflock/"), rule_id="x", noncurrent_version_expiration=OLD_VERSIONS)
    assert in_words(rule)
