"""Who calls, and which Principal elements mean them.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "... NotPrincipal".
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cumulo.core.policy.documents import PrincipalElement


class PrincipalKind(StrEnum):
    """The kinds of caller that policies tell apart."""

    ROOT = "root"
    USER = "user"
    ROLE = "role"  # a session of a role
    FEDERATED = "federated"  # a session from GetFederationToken
    SERVICE = "service"
    WEB_IDENTITY = "web-identity"  # known by an OpenID provider alone: AssumeRoleWithWebIdentity
    SAML = "saml"  # known by a SAML provider alone: AssumeRoleWithSAML
    ANONYMOUS = "anonymous"


class Principal(msgspec.Struct, frozen=True, gc=False):
    """The caller of a request.

    `arn` is what messages show: the session's ARN for a role session, the service's name for a service.
    `entity_arn` is the role of a role session or the user behind a federated one. `user_id` is AWS's unique
    id, "AROA…:session" for a role session. `name` is the user's name, the session's name, or the provider.
    `tags` are tags of the user or role with the session's over them. Times are seconds since 1970;
    `token_issued_at` is set for temporary credentials only, `mfa_at` when they were got with MFA.
    `service_linked` is for the cloud's own wiring: such a service needs no resource policy, though one
    may still deny it.
    """

    kind: PrincipalKind
    arn: str
    account: str = ""
    partition: str = "aws"
    user_id: str = ""
    name: str = ""
    entity_arn: str = ""
    access_key_id: str = ""
    tags: dict[str, str] = {}
    token_issued_at: float | None = None
    mfa_at: float | None = None
    source_identity: str = ""
    external_provider: str = ""
    service_linked: bool = False
    session_policies: tuple[str, ...] = ()

    @property
    def policy_arn(self) -> str:
        """aws:PrincipalArn: the role, not its session; for the others the caller's own ARN."""
        return self.entity_arn if self.kind is PrincipalKind.ROLE and self.entity_arn else self.arn


def root(account: str, partition: str = "aws") -> Principal:
    """The root user of an account."""
    arn = f"arn:{partition}:iam::{account}:root"
    return Principal(PrincipalKind.ROOT, arn, account, partition, user_id=account)


def service(name: str, *, linked: bool = False) -> Principal:
    """An AWS service, as "sns.amazonaws.com"; `linked` when its own wiring lets it in."""
    return Principal(PrincipalKind.SERVICE, name, name=name, service_linked=linked)


ANONYMOUS = Principal(PrincipalKind.ANONYMOUS, "anonymous")


class Grade(IntEnum):
    """How closely a Principal element means the caller: that decides which other policies still limit it.

    Source: "Policy evaluation for requests within a single account", table "Resource-based policies and
    implicit denies in other policy types".
    """

    NONE = 0
    ACCOUNT = 1  # the caller's account: delegates to that account's identity policies
    ENTITY = 2  # the role of this session, or the user behind it: boundary and session policies still limit
    DIRECT = 3  # this user, this session, this service, or everyone: nothing else limits


class PrincipalMatcher:
    """A compiled Principal or NotPrincipal element."""

    __slots__ = ("_accounts", "_arns", "_everyone", "_federated", "_ids", "_negated", "_services")

    def __init__(self, element: PrincipalElement) -> None:
        self._everyone = element.everyone
        self._negated = element.negated
        self._accounts: set[str] = set()
        self._arns: set[str] = set()
        self._ids: set[str] = set()
        self._services: set[str] = set()
        self._federated: set[str] = set()
        for name, text in element.members:
            if name == "Service":
                self._services.add(text)
            elif name == "Federated":
                self._federated.add(text)
            elif name == "AWS" and text.isdigit():
                self._accounts.add(text)
            elif text.startswith("arn:") and text.endswith(":root"):
                self._accounts.add(text.split(":")[4])
            elif text.startswith("arn:"):
                self._arns.add(text)
            else:
                self._ids.add(text)  # AIDA… and AROA… of IAM, canonical users of S3

    def grade(self, caller: Principal, *, bounded: bool, deny: bool) -> Grade:
        """How closely the element means the caller.

        `bounded`: the caller has a permissions boundary. `deny`: the statement denies.
        """
        if not self._negated:
            return self._listed(caller)
        if self._everyone:
            return Grade.NONE
        if not deny:
            return Grade.NONE if self._listed(caller) else Grade.DIRECT
        # NotPrincipal with Deny spares a caller only when it is listed with its account (and the role of a
        # session), and never one that has a permissions boundary. Source: "… NotPrincipal", its notes.
        return Grade.NONE if not bounded and self._spared(caller) else Grade.DIRECT

    def _listed(self, caller: Principal) -> Grade:
        if self._everyone:
            return Grade.DIRECT
        if caller.kind is PrincipalKind.SERVICE:
            return Grade.DIRECT if caller.name in self._services else Grade.NONE
        if caller.arn in self._arns:
            return Grade.DIRECT
        if caller.external_provider and caller.external_provider in self._federated:
            return Grade.DIRECT
        if caller.entity_arn and caller.entity_arn in self._arns:
            return Grade.ENTITY
        if self._ids and caller.user_id:
            if caller.user_id in self._ids:
                return Grade.DIRECT
            if caller.user_id.partition(":")[0] in self._ids:
                return Grade.ENTITY
        if caller.account and caller.account in self._accounts:
            return Grade.ACCOUNT
        return Grade.NONE

    def _spared(self, caller: Principal) -> bool:
        if caller.kind is PrincipalKind.SERVICE:
            return caller.name in self._services
        if caller.kind is PrincipalKind.ROOT:
            return caller.account in self._accounts
        if caller.external_provider and caller.external_provider in self._federated:
            return True
        known = caller.arn in self._arns or caller.user_id in self._ids
        if caller.entity_arn and caller.entity_arn != caller.arn:
            known = known and (caller.entity_arn in self._arns or caller.user_id.partition(":")[0] in self._ids)
        return known and caller.account in self._accounts
