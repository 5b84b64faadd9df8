"""From the name that a caller gives to the version that is meant, found and authorized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.services.compute.lambda_.errors import FUNCTION_NOT_FOUND, FUNCTIONS_ONLY
from cumulo.services.compute.lambda_.stored import aliases, function_names, policies, versions
from cumulo.services.compute.lambda_.stored.aliases import ALIASES, Alias
from cumulo.services.compute.lambda_.stored.function_names import FunctionName
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, Function
from cumulo.services.compute.lambda_.stored.versions import LATEST, Version

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Target(NamedTuple):
    """What a name and a qualifier lead to. `arn` is the one that was asked for, qualified if the caller's was."""

    function: Function
    version: Version
    alias: Alias | None
    arn: str


def resolve(
    ctx: Context,
    function_name: str,
    qualifier: str | None = None,
    *,
    action: str | None = None,
    context: Mapping[str, Any] | None = None,
    weighted: bool = False,
) -> Target:
    """The version meant by a function's name in any form and a qualifier; inside a transaction.

    `action` ("lambda:InvokeFunction") if it is not the operation's own; `context` are condition keys of the service.
    `weighted`: an alias that shares its calls chooses by chance; else it is its first version.
    """
    asked, function = named(ctx, function_name, qualifier, action=action, context=context)
    if function is None:
        raise FUNCTION_NOT_FOUND(arn=asked.arn)
    return found(ctx, asked, function, weighted=weighted)


def named(
    ctx: Context,
    function_name: str,
    qualifier: str | None = None,
    *,
    action: str | None = None,
    context: Mapping[str, Any] | None = None,
) -> tuple[FunctionName, Function | None]:
    """What a caller who was authorized named, and the function if there is one."""
    asked = function_names.read(ctx, function_name, qualifier)
    function = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    authorize(ctx, asked, function, action=action, context=context)
    return asked, function


def found(ctx: Context, asked: FunctionName, function: Function, *, weighted: bool = False) -> Target:
    """The version of a function that is there; nobody is asked any more."""
    alias = None
    number = asked.qualifier or LATEST
    if number != LATEST and not number.isdigit():
        alias = ALIASES.peek(ctx, asked.name, number, account=asked.account)
        if alias is None:
            raise FUNCTION_NOT_FOUND(arn=asked.arn)
        number = aliases.chosen(ctx, alias) if weighted else alias.version
    version = versions.of(ctx, asked.account, asked.region, asked.name, number)
    if version is None:
        raise FUNCTION_NOT_FOUND(arn=asked.arn)
    return Target(function, version, alias, asked.arn)


def find(ctx: Context, function_name: str, *, context: Mapping[str, Any] | None = None, missing: str = "") -> Function:
    """The function of a name in any form but a qualified one, found and authorized.

    `missing` is the qualifier that the error shows where there is no function.
    """
    asked = function_names.read(ctx, function_name)
    if asked.qualifier:
        raise FUNCTIONS_ONLY()
    function = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    authorize(ctx, asked, function, context=context)
    if function is None:
        raise FUNCTION_NOT_FOUND(arn=asked._replace(qualifier=missing).arn)
    return function


def changeable(
    ctx: Context, function_name: str, *, context: Mapping[str, Any] | None = None
) -> tuple[Function, Version]:
    """A function and its $LATEST, found and authorized."""
    function = find(ctx, function_name, context=context)
    latest = versions.of(ctx, function.account, function.region, function.name)
    assert latest is not None  # the two are made and deleted together
    return function, latest


def authorize(
    ctx: Context,
    asked: FunctionName,
    function: Function | None,
    *,
    action: str | None = None,
    context: Mapping[str, Any] | None = None,
) -> None:
    """Ask whether the caller may do this to what was named: AccessDenied for strangers, also of what is not there.

    Each qualifier has a policy of its own, and the function's says nothing about it. Source: Lambda Developer Guide,
    "Viewing resource-based IAM policies in Lambda".
    """
    policy = None
    if function is not None:
        held = policies.of(ctx, asked.account, asked.region, asked.name, asked.qualifier)
        policy = held.document if held is not None else None
    if policy is None and ctx.trusted(asked.account):
        return
    ctx.authorize(
        asked.arn,
        policy=policy,
        tags=function.tags if function is not None else None,
        action=action,
        context={"lambda:FunctionArn": asked.arn, **(context or {})},
    )
