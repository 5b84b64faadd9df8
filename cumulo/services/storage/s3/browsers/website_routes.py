"""What a website configuration makes of a request: which object it asks for, and where it is sent instead.

Source: Amazon S3 User Guide, "Hosting a static website": "Configuring an index document", "(Optional) Configuring a
webpage redirect" (routing rules); S3 API Reference, WebsiteConfiguration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

Website = Mapping[str, Any]


class Redirect(NamedTuple):
    """An answer that sends the client elsewhere: status and Location."""

    status: int
    location: str


def redirect_all(website: Website, path: str, query: str, scheme: str) -> Redirect | None:
    """The redirect of a website that sends all requests to another host. `path` is raw, with its slash."""
    target = website.get("RedirectAllRequestsTo")
    if target is None:
        return None
    location = f"{target.get('Protocol') or scheme}://{target['HostName']}{path}"
    return Redirect(301, f"{location}?{query}" if query else location)


def object_key(website: Website, key: str) -> str:
    """The key of the object that a decoded path (without its slash) asks for: a folder's is its index document."""
    if not key or key.endswith("/"):
        return f"{key}{website['IndexDocument']['Suffix']}"
    return key


def redirect(website: Website, key: str, status: int | None, scheme: str, host: str) -> Redirect | None:
    """What the first fitting routing rule says, None if none fits.

    `status` is None before the object is looked for, when only rules without an error code are asked; afterwards the
    status of the error, when only rules with one are. `host` is where the request went, with its port.
    """
    for rule in website.get("RoutingRules") or ():
        condition = rule.get("Condition") or {}
        code = condition.get("HttpErrorCodeReturnedEquals")
        prefix = condition.get("KeyPrefixEquals")
        if prefix is not None and not key.startswith(prefix):
            continue
        if (code is None) != (status is None) or (code is not None and code != str(status)):
            continue
        return _redirect(rule["Redirect"], key, prefix or "", scheme, host)
    return None


def _redirect(to: Mapping[str, Any], key: str, prefix: str, scheme: str, host: str) -> Redirect:
    if to.get("ReplaceKeyWith") is not None:
        key = to["ReplaceKeyWith"]
    elif to.get("ReplaceKeyPrefixWith") is not None:
        key = to["ReplaceKeyPrefixWith"] + key[len(prefix) :]
    location = f"{to.get('Protocol') or scheme}://{to.get('HostName') or host}/{quote(key, safe=KEPT_IN_LOCATION)}"
    return Redirect(int(to.get("HttpRedirectCode") or 301), location)


KEPT_IN_LOCATION = "/~!*'();:@&=+$,?#[]-._"


def folder_redirect(key: str) -> Redirect:
    """Where a request for a folder without its slash is sent, when the folder has an index document."""
    return Redirect(302, f"/{quote(key, safe=KEPT_IN_LOCATION)}/")
