"""A bucket's notification configuration as rules: which are wanted for an event, and which may stand beside another.

Source: Amazon S3 User Guide, "Configuring event notifications using object key name filtering" and "Event
notification types and destinations"; S3 API Reference, PutBucketNotificationConfiguration; texts as AWS answers them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, MALFORMED_XML

Document = Mapping[str, Any]

# Kind of destination: the list in the configuration, the member with its ARN, and what AWS calls it in errors.
DESTINATIONS = (
    ("TopicConfigurations", "TopicArn", "Topic"),
    ("QueueConfigurations", "QueueArn", "Queue"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn", "CloudFunction"),
)
VALUE_LIMIT_B = 1024
EVENTS = frozenset(
    (
        "s3:ReducedRedundancyLostObject",
        "s3:ObjectCreated:*",
        "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post",
        "s3:ObjectCreated:Copy",
        "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:*",
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectRestore:*",
        "s3:ObjectRestore:Post",
        "s3:ObjectRestore:Completed",
        "s3:ObjectRestore:Delete",
        "s3:Replication:*",
        "s3:Replication:OperationFailedReplication",
        "s3:Replication:OperationNotTracked",
        "s3:Replication:OperationMissedThreshold",
        "s3:Replication:OperationReplicatedAfterThreshold",
        "s3:LifecycleTransition",
        "s3:IntelligentTiering",
        "s3:ObjectAcl:Put",
        "s3:LifecycleExpiration:*",
        "s3:LifecycleExpiration:Delete",
        "s3:LifecycleExpiration:DeleteMarkerCreated",
        "s3:ObjectTagging:*",
        "s3:ObjectTagging:Put",
        "s3:ObjectTagging:Delete",
        "s3:ObjectAnnotation:*",
        "s3:ObjectAnnotation:Put",
        "s3:ObjectAnnotation:Delete",
    )
)


class Rule(NamedTuple):
    """One configuration: what is sent where. `name` is what AWS calls the destination's kind in errors."""

    id: str
    name: str
    target: str
    events: tuple[str, ...]
    prefix: str
    suffix: str

    def wants(self, event: str, key: str) -> bool:
        """Whether an event ("s3:ObjectCreated:Put") of a key is to be told."""
        return (
            key.startswith(self.prefix)
            and key.endswith(self.suffix)
            and any(_same_event(wanted, event) for wanted in self.events)
        )


def rules(document: Document) -> Iterator[Rule]:
    """The rules of a configuration."""
    for kind, member, name in DESTINATIONS:
        for entry in document.get(kind) or ():
            prefix, suffix = _filter(entry)
            yield Rule(entry.get("Id", ""), name, entry[member], tuple(entry["Events"]), prefix, suffix)


def _filter(entry: Document) -> tuple[str, str]:
    found = {"prefix": "", "suffix": ""}
    for rule in ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ():
        found[rule["Name"].lower()] = rule["Value"]
    return found["prefix"], found["suffix"]


def checked(document: Document) -> dict[str, Any]:
    """The configuration as it is kept: its filters' names as AWS writes them. Raises InvalidArgument, MalformedXML."""
    kept: dict[str, Any] = {}
    for kind, member, _ in DESTINATIONS:
        entries = [_checked_entry(entry, member) for entry in document.get(kind) or ()]
        if entries:
            kept[kind] = entries
    return kept


def _checked_entry(entry: Document, member: str) -> dict[str, Any]:
    if not entry.get("Events") or not entry.get(member):
        raise MALFORMED_XML()
    for event in entry["Events"]:
        if event not in EVENTS:
            raise _refused("A specified event is not supported for notifications.", "Event", event)
    kept = dict(entry)
    found = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules")
    if found is not None:
        kept["Filter"] = {"Key": {"FilterRules": [_checked_rule(rule) for rule in found]}}
        names = [rule["Name"] for rule in kept["Filter"]["Key"]["FilterRules"]]
        for name in ("Prefix", "Suffix"):
            if names.count(name) > 1:
                text = f"Cannot specify more than one {name.lower()} rule in a filter."
                raise _refused(text, "FilterRule.Name", name.lower())
    return kept


def _checked_rule(rule: Document) -> dict[str, str]:
    if "Name" not in rule or "Value" not in rule:
        raise MALFORMED_XML()
    name = rule["Name"].capitalize()
    if name not in ("Prefix", "Suffix"):
        raise _refused("filter rule name must be either prefix or suffix", "FilterRule.Name", rule["Name"])
    if len(rule["Value"].encode("utf-8", "replace")) > VALUE_LIMIT_B:
        text = f"Size of filter rule value cannot exceed {VALUE_LIMIT_B} bytes in UTF-8 representation"
        raise _refused(text, "FilterRule.Value", rule["Value"])
    return {"Name": name, "Value": rule["Value"]}


def check_together(document: Document) -> None:
    """Raises InvalidArgument where two rules would tell the same, or have the same ID."""
    found = list(rules(document))
    ids = [rule.id for rule in found if rule.id]
    if len(set(ids)) != len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise _refused("Same ID used for multiple configurations. IDs must be unique", "Id", twice)
    for one, other in combinations(found, 2):
        if (
            any(_same_event(a, b) or _same_event(b, a) for a in one.events for b in other.events)
            and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))
            and (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix))
        ):
            raise INVALID_ARGUMENT(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
                "are overlapping for the same event type."
            )


def _same_event(wanted: str, event: str) -> bool:
    return event == wanted or (wanted.endswith("*") and event.startswith(wanted[:-1]))


def _refused(text: str, name: str, value: str) -> Exception:
    return INVALID_ARGUMENT(text, members={"ArgumentName": name, "ArgumentValue": value})
