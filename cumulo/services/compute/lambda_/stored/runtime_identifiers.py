"""The identifiers of runtimes, which of them AWS still takes, and the version ARN each shows.

Source: Lambda Developer Guide, "Lambda runtimes"; texts and the order of the identifiers observed in AWS's answers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER

if TYPE_CHECKING:
    from cumulo.core.context import Context

# In the order of AWS's error text. Some are deprecated, but can still be asked for.
ACCEPTED = (
    "nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x", "nodejs22.x", "java25",
    "python3.10", "python3.11", "java21", "ruby3.3", "ruby3.4", "ruby3.2", "python3.8", "python3.9", "java17",
    "nodejs16.x", "dotnet10", "dotnet8", "java11", "dotnet6", "nodejs18.x", "provided.al2", "java8.al2",
)  # fmt: skip
# Functions can neither be created nor updated with these any more.
RETIRED = frozenset((
    "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x",
    "java8", "python2.7", "python3.6", "python3.7", "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1",
    "dotnetcore3.1", "go1.x", "ruby2.5", "ruby2.7", "provided",
))  # fmt: skip
SNAP_START_ON = "PublishedVersions"
# Source: Lambda Developer Guide, "Improving startup performance with Lambda SnapStart", Supported features.
SNAP_START = frozenset((
    "java11", "java17", "java21", "java25", "python3.12", "python3.13", "python3.14", "dotnet8", "dotnet10",
))  # fmt: skip


def check(runtime: str) -> None:
    """InvalidParameterValueException for what AWS does not take."""
    if runtime in RETIRED:
        raise INVALID_PARAMETER(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
    if runtime not in ACCEPTED:
        raise INVALID_PARAMETER(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(ACCEPTED)}] or be a valid ARN"
        )


def version_arn(ctx: Context, runtime: str) -> str:
    """The ARN that stands for what runs functions of this runtime here."""
    digest = hashlib.sha256(f"cumulo {runtime}".encode()).hexdigest()
    return f"arn:{ctx.partition}:lambda:{ctx.region}::runtime:{digest}"
