"""Object Lambda access points: ways to a bucket on which a function changes what is read; S3 and S3 Control read them.

Source: S3 User Guide, "Transforming objects with S3 Object Lambda" and the pages below it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cumulo.core.arns import partition_of
from cumulo.core.s3.access import NO_SUCH_ACCESS_POINT
from cumulo.core.table import GLOBAL, REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

SERVICE = "s3-object-lambda"  # in ARNs, actions and signatures
ALIAS_SUFFIX = "--ol-s3"
_ARN = re.compile(r"arn:[^:]+:s3-object-lambda:([a-z0-9-]+):(\d{12}):accesspoint[/:](.+)", re.ASCII)
_ON_HOSTS = re.compile(r"([a-z0-9-]{3,45})-(\d{12})", re.ASCII)


class Transformation(Record):
    """Which function answers these operations ("GetObject"). `payload` is handed to it as it is, None for none."""

    actions: list[str]
    function: str
    payload: str | None = None


class ObjectLambdaAccessPoint(Record):
    """An access point before another, the `supporting` one (its ARN). Times are cloud time in seconds since 1970.

    `features` are what else the functions know to deal with ("GetObject-Range"); `metrics` whether requests are counted
    in CloudWatch, None where that was not said.
    """

    account: str
    region: str
    name: str
    alias: str
    created_at: float
    supporting: str
    transformations: list[Transformation]
    features: list[str] = []
    metrics: bool | None = None
    policy: str = ""

    @property
    def arn(self) -> str:
        """The access point's ARN."""
        return f"arn:{partition_of(self.region)}:{SERVICE}:{self.region}:{self.account}:accesspoint/{self.name}"


class ObjectLambdaAlias(Record):
    """Whose alias it is: aliases stand for names of buckets, and are as global."""

    alias: str
    account: str
    region: str
    name: str


OBJECT_LAMBDA_ACCESS_POINTS = Table(
    ObjectLambdaAccessPoint,
    name="s3.object_lambda_access_points",
    key="name",
    scope=REGION,
    arn="arn:{partition}:s3-object-lambda:{region}:{account}:accesspoint/{name}",
    missing=NO_SUCH_ACCESS_POINT,
    policy=lambda point: point.policy or None,
)
OBJECT_LAMBDA_ALIASES = Table(ObjectLambdaAlias, name="s3.object_lambda_aliases", key="alias", scope=GLOBAL)


def object_lambda_access_point(ctx: Context, named: str) -> ObjectLambdaAccessPoint | None:
    """The one of an ARN, an alias, or the first label of a host that is signed for them; None for other names.

    Raises NoSuchAccessPoint for an ARN or such a host that nobody has.
    """
    if named.endswith(ALIAS_SUFFIX):
        alias = OBJECT_LAMBDA_ALIASES.peek(ctx, named)
        if alias is None:
            return None
        return OBJECT_LAMBDA_ACCESS_POINTS.peek(ctx, alias.name, account=alias.account, region=alias.region)
    match = _ARN.fullmatch(named)
    if match is not None:
        region, account, name = match.groups()
    elif ctx.claim is not None and ctx.claim.service == SERVICE and not ctx.internal:
        match = _ON_HOSTS.fullmatch(named)
        if match is None:
            return None
        region, name, account = ctx.region, match[1], match[2]
    else:
        return None
    found = OBJECT_LAMBDA_ACCESS_POINTS.peek(ctx, name, account=account, region=region)
    if found is None:
        ctx.authorized = True
        raise NO_SUCH_ACCESS_POINT(members={"AccessPointName": name})
    return found
