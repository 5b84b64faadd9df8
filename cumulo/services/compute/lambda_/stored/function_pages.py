"""Lists of what belongs to one function, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.services.compute.lambda_ import errors
from cumulo.services.compute.lambda_.stored import function_names, qualifiers
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName

PAGE = 50


def owner(ctx: Context, request: Mapping[str, Any], missing: Callable[[], Exception]) -> FunctionName:
    """The function whose list is asked for, found and authorized. Raises `missing` when there is none."""
    asked = function_names.read(ctx, request["FunctionName"])
    function = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    qualifiers.authorize(ctx, asked._replace(qualifier=""), function)
    if function is None:
        raise missing()
    return asked


def page(
    ctx: Context,
    request: Mapping[str, Any],
    fetch: Callable[[tuple[Any, ...] | None, int], list[Any]],
    shown: Callable[[Any], Any],
    *,
    key: tuple[str, ...],
    member: str,
) -> Any:
    """The answer: a page of what `fetch` gives, in `member`. `key`: of its rows, up to their qualifier."""
    found, marker = paging.page(
        ctx,
        fetch,
        lambda row: (*key, row.qualifier),
        token=request.get("Marker"),
        limit=request.get("MaxItems") or PAGE,
        error=errors.INVALID_MARKER(),
    )
    answer: dict[str, Any] = {member: [shown(each) for each in found]}
    if marker:
        answer["NextMarker"] = marker
    return answer
