"""What is kept of Storage Lens: configurations and groups."""

from __future__ import annotations

from cumulo.core.arns import partition_of
from cumulo.core.table import REGION, Record, Table
from cumulo.services.storage.s3control.errors import NO_SUCH_CONFIGURATION, NO_SUCH_RESOURCE


class Configuration(Record):
    """One dashboard's configuration. `document` is msgpack of what PutStorageLensConfiguration brought."""

    account: str
    region: str
    id: str
    document: bytes
    tags: dict[str, str] = {}


class Group(Record):
    """A group of objects by a filter; `document` is msgpack of the StorageLensGroup."""

    account: str
    region: str
    name: str
    document: bytes
    tags: dict[str, str] = {}

    @property
    def arn(self) -> str:
        """The group's ARN."""
        return f"arn:{partition_of(self.region)}:s3:{self.region}:{self.account}:storage-lens-group/{self.name}"


CONFIGURATIONS = Table(
    Configuration,
    name="s3control.storage_lens_configurations",
    key="id",
    scope=REGION,
    arn="arn:{partition}:s3:{region}:{account}:storage-lens/{id}",
    missing=NO_SUCH_CONFIGURATION,
    tags=lambda configuration: configuration.tags,
)
GROUPS = Table(
    Group,
    name="s3control.storage_lens_groups",
    key="name",
    scope=REGION,
    arn="arn:{partition}:s3:{region}:{account}:storage-lens-group/{name}",
    missing=NO_SUCH_RESOURCE,
    tags=lambda group: group.tags,
)
