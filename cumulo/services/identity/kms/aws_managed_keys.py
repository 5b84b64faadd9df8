"""AWS managed keys: the keys `alias/aws/…` that services make for themselves when they first need one.

Source: Developer Guide, "AWS managed keys"; API reference, DescribeKey: "If you call the DescribeKey operation on a
predefined AWS alias … that has no key ID, AWS KMS associates the alias with an AWS managed key".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.identity.kms import materials, specs
from cumulo.services.identity.kms.aliases import ALIASES, AWS_PREFIX, Alias
from cumulo.services.identity.kms.keys import AWS_KMS, DAY_S, Key, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context

ROTATION_DAYS = 365
# The last part of the alias → the service in kms:ViaService, and what the key's description calls it.
SERVICES = {
    "acm": ("acm", "ACM private keys"),
    "backup": ("backup", "backups"),
    "cloud9": ("cloud9", "Cloud9 environments"),
    "codeartifact": ("codeartifact", "CodeArtifact assets"),
    "codecommit": ("codecommit", "CodeCommit repositories"),
    "connect": ("connect", "Connect instances"),
    "dms": ("dms", "DMS resources"),
    "dynamodb": ("dynamodb", "DynamoDB data"),
    "ebs": ("ec2", "EBS volumes"),
    "ecr": ("ecr", "ECR repositories"),
    "elasticfilesystem": ("elasticfilesystem", "EFS filesystems"),
    "es": ("es", "Elasticsearch domains"),
    "fsx": ("fsx", "FSx resources"),
    "glue": ("glue", "Glue data"),
    "kafka": ("kafka", "MSK clusters"),
    "kinesis": ("kinesis", "Kinesis streams"),
    "kinesisvideo": ("kinesisvideo", "Kinesis video streams"),
    "lambda": ("lambda", "Lambda environment variables"),
    "lightsail": ("lightsail", "Lightsail instances"),
    "memorydb": ("memorydb", "MemoryDB clusters"),
    "mq": ("mq", "MQ brokers"),
    "rds": ("rds", "RDS database volumes"),
    "redshift": ("redshift", "Redshift clusters"),
    "s3": ("s3", "S3 objects"),
    "secretsmanager": ("secretsmanager", "Secrets Manager secrets"),
    "sns": ("sns", "SNS topics"),
    "sqs": ("sqs", "SQS messages"),
    "ssm": ("ssm", "Parameter Store parameters"),
    "workspaces": ("workspaces", "WorkSpaces"),
    "xray": ("xray", "X-Ray data"),
}


def make(ctx: Context, name: str) -> Key | None:
    """The key behind an alias `alias/aws/…` of this account and region, new; None when AWS has no such alias."""
    service = name.removeprefix(AWS_PREFIX)
    if service not in SERVICES:
        return None
    via, protects = SERVICES[service]
    now, key_id = ctx.now(), ctx.uuid()
    key = Key(
        ctx.account,
        ctx.region,
        key_id,
        now,
        specs.SYMMETRIC,
        specs.ENCRYPT_DECRYPT,
        AWS_KMS,
        _policy(ctx, service, via),
        f"Default key that protects my {protects} when no other key is defined",
        materials=[materials.wrap(ctx, key_id, materials.make_secret(ctx, specs.SYMMETRIC))],
        current=0,
        managed_for=service,
        rotation_days=ROTATION_DAYS,
        next_rotation_at=now + ROTATION_DAYS * DAY_S,
    )
    keep(ctx, key)
    from cumulo.services.identity.kms.rotations import schedule  # it knows permissions, and they know this module

    schedule(ctx, key)
    ALIASES.put(ctx, Alias(name, key_id, now, now))
    return key


def _policy(ctx: Context, service: str, via: str) -> str:
    """Everyone in the account, but through the service only. Source: Developer Guide, "AWS managed keys"."""
    policy: dict[str, Any] = {
        "Version": "2012-10-17",
        "Id": f"auto-{service}-1",
        "Statement": [
            {
                "Sid": f"Allow access through {via} for all principals in the account that are authorized to use {via}",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:CreateGrant",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "kms:CallerAccount": ctx.account,
                        "kms:ViaService": f"{via}.{ctx.region}.amazonaws.com",
                    }
                },
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{ctx.partition}:iam::{ctx.account}:root"},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*",
            },
        ],
    }
    return msgspec.json.encode(policy).decode()
