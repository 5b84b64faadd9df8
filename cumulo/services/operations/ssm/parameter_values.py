"""GetParameter, GetParameters and GetParametersByPath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.services.operations.ssm import parameter_filters, parameter_names, public_parameters, secret_references
from cumulo.services.operations.ssm.errors import INVALID_NEXT_TOKEN, NOT_FOUND
from cumulo.services.operations.ssm.parameter_records import (
    PARAMETERS,
    authorize,
    authorize_name,
    numbered,
    peek,
    shown,
    version_of,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_names import Reference
    from cumulo.services.operations.ssm.parameter_records import Parameter, Version
    from cumulo.stubs import ssm as t

PATH_PAGE = 10
_SCAN = 200


def _read(ctx: Context, text: str, *, decrypt: bool) -> Any:
    """One parameter with its value, None when there is none. Its versions and labels must be there."""
    reference = parameter_names.parse(text)
    if reference.name.startswith(parameter_names.SECRETS):
        return secret_references.read(ctx, reference, decrypt=decrypt)
    public = _public(ctx, reference)
    if public is not None:
        return public
    parameter = peek(ctx, reference)
    if parameter is None:
        authorize_name(ctx, reference.name, account=reference.account)
        return None
    authorize(ctx, parameter)
    version = version_of(ctx, parameter, reference.selector)
    return shown(ctx, parameter, version, selector=reference.selector, decrypt=decrypt)


def _public(ctx: Context, reference: Reference) -> Any:
    name = reference.names[-1]
    if not name.startswith(parameter_names.PUBLIC):
        return None
    authorize_name(ctx, name)
    found = public_parameters.find(ctx, name, reference.selector)
    if found is None:
        raise NOT_FOUND()
    return found


@operation
def get_parameter(ctx: Context, request: t.GetParameterRequest) -> t.GetParameterResult:
    found = _read(ctx, request["Name"], decrypt=request.get("WithDecryption", False))
    if found is None:
        raise NOT_FOUND()
    return {"Parameter": found}


@operation
def get_parameters(ctx: Context, request: t.GetParametersRequest) -> t.GetParametersResult:
    from cumulo.core.errors import Fault

    found, invalid = [], []
    for text in dict.fromkeys(request["Names"]):
        try:
            parameter = _read(ctx, text, decrypt=request.get("WithDecryption", False))
        except Fault as fault:
            if fault.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
                raise
            parameter = None
        if parameter is None:
            invalid.append(text)
        else:
            found.append(parameter)
    found.sort(key=lambda parameter: (parameter["Name"], parameter["Version"]))
    return {"Parameters": found, "InvalidParameters": invalid}


@operation
def get_parameters_by_path(ctx: Context, request: t.GetParametersByPathRequest) -> t.GetParametersByPathResult:
    path = parameter_names.check_path(request["Path"])
    recursive = request.get("Recursive", False)
    authorize_name(ctx, path or "/", context={"ssm:Recursive": str(recursive).lower()})
    filters = parameter_filters.for_paths(request.get("ParameterFilters", []))
    decrypt = request.get("WithDecryption", False)

    def fetch(after: Any, limit: int) -> list[Any]:
        if (path + "/").startswith(parameter_names.PUBLIC):
            if filters:
                return []
            start = str(after[0]) if after is not None else ""
            return public_parameters.under(ctx, path, after=start, recursive=recursive)[:limit]
        return _under(ctx, path, filters, after, limit, recursive=recursive, decrypt=decrypt)

    found, token = paging.page(
        ctx,
        fetch,
        lambda parameter: (parameter["Name"],),
        token=request.get("NextToken"),
        limit=request.get("MaxResults", PATH_PAGE),
        error=INVALID_NEXT_TOKEN(),
    )
    answer: t.GetParametersByPathResult = {"Parameters": found}
    if token:
        answer["NextToken"] = token
    return answer


def _under(
    ctx: Context,
    path: str,
    filters: list[parameter_filters.Filter],
    after: Any,
    limit: int,
    *,
    recursive: bool,
    decrypt: bool,
) -> list[Any]:
    start, end = parameter_names.bounds(path)
    found: list[Any] = []
    while True:
        some = PARAMETERS.range(ctx, start=start, end=end, after=after, limit=_SCAN)
        for parameter in some:
            if not parameter_names.under(parameter.name, path, recursive=recursive):
                continue
            version, selector = _chosen(ctx, parameter, filters)
            if version is not None and all(each.accepts(parameter, version) for each in filters):
                found.append(shown(ctx, parameter, version, selector=selector, decrypt=decrypt))
                if len(found) == limit:
                    return found
        if len(some) < _SCAN:
            return found
        after = (some[-1].name,)


def _chosen(ctx: Context, parameter: Parameter, filters: list[parameter_filters.Filter]) -> tuple[Version | None, str]:
    """The version to show: the latest, or with a filter for labels the one that bears such a label."""
    for each in filters:
        if each.key == "Label":
            for label in each.values:
                if label in parameter.labels:
                    return numbered(ctx, parameter, parameter.labels[label]), label
            return None, ""
    return parameter.latest, ""
