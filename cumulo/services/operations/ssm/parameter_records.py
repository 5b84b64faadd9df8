"""The record of a parameter and its versions, and the one way to find them, authorized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.table import GLOBAL, REGION, Record, Table
from cumulo.services.operations.ssm import parameter_names, sealing
from cumulo.services.operations.ssm.errors import NO_LABEL, NO_VERSION

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.errors import Error
    from cumulo.services.operations.ssm.parameter_names import Reference

STRING, STRING_LIST, SECURE = "String", "StringList", "SecureString"
STANDARD, ADVANCED = "Standard", "Advanced"
DEFAULT_KEY = "alias/aws/ssm"


class Version(Record):
    """One version of a parameter, with everything that PutParameter can change. `value` is encrypted in a
    SecureString. `policies` are their texts. `modified_by` is an ARN."""

    name: str
    number: int
    type: str
    value: str
    modified_at: float
    modified_by: str
    description: str = ""
    key_id: str = ""
    allowed_pattern: str = ""
    tier: str = STANDARD
    data_type: str = "text"
    policies: list[str] = []


class Parameter(Record):
    """A parameter: its latest version, and what all versions share.

    `oldest` is the number of the oldest version that is kept. `labels` say which version each is attached to.
    `policy_states` are those of the latest version's policies, in their order; `policy_plan` numbers their
    schedules, so that a superseded one does nothing. The `resource_policy` shares
    the parameter, `shared_with` these accounts.
    """

    name: str
    account: str
    region: str
    partition: str
    latest: Version
    oldest: int = 1
    labels: dict[str, int] = {}
    tags: dict[str, str] = {}
    policy_states: list[str] = []
    policy_plan: int = 0
    resource_policy: str = ""
    resource_policy_id: str = ""
    resource_policy_hash: str = ""
    shared_with: list[str] = []

    @property
    def arn(self) -> str:
        """The ARN."""
        return parameter_names.arn(self.partition, self.region, self.account, self.name)

    def labels_of(self, number: int) -> list[str]:
        """The labels of a version, in alphabetical order."""
        return sorted(label for label, version in self.labels.items() if version == number)


class Count(Record):
    """How many parameters of a tier there are."""

    tier: str
    number: int = 0


class Share(Record):
    """A parameter that a resource policy shows to another account."""

    region: str
    account: str
    owner: str
    name: str


PARAMETERS = Table(Parameter, name="ssm.parameters", key="name", scope=REGION)
VERSIONS = Table(Version, name="ssm.versions", key=("name", "number"), scope=REGION)
COUNTS = Table(Count, name="ssm.counts", key="tier", scope=REGION)
SHARES = Table(Share, name="ssm.shares", key=("region", "account", "owner", "name"), scope=GLOBAL)


def authorize(
    ctx: Context, parameter: Parameter, *, action: str | None = None, context: dict[str, Any] | None = None
) -> None:
    """AccessDeniedException unless the caller may do this to the parameter."""
    if parameter.resource_policy or not ctx.trusted(parameter.account):
        policy = parameter.resource_policy or None
        ctx.authorize(parameter.arn, policy=policy, tags=parameter.tags, action=action, context=context)


def authorize_name(ctx: Context, name: str, *, account: str = "", context: dict[str, Any] | None = None) -> None:
    """AccessDeniedException unless the caller may do this to a parameter of this name, there or not."""
    account = account or ctx.account
    if not ctx.trusted(account):
        ctx.authorize(parameter_names.arn(ctx.partition, ctx.region, account, name), context=context)


def peek(ctx: Context, reference: Reference) -> Parameter | None:
    """The parameter that a reference names, if it is there; nobody is asked."""
    if reference.region not in ("", ctx.region):
        return None
    for name in reference.names:
        parameter = PARAMETERS.peek(ctx, name, account=reference.account or None)
        if parameter is not None:
            return parameter
    return None


def find(ctx: Context, text: str, missing: Error, *, context: dict[str, Any] | None = None) -> Parameter:
    """The parameter of a name or ARN, found and authorized; `missing` when there is none, named by `{name}`."""
    reference = parameter_names.parse(text)
    parameter = peek(ctx, reference)
    if parameter is None:
        authorize_name(ctx, reference.name, account=reference.account, context=context)
        raise missing(name=text) if missing.text else missing()
    authorize(ctx, parameter, context=context)
    return parameter


def version_of(ctx: Context, parameter: Parameter, selector: str) -> Version:
    """The version that a selector means: a number, a label, or "" for the latest. Raises ParameterVersionNotFound."""
    if not selector:
        return parameter.latest
    if selector.isascii() and selector.isdigit():
        number = int(selector)
        version = numbered(ctx, parameter, number)
        if version is None:
            raise NO_VERSION(version=selector, name=parameter.name)
        return version
    number = parameter.labels.get(selector, 0)
    version = numbered(ctx, parameter, number)
    if version is None:
        raise NO_LABEL(label=selector, name=parameter.name)
    return version


def numbered(ctx: Context, parameter: Parameter, number: int) -> Version | None:
    """A version by its number, if it is kept."""
    if number == parameter.latest.number:
        return parameter.latest
    if not parameter.oldest <= number < parameter.latest.number:
        return None
    return VERSIONS.peek(ctx, parameter.name, number, account=parameter.account, region=parameter.region)


def put(ctx: Context, parameter: Parameter) -> None:
    """Keep a parameter in its own account and region."""
    PARAMETERS.put(ctx, parameter, account=parameter.account, region=parameter.region)


def count(ctx: Context, tier: str, by: int, *, account: str | None = None, region: str | None = None) -> int:
    """Change the number of parameters of a tier; how many there were before."""
    found = COUNTS.peek(ctx, tier, account=account, region=region) or Count(tier)
    before = found.number
    if by:
        found.number += by
        COUNTS.put(ctx, found, account=account, region=region)
    return before


def remove(ctx: Context, parameter: Parameter) -> None:
    """Drop a parameter with all that belongs to it."""
    for version in VERSIONS.range(ctx, parameter.name, account=parameter.account, region=parameter.region):
        VERSIONS.delete(ctx, version, account=parameter.account, region=parameter.region)
    share(ctx, parameter, [])
    PARAMETERS.delete(ctx, parameter, account=parameter.account, region=parameter.region)
    count(ctx, parameter.latest.tier, -1, account=parameter.account, region=parameter.region)


def share(ctx: Context, parameter: Parameter, accounts: list[str]) -> None:
    """Show a parameter to these accounts and no others."""
    for account in parameter.shared_with:
        SHARES.delete(ctx, Share(parameter.region, account, parameter.account, parameter.name))
    parameter.shared_with = accounts
    for account in accounts:
        SHARES.put(ctx, Share(parameter.region, account, parameter.account, parameter.name))


def shown(ctx: Context, parameter: Parameter, version: Version, *, selector: str = "", decrypt: bool) -> Any:
    """A parameter with its value, as the Get operations answer it."""
    answer = {
        "Name": parameter.name,
        "Type": version.type,
        "Value": value_of(ctx, parameter, version, decrypt=decrypt),
        "Version": version.number,
        "LastModifiedDate": version.modified_at,
        "ARN": parameter.arn,
        "DataType": version.data_type,
    }
    if selector:
        answer["Selector"] = f":{selector}"
    return answer


def value_of(ctx: Context, parameter: Parameter, version: Version, *, decrypt: bool) -> str:
    """The value; that of a SecureString as it is at rest unless it is to be decrypted."""
    if version.type != SECURE or not decrypt:
        return version.value
    advanced = version.tier == ADVANCED
    return sealing.unseal(ctx, parameter.arn, version.key_id, version.value, advanced=advanced)
