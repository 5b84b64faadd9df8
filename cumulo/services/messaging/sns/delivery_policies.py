"""How often and when a failed delivery is tried again.

Pure. A topic's policy has defaults for its HTTP(S) subscriptions, a subscription's own goes over
them, and what neither says is the system's. Other protocols have fixed schedules. Source: SNS
guide, "Amazon SNS message delivery retries".
"""

from typing import Any

from cumulo.core.event_patterns.json_reader import JsonError, parse

DEFAULT_CONTENT_TYPE = "text/plain; charset=UTF-8"
MAX_TOTAL_S = 3600

DEFAULT_RETRIES: dict[str, Any] = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}
_BACKOFF = ("linear", "arithmetic", "geometric", "exponential")
_COUNTS = ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries")
_TEXT = frozenset(f"text/{kind}" for kind in ("css", "csv", "html", "plain", "xml"))
_APPLICATION = frozenset(
    f"application/{kind}"
    for kind in ("atom+xml", "json", "octet-stream", "soap+xml", "x-www-form-urlencoded", "xhtml+xml", "xml")
)
_FORMATTED = ("application/json", "text/plain")  # what a notification that is not raw may be called


class DeliveryPolicyError(ValueError):
    """A delivery policy that SNS refuses; its text follows `DeliveryPolicy: ` in AWS's message."""


def _object(document: str) -> dict[str, Any]:
    try:
        value = parse(document)
    except JsonError as error:
        raise DeliveryPolicyError(f"failed to parse JSON. {error}") from None
    if not isinstance(value, dict):
        raise DeliveryPolicyError("must be a JSON object")
    return value


def _known(value: Any, names: tuple[str, ...], where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DeliveryPolicyError(f"{where} must be a JSON object")
    for name in value:
        if name not in names:
            raise DeliveryPolicyError(
                f"unrecognized member: {where}.{name}" if where else f"unrecognized member: {name}"
            )
    return value


def _integer(policy: dict[str, Any], name: str, where: str, low: int, high: int | None) -> int:
    value = policy[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise DeliveryPolicyError(f"{where}.{name} must be an integer")
    if value < low:
        raise DeliveryPolicyError(f"{where}.{name} must be greater than or equal to {low}")
    if high is not None and value > high:
        raise DeliveryPolicyError(f"{where}.{name} must be less than or equal to {high}")
    return value


def _retries(value: Any, where: str) -> dict[str, Any] | None:
    """A complete retry policy from what was given; None stays None."""
    if value is None:
        return None
    given = _known(value, tuple(DEFAULT_RETRIES), where)
    for name in ("numRetries", "minDelayTarget", "maxDelayTarget"):
        if name not in given:
            raise DeliveryPolicyError(f"{where}.{name} must be specified")
    policy = {**DEFAULT_RETRIES, **given}
    _integer(policy, "minDelayTarget", where, 1, MAX_TOTAL_S)
    _integer(policy, "maxDelayTarget", where, 1, MAX_TOTAL_S)
    _integer(policy, "numRetries", where, 0, 100)
    for name in _COUNTS:
        _integer(policy, name, where, 0, None)
    if policy["maxDelayTarget"] < policy["minDelayTarget"]:
        raise DeliveryPolicyError(f"{where}.maxDelayTarget must be greater than or equal to {where}.minDelayTarget")
    if sum(policy[name] for name in _COUNTS) > policy["numRetries"]:
        total = " + ".join(f"{where}.{name}" for name in _COUNTS)
        raise DeliveryPolicyError(f"{total} must be less than or equal to {where}.numRetries")
    if policy["backoffFunction"] not in _BACKOFF:
        raise DeliveryPolicyError(f"{where}.backoffFunction must be one of {', '.join(_BACKOFF)}")
    return policy


def _throttle(value: Any, where: str) -> dict[str, Any] | None:
    if value is None:
        return None
    policy = _known(value, ("maxReceivesPerSecond",), where)
    if policy.get("maxReceivesPerSecond") is not None:
        _integer(policy, "maxReceivesPerSecond", where, 1, None)
    return policy


def _request(value: Any, where: str) -> dict[str, Any] | None:
    if value is None:
        return None
    policy = _known(value, ("headerContentType",), where)
    content_type = policy.get("headerContentType")
    if content_type is not None:
        essence = str(content_type).partition(";")[0].strip().lower()
        if essence not in _TEXT and essence not in _APPLICATION:
            raise DeliveryPolicyError(f"{where}.headerContentType is not a supported content type: {content_type}")
    return policy


def topic_policy(document: str) -> dict[str, Any]:
    """A topic's `DeliveryPolicy` as GetTopicAttributes shows it: what was given, completed."""
    given = _known(_object(document), ("http",), "")
    names = ("defaultHealthyRetryPolicy", "defaultSicklyRetryPolicy", "disableSubscriptionOverrides")
    http = _known(given.get("http", {}), (*names, "defaultThrottlePolicy", "defaultRequestPolicy"), "http")
    out: dict[str, Any] = {}
    for name, check in (
        ("defaultHealthyRetryPolicy", _retries),
        ("defaultSicklyRetryPolicy", _retries),
        ("defaultThrottlePolicy", _throttle),
        ("defaultRequestPolicy", _request),
    ):
        if (value := check(http.get(name), f"http.{name}")) is not None:
            out[name] = value
    out["disableSubscriptionOverrides"] = http.get("disableSubscriptionOverrides", False)
    if not isinstance(out["disableSubscriptionOverrides"], bool):
        raise DeliveryPolicyError("http.disableSubscriptionOverrides must be true or false")
    return {"http": out}


def effective_topic_policy(policy: dict[str, Any] | None) -> dict[str, Any]:
    """A topic's `EffectiveDeliveryPolicy`: its own over the system's defaults."""
    own = policy["http"] if policy else {}
    return {
        "http": {
            "defaultHealthyRetryPolicy": DEFAULT_RETRIES,
            "disableSubscriptionOverrides": False,
            "defaultRequestPolicy": {"headerContentType": DEFAULT_CONTENT_TYPE},
            **own,
        }
    }


def subscription_policy(document: str) -> dict[str, Any]:
    """A subscription's `DeliveryPolicy` as GetSubscriptionAttributes shows it: absent parts are null."""
    names = ("healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "requestPolicy", "guaranteed")
    given = _known(_object(document), names, "")
    return {
        "healthyRetryPolicy": _retries(given.get("healthyRetryPolicy"), "healthyRetryPolicy"),
        "sicklyRetryPolicy": _retries(given.get("sicklyRetryPolicy"), "sicklyRetryPolicy"),
        "throttlePolicy": _throttle(given.get("throttlePolicy"), "throttlePolicy"),
        "requestPolicy": _request(given.get("requestPolicy"), "requestPolicy"),
        "guaranteed": bool(given.get("guaranteed", False)),
    }


def effective_subscription_policy(own: dict[str, Any] | None, topic: dict[str, Any] | None) -> dict[str, Any]:
    """A subscription's `EffectiveDeliveryPolicy`: its own over its topic's, unless the topic forbids that."""
    defaults = effective_topic_policy(topic)["http"]
    mine = {} if own is None or defaults["disableSubscriptionOverrides"] else own
    return {
        "healthyRetryPolicy": mine.get("healthyRetryPolicy") or defaults["defaultHealthyRetryPolicy"],
        "sicklyRetryPolicy": mine.get("sicklyRetryPolicy") or defaults.get("defaultSicklyRetryPolicy"),
        "throttlePolicy": mine.get("throttlePolicy") or defaults.get("defaultThrottlePolicy"),
        "requestPolicy": mine.get("requestPolicy") or defaults["defaultRequestPolicy"],
        "guaranteed": mine.get("guaranteed", False),
    }


def content_type(effective: dict[str, Any], *, raw: bool) -> str:
    """The Content-Type of a notification: only raw ones may be other than JSON or plain text."""
    wanted = str((effective["requestPolicy"] or {}).get("headerContentType") or DEFAULT_CONTENT_TYPE)
    essence = wanted.partition(";")[0].strip().lower()
    return wanted if raw or essence in _FORMATTED else DEFAULT_CONTENT_TYPE


def delays(policy: dict[str, Any]) -> list[float]:
    """Seconds before each retry of a healthyRetryPolicy, its four phases in order, at most an hour together."""
    low, high = float(policy["minDelayTarget"]), float(policy["maxDelayTarget"])
    immediate, before, after = (int(policy[name]) for name in _COUNTS)
    backoff = max(0, int(policy["numRetries"]) - immediate - before - after)
    found = [0.0] * immediate + [low] * before
    found += [_backoff(policy["backoffFunction"], low, high, index, backoff) for index in range(backoff)]
    found += [high] * after
    total, out = 0.0, []
    for delay in found:
        total += delay
        if total > MAX_TOTAL_S:
            break
        out.append(delay)
    return out


def _backoff(function: str, low: float, high: float, index: int, count: int) -> float:
    """The delay at one step of the way from `low` to `high`; AWS shows the curves and not their formulas."""
    if count == 1:
        return low
    step = index / (count - 1)
    if function == "linear":
        return low + (high - low) * step
    if function == "arithmetic":
        return low + (high - low) * step * (index + 1) / count
    if function == "geometric":
        return float(low * (high / low) ** step)
    return float(low + (high - low) * (2.0**index - 1) / (2.0 ** (count - 1) - 1))


def managed_delay(attempt: int) -> float | None:
    """Seconds before retry `attempt` (from 0) to SQS, Lambda or Firehose: 100,015 of them over 23 days, then None."""
    if attempt < 3:
        return 0.0
    if attempt < 5:
        return 1.0
    if attempt < 15:
        return _backoff("exponential", 1.0, 20.0, attempt - 5, 10)
    return 20.0 if attempt < 100_015 else None
