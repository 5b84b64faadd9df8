"""The credential report: all users of an account and the state of their credentials, as a table of CSV.

A report is kept for four hours; until then asking for a new one gives the same.
Source: "Generate credential reports for your AWS account" (IAM User Guide): the columns and their values.
"""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

from cumulo.core.callers import credentials
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.policy.principals import root
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.core.usage import key_uses
from cumulo.services.identity.iam import counters
from cumulo.services.identity.iam.credentials import mfa_devices, password_policies
from cumulo.services.identity.iam.credentials.login_profiles import LOGIN_PROFILES
from cumulo.services.identity.iam.credentials.signing_certificates import SIGNING_CERTIFICATES
from cumulo.services.identity.iam.entities.users import USERS

if TYPE_CHECKING:
    from cumulo.core.callers.credentials import AccessKey
    from cumulo.core.context import Context
    from cumulo.services.identity.iam.entities.users import User
    from cumulo.stubs import iam as t

GOOD_FOR_S = 4 * 3600

NOT_PRESENT = Error("CredentialReportNotPresentException", "No report is present for account {account}")
EXPIRED = Error("CredentialReportExpiredException", "The report has expired: generate a new one.")

COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active", "access_key_1_active", "access_key_1_last_rotated",
    "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
    "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region",
    "access_key_2_last_used_service", "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip


class CredentialReport(Record):
    """The newest report of an account."""

    name: str
    content: bytes
    made_at: float


CREDENTIAL_REPORTS = Table(CredentialReport, name="iam.credential_reports", key="name", scope=ACCOUNT)


def _moment(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds)) if seconds else "N/A"


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _keys(ctx: Context, arn: str) -> list[str]:
    """Ten columns of the first two access keys, in the order in which they were made."""
    row: list[str] = []
    keys: list[AccessKey | None] = [*sorted(credentials.keys_of(ctx, arn), key=lambda key: key.created_at)[:2]]
    for key in (*keys, None, None)[:2]:
        if key is None:
            row += ["false", "N/A", "N/A", "N/A", "N/A"]
            continue
        use = key_uses.last_use(ctx, key.access_key_id)
        row += [_flag(key.active), _moment(key.created_at)]
        row += [_moment(use.used_at), use.region, use.service] if use is not None else ["N/A", "N/A", "N/A"]
    return row


def _certificates(ctx: Context, user_id: str) -> list[str]:
    row: list[str] = []
    found = sorted(SIGNING_CERTIFICATES.range(ctx, user_id), key=lambda each: each.uploaded_at)
    for each in (*found, None, None)[:2]:
        row += ["false", "N/A"] if each is None else [_flag(each.status == "Active"), _moment(each.uploaded_at)]
    return row


def _password(ctx: Context, user: User) -> list[str]:
    profile = LOGIN_PROFILES.peek(ctx, user.user_id)
    if profile is None:
        return ["false", "N/A", "N/A", "N/A"]
    used = _moment(user.password_last_used_at) if user.password_last_used_at else "no_information"
    due = password_policies.expires_at(password_policies.policy_of(ctx), profile.changed_at)
    return ["true", used, _moment(profile.changed_at), _moment(due)]


def _row(ctx: Context, user: User) -> list[str]:
    mfa = _flag(bool(mfa_devices.devices_of(ctx, user.user_id)))
    return [
        user.name, user.arn, _moment(user.created_at), *_password(ctx, user), mfa, *_keys(ctx, user.arn),
        *_certificates(ctx, user.user_id),
    ]  # fmt: skip


def _root_row(ctx: Context) -> list[str]:
    arn = root(ctx.account, ctx.partition).arn
    password = ["not_supported", "no_information", "not_supported", "not_supported"]
    created = _moment(counters.account_created_at(ctx))
    return ["<root_account>", arn, created, *password, "false", *_keys(ctx, arn), "false", "N/A", "false", "N/A"]


def _made(ctx: Context) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerow(_root_row(ctx))
    table.writerows(_row(ctx, user) for user in USERS.range(ctx))
    return text.getvalue().rstrip("\n").encode()


@operation
def generate_credential_report(ctx: Context, request: Any) -> t.GenerateCredentialReportResponse:
    """Make a report, unless there is one of the last four hours. It is there at once, though AWS calls it started."""
    report = CREDENTIAL_REPORTS.peek(ctx, "report")
    if report is not None and ctx.now() - report.made_at < GOOD_FOR_S:
        return {"State": "COMPLETE"}
    CREDENTIAL_REPORTS.put(ctx, CredentialReport("report", _made(ctx), float(int(ctx.now()))))
    return {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}


@operation
def get_credential_report(ctx: Context, request: Any) -> t.GetCredentialReportResponse:
    report = CREDENTIAL_REPORTS.peek(ctx, "report")
    if report is None:
        raise NOT_PRESENT(account=ctx.account)
    if ctx.now() - report.made_at >= GOOD_FOR_S:
        raise EXPIRED()
    return {"Content": report.content, "ReportFormat": "text/csv", "GeneratedTime": report.made_at}
