"""The rules of bucket names. Pure.

Source: S3 User Guide, "General purpose bucket naming rules".
"""

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+", re.ASCII)
_REGIONAL = re.compile(r"-\d{12}-[a-z]{2}(-[a-z]+)+-\d-an\Z", re.ASCII)
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
REGIONAL_SUFFIX = "-an"


def is_valid(name: str) -> bool:
    """Whether a general purpose bucket may be created with this name."""
    return (
        _NAME.fullmatch(name) is not None
        and ".." not in name
        and _ADDRESS.fullmatch(name) is None
        and not name.startswith(_PREFIXES)
        and not name.endswith(_SUFFIXES)
    )


def regional_suffix(account: str, region: str) -> str:
    """What the name of a bucket in an account's own regional namespace ends with.

    Source: S3 User Guide, "Namespaces for general purpose buckets".
    """
    return f"-{account}-{region}{REGIONAL_SUFFIX}"


def is_regional(name: str) -> bool:
    """Whether the name has the form of those in regional namespaces, which no other bucket may have."""
    return _REGIONAL.search(name) is not None
