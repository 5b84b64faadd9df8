"""Labels of parameter versions.

Source: Systems Manager User Guide, "Working with parameter labels".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.operations.ssm.errors import NO_VERSION, NOT_FOUND_BY_NAME, TOO_MANY_LABELS
from cumulo.services.operations.ssm.parameter_records import find, numbered, put

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import ssm as t

LIMIT = 10
_LABEL = re.compile(r"(?!\d|aws|ssm)[A-Za-z0-9_.-]{1,100}", re.IGNORECASE)


def valid(label: str) -> bool:
    """Whether this can be a label: letters, digits and .-_, not a digit first, and not "aws" or "ssm"."""
    return _LABEL.fullmatch(label) is not None


@operation
def label_parameter_version(ctx: Context, request: t.LabelParameterVersionRequest) -> t.LabelParameterVersionResult:
    parameter = find(ctx, request["Name"], NOT_FOUND_BY_NAME)
    number = request.get("ParameterVersion", parameter.latest.number)
    if numbered(ctx, parameter, number) is None:
        raise NO_VERSION(version=number, name=parameter.name)
    wanted = list(dict.fromkeys(request["Labels"]))
    invalid = [label for label in wanted if not valid(label)]
    labels = {**parameter.labels, **{label: number for label in wanted if label not in invalid}}
    if sum(version == number for version in labels.values()) > LIMIT:
        raise TOO_MANY_LABELS()
    parameter.labels = labels
    put(ctx, parameter)
    return {"InvalidLabels": invalid, "ParameterVersion": number}


@operation
def unlabel_parameter_version(
    ctx: Context, request: t.UnlabelParameterVersionRequest
) -> t.UnlabelParameterVersionResult:
    parameter = find(ctx, request["Name"], NOT_FOUND_BY_NAME)
    number = request["ParameterVersion"]
    if numbered(ctx, parameter, number) is None:
        raise NO_VERSION(version=number, name=parameter.name)
    wanted = list(dict.fromkeys(request["Labels"]))
    removed = [label for label in wanted if parameter.labels.get(label) == number]
    parameter.labels = {label: version for label, version in parameter.labels.items() if label not in removed}
    put(ctx, parameter)
    return {"RemovedLabels": removed, "InvalidLabels": [label for label in wanted if label not in removed]}
