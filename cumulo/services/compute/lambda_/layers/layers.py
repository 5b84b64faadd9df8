"""Layers: archives that functions lay under /opt. Every version is for good; a deleted one lives on in its functions.

Sources: Lambda API Reference, PublishLayerVersion and its neighbours; texts observed in AWS's answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core.arns import partition_of
from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_.errors import LAYER_VERSION_NOT_FOUND
from cumulo.services.compute.lambda_.packages import downloads, packages
from cumulo.services.compute.lambda_.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Layer(Record):
    """A layer, whatever its versions."""

    account: str
    region: str
    name: str
    next_version: int = 1

    @property
    def arn(self) -> str:
        """The layer's ARN."""
        return arn_of(self.account, self.region, self.name)


class LayerVersion(Record):
    """One version of a layer. `created_at` is cloud time in seconds since 1970."""

    account: str
    region: str
    name: str
    version: int
    created_at: float
    sha256: str
    size: int
    description: str = ""
    license: str = ""
    runtimes: list[str] | None = None
    architectures: list[str] | None = None
    policy: str = ""
    policy_revision_id: str = ""

    @property
    def arn(self) -> str:
        """The version's ARN."""
        return f"{arn_of(self.account, self.region, self.name)}:{self.version}"


LAYERS = Table(Layer, name="lambda.layers", key="name", scope=REGION)
LAYER_VERSIONS = Table(LayerVersion, name="lambda.layer_versions", key=("name", "version"), scope=REGION)

_FORM = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:)?(?P<name>[a-zA-Z0-9_-]+)"
    r"(?::(?P<version>\d+))?"
)


class LayerName(NamedTuple):
    """Which layer, and which version of it: 0 for none named."""

    account: str
    region: str
    name: str
    version: int

    @property
    def arn(self) -> str:
        """The layer's ARN, with the version if there is one."""
        arn = arn_of(self.account, self.region, self.name)
        return f"{arn}:{self.version}" if self.version else arn


def arn_of(account: str, region: str, name: str) -> str:
    """The ARN of a layer."""
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:layer:{name}"


def read(ctx: Context, text: str, version: int = 0) -> LayerName:
    """A layer by its name or its ARN, or a version of one by its ARN."""
    found = _FORM.fullmatch(text)
    if found is None:  # an AWS layer of another form, which nobody has here
        raise LAYER_VERSION_NOT_FOUND(arn=text)
    named = version or int(found["version"] or 0)
    return LayerName(found["account"] or ctx.account, found["region"] or ctx.region, found["name"], named)


def peek(ctx: Context, asked: LayerName) -> LayerVersion | None:
    """A version of a layer, None where there is none. Nobody is asked."""
    return LAYER_VERSIONS.peek(ctx, asked.name, asked.version, account=asked.account, region=asked.region)


def get(ctx: Context, asked: LayerName, *, action: str | None = None) -> LayerVersion:
    """A version of a layer, found and authorized: its own policy may let in other accounts."""
    version = peek(ctx, asked)
    authorize(ctx, asked, version.policy if version is not None else "", action=action)
    if version is None:
        raise LAYER_VERSION_NOT_FOUND(arn=asked.arn)
    return version


def authorize(ctx: Context, asked: LayerName, policy: str = "", *, action: str | None = None) -> None:
    """Ask whether the caller may do this to a layer or a version of it."""
    if not policy and ctx.trusted(asked.account):
        return
    ctx.authorize(asked.arn, policy=policy or None, action=action)


def keep(ctx: Context, version: LayerVersion) -> None:
    """Write a version back to where it lives, whoever calls."""
    LAYER_VERSIONS.put(ctx, version, account=version.account, region=version.region)


def listed(version: LayerVersion) -> dict[str, Any]:
    """What lists show of a version."""
    shown: dict[str, Any] = {
        "LayerVersionArn": version.arn,
        "Version": version.version,
        "Description": version.description,
        "CreatedDate": configurations.shown_time(version.created_at),
    }
    if version.license:
        shown["LicenseInfo"] = version.license
    if version.runtimes is not None:
        shown["CompatibleRuntimes"] = version.runtimes
    if version.architectures is not None:
        shown["CompatibleArchitectures"] = version.architectures
    return shown


def shown(ctx: Context, version: LayerVersion) -> dict[str, Any]:
    """A version with where its content is."""
    content = {
        "Location": downloads.url(ctx, version.sha256),
        "CodeSha256": packages.shown(version.sha256),
        "CodeSize": version.size,
    }
    layer_arn = arn_of(version.account, version.region, version.name)
    return {**listed(version), "LayerArn": layer_arn, "Content": content}


def policy_of(version: LayerVersion) -> dict[str, Any]:
    """The policy of a version as a document, an empty one where there is none."""
    if version.policy:
        return msgspec.json.decode(version.policy, type=dict[str, Any])
    return {"Version": "2012-10-17", "Id": "default", "Statement": []}
