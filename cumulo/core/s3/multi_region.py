"""Multi-region access points: one name for buckets in several regions, which S3 and S3 Control both read.

Source: S3 User Guide, "Managing multi-Region traffic with Multi-Region Access Points" and the pages below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.arns import partition_of
from cumulo.core.errors import Error
from cumulo.core.s3.access import PublicAccessBlock
from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

NO_SUCH_MULTI_REGION_ACCESS_POINT = Error(
    "NoSuchMultiRegionAccessPoint", "The specified Multi-Region Access Point does not exist.", status=404
)
ALIAS_SUFFIX = ".mrap"


class RegionalRoute(Record):
    """One of the buckets. To a passive one no requests go."""

    region: str
    bucket: str
    bucket_account: str
    active: bool = True


class MultiRegionAccessPoint(Record):
    """A global name for buckets in several regions, with a policy of its own. Times are cloud time in seconds."""

    alias: str
    account: str
    name: str
    created_at: float
    block: PublicAccessBlock
    routes: list[RegionalRoute]
    policy: str = ""

    @property
    def arn(self) -> str:
        """Its ARN, in which there is no region."""
        return f"arn:{partition_of(self.routes[0].region)}:s3::{self.account}:accesspoint/{self.alias}"

    @property
    def vpc(self) -> str:
        """None: where its requests come from is for its policy to say."""
        return ""

    @property
    def tags(self) -> dict[str, str]:
        """None: they cannot be tagged."""
        return {}


MULTI_REGION_ACCESS_POINTS = Table(
    MultiRegionAccessPoint,
    name="s3.multi_region_access_points",
    key="alias",
    scope=GLOBAL,
    arn="arn:{partition}:s3::{account}:accesspoint/{alias}",
    missing=NO_SUCH_MULTI_REGION_ACCESS_POINT,
    policy=lambda point: point.policy or None,
    indexes={"by_name": ("account", "name")},
)


def multi_region_access_point(ctx: Context, named: str) -> MultiRegionAccessPoint | None:
    """The multi-region access point of an ARN, or of the alias that its host names; None for others.

    Raises NoSuchMultiRegionAccessPoint for an ARN or an alias that nobody has.
    """
    if not named.endswith(ALIAS_SUFFIX):
        return None
    account, alias = "", named
    if named.startswith("arn:"):
        parts = named.split(":", 5)
        if len(parts) != 6 or parts[2:4] != ["s3", ""] or not parts[5].startswith("accesspoint/"):
            return None
        account, alias = parts[4], parts[5].removeprefix("accesspoint/")
    found = MULTI_REGION_ACCESS_POINTS.peek(ctx, alias)
    if found is None or account not in ("", found.account):
        ctx.authorized = True
        raise NO_SUCH_MULTI_REGION_ACCESS_POINT()
    return found


def route_of(ctx: Context, point: MultiRegionAccessPoint) -> RegionalRoute:
    """Where a request goes: to the active bucket in the request's own region, or else to the first active one.

    AWS takes the nearest; here all regions are in one place.
    """
    active = [route for route in point.routes if route.active]
    return next((route for route in active if route.region == ctx.region), active[0])
