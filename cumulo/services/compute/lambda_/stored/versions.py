"""Versions: the configuration and the code that an invocation runs. `$LATEST` is the one that can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_.errors import NOT_FOR_TENANTS
from cumulo.services.compute.lambda_.packages import storage
from cumulo.services.compute.lambda_.stored.functions import arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.functions import Function

LATEST = "$LATEST"


class Version(Record):
    """One version of a function. Times are cloud time in seconds since 1970, sizes bytes unless named otherwise."""

    account: str
    region: str
    name: str
    version: str  # "$LATEST", "1", "2" …
    role: str
    modified_at: float
    revision_id: str
    runtime: str = ""  # none for images
    handler: str = ""
    description: str = ""
    timeout_s: int = 3
    memory_mb: int = 128
    ephemeral_mb: int = 512
    package_type: str = "Zip"  # or "Image"
    architecture: str = "x86_64"
    code_sha256: str = ""  # hexadecimal: the name of the package; AWS shows it in base64
    code_size: int = 0
    image_uri: str = ""
    image_config: dict[str, object] = {}  # EntryPoint, Command, WorkingDirectory
    variables: dict[str, str] | None = None  # None: the function was made without an environment
    variables_sealed: bytes = b""  # the same under the key of `kms_key_arn`; `variables` is then empty
    kms_key_arn: str = ""
    layers: list[str] = []  # ARNs of layer versions, in the order in which they are laid over each other
    state: str = "Pending"  # "Active", "Inactive", "Failed"
    state_reason: str = ""
    state_reason_code: str = ""
    update_status: str = ""  # "Successful", "Failed", "InProgress"; "" until the function was created
    update_reason: str = ""
    update_reason_code: str = ""
    tracing: str = "PassThrough"  # or "Active"
    dead_letter_arn: str = ""
    log_format: str = "Text"  # or "JSON"
    application_level: str = ""  # only of JSON
    system_level: str = ""
    log_group: str = ""
    snap_start: str = "None"  # or "PublishedVersions"
    snap_start_status: str = "Off"  # "On" for a version with a snapshot
    runtime_version_arn: str = ""
    update_runtime_on: str = "Auto"  # "FunctionUpdate", "Manual"
    config_sha256: str = ""
    signing_profile_version_arn: str = ""
    signing_job_arn: str = ""
    vpc_config: dict[str, object] | None = None
    file_systems: list[dict[str, str]] = []
    tenant_isolation: str = ""  # "PER_TENANT"
    source_kms_key_arn: str = ""
    layer_sha256s: list[str] = []  # the packages of `layers`: a version goes on using a layer that was deleted
    layer_sizes: list[int] = []
    kms_grant_id: str = ""  # what lets the role open the variables
    published_digest: str = ""  # of a published version: what $LATEST was like
    durable_timeout_s: int = 0  # of a durable function: how long an execution may last
    durable_retention_days: int = 0

    @property
    def arn(self) -> str:
        """The version's ARN; that of $LATEST is the function's own."""
        return arn_of(self.account, self.region, self.name, "" if self.version == LATEST else self.version)

    @property
    def qualified_arn(self) -> str:
        """The version's ARN, `$LATEST` named too."""
        return arn_of(self.account, self.region, self.name, self.version)


VERSIONS = Table(Version, name="lambda.versions", key=("name", "version"), scope=REGION)


def of(ctx: Context, account: str, region: str, name: str, version: str = LATEST) -> Version | None:
    """A version of a function, None when there is none. Nobody is asked."""
    return VERSIONS.peek(ctx, name, version, account=account, region=region)


def refuse_tenants(ctx: Context, function: Function, what: str) -> None:
    """InvalidParameterValueException where the function is isolated by tenant; `what` as in "Function URLs are"."""
    latest = of(ctx, function.account, function.region, function.name)
    if latest is not None and latest.tenant_isolation:
        raise NOT_FOR_TENANTS(what=what)


def keep(ctx: Context, version: Version) -> None:
    """Write a version back to where it lives, whoever calls."""
    VERSIONS.put(ctx, version, account=version.account, region=version.region)


def drop(ctx: Context, version: Version) -> None:
    """Take a version away with what it uses; inside a transaction."""
    storage.let_go(ctx, version)
    VERSIONS.delete(ctx, version, account=version.account, region=version.region)


def published(ctx: Context, account: str, region: str, name: str) -> list[Version]:
    """All versions of a function but $LATEST, the oldest first."""
    found = [each for each in VERSIONS.range(ctx, name, account=account, region=region) if each.version != LATEST]
    return sorted(found, key=lambda each: int(each.version))
