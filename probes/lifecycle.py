"""Lifecycle rules of a bucket, judged by whether they can remove versions of a state."""

from __future__ import annotations

from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import Rule

LOCKS = ".tflock"


def in_words(rule: Rule) -> str:
    """What a rule does to versions of states.

    Args:
        rule: As the store has it.

    Returns:
        Empty when it is not in force, removes nothing, or is about lock objects only (a prefix that is a lock's key, or a
        tag, which OpenTofu sets on locks by `lock_tags`); else a sentence.
    """
    if rule.status != ENABLED or _only_locks(rule.rule_filter):
        return ""
    deeds = []
    if rule.noncurrent_version_expiration is not None:
        deeds.append(f"removes old versions after {rule.noncurrent_version_expiration.noncurrent_days or 0} days")
    if rule.expiration is not None and (rule.expiration.days or rule.expiration.date):
        deeds.append(f"removes objects after {rule.expiration.days or rule.expiration.date} days")
    where = (rule.rule_filter.prefix if rule.rule_filter is not None else "") or "all objects"
    return f"rule {rule.rule_id or 'without a name'} on {where} {' and '.join(deeds)}" if deeds else ""


def _only_locks(rule_filter: Filter | None) -> bool:
    if rule_filter is None:
        return False
    return (rule_filter.prefix or "").endswith(LOCKS) or rule_filter.tag is not None or rule_filter.and_operator is not None
