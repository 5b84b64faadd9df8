"""Which cross-origin requests a bucket's CORS configuration lets pages make, and what they are told.

Source: Amazon S3 User Guide, "Using cross-origin resource sharing (CORS)", "Elements of a CORS configuration" and
"How does Amazon S3 evaluate the CORS configuration on a bucket?".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Rule = Mapping[str, Any]
Fields = list[tuple[str, str]]

VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def find(rules: Iterable[Rule], origin: str, method: str, headers: Iterable[str] = ()) -> Rule | None:
    """The first rule that allows this origin, method and all of these request headers; None if none does."""
    wanted = [header.lower() for header in headers]
    for rule in rules:
        if (
            method in rule.get("AllowedMethods", ())
            and allowed_origin(rule, origin)
            and all(_any_fits(rule.get("AllowedHeaders", ()), header) for header in wanted)
        ):
            return rule
    return None


def allowed_origin(rule: Rule, origin: str) -> str:
    """What Access-Control-Allow-Origin says: the origin, "*" where the rule says no more, "" where it does not fit."""
    patterns = rule.get("AllowedOrigins", ())
    if "*" in patterns:
        return "*"
    return origin if any(fits(pattern, origin) for pattern in patterns) else ""


def fits(pattern: str, text: str) -> bool:
    """Whether a text has the form of a pattern with at most one `*`."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after)


def _any_fits(patterns: Iterable[str], header: str) -> bool:
    return any(fits(pattern.lower(), header) for pattern in patterns)


def requested_headers(field: str) -> list[str]:
    """The names in an Access-Control-Request-Headers field."""
    return [name for name in (part.strip() for part in field.split(",")) if name]


def fields(rule: Rule, origin: str, headers: Iterable[str] = ()) -> Fields:
    """The header fields of the answer to a request that a rule allows; `headers` are those a preflight asked for."""
    allowed = allowed_origin(rule, origin)
    found: Fields = [
        ("Access-Control-Allow-Origin", allowed),
        ("Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"])),
    ]
    names = ", ".join(header.lower() for header in headers)
    if names:
        found.append(("Access-Control-Allow-Headers", names))
    if rule.get("ExposeHeaders"):
        found.append(("Access-Control-Expose-Headers", ", ".join(rule["ExposeHeaders"])))
    if rule.get("MaxAgeSeconds") is not None:
        found.append(("Access-Control-Max-Age", str(rule["MaxAgeSeconds"])))
    if allowed != "*":
        found.append(("Access-Control-Allow-Credentials", "true"))
    found.append(("Vary", VARY))
    return found
