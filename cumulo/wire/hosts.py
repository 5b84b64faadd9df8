"""What a host name says: the service, the region, and what stands before them (a bucket, an API's id)."""

import re

_SUFFIXES = (
    ".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws", ".localhost.localstack.cloud", ".localhost",
)  # fmt: skip
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}\Z")
_LEGACY_S3 = re.compile(r"(s3)-([a-z]{2}(?:-[a-z]+){1,3}-\d{1,2})\Z")
_FILLERS = frozenset({"dualstack", "fips"})
_cache: dict[str, "Host"] = {}
_CACHE_LIMIT = 4096


class Host:
    """`labels` are those left after region and suffix: `["my.bucket", "s3"]` comes as `my`, `bucket`, `s3`."""

    __slots__ = ("labels", "region")

    def __init__(self, labels: tuple[str, ...], region: str) -> None:
        self.labels = labels
        self.region = region


_NOTHING = Host((), "")


def read(host: str) -> Host:
    """Read a Host field: port and known suffixes are dropped. A foreign host has no labels."""
    known = _cache.get(host)
    if known is not None:
        return known
    found = _read(host)
    if len(_cache) >= _CACHE_LIMIT:
        _cache.clear()  # hosts come from clients: the cache must not grow with them
    _cache[host] = found
    return found


def _read(host: str) -> Host:
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            break
    else:
        return _NOTHING
    region, labels = "", []
    for label in name[: -len(suffix)].split("."):
        legacy = _LEGACY_S3.match(label)
        if legacy is not None:
            labels.append(legacy[1])
            region = legacy[2]
        elif _REGION.match(label) and (labels or name.count(".") > 2):
            region = label
        elif label not in _FILLERS:
            labels.append(label.removesuffix("-fips"))
    return Host(tuple(labels), region)
