"""Names and paths of IAM's entities.

Names are unique in an account whatever their case; the key of a record is the name in lower case.
Source: IAM User Guide, "IAM and AWS STS quotas", "IAM name requirements"; "IAM identifiers".
"""

from __future__ import annotations

import re

from cumulo.services.identity.iam.errors import VALIDATION_ERROR

_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PATH = re.compile(r"/|/[\x21-\x7e]+/")


def check_name(name: str, member: str) -> str:
    """The name, or the ValidationError that tells of which characters `member` may be made."""
    if not _NAME.fullmatch(name):
        raise VALIDATION_ERROR(
            f"The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the "
            "following: +=,.@_-"
        )
    return name


def check_path(path: str | None, member: str = "path") -> str:
    """The path of a new entity, "/" when none is given."""
    if path is None:
        return "/"
    if not _PATH.fullmatch(path):
        raise VALIDATION_ERROR(
            f"The specified value for {member} is invalid. It must begin and end with / and contain only alphanumeric "
            "characters and/or / characters."
        )
    return path


def check_prefix(prefix: str | None) -> str:
    """The path prefix of a listing, "/" when none is given; it need not end with a slash."""
    if prefix is None:
        return "/"
    if not prefix.startswith("/"):
        raise VALIDATION_ERROR(
            "The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric "
            "characters and/or / characters."
        )
    return prefix
