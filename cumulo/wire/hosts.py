"""What a host name says: the service, the region, and what stands before them (a bucket, an API's id)."""

import re
from typing import Final

_SUFFIXES = (
    ".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws", ".localhost.localstack.cloud", ".localhost",
    ".127.0.0.1",
)  # fmt: skip
_LOCAL = (".localhost.localstack.cloud", ".localhost", ".127.0.0.1")  # the last: what SDKs make of http://127.0.0.1
SERVICES: set[str] = set()  # labels of services, written down by the router
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}\Z")
_LEGACY_S3 = re.compile(r"(s3)-([a-z]{2}(?:-[a-z]+){1,3}-\d{1,2})\Z")
_FILLERS = frozenset({"dualstack", "fips"})
_KINDS = frozenset({"bucket", "accesspoint", "control"})
ZONAL = "s3express-"  # then the id of a zone: where the objects of directory buckets are
_cache: Final[dict[str, "Host"]] = {}
_CACHE_LIMIT = 4096


class Host:
    """`labels` are those left after region and suffix: `["my.bucket", "s3"]` comes as `my`, `bucket`, `s3`.

    `vpc_endpoint` is the interface endpoint that the host belongs to (`vpce-1a2b3c4d`), "" for none. `local`: the name
    is one of this machine's, not one of AWS's.
    """

    __slots__ = ("labels", "local", "region", "vpc_endpoint")

    def __init__(self, labels: tuple[str, ...], region: str, vpc_endpoint: str = "", local: bool = False) -> None:
        self.labels = labels
        self.region = region
        self.vpc_endpoint = vpc_endpoint
        self.local = local


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
    region = ""
    parts = name[: -len(suffix)].split(".")
    own = _place_of_s3(parts)
    labels = parts[:own]
    for label in parts[own:]:
        legacy = _LEGACY_S3.match(label)
        if legacy is not None:
            labels.append(legacy[1])
            region = legacy[2]
        elif _REGION.match(label) and (labels or name.count(".") > 2):
            region = label
        elif label not in _FILLERS:
            labels.append(label.removesuffix("-fips"))
    if labels and labels[-1] == "vpce":
        return _of_endpoint(labels[:-1], region)
    return Host(tuple(labels), region, local=suffix in _LOCAL)


def _place_of_s3(labels: list[str]) -> int:
    """Where the last label of S3's own is, 0 without one. What stands before it is a name that somebody chose, whatever
    it looks like: `my-bucket-1` is spelled like a region, `my-data-fips` like a service's FIPS endpoint.
    """
    for place in range(len(labels) - 1, 0, -1):
        if labels[place] == "s3" or labels[place].startswith(("s3-", ZONAL)):
            return place
    return 0


def bucket_of(host: str) -> str:
    """The bucket that a virtual host of S3 names, "" for none.

    `BUCKET.s3.…`; `BUCKET.s3express-ZONE.…` of directory buckets; and `BUCKET.localhost`, which the SDKs make of the
    endpoint http://localhost, unless its last label names a service.
    """
    found = read(host)
    labels = found.labels
    if len(labels) > 1 and labels[-1].startswith(ZONAL):
        return ".".join(labels[:-1])
    if "s3" in labels:
        return ".".join(labels[: len(labels) - 1 - labels[::-1].index("s3")])
    if labels and found.local and labels[-1] not in SERVICES and not labels[-1].startswith(("s3-", ZONAL)):
        return ".".join(labels)
    return ""


def _of_endpoint(labels: list[str], region: str) -> Host:
    """`bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com`, of which the first label is no bucket's name.

    Source: S3 User Guide, "AWS PrivateLink for Amazon S3", "Accessing buckets … from S3 interface endpoints".
    """
    for place, label in enumerate(labels):
        if label.startswith("vpce-"):
            before = labels[:place]
            if before and before[-1] in _KINDS:
                before = before[:-1]
            return Host((*before, *labels[place + 1 :]), region, "-".join(label.split("-")[:2]))
    return Host(tuple(labels), region)
