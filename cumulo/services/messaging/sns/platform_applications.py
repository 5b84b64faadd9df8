"""Platform applications: the apps of push services that devices register with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sns import arns
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER, NOT_FOUND_APPLICATION

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
PLATFORMS = (
    "ADM",
    "APNS",
    "APNS_SANDBOX",
    "APNS_VOIP",
    "APNS_VOIP_SANDBOX",
    "BAIDU",
    "FCM",
    "GCM",
    "MACOS",
    "MACOS_SANDBOX",
    "MPNS",
    "WNS",
)
_KEY_ONLY = ("GCM", "FCM")  # their credential stands alone
_NAME = re.compile(r"[A-Za-z0-9_.-]*")
_SECRET = ("PlatformCredential", "PlatformPrincipal")
_SHOWN = (
    "EventEndpointCreated",
    "EventEndpointDeleted",
    "EventEndpointUpdated",
    "EventDeliveryFailure",
    "SuccessFeedbackRoleArn",
    "FailureFeedbackRoleArn",
    "SuccessFeedbackSampleRate",
    "ApplePlatformTeamID",
    "ApplePlatformBundleID",
    "Enabled",
)


class PlatformApplication(Record):
    """An app of a push service, with its credentials."""

    platform: str
    name: str
    arn: str
    created_at: float
    attributes: dict[str, str]

    @property
    def enabled(self) -> bool:
        """Whether anything is sent to its devices."""
        return self.attributes.get("Enabled", "true") == "true"


APPLICATIONS = Table(
    PlatformApplication,
    name="sns.platform_applications",
    key=("platform", "name"),
    scope=REGION,
    missing=NOT_FOUND_APPLICATION,
)


def find(ctx: Context, arn: str, parameter: str = "PlatformApplicationArn") -> PlatformApplication:
    """The account's application with this ARN."""
    account, platform, name = arns.application(ctx, arn, parameter)
    found = APPLICATIONS.peek(ctx, platform, name) if account == ctx.account else None
    if found is None:
        raise NOT_FOUND_APPLICATION()
    return found


def _check_name(name: str) -> None:
    if not name:
        raise INVALID_PARAMETER(what=f"{name} Reason: cannot be empty")
    if len(name) > 256:
        raise INVALID_PARAMETER(what=f"{name} Reason: must be at most 256 characters long")
    if not _NAME.fullmatch(name):
        allowed = "'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"
        raise INVALID_PARAMETER(what=f"{name} Reason: must contain only characters {allowed}")


def _check_attributes(platform: str, given: dict[str, str], kept: dict[str, str]) -> None:
    for name, value in given.items():
        if name not in _SECRET and name not in _SHOWN:
            raise INVALID_PARAMETER(what=f"Attributes Reason: Invalid attribute name: {name}")
        wrong = f"Attributes Reason: Invalid value for attribute: {name}"
        if name == "Enabled" and value.lower() not in ("true", "false"):
            raise INVALID_PARAMETER(what=f"{wrong}: must be true or false")
        if name == "SuccessFeedbackSampleRate" and not (value.isdigit() and int(value) <= 100):
            raise INVALID_PARAMETER(what=f"{wrong}: must be 0 to 100")
        if name.startswith("Event") and value:
            arns.elements(value, wrong)
    both = {**kept, **given}
    principal, credential = both.get("PlatformPrincipal"), both.get("PlatformCredential")
    if principal and not credential:
        reason = "PlatformPrincipal attribute provided without PlatformCredential"
        raise INVALID_PARAMETER(what=f"Attributes Reason: {reason}")
    if credential and not principal and platform not in _KEY_ONLY:
        reason = "PlatformCredential attribute provided without PlatformPrincipal"
        raise INVALID_PARAMETER(what=f"Attributes Reason: {reason}")
    if not credential:
        raise INVALID_PARAMETER(what="Attributes Reason: Platform credentials are required")


def shown(application: PlatformApplication) -> dict[str, str]:
    """The attributes that are no secrets, and what the credentials are."""
    out = {name: value for name, value in application.attributes.items() if name not in _SECRET and value}
    out.setdefault("Enabled", "true")
    credential = application.attributes.get("PlatformCredential", "")
    if application.platform.startswith("APNS"):
        out["AuthenticationMethod"] = "token" if "ApplePlatformTeamID" in out else "certificate"
    elif application.platform in _KEY_ONLY:
        out["AuthenticationMethod"] = "token" if credential.lstrip().startswith("{") else "key"
    return out


@operation
def create_platform_application(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Make an application, or give the one of that name its new attributes."""
    name, platform = request["Name"], request["Platform"]
    _check_name(name)
    if platform not in PLATFORMS:
        raise INVALID_PARAMETER(what=f"Platform Reason: {platform} is not supported")
    given: dict[str, str] = request["Attributes"]
    _check_attributes(platform, given, {})
    arn = f"arn:{ctx.partition}:sns:{ctx.region}:{ctx.account}:app/{platform}/{name}"
    found = APPLICATIONS.peek(ctx, platform, name)
    if found is None:
        found = PlatformApplication(platform, name, arn, ctx.now(), {})
    found.attributes = {**found.attributes, **given}
    APPLICATIONS.put(ctx, found)
    return {"PlatformApplicationArn": arn}


@operation
def get_platform_application_attributes(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """An application's attributes."""
    return {"Attributes": shown(find(ctx, request["PlatformApplicationArn"]))}


@operation
def set_platform_application_attributes(ctx: Context, request: dict[str, Any]) -> None:
    """Change some of an application's attributes."""
    application = find(ctx, request["PlatformApplicationArn"])
    given: dict[str, str] = request["Attributes"]
    _check_attributes(application.platform, given, application.attributes)
    application.attributes = {**application.attributes, **given}
    APPLICATIONS.put(ctx, application)


@operation
def list_platform_applications(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The account's applications, a hundred a page."""
    found, token = paging.page(
        ctx,
        lambda after, limit: APPLICATIONS.range(ctx, after=after, limit=limit),
        lambda each: (each.platform, each.name),
        token=request.get("NextToken"),
        limit=PAGE,
        error=INVALID_PARAMETER(what="NextToken"),
    )
    listed = [{"PlatformApplicationArn": each.arn, "Attributes": shown(each)} for each in found]
    answer: dict[str, Any] = {"PlatformApplications": listed}
    if token:
        answer["NextToken"] = token
    return answer
