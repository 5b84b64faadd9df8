"""The lifecycle configuration of a bucket: what is refused in one, and how it is kept.

Sources: S3 User Guide, "Lifecycle configuration elements"; S3 API Reference, PutBucketLifecycleConfiguration; the
texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.storage.s3.dates import iso
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, INVALID_REQUEST, MALFORMED_XML, NO_SUCH_LIFECYCLE
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

KIND = "lifecycle"
MINIMUM = "TransitionDefaultMinimumObjectSize"
DEFAULT_MINIMUM = "all_storage_classes_128K"
MOST_RULES = 1000
DAY_S = 86_400
_MINIMUMS = frozenset((DEFAULT_MINIMUM, "varies_by_storage_class"))
_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionTransitions",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)
_SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
_FIRST_DAYS = {"STANDARD_IA": 30, "ONEZONE_IA": 30}


@operation
def put_bucket_lifecycle_configuration(
    ctx: Context, request: t.PutBucketLifecycleConfigurationRequest
) -> t.PutBucketLifecycleConfigurationOutput:
    """Replace the rules; those without an id get one."""
    bucket = access.bucket_for(ctx, request)
    given: Mapping[str, Any] = request.get("LifecycleConfiguration", {})
    rules: list[Any] = list(given.get("Rules", ()))
    if bucket.zone and "TransitionDefaultMinimumObjectSize" in request:
        raise INVALID_REQUEST("Directory buckets have no transitions.")
    minimum = request.get("TransitionDefaultMinimumObjectSize", DEFAULT_MINIMUM)
    if minimum not in _MINIMUMS:
        raise INVALID_REQUEST(f"Invalid TransitionDefaultMinimumObjectSize found: {minimum}")
    if not 1 <= len(rules) <= MOST_RULES:
        raise MALFORMED_XML()
    for rule in rules:
        _check_rule(rule)
        if bucket.zone:
            _check_of_directory(rule)
    ids = [rule["ID"] for rule in rules if rule.get("ID")]
    if len(set(ids)) != len(ids):
        raise INVALID_ARGUMENT("Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        if not rule.get("ID"):
            rule["ID"] = ctx.uuid()
    if bucket.zone:
        configurations.put(ctx, bucket, KIND, {"Rules": rules})
        return {}
    configurations.put(ctx, bucket, KIND, {"Rules": rules, MINIMUM: minimum})
    return {"TransitionDefaultMinimumObjectSize": minimum}


def _check_rule(rule: Mapping[str, Any]) -> None:
    if len(rule.get("ID", "")) > 255:
        raise INVALID_ARGUMENT("ID length should not exceed allowed limit of 255")
    if ("Filter" in rule) == ("Prefix" in rule):
        raise MALFORMED_XML()
    if not any(action in rule for action in _ACTIONS):
        raise INVALID_REQUEST("At least one action needs to be specified in a rule")
    tagged = _check_filter(rule.get("Filter") or {})
    if "AbortIncompleteMultipartUpload" in rule:
        if tagged:
            raise INVALID_REQUEST("AbortIncompleteMultipartUpload cannot be specified with Tags.")
        _check_days(rule["AbortIncompleteMultipartUpload"].get("DaysAfterInitiation"), "DaysAfterInitiation", "")
    if "Expiration" in rule:
        _check_expiration(rule["Expiration"], tagged)
    for transition in rule.get("Transitions", ()):
        _check_transition(transition)
    _check_order(rule)
    _check_noncurrent(rule)


def _check_of_directory(rule: Mapping[str, Any]) -> None:
    """InvalidRequest for what rules of directory buckets cannot say: they expire objects by age, and abort uploads.

    Source: S3 API Reference, LifecycleRule and PutBucketLifecycleConfiguration, which give no texts.
    """
    given = rule.get("Filter") or {}
    expiration = rule.get("Expiration") or {}
    for member, there in (
        ("Prefix", "Prefix" in rule),
        ("Transition", "Transitions" in rule),
        ("NoncurrentVersionTransition", "NoncurrentVersionTransitions" in rule),
        ("NoncurrentVersionExpiration", "NoncurrentVersionExpiration" in rule),
        ("Date", "Date" in expiration),
        ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker" in expiration),
        ("Tag", "Tag" in given or "Tags" in (given.get("And") or {})),
    ):
        if there:
            raise INVALID_REQUEST(f"{member} is not supported for directory bucket lifecycle configurations.")


def _check_filter(given: Mapping[str, Any]) -> bool:
    """MalformedXML for more than one criterion outside of And; whether tags are among them."""
    if len(given) > 1:
        raise MALFORMED_XML()
    both = given.get("And")
    if both is None:
        _check_sizes(given)
        return "Tag" in given
    keys = [tag["Key"] for tag in both.get("Tags", ())]
    if len(keys) + ("Prefix" in both) + sum(size in both for size in _SIZES) < 2:
        raise MALFORMED_XML()
    if len(set(keys)) != len(keys):
        raise INVALID_REQUEST("Duplicate Tag Keys are not allowed.")
    _check_sizes(both)
    return bool(keys)


def _check_sizes(given: Mapping[str, Any]) -> None:
    larger, smaller = given.get(_SIZES[0]), given.get(_SIZES[1])
    if (larger is not None and larger < 0) or (smaller is not None and smaller < 1):
        raise INVALID_REQUEST("'ObjectSizeGreaterThan' and 'ObjectSizeLessThan' should be positive")
    if larger is not None and smaller is not None and smaller - larger < 2:
        raise INVALID_REQUEST("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'")


def _check_days(days: int | None, name: str, action: str, *, least: int = 1) -> None:
    if days is None:
        raise MALFORMED_XML()
    if days < least:
        kind = "a positive integer" if least else "nonnegative"
        text = f"'{name}' for {action} action must be {kind}" if action else f"'{name}' must be {kind}"
        raise INVALID_ARGUMENT(text, members={"ArgumentName": name, "ArgumentValue": str(days)})


def _check_date(date: float) -> None:
    if date % DAY_S:
        members = {"ArgumentName": "Date", "ArgumentValue": iso(date)}
        raise INVALID_ARGUMENT("'Date' must be at midnight GMT", members=members)


def _check_expiration(expiration: Mapping[str, Any], tagged: bool) -> None:
    if len([name for name in ("Date", "Days", "ExpiredObjectDeleteMarker") if name in expiration]) != 1:
        raise MALFORMED_XML()
    if "Days" in expiration:
        _check_days(expiration["Days"], "Days", "Expiration")
    if "Date" in expiration:
        _check_date(expiration["Date"])
    if "ExpiredObjectDeleteMarker" in expiration and tagged:
        raise INVALID_REQUEST("ExpiredObjectDeleteMarker cannot be specified with Tags.")


def _check_transition(transition: Mapping[str, Any]) -> None:
    storage_class = transition.get("StorageClass")
    if storage_class is None or ("Days" in transition) == ("Date" in transition):
        raise MALFORMED_XML()
    if "Date" in transition:
        _check_date(transition["Date"])
        return
    days = transition["Days"]
    _check_days(days, "Days", "Transition", least=0)
    first = _FIRST_DAYS.get(storage_class, 0)
    if days < first:
        raise INVALID_ARGUMENT(
            f"'Days' in Transition action must be greater than or equal to {first} for storageClass '{storage_class}'",
            members={"ArgumentName": "Days", "ArgumentValue": str(days)},
        )


def _check_order(rule: Mapping[str, Any]) -> None:
    """Each class at most once; days or dates throughout; what expires does so after its transitions."""
    transitions = rule.get("Transitions", ())
    classes = [transition["StorageClass"] for transition in transitions]
    if len(set(classes)) != len(classes):
        raise INVALID_ARGUMENT("'StorageClass' must be different for 'Transition' actions in same 'Rule'")
    expiration = rule.get("Expiration") or {}
    timed = [*transitions, *([expiration] if "Days" in expiration or "Date" in expiration else [])]
    if len({"Days" in each for each in timed}) > 1:
        raise INVALID_REQUEST(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for "
            f"{_shown_filter(rule)}"
        )
    for name in ("Days", "Date"):
        if name in expiration and any(transition[name] >= expiration[name] for transition in transitions):
            raise INVALID_ARGUMENT(
                f"'{name}' in the Expiration action for {_shown_filter(rule)} must be greater than '{name}' in the "
                "Transition action"
            )


def _shown_filter(rule: Mapping[str, Any]) -> str:
    given = rule.get("Filter") or {}
    prefix = rule.get("Prefix", given.get("Prefix", (given.get("And") or {}).get("Prefix", "")))
    return f"filter '(prefix={prefix})'" if "Filter" in rule else f"prefix '{prefix}'"


def _check_noncurrent(rule: Mapping[str, Any]) -> None:
    expiration = rule.get("NoncurrentVersionExpiration")
    transitions = rule.get("NoncurrentVersionTransitions", ())
    if expiration is not None:
        _check_days(expiration.get("NoncurrentDays"), "NoncurrentDays", "NoncurrentVersionExpiration")
    for transition in transitions:
        storage_class = transition.get("StorageClass")
        if storage_class is None:
            raise MALFORMED_XML()
        days = transition.get("NoncurrentDays")
        _check_days(days, "NoncurrentDays", "NoncurrentVersionTransition", least=0)
        first = _FIRST_DAYS.get(storage_class, 0)
        if days < first:
            raise INVALID_ARGUMENT(
                "'NoncurrentDays' in NoncurrentVersionTransition action must be greater than or equal to "
                f"{first} for storageClass '{storage_class}'"
            )
        if expiration is not None and days >= expiration["NoncurrentDays"]:
            raise INVALID_ARGUMENT(
                f"'NoncurrentDays' in the NoncurrentVersionExpiration action for {_shown_filter(rule)} must be greater "
                "than 'NoncurrentDays' in the NoncurrentVersionTransition action"
            )
    for each in (*transitions, *([expiration] if expiration else [])):
        kept = each.get("NewerNoncurrentVersions")
        if kept is None:
            continue
        if "Filter" not in rule:
            raise INVALID_REQUEST("NewerNoncurrentVersions needs a Filter element in its rule")
        if not 1 <= kept <= 100:
            raise INVALID_ARGUMENT("'NewerNoncurrentVersions' must be between 1 and 100")


@operation
def get_bucket_lifecycle_configuration(
    ctx: Context, request: t.GetBucketLifecycleConfigurationRequest
) -> t.GetBucketLifecycleConfigurationOutput:
    """The rules."""
    return configurations.get(ctx, access.bucket_for(ctx, request), KIND, NO_SUCH_LIFECYCLE)  # type: ignore[return-value]


@operation
def delete_bucket_lifecycle(ctx: Context, request: t.DeleteBucketLifecycleRequest) -> None:
    """Remove the rules, if there are any."""
    bucket = access.bucket_for(ctx, request)
    configurations.remove(ctx, bucket, KIND)
