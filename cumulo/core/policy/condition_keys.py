"""The request context: condition keys and their values, worked out only when a condition asks.

Source: IAM User Guide, "AWS global condition context keys" and "IAM policy elements: Variables and tags"
(the table of principal key values).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from cumulo.core.policy.principals import Principal, PrincipalKind

Value = str | list[str]
"""The value of a condition key: a list when the key may hold several."""
Plain = str | bytes | bool | int | float
Given = Mapping[str, Plain | Sequence[Plain] | None]
Tags = Mapping[str, str] | Callable[[], Mapping[str, str] | None] | None


class Organization(msgspec.Struct, frozen=True):
    """An account's place in an organization: its id, and its path ("o-a1b2/r-ab12/ou-ab12-11111111/")."""

    id: str
    path: str = ""


class Organizations(Protocol):
    """Who knows to which organization an account belongs."""

    def organization(self, account: str) -> Organization | None:
        """The organization of the account, if it is in one."""
        ...


class Environment(msgspec.Struct, frozen=True):
    """What a request brings that is neither its caller nor its resource.

    `now` is the cloud's clock, in seconds since 1970. `called_via` lists the services through which a
    person's call came (forward access sessions), first caller first. `source_arn` and `source_account`
    name the resource for which a service calls.
    """

    now: Callable[[], float]
    source_ip: str = ""
    secure: bool = False
    region: str = "us-east-1"
    user_agent: str = ""
    referer: str = ""
    called_via: tuple[str, ...] = ()
    source_arn: str = ""
    source_account: str = ""
    source_vpc: str = ""
    vpc_source_ip: str = ""
    source_vpc_endpoint: str = ""


class RequestContext:
    """The condition keys of one request. `lookup` is what conditions and variables call."""

    __slots__ = (
        "_given",
        "_normal",
        "_request_tags",
        "_resource_tags",
        "environment",
        "organizations",
        "principal",
        "resource_account",
    )

    def __init__(
        self,
        principal: Principal,
        environment: Environment,
        organizations: Organizations,
        *,
        resource_account: str = "",
        resource_tags: Tags = None,
        request_tags: Tags = None,
        given: Given | None = None,
    ) -> None:
        self.principal = principal
        self.environment = environment
        self.organizations = organizations
        self.resource_account = resource_account
        self._resource_tags = resource_tags
        self._request_tags = request_tags
        self._given = given
        self._normal: dict[str, Value] | None = None

    def lookup(self, key: str) -> Value | None:
        """The value of a lower-case key: what the service gave for this request comes first."""
        if self._given is not None:
            if self._normal is None:
                self._normal = normal(self._given)
            value = self._normal.get(key)
            if value is not None:
                return value
        read = _KEYS.get(key)
        if read is not None:
            return read(self)
        return self._tag(key) if "/" in key else None

    def _tag(self, key: str) -> str | None:
        """A tag: aws:PrincipalTag/…, aws:RequestTag/…, aws:ResourceTag/… (ec2:ResourceTag/… and its like).

        The tag's name, too, is found whatever its case.
        """
        prefix, _, name = key.partition("/")
        if prefix == "aws:principaltag":
            tags: Mapping[str, str] | None = self.principal.tags
        elif prefix.endswith(":resourcetag"):
            tags = self._resource_tags() if callable(self._resource_tags) else self._resource_tags
        elif prefix.endswith(":requesttag"):
            tags = self._request_tags() if callable(self._request_tags) else self._request_tags
        else:
            return None
        for tag, value in (tags or {}).items():
            if tag.lower() == name:
                return value
        return None

    def tag_keys(self) -> Value | None:
        """aws:TagKeys: the names of the tags that the request brings."""
        tags = self._request_tags() if callable(self._request_tags) else self._request_tags
        return list(tags) if tags else None


def normal(given: Given) -> dict[str, Value]:
    """A context as services write it, in the form that conditions read: lower-case keys, text values."""
    found: dict[str, Value] = {}
    for key, value in given.items():
        if value is None:
            continue
        if isinstance(value, (str, bytes, bool, int, float)):
            found[key.lower()] = _text(value)
        else:
            found[key.lower()] = [_text(each) for each in value]
    return found


def _text(value: Plain) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        import base64  # rare

        return base64.b64encode(value).decode("ascii")
    return str(value)


_Reader = Callable[[RequestContext], Value | None]


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _flag(value: bool) -> str:
    return "true" if value else "false"


_TYPES: Final = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.FEDERATED: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


def _account(context: RequestContext) -> str | None:
    principal = context.principal
    return "anonymous" if principal.kind is PrincipalKind.ANONYMOUS else principal.account or None


def _principal_arn(context: RequestContext) -> str | None:
    return context.principal.policy_arn if context.principal.account else None


def _user_id(context: RequestContext) -> str | None:
    principal = context.principal
    return "anonymous" if principal.kind is PrincipalKind.ANONYMOUS else principal.user_id or None


def _user_name(context: RequestContext) -> str | None:
    return context.principal.name or None if context.principal.kind is PrincipalKind.USER else None


def _mfa(context: RequestContext) -> str | None:
    """Absent for long-term keys: only temporary credentials say whether MFA was used."""
    principal = context.principal
    return None if principal.token_issued_at is None else _flag(principal.mfa_at is not None)


def _mfa_age(context: RequestContext) -> str | None:
    at = context.principal.mfa_at
    return None if at is None else str(max(0, int(context.environment.now() - at)))


def _token_issued(context: RequestContext) -> str | None:
    at = context.principal.token_issued_at
    return None if at is None else _iso(at)


def _service_name(context: RequestContext) -> str | None:
    return context.principal.name if context.principal.kind is PrincipalKind.SERVICE else None


def _service_names(context: RequestContext) -> list[str] | None:
    return [context.principal.name] if context.principal.kind is PrincipalKind.SERVICE else None


def _organization_id(account: Callable[[RequestContext], str]) -> _Reader:
    def read(context: RequestContext) -> str | None:
        found = context.organizations.organization(account(context)) if account(context) else None
        return found.id if found else None

    return read


def _organization_paths(account: Callable[[RequestContext], str]) -> _Reader:
    def read(context: RequestContext) -> list[str] | None:
        found = context.organizations.organization(account(context)) if account(context) else None
        return [found.path] if found and found.path else None

    return read


_KEYS: Final[dict[str, _Reader]] = {
    "aws:currenttime": lambda context: _iso(context.environment.now()),
    "aws:epochtime": lambda context: str(int(context.environment.now())),
    "aws:securetransport": lambda context: _flag(context.environment.secure),
    "aws:sourceip": lambda context: context.environment.source_ip or None,
    "aws:requestedregion": lambda context: context.environment.region or None,
    "aws:useragent": lambda context: context.environment.user_agent or None,
    "aws:referer": lambda context: context.environment.referer or None,
    "aws:calledvia": lambda context: list(context.environment.called_via) or None,
    "aws:calledviafirst": lambda context: (context.environment.called_via or (None,))[0],
    "aws:calledvialast": lambda context: (context.environment.called_via or (None,))[-1],
    "aws:viaawsservice": lambda context: _flag(bool(context.environment.called_via)),
    "aws:sourcearn": lambda context: context.environment.source_arn or None,
    "aws:sourceaccount": lambda context: context.environment.source_account or None,
    "aws:sourcevpc": lambda context: context.environment.source_vpc or None,
    "aws:vpcsourceip": lambda context: context.environment.vpc_source_ip or None,
    "aws:sourcevpce": lambda context: context.environment.source_vpc_endpoint or None,
    # The older name that SNS's own default topic policy still uses.
    "aws:sourceowner": lambda context: context.environment.source_account or None,
    "aws:sourceorgid": _organization_id(lambda context: context.environment.source_account),
    "aws:sourceorgpaths": _organization_paths(lambda context: context.environment.source_account),
    "aws:principalarn": _principal_arn,
    "aws:principalaccount": _account,
    "aws:principaltype": lambda context: _TYPES.get(context.principal.kind),
    "aws:principalorgid": _organization_id(lambda context: context.principal.account),
    "aws:principalorgpaths": _organization_paths(lambda context: context.principal.account),
    "aws:principalisawsservice": lambda context: _flag(context.principal.kind is PrincipalKind.SERVICE),
    "aws:principalservicename": _service_name,
    "aws:principalservicenameslist": _service_names,
    "aws:userid": _user_id,
    "aws:username": _user_name,
    "aws:sourceidentity": lambda context: context.principal.source_identity or None,
    "aws:federatedprovider": lambda context: context.principal.external_provider or None,
    "aws:multifactorauthpresent": _mfa,
    "aws:multifactorauthage": _mfa_age,
    "aws:tokenissuetime": _token_issued,
    "aws:tagkeys": RequestContext.tag_keys,
    "aws:resourceaccount": lambda context: context.resource_account or None,
    "aws:resourceorgid": _organization_id(lambda context: context.resource_account),
    "aws:resourceorgpaths": _organization_paths(lambda context: context.resource_account),
}
