"""Role templates: blueprints of roles that AWS's services keep, and those that lie in the data directory.

A template's content is what GetRoleTemplateVersion answers; AWS documents it for PowerUserRoleTemplate only. Others are
known by their ARN, and real as soon as somebody puts AWS's answer into DATA_DIR/iam/role-templates/NAME.json (one
version a file: `aws iam get-role-template-version … --query RoleTemplateVersion > NAME.json`).
Source: "Overview of role templates", "Manage access to role manager" (IAM User Guide); for what PowerUserRoleTemplate
attaches, AWS Security Blog on role manager.
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.services.identity.iam import permissions
from cumulo.services.identity.iam.errors import INVALID_INPUT, NO_SUCH_ENTITY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

FOLDER = "role-templates"
POWER_USER: dict[str, Any] = {
    "TemplateArn": "arn:aws:iam::aws:role-template/iam.amazonaws.com/PowerUserRoleTemplate:1",
    "TemplateName": "PowerUserRoleTemplate",
    "MajorVersion": 1,
    "DefaultMinorVersion": 0,
    "ManagedByType": "Service",
    "ManagedByValue": "iam.amazonaws.com",
    "Enabled": True,
    "MinorVersion": 0,
    "RoleNamePattern": "@{RoleName}",
    "AssumeRolePolicyDocumentTemplate": (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"@{AWSServiceName}"},'
        '"Action":"sts:AssumeRole"}]}'
    ),
    "ManagedPolicyArns": ["arn:aws:iam::aws:policy/PowerUserAccess"],
    "ParametersDefinition": [
        {"Name": "AWSServiceName", "Type": "String", "IsRequired": True},
        {"Name": "RoleName", "Type": "String", "IsRequired": False, "DefaultValue": "PowerUserRole"},
    ],
    "VersionEnabled": True,
}
# The other templates of AWS's directory, by the service that keeps them; all are of major version 1.
UNPUBLISHED = (
    "backup.amazonaws.com/AWSBackupDefaultServiceRoleTemplate",
    "datazone.amazonaws.com/AmazonSageMakerAdminIAMPermissiveExecutionRoleTemplate",
    "datazone.amazonaws.com/AmazonSageMakerUserIAMPermissiveExecutionRoleTemplate",
    "firehose.amazonaws.com/AmazonCloudWatchMetricStreamsFirehoseToS3RoleTemplate",
    "logs.amazonaws.com/AmazonCloudWatchLogsScheduledQueryExecutionRoleTemplate",
    "rum.amazonaws.com/AmazonCloudWatchRUMPutEventsRoleTemplate",
    "secretsmanager.amazonaws.com/AWSSecretsManagerRotationRoleTemplate",
    "streams.metrics.cloudwatch.amazonaws.com/AmazonCloudWatchMetricStreamsFirehosePutRecordsRoleTemplate",
    "synthetics.amazonaws.com/AmazonCloudWatchSyntheticsExecutionRoleTemplate",
    "synthetics.amazonaws.com/AmazonCloudWatchSyntheticsKmsExecutionRoleTemplate",
    "synthetics.amazonaws.com/AmazonCloudWatchSyntheticsVpcExecutionRoleTemplate",
)

Template = dict[str, Any]


def registered(ctx: Context, folder: str) -> list[Template]:
    """What lies in a folder of templates in the data directory. InvalidInput names a file that holds none."""
    found: list[Template] = []
    for path in sorted((ctx.data_dir / "iam" / folder).glob("*.json")):
        try:
            template: Template = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (OSError, msgspec.DecodeError) as error:
            raise INVALID_INPUT(f"The template {path} cannot be read: {error}") from None
        found.append(template)
    return found


def find(ctx: Context, arn: str, minor: int | None) -> Template:
    """A version of a template, the default one without `minor`. NoSuchEntity, or NotImplemented by its name."""
    versions = [each for each in registered(ctx, FOLDER) if each.get("TemplateArn") == arn]
    if arn == POWER_USER["TemplateArn"].replace("arn:aws:", f"arn:{ctx.partition}:", 1):
        versions = versions or [{**POWER_USER, "TemplateArn": arn}]
    for template in versions:
        wanted = template.get("DefaultMinorVersion", 0) if minor is None else minor
        if template.get("MinorVersion", 0) == wanted:
            return template
    if not versions and arn.partition(":role-template/")[2].removesuffix(":1") in UNPUBLISHED:
        raise not_implemented("iam", ctx.operation, f"{arn}, whose content AWS does not publish")
    what = f"Role template {arn}" if minor is None or not versions else f"Version {minor} of role template {arn}"
    raise NO_SUCH_ENTITY(f"{what} cannot be found.")


def ask(ctx: Context, arn: str) -> None:
    """AccessDenied unless the caller may look at this template."""
    permissions.ask(ctx, arn, action="iam:GetRoleTemplateVersion", context={"iam:RoleTemplateARN": arn})


@operation
def get_role_template_version(
    ctx: Context, request: t.GetRoleTemplateVersionRequest
) -> t.GetRoleTemplateVersionResponse:
    """A template as it is written, placeholders and all."""
    arn = request["TemplateArn"]
    ask(ctx, arn)
    template = find(ctx, arn, request.get("MinorVersion"))
    shown: Any = {"TemplateVersionId": _id_of(template), **template}
    return {"RoleTemplateVersion": shown}


def _id_of(template: Template) -> str:
    # AWS's own ids of these versions are not known: ours are as long as its others, and the same on every node.
    text = f"{template['TemplateArn']}:{template.get('MinorVersion', 0)}"
    return b32encode(sha256(text.encode()).digest()).decode()[:21]
