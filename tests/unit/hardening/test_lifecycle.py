"""Which lifecycle rules can remove versions of a state."""

from __future__ import annotations

import pytest
from minio.commonconfig import DISABLED, ENABLED, Filter, Tag
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
