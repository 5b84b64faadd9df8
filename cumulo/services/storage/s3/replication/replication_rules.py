"""Replication configurations: their form, and which rules an object falls under.

Source: S3 User Guide, "Replicating objects within and across Regions", "Replication configuration file elements"; S3
API Reference, PutBucketReplication. A rule without a Filter is of the older form, V1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cumulo.core.errors import not_implemented
from cumulo.services.storage.s3.errors import INVALID_REQUEST, MALFORMED_XML

Rule = Mapping[str, Any]
MOST_RULES = 1000
_OPERATION = "PutBucketReplication"
_NEEDED = (
    "{member} must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 "
    "Developer Guide for more information."
)


def check(document: Mapping[str, Any]) -> None:
    """Refuse a configuration that AWS refuses, and by name what is not done. Raises MalformedXML, InvalidRequest."""
    rules = document["Rules"]
    if not rules:
        raise MALFORMED_XML()
    if len(rules) > MOST_RULES:
        raise INVALID_REQUEST(
            f"The number of replication rules must not exceed the allowed limit of {MOST_RULES} rules."
        )
    priorities: set[int] = set()
    ids: set[str] = set()
    for rule in rules:
        _check_rule(rule)
        if rule.get("ID"):
            if rule["ID"] in ids:
                raise INVALID_REQUEST("Rule ID must be unique. Found same ID for one or more rules.")
            ids.add(rule["ID"])
        if "Filter" in rule:
            if rule["Priority"] in priorities:
                raise INVALID_REQUEST("Found duplicate priorities. Priorities must be unique for each rule.")
            priorities.add(rule["Priority"])


def _check_rule(rule: Rule) -> None:
    if "Filter" in rule:
        if "Prefix" in rule:
            raise MALFORMED_XML()
        for member in ("Priority", "DeleteMarkerReplication"):
            if member not in rule:
                raise INVALID_REQUEST(_NEEDED.format(member=member))
        if _tags(rule) and rule["DeleteMarkerReplication"].get("Status") == "Enabled":
            raise INVALID_REQUEST("Delete marker replication is not supported if any Tag filter is specified.")
    elif "Prefix" not in rule:
        raise MALFORMED_XML()
    if (rule.get("ExistingObjectReplication") or {}).get("Status") == "Enabled":
        raise not_implemented("s3", _OPERATION, "ExistingObjectReplication")
    criteria = rule.get("SourceSelectionCriteria") or {}
    destination = rule["Destination"]
    sealed = (criteria.get("SseKmsEncryptedObjects") or {}).get("Status") == "Enabled"
    if sealed != ("EncryptionConfiguration" in destination):
        raise INVALID_REQUEST(
            "ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present."
            if sealed
            else "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present."
        )
    if "AccessControlTranslation" in destination and "Account" not in destination:
        raise INVALID_REQUEST("Account must be specified if AccessControlTranslation is present.")
    if "ReplicationTime" in destination and "Metrics" not in destination:
        raise INVALID_REQUEST("Replication Time Control requires Replication Metrics.")


def syncs_replicas(rule: Rule) -> bool:
    """Whether the rule carries changes of a replica's tags, ACL and lock back to where it came from."""
    criteria = rule.get("SourceSelectionCriteria") or {}
    return bool((criteria.get("ReplicaModifications") or {}).get("Status") == "Enabled")


def _tags(rule: Rule) -> list[Mapping[str, str]]:
    found = rule.get("Filter") or {}
    if "Tag" in found:
        return [found["Tag"]]
    return list((found.get("And") or {}).get("Tags") or ())


def _prefix(rule: Rule) -> str:
    if "Filter" not in rule:
        return str(rule.get("Prefix") or "")
    found = rule["Filter"] or {}
    return str(found.get("Prefix") or (found.get("And") or {}).get("Prefix") or "")


def applying(document: Mapping[str, Any], key: str, tags: Mapping[str, str], *, marker: bool = False) -> Iterator[Rule]:
    """The rules that replicate an object of this key and these tags (or a delete marker): for each destination one,
    that of the highest priority."""
    rules = [rule for rule in document["Rules"] if rule["Status"] == "Enabled" and key.startswith(_prefix(rule))]
    rules = [rule for rule in rules if all(tags.get(tag["Key"]) == tag["Value"] for tag in _tags(rule))]
    done: set[str] = set()
    for rule in sorted(rules, key=lambda rule: -(rule.get("Priority") or 0)):
        destination = rule["Destination"]["Bucket"]
        if destination in done or (marker and not _takes_markers(rule)):
            continue
        done.add(destination)
        yield rule


def _takes_markers(rule: Rule) -> bool:
    if "Filter" not in rule:
        return True  # the older form always did
    return bool(rule["DeleteMarkerReplication"].get("Status") == "Enabled" and not _tags(rule))
