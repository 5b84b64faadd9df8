"""What is kept of S3 Access Grants: one instance a region, its locations, their grants."""

from __future__ import annotations

from cumulo.core.arns import partition_of
from cumulo.core.table import REGION, Record, Table
from cumulo.services.storage.s3control.errors import NO_INSTANCE, NO_SUCH_GRANT, NO_SUCH_LOCATION

DEFAULT = "default"  # the id of an account's one instance in a region, and of the location s3://


class Instance(Record):
    """The instance of an account and region."""

    account: str
    region: str
    created_at: float
    tags: dict[str, str] = {}
    id: str = DEFAULT
    policy: str = ""
    organization: str = ""  # that the policy is for, as it was given
    policy_at: float = 0

    @property
    def arn(self) -> str:
        """The instance's ARN."""
        return f"arn:{partition_of(self.region)}:s3:{self.region}:{self.account}:access-grants/{self.id}"


class Location(Record):
    """A registered part of S3 ("s3://", "s3://bucket/prefix*"), and the role that may read and write there."""

    account: str
    region: str
    id: str
    scope: str
    role_arn: str
    created_at: float
    tags: dict[str, str] = {}


class Grant(Record):
    """Who may READ, WRITE or do both (READWRITE) within a scope. `grantee` is the ARN of a user or a role."""

    account: str
    region: str
    id: str
    location: str
    prefix: str
    scope: str
    grantee: str
    permission: str
    created_at: float
    of_object: bool = False
    tags: dict[str, str] = {}


_ARN = "arn:{partition}:s3:{region}:{account}:access-grants/"
INSTANCES = Table(
    Instance,
    name="s3control.access_grants_instances",
    key="id",
    scope=REGION,
    arn=_ARN + "{id}",
    missing=NO_INSTANCE,
    policy=lambda instance: instance.policy or None,
    tags=lambda instance: instance.tags,
)
LOCATIONS = Table(
    Location,
    name="s3control.access_grants_locations",
    key="id",
    scope=REGION,
    arn=_ARN + "default/location/{id}",
    missing=NO_SUCH_LOCATION,
    tags=lambda location: location.tags,
)
GRANTS = Table(
    Grant,
    name="s3control.access_grants",
    key="id",
    scope=REGION,
    arn=_ARN + "default/grant/{id}",
    missing=NO_SUCH_GRANT,
    tags=lambda grant: grant.tags,
)
