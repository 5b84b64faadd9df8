"""The CORS settings of a function URL against a page's request.

Source: Lambda Developer Guide, "Creating and managing Lambda function URLs", Cross-origin resource sharing.
"""

from __future__ import annotations

from typing import Any

Fields = list[tuple[str, str]]


def _allowed(origins: list[str], origin: str) -> bool:
    return "*" in origins or origin.lower() in [each.lower() for each in origins]


def fields(cors: dict[str, Any], origin: str) -> Fields:
    """What an answer tells the browser of a page of this origin; nothing to others."""
    origins = cors.get("AllowOrigins") or []
    if not origin or not _allowed(origins, origin):
        return []
    credentials = cors.get("AllowCredentials") is True
    everybody = "*" in origins and not credentials
    found = [("Access-Control-Allow-Origin", "*" if everybody else origin)]
    if not everybody:
        found.append(("Vary", "Origin"))
    if credentials:
        found.append(("Access-Control-Allow-Credentials", "true"))
    if cors.get("ExposeHeaders"):
        found.append(("Access-Control-Expose-Headers", ",".join(cors["ExposeHeaders"])))
    return found


def preflight(cors: dict[str, Any], origin: str) -> Fields:
    """The answer to OPTIONS before a page's request."""
    found = fields(cors, origin)
    if not found:
        return []
    if cors.get("AllowMethods"):
        found.append(("Access-Control-Allow-Methods", ",".join(cors["AllowMethods"])))
    if cors.get("AllowHeaders"):
        found.append(("Access-Control-Allow-Headers", ",".join(cors["AllowHeaders"])))
    if cors.get("MaxAge") is not None:
        found.append(("Access-Control-Max-Age", str(cors["MaxAge"])))
    return found


def over(configured: Fields, given: Fields) -> Fields:
    """A function's own header fields, with the configured ones in the place of those of the same name."""
    names = {name.lower() for name, _ in configured if name != "Vary"}
    return [(name, value) for name, value in given if name.lower() not in names] + configured
